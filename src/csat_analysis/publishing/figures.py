"""What do the answers look like, and what can a rule see? Figures of the chapter on satisfaction."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from csat_analysis.assembly.assessment import Assessment, compute
from csat_analysis.assembly.gates import unit_of
from csat_analysis.domain.scoring import CLUSTERED
from csat_analysis.ground.programmes import NOT_APPLICABLE, Programme
from csat_analysis.ground.words import Words, letters, speak
from csat_analysis.publishing.canvas import DOT, INK, LINE, SOFT, WIDTH, Drawing, beside, rows, shown, style, wrapped
from csat_analysis.publishing.markup import Column, Exhibit, folded, prose, table
from csat_analysis.publishing.phrases import item_title, level_title, measure_title, rule_text
from csat_analysis.publishing.verdicts import verdict_word
from csat_analysis.statistics import planning

SEEN = ("satisfaction_rate", "satisfaction_rate_of_valid")  # the rates whose rule has a curve
SPAN, POINTS = 0.15, 301  # of the curve: to each side of the threshold, and how many points
ROWS = 24  # of its table, at most
RISKS = (0.9, 0.5, 0.1)  # the probabilities of acting whose true rates are told
LABELLED = 0.2  # of the width of a curve, which a label takes
MARKERS = {  # of a verdict: shape, colour, whether it is filled
    "met": ("o", DOT, True), "borderline": ("s", "#8a5a00", True), "not_met": ("x", "#a4262c", True),
    "missed": ("x", "#8a5a00", True), "in_progress": ("o", SOFT, False), "missing": ("o", SOFT, False),
}  # fmt: skip
LEGEND = 96  # letters in a line of the legend; a hanzi is as wide as two


# --- answers ----------------------------------------------------------------------------------------------------------


def answers(result: Assessment, language: str) -> Exhibit:
    """Return diverging stacked bars of the answers to each question: satisfied to the right of the line.

    Shares are of the answers given; not answered and not applicable stand apart as numbers.
    """
    drawn = draw_answers(result, language)
    return shown(drawn, "answers") if drawn else prose(speak(language)("sentence.no_answers"))


def draw_answers(result: Assessment, language: str) -> Drawing | None:
    """Return the picture of the answers to each question; None where there is no answer."""
    words, programme = speak(language), result.survey.programme
    given = result.distribution
    shares = given.dropna(subset="share").pivot(index="item", columns="level", values="share")
    items = [item for item in programme.item_ids if item in shares.index]
    if not items:
        return None
    numbers = given.pivot(index="item", columns="level", values="n")
    with mpl.rc_context(style()):
        figure, axes = rows([item_title(programme, item, words) for item in items], language)
        _draw_bars(axes, shares.loc[items].astype(float), programme, words)
        is_bounded = _draw_bounds(axes, result.items.set_index("id").loc[items])
        for position, item in enumerate(items):
            base = words("figure.answered", n=words.count(numbers.loc[item, programme.level_ids].sum()))
            outside = {name: words.count(numbers.loc[item, name]) for name in ("empty", NOT_APPLICABLE)}
            beside(axes, position, f"{base}\n{words('figure.apart', **outside)}")
        axes.set_xlabel(words("figure.answers_axis"))
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.xaxis.set_major_formatter(lambda share, _: words.whole_percent(abs(share)))
        legend(figure, programme, words)
    bounds = [words("sentence.bounds")] if is_bounded else []
    sentence = words("gap").join([sides_sentence(programme, words), *bounds, *likert_sentences(result, words)])
    return Drawing(figure, words("figure.answers"), sentence)


def sides(programme: Programme) -> tuple[list[str], list[str]]:
    """Return the levels right and left of the line, each from the line outwards; undeclared: the better half right."""
    best_first = programme.level_ids if _best_first(programme) else programme.level_ids[::-1]
    right = programme.satisfied.levels if programme.satisfied else best_first[: len(best_first) // 2]
    outwards = best_first[::-1]
    return [level for level in outwards if level in right], [level for level in best_first if level not in right]


def _best_first(programme: Programme) -> bool:
    """Return whether the scale is listed best answer first; without points it is taken to be."""
    own = (programme.item_points(item) for item in programme.items)
    points = next((values for values in own if values), None)
    return points is None or points[programme.level_ids[0]] >= points[programme.level_ids[-1]]


def colours(programme: Programme) -> dict[str, tuple[float, float, float]]:
    """Return a colour for each level: blue right of the line, orange left, paler near it; safe for the colour-blind."""
    right, left = sides(programme)
    blues, oranges = (
        _shades(("#a9cbe8", "#1d5c96"), DOT, len(right)),
        _shades(("#e3dccf", "#c2571a"), "#dd9a5d", len(left)),
    )
    return dict(zip([*right, *left], [*blues, *oranges], strict=True))


def _shades(ends: tuple[str, str], alone: str, number: int) -> list[tuple[float, float, float]]:
    """Return so many colours between two, or another one where there is but one."""
    blend = mpl.colors.LinearSegmentedColormap.from_list("", ends)
    shades = (
        [blend(place) for place in np.linspace(0, 1, number)] if number > 1 else [mpl.colors.to_rgba(alone)] * number
    )
    return [(red, green, blue) for red, green, blue, _ in shades]


def _draw_bars(axes: Axes, shares: pd.DataFrame, programme: Programme, words: Words) -> None:
    """Draw each item's levels outwards from the line, with their shares inside where there is room."""
    right, left = sides(programme)
    shades = colours(programme)
    for side, levels in ((1, right), (-1, left)):
        edge = pd.Series(0.0, index=shares.index)
        for level in levels:
            reach, start = side * shares[level], side * edge
            axes.barh(range(len(shares)), reach, 0.66, start, color=shades[level])
            for position, (middle, size) in enumerate(zip(start + reach / 2, shares[level], strict=True)):
                text = words.whole_percent(size)
                if size > 0.012 + 0.016 * len(text):
                    axes.text(middle, position, text, ha="center", va="center", fontsize=9,
                              color="white" if sum(shades[level]) < 1.5 else INK)  # fmt: skip
            edge = edge + shares[level]


