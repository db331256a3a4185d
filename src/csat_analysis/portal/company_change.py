"""Did the company improve? Verdicts of its projects, what action brought over all, what changed its rate."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from csat_analysis.assembly.gates import ITEM_FIGURES
from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.words import Words
from csat_analysis.portal.company_mix import SIDES, baseline_of, change_of, compare_company
from csat_analysis.portal.company_parts import (
    SURE,
    channels_table,
    mix_lead,
    named,
    parts_picture,
    parts_table,
    projects_table,
)
from csat_analysis.portal.pooling import RATE, Record
from csat_analysis.publishing.change_cells import (
    MARKS,
    change_head,
    lacks,
    plain_change,
    portfolio_exhibit,
    size,
    verdict_cell,
    verdict_title,
)
from csat_analysis.publishing.markup import Cell, Column, Exhibit, table

ALWAYS = ("improved", "worse")  # verdicts that are counted where there are none, too


def section(members: Sequence[Record], every: Sequence[Record], number: int, words: Words) -> dict[str, Any] | None:
    """Return what the page says on the change of an edition's projects; None where no project has a baseline.

    Parameters
    ----------
    every
        All records of the page.
    number
        Of the section, for the name of its figure.
    """
    against, figure = baseline_of(members), primary_of(members)
    compared, best = compare_company(members, every), portfolio_of(members, against)
    if against is None or (figure is None and compared is None):
        return None
    programme = members[0]["programme"]
    title, period = words.title(programme["title"], programme["id"]), members[0]["period"]
    shown = [
        parts_table(compared, words), parts_picture(compared, f"mix-{number}", words),
        portfolio_table(best, members, words), verdict_table(members, figure, words),
    ]  # fmt: skip
    folded = [projects_table(compared, words), channels_table(compared, words)]
    lead = [*verdict_lead(members, figure, against, words), *portfolio_lead(best, words), *mix_lead(compared, words)]
    return {
        "heading": words("company_change.heading", title=title, period=period, against=against),
        "lead": lead,
        "exhibits": [Markup(each.html) for each in shown if each.html],  # noqa: S704 - exhibits are escaped
        "folded": Markup("".join(each.html for each in folded)),  # noqa: S704 - exhibits are escaped
    }  # fmt: skip


# --- verdicts ---------------------------------------------------------------------------------------------------------


def primary_of(members: Sequence[Record]) -> str | None:
    """Return the figure that decides in every project that was compared, the satisfaction rate before others."""
    decided = [[row["id"] for row in record["change"] if row["family"] == "primary"]
               for record in members if record["change"]]  # fmt: skip
    common = [name for name in decided[0] if all(name in names for names in decided)] if decided else []
    return RATE if RATE in common else next(iter(common), None)


def figure_title(figure: str, members: Sequence[Record], words: Words) -> str:
    """Return what a figure is called: by the procedure's title, else by ours."""
    rows = [row for record in members for row in (record["headline"], *record["gates"]) if row["measure"] == figure]
    item, _, kind = figure.rpartition(".")
    title = words.title(rows[0]["title"] if rows else None, item or words.get(f"measure.{figure}", figure))
    return words(f"expect.{kind}", title=title) if item and kind in ITEM_FIGURES else title


def unit_of(figure: str, members: Sequence[Record]) -> str:
    """Return the unit of a figure; of the index as its headline or a rule says."""
    if figure in MEASURES:
        return MEASURES[figure].unit
    rows = [row for record in members for row in (record["headline"], *record["gates"]) if row["measure"] == figure]
    return next((row["unit"] for row in rows if row["unit"]), "share" if figure.endswith(".satisfied") else "points")


def verdict_lead(members: Sequence[Record], figure: str | None, against: str, words: Words) -> Iterator[str]:
    """Yield how many projects have which verdict, and how many of them were chosen."""
    rows = [row for record in members if figure and (row := change_of(record, figure))]
    if figure is None or not rows:
        return
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in MARKS}
    told = [
        words("company_change.count", verdict=_verdict(key, figure, words), n=words.count(n))
        for key, n in counts.items()
        if n or key in ALWAYS
    ]
    told += [words("company_change.without", n=words.count(rest))] if (rest := len(members) - len(rows)) else []
    name = figure_title(figure, members, words)
    said = [words("company_change.verdicts", name=name, against=against, verdicts=words("semicolon").join(told))]
    if chosen := sum(row["expected"] is not None for row in rows):
        said.append(words("company_change.chosen", n=words.count(chosen)))
    yield words("gap").join(said)


def _verdict(verdict: str, figure: str, words: Words) -> str:
    """Return a verdict's word within a sentence."""
    return verdict_title({"id": figure, "verdict": verdict}, words).lower()


