"""Do two surveys differ, and how sure is that? Differences of shares and means, after minus before, each with its test.

Every test is the interval turned round: the p-value is the smallest error at which the interval leaves out zero.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from csat_analysis.statistics.design import Design
from csat_analysis.statistics.estimates import Estimate, contrast_means
from csat_analysis.statistics.inference import LEVEL

ONE_ANSWER, SAME, CENSUS = "one_answer", "no_variation", "census"
NO_ANSWERS, FEW_UNITS = "no_answers", "too_few_units"
EQUAL_LEVEL = 0.90  # of the interval that must lie within the margin: two one-sided tests at 5 %
POWER = 0.80
FEW = 10  # effective answers on the rarer side of a share, from which a contrast is taken for normal
UNBALANCED = 1.5  # times as many answers in one survey as in the other
FARTHEST = 60.0  # normal quantiles: nothing is more certain than that
Bounds = tuple[float, float]


class Difference(NamedTuple):
    """A change with its company: after minus before.

    ``equal_low, equal_high``: the 90 % interval that is compared with a margin of equivalence. ``df``: infinite for the
    normal distribution. ``reason``: why there is no test (``no_answers``, ``one_answer``, ``no_variation``,
    ``too_few_units``); ``census``: everybody answered both times, and the change is no estimate.
    """

    estimate: float
    n_before: int
    n_after: int
    method: str
    conf_low: float = math.nan
    conf_high: float = math.nan
    statistic: float = math.nan
    df: float = math.inf
    p_value: float = math.nan
    se: float = math.nan
    equal_low: float = math.nan
    equal_high: float = math.nan
    reason: str = ""


def quantile(level: float, df: float = math.inf) -> float:
    """Return how many standard errors to each side make an interval of a level.

    >>> round(quantile(0.95), 4), round(quantile(0.95, 9), 4)
    (1.96, 2.2622)
    """
    tail = (1 + level) / 2
    return float(special.ndtri(tail) if math.isinf(df) else special.stdtrit(df, tail))


def p_of(statistic: float, df: float = math.inf) -> float:
    """Return the two-sided p-value of a normal or Student's statistic.

    >>> round(p_of(1.47716, 380), 6)
    0.140461
    """
    beyond = -abs(statistic)
    return float(2 * (special.ndtr(beyond) if math.isinf(df) else special.stdtr(df, beyond)))


def statistic_of(p_value: float) -> float:
    """Return the normal statistic, not below 0, that has a two-sided p-value.

    >>> round(statistic_of(0.05), 4)
    1.96
    """
    return float(-special.ndtri(max(p_value, 1e-300) / 2))


def _turned(bounds: Callable[[float], Bounds], estimate: float) -> float:
    """Return the statistic whose interval just touches zero, with the sign of the estimate."""
    if estimate == 0:
        return 0.0
    side = 0 if estimate > 0 else 1
    low, high = 0.0, FARTHEST
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if bounds(middle)[side] * estimate > 0 else (low, middle)
    return math.copysign(low, estimate)


def _difference(
    estimate: float, n: tuple[int, int], method: str, bounds: Callable[[float], Bounds], df: float = math.inf,
    se: float = math.nan,
) -> Difference:  # fmt: skip
    """Return a difference from a function that gives the interval for a number of standard errors."""
    statistic = _turned(bounds, estimate)
    return Difference(
        estimate, *n, method, *bounds(quantile(LEVEL, df)), statistic, df, p_of(statistic, df), se,
        *bounds(quantile(EQUAL_LEVEL, df)),
    )  # fmt: skip


# --- waves of their own -----------------------------------------------------------------------------------------------


def compare_shares(before: Estimate, after: Estimate) -> Difference:
    """Return the difference of two shares of surveys drawn each by itself.

    Parameters
    ----------
    before, after
        Of each: the share, its effective number of answers and, where it is not plain, its degrees of freedom.

    Notes
    -----
    Newcombe's interval: the distances from the shares to the ends of their Wilson intervals, squared and added. Where
    weights or clusters make the effective number an estimate the quantile is Student's, with the fewer degrees of
    freedom. Also right where all are satisfied.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873, method 10.

    Examples
    --------
    Newcombe's first example, 48 of 80 and 56 of 70:

    >>> found = compare_shares(Estimate(0.6, 0.055, 80, 80, 79, 1, True), Estimate(0.8, 0.048, 70, 70, 69, 1, True))
    >>> [round(part, 4) for part in (found.estimate, found.conf_low, found.conf_high, found.p_value)]
    [0.2, 0.0524, 0.3339, 0.0081]
    """
    n = before.n, after.n
    estimate = after.mean - before.mean
    if not all(n):
        return Difference(math.nan, *n, "newcombe", reason=NO_ANSWERS)
    if before.is_census and after.is_census:
        return Difference(estimate, *n, "newcombe", estimate, estimate, se=0.0, reason=CENSUS)
    if min(n) < 2:
        return Difference(estimate, *n, "newcombe", reason=ONE_ANSWER)
    df = min((each.df for each in (before, after) if not each.is_plain), default=math.inf)
    if df < 1:
        return Difference(estimate, *n, "newcombe", reason=FEW_UNITS)

    def bounds(z: float) -> Bounds:
        low, high = (_wilson(each.mean, each.n_effective, z) for each in (before, after))
        down = math.hypot(after.mean - high[0], low[1] - before.mean)
        return estimate - down, estimate + math.hypot(high[1] - after.mean, before.mean - low[0])

    return _difference(estimate, n, "newcombe", bounds, df, math.hypot(before.se, after.se))


def _wilson(share: float, n: float, z: float) -> Bounds:
    """Return Wilson's interval of a share for a number of standard errors."""
    pulled = z * z / n
    middle, half = share + pulled / 2, z * math.sqrt(share * (1 - share) / n + pulled / n / 4)
    low, high = (middle - half) / (1 + pulled), (middle + half) / (1 + pulled)
    return min(max(low, 0.0), share), max(min(high, 1.0), share)


