"""Points, scores and shares of small surveys, computed by hand beside the table."""

import math
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import demo, survey_of
from csat_analysis.assembly import assessment
from csat_analysis.domain import items, scoring
from csat_analysis.statistics.inference import wilson_interval

SATISFIED = {"satisfied": {"levels": ["satisfied"]}}


def evidence(responses: str, counts: dict | None = None, tables: dict | None = None, **keys):
    return assessment.gather(survey_of(responses, demo(**keys), tables, plan={"counts": counts or {}}))


def figures(responses: str, counts: dict | None = None, **keys) -> pd.DataFrame:
    """Return the figures of the items by their ids, of the valid forms."""
    survey = survey_of(responses, demo(**keys), plan={"counts": counts or {}})
    seen = assessment.gather(survey)
    return items.item_figures(seen, items.usable(survey.answers, seen.forms, survey.programme)).set_index("id")


# --- forms --------------------------------------------------------------------------------------------


def test_the_score_of_a_form_is_the_weighted_mean_over_the_items_it_answered():
    # r1: .6·100 + .4·60
    forms = evidence(
        """form_id | delivery       | service
           r1      | satisfied      | fair
           r2      | fair           |
           r3      | great          | fair
           r4      |                |
           r5      | not_applicable | satisfied"""
    ).forms
    assert forms["score"].to_dict() == pytest.approx(
        {"r1": 84, "r2": 60, "r3": 60, "r4": math.nan, "r5": 100}, nan_ok=True
    )
    assert forms["points"].tolist() == [160, 60, 60, 0, 100]
    assert forms["answered"].tolist() == [2, 1, 1, 0, 1]
    assert forms["valid"].tolist() == [True, True, True, False, True]


def test_contributions_of_the_items_add_to_the_score_of_the_form():
    survey = survey_of("form_id | delivery | service\nr1 | satisfied | fair\nr2 | | fair\nr3 | | ")
    path = scoring.form_path(survey.answers.loc["r1"], survey.programme)
    assert path.to_dict("list") == {
        "item": ["delivery", "service"], "answer": ["satisfied", "fair"], "points": [100, 60], "weight": [0.6, 0.4],
        "contribution": [60, 24],
    }  # fmt: skip
    assert scoring.form_path(survey.answers.loc["r2"], survey.programme)["contribution"].sum() == 60
    assert scoring.form_path(survey.answers.loc["r3"], survey.programme)["contribution"].isna().all()


OPTIONAL = [{"id": "delivery", "weight": 0.6}, {"id": "service", "weight": 0.4}, {"id": "packaging", "optional": True}]


@pytest.mark.parametrize(
    "declared, weights",
    [
        (OPTIONAL, [0.6, 0.4, 0]),
        ([{"id": "delivery"}, {"id": "service"}], [1, 1]),
        ([{"id": "delivery"}, {"id": "service", "optional": True}], [1, 0]),
        ([{"id": "delivery", "weight": 0}, {"id": "service", "weight": 2}], [0, 2]),
    ],
)
def test_an_item_without_weight_is_shown_and_not_scored(declared, weights):
    assert scoring.weights_of_items(demo(items=declared)).tolist() == weights


@pytest.mark.parametrize("asked", ["form_id | delivery | service | packaging\nr1 | satisfied | fair | satisfied",
                                   "form_id | delivery | service\nr1 | satisfied | fair"])  # fmt: skip
def test_an_optional_item_changes_no_score_whether_asked_or_not(asked):
    found = evidence(asked, items=OPTIONAL)
    assert found.forms["score"].tolist() == [84]
    assert scoring.survey_rate(found)[:3] == (0.8, 160, 200)
    assert scoring.full_points(demo(items=OPTIONAL)) == 200


@pytest.mark.parametrize(
    "keys, forms",
    [
        # a: both satisfied, b: one of two, c: one satisfied and one blank, d: none, e: blank, f: item blank
        ({"reading": "item", "item": "delivery"}, {"a": True, "b": True, "c": True, "d": False, "e": None, "f": None}),
        ({"reading": "all_items"}, {"a": True, "b": False, "c": True, "d": False, "e": None, "f": False}),
        (
            {"reading": "share_of_items", "share": 0.5},
            {"a": True, "b": True, "c": True, "d": False, "e": None, "f": False},
        ),
        (
            {"reading": "share_of_items", "share": 0.51},
            {"a": True, "b": False, "c": True, "d": False, "e": None, "f": False},
        ),
    ],
)
def test_a_satisfied_form_by_each_reading(keys, forms):
    found = evidence(
        "form_id | delivery | service\na | satisfied | satisfied\nb | satisfied | fair\nc | satisfied |\nd | fair | dissatisfied\n"
        "e | | not_applicable\nf | | fair",
        satisfied_form=keys, **SATISFIED,
    ).forms  # fmt: skip
    assert found["decided"].to_dict() == {form: satisfied is not None for form, satisfied in forms.items()}
    assert found["satisfied"].to_dict() == {form: bool(satisfied) for form, satisfied in forms.items()}


