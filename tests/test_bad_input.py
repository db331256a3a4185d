"""What stops a run says so in a sentence with its place and a way out; nothing is written, and no traceback is seen.

All sentences stand in ``messages.txt``. To renew it after a change: ``python tests/test_bad_input.py``, and read the diff.
"""

import io
import re
import tempfile
from pathlib import Path

import pandas as pd
import pytest

from publishing import (
    PARAMETERS,
    PROGRAMME,
    RUN_FILE,
    chapter,
    csat,
    make_root,
    programme,
    record,
    run,
    snapshot,
)

MESSAGES = Path(__file__).with_name("messages.txt")
DATA, RULES, RUN = "data/demo/2024/responses.csv", "params/programmes/demo.yml", "params/runs/demo.yml"
FORMS = "form_id,delivery,service\nr1,satisfied,fair\n"
OLD = {"reports/demo/2024/record.json": "{}", "reports/demo/2024/20_satisfaction.en.html": "<p>the last good page</p>"}


def rules(old: str, new: str) -> dict[str, str]:
    """Return the procedure with one thing replaced."""
    text = programme()
    assert text.count(old) == 1, old
    return {RULES: text.replace(old, new)}


def added(lines: str) -> dict[str, str]:
    """Return the procedure with lines added."""
    return rules("grades:", f"{lines}\ngrades:")


def runs(old: str = "", new: str = "", more: str = "") -> dict[str, str]:
    """Return the run file with one thing replaced, or lines added."""
    assert not old or RUN_FILE.count(old) == 1, old
    return {RUN: RUN_FILE.replace(old, new) + more if old else RUN_FILE + more}


def table(name: str, text: str) -> dict[str, str]:
    """Return a table beside the responses."""
    return {f"data/demo/2024/{name}.csv": text}


def notebook(text: str, name: str = "20_satisfaction") -> dict[str, str]:
    """Return a chapter and the procedure that names it."""
    return {RULES: programme(name), f"notebooks/{name}.ipynb": text}


def workbook(sheet: str) -> bytes:
    """Return a workbook with one sheet."""
    buffer = io.BytesIO()
    pd.DataFrame({"form_id": ["r1"], "delivery": ["fair"], "service": ["fair"]}).to_excel(
        buffer, sheet_name=sheet, index=False
    )
    return buffer.getvalue()


