"""What follows from the answers? Measures, gates, status, index, grade, triggers."""

import importlib
import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from csat_analysis.assembly.load import Survey
from csat_analysis.domain import scoring
from csat_analysis.domain.evidence import Evidence, Measure
from csat_analysis.ground import runs
from csat_analysis.ground.catalogue import MEASURES, round_shown
from csat_analysis.ground.errors import ParameterError
from csat_analysis.ground.programmes import Gate, Programme

ITEM_FIGURES = {"mean": "mean", "satisfied": "share_satisfied"}  # what a gate calls them, and the column of the items


@dataclass(frozen=True)
class Assessment:
    """What a survey says under its programme.

    Attributes
    ----------
    measures
        ``id, value, numerator, denominator, conf_low, conf_high, method, clause``.
    gates
        ``measure, comparison, threshold, value, passed, verdict, certainty, severity, source, clause, otherwise,
        voids, rounding_flips``.
    triggers
        ``id, because, clause``.
    index
        ``value, conf_low, conf_high``, or None; ``terms`` beside it.
    grade
        ``id, certainty``, or None.
    items, strata, groups, distribution, comparisons, forms
        Tables of ``scoring.item_figures``, ``by_group``, ``distribution``, ``score_forms``.
    """

    survey: Survey
    evidence: Evidence
    status: str
    measures: pd.DataFrame
    gates: pd.DataFrame
    triggers: pd.DataFrame
    index: dict[str, Any] | None
    grade: dict[str, Any] | None
    items: pd.DataFrame
    strata: pd.DataFrame
    groups: pd.DataFrame
    distribution: pd.DataFrame
    comparisons: pd.DataFrame

    def measure(self, name: str) -> dict[str, Any]:
        """Return one measure, the index, or an item's figure (an item's mean has no interval here) as a mapping."""
        parts = {"id": name, "numerator": None, "denominator": None}
        if name == "index":
            return {**parts, "method": "sum", **(self.index or {})}
        if "." in name:
            bounds = ("conf_low", "conf_high") if name.endswith(".satisfied") else ()
            row = self.items.set_index("id").loc[name.split(".")[0]]
            return {
                **parts,
                "method": "wilson",
                "value": item_value(name, self.items),
                **{key: row[key] for key in bounds},
            }
        found = {row["id"]: row for row in self.measures.to_dict("records")}[name]
        return {str(key): value for key, value in found.items()}

    def __repr__(self) -> str:
        return f"<Assessment {self.survey.run.place}: {self.status}>"

    def _repr_html_(self) -> str:
        return self.gates.to_html(index=False, escape=True)


def assess(survey: Survey) -> Assessment:
    """Return everything the programme says of a survey."""
    programme = survey.programme
    evidence = gather(survey)
    found = {name: compute(name, evidence) for name in published(programme, survey.run.targets)}
    index = index_of(programme, found)
    items = scoring.item_figures(survey.answers, evidence.forms, programme, evidence.population)
    gates = judge_gates(survey, found, index, items)
    return Assessment(
        survey=survey, evidence=evidence, status=status_of(survey, gates), measures=_measure_table(programme, found),
        gates=gates, triggers=triggers_of(programme, gates), index=index, grade=grade_of(programme, index), items=items,
        strata=scoring.by_group(survey.answers, evidence.forms, programme, {"stratum"} & set(evidence.forms)),
        groups=scoring.by_group(survey.answers, evidence.forms, programme, survey.run.groups),
        distribution=scoring.distribution(survey.answers, evidence.forms, programme, _rejected_answers(survey)),
        comparisons=compare_targets(survey.run.targets, found),
    )  # fmt: skip


def _rejected_answers(survey: Survey) -> pd.DataFrame:
    return survey.rejected[survey.rejected["table"] == "responses"]


def gather(survey: Survey) -> Evidence:
    """Return what the measures are computed from."""
    dispositions = survey.tables.get("distribution", pd.DataFrame()).get("disposition", pd.Series(dtype=str))
    ineligible = int((dispositions == "ineligible").sum())
    distributed = survey.counts.distributed
    first, last = runs.period_bounds(survey.run.period)
    return Evidence(
        programme=survey.programme,
        forms=scoring.score_forms(survey.forms, survey.answers, survey.programme),
        frame=survey.counts.frame,
        distributed=distributed,
        eligible=None if distributed is None else distributed - ineligible,
        deliveries=survey.counts.deliveries,
        complaints=survey.counts.complaints,
        months=last.month - first.month + 1,
    )


