"""A chapter ends at its limits, with whatever it started; the others go on, and every page says what became of it."""

import errno
import importlib
import io
import json
import os
import signal
import time
from dataclasses import replace

import psutil
import pytest

from csat_analysis import cli, runner
from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess
from csat_analysis.execution import chapters, forks, freshness, guards, kernels
from csat_analysis.execution.limits import Limits
from csat_analysis.ground import params
from csat_analysis.publishing import publish
from publishing import (
    RESPONSES,
    Page,
    chapter,
    csat,
    make_root,
    manifest,
    run,
    run_file,
    snapshot,
    state,
    write,
)

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot fork")
KERNELS = ("fork", "plain")
PAGES = "reports/demo/2024"
ENDLESS = "print('before', flush=True)\nimport time\ntime.sleep(1000)"


STARTS = {
    "a process": "import subprocess\nchild = subprocess.Popen(['sleep', '1000.{n}'])",
    "a process in a session of its own": "import subprocess\nchild = subprocess.Popen(['sleep', '1000.{n}'], start_new_session=True)",
    "an orphan in a session of its own": "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork(): os._exit(0)\n    os.execvp('sleep', ['sleep', '1000.{n}'])\nos.wait()",
    "one that holds its pipes": "import subprocess\nsubprocess.Popen(['sleep', '1000.{n}'], close_fds=False)",
}  # fmt: skip


def sleepers(number):
    """Return the processes that sleep for a time that only one test knows."""
    found = (each.info["cmdline"] for each in psutil.process_iter(["cmdline"]))
    return [each for each in found if each == ["sleep", f"1000.{number}"]]


ORPHAN = "an orphan in a session of its own"


def task_of(root, kernel="fork", languages=("en",), **limited):
    """Return the task that publishes the demonstration's run, within some limits."""
    rules = params.read_rules(root)
    run = params.find_run(rules, "demo", "2024")
    document = params.choose_programme(rules, run)
    return freshness.Task(root, run, document, languages, {"k": "1"}, kernel=kernel, limits=Limits(**limited))


def executed(folder, kernel, *cells, language="en", **limited):
    """Return a chapter of some cells as it was executed within some limits, and how that ended."""
    root = make_root(folder / "root", {"notebooks/cells.ipynb": chapter(*cells)}, chapters=("cells",))
    task = task_of(root, kernel, **{"retries": 0, **limited})
    with chapters.Place() as place:
        return place.execute(publish.order_of(root / "notebooks/cells.ipynb", task, language), task.limits.seconds)


@pytest.fixture(scope="module", autouse=True)
def imported(tmp_path_factory):
    """Import once what every fork needs, and what publishing one does: no test waits for it."""
    for name in forks.IMPORTED:
        importlib.import_module(name)
    assert executed(tmp_path_factory.mktemp("first"), "fork", "1", seconds=600)[1].state == "ok"


def published(folder, notebooks, kernel="fork", **limited):
    """Return what became of a run with some chapters, and the folder of its pages."""
    files = {f"notebooks/{name}.ipynb": chapter(*cells) for name, cells in notebooks.items()}
    root = make_root(folder / "root", files, chapters=tuple(notebooks))
    return publish.publish(task_of(root, kernel, **limited)), root / PAGES


