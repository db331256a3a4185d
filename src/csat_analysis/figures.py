"""What does it look like? Figures of a report as inline SVG whose text stays text."""

import functools
import io
import re
import textwrap

import matplotlib as mpl
import pandas as pd
import pylopdf_fonts_zh_cn
import seaborn as sns
from markupsafe import Markup, escape
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from csat_analysis.assessment import Assessment
from csat_analysis.markup import Exhibit, render
from csat_analysis.phrases import item_title, level_title
from csat_analysis.programmes import NOT_APPLICABLE, Programme
from csat_analysis.words import Words, speak

FONT = "Noto Sans SC"
INK, SOFT, DOT = "#1f2933", "#7b8794", "#1d5c96"
WIDTH, ROW, LABEL = 7.6, 0.52, 14  # inches, inches, characters


@functools.cache
def style() -> dict:
    """Return the one style of all figures; the packaged font is registered once."""
    font_manager.fontManager.addfont(str(pylopdf_fonts_zh_cn.sans_path()))
    return {
        **sns.axes_style("white"),
        "font.family": [FONT, "DejaVu Sans"], "font.size": 10, "axes.unicode_minus": False,
        "text.color": INK, "axes.labelcolor": SOFT, "xtick.color": SOFT, "ytick.color": INK, "axes.edgecolor": "#cbd2d9",
        "svg.fonttype": "none", "svg.hashsalt": "csat_analysis",
    }  # fmt: skip


