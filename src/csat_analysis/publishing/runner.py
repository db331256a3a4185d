"""What became of the runs? Publishes those that are not fresh, in several processes; then writes the portal."""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from pathlib import Path

from csat_analysis.ground import params
from csat_analysis.ground.errors import CsatError, DataError, ParameterError
from csat_analysis.ground.runs import Run
from csat_analysis.publishing import forks, portal, publish
from csat_analysis.publishing.freshness import State, fault, reports_folder


def recover(rules: params.Rules, chosen: Iterable[Run]) -> None:
    """Put right what a killed process left beside the pages of some runs."""
    for run in chosen:
        publish.recover(reports_folder(rules.root, run))


def bring_up_to_date(
    states: Sequence[State],
    jobs: int,
    told: Callable[[State, publish.Outcome], None],
    prepare: Callable[[], None] | None = None,
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
    """
    tasks = [state.task for state in states if state.task is not None]
    busy, forked = min(jobs, len(tasks)), any(task.kernel == "fork" for task in tasks)
    if busy <= 1 and not forked:
        return [_told(state, _bring_up_to_date(state), told) for state in states]
    with ProcessPoolExecutor(busy, _context(forked), _begin_work, (prepare,)) as pool:
        with forks.interrupts_ignored():  # by the new processes, until they can say how to take one
            futures = [pool.submit(_work, state) for state in states]
        try:
            return [_told(state, _outcome(state, future), told) for state, future in zip(states, futures, strict=True)]
        except KeyboardInterrupt:
            _interrupt(futures)
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
        return publish.Outcome("failed", [fault(state.run, error)])


# --- work in several processes ----------------------------------------------------------------------------------------


def _context(forked: bool) -> BaseContext:
    """Return how processes are started: each anew, or from a server that has imported what chapters need."""
    return forks.server() if forked else multiprocessing.get_context("spawn")


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


def _outcome(state: State, future: "Future[publish.Outcome]") -> publish.Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        why = "a process that works on the runs was killed (out of memory?); run again, with fewer --jobs."
        return publish.Outcome("failed", [f"{state.run.place}: {why}"])


def _interrupt(futures: "Iterable[Future[publish.Outcome]]") -> None:
    """Tell every process that works to end, again and again: one that is just starting does not hear yet."""
    for future in futures:
        future.cancel()
    while workers := multiprocessing.active_children():
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
