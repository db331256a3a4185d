"""What goes with satisfaction, as pictures: importance of the items, their places on the map, odds ratios of groups."""

import math
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csat_analysis.assembly.importance import Importance, Odds
from csat_analysis.estimation.quadrants import ellipse_points
from csat_analysis.ground.words import Words, letters, speak
from csat_analysis.publishing.canvas import (
    DOT,
    INK,
    LINE,
    SOFT,
    WIDTH,
    Drawing,
    any_script,
    beside,
    rows,
    shown,
    style,
    wrapped,
)
from csat_analysis.publishing.driver_tables import class_title, has_map, has_ratios, is_shown, map_sentence, title_of
from csat_analysis.publishing.markup import Exhibit, prose

GRID, PALE = "#e4e7eb", "#a9cbe8"
HEIGHT = 4.8  # inches, of the map
NARROW = 20  # letters in a line of a label on the map
LEADER = 14.0  # points between a label and its dot from which on a line joins them
REACH = 64.0  # odds ratios are drawn between 1 / 64 and 64
TICKS = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64)
CORNERS = {"concentrate": (0, 1), "keep_up": (1, 1), "low_priority": (0, 0), "overkill": (1, 0)}
Box = tuple[float, float, float, float]  # left, bottom, right, top


# --- importance -------------------------------------------------------------------------------------------------------


def importance_bars(found: Importance, language: str) -> Exhibit:
    """Return the share of what can be explained of each item as a bar, with its interval as a line."""
    drawn = draw_importance(found, language)
    return shown(drawn, "importance") if drawn else Exhibit("")


def draw_importance(found: Importance, language: str) -> Drawing | None:
    """Return the bars of importance; None where there is none."""
    if not is_shown(found):
        return None
    words, known = speak(language), bool(found.table["share_low"].notna().any())
    with mpl.rc_context(style()):
        figure, axes = rows([title_of(found, item, words) for item in found.table["driver"]], language)
        axes.barh(range(len(found.table)), found.table["share"], 0.5, color=PALE)
        for position, row in enumerate(found.table.to_dict("records")):
            if known:
                axes.hlines(position, row["share_low"], row["share_high"], color=DOT, linewidth=2)
            beside(axes, position, words.number(row["share"], "share"))
        axes.set_xlim(0, None)
        axes.set_xlabel(words("influence.bars_axis"))
        axes.xaxis.set_major_formatter(lambda share, _: words.whole_percent(share))
        axes.grid(axis="x", color=GRID)
        axes.set_axisbelow(True)
    told = words(f"influence.bars_{'sentence' if known else 'alone'}")
    return Drawing(figure, words("influence.bars"), told)


# --- the map ----------------------------------------------------------------------------------------------------------


def driver_map(found: Importance, language: str) -> Exhibit:
    """Return each item at its mean points and its importance, with its 95 % ellipse; why not, where that is so."""
    if (drawn := draw_map(found, language)) is None:
        return prose(speak(language)(f"influence.map_{'single' if is_shown(found) else 'without'}"))
    return shown(drawn, "map")


def draw_map(found: Importance, language: str) -> Drawing | None:
    """Return the map of importance and performance; None where there are no two items to be set against each other."""
    if not has_map(found):
        return None
    words = speak(language)
    with mpl.rc_context(style()):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = figure.subplots()
        _draw_places(axes, found)
        axes.set_xlabel(words("influence.map_x"))
        axes.set_ylabel(words("influence.map_y"))
        axes.yaxis.set_major_formatter(lambda share, _: words.whole_percent(share))
        _label(figure, axes, found, words)
    return Drawing(figure, words("influence.map"), map_sentence(found, words))


def _draw_places(axes: Axes, found: Importance) -> None:
    """Draw the lines between the quadrants, and each item with its ellipse."""
    axes.axvline(found.map.performance_at, color="#9aa5b1", linewidth=0.8)
    axes.axhline(found.map.importance_at, color="#9aa5b1", linewidth=0.8)
    reach = [found.table[["performance", "share"]].to_numpy(dtype=float)]
    for row in found.table.to_dict("records"):
        if not math.isnan(row["half_major"]):
            outline = ellipse_points(*(row[k] for k in ("performance", "share", "half_major", "half_minor", "angle")))
            axes.fill(*outline.T, facecolor=PALE, alpha=0.22, edgecolor="none")
            axes.plot(*outline.T, color=DOT, linewidth=0.7, alpha=0.55)
            reach.append(outline)
        axes.plot(row["performance"], row["share"], "o", color=DOT, markersize=6)
    low, high = np.vstack(reach).min(axis=0), np.vstack(reach).max(axis=0)
    room = np.where(high > low, 0.1 * (high - low), 0.5)
    axes.set_xlim(low[0] - room[0], high[0] + room[0])
    axes.set_ylim(max(low[1] - room[1], -0.02), min(high[1] + room[1], 1.05))


