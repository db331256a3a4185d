"""Did it improve, where units were chosen because they scored low? Gains beyond regression to the mean."""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from csat_analysis.statistics.differences import Difference, compare_estimates, compare_shares
from csat_analysis.statistics.estimates import Estimate
from csat_analysis.statistics.inference import LEVEL, t_quantile

LEAST_PROJECTS = 8  # from which spread of true rates can be told
LEAST_GROUP = 2  # projects with and without action
LEAST_SIDE = 4  # projects on each side of the threshold that a line is put through
FEW_PROJECTS, FEW_ACTED, FEW_DRAWS = "too_few_projects", "too_few_in_a_group", "too_few_draws"
NO_ANSWERS, SAME, OTHER_RULE = "no_answers", "no_variation", "not_by_threshold"
TAIL = (1 - LEVEL) / 2
LEAST, LARGEST = 0.1, 1e6  # answers that a prior is worth
NEWTON, HALVINGS, SECANTS = 40, 6, 9
WORTH = (0.5, 1.0, 2.0)  # times what the fitted prior is worth, itself in the middle: the least favourable counts
FARTHEST, STEEPEST = 30.0, 8.0  # logits that a rate moves; normal quantiles of a tail there
NODES, REACH = 121, 9.0  # of the sum over true rates: how many, and how many standard deviations to each side
CELLS, BEYOND = 48, 0.15  # of the roughened prior: how many, and how far (arcsine) beyond the observed rates
ROUGHEN = 10  # steps from the beta prior towards the distribution that the rates themselves show
DRAWS_KEPT, LEAST_DRAWS = 0.1, 40  # of simulated portfolios that must have projects in both groups
ROWS = 4_000_000  # numbers at a time
NOISE, SMALLEST = 1e-9, 1e-16  # of floating point; tails
LINE, STEPS = 41, 6  # values of the spread that are tried at a time, and how often more finely
Arrays = tuple[np.ndarray, ...]


# --- how true rates differ --------------------------------------------------------------------------------------------


class Prior(NamedTuple):
    """How the true rates of the projects differ: a beta distribution, worth ``a`` + ``b`` answers.

    ``reason``: ``too_few_projects`` where there are fewer than eight (with one there is no distribution at all).
    """

    a: float
    b: float
    projects: int
    reason: str = ""

    @property
    def mean(self) -> float:
        """Return the mean of the true rates."""
        return self.a / (self.a + self.b)

    @property
    def spread(self) -> float:
        """Return the standard deviation of the true rates."""
        return math.sqrt(self.mean * (1 - self.mean) / (self.a + self.b + 1))

    def posterior(self, k: float, n: float) -> tuple[float, float]:
        """Return a project's beta distribution after k satisfied of n."""
        return self.a + k, self.b + n - k


class NormalPrior(NamedTuple):
    """How the true means of the projects differ: a normal distribution; ``mean_se``: how sure its mean is."""

    mean: float
    spread: float
    mean_se: float
    projects: int
    reason: str = ""

    def posterior(self, mean: float, se: float) -> tuple[float, float]:
        """Return a project's true mean after an observed one, and its standard deviation (the prior's mean known)."""
        shrinkage = se**2 / (se**2 + self.spread**2)
        return mean + shrinkage * (self.mean - mean), self.spread * math.sqrt(shrinkage)


def fit_prior(k: np.ndarray, n: np.ndarray) -> Prior:
    """Return the beta distribution of the true rates of the projects, from their satisfied and their answers.

    Parameters
    ----------
    k, n
        Of each project: satisfied answers, answers. Effective numbers need not be whole. No answers: left out.

    Notes
    -----
    Maximum of the beta-binomial likelihood × √(1 ÷ (a + b + 1)) × √(mean × (1 − mean)). The first factor keeps the
    spread from being taken as none where the rates happen to differ no more than by chance (it then shrinks with the
    number of projects), the second adds half an answer of each kind, so that there is a prior where all are satisfied.

    References
    ----------
    Skellam (1948), JRSS B 10, 257. Chung, Rabe-Hesketh, Dorie, Gelman, Liu (2013), Psychometrika 78, 685 (the factor).

    Examples
    --------
    >>> found = fit_prior(np.array([54, 40, 57, 48, 52, 36, 50, 55]), np.full(8, 60))
    >>> round(found.mean, 3), round(found.spread, 3), found.projects
    (0.809, 0.111, 8)
    """
    k, n = _counts(k, n)
    there = n > 0
    projects = int(there.sum())
    if projects < 2:
        return Prior(math.nan, math.nan, projects, FEW_PROJECTS)
    mean, size = (float(part[0]) for part in fit_priors(k[there][None], n[there]))
    return Prior(mean * size, (1 - mean) * size, projects, FEW_PROJECTS if projects < LEAST_PROJECTS else "")


