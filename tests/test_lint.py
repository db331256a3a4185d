"""Every finding is seeded in a small procedure and found there; the real procedures have the ones we know of."""

from pathlib import Path

import pytest

from csat_analysis.ground import params
from csat_analysis.ground.lint import Finding, lint, lint_targets
from csat_analysis.ground.programmes import Programme

PROGRAMMES = Path(__file__).parents[1] / "params" / "programmes"


def programme(**keys) -> Programme:
    """Return a procedure without findings, with some of its keys replaced."""
    sound = {
        "id": "demo",
        "version": 1,
        "effective_from": "2024-01-01",
        "title": {"zh": "示例", "en": "Demonstration"},
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


def test_items_without_points_worth_having_are_not_compared():
    assert found(items=own_points((1, 0.6, 0), (0, -0.4, -1)), index=None, grades=[]) == [
        ("item_share", "items[0].points"), ("item_share", "items[1].points"),
    ]  # fmt: skip
    assert found(items=own_points((0, -0.4, -1), (0, -0.4, -1)), index=None, grades=[]) == []


def test_a_level_is_worth_the_same_share_on_every_item():
    finds = lint(programme(items=own_points((1.5, 0.9, 0), (1, 0.625, 0)), grades=[]))
    assert [(find.kind, find.place) for find in finds] == [("level_share", ("items", 1, "points", "fair"))]
    assert finds[0].sentence == (
        "'fair' is 62.5% of full points on 'service' and 60.0% on 'delivery'; 0.6 points would be the same share."
    )


@pytest.mark.parametrize("stated, finds", [(10, 0), (9.9, 1), (10.1, 1)])
def test_full_points_are_the_sum_of_the_best_answers(stated, finds):
    keys = {"items": own_points((6, 3, 0), (4, 2, 0)), "full_points": {"value": stated}, "grades": []}
    assert found(**keys) == [("full_points", "full_points.value")] * finds


@pytest.mark.parametrize("stated, finds", [(100, 0), (150, 1), (200, 0)])
def test_full_points_may_be_the_mean_where_items_share_their_points(stated, finds):
    assert found(full_points={"value": stated}) == [("full_points", "full_points.value")] * finds
    assert found(items=[{"id": "delivery"}, {"id": "service"}], full_points={"value": stated}) == (
        [("full_points", "full_points.value")] * finds
    )


def test_full_points_leave_out_what_is_asked_and_not_scored():
    items = [{"id": "delivery", "weight": 1}, {"id": "packaging", "points": {"good": 7, "fair": 4, "bad": 0}}]
    kinds = [kind for kind, _ in found(items=items, full_points={"value": 100})]
    assert "full_points" not in kinds
    kinds = [kind for kind, _ in found(items=items, full_points={"value": 107})]
    assert "full_points" in kinds


@pytest.mark.parametrize("worst, finds", [(-10, []), (-10.5, [("points_outside", "items[0].points.bad")]), (-1, [])])
def test_no_answer_is_worth_more_than_a_whole_form(worst, finds):
    items = own_points((6, -2, worst), (4, -2, worst * 2 / 3))
    assert [find for find in found(items=items, full_points={"value": 10}) if find[0] == "points_outside"] == finds


def test_an_answer_on_every_item_is_worth_no_more_than_a_whole_form():
    finds = found(full_points={"value": 80})
    assert finds == [("full_points", "full_points.value"), ("points_outside", "points.values.good")]


@pytest.mark.parametrize(
    "points, kinds",
    [
        ((100, 75, 50, 25, 0), []),
        ((100, 80, 60, 20, 0), []),  # the longest step is twice the shortest
        ((100, 81, 60, 20, 0), ["uneven_steps"]),
        ((100, 100, 0, -100, -100), []),  # classes: steps without change do not count
        ((1, 2, 3, 4, 5), []),  # the worst first
        ((1, 1, 2, 3, 3), []),
        ((100, 75, 80, 25, 0), ["level_order"]),
        ((50, 50, 50, 50, 50), []),
    ],
)
def test_points_fall_along_the_scale_in_like_steps(points, kinds):
    scale = dict(zip("abcde", points, strict=True))
    finds = found(scale=scale, satisfied=None, index=None, grades=[])
    assert finds == [(kind, "points.values") for kind in kinds]


def test_an_uneven_step_is_named_with_the_even_one():
    (finding,) = lint(programme(items=own_points((1.5, 0.9, -1.5), (1, 0.6, -1)), grades=[]))
    assert finding.place == ("items", 0, "points")
    assert finding.sentence == (
        "the points change by 2.4 from 'fair' to 'bad' and by 0.6 from 'good' to 'fair'; even the steps, or say that "
        "this is meant."
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


FOUR = ["很满意", "满意", "基本满意", "不满意"]


@pytest.mark.parametrize(
    "titles, finds",
    [
        (FOUR, 1),
        (["很满意", "满意", "不满意", "很不满意"], 0),
        (["很满意", "满意", "一般", "不太满意"], 1),
        (["满意", "一般", "不满意"], 0),
        (["Very satisfied", "Satisfied", "Neither satisfied nor dissatisfied", "Dissatisfied"], 1),
        (["Satisfied", "Neither satisfied nor dissatisfied", "Not satisfied"], 0),
        (["优", "良", "中", "差"], 0),  # no word of satisfaction: nothing is said
    ],
)
def test_a_scale_and_the_grades_have_as_many_names_of_satisfaction_as_of_dissatisfaction(titles, finds):
    levels = [{"id": f"level{i}", "title": title} for i, title in enumerate(titles)]
    assert (
        found(scale={"levels": levels}, satisfied=None, index=None, grades=[])
        == [("unbalanced", "scale.levels")] * finds
    )
    grades = [{"id": f"grade{i}", "title": title, "lower": 90 - 30 * i} for i, title in enumerate(titles)]
    assert [find for find in found(grades=grades) if find[0] == "unbalanced"] == [("unbalanced", "grades")] * finds


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
    [
        (85, "is never at_least 85; is 85 meant as 0.85?"),
        (100, "is never at_least 100; is 100 meant as 1?"),
        (850, "is never at_least 850; move the threshold."),
    ],
)
def test_a_percentage_is_recognized_where_a_share_is_wanted(threshold, advice):
    (finding,) = lint(programme(gates=[gate(threshold=threshold)]))
    assert finding.sentence == f"return_rate lies between 0 and 1 and {advice}"


@pytest.mark.parametrize("threshold, finds", [(0, 0), (0.85, 1), (1, 1), (1.1, 0)])
def test_a_share_is_recognized_where_points_of_a_hundred_are_wanted(threshold, finds):
    gates = [gate("weighted_score", "more_than", threshold)]
    assert found(gates=gates) == [("per_cent", "gates[0].threshold")] * finds


@pytest.mark.parametrize(
    "name, value, says",
    [
        ("satisfaction_rate", 0.92, None),
        ("satisfaction_rate", 1, None),
        ("complaint_rate", 0, None),
        ("satisfaction_rate", 92, "satisfaction_rate lies between 0 and 1; is 92 meant as 0.92?"),
        ("satisfaction_rate", -0.1, "satisfaction_rate lies between 0 and 1; -0.1 is never reached."),
        ("weighted_score", 85, None),
        ("weighted_score", 0.85, "weighted_score lies between 0 and 100; is 0.85 meant as 85?"),
        ("complaints_per_1000", 85, None),
    ],
)
def test_a_target_lies_within_what_its_measure_can_take(name, value, says):
    finds = [(finding.place, finding.sentence) for finding in lint_targets(programme(), {name: value})]
    assert finds == ([(("targets", name), says)] if says else [])


def test_points_below_zero_widen_what_a_survey_rate_can_take():
    items = own_points((6, 0, -6), (4, 0, -4))
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
        ({"survey_rate": 1, "complaint_rate": -1}, [("index_unit", "index.unit")]),
        ({"survey_rate": 100, "complaint_rate": -100}, []),
        ({"terms": {"satisfaction_rate": 1}, "unit": "share"}, []),
        ({"terms": {"satisfaction_rate": 1.1}, "unit": "share"}, [("index_unit", "index.unit")]),
        ({"terms": {"survey_rate": 1, "complaint_rate": -100}, "unit": "share"}, [("index_unit", "index.unit")]),
        ({"terms": {"weighted_score": 1}, "unit": "share"}, [("index_unit", "index.unit")]),
    ],
)
def test_the_unit_of_an_index_is_named_and_suits_its_terms(index, finds):
    assert found(index=index, grades=[]) == finds