def text_of(notebook):
    """Return what the cells of a notebook print, and what its notices say."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "".join(output.get("text", "") + output.get("evalue", "") for output in outputs)


# --- time -------------------------------------------------------------------------------------------------------------


COUNTS = "import pathlib\npathlib.Path('tries').open('a').write('x')"


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_chapter_that_never_ends_is_stopped_once_with_what_it_started_and_shows_what_it_had_shown(kernel, tmp_path):
    begun, number = time.monotonic(), os.getpid() * 10 + 2
    seconds = 3 if kernel == "fork" else 6  # for all that comes before, on a busy machine too
    cells = (f"print('first')\n{COUNTS}", STARTS[ORPHAN].format(n=number), ENDLESS, "print('never')")
    notebook, ending = executed(tmp_path, kernel, *cells, seconds=seconds, retries=3)
    assert time.monotonic() - begun < seconds + 6
    assert (ending.state, ending.heals) == ("timed_out", False)
    assert ending.said().startswith(f"Stopped after {seconds}.0 s; all chapters together may take {seconds} s")
    assert text_of(notebook).startswith("first\nbefore\nStopped after")
    kinds = [(cell.id, cell.get("outputs", [])[-1:]) for cell in notebook.cells if cell.cell_type == "code"]
    names = [name for name, _ in kinds]
    assert names[names.index("cell-2") + 1] == "failure"  # below the cell that never ended
    assert ((tmp_path / "root/tries").read_text(), sleepers(number)) == ("x", [])


def test_a_cell_that_does_not_listen_is_stopped_all_the_same_and_its_page_speaks_its_language(tmp_path):
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass"
    notebook, ending = executed(tmp_path, "fork", "print('first')", deaf, language="zh", seconds=1)
    assert ending.state == "timed_out" and text_of(notebook).startswith("first\n运行 1.0 秒后被停止")


def test_a_chapter_that_prints_for_ever_is_stopped_and_its_text_cut(tmp_path):
    notebook, ending = executed(tmp_path, "fork", "while True: print('x' * 1000)", seconds=1, text=5_000)
    assert ending.state == "timed_out"
    assert text_of(notebook).count("x") < 6_000
    assert "characters were left out" in text_of(notebook) and "Stopped after 1.0 s" in text_of(notebook)


def test_one_that_never_ends_leaves_time_for_the_others(tmp_path):
    outcome, pages = published(tmp_path, {"10_endless": [ENDLESS], "20_quick": ["print('quick')"]}, seconds=2)
    assert outcome.state == "timed_out"
    assert outcome.chapters == {"10_endless.en.html": "timed_out", "20_quick.en.html": "ok"}
    assert "quick" in Page((pages / "failed/20_quick.en.html").read_text("utf-8")).text
    page = Page((pages / "failed/10_endless.en.html").read_text("utf-8")).text
    assert "Thischapterisnotcomplete" in page and "Stoppedafter" in page and "before" in page
    made = json.loads((pages / "failed/manifest.json").read_text("utf-8"))
    assert (made["state"], made["chapters"]) == ("timed_out", outcome.chapters)
    assert list(made["failures"]) == ["10_endless.en.html"]


def test_a_chapter_for_which_there_is_no_time_is_not_begun(tmp_path):
    outcome, pages = published(tmp_path, {"10_quick": ["print('quick')"]}, seconds=1e-9)
    assert (outcome.state, outcome.chapters) == ("timed_out", {"10_quick.en.html": "skipped"})
    assert outcome.messages == [
        "demo 2024: 10_quick (en): Not begun: the 0 s that all chapters together may take were over."
    ]
    assert "Notbegun" in Page((pages / "failed/10_quick.en.html").read_text("utf-8")).text


# --- what it started --------------------------------------------------------------------------------------------------

THERE = "import psutil, time\ntime.sleep(.1)\nassert {numbers} <= {{p.info['cmdline'][-1] for p in psutil.process_iter(['cmdline']) if p.info['cmdline']}}"


@pytest.mark.parametrize(
    ("names", "end"),
    [
        ((*STARTS,), "import time\ntime.sleep(1000)"),
        *(((ORPHAN,), end) for end in ("", "import os\nos._exit(3)", "1 / 0")),
    ],
    ids=["everything, stopped", "an orphan, well", "an orphan, by its own hand", "an orphan, by an error"],
)
def test_nothing_is_left_of_what_a_chapter_started_however_it_ended(names, end, tmp_path):
    numbers = {name: f"{os.getpid()}{place}" for place, name in enumerate(names)}
    begun, stopped = time.monotonic(), "1000" in end
    check = THERE.format(numbers={f"1000.{number}" for number in numbers.values()})
    cells = (*(STARTS[name].format(n=numbers[name]) for name in names), check, end)
    _, ending = executed(tmp_path, "fork", *cells, seconds=2 if stopped else 60)
    assert ending.state == ("timed_out" if stopped else "failed" if end else "ok"), ending.said()
    assert {name: sleepers(number) for name, number in numbers.items()} == dict.fromkeys(names, [])
    assert time.monotonic() - begun < 6


def test_a_copy_that_a_cell_makes_of_its_process_ends_with_the_cell(tmp_path):
    notebook, ending = executed(tmp_path, "fork", "import os\npid = os.fork()", "print('once' if pid else 'twice')")
    assert (ending.state, text_of(notebook)) == ("ok", "once\n")


SPREADS = (
    "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(abs, [-1, -2]))"
)


def test_a_cell_may_spread_its_work_over_processes(tmp_path):
    notebook, ending = executed(tmp_path, "fork", SPREADS)
    assert (ending.state, text_of(notebook)) == ("ok", "[1, 2]\n")


TELLS_AT_ONCE = """\
import os, signal, time
for _ in range(100):
    if not (child := os.fork()):
        time.sleep(60)
        os._exit(0)
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == signal.SIGTERM
print("all")
"""


def test_a_process_that_is_told_to_end_as_soon_as_it_is_forked_hears_it(tmp_path):
    notebook, ending = executed(tmp_path, "fork", TELLS_AT_ONCE, seconds=30)
    assert (ending.state, text_of(notebook)) == ("ok", "all\n")


def test_a_cell_that_cuts_its_line_to_the_process_that_waits_is_stopped_all_the_same(tmp_path):
    begun = time.monotonic()
    _, ending = executed(tmp_path, "fork", "import os\nos.closerange(3, 300)", ENDLESS, seconds=1)
    assert ending.state == "timed_out" and time.monotonic() - begun < 5


# --- memory -----------------------------------------------------------------------------------------------------------

EATS = "print('before', flush=True)\nheld = []\nimport time\nwhile True:\n    held.append(bytearray(30_000_000))\n    time.sleep(0.05)"


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_chapter_that_holds_too_much_memory_is_stopped_and_the_others_go_on(kernel, tmp_path):
    chapters = {"10_eats": [EATS], "20_quick": ["print('quick')"]}
    outcome, pages = published(tmp_path, chapters, kernel, memory=700, seconds=60)
    assert (outcome.state, outcome.chapters) == ("killed", {"10_eats.en.html": "killed", "20_quick.en.html": "ok"})
    [message] = outcome.messages
    assert message.startswith("demo 2024: 10_eats (en): Stopped when it held ")
    assert message.endswith(" MB of memory; a chapter may hold 700 MB.")
    assert "before" in Page((pages / "failed/10_eats.en.html").read_text("utf-8")).text


def test_what_a_chapter_starts_counts_as_its_memory(tmp_path):
    child = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; x = bytearray(800_000_000); time.sleep(60)'])"
    _, ending = executed(tmp_path, "fork", child, memory=700, seconds=30)
    assert (ending.state, ending.key) == ("killed", "memory")


# --- what can heal ----------------------------------------------------------------------------------------------------

KILLED_ONCE = """\
import os, pathlib, signal
pathlib.Path("tries").open("a").write("x")
if len(pathlib.Path("tries").read_text()) == 1:
    os.kill(os.getpid(), signal.SIGKILL)
