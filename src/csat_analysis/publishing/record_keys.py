"""Which keys does a record have? All of them, with their types; what they mean stands in the words of the schema."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class LeftOut(Row):
    """A question that is not compared with the overall one, and why."""

    item: str
    answered: Number
    reason: str


class DriversRow(Row):
    """What the other questions together explain of the overall one; or why nothing can be said."""

    target: str | None
    reason: str
    n: int
    items: int
    method: Literal["lmg", "johnson"] | None
    r_squared: Number
    conf_low: Number
    conf_high: Number
    replications: int
    lacking: int
    performance_at: Number
    importance_at: Number
    left_out: list[LeftOut]


class ImportanceRow(Row):
    """How much of what is explained goes with a question, and how the question itself stands."""

    item: str
    rank: Number
    rank_low: Number
    rank_high: Number
    share: Number
    share_low: Number
    share_high: Number
    first: Number
    correlation: Number
    answered: Number
    johnson: Number
    performance: Number
    performance_low: Number
    performance_high: Number
    quadrant: str | None
    certainty: Number
    half_major: Number
    half_minor: Number
    angle: Number
    reason: str


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
    drivers: DriversRow
    importance: list[ImportanceRow]
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
