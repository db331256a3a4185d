"""Every file is read before anything is published; the JSON Schemas take what the package takes."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from conftest import DEMO, DEMO_RUN, demo
from csat_analysis.ground.errors import ParameterError
from csat_analysis.publishing import checks

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
