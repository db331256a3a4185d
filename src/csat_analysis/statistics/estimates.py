"""What do the answers say, and how sure is that by the design of the survey? Means, shares, ratios, totals, contrasts.

Everything is a linearised ratio or total: what each answer adds to an estimate is summed by primary unit, and how far
these sums lie apart within strata is the variance.
"""

import math
from typing import NamedTuple

import numpy as np

from csat_analysis.statistics.design import Design

NOISE = 1e-13  # of floating point, in a sum of squares
BLOCK = 5  # items at a time: memory stays small, whatever their number


class Estimates(NamedTuple):
    """Estimates of some domains (rows) and items (columns), with their company.

    ``effect`` is the design effect without finite-population correction, against as many answers drawn one by one from
    a very large population; NaN where all answers are the same. ``n_effective`` (never above what that many answers
    would be in a simple random sample) includes the correction; infinite in a census. ``df``: primary units − strata
    with an answer.
    """

    value: np.ndarray
    se: np.ndarray
    n: np.ndarray
    n_effective: np.ndarray
    df: np.ndarray
    effect: np.ndarray


class Estimate(NamedTuple):
    """One estimate with its company: see ``Estimates``.

    ``is_plain``: every answer weighs the same and was drawn by itself, so that a share is a count out of n.
    """

    mean: float
    se: float
    n: int
    n_effective: float
    df: float
    effect: float
    is_plain: bool

    @property
    def is_census(self) -> bool:
        """Return whether everybody was asked and answered, so that there is no sampling error."""
        return math.isinf(self.n_effective)


class Contrast(NamedTuple):
    """A difference of two domains, second minus first, item by item."""

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray


def estimate_means(
    design: Design,
    values: np.ndarray,
    domain: np.ndarray | None = None,
    domains: int = 1,
    pooled: float | None = None,
) -> Estimates:
    """Return the weighted mean of each column in each domain; a share is a mean of 0 and 1.

    Parameters
    ----------
    values
        Rows × items; NaN: no answer. A missing answer is outside the item's domain; the design keeps its row.
    domain
        Place of each row among the domains, −1 for none; None: all rows are one.
    pooled
        The design effect where all answers are the same and show none (see ``pooled_effect``); None: that of the
        weights, times the answers of a primary unit, as if these all felt alike.

    Returns
    -------
    Estimates
        Arrays of domains × items. Nothing (NaN) for a domain without an answer; no error for one with one
        answer, or with answers of one primary unit only.

    Notes
    -----
    A domain never shrinks the design: primary units without an answer in it count with 0.

    References
    ----------
    Särndal, Swensson, Wretman (1992), Model Assisted Survey Sampling, 5.7 (ratio), 5.8 (domains).

    Examples
    --------
    >>> from csat_analysis.statistics.design import design_of
    >>> found = estimate_means(design_of(np.ones(4)), np.array([[1.0], [0.0], [1.0], [1.0]]))
    >>> [round(float(array[0, 0]), 4) for array in found]
    [0.75, 0.25, 4.0, 4.0, 3.0, 1.0]
    """
    values = _columns(values)
    places = np.zeros(len(values), dtype=np.intp) if domain is None else np.asarray(domain, dtype=np.intp)
    flat = _flat_effect(design) if pooled is None else pooled
    pairs = _Pairs(design, places, domains)
    blocks = [
        _means(design, values[:, at : at + BLOCK], places, pairs, flat) for at in range(0, values.shape[1], BLOCK)
    ]
    if not blocks:
        return Estimates(*[np.empty((domains, 0))] * 6)
    return Estimates(*(np.hstack(columns) for columns in zip(*blocks, strict=True)))


