"""How long do all valid ways to compare two surveys take, from the tables to the exhibit? The page must stand in 60 s.

``python benchmarks/multiverse.py [FORMS]`` (4,000 a survey without). One process. Two made-up surveys of a procedure
with five questions, in 40 strata of which one has a single block, with clusters and weights; all questions and the rate
of satisfied forms are primary, so that there are more than 64 ways.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from csat_analysis import load
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.change import judge_change
from csat_analysis.ground.params import shipped
from csat_analysis.publishing.change_ways import paths_table

LEVELS = np.array(["很满意", "满意", "一般", "不满意", "很不满意"])
ITEMS = ["safety", "environment", "repairs", "other", "overall"]
SHARES = {"2023": (0.45, 0.35, 0.12, 0.05, 0.03), "2024": (0.47, 0.36, 0.10, 0.04, 0.03)}


def write(root: Path, forms: int) -> None:
    """Write a project with a survey and its baseline."""
    programme = yaml.safe_load(shipped("params", "programmes", "property.yml").read_text("utf-8"))
    programme["id"], primary = "ways", ["satisfaction_rate", *(f"{item}.mean" for item in ITEMS)]
    programme["change"] = {"primary": [*primary, *(f"{item}.satisfied" for item in ITEMS)]}
    run = {
        "project": "estate", "title": {"zh": "小区", "en": "Estate"}, "programme": "ways",
        "change": {"selected": False, "same_clusters": True},
        "design": {"stratum": "area", "cluster": "block", "weight": "weight"},
        "periods": {
            "2023": {"as_of": "2024-01-10", "counts": {"distributed": 2 * forms}},
            "2024": {"as_of": "2025-01-10", "baseline": "2023", "counts": {"distributed": 2 * forms}},
        },
    }  # fmt: skip
    for name, content in (("programmes/ways", programme), ("runs/estate", run)):
        path = root / "params" / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    for period, shares in SHARES.items():
        path = root / "data" / "estate" / period / "responses.csv"
        path.parent.mkdir(parents=True)
        answers(forms, shares, np.random.default_rng(int(period))).to_csv(path, index=False)


def answers(forms: int, shares: tuple[float, ...], rng: np.random.Generator) -> pd.DataFrame:
    """Return made-up forms: ten blocks in an area, but for the first, which has one."""
    area = rng.integers(0, 40, forms)
    block = area * 10 + np.where(area == 0, 0, rng.integers(0, 10, forms))
    table = pd.DataFrame({item: LEVELS[rng.choice(5, forms, p=shares)] for item in ITEMS})
    return table.assign(form_id=np.arange(forms), area=area, block=block, weight=rng.gamma(4, 0.25, forms).round(4))


def main(forms: int = 4000) -> None:
    """Print how many ways there are, and how long they and their exhibit take."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), forms)
        result = assess(load.survey("estate", "2024", Path(folder)))
    started = time.perf_counter(), time.process_time()
    found = judge_change(result)
    html = paths_table(found, "zh").html
    wall, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
    ways = len(found.paths)
    print(f"{forms:,} forms a survey, {ways} ways of {found.paths['figure'].nunique()} figures, {len(html):,} letters")
    print(f"{wall:.1f} s ({cpu:.1f} of the processor) with what a verdict needs; {64 * wall / ways:.1f} s for 64 ways")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
