"""Where does a reviewer begin? The index of all reports, built from records and manifests only."""

import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, field_validator

from csat_analysis import __version__
from csat_analysis.ground.errors import ReportError
from csat_analysis.ground.words import Words, languages, speak
from csat_analysis.publishing import company, pages, pooling
from csat_analysis.publishing.markup import Cell

PAGE = re.compile(r"([\w-]+)\.([a-z]+)\.html")


class Lenient(BaseModel):
    """A part of a record as the portal reads it: a closed run keeps the record of an older or a newer edition.

    What an older edition did not write has a value here that says so.
    """

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
    """A rule, its literal verdict, and how certain it is."""

    comparison: Literal["at_least", "more_than", "at_most", "less_than"]
    threshold: float
    passed: bool | None
    verdict: str | None = None
    certainty: float | None = None
    severity: str = "rule"
    clause: str | None = None


class Rate(Lenient):
    """A measure's parts, to be pooled."""

    id: str
    numerator: float | None
    denominator: float | None
    conf_low: float | None = None
    conf_high: float | None = None
    method: str | None = None
    se: float | None = None
    df: float | None = None
    design_effect: float | None = None


class Part(Lenient):
    """The satisfaction rate of a part of a project; without figures where it is suppressed."""

    level: str
    title: dict[str, str] | None = None
    numerator: float | None = None
    denominator: float | None = None
    value: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None


class Due(Lenient):
    """What a failed rule set off."""

    because: str | None = None
    clause: str | None = None
    title: dict[str, str] | None = None


class Score(Lenient):
    """The index."""

    value: float | None
    conf_low: float | None = None
    conf_high: float | None = None


class Moved(Lenient):
    """How a figure changed since the baseline."""

    id: str
    verdict: Literal["improved", "unchanged", "worse", "insufficient", "not_comparable"]
    before: float | None = None
    after: float | None = None
    estimate: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    p_value: float | None = None
    method: str = ""
    reason: str = ""
    family: str = "exploratory"
    n_before: float | None = None
    n_after: float | None = None
    margin: float | None = None
    not_worse: bool | None = None
    expected: float | None = None
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None


class Mode(Lenient):
    """The satisfaction rate of a channel, before and after."""

    channels: list[str]
    numerator_before: float
    denominator_before: float
    se_before: float | None = None
    df_before: float | None = None
    numerator_after: float
    denominator_after: float
    se_after: float | None = None
    df_after: float | None = None


class Gained(Lenient):
    """What the projects acted on gained beyond the others, by one analysis."""

    estimate: float | None
    conf_low: float | None
    conf_high: float | None
    p_value: float | None
    acted: int
    others: int
    naive: float | None
    reason: str


class Acted(Lenient):
    """What action brought over all projects."""

    figure: str
    threshold: float
    projects: int
    residual: Gained
    discontinuity: Gained


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
    as_of: str | None = None
    within: list[dict[str, str]] = []
    parts: list[Part] = []
    counts: dict[str, Any] = {}
    triggers: list[Due] = []
    index: Score | None = None
    baseline: str | None = None
    change: list[Moved] | None = None
    modes: list[Mode] | None = None
    portfolio: Acted | None = None

    @field_validator("change", "modes", "portfolio", mode="wrap")
    @classmethod
    def _of_this_form(cls, value: Any, read: ValidatorFunctionWrapHandler) -> Any:
        """Return what another edition may have written in another form as None: the rest of a record stays readable."""
        try:
            return read(value)
        except ValidationError:
            return None


def write(root: Path, language: str) -> Path:
    """Write ``reports/index.html`` in a language, and each language's index and company page; return its path.

    Without two projects of a procedure in a period there is no company page, and one that was there goes.
    """
    reports = root / "reports"
    entries = collect(reports)
    try:
        reports.mkdir(exist_ok=True)
        for name, page in pages_of(entries, language).items():
            if not page:
                (reports / name).unlink(missing_ok=True)
                continue
            fresh = reports / f".{name}.{os.getpid()}.new"
            fresh.write_text(page, "utf-8")
            fresh.replace(reports / name)
    except OSError as error:
        for left in reports.glob(f".*.html.{os.getpid()}.new"):
            left.unlink(missing_ok=True)
        raise ReportError(
            f"{reports}: the portal cannot be written ({error.strerror}); check space and permissions."
        ) from None
    return reports / "index.html"


