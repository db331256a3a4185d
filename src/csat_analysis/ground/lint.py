"""What is well-formed in a procedure and yet suspicious? Findings for its author; none stops a run."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.clauses import matrix
from csat_analysis.ground.programmes import Grade, Level, Place, Programme, Strict, meets, reach
from csat_analysis.ground.words import languages

SATISFIED = re.compile(r"(?<!不)(?<!不[很太够])满意|(?<!dis)(?<!un)(?<!not[ _])satisf")
DISSATISFIED = re.compile(r"不[很太够]?满意|(dis|un|not[ _])satisf")
TEXTS = ("title", "text", "note", "explanation", "responsible")  # the keys that hold a text of each language


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


def lint_targets(programme: Programme, targets: Mapping[str, float]) -> list[Finding]:
    """Return what is suspicious in the targets that a run file sets for measures of a procedure."""
    return [Finding(*found) for name, value in targets.items() for found in _target(programme, name, value)]


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


def _full_points(programme: Programme) -> Found:
    """Yield stated full points that are neither the sum nor the weighted mean of the best answers."""
    best = _best(programme)
    if programme.full_points and best:
        stated, total = programme.full_points.value, sum(full for _, full in best)
        mean = sum(weight * full for weight, full in best) / sum(weight for weight, _ in best)
        if not (_same(stated, total) or _same(stated, mean)):
            wrong = f"{stated:g} points are stated and the best answers add to {total:g}"
            yield ("full_points", "value"), "full_points", f"{wrong}; mend the one that is wrong."


def _points_outside(programme: Programme) -> Found:
    """Yield the answers that alone give, or take, more than the full points of a form."""
    full = programme.full_points.value if programme.full_points else math.inf
    for place, points in _tables(programme):
        for level in [level for level, value in points.items() if abs(value) > full]:
            wrong = f"{level!r} has {points[level]:g} points and a whole form {full:g}"
            yield (*place, level), "points_outside", f"{wrong}; mend the one that is wrong."


def _level_steps(programme: Programme) -> Found:
    """Yield points that do not follow the scale, or change more than twice as much at one step than at another.

    Twice is our bound: 100, 60, 0 passes, and under 5, 4, -3, -5 a few dissatisfied answers decide. Steps without any
    change are left out, and items after the first with points of its own to ``_level_shares``.
    """
    for place, points in _tables(programme)[:1]:
        falls = {(one, two): points[one] - points[two] for one, two in pairwise(programme.level_ids)}
        steps = sorted((abs(fall), *pair) for pair, fall in falls.items() if fall)
        if min(falls.values()) < 0 < max(falls.values()):
            sentence = "the points rise and fall along the scale; list the levels from one end to the other."
            yield place, "level_order", sentence
        elif steps and steps[-1][0] > 2 * steps[0][0] + 1e-9:
            wrong = " and ".join(f"by {step:g} from {one!r} to {two!r}" for step, one, two in (steps[-1], steps[0]))
            yield place, "uneven_steps", f"the points change {wrong}; even the steps, or say that this is meant."


def _construct_points(programme: Programme) -> Found:
    """Yield the items of constructs whose points do not follow the scale as those of the first item do.

    A path model takes points for a measure: two answers of the same points are one answer to it, and an item that is
    counted the other way round comes out with a negative weight.
    """
    listed = [item for each in (programme.latent.constructs if programme.latent else ()) for item in each.items]
    items = {item.id: (i, programme.item_points(item)) for i, item in enumerate(programme.items)}
    rows = [(*items[item], item) for item in listed if item in items]
    falls = [
        [points[a] - points[b] for a, b in pairwise(programme.level_ids)] if points else [] for _, points, _ in rows
    ]
    sign = -1 if falls and sum(falls[0]) < 0 else 1
    for (i, _, item), steps in zip(rows, falls, strict=True):
        if any(sign * step <= 0 for step in steps):
            wrong = f"the points of {item!r} do not {'fall' if sign > 0 else 'rise'} at every step of the scale"
            yield ("items", i, "points"), "construct_points", f"{wrong}; a path model takes them for a measure."


def _unpublished_index(programme: Programme) -> Found:
    """Yield a path model whose index stands nowhere."""
    named = {*(each.id for each in programme.measures), *(gate.measure for gate in programme.gates)}
    named |= {programme.headline_measure, *(programme.index.terms if programme.index else ())}
    if programme.latent and "latent_index" not in named:
        wrong = "nothing publishes the index of the path model"
        yield ("latent",), "unpublished_index", f"{wrong}; name latent_index under measures, or as the headline."


def _balance(programme: Programme) -> Found:
    """Yield a scale with more satisfied levels than others, or fewer; of an odd number one is the middle."""
    levels, satisfied = len(programme.level_ids), programme.satisfied
    if satisfied and len(set(satisfied.levels)) != levels // 2:
        wrong = f"{len(set(satisfied.levels))} of {levels} levels count as satisfied"
        yield ("satisfied", "levels"), "unbalanced", f"{wrong}; {levels // 2} would be balanced."


def _sides(programme: Programme) -> Found:
    """Yield a scale, or grades, with more names of satisfaction, or fewer, than of dissatisfaction."""
    scale: tuple[Level | Grade, ...] = programme.scale.levels
    for place, answers in {("scale", "levels"): scale, ("grades",): programme.grades}.items():
        sides = Counter(map(_side, answers))
        if sides[1] and sides[-1] and sides[1] != sides[-1]:
            wrong = f"{sides[1]} say satisfied and {sides[-1]} dissatisfied"
            yield place, "unbalanced", f"{wrong}; the same number on both sides would be balanced."


def _side(answer: Level | Grade) -> int:
    """Return 1 for a name of satisfaction, -1 for one of dissatisfaction, 0 for neither or both."""
    text = " ".join([answer.id, *(answer.title or {}).values()]).lower()
    return bool(SATISFIED.search(text)) - bool(DISSATISFIED.search(text))


def _best(programme: Programme) -> list[tuple[float, float]]:
    """Return weight and best points of each item that enters the score."""
    weighted = any(item.weight for item in programme.items)
    weights = [item.weight or 0.0 if weighted else float(not item.optional) for item in programme.items]
    points = map(programme.item_points, programme.items)
    return [(weight, max(each.values())) for weight, each in zip(weights, points, strict=True) if weight and each]


def _tables(programme: Programme) -> list[tuple[Place, dict[str, float]]]:
    """Return the points of the levels that count: those of all items, and those of each item with its own."""
    shared = programme.points.values if programme.points and not all(item.points for item in programme.items) else None
    tables: list[tuple[Place, dict[str, float] | None]] = [(("points", "values"), shared)]
    tables += [(("items", i, "points"), item.points) for i, item in enumerate(programme.items)]
    return [(place, points) for place, points in tables if points]


# --- gates and triggers -----------------------------------------------------------------------------------------------


def _reachable_gates(programme: Programme) -> Found:
    for i, gate in enumerate(programme.gates):
        low, high = reach(programme, gate.measure)
        met = {meets(value, gate.comparison, gate.threshold) for value in (low, high)}
        meant = _meant(gate.threshold, high)
        if len(met) == 1:
            wrong = f"is {'always' if met == {True} else 'never'} {gate.comparison} {gate.threshold:g}"
            sentence = f"{gate.measure} lies between {low:g} and {high:g} and {wrong}; {meant or 'move the threshold.'}"
            yield ("gates", i, "threshold"), "unreachable_gate", sentence
        elif meant:
            sentence = f"{gate.measure} lies between {low:g} and {high:g}; {meant}"
            yield ("gates", i, "threshold"), "per_cent", sentence


def _target(programme: Programme, name: str, value: float) -> Found:
    low, high = reach(programme, name)
    meant, outside = _meant(value, high), not low <= value <= high
    if outside or meant:
        sentence = f"{name} lies between {low:g} and {high:g}; {meant or f'{value:g} is never reached.'}"
        yield ("targets", name), "unreachable_target" if outside else "per_cent", sentence


def _meant(value: float, high: float) -> str:
    """Return a question where per cent is written for a share, or a share for points of a hundred; else nothing."""
    if _same(high, 1) and 1 < value <= 100:
        return f"is {value:g} meant as {value / 100:g}?"
    return f"is {value:g} meant as {value * 100:g}?" if _same(high, 100) and 0 < value <= 1 else ""


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
    """Yield an index whose unit is not said, does not suit its terms, or promises a share that can fall below 0."""
    if not programme.index:
        return
    index, (low, high) = programme.index, reach(programme, "index")
    units, factor = {name: MEASURES[name].unit for name in index.terms}, max(map(abs, index.terms.values()))
    wrong = f"the index is called a share and lies between {low:g} and {high:g}"
    if "unit" not in index.model_fields_set and len(set(units.values())) > 1:
        added = " and ".join(f"{name} ({unit})" for name, unit in units.items()) + " are added"
        yield ("index", "terms"), "mixed_units", f"{added}; say what comes out (unit: points or share)."
    elif index.unit == "points" and set(units.values()) == {"share"} and factor <= 1:
        yield ("index", "unit"), "index_unit", "shares are added and points come out; say unit: share."
    elif index.unit == "share" and max(factor, high) > 1 + 1e-9:
        yield ("index", "unit"), "index_unit", f"{wrong}; say unit: points, or mend the terms."
    elif index.unit == "share" and low < 0:
        yield ("index", "unit"), "negative_share", f"{wrong}; it is no share of customers: tell its readers."


def _index_terms(programme: Programme) -> Found:
    """Yield the terms that say how the survey was made and nothing of satisfaction, such as a return rate."""
    for name, factor in programme.index.terms.items() if programme.index else ():
        if factor and MEASURES[name].function.startswith("fieldwork."):
            wrong = f"{name} says how the survey was made, not how satisfied anybody is"
            yield ("index", "terms", name), "not_satisfaction", f"{wrong}; make it a gate instead."


def _grades(programme: Programme) -> Found:
    """Yield the gap below the lowest grade, and the grades that no index reaches."""
    if not (programme.grades and programme.index):
        return
    low, high = reach(programme, "index")
    above = math.inf
    for i, grade in enumerate(programme.grades):
        meant = _meant(grade.lower, high)
        if grade.lower > high or above <= low:
            wrong = f"the index lies between {low:g} and {high:g} and is never graded {grade.id!r}"
            yield ("grades", i, "lower"), "unreachable_grade", f"{wrong}; {meant or 'move the bound.'}"
        elif meant and i == 0:
            yield ("grades", i, "lower"), "per_cent", f"the index lies between {low:g} and {high:g}; {meant}"
        above = grade.lower
    if above > low and not _same(above, low):
        sentence = f"the lowest grade begins at {above:g} and the index can fall to {low:g}; begin it there."
        yield ("grades", len(programme.grades) - 1, "lower"), "grade_gap", sentence


def _bands(programme: Programme) -> Found:
    """Yield the grades whose stated upper bound reaches into the next better grade, or stays below it.

    Where some grades state an upper bound, one that states none reaches over all that are better.
    """
    grades = programme.grades
    stated = any(grade.upper is not None for grade in grades[1:])
    for i, (better, grade) in enumerate(pairwise(grades), start=1):
        upper = math.inf if grade.upper is None else grade.upper
        meets = _same(upper, better.lower)
        ends = "has no upper bound" if grade.upper is None else f"reaches to {upper:g}"
        wrong = f"{grade.id!r} {ends} and {better.id!r} begins at {better.lower:g}"
        if stated and (grade.upper_included if meets else upper > better.lower):
            yield ("grades", i, "upper"), "grade_overlap", f"{wrong}; end it there, without the bound itself."
        elif stated and not meets:
            yield ("grades", i, "upper"), "grade_gap", f"{wrong}; what lies between has no grade."


# --- the document -----------------------------------------------------------------------------------------------------


def _uncited_clauses(programme: Programme) -> Found:
    for i, carried in enumerate(matrix(programme)):
        if not carried.carriers:
            wrong = f"no rule, step or register carries out {carried.clause.id!r}"
            yield ("clauses", i), "uncited_clause", f"{wrong}; cite it where it is carried out."


def _idle_registers(programme: Programme) -> Found:
    """Yield the records that no step leaves behind, where steps name records and no part of the survey shows it."""
    written = {step.record for step in programme.steps} - {None}
    for i, each in enumerate(programme.registers):
        if written and each.seen_in == "steps" and each.id not in written:
            sentence = f"no step leaves {each.id!r} behind; name it as the record of the one that does."
            yield ("registers", i, "id"), "idle_register", sentence


def _unlisted_registers(programme: Programme) -> Found:
    """Yield the records that are missing in the document's list: the clause that most of them come from."""
    clauses = Counter(each.clause for each in programme.registers)
    for i, each in enumerate(programme.registers):
        listed, times = clauses.most_common(1)[0]
        if each.clause and listed and each.clause != listed and 2 * times > len(programme.registers):
            wrong = f"{each.id!r} is asked for in {each.clause} and not in {listed}, which lists the records"
            yield ("registers", i, "clause"), "unlisted_register", f"{wrong}; add it there."


