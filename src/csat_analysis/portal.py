"""Where does a reviewer begin? The index of all reports, built from records and manifests only."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2

from csat_analysis import __version__, pages
from csat_analysis.assessment import meets
from csat_analysis.catalogue import MEASURES
from csat_analysis.words import Words, languages, speak


def write(root: Path, language: str) -> Path:
    """Write ``reports/index.html`` in a language, and a page for each language there is; return its path."""
    entries = collect(root / "reports")
    for name, each in [*((f"index.{each}.html", each) for each in languages()), ("index.html", language)]:
        page = root / "reports" / name
        page.parent.mkdir(exist_ok=True)
        fresh = page.with_name(f".{name}.new")
        fresh.write_text(render(entries, each), "utf-8")
        fresh.replace(page)
    return root / "reports" / "index.html"


def collect(reports: Path) -> list[dict[str, Any]]:
    """Return the record and the manifest of every published run, by project and period."""
    entries = []
    for path in sorted(reports.glob("*/*/record.json")):
        if path.parent.name.startswith("."):
            continue
        try:
            record = json.loads(path.read_text("utf-8"))
            manifest = json.loads(path.with_name("manifest.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue  # half a folder is no report; `csat list` says so
        failed = (path.parent / "failed" / "manifest.json").is_file()
        entries.append({"record": record, "manifest": manifest, "folder": f"{path.parent.parent.name}/{path.parent.name}", "failed": failed})
    return entries


def render(entries: Iterable[dict[str, Any]], language: str) -> str:
    """Return the portal as HTML."""
    words, listed = speak(language), list(entries)
    environment = jinja2.Environment(loader=jinja2.PackageLoader("csat_analysis"), autoescape=True, trim_blocks=True)
    links = [
        {"text": speak(each)("language.name"), "href": f"index.{each}.html", "lang": speak(each)("language.html"), "here": each == language}
        for each in languages()
    ]
    html = environment.get_template("portal.html.j2").render(
        words=words, style=jinja2.utils.markupsafe.Markup(pages.style()), version=__version__, links=links,
        rows=[portal_row(entry, words) for entry in listed], company=company_rows([e["record"] for e in listed], words),
    )  # fmt: skip
    return pages.with_font(html)


def portal_row(entry: dict[str, Any], words: Words) -> dict[str, Any]:
    """Return what the portal shows of a run."""
    record, folder = entry["record"], entry["folder"]
    head = record["headline"]
    interval = words.interval(head["conf_low"], head["conf_high"], head["unit"])
    return {
        "title": words.title(record["title"], record["project"]), "period": record["period"],
        "programme": words.title(record["programme"]["title"]), "status": record["status"],
        "stamp": words(f"stamp.{record['status']}"),
        "what": words.title(head["title"], words(f"measure.{head['measure']}") if f"measure.{head['measure']}" in words.texts else head["measure"]),
        "value": words.number(head["value"], head["unit"]),
        "interval": "" if interval == words("not_computed") else interval,
        "failed": [gate_phrase(gate, record, words) for gate in record["gates"] if gate["passed"] is False],
        "failed_run": f"{folder}/failed/{_first_page(entry)}" if entry["failed"] else "",
        "links": page_links(entry, words),
    }  # fmt: skip


def _first_page(entry: dict[str, Any]) -> str:
    return next((name for name in sorted(entry["manifest"]["files"]) if name.endswith(".html")), "manifest.json")


def gate_phrase(gate: dict[str, Any], record: dict[str, Any], words: Words) -> str:
    """Return a failed rule as the portal says it."""
    name = gate["measure"]
    unit = MEASURES[name].unit if name in MEASURES else record["headline"]["unit"] if name == "index" else "points"
    unit = "share" if name.endswith(".satisfied") else unit
    wanted = words(f"comparison.{gate['comparison']}", threshold=words.number(gate["threshold"], unit))
    return f"{words.get(f'measure.{name}', name)} {words.number(gate['value'], unit)} ({wanted})"


def page_links(entry: dict[str, Any], words: Words) -> list[dict[str, str]]:
    """Return the links to a run's pages: those of this language first."""
    found = []
    for name in sorted(entry["manifest"]["files"], key=lambda name: (f".{words.language}." not in name, name)):
        if name.endswith(".html"):
            chapter, language, _ = name.rsplit(".", 2)
            other = speak(language)
            found.append({"href": f"{entry['folder']}/{name}", "text": other.get(f"chapter.{chapter}", chapter), "lang": other("language.html")})
    found.append({"href": f"{entry['folder']}/tables.xlsx", "text": f"{words('portal.record')} (.xlsx)", "lang": ""})
    return found


def company_rows(records: Iterable[dict[str, Any]], words: Words) -> list[dict[str, Any]]:
    """Return the satisfaction rate of all projects of a procedure in a period: Σ satisfied ÷ Σ base."""
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for record in records:
        groups.setdefault((record["programme"]["id"], record["programme"]["version"], record["period"]), []).append(record)
    rows = []
    for (_, _, period), members in sorted(groups.items(), key=lambda item: (item[0][0], item[0][2], item[0][1])):
        usable = [record for record in members if record["status"] != "void"]
        if len(members) < 2 or pooled_rate(usable) is None:
            continue
        gate = next((gate for gate in members[0]["gates"] if gate["measure"] == "satisfaction_rate"), None)
        verdict = ("met" if meets(pooled_rate(usable), gate["comparison"], gate["threshold"]) else "not_met") if gate else ""  # type: ignore[arg-type]
        rows.append(
            {
                "programme": words.title(members[0]["programme"]["title"]), "period": period, "projects": len(members),
                "pooled": words.number(pooled_rate(usable), "share"), "pooled_all": words.number(pooled_rate(members), "share"),
                "rule": words(f"comparison.{gate['comparison']}", threshold=words.number(gate["threshold"], "share")) if gate else "",
                "verdict": verdict, "verdict_text": words(f"verdict.{verdict}") if verdict else "",
            }  # fmt: skip
        )
    return rows


def pooled_rate(records: Iterable[dict[str, Any]]) -> float | None:
    """Return Σ numerator ÷ Σ denominator of the satisfaction rates (2§4.3), never a mean of rates.

    >>> rate = lambda k, n: {"measures": [{"id": "satisfaction_rate", "numerator": k, "denominator": n}]}
    >>> pooled_rate([rate(95, 100), rate(5, 10)])
    0.9090909090909091
    """
    rates = [measure for record in records for measure in record["measures"] if measure["id"] == "satisfaction_rate"]
    known = [rate for rate in rates if rate["numerator"] is not None and rate["denominator"]]
    total = sum(rate["denominator"] for rate in known)
    return sum(rate["numerator"] for rate in known) / total if total else None
