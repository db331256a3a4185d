"""What follows from the answers? Measures, gates, status, index, grade, triggers."""

import datetime as dt
import importlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from csat_analysis.assembly import comparisons, composite, load, procedure, weighting
from csat_analysis.assembly.gates import ITEM_FIGURES, item_value, judge_gates
from csat_analysis.assembly.load import Survey
from csat_analysis.domain import fieldwork, items, parts, schemas, scoring
from csat_analysis.domain.evidence import Evidence, Measure
from csat_analysis.ground import lending, runs
from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.errors import ParameterError
from csat_analysis.ground.mappings import rows_of
from csat_analysis.ground.programmes import Programme

SHOWN = (
    "value", "numerator", "denominator", "conf_low", "conf_high", "method", "se", "n_effective", "df", "design_effect",
)  # of a measure, in tables  # fmt: skip


@dataclass(frozen=True)
class Assessment:
    """What a survey says under its programme.

    Attributes
    ----------
    measures
        ``id, value, numerator, denominator, conf_low, conf_high, method, se, n_effective, df, design_effect,
        clause``.
    gates
        See ``gates.judge_gates``.
    triggers
        ``id, because, clause``.
    index
        See ``composite.index_of``; or None.
    grade
        ``id, certainty, probabilities``, or None.
    items, strata, groups, distribution, comparisons, forms
        Tables of ``items.item_figures``, ``by_group``, ``distribution``, and ``scoring.score_forms``.
    parts
        See ``parts.rate_by_part``.
    steps, clauses
        Tables of ``procedure.judge_steps``, ``procedure.judge_clauses``.
    judged
        What all of it rests on.
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
    parts: pd.DataFrame
    comparisons: pd.DataFrame
    steps: pd.DataFrame
    clauses: pd.DataFrame
    respondents: pd.DataFrame
    weighted: pd.DataFrame
    judged: "Judged"

    def measure(self, name: str) -> dict[str, Any]:
        """Return one measure, the index, or an item's figure (an item's mean has no interval here) as a mapping."""
        parts = {"id": name, "numerator": None, "denominator": None}
        if name == "index":
            return {**parts, **(self.index or {"method": "sum"})}
        if "." in name:
            bounds = ("conf_low", "conf_high") if name.endswith(".satisfied") else ()
            row = self.items.set_index("id").loc[name.split(".")[0]]
            return {
                **parts,
                "method": "wilson",
                "value": item_value(name, self.items),
                **{key: row[key] for key in bounds},
            }
        found = {row["id"]: row for row in rows_of(self.measures)}[name]
        return {str(key): value for key, value in found.items()}

    def __repr__(self) -> str:
        return f"<Assessment {self.survey.run.place}: {self.status}>"

    def _repr_html_(self) -> str:
        return self.gates.to_html(index=False, escape=True)


def assess(survey: Survey) -> Assessment:
    """Return everything the programme says of a survey."""
    if (known := lending.found("assessment", id(survey))) is not None:
        return known
    programme = survey.programme
    now = judged(survey, published(programme, survey.run.targets))
    evidence, found, index, answers, gates = now.evidence, now.found, now.index, now.answers, now.gates
    figures = items.item_figures(evidence, answers)
    triggers = triggers_of(programme, gates)
    groups = items.by_group(evidence, answers, survey.run.groups)
    duties = procedure.judge_steps(survey, has_groups=len(groups) > 0)
    return Assessment(
        survey=survey, evidence=evidence, status=status_of(survey, gates), measures=_measure_table(programme, found),
        gates=gates, triggers=triggers, index=index, grade=composite.grade_of(programme, index), items=figures,
        strata=items.by_group(evidence, answers, {"stratum"} & set(evidence.forms)), groups=groups,
        distribution=items.distribution(answers, evidence.forms, programme, _rejected_answers(survey)),
        parts=parts.rate_by_part(evidence, "stratum"), comparisons=compare(survey, found, index), steps=duties,
        clauses=procedure.judge_clauses(survey, gates, duties, triggers, figures, found),
        respondents=weighting.compare_respondents(survey, evidence),
        weighted=weighting.weigh(survey, evidence, answers), judged=now,
    )  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A survey's evidence, some of its measures, its index, the answers that enter figures, and its gates."""

    evidence: Evidence
    found: dict[str, Measure]
    index: dict[str, Any] | None
    answers: pd.DataFrame
    gates: pd.DataFrame


def judged(survey: Survey, names: Iterable[str]) -> Judged:
    """Return what a survey says of the measures named, without tables for a page."""
    evidence = gather(survey)
    found = {name: compute(name, evidence) for name in names}
    index = composite.index_of(survey.programme, found, evidence)
    answers = items.usable(survey.answers, evidence.forms, survey.programme)
    return Judged(evidence, found, index, answers, judge_gates(survey, evidence, found, index, answers))


