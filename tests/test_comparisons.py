"""A difference is after minus before, with an interval made of those of both figures, and only between periods that one edition judged."""

import math

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from conftest import DEMO, demo, run_of, survey_of
from csat_analysis.assembly import comparisons, load
from csat_analysis.assembly.assessment import assess
from csat_analysis.domain.evidence import Measure
from csat_analysis.ground import params, runs
from csat_analysis.publishing import ledger
from csat_analysis.publishing.markup import Exhibit
from publishing import Page

# --- the interval of a difference -------------------------------------------------------------------------------------


def wilson(successes: int, n: int) -> tuple[float, float, float]:
    low, high = proportion_confint(successes, n, method="wilson")
    return successes / n, low, high


def difference(now: tuple, before: tuple) -> dict:
    then, since = {"x": figure(before)}, {"x": figure(now)}
    (row,) = comparisons.compare_periods("previous", "2023", "reportable", since, then).to_dict("records")
    return row


def figure(interval: tuple, process: tuple = (None, None)) -> comparisons.Figure:
    return comparisons.Figure(interval[0], tuple(interval[1:]), process)


@pytest.mark.parametrize(
    "k, n, before_k, before_n",
    [
        (56, 70, 48, 80),
        (9, 10, 3, 10),
        (6, 7, 2, 7),
        (5, 56, 0, 29),
        (0, 10, 0, 20),
        (10, 10, 0, 10),
        (10, 10, 10, 20),
        (1, 1, 0, 1),
    ],
)
def test_of_two_rates_it_is_newcombe_s(k, n, before_k, before_n):
    found = difference(wilson(k, n), wilson(before_k, before_n))
    low, high = confint_proportions_2indep(k, n, before_k, before_n, method="newcomb", compare="diff")
    assert found["estimate"] == pytest.approx(k / n - before_k / before_n)
    assert (found["conf_low"], found["conf_high"]) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))


@pytest.mark.parametrize(
    "k, n, before_k, before_n, low, high",
    [
        (56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090), (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926), (0, 10, 0, 20, -0.1611, 0.2775), (10, 10, 0, 20, 0.6791, 1.0),
    ],
)  # fmt: skip
def test_of_two_rates_it_is_the_published_one(k, n, before_k, before_n, low, high):
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10.
    found = difference(wilson(k, n), wilson(before_k, before_n))
    assert (found["conf_low"], found["conf_high"]) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_to_go_there_and_back_turns_the_sign():
    one, other = (84.0, 80.0, 90.0), (76.0, 70.0, 78.0)
    there, back = difference(one, other), difference(other, one)
    assert there["estimate"] == -back["estimate"] == 8
    assert (there["conf_low"], there["conf_high"]) == (
        pytest.approx(-back["conf_high"]),
        pytest.approx(-back["conf_low"]),
    )
    assert there["conf_low"] == pytest.approx(8 - math.hypot(84 - 80, 78 - 76))
    assert there["conf_high"] == pytest.approx(8 + math.hypot(90 - 84, 76 - 70))


def test_of_two_full_counts_the_difference_is_what_it_is():
    found = difference((0.9, 0.9, 0.9), (0.8, 0.8, 0.8))
    assert (found["conf_low"], found["conf_high"]) == (pytest.approx(0.1), pytest.approx(0.1))


@pytest.mark.parametrize("bare", [(0.9, None, None), (0.9, 0.8, None), (0.9, None, 0.95)])
def test_where_a_figure_has_no_interval_the_difference_has_none(bare):
    for now, before in ((bare, (0.8, 0.7, 0.85)), ((0.8, 0.7, 0.85), bare)):
        found = difference(now, before)
        assert (found["conf_low"], found["conf_high"]) == (None, None)
        assert found["estimate"] == pytest.approx(now[0] - before[0])


def test_the_interval_always_holds_the_difference_and_never_passes_what_can_be():
    for k in range(11):
        for before_k in range(11):
            found = difference(wilson(k, 10), wilson(before_k, 10))
            assert -1 <= found["conf_low"] <= found["estimate"] <= found["conf_high"] <= 1


# --- what is compared -------------------------------------------------------------------------------------------------


