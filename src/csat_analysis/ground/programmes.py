"""What does a procedure say? Its rules, scale and words as frozen data."""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from csat_analysis.ground.catalogue import MEASURES

Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Identifier = Annotated[str, Field(pattern=r"^[^\W\d]\w*$", max_length=64)]  # letters of any script, digits, _
Comparison = Literal["at_least", "more_than", "at_most", "less_than"]
Place = tuple[int | str, ...]
_WHOLE = re.compile(r"[+-]?\d+\.0+")

NOT_APPLICABLE = "not_applicable"
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


class Validity(Sourced):
    """What makes a returned form valid."""

    min_answered: Annotated[int, Field(ge=1)] = 1


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


class Grade(Sourced):
    """One band of the index, from its lower bound on."""

    id: Identifier
    title: Title | None = None
    lower: Finite


class Duty(Sourced):
    """Something the procedure asks for by a time: every so often, or so long before the survey."""

    id: Identifier
    title: Title
    every: Literal["month", "quarter", "half_year", "year"] | None = None
    months_before: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _has_one_time(self) -> Self:
        if (self.every is None) == (self.months_before is None):
            raise ValueError("a duty has either every or months_before; keep one of the two")
        return self


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
    headline: MeasureName | None = Field(None, description="what the portal shows first")
    schedule: tuple[Duty, ...] = ()
    min_n: Annotated[int, Field(ge=1)] = Field(5, description="smaller groups are suppressed")
    chapters: tuple[str, ...] = ("10_fieldwork", "20_satisfaction")
    interpretations: tuple[Interpretation, ...] = ()
    remarks: tuple[Remark, ...] = ()
    worked_example: WorkedExample

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
    def headline_measure(self) -> str:
        """Return what the portal shows first: the declared headline, else the index, else the satisfaction rate."""
        return self.headline or ("index" if self.index else "satisfaction_rate")

    def item_points(self, item: Item) -> dict[str, float] | None:
        """Return the points of each level on an item, or None where the programme gives none."""
        return item.points or (self.points.values if self.points else None)


def faults(programme: Programme) -> Iterator[tuple[Place, str]]:
    """Yield the place and the sentence of everything that single keys cannot show to be wrong."""
    yield from _repeated(programme)
    yield from _unknown_levels(programme)
    yield from _unknown_items(programme)
    yield from _unknown_measures(programme)
    bounds = [grade.lower for grade in programme.grades]
    if bounds != sorted(set(bounds), reverse=True):
        yield ("grades",), f"the lower bounds {bounds} do not fall; list the best grade first, each bound once."
    if programme.grades and not programme.index:
        yield ("grades",), "grades are bands of the index, and there is no index; add one or take the grades away."


def _repeated(programme: Programme) -> Iterator[tuple[Place, str]]:
    for key, ids in {"items": programme.item_ids, "triggers": [t.id for t in programme.triggers]}.items():
        for position, identifier in enumerate(ids):
            if identifier in ids[:position]:
                yield (key, position, "id"), f"{identifier!r} stands twice; each id stands once."
    for position, level in enumerate(programme.level_ids):
        if level in (NOT_APPLICABLE, "empty", "rejected"):
            yield (
                ("scale", "levels", position, "id"),
                f"{level!r} is a word of the tables; call the level something else.",
            )
    for position, item in enumerate(programme.item_ids):
        if item in COLUMNS:
            yield ("items", position, "id"), f"{item!r} is a column of the tables; call the item something else."
    yield from _claimed_twice(programme)
    if len(set(programme.level_ids)) < len(programme.level_ids):
        yield ("scale", "levels"), f"{programme.level_ids} holds a level twice; each id stands once."


def _claimed_twice(programme: Programme) -> Iterator[tuple[Place, str]]:
    """Yield each code or title by which two different answers would be recognised."""
    claimed = {word(text): NOT_APPLICABLE for text in (*NOT_APPLICABLE_WORDS, *programme.not_applicable)}
    for position, level in enumerate(programme.scale.levels):
        for text in filter(None, map(word, filter(None, (level.id, level.code, *(level.title or {}).values())))):
            other = claimed.setdefault(text, level.id)
            if other != level.id:
                yield (
                    ("scale", "levels", position),
                    f"{text!r} means {other!r} and {level.id!r}; give each answer its own code and title.",
                )


def _unknown_levels(programme: Programme) -> Iterator[tuple[Place, str]]:
    levels = programme.level_ids
    named: list[tuple[Place, Any]] = [
        (("satisfied", "levels"), programme.satisfied.levels if programme.satisfied else ())
    ]
    named += [(("points", "values"), programme.points.values if programme.points else ())]
    named += [(("items", i, "points"), item.points or ()) for i, item in enumerate(programme.items)]
    for place, names in named:
        for name in names:
            if name not in levels:
                yield place, f"{name!r} is not a level here; use one of {levels}."
    for i, item in enumerate(programme.items):
        points = programme.item_points(item)
        missing = [level for level in levels if points is not None and level not in points]
        if missing:
            yield ("items", i, "points"), f"no points for {missing}; every level of the scale needs its points."


