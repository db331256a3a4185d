"""How satisfied are customers, and what makes them so? A satisfaction index by partial least squares path modelling."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import pandas as pd

from csat_analysis.estimation.paths import (
    Ends,
    PathModel,
    Scheme,
    Solution,
    ends_of,
    impacts,
    moments,
    own_places,
    reached,
    solve,
    total_effects,
)
from csat_analysis.estimation.resampling import resampled
from csat_analysis.statistics.design import Design, design_of

LEVEL = 0.95
LEAST = 250  # complete forms: with fewer, the weights alone move an index by more than .4 points
FAILING = 0.05  # share of the replications that may come to nothing


@dataclass(frozen=True)
class Estimate:
    """A model estimated from a survey; where it says a reason, nothing but the numbers of forms."""

    model: PathModel
    scheme: Scheme
    n: int  # complete forms
    left_out: int  # forms with an item of the model not answered
    reason: str = ""
    findings: tuple[str, ...] = ()  # what a reader should know: negative_weight:ITEM
    iterations: int = 0
    means: pd.Series = field(default_factory=pd.Series)  # by item
    covariance: pd.DataFrame = field(default_factory=pd.DataFrame)  # item by item
    weights: pd.Series = field(default_factory=pd.Series)  # by item; of standardised items, for standardised scores
    raw_weights: pd.Series = field(default_factory=pd.Series)  # by item: weight / sd, of items as they are; to freeze
    loadings: pd.Series = field(default_factory=pd.Series)  # by item
    paths: pd.Series = field(default_factory=pd.Series)  # by source and target
    effects: pd.Series = field(default_factory=pd.Series)  # by source and target: along all ways
    impacts: pd.Series = field(default_factory=pd.Series)  # likewise, in points of an index per point of the other
    r2: pd.Series = field(default_factory=pd.Series)  # by target
    index: pd.Series = field(default_factory=pd.Series)  # by construct, 0 to 100
    scores: pd.DataFrame = field(default_factory=pd.DataFrame)  # complete form by construct, mean 0 and variance 1


def estimate(
    answers: pd.DataFrame,
    model: PathModel,
    design: Design | None = None,
    *,
    scheme: Scheme = "path",
    least: int = LEAST,
) -> Estimate:
    """Return the model's weights, loadings, paths, R², scores and indices, or the reason why there are none.

    Parameters
    ----------
    answers
        Points of each item of the model (columns) in each form (rows); not answered: NaN.
    design
        What the rows weigh and stand for; None: one form each, all of one weight.
    scheme
        Inner weighting: ``path``, ``factorial`` or ``centroid``.
    least
        Complete forms below which nothing is estimated.

    Notes
    -----
    Forms that leave an item of the model open are left out (listwise). The other habit, an open answer replaced by
    the item's mean, makes correlations too small and is not done. Items are standardised with the sum of weights as
    divisor, as in R's plspm; semPLS and seminr use n - 1. The scores differ by √(n / (n - 1)), nothing else does.
    Index: 100 (Σ w mean - Σ w low) / (Σ w high - Σ w low), w = weight / sd of the item. A negative weight stays and is
    named among the findings.

    Reasons, the first that holds: ``too_few``, ``no_variation:ITEM``, ``not_converged``, ``no_score:CONSTRUCT`` (its
    items cancel out), ``collinear:CONSTRUCT`` (what leads to it), ``no_index:CONSTRUCT`` (negative weights prevail).

    References
    ----------
    Tenenhaus et al. (2005), Computational Statistics & Data Analysis 48. Fornell et al. (1996), Journal of Marketing
    60 (the index).

    Examples
    --------
    Two constructs of one item each: the path is their correlation, the index the mean on its scale.

    >>> from csat_analysis.estimation.paths import path_model
    >>> model = path_model({"quality": ["q"], "loyalty": ["l"]}, {"loyalty": ["quality"]}, ends=(1, 5))
    >>> answers = pd.DataFrame({"q": [1, 2, 3, 4, None], "l": [2, 1, 4, 3, 5]})
    >>> found = estimate(answers, model, least=4)
    >>> found.n, found.left_out, found.paths.round(6).tolist(), found.index.round(6).to_dict()
    (4, 1, [0.6], {'quality': 37.5, 'loyalty': 37.5})
    >>> estimate(answers, model).reason
    'too_few'
    """
    design = design or design_of(np.ones(len(answers)))
    if scheme not in get_args(Scheme):
        raise ValueError(f"{scheme!r} is no inner weighting scheme; use one of {sorted(get_args(Scheme))}.")
    values, complete = _values(answers, model, design)
    n, left_out = (int(design.counts[rows].sum()) for rows in (complete, ~complete))
    if n < max(least, 1):
        return Estimate(model, scheme, n, left_out, "too_few")
    means, covariances = moments(values[complete], (design.weights * design.counts)[None, complete])
    solution = solve(means, covariances, model, scheme)
    if reason := _reason(solution, model):
        return Estimate(model, scheme, n, left_out, reason)
    own, mean, covariance = own_places(model), means[0], covariances[0]
    sd = np.sqrt(np.diag(covariance))
    items, constructs = pd.Index(model.items, name="item"), pd.Index(model.constructs, name="construct")
    outer = pd.Series(solution.weights[0][own], items)
    effects = total_effects(solution.paths)[0]
    return Estimate(
        model,
        scheme,
        n,
        left_out,
        findings=tuple(f"negative_weight:{item}" for item in outer.index[outer < 0]),
        iterations=int(solution.turns[0]),
        means=pd.Series(mean, items),
        covariance=pd.DataFrame(covariance, items, items),
        weights=outer,
        raw_weights=outer / sd,
        loadings=pd.Series(solution.loadings[0][own], items),
        paths=_by_arrow(solution.paths[0], model.arrows, model),
        effects=_by_arrow(effects, reached(model), model),
        impacts=_by_arrow(impacts(solution)[0], reached(model), model),
        r2=pd.Series(solution.r2[0], constructs).iloc[model.targets],
        index=pd.Series(solution.indices[0], constructs),
        scores=pd.DataFrame((values[complete] - mean) / sd @ solution.weights[0], answers.index[complete], constructs),
    )


def _values(answers: pd.DataFrame, model: PathModel, design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of the model's items and which rows have them all and count; refuse what does not fit."""
    if missing := [item for item in model.items if item not in answers]:
        raise ValueError(f"The answers have no columns {missing}; give one for each item of the model.")
    if len(design.weights) != len(answers) or (design.counts % 1).any():
        raise ValueError("The design does not fit the answers; give it one row to a row, and whole counts.")
    values = answers[list(model.items)].to_numpy(dtype=float, na_value=np.nan)
    return values, np.isfinite(values).all(axis=1) & (design.counts > 0)


