"""A figure says what its numbers say, in the packaged font alone, the same each time, and draws every title as it is written."""

import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pylopdf_fonts_zh_cn
import pytest
from fontTools.ttLib import TTFont
from matplotlib import colors, font_manager

from conftest import demo, remembered, survey_of
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.ground.words import speak
from csat_analysis.publishing import canvas, figures
from csat_analysis.publishing.markup import Exhibit
from publishing import Page

LANGUAGES = ["zh", "en"]
INTERVAL = f"stroke: {canvas.DOT}; stroke-width: 2"
BOUNDS = f"stroke: {canvas.INK}; stroke-width: 1.6"
SVG = "{http://www.w3.org/2000/svg}"
FONT = Path(pylopdf_fonts_zh_cn.sans_path())
LEVELS = [
    {"id": "satisfied", "title": {"zh": "满意", "en": "Satisfied"}},
    {"id": "fair", "title": {"zh": "一般", "en": "Fair"}},
    {"id": "dissatisfied", "title": {"zh": "不满意", "en": "Dissatisfied"}},
]
POINTS = {"values": {"satisfied": 100, "fair": 60, "dissatisfied": 0}}
RULES = {"scale": {"levels": LEVELS}, "points": POINTS, "satisfied": {"levels": ["satisfied"]}}
RULED = {  # with a rule on the satisfaction rate
    "gates": [{"measure": "satisfaction_rate", "comparison": "at_least", "threshold": 0.5}],
    "satisfied_form": {"reading": "item", "item": "delivery"},
}
MIXED = """form_id | delivery | service
           a | satisfied | satisfied
           b | satisfied | fair
           c | satisfied | dissatisfied
           d | fair | dissatisfied
           e | | not_applicable
           f | not_applicable | great"""  # delivery: 75, 25, 0 % of 4; service: 25, 25, 50 % of 4


@pytest.fixture(scope="module", autouse=True)
def bare_machine(tmp_path_factory):
    """Draw as on a machine without fonts: there are those inside matplotlib, and the packaged one."""
    listing = tmp_path_factory.mktemp("fonts") / "fonts.conf"
    listing.write_text('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>')
    own = [font for font in font_manager.fontManager.ttflist if font.fname.startswith(mpl.get_data_path())]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FONTCONFIG_FILE", str(listing))
        patch.setattr(font_manager.fontManager, "ttflist", own)
        canvas.style.cache_clear()
        canvas.style()  # registers the packaged font, and with it forgets which fonts were found before
        yield
    canvas.style.cache_clear()
    canvas.style()


@remembered
def result(rows: str = MIXED, run=None, plan=None, **keys) -> Assessment:
    return assess(survey_of(rows, demo(**{**RULES, **keys}), plan=plan, **(run or {})))


@functools.cache
def drawn(figure: str, language: str) -> Exhibit:
    """Return a figure of the usual survey, drawn once; a warning of any kind is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return getattr(figures, figure)(usual(), language)


@functools.cache
def usual() -> Assessment:
    return result(**RULED)


FIGURES = ["answers", "items", "operating_characteristic"]
EACH = pytest.mark.parametrize("figure", FIGURES)
EACH_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


def tree(exhibit: Exhibit) -> ElementTree.Element:
    """Return the tree of a figure; every tag of it is closed."""
    return ElementTree.fromstring(exhibit.html)


def labels(exhibit: Exhibit, size: int | None = None) -> list[str]:
    """Return the texts of a picture, line by line; those of one size only, where it is given."""
    elements = tree(exhibit).iter(f"{SVG}text")
    chosen = [each for each in elements if size is None or f"font-size: {size}px" in each.get("style", "")]
    return ["".join(each.itertext()).strip().replace("\u00a0", " ") for each in chosen]


def solid(text: str) -> str:
    """Return a text without spaces: a label is broken into lines."""
    return re.sub(r"\s", "", text)


def sentence(exhibit: Exhibit) -> str:
    return "".join(tree(exhibit).find(".//figcaption").itertext()).replace("\u00a0", " ")


def spans(exhibit: Exhibit, mark: str) -> list[tuple[float, float]]:
    """Return where shapes of a style begin and end, as a share of the axes' breadth from its left end."""
    frame = tree(exhibit).find(f".//{SVG}clipPath/{SVG}rect")
    left, breadth = float(frame.get("x")), float(frame.get("width"))
    found = []
    for path in tree(exhibit).iter(f"{SVG}path"):
        if path.get("clip-path") and mark in path.get("style", ""):
            across = [float(x) for x in re.findall(r"[ML] (-?[\d.]+)", path.get("d"))]
            found.append(((min(across) - left) / breadth, (max(across) - left) / breadth))
    return found


