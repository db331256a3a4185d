"""An invalid form is named with its first reason and enters no figure; what is not applicable was dealt with, and the same answer everywhere is no reason."""

import itertools

import pandas as pd
import pytest

from conftest import demo, survey_of
from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess
from csat_analysis.domain import items, scoring
from csat_analysis.ground.programmes import Programme

ITEMS = ["delivery", "service", "price", "advice", "repair"]
FIVE = [{"id": item} for item in ITEMS]
HEAD = "form_id | " + " | ".join(ITEMS)
NO, NA = "", "not_applicable"
CLASH = {
    "id": "clash", "title": {"zh": "自相矛盾", "en": "Contradictory"},
    "answers": {"delivery": ["satisfied"], "service": ["dissatisfied", "fair"]},
}  # fmt: skip
SAME = {
    "id": "all_at_once", "title": "All at once",
    "answers": {"delivery": ["satisfied"], "service": ["fair"], "price": ["dissatisfied"]},
}  # fmt: skip


def rules(items=FIVE, **validity) -> Programme:
    return demo(items=items, validity=validity, index=None, grades=None)


def table(*forms: tuple[str, ...]) -> pd.DataFrame:
    """Return answers, one row per form, one column per question."""
    return pd.DataFrame(list(forms), columns=ITEMS[: len(forms[0])], dtype=str)


def reasons(programme: Programme, *forms: tuple[str, ...]) -> list[str]:
    return scoring.invalidity(table(*forms), programme).tolist()


def form(answered: int, not_applicable: int = 0, asked: int = 5) -> tuple[str, ...]:
    """Return a form with so many answers, so many that are not applicable, and the rest left out."""
    given = ["fair"] * answered + [NA] * not_applicable
    return tuple(given + [NO] * (asked - len(given)))


# --- reasons ----------------------------------------------------------------------------------------------------------


def test_without_rules_of_its_own_a_form_with_one_answer_is_valid():
    assert reasons(rules(), form(0), form(0, not_applicable=5), form(1), form(5)) == ["blank", "blank", "", ""]


@pytest.mark.parametrize("least", [1, 2, 3, 5])
def test_a_form_is_valid_from_the_least_number_of_answers_on(least):
    found = reasons(rules(min_answered=least), *(form(n) for n in range(6)))
    assert found == ["blank", *["too_few"] * (least - 1), *[""] * (6 - least)]


def test_what_is_not_applicable_is_no_answer_where_answers_are_counted():
    assert reasons(rules(min_answered=3), form(2, not_applicable=3), form(3, not_applicable=2)) == ["too_few", ""]


@pytest.mark.parametrize(
    "share, valid_from", [(0.2, 1), (0.39999, 2), (0.4, 2), (0.40001, 3), (0.6, 3), (0.79999, 4), (0.8, 4), (1.0, 5)]
)
def test_a_form_is_valid_from_the_least_share_of_the_questions_on(share, valid_from):
    found = reasons(rules(min_share=share), *(form(n) for n in range(1, 6)))
    assert found == [*["too_small_share"] * (valid_from - 1), *[""] * (6 - valid_from)]


@pytest.mark.parametrize(
    "answered, not_applicable, reason", [(1, 2, "too_small_share"), (1, 3, ""), (2, 2, ""), (4, 0, "")]
)
def test_what_is_not_applicable_counts_towards_the_share(answered, not_applicable, reason):
    assert reasons(rules(min_share=0.8), form(answered, not_applicable)) == [reason]


def test_a_form_on_which_nothing_applies_is_blank_whatever_the_share():
    assert reasons(rules(min_share=0.2), form(0, not_applicable=5)) == ["blank"]


def test_the_share_is_of_the_questions_that_were_asked():
    # two of three asked: 67 %; of the five in the procedure it would be 40 %
    optional = [{"id": item, "optional": item in ("advice", "repair")} for item in ITEMS]
    programme = rules(optional, min_share=0.6)
    survey = survey_of("form_id | delivery | service | price\na | fair | fair |\nb | fair | |", programme)
    assert scoring.invalidity(survey.answers, programme).tolist() == ["", "too_small_share"]


def test_a_rejected_answer_is_none():
    survey = survey_of(HEAD + "\na | fair | fair | fair | fair | great", rules(min_answered=5))
    assert scoring.invalidity(survey.answers, survey.programme).tolist() == ["too_few"]


def test_forms_with_the_same_answer_everywhere_are_valid():
    same = [tuple([level] * 5) for level in ("satisfied", "fair", "dissatisfied")]
    assert reasons(rules(min_answered=5, min_share=1.0), *same) == ["", "", ""]


# --- contradictions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "delivery, service", list(itertools.product(["satisfied", "fair", "dissatisfied", NA, NO], repeat=2))
)
def test_a_contradiction_needs_one_of_the_levels_of_each_question(delivery, service):
    clashes = delivery == "satisfied" and service in ("dissatisfied", "fair")
    found = reasons(rules(contradictions=[CLASH]), (delivery, service, "fair", "fair", "fair"))
    assert found == ["clash" if clashes else ""]


def test_a_contradiction_of_three_questions_needs_all_of_them():
    programme = rules(contradictions=[SAME])
    assert reasons(programme, ("satisfied", "fair", "dissatisfied", NO, NO)) == ["all_at_once"]
    for place in range(3):
        answers = ["satisfied", "fair", "dissatisfied", NO, NO]
        answers[place] = NO
        assert reasons(programme, tuple(answers)) == [""]


