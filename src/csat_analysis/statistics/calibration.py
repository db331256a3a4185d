"""What does an answer weigh where those who answered are made up like the population? Post-stratification, raking."""

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from csat_analysis.statistics.design import Design, calibrated

CLOSE = 1e-12  # of a margin's total
MET = 1e-9  # share of the population by which a margin may be missed
ROUNDS = 1000


class Calibration(NamedTuple):
    """A design with weights adjusted to known margins.

    Attributes
    ----------
    design
        With the adjusted weights, and the errors of residuals (see ``design.calibrated``); as it was where ``reason``
        is not empty.
    factor
        Of each row: the weight after ÷ the weight before.
    reason
        Why nothing was adjusted: ``empty:<margin>:<level>`` (nobody of that level answered),
        ``unknown:<margin>:<level>`` (the population does not name it), ``totals`` (margins that do not add to one
        number), ``not_converged``.
    trimmed
        Number of answers whose weight was cut.
    gap
        Largest distance of a weighted share of a level from the known one; above 0 after trimming.
    """

    design: Design
    factor: np.ndarray
    reason: str
    trimmed: int
    gap: float


def calibrate(
    design: Design,
    margins: Mapping[str, Sequence[Hashable]],
    totals: Mapping[str, Mapping[Hashable, float]],
    trim: float | None = None,
) -> Calibration:
    """Return the design weighted to known margins: one is post-stratification, several are raking.

    Parameters
    ----------
    margins
        Level of each row, by the name of the margin.
    totals
        How many the population has of each level; each margin adds to the same number.
    trim
        No weight shall be above so many times the median; what is cut off goes to the other rows, and the margins are
        met as far as that leaves room. None: no limit.

    References
    ----------
    Deming and Stephan (1940), Annals of Mathematical Statistics 11 (iterative proportional fitting). Trimming between
    rounds: Potter (1990), Proceedings of the Survey Research Methods Section, ASA.

    Examples
    --------
    >>> from csat_analysis.statistics.design import design_of
    >>> found = calibrate(design_of(np.ones(4)), {"who": ["a", "a", "a", "b"]}, {"who": {"a": 20, "b": 20}})
    >>> found.factor.round(2).tolist(), found.reason
    ([6.67, 6.67, 6.67, 20.0], '')
    """
    reason = _obstacle(design, margins, totals)
    if reason:
        return Calibration(design, np.ones(len(design.weights)), reason, 0, np.nan)
    cells = [_cells(labels, totals[name]) for name, labels in margins.items()]
    wanted = [np.array([float(n) for n in totals[name].values()]) for name in margins]
    most = np.inf if trim is None else trim
    weights, trimmed, converged = _rake(design.weights, design.counts, cells, wanted, most)
    made = [_sums(weights * design.counts, cell, goal) for cell, goal in zip(cells, wanted, strict=True)]
    gap = max(np.abs(own / own.sum() - goal / goal.sum()).max() for own, goal in zip(made, wanted, strict=True))
    if not trimmed.any() and not (converged and gap < MET):  # margins that no weights can meet are taken in turn
        return Calibration(design, np.ones(len(weights)), "not_converged", 0, np.nan)
    factor = np.divide(weights, design.weights, out=np.ones_like(weights), where=design.weights > 0)
    columns = np.hstack([cell[:, None] == np.arange(len(goal)) for cell, goal in zip(cells, wanted, strict=True)])
    answers = int(design.counts[trimmed].sum())
    return Calibration(calibrated(design, weights, columns.astype(float)), factor, "", answers, float(gap))


def _obstacle(
    design: Design, margins: Mapping[str, Sequence[Hashable]], totals: Mapping[str, Mapping[Hashable, float]]
) -> str:
    """Return why margins cannot be met; empty where they can."""
    sums = [sum(totals[name].values()) for name in margins]
    if not sums or min(sums) <= 0 or max(sums) - min(sums) > CLOSE * max(sums):
        return "totals"
    for name, labels in margins.items():
        present = {label for label, n in zip(labels, design.counts, strict=True) if n > 0}
        for level, n in totals[name].items():
            if n > 0 and level not in present:
                return f"empty:{name}:{level}"
        for level in sorted(present - {level for level, n in totals[name].items() if n > 0}, key=str):
            return f"unknown:{name}:{level}"
    return ""


def _cells(labels: Sequence[Hashable], totals: Mapping[Hashable, float]) -> np.ndarray:
    """Return the place of each row's level among those of the population."""
    places = {level: place for place, level in enumerate(totals)}
    return np.array([places.get(label, 0) for label in labels], dtype=np.intp)


def _sums(weights: np.ndarray, cell: np.ndarray, goal: np.ndarray) -> np.ndarray:
    return np.bincount(cell, weights, minlength=len(goal))


def _rake(
    weights: np.ndarray, counts: np.ndarray, cells: list[np.ndarray], wanted: list[np.ndarray], most: float
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return weights that meet the margins, which of them were cut, and whether the rounds came to an end."""
    trimmed = np.zeros(len(weights), dtype=bool)
    for _ in range(ROUNDS):
        before = weights
        with np.errstate(over="ignore", invalid="ignore"):
            for cell, goal in zip(cells, wanted, strict=True):
                sums = _sums(weights * counts, cell, goal)
                weights = weights * np.divide(goal, sums, out=np.ones_like(goal), where=sums > 0)[cell]
        if not np.isfinite(weights).all():  # margins that cannot be met, and a row that stands for nobody
            return before, trimmed, False
        if np.isfinite(most):
            limit = most * float(np.median(np.repeat(weights, counts.astype(int))))
            trimmed = weights > limit * (1 + CLOSE)
            weights = np.minimum(weights, limit)
        if np.allclose(weights, before, rtol=CLOSE, atol=0):
            return weights, trimmed, True
    return weights, trimmed, False
