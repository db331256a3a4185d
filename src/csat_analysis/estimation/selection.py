"""Did it improve, where a project was chosen because it scored low? What it gained beyond regression to the mean."""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from csat_analysis.estimation.priors import (
    FEW_PROJECTS,
    LEAST_PROJECTS,
    NOISE,
    WORTH,
    Arrays,
    NormalPrior,
    Prior,
    as_counts,
)
from csat_analysis.statistics.inference import LEVEL, t_quantile

NO_ANSWERS, SAME = "no_answers", "no_variation"
TAIL = (1 - LEVEL) / 2
HALVINGS, SECANTS = 6, 9  # of a search
FARTHEST, STEEPEST = 30.0, 8.0  # logits that a rate moves; normal quantiles of a tail there
NODES, REACH = 121, 9.0  # of the sum over true rates: how many, and how many standard deviations to each side
SMALLEST = 1e-16  # of tails


# --- shares -----------------------------------------------------------------------------------------------------------


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
    as_counts(k, n)
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
    k1, n1, k2, n2 = (float(each[0]) for each in as_counts(k1, n1, k2, n2))
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


# --- means ------------------------------------------------------------------------------------------------------------


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
