"""Do those who answered look like the population, and what would the figures be if they did?"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from csat_analysis.assembly.load import Survey
from csat_analysis.domain.evidence import Evidence
from csat_analysis.domain.items import suppressed
from csat_analysis.domain.scoring import base_of, interval, item_satisfied
from csat_analysis.statistics.calibration import calibrate
from csat_analysis.statistics.design import kept
from csat_analysis.statistics.estimates import estimate_mean

COMPARED = ["by", "level", "population", "population_share", "answered", "answered_share", "answer_rate", "suppressed"]
WEIGHTED = [
    "id",
    "value",
    "weighted",
    "se",
    "conf_low",
    "conf_high",
    "n_effective",
    "trimmed",
    "gap",
    "left_out",
    "reason",
]

Totals = Mapping[str, Mapping[str, int]]


def population_of(survey: Survey) -> dict[str, dict[str, int]]:
    """Return how many the population has of each level of a stratum or group, where frame or run file say it."""
    frame, design = survey.tables.get("frame", pd.DataFrame()), survey.run.design
    known = {name: dict(levels) for name, levels in (design.weighting.totals if design.weighting else {}).items()}
    if design.stratum and design.population:
        known.setdefault(design.stratum, dict(design.population))
    for name in dict.fromkeys([design.stratum or "stratum", *survey.run.groups]):
        if name in frame:
            levels = frame[name].value_counts().items()
            known.setdefault(name, {str(level): int(n) for level, n in levels if level != ""})
    return known


def compare_respondents(survey: Survey, evidence: Evidence) -> pd.DataFrame:
    """Return how those who gave a valid form compare with the population, by stratum and group.

    Returns
    -------
    DataFrame
        ``by, level, population, population_share, answered, answered_share`` (of those whose level is known)``,
        answer_rate`` (answered ÷ population)``, suppressed``: what few answered has no figures.
    """
    rows: list[pd.DataFrame] = []
    for name, totals in population_of(survey).items():
        if name in evidence.forms:
            rows.append(_compared(name, totals, evidence))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COMPARED, dtype=object)


def _compared(name: str, totals: Mapping[str, int], evidence: Evidence) -> pd.DataFrame:
    """Return the comparison by one column."""
    valid = evidence.forms[evidence.forms["valid"]]
    answered = valid.groupby(name)["count"].sum().reindex(list(totals), fill_value=0)
    small = suppressed(answered, evidence.programme.min_n).to_numpy() & (answered > 0).to_numpy()
    sizes, n = np.array(list(totals.values()), dtype=float), answered.to_numpy(dtype=float)
    found = pd.DataFrame({
        "by": name, "level": list(totals), "population": list(totals.values()),
        "population_share": sizes / sizes.sum() if sizes.sum() else math.nan, "answered": n.astype(int),
        "answered_share": n / n.sum() if n.sum() else math.nan,
        "answer_rate": np.divide(n, sizes, out=np.full_like(n, np.nan), where=sizes > 0), "suppressed": small,
    }).astype(object)  # fmt: skip
    found.loc[small, ["answered", "answered_share", "answer_rate"]] = None
    return found


def weigh(survey: Survey, evidence: Evidence, answers: pd.DataFrame) -> pd.DataFrame:
    """Return the satisfaction rate and the items' satisfied shares as they are, and weighted to the population.

    Returns
    -------
    DataFrame
        ``id, value, weighted, se, conf_low, conf_high, n_effective, trimmed`` (answers whose weight was cut)``, gap``
        (how far a share of the population is missed)``, left_out`` (answers without a level)``, reason`` (see
        ``calibration.Calibration``). Nothing where the run file asks for no weighting.
    """
    plan = survey.run.design.weighting
    if plan is None:
        return pd.DataFrame(columns=WEIGHTED, dtype=object)
    totals = {name: population_of(survey).get(name, {}) for name in plan.by}
    rows = [
        {"id": name, **_weighted(evidence, values, totals, plan.trim)} for name, values in _shares(evidence, answers)
    ]
    return pd.DataFrame(rows, columns=WEIGHTED, dtype=object)


def _shares(evidence: Evidence, answers: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Yield each share with one value for each form in its base."""
    programme = evidence.programme
    if programme.satisfied_form and programme.satisfaction_rate.denominator != "distributed":
        yield "satisfaction_rate", base_of(evidence, programme.satisfaction_rate.denominator)["satisfied"].astype(float)
    marks = item_satisfied(answers, programme)
    yield from ((f"{item}.satisfied", marks[item].dropna()) for item in programme.item_ids if item in marks)


def _weighted(evidence: Evidence, values: pd.Series, totals: Totals, trim: float | None) -> dict[str, Any]:
    """Return a share as it is and weighted."""
    forms = evidence.forms
    rows = evidence.rows_of(values)
    named = np.logical_and.reduce([(forms[name] != "").to_numpy() for name in totals])
    left_out = int(forms.loc[rows & ~named, "count"].sum())
    found = {**dict.fromkeys(WEIGHTED[1:]), "left_out": left_out}
    if not (rows & named).any():
        return {**found, "reason": "totals"}
    design, own = kept(evidence.design, rows & named), values[named[rows]].to_numpy()
    found["value"] = estimate_mean(kept(evidence.design, rows), values.to_numpy(), evidence.effect).mean
    margins = {name: forms.loc[rows & named, name].tolist() for name in totals}
    adjusted = calibrate(design, margins, totals, trim)  # type: ignore[arg-type]  # a level is a text
    if adjusted.reason:
        return {**found, "reason": adjusted.reason}
    estimate = estimate_mean(adjusted.design, own, evidence.effect)
    low, high, _ = interval(estimate, (0.0, 1.0), share=True)
    return {
        **found, "weighted": estimate.mean, "se": estimate.se, "conf_low": low, "conf_high": high,
        "n_effective": estimate.n_effective, "trimmed": adjusted.trimmed, "gap": adjusted.gap, "reason": "",
    }  # fmt: skip
