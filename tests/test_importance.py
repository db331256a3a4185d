"""What goes with satisfaction, against figures by hand and published ones; what cannot be compared says why."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from conftest import demo, remembered, survey_of
from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.importance import importance_of, odds_of, replications_for

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page
CHECKOUT = Path(__file__).parents[1]
HEAD = "form_id | food | service | overall | count"
NAMES = ["food", "service", "overall"]
# Food and service do not go together. Points of overall over 100: 1, 1, 0.5, 0; mean 0.625, variance 0.234375.
# Service: covariance 0.1875, r² = 0.1875² / (0.25 · 0.234375) = 0.6. Food: 0.0625² / (0.25 · 0.234375) = 1 / 15.
BALANCED = """
a | satisfied    | satisfied    | satisfied    | 10
b | dissatisfied | satisfied    | satisfied    | 10
c | satisfied    | dissatisfied | satisfied    | 5
d | satisfied    | dissatisfied | dissatisfied | 5
e | dissatisfied | dissatisfied | dissatisfied | 10"""
LEVELS = ["satisfied", "fair", "dissatisfied"]


def rules(names=NAMES, **keys):
    return demo(
        **{
            "items": [{"id": name} for name in names], "gates": [], "index": None, "grades": None,
            "satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "overall"}, **keys,
        }
    )  # fmt: skip


@remembered
def result(rows=BALANCED, head=HEAD, run=None, **keys):
    return assess(survey_of(head + rows, rules(**keys), **(run or {})))


# --- items ------------------------------------------------------------------------------------------------------------


def test_importance_of_questions_that_do_not_go_together_is_their_squared_correlation():
    found = importance_of(result())
    assert (found.target, found.reason, found.n, found.drivers) == ("overall", "", 40, 2)
    assert found.table["driver"].tolist() == ["service", "food"]
    assert found.table["importance"].tolist() == pytest.approx([0.6, 1 / 15])
    assert found.table["share"].tolist() == pytest.approx([0.9, 0.1])
    assert found.found.drivers.r_squared == pytest.approx(2 / 3)


def test_importance_of_questions_that_go_together_is_the_average_of_both_orders():
    rows = "\n" + "\n".join(
        f"f{n} | {LEVELS[n % 3]} | {LEVELS[(n + n // 7) % 3]} | {LEVELS[max(n % 3, (n * n) % 3)]} | {1 + n % 4}"
        for n in range(40)
    )
    points = {"satisfied": 100, "fair": 60, "dissatisfied": 0}
    table = pd.DataFrame([[cell.strip() for cell in row.split("|")] for row in rows.strip().splitlines()])
    each = table.loc[table.index.repeat(table[4].astype(int)), [1, 2, 3]].map(points.get).to_numpy(dtype=float)
    r = np.corrcoef(each.T)
    both = (r[0, 2] ** 2 + r[1, 2] ** 2 - 2 * r[0, 1] * r[0, 2] * r[1, 2]) / (1 - r[0, 1] ** 2)
    found = importance_of(result(rows)).table.set_index("driver")["importance"]
    assert found["food"] == pytest.approx((r[0, 2] ** 2 + both - r[1, 2] ** 2) / 2)
    assert found["service"] == pytest.approx((r[1, 2] ** 2 + both - r[0, 2] ** 2) / 2)


def test_performance_is_the_mean_of_the_page_on_satisfaction():
    survey = result()
    found = importance_of(survey).table.set_index("driver")
    means = survey.items.set_index("id")["mean"].astype(float)
    assert found["performance"].to_dict() == pytest.approx(means[["service", "food"]].to_dict())


def test_the_same_survey_gives_the_same_and_a_count_stands_for_so_many_forms():
    one, again = importance_of(result()), importance_of(result())
    assert_frame_equal(one.table, again.table, check_exact=True)
    lines = [row.split("|") for row in BALANCED.strip().splitlines()]
    single = "".join(
        f"\n{form.strip()}{n} |{food}|{service}|{overall}| 1"
        for form, food, service, overall, count in lines
        for n in range(int(count))
    )
    assert_frame_equal(importance_of(result(single)).table, one.table, rtol=1e-9)


def test_a_question_that_few_answered_is_left_out_with_its_share():
    # 40 answer the overall question, 29 of them food (72.5 %), 30 service (75 %).
    rows = """
    a | satisfied    | satisfied    | satisfied    | 20
    b | dissatisfied | dissatisfied | fair         | 9
    c |              | satisfied    | dissatisfied | 1
    d |              |              | dissatisfied | 10"""
    found = importance_of(result(rows))
    assert found.left_out.to_dict("records") == [
        {"id": "food", "level": "", "answered": 0.725, "reason": "few_answers"}
    ]
    assert found.table[["driver", "answered"]].values.tolist() == [["service", 0.75]]
    assert (found.n, found.found.drivers.left_out) == (30, 10)


def test_a_question_not_asked_is_named():
    optional = [{"id": "food"}, {"id": "service"}, {"id": "price", "optional": True}, {"id": "overall"}]
    found = importance_of(result(items=optional))
    assert found.left_out[["id", "reason"]].values.tolist() == [["price", "not_asked"]]


def test_the_overall_item_can_be_declared():
    declared = importance_of(result(overall="overall", satisfied_form={"reading": "all_items"}))
    assert (declared.target, declared.reason) == ("overall", "")
    assert_frame_equal(declared.table, importance_of(result()).table, rtol=1e-9)


def test_an_invalid_form_is_in_no_importance():
    rule = {"min_answered": 2}
    more = BALANCED + "\nx | | | satisfied | 500"  # one answer: invalid
    assert_frame_equal(importance_of(result(more, validity=rule)).table, importance_of(result()).table, rtol=1e-9)


ALL_ALIKE = "\na | satisfied | satisfied | satisfied | 40"
NONE = [
    (BALANCED, {"satisfied_form": {"reading": "all_items"}}, "no_target"),
    (BALANCED, {"points": None, "scale": {"levels": [{"id": each} for each in LEVELS]}}, "no_points"),
    ("\na | fair | fair | | 40", {}, "no_answers"),
    ("\na | | | fair | 20\nb | | | satisfied | 20", {}, "no_driver"),
    ("\na | satisfied | fair | satisfied | 10\nb | fair | fair | fair | 9", {}, "too_few"),
    ("\na | satisfied | satisfied | satisfied | 1", {}, "too_few"),  # one respondent
    (ALL_ALIKE, {}, "target_without_variation"),
    ("\na | fair | fair | fair | 20\nb | fair | fair | satisfied | 20", {}, "unexplained"),
]


@pytest.mark.parametrize("rows, keys, reason", NONE)
def test_what_cannot_be_told_has_a_reason(rows, keys, reason):
    found = importance_of(result(rows, **keys))
    assert found.reason == reason
    assert found.found is None or found.table["share"].isna().all()


def test_a_survey_of_one_question_has_nothing_to_compare():
    found = importance_of(result("\na | fair | 40", "form_id | overall | count", names=["overall"]))
    assert (found.target, found.reason) == ("overall", "one_item")


def test_forms_of_one_cluster_give_figures_without_intervals():
    rows = "".join(f"\n{line} | x" for line in BALANCED.strip().splitlines())
    found = importance_of(result(rows, HEAD + " | block", run={"design": {"cluster": "block"}}))
    assert found.reason == "too_few_units"
    assert found.table["share"].tolist() == pytest.approx([0.9, 0.1])
    assert found.table["share_low"].isna().all()


def test_many_questions_have_a_second_method_beside_the_first():
    rng = np.random.default_rng(1)
    names = [f"q{n:02d}" for n in range(13)]
    answers = np.array(LEVELS)[rng.integers(0, 3, (200, 14))]
    rows = "".join(f"\nf{n} | {' | '.join(row)}" for n, row in enumerate(answers))
    found = importance_of(result(rows, " | ".join(["form_id", *names, "overall"]), names=[*names, "overall"]))
    assert found.found.drivers.method == "lmg"
    assert found.table["johnson"].sum() == pytest.approx(1)
    assert np.corrcoef(found.table["johnson"], found.table["share"])[0, 1] > 0.9
    assert importance_of(result()).table["johnson"].isna().all()


def test_fewer_samples_are_drawn_of_many_forms():
    assert [replications_for(forms, 5) for forms in (10, 20_000, 40_000, 10_000_000)] == [1000, 1000, 500, 100]
    assert replications_for(100, 15) < 1000 == replications_for(100, 30)  # beyond 15 Johnson's weights, which are quick


# --- groups -----------------------------------------------------------------------------------------------------------


def test_the_housing_survey_gives_the_published_figures_from_its_file():
    found = odds_of(assess(load.survey("copenhagen", "1976", CHECKOUT)))
    estimates = found.table.set_index(["variable", "level"])["estimate"]
    published = {
        ("influence", "Medium"): 0.5663937, ("influence", "High"): 1.2888191, ("type", "Apartment"): -0.5723501,
        ("type", "Atrium"): -0.3661866, ("type", "Terrace"): -1.0910149, ("contact", "High"): 0.3602841,
    }  # fmt: skip
    for term, value in published.items():
        assert estimates[term] == pytest.approx(value, abs=1e-6)
    assert found.fit.thresholds["estimate"].tolist() == pytest.approx([-0.4961353, 0.6907083], abs=1e-6)
    assert found.fit.deviance == pytest.approx(3479.149, abs=5e-4)
    assert (found.fit.n, found.fit.left_out, found.terms) == (1681, 0, 6)
    assert found.table.groupby("variable", sort=False)["n"].sum().tolist() == [1681] * 3
    assert found.order == ("low", "medium", "high")


GROUPED = """
a | satisfied    | owner  | 30
b | dissatisfied | owner  | 10
c | satisfied    | tenant | 10
d | dissatisfied | tenant | 30"""
GROUPS = {"groups": ["home"], "levels": {"home": {"tenant": {"en": "Tenant"}, "owner": {"en": "Owner"}}}}


@remembered
def grouped(rows=GROUPED, run=None, **keys):
    return odds_of(result(rows, "form_id | overall | home | count", run=run or GROUPS, names=["overall"], **keys))


def test_two_groups_and_two_answers_give_the_odds_ratio_of_their_four_numbers():
    found = grouped()
    assert found.table["level"].tolist() == ["tenant", "owner"]  # as the run file lists them: tenants are compared with
    assert found.table["odds_ratio"].tolist() == pytest.approx([1, 9])  # 30 · 30 / (10 · 10)
    assert found.table["se"].iloc[1] == pytest.approx(np.sqrt(1 / 30 + 1 / 10 + 1 / 10 + 1 / 30))
    assert found.table["n"].tolist() == [40, 40]
    assert found.tests["odds_reason"].tolist() == ["two_levels", "two_levels"]


def test_a_scale_that_lists_the_worst_answer_first_gives_the_same_odds():
    turned = {"scale": {"levels": [{"id": level} for level in LEVELS[::-1]]}}
    points = {"values": {"dissatisfied": 0, "fair": 60, "satisfied": 100}}
    assert grouped(points=points, **turned).table["odds_ratio"].iloc[1] == pytest.approx(9)


def test_small_groups_are_in_no_odds_ratio():
    rows = GROUPED + "\ne | fair | squatter | 2\nf | fair | guest | 3"
    found = grouped(rows)
    assert found.table["level"].tolist() == ["tenant", "owner"]
    assert found.left_out[["id", "level", "reason"]].values.tolist() == [
        ["home", "guest", "suppressed"],
        ["home", "squatter", "suppressed"],
    ]
    assert (found.fit.n, found.fit.left_out) == (80, 5)


def test_p_values_of_several_groups_are_one_family():
    found = odds_of(assess(load.survey("copenhagen", "1976", CHECKOUT))).tests.set_index("variable")
    values = found["p_value"].iloc[1:].sort_values()
    assert found.loc[values.index, "p_adjusted"].tolist() == pytest.approx([values.iloc[n] * (3 - n) for n in range(3)])


def test_weights_and_clusters_make_the_errors_those_of_the_design():
    rows = "".join(f"\nf{n} | {LEVELS[n % 2]} | {['owner', 'tenant'][n % 3 % 2]} | b{n // 8}" for n in range(80))
    about = {"groups": ["home"], "design": {"cluster": "block"}}
    found = odds_of(result(rows, "form_id | overall | home | block", run=about, names=["overall"]))
    assert found.fit.method == "design"
    assert found.fit.df == 9  # 10 blocks less one stratum


MANY = "".join(f"\nf{n} | {LEVELS[n % 3]} | g{n % 13} | 5" for n in range(39))
NO_ODDS = [
    (GROUPED, {"groups": []}, "no_groups"),
    ("\na | fair | owner | 30", GROUPS, "no_group"),
    (MANY, GROUPS, "no_group"),
    ("\na | fair | owner | 5\nb | satisfied | tenant | 4", GROUPS, "no_group"),  # tenants are suppressed
    ("\na | fair | owner | 6\nb | satisfied | tenant | 6\nc | fair | guest | 6", GROUPS, "too_few"),
    ("\na | fair | owner | 20\nb | fair | tenant | 20", GROUPS, "one_level"),
    ("\na | fair | owner | 20\nb | satisfied | tenant | 20", GROUPS, "separation"),
    ("\na | | owner | 20\nb | | tenant | 20", GROUPS, "no_group"),
]


@pytest.mark.parametrize("rows, run, reason", NO_ODDS)
def test_groups_that_cannot_be_compared_have_a_reason(rows, run, reason):
    found = grouped(rows, run=run)
    assert found.reason == reason
    assert found.fit is None or found.fit.table["estimate"].isna().all()


def test_a_group_of_very_many_classes_is_left_out():
    assert grouped(MANY).left_out[["id", "level", "reason"]].values.tolist() == [["home", "", "many_levels"]]


def test_without_an_overall_question_groups_are_not_compared():
    found = odds_of(result(satisfied_form={"reading": "all_items"}))
    assert found.reason == "no_target"
