"""Is each rule met, and how sure is that? Verdicts with certainty, what non-response could hide, targets, grades."""

from collections.abc import Mapping
from typing import Any

from csat_analysis.assembly.assessment import Assessment, compute
from csat_analysis.assembly.gates import NEAR, bounds_of_silent, is_near, unit_of
from csat_analysis.ground.catalogue import MEASURES, SURE
from csat_analysis.ground.mappings import rows_of
from csat_analysis.ground.programmes import Gate, Programme
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Cell, Column, Exhibit, prose, table
from csat_analysis.publishing.phrases import (
    grade_title,
    measure_title,
    parts_of,
    recorded_reason,
    rule_text,
    trigger_title,
)


def gate_table(result: Assessment, language: str) -> Exhibit:
    """Return every rule with its figure, verdict and certainty, clause or assumption, and what failing sets off."""
    words, programme = speak(language), result.survey.programme
    rows = [
        (
            measure_title(programme, gate["measure"], words),
            rule_text(gate, programme, words),
            _value_cell(gate, result, words),
            _verdict_cell(gate, words),
            words.source(gate["clause"]),
            _consequence(gate, programme, words),
        )
        for gate in rows_of(result.gates)
    ]
    heads = [
        Column(words(f"head.{name}"), name == "value")
        for name in ("measure", "rule", "value", "verdict", "source", "consequence")
    ]
    notes = _gate_notes(result, words) if rows else []
    return (
        table(words("caption.gates"), heads, rows, notes, kind="gates") if rows else prose(words("sentence.gates_none"))
    )


def verdict_word(gate: Mapping[str, Any]) -> str:
    """Return the key of a verdict's word: a target that is not met is missed."""
    missed = gate["severity"] == "target" and gate["verdict"] == "not_met"
    return "missed" if missed else gate["verdict"] or "missing"


def _value_cell(gate: Mapping[str, Any], result: Assessment, words: Words) -> Cell:
    """Return a rule's figure with its parts, the interval it is read with, and the method of that."""
    unit = unit_of(gate["measure"], result.survey.programme)
    bounds = words.interval(gate["conf_low"], gate["conf_high"], unit)
    error = () if bounds == words("not_computed") else (bounds, words(f"method.{gate['interval']}"))
    parts = parts_of(result.measure(gate["measure"]), unit, words)
    return Cell(words.number(gate["value"], unit), below=(*filter(None, [parts]), *error))


def _verdict_cell(gate: Mapping[str, Any], words: Words) -> Cell:
    verdict = verdict_word(gate)
    below = [] if gate["certainty"] is None else [words("verdict_certainty", certainty=words.chance(gate["certainty"]))]
    if gate["tipping_point"] is not None and 0 <= gate["tipping_point"] <= 1:
        below.append(words("verdict_tipping", rate=words.number(gate["tipping_point"], "share")))
    return Cell(words(f"verdict.{verdict}"), f"verdict {verdict}", tuple(below))


def _consequence(gate: Mapping[str, Any], programme: Programme, words: Words) -> str:
    if gate["otherwise"]:
        return trigger_title(programme, gate["otherwise"], words)
    return words("rule.voids" if gate["voids"] else "not_computed")


def _gate_notes(result: Assessment, words: Words) -> list[str]:
    """Return what has to be said of the verdicts: roundings, consequences, how rules are read, certainty, bases."""
    programme, notes = result.survey.programme, []
    for gate in rows_of(result.gates):
        name, unit = measure_title(programme, gate["measure"], words), unit_of(gate["measure"], programme)
        if gate["rounding_flips"]:
            shown, value = words.number(gate["value"], unit), words.exact(gate["value"], unit)
            notes.append(words("note.rounding", name=name, shown=shown, value=value))
        if reason := recorded_reason(result, gate):
            notes.append(words("note.reason_on_record", name=name, reason=reason))
        elif verdict_word(gate) == "missed":
            notes.append(words("note.reason_missing", name=name))
    if not all(gate.otherwise or gate.voids for gate in programme.gates):
        notes.append(words("note.consequence"))
    notes += [_gate_note(gate, programme, words) for gate in programme.gates if gate.note]
    if result.gates["certainty"].notna().any():
        notes.append(words("note.certainty", sure=words.chance(SURE), unsure=words.chance(1 - SURE)))
    else:
        notes.append(words("note.literal"))
    if programme.satisfied_form and programme.satisfaction_rate.denominator == "returned":
        of_valid = words.number(result.measure("satisfaction_rate_of_valid")["value"], "share")
        source = words.source(programme.satisfaction_rate.clause)
        notes.append(words("note.returned_base", rate=of_valid, source=source))
    return notes


