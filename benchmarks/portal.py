"""How long does the portal take? 5,000 projects of two periods: below 20 s, below 5 s where one record changed.

``python benchmarks/portal.py [PROJECTS] [company]``. Made-up projects, each with the record of a demo run and figures
of its own; the company's pages, which take longest, only where they are asked for.
"""

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess
from csat_analysis.ground import params
from csat_analysis.ground.words import languages
from csat_analysis.portal import portal, project_pages
from csat_analysis.portal.portal_data import by_project
from csat_analysis.portal.portal_rows import Known
from csat_analysis.publishing import records

CHECKOUT = Path(__file__).resolve().parents[1]
PERIODS = ("2023", "2024")
CHAPTERS = ("10_fieldwork", "20_satisfaction", "25_drivers", "30_change", "40_procedure")
HANZI = "园雅云庭清和恒信汇通金威松鹤兰亭贝晨星河湾城府苑居阁轩华丽江南海北山水天地人家春夏秋冬东西国际花香林语福禄寿喜"
THEN = time.time_ns() - 60 * 10**9


def real_record() -> dict[str, Any]:
    """Return the record of a demo run."""
    rules = params.read_rules(CHECKOUT)
    run = params.find_run(rules, "yuanya", "2024")
    survey = load.read_survey(run, params.choose_programme(rules, run), CHECKOUT, params.earlier_runs(rules, run))
    return json.loads(records.as_json(records.build(assess(survey))))


def write(root: Path, projects: int) -> None:
    """Write the records, manifests and blank pages of made-up projects."""
    record, chance = real_record(), random.Random(1)
    pages = {f"{chapter}.{language}.html": "ok" for chapter in CHAPTERS for language in languages()}
    manifest = json.dumps({"chapters": pages})
    for number in range(projects):
        name = f"p{number:04d}"
        title = {"zh": "".join(chance.choices(HANZI, k=5)), "en": f"Estate {number}"}
        for period in PERIODS:
            folder = root / "reports" / name / period
            folder.mkdir(parents=True)
            content = json.dumps(made_up(record, name, title, period, chance), ensure_ascii=False, indent=1)
            for file, text in {"record.json": content, "manifest.json": manifest, **dict.fromkeys(pages, " ")}.items():
                (folder / file).write_text(text, "utf-8")
                os.utime(folder / file, ns=(THEN, THEN))


def made_up(
    record: dict[str, Any], name: str, title: dict[str, str], period: str, chance: random.Random
) -> dict[str, Any]:
    """Return a record with figures of its own."""
    satisfied = chance.randint(180, 250)
    rate = {"value": satisfied / 255, "conf_low": satisfied / 255 - 0.023, "conf_high": satisfied / 255 + 0.0217}
    own = {"numerator": float(satisfied), "denominator": 255.0, "se": None, **rate}
    measures = [{**each, **own} if each["id"] == "satisfaction_rate" else each for each in record["measures"]]
    items = [{**each, "share_satisfied": chance.random(), "mean": 100 * chance.random()} for each in record["items"]]
    gates = [{**each, "value": rate["value"], "passed": rate["value"] >= each["threshold"]}
             if each["measure"] == "satisfaction_rate" else each for each in record["gates"]]  # fmt: skip
    return {
        **record, "project": name, "title": title, "period": period, "as_of": f"{int(period) + 1}-01-10",
        "headline": {**record["headline"], **rate}, "measures": measures, "items": items, "gates": gates,
        "counts": {**record["counts"], "satisfied": satisfied},
    }  # fmt: skip


def timed(what: str, call: Callable[[], Any]) -> Any:
    """Return what a call returns, and print its seconds, and those of the processor: others may work beside."""
    started, busy = time.perf_counter(), time.process_time()
    found = call()
    print(
        f"  {what}: {time.perf_counter() - started:.1f} s ({time.process_time() - busy:.1f} s of processor)", flush=True
    )
    return found


def make(root: Path) -> None:
    """Make the pages and print what each part takes."""
    started, busy = time.perf_counter(), time.process_time()
    known = Known(root / "reports")
    rows = timed("rows", known.rows)
    print(f"  records read: {known.read:,}")
    htmls = timed("index and comparison", lambda: portal.pages_of(known, rows, "zh", {}))
    for name, html in htmls.items():
        (root / "reports" / name).write_text(html, "utf-8")
    timed("remembered", known.save)
    print(f"  together: {time.perf_counter() - started:.1f} s ({time.process_time() - busy:.1f} s of processor)")
    written = timed("pages of projects", lambda: project_pages.write(known, by_project(rows), "zh", {}))
    print(f"  of so many projects: {written:,}")
    known.save()


def main(projects: int = 5000, company: str = "") -> None:
    """Print seconds and megabytes: the first time, with nothing changed, and with one record changed."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        write(root, projects)
        reports = root / "reports"
        print(f"{projects:,} projects, {len(PERIODS) * projects:,} runs; the first time:")
        make(root)
        for name in ("index.zh.html", "index.en.html", "compare.zh.html", "compare.en.html", ".portal_rows.json"):
            print(f"  {name}: {(reports / name).stat().st_size / 1e6:.2f} MB")
        sizes = [path.stat().st_size for path in reports.glob("*/index*.html")]
        print(f"  {len(sizes):,} pages of projects: {sum(sizes) / 1e6:.0f} MB, the largest {max(sizes) / 1e3:.0f} kB")
        print("nothing changed:")
        make(root)
        path = reports / "p0000" / PERIODS[1] / "record.json"
        path.write_text(path.read_text("utf-8").replace("Estate 0", "Estate zero"), "utf-8")
        print("one record changed:")
        make(root)
        if company:
            rows = Known(reports).rows()
            timed("the company's pages", lambda: portal._write_company(reports, rows))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:3])
