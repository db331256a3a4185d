"""What does each part of a project say, and do the parts add up to the whole? Satisfaction rates by stratum."""

from dataclasses import replace

import pandas as pd

from csat_analysis.domain.evidence import Evidence
from csat_analysis.domain.scoring import satisfaction_rate, suppressed

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
    Intervals without finite-population correction. Small parts are ``scoring.suppressed``.
    """
    programme = evidence.programme
    nothing = by not in evidence.forms or programme.satisfied_form is None or evidence.is_weighted
    if nothing or programme.satisfaction_rate.denominator == "distributed":
        return pd.DataFrame(columns=COLUMNS, dtype=object)
    rows = []
    for level, forms in evidence.forms.groupby(by, sort=True):
        rate = satisfaction_rate(replace(evidence, forms=forms, frame=None))
        rows.append((by, level, rate.numerator, rate.denominator, rate.value, rate.conf_low, rate.conf_high))
    parts = pd.DataFrame(rows, columns=COLUMNS[:-1], dtype=object)
    small = suppressed(parts["denominator"], programme.min_n)
    hidden = ["numerator", "denominator", "value", "conf_low", "conf_high"]
    return parts.assign(suppressed=small, **{name: parts[name].mask(small, None) for name in hidden})
