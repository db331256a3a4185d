"""A project's page holds all its periods, is made from its records, and is written only where one of them changed."""

import json
import os
import shutil
import time
from urllib.parse import unquote

import pytest

from csat_analysis.execution.memory import Standing
from csat_analysis.ground.words import speak
from csat_analysis.portal import portal, portal_rows, project_pages
from csat_analysis.portal.portal_rows import Known
from csat_analysis.portal.project_pages import Field
from publishing import HOSTILE, LANGUAGES, Page, fonts, reaching_out, write

INDEXES = ["index.html", "index.en.html", "index.zh.html"]
RATED = {"measure": "satisfaction_rate", "title": None, "unit": "share", "comparison": "at_least", "threshold": 0.85}
GATE = {**RATED, "value": 0.9, "passed": True, "verdict": "met", "certainty": 0.99, "severity": "rule", "clause": None}


@pytest.fixture
def report(published, tmp_path):
    """Return how to add a report to an empty root, settled a minute ago, with a rate and other things in its record."""

    def add(period, rate=None, project="a", **record):
        folder = tmp_path / "reports" / project / period
        shutil.copytree(published / "reports/demo/2024", folder, dirs_exist_ok=True)
        content = json.loads((folder / "record.json").read_text("utf-8"))
        head = {"measure": "satisfaction_rate", "unit": "share", "title": None, "value": rate}
        head |= (
            {"conf_low": None, "conf_high": None}
            if rate is None
            else {"conf_low": rate - 0.1, "conf_high": rate + 0.05}
        )
        content |= {
            "project": project,
            "period": period,
            "as_of": f"{int(period[:4]) + 1}-01-10",
            "headline": head,
            "gates": [GATE],
        }
        (folder / "record.json").write_text(json.dumps({**content, **record}), "utf-8")
        settle(folder)
        return folder

    return add


def settle(folder):
    """Let every file of a folder be a minute old."""
    then = time.time_ns() - 60 * 10**9
    for path in folder.rglob("*"):
        os.utime(path, ns=(then, then))


def made(root, language="en", standings=None):
    """Write the portal of a root and return the page of its project."""
    portal.write(root, "zh", standings)
    return (root / f"reports/a/index.{language}.html").read_text("utf-8")


# --- what stands on it ------------------------------------------------------------------------------------------------


def test_all_periods_stand_on_it_the_newest_first(report, tmp_path):
    for period, rate in [("2022", 0.8), ("2023", 0.85), ("2024", 0.9)]:
        report(period, rate)
    html = made(tmp_path)
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    assert [body.index(f">{period}</th>") for period in ("2024", "2023", "2022")] == sorted(
        body.index(f">{p}</th>") for p in ("2024", "2023", "2022")
    )
    assert "70.00\u00a0% to 85.00\u00a0%" in html  # the interval of 80 %


def test_the_trend_is_told_in_words_too(report, tmp_path):
    for period, rate in [("2023", 0.8), ("2024", 0.9)]:
        report(period, rate)
    html = made(tmp_path)
    assert "<title>Satisfaction rate by period</title>" in html
    assert (
        "<desc>2023: 80.00\u00a0% (70.00\u00a0% to 85.00\u00a0%); 2024: 90.00\u00a0% (80.00\u00a0% to 95.00\u00a0%). The rule asks ≥\u00a085.00\u00a0%.</desc>"
        in html
    )
    assert html.count('class="dot"') == html.count('class="bar"') == 2
    assert html.count('class="target"') == 1


@pytest.mark.parametrize(
    ("rates", "others"),
    [([0.9], {}), ([None, 0.9], {}), ([0.8, 0.9], {"programme": {"id": "other", "version": 1, "title": {}}})],
    ids=["one period", "one without a value", "two procedures"],
)
def test_figures_that_are_not_two_of_a_kind_have_no_trend(report, tmp_path, rates, others):
    for period, rate in zip(("2023", "2024"), rates, strict=False):
        report(period, rate, **(others if period == "2024" else {}))
    html = made(tmp_path)
    assert "<svg" not in html
    assert ("different procedures" in html) == bool(others)


