"""Beside the verdict: subgroups, other ways to compare, and what was planned."""

import functools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from conftest import DEMO_RUN, demo, remembered, survey_of
from csat_analysis.assembly import load, multiverse, plans
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.change import judge_change
from test_change import GATE, RULES, changed, counted

HEAD = "form_id | delivery | service | segment | count\n"


def by_segment(owners, tenants):
    """Return forms of owners and tenants: satisfied, others."""
    rows = [("a", "satisfied", "owner", owners[0]), ("b", "fair", "owner", owners[1])]
    rows += [("c", "satisfied", "tenant", tenants[0]), ("d", "fair", "tenant", tenants[1])]
    return HEAD + "\n".join(f"{form} | {level} | fair | {who} | {n}" for form, level, who, n in rows)


ONLY_RATE = {**RULES, "change": {"primary": ["satisfaction_rate"]}}


# --- groups -----------------------------------------------------------------------------------------------------------


def test_each_group_has_its_own_change():
    found = changed(
        by_segment((60, 40), (30, 20)), by_segment((90, 10), (31, 19)), demo(**ONLY_RATE), groups=["segment"]
    )
    groups = found.groups.set_index("level")
    assert groups["estimate"].tolist() == pytest.approx([0.3, 0.02])
    assert (groups.loc["owner", "n_before"], groups.loc["tenant", "n_after"]) == (100, 50)
    assert groups.loc["owner", "conf_low"] > 0 > groups.loc["tenant", "conf_low"]
    assert (groups["p_adjusted"] >= groups["p_value"]).all()


def test_small_groups_are_suppressed_in_both_surveys():
    found = changed(by_segment((60, 40), (2, 2)), by_segment((90, 10), (40, 10)), demo(**ONLY_RATE), groups=["segment"])
    assert found.groups["suppressed"].tolist() == [True, True]  # one alone would follow from the total
    assert found.groups["estimate"].isna().all() and found.groups["n_after"].isna().all()


def test_a_group_of_a_chosen_project_is_chosen_with_it():
    rules = demo(**{**ONLY_RATE, "gates": GATE})
    found = changed(by_segment((60, 40), (30, 20)), by_segment((90, 10), (45, 5)), rules, groups=["segment"])
    assert found.groups["reason"].tolist() == ["selected", "selected"]
    assert found.groups["p_value"].isna().all() and found.groups["estimate"].notna().all()


def test_a_group_by_the_design_is_a_domain():
    rows = by_segment((60, 40), (30, 20)).replace("segment |", "segment | site |").splitlines()
    before = "\n".join(
        [
            rows[0],
            *(row.replace("| owner |", "| owner | x |").replace("| tenant |", "| tenant | y |") for row in rows[1:]),
        ]
    )
    found = changed(
        before,
        before.replace("b | fair", "b | satisfied"),
        demo(**ONLY_RATE),
        groups=["segment"],
        design={"stratum": "site"},
    )
    groups = found.groups.set_index("level")
    assert groups["estimate"].tolist() == pytest.approx([0.4, 0.0])


# --- other ways -------------------------------------------------------------------------------------------------------


def test_every_valid_way_is_walked_and_the_chosen_one_comes_first():
    found = changed(counted(120, 40), counted(150, 20), demo(**ONLY_RATE)).paths
    assert found["chosen"].tolist() == [True] + [False] * (len(found) - 1)
    assert set(found["base"]) == {"returned", "valid", "answered"}
    assert set(found["analysis"]) == {"newcombe", "contrast"} and set(found["view"]) == {"process", "residents"}
    assert multiverse.agreement(found) == (len(found), len(found))


def test_the_chosen_way_is_the_row_of_the_table():
    found = changed(counted(120, 40), counted(150, 20), demo(**ONLY_RATE))
    way, row = found.paths.iloc[0], found.row("satisfaction_rate")
    assert (way["estimate"], way["p_value"]) == pytest.approx((row["estimate"], row["p_value"]))


def test_points_are_compared_by_rank_too():
    found = changed(
        counted(120, 40), counted(150, 20), demo(**{**RULES, "change": {"primary": ["delivery.mean"]}})
    ).paths
    assert set(found["analysis"]) == {"welch", "contrast", "superiority"}


def test_a_chosen_project_has_no_other_way():
    assert len(changed(counted(60, 40), counted(95, 5), demo(**{**ONLY_RATE, "gates": GATE})).paths) == 0