def compare_estimates(before: Estimate, after: Estimate) -> Difference:
    """Return the difference of two means of surveys drawn each by itself, by Welch's t.

    Parameters
    ----------
    before, after
        Of each: the mean, its standard error and degrees of freedom.

    Notes
    -----
    Where one survey has far more answers: see ``at_least_pooled``.

    References
    ----------
    Welch (1947), Biometrika 34, 28; Satterthwaite (1946), Biometrics Bulletin 2, 110.

    Examples
    --------
    >>> found = compare_estimates(Estimate(70, 3, 20, 20, 19, 1, True), Estimate(80, 4, 30, 30, 29, 1, True))
    >>> found.statistic, round(found.df, 1), round(found.p_value, 4)
    (2.0, 47.7, 0.0512)
    """
    n = before.n, after.n
    if not all(n):
        return Difference(math.nan, *n, "welch", reason=NO_ANSWERS)
    estimate = after.mean - before.mean
    if before.is_census and after.is_census:
        return Difference(estimate, *n, "welch", estimate, estimate, se=0.0, reason=CENSUS)
    variances = [0.0 if each.is_census else each.se**2 for each in (before, after)]
    parts = [part**2 / each.df for part, each in zip(variances, (before, after), strict=True) if part > 0 < each.df]
    reason = _why_none(estimate, math.sqrt(sum(variances)), n, sum(parts) > 0)
    if reason:
        return Difference(estimate, *n, "welch", reason=reason)
    found = _by_t(estimate, math.sqrt(sum(variances)), sum(variances) ** 2 / sum(parts), n, "welch")
    return at_least_pooled(found, before, after) if before.is_plain and after.is_plain else found


def is_unbalanced(before: Estimate, after: Estimate) -> bool:
    """Return whether one survey has so many more answers that the other's own error cannot be relied on."""
    small, large = sorted((before.n, after.n))
    return large > UNBALANCED * small


def at_least_pooled(found: Difference, before: Estimate, after: Estimate) -> Difference:
    """Return a difference of means with no smaller an error than answers of one spread in both surveys would have.

    Notes
    -----
    Points pile up at the best level. A small survey that holds few of the rare low points has a small mean error and
    a high mean together, and beside a large survey nothing makes up for it: Welch's t then errs in up to 12 % of
    samples. The larger of its error and of Student's with a pooled variance errs in 5 % at most. Only where surveys
    are unbalanced.

    Examples
    --------
    >>> small, large = Estimate(96, 1.0, 20, 20, 19, 1, True), Estimate(90, 1.0, 200, 200, 199, 1, True)
    >>> found = compare_estimates(small, large)
    >>> found.method, round(found.se, 3)
    ('pooled', 3.184)
    """
    if found.reason or not is_unbalanced(before, after) or min(before.n_effective, after.n_effective) < 2:
        return found
    sizes = np.array([before.n_effective, after.n_effective])
    spreads = np.array([before.se, after.se]) ** 2 * sizes
    se = math.sqrt((spreads @ (sizes - 1)) / (sizes.sum() - 2) * (1 / sizes).sum())
    df = float(sizes.sum() - 2) if before.is_plain and after.is_plain else found.df
    if not se * quantile(LEVEL, df) > found.se * quantile(LEVEL, found.df):
        return found
    return _by_t(found.estimate, se, df, (found.n_before, found.n_after), "pooled")


def _why_none(estimate: float, se: float, n: tuple[int, int], has_df: bool) -> str:
    """Return why a difference of means has no test; empty where it has one."""
    if min(n) < 2:
        return ONE_ANSWER
    if math.isnan(se) or (se > 0 and not has_df):
        return FEW_UNITS
    return "" if se > 1e-12 * max(1.0, abs(estimate)) else SAME


