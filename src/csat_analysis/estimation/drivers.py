"""Which items go with the overall answer, and which of these are weak? Shares of R², with how sure they are.

An importance is an association in one survey: it says where to look first, not what an improvement would bring.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from csat_analysis.estimation.relative import LARGEST, METHODS, TINY
from csat_analysis.estimation.resampling import resampled
from csat_analysis.statistics.design import Design, without_population

TAILS = (0.025, 0.975)
NO_ANSWERS, TOO_FEW, SAME_TARGET, NOTHING = "no_answers", "too_few_answers", "target_without_variation", "unexplained"
FEW_UNITS, SAME, COLLINEAR = "too_few_units", "no_variation", "collinear"


class Drivers(NamedTuple):
    """The importance of each item for the overall answer.

    ``table`` has a row for each driver, the most important first: ``driver, rank, importance`` (its part of R²)
    ``, conf_low, conf_high, share`` (of R²) ``, share_low, share_high, rank_low, rank_high, first`` (in which part of
    the replications it is the most important one) ``, above_next`` (in which part it is above the next row)
    ``, correlation`` (with the overall answer: its sign) ``, reason`` (``no_variation, collinear``).

    ``n`` answers are behind it, ``left_out`` lack the overall answer or a driver; ``units`` is the number of primary
    units with an answer. ``reason`` says why figures are missing (NaN): ``no_answers, too_few_answers,
    target_without_variation, unexplained``; or intervals alone: ``too_few_units``.
    """

    table: pd.DataFrame
    r_squared: float
    conf_low: float
    conf_high: float
    n: int
    left_out: int
    units: int
    replications: int
    method: str
    reason: str


# --- sums of primary units, and samples drawn again from them ---------------------------------------------------------


class Sums:
    """What each primary unit adds to the sums of squares and products, and to the mean of each item."""

    def __init__(self, answers: np.ndarray, performance: np.ndarray, design: Design):
        self.design = design
        complete = ~np.isnan(answers).any(axis=1)
        values = _standardised(answers, complete, design)
        values = np.column_stack([complete, values])  # a column of ones for the means
        self.width = values.shape[1]
        self.upper = np.triu_indices(self.width)
        there = ~np.isnan(performance)
        points = np.where(there, performance, 0.0)
        rows = np.hstack([values[:, self.upper[0]] * values[:, self.upper[1]], there, points])
        order = np.argsort(design.units, kind="stable")
        starts = np.flatnonzero(np.diff(design.units[order], prepend=-1))
        weighted = rows * (design.weights * design.counts)[:, None]
        self.units = np.add.reduceat(weighted[order], starts, axis=0)
        self.all = self.units.sum(axis=0, keepdims=True)
        self.n = int(round(design.counts[complete].sum()))
        self.left_out = int(round(design.counts[~complete].sum()))
        self.answered = (there * design.counts[:, None]).sum(axis=0)

    @property
    def with_answers(self) -> int:
        """Return the number of primary units with a complete row."""
        return int(round(self.design.repeats[self.units[:, 0] > 0].sum()))

    def correlations(self, sums: np.ndarray) -> np.ndarray:
        """Return correlations (samples × variables × variables); zeros for a variable without variation."""
        square = np.zeros((len(sums), self.width, self.width))
        square[:, self.upper[0], self.upper[1]] = square[:, self.upper[1], self.upper[0]] = sums[
            :, : len(self.upper[0])
        ]
        square /= np.where(square[:, :1, :1] > 0, square[:, :1, :1], 1.0)
        covariances = square[:, 1:, 1:] - square[:, 1:, :1] * square[:, :1, 1:]
        variances = np.diagonal(covariances, axis1=1, axis2=2)
        scale = np.where(variances > TINY, 1 / np.sqrt(np.maximum(variances, TINY)), 0.0)
        return covariances * scale[:, :, None] * scale[:, None, :]

    def performance(self, sums: np.ndarray) -> np.ndarray:
        """Return the mean of each item (samples × items) over those who answered it; NaN where nobody did."""
        size, total = np.split(sums[:, len(self.upper[0]) :], 2, axis=1)
        return np.divide(total, size, out=np.full_like(total, np.nan), where=size > 0)

    def samples(self, replications: int, seed: int) -> Iterator[np.ndarray]:
        """Yield the sums of samples drawn again, some samples at a time."""
        single = self.units / np.maximum(self.design.repeats, 1)[:, None]
        keys = np.round(single / np.maximum(np.abs(single).max(axis=0), 1e-300), 9) + 0.0  # no minus before a nought
        order = np.argsort(keys.view(f"V{keys.itemsize * keys.shape[1]}")[:, 0], kind="stable")  # any order of theirs
        for factors in resampled(without_population(self.design), replications, seed, order):
            yield factors @ self.units


def _standardised(answers: np.ndarray, complete: np.ndarray, design: Design) -> np.ndarray:
    """Return answers with mean 0 and variance 1, the constant ones and the incomplete rows 0."""
    values, each = np.where(complete[:, None], answers, 0.0), design.weights * design.counts * complete
    total = each.sum() or 1.0
    values = np.where(complete[:, None], values - each @ values / total, 0.0)
    spread = np.sqrt(each @ values**2 / total)
    noise = 1e-12 * np.abs(np.where(complete[:, None], answers, 0.0)).max(axis=0, initial=0.0)
    return np.divide(values, spread, out=np.zeros_like(values), where=spread > noise)


class Replicates(NamedTuple):
    """The same figures of many samples drawn again: importance, R², and mean of each item."""

    importance: np.ndarray
    r_squared: np.ndarray
    performance: np.ndarray


def replicates(sums: Sums, method: str, replications: int, seed: int) -> Replicates:
    """Return the figures of the samples drawn again that explain something; none where all answers together do not."""
    if _why_none(sums, sums.correlations(sums.all)[0]):
        replications = 0
    again = sums.samples(replications, seed)
    found = [(METHODS[method](sums.correlations(some)), sums.performance(some)) for some in again]
    none = np.empty((0, sums.width - 2))
    importance, performance = (np.concatenate([none, *(each[part] for each in found)]) for part in (0, 1))
    explained = importance.sum(axis=1)
    return Replicates(*(part[explained > TINY] for part in (importance, explained, performance)))


# --- tables -----------------------------------------------------------------------------------------------------------


def rank_drivers(
    answers: pd.DataFrame, target: str, design: Design, method: str = "lmg", replications: int = 1000, seed: int = 0
) -> Drivers:
    """Return how much of the variance of the overall answer goes with each item, with intervals also of the rank.

    Parameters
    ----------
    answers
        Points of each answer: one row per row of the design, one column per item, the overall one among them; NaN
        where there is none.
    target
        Column of the overall answer; all others are drivers.
    method
        ``lmg`` (up to 15 drivers) or ``johnson``.
    replications, seed
        Samples drawn again for the intervals, and the seed they are drawn with.

    Raises
    ------
    ValueError
        No such column, no driver, rows that are not the design's, an unknown method, too many drivers for ``lmg``.

    Notes
    -----
    From the weighted correlations of the rows that answered all of them. Intervals: percentiles 2.5 and 97.5 of
    samples drawn again, in each stratum n - 1 of its n primary units with replacement, each weighing n / (n - 1)
    times as much; a stratum with one primary unit joins another. No finite-population correction and no new
    calibration: what goes with what is asked of the process, not of those asked. Identical rows and ``count``, and the
    order of the rows, make no difference. A sample that explains nothing (R² = 0) is left out.

    References
    ----------
    Grömping (2006), Journal of Statistical Software 17(1) (importance, bootstrap of ranks). Rao, Wu (1988), JASA 83,
    231; Rao, Wu, Yue (1992), Survey Methodology 18, 209 (bootstrap of primary units).

    Examples
    --------
    The overall answer follows service in three of four rows, and food not at all:

    >>> from csat_analysis.statistics.design import design_of
    >>> answers = pd.DataFrame({"food": [0, 1, 0, 1], "service": [0, 0, 1, 1], "overall": [0, 0, 1, 1]}) * 100
    >>> found = rank_drivers(answers, "overall", design_of(np.ones(4), np.array([10, 10, 10, 10])))
    >>> found.table[["driver", "share", "first"]].round(2).values.tolist(), found.n
    ([['service', 1.0, 1.0], ['food', 0.0, 0.0]], 40)
    """
    drivers = checked(answers, target, design, method)
    sums = sums_of(answers, drivers, target, None, design)
    return ranked(drivers, sums, replicates(sums, method, replications, seed), method)


def checked(answers: pd.DataFrame, target: str, design: Design, method: str) -> list[str]:
    """Return the drivers, or say what is wrong with what was handed in."""
    if method not in METHODS:
        raise ValueError(f"method: {method!r} is no choice; use one of {sorted(METHODS)}.")
    if target not in answers:
        raise ValueError(f"target: there is no item {target!r}; use one of {list(answers)}.")
    drivers = [item for item in answers if item != target]
    if not drivers:
        raise ValueError("answers: there is no item besides the target; give one driver or more.")
    if method == "lmg" and len(drivers) > LARGEST:
        raise ValueError(f"lmg: {len(drivers)} drivers are more than {LARGEST}; take fewer, or method 'johnson'.")
    if len(answers) != len(design.weights):
        raise ValueError(f"answers: {len(answers)} rows, and {len(design.weights)} in the design; give the same rows.")
    if not (np.isclose(design.counts, np.rint(design.counts), rtol=0, atol=1e-9) | ~design.alone).all():
        raise ValueError("counts: some are not whole numbers; give the number of forms of each row, and use weights.")
    return drivers


def sums_of(
    answers: pd.DataFrame, drivers: list[str], target: str, performance: pd.DataFrame | None, design: Design
) -> Sums:
    """Return the sums that everything is computed from."""
    shown = (answers if performance is None else performance)[drivers]
    values = [table.to_numpy(dtype=float, na_value=np.nan) for table in (answers[[*drivers, target]], shown)]
    if any(np.isinf(each).any() for each in values):
        raise ValueError("answers: some are infinite; give the points of an answer, or NaN where there is none.")
    return Sums(values[0], values[1], design)


def ranked(drivers: list[str], sums: Sums, again: Replicates, method: str) -> Drivers:
    """Return the importance of each driver from the sums and the samples drawn again."""
    correlations = sums.correlations(sums.all)[0]
    importance = METHODS[method](correlations[None])[0]
    explained, reason = float(importance.sum()), _why_none(sums, correlations)
    if reason and reason != NOTHING:
        importance, explained = np.full(len(drivers), np.nan), math.nan
    table = pd.DataFrame({"driver": drivers, "importance": importance})
    table["share"] = importance / explained if explained > TINY else np.nan
    table["correlation"] = np.where(np.diag(correlations)[:-1] > 0, correlations[:-1, -1], np.nan)
    table["reason"] = _why(correlations)
    order = np.argsort(-np.nan_to_num(importance.round(12)), kind="stable")
    table = table.join(_uncertainty(again, order)).iloc[order].reset_index(drop=True)
    table.insert(1, "rank", _ranks(table["importance"].to_numpy()[None])[0] if not math.isnan(explained) else np.nan)
    if not reason and len(again.r_squared) == 0:
        reason = FEW_UNITS
    low, high = percentiles(again.r_squared[:, None])
    return Drivers(
        table, explained, float(low[0]), float(high[0]), sums.n, sums.left_out, sums.with_answers,
        len(again.r_squared), method, reason,
    )  # fmt: skip


def _why_none(sums: Sums, correlations: np.ndarray) -> str:
    """Return why there is no importance, or nothing."""
    if not sums.n:
        return NO_ANSWERS
    if correlations[-1, -1] == 0:
        return SAME_TARGET
    if sums.n <= sums.width - 1:  # R² is 1 whatever was answered
        return TOO_FEW
    return "" if np.abs(correlations[:-1, -1]).max() > math.sqrt(TINY) else NOTHING


def _why(correlations: np.ndarray) -> np.ndarray:
    """Return for each driver why its importance is 0 or shared, or nothing."""
    values, vectors = np.linalg.eigh(correlations[:-1, :-1])
    varies = np.diag(correlations)[:-1] > 0
    bound = (np.abs(vectors[:, values <= TINY]) > 1e-5).any(axis=1)
    return np.select([~varies, bound], [SAME, COLLINEAR], "")


def _uncertainty(again: Replicates, order: np.ndarray) -> pd.DataFrame:
    """Return the interval of importance, share and rank of each driver, how often it is first, and above the next."""
    importance, drivers = again.importance, again.importance.shape[1]
    low, high = percentiles(importance)
    share_low, share_high = percentiles(importance / again.r_squared[:, None])
    ranks = _ranks(importance)
    rank_low, rank_high = percentiles(ranks, whole=True)
    leads = (ranks == 1) / np.maximum((ranks == 1).sum(axis=1, keepdims=True), 1)
    above = np.full(drivers, np.nan)
    if len(importance):
        ahead = importance[:, order[:-1]] - importance[:, order[1:]]
        above[order[:-1]] = (np.where(np.abs(ahead) <= TINY, 0.5, ahead > 0)).mean(axis=0)
    first = leads.mean(axis=0) if len(importance) else np.full(drivers, np.nan)
    return pd.DataFrame(
        {
            "conf_low": low, "conf_high": high, "share_low": share_low, "share_high": share_high,
            "rank_low": rank_low, "rank_high": rank_high, "first": first, "above_next": above,
        }
    )  # fmt: skip


def _ranks(importance: np.ndarray) -> np.ndarray:
    """Return the rank of each driver in each sample, 1 for the most important; equal ones share the better rank."""
    ranks = np.ones_like(importance)
    for column in importance.T:
        ranks += column[:, None] > importance + TINY
    return ranks


def percentiles(values: np.ndarray, whole: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentiles 2.5 and 97.5 of each column, of ranks as whole numbers; NaN where there is no row."""
    if not len(values):
        return np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    low, high = np.quantile(values, TAILS, axis=0)
    return (np.floor(low), np.ceil(high)) if whole else (low, high)