def test_lonely_strata_make_a_way_for_each_choice():
    rows = "form_id | delivery | service | site | flight | count\n" + "\n".join(
        f"{n} | {level} | fair | {site} | f{n} | 20"
        for n, (site, level) in enumerate(
            [("a", "satisfied"), ("b", "fair"), ("b", "satisfied"), ("b", "satisfied")] * 1
        )
    )
    design = {"stratum": "site", "cluster": "flight"}
    found = changed(rows, rows, demo(**ONLY_RATE), design=design).paths
    assert set(found["lonely"]) in ({None}, {"grand_mean", "certainty", "average"})


# --- what was planned -------------------------------------------------------------------------------------------------

ACTIONS = (
    "action_id | description | target_item | judged_by | minimal_change | units | approved_on | completed_on | outcome\n"
    "k1 | faster vans | delivery | delivery.satisfied | 0.05 | all | 2023-11-01 | 2024-03-01 | 有效\n"
    "k2 | new desk | service | | 3 | all | 2024-11-01 | | \n"
    "k3 | smiles | | | | all | 2023-11-01 | | partly\n"
)


@functools.cache
def planned(actions=ACTIONS, after=None):
    """Return the change of a survey with actions in between."""
    programme = demo(**ONLY_RATE)
    before = survey_of(counted(120, 40), programme, period="2023", plan={"as_of": "2024-01-10"})
    second = survey_of(after or counted(150, 20), programme, {"actions": actions})
    return judge_change(assess(replace(second, baseline=before)))


def test_an_action_is_planned_where_it_was_declared_before_the_second_survey():
    found = planned().actions.set_index("action_id")
    assert found["planned"].tolist() == [True, False, False]  # k2 was approved after the period began, k3 has no target
    assert found["figure"].tolist() == ["delivery.satisfied", "service.satisfied", ""]
    assert found["effectiveness"].tolist() == ["effective", "pending", "partly"]


def test_what_an_action_was_to_change_is_primary():
    found = planned()
    assert found.row("delivery.satisfied")["family"] == "primary"
    assert found.row("service.satisfied")["family"] == "exploratory"


def test_the_plan_has_a_checksum_that_any_change_changes():
    first, same, other = planned().plan, planned().plan, planned(ACTIONS.replace("0.05", "0.02")).plan
    assert len(first) == 64 and first == same != other
    assert planned(ACTIONS.replace("faster vans", "vans")).plan == first  # a description is no promise
    assert planned(ACTIONS.splitlines()[0]).plan == ""


def test_the_first_form_decides_what_was_before():
    forms = "form_id | delivery | service | received_on | count\na | satisfied | fair | 2024-12-05 | 150\nb | fair | fair | 2024-12-09 | 20"
    assert planned(after=forms).actions.set_index("action_id").loc["k2", "planned"]


@pytest.mark.parametrize(
    "judged_by, item, figure",
    [
        ("delivery.mean", "", "delivery.mean"), ("", "service", "service.satisfied"), ("index", "", "index"),
        ("a feeling", "price", ""), ("price.mean", "delivery", "delivery.satisfied"),
    ],
)  # fmt: skip
def test_an_action_is_judged_by_a_figure_that_there_is(judged_by, item, figure):
    assert plans.figure_judged(judged_by, item, demo(**RULES)) == figure


def test_bad_days_of_actions_are_rejected_and_the_action_stays():
    found = planned(ACTIONS.replace("2023-11-01 | 2024-03-01", "soon | 2024-03-01"))
    assert found.actions["action_id"].tolist() == ["k1", "k2", "k3"]
    assert not found.actions["planned"].any()
    rejected = found.result.survey.rejected
    assert rejected[["table", "column", "value"]].values.tolist() == [["actions", "approved_on", "soon"]]


SITES = "form_id | delivery | service | site | count\n"
LOCAL = (
    "action_id | target_item | judged_by | minimal_change | units | approved_on\n"
    "k1 | delivery | delivery.satisfied | 0.05 | {units} | 2023-11-01\n"
)


def by_site(*satisfied):
    """Return 60 forms of each of three sites, so many of them satisfied."""
    rows = [
        f"{site}{level[0]} | {level} | fair | {site} | {n}"
        for site, yes in zip("ABC", satisfied, strict=True)
        for level, n in (("satisfied", yes), ("fair", 60 - yes))
    ]
    return SITES + "\n".join(rows)


