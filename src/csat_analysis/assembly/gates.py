"""Is each rule met, and how certain is that? Literal verdicts, their certainty, and what non-response could hide."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from csat_analysis.assembly.load import Survey
from csat_analysis.domain import scoring
from csat_analysis.domain.evidence import Evidence, Measure
from csat_analysis.ground import runs
from csat_analysis.ground.catalogue import MEASURES, SURE, round_shown
from csat_analysis.ground.programmes import Gate, Programme, meets
from csat_analysis.statistics import certainty, inference

ITEM_FIGURES = {"mean": "mean", "satisfied": "share_satisfied"}  # what a gate calls them, and the column of the items
NEAR = 0.10  # a tipping point this close to the observed share makes a verdict borderline
COLUMNS = [
    "measure", "comparison", "threshold", "value", "conf_low", "conf_high", "interval", "passed", "verdict",
    "certainty", "tipping_point", "worst", "best", "severity", "source", "clause", "otherwise", "voids",
    "rounding_flips",
]  # fmt: skip
LITERAL = {None: None, True: "met", False: "not_met"}


def judge_gates(
    survey: Survey,
    evidence: Evidence,
    found: Mapping[str, Measure],
    index: Mapping[str, Any] | None,
    answers: pd.DataFrame,
) -> pd.DataFrame:
    """Return one row per gate; a gate without data is a row with an empty verdict.

    Parameters
    ----------
    answers
        Those that enter figures: see ``items.usable``.
    """
    in_progress = survey.run.as_of < runs.period_bounds(survey.run.period)[1]
    rows = []
    for gate in survey.programme.gates:
        figure = figure_of(gate.measure, found, index, answers, evidence)
        rows.append(judge(gate, figure, evidence, in_progress, unit_of(gate.measure, survey.programme)))
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)


def judge(gate: Gate, figure: Measure, evidence: Evidence, in_progress: bool, unit: str) -> dict[str, Any]:
    """Return the verdict of one gate on an unrounded value, its certainty, and what non-response could hide."""
    value = figure.value
    passed = None if value is None else meets(value, gate.comparison, gate.threshold)
    shown = None if value is None else float(round_shown(value, unit)) / (100 if unit == "share" else 1)
    flips = shown is not None and meets(shown, gate.comparison, gate.threshold) != passed
    sure, hidden = certainty_of(figure, gate, evidence), hidden_of(figure, gate, evidence)
    verdict = verdict_of(passed, sure, value, hidden["tipping_point"])
    if gate.cumulated and in_progress and passed is False:
        passed, verdict = None, "in_progress"
    return {
        "measure": gate.measure, "comparison": gate.comparison, "threshold": gate.threshold, "value": value,
        **bounds_of(gate.measure, figure, evidence),
        "passed": passed, "verdict": verdict, "certainty": sure, **hidden, "severity": gate.severity,
        "source": gate.source, "clause": gate.clause, "otherwise": gate.otherwise, "voids": gate.voids,
        "rounding_flips": flips,
    }  # fmt: skip


def verdict_of(passed: bool | None, sure: float | None, share: float | None, tipping: float | None) -> str | None:
    """Return ``met``, ``not_met`` or ``borderline``; the literal verdict where there is no certainty to speak of.

    >>> verdict_of(True, 0.97, 0.9, None), verdict_of(True, 0.97, 0.9, 0.82), verdict_of(False, 0.2, 0.84, None)
    ('met', 'borderline', 'borderline')
    """
    if passed is None or sure is None:
        return LITERAL[passed]
    stands = sure >= SURE if passed else sure <= 1 - SURE
    return LITERAL[passed] if stands and not is_near(tipping, share) else "borderline"


def is_near(tipping: float | None, share: float | None) -> bool:
    """Return whether a tipping point is one that people could hold, and close to the observed share.

    >>> is_near(0.82, 0.9), is_near(0.79, 0.9), is_near(1.02, 0.95)
    (True, False, False)
    """
    return tipping is not None and share is not None and 0 <= tipping <= 1 and abs(tipping - share) <= NEAR + 1e-12


def certainty_of(figure: Measure, gate: Gate, evidence: Evidence) -> float | None:
    """Return the probability that the whole population meets a gate; None for counts and where no error is known.

    Notes
    -----
    On the condition that those who did not answer feel like those who did. See ``certainty.share_certainty``,
    ``certainty.mean_certainty``.
    """
    if figure.value is None or figure.n is None or figure.method.startswith("withheld"):
        return None
    if gate.measure == "index" or figure.method not in (scoring.WILSON, scoring.CENSUS):
        if figure.se is None or figure.df is None:
            return None
        return certainty.mean_certainty(figure.value, figure.se, figure.df, gate.comparison, gate.threshold)
    if figure.method == scoring.CENSUS:
        return float(meets(figure.value, gate.comparison, gate.threshold))
    n, population = figure.n_effective, None
    if evidence.design.is_plain:
        n, population = figure.n, evidence.population
    return certainty.share_certainty(figure.value, n or 0, gate.comparison, gate.threshold, population)


def bounds_of(name: str, figure: Measure, evidence: Evidence) -> dict[str, Any]:
    """Return the interval that a rule on a figure is read with, and its method.

    Notes
    -----
    Of a share of unweighted forms without clusters the exact one, which covers the truth in at least 95 of 100 samples
    whatever it is; with weights or clusters Korn and Graubard's; otherwise the figure's own.
    """
    if name == "index" or figure.method != scoring.WILSON or figure.value is None:
        return {"conf_low": figure.conf_low, "conf_high": figure.conf_high, "interval": figure.method}
    n = figure.n or 0
    if not evidence.design.is_plain:
        low, high = inference.korn_graubard_interval(figure.value, n, figure.n_effective or 0.0, figure.df or 0.0)
        return {"conf_low": low, "conf_high": high, "interval": "korn_graubard"}
    low, high = certainty.exact_interval(round(figure.value * n), n, evidence.population)
    return {"conf_low": low, "conf_high": high, "interval": "exact"}


def hidden_of(figure: Measure, gate: Gate, evidence: Evidence) -> dict[str, float | None]:
    """Return the tipping point, and the worst and the best share that the silent could make; None where they cannot."""
    bounds = bounds_of_silent(gate.measure, figure, evidence)
    if bounds is None:
        return {"tipping_point": None, "worst": None, "best": None}
    returned = evidence.returned / (evidence.distributed or 1)
    tipping = certainty.tipping_point(figure.value, returned, gate.threshold)  # type: ignore[arg-type]
    return {"tipping_point": tipping, "worst": bounds[0], "best": bounds[1]}


def bounds_of_silent(name: str, figure: Measure, evidence: Evidence) -> tuple[float, float] | None:
    """Return the share if none, and if all, of those who did not return a form were satisfied.

    Notes
    -----
    Of shares of forms only; None where all came back, or nobody knows how many were sent. A rate of which every form
    sent is the base has its non-response in it already.
    """
    of_forms = name.startswith("satisfaction_rate") or name.endswith(".satisfied")
    known = figure.method in (scoring.WILSON, scoring.CENSUS) and figure.value is not None and evidence.distributed
    if not of_forms or not known:
        return None
    returned = evidence.returned / (evidence.distributed or 1)
    of_sent = name == "satisfaction_rate" and evidence.programme.satisfaction_rate.denominator == "distributed"
    return None if of_sent or returned >= 1 else certainty.nonresponse_bounds(figure.value or 0.0, returned)


# --- what a gate looks at ---------------------------------------------------------------------------------------------


def figure_of(
    name: str,
    found: Mapping[str, Measure],
    index: Mapping[str, Any] | None,
    answers: pd.DataFrame,
    evidence: Evidence,
) -> Measure:
    """Return what a gate looks at: a measure, the index, or an item's mean or satisfied share."""
    if name == "index":
        return _index_figure(index)
    return found[name] if name in found else scoring.item_measure(name, answers, evidence)


def _index_figure(index: Mapping[str, Any] | None) -> Measure:
    if index is None:
        return Measure(None, None, None)
    df = index["df"]
    bounds, n = (index["conf_low"], index["conf_high"]), None if df is None else df + 1
    return Measure(index["value"], None, None, *bounds, index["method"], index["se"], n, df=df)


def item_value(name: str, items: pd.DataFrame) -> float | None:
    """Return what ``<item>.mean`` or ``<item>.satisfied`` names."""
    item, figure = name.split(".")
    return dict(zip(items["id"], items[ITEM_FIGURES[figure]], strict=True))[item]


def unit_of(name: str, programme: Programme) -> str:
    """Return the unit of what a gate looks at: share, points or per_1000."""
    if name == "index":
        return programme.index.unit if programme.index else "points"
    return MEASURES[name].unit if name in MEASURES else "share" if name.endswith(".satisfied") else "points"
