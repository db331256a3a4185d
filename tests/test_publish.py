"""A folder of pages is whole or as it was before; it holds no clock and no path of this machine, and comes out the same."""

import csv
import datetime as dt
import hashlib
import io
import json
import multiprocessing
import os
import re
import resource
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

import nbformat
import openpyxl
import pytest

from csat_analysis.execution import freshness
from csat_analysis.ground import params
from publishing import (
    CHECKOUT,
    COUNTED,
    PARAMETERS,
    RESPONSES,
    RUN_FILE,
    Answer,
    Page,
    chapter,
    make_root,
    manifest,
    process,
    programme,
    record,
    run,
    snapshot,
    state,
    write,
)

CHAPTER = "20_satisfaction"
PAGES = "reports/demo/2024"
DATA = "data/demo/2024/responses.csv"
DRAWN = chapter(
    "from csat_analysis import assessment, exhibits, figures, ledger, load\nresult = assessment.assess(load.survey(project, period, root))",
    "figures.answers(result, language)",
    "ledger.rejected_table(result.survey, language)",
)
DUTIES = """\
clauses: [{id: "5.2", title: Return rate}, {id: "5.3", title: Reminders}]
steps: [{id: survey, title: Survey, every: quarter, clause: "5.2"}]
"""
FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", '=HYPERLINK("http://x.org")', "http://x.org", "'=1", "{=1}"]


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- the same again, anywhere ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Return a root with a chapter that loads, draws and lists what was rejected, published; its data looks like formulas."""
    quoted = ['"' + text.replace('"', '""') + '"' for text in FORMULAS]
    files = {
        f"notebooks/{CHAPTER}.ipynb": DRAWN,
        "params/programmes/demo.yml": programme(CHAPTER) + DUTIES,
        "params/runs/demo.yml": RUN_FILE + "groups: [segment]\n",
        DATA: "form_id,delivery,service,segment\nr1,satisfied,fair,东区\n"
        + "".join(f"o{number},{text},fair,{text}\n" for number, text in enumerate(quoted)),
    }
    root = make_root(tmp_path_factory.mktemp("drawn") / "一个 folder", files)
    assert run(root).status == 0
    return root


@pytest.mark.slow
def test_another_process_in_another_folder_time_zone_and_encoding_gives_the_same_bytes(drawn, tmp_path):
    """The other one executes the chapter in a kernel, too."""
    root = shutil.copytree(drawn, tmp_path / "another folder")
    elsewhere = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = process("run", "--root", root, "--force", "--kernel", "plain", "--jobs", "1", env=elsewhere)
    assert done.communicate(timeout=120)[1] == ""
    assert done.returncode == 0
    before, after = snapshot(drawn / PAGES), snapshot(root / PAGES)
    assert {name for name in before if before[name] != after[name]} == {"manifest.json"}
    assert before.keys() == after.keys() == {
        "record.json", "rejected.csv", "tables.xlsx", "manifest.json", f"{CHAPTER}.en.html", f"{CHAPTER}.en.ipynb",
    }  # fmt: skip


@pytest.mark.parametrize("name", [f"{CHAPTER}.en.ipynb", f"{CHAPTER}.en.html", "record.json", "rejected.csv"])
def test_no_clock_and_no_path_of_this_machine_leaves_the_house(drawn, name):
    text = (drawn / PAGES / name).read_text("utf-8")
    text = re.sub(r"base64,[\w+/=]+", "", text)
    assert re.findall(r"\d\d:\d\d|duration|start_time", text) == []
    today = {dt.datetime.now(zone).date().isoformat() for zone in (None, dt.UTC)}
    assert [day for day in today if day in text] == []
    machine = [drawn, CHECKOUT, sys.prefix, tempfile.gettempdir(), Path.home()]
    assert [str(each) for each in machine if str(each) in text] == []


def test_an_executed_notebook_says_with_what_it_was_executed_and_is_whole(drawn):
    notebook = nbformat.read(drawn / PAGES / f"{CHAPTER}.en.ipynb", as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    [injected] = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    values = dict(line.split(" = ") for line in injected.source.splitlines() if not line.startswith("#"))
    assert values == {"project": '"demo"', "period": '"2024"', "language": '"en"', "root": '""'}
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert "papermill" not in notebook.metadata
    assert {key for cell in notebook.cells for key in cell.metadata} <= {"tags"}


def test_the_notebook_of_the_root_is_left_as_it_was(drawn):
    assert (drawn / f"notebooks/{CHAPTER}.ipynb").read_text("utf-8") == DRAWN


# --- the workbook and the rejections ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workbook(drawn):
    """Return the workbook as a spreadsheet opens it."""
    return openpyxl.load_workbook(drawn / PAGES / "tables.xlsx")


EXPLAINING = {"about", "dictionary", "names"}


def test_the_workbook_has_a_sheet_for_every_table_that_has_rows(drawn, workbook):
    content = record(drawn)
    tables = {name: rows for name, rows in content.items() if isinstance(rows, list) and rows}
    assert set(workbook.sheetnames) == {*tables, *EXPLAINING} - {"within", "findings"}
    assert {"triggers", "strata", "comparisons"} & set(workbook.sheetnames) == set()  # this run has none
    for name in set(workbook.sheetnames) - EXPLAINING:
        head, *rows = workbook[name].iter_rows(values_only=True)
        assert head == tuple(content[name][0])
        assert workbook[name].freeze_panes == "B2"
        for row, wanted in zip(rows, content[name], strict=True):
            for cell, value in zip(row, wanted.values(), strict=True):
                assert shown(cell) == (pytest.approx(value, rel=1e-15) if isinstance(value, float) else said(value))


def shown(cell):
    """Return a date as the record has it."""
    return cell.date().isoformat() if isinstance(cell, dt.datetime) else cell


def said(value):
    """Return titles as they stand in one cell."""
    return "; ".join(value.values()) if isinstance(value, dict) else value


def test_a_cell_is_shown_in_the_unit_of_its_figure(workbook):
    rows = {row[0].value: row for row in workbook["measures"].iter_rows()}
    assert rows["return_rate"][1].number_format == "0.00%"
    assert rows["weighted_score"][1].number_format == "0.00"
    columns = {cell.value: cell.column_letter for cell in workbook["items"][1]}
    assert workbook["items"][f"{columns['mean']}2"].number_format == "0.00"
    assert workbook["items"][f"{columns['n']}2"].number_format == "General"


def test_every_column_is_explained_in_both_languages_and_every_figure_has_its_name(workbook):
    told = {row[:2]: row[2:] for row in workbook["dictionary"].iter_rows(values_only=True)}
    for name in set(workbook.sheetnames) - EXPLAINING:
        for head in next(workbook[name].iter_rows(values_only=True)):
            assert all(told[name, head][1:]), (name, head)
    names = {row[0]: row[1:] for row in workbook["names"].iter_rows(values_only=True)}
    assert names["return_rate"] == ("回收率", "Return rate") and names["delivery"] == ("交货", "Delivery")
    sheets = [row[0] for row in workbook["about"].iter_rows(values_only=True) if row[0] in workbook.sheetnames]
    assert sheets == [name for name in workbook.sheetnames if name not in EXPLAINING]


def test_no_text_becomes_a_formula_or_a_link(workbook):
    cells = [cell for sheet in workbook for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b", "d"}
    assert [cell.coordinate for cell in cells if cell.hyperlink] == []
    [levels] = [column for column in workbook["groups"].columns if column[0].value == "level"]
    assert {cell.value for cell in levels} >= set(FORMULAS)


def test_the_workbook_bears_the_date_of_the_report(workbook):
    assert workbook.properties.created == dt.datetime(2025, 1, 10)


def test_all_rejections_are_in_a_table_of_their_own(drawn):
    rows = list(csv.DictReader(io.StringIO((drawn / PAGES / "rejected.csv").read_text("utf-8"))))
    listed = record(drawn)["rejected"]
    assert rows == [{key: "" if value is None else str(value) for key, value in row.items()} for row in listed]
    assert [row["value"] for row in rows] == [""] * len(FORMULAS)  # none could be a level, a number or a date


# --- forms to be completed ----------------------------------------------------------------------------------------------

VOIDING = programme().replace(
    "gates:\n",
    "gates:\n  - {measure: invalid_rate, comparison: at_most, threshold: 0.3, clause: '6', voids: unless_remedied}\n",
)
BLANK = "form_id,customer_id,delivery,service,building\nr1,c1,satisfied,fair,B\nr2,c2,,,B\nr3,c3,,,A\n"


@pytest.fixture
def remedied(tmp_path):
    """Return a root of a survey with too many blank forms, published."""
    files = {
        "params/programmes/demo.yml": VOIDING, DATA: BLANK,
        "params/runs/demo.yml": RUN_FILE + "design: {stratum: building}\n",
    }  # fmt: skip
    root = make_root(tmp_path, files)
    assert run(root).status == 0
    return root


def test_where_a_remedy_is_due_the_forms_to_be_completed_are_listed_without_their_customers(remedied):
    assert record(remedied)["status"] == "remedy_due"
    text = (remedied / PAGES / "remedy.csv").read_text("utf-8")
    assert text == "form_id,stratum,row,count,reason\nr3,A,4,1,blank\nr2,B,3,1,blank\n"
    assert "remedy.csv" in manifest(remedied)["files"]


def test_once_the_forms_are_completed_there_is_no_list_of_them(remedied):
    write(remedied, {DATA: BLANK.replace("r2,c2,,", "r2,c2,fair,")})
    assert run(remedied).status == 0
    assert record(remedied)["status"] == "reportable"
    assert not (remedied / PAGES / "remedy.csv").exists()


# --- the manifest -----------------------------------------------------------------------------------------------------


def test_the_manifest_has_the_checksum_of_everything_it_was_made_from(drawn):
    key = manifest(drawn)["key"]
    assert key["programme"] == digest(drawn / "params/programmes/demo.yml") == record(drawn)["programme"]["sha256"]
    inputs = {f"data {each['file']}": each["sha256"] for each in record(drawn)["inputs"]}
    assert inputs == {f"data {DATA}": digest(drawn / DATA)}
    assert key.keys() == {"programme", "run file", "package", "software", f"notebook {CHAPTER}", *inputs}
    assert inputs.items() <= key.items()
    assert [value for value in key.values() if not re.fullmatch(r"[0-9a-f]{64}", value)] == []


def test_the_manifest_has_the_checksum_and_the_state_of_every_page(drawn):
    made, folder = manifest(drawn), drawn / PAGES
    assert made["files"] == {path.name: digest(path) for path in folder.iterdir() if path.name != "manifest.json"}
    assert made["chapters"] == {f"{CHAPTER}.en.html": "ok"}
    assert (made["state"], made["failures"], made["languages"]) == ("ok", {}, ["en"])
    finished = dt.datetime.fromisoformat(made["finished"])
    assert dt.timedelta() <= dt.datetime.now(dt.UTC) - finished < dt.timedelta(hours=1)
    assert made["host"] == os.uname().nodename
    assert made["software"] == record(drawn)["software"]


def test_every_table_that_was_read_is_an_input(tmp_path):
    tables = {
        "distribution": "form_id,disposition\nr1,returned\nr2,returned\nr3,returned\nr4,refused\n",
        "frame": "customer_id\nc1\nc2\nc3\nc4\nc5\n",
        "complaints": "complaint_id,received_on\nk1,2024-05-01\n",
        "deliveries": "count\n80\n",
        "steps": "step,reason\nreturn_rate,a box was lost\n",
    }
    root = make_root(tmp_path, {f"data/demo/2024/{name}.csv": text for name, text in tables.items()})
    assert run(root).status == 0
    inputs = {each["table"]: each for each in record(root)["inputs"]}
    assert inputs.keys() == {*tables, "responses"}
    assert {name: each["rows"] for name, each in inputs.items()} == {
        "distribution": 4, "frame": 5, "complaints": 1, "deliveries": 1, "responses": 3, "steps": 1,
    }  # fmt: skip
    for each in inputs.values():
        assert each["sha256"] == digest(root / each["file"]) == manifest(root)["key"][f"data {each['file']}"]


# --- which notebook, with which parameters ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters",
    [
        PARAMETERS.replace("period", "perod"),
        PARAMETERS.replace('root: str = ""\n', ""),
        PARAMETERS + "alpha: float = 0.05\n",
        PARAMETERS.replace("root: str", "root: str | None"),
        "",
    ],
    ids=["misspelt", "missing", "one more", "invisible to papermill", "none"],
)
def test_parameters_are_compared_before_anything_is_executed(parameters, tmp_path):
    notebook = chapter('open("executed", "w").close()', parameters=parameters)
    root = make_root(tmp_path, {f"notebooks/{CHAPTER}.ipynb": notebook}, chapters=(CHAPTER,))
    write(root, {f"notebooks/{CHAPTER}.ipynb": notebook})
    answer = run(root)
    assert answer.status == 2
    assert answer.err.startswith(f"notebooks/{CHAPTER}.ipynb: its parameters are [")
    assert not (root / "executed").exists()
    assert not (root / "reports").exists()


def test_a_root_s_own_notebook_comes_before_the_shipped_one(tmp_path):
    root = make_root(tmp_path)
    document = params.read_programme(root / "params/programmes/demo.yml", root)
    assert freshness.chapter_path(root, document.path.name, CHAPTER) == CHECKOUT / "notebooks" / f"{CHAPTER}.ipynb"
    write(root, {f"notebooks/{CHAPTER}.ipynb": COUNTED})
    assert freshness.chapter_path(root, document.path.name, CHAPTER) == root / "notebooks" / f"{CHAPTER}.ipynb"


# --- what fails -------------------------------------------------------------------------------------------------------


def in_setup(notebook: str) -> str:
    """Return a notebook whose first cell after the parameters is its set-up, as in the chapters."""
    content = json.loads(notebook)
    content["cells"][2]["metadata"]["tags"] = ["setup"]
    return json.dumps(content)


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """Return what is kept of a run of two chapters, one of which fails in its set-up."""
    files = {"params/programmes/demo.yml": programme("10_fieldwork", CHAPTER)}
    root = make_root(tmp_path_factory.mktemp("failed"), files, chapters=("10_fieldwork", CHAPTER))
    write(root, {f"notebooks/{CHAPTER}.ipynb": in_setup(chapter('raise ValueError("no such <b>table</b>")', "1"))})
    assert run(root).status == 1
    return root / PAGES / "failed"


def test_a_chapter_that_fails_in_its_set_up_says_so_on_its_page(failed):
    page = Page((failed / f"{CHAPTER}.en.html").read_text("utf-8"))
    assert "ValueError" in page.texts
    assert "no such <b>table</b>" in page.texts


@pytest.mark.parametrize("name", [f"{CHAPTER}.en.html", "10_fieldwork.en.html"])
def test_links_of_what_failed_lead_to_files_that_exist(failed, name):
    links = [unquote(link) for link in Page((failed / name).read_text("utf-8")).links()]
    assert len(links) == 2  # the portal, the other chapter
    assert [link for link in links if not (failed / link).is_file()] == []


# --- all or nothing ---------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path):
    """Return a root whose run is its numbers, published, and with other data since."""
    folder = make_root(tmp_path / "root")
    assert run(folder).status == 0
    return write(folder, {DATA: RESPONSES + "r4,fair,fair\n"})


@pytest.mark.parametrize("place", ["reports", "reports/demo", "reports/demo/2024"])
def test_a_file_where_a_folder_belongs_is_a_sentence_and_stays(place, tmp_path):
    root = make_root(tmp_path, {place: "mine"})
    answer = run(root)
    assert answer.status == 1
    assert re.search(
        r"/reports\S*: (is a file where the pages of this run belong; move it away|cannot be written)", answer.err
    )
    assert (root / place).read_text() == "mine"


def limit(size: int) -> None:
    """Let no file of this process grow beyond a size, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def run_with_little_room(root: Path, size: int) -> Answer:
    """Return what the command answers where no file may grow beyond a size."""
    with multiprocessing.get_context("fork").Pool(1, limit, (size,)) as pool:
        return pool.apply(run, (root,))


