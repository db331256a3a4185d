"""How far may a run go, how did something end, and what can heal?"""

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from csat_analysis.ground.words import speak

HEALING = {
    errno.EAGAIN, errno.EBUSY, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT,
}  # fmt: skip
BAD = ("failed", "timed_out", "killed")  # states of what has to be done again, the gravest first


@dataclass(frozen=True)
class Limits:
    """How far a run may go.

    Attributes
    ----------
    seconds
        For all its chapters together.
    memory
        Megabytes, of one chapter with whatever it starts; none where the system itself is the limit.
    text
        Characters that the cells of one chapter may print.
    shown
        Characters of whatever else they may show: tables, figures.
    retries
        How often that is tried again which can heal.
    """

    seconds: float = 1800
    memory: float | None = None
    text: int = 1_000_000
    shown: int = 20_000_000
    retries: int = 1


class Ending(NamedTuple):
    """How something ended: ``ok``, ``failed``, ``timed_out``, ``killed`` or ``skipped``; why; whether it can heal."""

    state: str = "ok"
    text: str = ""  # in the words of whoever failed
    key: str = ""  # or in ours
    values: Mapping[str, Any] = {}
    heals: bool = False

    def said(self, language: str = "en") -> str:
        """Return why it ended so, nothing where all is well.

        >>> Ending("killed", key="memory", values={"memory": "500", "limit": "400"}).said()
        'Stopped when it held 500 MB of memory; a chapter may hold 400 MB.'
        """
        return speak(language)(f"stopped.{self.key}", **self.values) if self.key else self.text


def heals(error: BaseException) -> bool:
    """Return whether a fault may be gone the next time: one of the file system or the system that passes.

    >>> [heals(error) for error in (OSError(errno.ESTALE, ""), OSError(errno.ENOSPC, ""), KeyError())]
    [True, False, False]
    """
    return any(isinstance(each, OSError) and each.errno in HEALING for each in (error, error.__context__))


def pause(attempt: int) -> float:
    """Return how many seconds to wait before a new attempt, the first of which is 1.

    >>> [pause(attempt) for attempt in (1, 2, 3)]
    [0.5, 1.0, 2.0]
    """
    return 0.5 * 2 ** (attempt - 1)


def share(left: float, waiting: int) -> float:
    """Return the seconds that a chapter may take: half of what is left while others wait, so that they go on.

    >>> share(60, waiting=2), share(30, waiting=0), share(-1, waiting=0)
    (30.0, 30, 0)
    """
    return max(left / 2 if waiting else left, 0)


def worst(states: Iterable[str]) -> str:
    """Return the state of a run whose chapters have these: what has to be mended weighs most.

    >>> worst(["ok", "killed", "failed"]), worst(["ok", "skipped"]), worst(["ok"]), worst([])
    ('failed', 'timed_out', 'ok', 'ok')
    """
    found = set(states)
    return next((state for state in BAD if state in found), "timed_out" if "skipped" in found else "ok")
