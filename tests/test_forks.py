"""A chapter in a fork shows what it shows in a kernel, has nothing of the one before, and says how it ended."""

import errno
import importlib
import os
import signal
import sys
import time
import warnings
from pathlib import Path

import nbformat
import pytest

from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess
from csat_analysis.execution import chapters, forks, freshness
from csat_analysis.execution.limits import Ending
from csat_analysis.execution.threads import one_thread
from csat_analysis.ground import lending, params
from csat_analysis.publishing import publish
from publishing import CHECKOUT, PARAMETERS, chapter, csat, make_root, process, write

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
    with chapters.Place() as place:
        notebook, ending = place.execute(publish.order_of(root / "notebooks" / "cells.ipynb", task, "en"), 600)
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


# --- the package's own share a fork -----------------------------------------------------------------------------------


@pytest.fixture
def begun(monkeypatch):
    """Return the forks that were begun, in order."""
    forked = []

    class Counted(forks.Fork):
        def __init__(self, errors):
            super().__init__(errors)
            forked.append(self)

    monkeypatch.setattr(forks, "Fork", Counted)
    return forked


def notebooks(orders):
    """Return what each of some chapters is as a notebook, executed one after the other in one place."""
    with chapters.Place() as place:
        made = [place.execute(order, 600) for order in orders]
    assert [each.ending for each in made] == [Ending()] * len(orders)
    return [nbformat.writes(each.notebook) for each in made]


SHARING = (("yuanya", "2024"), ("qingyun", "2024"))


def shared_orders(project, period):
    """Return the orders for all chapters of a demo run, in either language in turn."""
    rules = params.read_rules(CHECKOUT)
    run = params.find_run(rules, project, period)
    task = freshness.Task(CHECKOUT, run, params.choose_programme(rules, run), ("zh", "en"), {}, kernel="fork")
    names = freshness.chapters_of(task.document.content, run)
    paths = [freshness.chapter_path(CHECKOUT, task.document.path.name, name) for name in names]
    return [publish.order_of(path, task, ("zh", "en")[number % 2]) for number, path in enumerate(paths)]


def test_every_chapter_of_the_package_is_one_of_those_that_are_tried_together():
    tried = {order.path.name for run in SHARING for order in shared_orders(*run)}
    assert tried == {path.name for path in CHECKOUT.glob("notebooks/[0-9]*.ipynb")}


@pytest.mark.parametrize(("project", "period"), SHARING)
def test_in_whichever_order_chapters_of_the_package_share_a_fork_they_show_what_they_show_alone(project, period, begun):
    orders = shared_orders(project, period)
    result = assess(load.survey(project, period, CHECKOUT))
    known = {("assessment", id(result.survey)): result, ("survey", project, period, CHECKOUT): result.survey}
    with lending.lend(known):
        alone = [text for order in orders for text in notebooks([order])]
        assert len(begun) == len(orders) > 2
        begun.clear()
        assert notebooks(orders) == alone
        assert notebooks(orders[::-1]) == alone[::-1]
        assert len(begun) == 2


def two_orders(tmp_path, first, second):
    """Return the orders for two chapters of some cells."""
    files = {"notebooks/one.ipynb": chapter(first), "notebooks/two.ipynb": chapter(second)}
    root = make_root(tmp_path, files, chapters=("one", "two"))
    rules = params.read_rules(root)
    run = params.find_run(rules, "demo", "2024")
    task = freshness.Task(root, run, params.choose_programme(rules, run), ("en",), {}, kernel="fork")
    return [publish.order_of(root / f"notebooks/{name}.ipynb", task, "en") for name in ("one", "two")]


MARKS, LOOKS = "import os\nname = os.environ['MARKED'] = 'x'", "import os\n'MARKED' in os.environ, 'name' in globals()"


def test_a_chapter_of_an_analyst_has_a_fork_of_its_own(tmp_path, begun):
    assert "(False, False)" in notebooks(two_orders(tmp_path, MARKS, LOOKS))[1]
    assert len(begun) == 2


