"""What a programme file can say, what it must say, and what the shipped ones say."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from csat_analysis.ground import clauses, params
from csat_analysis.ground.programmes import Programme, Sourced, meets

FOLDER = Path(__file__).parents[1] / "params" / "programmes"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))

DEMO = {
    "id": "demo",
    "version": 1,
    "effective_from": "2024-01-01",
    "title": {"zh": "示例规程", "en": "Demonstration"},
    "scale": {"satisfied": 100, "fair": 60, "dissatisfied": 0},
    "items": [
        {"id": "delivery", "title": {"zh": "交货", "en": "Delivery"}, "weight": 0.6},
        {"id": "service", "title": {"zh": "服务", "en": "Service"}, "weight": 0.4},
    ],
    "gates": [
        {
            "measure": "return_rate",
            "comparison": "at_least",
            "threshold": 0.70,
            "clause": "5.2",
            "otherwise": "flag",
        }
    ],
    "index": {"weighted_score": 1, "complaint_rate": -100},
    "grades": [{"id": "good", "lower": 85}, {"id": "fair", "lower": 70}, {"id": "poor", "lower": 0}],
    "worked_example": {"responses": "form_id | delivery | service", "expect": {"return_rate": 0.75}},
}


def demo(**keys) -> Programme:
    """Return the demonstration procedure with some of its keys replaced."""
    return Programme.model_validate({**DEMO, **keys})


def first_item(**keys) -> list[dict]:
    return [{**DEMO["items"][0], **keys}, DEMO["items"][1]]


def step(**keys) -> dict:
    return {"id": "plan", "title": "Plan", **keys}


def clash(**answers) -> dict:
    return {"id": "clash", "title": "Clash", "answers": answers}


@pytest.fixture(scope="module", params=NAMES)
def shipped(request) -> Programme:
    return params.read_programme(FOLDER / f"{request.param}.yml").content


# --- short forms --------------------------------------------------------------------------------------


def test_a_scale_of_levels_with_points_is_the_short_form_of_both():
    short = demo()
    assert short.level_ids == ["satisfied", "fair", "dissatisfied"]
    assert short.points is not None
    assert short.points.values == {"satisfied": 100, "fair": 60, "dissatisfied": 0}
    long = demo(scale={"levels": [{"id": level} for level in DEMO["scale"]]}, points={"values": DEMO["scale"]})
    assert long == short


def test_points_beside_a_short_scale_win():
    values = {"satisfied": 1, "fair": 0.5, "dissatisfied": 0}
    programme = demo(points={"values": values})
    assert programme.item_points(programme.items[0]) == values


def test_an_index_of_measures_with_coefficients_is_its_short_form():
    index = demo().index
    assert index is not None
    assert (index.terms, index.unit) == ({"weighted_score": 1, "complaint_rate": -100}, "points")
    assert demo(index={"terms": DEMO["index"]}) == demo()


def test_a_plain_title_is_the_title_in_both_languages():
    assert demo(title="Demo").title == {"zh": "Demo", "en": "Demo"}


def test_the_code_of_a_level_is_text():
    levels = [{"id": "yes", "code": 1}, {"id": "no", "code": "2"}]
    scale = demo(scale={"levels": levels}).scale
    assert [level.code for level in scale.levels] == ["1", "2"]


@pytest.mark.parametrize(
    "keys, headline",
    [
        ({}, "index"),
        ({"index": None, "grades": []}, "satisfaction_rate"),
        ({"headline": "return_rate"}, "return_rate"),
    ],
)
def test_the_headline_is_the_declared_one_then_the_index_then_the_satisfaction_rate(keys, headline):
    assert demo(**keys).headline_measure == headline


def test_points_of_an_item_come_before_those_of_the_scale():
    own = {"satisfied": 6, "fair": 3, "dissatisfied": 0}
    programme = demo(items=first_item(points=own))
    assert [programme.item_points(item) for item in programme.items] == [own, DEMO["scale"]]
    plain = demo(scale={"levels": [{"id": "yes"}, {"id": "no"}]})
    assert plain.item_points(plain.items[0]) is None


# --- where a value comes from -------------------------------------------------------------------------


def test_a_clause_implies_its_source():
    assert Sourced.model_validate({"clause": "5.2"}).source == "clause"
    assert Sourced.model_validate({}).source == "assumption"


@pytest.mark.parametrize("keys", [{"clause": "5.2", "source": "assumption"}, {"source": "clause"}])
def test_a_value_has_either_a_clause_or_an_assumption(keys):
    with pytest.raises(ValidationError, match="either the clause it comes from or source: assumption"):
        Sourced.model_validate(keys)


def test_an_empty_clause_is_none():
    with pytest.raises(ValidationError, match="at least 1 character"):
        Sourced.model_validate({"clause": ""})


# --- boundaries ---------------------------------------------------------------------------------------

LEVELS = {"levels": [{"id": "satisfied"}, {"id": "dissatisfied"}]}


@pytest.mark.parametrize(
    "keys, fits",
    [
        ({"version": 1}, True),
        ({"version": 0}, False),
        ({"min_n": 1}, True),
        ({"min_n": 0}, False),
        ({"id": "d2_x"}, True),
        ({"id": "2d"}, False),
        ({"id": "../demo"}, False),
        ({"id": "d" * 64}, True),
        ({"id": "d" * 65}, False),
        ({"items": [{"id": "delivery"}]}, True),
        ({"items": []}, False),
        ({"items": [{"id": "交货"}]}, True),
        ({"items": [{"id": "delivery.mean"}]}, False),
        ({"items": [{"id": "delivery", "weight": 0}]}, True),
        ({"items": [{"id": "delivery", "weight": -0.1}]}, False),
        ({"validity": {"min_answered": 1}}, True),
        ({"validity": {"min_answered": 0}}, False),
        ({"scale": LEVELS}, True),
        ({"scale": {"levels": LEVELS["levels"][:1]}}, False),
        ({"satisfied": {"levels": []}}, False),
        ({"satisfied_form": {"reading": "share_of_items", "share": 1}}, True),
        ({"satisfied_form": {"reading": "share_of_items", "share": 1.01}}, False),
        ({"satisfied_form": {"reading": "share_of_items"}}, False),
        ({"satisfied_form": {"reading": "item", "item": "service"}}, True),
        ({"satisfied_form": {"reading": "item"}}, False),
        ({"satisfied_form": {"reading": "item", "item": "service", "share": 1}}, False),
        ({"satisfied_form": {"reading": "all_items"}}, True),
        ({"satisfied_form": {"reading": "all_items", "share": 1}}, False),
        ({"satisfaction_rate": {"denominator": "frame"}}, False),
        ({"gates": [{"measure": "return_rate", "comparison": "above", "threshold": 0.7}]}, False),
        ({"index": {"terms": {}}}, False),
        ({"validity": {"min_share": 0.01}}, True),
        ({"validity": {"min_share": 1}}, True),
        ({"validity": {"min_share": 0}}, False),
        ({"validity": {"min_share": 1.01}}, False),
        ({"validity": {"contradictions": [clash(delivery=["fair"], service=["fair"])]}}, True),
        ({"validity": {"contradictions": [clash(delivery=["fair"])]}}, False),
        ({"validity": {"contradictions": [{**clash(delivery=["fair"], service=["fair"]), "title": None}]}}, False),
        ({"full_points": {"value": 0.01}}, True),
        ({"full_points": {"value": 0}}, False),
        ({"full_points": 3}, False),
        ({"clauses": [{"id": "5.2", "title": "Return rate"}]}, True),
        ({"clauses": [{"id": "", "title": "Return rate"}]}, False),
        ({"clauses": [{"id": "5.2"}]}, False),
        ({"steps": [step()]}, True),
        ({"steps": [step(every="year")]}, True),
        ({"steps": [step(every="half_year", before="fieldwork", months=1)]}, True),
        ({"steps": [step(every="week")]}, False),
        ({"steps": [step(before="fieldwork", months=0)]}, True),
        ({"steps": [step(before="fieldwork", months=-1)]}, False),
        ({"steps": [step(before="fieldwork", months=0.5)]}, False),
        ({"steps": [step(before="")]}, False),
        ({"steps": [step(months=0)]}, True),
        ({"steps": [step(months=1)]}, False),
        ({"steps": [step(every="year", months=1)]}, False),
        ({"steps": [step(when_needed=True, responsible="Office", record="minutes", seen_in="change")]}, True),
        ({"steps": [step(seen_in="heaven")]}, False),
        ({"steps": [step(id="two words")]}, False),
        ({"steps": [{"id": "plan"}]}, False),
        ({"steps": [step(clause="5.1", source="assumption")]}, False),
        ({"schedule": [step(every="year")]}, False),
        ({"registers": [{"id": "minutes", "title": "Minutes", "seen_in": "archive"}]}, True),
        ({"registers": [{"id": "minutes"}]}, False),
        ({"registers": [{"id": "minutes", "title": "Minutes", "every": "year"}]}, False),
        ({"worked_example": {"responses": "form_id", "expect": {}}}, False),
        ({"worked_example": {"responses": "form_id", "expect": {"index": None}}}, True),
        ({"treshold": 0.7}, False),
    ],
)
def test_a_key_takes_what_fits_and_nothing_else(keys, fits):
    if fits:
        demo(**keys)
    else:
        with pytest.raises(ValidationError):
            demo(**keys)


@pytest.mark.parametrize("missing", ["id", "version", "effective_from", "title", "scale", "items", "worked_example"])
def test_a_procedure_has_its_keys(missing):
    with pytest.raises(ValidationError, match=missing):
        Programme.model_validate({key: value for key, value in DEMO.items() if key != missing})


# --- thresholds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "comparison, below, at, above",
    [
        ("at_least", False, True, True),
        ("more_than", False, False, True),
        ("at_most", True, True, False),
        ("less_than", True, False, False),
    ],
)
@pytest.mark.parametrize("threshold", [0.85, 0.3, 70, 0, -1.5])
def test_a_threshold_holds_just_below_at_and_just_above(comparison, below, at, above, threshold):
    step = 1e-6
    assert [meets(threshold + by, comparison, threshold) for by in (-step, 0, step)] == [below, at, above]


@pytest.mark.parametrize(
    "value, comparison, threshold, met",
    [
        (1 - 0.9, "at_most", 0.1, True),
        (1 - 0.9, "less_than", 0.1, False),
        (0.1 + 0.2, "at_most", 0.3, True),
        (0.1 + 0.2, "more_than", 0.3, False),
        (sum([0.1] * 7), "at_least", 0.7, True),
        (1 - 1 / 3, "at_least", 2 / 3, True),
        (0.1 + 0.2 - 0.3, "more_than", 0, False),
        (17 / 20, "at_least", 0.85, True),
        (16999 / 20000, "at_least", 0.85, False),
        (math.nextafter(70, 0), "at_least", 70, True),
    ],
)
def test_the_noise_of_floating_point_decides_nothing(value, comparison, threshold, met):
    assert meets(value, comparison, threshold) is met


# --- the shipped procedures ---------------------------------------------------------------------------

CLAUSES = {  # of the documents, written down apart from the files
    "airport": {"Code List and Field Guide 2015"},
    "developer": {f"0§{n}" for n in ("P", 1, 3, 4, 6, 7, 8, 9, 13, 15, 17, 18, "R")},
    "electrical": {
        f"3b§{n}"
        for n in ("4.1", "4.2.3", "4.2.4", "4.3.1", "4.4", "4.5.1", "4.5.2–4", "4.5.5", "4.5.6", "6")
    },
    "housing": {"Madsen 1976"},
    "nps": {"Reichheld 2003"},
    "property": {"2§A", "2§B"}
    | {
        f"2§4.{n}" for n in ("1.1", "2.1", "2.2", "2.3", "2.4", "3", "4.1", "4.2", "4.3", "5")
    },
    "quality_system": {
        f"1§{n}"
        for n in (
            "4.1", "4.2", "4.3", "4.4", "4.5", "4.6b", "4.6c", "4.6d", "5",
            "C0", "C2.1", "C2.2", "C3.1", "C3.3", "C3.4", "C4.1", "C4.3", "C5.1",
        )
    },
    "satisfaction_index": {f"3a§{n}" for n in range(1, 5)},
    "service_improvement": {f"3c§{n}" for n in range(1, 6)},
    "survey_process": {f"4§{n}" for n in (*range(10), "D", "F", "L")},
    "tsm": {"TP01", "TSM Standard", "Survey Requirements 2", "Survey Requirements A", "Publication Requirements"},
}  # fmt: skip
WITHOUT_CLAUSES = {"airport", "ecsi", "housing", "nps"}  # no procedures: a code list, a model, a table and a question


def parts(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Yield everything inside a model with its place."""
    yield place, value
    if isinstance(value, BaseModel):
        for key in type(value).model_fields:
            yield from parts(getattr(value, key), f"{place}.{key}")
    elif isinstance(value, tuple):
        for i, each in enumerate(value):
            yield from parts(each, f"{place}[{i}]")


