"""Every row and every answer of every table is accounted for; tables meet by their ids; what cannot be used is listed."""

import csv
import datetime as dt
import io
import json
import re
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import demo, run_of, sheet, survey_of
from csat_analysis.assembly import load, tables
from csat_analysis.ground import runs
from csat_analysis.ground.errors import DataError, ParameterError
from csat_analysis.ground.runs import Counts, Read

RESPONSES = "form_id,delivery,service\nf1,satisfied,fair\nf2,fair,\n"


def account(survey: load.Survey, table: str = "responses") -> dict[str, int]:
    return survey.accounts.set_index("table").loc[table].to_dict()


def rejections(survey: load.Survey) -> list[tuple]:
    return list(survey.rejected[["table", "row", "column", "value", "reason"]].itertuples(index=False, name=None))


# --- nothing is dropped silently ----------------------------------------------------------------------


def test_where_every_row_and_answer_of_a_dirty_table_went(make_root):
    root = make_root(
        {"params/runs/demo.yml": 'project: demo\ntitle: Demo\nprogramme: demo\nread: {responses: {missing: ["9"]}}\n'
                                 'periods: {"2024": {as_of: 2025-01-10}}\n'},
        responses="form_id,delivery,service,count,received_on\n"
        "f1,satisfied,fair,1,2024-02-01\n"
        "f2,great,9,1,2024-02-30\n"  # an answer and a date rejected, a missing code
        "f3,fair,not_applicable,1,\n"
        "f1,fair,fair,1,\n"  # repeated
        "f4,fair,fair,-1,\n"  # negative count
        "f5,fair,fair,1\n"  # too short
        "f6,,,1,\n",
    )  # fmt: skip
    survey = load.survey("demo", "2024", root)
    assert account(survey) == {
        "rows_read": 7, "rows_used": 4, "rows_rejected": 3,
        "answers_read": 14, "answers_used": 3, "answers_not_applicable": 1, "answers_empty": 3, "answers_rejected": 7,
    }  # fmt: skip
    assert rejections(survey) == [
        ("responses", 3, "received_on", "2024-02-30", "not_a_date"),
        ("responses", 3, "delivery", "great", "unknown_level"),
        ("responses", 5, "form_id", "", "duplicate"),
        ("responses", 6, "count", "-1", "not_a_count"),
        ("responses", 7, "", "", "ragged"),
    ]
    assert set(survey.rejected["file"]) == {"data/demo/2024/responses.csv"}
    assert survey.inputs.drop(columns="sha256").to_dict("records") == [
        {"table": "responses", "file": "data/demo/2024/responses.csv", "rows": 7}
    ]


CELLS = {
    "form_id": ["a", "b", "c", "d", " a ", "ｂ", ""],
    "delivery": ["satisfied", "fair", " dissatisfied", "great", "", "9", "not_applicable", "不适用", "５"],
    "service": ["satisfied", "fair", "nobody came", "", "9.0", "8"],
    "count": ["1", "2", "３", "1.0", "0", "-1", "1.5", "x", ""],
    "weight": ["1", "0.5", "2", "-1", "heavy", "nan"],
    "received_on": ["2024-01-31", "", "2024-13-45", "soon"],
    "comment": ["", "fine, thanks", "two\nlines", '"quoted"', "<script>"],
}
ITEMS = ("delivery", "service")


