"""How does an exhibit stand on paper? Headings, tables, figures and fields of a Word document that people edit."""

import datetime as dt
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import docx
import matplotlib as mpl
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from csat_analysis.documents.grids import BLUE, COLOURS, HANZI, INK, LATIN, SOFT, WIDTH, element, table_of
from csat_analysis.documents.packing import plain, repacked
from csat_analysis.ground.words import Words
from csat_analysis.publishing.canvas import Drawing, as_png, style
from csat_analysis.publishing.markup import Column, Exhibit

MOST_COLUMNS, MOST_ROWS = 9, 200  # of a table: more columns go on below, more rows are in the workbook


@dataclass
class Paper:
    """A document in the making, in one language.

    ``styles`` by name; ``numbers`` of its tables and figures; ``anchors`` of its headings.
    """

    document: Document
    words: Words
    styles: Mapping[str, str]
    numbers: Counter[str] = field(default_factory=Counter)
    anchors: list[tuple[str, int]] = field(default_factory=list)


# --- the document -----------------------------------------------------------------------------------------------------


def begin(words: Words, title: str, day: dt.date) -> Paper:
    """Return an empty A4 document with its styles."""
    document = docx.Document()
    _drop_parts(document)
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = Cm((21 - WIDTH) / 2)
    page.top_margin = page.bottom_margin = Cm(2.2)
    _set_styles(document, words)
    _set_properties(document, words, title, day)
    return Paper(document, words, {each.name: each.style_id for each in document.styles if each.name})


def _drop_parts(document: Document) -> None:
    """Take away what the library's template has besides: styles of an older edition, a picture of an empty page."""
    for owner in (document.part, document.part.package):
        for name, relation in list(owner.rels.items()):
            if relation.reltype.endswith(("/stylesWithEffects", "/thumbnail", "/customXml")):
                del owner.rels[name]


def _set_properties(document: Document, words: Words, title: str, day: dt.date) -> None:
    """Set what a file says of itself: its title and its day, and nobody's name."""
    core, moment = document.core_properties, dt.datetime(day.year, day.month, day.day)
    core.title, core.language, core.created, core.modified = plain(title)[:255], words("language.html"), moment, moment
    core.author = core.last_modified_by = core.comments = core.keywords = core.subject = ""
    core.revision = 1


def as_bytes(paper: Paper, day: dt.date) -> bytes:
    """Return the file: the same for the same contents."""
    buffer = io.BytesIO()
    paper.document.save(buffer)
    return repacked(buffer.getvalue(), day)


def _set_styles(document: Document, words: Words) -> None:
    styles = document.styles
    sizes = {"Normal": 10.5, "Heading 1": 16, "Heading 2": 12.5, "Title": 26, "Caption": 9, "List Bullet": 10.5}
    for name in ("Note", "toc 1", "toc 2"):
        own = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH, builtin=name != "Note")
        own.base_style = styles["Normal"]
    for name, size in {**sizes, "Note": 8.5, "toc 1": 10.5, "toc 2": 10, "Header": 8, "Footer": 8}.items():
        each = styles[name]
        _set_font(each, size, words)
        each.paragraph_format.space_before, each.paragraph_format.space_after = Pt(0), Pt(4)
    styles["Normal"].paragraph_format.line_spacing = 1.2
    for name, before, after in (("Heading 1", 18, 8), ("Heading 2", 12, 4), ("Caption", 8, 3), ("Note", 1, 2)):
        styles[name].paragraph_format.space_before = Pt(before)
        styles[name].paragraph_format.space_after = Pt(after)
    for name, colour in (("Heading 1", BLUE), ("Heading 2", BLUE), ("Title", BLUE), ("Note", SOFT)):
        styles[name].font.color.rgb = RGBColor.from_string(colour)
    for name in ("Heading 1", "Heading 2", "Caption"):
        styles[name].font.bold, styles[name].paragraph_format.keep_with_next = True, True
    styles["Caption"].font.color.rgb = RGBColor.from_string(INK)
    for name, indent in (("toc 1", 0), ("toc 2", 0.6)):
        styles[name].paragraph_format.left_indent = Cm(indent)
        styles[name].paragraph_format.tab_stops.add_tab_stop(Cm(WIDTH), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
    _without_border(styles["Title"].element)
    for setting in document.settings.element.iter(qn("w:compatSetting")):
        if setting.get(qn("w:name")) == "compatibilityMode":
            setting.set(qn("w:val"), "15")  # else Word shows the file as one of an older edition


def _without_border(element: Any) -> None:
    for border in element.iter(qn("w:pBdr")):
        border.getparent().remove(border)
        return


def _set_font(styled: Any, size: float, words: Words) -> None:
    """Set the fonts of a style, one for Latin letters and one for hanzi, and the language for the spelling."""
    styled.font.name, styled.font.size = LATIN, Pt(size)
    styled.font.italic = False
    styled.font.color.rgb = RGBColor.from_string(INK)
    properties = styled.element.get_or_add_rPr()
    fonts = properties.rFonts
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), HANZI)
    for language in properties.findall(qn("w:lang")):
        properties.remove(language)
    properties.append(element("w:lang", val="en-US", eastAsia="zh-CN"))


