"""A notice says in plain words what everybody may know, on one page, and nothing of anybody."""

import datetime as dt
import functools
import io
from dataclasses import replace

import docx
import pytest

from conftest import demo, survey_of
from csat_analysis.assembly.assessment import assess
from csat_analysis.documents import notice
from csat_analysis.ground.words import speak
from reporting import MAKERS, RUNS, demo_source, made, source_of, texts
from test_change import RULES, counted
from test_documents import void
from test_word import named

LANGUAGES, EN = ["zh", "en"], speak("en")
SATISFIED = {"satisfied": {"levels": ["satisfied"]}}
STAFF = ("Zhao Tiezhu", "Qian Manager", "Sun Inspector", "Vans Department")
ACTIONS = (
    "action_id | description | target_item | judged_by | minimal_change | units | approved_on | due_on | completed_on | owner | department | approved_by | verified_by | cause\n"
    f"k1 | ask {STAFF[0]} | delivery | delivery.satisfied | 0.05 | all | 2023-11-01 | 2024-06-30 | 2024-03-01 | {STAFF[0]} | {STAFF[3]} | {STAFF[1]} | {STAFF[2]} | {STAFF[0]} was late\n"
)
FORMS = (
    "form_id | customer_id | delivery | service | segment | count\n"
    "f-771 | cust-8801 | satisfied | satisfied | Tower | 150\nf-772 | cust-8802 | fair | fair | Tower | 20\n"
    "f-773 | cust-8803 | fair | fair | Villa | 2"
)


@functools.cache
def acted():
    """Return the source of a survey with actions, whose tables name people, and a group of two."""
    programme = demo(**RULES)
    first = survey_of(counted(120, 40), programme, period="2023", plan={"as_of": "2024-01-10"})
    run = {"groups": ["segment"], "plan": {"baseline": "2023"}}
    return source_of(assess(replace(survey_of(FORMS, programme, {"actions": ACTIONS}, **run), baseline=first)))


def small(rows, **keys):
    """Return the source of a few forms."""
    return source_of(assess(survey_of("form_id | delivery | service\n" + rows, demo(**{**SATISFIED, **keys}))))


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_named(kind, language):
    said = "\n".join(texts(MAKERS[kind](acted(), language), kind))
    for name in (*STAFF, "cust-88", "f-77"):
        assert name not in said


def test_a_small_group_is_in_no_document_with_its_figures():
    assert not any("Villa" in text for text in texts(notice.make(acted(), "en"), "notice"))
    shown = [text for text in texts(MAKERS["report"](acted(), "en"), "report") if "suppressed" in text]
    assert "suppressed" in shown


def test_a_question_that_few_answered_is_left_out():
    rows = "\n".join(f"r{n} | satisfied | {'fair' if n < 4 else ''}" for n in range(6))
    said = texts(notice.make(small(rows), "en"), "notice")
    assert "100.00\u00a0% are satisfied with “Delivery”." in said
    assert not any("Service" in text for text in said)


def test_too_few_answers_have_no_figure_at_all():
    said = texts(notice.make(small("a | satisfied | satisfied\nb | fair | fair"), "en"), "notice")
    assert EN("notice.small") in said
    assert not any("%" in text for text in said)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("run", RUNS, ids="/".join)
def test_it_is_one_page(run, language):
    assert height(made(*run, "notice", language)) < 25.3


@pytest.mark.parametrize("title", ["a long name of a question " * 8, "名" * 200])
def test_it_is_one_page_where_everything_has_a_long_name(title):
    assert height(notice.make(named(title), "zh")) < 25.3


def height(content):
    """Return how high a notice is, in cm, as far as that can be told without laying it out."""
    document = docx.Document(io.BytesIO(content))
    lines = [1 + len(line.text.encode("gbk", "replace")) // 78 for line in document.paragraphs]
    heads = sum(line.style.name == "Heading 2" for line in document.paragraphs)
    rows = sum(1 + max(len(cell.text.encode("gbk", "replace")) // 40 for cell in row.cells)
               for table in document.tables for row in table.rows)  # fmt: skip
    return 0.65 * sum(lines) + 0.6 * heads + 0.6 * rows + 1.5


def test_best_and_worst_are_named_with_their_shares():
    rows = "\n".join(
        f"r{n} | {'satisfied' if n < 9 else 'fair'} | {'satisfied' if n < 5 else 'fair'}" for n in range(10)
    )
    said = texts(notice.make(small(rows), "en"), "notice")
    assert "Satisfaction is highest with “Delivery” (90.00\u00a0%) and lowest with “Service” (50.00\u00a0%)." in said


def test_what_is_done_is_said_without_names():
    said = texts(notice.make(acted(), "en"), "notice")
    assert "Action on “Delivery”: due 2024-06-30, done 2024-03-01." in said


def test_what_a_missed_rule_requires_is_said():
    gates = [{"measure": "return_rate", "comparison": "at_least", "threshold": 0.9, "otherwise": "remind"}]
    found = survey_of(counted(5, 1), demo(gates=gates, triggers=[{"id": "remind", "title": "remind everybody"}]),
                      plan={"counts": {"distributed": 20}})  # fmt: skip
    assert "The procedure requires: remind everybody." in texts(notice.make(source_of(assess(found)), "en"), "notice")


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, "6 forms came back, and 6 of them are valid. How many were sent out is not on record."),
        ({"distributed": 8}, "8 forms were sent out, 6 came back, and 6 of them are valid."),
        (
            {"distributed": 8, "frame": 9},
            "9 customers were in scope. 8 forms were sent out, 6 came back, and 6 of them are valid.",
        ),
    ],
)
def test_who_was_asked_is_said_as_far_as_it_is_known(counts, said):
    assert notice.asked(source_of(assess(survey_of(counted(5, 1), plan={"counts": counts}))), EN) == [said]


def test_the_next_survey_is_that_of_the_run_file_else_a_line_to_fill_in():
    found = demo_source("songhe", "2024")
    assert notice.next_sentence(found._replace(following="2025"), EN) == "The next survey is that of 2025."
    assert notice.next_sentence(found, EN).endswith("____")


def test_a_procedure_says_how_often_there_is_a_survey():
    steps = [{"id": "survey", "title": "Survey", "every": "quarter", "seen_in": "fieldwork"}]
    found = source_of(assess(survey_of(counted(5, 1), demo(steps=steps))))
    assert notice.next_sentence(found, EN) == "By the procedure there is a survey every quarter."


def test_a_void_survey_has_no_figure():
    said = texts(notice.make(void(), "en"), "notice")
    assert EN("notice.void") in said and not any("%" in text for text in said)


def test_the_day_is_that_of_the_report():
    said = texts(made("songhe", "2024", "notice", "zh"), "notice")
    assert speak("zh")("notice.day", date=speak("zh").date(dt.date(2025, 1, 10))) in said