def estimate_mean(design: Design, values: np.ndarray, pooled: float | None = None) -> Estimate:
    """Return the mean of one value a row.

    Examples
    --------
    >>> from csat_analysis.statistics.design import design_of
    >>> estimate_mean(design_of(np.ones(2), counts=np.array([3, 1])), np.array([1.0, 0.0]))[:5]
    (0.75, 0.25, 4, 4.0, 3.0)
    """
    return estimate_at(estimate_means(design, values, pooled=pooled), 0, 0, design.is_plain)


def estimate_at(found: Estimates, domain: int, item: int, is_plain: bool) -> Estimate:
    """Return one estimate of a table of them."""
    mean, se, n, n_effective, df, effect = (float(part[domain, item]) for part in found)
    return Estimate(mean, se, int(n), n_effective, df, effect, is_plain)


class _Pairs:
    """The pairs of a domain and a primary unit that occur, in order; a cell is a stratum in a domain.

    ``weighted`` and ``counted`` are pairs × rows: times columns of the rows they give the sums of each pair, with the
    weights and without. A pair stands for ``repeats`` primary units, and its sums are those of one.
    """

    def __init__(self, design: Design, domain: np.ndarray, domains: int):
        from scipy.sparse import csr_array

        self.domains = domains
        inside = np.flatnonzero(domain >= 0)
        keys = domain[inside].astype(np.int64) * len(design.strata) + design.units[inside]
        order = np.argsort(keys, kind="stable")
        rows, keys = inside[order], keys[order]
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        self.domain, self.unit = np.divmod(keys[starts], max(len(design.strata), 1))
        self.repeats = design.repeats[self.unit, None]
        counts = np.where(design.alone, 1.0, design.counts)[rows]
        place, shape = (rows, np.append(starts, len(rows))), (len(starts), len(domain))
        self.counted = csr_array((counts, *place), shape=shape)
        self.weighted = csr_array((counts * design.weights[rows], *place), shape=shape)
        cells = self.domain * len(design.population) + design.strata[self.unit]
        self.by_cell = np.argsort(cells, kind="stable")
        self.cell = np.flatnonzero(np.diff(cells[self.by_cell], prepend=-1))
        self.cell_domain, self.cell_stratum = np.divmod(cells[self.by_cell][self.cell], max(len(design.population), 1))

    def cells(self, columns: np.ndarray) -> np.ndarray:
        """Return the sums of columns of the pairs by cell."""
        return np.add.reduceat(columns[self.by_cell], self.cell, axis=0) if len(self.cell) else columns

    def over(self, places: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the sums of columns by domain, whose places are in order."""
        found = np.zeros((self.domains, columns.shape[1]))
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        if len(starts):
            found[places[starts]] = np.add.reduceat(columns, starts, axis=0)
        return found

    def everything(self, columns: np.ndarray) -> np.ndarray:
        """Return the sums of columns of the pairs by domain, over all primary units they stand for."""
        return self.over(self.domain, columns * self.repeats)


def _columns(values: np.ndarray) -> np.ndarray:
    """Return values as rows × items."""
    values = np.asarray(values, dtype=float)
    return values[:, None] if values.ndim == 1 else values


def _flat_effect(design: Design) -> float:
    """Return a design effect where answers show none: that of the weights, with primary units that feel alike."""
    return _kish(design) * float(design.counts.sum() / max(design.sampled.sum(), 1.0))


def pooled_effect(found: Estimates) -> float | None:
    """Return the design effect of some estimates together, by their number of answers; None where none shows one.

    >>> from csat_analysis.statistics.design import design_of
    >>> pooled_effect(estimate_means(design_of(np.ones(4)), np.array([[1.0], [0.0], [1.0], [1.0]])))
    1.0
    """
    known = np.isfinite(found.effect)
    answers = found.n[known].sum()
    return float((found.n * np.where(known, found.effect, 0.0)).sum() / answers) if answers else None


def _means(design: Design, values: np.ndarray, domain: np.ndarray, pairs: _Pairs, flat: float) -> Estimates:
    """Return the means of some items."""
    answered = ~np.isnan(values) & (design.counts > 0)[:, None]
    values, there = np.where(answered, values, 0.0), answered.astype(float)
    size, total = (pairs.everything(pairs.weighted @ part) for part in (there, values))
    answers = pairs.counted @ there
    mean = np.divide(total, size, out=np.full_like(total, np.nan), where=size > 0)
    known = np.where(size > 0, mean, 0.0)
    apart = (values - known[domain]) * there
    added = pairs.weighted @ apart  # of each primary unit to the numerator
    spread = pairs.everything(pairs.weighted @ np.square(apart, out=apart))
    variance, uncorrected, df = _variance(design, pairs, added, answers > 0)
    if design.margins is not None:
        variance, uncorrected = _of_residuals(design, values, answered, known, domain)
    n = pairs.everything(answers)
    return _estimates(mean, size, n, spread, variance, uncorrected, df, design, flat)


def _of_residuals(
    design: Design, values: np.ndarray, answered: np.ndarray, means: np.ndarray, domain: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the variances of calibrated numerators, domain by domain: rows outside a domain have residuals too."""
    whole, found = _Pairs(design, np.zeros(len(design.units), dtype=np.intp), 1), []
    for place, mean in enumerate(means):
        apart = np.where(answered & (domain == place)[:, None], values - mean, 0.0)
        found.append(_variance_of_sums(design, apart * design.weights[:, None], whole))
    return np.vstack([each[0] for each in found]), np.vstack([each[1] for each in found])


def _variance_of_sums(design: Design, added: np.ndarray, whole: _Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Return the variance of sums of what single answers add, with and without finite population."""
    parts = whole.counted @ _residuals(design, added)
    variance, uncorrected, _ = _variance(design, whole, parts, np.ones(parts.shape, dtype=bool))
    return variance, uncorrected


def _residuals(design: Design, added: np.ndarray) -> np.ndarray:
    """Return what answers add, less what the margins of a calibration explain of it."""
    if design.margins is None:
        return added
    base = design.weights if design.base is None else design.base
    root = np.sqrt(base * design.counts)[:, None]
    per_weight = np.divide(added, design.weights[:, None], out=np.zeros_like(added), where=design.weights[:, None] > 0)
    fitted = design.margins @ np.linalg.lstsq(design.margins * root, per_weight * root, rcond=None)[0]
    return (per_weight - fitted) * design.weights[:, None]


def _variance(
    design: Design, pairs: _Pairs, added: np.ndarray, held: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the variance of sums over primary units, the same of a very large population, and the df."""
    squares, sums = pairs.cells(added**2 * pairs.repeats), pairs.cells(added * pairs.repeats)
    present = pairs.cells(held * pairs.repeats)
    sampled = design.sampled[pairs.cell_stratum, None]
    alone = (sampled == 1).ravel()
    within = squares - sums**2 / np.maximum(sampled, 1)
    within = np.where(within > NOISE * squares, within, 0.0) * sampled / np.maximum(sampled - 1, 1)
    if alone.any():
        within[alone] = _lonely(design, pairs, squares, sums)[alone]
    left_out = design.left_out[pairs.cell_stratum, None]
    variance, uncorrected = (pairs.over(pairs.cell_domain, within * share) for share in (left_out, 1.0))
    if design.lonely == "average" and alone.any():
        there = (sampled > 0).ravel()
        variance = _averaged(variance, there, alone & (left_out > 0).ravel(), pairs)  # one of one adds nothing
        uncorrected = _averaged(uncorrected, there, alone, pairs)
    df = pairs.over(pairs.cell_domain, present) - pairs.over(pairs.cell_domain, (present > 0) * 1.0)
    return variance, uncorrected, df


def _lonely(design: Design, pairs: _Pairs, squares: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Return what each cell would add if its stratum had one primary unit."""
    if design.lonely != "grand_mean":
        return np.zeros_like(squares)
    centre = pairs.over(pairs.cell_domain, sums)[pairs.cell_domain] / design.sampled.sum()
    return (sums - centre) ** 2


def _averaged(variance: np.ndarray, there: np.ndarray, alone: np.ndarray, pairs: _Pairs) -> np.ndarray:
    """Return a variance with what other strata add on average for each stratum of one primary unit."""
    every, others = (pairs.over(pairs.cell_domain, cells[:, None] * 1.0) for cells in (there, there & ~alone))
    return variance * np.divide(every, others, out=np.zeros_like(every), where=others > 0)


def _estimates(
    mean: np.ndarray, size: np.ndarray, n: np.ndarray, spread: np.ndarray, variance: np.ndarray,
    uncorrected: np.ndarray, df: np.ndarray, design: Design, flat_effect: float,
) -> Estimates:  # fmt: skip
    """Return estimates with standard errors, effective numbers and design effects from the parts of a ratio."""
    whole = np.where(size > 0, size, 1.0)
    many = n > 1
    noise = spread <= 1e-20 * np.maximum(1.0, mean**2) * whole
    spread = np.where(noise, 0.0, spread)
    of_one = spread / whole * n / np.where(many, n - 1, 1)  # variance of one answer
    simple = np.divide(of_one, n, out=np.full_like(n, np.nan), where=(n > 1) & (spread > 0))
    variance, uncorrected = variance / whole**2, uncorrected / whole**2
    silent = (df <= 0) & (uncorrected <= 1e-20 * np.maximum(1.0, mean**2))  # one primary unit shows no error
    effect = uncorrected / np.where(silent, np.nan, simple)
    corrected = np.divide(variance, uncorrected, out=np.ones_like(variance), where=uncorrected > 0)
    flat = np.isnan(simple) | silent
    if flat.any():
        corrected = np.where(flat, _left_out_of(design), corrected)
    ends = design.population.sum()
    people = (ends - 1) / ends if np.isfinite(ends) and design.is_alone and ends > 1 else 1.0
    bounded = np.where(np.isnan(effect), max(flat_effect, 1.0), np.maximum(effect, 1.0))
    with np.errstate(divide="ignore"):
        n_effective = np.where(corrected > 0, n / bounded / np.where(corrected > 0, corrected, 1), np.inf)
    n_effective = n_effective * np.where(corrected < 1, people, 1.0)
    told = (many & ~(silent & (spread > 0))) | (corrected == 0)
    se = np.where(told, np.sqrt(np.where(flat, 0.0, variance)), np.nan)
    empty = n == 0
    return Estimates(mean, np.where(empty, np.nan, se), n, np.where(empty, 0.0, n_effective), df, effect)


def _left_out_of(design: Design) -> float:
    """Return the share of the population that was not drawn, by what the primary units weigh in the sample."""
    return float((design.left_out * design.sampled).sum() / max(design.sampled.sum(), 1.0))


def _kish(design: Design) -> float:
    """Return Kish's design effect of the weights: 1 + their squared coefficient of variation."""
    weights, counts = design.weights, design.counts
    total = float((weights * counts).sum())
    return max(1.0, float(counts.sum() * (counts * weights**2).sum()) / total**2) if total else 1.0


# --- ratios, totals, contrasts ----------------------------------------------------------------------------------------


def estimate_ratio(design: Design, numerator: np.ndarray, denominator: np.ndarray) -> tuple[float, float, float]:
    """Return a ratio of two totals, its standard error and degrees of freedom, over the rows that have both.

    References
    ----------
    Särndal, Swensson, Wretman (1992), Model Assisted Survey Sampling, 5.6.

    Examples
    --------
    >>> from csat_analysis.statistics.design import design_of
    >>> [round(part, 4) for part in estimate_ratio(design_of(np.ones(3)), np.array([2.0, 4, 6]), np.array([1.0, 2, 4]))]
    [1.7143, 0.187, 2.0]
    """
    y, x = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
    there = ~np.isnan(y) & ~np.isnan(x)
    weights = np.where(there, design.weights, 0.0)
    size = float((weights * design.counts * np.where(there, x, 0.0)).sum())
    if size == 0:
        return np.nan, np.nan, 0.0
    value = float((weights * design.counts * np.where(there, y, 0.0)).sum()) / size
    added = weights * np.where(there, y - value * x, 0.0) / size
    [se], [df] = _errors(design, added[:, None], there[:, None])
    return value, float(se), float(df)


def estimate_totals(design: Design, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weighted total of each column, its standard error and degrees of freedom; NaN: no answer, adds 0.

    >>> from csat_analysis.statistics.design import design_of
    >>> [array.tolist() for array in estimate_totals(design_of(np.full(2, 10.0)), np.array([[1.0], [3.0]]))]
    [[40.0], [20.0], [1.0]]
    """
    values = _columns(values)
    there = ~np.isnan(values)
    added = design.weights[:, None] * np.where(there, values, 0.0)
    se, df = _errors(design, added, there)
    return (added * design.counts[:, None]).sum(axis=0), se, df


def contrast_means(design: Design, values: np.ndarray, domain: np.ndarray) -> Contrast:
    """Return the difference of the means of two domains, of two waves for one: domain 1 minus domain 0.

    Parameters
    ----------
    values
        Rows × items; NaN: no answer.
    domain
        0 or 1 of each row, −1 for neither.

    Notes
    -----
    Linearised, so that what the domains share (clusters, strata) is in the error. df: primary units − strata − 1, among
    the rows with an answer. Waves drawn each by itself have strata of their own: the wave belongs to their label.

    Examples
    --------
    >>> from csat_analysis.statistics.design import design_of
    >>> design = design_of(np.ones(4), strata=[0, 0, 1, 1])
    >>> [float(array[0]) for array in contrast_means(design, np.array([1.0, 3, 2, 6]), np.array([0, 0, 1, 1]))]
    [2.0, 2.23606797749979, 1.0]
    """
    values, domain = _columns(values), np.asarray(domain)
    added, there = np.zeros_like(values), ~np.isnan(values) & (domain >= 0)[:, None]
    means = []
    for place, sign in ((0, -1.0), (1, 1.0)):
        inside = there & (domain == place)[:, None]
        weights = np.where(inside, design.weights[:, None], 0.0)
        size = (weights * design.counts[:, None]).sum(axis=0)
        sums = (weights * design.counts[:, None] * np.where(inside, values, 0.0)).sum(axis=0)
        mean = np.divide(sums, size, out=np.full_like(sums, np.nan), where=size > 0)
        means.append(mean)
        apart = np.where(inside, values - np.where(np.isnan(mean), 0.0, mean), 0.0)
        added += sign * weights * apart / np.where(size > 0, size, 1.0)
    se, df = _errors(design, added, there)
    estimate = means[1] - means[0]
    return Contrast(estimate, np.where(np.isnan(estimate), np.nan, se), df - 1)


def error_of_sum(design: Design, added: np.ndarray) -> tuple[float, float]:
    """Return the standard error of a sum of what one answer of each row adds to an estimate, and its df.

    >>> from csat_analysis.statistics.design import design_of
    >>> error_of_sum(design_of(np.ones(3)), np.array([1.0, -1.0, 0.0]))[1]
    2.0
    """
    added = np.asarray(added, dtype=float)[:, None]
    [se], [df] = _errors(design, added, np.ones(added.shape, dtype=bool))
    return float(se), float(df)


def _errors(design: Design, added: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the standard error of sums of what answers add, and the degrees of freedom."""
    whole = _Pairs(design, np.zeros(len(design.units), dtype=np.intp), 1)
    variance, _ = _variance_of_sums(design, added, whole)
    held = whole.counted @ there.astype(float) > 0
    return np.sqrt(variance[0]), _variance(design, whole, held * 0.0, held)[2][0]
