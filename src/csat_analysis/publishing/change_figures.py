"""Did it improve since the baseline, as pictures? Changes with their intervals, and the answers before and after."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from csat_analysis.assembly.change import Change
from csat_analysis.assembly.situation import Wave
from csat_analysis.domain import items
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.canvas import (
    DENSE,
    DOT,
    INK,
    LINE,
    MANY,
    ROW,
    Drawing,
    beside,
    rows,
    shown,
    style,
    tick,
)
from csat_analysis.publishing.change_cells import verdict_title
from csat_analysis.publishing.change_tables import primary_rows, title_of
from csat_analysis.publishing.figures import colours, legend, sides, sides_sentence
from csat_analysis.publishing.markup import Column, Exhibit, folded, prose, table
from csat_analysis.publishing.phrases import item_title, level_title
from csat_analysis.statistics.differences import CENSUS

GRID, BAND = "#e4e7eb", "#dfe9d8"
BAR, APART = 0.38, 0.2  # of a row: a bar, and half of the way between the two of a question
ROOM = 0.022  # of the axis: what a letter of a share inside a bar takes
Rows = list[dict[str, Any]]


# --- changes ----------------------------------------------------------------------------------------------------------


def change_intervals(found: Change, language: str) -> Exhibit:
    """Return the change of each primary figure and of each question, with interval, zero line and margin.

    One picture a unit. What was not tested is a hollow dot without interval.
    """
    drawn = draw_changes(found, language).items()
    return Exhibit("".join(shown(each, f"change-{unit}").html for unit, each in drawn))


def draw_changes(found: Change, language: str) -> dict[str, Drawing]:
    """Return the picture of the changes of each unit."""
    shown = drawn_rows(found)
    units = dict.fromkeys(row["unit"] for row in shown)
    return {unit: _draw(found, [row for row in shown if row["unit"] == unit], unit, language) for unit in units}


def drawn_rows(found: Change) -> Rows:
    """Return the rows of the primary figures, then of each question's satisfied share, or mean where it has none."""
    first = primary_rows(found)
    kind = "satisfied" if found.table["id"].str.endswith(".satisfied").to_numpy(bool).any() else "mean"
    if found.table.loc[found.table["id"].str.endswith(".satisfied"), "estimate"].notna().sum() == 0:
        kind = "mean"
    taken = {row["id"] for row in first}
    rest = [row for row in found.table.to_dict("records") if row["id"].endswith(f".{kind}") and row["id"] not in taken]
    every = [{str(key): value for key, value in row.items()} for row in [*first, *rest]]
    return [row for row in every if row["estimate"] is not None]


def _draw(found: Change, shown: Rows, unit: str, language: str) -> Drawing:
    """Return the picture of the changes of one unit."""
    words = speak(language)
    with mpl.rc_context(style()):
        figure, axes = rows([title_of(found, row["id"], words) for row in shown], language)
        for position, row in enumerate(shown):
            _draw_change(axes, position, row, words)
        axes.axvline(0, color=INK, linewidth=0.8)
        kind = "share" if unit == "share" else "points"
        axes.set_xlabel(words(f"change.axis_{kind}"))
        axes.xaxis.set_major_formatter(lambda value, _: tick(value, unit))
        axes.grid(axis="x", color=GRID)
        axes.set_axisbelow(True)
        figure.set_figheight(figure.get_figheight() + LINE)
    return Drawing(figure, words(f"change.figure_{kind}"), words("gap").join(_explained(shown, words)))


def has_interval(row: dict[str, Any]) -> bool:
    """Return whether a change has an interval that is one."""
    return row["conf_low"] is not None and row["reason"] != CENSUS


def _is_hollow(row: dict[str, Any]) -> bool:
    """Return whether a change was not tested; that of a census needs no test."""
    return not has_interval(row) and row["reason"] != CENSUS


def _draw_change(axes: Axes, position: int, row: dict[str, Any], words: Words) -> None:
    """Draw one change: its margin as a band, its interval as a line, a dot; hollow where there is no test."""
    if row["margin"] is not None:
        axes.barh(position, 2 * row["margin"], 0.8, -row["margin"], color=BAND, linewidth=0)
    if has_interval(row):
        axes.hlines(position, row["conf_low"], row["conf_high"], color=DOT, linewidth=2)
    fill = "white" if _is_hollow(row) else DOT
    axes.plot(row["estimate"], position, "o", color=DOT, markersize=7, markerfacecolor=fill)
    beside(axes, position, f"{words.difference(row['estimate'], row['unit'])}\n{verdict_title(row, words)}")


def _explained(shown: Rows, words: Words) -> list[str]:
    """Return how the picture is read, as far as it holds such things."""
    told = ["figure_dots", *(["figure_lines"] if any(map(has_interval, shown)) else [])]
    told += ["figure_hollow"] if any(map(_is_hollow, shown)) else []
    if any(row["margin"] is not None for row in shown):
        told.append("figure_band")
    if any(row["expected"] is not None for row in shown):
        told.append("figure_expected")
    if any(_is_lone(row) for row in shown):
        told.append("figure_lone")
    return [words(f"change.{key}") for key in told]