def _gate_note(gate: Gate, programme: Programme, words: Words) -> str:
    """Return what the procedure's file says of a rule: how it is read, and what does not follow from it."""
    return words.colon(measure_title(programme, gate.measure, words), words.title(gate.note))


# --- non-response -----------------------------------------------------------------------------------------------------


def nonresponse_table(result: Assessment, language: str) -> Exhibit:
    """Return for each rule on a satisfaction rate, and for a rate without one, what the silent could change."""
    words, programme, evidence = speak(language), result.survey.programme, result.evidence
    hidden = [gate for gate in rows_of(result.gates) if gate["worst"] is not None]
    rows: list[tuple[str, ...]] = [
        (
            measure_title(programme, gate["measure"], words),
            words.number(gate["value"], "share"),
            words.range_of(gate["worst"], gate["best"], "share"),
            rule_text(gate, programme, words),
            tipping_cell(gate, words),
            Cell(words(f"verdict.{verdict_word(gate)}"), f"verdict {verdict_word(gate)}"),
        )
        for gate in hidden
    ]
    if "satisfaction_rate" not in set(result.gates["measure"]):
        rows += _without_rule(result, words)
    if not rows or not evidence.distributed:
        return prose(words("sentence.nonresponse_none"))
    names = ("measure", "value", "bounds", *(("rule", "tipping_point", "verdict") if hidden else ()))
    heads = [Column(words(f"head.{name}"), name in ("value", "bounds")) for name in names]
    rows = [row[: len(names)] for row in rows]
    silent = words.count(evidence.distributed - evidence.returned)
    share = words.number(evidence.returned / evidence.distributed, "share")
    notes = [words("note.silent", n=silent, rate=share)]
    near = words.points_of_percent(NEAR)
    notes.append(words("note.tipping", near=near) if hidden else words("note.no_rule_on_rate"))
    return table(words("caption.nonresponse"), heads, rows, notes)


def _without_rule(result: Assessment, words: Words) -> list[tuple[str, ...]]:
    """Return the bounds of the satisfaction rate where no rule is on it."""
    rate, dash = compute("satisfaction_rate", result.evidence), words("not_computed")
    bounds = bounds_of_silent("satisfaction_rate", rate, result.evidence)
    if bounds is None:
        return []
    name, value = measure_title(result.survey.programme, "satisfaction_rate", words), words.number(rate.value, "share")
    return [(name, value, words.range_of(*bounds, "share"), dash, dash, dash)]


def tipping_cell(judged: Mapping[str, Any] | None, words: Words) -> Cell:
    """Return the rate among those who did not answer that would turn the literal verdict."""
    if judged is None or judged["tipping_point"] is None or judged["passed"] is None:
        return Cell(words("not_computed"))
    point = judged["tipping_point"]
    if not 0 <= point <= 1:
        return Cell(words("tipping.never"))
    turns = "below" if (judged["comparison"] in ("at_least", "more_than")) == judged["passed"] else "above"
    near = (words("tipping.near"),) if is_near(point, judged["value"]) else ()
    return Cell(words(f"tipping.{turns}", rate=words.number(point, "share")), below=near)


# --- targets and grades -----------------------------------------------------------------------------------------------


