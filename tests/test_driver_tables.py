"""What goes with satisfaction is said alike in both languages, never as a cause, and drawn where its numbers are."""

import functools
import itertools
import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest

from conftest import remembered, survey_of
from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.importance import importance_of, odds_of
from csat_analysis.estimation.quadrants import QUADRANTS
from csat_analysis.ground.words import speak
from csat_analysis.publishing import driver_figures, driver_tables
from publishing import CHECKOUT
from test_importance import BALANCED, GROUPED, HEAD, NO_ODDS, NONE, grouped, result, rules

LANGUAGES = ["zh", "en"]
EACH_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
OF_ITEMS = [driver_tables.importance_summary, driver_tables.importance_table, driver_tables.quadrant_table,
            driver_figures.importance_bars, driver_figures.driver_map]  # fmt: skip
OF_GROUPS = [driver_tables.odds_summary, driver_tables.odds_table, driver_tables.odds_tests, driver_figures.odds_ratios]
SVG = "{http://www.w3.org/2000/svg}"


@functools.cache
def run(project, period):
    """Return the items and the groups of a demo survey."""
    found = assess(load.survey(project, period, CHECKOUT))
    return importance_of(found), odds_of(found)


@remembered
def important(rows=BALANCED, **keys):
    """Return the items of a small survey."""
    return importance_of(result(rows, **keys))


