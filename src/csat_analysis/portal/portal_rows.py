"""What does the portal show of each run? A small row, remembered by size and time of the record it is made of."""

import contextlib
import hashlib
import json
import math
import os
import re
import secrets
import time
import zlib
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, NamedTuple

from csat_analysis.execution.digests import SETTLED
from csat_analysis.execution.freshness import package_digest
from csat_analysis.ground.catalogue import DIGITS, MEASURES, round_shown
from csat_analysis.ground.words import Words, languages, speak
from csat_analysis.portal import company
from csat_analysis.portal.pooling import RATE
from csat_analysis.portal.readings import Brief, read_mapping, read_record
from csat_analysis.publishing.markup import Cell

REMEMBERED = ".portal_rows.json"
PAGE = re.compile(r"([\w-]+)\.([a-z]+)\.html")
SPOKEN = tuple(languages())
CARRIED = 4  # decimals beyond the shown ones: a difference is taken before it is rounded
MADE_OF = ("record.json", "manifest.json", "failed/manifest.json")


class Row(NamedTuple):
    """A run as the portal shows it, as JSON keeps it; what depends on the language stands under each."""

    folder: str  # project/period
    project: str
    period: str
    as_of: str
    edition: list[Any]  # id, version
    status: str
    pages: list[str]
    failures: list[str]
    is_tabled: bool  # whether there is a workbook
    said: dict[str, dict[str, Any]]
    headline: list[Any]  # measure, unit, value
    shape: str  # see Known.shapes
    figures: list[Any]  # as the shape has them: value, low, high, n; see packed
    pooled: dict[str, Any]

    @property
    def order(self) -> tuple[str, str]:
        """Return that by which the periods of a project follow each other."""
        return self.as_of or self.period, self.period

    @property
    def place(self) -> str:
        """Return the project's folder."""
        return self.folder.partition("/")[0]

    @property
    def period_folder(self) -> str:
        """Return the run's folder in the project's."""
        return self.folder.partition("/")[2]


class Seen(NamedTuple):
    """A run's folder as it lies there: a checksum of its names, sizes and times of what a row is made of; the names."""

    folder: str
    stamp: list[int]
    names: frozenset[str]


# --- what is remembered -----------------------------------------------------------------------------------------------


class Known:
    """The rows of a folder of reports, of which only those are made again whose files have changed.

    Attributes
    ----------
    shapes
        What the figures of a row are, by a checksum: thousands of runs share a few.
    stamps
        Size and time of what each run's row is made of.
    made
        From what the pages of each project were made, with their sizes and times; under "" the company's.
    """

    def __init__(self, reports: Path):
        self.reports, self.path = reports, reports / REMEMBERED
        found = read_mapping(self.path)
        is_ours = found.keys() == {"package", "shapes", "rows", "made"} and found["package"] == package_digest()
        kept = found if is_ours else {"shapes": {}, "rows": {}, "made": {}}
        self.shapes, self.entries, self.made = (dict(kept[key]) for key in ("shapes", "rows", "made"))
        self.stamps: dict[str, list[int]] = {}
        self.read = 0

    def rows(self) -> list[Row]:
        """Return the row of every published run, by project and period."""
        every = list(look(self.reports))
        self.stamps = {seen.folder: seen.stamp for seen in every}
        self.entries = {seen.folder: [seen.stamp, self._row(seen)] for seen in every}
        return [Row(*row) for _, row in self.entries.values() if row]

    def _row(self, seen: Seen) -> Any:
        with contextlib.suppress(LookupError, TypeError, ValueError):
            stamp, row = self.entries[seen.folder]
            if stamp == seen.stamp:
                return row
        self.read += 1
        return row_of(self.reports, seen, self.shapes)

    def digest(self) -> str:
        """Return a checksum of what the rows are made of."""
        return hashlib.sha256(json.dumps([package_digest(), self.stamps]).encode()).hexdigest()

    def save(self) -> None:
        """Remember the rows and what was made of them; what cannot be written is not.

        A file that may change again without a new time is to be read again, and what was made of it to be made.
        """
        latest = time.time_ns() - SETTLED
        rows = {name: entry for name, entry in self.entries.items() if max(entry[0][1::2]) < latest}
        used = {row[Row._fields.index("shape")] for _, row in rows.values() if row}
        shapes = {key: shape for key, shape in self.shapes.items() if key in used}
        fresh = {part for name in self.entries.keys() - rows.keys() for part in ("", name.partition("/")[0])}
        made = {place: entry for place, entry in self.made.items() if place not in fresh}
        content = {"package": package_digest(), "shapes": shapes, "rows": rows, "made": made}
        beside = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        with contextlib.suppress(OSError):
            beside.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), "utf-8")
            beside.replace(self.path)


