"""Gains beyond regression to the mean: priors, the predictive test, the residual contrast and what stands beside it."""

import math
import warnings

import numpy as np
import pytest
from scipy import optimize, special, stats

from csat_analysis.estimation import contrasts, selection
from csat_analysis.estimation.contrasts import regression_discontinuity, residual_contrast
from csat_analysis.estimation.priors import NormalPrior, Prior, fit_normal_prior, fit_prior
from csat_analysis.estimation.selection import (
    expected_regression,
    predict,
    predict_mean,
)

pytestmark = pytest.mark.filterwarnings("error")

SIXTY = np.full(8, 60)
BEFORE = np.array([54, 40, 57, 48, 52, 36, 50, 55])
#                 five left alone          five acted on: below 85 of 100
FIRST = np.array([92, 90, 88, 95, 87, 91, 80, 82, 78, 84])
SECOND = np.array([91, 90, 89, 93, 88, 92, 90, 91, 88, 92])
HUNDRED = np.full(10, 100)
ACTED = FIRST < 85


# --- priors -----------------------------------------------------------------------------------------------------------


def height(prior: np.ndarray, k: np.ndarray, n: np.ndarray) -> float:
    """Return the height of what a prior is the maximum of, by scipy's beta-binomial."""
    mean, size = special.expit(prior[0]), math.exp(prior[1])
    chances = stats.betabinom.logpmf(k, n, mean * size, (1 - mean) * size)
    return float(chances.sum() + math.log(mean * (1 - mean)) / 2 - math.log1p(size) / 2)


@pytest.mark.parametrize(
    ("k", "n"),
    [
        (BEFORE, SIXTY),
        ([18, 90, 290, 41, 77, 12, 200, 66, 30], [20, 110, 320, 50, 80, 20, 260, 70, 40]),
        ([51] * 12, [60] * 12),  # nothing differs
        ([60] * 11 + [59], [60] * 12),
    ],
)
def test_a_prior_is_the_highest_point(k, n):
    k, n = np.array(k), np.array(n)
    found = fit_prior(k, n)
    at = np.array([special.logit(found.mean), math.log(found.a + found.b)])
    better = optimize.minimize(lambda place: -height(place, k, n), at, method="Nelder-Mead", options={"xatol": 1e-6})
    assert height(at, k, n) == pytest.approx(-better.fun, abs=1e-6)


def test_a_prior_finds_what_the_rates_were_drawn_with():
    rng = np.random.default_rng(1)
    n = rng.integers(20, 600, 2000)
    found = fit_prior(rng.binomial(n, rng.beta(60.9, 9.1, 2000)), n)
    assert found.mean == pytest.approx(0.87, abs=0.003)
    assert found.spread == pytest.approx(0.04, abs=0.002)


def test_projects_that_do_not_differ_have_a_narrow_prior():
    assert fit_prior(np.full(40, 51), np.full(40, 60)).spread < 0.02
    assert fit_prior(np.full(400, 51), np.full(400, 60)).spread < fit_prior(np.full(40, 51), np.full(40, 60)).spread


def test_where_all_are_satisfied_the_prior_is_high_and_narrow():
    found = fit_prior(SIXTY, SIXTY)
    assert found.mean == pytest.approx(480.5 / 481)
    assert 0 < found.spread < 0.01
    assert fit_prior(np.zeros(8), SIXTY).mean == pytest.approx(0.5 / 481)


def test_a_prior_takes_effective_numbers():
    assert fit_prior(BEFORE / 1.5, SIXTY / 1.5).mean == pytest.approx(fit_prior(BEFORE, SIXTY).mean, abs=0.01)


def test_the_order_of_the_projects_does_not_matter_to_a_prior():
    assert fit_prior(BEFORE[::-1], SIXTY)[:3] == pytest.approx(fit_prior(BEFORE, SIXTY)[:3], rel=1e-9)


def test_dissatisfied_for_satisfied_turns_a_prior_round():
    found, turned = fit_prior(BEFORE, SIXTY), fit_prior(SIXTY - BEFORE, SIXTY)
    assert (turned.a, turned.b) == pytest.approx((found.b, found.a))


def test_projects_without_answers_are_no_projects():
    assert fit_prior(np.append(BEFORE, 0), np.append(SIXTY, 0)) == fit_prior(BEFORE, SIXTY)


@pytest.mark.parametrize("projects", [0, 1, 2, 7])
def test_fewer_than_eight_projects_are_too_few(projects):
    assert fit_prior(BEFORE[:projects], SIXTY[:projects]).reason == "too_few_projects"
    assert fit_normal_prior(BEFORE[:projects], np.full(projects, 2.0)).reason == "too_few_projects"


