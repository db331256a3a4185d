"""In a browser the portal finds, filters, sorts and compares; what a record holds stays text, whatever it is."""

import json
import shutil

import pytest

from browsing import chromium, go, needs_browser, watched
from csat_analysis.execution.memory import Standing
from csat_analysis.ground.words import speak
from csat_analysis.portal import portal
from csat_analysis.portal.portal_data import as_json
from publishing import HOSTILE, LANGUAGES

pytestmark = [pytest.mark.slow, needs_browser]

NASTY = [
    *HOSTILE,
    "constructor",
    "__proto__",
    "a | b",
    "line\nbreak",
    "\u202eright to left",
    "سوق الرياض",
    "\u2028",
    "長" * 200,
]
GATE = {
    "measure": "satisfaction_rate", "title": None, "unit": "share", "comparison": "at_least", "threshold": 0.85,
    "value": 0.9, "passed": True, "verdict": "met", "certainty": 0.99, "severity": "rule", "clause": None,
}  # fmt: skip
MISSED = {**GATE, "value": 0.8, "passed": False, "verdict": "not_met"}
NEAR = {**GATE, "value": 0.86, "verdict": "borderline", "certainty": 0.7}
ITEM = {"id": "lift", "n": 20, "mean": 80.0, "share_satisfied": 0.75, "conf_low": 0.5, "conf_high": 0.9}


@pytest.fixture(scope="module")
def browser(published, tmp_path_factory):
    """Return a browser; it comes after what was published, since papermill wants an event loop for itself."""
    with chromium(tmp_path_factory.mktemp("fonts")) as browser:
        yield browser


@pytest.fixture(scope="module")
def window(browser):
    """Return a page of the browser, which all tests share: none leaves anything in it but the file it has opened."""
    with watched(browser) as page:
        yield page


@pytest.fixture
def page(window):
    """Return the page as a test finds it."""
    window.set_viewport_size({"width": 1200, "height": 900})
    window.emulate_media(media="screen", color_scheme="light")
    return window


@pytest.fixture
def report(published, tmp_path):
    """Return how to add a report to an empty root."""

    def add(project, period="2024", value=0.9, gate=GATE, **record):
        folder = shutil.copytree(published / "reports/demo/2024", tmp_path / "reports" / project / period)
        content = json.loads((folder / "record.json").read_text("utf-8"))
        head = {"measure": "satisfaction_rate", "unit": "share", "title": None, "value": value}
        head |= (
            {"conf_low": None, "conf_high": None}
            if value is None
            else {"conf_low": value - 0.1, "conf_high": value + 0.05}
        )
        rate = {"id": "satisfaction_rate", "numerator": 9.0, "denominator": 10.0, "method": "wilson", **head}
        content |= {
            "project": project, "period": period, "title": {"en": project.title(), "zh": f"{project}园"}, "headline": head,
            "as_of": f"{int(period[:4]) + 1}-01-10", "gates": [gate], "measures": [rate], "items": [ITEM], "item_titles": {"lift": {"en": "Lifts"}},
        }  # fmt: skip
        (folder / "record.json").write_text(json.dumps({**content, **record}), "utf-8")
        (folder / "20_satisfaction.en.html").write_text("<p>Satisfaction</p>", "utf-8")
        (folder / "manifest.json").write_text(json.dumps({"chapters": {"20_satisfaction.en.html": "ok"}}), "utf-8")

    return add


def shown(page, root, name="index.en.html", fragment="", standings=None):
    """Open a page of the portal in the browser."""
    portal.write(root, "en", standings)
    return go(page, root / "reports" / name, fragment)


def titles(page):
    """Return the projects and periods that are listed."""
    return page.evaluate(
        "[...document.querySelectorAll('#runs tr')].map(r => r.querySelector('th a').textContent + ' ' + r.children[2].firstChild.data)"
    )


def choose(page, name, value):
    """Enter a text or choose an option as a reader does."""
    if name.endswith("search"):
        page.fill(f"#{name}", value)
    else:
        page.select_option(f"#{name}", value)


