"""Who was asked, and who answered? Denominators, what became of every form, and the rates of the fieldwork."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pandas as pd

from csat_analysis.domain.evidence import Evidence, Measure, ratio
from csat_analysis.domain.schemas import DISPOSITIONS
from csat_analysis.ground.programmes import Programme, SatisfiedForm

UNKNOWN = "unknown"  # the disposition of a form whose row names none
BROKEN_OFF = ("blank", "too_few", "too_small_share")  # reasons of invalid forms that say too little
DENOMINATORS = ("returned", "valid", "answered", "distributed")
USUAL_SHARE = 0.75  # of the items, where no share is declared: of four or five, one may be not satisfied


# --- rates ------------------------------------------------------------------------------------------------------------


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


def valid_return_rate(evidence: Evidence) -> Measure:
    """Return valid forms ÷ forms sent."""
    return ratio(evidence.valid, evidence.distributed)


RATES: dict[str, Callable[[Evidence], Measure]] = {
    "distribution_rate": distribution_rate,
    "return_rate": return_rate,
    "valid_rate": valid_rate,
    "invalid_rate": invalid_rate,
    "valid_return_rate": valid_return_rate,
    "response_rate": response_rate,
}  # in the order in which forms fall away


# --- what became of every form ----------------------------------------------------------------------------------------


def settle(distribution: pd.DataFrame, forms: pd.DataFrame) -> pd.Series:
    """Return what became of each form sent: a form that came in was returned, whatever the register says of it.

    Parameters
    ----------
    distribution
        ``form_id, disposition``, one row per form sent.
    forms
        The forms that came in, by their ids; where the ids are only line numbers no form can be found in the register.
    """
    listed = distribution["disposition"].replace("", UNKNOWN)
    if (forms.index == forms["row"].astype(str)).all():
        return listed
    return listed.mask(distribution["form_id"].isin(forms.index[forms["count"] > 0]), "returned")


def tally(settled: pd.Series) -> dict[str, int]:
    """Return how many forms have each disposition, those that none has among them.

    >>> tally(pd.Series(["returned", "refused", "returned"]))["returned"]
    2
    """
    return {name: int((settled == name).sum()) for name in (*DISPOSITIONS, UNKNOWN)}


def invalid_forms(evidence: Evidence) -> dict[str, int]:
    """Return the number of invalid forms by reason, in the order of the rules; reasons that none has are left out."""
    contradictions = [each.id for each in evidence.programme.validity.contradictions]
    counts = evidence.forms.groupby("invalid_reason")["count"].sum()
    return {reason: int(counts[reason]) for reason in (*BROKEN_OFF, *contradictions) if counts.get(reason, 0)}


class Line(NamedTuple):
    """One line of the ledger: a stage with its number, or what changed on the way to the next one.

    ``kind`` is ``stage``, or what the change is one of: ``fallen``, ``disposition``, ``invalid``. A loss is below 0;
    None is unknown.
    """

    kind: str
    name: str
    number: int | None


def reconcile(evidence: Evidence, dispositions: Mapping[str, int] | None) -> list[Line]:
    """Return the way from the frame to the satisfied forms: each stage is the one before and the changes between.

    Parameters
    ----------
    dispositions
        As ``tally`` gives them; None where nobody noted what became of the forms.

    Notes
    -----
    Contacted are the forms that somebody answered, with a form or with a refusal (AAPOR: the contact rate counts
    respondents and refusals). A form that is outstanding, or of which nothing is noted, gives no sign that it reached
    anybody, and one sent to somebody not eligible is out of scope: they fall away before. What came in counts as
    returned: more than the register lists was contacted all the same (``unlisted``, before contacted); what it lists
    and nobody has was contacted and lost (``missing``, after it).
    """
    return [
        Line("stage", "frame", evidence.frame),
        _gap("not_sent", "beyond_frame", evidence.frame, evidence.distributed),
        Line("stage", "distributed", evidence.distributed),
        *(_unnoted(evidence) if dispositions is None else _noted(evidence, dispositions)),
        Line("stage", "returned", evidence.returned),
        *_invalid(evidence),
        Line("stage", "valid", evidence.valid),
        *(_satisfied(evidence) if evidence.programme.satisfied_form else ()),
    ]


def _gap(loss: str, excess: str, before: int | None, after: int | None) -> Line:
    """Return the change between two numbers under the name of a loss, or of what must not be: an excess."""
    change = None if before is None or after is None else after - before
    return Line("fallen", excess if change and change > 0 else loss, change)


def _unnoted(evidence: Evidence) -> list[Line]:
    gap = _gap("not_returned", "beyond_distributed", evidence.distributed, evidence.returned)
    return [Line("stage", "contacted", None), gap]


def _noted(evidence: Evidence, dispositions: Mapping[str, int]) -> list[Line]:
    difference = evidence.returned - dispositions["returned"]
    before = ["ineligible", "not_contacted", "outstanding", *([UNKNOWN] if dispositions[UNKNOWN] else [])]
    return [
        *(Line("disposition", name, -dispositions[name]) for name in before),
        *([Line("fallen", "unlisted", difference)] if difference > 0 else []),
        Line("stage", "contacted", dispositions["refused"] + max(evidence.returned, dispositions["returned"])),
        Line("disposition", "refused", -dispositions["refused"]),
        *([Line("fallen", "missing", difference)] if difference < 0 else []),
    ]


def _invalid(evidence: Evidence) -> list[Line]:
    reasons = [Line("invalid", reason, -number) for reason, number in invalid_forms(evidence).items()]
    return reasons or [Line("fallen", "invalid", 0)]


def _satisfied(evidence: Evidence) -> list[Line]:
    forms = evidence.forms
    satisfied, decided = (int(forms.loc[forms[name], "count"].sum()) for name in ("satisfied", "decided"))
    undecided = decided - evidence.valid
    return [
        *([Line("fallen", "undecided", undecided)] if undecided else []),
        Line("fallen", "not_satisfied", satisfied - decided),
        Line("stage", "satisfied", satisfied),
    ]


# --- outcome rates ----------------------------------------------------------------------------------------------------


def classify(evidence: Evidence, answers: pd.DataFrame, dispositions: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return the classes of the outcome rates, each with the numbers of forms it is made of.

    Notes
    -----
    ``complete``: valid forms that answer every question they were asked (not applicable is an answer); ``partial``:
    other valid forms. ``refused``: refusals, and forms that came back blank or with too little in them, which AAPOR
    calls implicit refusals and break-offs. ``noncontact``: not contacted; the customer file holds known customers, so
    they are eligible. ``other``: forms whose answers contradict each other, and forms that are listed as returned and
    did not come in. ``unknown`` eligibility: outstanding, or without a disposition. ``ineligible`` leaves every base.
    Customers to whom nothing was sent are in no class.

    References
    ----------
    AAPOR (2023), Standard Definitions: Final Dispositions of Case Codes and Outcome Rates for Surveys, 10th edition.
    """
    forms, reasons = evidence.forms, invalid_forms(evidence)
    complete = int(forms.loc[forms["valid"] & (answers != "").all(axis="columns"), "count"].sum())
    broken_off = sum(reasons.get(reason, 0) for reason in BROKEN_OFF)
    return {
        "complete": {"complete": complete},
        "partial": {"partial": evidence.valid - complete},
        "refused": {"refused": dispositions["refused"], "broken_off": broken_off},
        "noncontact": {"not_contacted": dispositions["not_contacted"]},
        "other": {
            "contradictory": sum(reasons.values()) - broken_off,
            "missing": max(0, dispositions["returned"] - evidence.returned),
        },
        "unknown": {"outstanding": dispositions["outstanding"], UNKNOWN: dispositions[UNKNOWN]},
        "ineligible": {"ineligible": dispositions["ineligible"]},
    }


