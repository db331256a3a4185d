"""A newcomer begins with two commands: what they write can be used as it is, and nothing is overwritten or half made."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from csat_analysis import drafts
from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess
from csat_analysis.ground import params, programmes, runs
from csat_analysis.ground.errors import ParameterError
from csat_analysis.ground.params import Rules
from publishing import CHECKOUT, csat, make_root, programme, record, run, snapshot, write

TEMPLATES = CHECKOUT / "src" / "csat_analysis" / "templates"
SHIPPED = sorted(path.stem.split("@")[0] for path in params.shipped("params", "programmes").glob("*.yml"))


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Rules:
    """Return the rules of a folder with the start of a procedure: nobody writes into it."""
    root = tmp_path_factory.mktemp("begun")
    drafts.write(root, drafts.programme_files(params.read_rules(root), "mine"))
    return params.read_rules(root)


def lines(files: dict[str, str], table: str) -> list[str]:
    """Return the lines of a table that is to be written."""
    [text] = [text for name, text in files.items() if name.endswith(f"/{table}.csv")]
    return text.removeprefix("\ufeff").splitlines()


def project(rules: Rules, programme: str = "mine", period: str = "2024", name: str = "first") -> dict[str, str]:
    """Return the start of a project."""
    return drafts.project_files(rules, name, programme, period)


def plan(files: dict[str, str], period: str = "2024") -> runs.PeriodPlan:
    """Return what a run file that is to be written says of a period."""
    [text] = [text for name, text in files.items() if name.startswith("params/runs/")]
    return runs.RunFile.model_validate(yaml.safe_load(text)).periods[period]


# --- what is written can be used --------------------------------------------------------------------------------------


def test_a_newcomer_begins_in_an_empty_folder(tmp_path):
    answer = csat("new", "programme", "mine", "--root", tmp_path)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        "params/programmes/mine.yml: written",
        "Change it to your procedure; csat check says what does not fit.",
        "Then: csat new project NAME --programme mine",
    ]
    answer = csat("new", "project", "first", "--programme", "mine", "--period", "2024", "--root", tmp_path)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        "params/runs/first.yml: written",
        "data/first/2024/responses.csv: written",
        "data/first/2024/steps.csv: written",
        "Put your own answers and numbers in place of the examples.",
        "Then: csat run --project first",
    ]
    answer = csat("check", "--root", tmp_path)
    assert (answer.status, answer.err) == (0, "")
    assert [line for line in answer.out.splitlines() if re.match(r"mine\.yml|first|data/", line)] == []


def test_a_newcomer_runs_what_was_written(begun, tmp_path):
    drafts.write(tmp_path, {**drafts.programme_files(params.read_rules(tmp_path), "mine"), **project(begun)})
    assert run(tmp_path, "--project", "first").status == 0
    found = record(tmp_path, "first/2024")
    assert (found["counts"]["returned"], found["rejected_count"], found["programme"]["id"]) == (3, 0, "mine")
    assert (tmp_path / "reports/first/2024/20_satisfaction.zh.html").is_file()


def test_what_was_written_is_assessed(begun, tmp_path):
    drafts.write(tmp_path, {**drafts.programme_files(params.read_rules(tmp_path), "mine"), **project(begun)})
    result = assess(load.survey("first", "2024", tmp_path))
    measures = result.measures.set_index("id")["value"]
    # the third form has (0.3 x 100 + 0.2 x 80 + 0.2 x 60) / 0.7 points; 3 of 4 forms came back, 2 of 3 are satisfied
    assert measures["weighted_score"] == pytest.approx((100 + 80 + 58 / 0.7) / 3)
    assert (measures["return_rate"], measures["satisfaction_rate"]) == (0.75, pytest.approx(2 / 3))
    assert list(result.triggers["id"]) == ["remind"]
    assert list(result.steps["state"]) == ["missing"] * 5


@pytest.mark.parametrize("period", ["2024", "2024-05"])
def test_a_project_can_begin_with_every_shipped_procedure(period, begun, tmp_path):
    for name in SHIPPED:
        drafts.write(tmp_path, project(begun, name, period, f"of_{name}"))
    rules = params.read_rules(tmp_path)
    assert {each.project for each in rules.runs} == {f"of_{name}" for name in SHIPPED}
    for each in rules.runs:
        survey = load.read_survey(each, params.choose_programme(rules, each), tmp_path)
        assert (len(survey.answers), len(survey.rejected), survey.findings) == (3, 0, ())


def test_the_example_answers_are_in_the_words_of_the_scale(begun):
    assert lines(project(begun), "responses") == [
        "form_id,product,delivery,service,overall",
        "example-1,很满意,很满意,很满意,很满意",
        "example-2,满意,满意,满意,满意",
        "example-3,很满意,满意,一般,",
    ]


@pytest.mark.parametrize(
    ("period", "due"),
    [
        ("2024", ["2024-03-31", "2024-06-30", "2024-09-30", "2024-12-31"]),
        ("2024H2", ["2024-09-30", "2024-12-31"]),
        ("2024Q1", ["2024-03-31"]),
        ("2024-05", ["2024-05-31"]),
    ],
)
def test_a_step_is_listed_each_time_it_is_due_and_is_still_to_be_done(period, due, begun):
    header, *rows = lines(project(begun, period=period), "steps")
    assert header == "step,due_on,done_on,responsible,evidence,reason"
    assert rows == [f"analysis,{day},,质量部,," for day in due]


DUTIES = """\
steps:
  - {id: survey, title: Survey, before: other, record: forms}
  - {id: other, title: Other, every: year}
  - {id: now_and_then, title: Sometimes, when_needed: true}
  - {id: seen, title: Seen, every: month, seen_in: complaints}
