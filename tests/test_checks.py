"""Every file is read before anything is published; the JSON Schemas take what the package takes, and explain each key."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from conftest import DEMO, DEMO_RUN, demo
from csat_analysis import checks
from csat_analysis.ground import clauses, params, programmes, runs, words
from csat_analysis.ground.errors import ParameterError
from csat_analysis.publishing import record_keys
from publishing import make_root, programme

CHECKOUT = Path(__file__).resolve().parents[1]
SCHEMAS = CHECKOUT / "docs" / "schemas"
SHORT_FORMS = """\
project: 2024
title: Demo
programme: demo
design: {population: {1: 10, 2: 20}}
read: {responses: {missing: 0, where: {SITE: A, 7: [B, 1]}, columns: {overall: 3}}}
periods:
  2023: {as_of: 2024-01-10}
  2024: {as_of: 2025-01-10, baseline: 2023}
"""
WRITTEN = {
    "programme": {
        "the demonstration": DEMO,
        "a name alone": DEMO.replace("\nindex:", "\nmeasures: [return_rate]\nindex:"),
    },
    "run": {"the demonstration": DEMO_RUN, "short forms": SHORT_FORMS},
}
FOLDERS = {"programme": "params/programmes", "run": "params/runs"}
TEXTS = [(kind, name, text) for kind, texts in WRITTEN.items() for name, text in texts.items()]
TEXTS += [
    (kind, path.name, path.read_text("utf-8"))
    for kind, folder in FOLDERS.items()
    for path in (CHECKOUT / folder).glob("*.yml")
]


def faults(kind: str, text: str) -> list[str]:
    """Return what an editor would mark in a YAML file; keys and dates are texts to it, as in JSON."""
    content = json.loads(json.dumps(yaml.load(text, yaml.CSafeLoader), default=lambda day: day.isoformat()))
    schema = json.loads(checks.schema(kind))
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    return [f"{list(fault.path)}: {fault.message}" for fault in validator.iter_errors(content)]


@pytest.mark.parametrize("kind", ["programme", "run", "record"])
def test_the_schemas_of_the_repository_are_those_of_the_package(kind):
    stored = (SCHEMAS / f"{kind}.json").read_text("utf-8")
    assert stored == checks.schema(kind), f"renew it: csat schema {kind} > docs/schemas/{kind}.json"


@pytest.mark.parametrize("kind", ["programme", "run", "record"])
def test_a_schema_is_one(kind):
    jsonschema.Draft202012Validator.check_schema(json.loads(checks.schema(kind)))


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, _, text in TEXTS], ids=[name for _, name, _ in TEXTS]
)
def test_an_editor_marks_nothing_in_a_file_that_can_be_used(kind, text):
    assert faults(kind, text) == []


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("programme", "comparison: at_least", "comparison: at_leest"),
        ("programme", "measure: return_rate", "measure: retrun_rate"),
        ("programme", "threshold: 0.70", "treshold: 0.70"),
        ("programme", "weight: 0.6", "weight: heavy"),
        ("run", "programme: demo", "programm: demo"),
        ("run", "as_of: 2025-01-10", "as_of: soon"),
    ],
)
def test_an_editor_marks_what_is_wrong(kind, right, wrong):
    text = {"programme": DEMO, "run": DEMO_RUN}[kind]
    assert right in text
    assert faults(kind, text.replace(right, wrong, 1)) != []


def test_there_is_no_schema_of_anything_else():
    with pytest.raises(ParameterError, match="schema: 'page' has none; use one of \\['programme', 'record', 'run'\\]"):
        checks.schema("page")


# --- every key is explained -------------------------------------------------------------------------------------------

LANGUAGES = ["zh", "en"]
KINDS = ["programme", "run", "record"]
MODELS = {
    name: value
    for room in (programmes, runs, record_keys)
    for name, value in vars(room).items()
    if isinstance(value, type) and issubclass(value, BaseModel)
}


def keys(kind: str) -> dict[str, tuple[type[BaseModel], str]]:
    """Return every key of a schema, and ``_`` of every mapping, by model and name."""
    model = checks.SCHEMAS[kind]
    inside = [MODELS[name] for name in model.model_json_schema()["$defs"]]
    return {f"{each.__name__}.{key}": (each, key) for each in (model, *inside) for key in ("_", *each.model_fields)}


def tree(kind: str, language: str) -> dict[str, dict]:
    """Return every part of a schema that ``keys`` names, as the schema has it."""
    schema = json.loads(checks.schema(kind, language))
    models = {checks.SCHEMAS[kind].__name__: schema, **schema["$defs"]}
    parts = {f"{model}._": part for model, part in models.items()}
    return parts | {f"{model}.{key}": one for model, part in models.items() for key, one in part["properties"].items()}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_explained_in_both_languages(kind, language):
    told = checks.explanations(language)
    missing = sorted(name for name, (model, key) in keys(kind).items() if not checks.explained_by(model, key, told))
    assert missing == [], f"add them to words/schema/{language}.yml"


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_explained_that_is_no_key(language):
    told = checks.explanations(language)
    used = {checks.explained_by(model, key, told) for kind in KINDS for model, key in keys(kind).values()}
    assert set(told) - used == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_editor_is_given_the_title_and_the_description_of_every_key(kind, language):
    told, schema = checks.explanations(language), tree(kind, language)
    assert set(schema) == set(keys(kind))
    for name, (model, key) in keys(kind).items():
        wanted = told.get(checks.explained_by(model, key, told), {"title": None, "description": None})
        assert not wanted["title"] or {each: schema[name][each] for each in wanted} == wanted, name


def without_words(part):
    """Return a schema without titles and descriptions: what it allows; keys may be called title themselves."""
    if isinstance(part, list):
        return [without_words(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: without_words(each)
        for key, each in part.items()
        if not (key in ("title", "description") and isinstance(each, str))
    }


@pytest.mark.parametrize("kind", KINDS)
def test_explaining_changes_nothing_of_what_a_schema_allows(kind):
    mode = "serialization" if kind == "record" else "validation"
    plain = without_words(checks.SCHEMAS[kind].model_json_schema(mode=mode))
    for language in LANGUAGES:
        assert without_words(json.loads(checks.schema(kind, language))) == plain


def test_an_explanation_of_the_model_itself_comes_before_one_that_is_inherited():
    told = {"Sourced.clause": {}, "Gate.clause": {}}
    assert checks.explained_by(programmes.Gate, "clause", told) == "Gate.clause"
    assert checks.explained_by(programmes.Grade, "clause", told) == "Sourced.clause"
    assert checks.explained_by(programmes.Grade, "lower", told) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_explanation_is_a_short_title_and_whole_sentences(language):
    end, longest = {"zh": ("。", 12), "en": (".", 30)}[language]
    for name, told in checks.explanations(language).items():
        assert len(told["title"]) <= longest and not told["title"].endswith(end), name
        assert told["description"].endswith(end) and told["description"] == told["description"].strip(), name
        assert "'" not in told["description"] and '"' not in told["description"] and "—" not in told["description"], (
            name
        )


def test_a_chinese_explanation_is_written_in_chinese():
    for name, told in checks.explanations("zh").items():
        for text in told.values():
            assert re.search(r"[\u4e00-\u9fff]", text), name
            assert not re.search(r"[\u4e00-\u9fff]\s*[,.;:!?()~]|[,;:!?()~]\s*[\u4e00-\u9fff]", text), (name, text)
            assert not re.search("阈值|门限|受访者|收回率|不合格|未通过", text), (name, text)


def test_an_english_one_in_english():
    texts = [text for told in checks.explanations("en").values() for text in told.values()]
    assert [text for text in texts if re.search(r"[\u2e80-\uffef]|\d %", text)] == []


# --- which clause is carried by what ----------------------------------------------------------------------------------

CITING = """\
clauses:
  - {id: "5", title: {zh: 范围, en: Scope}}
  - {id: "5.2", title: {zh: 回收率, en: Returns}}
  - {id: "5.3", title: {zh: 催收, en: Reminders}}
