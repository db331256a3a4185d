"""What changed the company's rate, as a picture: the whole change and its parts, with intervals."""

import matplotlib as mpl
import pandas as pd

from csat_analysis.ground.words import Words
from csat_analysis.publishing.canvas import DOT, INK, LINE, Drawing, beside, rows, shown, style, tick
from csat_analysis.publishing.markup import Exhibit

GRID = "#e4e7eb"


def parts_figure(components: pd.DataFrame, name: str, words: Words) -> Exhibit:
    """Return the change and its parts as dots with intervals; hollow where there is none.

    Parameters
    ----------
    components
        As ``mix.decompose_change`` returns them.
    name
        Of the figure, unlike that of any other of the page.
    """
    titles = [words(f"company_change.{each}") for each in components["component"]]
    with mpl.rc_context(style()):
        figure, axes = rows(titles, words.language)
        for position, row in enumerate(components.to_dict("records")):
            known = not pd.isna(row["conf_low"])
            if known:
                axes.hlines(position, row["conf_low"], row["conf_high"], color=DOT, linewidth=2)
            fill = DOT if known else "white"
            axes.plot(row["estimate"], position, "o", color=DOT, markersize=7, markerfacecolor=fill)
            beside(axes, position, words.difference(row["estimate"], "share"))
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.axhline(0.5, color=GRID, linewidth=1)
        axes.set_xlabel(words("change.axis_share"))
        axes.xaxis.set_major_formatter(lambda value, _: tick(value, "share"))
        axes.grid(axis="x", color=GRID)
        figure.set_figheight(figure.get_figheight() + LINE)
    hollow = [words("company_change.figure_hollow")] if components["conf_low"].isna().any() else []
    told = words("gap").join([words("company_change.figure_read"), *hollow])
    return shown(Drawing(figure, words("company_change.figure"), told), name)
