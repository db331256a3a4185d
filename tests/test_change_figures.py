"""A change is drawn where its numbers are, hollow where it was not tested, and the answers stand side by side."""

import re
import warnings
from xml.etree import ElementTree

import pytest

from conftest import demo, survey_of
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.change import judge_change
from csat_analysis.ground.words import speak
from csat_analysis.publishing import canvas, change_figures
from test_change import RULES, changed, counted
from test_change_tables import BEFORE, primary, run, situation, with_row

LANGUAGES = ["zh", "en"]
EACH_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
SVG = "{http://www.w3.org/2000/svg}"
LINE = f"stroke: {canvas.DOT}; stroke-width: 2"
BOTH = [change_figures.change_intervals, change_figures.distributions]


def trees(exhibit):
    """Return the trees of the figures of an exhibit."""
    return list(ElementTree.fromstring(f"<div>{exhibit.html}</div>").iter("figure"))


def labels(tree):
    return ["".join(each.itertext()).strip().replace("\u00a0", " ") for each in tree.iter(f"{SVG}text")]


def caption(tree):
    return "".join(tree.find("figcaption").itertext()).replace("\u00a0", " ")


def breadths(tree, mark):
    """Return where shapes of a style begin and end, in units of the axes' breadth."""
    frame = tree.find(f".//{SVG}clipPath/{SVG}rect")
    left, breadth = float(frame.get("x")), float(frame.get("width"))
    found = []
    for path in tree.iter(f"{SVG}path"):
        if path.get("clip-path") and mark in path.get("style", ""):
            across = [float(x) for x in re.findall(r"[ML] (-?[\d.]+)", path.get("d"))]
            found.append(((min(across) - left) / breadth, (max(across) - left) / breadth))
    return found


# --- changes ----------------------------------------------------------------------------------------------------------


def test_the_primary_figures_stand_first_then_the_satisfied_share_of_each_question():
    found = primary(situation("plain"))
    names = ["satisfaction_rate", "delivery.satisfied", "service.satisfied"]
    assert [row["id"] for row in change_figures.drawn_rows(found)] == names
    drawn = "".join(labels(trees(change_figures.change_intervals(found, "zh"))[0]))
    assert drawn.index("满意率") < drawn.index("交货") < drawn.index("服务")


def test_without_a_satisfied_answer_the_means_are_drawn():
    found = changed(BEFORE, counted(150, 20), demo())
    assert {row["id"] for row in change_figures.drawn_rows(found)} >= {"delivery.mean", "service.mean"}


def test_a_line_is_as_long_as_its_interval_and_zero_is_on_the_axis():
    found = primary(situation("plain"))
    shown = change_figures.drawn_rows(found)
    lines = breadths(trees(change_figures.change_intervals(found, "zh"))[0], LINE)
    widths = [row["conf_high"] - row["conf_low"] for row in shown]
    scale = (lines[0][1] - lines[0][0]) / widths[0]
    assert [high - low for low, high in lines] == pytest.approx([scale * width for width in widths], abs=1e-4)
    zero = lines[0][0] - scale * shown[0]["conf_low"]
    assert 0 <= zero <= 1


def test_a_margin_is_a_band_on_both_sides_of_zero():
    found = primary(situation("margin"))
    tree = trees(change_figures.change_intervals(found, "zh"))[0]
    [band], line = breadths(tree, f"fill: {change_figures.BAND}"), breadths(tree, LINE)[0]
    row = found.row("satisfaction_rate")
    scale = (line[1] - line[0]) / (row["conf_high"] - row["conf_low"])
    assert (band[1] - band[0]) / scale == pytest.approx(0.1, abs=1e-4)
    assert "色带" in caption(tree)


@EACH_LANGUAGE
def test_what_was_not_tested_is_hollow_and_has_no_interval(language):
    [tree] = trees(change_figures.change_intervals(primary(situation("selected")), language))
    assert breadths(tree, LINE) == []
    hollow = [
        each for each in tree.iter() if "fill: #ffffff" in each.get("style", "") and canvas.DOT in each.get("style")
    ]
    assert hollow
    assert speak(language)("change.figure_hollow").replace("\u00a0", " ") in caption(tree)
    tested = trees(change_figures.change_intervals(primary(situation("plain")), language))[0]
    assert speak(language)("change.figure_hollow").replace("\u00a0", " ") not in caption(tested)


def test_a_census_has_a_full_dot_and_needs_no_interval():
    found = primary(situation("plain"))
    for name in ("satisfaction_rate", "delivery.satisfied", "service.satisfied"):
        found = with_row(found, name, reason="census")
    [tree] = trees(change_figures.change_intervals(found, "zh"))
    assert breadths(tree, LINE) == [] and "空心" not in caption(tree)


