"""Who was asked, who answered: denominators, and what is not known has no rate."""

import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import demo, survey_of
from csat_analysis.assembly import assessment
from csat_analysis.domain import complaints, fieldwork
from csat_analysis.domain.evidence import Measure, ratio
from csat_analysis.ground import params
from publishing import CHECKOUT

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
        (fieldwork.valid_return_rate, 7 / 18, 7, 18),
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


# --- what became of every form ----------------------------------------------------------------------------------------


def lines(found, dispositions=None) -> list[tuple[str, int | None]]:
    """Return the names and numbers of the ledger's lines, a stage in capitals."""
    return [
        (line.name.upper() if line.kind == "stage" else line.name, line.number)
        for line in fieldwork.reconcile(found, dispositions)
    ]


def gaps(found, dispositions=None) -> list[int]:
    """Return for each stage after the first by how much it is not the one before with the changes between."""
    numbers = lines(found, dispositions)
    places = [place for place, (name, number) in enumerate(numbers) if name.isupper() and number is not None]
    return [
        numbers[end][1] - sum(number for _, number in numbers[start:end] if number is not None)
        for start, end in itertools.pairwise(places)
    ]


SATISFIED = {"satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "delivery"}}
NOTED = {"returned": 9, "refused": 2, "not_contacted": 4, "ineligible": 1, "outstanding": 2, "unknown": 0}  # 18


def test_the_ledger_goes_from_the_frame_to_the_satisfied_forms_line_by_line():
    found = evidence({"frame": 20, "distributed": 18}, **SATISFIED)
    assert lines(found, NOTED) == [
        ("FRAME", 20), ("not_sent", -2), ("DISTRIBUTED", 18), ("ineligible", -1), ("not_contacted", -4),
        ("outstanding", -2), ("CONTACTED", 11), ("refused", -2), ("RETURNED", 9), ("blank", -2), ("VALID", 7),
        ("not_satisfied", -2), ("SATISFIED", 5),
    ]  # fmt: skip
    assert gaps(found, NOTED) == [0] * 5


def test_contacted_are_those_who_returned_or_refused_a_form():
    # 2 outstanding, 3 of which nothing is noted: no sign that they reached anybody
    noted = {**NOTED, "not_contacted": 1, "unknown": 3}
    assert dict(lines(evidence({"distributed": 18}), noted))["CONTACTED"] == 9 + 2


@pytest.mark.parametrize(
    "listed, outstanding, difference, contacted",
    [(9, 2, {}, 11), (7, 4, {"unlisted": 2}, 11), (10, 1, {"missing": -1}, 12)],
)
def test_what_came_in_counts_and_the_difference_from_the_register_is_a_line(listed, outstanding, difference, contacted):
    noted = {**NOTED, "returned": listed, "outstanding": outstanding}
    found = evidence({"frame": 20, "distributed": 18})
    there = dict(lines(found, noted))
    assert (there["CONTACTED"], there["RETURNED"]) == (contacted, 9)
    assert {name: there[name] for name in ("unlisted", "missing") if name in there} == difference
    assert gaps(found, noted) == [0] * 4


@pytest.mark.parametrize(
    "counts, expected",
    [
        ({}, [("FRAME", None), ("not_sent", None), ("DISTRIBUTED", None), ("CONTACTED", None), ("not_returned", None)]),
        ({"frame": 20}, [("FRAME", 20), ("not_sent", None), ("DISTRIBUTED", None), ("CONTACTED", None), ("not_returned", None)]),
        ({"distributed": 18}, [("FRAME", None), ("not_sent", None), ("DISTRIBUTED", 18), ("CONTACTED", None), ("not_returned", -9)]),
        ({"frame": 5, "distributed": 6}, [("FRAME", 5), ("beyond_frame", 1), ("DISTRIBUTED", 6), ("CONTACTED", None), ("beyond_distributed", 3)]),
    ],
)  # fmt: skip
def test_what_is_not_known_breaks_nothing(counts, expected):
    assert lines(evidence(counts))[:5] == expected
    assert set(gaps(evidence(counts))) <= {0} if "distributed" in counts else True


def test_invalid_forms_fall_away_by_the_first_reason_that_holds():
    rules = {
        "min_answered": 1,
        "min_share": 1,
        "contradictions": [
            {"id": "torn", "title": "Torn", "answers": {"delivery": ["satisfied"], "service": ["dissatisfied"]}}
        ],
    }
    rows = FORMS + "\nf5 | satisfied | dissatisfied | 4\nf6 | satisfied | not_applicable | 1"
    survey = survey_of(rows, demo(validity=rules), plan={"counts": {"distributed": 20}})
    found = assessment.gather(survey)
    # f3 and f4 hold nothing that can be used, f2 left one of two questions out, f6 need not answer the second
    assert fieldwork.invalid_forms(found) == {"blank": 2, "too_small_share": 2, "torn": 4}
    assert dict(lines(found))["VALID"] == 6
    assert gaps(found) == [0, 0]


def test_the_same_answer_everywhere_is_no_reason():
    found = assessment.gather(survey_of("form_id | delivery | service\na | fair | fair\nb | satisfied | satisfied"))
    assert fieldwork.invalid_forms(found) == {}
    assert ("invalid", 0) in lines(found)


def test_a_valid_form_without_the_answer_that_decides_is_a_line_of_its_own():
    rows = "form_id | delivery | service\na | satisfied | fair\nb | | fair\nc | fair | fair"
    found = assessment.gather(survey_of(rows, demo(**SATISFIED)))
    assert lines(found)[-4:] == [("VALID", 3), ("undecided", -1), ("not_satisfied", -1), ("SATISFIED", 1)]


REGISTER = """form_id | disposition
f1 | returned
f2 | refused
f3 |
f8 | returned
f9 | ineligible
"""


def settled(register: str, responses: str = FORMS) -> list[str]:
    survey = survey_of(responses, tables={"distribution": register})
    return fieldwork.settle(survey.tables["distribution"], survey.forms).tolist()


def test_a_form_that_came_in_was_returned_whatever_the_register_says():
    assert settled(REGISTER) == ["returned", "returned", "returned", "returned", "ineligible"]


def test_a_row_that_stands_for_no_form_did_not_come_in():
    assert settled(REGISTER, FORMS.replace("f2 | fair | | 2", "f2 | fair | | 0"))[1] == "refused"


def test_without_ids_in_the_responses_the_register_stands():
    rows = "delivery | service | count\nsatisfied | fair | 3"
    assert settled(REGISTER.replace("f2", "2"), rows)[1] == "refused"  # line 2 is not form 2


@settings(max_examples=12, deadline=None)  # each reads tables
@given(
    st.lists(st.sampled_from(["returned", "refused", "not_contacted", "ineligible", "outstanding", ""]), max_size=12),
    st.sets(st.integers(0, 15), min_size=1),
)
def test_the_ledger_and_the_outcome_classes_always_add_up(register, came):
    # forms 0 to 11 may be in the register; any of 0 to 15 may come in, every third of them blank
    rows = "\n".join(f"f{n} | {'' if n % 3 == 0 else 'satisfied'} | fair" for n in sorted(came))
    sent = "form_id | disposition\nx | returned\n" + "\n".join(f"f{n} | {each}" for n, each in enumerate(register))
    survey = survey_of(f"form_id | delivery | service\n{rows}", demo(**SATISFIED), {"distribution": sent})
    found = assessment.gather(survey)
    dispositions = fieldwork.tally(fieldwork.settle(survey.tables["distribution"], survey.forms))
    assert set(gaps(found, dispositions)) == {0}
    assert sum(dispositions.values()) == found.distributed
    classes = fieldwork.classify(found, survey.answers, dispositions)
    extra = max(0, found.returned - dispositions["returned"])
    assert sum(sum(each.values()) for each in classes.values()) == found.distributed + extra
    assert min(min(each.values()) for each in classes.values()) >= 0


# --- outcome rates ----------------------------------------------------------------------------------------------------

# complete, partial, refused, not contacted, other, unknown, eligible share | numerators of odd and even rates, bases
WORKED = [
    ((60, 10, 10, 10, 0, 10, 0.5), (60, 70), (100, 95, 90)),
    ((100, 0, 0, 20, 0, 0, 1), (100, 100), (120, 120, 120)),  # the README of R's responserates: 83.3 % all six
    ((50, 0, 0, 0, 0, 0, 1), (50, 50), (50, 50, 50)),
    ((70, 5, 15, 8, 2, 0, 0.3), (70, 75), (100, 100, 100)),
    ((0, 0, 5, 5, 0, 10, 0.5), (0, 0), (20, 15, 10)),
    ((30, 0, 0, 0, 0, 70, 0.9), (30, 30), (100, 93, 30)),
    ((40, 10, 20, 20, 10, 100, 0), (40, 50), (200, 100, 100)),
    ((40, 10, 20, 20, 10, 100, 1), (40, 50), (200, 200, 100)),
    ((0, 25, 25, 0, 0, 50, 0.5), (0, 25), (100, 75, 50)),
    ((80, 0, 0, 0, 20, 0, 1), (80, 80), (100, 100, 100)),
    ((250, 5, 12, 16, 0, 1, 283 / 287), (250, 255), (284, 283 + 283 / 287, 283)),  # yuanya 2024
    ((120, 5, 96, 13, 0, 10, 0.975), (120, 125), (244, 243.75, 234)),  # yunting 2024
    ((23, 5, 14, 14, 0, 3, 56 / 59), (23, 28), (59, 56 + 168 / 59, 56)),  # hengxin 2024Q4
    ((0, 0, 7, 0, 0, 0, 1), (0, 0), (7, 7, 7)),
]


@pytest.mark.parametrize("cases, responses, bases", WORKED)
def test_response_rates_by_hand(cases, responses, bases):
    found = fieldwork.response_rates(*cases)
    assert list(found) == ["RR1", "RR2", "RR3", "RR4", "RR5", "RR6"]
    expected = [(numerator, base) for base in bases for numerator in responses]
    assert [(rate.numerator, rate.denominator) for rate in found.values()] == [pytest.approx(pair) for pair in expected]
    assert [rate.value for rate in found.values()] == pytest.approx([top / base for top, base in expected])


def test_complete_over_refused_is_no_response_rate():
    # what a public calculator prints as RR1: I ÷ R
    rate = fieldwork.response_rates(60, 10, 10, 10, 0, 10, 0.5)["RR1"].value
    assert (rate, 60 / 10) == (0.6, 6)


def test_nobody_asked_has_no_response_rate():
    assert {rate.value for rate in fieldwork.response_rates(0, 0, 0, 0, 0, 0).values()} == {None}
    assert fieldwork.response_rates(0, 0, 0, 0, 0, 5)["RR5"].value is None


@given(st.tuples(*[st.integers(0, 500)] * 6), st.floats(0, 1))
def test_the_six_rates_keep_their_order(cases, share):
    found = {name: rate.value for name, rate in fieldwork.response_rates(*cases, eligibility=share).items()}
    for lower, higher in ("12", "34", "56", "13", "35", "24", "46"):
        pair = found[f"RR{lower}"], found[f"RR{higher}"]
        assert None in pair or pair[0] <= pair[1] + 1e-12
    assert all(0 <= value <= 1 for value in found.values() if value is not None)


@pytest.mark.parametrize("known, ineligible, share", [(90, 10, 0.9), (0, 4, 0), (5, 0, 1), (0, 0, 1)])
def test_the_eligible_share_is_that_of_the_known_cases(known, ineligible, share):
    assert fieldwork.eligible_share(known, ineligible) == share


def test_each_form_is_in_one_class():
    contradiction = {"id": "torn", "title": "Torn", "answers": {"delivery": ["satisfied"], "service": ["dissatisfied"]}}
    rows = FORMS + "\nf5 | satisfied | dissatisfied | 4\nf6 | satisfied | not_applicable | 1"
    survey = survey_of(rows, demo(validity={"contradictions": [contradiction]}), plan={"counts": {"distributed": 30}})
    found = assessment.gather(survey)
    noted = {"returned": 15, "refused": 3, "not_contacted": 4, "ineligible": 2, "outstanding": 5, "unknown": 1}
    assert fieldwork.classify(found, survey.answers, noted) == {
        "complete": {"complete": 6},  # f1 and f6: not applicable is an answer
        "partial": {"partial": 2},  # f2
        "refused": {"refused": 3, "broken_off": 2},  # f3 and f4
        "noncontact": {"not_contacted": 4},
        "other": {"contradictory": 4, "missing": 1},  # f5; 15 are listed and 14 came in
        "unknown": {"outstanding": 5, "unknown": 1},
        "ineligible": {"ineligible": 2},
    }


def test_the_response_rate_is_rr2_where_register_and_forms_agree():
    tables = {"distribution": SENT}
    survey = survey_of(FORMS.replace(" | 5", " | 1").replace(" | 2", " | 1"), tables=tables)
    found = assessment.gather(survey)
    noted = fieldwork.tally(fieldwork.settle(survey.tables["distribution"], survey.forms))
    counts = {name: sum(each.values()) for name, each in fieldwork.classify(found, survey.answers, noted).items()}
    assert counts.pop("ineligible") == 2
    assert fieldwork.response_rates(**counts)["RR2"][:3] == fieldwork.response_rate(found)[:3] == (2 / 11, 2, 11)


# --- what the rules leave open ----------------------------------------------------------------------------------------


def gate(measure, threshold, comparison="at_least", **keys) -> dict:
    return {"measure": measure, "comparison": comparison, "threshold": threshold, **keys}


@pytest.mark.parametrize(
    "gates, share, of, base, parts",
    [
        ([gate("return_rate", 0.7), gate("invalid_rate", 0.3, "at_most")], 0.4, "valid", "distributed", ["return_rate", "invalid_rate"]),
        ([gate("distribution_rate", 0.9), gate("return_rate", 0.85)], 0.765, "returned", "frame", ["distribution_rate", "return_rate"]),
        ([gate("return_rate", 0.5, "more_than", severity="target")], 0.5, "returned", "distributed", ["return_rate"]),
        ([gate("return_rate", 0.8), gate("valid_rate", 0.75)], 0.6, "valid", "distributed", ["return_rate", "valid_rate"]),
        ([gate("return_rate", 0.8), gate("valid_rate", 0.75), gate("invalid_rate", 0.1, "less_than")], 0.7, "valid", "distributed", ["return_rate", "invalid_rate"]),
        ([gate("distribution_rate", 0.5), gate("return_rate", 0.8), gate("invalid_rate", 0.2, "at_most")], 0.3, "valid", "frame", ["distribution_rate", "return_rate", "invalid_rate"]),
        ([gate("return_rate", 0.6), gate("return_rate", 0.7)], 0.7, "returned", "distributed", ["return_rate"]),
        ([gate("return_rate", 0.2), gate("invalid_rate", 0.3, "at_most")], 0, "valid", "distributed", ["return_rate", "invalid_rate"]),
        ([gate("invalid_rate", 0.3, "at_most"), gate("distribution_rate", 0.9)], 0, "returned", "distributed", []),
        ([], 0, "returned", "distributed", []),
    ],
)  # fmt: skip
def test_the_share_that_passing_guarantees(gates, share, of, base, parts):
    found = fieldwork.guaranteed_share(demo(gates=gates))
    assert (found.share, found.of, found.base, list(found.parts)) == (pytest.approx(share), of, base, parts)


@pytest.mark.parametrize(("name", "share"), [("developer", 0.40), ("property", 0.765), ("electrical", 0.5)])
def test_what_the_procedures_of_the_organisation_guarantee(name, share):
    programme = params.read_programme(CHECKOUT / f"params/programmes/{name}.yml").content
    assert fieldwork.guaranteed_share(programme).share == pytest.approx(share)


ALL = {"reading": "all_items"}
HALF = {"reading": "share_of_items", "share": 0.5}


@pytest.mark.parametrize(
    "own, asked, expected",
    [
        (SATISFIED["satisfied_form"], 2, ["item", "share_of_items", "all_items"]),
        (ALL, 2, ["share_of_items", "all_items"]),
        (HALF, 5, ["share_of_items", "all_items"]),
        (SATISFIED["satisfied_form"], 1, ["item"]),
        (None, 4, []),
    ],
)
def test_the_readings_are_the_own_one_and_those_in_common_use(own, asked, expected):
    found = fieldwork.readings(demo(**{**SATISFIED, "satisfied_form": own}), asked)
    assert [form.reading for form in found] == expected
    shares = [form.share for form in found if form.reading == "share_of_items"]
    assert shares in ([], [0.5 if own == HALF else fieldwork.USUAL_SHARE])


def test_three_quarters_are_neither_all_nor_most_of_four_or_five_items():
    shares = pd.DataFrame({"items": [3, 4, 5], "needed": [3, 3, 4]})  # the fewest that reach it
    least = [next(k for k in range(n + 1) if k / n >= fieldwork.USUAL_SHARE) for n in shares["items"]]
    assert least == shares["needed"].tolist()
