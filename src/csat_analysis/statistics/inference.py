"""How sure is a number? Intervals for shares, means and counts."""

import math
from typing import NamedTuple

import numpy as np
from scipy import special

LEVEL = 0.95
Z = float(special.ndtri((1 + LEVEL) / 2))


class Estimate(NamedTuple):
    """A weighted mean with its standard error and the number of answers behind it."""

    mean: float
    se: float
    n: int
    n_effective: float  # after weights and finite population; inf in a census

    @property
    def is_census(self) -> bool:
        """Return whether everybody was asked and answered, so that there is no sampling error."""
        return math.isinf(self.n_effective)


def estimate_mean(
    values: np.ndarray, weights: np.ndarray, counts: np.ndarray, population: int | None = None
) -> Estimate:
    """Return the weighted mean of values that stand for ``counts`` answers each.

    Parameters
    ----------
    values, weights, counts
        Arrays of one length; a weight belongs to each single answer.
    population
        How many there are to ask; None: no finite-population correction.

    Notes
    -----
    Linearised standard error of a ratio of sample totals, without strata and clusters; finite-population factor
    1 - n/N. Effective n: n over the design effect of the weights (not below 1), times (N - 1)/(N - n); where all values
    are the same, the design effect is Kish's.

    References
    ----------
    Särndal, Swensson, Wretman (1992), Model Assisted Survey Sampling, 5.7. Kish (1965), Survey Sampling, 11.7.

    Examples
    --------
    >>> estimate_mean(np.array([1.0, 0.0]), np.ones(2), np.array([3, 1]))
    Estimate(mean=0.75, se=0.25, n=4, n_effective=4.0)
    """
    n, total = int(counts.sum()), float((weights * counts).sum())
    if n == 0 or total == 0:
        return Estimate(math.nan, math.nan, n, 0.0)
    mean = float((weights * counts * values).sum() / total)
    squares = float((counts * weights**2 * (values - mean) ** 2).sum())
    left_out = finite_population_factor(n, population)
    se = math.sqrt(squares * n / (n - 1) * left_out) / total if n > 1 else math.nan
    spread = total * float((counts * weights * (values - mean) ** 2).sum())
    effect = max(1.0, n * squares / spread if spread else n * float((counts * weights**2).sum()) / total**2)
    if left_out == 0:
        return Estimate(mean, 0.0, n, math.inf)
    corrected = (population - 1) / (population - n) if population and left_out < 1 else 1.0
    return Estimate(mean, se, n, n / effect * corrected)


def finite_population_factor(n: int, population: int | None) -> float:
    """Return the share that was not asked: 1 - n/N; 1 where N is unknown or smaller than n."""
    return 1 - n / population if population and n <= population else 1.0


def wilson_interval(share: float, n_effective: float) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share for an effective number of answers.

    References
    ----------
    Wilson (1927), JASA 22; with a finite population by n(N-1)/(N-n).

    Examples
    --------
    >>> [round(float(bound), 4) for bound in wilson_interval(0.9, 100)]
    [0.8256, 0.9448]
    """
    if math.isinf(n_effective):
        return share, share
    if not n_effective > 0:
        return math.nan, math.nan
    pulled = Z**2 / n_effective
    middle = (share + pulled / 2) / (1 + pulled)
    half = Z * math.sqrt(share * (1 - share) / n_effective + pulled / (4 * n_effective)) / (1 + pulled)
    return min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)


def mean_interval(estimate: Estimate) -> tuple[float, float]:
    """Return the 95 % interval of a mean by Student's t with n - 1 degrees of freedom; in a census the mean itself.

    Nothing (NaN) for one value, or where all values are the same: their spread says nothing of the error.
    """
    if estimate.is_census:
        return estimate.mean, estimate.mean
    noise = 1e-12 * max(1.0, abs(estimate.mean))  # of floating point
    if estimate.n < 2 or estimate.se <= noise:
        return math.nan, math.nan
    half = t_quantile(estimate.n - 1) * estimate.se
    return estimate.mean - half, estimate.mean + half


def t_quantile(df: float) -> float:
    """Return how many standard errors to each side make a 95 % interval.

    >>> round(t_quantile(9), 3)
    2.262
    """
    return float(special.stdtrit(df, (1 + LEVEL) / 2))


def poisson_interval(events: float, exposure: float) -> tuple[float, float]:
    """Return the exact 95 % interval of a rate of events.

    References
    ----------
    Garwood (1936), Biometrika 28.

    Examples
    --------
    >>> [round(bound, 4) for bound in poisson_interval(2, 80)]
    [0.003, 0.0903]
    """
    tail = (1 - LEVEL) / 2
    low = float(special.gammaincinv(events, tail)) if events else 0.0
    return low / exposure, float(special.gammaincinv(events + 1, 1 - tail)) / exposure
