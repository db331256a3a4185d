"""In how many threads do libraries calculate? In one: runs are made side by side, and their threads would only fight.

It also makes the last digits of a product of matrices the same however many processors a machine has.
"""

import contextlib
import os
from collections.abc import Iterator

THREADS = ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # asked by libraries as they are imported


def ask_for_one() -> None:
    """Let this process, if nothing in it calculates yet, and what it starts use one thread, unless that is set."""
    for name in THREADS:
        os.environ.setdefault(name, "1")


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let the processes that are started meanwhile use one thread each, unless that is set."""
    before = {name: os.environ.get(name) for name in THREADS}
    ask_for_one()
    try:
        yield
    finally:
        for name in [name for name, value in before.items() if value is None]:
            os.environ.pop(name, None)