def _counts(*counts: Any) -> Arrays:
    """Return pairs of satisfied and answers as arrays, or say what is wrong with them."""
    found = tuple(np.atleast_1d(np.asarray(each, dtype=float)) for each in counts)
    if len({each.shape for each in found}) > 1:
        raise ValueError("satisfied and answers are not of one length; give one of each for every project.")
    for k, n in zip(found[::2], found[1::2], strict=True):
        if not (np.isfinite(k).all() and np.isfinite(n).all()):
            raise ValueError("satisfied or answers are not known (NaN) for a project; leave it out or give 0 answers.")
        if (k < 0).any() or (k > n + NOISE).any():
            raise ValueError("satisfied must be from 0 to the number of answers; check the counts of each project.")
    return tuple(np.minimum(each, found[place | 1]) for place, each in enumerate(found))


def fit_priors(k: np.ndarray, n: np.ndarray) -> Arrays:
    """Return mean and size (a + b) of the beta priors of many portfolios: portfolios × projects, answers by project.

    Newton's steps on the logit of the mean and the logarithm of the size, held to where they climb. Curvature takes
    the first terms of the trigamma function, as it decides on the way and not on the place. Where all projects have all
    satisfied, or none, nothing is said on the spread: the place to begin stands, which is a narrow one.
    """
    mean, size = _moments(k, n)
    alike = (k.sum(axis=-1) <= NOISE) | ((n - k).sum(axis=-1) <= NOISE)
    place = np.array([special.logit(mean), np.log(size)])
    for _ in range(NEWTON):
        step = np.where(alike, 0.0, np.clip(_step(place, k, n), -1.0, 1.0))
        moved = np.array([place[0] + step[0], np.clip(place[1] + step[1], math.log(LEAST), math.log(LARGEST))])
        place, far = moved, np.abs(moved - place).max()
        if far < 1e-8:
            break
    return np.where(alike, mean, special.expit(place[0])), np.where(alike, size, np.exp(place[1]))


def _moments(k: np.ndarray, n: np.ndarray) -> Arrays:
    """Return where to begin: the pooled rate, and the size that fits the spread of the rates about it."""
    total = n.sum()
    mean = (k.sum(axis=-1) + 0.5) / (total + 1)
    square = (n * (k / n - mean[:, None]) ** 2).sum(axis=-1) / (mean * (1 - mean))
    over = (square - len(n) + 1) / max(total - (n**2).sum() / total - len(n) + 1, NOISE)
    return mean, 1 / np.clip(over, 1 / math.sqrt(len(n) * (n * n).mean() + 1), 0.3) - 1


