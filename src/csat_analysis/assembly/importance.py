"""What goes with satisfaction? The other items, by their importance for the overall one, and groups, by odds ratios.

An importance is an association within one survey: it says where to look first, not what an improvement would bring.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.domain.items import usable
from csat_analysis.domain.scoring import item_points
from csat_analysis.estimation.drivers import rank_drivers
from csat_analysis.estimation.ordinal import OrdinalFit, fit_ordinal, indicator_columns, variable_tests
from csat_analysis.estimation.proportionality import proportional_odds
from csat_analysis.estimation.quadrants import DriverMap, map_drivers
from csat_analysis.estimation.relative import LARGEST
from csat_analysis.ground import lending
from csat_analysis.ground.programmes import Programme
from csat_analysis.statistics.design import Design, kept
from csat_analysis.statistics.inference import holm

SEED = 1
MOST, FEWEST = 1000, 100  # samples drawn again
FORMS, SUBSETS = 20_000_000, 1 << 22  # forms, and subsets of drivers, in all samples together: a few seconds
ANSWERED = 0.75  # of those who answered the overall item, so many must have answered a driver
EACH = 10  # answers for each driver, or term, to be estimated
MANY = 12  # drivers from which on a second method stands beside the first; levels of a group that can be compared
LEFT_OUT = ["id", "level", "answered", "reason"]


@dataclass(frozen=True)
class Importance:
    """The other items, by how much of the overall one goes with them.

    Attributes
    ----------
    target
        The overall item, or nothing.
    reason
        Why there is no importance (``no_target, not_asked, no_points, no_answers, one_item, no_driver, too_few`` and
        those of ``drivers.Drivers``), or no interval (``too_few_units``); or nothing.
    table
        One row per driver, the most important first: the columns of ``drivers.Drivers`` and ``quadrants.DriverMap``,
        ``answered`` (of those who answered the target), and ``johnson``, the share of R² by a second method; NaN where
        there are few drivers.
    left_out
        ``id, level`` (empty)``, answered, reason`` (``not_asked, no_points, few_answers``) of the other items.
    n, drivers
        Forms that answered the target and all drivers, and the drivers.
    found
        Where the lines between the quadrants are, R² and its interval; None without importance.
    """

    result: Assessment
    target: str
    reason: str
    table: pd.DataFrame
    left_out: pd.DataFrame
    n: int = 0
    drivers: int = 0
    found: DriverMap | None = None

    @property
    def map(self) -> DriverMap:
        """Return what was found; only asked for where there is an importance."""
        if self.found is None:
            raise ValueError(f"importance: there is none ({self.reason}); ask for the reason first.")
        return self.found


@dataclass(frozen=True)
class Odds:
    """The groups, by how much better the answers to one item are in one than in another, all else in them alike.

    Attributes
    ----------
    order
        Levels of the item, the worst first.
    reason
        Why there are no odds ratios (``no_target, not_asked, no_groups, no_group, too_few`` and those of
        ``ordinal.OrdinalFit``), or which fault they have (``separation, too_few_units``); or nothing.
    table
        One row per level of each group, the one that the others are compared with first (odds ratio 1, no interval):
        the columns of ``ordinal.OrdinalFit``, and ``n``.
    tests
        One row per group, and one for all (``variable`` is empty) of proportional odds alone: ``variable, statistic,
        df, df_error, p_value, p_adjusted`` (Holm)``, reason`` of the differences, and the same of proportional odds
        with ``odds_`` before them.
    left_out
        ``id`` (group)``, level`` (empty: the whole group)``, answered, reason`` (``suppressed, no_answers, one_level,
        many_levels``).
    n, terms
        Forms that can be compared, and odds ratios to be estimated.
    """

    result: Assessment
    target: str
    order: tuple[str, ...]
    reason: str
    table: pd.DataFrame
    tests: pd.DataFrame
    left_out: pd.DataFrame
    n: int = 0
    terms: int = 0
    fit: OrdinalFit | None = None

    @property
    def model(self) -> OrdinalFit:
        """Return the fit; only asked for where there are odds ratios."""
        if self.fit is None:
            raise ValueError(f"odds ratios: there are none ({self.reason}); ask for the reason first.")
        return self.fit


def target_of(programme: Programme, asked: Sequence[str]) -> str:
    """Return the item that stands for satisfaction as a whole: declared, deciding a form, or the only one."""
    form = programme.satisfied_form
    if programme.overall:
        return programme.overall
    if form and form.item:
        return form.item
    return asked[0] if len(asked) == 1 else ""


# --- items ------------------------------------------------------------------------------------------------------------


def importance_of(result: Assessment) -> Importance:
    """Return how much of the overall item goes with each other item, and how each of them stands."""
    if (known := lending.found("importance", id(result))) is not None:
        return known
    programme, answers = result.survey.programme, _answers(result)
    target, points = target_of(programme, list(answers)), item_points(answers, programme)
    reason = _why_no_target(target, points, programme)
    if reason:
        return Importance(result, target, reason, pd.DataFrame(), _no_rows())
    counts = result.evidence.forms["count"].to_numpy()
    left_out, shares = _left_out(points, target, counts, programme)
    drivers = [item for item in points if item != target and item not in set(left_out["id"])]
    n = int(counts[points[[*drivers, target]].notna().all(axis=1)].sum())
    reason = _why_no_drivers(drivers, len(programme.items), n)
    if reason:
        return Importance(result, target, reason, pd.DataFrame(), left_out, n, len(drivers))
    given = points.notna().any(axis=1).to_numpy()
    values, design = points.loc[given, [*drivers, target]], kept(result.evidence.design, given)
    found = map_drivers(
        values, target, design, method="lmg" if len(drivers) <= LARGEST else "johnson", seed=SEED,
        replications=replications_for(int(design.repeats.sum()), len(drivers)),
    )  # fmt: skip
    table = _table(found, _beside(values, target, design, drivers)).assign(
        answered=lambda rows: rows["driver"].map(shares)
    )
    return Importance(result, target, found.drivers.reason, table, left_out, n, len(drivers), found)


def _answers(result: Assessment) -> pd.DataFrame:
    """Return the answers that enter figures, items in the order of the procedure."""
    answers = usable(result.survey.answers, result.evidence.forms, result.survey.programme)
    return answers[[item for item in result.survey.programme.item_ids if item in answers]]


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame(columns=LEFT_OUT, dtype=object)


def _why_no_target(target: str, points: pd.DataFrame, programme: Programme) -> str:
    """Return why the overall item says nothing, or nothing."""
    if not target:
        return "no_target"
    if target not in points:
        return "not_asked"
    if not _has_points(target, programme):
        return "no_points"
    return "" if points[target].notna().any() else "no_answers"


def _has_points(item: str, programme: Programme) -> bool:
    return any(programme.item_points(each) is not None for each in programme.items if each.id == item)


def _left_out(
    points: pd.DataFrame, target: str, counts: np.ndarray, programme: Programme
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the items that cannot be drivers, with their reason, and which share answered each of those asked."""
    base = points[target].notna().to_numpy()
    shares = {item: float(counts[base & points[item].notna()].sum() / counts[base].sum()) for item in points}
    rows = [
        {"id": item, "level": "", "answered": shares.get(item), "reason": _why_no_driver(item, shares, programme)}
        for item in programme.item_ids
        if item != target
    ]
    table = pd.DataFrame(rows, columns=LEFT_OUT, dtype=object)
    return table[table["reason"] != ""].reset_index(drop=True), shares


