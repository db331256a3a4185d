"""Every value of a procedure is listed with its source, and every clause with what carries it out."""

import pytest

from conftest import demo
from csat_analysis.ground.clauses import matrix, rules

FULL = demo(
    satisfied={"levels": ["satisfied"], "clause": "4.1"},
    full_points={"value": 100, "clause": "4.1"},
    satisfied_form={"reading": "item", "item": "delivery"},
    validity={
        "min_answered": 2,
        "clause": "5.1",
        "contradictions": [
            {
                "id": "clash",
                "title": "Clash",
                "answers": {"delivery": ["satisfied"], "service": ["dissatisfied"]},
                "clause": "5.1",
            }
        ],
    },
    measures=[{"id": "survey_rate", "clause": "6"}],
    triggers=[{"id": "flag", "title": "Flag", "clause": "5.3"}],
    index={"terms": {"weighted_score": 1}, "title": "Score", "clause": "6"},
    steps=[
        {"id": "plan", "title": "Plan", "before": "fieldwork", "record": "minutes", "clause": "3.1"},
        {"id": "review", "title": "Review", "every": "year"},
    ],
    registers=[{"id": "minutes", "title": "Minutes", "clause": "7"}],
    interpretations=[{"of": "5.2", "text": "Returned ÷ distributed."}],
    clauses=[{"id": name, "title": f"Clause {name}"} for name in ("3.1", "4.1", "5.1", "5.2", "5.3", "6", "7", "8")],
    worked_example={"responses": "form_id | delivery", "expect": {"returned": 0}},
)


def test_every_rule_stands_once_in_the_order_of_the_file():
    assert [(rule["rule"], rule["id"]) for rule in rules(FULL)] == [
        ("scale", ""), ("points", ""), ("satisfied", ""), ("item", "delivery"), ("item", "service"), ("validity", ""),
        ("contradiction", "clash"), ("full_points", ""), ("satisfied_form", ""), ("satisfaction_rate", ""),
        ("gate", "return_rate"), ("measure", "survey_rate"), ("trigger", "flag"), ("index", ""), ("grade", "good"),
        ("grade", "fair"), ("grade", "poor"), ("step", "plan"), ("step", "review"), ("register", "minutes"),
        ("interpretation", "5.2"), ("min_n", ""),
    ]  # fmt: skip


def test_what_a_procedure_does_not_set_is_no_rule_of_it():
    plain = demo(scale={"levels": [{"id": "yes"}, {"id": "no"}]}, gates=None, index=None, grades=None)
    names = ["scale", "item", "item", "validity", "min_n"]
    assert [rule["rule"] for rule in rules(plain)] == names


@pytest.mark.parametrize(
    "rule, source, clause",
    [
        ("gate", "clause", "5.2"),
        ("scale", "assumption", None),
        ("contradiction", "clause", "5.1"),
        ("full_points", "clause", "4.1"),
        ("register", "clause", "7"),
        ("interpretation", "assumption", None),  # how a clause is read is always the organisation's own
        ("min_n", "assumption", None),
    ],
)
def test_a_rule_has_the_clause_it_comes_from_or_is_an_assumption(rule, source, clause):
    assert {(each["source"], each["clause"]) for each in rules(FULL) if each["rule"] == rule} == {(source, clause)}


@pytest.mark.parametrize(
    "rule, value",
    [
        ("scale", ["satisfied", "fair", "dissatisfied"]),
        ("points", {"satisfied": 100, "fair": 60, "dissatisfied": 0}),
        ("validity", FULL.validity),
        ("contradiction", {"delivery": ("satisfied",), "service": ("dissatisfied",)}),
        ("full_points", 100),
        ("satisfied_form", {"reading": "item", "item": "delivery", "share": None}),
        ("satisfaction_rate", "valid"),
        ("gate", FULL.gates[0]),
        ("index", {"weighted_score": 1}),
        ("min_n", 5),
    ],
)
def test_a_rule_shows_its_value(rule, value):
    assert [each["value"] for each in rules(FULL) if each["rule"] == rule] == [value]


def test_a_step_shows_all_that_is_asked_of_it():
    assert [each["value"] for each in rules(FULL) if each["rule"] == "step"] == list(FULL.steps)
    assert [each["title"] for each in rules(FULL) if each["rule"] == "step"] == [step.title for step in FULL.steps]


# --- which clause is carried by what ------------------------------------------------------------------


def test_every_clause_has_what_carries_it_out_in_the_order_of_the_document():
    found = [(clause.id, [(rule["rule"], rule["id"]) for rule in carriers]) for clause, carriers in matrix(FULL)]
    assert found == [
        ("3.1", [("step", "plan")]),
        ("4.1", [("satisfied", ""), ("full_points", "")]),
        ("5.1", [("validity", ""), ("contradiction", "clash")]),
        ("5.2", [("gate", "return_rate")]),  # its reading carries nothing out
        ("5.3", [("trigger", "flag")]),
        ("6", [("measure", "survey_rate"), ("index", "")]),
        ("7", [("register", "minutes")]),
        ("8", []),
    ]


def test_a_rule_that_cites_a_clause_carries_it_exactly_once():
    carried = [(clause.id, rule["rule"], rule["id"]) for clause, carriers in matrix(FULL) for rule in carriers]
    cited = [(rule["clause"], rule["rule"], rule["id"]) for rule in rules(FULL) if rule["clause"]]
    assert sorted(carried) == sorted(cited)


def test_a_procedure_that_lists_no_clauses_has_no_matrix():
    assert matrix(demo()) == []
