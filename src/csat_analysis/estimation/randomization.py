"""Is a change more than the differences between buildings? Tests for few clusters, by their means and by chance."""

import math
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from csat_analysis.statistics.inference import LEVEL, t_quantile

ALPHA = round(1 - LEVEL, 12)  # shares of arrangements can be just that
MOST = 20_000  # arrangements that are all looked at; where there are more, some are drawn
DRAWS = 9_999
STEPS, DOUBLINGS = 40, 12  # of the search for the ends of an interval
SAME = 1e-9  # as good as equal, of statistics
WEBB = np.sqrt([0.5, 1.0, 1.5])
PERMUTATION, SIGN_FLIP, CLUSTER_T, WILD = "permutation", "sign_flip", "cluster_t", "wild_bootstrap"
FEW, NO_VARIATION, LOPSIDED = "too_few_clusters", "no_variation", "unequal_waves"
LEAST_WILD = 10  # clusters in each wave
HALF, QUARTER = 0.5, 0.25


class Clusters(NamedTuple):
    """A change between two waves whose answers come in clusters.

    ``n_before``, ``n_after``: answers (0 where only means of clusters were given). ``method``: ``permutation``,
    ``sign_flip``, ``cluster_t`` or ``wild_bootstrap``. ``reason``: ``too_few_clusters`` (so few that no outcome could
    be significant, or fewer than 10 in a wave for the bootstrap), ``no_variation`` (all clusters have the same mean),
    ``unequal_waves`` (see ``compare_clusters``).
    """

    estimate: float
    se: float
    conf_low: float
    conf_high: float
    statistic: float
    df: float
    p_value: float
    clusters_before: int
    clusters_after: int
    method: str
    reason: str = ""
    n_before: int = 0
    n_after: int = 0


def compare_clusters(
    values: np.ndarray,
    after: np.ndarray,
    clusters: Sequence[Hashable],
    weights: np.ndarray | None = None,
    seed: int = 0,
) -> Clusters:
    """Return the change between two waves of answers from few clusters, by the test that fits how they were drawn.

    Parameters
    ----------
    values
        Of each answer: 0 and 1 for a share, points for a mean; NaN: not answered.
    after, clusters, weights
        Of each answer: whether it is of the later wave, its cluster, and what it weighs (None: the same).

    Notes
    -----
    Other clusters in each wave: ``permute_clusters``. The same clusters in both: ``flip_signs``. Only some in both:
    ``wild_bootstrap``, which alone holds the clusters together that are in both. The first two compare means of
    clusters, each counting the same, whatever its size: what a cluster of any size tells is one draw of the process.
    The change of the rate over all answers, large clusters counting more, is what ``wild_bootstrap`` tests.

    Permutation is the primary test, also of unequal sizes: with 5 to 20 clusters a wave, of one size or of 5 to 60
    answers, and an intraclass correlation of .01 to .10, it calls 2 to 5 % of waves without a change changed
    (notebooks/validation/changes_in_time); Welch's t up to 9 % where one wave has many more clusters, the bootstrap up
    to 8 %. All can be beyond 6 % where clusters of one wave are at most half as large and hold less than a quarter of
    the answers of the other: ``unequal_waves``, no test.

    References
    ----------
    Donner, Klar (2000), Design and Analysis of Cluster Randomization Trials, 6 (means of clusters; permutation).

    Examples
    --------
    >>> values, after = np.array([1, 0, 1, 1, 1, 1, 1, 1.0]), np.repeat([False, True], 4)
    >>> found = compare_clusters(values, after, ["a", "a", "b", "b", "c", "c", "d", "d"])
    >>> found.estimate, found.clusters_before, found.n_before, found.reason
    (0.25, 2, 4, 'too_few_clusters')
    """
    sums, sizes, n = _by_cluster(values, after, clusters, weights)
    there = sizes > 0
    means = np.divide(sums, sizes, out=np.zeros_like(sums), where=there)
    both = there.all(axis=1)
    if both.all():
        found = flip_signs(means[:, 1] - means[:, 0], seed)
    elif both.any():
        found = wild_bootstrap(sums, sizes, seed)
    else:
        found = permute_clusters(means[there[:, 0], 0], means[there[:, 1], 1], seed)
    if not both.all() and lopsided(there.sum(axis=0), n) and not found.reason:
        found = _untold(found.estimate, there.sum(axis=0), found.method, LOPSIDED)
    return found._replace(n_before=int(n[0]), n_after=int(n[1]))


