"""Whoever writes YAML is told file, line, key and what would be right; what is sound is found and chosen."""

import datetime as dt
import time
from pathlib import Path

import pytest

from conftest import DEMO, DEMO_RUN, run_of
from csat_analysis.ground import params
from csat_analysis.ground.errors import ParameterError

RUN = "params/runs/demo.yml"
PROGRAMME = "params/programmes/demo.yml"


def sentences(root: Path, file: str) -> tuple[str, ...]:
    """Return what is said of a file of a root."""
    return params.read_rules(root).broken[root / file].messages


def without(text: str, line: str, instead: str = "") -> str:
    assert text.count(line) == 1
    return text.replace(line, instead)


# --- files that are no YAML ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, sentence",
    [
        (
            "project: demo\ntitle: Demo\nperiods:\n\t2024: {}\n",
            ":4: a tab where YAML wants spaces; indent with spaces.",
        ),
        (
            "project: demo\nperiods:\n  2024:\n  \tas_of: 2025-01-10\n",
            ":4: a tab where YAML wants spaces; indent with spaces.",
        ),
        (
            "title: |\n  a\n  \tb\nproject: demo\nperiods:\n\t2024: {}\n",
            ":6: a tab where YAML wants spaces; indent with spaces.",
        ),
        ("project: demo\ntitle: Demo\nproject: other\n", ":3: the key 'project' stands twice; keep one."),
        (
            "project: demo\nperiods:\n  2024: {as_of: 2025-01-10}\n  '2024': {}\n",
            ":4: the key '2024' stands twice; keep one.",
        ),
        ("project: demo\ntitle: [Demo\nperiods: {}\n", ":3: is not YAML here ("),
        ("project: 'demo\n", ": is not YAML here ("),
        ("a: 1\n---\nb: 2\n", ":2: is not YAML here ("),
        ("a: &x [*x]\n", ": an entry holds itself, or is nested too deeply; write it out plainly."),
        ("? [a, b]\n: 1\n", ":1: is not YAML here ("),
        ("a: !!python/object:os.system 1\n", ":1: is not YAML here ("),
        ("a: \x07\n", ": is not YAML here ("),
        ("", ": is empty; see the other files of this folder for what it holds."),
        ("# nothing but a remark\n", ": is empty; see the other files of this folder for what it holds."),
    ],
)
def test_what_is_no_yaml_gets_its_file_and_line(make_root, text, sentence):
    root = make_root({RUN: text})
    (said,) = sentences(root, RUN)
    assert said.startswith(RUN) and sentence in said


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_a_file_in_another_encoding_is_told_so(make_root, encoding):
    root = make_root({RUN: DEMO_RUN.replace("Demo", "园雅").encode(encoding)})
    assert sentences(root, RUN) == (f"{RUN}: is not UTF-8; save it as UTF-8.",)


def test_a_byte_order_mark_does_no_harm(make_root):
    assert params.read_rules(make_root({RUN: DEMO_RUN.encode("utf-8-sig")})).broken == {}


def test_a_folder_in_the_place_of_a_file_is_a_sentence(make_root):
    root = make_root({f"{RUN}/x": ""} | {RUN: None})
    assert sentences(root, RUN) == (f"{RUN}: cannot be read (Is a directory); check the name and the permissions.",)