# --- the font -----------------------------------------------------------------------------------------


def test_these_tests_draw_without_the_fonts_of_the_machine():
    seen = {Path(font.fname) for font in font_manager.fontManager.ttflist}
    assert {path for path in seen if not path.is_relative_to(mpl.get_data_path())} == {FONT}
    assert font_manager.findfont(canvas.FONT) == str(FONT)


@functools.cache
def known() -> set[int]:
    """Return the characters of the packaged font."""
    with TTFont(FONT, lazy=True) as font:
        return set(font.getBestCmap())


@EACH
@EACH_LANGUAGE
def test_every_text_is_set_in_the_packaged_font_and_the_font_has_its_characters(figure, language):
    svg = tree(drawn(figure, language)).find(f".//{SVG}svg")
    assert labels(drawn(figure, language))
    assert svg.get("style") == f"font-family: '{canvas.FONT}', 'DejaVu Sans'"
    assert [each for each in svg.iter() if each is not svg and "font-family" in (each.get("style") or "")] == []
    assert {each for text in labels(drawn(figure, language)) for each in text if ord(each) not in known()} == set()


@pytest.mark.parametrize("figure, language", [("answers", "zh"), ("items", "en")])
def test_a_character_the_font_does_not_have_stays_text_for_the_fonts_of_the_reader(figure, language):
    foreign = result(items=[{"id": "delivery", "title": "ก 👍"}, {"id": "service"}])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "ก 👍" in labels(getattr(figures, figure)(foreign, language))


def test_the_font_has_every_character_of_our_own_words():
    texts = "".join(
        (Path(figures.__file__).parents[1] / f"words/{name}.yml").read_text("utf-8") for name in ("zh", "en")
    )
    assert {each for each in texts if ord(each) not in known() and each.isprintable()} == set()


# --- data below the picture ----------------------------------------------------------------------------


def test_the_curve_stands_as_numbers_where_it_bends():
    [fold] = tree(drawn("operating_characteristic", "en")).iter("details")
    cells = [["".join(cell.itertext()).replace("\u00a0", " ") for cell in row] for row in fold.iter("tr")][1:]
    assert 2 <= len(cells) <= figures.ROWS
    rates, chances = ([float(cell.strip("<> %")) for cell in column] for column in zip(*cells, strict=True))
    assert rates == sorted(rates) and chances == sorted(chances, reverse=True)
    assert min(rates) < 100 * usual().gates["threshold"].iloc[0] < max(rates)


@pytest.mark.parametrize(
    ("chances", "rows"), [([1.0, 1.0, 0.0, 0.0], 2), ([1.0, 1.0, 1.0, 1.0], 4), ([1.0, 0.6, 0.2, 0.0], 4)]
)
def test_a_curve_without_a_bend_has_a_table_too(chances, rows):
    found = figures.curve_table(np.array([0.7, 0.8, 0.9, 1.0]), np.array(chances), "curve", speak("en"))
    assert found.html.count("<tr>") == rows + 1


# --- text stays text ----------------------------------------------------------------------------------


@EACH
@EACH_LANGUAGE
def test_text_is_text_that_can_be_searched(figure, language):
    titles = {"zh": ["交货", "服务"], "en": ["Delivery", "Service"]}[language]
    axes = {
        "zh": ["真实满意率", "判为未达到的概率"],
        "en": ["True satisfaction rate", "Probability that the rule is missed"],
    }
    wanted = axes[language] if figure == "operating_characteristic" else titles
    assert [label for label in labels(drawn(figure, language)) if label in wanted] == wanted
    assert tree(drawn(figure, language)).find(f".//{SVG}use") is None or figure != "answers"  # no glyph drawn as a path
    assert not re.search(r"<(image|script|foreignObject|metadata)\b", drawn(figure, language).html)


@EACH
@EACH_LANGUAGE
def test_a_figure_has_a_title_a_description_a_caption_and_a_sentence(figure, language):
    root = tree(drawn(figure, language))
    svg = root.find(f".//{SVG}svg")
    title, description = svg.find(f"{SVG}title").text, svg.find(f"{SVG}desc").text
    assert (svg.get("role"), [part.tag for part in svg][:2]) == ("img", [f"{SVG}title", f"{SVG}desc"])
    assert root.find(".//*[@role='group']").get("aria-label") == root.find(".//*[@class='caption']").text == title
    assert len(description) > len(title) > 3
    caption, said = sentence(drawn(figure, language)).split(title.replace("\u00a0", " "), 1)
    assert caption == "" and len(said) > 10