FIVE = "very_satisfied satisfied fair dissatisfied very_dissatisfied"


@pytest.mark.parametrize(
    "name, items, levels",
    [
        (
            "airport",
            "overall food signs wifi restrooms cleanliness safety",
            "outstanding good average below_average unacceptable",
        ),
        ("developer", "work_quality build_quality service overall", FIVE),
        (
            "ecsi",
            "image_trust image_firm image_society image_care image_ahead expect_overall expect_needs expect_faults "
            "quality_overall quality_network quality_service quality_offers quality_range quality_reliable "
            "quality_clear value_price value_quality satisfied_overall satisfied_expected satisfied_ideal "
            "complaints_handled loyal_again loyal_price loyal_recommend",
            "l10 l9 l8 l7 l6 l5 l4 l3 l2 l1",
        ),
        ("electrical", "product delivery service packaging", "very_satisfied fair dissatisfied"),
        ("housing", "satisfaction", "high medium low"),
        ("nps", "recommend", "n10 n9 n8 n7 n6 n5 n4 n3 n2 n1 n0"),
        ("property", "safety environment repairs other overall", FIVE),
        (
            "quality_system",
            "performance effect service attitude overall",
            "very_satisfied satisfied mostly_satisfied dissatisfied",
        ),
        ("satisfaction_index", "safety environment facilities repairs staff overall", FIVE),
        ("service_improvement", "product service after_sales recovery overall", FIVE),
        ("survey_process", "product_quality service_level after_sales overall", FIVE),
        ("tsm", "overall", "very_satisfied fairly_satisfied neither fairly_dissatisfied very_dissatisfied"),
    ],
)
def test_the_items_and_levels_are_those_other_people_rely_on(name, items, levels):
    programme = params.read_programme(FOLDER / f"{name}.yml").content
    assert (" ".join(programme.item_ids), " ".join(programme.level_ids)) == (items, levels)


