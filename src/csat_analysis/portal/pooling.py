"""What do projects say together? Their rates pooled from their records, how sure that is, and a rule's verdict."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from csat_analysis.assembly.gates import verdict_of
from csat_analysis.domain.scoring import CENSUS, WILSON
from csat_analysis.ground.programmes import meets
from csat_analysis.statistics import certainty
from csat_analysis.statistics.design import design_of
from csat_analysis.statistics.estimates import estimate_mean
from csat_analysis.statistics.inference import wilson_interval

RATE = "satisfaction_rate"
SUMS = (
    "distribution_rate", "return_rate", "survey_rate", "weighted_score", "complaint_rate", "complaints_per_1000",
    "closure_rate",
)  # fmt: skip

Record = Mapping[str, Any]  # as the portal reads it: every key is there
Entry = Mapping[str, Any]  # a record, with the folder and the names of its pages


class Answers(NamedTuple):
    """What a pooled rate rests on: n and N as its certainty takes them, effective n and df of its interval."""

    n: float
    population: int | None
    effective: float
    df: float | None = None  # of the projects' designs together; None: none of them estimates an error of its own


class Pool(NamedTuple):
    """The satisfaction rate of some projects together.

    Attributes
    ----------
    rated
        The records that have one.
    answers
        None where the records do not say how sure their rates are.
    judged
        The rule with ``value, passed, verdict, certainty, tipping_point, worst, best``; None without a rule or a rate.
    """

    rated: Sequence[Record]
    satisfied: float
    base: float
    rate: float | None
    interval: tuple[float | None, float | None]
    answers: Answers | None
    judged: dict[str, Any] | None


# --- what is pooled ---------------------------------------------------------------------------------------------------


def editions(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Return the entries of each edition of a procedure in each period, where they are of two projects or more."""
    groups: dict[tuple[str, str, int], list[Entry]] = {}
    for entry in entries:
        record = entry["record"]
        programme = record["programme"]
        groups.setdefault((programme["id"], record["period"], programme["version"]), []).append(entry)
    return [members for _, members in sorted(groups.items()) if len(members) > 1]


def usable_of(records: Iterable[Record]) -> list[Record]:
    """Return the records of surveys that are not void."""
    return [record for record in records if record["status"] != "void"]


def measure_of(record: Record, name: str) -> Mapping[str, Any] | None:
    """Return a measure of a record, None where its parts are not known."""
    found = next((measure for measure in record["measures"] if measure["id"] == name), None)
    return found if found and _is_number(found["numerator"]) and _is_number(found["denominator"]) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def pooled_parts(records: Iterable[Record], name: str = RATE) -> tuple[float, float]:
    """Return the sums of the numerators and of the denominators of a measure."""
    known = [measure for record in records if (measure := measure_of(record, name))]
    return sum(measure["numerator"] for measure in known), sum(measure["denominator"] for measure in known)


def pooled_rate(records: Iterable[Record], name: str = RATE) -> float | None:
    """Return Σ numerator ÷ Σ denominator of a measure (2§4.3), never a mean of rates.

    >>> rate = lambda k, n: {"measures": [{"id": "satisfaction_rate", "numerator": k, "denominator": n}]}
    >>> pooled_rate([rate(95, 100), rate(5, 10)])
    0.9090909090909091
    """
    numerator, denominator = pooled_parts(records, name)
    return numerator / denominator if denominator else None


def common_sums(records: Sequence[Record]) -> list[str]:
    """Return the measures whose parts every record has."""
    return [name for name in SUMS if all(measure_of(record, name) for record in records)]


def total(records: Iterable[Record], name: str) -> int | None:
    """Return the sum of one of the records' counts; None where one of them does not say."""
    counts = [record["counts"].get(name) for record in records]
    return int(sum(counts)) if counts and all(map(_is_number, counts)) else None


def population_of(records: Sequence[Record]) -> int | None:
    """Return how many there are to ask in all; None where a project's number is not known, or more came back there."""
    sound = all((total([r], "returned") or 0) <= (total([r], "frame") or 0) for r in records)
    return total(records, "frame") if sound else None


def rule_of(records: Iterable[Record]) -> Mapping[str, Any] | None:
    """Return the rule on the satisfaction rate that every record holds, before a target; None where there is none."""
    held = [{(g["comparison"], g["threshold"]): g for g in r["gates"] if g["measure"] == RATE} for r in records]
    common = [gate for key, gate in held[0].items() if all(key in gates for gates in held)] if held else []
    return min(common, key=lambda gate: gate["severity"] == "target", default=None)


def beside(record: Record) -> dict[str, Any] | None:
    """Return the figure of a project that is not pooled and stands beside it: its index, or another headline."""
    head = record["headline"]
    if record["index"]:
        named = [row for row in (head, *record["gates"]) if row["measure"] == "index"]
        return {"measure": "index", "title": None, "unit": None, **(named[0] if named else {}), **record["index"]}
    return None if head["measure"] in (RATE, *SUMS) else dict(head)


def pool(records: Iterable[Record], rule: Mapping[str, Any] | None) -> Pool:
    """Return the satisfaction rate of some projects together, and how it stands under a rule."""
    rated = [record for record in records if (measure := measure_of(record, RATE)) and measure["denominator"] > 0]
    satisfied, base = pooled_parts(rated)
    if not rated:
        return Pool(rated, satisfied, base, None, (None, None), None, None)
    rate, answers = satisfied / base, answers_of(rated)
    interval = wilson_interval(rate, answers.effective, answers.df) if answers else (None, None)
    return Pool(rated, satisfied, base, rate, interval, answers, judge(rated, rate, answers, rule) if rule else None)


