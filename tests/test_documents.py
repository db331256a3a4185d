"""A document says what the record holds, names what it leaves out, and holds the same figures in both languages."""

import functools
import re
from dataclasses import replace

import pytest

from conftest import demo, survey_of
from csat_analysis.assembly.assessment import assess
from csat_analysis.documents import documents, problems
from csat_analysis.documents.documents import Heading
from csat_analysis.ground.runs import Remedy
from csat_analysis.ground.words import speak
from csat_analysis.publishing.markup import Exhibit
from reporting import MAKERS, RUNS, demo_result, demo_source, made, numbers, source_of, texts

LANGUAGES, ZH, EN = ["zh", "en"], speak("zh"), speak("en")
EACH_KIND = pytest.mark.parametrize("kind", MAKERS)
FORMS = "form_id | delivery | service\na | satisfied | fair\nb | fair | fair\nc | satisfied | satisfied"
VOIDS = [
    {"measure": "return_rate", "comparison": "at_least", "threshold": 0.9, "voids": "unless_remedied", "clause": "7"}
]


@functools.cache
def void():
    """Return the source of a demo survey whose remedy was due before the day of the report."""
    survey = demo_result("yunting", "2024").survey
    remedy = Remedy.model_validate({"due_on": "2024-12-31"})
    return source_of(assess(replace(survey, run=survey.run.model_copy(update={"remedy": remedy}))))


def small(**keys):
    """Return the source of three forms under the demonstration."""
    return source_of(assess(survey_of(FORMS, demo(**keys), plan={"counts": {"distributed": 4}})))


# --- both languages ---------------------------------------------------------------------------------------------------


@EACH_KIND
@pytest.mark.parametrize("run", RUNS, ids="/".join)
def test_both_languages_hold_the_same_figures(run, kind):
    zh, en = (numbers(texts(made(*run, kind, language), kind)) for language in LANGUAGES)
    assert zh == en and sum(zh.values()) >= 2


@EACH_KIND
@pytest.mark.parametrize("run", RUNS, ids="/".join)
def test_the_headline_stands_in_every_document_as_on_the_page(run, kind):
    source = demo_source(*run)
    shown = documents.head(source, EN).content["value"]
    assert any(shown in text for text in texts(made(*run, kind, "en"), kind)), shown


def test_every_figure_of_a_question_is_that_of_the_record():
    record, said = demo_source("songhe", "2024").record, texts(made("songhe", "2024", "report", "zh"), "report")
    for item in record.items:
        assert f"{100 * item.share_satisfied:.2f}%" in said and str(item.n) in said


# --- sections ---------------------------------------------------------------------------------------------------------


def test_what_the_record_has_no_table_for_is_named_with_the_reason():
    assert documents.left_out(small(index=None, grades=[]).record) == {
        name: name
        for name in (
            "index",
            "drivers",
            "groups",
            "respondents",
            "complaints",
            "actions",
            "comparison",
            "change",
            "clauses",
        )
    }
    lines = documents.left_out_lines(small().record, EN)
    assert "Measures (no action is on record)" in lines
    assert set(lines) <= set(texts(MAKERS["report"](small(), "en"), "report"))


def test_a_run_with_everything_leaves_nothing_out():
    found = demo_source("hengxin", "2024Q4")
    assert documents.left_out(found.record) == {
        "drivers": "drivers",
        "actions": "actions",
    }  # it asks no overall question
    assert [section.name for section in documents.sections(found, ZH)] == [
        "overview", "survey", "results", "problems", "comparison", "appendix",
    ]  # fmt: skip


@pytest.mark.parametrize("run", RUNS, ids="/".join)
def test_no_heading_stands_over_nothing(run):
    for section in documents.sections(demo_source(*run), EN):
        ends = [*section.blocks[1:], Heading("")]
        assert not any(isinstance(block, Heading) and isinstance(after, Heading)
                       for block, after in zip(section.blocks, ends, strict=True))  # fmt: skip
        assert all(block.macro for block in section.blocks if isinstance(block, Exhibit))