def _draw_bounds(axes: Axes, items: pd.DataFrame) -> bool:
    """Draw the interval of each item's satisfied share about the end of its bar; return whether there is one."""
    known = items[["conf_low", "conf_high"]].astype(float).reset_index(drop=True).dropna()
    for color, width in (("white", 4.5), (INK, 1.6)):  # seen on light and on dark bars
        for position, low, high in known.itertuples():
            axes.hlines(position, low, high, color=color, linewidth=width)
    return len(known) > 0


def legend(figure: Figure, programme: Programme, words: Words) -> None:
    """Explain the colours in the order of the bars, in as many lines as their titles need."""
    right, left = sides(programme)
    levels, shades = [*left[::-1], *right], colours(programme)
    titles = [wrapped(level_title(programme, level, words), words.language, LEGEND // 2) for level in levels]
    columns = next(n for n in range(len(levels), 0, -1) if n == 1 or _breadth(titles, n) <= LEGEND)
    down = [place for column in range(columns) for place in range(column, len(levels), columns)]
    lines = sum(max(title.count("\n") + 1 for title in titles[start : start + columns])
                for start in range(0, len(titles), columns))  # fmt: skip
    figure.set_figheight(figure.get_figheight() + LINE * (lines - 1))
    figure.legend(
        [Patch(facecolor=shades[levels[place]]) for place in down], [titles[place] for place in down],
        loc="outside upper center", ncols=columns, frameon=False, fontsize=10, handlelength=1, columnspacing=1.4,
    )  # fmt: skip


def _breadth(titles: Sequence[str], columns: int) -> int:
    """Return how many letters wide a legend of so many columns is."""
    return sum(max(map(letters, titles[column::columns])) + 5 for column in range(columns))


def sides_sentence(programme: Programme, words: Words) -> str:
    """Return which answers stand on which side of the line."""
    right = [level_title(programme, level, words) for level in sides(programme)[0][::-1]]
    key = "sentence.sides" if programme.satisfied else "sentence.sides_undeclared"
    return words(key, levels=words.listing(right))


def likert_sentences(result: Assessment, words: Words) -> list[str]:
    """Return which question satisfies most and which least, and which nobody answered."""
    programme, found = result.survey.programme, []
    known = result.items.dropna(subset="share_satisfied")
    if len(known):
        ordered = known.assign(share=known["share_satisfied"].astype(float)).sort_values("share", kind="stable")
        worst, best = ordered.iloc[0], ordered.iloc[-1]
        values = {
            "best": item_title(programme, best["id"], words), "best_share": words.number(best["share"], "share"),
            "worst": item_title(programme, worst["id"], words), "worst_share": words.number(worst["share"], "share"),
        }  # fmt: skip
        same = values["best_share"] == values["worst_share"]
        found.append(words(f"sentence.likert{'_one' if len(known) == 1 else '_same' if same else ''}", **values))
    asked = result.items[result.items["id"].isin(result.survey.answers.columns)]
    silent = [item_title(programme, item, words) for item in asked.loc[asked["n"] == 0, "id"]]
    return [*found, words("sentence.without", names=words.listing(silent))] if silent else found


# --- items ------------------------------------------------------------------------------------------------------------


def items(result: Assessment, language: str) -> Exhibit:
    """Return the satisfied share of each question as a dot, with its interval as a line where there is one."""
    drawn = draw_items(result, language)
    return shown(drawn, "items") if drawn else Exhibit("")


def draw_items(result: Assessment, language: str) -> Drawing | None:
    """Return the picture of the satisfied share of each question; None where none has one."""
    words, programme = speak(language), result.survey.programme
    known = result.items.dropna(subset="share_satisfied")
    if known.empty:
        return None
    with mpl.rc_context(style()):
        figure, axes = rows([item_title(programme, item, words) for item in known["id"]], language)
        for position, row in enumerate(known.to_dict("records")):
            if row["conf_low"] is not None and row["conf_low"] == row["conf_low"]:
                axes.hlines(position, row["conf_low"], row["conf_high"], color=DOT, linewidth=2)
            axes.plot(row["share_satisfied"], position, "o", color=DOT, markersize=7, clip_on=False)
            answered = words("figure.answered", n=words.count(row["n"]))
            beside(axes, position, f"{words.number(row['share_satisfied'], 'share')}\n{answered}")
        axes.set_xlim(0, 1)
        axes.set_xlabel(words("figure.items_axis"))
        axes.xaxis.set_major_formatter(lambda share, _: words.whole_percent(share))
        axes.grid(axis="x", color="#e4e7eb")
        axes.set_axisbelow(True)
    ending = "" if known["conf_low"].notna().any() else "_no_interval"
    caption, sentence = words(f"figure.items{ending}"), words(f"sentence.items{ending}")
    return Drawing(figure, caption, sentence, words("gap").join([sentence, *likert_sentences(result, words)]))


# --- rules ------------------------------------------------------------------------------------------------------------


def gate_ladder(result: Assessment, language: str) -> Exhibit:
    """Return each rule on a share in a row: threshold, value by its verdict, interval; nothing where there is none."""
    drawn = draw_ladder(result, language)
    return shown(drawn, "ladder") if drawn else Exhibit("")


def draw_ladder(result: Assessment, language: str) -> Drawing | None:
    """Return the picture of the rules on shares; None where there is none."""
    words, programme = speak(language), result.survey.programme
    gates = [gate for gate in result.gates.to_dict("records") if _is_drawn(gate, programme)]
    if not gates:
        return None
    with mpl.rc_context(style()):
        figure, axes = rows([measure_title(programme, gate["measure"], words) for gate in gates], language)
        for position, gate in enumerate(gates):
            _draw_rung(axes, position, gate)
            told = f"{words.number(gate['value'], 'share')}  {words(f'verdict.{verdict_word(gate)}')}"
            beside(axes, position, f"{told}\n{rule_text(gate, programme, words)}")
        axes.set_xlim(*_reach(gates))
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))  # whole percents
        axes.set_xlabel(words("figure.ladder_axis"))
        axes.xaxis.set_major_formatter(lambda share, _: words.whole_percent(share))
    return Drawing(figure, words("figure.ladder"), words("sentence.ladder"))