def published(programme: Programme, targets: Any = ()) -> list[str]:
    """Return the measures to publish: those always published, and those the programme or a target names."""
    named = {gate.measure for gate in programme.gates} | {each.id for each in programme.measures} | set(targets)
    named |= set(programme.index.terms if programme.index else ()) | {programme.headline_measure}
    return [name for name, entry in MEASURES.items() if entry.always or name in named]


def compute(name: str, evidence: Evidence) -> Measure:
    """Return one measure of the catalogue."""
    room, function = MEASURES[name].function.split(".")
    return getattr(importlib.import_module(f"csat_analysis.domain.{room}"), function)(evidence)


def _measure_table(programme: Programme, found: dict[str, Measure]) -> pd.DataFrame:
    clauses = {gate.measure: gate.clause for gate in reversed(programme.gates)}
    clauses |= {measure.id: measure.clause for measure in programme.measures}
    clauses |= {"satisfaction_rate": programme.satisfaction_rate.clause or clauses.get("satisfaction_rate")}
    rows = [{"id": name, **measure._asdict(), "clause": clauses.get(name)} for name, measure in found.items()]
    return pd.DataFrame(rows, dtype=object)


# --- index and grade --------------------------------------------------------------------------------------------------


def index_of(programme: Programme, found: dict[str, Measure]) -> dict[str, Any] | None:
    """Return the programme's headline score.

    Notes
    -----
    Σ coefficient × measure. The interval adds the terms' distances to their bounds: it holds whatever their
    correlation (customers who complain are the dissatisfied ones, so independence would make it too short).

    References
    ----------
    Zou, Donner (2008), Statistics in Medicine 27 (recovery of variances), at the bound of the correlation.
    """
    if programme.index is None:
        return None
    terms = [(coefficient, found[name]) for name, coefficient in programme.index.terms.items()]
    parts = [coefficient * measure.value for coefficient, measure in terms if measure.value is not None]
    if len(parts) < len(terms):
        return {"value": None, "conf_low": None, "conf_high": None}
    value = sum(parts)
    if any(
        measure.conf_low is None and measure.method != "count" for _, measure in terms
    ):  # an error that is not stated
        return {"value": value, "conf_low": None, "conf_high": None}
    bounds = [
        sorted(part if bound is None else coefficient * bound for bound in (measure.conf_low, measure.conf_high))
        for part, (coefficient, measure) in zip(parts, terms, strict=True)
    ]
    return {"value": value, "conf_low": sum(low for low, _ in bounds), "conf_high": sum(high for _, high in bounds)}