def test_an_interval_apart_from_zero_without_a_verdict_is_explained():
    found = primary(situation("plain"))
    assert "经过校正" not in caption(trees(change_figures.change_intervals(found, "zh"))[0])
    lone = with_row(found, "delivery.satisfied", verdict="insufficient")
    assert "经过校正" in caption(trees(change_figures.change_intervals(lone, "zh"))[0])


def test_points_have_a_picture_of_their_own():
    rules = {"primary": ["satisfaction_rate", "delivery.mean"]}
    found = changed(BEFORE, counted(150, 20), demo(**RULES, change=rules))
    first, second = trees(change_figures.change_intervals(found, "zh"))
    assert "百分点" in caption(first) and "得分" in caption(second)
    assert caption(first) != caption(second)


# --- answers ----------------------------------------------------------------------------------------------------------


def test_bars_are_as_long_as_the_shares_before_and_after():
    found = situation("plain")  # 75 and 88.24 % satisfied with both questions
    [tree] = trees(change_figures.distributions(found, "zh"))
    shade = change_figures.colours(found.result.survey.programme)["satisfied"]
    bars = breadths(tree, "fill: #" + "".join(f"{round(255 * part):02x}" for part in shade))
    assert len(bars) == 4
    widths = sorted((high - low) / (bars[0][1] - bars[0][0]) for low, high in bars)
    assert widths == pytest.approx([1, 1, 150 / 170 / 0.75, 150 / 170 / 0.75], abs=1e-3)
    text = labels(tree)
    assert text.count("75%") == 2 and text.count("88%") == 2 and text.count("2023") == 2 and text.count("2024") == 2


def test_the_bars_stand_as_numbers_in_a_table_to_be_unfolded():
    [tree] = trees(change_figures.distributions(situation("plain"), "zh"))
    [fold] = tree.iter("details")
    cells = [["".join(cell.itertext()) for cell in row] for row in fold.iter("tr")]
    levels = ["satisfied", "fair", "dissatisfied"]
    assert cells[0] == ["题目", "报告期", *levels]
    assert [row[:3] for row in cells[1:3]] == [["交货", "2023", "75.00%"], ["交货", "2024", "88.24%"]]
    assert [sum(float(share[:-1]) for share in row[2:]) for row in cells[1:]] == pytest.approx([100] * 4, abs=0.02)


def test_a_question_that_was_not_asked_has_no_share_in_the_table():
    now = [{"id": name, "title": name, "weight": 0.5} for name in ("delivery", "service")]
    now.append({"id": "price", "title": "Price", "weight": 0.0, "optional": True})
    asked = "form_id | delivery | service | price | count\na | fair | fair | fair | 30"
    [tree] = trees(change_figures.distributions(changed(BEFORE, asked, demo(**{**RULES, "items": now})), "en"))
    rows = [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]
    assert [row for row in rows if row[:2] == ["Price", "2023"]] == [["Price", "2023", *["–"] * (len(rows[0]) - 2)]]


def test_other_scales_are_not_set_side_by_side():
    assert trees(change_figures.distributions(situation("scale"), "zh")) == []
    assert "不能并列" in change_figures.distributions(situation("scale"), "zh").html


def test_a_question_that_was_not_asked_before_has_one_bar():
    now = [{"id": name, "title": name, "weight": 0.5} for name in ("delivery", "service")]
    now.append({"id": "price", "title": "Price", "weight": 0.0, "optional": True})
    asked = "form_id | delivery | service | price | count\na | fair | fair | fair | 30"
    [tree] = trees(change_figures.distributions(changed(BEFORE, asked, demo(**{**RULES, "items": now})), "en"))
    assert labels(tree).count("2023 (not asked)") == 1


# --- both ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tiny", "nobody", "mode", "scale", "same"])
def test_hardly_any_data_is_drawn_without_a_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for show in BOTH:
            ElementTree.fromstring(f"<div>{show(situation(name), 'en').html}</div>")


@EACH_LANGUAGE
def test_ids_of_a_page_are_distinct_and_texts_stay_texts(language):
    html = "".join(show(run("hengxin", "2024Q4"), language).html for show in BOTH)
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert ids and len(ids) == len(set(ids))
    assert not re.search(r"<text[^>]*>\s*</text>", html)


def test_pictures_are_the_same_when_drawn_again():
    for show in BOTH:
        assert show(situation("plain"), "zh").html == show(situation("plain"), "zh").html


def test_without_a_baseline_nothing_is_drawn():
    found = judge_change(assess(survey_of(counted(3, 1), demo(**RULES))))
    assert [show(found, "zh").html for show in BOTH] == ["", ""]