def recount(text: str) -> tuple[dict[str, int], dict[int, str]]:
    """Return the account of dirty responses and the reason of each rejected row, counted line by line."""

    def plain(cell: str) -> str:
        cell = unicodedata.normalize("NFKC", cell).strip()
        return cell[:-2] if cell in ("9.0", "1.0") else cell

    reader, rows, line = csv.reader(io.StringIO(text, newline="")), [], 1
    for fields in reader:
        rows.append((line, fields))
        line = reader.line_num + 1
    header, seen, fallen, tally = rows[0][1], set(), {}, Counter()
    for line, fields in rows[1:]:
        tally["rows_read"] += 1
        tally["answers_read"] += len(ITEMS)
        cells = dict(zip(header, map(plain, fields), strict=False))
        if len(fields) != len(header):
            fallen[line] = "ragged"
        elif not cells["form_id"]:
            fallen[line] = "empty_id"
        elif cells["count"] not in ("0", "1", "2", "3"):
            fallen[line] = "not_a_count"
        elif cells["weight"] not in ("0.5", "1", "2"):
            fallen[line] = "not_a_weight"
        elif cells["form_id"] in seen:
            fallen[line] = "duplicate"
        else:
            seen.add(cells["form_id"])
            tally["rows_used"] += 1
            for item in ITEMS:
                answer = cells[item]
                kind = ("used" if answer in ("satisfied", "fair", "dissatisfied") else "empty" if answer in ("", "9")
                        else "not_applicable" if answer in ("not_applicable", "不适用", "8") else "rejected")  # fmt: skip
                tally[f"answers_{kind}"] += 1
            continue
        tally["rows_rejected"] += 1
        tally["answers_rejected"] += len(ITEMS)
    return tally, fallen


@st.composite
def dirty_responses(draw) -> str:
    columns = draw(st.permutations(list(CELLS)))
    lines = [
        columns,
        *draw(st.lists(st.tuples(*(st.sampled_from(CELLS[name]) for name in columns)), min_size=1, max_size=20)),
    ]
    cut = draw(
        st.lists(st.integers(1, len(lines) - 1), max_size=3)
    )  # ragged lines: one field is missing, or one too many
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
    for number, line in enumerate(lines):
        writer.writerow([*line[:-1]] if number in cut and number % 2 else [*line, "more"] if number in cut else line)
    return text.getvalue()


@settings(max_examples=12, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=dirty_responses(), encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]))
def test_rows_and_answers_reconcile_whatever_stands_in_a_table(tmp_path, text, encoding):
    path = tmp_path / "responses.csv"
    path.write_bytes(text.encode(encoding))
    read = Read(missing="9")
    run = run_of(read={"responses": {"missing": "9"}})
    survey = load.assemble(demo(not_applicable=["8"]), run, {"responses": tables.read_sheet(path, read, tmp_path)})
    found, (counted, fallen) = account(survey), recount(text)
    assert found["rows_read"] == found["rows_used"] + found["rows_rejected"]
    assert found["answers_read"] == sum(
        found[f"answers_{kind}"] for kind in ("used", "not_applicable", "empty", "rejected")
    )
    assert found == {name: counted[name] for name in found}
    listed = survey.rejected[survey.rejected["row"].isin(fallen)]
    assert dict(zip(listed["row"], listed["reason"], strict=True)) == fallen
    assert len(survey.forms) == len(survey.answers) == counted["rows_used"]
    assert (
        not survey.forms.isna().any().any()
        and survey.answers.isin(["", "not_applicable", *survey.programme.level_ids]).all().all()
    )
    json.dumps(survey.rejected.to_dict("records"), allow_nan=False)


def test_every_table_reconciles():
    survey = survey_of(
        "form_id | delivery | service\nf1 | fair | fair\nf2 | | ",
        tables={
            "frame": "customer_id\nc1\nc2\nc1\n",
            "distribution": "form_id | disposition\nf1 | returned\nf1 | returned\nf2 | lost\n | refused",
            "complaints": "complaint_id | received_on\nk1 | 2024-03-01\nk1 | 2024-03-02",
            "deliveries": "count\n3\n-3\nx",
        },
    )
    rows = {row.table: (row.rows_read, row.rows_used, row.rows_rejected) for row in survey.accounts.itertuples()}
    assert rows == {
        "frame": (3, 2, 1),
        "distribution": (4, 2, 2),
        "responses": (2, 2, 0),
        "complaints": (2, 1, 1),
        "deliveries": (3, 1, 2),
    }
    assert (survey.accounts["rows_read"] == survey.accounts["rows_used"] + survey.accounts["rows_rejected"]).all()
    counted = survey.rejected.groupby("table").size().to_dict()
    assert counted == {"frame": 1, "distribution": 3, "complaints": 1, "deliveries": 2}
    assert survey.counts == Counts(frame=2, distributed=2, deliveries=3, complaints=1)