def text(page, query):
    """Return the text of an element."""
    return page.text_content(query)


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_newest_period_is_shown_and_earlier_ones_stand_behind_it(page, report, tmp_path):
    for project, period in [("oak", "2023"), ("oak", "2024"), ("elm", "2024H1")]:
        report(project, period)
    shown(page, tmp_path)
    assert titles(page) == ["Elm 2024H1", "Oak 2024"]
    page.click("[aria-expanded]")
    assert titles(page) == ["Elm 2024H1", "Oak 2024", "Oak 2023"]
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    choose(page, "period", "all")
    assert titles(page) == ["Elm 2024H1", "Oak 2023", "Oak 2024"]
    assert text(page, "#count") == "3 of 3 matching runs shown; 2 projects with 3 runs in all."
    assert page.did == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"search": "OAK"}, ["Oak 2024"]),
        ({"search": "north de"}, ["Elm 2024"]),
        ({"search": "ｏａｋ园"}, ["Oak 2024"]),
        ({"search": "other"}, ["Fir 2024"]),
        ({"search": "nowhere"}, []),
        ({"procedure": "Other rules"}, ["Fir 2024"]),
        ({"period": "=2023"}, ["Oak 2023"]),
        ({"status": "void"}, ["Fir 2024"]),
        ({"rules": "open"}, ["Elm 2024", "Fir 2024"]),
        ({"rules": "failed"}, ["Elm 2024"]),
        ({"rules": "borderline"}, ["Fir 2024"]),
        ({"rules": "met"}, ["Oak 2024"]),
        ({"state": "noted"}, ["Elm 2024", "Oak 2024"]),
        ({"state": "stale"}, ["Oak 2024"]),
        ({"state": "failed"}, ["Elm 2024"]),
        ({"rules": "open", "status": "void"}, ["Fir 2024"]),
    ],
)
def test_runs_are_found_by_what_is_asked(page, report, tmp_path, asked, found):
    report("oak", "2023")
    report("oak", "2024")
    report("elm", "2024", gate=MISSED, within=[{"en": "North"}, {"en": "Dee"}])
    other = {"id": "other", "version": 1, "title": {"en": "Other rules"}, "sha256": ""}
    report("fir", "2024", gate=NEAR, status="void", programme=other)
    stands = [
        Standing("oak", "2024", "stale", ["programme changed"]),
        Standing("elm", "2024", "failed", ["20 (en): x"]),
    ]
    shown(page, tmp_path, standings=stands)
    for name, value in asked.items():
        choose(page, name, value)
    assert titles(page) == found
    page.click("#clear")
    assert titles(page) == ["Elm 2024", "Fir 2024", "Oak 2024"]
    assert page.evaluate("document.activeElement.id") == "search"


def test_the_address_keeps_what_is_asked_so_that_a_view_can_be_sent(page, report, tmp_path):
    for project, value, gate in [("oak", 0.9, MISSED), ("elm", 0.95, MISSED), ("fir", 0.99, GATE)]:
        report(project, value=value, gate=gate)
    shown(page, tmp_path)
    assert page.evaluate("location.hash") == ""
    choose(page, "search", "2 & e")
    choose(page, "search", "e")
    choose(page, "rules", "failed")
    page.click("th[data-column=headline] button")
    page.click("th[data-column=headline] button")
    address = page.evaluate("location.hash")
    assert titles(page) == ["Elm 2024", "Oak 2024"]
    assert address == "#search=e&rules=failed&sort=-headline"
    shown(page, tmp_path, fragment=address)
    assert titles(page) == ["Elm 2024", "Oak 2024"]
    assert page.evaluate("[document.getElementById('search').value, document.getElementById('rules').value]") == [
        "e",
        "failed",
    ]
    assert page.get_attribute("th[data-column=headline]", "aria-sort") == "descending"
    page.click("#clear")
    assert page.evaluate("location.hash") == "#sort=-headline"
    page.evaluate("location.hash = 'rules=met'")
    page.wait_for_function("document.querySelectorAll('#runs tr').length === 1")
    assert titles(page) == ["Fir 2024"]
    assert page.did == []


@pytest.mark.parametrize(
    "asked",
    ["#status=none", "#sort=constructor", "#sort=a%0Ab", "#period=%3D1990", "#%", "#oak/2024", "#rules=__proto__"],
)
def test_an_address_that_asks_for_what_there_is_not_shows_all(page, report, tmp_path, asked):
    report("oak")
    shown(page, tmp_path, fragment=asked)
    assert titles(page) == ["Oak 2024"]
    assert page.did == []


def test_columns_are_sorted_and_what_has_no_headline_stands_last(page, report, tmp_path):
    for project, value in [("oak", 0.9), ("elm", None), ("fir", 0.95)]:
        report(project, value=value)
    shown(page, tmp_path)
    assert titles(page) == ["Elm 2024", "Fir 2024", "Oak 2024"]
    page.click("th[data-column=headline] button")
    assert titles(page) == ["Oak 2024", "Fir 2024", "Elm 2024"]
    assert page.evaluate("document.querySelector('th[data-column=headline]').getAttribute('aria-sort')") == "ascending"
    page.click("th[data-column=headline] button")
    assert titles(page) == ["Fir 2024", "Oak 2024", "Elm 2024"]
    assert page.evaluate("document.querySelectorAll('[aria-sort=none]').length") == 5


