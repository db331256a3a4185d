"""How often do customers complain, and is it settled? Rates of complaints."""

from csat_analysis.domain.evidence import Evidence, Measure, ratio
from csat_analysis.statistics.inference import poisson_interval


def complaint_rate(evidence: Evidence) -> Measure:
    """Return complaints ÷ deliveries."""
    return _rate(evidence.complaints, evidence.deliveries, 1)


def complaints_per_1000(evidence: Evidence) -> Measure:
    """Return 1000 × complaints ÷ (households × months)."""
    return _rate(evidence.complaints, evidence.frame * evidence.months if evidence.frame else None, 1000)


def closure_rate(evidence: Evidence) -> Measure:
    """Return complaints received in the period and closed by the day of the report ÷ complaints received in it."""
    return ratio(evidence.closed, evidence.complaints)


def _rate(complaints: int | None, exposure: float | None, per: int) -> Measure:
    if complaints is None or not exposure:
        return Measure(None, complaints, exposure)
    low, high = poisson_interval(complaints, exposure)
    return Measure(per * complaints / exposure, complaints, exposure, per * low, per * high, "poisson")
