"""Differences of two surveys: published examples, laws, and error rates by counting all samples."""

import functools
import itertools
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from csat_analysis.statistics import differences
from csat_analysis.statistics.design import design_of, linked, side_by_side
from csat_analysis.statistics.differences import (
    compare_by_design,
    compare_estimates,
    compare_paired_means,
    compare_paired_shares,
    compare_shares,
    smallest_detectable,
    smallest_detectable_gain,
    verdict_of,
)
from csat_analysis.statistics.estimates import Estimate, estimate_mean


@functools.cache
def share(satisfied, n, population=None):
    design = design_of(np.ones(2), np.array([satisfied, n - satisfied]), population=population)
    return estimate_mean(design, np.array([1.0, 0.0]))


def sample(*values, population=None):
    return estimate_mean(design_of(np.ones(len(values)), population=population), np.array(values, dtype=float))


# --- shares -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "after, before, low, high",
    [  # Newcombe (1998), Table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_newcombes_examples(after, before, low, high):
    found = compare_shares(share(*before), share(*after))
    assert (found.conf_low, found.conf_high) == pytest.approx((low, high), abs=6e-5)


def test_the_interval_is_that_of_statsmodels():
    theirs = confint_proportions_2indep(180, 200, 160, 210, method="newcomb")
    found = compare_shares(share(160, 210), share(180, 200))
    assert (found.conf_low, found.conf_high) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("before, after", [((160, 200), (176, 200)), ((20, 60), (12, 60)), ((58, 60), (60, 60))])
def test_the_p_value_is_the_error_at_which_the_interval_leaves_out_zero(before, after):
    found = compare_shares(share(*before), share(*after))
    touching = 1.959963984540054 / abs(found.statistic)  # as many times the statistic is what 95 % take
    assert (found.conf_low > 0 or found.conf_high < 0) == (touching < 1) == (found.p_value < 0.05)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.statistic)))


def test_swapping_before_and_after_flips_the_sign():
    first, second = compare_shares(share(40, 60), share(50, 60)), compare_shares(share(50, 60), share(40, 60))
    assert (first.estimate, first.conf_low, first.statistic) == pytest.approx(
        (-second.estimate, -second.conf_high, -second.statistic)
    )
    assert first.p_value == pytest.approx(second.p_value)


def test_all_satisfied_both_times_is_no_change_with_a_width():
    found = compare_shares(share(30, 30), share(40, 40))
    assert (found.estimate, found.p_value, found.reason) == (0, 1, "")
    assert found.conf_low < 0 < found.conf_high


def test_the_plain_test_errs_in_6_percent_of_samples_at_most():
    # all samples of two surveys of n answers, whose true rate is the same; swapping the two changes no p-value
    n = 20
    waves = [share(k, n) for k in range(n + 1)]
    pairs = itertools.combinations(range(n + 1), 2)
    rejected = [(k, m) for k, m in pairs if compare_shares(waves[k], waves[m]).p_value < 0.05]
    assert rejected
    for rate in (0.5, 0.7, 0.85, 0.95):
        chance = stats.binom.pmf(np.arange(n + 1), n, rate)
        assert sum(2 * chance[k] * chance[m] for k, m in rejected) <= 0.06


def test_of_finite_populations_the_interval_is_shorter():
    many, few = compare_shares(share(80, 100), share(90, 100)), compare_shares(share(80, 100, 120), share(90, 100, 120))
    assert many.conf_low < few.conf_low < few.conf_high < many.conf_high


def test_everybody_asked_both_times_has_no_error():
    found = compare_shares(share(80, 100, 100), share(90, 100, 100))
    assert (found.reason, found.conf_low, found.conf_high) == ("census", found.estimate, found.estimate)
    assert math.isnan(found.p_value)
    assert verdict_of(found) == "improved" and verdict_of(found, margin=0.2) == "unchanged"


@pytest.mark.parametrize("before, after, reason", [((0, 0), (5, 9), "no_answers"), ((1, 1), (5, 9), "one_answer")])
def test_no_p_value_comes_from_nothing(before, after, reason):
    empty = Estimate(math.nan, math.nan, 0, 0.0, 0.0, math.nan, True)
    found = compare_shares(share(*before) if before[1] else empty, share(*after))
    assert found.reason == reason and math.isnan(found.p_value) and verdict_of(found) == "insufficient"


# --- means ------------------------------------------------------------------------------------------------------------


def test_two_means_are_welchs_test():
    first, second = [60.0, 80, 100, 80, 30], [100.0, 80, 100, 100, 80, 100, 60]
    found, theirs = compare_estimates(sample(*first), sample(*second)), stats.ttest_ind(second, first, equal_var=False)
    assert (found.statistic, found.df, found.p_value) == pytest.approx((theirs.statistic, theirs.df, theirs.pvalue))
    assert (found.conf_low, found.conf_high) == pytest.approx(tuple(theirs.confidence_interval()))


def test_means_that_do_not_vary_have_no_test():
    found = compare_estimates(sample(80, 80, 80), sample(80, 80))
    assert found.reason == "no_variation" and math.isnan(found.p_value)