def as_svg(figure: Figure, title: str, description: str) -> Markup:
    """Return a figure as SVG for a page: no fixed size, no clock, a title and a description for a screen reader."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}, transparent=True)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    view = re.search(r'viewBox="[^"]*"', svg)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {view.group() if view else ""} role="img">'
    told = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    return Markup(head + told + svg[svg.index(">") + 1 :])  # noqa: S704 - matplotlib escapes its texts, ours are escaped here


def likert_colours(programme: Programme) -> dict[str, tuple]:
    """Return a colour for each level: blue for satisfied, orange for not, paler towards the middle; safe for the colour-blind."""
    satisfied = programme.satisfied.levels if programme.satisfied else programme.level_ids[: len(programme.level_ids) // 2]
    good = [level for level in programme.level_ids if level in satisfied]
    rest = [level for level in programme.level_ids if level not in satisfied]
    blues = sns.color_palette("blend:#1d5c96,#a9cbe8", len(good))
    oranges = sns.color_palette("blend:#e3dccf,#c2571a", len(rest)) if len(rest) > 1 else [mpl.colors.to_rgb("#dd9a5d")]
    ordered = rest if _best_first(programme) else rest[::-1]
    return dict(zip(good if _best_first(programme) else good[::-1], blues, strict=True)) | dict(zip(ordered, oranges, strict=True))


def _best_first(programme: Programme) -> bool:
    """Return whether the scale is listed best answer first; without points it is taken to be."""
    points = programme.points or next((item for item in programme.items if item.points), None)
    values = (points.values if points is programme.points else points.points) if points else None  # type: ignore[union-attr]
    return values is None or values[programme.level_ids[0]] >= values[programme.level_ids[-1]]


def _wrapped(title: str, language: str) -> str:
    """Return a label in lines that fit beside a bar."""
    if language != "zh":
        return textwrap.fill(title, 22)
    return "\n".join(title[start : start + LABEL] for start in range(0, len(title), LABEL))


def answers(result: Assessment, language: str) -> Exhibit:
    """Return diverging stacked bars of the answers to each question: satisfied to the right of the line.

    Shares are of the answers given; not answered and not applicable stand apart as numbers.
    """
    words, programme = speak(language), result.survey.programme
    table = result.distribution
    shares = table.dropna(subset="share").pivot(index="item", columns="level", values="share")
    numbers = table.pivot(index="item", columns="level", values="n") if len(table) else pd.DataFrame()
    items = [item for item in programme.item_ids if item in shares.index]
    if not items:
        return Exhibit("")
    with mpl.rc_context(style()):
        figure = Figure(figsize=(WIDTH, ROW * len(items) + 1.25), layout="constrained")
        axes = figure.subplots()
        _draw_bars(axes, shares.loc[items], programme, words)
        for position, item in enumerate(items):
            base = int(numbers.loc[item, programme.level_ids].sum())
            apart = words("figure.apart", empty=numbers.loc[item, "empty"], not_applicable=numbers.loc[item, NOT_APPLICABLE])
            axes.annotate(
                f"{words('figure.answered', n=words.count(base))}\n{apart}", (1.01, position), xycoords=("axes fraction", "data"),
                va="center", fontsize=8, color=SOFT,
            )  # fmt: skip
        _dress(axes, [_wrapped(item_title(programme, item, words), language) for item in items], words("figure.answers_axis"))
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.xaxis.set_major_formatter(lambda share, _: f"{abs(share):.0%}")
        figure.legend(
            *_legend(axes, programme, words), loc="outside upper center", ncols=len(programme.level_ids), frameon=False,
            fontsize=9, handlelength=1, columnspacing=1.2,
        )  # fmt: skip
        sentence = likert_sentence(result, words)
        svg = as_svg(figure, words("figure.answers"), sentence)
    return render("figure", svg=svg, caption=words("figure.answers"), sentence=sentence)


def _draw_bars(axes: Axes, shares: pd.DataFrame, programme: Programme, words: Words) -> None:
    """Draw each item's levels outwards from the line, the middle ones next to it, with their shares inside."""
    colours = likert_colours(programme)
    best_first = programme.level_ids if _best_first(programme) else programme.level_ids[::-1]
    satisfied = programme.satisfied.levels if programme.satisfied else best_first[: len(best_first) // 2]
    right = [level for level in reversed(best_first) if level in satisfied]
    left = [level for level in best_first if level not in satisfied]
    for side, levels in ((1, right), (-1, left)):
        edge = pd.Series(0.0, index=shares.index)
        for level in levels:
            width = side * shares[level]
            axes.barh(range(len(shares)), width, left=edge, color=colours[level], height=0.66, label=level)
            for position, (start, size) in enumerate(zip(edge, width, strict=True)):
                if abs(size) >= 0.055:
                    dark = sum(colours[level]) < 1.5
                    axes.text(start + size / 2, position, f"{abs(size):.0%}", ha="center", va="center", fontsize=8,
                              color="white" if dark else INK)  # fmt: skip
            edge = edge + width


def _legend(axes: Axes, programme: Programme, words: Words) -> tuple[list, list[str]]:
    handles, levels = axes.get_legend_handles_labels()
    worst_first = programme.level_ids[::-1] if _best_first(programme) else programme.level_ids
    found = dict(zip(levels, handles, strict=True))
    return [found[level] for level in worst_first], [level_title(programme, level, words) for level in worst_first]


def _dress(axes: Axes, labels: list[str], axis_label: str) -> None:
    """Label the rows from top to bottom and take away what no reader needs."""
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlabel(axis_label)
    axes.tick_params(length=0)
    sns.despine(ax=axes, left=True)


def likert_sentence(result: Assessment, words: Words) -> str:
    """Return which question satisfies most and which least."""
    programme = result.survey.programme
    known = result.items.dropna(subset="share_satisfied")
    if known.empty:
        return ""
    ordered = known.assign(share=known["share_satisfied"].astype(float)).sort_values("share", kind="stable")
    worst, best = ordered.iloc[0], ordered.iloc[-1]
    values = {
        "best": item_title(programme, best["id"], words), "best_share": words.number(best["share"], "share"),
        "worst": item_title(programme, worst["id"], words), "worst_share": words.number(worst["share"], "share"),
    }  # fmt: skip
    return words("sentence.likert_one" if len(ordered) == 1 else "sentence.likert", **values)


def items(result: Assessment, language: str) -> Exhibit:
    """Return the satisfied share of each question as a dot, with its interval as a line where there is one."""
    words, programme = speak(language), result.survey.programme
    known = result.items.dropna(subset="share_satisfied")
    if known.empty:
        return Exhibit("")
    with_interval = bool(known["conf_low"].notna().any())
    with mpl.rc_context(style()):
        figure = Figure(figsize=(WIDTH, ROW * len(known) + 0.8), layout="constrained")
        axes = figure.subplots()
        for position, row in enumerate(known.to_dict("records")):
            if row["conf_low"] is not None and row["conf_low"] == row["conf_low"]:
                axes.plot([row["conf_low"], row["conf_high"]], [position, position], color=DOT, linewidth=2, solid_capstyle="butt")
            axes.plot(row["share_satisfied"], position, "o", color=DOT, markersize=7)
            label = f"{words.number(row['share_satisfied'], 'share')}  ({words('figure.answered', n=words.count(row['n']))})"
            axes.annotate(label, (1.01, position), xycoords=("axes fraction", "data"), va="center", fontsize=9)
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.6, len(known) - 0.4)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.grid(axis="x", color="#e4e7eb")
        axes.set_axisbelow(True)
        _dress(axes, [_wrapped(item_title(programme, item, words), language) for item in known["id"]], words("figure.items_axis"))
        ending = "" if with_interval else "_no_interval"
        caption, sentence = words(f"figure.items{ending}"), words(f"sentence.items{ending}")
        svg = as_svg(figure, caption, likert_sentence(result, words))
    return render("figure", svg=svg, caption=caption, sentence=sentence)
