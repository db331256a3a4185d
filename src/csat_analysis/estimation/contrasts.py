"""What did action bring over many projects, chosen because they scored low? Beyond regression to the mean."""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from csat_analysis.estimation.priors import FEW_PROJECTS, LEAST_PROJECTS, NOISE, WORTH, Arrays, as_counts, fit_priors
from csat_analysis.statistics.inference import LEVEL, t_quantile

LEAST_GROUP = 2  # projects with and without action
LEAST_SIDE = 4  # projects on each side of the threshold that a line is put through
FEW_ACTED, FEW_DRAWS = "too_few_in_a_group", "too_few_draws"
SAME, OTHER_RULE = "no_variation", "not_by_threshold"
TAIL = (1 - LEVEL) / 2
CELLS, BEYOND = 48, 0.15  # of the roughened prior: how many, and how far (arcsine) beyond the observed rates
ROUGHEN = 10  # steps from the beta prior towards the distribution that the rates themselves show
DRAWS_KEPT, LEAST_DRAWS = 0.1, 40  # of simulated portfolios that must have projects in both groups
ROWS = 4_000_000  # numbers at a time


class Contrast(NamedTuple):
    """What the projects with action gained beyond the others, after minus before, regression to the mean taken off.

    ``acted``, ``others``: how many projects; ``naive``: the plain difference in differences, which is biased after a
    selection; ``drift``: what the contrast shows by itself without any effect, already taken off ``estimate``;
    ``draws``: how many simulated portfolios the test and the interval of a residual contrast rest on, which has no
    ``df``.
    """

    estimate: float = math.nan
    se: float = math.nan
    conf_low: float = math.nan
    conf_high: float = math.nan
    statistic: float = math.nan
    df: float = math.nan
    p_value: float = math.nan
    n_before: float = 0
    n_after: float = 0
    acted: int = 0
    others: int = 0
    naive: float = math.nan
    drift: float = math.nan
    draws: int = 0
    reason: str = ""


