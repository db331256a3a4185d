"""Every finding is seeded in a small procedure and found there; the real procedures have the ones we know of."""

from pathlib import Path

import pytest

from csat_analysis.ground import params
from csat_analysis.ground.lint import Finding, lint
from csat_analysis.ground.programmes import Programme

PROGRAMMES = Path(__file__).parents[1] / "params" / "programmes"


def programme(**keys) -> Programme:
    """Return a procedure without findings, with some of its keys replaced."""
    sound = {
        "id": "demo",
        "version": 1,
        "effective_from": "2024-01-01",
        "title": "Demonstration",
        "scale": {"good": 100, "fair": 60, "bad": 0},
        "satisfied": {"levels": ["good"]},
        "items": [{"id": "delivery", "weight": 0.6}, {"id": "service", "weight": 0.4}],
        "gates": [{"measure": "return_rate", "comparison": "at_least", "threshold": 0.7, "otherwise": "chase"}],
        "triggers": [{"id": "chase", "title": "Chase the forms"}],
        "index": {"weighted_score": 1},
        "grades": [{"id": "good", "lower": 85}, {"id": "poor", "lower": 0}],
        "worked_example": {"responses": "form_id | delivery | service", "expect": {"returned": 0}},
    }
    return Programme.model_validate({**sound, **keys})


def gate(measure="return_rate", comparison="at_least", threshold=0.7, **keys) -> dict:
    return {
        "measure": measure,
        "comparison": comparison,
        "threshold": threshold,
        "otherwise": "chase",
        **keys,
    }


def own_points(delivery, service) -> list[dict]:
    """Return two items, 60 to 40, with the points of good, fair and bad on each."""
    levels = ("good", "fair", "bad")
    return [
        {"id": "delivery", "weight": 0.6, "points": dict(zip(levels, delivery, strict=True))},
        {"id": "service", "weight": 0.4, "points": dict(zip(levels, service, strict=True))},
    ]


def found(**keys) -> list[tuple[str, str]]:
    """Return kind and place of what is found when some keys of the sound procedure are replaced."""
    return [(finding.kind, str(finding).split(": ")[0]) for finding in lint(programme(**keys))]


def test_a_sound_procedure_has_no_findings():
    assert lint(programme()) == []


# --- items, points and levels -------------------------------------------------------------------------


@pytest.mark.parametrize("weights, finds", [((0.1, 0.2, 0.7), []), ((0.6, 0.5), [("weights", "items")])])
def test_weights_add_to_one(weights, finds):
    assert found(items=[{"id": f"item{i}", "weight": weight} for i, weight in enumerate(weights)]) == finds


def test_an_item_without_weight_is_found_only_where_others_have_one():
    items = [{"id": "delivery", "weight": 1}, {"id": "packaging"}]
    assert found(items=items) == [("unweighted_item", "items[1].weight")]
    assert found(items=[{"id": "delivery"}, {"id": "packaging"}]) == []


def test_points_follow_the_weights():
    assert found(items=own_points((6, 3, 0), (4, 2, 0)), grades=[]) == []
    finds = found(items=own_points((5, 2.5, 0), (5, 2.5, 0)), grades=[])
    assert finds == [("item_share", "items[0].points"), ("item_share", "items[1].points")]


def test_a_level_is_worth_the_same_share_on_every_item():
    finds = lint(programme(items=own_points((1.5, 0.9, -1.5), (1, 0.625, -1)), grades=[]))
    assert [(find.kind, find.place) for find in finds] == [("level_share", ("items", 1, "points", "fair"))]
    assert finds[0].sentence == (
        "'fair' is 62.5% of full points on 'service' and 60.0% on 'delivery'; 0.6 points would be the same share."
    )


