"""How is a result said? Names, formulas and sentences, made from results by rules."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.assembly.gates import unit_of
from csat_analysis.ground.catalogue import MEASURES, round_shown
from csat_analysis.ground.programmes import NOT_APPLICABLE, Programme
from csat_analysis.ground.runs import Run
from csat_analysis.ground.words import Words

# --- names ------------------------------------------------------------------------------------------------------------


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


def column_title(run: Run, column: str, words: Words) -> str:
    """Return what a column of groups or strata is called."""
    name = _file_name(run, column)
    return words.title(run.names.get(name), name)


def _file_name(run: Run, column: str) -> str:
    """Return how the run file calls a column."""
    return run.design.stratum if column == "stratum" and run.design.stratum else column


def group_title(run: Run, column: str, level: str, words: Words) -> str:
    """Return what a value of such a column is called."""
    return words.title(run.levels.get(_file_name(run, column), {}).get(level), level)


def in_order(run: Run, column: str, levels: Iterable[str]) -> list[str]:
    """Return the values of such a column in the order of the run file; then the others, 2 before 10."""
    declared = list(run.levels.get(_file_name(run, column), {}))
    return sorted(
        levels, key=lambda level: (declared.index(level) if level in declared else len(declared), natural(level))
    )


def natural(text: str) -> list[str | int]:
    """Return a text as what it is sorted by: its numbers as numbers.

    >>> sorted(["10号楼", "2号楼"], key=natural)
    ['2号楼', '10号楼']
    """
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", text))]


def rule_name(rule: str, identifier: str, programme: Programme, words: Words) -> str:
    """Return what a rule of a procedure is called: its kind, and what it is on."""
    if rule in ("gate", "measure"):
        return words(f"rule.{rule}", title=measure_title(programme, identifier, words))
    owners: dict[str, Any] = {
        "item": programme.items, "trigger": programme.triggers, "grade": programme.grades, "step": programme.steps,
        "register": programme.registers, "contradiction": programme.validity.contradictions,
    }  # fmt: skip
    title = next((each.title for each in owners.get(rule, ()) if each.id == identifier), None)
    return words(f"rule.{rule}", title=words.title(title, identifier))


def invalid_title(reason: str, programme: Programme, words: Words) -> str:
    """Return why a form is invalid: a contradiction by the procedure's own words."""
    own = next((each.title for each in programme.validity.contradictions if each.id == reason), None)
    rule = programme.validity
    share = words.threshold(rule.min_share or 0.0, "share")
    return words.title(own) if own else words(f"invalid.{reason}", n=rule.min_answered, share=share)


# --- definitions ------------------------------------------------------------------------------------------------------


def formula(programme: Programme, name: str, words: Words) -> str:
    """Return what a measure counts, in words."""
    if name == "index" and programme.index:
        terms = [
            f"{_coefficient(c)}{measure_title(programme, term, words)}" for term, c in programme.index.terms.items()
        ]
        return " ".join(terms).removeprefix("+ ")
    return words(f"formula.{name}", base=base_title(programme, words))


def base_title(programme: Programme, words: Words) -> str:
    """Return which forms the satisfaction rate is a share of."""
    base, form = programme.satisfaction_rate.denominator, programme.satisfied_form
    if base == "answered" and not (form and form.item):
        return words("base.answered_any")
    return words(f"base.{base}", item=item_title(programme, form.item, words) if form and form.item else "")


def _coefficient(coefficient: float) -> str:
    sign, size = ("−" if coefficient < 0 else "+"), abs(coefficient)
    return f"{sign} " if size == 1 else f"{sign} {size:g} × "


def index_sum(result: Assessment, words: Words) -> str:
    """Return the index as the sum of its terms' values; "≈" where the figures as shown add up to another one.

    Nothing where the index is one measure.
    """
    programme, index = result.survey.programme, result.survey.programme.index
    if index is None or result.index is None or result.index["value"] is None or list(index.terms.values()) == [1]:
        return ""
    values = {term: result.measure(term)["value"] for term in index.terms}
    terms = [
        f"{_coefficient(c)}{words.number(values[term], unit_of(term, programme))}" for term, c in index.terms.items()
    ]
    total = sum(c * shown_value(values[term], unit_of(term, programme)) for term, c in index.terms.items())
    value = result.index["value"]
    sign = "=" if math.isclose(total, shown_value(value, index.unit), abs_tol=1e-9) else "≈"
    return f"{' '.join(terms).removeprefix('+ ')} {sign} {words.number(value, index.unit)}"


def shown_value(value: float, unit: str) -> float:
    """Return a value as it is after rounding, a share as a fraction."""
    return float(round_shown(value, unit)) / (100 if unit == "share" else 1)


def points_listing(points: Mapping[str, float], programme: Programme, words: Words) -> str:
    """Return the points of each answer."""
    parts = [
        f"{level_title(programme, level, words)}\u00a0=\u00a0{number:g}".replace("-", "−")
        for level, number in points.items()
    ]
    return words.listing(parts)


def satisfied_reading(programme: Programme, words: Words) -> str:
    """Return what "a satisfied form" is."""
    form = programme.satisfied_form
    if form is None or programme.satisfied is None:
        return words("none")
    item = item_title(programme, form.item, words) if form.item else ""
    levels = words.either(level_title(programme, level, words) for level in programme.satisfied.levels)
    return words(f"reading.{form.reading}", item=item, share=words.number(form.share, "share"), levels=levels)


