"""Which checksum has a file? Remembered between commands, by the file's size and time."""

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from csat_analysis.ground.errors import DataError
from csat_analysis.ground.runs import Read

REMEMBERED = Path("reports", ".digests.json")
SETTLED = 2e9  # nanoseconds: a file changed later than this before it was read may change again without a new time
Stamp = tuple[int, int]


class Digests:
    """Checksums of the files of a root.

    A file that has the size and the time it had is not read again. What is remembered is no more than that: where the
    file of it cannot be read or written, files are read.
    """

    def __init__(self, root: Path):
        self.root, self.path, self.is_new = root, root / REMEMBERED, False
        self.known: dict[str, Any] = _read(self.path)

    def of(self, path: Path) -> str:
        """Return the SHA-256 of a file.

        Raises
        ------
        DataError
            Where it cannot be read.
        """
        return self._remembered(self._name(path), path, lambda: hashlib.sha256(path.read_bytes()).hexdigest())

    def of_rows(self, path: Path, read: Read, others: Sequence[Read]) -> str:
        """Return the checksum of the rows of a run in a file that it shares with others: see ``tables.digests_of``.

        Parameters
        ----------
        others
            How every run that shares the file reads it: one reading of the file does for all.
        """
        name, wanted = self._name(path), _key(read)
        found: dict[str, str] = self._remembered(f"{name} by rows", path, dict)
        if wanted not in found:
            from csat_analysis.assembly import tables  # pandas takes a second, which unchanged files need not wait for

            reads = {_key(each): each for each in (read, *others)}
            try:
                digests = tables.digests_of(path, list(reads.values()), self.root)
            except DataError:  # of another run, it may be
                reads = {wanted: read}
                digests = tables.digests_of(path, [read], self.root)
            found |= dict(zip(reads, digests, strict=True))
            self.is_new = True
        return found[wanted]

    def save(self) -> None:
        """Remember what was found out, if anything was; a folder that cannot be written is no fault."""
        kept = {name: entry for name, entry in self.known.items() if entry[0] is not None}
        if not self.is_new or not kept:
            return
        beside = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        with contextlib.suppress(OSError):
            beside.write_text(json.dumps(kept, separators=(",", ":")), "utf-8")
            beside.replace(self.path)
        self.is_new = False

    def _remembered(self, name: str, path: Path, find: Callable[[], Any]) -> Any:
        """Return what is known of a file as it is, or find it out."""
        try:
            stamp = stamp_of(path)
            entry = self.known.get(name)
            if entry is not None and entry[1] == list(stamp):
                return entry[2]
            found, seen = find(), time.time_ns()
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror}); check that it may be read.") from None
        settled = True if seen - stamp[1] > SETTLED else None
        self.known[name], self.is_new = [settled, list(stamp), found], True
        return found

    def _name(self, path: Path) -> str:
        return str(path).removeprefix(f"{self.root}{os.sep}")


def stamp_of(path: Path | str) -> Stamp:
    """Return the size and the time of a file, by which a change is seen without reading it."""
    state = os.stat(path)
    return state.st_size, state.st_mtime_ns


def _read(path: Path) -> dict[str, Any]:
    """Return what is remembered; nothing where that cannot be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    is_sound = isinstance(found, dict) and all(isinstance(entry, list) and len(entry) == 3 for entry in found.values())
    return found if is_sound else {}


def _key(read: Read) -> str:
    """Return what of a way to read a file decides which rows are a run's, and what their texts are."""
    return json.dumps([read.sheet, {name: sorted(read.where[name]) for name in sorted(read.where)}], ensure_ascii=False)