def eligible_share(known: int, ineligible: int) -> float:
    """Return the share of the cases of known eligibility that are eligible; 1 where none is known.

    Notes
    -----
    The proportional allocation of CASRO: those of unknown eligibility are taken to be eligible as often as the others.

    >>> eligible_share(90, 10), eligible_share(0, 0)
    (0.9, 1.0)
    """
    return known / (known + ineligible) if known + ineligible else 1.0


def response_rates(
    complete: int, partial: int, refused: int, noncontact: int, other: int, unknown: int, eligibility: float = 1.0
) -> dict[str, Measure]:
    """Return AAPOR's six response rates, RR1 to RR6, each with numerator and denominator.

    Parameters
    ----------
    eligibility
        The share of the unknown cases that is taken to be eligible (e); used by RR3 and RR4 alone.

    Notes
    -----
    Complete forms over everybody who is or may be eligible: all unknown cases are (RR1), a share of them is (RR3), none
    is (RR5), so that RR1 ≤ RR3 ≤ RR5. RR2, RR4 and RR6 count partial forms as responses too.

    References
    ----------
    AAPOR (2023), Standard Definitions, 10th edition.

    Examples
    --------
    >>> rates = response_rates(60, 10, 10, 10, 0, 10, eligibility=0.5)
    >>> [(name, rate.denominator) for name, rate in rates.items() if name in ("RR1", "RR3", "RR5")]
    [('RR1', 100.0), ('RR3', 95.0), ('RR5', 90.0)]
    """
    known = complete + partial + refused + noncontact + other
    found = {}
    for place, share in enumerate((1.0, eligibility, 0.0)):
        base = known + share * unknown
        found[f"RR{2 * place + 1}"] = ratio(complete, base)
        found[f"RR{2 * place + 2}"] = ratio(complete + partial, base)
    return found