def unchanged(before: dict[str, str], folder: Path) -> bool:
    """Return whether everything that was there is there still, and no folder besides."""
    after = snapshot(folder)
    return {name: after.get(name) for name in before} == before and "folder" not in {
        kind for name, kind in after.items() if name not in before
    }


@pytest.mark.parametrize("chapters", [(), (CHAPTER,)], ids=["numbers", "a chapter"])
def test_a_full_disk_is_a_sentence_and_leaves_the_old_pages_whole(root, chapters):
    before = snapshot(root / "reports")
    write(root, {"params/programmes/demo.yml": programme(*chapters), f"notebooks/{CHAPTER}.ipynb": COUNTED})
    answer = run_with_little_room(root, 1000)
    assert answer.status == 1
    assert "cannot be written (File too large); check space and permissions." in answer.err
    assert unchanged(before, root / "reports")


def test_a_disk_that_is_full_when_the_portal_is_written_leaves_the_old_portal_whole(root):
    before = snapshot(root / "reports")
    answer = run_with_little_room(root, 20_000)
    assert answer.status == 1
    assert answer.err.endswith("reports: the portal cannot be written (File too large); check space and permissions.\n")
    after = snapshot(root / "reports")
    assert after["demo/2024/record.json"] != before["demo/2024/record.json"]
    assert [name for name in before if name.startswith("index") and after[name] != before[name]] == []
    assert state(root) == "fresh"