def _reason(solution: Solution, model: PathModel) -> str:
    """Return what prevents a solution of the first sample, or nothing."""
    places = {"no_variation": model.items, "not_converged": ("",)}
    for reason, fault in solution.faults.items():
        if fault[0].any():
            return f"{reason}:{places.get(reason, model.constructs)[fault[0].argmax()]}".rstrip(":")
    return ""


def _by_arrow(matrix: np.ndarray, chosen: np.ndarray, model: PathModel) -> pd.Series:
    """Return the chosen cells of a construct x construct matrix, by source and target."""
    pairs = [(model.constructs[source], model.constructs[target]) for source, target in np.argwhere(chosen)]
    return pd.Series(matrix[chosen], pd.MultiIndex.from_tuples(pairs, names=["source", "target"]))


# --- how sure: the bootstrap ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bootstrap:
    """Estimates with standard errors and 95 % intervals; where it says a reason, no tables."""

    reason: str
    replications: int = 0  # that gave a solution
    clusters: int = 0  # from which they were drawn; with fewer than about 20, intervals are rather too narrow
    paths: pd.DataFrame = field(default_factory=pd.DataFrame)  # estimate, se, conf_low, conf_high; rows as in Estimate
    effects: pd.DataFrame = field(default_factory=pd.DataFrame)
    impacts: pd.DataFrame = field(default_factory=pd.DataFrame)
    weights: pd.DataFrame = field(default_factory=pd.DataFrame)
    index: pd.DataFrame = field(default_factory=pd.DataFrame)


def bootstrap(
    answers: pd.DataFrame,
    model: PathModel,
    design: Design | None = None,
    *,
    seed: int,
    scheme: Scheme = "path",
    replications: int = 1000,
    least: int = LEAST,
) -> Bootstrap:
    """Return percentile intervals of paths, total effects, weights and indices, all of them estimated anew each time.

    Parameters
    ----------
    design
        Strata and clusters (primary units) of the rows too; None: each form is one cluster.

    Notes
    -----
    See ``resampling.resampled``: primary units are drawn within strata. Those with no complete form take part. A
    construct whose loadings come out against the original ones is turned round.

    Further reasons: ``one_cluster``, where no two primary units are left to draw from; ``unstable``, where more than
    5 % of the replications have no solution (fewer are passed over).

    References
    ----------
    Tenenhaus et al. (2005), Computational Statistics & Data Analysis 48 (the turning round).

    Examples
    --------
    >>> from csat_analysis.estimation.paths import path_model
    >>> model = path_model({"quality": ["q"], "loyalty": ["l"]}, {"loyalty": ["quality"]}, ends=(1, 5))
    >>> answers = pd.DataFrame({"q": [1, 2, 3, 4, 5, 4, 3, 2], "l": [1, 2, 3, 5, 5, 4, 4, 1]})
    >>> bootstrap(answers, model, seed=1, least=8).index.round(1).loc["loyalty"].to_dict()
    {'estimate': 53.1, 'se': 14.7, 'conf_low': 25.0, 'conf_high': 82.1}
    """
    design = design or design_of(np.ones(len(answers)))
    found = estimate(answers, model, design, scheme=scheme, least=least)
    if found.reason:
        return Bootstrap(found.reason)
    means, covariances = _samples(answers, model, design, replications, seed)
    if not len(means):
        return Bootstrap("one_cluster")
    original = np.zeros(model.member.shape)
    original[own_places(model)] = found.loadings
    solution = solve(means, covariances, model, scheme, original)
    sound = ~np.any([fault.any(axis=1) for fault in solution.faults.values()], axis=0)
    clusters = round(design.repeats.sum())
    if sound.mean() < 1 - FAILING:
        return Bootstrap("unstable", int(sound.sum()), clusters)
    return _summary(found, solution, sound, clusters)


