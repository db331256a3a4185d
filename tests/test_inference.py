"""Intervals against published figures, and what a finite population and few primary units do to them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat_analysis.statistics.design import design_of
from csat_analysis.statistics.estimates import estimate_mean
from csat_analysis.statistics.inference import (
    holm,
    korn_graubard_interval,
    mean_interval,
    poisson_interval,
    scale_interval,
    t_quantile,
    wilson_interval,
)

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page


def share_of(satisfied, others, population=None):
    """Return the estimate of a share of single answers."""
    design = design_of(np.ones(2), np.array([satisfied, others]), population=population)
    return estimate_mean(design, np.array([1.0, 0.0]))


@pytest.mark.parametrize(
    "events, n, low, high",
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_bounds(events, n, low, high):
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3 (score, without continuity correction).
    assert wilson_interval(events / n, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("df", [1, 5, 30, 1000])
def test_few_primary_units_widen_wilsons_interval(df):
    # the bounds are where the share is t standard errors from what was seen: (p - x)² = t² x (1 - x) / n
    t = t_quantile(df)
    for bound in wilson_interval(0.8, 60, df):
        assert (0.8 - bound) ** 2 == pytest.approx(t**2 * bound * (1 - bound) / 60)
    assert np.ptp(wilson_interval(0.8, 60, df)) > np.ptp(wilson_interval(0.8, 60))


@pytest.mark.parametrize("df, printed", [(1, 12.706), (10, 2.228), (30, 2.042), (1e9, 1.960)])
def test_quantiles_are_those_of_any_table(df, printed):
    assert t_quantile(df) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize("share", [0, 1])
def test_all_or_none_satisfied_is_not_certain(share):
    low, high = wilson_interval(share, 20)
    assert high - low == pytest.approx(0.1611, abs=5e-5)
    assert 0 <= low <= share <= high <= 1


def test_a_census_has_the_share_itself():
    found = share_of(270, 30, population=300)
    assert wilson_interval(found.mean, found.n_effective) == (0.9, 0.9)


@pytest.mark.parametrize("n_effective, df", [(0, None), (math.nan, None), (20, 0)])
def test_without_answers_or_degrees_of_freedom_there_is_no_interval(n_effective, df):
    assert np.isnan(wilson_interval(0.8, n_effective, df)).all()


@given(st.integers(1, 500), st.integers(0, 500), st.integers(0, 1000))
def test_wilson_holds_the_share_within_0_and_1_and_a_population_narrows_it(n, satisfied, others):
    satisfied = min(satisfied, n)
    wide, narrow = (share_of(satisfied, n - satisfied, size) for size in (None, n + others))
    low, high = wilson_interval(wide.mean, wide.n_effective)
    inner_low, inner_high = wilson_interval(narrow.mean, narrow.n_effective)
    assert 0 <= low <= inner_low + 1e-12 and inner_low <= wide.mean + 1e-12
    assert wide.mean <= inner_high + 1e-12 and inner_high <= high + 1e-12 <= 1 + 2e-12


# --- Korn and Graubard ------------------------------------------------------------------------------------------------


def test_with_single_answers_it_is_clopper_and_pearson():
    # Newcombe (1998), table I, method 5: 81 of 263
    assert korn_graubard_interval(81 / 263, 263, 263, 262) == pytest.approx((0.2527, 0.3676), abs=5e-5)


@pytest.mark.parametrize("share, low, high", [(1.0, 0.025 ** (1 / 20), 1.0), (0.0, 0.0, 1 - 0.025 ** (1 / 20))])
def test_at_0_and_100_per_cent_it_keeps_a_width(share, low, high):
    assert korn_graubard_interval(share, 20, 20, 19) == pytest.approx((low, high))


def test_a_share_that_is_100_per_cent_but_for_floating_point_is_100_per_cent():
    assert korn_graubard_interval(1 - 1e-15, 20, 20, 19) == korn_graubard_interval(1.0, 20, 20, 19)


def test_clusters_widen_it_by_fewer_answers_and_fewer_degrees_of_freedom():
    widths = [np.ptp(korn_graubard_interval(0.75, 12, n, df)) for n, df in ((12, 11), (3, 11), (3, 3))]
    assert widths == sorted(widths) and len(set(widths)) == 3


# --- means, rates, families of tests ----------------------------------------------------------------------------------


def test_the_interval_of_a_mean_is_students():
    # t(0.975; 7 df) = 2.36462 in any table
    low, high = mean_interval(5, math.sqrt(32 / 56), 7)
    assert (5 - low, high - 5) == pytest.approx([2.36462 * math.sqrt(32 / 56)] * 2, rel=1e-5)


@pytest.mark.parametrize("mean, se, df", [(80, 2, 0), (80, math.nan, 9), (80, 0, 9), (80.1, 1e-11, 9)])
def test_without_spread_or_degrees_of_freedom_a_mean_has_no_interval(mean, se, df):
    assert np.isnan(mean_interval(mean, se, df)).all()


def test_a_mean_of_answers_at_the_ends_of_a_scale_has_the_interval_of_their_share():
    # 80 of 100 answers at the best of 1 to 5, the others at the least: (80 · 5 + 20) ÷ 100 = 4.2, sd² = .16 · 16 · 100 ÷ 99
    low, high = scale_interval(4.2, math.sqrt(0.16 * 16 / 99), 99, 100, (1, 5))
    share = wilson_interval(0.8, 99 * 101 / 100.99, 99)
    assert ((low - 1) / 4, (high - 1) / 4) == pytest.approx(share, rel=1e-4)


def test_the_interval_of_a_mean_on_a_scale_stays_within_it_and_leans_to_its_middle():
    low, high = scale_interval(98, 1, 29, 30, (0, 100))
    assert 98 - low > high - 98 and high < 100
    assert scale_interval(2, 1, 29, 30, (0, 100)) == pytest.approx((100 - high, 100 - low))


def test_as_answers_grow_the_interval_of_a_mean_on_a_scale_becomes_students():
    assert scale_interval(60, 0.05, 1e6, 1e6, (0, 100)) == pytest.approx(mean_interval(60, 0.05, 1e6), abs=1e-4)


@pytest.mark.parametrize("mean, bounds", [(100, (0.88648, 1)), (0, (0, 0.11352)), (100 + 1e-12, (0.88648, 1))])
def test_answers_that_are_all_at_one_end_have_the_interval_of_a_share(mean, bounds):
    # 30 ÷ (30 + 1.95996²) = .88648
    assert scale_interval(mean, 0, 29, 30, (0, 100)) == pytest.approx([100 * bound for bound in bounds], abs=2e-3)


@pytest.mark.parametrize("mean, se, df", [(60, 0, 29), (60, math.nan, 29), (100, 0, 0), (100, 1, math.nan)])
def test_on_a_scale_nothing_is_told_from_nothing(mean, se, df):
    assert np.isnan(scale_interval(mean, se, df, 30, (0, 100))).all()


@pytest.mark.parametrize("reach", [(-math.inf, math.inf), (0, 50), (50, 50)])
def test_without_ends_around_it_the_interval_of_a_mean_is_students(reach):
    assert scale_interval(60, 2, 9, 10, reach) == mean_interval(60, 2, 9)


@pytest.mark.parametrize(
    "events, low, high",
    [(0, 0, 3.6889), (1, 0.0253, 5.5716), (2, 0.2422, 7.2247), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904), (100, 81.364, 121.627)],
)  # fmt: skip
def test_poisson_gives_the_published_bounds(events, low, high):
    # Garwood (1936), Biometrika 28, 437-442: the exact limits tabulated since, such as in Ulm (1990), Am J Epidemiol 131.
    assert poisson_interval(events, 1) == pytest.approx((low, high), abs=5e-4)


def test_poisson_bounds_are_a_rate_of_the_exposure():
    assert poisson_interval(5, 200) == pytest.approx([bound / 200 for bound in poisson_interval(5, 1)])


def test_no_events_have_an_upper_bound():
    assert poisson_interval(0, 40) == (0, pytest.approx(3.6889 / 40, abs=1e-5))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_makes_a_test_more_certain_and_keeps_their_order(p_values):
    adjusted = holm(np.array(p_values))
    assert (adjusted >= np.array(p_values) - 1e-12).all() and adjusted.max() <= 1
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(adjusted[order]) >= -1e-12).all()


def test_holm_by_hand():
    # .01 x 4, .02 x 3, .04 x 2 = .08, .05 x 1 is below it; what is no test takes no part
    assert holm(np.array([0.05, 0.01, math.nan, 0.04, 0.02])) == pytest.approx(
        [0.08, 0.04, math.nan, 0.08, 0.06], nan_ok=True
    )