def _label(figure: Figure, axes: Axes, found: Importance, words: Words) -> None:
    """Write the names of quadrants into the corners, and those of items where they cover nothing."""
    for name, (right, top) in CORNERS.items():
        place, side = (0.01 + 0.98 * right, 0.015 + 0.97 * top), ("left", "right")[right]
        axes.annotate(words(f"quadrant.{name}"), place, xycoords="axes fraction", ha=side, va=("bottom", "top")[top],
                      fontsize=9, color=SOFT)  # fmt: skip
    with any_script():
        figure.draw_without_rendering()
    scale = 72 / figure.dpi  # everything in points
    places = axes.transData.transform(found.table[["performance", "share"]].to_numpy(dtype=float)) * scale
    frame = axes.get_window_extent()
    box = (frame.x0 * scale, frame.y0 * scale, frame.x1 * scale, frame.y1 * scale)
    titles = [wrapped(title_of(found, item, words), words.language, NARROW, 3) for item in found.table["driver"]]
    sizes = [(5.4 * max(map(letters, title.split("\n"))), 13.0 * (title.count("\n") + 1)) for title in titles]
    points, lines = found.table[["performance", "share"]].to_numpy(dtype=float), _lines(axes, found, box)
    offsets = label_places(places, sizes, box, lines)
    for title, point, size, (x, y) in zip(titles, points, sizes, offsets, strict=True):
        apart = max(abs(x) - size[0] / 2, abs(y) - size[1] / 2) > LEADER
        line = {"arrowstyle": "-", "color": SOFT, "linewidth": 0.6, "shrinkB": 4} if apart else None
        label = axes.annotate(title, point, xytext=(x, y), textcoords="offset points", ha="center", va="center",
                              fontsize=10, linespacing=1.15, color=INK, arrowprops=line)  # fmt: skip
        label.set_in_layout(False)


def _lines(axes: Axes, found: Importance, frame: Box) -> list[Box]:
    """Return the lines between the quadrants as boxes, in points."""
    x, y = axes.transData.transform((found.map.performance_at, found.map.importance_at)) * 72 / axes.figure.dpi
    return [(x - 1, frame[1], x + 1, frame[3]), (frame[0], y - 1, frame[2], y + 1)]


def label_places(
    places: np.ndarray, sizes: Sequence[tuple[float, float]], frame: Box, lines: Sequence[Box] = ()
) -> list[tuple[float, float]]:
    """Return how far from its point the middle of each label stands: as near as it can without covering another.

    Parameters
    ----------
    places
        Points (labels × 2), in the same unit as sizes and frame.
    sizes
        Width and height of each label.
    frame
        What labels stay within; its corners hold the names of the quadrants.
    lines
        What else they had better not cover.
    """
    corners = [_box((x, y), (120.0, 30.0)) for x in frame[::2] for y in frame[1::2]]
    taken = [*corners, *lines, *(_box(place, (9.0, 9.0)) for place in places)]
    found = []
    for place, size in zip(places, sizes, strict=True):
        offsets = list(_around(size))
        costs = [_cost(_box(place + np.array(offset), size), taken, frame) for offset in offsets]
        best = offsets[int(np.argmin([cost + 0.001 * number for number, cost in enumerate(costs)]))]
        taken.append(_box(place + np.array(best), size))
        found.append(best)
    return found


def _around(size: tuple[float, float]) -> list[tuple[float, float]]:
    """Return where a label can stand about its point, the nearest first."""
    return [
        (side * (size[0] / 2 + 7 + far), lift * (size[1] / 2 + 6 + far))
        for far in (0.0, 10.0, 22.0, 36.0, 54.0)
        for side, lift in ((1, 0), (0, 1), (0, -1), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))
    ]


def _box(middle: Sequence[float] | np.ndarray, size: tuple[float, float]) -> Box:
    return (middle[0] - size[0] / 2, middle[1] - size[1] / 2, middle[0] + size[0] / 2, middle[1] + size[1] / 2)


def _cost(box: Box, taken: Sequence[Box], frame: Box) -> float:
    """Return how much of a label covers others, or leaves the frame."""
    width, height = box[2] - box[0], box[3] - box[1]
    outside = width * height - _common(box, frame)
    return (10 * outside + sum(_common(box, other) for other in taken)) / (width * height)


def _common(one: Box, other: Box) -> float:
    """Return the area that two boxes share."""
    width, height = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


# --- odds ratios ------------------------------------------------------------------------------------------------------


def odds_ratios(found: Odds, language: str) -> Exhibit:
    """Return the odds ratio of each class as a dot, with its interval as a line, on a logarithmic axis."""
    if not has_ratios(found):
        return Exhibit("")
    words, table = speak(language), found.table
    with mpl.rc_context(style()):
        titles = [class_title(found, row["variable"], row["level"], words) for row in table.to_dict("records")]
        figure, axes = rows(titles, language)
        axes.axvline(1, color=INK, linewidth=0.8)
        for position, row in enumerate(table.to_dict("records")):
            _draw_ratio(axes, position, row, words)
        _scale_odds(axes, table)
        axes.set_xlabel(words("odds.axis"))
        figure.set_figheight(figure.get_figheight() + LINE)
    caption = words("odds.figure", target=title_of(found, found.target, words))
    return shown(Drawing(figure, caption, words("odds.figure_sentence")), "odds")


def _draw_ratio(axes: Axes, position: int, row: dict[str, float], words: Words) -> None:
    """Draw one class: the one compared with as a hollow dot, another with its interval."""
    if math.isnan(row["odds_ratio"]):
        return
    known = not math.isnan(row["odds_low"])
    if known:
        axes.hlines(position, row["odds_low"], row["odds_high"], color=DOT, linewidth=2)
    hollow = not known and row["odds_ratio"] == 1
    axes.plot(row["odds_ratio"], position, "o", color=DOT, markersize=7, markerfacecolor="white" if hollow else DOT)
    beside(axes, position, "1" if hollow else words.number(row["odds_ratio"]))


def _scale_odds(axes: Axes, table: pd.DataFrame) -> None:
    """Draw a logarithmic axis as wide as the intervals ask for."""
    drawn = table[["odds_ratio", "odds_low", "odds_high"]].to_numpy(dtype=float)
    low, high = max(np.nanmin(drawn) / 1.2, 1 / REACH), min(np.nanmax(drawn) * 1.2, REACH)
    ticks = [tick for tick in TICKS if low <= tick <= high]
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_xticks(ticks, [f"{tick:g}" if tick >= 1 / 8 else f"1/{1 / tick:.0f}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)