def lopsided(clusters: np.ndarray, n: np.ndarray) -> bool:
    """Return whether the clusters of one wave are at most half as large, and hold less than a quarter of the answers.

    >>> lopsided(np.array([5, 20]), np.array([40, 1200])), lopsided(np.array([5, 20]), np.array([300, 160]))
    (True, False)
    """
    each = n / clusters
    small = int(each.argmin())
    return bool(each[small] <= HALF * each[1 - small] and n[small] < QUARTER * n[1 - small])


def _by_cluster(
    values: np.ndarray, after: np.ndarray, clusters: Sequence[Hashable], weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weighted sums and weights, clusters × waves, and the answers of each wave."""
    values, wave = np.asarray(values, dtype=float), np.asarray(after).astype(int)
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    if not len(values) == len(wave) == len(clusters) == len(weights):
        raise ValueError("clusters: values, waves, clusters and weights are not of one length; give one of each.")
    if not (weights >= 0).all() or not np.isfinite(weights).all():
        raise ValueError("clusters: some weights are below 0 or no numbers; leave such answers out.")
    kept = ~np.isnan(values) & (weights > 0)
    codes, found = pd.factorize(pd.Series(clusters, dtype=object)[kept])
    places, shape = codes * 2 + wave[kept], (len(found), 2)
    sums, sizes = (
        np.bincount(places, part[kept], minlength=2 * len(found)).reshape(shape) for part in (values * weights, weights)
    )
    n = np.bincount(wave[kept], minlength=2)
    if not n.all():
        raise ValueError("clusters: a wave has no answers; compare waves that both have some.")
    return sums, sizes, n


# --- other clusters in each wave --------------------------------------------------------------------------------------


def permute_clusters(before: np.ndarray, after: np.ndarray, seed: int = 0) -> Clusters:
    """Return the change of the mean of cluster means where each wave has clusters of its own, by permutation.

    Parameters
    ----------
    before, after
        The mean of each cluster.

    Notes
    -----
    If nothing changed, each cluster could as well have been drawn for the other wave: p is the share of arrangements of
    the clusters to waves (all, up to 20,000, otherwise 9,999 drawn ones and this one) whose |t| is as large. t is
    Welch's, so that waves whose clusters differ in spread or number do no harm. Interval: all changes that, taken off,
    leave p ≥ .05. statistic, se and df: Welch's.

    References
    ----------
    Janssen (1997), Statistics & Probability Letters 36, 9 (studentised permutation). Gail, Mark, Carroll, Green, Pee
    (1996), Statistics in Medicine 15, 1069 (permutation of clusters).

    Examples
    --------
    Of the 70 ways to choose 4 of 8 clusters two are as far apart: p = 2 ÷ 70.

    >>> found = permute_clusters(np.array([0.71, 0.72, 0.74, 0.75]), np.array([0.81, 0.83, 0.84, 0.86]))
    >>> round(found.estimate, 3), round(found.p_value, 4)
    (0.105, 0.0286)
    """
    before, after = _means(before), _means(after)
    plain = cluster_t(before, after)
    if plain.reason:
        return plain._replace(method=PERMUTATION)
    chosen = _arrangements(len(before), len(after), seed)
    p_value = _Permuted(before, after, chosen)
    return _tested(plain, PERMUTATION, p_value)


def cluster_t(before: np.ndarray, after: np.ndarray) -> Clusters:
    """Return the change of the mean of cluster means where each wave has clusters of its own, by Welch's t test.

    Examples
    --------
    >>> found = cluster_t(np.array([0.71, 0.72, 0.74, 0.75]), np.array([0.81, 0.83, 0.84, 0.86]))
    >>> round(found.statistic, 2), round(found.df, 1), round(found.p_value, 4)
    (7.58, 5.9, 0.0003)
    """
    sides = _means(before), _means(after)
    counts = np.array([len(side) for side in sides])
    estimate = float(sides[1].mean() - sides[0].mean())
    if min(counts) < 2:
        return _untold(estimate, counts, CLUSTER_T, FEW)
    parts = np.array([side.var(ddof=1) for side in sides]) / counts
    se = math.sqrt(parts.sum())
    if se <= 1e-12 * max(1.0, abs(sides[0]).max()):
        return _untold(estimate, counts, CLUSTER_T, NO_VARIATION)
    return _by_t(estimate, se, float(se**4 / (parts**2 / (counts - 1)).sum()), counts)


def _means(values: np.ndarray) -> np.ndarray:
    """Return means of clusters as numbers, or a sentence where they are none."""
    found = np.asarray(values, dtype=float)
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise ValueError("clusters: give one mean for each cluster, and leave clusters without answers out.")
    return found


def _untold(estimate: float, counts: Sequence[int] | np.ndarray, method: str, reason: str) -> Clusters:
    """Return a change without error and the reason why."""
    blank = (math.nan,) * 6
    return Clusters(estimate, *blank, int(counts[0]), int(counts[1]), method, reason)


def _by_t(estimate: float, se: float, df: float, counts: Sequence[int] | np.ndarray) -> Clusters:
    """Return a change with the interval and test of Student's distribution."""
    half, statistic = t_quantile(df) * se, estimate / se
    p_value = 2 * float(special.stdtr(df, -abs(statistic)))
    ends = estimate - half, estimate + half
    return Clusters(estimate, se, *ends, statistic, df, p_value, int(counts[0]), int(counts[1]), CLUSTER_T)


def _tested(plain: Clusters, method: str, p_value: Callable[[float], float]) -> Clusters:
    """Return a change with the p-value and the interval of a test of any change."""
    low, high = (_end(plain.estimate, side * plain.se, p_value) for side in (-1, 1))
    if math.isnan(low) or math.isnan(high):
        return _untold(plain.estimate, (plain.clusters_before, plain.clusters_after), method, FEW)
    return plain._replace(method=method, p_value=p_value(0.0), conf_low=low, conf_high=high)


def _end(estimate: float, step: float, p_value: Callable[[float], float]) -> float:
    """Return the end of an interval: where p falls below .05; NaN where it never does."""
    for _ in range(DOUBLINGS):
        if p_value(estimate + step) < ALPHA:
            break
        step *= 2
    else:
        return math.nan
    inside, outside = estimate, estimate + step
    for _ in range(STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p_value(middle) >= ALPHA else (inside, middle)
    return (inside + outside) / 2


@cache
def _arrangements(before: int, after: int, seed: int) -> np.ndarray:
    """Return which clusters are of the later wave: arrangements × clusters, the first one as it was."""
    clusters = before + after
    if math.comb(clusters, after) <= MOST:
        chosen = np.zeros((math.comb(clusters, after), clusters))
        for row, places in enumerate(combinations(range(clusters - 1, -1, -1), after)):
            chosen[row, places] = 1.0
        return chosen
    start = np.repeat([0.0, 1.0], [before, after])
    drawn = np.random.default_rng(seed).permuted(np.tile(start, (DRAWS, 1)), axis=1)
    return np.vstack([start, drawn])


class _Permuted:
    """The p-value of a change by permutation: sums and squares over arrangements are those of values less a change."""

    def __init__(self, before: np.ndarray, after: np.ndarray, chosen: np.ndarray):
        own = np.repeat([0.0, 1.0], [len(before), len(after)])
        values = np.concatenate([before, after])
        values = values - values.mean()
        self.counts = len(before), len(after)
        self.sums, self.squares = chosen @ values, chosen @ values**2
        self.moved, self.moved_sums = chosen @ own, chosen @ (values * own)
        self.total = values.sum(), (values**2).sum(), (values * own).sum()

    def __call__(self, change: float) -> float:
        """Return the share of arrangements as far apart, once a change is taken off the later wave."""
        total, squares, own = self.total
        sums = self.sums - change * self.moved
        square = self.squares - 2 * change * self.moved_sums + change**2 * self.moved
        whole, whole_square = total - change * self.counts[1], squares - 2 * change * own + change**2 * self.counts[1]
        return _share_as_large(welch(sums, square, whole, whole_square, self.counts))


def welch(
    sums: np.ndarray, squares: np.ndarray, total: np.ndarray | float, total_square: np.ndarray | float,
    counts: tuple[int, int],
) -> np.ndarray:  # fmt: skip
    """Return Welch's t from sums and squares of the later wave, and of both waves together."""
    first, second = counts
    other, other_square = total - sums, total_square - squares
    spread = (squares - sums**2 / second) / (second - 1) / second + (other_square - other**2 / first) / (
        first - 1
    ) / first
    apart = sums / second - other / first
    root = np.sqrt(np.maximum(spread, 1e-14 * np.maximum(total_square, 1e-300)))
    return apart / root


def _share_as_large(statistics: np.ndarray) -> float:
    """Return the share of statistics as large as the first, or larger."""
    return float(np.mean(abs(statistics) >= abs(statistics[0]) * (1 - SAME)))


# --- the same clusters in both waves ----------------------------------------------------------------------------------


def flip_signs(differences: np.ndarray, seed: int = 0) -> Clusters:
    """Return the mean change of clusters that are in both waves, by flipping signs.

    Parameters
    ----------
    differences
        Of each cluster, its mean after minus before.

    Notes
    -----
    If nothing changed, each cluster could as well have changed the other way round: p is the share of signs (all, up to
    14 clusters, otherwise 9,999 drawn ones and these) whose mean is as far from 0. Six clusters are needed for p < .05.
    statistic, se and df: those of the paired t test.

    References
    ----------
    Fisher (1935), The Design of Experiments, 21.

    Examples
    --------
    All of six clusters better: 2 of 64 signs are as far from 0.

    >>> round(flip_signs(np.array([0.02, 0.05, 0.03, 0.06, 0.01, 0.04])).p_value, 5)
    0.03125
    """
    values = _means(differences)
    counts = (len(values), len(values))
    estimate = float(values.mean())
    if len(values) < 2:
        return _untold(estimate, counts, SIGN_FLIP, FEW)
    se = float(values.std(ddof=1)) / math.sqrt(len(values))
    if se <= 1e-12 * max(1.0, abs(estimate)):
        return _untold(estimate, counts, SIGN_FLIP, NO_VARIATION)
    signs = _signs(len(values), seed)
    means, own = signs @ values / len(values), signs.mean(axis=1)
    return _tested(
        _by_t(estimate, se, len(values) - 1.0, counts), SIGN_FLIP, lambda change: _share_as_large(means - change * own)
    )


@cache
def _signs(clusters: int, seed: int) -> np.ndarray:
    """Return signs of clusters: arrangements × clusters, the first one as it was."""
    if 2**clusters <= MOST:
        return np.array(list(product([1.0, -1.0], repeat=clusters)))
    drawn = np.random.default_rng(seed).choice([1.0, -1.0], (DRAWS, clusters))
    return np.vstack([np.ones(clusters), drawn])


# --- all answers together ---------------------------------------------------------------------------------------------


def wild_bootstrap(sums: np.ndarray, sizes: np.ndarray, seed: int = 0) -> Clusters:
    """Return the change of the mean over all answers, with what their clusters add multiplied by chance.

    Parameters
    ----------
    sums, sizes
        Clusters × waves (before, after): the weighted sum of the answers, and of their weights; 0 where there are none.

    Notes
    -----
    Residuals from the mean of both waves together (no change imposed) times one of Webb's six numbers for each cluster;
    p is the share of 9,999 such surveys, and this one, whose |t| is as large. t: the difference of the weighted means ÷
    its cluster-robust error, √(G ÷ (G − 1) · Σ s²), s what each of G clusters adds. Interval: all changes that, taken
    off, leave p ≥ .05.

    References
    ----------
    Cameron, Gelbach, Miller (2008), Review of Economics and Statistics 90, 414. Webb (2023), Canadian Journal of
    Economics 56, 839. MacKinnon, Webb (2018), Econometrics Journal 21, 114 (few clusters).

    Examples
    --------
    Ten buildings, each .10 better but for a little:

    >>> sizes = np.full((10, 2), 20)
    >>> before = np.array([12, 15, 14, 10, 16, 11, 13, 15, 12, 9])
    >>> sums = np.column_stack([before, before + [2, 2, 1, 2, 2, 3, 2, 2, 1, 3]])
    >>> found = wild_bootstrap(sums, sizes)
    >>> round(found.estimate, 4), found.p_value < 0.05
    (0.1, True)
    """
    sums, sizes = np.asarray(sums, dtype=float), np.asarray(sizes, dtype=float)
    if sums.shape != sizes.shape or sums.ndim != 2 or sums.shape[1] != 2 or not (sizes.sum(axis=0) > 0).all():
        raise ValueError("clusters: give sums and sizes as clusters × two waves, both waves with answers.")
    counts = (sizes > 0).sum(axis=0)
    means = sums.sum(axis=0) / sizes.sum(axis=0)
    estimate = float(means[1] - means[0])
    if min(counts) < LEAST_WILD:
        return _untold(estimate, counts, WILD, FEW)
    se = float(_Bootstrapped(sums, sizes, np.ones((1, len(sums)))).errors(0.0)[0])
    if se <= 1e-12 * max(1.0, abs(means).max()):
        return _untold(estimate, counts, WILD, NO_VARIATION)
    plain = _by_t(estimate, se, len(sums) - 1.0, counts)
    return _tested(plain, WILD, _Bootstrapped(sums, sizes, _webb(len(sums), seed)))


def wild_p_value(sums: np.ndarray, sizes: np.ndarray, factors: np.ndarray) -> float:
    """Return how many surveys with residuals times factors (surveys × clusters) are as far apart as this one."""
    return _Bootstrapped(sums, sizes, factors)(0.0)


class _Bootstrapped:
    """The p-value of a change by wild bootstrap: residuals are those of no change, less the change times a part."""

    def __init__(self, sums: np.ndarray, sizes: np.ndarray, factors: np.ndarray):
        later = sizes * [0.0, 1.0]
        parts = [_robust(factors, each - sizes * (each.sum() / sizes.sum()), sizes) for each in (sums, later)]
        (self.apart, added), (self.moved, shifted) = parts
        self.squares = [
            (one * other).sum(axis=1) for one, other in ((added, added), (added, shifted), (shifted, shifted))
        ]
        self.scale, self.clusters = max(1.0, float(abs(sums).max())), len(sizes)

    def errors(self, change: float) -> np.ndarray:
        """Return the cluster-robust error of each survey, once a change is taken off the later wave."""
        whole = self.squares[0] - 2 * change * self.squares[1] + change**2 * self.squares[2]
        return np.sqrt(np.maximum(whole, 0.0) * self.clusters / (self.clusters - 1))

    def __call__(self, change: float) -> float:
        """Return the share of surveys as far apart, once a change is taken off the later wave."""
        return _share_as_large((self.apart - change * self.moved) / np.maximum(self.errors(change), 1e-14 * self.scale))


def _robust(factors: np.ndarray, residuals: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the difference of weighted means for each row of factors, and what each cluster adds to it."""
    whole, sign = sizes.sum(axis=0), np.array([-1.0, 1.0])
    means = factors @ residuals / whole
    return means @ sign, factors * (residuals @ (sign / whole)) - means @ ((sign / whole)[:, None] * sizes.T)


@cache
def _webb(clusters: int, seed: int) -> np.ndarray:
    """Return Webb's numbers: surveys × clusters, the first one as it was."""
    drawn = np.random.default_rng(seed).choice(np.concatenate([-WEBB, WEBB]), (DRAWS, clusters))
    return np.vstack([np.ones(clusters), drawn])