def test_the_checksums_of_our_own_chapters_are_those_of_today():
    lines = [
        f"{freshness.file_digest(path)}  {path.name}\n" for path in sorted(CHECKOUT.glob("notebooks/[0-9]*.ipynb"))
    ]
    assert chapters.OWN.read_text("utf-8") == "".join(lines)  # else: see CONTRIBUTING.md, "Add a chapter"


def test_a_chapter_is_ours_by_what_it_is_not_by_where_it_lies(tmp_path, begun):
    first, second = two_orders(tmp_path, "1", "2")
    first.path.write_bytes((CHECKOUT / "notebooks/20_satisfaction.ipynb").read_bytes())
    assert chapters.is_ours(first.path) and not chapters.is_ours(second.path)
    first.path.write_bytes(first.path.read_bytes() + b" ")
    assert not chapters.is_ours(first.path)


def test_the_names_of_one_chapter_are_gone_for_the_next_in_the_same_fork(tmp_path, begun, monkeypatch):
    monkeypatch.setattr(chapters, "is_ours", lambda path: True)
    assert "(True, False)" in notebooks(two_orders(tmp_path, MARKS, LOOKS))[1]  # what one may not leave, and a name
    assert len(begun) == 1


@pytest.mark.parametrize("end", ["1 / 0", "os._exit(3)", "project = 'other'"])
def test_what_does_not_end_well_in_the_fork_of_another_is_tried_again_alone(end, tmp_path, begun, monkeypatch):
    monkeypatch.setattr(chapters, "is_ours", lambda path: True)
    blames = f"import os\nif 'MARKED' in os.environ: {end}\n'we' + 'll'"
    assert "'well'" in notebooks(two_orders(tmp_path, MARKS, blames))[1]
    assert len(begun) == 2


def test_what_does_not_end_well_alone_either_is_tried_no_more_and_takes_its_fork_with_it(tmp_path, begun, monkeypatch):
    monkeypatch.setattr(chapters, "is_ours", lambda path: True)
    first, second = two_orders(tmp_path, "'well'", "open('tries', 'a').write('x')\n1 / 0")
    with chapters.Place() as place:
        states = [place.execute(order, 600).ending.state for order in (first, second, first)]
    assert states == ["ok", "failed", "ok"] and (tmp_path / "tries").read_text() == "xx" and len(begun) == 3
    assert [fork.process.is_alive() for fork in begun] == [False] * 3


def test_one_that_never_ends_in_the_fork_of_another_has_its_time_once(tmp_path, begun, monkeypatch):
    monkeypatch.setattr(chapters, "is_ours", lambda path: True)
    first, second = two_orders(tmp_path, "'well'", "import time\ntime.sleep(1000)")
    with chapters.Place() as place:
        states = [place.execute(order, seconds).ending.state for order, seconds in ((first, 600), (second, 1))]
    assert states == ["ok", "timed_out"] and len(begun) == 1


def test_a_warning_is_shown_by_every_chapter_of_a_fork(tmp_path, begun, monkeypatch):
    monkeypatch.setattr(chapters, "is_ours", lambda path: True)
    shows = lambda said, kind, *place, **more: sys.stdout.write(f"{kind.__name__}: {said}")  # noqa: E731
    monkeypatch.setattr(warnings, "showwarning", shows)  # pytest keeps them for itself
    library = "def careful():\n    import warnings\n    warnings.warn('careful', RuntimeWarning)\n"
    write(tmp_path, {"ours.py": library})
    first, second = notebooks(two_orders(tmp_path, *["import ours\nours.careful()"] * 2))
    assert len(begun) == 1 and "RuntimeWarning: careful" in first and "RuntimeWarning: careful" in second


DELETES = """\
import gc
from csat_analysis.execution.traces import Trace
[trace] = [each for each in gc.get_objects() if isinstance(each, Trace)]
trace.{name}.unlink()
"""