def test_no_figure_stands_without_a_sentence():
    for section in documents.sections(demo_source("yuanya", "2024"), EN):
        for block in section.blocks:
            if not isinstance(block, Heading | Exhibit):
                assert block.caption and block.sentence.endswith(".")


def test_a_stale_record_is_told_first():
    section = documents.sections(small()._replace(stale=True), EN)[0]
    assert section.blocks[0].content["paragraphs"][0] == EN("document.stale")


# --- a void survey ----------------------------------------------------------------------------------------------------


@EACH_KIND
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_void_survey_gives_no_figure_of_satisfaction(kind, language):
    assert void().record.status == "void"
    said = "\n".join(texts(MAKERS[kind](void(), language), kind))
    words, rates = speak(language), {item.share_satisfied for item in void().record.items} - {None}
    rates |= {row.value for row in void().record.measures if row.id.startswith("satisfaction")}
    assert not any(re.search(rf"(?<![\d.]){re.escape(words.number(rate, 'share'))}", said) for rate in rates)
    assert words("notice.void" if kind == "notice" else "document.void") in said


def test_a_void_survey_says_so_before_anything_else():
    block = documents.sections(void(), EN)[0].blocks[0]
    assert (block.content["stamp"], block.content["value"]) == ("Void", "")
    assert block.content["explanation"][0] == EN("document.void")
    assert "The remedy was due by 2024-12-31; none is on record." in block.content["explanation"]


def test_a_void_survey_names_its_results_as_left_out():
    assert "Results (the survey is void)" in documents.left_out_lines(void().record, EN)


# --- problems ---------------------------------------------------------------------------------------------------------


def test_a_rule_that_is_not_met_is_a_problem_with_what_it_sets_off():
    gate = [{**VOIDS[0], "voids": None, "otherwise": "remind"}]
    found = small(gates=gate, triggers=[{"id": "remind", "title": "Remind everybody", "clause": "5.3"}])
    assert problems.problems(found, EN)[0] == "Return rate: not met"
    [row] = problems.trigger_table(found, EN).content["rows"]
    assert row == ("Remind everybody", "Return rate", "clause 5.3")
    assert problems.decisions(found, EN)[0] == "Decide how to carry out: Remind everybody (clause 5.3)."


def test_a_rule_without_consequence_is_to_be_decided_on():
    found = small(gates=[{**VOIDS[0], "voids": None}])
    assert problems.decisions(found, EN) == [
        "Return rate is not met, and the procedure states no consequence: decide whether to act."
    ]


def test_weak_questions_are_the_lowest_half_at_most_three():
    assert [row["id"] for row in problems.weakest(small(satisfied={"levels": ["satisfied"]}))] == ["service"]
    assert len(problems.weakest(demo_source("songhe", "2024"))) == 3
    assert problems.weakest(demo_source("copenhagen", "1976")) == []


def test_steps_that_are_missing_or_late_are_named_once():
    found = problems.open_steps(demo_source("yuanya", "2024"), EN)
    assert len(found) == len(set(found)) == 3
    assert all(line.endswith(("missing", "late")) for line in found)


def test_causes_are_left_to_be_filled_in():
    shown = problems.cause_table(["Return rate: not met"], EN)
    assert shown.content["rows"] == [("Return rate: not met", "", "", "", "")]
    assert problems.cause_table([], EN).macro == ""


def test_a_reason_that_stands_in_a_table_alone_is_not_said_to_be_missing():
    assert not any("gives no reason" in text for text in texts(made("hengxin", "2024Q4", "report", "en"), "report"))


def test_no_value_of_a_rejected_cell_is_repeated():
    [*_, rejected] = [row for row in demo_source("yuanya", "2024").record.rejected if row.reason == "unknown_level"]
    assert rejected.value == "非常好"
    assert "非常好" not in "\n".join(texts(made("yuanya", "2024", "report", "zh"), "report"))
