"""Which numbers leave the house? A run's record: language-free, without a clock, the same for the same inputs."""

import datetime as dt
import json
import math
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from csat_analysis.assembly import plans
from csat_analysis.assembly.assessment import Assessment
from csat_analysis.assembly.change import Change, Peers, is_void, judge_change
from csat_analysis.assembly.gates import unit_of
from csat_analysis.assembly.modes import rates_by_mode
from csat_analysis.assembly.procedure import standing
from csat_analysis.ground.mappings import rows_of
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.runs import Counts
from csat_analysis.ground.software import software
from csat_analysis.publishing.phrases import in_order

LISTED_REJECTIONS = 1000

Number = float | None


class Row(BaseModel):
    """A part of a record; further keys may come, these stay."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class ProgrammeKey(Row):
    """Which edition judged."""

    id: str
    version: int
    title: dict[str, str]
    sha256: str


class MeasureRow(Row):
    """A measure; shares are fractions of 1."""

    id: str
    value: Number
    numerator: Number
    denominator: Number
    conf_low: Number
    conf_high: Number
    method: str
    se: Number
    n_effective: Number
    df: Number
    design_effect: Number
    clause: str | None


class GateRow(Row):
    """A rule, its literal verdict, how certain it is, and what non-response could hide."""

    measure: str
    title: dict[str, str] | None  # of the index, or of the item that the figure is of
    unit: Literal["share", "points", "per_1000"]
    comparison: Literal["at_least", "more_than", "at_most", "less_than"]
    threshold: float
    value: Number
    conf_low: Number
    conf_high: Number
    interval: str
    passed: bool | None
    verdict: Literal["met", "not_met", "borderline", "in_progress"] | None
    certainty: Number
    tipping_point: Number
    worst: Number
    best: Number
    severity: Literal["rule", "target"]
    source: Literal["clause", "assumption"]
    clause: str | None
    rounding_flips: bool


class TriggerRow(Row):
    """What a failed gate set off."""

    id: str
    title: dict[str, str] | None
    because: str
    clause: str | None


class IndexRow(Row):
    """The index in its terms' unit."""

    value: Number
    conf_low: Number
    conf_high: Number
    process_low: Number
    process_high: Number
    se: Number
    df: Number
    method: str


class GradeRow(Row):
    """The band of the index, and the probability of every band."""

    id: str
    certainty: Number
    probabilities: dict[str, float] | None


class Headline(Row):
    """What the portal shows first."""

    measure: str
    unit: Literal["share", "points", "per_1000"]
    title: dict[str, str] | None
    value: Number
    conf_low: Number
    conf_high: Number


class ItemRow(Row):
    """The figures of a question; the interval is of the satisfied share."""

    id: str
    n: int | None
    mean: Number
    mean_se: Number
    mean_effect: Number
    share_satisfied: Number
    share_se: Number
    share_effect: Number
    n_effective: Number
    df: Number
    conf_low: Number
    conf_high: Number


class AnswerRow(Row):
    """How often an answer was given to a question, or why there was none."""

    item: str
    level: str
    n: int
    share: Number


class GroupRow(ItemRow):
    """The figures of a question in a group."""

    by: str
    level: str
    suppressed: bool


class PartRow(Row):
    """The satisfaction rate of a part: its forms add to those of the whole."""

    by: str
    level: str
    title: dict[str, str] | None
    numerator: Number
    denominator: Number
    value: Number
    conf_low: Number
    conf_high: Number
    suppressed: bool


class DesignRow(Row):
    """How the survey was drawn, as its errors take it."""

    weighted: bool
    strata: int
    clusters: int
    lonely_strata: int
    lonely: str
    design_effect: Number


class RespondentRow(Row):
    """Those who gave a valid form and the population, by stratum and group."""

    by: str
    level: str
    population: int
    population_share: Number
    answered: int | None
    answered_share: Number
    answer_rate: Number
    suppressed: bool


class WeightedRow(Row):
    """A share as it is and weighted to the population."""

    id: str
    value: Number
    weighted: Number
    se: Number
    conf_low: Number
    conf_high: Number
    n_effective: Number
    trimmed: int | None
    gap: Number
    left_out: int
    reason: str


