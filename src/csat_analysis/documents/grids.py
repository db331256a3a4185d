"""How does a table fit on paper? Its columns by their texts, its cells with the lines below them, for Word."""

from collections.abc import Sequence
from typing import Any

from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from csat_analysis.documents.packing import plain
from csat_analysis.ground.words import letters
from csat_analysis.publishing.markup import Column

LATIN, HANZI = "Arial", "微软雅黑"
INK, SOFT, BLUE, RULE, SHADE = "1F2933", "5B6773", "1D5C96", "B8C2CC", "E9EEF3"
COLOURS = {
    "met": "2F6B3A", "applied": "2F6B3A", "not_met": "A32A1C", "missing": "A32A1C", "late": "A32A1C",
    "missed": "A32A1C", "borderline": "8A5A00", "reportable": "2F6B3A", "void": "A32A1C", "remedy_due": "8A5A00",
}  # fmt: skip
SHADES = {"weak": "F7E3E0", "strong": "E1EFE4"}  # of groups below and above the whole: a note of the table says so
WIDTH = 17.0  # cm between the margins
LETTER = 0.0211  # cm that a letter takes, for each point of its size
BOLD = 1.15  # as wide are bold letters
SIDES = 0.35  # cm that a cell keeps free
BLANK = 20  # letters that a column to be filled in has room for


def element(tag: str, *children: Any, **attributes: Any) -> Any:
    """Return a new element of a Word document."""
    made = OxmlElement(tag)
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), str(value))
    for child in children:
        made.append(child)
    return made


def table_of(columns: Sequence[Column], rows: Sequence[Sequence[str]], size: int = 0) -> Any:
    """Return a table as Word has it: its head is repeated on each page, no row is broken; more columns are smaller."""
    size = size or (9 if len(columns) < 6 else 8 if len(columns) < 8 else 7)
    widths = [round(width * 567) for width in widths_of(columns, rows, size)]
    table = element("w:tbl", _table_properties(), element("w:tblGrid"))
    for width in widths:
        table.find(qn("w:tblGrid")).append(element("w:gridCol", w=width))
    heads = [_cell(column.head, column.numeric, width, size, is_head=True)
             for column, width in zip(columns, widths, strict=True)]  # fmt: skip
    table.append(_row(heads, is_head=True))
    for number, row in enumerate(rows):
        cells = [_cell(text, column.numeric, width, size, keeps=number == 0)
                 for text, column, width in zip(row, columns, widths, strict=True)]  # fmt: skip
        table.append(_row(cells))
    return table


def _table_properties() -> Any:
    borders = [element(f"w:{side}", val="single", sz=4, space=0, color=RULE) for side in ("top", "bottom", "insideH")]
    margins = [element(f"w:{side}", w=80, type="dxa") for side in ("left", "right")]
    return element(
        "w:tblPr", element("w:tblW", w=round(WIDTH * 567), type="dxa"), element("w:tblBorders", *borders),
        element("w:tblLayout", type="fixed"), element("w:tblCellMar", *margins),
    )  # fmt: skip


def _row(cells: Sequence[Any], is_head: bool = False) -> Any:
    marks = [element("w:cantSplit"), *([element("w:tblHeader")] if is_head else [])]
    return element("w:tr", element("w:trPr", *marks), *cells)


def _cell(text: str, numeric: bool, width: int, size: int, is_head: bool = False, keeps: bool = False) -> Any:
    """Return a cell: its text, in the colour of its verdict or on that of its group, and smaller lines below it."""
    mark = getattr(text, "mark", "").rpartition(" ")[2]
    fill, colour = SHADE if is_head else SHADES.get(mark), COLOURS.get(mark, INK)
    shade = [element("w:shd", val="clear", color="auto", fill=fill)] if fill else []
    properties = element("w:tcPr", element("w:tcW", w=width, type="dxa"), *shade)
    look = [*(["w:b"] if is_head or colour != INK or mark == "strong" else []), *(["w:i"] if mark == "weak" else [])]
    lines = [_line(text, size, colour, numeric, look, is_head or keeps)]
    lines += [_line(below, size - 1, INK if fill else SOFT, numeric, (), keeps) for below in getattr(text, "below", ())]
    return element("w:tc", properties, *lines)


def _line(text: str, size: float, colour: str, numeric: bool, look: Sequence[str], keeps: bool) -> Any:
    """Return a paragraph of a cell."""
    told = element("w:t")
    told.text = plain(text)
    told.set(qn("xml:space"), "preserve")
    drawn = [*map(element, look), element("w:color", val=colour), element("w:sz", val=2 * size)]
    layout = [*([element("w:keepNext")] if keeps else []), element("w:spacing", before=20, after=20, line=250,
              lineRule="auto"), element("w:jc", val="right" if numeric else "left")]  # fmt: skip
    return element("w:p", element("w:pPr", *layout), element("w:r", element("w:rPr", *drawn), told))


def widths_of(columns: Sequence[Column], rows: Sequence[Sequence[str]], size: int) -> list[float]:
    """Return the width of each column in cm: what its texts want, and where that is too much, what they need.

    A column without any text is to be filled in, and has room for it.
    """
    texts = [[line for row in rows for line in (row[at], *getattr(row[at], "below", ()))] for at in range(len(columns))]
    wanted = [_width(max([0 if any(lines) else BLANK, BOLD * letters(column.head), *map(letters, lines)]), 44, size)
              for column, lines in zip(columns, texts, strict=True)]  # fmt: skip
    needed = [_width(max([BOLD * _longest(column.head), *map(_longest, lines)]), 20, size)
              for column, lines in zip(columns, texts, strict=True)]  # fmt: skip
    if sum(wanted) <= WIDTH or sum(needed) >= WIDTH:
        chosen = wanted if sum(wanted) <= WIDTH else needed
        return [WIDTH * width / sum(chosen) for width in chosen]
    share = (WIDTH - sum(needed)) / (sum(wanted) - sum(needed))
    return [low + share * (want - low) for low, want in zip(needed, wanted, strict=True)]


def _width(wide: float, most: int, size: int) -> float:
    return min(wide, most) * LETTER * size + SIDES


def _longest(text: str) -> int:
    """Return how wide the widest piece is that is better not broken: a word or a number."""
    return max((letters(piece) if piece.isascii() else min(letters(piece), 8) for piece in text.split(" ")), default=1)
