"""What other people's scripts rely on: options, exit status, where messages go, and that nothing else happens."""

import json
import re
import shutil

import pytest

from csat_analysis import __version__
from publishing import (
    CHECKOUT,
    RESPONSES,
    chapter,
    csat,
    make_root,
    process,
    programme,
    record,
    run,
    run_file,
    snapshot,
    states,
    write,
)


@pytest.fixture
def root(published, tmp_path):
    """Return a copy of it, to change."""
    return shutil.copytree(published, tmp_path / "root")


def test_version_is_printed():
    assert csat("--version") == (0, f"csat_analysis {__version__}\n", "")


@pytest.mark.parametrize("command", ["check", "list", "run", "report", "schema", "new programme", "new project"])
def test_every_command_explains_itself(command):
    answer = csat(*command.split(), "--help")
    assert answer.status == 0
    assert "--root" in answer.out
    assert "--verbose" in answer.out


def test_options_stand_after_the_command(published):
    assert csat("list", "--root", published).status == 0
    before = csat("--root", published, "list")
    assert (before.status, before.out) == (2, "")
    assert "--root" in before.err


def test_root_is_the_working_folder_unless_it_is_named(published, monkeypatch):
    monkeypatch.chdir(published)
    assert csat("list").out == "demo\t2024\tfresh\n"
    assert csat("list", "--root", ".").out == "demo\t2024\tfresh\n"


WRONG_CALLS = {
    "unknown command": ["publish"],
    "no command": [],
    "unknown option": ["run", "--projekt", "demo"],
    "option without its value": ["run", "--project"],
    "unknown project": ["run", "--project", "yuanya"],
    "unknown project to list": ["list", "--project", "yuanya"],
    "unknown period": ["run", "--period", "2025"],
    "period that is none": ["run", "--period", "2024Q9"],
    "known and unknown project": ["run", "--project", "demo", "--project", "yuanya"],
    "project that leaves the folder": ["run", "--project", "../demo"],
    "unknown language": ["run", "--language", "fr"],
    "unknown language to list": ["list", "--language", "fr"],
    "no processes": ["run", "--jobs", "0"],
    "no number of processes": ["run", "--jobs", "many"],
    "schema of nothing": ["schema", "record.json"],
    "schema in an unknown language": ["schema", "run", "--language", "fr"],
    "clauses in an unknown language": ["check", "--clauses", "--language", "fr"],
    "start of nothing": ["new"],
    "start of something else": ["new", "report", "demo"],
    "start without a name": ["new", "programme"],
    "further word": ["check", "demo"],
}


@pytest.mark.parametrize("call", WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_a_wrong_call_ends_with_2_and_writes_nothing(call, published, monkeypatch):
    monkeypatch.chdir(published)
    before = snapshot(published)
    answer = csat(*call)
    assert answer.status == 2
    assert answer.err if call else answer.out + answer.err
    assert snapshot(published) == before


@pytest.mark.parametrize("command", ["check", "list", "run"])
def test_a_folder_without_params_is_no_root(command, tmp_path):
    answer = csat(command, "--root", tmp_path)
    assert (answer.status, answer.out) == (2, "")
    assert "holds no params/ folder" in answer.err
    assert list(tmp_path.iterdir()) == []


# --- which runs -------------------------------------------------------------------------------------------------------


@pytest.fixture
def three(tmp_path):
    """Return a root of three projects with two periods each, none published."""
    files = {f"params/runs/{name}.yml": run_file(name, "2023", "2024") for name in ("one", "two", "三")}
    tables = {
        f"data/{name}/{period}/responses.csv": "form_id,delivery,service\nr1,fair,fair\n"
        for name in ("one", "two", "三")
        for period in ("2023", "2024")
    }
    return make_root(tmp_path, {**files, **tables, "params/runs/demo.yml": None})


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ([], ["one 2023", "one 2024", "two 2023", "two 2024", "三 2023", "三 2024"]),
        (["--project", "one"], ["one 2023", "one 2024"]),
        (["--project", "one", "--project", "三"], ["one 2023", "one 2024", "三 2023", "三 2024"]),
        (["--period", "2024"], ["one 2024", "two 2024", "三 2024"]),
        (["--period", "2024", "--period", "2023", "--project", "two"], ["two 2023", "two 2024"]),
    ],
)
def test_projects_and_periods_may_be_repeated(three, options, chosen):
    answer = csat("list", "--root", three, *options)
    assert answer.status == 0
    assert [" ".join(line.split("\t")[:2]) for line in answer.out.splitlines()] == chosen


def test_the_runs_of_the_named_projects_and_periods_are_published_and_no_others(three):
    answer = run(three, "--project", "one", "--project", "三", "--period", "2024")
    assert answer.status == 0
    assert [line.split(":")[0] for line in answer.out.splitlines()] == ["one 2024", "三 2024"]
    published = {f"{path.parts[-3]} {path.parts[-2]}" for path in (three / "reports").glob("*/*/record.json")}
    assert published == {"one 2024", "三 2024"}


