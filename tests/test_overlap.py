"""The bounds hold the test of linked forms, whoever answered twice; more doubt makes them wider, never narrower."""

import math

import numpy as np
import pytest
from scipy import stats

from csat_analysis.estimation.overlap import overlap_bounds

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page


def test_the_cautious_reading_has_the_error_of_independent_waves():
    found = overlap_bounds(0.1, 0.03, 0.04, 200, 120, df=(math.inf, math.inf))
    assert found.se == pytest.approx(0.05)  # a right triangle
    assert (found.statistic, found.p_value) == pytest.approx((2.0, 2 * stats.norm.sf(2.0)))
    assert (found.conf_low, found.conf_high) == pytest.approx((0.1 - 1.959964 * 0.05, 0.1 + 1.959964 * 0.05))


def test_where_all_answered_both_times_the_other_reading_is_the_paired_t_test():
    before = np.array([60, 80, 80, 100, 30, 60, 80, 100, 60, 80.0])
    after = np.array([80, 80, 100, 100, 60, 60, 80, 100, 60, 100.0])
    r = np.corrcoef(before, after)[0, 1]
    errors = [wave.std(ddof=1) / math.sqrt(10) for wave in (before, after)]
    found = overlap_bounds(after.mean() - before.mean(), *errors, 10, 10, 10, (r, r), (9, 9))
    paired = stats.ttest_rel(after, before)
    assert (found.overlap_least, found.overlap_most) == (10, 10)
    assert (found.statistic, found.p_value) == pytest.approx((paired.statistic, paired.pvalue))
    assert (found.statistic_least, found.p_value_least) == pytest.approx((paired.statistic, paired.pvalue))


@pytest.mark.parametrize(
    "n_before, n_after, population, least, most",
    [(210, 200, 300, 110, 200), (100, 90, 300, 0, 90), (100, 90, None, 0, 90), (255, 300, 300, 255, 255)],
)
def test_the_overlap_can_be_what_the_population_leaves(n_before, n_after, population, least, most):
    found = overlap_bounds(0.1, 0.03, 0.04, n_before, n_after, population)
    assert (found.overlap_least, found.overlap_most) == (least, most)


def test_a_known_population_helps_only_where_people_are_known_to_keep_their_attitude():
    free, known = (overlap_bounds(0.05, 0.03, 0.03, 255, 255, size) for size in (None, 300))
    assert known[4:] == free[4:]
    free, known = (overlap_bounds(0.05, 0.03, 0.03, 255, 255, size, (0.4, 0.9)) for size in (None, 300))
    assert known.p_value < free.p_value
    assert known.p_value_least == free.p_value_least


@pytest.mark.parametrize(
    "estimate, verdict",
    [(0.15, "changed"), (0.05, "open"), (0.01, "not_shown"), (-0.15, "changed"), (0.0, "not_shown")],
)
def test_a_verdict_is_given_only_where_all_readings_agree(estimate, verdict):
    assert overlap_bounds(estimate, 0.03, 0.03, 200, 200).verdict == verdict


def test_swapping_before_and_after_turns_the_sign():
    one, other = overlap_bounds(0.1, 0.03, 0.04, 200, 120), overlap_bounds(-0.1, 0.04, 0.03, 120, 200)
    assert (one.p_value, one.p_value_least) == (other.p_value, other.p_value_least)
    assert (one.conf_low, one.conf_high) == (-other.conf_high, -other.conf_low)


@pytest.mark.parametrize("m, r", [(0, 0.0), (60, 0.9), (60, 0.5), (20, 0.9), (110, 0.3)])
def test_every_overlap_and_correlation_in_the_range_is_within_the_bounds(m, r):
    found = overlap_bounds(0.06, 0.03, 0.04, 120, 150)
    se = math.sqrt(0.03**2 + 0.04**2 - 2 * r * m / math.sqrt(120 * 150) * 0.03 * 0.04)
    assert found.se_least <= se <= found.se
    assert found.p_value_least <= 2 * stats.norm.sf(0.06 / se) <= 2 * stats.t.sf(0.06 / se, 119) <= found.p_value


def test_the_test_of_linked_forms_is_within_the_bounds_in_all_of_1000_simulated_surveys():
    rng, n, m = np.random.default_rng(1), 150, 90
    for _ in range(1000):
        feeling = rng.normal(size=(2 * n - m, 1)) * 0.8 + rng.normal(size=(2 * n - m, 2)) * 0.6  # r = .64
        before, after = feeling[:n, 0], feeling[n - m :, 1]
        errors = [wave.std(ddof=1) / math.sqrt(n) for wave in (before, after)]
        found = overlap_bounds(after.mean() - before.mean(), *errors, n, n)
        shared = np.cov(before[n - m :], after[:m])[0, 1] * m / n**2
        p_value = 2 * stats.norm.sf(abs(found.estimate) / math.sqrt(errors[0] ** 2 + errors[1] ** 2 - 2 * shared))
        assert found.p_value_least <= p_value <= found.p_value


@pytest.mark.parametrize(
    "se, n, reason", [(0.0, 20, "no_variation"), (0.1, 1, "too_few_answers"), (0.1, 0, "too_few_answers")]
)
def test_what_cannot_be_told_has_a_reason(se, n, reason):
    found = overlap_bounds(0.1, se, se, 20, n)
    assert (found.reason, found.verdict) == (reason, "")
    assert math.isnan(found.p_value)


def test_the_same_people_with_the_same_answers_leave_no_error():
    found = overlap_bounds(0.1, 0.03, 0.03, 20, 20, 20, (1, 1))
    assert (found.se, found.p_value, found.verdict) == (0, 0, "changed")
    assert overlap_bounds(0.0, 0.03, 0.03, 20, 20, 20, (1, 1)).p_value == 1


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"se_before": -1.0}, "0 or more"),
        ({"se_after": math.nan}, "0 or more"),
        ({"correlation": (0.9, 0.1)}, "no range within -1 and 1"),
        ({"population": 100}, "more people answered than there are"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(changed, message):
    given = {"estimate": 0.1, "se_before": 0.03, "se_after": 0.03, "n_before": 200, "n_after": 150}
    with pytest.raises(ValueError, match=message):
        overlap_bounds(**(given | changed))
