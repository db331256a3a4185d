"""How long do all item shares of many projects take, with design-based intervals? And one after the other, with svy?

``python benchmarks/design.py [RESPONSES]`` (1,000,000 without). One process. Each project has 4 strata of 10 clusters,
weights, and 3 % missing answers; strata and clusters are whole numbers. svy is asked for 100 of the projects, in one
call a project for all items and in one call for each item, and its seconds are scaled to all of them.
"""

import resource
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from csat_analysis.statistics.design import design_of
from csat_analysis.statistics.estimates import Estimates, estimate_means
from csat_analysis.statistics.inference import wilson_intervals

ITEMS, PROJECTS, STRATA, CLUSTERS = 20, 5000, 4, 10
FOR_SVY = 100  # projects


class Answers(NamedTuple):
    """Answers of all projects: one row a response."""

    project: np.ndarray
    stratum: np.ndarray  # of all projects, each has its own
    cluster: np.ndarray
    weights: np.ndarray
    satisfied: np.ndarray  # responses × items


def make(responses: int, seed: int = 1) -> Answers:
    """Return made-up answers of people who feel alike in a cluster."""
    rng = np.random.default_rng(seed)
    project = rng.integers(0, PROJECTS, responses)
    stratum = project * STRATA + rng.integers(0, STRATA, responses)
    cluster = rng.integers(0, CLUSTERS, responses)
    feeling = rng.normal(1, 0.25, PROJECTS * STRATA * CLUSTERS)[stratum * CLUSTERS + cluster]
    satisfied = np.empty((responses, ITEMS))
    for item in range(ITEMS):
        satisfied[:, item] = rng.normal(size=responses) + feeling > 0
        satisfied[rng.random(responses) < 0.03, item] = np.nan
    return Answers(project, stratum, cluster, rng.uniform(0.5, 2, responses), satisfied)


def shares(answers: Answers) -> tuple[Estimates, np.ndarray, np.ndarray]:
    """Return the shares of all items in all projects and the bounds of their intervals."""
    design = design_of(answers.weights, strata=answers.stratum, clusters=answers.cluster)
    found = estimate_means(design, answers.satisfied, answers.project, PROJECTS)
    return found, *wilson_intervals(found.value, found.n_effective, found.df)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of some work: by the clock on the wall, and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def memory() -> float:
    """Return the most memory that this process has held, in GB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e9 if sys.platform == "darwin" else 1e6)


def with_svy(answers: Answers, projects: int, together: bool) -> None:
    """Estimate the shares of some projects with svy: the items of a project together, or one by one."""
    import polars as pl
    import svy

    items = [f"item{n}" for n in range(ITEMS)]
    order = np.argsort(answers.project, kind="stable")
    ends = np.searchsorted(answers.project[order], np.arange(projects + 1))
    for begin, end in zip(ends[:-1], ends[1:], strict=True):
        rows = order[begin:end]
        columns = {"stratum": answers.stratum[rows], "cluster": answers.cluster[rows], "weight": answers.weights[rows]}
        columns |= dict(zip(items, answers.satisfied[rows].T, strict=True))
        table = pl.DataFrame(columns).with_columns(pl.col(items).fill_nan(None))
        sample = svy.Sample(table, svy.Design(stratum="stratum", psu="cluster", wgt="weight"))
        for item in [items] if together else items:
            sample.estimation.prop(item, ci_method="wilson", drop_nulls=True)


def compare(answers: Answers, ours: tuple[float, float]) -> None:
    """Print how much longer svy takes."""
    try:
        with_svy(answers, 2, together=False)  # its first call is slow
    except ImportError:
        print("svy is not installed, so it is not compared; pip install 'svy==0.35.*' installs it.")
        return
    for how, together in (("one call a project", True), ("one call an item", False)):
        some = timed(lambda together=together: with_svy(answers, FOR_SVY, together))
        wall, processor = (seconds * PROJECTS / FOR_SVY for seconds in some)
        print(
            f"svy, {how}: {wall:.0f} s, {processor:.0f} s of processor, scaled from {FOR_SVY} projects to all: ", end=""
        )
        print(f"{wall / ours[0]:.0f} times as long, {processor / ours[1]:.0f} times of processor", flush=True)


def main(responses: int) -> None:
    """Print seconds and memory for a quarter, a half and all of the responses, then what svy takes."""
    shares(make(1000))  # what is imported is imported
    for part in (4, 2, 1):
        answers = make(responses // part)
        seconds = timed(lambda answers=answers: shares(answers))
        print(f"{responses // part} responses x {ITEMS} items, {PROJECTS} projects: {seconds[0]:.2f} s, ", end="")
        print(f"{seconds[1]:.2f} s of processor; at most {memory():.2f} GB", flush=True)
    compare(answers, seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
