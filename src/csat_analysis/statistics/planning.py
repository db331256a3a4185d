"""How many must be asked, and what can the rule see? Margins, numbers and operating characteristics."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from csat_analysis.ground.programmes import meets
from csat_analysis.statistics.certainty import UPWARD, draw_probability

Z = 1.96  # as in the regulator's formula; with 1.95996 nine of 355 landlords would be asked for one answer less


def margin_of_error(n: float, population: int | None = None, share: float = 0.5) -> float:
    """Return half the width of the 95 % interval of a share, as a fraction of 1, for a plain random sample of n.

    Notes
    -----
    1.96 √(p (1 - p) / n) √((N - n) / (N - 1)); without the last factor where N is unknown or smaller than n. Nobody
    asked: nothing (NaN).

    References
    ----------
    Regulator of Social Housing (2024), Tenant Satisfaction Measures 2023-24, note 2. Cochran (1977), Sampling
    Techniques, 3.2.

    Examples
    --------
    >>> round(margin_of_error(2477, population=26840), 3)
    0.019
    """
    if not n > 0:
        return math.nan
    left = (population - n) / max(population - 1, 1) if population and n <= population else 1.0
    return Z * math.sqrt(share * (1 - share) / n * left)


def required_n(margin: float, population: int | None = None, share: float = 0.5) -> float:
    """Return the number of answers for a margin of error, unrounded: the next whole number has to be reached.

    Notes
    -----
    n0 / (1 + n0 / N), n0 = 1.96² p (1 - p) / margin²; n0 where N is unknown. The regulator's formula has N for N - 1
    and therefore stays below the exact number, by about a quarter of an answer at most.

    References
    ----------
    Regulator of Social Housing (2024), Tenant Satisfaction Measures: Tenant survey requirements. Cochran (1977), 4.4.

    Examples
    --------
    >>> round(required_n(0.04, population=7271), 2), round(required_n(0.05), 2)
    (554.48, 384.16)
    """
    unlimited = Z**2 * share * (1 - share) / margin**2
    return unlimited / (1 + unlimited / population) if population else unlimited


def operating_characteristic(
    population: int | None, n: int, comparison: str, threshold: float, rates: ArrayLike
) -> np.ndarray:
    """Return, for each true rate, the probability that the share observed in n answers fails a rule.

    Notes
    -----
    Hypergeometric, with the count of the population nearest to the rate (halfway: the even one); binomial where the
    population is unknown or smaller than n. Where a true rate meets the rule, this is the risk of acting without need;
    where it does not, one minus this is the risk of letting it pass.

    References
    ----------
    Schilling, Neubauer (2017), Acceptance Sampling in Quality Control (type A curves; type B without a population).

    Examples
    --------
    A project of 120 of which 40 answer acts below 85 %; at a true 82 % (98 of 120) one in three escapes:

    >>> [round(float(acts), 3) for acts in operating_characteristic(120, 40, "at_least", 0.85, [0.88, 0.82])]
    [0.135, 0.656]
    """
    rates = np.asarray(rates, dtype=float)
    fails = sum(not meets(seen / n, comparison, threshold) for seen in range(n + 1))
    least, most = (0, fails - 1) if UPWARD[comparison] else (n - fails + 1, n)
    if population and n <= population:
        counts = np.rint(np.round(rates * population, 9)).astype(int)  # the noise of floating point does not decide
        return np.vectorize(lambda count: draw_probability(least, most, population, count, n), [float])(counts)
    if not UPWARD[comparison]:
        return special.bdtrc(least - 1, n, rates)
    return special.bdtr(most, n, rates) if most >= 0 else np.zeros_like(rates)  # nothing fails