def _unknown_items(programme: Programme) -> Iterator[tuple[Place, str]]:
    form = programme.satisfied_form
    if form and form.item and form.item not in programme.item_ids:
        yield ("satisfied_form", "item"), f"{form.item!r} is not an item here; use one of {programme.item_ids}."
    if form and not programme.satisfied:
        yield ("satisfied_form",), "nothing says which answers count as satisfied; add satisfied: {levels: [...]}."
    for i, item in enumerate(programme.items):
        gated = any(gate.measure.startswith(f"{item.id}.") for gate in programme.gates)
        if item.optional and (item.weight or gated):
            yield ("items", i, "optional"), f"{item.id!r} has a weight or a gate; only an item without may be optional."


def _unknown_measures(programme: Programme) -> Iterator[tuple[Place, str]]:
    items = "|".join(map(re.escape, programme.item_ids))
    named: list[tuple[Place, str]] = [(("gates", i, "measure"), g.measure) for i, g in enumerate(programme.gates)]
    named += [(("headline",), programme.headline)] if programme.headline else []
    for place, name in named:
        if name == "index" and programme.index is None:
            yield place, "there is no index here; add one or name a measure."
        elif name not in MEASURES and name != "index" and not re.fullmatch(rf"({items})\.(mean|satisfied)", name):
            yield (
                place,
                f"{name!r} is not a measure; use index, <item>.mean, <item>.satisfied or one of {sorted(MEASURES)}.",
            )
    plain: list[tuple[Place, str]] = [(("measures", i), measure.id) for i, measure in enumerate(programme.measures)]
    plain += [(("index", "terms", name), name) for name in (programme.index.terms if programme.index else ())]
    for place, name in plain:
        if name not in MEASURES:
            yield place, f"{name!r} is not a measure; use one of {sorted(MEASURES)}."


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
    share = bool(item) or MEASURES[measure].unit == "share"
    return 0.0, 1.0 if share else math.inf


def _points(programme: Programme, item_id: str = "") -> list[list[float]]:
    """Return the points of an item's levels, or of each item that enters the score."""
    weighted = any(item.weight for item in programme.items)
    scored = [it for it in programme.items if (it.weight if weighted else not it.optional)]
    chosen = [it for it in programme.items if it.id == item_id] if item_id else scored
    return [list(points.values()) for item in chosen if (points := programme.item_points(item))]


def rules(programme: Programme) -> Iterator[dict[str, Any]]:
    """Yield every rule of a procedure with where it comes from.

    Yields
    ------
    dict
        ``rule`` (the key in the file), ``id``, ``title``, ``value``, ``source``, ``clause``, ``note``; language-free.
    """

    def row(
        rule: str, value: Sourced, identifier: str = "", title: Title | None = None, shown: Any = None
    ) -> dict[str, Any]:
        return {
            "rule": rule, "id": identifier, "title": title, "value": shown,
            "source": value.source, "clause": value.clause, "note": value.note,
        }  # fmt: skip

    yield row("scale", programme.scale, shown=programme.level_ids)
    if programme.points:
        yield row("points", programme.points, shown=programme.points.values)
    if programme.satisfied:
        yield row("satisfied", programme.satisfied, shown=list(programme.satisfied.levels))
    for item in programme.items:
        yield row("item", item, item.id, item.title, {"weight": item.weight, "points": item.points})
    yield row("validity", programme.validity, shown=programme.validity.min_answered)
    if programme.satisfied_form:
        form = programme.satisfied_form
        yield row("satisfied_form", form, shown={"reading": form.reading, "item": form.item, "share": form.share})
        rate = programme.satisfaction_rate
        yield row("satisfaction_rate", rate, shown=rate.denominator)
    for gate in programme.gates:
        yield row("gate", gate, gate.measure, shown=gate)
    for measure in programme.measures:
        yield row("measure", measure, measure.id)
    for trigger in programme.triggers:
        yield row("trigger", trigger, trigger.id, trigger.title)
    if programme.index:
        yield row("index", programme.index, title=programme.index.title, shown=programme.index.terms)
    for grade in programme.grades:
        yield row("grade", grade, grade.id, grade.title, grade.lower)
    for duty in programme.schedule:
        yield row("duty", duty, duty.id, duty.title, {"every": duty.every, "months_before": duty.months_before})
    for reading in programme.interpretations:
        yield row("interpretation", Sourced(note=reading.note), reading.of, title=reading.text)
    yield row("min_n", Sourced(), shown=programme.min_n)