# --- run files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line, instead, sentence",
    [
        ("title: Demo\n", "title: Demo\nlangage: en\n", ":3: langage: 'langage' is not a key here; did you mean 'language'? Use one of ['change', "),
        ("title: Demo\n", "title: Demo\nquality: en\n", ":3: quality: 'quality' is not a key here; use one of ['change', "),
        ("programme: demo\n", "", ":1: the key 'programme' is missing; add it."),
        ("programme: demo\n", "programme: [demo]\n", ":3: programme: list does not fit here; give text, in quotes where"),
        ("project: demo\n", "project: ../x\n", ":1: project: '../x' does not fit here; use letters, digits, _ (and - in a project), 64"),
        ("project: demo\n", "project: other\n", ":1: project is 'other'; name the file other.yml, or mend the project."),
        ("title: Demo\n", "title: 5\n", ":2: title: 5 does not fit here; give keys and values"),
        ("title: Demo\n", "title: Demo\nlanguage: de\n", ":3: language: 'de' does not fit here; use one of 'zh' or 'en'."),
        ("title: Demo\n", "title: Demo\n5: x\n", ":3: 5"),
        ("title: Demo\n", "title: Demo\ngroups: segment\n", ":3: groups: 'segment' does not fit here; give a list, such as"),
        ("title: Demo\n", "title: Demo\ntargets: {survey_rate: .inf}\n", ":3: targets.survey_rate: inf does not fit here; "),
        ("title: Demo\n", "title: Demo\ntargets: {rate: 0.9}\n", ":3: targets.rate: 'rate' is not a measure; use one of ["),
        ("title: Demo\n", "title: Demo\nread: {answers: {}}\n", ":3: read.answers: 'answers' does not fit here; use one of 'frame', "),
        ("title: Demo\n", "title: Demo\nread: {responses: {fil: x}}\n", ":3: read.responses.fil: 'fil' is not a key here; did you mean 'file'? Use one of ['columns', 'file', 'missing', 'sheet', 'where']."),
        ('"2024"', "2024Q5", ":5: periods.2024Q5: '2024Q5' is not a period; write 2024, 2024H1, 2024Q1 or 2024-05."),
        ('"2024"', "2024-13", ":5: periods.2024-13: '2024-13' is not a period; write 2024, 2024H1, 2024Q1 or 2024-05."),
        ('"2024"', "20245", ":5: periods.20245: '20245' is not a period; write"),
        ("{as_of: 2025-01-10}", "{}", ":5: periods.2024: the key 'as_of' is missing; add it."),
        ('"2024": {as_of: 2025-01-10}', "2024: {}", ":5: periods.2024: the key 'as_of' is missing; add it."),
        ('"2024": {as_of: 2025-01-10}', "2024: {as_of: x}", ":5: periods.2024.as_of: 'x' does not fit here; give a date such as 2024-01-31."),
        ("2025-01-10", "2025-13-45", ":5: periods.2024.as_of: '2025-13-45' is not a date ("),
        ("2025-01-10", "20250110", ":5: periods.2024.as_of: 20250110 does not fit here; give a date such as 2024-01-31."),
        ("2025-01-10", "2025-01-10 10:30:00", ":5: periods.2024.as_of: datetime does not fit here; give a date such as 2024-01-31."),
        ("2025-01-10", "soon", ":5: periods.2024.as_of: 'soon' does not fit here; give a date such as 2024-01-31."),
        ("2025-01-10", "2023-12-31", ":5: periods.2024.as_of: 2023-12-31 is before the period begins; give the day of the report."),
        ("2025-01-10", "2025-01-10, baseline: 2023", ":5: periods.2024.baseline: '2023' is not a period here; use one of ['2024']."),
        ("2025-01-10", "2025-01-10, counts: {frame: -1}", ":5: periods.2024.counts.frame: -1 does not fit here; give 0 or more."),
        ("2025-01-10", "2025-01-10, counts: {frame: many}", ":5: periods.2024.counts.frame: 'many' does not fit here; give a whole number."),
        ("2025-01-10", "2025-01-10, counts: {returned: 3}", ":5: periods.2024.counts.returned: 'returned' is not a key here; use one of ['complaints', "),
        ("2025-01-10", "2025-01-10, closed: maybe", ":5: periods.2024.closed: 'maybe' does not fit here; give true or false."),
        ("2025-01-10", "2025-01-10, remedy: {due_on: 2024-02-30}", ":5: periods.2024.remedy.due_on: '2024-02-30' is not a date ("),
        ('periods:\n  "2024": {as_of: 2025-01-10}', "periods: {}", ":4: periods: dict does not fit here; give 1 or more."),
        ('periods:\n  "2024": {as_of: 2025-01-10}', "periods: [2024]", ":4: periods: list does not fit here; give keys and values"),
    ],
)  # fmt: skip
def test_a_fault_in_a_run_file_is_named_with_line_key_and_what_would_be_right(make_root, line, instead, sentence):
    said = sentences(make_root({RUN: without(DEMO_RUN, line, instead)}), RUN)
    assert len(said) == 1
    assert said[0].startswith(f"{RUN}{sentence}"), said[0]


@pytest.mark.parametrize("text", ["demo\n", "- project: demo\n", "5\n", "2024-01-31\n"])
def test_a_list_or_a_scalar_is_no_file_of_keys(make_root, text):
    for file in (RUN, PROGRAMME):
        (said,) = sentences(make_root({file: text}), file)
        assert said.startswith(f"{file}:1: ") and said.endswith(
            "does not fit here; give keys and values, such as {key: value}."
        )