@EACH
def test_a_figure_is_as_wide_as_its_page_lets_it_be(figure):
    svg = tree(drawn(figure, "zh")).find(f".//{SVG}svg")
    assert svg.get("viewBox") and svg.get("width") is None and svg.get("height") is None


def test_figures_of_a_page_share_no_id_and_every_reference_finds_its_own():
    seen: set[str] = set()
    for figure in FIGURES:
        page = Page(drawn(figure, "zh").html)
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        refers = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', drawn(figure, "zh").html)
        assert len(ids) == len(set(ids)) and not seen & set(ids)
        assert {one or other for one, other in refers} <= set(ids) and refers
        seen |= set(ids)


# --- the same each time -------------------------------------------------------------------------------


@EACH
def test_a_figure_is_the_same_when_drawn_again(figure):
    first = drawn(figure, "zh").html
    figures.answers(usual(), "en")
    assert getattr(figures, figure)(result(**RULED), "zh").html == first


@EACH
def test_a_figure_leaves_the_analysts_own_settings_alone(figure):
    with mpl.rc_context({"font.size": 31, "svg.fonttype": "path", "text.usetex": False, "axes.grid": True}):
        before = dict(mpl.rcParams)
        assert getattr(figures, figure)(usual(), "zh").html == drawn(figure, "zh").html
        assert dict(mpl.rcParams) == before


ELSEWHERE = """
import hashlib, json, sys
from matplotlib import font_manager, get_data_path
manager = font_manager.fontManager
manager.ttflist = [font for font in manager.ttflist if font.fname.startswith(get_data_path())]
folder, rows, rules, names = sys.argv[1:]
sys.path.insert(0, folder)
from conftest import demo, survey_of
from csat_analysis.assembly import assessment
from csat_analysis.publishing import figures
found = assessment.assess(survey_of(rows, demo(**json.loads(rules))))
drawn = [getattr(figures, figure)(found, "zh").html for figure in json.loads(names)]
print(hashlib.sha256("".join(drawn).encode()).hexdigest())
"""


@pytest.mark.slow
def test_a_figure_is_the_same_on_a_machine_that_never_drew_before(tmp_path):
    """No fonts are listed, no cache is there, and sets of texts have another order."""
    listing = tmp_path / "fonts.conf"
    listing.write_text('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>')
    fresh = {
        "HOME": str(tmp_path),
        "MPLCONFIGDIR": str(tmp_path),
        "FONTCONFIG_FILE": str(listing),
        "PYTHONHASHSEED": "7",
    }
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, here, MIXED, json.dumps({**RULES, **RULED}), json.dumps(FIGURES)],
        env={**os.environ, **fresh}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    all_of_them = "".join(drawn(figure, "zh").html for figure in FIGURES)
    assert (done.stdout.strip(), "Glyph" in done.stderr) == (hashlib.sha256(all_of_them.encode()).hexdigest(), False), (
        done.stderr
    )


# --- the numbers --------------------------------------------------------------------------------------


@EACH_LANGUAGE
def test_the_numbers_in_the_bars_are_those_of_the_assessment(language):
    beside = {
        "zh": ["单项弃权 1，不适用 1", "单项弃权 0，不适用 1"],
        "en": ["not answered 1, not applicable 1", "not answered 0, not applicable 1"],
    }[language]
    percent = {"zh": "{}%", "en": "{} %"}[language]
    # of service, "great" was rejected: that is not the same as no answer
    shown = Counter(labels(drawn("answers", language), size=9))
    assert shown == Counter([percent.format(share) for share in (75, 25, 25, 25, 50)] + ["n = 4"] * 2 + beside)
    shares = usual().distribution.dropna(subset="share")["share"]
    assert sorted(share for share in shares if share) == [0.25, 0.25, 0.25, 0.5, 0.75]


def test_a_share_too_small_for_its_bar_is_left_to_the_table():
    rows = "form_id | delivery | service | count\na | satisfied | fair | 98\nb | fair | fair | 2"
    shown = labels(figures.answers(result(rows), "zh"), size=9)
    assert "98%" in shown and "2%" not in shown