def test_languages_may_be_repeated(tmp_path):
    root = make_root(tmp_path, chapters=("20_satisfaction",))
    assert run(root, "--language", "zh", "--language", "en", "--language", "zh").status == 0
    pages = {path.name for path in (root / "reports" / "demo" / "2024").glob("*.html")}
    assert pages == {"20_satisfaction.zh.html", "20_satisfaction.en.html"}


def test_what_is_fresh_is_skipped_and_said_so(root):
    assert run(root) == (0, "demo 2024: skipped (fresh)\n", "")


def test_quiet_says_nothing_when_nothing_is_wrong(root):
    assert run(root, "--force", "-q") == (0, "", "")
    assert csat("check", "--root", root, "--quiet") == (0, "", "")
    assert csat("list", "--root", root, "-q") == (0, "", "")


def test_quiet_still_says_what_went_wrong(root):
    write(root, {"data/demo/2024/responses.csv": None})
    answer = run(root, "-q")
    assert (answer.status, answer.out) == (2, "")
    assert "no responses.csv" in answer.err
    write(root, {"params/programmes/demo.yml": "id: demo\n"})
    assert csat("list", "--root", root, "-q").out.startswith(
        "demo\t2024\tunusable\tparams/runs/demo.yml:3: programme: "
    )


def test_verbose_says_why_a_run_was_redone(root):
    write(root, {"data/demo/2024/responses.csv": "form_id,delivery,service\nr1,fair,fair\n"})
    assert run(root, "-v").out.endswith("\n  data data/demo/2024/responses.csv changed\n")
    assert "Read: " in csat("check", "--root", root, "--verbose").out


# --- status -----------------------------------------------------------------------------------------------------------

TWO = {
    "params/runs/other.yml": run_file("other", "2024"),
    "data/other/2024/responses.csv": "form_id,delivery,service\nr1,fair,fair\n",
}


def test_findings_in_the_data_end_with_0(tmp_path):
    root = make_root(
        tmp_path, {"data/demo/2024/responses.csv": "form_id,delivery,service\nr1,great,fair\nr1,fair,fair\n"}
    )
    assert run(root).status == 0
    assert [row["reason"] for row in record(root)["rejected"]] == ["unknown_level", "duplicate"]
    assert record(root)["gates"][0]["passed"] is False
    checked = csat("check", "--root", root)
    assert checked.status == 0
    assert "data/demo/2024/responses.csv:2: delivery: 'great' is " in checked.out


def test_a_broken_file_outside_the_selection_is_printed_and_ignored(tmp_path):
    root = make_root(
        tmp_path, {"params/runs/broken.yml": "project: [\n", "params/programmes/unused.yml": "id: unused\n"}
    )
    answer = run(root, "--project", "demo")
    assert answer.status == 0
    assert "broken.yml:2: is not YAML here" in answer.err
    assert "unused.yml" in answer.err
    assert record(root)["project"] == "demo"


def test_a_broken_run_file_inside_the_selection_is_a_failed_run_and_the_others_finish(tmp_path):
    root = make_root(tmp_path, {"params/runs/broken.yml": "project: [\n"})
    answer = run(root)
    assert answer.status == 1
    assert "broken.yml:2: is not YAML here" in answer.err
    assert record(root)["project"] == "demo"


def test_a_broken_programme_that_no_run_needs_is_printed_and_ignored(tmp_path):
    root = make_root(tmp_path, {"params/programmes/unused.yml": "id: unused\n"})
    assert run(root).status == 0


def test_only_broken_files_are_nothing_to_start_with(tmp_path):
    root = make_root(tmp_path, {"params/runs/demo.yml": "project: [\n"})
    assert run(root).status == 2
    assert run(root, "--project", "demo").status == 2
    assert not (root / "reports").exists()


def test_one_run_of_two_without_data_ends_with_1_and_the_other_is_finished(tmp_path):
    root = make_root(tmp_path, {**TWO, "data/demo/2024/responses.csv": None})
    answer = run(root)
    assert answer.status == 1
    assert answer.err.startswith("data/demo/2024: no responses.csv")
    assert record(root, "other/2024")["status"] == "reportable"
    assert not (root / "reports" / "demo").exists()
    assert states(root)["other", "2024"] == "fresh"


def test_one_run_fresh_and_one_without_data_ends_with_1(tmp_path):
    root = make_root(tmp_path, TWO)
    assert run(root).status == 0
    write(root, {"data/demo/2024/responses.csv": None})
    assert run(root).status == 1


