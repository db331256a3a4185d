"""Where is a run worked on? In processes of this machine, or by the workers of a Dask cluster: executors, by name.

Whoever brings runs up to date asks for an executor as ``concurrent.futures`` has them, and need not know which it is.
Dask is imported where somebody asks for it.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import importlib.util
import logging
import multiprocessing
import multiprocessing.util
import os
import pickle
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from csat_analysis.execution import forks
from csat_analysis.ground.errors import ParameterError, ReportError

NAMES = ("local", "dask")
FIRST_ANSWER = 5  # seconds in which a scheduler has to answer
FIRST_WORKER = 60  # seconds in which it has to have a worker
LOOK = 0.5  # seconds between two looks whether a task is still wanted


@dataclass(frozen=True)
class Engine:
    """Where runs are worked on: ``local``, or ``dask`` with a scheduler's address; without one it is started here."""

    name: str = NAMES[0]
    scheduler: str = ""

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ParameterError(f"--engine: {self.name!r} is no engine; use one of {list(NAMES)}.")
        if self.name == "dask" and not importlib.util.find_spec("distributed"):
            raise ParameterError('--engine dask: Dask is not installed; pip install "csat-analysis[dask]".')


LOCAL = Engine()


def executor(
    engine: Engine, root: Path, jobs: int, forked: bool, begin: Callable[[], None]
) -> contextlib.AbstractContextManager[Executor]:
    """Return an executor to be opened, whose every task has a process of its own that was set up by ``begin``.

    Parameters
    ----------
    root
        The folder that tasks read and write; a worker elsewhere must see it under the same path.
    forked
        Whether processes start from a server that has imported what chapters need.
    """
    if engine.name == "dask":
        return _dask(engine, root, jobs, forked, begin)
    return ProcessPoolExecutor(jobs, context(forked), begin)


def context(forked: bool) -> BaseContext:
    """Return how processes are started: each anew, or from a server that has imported what chapters need."""
    return forks.server() if forked else multiprocessing.get_context("spawn")


# --- the cluster, seen from the command -------------------------------------------------------------------------------


