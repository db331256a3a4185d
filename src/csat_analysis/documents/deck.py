"""How does an exhibit stand on a slide? Texts that fit, tables and charts of a PowerPoint file that people edit."""

import datetime as dt
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pptx
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_TICK_LABEL_POSITION
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.util import Cm, Pt

from csat_analysis.documents.grids import BLUE, COLOURS, HANZI, INK, LATIN, RULE, SHADE, SOFT, WIDTH, widths_of
from csat_analysis.documents.packing import plain, repacked, shortened
from csat_analysis.ground.catalogue import round_shown
from csat_analysis.ground.words import Words, languages, letters, speak
from csat_analysis.publishing.markup import Cell, Column, Exhibit

PAGE = (33.867, 19.05)  # cm: 16 to 9
LEFT, TOP, BROAD, HIGH = 1.6, 3.2, 30.6, 14.4  # cm: of what stands below the title
LARGEST, SMALLEST = 18, 12  # sizes of texts in points
TABLE_SIZES = (16, 14, 12, 11)  # of a table: the largest at which all its rows have room
LETTER, LINE = 0.56, 1.3  # how wide a letter is, and how high a line, by the size of the font
POINT = 0.03528  # cm
INDENT, FOOT = 0.7, 0.8  # cm: of a list; of the line below a table that was cut
MOST_BELOW = 4  # lines below the text of a cell
NUMBER = "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}"  # of the field of slide numbers, the same in all files
NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # of a table: no colours, no grid

# --- the deck ---------------------------------------------------------------------------------------------------------


def begin(title: str, language: str, day: dt.date) -> Any:
    """Return an empty deck: two layouts, our fonts, nobody's name."""
    deck = pptx.Presentation()
    deck.slide_width, deck.slide_height = Cm(PAGE[0]), Cm(PAGE[1])
    for layout in list(deck.slide_layouts):
        if layout.name != "Title Only":
            deck.slide_layouts.remove(layout)
    for page in (deck.slide_master, deck.slide_layouts[0]):
        for shape in list(page.placeholders):
            if shape.placeholder_format.type is not None and shape.placeholder_format.idx == 0:
                place(shape, LEFT, 1.0, BROAD, 1.7)
            else:
                shape._element.getparent().remove(shape._element)
    theme = deck.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme._blob = _with_fonts(theme.blob)
    core, moment = deck.core_properties, dt.datetime(day.year, day.month, day.day)
    core.title = plain(title)[:255]
    core.created = core.modified = moment
    core.author = core.last_modified_by = core.comments = core.keywords = core.subject = ""
    core.language, core.revision = language, 1
    return deck


def _with_fonts(theme: bytes) -> bytes:
    """Return a theme with our fonts, one for Latin letters and one for hanzi."""
    theme = re.sub(rb'<a:latin typeface="[^"]*"', f'<a:latin typeface="{LATIN}"'.encode(), theme)
    return re.sub(rb'<a:ea typeface="[^"]*"', f'<a:ea typeface="{HANZI}"'.encode(), theme)


def drop_last(deck: Any) -> None:
    """Take the last slide away again."""
    entry = deck.slides._sldIdLst[-1]
    deck.part.drop_rel(entry.rId)
    deck.slides._sldIdLst.remove(entry)


def place(shape: Any, left: float, top: float, width: float, height: float) -> None:
    """Put a shape where it belongs, in cm."""
    shape.left, shape.top, shape.width, shape.height = Cm(left), Cm(top), Cm(width), Cm(height)


def as_bytes(deck: Any, day: dt.date) -> bytes:
    """Return the file: the same for the same contents."""
    buffer = io.BytesIO()
    deck.save(buffer)
    return repacked(buffer.getvalue(), day)