def pages_of(entries: Sequence[dict[str, Any]], language: str) -> dict[str, str]:
    """Return the pages by their names, the company's before those that lead to it; an empty one is none."""
    found = {pages.page_name("company", each): company.render(entries, each) for each in languages()}
    indexes = {each: render(entries, each) for each in languages()}
    return {**found, **{f"index.{each}.html": page for each, page in indexes.items()}, "index.html": indexes[language]}


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
    html = company.template("portal.html.j2").render(
        words=words, style=Markup(pages.style()), version=__version__, links=links,  # noqa: S704 - our own style sheet
        rows=[portal_row(entry, words) for entry in listed], company=company_rows(listed, words),
        company_page=pages.page_name("company", language) if pooling.editions(listed) else "",
    )  # fmt: skip
    return pages.with_font(html)


def portal_row(entry: dict[str, Any], words: Words) -> dict[str, Any]:
    """Return what the portal shows of a run."""
    record, folder = entry["record"], entry["folder"]
    head, gates = record["headline"], record["gates"]
    unit = company.unit_of(head)
    interval = words.interval(head["conf_low"], head["conf_high"], unit)
    return {
        "title": words.title(record["title"], record["project"]), "period": record["period"],
        "programme": words.title(record["programme"]["title"]), "status": record["status"],
        "stamp": words(f"stamp.{record['status']}"),
        "what": company.own_name(head, words),
        "value": words.number(head["value"], unit),
        "interval": "" if interval == words("not_computed") else interval,
        "failed": [gate_phrase(gate, words) for gate in gates if gate["passed"] is False],
        "borderline": [gate_phrase(gate, words) for gate in gates if gate["passed"] and is_borderline(gate)],
        "failed_run": f"{folder}/failed/{entry['failures'][0]}" if entry["failures"] else "",
        "links": page_links(entry, words),
    }  # fmt: skip


def gate_phrase(gate: dict[str, Any], words: Words) -> Cell:
    """Return a rule and its figure as the portal says it, and below it where its verdict is borderline."""
    unit = company.unit_of(gate)
    wanted = words(f"comparison.{gate['comparison']}", threshold=words.threshold(gate["threshold"], unit))
    said = words.aside(f"{company.own_name(gate, words)} {words.number(gate['value'], unit)}", wanted)
    verdict = company.verdict_cell(gate, words)
    borderline = words.colon(verdict, words("semicolon").join(verdict.below)) if is_borderline(gate) else ""
    return Cell(said, below=(borderline,) if borderline else ())


def is_borderline(gate: dict[str, Any]) -> bool:
    """Return whether a verdict is not certain, whatever it is by the letter."""
    return bool(gate["verdict"] == "borderline")


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


def company_rows(entries: Iterable[dict[str, Any]], words: Words) -> list[dict[str, Any]]:
    """Return the satisfaction rate of all projects of a procedure in a period: Σ satisfied ÷ Σ base."""
    rows = [_company_row(members, words) for members in pooling.editions(entries)]
    return [row for row in rows if row]


def _company_row(members: Sequence[pooling.Entry], words: Words) -> dict[str, Any]:
    """Return one procedure's row in one period; nothing where no rate is known."""
    every = [entry["record"] for entry in members]
    usable = pooling.usable_of(every)
    rule = pooling.rule_of(every)
    pooled = pooling.pool(usable, rule)
    if pooled.rate is None:
        return {}
    return {
        "programme": words.title(every[0]["programme"]["title"]), "period": every[0]["period"],
        "projects": len(usable), "pooled": words.number(pooled.rate, "share"),
        "parts": company.parts_text(pooled.satisfied, pooled.base, words),
        "pooled_all": words.number(pooling.pooled_rate(every), "share"),
        "rule": company.rule_text(rule, words) if rule else "",
        "verdict": company.verdict_cell(pooled.judged, words) if rule else Cell(""),
        "source": words.source(rule["clause"]) if rule else "",
    }  # fmt: skip