def test_all_faults_of_a_file_are_told_at_once(make_root):
    text = DEMO_RUN.replace("title: Demo", "titel: Demo\nlanguage: de").replace("2025-01-10", "soon")
    assert [said.split(" does")[0].split(";")[0] for said in sentences(make_root({RUN: text}), RUN)] == [
        f"{RUN}:1: the key 'title' is missing", f"{RUN}:3: language: 'de'", f"{RUN}:6: periods.2024.as_of: 'soon'",
        f"{RUN}:2: titel: 'titel' is not a key here",
    ]  # fmt: skip


def test_a_value_of_two_kinds_is_told_both(make_root):
    said = sentences(make_root({RUN: DEMO_RUN + "change: {selected: maybe}\n"}), RUN)
    assert [sentence.split("; ")[1] for sentence in said] == ["use one of 'auto'.", "give true or false."]
    assert all(sentence.startswith(f"{RUN}:6: change.selected: 'maybe' does not fit here; ") for sentence in said)


def test_all_impossible_dates_are_told_at_once(make_root):
    text = DEMO_RUN.replace("2025-01-10", "2025-01-32") + "  2023:\n    as_of: 2024-00-01\n"
    assert [said.split(" is not")[0] for said in sentences(make_root({RUN: text}), RUN)] == [
        f"{RUN}:5: periods.2024.as_of: '2025-01-32'", f"{RUN}:7: periods.2023.as_of: '2024-00-01'",
    ]  # fmt: skip


# --- programmes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line, instead, sentence",
    [
        ("threshold: 0.70", "threshold: 0.70, clase: x", ":10: gates[0].clase: 'clase' is not a key here; did you mean 'clause'? Use one of ['clause', "),
        ("threshold: 0.70, ", "", ":10: gates[0]: the key 'threshold' is missing; add it."),
        ("comparison: at_least", "comparison: above", ":10: gates[0].comparison: 'above' does not fit here; use one of 'at_least', "),
        ("measure: return_rate", "measure: retrun_rate", ":10: gates[0].measure: 'retrun_rate' is not a measure; use index, "),
        ("{satisfied: 100,", "{satisfied: many,", ":5: scale.satisfied: 'many' does not fit here; give a number."),
        ("{weighted_score: 1,", "{score: 1,", ":11: index.score: 'score' is not a measure; use one of ["),
        ("{weighted_score: 1,", "{weighted_score: one,", ":11: index.weighted_score: 'one' does not fit here; give a number."),
        ("effective_from: 2024-01-01", "effective_from: 2024-02-30", ":3: effective_from: '2024-02-30' is not a date ("),
        ("version: 1\n", "version: one\n", ":2: version: 'one' does not fit here; give a whole number."),
        ("version: 1\n", "version: 0\n", ":2: version: 0 does not fit here; give 1 or more."),
        ("id: demo\n", "id: ../x\n", ":1: id: '../x' does not fit here; use letters"),
        ("id: demo\n", "id: other\n", ":1: id is 'other'; name the file other.yml, or mend the id."),
        ("weight: 0.6", "weight: -0.6", ":7: items[0].weight: -0.6 does not fit here; give 0 or more."),
        ("{id: poor, lower: 0}", "{id: poor, lower: 90}", ":12: grades: the lower bounds [85.0, 70.0, 90.0] do not fall; "),
    ],
)  # fmt: skip
def test_a_fault_in_a_programme_is_named_with_line_key_and_what_would_be_right(make_root, line, instead, sentence):
    said = sentences(make_root({PROGRAMME: without(DEMO, line, instead)}), PROGRAMME)
    assert said[0].startswith(f"{PROGRAMME}{sentence}"), said[0]


def test_a_programme_beside_the_folder_is_named_by_its_path(tmp_path):
    (tmp_path / "demo.yml").write_text(DEMO.replace("version: 1", "version: 0"))
    with pytest.raises(ParameterError, match=rf"{tmp_path}/demo.yml:2: version"):
        params.read_programme(tmp_path / "demo.yml")


def test_numbers_as_keys_are_found_again(make_root):
    text = DEMO.replace("title: {zh: 示例规程, en: Demonstration}", "title: {5: x, en: Demonstration}")
    (said,) = sentences(make_root({PROGRAMME: text}), PROGRAMME)
    assert said.startswith(f"{PROGRAMME}:4: title") and "in quotes where YAML would read a number" in said


# --- a root -------------------------------------------------------------------------------------------


def test_a_root_holds_params(make_root, tmp_path_factory, monkeypatch):
    root, empty = make_root(), tmp_path_factory.mktemp("empty")
    assert params.find_root(root) == root
    with pytest.raises(
        ParameterError, match=r"holds no params/ folder; give --root the folder that holds params/ and data/"
    ):
        params.find_root(empty)
    (root / "notebooks" / "deep").mkdir(parents=True)
    monkeypatch.chdir(root / "notebooks" / "deep")
    assert params.find_root() == root
    monkeypatch.chdir(empty)
    with pytest.raises(ParameterError, match="no params/ folder here or above"):
        params.find_root()


