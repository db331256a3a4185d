"""A record keeps its contract: every key, plain values, nothing of a person, nothing of this machine, the same again."""

import csv
import datetime as dt
import json
import math
import re

import jsonschema
import numpy as np
import pandas as pd
import pytest

import publishing
from conftest import demo, survey_of
from csat_analysis import checks
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.importance import importance_of
from csat_analysis.publishing import records
from reporting import demo_result, demo_source

FORMS = """
form_id | customer_id | delivery  | service   | segment | building | comment
r1      | C-0001      | satisfied | fair      | owner   | 东       | 电梯太慢
r2      | C-0002      | satisfied | satisfied | owner   | 东       |
r3      | C-0003      | fair      | satisfied | owner   | 东       |
r4      | C-0004      | great     | fair      | owner   | 东       | <b>again</b>
r5      | C-0005      | satisfied | fair      | owner   | 东       |
r6      | C-0006      | satisfied | fair      | tenant  | 西       |
r7      | C-0007      | fair      | fair      | tenant  | 西       |
r8      | C-0008      | fair      |           | tenant  | 西       |
r9      | C-0009      | satisfied | satisfied | tenant  | 西       |
"""
RULES = demo(
    satisfied={"levels": ["satisfied"]}, satisfied_form={"reading": "item", "item": "delivery"},
    triggers=[{"id": "flag", "title": "Flag", "clause": "5.3"}],
    clauses=[{"id": name, "title": f"Clause {name}"} for name in ("3.1", "5.2", "5.3", "7")],
    steps=[
        {"id": "plan", "title": "Plan", "before": "fieldwork", "record": "minutes", "clause": "3.1"},
        {"id": "meeting", "title": "Meeting", "every": "half_year"},
    ],
    registers=[{"id": "minutes", "title": "Minutes", "clause": "7"}],
)  # fmt: skip
STEPS = """
step    | due_on     | done_on    | responsible | evidence       | reason
plan    | 2024-05-31 | 2024-05-20 | Zhang Wei   | minutes no. 12 |
meeting | 2024-02-20 | 2024-02-21 | Zhang Wei   | minutes no. 13 | was ill
"""
RUN = {
    "groups": ["segment"],
    "within": [{"zh": "华南区", "en": "South"}, "Shenzhen"],
    "design": {"stratum": "building"},
    "targets": {"satisfaction_rate": 0.9},
    "plan": {"counts": {"frame": 50, "distributed": 20, "deliveries": 100, "complaints": 2}},
    "tables": {"steps": STEPS},
}
CONTRACT = {
    place: keys.split()
    for place, keys in (
        line.split(":")
        for line in """\
record: schema_version programme project title within period baseline as_of status measures gates triggers index grade items strata groups complaints actions comparisons change steps clauses rejected rejected_count inputs software
programme: id version title sha256
measures: id value numerator denominator conf_low conf_high method se clause
gates: measure comparison threshold value conf_low conf_high interval passed verdict certainty tipping_point worst best severity source clause
triggers: id because clause
index: value conf_low conf_high se df method
grade: id certainty probabilities
items: id n mean mean_se share_satisfied share_se conf_low conf_high
strata: by level id n mean mean_se share_satisfied share_se conf_low conf_high suppressed
groups: by level id n mean mean_se share_satisfied share_se conf_low conf_high suppressed
comparisons: id kind against before estimate conf_low conf_high status
steps: kind id window due_on done_on state why clause
clauses: clause state
rejected: table row column value reason
inputs: table file sha256 rows
""".splitlines()
    )
}
FIGURES = CONTRACT["items"][1:]
SURVEYS = {
    "whole": (FORMS, RUN),
    "nobody answered": ("form_id | delivery | service\nr1 | | \nr2 | great | ", {}),
    "one form": ("form_id | delivery | service\nr1 | fair | fair", {}),
    "no weight": ("form_id | delivery | service | w\nr1 | fair | fair | 0", {"design": {"weight": "w"}}),
    "clusters": ("form_id | delivery | service | c\nr1 | fair | fair | a\nr2 | | fair | b", {"design": {"cluster": "c"}}),
    "a census": ("form_id | delivery | service\nr1 | fair | fair\nr2 | fair | ", {"plan": {"counts": {"frame": 2}}}),
}  # fmt: skip


