"""Files come in as texts by line, whatever wrote them; what is no table gets a sentence."""

import datetime as dt
import io
import zipfile
from decimal import Decimal

import openpyxl
import pandas as pd
import pytest

from conftest import run_of
from csat_analysis.assembly import tables
from csat_analysis.assembly.tables import Sheet
from csat_analysis.ground import inputs
from csat_analysis.ground.errors import DataError
from csat_analysis.ground.runs import Read


@pytest.fixture
def read(tmp_path):
    """Return how to read content as a file of the name, with the keys of ``read:``."""

    def read_it(content: str | bytes, name: str = "responses.csv", **keys) -> Sheet:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tables.read_sheet(path, Read(**keys), tmp_path)

    return read_it


def shown(sheet: Sheet) -> dict[int, list[str]]:
    """Return the texts of a sheet by the line of the file."""
    return {line: list(row) for line, row in zip(sheet.rows.index, sheet.rows.to_numpy().tolist(), strict=True)}


def workbook(sheets: dict[str, list[list]]) -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(buffer)
    return buffer.getvalue()


def parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    return buffer.getvalue()


# --- CSV ----------------------------------------------------------------------------------------------

CHINESE = "form_id,overall\nf1,很满意\nf2,不满意\n"


@pytest.mark.parametrize(
    "content",
    [
        CHINESE.encode("utf-8"),
        CHINESE.encode("utf-8-sig"),
        CHINESE.encode("gb18030"),
        CHINESE.replace("\n", "\r\n").encode("utf-8"),
        CHINESE.replace("\n", "\r").encode("utf-8"),
        CHINESE.rstrip().encode("utf-8"),
        CHINESE.replace("f1,很满意", '"f1","很满意"').encode("utf-8"),
        CHINESE.replace("form_id,overall", " form_id ,overall\t").encode("utf-8"),
    ],
    ids=["utf-8", "bom", "gb18030", "crlf", "cr", "no last newline", "quoted", "spaces in headers"],
)
def test_a_csv_reads_alike_however_it_is_written(read, content):
    sheet = read(content)
    assert list(sheet.rows) == ["form_id", "overall"]
    assert shown(sheet) == {2: ["f1", "很满意"], 3: ["f2", "不满意"]}
    assert (sheet.file, sheet.ragged, sheet.elsewhere) == ("responses.csv", (), 0)


def test_the_checksum_is_that_of_the_file(read):
    assert read("abc").sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1


def test_a_row_is_the_line_of_the_file_where_it_begins(read):
    sheet = read('\nform_id,comment\n\nf1,"two\nlines, ""quoted"""\n\n,\nf2,\n\nf3,x\n')
    assert shown(sheet) == {4: ["f1", 'two\nlines, "quoted"'], 8: ["f2", ""], 10: ["f3", "x"]}


def test_lines_too_wide_or_too_short_are_named_and_left_out(read):
    sheet = read("form_id,a,b\nf1,1,2\nf2,1\nf3,1,2,3\nf4\nf5,3,4\n")
    assert shown(sheet) == {2: ["f1", "1", "2"], 6: ["f5", "3", "4"]}
    assert sheet.ragged == (3, 4, 5)


@pytest.mark.parametrize("header", ["form_id,a", "form_id,a,", "form_id,a, ,"])
def test_commas_at_the_end_of_lines_add_nothing(read, header):
    sheet = read(f"{header}\nf1,1\nf2,2,\nf3,3,,,\n,,,,\nf4,,\n")
    assert shown(sheet) == {2: ["f1", "1"], 3: ["f2", "2"], 4: ["f3", "3"], 6: ["f4", ""]}
    assert sheet.ragged == ()