def test_a_bar_is_as_long_as_its_share_and_satisfied_answers_stand_right_of_the_line():
    exhibit, shades = drawn("answers", "zh"), figures.colours(usual().survey.programme)
    found = {level: spans(exhibit, f"fill: {colors.to_hex(shade)};") for level, shade in shades.items()}
    (line, _), *_ = [span for span in spans(exhibit, "stroke-width: 0.8") if span[0] == span[1]]
    unit = (found["satisfied"][0][1] - found["satisfied"][0][0]) / 0.75
    lengths = {level: [(end - start) / unit for start, end in bars] for level, bars in found.items()}
    assert lengths["satisfied"] == pytest.approx([0.75, 0.25], abs=1e-5)
    assert lengths["fair"] == pytest.approx([0.25, 0.25], abs=1e-5)
    assert lengths["dissatisfied"] == pytest.approx([0, 0.5], abs=1e-5)
    assert [start for start, _ in found["satisfied"]] == pytest.approx([line, line], abs=1e-5)
    assert [end for _, end in found["fair"]] == pytest.approx([line, line], abs=1e-5)
    assert found["dissatisfied"][1][1] == pytest.approx(found["fair"][1][0], abs=1e-5)


@EACH_LANGUAGE
def test_a_dot_and_its_interval_stand_at_their_values(language):
    exhibit = drawn("items", language)
    percent = {"zh": "{}%", "en": "{} %"}[language]
    assert labels(exhibit, size=9) == [percent.format("75.00"), "n = 4", percent.format("25.00"), "n = 4"]
    intervals = usual().items[["conf_low", "conf_high"]].astype(float).to_numpy()
    assert spans(exhibit, INTERVAL) == [pytest.approx(tuple(row), abs=1e-5) for row in intervals]
    frame = tree(exhibit).find(f".//{SVG}clipPath/{SVG}rect")
    dots = [
        float(dot.get("x")) for dot in tree(exhibit).iter(f"{SVG}use") if dot.get("y") and "clip-path" not in dot.attrib
    ]
    places = {(x - float(frame.get("x"))) / float(frame.get("width")) for x in dots}
    assert {round(place, 5) for place in places} >= {0.75, 0.25}


def test_the_bars_of_answers_have_the_interval_of_the_satisfied_share():
    first, second = spans(figures.answers(usual(), "zh"), BOUNDS)
    one, other = usual().items[["conf_low", "conf_high"]].astype(float).to_numpy()
    scale = (first[1] - first[0]) / (one[1] - one[0])  # of the axis, which is longer than from 0 to 1
    assert second[1] - second[0] == pytest.approx(scale * (other[1] - other[0]), abs=1e-4)
    assert first[0] - second[0] == pytest.approx(scale * (one[0] - other[0]), abs=1e-4)


def test_where_no_answer_counts_as_satisfied_bars_have_no_interval():
    shown = figures.answers(result(MIXED, satisfied=None), "zh")
    assert spans(shown, BOUNDS) == [] and "置信区间" not in sentence(shown)


def test_the_numbers_stand_for_forms_that_say_the_same():
    rows = "form_id | delivery | service | count\na | satisfied | | 1200\nb | fair | | 34"
    shown = figures.answers(result(rows), "zh")
    assert "n = 1,234" in labels(shown) and "服务" not in labels(shown)
    assert "没有回答的题：服务。" in sentence(shown)
    assert labels(figures.items(result(rows), "en"), size=9) == ["97.24 %", "n = 1,234"]


@pytest.mark.parametrize(
    "rows, zh",
    [
        (MIXED, "分项满意率最高的是“交货”（75.00%），最低的是“服务”（25.00%）。"),
        ("form_id | delivery | service\na | satisfied | satisfied\nb | fair | fair", "各题的分项满意率均为 50.00%。"),
        ("form_id | delivery | service\na | satisfied | ", "“交货”的分项满意率为 100.00%。没有回答的题：服务。"),
    ],
)
def test_the_sentence_says_what_is_to_be_seen(rows, zh):
    assert sentence(figures.answers(result(rows), "zh")).endswith(
        "竖线右侧是计为满意的回答（满意），左侧是其余回答。图中比例取整，合计可能不为 100%。"
        f"条形右端的深色横线为分项满意率的 95% 置信区间。{zh}"
    )


