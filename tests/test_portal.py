"""The portal is made of records and manifests alone: it shows what it can read, as text, and is there whatever it reads."""

import inspect
import json
import os
import re
import shutil
import time
from decimal import ROUND_HALF_EVEN, Decimal
from html import unescape
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat_analysis.execution import freshness
from csat_analysis.ground.words import speak
from csat_analysis.portal import portal, portal_data, portal_rows, readings
from csat_analysis.portal.portal_rows import Known
from publishing import (
    HOSTILE,
    LANGUAGES,
    RESPONSES,
    RUN_FILE,
    Page,
    characters,
    fonts,
    make_root,
    reaching_out,
    run,
    snapshot,
    write,
)  # fmt: skip

INDEXES = ["index.html", "index.en.html", "index.zh.html"]
COMPARED = ["compare.en.html", "compare.zh.html"]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a root with one published run, and a page in each language."""
    root = make_root(tmp_path_factory.mktemp("published"))
    assert run(root).status == 0
    folder = root / "reports/demo/2024"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    pages = {f"20_satisfaction.{language}.html": "ok" for language in LANGUAGES}
    write(
        folder,
        {**dict.fromkeys(pages, "<p>Satisfaction</p>"), "manifest.json": json.dumps({**manifest, "chapters": pages})},
    )
    portal.write(root, "zh")
    return root


@pytest.fixture
def report(published, tmp_path):
    """Return how to add a report to an empty root: that of the published run, with other things in its record."""

    def add(project, period="2024", rate=None, **record):
        folder = shutil.copytree(published / "reports/demo/2024", tmp_path / "reports" / project / period)
        content = json.loads((folder / "record.json").read_text("utf-8"))
        if rate:
            measure = {"id": "satisfaction_rate", "numerator": rate[0], "denominator": rate[1], "se": None}
            content["counts"]["satisfied"] = rate[0]
            content["measures"] = [{**each, **measure} if each["id"] == measure["id"] else each for each in content["measures"]]  # fmt: skip
        content |= {"project": project, "period": period, "title": {"zh": f"{project}园", "en": project}, **record}
        (folder / "record.json").write_text(json.dumps(content), "utf-8")
        return folder

    return add


def shown(root, language="en"):
    """Return the portal of a root in a language."""
    return portal.render(Known(root / "reports").rows(), language)


def written(root, language="en"):
    """Return the portal of a root as it stands in the files, in a language."""
    assert portal.write(root, language) == root / "reports" / "index.html"
    return (root / "reports" / "index.html").read_text("utf-8")


def rows(html):
    """Return the cells of every row below the headers, as text."""
    bodies = "".join(re.findall(r"<tbody>(.*?)</tbody>", html, flags=re.DOTALL))
    return [
        [" ".join(unescape(re.sub(r"<[^>]*>", " ", re.sub(r"</?bdi>", "", cell))).split()) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", bodies, flags=re.DOTALL)
    ]  # fmt: skip


def missing(root):
    """Return the links of the portals that lead to no file."""
    folder = root / "reports"
    links = {unquote(link) for name in INDEXES for link in Page((folder / name).read_text("utf-8")).links()}
    assert links
    return {link for link in links if not (folder / link).is_file()}


# --- what it is made of -----------------------------------------------------------------------------------------------


def test_records_and_manifests_are_enough(published, tmp_path):
    root = shutil.copytree(published, tmp_path / "root")
    before = {name: sha for name, sha in snapshot(root / "reports").items() if name in INDEXES}
    for name in ("data", "params"):
        shutil.rmtree(root / name)
    for name in INDEXES:
        (root / "reports" / name).unlink()
    portal.write(root, "zh")
    assert {name: sha for name, sha in snapshot(root / "reports").items() if name in INDEXES} == before
    assert len(before) == 3


def test_without_reports_it_says_so(tmp_path):
    html = written(tmp_path)
    assert "There are no reports yet." in html
    assert rows(html) == []


def test_runs_stand_by_project_and_period(report, tmp_path):
    for project, period in [("b", "2024"), ("a", "2024"), ("a", "2023"), ("a", "2024Q1")]:
        report(project, period)
    runs, _, _ = shown(tmp_path).partition("<h2>")
    assert [row[:2] for row in rows(runs)] == [["a", "2023"], ["a", "2024"], ["a", "2024Q1"], ["b", "2024"]]


def test_what_works_on_a_run_is_no_report(report, tmp_path):
    report("a")
    shutil.copytree(tmp_path / "reports/a/2024", tmp_path / "reports/a/.2024.7.work")
    assert [row[:2] for row in rows(shown(tmp_path))] == [["a", "2024"]]


@pytest.mark.parametrize(
    ("status", "stamp"), [("reportable", "Reportable"), ("remedy_due", "Remedy due"), ("void", "Void")]
)
def test_a_run_is_shown_with_its_status_headline_and_failed_rules(report, tmp_path, status, stamp):
    report("riverside", status=status)
    [row] = rows(shown(tmp_path))
    assert row[:4] == ["riverside", "2024", "Demonstration", stamp]
    # r1: 0.6 · 100 + 0.4 · 60 = 84, r2: 60, r3: 100
    assert row[4].startswith("Satisfaction index: 81.33")
    assert row[5] == "none"  # 3 of 4 forms came back, and 0.70 is asked


RATED = {"measure": "satisfaction_rate", "unit": "share", "comparison": "at_least", "threshold": 0.85}


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"value": 0.86, "passed": True, "verdict": "borderline", "certainty": 0.71},
         "Satisfaction rate 86.00 % (≥ 85.00 %) borderline: met by the letter; certainty 71.0 %"),
        ({"value": 0.84, "passed": False, "verdict": "borderline", "certainty": 0.31},
         "Satisfaction rate 84.00 % (≥ 85.00 %) borderline: not met by the letter; certainty 31.0 %"),
        ({"value": 0.8, "passed": False, "verdict": "not_met", "certainty": 0.01}, "Satisfaction rate 80.00 % (≥ 85.00 %)"),
        ({"value": 0.8, "passed": False}, "Satisfaction rate 80.00 % (≥ 85.00 %)"),
        ({"value": 0.9, "passed": True}, "none"),
        ({"value": None, "passed": None, "verdict": None, "certainty": None}, "none"),
    ],
    ids=["literally met", "literally not met", "not met", "an older record", "an older record, met", "no data"],
)  # fmt: skip
def test_a_borderline_verdict_is_visible_as_such_beside_failed_rules(report, tmp_path, gate, said):
    report("a", gates=[{**RATED, **gate}])
    [row] = rows(shown(tmp_path))
    assert row[5] == said


# --- all projects together --------------------------------------------------------------------------------------------


def company(html):
    """Return the rows below the heading of all projects together."""
    _, heading, rest = html.partition("<h2>")
    return rows(rest) if heading else []


def test_rates_are_pooled_as_sums_and_void_surveys_are_left_out_of_the_first(report, tmp_path):
    report("a", rate=(95, 100))
    report("b", rate=(5, 10))
    report("c", rate=(0, 90), status="void")
    # 100 ÷ 110, where the mean of the rates would be 72.5; with the void one 100 ÷ 200
    assert company(shown(tmp_path)) == [["Demonstration", "2024", "2", "100 ÷ 110", "90.91 %", "50.00 %", "", "", ""]]


def test_projects_are_pooled_by_procedure_edition_and_period(report, tmp_path):
    other = {"id": "other", "version": 1, "title": {"en": "Other"}, "sha256": ""}
    report("a", "2023", rate=(1, 2))
    report("a", "2024", rate=(1, 4))
    report("b", "2024", rate=(2, 4))
    report("c", "2024", rate=(9, 9), programme=other)
    report("d", "2024", rate=(8, 9), programme={**other, "version": 2})
    assert [row[:5] for row in company(shown(tmp_path))] == [["Demonstration", "2024", "2", "3 ÷ 8", "37.50 %"]]


@pytest.mark.parametrize(
    ("satisfied", "verdict"),
    [
        (140, "not met"), (169, "borderline not met by the letter"), (170, "borderline met by the letter"),
        (171, "borderline met by the letter"), (180, "met"),
    ],
)  # fmt: skip
def test_all_projects_together_are_held_to_the_rule_of_the_procedure(report, tmp_path, satisfied, verdict):
    rule = {"measure": "satisfaction_rate", "comparison": "at_least", "threshold": 0.85, "value": 0.85, "passed": True}
    rule["clause"] = "2§4.4.1"
    report("a", rate=(satisfied - 80, 100), gates=[rule])
    report("b", rate=(80, 100), gates=[rule])
    [row] = company(shown(tmp_path))
    assert row[-3].replace(".00", "") == "≥ 85 %"
    assert (row[-2].partition(" certainty ")[0], row[-1]) == (verdict, "clause 2§4.4.1")


@pytest.mark.parametrize(
    "reports",
    [
        {"a": {"rate": (1, 2)}},
        {"a": {"rate": (1, 2), "status": "void"}, "b": {"rate": (1, 2), "status": "void"}},
        {"a": {"rate": (None, None)}, "b": {"rate": (None, None)}},
        {"a": {"rate": (0, 0)}, "b": {"rate": (0, 0)}},
    ],
    ids=["one project", "all void", "no rates", "nobody asked"],
)
def test_what_cannot_be_pooled_is_not(report, tmp_path, reports):
    for project, keys in reports.items():
        report(project, **keys)
    assert company(shown(tmp_path)) == []


# --- what it meets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", HOSTILE[:5])
def test_whatever_a_record_holds_appears_as_text(report, tmp_path, title):
    def named(name):
        head = {"measure": "index", "unit": "points", "title": {"en": name}, "value": 1, "conf_low": 0, "conf_high": 2}
        programme = {"id": "demo", "version": 1, "title": {"en": name}, "sha256": ""}
        report("a", title={"en": name}, programme=programme, headline=head)
        record = tmp_path / "reports/a/2024/record.json"
        record.write_text(json.dumps({**json.loads(record.read_text("utf-8")), "period": name}), "utf-8")
        html = shown(tmp_path)
        shutil.rmtree(tmp_path / "reports/a")
        return html

    html = named(title)
    [row] = rows(html)
    assert row[:3] == [title] * 3
    assert row[4].startswith(f"{title}: ")
    assert [tag for tag, _ in Page(html).tags] == [tag for tag, _ in Page(named("Riverside")).tags]
    assert reaching_out(html) == []


def test_an_unknown_measure_and_an_unknown_procedure_are_shown(report, tmp_path, published):
    record = json.loads((published / "reports/demo/2024/record.json").read_text("utf-8"))
    rule = {**record["gates"][0], "measure": "happiness", "value": 0.25, "passed": False, "title": None}
    report(
        "riverside",
        programme={"id": "eighth", "version": 3, "title": {"zh": "第八"}, "sha256": ""},
        headline={**record["headline"], "measure": "happiness", "title": None, "value": 0.5, "unit": "share"},
        measures=[{**record["measures"][0], "id": "happiness", "value": 0.5}],
        gates=[rule],
    )
    [row] = rows(shown(tmp_path))
    assert row[:3] == ["riverside", "2024", "第八"]
    assert row[4].startswith("happiness: 50.00 %")
    assert row[5].startswith("happiness ")


RECORDS = {
    "nothing": b"",
    "half": b'{"schema_version": 1, "programme": {"id": "de',
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "empty": b"{}",
    "other bytes": b"\xff\xfe\x00\x01",
}
REQUIRED = [key for key, field in readings.Listed.model_fields.items() if field.is_required()]
UNREADABLE = {
    **{f"a record that is {name}": ("record.json", content) for name, content in RECORDS.items()},
    **{f"a manifest that is {name}": ("manifest.json", content) for name, content in RECORDS.items()},
    **{f"a record without {key}": ("record.json", {key: ...}) for key in REQUIRED},
    **{f"a record whose {key} is null": ("record.json", {key: None}) for key in ("programme", "headline", "gates")},
    "a record with half a headline": ("record.json", {"headline": {"measure": "index"}}),
    "a record with half a rule": ("record.json", {"gates": [{"measure": "return_rate", "passed": False}]}),
    "a record whose title is a number": ("record.json", {"title": 7}),
    "a record with half a procedure": ("record.json", {"programme": {"id": "demo"}}),
    "a manifest whose chapters are null": ("manifest.json", {"chapters": None}),
}
STRANGE = {
    "another status": ("record.json", {"status": "paused"}),
    "a page of another name": ("manifest.json", {"chapters": {"page.html": "ok"}}),
    "a page in another language": ("manifest.json", {"chapters": {"20_satisfaction.fr.html": "ok"}}),
    **{
        f"a record without {key}": ("record.json", {key: ...})
        for key in readings.Listed.model_fields
        if key not in REQUIRED
    },
}


def change(path, content):
    """Put other bytes in a file, or other values under the keys of its mapping; ... takes a key away."""
    if isinstance(content, dict):
        changed = {**json.loads(path.read_text("utf-8")), **content}
        content = json.dumps({key: value for key, value in changed.items() if value is not ...}).encode()
    path.write_bytes(content)


@pytest.mark.parametrize(("file", "content"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_report_that_cannot_be_read_is_left_out_and_stops_nothing(report, tmp_path, file, content):
    report("a")
    change(report("b") / file, content)
    assert [row[0] for row in rows(written(tmp_path))] == ["a"]
    assert missing(tmp_path) == set()


@pytest.mark.parametrize(("file", "content"), STRANGE.values(), ids=STRANGE)
def test_a_report_of_another_edition_of_the_package_stops_nothing(report, tmp_path, file, content):
    report("a")
    change(report("b") / file, content)
    assert rows(written(tmp_path))[0][0] == "a"
    assert missing(tmp_path) == set()


def test_a_file_that_is_no_report_stops_nothing(report, tmp_path):
    report("a")
    (tmp_path / "reports" / "README.md").write_text("Reports.", "utf-8")
    (tmp_path / "reports" / "a" / "notes.txt").write_text("Notes.", "utf-8")
    (tmp_path / "reports" / "b" / "2024" / "record.json").mkdir(parents=True)
    assert [row[0] for row in rows(shown(tmp_path))] == ["a"]


# --- links ------------------------------------------------------------------------------------------------------------


def test_links_lead_to_files_that_exist(report, tmp_path):
    report("a")
    report("园雅", "2024H1")
    written(tmp_path)
    assert missing(tmp_path) == set()


def test_a_page_that_was_taken_away_is_not_linked(report, tmp_path):
    (report("a") / "20_satisfaction.en.html").unlink()
    written(tmp_path)
    assert missing(tmp_path) == set()


def test_pages_of_the_readers_language_come_first(report, tmp_path):
    report("a")
    written(tmp_path)
    for language, other in (("zh", "en"), ("en", "zh")):
        links = list(Page((tmp_path / f"reports/index.{language}.html").read_text("utf-8")).links())
        pages = [link for link in links if link.startswith("a/2024/") and link.endswith(".html")]
        assert pages == [f"a/2024/20_satisfaction.{each}.html" for each in (language, other)]


def test_what_failed_is_linked(report, tmp_path):
    folder = report("a")
    (folder / "failed").mkdir()
    (folder / "failed" / "20_satisfaction.en.html").write_text("<p>failed</p>", "utf-8")
    failures = {"state": "failed", "failures": {"20_satisfaction.en.html": "ValueError"}}
    (folder / "failed" / "manifest.json").write_text(json.dumps(failures), "utf-8")
    links = list(Page(written(tmp_path)).links())
    assert "a/2024/failed/20_satisfaction.en.html" in links
    assert missing(tmp_path) == set()


# --- both languages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_its_portal_and_the_chosen_one_is_the_first(report, tmp_path, language):
    report("a")
    html = written(tmp_path, language)
    assert html == (tmp_path / f"reports/index.{language}.html").read_text("utf-8")
    for each, code in LANGUAGES.items():
        page = Page((tmp_path / f"reports/index.{each}.html").read_text("utf-8"))
        assert page.tags[0] == ("html", {"lang": code})
        assert [tag for tag, _ in page.tags].count("h1") == 1
        assert {f"index.{other}.html" for other in LANGUAGES if other != each} <= set(page.links())
        assert ("a园" if each == "zh" else "a") in [text.strip() for text in page.texts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_portal_needs_no_network_and_no_font(report, tmp_path, language):
    report("园雅", title={"zh": "园雅"})
    html = written(tmp_path, language)
    assert reaching_out(html) == []
    [policy] = [
        attributes["content"] for tag, attributes in Page(html).tags if tag == "meta" and "http-equiv" in attributes
    ]
    assert policy.startswith("default-src 'none';")
    held = fonts(html)["Noto Sans SC" if language == "zh" else "Noto Sans SC Chinese"]
    letters = characters(html)
    assert set("园雅") <= letters
    assert {letter for letter in letters if "\u3400" <= letter <= "\u9fff"} - held == set()


# --- how its runs stand -----------------------------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path):
    """Return a root with two published projects, settled a minute ago."""
    other = RUN_FILE.replace("project: demo", "project: other").replace("示例", "其他").replace("Demo", "Other")
    root = make_root(tmp_path, {"params/runs/other.yml": other, "data/other/2024/responses.csv": RESPONSES})
    assert run(root).status == 0
    settle(root)
    assert run(root).status == 0
    return root


def settle(root):
    """Let every file be a minute old."""
    then = time.time_ns() - 60 * 10**9
    for path in root.rglob("*"):
        os.utime(path, ns=(then, then))


def portals(root):
    """Return the pages that are made from records, by path, with their times."""
    return {path: path.stat().st_mtime_ns for path in (root / "reports").rglob("*.html")}


def test_it_is_not_made_again_while_nothing_changes(two):
    before = portals(two)
    assert run(two).status == run(two, "--project", "demo").status == 0
    assert portals(two) == before
    assert 'class="state' not in (two / "reports/index.en.html").read_text("utf-8")


def test_what_another_command_finds_stale_is_marked_once(two):
    write(two, {"data/other/2024/responses.csv": RESPONSES + "r4,fair,fair\n"})
    assert run(two, "--project", "demo").status == 0
    html = (two / "reports/index.en.html").read_text("utf-8")
    [row] = [row for row in rows(html.partition("<h2>")[0]) if row[0] == "Other"]
    assert row[3] == "Reportable Stale data file “data/other/2024/responses.csv” changed"
    settle(two)
    run(two, "--project", "demo")
    before = portals(two)
    run(two, "--project", "demo")
    assert portals(two) == before
    assert run(two).status == 0
    assert 'class="state' not in (two / "reports/index.en.html").read_text("utf-8")


def test_what_cannot_be_made_and_what_never_was_is_said(two):
    write(two, {"params/runs/third.yml": RUN_FILE.replace("project: demo", "project: third")})
    write(two, {"data/other/2024/responses.csv": "form_id\nr1\n"})
    run(two)
    html = (two / "reports/index.en.html").read_text("utf-8")
    assert "Without a report yet: third 2024 (1 in all)." in html
    assert "as of the last csat run" in html


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("data data/a/2024/responses.csv changed", ("数据文件“data/a/2024/responses.csv”已改动", "data file “data/a/2024/responses.csv” changed")),
        ("data x.csv is new", ("数据文件“x.csv”为新增", "data file “x.csv” is new")),
        ("period 2023 is gone", ("“2023”期已不存在", "period “2023” is gone")),
        ("notebook 20_satisfaction changed", ("章节“20_satisfaction”已改动", "chapter “20_satisfaction” changed")),
        ("run file changed", ("项目文件已改动", "run file changed")),
        ("other projects changed", ("其他项目的数据已改动", "data of other projects changed")),
        ("no pages in zh", ("尚无中文报告", "no pages in Chinese")),
        ("a page is missing or was changed", ("报告页缺失或被改动", "a page is missing or was changed")),
        ("20_satisfaction (zh): KeyError: 1", ("20_satisfaction (zh): KeyError: 1",) * 2),
    ],
)  # fmt: skip
def test_why_a_run_is_stale_is_said_in_the_readers_language(reason, said):
    assert (portal_data.why_text([reason], speak("zh")), portal_data.why_text([reason], speak("en"))) == said


def test_every_reason_of_freshness_has_words():
    told = re.findall(r'"((?:a page is|the last run failed,)[^"]*)"', inspect.getsource(freshness))
    assert len(told) == 2
    assert [reason for reason in told if portal_data.why_text([reason], speak("zh")) == reason] == []


# --- thousands of runs ------------------------------------------------------------------------------------------------


def test_of_many_runs_the_newest_stand_in_the_table_without_a_script(report, tmp_path, monkeypatch):
    monkeypatch.setattr(portal, "PLAIN", 2)
    for project, period in [("a", "2022"), ("b", "2024"), ("c", "2023")]:
        report(project, period, as_of=f"{int(period) + 1}-01-10")
    html = shown(tmp_path)
    assert [row[:2] for row in rows(html.partition("<h2>")[0])] == [["b", "2024"], ["c", "2023"]]
    assert "The table holds the newest 2 of 3 runs" in html


def test_a_run_of_an_older_edition_without_a_day_stands_by_its_period(report, tmp_path):
    for period in ("2023", "2024"):
        report("a", period, as_of=None)
    found = portal_data.by_project(Known(tmp_path / "reports").rows())
    assert [row.period for row in found["a"]] == ["2023", "2024"]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(0.92345, "share", 9234), (0.92355, "share", 9236), (2.675, "points", 268), (-0.5, "points", -50)],
)
def test_what_is_carried_is_rounded_to_what_is_shown(value, unit, shown):
    assert portal_rows.rounded(value, unit) == shown
    whole = portal_rows.carried(value, unit)
    assert round(whole / 10**portal_rows.CARRIED) == shown


@given(st.floats(-200, 200, allow_nan=False), st.sampled_from(["share", "points"]))
def test_whatever_is_carried_is_rounded_to_what_is_shown(value, unit):
    whole = Decimal(portal_rows.carried(value, unit))
    assert int(whole.scaleb(-portal_rows.CARRIED).quantize(Decimal(1), ROUND_HALF_EVEN)) == portal_rows.rounded(
        value, unit
    )


def test_a_line_goes_through_headlines_of_one_kind(report, tmp_path):
    head = {"measure": "index", "unit": "points", "title": None, "conf_low": None, "conf_high": None}
    for period, value in [("2021", 60.0), ("2022", None), ("2023", 80.0), ("2024", 70.0)]:
        report("a", period, as_of=f"{period}-12-31", headline={**head, "value": value})
    [found] = portal_data.by_project(Known(tmp_path / "reports").rows()).values()
    assert portal_data.spark(found) == "3,19 48,3 93,11"
    assert portal_data.spark(found[:2]) == ""
