"""Weights that meet known margins: by hand, their errors, why they may fail, and what trimming costs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csat_analysis.statistics.calibration import calibrate
from csat_analysis.statistics.design import design_of, kept
from csat_analysis.statistics.estimates import (
    contrast_means,
    estimate_mean,
    estimate_means,
    estimate_ratio,
    estimate_totals,
)

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page


def weighted_to(labels, totals, weights=None, counts=None, trim=None, **columns):
    """Return answers weighted to one margin."""
    weights = np.ones(len(labels)) if weights is None else np.array(weights, dtype=float)
    return calibrate(design_of(weights, counts, **columns), {"who": list(labels)}, {"who": totals}, trim)


# --- one margin -------------------------------------------------------------------------------------------------------


def test_post_stratification_can_be_worked_by_hand():
    # Three of a and one of b answered; there are 20 of each.
    found = weighted_to("aaab", {"a": 20, "b": 20})
    assert found.factor.tolist() == pytest.approx([20 / 3] * 3 + [20])
    assert (found.reason, found.trimmed, found.gap) == ("", 0, pytest.approx(0, abs=1e-12))
    # a: 1, 0, 1 and b: 0: half of 2/3. What is left in cells: 1/3, -2/3, 1/3, 0, each 20/3 of 40 people: in 18ths
    # 1, -2, 1, 0, and 4/3 x 6.
    values = np.array([1, 0, 1, 0.0])
    estimate = estimate_mean(found.design, values)
    assert estimate.mean == pytest.approx(1 / 3)
    assert estimate.se == pytest.approx(math.sqrt(8) / 18)
    assert (estimate.n, estimate.df) == (4, 3)
    [total], [se], [df] = estimate_totals(found.design, values)
    assert (total, se, df) == (pytest.approx(40 / 3), pytest.approx(40 * math.sqrt(8) / 18), 3)


def test_weights_from_before_count_within_a_cell():
    # a weighs 1 and 3, there are 8: 2 and 6
    found = weighted_to("aab", {"a": 8, "b": 1}, weights=[1, 3, 4])
    assert found.design.weights.tolist() == pytest.approx([2, 6, 1])
    assert found.factor.tolist() == pytest.approx([2, 2, 0.25])
    assert found.design.base.tolist() == [1, 3, 4]


def test_what_a_margin_explains_is_no_error():
    # All of a say 1 and all of b 0: whatever sample of them is asked, the shares of the population decide.
    found = weighted_to("aabb", {"a": 30, "b": 10})
    estimate = estimate_mean(found.design, np.array([1, 1, 0, 0.0]))
    assert (estimate.mean, estimate.se) == (pytest.approx(0.75), pytest.approx(0, abs=1e-12))


def test_who_answered_like_the_population_changes_no_figure():
    values = np.array([1, 0, 1, 1.0])
    plain = design_of(np.ones(4))
    found = weighted_to("aabb", {"a": 2, "b": 2})
    assert found.factor.tolist() == pytest.approx([1, 1, 1, 1])
    assert estimate_mean(found.design, values).mean == estimate_mean(plain, values).mean
    # what the margin explains is gone: residuals 1/2, -1/2, 0, 0 in quarters
    assert estimate_mean(found.design, values).se == pytest.approx(math.sqrt(4 / 3 * 2 / 64))


def test_an_answer_outside_a_domain_has_a_residual_too():
    # The domain is the first answer of each kind: mean 1/2 by weights 20/3 : 20 = 1 : 3, that is 1/4. Linearised values
    # on the domain 3/4 and -1/4; less what the cells explain (1/4 of a's three, all of b's): 1/2, -1/4, -1/4, 0.
    found = weighted_to("aaab", {"a": 20, "b": 20})
    estimate = estimate_means(found.design, np.array([1, 0, 1, 0.0]), np.array([0, -1, -1, 0]))
    assert estimate.value[0, 0] == pytest.approx(1 / 4)
    residuals = np.array([3 / 4 - 1 / 4, -1 / 4, -1 / 4, 0]) * 20 / 3 / (20 / 3 + 20)
    assert estimate.se[0, 0] == pytest.approx(math.sqrt(4 / 3 * (residuals**2).sum()))
    assert (estimate.n[0, 0], estimate.df[0, 0]) == (2, 1)


def test_the_population_still_narrows_the_error():
    open_ended, known = (
        estimate_mean(weighted_to("aaab", {"a": 20, "b": 20}, population=size).design, np.array([1, 0, 1, 0.0]))
        for size in (None, 16)
    )
    assert known.se == pytest.approx(open_ended.se * math.sqrt(12 / 16))


def test_clusters_still_count_as_one():
    # as in the first table, with the first two answers in one cluster: -1, 1, 0 in 18ths, 3/2 x 2
    found = weighted_to("aaab", {"a": 20, "b": 20}, clusters=list("xxyz"))
    estimate = estimate_mean(found.design, np.array([1, 0, 1, 0.0]))
    assert (estimate.se, estimate.df) == (pytest.approx(math.sqrt(3) / 18), 2)


def test_a_row_that_weighs_nothing_stays_so():
    found = weighted_to("aab", {"a": 8, "b": 1}, weights=[1, 0, 4])
    assert found.design.weights.tolist() == pytest.approx([8, 0, 1])
    assert found.factor.tolist() == pytest.approx([8, 1, 0.25])


def test_the_design_that_came_in_stays_as_it_was():
    design = design_of(np.ones(3))
    calibrate(design, {"who": list("aab")}, {"who": {"a": 8, "b": 1}})
    assert design.weights.tolist() == [1, 1, 1] and design.margins is None


# --- several margins --------------------------------------------------------------------------------------------------


def test_two_margins_can_be_worked_by_hand():
    # One answer in each of four cells: 30 · 20 / 40 and 10 · 20 / 40 of 40 people.
    found = calibrate(
        design_of(np.ones(4)), {"row": list("aabb"), "column": list("xyxy")}, {"row": {"a": 30, "b": 10}, "column": {"x": 20, "y": 20}}
    )  # fmt: skip
    assert found.factor.tolist() == pytest.approx([15, 15, 5, 5])


def test_the_order_of_the_margins_does_not_matter():
    labels = {"row": list("aaabbb"), "column": list("xyyxxy")}
    totals = {"row": {"a": 30, "b": 10}, "column": {"x": 25, "y": 15}}
    there = calibrate(design_of(np.arange(1.0, 7.0)), labels, totals)
    back = calibrate(design_of(np.arange(1.0, 7.0)), dict(reversed(labels.items())), totals)
    assert there.design.weights == pytest.approx(back.design.weights, rel=1e-9)
    values = np.array([1, 0, 1, 1, 0, 1.0])
    assert estimate_mean(there.design, values)[:2] == pytest.approx(estimate_mean(back.design, values)[:2])


def test_a_margin_that_stands_twice_is_as_good_as_one():
    once = weighted_to("aaab", {"a": 20, "b": 20})
    twice = calibrate(
        design_of(np.ones(4)), {"who": list("aaab"), "again": list("aaab")}, {"who": {"a": 20, "b": 20}, "again": {"a": 20, "b": 20}}
    )  # fmt: skip
    values = np.array([1, 0, 1, 0.0])
    assert estimate_mean(twice.design, values)[:2] == pytest.approx(estimate_mean(once.design, values)[:2])


# --- why it may fail --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "labels, totals, reason",
    [
        ("aaab", {"a": 20, "b": 20, "c": 5}, "empty:who:c"),  # nobody of c answered
        ("aaab", {"a": 20}, "unknown:who:b"),  # the population does not name b
        ("aaab", {"a": 20, "b": 0}, "unknown:who:b"),  # there is nobody of b, and one answered
        (["a", "b", ""], {"a": 20, "b": 20}, "unknown:who:"),
        ("aaab", {"a": 20, "b": 20, "c": 0}, ""),
        ("", {"a": 20}, "empty:who:a"),
        ("ab", {}, "totals"),
        ("ab", {"a": 0, "b": 0}, "totals"),
    ],
)
def test_a_margin_that_cannot_be_met_gives_its_reason_and_changes_nothing(labels, totals, reason):
    found = weighted_to(labels, totals)
    assert found.reason == reason
    if reason:
        assert found.design.margins is None
        assert (found.factor == 1).all() and (found.design.weights == 1).all()
        assert found.trimmed == 0 and math.isnan(found.gap)


def test_a_level_of_which_nobody_is_there_is_empty():
    for weights, counts in (([1, 1, 0], None), (None, np.array([1, 1, 0]))):
        assert weighted_to("aab", {"a": 20, "b": 20}, weights=weights, counts=counts).reason == "empty:who:b"


@pytest.mark.parametrize(
    "labels, totals, reason",
    [
        ({"row": "ab", "column": "xy"}, {"row": {"a": 30, "b": 10}, "column": {"x": 20, "y": 21}}, "totals"),
        ({}, {}, "totals"),
        # all of a are x, so that there cannot be 30 of one and 20 of the other
        ({"row": "ab", "column": "xy"}, {"row": {"a": 30, "b": 10}, "column": {"x": 20, "y": 20}}, "not_converged"),
    ],
)
@pytest.mark.parametrize("trim", [None, 3.0])
def test_margins_that_contradict_each_other_give_their_reason(labels, totals, reason, trim):
    found = calibrate(design_of(np.ones(2)), {name: list(each) for name, each in labels.items()}, totals, trim)
    assert found.reason == reason
    assert found.factor.tolist() == [1, 1] and found.design.margins is None


def test_margins_given_as_shares_are_as_good_as_counts():
    shares, counts = weighted_to("aaab", {"a": 0.5, "b": 0.5}), weighted_to("aaab", {"a": 20, "b": 20})
    values = np.array([1, 0, 1, 0.0])
    assert estimate_mean(shares.design, values)[:2] == pytest.approx(estimate_mean(counts.design, values)[:2])


# --- trimming ---------------------------------------------------------------------------------------------------------

NINE_AND_ONE = "a" * 9 + "b"


def test_trimming_keeps_the_limit_and_says_how_far_it_misses():
    # To 50 and 50 the one of b would weigh 50, nine times the others' 5.56; at three times the median it stands for
    # 16.67 of 66.67, a quarter where half was wanted.
    found = weighted_to(NINE_AND_ONE, {"a": 50, "b": 50}, trim=3)
    weights = found.design.weights
    assert weights.max() == pytest.approx(3 * np.median(weights))
    assert (found.reason, found.trimmed) == ("", 1)
    assert found.gap == pytest.approx(0.25)


def test_a_limit_that_nobody_reaches_cuts_nothing():
    free, loose = (weighted_to(NINE_AND_ONE, {"a": 50, "b": 50}, trim=trim) for trim in (None, 9.5))
    assert (loose.trimmed, loose.gap) == (0, pytest.approx(0, abs=1e-12))
    assert loose.factor == pytest.approx(free.factor)


def test_what_is_cut_goes_to_the_others():
    # Within a margin that one weight has to itself nothing can take its place; here others of x can.
    labels = {"row": list("aaaab"), "column": list("xyyyx")}
    totals = {"row": {"a": 50, "b": 50}, "column": {"x": 60, "y": 40}}
    free, cut = (calibrate(design_of(np.ones(5)), labels, totals, trim) for trim in (None, 2.0))
    assert free.trimmed == 0 and cut.trimmed >= 1
    assert cut.design.weights.max() <= 2 * np.median(cut.design.weights) * (1 + 1e-9)
    assert cut.design.weights.sum() > 0.5 * free.design.weights.sum()
    assert 0 < cut.gap < 1


def test_the_limit_is_by_the_median_of_answers_and_not_of_rows():
    # nine answers of a in one row weigh like nine rows
    rows = weighted_to(NINE_AND_ONE, {"a": 50, "b": 50}, trim=3)
    merged = weighted_to("ab", {"a": 50, "b": 50}, counts=np.array([9, 1]), trim=3)
    assert merged.design.weights == pytest.approx([rows.design.weights[0], rows.design.weights[-1]])
    assert (merged.trimmed, merged.gap) == (rows.trimmed, pytest.approx(rows.gap))


def test_so_many_answers_were_cut_as_a_row_stands_for():
    found = weighted_to("aab", {"a": 10, "b": 90}, counts=np.array([5, 4, 2]), trim=2)
    assert found.trimmed == 2


# --- laws -------------------------------------------------------------------------------------------------------------


@st.composite
def surveys(draw):
    """Return weights, counts, labels of two margins, clusters and answers, and totals that can be met."""
    rows = draw(st.integers(6, 14))
    column = lambda values: draw(st.lists(values, min_size=rows - 4, max_size=rows - 4))  # noqa: E731
    labels = {
        "row": list("aabb") + column(st.sampled_from("ab")),
        "column": list("xyxy") + column(st.sampled_from("xy")),
    }
    weights, counts = (np.array([1.0] * 4 + column(st.integers(1, 4)), float) for _ in range(2))
    part = draw(st.integers(10, 90)), draw(st.integers(10, 90))
    totals = {"row": {"a": part[0], "b": 100 - part[0]}, "column": {"x": part[1], "y": 100 - part[1]}}
    values = np.array([0.0, 1, 1, 0] + column(st.integers(0, 1)), float)
    return weights, counts, labels, column(st.sampled_from("123")) + list("4567"), values, totals


def design_in(survey):
    weights, counts, _, clusters, _, _ = survey
    return design_of(weights, counts, clusters=clusters)


@given(surveys())
@settings(max_examples=60, deadline=None)
def test_weights_meet_the_margins_and_stay_above_nought(survey):
    *_, totals = survey
    found = calibrate(design_in(survey), survey[2], totals)
    assert found.reason == "" and found.gap < 1e-9
    assert (found.design.weights > 0).all()
    for name, levels in totals.items():
        for level, n in levels.items():
            inside = np.array(survey[2][name]) == level
            assert (found.design.weights * found.design.counts)[inside].sum() == pytest.approx(n, rel=1e-8)


@given(surveys(), st.sampled_from([0.01, 30.0]))
@settings(max_examples=60, deadline=None)
def test_the_scale_of_the_weights_before_does_not_matter(survey, scale):
    weights, counts, labels, clusters, values, totals = survey
    found, scaled = (
        calibrate(design_of(each, counts, clusters=clusters), labels, totals).design
        for each in (weights, weights * scale)
    )
    assert scaled.weights == pytest.approx(found.weights, rel=1e-7)
    assert estimate_mean(scaled, values)[:2] == pytest.approx(estimate_mean(found, values)[:2], rel=1e-6, abs=1e-9)


@given(surveys(), st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_rows_and_repeated_rows_do_not_matter(survey, random):
    weights, counts, labels, clusters, values, totals = survey
    each = np.repeat(np.arange(len(weights)), counts.astype(int)).tolist()
    random.shuffle(each)
    names = {name: [column[n] for n in each] for name, column in labels.items()}
    turned = design_of(weights[each], clusters=[clusters[n] for n in each])
    before, after = calibrate(design_in(survey), labels, totals), calibrate(turned, names, totals)
    found, again = estimate_mean(before.design, values), estimate_mean(after.design, values[each])
    assert again[:5] == pytest.approx(found[:5], rel=1e-6, abs=1e-9, nan_ok=True)


@given(surveys())
@settings(max_examples=60, deadline=None)
def test_a_margin_itself_has_no_error(survey):
    weights, counts, labels, clusters, _, totals = survey
    design = calibrate(design_in(survey), labels, totals).design
    of_a = (np.array(labels["row"]) == "a").astype(float)
    found = estimate_mean(design, of_a)
    assert found.mean == pytest.approx(totals["row"]["a"] / 100)
    assert found.se == pytest.approx(0, abs=1e-7)


@given(surveys())
@settings(max_examples=60, deadline=None)
def test_means_ratios_totals_and_contrasts_agree_on_a_calibrated_design(survey):
    _, _, labels, _, values, totals = survey
    design = calibrate(design_in(survey), labels, totals).design
    found = estimate_mean(design, values)
    value, se, df = estimate_ratio(design, values, np.ones(len(values)))
    assert (value, se, df) == pytest.approx((found.mean, found.se, found.df), abs=1e-7)
    [total], [total_se], _ = estimate_totals(design, values)
    # the number of people is known, so that a total has the error of a mean
    assert (total, total_se) == pytest.approx((100 * found.mean, 100 * found.se), abs=1e-5)
    group = (np.array(labels["column"]) == "x").astype(int)
    means = estimate_means(design, values, group, 2)
    assert contrast_means(design, values, group).estimate[0] == pytest.approx(means.value[1, 0] - means.value[0, 0])


def test_some_of_the_rows_keep_their_margins():
    found = weighted_to("aaab", {"a": 20, "b": 20})
    part = kept(found.design, np.array([True, True, False, True]))
    assert part.margins.tolist() == [[1, 0], [1, 0], [0, 1]]
    assert part.base.tolist() == [1, 1, 1]
