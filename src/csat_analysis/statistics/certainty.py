"""How certain is a verdict? Exact bounds of a share, the probability that a rule is met, and who did not answer."""

import math
from bisect import bisect_left
from collections.abc import Callable

import numpy as np
from scipy import special

from csat_analysis.ground.programmes import meets

TAIL = 0.025  # of probability, on either side of an interval
UPWARD = {"at_least": True, "more_than": True, "at_most": False, "less_than": False}  # met by what is high


def last_below(comparison: str, threshold: float, n: int) -> int:
    """Return the largest count of n on the low side of a threshold; one more is on its high side.

    Notes
    -----
    The threshold itself is on the high side for ``at_least`` and ``less_than``, on the low side for ``more_than`` and
    ``at_most``. The count lies outside 0 … n where the threshold does.

    Examples
    --------
    408 of 480 are 85 %:

    >>> last_below("at_least", 0.85, 480), last_below("more_than", 0.85, 480)
    (407, 408)
    """
    nearest = round(threshold * n)
    opposite = {"less_than": "at_least", "at_most": "more_than"}
    return nearest - meets(nearest / n, opposite.get(comparison, comparison), threshold)


# --- bounds -----------------------------------------------------------------------------------------------------------


def exact_interval(successes: int, n: int, population: int | None = None) -> tuple[float, float]:
    """Return the exact 95 % interval of the share in a population of which n were asked at random.

    Notes
    -----
    The counts K of the population under which neither so many nor so few successes have a probability of 2.5 % or less.
    Covers the share in at least 95 % of all samples, whatever it is; on average more. The share of those asked is
    always within: 1 of 79 is no share that 80 can have, and 1 of 80 the only one left. Without a population, or with
    one smaller than n: Clopper and Pearson's. All asked: the share itself. Nobody asked: nothing (NaN).

    References
    ----------
    Konijn (1973), Statistical Theory of Sample Survey Design and Analysis. Clopper, Pearson (1934), Biometrika 26.

    Examples
    --------
    All 3 asked of 4 are satisfied: the fourth is or is not.

    >>> exact_interval(3, 3, 4)
    (0.75, 1.0)
    >>> [round(bound, 4) for bound in exact_interval(344, 401, 480)]
    [0.8417, 0.8708]
    """
    if not n > 0:
        return math.nan, math.nan
    if not population or n > population:
        return _clopper_pearson(successes, n), 1 - _clopper_pearson(n - successes, n)
    low, high = least_count(successes, n, population), population - least_count(n - successes, n, population)
    share = successes / n
    return min(low / population, share), max(high / population, share)


def _clopper_pearson(successes: int, n: int) -> float:
    """Return the lower bound of the share in a population without end."""
    return float(special.betaincinv(successes, n - successes + 1, TAIL)) if successes else 0.0


def least_count(successes: int, n: int, population: int) -> int:
    """Return the least count K in the population that gives so many successes with a probability above 2.5 %.

    Notes
    -----
    The search starts at Clopper and Pearson's bound, drawn to the share by the finite-population factor: measured, it
    is less than 1 off from N = 100 to 1,000,000, so that few probabilities are computed.
    """
    bound = _clopper_pearson(successes, n)
    share, left = successes / n, (population - n) / max(population - 1, 1)
    return first_where(
        lambda count: meets(draw_probability(successes, n, population, count, n), "more_than", TAIL),
        range(successes, population - n + successes + 1),
        round(population * (share - (share - bound) * math.sqrt(left))),
    )


def first_where(holds: Callable[[int], bool], span: range, guess: int) -> int:
    """Return the first number of a span from which on something holds: by halving, close to a guess where it is there.

    Examples
    --------
    >>> first_where(lambda x: x * x > 50, range(1000), 9), first_where(lambda x: x * x > 50, range(1000), 500)
    (8, 8)
    """
    near = range(max(span.start, guess - 3), min(span.stop, guess + 4))
    found = bisect_left(near, True, key=holds)
    if (found or near.start == span.start) and found < len(near):  # tried from both sides
        return near[found]
    return span[bisect_left(span, True, key=holds)]


# --- the probability that a rule is met -------------------------------------------------------------------------------


def share_certainty(share: float, n: float, comparison: str, threshold: float, population: int | None = None) -> float:
    """Return the probability that the whole population's share meets a threshold, given the share of those asked.

    Parameters
    ----------
    n
        How many were asked; or the effective number, n / design effect, where answers are weighted or clustered (in a
        census: inf).
    population
        How many there are to ask; None where unknown, and with an effective number, which has it inside.

    Notes
    -----
    A posterior probability: before, every share alike; and those who did not answer feel like those who did. Of a
    known population by ``count_certainty``; otherwise, and where n or its successes are no whole numbers or n is more
    than there are, by Beta(k + 1, n - k + 1). All asked: 1 or 0. Nobody asked: nothing (NaN).

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 2.1.

    Examples
    --------
    344 of 401 are satisfied, of 480 in all; of the other 79, 64 or more have to be:

    >>> round(share_certainty(344 / 401, 401, "at_least", 0.85, 480), 4)
    0.8839
    """
    if not n > 0 or math.isnan(share):
        return math.nan
    if n == population or math.isinf(n):
        return float(meets(share, comparison, threshold))
    successes = share * n
    if population and n < population and is_whole(n) and is_whole(successes):
        return count_certainty(round(successes), round(n), comparison, threshold, population)
    tail = special.betaincc if UPWARD[comparison] else special.betainc
    return float(tail(successes + 1, n - successes + 1, min(max(threshold, 0.0), 1.0)))


