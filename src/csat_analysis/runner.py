"""What became of the runs? Publishes those that are not fresh, in several processes; then writes the portal."""

import contextlib
import functools
import multiprocessing
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from csat_analysis.execution import engines, forks, freshness, memory
from csat_analysis.execution.freshness import State, Task, fault, reports_folder
from csat_analysis.execution.guards import Overdue, orphans_ended
from csat_analysis.execution.limits import BAD, Limits, heals, pause
from csat_analysis.execution.locks import Busy
from csat_analysis.ground import params
from csat_analysis.ground.errors import CsatError, DataError, ParameterError
from csat_analysis.ground.runs import Run
from csat_analysis.portal import portal
from csat_analysis.publishing import publish

USUAL = Limits()


def recover(rules: params.Rules, chosen: Iterable[Run]) -> None:
    """Put right what a killed process left beside the pages of some runs."""
    for run in chosen:
        publish.recover(reports_folder(rules.root, run))


def bring_up_to_date(
    states: Sequence[State],
    jobs: int,
    told: Callable[[State, publish.Outcome], None],
    prepare: Callable[[], None] | None = None,
    limits: Limits = USUAL,
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
    limits
        How far each run may go.
    engine
        Where: on this machine, or on a cluster.
    """
    states = [replace(each, task=each.task and replace(each.task, limits=limits)) for each in states]
    tasks = [state.task for state in states if state.task is not None]
    busy, forked = min(jobs, len(tasks)), any(task.kernel == "fork" for task in tasks)
    if not tasks or (busy <= 1 and not forked and engine == engines.LOCAL):
        return [_told(state, _bring_up_to_date(state), told) for state in states]
    begin = functools.partial(_begin_work, prepare)
    return _Rounds(states, told, _Pools(engine, tasks[0].root, forked, begin), limits.retries).all(busy)


def _told(state: State, outcome: publish.Outcome, told: Callable[[State, publish.Outcome], None]) -> publish.Outcome:
    told(state, outcome)
    return outcome


def _bring_up_to_date(state: State) -> publish.Outcome:
    if state.state == "unusable":
        return publish.Outcome("unusable", list(state.why))
    if state.task is None:
        return publish.Outcome("skipped")
    try:
        return _publish(state.task)
    except Busy as error:
        return publish.Outcome("skipped", list(error.messages))
    except (ParameterError, DataError) as error:
        return publish.Outcome("unusable", list(error.messages))
    except Overdue as error:
        return publish.Outcome("timed_out", list(error.messages))
    except CsatError as error:
        return publish.Outcome("failed", list(error.messages))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other runs go on
        return publish.Outcome("failed", [fault(state.run, error)])


def _publish(task: Task) -> publish.Outcome:
    """Publish a run; a fault of the file system that can heal is tried again."""
    for attempt in range(1, task.limits.retries + 1):
        try:
            return publish.publish(task)
        except Exception as error:
            if not heals(error):
                raise
            time.sleep(pause(attempt))
    return publish.publish(task)


# --- work in several processes ----------------------------------------------------------------------------------------


class _Pools(NamedTuple):
    """How processes are had to work in: where, for which folder, whether chapters are forked, what each calls first."""

    engine: engines.Engine
    root: Path
    forked: bool
    begin: Callable[[], None]

    def new(self, size: int) -> contextlib.AbstractContextManager[Executor]:
        """Return some processes, to be opened."""
        return engines.executor(self.engine, self.root, size, self.forked, self.begin)


class _Rounds:
    """Works on all runs; when a process is killed, the others go on in a new pool.

    A pool does not say which of its processes broke it: whatever was being worked on is tried again, alone.
    """

    def __init__(
        self, states: Sequence[State], told: Callable[[State, publish.Outcome], None], pools: _Pools, retries: int
    ):
        self.states, self.told, self.pools, self.retries = states, told, pools, retries
        self.outcomes: dict[int, publish.Outcome] = {}
        self.attempts: Counter[int] = Counter()

    def all(self, busy: int) -> list[publish.Outcome]:
        """Return what became of every run."""
        for number, state in enumerate(self.states):
            if state.task is None:
                self._end(number, _bring_up_to_date(state))
        rounds = [([number for number in range(len(self.states)) if number not in self.outcomes], busy)]
        while rounds:
            numbers, size = rounds.pop(0)
            hit = self._one(numbers, size)
            rest = [number for number in numbers if number not in self.outcomes and number not in hit]
            rounds += [(rest, size)] if rest else []
            rounds += [([number], 1) for number in hit if self._again(number)]
        return [self.outcomes[number] for number in range(len(self.states))]

    def _one(self, numbers: list[int], size: int) -> list[int]:
        """Work on some runs in one pool; return those that were being worked on when it broke."""
        if size == 1 and (attempt := self.attempts[numbers[0]]):
            time.sleep(pause(attempt))
        engine = self.pools.engine
        ended = orphans_ended() if engine == engines.LOCAL else contextlib.nullcontext()
        with ended, tempfile.TemporaryDirectory() as begun, self.pools.new(size) as pool:
            signs = {n: Path(begun, str(n)) if engine == engines.LOCAL else None for n in numbers}
            with forks.interrupts_ignored():  # by the new processes, until they can say how to take one
                futures = [pool.submit(_work, self.states[number], signs[number]) for number in numbers]
            try:
                for number, future in zip(numbers, futures, strict=True):
                    with contextlib.suppress(BrokenExecutor):
                        self._end(number, self._outcome(number, future))
            except KeyboardInterrupt:
                _interrupt(futures, engine)
                raise
            hit = [n for n in numbers if n not in self.outcomes and (sign := signs[n]) and sign.exists()]
        for task in [task for n in hit if (task := self.states[n].task) is not None]:
            publish.recover(reports_folder(task.root, task.run))
        return hit

    def _outcome(self, number: int, future: "Future[publish.Outcome]") -> publish.Outcome:
        try:
            return future.result()
        except CsatError as error:  # of a worker that cannot do it
            place = self.states[number].run.place
            return publish.Outcome("failed", [f"{place}: {message}" for message in error.messages])
        except BrokenExecutor:
            if self.pools.engine == engines.LOCAL:  # whose it was is found out
                raise
            return self._killed(number)  # after several workers: a cluster tries again by itself

    def _again(self, number: int) -> bool:
        """Return whether a run is tried again whose process was killed; otherwise that is what became of it."""
        self.attempts[number] += 1
        if self.attempts[number] <= self.retries:
            return True
        self._end(number, self._killed(number))
        return False

    def _killed(self, number: int) -> publish.Outcome:
        why = "a process that works on the runs was killed (out of memory?); run again, with fewer --jobs."
        return publish.Outcome("killed", [f"{self.states[number].run.place}: {why}"])

    def _end(self, number: int, outcome: publish.Outcome) -> None:
        """Keep an outcome, and tell those that are now known in their order."""
        known = self._known()
        self.outcomes[number] = outcome
        for each in range(known, self._known()):
            self.told(self.states[each], self.outcomes[each])

    def _known(self) -> int:
        """Return how many runs are known from the first on, without a gap."""
        return next(number for number in range(len(self.states) + 1) if number not in self.outcomes)


def _begin_work(prepare: Callable[[], None] | None) -> None:
    """Set up a process that works for this one: it ends with it, and at an interrupt."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    forks.follow_parent()
    if prepare:
        prepare()


def _work(state: State, begun: Path | None) -> publish.Outcome:
    """Bring a run up to date; an interrupt clears up, and then ends the process before it takes another run.

    Parameters
    ----------
    begun
        The file that says that this run is being worked on, where one killed process ends all others of its pool.
    """
    if begun:
        begun.touch()
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
    return int(left_out or any(state in (*BAD, "unusable") for state in states))


def standings(
    sources: freshness.Sources, states: Sequence[State], outcomes: Sequence[publish.Outcome]
) -> list[memory.Standing]:
    """Return how all runs of a root stand after some of them were brought up to date, by project and period.

    Those that are known to be well are not looked at again.
    """
    known = {
        (state.run.project, state.run.period): memory.Standing(
            state.run.project, state.run.period, state.state if state.task is None else "fresh", []
        )
        for state, outcome in zip(states, outcomes, strict=True)
        if outcome.state == "ok" or (state.task is None and state.state in ("fresh", "closed"))
    }
    others = [run for run in sources.rules.runs if (run.project, run.period) not in known]
    looked_at = (memory.standing(state) for state in freshness.states_of(sources, others))
    found = known | {(each.project, each.period): each for each in looked_at}
    return [found[run.project, run.period] for run in sources.rules.runs]


def write_portal(rules: params.Rules, language: str, stands: Sequence[memory.Standing] | None = None) -> Path:
    """Write the portal, with how the runs of its root stand, and return its path."""
    return portal.write(rules.root, language, stands)