@pytest.mark.parametrize(
    "levels, satisfied, finds",
    [(2, 1, 0), (3, 1, 0), (3, 2, 1), (4, 1, 1), (4, 2, 0), (4, 3, 1), (5, 1, 1), (5, 2, 0), (5, 3, 1)],
)
def test_half_the_levels_are_satisfied_the_middle_one_apart(levels, satisfied, finds):
    ids = [f"level{i}" for i in range(levels)]
    scale = {level: 100 * i / (levels - 1) for i, level in enumerate(reversed(ids))}
    keys = {"scale": scale, "satisfied": {"levels": ids[:satisfied]}}
    assert found(**keys) == [("unbalanced", "satisfied.levels")] * finds


# --- gates and triggers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "measure, comparison, threshold, finds",
    [
        ("return_rate", "at_least", 1, False),  # can just be met
        ("return_rate", "more_than", 1, True),
        ("return_rate", "at_least", 0, True),  # cannot fail
        ("return_rate", "more_than", 0, False),
        ("return_rate", "at_most", 0, False),
        ("return_rate", "less_than", 0, True),
        ("return_rate", "at_most", 1, True),
        ("return_rate", "less_than", 1, False),
        ("return_rate", "at_least", 85, True),
        ("service.satisfied", "at_least", 85, True),
        ("service.mean", "at_least", 100, False),
        ("service.mean", "at_least", 100.1, True),
        ("weighted_score", "at_least", 85, False),
        ("index", "more_than", 100, True),
        ("complaints_per_1000", "at_most", 85, False),
    ],
)
def test_a_threshold_lies_within_what_its_measure_can_take(measure, comparison, threshold, finds):
    expected = [("unreachable_gate", "gates[0].threshold")] if finds else []
    assert found(gates=[gate(measure, comparison, threshold)]) == expected


@pytest.mark.parametrize(
    "threshold, advice",
    [(85, "is never at_least 85; is 85 meant as 0.85?"), (850, "is never at_least 850; move the threshold.")],
)
def test_a_percentage_is_recognized_where_a_share_is_wanted(threshold, advice):
    (finding,) = lint(programme(gates=[gate(threshold=threshold)]))
    assert finding.sentence == f"return_rate lies between 0 and 1 and {advice}"


def test_points_below_zero_widen_what_a_survey_rate_can_take():
    items = own_points((6, 3, -6), (4, 2, -4))
    assert found(items=items, gates=[gate("survey_rate", "at_least", -0.9)], grades=[]) == []
    at_the_bottom = found(items=items, gates=[gate("survey_rate", "at_least", -1)], grades=[])
    assert at_the_bottom == [("unreachable_gate", "gates[0].threshold")]


@pytest.mark.parametrize(
    "keys, finds",
    [
        ({"otherwise": None}, [("no_consequence", "gates[1]")]),
        ({"otherwise": None, "severity": "target"}, []),
        ({"otherwise": None, "voids": "unless_remedied"}, []),
    ],
)
def test_a_rule_has_a_consequence(keys, finds):
    assert found(gates=[gate(), gate("invalid_rate", "at_most", 0.3, **keys)]) == finds


def test_triggers_and_gates_name_each_other():
    assert found(triggers=[]) == [("undeclared_trigger", "gates[0].otherwise")]
    idle = [{"id": "chase", "title": "Chase"}, {"id": "rest", "title": "Rest"}]
    assert found(triggers=idle) == [("idle_trigger", "triggers[1].id")]


# --- index and grades ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "index, finds",
    [
        ({"weighted_score": 1, "complaint_rate": -100}, [("mixed_units", "index.terms")]),
        ({"terms": {"weighted_score": 1, "complaint_rate": -100}, "unit": "points"}, []),
        ({"survey_rate": 1, "complaint_rate": -1}, []),
    ],
)
def test_an_index_of_points_and_shares_names_its_unit(index, finds):
    assert found(index=index, grades=[]) == finds


