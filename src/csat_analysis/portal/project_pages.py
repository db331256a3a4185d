"""How does a project stand over all its periods? A page for each, from its records, written where one changed."""

import datetime as dt
import functools
import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from csat_analysis import __version__
from csat_analysis.execution.digests import stamp_of
from csat_analysis.execution.freshness import package_digest
from csat_analysis.execution.memory import Standing
from csat_analysis.ground.words import Words, languages, speak
from csat_analysis.portal import company
from csat_analysis.portal.portal_data import chapter_title, noted_of
from csat_analysis.portal.portal_rows import Known, Row, finite, item_title
from csat_analysis.portal.readings import Brief, read_record
from csat_analysis.publishing import pages
from csat_analysis.publishing.markup import Cell

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 280, 64, 620, 18, 236  # of the trend, and of the field in it
LABELLED = 9  # more periods than these have no figure beside their dots
SECTIONS = (
    "history",
    "stamp",
    "standing",
    "chapter",
    "measure",
    "portal",
    "head",
    "verdict",
)  # whose letters each page may need
Record = Mapping[str, Any]


def write(
    known: Known, projects: Mapping[str, Sequence[Row]], language: str, standings: Mapping[str, Standing] | None
) -> int:
    """Write the page of each project in each language where what it is made of changed; return how many projects' were.

    A project whose records are gone loses the pages that were made for it.
    """
    written = 0
    for place, rows in projects.items():
        digest = _digest_of(known, rows, language, standings)
        if not _is_there(known, place, digest):
            known.made[place] = [digest, _write(known.reports, place, rows, language, standings)]
            written += 1
    for place in {each for each in known.made if each} - projects.keys():
        for name in known.made.pop(place)[1]:
            (known.reports / place / name).unlink(missing_ok=True)
    return written


def _digest_of(known: Known, rows: Sequence[Row], language: str, standings: Mapping[str, Standing] | None) -> str:
    """Return a checksum of what a project's page is made of."""
    stands = None if standings is None else [standings.get(row.folder) for row in rows]
    parts = [known.stamps[row.folder] for row in rows], documents_of(known.reports / rows[0].place), stands, language
    return hashlib.sha256(json.dumps([package_digest(), *parts]).encode()).hexdigest()


def _is_there(known: Known, place: str, digest: str) -> bool:
    """Return whether a project's pages are as they were made, from what there is."""
    try:
        made, files = known.made[place]
        return made == digest and all(
            list(stamp_of(f"{known.reports}/{place}/{name}")) == files[name] for name in files
        )
    except (LookupError, TypeError, ValueError, OSError):
        return False


def _write(
    reports: Path, place: str, rows: Sequence[Row], language: str, standings: Mapping[str, Standing] | None
) -> dict[str, list[int]]:
    """Write the pages of a project; return their sizes and times."""
    found = [(row, record) for row in rows if (record := read_record(reports / row.folder / "record.json", Brief))]
    htmls = {f"index.{each}.html": render(reports, found, each, standings) for each in languages()}
    htmls["index.html"] = htmls[f"index.{language}.html"]
    for name, html in htmls.items():
        replace(reports / place / name, html)
    return {name: list(stamp_of(reports / place / name)) for name in htmls}


def replace(path: Path, html: str) -> None:
    """Write a page in one go: whoever reads it meanwhile has the one before."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        fresh.write_text(html, "utf-8")
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def documents_of(folder: Path) -> list[str]:
    """Return the names of the documents that lie beside a project's periods."""
    try:
        return sorted(each.name for each in (folder / "documents").iterdir() if each.is_file() and each.name[0] != ".")
    except OSError:
        return []


# --- the page ---------------------------------------------------------------------------------------------------------


def render(
    reports: Path, found: Sequence[tuple[Row, Record]], language: str, standings: Mapping[str, Standing] | None
) -> str:
    """Return a project's page in a language, the newest period first."""
    words = speak(language)
    newest, record = found[-1]
    told, back = newest.said[language], found[::-1]
    html = company.template("project.html.j2").render(
        words=words, style=Markup(pages.portal_style(language)), version=__version__, links=links(language),  # noqa: S704 - our own
        title=told["title"], path=told["path"], id=newest.project, as_of=standings is not None,
        rows=[period_row(row, record, words, (standings or {}).get(row.folder)) for row, record in back],
        trend=trend_of(found, words), events=events_of(found, words), periods=[row.period for row, _ in back],
        items=items_of(back, words), is_mixed=len({tuple(row.edition) for row, _ in found}) > 1,
        documents=[{"href": quote(f"documents/{name}"), "text": name} for name in documents_of(reports / newest.place)],
    )  # fmt: skip
    return pages.with_shared_font(html, shared_letters(language))


@functools.cache
def shared_letters(language: str) -> str:
    """Return the letters that any project's page may need, whatever its names."""
    texts = speak(language).texts
    said = "".join(text for key, text in texts.items() if key.partition(".")[0] in SECTIONS or "." not in key)
    return "".join(sorted({*map(chr, range(32, 127)), *said}))


