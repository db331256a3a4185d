"""Verdicts stand on unrounded values and exact boundaries; what has no data has no verdict, and nothing breaks."""

import datetime as dt
import json
import math

import pandas as pd
import pytest

from conftest import demo, remembered, survey_of
from csat_analysis.assembly import assessment, gates, load
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.domain.evidence import Measure
from csat_analysis.ground import params
from csat_analysis.ground.errors import ParameterError
from csat_analysis.ground.programmes import Gate, meets

SHIPPED = sorted(path.stem for path in params.shipped("params", "programmes").glob("*.yml"))
TABLES = (
    "measures", "gates", "triggers", "items", "strata", "groups", "distribution", "comparisons", "steps", "clauses",
)  # fmt: skip
FORMS = "form_id | delivery | service | count\n"


def gate(measure="return_rate", comparison="at_least", threshold=0.7, **keys) -> dict:
    return {"measure": measure, "comparison": comparison, "threshold": threshold, **keys}


@remembered
def result(
    rows="a | satisfied | fair | 7", distributed: int | None = 10, plan=None, run=None, tables=None, **keys
) -> Assessment:
    """Return what the demonstration says of a few forms of ``distributed``, with keys of the procedure replaced."""
    counts = {"distributed": distributed} if distributed is not None else {}
    survey = survey_of(FORMS + rows, demo(**keys), tables, plan={"counts": counts, **(plan or {})}, **(run or {}))
    return assess(survey)


def assert_plain(found: Assessment) -> None:
    """Hold every table to plain values: days, what JSON can hold, and None where there is no number."""
    for name in TABLES:
        days = [value for value in getattr(found, name).to_numpy().ravel() if isinstance(value, dt.date)]
        assert {type(day) for day in days} <= {dt.date}  # no time of the day, and no NaT
        json.dumps(getattr(found, name).to_dict("records"), allow_nan=False, default=str)
    json.dumps([found.index, found.grade, found.status, *map(list, found.survey.findings)], allow_nan=False)


# --- the whole way ------------------------------------------------------------------------------------


def test_the_worked_example_of_the_design_comes_out():
    found = assess(load.worked_example(demo()))
    expected = demo().worked_example.expect
    assert {name: assessment.outcome(found, name) for name in expected} == pytest.approx(expected)
    assert (found.status, found.triggers.to_dict("records")) == ("reportable", [])
    assert_plain(found)


@pytest.mark.parametrize(
    "name, value",
    [
        ("returned", 3), ("valid", 3), ("rejected", 1), ("status", "reportable"), ("grade", "poor"), ("gates.return_rate", "met"),
        ("survey_rate", 280 / 600), ("delivery.mean", 80), ("service.satisfied", None), ("gates.valid_rate", None),
    ],
)  # fmt: skip
def test_an_example_may_expect_whatever_an_assessment_gives(name, value):
    assert assessment.outcome(assess(load.worked_example(demo())), name) == pytest.approx(value)


@pytest.mark.parametrize("name", ["retrun_rate", "delivery.median", "price.mean", "delivery"])
def test_an_example_that_expects_something_else_is_told_so(name):
    with pytest.raises(
        ParameterError, match=f"demo: worked_example.expect: '{name}' is nothing an assessment gives; use returned, "
    ):
        assessment.outcome(assess(load.worked_example(demo())), name)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_example_gives_plain_values(name):
    document = params.read_programme(params.shipped("params", "programmes", f"{name}.yml"))
    assert_plain(assess(load.worked_example(document.content)))