def test_a_completed_action_is_a_mark_between_the_periods(report, tmp_path):
    action = {"action_id": "A-01", "completed_on": "2024-07-11"}
    report("2023", 0.8)
    report("2024", 0.9, actions=[action, {**action, "action_id": "A-02"}, {"action_id": "A-03", "completed_on": None}])
    html = made(tmp_path)
    assert "2024-07-11: A-01, A-02" in html and "A-03" not in html
    assert html.count('class="event"') == 1


def test_every_question_has_its_figures_by_period(report, tmp_path):
    item = {"id": "lift", "n": 20, "mean": 80.0, "share_satisfied": 0.75, "conf_low": 0.5, "conf_high": 0.9}
    report("2023", 0.8, items=[item], item_titles={})
    report(
        "2024",
        0.9,
        items=[{**item, "n": 0, "share_satisfied": None}],
        item_titles={"lift": {"en": "Lifts", "zh": "电梯"}},
    )
    html = made(tmp_path)
    [row] = [each for each in html.split("<tr>") if "Lifts" in each]
    assert [
        row.index(part) for part in (">–<", "75.00\u00a0%", "50.00\u00a0% to 90.00\u00a0%", "mean 80.00, n = 20")
    ] == sorted(
        row.index(part) for part in (">–<", "75.00\u00a0%", "50.00\u00a0% to 90.00\u00a0%", "mean 80.00, n = 20")
    )
    assert "电梯" in made(tmp_path, "zh")


