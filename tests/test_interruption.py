"""Runs that are stopped or killed leave the last good pages whole, and the next one puts right what they left behind."""

import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from csat_analysis.execution import freshness, locks
from csat_analysis.ground import params
from csat_analysis.publishing import publish
from publishing import (
    COUNTED,
    RESPONSES,
    chapter,
    csat,
    make_root,
    process,
    programme,
    run,
    run_file,
    snapshot,
    states,
    write,
)

CHAPTER = "20_satisfaction"
PAGES = "reports/demo/2024"
HIDDEN = "reports/*/.*"  # what is being made, and what was moved aside: .2024.…
SLOW = chapter('import time\nopen("begun", "w").close()\ntime.sleep(60)')
KILLS = chapter(  # who began it: once that has ended, its parent is whoever adopts orphans, which is this process
    "import multiprocessing, os, signal\nos.kill(multiprocessing.parent_process().pid, signal.SIGKILL)"
)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a root with one chapter, published, and a second project that is not."""
    files = {"params/runs/other.yml": run_file("other", "2024"), "data/other/2024/responses.csv": RESPONSES}
    root = make_root(tmp_path_factory.mktemp("published"), files, chapters=(CHAPTER,))
    assert run(root, "--project", "demo").status == 0
    return root


@pytest.fixture
def root(published, tmp_path):
    """Return a copy of it, to change."""
    return shutil.copytree(published, tmp_path / "root")


def stop(root, number, *arguments):
    """Run the command, send it a signal in the middle of a chapter, and return its status and what it said."""
    running = process("run", "--root", root, *arguments)
    wait(lambda: (root / "begun").exists(), 120)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert "Traceback" not in err
    return running.returncode, out, err


def wait(reached, seconds):
    """Wait until something is so, for some seconds at the most."""
    end = time.monotonic() + seconds
    while not reached() and time.monotonic() < end:
        time.sleep(0.05)


def nobody_works(root):
    """Return whether no process holds the lock of a run."""
    targets = [root / "reports" / path.stem.replace(".", "/") for path in root.glob("reports/.locks/*.lock")]
    try:
        for target in targets:
            with locks.hold(target):
                pass
    except locks.Busy:
        return False
    return True


@pytest.mark.parametrize(
    ("number", "jobs", "kernel", "status"),
    [(signal.SIGINT, 1, "plain", 130), (signal.SIGINT, 2, "fork", 130), (signal.SIGKILL, 2, "fork", -9)],
    ids=["interrupted", "two interrupted", "two killed"],
)
def test_a_run_that_is_stopped_leaves_the_old_pages_whole_and_the_next_one_clears_up(
    number, jobs, kernel, status, root
):
    before = snapshot(root / PAGES)
    write(root, {f"notebooks/{CHAPTER}.ipynb": SLOW})
    ended, out, err = stop(root, number, "--kernel", kernel, "--jobs", str(jobs))
    assert (ended, out) == (status, "")
    if number == signal.SIGINT:
        assert "Interrupted; what was finished is kept, the rest is as it was." in err
    assert snapshot(root / PAGES) == before
    assert not (root / "reports/other/2024").exists()
    if number == signal.SIGINT and jobs == 1:
        assert list(root.glob(HIDDEN)) == []
    write(root, {f"notebooks/{CHAPTER}.ipynb": COUNTED, "params/programmes/demo.yml": programme(CHAPTER)})
    wait(lambda: nobody_works(root), 10)  # what worked for the killed process ends with it
    assert states(root) == {("demo", "2024"): "fresh", ("other", "2024"): "never run"}
    assert run(root).status == 0
    assert list(root.glob(HIDDEN)) == []


def test_a_process_killed_for_want_of_memory_is_a_failed_run(root):
    before = snapshot(root / PAGES)
    write(root, {f"notebooks/{CHAPTER}.ipynb": KILLS})
    answer = csat("run", "--root", root, "--jobs", "2", "--retries", "0")
    assert answer.status == 1
    assert "was killed (out of memory?); run again, with fewer --jobs." in answer.err
    assert snapshot(root / PAGES) == before


def test_what_a_process_that_ended_left_is_put_right_on_whichever_machine_it_was(root):
    target = root / PAGES
    before, begun = snapshot(target), target.with_name(".2024.7cxq_1ab.work")
    aside = target.with_name(".2024.0ld70ken.old")
    target.rename(aside)
    begun.mkdir()
    publish.recover(target)
    assert (snapshot(target), aside.exists(), begun.exists()) == (before, False, False)
    aside.mkdir()
    publish.recover(target)
    assert (snapshot(target), aside.exists()) == (before, False)


# --- one process for a run at a time ----------------------------------------------------------------------------------

HOLDS = """\
import sys, time
from pathlib import Path
from csat_analysis.execution.locks import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(root):
    """Return a process that holds the lock of the demonstration's run."""
    with subprocess.Popen([sys.executable, "-c", HOLDS, root / PAGES], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_run_that_another_process_makes_is_left_to_it(root, holder):
    before = snapshot(root / PAGES)
    answer = run(root, "--force", "--project", "demo")
    assert (answer.status, answer.out) == (0, "demo 2024: skipped (stale)\n")
    assert re.fullmatch(
        rf"demo 2024: its pages are being made by process {holder.pid} on \S+; they are left to that process.\n",
        answer.err,
    )
    assert snapshot(root / PAGES) == before


def test_what_lies_about_of_a_run_that_another_process_makes_is_left_to_it(root, holder):
    left = (root / PAGES).with_name(".2024.1.dead.old")
    left.mkdir()
    publish.recover(root / PAGES)
    assert left.exists()


def test_the_lock_of_a_process_that_was_killed_holds_nobody_up(root, holder):
    holder.kill()
    holder.wait()
    assert run(root, "--force", "--project", "demo").out.startswith("demo 2024: ok in ")
    assert not list((root / "reports/.locks").glob("*.by"))


def test_pages_that_another_process_made_since_they_were_found_stale_are_not_made_again(root, monkeypatch):
    rules = params.read_rules(root)
    [state] = freshness.states_of(freshness.Sources(rules), freshness.select(rules, ["demo"]), force=True)
    assert run(root, "--force", "--project", "demo").status == 0
    made = snapshot(root / PAGES)
    outcome = publish.publish(state.task)
    assert (outcome.state, outcome.messages) == (
        "skipped",
        ["demo 2024: another process has made its pages meanwhile."],
    )
    assert snapshot(root / PAGES) == made
    write(root, {f"{PAGES}/record.json": "{}"})
    assert publish.publish(state.task).state == "ok"  # they are not whole


# --- another machine, another disk -------------------------------------------------------------------------------------

APART = ["unshare", "--user", "--map-root-user", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
COMMAND = f"{sys.executable} -m csat_analysis run --kernel plain --jobs 1 --force --project demo --root"
ELSEWHERE = f'hostname elsewhere; exec {COMMAND} "$1"'
FULL = f"""
mount -t tmpfs -o size=1m tmpfs "$1" && cp -a "$2/." "$1"
free=$(df -k --output=avail "$1" | tail -1) && head -c $((free - $3))k /dev/zero > "$1/filler"
{COMMAND} "$1"
ended=$?
rm "$1/filler" && cp -a "$1/." "$2" && exit $ended
"""


def apart(script, *arguments):
    """Return a script as a process for which names, numbers of processes and what is mounted are its own."""
    return subprocess.Popen(
        [*APART, "sh", "-c", script, "sh", *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def can_be_apart():
    """Return whether this machine lets a process be apart."""
    if shutil.which("unshare") is None:
        return False
    with apart("hostname elsewhere") as process:
        return process.wait() == 0


needs_apart = pytest.mark.skipif(not can_be_apart(), reason="no namespaces of one's own here (Linux, unshare)")


@needs_apart
def test_machines_that_share_a_folder_leave_each_other_alone_and_put_right_what_one_left(root):
    before = snapshot(root / PAGES)
    write(root, {f"notebooks/{CHAPTER}.ipynb": SLOW})
    with apart(ELSEWHERE, root) as there:
        wait(lambda: (root / "begun").exists(), 60)
        answer = run(root, "--force", "--project", "demo")
        assert re.search("demo 2024: its pages are being made by process [0-9]+ on elsewhere;", answer.err)
        assert (snapshot(root / PAGES), len(list(root.glob(HIDDEN)))) == (before, 1)
        there.kill()
    wait(lambda: nobody_works(root), 10)
    write(root, {f"notebooks/{CHAPTER}.ipynb": COUNTED})
    assert run(root, "--project", "demo").status == 0
    assert list(root.glob(HIDDEN)) == []


@needs_apart
@pytest.mark.parametrize("left", [0, 8, 40])
def test_a_full_disk_leaves_the_old_pages(left, root, tmp_path):
    before = snapshot(root / PAGES)
    (tmp_path / "disk").mkdir()
    with apart(FULL, tmp_path / "disk", root, str(left)) as process:
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out[:16]) == (1, "demo 2024: failed"[:16]), err
    assert re.search(r"cannot be written \(No space left on device\); check space and permissions\.", err)
    assert snapshot(root / PAGES) == before
    assert list(root.glob(HIDDEN)) == []
    assert run(root, "--force", "--project", "demo").status == 0


def test_two_schedulers_at_once_make_whole_pages(root):
    write(root, {f"notebooks/{CHAPTER}.ipynb": COUNTED.replace("print(", "import time; time.sleep(1); print(")})
    both = [process("run", "--root", root, "--kernel", "plain", "--jobs", "1", "--project", "demo") for _ in range(2)]
    said = [each.communicate(timeout=60) for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert all("demo 2024: " in out for out, _ in said)
    assert states(root)["demo", "2024"] == "fresh"
    assert list(root.glob(HIDDEN)) == []
