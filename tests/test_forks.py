"""A chapter in a fork shows what it shows in a kernel, keeps nothing from the one before, and says how it ended."""

import importlib
import signal

import nbformat
import pytest

from csat_analysis.assembly import load
from csat_analysis.execution import forks, freshness
from csat_analysis.execution.guards import guarded
from csat_analysis.execution.limits import Ending, Limits
from csat_analysis.ground import params
from csat_analysis.publishing import publish
from publishing import PARAMETERS, chapter, csat, make_root, process, write

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot fork")
CELLS = {
    "text": "import sys\nprint('a'); print('b')",
    "errors": "print('c', file=sys.stderr)",
    "the last value": "1 + 1",
    "no value": "x = 3; None",
    "a quiet value": "x;",
    "html": "from IPython.display import HTML, display\nHTML('<b>bold</b>')",
    "displayed and a value": "display(HTML('<i>1</i>')); 'value'",
    "a wide table in plain text": "import pandas as pd\npd.DataFrame({f'column{k}': [k] for k in range(30)})",
    "an update": "shown = display('one', display_id='here'); shown.update('two')",
    "an update of nothing": "from IPython.display import publish_display_data\n"
    "display('stays'); publish_display_data({'text/plain': 'new'}, update=True)",
    "cleared": "from IPython.display import clear_output\nprint('gone'); clear_output(); print('stays')",
    "cleared when something comes": "print('gone'); clear_output(wait=True); print('stays')",
    "await": "import asyncio\nawait asyncio.sleep(0, result=5)",
    "a magic": "%pwd\n%precision 2\n3.14159",
    "the value before": "_",
    "a figure": "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.title('t')",
    "a figure of its own": "fig, axis = plt.subplots(); axis.plot([2, 1]); fig",
    "a warning": "import warnings\nwarnings.warn('careful', UserWarning)",
    "main": "class Here: pass\n__name__, Here.__module__",
    "pickled": "import pickle\npickle.loads(pickle.dumps(Here)).__name__",
    "nothing but a comment": "# nothing",
    "parameters": "project, period, language",
}


@pytest.fixture(scope="module", autouse=True)
def imported():
    """Import once what every fork needs."""
    for name in forks.IMPORTED:
        importlib.import_module(name)


def executed(tmp_path, kernel, *cells):
    """Return an executed chapter of some cells, and the sentence in which it failed."""
    root = make_root(tmp_path / kernel, {"notebooks/cells.ipynb": chapter(*cells)}, chapters=("cells",))
    rules = params.read_rules(root)
    run = params.find_run(rules, "demo", "2024")
    task = freshness.Task(root, run, params.choose_programme(rules, run), ("en",), {}, kernel=kernel)
    notebook, ending = publish.execute(root / "notebooks" / "cells.ipynb", task, "en")
    return notebook, ending.said() or None


def shown(notebook):
    """Return what each cell of ours shows."""
    return {cell.id: cell.outputs for cell in notebook.cells if cell.id.startswith("cell-")}


# --- the same as in a kernel ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Return the same cells executed in a fork and in a kernel."""
    folder = tmp_path_factory.mktemp("both")
    return {kernel: executed(folder, kernel, *CELLS.values()) for kernel in ("fork", "plain")}


def test_every_cell_shows_the_same_in_a_fork_and_in_a_kernel(both):
    (forked, failure), (plain, none) = both["fork"], both["plain"]
    assert failure is None and none is None
    found, expected = shown(forked), shown(plain)
    for name, cell in zip(CELLS, expected, strict=True):
        if name != "a warning":  # it names the process
            assert found[cell] == expected[cell], name
    assert any("image/png" in output.get("data", {}) for outputs in found.values() for output in outputs)


def test_the_notebooks_are_the_same_but_for_the_warning(both):
    texts = []
    for notebook, _ in both.values():
        kept = notebook.copy()
        kept.cells = [cell for cell in notebook.cells if "careful" not in cell.source]
        texts.append(nbformat.writes(kept))
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "cell, name", [("1 / 0", "ZeroDivisionError"), ("def", "SyntaxError"), ("import sys; sys.exit(0)", "SystemExit")]
)  # fmt: skip
def test_a_cell_that_fails_ends_the_chapter_and_stands_on_its_page(tmp_path, cell, name):
    notebook, failure = executed(tmp_path, "fork", "print('before')", cell, "print('after')")
    assert failure.startswith(f"{name}: ")
    outputs = shown(notebook)
    assert outputs["cell-0"][0].text == "before\n"
    assert outputs["cell-1"][-1].output_type == "error" and outputs["cell-1"][-1].ename == name
    assert outputs["cell-2"] == []


def test_text_and_errors_stand_in_the_order_in_which_they_were_written(tmp_path):
    notebook, _ = executed(tmp_path, "fork", "import sys\nprint('a'); print('b', file=sys.stderr); print('c')")
    assert [each.text for each in shown(notebook)["cell-0"]] == ["a\n", "b\n", "c\n"]  # a kernel loses the order


def test_a_question_to_the_reader_is_an_error(tmp_path):
    assert executed(tmp_path, "fork", "input('who? ')")[1].startswith("EOFError")


# --- each by itself ---------------------------------------------------------------------------------------------------