def _is_lone(row: dict[str, Any]) -> bool:
    """Return whether an interval leaves out zero and the verdict, which minds the other tests, is insufficient."""
    is_apart = has_interval(row) and not row["conf_low"] <= 0 <= row["conf_high"]
    return bool(is_apart and row["verdict"] == "insufficient")


# --- answers ----------------------------------------------------------------------------------------------------------


def distributions(found: Change, language: str) -> Exhibit:
    """Return the answers to each question before and after as two diverging bars; a sentence where scales differ."""
    words, programme = speak(language), found.result.survey.programme
    if found.before is None or found.after is None:
        return Exhibit("")
    if found.before.survey.programme.level_ids != programme.level_ids:
        return prose(words("change.other_scale"))
    shares = [level_shares(wave) for wave in (found.before, found.after)]
    asked = [item for item in programme.item_ids if any(item in each.index for each in shares)]
    if not asked:
        return Exhibit("")
    periods = [wave.survey.run.period for wave in (found.before, found.after)]
    with mpl.rc_context(style()):
        figure, axes = rows([item_title(programme, item, words) for item in asked], language)
        figure.set_figheight(figure.get_figheight() + 0.35 * (ROW if len(asked) < MANY else DENSE) * len(asked))
        for side, (period, each) in enumerate(zip(periods, shares, strict=True)):
            _draw_wave(axes, each.reindex(asked), (2 * side - 1) * APART, period, programme, words)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_xlabel(words("figure.answers_axis"))
        axes.xaxis.set_major_formatter(lambda share, _: words.whole_percent(abs(share)))
        legend(figure, programme, words)
    caption = words("change.answers", before=periods[0], after=periods[1])
    told = words("gap").join([words("change.answers_bars"), sides_sentence(programme, words)])
    return shown(Drawing(figure, caption, told), "waves", _answer_data(found, shares, asked, caption, language))


def _answer_data(
    found: Change, shares: Sequence[pd.DataFrame], asked: Sequence[str], caption: str, language: str
) -> Exhibit:
    """Return the bars as a table: a row for each question and survey, a column for each level."""
    words, programme = speak(language), found.result.survey.programme
    heads = [Column(words("head.item")), Column(words("head.period"))]
    heads += [Column(level_title(programme, level, words), True) for level in programme.level_ids]
    listed = [
        [item_title(programme, item, words), wave.survey.run.period, *_cells(each, item, programme, words)]
        for item in asked
        for wave, each in zip((found.before, found.after), shares, strict=True)
        if wave is not None
    ]
    return folded(words("figure.data"), table(caption, heads, listed))


def _cells(shares: pd.DataFrame, item: str, programme: Programme, words: Words) -> list[str]:
    """Return the share of each level among the answers to a question."""
    known = shares.reindex(index=[item], columns=programme.level_ids).iloc[0]
    return [words.number(None if pd.isna(share) else float(share), "share") for share in known]


def level_shares(wave: Wave) -> pd.DataFrame:
    """Return the share of each level among the answers to each question: items × levels."""
    survey = wave.survey
    fallen = survey.rejected[survey.rejected["table"] == "responses"]
    found = items.distribution(wave.answers, wave.evidence.forms, survey.programme, fallen).dropna(subset="share")
    return found.pivot(index="item", columns="level", values="share").astype(float)


def _draw_wave(axes: Axes, shares: pd.DataFrame, shift: float, period: str, programme: Programme, words: Words) -> None:
    """Draw the bars of one survey, each level outwards from the line, and its period at the right end."""
    places, shades = np.arange(len(shares)) + shift, colours(programme)
    for direction, levels in zip((1, -1), sides(programme), strict=True):
        edge = np.zeros(len(shares))
        for level in levels:
            reach = direction * shares[level].fillna(0.0).to_numpy() if level in shares else np.zeros(len(shares))
            axes.barh(places, reach, BAR, edge, color=shades[level])
            _write_shares(
                axes, places, edge + reach / 2, np.abs(reach), "white" if sum(shades[level]) < 1.5 else INK, words
            )
            edge = edge + reach
    for place, is_known in zip(places, shares.notna().any(axis=1), strict=True):
        beside(axes, place, period if is_known else words.aside(period, words("change_apart.not_asked")))


def _write_shares(
    axes: Axes, places: np.ndarray, middles: np.ndarray, sizes: np.ndarray, colour: str, words: Words
) -> None:
    """Write shares into their bars where there is room."""
    for place, middle, size in zip(places, middles, sizes, strict=True):
        text = words.whole_percent(size)
        if size > ROOM * len(text):
            axes.text(middle, place, text, ha="center", va="center", fontsize=8, color=colour)