def test_a_hundred_are_drawn_and_more_where_they_are_asked_for(page, report, tmp_path):
    for number in range(130):
        report(f"p{number:03d}")
    shown(page, tmp_path)
    assert (len(titles(page)), text(page, "#more")) == (100, "Show 30 more")
    page.click("#more")
    assert len(titles(page)) == 130
    assert page.evaluate("document.activeElement.textContent") == "P100"
    assert page.evaluate("document.getElementById('more').hidden") is True


def test_a_run_says_how_it_stands_and_links_its_pages(page, report, tmp_path):
    report("oak", "2023", value=0.8, gate=MISSED)
    report("oak", "2024", gate=NEAR)
    shown(page, tmp_path, standings=[Standing("oak", "2024", "stale", ["data x.csv changed", "package changed"])])
    row = text(page, "#runs tr")
    for part in (
        "Reportable",
        "Stale",
        "data file “x.csv” changed; package changed",
        "90.00\u00a0%",
        "certainty 70.0\u00a0%",
    ):
        assert part in row
    links = page.evaluate("[...document.querySelectorAll('#runs tr a')].map(a => a.getAttribute('href'))")
    assert links == ["oak/index.en.html", "oak/2024/20_satisfaction.en.html", "oak/2024/tables.xlsx"]
    assert page.evaluate("document.querySelector('#runs svg').getAttribute('aria-label')") == (
        "Headline by period: 2023 80.00\u00a0%; 2024 90.00\u00a0%"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_control_has_a_name_and_can_be_reached_by_keys(page, report, tmp_path, language):
    report("oak", "2023")
    report("oak", "2024")
    shown(page, tmp_path, f"index.{language}.html")
    page.focus("nav a")
    reached = []
    for _ in range(24):
        reached.append(
            page.evaluate(
                "document.activeElement.id || document.activeElement.textContent.trim() || document.activeElement.type"
            )
        )
        page.keyboard.press("Tab")
    wanted = ["search", "procedure", "period", "status", "rules", "state", "clear", "compare", "checkbox"]
    places = [reached.index(each) for each in wanted]
    assert places == sorted(places)
    unnamed = page.evaluate(
        "[...document.querySelectorAll('.live input, .live select, .live button:not([hidden])')]"
        ".filter(e => !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.textContent.trim()).length"
    )
    assert unnamed == 0
    page.focus("#search")
    page.keyboard.press("o")
    assert page.evaluate("document.getElementById('search').value") == "o"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize(("width", "scheme"), [(1200, "dark"), (390, "light"), (390, "dark")])
def test_it_fits_a_phone_and_the_dark(page, report, tmp_path, width, scheme):
    report("oak", within=[{"en": "A long name of a part of the company"}])
    shown(page, tmp_path)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 27, 32)"
    assert dark == (scheme == "dark")


def test_without_a_script_and_in_print_the_plain_table_stands_there(browser, page, report, tmp_path):
    report("oak")
    portal.write(tmp_path, "en")
    seen = "['.live', '.plain'].map(each => getComputedStyle(document.querySelector(each)).display)"
    with watched(browser, java_script_enabled=False) as still:
        assert go(still, tmp_path / "reports/index.en.html").evaluate(seen) == ["none", "block"]
    assert go(page, tmp_path / "reports/index.en.html").evaluate(seen) == ["block", "none"]
    page.emulate_media(media="print")
    assert page.evaluate(seen) == ["none", "block"]


# --- two side by side -------------------------------------------------------------------------------------------------


def compared(page):
    """Return the rows of the comparison as texts, without the headings of groups."""
    rows = page.evaluate(
        "[...document.querySelectorAll('#result tbody tr:not(.group)')].map(r => [...r.children].map(c => c.textContent))"
    )
    return {row[0]: row[1:] for row in rows}


def test_two_runs_are_chosen_and_stand_side_by_side(page, report, tmp_path):
    report("oak", "2023", value=0.8, gate=MISSED)
    report("oak", "2024", value=0.90125, items=[{**ITEM, "share_satisfied": 0.81, "mean": 80.005}])
    shown(page, tmp_path)
    choose(page, "period", "all")
    for at in (0, 1):
        page.locator("#runs input").nth(at).click()
    assert text(page, "#chosen") == "Chosen to compare: Oak 2023; Oak 2024"
    address = page.evaluate("document.getElementById('compare').getAttribute('href')")
    assert address == "compare.en.html#oak/2023,oak/2024"
    go(page, tmp_path / "reports/compare.en.html", "#" + address.partition("#")[2])
    found = compared(page)
    # halves to the even digit: 90.125 is shown as 90.12, the difference of 10.125 points as 10.12
    assert found["Satisfaction rate"] == [
        "80.00\u00a0%70.00\u00a0% to 85.00\u00a0%n = 10", "90.12\u00a0%80.12\u00a0% to 95.12\u00a0%n = 10", "+10.12 percentage points",
    ]  # fmt: skip
    assert found["Lifts: item satisfaction rate"][2] == "+6.00 percentage points"
    assert found["Lifts: mean points"] == ["80.00n = 20", "80.00n = 20", "0.00 points"]
    assert found["Satisfaction rate (≥\u00a085.00\u00a0%)"] == ["not met", "met", "–"]
    assert "Intervals side by side are no test" in text(page, "#result")
    assert page.did == []