def verdict_table(members: Sequence[Record], figure: str | None, words: Words) -> Exhibit:
    """Return each project with the verdict on its primary figure; of one that was chosen what it gained beyond."""
    if figure is None:
        return Exhibit("")
    unit, name = unit_of(figure, members), figure_title(figure, members, words)
    rows = [
        (named([record], words), *verdict_cells(record, change_of(record, figure), unit, words)) for record in members
    ]
    heads = [Column(words("portal.project"))]
    heads += [Column(words(f"company_change.head_{key}"), True) for key in SIDES]
    heads += [change_head(unit, words), Column(words("head.verdict"))]
    tested = sum(row["p_value"] is not None for record in members if (row := change_of(record, figure)))
    notes = [words("company_change.note_verdicts"), words("change.no_cause")]
    if tested > 1:
        by_chance = words.number(SURE * tested)
        notes.insert(1, words("company_change.note_chance", n=words.count(tested), false=by_chance))
    return table(words("company_change.table_verdicts", name=name), heads, rows, notes, kind="gates")


def verdict_cells(record: Record, row: Mapping[str, Any] | None, unit: str, words: Words) -> list[str]:
    """Return a project's figure before and after, its change, and the verdict."""
    dash = words("not_computed")
    if row is None:
        read = "unreadable" if record["change"] == [] else "old_record"
        reason = "no_baseline" if record["baseline"] is None else read
        return [dash, dash, dash, Cell(words(f"company_left.{reason}"), "whole")]
    sides = [
        Cell(words.number(row[side], unit), below=(words("figure.answered", n=words.count(row[f"n_{side}"])),))
        for side in SIDES
    ]
    return [*sides, gain_cell(row, unit, words), verdict_cell({**row, "unit": unit}, words)]


def gain_cell(row: Mapping[str, Any], unit: str, words: Words) -> Cell:
    """Return a change with its interval, beyond what was expected of a project that was chosen; a dash without test."""
    if row["expected"] is not None:
        gain = {"estimate": row["gain"], "conf_low": row["gain_low"], "conf_high": row["gain_high"]}
        return plain_change(gain, unit, words, words("change.beyond", expected=words.number(row["expected"], unit)))
    tested = row["p_value"] is not None or row["reason"] == "census"
    return plain_change(row, unit, words) if tested else Cell(words("not_computed"))


# --- what action brought ----------------------------------------------------------------------------------------------


def portfolio_of(members: Sequence[Record], against: str | None) -> Record | None:
    """Return the record that says what action brought over the most projects; None where none does."""
    known = [record for record in members if record["portfolio"] and record["baseline"] == against]
    sizes = [(record["portfolio"]["projects"], record["portfolio"]["figure"] == RATE) for record in known]
    return known[sizes.index(max(sizes))] if known else None


def portfolio_lead(record: Record | None, words: Words) -> Iterator[str]:
    """Yield what action brought over all projects, in a sentence; nothing without a contrast."""
    found = record["portfolio"] if record else None
    if record is None or found is None or found["residual"]["reason"] or lacks(found["residual"]["estimate"]):
        return
    way = found["residual"]
    is_sure = not lacks(way["p_value"]) and way["p_value"] <= SURE
    key = "none" if not is_sure else "more" if way["estimate"] > 0 else "less"
    counts = {part: words.count(way[part]) for part in ("acted", "others")}
    signed = words.difference(way["estimate"], "share")
    yield words(
        f"company_change.acted_{key}", name=figure_title(found["figure"], [record], words),
        rule=words.number(found["threshold"], "share"), **counts, p=words.p_value(way["p_value"]),
        difference=size(way["estimate"], "share", words) if key == "more" else signed,
        interval=words.difference_interval(way["conf_low"], way["conf_high"], "share"),
    )  # fmt: skip


def portfolio_table(record: Record | None, members: Sequence[Record], words: Words) -> Exhibit:
    """Return what the projects acted on gained beyond the others, and as of which run where records differ."""
    if record is None:
        return Exhibit("")
    found, notes = record["portfolio"], [words("company_change.note_acted")]
    differ = [each for each in members if each["portfolio"] and not _is_same(each["portfolio"], found)]
    if differ:
        own, names = named([record], words), named(differ, words)
        notes.append(words("company_change.note_run", name=own, day=record["as_of"] or record["period"], names=names))
    return portfolio_exhibit(found, figure_title(found["figure"], members, words), words, *notes)


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two records say the same of all projects, but for noise."""
    estimates = [each["residual"]["estimate"] for each in (one, other)]
    near = estimates[0] == estimates[1] or (None not in estimates and math.isclose(*estimates, abs_tol=1e-9))
    return near and all(one[key] == other[key] for key in ("figure", "threshold", "projects"))
