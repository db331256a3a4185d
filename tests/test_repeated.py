"""Adjusted tests of several looks: against published tables, other software, and integrals done another way."""

import math

import numpy as np
import pytest
from scipy import stats

from csat_analysis.estimation.repeated import (
    _by_lattice,
    _Largest,
    alpha_spending,
    baseline_covariance,
    compare_waves,
    crossing_probability,
    information_fractions,
    null_covariance,
    over_looks,
)

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page
QUARTERS = np.array([0.25, 0.5, 0.75, 1.0])


def equal(waves: int, baseline: float = 0.5) -> np.ndarray:
    """Return the covariance of differences with variance 1 from a baseline with a share of it."""
    return baseline_covariance(baseline, np.full(waves, 1 - baseline))


# --- several waves, one baseline --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "waves, df, published",
    [(1, 20, 2.09), (2, 20, 2.38), (3, 20, 2.54), (4, 20, 2.65), (2, 10, 2.57), (4, 10, 2.89), (2, 5, 3.03), (4, 5, 3.48),
     (2, math.inf, 2.21), (3, math.inf, 2.35), (4, math.inf, 2.44), (9, math.inf, 2.69)],
)  # fmt: skip
def test_quantiles_are_those_of_dunnett_s_table(waves, df, published):
    # Dunnett (1964), Biometrics 20, 482: two-sided, 5 %, equal sizes
    assert compare_waves(np.zeros(waves), equal(waves), df).quantile == pytest.approx(published, abs=0.0051)


@pytest.mark.parametrize("df", [12, math.inf])
@pytest.mark.parametrize("variances", [(1.0, 1.0, 1.0), (0.5, 2.0, 4.0, 0.2), (0.01, 0.02)])
def test_adjusted_p_values_are_those_of_scipy_s_integral(df, variances):
    covariance = baseline_covariance(1.0, np.array(variances))
    t = np.array([2.5, -1.0, 0.3, 1.7])[: len(variances)]
    found = compare_waves(t * np.sqrt(np.diag(covariance)), covariance, df)
    correlation = covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    for statistic, p_adjusted in zip(t, found.p_adjusted, strict=True):
        bound = np.full(len(t), abs(statistic))
        if math.isinf(df):
            inside = stats.multivariate_normal(np.zeros(len(t)), correlation).cdf(bound, lower_limit=-bound)
        else:
            inside = stats.multivariate_t(np.zeros(len(t)), correlation, df, seed=1).cdf(
                bound, lower_limit=-bound, maxpts=200_000, random_state=1
            )
        assert p_adjusted == pytest.approx(1 - inside, abs=1e-3)


def test_waves_without_a_common_part_are_independent():
    found = compare_waves(np.array([2.0, 1.0, 0.5]), np.eye(3))
    assert found.p_adjusted[0] == pytest.approx(1 - (1 - 2 * stats.norm.sf(2.0)) ** 3, abs=1e-9)


def test_one_wave_is_not_adjusted():
    found = compare_waves(np.array([2.0]), np.array([[1.0]]), 19)
    assert found.p_adjusted == pytest.approx(found.p_value)
    assert found.p_value == pytest.approx(2 * stats.t.sf(2.0, 19))
    assert found.quantile == pytest.approx(stats.t.ppf(0.975, 19))


def test_waves_that_are_the_same_survey_count_once():
    found = compare_waves(np.array([2.0, 2.0]), np.ones((2, 2)))
    assert found.p_adjusted == pytest.approx(found.p_value, abs=2e-3)


def test_shares_of_waves_have_a_common_part_too():
    covariance = null_covariance(np.array([320, 85, 150, 40]), np.array([400, 100, 200, 60]))
    found = _Largest(covariance, math.inf)
    sizes = 1 / 400 / np.sqrt((1 / 400 + 1 / 100) * (1 / 400 + 1 / 200))
    assert found.loadings[0] * found.loadings[1] == pytest.approx(sizes)
    assert _by_lattice(2.0, found.correlation, math.inf) == pytest.approx(found.below(2.0), abs=1e-3)


@pytest.mark.parametrize("df", [8, math.inf])
def test_the_lattice_agrees_with_the_common_part(df):
    covariance = equal(4, 0.6)
    for bound in (1.0, 2.0, 2.6):
        assert _by_lattice(bound, covariance, df) == pytest.approx(_Largest(covariance, df).below(bound), abs=1e-3)


