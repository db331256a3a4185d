"""The command writes what is asked for, over nobody's edits, and says in a sentence what it cannot make."""

import json
import shutil
import subprocess
import sys

import docx
import pytest

from csat_analysis.ground.words import speak
from publishing import RUN_FILE, csat, make_root, run, run_file, snapshot, write

FILES = ["2024.notice.en.docx", "2024.report.en.docx", "2024.slides.en.pptx"]


@pytest.fixture
def root(published, tmp_path):
    """Return a copy of it, to change."""
    return shutil.copytree(published, tmp_path / "root")


def report(root, *arguments):
    """Return what the command answers."""
    return csat("report", "--root", root, *arguments)


def written(root, folder="reports/demo/documents"):
    """Return the names of the documents in a folder."""
    return sorted(path.name for path in (root / folder).glob("*"))


def test_all_documents_are_written_in_the_language_of_the_run_file(root):
    answer = report(root)
    assert (answer.status, answer.err) == (0, "")
    assert written(root) == FILES
    assert answer.out.count(": written\n") == 3


def test_kinds_and_languages_are_chosen(root):
    assert report(root, "--kind", "notice", "--language", "zh", "--language", "en", "-q").out == ""
    assert written(root) == ["2024.notice.en.docx", "2024.notice.zh.docx"]


def test_another_folder_is_made_and_names_the_project(root, tmp_path):
    assert report(root, "--kind", "notice", "--to", tmp_path / "out" / "there").status == 0
    assert written(tmp_path, "out/there") == ["demo.2024.notice.en.docx"]
    assert written(root) == []


def test_nothing_else_is_touched(root):
    before = snapshot(root)
    report(root)
    after = {name: there for name, there in snapshot(root).items() if "/documents" not in name}
    for each in (before, after):
        each.pop("reports/.digests.json", None)  # what is remembered of files
    assert after == before


def test_two_roots_give_the_same_bytes(root, published, tmp_path):
    other = shutil.copytree(published, tmp_path / "other")
    report(root)
    report(other)
    assert snapshot(root / "reports/demo/documents") == snapshot(other / "reports/demo/documents")


# --- what people edited -----------------------------------------------------------------------------------------------


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(root):
    report(root, "--kind", "report")
    path = root / "reports/demo/documents/2024.report.en.docx"
    path.write_bytes(b"edited by hand")
    answer = report(root)
    assert answer.status == 1 and path.read_bytes() == b"edited by hand"
    assert answer.err == (
        "reports/demo/documents/2024.report.en.docx: is there already, and may have been edited by hand; move it, name "
        "another folder (--to), or replace it (--force).\n"
    )
    assert written(root) == FILES, "the others are made"
    assert report(root, "--force").status == 0 and path.read_bytes() != b"edited by hand"


def test_a_run_anew_leaves_the_documents(root):
    report(root)
    before = snapshot(root / "reports/demo/documents")
    assert run(root, "--force").status == 0
    assert snapshot(root / "reports/demo/documents") == before


# --- what cannot be made ----------------------------------------------------------------------------------------------


def test_a_run_that_was_never_made_is_told(tmp_path):
    answer = report(make_root(tmp_path))
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == (
        "demo 2024: was never run, and there is no record to make documents from; "
        "csat run --project demo --period 2024 first.\n"
    )


def test_the_others_are_made_where_one_has_no_record(root):
    write(
        root,
        {
            "params/runs/other.yml": run_file("other", "2024"),
            "data/other/2024/responses.csv": "form_id,delivery,service\n",
        },
    )
    answer = report(root, "--kind", "notice")
    assert answer.status == 1 and "other 2024: was never run" in answer.err
    assert written(root) == ["2024.notice.en.docx"]


def test_a_stale_record_is_used_and_told_in_the_document_too(root):
    (root / "data/demo/2024/responses.csv").open("a").write("r4,fair,fair\n")
    answer = report(root, "--kind", "report")
    assert answer.status == 0
    assert "demo 2024: has changed since its last run (data data/demo/2024/responses.csv changed)" in answer.err
    document = docx.Document(root / "reports/demo/documents/2024.report.en.docx")
    assert speak("en")("document.stale") in [line.text for line in document.paragraphs]


def test_a_record_of_another_edition_is_told(root):
    path = root / "reports/demo/2024/record.json"
    record = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({key: value for key, value in record.items() if key != "modes"}), "utf-8")
    answer = report(root)
    assert answer.status == 2 and "reports/demo/2024/record.json: was written by another edition" in answer.err


def test_a_procedure_whose_questions_changed_is_told(root):
    path = root / "params/programmes/demo.yml"
    path.write_text(path.read_text("utf-8").replace("service", "support"), "utf-8")
    answer = report(root)
    assert answer.status == 2 and "the procedure's file has changed since (items: service)" in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "poster"), "'poster' is no document; use one of ['report', 'slides', 'notice']."),
        (("--language", "de"), "'de' is not a language here"),
        (("--project", "nobody"), "--project: 'nobody' is not a project"),
        (("--period", "2023"), "--period: '2023' is not a period there"),
    ],
)
def test_a_wrong_call_is_a_sentence(root, arguments, said):
    answer = report(root, *arguments)
    assert answer.status == 2 and said in " ".join(answer.err.replace("│", " ").split())


def test_a_folder_that_is_a_file_is_told(root, tmp_path):
    (tmp_path / "out").write_text("a file")
    answer = report(root, "--to", tmp_path / "out", "--kind", "notice")
    assert answer.status == 1 and "cannot be written (" in answer.err


# --- the run file -----------------------------------------------------------------------------------------------------

DOCUMENT = "document: {number: QR-1, version: A/0, prepared_by: 周编制}\n"


def test_number_and_names_come_from_the_run_file_and_leave_the_pages_fresh(root):
    write(
        root,
        {
            "params/runs/demo.yml": DOCUMENT
            + RUN_FILE.replace("as_of: 2025-01-10", "as_of: 2025-01-10, document: {version: B}")
        },
    )
    answer = report(root, "--kind", "report")
    assert (answer.status, answer.err) == (0, "")
    cover, signed = docx.Document(root / "reports/demo/documents/2024.report.en.docx").tables[:2]
    shown = {row.cells[0].text: row.cells[1].text for row in cover.rows}
    assert (shown["Document number"], shown["Version"]) == ("QR-1", "B")
    assert signed.cell(1, 1).text == "周编制"


def test_the_next_period_of_the_run_file_is_in_the_notice(root):
    write(root, {"params/runs/demo.yml": RUN_FILE + '  "2025": {as_of: 2026-01-10}\n'})
    report(root, "--period", "2024", "--kind", "notice")
    said = [line.text for line in docx.Document(root / "reports/demo/documents/2024.notice.en.docx").paragraphs]
    assert "The next survey is that of 2025." in said


# --- what waits for nothing -------------------------------------------------------------------------------------------


def test_whoever_does_not_ask_for_documents_imports_no_library_that_makes_them():
    code = (
        "import sys; from csat_analysis import cli, runner, warm; from csat_analysis.documents import dispatch;"
        "print(*({'docx', 'pptx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