print("there")
"""


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_chapter_that_was_killed_from_outside_is_tried_again(kernel, tmp_path):
    notebook, ending = executed(tmp_path, kernel, KILLED_ONCE, retries=1, seconds=60)
    assert (ending.state, text_of(notebook)) == ("ok", "there\n")


@pytest.mark.parametrize("kernel", KERNELS)
def test_without_another_try_it_counts_as_killed(kernel, tmp_path):
    _, ending = executed(tmp_path, kernel, KILLED_ONCE, retries=0, seconds=60)
    assert ending.state == "killed"


@pytest.mark.parametrize("end", ["1 / 0", "import os; os._exit(3)", "import sys; sys.exit(0)"])
def test_what_cannot_heal_is_tried_once(end, tmp_path):
    _, ending = executed(tmp_path, "fork", COUNTS, end, retries=3, seconds=60)
    assert ending.state == "failed" and not ending.heals
    assert (tmp_path / "root/tries").read_text() == "x"


def test_a_process_that_cannot_be_forked_for_now_is_tried_again(tmp_path, monkeypatch):
    refused, fork = [BlockingIOError(11, "Resource temporarily unavailable")], forks.Fork

    def refuse_once(*arguments):
        if refused:
            raise refused.pop()
        return fork(*arguments)

    monkeypatch.setattr(forks, "Fork", refuse_once)
    assert executed(tmp_path, "fork", "print('there')", retries=1)[1].state == "ok"


def test_a_kernel_that_does_not_start_is_tried_again(tmp_path, monkeypatch):
    refused, start = [RuntimeError("Kernel didn't respond in 60 seconds")], kernels.Client.start_new_kernel

    def refuse_once(*arguments, **options):
        if refused:
            raise refused.pop()
        return start(*arguments, **options)

    monkeypatch.setattr(kernels.Client, "start_new_kernel", refuse_once)
    assert executed(tmp_path, "plain", "print('there')", retries=1)[1].state == "ok"


def test_a_file_system_that_fails_for_a_moment_is_tried_again_and_a_full_one_is_not(tmp_path, monkeypatch):
    faults, exchange = [errno.ESTALE], publish.exchange

    def fail(work, target):
        if faults:
            raise OSError(faults.pop(), "no")
        exchange(work, target)

    monkeypatch.setattr(publish, "exchange", fail)
    root = make_root(tmp_path)
    assert run(root).status == 0
    faults += [errno.ENOSPC]
    answer = run(root, "--force")
    assert (answer.status, faults) == (1, []) and "cannot be written (no)" in answer.err


# --- how much it shows ------------------------------------------------------------------------------------------------


AT_ONCE = "print('x' * 100_000_000)"
BY_AND_BY = "for _ in range(100): print('x' * 1_000_000, end='')\nprint()"


@pytest.mark.parametrize(("kernel", "cell"), [("fork", AT_ONCE), ("fork", BY_AND_BY), ("plain", BY_AND_BY)])
def test_a_chapter_that_prints_100_mb_is_cut_and_fails(cell, kernel, tmp_path):
    outcome, pages = published(tmp_path, {"10_loud": [cell, "print('after')"], "20_quick": ["1"]}, kernel)
    assert outcome.chapters == {"10_loud.en.html": "failed", "20_quick.en.html": "ok"}
    said = "99,000,007 characters were left out, as it shows more than a page can hold; let it show less."
    assert outcome.messages == [f"demo 2024: 10_loud (en): {said}"]
    page = pages / "failed/10_loud.en.html"
    assert page.stat().st_size < 1_500_000
    assert said.replace(" ", "") in Page(page.read_text("utf-8")).text


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_table_that_no_page_can_hold_is_left_out(kernel, tmp_path):
    cell = "from IPython.display import HTML\nHTML('x' * 200_000)"
    notebook, ending = executed(tmp_path, kernel, cell, shown=100_000)
    assert (ending.state, ending.key) == ("failed", "text")
    assert len(str(notebook)) < 20_000 and "characters were left out" in text_of(notebook)


def test_an_error_of_100_mb_is_shortened(tmp_path):
    notebook, ending = executed(tmp_path, "fork", "raise ValueError('x' * 100_000_000)")
    assert ending.state == "failed" and len(ending.said()) < 3_000 and len(str(notebook)) < 10_000


def test_what_the_shell_writes_without_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(guards, "LONGEST_LOG", 1_000_000)
    _, ending = executed(tmp_path, "fork", "import os\nos.system('yes')", seconds=60)
    assert (ending.state, ending.key) == ("failed", "log")


# --- is it what was asked for? ----------------------------------------------------------------------------------------

LOADS = "from csat_analysis import load\nsurvey = load.survey({project}, {period}, root)"
TWO = {"params/runs/other.yml": run_file("other", "2024"), "data/other/2024/responses.csv": RESPONSES}


OTHER = LOADS.format(project="'other'", period="period")


@pytest.mark.parametrize(
    ("kernel", "cell", "found"),
    [
        ("fork", "project = 'other'", "other 2024 en"),
        ("fork", "period = '1999'", "demo 1999 en"),
        ("fork", "language = 'zh'", "demo 2024 zh"),
        ("fork", "del project", "None 2024 en"),
        ("fork", OTHER, "other 2024"),
        ("plain", "project = 'other'", "other 2024 en"),
        ("plain", OTHER, "other 2024"),
    ],
)
def test_a_chapter_that_reports_another_run_than_it_was_given_fails(cell, found, kernel, tmp_path):
    write(tmp_path / "root", TWO)
    _, ending = executed(tmp_path, kernel, cell)
    assert (ending.state, ending.said()) == (
        "failed", f"Given demo 2024 en, and about {found} in the end; let it keep its parameters."
    )  # fmt: skip


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_chapter_that_reports_its_own_run_may_look_at_another(kernel, tmp_path):
    write(tmp_path / "root", TWO)
    cell = LOADS.format(project="project", period="int(period)") + "\nload.survey('other', period, root)"
    assert executed(tmp_path, kernel, cell)[1].state == "ok"


# --- a chapter that deletes its own input -----------------------------------------------------------------------------


def test_a_chapter_that_deletes_its_input_leaves_the_old_pages_and_the_other_runs_right(tmp_path):
    root = make_root(tmp_path / "root", {**TWO, "notebooks/10_own.ipynb": chapter("1")}, chapters=("10_own",))
    assert run(root, "--project", "demo").status == 0
    before = snapshot(root / PAGES)
    delete = "import os\nif project == 'demo':\n    os.remove('notebooks/10_own.ipynb'); os.remove('data/demo/2024/responses.csv')\n1 / 0"
    write(root, {"notebooks/10_own.ipynb": chapter(delete.replace("1 / 0", "assert project != 'demo'"))})
    answer = run(root, "--language", "en", "--language", "zh")
    assert answer.status == 1
    after = {path: sha for path, sha in snapshot(root / PAGES).items() if not path.startswith("failed")}
    assert after == before
    assert (
        "demo 2024: 10_own (zh): notebooks/10_own.ipynb is gone, or is no notebook any more; put it back." in answer.err
    )
    answer = run(root, "--project", "demo")
    assert answer.status == 2 and "there is no notebooks/10_own.ipynb" in answer.err
    write(root, {"notebooks/10_own.ipynb": chapter("1")})
    answer = run(root, "--project", "demo")
    assert answer.status == 2 and "data/demo/2024" in answer.err and "responses" in answer.err


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_keeps_the_limits_and_prints_one_line_of_json_for_each_run(tmp_path):
    endless = "import time\nif project == 'demo' : time.sleep(1000)\nprint('quick')"
    root = make_root(tmp_path, {**TWO, "notebooks/10_one.ipynb": chapter(endless)}, chapters=("10_one",))
    answer = csat("run", "--root", root, "--kernel", "fork", "--timeout", "3", "--json", "-v")
    demo, other = map(json.loads, answer.out.splitlines())
    assert answer.status == 1
    assert (demo["project"], demo["period"], demo["state"]) == ("demo", "2024", "timed_out")
    assert demo["chapters"] == {"10_one.en.html": "timed_out"} and demo["seconds"] >= 3
    assert [answer.err.strip()] == demo["messages"]
    assert other == {
        "project": "other", "period": "2024", "state": "ok", "seconds": other["seconds"], "messages": [], "why": [],
        "chapters": {"10_one.en.html": "ok"},
    }  # fmt: skip
    assert state(root).startswith("failed: 10_one (en): Stopped after")
    assert manifest(root, "other/2024")["state"] == "ok"
    again = csat("run", "--root", root, "--project", "other", "--json")
    assert json.loads(again.out) | {"state": "skipped", "why": [], "chapters": {}} == json.loads(again.out)


def test_a_run_that_timed_out_is_said_so(tmp_path):
    root = make_root(tmp_path, {"notebooks/10_one.ipynb": chapter(ENDLESS)}, chapters=("10_one",))
    answer = csat("run", "--root", root, "--kernel", "fork", "--timeout", "1")
    assert (answer.status, answer.out.split(" in ")[0]) == (1, "demo 2024: timed out")


@pytest.mark.parametrize("option", [["--timeout", "0"], ["--memory", "-1"], ["--retries", "-1"]])
def test_a_limit_that_is_none_is_refused(option, tmp_path):
    assert csat("run", "--root", make_root(tmp_path), *option).status == 2


LEAVES = """\
import os, signal, subprocess
left = subprocess.Popen(["sleep", "300"], start_new_session=True)
open("left", "w").write(str(left.pid))
os.kill(os.getppid(), signal.SIGKILL)
"""


def test_what_a_chapter_started_in_a_session_of_its_own_ends_also_where_the_process_that_watched_it_is_killed(tmp_path):
    root = make_root(tmp_path, {"notebooks/10_one.ipynb": chapter(LEAVES)}, chapters=("10_one",))
    answer = csat("run", "--root", root, "--jobs", "1", "--kernel", "fork", "--retries", "0")
    assert answer.out.startswith("demo 2024: killed in ")
    assert not psutil.pid_exists(int((root / "left").read_text()))


def test_the_pages_of_a_fault_are_kept_though_it_keeps_the_record_from_being_written_too(tmp_path, monkeypatch):
    root = make_root(tmp_path, {"notebooks/10_one.ipynb": chapter("raise KeyError('a fault')")}, chapters=("10_one",))
    monkeypatch.setattr(publish, "write_numbers", lambda *arguments: {}["a fault"])
    answer = csat("run", "--root", root, "--jobs", "1", "--kernel", "plain")
    assert answer.status == 1 and "10_one (en): KeyError: 'a fault'" in answer.err
    assert "afault" in Page((root / "reports/demo/2024/failed/10_one.en.html").read_text("utf-8")).text


def test_where_no_chapter_fails_a_record_that_cannot_be_written_is_a_fault_and_leaves_no_pages(tmp_path, monkeypatch):
    root = make_root(tmp_path, {"notebooks/10_one.ipynb": chapter("1 + 1")}, chapters=("10_one",))
    monkeypatch.setattr(publish, "write_numbers", lambda *arguments: {}["a fault"])
    answer = csat("run", "--root", root, "--jobs", "1", "--kernel", "plain")
    assert answer.status == 1 and "a fault of the package (KeyError" in answer.err
    assert not list(root.glob("reports/demo/*"))


@pytest.mark.parametrize(
    ("slow", "what"),
    [
        ((load, "read_survey"), "to read and judge its tables"),
        ((publish, "judge_change"), "to judge its change"),
        ((publish, "write_numbers"), "to write its pages and numbers"),
    ],
)
def test_whatever_of_a_run_never_ends_is_stopped_and_leaves_no_pages(slow, what, tmp_path, monkeypatch):
    root = make_root(tmp_path)
    rules = params.read_rules(root)
    [state] = freshness.states_of(freshness.Sources(rules), rules.runs, kernel="fork")
    assess(load.survey("demo", "2024", root))  # what takes time at first
    monkeypatch.setattr(publish, "LEAST", 0.0)
    monkeypatch.setattr(*slow, lambda *arguments: time.sleep(60))
    task = replace(state.task, limits=Limits(seconds=1.4))
    outcome = runner._bring_up_to_date(replace(state, task=task))
    said = f"demo 2024: {what} takes longer than 1 s, see --timeout."
    assert (outcome.state, outcome.messages) == ("timed_out", [said])
    assert not list(root.glob("reports/demo/*"))


KILLS_ONE = "import os, signal\nif project == 'c': os.kill(os.getppid(), signal.SIGKILL)\nprint('there')"


def test_a_process_that_is_killed_takes_only_its_own_run_with_it(tmp_path):
    names = list("abcde")
    files = {f"params/runs/{name}.yml": run_file(name, "2024") for name in names}
    files |= {f"data/{name}/2024/responses.csv": RESPONSES for name in names}
    files |= {"params/runs/demo.yml": None, "notebooks/10_one.ipynb": chapter(KILLS_ONE)}
    root = make_root(tmp_path, files, chapters=("10_one",))
    answer = csat("run", "--root", root, "--jobs", "2", "--kernel", "fork")
    ended = dict(line.split(" in ")[0].split(" 2024: ") for line in answer.out.splitlines())
    assert list(ended) == names and answer.status == 1
    killed = [name for name, state in ended.items() if state == "killed"]
    assert killed == ["c"]  # and not the one that was worked on beside it
    assert set(ended.values()) == {"ok", "killed"}
    assert "c 2024: a process that works on the runs was killed (out of memory?)" in answer.err
    assert not list(root.glob("reports/*/.*"))


class Terminal(io.StringIO):
    """A terminal that somebody watches."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "quiet", "shown"), [(Terminal, False, True), (Terminal, True, False), (io.StringIO, False, False)]
)
def test_progress_is_shown_with_the_time_left_where_somebody_watches(stream, quiet, shown, monkeypatch):
    monkeypatch.setattr("sys.stderr", stream())
    monkeypatch.setenv("TERM", "xterm")
    with cli._progress(2, quiet) as advance:
        advance(1)
        time.sleep(0.2)
    said = cli.sys.stderr.getvalue()
    assert ("1/2" in said, "Runs" in said, ":" in said) == (shown,) * 3