# --- what the rules of a programme leave open -------------------------------------------------------------------------


def readings(programme: Programme, asked: int) -> list[SatisfiedForm]:
    """Return the programme's own reading of "a satisfied form" and the other common ones, the strictness rising last.

    Parameters
    ----------
    asked
        Number of items; with one, all readings are the same.
    """
    own = programme.satisfied_form
    if own is None:
        return []
    usual = (SatisfiedForm(reading="share_of_items", share=USUAL_SHARE), SatisfiedForm(reading="all_items"))
    others = [form for form in usual if form.reading != own.reading and asked > 1]
    order = ["item", "share_of_items", "all_items"]
    return sorted([own, *others], key=lambda form: order.index(form.reading))


class Guarantee(NamedTuple):
    """The share of ``base`` (``frame`` or ``distributed``) of which forms are ``valid`` or ``returned`` for certain.

    ``parts`` are the thresholds it is made of, by measure: sent × (returned − invalid, or returned × valid).
    """

    share: float
    of: str
    base: str
    parts: dict[str, float]


def guaranteed_share(programme: Programme) -> Guarantee:
    """Return the least share of the customers whose forms a survey must hold that passes every gate.

    Notes
    -----
    Without a gate on the distribution rate nothing is said of the customers to whom no form was sent, and the base is
    the forms sent; without one on valid or invalid forms it is returned forms, blank ones among them; without one on
    the return rate the share is 0. A gate on the response rate bounds a share of the eligible, whose number no gate
    bounds; it is left out.

    Examples
    --------
    >>> programme = Programme.model_validate({
    ...     "id": "demo", "version": 1, "effective_from": "2024-01-01", "title": "Demonstration",
    ...     "scale": {"good": 1, "bad": 0}, "items": [{"id": "service"}],
    ...     "gates": [{"measure": "return_rate", "comparison": "at_least", "threshold": 0.75},
    ...               {"measure": "invalid_rate", "comparison": "at_most", "threshold": 0.25}],
    ...     "worked_example": {"responses": "form_id | service", "expect": {"returned": 0}}})
    >>> guaranteed_share(programme)[:3]
    (0.5, 'valid', 'distributed')
    """
    least, most = _bounds(programme, "at_least", "more_than"), _bounds(programme, "at_most", "less_than")
    if "return_rate" not in least:
        return Guarantee(0.0, "returned", "distributed", {})
    returned = max(least["return_rate"])
    sent = max(least["distribution_rate"]) if "distribution_rate" in least else None
    ways = [(returned * share, {"valid_rate": share}) for share in least.get("valid_rate", ())]
    ways += [(max(0.0, returned - share), {"invalid_rate": share}) for share in most.get("invalid_rate", ())]
    share, rule = max(ways, key=lambda way: way[0], default=(returned, {}))
    return Guarantee(
        share=share if sent is None else share * sent,
        of="valid" if ways else "returned",
        base="distributed" if sent is None else "frame",
        parts={**({} if sent is None else {"distribution_rate": sent}), "return_rate": returned, **rule},
    )


def _bounds(programme: Programme, *comparisons: str) -> dict[str, list[float]]:
    """Return the thresholds of the gates that compare in these ways, by measure."""
    found: dict[str, list[float]] = {}
    for gate in programme.gates:
        if gate.comparison in comparisons:
            found.setdefault(gate.measure, []).append(gate.threshold)
    return found
