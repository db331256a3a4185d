"""The components of a change add up to it, whatever came and went, and so do their errors."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csat_analysis.estimation.mix import COMPONENTS, decompose_change

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page


def table(text: str) -> pd.DataFrame:
    """Return a table of project, mode, n and total from lines of a text."""
    rows = [line.split() for line in text.strip().splitlines()]
    return pd.DataFrame(rows, columns=["project", "mode", "n", "total"]).astype({"n": float, "total": float})


def parts(before: pd.DataFrame, after: pd.DataFrame) -> pd.Series:
    return decompose_change(before, after).components.set_index("component")["estimate"]


def pooled(cells: pd.DataFrame) -> float:
    return cells["total"].sum() / cells["n"].sum()


# --- worked by hand ---------------------------------------------------------------------------------------------------


def test_the_same_rates_and_other_projects_are_project_mix():
    found = parts(table("A paper 20 18\nB paper 60 42"), table("A paper 40 36\nB paper 40 28"))
    assert found.to_dict() == pytest.approx({"total": 0.05, "within": 0, "project_mix": 0.05, "mode_mix": 0})


def test_the_same_rates_and_other_modes_are_mode_mix():
    # paper .9, online .7 in both years; online grows from a quarter to a half
    found = parts(table("A paper 60 54\nA online 20 14"), table("A paper 40 36\nA online 40 28"))
    assert found.to_dict() == pytest.approx({"total": -0.05, "within": 0, "project_mix": 0, "mode_mix": -0.05})


def test_other_rates_and_the_same_shares_are_change_within():
    found = parts(table("A paper 50 40\nB paper 50 40"), table("A paper 50 45\nB paper 50 45"))
    assert found.to_dict() == pytest.approx({"total": 0.1, "within": 0.1, "project_mix": 0, "mode_mix": 0})


def test_kitagawa_s_average_weights_worked_by_hand():
    # W: A .2 to .6; r: A .5 to .9, B .8 to .7. within = .4 x .4 + .6 x -.1 = .10; mix = .4 x .7 - .4 x .75 = -.02
    found = parts(table("A x 20 10\nB x 80 64"), table("A x 60 54\nB x 40 28"))
    assert found.to_dict() == pytest.approx({"total": 0.08, "within": 0.10, "project_mix": -0.02, "mode_mix": 0})


def test_a_project_that_came_is_project_mix_and_is_named():
    before, after = table("A x 100 80"), table("A x 100 80\nB x 100 60")
    found = decompose_change(before, after)
    assert parts(before, after).to_dict() == pytest.approx(
        {"total": -0.1, "within": 0, "project_mix": -0.1, "mode_mix": 0}
    )
    came = found.projects.set_index("project").loc["B"]
    assert (came["present"], came["n_before"], came["within"], came["mode_mix"]) == ("after", 0, 0, 0)
    assert came["project_mix"] == pytest.approx(0.5 * (0.6 - 0.75))  # .75: average of .8 and .7
    assert math.isnan(came["rate_before"]) and came["share_before"] == 0


def test_a_mode_that_came_is_mode_mix_of_its_project_and_is_named():
    before, after = table("A paper 100 80"), table("A paper 50 40\nA online 50 30")
    found = decompose_change(before, after)
    assert parts(before, after).to_dict() == pytest.approx(
        {"total": -0.1, "within": 0, "project_mix": 0, "mode_mix": -0.1}
    )
    assert found.cells.set_index("mode")["present"].to_dict() == {"paper": "both", "online": "after"}


def test_where_a_project_changed_its_mode_altogether_all_its_change_is_mode_mix():
    found = decompose_change(table("A paper 100 80\nB paper 100 80"), table("A online 100 60\nB paper 100 80"))
    assert found.projects.set_index("project")["reason"].to_dict() == {"A": "no_common_mode", "B": ""}
    assert found.components.set_index("component").loc["mode_mix", "estimate"] == pytest.approx(-0.1)


def test_where_nothing_is_common_the_change_within_has_a_reason_and_the_sum_holds():
    found = decompose_change(table("A x 100 80"), table("B x 100 60")).components.set_index("component")
    assert found.loc["within", ["estimate", "reason"]].tolist() == [0, "nothing_in_common"]
    assert found.loc["project_mix", "estimate"] == pytest.approx(-0.2)


def test_without_modes_their_component_is_zero():
    cells = table("A x 20 10\nB x 80 64").drop(columns="mode")
    found = decompose_change(cells, cells.assign(total=[12, 70])).components.set_index("component")
    assert found.loc["mode_mix", ["estimate", "se", "reason"]].tolist() == [0, 0, "no_mix"]
    assert found.loc["within", "p_value"] == found.loc["total", "p_value"]


# --- laws -------------------------------------------------------------------------------------------------------------

CELL = st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(1, 400), st.floats(0, 1))
PERIOD = st.lists(CELL, min_size=1, max_size=20, unique_by=lambda cell: cell[:2])


def period(cells: list[tuple[int, int, int, float]]) -> pd.DataFrame:
    """Return a table of generated cells, whose totals are whole numbers."""
    rows = [(f"P{project}", f"m{mode}", n, round(n * rate)) for project, mode, n, rate in cells]
    return pd.DataFrame(rows, columns=["project", "mode", "n", "total"])


@settings(max_examples=30, deadline=None)
@given(PERIOD, PERIOD)
def test_components_and_tables_add_up_to_the_change(before, after):
    before, after = period(before), period(after)
    found = decompose_change(before, after)
    change, estimates = pooled(after) - pooled(before), found.components.set_index("component")["estimate"]
    assert estimates["total"] == pytest.approx(change, abs=1e-12)
    assert estimates[list(COMPONENTS[1:])].sum() == pytest.approx(change, abs=1e-12)
    for name in COMPONENTS:
        assert found.projects[name].sum() == pytest.approx(estimates[name], abs=1e-12)
    for name in ("within", "mode_mix"):
        assert found.cells[name].sum() == pytest.approx(estimates[name], abs=1e-12)
    assert found.components["se"].notna().all()


@settings(max_examples=15, deadline=None)
@given(PERIOD, PERIOD)
def test_swapping_the_periods_turns_every_sign_and_keeps_every_error(before, after):
    before, after = period(before), period(after)
    one, other = (decompose_change(*pair).components for pair in ((before, after), (after, before)))
    assert one["estimate"].to_numpy() == pytest.approx(-other["estimate"].to_numpy(), abs=1e-12)
    assert one["se"].to_numpy() == pytest.approx(other["se"].to_numpy(), abs=1e-12)


def test_points_have_the_variances_given_and_another_scale_changes_nothing_else():
    before, after = table("A x 20 1000\nB x 80 6400"), table("A x 60 5400\nB x 40 2800")
    before["variance"], after["variance"] = [4.0, 1.0], [2.0, 3.0]
    one = decompose_change(before, after).components
    tenth = [cells.assign(total=cells["total"] / 10, variance=cells["variance"] / 100) for cells in (before, after)]
    assert decompose_change(*tenth).components["p_value"].to_numpy() == pytest.approx(one["p_value"], nan_ok=True)
    # within = .4 dq(A) + .6 dq(B): .16 x (4 + 2) + .36 x (1 + 3) = 2.4
    assert one.set_index("component").loc["within", "se"] == pytest.approx(math.sqrt(2.4))


def test_errors_are_what_errors_of_the_rates_add_to_each_component():
    before = table("A paper 40 32\nA online 30 21\nB paper 60 40\nC paper 50 40").assign(variance=[1.0, 2.0, 3.0, 4.0])
    after = table("A paper 20 15\nA online 70 50\nB paper 40 31\nD online 50 30").assign(variance=[5.0, 6.0, 7.0, 8.0])
    found, squares = decompose_change(before, after).components, 0.0
    for side, cells in enumerate((before, after)):
        for row in range(4):
            moved = cells.assign(total=cells["total"] + cells["n"] * (cells.index == row))  # its rate is 1 higher
            pair = (before, moved) if side else (moved, after)
            shift = decompose_change(*pair).components["estimate"] - found["estimate"]
            squares += shift**2 * cells["variance"][row]
    assert found["se"].to_numpy() ** 2 == pytest.approx(squares.to_numpy())


# --- what cannot be told ----------------------------------------------------------------------------------------------


def test_where_all_are_satisfied_there_is_no_error_and_a_reason():
    found = decompose_change(table("A x 20 20"), table("A x 30 30")).components.set_index("component")
    assert found.loc["within", ["estimate", "reason"]].tolist() == [0, "no_variation"]
    assert found["p_value"].isna().all()


def test_one_answer_has_the_variance_of_the_pooled_rate():
    found = decompose_change(table("A x 1 1\nB x 9 4"), table("A x 1 1\nB x 9 4")).components.set_index("component")
    # pooled .5: A .01 x .25; B .81 x (4/9)(5/9)/8, in both periods
    assert found.loc["total", "se"] ** 2 == pytest.approx(2 * (0.0025 + 0.81 * 20 / 81 / 8))


def test_rows_without_answers_are_not_there():
    found = decompose_change(table("A x 20 18\nB x 0 0"), table("A x 20 18"))
    assert found.projects["project"].tolist() == ["A"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("A x -1 0", "some n are below 0"),
        ("A x nan 0", "some n are below 0 or no numbers"),
        ("A x 5 nan", "without project, mode or total"),
        ("A x 0 0", "none at all"),
        ("A x 5 3\nA x 5 2", "stands in two rows; add them up"),
        ("A x 5 300", "give the variance of each mean"),
    ],
)
def test_a_wrong_table_says_what_would_be_right(text, message):
    with pytest.raises(ValueError, match=message):
        decompose_change(table("A x 5 4"), table(text))


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match=r"before: columns \['total'\] are missing"):
        decompose_change(table("A x 5 4").drop(columns="total"), table("A x 5 4"))


def test_a_missing_variance_is_told():
    cells = table("A x 5 4").assign(variance=[np.nan])
    with pytest.raises(ValueError, match="some variances are below 0 or missing"):
        decompose_change(cells, table("A x 5 4"))
