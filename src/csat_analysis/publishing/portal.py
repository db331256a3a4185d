"""Where does a reviewer begin? The index of all reports, built from records and manifests only."""

import functools
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import jinja2
from pydantic import BaseModel, ConfigDict, ValidationError

from csat_analysis import __version__
from csat_analysis.assembly.assessment import meets
from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.errors import ReportError
from csat_analysis.ground.words import Words, languages, speak
from csat_analysis.publishing import pages

PAGE = re.compile(r"([\w-]+)\.([a-z]+)\.html")


class Lenient(BaseModel):
    """A part of a record as the portal reads it: a closed run keeps the record of an older or a newer edition."""

    model_config = ConfigDict(extra="ignore")


class Edition(Lenient):
    """Which edition judged."""

    id: str
    version: int
    title: dict[str, str]


class Figure(Lenient):
    """A headline, or the figure that a rule is on."""

    measure: str
    title: dict[str, str] | None = None
    unit: Literal["share", "points", "per_1000"] | None = None
    value: float | None
    conf_low: float | None = None
    conf_high: float | None = None


class Rule(Figure):
    """A rule and its literal verdict."""

    comparison: Literal["at_least", "more_than", "at_most", "less_than"]
    threshold: float
    passed: bool | None
    clause: str | None = None


class Rate(Lenient):
    """A measure's parts, to be pooled."""

    id: str
    numerator: float | None
    denominator: float | None


class Listed(Lenient):
    """What the portal shows of a record."""

    project: str
    title: dict[str, str]
    period: str
    programme: Edition
    status: Literal["reportable", "remedy_due", "void"]
    headline: Figure
    gates: list[Rule]
    measures: list[Rate]


def write(root: Path, language: str) -> Path:
    """Write ``reports/index.html`` in a language, and a page for each language there is; return its path."""
    reports = root / "reports"
    entries = collect(reports)
    try:
        reports.mkdir(exist_ok=True)
        for each in languages():
            page = render(entries, each)
            for name in [f"index.{each}.html", *(["index.html"] if each == language else [])]:
                fresh = reports / f".{name}.{os.getpid()}.new"
                fresh.write_text(page, "utf-8")
                fresh.replace(reports / name)
    except OSError as error:
        for left in reports.glob(f".index*.{os.getpid()}.new"):
            left.unlink(missing_ok=True)
        raise ReportError(
            f"{reports}: the portal cannot be written ({error.strerror}); check space and permissions."
        ) from None
    return reports / "index.html"


def collect(reports: Path) -> list[dict[str, Any]]:
    """Return the record and the manifest of every published run, by project and period.

    Half a folder, or one that was changed by hand beyond recognition, is no report; `csat list` says so.
    """
    entries = []
    for path in sorted(reports.glob("*/*/record.json")):
        folder = path.parent
        try:
            record = Listed.model_validate(_read(path)).model_dump()
        except ValidationError:
            continue
        made, failures = _read(folder / "manifest.json").get("chapters"), _failures(folder / "failed")
        if isinstance(made, dict) and not folder.name.startswith("."):
            found = [name for name in sorted(made) if _is_page(folder / name)]
            where = f"{folder.parent.name}/{folder.name}"
            entries.append({"record": record, "pages": found, "folder": where, "failures": failures})
    return entries


def _failures(folder: Path) -> list[str]:
    """Return the pages of the chapters that failed, where the last run did."""
    failures = _read(folder / "manifest.json").get("failures")
    return sorted(name for name in failures if (folder / name).is_file()) if isinstance(failures, dict) else []


def _is_page(path: Path) -> bool:
    parts = PAGE.fullmatch(path.name)
    return parts is not None and parts[2] in languages() and path.is_file()