@remembered
def local(units, before=(30, 40, 50), after=(55, 45, 50), programme=None, **run):
    """Return the change of a survey whose action was for some sites."""
    programme, run = programme or demo(**ONLY_RATE), {"groups": ["site"], **run}
    first = survey_of(by_site(*before), programme, period="2023", plan={"as_of": "2024-01-10"}, **run)
    second = survey_of(by_site(*after), programme, {"actions": LOCAL.format(units=units)}, **run)
    return judge_change(assess(replace(second, baseline=first)))


def test_an_action_is_judged_in_its_units():
    found = local("A, B")
    [action] = found.actions.to_dict("records")
    judged = action["judged"]
    assert (action["by"], action["levels"]) == ("site", ("A", "B"))
    assert (judged["before"], judged["after"]) == pytest.approx((70 / 120, 100 / 120))
    alone = changed(counted(70, 50), counted(100, 20)).row("delivery.satisfied")
    assert judged["p_value"] == pytest.approx(alone["p_value"])
    assert (judged["verdict"], judged["n_before"]) == ("improved", 120)


def test_its_test_is_one_of_the_primary_family_and_its_figure_as_a_whole_is_not():
    found = local("A")
    judged = found.actions["judged"][0]
    assert found.row("delivery.satisfied")["family"] == "exploratory"
    assert judged["family"] == "primary"
    assert judged["p_adjusted"] == pytest.approx(2 * judged["p_value"])  # beside the headline, with the larger p
    assert local("all").row("delivery.satisfied")["family"] == "primary"


@pytest.mark.parametrize("units", ["site: A；B", "Alpha、甲"])
def test_units_are_values_or_titles_of_a_group(units):
    levels = {"site": {"A": {"zh": "甲座", "en": "Alpha"}, "B": {"zh": "甲", "en": "Beta"}}}
    assert local(units, levels=levels).actions["levels"][0] == ("A", "B")


def test_units_that_nobody_knows_are_judged_by_nothing():
    [action] = local("A, tower").actions.to_dict("records")
    assert (action["by"], action["levels"], action["judged"]) == ("", (), None)
    assert local("A, tower").row("delivery.satisfied")["family"] == "exploratory"


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"programme": demo(**{**ONLY_RATE, "gates": GATE})}, "selected"),
        ({"programme": demo(**{**ONLY_RATE, "min_n": 61})}, "suppressed"),
        ({"before": (0, 0, 0)}, ""),
    ],
)
def test_units_of_which_nothing_can_be_told_have_no_test(changes, reason):
    judged = local("A", **changes).actions["judged"][0]
    assert judged["reason"] == reason
    assert judged["verdict"] == ("improved" if not reason else "insufficient")
    assert ("p_value" in judged) is not reason


def test_a_survey_that_must_not_be_used_judges_no_action():
    gate = {"measure": "invalid_rate", "comparison": "at_most", "threshold": 0, "voids": "unless_remedied"}
    rules = demo(**{**ONLY_RATE, "gates": [gate | {"otherwise": "remedy"}], "validity": {"min_answered": 2}})
    plan = {"as_of": "2024-01-10", "counts": {"distributed": 200}, "remedy": {"due_on": "2023-12-01"}}
    rows = by_site(30, 40, 50) + "\nx | satisfied | | A | 20"
    before = survey_of(rows, rules, period="2023", plan=plan, groups=["site"])
    second = survey_of(by_site(55, 45, 50), rules, {"actions": LOCAL.format(units="A")}, groups=["site"])
    judged = judge_change(assess(replace(second, baseline=before))).actions["judged"][0]
    assert (judged["reason"], judged["verdict"]) == ("void", "insufficient")


def test_numbers_of_ways_are_counted():
    table = pd.DataFrame({"verdict": ["improved", "insufficient"], "chosen": [True, False]})
    assert multiverse.agreement(table) == (1, 2)
    assert multiverse.agreement(table.iloc[:0]) == (0, 0)
    assert np.isscalar(multiverse.agreement(table)[0])


def test_a_period_that_cannot_be_read_is_told_once(make_root):
    run = DEMO_RUN + "    baseline: '2023'\n"
    run = run.replace(
        '  "2024": {as_of: 2025-01-10}\n', '  "2023": {as_of: 2024-01-10}\n  "2024":\n    as_of: 2025-01-10\n'
    )
    root = make_root({"params/runs/demo.yml": run}, responses="form_id,delivery,service\na,satisfied,fair\n")
    survey = load.survey("demo", "2024", root)
    assert [(each.code, each.values) for each in survey.findings].count(("earlier_unreadable", {"period": "2023"})) == 1
    assert judge_change(assess(survey)).reason == "unreadable"