def grade_of(programme: Programme, index: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the first band whose lower bound the index reaches; None without grades, an index, or such a band."""
    if index is None or index["value"] is None:
        return None
    for grade in programme.grades:
        if meets(index["value"], "at_least", grade.lower):
            return {"id": grade.id, "certainty": None}
    return None


# --- gates ------------------------------------------------------------------------------------------------------------


def meets(value: float, comparison: str, threshold: float) -> bool:
    """Return whether a value meets a threshold; the noise of floating point does not decide.

    >>> meets(1 - 0.9, "at_most", 0.1), meets(0.85, "more_than", 0.85)
    (True, False)
    """
    equal = math.isclose(value, threshold, rel_tol=1e-9, abs_tol=1e-12)
    return {
        "at_least": equal or value > threshold,
        "at_most": equal or value < threshold,
        "more_than": not equal and value > threshold,
        "less_than": not equal and value < threshold,
    }[comparison]


def gated_value(
    name: str, found: dict[str, Measure], index: dict[str, Any] | None, items: pd.DataFrame
) -> float | None:
    """Return the value a gate looks at: a measure, the index, or an item's mean or satisfied share."""
    if name == "index":
        return index["value"] if index else None
    if name in found:
        return found[name].value
    return item_value(name, items)


def item_value(name: str, items: pd.DataFrame) -> float | None:
    """Return what ``<item>.mean`` or ``<item>.satisfied`` names."""
    item, figure = name.split(".")
    return dict(zip(items["id"], items[ITEM_FIGURES[figure]], strict=True))[item]


def unit_of(name: str, programme: Programme) -> str:
    """Return the unit of what a gate looks at: share, points or per_1000."""
    if name == "index":
        return programme.index.unit if programme.index else "points"
    return MEASURES[name].unit if name in MEASURES else "share" if name.endswith(".satisfied") else "points"


def judge_gates(
    survey: Survey, found: dict[str, Measure], index: dict[str, Any] | None, items: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per gate; a gate without data is a row with an empty verdict."""
    in_progress = survey.run.as_of < runs.period_bounds(survey.run.period)[1]
    rows = []
    for gate in survey.programme.gates:
        value = gated_value(gate.measure, found, index, items)
        unit = unit_of(gate.measure, survey.programme)
        rows.append({"measure": gate.measure, **judge(gate, value, in_progress, unit)})
    columns = [
        "measure", "comparison", "threshold", "value", "passed", "verdict", "certainty", "severity", "source", "clause",
        "otherwise", "voids", "rounding_flips",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns, dtype=object)


def judge(gate: Gate, value: float | None, in_progress: bool, unit: str) -> dict[str, Any]:
    """Return the verdict of one gate on an unrounded value."""
    passed = None if value is None else meets(value, gate.comparison, gate.threshold)
    shown = None if value is None else float(round_shown(value, unit)) / (100 if unit == "share" else 1)
    flips = shown is not None and meets(shown, gate.comparison, gate.threshold) != passed
    verdict = {None: None, True: "met", False: "not_met"}[passed]
    if gate.cumulated and in_progress and passed is False:
        passed, verdict = None, "in_progress"
    return {
        "comparison": gate.comparison, "threshold": gate.threshold, "value": value, "passed": passed,
        "verdict": verdict, "certainty": None, "severity": gate.severity, "source": gate.source, "clause": gate.clause,
        "otherwise": gate.otherwise, "voids": gate.voids, "rounding_flips": flips,
    }  # fmt: skip


def triggers_of(programme: Programme, gates: pd.DataFrame) -> pd.DataFrame:
    """Return what the failed gates set off."""
    clauses = {trigger.id: trigger.clause for trigger in programme.triggers}
    rows = [
        {
            "id": gate["otherwise"],
            "because": gate["measure"],
            "clause": clauses.get(gate["otherwise"]) or gate["clause"],
        }
        for gate in gates.to_dict("records")
        if gate["passed"] is False and gate["otherwise"]
    ]
    return pd.DataFrame(rows, columns=["id", "because", "clause"], dtype=object)


def status_of(survey: Survey, gates: pd.DataFrame) -> str:
    """Return ``reportable``, ``remedy_due`` or ``void``.

    Notes
    -----
    A gate that voids has failed: void where the remedy is closed and did not help, or where its declared date has
    passed without one; otherwise (no date declared, or not yet passed) the remedy is due. A remedy that was closed
    late is judged by its result.
    """
    failed = ((gates["passed"] == False) & gates["voids"].notna()).any()  # noqa: E712 - None is no failure
    if not failed:
        return "reportable"
    remedy, as_of = survey.run.remedy, survey.run.as_of
    if remedy and remedy.closed_on and remedy.closed_on <= as_of:
        return "void"
    return "void" if remedy and remedy.due_on and remedy.due_on < as_of else "remedy_due"


def outcome(result: Assessment, name: str) -> float | str | None:
    """Return what an assessment gives for a key of ``worked_example.expect``."""
    if name in ("returned", "valid"):
        return getattr(result.evidence, name)
    if name == "rejected":
        return len(result.survey.rejected)
    if name == "status":
        return result.status
    if name == "grade":
        return result.grade["id"] if result.grade else None
    if name == "index":
        return result.index["value"] if result.index else None
    if name.startswith("gates."):
        return result.gates.set_index("measure")["verdict"].get(name.removeprefix("gates."))
    if name in MEASURES:
        return compute(name, result.evidence).value
    programme = result.survey.programme
    if name.rpartition(".")[0] not in programme.item_ids or name.rpartition(".")[2] not in ITEM_FIGURES:
        raise ParameterError(
            f"{programme.id}: worked_example.expect: {name!r} is nothing an assessment gives; use returned, valid, "
            f"rejected, status, grade, index, gates.<measure>, <item>.mean, <item>.satisfied or one of "
            f"{sorted(MEASURES)}."
        )
    return item_value(name, result.items)


# --- targets ----------------------------------------------------------------------------------------------------------


def compare_targets(targets: Any, found: dict[str, Measure]) -> pd.DataFrame:
    """Return how far each measure is from its target of the year."""
    rows = []
    for name, target in targets.items():
        measure = found.get(name)
        if measure is not None and measure.value is not None:
            bounds = [None if bound is None else bound - target for bound in (measure.conf_low, measure.conf_high)]
            rows.append((name, "target", target, measure.value - target, *bounds))
    return pd.DataFrame(rows, columns=["id", "kind", "against", "estimate", "conf_low", "conf_high"], dtype=object)
