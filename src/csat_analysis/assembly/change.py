"""Did it improve since the baseline? Chooses the analysis from how the surveys were made, and gives a verdict.

A verdict speaks of a change, never of its cause. Figures by which a project was chosen, because they were bad, recover
in part by themselves: there the plain tests are refused.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from csat_analysis.assembly import analyses, plans
from csat_analysis.assembly.assessment import Assessment
from csat_analysis.assembly.gates import unit_of
from csat_analysis.assembly.load import Survey
from csat_analysis.assembly.multiverse import PATHS, walk_paths
from csat_analysis.assembly.portfolio import (
    Member,
    Peers,
    Portfolio,
    as_difference,
    compare_portfolio,
    gain_of,
    members_of,
)
from csat_analysis.assembly.situation import (
    USED,
    Situation,
    Wave,
    customers_of,
    fired_by,
    of_answers,
    situation_of,
    split_of,
    undecided,
    wave_of,
)
from csat_analysis.assembly.subgroups import GROUPS, change_by_group, change_in_units
from csat_analysis.estimation import repeated
from csat_analysis.ground import lending
from csat_analysis.ground.mappings import rows_of
from csat_analysis.statistics import differences, inference
from csat_analysis.statistics.differences import Difference

CHANGE = [
    "id", "against", "before", "after", "estimate", "conf_low", "conf_high", "statistic", "df", "p_value", "p_adjusted",
    "p_waves", "p_looks", "p_least", "n_before", "n_after", "method", "verdict", "reason", "family", "unit", "margin",
    "not_worse", "smallest", "expected", "other_low", "other_high", "superiority", "delta", "delta_low", "delta_high",
    "standardised", "naive_p", "naive_verdict",
]  # fmt: skip
VOID, REFUSED = "void", "selected"
ANONYMOUS = ("newcombe", "welch", "pooled", "contrast")  # of surveys of which nobody knows who answered twice


@dataclass(frozen=True)
class Change:
    """What became of a project since its baseline.

    Attributes
    ----------
    reason
        Why nothing is compared: ``no_baseline``, ``unreadable``; or nothing.
    table
        One row per measure, and two per item: the columns of ``CHANGE``. ``other_low, other_high``: the interval by the
        view that does not judge. ``naive_p, naive_verdict``: what a test says that knows nothing of the design, the
        selection and the other tests.
    before, after, whole
        What is compared; ``whole``: the baseline with all its forms, where ``before`` is without those that the action
        was decided on.
    groups, paths
        Tables of ``subgroups.change_by_group`` and ``multiverse.walk_paths``, for the primary figures.
    actions, plan
        See ``plans.actions_between`` and ``plans.plan_digest``.
    looks
        How many valid forms there were at each look at a survey that is still running, this one last; or none.
    projects, portfolio
        How many projects a project that was chosen is compared with, itself included (0: it was not chosen), and what
        action brought over all of them.
    """

    result: Assessment
    reason: str
    table: pd.DataFrame
    before: Wave | None = None
    after: Wave | None = None
    whole: Wave | None = None
    found: Situation | None = None
    groups: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=GROUPS, dtype=object))
    paths: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PATHS, dtype=object))
    actions: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=plans.ACTIONS, dtype=object))
    plan: str = ""
    looks: tuple[int, ...] = ()
    projects: int = 0
    portfolio: Portfolio | None = None

    @property
    def situation(self) -> Situation:
        """Return how the two surveys were made; only asked for where there is a comparison."""
        if self.found is None:
            raise ValueError(f"change: nothing is compared ({self.reason}); ask for the reason first.")
        return self.found

    def row(self, figure: str) -> dict[str, Any]:
        """Return the row of one figure as a mapping."""
        found = self.table[self.table["id"] == figure].to_dict("records")[0]
        return {str(key): value for key, value in found.items()}


def judge_change(result: Assessment, peers: Peers = ()) -> Change:
    """Return how the figures of a survey differ from those of its baseline, each with test and verdict.

    Parameters
    ----------
    peers
        The surveys of other projects, baseline and period; only read where the project was chosen by its figures.
    """
    if (known := lending.found("change", id(result))) is not None:
        return known
    survey = result.survey
    if survey.baseline is None:
        reason = "unreadable" if survey.run.baseline else "no_baseline"
        return Change(result, reason, pd.DataFrame(columns=CHANGE, dtype=object))
    names = [str(name) for name in result.measures["id"]]
    whole, after = wave_of(survey.baseline, names), Wave(survey, result.judged, result.status)
    figures = [*names, *(["index"] if survey.programme.index else []), *_of_items(survey)]
    split = split_of(whole, after)
    before = undecided(whole, after) if split == USED else whole
    situation = situation_of(before, after, figures, fired_by(whole), split)
    actions = plans.actions_between(survey.baseline, survey)
    planned = [row["figure"] for row in rows_of(actions) if row["planned"] and not plans.is_local(row)]
    primary = list(dict.fromkeys([*survey.programme.change_rules.primary, *planned]))
    waves = [wave_of(each, names) for each in survey.waves]
    members = members_of(before, after, peers) if situation.selected else []
    rows = [
        _row(name, before if of_answers(name) else whole, after, situation, members, name in primary)
        for name in figures
    ]
    for row in rows:
        row["p_waves"] = _over_waves(row, before, waves, after, situation.view) if waves else None
    local = {
        at: _aimed(row, before, after, situation)
        for at, row in enumerate(rows_of(actions)) if row["by"] and row["figure"]
    }  # fmt: skip
    looks = _looks(after)
    every = [*rows, *local.values()]
    _over_looks(every, _information(looks, before, after, situation) if looks else None)
    every = _adjusted(every)
    judged = dict(zip(local, every[len(rows) :], strict=True))
    actions["judged"] = pd.Series([judged.get(at) for at in range(len(actions))], actions.index, dtype=object)
    table = pd.DataFrame(every[: len(rows)], columns=CHANGE, dtype=object)
    shown = [] if is_void(before, after) else [name for name in primary if name in figures]
    return Change(
        result, "", table.where(table.notna(), None), before, after, whole, situation,
        groups=change_by_group(shown, before, after, situation),
        paths=together([walk_paths(name, before, after, situation) for name in shown], PATHS),
        actions=actions, plan=plans.plan_digest(actions), looks=looks, projects=len(members),
        portfolio=_portfolio(situation.fired, members) if len(members) > 1 else None,
    )  # fmt: skip


def is_void(before: Wave, after: Wave) -> bool:
    """Return whether one of two surveys must not be used."""
    return "void" in (before.status, after.status)


def together(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Return several tables as one, with its columns where there is none."""
    kept = [table for table in tables if len(table)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=columns, dtype=object)


