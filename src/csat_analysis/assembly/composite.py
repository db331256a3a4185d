"""What is the headline score, and how sure? The index with the error of its terms together, and its grade."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from scipy import special

from csat_analysis.domain.evidence import Evidence, Measure
from csat_analysis.domain.scoring import WILSON
from csat_analysis.ground.programmes import Programme, meets, reach
from csat_analysis.statistics.inference import Z, finite_population_factor, poisson_interval, t_quantile

EVENTS = "poisson"  # the method of a rate of events
POISSON_HIGH = poisson_interval(0, 1)[1]  # upper bound of none: so many events
UNKNOWN: dict[str, Any] = {"value": None, "conf_low": None, "conf_high": None, "se": None, "df": None}


def index_of(programme: Programme, found: Mapping[str, Measure], evidence: Evidence) -> dict[str, Any] | None:
    """Return the programme's headline score with its interval; None where it has none.

    Returns
    -------
    dict
        ``value, conf_low, conf_high, se, df, method``; what cannot be told is None.

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
        return {"value": value, **_of_one(*terms[0])}
    se, method = _standard_error(terms, evidence)
    answers = [measure.n for _, measure in terms if measure.n]
    df = (max(answers) - 1 if answers else 0) or None
    half = (t_quantile(df) if df else Z) * se
    low, high = _reach(programme, found)
    bounds = {"conf_low": max(value - half, low), "conf_high": min(value + half, high)}
    return {"value": value, **bounds, "se": se, "df": df, "method": method}


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
    bounds = [None if bound is None else coefficient * bound for bound in (measure.conf_low, measure.conf_high)]
    low, high = bounds if coefficient > 0 else bounds[::-1]
    if measure.method == "count":
        return {"conf_low": None, "conf_high": None, "se": 0.0, "df": None, "method": "count"}
    flat = math.sqrt(_flat(coefficient, measure))
    se = flat or (None if measure.se is None else abs(coefficient) * measure.se)
    df = (measure.n or 1) - 1 or None
    return {"conf_low": low, "conf_high": high, "se": se, "df": df, "method": measure.method}


def _standard_error(terms: Sequence[tuple[float, Measure]], evidence: Evidence) -> tuple[float, str]:
    """Return the standard error of the sum of some terms, and how it was found."""
    events = [(coefficient, measure) for coefficient, measure in terms if measure.method == EVENTS]
    population = None if events else evidence.population
    of_terms = [
        (c * measure.influence, _spread(measure, population)) for c, measure in terms if measure.influence is not None
    ]
    nothing = pd.Series(0.0, index=evidence.forms.index)
    error: pd.Series = sum((influence * spread for influence, spread in of_terms), start=nothing)
    of_forms = float((evidence.forms["count"] * error**2).sum()) + sum(_flat(c, measure) for c, measure in terms)
    apart = sum(abs(c) * measure.se for c, measure in terms if measure.influence is None and measure.se)
    if not events:
        return math.sqrt(of_forms) + apart, "bound" if apart else "delta" if of_forms else "count"
    per_event = sum(coefficient * _per_event(measure) for coefficient, measure in events)
    complainers, linked = evidence.complainers, _complaints_of_forms(evidence)
    squares = float((complainers**2).sum()) if complainers is not None else float(evidence.complaints or 0)
    of_events = per_event**2 * max(squares, 1.0)
    if linked is None or apart:
        return math.sqrt(of_forms) + math.sqrt(of_events) + apart, "bound"
    added: pd.Series = sum((influence for influence, _ in of_terms), start=nothing)
    together = per_event * float((evidence.forms["count"] * added * linked).sum())
    return math.sqrt(max(of_forms + of_events + 2 * together, 0.0)), "delta"


def _spread(measure: Measure, population: int | None) -> float:
    """Return by how much what forms add to a measure is stretched, so that the squares add to its variance."""
    n = measure.n or 0
    return math.sqrt(n / (n - 1) * finite_population_factor(n, population)) if n > 1 else 0.0


def _flat(coefficient: float, measure: Measure) -> float:
    """Return the variance of a share of 0 or 100 %, whose forms show none: by the width of its interval."""
    if measure.method != WILSON or measure.se or measure.conf_low is None or measure.conf_high is None:
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
