"""Beside the verdicts on change: other ways to compare, other projects, what was done, and what is not said."""

import math
from collections.abc import Iterable, Iterator

import pandas as pd

from csat_analysis.assembly.change import Change
from csat_analysis.assembly.gates import unit_of
from csat_analysis.assembly.multiverse import agreement
from csat_analysis.assembly.plans import is_local
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.change_cells import (
    COUNT,
    Row,
    change_cell,
    lacks,
    portfolio_exhibit,
    size,
    verdict_mark,
    verdict_title,
)
from csat_analysis.publishing.change_tables import ordered_rows, spoken, title_of
from csat_analysis.publishing.markup import Cell, Column, Exhibit, listing, prose, table
from csat_analysis.publishing.phrases import column_title, group_title, item_title

# --- other ways -------------------------------------------------------------------------------------------------------


def naive_table(found: Change, language: str) -> Exhibit:
    """Return beside each verdict what a test would say that knows nothing of design, selection and other tests."""
    words = speak(language)
    rows = [row for row in ordered_rows(found) if row["naive_verdict"] is not None and row["estimate"] is not None]
    apart = [spoken(found, row["id"], words) for row in rows if row["naive_verdict"] != row["verdict"]]
    cells = [
        (
            title_of(found, row["id"], words), verdict_mark(row, words), words.p_value(row["naive_p"]),
            _naive_cell(row, words),
        )
        for row in rows
    ]  # fmt: skip
    heads = [Column(words("head.measure")), Column(words("change.head_own")),
             Column(words("change.head_naive_p"), True), Column(words("change.head_naive"))]  # fmt: skip
    key = "agree" if not apart else "all" if len(apart) == len(rows) else "differ"
    counts = {"n": words.count(len(rows)), "differ": words.count(len(apart))}
    notes = [words("change.note_naive"), words(f"change.naive_{key}", **counts, names=words.listing(apart))]
    return table(words("change.table_naive"), heads, cells, notes)


def _naive_cell(row: Row, words: Words) -> str:
    """Return what the naive test says, marked where that is something else."""
    said = verdict_title({**row, "verdict": row["naive_verdict"]}, words)
    return said if row["naive_verdict"] == row["verdict"] else words.aside(said, words("change.differs"))


def paths_table(found: Change, language: str) -> Exhibit:
    """Return the same comparison by every analysis valid for the situation, and how many agree; never as evidence."""
    words, paths = speak(language), found.paths
    if paths.empty:
        return Exhibit("") if found.reason else prose(words("change.no_paths"))
    names = [name for name in ("base", "lonely") if paths[name].notna().any()]
    choices = ("analysis", "view", *names)
    rows = [
        (_path_title(row, found, words), *(_path_choice(row, name, found, words) for name in choices),
         *_path_cells(row, found, words))
        for row in paths.to_dict("records")
    ]  # fmt: skip
    heads = [Column(words("head.measure")), *(Column(words(f"change.head_{name}")) for name in ("way", "view", *names))]
    heads += [Column(words(f"change.head_{name}"), True) for name in ("difference", "p_value")]
    heads.append(Column(words("change.head_alone")))
    notes = [*_agreeing(paths, found, words), words("change.note_paths")]
    return table(words("change.table_paths"), heads, rows, notes, kind="gates")


def _path_title(row: Row, found: Change, words: Words) -> Cell:
    return Cell(title_of(found, row["figure"], words), below=(words("change.chosen"),) if row["chosen"] else ())


def _path_choice(row: Row, name: str, found: Change, words: Words) -> str:
    """Return one of the choices of a way in words."""
    if lacks(row[name]):
        return words("not_computed")
    stems = {"analysis": "change_method", "view": "view", "lonely": "lonely"}
    return base_title(row[name], found, words) if name == "base" else words(f"{stems[name]}.{row[name]}")


def base_title(base: str, found: Change, words: Words) -> str:
    """Return of which forms a rate is a share."""
    programme = found.result.survey.programme
    item = programme.satisfied_form.item if programme.satisfied_form else None
    if base == "answered" and not item:
        return words("base.answered_any")
    return words(f"base.{base}", item=item_title(programme, item, words) if item else "")


def _path_cells(row: Row, found: Change, words: Words) -> Iterator[str]:
    """Yield what one way gives; ranks have no unit."""
    unit = "points" if row["analysis"] == "superiority" else unit_of(row["figure"], found.result.survey.programme)
    yield change_cell(row, unit, words)
    yield words.p_value(row["p_value"])
    yield verdict_mark({"id": row["figure"], "verdict": row["verdict"]}, words)


def _agreeing(paths: pd.DataFrame, found: Change, words: Words) -> Iterator[str]:
    """Yield for each figure how many ways agree with the chosen one."""
    for figure, part in paths.groupby("figure", sort=False):
        agree, ways = agreement(part)
        share = words.whole_percent(agree / ways)
        yield words("change.agree", name=spoken(found, str(figure), words), agree=agree, n=ways, share=share)


