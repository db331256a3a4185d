"""Is a chapter within its limits, and what ends with it?

Whatever a chapter starts belongs to it, also what has left its group, its session or its parent: on Linux orphans
come to the process that watches it, and end with the chapter.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from csat_analysis.execution.limits import Ending, Limits
from csat_analysis.ground.errors import CsatError

INTERVAL = 0.1  # seconds between two looks
MEGABYTE = 1_000_000
LONGEST_LOG = 100 * MEGABYTE  # of what a chapter writes past its cells
ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of Linux


class Guard:
    """Watches the processes that this one starts for a chapter, and ends them."""

    def __init__(self, limits: Limits, seconds: float, log: Path | None = None):
        self.limits, self.log = limits, log
        self.own = psutil.Process()
        self.before = set(self._below())
        self.seen: set[psutil.Process] = set()
        self.begin(seconds)

    def begin(self, seconds: float) -> None:
        """Give some seconds from now on."""
        self.seconds, self.end = seconds, time.monotonic() + seconds
        self.reached: Ending | None = None

    def processes(self) -> list[psutil.Process]:
        """Return what the chapter started and what that started, as far as it still runs."""
        self.seen.update(each for each in self._below() if each not in self.before)
        return [each for each in self.seen if _runs(each)]

    def _below(self) -> list[psutil.Process]:
        return self.own.children(recursive=True) if _may_have_children() else []

    def check(self) -> Ending | None:
        """Return which limit is reached; None where none is."""
        if time.monotonic() >= self.end:
            values = {"seconds": f"{self.seconds:,.1f}", "limit": f"{self.limits.seconds:,.0f}"}
            self.reached = Ending("timed_out", key="time", values=values)
        elif self.limits.memory and (held := self.memory()) > self.limits.memory:
            values = {"memory": f"{held:,.0f}", "limit": f"{self.limits.memory:,.0f}"}
            self.reached = Ending("killed", key="memory", values=values)
        elif self.log and self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            self.reached = Ending("failed", key="log", values={"limit": f"{LONGEST_LOG / MEGABYTE:,.0f}"})
        return self.reached

    def memory(self) -> float:
        """Return the megabytes that the chapter holds; what processes share counts once, where that is known."""
        running = self.processes()
        resident = sum(_memory(each, "rss") for each in running) / MEGABYTE
        if resident <= (self.limits.memory or 0) or not hasattr(psutil, "PROCFS_PATH"):
            return resident
        return sum(_memory(each, "pss") for each in running) / MEGABYTE

    def kill(self) -> None:
        """End whatever the chapter started, until nothing of it runs; what is being started meanwhile, too."""
        for _ in range(100):
            running = self.processes()
            if not running:
                return
            for each in running:
                with contextlib.suppress(psutil.Error):
                    each.kill()
            time.sleep(0.01)

    def clear(self) -> None:
        """End whatever is left of the chapter, and take note of those who came to this process as orphans."""
        self.kill()
        if self.seen:
            psutil.wait_procs(self.seen & set(self.own.children()), timeout=1)


def _may_have_children() -> bool:
    """Return whether this process has children, where the system says so at once: to look at all others takes long."""
    lists = list(Path("/proc/self/task").glob("*/children"))
    with contextlib.suppress(OSError):  # of a thread that has ended
        return not lists or any(each.read_text() for each in lists)
    return True


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _memory(process: psutil.Process, kind: str) -> int:
    try:
        return getattr(process.memory_full_info() if kind == "pss" else process.memory_info(), kind)
    except psutil.Error:
        return 0


@contextlib.contextmanager
def guarded(limits: Limits, seconds: float, log: Path | None = None) -> Iterator[Guard]:
    """Give a guard for a chapter, or more; nothing that one started is left afterwards, however it ended.

    Parameters
    ----------
    log
        The file that takes what the chapter writes past its cells.
    """
    guard = Guard(limits, seconds, log)
    _adopt_orphans(True)
    try:
        yield guard
    finally:
        guard.clear()
        _adopt_orphans(False)


def _adopt_orphans(wanted: bool) -> None:
    """Let processes whose parent has ended come to this one, where the system can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(ADOPT_ORPHANS, int(wanted), 0, 0, 0)


@contextlib.contextmanager
def orphans_ended() -> Iterator[None]:
    """Let what a chapter started end in the end, also where the process that watched it was killed.

    Whatever comes to this process meanwhile and is not of its group was started by a chapter: each has a group of its
    own. What this process had as children before is not touched.
    """
    before = set(psutil.Process().children())
    _adopt_orphans(True)
    try:
        yield
    finally:
        for _ in range(100):
            if not (left := _orphans(before)):
                break
            for each in left:
                with contextlib.suppress(psutil.Error):
                    each.kill()
            psutil.wait_procs(left, timeout=0.1)
        _adopt_orphans(False)


def _orphans(before: set[psutil.Process]) -> list[psutil.Process]:
    """Return the new children of this process that are not of its group, with what they started."""
    found = []
    for each in set(psutil.Process().children() if _may_have_children() else ()) - before:
        with contextlib.suppress(psutil.Error, ProcessLookupError, AttributeError):
            if os.getpgid(each.pid) != os.getpgrp():
                found += [each, *each.children(recursive=True)]
    return found


class Overdue(CsatError):
    """Something that is no chapter took longer than a run may take."""


@contextlib.contextmanager
def in_time(seconds: float, sentence: str) -> Iterator[None]:
    """Let some work of this process take a time only; where the system has no alarm, or in a thread, any time.

    Raises
    ------
    Overdue
        With the sentence, once the time is over.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise Overdue(sentence)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def watched(guard: Guard) -> Iterator[None]:
    """Let a thread end what the chapter started once it reaches a limit; not for a process that forks."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(INTERVAL):
            if guard.check() is not None:
                return guard.kill()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
