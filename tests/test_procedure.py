"""A clause stands as the worst of what carries it out; what cannot be seen is never met, and what nothing carries is said."""

import itertools

import pandas as pd
import pytest

from conftest import demo, remembered, survey_of
from csat_analysis.assembly import procedure
from csat_analysis.assembly.assessment import Assessment, assess

HEAD = "form_id | delivery | service | count\n"
ENTERED = "step | due_on | done_on | evidence | reason\n"
MIXED = "a | satisfied | fair | 16\nb | fair | fair | 4"  # 16 of 20 are satisfied
SATISFIED = {"satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "delivery"}}


def clauses(*identifiers: str) -> list[dict]:
    return [{"id": identifier, "title": f"Clause {identifier}"} for identifier in identifiers]


def gate(measure="satisfaction_rate", comparison="at_least", threshold=0.85, clause: str | None = "1", **keys) -> dict:
    return {"measure": measure, "comparison": comparison, "threshold": threshold, "clause": clause, **keys}


def duty(identifier: str, clause: str | None = "1", **keys) -> dict:
    return {"id": identifier, "title": identifier, "clause": clause, **keys}


@remembered
def result(rows=MIXED, counts=None, entries: str | None = None, plan=None, tables=None, **keys) -> Assessment:
    """Return what a procedure with clauses 1 and 2 says; ``entries`` are the lines of the steps table."""
    programme = demo(**{"clauses": clauses("1", "2"), "gates": [], **SATISFIED, **keys})
    tables = {**(tables or {}), **({} if entries is None else {"steps": ENTERED + entries})}
    return assess(survey_of(HEAD + rows, programme, tables, plan={"counts": counts or {}, **(plan or {})}))


def carried(*arguments, clause="1", **keys) -> list[tuple[str, str, str]]:
    """Return what carries a clause, and how each of it stands."""
    found = result(*arguments, **keys).clauses
    return list(found.loc[found["clause"] == clause, ["rule", "id", "state"]].itertuples(index=False, name=None))


# --- rules on figures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule, state",
    [
        (gate(threshold=0.5), "met"),
        (gate(threshold=0.97), "not_met"),
        (gate(), "borderline"),
        (gate(threshold=0.97, severity="target"), "missed"),
        (gate(severity="target"), "borderline"),
        (gate(threshold=0.5, severity="target"), "met"),
        (gate("complaint_rate", "at_most", 0.1), "no_data"),
        (gate("complaint_rate", "at_most", 0.1, severity="target"), "no_data"),
        (gate(threshold=0.97, cumulated=True), "in_progress"),
    ],
)
def test_a_clause_with_a_rule_on_a_figure_has_its_verdict(rule, state):
    assert carried(gates=[rule], plan={"as_of": "2024-12-30"}) == [("gate", rule["measure"], state)]


@pytest.mark.parametrize("entries", [None, "", "return_rate | | | E-1 | flood"])
def test_a_target_that_is_missed_is_missed_with_or_without_a_reason(entries):
    rule = gate("return_rate", threshold=0.5, severity="target")
    assert carried(counts={"distributed": 50}, entries=entries, gates=[rule]) == [("gate", "return_rate", "missed")]


def test_two_rules_on_one_measure_stand_each_for_itself():
    rules = [gate(threshold=0.5), gate(threshold=0.97, severity="target", clause="2")]
    found = result(gates=rules)
    assert procedure.standing(found.clauses) == {"1": "met", "2": "missed"}
    assert [found.gates["threshold"][place] for place in found.clauses["gate"]] == [0.5, 0.97]


# --- triggers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "threshold, state", [(0.5, "not_required"), (0.8, "not_required"), (0.85, "required"), (0.97, "required")]
)
def test_what_a_failed_rule_sets_off_is_required(threshold, state):
    # by the letter: at 80 % the rule is met and borderline, at 85 % it is not met and borderline
    triggers = [{"id": "act", "title": "Act", "clause": "2"}]
    assert carried(gates=[gate(threshold=threshold, otherwise="act")], triggers=triggers, clause="2") == [
        ("trigger", "act", state)
    ]


def test_a_trigger_whose_rule_has_no_data_has_none_either():
    keys = {
        "gates": [gate("complaint_rate", "at_most", 0.1, otherwise="act")],
        "triggers": [{"id": "act", "title": "Act", "clause": "2"}],
    }
    assert carried(clause="2", **keys) == [("trigger", "act", "no_data")]