@pytest.mark.parametrize("name", ["file", "notebook"])
def test_a_chapter_that_deletes_what_it_has_told_has_failed(name, tmp_path):
    _, failure = executed(tmp_path, "fork", "print('before')", DELETES.format(name=name), "print('after')")
    assert failure == "What its cells have shown is no longer all there; let no cell delete files of others."


def test_half_a_character_does_not_end_a_run(tmp_path):
    notebook, failure = executed(tmp_path, "fork", "print('a\\ud800b')")
    assert failure is None and shown(notebook)["cell-0"][0].text == "a?b\n"


def test_a_fork_that_stands_still_has_its_time_and_no_more_however_large_its_notebook(tmp_path, begun, monkeypatch):
    monkeypatch.setattr(chapters, "is_ours", lambda path: True)
    first, second = two_orders(tmp_path, "'well'", f"'{'x' * 2_000_000}'")
    with chapters.Place() as place:
        assert place.execute(first, 600).ending.state == "ok"
        os.kill(begun[0].process.pid, signal.SIGSTOP)
        started = time.monotonic()
        assert place.execute(second, 1).ending.state == "timed_out"
        assert time.monotonic() - started < 10


def test_a_notebook_that_cannot_be_read_for_a_moment_is_tried_again(tmp_path, monkeypatch):
    order, _ = two_orders(tmp_path, "'we' + 'll'", "1")
    faults, read = [errno.ESTALE], Path.read_bytes

    def fail(path):
        if path == order.path and faults:
            raise OSError(faults.pop(), "no")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", fail)
    assert "'well'" in notebooks([order])[0] and not faults


def test_a_fork_ends_when_its_pipe_does(tmp_path):
    fork = forks.Fork(tmp_path / "errors.txt")
    fork.here.close()
    fork.process.join(10)
    assert fork.process.exitcode == 0


def test_an_output_that_a_later_cell_changes_is_the_last_one(tmp_path):
    notebook, failure = executed(tmp_path, "fork", "shown = display('one', display_id=True)", "shown.update('two')")
    assert failure is None
    assert [output.data["text/plain"] for output in shown(notebook)["cell-0"]] == ["'two'"]


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


# --- the command ------------------------------------------------------------------------------------------------------


def test_a_run_has_the_same_pages_in_forks_and_in_kernels(tmp_path):
    folders = []
    for kernel in ("fork", "plain"):
        root = make_root(tmp_path / kernel, chapters=("10_fieldwork", "20_satisfaction"))
        for path in root.glob("notebooks/*"):
            path.unlink()  # the shipped ones
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
            "import multiprocessing, os\nos.write(2, b'noise')\n"
            "multiprocessing.parent_process() is not None, os.environ['OPENBLAS_NUM_THREADS']"
        )
    }
    root = make_root(tmp_path / "root", cells, chapters=("cells",))
    out, err = process("run", "--root", root, "--kernel", "fork").communicate(timeout=120)
    assert ("demo 2024: ok" in out, err) == (True, "")
    assert "(True, '1')" in (root / "reports/demo/2024/cells.en.ipynb").read_text("utf-8")
    answer = csat("run", "--root", root, "--kernel", "warm")
    assert answer.status == 2 and "'warm' is no kernel; use one of ['fork', 'plain']" in " ".join(answer.err.split())


def test_what_is_started_calculates_in_one_thread_unless_somebody_has_said_in_how_many(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with one_thread():
        assert (os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]) == ("4", "1")
    assert os.environ["OMP_NUM_THREADS"] == "4" and "OPENBLAS_NUM_THREADS" not in os.environ


def test_a_kernel_calculates_in_one_thread(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    notebook, _ = executed(tmp_path, "plain", "import os\nos.environ['OPENBLAS_NUM_THREADS']")
    assert shown(notebook)["cell-0"][0].data["text/plain"] == "'1'"


def test_parameters_are_those_of_every_chapter():
    assert all(name in PARAMETERS for name in publish.PARAMETERS)
