"""How is a result said? Names, formulas and sentences, made from results by rules."""

from typing import Any

from csat_analysis.assessment import Assessment, unit_of
from csat_analysis.catalogue import MEASURES
from csat_analysis.programmes import NOT_APPLICABLE, Programme
from csat_analysis.words import Words

# --- names --------------------------------------------------------------------------------------------------------------


def item_title(programme: Programme, item: str, words: Words) -> str:
    """Return what an item is called."""
    return next(words.title(each.title, each.id) for each in programme.items if each.id == item)


def level_title(programme: Programme, level: str, words: Words) -> str:
    """Return what an answer is called."""
    if level in (NOT_APPLICABLE, "", "empty"):
        return words("head.not_applicable" if level == NOT_APPLICABLE else "head.empty")
    return next((words.title(each.title, each.id) for each in programme.scale.levels if each.id == level), level)


def measure_title(programme: Programme, name: str, words: Words) -> str:
    """Return what a measure, the index, or an item's figure is called."""
    if name == "index" and programme.index:
        return words.title(programme.index.title, words("measure.index"))
    if name in MEASURES:
        return words(f"measure.{name}")
    item, figure = name.rsplit(".", 1)
    return words(f"expect.{figure}", title=item_title(programme, item, words))


def trigger_title(programme: Programme, trigger: str, words: Words) -> str:
    """Return what a trigger is called."""
    return next((words.title(each.title) for each in programme.triggers if each.id == trigger), trigger)


def grade_title(programme: Programme, grade: str, words: Words) -> str:
    """Return what a grade is called."""
    return next(words.title(each.title, each.id) for each in programme.grades if each.id == grade)


def formula(programme: Programme, name: str, words: Words) -> str:
    """Return what a measure counts, in words."""
    if name == "index" and programme.index:
        terms = [f"{_coefficient(c)}{measure_title(programme, term, words)}" for term, c in programme.index.terms.items()]
        return " ".join(terms).removeprefix("+ ")
    base = words(f"base.{programme.satisfaction_rate.denominator}")
    return words(f"formula.{name}", base=base)


def _coefficient(coefficient: float) -> str:
    sign, size = ("−" if coefficient < 0 else "+"), abs(coefficient)
    return f"{sign} " if size == 1 else f"{sign} {size:g} × "


def satisfied_reading(programme: Programme, words: Words) -> str:
    """Return what "a satisfied form" is."""
    form = programme.satisfied_form
    if form is None:
        return words("none")
    item = item_title(programme, form.item, words) if form.item else ""
    return words(f"reading.{form.reading}", item=item, share=words.number(form.share, "share"))


def colon(words: Words, left: str, right: str) -> str:
    return f"{left}{words('colon')}{right}"


def status_sentences(result: Assessment, words: Words) -> list[str]:
    remedy = result.survey.run.remedy
    sentences = [words(f"status.{result.status}")]
    if result.status == "remedy_due" and remedy and remedy.due_on:
        sentences.append(words("note.remedy_due_on", date=words.date(remedy.due_on)))
    if remedy and remedy.closed_on and remedy.due_on and remedy.due_on < remedy.closed_on <= result.survey.run.as_of:
        sentences.append(words("note.remedy_late", date=words.date(remedy.closed_on), due=words.date(remedy.due_on)))
    return sentences


def return_sentence(result: Assessment, words: Words) -> str:
    evidence = result.evidence
    returned, valid = words.count(evidence.returned), words.count(evidence.valid)
    if not evidence.distributed:
        return words("sentence.returned", returned=returned, valid=valid)
    rate = words.number(evidence.returned / evidence.distributed, "share")
    sent = words.count(evidence.distributed)
    return words("sentence.returned_of", returned=returned, distributed=sent, rate=rate, valid=valid)


def gate_sentences(result: Assessment, words: Words) -> list[str]:
    """Return which rules are not met, in progress or without data, and what that sets off."""
    programme, gates = result.survey.programme, result.gates
    if gates.empty:
        return []
    verdicts = gates["verdict"].fillna("missing")
    sentences = []
    for verdict, key in {"not_met": "gates_failed", "in_progress": "in_progress", "missing": "missing"}.items():
        names = [_gate_phrase(programme, gate, words) for gate in gates[verdicts == verdict].itertuples()]
        if names:
            sentences.append(words(f"sentence.{key}", names=words.listing(names)))
    if "not_met" not in set(verdicts) and (verdicts == "met").any():
        sentences.insert(0, words("sentence.gates_met", n=int((verdicts == "met").sum())))
    if len(result.triggers):
        names = [trigger_title(programme, trigger, words) for trigger in dict.fromkeys(result.triggers["id"])]
        sentences.append(words("sentence.triggers", names=words.listing(names)))
    return sentences


def _gate_phrase(programme: Programme, gate: Any, words: Words) -> str:
    unit = unit_of(gate.measure, programme)
    wanted = words(f"comparison.{gate.comparison}", threshold=words.number(gate.threshold, unit))
    return f"{measure_title(programme, gate.measure, words)} {words.number(gate.value, unit)} ({wanted})"
