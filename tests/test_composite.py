"""The index has the error of all its terms together: as that of a single measure, by the delta method written out, with complaints linked or bounded."""

import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from conftest import demo, remembered, survey_of
from csat_analysis.assembly import composite
from csat_analysis.assembly.assessment import Assessment, assess, compute
from csat_analysis.domain.evidence import Evidence
from csat_analysis.ground.programmes import Programme

RULES = {"satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "delivery"}}
HEAD = "form_id | customer_id | delivery | service | count | weight\n"
GRADES = [{"id": "good", "lower": 85}, {"id": "fair", "lower": 70}, {"id": "poor", "lower": 0}]
# scores 84, 60, 100, 24 and none
MIXED = """a | 1 | satisfied | fair | 3 | 1
           b | 2 | fair | fair | 2 | 2.5
           c | 3 | satisfied | satisfied | 4 | 0.5
           d | 4 | dissatisfied | fair | 1 | 4
           e | 5 | | | 2 | 1"""
SCORES, RATES = np.array([84, 60, 100, 24]), np.array([1, 0, 1, 0])
COUNTS, WEIGHTS = np.array([3, 2, 4, 1]), np.array([1, 2.5, 0.5, 4])
KISH = 10 * (COUNTS * WEIGHTS**2).sum() / (COUNTS * WEIGHTS).sum() ** 2  # what weights do to a finite population


@remembered
def result(rows: str, counts=None, tables=None, run=None, **keys) -> Assessment:
    programme = demo(**{"index": {"weighted_score": 1}, "gates": [], **RULES, **keys})
    return assess(survey_of(HEAD + rows, programme, tables, plan={"counts": counts or {}}, **(run or {})))


def unweighted(rows: str) -> str:
    """Return the same rows, each form with the weight 1."""
    return "\n".join(line.rsplit("|", 1)[0] + "| 1" for line in rows.splitlines())


def known(
    scores, complaints=None, complainers=None, deliveries=100, customers=None, frame=None, **keys
) -> tuple[Programme, Evidence]:
    """Return a procedure and what forms of these scores say, one row each, and so many complaints."""
    scores = np.asarray(scores, dtype=float)
    forms = pd.DataFrame(
        {"count": 1, "weight": 1.0, "valid": True, "decided": True, "satisfied": scores >= 100, "score": scores}
    )
    if customers is not None:
        forms["customer_id"] = customers
    programme = demo(**{**RULES, **keys})
    linked = None if complainers is None else pd.Series(complainers, dtype=float)
    return programme, Evidence(programme, forms, frame, None, None, deliveries, complaints, 12, None, linked)


def index(programme: Programme, evidence: Evidence) -> dict:
    found = {name: compute(name, evidence) for name in programme.index.terms}
    return composite.index_of(programme, found, evidence)


def linearised(errors: np.ndarray, counts: np.ndarray, n: int, population: int | None = None) -> float:
    """Return the standard error of a sum to which each of so many answers adds its error."""
    left_out = 1 - n / population if population else 1.0
    return math.sqrt((counts * errors**2).sum() * n / (n - 1) * left_out)


# --- one measure ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [None, 30, 12])
@pytest.mark.parametrize("rows", [MIXED, unweighted(MIXED)], ids=["weighted", "unweighted"])
@pytest.mark.parametrize(
    "measure", ["weighted_score", "survey_rate", "satisfaction_rate", "satisfaction_rate_of_valid"]
)
@pytest.mark.parametrize("factor", [1, -2.5])
def test_an_index_of_one_measure_has_the_error_of_that_measure(measure, rows, frame, factor):
    # 12 forms, two of them blank: only the survey rate is a full count in a frame of 12
    found = result(rows, {"frame": frame}, measures=[measure], index={measure: factor}, grades=None)
    alone = found.measure(measure)
    assert found.index["value"] == pytest.approx(factor * alone["value"])
    assert found.index["se"] == pytest.approx(abs(factor) * alone["se"])


@pytest.mark.parametrize("frame", [None, 30, 12, 10])
@pytest.mark.parametrize("rows", [MIXED, unweighted(MIXED)], ids=["weighted", "unweighted"])
def test_an_index_that_is_the_score_has_the_interval_of_the_score(rows, frame):
    found = result(rows, {"frame": frame})
    score = found.measure("weighted_score")
    assert [found.index[key] for key in ("value", "conf_low", "conf_high")] == [
        pytest.approx(score[key]) for key in ("value", "conf_low", "conf_high")
    ]
    assert (found.index["df"], found.index["method"]) == (9, "wilson_mean")


def test_the_error_of_the_score_holds_the_covariance_of_the_items():
    delivery, service = np.array([100, 60, 100, 0, 60]), np.array([60, 60, 100, 60, 0])
    level = {100: "satisfied", 60: "fair", 0: "dissatisfied"}
    rows = "\n".join(
        f"f{i} | {i} | {level[d]} | {level[s]} | 1 | 1" for i, (d, s) in enumerate(zip(delivery, service, strict=True))
    )
    table = np.cov(delivery, service)  # of items, n - 1
    variance = (0.36 * table[0, 0] + 0.16 * table[1, 1] + 2 * 0.24 * table[0, 1]) / 5
    assert table[0, 1] != 0
    assert result(rows).index["se"] == pytest.approx(math.sqrt(variance))


# --- several measures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [None, 30])
def test_an_index_of_two_measures_of_the_same_forms_is_the_mean_of_their_sum(frame):
    terms = {"weighted_score": 1, "satisfaction_rate_of_valid": 50}
    found = result(MIXED, {"frame": frame}, index=terms, grades=None).index
    together, total = SCORES + 50 * RATES, (COUNTS * WEIGHTS).sum()
    mean = (COUNTS * WEIGHTS * together).sum() / total
    se = linearised(WEIGHTS * (together - mean) / total, COUNTS, 10, frame and frame * KISH)
    assert (found["value"], found["se"], found["df"], found["method"]) == (
        pytest.approx(mean),
        pytest.approx(se),
        9,
        "delta",
    )
    half = stats.t.ppf(0.975, 9) * se
    assert (found["conf_low"], found["conf_high"]) == (pytest.approx(mean - half), pytest.approx(min(mean + half, 150)))


def test_an_index_of_two_measures_of_other_forms_is_the_delta_method_written_out():
    # the rate is of all 12 returned forms, the score of the 10 that have one
    terms = {"weighted_score": 1, "satisfaction_rate": -30}
    found = result(MIXED, index=terms, grades=None, satisfaction_rate={"denominator": "returned"}).index
    counts, weights = np.append(COUNTS, 2), np.append(WEIGHTS, 1)
    scored = (COUNTS * WEIGHTS).sum()
    score, rate = (
        (COUNTS * WEIGHTS * SCORES).sum() / scored,
        (COUNTS * WEIGHTS * RATES).sum() / (counts * weights).sum(),
    )
    of_score = np.append(WEIGHTS * (SCORES - score) / scored, 0)
    of_rate = weights * (np.append(RATES, 0) - rate) / (counts * weights).sum()
    assert found["value"] == pytest.approx(score - 30 * rate)
    # whether n / (n - 1) is of the one base or of the other is a matter of taste
    assert found["se"] == pytest.approx(linearised(of_score - 30 * of_rate, counts, 12), rel=0.02)


def test_terms_that_go_together_weigh_more_than_apart_and_against_each_other_less():
    alone = {
        name: result(MIXED, index={name: factor}, grades=None).index["se"]
        for name, factor in (("weighted_score", 1), ("satisfaction_rate", 50))
    }
    a, b = alone.values()
    added = result(MIXED, index={"weighted_score": 1, "satisfaction_rate": 50}, grades=None).index["se"]
    taken = result(MIXED, index={"weighted_score": 1, "satisfaction_rate": -50}, grades=None).index["se"]
    assert math.hypot(a, b) < added <= a + b
    assert abs(a - b) <= taken < math.hypot(a, b)
    assert added**2 + taken**2 == pytest.approx(2 * (a**2 + b**2))


def test_a_blank_form_is_no_answer_in_a_sum_of_measures_either():
    # everybody in the frame of 12 returned a form, and two are blank: the score of the 10 has an error
    found = result(MIXED, {"frame": 12}, index={"weighted_score": 1, "survey_rate": 1}, grades=None)
    assert found.measure("weighted_score")["se"] > 0
    assert found.index["se"] > 0


# --- complaints -------------------------------------------------------------------------------------------------------

LIKED = [100, 100, 84, 60, 24]
SPREAD = np.var(LIKED, ddof=1) / 5


def test_linked_complaints_bring_their_variance_and_what_they_share_with_the_forms():
    # customers 3 and 4 complain once and twice, one who was not asked once: squares 1 + 4 + 1
    programme, evidence = known(LIKED, 4, {"3": 1, "4": 2, "x": 1}, customers=list("01234"))
    shared = sum((score - np.mean(LIKED)) / 5 * number for score, number in ((60, 1), (24, 2)))
    variance = SPREAD + 6 - 2 * shared  # one complaint in 100 deliveries is worth a point
    found = index(programme, evidence)
    assert (found["value"], found["se"]) == (pytest.approx(np.mean(LIKED) - 4), pytest.approx(math.sqrt(variance)))
    assert (found["method"], found["df"]) == ("delta", 4)
    assert variance > SPREAD + 6  # complainers are the dissatisfied


@pytest.mark.parametrize(
    "customers, complainers", [(None, {"3": 1, "4": 3}), (list("01234"), None), ([""] * 5, {"3": 1, "4": 3})]
)
def test_complaints_that_are_not_linked_are_bounded_by_the_sum_of_the_errors(customers, complainers):
    programme, evidence = known(LIKED, 4, complainers, customers=customers)
    squares = 4 if complainers is None else 10
    found = index(programme, evidence)
    assert (found["se"], found["method"]) == (pytest.approx(math.sqrt(SPREAD) + math.sqrt(squares)), "bound")


@pytest.mark.parametrize("numbers", list(itertools.product([0, 1, 3], repeat=3)))
def test_the_bound_is_never_passed(numbers):
    complainers = {str(i): n for i, n in enumerate(numbers)}
    for scores in (LIKED, LIKED[::-1]):
        linked = index(*known(scores, sum(numbers), complainers, customers=list("01234")))["se"]
        assert linked <= index(*known(scores, sum(numbers), complainers))["se"] + 1e-12


def test_no_complaint_is_not_certainty():
    found = index(*known(LIKED, 0))
    assert (found["value"], found["se"]) == (pytest.approx(np.mean(LIKED)), pytest.approx(math.sqrt(SPREAD) + 1))
    assert index(*known(LIKED, 1))["se"] == pytest.approx(found["se"])


@pytest.mark.parametrize("linked", [True, False])
def test_more_complaints_widen_the_interval(linked):
    errors = []
    for times in (1, 2, 4):
        complainers = {"3": times, "4": times} if linked else None
        found = index(*known(LIKED, 2 * times, complainers, customers=list("01234")))
        errors.append(found["se"])
    assert errors == sorted(errors) and errors[0] < errors[-1]


def test_more_deliveries_with_as_many_complaints_narrow_it_to_that_of_the_forms():
    errors = [index(*known(LIKED, 4, deliveries=number))["se"] for number in (10, 100, 10**6)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == pytest.approx(math.sqrt(SPREAD), rel=1e-3)


@pytest.mark.parametrize("complaints, deliveries", [(3, 0), (None, 100), (3, None)])
def test_without_complaints_or_deliveries_there_is_no_index(complaints, deliveries):
    found = index(*known(LIKED, complaints, deliveries=deliveries))
    assert found == {**dict.fromkeys(composite.UNKNOWN), "method": "sum"}


def test_with_complaints_the_index_is_of_the_work_and_not_of_those_asked():
    assert index(*known(LIKED, 4, frame=5)) == index(*known(LIKED, 4, frame=None))


def test_complaints_per_1000_are_events_too():
    # one of 1000 households × 12 months is 1 / 12 of a point
    programme, evidence = known(
        LIKED, 4, frame=1000, index={"weighted_score": 1, "complaints_per_1000": -1}, grades=None
    )
    assert index(programme, evidence)["se"] == pytest.approx(math.sqrt(SPREAD) + math.sqrt(4) / 12)


def test_the_tables_of_a_run_are_linked_by_customer():
    table = "complaint_id | customer_id | duplicate_of | received_on\nk | 4 | | 2024-02-01\nl | 4 | | 2024-03-01\nd | 4 | k |\nx | 1 | | 2023-12-31"
    found = result(
        unweighted(MIXED),
        {"deliveries": 100},
        {"complaints": table},
        index={"weighted_score": 1, "complaint_rate": -100},
    )
    mean = (COUNTS * SCORES).sum() / 10
    variance = linearised((SCORES - mean) / 10, COUNTS, 10) ** 2 + 4 - 2 * 2 * (24 - mean) / 10
    assert (found.index["se"], found.index["method"]) == (pytest.approx(math.sqrt(variance)), "delta")


def test_complaints_that_name_no_customer_are_not_those_of_one():
    rows = "\n".join(f"f{i} | {'' if i else 7} | {'satisfied' if i % 3 else 'fair'} | fair | 1 | 1" for i in range(20))
    table = "complaint_id | customer_id\nk | 7\n" + "\n".join(f"a{i} |" for i in range(9))
    found = result(
        rows, {"deliveries": 100}, {"complaints": table}, index={"weighted_score": 1, "complaint_rate": -100}
    )
    alone = result(rows).index["se"]
    assert found.index["se"] <= alone + math.sqrt(10) + 1e-9  # the bound, with ten complaints of ten customers


def test_forms_of_which_only_some_name_their_customer_are_bounded():
    programme, evidence = known(LIKED, 4, {"0": 1, "3": 1, "4": 2}, customers=["0", "", "", "", ""])
    assert index(programme, evidence)["method"] == "bound"


def test_forms_are_linked_by_the_distribution_too():
    rows = "form_id | delivery | service\na | satisfied | fair\nb | fair | fair"
    tables = {
        "distribution": "form_id | customer_id\na | 1\nb | 2", "complaints": "complaint_id | customer_id\nk | 2",
        "deliveries": "count\n100",
    }  # fmt: skip
    assert assess(survey_of(rows, demo(), tables)).index["method"] == "delta"


@pytest.mark.parametrize("complaints", [150, 300])
def test_the_interval_of_a_negative_index_holds_the_index(complaints):
    # more complaints than deliveries: 12 - 150 and 12 - 300 points
    found = index(*known([0, 0, 60, 0, 0], complaints))
    assert found["conf_low"] <= found["value"] <= found["conf_high"]


def test_the_interval_of_a_negative_index_reaches_to_both_sides():
    found = index(*known([0, 0, 60, 0, 0], 150))
    assert found["conf_low"] == pytest.approx(found["value"] - stats.t.ppf(0.975, 4) * found["se"])


def test_an_index_below_all_bands_has_no_grade():
    programme, evidence = known([0, 0, 60, 0, 0], 50)
    found = index(programme, evidence)
    assert (found["value"], composite.grade_of(programme, found)) == (pytest.approx(12 - 50), None)
    assert found["conf_low"] <= found["value"] <= found["conf_high"]


def test_intervals_of_linked_complaints_hold_the_truth_as_often_as_they_say():
    # of 40 customers the dissatisfied (scores of 24 and 60) complain once in 2 and once in 5 cases, the others never
    scores, chances, rates = np.array([24.0, 60.0, 84.0, 100.0]), [0.1, 0.2, 0.3, 0.4], np.array([0.5, 0.2, 0.0, 0.0])
    truth = scores @ chances - 100 / 200 * 40 * (rates @ chances)
    random, names, held = np.random.default_rng(7), [str(i) for i in range(40)], 0
    for _ in range(120):
        kinds = random.choice(4, 40, p=chances)
        complaints = random.poisson(rates[kinds])
        programme, evidence = known(
            scores[kinds], int(complaints.sum()), dict(zip(names, complaints, strict=True)), 200, names
        )
        found = index(programme, evidence)
        held += found["conf_low"] <= truth <= found["conf_high"]
    assert 0.90 <= held / 120 <= 0.99


def test_forms_without_an_id_are_nobody_s():
    # lines 2 and 3 of the responses are not the forms 2 and 3
    tables = {
        "distribution": "form_id | customer_id\n2 | A\n3 | B", "complaints": "complaint_id | customer_id\nk | A", "deliveries": "count\n100",
    }  # fmt: skip
    found = assess(survey_of("delivery | service | count\nsatisfied | fair | 2\nfair | fair | 1", demo(), tables))
    assert found.index["method"] == "bound"


# --- where no error can be told ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("terms", [{"weighted_score": 1}, {"weighted_score": 1, "complaint_rate": -100}])
@pytest.mark.parametrize(
    "rows, run, method",
    [
        (
            "a | 1 | satisfied | fair | 3 | 1\nb | 2 | fair | fair | 2 | 1",
            {"design": {"cluster": "service"}},
            "withheld: one cluster",
        ),
        ("a | 1 | satisfied | fair | 5 | 1", {}, "withheld: no variation"),
    ],
)
def test_where_the_error_of_a_term_is_withheld_so_is_that_of_the_index(rows, run, method, terms):
    found = result(rows, {"complaints": 2, "deliveries": 100}, run=run, index=terms).index
    assert found["value"] is not None
    assert [found[key] for key in ("conf_low", "conf_high", "se", "df", "method")] == [None, None, None, None, method]


def test_where_everybody_answered_the_index_is_what_it_is():
    found = result(
        unweighted(MIXED), {"frame": 10}, index={"weighted_score": 1, "satisfaction_rate_of_valid": 10}, grades=None
    )
    assert found.evidence.returned == 12  # two more than there are: as if nobody knew how many
    assert found.index["se"] > 0
    rows = unweighted(MIXED.rsplit("\n", 1)[0])
    found = result(rows, {"frame": 10}).index
    assert (found["conf_low"], found["conf_high"], found["se"]) == (found["value"], found["value"], 0)


def test_an_index_of_mere_counts_has_no_error():
    found = result(MIXED, {"distributed": 24}, index={"return_rate": 100}, grades=None).index
    assert (found["value"], found["method"], found["se"]) == (50, "count", 0)


def test_where_nobody_answered_there_is_no_index():
    found = result(
        "e | 5 | | | 2 | 1", {"complaints": 2, "deliveries": 100}, index={"weighted_score": 1, "complaint_rate": -1}
    )
    assert (found.index["value"], found.index["method"], found.grade) == (None, "sum", None)


def test_a_procedure_without_an_index_has_none():
    assert result(MIXED, index=None, grades=None).index is None


def test_one_form_has_an_index_without_an_interval():
    found = result("a | 1 | satisfied | fair | 1 | 1").index
    assert (found["value"], found["conf_low"], found["conf_high"]) == (84, None, None)


def test_a_rate_that_nobody_spoils_does_not_make_the_index_certain():
    found = result("a | 1 | satisfied | fair | 10 | 1", {"frame": 100}, index={"satisfaction_rate": 100})
    assert found.measure("satisfaction_rate")["conf_low"] < 0.8
    assert found.index["conf_low"] != found.index["value"]


def test_a_score_that_nobody_spoils_does_not_make_the_index_certain():
    # 10 forms of 1000 with the full points: as a share, 10.09 answers; 10.09 ÷ (10.09 + 1.95996²) = 72.43 %
    rows, terms = "a | 1 | satisfied | satisfied | 10 | 1", {"weighted_score": 1, "satisfaction_rate": 0}
    found = result(rows, {"frame": 1000}, index=terms).index
    assert found["value"] == 100
    assert found["se"] == pytest.approx((100 - 72.43) / (2 * 1.95996), rel=1e-3)
    assert found["conf_low"] < 90


def test_an_index_of_complaints_alone_has_their_interval():
    found = result(MIXED, {"complaints": 4, "deliveries": 100}, index={"complaint_rate": -100}, grades=None).index
    assert found["conf_low"] < found["value"] < found["conf_high"]


def test_one_form_and_complaints_have_no_interval_without_width():
    found = result(
        "a | 1 | satisfied | fair | 1 | 1",
        {"complaints": 4, "deliveries": 100},
        index={"weighted_score": 1, "complaint_rate": -100},
    ).index
    assert (found["conf_low"], found["conf_high"]) == (None, None)


def test_an_index_of_a_rate_of_all_sent_has_its_error():
    keys = {"satisfaction_rate": {"denominator": "distributed"}, "index": {"satisfaction_rate": 100}, "grades": None}
    found = result(MIXED, {"distributed": 24}, **keys)
    assert found.measure("satisfaction_rate")["se"] > 0
    assert found.index["se"] == pytest.approx(100 * found.measure("satisfaction_rate")["se"])


def test_an_index_that_is_a_rate_of_one_form_has_plain_values():
    found = result("a | 1 | satisfied | fair | 1 | 1", index={"satisfaction_rate": 100})
    json.dumps([found.index, found.grade], allow_nan=False)
    assert found.index["conf_low"] < 100


@pytest.mark.parametrize("other", ["complaint_rate", "satisfaction_rate_of_valid"])
def test_a_rate_of_one_form_in_a_sum_stops_no_run(other):
    found = result(
        "a | 1 | satisfied | fair | 1 | 1", {"complaints": 3, "deliveries": 100}, grades=None,
        index={"satisfaction_rate": 100, other: -100}, gates=[{"measure": "index", "comparison": "at_least", "threshold": 50}],
    )  # fmt: skip
    json.dumps([found.index, found.gates.to_dict("records")], allow_nan=False)


# --- laws -------------------------------------------------------------------------------------------------------------


def test_the_order_of_the_rows_changes_nothing():
    terms = {"weighted_score": 1, "satisfaction_rate": 20, "complaint_rate": -100}
    found = [
        result("\n".join(lines), {"complaints": 3, "deliveries": 90}, index=terms).index
        for lines in (MIXED.splitlines(), MIXED.splitlines()[::-1])
    ]
    assert found[0] == pytest.approx(found[1])


def test_a_row_of_several_forms_is_so_many_rows():
    listed = "\n".join(
        line.replace(" | ", f"{copy} | ", 1).replace(f"| {line.split('|')[4].strip()} |", "| 1 |")
        for line in map(str.strip, unweighted(MIXED).splitlines()) for copy in range(int(line.split("|")[4]))
    )  # fmt: skip
    one, other = (result(rows, {"frame": 40}).index for rows in (unweighted(MIXED), listed))
    assert one == pytest.approx(other)


def test_twice_the_coefficients_are_twice_the_index_and_its_error():
    terms = {"weighted_score": 1, "satisfaction_rate": 20, "complaint_rate": -100}
    counts = {"complaints": 3, "deliveries": 90}
    one = result(MIXED, counts, index=terms).index
    twice = result(MIXED, counts, index={name: 2 * factor for name, factor in terms.items()}).index
    for key in ("value", "se"):
        assert twice[key] == pytest.approx(2 * one[key])


def test_weights_times_a_number_change_nothing():
    times = "\n".join(f"{line.rsplit('|', 1)[0]}| {float(line.rsplit('|', 1)[1]) * 4}" for line in MIXED.splitlines())
    assert result(times).index == pytest.approx(result(MIXED).index)


# --- grades -----------------------------------------------------------------------------------------------------------


def around(value: float, se: float | None = 4.0, df: int | None = 9) -> dict:
    return {"value": value, "se": se, "df": df, "conf_low": None, "conf_high": None, "method": "t"}


@pytest.mark.parametrize(
    "value, grade",
    [(100, "good"), (85, "good"), (84.9999999, "fair"), (70, "fair"), (69.9999999, "poor"), (0, "poor"), (-0.0000001, None),
     (None, None), (math.nextafter(85, 0), "good")],
)  # fmt: skip
def test_a_grade_starts_at_its_lower_bound(value, grade):
    found = composite.grade_of(demo(grades=GRADES), around(value))
    assert (found and found["id"]) == grade


@pytest.mark.parametrize("value", [20, 70, 77.5, 85, 99, 300])
def test_the_probability_of_a_band_is_that_of_student_s_t_between_its_bounds(value):
    found = composite.grade_of(demo(grades=GRADES), around(value))
    good, fair = (stats.t.cdf((value - bound) / 4, 9) for bound in (85, 70))
    all_of_them = stats.t.cdf(value / 4, 9)
    expected = {"good": good, "fair": fair - good, "poor": all_of_them - fair}
    assert found["probabilities"] == pytest.approx(expected)
    assert found["certainty"] == found["probabilities"][found["id"]]
    assert sum(found["probabilities"].values()) <= 1 + 1e-12


def test_a_probability_is_the_share_of_draws_that_fall_into_the_band():
    draws = 77.5 + 4 * stats.t.rvs(9, size=200_000, random_state=11)
    found = composite.grade_of(demo(grades=GRADES), around(77.5))["probabilities"]
    assert found["fair"] == pytest.approx(np.mean((draws >= 70) & (draws < 85)), abs=0.005)


@pytest.mark.parametrize("se, df", [(None, None), (0.0, None), (0.0, 9)])
def test_without_an_error_a_grade_has_no_probabilities(se, df):
    found = composite.grade_of(demo(grades=GRADES), around(77.5, se, df))
    assert found == {"id": "fair", "certainty": None, "probabilities": None}


def test_without_grades_or_an_index_there_is_no_grade():
    assert composite.grade_of(demo(grades=None), around(77.5)) is None
    assert composite.grade_of(demo(grades=GRADES), None) is None
