"""Where is the likelihood of ordered answers highest, and is there such a place at all?"""

from typing import NamedTuple

import numpy as np
from scipy import special

STEPS = 60  # of Newton's method; 5 or 6 do where there is a maximum
CLOSE = 1e-10  # squared distance to the maximum, in standard errors
FAR = 10.0  # distance of linear predictors, in logits, from which on it is asked whether there is a maximum at all
_Found = tuple[float, np.ndarray, np.ndarray]  # log-likelihood, scores, information


class Maximum(NamedTuple):
    """Where the log-likelihood is highest: coefficients, then thresholds."""

    place: np.ndarray
    scores: np.ndarray  # of a single answer of each row, without its weight
    inverse: np.ndarray  # of the observed information
    log_likelihood: float
    lost: np.ndarray  # which of them run off to infinity
    converged: bool


def maximise(levels: np.ndarray, terms: np.ndarray, weights: np.ndarray) -> Maximum:
    """Return where the log-likelihood of a proportional-odds model is highest, by Newton's method.

    Notes
    -----
    It is concave (Burridge 1981), so that a step that leads down is halved. With a = θ_k − η, b = θ_(k−1) − η and the
    logistic function F: log(F(a) − F(b)) = log F(a) + log F(−b) + log(1 − exp(b − a)), of which no part can overflow.
    """
    shares = np.cumsum(np.bincount(levels, weights))
    place = np.concatenate([np.zeros(terms.shape[1]), special.logit(shares[:-1] / shares[-1])])
    converged, found = False, _likelihood(place, levels, terms, weights)
    for _ in range(STEPS):
        _, scores, information = found
        gradient = weights @ scores
        step = _inverse(information) @ gradient
        place, found, moved = _upwards(place, step, found, levels, terms, weights)
        if not moved or gradient @ step < CLOSE:
            converged = bool(gradient @ step < CLOSE)
            break
    log_likelihood, scores, information = found
    lost = _lost(place, levels, terms) if not converged or _spread(place, terms) > FAR else np.zeros(len(place), bool)
    return Maximum(place, scores, _inverse(information, lost), log_likelihood, lost, converged or bool(lost.any()))


def _likelihood(place: np.ndarray, levels: np.ndarray, terms: np.ndarray, weights: np.ndarray) -> _Found:
    """Return the log-likelihood, each row's gradient without its weight, and the observed information."""
    width, cuts = terms.shape[1], len(place) - terms.shape[1]
    eta = terms @ place[:width]
    ends = np.concatenate([[-np.inf], place[width:], [np.inf]])
    above, below = ends[levels + 1] - eta, ends[levels] - eta
    gap = -np.expm1(below - above)  # 1 − exp(b − a)
    shrunk = np.exp(below - above)
    log_likelihood = float(weights @ (special.log_expit(above) + special.log_expit(-below) + np.log(gap)))
    between = shrunk / gap
    first, second = special.expit(-above) + between, -special.expit(below) - between  # by a, by b
    curve = between * (1 + between)
    by_above, by_below = special.expit(above) * special.expit(-above), special.expit(below) * special.expit(-below)
    up, down = np.zeros((len(levels), cuts + 1)), np.zeros((len(levels), cuts + 1))
    up[np.arange(len(levels)), levels] = down[np.arange(len(levels)), levels - 1] = 1.0
    up, down = np.hstack([-terms, up[:, :cuts]]), np.hstack([-terms, down[:, :cuts]])
    top, bottom = (levels == cuts)[:, None], (levels == 0)[:, None]
    up, down = np.where(top, 0.0, up), np.where(bottom, 0.0, down)
    scores = first[:, None] * up + second[:, None] * down
    apart = up - down
    information = (
        (up * (weights * by_above)[:, None]).T @ up
        + (down * (weights * by_below)[:, None]).T @ down
        + (apart * (weights * curve)[:, None]).T @ apart
    )
    return log_likelihood, scores, information


def _inverse(information: np.ndarray, lost: np.ndarray | None = None) -> np.ndarray:
    """Return the inverse of an information matrix, with zeros for what runs off to infinity."""
    kept = np.ones(len(information), bool) if lost is None else ~lost
    scale = 1 / np.sqrt(np.maximum(np.diag(information)[kept], 1e-300))
    found = np.zeros_like(information)
    found[np.ix_(kept, kept)] = np.linalg.pinv(
        information[np.ix_(kept, kept)] * scale[:, None] * scale, rcond=1e-13, hermitian=True
    ) * (scale[:, None] * scale)
    return found


def _upwards(
    place: np.ndarray, step: np.ndarray, found: _Found, levels: np.ndarray, terms: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, _Found, bool]:
    """Return the next place, what is found there, and whether it is any better: a step, halved while it leads down."""
    for halved in range(40):
        tried = place + step / 2**halved
        if (np.diff(tried[terms.shape[1] :]) > 0).all():
            there = _likelihood(tried, levels, terms, weights)
            if there[0] >= found[0] - 1e-12 * abs(found[0]):
                return tried, there, True
    return place, found, False


def _spread(place: np.ndarray, terms: np.ndarray) -> float:
    """Return how far linear predictors and thresholds lie apart."""
    width = terms.shape[1]
    return float(max(np.ptp(terms @ place[:width]), np.ptp(place[width:])))


def _lost(place: np.ndarray, levels: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Return which coefficients and thresholds run off to infinity, as along them every answer becomes likelier.

    Notes
    -----
    A linear programme: the direction within a box along which no answer becomes less likely and all together become
    as much likelier as can be (Konis 2007). No such direction: there is a maximum.
    """
    from scipy.optimize import linprog

    cuts = len(place) - terms.shape[1]
    unique = np.unique(np.column_stack([levels, terms]), axis=0)
    chosen, values = unique[:, 0].astype(int), unique[:, 1:]
    cut = np.eye(cuts)
    upper, lower = chosen < cuts, chosen > 0
    gains = np.vstack(
        [np.hstack([-values[upper], cut[chosen[upper]]]), np.hstack([values[lower], -cut[chosen[lower] - 1]])]
    )
    found = linprog(-gains.sum(axis=0), A_ub=-gains, b_ub=np.zeros(len(gains)), bounds=(-1, 1), method="highs")
    if found.x is None or gains.sum(axis=0) @ found.x <= 1e-6:
        return np.zeros(len(place), bool)
    return np.abs(found.x) > 1e-6
