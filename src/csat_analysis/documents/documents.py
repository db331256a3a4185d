"""What does a report hold that people send? Its sections, from a record alone: what there is, and what is left out."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import pandas as pd

from csat_analysis.documents.problems import (
    COMPLAINTS,
    OPEN,
    Source,
    cause_table,
    complaint_table,
    duty_table,
    gates,
    is_void,
    open_gates,
    problems,
    trigger_table,
    weak_table,
    without_rows,
)
from csat_analysis.domain.fieldwork import RATES
from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.words import Words
from csat_analysis.publishing import briefs, certificate, change_figures, figures
from csat_analysis.publishing.canvas import Drawing
from csat_analysis.publishing.change_cells import portfolio_exhibit
from csat_analysis.publishing.change_tables import figure_table as change_measures
from csat_analysis.publishing.change_tables import item_table as change_items
from csat_analysis.publishing.change_tables import judged_sentences, spoken
from csat_analysis.publishing.change_ways import action_table, plan_note
from csat_analysis.publishing.driver_figures import draw_importance, draw_map
from csat_analysis.publishing.driver_tables import importance_summary, importance_table, is_shown, quadrant_table
from csat_analysis.publishing.duties import clause_summary
from csat_analysis.publishing.exhibits import answer_table, headline, index_table, item_table, limits, rate_table
from csat_analysis.publishing.groups import group_table, part_table
from csat_analysis.publishing.ledger import account_table, fieldwork_table, findings, input_table
from csat_analysis.publishing.markup import Cell, Column, Exhibit, listing, prose, render, table
from csat_analysis.publishing.phrases import gate_sentences, return_sentence, status_sentences
from csat_analysis.publishing.record_keys import Record
from csat_analysis.publishing.verdicts import comparison_table, grade_table, target_table
from csat_analysis.publishing.weights import respondent_table, weighted_table

VOIDED = ("results", "comparison", "change")  # parts of a void survey that are left out
ONLY_TABLES = ("note.clusters_unknown",)  # sentences on what the tables alone can tell


class Heading(NamedTuple):
    """A heading inside a section."""

    text: str


Block = Heading | Exhibit | Drawing


class Section(NamedTuple):
    """A section: its name, and what stands in it."""

    name: str
    blocks: list[Block]


# --- what there is ----------------------------------------------------------------------------------------------------


def left_out(record: Record) -> dict[str, str]:
    """Return the parts that a record has no table for, in the order of the document, each with the reason."""
    known = {row.id: row.value for row in record.measures}
    found = {
        "index": record.index is not None,
        "items": any(item.n for item in record.items),
        "drivers": bool(record.importance),
        "groups": bool(record.strata or record.groups or record.parts),
        "respondents": bool(record.respondents),
        "complaints": any(known.get(name) is not None for name in COMPLAINTS),
        "actions": bool(record.actions),
        "comparison": bool(record.comparisons),
        "change": bool(record.change),
        "clauses": bool(record.clauses or record.steps),
    }
    void = dict.fromkeys(VOIDED, "results") if record.status == "void" else {}
    return {**void, **{name: name for name, is_there in found.items() if not is_there and name not in void}}


def left_out_lines(record: Record, words: Words) -> list[str]:
    """Return each part that is left out, with the reason."""
    return [
        words.aside(part_title(name, words), words(f"document_left.{why}")) for name, why in left_out(record).items()
    ]


def part_title(name: str, words: Words) -> str:
    """Return what a part of a document is called."""
    return words("document_left.name_index" if name == "index" else f"document.{name}")


def there(blocks: Iterable[Block]) -> list[Block]:
    """Return the blocks that hold something; a heading without anything below it goes too."""
    found = [block for block in blocks if not isinstance(block, Exhibit) or block.macro]
    return [
        block for block, after in pairwise([*found, Heading("")])
        if not (isinstance(block, Heading) and isinstance(after, Heading))
    ]  # fmt: skip


# --- the sections -----------------------------------------------------------------------------------------------------


def sections(source: Source, words: Words) -> list[Section]:
    """Return the sections of a report; those without a table are left out."""
    parts = {
        "overview": _overview, "survey": _survey, "results": _results, "problems": _problems, "actions": _actions,
        "comparison": _comparison, "appendix": _appendix,
    }  # fmt: skip
    if is_void(source):
        del parts["results"], parts["comparison"]
    found = [Section(name, there(part(source, words))) for name, part in parts.items()]
    return [section for section in found if section.blocks]


def _overview(source: Source, words: Words) -> Iterator[Block]:
    yield prose(*([words("document.stale")] if source.stale else []))
    if not is_void(source):
        yield briefs.satisfaction(source.result, words.language)
    yield head(source, words)
    yield prose(*summary_sentences(source, words))
    yield Heading(words("document.verdicts"))
    if not is_void(source) and (drawn := figures.draw_ladder(source.result, words.language)):
        yield drawn
    yield gates(source, words)
    yield Heading(words("document.left_out"))
    lines = left_out_lines(source.record, words)
    yield prose(words(f"document.left_out_{'lead' if lines else 'none'}"))
    yield listing(lines)


def head(source: Source, words: Words) -> Exhibit:
    """Return the status and the headline figure; of a void survey the status alone."""
    shown = headline(source.result, words.language)
    if not is_void(source):
        return shown
    said = [words("document.void"), *status_sentences(source.result, words)]
    return render("headline", **{**shown.content, "title": "", "value": "", "interval": "", "explanation": said})


def summary_sentences(source: Source, words: Words) -> list[str]:
    """Return how many answered and which rules are met; of a void survey only how many answered."""
    said = [] if is_void(source) else gate_sentences(source.result, words)
    return [return_sentence(source.result, words), *said]


def _survey(source: Source, words: Words) -> Iterator[Block]:
    language, result = words.language, source.result
    yield prose(*design_sentences(source.record, words))
    yield Heading(words("document.fieldwork"))
    yield fieldwork_table(result, language)
    yield Heading(words("document.respondents"))
    yield respondent_table(result, language)
    yield Heading(words("document.limits"))
    yield listing(limit_sentences(source, words))


def design_sentences(record: Record, words: Words) -> list[str]:
    """Return how forms were drawn, as the errors take it."""
    design = record.design
    told = {
        "weights": design.weighted, "strata": design.strata > 1, "clusters": design.clusters > 0,
    }  # fmt: skip
    numbers = {"strata": words.count(design.strata), "clusters": words.count(design.clusters)}
    said = [words(f"design.{name}", n=numbers.get(name, "")) for name, is_so in told.items() if is_so]
    return said or [words("design.plain")]


def limit_sentences(source: Source, words: Words) -> list[str]:
    """Return what the figures do not say, as far as a record can tell."""
    unsaid = {words(key) for key in ONLY_TABLES}
    return [line for line in limits(source.result, words.language).content.get("entries", ()) if line not in unsaid]


def _results(source: Source, words: Words) -> Iterator[Block]:
    language, result = words.language, source.result
    yield Heading(words("document.figures"))
    fieldwork = [words(f"measure.{name}") for name in RATES if name in MEASURES]
    yield without_rows(rate_table(result, language), fieldwork)
    yield index_table(result, language)
    yield grade_table(result, language)
    yield weighted_table(result, language)
    yield Heading(words("document.items"))
    if drawn := figures.draw_answers(result, language):
        yield drawn  # says which question satisfies most, and which least
        yield answers(source, words)
    if drawn := figures.draw_items(result, language):
        yield drawn
    yield item_table(result, language) if any(item.n for item in source.record.items) else Exhibit("")
    yield Heading(words("document.drivers"))
    yield from drivers(source, words)
    yield Heading(words("document.groups"))
    yield part_table(result, language)
    yield group_table(result, language)


def answers(source: Source, words: Words) -> Exhibit:
    """Return how often each answer was given; what is no answer stands beside the bars: paper has no room for more."""
    content = answer_table(source.result, words.language).content
    width = 2 + len(source.result.survey.programme.level_ids)
    rows = [row[:width] for row in content["rows"]]
    return table(content["caption"], content["columns"][:width], rows, content["notes"])


def drivers(source: Source, words: Words) -> Iterator[Block]:
    """Yield what goes with the overall question, in words, pictures and numbers; nothing where that is not known."""
    found, language = source.importance, words.language
    if is_shown(found):
        yield importance_summary(found, language)
        yield from filter(None, (draw_importance(found, language), draw_map(found, language)))
        yield importance_table(found, language)
        yield quadrant_table(found, language)


# --- problems ---------------------------------------------------------------------------------------------------------


def _problems(source: Source, words: Words) -> Iterator[Block]:
    every = problems(source, words)
    yield prose(words("document.problems_lead", n=len(every)) if every else words("document.problems_none"))
    yield Heading(words("document.gates_open"))
    yield open_gates(source, words)
    yield Heading(words("document.triggers"))
    yield trigger_table(source, words)
    if not is_void(source):
        yield Heading(words("document.weak"))
        yield weak_table(source, words)
        yield Heading(words("document.complaints"))
        yield complaint_table(source, words)
    yield Heading(words("document.duties"))
    yield duty_table(source, words, OPEN)
    yield Heading(words("document.causes"))
    yield cause_table(every, words)


# --- measures, comparison ---------------------------------------------------------------------------------------------


def _actions(source: Source, words: Words) -> Iterator[Block]:
    if source.record.actions and not source.change.reason:
        yield prose(words("document.actions_text"))
        yield action_table(source.change, words.language)
        yield plan_note(source.change, words.language)


def _comparison(source: Source, words: Words) -> Iterator[Block]:
    language, result, change = words.language, source.result, source.change
    if source.record.comparisons or source.record.change:
        yield prose(words("document.comparison_lead"))
    yield Heading(words("document.targets"))
    yield target_table(result, language)
    yield Heading(words("document.earlier"))
    yield comparison_table(result, language) if source.record.comparisons else Exhibit("")
    yield Heading(words("document.change"))
    if not change.reason:
        yield prose(*judged_sentences(change, words), words("change.no_cause"))
        yield from change_figures.draw_changes(change, language).values()
        yield change_measures(change, language)
        yield change_items(change, language)
        yield portfolio(source, words)


def portfolio(source: Source, words: Words) -> Exhibit:
    """Return what action brought over all projects; nothing where the record does not tell."""
    found = source.record.portfolio
    if found is None:
        return Exhibit("")
    name = spoken(source.change, found.figure, words)
    return portfolio_exhibit(found.model_dump(), name, words, words("portfolio.note"))


# --- appendix ---------------------------------------------------------------------------------------------------------


def _appendix(source: Source, words: Words) -> Iterator[Block]:
    language, result = words.language, source.result
    yield prose(words("document.appendix_lead"))
    yield Heading(words("document.clauses"))
    if source.record.clauses:
        yield clause_summary(result, language)
    yield clause_table(source, words)
    yield duty_table(source, words)
    yield Heading(words("document.rows"))
    yield account_table(result.survey, language)
    yield findings(result.survey, language)
    yield rejected_table(source.record, words)
    yield Heading(words("document.inputs"))
    yield input_table(result.survey, language)
    yield Heading(words("document.method"))
    yield listing(method_sentences(source, words))


def clause_table(source: Source, words: Words) -> Exhibit:
    """Return every clause with its title, and how it stands."""
    titles = {clause.id: words.title(clause.title) for clause in source.result.survey.programme.clauses}
    rows = [
        (row.clause, titles[row.clause], Cell(words(f"state.{row.state}"), f"verdict {row.state}"))
        for row in source.record.clauses
    ]
    heads = [Column(words(f"head.{name}")) for name in ("clause", "asks", "standing")]
    return table(words("document.clause_table"), heads, rows)


def rejected_table(record: Record, words: Words) -> Exhibit:
    """Return how many rows and cells could not be used, by table and reason: no value of anybody is repeated."""
    if not record.rejected:
        return prose(words("sentence.rejected_none"))
    counts = pd.Series([(row.table, row.reason) for row in record.rejected]).value_counts(sort=False)
    rows = [(words(f"table.{name}"), words(f"reason.{why}"), words.count(n)) for (name, why), n in counts.items()]
    heads = [Column(words("head.table")), Column(words("head.reason")), Column(words("document.count"), True)]
    shown, total = len(record.rejected), record.rejected_count
    some = [words("document.rejected_some", n=words.count(total), shown=words.count(shown))] if total > shown else []
    return table(words("document.rejected_table"), heads, rows, some)


def method_sentences(source: Source, words: Words) -> list[str]:
    """Return how the figures were made: procedure, rounding, small groups, software, certificate."""
    record = source.record
    names = words.listing(f"{name} {version}" for name, version in record.software.items())
    return [
        words("document.source"),
        words("document.method_text", procedure=procedure_title(record, words), digest=record.programme.sha256),
        words("document.method_level"),
        words("document.method_rounding"),
        words("document.method_small", n=source.result.survey.programme.min_n),
        words("document.software", names=names),
        certificate.sentence(certificate.of_package(), words),
    ]


def procedure_title(record: Record, words: Words) -> str:
    """Return the procedure with its edition."""
    programme: Mapping[str, Any] = record.programme.model_dump()
    title = words.title(programme["title"], programme["id"])
    return words("document.procedure", title=title, version=programme["version"])