@pytest.mark.parametrize(
    "language, said",
    [
        ("zh", "图中比例取整，合计可能不为 100%。"),
        ("en", "The shares drawn are rounded and need not add to 100 %."),
    ],
)
@pytest.mark.parametrize("satisfied", [{"levels": ["satisfied"]}, None], ids=["declared", "undeclared"])
def test_the_sentence_says_that_the_shares_drawn_are_rounded(satisfied, language, said):
    rows = "form_id | delivery | service\na | satisfied | \nb | fair | \nc | dissatisfied | "
    exhibit = figures.answers(result(rows, satisfied=satisfied), language)
    assert [label[:2] for label in labels(exhibit, size=9) if "%" in label] == ["33"] * 3  # 99 together
    assert said in sentence(exhibit)


def test_where_an_interval_would_mislead_none_is_drawn_and_the_caption_claims_none():
    rows = "form_id | delivery | service\na | satisfied | fair\nb | fair | fair"
    exhibit = figures.items(result(rows, run={"design": {"cluster": "service"}}), "zh")
    assert spans(exhibit, INTERVAL) == []
    assert "置信区间" not in "".join(labels(exhibit)) + tree(exhibit).find(".//*[@class='caption']").text
    assert "故未画区间" in sentence(exhibit)
    assert "横线为其 95% 置信区间" in sentence(drawn("items", "zh"))


# --- whatever the survey holds ------------------------------------------------------------------------


@pytest.mark.parametrize("rows", ["a | | ", "a | not_applicable | \nb | great | "])
@EACH_LANGUAGE
def test_without_answers_a_sentence_stands_in_the_figures_place(rows, language):
    found = result("form_id | delivery | service\n" + rows)
    said = {"zh": "没有可以计入的回答，不作图。", "en": "There are no answers to draw."}[language]
    assert "".join(tree(figures.answers(found, language)).itertext()).strip() == said
    assert figures.items(found, language).html == ""


def test_without_satisfied_levels_the_better_half_stands_right_and_no_dots_are_drawn():
    found = result(satisfied=None)
    exhibit = figures.answers(found, "zh")
    assert "规程未规定哪些回答计为满意；竖线右侧是满意，左侧是其余回答。图中比例取整，合计可能不为 100%。" in sentence(
        exhibit
    )
    assert labels(exhibit, size=9) == labels(drawn("answers", "zh"), size=9)
    assert figures.items(found, "zh").html == ""


@pytest.mark.parametrize(
    "rows",
    [
        "form_id | delivery | service\na | satisfied | satisfied",
        "form_id | delivery | service | weight\na | satisfied | fair | 0\nb | fair | fair | 0.25",
    ],
)
def test_one_answer_is_drawn(rows):
    assert "交货" in labels(figures.answers(result(rows), "zh")) + labels(figures.items(result(rows), "zh"))


FIVE = ["very_satisfied", "satisfied", "fair", "dissatisfied", "very_dissatisfied"]


@pytest.mark.parametrize(
    "levels, points, satisfied, right, left",
    [
        (FIVE, [5, 4, 3, 2, 1], FIVE[:2], FIVE[1::-1], FIVE[2:]),
        (FIVE[::-1], [1, 2, 3, 4, 5], FIVE[:2], FIVE[1::-1], FIVE[2:]),  # the worst answer first
        (FIVE, [5, 4, 3, 2, 1], None, FIVE[1::-1], FIVE[2:]),
        (FIVE[::-1], [1, 2, 3, 4, 5], None, FIVE[1::-1], FIVE[2:]),
        (FIVE[:3], None, FIVE[:3], FIVE[2::-1], []),
        (FIVE[:2], None, FIVE[:1], FIVE[:1], FIVE[1:2]),
    ],
)
def test_answers_stand_in_their_order_outwards_from_the_line(levels, points, satisfied, right, left):
    programme = demo(
        scale={"levels": [{"id": level} for level in levels]},
        points={"values": dict(zip(levels, points, strict=True))} if points else None,
        satisfied={"levels": satisfied} if satisfied else None,
    )
    assert figures.sides(programme) == (list(right), list(left))
    shades = figures.colours(programme)
    assert list(shades) == [*right, *left] and len(set(shades.values())) == len(levels)


def test_the_legend_reads_from_left_to_right_as_the_bars_do():
    shown = labels(drawn("answers", "zh"))
    assert shown[-3:] == ["不满意", "一般", "满意"]
    texts = list(tree(drawn("answers", "zh")).iter(f"{SVG}text"))[-3:]
    assert [float(text.get("x")) for text in texts] == sorted(float(text.get("x")) for text in texts)