@pytest.mark.parametrize(
    "bounds, finds",
    [
        ((85, 0), []),
        ((85, -1), []),
        ((85, 0.1), [("grade_gap", "grades[1].lower")]),
        ((100, 0), []),  # reached by full points alone
        ((100.1, 0), [("unreachable_grade", "grades[0].lower")]),
        ((85, 0, -1), [("unreachable_grade", "grades[2].lower")]),
    ],
)
def test_grades_cover_what_the_index_can_take(bounds, finds):
    assert found(grades=[{"id": f"grade{i}", "lower": bound} for i, bound in enumerate(bounds)]) == finds


def test_complaints_can_pull_the_index_below_the_lowest_grade():
    index = {"terms": {"weighted_score": 1, "complaint_rate": -100}, "unit": "points"}
    (finding,) = lint(programme(index=index))
    assert finding.sentence == ("the lowest grade begins at 0 and the index can fall to -100; begin it there.")


# --- the documents ------------------------------------------------------------------------------------


def test_a_remark_is_a_finding_with_its_clause():
    remark = {"clause": "5.2", "kind": "open", "text": {"zh": "未规定。", "en": "Nobody says."}}
    finding = Finding(("remarks", 0), "open", "5.2: Nobody says.")
    assert lint(programme(remarks=[remark])) == [finding]
    assert str(finding) == "remarks[0]: 5.2: Nobody says."


def test_a_remark_without_english_is_shown_as_it_is():
    assert (
        lint(programme(remarks=[{"clause": "5.2", "kind": "open", "text": {"zh": "未规定。"}}]))[0].sentence
        == "5.2: 未规定。"
    )


KNOWN = {
    "airport": """
        open            remarks[0]       Code List and Field Guide 2015""",
    "developer": """
        no_consequence  gates[0]
        open            remarks[0]       0§P
        only_named      remarks[1]       0§P
        open            remarks[2]       0§1
        only_named      remarks[3]       0§1
        open            remarks[4]       0§4
        open            remarks[5]       0§6
        open            remarks[6]       0§6
        open            remarks[7]       0§6
        contradiction   remarks[8]       0§9
        open            remarks[9]       0§18
        contradiction   remarks[10]      0§R
        contradiction   remarks[11]      0§R""",
    "electrical": """
        unweighted_item items[3].weight
        level_share     items[1].points.fair
        contradiction   remarks[0]       3b§4.1
        contradiction   remarks[1]       3b§4.2.3
        contradiction   remarks[2]       3b§4.2.3
        open            remarks[3]       3b§4.2.3
        only_named      remarks[4]       3b§4.2.4
        open            remarks[5]       3b§4.5.1
        contradiction   remarks[6]       3b§4.5.1
        unbalanced      remarks[7]       3b§4.5.1
        open            remarks[8]       3b§4.5.2–4
        open            remarks[9]       3b§4.5.6
        open            remarks[10]      3b§4.5.6""",
    "housing": """
        open            remarks[0]       Madsen 1976
        open            remarks[1]       Madsen 1976""",
    "property": """
        no_consequence  gates[0]
        no_consequence  gates[1]
        open            remarks[0]       2§4.1.1
        open            remarks[1]       2§4.2.1
        open            remarks[2]       2§4.2.1
        contradiction   remarks[3]       2§4.2.3
        open            remarks[4]       2§4.3
        open            remarks[5]       2§4.3
        open            remarks[6]       2§4.4.1
        only_named      remarks[7]       2§4.4.1
        open            remarks[8]       2§4.4.3
        open            remarks[9]       2§4.5
        open            remarks[10]      2§B""",
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_findings_of_a_real_procedure_are_known(name):
    rows = []
    for finding in lint(params.read_programme(PROGRAMMES / f"{name}.yml").content):
        place, clause, *_ = str(finding).split(": ")
        rows.append(f"{finding.kind:<16}{place:<17}{clause if place.startswith('remarks') else ''}".rstrip())
    assert rows == [line.strip() for line in KNOWN[name].strip().splitlines()]
