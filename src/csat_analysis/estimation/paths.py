"""Which weights, loadings and paths does a model of constructs have? Partial least squares on correlations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

Scheme = Literal["path", "factorial", "centroid"]
Ends = tuple[float, float]

TURNS = 500  # of the iteration, at most
SETTLED = 1e-12  # the largest change of a weight in the last turn
NOISE = 1e-14  # a variance of this share of the squared scale, or less, is floating point's
SINGULAR = 1e-12  # the determinant of a correlation matrix, the variance of a sum of items: at most
FAINT = 1e-28  # the variance of a sum of items whose construct goes with no other, at most
ROWS = 2048  # how many forms are multiplied out together


# --- the model --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PathModel:
    """Constructs with their items, what leads to what, and the ends of each item's scale."""

    constructs: tuple[str, ...]
    items: tuple[str, ...]
    member: np.ndarray  # item x construct: whether the item is one of the construct's
    arrows: np.ndarray  # construct x construct: whether the row leads to the column
    low: np.ndarray  # one end of each item's scale, and the other
    high: np.ndarray

    @property
    def targets(self) -> list[int]:
        """Return the places of the constructs that something leads to."""
        return np.flatnonzero(self.arrows.any(axis=0)).tolist()


def path_model(
    blocks: Mapping[str, Sequence[str]], paths: Mapping[str, Sequence[str]], ends: Ends | Mapping[str, Ends]
) -> PathModel:
    """Return the model that blocks, paths and the ends of the scales make.

    Parameters
    ----------
    blocks
        Construct: its items. All are reflective (mode A); one item is enough.
    paths
        Construct: the constructs that lead to it.
    ends
        The lowest and the highest value of an item, one pair for all or a pair each.

    Examples
    --------
    >>> model = path_model({"quality": ["q1", "q2"], "loyalty": ["l1"]}, {"loyalty": ["quality"]}, ends=(1, 10))
    >>> model.constructs, model.items
    (('quality', 'loyalty'), ('q1', 'q2', 'l1'))
    """
    constructs = tuple(blocks)
    items = tuple(item for block in blocks.values() for item in block)
    _check_names(blocks, items, paths)
    low, high = ends_of(items, ends)
    member = np.array([[item in block for block in blocks.values()] for item in items])
    arrows = np.array([[source in paths.get(target, ()) for target in constructs] for source in constructs])
    _check_arrows(constructs, arrows)
    return PathModel(constructs, items, member, arrows, low, high)


def ends_of(items: Sequence[str], ends: Ends | Mapping[str, Ends]) -> np.ndarray:
    """Return the lowest values of the items, and the highest."""
    each = ends if isinstance(ends, Mapping) else dict.fromkeys(items, ends)
    if wrong := [item for item in items if item not in each or not each[item][0] < each[item][1]]:
        raise ValueError(f"The scale of {wrong} has no two ends; give the lowest and then the highest value of each.")
    return np.array([each[item] for item in items], dtype=float).T


def _check_names(blocks: Mapping[str, Sequence[str]], items: Sequence[str], paths: Mapping[str, Sequence[str]]) -> None:
    """Refuse a construct without items, an item in two places, and a path from or to something unknown."""
    if empty := [construct for construct, block in blocks.items() if not block]:
        raise ValueError(f"Constructs without an item: {empty}; name the items that measure each.")
    if twice := sorted({item for item in items if items.count(item) > 1}):
        raise ValueError(f"Items in more than one place: {twice}; an item measures one construct, once.")
    named = {*paths, *(source for sources in paths.values() for source in sources)}
    if unknown := sorted(named - set(blocks)):
        raise ValueError(f"The paths name {unknown}; use the constructs {sorted(blocks)}.")


def _check_arrows(constructs: Sequence[str], arrows: np.ndarray) -> None:
    """Refuse a construct that no path touches, and paths that lead back to where they began."""
    if alone := [
        name for name, touched in zip(constructs, (arrows | arrows.T).any(axis=0), strict=True) if not touched
    ]:
        raise ValueError(f"No path reaches {alone}; draw one from or to each, or leave the construct out.")
    further = np.linalg.matrix_power(np.eye(len(arrows), dtype=int) + arrows, len(arrows)) @ arrows > 0
    if circle := [name for name, back in zip(constructs, np.diag(further), strict=True) if back]:
        raise ValueError(f"The paths lead in a circle through {circle}; take out the one against the course of things.")