@pytest.mark.parametrize(
    ("k", "n", "message"),
    [
        ([5, math.nan], [10, 10], "not known \\(NaN\\) for a project; leave it out"),
        ([5, 11], [10, 10], "from 0 to the number of answers"),
        ([-1, 5], [10, 10], "from 0 to the number of answers"),
        ([5, 5, 5], [10, 10], "not of one length"),
    ],
)
def test_counts_that_cannot_be_are_told(k, n, message):
    with pytest.raises(ValueError, match=message):
        fit_prior(np.array(k), np.array(n))


def test_a_normal_prior_is_the_highest_point():
    means, se = np.array([70.0, 90, 80, 84, 76, 88, 72, 80, 95]), np.array([2.0, 3, 1, 4, 2, 2, 5, 1, 2])

    def low(log_spread: float) -> float:
        weights = 1 / (se**2 + math.exp(2 * log_spread))
        mean = (weights * means).sum() / weights.sum()
        squares = (weights * (means - mean) ** 2).sum()
        return -(np.log(weights).sum() - math.log(weights.sum()) - squares) / 2 - log_spread

    found, best = fit_normal_prior(means, se), optimize.minimize_scalar(low, bounds=(-5, 5), method="bounded")
    assert math.log(found.spread) == pytest.approx(best.x, abs=1e-4)
    weights = 1 / (se**2 + found.spread**2)
    assert found.mean == pytest.approx((weights * means).sum() / weights.sum())
    assert found.mean_se == pytest.approx(1 / math.sqrt(weights.sum()))


@pytest.mark.parametrize(
    ("means", "se", "message"), [([80, math.nan], [2, 2], "is missing"), ([80, 81], [2, 0], "se must be above 0")]
)
def test_means_without_errors_are_told(means, se, message):
    with pytest.raises(ValueError, match=message):
        fit_normal_prior(np.array(means, dtype=float), np.array(se, dtype=float))


def test_a_low_rate_rises_by_itself_and_a_high_one_falls():
    prior = Prior(87.0, 13.0, 8)  # 87 % as if of 100 answers
    assert expected_regression(prior, 15, 20) == pytest.approx(102 / 120 - 0.75)
    assert expected_regression(prior, 87, 100) == pytest.approx(0)
    assert expected_regression(prior, 99, 100) == pytest.approx(-0.06)
    with pytest.raises(ValueError, match="needs answers of the project"):
        expected_regression(prior, 0, 0)


# --- one project ------------------------------------------------------------------------------------------------------


def by_scipy(prior: Prior, k1: int, n1: int, k2: int, n2: int) -> float:
    """Return the p-value by scipy's beta-binomial: with the least favourable of three priors."""
    each = [(prior.a * worth + k1, prior.b * worth + n1 - k1) for worth in (0.5, 1, 2)]
    up = max(stats.betabinom.sf(k2 - 1, n2, *ab) for ab in each)
    down = max(stats.betabinom.cdf(k2, n2, *ab) for ab in each)
    return float(min(1, 2 * min(up, down)))


@pytest.mark.parametrize("k2", [0, 30, 44, 48, 52, 55, 58, 60])
@pytest.mark.parametrize("prior", [Prior(36.0, 4.0, 12), Prior(1.5, 0.5, 8), Prior(8700.0, 1300.0, 40)])
def test_the_p_value_is_a_beta_binomial_tail(prior, k2):
    assert predict(45, 60, k2, 60, prior).p_value == pytest.approx(by_scipy(prior, 45, 60, k2, 60), rel=1e-6, abs=1e-12)


def test_a_gain_is_what_lies_beyond_the_expected():
    found = predict(45, 60, 54, 60, Prior(36.0, 4.0, 12))  # (36 + 45) of (40 + 60) are 81 %
    assert found.expected == pytest.approx(0.81)
    assert found.naive == pytest.approx(0.15)
    assert found.regression == pytest.approx(0.06)
    assert found.estimate == pytest.approx(0.09)
    assert found.shrinkage == pytest.approx(0.4)
    assert (found.n_before, found.n_after) == (60, 60)


def test_the_interval_leaves_out_zero_exactly_where_the_test_rejects():
    prior = Prior(36.0, 4.0, 12)
    results = [predict(45, 60, k2, 60, prior) for k2 in range(61)]
    rejected = [found.p_value < 0.05 for found in results]
    assert rejected == [found.conf_low > 0 or found.conf_high < 0 for found in results]
    assert all(found.conf_low <= found.estimate <= found.conf_high for found in results)
    assert 5 < sum(rejected) < 60


