"""On what is a figure drawn? One style for all, titles in lines, and SVG whose text stays text."""

import contextlib
import functools
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import pylopdf_fonts_zh_cn
from markupsafe import Markup, escape
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from csat_analysis.ground.words import letters
from csat_analysis.publishing.markup import Exhibit, render

FONT = "Noto Sans SC"
FAMILY = f"'{FONT}', 'DejaVu Sans'"
DRAWN = ("axes.", "figure.", "font.", "grid.", "lines.", "patch.", "xtick.", "ytick.")
INK, SOFT, DOT = "#1f2933", "#5b6773", "#1d5c96"
WIDTH, ROW, LINE = 7.6, 0.54, 0.19  # inches: of a figure, of a row, of a line of its label
MANY, DENSE = 24, 0.38  # from so many rows on they are this high
LABEL, LINES = 24, 6  # letters in a line beside a bar (a hanzi is as wide as two), and lines; tables have whole names
# Where a label may be broken: no line begins with a closing mark.
PIECES = re.compile(r"(?:[^\s\u2e80-\uffef]{1,22}|\S)[\u3001\u3002\uff0c\uff1a\uff1b\uff1f\uff09\u201d]*|\s+")
LATIN = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")  # the font draws these as wide as a hanzi


@functools.cache
def style() -> Any:
    """Return the one style of all figures, whatever the analyst has set; the packaged font is registered once."""
    font_manager.fontManager.addfont(str(pylopdf_fonts_zh_cn.sans_path()))
    plain = {key: value for key, value in mpl.rcParamsDefault.items() if key.startswith(DRAWN)}
    return {
        **plain,
        "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "xtick.bottom": False,
        "ytick.left": False, "lines.solid_capstyle": "round", "patch.edgecolor": "w", "patch.force_edgecolor": True,
        "font.family": [FONT, "DejaVu Sans"], "font.size": 10, "axes.unicode_minus": False, "text.parse_math": False,
        "figure.facecolor": "none", "axes.facecolor": "none", "text.color": INK, "axes.labelcolor": SOFT,
        "axes.edgecolor": "#cbd2d9", "xtick.color": SOFT, "ytick.color": INK, "svg.fonttype": "none",
        "svg.hashsalt": "csat_analysis",
    }  # fmt: skip


@contextlib.contextmanager
def any_script() -> Iterator[None]:
    """Let a figure be laid out whose font lacks letters of the data: its text stays text, and browsers have others."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def as_svg(figure: Figure, name: str, title: str, description: str) -> Markup:
    """Return a figure as SVG for a page: no fixed size, no clock, a title and a description for a screen reader.

    Parameters
    ----------
    name
        Goes into the ids, so that two figures of a page share none.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with any_script():
        FigureCanvasSVG(figure).print_svg(buffer, metadata=nothing)  # savefig would draw it twice to lay it out
    svg = re.sub(r"<metadata>.*?</metadata>", "", buffer.getvalue(), flags=re.DOTALL)
    svg = re.sub(r"(<[^>]*>)\s*", lambda tag: _short(_own_ids(tag[1], name)), svg)
    view = " ".join(re.findall(r'viewBox="[^"]*"', svg)[:1])
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    head = f'<svg {spaces} {view} role="img" style="font-family: {FAMILY}">'
    told = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    body = svg[svg.index(">", svg.index("<svg")) + 1 :]
    return Markup(head + told + body)  # matplotlib escapes its texts, ours are escaped here


def as_png(figure: Figure, dots: int = 200) -> bytes:
    """Return a figure as a picture of so many dots an inch: the same bytes for the same figure."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # it is drawn as a box
        figure.savefig(buffer, format="png", dpi=dots, metadata={"Software": None}, facecolor="white")
    return buffer.getvalue()


class Drawing(NamedTuple):
    """A figure with its caption and what is to be seen in it; ``told`` to those who cannot see it, too."""

    figure: Figure
    caption: str
    sentence: str
    told: str = ""


def shown(drawn: Drawing, name: str, data: Exhibit | None = None) -> Exhibit:
    """Return a picture as an exhibit.

    Parameters
    ----------
    name
        Goes into its ids, so that two figures of a page share none.
    data
        The table of what is drawn, to be unfolded below the picture; None where the chapter has that table anyway.
    """
    with mpl.rc_context(style()):
        svg = as_svg(drawn.figure, name, drawn.caption, drawn.told or drawn.sentence)
    folded = Markup(data.html) if data else ""  # noqa: S704 - exhibits are escaped
    return render("figure", svg=svg, caption=drawn.caption, sentence=drawn.sentence, data=folded)


def _own_ids(tag: str, name: str) -> str:
    """Return a tag whose ids are those of one figure; nothing refers to those of groups."""
    return re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", re.sub(r'<g id="[^"]*"', "<g", tag))


def _short(tag: str) -> str:
    """Return a tag without what its figure says already, and with numbers of three decimals.

    >>> _short('<path d="M 1.23456 2\\nL 3.5 4.0001"/>')
    '<path d="M 1.235 2 L 3.5 4"/>'
    """
    tag = re.sub(r' transform="rotate\(-?0 [^)]*\)"| font-family: [^;]*;', "", tag)
    return re.sub(
        r"\d+\.\d{4,}", lambda number: f"{float(number[0]):.3f}".rstrip("0").rstrip("."), tag.replace("\n", " ")
    )


def rows(titles: Sequence[str], language: str) -> tuple[Figure, Axes]:
    """Return a figure and its axes with one labelled row per title, from top to bottom."""
    labels = [wrapped(title, language) for title in titles]
    height = max(ROW if len(labels) < MANY else DENSE, LINE * max(label.count("\n") + 1.5 for label in labels))
    figure = Figure(figsize=(WIDTH, height * len(labels) + 0.9), layout="constrained")
    axes = figure.subplots()
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.45, -0.55)
    axes.tick_params(axis="x", length=0)
    axes.tick_params(axis="y", length=0, pad=7)  # a dot may stand on the edge
    axes.spines["left"].set_visible(False)
    return figure, axes


def wrapped(title: str, language: str, width: int = LABEL, most: int = LINES) -> str:
    """Return a title in at most so many lines of so many letters, broken between words or between hanzi.

    >>> wrapped("Lifts, stairs and cellars", "en", 8, 2).split("\\n")
    ['Lifts,', 'stairs …']
    """
    lines = [""]
    for piece in PIECES.findall(title if language == "zh" else title.translate(LATIN)):
        if lines[-1] and letters(lines[-1] + piece) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    kept = [line.rstrip() for line in lines[:most]]
    return "\n".join(kept) + (" …" if len(lines) > most else "")


def beside(axes: Axes, position: int, text: str) -> None:
    """Write numbers at the right end of a row."""
    axes.annotate(text, (1.02, position), xycoords=("axes fraction", "data"), va="center", fontsize=9,
                  linespacing=1.35, color=SOFT)  # fmt: skip


def tick(value: float, unit: str) -> str:
    """Return a number of the axis with its sign.

    >>> tick(-0.05, "share"), tick(0.0, "share"), tick(2.5, "points")
    ('−5', '0', '+2.5')
    """
    shown = f"{round(100 * value if unit == 'share' else value, 6):+g}".replace("-", "−")
    return "0" if shown in ("+0", "−0") else shown
