"""What does each part of a project say, and do the parts add up to the whole? Satisfaction rates by stratum."""

import numpy as np
import pandas as pd

from csat_analysis.domain.evidence import Evidence
from csat_analysis.domain.items import suppressed
from csat_analysis.domain.scoring import base_of, interval, whole
from csat_analysis.statistics.design import kept
from csat_analysis.statistics.estimates import Estimate, estimate_at, estimate_means

COLUMNS = ["by", "level", "numerator", "denominator", "value", "conf_low", "conf_high", "suppressed"]


def rate_by_part(evidence: Evidence, by: str) -> pd.DataFrame:
    """Return the satisfaction rate of each part, by the programme's own reading and base; the parts add to the whole.

    Returns
    -------
    DataFrame
        ``by, level, numerator, denominator, value, conf_low, conf_high, suppressed``; forms without a level are the
        part ``""``. Nothing where there are no parts, no such rate, weights (parts of a weighted rate do not add up),
        or the base is the forms sent.

    Notes
    -----
    A part is a domain of the design. Small parts are ``items.suppressed``.
    """
    programme = evidence.programme
    nothing = by not in evidence.forms or programme.satisfied_form is None or evidence.is_weighted
    if nothing or programme.satisfaction_rate.denominator == "distributed":
        return pd.DataFrame(columns=COLUMNS, dtype=object)
    base = base_of(evidence, programme.satisfaction_rate.denominator)
    levels = sorted(base[by].unique())
    places = np.searchsorted(levels, base[by].to_numpy(dtype=str))
    design = kept(evidence.design, evidence.rows_of(base))
    found = estimate_means(design, base["satisfied"].to_numpy(dtype=float), places, len(levels), evidence.effect)
    rows = [(by, level, *_rate(estimate_at(found, place, 0, design.is_plain))) for place, level in enumerate(levels)]
    parts = pd.DataFrame(rows, columns=COLUMNS[:-1], dtype=object)
    small = suppressed(parts["denominator"], programme.min_n)
    hidden = ["numerator", "denominator", "value", "conf_low", "conf_high"]
    return parts.assign(suppressed=small, **{name: parts[name].mask(small, None) for name in hidden})


def _rate(estimate: Estimate) -> tuple[float | None, ...]:
    """Return numerator, denominator, value and interval of a share."""
    low, high, _ = interval(estimate, (0.0, 1.0), share=True)
    return whole(estimate.mean * estimate.n), float(estimate.n), estimate.mean, low, high