@pytest.mark.parametrize("rows", ["a | satisfied | fair | -1", " | satisfied | fair | 1", "a | | | 0"])
def test_a_survey_whose_rows_all_fall_is_assessed_all_the_same(rows):
    voids = gate("invalid_rate", "at_most", 0.3, voids="unless_remedied")
    found = result(
        rows, gates=[gate(otherwise="flag"), voids, gate("index"), gate("delivery.mean"), gate("survey_rate")],
        satisfied={"levels": ["satisfied"]}, satisfied_form={"reading": "item", "item": "delivery"},
        run={"groups": ["service"], "targets": {"satisfaction_rate": 0.9}, "design": {"stratum": "delivery"}},
    )  # fmt: skip
    assert (found.status, found.index["value"], found.grade) == ("reportable", None, None)
    assert found.items["n"].tolist() == [0, 0]
    assert found.gates["passed"].tolist() == [False, True, None, None, None]
    assert found.gates["verdict"].tolist() == ["not_met", "met", None, None, None]
    assert found.triggers.to_dict("records") == [{"id": "flag", "because": "return_rate", "clause": None}]
    assert_plain(found)


def test_a_survey_of_one_row_of_ragged_lines_is_assessed_all_the_same(make_root):
    root = make_root(responses="form_id,delivery,service\nf1,fair\n")
    found = assess(load.survey("demo", "2024", root))
    assert (found.evidence.returned, found.evidence.valid, len(found.survey.rejected)) == (0, 0, 1)
    assert_plain(found)


def test_full_tables_hold_plain_values():
    found = result(
        "a | satisfied | fair | 7\nb | fair | not_applicable | 2", satisfied={"levels": ["satisfied"]},
        gates=[gate(otherwise="flag", clause="5.2"), gate("service.satisfied", threshold=0.5)],
        triggers=[{"id": "flag", "title": "Flag", "clause": "5.3"}], run={"groups": ["service"], "targets": {"return_rate": 0.95}},
        plan={"counts": {"distributed": 20, "frame": 30, "complaints": 2, "deliveries": 40}},
    )  # fmt: skip
    assert_plain(found)
    assert found.gates["otherwise"].tolist() == ["flag", None]
    assert found.gates["clause"].tolist() == ["5.2", None]
    assert found.triggers.to_dict("records") == [{"id": "flag", "because": "return_rate", "clause": "5.3"}]


def test_every_published_measure_has_its_row():
    found = result(measures=["survey_rate"], run={"targets": {"complaints_per_1000": 2}})
    assert found.measures["id"].tolist() == [
        "distribution_rate", "return_rate", "response_rate", "valid_rate", "invalid_rate", "satisfaction_rate",
        "satisfaction_rate_of_valid", "survey_rate", "weighted_score", "complaint_rate", "complaints_per_1000",
    ]  # fmt: skip
    assert found.measure("return_rate")["clause"] == "5.2"
    assert found.measure("index")["value"] is None


def test_a_survey_shows_its_gates_without_running_what_stands_in_them():
    found = result(gates=[gate(clause="<script>alert(1)</script>")])
    assert "<script>" not in found._repr_html_() and repr(found) == "<Assessment demo 2024: reportable>"


# --- gates --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("returned, passed, verdict", [(6, False, "not_met"), (7, True, "met"), (8, True, "met")])
def test_a_gate_is_decided_at_its_threshold(returned, passed, verdict):
    (row,) = result(f"a | satisfied | fair | {returned}").gates.to_dict("records")
    assert (row["passed"], row["verdict"], row["value"]) == (passed, verdict, returned / 10)
    assert (row["severity"], row["source"], row["clause"], row["certainty"]) == ("rule", "clause", "5.2", None)


def test_a_gate_without_data_has_no_verdict():
    (row,) = result(distributed=None).gates.to_dict("records")
    assert (row["value"], row["passed"], row["verdict"], row["rounding_flips"]) == (None, None, None, False)


