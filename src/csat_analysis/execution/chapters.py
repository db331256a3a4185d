"""How does a notebook become an executed one that can be trusted? Within its limits, tried again where that can help.

How a chapter ended is found here, never in the notebook: papermill marks cells complete that never ran.
"""

import contextlib
import functools
import hashlib
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import papermill
from jupyter_client.kernelspec import NoSuchKernel
from papermill.exceptions import PapermillExecutionError

from csat_analysis.execution import forks, guards, kernels, limits
from csat_analysis.execution.guards import Guard
from csat_analysis.execution.limits import Ending, Limits
from csat_analysis.execution.traces import Told, Trace
from csat_analysis.ground.words import speak

OWN = Path(__file__).with_name("own.sha256")
EXECUTED = "executed.ipynb"  # as papermill writes it


class Chapter(NamedTuple):
    """A chapter's notebook as far as it was executed, and how that ended."""

    notebook: nbformat.NotebookNode
    ending: Ending


class Order(NamedTuple):
    """What is to be executed: a notebook, with which parameters, where, by which kernel (``fork`` or ``plain``)."""

    path: Path
    parameters: Mapping[str, str]
    folder: Path
    kernel: str
    limits: Limits


def literal(path: Path) -> str:
    """Return a path for papermill, which takes braces in it for the names of parameters.

    >>> literal(Path("a{b}"))
    'a{{b}}'
    """
    return str(path).replace("{", "{{").replace("}", "}}")


class Place:
    """Where the chapters of a run are executed: in kernels of their own, or in forks of this process.

    The package's own chapters leave nothing behind for the next one, and share a fork as long as they end well
    (``tests/test_forks.py``); a chapter of an analyst has a fork of its own, and so has one that did not end well in a
    fork where another had been.
    """

    def __init__(self) -> None:
        self.fork: tuple[forks.Fork, Guard] | None = None
        self.of_fork = contextlib.ExitStack()  # what ends with it
        self.shared = False  # whether the fork of the last attempt had been another chapter's

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()

    def leave(self) -> None:
        """End the fork, with whatever was started in it."""
        self.fork = None
        self.of_fork.close()

    def execute(self, order: Order, seconds: float) -> Chapter:
        """Return an executed chapter, tried again where it ended in a way that can heal, as long as there is time."""
        end, attempt = time.monotonic() + seconds, 0
        while True:
            made = self._attempt(order, end - time.monotonic())
            if self.shared and made.ending.state != "ok" and time.monotonic() < end:
                made = self._attempt(order, end - time.monotonic())  # no other chapter is to blame now
            attempt += 1
            pause = limits.pause(attempt)
            if not made.ending.heals or attempt > order.limits.retries or time.monotonic() + pause >= end:
                return made
            time.sleep(pause)

    def _attempt(self, order: Order, seconds: float) -> Chapter:
        """Return an executed chapter, tried once; nothing that it started is left running."""
        self.shared, language = False, order.parameters["language"]
        if not order.path.is_file():
            ending = Ending("failed", key="gone", values={"notebook": f"notebooks/{order.path.name}"})
            return _finished(nbformat.v4.new_notebook(), ending, language)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            source = Path(folder, "source.ipynb")  # what is executed is what was looked at
            try:
                source.write_bytes(order.path.read_bytes())
            except OSError as error:
                ending = Ending("failed", f"{type(error).__name__}: {error.strerror}", heals=limits.heals(error))
                return _finished(nbformat.v4.new_notebook(), ending, language)
            trace = Trace(Path(folder), order.limits.text, order.limits.shown)
            attempt = self._in_fork if order.kernel == "fork" else _in_kernel
            ending = attempt(order._replace(path=source), trace, seconds)
            told, written = trace.told(), _written(Path(folder, EXECUTED))
            executed = written or trace.so_far(told)
            whole = written is not None or (executed is not None and _is_whole(executed, told))
            made = _judged(executed or _source(source), ending, told, order.parameters, whole)
        if made.ending.state != "ok":
            self.leave()
        return made

    def _in_fork(self, order: Order, trace: Trace, seconds: float) -> Ending:
        """Return how a chapter ended in the fork that is there, if both are the package's own, or in a new one."""
        ours = is_ours(order.path)
        if not ours:
            self.leave()
        self.shared = self.fork is not None
        forks.register()
        forked = functools.partial(self._forked, order.limits, seconds)
        ending = _execute(order, trace, engine_name=forks.ENGINE, forked=forked)
        if ending.state != "ok" or not ours:
            self.leave()
        return ending

    def _forked(self, limit: Limits, seconds: float) -> tuple[forks.Fork, Guard]:
        """Return a fork, which has some seconds from now on, and its guard."""
        if self.fork is None:
            folder = self.of_fork.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            errors = kernels.errors_file(folder)
            guard = self.of_fork.enter_context(guards.guarded(limit, seconds, errors))
            self.fork = forks.Fork(errors), guard
            self.of_fork.callback(self.fork[0].end)
        self.fork[1].begin(seconds)
        return self.fork