def test_a_share_that_can_fall_below_zero_is_told():
    index = {"terms": {"survey_rate": 1, "complaint_rate": -1}, "unit": "share"}
    (finding,) = lint(programme(index=index, grades=[]))
    assert (finding.kind, finding.place) == ("negative_share", ("index", "unit"))
    assert finding.sentence == (
        "the index is called a share and lies between -1 and 1; it is no share of customers: tell its readers."
    )


@pytest.mark.parametrize("term", ["return_rate", "distribution_rate", "valid_rate", "invalid_rate", "response_rate"])
def test_how_the_survey_was_made_is_no_part_of_a_score(term):
    index = {"terms": {"weighted_score": 0.9, term: 10}, "unit": "points"}
    assert found(index=index) == [("not_satisfaction", f"index.terms.{term}")]
    assert found(index={"terms": {"weighted_score": 1, term: 0}, "unit": "points"}) == []


@pytest.mark.parametrize("term", ["satisfaction_rate", "survey_rate"])
def test_a_rate_of_satisfaction_is_part_of_a_score(term):
    assert found(index={"terms": {"weighted_score": 0.9, term: 10}, "unit": "points"}) == []


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


@pytest.mark.parametrize(
    "lower, finds", [(0.85, []), (1, []), (1.1, ["unreachable_grade"]), (85, ["unreachable_grade"])]
)
def test_grades_of_a_share_are_shares(lower, finds):
    index = {"terms": {"satisfaction_rate": 1}, "unit": "share"}
    grades = [{"id": "good", "lower": lower}, {"id": "poor", "lower": 0}]
    assert found(index=index, grades=grades) == [(kind, "grades[0].lower") for kind in finds]