@pytest.mark.parametrize(
    "value, comparison, threshold, unit, flips",
    [
        (0.84994, "at_least", 0.85, "share", False),  # shown 84.99 %
        (0.849951, "at_least", 0.85, "share", True),  # shown 85.00 %
        (0.85, "at_least", 0.85, "share", False),
        (0.300049, "at_most", 0.3, "share", True),  # shown 30.00 %
        (0.30006, "at_most", 0.3, "share", False),  # shown 30.01 %
        (0.850049, "more_than", 0.85, "share", True),  # shown 85.00 %
        (69.9951, "at_least", 70, "points", True),
        (69.994, "at_least", 70, "points", False),
        (None, "at_least", 70, "points", False),
    ],
)
def test_a_verdict_that_rounding_would_turn_is_named_and_stays(value, comparison, threshold, unit, flips):
    rule, figure = Gate.model_validate(gate("index", comparison, threshold)), Measure(value, None, None)
    found = gates.judge(rule, figure, result().evidence, False, unit)
    assert found["rounding_flips"] is flips
    assert found["passed"] is (None if value is None else meets(value, comparison, threshold))


@pytest.mark.parametrize(
    "measure, value",
    [
        ("index", 84 - 100 * 0.02),
        ("weighted_score", 84),
        ("delivery.mean", 100),
        ("service.satisfied", 0),
        ("return_rate", 0.7),
    ],
)
def test_a_gate_looks_at_the_index_a_measure_or_a_figure_of_an_item(measure, value):
    counts = {"distributed": 10, "complaints": 2, "deliveries": 100}
    found = result(gates=[gate(measure)], satisfied={"levels": ["satisfied"]}, plan={"counts": counts})
    assert found.gates["value"].tolist() == pytest.approx([value])


@pytest.mark.parametrize(
    "as_of, distributed, passed, verdict, triggers",
    [
        ("2024-12-30", 17, None, "in_progress", 0),
        ("2024-12-30", 18, True, "met", 0),
        ("2024-12-31", 17, False, "not_met", 1),
        ("2024-12-31", 18, True, "met", 0),
        ("2025-01-10", 17, False, "not_met", 1),
    ],
)
def test_a_cumulated_measure_is_in_progress_until_its_period_ends(as_of, distributed, passed, verdict, triggers):
    plan = {"as_of": as_of, "counts": {"distributed": distributed, "frame": 20}}
    found = result(plan=plan, gates=[gate("distribution_rate", threshold=0.9, cumulated=True, otherwise="flag")])
    assert (found.gates["passed"][0], found.gates["verdict"][0], len(found.triggers)) == (passed, verdict, triggers)


def test_what_is_not_cumulated_is_judged_at_any_time():
    found = result(
        "a | fair | fair | 6",
        plan={"as_of": "2024-06-30", "counts": {"distributed": 10}},
        gates=[gate(otherwise="flag")],
    )
    assert (found.gates["verdict"].tolist(), len(found.triggers)) == (["not_met"], 1)


def test_a_missed_target_of_the_procedure_is_no_rule_and_a_gate_all_the_same():
    (row,) = result("a | fair | fair | 6", gates=[gate(severity="target")]).gates.to_dict("records")
    assert (row["severity"], row["verdict"], row["source"]) == ("target", "not_met", "assumption")


# --- triggers -----------------------------------------------------------------------------------------


def test_failed_gates_set_off_their_triggers_and_others_do_not():
    found = result(
        "a | fair | fair | 5",
        gates=[
            gate(threshold=0.6, otherwise="flag", clause="5.2"),  # failed
            gate(threshold=0.7),  # failed, nothing follows
            gate(threshold=0.5, otherwise="flag"),  # met
            gate("index", otherwise="flag"),  # no data
            gate("weighted_score", threshold=70, otherwise="action", clause="5.4"),  # failed
        ],
        triggers=[{"id": "action", "title": "Action", "clause": "6.1"}],
    )
    assert found.triggers.to_dict("records") == [
        {"id": "flag", "because": "return_rate", "clause": "5.2"},
        {"id": "action", "because": "weighted_score", "clause": "6.1"},
    ]


# --- status -------------------------------------------------------------------------------------------

VOIDS = [
    gate("invalid_rate", "at_most", 0.3, clause="0§6", voids="unless_remedied", otherwise="remedy"),
    gate(threshold=0.99),
]