class Comparison(Row):
    """A descriptive difference."""

    id: str
    kind: str
    against: str | float
    before: Number
    estimate: Number
    conf_low: Number
    conf_high: Number
    process_low: Number
    process_high: Number
    status: Literal["reportable", "remedy_due", "void"] | None


class ChangeRow(Row):
    """How a figure changed since the baseline, and what can be said of it."""

    id: str
    against: str
    before: Number
    after: Number
    estimate: Number
    conf_low: Number
    conf_high: Number
    statistic: Number
    df: Number
    p_value: Number
    p_adjusted: Number
    p_waves: Number
    p_looks: Number
    p_least: Number
    n_before: int
    n_after: int
    method: str
    verdict: Literal["improved", "unchanged", "worse", "insufficient", "not_comparable"]
    reason: str
    family: Literal["primary", "exploratory"]
    margin: Number
    not_worse: bool | None
    smallest: Number
    expected: Number
    gain: Number
    gain_low: Number
    gain_high: Number
    other_low: Number
    other_high: Number
    superiority: Number
    delta: Number
    delta_low: Number
    delta_high: Number
    standardised: Number
    naive_p: Number
    naive_verdict: str | None


class ModeRow(Row):
    """The satisfaction rate of those who answered by a channel, in the baseline and after."""

    channels: list[str]
    numerator_before: Number
    denominator_before: Number
    se_before: Number
    df_before: Number
    numerator_after: Number
    denominator_after: Number
    se_after: Number
    df_after: Number


class ContrastRow(Row):
    """What the projects acted on gained beyond the others, by one analysis."""

    estimate: Number
    se: Number
    conf_low: Number
    conf_high: Number
    statistic: Number
    df: Number
    p_value: Number
    n_before: Number
    n_after: Number
    acted: int
    others: int
    naive: Number
    drift: Number
    draws: int
    reason: str


class PortfolioRow(Row):
    """What action brought over all projects of the procedure with the same baseline."""

    figure: str
    threshold: float
    projects: int
    residual: ContrastRow
    discontinuity: ContrastRow


class ActionRow(Row):
    """What was done in between; what people wrote by hand stays on the page."""

    action_id: str
    figure: str
    minimal_change: Number
    planned: bool
    effectiveness: Literal["effective", "partly", "not", "pending"]
    due_on: str | None
    completed_on: str | None
    verified_on: str | None
    local: bool
    by: str
    levels: list[str]
    estimate: Number
    conf_low: Number
    conf_high: Number
    p_adjusted: Number
    verdict: str | None


class StepRow(Row):
    """A step or a register, one row for each time it was due; evidence stays on the page."""

    kind: Literal["step", "register"]
    id: str
    window: str | None
    due_on: str | None
    done_on: str | None
    state: Literal["met", "late", "missing", "pending", "not_assessed"]
    why: str
    clause: str | None


class ClauseRow(Row):
    """A clause of the procedure, and how it stands: as the worst of what carries it out."""

    clause: str
    state: str


class Rejection(Row):
    """A row or a cell that could not be used."""

    table: str
    file: str
    row: int
    column: str | None
    value: str | None
    reason: str


class Account(Row):
    """Where every row and every answer of a table went."""

    table: str
    rows_read: int
    rows_used: int
    rows_rejected: int
    answers_read: int
    answers_used: int
    answers_not_applicable: int
    answers_empty: int
    answers_rejected: int


class Finding(Row):
    """What a reader of the data should know."""

    code: str
    values: dict[str, Any]


class Input(Row):
    """A file that was read."""

    table: str
    file: str
    sha256: str
    rows: int