CASES = {
    # --- tables: who delivers them ---
    "no responses": {DATA: None},
    "an empty file": {DATA: ""},
    "a file of blanks": {DATA: "\n \n"},
    "headers and no rows": {DATA: "form_id,delivery,service\n"},
    "neither UTF-8 nor GB18030": {DATA: "form_id,délivery\n".encode("utf-16")},
    "a stray byte": {DATA: FORMS.encode() + b"r2,\xff,fair\n"},
    "no column for an item": {DATA: "form_id,delivery\nr1,fair\n"},
    "no form_id and no count": {DATA: "delivery,service\nfair,fair\n"},
    "a frame without customer_id": table("frame", "name\nLi\n"),
    "a distribution without form_id": table("distribution", "channel\npost\n"),
    "complaints without complaint_id": table("complaints", "received_on\n2024-05-01\n"),
    "deliveries of nothing": table("deliveries", "count\n"),
    "steps without step": table("steps", "done_on,evidence\n2024-05-01,minutes\n"),
    "a header twice": {DATA: "form_id,delivery,service,service\nr1,fair,fair,fair\n"},
    "semicolons": {DATA: "form_id;delivery;service\nr1;fair;fair\n"},
    "a quote that is not closed": {DATA: FORMS + 'r2,"fair,fair\n'},
    "two files of one table": {"data/demo/2024/responses.xlsx": workbook("Sheet1")},
    "no workbook": {DATA: None, "data/demo/2024/responses.xlsx": "form_id,delivery\n"},
    "no Parquet": {DATA: None, "data/demo/2024/responses.parquet": "form_id,delivery\n"},
    "no such sheet": {DATA: None, "data/demo/2024/a.xlsx": workbook("Sheet1"), **runs(more="read: {responses: {file: a.xlsx, sheet: answers}}\n")},
    "no such file": runs(more="read: {responses: {file: survey.csv}}\n"),
    "a file of another kind": runs(more="read: {responses: {file: survey.sav}}\n"),
    "a file outside the folder": runs(more="read: {responses: {file: ../../../../secret.csv}}\n"),
    "an absolute file": runs(more="read: {responses: {file: /etc/passwd.csv}}\n"),
    "no such header": runs(more="read: {responses: {columns: {delivery: Q7}}}\n"),
    "no such header to choose rows by": runs(more="read: {responses: {where: {SITE: A}}}\n"),
    "a stratum that is no column": runs(more="design: {stratum: building}\n"),
    "a group with a name of ours": runs(more="groups: [score]\n"),
    "distribution and count disagree": table("distribution", "form_id\nr1\nr2\n"),
    "frame and count disagree": {**table("frame", "customer_id\nc1\n"), **runs("counts: {", "counts: {frame: 300, ")},
    "deliveries and count disagree": {**table("deliveries", "count\n5\n"), **runs("counts: {", "counts: {deliveries: 80, ")},
    "complaints and count disagree": {**table("complaints", "complaint_id\nk1\n"), **runs("counts: {", "counts: {complaints: 2, ")},
    # --- run files: who writes YAML ---
    "an empty run file": {RUN: ""},
    "a run file of another encoding": {RUN: RUN_FILE.encode("utf-16")},
    "a tab": runs("  \"2024\"", "\t\"2024\""),
    "a key twice": runs(more="programme: demo\n"),
    "a period twice": runs(more='  "2024": {as_of: 2025-01-10}\n'),
    "a bracket that is not closed": runs(more="groups: [a\n"),
    "an entry that holds itself": {RUN: "&a [*a]\n"},
    "an unknown key": runs(more="programm: demo\n"),
    "an unknown key of a period": runs("as_of:", "as_off:"),
    "an unknown count": runs("distributed:", "distribted:"),
    "a missing key": runs("programme: demo\n", "language: en\n"[:0]),
    "a period that is none": runs('"2024":', '"2024Q9":'),
    "a period that leaves the folder": runs('"2024":', '"../2024":'),
    "a project that leaves the folder": runs("project: demo", "project: ../demo"),
    "a project of another name": runs("project: demo", "project: yuanya"),
    "a programme that is none": runs("programme: demo", "programme: proprety"),
    "a programme that leaves the folder": runs("programme: demo", "programme: ../demo"),
    "a version that is none": runs("programme: demo", "programme: demo@7"),
    "a programme that is broken": {RULES: "id: [\n"},
    "a language that is none": runs("language: en", "language: fr"),
    "a date that is none": runs("2025-01-10", "2025-02-30"),
    "a date that is a word": runs("2025-01-10", "soon"),
    "a report before its period": runs("2025-01-10", "2023-12-31"),
    "a project that no folder of Windows can be": runs("project: demo", "project: Con"),
    "a project with a slash": runs("project: demo", "project: a/b"),
    "a project with a space": runs("project: demo", "project: a b"),
    "a project with a picture": runs("project: demo", "project: demo😀"),
    "a baseline that is none": runs("as_of:", 'baseline: "2023", as_of:'),
    "a baseline that is no earlier": runs("as_of:", 'baseline: "2024", as_of:'),
    "forms that decided of no baseline": runs("as_of:", "decided_on: {half: [A]}, as_of:"),
    "forms that decided without values": runs("as_of:", "decided_on: half, as_of:"),
    "a negative count": runs("distributed: 4", "distributed: -4"),
    "a target on nothing": runs(more="targets: {happiness: 0.9}\n"),
    "text where a mapping belongs": runs(more="design: building\n"),
    "a unit that is no list": runs(more="within: South\n"),
    "a unit without a name": runs(more="within: [{}]\n"),
    "no periods": runs('\n  "2024": {as_of: 2025-01-10, counts: {distributed: 4}}', " {}"),
    # --- programmes ---
    "an empty programme": {RULES: ""},
    "a misspelt key of a gate": rules("threshold: 0.70", "treshold: 0.70"),
    "a comparison that is none": rules("comparison: at_least", "comparison: from"),
    "a threshold that is a word": rules("threshold: 0.70", "threshold: most"),
    "a gate on nothing": rules("measure: return_rate", "measure: happiness"),
    "a gate with a clause and an assumption": rules('clause: "5.2"', 'clause: "5.2", source: assumption'),
    "an index of nothing": rules("index: {weighted_score: 1}", "index: {joy: 1}"),
    "grades in disorder": rules("lower: 85", "lower: 60"),
    "grades without an index": rules("index: {weighted_score: 1}\n", ""),
    "an item twice": rules("id: service", "id: delivery"),
    "an item id that leaves the folder": rules("id: service", 'id: "../service"'),
    "points for an unknown level": rules("{zh: 服务, en: Service}", "{zh: 服务}, points: {great: 1}"),
    "a satisfied level that is none": rules("levels: [satisfied]", "levels: [happy]"),
    "a satisfied form by an unknown item": rules("item: delivery", "item: price"),
    "a satisfied form without its item": rules("reading: item, item: delivery", "reading: item"),
    "a schedule instead of steps": added("schedule: [{id: survey, title: Survey, every: year}]"),
    "a step at an interval that is none": added("steps: [{id: survey, title: Survey, every: week}]"),
    "a step so many months before nothing": added("steps: [{id: plan, title: Plan, months: 1}]"),
    "a step before one that is none": added("steps: [{id: plan, title: Plan, before: survey}]"),
    "a step before itself": added("steps: [{id: plan, title: Plan, before: plan}]"),
    "a step with the name of a measure": added("steps: [{id: return_rate, title: Return rate}]"),
    "a step that leaves a register that is none": added("steps: [{id: plan, title: Plan, record: minutes}]"),
    "a register with the name of a step": added("steps: [{id: plan, title: Plan}]\nregisters: [{id: plan, title: Plan}]"),
    "a register twice": added("registers: [{id: minutes, title: Minutes}, {id: minutes, title: Minutes}]"),
    "a clause that is cited and not listed": added('clauses: [{id: "5.2", title: Return rate}]'),
    "a clause twice": added('clauses: [{id: "5.2", title: A}, {id: "5.2", title: B}, {id: "5.3", title: C}]'),
    "a valid form by more than all questions": added("validity: {min_share: 60}"),
    "a contradiction of one question": added("validity: {contradictions: [{id: clash, title: Clash, answers: {delivery: [fair]}}]}"),
    "a contradiction of a question that is none": added(
        "validity: {contradictions: [{id: clash, title: Clash, answers: {delivery: [fair], price: [fair]}}]}"
    ),
    "full points of nothing": added("full_points: {value: 0}"),
    "a programme id of another name": rules("id: demo", "id: demonstration"),
    # --- notebooks ---
    "a chapter that is none": {RULES: programme("25_change")},
    "a chapter that leaves the folder": {RULES: programme("../../20_satisfaction")},
    "a chapter that is no notebook": notebook("# Satisfaction\n"),
    "a chapter that is JSON and no notebook": notebook("[]\n"),
    "a chapter of an unfinished save": notebook('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}'),
    "a chapter without parameters": notebook(chapter("1", parameters="import this")),
    "a chapter with a misspelt parameter": notebook(chapter("1", parameters=PARAMETERS.replace("period", "perod"))),
    "a chapter with one parameter more": notebook(chapter("1", parameters=PARAMETERS + "alpha: float = 0.05\n")),
}  # fmt: skip


