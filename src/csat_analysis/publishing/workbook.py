"""Which numbers can be taken into a spreadsheet? The tables of a record as a workbook: typed, explained, no formula."""

import datetime as dt
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from csat_analysis.assembly.gates import unit_of
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.words import explained_by, explanations, languages, speak
from csat_analysis.publishing.phrases import measure_title
from csat_analysis.publishing.record_keys import Record

SHEETS = (
    "measures", "gates", "triggers", "items", "answers", "importance", "strata", "groups", "parts", "respondents",
    "weighted", "comparisons", "change", "actions", "modes", "steps", "clauses", "accounts", "rejected", "inputs",
)  # fmt: skip
OWN = "own"  # the unit of what a row is about
_ITEM = dict.fromkeys(("share_satisfied", "share_se", "conf_low", "conf_high"), "share")
_ITEM |= {"mean": "points", "mean_se": "points"}
_P_VALUES = dict.fromkeys(("p_value", "p_adjusted", "p_waves", "p_looks", "p_least", "naive_p"), "probability")
_CHANGES = (
    "estimate", "conf_low", "conf_high", "margin", "smallest", "expected", "gain", "gain_low", "gain_high",
    "other_low", "other_high",
)  # fmt: skip
UNITS: Mapping[str, Mapping[str, str]] = {
    "measures": dict.fromkeys(("value", "conf_low", "conf_high", "se"), OWN),
    "gates": dict.fromkeys(("threshold", "value", "conf_low", "conf_high", "tipping_point", "worst", "best"), OWN)
    | {"certainty": "probability"},
    "items": _ITEM,
    "answers": {"share": "share"},
    "importance": dict.fromkeys(("share", "share_low", "share_high", "answered", "johnson"), "share")
    | dict.fromkeys(("performance", "performance_low", "performance_high"), "points")
    | dict.fromkeys(("first", "certainty"), "probability"),
    "strata": _ITEM,
    "groups": _ITEM,
    "parts": dict.fromkeys(("value", "conf_low", "conf_high"), "share"),
    "respondents": dict.fromkeys(("population_share", "answered_share", "answer_rate"), "share"),
    "weighted": dict.fromkeys(("value", "weighted", "se", "conf_low", "conf_high"), "share") | {"gap": "difference"},
    "comparisons": {"before": OWN}
    | dict.fromkeys(("estimate", "conf_low", "conf_high", "process_low", "process_high"), "difference"),
    "change": {"before": OWN, "after": OWN} | dict.fromkeys(_CHANGES, "difference") | _P_VALUES,
    "actions": dict.fromkeys(("minimal_change", "estimate", "conf_low", "conf_high"), "difference")
    | {"p_adjusted": "probability"},
    "modes": dict.fromkeys(("se_before", "se_after"), "share"),
}
FORMATS = {
    "share": "0.00%",
    "difference of shares": "+0.00%;-0.00%;0.00%",
    "difference": "+0.00;-0.00;0.00",
    "points": "0.00",
    "per_1000": "0.00",
    "probability": "0.0000",
    "date": "yyyy-mm-dd",
    "whole": "0",
}
DATES = ("due_on", "done_on", "completed_on", "verified_on", "window")
SPOKEN = sorted(languages(), reverse=True)  # Chinese first
WIDEST = 60  # characters of a column


def write(record: Record, programme: Programme, path: Path) -> None:
    """Write the tables of a record as sheets, after one on the survey and before one that explains every column.

    Texts stay texts, whatever they begin with; the same record gives the same bytes.
    """
    content = record.model_dump(mode="json")
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True})
    book.set_properties({"created": dt.datetime.fromisoformat(record.as_of)})
    formats = {name: book.add_format({"num_format": shown}) for name, shown in FORMATS.items()}
    formats["head"] = book.add_format({"bold": True, "bottom": 1})
    shown = [name for name in SHEETS if content[name]]
    _write_about(book.add_worksheet("about"), record, {name: len(content[name]) for name in shown}, formats)
    for name in shown:
        _write_table(book.add_worksheet(name), name, content[name], programme, formats)
    _fill(book.add_worksheet("dictionary"), list(_dictionary(shown)), formats["head"])
    _fill(book.add_worksheet("names"), list(_names(content, programme)), formats["head"])
    book.close()


# --- tables -----------------------------------------------------------------------------------------------------------


def _write_table(
    sheet: Worksheet, name: str, rows: list[dict[str, Any]], programme: Programme, formats: Mapping[str, Format]
) -> None:
    """Write the rows of a table below a row of its columns' names, which stays in sight."""
    heads = list(rows[0])
    _head(sheet, heads, len(rows), formats["head"])
    widths = [len(head) for head in heads]
    for place, row in enumerate(rows, start=1):
        for column, (head, value) in enumerate(row.items()):
            text = _write_cell(sheet, place, column, value, formats.get(_form(name, head, row, programme)))
            widths[column] = max(widths[column], text)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(width, WIDEST) + 2)


def _head(sheet: Worksheet, heads: list[str], rows: int, form: Format) -> None:
    sheet.write_row(0, 0, heads, form)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, rows, len(heads) - 1)