def test_headers_alone_are_a_table_without_rows(read):
    sheet = read("form_id,overall\n")
    assert (list(sheet.rows), len(sheet.rows), sheet.ragged) == (["form_id", "overall"], 0, ())


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "is empty; a table needs a line of headers"),
        (b" \r\n\n", "is empty; a table needs a line of headers"),
        ("\ufeff".encode(), "is empty; a table needs a line of headers"),
        (b",,\n,,\n", "is empty; a table needs a line of headers"),
        (CHINESE.encode("utf-16"), "is neither UTF-8 nor GB18030 text; save it as CSV in UTF-8"),
        (b"a,b\n1,2\n".decode().encode("utf-16-le"), "is neither UTF-8 nor GB18030 text"),
        (bytes(range(256)), "is neither UTF-8 nor GB18030 text"),
        (b"\x00\x01\x02,\n", "is neither UTF-8 nor GB18030 text"),
        (b"form_id;overall\nf1;1\n", "columns are not separated by commas; save it as comma-separated CSV"),
        (b"form_id\toverall\nf1\t1\n", "columns are not separated by commas"),
        (b'form_id,overall\nf1,1\nf2,"2\nf3,3\n', ":3: is not CSV here"),
        (b'form_id,overall\nf1,"1"2\n', ":2: is not CSV here"),
        (b"form_id,overall,overall\nf1,1,2\n", "the header 'overall' stands 2 times; rename or remove the others"),
    ],
)  # fmt: skip
def test_what_is_no_table_gets_a_sentence_with_the_file(read, content, sentence):
    with pytest.raises(DataError) as error:
        read(content)
    assert str(error.value).startswith("responses.csv:") and sentence in str(error.value)


# --- workbooks ----------------------------------------------------------------------------------------


def test_typed_cells_become_the_texts_of_a_csv(read):
    cells = [["form_id", "overall", "received_on", "note"], [1.0, 5, dt.datetime(2024, 1, 31), "很满意 "],
             [2, 4.5, dt.datetime(2024, 1, 31, 10, 30), None], [3, True, dt.date(2024, 2, 1), 0]]  # fmt: skip
    assert shown(read(workbook({"Sheet": cells}), "responses.xlsx")) == {
        2: ["1", "5", "2024-01-31", "很满意"],
        3: ["2", "4.5", "2024-01-31 10:30:00", ""],
        4: ["3", "True", "2024-02-01", "0"],
    }


def test_rows_that_end_early_and_empty_rows_of_a_workbook_are_no_fault(read):
    sheet = read(
        workbook({"Sheet": [["form_id", "a", "b"], ["f1", 1], [None], ["f2", None, 2], ["f3"]]}), "responses.xlsx"
    )
    assert shown(sheet) == {2: ["f1", "1", ""], 4: ["f2", "", "2"], 5: ["f3", "", ""]}
    assert sheet.ragged == ()


def test_the_sheet_is_the_named_one_or_the_first(read):
    book = workbook({"2023": [["a"], [1]], "2024": [["a"], [2]]})
    assert shown(read(book, "responses.xlsx")) == {2: ["1"]}
    assert shown(read(book, "responses.xlsx", sheet="2024")) == {2: ["2"]}
    with pytest.raises(DataError, match=r"responses.xlsx: no sheet '2025'; it has \['2023', '2024'\]"):
        read(book, "responses.xlsx", sheet="2025")


def test_what_a_workbook_says_of_its_size_is_not_believed(read):
    whole, cut = io.BytesIO(workbook({"Sheet": [["form_id", "a"], ["f1", 1], ["f2", 2]]})), io.BytesIO()
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(cut, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b'ref="A1:B3"', b'ref="A1"'))
    assert shown(read(cut.getvalue(), "responses.xlsx")) == {2: ["f1", "1"], 3: ["f2", "2"]}


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return buffer.getvalue()


