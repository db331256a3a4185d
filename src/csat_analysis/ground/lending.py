"""What has a process worked out that its forks need not work out again, and which surveys did it ask for?

A run is read and judged once, and each of its chapters, a fork of that process, is lent the results. Nowhere else is
anything remembered: whoever works by hand reads files anew whenever they ask for them.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

_LENT: dict[tuple[Any, ...], Any] = {}
_ASKED: set[tuple[str, str]] = set()


@contextlib.contextmanager
def lend(results: Mapping[tuple[Any, ...], Any]) -> Iterator[None]:
    """Let this process and its forks find some results by their keys.

    >>> with lend({("sum", 1, 2): 3}):
    ...     found("sum", 1, 2), found("sum", 2, 2)
    (3, None)
    """
    _LENT.update(results)
    try:
        yield
    finally:
        for key in results:
            _LENT.pop(key, None)


def found(*key: Any) -> Any:
    """Return what is lent under a key; None where nothing is."""
    return _LENT.get(key)


def note(project: str, period: str) -> None:
    """Take note that the survey of a run was asked for."""
    _ASKED.add((project, period))


def forget() -> None:
    """Forget which surveys were asked for."""
    _ASKED.clear()


def about(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a chapter is about, by its variables and by the surveys that it asked for.

    >>> forget()
    >>> about({"project": "yuanya", "period": 2024})
    {'project': 'yuanya', 'period': '2024', 'language': None, 'surveys': []}
    """
    given = {name: str(names[name]) if name in names else None for name in ("project", "period", "language")}
    return {**given, "surveys": sorted(map(list, _ASKED))}
