"""How are cells executed in this very process, and what do they show? By a shell of IPython, as a kernel does."""

import contextlib
import functools
import io
import os
import signal
import sys
import warnings
from typing import Any

import nbformat

from csat_analysis.execution.limits import Ending, heals
from csat_analysis.execution.traces import Meter, Trace
from csat_analysis.ground import lending

BACKEND = "module://matplotlib_inline.backend_inline"  # as a kernel sets it; otherwise no figure is shown, and no error
COLUMNS = 20  # of a table in plain text, as pandas shows in a kernel


# --- what they show ---------------------------------------------------------------------------------------------------


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
    """Return an output, of which nobody asks whether it is a valid one."""
    return nbformat.from_dict({"output_type": kind, **content})


# --- the shell --------------------------------------------------------------------------------------------------------


@functools.cache
def shell() -> Any:
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

    made = Shell.instance(config=Config(HistoryManager={"enabled": False}))
    if matplotlib.get_backend(auto_select=False) != BACKEND:  # as a kernel has it
        activate_matplotlib(BACKEND)
    configure_inline_support(made, BACKEND)
    return made


def _shell_of(outputs: Outputs) -> Any:
    """Return the shell, without the names of a chapter that it has executed before."""
    made = shell()
    if hasattr(made, "outputs"):
        made.reset()
    made.outputs = outputs
    made.init_sys_modules()  # the parent may have put another __main__ in the place of the cells' own
    return made


def prepare() -> None:
    """Make this process what a kernel would be: it imports from the folder it works in."""
    import pandas as pd

    pd.set_option("display.max_columns", COLUMNS)
    sys.path.insert(0, "")
    sys.argv = ["csat"]


# --- a chapter --------------------------------------------------------------------------------------------------------


def execute(trace: Trace) -> Ending:
    """Execute the cells that a trace begins with in this process; return how it ended, but for their own errors."""
    import numpy as np

    lending.forget()
    np.random.seed()  # noqa: NPY002 - the state that cells share, which a fork has from its parent
    trace.own = os.getpid()
    try:
        with warnings.catch_warnings():  # each is shown anew, also where the chapter before has shown it
            _execute_cells(trace)
    except Exception as error:  # noqa: BLE001 - not of a cell: of what it asked to be shown, or of the disk
        heals_now = not trace.told().where or heals(error)
        return Ending("failed", f"{type(error).__name__}: {error}", heals=heals_now)
    return Ending()


def _execute_cells(trace: Trace) -> None:
    """Execute the cells in their order, up to the first that fails."""
    outputs = Outputs(trace.meter)
    own = _shell_of(outputs)
    signal.signal(signal.SIGTERM, functools.partial(_leave, trace))
    with contextlib.redirect_stdout(Stream("stdout", outputs)), contextlib.redirect_stderr(Stream("stderr", outputs)):
        for cell in (trace.begun() or nbformat.v4.new_notebook()).cells:
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            outputs.begin(cell)
            trace.enter(cell)
            own.run_cell(cell.source, store_history=True)
            if os.getpid() != trace.own:
                os._exit(0)  # a copy of this process that the cell made
            trace.leave()
            failed = any(output.output_type == "error" for output in cell.outputs)
            if failed and "raises-exception" not in cell.metadata.get("tags", []):
                break
        else:
            trace.end(lending.about(own.user_ns))
    for cell in outputs.changed:
        trace.show(cell)


def _leave(trace: Trace, number: int, frame: object) -> None:
    """Write down what the cell has shown so far, and end this process as the signal does."""
    trace.leave()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