def test_rows_of_other_projects_are_not_counted(make_root):
    run = 'project: demo\ntitle: Demo\nprogramme: demo\nread: {responses: {where: {SITE: A}}}\nperiods: {"2024": {as_of: 2025-01-10}}\n'
    root = make_root(
        {"params/runs/demo.yml": run}, responses="form_id,delivery,service,SITE\nf1,fair,fair,A\nf2,fair,fair,B\n"
    )
    found = account(load.survey("demo", 2024, root))
    assert (found["rows_read"], found["rows_used"]) == (1, 1)


# --- what the list of rejections repeats --------------------------------------------------------------


def test_ids_and_personal_texts_are_not_repeated_in_rejections():
    survey = survey_of(
        "form_id | delivery | service | received_on\n"
        "f1 | 13800138000 | li@example.org | yesterday\n"
        f"f2 | {'very ' * 9} | great | \n"
        "f2 | fair | fair | \n"
        " | fair | fair | ",
        tables={"frame": "customer_id\nLi Wei\nLi Wei"},
    )
    values = [(row.row, row.column, row.value) for row in survey.rejected.itertuples()]
    assert sorted(values) == [
        (2, "delivery", ""), (2, "received_on", "yesterday"), (2, "service", ""), (3, "customer_id", ""), (3, "delivery", ""),
        (3, "service", "great"), (4, "form_id", ""), (5, "form_id", ""),
    ]  # fmt: skip


def test_rejections_and_findings_are_plain_values():
    survey = survey_of(
        "form_id | delivery | service\nf1 | great | fair",
        tables={"distribution": "form_id | disposition\nf2 | returned\nf3 | returned"},
    )
    assert [(finding.code, finding.values) for finding in survey.findings] == [
        ("returned_differs", {"listed": 2, "returned": 1}),
        ("not_distributed", {"n": 1}),
    ]
    json.dumps(
        [survey.rejected.to_dict("records"), survey.accounts.to_dict("records"), [*survey.findings]], allow_nan=False
    )


# --- files that stop a run ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files, sentence",
    [
        ({}, "data/demo/2024: no responses.csv, .parquet or .xlsx; put it there, or name it under read: responses: file."),
        ({"responses": ""}, "data/demo/2024/responses.csv: is empty; a table needs a line of headers and rows below it."),
        ({"responses": "form_id,delivery,service\n"}, "data/demo/2024/responses.csv: has headers and no rows; a table needs at least one row."),
        ({"responses": RESPONSES, "frame": "customer_id\n"}, "data/demo/2024/frame.csv: has headers and no rows; a table needs at least one row."),
        (
            {"responses": "form_id,delivery\nf1,fair\n"},
            "data/demo/2024/responses.csv: no column for the item 'service'; it has ['form_id', 'delivery']. "
            "Add it, or name the file's own under read: responses: columns.",
        ),
        (
            {"responses": "delivery,service\nfair,fair\n"},
            "data/demo/2024/responses.csv: needs the column 'form_id'; it has ['delivery', 'service']. "
            "Add it, or name the file's own under read: columns.",
        ),
        (
            {"responses": RESPONSES, "distribution": "form_id\nf1\nf2\nf3\n", "params": "counts: {distributed: 4}"},
            "params/runs/demo.yml: periods.2024.counts.distributed: says 4, and the table holds 3; mend the one that is wrong, "
            "or take the count away.",
        ),
        (
            {"responses": RESPONSES, "params": "design: {stratum: building}"},
            "data/demo/2024/responses.csv: no column 'building', which the run file names under design or groups, nor can it be "
            "linked from distribution (by form_id) or frame (by customer_id); it has ['form_id', 'delivery', 'service'].",
        ),
    ],
)  # fmt: skip
def test_what_stops_a_run_says_where_and_how_to_go_on(make_root, files, sentence):
    run = f"project: demo\ntitle: Demo\nprogramme: demo\nperiods:\n  2024: {{as_of: 2025-01-10, {files.pop('params', '')}}}\n"
    root = make_root({"params/runs/demo.yml": run}, **files)
    with pytest.raises(DataError) as error:
        load.survey("demo", "2024", root)
    assert str(error.value) == sentence


