"""Who makes the pages of a run right now? One process at a time, on whichever machine."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from csat_analysis.ground.errors import CsatError, ReportError


class Busy(CsatError):
    """Another process makes the pages of a run."""


@contextlib.contextmanager
def hold(target: Path) -> Iterator[None]:
    """Be the one process that makes the pages of a run, which belong into a folder (``reports/<project>/<period>``).

    Notes
    -----
    The system lets go of the lock of a process that ended, however it ended, so that none is left over. Beside it
    stands who holds it, for whoever finds it held.

    Raises
    ------
    Busy
        Where another process is at it.
    """
    project, period = target.parent.name, target.name
    path = target.parents[1] / ".locks" / f"{project}.{period}.lock"
    owner, lock = path.with_suffix(".by"), FileLock(path, timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        owner.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid()}), "utf-8")
    except Timeout:
        raise Busy(
            f"{project} {period}: its pages are being made{_by(owner)}; they are left to that process."
        ) from None
    except OSError as error:
        lock.release()
        raise ReportError(
            f"{path.parent}: cannot be written ({error.strerror}); check space and permissions."
        ) from None
    try:
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _by(owner: Path) -> str:
    """Return who holds a lock, as far as it says so."""
    try:
        found = json.loads(owner.read_bytes())
        return f" by process {int(found['pid'])} on {str(found['host'])[:100]}"
    except (OSError, ValueError, LookupError, TypeError):
        return ""