def _write_cell(sheet: Worksheet, row: int, column: int, value: Any, form: Format | None) -> int:
    """Write a value as what it is, and return how wide it is; what is not known stays empty."""
    if value is None:
        return 0
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, form)
        return 9
    elif form is not None:  # of a text, only a date has one
        sheet.write_datetime(row, column, dt.datetime.fromisoformat(value), form)
        return 10
    else:
        text = _text(value)
        sheet.write_string(row, column, text)
        return len(text)
    return 5


def _text(value: Any) -> str:
    """Return what is several things as one text.

    >>> _text({"zh": "满意率", "en": "Satisfaction"}), _text(["A", "B"]), _text("=1")
    ('满意率; Satisfaction', 'A; B', '=1')
    """
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return "; ".join(dict.fromkeys(map(str, parts)))


def _form(table: str, column: str, row: Mapping[str, Any], programme: Programme) -> str:
    """Return how a cell is shown: by the unit of its column, or of what its row is about."""
    if column in DATES:
        return "date"
    unit = UNITS.get(table, {}).get(column, "")
    if unit not in (OWN, "difference"):
        return unit
    about = row.get("unit") or unit_of(_about(row), programme)
    if unit == "difference":
        return "difference of shares" if about == "share" else "difference"
    return about


def _about(row: Mapping[str, Any]) -> str:
    """Return the figure that a row is about."""
    return str(row.get("figure") or row.get("measure") or row.get("id"))


# --- what it all means ------------------------------------------------------------------------------------------------


def _write_about(sheet: Worksheet, record: Record, tables: Mapping[str, int], formats: Mapping[str, Format]) -> None:
    """Write what survey this is, how its cells are to be read, and which sheets there are."""
    head = record.headline
    lines: list[tuple[str, Any, str]] = [
        ("project", record.project, ""), ("title", _text(record.title), ""), ("period", record.period, ""),
        ("baseline", record.baseline, ""), ("as_of", record.as_of, "date"),
        ("programme", f"{_text(record.programme.title)} ({record.programme.id} {record.programme.version})", ""),
        ("status", record.status, ""), ("headline", head.measure, ""), ("value", head.value, head.unit),
        ("conf_low", head.conf_low, head.unit), ("conf_high", head.conf_high, head.unit),
    ]  # fmt: skip
    for place, (name, value, form) in enumerate(lines):
        sheet.write_row(place, 0, [_both(f"workbook.{name}")], formats["head"])
        _write_cell(sheet, place, 1, value, formats.get(form))
    place = len(lines) + 1
    for name in ("cells", "empty", "suppressed", "source"):
        sheet.write_row(place, 0, [_both(f"workbook.read_{name}")])
        place += 1
    told = {name: [_told(Record, name, language)["title"] for language in SPOKEN] for name in tables}
    sheet.write_row(place + 1, 0, [_both("workbook.sheet"), *map(_own_name, SPOKEN), _both("workbook.rows")],
                    formats["head"])  # fmt: skip
    for row, (name, count) in enumerate(tables.items(), start=place + 2):
        sheet.write_row(row, 0, [name, *told[name], count])
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 3, 30)


def _both(key: str) -> str:
    """Return a text of the catalogue in every language."""
    return " · ".join(speak(language)(key) for language in SPOKEN)


def _own_name(language: str) -> str:
    return speak(language)("language.name")


def _dictionary(tables: list[str]) -> Iterator[list[str]]:
    """Yield what each column of each sheet means, in every language, below the names of these columns."""
    yield ["sheet", "column", "unit", *(f"{what} ({each})" for each in SPOKEN for what in ("title", "meaning"))]
    for name in tables:
        for column in _model(name).model_fields:
            told = [_told(_model(name), column, language) for language in SPOKEN]
            unit = "date" if column in DATES else UNITS.get(name, {}).get(column, "")
            label = _both(f"workbook.unit_{unit}") if unit else ""
            yield [name, column, label, *(each[part] for each in told for part in ("title", "description"))]


@functools.cache
def _model(table: str) -> Any:
    """Return the model of a row of a table."""
    return get_args(Record.model_fields[table].annotation)[0]


def _told(model: type, key: str, language: str) -> dict[str, str]:
    told = explanations(language)
    return told[explained_by(model, key, told) or "Record._"]


def _names(content: Mapping[str, Any], programme: Programme) -> Iterator[list[str]]:
    """Yield what the measures and figures of the tables are called, in every language."""
    yield ["id", *SPOKEN]
    found = [_about(row) for name in ("measures", "gates", "comparisons", "change") for row in content[name]]
    for each in dict.fromkeys(found):
        yield [each, *(measure_title(programme, each, speak(language)) for language in SPOKEN)]
    for item in programme.items:
        yield [item.id, *(speak(language).title(item.title, item.id) for language in SPOKEN)]


def _fill(sheet: Worksheet, lines: list[list[str]], form: Format) -> None:
    """Write lines of texts, the first of which names the columns."""
    _head(sheet, lines[0], len(lines) - 1, form)
    for place, line in enumerate(lines[1:], start=1):
        for column, text in enumerate(line):
            sheet.write_string(place, column, text)
    for column in range(len(lines[0])):
        sheet.set_column(column, column, min(max(len(line[column]) for line in lines), WIDEST) + 2)
