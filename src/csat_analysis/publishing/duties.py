"""Is each clause met, and how do you know? Clauses, steps and registers of a run, with dates and evidence."""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from csat_analysis.assembly import remedy
from csat_analysis.assembly.assessment import Assessment
from csat_analysis.assembly.gates import unit_of
from csat_analysis.assembly.procedure import ORDER, standing
from csat_analysis.domain.steps import STATES
from csat_analysis.ground.programmes import Gate, Programme, Register, Step
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Cell, Column, Exhibit, prose, table
from csat_analysis.publishing.phrases import (
    column_title,
    group_title,
    invalid_title,
    measure_title,
    parts_of,
    recorded_reason,
    rule_name,
    rule_text,
)

TIMES = 24  # of a step on the page; all of them are in the table steps
LISTED = 20  # forms on the page; all of them are in remedy.csv
SOUND = {"met", "applied", "not_required"}  # nothing for the reader to do


def clause_summary(result: Assessment, language: str) -> Exhibit:
    """Return how many clauses stand how, the worst first, and which of them want somebody's attention."""
    words = speak(language)
    stands = standing(result.clauses)
    if not stands:
        return prose(words("sentence.no_clauses"))
    found = {state: [clause for clause, each in stands.items() if each == state] for state in ORDER}
    told = words("semicolon").join(_counted(state, clauses, words) for state, clauses in found.items() if clauses)
    return prose(words("sentence.clauses", n=len(stands), counts=told), kind="summary")


def _counted(state: str, clauses: Sequence[str], words: Words) -> str:
    """Return how many clauses stand so, with their names where somebody has to do something."""
    count = words("state_count", state=words(f"state.{state}"), n=len(clauses))
    return count if state in SOUND else words.aside(count, words.listing(clauses))


def clause_table(result: Assessment, language: str) -> Exhibit:
    """Return every clause of the document, how it stands, what carries it out and how each of that is known."""
    words, programme = speak(language), result.survey.programme
    stands, titles = standing(result.clauses), {clause.id: clause.title for clause in programme.clauses}
    rows = []
    for clause, carriers in result.clauses.groupby("clause", sort=False):
        lines = [_carrier(carrier, result, words) for carrier in carriers.to_dict("records") if carrier["rule"]]
        state = stands[str(clause)]
        rows.append(
            (
                str(clause),
                words.title(titles[str(clause)]),
                Cell(words(f"state.{state}"), f"verdict {state}"),
                Cell(lines[0] if lines else words("not_computed"), "lines", tuple(lines[1:])),
            )
        )
    heads = [Column(words(f"head.{name}")) for name in ("clause", "asks", "standing", "how_known")]
    return table(words("caption.clauses"), heads, rows, [_clause_note(result, words)], kind="clauses")


def _clause_note(result: Assessment, words: Words) -> str:
    """Return how the standing of a clause is read: only what this table needs."""
    states = set(result.clauses["state"])
    needed = {
        "clauses": True,
        "clauses_applied": "applied" in states,
        "clauses_not_assessed": "not_assessed" in states,
        "clauses_entered": bool(result.steps["evidence"].fillna("").ne("").any()),
    }
    return words("gap").join(words(f"note.{name}") for name, is_needed in needed.items() if is_needed)


def _carrier(carrier: Mapping[str, Any], result: Assessment, words: Words) -> str:
    """Return one carrier of a clause in a line: what it is, how it stands, and by what that is known."""
    programme, state = result.survey.programme, words(f"state.{carrier['state']}")
    known = _known(carrier, result, words)
    return words.colon(
        rule_name(carrier["rule"], carrier["id"], programme, words), words.aside(state, known) if known else state
    )


def _known(carrier: Mapping[str, Any], result: Assessment, words: Words) -> str:
    """Return how it is known: a figure with its certainty, a day and its evidence, or why nothing can be seen."""
    if carrier["rule"] == "gate":
        return _figure(result.gates.iloc[int(carrier["gate"])].to_dict(), result, words)
    if carrier["rule"] not in ("step", "register"):
        return ""
    entries = result.steps[(result.steps["kind"] == carrier["rule"]) & (result.steps["id"] == carrier["id"])]
    worst = entries[entries["state"] == carrier["state"]].iloc[0].to_dict()
    if len(entries) == 1 or carrier["state"] == "not_assessed":
        return words("semicolon").join(_told(worst, words))
    return words("semicolon").join(_several(entries, worst, result.survey.programme, words))


