"""How did each answer come into the survey? Weights, strata, clusters, finite population.

One stage: the primary units of a multi-stage design decide.
"""

import functools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

LONELY = ("grand_mean", "certainty", "average")  # how a stratum with one primary unit counts


@dataclass(frozen=True)
class Design:
    """How each row of a table of answers came into the survey.

    Attributes
    ----------
    weights, counts
        Of each row: what an answer weighs, and for how many identical answers the row stands.
    units
        Primary unit of each row, 0 … U − 1; ``alone`` marks the rows that are one by themselves, each of its answers.
    strata
        Stratum of each primary unit, 0 … H − 1.
    population
        Number of primary units there are in each stratum; NaN: very many.
    margins
        Columns of the calibration (see ``calibrated``), None without.
    by_weights
        Whether the weights say how much of a finite population was drawn, see ``left_out``.
    """

    weights: np.ndarray
    counts: np.ndarray
    units: np.ndarray
    alone: np.ndarray
    strata: np.ndarray
    population: np.ndarray
    lonely: str = "grand_mean"
    margins: np.ndarray | None = None
    base: np.ndarray | None = None
    by_weights: bool = False

    @functools.cached_property
    def repeats(self) -> np.ndarray:
        """Return how many primary units each unit stands for: a row of several single answers is as many; nobody, 0."""
        found = (np.bincount(self.units, self.counts, minlength=len(self.strata)) > 0) * 1.0
        found[self.units[self.alone]] = self.counts[self.alone]
        return found

    @functools.cached_property
    def sampled(self) -> np.ndarray:
        """Return the number of primary units in the sample, by stratum."""
        return np.bincount(self.strata, self.repeats, minlength=len(self.population))

    @functools.cached_property
    def left_out(self) -> np.ndarray:
        """Return what the finite population leaves of the variance of each stratum; 1 where there are very many.

        Notes
        -----
        1 − the share f of primary units that was drawn; with ``by_weights`` 1 − f ÷ Kish's effect of the weights in
        the stratum. Weights that add up to the population say with what chance each answer came in, 1 ÷ weight, and
        w²(1 − 1 ÷ w) is left of its variance: that, over all answers. The same where all weigh the same; nothing
        is left where everybody answered.

        References
        ----------
        Hájek (1964), Annals of Mathematical Statistics 35, 1491 (samples drawn with unequal chances).
        """
        known = (self.population >= self.sampled) & (self.population > 0)
        partly = self.by_weights & (self.population > self.sampled)
        drawn = self.sampled / (np.where(partly, self._kish, 1.0) if self.by_weights else 1.0)
        return np.where(known, 1 - drawn / np.where(known, self.population, 1.0), 1.0)

    @functools.cached_property
    def _kish(self) -> np.ndarray:
        """Return Kish's design effect of the weights in each stratum."""
        strata = self.strata[self.units]
        answers, total, squares = (
            np.bincount(strata, self.counts * self.weights**power, minlength=len(self.population))
            for power in (0, 1, 2)
        )
        return np.maximum(np.divide(answers * squares, total**2, out=np.ones(len(total)), where=total > 0), 1.0)

    @functools.cached_property
    def is_plain(self) -> bool:
        """Return whether every answer weighs the same and is a primary unit by itself."""
        return self.is_alone and len(np.unique(self.weights[self.counts > 0])) < 2

    @functools.cached_property
    def is_alone(self) -> bool:
        """Return whether every answer is a primary unit by itself."""
        return bool(self.alone[self.counts > 0].all())

    @functools.cached_property
    def lonely_strata(self) -> int:
        """Return the number of strata with one primary unit that is not all there is."""
        return int(((self.sampled == 1) & (self.left_out > 0)).sum())


def design_of(
    weights: np.ndarray,
    counts: np.ndarray | None = None,
    strata: Sequence[Hashable] | None = None,
    clusters: Sequence[Hashable] | None = None,
    population: Mapping[Hashable, float] | float | None = None,
    lonely: str = "grand_mean",
) -> Design:
    """Return the design of a survey from its columns.

    Parameters
    ----------
    weights, counts
        One number a row; a row of weight or count 0 stands for nobody.
    strata, clusters
        One label a row. The same cluster label in two strata is two clusters; a blank one ("", None or NaN) makes
        each answer of the row its own.
    population
        Primary units (answers where there are no clusters) in each stratum, or in all where there are no strata. A
        stratum that is missing, or has fewer than were drawn, gets no correction.
    lonely
        What a stratum with one primary unit adds: ``grand_mean`` (its distance from the mean of all units),
        ``certainty`` (nothing) or ``average`` (what the other strata add on average).

    Raises
    ------
    ValueError
        A weight or count below 0, columns of different lengths, an unknown choice.

    Examples
    --------
    >>> design = design_of(np.ones(4), strata=["a", "a", "b", "b"], clusters=["1", "2", "1", "1"])
    >>> len(design.strata), design.sampled.tolist(), design.lonely_strata
    (3, [2.0, 1.0], 1)
    """
    weights = np.asarray(weights, dtype=float)
    counts = np.ones(len(weights)) if counts is None else np.asarray(counts, dtype=float)
    for name, column in (("weights", weights), ("counts", counts)):
        if not (column >= 0).all() or not np.isfinite(column).all():
            raise ValueError(f"{name}: some are below 0 or no numbers; leave such rows out, or give them a number.")
    if lonely not in LONELY:
        raise ValueError(f"lonely: {lonely!r} is no choice; use one of {list(LONELY)}.")
    rows = len(weights)
    levels, of_rows = _codes(np.zeros(rows) if strata is None else strata)
    units, alone = _units(of_rows, clusters)
    if not len(weights) == len(counts) == len(of_rows) == len(units):
        raise ValueError("weights, counts, strata and clusters: not of one length; give one of each for every row.")
    of_units = np.zeros(int(units.max()) + 1 if rows else 0, dtype=np.intp)
    of_units[units] = of_rows
    known = population if isinstance(population, Mapping) else dict.fromkeys(levels, population)
    sizes = np.array([np.nan if known.get(level) is None else known[level] for level in levels], dtype=float)
    counts = np.where(weights > 0, counts, 0.0)
    return Design(weights, counts, units, alone, of_units, sizes, lonely)