THREE = [{"id": "a"}, {"id": "b"}, {"id": "c"}]


@pytest.mark.parametrize("share, satisfied", [(0.66, True), (2 / 3, True), (0.6666666666666667, True), (0.67, False)])
def test_two_of_three_items_are_two_thirds(share, satisfied):
    form = {"reading": "share_of_items", "share": share}
    found = evidence(
        "form_id | a | b | c\nf | satisfied | satisfied | fair", items=THREE, satisfied_form=form, **SATISFIED
    )
    assert found.forms["satisfied"].tolist() == [satisfied]


# --- rates --------------------------------------------------------------------------------------------

# 10 returned: 6 satisfied, 2 not, 1 without the item that decides, 1 blank; weights 1 but for the two not satisfied
RATE = "form_id | delivery | service | count | weight\na | satisfied | fair | 6 | 1\nb | fair | fair | 2 | 2\nc | | fair | 1 | 1\nd | | | 1 | 1"
BY_DELIVERY = {"satisfied_form": {"reading": "item", "item": "delivery"}, **SATISFIED}


@pytest.mark.parametrize(
    "denominator, value, forms",
    [
        ("returned", 6 / (6 + 2 * 2 + 1 + 1), 10),
        ("valid", 6 / (6 + 2 * 2 + 1), 9),
        ("answered", 6 / (6 + 2 * 2), 8),
        ("distributed", 6 / 20, 20),  # those that did not come back have no weight, so nobody has
    ],
)
def test_the_satisfaction_rate_by_each_denominator_with_weights_and_counts(denominator, value, forms):
    found = evidence(RATE, {"distributed": 20}, satisfaction_rate={"denominator": denominator}, **BY_DELIVERY)
    rate = scoring.satisfaction_rate(found)
    assert rate[:3] == pytest.approx((value, value * forms, forms))
    assert scoring.satisfaction_rate_of_valid(found)[:3] == pytest.approx((6 / 11, 9 * 6 / 11, 9))


def test_the_size_of_weights_does_not_move_a_numerator():
    tenfold = re.sub(r"(\d)$", r"\g<1>0", RATE, flags=re.MULTILINE)
    by = {"satisfaction_rate": {"denominator": "returned"}, **BY_DELIVERY}
    found, larger = (scoring.satisfaction_rate(evidence(rows, **by)) for rows in (RATE, tenfold))
    assert found[:5] == pytest.approx(larger[:5])


def test_a_rate_of_the_forms_sent_is_of_a_sample_of_the_frame():
    keys = {"satisfaction_rate": {"denominator": "distributed"}, **BY_DELIVERY}
    found = scoring.satisfaction_rate(evidence(RATE, {"distributed": 20, "frame": 50}, **keys))
    assert found[3:5] == pytest.approx(wilson_interval(0.3, 20 * 49 / 30))
    assert (found.se, found.n, found.n_effective) == pytest.approx(
        (math.sqrt(0.3 * 0.7 / 19 * (1 - 20 / 50)), 20, 20 * 49 / 30)
    )
    of_all = scoring.satisfaction_rate(evidence(RATE, {"distributed": 20, "frame": 20}, **keys))
    assert of_all[3:8] == (0.3, 0.3, "census", 0.0, 20) and of_all.n_effective == math.inf
    assert scoring.satisfaction_rate(evidence(RATE, **keys))[:3] == (None, 6, None)
    more = scoring.satisfaction_rate(evidence(RATE, {"distributed": 4}, **keys))
    assert more[:6] == (1.5, 6, 4, None, None, "count") and set(more[6:]) == {None}


def test_without_a_satisfied_form_there_is_no_rate():
    assert scoring.satisfaction_rate(evidence(RATE))[:3] == (None, None, None)


def test_the_interval_of_a_rate_is_wilsons_for_the_effective_answers():
    # weights 1 and 2 on 8 and 2 forms: n effective 12² / (8·1 + 2·4) = 9
    found = scoring.satisfaction_rate(evidence(RATE, satisfaction_rate={"denominator": "returned"}, **BY_DELIVERY))
    assert (found.conf_low, found.conf_high) == pytest.approx(wilson_interval(0.5, 9, df=9))
    assert (found.method, found.df) == ("wilson", 9)
    # residuals ±½ with weights 1 and 2: squares 8·¼ + 2·4·¼ = 4, times 10/9, root, over 12
    assert (found.se, found.n, found.n_effective) == pytest.approx((math.sqrt(4 * 10 / 9) / 12, 10, 9))


