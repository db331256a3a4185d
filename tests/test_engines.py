"""A cluster makes the same pages as this machine, whatever happens to its workers; what cannot work is a sentence."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from csat_analysis.execution import engines
from csat_analysis.ground.errors import ReportError
from publishing import RESPONSES, chapter, csat, make_root, process, programme, run, run_file, snapshot, write

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signals here")]
SIX = "abcdef"
# On the first worker a chapter waits, so that there is one in whose middle it can be killed.
WAITS = chapter(
    "import os, time\nfirst = os.environ.get('WORKER') == 'first'",
    "if first: print('here', file=open('begun', 'a'), flush=True); time.sleep(120)",
    "import pandas as pd\npd.read_csv(f'data/{project}/{period}/responses.csv')",
)
SLOW = chapter("import os, time\nopen(f'begun.{os.getpid()}', 'w').close()\ntime.sleep(120)")
KILLS = chapter("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")


def make(folder, projects, *chapters, **notebooks):
    """Return a root of some projects, whose answers differ, with chapters of ours."""
    files = {f"notebooks/{name}.ipynb": text for name, text in notebooks.items()} | {"params/runs/demo.yml": None}
    for number, name in enumerate(projects):
        files[f"params/runs/{name}.yml"] = run_file(name, "2024")
        files[f"data/{name}/2024/responses.csv"] = RESPONSES.replace("fair", "dissatisfied", number % 3)
    return make_root(folder, {**files, "params/programmes/demo.yml": programme(*chapters)})


def judge(root, project, name):
    """Let a project be judged by a procedure of its own, with one chapter."""
    procedure = programme(name).replace("id: demo", "id: other")
    file = run_file(project, "2024").replace("programme: demo", "programme: other")
    write(root, {"params/programmes/other.yml": procedure, f"params/runs/{project}.yml": file})


def wait(reached, seconds=200):
    """Wait until something is so, for some seconds at the most."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def dask(*arguments, **environment):
    """Return a part of a cluster as a process of its own, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *map(str, arguments)], env=os.environ | environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def session(number):
    """Return the processes of a session that have not ended."""
    found = []
    for each in psutil.process_iter(["status"]):
        try:
            if os.getsid(each.pid) == number and each.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(each.pid)
        except OSError:  # it ended meanwhile
            continue
    return found


def kill(*sessions):
    """End all processes of some sessions at once."""
    for each in sessions:
        for number in session(each.pid):
            os.kill(number, signal.SIGKILL)
        each.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Return a scheduler's address, its two workers (one plain, one with a nanny and two threads), and the scheduler."""
    file = tmp_path_factory.mktemp("cluster") / "scheduler.json"
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file)
    common = ("worker", "--scheduler-file", file, "--no-dashboard", "--local-directory", file.parent)
    workers = [
        dask(*common, "--no-nanny", "--nthreads", "1", WORKER="first"),
        dask(*common, "--nthreads", "2", WORKER="second"),
    ]
    wait(lambda: file.exists() and file.read_text().endswith("}"))
    yield json.loads(file.read_text())["address"], *workers, scheduler
    kill(*workers, scheduler)


@contextlib.contextmanager
def meanwhile(reached, then):
    """Do something in another thread, once something is so."""
    thread = threading.Thread(target=lambda: (wait(reached), then()))
    thread.start()
    yield
    thread.join()


def out_of(text):
    """Return what is said of each run."""
    return [line.split(" in ")[0] for line in text.splitlines()]


# --- the same pages ---------------------------------------------------------------------------------------------------


def test_a_worker_killed_in_the_middle_changes_no_byte_of_any_report(cluster, tmp_path):
    address, first, *_ = cluster
    here = make(tmp_path / "here", SIX, "cells", cells=WAITS)
    judge(here, "f", "20_satisfaction")  # one with a real chapter
    there = shutil.copytree(here, tmp_path / "there")
    with meanwhile((there / "begun").exists, first.kill):
        answer = csat("run", "--root", there, "--scheduler", address)
    assert (answer.status, answer.err, out_of(answer.out)) == (0, "", [f"{name} 2024: ok" for name in SIX])
    assert run(here).status == 0
    ours, theirs = snapshot(here / "reports"), snapshot(there / "reports")
    apart = {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}
    assert apart - {".portal.json", ".portal_rows.json"} == {f"{name}/2024/manifest.json" for name in SIX}
    assert sum(name.endswith("record.json") for name in theirs) == 6
    assert session(first.pid) == []  # what worked for it ended with it