def test_a_broken_file_leaves_the_others_usable(make_root):
    rules = params.read_rules(
        make_root({"params/runs/other.yml": "project: [\n", "params/programmes/bad.yml": "id: bad\n"})
    )
    assert sorted(path.name for path in rules.broken) == ["bad.yml", "other.yml"]
    assert [run.place for run in rules.runs] == ["demo 2024"]
    with pytest.raises(ParameterError, match="params/runs/other.yml:2: is not YAML here"):
        params.find_run(rules, "other", "2024")


def test_a_programme_that_is_none_is_named_where_the_run_names_it(make_root):
    rules = params.read_rules(make_root({RUN: DEMO_RUN.replace("programme: demo", "programme: demmo")}))
    with pytest.raises(
        ParameterError, match=rf"^{RUN}:3: programme: 'demmo' is not a programme; use one of \['airport', .*'demo'"
    ):
        params.choose_programme(rules, params.find_run(rules, "demo", "2024"))


def test_a_programme_of_one_period_is_named_with_the_period(make_root):
    rules = params.read_rules(make_root({RUN: DEMO_RUN.replace("2025-01-10", "2025-01-10, programme: demo@3")}))
    with pytest.raises(
        ParameterError, match=rf"^{RUN}:5: periods.2024.programme: there is no 'demo@3'; use one of \['demo@1'\]"
    ):
        params.choose_programme(rules, params.find_run(rules, "demo", "2024"))


def test_a_programme_whose_file_is_broken_is_named_with_the_file(make_root):
    rules = params.read_rules(make_root({PROGRAMME: "id: demo\n"}))
    with pytest.raises(
        ParameterError, match=rf"^{RUN}:3: programme: 'demo' cannot be used while demo.yml is broken; mend that file"
    ):
        params.choose_programme(rules, params.find_run(rules, "demo", "2024"))


# --- one project --------------------------------------------------------------------------------------


def test_for_one_project_its_run_file_and_the_programmes_it_names_are_read_and_no_others(make_root):
    periods = 'periods:\n  "2023": {as_of: 2024-01-10, programme: demo@1}\n  "2024": {as_of: 2025-01-10}\n'
    own = DEMO_RUN[: DEMO_RUN.index("periods:")].replace("programme: demo", "programme: property") + periods
    broken = {"params/runs/other.yml": "project: [\n", "params/programmes/electrical.yml": "id: [\n"}
    rules = params.read_rules(make_root({RUN: own, **broken}), "demo")
    assert (list(rules.run_files), sorted(rules.editions), rules.broken) == (["demo"], ["demo", "property"], {})
    judged = [params.choose_programme(rules, run).content.id for run in rules.runs]
    assert judged == ["demo", "property"]


def test_a_project_that_is_none_is_told_which_there_are(make_root):
    rules = params.read_rules(make_root(), "demmo")
    with pytest.raises(ParameterError, match=r"'demmo' is not a project; use one of \['demo'\]"):
        params.find_run(rules, "demmo", "2024")


def test_for_one_project_too_a_programme_that_is_none_is_told_which_there_are(make_root):
    rules = params.read_rules(make_root({RUN: DEMO_RUN.replace("programme: demo", "programme: demmo")}), "demo")
    with pytest.raises(ParameterError, match=r"'demmo' is not a programme; use one of \['airport', .*'demo'"):
        params.choose_programme(rules, params.find_run(rules, "demo", "2024"))


# --- editions -----------------------------------------------------------------------------------------

EDITIONS = {
    PROGRAMME: DEMO,
    "params/programmes/demo@2.yml": DEMO.replace("version: 1", "version: 2").replace("2024-01-01", "2025-07-01"),
}


@pytest.mark.parametrize(
    "period, named, version",
    [
        ("2023", "demo", 1), ("2024", "demo", 1), ("2025H1", "demo", 1), ("2025Q2", "demo", 1), ("2025H2", "demo", 2),
        ("2025", "demo", 2), ("2026", "demo", 2), ("2026", "demo@1", 1), ("2023", "demo@2", 2),
    ],
)  # fmt: skip
def test_a_period_is_judged_by_the_edition_in_force_at_its_end_or_the_one_it_names(make_root, period, named, version):
    rules = params.read_rules(make_root(EDITIONS))
    run = run_of({"as_of": "2027-01-01"}, period, programme=named)
    assert params.choose_programme(rules, run).content.version == version


