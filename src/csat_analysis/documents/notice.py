"""What do the customers get to read? One page for the notice board: nobody's name, no small group, plain words."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from docx.shared import Pt

from csat_analysis.assembly.gates import unit_of
from csat_analysis.documents import paper
from csat_analysis.documents.packing import plain, shortened
from csat_analysis.documents.paper import Paper
from csat_analysis.documents.problems import Source, is_void
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Column
from csat_analysis.publishing.phrases import item_title, measure_title, trigger_title

MOST_ITEMS, MOST_MEASURES = 10, 6  # of the one page
LONGEST = 60  # letters of a title
DAYS = ("due_on", "completed_on", "verified_on")


def make(source: Source, language: str) -> bytes:
    """Return the notice as a Word file."""
    words, day = speak(language), dt.date.fromisoformat(source.record.as_of)
    title = words.title(source.record.title, source.record.project)
    made = paper.begin(words, f"{title} {source.record.period}", day)
    made.document.styles["Normal"].font.size = Pt(12)
    paper.centred(made, shortened(plain(title), LONGEST), "Title").runs[0].font.size = Pt(20)
    paper.centred(made, words("document.notice"), bold=True).runs[0].font.size = Pt(16)
    paper.paragraph(made, words("notice.lead", title=shortened(plain(title), LONGEST), period=source.record.period))
    _add_part(made, "asked", asked(source, words))
    _add_part(made, "result", result_sentences(source, words))
    if not is_void(source):
        _add_items(made, source)
    _add_part(made, "actions", measures(source, words))
    _add_part(made, "next", [next_sentence(source, words)])
    paper.paragraph(made, words("notice.thanks"))
    for line in (words("notice.signed"), words("notice.day", date=words.date(day))):
        paper.paragraph(made, line).paragraph_format.left_indent = Pt(300)
    return paper.as_bytes(made, day)


def _add_part(made: Paper, name: str, sentences: list[str]) -> None:
    paper.heading(made, made.words(f"notice.{name}"), 2)
    for sentence in sentences:
        paper.paragraph(made, sentence)


# --- what is said -----------------------------------------------------------------------------------------------------


def asked(source: Source, words: Words) -> list[str]:
    """Return who was asked and how many answered, as far as that is known."""
    counts = source.record.counts
    known = {name: words.count(counts.get(name)) for name in ("frame", "distributed", "returned", "valid")}
    if counts.get("distributed") is None:
        return [words("notice.asked_returned", returned=known["returned"], valid=known["valid"])]
    if counts.get("frame") is None:
        return [words("notice.asked_sent", **{name: text for name, text in known.items() if name != "frame"})]
    return [words("notice.asked_frame", **known)]


def result_sentences(source: Source, words: Words) -> list[str]:
    """Return the headline in plain words; nothing that cannot be used, or is of too few people."""
    if is_void(source):
        return [words("notice.void")]
    programme, head = source.result.survey.programme, source.record.headline
    if (source.record.counts["valid"] or 0) < programme.min_n or head.value is None:
        return [words("notice.small")]
    unit = unit_of(head.measure, programme)
    found = [
        words("notice.value", title=measure_title(programme, head.measure, words), value=words.number(head.value, unit))
    ]
    bounds = words.interval(head.conf_low, head.conf_high, unit)
    found += [] if bounds == words("not_computed") else [words("notice.interval", interval=bounds)]
    return [*found, *([words("notice.remedy_due")] if source.record.status == "remedy_due" else [])]


def shown_items(source: Source) -> tuple[str, list[dict[str, Any]]]:
    """Return by which figure questions are shown, and those with answers enough, the highest first."""
    programme, items = source.result.survey.programme, source.result.items
    figure = "share_satisfied" if programme.satisfied else "mean"
    known = [row for row in items.to_dict("records") if row[figure] is not None and row["n"] >= programme.min_n]
    return figure, sorted(known, key=lambda row: -row[figure])


def _add_items(made: Paper, source: Source) -> None:
    """Add which questions did best and worst, and those of a short form as a table."""
    words, programme = made.words, source.result.survey.programme
    figure, items = shown_items(source)
    if not items:
        return
    unit = "share" if figure == "share_satisfied" else "points"
    rows = [(shortened(plain(item_title(programme, row["id"], words)), LONGEST), words.number(row[figure], unit),
             words.count(row["n"])) for row in items]  # fmt: skip
    _add_part(made, "items", [best_and_worst(rows, unit, words)])
    if 1 < len(rows) <= MOST_ITEMS:
        head = "share_satisfied" if unit == "share" else "mean"
        heads = [Column(words("head.item")), Column(words(f"head.{head}"), True), Column(words("head.n"), True)]
        paper.grid(made, heads, rows, size=10)


def best_and_worst(rows: list[tuple[str, str, str]], unit: str, words: Words) -> str:
    """Return which questions came out best and worst, the best standing first among rows."""
    (best, best_share, _), (worst, worst_share, _) = rows[0], rows[-1]
    if unit == "points":
        key = "best_mean"
    else:
        key = "best_one" if len(rows) == 1 else "best_same" if best_share == worst_share else "best"
    return words(f"notice.{key}", best=best, best_share=best_share, worst=worst, worst_share=worst_share)


def measures(source: Source, words: Words) -> list[str]:
    """Return what is being done: what the procedure requires, and the actions without names; else a line to fill in."""
    programme = source.result.survey.programme
    required = dict.fromkeys(trigger_title(programme, row.id, words) for row in source.record.triggers)
    found = [words("notice.trigger", title=title) for title in required]
    found += list(dict.fromkeys(_actions(source, words)))
    return found[:MOST_MEASURES] or [words("notice.actions_blank") + "_" * 40]


def _actions(source: Source, words: Words) -> Iterator[str]:
    """Yield each action by the figure it is about and its days; those without a figure have nothing to be called by."""
    programme = source.result.survey.programme
    for row in source.record.actions:
        days = {name: getattr(row, name) for name in DAYS if getattr(row, name)}
        told = [words(f"change.{name}", date=words.date(dt.date.fromisoformat(day))) for name, day in days.items()]
        if row.figure:
            item = row.figure.rpartition(".")[0]
            title = item_title(programme, item, words) if item else measure_title(programme, row.figure, words)
            yield words("notice.action", title=title, told=words.listing(told) or words("notice.action_untold"))


def next_sentence(source: Source, words: Words) -> str:
    """Return when the next survey is: by the run file, else by the procedure, else a line to fill in."""
    if source.following:
        return words("notice.next_period", period=source.following)
    steps = source.result.survey.programme.steps
    every = next((step.every for step in steps if step.seen_in == "fieldwork" and step.every), None)
    return words("notice.next_every", every=words(f"every.{every}")) if every else words("notice.next_blank") + "_" * 24
