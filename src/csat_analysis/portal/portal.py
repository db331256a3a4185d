"""Where does a reviewer begin? The index of all reports, built from records and manifests only."""

import base64
import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from csat_analysis import __version__
from csat_analysis.execution.digests import stamp_of
from csat_analysis.execution.memory import Standing
from csat_analysis.ground.errors import ReportError
from csat_analysis.ground.words import Words, languages, speak
from csat_analysis.portal import company, pooling, project_pages
from csat_analysis.portal.portal_data import (
    as_json,
    by_project,
    compared_of,
    index_of,
    noted_of,
    spark,
    standings_of,
)
from csat_analysis.portal.portal_rows import Known, Row
from csat_analysis.portal.readings import Listed, read_record
from csat_analysis.publishing import pages
from csat_analysis.publishing.markup import Cell

PLAIN = 200  # runs in the table that needs no script
NAMED = 10  # runs without a report that are named
COLUMNS = {
    "project": "project", "period": "period", "procedure": "programme", "status": "status", "headline": "headline",
    "rules": "failed",
}  # fmt: skip
STANDS = dict[str, Standing] | None


class Together(NamedTuple):
    """The satisfaction rate of all projects of a procedure in a period, in whatever language it is said."""

    records: Sequence[pooling.Record]
    usable: Sequence[pooling.Record]
    rule: Mapping[str, Any] | None
    pool: pooling.Pool
    rate_of_all: float | None


def write(root: Path, language: str, standings: Sequence[Standing] | None = None) -> Path:
    """Write ``reports/index.html`` in a language, and all other pages that are made from records; return its path.

    They are each language's index and comparison, the projects' pages, and the company's: without two projects of a
    procedure in a period there is none, and one that was there goes.

    Parameters
    ----------
    standings
        How all runs of the root stand; None: not known.
    """
    reports = root / "reports"
    known = Known(reports)
    rows = known.rows()
    stands = None if standings is None else standings_of(standings)
    projects = by_project(rows)
    try:
        reports.mkdir(exist_ok=True)
        project_pages.write(known, projects, language, stands)
        for name, page in pages_of(known, rows, language, stands).items():
            _put(reports / name, page)
        if not _company_is_there(known):
            known.made[""] = [known.digest(), _write_company(reports, rows)]
    except OSError as error:
        raise ReportError(
            f"{reports}: the portal cannot be written ({error.strerror}); check space and permissions."
        ) from None
    known.save()
    return reports / "index.html"


def _put(path: Path, page: str) -> None:
    """Write a page; an empty one is none."""
    if page:
        project_pages.replace(path, page)
    else:
        path.unlink(missing_ok=True)


def pages_of(known: Known, rows: Sequence[Row], language: str, stands: STANDS) -> dict[str, str]:
    """Return the pages of all runs by their names, the index after what it leads to; an empty one is none."""
    compared = {pages.page_name("compare", each): render_compared(known, rows, each) for each in languages()}
    together = together_of(rows)
    indexes = {each: render(rows, each, stands, together) for each in languages()}
    return {
        **compared,
        **{f"index.{each}.html": page for each, page in indexes.items()},
        "index.html": indexes[language],
    }


# --- the company ------------------------------------------------------------------------------------------------------


def _company_is_there(known: Known) -> bool:
    """Return whether the company's pages are as they were made, from the records that there are."""
    try:
        digest, files = known.made[""]
        found = {name: list(stamp_of(known.reports / name)) for name in files}
        return bool(digest == known.digest() and found == files)
    except (LookupError, TypeError, ValueError, OSError):
        return False


def _write_company(reports: Path, rows: Iterable[Row]) -> dict[str, list[int]]:
    """Write the company's page in each language; return sizes and times of what there is."""
    entries = collect(reports, rows)
    files: dict[str, list[int]] = {}
    for each in languages():
        path = reports / pages.page_name("company", each)
        page = company.render(entries, each)
        _put(path, page)
        files |= {path.name: list(stamp_of(path))} if page else {}
    return files


