"""Which measures are there? The closed vocabulary of names a procedure may use.

A new measure is one function in the room that owns the noun and one line here (and its words in ``words/``).
"""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple


class Entry(NamedTuple):
    """Where a measure is computed, in which unit, and whether it is published without being asked for."""

    function: str  # room.function
    unit: str  # share (a fraction of 1), points, or per_1000
    always: bool = False
    less_is_better: bool = False


SURE = 0.95  # the certainty from which a verdict stands
DIGITS = {"share": 2, "points": 2, "per_1000": 2}  # shown decimals; a share is shown in per cent

MEASURES = {
    "distribution_rate": Entry("fieldwork.distribution_rate", "share", always=True),
    "return_rate": Entry("fieldwork.return_rate", "share", always=True),
    "response_rate": Entry("fieldwork.response_rate", "share", always=True),
    "valid_rate": Entry("fieldwork.valid_rate", "share", always=True),
    "invalid_rate": Entry("fieldwork.invalid_rate", "share", always=True, less_is_better=True),
    "satisfaction_rate": Entry("scoring.satisfaction_rate", "share", always=True),
    "satisfaction_rate_of_valid": Entry("scoring.satisfaction_rate_of_valid", "share", always=True),
    "survey_rate": Entry("scoring.survey_rate", "share"),
    "weighted_score": Entry("scoring.weighted_score", "points"),
    "latent_index": Entry("constructs.latent_index", "points"),
    "complaint_rate": Entry("complaints.complaint_rate", "share", less_is_better=True),
    "closure_rate": Entry("complaints.closure_rate", "share"),
    "complaints_per_1000": Entry("complaints.complaints_per_1000", "per_1000", less_is_better=True),
}


def round_shown(value: float, unit: str) -> Decimal:
    """Return a value as it is shown: a share in per cent with two decimals; halves to the even digit (GB/T 8170).

    >>> round_shown(0.92345, "share"), round_shown(2.675, "points")
    (Decimal('92.34'), Decimal('2.68'))
    """
    number = Decimal(repr(float(value))) * (100 if unit == "share" else 1)
    return number.quantize(Decimal(1).scaleb(-DIGITS[unit]), ROUND_HALF_EVEN)