def test_a_missing_project_folder_is_a_sentence(make_root):
    with pytest.raises(ParameterError, match="project: 'x' is not a project; use one of"):
        load.survey("x", "2024", make_root())
    with pytest.raises(ParameterError, match="period: demo has no period '2023'; use one of"):
        load.survey("demo", 2023, make_root())


def test_an_all_digit_period_may_be_a_number(make_root):
    assert len(load.survey("demo", 2024, make_root(responses=RESPONSES)).forms) == 2


@pytest.mark.parametrize(
    ("project", "period"),
    [("demo", np.int64(2024)), (Path("demo"), "2024"), (np.str_("demo"), pd.Period("2024"))],
)
def test_a_project_and_a_period_may_come_from_a_table_or_a_folder(project, period, make_root):
    found = load.survey(project, period, make_root(responses=RESPONSES))
    assert (found.run.project, found.run.period) == ("demo", "2024")


@pytest.mark.parametrize("ask", [load.survey, load.peers])
@pytest.mark.parametrize(
    ("project", "period", "said"),
    [
        ("demo", dt.date(2024, 5, 1), "period: datetime.date(2024, 5, 1) is date; give text, such as '2024-05'."),
        ("demo", pd.Timestamp("2024-05-01"), "period: Timestamp('2024-05-01 00:00:00') is Timestamp; give text, such as '2024-05'."),
        ("demo", 2024.0, "period: 2024.0 is float; give text, such as '2024-05'."),
        ("demo", True, "period: True is bool; give text, such as '2024-05'."),
        (None, "2024", "project: None is NoneType; give text, such as 'yuanya'."),
        (["demo"], "2024", "project: ['demo'] is list; give text, such as 'yuanya'."),
    ],
)  # fmt: skip
def test_what_could_mean_more_than_one_run_is_refused_with_a_sentence(ask, project, period, said, make_root):
    with pytest.raises(ParameterError, match=re.escape(said)):
        ask(project, period, make_root(responses=RESPONSES))


COUNTS = {
    "frame": "customer_id\nc1\nc2",
    "distributed": "form_id\nf1\nf2",
    "deliveries": "count\n1\n1",
    "complaints": "complaint_id\nk1\nk2",
}


@pytest.mark.parametrize("key", COUNTS)
@pytest.mark.parametrize("declared, agrees", [(1, False), (2, True), (3, False)])
def test_a_table_and_a_count_that_disagree_are_an_error(key, declared, agrees):
    table = "distribution" if key == "distributed" else key
    forms, plan = "form_id | delivery | service\nf1 | fair | fair", {"counts": {key: declared}}
    if agrees:
        assert getattr(survey_of(forms, tables={table: COUNTS[key]}, plan=plan).counts, key) == 2
    else:
        with pytest.raises(DataError, match=rf"counts.{key}: says {declared}, and the table holds 2"):
            survey_of(forms, tables={table: COUNTS[key]}, plan=plan)


def test_counts_alone_are_enough():
    counts = {"frame": 10, "distributed": 8, "deliveries": 5, "complaints": 0}
    assert survey_of("form_id | delivery | service\nf1 | fair | fair", plan={"counts": counts}).counts == Counts(
        **counts
    )


# --- forms --------------------------------------------------------------------------------------------


def test_forms_without_ids_are_named_by_their_lines_where_they_are_counted():
    survey = survey_of("delivery | service | count\nsatisfied | fair | 21\n | | 4")
    assert survey.forms.index.tolist() == ["2", "3"]
    assert survey.forms["count"].tolist() == [21, 4]
    assert survey.forms["weight"].tolist() == [1, 1]
    assert survey.findings == ()