def add_slide(deck: Any, title: str, foot: str) -> Any:
    """Return a new slide with its title, what it is of, and its number."""
    slide = deck.slides.add_slide(deck.slide_layouts[0])
    write(slide.shapes.title.text_frame, [title], 26, BLUE, bold=True)
    rule = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, Cm(LEFT), Cm(2.75), Cm(BROAD), Cm(0.04))
    rule.fill.solid()
    rule.fill.fore_color.rgb = RGBColor.from_string(RULE)
    rule.line.fill.background()
    rule.shadow.inherit = False
    add_text(slide, [foot], LEFT, 18.0, 26, 0.8, 10, SOFT)
    number = add_text(slide, [str(len(deck.slides))], 28.2, 18.0, 4, 0.8, 10, SOFT, PP_ALIGN.RIGHT)
    _as_field(number.text_frame.paragraphs[0].runs[0]._r)
    return slide


def _as_field(run: Any) -> None:
    """Make a run the number of its slide, which stays right when slides are moved."""
    made = run.makeelement(qn("a:fld"), {"id": NUMBER, "type": "slidenum"})
    made.extend(list(run))
    run.getparent().replace(run, made)


# --- text -------------------------------------------------------------------------------------------------------------


def fitting(texts: Sequence[str], width: float, height: float, largest: float = LARGEST) -> tuple[float, int]:
    """Return the largest size at which texts fit a box in cm, and how many of them do at the smallest.

    >>> fitting(["a short line"], 10, 5), fitting(["word " * 400] * 3, 10, 5)
    ((18, 1), (12, 0))
    """
    size = largest
    while size > SMALLEST and _height(texts, width, size) > height:
        size -= 1
    kept = len(texts)
    while kept and _height(texts[:kept], width, size) > height:
        kept -= 1
    return size, kept


def _height(texts: Iterable[str], width: float, size: float) -> float:
    """Return how high texts become, in cm."""
    lines = sum(_lines(text, width, size) for text in texts)
    return (lines * LINE + 0.35 * len(list(texts))) * size * POINT


def _lines(text: str, width: float, size: float) -> int:
    return max(1, math.ceil(letters(plain(text)) * LETTER * size * POINT / width))


def add_text(
    slide: Any, texts: Sequence[str], left: float, top: float, width: float, height: float, size: float,
    colour: str = INK, align: Any = PP_ALIGN.LEFT, bold: bool = False,
) -> Any:  # fmt: skip
    """Return a new text box."""
    box = slide.shapes.add_textbox(Cm(left), Cm(top), Cm(width), Cm(height))
    write(box.text_frame, texts, size, colour, align, bold)
    return box


def write(
    frame: Any, texts: Sequence[str], size: float, colour: str = INK, align: Any = PP_ALIGN.LEFT, bold: bool = False
) -> None:
    """Write paragraphs into a frame."""
    frame.word_wrap, frame.vertical_anchor = True, MSO_ANCHOR.TOP
    for at, text in enumerate(texts):
        line = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
        line.alignment, line.space_after = align, Pt(0.35 * size)
        _add_run(line, text, size, colour, bold)


def _add_run(line: Any, text: str, size: float, colour: str, bold: bool = False) -> None:
    run = line.add_run()
    run.text = plain(text)
    run.font.size, run.font.bold = Pt(size), bold
    run.font.color.rgb = RGBColor.from_string(colour)


def add_bullets(slide: Any, told: Callable[[Words], Sequence[str]], top: float, height: float, words: Words) -> None:
    """Add a list of sentences, as many as have room in every language; how many are left out is said."""
    room = BROAD - INDENT, height - 0.8
    texts = told(words)
    kept = min(fitting(told(speak(language)), *room)[1] for language in languages())
    more = [words("slide.decide_more", n=len(texts) - kept)] if kept < len(texts) else []
    box = add_text(slide, [*texts[:kept], *more], LEFT, top, BROAD, height, fitting(texts[:kept], *room)[0])
    for line in box.text_frame.paragraphs:
        properties = line._p.get_or_add_pPr()
        properties.set("marL", str(Cm(INDENT)))
        properties.set("indent", str(-Cm(INDENT)))
        properties.append(properties.makeelement(qn("a:buChar"), {"char": "•"}))


