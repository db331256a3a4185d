"""Did a monthly series of counts change after an event? By how much at once, and by how much more each month?"""

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from csat_analysis.statistics.inference import LEVEL

LEAST = 12  # months on each side
DOUBT = 0.20  # p-value of autocorrelation below which no verdict is given, see Notes
CAUTION = 1.0  # standard errors of the autocorrelation that are reckoned with beyond what is seen, see Notes
TERMS = 4  # level and slope, before and after
CYCLES = 60  # of the fit
CLOSE, SMALL = 1e-9, 1e-12
REACH = 20.0  # of log rates: where a fit runs beyond, there is none
CORRELATIONS = np.linspace(0.0, 0.95, 39)  # from month to month, that are tried
FEW, NO_EVENTS, NO_FIT = "too_few_points", "no_events", "no_fit"
AUTOCORRELATION, NO_VARIATION = "autocorrelation", "no_variation"
NONE = (math.nan,) * 7


class Change(NamedTuple):
    """A change of a rate: ``estimate`` and its interval are logarithms of a ratio, after ÷ before."""

    estimate: float
    se: float
    conf_low: float
    conf_high: float
    statistic: float
    df: float
    p_value: float

    @property
    def ratio(self) -> tuple[float, float, float]:
        """Return the ratio and its interval."""
        return math.exp(self.estimate), math.exp(self.conf_low), math.exp(self.conf_high)


class Segments(NamedTuple):
    """A series before and after an event.

    ``level``: the change in the first month after, against what the months before led up to. ``slope``: the change of
    the monthly growth. ``dispersion``: the variance of a count ÷ its expectation. ``autocorrelation``: from month to
    month, of the residuals, with the ``p_autocorrelation`` of a positive one.

    ``reason``: ``too_few_points`` (fewer than 12 months on a side), ``no_events`` (on a side), ``no_fit`` (they lie so
    that no slope can be told), ``no_variation`` (the fit is exact), ``autocorrelation``; then nothing is told of level
    and slope.
    """

    n_before: int
    n_after: int
    level: Change = Change(*NONE)
    slope: Change = Change(*NONE)
    dispersion: float = math.nan
    autocorrelation: float = math.nan
    p_autocorrelation: float = math.nan
    reason: str = ""


class Many(NamedTuple):
    """The changes of many series: arrays of series, and of series × 2 for level and slope. See ``Segments``."""

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    dispersion: np.ndarray
    autocorrelation: np.ndarray
    p_autocorrelation: np.ndarray
    reason: np.ndarray

    @property
    def p_value(self) -> np.ndarray:
        """Return the p-values of level and slope."""
        return 2 * special.stdtr(self.df[:, None], -abs(self.estimate / self.se))