def _several(entries: pd.DataFrame, worst: Mapping[str, Any], programme: Programme, words: Words) -> list[str]:
    """Return how often a step was due and met, and what is known of the first time that stands worst."""
    counted = words("known.in_time", met=int((entries["state"] == "met").sum()), n=len(entries))
    duty = next(duty for duty in programme.duties if duty.id == worst["id"])
    window, told = _window(worst, duty, words), words("semicolon").join(_told(worst, words))
    return [counted, words("known.time", window=window, told=told) if window and told else told]


def _told(row: Mapping[str, Any], words: Words) -> list[str]:
    """Return what is on record of a step: when it was done, by when it was due, the evidence, why, the reason."""
    is_plain = row["why"] in ("done", "done_late", "not_due")  # the days say it
    is_due = row["state"] not in ("met", "not_assessed") and _iso(row["due_on"])
    told = [
        words("known.done", date=words.date(row["done_on"])) if _iso(row["done_on"]) else "",
        words("known.due", date=words.date(row["due_on"])) if is_due else "",
        words("known.evidence", evidence=row["evidence"]) if row["evidence"] else "",
        "" if is_plain else words(f"why.{row['why']}"),
        words("note.reason", reason=row["reason"]) if row["reason"] else "",
    ]
    return list(filter(None, told))


def _figure(gate: Mapping[str, Any], result: Assessment, words: Words) -> str:
    """Return a rule, its figure with its parts and certainty, and the reason on record where it is not met."""
    programme = result.survey.programme
    unit, reason = unit_of(gate["measure"], programme), recorded_reason(result, gate)
    value, parts = words.number(gate["value"], unit), parts_of(result.measure(gate["measure"]), unit, words)
    told = [
        rule_text(gate, programme, words),
        f"{parts} = {value}" if parts else value,
        "" if gate["certainty"] is None else words("verdict_certainty", certainty=words.chance(gate["certainty"])),
        words("note.reason", reason=reason) if reason else "",
    ]
    return words("semicolon").join(filter(None, told))


# --- steps and registers ----------------------------------------------------------------------------------------------


def step_table(result: Assessment, language: str) -> Exhibit:
    """Return every step of the procedure, each time it was due: when, by whom, done when, with which evidence."""
    return _duty_table(result, "step", language)


def register_table(result: Assessment, language: str) -> Exhibit:
    """Return every record the procedure asks to be kept, and where it is."""
    return _duty_table(result, "register", language)


def _duty_table(result: Assessment, kind: str, language: str) -> Exhibit:
    words, programme = speak(language), result.survey.programme
    chosen = result.steps[result.steps["kind"] == kind].to_dict("records")
    if not chosen:
        return prose(words(f"sentence.no_{kind}s"))
    groups = _alike(chosen)
    listed = _worst(groups)
    rows = duty_rows(chosen, programme, words)
    names = (kind, "clause", "responsible", "due_on", "done_on", "standing", "evidence")
    notes = [words("note.steps", date=words.date(result.survey.run.as_of))]
    if left := sum(map(len, groups)) - sum(map(len, listed)):
        notes.append(words("note.times_listed", n=TIMES, left=words.count(left)))
    return table(
        words(f"caption.{kind}s"), [Column(words(f"head.{name}")) for name in names], rows, notes, kind="duties"
    )


def duty_rows(chosen: Sequence[Mapping[str, Any]], programme: Programme, words: Words) -> list[tuple[str, ...]]:
    """Return the cells of steps or registers, those that are listed on a page, times that stand alike together."""
    return [_duty_row(group, programme, words) for group in _worst(_alike(chosen))]