registers: [{id: forms, title: Forms}, {id: list, title: List}, {id: found, title: Found, seen_in: archive}]
"""


def test_steps_that_need_no_entry_are_not_listed_and_records_that_no_step_leaves_are(tmp_path):
    root = make_root(tmp_path, {"params/programmes/demo.yml": programme("20_satisfaction") + DUTIES})
    rows = lines(project(params.read_rules(root), "demo"), "steps")[1:]
    assert rows == ["survey,,,,,", "other,2024-12-31,,,,", "list,,,,,"]


@pytest.mark.parametrize(("name", "counted"), [("electrical", True), ("property", False)])
def test_deliveries_and_complaints_are_counted_where_the_procedure_needs_them(name, counted, begun):
    counts = plan(project(begun, name)).counts
    assert (counts.frame, counts.distributed) == (5, 4)
    assert (counts.deliveries is not None, counts.complaints is not None) == (counted, counted)


def test_a_project_is_reported_after_its_period(begun):
    assert plan(project(begun, period="2024Q1"), "2024Q1").as_of.isoformat() == "2024-04-10"


def test_its_period_is_this_year_unless_it_is_named(tmp_path):
    assert csat("new", "project", "now", "--programme", "property", "--root", tmp_path).status == 0
    [run] = params.read_rules(tmp_path).runs
    assert run.as_of.isoformat() == f"{int(run.period) + 1}-01-10"


def test_a_project_may_name_an_edition(begun):
    assert "\nprogramme: property@1 " in project(begun, "property@1")["params/runs/first.yml"]


def test_a_name_stays_the_text_it_is(begun, tmp_path):
    names = ["no", "null", "2024", "010", "1e3", "2024-05-01", "-x", "-", "_", "true", "园雅", "Ω-2", "e" * 64]
    for name in names:
        drafts.write(tmp_path, project(begun, "property", name=name))
    rules = params.read_rules(tmp_path)
    assert (rules.broken, set(rules.run_files)) == ({}, set(names))


def test_so_does_that_of_a_programme(begun, tmp_path):
    names = ["no", "null", "true", "y", "e" * 64]
    for name in names:
        drafts.write(tmp_path, drafts.programme_files(begun, name))
    rules = params.read_rules(tmp_path)
    assert (rules.broken, set(names) - set(rules.editions)) == ({}, set())


def keys(model: type[BaseModel]) -> set[str]:
    """Return every key of a model and of what it holds."""
    schema = model.model_json_schema()
    return {key for part in [schema, *schema["$defs"].values()] for key in part["properties"]}


@pytest.mark.parametrize(
    ("template", "model"), [("programme.yml.j2", programmes.Programme), ("run.yml.j2", runs.RunFile)]
)
def test_a_start_names_every_key_there_is(template, model):
    text = (TEMPLATES / template).read_text("utf-8")
    assert {key for key in keys(model) if not re.search(rf"\b{key}\b", text)} == set()


def test_a_start_says_of_every_choice_what_can_be_chosen():
    text = (TEMPLATES / "programme.yml.j2").read_text("utf-8")
    found = [programmes.Programme.model_json_schema()]
    choices = set()
    for part in found:
        found += [each for each in (part.values() if isinstance(part, dict) else part) if isinstance(each, dict | list)]
        choices |= (
            set(part.get("enum", [])) if isinstance(part, dict) and "index" not in part.get("enum", []) else set()
        )
    assert {choice for choice in choices if choice and not re.search(rf"\b{choice}\b", text)} == set()


# --- what is refused --------------------------------------------------------------------------------------------------

NAME = "choose another name"
SMALL, ANY = (
    "use small letters, digits and _, a letter first",
    "use letters of any script, digits, - and _, 64 at the most",
)
REFUSED = {
    "a programme that is there": (["programme", "demo"], f"there is a programme 'demo' already (demo.yml); {NAME}"),
    "a programme that is shipped": (["programme", "property"], "there is a programme 'property' already"),
    "a programme of which an edition is there": (["programme", "old"], "there is a programme 'old' already (old@2.yml)"),
    "capitals": (["programme", "Demo"], f"NAME: 'Demo' cannot name a programme; {SMALL}"),
    "a digit first": (["programme", "1st"], SMALL),
    "Chinese in a programme": (["programme", "规程"], SMALL),
    "an edition": (["programme", "new@1"], SMALL),
    "a programme outside": (["programme", "../new"], SMALL),
    "a programme without a name": (["programme", ""], SMALL),
    "a programme of 65 letters": (["programme", "e" * 65], SMALL),
    "a line break": (["programme", "new\n"], SMALL),
    "a project that is there": (["project", "demo", "--programme", "demo"], f"params/runs/demo.yml: is there already; {NAME}"),
    "data that is there": (["project", "kept", "--programme", "demo"], f"data/kept/2024: is there already; {NAME}"),
    "a blank": (["project", "a b", "--programme", "demo"], f"NAME: 'a b' cannot name a project; {ANY}"),
    "a project outside": (["project", "../new", "--programme", "demo"], ANY),
    "a project of dots": (["project", "..", "--programme", "demo"], ANY),
    "a project without a name": (["project", "", "--programme", "demo"], ANY),
    "a project of 65 letters": (["project", "e" * 65, "--programme", "demo"], ANY),
    "an unknown programme": (
        ["project", "new", "--programme", "none"],
        f"--programme: 'none' is not a programme; use one of {sorted({'demo', 'old', *SHIPPED})}.",
    ),
    "an unknown edition": (["project", "new", "--programme", "demo@7"], "--programme: 'demo@7' is not a programme; use one of"),
    "no programme": (["project", "new"], "--programme"),
    "a broken programme": (["project", "new", "--programme", "broken"], "params/programmes/broken.yml:1: the key 'version' is missing"),
    "a period that is none": (
        ["project", "new", "--programme", "demo", "--period", "2024Q9"],
        "--period: '2024Q9' is not a period; write 2024, 2024H1, 2024Q1 or 2024-05.",
    ),
    "a start of something else": (["report", "new"], "report"),
    "an option before the command": (["--root", ".", "programme", "new"], "--root"),
}  # fmt: skip


@pytest.fixture(scope="module")
def taken(tmp_path_factory) -> Path:
    """Return a root that holds some of what could be written."""
    root = make_root(tmp_path_factory.mktemp("taken"))
    old = (
        (root / "params/programmes/demo.yml").read_text("utf-8").replace("id: demo\nversion: 1", "id: old\nversion: 2")
    )
    files = {"params/programmes/old@2.yml": old, "params/programmes/broken.yml": "id: broken\n"}
    return write(root, {**files, "data/kept/2024/export.csv": "a\n"})


@pytest.mark.parametrize(("call", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_written_is_a_sentence_and_nothing_changes(call, sentence, taken, monkeypatch):
    monkeypatch.chdir(taken)
    before = snapshot(taken)
    period = ["--period", "2024"] if call[0] == "project" and "--period" not in call else []
    answer = csat("new", *call, *period)
    assert (answer.status, answer.out) == (2, "")
    assert sentence in answer.err
    assert snapshot(taken) == before


def test_a_folder_within_a_root_is_no_place_to_begin(taken, monkeypatch):
    monkeypatch.chdir(taken / "data")
    answer = csat("new", "programme", "mine")
    assert (answer.status, answer.out) == (2, "")
    assert "holds no params/ folder" in answer.err
    assert not (taken / "data" / "params").exists()


def test_nor_is_a_folder_that_is_not_there(tmp_path):
    assert csat("new", "programme", "mine", "--root", tmp_path / "none").status == 2
    assert list(tmp_path.iterdir()) == []


def test_quiet_says_nothing(tmp_path):
    assert csat("new", "project", "first", "--programme", "property", "--root", tmp_path, "--quiet") == (0, "", "")


@pytest.mark.parametrize("blocked", ["data", "data/first", "data/first/2024"])
def test_where_one_file_cannot_be_written_none_is(blocked, tmp_path):
    write(tmp_path, {"params/runs/old.yml": "text", blocked: "a file where a folder belongs"})
    before = snapshot(tmp_path)
    files = {"params/runs/first.yml": "text", "data/first/2024/responses.csv": "text"}
    with pytest.raises(ParameterError, match=r"cannot be written \(.*\); check space and permissions\."):
        drafts.write(tmp_path, files)
    assert snapshot(tmp_path) == before


def test_a_file_that_appears_meanwhile_is_kept_and_the_others_are_taken_back(tmp_path):
    (tmp_path / "second.yml").symlink_to("nowhere")  # is not there yet, and cannot be made
    with pytest.raises(ParameterError, match="second.yml: cannot be written"):
        drafts.write(tmp_path, {"a/b/first.yml": "text", "second.yml": "text"})
    assert [path.name for path in tmp_path.iterdir()] == ["second.yml"]