class OnWorkers(Executor):
    """Sends tasks to the workers of a cluster.

    They travel as bytes: a worker only hands them on to a process, and need not import what that one does.
    """

    def __init__(self, client: Any, ticket: "Ticket"):
        self.inner, self.ticket = client.get_executor(pure=False), ticket

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> "Future[Any]":
        """Return what becomes of some work."""
        sent = pickle.dumps(functools.partial(work, *arguments, **options))
        there, here = self.inner.submit(work_here, self.ticket, sent), Future[Any]()
        here.add_done_callback(lambda future: there.cancel() if future.cancelled() else None)
        there.add_done_callback(functools.partial(_arrive, here))
        return here

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work."""
        self.inner.shutdown(wait and not cancel_futures)


def _arrive(here: "Future[Any]", there: "Future[bytes]") -> None:
    """Let what came back from a cluster be known: a result, or how the task failed."""
    if not here.set_running_or_notify_cancel():
        return
    if there.cancelled():
        here.set_exception(ReportError("the cluster's scheduler went away; start it again, and repeat the command."))
    elif (error := there.exception()) is not None:
        killed = type(error).__name__ == "KilledWorker"  # after so many workers that their scheduler gives up
        here.set_exception(BrokenExecutor(str(error)) if killed else error)
    else:
        here.set_result(pickle.loads(there.result()))


@contextlib.contextmanager
def _dask(engine: Engine, root: Path, jobs: int, forked: bool, begin: Callable[[], None]) -> Iterator[Executor]:
    """Give an executor on a cluster that was checked; what was started for it is gone afterwards."""
    import distributed

    with contextlib.ExitStack() as stack:
        stack.enter_context(distributed.utils.silence_logging_cmgr(logging.CRITICAL))  # what matters is a sentence
        cluster = engine.scheduler or stack.enter_context(_local_cluster(jobs))
        client = stack.enter_context(_client(cluster))
        sign = stack.enter_context(_sign(root))
        ticket = Ticket(sign, versions(), forked, pickle.dumps(begin))
        _check_workers(client, ticket, engine.scheduler or "--engine dask")
        yield OnWorkers(client, ticket)


@contextlib.contextmanager
def _local_cluster(jobs: int) -> Iterator[Any]:
    """Give a cluster of processes of this machine, each with one task at a time."""
    import distributed

    with contextlib.ExitStack() as stack:
        with forks.interrupts_ignored():  # by the workers: an interrupt reaches them through this process
            try:
                cluster = distributed.LocalCluster(
                    n_workers=jobs, threads_per_worker=1, memory_limit=0, dashboard_address=":0",
                    silence_logs=logging.CRITICAL,
                )  # fmt: skip
            except (OSError, RuntimeError) as error:
                raise ReportError(
                    f"--engine dask: no cluster could be started ({error}); use --engine local."
                ) from None
            stack.enter_context(cluster)
        yield cluster


def _client(cluster: Any) -> Any:
    """Return the connection to a cluster, or to the address of a scheduler."""
    import distributed

    try:
        if isinstance(cluster, str):
            asyncio.run(_ask(cluster))
        return distributed.Client(cluster, set_as_default=False)
    except (OSError, TypeError, ValueError) as error:  # silence; no keys for tls; no address
        why = str(error) or "what listens says nothing"
        raise ParameterError(
            f"--scheduler: {cluster}: no Dask scheduler answers there ({why}); start one, or mend the address."
        ) from None


async def _ask(address: str) -> None:
    """Look whether a scheduler answers: a client that finds none leaves a mess."""
    import distributed

    security = distributed.Security().get_connection_args("client")
    async with asyncio.timeout(2 * FIRST_ANSWER):  # something else may listen there, and say nothing
        (await distributed.comm.connect(address, timeout=FIRST_ANSWER, **security)).abort()


@contextlib.contextmanager
def _sign(root: Path) -> Iterator[Path]:
    """Give a file that is there as long as the command works: a worker that does not see it has another folder."""
    folder = root / "reports"
    try:
        folder.mkdir(exist_ok=True)
        file = tempfile.NamedTemporaryFile(prefix=".engine.", dir=folder)  # noqa: SIM115 - it is, below
    except OSError as error:
        raise ReportError(f"{folder}: cannot be written ({error.strerror}); check space and permissions.") from None
    with file:
        yield Path(file.name)


def _check_workers(client: Any, ticket: "Ticket", place: str) -> None:
    """Refuse a cluster without workers, or with one that would not make the same pages."""
    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER)
    except TimeoutError:
        raise ParameterError(f"{place}: has no worker after {FIRST_WORKER} s; start one: dask worker {place}") from None
    found = client.run(judge_here, ticket, on_error="return")
    if wrong := [f"{place}: worker {worker}: {text}" for worker, answer in found.items() for text in _said(answer)]:
        raise ParameterError(wrong)


def _said(answer: Any) -> list[str]:
    """Return the sentences of a worker's answer; one that went away meanwhile says none.

    >>> _said(ModuleNotFoundError("No module named 'csat_analysis'"))
    ["No module named 'csat_analysis'; install the same csat_analysis there as here."]
    """
    if isinstance(answer, ImportError | AttributeError):
        return [f"{answer}; install the same csat_analysis there as here."]
    return answer if isinstance(answer, list) else []


# --- on a worker ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ticket:
    """What goes with a task: what its worker must have in common with who sent it, and how its process is started."""

    sign: Path
    versions: dict[str, str]
    forked: bool
    begin: bytes


def versions() -> dict[str, str]:
    """Return what decides on the bytes of a page, beside its inputs.

    A server that processes are forked from asks at once, and so remembers the code that it imported.
    """
    from csat_analysis.execution import freshness
    from csat_analysis.ground.software import software  # here: the worker itself does without

    code = {"the code of csat_analysis": freshness.package_digest()[:12], "the system": sys.platform}
    return {**software(), **code}


def differences(ticket: Ticket) -> list[str]:
    """Return why this process would not make the same pages in the same folder, as sentences; none where it would."""
    here = versions()
    names = [name for name in ticket.versions | here if ticket.versions.get(name) != here.get(name)]
    found = [
        f"{name} is {here.get(name)} there and {ticket.versions.get(name)} here; install the same on both, and start "
        "the worker anew."
        for name in names
    ]
    if not ticket.sign.exists():
        found += [f"{ticket.sign.parent} is not this folder there; share it, and let it have the same path everywhere."]
    return found


async def judge_here(ticket: Ticket) -> list[str]:
    """Return the differences of this worker, whose first process is warm then."""
    return await asyncio.to_thread(_in_process, ticket, differences, ticket)


def work_here(ticket: Ticket, work: bytes) -> bytes:
    """Return what some work gives, done on this worker in a process of its own.

    The worker has threads, so it is not forked: the process comes from a server that it keeps, as the command does.

    Raises
    ------
    ReportError
        Where this worker would not make the same pages in the same folder.
    """
    return _in_process(ticket, _carry_out, ticket, work)


def _carry_out(ticket: Ticket, work: bytes) -> bytes:
    if wrong := differences(ticket):
        raise ReportError([f"worker on {socket.gethostname()}: {text}" for text in wrong])
    return pickle.dumps(pickle.loads(work)())


def _begin(begin: bytes) -> None:
    pickle.loads(begin)()


def _in_process(ticket: Ticket, work: Callable[..., Any], *arguments: Any) -> Any:
    """Return what some work gives in a process of its own, which is interrupted when nobody wants it any more."""
    pool, process = _process(ticket)
    try:
        future = pool.submit(work, *arguments)
        while not concurrent.futures.wait([future], LOOK).done:
            if not _is_wanted():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGINT)
        result = future.result()
    except BaseException:
        pool.shutdown(wait=False)
        raise
    _IDLE[ticket.forked].append(pool)
    return result


_IDLE: dict[bool, list[ProcessPoolExecutor]] = {True: [], False: []}  # each of one process, so that none ends another's


def _process(ticket: Ticket) -> tuple[ProcessPoolExecutor, int]:
    """Return a process to work in, if there is one that has worked before, and its number."""
    multiprocessing.current_process().daemon = False  # else it may have no processes; they end with it all the same
    idle = _IDLE[ticket.forked]
    while idle:
        with contextlib.suppress(BrokenExecutor, IndexError):  # killed, or taken by another thread
            pool = idle.pop()
            return pool, pool.submit(os.getpid).result()
    pool = ProcessPoolExecutor(1, context(ticket.forked), _begin, (ticket.begin,))
    multiprocessing.util.Finalize(None, pool.shutdown, exitpriority=20)  # before its queues are closed
    return pool, pool.submit(os.getpid).result()


def _is_wanted() -> bool:
    """Return whether the task of this thread was not cancelled, and its worker goes on."""
    import distributed

    try:
        worker = distributed.get_worker()
        task = worker.state.tasks.get(worker.get_current_task())
    except (ValueError, KeyError):  # no worker, or no task of it
        return True
    return task is not None and task.state != "cancelled" and worker.status.name not in ("closing", "closed", "failed")