def test_a_killed_process_is_a_failed_run_and_an_interrupt_ends_the_others(cluster, tmp_path):
    address, _, second, _ = cluster
    root = make(tmp_path / "root", "abc", "cells", cells=SLOW, kills=KILLS)
    judge(root, "a", "kills")
    running = process("run", "--root", root, "--scheduler", address)
    wait(lambda: len([*root.glob("begun.*")]) == 2)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=200)
    assert (running.returncode, out_of(out)) == (130, ["a 2024: killed"])
    said = err.splitlines()
    assert said[0].startswith("a 2024: a process that works on the runs was killed (out of memory?)")
    assert said[1:] == ["Interrupted; what was finished is kept, the rest is as it was."]
    wait(lambda: not {int(path.suffix[1:]) for path in root.glob("begun.*")} & {*session(second.pid)})
    wait(lambda: not [*root.glob("reports/[bc]/.*")])


def test_a_cluster_of_this_machine_is_gone_after_an_interrupt(tmp_path):
    root = make(tmp_path / "root", "ab", "cells", cells=SLOW)
    running = process("run", "--root", root, "--engine", "dask", "--jobs", "1")
    wait(lambda: [*root.glob("begun.*")])
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    out, err = running.communicate(timeout=200)
    assert (running.returncode, out) == (130, "")
    assert err == "Interrupted; what was finished is kept, the rest is as it was.\n"
    wait(lambda: not session(running.pid))
    assert not [*root.glob("reports/*/2024")] and not [*root.glob("reports/*/.*")]


# --- what cannot work is a sentence -----------------------------------------------------------------------------------


def test_workers_that_would_not_make_the_same_pages_in_the_same_folder_are_refused(cluster, tmp_path, monkeypatch):
    address, *_ = cluster
    ours = engines.versions()
    monkeypatch.setattr(engines, "versions", lambda: {**ours, "pandas": "0.25.3"})  # than the workers have
    monkeypatch.setattr(engines, "_sign", lambda root: contextlib.nullcontext(Path("/elsewhere/reports/sign")))
    root = make(tmp_path / "root", "a")
    answer = csat("run", "--root", root, "--scheduler", address)
    assert (answer.status, answer.out) == (2, "")
    version, folder = answer.err.splitlines()
    assert version.startswith(f"{address}: worker tcp://127.0.0.1:")
    assert version.endswith(" there and 0.25.3 here; install the same on both, and start the worker anew.")
    assert "/elsewhere/reports is not this folder there; share it" in folder
    assert not [*root.glob("reports/*/*")]


def test_a_worker_that_comes_later_refuses_its_task(tmp_path):
    sign = tmp_path / "reports" / "sign"
    ticket = engines.Ticket(sign, engines.versions(), False, b"")
    with pytest.raises(ReportError, match=f"worker on .*: {sign.parent} is not this folder there"):
        engines._carry_out(ticket, b"not read")
    write(tmp_path, {"reports/sign": ""})
    assert engines.differences(ticket) == []
    with pytest.raises(ReportError, match="the code of csat_analysis is .* there and another here"):
        engines._carry_out(replace(ticket, versions={**ticket.versions, "the code of csat_analysis": "another"}), b"")


def test_an_address_where_nobody_answers_is_said_after_seconds(tmp_path):
    root, why = make(tmp_path, "a"), "Timed out trying to connect to tcp://127.0.0.1:9 after 5 s"
    said = f"--scheduler: tcp://127.0.0.1:9: no Dask scheduler answers there ({why}); start one, or mend the address.\n"
    assert csat("run", "--root", root, "--scheduler", "tcp://127.0.0.1:9") == (2, "", said)
    answer = csat("run", "--root", root, "--scheduler", "somewhere")
    assert answer.status == 2
    assert answer.err.startswith("--scheduler: somewhere: no Dask scheduler answers there (missing port number")


def test_without_dask_a_run_goes_on_here_and_a_cluster_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)  # as where it is not installed
    root = make(tmp_path, "a")
    assert run(root).status == 0
    for asked in (["--engine", "dask"], ["--scheduler", "tcp://127.0.0.1:9"]):
        sentence = '--engine dask: Dask is not installed; pip install "csat-analysis[dask]".\n'
        assert csat("run", "--root", root, *asked) == (2, "", sentence)
    assert csat("run", "--root", root, "--engine", "ray").err.startswith(
        "--engine: 'ray' is no engine; use one of ['local'"
    )


def test_runs_whose_scheduler_went_away_have_failed(cluster, tmp_path):
    address, _, second, scheduler = cluster  # the last test that has it
    root = make(tmp_path / "root", "ab", "cells", cells=SLOW)
    with meanwhile(lambda: len([*root.glob("begun.*")]) == 2, scheduler.kill):
        answer = csat("run", "--root", root, "--scheduler", address)
    assert (answer.status, out_of(answer.out)) == (1, ["a 2024: failed", "b 2024: failed"])
    why = "the cluster's scheduler went away; start it again, and repeat the command."
    assert answer.err == f"a 2024: {why}\nb 2024: {why}\n"
    wait(lambda: not {int(path.suffix[1:]) for path in root.glob("begun.*")} & {*session(second.pid)})
