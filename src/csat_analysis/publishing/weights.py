"""Who answered, compared with whom the survey is about, and what the shares would be with the population's mix."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Cell, Column, Exhibit, table
from csat_analysis.publishing.phrases import column_title, group_title, in_order, measure_title

COMPARED = ("population", "population_share", "answered", "answered_share", "share_difference", "answer_rate")
SEEN = 5e-5  # of a share, as it is rounded
WEIGHTED = ("as_is", "weighted", "interval", "share_difference", "n_effective")


def respondent_table(result: Assessment, language: str) -> Exhibit:
    """Return population and respondents by stratum and group; nothing where the population is not known."""
    words, run = speak(language), result.survey.run
    rows = [
        (
            words.colon(column_title(run, by, words), group_title(run, by, level, words)),
            *_compared(part.loc[level], words),
        )
        for by, part in _by_column(result.respondents)
        for level in in_order(run, by, part.index)
    ]
    heads = [Column(words("head.group")), *(Column(words(f"head.{name}"), True) for name in COMPARED)]
    notes = [words("note.respondents")]
    if result.respondents["suppressed"].any():
        notes.append(words("note.suppressed", min_n=result.survey.programme.min_n))
    return table(words("caption.respondents"), heads, rows, notes)


def _by_column(respondents: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of each column by their levels."""
    return [(str(by), part.set_index("level")) for by, part in respondents.groupby("by", sort=False)]


def _compared(row: pd.Series, words: Words) -> tuple[str, ...]:
    """Return the cells of a group."""
    population = (words.count(row["population"]), words.number(row["population_share"], "share"))
    if row["suppressed"]:
        return (*population, words("suppressed"), *[words("not_computed")] * 3)
    apart = words.difference(row["answered_share"] - row["population_share"], "share")
    shares = words.number(row["answered_share"], "share"), apart, words.number(row["answer_rate"], "share")
    return (*population, words.count(row["answered"]), *shares)


def weighted_table(result: Assessment, language: str) -> Exhibit:
    """Return each share as it is and weighted to the population; nothing where the run asks for no weighting."""
    words, programme = speak(language), result.survey.programme
    found = result.weighted.to_dict("records")
    rows = [(measure_title(programme, row["id"], words), *_weighted(row, words)) for row in found]
    heads = [Column(words("head.measure")), *(Column(words(f"head.{name}"), True) for name in WEIGHTED)]
    return table(words("caption.weighted"), heads, rows, _notes(result, words) if rows else [])


def _weighted(row: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    """Return the cells of a share."""
    value = words.number(row["value"], "share")
    if row["reason"]:
        return (
            value,
            Cell(words("not_computed"), below=(_reason(row["reason"], words),)),
            *[words("not_computed")] * 3,
        )
    interval = words.interval(row["conf_low"], row["conf_high"], "share")
    effective = words("not_computed") if math.isinf(row["n_effective"]) else words.count(round(row["n_effective"]))
    apart = words.difference(row["weighted"] - row["value"], "share")
    return (value, words.number(row["weighted"], "share"), interval, apart, effective)


def _reason(reason: str, words: Words) -> str:
    """Return why a share could not be weighted."""
    kind, _, where = reason.partition(":")
    return words(f"weighting.{kind}", level=where.replace(":", " "))


def _notes(result: Assessment, words: Words) -> list[str]:
    """Return how the weights were made, and what was cut or left out."""
    run = result.survey.run
    plan = run.design.weighting
    names = [column_title(run, "stratum" if name == run.design.stratum else name, words) for name in plan.by]  # type: ignore[union-attr]
    notes = [
        words(f"weighting.{'raked' if len(names) > 1 else 'cells'}", names=words.listing(names)),
        words("weighting.beside"),
    ]
    effective = result.weighted["n_effective"].astype(float)
    if ((effective > result.evidence.valid) & (effective < math.inf)).any():
        notes.append(words("weighting.effective"))
    trimmed, gap, left_out = (
        max((row or 0 for row in result.weighted[name]), default=0) for name in ("trimmed", "gap", "left_out")
    )
    if plan and plan.trim:
        missed = words("weighting.missed", gap=words("percentage_points", number=f"{100 * gap:.2f}"))
        missed = missed if gap >= SEEN else words("weighting.met")
        notes.append(words("weighting.trimmed", n=words.count(trimmed), limit=f"{plan.trim:g}", gap=missed))
    return [*notes, *([words("weighting.left_out", n=words.count(left_out))] if left_out else [])]