def test_a_level_may_be_called_anything_an_id_may_be():
    levels = ["_best", "Ärger", "差"]
    keys = {
        "scale": {"levels": [{"id": level} for level in levels]},
        "points": None,
        "satisfied": {"levels": ["_best"]},
        "index": None,
        "grades": None,
    }
    rows = "form_id | delivery | service\na | _best | 差\nb | Ärger | Ärger"
    assert labels(figures.answers(result(rows, **keys), "zh"))[-3:] == ["差", "Ärger", "_best"]


# --- titles -------------------------------------------------------------------------------------------


def titled(*titles: str, levels: tuple[str, ...] = ()) -> Assessment:
    """Return a survey with questions of these titles, and answers of these."""
    items = [f"q{number}" for number, _ in enumerate(titles)]
    names = [each["id"] for each in LEVELS] if not levels else [f"l{number}" for number, _ in enumerate(levels)]
    scale = [{"id": name, "title": title} for name, title in zip(names, levels, strict=True)] if levels else LEVELS
    rows = [" | ".join([str(number), *[name] * len(items)]) for number, name in enumerate(names)]
    return result(
        "\n".join([" | ".join(["form_id", *items]), *rows]),
        items=[{"id": item, "title": title} for item, title in zip(items, titles, strict=True)],
        scale={"levels": scale}, points=None, satisfied={"levels": names[:1]}, gates=[], index=None, grades=None,
    )  # fmt: skip


def test_a_title_is_drawn_as_it_is_written():
    titles = ("$x$", "$\\frac$", "5$ 6$", "\\$x\\$", "a_b^c\\n", "_x", "%d")
    exhibit = figures.answers(titled(*titles, levels=titles), "zh")
    shown = labels(exhibit)
    assert [shown.count(title) for title in titles] == [2] * len(titles)  # as a question, and as an answer
    assert f"（{titles[0]}）" in sentence(exhibit)


HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=1>', "{{7*7}}", "{0}", "%s", "&lt;", "]]>", "<!--", "</svg>",
]  # fmt: skip


@pytest.mark.parametrize("figure, language", [("answers", "zh"), ("items", "en")])
def test_a_hostile_title_appears_as_text_and_changes_no_tag(figure, language):
    page = Page(getattr(figures, figure)(titled(*HOSTILE, levels=tuple(HOSTILE)), language).html)
    usual_tags = {tag for tag, _ in Page(drawn(figure, language).html).tags}
    assert {tag for tag, _ in page.tags} == usual_tags
    assert {
        name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "src"
    } == set()
    assert [title for title in HOSTILE if solid(title) not in page.text] == []


@pytest.mark.parametrize("figure", ["answers", "items"])
def test_a_title_that_looks_like_a_reference_stays_as_it_is(figure):
    titles = ('id="x"', 'href="#x"', "url(#x)", '<g id="x">')
    shown = labels(getattr(figures, figure)(titled(*titles, levels=titles), "zh"))
    assert [title for title in titles if title not in shown] == []


@pytest.mark.parametrize("title", ["满意程度" * 50, "w" * 200, ("very long " * 40).strip(), "好，" * 80])
def test_a_very_long_title_of_a_question_is_broken_into_lines(title):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = labels(figures.items(titled(title, "B"), "zh"))
    whole = solid("".join(shown))
    assert solid(title) in whole or " …" in "".join(shown)
    assert whole.count(solid(title)[:60]) >= 1  # the tables have it in full
    lines = [line for line in shown if line[0] in title]
    assert (
        max(len(line) + len(re.findall(r"[\u2e80-\uffef]", line)) for line in lines) <= canvas.LABEL + 2
    )  # a comma may hang
    assert [line for line in lines if line[0] in "，。、）”"] == []


@pytest.mark.parametrize("length", [20, 100])
def test_long_titles_of_answers_leave_the_bars_their_room(length):
    levels = tuple(f"{number}{'非常满意' * (length // 4)}" for number in range(7))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns where axes have no room left
        exhibit = figures.answers(titled("交货", levels=levels), "zh")
    assert [level for level in levels if level not in solid("".join(labels(exhibit)))] == []


def test_many_questions_have_a_row_each():
    titles = [f"第{number}题" for number in range(15)]
    shown = labels(figures.answers(titled(*titles), "zh"))
    assert [label for label in shown if label in titles] == titles