def answer(case: str, folder: Path) -> tuple[int, str]:
    """Return status and sentences of a run of a case, the folder's own path taken out; nothing may be written."""
    root = make_root(folder, {**OLD, **CASES[case]})
    before = snapshot(folder)
    ended = run(root)
    assert snapshot(folder) == before, case
    assert ended.out in ("", "demo 2024: unusable\n"), case
    return ended.status, ended.err.replace(str(folder), "ROOT")


def told() -> dict[str, str]:
    """Return the sentences of the snapshot, by case."""
    parts = re.split(r"^## (.+)\n", MESSAGES.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("case", CASES)
def test_what_stops_a_run_says_where_and_what_would_be_right_and_writes_nothing(case, tmp_path):
    status, sentences = answer(case, tmp_path / "root")
    assert status == 2
    assert f"{sentences}\n" == told()[case]


def test_the_snapshot_holds_the_cases_and_no_others():
    assert list(told()) == list(CASES)


def test_every_sentence_has_a_place_a_fault_and_a_way_out():
    lines = [line for sentences in told().values() for line in sentences.splitlines() if line]
    assert len(lines) >= len(CASES)
    for line in lines:
        place, _, rest = line.partition(": ")
        assert re.match(r"(data|params|notebooks)/|ROOT/params/runs$|demo.yml$", place), line
        assert re.search(r"[;.,)] .+\.$|needs the key .+\.$", rest), line


@pytest.mark.parametrize(
    "case", ["no responses", "a stray byte", "an unknown key", "a programme that is none", "a gate on nothing"]
)
def test_check_says_the_same_and_ends_with_1(case, tmp_path):
    root = make_root(tmp_path / "root", CASES[case])
    checked = csat("check", "--root", root)
    assert checked.status == 1
    assert checked.err in told()[case]
    assert checked.err


def test_several_faults_of_a_file_are_told_at_once(tmp_path):
    text = RUN_FILE.replace("as_of", "asof").replace("language: en", "language: fr").replace("title", "titel")
    ended = run(make_root(tmp_path, {RUN: text}))
    assert ended.status == 2
    assert sum("params/runs/demo.yml:" in line for line in ended.err.splitlines()) >= 4


# --- what falls away while the run goes on -----------------------------------------------------------------------------

SCREENED = {
    "unknown level": (DATA, "form_id,delivery,service\nr1,great,fair\n", ("responses", 2, "delivery", "great", "unknown_level")),
    "duplicate form_id": (DATA, "form_id,delivery,service\nr1,fair,fair\nr1,fair,fair\n", ("responses", 3, "form_id", None, "duplicate")),
    "no form_id": (DATA, "form_id,delivery,service\nr1,fair,fair\n,fair,fair\n", ("responses", 3, "form_id", None, "empty_id")),
    "date that is none": (DATA, "form_id,delivery,service,received_on\nr1,fair,fair,2024-13-45\n", ("responses", 2, "received_on", "2024-13-45", "not_a_date")),
    "negative count": (DATA, "form_id,delivery,service,count\nr1,fair,fair,-5\nr2,fair,fair,2\n", ("responses", 2, "count", "-5", "not_a_count")),
    "negative weight": (DATA, "form_id,delivery,service,w\nr1,fair,fair,-0.5\nr2,fair,fair,2\n", ("responses", 2, "weight", "-0.5", "not_a_weight")),
    "a field too many": (DATA, "form_id,delivery,service\nr1,fair,fair,fair\nr2,fair,fair\n", ("responses", 2, None, None, "ragged")),
    "unknown disposition": ("data/demo/2024/distribution.csv", "form_id,disposition\nr1,lost\nr2,returned\nr3,returned\nr4,returned\n", ("distribution", 2, "disposition", "lost", "unknown_disposition")),
    "complaint on no day": ("data/demo/2024/complaints.csv", "complaint_id,received_on\nk1,yesterday\n", ("complaints", 2, "received_on", "yesterday", "not_a_date")),
    "a step that is none": ("data/demo/2024/steps.csv", "step,done_on\nsurvei,2024-05-01\nreturn_rate,2024-05-02\n", ("steps", 2, "step", "survei", "unknown_step")),
    "a step done on no day": ("data/demo/2024/steps.csv", "step,done_on\nreturn_rate,2024-02-30\n", ("steps", 2, "done_on", "2024-02-30", "not_a_date")),
    "negative deliveries": ("data/demo/2024/deliveries.csv", "count\n-5\n6\n", ("deliveries", 2, "count", "-5", "not_a_count")),
}  # fmt: skip


@pytest.mark.parametrize(("file", "text", "expected"), SCREENED.values(), ids=SCREENED.keys())
def test_a_bad_row_or_cell_is_rejected_with_its_reason_and_the_run_goes_on(file, text, expected, tmp_path):
    run_file = RUN_FILE + ("design: {weight: w}\n" if ",w\n" in text else "")
    root = make_root(tmp_path, {file: text, RUN: run_file})
    assert run(root).status == 0
    [row] = record(root)["rejected"]
    assert (row["table"], row["row"], row["column"], row["value"], row["reason"]) == expected
    assert row["file"] == file
    assert record(root)["rejected_count"] == 1
    assert expected[4] in (root / "reports/demo/2024/rejected.csv").read_text("utf-8")


def test_the_procedure_of_these_tests_is_sound():
    assert "CHAPTERS" in PROGRAMME
    assert "CHAPTERS" not in programme()


def _renew() -> None:
    """Write what every case says now."""
    parts = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            status, sentences = answer(case, Path(folder) / "root")
            parts.append(f"## {case}\n{sentences}\n")
            print(status, parts[-1])  # noqa: T201
    MESSAGES.write_text("".join(parts).rstrip("\n") + "\n\n", "utf-8")


if __name__ == "__main__":
    _renew()
