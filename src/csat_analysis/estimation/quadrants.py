"""Which item matters and is weak? Importance against performance, with how sure each item's quadrant is."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from csat_analysis.estimation.drivers import Drivers, checked, percentiles, ranked, replicates, sums_of
from csat_analysis.estimation.relative import TINY
from csat_analysis.statistics.design import Design

REACH = -2 * math.log(0.05)  # 95 % quantile of chi-square with 2 degrees of freedom
QUADRANTS = ("concentrate", "keep_up", "low_priority", "overkill")


class DriverMap(NamedTuple):
    """Importance against performance, item by item, and where the lines between the quadrants are.

    ``table`` has a row for each driver, in the order of ``drivers.table``: ``driver, n`` (answers to the item)
    ``, performance, performance_low, performance_high, importance`` (share of R²) ``, importance_low,
    importance_high, quadrant, certainty`` (probability of that quadrant), the probability of each of ``QUADRANTS``,
    ``half_major, half_minor, angle`` (of the 95 % ellipse, see ``ellipse_points``) ``, reason``.
    """

    table: pd.DataFrame
    performance_at: float
    importance_at: float
    drivers: Drivers


def map_drivers(
    answers: pd.DataFrame,
    target: str,
    design: Design,
    performance: pd.DataFrame | None = None,
    performance_at: float | None = None,
    method: str = "lmg",
    replications: int = 1000,
    seed: int = 0,
) -> DriverMap:
    """Return importance against performance of each item, with ellipses and the probability of each quadrant.

    Parameters
    ----------
    answers, target, design, method, replications, seed
        As for ``rank_drivers``.
    performance
        What is averaged for the performance, such as 1 for a satisfied answer and 0 for another; None: the points.
    performance_at
        Where low performance ends, such as a target; None: at the mean of the items.

    Notes
    -----
    Performance: weighted mean over those who answered the item. Importance: share of R². Lines between the quadrants at
    the means of both over the items, in each sample its own; on the line is high. Quadrants: high importance and low
    performance ``concentrate``, both high ``keep_up``, both low ``low_priority``, high performance alone
    ``overkill``. Both come from the same samples drawn again, so that their covariance is in the ellipse (normal, 95 %
    of both together) and in the probabilities (part of the samples). With lines at the means some items are always
    "low": a quadrant compares the items of one survey with each other.

    References
    ----------
    Martilla, James (1977), Journal of Marketing 41(1), 77. Wu, Shieh (2009), Quality and Quantity 43, 765 (intervals).

    Examples
    --------
    Service goes with the overall answer and is weak:

    >>> from csat_analysis.statistics.design import design_of
    >>> answers = pd.DataFrame({"food": [1, 1, 1, 0], "service": [0, 0, 0, 1], "overall": [0, 0, 1, 1]})
    >>> found = map_drivers(answers, "overall", design_of(np.ones(4), np.array([20, 10, 5, 15])))
    >>> found.table[["driver", "performance", "quadrant"]].values.tolist()
    [['food', 0.7, 'keep_up'], ['service', 0.3, 'concentrate']]
    """
    drivers = checked(answers, target, design, method)
    if performance is not None and (len(performance) != len(answers) or not set(drivers) <= set(performance)):
        raise ValueError("performance: give the same rows and the same drivers as in answers.")
    sums = sums_of(answers, drivers, target, performance, design)
    again = replicates(sums, method, replications, seed)
    found = ranked(drivers, sums, again, method)
    place = pd.Series(range(len(drivers)), index=drivers)[found.table["driver"]].to_numpy()
    mean = sums.performance(sums.all)[0, place]
    share = found.table["share"].to_numpy()
    shares, means = again.importance[:, place] / again.r_squared[:, None], again.performance[:, place]
    here = _quadrants(mean[None], share[None], performance_at)[0]
    table = pd.DataFrame({"driver": found.table["driver"], "n": sums.answered[place].round().astype(int)})
    for name, value, samples in (("performance", mean, means), ("importance", share, shares)):
        table[name] = value
        table[f"{name}_low"], table[f"{name}_high"] = percentiles(samples)
    table["quadrant"] = [QUADRANTS[each] if each >= 0 else "" for each in here]
    chances = _chances(_quadrants(means, shares, performance_at))
    table["certainty"] = np.where(here >= 0, chances[np.maximum(here, 0), np.arange(len(drivers))], np.nan)
    table[list(QUADRANTS)] = chances.T
    table[["half_major", "half_minor", "angle"]] = _ellipses(means, shares)
    table["reason"] = found.table["reason"]
    at = _centre(mean[None])[0] if performance_at is None else performance_at
    return DriverMap(table, float(at), float(_centre(share[None])[0]), found)


def _centre(values: np.ndarray) -> np.ndarray:
    """Return the mean over the items in each sample, of those that have one; NaN where none has."""
    there = ~np.isnan(values)
    count = there.sum(axis=1)
    return np.divide(np.where(there, values, 0.0).sum(axis=1), count, out=np.full(len(values), np.nan), where=count > 0)


def _quadrants(performance: np.ndarray, importance: np.ndarray, performance_at: float | None) -> np.ndarray:
    """Return the place of each item's quadrant among ``QUADRANTS`` (samples × items); -1 where it has none."""
    at = _centre(performance)[:, None] if performance_at is None else performance_at
    scale = np.nan_to_num(np.abs(performance)).max(initial=0.0)
    good = performance >= at - TINY * scale
    important = importance >= _centre(importance)[:, None] - TINY
    found = np.where(important, np.where(good, 1, 0), np.where(good, 3, 2))
    return np.where(np.isnan(performance) | np.isnan(importance), -1, found)


def _chances(quadrants: np.ndarray) -> np.ndarray:
    """Return in which part of the samples each item is in each quadrant (quadrants × items); NaN without samples."""
    if not len(quadrants):
        return np.full((len(QUADRANTS), quadrants.shape[1]), np.nan)
    return np.stack([(quadrants == place).mean(axis=0) for place in range(len(QUADRANTS))])


def _ellipses(performance: np.ndarray, importance: np.ndarray) -> np.ndarray:
    """Return both half axes and the angle of the longer one, in degrees from the axis of performance, of each item."""
    found = np.full((performance.shape[1], 3), np.nan)
    for item in range(performance.shape[1]) if len(performance) > 1 else ():
        both = np.column_stack([performance[:, item], importance[:, item]])
        both = both[~np.isnan(both).any(axis=1)]
        if len(both) > 1:
            values, vectors = np.linalg.eigh(np.cov(both.T))
            x, y = vectors[:, 1] if vectors[0, 1] >= 0 else -vectors[:, 1]
            minor, major = np.sqrt(np.maximum(values, 0.0) * REACH)
            found[item] = major, minor, math.degrees(math.atan2(y, x))
    return found


def ellipse_points(
    performance: float, importance: float, half_major: float, half_minor: float, angle: float, points: int = 72
) -> np.ndarray:
    """Return points on an item's ellipse (points × 2: performance, importance), the last equal to the first.

    >>> ellipse_points(80, 0.2, 4, 0.1, 0, points=5).round(2).tolist()
    [[84.0, 0.2], [80.0, 0.3], [76.0, 0.2], [80.0, 0.1], [84.0, 0.2]]
    """
    turn, tilt = np.linspace(0, 2 * math.pi, points), math.radians(angle)
    along, across = half_major * np.cos(turn), half_minor * np.sin(turn)
    x = performance + along * math.cos(tilt) - across * math.sin(tilt)
    return np.column_stack([x, importance + along * math.sin(tilt) + across * math.cos(tilt)])
