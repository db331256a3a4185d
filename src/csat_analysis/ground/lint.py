"""What is well-formed in a procedure and yet suspicious? Findings for its author; none stops a run."""

import math
import operator
from collections.abc import Callable, Iterator
from typing import NamedTuple

from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.programmes import Place, Programme, reach

HOLDS = {"at_least": operator.ge, "more_than": operator.gt, "at_most": operator.le, "less_than": operator.lt}


class Finding(NamedTuple):
    """What a procedure's author should look at: its place in the file, its kind, and the sentence."""

    place: Place
    kind: str
    sentence: str

    def __str__(self) -> str:
        keys = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.place)
        return f"{keys.lstrip('.')}: {self.sentence}"


def lint(programme: Programme) -> list[Finding]:
    """Return what is suspicious in a procedure, and then what its remarks say of the document.

    Examples
    --------
    >>> programme = Programme.model_validate({
    ...     "id": "demo", "version": 1, "effective_from": "2024-01-01", "title": "Demonstration",
    ...     "scale": {"good": 1, "bad": 0}, "items": [{"id": "service"}],
    ...     "gates": [{"measure": "return_rate", "comparison": "at_least", "threshold": 70,
    ...                "severity": "target"}],
    ...     "worked_example": {"responses": "form_id | service", "expect": {"returned": 0}}})
    >>> print(lint(programme)[0])
    gates[0].threshold: return_rate lies between 0 and 1 and is never at_least 70; is 70 meant as 0.7?
    """
    return [Finding(*found) for check in CHECKS for found in check(programme)]


Found = Iterator[tuple[Place, str, str]]


# --- items, points and levels -----------------------------------------------------------------------------------------


def _weights(programme: Programme) -> Found:
    weights = [item.weight for item in programme.items if item.weight is not None]
    if weights and not _same(sum(weights), 1):
        yield ("items",), "weights", f"the weights add to {sum(weights):g}; shares of one score add to 1."
    for i, item in enumerate(programme.items):
        if weights and item.weight is None:
            wrong = f"{item.id!r} is asked and has no weight while other items have one"
            yield ("items", i, "weight"), "unweighted_item", f"{wrong}; give it one, or say why not."


def _item_shares(programme: Programme) -> Found:
    """Yield the items whose own points are another share of full points than their weight says."""
    rows = [(i, item, max(item.points.values())) for i, item in enumerate(programme.items) if item.points]
    total, weights = sum(full for *_, full in rows), sum(item.weight or 0 for _, item, _ in rows)
    for i, item, full in rows if total > 0 and weights else ():
        share, weight = full / total, (item.weight or 0) / weights
        if not _same(share, weight):
            wrong = f"{item.id!r} has {share:.1%} of full points and {weight:.1%} of the weight"
            yield ("items", i, "points"), "item_share", f"{wrong}; make the points follow the weight."


def _level_shares(programme: Programme) -> Found:
    """Yield the levels that are worth another share of full points than on the first item with points."""
    rows = [(i, item.id, item.points) for i, item in enumerate(programme.items) if item.points]
    rows = [row for row in rows if max(row[2].values()) > 0]
    for i, item, points in rows[1:]:
        _, first, usual = rows[0]
        for level in programme.level_ids:
            full, share = max(points.values()), usual[level] / max(usual.values())
            if not _same(points[level] / full, share):
                wrong = f"{points[level] / full:.1%} of full points on {item!r} and {share:.1%} on {first!r}"
                sentence = f"{level!r} is {wrong}; {share * full:g} points would be the same share."
                yield ("items", i, "points", level), "level_share", sentence


def _balance(programme: Programme) -> Found:
    """Yield a scale with more satisfied levels than others, or fewer; of an odd number one is the middle."""
    levels, satisfied = len(programme.level_ids), programme.satisfied
    if satisfied and len(set(satisfied.levels)) != levels // 2:
        wrong = f"{len(set(satisfied.levels))} of {levels} levels count as satisfied"
        yield ("satisfied", "levels"), "unbalanced", f"{wrong}; {levels // 2} would be balanced."


# --- gates and triggers -----------------------------------------------------------------------------------------------


def _reachable_gates(programme: Programme) -> Found:
    for i, gate in enumerate(programme.gates):
        low, high = reach(programme, gate.measure)
        met = {HOLDS[gate.comparison](value, gate.threshold) for value in (low, high)}
        if len(met) == 1:
            wrong = f"is {'always' if met == {True} else 'never'} {gate.comparison} {gate.threshold:g}"
            meant = f"is {gate.threshold:g} meant as {gate.threshold / 100:g}?"
            right = meant if high == 1 and 1 < gate.threshold <= 100 else "move the threshold."
            sentence = f"{gate.measure} lies between {low:g} and {high:g} and {wrong}; {right}"
            yield ("gates", i, "threshold"), "unreachable_gate", sentence


def _consequences(programme: Programme) -> Found:
    declared = sorted(trigger.id for trigger in programme.triggers)
    for i, gate in enumerate(programme.gates):
        if gate.severity == "rule" and not gate.otherwise and not gate.voids:
            wrong = f"nothing follows where {gate.measure} fails this rule"
            yield ("gates", i), "no_consequence", f"{wrong}; name what does (otherwise), or make it a target."
        if gate.otherwise and gate.otherwise not in declared:
            wrong = f"{gate.otherwise!r} is not among the triggers {declared}"
            yield ("gates", i, "otherwise"), "undeclared_trigger", f"{wrong}; declare it with its title."


def _idle_triggers(programme: Programme) -> Found:
    used = {gate.otherwise for gate in programme.gates}
    for i, trigger in enumerate(programme.triggers):
        if trigger.id not in used:
            wrong = f"no gate sets off {trigger.id!r}"
            yield ("triggers", i, "id"), "idle_trigger", f"{wrong}; name it as a gate's otherwise."


# --- index and grades -------------------------------------------------------------------------------------------------


def _index_unit(programme: Programme) -> Found:
    if programme.index and "unit" not in programme.index.model_fields_set:
        units = {name: MEASURES[name].unit for name in programme.index.terms}
        if len(set(units.values())) > 1:
            wrong = " and ".join(f"{name} ({unit})" for name, unit in units.items()) + " are added"
            yield ("index", "terms"), "mixed_units", f"{wrong}; say what comes out (unit: points or share)."


def _grades(programme: Programme) -> Found:
    """Yield the gap below the lowest grade, and the grades that no index reaches."""
    if not (programme.grades and programme.index):
        return
    low, high = reach(programme, "index")
    above = math.inf
    for i, grade in enumerate(programme.grades):
        if grade.lower > high or above <= low:
            wrong = f"the index lies between {low:g} and {high:g} and is never graded {grade.id!r}"
            yield ("grades", i, "lower"), "unreachable_grade", f"{wrong}; move the bound."
        above = grade.lower
    if above > low and not _same(above, low):
        sentence = f"the lowest grade begins at {above:g} and the index can fall to {low:g}; begin it there."
        yield ("grades", len(programme.grades) - 1, "lower"), "grade_gap", sentence


# --- the document -----------------------------------------------------------------------------------------------------


def _remarks(programme: Programme) -> Found:
    for i, remark in enumerate(programme.remarks):
        text = remark.text.get("en") or next(iter(remark.text.values()))
        yield ("remarks", i), remark.kind, f"{remark.clause}: {text}"


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, abs_tol=1e-9)


CHECKS: tuple[Callable[[Programme], Found], ...] = (
    *(_weights, _item_shares, _level_shares, _balance),
    *(_reachable_gates, _consequences, _idle_triggers),
    *(_index_unit, _grades, _remarks),
)
