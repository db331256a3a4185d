"""The study of changes in time does what it says in a few surveys, and its table holds what it claims."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csat_analysis.estimation import randomization
from csat_analysis.estimation.series import segmented_changes

FOLDER = Path(__file__).resolve().parents[1] / "notebooks" / "validation"
SPEC = importlib.util.spec_from_file_location("changes_in_time", FOLDER / "changes_in_time.py")
study = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(study)


def values(found: list[dict], measure: str, method: str) -> np.ndarray:
    """Return the shares of a measure of a method."""
    return np.array([row["value"] for row in found if (row["measure"], row["method"]) == (measure, method)])


# --- by chance --------------------------------------------------------------------------------------------------------


def test_a_family_of_waves_is_adjusted():
    found = list(study.families(400))
    assert values(found, "type_1", "adjusted").mean() < 0.065
    assert values(found, "type_1", "not adjusted").mean() > 0.10


def test_looks_that_are_planned_are_called_changed_seldom():
    found = list(study.looks(2000))
    assert values(found, "type_1", "obrien_fleming").mean() == pytest.approx(0.05, abs=0.012)
    assert values(found, "type_1", "1.96 at each look").mean() > 0.085


def test_series_without_autocorrelation_are_called_changed_seldom():
    found = [
        row for row in study.monthly(1000, lengths=((12, 12),), means=(20,)) if row["group"] == "autocorrelation 0.0"
    ]
    assert values(found, "type_1", "segmented").mean() == pytest.approx(0.026, abs=0.016)
    assert values(found, "power", "segmented").mean() > 0.2


def test_plain_quasi_poisson_is_that_of_the_room_where_there_is_no_autocorrelation():
    counts, time = np.random.default_rng(1).poisson(20.0, (60, 24)).astype(float), np.arange(24) - 12.0
    found = segmented_changes(counts, time, np.ones(24))
    none = found.autocorrelation < -0.4
    assert study.quasi_poisson(counts, time)[none] == pytest.approx(found.p_value[none])


def test_few_clusters_without_a_change_are_called_changed_seldom():
    found = list(study.few_clusters(600, waves=study.FEW[5:6], rates=(0.8,)))
    assert values(found, "type_1", "permutation").mean() == pytest.approx(0.05, abs=0.02)
    assert values(found, "type_1", "answers").max() > 0.15


def test_many_permutations_at_once_are_those_of_the_room():
    rng = np.random.default_rng(1)
    before, after = (
        study.drawn(rng, np.full(4, 20), 0.05, 0.8, 5) / 20,
        study.drawn(rng, np.full(5, 20), 0.05, 0.8, 5) / 20,
    )
    ours = [randomization.permute_clusters(*pair).p_value for pair in zip(before, after, strict=True)]
    assert study.permuted(before, after) == pytest.approx(np.array(ours))
    ours = [randomization.cluster_t(*pair).p_value for pair in zip(before, after, strict=True)]
    assert study.welch_t(before, after) == pytest.approx(np.array(ours))


def test_the_bounds_of_an_overlap_hold_in_a_few_surveys():
    found = list(study.overlaps(50))
    assert values(found, "holds", "bounds").min() == 1
    assert values(found, "cautious", "bounds").mean() > 0.93


def test_sizes_of_clusters_run_from_5_to_60():
    assert study.spread(8).tolist() == [5, 7, 10, 15, 21, 29, 42, 60]


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Return the results of the whole study."""
    return pd.read_csv(FOLDER / "changes_in_time.csv")


def test_the_table_holds_what_is_drawn_today(table):
    today = pd.DataFrame(study.looks())
    assert today["value"].to_numpy() == pytest.approx(study.chosen(table, "looks")["value"].to_numpy(), abs=1e-5)


def test_every_claim_holds(table):
    assert study.claims(table)["holds"].all()


def test_what_is_not_used_calls_too_many_changed(table):
    clusters = study.beside(table, "clusters", measure="type_1")
    assert clusters["answers"].max() > 0.2
    assert study.beside(table, "repeated", measure="type_1")["not adjusted"].min() > 0.08
    assert study.beside(table, "looks", measure="type_1")["1.96 at each look"].min() > 0.08


def test_where_the_waves_are_refused_a_test_would_call_too_many_changed(table):
    refused = study.beside(table, "clusters", measure="type_1", groups=("refused",))
    assert refused["permutation"].max() > 0.07
    assert all(
        randomization.lopsided(np.array([len(w.before), len(w.after)]), np.array([w.before.sum(), w.after.sum()]))
        == (w.group == "refused")
        for w in study.FEW
    )
