"""Which runs are stale, and what became of them? Selects runs, publishes them, then writes the portal."""

import contextlib
import functools
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass
from pathlib import Path

from csat_analysis.ground import params
from csat_analysis.ground.errors import CsatError, DataError, ParameterError
from csat_analysis.ground.runs import Run
from csat_analysis.publishing import engines, forks, portal, publish


@dataclass(frozen=True)
class State:
    """How a run stands: ``never run``, ``fresh``, ``stale``, ``failed``, ``closed`` or ``unusable``, and why."""

    run: Run
    state: str
    why: tuple[str, ...] = ()
    task: publish.Task | None = None


def select(rules: params.Rules, projects: Sequence[str] = (), periods: Sequence[str] = ()) -> list[Run]:
    """Return the runs of some projects and periods; all where none is named.

    Raises
    ------
    ParameterError
        Where a named project or period is none, or nothing is left.
    """
    broken = {path.stem: error for path, error in rules.broken.items() if path.parent.name == "runs"}
    for project in projects:
        if project not in rules.run_files and project not in broken:
            raise ParameterError(f"--project: {project!r} is not a project; use one of {sorted(rules.run_files)}.")
    if projects and not set(projects) & set(rules.run_files):
        raise broken[projects[0]]
    runs = [run for run in rules.runs if not projects or run.project in projects]
    for period in periods:
        if period not in {run.period for run in runs}:
            raise ParameterError(
                f"--period: {period!r} is not a period there; use one of {sorted({r.period for r in runs})}."
            )
    chosen = [run for run in runs if not periods or run.period in periods]
    if not chosen:
        raise ParameterError(
            f"{rules.root / 'params' / 'runs'}: no run file that can be used; mend or add params/runs/<project>.yml."
        )
    return chosen


def left_out(rules: params.Rules, projects: Sequence[str] = ()) -> bool:
    """Return whether a run file that cannot be used belongs to the selection: where no project is named, each does."""
    folder = rules.root / "params" / "runs"
    return any(path.parent == folder and (not projects or path.stem in projects) for path in rules.broken)


def recover(rules: params.Rules, chosen: Iterable[Run]) -> None:
    """Put right what a killed process left beside the pages of some runs."""
    for run in chosen:
        publish.recover(publish.reports_folder(rules.root, run))


def state_of(
    rules: params.Rules, run: Run, languages: Sequence[str] = (), force: bool = False, kernel: str = "plain"
) -> State:
    """Return how a run stands, with the task that brings it up to date where it is not fresh."""
    folder = publish.reports_folder(rules.root, run)
    manifest = publish.read_manifest(folder)
    published = tuple(manifest["languages"]) if manifest else ()
    if run.closed and manifest and not force:
        return State(run, "closed", ("the run file says closed: true",))
    try:
        document = params.choose_programme(rules, run)
        earlier = params.earlier_runs(rules, run)
        key = publish.fingerprint(rules.root, run, document, earlier, _peers(rules, run))
    except CsatError as error:
        return State(run, "unusable", error.messages)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other runs go on
        return State(run, "unusable", (_fault(run, error),))
    wanted = tuple(dict.fromkeys([*(languages or [run.language]), *published]))
    task = publish.Task(rules.root, run, document, wanted, key, earlier, kernel)
    failed = publish.read_manifest(folder / "failed")
    if failed and failed["key"] == key:
        return State(run, "failed", tuple(failed["failures"].values()), task)
    if manifest is None:
        return State(run, "never run", (), task)
    why = changes(manifest["key"], key)
    if not why and not publish.is_whole(folder, manifest, wanted):
        missing = [language for language in wanted if language not in published]
        why = [f"no pages in {language}" for language in missing] or ["a page is missing or was changed"]
    if not why and failed:
        why = ["the last run failed, on inputs that were changed back since"]
    if why or force:
        return State(run, "stale", tuple(why or ["--force"]), task)
    return State(run, "fresh")


def _peers(rules: params.Rules, run: Run) -> list[Run]:
    """Return the other projects' runs that a run's verdict on change may rest on."""
    if run.baseline is None or run.change.selected is False:
        return []
    return [peer for pair in params.peer_runs(rules, run) for peer in pair if peer]