def test_a_rate_is_a_rate_of_a_finite_frame():
    plain = "form_id | delivery | service | count\na | satisfied | | 90\nb | fair | | 10"
    rate = scoring.satisfaction_rate(evidence(plain, {"frame": 150}, **BY_DELIVERY))
    assert (rate.conf_low, rate.conf_high) == pytest.approx(wilson_interval(0.9, 100 * 149 / 50))
    assert scoring.satisfaction_rate(evidence(plain, {"frame": 100}, **BY_DELIVERY))[3:5] == (0.9, 0.9)


def test_the_survey_rate_counts_what_was_not_answered_as_nothing():
    # points 160, 60 (one blank), 0 (blank form), of 3 · 200
    found = scoring.survey_rate(evidence("form_id | delivery | service\na | satisfied | fair\nb | | fair\nc | | "))
    assert found[:3] == pytest.approx((220 / 600, 220, 600))
    assert found.method == "wilson_mean"


def test_the_survey_rate_of_points_below_zero():
    own = [{"id": "delivery", "points": {"satisfied": 1.5, "fair": 0.9, "dissatisfied": -1.5}}]
    found = scoring.survey_rate(
        evidence("form_id | delivery | count\na | satisfied | 1\nb | dissatisfied | 3", items=own)
    )
    assert found[:3] == pytest.approx((-0.5, -3, 6))


def test_the_weighted_score_leaves_out_forms_that_answered_nothing():
    found = scoring.weighted_score(
        evidence("form_id | delivery | service | count\na | satisfied | fair | 1\nb | fair | | 2\nc | | | 5")
    )
    assert found[:3] == pytest.approx(((84 + 60 + 60) / 3, 204, 3))
    # sd of 84, 60, 60 is 13.8564, standard error 8: v = 3 · .08² ÷ (.68 · .32) = .088235, of 3 · .2176 ÷ v = 7.3984
    # answers; with three quarters of one at the ends (7.3984 v + .75) ÷ 8.1484 = .172156; Wilson's of .68 with
    # 3 ÷ .172156 = 17.4261 answers
    pulled = 1.959964**2 / 17.4261
    middle, half = (0.68 + pulled / 2) / (1 + pulled), math.sqrt(0.68 * 0.32 * pulled + pulled**2 / 4) / (1 + pulled)
    assert (found.conf_low, found.conf_high) == pytest.approx((100 * (middle - half), 100 * (middle + half)), rel=1e-5)


@pytest.mark.parametrize("measure", [scoring.weighted_score, scoring.survey_rate])
def test_forms_that_all_say_the_same_in_the_middle_tell_no_error_of_their_mean(measure):
    same = "form_id | delivery | service | count\na | fair | fair | 6"
    found = measure(evidence(same, {"frame": 300}))
    assert (found.conf_low, found.conf_high, found.method) == (None, None, "withheld: no variation")
    assert measure(evidence(same, {"frame": 6})).method == "census"


@pytest.mark.parametrize("measure", [scoring.weighted_score, scoring.survey_rate])
def test_forms_that_all_say_the_best_have_the_interval_of_a_share(measure):
    found = measure(evidence("form_id | delivery | service | count\na | satisfied | satisfied | 6", {"frame": 300}))
    # 6 of 300 are worth 6 · 299 ÷ 294 = 6.10204 answers, of which all are satisfied: n ÷ (n + 1.95996²)
    assert found.conf_low / found.conf_high == pytest.approx(6.10204 / (6.10204 + 1.95996**2), rel=1e-5)
    assert found.conf_high == found.value


@pytest.mark.parametrize("measure", [scoring.satisfaction_rate, scoring.weighted_score, scoring.survey_rate])
def test_a_single_cluster_has_no_interval(measure):
    found = measure(
        evidence("form_id | delivery | service | cluster\na | satisfied | | x\nb | fair | | x", **BY_DELIVERY)
    )
    assert (found.conf_low, found.conf_high, found.method) == (None, None, "withheld: one cluster")
    assert found.value is not None


@pytest.mark.parametrize("measure", [scoring.satisfaction_rate, scoring.weighted_score, scoring.survey_rate])
@pytest.mark.parametrize("rows", ["a | -1 | fair | ", "a | 0 | fair | "])
def test_without_forms_there_is_no_value(measure, rows):
    found = measure(evidence(f"form_id | count | delivery | service\n{rows}", **BY_DELIVERY))
    assert found[:3] == (None, 0, 0) and (found.conf_low, found.conf_high) == (None, None)