def look(reports: Path) -> Iterator[Seen]:
    """Yield the folder of every run that has a record, by project and period, without reading any file."""
    for project in _folders(str(reports)):
        for period in _folders(f"{reports}/{project}"):
            folder = f"{reports}/{project}/{period}"
            names = _files(folder)
            if "record.json" in names:
                listed = zlib.crc32("\n".join(sorted(names)).encode())
                yield Seen(f"{project}/{period}", [listed, 0, *_stamps(folder)], names)


def _folders(path: str) -> list[str]:
    """Return the names of the folders in a folder, in order, without hidden ones."""
    try:
        with os.scandir(path) as entries:
            return sorted(each.name for each in entries if not each.name.startswith(".") and each.is_dir())
    except OSError:
        return []


def _files(folder: str) -> frozenset[str]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return frozenset(each.name for each in entries if each.is_file())
    return frozenset()


def _stamps(folder: str) -> Iterator[int]:
    """Yield size and time of each file that a row is made of, −1 and 0 where there is none."""
    for name in MADE_OF:
        try:
            state = os.stat(f"{folder}/{name}")
            yield from (state.st_size, state.st_mtime_ns)
        except OSError:
            yield from (-1, 0)


# --- a row ------------------------------------------------------------------------------------------------------------


def row_of(reports: Path, seen: Seen, shapes: dict[str, Any]) -> Row | None:
    """Return a run's row; None where the folder is no report. What its figures are goes among the shapes."""
    folder = reports / seen.folder
    record = read_record(folder / "record.json", Brief)
    made = read_mapping(folder / "manifest.json").get("chapters")
    if record is None or not isinstance(made, dict):
        return None
    shape = shape_of(record)
    name = hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:16]
    shapes.setdefault(name, shape)
    head = record["headline"]
    return Row(
        seen.folder, record["project"], record["period"], record["as_of"] or "",
        [record["programme"]["id"], record["programme"]["version"]], record["status"],
        [each for each in sorted(made) if each in seen.names and is_page(each)], failures_of(folder / "failed"),
        "tables.xlsx" in seen.names, {each: said(record, speak(each)) for each in SPOKEN},
        [head["measure"], company.unit_of(head), finite(head["value"])], name, packed(figures_of(record)),
        pooled_of(record),
    )  # fmt: skip


def is_page(name: str) -> bool:
    """Return whether a file is called as a chapter's page is, in a language that there is."""
    parts = PAGE.fullmatch(name)
    return parts is not None and parts[2] in SPOKEN


def failures_of(folder: Path) -> list[str]:
    """Return the pages of the chapters that failed, where the last run did."""
    failures = read_mapping(folder / "manifest.json").get("failures")
    return sorted(name for name in failures if (folder / name).is_file()) if isinstance(failures, dict) else []