def links(language: str) -> list[dict[str, Any]]:
    """Return the links above a page: the portal, and the page in each language."""
    portal = {"text": speak(language)("page.portal"), "href": f"../index.{language}.html"}
    return [portal, *pages.language_links("index", language)]


def period_row(row: Row, record: Record, words: Words, standing: Standing | None) -> dict[str, Any]:
    """Return what the page shows of a period."""
    told = row.said[words.language]
    edition = words("history.edition", title=told["procedure"], version=row.edition[1])
    return {
        **told, **noted_of(standing, words), "period": row.period, "edition": edition, "status": row.status,
        "stamp": words(f"stamp.{row.status}"), "n": words.count(headline_n(record)), "links": page_links(row, words),
        "failed_run": f"{row.period_folder}/failed/{row.failures[0]}" if row.failures else "",
    }  # fmt: skip


def headline_n(record: Record) -> float | None:
    """Return on how many forms or cases a headline rests: the base of a measure, the valid forms of an index."""
    name = record["headline"]["measure"]
    base = next(
        (each["denominator"] for each in record["measures"] if each["id"] == name), record["counts"].get("valid")
    )
    return base if isinstance(base, int | float) and math.isfinite(base) else None


def page_links(row: Row, words: Words) -> list[dict[str, str]]:
    """Return the links to a period's pages: those of this language first; then the workbook."""
    found = []
    for name in sorted(row.pages, key=lambda name: (f".{words.language}." not in name, name)):
        other = speak(name.rsplit(".", 2)[1])
        found.append(
            {"href": f"{row.period_folder}/{name}", "text": chapter_title(name, other), "lang": other("language.html")}
        )
    workbook = words.aside(words("portal.record"), ".xlsx")
    return found + (
        [{"href": f"{row.period_folder}/tables.xlsx", "text": workbook, "lang": ""}] if row.is_tabled else []
    )


# --- questions --------------------------------------------------------------------------------------------------------


def items_of(back: Sequence[tuple[Row, Record]], words: Words) -> list[dict[str, Any]]:
    """Return each question with its figures by period, the newest first."""
    titles: dict[str, str] = {}
    for _, record in back:
        for each in record["items"]:
            titles.setdefault(each["id"], words.title(item_title(record, each["id"]), each["id"]))
    figures = [{each["id"]: each for each in record["items"]} for _, record in back]
    return [
        {"title": title, "cells": [item_cell(each.get(item), words) for each in figures]}
        for item, title in titles.items()
    ]


def item_cell(item: Mapping[str, Any] | None, words: Words) -> Cell:
    """Return the satisfied share of a question with its interval, its mean points and its n."""
    if item is None or not item["n"]:
        return Cell(words("not_computed"))
    interval = words.interval(item["conf_low"], item["conf_high"], "share")
    below = words("history.below", mean=words.number(item["mean"]), n=words.count(item["n"]))
    lines = (below,) if interval == words("not_computed") else (interval, below)
    return Cell(words.number(item["share_satisfied"], "share"), below=lines)


# --- actions ----------------------------------------------------------------------------------------------------------


def completed(records: Iterable[Record]) -> dict[dt.date, list[str]]:
    """Return which actions were completed, by day."""
    found: dict[dt.date, list[str]] = {}
    for each in (action for record in records for action in record["actions"]):
        day = _day(each["completed_on"])
        if day and each["action_id"] not in found.setdefault(day, []):
            found[day].append(each["action_id"])
    return dict(sorted(found.items()))


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text or "")
    except ValueError:
        return None


def events_of(found: Sequence[tuple[Row, Record]], words: Words) -> list[str]:
    """Return the completed actions as lines."""
    days = completed(record for _, record in found)
    return [words("history.completed", date=words.date(day), ids=words.listing(ids)) for day, ids in days.items()]


# --- the trend --------------------------------------------------------------------------------------------------------


class Field(NamedTuple):
    """From where to where the values of a trend reach."""

    low: float
    high: float

    def y(self, value: float) -> float:
        """Return how far down a value stands."""
        return round(BOTTOM - (BOTTOM - TOP) * (value - self.low) / (self.high - self.low), 1)