def test_a_contradiction_with_a_question_that_was_not_asked_holds_for_no_form():
    optional = [{"id": item, "optional": item == "service"} for item in ITEMS[:2]]
    programme = rules(optional, contradictions=[CLASH])
    survey = survey_of("form_id | delivery\na | satisfied", programme)
    assert scoring.invalidity(survey.answers, programme).tolist() == [""]


def test_the_first_reason_stands():
    # blank before too few before the share before the contradictions in their order
    programme = rules(min_answered=2, min_share=0.6, contradictions=[CLASH, SAME])
    found = reasons(
        programme,
        form(0),
        form(1),
        form(2),
        ("satisfied", "fair", NO, NO, NO),
        ("satisfied", "fair", "dissatisfied", NO, NO),
    )
    assert found == ["blank", "too_few", "too_small_share", "too_small_share", "clash"]


def test_every_reason_is_found_by_reading_the_rule_form_by_form():
    # all 4^5 forms of the levels fair, satisfied, not applicable and left out
    programme = rules(min_answered=2, min_share=0.6, contradictions=[CLASH])

    def by_hand(answers: tuple[str, ...]) -> str:
        given = [answer for answer in answers if answer not in (NO, NA)]
        if not given:
            return "blank"
        if len(given) < 2:
            return "too_few"
        if sum(answer != NO for answer in answers) < 3:
            return "too_small_share"
        return "clash" if answers[0] == "satisfied" and answers[1] == "fair" else ""

    forms = list(itertools.product(["fair", "satisfied", NA, NO], repeat=5))
    assert reasons(programme, *forms) == [by_hand(answers) for answers in forms]


def test_no_form_has_no_reason():
    empty = pd.DataFrame(columns=ITEMS, dtype=str)
    assert scoring.invalidity(empty, rules(min_share=0.5, contradictions=[CLASH])).tolist() == []


# --- what an invalid form is worth ------------------------------------------------------------------------------------

MIXED = """a | satisfied | dissatisfied | fair | fair | fair
           b | satisfied | satisfied | fair | fair | fair
           c | fair | not_applicable | | |
           d | | | | |"""
KEYS = {
    "items": FIVE, "validity": {"min_share": 0.6, "contradictions": [CLASH]}, "index": None, "grades": None,
    "satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "delivery"},
    "satisfaction_rate": {"denominator": "returned"},
}  # fmt: skip


def test_the_answers_of_an_invalid_form_are_marked_and_only_the_answers():
    survey = survey_of(f"{HEAD}\n{MIXED}", demo(**KEYS))
    before, forms = survey.answers.copy(), scoring.score_forms(survey.forms, survey.answers, survey.programme)
    found = items.usable(survey.answers, forms, survey.programme)
    assert forms["invalid_reason"].tolist() == ["clash", "", "too_small_share", "blank"]
    assert found.loc["a"].tolist() == ["invalid"] * 5
    assert found.loc["b"].tolist() == before.loc["b"].tolist()
    assert found.loc["c"].tolist() == ["invalid", NA, NO, NO, NO]
    assert found.loc["d"].tolist() == [NO] * 5
    assert survey.answers.equals(before)


def test_an_invalid_form_is_returned_never_satisfied_and_enters_no_score():
    found = assess(survey_of(f"{HEAD}\n{MIXED}", demo(**KEYS), plan={"counts": {"distributed": 8}}))
    assert (found.evidence.returned, found.evidence.valid) == (4, 1)
    assert found.measure("invalid_rate")["value"] == 3 / 8
    assert found.measure("satisfaction_rate")["value"] == 1 / 4  # a says satisfied, and contradicts itself
    assert found.measure("satisfaction_rate_of_valid")["value"] == 1
    assert found.items.set_index("id").loc["delivery", ["n", "mean", "share_satisfied"]].tolist() == [1, 100, 1]
    assert found.evidence.forms["score"].notna().tolist() == [False, True, False, False]


def test_the_answers_of_invalid_forms_stand_apart_in_the_distribution():
    survey = survey_of(f"{HEAD} | count\n" + "\n".join(f"{line} | 3" for line in MIXED.splitlines()), demo(**KEYS))
    found = assess(survey).distribution
    delivery = found[found["item"] == "delivery"].set_index("level")["n"]
    assert delivery[["satisfied", "fair", "empty", "invalid"]].tolist() == [3, 0, 3, 6]
    assert found.groupby("item")["n"].sum().tolist() == [12] * 5  # every form once
    assert found.dropna(subset="share").groupby("item")["share"].sum().tolist() == pytest.approx([1.0] * 5)


def test_where_all_forms_are_valid_no_answer_changes():
    survey = survey_of(f"{HEAD}\n{MIXED}", demo(**{**KEYS, "validity": {"min_answered": 1}}))
    forms = scoring.score_forms(survey.forms, survey.answers, survey.programme)
    assert items.usable(survey.answers, forms, survey.programme).equals(survey.answers)


def test_the_order_of_the_forms_changes_nothing():
    lines = MIXED.splitlines()
    one, other = (assess(survey_of("\n".join([HEAD, *order]), demo(**KEYS))) for order in (lines, lines[::-1]))
    assert one.items.equals(other.items)
    assert one.evidence.forms["invalid_reason"].to_dict() == other.evidence.forms["invalid_reason"].to_dict()


def test_an_invalid_form_of_the_worked_example_is_invalid_in_a_run_too():
    responses = "form_id | delivery | service\nr1 | satisfied | satisfied\nr2 | satisfied | dissatisfied\nr3 | |"
    example = {"responses": responses, "expect": {"valid": 1, "returned": 3}}
    programme = demo(validity={"contradictions": [CLASH]}, worked_example=example)
    assert assess(load.worked_example(programme)).evidence.valid == 1
    assert assess(survey_of(responses, programme)).evidence.valid == 1