def count_certainty(successes: int, n: int, comparison: str, threshold: float, population: int) -> float:
    """Return the probability that the share in a population meets a threshold, given the successes among n of them.

    Notes
    -----
    Every count K = 0 … N alike before; then K - k, of the N - n who were not asked, is beta-binomial (N - n, k + 1,
    n - k + 1). Its tail in closed form: K has the weight C(K, k) C(N - K, n - k), which counts the ways to draw n + 1
    places out of N + 1 such that the (k + 1)th of them in order is place K + 1. That place is beyond c + 1 where at
    most k of the first c + 1 are drawn: P(K > c) = P(X <= k), X hypergeometric, n + 1 drawn of N + 1 with c + 1 marked.

    References
    ----------
    Pearson (1928), Biometrika 20A (the actual number of marked members in a population of given size).

    Examples
    --------
    One of two is satisfied, of four in all; K = 1, 2, 3 have the weights 1·3, 2·2, 3·1:

    >>> round(count_certainty(1, 2, "at_least", 0.75, 4), 4)
    0.3
    """
    marked = min(max(last_below(comparison, threshold, population) + 1, 0), population + 1)
    drawn = (0, successes) if UPWARD[comparison] else (successes + 1, n + 1)
    return draw_probability(*drawn, population + 1, marked, n + 1)


def draw_probability(least: int, most: int, population: int, marked: int, n: int) -> float:
    """Return the probability of so many marked ones, from least to most, among n drawn from a population.

    The hypergeometric distribution. scipy.stats has it, and takes half a second to import in every process.

    >>> round(draw_probability(0, 1, population=10, marked=4, n=3), 4)
    0.6667
    """
    first, last = max(n + marked - population, 0), min(n, marked)  # there are no fewer, and no more
    if least <= first and most >= last:
        return 1.0
    x = np.arange(max(least, first), min(most, last) + 1, dtype=float)
    rest = population - marked
    ways = _log_choose(marked, x) + _log_choose(rest, n - x) - _log_choose(population, float(n))
    return min(float(np.exp(ways).sum()), 1.0)


def _log_choose(n: float, k: np.ndarray | float) -> np.ndarray:
    """Return the logarithm of the number of ways to choose k out of n."""
    return -np.log1p(n) - special.betaln(n - k + 1, k + 1)


def is_whole(number: float) -> bool:
    """Return whether a number is whole but for the noise of floating point."""
    return math.isclose(number, round(number), rel_tol=1e-9, abs_tol=1e-9)


def mean_certainty(estimate: float, se: float, df: float, comparison: str, threshold: float) -> float:
    """Return the probability that a mean, score or index of the whole population meets a threshold.

    Notes
    -----
    The posterior under a flat prior: Student's t with ``df``, around the estimate, ``se`` wide. No standard error, as
    in a census: 1 or 0. A sample whose values are all the same has none to give; there ``se`` is to be NaN, and so is
    the answer.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3.2.

    Examples
    --------
    One standard error above the threshold, by the normal distribution:

    >>> round(mean_certainty(86.0, 1.0, math.inf, "at_least", 85.0), 4)
    0.8413
    """
    if math.isnan(estimate) or math.isnan(se):
        return math.nan
    if se <= 1e-12 * max(1.0, abs(estimate)):  # noise of floating point
        return float(meets(estimate, comparison, threshold))
    distance = (estimate - threshold) / se
    distance = distance if UPWARD[comparison] else -distance
    return float(special.ndtr(distance) if math.isinf(df) else special.stdtr(df, distance))


# --- those who did not answer -----------------------------------------------------------------------------------------


def tipping_point(share: float, returned: float, threshold: float) -> float | None:
    """Return the share among those who did not return a form at which the verdict on all turns; None if all did.

    Notes
    -----
    (threshold - r p) / (1 - r), with r = returned / distributed. Below 0 or above 1 nothing they could have said would
    turn it.

    References
    ----------
    Yan, Lee, Li (2009), Journal of Biopharmaceutical Statistics 19 (tipping points of missing answers).

    Examples
    --------
    92 % of the 70 % who returned a form:

    >>> round(tipping_point(0.92, 0.70, 0.85), 4)
    0.6867
    """
    return (threshold - returned * share) / (1 - returned) if returned < 1 else None


def nonresponse_bounds(share: float, returned: float) -> tuple[float, float]:
    """Return the share among all if nobody of those who did not return a form is satisfied, and if all of them are.

    References
    ----------
    Manski (1989), Journal of Human Resources 24.

    Examples
    --------
    >>> [round(bound, 4) for bound in nonresponse_bounds(0.92, 0.70)]
    [0.644, 0.944]
    """
    returned = min(returned, 1.0)
    return returned * share, returned * share + 1 - returned