def _reach(gates: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Return which part of 0 to 1 holds all values, intervals and thresholds, in tenths, with room beside them.

    >>> _reach([{"value": 0.9, "threshold": 0.85, "conf_low": 0.88, "conf_high": None}])
    (0.8, 1.0)
    """
    known = [gate[name] for gate in gates for name in ("value", "threshold", "conf_low", "conf_high")]
    shown = [value for value in known if value is not None]
    return max(math.floor(10 * min(shown) - 0.1) / 10, 0.0), min(math.ceil(10 * max(shown) + 0.1) / 10, 1.0)


def _is_drawn(gate: Mapping[str, Any], programme: Programme) -> bool:
    """Return whether a rule has a value that can stand on the axis: a share between 0 and 1."""
    value = gate["value"]
    return unit_of(gate["measure"], programme) == "share" and value is not None and 0 <= value <= 1


def _draw_rung(axes: Axes, position: int, gate: Mapping[str, Any]) -> None:
    """Draw a rule's threshold with the side that meets it, and the value with its interval."""
    threshold, upwards = gate["threshold"], gate["comparison"] in ("at_least", "more_than")
    start, end = (threshold, 1.0) if upwards else (0.0, threshold)
    axes.barh(position, end - start, 0.5, start, color="#e8eef4", edgecolor="none")
    axes.vlines(threshold, position - 0.3, position + 0.3, color=INK, linewidth=1.6)
    marker, colour, filled = MARKERS[verdict_word(gate)]
    if gate["conf_low"] is not None and gate["conf_high"] is not None:
        axes.hlines(position, gate["conf_low"], gate["conf_high"], color=colour, linewidth=2)
    face = colour if filled else "white"
    axes.plot(gate["value"], position, marker, color=colour, markerfacecolor=face, markersize=7, markeredgewidth=1.8,
              clip_on=False)  # fmt: skip


# --- what a rule can see ----------------------------------------------------------------------------------------------


def operating_characteristic(result: Assessment, language: str) -> Exhibit:
    """Return the probability that the rule on the satisfaction rate is not met, by the true rate, for this N and n.

    A sentence that says why where there is none: no rule is on such a rate, nobody answered, or the forms come from a
    single cluster.
    """
    words, programme = speak(language), result.survey.programme
    gates = (gate for gate in result.gates.to_dict("records") if gate["measure"] in SEEN and gate["value"] is not None)
    gate = next(gates, None)
    if gate is None:
        return prose(words(f"sentence.oc_{'nobody' if set(SEEN) & set(result.gates['measure']) else 'no_rule'}"))
    n, population = _base(gate, result)
    if not n:
        is_clustered = compute(gate["measure"], result.evidence).method == CLUSTERED
        return prose(words(f"sentence.oc_{'clustered' if is_clustered else 'nobody'}"))
    rates = _true_rates(gate["threshold"], population)
    chances = planning.operating_characteristic(population, n, gate["comparison"], gate["threshold"], rates)
    name, rule = measure_title(programme, gate["measure"], words), rule_text(gate, programme, words)
    caption = words("figure.oc", name=name, rule=rule)
    known = words(f"figure.oc_{'of' if population else 'n'}", n=words.count(n), population=words.count(population))
    sentence = words("gap").join([known, *_risks(rates, chances, words)])
    with mpl.rc_context(style()):
        figure = _curve(rates, chances, gate["threshold"], words)
    return shown(Drawing(figure, caption, sentence), "oc", curve_table(rates, chances, caption, words))


def _base(gate: dict[str, Any], result: Assessment) -> tuple[int, int | None]:
    """Return how many answers a rate stands on, and of how many; of weighted or clustered ones the effective number."""
    measure, evidence = compute(gate["measure"], result.evidence), result.evidence
    if measure.method == CLUSTERED:
        return 0, None
    if not evidence.design.is_plain and measure.n_effective and math.isfinite(measure.n_effective):
        return max(round(measure.n_effective), 1), None
    return measure.n or 0, evidence.population


def _true_rates(threshold: float, population: int | None) -> np.ndarray:
    """Return the rates around a threshold that a population can have; of a large or unknown one, a grid of them."""
    rates = np.linspace(max(0.0, threshold - SPAN), min(1.0, threshold + SPAN), POINTS)
    return np.unique(np.rint(rates * population) / population) if population else rates


def _curve(rates: np.ndarray, chances: np.ndarray, threshold: float, words: Words) -> Figure:
    """Return the curve with the rule and the points a quality engineer asks for."""
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(rates, chances, color=DOT, linewidth=2)
    axes.axvline(threshold, color=INK, linewidth=0.8)
    for rate, chance in dict.fromkeys(_at(rates, chances, wanted) for wanted in RISKS):  # of few people some are one
        axes.plot(rate, chance, "o", color=DOT, markersize=6)
        label = words("figure.oc_label", rate=words.number(rate, "share"), chance=words.whole_percent(chance))
        where, side = _beside_curve(rate, rates, threshold, falls=bool(chances[0] > chances[-1]))
        axes.annotate(label, (rate, chance), where, textcoords="offset points", ha=side, fontsize=9, color=INK)
    axes.set_ylim(-0.03, 1.06)
    axes.set_xlabel(words("figure.oc_axis"))
    axes.set_ylabel(words("figure.oc_chance"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda share, _: words.whole_percent(share))
    axes.grid(color="#e4e7eb")
    axes.set_axisbelow(True)
    return figure


def _beside_curve(rate: float, rates: np.ndarray, threshold: float, falls: bool) -> tuple[tuple[int, int], str]:
    """Return where the label of a point stands, in points, and at which side of it: not on the line of the rule.

    >>> rates = np.linspace(0.7, 1.0, 31)
    >>> _beside_curve(0.84, rates, 0.85, falls=True), _beside_curve(0.86, rates, 0.85, falls=True)
    (((-9, -6), 'right'), ((9, 2), 'left'))
    """
    room = LABELLED * (rates[-1] - rates[0])
    if 0 <= threshold - rate < room <= rate - rates[0]:
        return (-9, -6 if falls else 2), "right"
    return (9, 2 if falls else -6), "left"


def curve_table(rates: np.ndarray, chances: np.ndarray, caption: str, words: Words) -> Exhibit:
    """Return the curve as a table, where it bends: from the last rate at which the rule is as good as sure to act."""
    bends = np.flatnonzero(np.diff(np.round(chances, 3)))
    first, last = (bends[0], bends[-1] + 1) if len(bends) else (0, len(rates) - 1)
    shown = np.unique(np.linspace(first, last, min(ROWS, last - first + 1)).round().astype(int))
    heads = [Column(words(f"figure.{name}"), True) for name in ("oc_axis", "oc_chance")]
    listed = [[words.number(rates[place], "share"), words.chance(chances[place])] for place in shown]
    return folded(words("figure.data"), table(caption, heads, listed))


def _at(rates: np.ndarray, chances: np.ndarray, wanted: float) -> tuple[float, float]:
    """Return the point of the curve whose probability is closest to one."""
    place = int(np.argmin(np.abs(chances - wanted)))
    return float(rates[place]), float(chances[place])


def _risks(rates: np.ndarray, chances: np.ndarray, words: Words) -> list[str]:
    """Return in words at which true rates the rule acts nearly always, as often as not, and nearly never."""
    points = [_at(rates, chances, wanted) for wanted in RISKS]
    told = [words("figure.oc_point", rate=words.number(r, "share"), chance=words.chance(c)) for r, c in points]
    return list(dict.fromkeys(told))
