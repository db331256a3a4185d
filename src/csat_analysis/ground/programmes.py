"""What does a procedure say? Its rules, scale and words as frozen data."""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from csat_analysis.ground.catalogue import MEASURES

Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Identifier = Annotated[str, Field(pattern=r"^[^\W\d]\w*$", max_length=64)]  # letters of any script, digits, _
Comparison = Literal["at_least", "more_than", "at_most", "less_than"]
# Where it can be seen whether a step was done: the steps table, or the part of the survey that shows it by itself.
SeenIn = Literal["steps", "fieldwork", "groups", "complaints", "planning", "comments", "actions", "change", "archive"]
Place = tuple[int | str, ...]
_WHOLE = re.compile(r"[+-]?\d+\.0+")

NOT_APPLICABLE = "not_applicable"
FIELDWORK = "fieldwork"  # what a step can precede: the day on which the first form went out
COLUMNS = {  # of the tables, and those the package adds: no item may have their names
    "form_id", "customer_id", "stratum", "segment", "cluster", "weight", "count", "received_on", "channel", "row",
    "answered", "valid", "decided", "satisfied", "points", "score", "item", "index",
}  # fmt: skip


def both_languages(title: Any) -> Any:
    """Return a plain text as a title of every language."""
    return {"zh": title, "en": title} if isinstance(title, str) else title


def as_text(value: Any) -> Any:
    """Return a number as the text it was written as; leave everything else."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


# What a file may hold instead of the models' own form is said to the JSON Schema too, so that an editor accepts it.
Title = Annotated[
    dict[str, str],
    BeforeValidator(both_languages, json_schema_input_type=str | dict[str, str]),
    Field(min_length=1),
]
Text = Annotated[str, BeforeValidator(as_text, json_schema_input_type=str | int | float)]
ITEM_FIGURE = {"type": "string", "pattern": r"^\w+\.(mean|satisfied)$"}
MeasureName = Annotated[str, WithJsonSchema({"anyOf": [{"enum": [*sorted(MEASURES), "index"]}, ITEM_FIGURE]})]


NOT_APPLICABLE_WORDS = (NOT_APPLICABLE, "不适用", "Not applicable")


def word(text: str) -> str:
    """Return a text as answers are compared: trimmed, NFKC-normalised, whole numbers without their ``.0``.

    >>> word(" 5.0"), word("５")
    ('5', '5')
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    return plain[: plain.index(".")] if _WHOLE.fullmatch(plain) else plain


class Strict(BaseModel):
    """A mapping whose keys are all known and whose values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(Strict):
    """A value that says where it comes from: a clause of the document, or an assumption of the organisation."""

    clause: Annotated[str, Field(min_length=1)] | None = None
    source: Literal["clause", "assumption"] = "assumption"
    note: Title | None = None

    @model_validator(mode="before")
    @classmethod
    def _clause_implies_source(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("clause") is not None:
            return {"source": "clause", **data}
        return data

    @model_validator(mode="after")
    def _source_matches_clause(self) -> Self:
        if (self.source == "clause") != (self.clause is not None):
            raise ValueError(
                "a value has either the clause it comes from or source: assumption; name the clause, "
                "or say source: assumption and put what it leans on into note"
            )
        return self


class Level(Strict):
    """One answer of the scale."""

    id: Identifier
    title: Title | None = None
    code: Text | None = Field(None, description="how a survey tool exports this answer, such as 5")


class Scale(Sourced):
    """The answers of every item, in order."""

    levels: Annotated[tuple[Level, ...], Field(min_length=2)]


class SatisfiedLevels(Sourced):
    """The answers that count as satisfied."""

    levels: Annotated[tuple[str, ...], Field(min_length=1)]


class Points(Sourced):
    """The points of each answer, on every item that has none of its own."""

    values: dict[str, Finite]


class Item(Sourced):
    """One question."""

    id: Identifier
    title: Title | None = None
    weight: Annotated[Finite, Field(ge=0)] | None = None
    points: dict[str, Finite] | None = Field(None, description="points of each answer on this item alone")
    optional: bool = Field(False, description="the column may be absent")


class Contradiction(Sourced):
    """Answers that no form can hold together: of each item named, one of the levels."""

    id: Identifier
    title: Title
    answers: Annotated[dict[str, tuple[str, ...]], Field(min_length=2)]


class Validity(Sourced):
    """What makes a returned form valid: answers enough, and none that contradict each other."""

    min_answered: Annotated[int, Field(ge=1)] = 1
    min_share: Annotated[Share, Field(gt=0)] | None = Field(
        None, description="share of the items asked that must be answered; not applicable counts as an answer"
    )
    contradictions: tuple[Contradiction, ...] = ()


class SatisfiedForm(Sourced):
    """What "a satisfied form" is: by one item, by all items, or by a share of the items it answered."""

    reading: Literal["item", "all_items", "share_of_items"]
    item: str | None = None
    share: Share | None = None

    @model_validator(mode="after")
    def _reading_has_its_key(self) -> Self:
        needs = {"item": "item", "share_of_items": "share"}.get(self.reading)
        for key in ("item", "share"):
            if (getattr(self, key) is not None) != (key == needs):
                wanted = f"needs the key {needs!r} and no other" if needs else "takes neither item nor share"
                raise ValueError(f"reading: {self.reading} {wanted}")
        return self


class SatisfactionRate(Sourced):
    """The forms a satisfaction rate is a share of."""

    denominator: Literal["returned", "valid", "answered", "distributed"]


class Published(Sourced):
    """A measure to publish, with the clause that defines it."""

    id: MeasureName


class Gate(Sourced):
    """A threshold on a measure."""

    measure: MeasureName
    comparison: Comparison
    threshold: Finite
    severity: Literal["rule", "target"] = "rule"
    otherwise: Identifier | None = Field(None, description="the trigger a failed gate sets off")
    cumulated: bool = Field(False, description="grows until the period ends: in progress before, never failed")
    voids: Literal["unless_remedied"] | None = Field(
        None, description="failed: remedy due; void past the declared date, or where the remedy did not help"
    )


class Trigger(Sourced):
    """What a failed gate sets off."""

    id: Identifier
    title: Title


class Index(Sourced):
    """The headline score: measures times coefficients, added."""

    terms: Annotated[dict[str, Finite], Field(min_length=1)]
    title: Title | None = None
    unit: Literal["points", "share"] = "points"


class Construct(Strict):
    """Something that no single question asks, with the items that show it and the constructs that lead to it."""

    id: Identifier
    title: Title | None = None
    items: Annotated[tuple[str, ...], Field(min_length=1)]
    follows: tuple[str, ...] = Field((), description="the constructs that lead to it")


class FrozenWeights(Strict):
    """The weights of the target's items as they were in a baseline, for every site and wave."""

    period: Text
    weights: Annotated[dict[str, Finite], Field(min_length=1)]