def collect(reports: Path, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the record of every published run, with its folder and its pages, by project and period.

    Half a folder, or one that was changed by hand beyond recognition, is no report; `csat list` says so.
    """
    found = [(row, read_record(reports / row.folder / "record.json", Listed)) for row in rows]
    return [
        {"record": record, "pages": row.pages, "folder": row.folder, "failures": row.failures}
        for row, record in found
        if record
    ]


# --- the index --------------------------------------------------------------------------------------------------------


def render(
    rows: Sequence[Row], language: str, stands: STANDS = None, together: Sequence[Together] | None = None
) -> str:
    """Return the portal as HTML; ``together``: see ``together_of``, where that is known already."""
    words = speak(language)
    projects = by_project(rows)
    found = together_of(rows) if together is None else together
    code = script("portal")
    html = company.template("portal.html.j2").render(
        **around(words, code), rows=plain_rows(projects, stands, words), total=len(rows), columns=COLUMNS.items(),
        links=pages.language_links("index", language), compare_page=pages.page_name("compare", language),
        company=[row for each in found if (row := company_row(each, words))],
        company_page=pages.page_name("company", language) if found else "",
        as_of=stands is not None, without=without_text(rows, stands, words), texts=texts_of("browse", words),
        data=Markup(as_json(index_of(projects, stands or {}, words))),  # noqa: S704 - escaped as a script needs it
    )  # fmt: skip
    return pages.with_font(html)


def render_compared(known: Known, rows: Sequence[Row], language: str) -> str:
    """Return the page on which two runs stand side by side as HTML; empty where there is no run."""
    if not rows:
        return ""
    words, code = speak(language), script("compare")
    portal = {"text": words("page.portal"), "href": f"index.{language}.html"}
    html = company.template("compare.html.j2").render(
        **around(words, code), texts=texts_of("compare", words),
        links=[portal, *pages.language_links("compare", language)],
        data=Markup(as_json(compared_of(by_project(rows), known.shapes, words))),  # noqa: S704 - escaped likewise
    )  # fmt: skip
    return pages.with_font(html)


def around(words: Words, code: str) -> dict[str, Any]:
    """Return what a page with a script needs: it may run that script, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; script-src 'sha256-{}'"
    return {
        "words": words, "style": Markup(pages.portal_style(words.language)), "version": __version__,  # noqa: S704 - our own style sheet
        "policy": Markup(policy.format(digest)), "script": Markup(code),  # noqa: S704 - our own script
    }  # fmt: skip


@functools.cache
def script(name: str) -> str:
    """Return the script of a page, after what the scripts share."""
    return "".join((pages.TEMPLATES / f"{each}.js").read_text("utf-8") for each in ("shared", name))


def texts_of(section: str, words: Words) -> Markup:
    """Return the words of a script, with those that every script needs."""
    common = ("colon", "comma", "semicolon", "none", "not_computed", "percent", "percentage_points", "range")
    own = {key.partition(".")[2]: text for key, text in words.texts.items() if key.startswith(f"{section}.")}
    found = {key: words(key) for key in common} | own
    found["failed_run"] = words("portal.failed_run")
    return Markup(as_json(found))  # noqa: S704 - escaped as a script needs it


def plain_rows(projects: Mapping[str, Sequence[Row]], stands: STANDS, words: Words) -> list[dict[str, Any]]:
    """Return what the table without a script shows: the newest runs, by project and period."""
    every = [row for rows in projects.values() for row in sorted(rows, key=lambda row: row.folder)]
    newest = {row.folder for row in sorted(every, key=lambda row: row.order, reverse=True)[:PLAIN]}
    last = {rows[-1].folder: rows for rows in projects.values()}
    return [
        plain_row(row, last.get(row.folder, ()), (stands or {}).get(row.folder), words)
        for row in every
        if row.folder in newest
    ]


def plain_row(row: Row, periods: Sequence[Row], standing: Standing | None, words: Words) -> dict[str, Any]:
    """Return what the table shows of a run; beside a project's newest, the line through all of them."""
    told = row.said[words.language]
    listed = words("semicolon").join(f"{each.period} {each.said[words.language]['value']}" for each in periods)
    return {
        **told, **noted_of(standing, words), "period": row.period, "status": row.status,
        "stamp": words(f"stamp.{row.status}"), "href": f"{row.place}/{pages.page_name('index', words.language)}",
        "line": spark(periods) if periods else "", "trend": words("browse.trend", values=listed),
        "failed_run": f"{row.folder}/failed/{row.failures[0]}" if row.failures else "",
        "links": [
            {**link, "href": f"{row.place}/{link['href']}"} for link in project_pages.page_links(row, words)
        ],
    }  # fmt: skip


def without_text(rows: Iterable[Row], stands: STANDS, words: Words) -> str:
    """Return which runs have no report yet, as far as these are a few."""
    there = {row.folder for row in rows}
    left = [f"{each.project} {each.period}" for folder, each in (stands or {}).items() if folder not in there]
    if not left:
        return ""
    key = "portal.without" if len(left) <= NAMED else "portal.without_more"
    return words(key, n=words.count(len(left)), names=words.listing(left[:NAMED]))


# --- all projects together --------------------------------------------------------------------------------------------


def together_of(rows: Iterable[Row]) -> list[Together]:
    """Return the satisfaction rates of all projects together: Σ satisfied ÷ Σ base."""
    return [_together([entry["record"] for entry in members]) for members in pooling.editions(map(_entry, rows))]


def _entry(row: Row) -> pooling.Entry:
    return {"record": row.pooled}


def _together(every: Sequence[pooling.Record]) -> Together:
    usable, rule = pooling.usable_of(every), pooling.rule_of(every)
    return Together(every, usable, rule, pooling.pool(usable, rule), pooling.pooled_rate(every))


def company_row(found: Together, words: Words) -> dict[str, Any]:
    """Return one procedure's row in one period; nothing where no rate is known."""
    first, pooled, rule = found.records[0], found.pool, found.rule
    if pooled.rate is None:
        return {}
    return {
        "programme": words.title(first["programme"]["title"]), "period": first["period"],
        "projects": len(found.usable), "pooled": words.number(pooled.rate, "share"),
        "parts": company.parts_text(pooled.satisfied, pooled.base, words),
        "pooled_all": words.number(found.rate_of_all, "share"),
        "rule": company.rule_text(rule, words) if rule else "",
        "verdict": company.verdict_cell(pooled.judged, words) if rule else Cell(""),
        "source": words.source(rule["clause"]) if rule else "",
    }  # fmt: skip
