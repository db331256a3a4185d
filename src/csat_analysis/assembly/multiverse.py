"""Would another analysis have said otherwise? The same comparison in every way that is valid for the situation."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from csat_analysis.assembly import analyses
from csat_analysis.assembly.analyses import Pair
from csat_analysis.assembly.situation import Situation, Wave
from csat_analysis.domain import scoring
from csat_analysis.statistics import differences
from csat_analysis.statistics.design import LONELY
from csat_analysis.statistics.differences import Difference

PATHS = [
    "figure", "base", "analysis", "view", "lonely", "estimate", "conf_low", "conf_high", "p_value", "verdict", "chosen",
]  # fmt: skip
BASES = ("returned", "valid", "answered")
RATE = "satisfaction_rate"


def walk_paths(figure: str, before: Wave, after: Wave, situation: Situation) -> pd.DataFrame:
    """Return a figure's change by every analysis that is valid for the situation.

    Returns
    -------
    DataFrame
        ``figure, base`` (of a rate of forms)``, analysis, view, lonely`` (how strata with one unit count)``, estimate,
        conf_low, conf_high, p_value, verdict, chosen``: the one that the report judges by comes first. Nothing where
        figures are refused or not comparable.

    Notes
    -----
    Verdicts by a single p-value, without the other tests of the report. How many agree is no evidence: the ways share
    their data.
    """
    if situation.guards(figure) or situation.why_apart(figure):
        return pd.DataFrame(columns=PATHS, dtype=object)
    rows = [_row(*way, situation) for way in _ways(figure, before, after, situation)]
    found = pd.DataFrame(rows, columns=PATHS, dtype=object)
    return found.sort_values("chosen", ascending=False, kind="stable", ignore_index=True)


def _ways(figure: str, before: Wave, after: Wave, situation: Situation) -> Iterator[tuple[Pair, dict[str, Any]]]:
    """Yield the values to compare, and how."""
    own = situation.view
    choices = _lonely(before, after)
    waves = {choice: (_with_lonely(before, choice), _with_lonely(after, choice)) for choice in choices}
    for base, pair in _bases(figure, before, after):
        if not all(pair.sizes):
            continue
        chosen = analyses.analysis_of(pair, situation, own)
        for view, lonely in itertools.product(("process", "residents"), choices):
            asked = analyses.analysis_of(pair, situation, view)
            for analysis in _valid(asked, figure):
                is_own = (analysis, view, lonely) == (chosen, own, choices[0]) and base == _own_base(figure, after)
                yield replace(pair, waves=waves[lonely]), {
                    "base": base, "analysis": analysis, "view": view, "lonely": lonely if len(choices) > 1 else None,
                    "chosen": is_own,
                }  # fmt: skip


def _valid(analysis: str, figure: str) -> tuple[str, ...]:
    """Return the analyses that are valid where one is chosen."""
    if analysis in ("tango", "paired_t"):
        return analysis, "linked"
    if analysis == "newcombe":
        return analysis, "contrast"
    rank = () if analyses.is_share(figure) else ("superiority",)
    return (
        (analysis, "contrast", *rank) if analysis == "welch" else (analysis, *(rank if analysis == "contrast" else ()))
    )


def _lonely(before: Wave, after: Wave) -> tuple[str, ...]:
    """Return how strata with one primary unit can count, the survey's own choice first; one where there are none."""
    own = after.evidence.lonely
    some = any(wave.evidence.design.lonely_strata for wave in (before, after))
    return (own, *(choice for choice in LONELY if choice != own)) if some else (own,)


def _own_base(figure: str, after: Wave) -> str | None:
    return after.survey.programme.satisfaction_rate.denominator if figure == RATE else None


def _bases(figure: str, before: Wave, after: Wave) -> Iterator[tuple[str | None, Pair]]:
    """Yield the values of a figure; of a rate of forms, over each base that is in use."""
    if figure != RATE or _own_base(figure, after) not in BASES:
        pair = analyses.pair_of(figure, before, after)
        if pair is not None:
            yield None, pair
        return
    for base in BASES:
        values = tuple(scoring.base_of(wave.evidence, base)["satisfied"].astype(float) for wave in (before, after))
        yield base, Pair(figure, (before, after), values)


def _row(pair: Pair, way: dict[str, Any], situation: Situation) -> dict[str, Any]:
    """Return what one way gives."""
    found = _found(pair, way)
    verdict = differences.verdict_of(found, better=analyses.better(pair.figure))
    parts = {name: getattr(found, name) for name in ("estimate", "conf_low", "conf_high", "p_value")}
    return {"figure": pair.figure, **way, **parts, "verdict": verdict}


def _found(pair: Pair, way: dict[str, Any]) -> Difference:
    """Return the difference by one way; of ranks, half of Cliff's delta."""
    if way["analysis"] != "superiority":
        return analyses.compare_by(way["analysis"], pair, way["view"])
    found = analyses.effect_of(pair, way["view"])
    estimate, low, high = found.delta
    return Difference(
        estimate, found.n_before, found.n_after, "superiority", low, high, found.statistic, found.df, found.p_value,
        reason=found.reason,
    )  # fmt: skip


def _with_lonely(wave: Wave, lonely: str) -> Wave:
    """Return a survey whose strata with one unit count in a way that may be another one."""
    if lonely == wave.evidence.lonely:
        return wave
    return replace(wave, judged=replace(wave.judged, evidence=replace(wave.evidence, lonely=lonely)))


def agreement(paths: pd.DataFrame) -> tuple[int, int]:
    """Return how many of the ways give the verdict of the chosen one, and of how many.

    >>> agreement(pd.DataFrame({"verdict": ["worse", "worse", "insufficient"], "chosen": [True, False, False]}))
    (2, 3)
    """
    chosen = paths.loc[paths["chosen"].astype(bool), "verdict"]
    return (int((paths["verdict"] == chosen.iloc[0]).sum()) if len(chosen) else 0), len(paths)