class Latent(Sourced):
    """The satisfaction index by a path model of constructs."""

    target: str = Field(description="the construct whose index latent_index is")
    scheme: Literal["path", "factorial", "centroid"] = "path"
    least: Annotated[int, Field(ge=2)] = Field(250, description="forms below which no model is estimated")
    constructs: Annotated[tuple[Construct, ...], Field(min_length=2)]
    frozen: FrozenWeights | None = None

    @property
    def target_items(self) -> tuple[str, ...]:
        """Return the items of the target."""
        return next((each.items for each in self.constructs if each.id == self.target), ())


class Grade(Sourced):
    """One band of the index, from its lower bound on."""

    id: Identifier
    title: Title | None = None
    lower: Finite
    upper: Finite | None = Field(None, description="as the document states it: the linter compares the bands")
    upper_included: bool = False


class FullPoints(Sourced):
    """The points of a form with the best answers, where the document states them."""

    value: Annotated[Finite, Field(gt=0)]


class Clause(Strict):
    """One clause of the document, by a short title."""

    id: Annotated[str, Field(min_length=1)]
    title: Title


class Step(Sourced):
    """Something the procedure asks somebody to do: every so often, before something else, or when needed."""

    id: Identifier
    title: Title
    every: Literal["month", "quarter", "half_year", "year"] | None = None
    before: Identifier | None = Field(None, description="fieldwork, or the step that must not begin earlier")
    months: Annotated[int, Field(ge=0)] = Field(0, description="at least so many months before it")
    when_needed: bool = Field(False, description="nothing is missing where nobody did it")
    responsible: Title | None = None
    record: Identifier | None = Field(None, description="the register it must leave behind")
    seen_in: SeenIn = "steps"

    @model_validator(mode="after")
    def _months_before_something(self) -> Self:
        if self.months and self.before is None:
            raise ValueError("months says how long before something else; name it in before")
        return self


class Register(Sourced):
    """A record the procedure asks to be kept."""

    id: Identifier
    title: Title
    seen_in: SeenIn = "steps"


class ChangeRules(Strict):
    """What a change is judged by: declared before the second survey."""

    view: Literal["process", "residents"] = "process"
    primary: tuple[str, ...] = Field((), description="the figures that decide; the others are exploratory")
    margins: dict[str, Annotated[float, Field(gt=0)]] = Field({}, description="a smaller change does not matter")
    mode_shift: Annotated[float, Field(gt=0, le=1)] = Field(0.2, description="of forms by another channel")


class Interpretation(Strict):
    """What this organisation reads into a clause that can be read otherwise: always its own assumption."""

    of: Annotated[str, Field(min_length=1, description="the clause")]
    text: Title
    note: Title | None = None


class Remark(Strict):
    """Something the document leaves open, contradicts or only names: for the user to know."""

    clause: str
    kind: Literal["open", "contradiction", "only_named", "unbalanced"]
    text: Title


class WorkedExample(Strict):
    """A survey small enough to compute by hand, with what must come out."""

    responses: str
    counts: dict[str, Annotated[int, Field(ge=0)]] = {}
    expect: Annotated[dict[str, float | str | None], Field(min_length=1)]
    explanation: Title | None = None