def compare(survey: Survey, found: dict[str, Measure], index: dict[str, Any] | None) -> pd.DataFrame:
    """Return how far the measures are from their targets and from those of earlier periods."""
    now, tables = comparisons.figures(found, index), [comparisons.compare_targets(survey.run.targets, found)]
    for kind, earlier in survey.earlier.items():
        before = judged(earlier, found)
        then, status = comparisons.figures(before.found, before.index), status_of(earlier, before.gates)
        tables.append(comparisons.compare_periods(kind, earlier.run.period, status, now, then))
    return comparisons.together(tables)


def _rejected_answers(survey: Survey) -> pd.DataFrame:
    return survey.rejected[survey.rejected["table"] == "responses"]


def gather(survey: Survey) -> Evidence:
    """Return what the measures are computed from."""
    sent, distributed = survey.tables.get("distribution", pd.DataFrame()), survey.counts.distributed
    ineligible = fieldwork.tally(fieldwork.settle(sent, survey.forms))["ineligible"] if "disposition" in sent else 0
    first, last = runs.period_bounds(survey.run.period)
    complaints = load.own_complaints(survey.run, survey.tables["complaints"]) if "complaints" in survey.tables else None
    evidence = Evidence(
        programme=survey.programme,
        forms=scoring.score_forms(_with_customers(survey), survey.answers, survey.programme),
        frame=survey.counts.frame,
        distributed=distributed,
        eligible=None if distributed is None else distributed - ineligible,
        deliveries=survey.counts.deliveries,
        complaints=survey.counts.complaints,
        months=last.month - first.month + 1,
        closed=_closed(complaints, survey.run.as_of),
        complainers=_complainers(complaints),
        units=_units(survey),
        lonely=survey.run.design.lonely,
    )
    return replace(evidence, effect=items.effect_of(evidence, survey.answers))


def _units(survey: Survey) -> dict[str, int] | None:
    """Return how many primary units the population has in each stratum; None where nobody says."""
    frame, clustered = survey.tables.get("frame", pd.DataFrame()), "cluster" in survey.forms
    names = {getattr(survey.run.design, role): role for role in ("stratum", "cluster")}
    frame = frame.rename(columns={name: role for name, role in names.items() if name in frame and role not in frame})
    if clustered:
        own = [name for name in ("stratum", "cluster") if name in frame]
        return _of_strata(frame.drop_duplicates(own)) if "cluster" in own else None
    if "stratum" not in survey.forms:
        return None
    if "stratum" in frame:
        return _of_strata(frame)
    return dict(survey.run.design.population) or None


def _of_strata(rows: pd.DataFrame) -> dict[str, int]:
    """Return the number of rows of each stratum; without strata they are one."""
    if "stratum" not in rows:
        return {"all": len(rows)}
    return {str(level): int(n) for level, n in rows["stratum"].value_counts().items()}


def _closed(complaints: pd.DataFrame | None, as_of: dt.date) -> int | None:
    """Return how many complaints were closed by a day; None where the table does not say."""
    if complaints is None or "closed_on" not in complaints:
        return None
    return int((schemas.dates(complaints["closed_on"]) <= pd.Timestamp(as_of)).sum())


def _with_customers(survey: Survey) -> pd.DataFrame:
    """Return the forms with the customers they are from, where the responses or the distribution say so."""
    sent = survey.tables.get("distribution", pd.DataFrame())
    unnamed = (survey.forms.index == survey.forms["row"].astype(str)).all()  # line numbers are no forms of the register
    if "customer_id" in survey.forms or "customer_id" not in sent or unnamed:
        return survey.forms
    customers = sent.set_index("form_id")["customer_id"].reindex(survey.forms.index).fillna("")
    return survey.forms.assign(customer_id=customers)


def _complainers(complaints: pd.DataFrame | None) -> pd.Series | None:
    """Return the number of complaints of each customer; None where not every complaint names one."""
    customers = pd.Series(dtype=str) if complaints is None else complaints.get("customer_id", pd.Series(dtype=str))
    if customers.empty or (customers == "").any():
        return None
    return customers.value_counts().astype(float)


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
    rows = [
        {
            "id": name,
            **{key: value for key, value in measure._asdict().items() if key in SHOWN},
            "clause": clauses.get(name),
        }
        for name, measure in found.items()
    ]
    return pd.DataFrame(rows, dtype=object)


# --- triggers and status ----------------------------------------------------------------------------------------------


def triggers_of(programme: Programme, gates: pd.DataFrame) -> pd.DataFrame:
    """Return what the failed gates set off."""
    clauses = {trigger.id: trigger.clause for trigger in programme.triggers}
    rows = [
        {
            "id": gate["otherwise"],
            "because": gate["measure"],
            "clause": clauses.get(gate["otherwise"]) or gate["clause"],
        }
        for gate in rows_of(gates)
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