def test_the_ends_of_the_interval_are_what_the_test_just_does_not_reject():
    a, b, k, n = (np.array([part]) for part in (81.0, 19.0, 54.0, 60.0))
    for tail in (0, 1):
        moved = selection._farthest(np.tile(a, (3, 1)), np.tile(b, (3, 1)), k, n, tail)[0]
        assert selection._tails(a, b, k, n, moved)[tail] == pytest.approx(0.025, abs=1e-9)


def test_dissatisfied_for_satisfied_turns_the_gain_round():
    found, turned = predict(45, 60, 54, 60, Prior(36.0, 4.0, 12)), predict(15, 60, 6, 60, Prior(4.0, 36.0, 12))
    assert turned.estimate == pytest.approx(-found.estimate)
    assert turned.p_value == pytest.approx(found.p_value)
    assert (turned.conf_low, turned.conf_high) == pytest.approx((-found.conf_high, -found.conf_low), abs=1e-7)


def test_effective_numbers_lie_between_whole_ones():
    prior = Prior(36.0, 4.0, 12)
    whole = [predict(45, 60, k2, 60, prior).p_value for k2 in (54, 55)]
    assert whole[1] < predict(45, 60, 54.5, 60, prior).p_value < whole[0]


def test_all_satisfied_has_an_answer():
    prior = fit_prior(SIXTY, SIXTY)
    same, worse = predict(60, 60, 60, 60, prior), predict(60, 60, 50, 60, prior)
    assert same.p_value == 1
    assert same.conf_low < 0 < same.conf_high < 0.01
    assert worse.p_value < 0.001
    assert worse.conf_high < 0


def test_no_project_without_eight_others_or_answers():
    assert predict(45, 60, 54, 60, fit_prior(BEFORE[:5], SIXTY[:5])).reason == "too_few_projects"
    assert predict(45, 60, 54, 60, Prior(36.0, 4.0, 7)).reason == "too_few_projects"
    assert predict(45, 60, 0, 0, Prior(36.0, 4.0, 8)).reason == "no_answers"
    assert predict(0, 0, 54, 60, Prior(36.0, 4.0, 8)).reason == "no_answers"
    with pytest.raises(ValueError, match="NaN"):
        predict(45, 60, math.nan, 60, Prior(36.0, 4.0, 8))


def test_a_mean_is_compared_with_what_was_expected():
    # 70, where the others lie about 80 as widely as 70 errs: expected is the middle, 75
    found = predict_mean(70.0, 3.0, 79.0, 3.0, NormalPrior(80.0, 3.0, 1.0, 10), 40, 50)
    assert (found.expected, found.estimate, found.naive, found.regression) == (75, 4, 9, 5)
    assert found.se == pytest.approx(math.sqrt(4.5 + 9 + 0.25))
    assert (found.shrinkage, found.df, found.n_before, found.n_after) == (0.5, 9, 40, 50)
    plain = 2 * stats.t.sf(4 / found.se, 9)
    assert plain < found.p_value < plain + 0.25  # the least favourable of three priors


@pytest.mark.parametrize("after", [60.0, 68.0, 75.0, 79.0, 85.0, 90.0])
def test_the_interval_of_a_mean_goes_with_its_test(after):
    found = predict_mean(70.0, 3.0, after, 3.0, NormalPrior(80.0, 3.0, 1.0, 10))
    assert (found.p_value < 0.05) == (found.conf_low > 0 or found.conf_high < 0)
    turned = predict_mean(-70.0, 3.0, -after, 3.0, NormalPrior(-80.0, 3.0, 1.0, 10))
    assert (turned.estimate, turned.p_value) == pytest.approx((-found.estimate, found.p_value))


def test_a_mean_without_spread_has_a_reason():
    assert predict_mean(70.0, 0.0, 75.0, 3.0, NormalPrior(80.0, 3.0, 1.0, 10)).reason == "no_variation"
    assert predict_mean(70.0, 2.0, 75.0, 3.0, NormalPrior(80.0, 3.0, 1.0, 7)).reason == "too_few_projects"
    with pytest.raises(ValueError, match="standard error is missing"):
        predict_mean(70.0, math.nan, 75.0, 3.0, NormalPrior(80.0, 3.0, 1.0, 10))


# --- a portfolio ------------------------------------------------------------------------------------------------------