def record_of(forms=FORMS, **keys):
    """Return the record of a survey as who reads the file gets it."""
    survey = survey_of(forms, RULES, **{**RUN, **keys})
    return json.loads(records.as_json(records.build(assess(survey))))


@pytest.fixture(scope="module")
def schema():
    """Return the JSON Schema of a record, as the command prints it, checked once."""
    schema = json.loads(checks.schema("record"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture(scope="module")
def whole():
    """Return the record of the whole survey."""
    return record_of()


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", CONTRACT)
def test_every_key_of_the_contract_is_there(whole, place):
    part = whole if place == "record" else whole[place]
    for row in part if isinstance(part, list) else [part]:
        assert set(CONTRACT[place]) - row.keys() == set()
    assert part, "this survey has nothing to say there"


def test_what_is_still_to_come_is_null_or_empty(whole):
    assert (whole["complaints"], whole["actions"], whole["change"]) == (None, [], [])


def test_what_a_programme_does_not_have_is_null():
    survey = survey_of(FORMS, demo(gates=[], index=None, grades=[]), groups=["segment"])
    record = json.loads(records.as_json(records.build(assess(survey))))
    assert (record["index"], record["grade"], record["baseline"]) == (None, None, None)
    assert [record[name] for name in ("gates", "triggers", "comparisons", "strata", "steps", "clauses", "within")] == [
        []
    ] * 7
    assert record.keys() >= set(CONTRACT["record"])


@pytest.mark.parametrize(("forms", "keys"), SURVEYS.values(), ids=SURVEYS)
def test_a_record_is_valid_by_its_own_schema(schema, forms, keys):
    schema.validate(record_of(forms, **{"groups": [], "design": {}, "targets": {}, "plan": {}, **keys}))


@pytest.mark.parametrize("key", CONTRACT["record"])
def test_the_schema_asks_for_every_key(schema, whole, key):
    with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required property"):
        schema.validate({name: value for name, value in whole.items() if name != key})


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("status", "good"),
        ("as_of", None),
        ("rejected_count", "many"),
        ("gates", [{"measure": "return_rate"}]),
        ("index", {"value": "high", "conf_low": None, "conf_high": None, "se": None, "df": None, "method": "sum"}),
        ("within", ["South"]),
        ("steps", [{"kind": "step", "id": "plan", "state": "met"}]),
        ("clauses", [{"clause": "5.2"}]),
    ],
)
def test_the_schema_knows_what_a_value_may_be(schema, whole, key, wrong):
    with pytest.raises(jsonschema.ValidationError):
        schema.validate({**whole, key: wrong})


# --- values -----------------------------------------------------------------------------------------------------------


def leaves(value):
    """Yield everything that stands in a structure."""
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part)
    else:
        yield value


@pytest.mark.parametrize(("forms", "keys"), SURVEYS.values(), ids=SURVEYS)
def test_values_are_plain_and_finite(forms, keys):
    survey = survey_of(forms, RULES, **{"groups": [], "design": {}, "targets": {}, "plan": {}, **keys})
    values = list(leaves(records.build(assess(survey)).model_dump()))
    assert {type(value) for value in values} <= {str, int, float, bool, type(None)}
    assert [value for value in values if isinstance(value, float) and not math.isfinite(value)] == []