def trend_of(found: Sequence[tuple[Row, Record]], words: Words) -> dict[str, Any] | None:
    """Return what the figure of the headline by period is drawn from; None where there are not two to be seen.

    Headlines are of one kind where the procedure and the measure are the same; others have a place and no dot.
    """
    newest, last = found[-1]
    kind, unit = (newest.headline[:2], newest.edition[0]), newest.headline[1]
    heads = [record["headline"] if (row.headline[:2], row.edition[0]) == kind else None for row, record in found]
    seen = [head for head in heads if head and finite(head["value"]) is not None]
    if len(seen) < 2:
        return None
    rules = {gate["threshold"]: gate for gate in last["gates"] if gate["measure"] == newest.headline[0]}
    field = field_of([*rules, *(head[key] for head in seen for key in ("value", "conf_low", "conf_high"))])
    places = [round(LEFT + (RIGHT - LEFT) * (at + 0.5) / len(found), 1) for at in range(len(found))]
    dots = [_dot(head, x, field, unit, len(found), words) for head, x in zip(heads, places, strict=True)]
    drawn = [dot for dot in dots if dot]
    marks = marks_of(found, places)
    what = newest.said[words.language]["what"]
    return {
        "title": words("history.trend", what=what), "told": told_of(found, rules.values(), words), "width": WIDTH,
        "height": HEIGHT, "left": LEFT, "right": RIGHT, "bottom": BOTTOM, "dots": drawn, "marks": marks,
        "line": " ".join(f"{dot['x']},{dot['y']}" for dot in drawn),
        "ticks": [{"y": field.y(value), "text": tick(value, unit, words)} for value in ticks(field)],
        "rules": [{"y": field.y(at), "text": asked(gate, words)} for at, gate in rules.items()],
        "labels": labels_of([row.period for row, _ in found], places), "legend": legend_of(rules, marks, words),
    }  # fmt: skip


def _dot(
    head: Mapping[str, Any] | None, x: float, field: Field, unit: str, periods: int, words: Words
) -> dict[str, Any] | None:
    if head is None or finite(head["value"]) is None:
        return None
    bounds = [finite(head[key]) for key in ("conf_low", "conf_high")]
    low, high = (None, None) if None in bounds else (field.y(each or 0.0) for each in bounds)
    text = words.number(head["value"], unit) if periods <= LABELLED else ""
    return {"x": x, "y": field.y(head["value"]), "low": low, "high": high, "text": text}


def field_of(values: Iterable[float | None]) -> Field:
    """Return a field that holds some values, with room above and below."""
    known = [value for value in map(finite, values) if value is not None]
    low, high = min(known), max(known)
    room = 0.08 * (high - low) or abs(high) * 0.05 or 1.0
    return Field(low - room, high + room)


def ticks(field: Field) -> list[float]:
    """Return three to seven round values in a field.

    >>> [round(value, 2) for value in ticks(Field(0.78, 0.95))]
    [0.8, 0.85, 0.9, 0.95]
    """
    rough = (field.high - field.low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough * 0.999)
    first, last = math.ceil(field.low / step - 1e-9), math.floor(field.high / step + 1e-9)
    return [at * step for at in range(first, last + 1)]


def tick(value: float, unit: str, words: Words) -> str:
    """Return a value of the axis."""
    shown = f"{value * (100 if unit == 'share' else 1):.6g}".replace("-", "−")
    return words("percent", number=shown) if unit == "share" else shown


def asked(gate: Mapping[str, Any], words: Words) -> str:
    """Return what a rule asks."""
    return words(
        f"comparison.{gate['comparison']}", threshold=words.threshold(gate["threshold"], company.unit_of(gate))
    )


def labels_of(periods: Sequence[str], places: Sequence[float]) -> list[dict[str, Any]]:
    """Return the periods below the field: where there are many, not all of them, but the last."""
    every = math.ceil(len(periods) / 10)
    chosen = [
        (text, x)
        for at, (text, x) in enumerate(zip(periods, places, strict=True))
        if (len(periods) - 1 - at) % every == 0
    ]
    return [{"text": text, "x": x} for text, x in chosen]


def marks_of(found: Sequence[tuple[Row, Record]], places: Sequence[float]) -> list[float]:
    """Return where completed actions stand between the days of the reports."""
    days = [_day(record["as_of"]) for _, record in found]
    if None in days or days != sorted({day for day in days if day}):
        return []
    ordinals = [day.toordinal() for day in days if day]
    return [_between(day.toordinal(), ordinals, places) for day in completed(record for _, record in found)]


def _between(day: int, days: Sequence[int], places: Sequence[float]) -> float:
    for before, after, left, right in zip(days, days[1:], places, places[1:], strict=False):
        if before <= day <= after:
            return round(left + (right - left) * (day - before) / (after - before), 1)
    return round((LEFT + places[0]) / 2 if day < days[0] else (places[-1] + RIGHT) / 2, 1)


def told_of(found: Sequence[tuple[Row, Record]], rules: Iterable[Mapping[str, Any]], words: Words) -> str:
    """Return a trend in words."""
    said = [(row.period, row.said[words.language]) for row, _ in found]
    values = [
        words.colon(period, words.aside(each["value"], each["interval"]) if each["interval"] else each["value"])
        for period, each in said
    ]
    listed = words("semicolon").join(values)
    asks = words.listing(asked(gate, words) for gate in rules)
    return words("history.told_rule", values=listed, rule=asks) if asks else words("history.told", values=listed)


def legend_of(rules: Mapping[float, Any], marks: Sequence[float], words: Words) -> str:
    """Return what dots, lines and marks of a trend are."""
    parts = ["dots", *(["rule"] if rules else []), *(["marks"] if marks else [])]
    return words("gap").join(words(f"history.legend_{part}") for part in parts)