def segmented_change(
    counts: np.ndarray, event: int, exposure: np.ndarray | None = None, months: np.ndarray | None = None
) -> Segments:
    """Return by how much the level and the growth of a monthly series changed with an event.

    Parameters
    ----------
    counts
        Events of each month, such as complaints; NaN: the month is not known.
    event
        The first month after, as numbered in ``months``.
    exposure
        Of each month, what the events come from (households, deliveries); None: the same for all.
    months
        Their numbers; None: 0, 1, 2 …

    Notes
    -----
    Poisson regression: log(count ÷ exposure) = a + b · t + level · after + slope · after · t, t months since the event.
    Variance = dispersion · expectation, dispersion by the Pearson residuals; t with n − 4 df: quasi-Poisson.

    Autocorrelation: r = Σ e(t) e(t+1) ÷ Σ e² of the Pearson residuals, whose distribution without autocorrelation is
    that of a ratio of quadratic forms in the residual space, by a beta distribution with its mean and variance (as
    Durbin and Watson). Where a positive one has p < .20 there is no verdict: a strict test would let most of it pass
    in short series. What passes still counts, and an r that happens to be small is no proof of independence: reckoned
    with is the correlation ρ (0 or more) for which r and one standard error more is as expected. Errors ρ^lag widen se
    and dispersion, and lessen the df (Satterthwaite). With ρ = 0 this is plain quasi-Poisson.
    notebooks/validation/changes_in_time shows how many series without a change are called changed.

    Seasons: they look like autocorrelation, and with less than whole years before and after like a change. A side that
    had another reason to change (a new register, a new rule) is no evidence for this event.

    References
    ----------
    Wagner, Soumerai, Zhang, Ross-Degnan (2002), Journal of Clinical Pharmacy and Therapeutics 27, 299 (segmented
    regression). McCullagh, Nelder (1989), Generalized Linear Models, 6.2.3, 9.2. Durbin, Watson (1971), Biometrika 58,
    1 (beta distribution).

    Examples
    --------
    Half as many from one month to the next, and no trend before or after:

    >>> before = [40, 44, 36, 38, 42, 40, 41, 39, 43, 37, 36, 44]
    >>> found = segmented_change(np.array([*before, 20, 22, 18, 19, 21, 20, 18, 22, 21, 19, 22, 18]), 12)
    >>> [round(bound, 2) for bound in found.level.ratio], [round(bound, 2) for bound in found.slope.ratio]
    ([0.5, 0.44, 0.58], [1.0, 0.98, 1.02])
    """
    counts = np.asarray(counts, dtype=float)
    exposure = np.ones(len(counts)) if exposure is None else np.asarray(exposure, dtype=float)
    months = np.arange(len(counts)) if months is None else np.asarray(months)
    _check(counts, exposure, months)
    known = ~np.isnan(counts)
    time = (months[known] - event).astype(float)
    n_before, n_after = int((time < 0).sum()), int((time >= 0).sum())
    if min(n_before, n_after) < LEAST:
        return Segments(n_before, n_after, reason=FEW)
    return _one(n_before, n_after, segmented_changes(counts[known][None], time, exposure[known]))


def _check(counts: np.ndarray, exposure: np.ndarray, months: np.ndarray) -> None:
    """Raise a sentence where numbers cannot be."""
    if not len(counts) == len(exposure) == len(months):
        raise ValueError("series: counts, exposure and months are not of one length; give one of each for every month.")
    if (counts < 0).any() or not (exposure[~np.isnan(counts)] > 0).all():
        raise ValueError("series: counts are 0 or more and exposure above 0; leave months out that have none.")
    if len(np.unique(months)) < len(months):
        raise ValueError("series: a month stands there twice; add its counts up first.")


def _one(n_before: int, n_after: int, found: Many) -> Segments:
    """Return one series out of many."""
    dispersion, r, p_value = (float(part[0]) for part in found[3:6])
    blank, reason = Change(*NONE), str(found.reason[0])
    if reason:
        return Segments(n_before, n_after, blank, blank, dispersion, r, p_value, reason)
    df = float(found.df[0])
    half = float(special.stdtrit(df, (1 + LEVEL) / 2)) * found.se[0]
    level, slope = (
        Change(*map(float, (value, se, value - reach, value + reach, value / se, df, p_value)))
        for value, se, reach, p_value in zip(found.estimate[0], found.se[0], half, found.p_value[0], strict=True)
    )
    return Segments(n_before, n_after, level, slope, dispersion, r, p_value)


# --- many series at once ----------------------------------------------------------------------------------------------


def segmented_changes(counts: np.ndarray, time: np.ndarray, exposure: np.ndarray) -> Many:
    """Return the changes of many series with the same months; see ``segmented_change``.

    Parameters
    ----------
    counts
        Series × months.
    time
        Months since the event, 0 for the first one after.
    """
    after = time >= 0
    terms = np.column_stack([np.ones(len(time)), time, after, after * time])
    reason = np.where((counts[:, ~after].sum(axis=1) > 0) & (counts[:, after].sum(axis=1) > 0), "", NO_EVENTS)
    reason = reason.astype("<U16")
    told = np.flatnonzero(reason == "")
    blank = np.full(len(counts), np.nan)
    parts = [np.full((len(counts), 2), np.nan) for _ in range(2)] + [blank.copy() for _ in range(4)]
    if len(told):
        beta, expected, close = _fit(counts[told], terms, np.log(exposure))
        for whole, part in zip(parts, _errors(counts[told], expected, beta, terms, time), strict=True):
            whole[told] = part
        exact = parts[2][told] < SMALL
        reason[told] = np.where(~close, NO_FIT, np.where(exact, NO_VARIATION, ""))
    estimate, se, dispersion, autocorrelation, p_value, df = parts
    reason[(reason == "") & (p_value < DOUBT)] = AUTOCORRELATION
    return Many(estimate, se, df, dispersion, autocorrelation, p_value, reason)