def _of_items(survey: Survey) -> list[str]:
    return [f"{item}.{figure}" for item in survey.programme.item_ids for figure in ("mean", "satisfied")]


# --- one figure -------------------------------------------------------------------------------------------------------


def _least(figure: str, found: Difference, before: Wave, after: Wave, situation: Situation) -> float:
    """Return the smallest p-value there could be where nobody knows who answered twice; NaN where that is known."""
    pair, known = analyses.pair_of(figure, before, after), [customers_of(wave) is not None for wave in (before, after)]
    if pair is None or all(known) or found.method not in ANONYMOUS or not all(pair.sizes):
        return math.nan
    return analyses.least_p_value(pair, found, situation.view)


def _over_waves(row: dict[str, Any], before: Wave, waves: list[Wave], after: Wave, view: str) -> float:
    """Return the p-value of a change as one of several surveys against one baseline; NaN without a test.

    Notes
    -----
    The baseline is in all of them, so that their changes are correlated by the numbers of answers.
    """
    found = row.get("difference")
    pairs = [analyses.pair_of(row["id"], before, wave) for wave in (*waves, after)]
    known = [pair.estimates(view) for pair in pairs if pair is not None and all(pair.sizes)]
    if found is None or math.isnan(found.p_value) or pairs[-1] is None or len(known) < 2:
        return found.p_value if found is not None else math.nan
    variances = np.array([[1 / max(each.n_effective, 1.0) for each in pair] for pair in known])
    covariance = repeated.baseline_covariance(float(variances[-1, 0]), variances[:, 1])
    scale = np.sqrt(np.diag(covariance))
    statistics = np.zeros(len(known))
    statistics[-1] = differences.statistic_of(found.p_value)
    return float(repeated.compare_waves(statistics, covariance / np.outer(scale, scale)).p_adjusted[-1])