def residual_contrast(
    k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray, acted: np.ndarray, threshold: float, seed: int,
    replications: int = 1000, worth: tuple[float, ...] = WORTH,
) -> Contrast:  # fmt: skip
    """Return what action brought in a portfolio where all projects below a threshold, and only those, were acted on.

    Parameters
    ----------
    k1, n1, k2, n2
        Of each project: satisfied and answers before, and after. Effective numbers need not be whole.
    acted
        Of each project, whether it was acted on: exactly where its rate before was below the threshold.
    worth
        Times what the fitted prior is worth, in the middle what the estimate is told with.

    Notes
    -----
    The residual of a project is its rate after minus the posterior mean of its true rate before; the contrast is the
    mean residual of the projects acted on minus that of the others, ÷ Welch's standard error of the two. The prior
    starts as a beta distribution (``fit_prior``) and takes ten steps towards what the rates themselves show, so that a
    group of bad projects among good ones can appear in it. Quantiles come from portfolios drawn without effect: true
    rates from the prior, baseline, trigger, prior fitted anew, after wave, contrast; those with fewer than two projects
    in a group do not count. As the spread of the true rates is hardly known, they are drawn three times, with the prior
    that the steps begin with worth half as much, as much, and twice as much: p is the largest, the interval holds all
    three. ``estimate`` is the contrast minus the median of those drawn. Without the steps, or without dividing by the
    standard error, up to 7 and 11 % err; with one prior up to 7 %.
    ``reason``: ``not_by_threshold``, ``too_few_projects`` (8), ``too_few_in_a_group`` (2), ``no_variation``,
    ``too_few_draws`` (simulated portfolios with both groups). Projects without answers in a wave are left out.

    References
    ----------
    Laird, Louis (1991), Computational Statistics & Data Analysis 12, 27 (the prior's steps). Efron, Tibshirani (1993),
    An Introduction to the Bootstrap, chapter 12 (studentised).

    Examples
    --------
    Eight projects of 100 answers; the three below 85 % gain 9 to 10 points, of which a part comes by itself:

    >>> before, after = np.array([92, 90, 88, 95, 87, 80, 82, 78]), np.array([91, 90, 89, 93, 88, 90, 91, 88])
    >>> answers = np.full(8, 100)
    >>> found = residual_contrast(before, answers, after, answers, before < 85, 0.85, seed=1)
    >>> found.acted, round(found.naive, 3), found.estimate < found.naive, found.p_value < 0.05
    (3, 0.099, True, True)
    """
    chosen, waves = np.atleast_1d(np.asarray(acted)).astype(bool), as_counts(k1, n1, k2, n2)
    if len(chosen) != len(waves[0]):
        raise ValueError("acted is not of the length of the counts; say of every project whether it was acted on.")
    there = (waves[1] > 0) & (waves[3] > 0)
    order = np.lexsort([part[there] for part in waves])
    k1, n1, k2, n2, chosen = (part[there][order] for part in (*waves, chosen))
    about = _about(n1, n2, chosen)
    reason = _unfit(k1, n1, chosen, threshold)
    if reason:
        return Contrast(**about, reason=reason)
    change = k2 / n2 - k1 / n1
    naive = float(change[chosen].mean() - change[~chosen].mean())
    seen, se, drawn = _drawings((k1, n1, k2, n2), chosen, threshold, seed, replications, worth)
    if not se > NOISE:
        return Contrast(**about, naive=naive, reason=SAME)
    if min(len(each) for each in drawn) < max(DRAWS_KEPT * replications, LEAST_DRAWS):
        return Contrast(**about, naive=naive, reason=FEW_DRAWS)
    ends = np.array([_ends(seen / se, each) for each in drawn])
    drift = float(np.median(drawn[len(drawn) // 2])) * se
    low, high = seen - float(ends[:, 1].max()) * se, seen - float(ends[:, 2].min()) * se
    return Contrast(
        seen - drift, se, low, high, seen / se, math.nan, float(ends[:, 0].max()), **about, naive=naive, drift=drift,
        draws=len(drawn[len(drawn) // 2]),
    )  # fmt: skip


# --- the priors of a portfolio, and portfolios drawn from them --------------------------------------------------------


def _about(n1: np.ndarray, n2: np.ndarray, acted: np.ndarray) -> dict[str, Any]:
    """Return how many answers and projects a contrast is of."""
    counts = {"n_before": float(n1.sum()), "n_after": float(n2.sum())}
    return {**counts, "acted": int(acted.sum()), "others": int((~acted).sum())}


def _unfit(k: np.ndarray, n: np.ndarray, acted: np.ndarray, threshold: float) -> str:
    """Return why a portfolio has no contrast, or nothing."""
    if len(k) < LEAST_PROJECTS:
        return FEW_PROJECTS
    if (acted != below(k, n, threshold)).any():
        return OTHER_RULE
    return FEW_ACTED if min(acted.sum(), (~acted).sum()) < LEAST_GROUP else ""


def below(k: np.ndarray, n: np.ndarray, threshold: float) -> np.ndarray:
    """Return which projects a rule sets off: those whose rate is below the threshold.

    >>> below(np.array([50, 51]), np.array([60, 60]), 0.85).tolist()  # 51 of 60 are 85 %
    [True, False]
    """
    return k / n < threshold - NOISE


def _drawings(
    waves: Arrays, acted: np.ndarray, threshold: float, seed: int, replications: int, worth: tuple[float, ...]
) -> tuple[float, float, list[np.ndarray]]:
    """Return the contrast of a portfolio, its standard error, and those of simulated ones for each prior."""
    k1, n1, k2, n2 = waves
    edges = _edges(k1 / n1)
    expected = _roughened(k1[None], n1, edges)[0][0]
    seen, se = (float(part[0]) for part in _groups((k2 / n2 - expected)[None], acted[None]))
    priors = [_roughened(k1[None], n1, edges, each)[1][0] for each in worth]
    about = (n1, n2, threshold, replications)
    return seen, se, [_simulated(edges, prior, *about, np.random.default_rng(seed)) for prior in priors]


def _ends(statistic: float, drawn: np.ndarray) -> tuple[float, float, float]:
    """Return the p-value of a statistic among sorted ones without effect, and the two that just do not reject."""
    fewest = float(min((drawn >= statistic).sum(), (drawn <= statistic).sum()))
    allowed = math.ceil(TAIL * (len(drawn) + 1) - NOISE) - 1
    return min(1.0, 2 * (1 + fewest) / (len(drawn) + 1)), drawn[-allowed], drawn[allowed - 1]


def _simulated(
    edges: np.ndarray, shares: np.ndarray, n1: np.ndarray, n2: np.ndarray, threshold: float, replications: int,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Return the sorted studentised contrasts of portfolios without effect."""
    reach = np.append(0.0, np.cumsum(shares) / shares.sum())
    rates = np.interp(rng.random((replications, len(n1))), reach, edges)
    first, second = (_drawn(n, rates, rng) for n in (n1, n2))
    acted = below(first, n1, threshold)
    both = (acted.sum(axis=1) >= LEAST_GROUP) & ((~acted).sum(axis=1) >= LEAST_GROUP)
    first, second, acted = first[both], second[both], acted[both]
    at_a_time, found = max(1, ROWS // (len(n1) * CELLS)), [np.zeros(0)]
    for begun in range(0, len(first), at_a_time):
        part = slice(begun, begun + at_a_time)
        expected, _ = _roughened(first[part], n1, edges)
        contrast, se = _groups(second[part] / n2 - expected, acted[part])
        found.append(contrast[se > NOISE] / se[se > NOISE])
    return np.sort(np.concatenate(found))


def _drawn(n: np.ndarray, rates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return satisfied of n at the true rates; of numbers that are not whole the share of the nearest whole one."""
    whole = np.maximum(np.rint(n), 1)
    return rng.binomial(whole.astype(np.int64), rates) * (n / whole)


def _edges(rates: np.ndarray) -> np.ndarray:
    """Return the edges of the cells of a prior: equal steps of the arcsine, a little beyond the observed rates."""
    angles = np.arcsin(np.sqrt(np.clip(rates, 0.0, 1.0)))
    low, high = max(angles.min() - BEYOND, 0.0), min(angles.max() + BEYOND, math.pi / 2)
    return np.sin(np.linspace(low, high, CELLS + 1)) ** 2


def _roughened(k: np.ndarray, n: np.ndarray, edges: np.ndarray, worth: float = 1.0) -> Arrays:
    """Return the posterior means of many portfolios and the shares of the cells of their priors."""
    mean, fitted = fit_priors(k, n)
    size = worth * fitted
    a, b = (mean * size)[:, None], ((1 - mean) * size)[:, None]
    shares = np.diff(special.betainc(a, b, edges), axis=1) + NOISE
    shares /= shares.sum(axis=1, keepdims=True)
    angles = np.arcsin(np.sqrt(edges))
    rates = np.sin((angles[1:] + angles[:-1]) / 2) ** 2
    chance = k[..., None] * np.log(rates) + (n - k)[..., None] * np.log1p(-rates)
    chance = np.exp(chance - chance.max(axis=2, keepdims=True))
    for _ in range(ROUGHEN):
        each = (chance @ shares[..., None])[..., 0]
        shares = shares * ((1 / each)[:, None, :] @ chance)[:, 0] / len(n)
    return (chance @ (shares * rates)[..., None])[..., 0] / (chance @ shares[..., None])[..., 0], shares


def _groups(residuals: np.ndarray, acted: np.ndarray) -> Arrays:
    """Return the contrasts of the mean residuals of two groups of projects, and Welch's standard errors."""
    means, squares = [], []
    for group in (acted, ~acted):
        size = group.sum(axis=1)
        mean = (residuals * group).sum(axis=1) / size
        spread = ((residuals - mean[:, None]) ** 2 * group).sum(axis=1)
        means.append(mean)
        squares.append(spread / (size - 1) / size)
    return means[0] - means[1], np.sqrt(squares[0] + squares[1])


# --- beside it --------------------------------------------------------------------------------------------------------


def regression_discontinuity(
    k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray, acted: np.ndarray, threshold: float
) -> Contrast:
    """Return what action brought to projects just below the threshold: the gap between two lines. A sensitivity only.

    Notes
    -----
    Rate after on rate before, a line on each side of the threshold, projects weighted by their answers after; the
    estimate is where the line of those acted on meets the threshold, minus where the other does. Errors: HC3, Student's
    t with projects − 4 degrees of freedom. Right only if the line is straight near the threshold and all and only
    projects below it were acted on: with a bad fifth it is wrong by −2.5 points, and 6 to 10 % err. It finds little.
    ``too_few_in_a_group``: fewer than four projects, or than three different rates, on a side.

    References
    ----------
    Imbens, Lemieux (2008), Journal of Econometrics 142, 615. Long, Ervin (2000), American Statistician 54, 217 (HC3).

    Examples
    --------
    >>> before, after = np.array([70, 74, 78, 82, 86, 88, 92, 96]), np.array([80, 81, 86, 87, 86, 88, 91, 97])
    >>> answers = np.full(8, 100)
    >>> found = regression_discontinuity(before, answers, after, answers, before < 85, 0.85)
    >>> round(found.estimate, 3), round(found.se, 3), found.df
    (0.047, 0.018, 4.0)
    """
    chosen, waves = np.atleast_1d(np.asarray(acted)).astype(bool), as_counts(k1, n1, k2, n2)
    if len(chosen) != len(waves[0]):
        raise ValueError("acted is not of the length of the counts; say of every project whether it was acted on.")
    there = (waves[1] > 0) & (waves[3] > 0)
    k1, n1, k2, n2, chosen = (part[there] for part in (*waves, chosen))
    about = _about(n1, n2, chosen)
    if (chosen != below(k1, n1, threshold)).any():
        return Contrast(**about, reason=OTHER_RULE)
    sides = [np.round(k1[side] / n1[side], 9) for side in (chosen, ~chosen)]
    if any(len(side) < LEAST_SIDE or len(np.unique(side)) < 3 for side in sides):
        return Contrast(**about, reason=FEW_ACTED)
    estimate, se = _gap(k1 / n1 - threshold, k2 / n2, n2, chosen)
    if not se > NOISE:
        return Contrast(**about, reason=SAME)
    df, change = float(len(k1) - 4), k2 / n2 - k1 / n1
    half, statistic = t_quantile(df) * se, estimate / se
    naive, p_value = change[chosen].mean() - change[~chosen].mean(), 2 * float(special.stdtr(df, -abs(statistic)))
    return Contrast(
        estimate, se, estimate - half, estimate + half, statistic, df, p_value, **about, naive=float(naive), drift=0.0
    )


def _gap(from_cut: np.ndarray, after: np.ndarray, weights: np.ndarray, acted: np.ndarray) -> tuple[float, float]:
    """Return the gap at the threshold and its HC3 standard error; a project that alone decides a line adds nothing."""
    ends, square = [], 0.0
    for side in (acted, ~acted):
        x = np.column_stack([np.ones(side.sum()), from_cut[side]])
        pulled = np.linalg.solve(x.T @ (weights[side, None] * x), (x * weights[side, None]).T)
        line = pulled @ after[side]
        leverage = (x * pulled.T).sum(axis=1)
        left = (after[side] - x @ line) / np.maximum(1 - leverage, 1e-6)
        ends.append(line[0])
        square += ((pulled[0] * left) ** 2).sum()
    return float(ends[0] - ends[1]), math.sqrt(square)
