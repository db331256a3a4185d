"""What is the headline score, and how sure? The index with the error of its terms together, and its grade."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from csat_analysis.domain.evidence import Evidence, Measure
from csat_analysis.domain.scoring import OF_MEAN, WILSON
from csat_analysis.ground.programmes import Programme, meets, reach
from csat_analysis.statistics.design import kept, without_population
from csat_analysis.statistics.estimates import error_of_sum
from csat_analysis.statistics.inference import Z, poisson_interval, t_quantile

EVENTS = "poisson"  # the method of a rate of events
POISSON_HIGH = poisson_interval(0, 1)[1]  # upper bound of none: so many events
UNKNOWN: dict[str, Any] = dict.fromkeys(("value", "conf_low", "conf_high", "process_low", "process_high", "se", "df"))


def index_of(programme: Programme, found: Mapping[str, Measure], evidence: Evidence) -> dict[str, Any] | None:
    """Return the programme's headline score with its interval; None where it has none.

    Returns
    -------
    dict
        ``value, conf_low, conf_high, process_low, process_high, se, df, method``; what cannot be told is None.

    Notes
    -----
    Σ coefficient × measure. Its standard error is that of the sum of what each form adds to all terms (delta method),
    so that the covariance of the items and of the terms is in it. Complaints add Σ x² ÷ deliveries² (x complaints of a
    customer; at least one complaint, that no complaint does not pass for certainty), and twice the sum of what a form
    adds times its customer's complaints: complainers are the dissatisfied, and without that term the error is too
    small. Where complaints and forms are not linked by customer, the two errors are added: the largest they can be
    together. With complaints the index is about the period's work as a process, without finite-population correction.

    References
    ----------
    Wolter (2007), Introduction to Variance Estimation, 6. Complaints as a compound Poisson process.
    """
    if programme.index is None:
        return None
    terms = [(coefficient, found[name]) for name, coefficient in programme.index.terms.items()]
    if any(measure.value is None for _, measure in terms):
        return {**UNKNOWN, "method": "sum"}
    value = sum(coefficient * (measure.value or 0.0) for coefficient, measure in terms)
    unsure = next((measure.method for _, measure in terms if _is_withheld(measure)), None)
    if unsure:
        return {**UNKNOWN, "value": value, "method": unsure}
    if len(terms) == 1:
        return {**_of_one(*terms[0]), "value": value}
    se, method, df = _standard_error(terms, evidence)
    ends, quantile = _reach(programme, found), t_quantile(df) if df else Z
    bounds = {"conf": se, "process": _standard_error(terms, evidence, is_process=True)[0]}
    return {"value": value, **_around(value, quantile, bounds, ends), "se": se, "df": df, "method": method}


def _around(value: float, quantile: float, errors: Mapping[str, float], ends: tuple[float, float]) -> dict[str, float]:
    """Return the bounds of a value in each view, within what it can reach."""
    found = {}
    for view, se in errors.items():
        found[f"{view}_low"] = max(value - quantile * se, ends[0])
        found[f"{view}_high"] = min(value + quantile * se, ends[1])
    return found


def _reach(programme: Programme, found: Mapping[str, Measure]) -> tuple[float, float]:
    """Return the lowest and the highest value of the index; there may be more events than occasions for them."""
    terms = programme.index.terms.items() if programme.index else ()
    ends = [
        sorted(c * end for end in ((0.0, math.inf) if found[name].method == EVENTS else reach(programme, name)))
        for name, c in terms if c
    ]  # fmt: skip
    return sum(low for low, _ in ends), sum(high for _, high in ends)


def _is_withheld(measure: Measure) -> bool:
    """Return whether a measure has an error that nobody can tell."""
    return measure.conf_low is None and measure.method != "count"


def _of_one(coefficient: float, measure: Measure) -> dict[str, Any]:
    """Return the company of an index that is one measure: that of the measure."""
    if measure.method == "count":
        return {**UNKNOWN, "se": 0.0, "method": "count"}
    views = {"conf": (measure.conf_low, measure.conf_high), "process": (measure.process_low, measure.process_high)}
    bounds = {}
    for view, ends in views.items():
        scaled = [None if end is None else coefficient * end for end in ends]
        bounds[f"{view}_low"], bounds[f"{view}_high"] = scaled if coefficient > 0 else scaled[::-1]
    flat = math.sqrt(_flat(coefficient, measure))
    se = flat or (None if measure.se is None else abs(coefficient) * measure.se)
    return {**bounds, "se": se, "df": measure.df or None, "method": measure.method}


def _standard_error(
    terms: Sequence[tuple[float, Measure]], evidence: Evidence, is_process: bool = False
) -> tuple[float, str, float | None]:
    """Return the standard error of the sum of some terms, how it was found, and its degrees of freedom."""
    events = [(coefficient, measure) for coefficient, measure in terms if measure.method == EVENTS]
    added, of_design, df = _of_forms(terms, evidence, is_process=is_process or bool(events))
    of_forms = of_design + sum(_flat(c, measure) for c, measure in terms)
    apart = sum(abs(c) * measure.se for c, measure in terms if measure.influence is None and measure.se)
    if not events:
        return math.sqrt(of_forms) + apart, "bound" if apart else "delta" if of_forms else "count", df
    per_event = sum(coefficient * _per_event(measure) for coefficient, measure in events)
    complainers, linked = evidence.complainers, _complaints_of_forms(evidence)
    squares = float((complainers**2).sum()) if complainers is not None else float(evidence.complaints or 0)
    of_events = per_event**2 * max(squares, 1.0)
    if linked is None or apart:
        return math.sqrt(of_forms) + math.sqrt(of_events) + apart, "bound", df
    together = per_event * float((evidence.forms["count"] * added * linked).sum())
    return math.sqrt(max(of_forms + of_events + 2 * together, 0.0)), "delta", df


def _of_forms(
    terms: Sequence[tuple[float, Measure]], evidence: Evidence, is_process: bool
) -> tuple[pd.Series, float, float | None]:
    """Return what one answer of each form adds to all terms, the variance of their sum by the design, and its df."""
    nothing = pd.Series(0.0, index=evidence.forms.index)
    parts = [coefficient * measure.influence for coefficient, measure in terms if measure.influence is not None]
    rows = np.logical_or.reduce([part.notna() for part in parts]) if parts else np.zeros(len(nothing), dtype=bool)
    added: pd.Series = sum((part.fillna(0.0) for part in parts), start=nothing)
    if not rows.any():
        return added, 0.0, None
    erring: pd.Series = added if is_process else sum((_corrected(part, evidence) for part in parts), start=nothing)
    se, df = error_of_sum(without_population(kept(evidence.design, rows)), erring[rows].to_numpy())
    return added, 0.0 if math.isnan(se) else se**2, df or None


def _corrected(part: pd.Series, evidence: Evidence) -> pd.Series:
    """Return what forms add to a term, less what the share of the population that answered it takes from its error."""
    rows = part.notna()
    design = kept(evidence.design, rows.to_numpy())
    left_out = design.left_out[design.strata[design.units]]
    return (part[rows] * np.sqrt(left_out)).reindex(part.index, fill_value=0.0)


def _flat(coefficient: float, measure: Measure) -> float:
    """Return the variance of a share of 0 or 100 %, or of the full points, whose forms show none: by its interval."""
    if measure.method not in (WILSON, OF_MEAN) or measure.se or measure.conf_low is None or measure.conf_high is None:
        return 0.0
    return (coefficient * (measure.conf_high - measure.conf_low) / (2 * Z)) ** 2


def _per_event(measure: Measure) -> float:
    """Return what one more event adds to a rate of events."""
    if measure.numerator:
        return (measure.value or 0.0) / measure.numerator
    return (measure.conf_high or 0.0) / POISSON_HIGH


def _complaints_of_forms(evidence: Evidence) -> pd.Series | None:
    """Return the number of complaints of each form's customer; None where the two are not linked."""
    customers = evidence.forms.get("customer_id")
    if customers is None or evidence.complainers is None or (customers == "").any():
        return None
    return customers.map(evidence.complainers).fillna(0.0)


# --- grade ------------------------------------------------------------------------------------------------------------


def grade_of(programme: Programme, index: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the first band whose lower bound the index reaches; None without grades, an index, or such a band.

    Returns
    -------
    dict
        ``id``; ``certainty``: the probability that the index of everybody lies in that band; ``probabilities`` of every
        band. None where the index has no standard error.
    """
    if index is None or index["value"] is None:
        return None
    reached = next((g.id for g in programme.grades if meets(index["value"], "at_least", g.lower)), None)
    if reached is None:
        return None
    chances = grade_probabilities(programme, index)
    return {"id": reached, "certainty": chances[reached] if chances else None, "probabilities": chances}


def grade_probabilities(programme: Programme, index: Mapping[str, Any]) -> dict[str, float] | None:
    """Return the probability of each band, by the t distribution around the index; None without a standard error."""
    if not index["se"] or not index["df"] or math.isnan(index["se"]):
        return None
    above, chances = 0.0, {}
    for grade in programme.grades:
        reached = float(special.stdtr(index["df"], (index["value"] - grade.lower) / index["se"]))
        chances[grade.id], above = reached - above, reached
    return chances