def test_every_value_says_where_it_comes_from(shipped):
    unused = ".satisfaction_rate" if shipped.satisfied_form is None else ""
    silent = [
        place
        for place, value in parts(shipped)
        if isinstance(value, Sourced) and "source" not in value.model_fields_set and place != unused
    ]
    assert silent == []


def test_every_assumption_has_its_reason(shipped):
    bare = [rule["rule"] for rule in clauses.rules(shipped) if rule["source"] == "assumption" and not rule["note"]]
    assert set(bare) <= {"min_n", "interpretation"}  # an interpretation is its own reason


@pytest.mark.parametrize("name", CLAUSES)
def test_every_clause_is_one_of_the_document(name):
    programme = params.read_programme(FOLDER / f"{name}.yml").content
    named = {value.clause for _, value in parts(programme) if getattr(value, "clause", None)}
    assert named | {reading.of for reading in programme.interpretations} <= CLAUSES[name]


@pytest.mark.parametrize("name", CLAUSES)
def test_every_clause_of_the_document_is_listed_and_carried_out(name):
    programme = params.read_programme(FOLDER / f"{name}.yml").content
    carried = {clause.id: len(carriers) for clause, carriers in clauses.matrix(programme)}
    assert set(carried) == (set() if name in WITHOUT_CLAUSES else CLAUSES[name])
    assert [clause for clause, carriers in carried.items() if not carriers] == []