def changes(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Return what a run depends on that is new, gone or different.

    >>> changes({"programme": "1", "data a": "2"}, {"programme": "3", "data b": "2"})
    ['programme changed', 'data b is new', 'data a is gone']
    """
    found = [f"{name} {'changed' if name in before else 'is new'}" for name in now if before.get(name) != now[name]]
    return found + [f"{name} is gone" for name in before if name not in now]


def bring_up_to_date(
    states: Sequence[State],
    jobs: int,
    told: Callable[[State, publish.Outcome], None],
    prepare: Callable[[], None] | None = None,
    engine: engines.Engine = engines.LOCAL,
) -> list[publish.Outcome]:
    """Publish every run that is not fresh, and return what became of each.

    Parameters
    ----------
    jobs
        How many at a time, each in a process of its own.
    told
        Called with each outcome, in the order of the states.
    prepare
        Called first in every process; must be importable there.
    engine
        Where: on this machine, or on a cluster.
    """
    tasks = [state.task for state in states if state.task is not None]
    busy, forked = min(jobs, len(tasks)), any(task.kernel == "fork" for task in tasks)
    if not tasks or (busy <= 1 and not forked and engine == engines.LOCAL):
        return [_told(state, _bring_up_to_date(state), told) for state in states]
    begin = functools.partial(_begin_work, prepare)
    with engines.executor(engine, tasks[0].root, busy, forked, begin) as pool:
        with forks.interrupts_ignored():  # by the new processes, until they can say how to take one
            futures = [pool.submit(_work, state) if state.task else None for state in states]
        try:
            return [_told(state, _outcome(state, future), told) for state, future in zip(states, futures, strict=True)]
        except KeyboardInterrupt:
            _interrupt([future for future in futures if future], engine)
            raise


def _told(state: State, outcome: publish.Outcome, told: Callable[[State, publish.Outcome], None]) -> publish.Outcome:
    told(state, outcome)
    return outcome


def _bring_up_to_date(state: State) -> publish.Outcome:
    if state.state == "unusable":
        return publish.Outcome("unusable", list(state.why))
    if state.task is None:
        return publish.Outcome("skipped")
    try:
        return publish.publish(state.task)
    except (ParameterError, DataError) as error:
        return publish.Outcome("unusable", list(error.messages))
    except CsatError as error:
        return publish.Outcome("failed", list(error.messages))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other runs go on
        return publish.Outcome("failed", [_fault(state.run, error)])


def _fault(run: Run, error: Exception) -> str:
    """Return a fault of ours as a sentence: where, what, and at which line of the package."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "csat_analysis" in f.filename]
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{run.place}: a fault of the package ({type(error).__name__}{place}); report it, with the data if you may."


# --- work in several processes ----------------------------------------------------------------------------------------


def _begin_work(prepare: Callable[[], None] | None) -> None:
    """Set up a process that works for this one: it ends with it, and at an interrupt."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    forks.follow_parent()
    if prepare:
        prepare()


def _work(state: State) -> publish.Outcome:
    """Bring a run up to date; an interrupt clears up, and then ends the process before it takes another run."""
    signal.signal(signal.SIGINT, _take_interrupt)
    try:
        return _bring_up_to_date(state)
    except KeyboardInterrupt:
        os._exit(1)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _take_interrupt(number: int, frame: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the next ones would cut the clearing up short
    raise KeyboardInterrupt


def _outcome(state: State, future: "Future[publish.Outcome] | None") -> publish.Outcome:
    if future is None:  # nothing to be worked on
        return _bring_up_to_date(state)
    try:
        return future.result()
    except CsatError as error:  # of a worker that cannot do it
        return publish.Outcome("failed", [f"{state.run.place}: {message}" for message in error.messages])
    except BrokenExecutor:
        why = "a process that works on the runs was killed (out of memory?); run again, with fewer --jobs."
        return publish.Outcome("failed", [f"{state.run.place}: {why}"])


def _interrupt(futures: "Iterable[Future[publish.Outcome]]", engine: engines.Engine) -> None:
    """Tell every process that works to end, again and again: one that is just starting does not hear yet."""
    for future in futures:
        future.cancel()
    while engine == engines.LOCAL and (workers := multiprocessing.active_children()):
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGINT)  # type: ignore[arg-type]
        time.sleep(0.2)


# --- how it ended -----------------------------------------------------------------------------------------------------


def exit_status(outcomes: Sequence[publish.Outcome], left_out: bool = False) -> int:
    """Return 0: all is well; 1: some run failed or could not be read; 2: no selected run had usable inputs."""
    states = [outcome.state for outcome in outcomes]
    if states and all(state == "unusable" for state in states):
        return 2
    return int(left_out or any(state in ("failed", "unusable") for state in states))


def write_portal(rules: params.Rules, language: str) -> Path:
    """Write the portal and return its path."""
    return portal.write(rules.root, language)