# --- tables -----------------------------------------------------------------------------------------------------------


class Fit(NamedTuple):
    """How a table fits: the widths of its columns, the size of its letters, the heights of its rows, how many."""

    widths: list[float]
    size: float
    heights: list[float]
    rows: int


def fit_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], height: float) -> Fit:
    """Return how a table fits into a height in cm, the largest letters first, and then with fewer rows."""
    widths = [width * BROAD / WIDTH for width in widths_of(columns, rows, 9)]
    every = [[column.head for column in columns], *rows]
    size = next((size for size in TABLE_SIZES if sum(_heights(every, widths, size)) <= height), TABLE_SIZES[-1])
    heights, room = _heights(every, widths, size), height - FOOT
    if sum(heights) <= height:
        return Fit(widths, size, heights, len(rows))
    return Fit(widths, size, heights, next((n for n in range(len(rows), 1, -1) if sum(heights[: n + 1]) <= room), 1))


def add_table(
    slide: Any, build: Callable[[Words], Exhibit], top: float, height: float, words: Words, places: Sequence[int] = ()
) -> float:
    """Add some columns of a table, and as many rows as have room in every language; return where it ends.

    How many rows are left out is said.
    """
    contents = {language: build(speak(language)).content for language in languages()}
    chosen = places or range(len(contents[words.language]["columns"]))
    cut = {
        language: [[_short(row[at]) for at in chosen] for row in each["rows"]] for language, each in contents.items()
    }
    heads = {language: [each["columns"][at] for at in chosen] for language, each in contents.items()}
    fits = {language: fit_table(heads[language], cut[language], height) for language in contents}
    shown = min(fit.rows for fit in fits.values())
    frame = _fill_table(slide, heads[words.language], cut[words.language][:shown], fits[words.language], top)
    frame._element.nvGraphicFramePr.cNvPr.set("descr", plain(contents[words.language]["caption"]))
    end = top + max(sum(fit.heights[: shown + 1]) for fit in fits.values())
    if shown == len(cut[words.language]):
        return end
    more = words("slide.more", n=len(cut[words.language]) - shown)
    add_text(slide, [more], LEFT, end + 0.1, BROAD, FOOT, 11, SOFT)
    return end + FOOT + 0.1


def _fill_table(slide: Any, heads: Sequence[Column], rows: Sequence[Sequence[str]], fit: Fit, top: float) -> Any:
    """Return a new table with its rows."""
    every, high = [[column.head for column in heads], *rows], sum(fit.heights[: len(rows) + 1])
    frame = slide.shapes.add_table(len(every), len(heads), Cm(LEFT), Cm(top), Cm(BROAD), Cm(high))
    _plain_style(frame)
    for column, width in zip(frame.table.columns, fit.widths, strict=True):
        column.width = Cm(width)
    for at, (row, height) in enumerate(zip(every, fit.heights, strict=False)):
        frame.table.rows[at].height = Cm(height)
        for cell, text, column in zip(frame.table.rows[at].cells, row, heads, strict=True):
            _fill(cell, text, column.numeric, fit.size, is_head=at == 0)
    return frame


def _short(cell: str) -> Cell:
    """Return a cell that is short enough for a slide, with the first lines below it."""
    below = tuple(shortened(plain(line), 60) for line in getattr(cell, "below", ())[:MOST_BELOW])
    return Cell(shortened(plain(cell), 90), getattr(cell, "mark", ""), below)


def _heights(rows: Sequence[Sequence[str]], widths: Sequence[float], size: float) -> list[float]:
    """Return how high rows are, in cm."""
    return [max(_cell_height(text, width - 0.5, size) for text, width in zip(row, widths, strict=True)) for row in rows]


def _cell_height(text: str, width: float, size: float) -> float:
    below = sum(_lines(line, width, size - 2) * (size - 2) for line in getattr(text, "below", ()))
    return (_lines(text, width, size) * size + below) * LINE * POINT + 0.25


