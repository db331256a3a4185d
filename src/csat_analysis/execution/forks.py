"""How is a chapter executed without a kernel? In a fork of a process that has imported everything already.

papermill stays the executor: it reads the notebook and puts the parameters in; its engine here sends them to the forked
process, where a shell executes the cells (``shells``). Whatever a cell does to that process is gone with it.
"""

import contextlib
import functools
import gc
import importlib
import multiprocessing.context
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import csat_analysis
from csat_analysis.execution import shells
from csat_analysis.execution.guards import INTERVAL, Guard
from csat_analysis.execution.limits import Ending
from csat_analysis.execution.threads import one_thread
from csat_analysis.execution.traces import Trace

ENGINE = "csat_fork"
OUTSIDE = (signal.SIGKILL, signal.SIGTERM) if hasattr(signal, "SIGKILL") else ()  # by whom others end a process
RARELY = 20_000  # objects more than were freed, before a process of a second looks for more to free
GRACE = 1  # seconds to write down what was shown, for a chapter that is stopped
IMPORTED = (
    "IPython.core.application", "IPython.core.crashhandler", "IPython.core.interactiveshell", "IPython.core.logger",
    "IPython.core.oinspect", "bdb", "ipykernel.ipkernel", "matplotlib.backends.backend_svg", "matplotlib.pyplot",
    "nbconvert", "pandas", "papermill", "scipy.special",
)  # fmt: skip


def server() -> multiprocessing.context.ForkServerContext:
    """Return how processes are started that have everything imported; the server that forks them begins to import."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["csat_analysis.warm"])
    with one_thread(), interrupts_ignored():  # by the server, which would say so on the terminal
        forkserver.ensure_running()
    return context


@contextlib.contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Let interrupts wait for those processes that cannot take one yet, as long as they are being started."""
    if threading.current_thread() is not threading.main_thread():  # which alone may say how interrupts are taken
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def follow_parent(with_group: bool = False) -> None:
    """Let this process, or its whole group, end when the one that started it does, however that ended."""
    threading.Thread(target=_end_with_parent, args=(with_group,), daemon=True).start()


def _end_with_parent(with_group: bool) -> None:
    multiprocessing.parent_process().join()  # type: ignore[union-attr]
    if with_group:
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


# --- the process ------------------------------------------------------------------------------------------------------


class Fork:
    """A fork of this process, which executes chapters one after the other.

    Parameters
    ----------
    errors
        The file that takes what the process writes past its own streams.
    """

    def __init__(self, errors: Path):
        context = multiprocessing.get_context("fork")
        self.here, there = context.Pipe()
        self.process = context.Process(target=_serve, args=(self.here, there, errors))
        with _interrupts_waiting():  # one in the middle of the fork would be lost, and shown
            self.process.start()
        there.close()

    def execute(self, trace: Trace, guard: Guard) -> Ending:
        """Return how the cells of the notebook that a trace begins with ended, as long as they keep their limits."""
        with contextlib.suppress(ConnectionError):  # how it ended is found below
            self.here.send(trace)  # little enough never to wait: the process may stand still
        return _answer(self.process, self.here, guard)

    def end(self) -> None:
        """End the process."""
        self.here.close()
        self.process.kill()
        self.process.join()


@contextlib.contextmanager
def _interrupts_waiting() -> Iterator[None]:
    """Let interrupts of this thread wait until this is over."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answer(process: multiprocessing.context.ForkProcess, here: Connection, guard: Guard) -> Ending:
    """Return the answer of a process, or how it ended without one: what it forked may hold its pipe open."""
    while process.is_alive():
        if here.poll(INTERVAL):
            with contextlib.suppress(EOFError, ConnectionError):
                return here.recv()
            time.sleep(INTERVAL)  # it closed its pipe, and joining would wait for ever
        if (reached := guard.check()) is not None:
            _ask_to_leave(process)
            return reached
    with contextlib.suppress(EOFError, ConnectionError):
        if here.poll():
            return here.recv()
    return died(process.exitcode)


def _ask_to_leave(process: multiprocessing.context.ForkProcess) -> None:
    """Give a process the time to write down what it has shown."""
    process.terminate()
    end = time.monotonic() + GRACE
    while process.is_alive() and time.monotonic() < end:
        time.sleep(INTERVAL / 10)


def _serve(of_parent: Connection, pipe: Connection, errors: Path) -> None:
    """Execute one notebook after the other, as their traces come through the pipe."""
    of_parent.close()  # or this process would never see that the other one is gone
    _settle(errors)
    shells.prepare()
    with contextlib.suppress(EOFError):
        while True:
            pipe.send(shells.execute(pipe.recv()))
    os._exit(0)


def _settle(errors: Path) -> None:
    """Make this process, just forked, one that ends with its parent and can itself be ended with all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt ends the process that forked this one, and so this one
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    gc.freeze()  # what was there before is not this chapter's to look through
    gc.set_threshold(RARELY)
    os.setpgid(0, 0)
    follow_parent(with_group=True)
    with errors.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    waiting = functools.partial(signal.pthread_sigmask, signal.SIG_BLOCK, {signal.SIGTERM})
    os.register_at_fork(before=waiting, after_in_parent=_terminable, after_in_child=_end_when_told)


def _terminable() -> None:
    """Let a request to end be heard that waited for a fork: one in its middle would be lost, and awaited for ever."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _end_when_told() -> None:
    """Let a process that a cell has forked end when it is told to."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _terminable()


def died(code: int | None) -> Ending:
    """Return how a process ended that did not finish; where others ended it, it may heal.

    >>> died(-9)[:2], died(-9).heals
    (('killed', 'DeadKernelError: the chapter was killed by SIGKILL'), True)
    >>> died(3)[:2], died(3).heals
    (('failed', 'DeadKernelError: the chapter ended its process with 3'), False)
    """
    if code is None or code >= 0:
        return Ending("failed", f"DeadKernelError: the chapter ended its process with {code}")
    outside = -code in OUTSIDE
    text = f"DeadKernelError: the chapter was killed by {signal.Signals(-code).name}"
    return Ending("killed" if outside else "failed", text, heals=outside)


def warm() -> None:
    """Import whatever a chapter needs, so that forks have it; nothing is run that starts threads."""
    os.environ.setdefault("MPLBACKEND", shells.BACKEND)
    for name in IMPORTED:
        importlib.import_module(name)
    for stage, floor in csat_analysis.STAGES.items():
        importlib.import_module(f"csat_analysis.{floor}.{stage}")
    shells.shell()


# --- the engine -------------------------------------------------------------------------------------------------------


Forked = Callable[[], tuple[Fork, Guard]]


class Ended(Exception):  # noqa: N818 - no error
    """A chapter has ended, however it did."""

    def __init__(self, ending: Ending):
        super().__init__(ending.said())
        self.ending = ending


@functools.cache
def register() -> None:
    """Register the engine with papermill, which is not imported before it is needed."""
    from ipykernel.ipkernel import IPythonKernel
    from papermill.engines import Engine, NotebookExecutionManager, papermill_engines

    class ForkEngine(Engine):
        """Has the cells of a chapter executed in a fork of this process."""

        @classmethod
        def execute_managed_notebook(
            cls, manager: NotebookExecutionManager, kernel_name: str, trace: Trace, forked: Forked, **options: Any
        ) -> None:
            """Let the fork execute the notebook; what it shows is in its trace, and papermill need write nothing."""
            manager.nb.metadata.language_info = IPythonKernel.language_info
            trace.begin(manager.nb)
            fork, guard = forked()
            raise Ended(fork.execute(trace, guard))

    papermill_engines.register(ENGINE, ForkEngine)