# --- how sure it is ---------------------------------------------------------------------------------------------------


def answers_of(rated: Sequence[Record]) -> Answers | None:
    """Return what the pooled rate of some projects rests on; None where the records do not say how sure theirs are.

    Notes
    -----
    Unweighted: all projects as one random sample of all their customers. With weights each project is a sample by
    itself, its standard error that of its record.
    """
    measures = [measure for record in rated if (measure := measure_of(record, RATE))]
    if not all(each["method"] in (WILSON, CENSUS, None) and _is_share(each) for each in measures):
        return None
    if not all(map(is_unweighted, rated)):
        return _weighted_answers(rated)
    satisfied, base = pooled_parts(rated)
    population = population_of(rated)
    return Answers(base, population, as_sample(satisfied, base, population).n_effective)


def _is_share(measure: Mapping[str, Any]) -> bool:
    return bool(0 <= measure["numerator"] <= measure["denominator"])


def is_unweighted(record: Record) -> bool:
    """Return whether a satisfaction rate is that of its forms as they are: the same count, the same standard error."""
    measure, counted = measure_of(record, RATE), total([record], "satisfied")
    if measure is None:
        return False
    parts = measure["numerator"], measure["denominator"]
    if not all(float(part).is_integer() for part in parts) or counted not in (parts[0], None):
        return False
    error = as_sample(*parts, population_of([record])).se
    return measure["se"] is None or math.isnan(error) or math.isclose(measure["se"], error, rel_tol=1e-6, abs_tol=1e-12)


class Sample(NamedTuple):
    """A share's standard error, and its effective number of answers."""

    se: float
    n_effective: float


def as_sample(satisfied: float, base: float, population: int | None) -> Sample:
    """Return how sure a share is that of a simple random sample: as ``estimates.estimate_mean`` has it, at once.

    >>> se, n_effective = as_sample(80, 100, 401)
    >>> round(se, 6), round(n_effective, 2)
    (0.03483, 132.89)
    """
    left_out = 1 - base / population if population else float(population is None)
    if population == 0 or not 0 <= satisfied <= base or left_out < 0 or base < 1:
        return _estimated(satisfied, base, population)
    variance = satisfied / base * (1 - satisfied / base) / max(base - 1, 1) * left_out
    people = (population - 1) / population if population and population > 1 and left_out < 1 else 1.0
    told = base > 1 or left_out == 0
    return Sample(math.sqrt(variance) if told else math.nan, base / left_out * people if left_out else math.inf)


def _estimated(satisfied: float, base: float, population: int | None) -> Sample:
    kinds = np.array([[1.0, satisfied], [0.0, base - satisfied]])
    values, counts = kinds[kinds[:, 1] > 0].T
    found = estimate_mean(design_of(np.ones(len(values)), counts, population=population), values)
    return Sample(found.se, found.n_effective)


def _weighted_answers(rated: Sequence[Record]) -> Answers | None:
    """Return the effective number of answers by the projects' own standard errors; None where one has none.

    Notes
    -----
    The variance of Σ satisfied ÷ Σ base is Σ (base ÷ Σ base)² se². Effective n: what a simple random sample of that
    variance would have, never more than there are answers. An error of 0 is one only where everybody answered.
    """
    measures = [measure for record in rated if (measure := measure_of(record, RATE))]
    if any(measure["se"] is None or (not measure["se"] > 0 and measure["method"] != CENSUS) for measure in measures):
        return None
    satisfied, base = pooled_parts(rated)
    variance = sum((measure["denominator"] / base * measure["se"]) ** 2 for measure in measures)
    most = as_sample(satisfied, base, population := population_of(rated)).n_effective
    spread = satisfied / base * (1 - satisfied / base)
    corrected = (population - 1) / population if population else 1.0
    effective = spread / variance * base / (base - 1) * corrected if variance and base > 1 else most
    known = [measure["df"] for measure in measures]
    df = None if None in known else sum(known)
    return Answers(min(effective, most), None, min(effective, most), df)


def judge(rated: Sequence[Record], rate: float, answers: Answers | None, rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule with its verdict on the pooled rate, how certain that is, and what non-response could hide."""
    asked = rule["comparison"], rule["threshold"]
    passed: bool | None = meets(rate, *asked)
    sure = certainty.share_certainty(rate, answers.n, *asked, answers.population) if answers else None
    hidden = hidden_of(rated, rate, rule["threshold"])
    verdict = verdict_of(passed, sure, rate, hidden["tipping_point"])
    if not passed and any(gate["verdict"] == "in_progress" for record in rated for gate in same_rule(record, rule)):
        passed, verdict = None, "in_progress"
    return {**rule, "value": rate, "passed": passed, "verdict": verdict, "certainty": sure, **hidden}


def same_rule(record: Record, rule: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the rule as a record holds it."""
    for gate in record["gates"]:
        if all(gate[key] == rule[key] for key in ("measure", "comparison", "threshold")):
            yield gate


def hidden_of(rated: Sequence[Record], rate: float, threshold: float) -> dict[str, float | None]:
    """Return the tipping point, the worst and the best rate of all who were sent a form; None where nothing is hidden.

    Notes
    -----
    Nothing is where all came back, or where all forms sent are the base; how many were sent may be unknown.
    """
    returned, sent = total(rated, "returned"), total(rated, "distributed")
    if returned is None or not sent or returned >= sent or pooled_parts(rated)[1] == sent:
        return dict.fromkeys(("tipping_point", "worst", "best"))
    worst, best = certainty.nonresponse_bounds(rate, returned / sent)
    return {"tipping_point": certainty.tipping_point(rate, returned / sent, threshold), "worst": worst, "best": best}