def test_per_cent_is_recognized_where_the_grades_of_a_share_are_meant():
    index = {"terms": {"satisfaction_rate": 1}, "unit": "share"}
    grades = [{"id": "good", "lower": 85}, {"id": "fair", "lower": 70}, {"id": "poor", "lower": 0}]
    good, fair = lint(programme(index=index, grades=grades))
    assert good.sentence == "the index lies between 0 and 1 and is never graded 'good'; is 85 meant as 0.85?"
    assert fair.sentence == "the index lies between 0 and 1 and is never graded 'fair'; is 70 meant as 0.7?"


@pytest.mark.parametrize("lower, finds", [(1, [("per_cent", "grades[0].lower")]), (1.1, [])])
def test_grades_of_points_are_no_shares(lower, finds):
    assert found(grades=[{"id": "good", "lower": lower}, {"id": "poor", "lower": 0}]) == finds


@pytest.mark.parametrize(
    "bounds, kind",
    [
        ({}, None),
        ({"upper": 85}, None),
        ({"upper": 85, "upper_included": True}, "grade_overlap"),
        ({"upper": 85.1}, "grade_overlap"),
        ({"upper": 90}, "grade_overlap"),
        ({"upper": 84.9}, "grade_gap"),
        ({"upper": 84, "upper_included": True}, "grade_gap"),  # 84.5 has no grade
    ],
)
def test_the_bands_of_the_grades_meet_and_do_not_overlap(bounds, kind):
    grades = [{"id": "good", "lower": 85}, {"id": "poor", "lower": 0, **bounds}]
    assert found(grades=grades) == ([(kind, "grades[1].upper")] if kind else [])


def test_a_band_without_upper_bound_is_found_only_where_others_have_one():
    good, fair, poor = {"id": "good", "lower": 85}, {"id": "fair", "lower": 70}, {"id": "poor", "lower": 0}
    assert found(grades=[good, fair, poor]) == []
    assert found(grades=[good, fair, {**poor, "upper": 70}]) == [("grade_overlap", "grades[1].upper")]
    assert found(grades=[{**good, "upper": 100, "upper_included": True}, fair, poor]) == []


# --- the documents ------------------------------------------------------------------------------------


def test_a_remark_is_a_finding_with_its_clause():
    remark = {"clause": "5.2", "kind": "open", "text": {"zh": "未规定。", "en": "Nobody says."}}
    finding = Finding(("remarks", 0), "open", "5.2: Nobody says.")
    assert lint(programme(remarks=[remark])) == [finding]
    assert str(finding) == "remarks[0]: 5.2: Nobody says."


def test_a_remark_without_english_is_shown_as_it_is():
    *_, remark = lint(programme(remarks=[{"clause": "5.2", "kind": "open", "text": {"zh": "未规定。"}}]))
    assert remark.sentence == "5.2: 未规定。"