def test_a_trigger_whose_rule_is_in_progress_is_not_without_data():
    keys = {
        "gates": [gate("return_rate", threshold=0.9, cumulated=True, otherwise="act")], "counts": {"distributed": 50},
        "triggers": [{"id": "act", "title": "Act", "clause": "2"}], "plan": {"as_of": "2024-12-30"},
    }  # fmt: skip
    assert carried(clause="1", **keys) == [("gate", "return_rate", "in_progress")]
    assert carried(clause="2", **keys)[0][2] in ("in_progress", "pending", "not_required")


# --- steps and registers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line, state, why",
    [
        ("audit | 2024-06-30 | 2024-06-30 | E-1 |", "met", "done"),
        ("audit | 2024-06-30 | 2024-07-01 | E-1 |", "late", "done_late"),
        ("audit | 2024-06-30 | 2024-06-30 | |", "missing", "no_evidence"),
        ("audit | 2025-03-31 | | |", "pending", "not_due"),
        ("", "missing", "not_done"),
        (None, "not_assessed", "no_table"),
    ],
)
def test_a_clause_with_a_step_stands_as_the_step_which_says_why(line, state, why):
    found = result(entries=line, steps=[duty("audit")])
    row = found.clauses.to_dict("records")[0]
    assert (row["rule"], row["id"], row["state"]) == ("step", "audit", state)
    assert found.steps[["state", "why"]].values.tolist() == [[state, why]]


def test_a_repeated_step_stands_as_its_worst_time():
    found = result(entries="review | | 2024-03-01 | E-1 |", steps=[duty("review", every="half_year")])
    assert found.steps["state"].tolist() == ["met", "missing"]
    assert found.clauses.loc[0, "state"] == "missing"


def test_a_register_stands_where_its_clause_says():
    keys = {"steps": [duty("meeting", record="minutes")], "registers": [duty("minutes", "2")]}
    assert carried(entries="meeting | | 2024-03-01 | E-1 |", clause="2", **keys) == [("register", "minutes", "met")]
    assert carried(entries="meeting | | 2024-03-01 | |", clause="2", **keys) == [("register", "minutes", "missing")]


@pytest.mark.parametrize("groups, state", [([], "missing"), (["service"], "met")])
def test_figures_per_group_are_seen_in_the_report(groups, state):
    programme = demo(clauses=clauses("1"), steps=[duty("segments", seen_in="groups")])
    found = assess(survey_of(HEAD + MIXED, programme, groups=groups))
    assert procedure.standing(found.clauses) == {"1": state}


def test_what_comes_before_the_fieldwork_is_measured_by_the_first_form_that_went_out():
    sent = "form_id | sent_on\na | 2024-11-04\nb | 2024-11-01\nc |"
    for done, state in (("2024-11-01", "met"), ("2024-11-02", "late")):
        steps, entries = [duty("plan", before="fieldwork")], f"plan | | {done} | E-1 |"
        assert carried(entries=entries, steps=steps, tables={"distribution": sent}) == [("step", "plan", state)]


# --- definitions ------------------------------------------------------------------------------------------------------

SCALE = {"levels": [{"id": level} for level in ("satisfied", "fair", "dissatisfied")], "clause": "1"}
POINTS = {"values": {"satisfied": 100, "fair": 60, "dissatisfied": 0}, "clause": "1"}
DEFINED = [
    ({"scale": SCALE, "points": POINTS}, [("scale", ""), ("points", "")]),
    ({"satisfied": {"levels": ["satisfied"], "clause": "1"}}, [("satisfied", "")]),
    ({"satisfied_form": {"reading": "item", "item": "delivery", "clause": "1"}}, [("satisfied_form", "")]),
    ({"satisfaction_rate": {"denominator": "returned", "clause": "1"}}, [("satisfaction_rate", "")]),
    ({"items": [{"id": "delivery", "clause": "1"}, {"id": "service"}]}, [("item", "delivery")]),
    ({"validity": {"min_answered": 1, "clause": "1"}}, [("validity", "")]),
    ({"index": {"terms": {"weighted_score": 1}, "clause": "1"}}, [("index", "")]),
    ({"measures": [{"id": "survey_rate", "clause": "1"}]}, [("measure", "survey_rate")]),
]


@pytest.mark.parametrize("keys, rules", DEFINED, ids=[rules[0][0] for _, rules in DEFINED])
def test_a_definition_that_entered_a_figure_is_applied(keys, rules):
    assert carried(**keys) == [(*rule, "applied") for rule in rules]


