"""How is a chapter executed without a kernel? In a fork of a process that has imported everything already.

papermill stays the executor: it reads the notebook and puts the parameters in; its engine here sends them to the forked
process, where a shell executes the cells. Whatever a cell does to that process is gone with it.
"""

import contextlib
import functools
import gc
import importlib
import io
import multiprocessing.context
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import nbformat

import csat_analysis
from csat_analysis.execution.guards import INTERVAL, Guard
from csat_analysis.execution.limits import Ending, heals, one_thread
from csat_analysis.execution.traces import Meter, Trace
from csat_analysis.ground import lending

ENGINE = "csat_fork"
BACKEND = "module://matplotlib_inline.backend_inline"  # as a kernel sets it; otherwise no figure is shown, and no error
OUTSIDE = (signal.SIGKILL, signal.SIGTERM) if hasattr(signal, "SIGKILL") else ()  # by whom others end a process
RARELY = 20_000  # objects more than were freed, before a process of a second looks for more to free
GRACE = 1  # seconds to write down what was shown, for a chapter that is stopped
COLUMNS = 20  # of a table in plain text, as pandas shows in a kernel
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
        self.process = context.Process(target=_serve, args=(there, errors))
        with _interrupts_waiting():  # one in the middle of the fork would be lost, and shown
            self.process.start()
        there.close()

    def execute(self, notebook: nbformat.NotebookNode, trace: Trace, guard: Guard) -> Ending:
        """Return how the cells of a notebook ended, executed as long as they keep their limits."""
        with contextlib.suppress(ConnectionError):  # how it ended is found below
            self.here.send((notebook, trace))
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


def _serve(pipe: Connection, errors: Path) -> None:
    """Execute one notebook after the other, as they come through the pipe."""
    _settle(errors)
    _prepare()
    with contextlib.suppress(EOFError):
        while True:
            notebook, trace = pipe.recv()
            pipe.send(_execute(notebook, trace))
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


def _prepare() -> None:
    """Make a forked process what a kernel would be: it imports from the folder it works in."""
    import pandas as pd

    pd.set_option("display.max_columns", COLUMNS)
    sys.path.insert(0, "")
    sys.argv = ["csat"]


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
    os.environ.setdefault("MPLBACKEND", BACKEND)
    for name in IMPORTED:
        importlib.import_module(name)
    for stage, floor in csat_analysis.STAGES.items():
        importlib.import_module(f"csat_analysis.{floor}.{stage}")
    _shell()


# --- the shell --------------------------------------------------------------------------------------------------------


class Outputs:
    """What the cell being executed has shown so far, in order."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.cell = nbformat.NotebookNode()
        self.shown: list[nbformat.NotebookNode] = []
        self.by_id: dict[str, list[tuple[nbformat.NotebookNode, nbformat.NotebookNode]]] = {}  # and their cells
        self.changed: list[nbformat.NotebookNode] = []  # cells that show something else since they ended
        self.clear_next = False
        self.count = 0

    def begin(self, cell: nbformat.NotebookNode) -> None:
        """Let the next cell fill its own outputs."""
        self.cell = cell
        cell.outputs = self.shown = []
        self.clear_next = False
        self.count += 1
        cell.execution_count = self.count

    def add(self, output: nbformat.NotebookNode) -> None:
        """Add an output as far as there is room for it; text joins the text before it."""
        if not self.meter.admits(output):
            return
        if self.clear_next:
            self.clear()
        last = self.shown[-1] if self.shown else None
        if output.output_type == "stream" and last and last.get("name") == output.name:
            last.text += output.text
        else:
            self.shown.append(output)

    def clear(self, wait: bool = False) -> None:
        """Take back what was shown, at once or when something else is."""
        self.clear_next = wait
        if not wait:
            self.shown.clear()

    def show(self, output: nbformat.NotebookNode, name: str = "", update: bool = False) -> None:
        """Add an output, which may have a name; or change every output that was shown under this name."""
        if not update:
            self.add(output)
            if name:
                self.by_id.setdefault(name, []).append((self.cell, output))
            return
        for cell, known in self.by_id.get(name, []) if self.meter.admits(output) else ():
            known.data, known.metadata = output.data, output.metadata
            self.changed.append(cell)


class Stream(io.TextIOBase):
    """Standard output or error of the cell being executed."""

    encoding = "utf-8"

    def __init__(self, name: str, outputs: Outputs):
        self.name, self.outputs = name, outputs

    def write(self, text: str) -> int:
        """Add text to what the cell shows."""
        if text:
            self.outputs.add(_output("stream", name=self.name, text=text))
        return len(text)

    def writable(self) -> bool:
        """Return that it can be written."""
        return True


def _output(kind: str, **content: Any) -> nbformat.NotebookNode:
    """Return an output; whether it is a valid one is asked when the notebook is written."""
    return nbformat.from_dict({"output_type": kind, **content})


@functools.cache
def _shell() -> Any:
    """Return a shell of IPython whose cells show what they have to show in its ``outputs``; made before any fork."""
    import matplotlib
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.pylabtools import activate_matplotlib
    from matplotlib_inline.backend_inline import configure_inline_support
    from traitlets import Type
    from traitlets.config import Config

    class Hook(DisplayHook):
        """Takes the value of a cell's last line."""

        def __call__(self, result: Any = None) -> None:
            self.check_for_underscore()
            if result is None or self.quiet():
                return
            data, metadata = self.compute_format_data(result)
            self.update_user_ns(result)
            if data:
                outputs: Outputs = self.shell.outputs  # type: ignore[union-attr]
                outputs.add(
                    _output("execute_result", data=data, metadata=metadata or {}, execution_count=outputs.count)
                )

    class Publisher(DisplayPublisher):
        """Takes what cells display."""

        def publish(self, data: Any, metadata: Any = None, source: Any = None, **more: Any) -> None:
            output = _output("display_data", data=data, metadata=metadata or {})
            named = (more.get("transient") or {}).get("display_id", "")
            self.shell.outputs.show(output, named, more.get("update", False))

        def clear_output(self, wait: bool = False) -> None:
            self.shell.outputs.clear(wait)

    class Shell(InteractiveShell):
        """Has no terminal and no history; a cell's error is one of its outputs."""

        displayhook_class, display_pub_class = Type(Hook), Type(Publisher)
        outputs: Outputs

        def _showtraceback(self, etype: type, evalue: Any, stb: list[str]) -> None:
            self.outputs.add(_output("error", ename=etype.__name__, evalue=str(evalue), traceback=stb))

        def enable_gui(self, gui: Any = None) -> None:
            """There is none."""

    shell = Shell.instance(config=Config(HistoryManager={"enabled": False}))
    if matplotlib.get_backend(auto_select=False) != BACKEND:  # as a kernel has it
        activate_matplotlib(BACKEND)
    configure_inline_support(shell, BACKEND)
    return shell