def test_pages_moved_aside_by_a_process_that_was_killed_are_put_back(root):
    write(root, {DATA: RESPONSES})
    before = snapshot(root / PAGES)
    (root / PAGES).rename(root / "reports/demo/.2024.0ld70ken.old")
    (root / "reports/demo/.2024.x1y2.work").mkdir()
    assert run(root).out == "demo 2024: skipped (fresh)\n"
    assert snapshot(root / PAGES) == before
    assert [path.name for path in (root / "reports/demo").iterdir() if path.is_dir()] == ["2024"]


def test_what_somebody_else_put_there_stays(root):
    kept = [".2024.notes", ".2023.1.old", "2024.x1y2.work"]
    for name in kept:
        (root / "reports/demo" / name).mkdir()
    assert run(root).status == 0
    assert {path.name for path in (root / "reports/demo").iterdir() if path.is_dir()} == {"2024", *kept}


def test_new_pages_take_the_place_of_the_old_ones_whole(root):
    write(root, {f"{PAGES}/10_fieldwork.zh.html": "<p>of a chapter that is no more</p>", f"{PAGES}/notes.txt": "mine"})
    assert run(root).status == 0
    assert {path.name for path in (root / PAGES).iterdir()} == {
        "record.json",
        "rejected.csv",
        "tables.xlsx",
        "manifest.json",
    }
    assert record(root)["counts"]["returned"] == 4
    assert (root / PAGES).is_dir() and not (root / PAGES).is_symlink()


def test_a_run_file_with_other_words_gives_the_same_figures(root):
    assert run(root).status == 0
    before = record(root)
    write(root, {"params/runs/demo.yml": RUN_FILE.replace("{zh: 示例, en: Demo}", "Riverside")})
    assert run(root).status == 0
    assert {**record(root), "title": before["title"]} == before
