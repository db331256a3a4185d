"""What in a procedure cannot be true together is a fault with its place, and nothing else is one."""

import pytest

from conftest import DEMO_KEYS, demo
from csat_analysis.ground import faults as rooms
from csat_analysis.ground import params
from csat_analysis.ground.errors import ParameterError

SATISFIED = {"levels": ["satisfied"]}
CLAUSES = [{"id": "5.2", "title": "Return rate"}]


def faults(**keys) -> list[str]:
    """Return place and sentence of what is wrong beyond single keys."""
    return [f"{'.'.join(map(str, place))}: {sentence}" for place, sentence in rooms.faults(demo(**keys))]


def first_item(**keys) -> list[dict]:
    return [{**DEMO_KEYS["items"][0], **keys}, DEMO_KEYS["items"][1]]


def step(identifier: str, **keys) -> dict:
    return {"id": identifier, "title": identifier.title(), **keys}


def contradiction(**answers) -> dict:
    return {"contradictions": [{"id": "clash", "title": "Clash", "answers": answers}]}


def test_the_demonstration_is_well_formed():
    assert faults() == []


@pytest.mark.parametrize(
    "keys, sentence",
    [
        ({"items": [*DEMO_KEYS["items"], DEMO_KEYS["items"][0]]}, "items.2.id: 'delivery' stands twice"),
        ({"triggers": [{"id": "flag", "title": "Flag"}] * 2}, "triggers.1.id: 'flag' stands twice"),
        ({"scale": {"levels": [{"id": "yes"}] * 2}}, "scale.levels: ['yes', 'yes'] holds a level twice"),
        ({"items": [{"id": "count"}]}, "items.0.id: 'count' is a column of the tables"),
        ({"items": [{"id": "row"}]}, "items.0.id: 'row' is a column of the tables"),
        (
            {"scale": {"levels": [{"id": "yes", "code": 5}, {"id": "no", "code": "５.0"}]}},
            "scale.levels.1: '5' means 'yes' and 'no'; give each answer its own code and title",
        ),
        (
            {"scale": {"levels": [{"id": "yes", "title": "no"}, {"id": "no"}]}},
            "scale.levels.1: 'no' means 'yes' and 'no'",
        ),
        (
            {"scale": {"levels": [{"id": "yes", "code": 6}, {"id": "no"}]}, "not_applicable": ["6"]},
            "scale.levels.0: '6' means 'not_applicable' and 'yes'",
        ),
        ({"scale": {"empty": 1, "fair": 0}}, "scale.levels.0.id: 'empty' is a word of the tables"),
        ({"scale": {"yes": 1, "not_applicable": 0}}, "scale.levels.1.id: 'not_applicable' is a word of the tables"),
        ({"scale": {"rejected": 1, "fair": 0}}, "scale.levels.0.id: 'rejected' is a word of the tables"),
        ({"scale": {"yes": 1, "invalid": 0}}, "scale.levels.1.id: 'invalid' is a word of the tables"),
        ({"satisfied": {"levels": ["great"]}}, "satisfied.levels: 'great' is not a level here"),
        ({"points": {"values": {**DEMO_KEYS["scale"], "great": 120}}}, "points.values: 'great' is not a level here"),
        ({"points": {"values": {"satisfied": 1, "fair": 0.5}}}, "items.0.points: no points for ['dissatisfied']"),
        ({"items": first_item(points={"satisfied": 1, "fair": 0})}, "items.0.points: no points for ['dissatisfied']"),
        (
            {"satisfied": SATISFIED, "satisfied_form": {"reading": "item", "item": "overall"}},
            "satisfied_form.item: 'overall' is not an item here",
        ),
        ({"overall": "price"}, "overall: 'price' is not an item here; use one of ['delivery', 'service']."),
        ({"satisfied_form": {"reading": "all_items"}}, "satisfied_form: nothing says which answers count"),
        ({"items": first_item(optional=True)}, "items.0.optional: 'delivery' has a weight or a gate"),
        (
            {"gates": [{"measure": "retrun_rate", "comparison": "at_least", "threshold": 0.7}]},
            "gates.0.measure: 'retrun_rate' is not a measure",
        ),
        (
            {"gates": [{"measure": "price.mean", "comparison": "at_least", "threshold": 70}]},
            "gates.0.measure: 'price.mean' is not a measure",
        ),
        (
            {"index": None, "grades": [], "gates": [{"measure": "index", "comparison": "at_least", "threshold": 70}]},
            "gates.0.measure: there is no index here",
        ),
        ({"headline": "score"}, "headline: 'score' is not a measure"),
        ({"measures": ["score"]}, "measures.0: 'score' is not a measure"),
        ({"index": {"score": 1}}, "index.terms.score: 'score' is not a measure"),
        ({"grades": [{"id": "poor", "lower": 0}, {"id": "good", "lower": 85}]}, "grades: the lower bounds"),
        ({"grades": [{"id": "good", "lower": 85}, {"id": "fair", "lower": 85}]}, "grades: the lower bounds"),
        ({"index": None}, "grades: grades are bands of the index"),
    ],
)  # fmt: skip
def test_a_fault_between_keys_is_named_with_its_place(keys, sentence):
    assert any(fault.startswith(sentence) for fault in faults(**keys)), faults(**keys)


@pytest.mark.parametrize("measure", ["index", "service.mean", "service.satisfied", "return_rate"])
def test_a_gate_stands_on_the_index_a_figure_of_an_item_or_a_measure(measure):
    assert faults(gates=[{"measure": measure, "comparison": "at_least", "threshold": 0.7}]) == []


