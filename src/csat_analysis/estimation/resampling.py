"""How sure is a figure whose error has no formula? Samples drawn again from the primary units of a survey."""

from collections.abc import Iterator

import numpy as np

from csat_analysis.statistics.design import Design

BLOCK = 2_000_000  # numbers in memory at a time


def resampled(design: Design, replications: int, seed: int, order: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """Yield, some samples at a time, what weight × count of each primary unit is multiplied by (samples × units).

    Parameters
    ----------
    order
        The primary units in the order in which they are numbered for the draw, such as one that the order of the
        rows does not change; None: as they stand in the design.

    Notes
    -----
    Of the m primary units of a stratum m - 1 are drawn with replacement. The weight of one drawn r times is multiplied
    by 1 + √f (r m / (m - 1) - 1), f the share of the stratum that is not in the sample: 1 without a population. A row
    of several single answers is as many units. A stratum with one unit joins another, or keeps its weight where the
    design takes it for certain. Nothing comes where no two units are left to draw from. Adjusted weights are taken as
    they are, not adjusted anew.

    References
    ----------
    Rao, Wu (1988), JASA 83, 231; Rao, Wu, Yue (1992), Survey Methodology 18, 209.

    Examples
    --------
    One of two is drawn, and counts twice; the total stays what it is:

    >>> from csat_analysis.statistics.design import design_of
    >>> [samples] = resampled(design_of(np.ones(4), strata=["a", "a", "b", "b"]), 3, seed=1)
    >>> samples.tolist()
    [[0.0, 2.0, 0.0, 2.0], [2.0, 0.0, 0.0, 2.0], [2.0, 0.0, 2.0, 0.0]]
    """
    strata, copies = _joined(design), np.rint(design.repeats).astype(np.intp)
    sizes = np.bincount(strata, copies).astype(np.intp)
    if sizes.max(initial=0) < 2:
        return
    draws, size = np.maximum(sizes - 1, 0), sizes[strata]
    order = np.arange(len(strata)) if order is None else order
    order = order[np.argsort(strata[order], kind="stable")]
    numbered, starts = np.repeat(order, copies[order]), np.repeat(np.cumsum(sizes) - sizes, draws)
    each = size / np.maximum((size - 1) * copies, 1)
    spread = np.where(size > 1, np.sqrt(design.left_out[design.strata]), 0.0)
    random, step = np.random.default_rng(seed), max(1, BLOCK // (len(numbered) + len(strata)))
    for at in range(0, replications, step):
        some = min(step, replications - at)
        drawn = (random.random((some, len(starts))) * np.repeat(sizes, draws)).astype(np.intp)
        places = numbered[starts + drawn] + len(strata) * np.arange(some)[:, None]
        times = np.bincount(places.ravel(), minlength=some * len(strata)).reshape(some, -1)
        yield 1 + spread * (times * each - 1)


def _joined(design: Design) -> np.ndarray:
    """Return the stratum of each primary unit, those with but one together, and with the smallest other if need be."""
    sampled, strata = design.sampled, design.strata
    lonely = (sampled == 1) & (design.left_out > 0) & (design.lonely != "certainty")
    if not lonely.any():
        return strata
    joining = lonely.copy()
    if lonely.sum() == 1 and (sampled > 1).any():
        joining[np.where(sampled > 1, sampled, np.inf).argmin()] = True
    return np.where(joining[strata], np.flatnonzero(lonely)[0], strata)
