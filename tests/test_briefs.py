"""Three sentences say what a chapter says: no more than its statistics, whatever these are."""

import re

import pytest

from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.change import judge_change
from csat_analysis.assembly.importance import importance_of, odds_of
from csat_analysis.ground.words import speak
from csat_analysis.publishing import briefs, change_tables, construct_tables
from publishing import CHECKOUT
from test_exhibits import MIXED, VOIDS, forms, result

HEADLINE = {"index": None, "grades": None}
HALF_BLANK = forms(6) + forms(4, "", "", stem="g")
RULE = {"measure": "satisfaction_rate", "comparison": "at_least", "clause": "5.2"}


def said(exhibit):
    """Return the three sentences of a brief by their names."""
    return {
        key: text.replace("&gt;", ">").replace("&lt;", "<").replace("\xa0", " ")
        for key, text in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", exhibit.html)
    }


def rated(threshold, rows=None, **keys):
    """Return a survey of which 80 in 100 forms are satisfied, under a rule on that."""
    rows = rows or forms(80) + forms(20, "dissatisfied", stem="g")
    return result(
        rows, {"frame": 1000, "distributed": 100}, gates=[{**RULE, "threshold": threshold}], **HEADLINE, **keys
    )


@pytest.mark.parametrize(("threshold", "verdict"), [(0.5, "met"), (0.95, "not met"), (0.79, "borderline")])
def test_the_headline_is_said_with_the_verdict_of_its_rule(threshold, verdict):
    found = said(briefs.satisfaction(rated(threshold), "en"))
    assert found["Result"] == f"Satisfaction rate: 80.00 %. The rule ≥ {threshold:.2%}: {verdict}.".replace("%:", " %:")
    assert ("borderline" in found["What to do"]) == (verdict == "borderline")
    assert ("Not met:" in found["What to do"]) == (verdict == "not met")


def test_the_certainty_is_that_of_the_rule():
    survey = rated(0.79)
    [certainty] = survey.gates["certainty"]
    assert (
        f"met is {speak('en').chance(certainty)}.".replace("\xa0", " ")
        in said(briefs.satisfaction(survey, "en"))["How sure"]
    )


def test_without_a_rule_no_verdict_is_said():
    found = said(briefs.satisfaction(result(MIXED, gates=[], **HEADLINE), "en"))
    assert "rule" not in found["Result"] and "certainty" not in found["How sure"]
    assert found["What to do"].startswith("The procedure sets no rules on the figures")


def test_a_void_survey_gives_no_figure():
    survey = result(HALF_BLANK, plan={"remedy": {"due_on": "2024-12-31"}}, gates=[VOIDS], **HEADLINE)
    found = said(briefs.satisfaction(survey, "en"))
    assert survey.status == "void" and "Satisfaction rate" not in found["Result"]
    assert found["How sure"].startswith("A void survey does not tell how satisfied customers are")


def test_figures_that_await_a_remedy_are_called_provisional():
    survey = result(HALF_BLANK, gates=[VOIDS], **HEADLINE)
    assert survey.status == "remedy_due"
    assert "provisional" in said(briefs.satisfaction(survey, "en"))["How sure"]


def test_what_non_response_could_hide_is_bounded():
    found = said(briefs.fieldwork(rated(0.5, forms(40) + forms(10, "dissatisfied", stem="g")), "en"))
    assert "If none of the 50 forms that did not come back were satisfied" in found["How sure"]
    assert "would be 40.00 %; if all were, 90.00 %" in found["How sure"]


def test_bounds_of_the_silent_say_that_forms_outside_the_base_are_taken_to_be_like_those_in_it():
    for denominator, is_said in (("returned", False), ("valid", True)):
        survey = rated(0.5, forms(40) + forms(10, "", "", stem="g"), satisfaction_rate={"denominator": denominator})
        assert ("outside the base" in said(briefs.fieldwork(survey, "en"))["How sure"]) is is_said


def test_how_far_the_target_of_the_year_is_stands_beside_rules_that_are_met():
    found = said(briefs.satisfaction(rated(0.5, run={"targets": {"satisfaction_rate": 0.92}}), "en"))["What to do"]
    assert found.startswith(
        "All rules and targets of the procedure are met; it asks for no action. Satisfaction rate: "
    )
    assert "−12.00 percentage points against the year’s target of 92.00 % (95 % confidence interval " in found


def test_where_nobody_knows_how_many_were_sent_that_is_said():
    found = said(briefs.fieldwork(result(MIXED, {}), "en"))
    assert found["How sure"].startswith("How many forms were distributed is not known")


def test_the_lowest_question_is_named_where_several_are_compared():
    assert "“Service”: 0.00 %" in said(briefs.satisfaction(rated(0.5), "en"))["What to do"]


def test_where_importance_cannot_be_told_the_groups_that_differ_are():
    survey = assess(load.survey("copenhagen", "1976", CHECKOUT))
    found = said(briefs.drivers(importance_of(survey), "en", odds_of(survey)))
    assert found["Result"].startswith(
        "The survey has one question, and no others to be held against it. There is evidence"
    )
    assert "the odds of a better answer are 3.63 times" in found["Result"]
    assert "tested" in found["How sure"] and "not causes" in found["How sure"]


def test_a_project_chosen_for_low_figures_is_told_so_in_short_and_no_interval_is_promised():
    found = judge_change(assess(load.survey("yuanya", "2024", CHECKOUT)))
    brief = said(briefs.change(found, "en"))
    assert brief["Result"] == "Satisfaction rate against the baseline (2023): Insufficient evidence."
    assert brief["How sure"].count(".") == 1 and "regression to the mean" in brief["How sure"]
    for table in (change_tables.figure_table, change_tables.item_table, change_tables.group_table):
        assert "confidence interval" not in table(found, "en").html


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("rows", [MIXED, forms(1), forms(60), forms(3, "", "")], ids=["mixed", "one", "same", "blank"])
def test_every_brief_has_three_sentences_whatever_the_survey(rows, language):
    survey = result(rows)
    found = [
        briefs.fieldwork(survey, language),
        briefs.satisfaction(survey, language),
        briefs.drivers(importance_of(survey), language),
        briefs.change(judge_change(survey), language),
    ]
    stop = speak(language)("stop").strip()
    for each in map(said, found):
        assert len(each) == 3 and all(text.endswith(stop) for text in each.values()), each
    assert briefs.constructs(construct_tables.estimated(survey), language).html == ""
