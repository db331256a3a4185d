"""A page opens alone and offline, fetches nothing, runs nothing, and can be read on a machine without Chinese fonts."""

import io
import re
from collections import Counter

import nbformat
import pytest
from fontTools.ttLib import TTFont

from conftest import demo, survey_of
from csat_analysis.assembly.assessment import assess
from csat_analysis.publishing import figures, groups, ledger, pages
from publishing import HOSTILE, LANGUAGES, LARGEST, Page, characters, fonts, ids, reaching_out, references

HANZI = "[\u3400-\u9fff]"
FORMS = """
form_id | delivery  | service              | segment
f1      | satisfied | satisfied            | 东区
f2      | satisfied | fair                 | 东区
f3      | fair      | 不好                  | <b>西区</b>
f4      | satisfied | <img src="//x.org/"> | <img src="//x.org/">
f5      | fair      | fair                 | https://x.org/
f6      | satisfied | fair                 | 西区
"""
AROUND = {"project": "Riverside", "period": "2024", "chapter": "Satisfaction", "about": ["Period 2024"], "links": []}


def words(text, *tags):
    """Return a cell of prose."""
    return nbformat.v4.new_markdown_cell(text, metadata={"tags": list(tags)})


def code(source, *tags, html="", stream=""):
    """Return a cell of code that was executed."""
    outputs = [nbformat.v4.new_output("stream", text=stream)] if stream else []
    outputs += (
        [nbformat.v4.new_output("execute_result", {"text/html": html, "text/plain": "<Exhibit>"})] if html else []
    )
    return nbformat.v4.new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


def render(*cells, language="en", **around):
    """Return cells as a page."""
    return pages.render(nbformat.v4.new_notebook(cells=list(cells)), language, {**AROUND, **around})


def executed(language):
    """Return the cells of an executed chapter of a small survey with Chinese and hostile data."""
    grouped = {"groups": ["segment"], "names": {"segment": {"zh": "片区", "en": "District"}}}
    survey = survey_of(FORMS, demo(satisfied={"levels": ["satisfied"]}), **grouped)
    result = assess(survey)
    return [
        words("# 顾客满意吗？", "zh"),
        words("# Are they satisfied?", "en"),
        code('project: str = "copenhagen"', "parameters", html="<p>hidden result</p>"),
        code('project = "riverside"', "injected-parameters", html="<p>hidden result</p>"),
        code("from csat_analysis import load", "setup", stream="hidden result"),
        words("Prose of both."),
        words("## 各题", "zh"),
        words("## Questions & answers", "en"),
        code("figures.answers(result)", html=figures.answers(result, language).html),
        code("figures.items(result)", html=figures.items(result, language).html),
        words("## 各组", "zh"),
        words("## Groups", "en"),
        code("groups.group_table(result)", html=groups.group_table(result, language).html),
        code("ledger.rejected_table(survey)", html=ledger.rejected_table(survey, language).html),
    ]


@pytest.fixture(scope="module")
def rendered():
    """Return the page of the small survey in each language."""
    links = pages.chapter_links(["10_fieldwork", "20_satisfaction"], "20_satisfaction", "en", list(LANGUAGES), 2)
    return {name: render(*executed(name), language=name, links=links) for name in LANGUAGES}


@pytest.fixture(params=LANGUAGES)
def language(request):
    """Return each language in turn."""
    return request.param


@pytest.fixture
def html(rendered, language):
    """Return the page in one language."""
    return rendered[language]


@pytest.fixture
def page(html):
    """Return the page as a browser takes it apart."""
    return Page(html)


# --- what a browser would do with it ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "snippet",
    [
        "<script>1</script>",
        '<p onclick="x()">',
        '<a href="https://x.org">',
        '<a href="HTTP://x.org">',
        '<img src="//x.org/a.png">',
        '<a href="javascript:x()">',
        '<a href="/etc/passwd">',
        '<link rel="stylesheet" href="a.css">',
        '<svg><image xlink:href="http://x.org/a.png"/></svg>',
        '<p style="background: url(a.png)">',
        '<style>@import "a.css";</style>',
        "<style>p { background: url('https://x.org/a.png') }</style>",
        '<meta http-equiv="refresh" content="0; x.html">',
    ],
)
def test_these_tests_would_see_a_page_reach_out(snippet):
    assert reaching_out(f"<p>a</p>{snippet}") != []