@pytest.mark.parametrize(
    "title, says",
    [
        ("Chase", None),  # the same in every language
        ({"zh": "催收", "en": "Chase"}, None),
        ({"zh": "催收"}, "there is nothing in en; write it in every language."),
        ({"en": "Chase", "zh": " "}, "there is nothing in zh; write it in every language."),
        ({"zh": "", "en": ""}, "there is nothing in en and zh; write it in every language."),
    ],
)
def test_a_text_is_written_in_every_language(title, says):
    finds = [(str(finding)) for finding in lint(programme(triggers=[{"id": "chase", "title": title}]))]
    assert finds == ([f"triggers[0].title: {says}"] if says else [])


def test_texts_are_looked_for_wherever_they_stand():
    zh = {"zh": "有"}
    keys = {
        "title": zh,
        "scale": {"levels": [{"id": "good", "title": zh}, {"id": "bad"}], "note": zh},
        "items": [{"id": "service", "title": zh, "note": zh}],
        "validity": {
            "contradictions": [{"id": "both", "title": zh, "answers": {"service": ["good"], "lift": ["bad"]}}]
        },
        "steps": [{"id": "report", "title": zh, "responsible": zh}],
        "registers": [{"id": "book", "title": zh}],
        "clauses": [{"id": "5.2", "title": zh}],
        "interpretations": [{"of": "5.2", "text": zh}],
        "worked_example": {"responses": "", "expect": {"returned": 0}, "explanation": zh},
        **{"index": None, "grades": [], "gates": [], "triggers": []},
    }
    assert [place for kind, place in found(**keys) if kind == "untranslated"] == [
        *("title", "scale.note", "scale.levels[0].title", "items[0].note", "items[0].title"),
        *("validity.contradictions[0].title", "steps[0].title", "steps[0].responsible", "registers[0].title"),
        *("clauses[0].title", "interpretations[0].text", "worked_example.explanation"),
    ]


@pytest.mark.parametrize(
    "citing",
    [
        {"items": [{"id": "service", "clause": "5.2"}]},
        {"steps": [{"id": "report", "title": "Report", "clause": "5.2"}]},
        {"registers": [{"id": "book", "title": "Book", "clause": "5.2"}]},
    ],
)
def test_a_clause_is_carried_out_by_a_rule_a_step_or_a_register(citing):
    clauses = [{"id": "5.2", "title": "Returns"}]
    assert found(clauses=clauses, **citing) == []
    remark = {"clause": "5.2", "kind": "open", "text": "Nobody says."}
    assert found(clauses=clauses, remarks=[remark])[0] == ("uncited_clause", "clauses[0]")


REGISTERS = [{"id": "minutes", "title": "Minutes"}, {"id": "book", "title": "Book"}]


@pytest.mark.parametrize(
    "records, seen_in, finds",
    [
        (["minutes", "book"], "steps", []),
        (["minutes"], "steps", [("idle_register", "registers[1].id")]),
        (["minutes"], "complaints", []),  # the complaints themselves show it
        ([None], "steps", []),  # the steps say nothing of records
    ],
)
def test_a_record_is_left_behind_by_a_step(records, seen_in, finds):
    steps = [{"id": f"step{i}", "title": "Step", "record": record} for i, record in enumerate(records)]
    registers = [REGISTERS[0], {**REGISTERS[1], "seen_in": seen_in}]
    assert found(steps=steps, registers=registers) == finds


@pytest.mark.parametrize(
    "clauses, finds",
    [
        (["5", "5", "5"], []),
        (["5", "5", "4.2"], [("unlisted_register", "registers[2].clause")]),
        (["5", "5", None], []),  # an assumption of the organisation
        (["5", "5", "4.1", "4.2"], []),  # no clause lists most of them
        (["5", "5", "5", "4.1", "4.2"], [("unlisted_register", f"registers[{i}].clause") for i in (3, 4)]),
        ([], []),
    ],
)
def test_a_record_that_is_asked_for_stands_in_the_list_of_records(clauses, finds):
    registers = [{"id": f"book{i}", "title": "Book", "clause": clause} for i, clause in enumerate(clauses)]
    assert found(registers=registers) == finds


NEGATIVE = {"很满意": 5, "满意": 4, "不满意": -3, "很不满意": -5}
NINETY = [
    {"id": "excellent", "lower": 90},
    {"id": "good", "lower": 70, "upper": 90, "upper_included": True},
    {"id": "fair", "lower": 60, "upper": 70},
    {"id": "poor", "lower": 0, "upper": 60},
]
SIGN = [
    {"id": "satisfied", "lower": 85},
    {"id": "fairly_satisfied", "lower": 70},
    {"id": "dissatisfied", "lower": 0, "upper": 70},
]
EIGHTY_FIVE = [
    {"id": "satisfied", "lower": 85},
    {"id": "fairly_satisfied", "lower": 70, "upper": 85, "upper_included": True},
    {"id": "dissatisfied", "lower": 0, "upper": 70},
]