def _looks(after: Wave) -> tuple[int, ...]:
    """Return the valid forms at each look up to this one; a look that says it saw as many or more is none."""
    plan, now = after.survey.run.looks, after.evidence.valid
    return (*(taken for taken in plan.taken if taken < now), now) if plan and now else ()


def _information(looks: tuple[int, ...], before: Wave, after: Wave, situation: Situation) -> np.ndarray:
    """Return how much of the information of the planned survey each look has.

    Notes
    -----
    By numbers of forms. Beside a baseline that stays as it is the variance of a change falls with 1 ÷ before + 1 ÷
    after; where the same people are asked, with 1 ÷ after.
    """
    planned = max(after.survey.run.looks.planned if after.survey.run.looks else 0, looks[-1])
    of_baseline = 0.0 if situation.people == "all" else 1 / max(before.evidence.valid, 1)
    return repeated.information_fractions(of_baseline + 1 / np.array([*looks, planned], dtype=float))[:-1]


def _over_looks(rows: list[dict[str, Any]], information: np.ndarray | None) -> None:
    """Give each row what its p-value means over the looks at its survey; None where it was looked at once."""
    p_values = np.array([_tested_with(row) for row in rows], dtype=float)
    found = p_values if information is None else repeated.over_looks(p_values, information)
    for row, p_value in zip(rows, found, strict=True):
        row["p_looks"] = None if information is None else float(p_value)


def _portfolio(figures: Iterable[str], members: list[Member]) -> Portfolio | None:
    """Return what action brought over all projects, by the first figure that a rule chose by."""
    return next((found for name in figures if (found := compare_portfolio(name, members)) is not None), None)


def _row(
    figure: str, before: Wave, after: Wave, situation: Situation, members: list[Member], is_primary: bool
) -> dict[str, Any]:
    """Return one figure's change; its verdict waits for the family of tests."""
    found = analyses.compare(figure, before, after, situation, situation.view)
    row = _described(figure, before, after, found) | {"family": "primary" if is_primary else "exploratory"}
    apart = situation.why_apart(figure)
    if row["before"] is None or row["after"] is None:
        return row | {"reason": found.reason or differences.NO_ANSWERS}
    row["estimate"] = found.estimate
    if apart:
        return row | {"reason": apart, "verdict": "not_comparable", "method": "none"}
    if is_void(before, after):
        return row | {"reason": VOID, "method": "none"}
    if situation.guards(figure):
        return row | _guarded(figure, members)
    other = "process" if situation.view == "residents" else "residents"
    row |= {"p_least": _least(figure, found, before, after, situation)}
    beside = analyses.compare(figure, before, after, situation, other)
    return (
        row
        | _tested(found, beside)
        | {"smallest": analyses.smallest_seen(figure, found, before, after)}
        | _effects(figure, before, after, situation)
    )


def _aimed(action: Mapping[Any, Any], before: Wave, after: Wave, situation: Situation) -> dict[str, Any]:
    """Return the change of an action's figure in its units: one of the primary tests where it was declared before.

    Notes
    -----
    Where there are several surveys against one baseline, the p-value counts as many times (Bonferroni).
    """
    figure, rules = action["figure"], after.survey.programme.change_rules
    found = change_in_units(figure, action["by"], action["levels"], before, after, situation)
    if is_void(before, after):
        found = {"id": figure, "reason": VOID}
    waves = len(after.survey.waves) + 1
    over = {"p_waves": min(1.0, waves * found.get("p_value", math.nan))} if waves > 1 and "difference" in found else {}
    family = "primary" if action["planned"] else "exploratory"
    return {**found, **over, "family": family, "margin": rules.margins.get(figure)}