def _fit(counts: np.ndarray, terms: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coefficients and expectations of Poisson regressions, and whether each fit came to rest."""
    expected, beta = np.maximum(counts, 0.5), np.zeros((len(counts), terms.shape[1]))
    for _ in range(CYCLES):
        working = np.log(expected) - offset + (counts - expected) / expected
        crossed, before = _crossed(terms, expected), beta
        beta = np.linalg.solve(crossed, ((expected * working) @ terms)[..., None])[..., 0]
        raw = beta @ terms.T
        expected = np.exp(np.clip(raw, -REACH, REACH) + offset)
        moved = abs(beta - before).max(axis=1)
        if (moved < CLOSE).all():
            break
    return beta, expected, (moved < CLOSE) & (abs(raw) < REACH).all(axis=1)


def _crossed(terms: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted cross products of the terms, for each series."""
    return (terms.T[None] * weights[:, None, :]) @ terms


def _errors(
    counts: np.ndarray, expected: np.ndarray, beta: np.ndarray, terms: np.ndarray, time: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return estimates and errors of level and slope, dispersion, autocorrelation with its p-value, and df."""
    residuals = (counts - expected) / np.sqrt(expected)
    scaled = np.sqrt(expected)[..., None] * terms
    bread = np.linalg.inv(_crossed(terms, expected)) @ np.swapaxes(scaled, 1, 2)
    space = np.eye(len(time)) - scaled @ bread
    squares = np.maximum((residuals**2).sum(axis=1), SMALL**2)
    lags = abs(np.subtract.outer(time, time))
    near = (lags == 1) / 2.0
    r = ((residuals @ near) * residuals).sum(axis=1) / squares
    of_chance = _moments(space @ near, len(time))
    errors = _correlation(r + CAUTION * np.sqrt(of_chance[1]), space, near, lags)[:, None, None] ** lags
    left = space @ errors
    trace, of_square = (np.trace(part, axis1=1, axis2=2) for part in (left, left @ left))
    dispersion = squares / trace
    variances = np.einsum("rij,rjk,rik->ri", bread[:, 2:], errors, bread[:, 2:])
    se = np.sqrt(dispersion[:, None] * variances)
    return beta[:, 2:], se, squares / (len(time) - TERMS), r, _p_value(r, *of_chance), trace**2 / of_square


def _moments(form: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the variance that r has without autocorrelation."""
    rest = n - TERMS
    trace, of_square = (np.trace(part, axis1=1, axis2=2) for part in (form, form @ form))
    return trace / rest, 2 * (rest * of_square - trace**2) / (rest**2 * (rest + 2))


def _p_value(r: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return how likely so much autocorrelation, or more, is by chance."""
    middle = (1 + mean) / 2  # of the way from -1 to 1
    size = middle * (1 - middle) / (variance / 4) - 1
    return special.betainc((1 - middle) * size, middle * size, np.clip((1 - r) / 2, 0.0, 1.0))


def _correlation(r: np.ndarray, space: np.ndarray, near: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Return the correlation of the errors from month to month, 0 or more, with which r is as expected."""
    errors = CORRELATIONS[:, None, None] ** lags
    expected = np.einsum("rij,gij->rg", space @ near @ space, errors) / np.einsum("rij,gij->rg", space, errors)
    return np.array([np.interp(*pair, CORRELATIONS) for pair in zip(r, expected, strict=True)])
