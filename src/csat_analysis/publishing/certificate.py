"""Does the package give the figures that others give? Compares every reference case that comes with it."""

import functools
import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd

from csat_analysis.ground.words import Words
from csat_analysis.publishing import references
from csat_analysis.publishing.references import FOLDER, Figure

CLOSE = 1e-9  # largest relative deviation from a figure of other software


@dataclass(frozen=True)
class Certificate:
    """What came out.

    Attributes
    ----------
    figures
        ``group, case, estimand, domain, figure, ours, reference, decimals, source, deviation, ok``. ``deviation`` is
        relative; of a figure that is printed with ``decimals``, absolute, and at most half a unit of the last one.
    left_out
        The first of these columns of a figure that is not compared, and the ``rule`` and ``reason`` why.
    """

    figures: pd.DataFrame
    left_out: pd.DataFrame

    @property
    def deviating(self) -> pd.DataFrame:
        """Return the figures that are not the same."""
        return self.figures[~self.figures["ok"]]

    @property
    def largest(self) -> float:
        """Return the largest relative deviation from a figure that is not rounded."""
        return _largest(self.figures)


@functools.cache
def of_package() -> Certificate:
    """Return the certificate of this package, computed once in a process."""
    return certify(FOLDER)


def certify(folder: Path) -> Certificate:
    """Return every figure of a folder of references, recomputed and compared.

    Raises
    ------
    ReportError
        Where a table of the folder is missing or cannot be read.
    """
    table = pd.DataFrame(references.recomputed(folder), columns=Figure._fields)
    reasons = _reasons(table, references.read(folder, "left_out"))
    out = reasons["reason"] != ""
    left_out = table[list(Figure._fields[:5])].join(reasons)[out]
    return Certificate(compared(table[~out].reset_index(drop=True)), left_out.reset_index(drop=True))


def _reasons(table: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Return why each figure is not compared, by the first rule whose patterns fit; empty where it is."""

    @functools.cache
    def fits(name: str, patterns: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns.split(" "))

    listed = list(rules[["case", "estimand", "figure", "reason"]].itertuples(index=False, name=None))

    def found(*names: str) -> tuple[str, str]:
        rule = next((rule for rule in listed if all(map(fits, names, rule[:3]))), ("",) * 4)
        return ": ".join(rule[:3]), rule[3]

    names = zip(table["case"], table["estimand"], table["figure"], strict=True)
    return pd.DataFrame([found(*each) for each in names], columns=["rule", "reason"], index=table.index)


def compared(table: pd.DataFrame) -> pd.DataFrame:
    """Return figures with their deviations, and whether these are small enough; what nobody computes deviates."""
    apart = (table["ours"] - table["reference"]).abs().fillna(math.inf)
    printed = table["decimals"].notna()
    size = table["reference"].abs().where(~printed & (table["reference"] != 0), 1.0)
    most = (0.5 * 10.0 ** -table["decimals"] * (1 + CLOSE)).where(printed, CLOSE)
    return table.assign(deviation=apart / size, ok=apart / size <= most)


def _largest(figures: pd.DataFrame) -> float:
    exact = figures.loc[figures["decimals"].isna(), "deviation"]
    return float(exact.max()) if len(exact) else 0.0


# --- what is said of it -----------------------------------------------------------------------------------------------


def sentence(found: Certificate, words: Words) -> str:
    """Return the certificate in one line, the same on every machine on which the figures agree."""
    total, wrong = len(found.figures), len(found.deviating)
    key = "page.certificate_deviates" if wrong else "page.certificate"
    return words(key, n=words.count(total), deviating=words.count(wrong))


def lines(found: Certificate) -> list[str]:
    """Return a line for each group of cases, and the largest deviation of all."""
    shown = [_line(str(group), figures) for group, figures in found.figures.groupby("group", sort=False)]
    return [
        *shown,
        f"Figures recomputed: {len(found.figures)}; deviating: {len(found.deviating)}; "
        f"largest relative deviation from other software: {found.largest:.0e}.",
        f"Figures of the same sources that are not compared, each for a reason (-v): {len(found.left_out)}.",
    ]


def _line(group: str, figures: pd.DataFrame) -> str:
    cases = len(figures[["case", "estimand", "domain"]].drop_duplicates())
    printed = int(figures["decimals"].notna().sum())
    exact = f"largest deviation {_largest(figures):.0e}" if printed < len(figures) else ""
    rounded = f"{printed} to the digits they are printed with" if printed else ""
    return f"{group}: {len(figures)} figures of {cases} cases, {', '.join(filter(None, [exact, rounded]))}"


def deviations(found: Certificate) -> list[str]:
    """Return the sentences of the figures that deviate."""
    return [
        f"{_name(row)}: {row.source} has {row.reference!r}, and the package gives {row.ours!r}; "
        "mend the one that is wrong."
        for row in found.deviating.itertuples()
    ]


def _name(row: Any) -> str:
    return ": ".join(filter(None, (row.group, row.case, row.estimand, row.domain, row.figure)))


def details(found: Certificate) -> list[str]:
    """Return the sources, and what is not compared: how many figures of which cases, and why."""
    sources = found.figures["source"].value_counts(sort=False)
    rules = found.left_out.groupby(["rule", "reason"], sort=False).size()
    return [
        *[f"Figures of {source}: {n}." for source, n in sources.items()],
        *[f"Not compared: {rule}: {n}. {reason}" for (rule, reason), n in rules.items()],
    ]
