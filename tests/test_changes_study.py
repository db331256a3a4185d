"""The tests of two surveys see a change where there is none in 6 % of pairs at most: by the study's own table."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks" / "validation"
SPEC = importlib.util.spec_from_file_location("changes", FOLDER / "changes.py")
changes = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(changes)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Return the results of the whole study."""
    return pd.read_csv(FOLDER / "changes.csv")


def test_no_kind_of_pair_errs_in_more_than_6_percent(table):
    found = changes.claims(table)
    assert found["holds"].all(), found
    assert len(found) == 11 and table["rejects"].max() < 0.06


def test_every_situation_of_the_study_is_in_its_table(table):
    names = {(each.name, each.detail, each.n_before, each.n_after) for each in changes.situations()}
    stored = set(table[["situation", "detail", "n_before", "n_after"]].itertuples(index=False, name=None))
    assert names <= stored


def test_a_few_pairs_give_what_the_table_holds(table):
    for situation in list(changes.situations())[:2]:
        row = table[(table["situation"] == situation.name) & (table["detail"] == situation.detail)].iloc[0]
        assert changes.simulate(situation, seed=7, replications=300)["rejects"] == pytest.approx(
            row["rejects"], abs=0.05
        )


def test_the_counting_is_that_of_the_function():
    rejects = changes._rejects(20, 20)
    assert (rejects.diagonal() == False).all()  # noqa: E712 - an array
    assert rejects[10, 18] and rejects[18, 10] and not rejects[15, 17]
