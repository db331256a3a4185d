"""Which file holds a table of a run?"""

import os
from collections.abc import Mapping
from pathlib import Path

from csat_analysis.ground.errors import DataError
from csat_analysis.ground.runs import TABLES, Run, Table

SUFFIXES = (".csv", ".parquet", ".xlsx")


def find_inputs(run: Run, root: Path) -> dict[Table, Path]:
    """Return the file of each table of a run: the one it names, else ``<table>.csv``, ``.parquet`` or ``.xlsx``.

    Raises
    ------
    DataError
        Where a named file is absent, leaves the root or is of another kind, or where two files compete.
    """
    folder, found = root / "data" / run.project / run.period, {}
    listed = _listed(folder)
    for table in TABLES:
        named = run.read[table].file if table in run.read else None
        path = _unnamed(table, folder, root, listed) if named is None else _named(named, run, table, folder, root)
        if path is not None:
            found[table] = path
    return found


def _listed(folder: Path) -> dict[str, str]:
    """Return the names of what a folder holds, by what they are in small letters; none where there is no folder."""
    try:
        return {name.lower(): name for name in sorted(os.listdir(folder))}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _unnamed(table: Table, folder: Path, root: Path, listed: Mapping[str, str]) -> Path | None:
    """Return the file of a table by the table's own name."""
    present = [name for suffix in SUFFIXES if (name := f"{table}{suffix}") in listed]
    found = [path for name in present if (path := folder / name).is_file()]
    if len(found) > 1:
        names = [path.name for path in found]
        raise DataError(f"{show(folder, root)}: {names} compete; keep one, or name it under read: {table}: file.")
    if present and not found:
        raise DataError(
            f"{show(folder / present[0], root)}: is there and is no file that can be read; write its name in small "
            f"letters, and see that it is neither a folder nor a link that leads nowhere."
        )
    return found[0] if found else None


def _named(named: str, run: Run, table: Table, folder: Path, root: Path) -> Path:
    """Return the file that the run file names."""
    path = Path(os.path.normpath(folder / named))  # as it is written: a link inside the root may lead out of it
    place = f"params/runs/{run.project}.yml: read.{table}.file"
    if not Path(os.path.abspath(path)).is_relative_to(os.path.abspath(root)):
        raise DataError(
            f"{place}: {named!r} leaves the project's folder; keep the file under {root.name or root}/data."
        )
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{place}: {named!r} is of a kind that is not read; give one of {list(SUFFIXES)}.")
    if not path.is_file():
        raise DataError(f"{show(path, root)}: no such file; put it there, or mend {place}.")
    return path


def show(path: Path, root: Path) -> str:
    """Return a path as messages and records name it: relative to the root, with forward slashes."""
    return Path(os.path.relpath(path, root)).as_posix()