@pytest.mark.parametrize(
    ("value", "plain"),
    [(math.nan, None), (math.inf, None), (-math.inf, None), (pd.NA, None), (pd.NaT, None), (np.float64("nan"), None),
     (np.float64(0.1), 0.1), (np.int64(3), 3), (np.bool_(False), False), (np.str_("fair"), "fair"), (None, None), ("", "")],
)  # fmt: skip
def test_a_table_is_rows_of_plain_values(value, plain):
    [row] = records.rows(pd.DataFrame({"value": [value]}, dtype=object))
    assert row == {"value": plain}
    assert type(row["value"]) is type(plain)


def test_a_value_that_is_no_number_never_gets_into_a_file():
    with pytest.raises(ValueError, match="JSON"):
        records.as_json({"value": math.nan})


@pytest.mark.parametrize(("by", "large", "small"), [("groups", "owner", "tenant"), ("strata", "东", "西")])
def test_a_group_too_small_to_be_shown_has_no_figures(whole, by, large, small):
    # four answers of the owners to delivery and four tenants at most; the owners' five to service would give theirs away
    found = {(row["level"], row["id"]): row for row in whole[by]}
    assert set(found) == {(level, item) for level in (large, small) for item in ("delivery", "service")}
    assert all(row["suppressed"] for row in found.values())
    assert {row[name] for row in found.values() for name in FIGURES} == {None}


def test_a_gate_brings_its_certainty_its_exact_interval_and_what_the_silent_could_make_of_it():
    # 5 of 9 of an unknown population; 9 of 20 came back
    gates = [{"measure": "satisfaction_rate", "comparison": "at_least", "threshold": 0.5}]
    survey = survey_of(FORMS, demo(gates=gates, satisfied={"levels": ["satisfied"]}, satisfied_form={"reading": "item", "item": "delivery"},
                                   satisfaction_rate={"denominator": "returned"}), plan={"counts": {"distributed": 20}})  # fmt: skip
    [gate] = json.loads(records.as_json(records.build(assess(survey))))["gates"]
    certainty = sum(math.comb(10, k) for k in range(6)) / 2**10  # Beta(6, 5) above one half
    assert (gate["passed"], gate["verdict"], gate["interval"]) == (True, "borderline", "exact")
    assert (gate["value"], gate["certainty"]) == pytest.approx((5 / 9, certainty))
    assert (gate["tipping_point"], gate["worst"], gate["best"]) == pytest.approx((5 / 11, 5 / 20, 16 / 20))
    assert (gate["conf_low"], gate["conf_high"]) == pytest.approx((0.2120, 0.8630), abs=1e-4)  # Clopper and Pearson


def test_steps_have_their_days_and_states_and_nothing_that_people_wrote(whole):
    assert [(row["id"], row["window"], row["due_on"], row["done_on"], row["state"], row["why"]) for row in whole["steps"]] == [
        ("plan", None, "2024-05-31", "2024-05-20", "met", "done"),
        ("meeting", "2024-01-01", "2024-02-20", "2024-02-21", "late", "done_late"),
        ("meeting", "2024-07-01", "2024-12-31", None, "missing", "not_done"),
        ("minutes", None, None, "2024-05-20", "met", "written_by_step"),
    ]  # fmt: skip
    assert [row["kind"] for row in whole["steps"]] == ["step", "step", "step", "register"]
    written = json.dumps(whole, ensure_ascii=False)
    assert [text for text in ("Zhang", "minutes no.", "was ill") if text in written] == []


def test_a_clause_stands_as_the_worst_that_carries_it_out(whole):
    assert whole["clauses"] == [
        {"clause": "3.1", "state": "met"}, {"clause": "5.2", "state": "not_met"}, {"clause": "5.3", "state": "required"},
        {"clause": "7", "state": "met"},
    ]  # fmt: skip


def test_names_and_dates_are_those_of_the_run(whole):
    assert whole["within"] == [{"zh": "华南区", "en": "South"}, {"zh": "Shenzhen", "en": "Shenzhen"}]
    assert (whole["project"], whole["period"], whole["as_of"]) == ("demo", "2024", "2025-01-10")
    assert whole["title"] == {"zh": "Demo", "en": "Demo"}
    assert whole["programme"]["id"] == "demo"
    assert whole["programme"]["title"] == {"zh": "示例规程", "en": "Demonstration"}


