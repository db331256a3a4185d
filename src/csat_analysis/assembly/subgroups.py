"""Where did it change? The primary figures by group: exploration, never a verdict."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from csat_analysis.assembly import analyses
from csat_analysis.assembly.analyses import Pair
from csat_analysis.assembly.situation import Situation, Wave
from csat_analysis.domain.items import suppressed
from csat_analysis.statistics import differences
from csat_analysis.statistics.differences import Difference
from csat_analysis.statistics.inference import benjamini_hochberg

GROUPS = [
    "by", "level", "id", "before", "after", "estimate", "conf_low", "conf_high", "p_value", "p_adjusted", "n_before",
    "n_after", "reason", "suppressed",
]  # fmt: skip
FIGURES = GROUPS[3:12]


def change_by_group(figures: list[str], before: Wave, after: Wave, situation: Situation) -> pd.DataFrame:
    """Return how some figures changed in each group; p-values are adjusted over all of them together.

    Notes
    -----
    A group is a domain and never shrinks the design. Where the project was chosen by its figures there is no test, as
    a group of a project that was chosen is chosen with it. Small groups are suppressed, in both surveys alike.
    """
    run = after.survey.run
    columns = [by for by in run.groups if all(by in wave.evidence.forms for wave in (before, after))]
    rows = [row for name in figures for by in columns for row in _of_column(name, by, before, after, situation)]
    found = pd.DataFrame(rows, columns=GROUPS, dtype=object)
    if not len(found):
        return found
    for _, table in found.groupby(["by", "id"], sort=False):
        least = table[["n_before", "n_after"]].min(axis="columns")
        found.loc[table.index, "suppressed"] = suppressed(least, after.survey.programme.min_n)
    hidden = found["suppressed"].astype(bool)
    tested = found["p_value"].where(~hidden).astype(float)
    found["p_adjusted"] = benjamini_hochberg(tested.to_numpy())
    found.loc[hidden, FIGURES] = None
    return found.where(found.notna(), None)


def _of_column(figure: str, by: str, before: Wave, after: Wave, situation: Situation) -> Iterator[dict[str, Any]]:
    """Yield the change of a figure in each group of one column."""
    pair = analyses.pair_of(figure, before, after)
    if pair is None or not all(pair.sizes) or situation.why_apart(figure):
        return
    for level in sorted({*_groups(pair, by)[0], *_groups(pair, by)[1]} - {""}):
        own, found = _of_levels(pair, by, (level,), situation)
        told = situation.guards(figure)
        yield {
            "by": by, "level": level, "id": figure, "suppressed": False,
            "n_before": own.sizes[0], "n_after": own.sizes[1],
            "reason": "selected" if told else found.reason, **_shown(own, found, situation.view, told),
        }  # fmt: skip


def change_in_units(
    figure: str, by: str, levels: tuple[str, ...], before: Wave, after: Wave, situation: Situation
) -> dict[str, Any]:
    """Return how a figure changed in some groups together, and the difference to test.

    Returns
    -------
    dict
        The columns of ``GROUPS`` but for ``by, level, suppressed`` and the adjusted p-value; ``difference`` where there
        is one. ``reason``: ``suppressed`` where either survey has too few answers to be shown, ``of_the_whole`` where
        a figure has no parts.
    """
    pair = analyses.pair_of(figure, before, after)
    if pair is None or not all(by in wave.evidence.forms for wave in (before, after)):
        return {"id": figure, "reason": "of_the_whole"}
    if reason := situation.why_apart(figure):
        return {"id": figure, "reason": reason, "verdict": "not_comparable"}
    own, found = _of_levels(pair, by, levels, situation)
    if min(own.sizes) < after.survey.programme.min_n:
        return {"id": figure, "reason": "suppressed"}
    told = situation.guards(figure)
    row = {"id": figure, "reason": "selected" if told else found.reason} | _shown(own, found, situation.view, told)
    return row | {"n_before": own.sizes[0], "n_after": own.sizes[1]} | ({} if told else {"difference": found})


def _groups(pair: Pair, by: str) -> tuple[pd.Series, pd.Series]:
    """Return the group of each answer of both surveys."""
    first, second = (
        wave.evidence.forms[by].reindex(each.index) for wave, each in zip(pair.waves, pair.values, strict=True)
    )
    return first, second


def _of_levels(pair: Pair, by: str, levels: tuple[str, ...], situation: Situation) -> tuple[Pair, Difference]:
    """Return the answers of some groups together, and their difference."""
    there = [each.isin(levels) for each in _groups(pair, by)]
    own = Pair(pair.figure, pair.waves, (pair.values[0][there[0]], pair.values[1][there[1]]))
    return own, _compared(pair, own, np.concatenate([each.to_numpy() for each in there]), situation)


def _compared(pair: Pair, own: Pair, there: np.ndarray, situation: Situation) -> Difference:
    """Return the difference within a group."""
    if not all(own.sizes):
        return Difference(math.nan, *own.sizes, "none", reason=differences.NO_ANSWERS)
    analysis = analyses.analysis_of(own, situation, situation.view)
    if analysis in ("contrast", "linked", "same_clusters", "randomization"):
        return analyses.compare_by(analysis, pair, situation.view, there)
    return analyses.compare_by(analysis, own, situation.view)


def _shown(own: Pair, found: Difference, view: str, refused: bool) -> dict[str, Any]:
    """Return the numbers of a group."""
    if not all(own.sizes):
        return {}
    before, after = (estimate.mean for estimate in own.estimates(view))
    tested = {} if refused else {name: getattr(found, name) for name in ("conf_low", "conf_high", "p_value")}
    return {"before": before, "after": after, "estimate": after - before, **tested}
