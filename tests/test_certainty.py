"""Exact intervals by enumeration, certainty against brute force, and what those who did not answer could change."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from csat_analysis.ground.programmes import meets
from csat_analysis.statistics.certainty import (
    count_certainty,
    exact_interval,
    first_where,
    last_below,
    mean_certainty,
    nonresponse_bounds,
    share_certainty,
    tipping_point,
)

COMPARISONS = ["at_least", "more_than", "at_most", "less_than"]
OPPOSITES = [("at_least", "less_than"), ("more_than", "at_most")]


# --- exact bounds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "successes, n, low, high",
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_without_a_population_the_bounds_are_the_published_ones(successes, n, low, high):
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 5 (Clopper-Pearson).
    assert exact_interval(successes, n, None) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    "successes, n, population, printed", [(3, 10, 50, (4, 32)), (45, 100, 300, (110, 161)), (2, 100, 300, (1, 19))]
)
def test_the_bounds_are_the_last_counts_that_are_not_rejected(successes, n, population, printed):
    # R samplingbook's manual (Sprop, "exact") prints the first counts that are rejected, one more on either side: with 2
    # seen it has 1 for the least there are.
    low, high = exact_interval(successes, n, population)
    assert (low * population - 1, high * population + 1) == pytest.approx(printed)


def test_the_bounds_can_be_checked_by_hand():
    # Both of 2 asked are satisfied, of 16 in all, so of C(16, 2) = 120 ways to draw them. With K = 3 satisfied 3 ways show
    # it: 2.5 %, rejected; with K = 4 there are 6 ways, 5 %.
    assert exact_interval(2, 2, 16) == (4 / 16, 1.0)
    assert exact_interval(0, 2, 16) == (0.0, 12 / 16)


def tail_of(count: int, successes: int, n: int, population: int) -> Fraction:
    """Return the probability of so many successes or more, in whole numbers."""
    ways = sum(math.comb(count, x) * math.comb(population - count, n - x) for x in range(successes, n + 1))
    return Fraction(ways, math.comb(population, n))


@pytest.mark.parametrize("population", [1, 2, 7, 16, 23])
def test_the_search_finds_what_a_scan_in_whole_numbers_finds(population):
    for n in range(1, population + 1):
        for k in range(n + 1):
            likely = [
                count
                for count in range(k, population - n + k + 1)
                if min(tail_of(count, k, n, population), tail_of(population - count, n - k, n, population))
                > Fraction(1, 40)
            ]
            assert exact_interval(k, n, population) == (likely[0] / population, likely[-1] / population)


def coverage_of(population: int, n: int) -> np.ndarray:
    """Return, for every count in the population, the probability that the interval covers it: by enumeration."""
    bounds = np.array([exact_interval(k, n, population) for k in range(n + 1)])
    counts, seen = np.arange(population + 1)[:, None], np.arange(n + 1)
    shares = counts / population
    covers = (bounds[:, 0] <= shares + 1e-12) & (shares - 1e-12 <= bounds[:, 1])
    return (stats.hypergeom.pmf(seen, population, counts, n) * covers).sum(axis=1)


@pytest.mark.parametrize(
    "population, n, least, average",  # least: over all K; average: over K of 75 to 99 %
    [
        (30, 10, 0.9550, 0.9971),
        (60, 20, 0.9567, 0.9851),
        (120, 40, 0.9565, 0.9779),
        (300, 60, 0.9537, 0.9737),
        (300, 210, 0.9534, 0.9708),
        (300, 255, 0.9521, 0.9755),
        (480, 401, 0.9515, 0.9703),
        (1000, 150, 0.9504, 0.9655),
    ],
)
def test_the_interval_covers_every_count_in_95_percent_of_all_samples(population, n, least, average):
    coverage = coverage_of(population, n)
    usual = coverage[math.ceil(0.75 * population) : math.floor(0.99 * population) + 1]
    assert coverage.min() >= 0.95
    assert (coverage.min(), usual.mean()) == pytest.approx((least, average), abs=5e-5)


@given(st.integers(1, 400), st.data())
@settings(max_examples=60, deadline=None)
def test_what_holds_for_the_satisfied_holds_for_the_others(population, data):
    n = data.draw(st.integers(1, population))
    k = data.draw(st.integers(0, n))
    low, high = exact_interval(k, n, population)
    assert exact_interval(n - k, n, population) == pytest.approx((1 - high, 1 - low))
    assert low <= k / n <= high
    assert low * population >= k - 1e-9 and high * population <= population - n + k + 1e-9


def test_the_share_of_those_asked_is_within_its_interval_though_the_population_cannot_have_it():
    assert exact_interval(1, 79, 80) == (1 / 80, 1 / 79)
    assert exact_interval(78, 79, 80) == (78 / 79, 79 / 80)


def test_who_was_asked_is_no_longer_uncertain():
    widths = [np.ptp(exact_interval(round(0.85 * n), n, 400)) for n in (20, 100, 200, 300, 380, 400)]
    assert widths == sorted(widths, reverse=True)
    assert np.ptp(exact_interval(344, 401, 480)) < 0.45 * np.ptp(exact_interval(344, 401, None))


@pytest.mark.parametrize("n, population", [(1, 1), (480, 480)])
def test_where_all_were_asked_the_interval_is_the_share(n, population):
    for k in {0, n // 2, n}:
        assert exact_interval(k, n, population) == (k / n, k / n)


@pytest.mark.parametrize("population", [None, 0, 10])
def test_where_nobody_was_asked_there_is_no_interval(population):
    assert np.isnan(exact_interval(0, 0, population)).all()


def test_more_answers_than_customers_are_no_finite_population():
    assert exact_interval(9, 12, 10) == exact_interval(9, 12, None)


@pytest.mark.parametrize(
    "successes, n, population",
    [(344, 401, 480), (1700, 2000, 50_000), (0, 2000, 50_000), (2000, 2000, 50_000), (1999, 2000, 50_000), (850, 1000, 10**6), (425_000, 500_000, 10**6)],
)  # fmt: skip
def test_few_probabilities_are_computed_however_many_there_are(successes, n, population, monkeypatch):
    asked = []
    compute = stats.hypergeom.sf
    monkeypatch.setattr(stats.hypergeom, "sf", lambda *of: asked.append(of) or compute(*of))
    exact_interval(successes, n, population)
    assert len(asked) <= 6


@given(st.integers(0, 300), st.integers(-50, 350))
def test_a_bad_guess_costs_time_only(first, guess):
    tried = []
    assert first_where(lambda x: tried.append(x) or x >= first, range(301), guess) == first
    assert len(tried) <= 3 + 9


# --- the cut of a rule ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("threshold", [0.07, 0.1, 0.29, 0.57, 0.7, 0.85, 0.849, 1 - 0.9, 2 / 3, 0, 1])
@pytest.mark.parametrize("n", [1, 3, 30, 100, 480])
def test_noise_does_not_decide_where_a_rule_cuts(comparison, threshold, n):
    # 0.07 · 100 and 0.57 · 100 are not 7 and 57 in floating point
    verdicts = [meets(count / n, comparison, threshold) for count in range(n + 1)]
    below = last_below(comparison, threshold, n)
    low = comparison in {"at_most", "less_than"}
    assert verdicts == [low if count <= below else not low for count in range(n + 1)]


# --- certainty of a share ---------------------------------------------------------------------------------------------


def bayes(k: int, n: int, comparison: str, threshold: float, population: int) -> Fraction:
    """Return the certainty by summing over every count that the population may have, all alike before."""
    weights = {
        count: math.comb(count, k) * math.comb(population - count, n - k) for count in range(k, population - n + k + 1)
    }
    met = sum(weight for count, weight in weights.items() if meets(count / population, comparison, threshold))
    return Fraction(met, sum(weights.values()))


def test_certainty_can_be_worked_by_hand():
    # Four customers, two answer, one is satisfied. Of the 6 ways to draw two, so many show one satisfied:
    #   K = 0: none; K = 1: 3; K = 2: 4; K = 3: 3; K = 4: none. All K alike before: .3, .4, .3 after.
    assert share_certainty(0.5, 2, "at_least", 0.75, 4) == pytest.approx(0.3)
    assert share_certainty(0.5, 2, "at_least", 0.50, 4) == pytest.approx(0.7)
    assert share_certainty(0.5, 2, "more_than", 0.50, 4) == pytest.approx(0.3)
    assert share_certainty(0.5, 2, "at_most", 0.50, 4) == pytest.approx(0.7)
    assert share_certainty(0.5, 2, "less_than", 0.50, 4) == pytest.approx(0.3)
    assert share_certainty(0.5, 2, "at_least", 0.25, 4) == 1
    assert share_certainty(0.5, 2, "at_least", 0.76, 4) == 0


@pytest.mark.parametrize("population", [1, 2, 5, 12, 20])
@pytest.mark.parametrize("comparison", COMPARISONS)
def test_certainty_is_that_of_brute_force(population, comparison):
    for n in range(1, population + 1):
        for k in range(n + 1):
            for threshold in (-0.1, 0, 0.2, 0.5, 0.65, 0.85, 1, 1.1):
                expected = float(bayes(k, n, comparison, threshold, population))
                assert share_certainty(k / n, n, comparison, threshold, population) == pytest.approx(
                    expected, abs=1e-13
                )


def test_a_company_is_told_how_certain_its_verdict_is():
    # 344 of 401 are satisfied, of 480 customers: 408 have to be, so 64 or more of the other 79.
    certainty = share_certainty(344 / 401, 401, "at_least", 0.85, 480)
    assert certainty == pytest.approx(float(bayes(344, 401, "at_least", 0.85, 480)), rel=1e-12)
    assert certainty == pytest.approx(stats.betabinom.sf(63, 79, 345, 58), rel=1e-12)
    assert certainty == pytest.approx(0.884, abs=5e-4)


@pytest.mark.parametrize("k, n, population", [(40, 60, 300), (344, 401, 480), (1700, 2000, 50_000), (5, 5, 1000)])
def test_the_closed_form_is_the_beta_binomial(k, n, population):
    others = stats.betabinom(population - n, k + 1, n - k + 1)
    for threshold in (k / n - 0.02, k / n + 0.003):
        below = last_below("at_least", threshold, population) - k
        assert count_certainty(k, n, "at_least", threshold, population) == pytest.approx(others.sf(below), abs=1e-9)
        assert count_certainty(k, n, "less_than", threshold, population) == pytest.approx(others.cdf(below), abs=1e-9)


@pytest.mark.parametrize("k, n", [(850, 1000), (8_500, 10_000), (425_000, 500_000), (0, 50)])
@pytest.mark.parametrize("tail", [1e-12, 1e-6, 0.3])
def test_a_small_tail_of_a_large_population_is_sound(k, n, tail, population=10**6):
    weights = posterior(k, n, population)
    low, high = np.cumsum(weights), np.cumsum(weights[::-1])
    at = int(np.searchsorted(low, tail))
    below = count_certainty(k, n, "at_most", (k + at) / population, population)
    assert below == pytest.approx(float(low[at]), rel=1e-8)
    at = int(np.searchsorted(high, tail))
    above = count_certainty(k, n, "at_least", (population - n + k - at) / population, population)
    assert above == pytest.approx(float(high[at]), rel=1e-8)


def posterior(k: int, n: int, population: int) -> np.ndarray:
    """Return the probability of each count from k to N - n + k by the ratio of each to the one before."""
    count = np.arange(k, population - n + k, dtype=float)
    steps = np.log1p(k / (count + 1 - k)) + np.log1p(-(n - k) / (population - count))
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()


@pytest.mark.parametrize("population, n, threshold", [(40, 12, 0.85), (300, 210, 0.85), (120, 40, 0.7)])
def test_certainty_is_right_as_often_as_it_says(population, n, threshold):
    # Over all populations alike, each number of successes is seen equally often: the mean is the share that meets.
    mean = np.mean([count_certainty(k, n, "at_least", threshold, population) for k in range(n + 1)])
    met = np.mean([meets(count / population, "at_least", threshold) for count in range(population + 1)])
    assert mean == pytest.approx(met)


answers = st.tuples(st.integers(1, 500), st.integers(0, 500), st.integers(1, 500)).map(
    lambda drawn: (min(drawn[1], drawn[0]), drawn[0], drawn[0] + drawn[2])  # k of n, of N
)
thresholds = st.one_of(st.floats(0, 1), st.integers(0, 100).map(lambda percent: percent / 100))


@given(answers, thresholds, st.booleans(), st.sampled_from(OPPOSITES))
@settings(max_examples=100, deadline=None)
def test_a_rule_and_its_opposite_are_certain_together(counts, threshold, known, opposites):
    k, n, population = counts
    both = [share_certainty(k / n, n, rule, threshold, population if known else None) for rule in opposites]
    assert sum(both) == pytest.approx(1)
    assert min(both) >= 0


@given(answers, thresholds, st.booleans())
@settings(max_examples=60, deadline=None)
def test_one_more_satisfied_makes_it_no_less_certain(counts, threshold, known):
    k, n, population = counts
    population = population if known else None
    fewer, more = (share_certainty(min(s, n) / n, n, "at_least", threshold, population) for s in (k, k + 1))
    assert fewer <= more + 1e-12


@given(answers, thresholds, thresholds, st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_higher_threshold_is_no_more_certain(counts, first, second, known):
    k, n, population = counts
    population = population if known else None
    low, high = (share_certainty(k / n, n, "at_least", t, population) for t in sorted([first, second]))
    assert high <= low + 1e-12


@given(answers, thresholds)
@settings(max_examples=60, deadline=None)
def test_to_exceed_is_no_more_certain_than_to_reach(counts, threshold):
    k, n, population = counts
    reach, exceed = (share_certainty(k / n, n, rule, threshold, population) for rule in ("at_least", "more_than"))
    assert exceed <= reach + 1e-12


def test_an_unknown_population_is_one_without_end():
    endless = share_certainty(0.9, 100, "at_least", 0.85)
    assert share_certainty(0.9, 100, "at_least", 0.85, 10**6) == pytest.approx(endless, abs=1e-4)
    # k + 1 = 91, n - k + 1 = 11: P(Beta(91, 11) >= .85) = P(X <= 90), X binomial of 101 at .85
    assert endless == pytest.approx(stats.binom.cdf(90, 101, 0.85))


def test_an_effective_number_need_not_be_whole():
    around = [share_certainty(0.9, n, "at_least", 0.85) for n in (90, 90.5, 91)]
    assert around == sorted(around) and len(set(around)) == 3
    assert share_certainty(0.9, 90.5, "at_least", 0.85, 300) == around[1]  # no population for it
    assert share_certainty(0.905, 90, "at_least", 0.85, 300) == share_certainty(0.905, 90, "at_least", 0.85)


def test_more_answers_than_customers_have_no_population():
    assert share_certainty(0.75, 12, "at_least", 0.7, 10) == share_certainty(0.75, 12, "at_least", 0.7)


@pytest.mark.parametrize("n, population", [(480, 480), (math.inf, None), (math.inf, 480)])
@pytest.mark.parametrize(
    "comparison, expected", [("at_least", 1.0), ("more_than", 0.0), ("at_most", 1.0), ("less_than", 0.0)]
)
def test_a_census_leaves_no_doubt(n, population, comparison, expected):
    assert share_certainty(408 / 480, n, comparison, 0.85, population) == expected


@pytest.mark.parametrize("n, population", [(4, 4), (3, 4), (300, 400), (399, 400)])
def test_those_who_are_left_may_be_too_few_to_change_anything(n, population):
    assert share_certainty(1.0, n, "at_least", 0.75, population) == 1


def test_without_answers_nothing_is_certain():
    assert math.isnan(share_certainty(math.nan, 0, "at_least", 0.85, 480))
    assert math.isnan(share_certainty(0.0, 0, "at_least", 0.85))
    assert math.isnan(share_certainty(math.nan, 10, "at_least", 0.85))


# --- certainty of a mean ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "t, df, expected", [(1.812, 10, 0.95), (2.228, 10, 0.975), (-1.812, 10, 0.05), (6.314, 1, 0.95), (1.645, math.inf, 0.95)]
)  # fmt: skip
def test_certainty_of_a_mean_is_students(t, df, expected):
    # Any table of Student's t, to the digits it prints.
    assert mean_certainty(85 + 2 * t, 2, df, "at_least", 85) == pytest.approx(expected, abs=1e-4)
    assert mean_certainty(85 + 2 * t, 2, df, "less_than", 85) == pytest.approx(1 - expected, abs=1e-4)


def test_a_small_tail_of_a_mean_is_sound():
    assert mean_certainty(85 - 7, 1, math.inf, "at_least", 85) == pytest.approx(1.279812543885835e-12, rel=1e-9)
    assert mean_certainty(85 + 7, 1, math.inf, "at_most", 85) == pytest.approx(1.279812543885835e-12, rel=1e-9)


@pytest.mark.parametrize("estimate", [85, 85.00000000000001])
def test_a_mean_without_error_meets_or_does_not(estimate):
    verdicts = [mean_certainty(estimate, 0.0, 10, comparison, 85) for comparison in COMPARISONS]
    assert verdicts == [1, 0, 1, 0]


@pytest.mark.parametrize("estimate, se", [(math.nan, 1), (math.nan, 0), (90, math.nan)])
def test_a_mean_without_data_or_spread_is_not_certain(estimate, se):
    assert math.isnan(mean_certainty(estimate, se, 10, "at_least", 85))


# --- those who did not answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "share, returned, threshold, expected",
    [
        (0.92, 0.70, 0.85, 0.206 / 0.30),  # METHODS 0.5: 68.7 %
        (344 / 401, 401 / 480, 0.85, 64 / 79),  # 408 are needed, 344 are there: 64 of the 79 others, 81 %
        (0.85, 0.5, 0.85, 0.85),  # on the threshold: they have to be as satisfied as the others
        (0.95, 0.9, 0.85, -0.05),  # nothing they could have said would turn it
        (0.50, 0.5, 0.85, 1.2),
    ],
)
def test_the_tipping_point_is_what_the_others_must_reach(share, returned, threshold, expected):
    assert tipping_point(share, returned, threshold) == pytest.approx(expected)


@pytest.mark.parametrize("returned", [1, 1.02])
def test_where_all_returned_a_form_nothing_can_tip(returned):
    assert tipping_point(0.9, returned, 0.85) is None
    assert nonresponse_bounds(0.9, returned) == (0.9, pytest.approx(0.9))


def test_bounds_are_nobody_and_everybody():
    # 344 of 480, and 344 + 79 of 480
    assert nonresponse_bounds(344 / 401, 401 / 480) == pytest.approx((344 / 480, 423 / 480))


@given(st.floats(0, 1), st.floats(0, 0.99), st.floats(0, 1))
def test_the_tipping_point_lies_within_0_and_1_where_the_bounds_hold_the_threshold(share, returned, threshold):
    point, (worst, best) = tipping_point(share, returned, threshold), nonresponse_bounds(share, returned)
    assert returned * share + (1 - returned) * point == pytest.approx(threshold, abs=1e-9)
    assert 0 <= worst <= best <= 1 + 1e-12
    if not (math.isclose(worst, threshold, abs_tol=1e-9) or math.isclose(best, threshold, abs_tol=1e-9)):
        assert (0 <= point <= 1) == (worst <= threshold <= best)