def _by_t(estimate: float, se: float, df: float, n: tuple[int, int], method: str) -> Difference:
    """Return a difference with Student's interval and test."""
    half, equal = (quantile(level, df) * se for level in (LEVEL, EQUAL_LEVEL))
    statistic = estimate / se
    return Difference(
        estimate, *n, method, estimate - half, estimate + half, statistic, df, p_of(statistic, df), se,
        estimate - equal, estimate + equal,
    )  # fmt: skip


def compare_by_design(design: Design, values: np.ndarray, is_after: np.ndarray, method: str = "contrast") -> Difference:
    """Return the difference of the means of two waves by the design of both together: a linearised contrast.

    Parameters
    ----------
    design
        Of the rows of both waves; see ``design.side_by_side`` and ``design.linked``.
    values, is_after
        One value a row (NaN: outside the group that is compared), and whether it belongs to the later wave.

    Notes
    -----
    What the waves share (people, clusters) is in the error. df: primary units − strata − 1.

    References
    ----------
    Särndal, Swensson, Wretman (1992), Model Assisted Survey Sampling, 5.6; df as R's survey package has them.
    """
    is_after = np.asarray(is_after, dtype=bool)
    there = ~np.isnan(values)
    n = int(round(design.counts[there & ~is_after].sum())), int(round(design.counts[there & is_after].sum()))
    if not all(n):
        return Difference(math.nan, *n, method, reason=NO_ANSWERS)
    found = contrast_means(design, values, is_after.astype(int))
    estimate, se, df = (float(part[0]) for part in found)
    if not (design.left_out > 0).any():
        return Difference(estimate, *n, method, estimate, estimate, se=0.0, reason=CENSUS)
    reason = _why_none(estimate, se, n, df >= 1)
    if reason:
        return Difference(estimate, *n, method, reason=reason)
    return _by_t(estimate, se, df, n, method)


def kept_safe(found: Difference, before: Estimate, after: Estimate, is_share: bool) -> Difference:
    """Return a contrast, or what is safer where surveys are unbalanced or nearly all are satisfied.

    Notes
    -----
    A linearised contrast takes its figures for normal. A share with few answers on one side, or of surveys of which one
    is far smaller, has Newcombe's interval with the effective numbers of answers instead; means have no smaller an
    error than the pooled one.
    """
    if found.reason == CENSUS:
        return found
    if not is_share:
        return at_least_pooled(found, before, after)
    rare = min(min(each.mean, 1 - each.mean) * each.n_effective for each in (before, after))
    return found if rare >= FEW and not is_unbalanced(before, after) else compare_shares(before, after)


# --- the same people twice --------------------------------------------------------------------------------------------


def compare_paired_shares(gained: float, lost: float, pairs: int) -> Difference:
    """Return the difference of two shares of the same people.

    Parameters
    ----------
    gained, lost
        Those satisfied after and not before, and those before and not after.
    pairs
        All who answered both times.

    Notes
    -----
    Tango's score interval; turned round it is McNemar's test without continuity correction.

    References
    ----------
    Tango (1998), Statistics in Medicine 17, 891. Fagerland, Lydersen, Laake (2013), BMC Med. Res. Methodology 13.

    Examples
    --------
    Of 54 fourteen gained and one was lost; the statistic is 13 ÷ √15:

    >>> found = compare_paired_shares(14, 1, 54)
    >>> [round(part, 4) for part in (found.estimate, found.conf_low, found.conf_high, found.statistic)]
    [0.2407, 0.1184, 0.3757, 3.3566]
    """
    n, estimate = (pairs, pairs), (gained - lost) / pairs if pairs else math.nan
    if pairs < 2:
        return Difference(estimate, *n, "tango", reason=ONE_ANSWER if pairs else NO_ANSWERS)

    def bounds(z: float) -> Bounds:
        return -_tango(lost, gained, pairs, z), _tango(gained, lost, pairs, z)

    se = math.sqrt(max(gained + lost - (gained - lost) ** 2 / pairs, 0.0)) / pairs
    found = _difference(estimate, n, "tango", bounds, se=se)
    if not gained + lost:
        return found._replace(statistic=0.0, p_value=1.0)
    statistic = (gained - lost) / math.sqrt(gained + lost)
    return found._replace(statistic=statistic, p_value=p_of(statistic))


def _tango(gained: float, lost: float, pairs: int, z: float) -> float:
    """Return the upper end of Tango's interval of (gained − lost) ÷ pairs for a number of standard errors."""
    low, high = (gained - lost) / pairs, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _tango_score(gained, lost, pairs, middle) < z else (low, middle)
    return low