def is_ours(path: Path) -> bool:
    """Return whether a notebook is one of the package's own, byte for byte, wherever it lies."""
    return hashlib.sha256(path.read_bytes()).hexdigest() in _own()


@functools.cache
def _own() -> frozenset[str]:
    """Return the checksums of the package's own chapters, as ``sha256sum`` writes them."""
    return frozenset(line.split()[0] for line in OWN.read_text("utf-8").splitlines())


def not_begun(order: Order) -> Chapter:
    """Return a chapter for which there was no time left."""
    ending = Ending("skipped", key="not_begun", values={"limit": f"{order.limits.seconds:,.0f}"})
    return _finished(_source(order.path), ending, order.parameters["language"])


def _source(path: Path) -> nbformat.NotebookNode:
    """Return a notebook as it is before anything is executed; an empty one where it cannot be read any more."""
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError):
        return nbformat.v4.new_notebook()


def _written(path: Path) -> nbformat.NotebookNode | None:
    """Return a notebook that papermill wrote, which is valid as far as it is whole."""
    try:
        return nbformat.v4.reads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _in_kernel(order: Order, trace: Trace, seconds: float) -> Ending:
    """Return how a chapter ended in a kernel of its own, which a thread watches."""
    folder = str(order.path.parent)
    output, options = Path(folder, EXECUTED), {"engine_name": kernels.ENGINE, "config": kernels.config(folder)}
    with guards.guarded(order.limits, seconds, kernels.errors_file(folder)) as guard, guards.watched(guard):
        ending = _execute(order, trace, output, **options)
    return guard.reached or ending


def _execute(order: Order, trace: Trace, output: Path | None = None, **options: Any) -> Ending:
    """Have papermill execute a chapter, and write it if it is to; return how it ended."""
    try:
        papermill.execute_notebook(
            literal(order.path.resolve()), output and literal(output), dict(order.parameters), kernel_name="python3",
            cwd=str(order.folder), progress_bar=False, request_save_on_cell_execute=False, trace=trace, **options,
        )  # fmt: skip
    except PapermillExecutionError as error:
        return Ending("failed", f"{error.ename}: {error.evalue}")
    except forks.Ended as ended:
        return ended.ending
    except Exception as error:  # noqa: BLE001 - a kernel that dies or hangs is a failed chapter, whatever says so
        return _fault(error, trace, kernels.last_words(str(output.parent)) if output else "")
    return Ending()


def _fault(error: Exception, trace: Trace, last_words: str) -> Ending:
    """Return how a chapter ended that was not ended by an error of a cell."""
    code = trace.kernel.poll() if trace.kernel else None
    killed = code is not None and -code in forks.OUTSIDE
    began = bool(trace.told().where) or isinstance(error, NoSuchKernel)
    text = f"{type(error).__name__}: {error} {last_words}".strip()
    return Ending("killed" if killed else "failed", text, heals=killed or not began or limits.heals(error))


# --- is it what was asked for? ----------------------------------------------------------------------------------------