def grade_table(result: Assessment, language: str) -> Exhibit:
    """Return every grade with its band and its probability; nothing where there are none to tell."""
    words, programme = speak(language), result.survey.programme
    chances = (result.grade or {}).get("probabilities")
    if not chances or not result.grade:
        return Exhibit("")
    unit = unit_of("index", programme)
    rows = [
        (
            Cell(
                grade_title(programme, grade.id, words),
                below=(words("grade.reached"),) if grade.id == result.grade["id"] else (),
            ),
            words("comparison.at_least", threshold=words.threshold(grade.lower, unit)),
            words.chance(chances[grade.id]),
            words.source(grade.clause),
        )
        for grade in programme.grades
    ]
    heads = [
        Column(words(f"head.{name}"), name == "certainty") for name in ("grade", "index_from", "certainty", "source")
    ]
    return table(words("caption.grades"), heads, rows, [words("note.grade_certainty")])


def target_table(result: Assessment, language: str) -> Exhibit:
    """Return how far the measures are from the targets of the year; nothing where there are none."""
    words = speak(language)
    rows = [
        (
            words(f"measure.{row['id']}"),
            words.number(row["against"], unit),
            words.number(result.measure(row["id"])["value"], unit),
            words.difference(row["estimate"], unit),
            words.difference_interval(row["conf_low"], row["conf_high"], unit),
        )
        for row in rows_of(result.comparisons)
        if row["kind"] == "target" and (unit := MEASURES[row["id"]].unit)
    ]
    heads = [
        Column(words(f"head.{name}"), name != "measure")
        for name in ("measure", "target", "value", "difference", "interval")
    ]
    return table(words("caption.targets"), heads, rows)


def comparison_table(result: Assessment, language: str) -> Exhibit:
    """Return how far the measures are from those of earlier periods; a sentence where none can be compared."""
    words, programme = speak(language), result.survey.programme
    compared = [row for row in rows_of(result.comparisons) if row["kind"] != "target"]
    shown = [row for row in compared if row["id"] in _compared(programme)]
    two = any(row["conf_low"] != row["process_low"] for row in shown)
    rows = [
        (
            Cell(
                measure_title(programme, row["id"], words),
                below=(words(f"comparison_kind.{row['kind']}", period=row["against"]),),
            ),
            words.number(row["before"], unit),
            words.number(result.measure(row["id"])["value"], unit),
            _apart(row, unit, words),
            *([words.difference_interval(row["process_low"], row["process_high"], unit)] if two else []),
        )
        for row in shown
        if (unit := unit_of(row["id"], programme))
    ]
    names = ("before", "value", "difference", *(["interval_process"] if two else []))
    heads = [Column(words("head.measure")), *(Column(words(f"head.{name}"), True) for name in names)]
    notes = [words("note.compared")] if rows else []
    if two:
        notes.append(words("note.views", view=words(f"view.{programme.change_rules.view}")))
    unsound = {row["against"]: row["status"] for row in shown if row["status"] != "reportable"}
    notes += [words("note.compared_status", period=p, status=words(f"stamp.{s}")) for p, s in unsound.items()]
    return table(words("caption.comparisons"), heads, rows, notes) if rows else prose(words("sentence.compared_none"))


def _apart(row: Mapping[str, Any], unit: str, words: Words) -> Cell:
    """Return a difference with its interval below it, where it has one."""
    interval = words.difference_interval(row["conf_low"], row["conf_high"], unit)
    return Cell(words.difference(row["estimate"], unit), below=() if interval == words("not_computed") else (interval,))


def _compared(programme: Programme) -> list[str]:
    """Return what is worth comparing: the headline, the index's terms, what rules are on, the satisfaction rate."""
    terms = list(programme.index.terms) if programme.index else []
    rate = ["satisfaction_rate"] if programme.satisfied_form else []
    names = [programme.headline_measure, *terms, *rate, *(gate.measure for gate in programme.gates)]
    return list(dict.fromkeys(names))