# --- text -------------------------------------------------------------------------------------------------------------


def paragraph(paper: Paper, text: str, style_name: str = "Normal", colour: str = "", bold: bool = False) -> Paragraph:
    """Return a new paragraph at the end of the document."""
    made = _styled(paper.document.add_paragraph(), paper, style_name)
    write(made, text, colour, bold)
    return made


def _styled(made: Paragraph, paper: Paper, style_name: str) -> Paragraph:
    """Return a paragraph in a style; the library looks through all of its styles each time, which takes longest."""
    if style_name != "Normal":
        made._p.style = paper.styles[style_name]
    return made


def write(where: Paragraph, text: str, colour: str = "", bold: bool = False, size: float = 0) -> None:
    """Add a text to a paragraph."""
    run = where.add_run(plain(text))
    run.bold = bold or None
    if colour:
        run.font.color.rgb = RGBColor.from_string(colour)
    if size:
        run.font.size = Pt(size)


def heading(paper: Paper, text: str, level: int) -> None:
    """Add a heading that the table of contents can find."""
    made = paragraph(paper, text, f"Heading {level}")
    number = len(paper.anchors) + 1
    paper.anchors.append((plain(text), level))
    made._p.insert(1 if made._p.pPr is not None else 0, element("w:bookmarkStart", id=number, name=f"_Toc{number}"))
    made._p.append(element("w:bookmarkEnd", id=number))


def bullets(paper: Paper, entries: Iterable[str]) -> None:
    """Add a list of sentences."""
    for entry in entries:
        paragraph(paper, entry, "List Bullet")


# --- fields -----------------------------------------------------------------------------------------------------------


def add_field(where: Paragraph, instruction: str, shown: str = "", stale: bool = False) -> None:
    """Add a field with what it shows until the reader's program computes it."""
    begin_mark = element("w:fldChar", fldCharType="begin", **({"dirty": "true"} if stale else {}))
    code = element("w:instrText")
    code.text = f" {instruction} "
    code.set(qn("xml:space"), "preserve")
    for part in (begin_mark, code, element("w:fldChar", fldCharType="separate")):
        where.add_run()._r.append(part)
    if shown:
        where.add_run(shown)
    where.add_run()._r.append(element("w:fldChar", fldCharType="end"))


def add_contents(paper: Paper, before: Paragraph) -> None:
    """Add the table of contents before a paragraph: a field, with the headings as it will show them."""
    found = [_styled(before.insert_paragraph_before(), paper, f"toc {level}") for _, level in paper.anchors]
    for number, (entry, (text, _)) in enumerate(zip(found, paper.anchors, strict=True), 1):
        link = element("w:hyperlink", anchor=f"_Toc{number}", history=1)
        entry.add_run(f"{text}\t")
        add_field(entry, f"PAGEREF _Toc{number} \\h", stale=True)
        for run in list(entry._p.findall(qn("w:r"))):
            link.append(run)
        entry._p.append(link)
    for part in reversed(_begin_of('TOC \\o "1-2" \\h \\z \\u')):
        found[0]._p.insert(1, part)
    found[-1].add_run()._r.append(element("w:fldChar", fldCharType="end"))


def _begin_of(instruction: str) -> list[Any]:
    """Return the runs that begin a field of several paragraphs."""
    code = element("w:instrText")
    code.text = f" {instruction} "
    code.set(qn("xml:space"), "preserve")
    marks = (element("w:fldChar", fldCharType="begin", dirty="true"), code)
    return [element("w:r", mark) for mark in (*marks, element("w:fldChar", fldCharType="separate"))]


def set_margins(paper: Paper, left: str, right: str, below: str) -> None:
    """Set what stands above and below each page but the first: two texts above, one and the page number below."""
    page = paper.document.sections[0]
    page.different_first_page_header_footer = True
    stop = Cm(WIDTH)
    above, foot = page.header.paragraphs[0], page.footer.paragraphs[0]
    for line in (above, foot):
        line.style.paragraph_format.tab_stops.clear_all()
        line.paragraph_format.tab_stops.add_tab_stop(stop, WD_TAB_ALIGNMENT.RIGHT)
    write(above, f"{plain(left)}", SOFT)
    above.add_run("\t")
    write(above, plain(right), SOFT)
    write(foot, plain(below), SOFT)
    foot.add_run("\t")
    first, middle, last = _around(paper.words)
    write(foot, first, SOFT)
    add_field(foot, "PAGE", "1")
    write(foot, middle, SOFT)
    add_field(foot, "NUMPAGES", "1")
    write(foot, last, SOFT)


def _around(words: Words) -> tuple[str, str, str]:
    """Return what stands before, between and after the two numbers of a page."""
    first, _, rest = words("document.page", page="\n", pages="\r").partition("\n")
    middle, _, last = rest.partition("\r")
    return first, middle, last


