"""What stands in a file? Reads CSV, Parquet and XLSX as texts by line, with the file's own headers turned into ours."""

import csv
import datetime as dt
import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from csat_analysis.domain.schemas import clean
from csat_analysis.ground.errors import DataError
from csat_analysis.ground.runs import Read, Run, Table

SUFFIXES = (".csv", ".parquet", ".xlsx")
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,
    LookupError,
    ValueError,
    TypeError,
    OSError,
    StopIteration,
    AttributeError,
)


class Sheet(NamedTuple):
    """A table as it stands in its file.

    Attributes
    ----------
    file
        Where it stands, relative to the root.
    rows
        Texts, one column per header, indexed by the line of the file (header = 1).
    ragged
        Lines whose number of fields is not the header's.
    elsewhere
        How many rows belong to other runs (``where``).
    """

    file: str
    sha256: str
    rows: pd.DataFrame
    ragged: tuple[int, ...] = ()
    elsewhere: int = 0


def find_input(run: Run, table: Table, root: Path) -> Path | None:
    """Return the file of a table: the one the run file names, else ``<table>.csv``, ``.parquet`` or ``.xlsx``.

    Raises
    ------
    DataError
        Where the named file is absent, leaves the root or is of another kind, or where two files compete.
    """
    folder = root / "data" / run.project / run.period
    named = run.read[table].file if table in run.read else None
    if named is None:
        found = [folder / f"{table}{suffix}" for suffix in SUFFIXES if (folder / f"{table}{suffix}").is_file()]
        if len(found) > 1:
            names = [path.name for path in found]
            raise DataError(f"{show(folder, root)}: {names} compete; keep one, or name it under read: {table}: file.")
        present = {name.lower() for name in os.listdir(folder)} if folder.is_dir() else set()
        unread = [f"{table}{suffix}" for suffix in SUFFIXES if f"{table}{suffix}" in present]
        if unread and not found:
            raise DataError(
                f"{show(folder / unread[0], root)}: is there and is no file that can be read; write its name in small "
                f"letters, and see that it is neither a folder nor a link that leads nowhere."
            )
        return found[0] if found else None
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


def read_sheet(path: Path, read: Read, root: Path) -> Sheet:
    """Return a file's rows in our column names, those of other runs left out and counted.

    Raises
    ------
    DataError
        Where the file cannot be read, is empty, or lacks a column the run file names.
    """
    file = show(path, root)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); check that it is there and may be read.") from None
    if not data.strip():
        raise DataError(f"{file}: is empty; a table needs a line of headers and rows below it.")
    reader = {".csv": _csv_lines, ".xlsx": _xlsx_lines, ".parquet": _parquet_lines}[path.suffix.lower()]
    lines = reader(data, file, read)
    header = [name.strip() for name in next(lines, (1, []))[1]]
    if not any(header):
        raise DataError(f"{file}: is empty; a table needs a line of headers and rows below it.")
    _check_header(header, read, file)
    records = [(line, _fit(fields, header)) for line, fields in lines]
    whole = [(line, fields) for line, fields in records if fields is not None]
    ragged = tuple(line for line, fields in records if fields is None)
    columns = list(zip(*(fields for _, fields in whole), strict=True)) or [()] * len(header)
    rows = pd.DataFrame(
        {name: pd.Series(columns[position], dtype=str) for position, name in enumerate(header) if name},
    ).set_axis([line for line, _ in whole], axis="index")
    ours = _is_ours(rows, read)
    return Sheet(file, hashlib.sha256(data).hexdigest(), _rename(rows[ours], read), ragged, int((~ours).sum()))


def _fit(fields: list[str], header: list[str]) -> list[str] | None:
    """Return a line's fields, one per header; None where there are more or fewer, empty ones at the end apart."""
    if len(fields) == len(header):
        return fields
    named, filled = (max((i for i, text in enumerate(line, 1) if text.strip()), default=0) for line in (header, fields))
    if len(fields) < named or filled > len(header):
        return None
    return [*fields, *[""] * len(header)][: len(header)]