# --- items --------------------------------------------------------------------------------------------


def test_figures_of_an_item_by_hand():
    # delivery: 100, 100, 60 with weights 1, 1, 2: mean 320/4, share 2/4; n effective 16/6
    found = figures(
        "form_id | delivery | service | count | weight\na | satisfied | | 2 | 1\nb | fair | not_applicable | 1 | 2\nc | | great | 1 | 1",
        **SATISFIED,
    )
    delivery = found.loc["delivery"]
    assert (delivery["n"], delivery["mean"], delivery["share_satisfied"]) == (3, 80, 0.5)
    # residuals 20, 20, -20: squares 400 + 400 + 4·400, times 3/2, root, over 4; of the share 1/40 of it
    assert delivery["mean_se"] == pytest.approx(math.sqrt(2400 * 1.5) / 4)
    assert delivery["share_se"] == pytest.approx(delivery["mean_se"] / 40)
    assert (delivery["conf_low"], delivery["conf_high"]) == pytest.approx(wilson_interval(0.5, 16 / 6, df=2))
    assert found.loc["service"].to_dict() == {name: 0 if name == "n" else None for name in items.FIGURES}


def test_answers_are_counted_where_nothing_says_what_they_are_worth():
    found = figures("form_id | delivery | service\na | yes | no\nb | yes | ", scale={"levels": [{"id": "yes"}, {"id": "no"}]},
                  index=None, grades=None)  # fmt: skip
    assert found["n"].tolist() == [2, 1]
    assert found.drop(columns="n").isna().all().all()


def test_an_item_that_was_not_asked_has_a_row_and_no_answers():
    found = figures("form_id | delivery | service\na | fair | fair", items=OPTIONAL)
    assert found.index.tolist() == ["delivery", "service", "packaging"] and found.loc["packaging", "n"] == 0


def test_figures_in_clusters_have_the_error_of_the_clusters():
    # clusters of 100, 100 and of 60, 60 points, mean 80: sums 40 and -40, 2 · 3200 ÷ 4²; one cluster tells nothing
    rows = "form_id | delivery | service | cluster\na | fair | | x\nb | fair | | x\nc | satisfied | | {0}\nd | satisfied | | {0}"
    found = figures(rows.format("y"), **SATISFIED).loc["delivery"]
    assert (found["mean"], found["df"]) == (80, 1)
    assert found["mean_se"] == pytest.approx(math.sqrt(2 * 3200 / 16))
    alone = figures(rows.format("x"), **SATISFIED).loc["delivery"]
    assert alone[["mean", "mean_se", "share_se", "conf_low"]].tolist() == [80, None, None, None]


def test_one_answer_has_no_error():
    assert figures("form_id | delivery | service\na | fair | ", **SATISFIED).loc["delivery", "mean_se"] is None


def test_the_distribution_of_answers_is_weighted_and_keeps_what_is_outside_the_base_apart():
    survey = survey_of(
        "form_id | delivery | service | count | weight\na | satisfied | fair | 3 | 1\nb | fair | | 1 | 2\nc | great | not_applicable | 1 | 1"
    )
    rejected = survey.rejected
    found = items.distribution(survey.answers, survey.forms, survey.programme, rejected).set_index(["item", "level"])
    assert found.loc["delivery", "n"].to_dict() == {
        "satisfied": 3,
        "fair": 1,
        "dissatisfied": 0,
        "not_applicable": 0,
        "empty": 0,
        "rejected": 1,
        "invalid": 0,
    }
    assert found.loc["delivery", "share"].to_dict() == {
        "satisfied": 0.6,
        "fair": 0.4,
        "dissatisfied": 0,
        "not_applicable": None,
        "empty": None,
        "rejected": None,
        "invalid": None,
    }
    assert found.loc["service", "n"].to_dict() == {
        "satisfied": 0,
        "fair": 3,
        "dissatisfied": 0,
        "not_applicable": 1,
        "empty": 1,
        "rejected": 0,
        "invalid": 0,
    }


# --- groups -------------------------------------------------------------------------------------------


def grouped(rows: str, **keys) -> pd.DataFrame:
    survey = survey_of(
        "form_id | delivery | service | count | site\n" + rows, demo(**SATISFIED, **keys), groups=["site"]
    )
    return items.by_group(assessment.gather(survey), survey.answers, ["site"]).set_index(["level", "id"])


