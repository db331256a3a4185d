"""By which channel did the answers come, and how satisfied are those of each? A project's share in a company's rate."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from csat_analysis.assembly.analyses import measure_of, values_of
from csat_analysis.assembly.situation import Wave, channels_of
from csat_analysis.domain.scoring import whole
from csat_analysis.statistics.design import kept, without_population
from csat_analysis.statistics.estimates import estimate_mean

RATE = "satisfaction_rate"
FIGURES = ("numerator", "denominator", "se", "df")
SIDES = ["before", "after"]
MODES = ["channels", *(f"{name}_{side}" for side in SIDES for name in FIGURES)]
NOTHING = {"numerator": 0.0, "denominator": 0.0, "se": None, "df": None}


class _Side(NamedTuple):
    """One of two surveys: of each form that is a base of the rate whether it is satisfied, and its channel."""

    wave: Wave
    values: pd.Series
    channels: pd.Series


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
    the answers, without finite population, given how many came by each channel; None where one answer did, and of
    channels that share clusters.
    """
    if not all(measure_of(RATE, wave).denominator for wave in (before, after)):
        return pd.DataFrame(columns=MODES, dtype=object)
    first, second = _side_of(before), _side_of(after)
    if first is None or second is None:
        return _table([((), _whole_rate(before), _whole_rate(after))])
    sizes = pd.concat([_sizes(first), _sizes(second)], axis=1, keys=SIDES).fillna(0.0)
    held = put_together(sizes.sort_index(), after.survey.programme.min_n)
    return _table(zip(held, _rates(first, held), _rates(second, held), strict=True))


def _side_of(wave: Wave) -> _Side | None:
    """Return the forms that are the base of a survey's rate; None where these or their channels are not known."""
    values, channels = values_of(RATE, wave), channels_of(wave)
    return None if values is None or channels is None else _Side(wave, values, channels.reindex(values.index))


def _table(rows: Iterable[tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]]) -> pd.DataFrame:
    """Return rows of channels with their figures before and after."""
    found = [
        {"channels": list(channels)}
        | {f"{key}_before": value for key, value in first.items()}
        | {f"{key}_after": value for key, value in second.items()}
        for channels, first, second in rows
    ]
    return pd.DataFrame(found, columns=MODES, dtype=object)


def _sizes(side: _Side) -> pd.Series:
    """Return how many forms of a base came by each channel."""
    return side.wave.evidence.forms["count"].reindex(side.values.index).groupby(side.channels).sum()


def put_together(sizes: pd.DataFrame, min_n: int) -> list[tuple[str, ...]]:
    """Return the channels, those with few answers in one of the surveys as one with the smallest of the others.

    >>> put_together(pd.DataFrame({"before": [3, 40, 9], "after": [0, 50, 9]}, index=["app", "paper", "web"]), 5)
    [('paper',), ('app', 'web')]
    """
    small = ((sizes > 0) & (sizes < min_n)).any(axis=1)
    for smallest in sizes.sum(axis=1)[~small].sort_values(kind="stable").index:
        left_out = sizes[small].sum()
        if small.sum() != 1 and not ((left_out > 0) & (left_out < min_n)).any():
            break
        small[smallest] = True
    alone, joined = ([str(name) for name in sizes.index[rows]] for rows in (~small, small))
    return [*((name,) for name in alone), *([tuple(joined)] if joined else [])]


def _rates(side: _Side, held: list[tuple[str, ...]]) -> list[dict[str, Any]]:
    """Return the rate of each row of channels in a survey, with its part of the denominator."""
    evidence = side.wave.evidence
    base = kept(evidence.design, evidence.rows_of(side.values))
    size, n = float((base.weights * base.counts).sum()), float(base.counts.sum())
    shared = "cluster" in evidence.forms and len(held) > 1
    return [_rate(side, side.values[side.channels.isin(names)], n / size, shared) for names in held]


def _rate(side: _Side, values: pd.Series, per_weight: float, shared: bool) -> dict[str, Any]:
    """Return the rate of some channels, whose forms are taken as so many."""
    evidence = side.wave.evidence
    design = without_population(kept(evidence.design, evidence.rows_of(values)))
    part = float((design.weights * design.counts).sum()) * per_weight
    if not part > 0:
        return dict(NOTHING)
    rate = estimate_mean(design, values.to_numpy(dtype=float))
    se = None if shared or math.isnan(rate.se) or rate.n < 2 else rate.se
    return {"numerator": whole(rate.mean * part), "denominator": whole(part), "se": se, "df": max(rate.df, 1.0)}


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
