"""How is a change shown, be it of a run or from a record? Its difference, p-value and verdict; what action brought."""

from collections.abc import Mapping
from typing import Any

from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.words import Words, letters
from csat_analysis.publishing.markup import Cell, Column, Exhibit, prose, table
from csat_analysis.statistics.differences import CENSUS

MARKS = {
    "improved": "met", "worse": "not_met", "unchanged": "applied", "insufficient": "borderline",
    "not_comparable": "missing",
}  # fmt: skip
COUNT = "count"  # reason: nothing is inferred from what is counted in full
BROAD = 17  # letters; a change that is broader has its unit in a line of its own
Row = Mapping[str, Any]  # of a table of changes, or of a record


def verdict_title(row: Row, words: Words) -> str:
    """Return a verdict by its word; of a figure of which less is better by one that says so."""
    entry = MEASURES.get(row["id"])
    turned = "_less" if entry and entry.less_is_better and row["verdict"] in ("improved", "worse") else ""
    return words(f"change_verdict.{row['verdict']}{turned}")


def size(value: float | None, unit: str, words: Words) -> str:
    """Return a difference without its sign."""
    return words("not_computed") if value is None else words.difference(abs(value), unit).removeprefix("+")


def change_cell(row: Row, unit: str, words: Words, *more: str) -> Cell:
    """Return a change with its unit, its interval, where it has one, and more lines."""
    dash = words("not_computed")
    if lacks(row["estimate"]):
        return Cell(dash, below=more)
    shown = words.difference(row["estimate"], unit)
    bounds = bare(words.difference_interval(row["conf_low"], row["conf_high"], unit), words)
    below = [] if bounds == dash or row.get("reason") == CENSUS else [bounds]
    if letters(shown) > BROAD:
        shown, below = bare(shown, words), [_unit(words), *below]
    return Cell(shown, below=(*below, *more))


def plain_change(row: Row, unit: str, words: Words, *more: str) -> Cell:
    """Return a change and its interval without unit, which the head of the column has."""
    if lacks(row["estimate"]):
        return Cell(words("not_computed"), below=more)
    bounds = bare(words.difference_interval(row["conf_low"], row["conf_high"], unit), words)
    is_known = bounds != words("not_computed") and row.get("reason") != CENSUS
    return Cell(bare(words.difference(row["estimate"], unit), words), below=(*([bounds] if is_known else []), *more))


def change_head(unit: str, words: Words) -> Column:
    """Return the head of a column of changes without unit."""
    return Column(words("company_change.head_change_share" if unit == "share" else "change.head_difference"), True)


def _unit(words: Words) -> str:
    return words("percentage_points", number="").strip()


def bare(shown: str, words: Words) -> str:
    """Return a difference of shares without its unit."""
    return shown.removesuffix(_unit(words)).strip()


def lacks(value: float | None) -> bool:
    """Return whether there is no number."""
    return value is None or value != value


def verdict_cell(row: Row, words: Words) -> Cell:
    """Return a verdict with its reason and margin; what is counted in full is not judged."""
    if row["reason"] == COUNT:
        return Cell(words("change.not_judged"), "whole")
    below = [words.get(f"change_apart.{row['reason']}", row["reason"])] if row["reason"] else []
    if row["margin"] is not None:
        below.append(words("change.margin", margin=bare(size(row["margin"], row["unit"], words), words)))
        below += [words("change.not_worse_short")] if row["not_worse"] else []
    return verdict_mark(row, words, *below)


def verdict_mark(row: Row, words: Words, *below: str) -> Cell:
    """Return a verdict in its colour, with lines below."""
    return Cell(verdict_title(row, words), f"verdict {MARKS[row['verdict']]}", below)


# --- what action brought over all projects ----------------------------------------------------------------------------


def portfolio_exhibit(portfolio: Row, name: str, words: Words, *more: str) -> Exhibit:
    """Return what the projects acted on gained beyond the others, or why there is no such contrast.

    Parameters
    ----------
    portfolio
        With ``projects, threshold, residual, discontinuity``, as in a record.
    name
        What its figure is called.
    more
        Notes to add.
    """
    residual = portfolio["residual"]
    if residual["reason"]:
        why = words.get(f"portfolio.{residual['reason']}", residual["reason"])
        return prose(words("portfolio.none", name=name, n=words.count(portfolio["projects"]), why=why))
    rows = [
        (words(f"portfolio.{key}"), change_cell(way, "share", words), words.p_value(way["p_value"]))
        for key in ("residual", "discontinuity")
        if not (way := portfolio[key])["reason"]
    ]
    naive = change_cell({"estimate": residual["naive"], "conf_low": None, "conf_high": None}, "share", words)
    rows.append((words("portfolio.naive"), naive, words("not_computed")))
    heads = [Column(words("change.head_way"))]
    heads += [Column(words(f"change.head_{part}"), True) for part in ("difference", "p_value")]
    return table(words("portfolio.table", name=name), heads, rows, [portfolio_who(portfolio, words), *more])


def portfolio_who(portfolio: Row, words: Words) -> str:
    """Return how many projects were acted on, and how many are the others."""
    counts = {key: words.count(portfolio["residual"][key]) for key in ("acted", "others")}
    return words("portfolio.who", **counts, rule=words.number(portfolio["threshold"], "share"))