def test_a_page_runs_nothing_fetches_nothing_and_links_to_nothing_outside(html):
    assert reaching_out(html) == []


def test_the_policy_forbids_what_is_not_in_the_page_and_stands_before_it(html, page):
    [place] = [
        place for place, (tag, attributes) in enumerate(page.tags) if "http-equiv" in attributes and tag == "meta"
    ]
    attributes = page.tags[place][1]
    assert attributes["http-equiv"] == "Content-Security-Policy"
    policy = dict(part.strip().split(" ", 1) for part in attributes["content"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "font-src": "data:",
    }
    assert [tag for tag, _ in page.tags[:place]] == ["html", "head", "meta"]
    assert html.startswith("<!DOCTYPE html>")


def test_a_page_is_light(html):
    assert len(html.encode()) < LARGEST


def test_a_page_is_the_same_bytes_again(rendered):
    links = pages.chapter_links(["10_fieldwork", "20_satisfaction"], "20_satisfaction", "en", list(LANGUAGES), 2)
    assert render(*executed("zh"), language="zh", links=links) == rendered["zh"]


# --- what is shown ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hidden", ["import load", "figures.answers", "group_table", "copenhagen", "riverside", "hidden result"]
)
def test_neither_code_nor_what_sets_it_up_is_shown(html, hidden):
    assert hidden not in html


@pytest.mark.parametrize(
    ("tags", "shown_zh", "shown_en"),
    [
        ([], True, True),
        (["zh"], True, False),
        (["en"], False, True),
        (["zh", "en"], True, True),
        (["setup"], False, False),
        (["parameters"], False, False),
        (["injected-parameters"], False, False),
        (["setup", "zh"], False, False),
        (["remark"], True, True),
    ],
)
def test_a_cell_is_shown_in_its_languages(tags, shown_zh, shown_en):
    cell = words("text", *tags)
    assert (pages.is_shown(cell, "zh"), pages.is_shown(cell, "en")) == (shown_zh, shown_en)


def test_a_page_speaks_its_language_alone(language, page):
    titles = {"zh": "顾客满意吗？", "en": "Aretheysatisfied?"}
    assert titles[language] in page.text
    assert [titles[other] for other in LANGUAGES if other != language and titles[other] in page.text] == []
    assert "Proseofboth." in page.text
    assert page.tags[0] == ("html", {"lang": LANGUAGES[language]})


def test_what_a_chapter_prints_is_text():
    page = Page(render(words("# A"), code("print()", stream="\x1b[31m<b>red</b>\x1b[0m & more")))
    assert "<b>red</b> & more" in "".join(page.texts)
    assert "b" not in dict(page.tags)


def test_what_data_holds_is_text(html, page):
    assert {"b", "img"} & dict(page.tags).keys() == set()
    shown = "".join(page.texts)
    assert [
        text for text in ("<b>西区</b>", '<img src="//x.org/">', "https://x.org/", "不好") if text not in shown
    ] == []


@pytest.fixture(scope="module")
def harmless():
    """Return a page with nothing odd around it."""
    return Page(render(words("# A")))


@pytest.mark.parametrize("title", HOSTILE)
def test_whatever_a_project_is_called_appears_as_text(title, harmless):
    html = render(words("# A"), project=title, period=title, chapter=title, about=[title])
    page = Page(html)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    texts = [text.strip() for text in page.texts]
    assert f"{title} · {title} · {title}" in texts
    assert texts.count(title) == 2  # project, about
    assert fonts(html).keys() >= {"Noto Sans SC"}


@pytest.mark.parametrize("link", HOSTILE[:2])
def test_a_link_appears_as_text_and_stays_in_its_place(link):
    page = Page(render(words("# A"), links=[{"text": link, "href": f"{link}.html"}]))
    assert f"{link}.html" in list(page.links())
    assert link in page.texts
    assert {"script", "img"} & dict(page.tags).keys() == set()


# --- headings, contents, ids ------------------------------------------------------------------------------------------


def test_a_page_has_one_title(page):
    assert [tag for tag, _ in page.tags].count("h1") == 1


def test_the_contents_lead_to_every_section(language, html, page):
    sections = re.findall(r'<h2 id="([^"]+)">(.*?)</h2>', html)
    contents = re.search(r'<nav [^>]*class="contents".*?</nav>', html)
    assert re.findall(r'<a href="#([^"]+)">(.*?)</a>', contents.group()) == sections
    expected = {"zh": ["各题", "各组"], "en": ["Questions &amp; answers", "Groups"]}
    assert [title for _, title in sections] == expected[language]
    assert contents.end() < html.index("<h2")