# --- the algebra: stacks of correlation matrices, one to a sample -----------------------------------------------------


class Solution(NamedTuple):
    """What the algebra gives for each sample of a stack; the first axis counts the samples."""

    weights: np.ndarray  # sample x item x construct, zero outside the construct's block
    loadings: np.ndarray  # likewise
    paths: np.ndarray  # sample x source x target
    r2: np.ndarray  # sample x target
    indices: np.ndarray  # sample x construct
    spans: np.ndarray  # sample x construct: how far its items' scales reach, in standard deviations of its score
    turns: np.ndarray  # of the iteration, by sample; 0 where it has not settled
    faults: dict[str, np.ndarray]  # reason: sample x what has it, an item or a construct


def moments(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each set of weights (set x row), the means of the columns and their covariances (over Σ weights).

    >>> means, covariances = moments(np.array([[1.0, 2.0], [3.0, 6.0]]), np.array([[1.0, 1.0], [1.0, 0.0]]))
    >>> means.tolist(), covariances[0].tolist()
    ([[2.0, 4.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 4.0]])
    """
    centre = values.mean(axis=0)
    columns = np.column_stack([np.ones(len(values)), values - centre])
    k, sums = columns.shape[1], np.zeros((len(weights), columns.shape[1] ** 2))
    for start in range(0, len(values), ROWS):
        rows = columns[start : start + ROWS]
        sums += weights[:, start : start + ROWS] @ (rows[:, :, None] * rows[:, None, :]).reshape(len(rows), -1)
    total = sums[:, :1]
    squares = (sums / np.where(total > 0, total, 1.0)).reshape(-1, k, k)
    means = squares[:, 0, 1:]
    return centre + means, squares[:, 1:, 1:] - means[:, :, None] * means[:, None, :]


def solve(
    means: np.ndarray, covariances: np.ndarray, model: PathModel, scheme: Scheme, original: np.ndarray | None = None
) -> Solution:
    """Return the solution for each sample of a stack of means (sample x item) and covariances (sample x item x item).

    Parameters
    ----------
    original
        Loadings (item x construct) that each sample's constructs are to agree with; None: with most of their items.

    Notes
    -----
    Lohmöller's algorithm on the correlations R alone. The scores are R-standardised sums of items, weights W; from
    weights of 1, each turn takes the correlations C of the scores, the inner weights E of the scheme, and for W the
    covariances of each item with its construct's neighbours, R W E, rescaled to scores of variance 1. Then loadings
    R W, paths by least squares on the scores, R² = Σ path x correlation.

    References
    ----------
    Lohmöller (1989), Latent Variable Path Modeling with Partial Least Squares, ch. 2. Tenenhaus, Esposito Vinzi,
    Chatelin, Lauro (2005), Computational Statistics & Data Analysis 48.
    """
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    flat = variances <= NOISE * (model.high - model.low) ** 2
    sds = np.sqrt(np.where(flat, 1.0, variances))
    correlations = covariances / (sds[:, :, None] * sds[:, None, :])
    weights, turns = _outer_weights(correlations, model, scheme)
    loadings = correlations @ weights * model.member
    signs = _signs(loadings, original)[:, None, :]
    weights, loadings = weights * signs, loadings * signs
    between = np.swapaxes(weights, 1, 2) @ correlations @ weights
    paths, collinear = _regress(between, model)
    index, spans = _indices(weights / sds[:, :, None], means, model)
    faults = {
        "no_variation": flat,
        "not_converged": turns[:, None] == 0,
        "no_score": np.diagonal(between, axis1=1, axis2=2) < 0.5,  # it is 1 or, by guard, 0
        "collinear": collinear,
        "no_index": spans <= 0,
    }
    return Solution(weights, loadings, paths, (paths * between).sum(axis=1), index, spans, turns, faults)


def _outer_weights(correlations: np.ndarray, model: PathModel, scheme: Scheme) -> tuple[np.ndarray, np.ndarray]:
    """Return the outer weights of each sample and the turns they took; samples that have settled rest."""
    turns = np.zeros(len(correlations), dtype=int)
    weights = _scaled(correlations, np.broadcast_to(model.member, (len(correlations), *model.member.shape)))
    for turn in range(1, TURNS + 1):
        moving = np.flatnonzero(turns == 0)
        known, old = correlations[moving], weights[moving]
        covariances = known @ old
        inner = _inner_weights(np.swapaxes(old, 1, 2) @ covariances, model, scheme)
        new = _scaled(known, covariances @ inner * model.member)
        weights[moving] = new
        turns[moving[np.abs(new - old).max(axis=(1, 2)) < SETTLED]] = turn
        if turns.all():
            break
    return weights, turns


def _scaled(correlations: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weights that give scores of variance 1; none where a score has no variance."""
    variances = (weights * (correlations @ weights)).sum(axis=1, keepdims=True)
    some = variances > np.maximum(SINGULAR * (weights**2).max(axis=1, keepdims=True), FAINT)
    return weights * np.where(some, 1 / np.sqrt(np.where(some, variances, 1.0)), 0.0)


def _inner_weights(between: np.ndarray, model: PathModel, scheme: Scheme) -> np.ndarray:
    """Return how each construct's neighbours (rows) are added up to stand for it (columns).

    Centroid: by the sign of the correlation. Factorial: by the correlation. Path: by the correlation for those it leads
    to, by the regression coefficient for those that lead to it.
    """
    if scheme == "path":
        return between * model.arrows.T + _regress(between, model)[0]
    return (np.sign(between) if scheme == "centroid" else between) * (model.arrows | model.arrows.T)


def _regress(between: np.ndarray, model: PathModel) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients of the sources (rows) of each target (columns), and which targets' sources are collinear.

    Where they are, correlations stand in, so that the iteration can go on.
    """
    coefficients = np.zeros(between.shape)
    collinear = np.zeros(between.shape[:2], dtype=bool)
    for target in model.targets:
        sources = np.flatnonzero(model.arrows[:, target])
        among = between[:, sources[:, None], sources]
        collinear[:, target] = np.linalg.det(among) < SINGULAR
        among = np.where(collinear[:, target, None, None], np.eye(len(sources)), among)
        coefficients[:, sources, target] = np.linalg.solve(among, between[:, sources, target, None])[..., 0]
    return coefficients, collinear


def _signs(loadings: np.ndarray, original: np.ndarray | None) -> np.ndarray:
    """Return the sign that makes each construct go with the majority of its items, in a tie with their sum."""
    together = (loadings * (1.0 if original is None else original)).sum(axis=1)
    votes = np.sign(loadings).sum(axis=1) if original is None else together
    return np.where(np.where(votes == 0, together, votes) < 0, -1.0, 1.0)


def _indices(raw: np.ndarray, means: np.ndarray, model: PathModel) -> tuple[np.ndarray, np.ndarray]:
    """Return the index of each construct, and how far its items' scales reach, by unstandardised weights."""
    spans = (raw * (model.high - model.low)[:, None]).sum(axis=1)
    above = (raw * (means - model.low)[:, :, None]).sum(axis=1)
    return 100 * above / np.where(spans > 0, spans, 1.0), spans


# --- what follows along all ways --------------------------------------------------------------------------------------


def total_effects(paths: np.ndarray) -> np.ndarray:
    """Return, for a stack of path matrices, the effects of each construct on each other along all ways.

    >>> total_effects(np.array([[[0, 0.5, 0.1], [0, 0, 0.4], [0, 0, 0]]])).round(6)[0, 0].tolist()
    [0.0, 0.5, 0.3]
    """
    one = np.eye(paths.shape[-1])
    return np.linalg.inv(one - paths) - one


def impacts(solution: Solution) -> np.ndarray:
    """Return, for each sample, by how many points the index of each construct (columns) follows one of another (rows).

    Notes
    -----
    The total effect times the standard deviation of the one index over that of the other.

    References
    ----------
    Fornell et al. (1996), Journal of Marketing 60 ("impact": per five points).
    """
    spans = np.where(solution.spans > 0, solution.spans, 1.0)
    return total_effects(solution.paths) * spans[:, :, None] / spans[:, None, :]


def reached(model: PathModel) -> np.ndarray:
    """Return whether some way leads from each construct (rows) to each other (columns)."""
    return total_effects(model.arrows[None].astype(float))[0] > 0.5


def own_places(model: PathModel) -> tuple[np.ndarray, np.ndarray]:
    """Return where in an item x construct matrix the items' own constructs are."""
    return np.arange(len(model.items)), model.member.argmax(axis=1)