@pytest.mark.parametrize(
    "remedy, as_of, invalid_status, valid_status",
    [
        (None, "2025-01-10", "remedy_due", "reportable"),
        ({}, "2025-01-10", "remedy_due", "reportable"),
        ({"due_on": "2025-01-11"}, "2025-01-10", "remedy_due", "reportable"),
        ({"due_on": "2025-01-10"}, "2025-01-10", "remedy_due", "reportable"),
        ({"due_on": "2025-01-09"}, "2025-01-10", "void", "reportable"),
        ({"due_on": "2025-01-31", "closed_on": "2025-01-09"}, "2025-01-10", "void", "reportable"),
        ({"due_on": "2025-01-31", "closed_on": "2025-01-10"}, "2025-01-10", "void", "reportable"),
        ({"due_on": "2025-01-31", "closed_on": "2025-01-11"}, "2025-01-10", "remedy_due", "reportable"),
        ({"due_on": "2025-01-05", "closed_on": "2025-01-09"}, "2025-01-10", "void", "reportable"),
        ({"due_on": "2025-01-05", "closed_on": "2025-01-11"}, "2025-01-10", "void", "reportable"),
        ({"closed_on": "2025-01-09"}, "2025-01-10", "void", "reportable"),
    ],
)
def test_a_survey_with_too_many_invalid_forms_is_remedied_or_void(remedy, as_of, invalid_status, valid_status):
    for blank, status in ((31, invalid_status), (30, valid_status)):
        plan = {"as_of": as_of, "remedy": remedy, "counts": {"distributed": 100}}
        found = result(f"a | fair | fair | 50\nb | | | {blank}", plan=plan, gates=VOIDS)
        assert found.status == status


def test_only_a_gate_that_voids_touches_the_status():
    assert result("a | fair | fair | 1").status == "reportable"
    assert result(distributed=None, gates=VOIDS).status == "reportable"


# --- index and grade ----------------------------------------------------------------------------------


def test_the_index_adds_its_terms_and_where_complaints_name_nobody_their_errors():
    # 4 forms of 100 and 3 of 60 points; 3 complaints in 100 deliveries, and one more takes a point away
    counts = {"distributed": 10, "complaints": 3, "deliveries": 100}
    found = result("a | satisfied | satisfied | 4\nb | fair | fair | 3", plan={"counts": counts})
    mean = 580 / 7
    of_forms = math.sqrt((4 * (100 - mean) ** 2 + 3 * (60 - mean) ** 2) / 6 / 7)
    half = 2.446912 * (of_forms + math.sqrt(3))  # t(0.975; 6 df)
    numbers = {name: value for name, value in found.index.items() if name != "method"}
    assert found.index["method"] == "bound"
    assert numbers == pytest.approx(
        {
            "value": mean - 3, "conf_low": mean - 3 - half, "conf_high": 100,  # as far as it can reach
            "process_low": mean - 3 - half, "process_high": 100,  # with complaints it is about the process
            "se": of_forms + math.sqrt(3), "df": 6,
        },
        rel=1e-6,
    )  # fmt: skip
    assert found.measure("index") == {"id": "index", "numerator": None, "denominator": None, **found.index}