def test_forms_without_ids_are_not_looked_for_in_the_distribution():
    distribution = "form_id | building | disposition\n2 | A | returned\n3 | B | refused"
    survey = survey_of("delivery | service | count\nfair | fair | 1", tables={"distribution": distribution})
    assert survey.findings == ()
    with pytest.raises(DataError, match="nor can it be linked"):
        survey_of(
            "delivery | service | count\nfair | fair | 1", tables={"distribution": distribution}, groups=["building"]
        )


def test_weights_and_counts_are_numbers_and_1_where_there_is_none():
    forms = survey_of("form_id | delivery | service | weight\nf1 | fair | fair | 1.5\nf2 | | | 0").forms
    assert forms[["count", "weight"]].to_numpy().tolist() == [[1, 1.5], [1, 0]]
    assert (forms["count"].dtype.kind, forms["weight"].dtype.kind) == ("i", "f")


def test_an_optional_item_may_be_absent():
    items = [{"id": "delivery", "weight": 1}, {"id": "service", "optional": True}]
    survey = survey_of("form_id | delivery\nf1 | fair", demo(items=items))
    assert list(survey.answers) == ["delivery"]


def test_a_column_of_the_file_that_is_called_row_does_no_harm():
    assert survey_of("row | form_id | delivery | service\n77 | f1 | fair | fair").forms["row"].tolist() == [2]


@pytest.mark.parametrize("keys", [{"groups": ["score"]}, {"design": {"stratum": "form_id"}}])
def test_names_the_package_gives_itself_are_not_for_groups(keys):
    with pytest.raises(ParameterError, match="is a name the package gives itself; call the column something else"):
        survey_of("form_id | delivery | service | score\nf1 | fair | fair | 1", **keys)


def test_an_item_may_be_a_group():
    survey = survey_of("form_id | delivery | service\nf1 | fair | satisfied", groups=["service"])
    assert survey.forms["service"].tolist() == ["satisfied"] and list(survey.answers) == ["delivery", "service"]


# --- linking ------------------------------------------------------------------------------------------

FRAME = "customer_id | building | weight\nc1 | A | 2\nc2 | B | 3\nc3 | C | x"
SENT = "form_id | customer_id | channel\nf1 | c1 | mail\nf2 | c2 | phone\nf3 | c9 | mail"


def test_a_group_comes_from_the_distribution_by_form():
    survey = survey_of(
        "form_id | delivery | service\nf2 | fair | \nf1 | fair | \nf9 | fair | ",
        tables={"distribution": SENT},
        groups=["channel"],
    )
    assert survey.forms["channel"].to_dict() == {"f2": "phone", "f1": "mail", "f9": ""}


@pytest.mark.parametrize(
    "responses, tables",
    [
        (
            "form_id | customer_id | delivery | service\nf2 | c2 | fair | \nf1 | c1 | fair | \nf3 | c9 | fair | ",
            {"frame": FRAME},
        ),
        (
            "form_id | delivery | service\nf2 | fair | \nf1 | fair | \nf3 | fair | ",
            {"frame": FRAME, "distribution": SENT},
        ),
    ],
    ids=["customer in responses", "customer in distribution"],
)
def test_a_stratum_comes_from_the_frame_by_customer(responses, tables):
    survey = survey_of(responses, tables=tables, design={"stratum": "building"})
    assert survey.forms["stratum"].to_dict() == survey.forms["building"].to_dict() == {"f2": "B", "f1": "A", "f3": ""}


def test_the_responses_own_column_comes_before_those_of_other_tables():
    survey = survey_of(
        "form_id | channel | delivery | service\nf1 | door | fair | ", tables={"distribution": SENT}, groups=["channel"]
    )
    assert survey.forms["channel"].tolist() == ["door"]


def test_a_weight_from_another_table_is_screened_as_well():
    responses = "form_id | customer_id | delivery | service\nf1 | c1 | fair | \nf2 | c2 | fair | \nf3 | c3 | fair | \nf4 | c9 | fair | "
    survey = survey_of(responses, tables={"frame": FRAME}, design={"weight": "weight"})
    assert survey.forms["weight"].to_dict() == {"f1": 2, "f2": 3}
    assert rejections(survey) == [
        ("responses", 4, "weight", "x", "not_a_weight"),
        ("responses", 5, "weight", "", "not_a_weight"),
    ]


