"""A run is redone when something it depends on has changed, and only then; what fails leaves the last good pages alone."""

import json
import os
import re
import shutil
import time
from collections import Counter

import pytest

from csat_analysis import runner
from csat_analysis.execution import freshness
from csat_analysis.ground import params
from csat_analysis.ground.errors import DataError, ReportError
from csat_analysis.publishing import publish
from publishing import (
    COUNTED,
    RESPONSES,
    RUN_FILE,
    chapter,
    csat,
    make_root,
    manifest,
    programme,
    record,
    run,
    run_file,
    run_in_kernels,
    snapshot,
    state,
    states,
    write,
)  # fmt: skip

CHAPTER = "20_satisfaction"
PAGES = "reports/demo/2024"


def executed(root) -> list[str]:
    """Return the languages in which a chapter was executed, in order."""
    return (root / "executed").read_text().split() if (root / "executed").exists() else []


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a root with one chapter, published in English."""
    root = make_root(tmp_path_factory.mktemp("published"), chapters=(CHAPTER,))
    assert run(root).status == 0
    return root


@pytest.fixture
def root(published, tmp_path):
    """Return a copy of the published root, to change."""
    return shutil.copytree(published, tmp_path / "root")


# --- what makes a run stale -------------------------------------------------------------------------------------------


def test_a_run_never_made_is_said_so(tmp_path):
    assert state(make_root(tmp_path)) == "never run"


def test_nothing_changed_executes_nothing_writes_no_page_and_is_quick(root):
    pages, before = snapshot(root / PAGES), executed(root)
    times = {path: path.stat().st_mtime_ns for path in (root / PAGES).iterdir()}
    begun = time.monotonic()
    assert run(root).out == "demo 2024: skipped (fresh)\n"
    seconds = time.monotonic() - begun
    print(f"a fresh run is seen in {seconds:.2f} s")  # noqa: T201
    assert seconds < 5
    assert executed(root) == before
    assert snapshot(root / PAGES) == pages
    assert {path: path.stat().st_mtime_ns for path in (root / PAGES).iterdir()} == times


def test_a_copy_in_another_folder_is_fresh(root):
    assert state(root) == "fresh"


def test_a_touched_file_is_no_changed_file(root):
    for path in root.rglob("*"):
        if path.is_file() and "reports" not in path.parts:
            os.utime(path, (2_000_000_000, 2_000_000_000))
    assert state(root) == "fresh"


OUTPUT = json.loads(COUNTED)
OUTPUT["cells"][2] |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "en"}], "execution_count": 7}
OUTPUT["metadata"]["language_info"] = {"name": "python", "version": "3.99"}
SAME = {
    "outputs and versions in the notebook": {f"notebooks/{CHAPTER}.ipynb": json.dumps(OUTPUT)},
    "a run closed": {"params/runs/demo.yml": RUN_FILE.replace("as_of", "closed: false, as_of")},
    "a comment in the run file": {"params/runs/demo.yml": f"# ours\n{RUN_FILE}"},
    "another project": {"params/runs/other.yml": run_file("other", "2024")},
    "another programme": {"params/programmes/other.yml": programme().replace("id: demo", "id: other")},
    "a chapter it does not have": {"notebooks/35_extra.ipynb": COUNTED},
    "another period": {"data/demo/2023/responses.csv": RESPONSES},
    "a file that is no table": {"data/demo/2024/notes.txt": "good"},
}


@pytest.mark.parametrize("files", SAME.values(), ids=SAME.keys())
def test_what_the_pages_do_not_show_leaves_them_fresh(files, root):
    write(root, files)
    assert state(root) == "fresh"


CHANGED = {
    "data row": ({"data/demo/2024/responses.csv": RESPONSES.replace("r2,fair", "r2,satisfied")}, "data data/demo/2024/responses.csv changed"),
    "data appended": ({"data/demo/2024/responses.csv": RESPONSES + "r4,fair,fair\n"}, "data data/demo/2024/responses.csv changed"),
    "new table": ({"data/demo/2024/complaints.csv": "complaint_id\nk1\n"}, "data data/demo/2024/complaints.csv is new"),
    "steps entered": ({"data/demo/2024/steps.csv": "step,reason\nreturn_rate,late\n"}, "data data/demo/2024/steps.csv is new"),
    "within": ({"params/runs/demo.yml": RUN_FILE + "within: [South]\n"}, "run file changed"),
    "data gone": ({"data/demo/2024/responses.csv": None}, "data data/demo/2024/responses.csv is gone"),
    "run file": ({"params/runs/demo.yml": RUN_FILE.replace("distributed: 4", "distributed: 5")}, "run file changed"),
    "title": ({"params/runs/demo.yml": RUN_FILE.replace("en: Demo", "en: Riverside")}, "run file changed"),
    "programme": ({"params/programmes/demo.yml": programme(CHAPTER).replace("0.70", "0.80")}, "programme changed"),
    "notebook": ({f"notebooks/{CHAPTER}.ipynb": COUNTED.replace("project, period", "period, project")}, f"notebook {CHAPTER} changed"),
    "notebook's tags": ({f"notebooks/{CHAPTER}.ipynb": COUNTED.replace('"parameters"\n', '"parameters", "en"\n')}, f"notebook {CHAPTER} changed"),
    "chapter more": ({"params/programmes/demo.yml": programme(CHAPTER, "10_fieldwork")}, "programme changed; notebook 10_fieldwork is new"),
    "chapter less": ({"params/programmes/demo.yml": programme()}, f"programme changed; notebook {CHAPTER} is gone"),
    "language": ({"params/runs/demo.yml": RUN_FILE.replace("language: en", "language: zh")}, "no pages in zh"),
    "page deleted": ({f"{PAGES}/{CHAPTER}.en.html": None}, "a page is missing or was changed"),
    "page edited": ({f"{PAGES}/{CHAPTER}.en.html": "<p>better figures</p>"}, "a page is missing or was changed"),
    "record edited": ({f"{PAGES}/record.json": "{}"}, "a page is missing or was changed"),
    "notebook of the report deleted": ({f"{PAGES}/{CHAPTER}.en.ipynb": None}, "a page is missing or was changed"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "why"), CHANGED.values(), ids=CHANGED.keys())
def test_what_the_pages_depend_on_makes_them_stale_and_list_says_why(files, why, root):
    write(root, files)
    assert state(root) == f"stale: {why}"


# --- the periods it is compared with ----------------------------------------------------------------------------------

BEFORE = "data/demo/2023/responses.csv"
TWO_PERIODS = RUN_FILE.replace("periods:\n", 'periods:\n  "2023": {as_of: 2024-01-10, counts: {distributed: 4}}\n')


@pytest.fixture(scope="module")
def two_published(tmp_path_factory):
    """Return a root with two years of one project, published."""
    files = {"params/runs/demo.yml": TWO_PERIODS, BEFORE: RESPONSES.replace("r2,fair", "r2,satisfied")}
    root = make_root(tmp_path_factory.mktemp("years"), files)
    assert run(root).status == 0
    return root


@pytest.fixture
def years(two_published, tmp_path):
    """Return a copy of it, to change."""
    return shutil.copytree(two_published, tmp_path / "root")


def test_a_year_is_compared_with_the_year_before(years):
    found = {row["id"]: row for row in record(years)["comparisons"]}
    assert {(row["kind"], row["against"], row["status"]) for row in found.values()} == {
        ("year_on_year", "2023", "reportable")
    }
    rate = found["satisfaction_rate"]  # 2 of 3, and 3 of 3 before
    assert (rate["before"], rate["estimate"]) == (1, pytest.approx(-1 / 3))
    assert rate["conf_low"] < rate["estimate"] < rate["conf_high"]
    assert record(years, "demo/2023")["comparisons"] == []


@pytest.mark.parametrize(
    ("files", "why_before", "why"),
    [
        ({BEFORE: RESPONSES}, f"stale: data {BEFORE} changed", f"stale: data {BEFORE} changed"),
        ({"data/demo/2023/complaints.csv": "complaint_id\nk1\n"}, "stale: data data/demo/2023/complaints.csv is new",
         "stale: data data/demo/2023/complaints.csv is new"),
        ({"params/runs/demo.yml": TWO_PERIODS.replace("distributed: 4}}\n  \"2024", "distributed: 5}}\n  \"2024")},
         "stale: run file changed", "stale: period 2023 changed"),
        ({"params/runs/demo.yml": TWO_PERIODS.replace("as_of: 2024-01-10", "closed: true, as_of: 2024-01-10")},
         "closed: the run file says closed: true", "fresh"),
        ({"data/demo/2024/responses.csv": RESPONSES + "r4,fair,fair\n"}, "fresh",
         "stale: data data/demo/2024/responses.csv changed"),
    ],
    ids=["its data", "a table more", "its counts", "closing it", "the year itself"],
)  # fmt: skip
def test_what_changes_the_year_before_makes_the_year_stale_and_nothing_the_other_way_round(
    files, why_before, why, years
):
    write(years, files)
    assert states(years) == {("demo", "2023"): why_before, ("demo", "2024"): why}


def test_a_year_before_that_is_taken_away_is_compared_no_more(years):
    write(years, {"params/runs/demo.yml": RUN_FILE})
    assert state(years) == f"stale: period 2023 is gone; data {BEFORE} is gone"
    assert run(years).status == 0
    assert record(years)["comparisons"] == []


@pytest.mark.parametrize(
    "files",
    [{BEFORE: ""}, {BEFORE: None}, {"data/demo/2023/responses.xlsx": "no workbook"}],
    ids=["empty", "none", "two files of one table"],
)
def test_a_year_before_that_cannot_be_read_does_not_stop_the_year(files, years):
    write(years, files)
    answer = run(years)
    assert [line.split(" in ")[0] for line in answer.out.splitlines()] == ["demo 2023: unusable", "demo 2024: ok"]
    assert record(years)["findings"] == [{"code": "earlier_unreadable", "values": {"period": "2023"}}]
    assert record(years)["comparisons"] == []


# --- what was made ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [None, "", "[]", "{}", '{"key": {}}'], ids=["gone", "empty", "a list", "nothing", "half"]
)
def test_pages_without_a_manifest_that_can_be_read_were_never_made(text, root):
    write(root, {f"{PAGES}/manifest.json": text})
    assert state(root) == "never run"


def test_another_language_is_asked_for(root):
    assert state(root, "--language", "zh") == "stale: no pages in zh"
    assert state(root, "--language", "en") == "fresh"


def test_a_new_language_joins_those_there_are_and_stays(root):
    assert run(root, "--language", "zh").status == 0
    assert executed(root) == ["en", "zh", "en"]
    assert manifest(root)["languages"] == ["zh", "en"]
    assert state(root) == "fresh"
    assert run(root).out == "demo 2024: skipped (fresh)\n"


def test_another_package_makes_everything_stale(root, tmp_path, monkeypatch):
    package = shutil.copytree(params.PACKAGE, tmp_path / "csat_analysis", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(params, "PACKAGE", package)
    monkeypatch.setattr(freshness, "package_digest", freshness.package_digest.__wrapped__)  # as in a process of its own
    assert state(root) == "fresh"
    with (package / "words" / "en.yml").open("a", encoding="utf-8") as words:
        words.write("# another word\n")
    assert state(root) == "stale: package changed"


def test_the_package_is_its_code_its_words_its_templates_and_its_reference_figures():
    assert freshness.package_digest() == freshness.package_digest()
    suffixes = {path.suffix for path in params.PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    read = suffixes - {".json", ".R"}  # nothing reads the programs in R, which made the reference figures
    assert read == {".py", ".yml", ".j2", ".css", ".js", ".csv", ".sha256"}, (
        "add the new kind to freshness.package_digest"
    )


# --- closed and forced ------------------------------------------------------------------------------------------------


@pytest.fixture
def closed(root):
    """Return a root whose run was published, then closed; its data was changed since."""
    write(
        root,
        {
            "params/runs/demo.yml": RUN_FILE.replace("as_of", "closed: true, as_of"),
            "data/demo/2024/responses.csv": RESPONSES + "r4,fair,fair\n",
        },
    )
    return root


def test_a_closed_period_is_left_as_it_is(closed):
    before = snapshot(closed / PAGES)
    assert state(closed) == "closed: the run file says closed: true"
    assert run(closed) == (0, "demo 2024: skipped (closed)\n", "")
    assert run(closed, "--language", "zh").status == 0
    assert snapshot(closed / PAGES) == before


def test_force_redoes_a_closed_period(closed):
    assert run(closed, "--force").status == 0
    assert record(closed)["counts"]["returned"] == 4


def test_a_closed_period_that_was_never_made_is_made_once(tmp_path):
    root = make_root(tmp_path, {"params/runs/demo.yml": RUN_FILE.replace("as_of", "closed: true, as_of")})
    assert state(root) == "never run"
    assert run(root).out.startswith("demo 2024: ok")
    assert run(root).out == "demo 2024: skipped (closed)\n"


def test_force_redoes_what_is_fresh(root):
    assert run(root, "--force", "-v").out.endswith("\n  --force\n")
    assert executed(root) == ["en", "en"]


# --- a chapter that fails ---------------------------------------------------------------------------------------------

TWO = programme("10_fieldwork", CHAPTER)
RAISES = chapter(
    "value = 1", 'raise ValueError("<script>alert(1)</script> 没有")', 'open("executed", "a").write("never ")'
)
DIES = chapter("import os\nos._exit(1)")


@pytest.fixture(scope="module")
def two_chapters(tmp_path_factory):
    """Return a root with two chapters, published."""
    root = make_root(
        tmp_path_factory.mktemp("two"), {"params/programmes/demo.yml": TWO}, chapters=("10_fieldwork", CHAPTER)
    )
    assert run(root).status == 0
    return root


@pytest.fixture(scope="module", params=[RAISES, DIES], ids=["raises", "kills its kernel"])
def failed(request, two_chapters, tmp_path_factory):
    """Return a root that was published before one of its chapters failed, the answer of that run, and the pages before."""
    root = shutil.copytree(two_chapters, tmp_path_factory.mktemp("failed") / "root")
    before = snapshot(root / PAGES)
    write(root, {f"notebooks/{CHAPTER}.ipynb": request.param})
    return root, run_in_kernels(root), before, request.param


def test_a_failed_chapter_ends_with_1_and_says_which_and_why(failed):
    _, answer, _, notebook = failed
    assert answer.status == 1
    why = "ValueError: <script>alert(1)</script> 没有" if notebook is RAISES else "DeadKernelError: Kernel died"
    assert answer.err == f"demo 2024: {CHAPTER} (en): {why}\n"
    assert answer.out.startswith("demo 2024: failed in ")


def test_a_failed_chapter_leaves_the_last_good_pages_as_they_were(failed):
    root, _, before, _ = failed
    after = snapshot(root / PAGES)
    assert {path: sha for path, sha in after.items() if not path.startswith("failed")} == before


def test_what_failed_is_kept_with_where_and_why(failed):
    root, answer, _, notebook = failed
    kept = root / PAGES / "failed"
    page = (kept / f"{CHAPTER}.en.html").read_text("utf-8")
    assert ("ValueError" if notebook is RAISES else "DeadKernelError") in page
    assert "<script" not in page
    made = json.loads((kept / "manifest.json").read_text("utf-8"))
    assert made["state"] == "failed"
    assert made["chapters"] == {"10_fieldwork.en.html": "ok", f"{CHAPTER}.en.html": "failed"}
    assert answer.err.removeprefix("demo 2024: ").rstrip() == made["failures"][f"{CHAPTER}.en.html"]


def test_the_other_chapter_goes_on(failed):
    root, *_ = failed
    assert executed(root) == ["en", "en", "en"]  # both before, and the first one again
    assert "DeadKernel" not in (root / PAGES / "failed" / "10_fieldwork.en.html").read_text("utf-8")


def test_list_says_failed_and_the_portal_links_what_failed(failed):
    root, *_ = failed
    assert state(root).startswith(f"failed: {CHAPTER} (en): ")
    portal = (root / "reports" / "index.html").read_text("utf-8")
    assert f'href="demo/2024/failed/{CHAPTER}.en.html"' in portal
    assert f'href="demo/2024/{CHAPTER}.en.html"' in portal


@pytest.mark.parametrize(
    "mended", [COUNTED, COUNTED + "\n", chapter("2")], ids=["as before", "as before but a byte", "anew"]
)
def test_mended_the_next_run_clears_it(failed, mended, tmp_path):
    root = shutil.copytree(failed[0], tmp_path / "root")
    write(root, {f"notebooks/{CHAPTER}.ipynb": mended})
    assert state(root).startswith("stale: ")
    assert run(root).status == 0
    assert not (root / PAGES / "failed").exists()
    assert state(root) == "fresh"
    assert "/failed/" not in (root / "reports" / "index.html").read_text("utf-8")


def test_a_failed_run_is_tried_again(failed, tmp_path):
    root = shutil.copytree(failed[0], tmp_path / "root")
    assert run_in_kernels(root).status == 1
    assert state(root).startswith("failed: ")
    assert len(list((root / PAGES).iterdir())) == len(list((failed[0] / PAGES).iterdir()))


def test_a_run_that_failed_at_first_has_no_pages_and_is_made_when_mended(tmp_path):
    root = make_root(tmp_path, chapters=(CHAPTER,))
    write(root, {f"notebooks/{CHAPTER}.ipynb": RAISES})
    assert run(root).status == 1
    assert [path.name for path in (root / PAGES).iterdir()] == ["failed"]
    assert state(root).startswith("failed: ")
    write(root, {f"notebooks/{CHAPTER}.ipynb": COUNTED})
    assert run(root).status == 0
    assert state(root) == "fresh"
    assert not (root / PAGES / "failed").exists()


# --- how it ended -----------------------------------------------------------------------------------------------------


def test_runs_are_told_in_their_order_whatever_ends_first(tmp_path):
    files = {"params/runs/a.yml": run_file("a", "2024"), "params/runs/b.yml": run_file("b", "2023", "2024")}
    files |= {f"data/{each}/responses.csv": RESPONSES for each in ("a/2024", "b/2024")}
    files |= {"params/runs/demo.yml": None, "data/b/2023/responses.csv": ""}
    root = make_root(tmp_path, files)
    answer = csat("run", "--root", root, "--kernel", "plain", "--jobs", "2")
    assert answer.status == 1
    assert [record(root, each)["counts"]["returned"] for each in ("a/2024", "b/2024")] == [3, 3]
    assert [line.split(" in ")[0] for line in answer.out.splitlines()] == [
        "a 2024: ok",
        "b 2023: unusable",
        "b 2024: ok",
    ]
    assert answer.err.startswith("data/b/2023/responses.csv: is empty")


@pytest.mark.parametrize(
    ("states", "left_out", "status"),
    [
        ([], False, 0),
        (["ok", "skipped"], False, 0),
        (["skipped"], True, 1),
        (["ok", "failed"], False, 1),
        (["failed"], False, 1),
        (["failed", "unusable"], False, 1),
        (["skipped", "unusable"], False, 1),
        (["unusable", "unusable"], False, 2),
        (["unusable"], True, 2),
    ],
)
def test_the_status_is_that_of_the_contract(states, left_out, status):
    assert runner.exit_status([publish.Outcome(state) for state in states], left_out) == status


# --- what goes wrong with one run is that run's -------------------------------------------------------------------------


def test_a_fault_of_ours_is_a_sentence_and_the_other_runs_go_on(root):
    rules = params.read_rules(root)
    [good] = freshness.states_of(freshness.Sources(rules), rules.runs, force=True)
    bad = freshness.State(good.run, "stale", (), freshness.Task(None, good.run, None, (), {}))  # no root, no procedure
    outcomes = runner.bring_up_to_date([bad, good], 1, lambda state, outcome: None)
    assert [outcome.state for outcome in outcomes] == ["failed", "ok"]
    assert re.fullmatch(
        r"demo 2024: a fault of the package \(AttributeError at publish\.py:\d+\); report it, with the data if you may\.",
        outcomes[0].messages[0],
    )


def test_of_ten_thousand_runs_the_one_in_a_hundred_that_fails_stops_no_other(root, monkeypatch):
    rules = params.read_rules(root)
    [stale] = freshness.states_of(freshness.Sources(rules), rules.runs, force=True)
    calls = iter(range(10_000))

    def publish_one(task):
        if (number := next(calls)) % 100 == 7:
            raise [ReportError("no space"), DataError("no table"), RuntimeError("a fault")][number % 3]
        return publish.Outcome("ok")

    monkeypatch.setattr(publish, "publish", publish_one)
    told = []
    outcomes = runner.bring_up_to_date([stale] * 10_000, 1, lambda state, outcome: told.append(outcome))
    assert told == outcomes
    assert Counter(outcome.state for outcome in outcomes) == {"ok": 9_900, "failed": 66, "unusable": 34}
    assert runner.exit_status(outcomes) == 1


def test_a_broken_run_file_does_not_stop_the_others_that_are_named(root):
    write(root, {"params/runs/bad.yml": "project: [\n"})
    answer = run(root, "--project", "demo", "--project", "bad", "--force")
    assert (answer.status, answer.out.split(":")[0]) == (1, "demo 2024")
    assert answer.err.count("params/runs/bad.yml:2: is not YAML here") == 1
    assert run(root, "--project", "bad").status == 2
    assert run(root, "--project", "demo").status == 0


def test_a_root_may_have_braces_in_its_name(tmp_path):
    root = make_root(tmp_path / "br{a}ce", chapters=(CHAPTER,))
    assert run(root).status == 0