def _check_header(header: list[str], read: Read, file: str) -> None:
    used = [*read.columns.values(), *read.where, *(name for name in header if name not in read.columns)]
    for name in used:
        if name and header.count(name) > 1:
            raise DataError(
                f"{file}: the header {name!r} stands {header.count(name)} times; rename or remove the others."
            )
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise DataError(f"{file}: columns are not separated by commas; save it as comma-separated CSV.")
    for name in (*read.columns.values(), *read.where):
        if name not in header:
            raise DataError(f"{file}: no column {name!r}, which the run file names under read; it has {header}.")


def _is_ours(rows: pd.DataFrame, read: Read) -> pd.Series:
    ours = pd.Series(True, index=rows.index)
    for name, values in read.where.items():
        ours &= clean(rows[name]).isin(clean(pd.Series(values, dtype=str)))
    return ours


def _rename(rows: pd.DataFrame, read: Read) -> pd.DataFrame:
    """Return the rows with our names; a header that one of our names would hide gives way."""
    ours = {name: rows[theirs] for name, theirs in read.columns.items()}
    rest = {name: rows[name] for name in rows.columns if name not in ours and name not in read.columns.values()}
    return pd.DataFrame({**ours, **rest}, index=rows.index)


# --- one reader for each kind: the line of the file and its fields ----------------------------------------------------


def decode(data: bytes, file: str) -> str:
    """Return the text of a file in UTF-8 (with or without BOM) or GB18030."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text.removeprefix("\ufeff")
    raise DataError(f"{file}: is neither UTF-8 nor GB18030 text; save it as CSV in UTF-8.")


def _csv_lines(data: bytes, file: str, read: Read) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(decode(data, file), newline=""), strict=True)
    line = 1
    try:
        for fields in reader:
            if any(map(str.strip, fields)):
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{file}:{line}: is not CSV here ({error}); look for a quote that is not closed.") from None


def _xlsx_lines(data: bytes, file: str, read: Read) -> Iterator[tuple[int, list[str]]]:
    import openpyxl  # a workbook is rare, and the import is not free

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        sheet = sheets.get(read.sheet or next(iter(sheets)))
        if sheet is not None:
            sheet.reset_dimensions()  # what a workbook says of its own size is not always so
            written = formulas[sheet.title]
            written.reset_dimensions()
            pairs = zip(sheet.iter_rows(values_only=True), written.iter_rows(values_only=True), strict=True)
            rows = [tuple(map(_value_or_formula, *pair)) for pair in pairs]
    except UNREADABLE:
        raise DataError(f"{file}: is not an XLSX workbook; save it as .xlsx or as CSV in UTF-8.") from None
    if sheet is None:
        raise DataError(f"{file}: no sheet {read.sheet!r}; it has {list(sheets)}.")
    return _numbered(rows)


def _value_or_formula(value: Any, written: Any) -> Any:
    """Return a cell's value; of a formula that was never computed, the formula, for screening to reject."""
    return written if value is None and isinstance(written, str) and written.startswith("=") else value


def _parquet_lines(data: bytes, file: str, read: Read) -> Iterator[tuple[int, list[str]]]:
    import pyarrow

    try:
        rows = pd.read_parquet(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError, ValueError):
        raise DataError(f"{file}: is not a Parquet file; write it anew, or save it as CSV in UTF-8.") from None
    if rows.index.names != [None]:
        rows = rows.reset_index()  # columns that were written as an index
    rows = rows.astype(object).where(rows.notna(), None)
    return _numbered([tuple(rows.columns), *rows.itertuples(index=False, name=None)])


def _numbered(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, list[str]]]:
    """Yield line and texts of rows of typed cells; a row that ends early has empty cells there."""
    width = 0
    for line, cells in enumerate(rows, start=1):
        fields = [_cell_text(cell) for cell in cells]
        if any(fields):
            width = width or len(fields)
            yield line, fields + [""] * (width - len(fields))


def _cell_text(cell: Any) -> str:
    """Return a typed cell as the text a CSV would hold."""
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
