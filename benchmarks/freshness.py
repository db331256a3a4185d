"""How long does it take to see that nothing changed? 2,000 runs shall be checked in under a second.

``python benchmarks/freshness.py [PROJECTS]`` (500 without, of four periods each). Made-up projects whose pages are
blank files; each figure is of a command as a process of its own.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import yaml

from csat_analysis.execution import freshness
from csat_analysis.execution.limits import Ending
from csat_analysis.ground import params
from csat_analysis.ground.params import shipped
from csat_analysis.publishing import publish

THEN = time.time_ns() - 60 * 10**9
PERIODS = ("2021", "2022", "2023", "2024")
RESPONSES = "form_id,safety,environment,repairs,other,overall\n" + "".join(
    f"{n},满意,满意,一般,满意,满意\n" for n in range(40)
)


def write(root: Path, projects: int) -> None:
    """Write projects of four periods, each with the one before as its baseline."""
    programme = root / "params" / "programmes" / "property.yml"
    programme.parent.mkdir(parents=True)
    programme.write_bytes(shipped("params", "programmes", "property.yml").read_bytes())
    (root / "params" / "runs").mkdir()
    for number in range(projects):
        name = f"p{number:04d}"
        periods = {
            period: {"as_of": f"{int(period) + 1}-01-10", "counts": {"frame": 80, "distributed": 60}}
            | ({"baseline": str(int(period) - 1)} if period != PERIODS[0] else {})
            for period in PERIODS
        }
        content = {"project": name, "title": {"zh": name, "en": name}, "programme": "property", "periods": periods}
        (root / "params" / "runs" / f"{name}.yml").write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
        for period in PERIODS:
            path = root / "data" / name / period / "responses.csv"
            path.parent.mkdir(parents=True)
            path.write_text(RESPONSES, "utf-8")


def pretend(root: Path) -> None:
    """Write pages and manifests as if every run had been published."""
    rules = params.read_rules(root)
    for state in freshness.states_of(freshness.Sources(rules), rules.runs):
        folder = freshness.reports_folder(root, state.run)
        folder.mkdir(parents=True)
        chapters = freshness.chapters_of(state.task.document.content, state.run)
        for name in (
            "record.json",
            "tables.xlsx",
            *(f"{each}.zh.{kind}" for each in chapters for kind in ("html", "ipynb")),
        ):
            (folder / name).write_bytes(b" " * 40_000)
        settle(folder)
        own = {name: digest for name, digest in state.task.key.items() if name != freshness.PEERS}
        endings = {path.name: Ending() for path in folder.glob("*.html")}
        publish.write_manifest(replace(state.task, key=own), folder, endings, 1.0)


def settle(root: Path) -> None:
    """Let every file be a minute old: what has just changed is not remembered."""
    for folder, _, names in os.walk(root):
        for name in names:
            os.utime(Path(folder, name), ns=(THEN, THEN))


def timed(*arguments: str) -> tuple[float, str]:
    """Return the seconds that a command takes, and what it says."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "csat_analysis", *arguments], capture_output=True, text=True, check=True
    )
    return time.perf_counter() - started, done.stdout


def main(projects: int = 500) -> None:
    """Print how long the first look takes, and those after it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "root"
        write(root, projects)
        pretend(root)
        settle(root)
        (root / "reports" / ".digests.json").unlink(missing_ok=True)
        looks = [timed("list", "--root", str(root)) for _ in range(4)]
        assert all(said.count("\tfresh\n") == len(PERIODS) * projects for _, said in looks)
        (root / "data" / "p0000" / "2024" / "responses.csv").write_text(RESPONSES.replace("一般", "满意"), "utf-8")
        changed, said = timed("list", "--root", str(root))
        assert said.count("\tstale\n") == 1
        print(f"{len(PERIODS) * projects:,} runs, none stale: first look {looks[0][0]:.2f} s; ", end="")
        print(f"then {', '.join(f'{seconds:.2f}' for seconds, _ in looks[1:])} s")
        print(f"one file changed: {changed:.2f} s; the command by itself: {timed('--help')[0]:.2f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