def test_ids_meet_however_a_program_wrote_them():
    tables = {"distribution": "form_id | channel\n1.0 | mail\n２ | phone"}
    survey = survey_of("form_id | delivery | service\n1 | fair | \n2.0 | fair | ", tables=tables, groups=["channel"])
    assert survey.forms["channel"].to_dict() == {"1": "mail", "2": "phone"}


def test_a_table_whose_rows_all_fall_links_nothing():
    survey = survey_of(
        "form_id | delivery | service\nf1 | fair | ",
        tables={"distribution": "form_id | channel\n | mail"},
        groups=["channel"],
    )
    assert survey.forms["channel"].tolist() == [""]
    assert survey.counts.distributed == 0


# --- complaints ---------------------------------------------------------------------------------------


def test_complaints_are_those_received_in_the_period_each_once():
    complaints = (
        "complaint_id | received_on | duplicate_of\nk1 | 2024-01-01 | \nk2 | 2024-12-31 | \nk3 | 2023-12-31 | \nk4 | 2025-01-01 | \n"
        "k5 | | \nk6 | 2024-05-05 | k1\nk7 | someday | "
    )
    survey = survey_of("form_id | delivery | service\nf1 | fair | ", tables={"complaints": complaints})
    assert survey.counts.complaints == 4  # k1, k2 and, without a date, k5 and k7
    assert ("complaints_not_counted", {"n": 3}) in [tuple(finding) for finding in survey.findings]


def test_headers_alone_are_no_complaint_and_no_fault():
    survey = survey_of(
        "form_id | delivery | service\nf1 | fair | ", tables={"complaints": "complaint_id | received_on"}
    )
    assert survey.counts.complaints == 0
    assert account(survey, "complaints")["rows_read"] == 0


@pytest.mark.parametrize(
    "counts, told",
    [
        ({"deliveries": 0}, [("no_deliveries", {})]),
        ({"deliveries": 0, "complaints": 3}, [("no_deliveries", {})]),
        ({"deliveries": 3, "complaints": 3}, []),
        ({"deliveries": 3, "complaints": 4}, [("more_complaints", {"complaints": 4, "deliveries": 3})]),
        ({"deliveries": 3}, []),
        ({"complaints": 4}, []),
    ],
)
def test_no_deliveries_and_more_complaints_than_deliveries_are_told(counts, told):
    found = survey_of("form_id | delivery | service\nf1 | fair | ", plan={"counts": counts}).findings
    assert [tuple(finding) for finding in found] == told


# --- steps --------------------------------------------------------------------------------------------

STEPS = "step | done_on | responsible | evidence | reason\n"


def test_an_unknown_step_falls_and_the_others_are_kept_as_they_were_written():
    rows = "plan | 2024-05-20 | 王　伟 | 纪要 １２ | \nplam | 2024-05-20 | | |\nplan | 2024-05-32 | | |"
    programme = demo(steps=[{"id": "plan", "title": "Plan"}])
    survey = survey_of("form_id | delivery | service\nf1 | fair | ", programme, {"steps": STEPS + rows})
    assert survey.tables["steps"][["done_on", "responsible", "evidence"]].to_numpy().tolist() == [
        ["2024-05-20", "王　伟", "纪要 １２"], ["", "", ""],
    ]  # fmt: skip
    assert rejections(survey) == [
        ("steps", 3, "step", "plam", "unknown_step"), ("steps", 4, "done_on", "2024-05-32", "not_a_date"),
    ]  # fmt: skip
    found = account(survey, "steps")
    assert [found[name] for name in ("rows_read", "rows_used", "rows_rejected")] == [3, 2, 1]


def test_a_steps_table_with_headers_alone_is_no_fault():
    survey = survey_of("form_id | delivery | service\nf1 | fair | ", tables={"steps": STEPS.strip()})
    assert (len(survey.tables["steps"]), account(survey, "steps")["rows_read"]) == (0, 0)


