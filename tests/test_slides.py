"""Slides fit, hold what the record holds, and can be edited."""

import datetime as dt
import io
from dataclasses import replace

import pptx
import pytest
from pptx.util import Cm

from conftest import demo, survey_of
from csat_analysis.assembly.assessment import assess
from csat_analysis.documents import deck, slides
from csat_analysis.ground.words import speak
from reporting import RUNS, demo_source, made, source_of
from test_change import RULES, counted
from test_change_parts import ACTIONS
from test_word import named

LANGUAGES, EN = ["zh", "en"], speak("en")
LONG = "an exceedingly long name of a question " * 6


def opened(content):
    """Return the slides as somebody opens them."""
    return list(pptx.Presentation(io.BytesIO(content)).slides)


def titles(content):
    """Return the titles of the slides."""
    return [slide.shapes.title.text_frame.text for slide in opened(content)]


def acted():
    """Return the source of a survey with a rule, a baseline and actions."""
    programme = demo(**{**RULES, "gates": [{"measure": "return_rate", "comparison": "at_least", "threshold": 0.5}]})
    first = survey_of(counted(120, 40), programme, period="2023", plan={"as_of": "2024-01-10"})
    plan = {"baseline": "2023", "counts": {"distributed": 200}}
    return source_of(
        assess(replace(survey_of(counted(150, 20), programme, {"actions": ACTIONS}, plan=plan), baseline=first))
    )


def overflowing(slide):
    """Return the shapes of a slide that reach beyond it, and the texts that need more room than their box has."""
    found = []
    for shape in slide.shapes:
        bottom, right = (shape.top + shape.height) / Cm(1), (shape.left + shape.width) / Cm(1)
        if bottom > deck.PAGE[1] + 0.05 or right > deck.PAGE[0] + 0.05:
            found.append((shape.name, bottom, right))
        if shape.has_text_frame and shape.text_frame.text:
            size = max((run.font.size.pt for line in shape.text_frame.paragraphs for run in line.runs), default=10)
            lines = [line.text for line in shape.text_frame.paragraphs]
            needed = sum(deck._lines(line, shape.width / Cm(1), size) for line in lines) * deck.LINE * size * deck.POINT
            if shape.top / Cm(1) + needed > deck.PAGE[1]:
                found.append((lines, size))
    return found


# --- how many, and what is on them ------------------------------------------------------------------------------------


def test_a_run_with_everything_has_ten_slides_in_the_order_of_the_review():
    assert titles(slides.make(acted(), "en")) == [
        "Demo", "The result", "What was counted", "Rules and verdicts", "Questions", "Weak questions",
        "Comparison and change", "Problems and what is required", "Measures", "Decisions asked, and method",
    ]  # fmt: skip


def test_slides_that_there_are_none_of_are_named_on_the_last():
    content = made("songhe", "2024", "slides", "en")
    assert "Measures" not in titles(content) and "Comparison and change" not in titles(content)
    last = "\n".join(shape.text_frame.text for shape in opened(content)[-1].shapes if shape.has_text_frame)
    assert "There is no slide on: Rules and verdicts, Comparison and change, Measures." in last


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("run", RUNS, ids="/".join)
def test_nothing_overflows(run, language):
    found = [overflowing(slide) for slide in opened(made(*run, "slides", language))]
    assert found == [[]] * len(found) and 6 <= len(found) <= 10


@pytest.mark.parametrize("title", [LONG, "名" * 200])
def test_nothing_overflows_where_everything_has_a_long_name(title):
    found = [overflowing(slide) for slide in opened(slides.make(named(title), "zh"))]
    assert found == [[]] * len(found)


def test_rows_that_have_no_room_are_counted():
    content = made("hengxin", "2024Q4", "slides", "en")
    [slide] = [each for each in opened(content) if each.shapes.title.text_frame.text == "Comparison and change"]
    [rows] = [len(shape.table.rows) - 1 for shape in slide.shapes if shape.has_table]
    told = "\n".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)
    every = len(slides._changes(demo_source("hengxin", "2024Q4"), EN).content["rows"])
    assert rows < every and f"{every - rows} more rows are in the report." in told


# --- the chart --------------------------------------------------------------------------------------------------------


def chart_of(content):
    """Return the chart of the slides, and what is said of it to those who cannot see it."""
    [shape] = [shape for slide in opened(content) for shape in slide.shapes if shape.has_chart]
    return shape.chart, shape._element.nvGraphicFramePr.cNvPr.get("descr")


def test_the_chart_holds_the_values_of_the_record():
    chart, told = chart_of(made("songhe", "2024", "slides", "en"))
    items = demo_source("songhe", "2024").record.items
    assert list(chart.plots[0].series[0].values) == [round(100 * item.share_satisfied, 2) for item in items]
    assert chart.plots[0].data_labels.number_format == '#,##0.00"\u00a0%"' and "Lowest: " in told


def test_its_values_can_be_edited():
    chart, _ = chart_of(made("songhe", "2024", "slides", "zh"))
    assert chart.part.chart_workbook.xlsx_part is not None


def test_a_scale_without_satisfied_answers_has_bars_of_points():
    result = assess(survey_of("form_id | delivery | service\na | satisfied | fair\nb | fair | fair"))
    chart, told = chart_of(slides.make(source_of(result), "en"))
    assert list(chart.plots[0].series[0].values) == [80.0, 60.0]
    assert told == EN("slide.see_means")


# --- texts that fit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "size", "kept"),
    [(["short"], 18, 1), (["word " * 60] * 4, 15, 4), (["word " * 60] * 40, 12, 5), ([], 18, 0)],
)
def test_texts_become_smaller_and_then_fewer(texts, size, kept):
    assert deck.fitting(texts, 30, 10) == (size, kept)


def test_a_list_that_has_no_room_says_how_many_more_there_are():
    page = deck.begin("x", "en", dt.date(2025, 1, 1))
    slide = deck.add_slide(page, "title", "foot")
    deck.add_bullets(slide, lambda words: ["word " * 60] * 40, 3, 10, EN)
    [box] = [shape for shape in slide.shapes if "word" in shape.text_frame.text]
    assert box.text_frame.paragraphs[-1].text.endswith(" more are in the report.")
    assert overflowing(slide) == []