def test_runs_all_without_data_end_with_2_and_write_nothing(tmp_path):
    root = make_root(tmp_path, {**TWO, "data/other/2024/responses.csv": "", "data/demo/2024/responses.csv": None})
    before = snapshot(root)
    assert run(root).status == 2
    assert run(root, "--project", "demo").status == 2
    assert snapshot(root) == before


def test_a_failed_chapter_ends_with_1_and_the_other_run_is_finished(tmp_path):
    root = make_root(tmp_path, {**TWO, "params/runs/other.yml": run_file("other", "2024").replace("demo", "quick")})
    write(
        root,
        {
            "params/programmes/demo.yml": programme("20_satisfaction"),
            "notebooks/20_satisfaction.ipynb": chapter("1 / 0"),
        },
    )
    write(root, {"params/programmes/quick.yml": programme().replace("id: demo", "id: quick")})
    answer = run(root)
    assert answer.status == 1
    assert "20_satisfaction (en): ZeroDivisionError: division by zero" in answer.err
    assert record(root, "other/2024")["programme"]["id"] == "quick"


def test_check_ends_with_0_when_there_are_only_findings():
    answer = csat("check", "--root", CHECKOUT)
    assert (answer.status, answer.err) == (0, "")
    assert "electrical.yml: " in answer.out  # its contradictions and gaps


def test_check_names_a_case_that_deviates(tmp_path):
    root = make_root(tmp_path, {"params/programmes/demo.yml": programme().replace("index: 68.0", "index: 67.0")})
    answer = csat("check", "--root", root)
    assert answer.status == 1
    assert "demo.yml: worked_example.expect.index: says 67.0, and the survey gives 68.0" in answer.err
    assert run(root).status == 0, "an example that is wrong does not stop a run"


def test_check_shows_what_carries_each_clause_instead_of_the_findings():
    answer = csat("check", "--clauses", "--root", CHECKOUT)
    assert (answer.status, answer.err) == (0, "")
    assert "\nproperty@1: Customer satisfaction in property management\nClause " in answer.out
    assert "electrical.yml: " not in answer.out and "Every file can be used." not in answer.out
    assert (
        "\n2§4.2.1  《业主调查表》的发放与收回"
        in csat("check", "--clauses", "--language", "zh", "--root", CHECKOUT).out
    )
    assert csat("check", "--clauses", "--quiet", "--root", CHECKOUT) == (0, "", "")


def test_it_does_so_where_a_file_cannot_be_used_and_ends_with_1_all_the_same(tmp_path):
    root = make_root(tmp_path, {"params/runs/broken.yml": "project: [\n"})
    answer = csat("check", "--clauses", "--root", root)
    assert answer.status == 1
    assert "broken.yml:2" in answer.err
    assert "demo@1: Demonstration\n" in answer.out


def test_a_schema_explains_its_keys_in_the_language_asked_for():
    answer = csat("schema", "programme", "--language", "zh")
    gate = json.loads(answer.out)["$defs"]["Gate"]["properties"]
    assert (answer.status, gate["threshold"]["title"]) == (0, "限值")
    assert csat("schema", "programme").out == csat("schema", "programme", "--language", "en").out
    assert "限值" not in csat("schema", "programme").out


def test_check_ends_with_1_when_a_file_cannot_be_used(tmp_path):
    root = make_root(tmp_path, {**TWO, "data/demo/2024/responses.csv": None, "params/runs/broken.yml": "project: [\n"})
    answer = csat("check", "--root", root)
    assert answer.status == 1
    assert "broken.yml:2" in answer.err
    assert "data/demo/2024: no responses.csv" in answer.err
    assert not (root / "reports").exists()


# --- as a process -----------------------------------------------------------------------------------------------------


def test_the_package_is_a_command_too_and_a_terminal_without_chinese_is_no_obstacle(tmp_path):
    files = {"params/runs/demo.yml": None, "params/runs/园雅.yml": run_file("园雅", "2024")}
    root = make_root(
        tmp_path, {**files, **TWO, "data/other/2024/responses.csv": "", "data/园雅/2024/responses.csv": RESPONSES}
    )
    done = process("run", "--root", root, "--kernel", "plain", "--jobs", "1", env={"PYTHONIOENCODING": "ascii"})
    out, err = done.communicate(timeout=60)
    assert done.returncode == 1
    assert err.startswith("data/other/2024/responses.csv: is empty")
    assert re.fullmatch(r"other 2024: unusable\n\\u56ed\\u96c5 2024: ok in \S+ s\n", out)
    assert record(root, "园雅/2024")["title"]["zh"] == "示例"


def test_check_looks_for_the_chapters_too(tmp_path):
    root = make_root(tmp_path, {"params/programmes/demo.yml": programme("25_change")})
    answer = csat("check", "--root", root)
    assert answer.status == 1
    assert (
        "demo.yml: chapters: there is no notebooks/25_change.ipynb; mend the name, or add the notebook." in answer.err
    )