# --- the worked example -------------------------------------------------------------------------------


def test_the_worked_example_is_a_survey_like_any_other():
    survey = load.worked_example(demo())
    assert survey.answers.loc["r3"].tolist() == ["", "fair"]
    assert rejections(survey) == [("responses", 4, "delivery", "great", "unknown_level")]
    assert survey.counts == Counts(distributed=4, complaints=1, deliveries=100)


def test_lines_of_a_worked_example_have_the_same_cells():
    with pytest.raises(ParameterError, match="demo: worked_example.responses: lines differ in their cells"):
        load.worked_example(
            demo(worked_example={"responses": "form_id | delivery | service\nr1 | fair", "expect": {"returned": 1}})
        )


def test_a_worked_example_counts_what_a_run_file_counts():
    example = {
        "responses": "form_id | delivery | service\nr1 | fair | fair",
        "counts": {"returned": 1},
        "expect": {"returned": 1},
    }
    with pytest.raises(ParameterError, match="demo: worked_example.counts: 'returned' is not a count; use one of "):
        load.worked_example(demo(worked_example=example))


def test_the_order_of_tables_and_rows_changes_nothing(make_root):
    root = make_root(responses=RESPONSES, frame="customer_id\nc1\n")
    rules_run = run_of()
    sheets = {
        table: tables.read_sheet(root / f"data/demo/2024/{table}.csv", Read(), root) for table in ("responses", "frame")
    }
    first = load.assemble(demo(), rules_run, sheets)
    second = load.assemble(demo(), rules_run, dict(reversed(sheets.items())))
    assert first.accounts.equals(second.accounts) and first.forms.equals(second.forms)
    assert [table for table in runs.TABLES if table in sheets] == first.accounts["table"].tolist()


def test_a_survey_shows_itself_without_running_what_stands_in_it():
    survey = survey_of("form_id | delivery | service\n<script>alert(1)</script> | fair | ")
    assert "demo 2024" in repr(survey) and "<script>" not in survey._repr_html_()


# --- the population ---------------------------------------------------------------------------------------------------

PLAIN = "form_id | delivery | service\na | satisfied | fair\nb | fair | fair"


def test_a_declared_population_is_the_number_of_customers_in_scope():
    survey = survey_of(PLAIN, design={"population": {"A": 50, "B": 60}})
    assert survey.counts.frame == 110


def test_a_population_and_a_frame_that_disagree_are_an_error():
    with pytest.raises(DataError, match="design.population: adds to 3, and the frame of 2024 holds 2; mend"):
        survey_of(PLAIN, tables={"frame": "customer_id\nk1\nk2"}, design={"population": {"A": 3}})
    with pytest.raises(DataError, match="counts.frame: says 4, and the table holds 3; mend"):
        survey_of(PLAIN, design={"population": {"A": 3}}, plan={"counts": {"frame": 4}})


@pytest.mark.parametrize("frame, told", [(1, [("more_than_frame", {"returned": 2, "frame": 1})]), (2, []), (None, [])])
def test_more_forms_than_customers_are_told(frame, told):
    assert [tuple(finding) for finding in survey_of(PLAIN, plan={"counts": {"frame": frame}}).findings] == told


def test_more_forms_than_were_sent_are_told():
    found = survey_of(PLAIN, plan={"counts": {"distributed": 1}}).findings
    assert [tuple(finding) for finding in found] == [("more_than_distributed", {"returned": 2, "distributed": 1})]


def test_a_choice_of_rows_that_chooses_none_is_an_error():
    nothing = sheet("form_id | delivery | service")._replace(elsewhere=True)
    with pytest.raises(DataError, match="no row is chosen by read: responses: where"):
        load.assemble(demo(), run_of(), {"responses": nothing})


@pytest.mark.parametrize("name", ["weight", "count"])
def test_a_weight_is_no_group(name):
    rows = f"form_id | delivery | service | {name}\na | fair | fair | 1"
    with pytest.raises(ParameterError, match=f"{name!r} is a name the package gives itself"):
        survey_of(rows, groups=[name])
