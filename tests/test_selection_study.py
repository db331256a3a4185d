"""The study of choosing by low scores: its table bears out its claims, and a few portfolios agree with it today."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks" / "validation"
SPEC = importlib.util.spec_from_file_location("selection_study", FOLDER / "selection.py")
study = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(study)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Return the results of the whole study."""
    return pd.read_csv(FOLDER / "selection.csv", dtype={"sizes": str})


def row(table: pd.DataFrame, test: str, situation: study.Situation) -> pd.Series:
    """Return the stored figures of a test in a situation."""
    about = (table[list(situation._fields)] == list(situation)).all(axis=1)
    return table[about & (table["test"] == test)].squeeze()


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_claim_holds(table):
    assert study.claims(table)["holds"].all()


def test_the_table_holds_every_situation(table):
    single = table[table["test"] == "predictive"]
    many = table[table["test"] == "residual contrast"]
    assert (len(single), len(many)) == (len(study.SINGLE), len(study.MANY))
    assert (single["replications"] == study.REPLICATIONS).all()


def test_what_was_not_chosen_errs_more_often(table):
    usual = study.Situation("usual", study.EQUAL, 40)
    assert row(table, "naive z", usual)["improved"] > 2 * row(table, "predictive", usual)["improved"]
    assert row(table, study.NAIVE, usual)["rejected"] > 0.5
    assert row(table, "split, all decided", usual)["bias"] > 0.03
    assert abs(row(table, "split, half decided", usual)["bias"]) < 0.005


def test_the_contrast_finds_more_than_the_gap_at_the_threshold(table):
    five = study.Situation("usual", study.EQUAL, 40, 0.05)
    assert row(table, "residual contrast", five)["rejected"] > row(table, "discontinuity", five)["rejected"] + 0.1


# --- today ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("situation", [study.SINGLE[2], study.SINGLE[8]])
def test_a_few_replications_agree_with_the_table(table, situation):
    today = {found["test"]: found for found in study.single(situation, seed=99, replications=1000)}
    stored = row(table, "predictive", situation)
    assert today["predictive"]["rejected"] == pytest.approx(stored["rejected"], abs=0.03)
    assert today["predictive"]["bias"] == pytest.approx(stored["bias"], abs=0.01)


def test_means_agree_with_the_table(table):
    [today] = study.single_means(study.SINGLE[8], seed=99, replications=1000)
    assert today["rejected"] == pytest.approx(row(table, today["test"], study.SINGLE[8])["rejected"], abs=0.03)


def test_a_few_portfolios_agree_with_the_table(table, monkeypatch):
    monkeypatch.setattr(study, "ALL_DRAWS", study.DRAWS)
    found = {each["test"]: each for each in study.many(study.MANY[0], seed=99, replications=60)}
    assert found["residual contrast"]["rejected"] <= 0.15
    assert found[study.NAIVE]["bias"] == pytest.approx(row(table, study.NAIVE, study.MANY[0])["bias"], abs=0.02)


@pytest.mark.parametrize("shape", [*study.SPREADS, study.FIFTH])
def test_true_rates_are_drawn_as_they_are_named(shape):
    rates = study.true_rates(shape, (4000, 10), np.random.default_rng(1))
    assert rates.mean() == pytest.approx(0.87, abs=0.003)
    spread = study.SPREADS.get(shape, np.sqrt(0.8 * 0.02**2 + 0.2 * 0.04**2 + 0.16 * 0.15**2))
    assert rates.std() == pytest.approx(spread, rel=0.05)


def test_the_naive_comparison_is_welchs_t():
    found = study._naive(np.array([0.1, 0.2, 0.0, 0.1, 0.2]), np.array([True, True, False, False, False]))
    assert found["estimate"] == pytest.approx(0.05)
    assert found["p_value"] == pytest.approx(0.56115, abs=1e-5)


def test_a_good_project_caught_by_bad_luck_is_often_told_to_have_improved():
    found = study.luck((0.80, 0.87, 0.95)).set_index("true rate")
    assert found.loc[0.87, "chosen"] == pytest.approx(0.248, abs=1e-3)  # fewer than 51 of 60
    assert found.loc[0.80, "told improved"] < 0.005
    assert found.loc[0.95, "told improved"] > 0.4
