"""What is sent as a document? The whole survey in Word: cover, contents, sections, appendix."""

import datetime as dt
from collections.abc import Sequence

from docx.enum.text import WD_BREAK
from docx.shared import Pt

from csat_analysis.documents import paper
from csat_analysis.documents.documents import Heading, Section, procedure_title, sections
from csat_analysis.documents.grids import BLUE, INK
from csat_analysis.documents.paper import Paper
from csat_analysis.documents.problems import Source
from csat_analysis.ground.runs import DocumentControl
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Column

SIGNED = ("prepared_by", "reviewed_by", "approved_by")
UNNUMBERED = ("appendix",)


def make(source: Source, language: str) -> bytes:
    """Return the report as a Word file."""
    words, day = speak(language), dt.date.fromisoformat(source.record.as_of)
    title = words.title(source.record.title, source.record.project)
    made = paper.begin(words, f"{title} {source.record.period}", day)
    control = source.result.survey.run.document
    paper.set_margins(
        made, f"{title}  {source.record.period}", control.number or "", words.title(control.confidentiality)
    )
    _add_cover(made, source, control)
    contents = made.document.add_paragraph()
    contents.add_run().add_break(WD_BREAK.PAGE)
    for number, section in enumerate(sections(source, words), 1):
        _add_section(made, section, number)
    paper.add_contents(made, contents)
    return paper.as_bytes(made, day)


def _add_cover(made: Paper, source: Source, control: DocumentControl) -> None:
    """Add the first page: what it is, of what and when, its number, and who signs it."""
    words, record = made.words, source.record
    paper.centred(made, "").paragraph_format.space_before = Pt(110)
    paper.centred(made, words.title(record.title, record.project), "Title")
    paper.centred(made, words("document.report"), colour=INK, bold=True).runs[0].font.size = Pt(18)
    paper.centred(made, words("page.period", period=record.period)).paragraph_format.space_after = Pt(60)
    paper.add_pairs(made, cover_lines(source, control, words))
    made.document.add_paragraph().paragraph_format.space_after = Pt(60)
    names = ("document.name", "document.signed_on")
    rows = [(words(f"document.{role}"), getattr(control, role) or "", "") for role in SIGNED]
    paper.grid(made, [Column(""), *(Column(words(name)) for name in names)], rows)
    made.document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    paper.paragraph(made, words("page.contents"), colour=BLUE, bold=True).runs[0].font.size = Pt(16)


def cover_lines(source: Source, control: DocumentControl, words: Words) -> list[tuple[str, str]]:
    """Return what the cover names, each with its text; a line to be filled in where there is none."""
    record, day = source.record, dt.date.fromisoformat(source.record.as_of)
    blank = "_" * 16
    return [
        (words("portal.programme"), procedure_title(record, words)),
        (words("portal.period"), record.period),
        (words("document.as_of"), words.date(day)),
        (words("portal.status"), words(f"stamp.{record.status}")),
        (words("document.number"), control.number or blank),
        (words("document.version"), control.version or blank),
        (words("document.confidentiality"), words.title(control.confidentiality) or blank),
    ]


def _add_section(made: Paper, section: Section, number: int) -> None:
    """Add a section under its heading, the headings in it numbered too."""
    is_numbered = section.name not in UNNUMBERED
    title = made.words(f"document.{section.name}")
    paper.heading(made, f"{number}  {title}" if is_numbered else title, 1)
    places = [block for block in section.blocks if isinstance(block, Heading)]
    for block in section.blocks:
        if isinstance(block, Heading):
            at = _place(places, block)
            paper.heading(made, f"{number}.{at}  {block.text}" if is_numbered else block.text, 2)
        else:
            paper.add(made, block)


def _place(headings: Sequence[Heading], heading: Heading) -> int:
    """Return the number of a heading in its section."""
    return 1 + next(at for at, each in enumerate(headings) if each is heading)