def _tango_score(gained: float, lost: float, pairs: int, difference: float) -> float:
    """Return how many standard errors the data lie below a difference, with the likeliest shares that have it."""
    a = 2.0 * pairs
    b = -gained - lost + (2 * pairs - gained + lost) * difference
    c = -lost * difference * (1 - difference)
    rare = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = pairs * (2 * rare + difference * (1 - difference))
    apart = pairs * difference - (gained - lost)
    return apart / math.sqrt(variance) if variance > 0 else (math.inf if apart > 0 else 0.0)


def compare_paired_means(before: np.ndarray, after: np.ndarray) -> tuple[Difference, float]:
    """Return the mean change of the same people by Student's t, and the change in standard deviations of changes.

    Examples
    --------
    >>> found, standardised = compare_paired_means(np.array([60.0, 80, 60, 100]), np.array([80.0, 80, 100, 100]))
    >>> found.estimate, round(found.statistic, 4), found.df, round(standardised, 4)
    (15.0, 1.5667, 3.0, 0.7833)
    """
    change = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    n = len(change)
    if n < 2:
        found = Difference(
            float(change[0]) if n else math.nan, n, n, "paired_t", reason=ONE_ANSWER if n else NO_ANSWERS
        )
        return found, math.nan
    estimate, spread = float(change.mean()), float(change.std(ddof=1))
    if spread <= 1e-12 * max(1.0, abs(estimate)):
        return Difference(estimate, n, n, "paired_t", reason=SAME), math.nan
    return _by_t(estimate, spread / math.sqrt(n), n - 1.0, (n, n), "paired_t"), estimate / spread


# --- what could have been seen ----------------------------------------------------------------------------------------


def smallest_detectable(se: float, df: float = math.inf) -> float:
    """Return the smallest change of a mean that a comparison of this error shows with 80 % power.

    >>> round(smallest_detectable(2.0), 3)
    5.603
    """
    return (quantile(LEVEL, df) + quantile(2 * POWER - 1, df)) * se


def smallest_detectable_gain(share: float, before: float, after: float) -> float:
    """Return the smallest rise of a share that a comparison shows with 80 % power; NaN where no rise would be enough.

    Parameters
    ----------
    share
        The share before.
    before, after
        Effective numbers of answers.

    References
    ----------
    Fleiss, Levin, Paik (2003), Statistical Methods for Rates and Proportions, 4.2 (without continuity correction).

    Examples
    --------
    >>> [round(100 * smallest_detectable_gain(share, 200, 200), 1) for share in (0.80, 0.85)]
    [10.0, 8.6]
    """
    if _power_beyond(share, 1.0, before, after) < 0:
        return math.nan
    low, high = share, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if _power_beyond(share, middle, before, after) >= 0 else (middle, high)
    return high - share


def _power_beyond(share: float, later: float, before: float, after: float) -> float:
    """Return by how many standard errors the power of a rise to a later share is above 80 %."""
    pooled = (share * before + later * after) / (before + after)
    null = math.sqrt(pooled * (1 - pooled) * (1 / before + 1 / after))
    own = math.sqrt(share * (1 - share) / before + later * (1 - later) / after)
    return later - share - quantile(LEVEL) * null - quantile(2 * POWER - 1) * own


# --- verdicts ---------------------------------------------------------------------------------------------------------


def verdict_of(
    difference: Difference, margin: float | None = None, p_adjusted: float | None = None, better: int = 1
) -> str:
    """Return what a difference says: ``improved``, ``worse``, ``unchanged`` or ``insufficient``.

    Parameters
    ----------
    margin
        A change smaller than this does not matter: declared before, None where nothing is declared.
    p_adjusted
        Of the family of tests; None: that of the difference.
    better
        1 where more is better, −1 where less is.

    Notes
    -----
    ``unchanged`` is shown, by two one-sided tests: the 90 % interval lies within the margin. Where everybody answered
    both times the change itself is compared. Improved or worse comes first: a change can be certain and small.

    References
    ----------
    Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15, 657.

    >>> change = compare_shares(Estimate(0.6, 0.055, 80, 80, 79, 1, True), Estimate(0.8, 0.048, 70, 70, 69, 1, True))
    >>> verdict_of(change), verdict_of(change, p_adjusted=0.2), verdict_of(change, better=-1)
    ('improved', 'insufficient', 'worse')
    """
    gain, is_small = better * difference.estimate, False
    if difference.reason == CENSUS:
        if margin is not None and abs(gain) <= margin:
            return "unchanged"
        return "improved" if gain > 0 else "worse" if gain < 0 else "insufficient"
    p = difference.p_value if p_adjusted is None else p_adjusted
    if p <= 1 - LEVEL:
        return "improved" if gain > 0 else "worse"
    if margin is not None:
        is_small = -margin < difference.equal_low and difference.equal_high < margin
    return "unchanged" if is_small else "insufficient"