def test_everything_to_be_read_stands_in_both_languages(shipped):
    texts = [
        (place, value)
        for place, value in parts(shipped)
        if place.endswith((".title", ".note", ".text", ".explanation", ".responsible")) and value
    ]
    assert texts
    for place, text in texts:
        assert set(text) == {"zh", "en"}, place
        assert not re.search(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]", re.sub("《.*?》", "", text["en"])), place
        assert not re.search(r"[,;:](?!\d{3})", text["zh"]), f"{place}: half-width punctuation in Chinese"


def test_the_best_answer_stands_first(shipped):
    for item in shipped.items:
        points = shipped.item_points(item)
        values = [points[level] for level in shipped.level_ids] if points else []
        assert values == sorted(values, reverse=True)
    satisfied = shipped.satisfied.levels
    assert list(satisfied) == shipped.level_ids[: len(satisfied)]


def test_every_example_has_a_measure_and_its_arithmetic(shipped):
    assert shipped.worked_example.explanation
    assert {"returned", "valid", "rejected"} <= set(shipped.worked_example.expect)


@pytest.mark.parametrize(
    "name, gates",
    [
        ("airport", []),
        (
            "developer",
            [
                ("return_rate", "at_least", 0.70, "rule", False, None, None),
                ("invalid_rate", "at_most", 0.30, "rule", False, "remedy", "unless_remedied"),
            ],
        ),
        ("ecsi", []),
        ("electrical", [("return_rate", "at_least", 0.50, "target", False, None, None)]),
        ("housing", []),
        ("nps", []),
        ("quality_system", [("closure_rate", "at_least", 0.80, "target", False, None, None)]),
        ("satisfaction_index", []),
        ("service_improvement", []),
        ("survey_process", []),
        ("tsm", []),
        (
            "property",
            [
                ("distribution_rate", "at_least", 0.90, "rule", True, None, None),
                ("return_rate", "at_least", 0.85, "rule", False, None, None),
                ("satisfaction_rate", "at_least", 0.85, "rule", False, "corrective_action", None),
            ],
        ),
    ],
)
def test_the_gates_are_those_of_the_document(name, gates):
    programme = params.read_programme(FOLDER / f"{name}.yml").content
    assert gates == [
        (g.measure, g.comparison, g.threshold, g.severity, g.cumulated, g.otherwise, g.voids) for g in programme.gates
    ]


