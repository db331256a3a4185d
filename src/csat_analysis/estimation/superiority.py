"""Who tends to answer better? Two groups, or two waves, of ordered answers without points."""

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from csat_analysis.statistics.design import Design
from csat_analysis.statistics.estimates import estimate_totals
from csat_analysis.statistics.inference import t_quantile

TINY = 1e-9
NO_ANSWERS, NO_OVERLAP, SAME = "no_answers", "no_overlap", "no_variation"
FEW_UNITS, CENSUS = "too_few_units", "census"


class Superiority(NamedTuple):
    """The probability that somebody of the second group answers better than somebody of the first, ties shared.

    ``estimate`` above 0.5: the second group, or the later wave, answers better. ``delta`` (Cliff's): 2 × estimate − 1,
    from −1 to 1. ``statistic`` and ``p_value`` are of the hypothesis 0.5. ``reason``: ``no_answers`` (of one group),
    ``no_overlap`` (every answer of one is better than all of the other) and ``no_variation`` (all are the same), as no
    error can be told from these, ``too_few_units``; ``census``: everybody was asked, and there is none.
    """

    n_before: int
    n_after: int
    estimate: float = math.nan
    se: float = math.nan
    conf_low: float = math.nan
    conf_high: float = math.nan
    statistic: float = math.nan
    df: float = math.nan
    p_value: float = math.nan
    reason: str = ""

    @property
    def delta(self) -> tuple[float, float, float]:
        """Return Cliff's delta and its interval."""
        return 2 * self.estimate - 1, 2 * self.conf_low - 1, 2 * self.conf_high - 1


def superiority(levels: np.ndarray, after: np.ndarray, design: Design) -> Superiority:
    """Return how likely an answer of one group is better than one of another, of a later wave than of an earlier one.

    Parameters
    ----------
    levels
        Number of each row's level, a better one higher; only their order counts. NaN: not answered.
    after
        Of each row, whether it belongs to the second group; NaN: to neither.
    design
        Waves, or groups, drawn each by itself have strata of their own. With its population: the view on those asked;
        without (``without_population``): on the process behind their answers.

    Notes
    -----
    p = P(after > before) + P(after = before) / 2, weighted. What each answer adds (its mid-rank among those of the
    other group) goes through the design; with single answers of two samples this is Brunner and Munzel's variance. df:
    theirs (Satterthwaite's) where the groups have no stratum in common, otherwise primary units − strata − 1. Interval:
    on the scale of log p / (1 − p), so that it stays between 0 and 1.

    References
    ----------
    Brunner, Munzel (2000), Biometrical Journal 42, 17. Cliff (1993), Psychological Bulletin 114, 494. Lumley, Scott
    (2013), Biometrika 100, 831 (rank tests by design). Ryu, Agresti (2008), Statistics in Medicine 27, 1703 (interval).

    Examples
    --------
    Of 2 × 2 pairs three are better and one is a tie:

    >>> from csat_analysis.statistics.design import design_of
    >>> design = design_of(np.ones(4), strata=[0, 0, 1, 1])
    >>> found = superiority(np.array([1, 2, 2, 3]), np.array([False, False, True, True]), design)
    >>> found.estimate, found.delta[0], found.df
    (0.875, 0.75, 2.0)
    """
    values, group = np.asarray(levels, dtype=float), np.asarray(after, dtype=float)
    if not len(values) == len(group) == len(design.weights):
        raise ValueError("levels, after and design: not of one length; give one of each for every row.")
    there = ~np.isnan(values) & ~np.isnan(group)
    sides = [there & (group == 0), there & (group != 0)]
    n = int(round(design.counts[sides[0]].sum())), int(round(design.counts[sides[1]].sum()))
    if not all(n):
        return Superiority(*n, reason=NO_ANSWERS)
    weights = design.weights * design.counts
    ranks = [_mid_ranks(values, weights * side) for side in sides]
    estimate = float((weights * ranks[0])[sides[1]].sum() / weights[sides[1]].sum())
    added = np.full((len(values), 2), np.nan)
    for place, (side, better) in enumerate(zip(sides, (1 - ranks[1], ranks[0]), strict=True)):
        added[side, place] = (better[side] - estimate) / weights[side].sum()
    if not (design.left_out[design.strata[design.units[there]]] > 0).any():
        return Superiority(*n, estimate, 0.0, estimate, estimate, reason=CENSUS)
    return _superiority(estimate, *_apart(design, added, sides), n)


def _mid_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return for each value the weighted share of a group that lies below it, ties counting half."""
    known = np.where(np.isnan(values), -np.inf, values)
    found, codes = np.unique(known, return_inverse=True)
    each = np.bincount(codes.reshape(-1), weights, minlength=len(found))
    below = np.cumsum(each) - each
    return ((below + each / 2) / each.sum())[codes.reshape(-1)]


def _apart(design: Design, added: np.ndarray, sides: list[np.ndarray]) -> tuple[float, float]:
    """Return the standard error of a comparison of two groups, and its degrees of freedom."""
    first, second = (set(design.strata[design.units[side]].tolist()) for side in sides)
    if first & second:
        together = np.where(sides[0] | sides[1], np.nansum(added, axis=1), np.nan)
        _, [se], [df] = estimate_totals(design, together)
        return float(se), float(df) - 1
    _, se, df = estimate_totals(design, added)
    squares, enough = se**2, bool((df > 0).all())
    freedom = (squares**2 / np.maximum(df, 1)).sum()
    return math.sqrt(squares.sum()), float(squares.sum() ** 2 / freedom if freedom > 0 else df.sum()) * enough


def _superiority(estimate: float, se: float, df: float, n: tuple[int, int]) -> Superiority:
    """Return a comparison of two groups with interval and test, or the reason why it has none."""
    apart = min(estimate, 1 - estimate) <= TINY
    if df <= 0 or se <= TINY or apart:
        return Superiority(*n, estimate, reason=NO_OVERLAP if apart else FEW_UNITS if df <= 0 else SAME)
    half = t_quantile(df) * se / (estimate * (1 - estimate))
    low, high = (float(special.expit(special.logit(estimate) + side)) for side in (-half, half))
    statistic = (estimate - 0.5) / se
    return Superiority(*n, estimate, se, low, high, statistic, df, 2 * float(special.stdtr(df, -abs(statistic))))