# --- other projects ---------------------------------------------------------------------------------------------------


def portfolio_table(found: Change, language: str) -> Exhibit:
    """Return what the projects acted on gained beyond the others; nothing where the project was not chosen."""
    words, portfolio = speak(language), found.portfolio
    if portfolio is None:
        return Exhibit("")
    known = {"projects": portfolio.projects, "threshold": portfolio.threshold}
    ways = {"residual": portfolio.contrast._asdict(), "discontinuity": portfolio.discontinuity._asdict()}
    return portfolio_exhibit(known | ways, spoken(found, portfolio.figure, words), words, words("portfolio.note"))


# --- what was done ----------------------------------------------------------------------------------------------------


def action_table(found: Change, language: str) -> Exhibit:
    """Return what was done in between, by which figure each action is judged, and whether it was found effective."""
    words = speak(language)
    if found.reason:
        return Exhibit("")
    if found.actions.empty:
        return prose(words("change.no_actions"))
    rows = [tuple(_action_cells(row, found, words)) for row in found.actions.to_dict("records")]
    names = ("action", "dates", "judged_by", "planned", "own", "effectiveness")
    heads = [Column(words(f"change.head_{name}")) for name in names]
    return table(words("change.table_actions"), heads, rows, [words("change.note_actions")], kind="gates")


def _action_cells(row: Row, found: Change, words: Words) -> Iterator[str]:
    """Yield the cells of an action."""
    programme, dash = found.result.survey.programme, words("not_computed")
    target = row["target_item"]
    named = item_title(programme, target, words) if target in programme.item_ids else target
    below = [row["action_id"], *([words("change.for_item", item=named)] if named else [])]
    below += [row["department"]] if row["department"] else []
    yield Cell(row["description"] or row["action_id"], below=tuple(below if row["description"] else below[1:]))
    days = [_day(row, name, words) for name in ("due_on", "completed_on", "verified_on") if not pd.isna(row[name])]
    yield Cell(days[0] if days else dash, "whole", tuple(days[1:]))
    least = row["minimal_change"]
    unit = unit_of(row["figure"], programme) if row["figure"] else "points"
    small = () if lacks(least) else (words("change.minimal", size=size(least, unit, words)),)
    yield Cell(title_of(found, row["figure"], words) if row["figure"] else row["judged_by"] or dash, below=small)
    yield words(f"change.{'planned' if row['planned'] else 'unplanned'}")
    yield _what_came(row, unit, found, words)
    yield words(f"effectiveness.{row['effectiveness']}")


def _what_came(action: Row, unit: str, found: Change, words: Words) -> Cell:
    """Return what became of an action's figure, in its units where it names some."""
    run, units = found.result.survey.run, action["units"]
    if not action["figure"]:
        return Cell(words("not_computed"))
    if action["by"]:
        titles = [group_title(run, action["by"], level, words) for level in action["levels"]]
        where = words.colon(column_title(run, action["by"], words), words.listing(titles))
        row = action["judged"]
    elif is_local(action):
        return Cell(words("change.not_judged"), "whole", (words("change.units_unknown", units=units),))
    else:
        where, row = "", found.row(action["figure"])
    if row["reason"] == COUNT:
        return Cell(words("change.not_judged"), "whole")
    apart = words.get(f"change_apart.{row['reason']}", "")
    shown = "" if lacks(row.get("estimate")) else words.difference(row["estimate"], unit)
    return verdict_mark(row, words, *filter(None, (where, words.get(f"change.units_{row['reason']}", apart), shown)))


def _day(row: Row, name: str, words: Words) -> str:
    return words(f"change.{name}", date=words.date(pd.Timestamp(row[name]).date()))


def plan_note(found: Change, language: str) -> Exhibit:
    """Return the checksum of what was declared before the second survey, and what it covers."""
    words, planned = speak(language), int(found.actions["planned"].astype(bool).sum())
    if found.reason:
        return Exhibit("")
    if not found.plan:
        return prose(words("change.no_plan"))
    return prose(words("change.plan", n=words.count(planned), digest=found.plan), words("change.plan_rest"))


# --- limits -----------------------------------------------------------------------------------------------------------


def change_limits(found: Change, language: str) -> Exhibit:
    """Return what the verdicts do not say."""
    words = speak(language)
    return Exhibit("") if found.reason else listing([words(f"change_limit.{key}") for key in _limits(found)])


def _limits(found: Change) -> Iterable[str]:
    """Yield what a reader has to bear in mind, by name."""
    situation = found.situation
    yield "cause"
    yield "insufficient"
    if situation.selected and (found.table["method"] == "refused").any():
        yield "selected"
    yield from ("silent", f"people_{situation.people}")
    if math.isnan(situation.mode_shift) or math.isnan(situation.population_shift):
        yield "unknown"
    if any(wave is not None and wave.status != "reportable" for wave in (found.before, found.after)):
        yield "status"
    yield "exploratory"
