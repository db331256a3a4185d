"""Texts are understood as levels, dates and numbers, or fall away with a reason; the first good row of an id stays."""

import pandas as pd
import pytest

from conftest import demo, sheet
from csat_analysis.domain import schemas
from csat_analysis.ground.errors import DataError
from csat_analysis.ground.programmes import NOT_APPLICABLE


def texts(*values: str) -> pd.Series:
    return pd.Series(list(values), dtype=str)


@pytest.mark.parametrize(
    "text, cleaned",
    [
        (" 5 ", "5"),
        ("5.0", "5"),
        ("5.00", "5"),
        ("5.01", "5.01"),
        (".0", ".0"),
        ("1.0.0", "1.0.0"),
        ("-3.0", "-3"),
        ("５．０", "5"),
        ("很满意\u3000", "很满意"),
        ("ｆ１", "f1"),
        ("007", "007"),
        ("1e3", "1e3"),
        ("", ""),
        (" \t", ""),
    ],
)
def test_texts_are_trimmed_and_written_one_way(text, cleaned):
    assert schemas.clean(texts(text, text)).tolist() == [cleaned] * 2


@pytest.mark.parametrize(
    "text, day",
    [
        ("2024-01-31", "2024-01-31"),
        ("2024-1-5", "2024-01-05"),
        ("2024/1/31", "2024-01-31"),
        ("2024.01.31", "2024-01-31"),
        ("2024年1月31日", "2024-01-31"),
        ("2024-01-31 10:30", "2024-01-31"),
        ("2024-01-31T10:30:00", "2024-01-31"),
        ("2024-01-31T10:30:00.123Z", "2024-01-31"),
        ("2024-01-31 10:30:00+08:00", "2024-01-31"),
        ("2024-02-29", "2024-02-29"),
        ("2023-02-29", None),
        ("2024-13-45", None),
        ("0000-01-01", None),
        ("31/01/2024", None),
        ("20240131", None),
        ("2024-01-31x", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_is_one_of_the_calendar(text, day):
    found = schemas.dates(texts(text)).iloc[0]
    assert (found == pd.Timestamp(day)) if day else pd.isna(found)


@pytest.mark.parametrize(
    "text, number",
    [("3", 3), ("-3", -3), ("1.5", 1.5), ("1e2", 100), ("0", 0), ("", None), ("x", None), ("1,000", None), ("inf", None),
     ("-Infinity", None), ("nan", None), ("1e999", None), ("3 forms", None), ("True", None)],
)  # fmt: skip
def test_a_number_is_finite_and_nothing_but_a_number(text, number):
    found = schemas.numbers(texts(text)).iloc[0]
    assert (found == number) if number is not None else pd.isna(found)


# --- answers ------------------------------------------------------------------------------------------

SCALE = {
    "levels": [
        {"id": "good", "code": 2, "title": {"zh": "满意", "en": "Very good"}},
        {"id": "bad", "code": 1, "title": {"zh": "不满意", "en": "Bad (1)"}},
    ]
}
PLAIN = {"scale": SCALE, "items": [{"id": "overall"}], "gates": [], "index": None, "grades": []}


def test_a_blank_title_does_not_make_an_answer_of_an_empty_cell():
    scale = {"levels": [{"id": "good", "title": {"zh": "  ", "en": "Good"}}, {"id": "bad"}]}
    programme = demo(**{**PLAIN, "scale": scale, "points": None}, not_applicable=[" "])
    assert schemas.recognise(texts("", "  ", "Good"), programme).tolist() == ["", "", "good"]


@pytest.mark.parametrize(
    "answer, level",
    [
        ("good", "good"),
        ("满意", "good"),
        (" 满意\u3000", "good"),
        ("Very good", "good"),
        ("Ｖｅｒｙ　ｇｏｏｄ", "good"),
        ("2", "good"),
        ("2.0", "good"),
        ("２", "good"),
        ("1", "bad"),
        ("Bad (1)", "bad"),
        ("", ""),
        ("  ", ""),
        ("not_applicable", NOT_APPLICABLE),
        ("不适用", NOT_APPLICABLE),
        ("Not applicable", NOT_APPLICABLE),
        ("8", NOT_APPLICABLE),
        ("9", ""),
        ("9.0", ""),
        ("Blank", ""),
        ("3", "3"),
        ("great", "great"),
        ("GOOD", "GOOD"),
        ("1.5", "1.5"),
    ],
)
def test_an_answer_is_a_level_by_id_label_or_code(answer, level):
    programme = demo(**PLAIN, not_applicable=["8"])
    assert schemas.recognise(texts(answer), programme, ["9", "Blank"]).tolist() == [level]


def test_a_missing_code_comes_before_a_level():
    assert schemas.recognise(texts("2", "1"), demo(**PLAIN), ["2.0"]).tolist() == ["", "bad"]


# --- screening ----------------------------------------------------------------------------------------


def screened(text: str, table: str = "responses", with_ids: bool = True) -> tuple[list[int], list[tuple]]:
    """Return the lines that stay, and line, column, value, reason of what falls away."""
    schema = schemas.table_schema(table, demo(), with_ids)
    valid, rejected = schemas.screen(sheet(text).rows, schema, "file.csv")
    return valid.index.tolist(), list(rejected[["row", "column", "value", "reason"]].itertuples(index=False, name=None))


def test_good_rows_stay_as_they_are():
    rows = sheet("form_id | delivery  | service\nf1 | satisfied | \nf2 | | not_applicable").rows
    valid, rejected = schemas.screen(rows, schemas.table_schema("responses", demo()), "file.csv")
    assert valid.equals(rows) and rejected.empty


def test_an_unknown_level_falls_alone_and_leaves_an_empty_cell():
    rows = sheet("form_id | delivery | service\nf1 | great | fair").rows
    valid, rejected = schemas.screen(rows, schemas.table_schema("responses", demo()), "file.csv")
    assert valid.loc[2].tolist() == ["f1", "", "fair"]
    assert rejected.to_dict("records") == [
        {"row": 2, "column": "delivery", "value": "great", "reason": "unknown_level", "rejects": "cell"}
    ]
    assert rows.loc[2, "delivery"] == "great"


def test_of_a_repeated_id_the_first_stays():
    assert screened("form_id | delivery\nf1 | fair\nf2 | fair\nf1 | satisfied\nf1 | fair") == (
        [2, 3],
        [(4, "form_id", "f1", "duplicate"), (5, "form_id", "f1", "duplicate")],
    )


def test_a_row_that_fell_for_another_reason_is_nobodys_first():
    kept, fallen = screened("form_id | count | weight\nf1 | -1 | 1\nf1 | 2 | x\nf1 | 3 | 1\nf1 | 4 | 1")
    assert kept == [4]
    assert fallen == [
        (2, "count", "-1", "not_a_count"),
        (3, "weight", "x", "not_a_weight"),
        (5, "form_id", "f1", "duplicate"),
    ]


def test_rows_without_an_id_fall_and_do_not_repeat_each_other():
    assert screened("form_id | delivery\n | fair\n | fair\nf1 | fair") == (
        [4],
        [(2, "form_id", "", "empty_id"), (3, "form_id", "", "empty_id")],
    )


def test_a_row_falls_for_its_first_reason_and_its_cells_are_not_listed():
    kept, fallen = screened("form_id | delivery | count | weight | received_on\nf1 | great | x | y | z")
    assert (kept, fallen) == ([], [(2, "count", "x", "not_a_count")])


@pytest.mark.parametrize(
    "column, text, stays",
    [
        ("count", "0", True), ("count", "1", True), ("count", "1e2", True), ("count", "-1", False), ("count", "-0.5", False),
        ("count", "1.5", False), ("count", "", False), ("count", "x", False), ("count", "inf", False),
        ("count", "1000000000", True), ("count", "1000000001", False), ("count", "1e30", False),
        ("weight", "0", True), ("weight", "0.5", True), ("weight", "-0.001", False), ("weight", "", False),
        ("weight", "nan", False), ("weight", "1e300", False),
    ],
)  # fmt: skip
def test_counts_are_whole_and_neither_they_nor_weights_are_negative_or_beyond_counting(column, text, stays):
    kept, fallen = screened(f"form_id | {column}\nf1 | {text}")
    assert (kept == [2], fallen == []) == (stays, stays)
    assert stays or fallen == [(2, column, text, f"not_a_{column}")]


@pytest.mark.parametrize(
    "table, text, fallen",
    [
        ("responses", "form_id | received_on\nf1 | 2024-02-30", (2, "received_on", "2024-02-30", "not_a_date")),
        ("distribution", "form_id | sent_on\nf1 | soon", (2, "sent_on", "soon", "not_a_date")),
        ("distribution", "form_id | disposition\nf1 | lost", (2, "disposition", "lost", "unknown_disposition")),
        ("complaints", "complaint_id | closed_on\nc1 | 2024-02-30", (2, "closed_on", "2024-02-30", "not_a_date")),
        ("steps", "step | due_on\nreturn_rate | soon", (2, "due_on", "soon", "not_a_date")),
        ("steps", "step | done_on\nreturn_rate | 2024-02-30", (2, "done_on", "2024-02-30", "not_a_date")),
    ],
)
def test_a_bad_cell_leaves_its_row(table, text, fallen):
    assert screened(text, table) == ([2], [fallen])


@pytest.mark.parametrize(
    "table, key",
    [("frame", "customer_id"), ("distribution", "form_id"), ("complaints", "complaint_id"), ("steps", "step")],
)
def test_a_table_needs_its_ids(table, key):
    with pytest.raises(
        DataError, match=rf"file.csv: needs the column '{key}'; it has \['name'\]. Add it, or name the file's own"
    ):
        screened("name\nx", table)


def test_ids_of_deliveries_and_of_counted_forms_may_be_absent():
    assert screened("count\n3", "deliveries") == ([2], [])
    assert screened("delivery | count\nfair | 3", "responses", with_ids=False) == ([2], [])


def test_a_step_is_one_of_the_procedure_a_register_or_the_measure_of_a_gate_and_may_stand_twice():
    programme = demo(steps=[{"id": "plan", "title": "Plan"}], registers=[{"id": "minutes", "title": "Minutes"}])
    rows = sheet("step | reason\nplan | a\nplan | b\nminutes | c\nreturn_rate | d\nvalid_rate | e\n | f\nPlan | g").rows
    valid, rejected = schemas.screen(rows, schemas.table_schema("steps", programme), "steps.csv")
    assert valid["reason"].tolist() == ["a", "b", "c", "d"]
    assert rejected[["row", "value", "reason"]].to_numpy().tolist() == [
        [6, "valid_rate", "unknown_step"], [7, "", "unknown_step"], [8, "Plan", "unknown_step"],
    ]  # fmt: skip
    assert set(rejected["rejects"]) == {"row"}


def test_what_people_wrote_is_only_trimmed():
    rows = pd.DataFrame(
        {name: texts(" ５．０ ") for name in ("step", "responsible", "evidence", "reason", "description")}
    )
    assert schemas.clean_table(rows).iloc[0].tolist() == ["5", "５．０", "５．０", "５．０", "５．０"]


@pytest.mark.parametrize("table", ["frame", "distribution", "responses", "complaints", "deliveries", "steps"])
def test_a_table_without_rows_has_nothing_to_reject(table):
    schema = schemas.table_schema(table, demo())
    headers = [*schema.columns]
    rows = pd.DataFrame({name: texts() for name in headers})
    valid, rejected = schemas.screen(rows, schema, "file.csv")
    assert list(valid) == headers and valid.empty and rejected.empty


# --- what a record may repeat -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, shown",
    [
        ("great", True),
        ("非常好", True),
        ("7", True),
        ("-12345.678901234", True),
        ("2024-13-45", True),
        ("2024-13-45 10:30:00", True),
        ("20241345", True),
        ("x" * 20, True),
        ("x" * 21, False),
        ("very-happy", True),
        ("95%", True),
        ("物业小李态度差，3栋502王伟", False),
        ("my name is Li Wei flat 502", False),
        ("=1+1", False),
        ("@cmd", False),
        ("13800138000", False),
        ("+86 138-0013-8000", False),
        ("11010519491231002X", False),
        ("li@example.org", False),
    ],
)
def test_a_rejected_value_is_shown_unless_it_is_long_or_looks_personal(text, shown):
    assert schemas.shown(texts(text)).tolist() == [text if shown else ""]
