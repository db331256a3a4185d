"""The channels of two surveys add up to their rates, whatever the weights, and none is too small to be shown."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from conftest import demo, remembered, survey_of
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.modes import MODES, put_together
from csat_analysis.publishing import record_keys, records
from test_change import GATE, RULES, chosen, counted, of_100

pytestmark = pytest.mark.filterwarnings("error")


def forms(*lines, columns="channel"):
    """Return forms from lines of: satisfied or fair, channel, count and whatever else."""
    head = f"form_id | delivery | service | {columns} | count\n"
    return head + "\n".join(f"f{n} | {line.split(' | ')[0]} | fair | {line.split(' | ', 1)[1]}" for n, line in enumerate(lines))  # fmt: skip


BEFORE = forms("satisfied | paper | 30", "fair | paper | 10", "satisfied | app | 18", "fair | app | 2")
AFTER = forms("satisfied | paper | 20", "fair | paper | 20", "satisfied | app | 35", "fair | app | 5")


@remembered
def record(before, after, programme=None, old=None, plan=None, **run):
    """Return the record of a survey with a baseline."""
    programme = programme or demo(**RULES)
    first = survey_of(before, old or programme, period="2023", plan={**(plan or {}), "as_of": "2024-01-10"}, **run)
    first = replace(first, programme_sha256="old" if old else first.programme_sha256)
    second = replace(survey_of(after, programme, plan=plan, **run), baseline=first)
    return json.loads(records.as_json(records.build(assess(second))))


def cells(found):
    """Return the channels with numerator and denominator before and after."""
    names = ("numerator_before", "denominator_before", "numerator_after", "denominator_after")
    return {"+".join(row["channels"]): tuple(row[name] for name in names) for row in found["modes"]}


def sums(found, side):
    return tuple(sum(row[f"{part}_{side}"] for row in found["modes"]) for part in ("numerator", "denominator"))


def own(found):
    """Return numerator and denominator of the satisfaction rate of a record."""
    [row] = [row for row in found["measures"] if row["id"] == "satisfaction_rate"]
    return row["numerator"], row["denominator"]


def test_the_channels_by_hand():
    found = record(BEFORE, AFTER)
    assert cells(found) == {"app": (18, 20, 35, 40), "paper": (30, 40, 20, 40)}
    [app, _] = found["modes"]
    assert app["se_before"] == pytest.approx((0.9 * 0.1 / 19) ** 0.5)  # p (1 − p) ÷ (n − 1)
    assert (app["df_before"], app["df_after"]) == (19, 39)
    assert sums(found, "after") == own(found)


def test_without_channels_there_is_one_row_that_is_not_told_apart():
    found = record(counted(30, 10), counted(50, 10))
    assert cells(found) == {"": (30, 40, 50, 60)}
    assert found["modes"][0]["channels"] == []


def test_channels_of_one_survey_alone_tell_nothing_apart():
    found = record(counted(30, 10), AFTER)
    assert [row["channels"] for row in found["modes"]] == [[]]
    assert cells(found) == {"": (30, 40, 55, 80)}


def test_forms_that_state_no_channel_are_a_channel_of_their_own():
    found = record(BEFORE, AFTER + "\nx | satisfied | fair |  | 9")
    assert found["modes"][0]["channels"] == [""]
    assert (found["modes"][0]["denominator_before"], found["modes"][0]["denominator_after"]) == (0, 9)
    assert found["modes"][0]["se_before"] is None


def test_with_weights_the_channels_have_their_part_of_the_weights():
    before = forms("satisfied | paper | 1 | 30", "fair | paper | 1 | 10", "satisfied | app | 3 | 18", "fair | app | 3 | 2", columns="channel | w")  # fmt: skip
    found = record(before, before, design={"weight": "w"})
    # paper weighs 40 of 100, app 60; of 60 forms these are 24 and 36
    assert cells(found)["paper"][:2] == pytest.approx((24 * 0.75, 24))
    assert cells(found)["app"][:2] == pytest.approx((36 * 0.9, 36))
    assert sums(found, "after") == pytest.approx(own(found))
    alone = forms("satisfied | paper | 1 | 30", "fair | paper | 1 | 10", "satisfied | app | 3 | 18", "fair | app | 3 | 2", columns="site | w")  # fmt: skip
    [row] = record(alone, alone, design={"weight": "w"})["modes"]
    assert (row["numerator_after"], row["denominator_after"]) == pytest.approx(own(found))


@pytest.mark.parametrize("base", ["returned", "valid", "answered", "distributed"])
def test_the_channels_have_the_base_of_the_programme(base):
    blank = AFTER + "\nx |  |  | app | 6"
    rules = demo(**{**RULES, "satisfaction_rate": {"denominator": base}})
    found = record(BEFORE, blank, rules, plan={"counts": {"distributed": 120}})
    assert sums(found, "after") == own(found)
    assert len(found["modes"]) == (1 if base == "distributed" else 2)


@pytest.mark.parametrize("frame", [80, 100, None])
def test_the_errors_are_those_of_the_process(frame):
    found = [record(BEFORE, AFTER, plan={"counts": {"frame": size}})["modes"] for size in (frame, None)]
    assert found[0] == found[1]


def test_channels_that_share_clusters_have_no_error_of_their_own():
    lines = [f"{'satisfied' if n % 3 else 'fair'} | {'app' if n % 2 else 'paper'} | c{n % 6} | 1" for n in range(48)]
    rows = record(forms(*lines, columns="channel | c"), forms(*lines, columns="channel | c"), design={"cluster": "c"})["modes"]  # fmt: skip
    assert [row["se_after"] for row in rows] == [None, None]


@pytest.mark.parametrize(
    ("sizes", "held"),
    [
        ({"a": (40, 50), "b": (60, 60)}, [("a",), ("b",)]),
        ({"a": (5, 5), "b": (60, 60)}, [("a",), ("b",)]),  # five may be shown
        ({"a": (4, 50), "b": (60, 60)}, [("a", "b")]),  # four would follow from the whole
        ({"a": (4, 0), "b": (3, 60), "c": (60, 60)}, [("c",), ("a", "b")]),
        ({"a": (2, 0), "b": (1, 60), "c": (60, 60), "d": (9, 9)}, [("c",), ("a", "b", "d")]),  # three are too few
        ({"a": (0, 50), "b": (60, 60)}, [("a",), ("b",)]),  # a new channel is no small one
        ({"a": (3, 2)}, [("a",)]),  # the whole of a project is always shown
    ],
)
def test_a_channel_too_small_to_be_shown_is_put_together_with_others(sizes, held):
    assert put_together(pd.DataFrame(sizes, index=["before", "after"]).T, 5) == held


def test_a_record_holds_no_channel_with_fewer_answers_than_may_be_shown():
    found = record(BEFORE + "\nx | satisfied | fair | phone | 2", AFTER)
    assert cells(found) == {"paper": (30, 40, 20, 40), "app+phone": (20, 22, 35, 40)}


def test_a_void_survey_a_programme_without_a_rate_and_no_baseline_have_no_channels():
    voids = [{"measure": "return_rate", "comparison": "at_least", "threshold": 0.7, "voids": "unless_remedied"}]
    plan = {"counts": {"distributed": 400}, "remedy": {"due_on": "2024-01-05", "closed_on": "2024-01-05"}}
    assert record(BEFORE, AFTER, demo(**{**RULES, "gates": voids}), plan=plan)["status"] == "void"
    assert record(BEFORE, AFTER, demo(**{**RULES, "gates": voids}), plan=plan)["modes"] == []
    assert record(BEFORE, AFTER, demo(gates=[]))["modes"] == []
    alone = records.build(assess(survey_of(AFTER, demo(**RULES))))
    assert (alone.modes, alone.portfolio) == ([], None)


def test_every_key_of_a_row_is_in_the_table():
    assert set(record_keys.ModeRow.model_fields) == set(MODES)


# --- what action brought ----------------------------------------------------------------------------------------------


def test_a_chosen_project_s_record_holds_what_action_brought():
    pairs = of_100([(90, 91), (88, 90), (92, 90), (95, 94), (80, 90), (82, 91), (91, 92), (89, 88), (93, 92)])
    found = chosen((78, 22), (86, 14), pairs)
    row = records._portfolio(found)
    assert (row["figure"], row["threshold"], row["projects"]) == ("satisfaction_rate", 0.85, 10)
    assert (row["residual"]["acted"], row["residual"]["others"]) == (3, 7)
    assert row["residual"]["estimate"] == found.portfolio.contrast.estimate < row["residual"]["naive"]
    assert record_keys.PortfolioRow.model_validate(row).residual.df is None


def test_a_chosen_project_without_others_has_none():
    assert record(counted(60, 40), counted(90, 10), demo(**{**RULES, "gates": GATE}))["portfolio"] is None
