"""What makes a run stale is looked at once, remembered by size and time, and is no more than what is its own."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from csat_analysis.execution import memory
from csat_analysis.execution.digests import Digests
from csat_analysis.ground import params
from csat_analysis.ground.errors import DataError
from csat_analysis.ground.runs import Read
from publishing import (
    CHECKOUT,
    COUNTED,
    RUN_FILE,
    csat,
    make_root,
    manifest,
    programme,
    run,
    run_file,
    snapshot,
    states,
    write,
)

SHARED = "form_id,delivery,service,site\na1,satisfied,fair,A\nb1,fair,fair,B\na2,satisfied,satisfied,A\nb2,fair,satisfied,B\n"
READ = "{{responses: {{file: ../../all.csv, where: {{site: {}}}}}}}"


def settle(root: Path) -> None:
    """Let every file be ten seconds older: what has just changed is never remembered."""
    for path in root.rglob("*"):
        state = path.stat()
        os.utime(path, ns=(state.st_mtime_ns - 10**10, state.st_mtime_ns - 10**10))


def shared_root(folder: Path, table: str = SHARED) -> Path:
    """Return a root of two projects in one file."""
    runs = {f"params/runs/{name}.yml": run_file(name, "2024", read=READ.format(site)) for name, site in ("aA", "bB")}
    return make_root(folder, {"params/runs/demo.yml": None, "data/all.csv": table, **runs})


# --- files that are shared --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published_shared(tmp_path_factory):
    """Return two projects of one file, published."""
    root = shared_root(tmp_path_factory.mktemp("shared"))
    assert run(root).status == 0
    return root


@pytest.fixture
def shared(published_shared, tmp_path):
    """Return a copy of it, to change."""
    return shutil.copytree(published_shared, tmp_path / "root")


def test_rows_of_another_project_at_the_end_of_a_shared_file_concern_it_alone(shared):
    write(shared, {"data/all.csv": SHARED + "b3,fair,fair,B\n"})
    assert states(shared) == {("a", "2024"): "fresh", ("b", "2024"): "stale: data data/all.csv changed"}


def test_what_stays_fresh_is_what_would_be_made_anew(shared):
    write(shared, {"data/all.csv": SHARED + "b3,fair,fair,B\n"})
    before = snapshot(shared / "reports/a/2024")
    assert run(shared, "--force", "--project", "a").status == 0
    after = snapshot(shared / "reports/a/2024")
    assert {**after, "manifest.json": ""} == {**before, "manifest.json": ""}


@pytest.mark.parametrize(
    "table",
    [
        SHARED.replace("a2,satisfied", "a2,fair"),
        SHARED.replace("b1,fair,fair,B\n", ""),  # the lines of what follows are others, by which rejections are named
        SHARED + "a3,fair\n",  # whose it is nobody knows
        SHARED.replace("service,site", "service,site,note").replace(",A\n", ",A,\n").replace(",B\n", ",B,\n"),
    ],
)
def test_its_own_rows_their_lines_those_of_nobody_and_the_headers_concern_a_project(table, shared):
    write(shared, {"data/all.csv": table})
    assert states(shared)["a", "2024"] == "stale: data data/all.csv changed"


def test_a_shared_file_is_read_once_for_all(shared, monkeypatch):
    read, real = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (read.append(path.name), real(path))[1])
    write(shared, {"data/all.csv": SHARED + "b3,fair,fair,B\n"})
    states(shared)
    assert read.count("all.csv") == 1


def test_a_run_file_that_names_no_column_of_a_shared_file_leaves_the_others_alone(shared):
    write(shared, {"params/runs/b.yml": run_file("b", "2024", read=READ.replace("site", "estate").format("B"))})
    found = states(shared)
    assert found["a", "2024"] == "fresh"
    assert "no column 'estate'" in found["b", "2024"]


# --- other projects ---------------------------------------------------------------------------------------------------

GATED = programme().replace("{measure: return_rate,", "{measure: satisfaction_rate,").replace("0.70", "0.5")


def forms(satisfied: int, others: int) -> str:
    """Return so many forms satisfied, and so many that are not."""
    levels = ["satisfied"] * satisfied + ["fair"] * others
    return "form_id,delivery,service\n" + "".join(f"f{n},{level},{level}\n" for n, level in enumerate(levels))


@pytest.fixture(scope="module")
def published_peers(tmp_path_factory):
    """Return two projects with a baseline: the figures of one were low in it, those of the other were not."""
    plan = 'periods: {"2023": {as_of: 2024-01-10}, "2024": {as_of: 2025-01-10, baseline: "2023"}}\n'
    text = RUN_FILE[: RUN_FILE.index("periods:")] + plan
    files = {"params/programmes/demo.yml": GATED, "params/runs/demo.yml": None}
    for name, before in (("low", 2), ("well", 9)):
        files |= {
            f"params/runs/{name}.yml": text.replace("project: demo", f"project: {name}"),
            f"data/{name}/2023/responses.csv": forms(before, 10 - before),
            f"data/{name}/2024/responses.csv": forms(8, 2),
        }
    files |= {"params/runs/third.yml": run_file("third", "2023"), "data/third/2023/responses.csv": forms(6, 4)}
    root = make_root(tmp_path_factory.mktemp("peers"), files)
    assert run(root).status == 0
    return root


@pytest.fixture
def peers(published_peers, tmp_path):
    """Return a copy of them, to change."""
    return shutil.copytree(published_peers, tmp_path / "root")


def test_other_projects_concern_a_run_whose_verdict_rests_on_them_and_no_other(peers):
    assert "other projects" in manifest(peers, "low/2024")["key"]
    assert "other projects" not in manifest(peers, "well/2024")["key"]
    write(peers, {"data/third/2023/responses.csv": forms(7, 3)})
    found = states(peers)
    assert found["low", "2024"] == "stale: other projects changed"
    assert found["well", "2024"] == found["low", "2023"] == "fresh"


def test_a_run_that_comes_to_rest_on_other_projects_says_so_in_its_manifest(peers):
    write(peers, {"data/well/2023/responses.csv": forms(2, 8)})
    assert states(peers)["well", "2024"] == "stale: data data/well/2023/responses.csv changed"
    assert run(peers).status == 0
    assert "other projects" in manifest(peers, "well/2024")["key"]
    assert set(states(peers).values()) == {"fresh"}


# --- what waits for nothing -------------------------------------------------------------------------------------------

HEAVY = {
    "numpy",
    "pandas",
    "scipy",
    "matplotlib",
    "nbformat",
    "papermill",
    "nbconvert",
    "jsonschema",
    "distributed",
    "docx",
    "pptx",
    "lxml",
}


@pytest.mark.parametrize(
    "asked",
    [
        "import csat_analysis",
        "from csat_analysis import cli",
        "from csat_analysis.execution import freshness, memory",
    ],
)
def test_whoever_asks_how_runs_stand_or_for_help_imports_no_heavy_library(asked):
    code = f"import sys; {asked}; print(*({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# --- checksums that are remembered ------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    """Return a file of a root that changed ten seconds ago."""
    write(tmp_path, {"data/table.csv": "one\n", "reports/index.html": ""})
    settle(tmp_path)
    return tmp_path / "data/table.csv"


def counted(monkeypatch) -> list[str]:
    """Return the names of the files that are read from now on."""
    read, real = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (read.append(path.name), real(path))[1])
    return read


def test_a_file_with_the_size_and_the_time_it_had_is_not_read_again(file, monkeypatch):
    first = Digests(file.parents[1])
    digest = first.of(file)
    first.save()
    read = counted(monkeypatch)
    assert Digests(file.parents[1]).of(file) == digest
    assert "table.csv" not in read


@pytest.mark.parametrize("change", ["another size", "another time", "just now"])
def test_otherwise_it_is(change, file, monkeypatch):
    root = file.parents[1]
    if change == "just now":
        file.write_text("one\n")
    known = Digests(root)
    before = known.of(file)
    known.save()
    time = file.stat().st_mtime_ns
    file.write_text("two and more\n" if change == "another size" else "two\n")
    os.utime(file, ns=(time, time - (change == "another time")))
    assert Digests(root).of(file) != before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"data/table.csv": 7}', '{"data/table.csv": [true, [4, 0], "x"]}'])
def test_what_is_remembered_and_cannot_be_is_nothing(text, file):
    root = file.parents[1]
    (root / "reports/.digests.json").write_text(text)
    assert Digests(root).of(file) == Digests(root.parent).of(file)


def test_a_folder_that_cannot_be_written_is_no_fault(file):
    root = file.parents[1]
    shutil.rmtree(root / "reports")
    known = Digests(root)
    known.of(file)
    known.save()
    assert not (root / "reports").exists()


def test_a_file_that_is_gone_is_said(file):
    with pytest.raises(DataError, match=r"none.csv: cannot be read \(No such file or directory\)"):
        Digests(file.parents[1]).of(file.with_name("none.csv"))
    with pytest.raises(DataError, match="cannot be read"):
        Digests(file.parents[1]).of_rows(file.with_name("none.csv"), Read(where={"a": "b"}), [])


# --- how all runs stood -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a root with a chapter, published, and asked for twice since."""
    root = make_root(tmp_path_factory.mktemp("published"), chapters=("20_satisfaction",))
    assert run(root).status == 0
    settle(root)
    assert set(states(root).values()) == {"fresh"}
    assert run(root).out == "demo 2024: skipped (fresh)\n"
    return root