def test_nothing_of_a_chapter_is_left_for_the_next(tmp_path):
    change = "import os, pandas as pd\npd.set_option('display.precision', 1); pd.mine = os.environ['MINE'] = 'x'"
    assert executed(tmp_path, "fork", change)[1] is None
    look = "import os, pandas as pd\npd.get_option('display.precision'), hasattr(pd, 'mine'), 'MINE' in os.environ"
    notebook, _ = executed(tmp_path, "fork", look)
    assert shown(notebook)["cell-0"][0].data["text/plain"] == "(6, False, False)"


def test_two_chapters_draw_other_random_numbers(tmp_path):
    draw = "import random, numpy as np\nnp.random.random(), random.random()"
    drawn = [shown(executed(tmp_path, "fork", draw)[0])["cell-0"][0].data["text/plain"] for _ in range(2)]
    assert drawn[0] != drawn[1]


def test_a_module_beside_the_notebooks_can_be_imported(tmp_path):
    write(tmp_path / "fork", {"ours.py": "ANSWER = 42\n"})
    notebook, failure = executed(tmp_path, "fork", "import ours\nours.ANSWER")
    assert failure is None and shown(notebook)["cell-0"][0].data["text/plain"] == "42"


# --- how it ended -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell, said",
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "the chapter was killed by SIGKILL"),
        ("import os\nos._exit(3)", "the chapter ended its process with 3"),
        ("import ctypes\nctypes.string_at(0)", "the chapter was killed by SIGSEGV"),
    ],
)
def test_a_chapter_whose_process_ends_says_how(tmp_path, cell, said):
    notebook, failure = executed(tmp_path, "fork", cell)
    assert failure == f"DeadKernelError: {said}"
    assert any(output.output_type == "error" for each in notebook.cells for output in each.get("outputs", ()))


def test_what_is_written_past_the_cell_does_not_reach_the_page(tmp_path):
    notebook, failure = executed(tmp_path, "fork", "import os\nos.write(1, b'past'), os.system('echo shell')")
    assert failure is None and "past" not in str(shown(notebook)) and "shell" not in str(shown(notebook))


def test_a_chapter_that_forks_itself_leaves_nothing_behind(tmp_path):
    notebook, failure = executed(tmp_path, "fork", "import os\nif os.fork() == 0: os._exit(0)\nos.wait(); 'done'")
    assert failure is None and shown(notebook)["cell-0"][0].data["text/plain"] == "'done'"


def test_the_work_s_own_sentence_comes_back(tmp_path):
    failed = Ending("failed", "it failed")
    with guarded(Limits(), 60) as guard:
        assert forks.run_in_fork(lambda: failed, tmp_path / "errors.txt", guard) == failed
        assert forks.run_in_fork(Ending, tmp_path / "errors.txt", guard) == Ending()


# --- the command ------------------------------------------------------------------------------------------------------


def test_a_run_has_the_same_pages_in_forks_and_in_kernels(tmp_path):
    folders = []
    for kernel in ("fork", "plain"):
        root = make_root(tmp_path / kernel, chapters=("20_satisfaction",))
        (root / "notebooks/20_satisfaction.ipynb").unlink()  # the shipped one
        rules = params.read_rules(root)
        run = params.find_run(rules, "demo", "2024")
        task = freshness.Task(root, run, params.choose_programme(rules, run), ("en",), {"k": "1"}, kernel=kernel)
        assert publish.publish(task).state == "ok"
        folders.append(root / "reports/demo/2024")
    names = sorted(path.name for path in folders[0].iterdir() if path.name != "manifest.json")
    assert "20_satisfaction.en.html" in names and "record.json" in names
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_a_fork_is_lent_the_survey_of_its_run_and_nothing_is_kept_after_it(tmp_path):
    cell = "from csat_analysis import assessment, load\nsurvey = load.survey(project, period, root)\n"
    look = cell + "survey is load.survey(project, period, root), assessment.assess(survey) is assessment.assess(survey)"
    root = make_root(tmp_path / "root", {"notebooks/cells.ipynb": chapter(look)}, chapters=("cells",))
    rules = params.read_rules(root)
    run = params.find_run(rules, "demo", "2024")
    task = freshness.Task(root, run, params.choose_programme(rules, run), ("en",), {}, kernel="fork")
    assert publish.publish(task).state == "ok"
    assert "(True, True)" in (root / "reports/demo/2024/cells.en.ipynb").read_text("utf-8")
    assert load.survey("demo", "2024", root) is not load.survey("demo", "2024", root)


def test_the_command_runs_chapters_in_forks_and_says_what_it_knows_of_kernels(tmp_path):
    cells = {
        "notebooks/cells.ipynb": chapter(
            "import multiprocessing, os\nos.write(2, b'noise')\nmultiprocessing.parent_process() is not None"
        )
    }
    root = make_root(tmp_path / "root", cells, chapters=("cells",))
    out, err = process("run", "--root", root, "--kernel", "fork").communicate(timeout=120)
    assert ("demo 2024: ok" in out, err) == (True, "")
    assert "True" in (root / "reports/demo/2024/cells.en.ipynb").read_text("utf-8")
    answer = csat("run", "--root", root, "--kernel", "warm")
    assert answer.status == 2 and "'warm' is no kernel; use one of ['fork', 'plain']" in " ".join(answer.err.split())


def test_parameters_are_those_of_every_chapter():
    assert all(name in PARAMETERS for name in publish.PARAMETERS)