def share_and_interval(row: Mapping[str, Any], words: Words) -> tuple[str, str]:
    """Return an item's satisfied share and its interval."""
    return words.number(row["share_satisfied"], "share"), words.interval(row["conf_low"], row["conf_high"], "share")


# --- sentences --------------------------------------------------------------------------------------------------------


def status_sentences(result: Assessment, words: Words) -> list[str]:
    """Return what the status means, why, and what the run file says of the remedy."""
    failed = result.gates[(result.gates["passed"] == False) & result.gates["voids"].notna()]  # noqa: E712 - None is no failure
    sentences = [words(f"status.{_status_key(result)}", names=_listed(failed, result, words))]
    remedy, as_of = result.survey.run.remedy, result.survey.run.as_of
    done = remedy.closed_on if remedy and remedy.closed_on and remedy.closed_on <= as_of else None
    due = remedy.due_on if remedy else None
    if done and due and due < done:
        sentences.append(words("note.remedy_late", date=words.date(done), due=words.date(due)))
    elif done:
        sentences.append(words("note.remedy_done", date=words.date(done)))
    elif result.status == "void" and due:
        sentences.append(words("note.remedy_missed", due=words.date(due)))
    elif result.status == "remedy_due":
        sentences.append(words("note.remedy_due_on", date=words.date(due)) if due else words("note.remedy_open"))
    return sentences


def _status_key(result: Assessment) -> str:
    """Return the status, and where it is reportable, on what that stands: nothing said that it would not be."""
    if result.status != "reportable":
        return result.status
    if result.measure(result.survey.programme.headline_measure)["value"] is None:
        return "reportable_without_value"
    conditions = result.gates[result.gates["voids"].notna()]
    if conditions.empty:
        return "reportable_unjudged"
    return "reportable" if conditions["passed"].notna().all() else "reportable_without_data"


def return_sentence(result: Assessment, words: Words) -> str:
    """Return how many forms came back and how many of them are valid."""
    evidence = result.evidence
    returned, valid = words.count(evidence.returned), words.count(evidence.valid)
    if not evidence.distributed:
        key = "returned" if evidence.distributed is None else "returned_none"
        return words(f"sentence.{key}", returned=returned, valid=valid)
    rate = words.number(evidence.returned / evidence.distributed, "share")
    sent = words.count(evidence.distributed)
    return words("sentence.returned_of", returned=returned, distributed=sent, rate=rate, valid=valid)


def gate_sentences(result: Assessment, words: Words) -> list[str]:
    """Return how many rules are met, which are not, in progress or without data, and what that sets off."""
    programme, gates = result.survey.programme, result.gates
    if gates.empty:
        return []
    verdicts = gates["verdict"].fillna("missing")
    sentences = [words("sentence.gates", total=len(gates), met=int((verdicts == "met").sum()))]
    missed = (verdicts == "not_met") & (gates["severity"] == "target")
    verdicts = verdicts.mask(missed, "missed")
    for verdict in ("not_met", "missed", "borderline", "in_progress", "missing"):
        if (verdicts == verdict).any():
            sentences.append(words(f"sentence.{verdict}", names=_listed(gates[verdicts == verdict], result, words)))
    if len(result.triggers):
        names = [trigger_title(programme, trigger, words) for trigger in dict.fromkeys(result.triggers["id"])]
        sentences.append(words("sentence.triggers", names=words.listing(names)))
    return sentences


def _listed(gates: pd.DataFrame, result: Assessment, words: Words) -> str:
    return words.listing(_gate_phrase(result.survey.programme, gate, words) for gate in gates.itertuples())


def _gate_phrase(programme: Programme, gate: Any, words: Words) -> str:
    unit, name = unit_of(gate.measure, programme), measure_title(programme, gate.measure, words)
    wanted = words(f"comparison.{gate.comparison}", threshold=words.threshold(gate.threshold, unit))
    severity = words(f"severity.{gate.severity}")
    said = words("sentence.gate", name=name, value=words.number(gate.value, unit), severity=severity, rule=wanted)
    if gate.verdict != "borderline" or gate.certainty is None:
        return said
    return words("sentence.gate_certainty", gate=said, certainty=words.chance(gate.certainty))


def rule_text(gate: Mapping[str, Any], programme: Programme, words: Words) -> str:
    """Return what a rule asks, marked where it is a target."""
    threshold = words.threshold(gate["threshold"], unit_of(gate["measure"], programme))
    rule = words(f"comparison.{gate['comparison']}", threshold=threshold)
    return words("rule.target", rule=rule) if gate["severity"] == "target" else rule


def parts_of(measure: Mapping[str, Any], unit: str, words: Words) -> str:
    """Return of which two numbers a share is made; nothing where there are none."""
    if unit != "share" or measure.get("value") is None or not measure.get("denominator"):
        return ""
    return f"{words.count(measure['numerator'])} ÷ {words.count(measure['denominator'])}"


def recorded_reason(result: Assessment, gate: Mapping[str, Any]) -> str:
    """Return the reason on record why a rule or target was not met; nothing where it was, or where none is."""
    entries = result.survey.tables.get("steps")
    if gate["passed"] is not False or entries is None or "reason" not in entries:
        return ""
    reasons = entries.loc[(entries["step"] == gate["measure"]) & (entries["reason"] != ""), "reason"]
    return str(reasons.iloc[-1]) if len(reasons) else ""
