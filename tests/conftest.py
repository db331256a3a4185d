"""A small procedure, and surveys small enough to be checked by eye; each test writes down only what it is about."""

import functools
import gc
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pytest
import yaml
from xdist.scheduler import LoadFileScheduling

from csat_analysis.assembly import load
from csat_analysis.assembly.tables import Sheet
from csat_analysis.ground import params, runs
from csat_analysis.ground.params import Document
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.runs import Run, RunFile

S, T = TypeVar("S"), TypeVar("T")
PLAIN = (str, int, float, tuple, list, dict, set, type(None), Programme)  # equal where they are written alike
TOGETHER = {"word": "documents", "slides": "documents", "notice": "documents", "recorded": "documents"}
FIRST = (  # those that wait beside those that compute
    "limits", "bad_pages", "browser", "documents", "word", "slides", "notice", "recorded", "engines", "exhibits", "interruption", "company_change", "end_to_end", "change", "packaging",
    "runner", "change_tables", "forks", "cli", "constructs", "publish",
)  # fmt: skip


gc.disable()  # while files are imported, nothing of which goes away


def pytest_collection_finish() -> None:
    """Leave what was imported out of all searches for what can be thrown away, and search less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than there are processors: some tests wait for what they have started."""
    return (os.cpu_count() or 1) + 1


class Files(LoadFileScheduling):
    """Gives each process whole files, and some files together: they ask for the same surveys, which are read once."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        stem = Path(file).stem.removeprefix("test_")
        return f"tests/test_{TOGETHER[stem]}.py" if stem in TOGETHER else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Files:
    """Return how tests are handed out."""
    return Files(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first, so that no process is left with one of them at the end."""
    places = {f"test_{name}": place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(FIRST)))


DEMO = """\
id: demo
version: 1
effective_from: 2024-01-01
title: {zh: 示例规程, en: Demonstration}
scale: {satisfied: 100, fair: 60, dissatisfied: 0}
items:
  - {id: delivery, title: {zh: 交货, en: Delivery}, weight: 0.6}
  - {id: service, title: {zh: 服务, en: Service}, weight: 0.4}
gates:
  - {measure: return_rate, comparison: at_least, threshold: 0.70, clause: "5.2", otherwise: flag}
index: {weighted_score: 1, complaint_rate: -100}     # points minus complaints per 100 deliveries
grades: [{id: good, lower: 85}, {id: fair, lower: 70}, {id: poor, lower: 0}]
worked_example:                       # run as a test, printed in the report as "how this index is computed"
  responses: |
    form_id | delivery  | service
    r1      | satisfied | fair
    r2      | fair      |
    r3      | great     | fair
  counts: {distributed: 4, complaints: 1, deliveries: 100}
  expect: {return_rate: 0.75, weighted_score: 68.0, index: 67.0, grade: poor, rejected: 1}
"""
DEMO_KEYS = yaml.load(DEMO, yaml.CSafeLoader)
DEMO_RUN = """\
project: demo
title: Demo
programme: demo
periods:
  "2024": {as_of: 2025-01-10}
"""


def demo(**keys) -> Programme:
    """Return the demonstration procedure with some of its keys replaced; None takes a key away."""
    data = {**DEMO_KEYS, **keys}
    return Programme.model_validate({key: value for key, value in data.items() if value is not None})


def run_of(plan: Mapping | None = None, period: str = "2024", **keys) -> Run:
    """Return a run of the demonstration; ``plan`` holds keys of the period."""
    data = {"project": "demo", "title": "Demo", "programme": "demo", **keys}
    data["periods"] = {period: {"as_of": "2025-01-10", **(plan or {})}}
    return runs.expand(RunFile.model_validate(data))[0]


def sheet(text: str, file: str = "responses.csv") -> Sheet:
    """Return a text table as it would come from a file: columns separated by |, the first line in line 1."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return Sheet(file, "", pd.DataFrame(lines[1:], columns=lines[0], index=range(2, len(lines) + 1), dtype=str))


def survey_of(
    responses: str, programme: Programme | None = None, tables: Mapping[str, str] | None = None, **keys
) -> load.Survey:
    """Return the survey that text tables make under a programme (the demonstration), with keys of ``run_of``."""
    named = {"responses": responses, **(tables or {})}
    sheets = {table: sheet(text, f"{table}.csv") for table, text in named.items()}
    return load.assemble(programme or demo(), run_of(**keys), sheets)


def remembered(make: Callable[..., T]) -> Callable[..., T]:
    """Return how to make something once for the same texts, numbers and rules: nobody changes what was made.

    A test that something comes out again as it was asks ``__wrapped__``.
    """
    known: dict[str, T] = {}

    @functools.wraps(make)
    def once(*arguments: Any, **keys: Any) -> T:
        given = [*arguments, *keys.values()]
        assert all(isinstance(each, PLAIN) for each in given), f"{make.__name__}: what this is no text says: {given}"
        what = repr((arguments, sorted(keys.items())))
        if what not in known:
            known[what] = make(*arguments, **keys)
        return known[what]

    return once


# --- what is the same in every root is found once -----------------------------------------------------------------------

SHIPPED = params.shipped("params", "programmes")


def once(read: Callable[..., Document[Programme]]) -> Callable[..., Document[Programme]]:
    """Return how to read a programme file, a shipped one once: a test that changes one takes a copy."""
    shipped = functools.cache(read)
    return lambda path, root=None: shipped(path) if path.parent == SHIPPED else read(path, root)


def once_each(judge: Callable[[S], T]) -> Callable[[S], T]:
    """Return how to judge a programme or a survey; one that was judged before is not judged again."""
    judged: dict[int, tuple[S, T]] = {}  # with what was judged, so that nothing else gets its number

    def judge_once(what: S) -> T:
        if id(what) not in judged:
            judged[id(what)] = (what, judge(what))
        return judged[id(what)][1]

    return judge_once


@pytest.fixture(scope="session", autouse=True)
def found_once() -> Iterator[None]:
    """Read the shipped procedures, and compute their worked examples, once in a session, not at every command."""
    from csat_analysis import checks  # here: who wants the small procedure alone need not import them

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(params, "read_programme", once(params.read_programme))
        patch.setattr(checks, "deviations", once_each(checks.deviations))
        yield


@pytest.fixture
def demo_programme() -> Programme:
    """Return the demonstration procedure of the design."""
    return demo()


@pytest.fixture
def make_root(tmp_path: Path) -> Callable[..., Path]:
    """Return how to make a project's folder: the demonstration, and files by their paths (None leaves one out)."""

    def make(files: Mapping[str, str | bytes | None] | None = None, **tables: str | bytes) -> Path:
        everything = {"params/programmes/demo.yml": DEMO, "params/runs/demo.yml": DEMO_RUN, **(files or {})}
        everything |= {f"data/demo/2024/{table}.csv": content for table, content in tables.items()}
        for name, content in everything.items():
            if content is not None:
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return make


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a root whose one run is published, its numbers alone; nobody changes it."""
    import publishing  # here: who wants the small procedure alone need not import what makes pages

    root = publishing.make_root(tmp_path_factory.mktemp("published"))
    assert publishing.run(root).status == 0
    return root