steps: [{id: call, title: {zh: 电话催收, en: Call them}, clause: "5.3"}]
"""


def lines(root: Path, language: str = "en") -> list[str]:
    """Return the clause matrix of the demonstration."""
    found = checks.clause_lines(params.read_rules(root), language)
    start = next(number for number, line in enumerate(found) if line.startswith("demo@1"))
    return found[start : found.index("", start)]


def test_each_clause_stands_with_what_carries_it(tmp_path):
    root = make_root(tmp_path, {"params/programmes/demo.yml": programme() + CITING})
    assert lines(root) == [
        "demo@1: Demonstration",
        "Clause  What it asks  Carried out by",
        "5       Scope         nothing",
        "5.2     Returns       Rule on “Return rate” (return_rate)",
        "5.3     Reminders     Required where not met, “Remind” (remind)",
        "                      Step “Call them” (call)",
        "Clauses: 3; carried out by nothing: 1.",
    ]
    assert lines(root, "zh") == [
        "demo@1：示例规程",
        "条款  要求    由何落实",
        "5     范围    无",
        "5.2   回收率  回收率的规定（return_rate）",
        "5.3   催收    未达标时应采取的措施“催收”（remind）",
        "              步骤“电话催收”（call）",
        "条款共 3 条，其中 1 条无任何规定、步骤或记录落实。",
    ]


def test_a_programme_that_lists_no_clauses_is_told(tmp_path):
    assert lines(make_root(tmp_path)) == ["demo@1: Demonstration", words.speak("en")("sentence.no_clauses")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_clause_of_every_programme_is_there(language):
    rules = params.read_rules(CHECKOUT)
    text = "\n".join(checks.clause_lines(rules, language))
    for documents in rules.editions.values():
        for carried in clauses.matrix(documents[-1].content):
            assert f"\n{carried.clause.id} " in text
            assert all(rule["id"] in text for rule in carried.carriers)


# --- worked examples --------------------------------------------------------------------------------------------------


def test_a_worked_example_that_comes_out_as_it_says_deviates_nowhere():
    assert checks.deviations(demo()) == []


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        ({"return_rate": 0.76}, "worked_example.expect.return_rate: says 0.76, and the survey gives 0.75"),
        ({"grade": "good"}, "worked_example.expect.grade: says 'good', and the survey gives 'poor'"),
        ({"gates.return_rate": "not_met"}, "worked_example.expect.gates.return_rate: says 'not_met', and the survey gives 'met'"),
        ({"distribution_rate": 1}, "worked_example.expect.distribution_rate: says 1.0, and the survey gives None"),
        ({"retrun_rate": 0.75}, "demo: worked_example.expect: 'retrun_rate' is nothing an assessment gives"),
    ],
)  # fmt: skip
def test_a_worked_example_that_comes_out_otherwise_is_told(expected, sentence):
    example = {**demo().worked_example.model_dump(exclude_none=True), "expect": expected}
    assert checks.deviations(demo(worked_example=example))[0].startswith(sentence)