@pytest.mark.parametrize(
    "keys, value, has_interval",
    [
        ({}, 79, True),
        ({"rows": "a | satisfied | fair | 1"}, 81, False),  # one form: an error, and unknown
        ({"rows": "a | satisfied | fair | 6"}, 81, False),  # all the same tell no error
        ({"run": {"design": {"cluster": "service"}}}, 79, True),
        ({"counts": {"distributed": 10, "complaints": 3}}, None, False),  # nobody knows of how many deliveries
        ({"counts": {"distributed": 10, "deliveries": 100}}, None, False),
        ({"rows": "a | | | 6"}, None, False),
        ({"index": {"weighted_score": 1}}, 82, True),
        ({"index": {"return_rate": 100}, "grades": None}, 40, False),  # a mere count has none either
    ],
)
def test_an_index_has_an_interval_where_all_errors_are_known(keys, value, has_interval):
    # forms of 84, 84, 100 and 60 points
    rows = "a | satisfied | fair | 2\nb | satisfied | satisfied | 1\nc | fair | fair | 1"
    counts = {"distributed": 10, "complaints": 3, "deliveries": 100}
    given = {"rows": rows, "counts": counts, **keys}
    found = result(plan={"counts": given.pop("counts")}, **given)
    assert found.index["value"] == (None if value is None else pytest.approx(value))
    assert [found.index[bound] is not None for bound in ("conf_low", "conf_high")] == [has_interval] * 2
    assert_plain(found)


def test_a_programme_without_an_index_has_none():
    found = result(index=None, grades=None)
    assert (found.index, found.grade) == (None, None)


def test_a_grade_brings_the_probability_of_every_band():
    # 84, 84, 100, 60 points: 82, standard error 8.2462; 3 df
    rows = "a | satisfied | fair | 2\nb | satisfied | satisfied | 1\nc | fair | fair | 1"
    found = result(rows, index={"weighted_score": 1})
    assert found.index["se"] == pytest.approx(math.sqrt((2 * 2**2 + 18**2 + 22**2) / 3 / 4))
    assert found.grade["id"] == "fair" and found.grade["certainty"] == found.grade["probabilities"]["fair"]
    assert list(found.grade["probabilities"]) == ["good", "fair", "poor"]
    assert sum(found.grade["probabilities"].values()) == pytest.approx(1, abs=0.005)  # from 0 points on
    assert result(index={"weighted_score": 1}).grade == {"id": "fair", "certainty": None, "probabilities": None}


# --- strata, groups, targets --------------------------------------------------------------------------


def test_strata_and_groups_have_the_figures_of_the_items():
    rows = "form_id | delivery | service | count | building | segment\na | satisfied | fair | 5 | A | x\nb | fair | fair | 4 | B | x\nc | fair | fair | 1 | C | x"
    found = assess(survey_of(rows, design={"stratum": "building"}, groups=["segment"]))
    assert found.strata[["by", "level", "id", "n", "suppressed"]].to_numpy().tolist() == [
        ["stratum", "A", "delivery", 5, False], ["stratum", "A", "service", 5, False],
        ["stratum", "B", "delivery", None, True], ["stratum", "B", "service", None, True],
        ["stratum", "C", "delivery", None, True], ["stratum", "C", "service", None, True],
    ]  # fmt: skip
    assert found.groups[["by", "level", "id", "n", "suppressed"]].to_numpy().tolist() == [
        ["segment", "x", "delivery", 10, False], ["segment", "x", "service", 10, False],
    ]  # fmt: skip


def test_without_groups_the_tables_have_their_columns():
    found = result()
    assert list(found.strata) == list(found.groups) == ["by", "level", *found.items.columns, "suppressed"]
    assert len(found.strata) == len(found.groups) == 0


def test_the_distance_to_a_target_keeps_its_interval():
    keys = {"satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "delivery"}}
    found = result(
        "a | satisfied | fair | 9\nb | fair | fair | 1", run={"targets": {"satisfaction_rate": 0.92}}, **keys
    )
    rate = found.measure("satisfaction_rate")
    (row,) = found.comparisons.to_dict("records")
    assert (row["id"], row["kind"], row["against"]) == ("satisfaction_rate", "target", 0.92)
    assert row["estimate"] == pytest.approx(0.9 - 0.92)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((rate["conf_low"] - 0.92, rate["conf_high"] - 0.92))


def test_a_target_on_what_has_no_value_has_no_row():
    assert isinstance(result(run={"targets": {"satisfaction_rate": 0.92}}).comparisons, pd.DataFrame)
    assert result(run={"targets": {"satisfaction_rate": 0.92}}).comparisons.empty