def _why_no_driver(item: str, shares: dict[str, float], programme: Programme) -> str:
    """Return why an item cannot be a driver, or nothing."""
    if item not in shares:
        return "not_asked"
    if not _has_points(item, programme):
        return "no_points"
    return "few_answers" if shares[item] < ANSWERED else ""


def _why_no_drivers(drivers: Sequence[str], items: int, n: int) -> str:
    """Return why the drivers say nothing, or nothing."""
    if not drivers:
        return "one_item" if items == 1 else "no_driver"
    return "too_few" if n < EACH * len(drivers) else ""


def replications_for(forms: int, drivers: int) -> int:
    """Return how many samples are drawn again: fewer of many forms, or with many drivers.

    >>> replications_for(300, 4), replications_for(100_000, 4), replications_for(300, 13)
    (1000, 200, 512)
    """
    affordable = min(FORMS // max(forms, 1), SUBSETS >> drivers if drivers <= LARGEST else MOST)
    return max(FEWEST, min(MOST, affordable))


def _beside(values: pd.DataFrame, target: str, design: Design, drivers: Sequence[str]) -> pd.Series:
    """Return the shares of R² by a second method where there are many drivers, nothing (NaN) otherwise."""
    if not MANY < len(drivers) <= LARGEST:
        return pd.Series(np.nan, index=drivers)
    return rank_drivers(values, target, design, "johnson", replications=0).table.set_index("driver")["share"]


def _table(found: DriverMap, beside: pd.Series) -> pd.DataFrame:
    """Return importance and performance of each driver in one table."""
    own = found.table.drop(columns=["driver", "importance", "importance_low", "importance_high", "reason"])
    table = found.drivers.table.join(own)
    return table.assign(johnson=table["driver"].map(beside))


# --- groups -----------------------------------------------------------------------------------------------------------


def odds_of(result: Assessment) -> Odds:
    """Return how the answers to the overall item differ between groups, each group with the others held alike."""
    programme, answers = result.survey.programme, _answers(result)
    target = target_of(programme, list(answers))
    order = _worst_first(programme, target)
    reason = "no_target" if not target else "" if target in answers else "not_asked"
    reason = reason or ("" if result.survey.run.groups else "no_groups")
    levels, left_out = _levels(result, target) if not reason else ({}, _no_rows())
    reason = reason or ("" if levels else "no_group")
    if reason:
        return Odds(result, target, order, reason, pd.DataFrame(), pd.DataFrame(), left_out)
    given = answers[target].isin(order).to_numpy()
    forms, design = result.evidence.forms[given], kept(result.evidence.design, given)
    terms, chosen = indicator_columns(forms, levels), answers.loc[given, target].tolist()
    there = terms.notna().all(axis=1).to_numpy()
    n, size = int(forms["count"].to_numpy()[there].sum()), terms.shape[1]
    if n < EACH * size:
        return Odds(result, target, order, "too_few", pd.DataFrame(), pd.DataFrame(), left_out, n, size)
    fit = fit_ordinal(chosen, order, terms, design)
    tests = _tests(fit, proportional_odds(chosen, order, terms, design))
    return Odds(result, target, order, fit.reason, _ratios(fit, levels, forms[there]), tests, left_out, n, size, fit)


def _worst_first(programme: Programme, item: str) -> tuple[str, ...]:
    """Return the levels of an item, the worst first; without points the best one is taken to be listed first."""
    points = next((programme.item_points(each) for each in programme.items if each.id == item), None)
    levels = tuple(programme.level_ids)
    return levels if points and points[levels[0]] < points[levels[-1]] else levels[::-1]


def _levels(result: Assessment, target: str) -> tuple[dict[str, list[str]], pd.DataFrame]:
    """Return the levels of each group that can be compared, in their order, and what is left out and why."""
    rows, levels = [], {}
    figures = result.groups[result.groups["id"] == target]
    for by in result.survey.run.groups:
        known = figures[figures["by"] == by].set_index("level")
        shown = known.index[~known["suppressed"].astype(bool) & (known["n"].astype(float) > 0)].tolist()
        rows += [
            {"id": by, "level": level, "reason": "suppressed" if known.loc[level, "suppressed"] else "no_answers"}
            for level in known.index.difference(shown)
        ]
        if 1 < len(shown) <= MANY:
            declared = list(result.survey.run.levels.get(by, {}))
            levels[by] = [
                *(each for each in declared if each in shown),
                *(each for each in shown if each not in declared),
            ]
        else:
            rows.append({"id": by, "level": "", "reason": "one_level" if len(shown) < 2 else "many_levels"})
    return levels, pd.DataFrame(rows, columns=LEFT_OUT, dtype=object)


def _ratios(fit: OrdinalFit, levels: dict[str, list[str]], forms: pd.DataFrame) -> pd.DataFrame:
    """Return the terms of a model with the levels they are compared with, and how many forms are behind each."""
    own = fit.table.set_index(["variable", "level"])
    first = {"estimate": 0.0, "odds_ratio": 1.0, "reason": ""}
    rows = [
        {"variable": by, "level": level, **(first if place == 0 else own.loc[(by, level)].to_dict()),
         "n": int(forms.loc[forms[by] == level, "count"].sum())}
        for by, known in levels.items() for place, level in enumerate(known)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[*fit.table, "n"])


def _tests(fit: OrdinalFit, proportional: pd.DataFrame) -> pd.DataFrame:
    """Return the tests of each group, and beside them those of proportional odds."""
    differences = variable_tests(fit)
    differences["p_adjusted"] = holm(differences["p_value"].to_numpy(dtype=float))
    alike = proportional.set_index("variable").add_prefix("odds_")
    return alike.join(differences.set_index("variable")).reset_index()