# --- the same again ---------------------------------------------------------------------------------------------------


def test_the_same_survey_gives_the_same_bytes():
    first, second = (records.as_json(records.build(assess(survey_of(FORMS, RULES, **RUN)))) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("first", [1, 4, 8])
def test_the_order_of_rows_changes_no_figure(whole, first):
    head, *rows = FORMS.strip().splitlines()
    found = record_of("\n".join([head, *rows[first:], *rows[:first]]))
    for part in whole.keys() - {"rejected"}:  # it names the line
        for before, after in zip(leaves(whole[part]), leaves(found[part]), strict=True):
            assert after == (pytest.approx(before, rel=1e-12) if isinstance(before, float) else before), part


# --- what stays in the house ------------------------------------------------------------------------------------------

SECRETS = [
    "C-0007", "r-0003", "K-0009", "13800138000", "li@example.org", "电梯", "楼道", "漏水", "cracked", "张伟", "Zhang",
]  # fmt: skip
PRIVATE = {
    "data/demo/2024/responses.csv": """\
form_id,customer_id,delivery,service,received_on,comment
r-0001,C-0001,satisfied,fair,2024-11-02,"电梯太慢,每天等很久"
r-0002,C-0002,li@example.org,fair,13800138000,<script>alert(1)</script>
r-0003,C-0007,great,,2024-13-45,楼道很干净
r-0003,C-0007,fair,fair,2024-11-05,楼道很干净
r-0004,C-0004,fair,fair,2024-11-06,漏水,没有人来
,C-0007,fair,fair,2024-11-07,
""",
    "data/demo/2024/frame.csv": "customer_id,name\nC-0001,Li\nC-0002,Wu\nC-0004,He\nC-0007,Xu\nC-0007,Xu\n",
    "data/demo/2024/distribution.csv": "form_id,customer_id,disposition\nr-0001,C-0001,returned\nr-0002,C-0002,returned\n"
    "r-0003,C-0007,returned\nr-0003,C-0007,returned\nr-0004,C-0004,lost\n",
    "data/demo/2024/complaints.csv": "complaint_id,customer_id,received_on,description\nK-0009,C-0007,2024-05-01,cracked\n"
    "K-0009,C-0007,2024-05-01,cracked\n",
    "data/demo/2024/steps.csv": "step,done_on,responsible,evidence,reason\nplan,2024-05-20,张伟,E-12 by Zhang,\n"
    "return_rate,,,,张伟 was ill\nli@example.org,2024-05-20,张伟,E-13,\nplan,2024-05-32,Zhang Wei,E-14,\n",
    "params/programmes/demo.yml": publishing.programme() + "steps: [{id: plan, title: Plan}]\n",
    "params/runs/demo.yml": publishing.RUN_FILE.replace(", counts: {distributed: 4}", ""),
}


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    """Return a published root whose tables name people, and hold a fault wherever one can be."""
    root = publishing.make_root(tmp_path_factory.mktemp("private"), PRIVATE)
    assert publishing.run(root).status == 0
    return root


@pytest.fixture(scope="module")
def texts(private):
    """Return the record and the rejections as they stand in the folder."""
    folder = private / "reports" / "demo" / "2024"
    return {name: (folder / name).read_text("utf-8") for name in ("record.json", "rejected.csv")}


def test_each_table_has_something_rejected(private):
    record = publishing.record(private)
    assert {(row["table"], row["reason"]) for row in record["rejected"]} == {
        ("frame", "duplicate"), ("distribution", "duplicate"), ("distribution", "unknown_disposition"),
        ("responses", "unknown_level"), ("responses", "not_a_date"), ("responses", "duplicate"), ("responses", "ragged"),
        ("responses", "empty_id"), ("complaints", "duplicate"), ("steps", "unknown_step"), ("steps", "not_a_date"),
    }  # fmt: skip


@pytest.mark.parametrize("file", ["record.json", "rejected.csv"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_person_and_no_comment_leaves_the_house(texts, file, secret):
    assert secret not in texts[file]


@pytest.mark.parametrize("file", ["record.json", "rejected.csv"])
def test_no_clock_and_no_path_of_this_machine(private, texts, file):
    assert re.findall(r"\d\d:\d\d", texts[file]) == []
    days = [dt.datetime.now(zone).date() for zone in (None, dt.UTC)]
    assert [day for day in days if day.isoformat() in texts[file]] == []
    assert str(private) not in texts[file]
    assert [value for value in re.findall(r'"([^"]*)"', texts[file]) if re.match(r"/|[A-Za-z]:[\\/]|~", value)] == []


# --- rejections -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "listed"), [(999, 999), (1000, 1000), (1001, 1000)])
def test_the_first_thousand_rejections_are_listed_and_all_are_in_the_table(n, listed, tmp_path):
    rows = "".join(f"r{number},great{number},fair\n" for number in range(n))
    root = publishing.make_root(tmp_path, {
        "data/demo/2024/responses.csv": f"form_id,delivery,service\n{rows}",
        "params/runs/demo.yml": publishing.RUN_FILE.replace("distributed: 4", f"distributed: {n}"),
    })  # fmt: skip
    assert publishing.run(root).status == 0
    record = publishing.record(root)
    assert (record["rejected_count"], len(record["rejected"])) == (n, listed)
    with (root / "reports/demo/2024/rejected.csv").open(encoding="utf-8", newline="") as file:
        everything = list(csv.DictReader(file))
    assert [row["value"] for row in everything] == [f"great{number}" for number in range(n)]
    assert [{**row, "row": str(row["row"])} for row in record["rejected"]] == everything[:listed]


def test_every_answer_of_the_page_is_in_the_record():
    rows = "form_id | delivery | service\na | satisfied | fair\nb | fair | \nc | satisfied | great\nd | n/a | n/a"
    found = records.build(assess(survey_of(rows, demo(not_applicable=["n/a"]))))
    said = {(row.item, row.level): (row.n, row.share) for row in found.answers}
    assert said["delivery", "satisfied"] == (2, pytest.approx(2 / 3))
    assert said["delivery", "not_applicable"] == (1, None)
    assert [said["service", level] for level in ("fair", "empty", "rejected")] == [(1, 1.0), (1, None), (1, None)]


def test_what_goes_with_the_overall_question_is_in_the_record():
    record, found = demo_source("yuanya", "2024").record, importance_of(demo_result("yuanya", "2024"))
    assert [(row.item, row.share, row.quadrant) for row in record.importance] == [
        *found.table[["driver", "share", "quadrant"]].itertuples(index=False, name=None)
    ]
    assert sum(row.share for row in record.importance) == pytest.approx(1)
    drivers = record.drivers
    assert (drivers.target, drivers.reason, drivers.n, drivers.items) == ("overall", "", 249, 4)
    assert drivers.conf_low < drivers.r_squared < drivers.conf_high


def test_why_nothing_goes_with_the_overall_question_is_in_the_record():
    record = records.build(assess(survey_of(FORMS, demo(overall="service"))))
    assert (record.drivers.target, record.drivers.reason, record.importance) == ("service", "too_few", [])
    assert records.build(assess(survey_of(FORMS))).drivers.reason == "no_target"


def test_items_without_titles_have_none_in_the_record():
    items = [
        {"id": "delivery", "weight": 0.6},
        {"id": "service", "weight": 0.4, "title": {"zh": "服务", "en": "Service"}},
    ]
    found = records.build(assess(survey_of("form_id | delivery | service\na | satisfied | fair", demo(items=items))))
    assert found.item_titles == {"delivery": {}, "service": {"zh": "服务", "en": "Service"}}
