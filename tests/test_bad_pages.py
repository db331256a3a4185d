"""A page still reads well where a survey is odd: endless names, sixty questions, one form, no answer, any script."""

import pytest

import browsing
from browsing import chromium, cut_by_paper, go, needs_browser, opened, sideways, watched
from odd_surveys import endless, mixed, odd_survey, publish_odd
from publishing import run

pytestmark = [pytest.mark.slow, needs_browser]
HEAVIEST = 600_000  # bytes
SURVEYS = {
    "endless": {"say": endless, "chapters": ["20_satisfaction", "25_drivers"], "baseline": None},
    "many": {"items": 60, "strata": 30, "forms": 180, "chapters": ["20_satisfaction"], "baseline": None},
    "mixed": {"say": mixed, "items": 8, "strata": 8, "forms": 80},
    "one_item": {"items": 1},
    "one_form": {"forms": 1, "strata": 1},
    "silent": {"answered": lambda form, item: False},
}
LANGUAGE = {"many": "zh", "one_item": "zh", "silent": "zh"}
WIDE_TABLES = ("endless", "many")  # whose columns no paper holds side by side


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Return what a browser sees on the pages of odd surveys, by path."""
    root = publish_odd(tmp_path_factory.mktemp("root"), *(odd_survey(name, **how) for name, how in SURVEYS.items()))
    for name in SURVEYS:
        answer = run(root, "--project", name, "--period", "2024", "--language", LANGUAGE.get(name, "en"))
        assert answer.status == 0, answer.err
    with chromium(tmp_path_factory.mktemp("fonts")) as browser, watched(browser) as page:
        return {
            path.as_posix().split("/reports/")[1]: look(page, path)
            for path in sorted(root.rglob("reports/*/2024/*.html"))
        }


def look(page, path):
    """Return what a browser sees on a page, and how large it is."""
    go(page, path)
    found = {"sideways": sideways(page), "cut": cut_by_paper(page), "did": [*page.did]}
    found["colliding"] = page.evaluate(browsing.COLLIDING, browsing.SLACK)
    return {**found, "size": path.stat().st_size, "text": page.evaluate("() => document.body.innerText")}


def found(seen, what):
    """Return what was found, by page."""
    return {name: page[what] for name, page in seen.items() if page[what]}


def test_odd_surveys_have_pages(seen):
    assert {name.split("/")[0] for name in seen} == SURVEYS.keys()


def test_an_odd_page_is_no_wider_than_its_screen_and_does_nothing(seen):
    assert found(seen, "sideways") == {} == found(seen, "did")


def test_no_label_of_a_figure_covers_another_or_is_cut(seen):
    assert found(seen, "colliding") == {}


def test_sixty_questions_and_thirty_strata_are_not_heavy(seen):
    assert {name: page["size"] for name, page in seen.items() if page["size"] > HEAVIEST} == {}


def test_a_printer_cuts_no_figure_and_no_row_of_an_odd_page(seen):
    cut = {name: [each for each in told if "TABLE" not in each or not name.startswith(WIDE_TABLES)]
           for name, told in found(seen, "cut").items()}  # fmt: skip
    assert {name: told for name, told in cut.items() if told} == {}


@pytest.mark.parametrize("number", range(8))
def test_a_name_in_any_script_is_shown_as_it_is(seen, number):
    text = "".join("".join(page["text"].split()) for name, page in seen.items() if name.startswith("mixed/"))
    assert "".join(mixed("item", number).split()) in text


def test_no_warning_stands_on_an_odd_page(seen):
    assert [name for name, page in seen.items() if "Warning" in page["text"] or "Traceback" in page["text"]] == []


def test_the_browser_would_notice_labels_that_collide(tmp_path):
    path = tmp_path / "page.html"
    texts = "".join(f"<text x={x} y={y}>label {x}</text>" for x, y in ((0, 50), (10, 52), (0, 90), (380, 90)))
    path.write_text(f"<figure><svg width=400 height=100><title>A</title>{texts}</svg></figure>")
    with chromium(tmp_path) as browser, opened(browser, path) as page:
        assert page.evaluate(browsing.COLLIDING, browsing.SLACK) == ["A: outside: label 380", "A: label 0 × label 10"]
