"""Intervals against published figures, and what a finite population does to them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat_analysis.statistics.inference import (
    estimate_mean,
    finite_population_factor,
    mean_interval,
    poisson_interval,
    wilson_interval,
)


@pytest.mark.parametrize(
    "events, n, low, high",
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_bounds(events, n, low, high):
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3 (score, without continuity correction).
    assert wilson_interval(events / n, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    "events, low, high",
    [(0, 0, 3.6889), (1, 0.0253, 5.5716), (2, 0.2422, 7.2247), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904), (100, 81.364, 121.627)],
)  # fmt: skip
def test_poisson_gives_the_published_bounds(events, low, high):
    # Garwood (1936), Biometrika 28, 437-442: the exact limits tabulated since, such as in Ulm (1990), Am J Epidemiol 131.
    assert poisson_interval(events, 1) == pytest.approx((low, high), abs=5e-4)


def test_poisson_bounds_are_a_rate_of_the_exposure():
    assert poisson_interval(5, 200) == pytest.approx([bound / 200 for bound in poisson_interval(5, 1)])


def mean_of(values, weights=None, counts=None, population=None):
    values = np.array(values, dtype=float)
    weights = np.ones(len(values)) if weights is None else np.array(weights, dtype=float)
    counts = np.ones(len(values), dtype=int) if counts is None else np.array(counts)
    return estimate_mean(values, weights, counts, population)


def test_the_standard_error_of_a_plain_mean_is_s_over_root_n():
    # 2, 4, 4, 4, 5, 5, 7, 9: mean 5, sum of squares 32
    estimate = mean_of([2, 4, 4, 4, 5, 5, 7, 9])
    assert (estimate.mean, estimate.n, estimate.n_effective) == (5, 8, 8)
    assert estimate.se == pytest.approx(math.sqrt(32 / 7 / 8))


def test_the_interval_of_a_mean_is_students():
    # t(0.975; 7 df) = 2.36462 in any table
    low, high = mean_interval(mean_of([2, 4, 4, 4, 5, 5, 7, 9]))
    assert (5 - low, high - 5) == pytest.approx([2.36462 * math.sqrt(32 / 56)] * 2, rel=1e-5)


def test_a_count_stands_for_so_many_answers():
    assert mean_of([1, 0], counts=[3, 2]) == pytest.approx(mean_of([1, 1, 1, 0, 0]))


def test_weights_move_the_mean_and_cost_precision():
    # (3·1 + 1·0) / 4
    estimate = mean_of([1, 0], weights=[3, 1])
    assert (estimate.mean, estimate.n) == pytest.approx((0.75, 2))
    # residuals .25 and -.75: squares 9/16 + 9/16, times n/(n-1) = 2, root, over 4
    assert estimate.se == pytest.approx(math.sqrt(2 * 18 / 16) / 4)


@pytest.mark.parametrize(
    "values, weights, effective",
    [
        # p = 2/5; Σ w²d² = 4·9/25 + 4/25 + 2·4/25 = 48/25, W·Σ w d² = 5·6/5 = 6: design effect 4·(48/25)/6 = 1.28
        ([1, 0, 0, 0], [2, 1, 1, 1], 4 / 1.28),
        ([1, 1, 1, 0], [2, 1, 1, 1], 4),  # the one that weighs most is nearest to the mean: no more than 4 all the same
        ([1, 1, 1, 1], [2, 1, 1, 1], 25 / 7),  # Kish's where no spread tells
    ],
)
def test_weights_cost_answers_as_far_as_they_go_with_the_answers(values, weights, effective):
    assert mean_of(values, weights=weights).n_effective == pytest.approx(effective)


def test_the_size_of_weights_does_not_matter():
    assert mean_of([1, 0, 1], weights=[3, 1, 2]) == pytest.approx(mean_of([1, 0, 1], weights=[30, 10, 20]))


@pytest.mark.parametrize(
    "n, population, left_out", [(70, 100, 0.3), (100, 100, 0), (101, 100, 1), (70, None, 1), (70, 0, 1)]
)
def test_the_finite_population_factor_is_what_was_not_asked(n, population, left_out):
    assert finite_population_factor(n, population) == pytest.approx(left_out)


def test_effective_answers_of_a_finite_population_are_n_times_n_minus_1_over_what_is_left():
    # N = 300, n = 210: 210 · 299 / 90
    estimate = mean_of([1, 0], counts=[180, 30], population=300)
    assert estimate.n_effective == pytest.approx(210 * 299 / 90)
    assert estimate.se == pytest.approx(mean_of([1, 0], counts=[180, 30]).se * math.sqrt(0.3))


def test_a_census_has_no_sampling_error():
    estimate = mean_of([1, 0], counts=[270, 30], population=300)
    assert (estimate.se, estimate.n_effective) == (0, math.inf)
    assert wilson_interval(estimate.mean, estimate.n_effective) == (0.9, 0.9)
    assert mean_interval(estimate) == (0.9, 0.9)


def test_more_answers_than_customers_are_no_census():
    assert mean_of([1, 0], counts=[300, 10], population=300).n_effective == 310


@pytest.mark.parametrize("share", [0, 1])
def test_all_or_none_satisfied_is_not_certain(share):
    low, high = wilson_interval(share, 20)
    assert high - low == pytest.approx(0.1611, abs=5e-5)
    assert 0 <= low <= share <= high <= 1


@pytest.mark.parametrize("population, bound", [(None, math.nan), (2, math.nan), (1, 80)])
def test_one_answer_has_no_interval_unless_it_is_all_there_is(population, bound):
    assert mean_interval(mean_of([80], population=population)) == pytest.approx((bound, bound), nan_ok=True)


@pytest.mark.parametrize("counts, weights", [([], []), ([0, 0], [1, 1]), ([3, 2], [0, 0])])
def test_without_answers_or_weight_there_is_no_estimate(counts, weights):
    estimate = mean_of([1, 0][: len(counts)], weights, np.array(counts, dtype=int))
    assert math.isnan(estimate.mean) and math.isnan(estimate.se)
    assert all(math.isnan(bound) for bound in wilson_interval(estimate.mean, estimate.n_effective))


@given(st.integers(1, 500), st.integers(0, 500), st.integers(0, 1000))
def test_wilson_holds_the_share_within_0_and_1_and_a_population_narrows_it(n, satisfied, others):
    satisfied = min(satisfied, n)
    wide = mean_of([1, 0], counts=[satisfied, n - satisfied])
    narrow = mean_of([1, 0], counts=[satisfied, n - satisfied], population=n + others)
    low, high = wilson_interval(wide.mean, wide.n_effective)
    inner_low, inner_high = wilson_interval(narrow.mean, narrow.n_effective)
    assert 0 <= low <= inner_low + 1e-12 and inner_low <= wide.mean + 1e-12
    assert wide.mean <= inner_high + 1e-12 and inner_high <= high + 1e-12 <= 1 + 2e-12