class Record(Row):
    """A run's numbers. All keys are always present; what is not computed is null or []."""

    schema_version: Literal[1] = 1
    programme: ProgrammeKey
    project: str
    title: dict[str, str]
    within: list[dict[str, str]]
    period: str
    baseline: str | None
    as_of: str
    status: Literal["reportable", "remedy_due", "void"]
    headline: Headline
    counts: dict[str, int | None]
    measures: list[MeasureRow]
    gates: list[GateRow]
    triggers: list[TriggerRow]
    index: IndexRow | None
    grade: GradeRow | None
    design: DesignRow
    items: list[ItemRow]
    item_titles: dict[str, dict[str, str]]
    answers: list[AnswerRow]
    strata: list[GroupRow]
    groups: list[GroupRow]
    parts: list[PartRow]
    respondents: list[RespondentRow]
    weighted: list[WeightedRow]
    complaints: Annotated[None, Field(description="register figures: still to come")] = None
    actions: list[ActionRow]
    comparisons: list[Comparison]
    change: list[ChangeRow]
    undecided: int | None
    modes: list[ModeRow]
    portfolio: PortfolioRow | None
    plan: str
    steps: list[StepRow]
    clauses: list[ClauseRow]
    accounts: list[Account]
    findings: list[Finding]
    rejected: list[Rejection]
    rejected_count: int
    inputs: list[Input]
    software: dict[str, str]


def build(result: Assessment, peers: Peers = ()) -> Record:
    """Return the record of an assessment; ``peers`` see ``change.judge_change``."""
    changed = judge_change(result, peers)
    survey, programme = result.survey, result.survey.programme
    run = survey.run
    return Record(
        programme=ProgrammeKey(
            id=programme.id, version=programme.version, title=programme.title, sha256=survey.programme_sha256
        ),
        project=run.project, title=run.title, within=list(run.within), period=run.period, baseline=run.baseline,
        as_of=run.as_of.isoformat(), status=result.status, headline=_headline(result), counts=_counts(result),
        measures=rows(result.measures), gates=_gates(result),
        triggers=_triggers(result), index=result.index, grade=result.grade, design=_design(result),
        items=rows(result.items), item_titles={item.id: item.title or {} for item in programme.items},
        answers=rows(result.distribution),
        strata=rows(result.strata), groups=rows(result.groups), parts=_parts(result),
        respondents=rows(result.respondents), weighted=rows(result.weighted),
        comparisons=rows(result.comparisons), change=_change(changed), undecided=_undecided(changed),
        modes=_modes(changed), portfolio=_portfolio(changed), plan=changed.plan, actions=_actions(changed),
        steps=_steps(result), clauses=[{"clause": c, "state": s} for c, s in standing(result.clauses).items()],
        accounts=rows(survey.accounts), findings=[finding._asdict() for finding in survey.findings],
        rejected=[_blank_to_none(row) for row in rows(survey.rejected.head(LISTED_REJECTIONS))],
        rejected_count=len(survey.rejected), inputs=rows(survey.inputs), software=software(),
    )  # fmt: skip


def _headline(result: Assessment) -> Headline:
    """Return what the portal shows first."""
    programme = result.survey.programme
    name = programme.headline_measure
    numbers = {key: result.measure(name).get(key) for key in ("value", "conf_low", "conf_high")}
    return Headline(measure=name, unit=unit_of(name, programme), title=_own_title(name, programme), **numbers)


def _gates(result: Assessment) -> list[dict[str, Any]]:
    """Return the gates with the names of what they are on, so that a reader of the record needs no programme."""
    programme = result.survey.programme
    return [
        {**row, "title": _own_title(row["measure"], programme), "unit": unit_of(row["measure"], programme)}
        for row in rows(result.gates.drop(columns=["otherwise", "voids"]))
    ]


def _design(result: Assessment) -> dict[str, Any]:
    """Return how the survey was drawn."""
    evidence, design = result.evidence, result.evidence.design
    return {
        "weighted": evidence.is_weighted, "strata": len(design.population),
        "clusters": len(design.strata) - int(design.alone.sum()), "lonely_strata": design.lonely_strata,
        "lonely": design.lonely, "design_effect": evidence.effect,
    }  # fmt: skip


def _parts(result: Assessment) -> list[dict[str, Any]]:
    """Return the parts with their names, in the order of the run file."""
    run = result.survey.run
    titles = run.levels.get(run.design.stratum or "", {})
    found = {row["level"]: {**row, "title": titles.get(row["level"])} for row in rows(result.parts)}
    return [found[level] for level in in_order(run, "stratum", found)]