def _samples(
    answers: pd.DataFrame, model: PathModel, design: Design, replications: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the means and covariances of the items in samples drawn again; none where there is nothing to draw."""
    values, complete = _values(answers, model, design)
    units, weights = design.units[complete], (design.weights * design.counts)[complete]
    order = _order(values[complete], weights, units, design)
    found = [
        moments(values[complete], weights * factors[:, units])
        for factors in resampled(design, replications, seed, order)
    ]
    k = len(model.items)
    means, covariances = (list(part) for part in zip(*found, strict=True)) if found else ([], [])
    return np.concatenate([np.empty((0, k)), *means]), np.concatenate([np.empty((0, k, k)), *covariances])


def _order(values: np.ndarray, weights: np.ndarray, units: np.ndarray, design: Design) -> np.ndarray:
    """Return the primary units by what they answered, so that the order of the rows does not matter."""
    sums = np.zeros((len(design.strata), values.shape[1] + 1))
    np.add.at(sums, units, np.column_stack([np.ones(len(values)), values]) * weights[:, None])
    sums /= np.maximum(design.repeats, 1)[:, None]
    return np.lexsort(np.round(sums / max(np.abs(sums).max(initial=0.0), 1e-300), 9).T)


def _summary(found: Estimate, solution: Solution, sound: np.ndarray, clusters: int) -> Bootstrap:
    """Return the estimates with the spread of the sound replications."""
    model, (items, constructs), paths = found.model, own_places(found.model), solution.paths[sound]
    return Bootstrap(
        "",
        int(sound.sum()),
        clusters,
        paths=_spread(found.paths, paths[:, model.arrows]),
        effects=_spread(found.effects, total_effects(paths)[:, reached(model)]),
        impacts=_spread(found.impacts, impacts(solution)[sound][:, reached(model)]),
        weights=_spread(found.weights, solution.weights[sound][:, items, constructs]),
        index=_spread(found.index, solution.indices[sound]),
    )


def _spread(estimates: pd.Series, replicates: np.ndarray) -> pd.DataFrame:
    """Return estimates with standard error and percentile interval of their replicates (replication x estimate)."""
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    columns = {"estimate": estimates, "se": replicates.std(axis=0, ddof=1), "conf_low": low, "conf_high": high}
    return pd.DataFrame(columns, index=estimates.index)


# --- the index of a form ----------------------------------------------------------------------------------------------


def form_index(answers: pd.DataFrame, weights: Mapping[str, float], ends: Ends | Mapping[str, Ends]) -> pd.Series:
    """Return one construct's index, 0 to 100, of each form by given weights; NaN where an item was not answered.

    Parameters
    ----------
    weights
        By item: the construct's ``raw_weights``, of this survey or frozen from a baseline.
    ends
        The lowest and the highest value of an item, one pair for all or a pair each.

    Notes
    -----
    100 Σ w (x - low) / Σ w (high - low). The mean over the forms is the index, so that its error by the design of the
    survey is that of a mean; that the weights were estimated once is not in it: frozen, they are a convention that
    sites and waves share.

    References
    ----------
    Fornell et al. (1996), Journal of Marketing 60.

    Examples
    --------
    Weights 3 and 1 on scales from 1 to 5, answers 4 and 2: 100 (3·3 + 1·1) / (4·4)

    >>> form_index(pd.DataFrame({"q1": [4, 5], "q2": [2, None]}), {"q1": 3, "q2": 1}, (1, 5)).tolist()
    [62.5, nan]
    """
    given = dict(weights.items())  # a Series will do
    items, fixed = list(given), np.array(list(given.values()), dtype=float)
    low, high = ends_of(items, ends)
    if not fixed @ (high - low) > 0:
        raise ValueError(f"The weights {given} prefer low answers to high ones; take them from a sound baseline.")
    return 100 * ((answers[items] - low) * fixed).sum(axis=1, skipna=False) / (fixed @ (high - low))
