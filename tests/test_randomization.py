"""Tests of few clusters: all arrangements counted by hand, against scipy, and against shuffles; refusals have reasons."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from csat_analysis.estimation.randomization import (
    _webb,
    cluster_t,
    compare_clusters,
    flip_signs,
    permute_clusters,
    wild_bootstrap,
    wild_p_value,
)

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page
FIRST = np.array([0.82, 0.75, 0.90, 0.71, 0.85, 0.79])
SECOND = np.array([0.88, 0.93, 0.80, 0.95, 0.84, 0.91, 0.97])


def welch(values: np.ndarray, others: np.ndarray) -> float:
    return stats.ttest_ind(values, others, equal_var=False).statistic


# --- other clusters in each wave --------------------------------------------------------------------------------------


def test_permutation_is_scipy_s_over_all_arrangements():
    first, second = FIRST[:4], SECOND[:5]  # 126 arrangements
    other = stats.permutation_test((second, first), welch, n_resamples=math.inf, alternative="two-sided")
    found = permute_clusters(first, second)
    both = np.mean(abs(other.null_distribution) >= abs(other.statistic) * (1 - 1e-9))  # scipy doubles the smaller side
    assert (found.estimate, found.statistic) == pytest.approx((second.mean() - first.mean(), other.statistic))
    assert found.p_value == pytest.approx(both)


def test_the_cluster_t_is_scipy_s():
    found, other = cluster_t(FIRST, SECOND), stats.ttest_ind(SECOND, FIRST, equal_var=False)
    assert (found.statistic, found.df, found.p_value) == pytest.approx((other.statistic, other.df, other.pvalue))
    assert (found.conf_low, found.conf_high) == pytest.approx(tuple(other.confidence_interval()))


def test_many_clusters_are_drawn_by_the_seed_and_agree_with_the_t_test():
    rng = np.random.default_rng(1)
    before, after = rng.normal(0.80, 0.05, 20), rng.normal(0.84, 0.05, 18)
    found = permute_clusters(before, after, seed=1)
    assert found == permute_clusters(before, after, seed=1)
    assert found.p_value == pytest.approx(cluster_t(before, after).p_value, abs=0.01)
    assert (found.conf_low, found.conf_high) == pytest.approx(cluster_t(before, after)[2:4], abs=0.003)


@pytest.mark.parametrize("shift", [0.0, 0.05])
def test_the_interval_holds_the_changes_that_the_test_does_not_refuse(shift):
    found = permute_clusters(FIRST, SECOND + shift)
    for end, inward in ((found.conf_low, 1), (found.conf_high, -1)):
        assert permute_clusters(FIRST, SECOND + shift - end - inward * 1e-6).p_value >= 0.05
        assert permute_clusters(FIRST, SECOND + shift - end + inward * 1e-6).p_value < 0.05
    assert (found.p_value < 0.05) == (found.conf_low > 0)


def test_swapping_the_waves_turns_the_sign():
    one, other = permute_clusters(FIRST, SECOND), permute_clusters(SECOND, FIRST)
    assert one.p_value == pytest.approx(other.p_value)
    assert (one.conf_low, one.conf_high) == pytest.approx((-other.conf_high, -other.conf_low))


def test_three_clusters_a_wave_are_too_few_as_no_outcome_is_significant():
    found = permute_clusters(np.array([0.1, 0.11, 0.12]), np.array([0.9, 0.91, 0.92]))  # 2 of 20 arrangements: .10
    assert (found.reason, found.method) == ("too_few_clusters", "permutation")
    assert math.isnan(found.p_value) and found.estimate == pytest.approx(0.8)


# --- the same clusters in both ----------------------------------------------------------------------------------------


def test_flipping_signs_counts_all_signs():
    differences = np.array([0.03, 0.05, -0.01, 0.02, 0.06, 0.04, 0.00, 0.03])
    means = [abs(np.mean(np.array(signs) * differences)) for signs in product([1, -1], repeat=8)]
    share = np.mean(np.array(means) >= differences.mean() - 1e-12)
    found, other = flip_signs(differences), stats.ttest_1samp(differences, 0)
    assert found.p_value == share
    assert (found.statistic, found.df) == pytest.approx((other.statistic, other.df))
    assert (
        flip_signs(differences - found.conf_low - 1e-6).p_value
        >= 0.05
        > flip_signs(differences - found.conf_low + 1e-6).p_value
    )


def test_many_signs_are_drawn_by_the_seed_and_agree_with_the_t_test():
    differences = np.random.default_rng(2).normal(0.02, 0.04, 25)
    assert flip_signs(differences, 3) == flip_signs(differences, 3)
    assert flip_signs(differences).p_value == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.01)


def test_five_pairs_are_too_few_and_six_are_enough():
    differences = np.array([0.05, 0.06, 0.07, 0.04, 0.05, 0.06])
    assert flip_signs(differences[:5]).reason == "too_few_clusters"
    assert (flip_signs(differences).reason, flip_signs(differences).p_value) == ("", 2 / 64)


# --- all answers together ---------------------------------------------------------------------------------------------


def drawn(seed: int, clusters: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sums and sizes of clusters that are in one wave, the first half before."""
    rng, sizes = np.random.default_rng(seed), np.zeros((clusters, 2))
    sizes[np.arange(clusters), np.arange(clusters) * 2 // clusters] = rng.integers(5, 40, clusters)
    return rng.binomial(sizes.astype(int), 0.85).astype(float), sizes


def test_the_error_is_the_cluster_robust_one_of_a_regression():
    import statsmodels.api as sm

    sums, sizes = drawn(1, 24)
    values = np.concatenate(
        [np.repeat([1.0, 0.0], [int(s), int(n - s)]) for s, n in zip(sums.ravel(), sizes.ravel(), strict=True)]
    )
    cells = np.repeat(np.arange(48), sizes.ravel().astype(int))
    fit = sm.OLS(values, sm.add_constant(cells % 2)).fit(
        cov_type="cluster", cov_kwds={"groups": cells // 2, "use_correction": False}
    )
    found = wild_bootstrap(sums, sizes)
    assert found.estimate == pytest.approx(fit.params[1])
    assert found.se == pytest.approx(fit.bse[1] * math.sqrt(24 / 23))


def test_bootstrap_surveys_are_those_made_answer_by_answer():
    sums, sizes = drawn(3, 20)
    factors, mean = _webb(20, 5)[:40], sums.sum() / sizes.sum()
    statistics = []
    for row in factors:
        made = row[:, None] * (sums - mean * sizes)
        waves = made.sum(axis=0) / sizes.sum(axis=0)
        added = ((made - waves * sizes) / sizes.sum(axis=0)) @ [-1, 1]
        statistics.append((waves[1] - waves[0]) / math.sqrt(20 / 19 * (added**2).sum()))
    share = np.mean(np.abs(statistics) >= abs(statistics[0]) - 1e-12)
    assert wild_p_value(sums, sizes, factors) == pytest.approx(share)


def test_the_interval_of_the_bootstrap_holds_the_changes_that_it_does_not_refuse():
    sums, sizes = drawn(3, 24)
    found, factors = wild_bootstrap(sums, sizes), _webb(24, 0)
    for end, inward in ((found.conf_low, 1), (found.conf_high, -1)):
        assert wild_p_value(sums - [0, end + inward * 1e-6] * sizes, sizes, factors) >= 0.05
        assert wild_p_value(sums - [0, end - inward * 1e-6] * sizes, sizes, factors) < 0.05


def test_clusters_in_both_waves_are_held_together():
    # each building keeps its rate, which differs from the others': no error where all of them gain .1
    rates = np.linspace(0.5, 0.8, 12)
    sizes = np.full((12, 2), 20.0)
    sums = sizes * np.column_stack([rates, rates + 0.1 + 0.01 * (-1) ** np.arange(12)])
    apart = np.vstack([sums * [1, 0], sums * [0, 1]]), np.vstack([sizes * [1, 0], sizes * [0, 1]])
    assert wild_bootstrap(sums, sizes).se < 0.1 * wild_bootstrap(*apart).se
    assert wild_bootstrap(sums, sizes).p_value < 0.01


def test_the_bootstrap_needs_ten_clusters_in_each_wave():
    assert wild_bootstrap(*drawn(1, 18)).reason == "too_few_clusters"
    assert wild_bootstrap(*drawn(1, 20)).reason == ""


# --- answers ----------------------------------------------------------------------------------------------------------


def answers(clusters: dict[str, tuple[int, int]]) -> tuple[np.ndarray, list[str]]:
    """Return answers and their clusters from satisfied and answers of each cluster."""
    values = np.concatenate([np.repeat([1.0, 0.0], [yes, n - yes]) for yes, n in clusters.values()])
    return values, [name for name, (_, n) in clusters.items() for _ in range(n)]


BEFORE = {"a": (8, 10), "b": (15, 20), "c": (9, 10), "d": (14, 20), "e": (8, 10), "f": (7, 9)}
AFTER = {"u": (9, 10), "v": (19, 20), "w": (10, 11), "x": (19, 20), "y": (8, 10), "z": (9, 9)}


def test_answers_of_other_clusters_are_permuted_by_their_means():
    (first, names), (second, others) = answers(BEFORE), answers(AFTER)
    found = compare_clusters(np.append(first, second), np.repeat([0, 1], [len(first), len(second)]), names + others)
    means = [np.array([yes / n for yes, n in wave.values()]) for wave in (BEFORE, AFTER)]
    assert found[:11] == permute_clusters(*means)[:11]
    assert (found.n_before, found.n_after) == (79, 80)


def test_answers_of_the_same_clusters_are_compared_within_them():
    (first, names), (second, _) = answers(BEFORE), answers(AFTER)
    others = [dict(zip(AFTER, BEFORE, strict=True))[name] for name in answers(AFTER)[1]]
    found = compare_clusters(np.append(first, second), np.repeat([0, 1], [79, 80]), names + others)
    differences = [
        AFTER[other][0] / AFTER[other][1] - yes / n for other, (yes, n) in zip(AFTER, BEFORE.values(), strict=True)
    ]
    assert found.method == "sign_flip"
    assert found.p_value == flip_signs(np.array(differences)).p_value


def test_answers_of_partly_the_same_clusters_are_bootstrapped():
    rng = np.random.default_rng(4)
    first, second = np.repeat(np.arange(12), 20), np.repeat(np.arange(6, 18), 20)
    found = compare_clusters(
        (rng.random(480) < 0.8) * 1.0, np.repeat([0, 1], 240), np.append(first, second).astype(str)
    )
    assert (found.method, found.reason, found.clusters_before) == ("wild_bootstrap", "", 12)


def test_missing_answers_and_weights_of_zero_are_not_there_and_weights_weigh():
    (first, names), (second, others) = answers(BEFORE), answers(AFTER)
    values, wave = np.append(first, second), np.repeat([0, 1], [79, 80])
    more = compare_clusters(
        np.append(values, [np.nan, 0.0]),
        np.append(wave, [0, 1]),
        [*names, *others, "a", "z"],
        np.append(np.ones(159), [1, 0]),
    )
    assert more == compare_clusters(values, wave, names + others)
    twice = compare_clusters(values, wave, names + others, 1 + values)
    assert twice.estimate != more.estimate


def test_a_wave_of_fewer_and_much_smaller_clusters_has_no_test():
    few = {name: (yes // 2, n // 2) for name, (yes, n) in BEFORE.items()}
    many = {f"{name}{copy}": (4 * yes, 4 * n) for name, (yes, n) in AFTER.items() for copy in range(2)}
    (first, names), (second, others) = answers(few), answers(many)
    found = compare_clusters(np.append(first, second), np.repeat([0, 1], [len(first), len(second)]), names + others)
    assert found.reason == "unequal_waves"


def test_clusters_that_are_all_the_same_have_no_variation():
    assert permute_clusters(np.full(5, 0.8), np.full(5, 0.8)).reason == "no_variation"
    assert flip_signs(np.full(8, 0.1)).reason == "no_variation"
    assert wild_bootstrap(np.full((10, 2), 5), np.full((10, 2), 5)).reason == "no_variation"
    assert cluster_t(np.array([0.8]), np.array([0.8, 0.9])).reason == "too_few_clusters"


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: compare_clusters(np.ones(3), np.ones(2), ["a", "b", "c"]), "not of one length"),
        (lambda: compare_clusters(np.ones(2), np.array([0, 1]), ["a", "b"], np.array([1.0, -1.0])), "below 0"),
        (lambda: compare_clusters(np.ones(2), np.ones(2), ["a", "b"]), "a wave has no answers"),
        (lambda: permute_clusters(np.array([0.5, np.nan]), np.ones(3)), "one mean for each cluster"),
        (lambda: wild_bootstrap(np.ones((3, 2)), np.zeros((3, 2))), "both waves with answers"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(call, message):
    with pytest.raises(ValueError, match=message):
        call()