# --- contradictions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answers, found",
    [
        ({"delivery": ["satisfied"], "service": ["fair", "dissatisfied"]}, []),
        (
            {"delivery": ["satisfied"], "price": ["fair"]},
            [
                "validity.contradictions.0.answers: 'price' is not an item here; use one of ['delivery', 'service'].",
            ],
        ),
        (
            {"delivery": ["great"], "service": ["fair"]},
            [
                "validity.contradictions.0.answers.delivery: 'great' is not a level here; "
                "use one of ['satisfied', 'fair', 'dissatisfied'].",
            ],
        ),
        (
            {"delivery": ["satisfied"], "service": ["not_applicable"]},
            [
                "validity.contradictions.0.answers.service: 'not_applicable' is not a level here; "
                "use one of ['satisfied', 'fair', 'dissatisfied'].",
            ],
        ),
    ],
)
def test_a_contradiction_is_between_answers_that_the_form_has(answers, found):
    assert faults(validity=contradiction(**answers)) == found


# --- steps and registers ------------------------------------------------------------------------------


def test_a_step_may_precede_the_fieldwork_or_another_step_and_leave_a_register():
    steps = [step("plan", before="fieldwork", record="minutes"), step("review"), step("approval", before="review")]
    assert faults(steps=steps, registers=[step("minutes")]) == []


@pytest.mark.parametrize(
    "identifier, registers",
    [("plan", []), ("minutes", ["minutes"]), ("return_rate", []), ("fieldwork", [])],
    ids=["another step", "a register", "a measure", "the fieldwork"],
)
def test_steps_registers_and_measures_share_their_names(identifier, registers):
    found = faults(steps=[step("plan"), step(identifier)], registers=[step(name) for name in registers])
    assert found == [f"steps.1.id: {identifier!r} is taken; steps, registers and measures share their names."]


@pytest.mark.parametrize("identifier", ["return_rate", "fieldwork", "index"])
def test_a_register_is_not_called_like_a_measure(identifier):
    assert faults(registers=[step(identifier)]) == [
        f"registers.0.id: {identifier!r} is taken; steps, registers and measures share their names."
    ]


def test_steps_that_precede_each_other_in_a_circle_are_a_fault():
    circle = [step("plan", before="review"), step("review", before="print"), step("print", before="plan")]
    found = faults(steps=[*circle, step("budget", before="plan")])  # the budget only leads into it
    assert [each.partition(":")[0] for each in found] == [f"steps.{n}.before" for n in range(3)]
    assert "'plan' has to precede itself; take one of the circle's steps out." in found[0]


def test_a_register_stands_once():
    assert faults(registers=[step("minutes"), step("minutes")]) == [
        "registers.1.id: 'minutes' stands twice; each id stands once."
    ]


@pytest.mark.parametrize("before", ["delivery", "approval", "plan"], ids=["an item", "nothing", "itself"])
def test_a_step_precedes_something_else_that_there_is(before):
    assert faults(steps=[step("plan", before=before), step("review")]) == [
        f"steps.0.before: {before!r} is no other step here; use one of ['fieldwork', 'review']."
    ]


@pytest.mark.parametrize("record", ["plan", "minute"], ids=["a step", "nothing"])
def test_a_step_leaves_a_register_that_there_is(record):
    assert faults(steps=[step("plan", record=record)], registers=[step("minutes")]) == [
        f"steps.0.record: {record!r} is not a register here; use one of ['minutes']."
    ]


# --- clauses ------------------------------------------------------------------------------------------


def test_a_clause_stands_once():
    assert faults(clauses=CLAUSES * 2) == ["clauses.1.id: '5.2' stands twice; each id stands once."]


@pytest.mark.parametrize(
    "place, keys",
    [
        ("clauses", {"gates": [{**DEMO_KEYS["gates"][0], "clause": "9.9"}]}),
        ("clauses", {"validity": {"clause": "9.9"}}),
        ("clauses", {"steps": [step("plan", clause="9.9")]}),
        ("clauses", {"registers": [step("minutes", clause="9.9")]}),
        ("interpretations.0.of", {"interpretations": [{"of": "9.9", "text": "Read so."}]}),
        ("remarks.0.clause", {"remarks": [{"clause": "9.9", "kind": "open", "text": "Left open."}]}),
    ],
    ids=["a gate", "a rule", "a step", "a register", "a reading", "a remark"],
)
def test_a_clause_that_is_cited_is_listed_where_clauses_are_listed(place, keys):
    sentence = "'9.9' is cited and not listed; list it with its title, or mend the citation."
    assert faults(**keys) == []
    assert sorted(set(faults(clauses=CLAUSES, **keys))) == [f"{place}: {sentence}"]
    assert faults(clauses=[*CLAUSES, {"id": "9.9", "title": "Further"}], **keys) == []


# --- through the reader -------------------------------------------------------------------------------


def test_every_fault_of_a_file_is_told_at_once_with_its_line(make_root):
    root = make_root()
    path = root / "params/programmes/demo.yml"
    text = path.read_text("utf-8")
    steps = "steps: [{id: plan, title: Plan, before: survey, record: minutes}]"
    path.write_text(f'{text}{steps}\nclauses: [{{id: "5.3", title: Other}}]\n', "utf-8")
    line = len(text.splitlines()) + 1
    with pytest.raises(ParameterError) as caught:
        params.read_programme(path, root)
    assert [message.split(";")[0] for message in caught.value.messages] == [
        f"params/programmes/demo.yml:{line}: steps[0].before: 'survey' is no other step here",
        f"params/programmes/demo.yml:{line}: steps[0].record: 'minutes' is not a register here",
        f"params/programmes/demo.yml:{line + 1}: clauses: '5.2' is cited and not listed",
    ]
