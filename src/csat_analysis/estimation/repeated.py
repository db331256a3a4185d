"""Which of several looks show a change? New waves against one baseline, and looks at one survey while it runs."""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from scipy import special

from csat_analysis.statistics.inference import LEVEL

NO_ANSWERS, NO_VARIATION = "no_answers", "no_variation"
NEARLY = 1e-9  # as good as the same, of correlations
REACH, STEP = 8.0, 0.4  # of normal variables that are integrated over, in standard deviations
LEAST_OWN = 1e-4  # part of a variance that a wave has by itself
POINTS = 4093  # of the lattice where waves share more than the baseline; a prime
STEPS = 40  # of a bisection
MANY_DF = 1e5  # as good as the normal distribution
KINDS = ("obrien_fleming", "pocock")
ALPHAS = np.geomspace(1e-8, 0.999, 33)  # at which boundaries are sought
NODES = 200  # of the paths between two looks
NEVER = 40.0  # a boundary that nothing crosses


# --- several waves, one baseline --------------------------------------------------------------------------------------


class Family(NamedTuple):
    """Changes of several waves against one baseline, in the order given.

    ``p_adjusted`` and the intervals hold for all waves together; ``p_value`` for one by itself. ``quantile``: how many
    standard errors make the intervals. ``reason``: ``no_answers`` (no estimate), ``no_variation`` (no error).
    """

    estimate: np.ndarray
    se: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray
    statistic: np.ndarray
    df: np.ndarray
    p_value: np.ndarray
    p_adjusted: np.ndarray
    reason: np.ndarray
    quantile: float


def baseline_covariance(variance: float, variances: np.ndarray) -> np.ndarray:
    """Return the covariance matrix of the differences of independent waves from one baseline.

    Parameters
    ----------
    variance, variances
        Of the estimate of the baseline, and of that of each wave.

    Examples
    --------
    >>> baseline_covariance(1.0, np.array([1.0, 3.0])).tolist()
    [[2.0, 1.0], [1.0, 4.0]]
    """
    return np.diag(np.asarray(variances, dtype=float)) + variance