def broken_workbook() -> bytes:
    """Return a workbook whose sheet ends in the middle of a cell."""
    whole, cut = io.BytesIO(workbook({"Sheet": [["form_id"], ["f1"]]})), io.BytesIO()
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(cut, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    return cut.getvalue()


@pytest.mark.parametrize(
    "content", [b"form_id,a\nf1,1\n", b"PK\x03\x04rubbish", archive(readme=b"x"), broken_workbook()]
)
def test_what_is_no_workbook_gets_a_sentence(read, content):
    with pytest.raises(DataError, match="responses.xlsx: is not an XLSX workbook; save it as .xlsx or as CSV in UTF-8"):
        read(content, "responses.xlsx")


# --- Parquet ------------------------------------------------------------------------------------------


def test_the_types_of_a_parquet_file_become_the_texts_of_a_csv(read):
    table = pd.DataFrame(
        {
            "form_id": [1, 2, 3],
            "overall": [5.0, None, 3.0],
            "level": pd.Categorical(["很满意", None, "一般"]),
            "received_on": pd.to_datetime(["2024-01-31 00:00", None, "2024-02-01 08:15"]),
            "weight": [Decimal("1.50"), None, Decimal("2.00")],
            "whole": pd.array([4, None, 2], dtype="Int64"),
            "day": [dt.date(2024, 1, 31), None, None],
        }
    )
    assert shown(read(parquet(table), "responses.parquet")) == {
        2: ["1", "5", "很满意", "2024-01-31", "1.50", "4", "2024-01-31"],
        3: ["2", "", "", "", "", "", ""],
        4: ["3", "3", "一般", "2024-02-01 08:15:00", "2.00", "2", ""],
    }


def test_an_index_written_to_parquet_is_a_column(read):
    table = pd.DataFrame({"form_id": ["f1", "f2"], "overall": [1, 2]})
    assert shown(read(parquet(table.set_index("form_id")), "responses.parquet")) == shown(
        read(parquet(table), "responses.parquet")
    )


def test_what_is_no_parquet_file_gets_a_sentence(read):
    with pytest.raises(DataError, match="responses.parquet: is not a Parquet file; write it anew"):
        read("form_id,a\nf1,1\n", "responses.parquet")


# --- the file's own headers ---------------------------------------------------------------------------

FOREIGN = "No,Q1,overall,SITE\n1,5,x,A\n2,4,y,B\n3,3,z, Ａ \n"


def test_columns_get_our_names_and_a_header_that_one_would_hide_gives_way(read):
    sheet = read(FOREIGN, columns={"form_id": "No", "overall": "Q1"})
    assert list(sheet.rows) == ["form_id", "overall", "SITE"]
    assert sheet.rows["overall"].tolist() == ["5", "4", "3"]


def test_one_header_may_serve_two_columns(read):
    sheet = read(FOREIGN, columns={"form_id": "No", "building": "SITE", "segment": "SITE"})
    assert sheet.rows["building"].tolist() == sheet.rows["segment"].tolist()


@pytest.mark.parametrize("keys", [{"columns": {"overall": "Q2"}}, {"where": {"Q2": "A"}}])
def test_a_column_the_run_file_names_must_be_there(read, keys):
    with pytest.raises(
        DataError, match=r"responses.csv: no column 'Q2', which the run file names under read; it has \['No', "
    ):
        read(FOREIGN, **keys)


@pytest.mark.parametrize(
    "where, lines, elsewhere",
    [
        ({"SITE": "A"}, [2, 4], True),
        ({"SITE": ["A", "B"]}, [2, 3, 4], False),
        ({"SITE": "A", "No": 3}, [4], True),
        ({"SITE": "C"}, [], True),
    ],
)
def test_rows_of_other_runs_are_left_out(read, where, lines, elsewhere):
    sheet = read(FOREIGN, where=where, columns={"building": "SITE"})
    assert (list(sheet.rows.index), sheet.elsewhere) == (lines, elsewhere)


# --- where a table stands -----------------------------------------------------------------------------


def test_a_table_is_found_by_its_name_or_is_not_there(make_root):
    root = make_root(responses="form_id\n")
    assert inputs.find_inputs(run_of(), root).get("responses") == root / "data/demo/2024/responses.csv"
    assert inputs.find_inputs(run_of(), root).get("frame") is None


def test_two_files_of_one_table_compete(make_root):
    root = make_root({"data/demo/2024/responses.xlsx": b"x"}, responses="form_id\n")
    sentence = r"data/demo/2024: \['responses.csv', 'responses.xlsx'\] compete; keep one, or name it under read: responses: file"
    with pytest.raises(DataError, match=sentence):
        inputs.find_inputs(run_of(), root).get("responses")
    named = run_of(read={"responses": {"file": "responses.csv"}})
    assert inputs.find_inputs(named, root).get("responses") == root / "data/demo/2024/responses.csv"


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("levels, inside", [(2, True), (3, True), (4, False), (9, False)])
def test_a_named_file_stays_inside_the_root(make_root, monkeypatch, levels, inside, relative):
    root = make_root({"here.csv": "form_id\n", "data/here.csv": "form_id\n"})
    monkeypatch.chdir(root)
    run = run_of(read={"responses": {"file": "../" * levels + "here.csv"}})
    if inside:
        assert inputs.find_inputs(run, type(root)() if relative else root).get("responses").is_file()
    else:
        with pytest.raises(
            DataError, match=r"params/runs/demo.yml: read.responses.file: '.*' leaves the project's folder"
        ):
            inputs.find_inputs(run, type(root)() if relative else root).get("responses")


def test_an_absolute_file_outside_the_root_leaves_it(make_root):
    root = make_root()
    with pytest.raises(DataError, match="leaves the project's folder"):
        inputs.find_inputs(run_of(read={"responses": {"file": str(root.parent / "here.csv")}}), root).get("responses")


def test_a_link_inside_the_root_may_lead_to_a_file_elsewhere(make_root, tmp_path_factory):
    root, elsewhere = make_root(), tmp_path_factory.mktemp("elsewhere") / "survey.csv"
    elsewhere.write_text("form_id\nf1\n")
    (root / "data").mkdir()
    (root / "data" / "linked.csv").symlink_to(elsewhere)
    run = run_of(read={"responses": {"file": "../../linked.csv"}})
    assert shown(tables.read_sheet(inputs.find_inputs(run, root).get("responses"), Read(), root)) == {2: ["f1"]}


@pytest.mark.parametrize(
    "file, sentence",
    [
        (
            "survey.csv",
            "data/demo/2024/survey.csv: no such file; put it there, or mend params/runs/demo.yml: read.responses.file",
        ),
        ("survey.sav", "params/runs/demo.yml: read.responses.file: 'survey.sav' is of a kind that is not read"),
    ],
)
def test_a_named_file_is_there_and_of_a_kind_that_is_read(make_root, file, sentence):
    with pytest.raises(DataError, match=sentence):
        inputs.find_inputs(run_of(read={"responses": {"file": file}}), make_root()).get("responses")


@pytest.mark.parametrize("name", ["FRAME.csv", "frame.CSV"])
def test_a_table_under_a_name_that_is_not_quite_it_is_not_passed_over(make_root, name):
    with pytest.raises(DataError, match=r"data/demo/2024/frame.csv: is there and is no file that can be read"):
        inputs.find_inputs(run_of(), make_root({f"data/demo/2024/{name}": "customer_id\nk1\n"})).get("frame")


@pytest.mark.parametrize("kind", ["a folder", "a link that leads nowhere"])
def test_what_cannot_be_read_is_not_passed_over(make_root, kind):
    path = make_root(responses="form_id\n") / "data/demo/2024/frame.csv"
    path.mkdir() if kind == "a folder" else path.symlink_to("nowhere.csv")
    with pytest.raises(DataError, match="neither a folder nor a link that leads nowhere"):
        inputs.find_inputs(run_of(), path.parents[3]).get("frame")


def test_a_formula_that_was_never_computed_is_shown_as_it_is(read):
    # what is written by a program and not by Excel has no values; the formula is no answer and will be rejected
    assert shown(read(workbook({"Sheet": [["form_id", "a"], ["f1", "=2+3"], ["f2", 5]]}), "responses.xlsx")) == {
        2: ["f1", "=2+3"],
        3: ["f2", "5"],
    }


def test_a_byte_order_mark_is_none_of_the_header(read):
    assert list(read("\ufeffform_id,a\nf1,满意\n".encode("gb18030")).rows) == ["form_id", "a"]