def _translations(programme: Programme) -> Found:
    for place, text in _texts(programme, ()):
        missing = [language for language in languages() if not text.get(language, "").strip()]
        if missing:
            yield place, "untranslated", f"there is nothing in {' and '.join(missing)}; write it in every language."


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, dict[str, str]]]:
    """Yield the texts of a procedure that are written in each language, with their places."""
    if isinstance(value, Strict):
        for name in type(value).model_fields:
            yield from _texts(getattr(value, name), (*place, name))
    elif isinstance(value, tuple):
        for i, part in enumerate(value):
            yield from _texts(part, (*place, i))
    elif isinstance(value, dict) and place[-1] in TEXTS:
        yield place, value


def _remarks(programme: Programme) -> Found:
    for i, remark in enumerate(programme.remarks):
        text = remark.text.get("en") or next(iter(remark.text.values()))
        yield ("remarks", i), remark.kind, f"{remark.clause}: {text}"


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, abs_tol=1e-9)


CHECKS: tuple[Callable[[Programme], Found], ...] = (
    *(_weights, _item_shares, _level_shares, _full_points, _points_outside, _level_steps, _balance, _sides),
    *(_construct_points, _unpublished_index),
    *(_reachable_gates, _consequences, _idle_triggers),
    *(_index_unit, _index_terms, _grades, _bands),
    *(_uncited_clauses, _idle_registers, _unlisted_registers, _translations, _remarks),
)