def null_covariance(satisfied: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return the covariance matrix of the differences of shares from the first one, if each were the same as it.

    Parameters
    ----------
    satisfied, n
        Of the baseline and of each wave: how many are satisfied, and how many answered, one by one and not weighted.

    Notes
    -----
    Variance of a difference: p (1 − p) (1 ÷ n_before + 1 ÷ n_after), p the rate of both together: that of the score
    test. Correlations are those of the numbers of answers.

    Examples
    --------
    30 of 40 against 15 of 20 and 14 of 20:

    >>> null_covariance(np.array([30, 15, 14]), np.array([40, 20, 20])).round(5).tolist()
    [[0.01406, 0.00479], [0.00479, 0.01467]]
    """
    satisfied, n = np.asarray(satisfied, dtype=float), np.asarray(n, dtype=float)
    if satisfied.shape != n.shape or len(n) < 2 or not ((satisfied >= 0) & (satisfied <= n) & (n > 0)).all():
        raise ValueError("waves: give satisfied among n for the baseline and each wave, n above 0.")
    rates = (satisfied[0] + satisfied[1:]) / (n[0] + n[1:])
    covariance = baseline_covariance(1 / n[0], 1 / n[1:])
    return covariance * np.sqrt(np.outer(rates * (1 - rates), rates * (1 - rates)))


def compare_waves(estimates: np.ndarray, covariance: np.ndarray, df: np.ndarray | float = math.inf) -> Family:
    """Return the changes of several waves against one baseline, with tests and intervals that hold for all together.

    Parameters
    ----------
    estimates
        Each wave minus the baseline; NaN: none, the wave is then no part of the family.
    covariance
        Of the differences: for shares of plain samples ``null_covariance``, otherwise ``baseline_covariance``, or that
        of the design where waves have clusters in common.
    df
        Degrees of freedom, one or one for each wave: the adjustment uses the least.

    Notes
    -----
    p_adjusted = P(max |T| ≥ |t|) and the intervals have the 95 % quantile of max |T|, T multivariate normal (or t) with
    the correlation of the differences: Dunnett's test, for any correlation. Waves that share one baseline and nothing
    else have cov = var(baseline), so that T is a common part and a part of its own, and the probability is an integral
    over the common part, by the trapezoidal rule. Otherwise by a lattice of 4,093 points (errors below .001).

    Shares with variances of their own (``baseline_covariance``): where waves are much smaller than the baseline, one
    that is near 100 % by chance looks surer than it is, and 7 to 8 % of families of four (400 and 100 answers, rates
    .80 and .90) are called changed; with ``null_covariance`` 5 %. Its intervals are those of no change: where there is
    one, those with variances of their own cover better (notebooks/validation/changes_in_time).

    Waves that were added to a family change its adjusted values: fix how many there are to be, or treat each as the
    family grows and say so.

    References
    ----------
    Dunnett (1955), JASA 50, 1096. Genz, Bretz (2009), Computation of Multivariate Normal and t Probabilities, 2.2, 4.2.

    Examples
    --------
    Three quarters against last year, all equally large: t 2.4 is p .016 by itself, and .044 as the best of three.

    >>> found = compare_waves(np.array([2.4, 1.0, 0.3]), baseline_covariance(0.5, np.full(3, 0.5)))
    >>> found.p_value.round(3).tolist(), found.p_adjusted.round(3).tolist(), round(found.quantile, 3)
    ([0.016, 0.317, 0.764], [0.044, 0.624, 0.982], 2.349)
    """
    estimates, covariance = np.asarray(estimates, dtype=float), np.asarray(covariance, dtype=float)
    known = ~np.isnan(estimates)
    _check(estimates, covariance, known)
    freedom = np.broadcast_to(np.asarray(df, dtype=float), estimates.shape)
    if not (freedom[known] > 0).all():
        raise ValueError("waves: degrees of freedom must be above 0; leave waves out that have none.")
    se = np.where(known, np.sqrt(np.where(known, np.diag(covariance), 0.0)), np.nan)
    told = known & (se > 1e-12 * np.maximum(1.0, abs(np.where(known, estimates, 0.0))))
    statistic = np.divide(estimates, se, out=np.full_like(se, np.nan), where=told)
    p_adjusted, quantile = np.full_like(se, np.nan), math.nan
    if told.any():
        largest = _Largest(covariance[np.ix_(told, told)], float(freedom[told].min()))
        p_adjusted[told] = [1 - largest.below(abs(each)) for each in statistic[told]]
        quantile = largest.quantile(LEVEL)
    half = np.where(told, quantile * se, np.nan)
    p_value = 2 * special.stdtr(freedom, -abs(statistic))
    reason = np.where(told, "", np.where(known, NO_VARIATION, NO_ANSWERS))
    parts = (estimates, se, estimates - half, estimates + half, statistic, freedom, p_value)
    return Family(*parts, np.fmax(p_adjusted, p_value), reason, quantile)


def _check(estimates: np.ndarray, covariance: np.ndarray, known: np.ndarray) -> None:
    """Raise a sentence where a matrix is no covariance of so many differences."""
    if estimates.ndim != 1 or covariance.shape != (len(estimates), len(estimates)):
        raise ValueError("waves: the covariance needs one row and one column for each estimate.")
    inside = covariance[np.ix_(known, known)]
    size = abs(inside).max(initial=0.0)
    if not np.isfinite(inside).all() or abs(inside - inside.T).max(initial=0.0) > NEARLY * size:
        raise ValueError("waves: the covariance is not symmetric or has gaps; give that of the differences.")
    if len(inside) and np.linalg.eigvalsh(inside).min() < -NEARLY * size:
        raise ValueError("waves: these differences cannot have this covariance; it has a negative variance.")


class _Largest:
    """The largest of several |T|: how likely it is to stay below a bound, and the bound of a probability."""

    def __init__(self, covariance: np.ndarray, df: float):
        self.sizes, self.df = np.sqrt(np.diag(covariance)), df
        self.correlation = covariance / np.outer(self.sizes, self.sizes)
        self.loadings = _loadings(self.correlation)

    def below(self, bound: float) -> float:
        """Return P(max |T| < bound)."""
        if len(self.sizes) == 1:
            return float(1 - 2 * special.stdtr(self.df, -bound))
        if self.loadings is None:
            return _by_lattice(bound, self.correlation, self.df)
        return _by_common_part(bound, self.loadings, self.df)

    def quantile(self, level: float) -> float:
        """Return the bound that max |T| stays below with a probability."""
        tail, waves = (1 - level) / 2, len(self.sizes)
        low, high = (float(-special.stdtrit(self.df, part)) for part in (tail, tail / waves))
        return _bisected(lambda bound: self.below(bound) - level, low, high + 1e-9)


def _bisected(rising: Callable[[float], float], low: float, high: float) -> float:
    """Return where a rising function is 0 between two bounds."""
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def _loadings(correlation: np.ndarray) -> np.ndarray | None:
    """Return the part that each wave has in common with the others (a correlation); None where no such part exists."""
    waves, shared = len(correlation), correlation[~np.eye(len(correlation), dtype=bool)]
    if (abs(shared) < NEARLY).all():
        return np.zeros(waves)
    if (shared < NEARLY).any():
        return None
    each = np.arange(waves)
    second, third = (each + 1) % waves, (each + 2) % waves
    found = correlation[each, second] * correlation[each, third] / correlation[second, third]
    loadings = np.sqrt(found if waves > 2 else shared)
    fits = abs(np.outer(loadings, loadings)[~np.eye(waves, dtype=bool)] - shared).max() < 10 * NEARLY
    return np.minimum(loadings, math.sqrt(1 - LEAST_OWN)) if fits and loadings.max() < 1 + NEARLY else None


def _normal_nodes(step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return evenly spaced values of a normal variable and their weights, which add up to 1."""
    values = np.arange(-REACH, REACH + step / 2, step)
    weights = np.exp(-(values**2) / 2)
    return values, weights / weights.sum()


def _scales(df: float) -> tuple[np.ndarray, np.ndarray]:
    """Return values of an estimated standard error, as a share of the true one, and their weights."""
    if df >= MANY_DF:
        return np.ones(1), np.ones(1)
    values, weights = _normal_nodes(STEP)
    return _scale_at(values, df), weights


def _scale_at(values: np.ndarray, df: float) -> np.ndarray:
    """Return the estimated standard error, as a share of the true one, at the same probability as normal values."""
    tail = special.ndtr(-abs(values))
    half = np.where(values < 0, special.gammaincinv(df / 2, tail), special.gammainccinv(df / 2, tail))
    return np.sqrt(2 * half / df)


def _by_common_part(bound: float, loadings: np.ndarray, df: float) -> float:
    """Return P(max |T| < bound) where T is a common part and parts of their own."""
    own = np.sqrt(1 - loadings**2)
    values, weights = _normal_nodes(min(STEP, float(own.min())))
    scales, scale_weights = _scales(df)
    middle, reach = values[:, None] * loadings / own, bound * scales[:, None, None] / own
    inside = np.prod(special.ndtr(reach - middle) - special.ndtr(-reach - middle), axis=-1)
    return float(scale_weights @ inside @ weights)


def _by_lattice(bound: float, correlation: np.ndarray, df: float) -> float:
    """Return P(max |T| < bound) for any correlation: wave after wave, given those before."""
    waves = len(correlation)
    root = np.linalg.cholesky(correlation + NEARLY * np.eye(waves))
    spread = abs(2 * ((np.arange(1, POINTS + 1)[:, None] * np.sqrt(_primes(waves))) % 1) - 1)
    reach, drawn = np.full(POINTS, bound), np.zeros((POINTS, waves))
    if df < MANY_DF:
        reach = bound * _scale_at(special.ndtri(np.clip(spread[:, -1], 1e-12, 1 - 1e-12)), df)
    inside = np.ones(POINTS)
    for wave in range(waves):
        before = drawn[:, :wave] @ root[wave, :wave]
        low, high = (special.ndtr((side * reach - before) / root[wave, wave]) for side in (-1, 1))
        inside = inside * (high - low)
        drawn[:, wave] = special.ndtri(np.clip(low + spread[:, wave] * (high - low), 1e-15, 1 - 1e-15))
    return float(inside.mean())


def _primes(many: int) -> np.ndarray:
    """Return the first prime numbers.

    >>> _primes(4).tolist()
    [2, 3, 5, 7]
    """
    numbers = np.arange(2, 20 + many * many)
    return numbers[[all(number % other for other in range(2, int(number**0.5) + 1)) for number in numbers]][:many]


# --- looks at one survey while it runs --------------------------------------------------------------------------------


class Looks(NamedTuple):
    """What each look at a running survey has to show: |z| ≥ ``boundary``, that is p ≤ ``p_nominal``.

    ``spent``: the share of all surveys without a change that are called changed by this look or an earlier one.
    """

    information: np.ndarray
    spent: np.ndarray
    boundary: np.ndarray
    p_nominal: np.ndarray


def information_fractions(variances: np.ndarray) -> np.ndarray:
    """Return how much of the information each look at a change has.

    Parameters
    ----------
    variances
        Of the change at each look, the last one as planned.

    Notes
    -----
    The variance of the last look ÷ that of this one. Against a baseline this is no share of the forms: with as many
    forms in the baseline as planned now, a quarter of the forms has .4 of the information.

    Examples
    --------
    >>> information_fractions(1 / 400 + 1 / np.array([100, 200, 300, 400])).round(3).tolist()
    [0.4, 0.667, 0.857, 1.0]
    """
    variances = np.asarray(variances, dtype=float)
    if not (len(variances) and (variances > 0).all()):
        raise ValueError("looks: variances must be above 0; look when there are answers that differ.")
    return variances[-1] / variances


def alpha_spending(information: np.ndarray, kind: str = "obrien_fleming", alpha: float = 0.05) -> Looks:
    """Return the boundaries of several looks at one survey while it runs.

    Parameters
    ----------
    information
        Of each look, the share of the information that the last planned one will have (``information_fractions``):
        rising, above 0, up to 1. Only looks up to now are needed: later ones do not change their boundaries.
    kind
        ``obrien_fleming`` (hardly anything early, nearly all at the last look) or ``pocock`` (about the same at each).

    Notes
    -----
    Two-sided with alpha ÷ 2 for each side (Lan and DeMets). Spent by t of the information, each side:
    O'Brien-Fleming 2 − 2 Φ(z ÷ √t), z the normal quantile of 1 − alpha ÷ 4; Pocock alpha ÷ 2 · ln(1 + (e − 1) t). The
    boundary of a look is where that much more is spent, by integrating over all paths that crossed none before.

    For looks at one survey only: the next survey is a new sample (``compare_waves``).

    References
    ----------
    Lan, DeMets (1983), Biometrika 70, 659. Armitage, McPherson, Rowe (1969), JRSS A 132, 235 (integration).

    Examples
    --------
    >>> found = alpha_spending(np.array([0.25, 0.5, 0.75, 1.0]))
    >>> found.boundary.round(3).tolist(), round(float(found.p_nominal[-1]), 4)
    ([4.333, 2.963, 2.359, 2.014], 0.044)
    """
    shares = _rising(information)
    if kind not in KINDS or not 0 < alpha < 1:
        raise ValueError(f"looks: kind is one of {list(KINDS)}, alpha between 0 and 1; got {kind!r} and {alpha}.")
    spent = _spent(shares, kind, alpha)
    boundary, density = np.zeros(len(shares)), _Paths.start()
    for look, (share, more) in enumerate(zip(shares, np.diff(spent, prepend=0.0), strict=True)):
        boundary[look] = _bisected(partial(_too_much, density, float(share), float(more)), 0.0, NEVER)
        density = density.after(share, boundary[look])
    return Looks(shares, spent, boundary, 2 * special.ndtr(-boundary))


def over_looks(p_values: np.ndarray, information: np.ndarray, kind: str = "obrien_fleming") -> np.ndarray:
    """Return what p-values of the last look mean over all looks up to it; NaN is no test.

    Parameters
    ----------
    information
        See ``alpha_spending``; the last look is the one that the p-values are of.

    Notes
    -----
    The least alpha whose boundary at this look is crossed, so that p ≤ alpha afterwards is |z| ≥ boundary now, and the
    tests of several figures can be adjusted for one another as always. From a grid of alphas, even on the logarithm.

    References
    ----------
    Liu, Anderson (2008), JASA 103, 1667 (sequential p-values).

    Examples
    --------
    The first of two looks has to show more than the last one, at which hardly anything was spent before:

    >>> [over_looks(np.array([0.02]), np.array(looks)).round(3).tolist() for looks in ([0.5], [0.5, 1.0])]
    [[0.137], [0.02]]
    """
    nominal = [alpha_spending(information, kind, alpha).p_nominal[-1] for alpha in ALPHAS]
    known = np.clip(p_values, nominal[0], 1.0)
    found = np.interp(np.log(known), np.log([*nominal, 1.0]), np.log([*ALPHAS, 1.0]))
    return np.maximum(np.exp(found), p_values)


def crossing_probability(boundary: np.ndarray, information: np.ndarray) -> float:
    """Return how many surveys without a change are called changed at one of several looks.

    Examples
    --------
    Pocock's (1977) boundaries of four looks:

    >>> round(crossing_probability(np.full(4, 2.361), np.array([0.25, 0.5, 0.75, 1.0])), 4)
    0.05
    """
    density, crossed = _Paths.start(), 0.0
    for share, bound in zip(_rising(information), np.asarray(boundary, dtype=float), strict=True):
        crossed += density.beyond(share, bound)
        density = density.after(share, bound)
    return crossed


def _rising(information: np.ndarray) -> np.ndarray:
    """Return shares of information, or a sentence where they are none."""
    shares = np.asarray(information, dtype=float)
    if shares.ndim != 1 or not len(shares) or not (np.diff(shares, prepend=0.0) > 0).all() or shares[-1] > 1 + NEARLY:
        raise ValueError("looks: shares of information must rise from above 0 to at most 1; give one for each look.")
    return np.minimum(shares, 1.0)


def _spent(shares: np.ndarray, kind: str, alpha: float) -> np.ndarray:
    """Return how much of alpha may be spent by each look, both sides together."""
    if kind == "pocock":
        return alpha * np.log1p((math.e - 1) * shares)
    return 4 * special.ndtr(special.ndtri(alpha / 4) / np.sqrt(shares))


class _Paths(NamedTuple):
    """Where surveys stand that crossed no boundary: nodes of z · √information, and their probabilities."""

    nodes: np.ndarray
    chances: np.ndarray
    share: float

    @classmethod
    def start(cls) -> "_Paths":
        """Return all surveys before the first look."""
        return cls(np.zeros(1), np.ones(1), 0.0)

    def beyond(self, share: float, bound: float) -> float:
        """Return the probability to stand beyond a boundary at the next look."""
        step, edge = math.sqrt(share - self.share), bound * math.sqrt(share)
        return float(
            self.chances @ (special.ndtr((-edge - self.nodes) / step) + special.ndtr((self.nodes - edge) / step))
        )

    def after(self, share: float, bound: float) -> "_Paths":
        """Return the surveys that cross no boundary at the next look either."""
        step, edge = math.sqrt(share - self.share), min(bound, REACH) * math.sqrt(share)
        places, weights = _places()
        apart = (places[:, None] * edge - self.nodes) / step
        density = (np.exp(-(apart**2) / 2) @ self.chances) / (step * math.sqrt(2 * math.pi))
        return _Paths(places * edge, weights * edge * density, share)


@cache
def _places() -> tuple[np.ndarray, np.ndarray]:
    """Return nodes between −1 and 1 and their weights (Gauss and Legendre)."""
    return np.polynomial.legendre.leggauss(NODES)


def _too_much(paths: _Paths, share: float, more: float, bound: float) -> float:
    """Return how much more is to be spent than a boundary spends; it rises with the boundary."""
    return more - paths.beyond(share, bound)
