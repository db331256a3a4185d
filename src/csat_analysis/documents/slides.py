"""What does the management review look at? Ten slides from a record, with tables and a chart that can be edited."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from csat_analysis.documents import deck
from csat_analysis.documents.deck import BROAD, HIGH, LEFT, TOP, add_bullets, add_table, add_text
from csat_analysis.documents.documents import head, limit_sentences, procedure_title, summary_sentences
from csat_analysis.documents.grids import BLUE, COLOURS, SOFT
from csat_analysis.documents.packing import plain, shortened
from csat_analysis.documents.problems import Source, decisions, gates, is_void, problems, rows_of, weak_table
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing import figures
from csat_analysis.publishing.change_tables import figure_table, item_table, judged_sentences
from csat_analysis.publishing.change_ways import action_table
from csat_analysis.publishing.ledger import fieldwork_table
from csat_analysis.publishing.markup import Exhibit
from csat_analysis.publishing.phrases import gate_sentences, item_title
from csat_analysis.publishing.verdicts import comparison_table, target_table

MOST_BARS, LONGEST = 14, 44  # of the chart: how many bars, how many letters beside one


def make(source: Source, language: str) -> bytes:
    """Return the slides as a PowerPoint file; where a record has no table for one, the last says so."""
    words, day = speak(language), dt.date.fromisoformat(source.record.as_of)
    title = f"{words.title(source.record.title, source.record.project)} {source.record.period}"
    made = deck.begin(title, words("language.html"), day)
    _add_title(made, source, words)
    missing = []
    for name, fill in SLIDES.items():
        slide = deck.add_slide(made, words(f"slide.{name}"), _foot(source, words))
        if not fill(slide, source, words):
            missing.append(name)
            deck.drop_last(made)
    _add_next(made, source, missing, words)
    return deck.as_bytes(made, day)


def _foot(source: Source, words: Words) -> str:
    """Return what stands below each slide: project and period, and that the survey is void where it is."""
    name = shortened(words.title(source.record.title, source.record.project), 60)
    void = [words("stamp.void")] if is_void(source) else []
    return "  ".join([name, source.record.period, *void])


# --- the slides -------------------------------------------------------------------------------------------------------


def _add_title(made: Any, source: Source, words: Words) -> None:
    """Add the first slide: of what, by which procedure, when."""
    record, control = source.record, source.result.survey.run.document
    slide = made.slides.add_slide(made.slide_layouts[0])
    name = shortened(words.title(record.title, record.project), 120)
    deck.place(slide.shapes.title, LEFT + 1, 5.2, BROAD - 2, 3.4)
    deck.write(slide.shapes.title.text_frame, [name], deck.fitting([name], BROAD - 3, 3.2, 40)[0], BLUE, bold=True)
    lines = [words("document.slides"), words("page.period", period=record.period)]
    add_text(slide, lines, LEFT + 1, 8.9, BROAD - 2, 2.6, 22)
    small = [procedure_title(record, words)]
    small.append(words.colon(words("document.as_of"), words.date(dt.date.fromisoformat(record.as_of))))
    named = {
        "number": control.number,
        "version": control.version,
        "confidentiality": words.title(control.confidentiality),
    }
    small += [words.colon(words(f"document.{key}"), text) for key, text in named.items() if text]
    add_text(slide, [shortened(line, 110) for line in small], LEFT + 1, 12.2, BROAD - 2, 4.5, 14, SOFT)


def _headline(slide: Any, source: Source, words: Words) -> bool:
    content = head(source, words).content
    add_text(slide, [content["stamp"]], LEFT, TOP, 12, 1.2, 20, COLOURS[content["status"]], bold=True)
    top = TOP + 1.3
    if content["value"]:
        add_text(slide, [shortened(plain(content["title"]), 60)], LEFT, top, BROAD, 1.0, 18)
        add_text(slide, [content["value"]], LEFT, top + 1.0, BROAD, 2.6, 54, BLUE, bold=True)
        add_text(slide, [content["interval"]], LEFT, top + 3.6, BROAD, 0.9, 14, SOFT)
        top += 4.6
    add_bullets(slide, lambda spoken: _explained(source, spoken), top, TOP + HIGH - top, words)
    return True


def _explained(source: Source, words: Words) -> list[str]:
    """Return what the headline counts, how many answered and which rules are met; that it is stale comes first."""
    stale = [words("document.stale")] if source.stale else []
    return [*stale, *head(source, words).content["explanation"], *summary_sentences(source, words)]


def _counted(slide: Any, source: Source, words: Words) -> bool:
    end = 0.6 + add_table(slide, lambda spoken: fieldwork_table(source.result, spoken.language), TOP, 8.5, words)
    add_bullets(slide, lambda spoken: limit_sentences(source, spoken), end, TOP + HIGH - end, words)
    return True


def _gates(slide: Any, source: Source, words: Words) -> bool:
    if gates(source, words).macro != "table":
        return False
    end = 0.6 + add_table(slide, lambda spoken: gates(source, spoken), TOP, HIGH - 4, words)
    if not is_void(source):
        add_bullets(slide, lambda spoken: gate_sentences(source.result, spoken), end, TOP + HIGH - end, words)
    return True


def _items(slide: Any, source: Source, words: Words) -> bool:
    programme, items = source.result.survey.programme, source.result.items
    unit, column = ("share", "share_satisfied") if programme.satisfied else ("points", "mean")
    known = items[items[column].notna()].to_dict("records")
    if is_void(source) or not known:
        return False
    shown = known[:MOST_BARS]
    names = [shortened(plain(item_title(programme, row["id"], words)), LONGEST) for row in shown]
    sentence = words("gap").join(figures.likert_sentences(source.result, words))
    told = words("slide.see_items", sentence=sentence) if unit == "share" else words("slide.see_means")
    more = [words("slide.more", n=len(known) - len(shown))] if len(known) > len(shown) else []
    told = shortened(plain(told), 400)
    add_text(slide, [told, *more], LEFT, TOP, BROAD, 2.2, deck.fitting([told, *more], BROAD, 2.0, 15)[0])
    deck.add_chart(slide, names, [row[column] for row in shown], unit, told, words)
    return True


def _weak(slide: Any, source: Source, words: Words) -> bool:
    if is_void(source) or weak_table(source, words).macro != "table":
        return False
    end = add_table(slide, lambda spoken: weak_table(source, spoken), TOP, 9.0, words)
    add_bullets(slide, lambda spoken: weak_table(source, spoken).content["notes"], end + 0.6, 4.0, words)
    return True


def _change(slide: Any, source: Source, words: Words) -> bool:
    if is_void(source):
        return False
    if source.change.reason:
        return _compared(slide, source, words)
    add_bullets(slide, lambda spoken: _judged(source, spoken), TOP, 5.0, words)
    if _changes(source, words).macro:
        add_table(slide, lambda spoken: _changes(source, spoken), TOP + 5.2, HIGH - 5.2, words, (0, 1, 2, 3, 5, 6))
    return True


def _judged(source: Source, words: Words) -> list[str]:
    return [*judged_sentences(source.change, words), words("change.no_cause")]


def _changes(source: Source, words: Words) -> Exhibit:
    """Return the changes of measures and questions in one table; counts of forms are on another slide."""
    measures, items = (build(source.change, words.language) for build in (figure_table, item_table))
    every = [row for shown in (measures, items) for row in shown.content.get("rows", ())]
    return rows_of(
        measures if measures.macro else items, [row for row in every if row[-1] != words("change.not_judged")]
    )


def _compared(slide: Any, source: Source, words: Words) -> bool:
    """Fill a slide with earlier periods, else with the targets; return whether there are any."""
    if not source.record.comparisons:
        return False
    build = comparison_table if comparison_table(source.result, words.language).macro == "table" else target_table
    add_table(slide, lambda spoken: build(source.result, spoken.language), TOP, HIGH, words)
    return True


def _problems(slide: Any, source: Source, words: Words) -> bool:
    add_bullets(slide, lambda spoken: problems(source, spoken) or [spoken("document.problems_none")], TOP, HIGH, words)
    return True


def _actions(slide: Any, source: Source, words: Words) -> bool:
    if not source.record.actions or source.change.reason:
        return False
    add_table(
        slide, lambda spoken: action_table(source.change, spoken.language), TOP, HIGH - 1.6, words, (0, 1, 2, 4, 5)
    )
    add_text(slide, [words("document.actions_text")], LEFT, TOP + HIGH - 1.4, BROAD, 1.2, 11, SOFT)
    return True


def _add_next(made: Any, source: Source, missing: Sequence[str], words: Words) -> None:
    """Add the last slide: what is to be decided, how the figures were made, and which slides there are none of."""
    slide = deck.add_slide(made, words("slide.next"), _foot(source, words))
    add_text(slide, [words("slide.decisions")], LEFT, TOP, BROAD, 1.0, 18, BLUE, bold=True)
    add_bullets(slide, lambda spoken: decisions(source, spoken) or [spoken("slide.decide_none")], TOP + 1.0, 6.6, words)
    add_text(slide, [words("document.method")], LEFT, TOP + 7.8, BROAD, 1.0, 18, BLUE, bold=True)
    add_bullets(slide, lambda spoken: _method(source, missing, spoken), TOP + 8.8, HIGH - 8.8, words)


def _method(source: Source, missing: Sequence[str], words: Words) -> list[str]:
    """Return how the figures were made, after what the deck does not hold."""
    left_out = words.listing(words(f"slide.{name}") for name in missing)
    return [
        *([words("slide.left_out", names=left_out)] if missing else []),
        words("document.source"), words("document.method_level"), words("document.method_rounding"),
        words("document.method_small", n=source.result.survey.programme.min_n),
        words.colon(words("portal.programme"), procedure_title(source.record, words)),
    ]  # fmt: skip


SLIDES: dict[str, Callable[[Any, Source, Words], bool]] = {
    "headline": _headline, "counted": _counted, "gates": _gates, "items": _items, "weak": _weak, "change": _change,
    "problems": _problems, "actions": _actions,
}  # fmt: skip
