"""The intervals cover the truth as often as they promise: by counting all samples, and by the study's own table."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csat_analysis.statistics.design import design_of
from csat_analysis.statistics.estimates import estimate_mean
from csat_analysis.statistics.inference import scale_interval

FOLDER = Path(__file__).resolve().parents[1] / "notebooks" / "validation"
SPEC = importlib.util.spec_from_file_location("intervals", FOLDER / "intervals.py")
intervals = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(intervals)


def covered(method: str, n: int, population: int | None = None) -> np.ndarray:
    """Return how often an interval covers each true rate from 50 to 99 %."""
    return intervals.coverage(intervals.bounds(method, n, population), intervals.rates_of(population), population)


# --- counted ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "least"), [(30, 0.8988), (50, 0.8951), (100, 0.9206)])
def test_what_is_shown_covers_95_percent_on_average(n, least):
    found = covered("wilson z", n)
    assert 0.94 <= found.mean() <= 0.96
    assert found.min() == pytest.approx(least, abs=5e-5)


def test_what_is_shown_covers_93_percent_everywhere_from_200_answers_on():
    assert covered("wilson z", 200).min() >= 0.93


def test_in_a_finite_population_what_is_shown_covers_95_percent_on_average_and_not_everywhere():
    found = covered("wilson z", 255, 300)
    assert 0.94 <= found.mean() <= 0.96
    assert found.min() == pytest.approx(0.8917, abs=5e-5)


@pytest.mark.parametrize(("n", "population"), [(20, None), (100, None), (60, 120)])
def test_what_a_rule_is_read_with_covers_95_percent_everywhere(n, population):
    assert covered("exact", n, population).min() >= 0.95


def test_the_counting_can_be_checked_by_hand():
    # Of 2 asked, both satisfied: intervals that reach to 1; else none. At a true rate of .9 that is .81 of all samples.
    assert intervals.coverage(np.array([[0, 0], [0, 0], [0.5, 1]]), np.array([0.9])) == pytest.approx([0.81])
    # 2 of 4 customers asked, 3 satisfied: both asked are in C(3, 2) = 3 of 6 ways
    assert intervals.coverage(np.array([[0, 0], [0, 0], [0.5, 1]]), np.array([0.75]), 4) == pytest.approx([0.5])


def test_means_are_counted_as_if_each_sample_was_estimated_by_itself():
    # all 27 samples of three answers that give 100, 60 or 0 points
    covers, chances, rate = [], [], intervals.DENSE
    shares, truth = np.array([rate, 0.6 * (1 - rate), 0.4 * (1 - rate)]), 100 * rate + 36 * (1 - rate)
    for levels in itertools.product(range(3), repeat=3):
        found = estimate_mean(design_of(np.ones(3)), np.array([100.0, 60, 0])[list(levels)])
        low, high = scale_interval(found.mean, found.se, found.df, found.n_effective, (0, 100), is_plain=True)
        covers.append((low <= truth) & (truth <= high))
        chances.append(shares[list(levels)].prod(axis=0) * (not np.isnan(low)))
    expected = (np.array(covers) * chances).sum(axis=0) / np.sum(chances, axis=0)
    row = next(intervals.counted_means(sizes=(3,)))
    assert (row["average"], row["minimum"]) == pytest.approx((expected.mean(), expected.min()))
    assert row["none"] == pytest.approx(1 - np.sum(chances, axis=0).mean())


# --- by chance --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [each for each in intervals.SAMPLES if each.each == 20 and not each.weighted])
def test_intervals_of_clusters_hold_in_a_few_samples(sample):
    found = {row["interval"]: row["average"] for row in intervals.simulate(sample, seed=1, replications=200)}
    assert found["wilson t"] == pytest.approx(0.95, abs=0.015)
    assert found["wilson z"] < found["wilson t"] < found["korn_graubard"]


def test_the_levels_have_the_shares_they_are_drawn_with():
    answers = intervals._answers(intervals.Sample("plain", 500), 20, np.random.default_rng(1))
    shares = np.array([(answers == level).mean(axis=(0, 1, 2)) for level in range(5)])
    assert shares == pytest.approx(intervals._shares(intervals.RATES), abs=0.02)


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Return the results of the whole study."""
    return pd.read_csv(FOLDER / "intervals.csv")


def test_the_table_holds_what_is_counted_today(table):
    counted = [*intervals.counted(sizes=(30, 50), finite=()), *intervals.counted_means(sizes=(30,))]
    today = pd.DataFrame(counted).astype({"population": float})
    columns = ["interval", "sample", "n", "population"]
    stored = today[columns].merge(table, on=columns, how="left")
    assert stored["average"].to_numpy() == pytest.approx(today["average"].to_numpy(), abs=1e-5)
    assert stored["minimum"].to_numpy() == pytest.approx(today["minimum"].to_numpy(), abs=1e-5)


def test_every_claim_holds(table):
    assert intervals.claims(table)["holds"].all()


def test_what_was_not_chosen_covers_too_seldom(table):
    of_both = table[table["sample"].isin(intervals.BOTH)].set_index("interval")["average"]
    assert of_both["wilson t, share drawn"].max() < 0.94 < of_both["wilson t"].min()
    small = table[table["n"] == 30].set_index("interval")["average"]
    assert small["mean t, five levels"].max() < 0.94 < small["mean, five levels"].min()
