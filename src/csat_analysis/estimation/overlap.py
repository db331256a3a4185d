"""How sure is a change where some people, nobody knows how many, answered both times? Bounds for anonymous forms."""

import math
from typing import NamedTuple

from scipy import special

from csat_analysis.statistics.inference import LEVEL

CORRELATION = (0.0, 0.9)  # of one person's two answers, see Notes of overlap_bounds
ALPHA = 1 - LEVEL
CHANGED, NOT_SHOWN, OPEN = "changed", "not_shown", "open"
NO_ERROR, FEW = "no_variation", "too_few_answers"


class Bounds(NamedTuple):
    """A change with the most and the least cautious reading of an unknown overlap.

    ``se``, ``conf_low``, ``conf_high``, ``statistic``, ``df``, ``p_value``: the most cautious reading; it holds
    whoever answered twice. The same names with ``_least``: the least cautious one. ``overlap_least`` and
    ``overlap_most``: how many people can have answered both times. ``reason``: ``too_few_answers`` (fewer than 2 of a
    wave), ``no_variation`` (no standard error).
    """

    n_before: int
    n_after: int
    overlap_least: int
    overlap_most: int
    estimate: float
    se: float = math.nan
    conf_low: float = math.nan
    conf_high: float = math.nan
    statistic: float = math.nan
    df: float = math.nan
    p_value: float = math.nan
    se_least: float = math.nan
    conf_low_least: float = math.nan
    conf_high_least: float = math.nan
    statistic_least: float = math.nan
    df_least: float = math.nan
    p_value_least: float = math.nan
    reason: str = ""

    @property
    def verdict(self) -> str:
        """Return ``changed`` or ``not_shown`` where all readings agree, ``open`` where they do not, else ""."""
        if self.reason:
            return ""
        return CHANGED if self.p_value < ALPHA else NOT_SHOWN if self.p_value_least >= ALPHA else OPEN


def overlap_bounds(
    estimate: float,
    se_before: float,
    se_after: float,
    n_before: int,
    n_after: int,
    population: int | None = None,
    correlation: tuple[float, float] = CORRELATION,
    df: tuple[float, float] | None = None,
) -> Bounds:
    """Return the bounds of the error, interval and p-value of a change, over all overlaps there can be.

    Parameters
    ----------
    estimate, se_before, se_after
        Share or mean after minus before, and the standard error of each wave by itself.
    population
        How many people both waves were asked among; None: not known, so that nobody need have answered twice.
    correlation
        The least and the greatest correlation of the two answers of one person, from −1 to 1.
    df
        The least and the greatest degrees of freedom of the tests there can be; None: those of pairs, the smaller
        number of answers − 1, and the normal distribution. Clustered waves have fewer: give those of their designs.

    Notes
    -----
    se² = se_before² + se_after² − 2 c · se_before · se_after with c = r · m ÷ √(n_before · n_after), where m people of
    n_before + n_after − population … min(n_before, n_after) answered both times with correlation r. Error and
    p-value fall as c grows, so that its ends are the bounds: the cautious one has the least c, the least cautious one
    the greatest. With the default correlation the cautious one has the standard error of independent waves; a known
    population narrows the bounds only where the least correlation is not 0.

    Why 0 … 0.9: people keep their attitudes or answer anew, they do not turn them round; and 0.9 is above what one
    answer correlates with the same person's next, as two answers correlate no more than they are reliable.

    The bounds hold for every test with a correlation within the range, and so for a test of linked forms whose
    correlation in the sample is; by chance that of a few pairs can be outside.

    References
    ----------
    Kish (1965), Survey Sampling, 12.4 (overlapping samples). Derrick, Russ, Toher, White (2017), Journal of Modern
    Applied Statistical Methods 16, 137 (partially overlapping samples).

    Examples
    --------
    70 % and 80 % of 100 forms, of unknown people: not shown if they are different, shown if nearly all are the same.

    >>> found = overlap_bounds(0.10, 0.0458, 0.04, 100, 100)
    >>> found.overlap_least, found.overlap_most, round(found.p_value, 3), round(found.p_value_least, 7), found.verdict
    (0, 100, 0.103, 6e-07, 'open')
    """
    _check(se_before, se_after, n_before, n_after, population, correlation)
    most = min(n_before, n_after)
    least = 0 if population is None else max(0, n_before + n_after - population)
    start = n_before, n_after, least, most, estimate
    if most < 2:
        return Bounds(*start, reason=FEW)
    if not se_before + se_after > 0:
        return Bounds(*start, reason=NO_ERROR)
    shared = [r * m / math.sqrt(n_before * n_after) for r in correlation for m in (least, most)]
    few, many = (most - 1.0, math.inf) if df is None else df
    cautious = _reading(estimate, _error(se_before, se_after, min(shared)), few)
    return Bounds(*start, *cautious, *_reading(estimate, _error(se_before, se_after, max(shared)), many))


def _check(
    se_before: float, se_after: float, n_before: int, n_after: int, population: int | None, r: tuple[float, float]
) -> None:
    """Raise a sentence where numbers cannot be."""
    if not (se_before >= 0 and se_after >= 0 and n_before >= 0 and n_after >= 0):
        raise ValueError("overlap: standard errors and numbers of answers are 0 or more; give those of each wave.")
    if not -1 <= r[0] <= r[1] <= 1:
        raise ValueError(f"overlap: correlation {r} is no range within -1 and 1; give the least and the greatest.")
    if population is not None and population < max(n_before, n_after):
        raise ValueError("overlap: more people answered than there are; give the whole population, or none.")


def _error(se_before: float, se_after: float, shared: float) -> float:
    """Return the standard error of a difference of two estimates with a correlation."""
    return math.sqrt(max(se_before**2 + se_after**2 - 2 * shared * se_before * se_after, 0.0))


def _reading(estimate: float, se: float, df: float) -> tuple[float, float, float, float, float, float]:
    """Return error, interval, statistic, degrees of freedom and p-value; without error any change is certain."""
    quantile, statistic = float(special.stdtrit(df, (1 + LEVEL) / 2)), _statistic(estimate, se)
    p_value = 2 * float(special.stdtr(df, -abs(statistic)))
    return se, estimate - quantile * se, estimate + quantile * se, statistic, df, p_value


def _statistic(estimate: float, se: float) -> float:
    return estimate / se if se > 0 else math.copysign(math.inf, estimate) if estimate else 0.0