def test_only_what_both_periods_have_is_compared():
    now, before = (
        {name: figure((value, None, None)) for name, value in values.items()}
        for values in ({"a": 1.0, "b": 2.0}, {"b": 1.5, "c": 1.0})
    )
    found = comparisons.compare_periods("previous", "2023", "void", now, before)
    assert found[["id", "kind", "against", "before", "estimate", "status"]].values.tolist() == [
        ["b", "previous", "2023", 1.5, 0.5, "void"]
    ]


def test_figures_are_those_with_a_value_and_the_index():
    rate = Measure(0.9, 9, 10, 0.8, 0.95, "wilson", process_low=0.7, process_high=0.97)
    found = {"a": rate, "b": Measure(None, None, None), "c": Measure(0.0, 0, 10)}
    index = {"value": 84.0, "conf_low": None, "conf_high": None, "process_low": 80.0, "process_high": 88.0}
    assert comparisons.figures(found, index) == {
        "a": (0.9, (0.8, 0.95), (0.7, 0.97)),
        "c": (0.0, (None, None), (None, None)),
        "index": (84.0, (None, None), (80.0, 88.0)),
    }


def test_the_process_is_another_question_than_those_who_are_there():
    # 56 of 70 against 48 of 80: their Wilson intervals for the process; narrower ones for those who are there
    both = [figure((p, p - 0.02, p + 0.02), wilson(k, n)[1:]) for p, k, n in ((0.8, 56, 70), (0.6, 48, 80))]
    found = comparisons.compare_periods("previous", "2023", "reportable", {"x": both[0]}, {"x": both[1]}).iloc[0]
    assert (found["process_low"], found["process_high"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert (found["conf_low"], found["conf_high"]) == pytest.approx((0.2 - 0.02 * 2**0.5, 0.2 + 0.02 * 2**0.5))


def test_without_an_index_there_is_no_figure_of_it():
    found: dict = {}
    assert "index" not in comparisons.figures(found, None)
    assert "index" not in comparisons.figures(found, {"value": None, "conf_low": None, "conf_high": None})


def test_nothing_to_compare_is_an_empty_table_with_its_columns():
    assert comparisons.together([]).columns.tolist() == comparisons.COLUMNS
    assert comparisons.together([comparisons.compare_targets({}, {})]).empty


@pytest.mark.parametrize("target, estimate", [(0.70, 0.05), (0.75, 0.0), (0.80, -0.05)])
def test_the_distance_from_a_target_has_the_figure_s_interval_shifted(target, estimate):
    found = {"satisfaction_rate": Measure(0.75, 3, 4, 0.3, 0.95, "wilson"), "return_rate": Measure(0.5, 5, 10)}
    one, other = comparisons.compare_targets({"satisfaction_rate": target, "return_rate": 0.6}, found).to_dict(
        "records"
    )
    assert (one["kind"], one["against"], one["before"], one["estimate"]) == (
        "target",
        target,
        target,
        pytest.approx(estimate),
    )
    assert (one["conf_low"], one["conf_high"]) == (pytest.approx(0.3 - target), pytest.approx(0.95 - target))
    assert (other["estimate"], other["conf_low"], other["conf_high"]) == (pytest.approx(-0.1), None, None)


def test_a_target_for_what_has_no_value_is_in_no_row():
    assert comparisons.compare_targets({"a": 0.9, "b": 0.9}, {"a": Measure(None, None, None)}).empty


# --- which periods ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "period, previous, year_on_year",
    [
        ("2024", None, "2023"),
        ("2024H1", "2023H2", "2023H1"),
        ("2024H2", "2024H1", "2023H2"),
        ("2024Q1", "2023Q4", "2023Q1"),
        ("2024Q4", "2024Q3", "2023Q4"),
        ("2024-01", "2023-12", "2023-01"),
        ("2024-02", "2024-01", "2023-02"),
        ("2024-10", "2024-09", "2023-10"),
        ("2024-12", "2024-11", "2023-12"),
        ("0001", None, "0000"),
    ],
)
def test_a_period_has_one_before_it_and_the_same_one_a_year_before(period, previous, year_on_year):
    found = runs.earlier_periods(period)
    assert (found.get("previous"), found["year_on_year"]) == (previous, year_on_year)


@pytest.mark.parametrize("first", ["2024H1", "2024Q1", "2024-01"])
def test_going_back_a_period_at_a_time_leaves_no_gap(first):
    period = first
    for _ in range(25):
        before = runs.earlier_periods(period)["previous"]
        assert (runs.period_bounds(period)[0] - runs.period_bounds(before)[1]).days == 1
        assert runs.earlier_periods(before)["year_on_year"][4:] == before[4:]
        period = before


RUN = """\
project: demo
title: Demo
programme: demo
periods:
  "2024Q2": {as_of: 2024-07-10}
  "2024Q1": {as_of: 2024-04-10}
  "2023Q2": {as_of: 2023-07-10}
  "2023": {as_of: 2024-01-10}
"""
RESPONSES = "form_id,delivery,service\na,satisfied,fair\nb,fair,\nc,fair,fair\n"
OTHER = "form_id,delivery,service\na,satisfied,satisfied\nb,fair,fair\n"
EDITION = DEMO.replace("version: 1", "version: 2").replace("2024-01-01", "2024-04-01")


def quarters(make_root, **files):
    """Return a root with three quarters and a year; ``files`` by period, or by their paths."""
    held = {f"data/demo/{period}/responses.csv": RESPONSES for period in ("2024Q2", "2024Q1", "2023Q2")}
    return make_root({"params/runs/demo.yml": RUN, **held, **files})


def test_the_earlier_runs_are_those_that_the_run_file_holds(make_root):
    rules = params.read_rules(quarters(make_root))
    periods = {
        run.period: {kind: before.period for kind, (before, _) in params.earlier_runs(rules, run).items()}
        for run in rules.runs
    }
    assert periods == {
        "2024Q2": {"previous": "2024Q1", "year_on_year": "2023Q2"},
        "2024Q1": {},
        "2023Q2": {},
        "2023": {},  # its quarters are no years
    }


def test_an_earlier_run_whose_procedure_cannot_be_found_is_left_out(make_root):
    text = RUN.replace('"2024Q1": {', '"2024Q1": {programme: demo@7, ')
    rules = params.read_rules(quarters(make_root, **{"params/runs/demo.yml": text}))
    run = params.find_run(rules, "demo", "2024Q2")
    assert list(params.earlier_runs(rules, run)) == ["year_on_year"]


def test_a_survey_brings_those_of_the_earlier_periods(make_root):
    root = quarters(make_root, **{"data/demo/2024Q1/responses.csv": OTHER})
    survey = load.survey("demo", "2024Q2", root)
    assert {kind: (each.run.period, each.earlier) for kind, each in survey.earlier.items()} == {
        "previous": ("2024Q1", {}), "year_on_year": ("2023Q2", {}),
    }  # fmt: skip
    found = assess(survey).comparisons
    score = found[found["id"] == "weighted_score"].set_index("kind")
    assert score.loc["previous", ["against", "before", "estimate", "status"]].tolist() == [
        "2024Q1",
        80,
        68 - 80,
        "reportable",
    ]
    assert score.loc["year_on_year", ["against", "before", "estimate"]].tolist() == ["2023Q2", 68, 0]
    rates = found[found["id"] == "valid_rate"]
    assert rates[["conf_low", "conf_high"]].values.tolist() == [[None, None]] * 2  # a mere count


def test_an_earlier_period_says_the_same_as_its_own_report(make_root):
    root = quarters(make_root, **{"data/demo/2024Q1/responses.csv": OTHER})
    own = assess(load.survey("demo", "2024Q1", root))
    found = assess(load.survey("demo", "2024Q2", root)).comparisons
    now = assess(load.survey("demo", "2024Q2", root))
    for row in found[found["kind"] == "previous"].to_dict("records"):
        assert row["before"] == own.measure(row["id"])["value"]
        assert row["estimate"] == now.measure(row["id"])["value"] - row["before"]


def test_periods_that_different_editions_judged_are_not_compared_and_that_is_said(make_root):
    files = {
        "params/programmes/demo.yml": None,
        "params/programmes/demo@1.yml": DEMO,
        "params/programmes/demo@2.yml": EDITION,
    }
    survey = load.survey("demo", "2024Q2", quarters(make_root, **files))
    assert (survey.programme.version, survey.earlier) == (2, {})
    assert [finding for finding in survey.findings if finding.code == "other_edition"] == [
        ("other_edition", {"period": "2024Q1"}), ("other_edition", {"period": "2023Q2"}),
    ]  # fmt: skip
    assert assess(survey).comparisons.empty


def test_one_edition_under_two_names_is_one(make_root):
    text = RUN.replace('"2024Q1": {', '"2024Q1": {programme: demo@1, ')
    survey = load.survey("demo", "2024Q2", quarters(make_root, **{"params/runs/demo.yml": text}))
    assert list(survey.earlier) == ["previous", "year_on_year"]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "form_id,delivery\na,fair\n",
        "form_id,delivery,service\n",
        b"\x00\x01",
        'form_id,delivery,service\na,"fair,fair\n',
    ],
)
def test_earlier_data_that_cannot_be_read_stop_nothing_and_are_named(make_root, broken):
    survey = load.survey("demo", "2024Q2", quarters(make_root, **{"data/demo/2024Q1/responses.csv": broken}))
    assert list(survey.earlier) == ["year_on_year"]
    assert [finding for finding in survey.findings if finding.code.startswith("earlier")] == [
        ("earlier_unreadable", {"period": "2024Q1"})
    ]
    assert set(assess(survey).comparisons["kind"]) == {"year_on_year"}