@pytest.fixture
def root(published, tmp_path):
    """Return a copy of it with the same times, that has been asked how it stands."""
    copy = shutil.copytree(published, tmp_path / "root")
    states(copy)
    assert memory.recall(copy) is not None
    return copy


def test_while_no_file_changes_no_rule_is_read(root, monkeypatch):
    monkeypatch.setattr(params, "read_rules", None)
    assert states(root) == {("demo", "2024"): "fresh"}
    assert csat("list", "--root", root).out == "demo\t2024\tfresh\n"


def test_and_nothing_is_made(root, monkeypatch):
    run(root)  # the portal, in this copy
    monkeypatch.setattr(params, "read_rules", None)
    assert run(root).out == run(root, "--project", "demo").out == "demo 2024: skipped (fresh)\n"
    assert run(root, "--quiet").out == ""


CHANGES = {
    "a page": {"reports/demo/2024/20_satisfaction.en.html": "<p>mine</p>"},
    "a page that is gone": {"reports/demo/2024/20_satisfaction.en.html": None},
    "a failed run": {"reports/demo/2024/failed/manifest.json": "{}"},
    "a row": {"data/demo/2024/responses.csv": "form_id,delivery,service\nr1,fair,fair\n"},
    "a table": {"data/demo/2024/complaints.csv": "complaint_id\nk1\n"},
    "a run file": {"params/runs/demo.yml": RUN_FILE + "# ours\n"},
    "another run file": {"params/runs/other.yml": run_file("other", "2024")},
    "a programme": {"params/programmes/demo.yml": programme() + "# ours\n"},
    "a chapter": {"notebooks/20_satisfaction.ipynb": COUNTED.replace("# A chapter", "# Another")},
}