def _guarded(figure: str, members: list[Member]) -> dict[str, Any]:
    """Return the cells of a figure that the project was chosen by: beyond what comes by itself, or refused."""
    gain = gain_of(figure, members)
    if gain.reason:
        return {"reason": REFUSED if len(members) < 2 else gain.reason, "method": "refused"}
    found = as_difference(gain)
    smallest = differences.smallest_detectable(found.se, found.df)
    return {**_tested(found), "estimate": gain.estimate, "method": found.method, "reason": "", "smallest": smallest,
            "expected": gain.expected}  # fmt: skip


def _described(figure: str, before: Wave, after: Wave, found: Difference) -> dict[str, Any]:
    """Return what is known of a figure before it is tested, and what a naive test would say."""
    rules = after.survey.programme.change_rules
    naive = analyses.compare_naively(figure, before, after)
    return {
        "id": figure, "against": before.survey.run.period, "before": analyses.figure_value(figure, before),
        "after": analyses.figure_value(figure, after), "n_before": found.n_before, "n_after": found.n_after,
        "method": found.method, "reason": found.reason, "unit": unit_of(figure, after.survey.programme),
        "margin": rules.margins.get(figure),
        "naive_p": naive.p_value,
        "naive_verdict": differences.verdict_of(naive, better=analyses.better(figure)) if naive.n_after else None,
    }  # fmt: skip


def _tested(found: Difference, other: Difference | None = None) -> dict[str, Any]:
    """Return the cells of a test, and the interval by the other view."""
    parts = ("conf_low", "conf_high", "statistic", "df", "p_value")
    cells = {part: getattr(found, part) for part in parts} | {"difference": found}
    return cells | ({"other_low": other.conf_low, "other_high": other.conf_high} if other else {})


def _effects(figure: str, before: Wave, after: Wave, situation: Situation) -> dict[str, Any]:
    """Return the sizes of a change of points that do not rest on the points."""
    pair = analyses.pair_of(figure, before, after)
    if pair is None or analyses.is_share(figure) or not all(pair.sizes):
        return {}
    found = analyses.effect_of(pair, situation.view)
    delta, low, high = found.delta
    effects = {"superiority": found.estimate, "delta": delta, "delta_low": low, "delta_high": high}
    return effects | ({"standardised": analyses.standardised(pair)} if situation.people == "all" else {})


# --- the family of tests ----------------------------------------------------------------------------------------------


def _adjusted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with adjusted p-values and verdicts.

    Notes
    -----
    The primary figures, declared before, are one family (Holm); the others explore (Benjamini and Hochberg). Of several
    surveys against one baseline, and of several looks at one, the p-values are adjusted for these first.
    """
    adjust: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
        "primary": inference.holm, "exploratory": inference.benjamini_hochberg,
    }  # fmt: skip
    for family, function in adjust.items():
        own = [row for row in rows if row["family"] == family]
        p_values = function(np.array([_tested_with(row) for row in own], dtype=float))
        for row, p_value in zip(own, p_values, strict=True):
            row["p_adjusted"] = float(p_value)
    return [_with_verdict(row) for row in rows]


def _tested_with(row: dict[str, Any]) -> float:
    """Return the p-value that goes into the family: that over several looks or surveys where there are some."""
    over = (row.get(name) for name in ("p_looks", "p_waves"))
    return next((p_value for p_value in over if p_value is not None), row.get("p_value", math.nan))


def _with_verdict(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its verdict, and whether it is shown to be no worse than the margin allows."""
    found = row.pop("difference", None)
    if found is None:
        return {"verdict": "insufficient", **row}
    sign, margin = analyses.better(row["id"]), row["margin"]
    worst = found.equal_low if sign > 0 else -found.equal_high
    not_worse = None if margin is None or math.isnan(worst) else worst > -margin
    verdict = differences.verdict_of(found, margin, row["p_adjusted"], sign)
    return {**row, "verdict": verdict, "not_worse": not_worse}
