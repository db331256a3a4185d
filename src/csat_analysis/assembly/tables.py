"""What stands in a file? Reads CSV, Parquet and XLSX as texts by line, with the file's own headers turned into ours."""

import csv
import datetime as dt
import hashlib
import io
import itertools
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from csat_analysis.domain.schemas import word
from csat_analysis.ground.errors import DataError
from csat_analysis.ground.inputs import show
from csat_analysis.ground.runs import Read

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
    sha256
        Of the file; where rows are chosen (``where``), of what of it is ours: see ``digests_of``.
    rows
        Texts, one column per header, indexed by the line of the file (header = 1).
    ragged
        Lines whose number of fields is not the header's.
    elsewhere
        Whether there are rows that belong to other runs (``where``).
    """

    file: str
    sha256: str
    rows: pd.DataFrame
    ragged: tuple[int, ...] = ()
    elsewhere: bool = False


def read_sheet(path: Path, read: Read, root: Path) -> Sheet:
    """Return a file's rows in our column names, without those of other runs.

    Raises
    ------
    DataError
        Where the file cannot be read, is empty, or lacks a column the run file names.
    """
    file, data = show(path, root), _bytes_of(path, root)
    header, lines = _lines_of(path, data, read, file)
    shares = _Shares(header, [read], file)
    whole, ragged, elsewhere = [], [], False
    for line, fields in lines:
        fitted = _fit(fields, header)
        owners = shares.add(line, fitted or fields, fitted is None)
        if fitted is None:
            ragged.append(line)
        elif owners:
            whole.append((line, fitted))
        else:
            elsewhere = True
    columns = list(zip(*(fields for _, fields in whole), strict=True)) or [()] * len(header)
    rows = pd.DataFrame(
        {name: pd.Series(columns[position], dtype=str) for position, name in enumerate(header) if name},
    ).set_axis([line for line, _ in whole], axis="index")
    digest = shares.digests[0] if read.where else hashlib.sha256(data).hexdigest()
    return Sheet(file, digest, _rename(rows, read), tuple(ragged), elsewhere)


def digests_of(path: Path, reads: Sequence[Read], root: Path) -> list[str]:
    """Return for each of several runs that share a file a checksum of what of it is theirs, reading it once.

    Notes
    -----
    SHA-256 of the headers, of the lines whose fields do not fit these (nobody knows whose they are), and of the rows
    chosen by ``where``, each with its line: rejections name it.

    Raises
    ------
    DataError
        As ``read_sheet``.
    """
    file = show(path, root)
    header, lines = _lines_of(path, _bytes_of(path, root), reads[0], file)
    shares = _Shares(header, reads, file)
    for line, fields in lines:
        fitted = _fit(fields, header)
        shares.add(line, fitted or fields, fitted is None)
    return shares.digests


class _Shares:
    """Tells whose each row of a file is, and keeps a checksum of what is each run's own."""

    def __init__(self, header: list[str], reads: Sequence[Read], file: str):
        self.words: dict[str, str] = {}  # cleaning a text costs more than looking it up
        self.sums = [hashlib.sha256(repr(header).encode()) for _ in reads]
        self.owners: dict[tuple[int, ...], dict[tuple[str, ...], list[int]]] = {}
        for owner, read in enumerate(reads):
            _check_header(header, read, file)
            known = self.owners.setdefault(tuple(header.index(name) for name in read.where), {})
            for values in itertools.product(*({word(value) for value in part} for part in read.where.values())):
                known.setdefault(values, []).append(owner)

    def add(self, line: int, fields: list[str], is_ragged: bool) -> list[int]:
        """Return whose a line is: of a ragged one everybody's, as nobody knows."""
        found = list(range(len(self.sums))) if is_ragged else self._owners(fields)
        text = f"{line} {fields!r}\n".encode() if found else b""
        for owner in found:
            self.sums[owner].update(text)
        return found

    def _owners(self, fields: list[str]) -> list[int]:
        return [
            owner
            for places, known in self.owners.items()
            for owner in known.get(tuple(self._word(fields[place]) for place in places), ())
        ]

    def _word(self, text: str) -> str:
        if text not in self.words:
            self.words[text] = word(text)
        return self.words[text]

    @property
    def digests(self) -> list[str]:
        """Return the checksum of each run's lines so far."""
        return [each.hexdigest() for each in self.sums]


def _bytes_of(path: Path, root: Path) -> bytes:
    file = show(path, root)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); check that it is there and may be read.") from None
    if not data.strip():
        raise DataError(f"{file}: is empty; a table needs a line of headers and rows below it.")
    return data


def _lines_of(path: Path, data: bytes, read: Read, file: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the headers of a table, and its lines with their numbers."""
    reader = {".csv": _csv_lines, ".xlsx": _xlsx_lines, ".parquet": _parquet_lines}[path.suffix.lower()]
    lines = reader(data, file, read)
    header = [name.strip() for name in next(lines, (1, []))[1]]
    if not any(header):
        raise DataError(f"{file}: is empty; a table needs a line of headers and rows below it.")
    return header, lines


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