def said(record: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """Return what a row says in a language; of a rule what it is, which of the two, and a line below."""
    head = record["headline"]
    unit = company.unit_of(head)
    interval = words.interval(head["conf_low"], head["conf_high"], unit)
    names = company.unit_names(record, words)
    marked = [(gate_phrase(gate, words), mark) for mark in ("failed", "borderline") for gate in _marked(record, mark)]
    return {
        "title": words.title(record["title"], record["project"]),
        "path": company.path_text(names, words) if names else "",
        "procedure": words.title(record["programme"]["title"]),
        "what": company.own_name(head, words),
        "value": words.number(head["value"], unit),
        "interval": "" if interval == words("not_computed") else interval,
        "rules": [[str(cell), mark, *cell.below] for cell, mark in marked],
    }


def _marked(record: Mapping[str, Any], mark: str) -> Iterator[Mapping[str, Any]]:
    """Yield the rules that are not met by the letter, or those that are but not for certain."""
    for gate in record["gates"]:
        if gate["passed"] is False if mark == "failed" else gate["passed"] and is_borderline(gate):
            yield gate


def gate_phrase(gate: Mapping[str, Any], words: Words) -> Cell:
    """Return a rule and its figure as the portal says it, and below it where its verdict is borderline."""
    unit = company.unit_of(gate)
    wanted = words(f"comparison.{gate['comparison']}", threshold=words.threshold(gate["threshold"], unit))
    phrase = words.aside(f"{company.own_name(gate, words)} {words.number(gate['value'], unit)}", wanted)
    verdict = company.verdict_cell(gate, words)
    borderline = words.colon(verdict, words("semicolon").join(verdict.below)) if is_borderline(gate) else ""
    return Cell(phrase, below=(borderline,) if borderline else ())


def is_borderline(gate: Mapping[str, Any]) -> bool:
    """Return whether a verdict is not certain, whatever it is by the letter."""
    return bool(gate["verdict"] == "borderline")


def pooled_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a record its satisfaction rate is pooled by with those of other projects."""
    kept = {key: record[key] for key in ("project", "title", "period", "programme", "status")}
    counts = {key: record["counts"].get(key) for key in ("frame", "distributed", "returned", "satisfied")}
    measures = [each for each in record["measures"] if each["id"] == RATE]
    gates = [each for each in record["gates"] if each["measure"] == RATE]
    return {**kept, "counts": counts, "measures": measures, "gates": gates}


# --- its figures ------------------------------------------------------------------------------------------------------


def shape_of(record: Mapping[str, Any]) -> list[list[Any]]:
    """Return what the figures of a record are: group, id, unit, own title, and for a rule what it asks."""
    index = [["index", "index", _unit(record, "index"), _title(record, "index"), None]] if record["index"] else []
    measures = [["measures", each["id"], _unit(record, each["id"]), None, None] for each in record["measures"]]
    items = [
        ["items", f"{each['id']}.{figure}", unit, item_title(record, each["id"]), None]
        for each in record["items"]
        for figure, unit in (("satisfied", "share"), ("mean", "points"))
    ]
    gates = [
        ["gates", each["measure"], company.unit_of(each), each["title"], [each["comparison"], each["threshold"]]]
        for each in record["gates"]
    ]
    return [*index, *measures, *items, *gates]


def _unit(record: Mapping[str, Any], name: str) -> str:
    own = (each["unit"] for each in (record["headline"], *record["gates"]) if each["measure"] == name and each["unit"])
    return next(own, MEASURES[name].unit if name in MEASURES else "points")


def _title(record: Mapping[str, Any], name: str) -> dict[str, str] | None:
    return next((each["title"] for each in (record["headline"], *record["gates"]) if each["measure"] == name), None)


def item_title(record: Mapping[str, Any], item: str) -> dict[str, str] | None:
    """Return what a question is called; an older record says so only where a rule is on it."""
    own = (each["title"] for each in record["gates"] if each["title"] and each["measure"].rpartition(".")[0] == item)
    return record["item_titles"].get(item) or next(own, None)


def figures_of(record: Mapping[str, Any]) -> list[list[int | None]]:
    """Return the figures of a record in the order of its shape; of a rule, the place of its verdict in ``VERDICTS``."""
    index = [_figure(record["index"], _unit(record, "index"))] if record["index"] else []
    measures = [_figure(each, _unit(record, each["id"]), each["denominator"]) for each in record["measures"]]
    items = [
        figure
        for each in record["items"]
        for figure in (
            _figure({**each, "value": each["share_satisfied"]}, "share", each["n"]),
            [carried(each["mean"], "points"), None, None, _whole(each["n"])],
        )
    ]
    return [*index, *measures, *items, *([_verdict(each), None, None, None] for each in record["gates"])]


def _figure(row: Mapping[str, Any], unit: str, n: float | None = None) -> list[int | None]:
    return [carried(row["value"], unit), rounded(row["conf_low"], unit), rounded(row["conf_high"], unit), _whole(n)]


def packed(figures: list[list[int | None]]) -> list[Any]:
    """Return figures without what is empty at their ends; one without company as a number.

    >>> packed([[90, 80, 100, None], [7, None, None, None], [None, None, None, 12], [None, None, None, None]])
    [[90, 80, 100], 7, [None, None, None, 12], None]
    """
    short = [each[: _filled(each)] for each in figures]
    return [each[0] if len(each) == 1 else each or None for each in short]


def _filled(figure: list[int | None]) -> int:
    """Return how many parts of a figure there are up to the last that is not empty."""
    return max((place for place, part in enumerate(figure, start=1) if part is not None), default=0)


VERDICTS = ("met", "not_met", "borderline", "in_progress")


def _verdict(gate: Mapping[str, Any]) -> int | None:
    """Return the place of a verdict; an older record has the literal one only."""
    verdict = gate["verdict"] or {True: "met", False: "not_met"}.get(gate["passed"])
    return VERDICTS.index(verdict) if verdict in VERDICTS else None


def finite(value: float | None) -> float | None:
    """Return a number, None where it is none."""
    return value if value is not None and math.isfinite(value) else None


def _whole(n: float | None) -> int | None:
    return None if n is None or not math.isfinite(n) else round(n)


def rounded(value: float | None, unit: str) -> int | None:
    """Return a number as it is shown, without its point.

    >>> rounded(0.92345, "share"), rounded(2.675, "points")
    (9234, 268)
    """
    if finite(value) is None:
        return None
    return int(round_shown(value or 0.0, unit).scaleb(DIGITS[unit]))


def carried(value: float | None, unit: str) -> int | None:
    """Return a number with further decimals, without its point; rounded to the shown ones, it is what is shown.

    >>> carried(0.5, "share"), carried(2 / 3, "points"), carried(0.92345, "share"), carried(0.9234500000001, "share")
    (50000000, 666667, 92345000, 92345001)
    """
    shown = rounded(value, unit)
    if value is None or shown is None:
        return None
    exact = (Decimal(repr(float(value))) * (100 if unit == "share" else 1)).scaleb(DIGITS[unit] + CARRIED)
    whole = int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))
    again = int(Decimal(whole).scaleb(-CARRIED).quantize(Decimal(1), ROUND_HALF_EVEN))
    return whole + (0 if again == shown else 1 if exact > whole else -1)