def levels_alone(scale: Any) -> Any:
    """Return a scale given as level: points as its levels."""
    if isinstance(scale, Mapping) and "levels" not in scale:
        return {"levels": [{"id": level} for level in scale]}
    return scale


def name_alone(measure: Any) -> Any:
    """Return a measure given by its name."""
    return {"id": measure} if isinstance(measure, str) else measure


def terms_alone(index: Any) -> Any:
    """Return an index given as measure: coefficient."""
    return {"terms": dict(index)} if isinstance(index, Mapping) and "terms" not in index else index


class Programme(Strict):
    """One procedure."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
    version: Annotated[int, Field(ge=1)]
    effective_from: dt.date
    title: Title
    scale: Annotated[Scale, BeforeValidator(levels_alone, json_schema_input_type=Scale | dict[str, float])]
    points: Points | None = None
    full_points: FullPoints | None = None
    satisfied: SatisfiedLevels | None = None
    not_applicable: tuple[str, ...] = Field((), description="further codes of 'not applicable'")
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    validity: Validity = Validity()
    satisfied_form: SatisfiedForm | None = None
    satisfaction_rate: SatisfactionRate = SatisfactionRate(denominator="valid")
    measures: tuple[
        Annotated[Published, BeforeValidator(name_alone, json_schema_input_type=MeasureName | Published)], ...
    ] = Field((), description="measures to publish beside those the rules need")
    gates: tuple[Gate, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    index: Annotated[
        Index | None, BeforeValidator(terms_alone, json_schema_input_type=Index | dict[str, float] | None)
    ] = None
    grades: tuple[Grade, ...] = ()
    latent: Latent | None = None
    overall: str | None = Field(None, description="the item that stands for satisfaction as a whole")
    change: ChangeRules | None = None
    headline: MeasureName | None = Field(None, description="what the portal shows first")
    steps: tuple[Step, ...] = ()
    registers: tuple[Register, ...] = ()
    min_n: Annotated[int, Field(ge=1)] = Field(5, description="smaller groups are suppressed")
    chapters: tuple[str, ...] = ("10_fieldwork", "20_satisfaction", "30_change", "40_procedure")
    clauses: tuple[Clause, ...] = Field((), description="the clauses of the document, each cited somewhere")
    interpretations: tuple[Interpretation, ...] = ()
    remarks: tuple[Remark, ...] = ()
    worked_example: WorkedExample

    @property
    def change_rules(self) -> ChangeRules:
        """Return what a change is judged by, the headline alone where the programme does not say."""
        rules = self.change or ChangeRules()
        return rules if rules.primary else rules.model_copy(update={"primary": (self.headline_measure,)})

    @model_validator(mode="before")
    @classmethod
    def _points_of_the_scale(cls, data: Any) -> Any:
        """Take the points from a scale that is given as level: points."""
        if isinstance(data, Mapping) and isinstance(data.get("scale"), Mapping) and "levels" not in data["scale"]:
            return {"points": {"values": dict(data["scale"])}, **data}
        return data

    @property
    def item_ids(self) -> list[str]:
        """Return the ids of the items, in their order."""
        return [item.id for item in self.items]

    @property
    def level_ids(self) -> list[str]:
        """Return the ids of the levels, in their order."""
        return [level.id for level in self.scale.levels]

    @property
    def duties(self) -> "list[Step | Register]":
        """Return the steps and then the registers."""
        return [*self.steps, *self.registers]

    @property
    def headline_measure(self) -> str:
        """Return what the portal shows first: the declared headline, else the index, else the satisfaction rate."""
        return self.headline or ("index" if self.index else "satisfaction_rate")

    def item_points(self, item: Item) -> dict[str, float] | None:
        """Return the points of each level on an item, or None where the programme gives none."""
        return item.points or (self.points.values if self.points else None)


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


def reach(programme: Programme, measure: str) -> tuple[float, float]:
    """Return the lowest and the highest value that a measure, the index or a figure of an item can take."""
    if measure == "index" and programme.index:
        terms = [(name, factor) for name, factor in programme.index.terms.items() if factor]
        ends = [sorted(factor * end for end in reach(programme, name)) for name, factor in terms]
        return sum(low for low, _ in ends), sum(high for _, high in ends)
    item, _, figure = measure.rpartition(".")
    points = _points(programme, item)
    if figure in ("mean", "weighted_score"):
        return min(map(min, points), default=-math.inf), max(map(max, points), default=math.inf)
    if figure == "survey_rate" and (full := sum(map(max, points))) > 0:
        return sum(min(0.0, *each) for each in points) / full, 1.0  # no answer: 0 points
    if figure == "latent_index":
        return 0.0, 100.0
    share = bool(item) or MEASURES[measure].unit == "share"
    return 0.0, 1.0 if share else math.inf


def _points(programme: Programme, item_id: str = "") -> list[list[float]]:
    """Return the points of an item's levels, or of each item that enters the score."""
    weighted = any(item.weight for item in programme.items)
    scored = [it for it in programme.items if (it.weight if weighted else not it.optional)]
    chosen = [it for it in programme.items if it.id == item_id] if item_id else scored
    return [list(points.values()) for item in chosen if (points := programme.item_points(item))]
