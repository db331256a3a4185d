"""A reader's browser opens every page: it finds nothing in the way, fetches and runs nothing, and prints all of it."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import browsing
from browsing import (
    barriers,
    chromium,
    cut_by_paper,
    foreign_letters,
    go,
    missed_by_keyboard,
    needs_browser,
    opened,
    sideways,
    watched,
)
from odd_surveys import odd_survey, publish_odd
from publishing import CHECKOUT, LARGEST, run

pytestmark = [pytest.mark.slow, needs_browser]
CHAPTERS = ("10_fieldwork", "20_satisfaction", "25_drivers", "30_change", "40_procedure")
OWN_SCRIPTS = 3  # of a page with a script: its data, its words, itself
SOON = 500  # milliseconds from the click to the whole page
VECTORS = (
    "<script>pwned=1</script>",
    "<img src=x onerror=pwned=1>",
    "<svg onload=pwned=1></svg>",
    '"><iframe srcdoc="<script>top.pwned=1</script>">',
    "' onmouseover='pwned=1' x='",
    "</title></style><script>pwned=1</script>",
    "[a](javascript:pwned=1)",
    "<a href=javascript:pwned=1>b</a>",
    "</desc><image href=https://x.org/a.png />",
    "{{ ''.__class__ }}{% raw %}",
    "--><link rel=stylesheet href=//x.org/a.css>",
    "&lt;script&gt;pwned=1&lt;/script&gt;",
)


class Seen(NamedTuple):
    """What a browser saw on one page."""

    did: list[str]
    milliseconds: float
    size: int
    barriers: list[str]
    missed: list[str]
    sideways: list[str]
    parted: list[str]
    cut: list[str]
    foreign: list[str]
    printed: bytes


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a root with every chapter of a demo project in Chinese, and a chapter of a void survey in English."""
    root = tmp_path_factory.mktemp("root")
    void = odd_survey("void", answered=lambda form, item: form % 3 > 0, remedy={"due_on": "2024-12-01"},
                      chapters=["20_satisfaction"])  # fmt: skip
    publish_odd(root, void)
    for folder in ("params", "data"):
        shutil.copytree(CHECKOUT / folder, root / folder, dirs_exist_ok=True)
    return publish(root, ("yuanya", "zh"), ("void", "en"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return a root with every chapter in English whose every text would run something, as its file's name would."""
    file = "<img src=x onerror=pwned=1>.csv"
    survey = odd_survey(
        "hostile", lambda slot, number: f"{VECTORS[(sum(map(ord, slot)) + number) % len(VECTORS)]} {slot}", items=6, forms=60,
        chapters=CHAPTERS, read={"responses": {"file": file}},
    )  # fmt: skip
    survey[f"data/hostile/2024/{file}"] = survey.pop("data/hostile/2024/responses.csv")
    return publish(publish_odd(tmp_path_factory.mktemp("hostile"), survey), ("hostile", "en"))


def publish(root: Path, *projects: tuple[str, str]) -> Path:
    """Return a root in which projects are published, each in a language."""
    for project, language in projects:
        answer = run(root, "--project", project, "--period", "2024", "--language", language)
        assert answer.status == 0, answer.err
    return root


@pytest.fixture(scope="module")
def browser(published, hostile, tmp_path_factory):
    """Return a browser; it comes after the pages, since papermill wants an event loop for itself."""
    with chromium(tmp_path_factory.mktemp("fonts")) as browser:
        yield browser


@pytest.fixture(scope="module")
def seen(browser, published, hostile):
    """Return what a browser sees on every page, by path; each is opened once."""
    pages = [*published.rglob("reports/**/*.html"), *hostile.rglob("reports/hostile/**/*.html")]
    with watched(browser) as page:
        return {path.as_posix().split("/reports/")[1]: look(page, path) for path in sorted(pages)}


def look(page: Any, path: Path) -> Seen:
    """Return what a browser sees on a page."""
    go(page, path)
    soon = page.evaluate(browsing.LOADED)
    for _ in range(3):  # a machine that does something else
        if soon > SOON:
            page.reload()
            soon = min(soon, page.evaluate(browsing.LOADED))
    did = [each for each in page.did if each != f"request: {path.as_uri()}"]
    missed, wider, foreign = missed_by_keyboard(page), sideways(page), foreign_letters(page)
    apart = browsing.parted(page)
    cut, printed = cut_by_paper(page, paper_of(path.name)), page.pdf(prefer_css_page_size=True)
    return Seen(did, soon, path.stat().st_size, barriers(page), missed, wider, apart, cut, foreign, printed)


def found(seen: dict[str, Seen], what: str) -> dict[str, Any]:
    """Return what was found, by page."""
    return {name: getattr(page, what) for name, page in seen.items() if getattr(page, what)}


def paper_of(name: str) -> dict[str, int]:
    """Return the paper of a page: lists of runs (the portal's, the comparison, a project's) are printed across."""
    return browsing.ACROSS if name.startswith(("index.", "compare.")) else browsing.PAPER


def has_script(name: str) -> bool:
    """Return whether a page below reports/ is the portal or the comparison, which have a script of ours."""
    return name.startswith(("index.", "compare."))


def test_every_kind_of_page_is_looked_at(seen):
    kinds = {name.rsplit("/", 1)[-1].removesuffix(".html") for name in seen}
    assert {f"{chapter}.{language}" for chapter in (*CHAPTERS, "index") for language in ("zh", "en")} <= kinds


def test_nothing_bars_a_reader_in_either_language_or_colour_scheme(seen):
    assert found(seen, "barriers") == {}


def test_a_page_fetches_nothing_and_the_console_is_silent(seen):
    assert found(seen, "did") == {}


def test_a_page_opens_at_once_and_is_light(seen):
    assert {name: page.milliseconds for name, page in seen.items() if page.milliseconds >= SOON} == {}
    assert {name: page.size for name, page in seen.items() if page.size >= LARGEST} == {}


def test_the_keyboard_reaches_everything_its_place_is_seen_and_it_is_never_caught(seen):
    assert found(seen, "missed") == {}


def test_nothing_is_wider_than_a_telephone_or_a_screen(seen):
    assert found(seen, "sideways") == {}


def test_no_line_of_links_begins_with_a_separator(seen):
    assert found(seen, "parted") == {}


def test_a_printer_cuts_no_figure_and_no_row(seen):
    names_too_wide = "too wide: TABLE"  # of the hostile survey, which no paper holds side by side
    cut = {name: [each for each in told if not (name.startswith("hostile/") and each.startswith(names_too_wide))]
           for name, told in found(seen, "cut").items()}  # fmt: skip
    assert {name: told for name, told in cut.items() if told} == {}
    assert [name for name, page in seen.items() if not page.printed.startswith(b"%PDF-")] == []


def test_every_chinese_character_is_drawn_by_a_font_of_the_page(seen):
    assert found(seen, "foreign") == {}


# --- hostile texts ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def attacked(browser, hostile):
    """Return what the hostile pages did in a browser that minds no policy, and the text they show."""
    did, shown = {}, ""
    names = {path.relative_to(hostile / "reports").as_posix(): path for path in (hostile / "reports").rglob("*.html")}
    for name, path in sorted(names.items()):
        with opened(browser, path, bypass_csp=True) as page:
            page.wait_for_timeout(100)
            page.mouse.move(300, 300)
            for details in page.locator("summary").all()[:3]:
                details.click()
            shown += page.evaluate("() => document.documentElement.textContent")
            state = page.evaluate("""() => [
              String(window.pwned), document.querySelectorAll('script, iframe, img, image, link, object, embed').length,
              [...document.querySelectorAll('*')].filter(each => each.getAttributeNames().some(
                name => name.startsWith('on')) || /javascript:/i.test(each.getAttribute('href') || '')).length]""")
            state[1] -= OWN_SCRIPTS if has_script(name) else 0
            did[name] = [state, page.did]
    return did, shown


def test_no_text_of_data_or_procedure_runs_anything_even_without_a_policy(attacked):
    did, _ = attacked
    assert len(did) >= len(CHAPTERS)
    assert {name: each for name, each in did.items() if each != [["undefined", 0, 0], []]} == {}


@pytest.mark.parametrize("vector", VECTORS)
def test_hostile_text_is_shown_as_text(vector, attacked):
    assert vector in attacked[1]


def test_the_browser_would_notice_a_page_that_runs_and_fetches_something(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<body><script>alert(1)</script><img src='none.png'><svg onload='nothing()'></svg>")
    with opened(browser, path) as page:
        page.wait_for_timeout(100)
        assert {each.split(":")[0] for each in page.did} == {"console", "dialog", "error", "failed", "request"}


def test_the_browser_would_notice_what_is_in_the_way(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(
        "<html><body style='width: 2000px'><p style='color: #ccc'>满意</p><a href='#a' style='outline: none'>满</a>"
        "<table><tr><td>1</td></tr></table><p class='pages' style='width: 1px'><a href='#b'>b</a>、<a href='#c'>c</a></p>"
        "<style>.pages a { display: inline-block; outline: solid }</style>", "utf-8",
    )  # fmt: skip
    with opened(browser, path) as page:
        assert [each.split(":")[0] for each in missed_by_keyboard(page)] == ["focus not seen"]
        assert len(sideways(page)) == 2
        assert len(browsing.parted(page)) == 5
        assert [each[:2] for each in foreign_letters(page)] == ["满意"]
        assert [each.split(":")[0] for each in cut_by_paper(page)] == ["may be broken", "too wide"]
        assert {each.split(":")[0] for each in barriers(page)} >= {"color-contrast", "html-has-lang", "document-title"}