def everything(items, groups, language):
    """Return all exhibits of the chapter; a warning of any kind is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [*(show(items, language) for show in OF_ITEMS), *(show(groups, language) for show in OF_GROUPS)]


@functools.cache
def page(project, period, language):
    """Return all exhibits of a demo survey."""
    return everything(*run(project, period), language)


def text(exhibit):
    """Return what an exhibit says, without its tags."""
    tree = ElementTree.fromstring(f"<div>{exhibit.html}</div>")
    for svg in tree.iter(f"{SVG}svg"):
        for part in [each for each in svg if each.tag in (f"{SVG}defs", f"{SVG}style")]:
            svg.remove(part)
    return " ".join(part.strip() for part in tree.itertext() if part.strip()).replace("\u00a0", " ")


def numbers(exhibit):
    return sorted(re.findall(r"\d[\d,]*\.\d+", text(exhibit)))


# --- both languages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("project, period", [("yuanya", "2024"), ("copenhagen", "1976")])
def test_both_languages_show_the_same_numbers(project, period):
    zh, en = (page(project, period, language) for language in LANGUAGES)
    assert [numbers(exhibit) for exhibit in zh] == [numbers(exhibit) for exhibit in en]
    assert sum(len(numbers(exhibit)) for exhibit in zh) > 30


@EACH_LANGUAGE
def test_the_page_says_that_importance_is_no_cause(language):
    said = (
        {"zh": "不是因果", "en": "not a cause"}[language],
        {"zh": "只是关联", "en": "are associations and not"}[language],
    )
    items, groups = run("yuanya", "2024")
    assert said[0] in text(driver_tables.importance_summary(items, language))
    assert said[1] in text(driver_tables.odds_summary(groups, language))


def test_every_reason_has_its_words_and_no_word_is_left_over():
    keys = speak("zh").texts
    named = {
        "importance_none": {*(reason for *_, reason in NONE), "not_asked", "one_item", "too_few_units"},
        "odds_none": {
            *(reason for *_, reason in NO_ODDS), "no_target", "not_asked", "no_term", "not_converged", "too_few_units",
        },
        "quadrant": set(QUADRANTS),
        "untested": {"two_levels", "separation", "sparse", "too_few_units"},
        "apart": {
            "not_asked", "no_points", "few_answers", "no_variation", "collinear", "suppressed", "no_answers",
            "one_level", "many_levels", "separation",
        },
    }  # fmt: skip
    for stem, names in named.items():
        assert {key for key in keys if key.startswith(f"{stem}.")} == {f"{stem}.{name}" for name in names}


@EACH_LANGUAGE
@pytest.mark.parametrize("rows, keys, reason", NONE)
def test_items_that_cannot_be_compared_leave_a_sentence_and_no_table(rows, keys, reason, language):
    found = important(rows, **keys)
    shown = [show(found, language) for show in OF_ITEMS]
    places = {"target": "overall", "n": found.n, "needed": 10 * found.drivers, "each": 10}
    assert text(shown[0]).startswith(speak(language)(f"importance_none.{reason}", **places))
    assert [text(each) for each in shown[1:4]] == ["", "", ""]
    assert text(shown[4]) == speak(language)("influence.map_without")


@EACH_LANGUAGE
@pytest.mark.parametrize("rows, about, reason", NO_ODDS)
def test_groups_that_cannot_be_compared_leave_a_sentence_and_no_table(rows, about, reason, language):
    shown = [show(grouped(rows, run=about), language) for show in OF_GROUPS]
    assert text(shown[0]) and [text(each) for each in shown[1:]] == ["", "", ""]


# --- the numbers ------------------------------------------------------------------------------------------------------


@EACH_LANGUAGE
def test_the_summary_says_what_is_explained_and_which_question_comes_first(language):
    said = text(driver_tables.importance_summary(important(), language))
    assert "66.67" in said  # 0.6 + 1 / 15
    assert "service" in said and "90.00" in said


def test_a_first_place_that_is_not_sure_is_said_not_to_be():
    items, _ = run("yuanya", "2024")
    assert items.table["first"].iloc[0] < 0.95
    assert "分不出先后" in text(driver_tables.importance_summary(items, "zh"))
    assert "分不出先后" not in text(driver_tables.importance_summary(important(), "zh"))


def test_a_part_of_the_samples_is_never_shown_as_certain():
    found = important()
    shown = [driver_tables.sampled(each, found, speak("zh")) for each in (0.0, 0.5, 1.0, np.nan)]
    assert shown == ["< 0.1%", "50.0%", "> 99.9%", "–"]


def test_a_question_left_out_is_named_with_its_reason():
    rows = "\na | satisfied | satisfied | satisfied | 20\nb | | fair | fair | 20"
    said = text(driver_tables.importance_summary(important(rows), "zh"))
    assert "未参加比较：food（作答率 50.00%，不足 75%）。" in said


def test_a_question_that_goes_the_other_way_is_named():
    rows = BALANCED.replace("a | satisfied    | satisfied ", "a | satisfied    | dissatisfied ")
    rows = rows.replace("e | dissatisfied | dissatisfied ", "e | dissatisfied | satisfied ")
    found = important(rows)
    assert (found.table.set_index("driver").loc["service", "correlation"]) < 0
    assert "与总体满意度方向相反（该题评价越高，总体评价越低）：service。" in text(
        driver_tables.importance_summary(found, "zh")
    )


def test_the_table_of_the_housing_survey_holds_the_published_figures():
    _, groups = run("copenhagen", "1976")
    shown = text(driver_tables.odds_table(groups, "en"))
    for value in ("0.5664", "1.2888", "−0.5724", "−0.3662", "−1.0910", "0.3603", "−0.4961", "0.6907", "3,479.15"):
        assert value in shown
    assert "p = 0.201)" in text(driver_tables.odds_tests(groups, "en"))


@EACH_LANGUAGE
def test_a_difference_is_called_one_only_where_there_is_evidence(language):
    differs, same = {"zh": ("有证据表明", "没有足够证据"), "en": ("There is evidence", "no sufficient evidence")}[
        language
    ]
    said = text(driver_tables.odds_summary(grouped(), language))  # 30 of 40 against 10 of 40
    assert differs in said and same not in said and "9.00" in said
    even = GROUPED.replace("30", "20").replace("10", "20")
    said = text(driver_tables.odds_summary(grouped(even), language))
    assert same in said and differs not in said


def test_titles_of_groups_are_those_of_the_run_file():
    assert "Owner" in text(driver_tables.odds_table(grouped(), "en"))


# --- the pictures -----------------------------------------------------------------------------------------------------


def tree(exhibit):
    return ElementTree.fromstring(exhibit.html)


def labels(exhibit):
    return ["".join(each.itertext()).strip().replace("\u00a0", " ") for each in tree(exhibit).iter(f"{SVG}text")]


def breadths(exhibit, mark):
    """Return where shapes of a style begin and end, in units of the axes' breadth."""
    frame = tree(exhibit).find(f".//{SVG}clipPath/{SVG}rect")
    left, breadth = float(frame.get("x")), float(frame.get("width"))
    found = []
    for path in tree(exhibit).iter(f"{SVG}path"):
        if path.get("clip-path") and mark in path.get("style", ""):
            across = [float(x) for x in re.findall(r"[ML] (-?[\d.]+)", path.get("d"))]
            found.append(((min(across) - left) / breadth, (max(across) - left) / breadth))
    return found