@pytest.mark.parametrize(
    "keys, rule",
    [
        ({"index": {"terms": {"weighted_score": 1, "complaint_rate": -100}, "clause": "1"}}, ("index", "")),
        ({"measures": [{"id": "complaint_rate", "clause": "1"}]}, ("measure", "complaint_rate")),
        (
            {"items": [{"id": "delivery"}, {"id": "service"}, {"id": "advice", "optional": True, "clause": "1"}]},
            ("item", "advice"),
        ),
    ],
)
def test_a_definition_without_data_is_not_applied(keys, rule):
    assert carried(**keys) == [(*rule, "no_data")]


def test_where_nobody_answered_no_rate_and_no_index_is_applied():
    keys = {
        "satisfaction_rate": {"denominator": "valid", "clause": "1"},
        "index": {"terms": {"weighted_score": 1}, "clause": "2"},
    }
    found = result("a | | | 3", **keys)
    assert procedure.standing(found.clauses) == {"1": "no_data", "2": "no_data"}


@pytest.mark.parametrize(
    "keys",
    [
        {"grades": [{"id": "good", "lower": 0, "clause": "1"}], "index": {"complaint_rate": -1}},
        {"items": [{"id": "delivery", "clause": "1"}, {"id": "service"}]},
        {"satisfied_form": {"reading": "item", "item": "delivery", "clause": "1"}},
    ],
)
def test_a_definition_that_entered_no_figure_is_not_applied(keys):
    assert [state for *_, state in carried("a | | | 3", **keys)] == ["no_data"]


# --- clauses ----------------------------------------------------------------------------------------------------------


def test_a_clause_that_nothing_carries_is_said_to_be_uncited():
    assert carried(clause="2") == [("", "", "uncited")]
    assert procedure.standing(result(gates=[gate(threshold=0.5)]).clauses) == {"1": "met", "2": "uncited"}


def test_clauses_come_in_the_order_of_the_document_and_each_with_all_its_carriers():
    keys = {
        "clauses": clauses("4.10", "4.2", "3"), "gates": [gate(threshold=0.5, clause="4.2"), gate("return_rate", clause="3")],
        "steps": [duty("audit", "4.2"), duty("review", None)], "registers": [duty("minutes", "4.10")],
    }  # fmt: skip
    found = result(entries="audit | | 2024-03-01 | E-1 |", **keys).clauses
    assert found[["clause", "rule", "id", "state"]].values.tolist() == [
        ["4.10", "register", "minutes", "missing"], ["4.2", "gate", "satisfaction_rate", "met"], ["4.2", "step", "audit", "met"],
        ["3", "gate", "return_rate", "no_data"],
    ]  # fmt: skip


def test_a_procedure_that_lists_no_clauses_has_none():
    found = result(clauses=(), gates=[gate()])
    assert (len(found.clauses), procedure.standing(found.clauses)) == (0, {})
    assert found.clauses.columns.tolist() == procedure.COLUMNS


@pytest.mark.parametrize("better, worse", list(itertools.combinations(procedure.ORDER[::-1], 2)))
def test_a_clause_is_not_better_than_the_worst_that_carries_it(better, worse):
    for states in ([better, worse], [worse, better], [better, better, worse]):
        assert procedure.standing(pd.DataFrame({"clause": "1", "state": states})) == {"1": worse}


@pytest.mark.parametrize("part", ["complaints", "planning", "comments", "actions", "change", "archive"])
def test_a_clause_of_which_a_part_cannot_be_seen_is_never_met(part):
    keys = {"steps": [duty("audit"), duty("other", seen_in=part)], "gates": [gate(threshold=0.5)]}
    found = result(entries="audit | | 2024-03-01 | E-1 |", **keys)
    assert procedure.standing(found.clauses)["1"] == "not_assessed"


def test_every_state_that_can_come_has_its_place_in_the_order():
    states = {
        "met",
        "late",
        "missing",
        "pending",
        "not_assessed",
        "not_met",
        "missed",
        "borderline",
        "in_progress",
        "no_data",
    }
    assert states | {"required", "not_required", "applied", "uncited"} == set(procedure.ORDER)
    assert len(procedure.ORDER) == len(set(procedure.ORDER))


def test_what_is_not_known_of_a_carrier_is_none():
    found = result(entries="", gates=[gate()], steps=[duty("audit")]).clauses
    assert found[["rule", "gate"]].values.tolist() == [["gate", 0], ["step", None], ["", None]]