@pytest.mark.parametrize(("sections", "contents"), [(0, 0), (1, 0), (2, 1)])
def test_contents_begin_to_help_with_two_sections(sections, contents):
    html = render(words("# A"), *[words(f"## Section {number}\n\n### Note") for number in range(sections)])
    assert html.count('class="contents"') == contents
    assert ids(html) == [f"section-{number + 1}" for number in range(sections)]


def test_ids_are_there_once_and_whatever_refers_to_one_finds_it(html):
    found = ids(html)
    assert [name for name, n in Counter(found).items() if n > 1] == []
    assert references(html) - set(found) == set()
    assert {name.split("-")[0] for name in references(html)} >= {"section", "answers", "items"}


def test_a_figure_speaks_to_who_cannot_see_it(html):
    drawn = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert len(drawn) == 2
    for svg in drawn:
        assert 'role="img"' in svg
        assert re.search(r"<title>\S.*?</title><desc>\S.*?</desc>", svg, flags=re.DOTALL)


# --- the font ---------------------------------------------------------------------------------------------------------


def test_a_chinese_page_brings_every_character_it_shows(rendered):
    shown = characters(rendered["zh"])
    assert set("东西区不好表图") <= shown
    assert shown - fonts(rendered["zh"])["Noto Sans SC"] == set()


def test_an_english_page_brings_the_chinese_characters_of_its_data(rendered):
    chinese = set(re.findall(HANZI, "".join(characters(rendered["en"]))))
    assert set("东西区不好") <= chinese
    face = fonts(rendered["en"])["Noto Sans SC Chinese"]
    assert chinese - face == set()
    assert [letter for letter in face if letter.isascii() and letter.isalnum()] == []


def test_a_figure_can_be_drawn_with_the_fonts_of_its_page(html):
    drawn = re.findall(r"<text.*?</text>", html, flags=re.DOTALL)
    labels = {letter for label in drawn for letter in Page(label).text}
    assert labels
    assert labels - fonts(html)["Noto Sans SC"] == set()


def test_a_font_holds_the_chinese_characters_of_its_page_and_no_others(html):
    held, shown = fonts(html)["Noto Sans SC"], characters(html)
    assert {letter for letter in held if re.match(HANZI, letter)} == {each for each in shown if re.match(HANZI, each)}


def test_a_character_that_the_font_lacks_takes_no_other_away():
    html = render(words("# 满意 \U0010fffd 吗"), language="zh")
    assert set("满意吗") <= fonts(html)["Noto Sans SC"]


# --- names and links --------------------------------------------------------------------------------------------------


def test_links_lead_to_the_portal_the_chapters_and_the_other_language():
    found = pages.chapter_links(["10_fieldwork", "30_own"], "30_own", "en", ["zh", "en"], 2)
    assert [(link["text"], link["href"]) for link in found] == [
        ("All projects", "../../index.html"),
        ("Fieldwork", "10_fieldwork.en.html"),
        ("30_own", "30_own.en.html"),
        ("中文", "30_own.zh.html"),
    ]
    assert [link["text"] for link in found if link.get("here")] == ["30_own"]
    assert found[-1]["lang"] == "zh-Hans"


# --- the font ---------------------------------------------------------------------------------------------------------


def test_a_page_has_the_characters_of_its_text_and_the_same_font_again():
    texts = ["很满意", "满意率 88.9%", "园雅"]
    faces = [fonts(html) for html in map(with_face, texts)]
    assert [face["Noto Sans SC"] - set(pages.FONT_PLACE) for face in faces] == [set(text) for text in texts]
    assert with_face(texts[0]) == with_face(texts[0])


def with_face(text):
    """Return a page of some text with its font."""
    return pages.with_font(f"<html lang='zh'><style>{pages.FONT_PLACE}</style><p>{text}</p>")


def test_a_font_keeps_its_half_width_punctuation_and_its_size_is_that_of_its_text():
    few, many = pages.font_subset("满意。”（"), pages.font_subset((pages.TEMPLATES.parent / "words/zh.yml").read_text())
    features = TTFont(io.BytesIO(few))["GPOS"].table.FeatureList.FeatureRecord
    assert {each.FeatureTag for each in features} == {"halt"}
    assert len(few) < 10_000 < 100_000 < len(many)