def _shell_of(outputs: Outputs) -> Any:
    """Return the shell, without the names of a chapter that it has executed before."""
    shell = _shell()
    if hasattr(shell, "outputs"):
        shell.reset()
    shell.outputs = outputs
    shell.init_sys_modules()  # the parent may have put another __main__ in the place of the cells' own
    return shell


def _execute(notebook: nbformat.NotebookNode, trace: Trace) -> Ending:
    """Execute the cells of a notebook in this process; return how it ended where that was not an error of theirs."""
    import numpy as np

    lending.forget()
    np.random.seed()  # noqa: NPY002 - the state that cells share, which a fork has from its parent
    trace.own = os.getpid()
    try:
        _execute_cells(notebook, trace)
    except Exception as error:  # noqa: BLE001 - not of a cell: of what it asked to be shown, or of the disk
        heals_now = not trace.told().where or heals(error)
        return Ending("failed", f"{type(error).__name__}: {error}", heals=heals_now)
    return Ending()


def _execute_cells(notebook: nbformat.NotebookNode, trace: Trace) -> None:
    """Execute the cells in their order, up to the first that fails."""
    outputs = Outputs(trace.meter)
    shell = _shell_of(outputs)
    signal.signal(signal.SIGTERM, functools.partial(_leave, trace))
    with contextlib.redirect_stdout(Stream("stdout", outputs)), contextlib.redirect_stderr(Stream("stderr", outputs)):
        for cell in notebook.cells:
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            outputs.begin(cell)
            trace.enter(cell)
            shell.run_cell(cell.source, store_history=True)
            if os.getpid() != trace.own:
                os._exit(0)  # a copy of this process that the cell made
            trace.leave()
            failed = any(output.output_type == "error" for output in cell.outputs)
            if failed and "raises-exception" not in cell.metadata.get("tags", []):
                break
        else:
            trace.end(lending.about(shell.user_ns))
    for cell in outputs.changed:
        trace.show(cell)


Forked = Callable[[], tuple[Fork, Guard]]


class Ended(Exception):  # noqa: N818 - no error of ours
    """A chapter was ended by something else than an error of its cells."""

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
            """Send the notebook to the fork; what it shows is in its trace."""
            manager.nb.metadata.language_info = IPythonKernel.language_info
            trace.begin(manager.nb)
            fork, guard = forked()
            if (ending := fork.execute(manager.nb, trace, guard)).state != "ok":
                raise Ended(ending)

    papermill_engines.register(ENGINE, ForkEngine)


def _terminable() -> None:
    """Let a request to end be heard that waited for a fork: one in its middle would be lost, and awaited for ever."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _end_when_told() -> None:
    """Let a process that a cell has forked end when it is told to."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _terminable()


def _leave(trace: Trace, number: int, frame: object) -> None:
    """Write down what the cell has shown so far, and end this process as the signal does."""
    trace.leave()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