def test_documents_beside_the_periods_are_linked(report, tmp_path):
    report("2024", 0.9)
    write(tmp_path, {"reports/a/documents/minutes & <plan> 50%.pdf": "x", "reports/a/documents/.hidden": "x"})
    links = [unquote(link) for link in Page(made(tmp_path)).links()]
    assert [link for link in links if link.startswith("documents/")] == ["documents/minutes & <plan> 50%.pdf"]
    assert [link for link in links if not (tmp_path / "reports/a" / link).is_file()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_legible_and_reaches_for_nothing(report, tmp_path, language):
    for period, rate in [("2023", 0.8), ("2024", 0.9)]:
        report(period, rate, title={"zh": "囍园", "en": "囍 Estate"})
    html = made(tmp_path, language)
    assert reaching_out(html) == []
    assert Page(html).tags[0] == ("html", {"lang": LANGUAGES[language]})
    letters = {letter for letter in Page(html[html.index("</style>") :]).text if "\u3400" <= letter <= "\u9fff"}
    assert "囍" in letters
    assert project_pages.shared_letters("zh") > ""
    if language == "en":
        assert fonts(html) == {}  # a cut of a few letters is not pressed


@pytest.mark.parametrize("title", [*HOSTILE, "constructor", "a\nb", "\u202eevil", "x" * 200])
def test_whatever_a_record_holds_appears_as_text(report, tmp_path, title):
    report("2024", 0.9, title={"en": title}, within=[{"en": title}])
    html = made(tmp_path)
    assert "".join(title.split()) in Page(html).text
    assert [tag for tag, _ in Page(html).tags if tag in ("script", "img")] == []


# --- when it is written -----------------------------------------------------------------------------------------------


def written(root):
    """Return the projects whose pages were written anew, as told by the time of their files."""
    before = {path: path.stat().st_mtime_ns for path in (root / "reports").glob("*/index.html")}
    portal.write(root, "zh")
    return sorted(
        path.parent.name
        for path in (root / "reports").glob("*/index.html")
        if before.get(path) != path.stat().st_mtime_ns
    )


def test_it_is_written_where_one_of_its_records_changed(report, tmp_path):
    report("2024", 0.9)
    report("2024", 0.9, project="b")
    assert written(tmp_path) == ["a", "b"]
    assert written(tmp_path) == []
    folder = report("2024", 0.91, project="b")
    os.utime(folder / "record.json")
    assert written(tmp_path) == ["b"]


def test_it_is_written_where_it_is_gone_or_was_changed(report, tmp_path):
    report("2024", 0.9)
    first = made(tmp_path)
    (tmp_path / "reports/a/index.en.html").unlink()
    assert made(tmp_path) == first
    (tmp_path / "reports/a/index.zh.html").write_text("mine", "utf-8")
    assert "mine" not in made(tmp_path, "zh")


def test_it_goes_with_the_last_of_its_records(report, tmp_path):
    folder = report("2024", 0.9)
    report("2024", 0.9, project="b")
    made(tmp_path)
    shutil.rmtree(folder)
    (tmp_path / "reports/a/notes.txt").write_text("mine", "utf-8")
    portal.write(tmp_path, "zh")
    assert [path.name for path in (tmp_path / "reports/a").iterdir()] == ["notes.txt"]
    assert (tmp_path / "reports/b/index.html").is_file()


def test_it_says_how_its_runs_stand(report, tmp_path):
    report("2024", 0.9)
    stale = [Standing("a", "2024", "stale", ["data data/a/2024/responses.csv changed"])]
    assert "Stale" not in made(tmp_path)
    assert "data file “data/a/2024/responses.csv” changed" in made(tmp_path, standings=stale)
    assert "数据文件“data/a/2024/responses.csv”已改动" in made(tmp_path, "zh", stale)
    assert "as of the last csat run" in made(tmp_path, standings=[Standing("a", "2024", "fresh", [])])


# --- what is remembered -----------------------------------------------------------------------------------------------


def test_a_record_that_has_not_changed_is_not_read_again(report, tmp_path):
    for period in ("2022", "2023", "2024"):
        report(period, 0.9)
    portal.write(tmp_path, "zh")
    os.utime(report("2024", 0.95) / "record.json", ns=(10**18, 10**18))
    known = Known(tmp_path / "reports")
    assert [row.headline[2] for row in known.rows()] == [0.9, 0.9, 0.95]
    assert known.read == 1


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"package": 1}', '{"package": "", "rows": [], "shapes": {}, "made": {}}']
)
def test_what_is_remembered_and_cannot_be_is_nothing(report, tmp_path, text):
    report("2024", 0.9)
    first = made(tmp_path)
    (tmp_path / "reports" / portal_rows.REMEMBERED).write_text(text, "utf-8")
    assert made(tmp_path) == first


def test_another_package_reads_everything(report, tmp_path, monkeypatch):
    report("2024", 0.9)
    portal.write(tmp_path, "zh")
    monkeypatch.setattr(portal_rows, "package_digest", lambda: "other")
    known = Known(tmp_path / "reports")
    known.rows()
    assert known.read == 1


# --- the axis ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "low", "high"), [([0.5], 0.475, 0.525), ([0.0], -1.0, 1.0), ([1.0, 2.0, None], 0.92, 2.08)]
)
def test_a_field_has_room_above_and_below(values, low, high):
    assert project_pages.field_of(values) == pytest.approx((low, high))


@pytest.mark.parametrize("field", [Field(0.78, 0.95), Field(-3, 120), Field(0.8999, 0.9001), Field(61.2, 61.9)])
def test_an_axis_has_three_to_seven_round_values(field):
    found = project_pages.ticks(field)
    assert 2 <= len(found) <= 7
    assert all(field.low - 1e-9 <= value <= field.high + 1e-9 for value in found)


def test_of_many_periods_some_are_labelled_and_the_last_is():
    labels = project_pages.labels_of([str(year) for year in range(2000, 2025)], list(range(25)))
    assert len(labels) <= 10 and labels[-1] == {"text": "2024", "x": 24}


def test_a_value_of_the_axis_has_its_sign():
    assert [project_pages.tick(value, "share", speak("en")) for value in (0.85, -0.05)] == ["85\u00a0%", "−5\u00a0%"]