@pytest.mark.parametrize("period", ["2024Q1", "2023"])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("code", ["other_edition", "earlier_unreadable"])
def test_a_period_that_is_not_compared_is_named_as_it_is_called(code, language, period):
    survey = load.replace(survey_of(f"{FORMS}a | fair | fair | 2"), findings=(load.Finding(code, {"period": period}),))
    assert period in said(ledger.findings(survey, language))


def said(exhibit: Exhibit) -> str:
    return " ".join("".join(Page(exhibit.html).texts).split())


# --- what became of the earlier survey --------------------------------------------------------------------------------

VOIDS = {"measure": "invalid_rate", "comparison": "at_most", "threshold": 0.3, "voids": "unless_remedied"}
FORMS = "form_id | delivery | service | count\n"


@pytest.mark.parametrize(
    "blank, remedy, status",
    [(3, None, "reportable"), (4, None, "remedy_due"), (4, {"due_on": "2024-01-01"}, "void"), (4, {"due_on": "2024-01-11"}, "remedy_due"),
     (4, {"closed_on": "2024-01-09"}, "void")],
)  # fmt: skip
def test_what_became_of_the_earlier_survey_stands_beside_it(blank, remedy, status):
    programme = demo(gates=[VOIDS])
    plan = {"as_of": "2024-01-10", "remedy": remedy, "counts": {"distributed": 10}}
    before = survey_of(f"{FORMS}a | fair | fair | 6\nb | | | {blank}", programme, plan=plan, period="2023")
    assert status_beside(before, programme) == assess(before).status == status


