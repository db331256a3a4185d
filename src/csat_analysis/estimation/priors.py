"""How do the true rates of many projects differ, and their means? Priors that are fitted to all of them."""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import special

LEAST_PROJECTS = 8  # from which spread of true rates can be told
WORTH = (0.5, 1.0, 2.0)  # times what the fitted prior is worth, itself in the middle: the least favourable counts
LEAST, LARGEST = 0.1, 1e6  # answers that a prior is worth
NEWTON = 40  # steps of a fit
LINE, STEPS = 41, 6  # values of the spread that are tried at a time, and how often more finely
FEW_PROJECTS = "too_few_projects"
NOISE = 1e-9  # of floating point
Arrays = tuple[np.ndarray, ...]


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


# --- rates ------------------------------------------------------------------------------------------------------------


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
    k, n = as_counts(k, n)
    there = n > 0
    projects = int(there.sum())
    if projects < 2:
        return Prior(math.nan, math.nan, projects, FEW_PROJECTS)
    mean, size = (float(part[0]) for part in fit_priors(k[there][None], n[there]))
    return Prior(mean * size, (1 - mean) * size, projects, FEW_PROJECTS if projects < LEAST_PROJECTS else "")


def as_counts(*counts: Any) -> Arrays:
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


# --- means ------------------------------------------------------------------------------------------------------------


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