@pytest.mark.parametrize("files", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_changes_has_them_looked_at_anew(files, root):
    write(root, files)
    assert memory.recall(root) is None


def test_a_link_that_leads_nowhere_hides_no_change_of_what_lies_beside_it(root):
    (root / "data/demo/2024/notes.txt").symlink_to("nowhere.txt")
    assert memory.recall(root) is None
    settle_links = os.lstat(root / "data/demo/2024/notes.txt").st_mtime_ns - 10**10
    os.utime(root / "data/demo/2024/notes.txt", ns=(settle_links, settle_links), follow_symlinks=False)
    assert states(root) == {("demo", "2024"): "fresh"} and memory.recall(root) is not None
    write(root, {"data/demo/2024/responses.csv": "form_id,delivery,service\nr1,fair,fair\n"})
    assert memory.recall(root) is None


def test_what_cannot_be_used_today_is_tried_again_tomorrow(root):
    write(root, {"data/demo/2024/responses.csv": ""})
    settle(root)
    assert states(root)["demo", "2024"].startswith("stale")  # it is not read before it is to be used
    write(root, {"data/demo/2024/responses.xlsx": "both"})
    settle(root)
    assert "compete" in states(root)["demo", "2024"]
    assert memory.recall(root) is None


def test_the_portal_is_made_where_one_of_its_pages_is_gone(root):
    run(root)
    (root / "reports/index.html").unlink()
    assert run(root).status == 0
    assert (root / "reports/index.html").is_file()


def test_another_package_is_another_answer(root, monkeypatch):
    monkeypatch.setattr(memory.freshness, "package_digest", lambda: "other")
    assert memory.recall(root) is None


def test_what_cannot_be_used_is_said_each_time(root):
    write(root, {"params/runs/broken.yml": "project: [\n"})
    settle(root)
    for _ in range(2):
        assert "broken.yml" in csat("list", "--root", root).err


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"key": 1, "folders": 7, "files": [], "states": []})])
def test_a_memory_that_cannot_be_read_is_none(text, root):
    (root / "reports/.states.json").write_text(text)
    assert memory.recall(root) is None
    assert states(root) == {("demo", "2024"): "fresh"}


def test_what_changed_a_moment_ago_is_not_remembered(published, tmp_path):
    copy = shutil.copytree(published, tmp_path / "root")
    (copy / "data/demo/2024/responses.csv").touch()
    (copy / "reports/.states.json").unlink()
    assert states(copy) == {("demo", "2024"): "fresh"}
    assert not (copy / "reports/.states.json").exists()
    assert time.time() - (copy / "data/demo/2024/responses.csv").stat().st_mtime < 2


def test_the_benchmark_pretends_pages_that_are_taken_for_ours(tmp_path):
    spec = importlib.util.spec_from_file_location("freshness_benchmark", CHECKOUT / "benchmarks" / "freshness.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    benchmark.write(tmp_path / "root", 1)
    benchmark.pretend(tmp_path / "root")
    assert set(states(tmp_path / "root").values()) == {"fresh"}
