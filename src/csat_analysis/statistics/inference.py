"""How sure is a number? Intervals for shares, means and counts."""

import math

import numpy as np
from scipy import special

LEVEL = 0.95
Z = float(special.ndtri((1 + LEVEL) / 2))
NOISE = 1e-12  # of floating point
AT_ENDS = 0.75  # of an answer, see ``scale_interval``; the least that covers a mean of few levels near an end


def wilson_interval(share: float, n_effective: float, df: float | None = None) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share for an effective number of answers.

    Parameters
    ----------
    df
        Degrees of freedom of the design where its effect is an estimate (weights, clusters); None: the normal quantile.

    References
    ----------
    Wilson (1927), JASA 22; with a finite population by n(N-1)/(N-n).

    Examples
    --------
    >>> [round(bound, 4) for bound in wilson_interval(0.9, 100)]
    [0.8256, 0.9448]
    """
    low, high = wilson_intervals(np.asarray(share), np.asarray(n_effective), df)
    return float(low), float(high)


def wilson_intervals(
    shares: np.ndarray, n_effective: np.ndarray, df: np.ndarray | float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper bounds of Wilson's intervals of many shares; see ``wilson_interval``.

    Nothing (NaN) where nobody answered; in a census (``n_effective`` is infinite) the share itself.
    """
    z = Z if df is None else special.stdtrit(df, (1 + LEVEL) / 2)
    pulled = z**2 / np.where(n_effective > 0, n_effective, np.nan)
    middle = (shares + pulled / 2) / (1 + pulled)
    half = np.sqrt(shares * (1 - shares) * pulled + pulled**2 / 4) / (1 + pulled)
    low, high = np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
    return np.minimum(low, shares), np.maximum(high, shares)


def mean_interval(mean: float, se: float, df: float) -> tuple[float, float]:
    """Return the 95 % interval of a mean, with Student's quantile.

    Nothing (NaN) without degrees of freedom, or where all values are the same: their spread says nothing of the error.

    Examples
    --------
    >>> [round(bound, 2) for bound in mean_interval(80, 2, 9)]
    [75.48, 84.52]
    """
    if not df >= 1 or not se > NOISE * max(1.0, abs(mean)):
        return math.nan, math.nan
    half = t_quantile(df) * se
    return mean - half, mean + half


def scale_interval(
    mean: float, se: float, df: float, n_effective: float, reach: tuple[float, float], is_plain: bool = False
) -> tuple[float, float]:
    """Return the 95 % interval of a mean of values on a scale with two ends.

    Nothing (NaN) without degrees of freedom, or where all values are the same and not at an end. Where all are at one
    end, they are all the same share of the way, and the interval is that of a share. Student's (``mean_interval``)
    where the scale has no ends, or the mean lies beyond them.

    Parameters
    ----------
    n_effective
        How many answers drawn one by one they are worth.
    reach
        The least and the greatest value that a mean can have.
    is_plain
        No weights and no clusters: the error of the spread is in v* (see below), the quantile is the normal one.

    Notes
    -----
    Answers on a scale pile up at its best level, so that in small samples a mean and its standard error are small
    together, and mean ± t · se covers too seldom. The mean is read as the share p of the way between the ends, and has
    Wilson's interval with n ÷ v answers, where v = n · se² ÷ p(1 − p) (se as such a share) compares the spread with the
    greatest that is possible at this mean, all answers at the ends. v is chance where few answers are away from the
    best level, however many there are at it: it rests on d = n p(1 − p) ÷ v answers (near the best level, Kish's number
    of answers with their loss of points as weights). With three quarters of an answer more at the ends,
    v* = (d v + ¾) ÷ (d + ¾). notebooks/validation/intervals.ipynb shows what all this covers.

    Examples
    --------
    >>> [round(bound, 2) for bound in scale_interval(80, 2, 99, 100, (0, 100), is_plain=True)]
    [75.73, 83.68]
    >>> [round(bound, 2) for bound in scale_interval(100, 0, 29, 30, (0, 100))]
    [88.65, 100.0]
    """
    least, width = reach[0], reach[1] - reach[0]
    part = (mean - least) / width if 0 < width < math.inf else math.nan
    if not -NOISE <= part <= 1 + NOISE:
        return mean_interval(mean, se, df)
    part = min(max(part, 0.0), 1.0)
    inside = NOISE < part < 1 - NOISE
    if not df >= 1 or (inside and not se > NOISE * max(1.0, abs(mean))):
        return math.nan, math.nan
    answers = n_effective
    if inside:
        room = part * (1 - part)
        spread = n_effective * (se / width) ** 2 / room
        deciding = n_effective * room / spread
        answers = n_effective * (deciding + AT_ENDS) / (deciding * spread + AT_ENDS)
    low, high = wilson_interval(part, answers, df if inside and not is_plain else None)
    return least + low * width, least + high * width


def t_quantile(df: float) -> float:
    """Return how many standard errors to each side make a 95 % interval.

    >>> round(t_quantile(9), 3)
    2.262
    """
    return float(special.stdtrit(df, (1 + LEVEL) / 2))


def korn_graubard_interval(share: float, n: float, n_effective: float, df: float) -> tuple[float, float]:
    """Return the 95 % interval of a share of weighted or clustered answers that a rule is read with.

    Notes
    -----
    Clopper and Pearson's bounds with n_effective · (t of n − 1 df ÷ t of the design's df)² answers.

    References
    ----------
    Korn and Graubard (1998), Survey Methodology 24.

    Examples
    --------
    >>> [round(bound, 4) for bound in korn_graubard_interval(0.8, 100, 60, 19)]
    [0.6688, 0.8965]
    """
    answers = n_effective * (t_quantile(n - 1) / t_quantile(df)) ** 2
    share = round(share, 12)  # all but for the noise of floating point are all
    yes, tail = share * answers, (1 - LEVEL) / 2
    low = float(special.betaincinv(yes, answers - yes + 1, tail)) if share > 0 else 0.0
    high = float(special.betaincinv(yes + 1, answers - yes, 1 - tail)) if share < 1 else 1.0
    return low, high


def poisson_interval(events: float, exposure: float) -> tuple[float, float]:
    """Return the exact 95 % interval of a rate of events.

    References
    ----------
    Garwood (1936), Biometrika 28.

    Examples
    --------
    >>> [round(bound, 4) for bound in poisson_interval(2, 80)]
    [0.003, 0.0903]
    """
    tail = (1 - LEVEL) / 2
    low = float(special.gammaincinv(events, tail)) if events else 0.0
    return low / exposure, float(special.gammaincinv(events + 1, 1 - tail)) / exposure


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return the p-values of a family of tests adjusted by Holm; NaN is no test.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65.

    >>> holm(np.array([0.02, 0.01, np.nan, 0.3])).round(4).tolist()
    [0.04, 0.03, nan, 0.3]
    """
    adjusted = np.full(len(p_values), np.nan)
    order = np.argsort(p_values)[: int((~np.isnan(p_values)).sum())]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Return the p-values of many tests adjusted so that few of those below a limit are false; NaN is no test.

    References
    ----------
    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57, 289.

    >>> benjamini_hochberg(np.array([0.02, 0.01, np.nan, 0.3])).round(4).tolist()
    [0.03, 0.03, nan, 0.3]
    """
    adjusted = np.full(len(p_values), np.nan)
    order = np.argsort(p_values)[: int((~np.isnan(p_values)).sum())][::-1]
    ranks = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.minimum.accumulate(p_values[order] * len(order) / ranks), 1.0)
    return adjusted
