"""Who was asked, and who answered? Denominators and the rates of the fieldwork."""

from csat_analysis.domain.evidence import Evidence, Measure, ratio


def distribution_rate(evidence: Evidence) -> Measure:
    """Return forms sent ÷ customers in scope."""
    return ratio(evidence.distributed, evidence.frame)


def return_rate(evidence: Evidence) -> Measure:
    """Return forms that came back, blank ones included ÷ forms sent."""
    return ratio(evidence.returned, evidence.distributed)


def response_rate(evidence: Evidence) -> Measure:
    """Return valid forms ÷ forms sent to somebody eligible (to anybody, where that is not known)."""
    return ratio(evidence.valid, evidence.eligible if evidence.eligible is not None else evidence.distributed)


def valid_rate(evidence: Evidence) -> Measure:
    """Return valid forms ÷ forms that came back."""
    return ratio(evidence.valid, evidence.returned)


def invalid_rate(evidence: Evidence) -> Measure:
    """Return invalid forms ÷ forms sent (0§6: of the customers surveyed); does not add to 1 with the valid rate."""
    return ratio(evidence.returned - evidence.valid, evidence.distributed)