@pytest.mark.parametrize(
    ("other", "said", "incomparable"),
    [
        ({"programme": {"id": "other", "version": 1, "title": {}}}, "different procedures", {"Satisfaction rate", "Lifts: mean points"}),
        ({"programme": {"id": "demo", "version": 2, "title": {}}}, "different editions", {"Satisfaction rate", "Lifts: mean points"}),
        ({"item_titles": {"lift": {"en": "Lifts and stairs"}}}, "worded differently", {"Lifts: mean points"}),
        ({"status": "void"}, "The survey Elm 2024 is void", set()),
    ],
    ids=["procedure", "edition", "wording", "void"],
)  # fmt: skip
def test_what_is_not_comparable_has_no_difference(page, report, tmp_path, other, said, incomparable):
    report("oak", value=0.8)
    report("elm", **other)
    shown(page, tmp_path, "compare.en.html", "#oak/2024,elm/2024")
    found = compared(page)
    assert {
        name for name in ("Satisfaction rate", "Lifts: mean points") if found[name][2] == "not comparable"
    } == incomparable
    assert said in text(page, "#result")


def test_only_what_both_have_is_listed(page, report, tmp_path):
    report("oak")
    report("elm", items=[{**ITEM, "id": "stairs"}], gates=[{**GATE, "threshold": 0.9}])
    shown(page, tmp_path, "compare.en.html", "#oak/2024,elm/2024")
    assert [name for name in compared(page) if name != "Satisfaction index"] == ["Satisfaction rate"]


def test_a_run_is_searched_for_among_thousands(page, report, tmp_path):
    for number in range(60):
        report(f"p{number:03d}")
    shown(page, tmp_path, "compare.en.html")
    assert text(page, "#result") == "Choose two runs."
    assert page.evaluate("document.querySelectorAll('#first option').length") == 50
    for side, sought in (("first", "p05 2024"), ("second", "P059")):
        choose(page, f"{side}-search", sought)
    assert text(page, "#first-count") == "10 of 10 matching runs listed."
    choose(page, "first", "p050/2024")
    choose(page, "second", "p059/2024")
    assert "P050 2024 and P059 2024" in text(page, "#result caption")


# --- what it meets ----------------------------------------------------------------------------------------------------


def test_whatever_a_record_holds_appears_as_text(page, report, tmp_path):
    for number, name in enumerate(NASTY):
        programme = {"id": name, "version": 1, "title": {"en": name}, "sha256": ""}
        gate = {**MISSED, "measure": name, "title": {"en": name}}
        report(
            f"p{number:02d}",
            title={"en": name},
            within=[{"en": name}],
            programme=programme,
            gate=gate,
            item_titles={"lift": {"en": name}},
        )
    report("constructor", items=[{**ITEM, "id": "__proto__"}])
    shown(page, tmp_path)
    assert page.evaluate("[...document.querySelectorAll('#runs th a')].map(a => a.textContent)") == [
        "Constructor",
        *NASTY,
    ]
    assert page.evaluate("document.querySelectorAll('main img, main script, h1').length") == 1
    for name in ("constructor", "__proto__"):
        choose(page, "search", name)
        assert "P" not in [title[0] for title in titles(page)] and titles(page) != []
    assert page.did == []
    go(page, tmp_path / "reports/compare.en.html", "#p00/2024,p00/2024")
    assert f"{NASTY[0]}: mean points" in compared(page)
    assert page.did == []


def test_one_project_and_a_void_run_without_a_headline_are_shown(page, report, tmp_path):
    report("oak", value=None, status="void", items=[], measures=[])
    shown(page, tmp_path)
    assert titles(page) == ["Oak 2024"]
    assert "Void" in text(page, "#runs tr") and "–" in text(page, "#runs tr")
    assert page.did == []
    go(page, tmp_path / "reports/compare.en.html", "#oak/2024,oak/2024")
    assert "Both are the same run." in text(page, "#result")
    assert page.did == []


def test_without_reports_there_is_no_script(page, tmp_path):
    shown(page, tmp_path)
    assert page.evaluate("document.scripts.length") == 0
    assert not (tmp_path / "reports/compare.en.html").exists()


def test_nothing_in_the_data_is_markup():
    hostile = as_json([*NASTY, "\u2029"])
    assert not set("<>&\u2028\u2029") & set(hostile)
    assert json.loads(hostile) == [*NASTY, "\u2029"]
    assert speak("en")("portal.title")