def _alike(rows: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return the rows one by one; times of one step that stand alike, and of which nothing is on record, together."""

    def key(row: Mapping[str, Any]) -> tuple[Any, ...]:
        alone = row["done_on"] or row["evidence"] or row["reason"] or row["window"] is None
        return row["id"], row["state"], row["why"], id(row) if alone else None

    return [list(group) for _, group in itertools.groupby(rows, key)]


def _worst(groups: Sequence[list[Mapping[str, Any]]]) -> list[list[Mapping[str, Any]]]:
    """Return of every step or register the times that stand worst, so many as a page holds, in their order."""
    kept: list[list[Mapping[str, Any]]] = []
    for _, each in itertools.groupby(groups, lambda group: group[0]["id"]):
        own = list(each)
        places = sorted(range(len(own)), key=lambda place: STATES.index(own[place][0]["state"]))[:TIMES]
        kept += [own[place] for place in sorted(places)]
    return kept


def _duty_row(group: Sequence[Mapping[str, Any]], programme: Programme, words: Words) -> tuple[str, ...]:
    row, last = group[0], group[-1]
    duty = next(duty for duty in programme.duties if duty.id == row["id"])
    window = _window(row, duty, words)
    if len(group) > 1:
        window = words("window.several", first=window, last=_window(last, duty, words), n=len(group))
    nobody, until = words("not_computed"), (words("window.until", day=_iso(last["due_on"])),)
    shown = [*filter(None, [row["evidence"]]), *_remarks(row, words)] or [nobody]
    return (
        Cell(words.title(duty.title), below=(window,) if window else ()),
        row["clause"] or words("source.own"),
        row["responsible"] or words.title(getattr(duty, "responsible", None), nobody),
        Cell(_iso(row["due_on"]) or nobody, "whole", until if len(group) > 1 else ()),
        Cell(_iso(row["done_on"]) or nobody, "whole"),
        Cell(words(f"state.{row['state']}"), f"verdict {row['state']}"),
        Cell(shown[0], below=tuple(shown[1:])),
    )


def _iso(day: Any) -> str:
    return day.isoformat() if isinstance(day, dt.date) else ""


def _window(row: Mapping[str, Any], duty: Step | Register, words: Words) -> str:
    """Return which month, quarter … one of several times is about."""
    every, first = getattr(duty, "every", None), row["window"]
    if first is None or every is None:
        return ""
    if every == "month":
        return words.month(first)
    name = f"half_year_{1 + first.month // 7}" if every == "half_year" else every
    return words(f"window.{name}", year=first.year, part=(first.month + 2) // 3)


def _remarks(row: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    """Return why a step stands as it does, and the reason on record."""
    why = () if row["why"] in ("done", "not_due") else (words(f"why.{row['why']}"),)
    reason = (words("note.reason", reason=row["reason"]),) if row["reason"] else ()
    return (*why, *reason)


# --- the remedy -------------------------------------------------------------------------------------------------------


def remedy_table(result: Assessment, language: str) -> Exhibit:
    """Return the forms to be completed while a remedy is due, and how many at least; nothing where none is."""
    words, evidence = speak(language), result.evidence
    if result.status != "remedy_due":
        return Exhibit("")
    forms, run = remedy.forms_to_complete(evidence), result.survey.run
    rows = [
        (
            row["form_id"],
            group_title(run, "stratum", row["stratum"], words) if row["stratum"] else words("not_computed"),
            str(row["row"]),
            invalid_title(row["reason"], result.survey.programme, words),
        )
        for row in forms.head(LISTED).to_dict("records")
    ]
    by = column_title(run, "stratum", words) if run.design.stratum else words("head.group")
    heads = [Column(words("head.id")), Column(by), Column(words("head.row"), True), Column(words("head.reason"))]
    failed = [place for place, passed in enumerate(result.gates["passed"]) if passed is False]
    wanted = [result.survey.programme.gates[place] for place in failed]
    decided = [gate for gate in wanted if gate.voids and gate.measure in remedy.bases(evidence)]
    notes = [_least(gate, result, words) for gate in decided]
    number = words.count(int(forms["count"].sum()))
    notes.append(words("note.remedy_list", shown=len(rows), n=words.count(len(forms))))
    return table(words("caption.remedy", n=number), heads, rows, notes)


def _least(gate: Gate, result: Assessment, words: Words) -> str:
    """Return how many of the forms must be completed at least for a condition to be met."""
    least, programme = remedy.least_to_complete(gate, result.evidence), result.survey.programme
    rule = rule_text(gate.model_dump(), programme, words)
    name = measure_title(programme, gate.measure, words)
    return words(f"note.remedy_least{'' if least is not None else '_none'}", n=least, name=name, rule=rule)