def _read(path: Path) -> dict[str, Any]:
    """Return a file's mapping, empty where there is none that can be read."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def render(entries: Iterable[dict[str, Any]], language: str) -> str:
    """Return the portal as HTML."""
    words, listed = speak(language), list(entries)
    links = [
        {
            "text": speak(each)("language.name"),
            "href": f"index.{each}.html",
            "lang": speak(each)("language.html"),
            "here": each == language,
        }
        for each in languages()
    ]
    html = _template().render(
        words=words, style=jinja2.utils.markupsafe.Markup(pages.style()), version=__version__, links=links,
        rows=[portal_row(entry, words) for entry in listed], company=company_rows([e["record"] for e in listed], words),
    )  # fmt: skip
    return pages.with_font(html)


@functools.cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("csat_analysis")
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True).get_template("portal.html.j2")


def portal_row(entry: dict[str, Any], words: Words) -> dict[str, Any]:
    """Return what the portal shows of a run."""
    record, folder = entry["record"], entry["folder"]
    head = record["headline"]
    interval = words.interval(head["conf_low"], head["conf_high"], unit_of(head))
    return {
        "title": words.title(record["title"], record["project"]), "period": record["period"],
        "programme": words.title(record["programme"]["title"]), "status": record["status"],
        "stamp": words(f"stamp.{record['status']}"),
        "what": own_name(head, words),
        "value": words.number(head["value"], unit_of(head)),
        "interval": "" if interval == words("not_computed") else interval,
        "failed": [gate_phrase(gate, words) for gate in record["gates"] if gate["passed"] is False],
        "failed_run": f"{folder}/failed/{entry['failures'][0]}" if entry["failures"] else "",
        "links": page_links(entry, words),
    }  # fmt: skip


def gate_phrase(gate: dict[str, Any], words: Words) -> str:
    """Return a failed rule as the portal says it."""
    unit = unit_of(gate)
    wanted = words(f"comparison.{gate['comparison']}", threshold=words.threshold(gate["threshold"], unit))
    return words.aside(f"{own_name(gate, words)} {words.number(gate['value'], unit)}", wanted)


def unit_of(row: dict[str, Any]) -> str:
    """Return the unit of a gate's or a headline's figure; an older record may not say it."""
    name = row["measure"]
    known = MEASURES[name].unit if name in MEASURES else "share" if name.endswith(".satisfied") else "points"
    return row["unit"] or known


def own_name(row: dict[str, Any], words: Words) -> str:
    """Return what a gate's or a headline's measure is called: by the procedure's title, else by ours."""
    item, _, figure = row["measure"].rpartition(".")
    if item:
        return words(f"expect.{figure}", title=words.title(row["title"], item))
    return words.title(row["title"], words.get(f"measure.{figure}", figure))


def page_links(entry: dict[str, Any], words: Words) -> list[dict[str, str]]:
    """Return the links to a run's pages: those of this language first."""
    found = []
    for name in sorted(entry["pages"], key=lambda name: (f".{words.language}." not in name, name)):
        chapter, language, _ = name.rsplit(".", 2)
        other = speak(language)
        text = other.get(f"chapter.{chapter}", chapter)
        found.append({"href": f"{entry['folder']}/{name}", "text": text, "lang": other("language.html")})
    found.append({"href": f"{entry['folder']}/tables.xlsx", "text": f"{words('portal.record')} (.xlsx)", "lang": ""})
    return found


def company_rows(records: Iterable[dict[str, Any]], words: Words) -> list[dict[str, Any]]:
    """Return the satisfaction rate of all projects of a procedure in a period: Σ satisfied ÷ Σ base."""
    groups: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for record in records:
        programme = record["programme"]
        groups.setdefault((programme["id"], record["period"], programme["version"]), []).append(record)
    rows = [_company_row(members, words) for _, members in sorted(groups.items()) if len(members) > 1]
    return [row for row in rows if row]


def _company_row(members: list[dict[str, Any]], words: Words) -> dict[str, Any]:
    """Return one procedure's row in one period; nothing where no rate is known."""
    usable = [record for record in members if record["status"] != "void"]
    rate = pooled_rate(usable)
    if rate is None:
        return {}
    satisfied, base = pooled_parts(usable)
    row = {
        "programme": words.title(members[0]["programme"]["title"]), "period": members[0]["period"],
        "projects": len(usable), "pooled": words.number(rate, "share"),
        "parts": f"{words.count(satisfied)} ÷ {words.count(base)}",
        "pooled_all": words.number(pooled_rate(members), "share"), "rule": "", "source": "",
        "verdict": "", "verdict_text": "",
    }  # fmt: skip
    gate = next((gate for gate in members[0]["gates"] if gate["measure"] == "satisfaction_rate"), None)
    if gate:
        verdict = "met" if meets(rate, gate["comparison"], gate["threshold"]) else "not_met"
        rule = words(f"comparison.{gate['comparison']}", threshold=words.threshold(gate["threshold"], "share"))
        row |= {"rule": rule, "verdict": verdict, "verdict_text": words(f"verdict.{verdict}")}
        row["source"] = words.source(gate.get("clause"))
    return row


def pooled_rate(records: Iterable[dict[str, Any]]) -> float | None:
    """Return Σ numerator ÷ Σ denominator of the satisfaction rates (2§4.3), never a mean of rates.

    >>> rate = lambda k, n: {"measures": [{"id": "satisfaction_rate", "numerator": k, "denominator": n}]}
    >>> pooled_rate([rate(95, 100), rate(5, 10)])
    0.9090909090909091
    """
    satisfied, base = pooled_parts(records)
    return satisfied / base if base else None


def pooled_parts(records: Iterable[dict[str, Any]]) -> tuple[float, float]:
    """Return the sums of the satisfied forms and of the bases."""
    rates = [measure for record in records for measure in record["measures"] if measure["id"] == "satisfaction_rate"]
    known = [rate for rate in rates if rate["numerator"] is not None and rate["denominator"]]
    return sum(rate["numerator"] for rate in known), sum(rate["denominator"] for rate in known)
