"""What wants somebody's attention? Rules, questions, complaints and steps of a run, from its record alone."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.assembly.change import Change
from csat_analysis.assembly.importance import Importance
from csat_analysis.ground.words import Words
from csat_analysis.publishing.duties import duty_rows
from csat_analysis.publishing.exhibits import rate_table
from csat_analysis.publishing.markup import Column, Exhibit, table
from csat_analysis.publishing.phrases import item_title, measure_title, share_and_interval, trigger_title
from csat_analysis.publishing.record_keys import Record
from csat_analysis.publishing.verdicts import gate_table, verdict_word

WEAK, OPEN = 3, ("missing", "late")  # how many of the weakest questions are listed; steps that somebody has to see to
COMPLAINTS = ("complaint_rate", "complaints_per_1000", "closure_rate")
TO_SEE = ("not_met", "missed", "borderline")  # verdicts that want somebody's attention


class Source(NamedTuple):
    """What a document is made from.

    Attributes
    ----------
    stale
        Whether the run would come out otherwise now.
    following
        The next period of the project's run file; empty where there is none.
    """

    record: Record
    result: Assessment
    change: Change
    importance: Importance
    stale: bool = False
    following: str = ""


def is_void(source: Source) -> bool:
    """Return whether a survey's figures must not be used."""
    return source.record.status == "void"


def without_rows(exhibit: Exhibit, names: Iterable[str]) -> Exhibit:
    """Return a table without the rows that begin with some names."""
    gone = set(names)
    return rows_of(exhibit, [row for row in exhibit.content.get("rows", ()) if row[0] not in gone])


def rows_of(exhibit: Exhibit, rows: Sequence[Sequence[str]], **changed: Any) -> Exhibit:
    """Return a table with some of its rows, and some of it said otherwise."""
    return table(**{**exhibit.content, "rows": rows, **changed}) if rows else Exhibit("")


# --- rules ------------------------------------------------------------------------------------------------------------


def gates(source: Source, words: Words) -> Exhibit:
    """Return the rules with their verdicts; of a void survey those alone that make it void or not."""
    shown, found = gate_table(source.result, words.language), source.result.gates
    if shown.macro != "table":
        return shown
    names = [measure_title(source.result.survey.programme, gate, words) for gate in found["measure"]]
    unsaid = {words("note.reason_missing", name=name) for name in names}  # the steps table is not at hand
    notes = [note for note in shown.content["notes"] if note not in unsaid and not is_void(source)]
    chosen = [not is_void(source) or gate["voids"] is not None for gate in found.to_dict("records")]
    return rows_of(shown, [row for row, is_shown in zip(shown.content["rows"], chosen, strict=True) if is_shown],
                   notes=notes)  # fmt: skip


def open_gates(source: Source, words: Words) -> Exhibit:
    """Return the rules that are not met or borderline."""
    shown = gates(source, words)
    marks = {f"verdict {verdict}" for verdict in TO_SEE}
    rows = [row for row in shown.content.get("rows", ()) if row[3].mark in marks]
    return rows_of(shown, rows, caption=words("document.gates_open"), notes=())


def trigger_table(source: Source, words: Words) -> Exhibit:
    """Return what failed rules set off, because of what, and by which clause."""
    programme = source.result.survey.programme
    rows = [
        (
            trigger_title(programme, row.id, words),
            measure_title(programme, row.because, words),
            words.source(row.clause),
        )
        for row in source.record.triggers
    ]
    heads = [Column(words(f"document.{name}")) for name in ("required", "because")] + [Column(words("head.source"))]
    return table(words("document.triggers_table"), heads, rows)


