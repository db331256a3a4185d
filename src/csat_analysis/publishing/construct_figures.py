"""What leads to what, and how far is each construct? The figures of a path model."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.canvas import DOT, INK, SOFT, WIDTH, Drawing, beside, rows, shown, style, wrapped
from csat_analysis.publishing.construct_tables import Reading, refused
from csat_analysis.publishing.markup import Exhibit

BOX, TALL, APART, EDGE = 2.2, 0.44, 0.64, 0.75  # inches: of a box, its height, from box to box, to the right of arcs
PORT = 0.07  # from arrow to arrow at a box
PALE = "#9aa5b1"  # of a path that may be none


class Arrow(NamedTuple):
    """A path between two boxes by their places from the top, its coefficient, and whether its interval leaves out 0."""

    source: int
    target: int
    size: float
    is_sure: bool


def indices(reading: Reading, language: str) -> Exhibit:
    """Return the index of every construct as a dot between 0 and 100, with its interval as a line."""
    words = speak(language)
    if reading.reason:
        return refused(words)
    model, (found, spread) = reading.known
    with mpl.rc_context(style()):
        figure, axes = rows([reading.title(each.id, words) for each in model.constructs], language)
        for position, each in enumerate(model.constructs):
            if len(spread.index):
                axes.hlines(position, *spread.index.loc[each.id, ["conf_low", "conf_high"]], color=DOT, linewidth=2)
            axes.plot(found.index[each.id], position, "o", color=DOT, markersize=7)
            beside(axes, position, words.number(found.index[each.id]))
        axes.set_xlim(0, 100)
        axes.set_xlabel(words("figure.constructs_axis"))
        axes.grid(axis="x", color="#e4e7eb")
        axes.set_axisbelow(True)
    return shown(Drawing(figure, words("figure.constructs"), words("sentence.constructs")), "constructs")


def paths(reading: Reading, language: str) -> Exhibit:
    """Return the constructs from top to bottom, and an arc for each path, the wider the stronger."""
    words = speak(language)
    if reading.reason:
        return refused(words)
    found, _ = reading.known[1]
    order = in_order(found.model.constructs, found.paths)
    with mpl.rc_context(style()):
        figure, axes = _sheet(len(order))
        for place, name in enumerate(order):
            _draw_box(axes, place, reading.title(name, words), words.number(found.index[name]), language)
        _draw_arrows(axes, _arrows(reading, order), words)
    sentence = words("sentence.paths")
    told = words("gap").join([sentence, *_told(reading, words)])
    return shown(Drawing(figure, words("figure.paths"), sentence, told), "paths")


def in_order(constructs: Sequence[str], paths: pd.Series) -> list[str]:
    """Return constructs so that each stands below those that lead to it, else as they are listed.

    >>> one, other = ("image", "quality"), ("quality", "loyalty")
    >>> in_order(["loyalty", "quality", "image"], pd.Series([0.5, 0.4], pd.MultiIndex.from_tuples([one, other])))
    ['image', 'quality', 'loyalty']
    """
    sources = {name: {source for source, target in paths.index if target == name} for name in constructs}
    placed: list[str] = []
    while len(placed) < len(constructs):
        placed.append(next(name for name in constructs if name not in placed and sources[name] <= set(placed)))
    return placed


def _arrows(reading: Reading, order: Sequence[str]) -> list[Arrow]:
    """Return the paths by the places of their ends."""
    found, spread = reading.known[1]
    sure = dict.fromkeys(found.paths.index, True)
    if len(spread.paths):
        sure = ((spread.paths["conf_low"] > 0) | (spread.paths["conf_high"] < 0)).to_dict()
    return [
        Arrow(order.index(source), order.index(target), size, sure[source, target])
        for (source, target), size in found.paths.items()
    ]


def _told(reading: Reading, words: Words) -> list[str]:
    """Return the paths in words, for who does not see them."""
    return [
        words("figure.path", source=reading.title(source, words), target=reading.title(target, words),
              size=words.number(size))
        for (source, target), size in reading.known[1].found.paths.items()
    ]  # fmt: skip


def _sheet(boxes: int) -> tuple[Figure, Axes]:
    """Return an empty figure, its axes in inches from the top left."""
    height = APART * (boxes - 1) + TALL + 0.3
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height - TALL / 2 - 0.15, -TALL / 2 - 0.15)
    axes.set_axis_off()
    return figure, axes


def _draw_box(axes: Axes, place: int, title: str, value: str, language: str) -> None:
    """Draw a construct with its title and its index."""
    low = place * APART - TALL / 2
    axes.add_patch(
        FancyBboxPatch((0.06, low), BOX - 0.06, TALL, "round,pad=0,rounding_size=0.06", facecolor="#eef3f8",
                       edgecolor=DOT, linewidth=1)
    )  # fmt: skip
    text = wrapped(title, language, 18)
    axes.text(0.16, place * APART, text, va="center", fontsize=9 if "\n" in text else 10, linespacing=1.1)
    axes.text(BOX - 0.1, place * APART, value, va="center", ha="right", fontsize=10, color=DOT)


def _draw_arrows(axes: Axes, arrows: Sequence[Arrow], words: Words) -> None:
    """Draw the arcs: no two cross at a box, and no two have their coefficients in one place."""
    longest = max(arrow.target - arrow.source for arrow in arrows)
    step = (WIDTH - BOX - EDGE) / max(longest, 4)
    for arrow in sorted(arrows, key=lambda each: each.is_sure):
        leaving = [each.target for each in arrows if each.source == arrow.source and each.target >= arrow.target]
        arriving = [each.source for each in arrows if each.target == arrow.target and each.source >= arrow.source]
        start = arrow.source * APART + PORT * (len(leaving) - 0.5)
        end = arrow.target * APART - TALL / 2 + PORT * (len(arriving) - 0.5)
        _draw_arc(axes, start, end, BOX + 0.35 + step * (arrow.target - arrow.source - 0.5), arrow, words)


def _draw_arc(axes: Axes, start: float, end: float, apex: float, arrow: Arrow, words: Words) -> None:
    """Draw one path to the right of the boxes with its head and its coefficient."""
    colour, control, tip = DOT if arrow.is_sure else PALE, BOX + (apex - BOX) / 0.75, BOX + 0.09
    curve = Path([(BOX, start), (control, start), (control, end), (tip, end)], [1, 4, 4, 4])
    width, line = 0.8 + 3 * min(abs(arrow.size), 1), "-" if arrow.is_sure else (0, (3, 2))
    axes.add_patch(PathPatch(curve, fill=False, edgecolor=colour, linewidth=width, linestyle=line))
    axes.plot(tip - 0.03, end, marker="<", color=colour, markersize=5)
    axes.text(apex, (start + end) / 2, words.number(arrow.size), ha="center", va="center", fontsize=9,
              color=INK if arrow.is_sure else SOFT,
              bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2})  # fmt: skip