def test_an_earlier_survey_is_judged_as_its_own_report_judged_it():
    clash = {"id": "clash", "title": "Clash", "answers": {"delivery": ["satisfied"], "service": ["dissatisfied"]}}
    rule = {"measure": "delivery.satisfied", "comparison": "at_least", "threshold": 0.5, "voids": "unless_remedied"}
    programme = demo(gates=[rule], validity={"contradictions": [clash]}, satisfied={"levels": ["satisfied"]})
    before = survey_of(f"{FORMS}a | fair | fair | 6\nb | satisfied | dissatisfied | 9", programme, period="2023")
    assert status_beside(before, programme) == assess(before).status


def status_beside(before: load.Survey, programme) -> str:
    """Return what a later survey of two forms says of an earlier one."""
    now = survey_of(f"{FORMS}a | fair | fair | 2", programme)
    found = assess(load.replace(now, earlier={"year_on_year": before})).comparisons
    (status,) = set(found["status"])
    return status


def test_targets_and_earlier_periods_stand_in_one_table():
    programme = demo()
    before = survey_of(f"{FORMS}a | satisfied | fair | 6\nb | fair | fair | 2", programme, period="2023")
    now = survey_of(f"{FORMS}a | satisfied | fair | 6\nb | fair | fair | 4", programme, targets={"weighted_score": 80})
    found = assess(load.replace(now, earlier={"year_on_year": before})).comparisons
    assert (found.columns.tolist(), set(found["kind"])) == (comparisons.COLUMNS, {"target", "year_on_year"})
    assert found.loc[found["kind"] == "target", ["id", "estimate", "status"]].values.tolist() == [
        ["weighted_score", pytest.approx(-5.6), None]
    ]


def test_a_run_without_earlier_periods_compares_nothing():
    assert run_of().baseline is None
    assert assess(survey_of(f"{FORMS}a | fair | fair | 2")).comparisons.empty
