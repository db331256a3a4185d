"""Where does each value of a procedure come from, and what carries each of its clauses?"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from csat_analysis.ground.programmes import Clause, Programme, Sourced, Title


class Carried(NamedTuple):
    """A clause, and the rules, steps and registers of the programme that carry it out."""

    clause: Clause
    carriers: tuple[dict[str, Any], ...]


def matrix(programme: Programme) -> list[Carried]:
    """Return every clause of the document with what carries it: rows of ``rules``.

    Examples
    --------
    >>> programme = Programme.model_validate({
    ...     "id": "demo", "version": 1, "effective_from": "2024-01-01", "title": "Demonstration",
    ...     "scale": {"good": 1, "bad": 0}, "items": [{"id": "service", "clause": "4.1"}],
    ...     "clauses": [{"id": "4.1", "title": "What is measured"}, {"id": "4.2", "title": "Records"}],
    ...     "worked_example": {"responses": "form_id | service", "expect": {"returned": 0}}})
    >>> [(carried.clause.id, [rule["id"] for rule in carried.carriers]) for carried in matrix(programme)]
    [('4.1', ['service']), ('4.2', [])]
    """
    found = list(rules(programme))
    return [Carried(each, tuple(rule for rule in found if rule["clause"] == each.id)) for each in programme.clauses]


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
    yield row("validity", programme.validity, shown=programme.validity)
    for contradiction in programme.validity.contradictions:
        yield row("contradiction", contradiction, contradiction.id, contradiction.title, contradiction.answers)
    if programme.full_points:
        yield row("full_points", programme.full_points, shown=programme.full_points.value)
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
    if programme.latent:
        yield row("latent", programme.latent, shown=programme.latent)
    for grade in programme.grades:
        yield row("grade", grade, grade.id, grade.title, grade.lower)
    for step in programme.steps:
        yield row("step", step, step.id, step.title, step)
    for register in programme.registers:
        yield row("register", register, register.id, register.title)
    for reading in programme.interpretations:
        yield row("interpretation", Sourced(note=reading.note), reading.of, title=reading.text)
    yield row("min_n", Sourced(), shown=programme.min_n)