def weakest(source: Source, most: int = WEAK) -> list[dict[str, Any]]:
    """Return the questions with the lowest satisfied shares, or means where there are no shares, the lowest first."""
    items, programme = source.result.items, source.result.survey.programme
    figure = "share_satisfied" if programme.satisfied else "mean"
    known = items[items[figure].notna()]
    if len(known) < 2:
        return []
    chosen = known.assign(figure=known[figure].astype(float)).sort_values("figure", kind="stable")
    return chosen.head(min(most, len(known) // 2)).to_dict("records")


def weak_table(source: Source, words: Words) -> Exhibit:
    """Return the weakest questions with what they count for by the procedure."""
    programme = source.result.survey.programme
    weights = {item.id: item.weight for item in programme.items}
    is_weighted = any(weight is not None for weight in weights.values())
    rows = [
        (item_title(programme, row["id"], words), words.count(row["n"]), words.number(row["mean"]),
         *(share_and_interval(row, words) if programme.satisfied else ()),
         *([_weight(weights[row["id"]], words)] if is_weighted else []))
        for row in weakest(source)
    ]  # fmt: skip
    names = ("item", "n", "mean", *(("share_satisfied", "interval") if programme.satisfied else ()))
    heads = [Column(words(f"head.{name}"), name != "item") for name in names]
    heads += [Column(words("document.weight"), True)] if is_weighted else []
    return table(words("document.weak_table"), heads, rows, [words("document.weak_note")])


def _weight(weight: float | None, words: Words) -> str:
    return words("not_computed") if weight is None else f"{weight:g}"


def complaint_table(source: Source, words: Words) -> Exhibit:
    """Return the figures on complaints; nothing where there are none."""
    known = [row.id for row in source.record.measures if row.id in COMPLAINTS and row.value is not None]
    if not known:
        return Exhibit("")
    shown, names = rate_table(source.result, words.language), {words(f"measure.{name}") for name in known}
    rows = [row for row in shown.content["rows"] if row[0] in names]
    notes, caption = [words("document.complaint_text")], words("document.complaint_table")
    return rows_of(shown, rows, notes=notes, caption=caption)


def duty_table(source: Source, words: Words, states: Sequence[str] = ()) -> Exhibit:
    """Return the steps and records, or those that stand in some way, with days."""
    steps = source.result.steps
    chosen = steps[steps["state"].isin(states)] if states else steps
    shown = duty_rows(chosen.to_dict("records"), source.result.survey.programme, words)
    rows = [(*row[:2], *row[3:]) for row in shown]  # who did them is not for everybody to read
    names = ("step", "clause", "due_on", "done_on", "standing")
    heads = [*(Column(words(f"head.{name}")) for name in names), Column(words("document.note"))]
    notes = [] if states else [words("note.steps", date=words.date(source.result.survey.run.as_of))]
    return table(words(f"document.{'duty' if states else 'step'}_table"), heads, rows, notes)


def problems(source: Source, words: Words) -> list[str]:
    """Return every problem in a line: rules, weak questions of a survey that misses one, steps."""
    programme = source.result.survey.programme
    found = [
        words("document.step_open", title=measure_title(programme, gate["measure"], words),
              state=words(f"verdict.{verdict_word(gate)}"))
        for gate in source.result.gates.to_dict("records")
        if verdict_word(gate) in TO_SEE and (gate["voids"] or not is_void(source))
    ]  # fmt: skip
    weak = [] if is_void(source) else weakest(source, 1)
    found += [words("document.missed_item", title=item_title(programme, row["id"], words)) for row in weak]
    return [*found, *dict.fromkeys(open_steps(source, words))]


def open_steps(source: Source, words: Words) -> list[str]:
    """Return the steps and records that are missing or late, each once."""
    titles = {duty.id: words.title(duty.title) for duty in source.result.survey.programme.duties}
    worst: dict[str, str] = {}
    for row in source.record.steps:
        if row.state in OPEN and worst.get(row.id) != "missing":
            worst[row.id] = row.state
    return [
        words("document.step_open", title=titles[name], state=words(f"state.{state}")) for name, state in worst.items()
    ]


def cause_table(every: Sequence[str], words: Words) -> Exhibit:
    """Return the problems with blanks for what the departments have to say of them."""
    heads = [Column(words(f"document.{name}")) for name in ("problem", "cause", "measure", "owner", "due")]
    return table(words("document.cause_table"), heads, [(line, "", "", "", "") for line in every],
                 [words("document.cause_note")])  # fmt: skip


def decisions(source: Source, words: Words) -> list[str]:
    """Return what rules and record ask somebody to decide: on what failed rules set off or leave open, on steps."""
    programme, found = source.result.survey.programme, []
    for row in source.record.triggers:
        title = trigger_title(programme, row.id, words)
        found.append(words("slide.decide_trigger", title=title, source=words.source(row.clause)))
    for gate in source.result.gates.to_dict("records"):
        if gate["passed"] is False and not gate["otherwise"] and not gate["voids"] and not is_void(source):
            found.append(words("slide.decide_gate", name=measure_title(programme, gate["measure"], words)))
    return [*dict.fromkeys(found), *(words("slide.decide_step", step=step) for step in open_steps(source, words))]