def _judged(
    notebook: nbformat.NotebookNode, ending: Ending, told: Told, parameters: Mapping[str, str], whole: bool
) -> Chapter:
    """Return a chapter with how it ended, once it is known what it shows, whether that is all, what it was about."""
    ending, language = _checked(ending, notebook, told.about, parameters), parameters["language"]
    if ending.state == "ok" and not whole:
        ending = Ending("failed", key="lost")
    if told.cut:
        notice = Ending("failed", key="text", values={"cut": f"{told.cut:,}"})
        ending = ending if ending.state != "ok" else notice
        notebook.cells = _with_notice(notebook.cells, notice.said(language), told.cut_in, "cut", language)
    return _finished(notebook, ending, language, told.where)


def _checked(
    ending: Ending, notebook: nbformat.NotebookNode, about: Mapping[str, Any] | None, parameters: Mapping[str, str]
) -> Ending:
    """Return how a chapter ended, once it is known that it came to its end and was about what it was given."""
    if ending.state != "ok":
        return ending
    if error := _last_error(notebook):
        return Ending("failed", error)
    if about is None or is_about(about, parameters):
        return ending
    return Ending("failed", key="other", values={"given": _names(parameters), "found": _found(about, parameters)})


def _is_whole(notebook: nbformat.NotebookNode, told: Told) -> bool:
    """Return whether a fork has told of its end, and of every cell: what it told may have been deleted by a cell."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return told.about is not None and all(cell.get("id") in told.shown for cell in cells)


def _last_error(notebook: nbformat.NotebookNode) -> str:
    """Return the last error that a notebook shows, also that of a ``sys.exit(0)``, which papermill lets pass."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return next((f"{each.ename}: {each.evalue}" for each in reversed(outputs) if each.output_type == "error"), "")


def is_about(about: Mapping[str, Any], parameters: Mapping[str, str]) -> bool:
    """Return whether a chapter was about the run it was given: its variables say so, and the surveys it asked for.

    >>> given = {"project": "a", "period": "2024", "language": "en"}
    >>> is_about({**given, "surveys": [["a", "2024"], ["b", "2024"]]}, given)
    True
    >>> is_about({**given, "project": "b", "surveys": []}, given)
    False
    >>> is_about({**given, "surveys": [["b", "2024"]]}, given)
    False
    """
    same = all(about[name] == parameters[name] for name in ("project", "period", "language"))
    return same and (not about["surveys"] or [parameters["project"], parameters["period"]] in about["surveys"])


def _names(about: Mapping[str, Any]) -> str:
    return " ".join(str(about[name]) for name in ("project", "period", "language"))


def _found(about: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    """Return what a chapter was about instead: by its variables, or by its surveys where those are right."""
    found = _names(about)
    return found if found != _names(parameters) else ", ".join(" ".join(each) for each in about["surveys"])


# --- what is kept -----------------------------------------------------------------------------------------------------


def _finished(notebook: nbformat.NotebookNode, ending: Ending, language: str, where: str = "") -> Chapter:
    """Return a chapter without times, paths and papermill's banners; a failure that left no trace gets a cell."""
    cells = [cell for cell in notebook.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])]
    shown = any(output.output_type == "error" for cell in cells for output in cell.get("outputs", ()))
    if ending.state != "ok" and ending.key != "text" and (ending.key or not shown):
        cells = _with_notice(cells, ending.said(language), where, "failure", language if ending.key else "")
    for cell in cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"  # papermill draws one by lot
    notebook.cells = cells
    notebook.metadata.pop("papermill", None)
    return Chapter(notebook, ending)


def _with_notice(cells: list[Any], text: str, where: str, name: str, language: str) -> list[Any]:
    """Return cells with one more that says what went wrong, below the cell where it did; above all where none did."""
    head, _, said = (speak(language)("stopped.head"), "", text) if language else text.partition(": ")
    error = nbformat.v4.new_output("error", ename=head, evalue=said, traceback=[])
    place = next((number for number, cell in enumerate(cells, start=1) if cell.get("id") == where), 0)
    return [*cells[:place], nbformat.v4.new_code_cell(outputs=[error], id=name), *cells[place:]]