def test_the_contrast_takes_off_what_comes_by_itself():
    found = residual_contrast(FIRST, HUNDRED, SECOND, HUNDRED, ACTED, 0.85, seed=1)
    assert found.naive == pytest.approx((10 + 9 + 10 + 8) / 400 - (-1 + 0 + 1 - 2 + 1 + 1) / 600)
    assert 0 < found.estimate < found.naive
    assert found.p_value < 0.05
    assert 0 < found.conf_low < found.estimate < found.conf_high
    assert (found.acted, found.others, found.n_before) == (4, 6, 1000)


def test_where_nothing_changed_but_by_itself_the_contrast_finds_nothing():
    expected = (FIRST + 88.0) / 2 + np.tile([2, -2], 5)  # half of the way to the mean of all, and chance
    found = residual_contrast(FIRST, HUNDRED, expected, HUNDRED, ACTED, 0.85, seed=1)
    assert found.naive > 0.04
    assert abs(found.estimate) < 0.02
    assert found.p_value > 0.05


@pytest.mark.parametrize("seed", range(6))
def test_the_interval_of_the_contrast_goes_with_its_test(seed):
    rng = np.random.default_rng(seed)
    found = residual_contrast(FIRST, HUNDRED, rng.binomial(100, 0.8 + 0.01 * seed, 10), HUNDRED, ACTED, 0.85, seed, 199)
    assert (found.p_value < 0.05) == (found.conf_low > 0 or found.conf_high < 0)
    assert found.conf_low <= found.estimate <= found.conf_high


def test_the_order_of_the_projects_does_not_matter():
    turned = [part[::-1] for part in (FIRST, HUNDRED, SECOND, HUNDRED, ACTED)]
    first = residual_contrast(FIRST, HUNDRED, SECOND, HUNDRED, ACTED, 0.85, seed=1, replications=199)
    second = residual_contrast(*turned, 0.85, seed=1, replications=199)
    assert second[:5] == pytest.approx(first[:5])
    assert second.p_value == first.p_value


def test_the_least_favourable_of_three_priors_counts():
    call = (FIRST, HUNDRED, SECOND, HUNDRED, ACTED, 0.85, 1, 199)
    found, each = residual_contrast(*call), [residual_contrast(*call, (worth,)) for worth in (0.5, 1.0, 2.0)]
    assert found.p_value == max(one.p_value for one in each)
    assert found.conf_low == min(one.conf_low for one in each)
    assert found.conf_high == max(one.conf_high for one in each)
    assert found.estimate == each[1].estimate


def test_the_same_seed_gives_the_same_figures():
    call = (FIRST, HUNDRED, SECOND, HUNDRED, ACTED, 0.85)
    first, again = (residual_contrast(*call, seed=7, replications=199) for _ in range(2))
    assert first[:5] == again[:5]
    assert residual_contrast(*call, seed=8, replications=199).conf_low != first.conf_low


def test_projects_without_an_after_wave_are_left_out():
    longer = [np.append(part, new) for part, new in ((FIRST, 91), (HUNDRED, 100), (SECOND, 0), (HUNDRED, 0))]
    found = residual_contrast(*longer, np.append(ACTED, False), 0.85, seed=1, replications=199)
    assert found[:5] == residual_contrast(FIRST, HUNDRED, SECOND, HUNDRED, ACTED, 0.85, seed=1, replications=199)[:5]


def test_whoever_was_acted_on_by_another_rule_cannot_be_judged():
    other = ACTED.copy()
    other[0] = True  # 92 %
    call = (FIRST, HUNDRED, SECOND, HUNDRED)
    assert residual_contrast(*call, other, 0.85, seed=1).reason == "not_by_threshold"
    assert regression_discontinuity(*call, other, 0.85).reason == "not_by_threshold"


def test_the_threshold_itself_is_not_below():
    at = np.append(FIRST, 85)
    call = (at, np.full(11, 100), np.append(SECOND, 85), np.full(11, 100))
    assert residual_contrast(*call, at < 85, 0.85, seed=1, replications=99).reason == ""
    assert residual_contrast(*call, at <= 85, 0.85, seed=1, replications=99).reason == "not_by_threshold"


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ([0, 1, 2, 3, 6, 7, 8], "too_few_projects"),
        ([0, 1, 2, 3, 4, 5, 0, 6], "too_few_in_a_group"),  # one acted on
        ([6, 7, 8, 9, 6, 7, 8, 0], "too_few_in_a_group"),  # one left alone
    ],
)
def test_a_contrast_needs_eight_projects_and_two_on_each_side(chosen, reason):
    parts = [part[chosen] for part in (FIRST, HUNDRED, SECOND, HUNDRED, ACTED)]
    assert residual_contrast(*parts, 0.85, seed=1).reason == reason


