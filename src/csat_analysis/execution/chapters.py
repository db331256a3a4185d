"""How does a notebook become an executed one that can be trusted? Within its limits, tried again where that can help.

How a chapter ended is found here, never in the notebook: papermill marks cells complete that never ran.
"""

import functools
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
from csat_analysis.execution.traces import Trace
from csat_analysis.ground.words import speak


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


def execute(order: Order, seconds: float) -> Chapter:
    """Return an executed chapter, tried again where it ended in a way that can heal, as long as there is time."""
    end = time.monotonic() + seconds
    for attempt in range(order.limits.retries + 1):
        left = end - time.monotonic()
        if attempt:
            left -= limits.pause(attempt)
            if left <= 0:
                break
            time.sleep(limits.pause(attempt))
        made = _attempt(order, left)
        if not made.ending.heals:
            break
    return made


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


def _attempt(order: Order, seconds: float) -> Chapter:
    """Return an executed chapter, tried once, without anything left running that it started."""
    if not order.path.is_file():
        ending = Ending("failed", key="gone", values={"notebook": f"notebooks/{order.path.name}"})
        return _finished(nbformat.v4.new_notebook(), ending, order.parameters["language"])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        trace = Trace(Path(folder), order.limits.text, order.limits.shown)
        output = Path(folder, order.path.name)
        work = functools.partial(_execute, order, output, trace, folder)
        with guards.guarded(order.limits, seconds, kernels.errors_file(folder)) as guard:
            ending = _guarded(work, order, folder, guard)
        executed = _written(output) or trace.so_far() or _source(order.path)
        ending = guard.reached or _checked(ending, executed, trace, order.parameters)
        cut = trace.cuts()
        where = trace.where()
    language = order.parameters["language"]
    if cut[0]:
        notice = Ending("failed", key="text", values={"cut": f"{cut[0]:,}"})
        ending = ending if ending.state != "ok" else notice
        executed.cells = _with_notice(executed.cells, notice.said(language), cut[1], "cut", language)
    return _finished(executed, ending, language, where)


def _guarded(work: Any, order: Order, folder: str, guard: Guard) -> Ending:
    """Return how the work ended in a fork, or in a kernel that a thread watches."""
    if order.kernel == "fork":
        try:
            return forks.run_in_fork(work, kernels.errors_file(folder), guard)
        except OSError as error:
            return Ending("failed", f"{type(error).__name__}: {error.strerror}", heals=limits.heals(error))
    with guards.watched(guard):
        return work()


def _execute(order: Order, output: Path, trace: Trace, folder: str) -> Ending:
    """Write an executed chapter; return how it ended."""
    options: dict[str, Any] = {"engine_name": kernels.ENGINE, "config": kernels.config(folder)}
    if order.kernel == "fork":
        forks.prepare()
        options = {"engine_name": forks.ENGINE}
    try:
        papermill.execute_notebook(
            literal(order.path.resolve()), literal(output), dict(order.parameters), kernel_name="python3",
            cwd=str(order.folder), progress_bar=False, request_save_on_cell_execute=False, trace=trace, **options,
        )  # fmt: skip
    except PapermillExecutionError as error:
        return Ending("failed", f"{error.ename}: {error.evalue}")
    except Exception as error:  # noqa: BLE001 - a kernel that dies or hangs is a failed chapter, whatever says so
        return _fault(error, trace, folder)
    return Ending()


def _fault(error: Exception, trace: Trace, folder: str) -> Ending:
    """Return how a chapter ended that was not ended by an error of a cell."""
    text = " ".join([f"{type(error).__name__}: {error}", kernels.last_words(folder)]).strip()
    code = trace.kernel.poll() if trace.kernel else None
    killed = code is not None and -code in forks.OUTSIDE
    began = bool(trace.where()) or isinstance(error, NoSuchKernel)
    return Ending("killed" if killed else "failed", text, heals=killed or not began or limits.heals(error))


# --- is it what was asked for? ----------------------------------------------------------------------------------------


def _checked(ending: Ending, notebook: nbformat.NotebookNode, trace: Trace, parameters: Mapping[str, str]) -> Ending:
    """Return how a chapter ended, once it is known that it came to its end and was about what it was given."""
    if ending.state != "ok":
        return ending
    if (stopped := _stopped(notebook)) is not None:
        return Ending("failed", stopped)
    about = trace.about()
    if about is None or is_about(about, parameters):
        return ending
    return Ending("failed", key="other", values={"given": _names(parameters), "found": _found(about, parameters)})


def _stopped(notebook: nbformat.NotebookNode) -> str | None:
    """Return how a cell ended a chapter that papermill calls complete: it lets ``sys.exit(0)`` pass."""
    errors = (each for cell in notebook.cells for each in cell.get("outputs", ()) if each.output_type == "error")
    return next((f"{each.ename}: {each.evalue}" for each in errors if each.ename == "SystemExit"), None)


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
