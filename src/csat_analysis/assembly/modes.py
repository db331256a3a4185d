"""By which channel did the answers come, and how satisfied are those of each? A project's share in a company's rate."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from csat_analysis.assembly.analyses import measure_of, values_of
from csat_analysis.assembly.situation import Wave, channels_of
from csat_analysis.domain.scoring import whole
from csat_analysis.statistics.design import kept, without_population
from csat_analysis.statistics.estimates import estimate_at, estimate_means

RATE = "satisfaction_rate"
FIGURES = ("numerator", "denominator", "se", "df")
MODES = ["channels", *(f"{name}_{side}" for side in ("before", "after") for name in FIGURES)]
NOTHING = {"numerator": 0.0, "denominator": 0.0, "se": None, "df": None}


def rates_by_mode(before: Wave, after: Wave) -> pd.DataFrame:
    """Return the satisfaction rate of each channel in two surveys; the channels add up to the rates of the surveys.

    Returns
    -------
    DataFrame
        ``channels`` (those that the row holds: none where a survey does not say, or its base is the forms sent; "" for
        forms that do not; several where one would be smaller than ``min_n``), and ``numerator, denominator, se, df``
        for ``before`` and ``after``. Nothing where a survey has no such rate.

    Notes
    -----
    With weights a channel has as much of the denominator as of the weights. The errors are those of the process behind
    the answers, without finite population; None where a channel has one answer, and of channels that share clusters.
    """
    waves = (before, after)
    if any(not measure_of(RATE, wave).denominator for wave in waves):
        return pd.DataFrame(columns=MODES, dtype=object)
    values = [values_of(RATE, wave) for wave in waves]
    channels = [None if each is None else channels_of(wave) for each, wave in zip(values, waves, strict=True)]
    if any(each is None for each in channels):
        return _table([((), *(_whole_rate(wave) for wave in waves))])
    named = [channel.reindex(each.index) for channel, each in zip(channels, values, strict=True)]
    sizes = pd.concat([_sizes(wave, each) for wave, each in zip(waves, named, strict=True)], axis=1).fillna(0.0)
    held = put_together(sizes.sort_index(), after.survey.programme.min_n)
    sides = [_rates(wave, *each, held) for wave, *each in zip(waves, values, named, strict=True)]
    return _table(zip(held, *sides, strict=True))


def _table(rows: Iterable[tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]]) -> pd.DataFrame:
    """Return rows of channels with their figures before and after."""
    found = [
        {"channels": list(channels)}
        | {f"{key}_before": value for key, value in first.items()}
        | {f"{key}_after": value for key, value in second.items()}
        for channels, first, second in rows
    ]
    return pd.DataFrame(found, columns=MODES, dtype=object)


def _sizes(wave: Wave, channels: pd.Series) -> pd.Series:
    """Return how many forms of a base came by each channel."""
    return wave.evidence.forms["count"].reindex(channels.index).groupby(channels).sum()


def put_together(sizes: pd.DataFrame, min_n: int) -> list[tuple[str, ...]]:
    """Return the channels, those with few answers in one of the surveys as one with the smallest of the others.

    >>> put_together(pd.DataFrame({"before": [3, 40, 9], "after": [2, 50, 0]}, index=["app", "paper", "web"]), 5)
    [('paper',), ('app', 'web')]
    """
    small = ((sizes > 0) & (sizes < min_n)).any(axis=1)
    for smallest in sizes.sum(axis=1)[~small].sort_values(kind="stable").index:
        left_out = sizes[small].sum()
        if small.sum() != 1 and not ((left_out > 0) & (left_out < min_n)).any():
            break
        small[smallest] = True
    return [(str(name),) for name in sizes.index[~small]] + (
        [tuple(map(str, sizes.index[small]))] if small.any() else []
    )


def _rates(
    wave: Wave, values: pd.Series, channels: pd.Series, held: list[tuple[str, ...]]
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the rate of each row of channels in a survey, with its part of the denominator."""
    place = {channel: n for n, names in enumerate(held) for channel in names}
    places = channels.map(place).to_numpy(dtype=np.intp)
    evidence = wave.evidence
    design = without_population(kept(evidence.design, evidence.forms.index.isin(values.index)))
    found = estimate_means(design, values.to_numpy(dtype=float), places, len(held), evidence.effect)
    sizes = np.bincount(places, design.weights * design.counts, len(held))
    parts = sizes / sizes.sum() * float(design.counts.sum())
    shared = "cluster" in evidence.forms and len(held) > 1
    rates = [estimate_at(found, n, 0, design.is_plain) for n in range(len(held))]
    return [
        {"numerator": whole(rate.mean * part), "denominator": whole(float(part)),
         "se": None if shared or math.isnan(rate.se) or rate.n < 2 else rate.se, "df": max(rate.df, 1.0)}
        if part else dict(NOTHING)
        for rate, part in zip(rates, parts, strict=True)
    ]  # fmt: skip


def _whole_rate(wave: Wave) -> dict[str, Any]:
    """Return the rate of a survey whose channels are not told apart."""
    rate = measure_of(RATE, wave)
    known = {"numerator": float(rate.numerator or 0.0), "denominator": float(rate.denominator or 0.0)}
    se = None if rate.se is None else error_of_process(**known, effect=rate.design_effect)
    return {**known, "se": se, "df": None if rate.df is None else max(float(rate.df), 1.0)}


def error_of_process(numerator: float, denominator: float, effect: float | None) -> float | None:
    """Return the standard error of a rate without finite population, from its design effect; None for one answer.

    Without a design effect all answers are the same, and there is no error to be seen.

    >>> round(error_of_process(30, 50, 1.0), 6)
    0.069985
    """
    if denominator < 2:
        return None
    rate = numerator / denominator
    return math.sqrt(max((effect or 0.0) * rate * (1 - rate), 0.0) / (denominator - 1))
