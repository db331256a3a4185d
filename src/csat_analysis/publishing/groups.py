"""What do parts and groups say? Tables by stratum and group, small ones suppressed."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.domain import items
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.runs import Run
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Cell, Column, Exhibit, table
from csat_analysis.publishing.phrases import (
    column_title,
    group_title,
    in_order,
    item_title,
    level_title,
    share_and_interval,
)


def part_table(result: Assessment, language: str) -> Exhibit:
    """Return the satisfaction rate of each stratum, and of all as their sum; nothing where the parts do not add up."""
    words, run, parts = speak(language), result.survey.run, result.parts.set_index("level")
    rows = [
        (_part_name(run, level, words), *_part_cells(parts.loc[level], result.survey.programme, words))
        for level in in_order(run, "stratum", parts.index)
    ]
    if not rows:
        return Exhibit("")
    rows.append((words("part.all"), *_part_cells(pd.Series(result.measure("satisfaction_rate")), None, words)))
    heads = [Column(column_title(run, "stratum", words))]
    heads += [Column(words(f"head.{name}"), True) for name in ("numerator", "denominator", "value", "interval")]
    notes = [words("note.parts")]
    if result.parts["suppressed"].any():
        notes.append(words("note.suppressed", min_n=result.survey.programme.min_n))
    return table(words("caption.parts"), heads, rows, notes)


def _part_name(run: Run, level: str, words: Words) -> str:
    return group_title(run, "stratum", level, words) if level else words("part.unnamed")


def _part_cells(part: pd.Series, programme: Programme | None, words: Words) -> tuple[str, ...]:
    if programme and part["suppressed"]:
        return (words("suppressed"), *[words("not_computed")] * 3)
    rate, bounds = words.number(part["value"], "share"), words.interval(part["conf_low"], part["conf_high"], "share")
    return (words.count(part["numerator"]), words.count(part["denominator"]), rate, bounds)


def group_table(result: Assessment, language: str) -> Exhibit:
    """Return the satisfied share (else the mean) of each question in each stratum and group; small ones suppressed."""
    words, survey = speak(language), result.survey
    figures = [*result.strata.to_dict("records"), *result.groups.to_dict("records")]
    asked = [item for item in survey.programme.item_ids if item in survey.answers]
    whole = result.items.set_index("id")["share_satisfied"].to_dict()
    cells = {
        (row["by"], row["level"], row["id"]): _marked(
            _group_cell(row, survey.programme, len(asked) < 4, words), row, whole.get(row["id"])
        )
        for row in figures
    }
    rows = [
        (_group_name(survey.run, by, level, words), *(cells[by, level, item] for item in asked))
        for by in dict.fromkeys(row["by"] for row in figures)
        for level in in_order(survey.run, by, {row["level"] for row in figures if row["by"] == by})
    ]
    heads = [Column(words("head.group")), *(Column(item_title(survey.programme, item, words), True) for item in asked)]
    notes = [words("note.groups_descriptive"), *_without_group(result, words)]
    if any(cell.mark for cell in cells.values()):
        notes.append(words("note.weak"))
    if any(row["suppressed"] for row in figures):
        notes.append(words("note.suppressed", min_n=survey.programme.min_n))
    shown = "groups" if survey.programme.satisfied else "groups_mean"
    caption = words(f"caption.{shown}")
    return table(caption, heads, rows, notes)


def _without_group(result: Assessment, words: Words) -> list[str]:
    """Return for each stratum and group how many forms belong to none."""
    forms, run = result.evidence.forms, result.survey.run
    columns = [*(["stratum"] if "stratum" in forms else []), *run.groups]
    blank = {by: int(forms.loc[forms[by] == "", "count"].sum()) for by in columns}
    return [
        words("note.without_group", n=words.count(n), group=column_title(run, by, words))
        for by, n in blank.items()
        if n
    ]


def _group_name(run: Run, by: str, level: str, words: Words) -> str:
    return words.colon(column_title(run, by, words), group_title(run, by, level, words))


def _marked(cell: Cell, row: Mapping[str, Any], whole: float | None) -> Cell:
    """Return a cell, marked where its interval lies below or above the rate of the whole."""
    low, high = row["conf_low"], row["conf_high"]
    known = not row["suppressed"] and pd.notna([low, high, whole]).all()
    mark = "weak" if known and high < whole else "strong" if known and low > whole else ""
    return Cell(str(cell), mark, cell.below)


def _group_cell(row: Mapping[str, Any], programme: Programme, roomy: bool, words: Words) -> Cell:
    if row["suppressed"]:
        return Cell(words("suppressed"))
    answered = words("figure.answered", n=words.count(row["n"]))
    if not programme.satisfied:
        return Cell(words.number(row["mean"]), below=(answered,))
    share, bounds = share_and_interval(row, words)
    if bounds == words("not_computed"):
        return Cell(share, below=(answered,))
    return Cell(share, below=(words.aside(bounds, answered),) if roomy else (bounds, answered))


def crosstab(result: Assessment, item: str, by: str, language: str) -> Exhibit:
    """Return how often each answer was given in each group, small groups suppressed."""
    words, survey = speak(language), result.survey
    forms, programme = result.evidence.forms, survey.programme
    answers = items.usable(survey.answers, forms, programme)[item]
    counts = pd.crosstab(forms[by], answers, values=forms["count"], aggfunc="sum").fillna(0)
    counts = counts.reindex(columns=programme.level_ids, fill_value=0).drop(index="", errors="ignore")
    hidden = items.suppressed(counts.sum(axis=1), programme.min_n)
    rows = [
        (group_title(survey.run, by, level, words), *_crosstab_cells(counts.loc[level], hidden[level], words))
        for level in in_order(survey.run, by, counts.index)
    ]
    heads = [Column(column_title(survey.run, by, words)), Column(words("head.n"), True)]
    heads += [Column(level_title(programme, level, words), True) for level in programme.level_ids]
    caption = words(
        "caption.crosstab", item=item_title(programme, item, words), group=column_title(survey.run, by, words)
    )
    notes = [words("note.suppressed", min_n=programme.min_n)] if hidden.any() else []
    return table(caption, heads, rows, notes)


def _crosstab_cells(counts: pd.Series, hidden: bool, words: Words) -> tuple[str, ...]:
    if hidden:
        return (words("suppressed"), *[words("not_computed")] * len(counts))
    return (words.count(n := counts.sum()), *(words.number(count / n if n else None, "share") for count in counts))