def test_all_satisfied_after_has_an_answer_or_a_reason():
    found = residual_contrast(FIRST, HUNDRED, HUNDRED, HUNDRED, ACTED, 0.85, seed=1, replications=199)
    assert found.reason or math.isfinite(found.p_value)
    nobody = residual_contrast(HUNDRED, HUNDRED, HUNDRED, HUNDRED, np.zeros(10), 0.85, seed=1)
    assert nobody.reason == "too_few_in_a_group"


def test_a_portfolio_with_unknown_counts_is_told():
    with pytest.raises(ValueError, match="NaN"):
        residual_contrast(np.append(FIRST[1:], np.nan), HUNDRED, SECOND, HUNDRED, ACTED, 0.85, seed=1)
    with pytest.raises(ValueError, match="acted is not of the length"):
        residual_contrast(FIRST, HUNDRED, SECOND, HUNDRED, ACTED[1:], 0.85, seed=1)


def test_the_prior_of_a_portfolio_takes_the_shape_of_the_rates():
    # 32 good projects at 90 %, 8 bad ones at 60 %, 400 answers each: nothing lies in the middle
    k, n = np.repeat([360.0, 240.0], [32, 8]), np.full(40, 400.0)
    edges = contrasts._edges(k / n)
    expected, shares = contrasts._roughened(k[None], n, edges)
    middle = (edges[1:] > 0.68) & (edges[:-1] < 0.82)
    prior = fit_prior(k, n)
    by_beta = stats.beta.cdf(0.82, prior.a, prior.b) - stats.beta.cdf(0.68, prior.a, prior.b)
    assert shares[0].sum() == pytest.approx(1)
    assert shares[0][middle].sum() < by_beta / 3
    assert expected[0][[0, -1]] == pytest.approx([0.9, 0.6], abs=0.015)


# --- beside it --------------------------------------------------------------------------------------------------------


def test_the_gap_at_the_threshold_is_that_between_two_lines():
    before = np.array([70, 74, 78, 82, 86, 88, 92, 96])
    acted = before < 85
    after = np.where(acted, before + 5, before)  # two lines of slope 1, 5 points apart, and a little off them
    off = np.array([1, -1, -1, 1, 1, -1, -1, 1])
    found = regression_discontinuity(before, np.full(8, 100), after + off, np.full(8, 100), acted, 0.85)
    below = np.polyfit(before[acted] - 85, (after + off)[acted], 1)[1]
    above = np.polyfit(before[~acted] - 85, (after + off)[~acted], 1)[1]
    assert found.estimate == pytest.approx((below - above) / 100)
    assert found.df == 4
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(found.statistic), 4))


def test_the_gap_has_the_error_of_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(3)
    n = rng.integers(30, 300, 24)
    k1, k2 = (rng.binomial(n, 0.86) for _ in range(2))
    acted = contrasts.below(k1, n, 0.85)
    found = regression_discontinuity(k1, n, k2, n, acted, 0.85)
    x = k1 / n - 0.85
    fit = sm.WLS(k2 / n, np.column_stack([np.ones(24), acted, x, acted * x]), weights=n).fit(cov_type="HC3")
    assert (found.estimate, found.se) == pytest.approx((fit.params[1], fit.bse[1]))


def test_dissatisfied_for_satisfied_turns_the_gap_round():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = regression_discontinuity(FIRST, HUNDRED, SECOND, HUNDRED, ACTED, 0.85)
    off, weights = FIRST / 100 - 0.85, HUNDRED.astype(float)
    turned = contrasts._gap(-off, 1 - SECOND / 100, weights, ACTED)
    assert turned == pytest.approx((-found.estimate, found.se))


@pytest.mark.parametrize("chosen", [[0, 1, 2, 3, 6, 7, 8], [0, 0, 0, 1, 6, 7, 8, 9]])
def test_a_line_needs_four_projects_and_three_rates_on_each_side(chosen):
    parts = [part[chosen] for part in (FIRST, HUNDRED, SECOND, HUNDRED, ACTED)]
    assert regression_discontinuity(*parts, 0.85).reason == "too_few_in_a_group"


def test_projects_all_on_their_lines_tell_no_error():
    before = np.array([70, 74, 78, 82, 86, 88, 92, 96])
    found = regression_discontinuity(before, np.full(8, 100), before, np.full(8, 100), before < 85, 0.85)
    assert found.reason == "no_variation"