@pytest.mark.parametrize(
    "keys, finds",
    [
        pytest.param(
            {"scale": NEGATIVE, "satisfied": {"levels": ["很满意", "满意"]}, "grades": []},
            [("uneven_steps", "points.values")],
            id="points 5, 4, -3, -5",
        ),
        pytest.param(
            {"scale": NEGATIVE, "satisfied": None, "index": {"survey_rate": 100}, "grades": NINETY[::3]},
            [("uneven_steps", "points.values"), ("grade_gap", "grades[1].lower"), ("grade_gap", "grades[1].upper")],
            id="points 5, 4, -3, -5 under grades from 0 on",
        ),
        pytest.param({"grades": NINETY}, [("grade_overlap", "grades[1].upper")], id="70 ≤ S ≤ 90 beside 90 and more"),
        pytest.param(
            {"grades": [*NINETY[:2], {**NINETY[2], "upper_included": True}, NINETY[3]]},
            [("grade_overlap", "grades[1].upper"), ("grade_overlap", "grades[2].upper")],
            id="70 ≤ S ≤ 90 and 60 ≤ S ≤ 70",
        ),
        pytest.param(
            {"grades": SIGN},
            [("unbalanced", "grades"), ("grade_overlap", "grades[1].upper")],
            id="70 ≤ S ≥ 85, as it is written",
        ),
        pytest.param(
            {"grades": EIGHTY_FIVE},
            [("unbalanced", "grades"), ("grade_overlap", "grades[1].upper")],
            id="70 ≤ S ≥ 85, read as 70 ≤ S ≤ 85",
        ),
        pytest.param(
            {"index": {"terms": {"survey_rate": 70, "distribution_rate": 20, "response_rate": 10}, "unit": "points"}},
            [("not_satisfaction", f"index.terms.{term}") for term in ("distribution_rate", "response_rate")],
            id="20 % sample coverage and 10 % exposure in the score",
        ),
        pytest.param(
            {"scale": {"levels": [{"id": f"grade{i}", "title": title} for i, title in enumerate(FOUR)]},
             **{"satisfied": None, "index": None, "grades": []}},
            [("unbalanced", "scale.levels")],
            id="three positive answers against one",
        ),
    ],
)  # fmt: skip
def test_defects_of_real_documents(keys, finds):
    assert found(**keys) == finds