def test_a_bar_is_as_long_as_its_share_and_a_line_as_its_interval():
    found = important()
    exhibit = driver_figures.importance_bars(found, "zh")
    (first, second), lines = breadths(exhibit, f"fill: {driver_figures.PALE}"), breadths(exhibit, "stroke-width: 2")
    scale = (first[1] - first[0]) / 0.9
    assert (second[1] - second[0]) / scale == pytest.approx(0.1, abs=1e-4)
    low, high = found.table[["share_low", "share_high"]].to_numpy().T
    assert [(line[0] / scale, line[1] / scale) for line in lines] == [
        pytest.approx(pair, abs=1e-4) for pair in zip(low, high, strict=True)
    ]


def test_an_odds_ratio_stands_on_a_logarithmic_axis():
    _, groups = run("copenhagen", "1976")
    lines = breadths(driver_figures.odds_ratios(groups, "zh"), "stroke-width: 2")
    known = groups.table.dropna(subset="se")
    reach = np.log(known["odds_high"] / known["odds_low"]).tolist()
    scales = [(high - low) / logs for (low, high), logs in zip(lines, reach, strict=True)]
    assert scales == pytest.approx([scales[0]] * 6, rel=1e-4)


@EACH_LANGUAGE
@pytest.mark.parametrize("project, period", [("yuanya", "2024"), ("copenhagen", "1976")])
def test_ids_of_a_page_are_distinct_and_texts_stay_texts(project, period, language):
    items, _ = run(project, period)
    html = "".join(exhibit.html for exhibit in page(project, period, language))
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert not re.search(r"<text[^>]*>\s*</text>", html)
    titles = [driver_tables.title_of(items, item, speak(language)) for item in items.table.get("driver", [])]
    drawn = "".join(labels(driver_figures.driver_map(items, language))) if titles else ""
    assert all(re.sub(r"\s", "", title) in re.sub(r"\s", "", drawn) for title in titles)


def test_pictures_are_the_same_when_drawn_again():
    items, groups = run("yuanya", "2024")
    for show, found in (
        (driver_figures.importance_bars, items), (driver_figures.driver_map, items), (driver_figures.odds_ratios, groups),
    ):  # fmt: skip
        assert show(found, "zh").html == show(found, "zh").html


@pytest.mark.parametrize("number", [2, 5, 8, 12])
def test_labels_cover_neither_each_other_nor_leave_the_frame(number):
    places = np.random.default_rng(number).uniform((80, 60), (460, 280), (number, 2))
    sizes, frame = [(60.0, 14.0)] * number, (20.0, 20.0, 520.0, 340.0)
    offsets = driver_figures.label_places(places, sizes, frame)
    boxes = [
        driver_figures._box(place + offset, size) for place, offset, size in zip(places, offsets, sizes, strict=True)
    ]
    assert sum(driver_figures._common(one, other) for one, other in itertools.combinations(boxes, 2)) == 0
    assert all(driver_figures._common(box, frame) == pytest.approx(60 * 14) for box in boxes)
    dots = [driver_figures._box(place, (9.0, 9.0)) for place in places]
    assert sum(driver_figures._common(box, dot) for box in boxes for dot in dots) == 0


@pytest.mark.parametrize("points", [(0, 0), (1, 1)])
def test_questions_at_one_place_have_labels_apart(points):
    places = np.array([[200.0, 150.0], [200.0 + points[0], 150.0 + points[1]]])
    one, other = driver_figures.label_places(places, [(60.0, 14.0)] * 2, (20.0, 20.0, 520.0, 340.0))
    assert one != other


def test_titles_with_signs_are_drawn_and_escaped():
    items = [{"id": "food", "title": "A & B <b> $x$"}, {"id": "service", "title": "很长" * 30}, {"id": "overall"}]
    found = importance_of(assess(survey_of(HEAD + BALANCED, rules(items=items))))
    for show in OF_ITEMS:
        ElementTree.fromstring(f"<div>{show(found, 'zh').html}</div>")
    assert "A & B <b> $x$" in labels(driver_figures.importance_bars(found, "zh"))
