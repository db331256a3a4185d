"""What in a procedure cannot be true together? Faults that single keys do not show."""

import re
from collections.abc import Iterator
from typing import Any

from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.clauses import rules
from csat_analysis.ground.programmes import (
    COLUMNS,
    FIELDWORK,
    NOT_APPLICABLE,
    NOT_APPLICABLE_WORDS,
    Latent,
    Place,
    Programme,
    word,
)


def faults(programme: Programme) -> Iterator[tuple[Place, str]]:
    """Yield the place and the sentence of everything that single keys cannot show to be wrong."""
    yield from _repeated(programme)
    yield from _unknown_levels(programme)
    yield from _unknown_items(programme)
    yield from _unknown_figures(programme)
    yield from _unknown_measures(programme)
    yield from _unknown_steps(programme)
    yield from _unlisted_clauses(programme)
    if programme.latent:
        yield from _constructs(programme, programme.latent)
    bounds = [grade.lower for grade in programme.grades]
    if bounds != sorted(set(bounds), reverse=True):
        yield ("grades",), f"the lower bounds {bounds} do not fall; list the best grade first, each bound once."
    if programme.grades and not programme.index:
        yield ("grades",), "grades are bands of the index, and there is no index; add one or take the grades away."


def _repeated(programme: Programme) -> Iterator[tuple[Place, str]]:
    listed = {
        key: [each.id for each in getattr(programme, key)] for key in ("items", "triggers", "clauses", "registers")
    }
    for key, ids in listed.items():
        for position, identifier in enumerate(ids):
            if identifier in ids[:position]:
                yield (key, position, "id"), f"{identifier!r} stands twice; each id stands once."
    for position, level in enumerate(programme.level_ids):
        if level in (NOT_APPLICABLE, "empty", "rejected", "invalid"):
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
    for i, contradiction in enumerate(programme.validity.contradictions):
        place: Place = ("validity", "contradictions", i, "answers")
        named += [((*place, name), answers) for name, answers in contradiction.answers.items()]
        for unknown in contradiction.answers.keys() - set(programme.item_ids):
            yield place, f"{unknown!r} is not an item here; use one of {programme.item_ids}."
    for place, names in named:
        for name in names:
            if name not in levels:
                yield place, f"{name!r} is not a level here; use one of {levels}."
    for i, item in enumerate(programme.items):
        points = programme.item_points(item)
        missing = [level for level in levels if points is not None and level not in points]
        if missing:
            yield ("items", i, "points"), f"no points for {missing}; every level of the scale needs its points."


def _unknown_figures(programme: Programme) -> Iterator[tuple[Place, str]]:
    """Yield what a rule on change names and nothing is called."""
    rules, known = programme.change, [*MEASURES, "index"]
    for place, names in (
        ((("change", "primary"), rules.primary), (("change", "margins"), rules.margins)) if rules else ()
    ):
        for name in names:
            item, _, figure = name.rpartition(".")
            if name not in known and not (item in programme.item_ids and figure in ("mean", "satisfied")):
                yield place, f"{name!r} is no figure here; use <item>.mean, <item>.satisfied or one of {sorted(known)}."


def _unknown_items(programme: Programme) -> Iterator[tuple[Place, str]]:
    form = programme.satisfied_form
    if programme.overall and programme.overall not in programme.item_ids:
        yield ("overall",), f"{programme.overall!r} is not an item here; use one of {programme.item_ids}."
    if form and form.item and form.item not in programme.item_ids:
        yield ("satisfied_form", "item"), f"{form.item!r} is not an item here; use one of {programme.item_ids}."
    if form and not programme.satisfied:
        yield ("satisfied_form",), "nothing says which answers count as satisfied; add satisfied: {levels: [...]}."
    for i, item in enumerate(programme.items):
        gated = any(gate.measure.startswith(f"{item.id}.") for gate in programme.gates)
        if item.optional and (item.weight or gated):
            yield ("items", i, "optional"), f"{item.id!r} has a weight or a gate; only an item without may be optional."


def _unknown_steps(programme: Programme) -> Iterator[tuple[Place, str]]:
    """Yield the steps that stand twice, or name a step or a register that is none."""
    registers, ids = [register.id for register in programme.registers], [step.id for step in programme.steps]
    words, follows = [*MEASURES, "index", FIELDWORK], {step.id: step.before for step in programme.steps}
    taken = [*registers, *words]
    for position, register in enumerate(registers):
        if register in words:
            yield (
                ("registers", position, "id"),
                f"{register!r} is taken; steps, registers and measures share their names.",
            )
    for position, step in enumerate(programme.steps):
        if step.id in [*ids[:position], *taken]:
            yield ("steps", position, "id"), f"{step.id!r} is taken; steps, registers and measures share their names."
        if step.before is not None and step.before not in {FIELDWORK, *ids} - {step.id}:
            known = sorted({FIELDWORK, *ids} - {step.id})
            yield ("steps", position, "before"), f"{step.before!r} is no other step here; use one of {known}."
        if step.before != step.id and step.id in _chain(step.before, follows):
            yield (
                ("steps", position, "before"),
                f"{step.id!r} has to precede itself; take one of the circle's steps out.",
            )
        if step.record is not None and step.record not in registers:
            yield ("steps", position, "record"), f"{step.record!r} is not a register here; use one of {registers}."


