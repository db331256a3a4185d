"""Who was asked, who answered: denominators, and what is not known has no rate."""

import pytest

from conftest import demo, survey_of
from csat_analysis.assembly import assessment
from csat_analysis.domain import complaints, fieldwork
from csat_analysis.domain.evidence import Measure, ratio

FORMS = (
    "form_id | delivery  | service | count\nf1 | satisfied | fair | 5\nf2 | fair | | 2\nf3 | | | 1\nf4 | great | | 1"
)
# 9 returned; f3 is blank and the only answer of f4 is rejected, so that 7 are valid


def evidence(counts: dict | None = None, tables: dict | None = None, period: str = "2024", **keys):
    survey = survey_of(FORMS, demo(**keys), tables, plan={"as_of": "2026-01-01", "counts": counts or {}}, period=period)
    return assessment.gather(survey)


def test_returned_forms_are_counted_with_the_blank_ones_and_valid_forms_without():
    assert (evidence().returned, evidence().valid) == (9, 7)


@pytest.mark.parametrize("least, valid", [(1, 7), (2, 5), (3, 0)])
def test_a_form_is_valid_from_so_many_answers_on(least, valid):
    assert evidence(validity={"min_answered": least}).valid == valid


@pytest.mark.parametrize(
    "measure, value, numerator, denominator",
    [
        (fieldwork.distribution_rate, 0.9, 18, 20),
        (fieldwork.return_rate, 0.5, 9, 18),
        (fieldwork.response_rate, 7 / 18, 7, 18),
        (fieldwork.valid_rate, 7 / 9, 7, 9),
        (fieldwork.invalid_rate, 2 / 18, 2, 18),
    ],
)
def test_rates_by_hand(measure, value, numerator, denominator):
    assert measure(evidence({"frame": 20, "distributed": 18})) == Measure(value, numerator, denominator)


@pytest.mark.parametrize(
    "measure, numerator, denominator",
    [
        (fieldwork.distribution_rate, None, None),
        (fieldwork.return_rate, 9, None),
        (fieldwork.response_rate, 7, None),
        (fieldwork.invalid_rate, 2, None),
        (complaints.complaint_rate, None, None),
        (complaints.complaints_per_1000, None, None),
    ],
)
def test_what_is_not_known_has_no_rate(measure, numerator, denominator):
    assert measure(evidence()) == Measure(None, numerator, denominator)


def test_nothing_sent_out_has_no_rate():
    assert fieldwork.return_rate(evidence({"distributed": 0})) == Measure(None, 9, 0)
    assert ratio(0, 4) == Measure(0.0, 0, 4)


SENT = (
    "form_id | disposition\n"
    + "\n".join(f"f{i} | returned" for i in range(1, 10))
    + "\nf10 | ineligible\nf11 | ineligible\nf12 | refused\nf13 | lost"
)


def test_who_could_not_take_part_leaves_the_base_of_the_response_rate_alone():
    # 13 sent, 2 of them to nobody eligible; an unknown disposition stays in the base
    found = evidence(tables={"distribution": SENT})
    assert (found.distributed, found.eligible) == (13, 11)
    assert fieldwork.response_rate(found) == Measure(7 / 11, 7, 11)
    assert fieldwork.return_rate(found) == Measure(9 / 13, 9, 13)
    assert fieldwork.invalid_rate(found) == Measure(2 / 13, 2, 13)


def test_the_distribution_rate_counts_forms_over_customers():
    tables = {"distribution": SENT, "frame": "customer_id\n" + "\n".join(f"c{i}" for i in range(26))}
    assert fieldwork.distribution_rate(evidence(tables=tables)) == Measure(0.5, 13, 26)


@pytest.mark.parametrize("period, months", [("2024", 12), ("2024H2", 6), ("2024Q1", 3), ("2024-05", 1)])
def test_complaints_per_1000_are_by_household_and_month(period, months):
    # 3 complaints in 200 households
    found = complaints.complaints_per_1000(evidence({"frame": 200, "complaints": 3}, period=period))
    assert (found.value, found.numerator, found.denominator) == pytest.approx(
        (1000 * 3 / (200 * months), 3, 200 * months)
    )
    # Garwood: 0.6187 to 8.7673 for 3 events
    assert (found.conf_low, found.conf_high) == pytest.approx(
        (618.7 / (200 * months), 8767.3 / (200 * months)), rel=1e-4
    )


def test_the_complaint_rate_is_by_delivery_and_no_complaint_is_not_certainly_none():
    found = complaints.complaint_rate(evidence({"deliveries": 100, "complaints": 0}))
    assert (found.value, found.conf_low, found.method) == (0, 0, "poisson")
    assert found.conf_high == pytest.approx(0.036889, abs=1e-6)