def test_the_same_people_are_the_paired_test():
    first, second = np.array([60.0, 80, 60, 100, 30]), np.array([80.0, 80, 100, 100, 60])
    found, standardised = compare_paired_means(first, second)
    theirs = stats.ttest_rel(second, first)
    assert (found.statistic, found.p_value) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert standardised == pytest.approx(found.estimate / np.std(second - first, ddof=1))


def test_people_as_units_of_both_surveys_are_nearly_the_paired_test():
    rng = np.random.default_rng(1)
    first = rng.normal(70, 10, 40)
    second = first + rng.normal(2, 5, 40)
    who = [f"c{n}" for n in range(40)]
    alone = design_of(np.ones(40))
    found = compare_by_design(
        linked(alone, alone, who, who), np.concatenate([first, second]), np.repeat([False, True], 40)
    )
    paired = compare_paired_means(first, second)[0]
    assert found.estimate == pytest.approx(paired.estimate)
    assert found.se == pytest.approx(paired.se)
    assert found.df == paired.df - 1


def test_surveys_side_by_side_are_two_samples():
    values = np.array([60.0, 80, 100, 80, 100, 60, 100])
    after = np.array([False] * 3 + [True] * 4)
    found = compare_by_design(side_by_side(design_of(np.ones(3)), design_of(np.ones(4))), values, after)
    plain = compare_estimates(sample(*values[:3]), sample(*values[3:]))
    assert (found.estimate, found.se) == pytest.approx((plain.estimate, plain.se))
    assert found.df == 7 - 2 - 1


# --- the same people --------------------------------------------------------------------------------------------------


def test_tangos_interval_is_the_published_one():
    # Fagerland, Lydersen, Laake (2013): 21 patients, 1 and 7 that differ
    found = compare_paired_shares(1, 7, 21)
    assert (found.conf_low, found.conf_high) == pytest.approx((-0.517, -0.026), abs=5e-4)
    assert found.p_value == pytest.approx(stats.chi2.sf(36 / 8, 1))  # McNemar


@pytest.mark.parametrize("gained, lost", [(0, 0), (5, 0), (0, 5), (12, 3)])
def test_the_paired_interval_leaves_out_zero_where_the_test_rejects(gained, lost):
    found = compare_paired_shares(gained, lost, 40)
    assert (found.conf_low > 1e-9 or found.conf_high < -1e-9) == (found.p_value < 0.05)
    assert -1 <= found.conf_low <= found.estimate <= found.conf_high <= 1


# --- what could have been seen, and the verdict -----------------------------------------------------------------------


@pytest.mark.parametrize("share, n, gain", [(0.8, 60, 16.4), (0.8, 100, 13.4), (0.8, 1000, 4.8), (0.85, 200, 8.6)])
def test_the_smallest_gain_is_that_of_the_tables(share, n, gain):
    assert 100 * smallest_detectable_gain(share, n, n) == pytest.approx(gain, abs=0.05)


def test_thirty_answers_cannot_show_any_rise_from_80_percent():
    assert math.isnan(smallest_detectable_gain(0.8, 30, 30)) or smallest_detectable_gain(0.8, 30, 30) > 0.19


def test_a_change_of_the_smallest_size_is_seen_in_80_percent_of_samples():
    rng, n = np.random.default_rng(2), 200
    gain = smallest_detectable_gain(0.8, n, n)
    first, second = rng.binomial(n, 0.8, 700), rng.binomial(n, 0.8 + gain, 700)
    seen = [compare_shares(share(k, n), share(m, n)).p_value < 0.05 for k, m in zip(first, second, strict=True)]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.04)


def test_the_smallest_mean_change_is_2_8_standard_errors():
    assert smallest_detectable(1.0) == pytest.approx(stats.norm.ppf(0.975) + stats.norm.ppf(0.8))


def test_unchanged_must_be_shown():
    wide, narrow = (
        compare_shares(share(80, 100), share(81, 100)),
        compare_shares(share(8000, 10000), share(8010, 10000)),
    )
    assert verdict_of(wide, margin=0.05) == "insufficient"
    assert verdict_of(narrow, margin=0.05) == "unchanged"
    assert verdict_of(narrow) == "insufficient"  # without a declared margin never


def test_a_certain_small_change_is_a_change():
    found = compare_shares(share(8000, 10000), share(8200, 10000))
    assert verdict_of(found, margin=0.05) == "improved"


def test_the_two_one_sided_tests_are_those_of_a_90_percent_interval():
    found = compare_estimates(sample(*range(50)), sample(*range(1, 51)))
    half = stats.t.ppf(0.95, found.df) * found.se
    assert (found.equal_low, found.equal_high) == pytest.approx((found.estimate - half, found.estimate + half))


def test_less_can_be_better():
    found = compare_shares(share(80, 100), share(50, 100))
    assert (verdict_of(found), verdict_of(found, better=-1)) == ("worse", "improved")


def test_the_family_can_take_a_verdict_back():
    found = compare_shares(share(80, 100), share(92, 100))
    assert (verdict_of(found), verdict_of(found, p_adjusted=0.09)) == ("improved", "insufficient")


def test_differences_without_a_test_have_no_verdict_but_insufficient():
    assert verdict_of(differences.Difference(0.1, 5, 5, "count", reason="count"), margin=0.5) == "insufficient"