def _chain(step: str | None, follows: dict[str, str | None]) -> list[str]:
    """Return a step and those that it has to precede, each once."""
    met: list[str] = []
    while step is not None and step not in met:
        met.append(step)
        step = follows.get(step)
    return met


def _constructs(programme: Programme, latent: Latent) -> Iterator[tuple[Place, str]]:
    """Yield what a path model cannot be estimated with: its items, its paths, its frozen weights."""
    ids, placed = [each.id for each in latent.constructs], set[str]()
    if latent.target not in ids:
        yield ("latent", "target"), f"{latent.target!r} is not a construct here; use one of {ids}."
    for position, construct in enumerate(latent.constructs):
        place: Place = ("latent", "constructs", position)
        if construct.id in ids[:position]:
            yield (*place, "id"), f"{construct.id!r} stands twice; each id stands once."
        for item in construct.items:
            yield from (((*place, "items"), wrong) for wrong in _unfit(item, programme, placed))
            placed.add(item)
        for source in construct.follows:
            if source not in ids or source == construct.id:
                known = [each for each in ids if each != construct.id]
                yield (*place, "follows"), f"{source!r} is no other construct here; use one of {known}."
        if not construct.follows and not any(construct.id in each.follows for each in latent.constructs):
            yield place, f"nothing follows {construct.id!r} and it follows nothing; draw a path, or leave it out."
        if construct.id not in construct.follows and construct.id in _sources(construct.id, latent):
            yield (*place, "follows"), f"{construct.id!r} leads back to itself; take one of the circle's paths out."
    if latent.frozen and latent.target_items:
        yield from _frozen(programme, latent)


def _unfit(item: str, programme: Programme, placed: set[str]) -> Iterator[str]:
    """Yield why an item can be none of a construct's."""
    found = next((each for each in programme.items if each.id == item), None)
    points = programme.item_points(found) if found else None
    if found is None:
        yield f"{item!r} is not an item here; use one of {programme.item_ids}."
    elif item in placed:
        yield f"{item!r} stands in a construct already; an item shows one construct, once."
    elif points is None or len(set(points.values())) < 2:
        yield f"{item!r} has no two different points; give its answers some, or leave it out."
    elif found.optional:
        yield f"{item!r} may be absent, and a model needs all its items; ask it always, or leave it out."


def _sources(construct: str, latent: Latent) -> set[str]:
    """Return the constructs that lead to one, along all ways."""
    follows = {each.id: each.follows for each in latent.constructs}
    met: set[str] = set()
    ahead = list(follows[construct])
    while ahead:
        if (source := ahead.pop()) not in met:
            met.add(source)
            ahead += follows.get(source, ())
    return met


def _frozen(programme: Programme, latent: Latent) -> Iterator[tuple[Place, str]]:
    """Yield frozen weights that are not those of the target's items, or prefer low answers to high ones."""
    place: Place = ("latent", "frozen", "weights")
    given = latent.frozen.weights if latent.frozen else {}
    points = {each.id: programme.item_points(each) for each in programme.items}
    if set(given) != set(latent.target_items):
        yield (
            place,
            f"weights of {sorted(given)}; give one to each of {sorted(latent.target_items)}, the target's items.",
        )
    elif all(points.get(item) for item in given):
        reach = sum(weight * (max(p.values()) - min(p.values())) for i, weight in given.items() if (p := points[i]))
        if reach <= 0:
            yield place, "the weights prefer low answers to high ones; take them from a sound baseline."


def _unlisted_clauses(programme: Programme) -> Iterator[tuple[Place, str]]:
    """Yield the clauses that are cited and not listed, where the programme lists its clauses."""
    known = [clause.id for clause in programme.clauses]
    cited: list[tuple[Place, str]] = [(("clauses",), rule["clause"]) for rule in rules(programme) if rule["clause"]]
    cited += [(("interpretations", i, "of"), each.of) for i, each in enumerate(programme.interpretations)]
    cited += [(("remarks", i, "clause"), each.clause) for i, each in enumerate(programme.remarks)]
    for place, clause in cited if known else ():
        if clause not in known:
            yield place, f"{clause!r} is cited and not listed; list it with its title, or mend the citation."


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
    for place, name in [*named, *plain]:
        if name == "latent_index" and programme.latent is None:
            yield place, "there is no path model here; add latent: with its constructs, or name another measure."