def caption(paper: Paper, kind: str, text: str) -> None:
    """Add a numbered caption of a table or a figure."""
    paper.numbers[kind] += 1
    made = paragraph(paper, f"{paper.words(f'document.{kind}')} ", "Caption")
    add_field(made, f"SEQ {kind.capitalize()} \\* ARABIC", str(paper.numbers[kind]))
    write(made, f"  {text}")
    made.paragraph_format.keep_with_next = True


# --- figures ----------------------------------------------------------------------------------------------------------


def add_figure(paper: Paper, drawn: Drawing) -> None:
    """Add a figure with its caption, what it says for those who cannot see it, and how it is read."""
    with mpl.rc_context(style()):
        picture = as_png(drawn.figure)
    paper.document.add_picture(io.BytesIO(picture), width=Cm(WIDTH - 0.5))
    shape = paper.document.inline_shapes[-1]._inline.docPr
    shape.set("title", plain(drawn.caption))
    shape.set("descr", plain(drawn.told or drawn.sentence))
    paper.document.paragraphs[-1].paragraph_format.keep_with_next = True
    caption(paper, "figure", drawn.caption)
    paragraph(paper, drawn.told or drawn.sentence, "Note")


# --- tables -----------------------------------------------------------------------------------------------------------


def add_table(paper: Paper, exhibit: Exhibit) -> None:
    """Add a table with its caption and notes; one with many columns goes on below, one with many rows is cut."""
    columns, rows = exhibit.content["columns"], exhibit.content["rows"]
    shown, notes = rows[:MOST_ROWS], list(exhibit.content["notes"])
    if len(rows) > MOST_ROWS:
        notes.append(paper.words("document.rows_more", shown=MOST_ROWS, n=paper.words.count(len(rows))))
    for part, chosen in enumerate(_pieces(len(columns))):
        more = f" {paper.words('document.columns_more')}" if part else ""
        caption(paper, "table", exhibit.content["caption"] + more)
        grid(paper, [columns[place] for place in chosen], [[row[place] for place in chosen] for row in shown])
        paragraph(paper, "", "Note") if not notes else None
    for note in notes:
        paragraph(paper, note, "Note")


def _pieces(number: int) -> list[list[int]]:
    """Return which columns stand in each piece of a table: the first one in all.

    >>> _pieces(3), _pieces(11)
    ([[0, 1, 2]], [[0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 9, 10]])
    """
    if number <= MOST_COLUMNS:
        return [list(range(number))]
    step = MOST_COLUMNS - 1
    return [[0, *range(start, min(start + step, number))] for start in range(1, number, step)]


def grid(paper: Paper, columns: Sequence[Column], rows: Sequence[Sequence[str]], size: int = 0) -> None:
    """Add the rows of a table: the first is repeated on each page, and none is broken; more columns are smaller."""
    paper.document.element.body.insert(-1, table_of(columns, rows, size))  # before the properties of the section


# --- exhibits ---------------------------------------------------------------------------------------------------------


def add(paper: Paper, block: Exhibit | Drawing) -> None:
    """Add whatever an exhibit is made of."""
    if isinstance(block, Drawing):
        add_figure(paper, block)
    elif block.macro == "table":
        add_table(paper, block)
    elif block.macro == "prose":
        for text in block.content["paragraphs"]:
            paragraph(paper, text)
    elif block.macro == "listing":
        bullets(paper, block.content["entries"])
    elif block.macro == "brief":
        for name, text in block.content["parts"]:
            write(paragraph(paper, f"{name}  ", colour=BLUE, bold=True), text)
    elif block.macro == "headline":
        _add_headline(paper, block.content)


def _add_headline(paper: Paper, content: Any) -> None:
    """Add the status, the figure with its interval, and what it counts."""
    paragraph(paper, content["stamp"], colour=COLOURS[content["status"]], bold=True)
    if content["value"]:
        line = paragraph(paper, content["title"])
        write(line, "  ")
        write(line, content["value"], BLUE, bold=True, size=20)
        if content["interval"]:
            paragraph(paper, content["interval"], "Note")
    for sentence in content["explanation"]:
        paragraph(paper, sentence)


def add_pairs(paper: Paper, pairs: Iterable[tuple[str, str]], rule: bool = False) -> None:
    """Add a plain table of names and what they stand for."""
    made = paper.document.add_table(0, 2)
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    for name, text in pairs:
        cells = made.add_row().cells
        for cell, width, said, colour in zip(cells, (4.0, 10.0), (name, text), (SOFT, INK), strict=True):
            cell.width = Cm(width)
            write(cell.paragraphs[0], said, colour)


def centred(paper: Paper, text: str, style_name: str = "Normal", **look: Any) -> Paragraph:
    """Return a new centred paragraph."""
    made = paragraph(paper, text, style_name, **look)
    made.alignment = WD_ALIGN_PARAGRAPH.CENTER
    return made