KNOWN = {
    "airport": """
        open              remarks[0]       Code List and Field Guide 2015""",
    "developer": """
        no_consequence    gates[0]
        idle_register     registers[0].id
        unlisted_register registers[5].clause
        open              remarks[0]       0§P
        only_named        remarks[1]       0§P
        open              remarks[2]       0§1
        only_named        remarks[3]       0§1
        open              remarks[4]       0§4
        open              remarks[5]       0§6
        open              remarks[6]       0§6
        open              remarks[7]       0§6
        open              remarks[8]       0§8
        contradiction     remarks[9]       0§9
        open              remarks[10]      0§17
        open              remarks[11]      0§18
        contradiction     remarks[12]      0§R
        contradiction     remarks[13]      0§R""",
    "electrical": """
        unweighted_item   items[3].weight
        level_share       items[1].points.fair
        uneven_steps      items[0].points
        negative_share    index.unit
        contradiction     remarks[0]       3b§4.1
        contradiction     remarks[1]       3b§4.2.3
        contradiction     remarks[2]       3b§4.2.3
        open              remarks[3]       3b§4.2.3
        contradiction     remarks[4]       3b§4.2.3
        only_named        remarks[5]       3b§4.2.4
        open              remarks[6]       3b§4.5.1
        contradiction     remarks[7]       3b§4.5.1
        unbalanced        remarks[8]       3b§4.5.1
        open              remarks[9]       3b§4.5.2–4
        open              remarks[10]      3b§4.5.6
        open              remarks[11]      3b§4.5.6
        contradiction     remarks[12]      3b§6""",
    "housing": """
        open              remarks[0]       Madsen 1976
        open              remarks[1]       Madsen 1976""",
    "nps": """
        unbalanced        satisfied.levels
        unbalanced        remarks[0]       Reichheld 2003
        open              remarks[1]       Reichheld 2003""",
    "property": """
        no_consequence    gates[0]
        no_consequence    gates[1]
        open              remarks[0]       2§A
        open              remarks[1]       2§4.1.1
        open              remarks[2]       2§4.2.1
        open              remarks[3]       2§4.2.1
        open              remarks[4]       2§4.2.2
        contradiction     remarks[5]       2§4.2.3
        open              remarks[6]       2§4.3
        open              remarks[7]       2§4.3
        open              remarks[8]       2§4.4.1
        only_named        remarks[9]       2§4.4.1
        open              remarks[10]      2§4.4.3
        open              remarks[11]      2§4.5
        open              remarks[12]      2§B""",
    "quality_system": """
        unbalanced        scale.levels
        unbalanced        grades
        idle_register     registers[0].id
        unlisted_register registers[4].clause
        contradiction     remarks[0]       1§4.1
        contradiction     remarks[1]       1§4.3
        open              remarks[2]       1§4.4
        open              remarks[3]       1§4.5
        open              remarks[4]       1§4.6c
        contradiction     remarks[5]       1§4.6c
        unbalanced        remarks[6]       1§4.6d
        open              remarks[7]       1§4.6d
        open              remarks[8]       1§4.6d
        only_named        remarks[9]       1§5
        contradiction     remarks[10]      1§5
        only_named        remarks[11]      1§5
        open              remarks[12]      1§C0
        open              remarks[13]      1§C2.2
        open              remarks[14]      1§C3.1
        contradiction     remarks[15]      1§C3.4
        open              remarks[16]      1§C4.1
        open              remarks[17]      1§C4.1
        contradiction     remarks[18]      1§C4.3
        open              remarks[19]      1§C5.1
        open              remarks[20]      1§C5.1""",
    "satisfaction_index": """
        open              remarks[0]       3a§1
        open              remarks[1]       3a§1
        contradiction     remarks[2]       3a§1
        open              remarks[3]       3a§2
        open              remarks[4]       3a§2
        open              remarks[5]       3a§3
        open              remarks[6]       3a§3
        open              remarks[7]       3a§3
        open              remarks[8]       3a§4""",
    "service_improvement": """
        open              remarks[0]       3c§1
        open              remarks[1]       3c§2
        open              remarks[2]       3c§3
        open              remarks[3]       3c§4
        open              remarks[4]       3c§4
        open              remarks[5]       3c§5
        open              remarks[6]       3c§5
        contradiction     remarks[7]       3c§5""",
    "survey_process": """
        open              remarks[0]       4§0
        open              remarks[1]       4§1
        open              remarks[2]       4§3
        contradiction     remarks[3]       4§3
        open              remarks[4]       4§4
        open              remarks[5]       4§4
        open              remarks[6]       4§5
        open              remarks[7]       4§6
        open              remarks[8]       4§7
        open              remarks[9]       4§8
        open              remarks[10]      4§9
        contradiction     remarks[11]      4§D
        open              remarks[12]      4§D
        open              remarks[13]      4§F
        contradiction     remarks[14]      4§L""",
    "tsm": """
        open              remarks[0]       TP01
        open              remarks[1]       Survey Requirements 2
        open              remarks[2]       Survey Requirements 2""",
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_findings_of_a_real_procedure_are_known(name):
    rows = []
    for finding in lint(params.read_programme(PROGRAMMES / f"{name}.yml").content):
        place, clause, *_ = str(finding).split(": ")
        rows.append(f"{finding.kind:<18}{place:<17}{clause if place.startswith('remarks') else ''}".rstrip())
    assert rows == [line.strip() for line in KNOWN[name].strip().splitlines()]


@pytest.mark.parametrize(
    "name, kind, says",
    [
        ("developer", "unlisted_register", "'assessment_report' is asked for in 0§17 and not in 0§R"),
        ("quality_system", "unbalanced", "3 say satisfied and 1 dissatisfied"),
        ("property", "contradiction", "2§4.2.3: The monthly complaint summary is called a basis"),
        ("electrical", "unweighted_item", "'packaging' is asked and has no weight"),
        ("electrical", "contradiction", "3b§4.2.3: One form has two names"),
        ("electrical", "level_share", "'fair' is 62.5% of full points on 'delivery' and 60.0% on 'product'"),
    ],
)
def test_what_the_documents_are_known_for_is_found(name, kind, says):
    finds = lint(params.read_programme(PROGRAMMES / f"{name}.yml").content)
    assert [finding for finding in finds if finding.kind == kind and finding.sentence.startswith(says)]