@pytest.mark.parametrize("n, suppressed", [(4, True), (5, False), (6, False)])
def test_groups_of_fewer_than_five_answers_are_suppressed(n, suppressed):
    found = grouped(f"a | satisfied | fair | {n} | A").loc[("A", "delivery")]
    assert found["suppressed"] == suppressed
    effects = ("mean_effect", "share_effect")  # of answers that are all the same there is none
    shown = [name for name in items.FIGURES if found[name] is not None]
    assert shown == ([] if suppressed else [name for name in items.FIGURES if name not in effects])
    assert suppressed or (found["n"], found["share_satisfied"]) == (n, 1)


@pytest.mark.parametrize(
    "answers, shown",
    [
        ([3, 9, 7, 40], [9, 40]),  # 3 alone would be the total less the others: 7 goes with it
        ([3, 1, 7, 40], [40]),  # 3 + 1 are fewer than five together
        ([3, 2, 7, 40], [7, 40]),
        ([0, 9, 7, 40], [9, 7, 40]),  # nobody answered: nothing to give away
        ([5, 9], [5, 9]),
        ([4, 9], []),
    ],
)
def test_what_is_left_out_does_not_follow_from_the_total(answers, shown):
    counts = pd.Series(answers)
    hidden = items.suppressed(counts, 5)
    assert counts[~hidden].tolist() == shown
    left_out = counts[hidden & (counts > 0)]
    assert len(left_out) != 1 and not 0 < left_out.sum() < 5


def test_a_small_group_takes_the_next_smallest_of_its_table_with_it():
    found = grouped("a | satisfied | fair | 3 | A\nb | fair | fair | 6 | B\nc | fair | fair | 9 | C")
    assert found.xs("delivery", level="id")["suppressed"].to_dict() == {"A": True, "B": True, "C": False}


def test_a_programme_sets_the_size_of_a_small_group():
    assert not grouped("a | satisfied | fair | 3 | A", min_n=3)["suppressed"].any()


def test_an_item_with_few_answers_is_suppressed_in_a_large_group_and_one_with_none_is_not():
    found = grouped("a | satisfied | fair | 2 | A\nb | | fair | 8 | A\nc | | not_applicable | 2 | B")
    assert found["suppressed"].to_dict() == {
        ("A", "delivery"): True, ("A", "service"): False, ("B", "delivery"): True, ("B", "service"): True,
    }  # fmt: skip
    assert grouped("a | | fair | 8 | A").loc[("A", "delivery"), ["n", "suppressed"]].tolist() == [0, False]


def test_forms_without_a_group_belong_to_none_and_groups_come_in_order():
    found = grouped("a | fair | fair | 5 | B\nb | fair | fair | 5 | \nc | fair | fair | 5 | A")
    assert found.index.get_level_values("level").unique().tolist() == ["A", "B"]
    assert found["by"].unique().tolist() == ["site"]


def test_a_group_is_a_domain_of_the_design():
    # its share is that of its forms alone; its error knows that of 15 forms 10 fell to it: 15/14 instead of 10/9
    found = grouped("a | satisfied | fair | 5 | A\nb | dissatisfied | fair | 5 | B\nc | fair | fair | 5 | A")
    alone = figures("form_id | delivery | service | count\na | satisfied | fair | 5\nc | fair | fair | 5", **SATISFIED)
    group, by_itself = found.loc[("A", "delivery")], alone.loc["delivery"]
    for name in ("n", "mean", "share_satisfied", "df"):
        assert group[name] == by_itself[name]
    assert group["share_se"] ** 2 / by_itself["share_se"] ** 2 == pytest.approx(15 / 14 / (10 / 9))


# --- laws ---------------------------------------------------------------------------------------------

ANSWERS = st.sampled_from(["satisfied", "fair", "dissatisfied", "", "not_applicable"])
FORMS = st.lists(st.tuples(ANSWERS, ANSWERS, st.integers(1, 3)), min_size=1, max_size=6)


@settings(max_examples=8, deadline=None, database=None)
@given(FORMS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_counting_them_change_no_figure(forms, random):
    rows = [(f"f{i}", *form) for i, form in enumerate(forms)]
    singles = [(f"{name}-{i}", delivery, service, 1) for name, delivery, service, count in rows for i in range(count)]
    random.shuffle(singles)

    def figures(lines):
        text = "form_id | delivery | service | count\n" + "\n".join(" | ".join(map(str, line)) for line in lines)
        found = evidence(text, **BY_DELIVERY)
        return [scoring.weighted_score(found), scoring.survey_rate(found), scoring.satisfaction_rate(found)]

    for one, other in zip(figures(rows), figures(singles), strict=True):
        assert one[:5] == pytest.approx(other[:5], nan_ok=True)
