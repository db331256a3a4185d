"""Whom to ask again, and how many at least: the least number is found as by completing one form after the other."""

from fractions import Fraction

import pandas as pd
import pytest

from conftest import demo, remembered, survey_of
from csat_analysis.assembly import remedy
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.domain.evidence import Evidence
from csat_analysis.ground.programmes import Gate

VOIDS = {"measure": "invalid_rate", "comparison": "at_most", "threshold": 0.3, "voids": "unless_remedied"}
HEAD = "form_id | delivery | service | site | count\n"
TOLD = ["form_id", "stratum", "row", "reason"]


def evidence(valid: int, invalid: int, distributed: int | None = 10, eligible: int | None = None) -> Evidence:
    """Return what so many valid and so many invalid forms say."""
    forms = pd.DataFrame({"count": [valid, invalid], "weight": 1.0, "valid": [True, False]})
    return Evidence(demo(), forms, None, distributed, eligible, None, None, 12)


def least(known: Evidence, measure="invalid_rate", comparison="at_most", threshold=0.3) -> int | None:
    rule = Gate.model_validate({"measure": measure, "comparison": comparison, "threshold": threshold})
    return remedy.least_to_complete(rule, known)


@remembered
def result(rows: str, distributed: int | None = 10, run=None, plan=None, **keys) -> Assessment:
    plan = {"counts": {"distributed": distributed}, **(plan or {})}
    return assess(survey_of(HEAD + rows, demo(gates=[VOIDS], **keys), plan=plan, **(run or {})))


# --- how many ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("invalid, number", [(2, 0), (3, 0), (4, 1), (5, 2), (10, 7)])
def test_the_least_number_brings_the_share_down_to_the_threshold(invalid, number):
    # of ten sent three may be invalid
    assert least(evidence(0, invalid)) == number


@pytest.mark.parametrize("comparison", ["at_least", "more_than", "at_most", "less_than"])
@pytest.mark.parametrize("measure", ["invalid_rate", "valid_rate", "response_rate"])
@pytest.mark.parametrize(
    "valid, invalid, distributed, eligible", [(6, 4, 10, None), (3, 17, 40, 33), (0, 5, 5, 5), (7, 0, 9, None)]
)
def test_the_least_number_is_the_first_at_which_the_rule_is_met(
    measure, comparison, valid, invalid, distributed, eligible
):
    holds = {
        "at_least": Fraction.__ge__,
        "more_than": Fraction.__gt__,
        "at_most": Fraction.__le__,
        "less_than": Fraction.__lt__,
    }
    base = {"invalid_rate": distributed, "valid_rate": valid + invalid, "response_rate": eligible or distributed}[
        measure
    ]
    for threshold in ("0", "0.1", "0.3", "0.425", "0.5", "0.7", "1"):
        first = None
        for completed in range(invalid, -1, -1):  # one form after the other, from all of them down
            counted = invalid - completed if measure == "invalid_rate" else valid + completed
            if holds[comparison](Fraction(counted, base), Fraction(threshold)):
                first = completed
        assert least(evidence(valid, invalid, distributed, eligible), measure, comparison, float(threshold)) == first


def test_where_not_even_all_of_them_are_enough_there_is_no_number():
    assert least(evidence(3, 2), "response_rate", "at_least", 0.6) is None  # five of ten
    assert least(evidence(3, 3), "response_rate", "at_least", 0.6) == 3


def test_the_noise_of_floating_point_asks_for_no_form_more():
    # 3 of 10 are 0.3, and 1 - 0.7 is a little more
    assert least(evidence(4, 6), "invalid_rate", "at_most", 1 - 0.7) == 3
    assert least(evidence(0, 7), "invalid_rate", "less_than", 0.1 + 0.2) == 5


@pytest.mark.parametrize("distributed", [None, 0])
def test_without_forms_sent_there_is_nothing_to_reach(distributed):
    assert least(evidence(3, 2, distributed)) is None
    assert least(evidence(3, 2, distributed), "valid_rate", "at_least", 0.8) == 1  # of returned ones


def test_where_nothing_came_back_nothing_can_be_completed():
    assert least(evidence(0, 0), "valid_rate", "at_least", 0.5) is None
    assert least(evidence(0, 0)) == 0


@pytest.mark.parametrize("measure", ["return_rate", "distribution_rate", "satisfaction_rate", "index", "delivery.mean"])
def test_of_what_completed_forms_do_not_decide_no_number_is_told(measure):
    assert least(evidence(6, 4), measure, "at_least", 0.1) is None


def test_completing_that_many_forms_does_meet_the_rule():
    rows = [f"v{i} | fair | fair | | 1" for i in range(5)] + [f"b{i} | | | | 1" for i in range(5)]
    found = result("\n".join(rows))
    number = remedy.least_to_complete(found.survey.programme.gates[0], found.evidence)
    assert (found.status, number) == ("remedy_due", 2)
    for completed, status in ((number - 1, "remedy_due"), (number, "reportable")):
        mended = [
            row.replace("| | | |", "| fair | | |") if i - 5 in range(completed) else row for i, row in enumerate(rows)
        ]
        assert result("\n".join(mended)).status == status


# --- which ------------------------------------------------------------------------------------------------------------

CLASH = {"id": "clash", "title": "Clash", "answers": {"delivery": ["satisfied"], "service": ["dissatisfied"]}}
MIXED = """e | | | B | 1
           a | satisfied | dissatisfied | B | 1
           b | fair | fair | A | 1
           d | | | A | 1
           c | fair | | A | 1"""
KEYS = {"validity": {"min_answered": 2, "contradictions": [CLASH]}}


def test_every_invalid_form_is_listed_with_its_reason_by_stratum_and_line():
    found = remedy.forms_to_complete(result(MIXED, run={"design": {"stratum": "site"}}, **KEYS).evidence)
    assert found[TOLD].values.tolist() == [
        ["d", "A", 5, "blank"],
        ["c", "A", 6, "too_few"],
        ["e", "B", 2, "blank"],
        ["a", "B", 3, "clash"],
    ]
    assert found.columns.tolist() == remedy.COLUMNS


def test_without_strata_they_are_listed_by_line():
    found = remedy.forms_to_complete(result(MIXED, **KEYS).evidence)
    assert found[["form_id", "stratum", "row"]].values.tolist() == [
        ["e", "", 2],
        ["a", "", 3],
        ["d", "", 5],
        ["c", "", 6],
    ]


def test_where_all_are_valid_nobody_is_asked_again():
    found = remedy.forms_to_complete(result("b | fair | fair | A | 1").evidence)
    assert (len(found), found.columns.tolist()) == (0, remedy.COLUMNS)


def test_customers_are_not_listed():
    survey = survey_of("form_id | customer_id | delivery | service\na | C-7 | | ", demo())
    found = remedy.forms_to_complete(assess(survey).evidence)
    assert not found.isin(["C-7"]).any().any()
    assert found[TOLD].values.tolist() == [["a", "", 2, "blank"]]


def test_what_is_listed_are_the_rows_that_are_not_valid():
    found = result(MIXED, **KEYS)
    assert set(remedy.forms_to_complete(found.evidence)["form_id"]) == set(
        found.evidence.forms.index[~found.evidence.forms["valid"]]
    )


def test_a_row_of_several_forms_says_how_many():
    found = result("v | fair | fair | | 6\nb | | | | 4")
    listed = remedy.forms_to_complete(found.evidence)
    assert listed["count"].sum() == found.evidence.returned - found.evidence.valid == 4