def _plain_style(frame: Any) -> None:
    """Take the colours of the program's own style away."""
    properties = frame.table._tbl.tblPr
    properties.set("bandRow", "0")
    for style in properties.findall(qn("a:tableStyleId")):
        style.text = NO_STYLE


def _fill(cell: Any, text: str, numeric: bool, size: float, is_head: bool) -> None:
    """Write a cell: its text, in the colour of its verdict, and smaller lines below it."""
    cell.margin_left = cell.margin_right = Cm(0.2)
    cell.margin_top = cell.margin_bottom = Cm(0.08)
    colour = COLOURS.get(getattr(text, "mark", "").rpartition(" ")[2], INK)
    align = PP_ALIGN.RIGHT if numeric else PP_ALIGN.LEFT
    write(cell.text_frame, [text], size, colour, align, is_head or colour != INK)
    cell.text_frame.paragraphs[0].space_after = Pt(0)
    for line in getattr(text, "below", ()):
        more = cell.text_frame.add_paragraph()
        more.alignment = align
        _add_run(more, line, size - 2, SOFT)
    cell.fill.solid()
    cell.fill.fore_color.rgb = RGBColor.from_string(SHADE if is_head else "FFFFFF")
    _rule_below(cell)


def _rule_below(cell: Any) -> None:
    """Draw a line below a cell; it stands before the filling, as the format wants it."""
    properties = cell._tc.get_or_add_tcPr()
    line = properties.makeelement(qn("a:lnB"), {"w": "6350"})
    solid = line.makeelement(qn("a:solidFill"), {})
    solid.append(solid.makeelement(qn("a:srgbClr"), {"val": RULE}))
    line.append(solid)
    properties.insert(0, line)


# --- charts -----------------------------------------------------------------------------------------------------------


def add_chart(slide: Any, names: Sequence[str], values: Sequence[float], unit: str, told: str, words: Words) -> None:
    """Add bars with their values, which can be edited in the program."""
    data = CategoryChartData(number_format=_number_format(unit, words))
    data.categories = names
    data.add_series(words("figure.items_axis" if unit == "share" else "head.mean"),
                    [float(round_shown(value, unit)) for value in values])  # fmt: skip
    height = min(HIGH - 2.6, 2.0 + 1.15 * len(names))
    place = (Cm(LEFT), Cm(TOP + 2.4), Cm(BROAD), Cm(height))
    frame = slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, *place, data)
    frame._element.nvGraphicFramePr.cNvPr.set("descr", plain(told))
    chart = frame.chart
    for name in ("c:axId", "c:crossAx"):  # the library numbers axes below zero, which the format does not know
        for axis in chart._chartSpace.iter(qn(name)):
            axis.set("val", axis.get("val").lstrip("-"))
    chart.has_legend, chart.has_title = False, False
    chart.font.size, chart.font.color.rgb = Pt(13), RGBColor.from_string(INK)
    plot = chart.plots[0]
    plot.gap_width, plot.has_data_labels = 60, True
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = _number_format(unit, words), False
    plot.data_labels.position, plot.data_labels.font.size = XL_LABEL_POSITION.OUTSIDE_END, Pt(13)
    plot.series[0].format.fill.solid()
    plot.series[0].format.fill.fore_color.rgb = RGBColor.from_string(BLUE)
    chart.category_axis.reverse_order, chart.category_axis.tick_label_position = True, XL_TICK_LABEL_POSITION.LOW
    chart.category_axis.format.line.color.rgb = RGBColor.from_string(RULE)
    chart.value_axis.visible, chart.value_axis.has_major_gridlines = False, False
    chart.value_axis.minimum_scale = min(0, *values) if unit != "share" else 0
    chart.value_axis.maximum_scale = 110 if unit == "share" else None


def _number_format(unit: str, words: Words) -> str:
    sign = words("percent", number="")
    return f'#,##0.00"{sign}"' if unit == "share" else "#,##0.00"