def test_a_covariance_of_any_kind_is_used_as_it_is():
    covariance = np.array([[1.0, -0.4, 0.2], [-0.4, 1.5, 0.3], [0.2, 0.3, 0.8]])
    found = compare_waves(np.array([2.2, 0.0, 1.0]), covariance)
    drawn = np.random.default_rng(1).multivariate_normal(np.zeros(3), covariance, 400_000) / found.se
    assert found.p_adjusted[0] == pytest.approx((abs(drawn).max(axis=1) >= 2.2).mean(), abs=2e-3)
    assert (abs(drawn).max(axis=1) < found.quantile).mean() == pytest.approx(0.95, abs=2e-3)


def test_an_adjusted_p_value_is_below_5_percent_where_the_interval_leaves_out_zero():
    critical = compare_waves(np.zeros(3), equal(3), 15).quantile
    found = compare_waves(np.array([critical + 1e-6, critical - 1e-6, -critical - 1e-6]), equal(3), 15)
    assert (found.p_adjusted < 0.05).tolist() == [True, False, True]
    assert ((found.conf_low > 0) | (found.conf_high < 0)).tolist() == [True, False, True]


def test_adjusted_p_values_lie_between_the_plain_ones_and_bonferroni_s():
    found = compare_waves(np.array([2.4, 1.1, -3.0, 0.2]), equal(4, 0.3), 30)
    assert (found.p_value <= found.p_adjusted).all()
    assert (found.p_adjusted <= 4 * found.p_value).all()


def test_the_scale_changes_nothing_and_swapping_turns_the_sign():
    one, other = (
        compare_waves(np.array([2.4, 1.1]), equal(2)),
        compare_waves(np.array([-240.0, -110.0]), 1e4 * equal(2)),
    )
    assert one.p_adjusted == pytest.approx(other.p_adjusted)
    assert one.conf_low == pytest.approx(-other.conf_high / 100)


def test_two_shares_have_the_score_test():
    # 60 of 80 against 70 of 80: pooled 130 of 160
    found = compare_waves(np.array([70 / 80 - 60 / 80]), null_covariance(np.array([60, 70]), np.array([80, 80])))
    chi_square = stats.chi2_contingency([[60, 20], [70, 10]], correction=False)
    assert found.p_adjusted[0] == pytest.approx(chi_square.pvalue)


def test_where_all_are_satisfied_no_wave_has_an_error():
    found = compare_waves(np.zeros(2), null_covariance(np.array([5, 6, 7]), np.array([5, 6, 7])))
    assert found.reason.tolist() == ["no_variation"] * 2


def test_a_wave_without_an_estimate_is_no_part_of_the_family_and_says_so():
    covariance = equal(3)
    covariance[1], covariance[:, 1] = np.nan, np.nan
    found = compare_waves(np.array([2.0, np.nan, 1.0]), covariance)
    assert found.reason.tolist() == ["", "no_answers", ""]
    assert found.quantile == pytest.approx(compare_waves(np.zeros(2), equal(2)).quantile)
    assert math.isnan(found.p_adjusted[1]) and math.isnan(found.conf_low[1])


def test_a_wave_without_an_error_has_a_reason():
    found = compare_waves(np.array([0.1, 0.1]), np.diag([0.0, 1.0]))
    assert found.reason.tolist() == ["no_variation", ""]
    assert math.isnan(compare_waves(np.array([0.1]), np.zeros((1, 1))).quantile)


@pytest.mark.parametrize(
    "estimates, covariance, df, message",
    [
        ([1.0, 2.0], np.eye(3), 9, "one row and one column for each estimate"),
        ([1.0, 2.0], [[1.0, 0.5], [0.2, 1.0]], 9, "not symmetric"),
        ([1.0, 2.0], [[1.0, 2.0], [2.0, 1.0]], 9, "negative variance"),
        ([1.0, 2.0], np.eye(2), 0, "degrees of freedom"),
    ],
)
def test_a_wrong_family_says_what_would_be_right(estimates, covariance, df, message):
    with pytest.raises(ValueError, match=message):
        compare_waves(np.array(estimates), np.array(covariance), df)


# --- looks at one survey while it runs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, alpha, published",
    [
        ("obrien_fleming", 0.05, [4.333, 2.963, 2.359, 2.014]),
        ("obrien_fleming", 0.05, [4.877, 3.357, 2.680, 2.290, 2.031]),  # Reboussin, DeMets, Kim, Lan (2000)
        ("pocock", 0.05, [2.368, 2.368, 2.358, 2.350]),
        ("obrien_fleming", 0.10, [3.74955, 2.53993, 2.01604, 1.72014]),  # SeqBounds.jl, one side of .05
    ],
)
def test_boundaries_of_even_looks_are_the_published_ones(kind, alpha, published):
    shares = np.arange(1, len(published) + 1) / len(published)
    assert alpha_spending(shares, kind, alpha).boundary == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize("looks, pocock, obrien", [(2, 2.178, 1.977), (3, 2.289, 2.004), (4, 2.361, 2.024), (5, 2.413, 2.040), (10, 2.555, 2.087)])  # fmt: skip
