"""Every programme's worked example gives what it says, figure by figure."""

from pathlib import Path

import pytest

from csat_analysis import checks
from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess, outcome
from csat_analysis.ground import params

FOLDER = Path(__file__).parents[1] / "params" / "programmes"
DOCUMENTS = {path.stem: params.read_programme(path) for path in sorted(FOLDER.glob("*.yml"))}
FIGURES = [(name, key) for name, document in DOCUMENTS.items() for key in document.content.worked_example.expect]


def test_every_procedure_of_the_package_is_here():
    assert {"airport", "developer", "electrical", "housing", "property"} <= set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_worked_example_does_not_deviate(name):
    assert checks.deviations(DOCUMENTS[name].content) == []


@pytest.fixture(scope="module")
def results():
    """Return each worked example, assessed once."""
    return {name: assess(load.worked_example(document.content)) for name, document in DOCUMENTS.items()}


@pytest.mark.parametrize(("name", "key"), FIGURES, ids=[f"{name}-{key}" for name, key in FIGURES])
def test_a_figure_comes_out_as_it_was_computed_by_hand(name, key, results):
    expected = DOCUMENTS[name].content.worked_example.expect[key]
    assert outcome(results[name], key) == (
        pytest.approx(expected, abs=1e-9) if isinstance(expected, float) else expected
    )


def test_a_deviation_names_the_figure_and_both_values():
    programme = DOCUMENTS["electrical"].content
    wrong = {**programme.worked_example.expect, "return_rate": 0.6, "grade": "good", "status": "void"}
    example = programme.worked_example.model_copy(update={"expect": wrong})
    found = checks.deviations(programme.model_copy(update={"worked_example": example}))
    assert found == [
        "worked_example.expect.return_rate: says 0.6, and the survey gives 0.5; mend the one that is wrong.",
        "worked_example.expect.status: says 'void', and the survey gives 'reportable'; mend the one that is wrong.",
        "worked_example.expect.grade: says 'good', and the survey gives None; mend the one that is wrong.",
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_example_shows_what_its_procedure_is_about(name):
    """Every gate, the index, the grade and every question with a weight stand in it."""
    programme = DOCUMENTS[name].content
    expected = set(programme.worked_example.expect)
    assert {f"gates.{gate.measure}" for gate in programme.gates} <= expected
    if programme.index:
        assert "index" in expected
    if programme.grades:
        assert "grade" in expected
    for item in programme.items:
        assert not item.weight or f"{item.id}.mean" in expected, item.id