def test_two_files_of_one_edition_are_a_fault(make_root):
    root = make_root({"params/programmes/demo@1.yml": DEMO})
    assert sentences(root, "params/programmes/demo@1.yml") == (
        "params/programmes/demo@1.yml:2: version: demo.yml holds this version already; give each edition its own.",
    )


def test_a_file_named_after_an_edition_holds_it(make_root):
    root = make_root({"params/programmes/demo@2.yml": DEMO.replace("version: 1", "version: 3")})
    assert sentences(root, "params/programmes/demo@2.yml") == (
        "params/programmes/demo@2.yml:2: version: is 3, and the file is named @2; mend one of them.",
    )


@pytest.mark.parametrize("broken", EDITIONS)
@pytest.mark.parametrize("period", ["2023", "2026"])
def test_while_an_edition_is_broken_no_other_judges_in_its_place(make_root, broken, period):
    rules = params.read_rules(make_root({**EDITIONS, broken: EDITIONS[broken].replace("threshold", "treshold")}))
    run = run_of({"as_of": "2027-01-01"}, period)
    with pytest.raises(ParameterError, match=f"'demo' cannot be used while {broken.split('/')[-1]} is broken"):
        params.choose_programme(rules, run)


def test_an_edition_that_a_run_names_judges_whatever_the_others_are(make_root):
    rules = params.read_rules(make_root({**EDITIONS, "params/programmes/demo@2.yml": "id: [\n"}))
    assert params.choose_programme(rules, run_of(programme="demo@1")).content.version == 1
    with pytest.raises(ParameterError, match="'demo@2' cannot be used while demo@2.yml is broken"):
        params.choose_programme(rules, run_of(programme="demo@2"))


def test_where_the_root_holds_a_programme_the_shipped_one_is_out_of_sight(make_root):
    own = params.shipped("params", "programmes", "property.yml").read_text("utf-8")
    rules = params.read_rules(make_root({"params/programmes/property@1.yml": own.replace("0.85", "0.95")}))
    assert rules.broken == {}
    [edition] = rules.editions["property"]
    assert edition.path.name == "property@1.yml"


@pytest.mark.parametrize(
    ("written", "read"),
    [("010", "010"), ("0x10", "0x10"), ("12:30", "12:30"), ("1_000", "1_000"), ("10", 10), ("-0.5", -0.5), ("1e3", 1000.0),
     (".5", 0.5), ("5.", 5.0), ("2024-01-31", dt.date(2024, 1, 31)), ("true", True)],
)  # fmt: skip
def test_only_plain_decimals_are_numbers(tmp_path, written, read):
    path = tmp_path / "a.yml"
    path.write_text(f"key: {written}\n")
    found = params.read_yaml(path, path)[0]["key"]
    assert (found, type(found)) == (read, type(read))


def test_a_run_file_is_called_after_its_project(make_root):
    root = make_root({"params/runs/demo@2.yml": DEMO_RUN})
    assert sentences(root, "params/runs/demo@2.yml")[0].startswith(
        "params/runs/demo@2.yml:1: project is 'demo'; name the file demo.yml"
    )


def test_the_shipped_programmes_are_there_and_the_roots_own_come_first(make_root):
    rules = params.read_rules(make_root({"params/programmes/property.yml": DEMO.replace("id: demo", "id: property")}))
    assert {"airport", "demo", "developer", "electrical", "housing", "property"} <= set(rules.editions)
    assert [item.id for item in rules.editions["property"][0].content.items] == ["delivery", "service"]


def test_500_run_files_are_read_in_well_under_a_second(make_root):
    period = "  {year}: {{as_of: {next}-01-10, baseline: {last}, counts: {{frame: 300, distributed: 280, deliveries: 80}}}}\n"
    files = {}
    for number in range(500):
        text = DEMO_RUN.replace("project: demo", f"project: p{number}").replace(
            '"2024": {as_of: 2025', "2021: {as_of: 2022"
        )
        text += "".join(period.format(year=year, next=year + 1, last=year - 1) for year in (2022, 2023))
        files[f"params/runs/p{number}.yml"] = text
    root = make_root({RUN: None, **files})
    begin = time.process_time()
    rules = params.read_rules(root)
    seconds = time.process_time() - begin
    print(f"500 run files, 1,500 periods: {seconds:.2f} s")  # noqa: T201 - shown with -rP
    assert len(rules.run_files) == 500 and rules.broken == {}
    assert seconds < 3