def _codes(labels: Sequence[Hashable] | np.ndarray) -> tuple[list[Any], np.ndarray]:
    """Return the labels that occur, and the place of each row's among them; None and NaN are one label."""
    column = labels if isinstance(labels, np.ndarray) else np.fromiter(labels, dtype=object, count=len(labels))
    codes, found = pd.factorize(column, sort=True, use_na_sentinel=False)
    return list(found), codes.astype(np.intp)


def _units(strata: np.ndarray, clusters: Sequence[Hashable] | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the primary unit of each row, and whether the row is one by itself."""
    rows = len(strata)
    if clusters is None:
        return np.arange(rows), np.ones(rows, dtype=bool)
    labels, codes = _codes(clusters)
    alone = np.array([label is None or label != label or label == "" for label in labels], dtype=bool)[codes]
    keys = strata * (len(labels) + rows) + np.where(alone, len(labels) + np.arange(rows), codes)
    return np.unique(keys, return_inverse=True)[1].astype(np.intp).reshape(-1), alone


def kept(design: Design, rows: np.ndarray) -> Design:
    """Return the design of some of the rows alone: the others did not answer, and are no part of the sample.

    Parameters
    ----------
    rows
        One truth value a row.

    Notes
    -----
    For a subgroup of those who answered use a domain: a subgroup never shrinks the design.
    """
    rows = np.asarray(rows, dtype=bool)
    if rows.all():
        return design
    found, units = np.unique(design.units[rows], return_inverse=True)
    parts = {name: getattr(design, name)[rows] for name in ("weights", "counts", "alone")}
    parts |= {name: None if (held := getattr(design, name)) is None else held[rows] for name in ("margins", "base")}
    return replace(design, **parts, units=units.astype(np.intp).reshape(-1), strata=design.strata[found])


def without_population(design: Design) -> Design:
    """Return the design of a sample from a very large population: the view on the process behind those asked."""
    return replace(design, population=np.full_like(design.population, np.nan))


def calibrated(design: Design, weights: np.ndarray, margins: np.ndarray) -> Design:
    """Return the design with weights adjusted to known margins, whose errors are those of the residuals.

    Parameters
    ----------
    weights
        The adjusted weights, none below 0.
    margins
        One row per row of answers, one column per cell of the margins: 1 where the row belongs to it.

    References
    ----------
    Deville and Särndal (1992), JASA 87: the variance of a calibrated total is that of the residuals of the variable
    from its regression on the margins (weighted by the weights before), times the weights after.
    """
    base = design.weights if design.base is None else design.base
    return replace(design, weights=np.asarray(weights, dtype=float), margins=np.asarray(margins, float), base=base)


def side_by_side(before: Design, after: Design) -> Design:
    """Return the design of two surveys drawn each by itself: their strata and primary units are apart.

    >>> both = side_by_side(design_of(np.ones(2)), design_of(np.ones(3), population=9))
    >>> both.sampled.tolist(), both.population.tolist()
    ([2.0, 3.0], [nan, 9.0])
    """
    units, strata = len(before.strata), len(before.population)
    return Design(
        np.concatenate([before.weights, after.weights]), np.concatenate([before.counts, after.counts]),
        np.concatenate([before.units, after.units + units]), np.concatenate([before.alone, after.alone]),
        np.concatenate([before.strata, after.strata + strata]),
        np.concatenate([before.population, after.population]), after.lonely,
        by_weights=before.by_weights and after.by_weights,
    )  # fmt: skip


def linked(before: Design, after: Design, who_before: Sequence[Hashable], who_after: Sequence[Hashable]) -> Design:
    """Return the design of two surveys of partly the same units, which are one primary unit each in both.

    Parameters
    ----------
    who_before, who_after
        Who or which cluster each row is from; blank (None or ""): nobody that is known, a unit by itself.

    Notes
    -----
    There are no strata: those of the two surveys need not be the same, and the pairs are worth more.

    >>> both = linked(design_of(np.ones(2)), design_of(np.ones(2)), ["a", "b"], ["b", "c"])
    >>> both.units.tolist(), len(both.strata)
    ([0, 1, 1, 2], 3)
    """
    sizes = [each.population.sum() for each in (before, after)]
    weights, counts = (np.concatenate([getattr(before, part), getattr(after, part)]) for part in ("weights", "counts"))
    together = design_of(weights, counts, None, [*who_before, *who_after], float(max(sizes)), after.lonely)
    return replace(together, by_weights=before.by_weights and after.by_weights)