def _step(place: np.ndarray, k: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return Newton's step from logit mean and log size, portfolio by portfolio."""
    mean, size = special.expit(place[0]), np.exp(place[1])
    a, b, projects = mean * size, (1 - mean) * size, len(n)
    psi = [
        (special.psi(x + c[:, None]).sum(-1) - projects * special.psi(c), _curved(x, c))
        for x, c in ((k, a), (n - k, b))
    ]
    of_size, bent = special.psi(n + size[:, None]).sum(-1) - projects * special.psi(size), _curved(n, size)
    by_a, by_b, share = psi[0][0] - of_size, psi[1][0] - of_size, mean * (1 - mean) * size
    haa, hbb, hab = psi[0][1] - bent, psi[1][1] - bent, -bent
    slope = np.array([share * (by_a - by_b) + (1 - 2 * mean) / 2, a * by_a + b * by_b - size / (size + 1) / 2])
    mm = share**2 * (haa - 2 * hab + hbb) + share * (1 - 2 * mean) * (by_a - by_b) - mean * (1 - mean)
    ms = share * (a * (haa - hab) + b * (hab - hbb) + by_a - by_b)
    ss = a * a * haa + 2 * a * b * hab + b * b * hbb + a * by_a + b * by_b - size / (size + 1) ** 2 / 2
    mm, ss = np.minimum(mm, -NOISE), np.where(ss < -NOISE, ss, -np.abs(slope[1]) - NOISE)
    ms = np.where(ms * ms < 0.9 * mm * ss, ms, 0.0)
    return -np.array([ss * slope[0] - ms * slope[1], mm * slope[1] - ms * slope[0]]) / (mm * ss - ms * ms)


def _curved(x: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return the sum of differences of the trigamma function, nearly."""
    return _trigamma(x + c[:, None]).sum(-1) - x.shape[-1] * _trigamma(c)


def _trigamma(x: np.ndarray) -> np.ndarray:
    """Return the trigamma function, nearly.

    >>> round(float(_trigamma(np.array(10.0))), 3), round(float(special.polygamma(1, 10.0)), 3)
    (0.105, 0.105)
    """
    next_to = x + 1
    return 1 / (x * x) + (1 + (1 + 1 / (3 * next_to)) / (2 * next_to)) / next_to


# --- one project ------------------------------------------------------------------------------------------------------


class Gain(NamedTuple):
    """What one project gained beyond its regression to the mean, after minus before.

    ``estimate``: after minus what was to be expected without any action (``expected``); ``naive``: after minus before
    as observed; ``regression``: ``expected`` minus observed before; ``shrinkage``: the part of the way to the mean of
    all projects that the expectation lies on, from 0 to 1. ``reason``: ``too_few_projects``, ``no_answers``,
    ``no_variation``.
    """

    estimate: float = math.nan
    se: float = math.nan
    conf_low: float = math.nan
    conf_high: float = math.nan
    statistic: float = math.nan
    df: float = math.inf
    p_value: float = math.nan
    n_before: float = 0
    n_after: float = 0
    naive: float = math.nan
    expected: float = math.nan
    regression: float = math.nan
    shrinkage: float = math.nan
    reason: str = ""


def expected_regression(prior: Prior, k: float, n: float) -> float:
    """Return how much a project's rate would rise by itself: what its own answers and all projects say, minus observed.

    >>> round(expected_regression(Prior(87.0, 13.0, 8), 15, 20), 4)  # (87 + 15) / (100 + 20) - 15 / 20
    0.1
    """
    _counts(k, n)
    if n <= 0 or prior.projects < 2:
        raise ValueError("expected_regression needs answers of the project, and a prior of two projects or more.")
    a, b = prior.posterior(k, n)
    return a / (a + b) - k / n


def predict(k1: float, n1: float, k2: float, n2: float, prior: Prior) -> Gain:
    """Return whether one project gained more than its regression to the mean, from satisfied and answers of two waves.

    Parameters
    ----------
    prior
        Of the baseline of all projects, this one included: see ``fit_prior``.

    Notes
    -----
    Predictive test: its own baseline and the other projects say where the true rate may lie (a beta distribution), and
    so how many of n2 would be satisfied if nothing had changed. p = 2 × the smaller of P(K ≥ k2) and P(K ≤ k2), k2
    itself counted in full, with the least favourable of the fitted prior and of priors worth half as much and twice as
    much; with the fitted one alone 6.5 % err where a fifth of the projects is bad. The interval holds the moves of the
    rate (on the logit scale) that the test does not reject, told as the change of the expected rate: it leaves out 0
    exactly where p < 0.05. Effective numbers need not be whole: binomial tails by the incomplete beta function.

    The risk is an average one. Of all projects that are chosen for a low score at most 6 % are wrongly told to have
    changed, and 2.5 % to have improved; of truly good ones caught by bad luck many more, as they look like projects
    that improved (60 answers, true rate 92 %: 14 %; 95 %: 42 %).

    References
    ----------
    Efron, Morris (1975), JASA 70, 311. Box (1980), JRSS A 143, 383 (predictive test).

    Examples
    --------
    45 of 60 before (75 %); the others lead to expect 80 %, so that 81.7 % after are hardly a gain:

    >>> found = predict(45, 60, 49, 60, Prior(36.0, 4.0, 12))
    >>> [round(part, 3) for part in (found.naive, found.expected, found.estimate, found.p_value)]
    [0.067, 0.81, 0.007, 1.0]
    """
    k1, n1, k2, n2 = (float(each[0]) for each in _counts(k1, n1, k2, n2))
    if prior.reason or prior.projects < LEAST_PROJECTS:
        return Gain(n_before=n1, n_after=n2, reason=FEW_PROJECTS)
    if min(n1, n2) <= 0:
        return Gain(n_before=n1, n_after=n2, reason=NO_ANSWERS)
    a, b = prior.posterior(k1, n1)
    expected, size = a / (a + b), a + b
    counts = np.array([[k1], [n1], [k2], [n2]])
    low, high = (float(part[0]) for part in gain_limits(prior, *counts))
    p_value = float(p_values(np.array([prior.a]), np.array([prior.b]), *counts)[0])
    estimate = k2 / n2 - expected
    se = math.sqrt(expected * (1 - expected) / n2 * (size + n2) / (size + 1))
    statistic = math.copysign(abs(float(special.ndtri(p_value / 2))), estimate)
    return Gain(
        estimate, se, low, high, statistic, math.inf, p_value, n1, n2,
        k2 / n2 - k1 / n1, expected, expected - k1 / n1, (prior.a + prior.b) / size,
    )  # fmt: skip


def p_values(
    a: np.ndarray, b: np.ndarray, k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray
) -> np.ndarray:
    """Return the p-values of ``predict`` of many projects, each with its prior (a, b), of one shape."""
    tails = [_tails(*_worth(a, b, k1, n1, worth), k2, n2) for worth in WORTH]
    return np.minimum(1.0, 2 * np.minimum(*np.max(tails, axis=0)))


def _worth(a: Any, b: Any, k1: np.ndarray, n1: np.ndarray, worth: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the posterior of a project with a prior that is worth more or less."""
    return worth * a + k1, worth * b + n1 - k1


def gain_limits(prior: Prior, k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray) -> Arrays:
    """Return the ends of the intervals of ``predict`` of many projects with one prior."""
    a, b = np.array([_worth(prior.a, prior.b, k1, n1, worth) for worth in WORTH]).swapaxes(0, 1)
    x, weight = _nodes(a[..., None], b[..., None])
    expected = (weight * special.expit(x)).sum(axis=-1)
    low, high = ((weight * special.expit(x + _farthest(a, b, k2, n2, tail)[..., None])).sum(axis=-1) for tail in (0, 1))
    low, high = np.where(k2 <= NOISE, 0.0, low), np.where(n2 - k2 <= NOISE, 1.0, high)
    return (low - expected).min(axis=0), (high - expected).max(axis=0)


def _farthest(a: np.ndarray, b: np.ndarray, k: np.ndarray, n: np.ndarray, tail: int) -> np.ndarray:
    """Return the move of the logit of the rate at which a tail is 2.5 %: the least (0) or the greatest (1).

    Halving, the first time at no move at all, so that its side is that of the p-value; then false position (Illinois)
    on the normal quantile of the tail, which is nearly a line.
    """
    a, b, k, n = (part.ravel() for part in np.broadcast_arrays(a, b, k, n))
    ends, heights = (np.outer([-side, side], np.ones(len(a))) for side in (FARTHEST, STEEPEST))
    column, last, middle = np.arange(len(a)), np.full(len(a), -1), np.zeros(len(a))
    for step in range(HALVINGS + SECANTS):
        part = np.full(len(a), 0.5) if step < HALVINGS else heights[0] / (heights[0] - heights[1])
        middle = ends[0] + part * (ends[1] - ends[0])
        found = special.ndtri(np.clip(_tails(a, b, k, n, middle)[tail], 1e-15, 1 - 1e-15)) - special.ndtri(TAIL)
        side = (found >= 0).astype(int) if tail == 0 else (found < 0).astype(int)
        heights[1 - side, column] *= np.where((side == last) & (step > HALVINGS), 0.5, 1.0)
        ends[side, column], heights[side, column], last = middle, found if tail == 0 else -found, side
    return middle.reshape(len(WORTH), -1)


def _tails(a: np.ndarray, b: np.ndarray, k: np.ndarray, n: np.ndarray, shift: np.ndarray | float = 0.0) -> np.ndarray:
    """Return the probabilities of k of n and more, and of k and fewer, the logit of the rate moved by a shift.

    Notes
    -----
    The rate is beta distributed (a, b). The sum goes over its logit, which has thin tails, so that equal steps are
    enough. Not whole numbers: the binomial tail by the incomplete beta function.
    """
    a, b, k, n, shift = (np.asarray(each, dtype=float)[..., None] for each in np.broadcast_arrays(a, b, k, n, shift))
    x, weight = _nodes(a, b)
    log_p, log_q = special.log_expit(x + shift), special.log_expit(-x - shift)
    below = np.where(n - k <= NOISE, 1.0, special.betainc(np.maximum(n - k, NOISE), k + 1, np.exp(log_q)))
    just = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1) + k * log_p + (n - k) * log_q
    fewer, alone = (weight * below).sum(axis=-1), (weight * np.exp(just)).sum(axis=-1)
    return np.clip([1 - fewer + alone, fewer], SMALLEST, 1.0)


def _nodes(a: np.ndarray, b: np.ndarray) -> Arrays:
    """Return logits of a beta distributed rate in equal steps, and their weights, along the last axis."""
    spread = np.sqrt(special.zeta(2, a) + special.zeta(2, b))
    x = special.psi(a) - special.psi(b) + spread * np.linspace(-REACH, REACH, NODES)
    weight = a * special.log_expit(x) + b * special.log_expit(-x)
    weight = np.exp(weight - weight.max(axis=-1, keepdims=True))
    return x, weight / weight.sum(axis=-1, keepdims=True)


# --- one project, means -----------------------------------------------------------------------------------------------


def fit_normal_prior(means: np.ndarray, se: np.ndarray) -> NormalPrior:
    """Return the normal distribution of the true means of the projects, from their means and standard errors.

    Notes
    -----
    Restricted maximum likelihood × the spread, which keeps the spread from being taken as none (see ``fit_prior``).

    References
    ----------
    Morris (1983), JASA 78, 47. Chung, Rabe-Hesketh, Dorie, Gelman, Liu (2013), Psychometrika 78, 685.

    Examples
    --------
    >>> found = fit_normal_prior(np.array([70.0, 90, 80, 84, 76, 88, 72, 80]), np.full(8, 2.0))
    >>> round(found.mean, 2), round(found.spread, 1), round(found.mean_se, 1)
    (80.0, 7.5, 2.8)
    """
    values, errors = np.atleast_1d(np.asarray(means, dtype=float)), np.atleast_1d(np.asarray(se, dtype=float))
    if values.shape != errors.shape or not (np.isfinite(values).all() and np.isfinite(errors).all()):
        raise ValueError("means and se: a mean or standard error is missing; give both, or leave the project out.")
    if (errors <= 0).any():
        raise ValueError("se must be above 0; leave out projects whose answers are too few or all the same.")
    if len(values) < 2:
        return NormalPrior(math.nan, math.nan, math.nan, len(values), FEW_PROJECTS)
    mean, spread, mean_se = (float(part[0]) for part in fit_normal_priors(values[None], errors[None]))
    return NormalPrior(mean, spread, mean_se, len(values), FEW_PROJECTS if len(values) < LEAST_PROJECTS else "")


def fit_normal_priors(values: np.ndarray, errors: np.ndarray) -> Arrays:
    """Return mean, spread and the error of the mean of many portfolios: portfolios × projects."""
    scale = np.sqrt(values.var(axis=-1) + (errors**2).mean(axis=-1))
    middle, width, portfolios = np.log(scale), math.log(100), np.arange(len(values))
    for _ in range(STEPS):
        tried = middle[:, None] + np.linspace(-width, width, LINE)
        heights = [_likelihood(values, errors, np.exp(each)) for each in tried.T]
        middle = tried[portfolios, np.argmax(heights, axis=0)]
        width *= 3 / LINE
    weights = 1 / (errors**2 + np.exp(2 * middle)[:, None])
    total = weights.sum(axis=-1)
    return (weights * values).sum(axis=-1) / total, np.exp(middle), 1 / np.sqrt(total)


def _likelihood(values: np.ndarray, errors: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the logarithm of the restricted likelihood × the spread."""
    weights = 1 / (errors**2 + spread[:, None] ** 2)
    total = weights.sum(axis=-1)
    mean = (weights * values).sum(axis=-1) / total
    square = (weights * (values - mean[:, None]) ** 2).sum(axis=-1)
    return (np.log(weights).sum(axis=-1) - np.log(total) - square) / 2 + np.log(spread)


def predict_mean(
    mean1: float, se1: float, mean2: float, se2: float, prior: NormalPrior, n_before: float = 0, n_after: float = 0
) -> Gain:
    """Return whether one project's mean gained more than its regression to the mean, from two means and their errors.

    Notes
    -----
    As ``predict``, with a normal distribution of true means: after minus expected, ÷ the root of the sum of squares of
    the true mean's uncertainty, of the error after, and of the prior mean's error times the shrinkage. Student's
    quantile with projects − 1 degrees of freedom, as the spread is estimated; least favourable of three spreads.

    Examples
    --------
    70 where all projects lie about 80 with the same spread as the error: 75 is expected, and found

    >>> found = predict_mean(70.0, 3.0, 75.0, 3.0, NormalPrior(80.0, 3.0, 1.0, 10))
    >>> found.expected, found.estimate, found.p_value
    (75.0, 0.0, 1.0)
    """
    if not np.isfinite([mean1, se1, mean2, se2]).all():
        raise ValueError("a mean or its standard error is missing; predict_mean needs both of both waves.")
    if prior.reason or prior.projects < LEAST_PROJECTS:
        return Gain(n_before=n_before, n_after=n_after, reason=FEW_PROJECTS)
    if min(se1, se2) <= 0:
        return Gain(n_before=n_before, n_after=n_after, reason=SAME)
    df, expected = float(prior.projects - 1), prior.posterior(mean1, se1)[0]
    about = (mean1, se1, mean2, se2, prior.mean, prior.spread, prior.mean_se)
    gaps, errors = _gaps(*about)
    half, p_value = t_quantile(df) * errors, float(mean_p_values(*about, prior.projects)[0])
    low, high, estimate = float((gaps - half).min()), float((gaps + half).max()), float(gaps[1])
    statistic = math.copysign(float(abs(special.stdtrit(df, p_value / 2))), estimate)
    shrinkage = se1**2 / (se1**2 + prior.spread**2)
    return Gain(
        estimate, float(errors[1]), low, high, statistic, df, p_value, n_before, n_after,
        mean2 - mean1, expected, expected - mean1, shrinkage,
    )  # fmt: skip


def mean_p_values(
    mean1: Any, se1: Any, mean2: Any, se2: Any, mean: Any, spread: Any, mean_se: Any, projects: int
) -> Arrays:
    """Return the p-values and gains of ``predict_mean`` of many projects, each with its prior."""
    gaps, errors = _gaps(mean1, se1, mean2, se2, mean, spread, mean_se)
    up, down = (special.stdtr(projects - 1, sign * gaps / errors).max(axis=0) for sign in (-1, 1))
    return np.minimum(1.0, 2 * np.minimum(up, down)), gaps[1]


def _gaps(mean1: Any, se1: Any, mean2: Any, se2: Any, mean: Any, spread: Any, mean_se: Any) -> Arrays:
    """Return after minus expected and its error for each of the three priors, the first axis."""
    squares = np.array([np.asarray(spread, dtype=float) ** 2 / worth for worth in WORTH])
    shrinkage = np.asarray(se1) ** 2 / (np.asarray(se1) ** 2 + squares)
    error = np.sqrt(shrinkage * squares + se2**2 + (shrinkage * mean_se) ** 2)
    return mean2 - mean1 - shrinkage * (mean - mean1), error


# --- a portfolio ------------------------------------------------------------------------------------------------------


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
    chosen, waves = np.atleast_1d(np.asarray(acted)).astype(bool), _counts(k1, n1, k2, n2)
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
    chosen, waves = np.atleast_1d(np.asarray(acted)).astype(bool), _counts(k1, n1, k2, n2)
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


def split_baseline(before: Estimate, after: Estimate) -> Difference:
    """Return the change of a share from the half of the baseline that the action was not decided on.

    Parameters
    ----------
    before
        Share of half B of the baseline: forms that nobody looked at when the action was decided.
    after
        Share of the after wave.

    Notes
    -----
    Only where half A alone, or other data, decided. Where all forms did, which is the normal case, half B regresses
    too: 3 to 5 points by themselves, and more than twice as many as should are told to have improved. Then it is not
    to be used.
    Newcombe's interval and its test: see ``compare_shares``; ``split_baseline_mean`` for means.

    Examples
    --------
    >>> half, wave = Estimate(0.6, 0.055, 80, 80, 79, 1, True), Estimate(0.8, 0.048, 70, 70, 69, 1, True)
    >>> found = split_baseline(half, wave)
    >>> round(found.estimate, 4), found.p_value < 0.01
    (0.2, True)
    """
    return compare_shares(before, after)


def split_baseline_mean(before: Estimate, after: Estimate) -> Difference:
    """Return the change of a mean from the half of the baseline that the action was not decided on, by Welch's t.

    On the condition of ``split_baseline``.
    """
    return compare_estimates(before, after)