def _steps(result: Assessment) -> list[dict[str, Any]]:
    """Return the steps without what people wrote by hand."""
    kept = result.steps.drop(columns=["responsible", "evidence", "reason"])
    return [
        {key: value.isoformat() if isinstance(value, dt.date) else value for key, value in row.items()}
        for row in rows(kept)
    ]


def _change(changed: Change) -> list[dict[str, Any]]:
    """Return the changes, all as after minus before; beyond what was to be expected is a number of its own."""
    return [_beyond(row) for row in rows(changed.table.drop(columns="unit"))]


def _beyond(row: dict[str, Any]) -> dict[str, Any]:
    known = row["before"] is not None and row["after"] is not None
    plain = {**row, **dict.fromkeys(("gain", "gain_low", "gain_high"))}
    plain["estimate"] = row["after"] - row["before"] if known else None
    if row["expected"] is None:
        return plain
    gain = {"gain": row["estimate"], "gain_low": row["conf_low"], "gain_high": row["conf_high"]}
    return {**plain, **gain, "conf_low": None, "conf_high": None}


def _undecided(changed: Change) -> int | None:
    """Return the valid forms of the baseline that the action was not decided on, where these alone are compared."""
    is_part = changed.before is not None and changed.before is not changed.whole
    return changed.before.evidence.valid if changed.before and is_part else None


def _modes(changed: Change) -> list[dict[str, Any]]:
    """Return the rates of the channels before and after; nothing where a survey must not be used."""
    before, after = changed.whole, changed.after
    if before is None or after is None or is_void(before, after):
        return []
    return rows(rates_by_mode(before, after))


def _portfolio(changed: Change) -> dict[str, Any] | None:
    """Return what action brought over all projects; None where the project was not chosen."""
    found = changed.portfolio
    if found is None:
        return None
    ways = {"residual": found.contrast, "discontinuity": found.discontinuity}
    contrasts = {name: {key: plain(value) for key, value in way._asdict().items()} for name, way in ways.items()}
    return {"figure": found.figure, "threshold": found.threshold, "projects": found.projects, **contrasts}


def _actions(changed: Change) -> list[dict[str, Any]]:
    """Return the actions without what people wrote by hand."""
    found = rows_of(changed.actions)
    every = [{**(row["judged"] or {}), **row, "local": plans.is_local(row)} for row in found]
    kept = pd.DataFrame(every, columns=[*ActionRow.model_fields], dtype=object)
    return [
        {key: value.date().isoformat() if isinstance(value, pd.Timestamp) else value for key, value in row.items()}
        for row in rows(kept.assign(levels=kept["levels"].map(list)))
    ]


def _triggers(result: Assessment) -> list[dict[str, Any]]:
    """Return the triggers with their names."""
    titles = {trigger.id: trigger.title for trigger in result.survey.programme.triggers}
    return [{**row, "title": titles.get(row["id"])} for row in rows(result.triggers)]


def _own_title(name: str, programme: Programme) -> dict[str, str] | None:
    """Return the programme's own title of the index, or of the item of a figure; the catalogue's measures have none."""
    if name == "index":
        return programme.index.title if programme.index else None
    return next((item.title for item in programme.items if item.id == name.rpartition(".")[0]), None)


def _counts(result: Assessment) -> dict[str, int | None]:
    """Return the totals behind the rates."""
    evidence = result.evidence
    satisfied = int(evidence.forms.loc[evidence.forms["satisfied"], "count"].sum())
    declared = {name: getattr(result.survey.counts, name) for name in Counts.model_fields}
    return {**declared, "eligible": evidence.eligible, "returned": evidence.returned, "valid": evidence.valid,
            "satisfied": satisfied if evidence.programme.satisfied_form else None}  # fmt: skip


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows with plain Python values, None where there is no number."""
    return [{str(key): plain(value) for key, value in row.items()} for row in rows_of(table)]


def plain(value: Any) -> Any:
    """Return a value as JSON knows it.

    >>> plain(np.float64("nan")), plain(np.int64(3)), plain(2.0)
    (None, 3, 2.0)
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _blank_to_none(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if value == "" else value for key, value in row.items()}


def as_json(content: Any) -> str:
    """Return JSON text: readable, in a fixed order, without NaN."""
    data = content.model_dump(mode="json") if isinstance(content, BaseModel) else content
    return json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