def test_the_boundaries_of_pocock_and_of_obrien_and_fleming_cross_in_5_percent(looks, pocock, obrien):
    # Jennison, Turnbull (2000), Group Sequential Methods, tables 2.1 and 2.3
    shares = np.arange(1, looks + 1) / looks
    assert crossing_probability(np.full(looks, pocock), shares) == pytest.approx(0.05, abs=1e-4)
    assert crossing_probability(obrien / np.sqrt(shares), shares) == pytest.approx(0.05, abs=1e-4)


def test_four_looks_at_1_96_cross_in_126_of_1000_surveys():
    # Armitage, McPherson, Rowe (1969): .126 after four looks
    assert crossing_probability(np.full(4, 1.96), QUARTERS) == pytest.approx(0.126, abs=5e-4)


@pytest.mark.parametrize("kind", ["obrien_fleming", "pocock"])
@pytest.mark.parametrize("shares", [[0.4, 0.667, 0.857, 1.0], [0.05, 0.1, 0.9, 1.0], np.arange(1, 31) / 30])
def test_boundaries_spend_what_they_may_at_any_looks(kind, shares):
    found = alpha_spending(np.array(shares), kind)
    assert found.spent[-1] == pytest.approx(0.05)
    assert crossing_probability(found.boundary, np.array(shares)) == pytest.approx(0.05, abs=1e-9)


def test_later_looks_do_not_change_earlier_boundaries():
    assert alpha_spending(QUARTERS[:2]).boundary == pytest.approx(alpha_spending(QUARTERS).boundary[:2])


def test_one_look_at_the_end_is_the_plain_test():
    found = alpha_spending(np.array([1.0]), "pocock", 0.1)
    assert (found.boundary[0], found.p_nominal[0]) == pytest.approx((1.644854, 0.1))


def test_what_the_first_of_several_looks_shows_is_known_by_hand():
    # half of the information: p = .02 is spent by an alpha with 4 (1 - F(z)) = alpha, z = sqrt(.5) * 2.57583 = 1.82138
    assert over_looks(np.array([0.02]), np.array([0.5])) == pytest.approx([0.13710], rel=2e-3)


@pytest.mark.parametrize("p_value", [1e-5, 0.004, 0.03, 0.3])
def test_what_is_adjusted_for_looks_crosses_just_the_boundary_of_its_level(p_value):
    shares = np.array([0.3, 0.6, 0.8])
    adjusted = float(over_looks(np.array([p_value]), shares)[0])
    assert adjusted > p_value
    assert alpha_spending(shares, alpha=adjusted).p_nominal[-1] == pytest.approx(p_value, rel=0.01)


def test_one_look_at_the_end_adjusts_nothing_and_no_test_stays_none():
    p_values = np.array([1e-4, 0.04, 0.5, 1.0])
    assert over_looks(p_values, np.array([1.0])) == pytest.approx(p_values, rel=1e-3)
    assert np.isnan(over_looks(np.array([np.nan]), np.array([0.5, 1.0])))


def test_against_a_baseline_information_is_no_share_of_the_forms():
    # 1/400 + 1/400 over 1/400 + 1/100: 2 of 5
    assert information_fractions(np.array([0.0125, 0.005]))[0] == pytest.approx(0.4)


@pytest.mark.parametrize("shares", [[], [0.5, 0.5], [0.5, 0.4], [0.0, 1.0], [0.5, 1.2], [np.nan, 1.0]])
def test_shares_that_do_not_rise_are_refused(shares):
    with pytest.raises(ValueError, match="must rise from above 0 to at most 1"):
        alpha_spending(np.array(shares))


def test_more_satisfied_than_answers_are_refused():
    with pytest.raises(ValueError, match="satisfied among n"):
        null_covariance(np.array([5, 6]), np.array([5, 5]))


def test_a_wrong_kind_says_what_would_be_right():
    with pytest.raises(ValueError, match=r"kind is one of \['obrien_fleming', 'pocock'\]"):
        alpha_spending(QUARTERS, "peto")
    with pytest.raises(ValueError, match="variances must be above 0"):
        information_fractions(np.array([0.0, 1.0]))
