"""Who tends to answer better: against another package, counted pairs, and naive truths; what cannot be told says why."""

import math

import numpy as np
import pytest
from scipy.special import expit, logit
from statsmodels.stats.nonparametric import rank_compare_2ordinal

from csat_analysis.estimation.superiority import superiority
from csat_analysis.statistics.design import design_of

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page


def plain(counts, **columns):
    return design_of(np.ones(len(counts)), np.asarray(counts, dtype=float), **columns)


def test_a_wrong_call_says_what_would_be_right():
    with pytest.raises(ValueError, match="not of one length"):
        superiority(np.ones(3), np.ones(2), plain([1, 1]))


def compared(before, after, **columns):
    """Return the comparison of two waves given as counts of levels."""
    counts = np.array([*before, *after], dtype=float)
    kept, wave = counts > 0, np.repeat([0, 1], len(before))
    levels = np.tile(np.arange(len(before)), 2)
    return superiority(levels[kept], wave[kept], plain(counts[kept], strata=wave[kept]))


@pytest.mark.parametrize(
    "before, after", [([10, 20, 40, 30], [5, 15, 40, 60]), ([0, 3, 5], [4, 0, 9]), ([50, 1], [40, 9])]
)
def test_superiority_is_that_of_another_package(before, after):
    # statsmodels: Munzel and Hauschke (2003), variance and degrees of freedom of Brunner and Munzel (2000)
    other, found = rank_compare_2ordinal(after, before), compared(before, after)
    assert found.estimate == pytest.approx(other.prob1)
    assert found.se == pytest.approx(math.sqrt(other.var_prob))
    assert found.df == pytest.approx(other.df)
    test = other.test_prob_superior(0.5)
    assert (found.statistic, found.p_value) == pytest.approx((test.statistic, test.pvalue))
    assert found.delta[0] == pytest.approx(other.somersd1)
    assert (found.n_before, found.n_after) == (sum(before), sum(after))
    half = other.conf_int()[1] - other.prob1  # on the scale of log odds, the derivative is 1 / p(1 - p)
    bounds = [expit(logit(other.prob1) + side * half / (other.prob1 * (1 - other.prob1))) for side in (-1, 1)]
    assert [found.conf_low, found.conf_high] == pytest.approx(bounds)


def test_superiority_counts_pairs():
    # 1, 2 against 2, 3: three pairs better, one tie: 3.5 / 4
    assert compared([1, 1, 0], [0, 1, 1]).estimate == 0.875


def test_swapping_before_and_after_turns_the_sign():
    one, other = compared([10, 20, 40], [5, 15, 60]), compared([5, 15, 60], [10, 20, 40])
    assert one.estimate == pytest.approx(1 - other.estimate)
    assert one.delta == pytest.approx(tuple(-other.delta[place] for place in (0, 2, 1)))
    assert one.p_value == pytest.approx(other.p_value)


def rows(before, after):
    levels = np.repeat(np.tile(np.arange(len(before)), 2), [*before, *after])
    return levels, np.repeat([0, 1], [sum(before), sum(after)])


def test_superiority_asks_for_the_order_of_levels_alone_and_a_count_stands_for_rows():
    levels, wave = rows([10, 20, 40], [5, 15, 60])
    one = superiority(levels, wave, plain(np.ones(150), strata=wave))
    assert superiority(np.exp(levels), wave, plain(np.ones(150), strata=wave)) == pytest.approx(one)
    assert tuple(compared([10, 20, 40], [5, 15, 60]))[:-1] == pytest.approx(tuple(one)[:-1])


def test_weights_are_weights_and_not_numbers_of_answers():
    levels, wave = rows([10, 20, 40], [5, 15, 60])
    weights = np.where(levels == 2, 3.0, 1.0)
    found = superiority(levels, wave, design_of(weights, strata=wave))
    as_counts = compared([10, 20, 120], [5, 15, 180])
    assert found.estimate == pytest.approx(as_counts.estimate)
    assert found.se > as_counts.se
    assert (found.n_before, found.n_after) == (70, 80)
    assert superiority(levels, wave, design_of(7 * weights, strata=wave)) == pytest.approx(found)


def test_copies_within_a_cluster_add_no_precision_to_a_comparison():
    levels, wave = rows([10, 20, 40], [5, 15, 60])
    copies = np.arange(150).repeat(4)
    design = design_of(np.ones(600), strata=wave[copies], clusters=copies.astype(str))
    one, many = compared([10, 20, 40], [5, 15, 60]), superiority(levels[copies], wave[copies], design)
    assert (many.se, many.df, many.conf_low) == pytest.approx((one.se, one.df, one.conf_low))


def test_groups_that_share_clusters_share_their_error():
    # 30 buildings, each with an owner and a tenant who both feel as their building does, the owner a level better
    feeling = np.arange(30) % 3
    levels, owner = np.concatenate([feeling, feeling + 1]), np.repeat([0, 1], 30)
    clusters = np.tile(np.arange(30), 2).astype(str)
    paired = superiority(levels, owner, design_of(np.ones(60), clusters=clusters))
    single = superiority(levels, owner, design_of(np.ones(60), strata=owner))
    assert paired.estimate == single.estimate
    assert paired.se < 0.5 * single.se
    assert paired.df == 28  # 30 - 1 - 1


@pytest.mark.parametrize(
    "before, after, estimate, reason",
    [
        ([0, 0, 0], [1, 2, 3], math.nan, "no_answers"),
        ([5, 0, 0], [0, 0, 9], 1.0, "no_overlap"),
        ([0, 9, 0], [0, 9, 0], 0.5, "no_variation"),
        ([1, 0, 0], [3, 3, 3], 5 / 6, "too_few_units"),
    ],
)
def test_what_cannot_be_compared_has_a_reason(before, after, estimate, reason):
    found = compared(before, after)
    assert found.reason == reason
    assert found.estimate == pytest.approx(estimate, nan_ok=True)
    assert math.isnan(found.conf_low) and math.isnan(found.p_value)


def test_where_everybody_was_asked_a_comparison_has_no_error():
    levels, wave = rows([10, 20, 40], [5, 15, 60])
    found = superiority(levels, wave, plain(np.ones(150), strata=wave, population={0: 70, 1: 80}))
    assert (found.conf_low, found.conf_high, found.reason) == (found.estimate, found.estimate, "census")
    most, few = (superiority(levels, wave, plain(np.ones(150), strata=wave, population=size)) for size in (100, 10000))
    assert most.se < 0.6 * few.se


def test_an_interval_of_superiority_stays_between_0_and_1():
    found = compared([8, 1, 0], [0, 1, 8])
    assert 0 < found.conf_low < found.estimate < found.conf_high < 1


def test_missing_levels_are_no_answers():
    levels, wave = rows([10, 20, 40], [5, 15, 60])
    more = np.append(levels.astype(float), [np.nan, 2])
    found = superiority(
        more, np.append(wave.astype(float), [1, np.nan]), plain(np.ones(152), strata=np.append(wave, [1, 1]))
    )
    assert (found.n_before, found.n_after) == (70, 80)
    assert found.estimate == pytest.approx(compared([10, 20, 40], [5, 15, 60]).estimate)