def test_the_points_of_the_electrical_form_add_to_three():
    programme = params.read_programme(FOLDER / "electrical.yml").content
    weighted = [item for item in programme.items if item.weight]
    best = {item.id: max(item.points.values()) for item in weighted}
    assert best == {"product": 1.5, "delivery": 1.2, "service": 0.3}
    for item in weighted:
        assert item.weight * 3 == pytest.approx(best[item.id])
    assert programme.full_points.value == sum(best.values()) == 3
    assert programme.index.terms == {"survey_rate": 1, "complaint_rate": -1}
    assert (programme.index.unit, programme.headline_measure) == ("share", "index")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    "keys",
    [
        lambda n: {"gates": [{"measure": "return_rate", "comparison": "at_least", "threshold": n}]},
        lambda n: {"index": {"weighted_score": n}},
        lambda n: {"points": {"values": {"satisfied": n, "fair": 60, "dissatisfied": 0}}},
        lambda n: {"items": first_item(weight=n)},
        lambda n: {"grades": [{"id": "good", "lower": n}]},
        lambda n: {"grades": [{"id": "good", "lower": 0, "upper": n}]},
        lambda n: {"full_points": {"value": n}},
    ],
    ids=["threshold", "coefficient", "points", "weight", "grade", "upper", "full points"],
)
def test_a_number_of_a_procedure_is_finite(keys, number):
    with pytest.raises(ValidationError, match="finite"):
        demo(**keys(number))
