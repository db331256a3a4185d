"""A root that is published in a second, and what the tests of the upper floors ask of it."""

import ast
import base64
import contextlib
import functools
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import traceback
import unittest.mock
import warnings
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from fontTools.ttLib import TTFont
from ipykernel.ipkernel import IPythonKernel
from IPython.core.formatters import DisplayFormatter
from nbformat.v4 import new_output
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines

from conftest import once_each
from csat_analysis import cli
from csat_analysis.assembly import assessment, load
from csat_analysis.execution import kernels

CHECKOUT = Path(__file__).resolve().parents[1]
PROGRAMME = """\
id: demo
version: 1
effective_from: 2020-01-01
title: {zh: 示例规程, en: Demonstration}
scale: {satisfied: 100, fair: 60, dissatisfied: 0}
satisfied: {levels: [satisfied]}
satisfied_form: {reading: item, item: delivery}
items:
  - {id: delivery, title: {zh: 交货, en: Delivery}, weight: 0.6}
  - {id: service, title: {zh: 服务, en: Service}, weight: 0.4}
gates:
  - {measure: return_rate, comparison: at_least, threshold: 0.70, clause: "5.2", otherwise: remind}
triggers: [{id: remind, title: {zh: 催收, en: Remind}, clause: "5.3"}]
index: {weighted_score: 1}
grades: [{id: good, lower: 85}, {id: fair, lower: 70}, {id: poor, lower: 0}]
chapters: CHAPTERS
worked_example:
  responses: |
    form_id | delivery  | service
    r1      | satisfied | fair
    r2      | fair      |
    r3      | great     | fair
  counts: {distributed: 4}
  expect: {return_rate: 0.75, weighted_score: 68.0, index: 68.0, grade: poor, rejected: 1}
"""
RUN_FILE = """\
project: demo
title: {zh: 示例, en: Demo}
programme: demo
language: en
periods:
  "2024": {as_of: 2025-01-10, counts: {distributed: 4}}
"""
RESPONSES = """\
form_id,delivery,service
r1,satisfied,fair
r2,fair,
r3,satisfied,satisfied
"""
PARAMETERS = 'project: str = "demo"\nperiod: str = "2024"\nlanguage: str = "zh"\nroot: str = ""\n'


def chapter(*sources: str, parameters: str = PARAMETERS) -> str:
    """Return a notebook of our own as text, whose cells need no library and so run in no time."""
    cells = [
        nbformat.v4.new_markdown_cell("# A chapter", id="title"),
        nbformat.v4.new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]}),
        *(nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}))


COUNTED = chapter('with open("executed", "a") as log: print(language, file=log)', "project, period")


def programme(*chapters: str, text: str = PROGRAMME) -> str:
    """Return the demonstration procedure with these chapters: without any, a run is its numbers."""
    return text.replace("CHAPTERS", json.dumps(chapters))


def write(root: Path, files: Mapping[str, str | bytes | None]) -> Path:
    """Write files by their paths below a folder, take away those that are None, and return the folder."""
    for name, content in files.items():
        path = root / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def make_root(
    folder: Path, files: Mapping[str, str | bytes | None] | None = None, chapters: tuple[str, ...] = ()
) -> Path:
    """Return a new root with one project of one period, and further files."""
    base = {
        "params/programmes/demo.yml": programme(*chapters),
        "params/runs/demo.yml": RUN_FILE,
        "data/demo/2024/responses.csv": RESPONSES,
        **{f"notebooks/{name}.ipynb": COUNTED for name in chapters},
    }
    return write(folder, {name: text for name, text in {**base, **(files or {})}.items() if text is not None})


def run_file(project: str, *periods: str, **keys: str) -> str:
    """Return a run file of the demonstration with some periods."""
    text = RUN_FILE.replace("project: demo", f"project: {project}")
    if periods:
        text = text[: text.index("periods:")] + "periods:\n"
        text += "".join(f'  "{period}": {{as_of: 2030-01-10}}\n' for period in periods)
    return text + "".join(f"{key}: {value}\n" for key, value in keys.items())


# --- the command ------------------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """How the command ended, and what it said."""

    status: int
    out: str
    err: str


def csat(*arguments: str | Path) -> Answer:
    """Return what the command answers; called in this process, through its front door."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["csat", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
        status = 0
    except SystemExit as end:
        status = end.code or 0
    finally:
        sys.argv = before
    assert "Traceback" not in out.getvalue() + err.getvalue()
    return Answer(status, out.getvalue(), err.getvalue())


def run(root: Path, *arguments: str | Path) -> Answer:
    """Return what ``csat run`` answers, one run at a time; the cells of its chapters are executed in this process."""
    with without_kernels():
        return run_in_kernels(root, *arguments)


def run_in_kernels(root: Path, *arguments: str | Path) -> Answer:
    """Return what ``csat run`` answers, one run at a time, each chapter in a kernel of its own."""
    return csat("run", "--root", root, "--jobs", "1", "--kernel", "plain", *arguments)


def states(root: Path, *arguments: str) -> dict[tuple[str, str], str]:
    """Return the state of every run, with why."""
    lines = csat("list", "--root", root, "--why", *arguments).out.splitlines()
    return {(project, period): ": ".join(rest) for project, period, *rest in (line.split("\t") for line in lines)}


def state(root: Path, *arguments: str) -> str:
    """Return the state of the demonstration's run, with why."""
    return states(root, *arguments)["demo", "2024"]


def process(*arguments: str | Path, **options) -> subprocess.Popen[str]:
    """Return the command as a process of its own, in a session of its own."""
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-m", "csat_analysis", *map(str, arguments)], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **options,
    )  # fmt: skip


# --- chapters without kernels -----------------------------------------------------------------------------------------


class InThisProcess(Engine):
    """Executes the cells of a chapter here: no kernel has to be started, and to import everything again.

    That a kernel gives the same bytes is a claim of test_packaging.py and test_publish.py. A warning, which there stands
    on the page, here fails the chapter.
    """

    @classmethod
    def execute_managed_notebook(cls, manager: NotebookExecutionManager, kernel_name: str, **options: Any) -> None:
        """Execute the cells in their order up to the first that fails."""
        names: dict[str, Any] = {"__name__": "__main__"}
        manager.nb.metadata.language_info = IPythonKernel.language_info
        for number, cell in enumerate((each for each in manager.nb.cells if each.cell_type == "code"), start=1):
            cell.execution_count = number
            cell.outputs = outputs(cell.source, names, number)
            if any(output.output_type == "error" for output in cell.outputs):
                return manager.cell_exception(cell)


def outputs(source: str, names: dict[str, Any], number: int) -> list[nbformat.NotebookNode]:
    """Return what a cell shows, given the names of those before it; it adds its own."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            value = evaluate(source, names)
    except Exception as error:
        trace = traceback.format_exc().splitlines()
        return [new_output("error", ename=type(error).__name__, evalue=str(error), traceback=trace)]
    shown = [new_output("stream", name="stdout", text=said.getvalue())] if said.getvalue() else []
    if value is not None:
        data, metadata = DisplayFormatter().format(value)
        shown.append(new_output("execute_result", data=data, metadata=metadata, execution_count=number))
    return shown


def evaluate(source: str, names: dict[str, Any]) -> Any:
    """Return the value of the last line of a cell, nothing where that is none."""
    statements = ast.parse(source)
    last = statements.body.pop() if statements.body and isinstance(statements.body[-1], ast.Expr) else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for hidden in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", hidden)
        exec(compile(statements, "<cell>", "exec"), names)  # noqa: S102 - as a kernel does
        return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names) if last else None  # noqa: S307


@contextlib.contextmanager
def without_kernels() -> Iterator[None]:
    """Let papermill execute chapters in this process; those of one run read and judge its survey once, as forks do."""
    usual = papermill_engines.get_engine(kernels.ENGINE)
    papermill_engines.register(kernels.ENGINE, InThisProcess)
    try:
        with (
            unittest.mock.patch.object(load, "survey", functools.cache(load.survey)),
            unittest.mock.patch.object(assessment, "assess", once_each(assessment.assess)),
        ):
            yield
    finally:
        papermill_engines.register(kernels.ENGINE, usual)


# --- what it leaves ---------------------------------------------------------------------------------------------------


def snapshot(folder: Path) -> dict[str, str]:
    """Return a checksum of every file below a folder, and every folder, by path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


def record(root: Path, run: str = "demo/2024") -> dict:
    """Return the record of a run."""
    return json.loads((root / "reports" / run / "record.json").read_text("utf-8"))


def manifest(root: Path, run: str = "demo/2024") -> dict:
    """Return the manifest of a run."""
    return json.loads((root / "reports" / run / "manifest.json").read_text("utf-8"))


class Page(HTMLParser):
    """A page as a browser takes it apart: its tags, and its text."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """Return all text without spaces: labels of figures are broken into lines."""
        return re.sub(r"\s", "", "".join(self.texts))

    def links(self) -> Iterator[str]:
        """Yield everything a browser might follow or fetch."""
        for _, attributes in self.tags:
            for name, value in attributes.items():
                if name in ("href", "src", "xlink:href", "data", "action", "srcset", "poster"):
                    yield value or ""


def pages(root: Path) -> dict[str, Page]:
    """Return every page below ``reports/``, by path."""
    folder = root / "reports"
    return {
        path.relative_to(folder).as_posix(): Page(path.read_text("utf-8")) for path in sorted(folder.rglob("*.html"))
    }


# --- what a browser makes of a page ------------------------------------------------------------------------------------

LANGUAGES = {"zh": "zh-Hans", "en": "en"}
LARGEST = 300_000  # bytes
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></head><h1>",
    "&lt;b&gt; &amp;",
    "{{ 7 * 7 }} {% raw %}",
    "<!-- a",
    "园雅 & 云庭 😀",
    "/*font*/",
]


def reaching_out(html):
    """Return everything by which a page would run something, or fetch or link to something outside its folder."""
    page = Page(html)
    found = [tag for tag, _ in page.tags if tag in ("iframe", "object", "embed", "link", "base", "form")]
    found += foreign_scripts(html)
    found += [link for link in page.links() if re.match(r"\s*([a-z][a-z0-9+.-]*:|//|/|\\)", link, re.IGNORECASE)]
    for tag, attributes in page.tags:
        found += [name for name in attributes if name.startswith("on")]
        found += ["refresh"] if tag == "meta" and (attributes.get("http-equiv") or "").lower() == "refresh" else []
    styles = [value or "" for _, attributes in page.tags for value in attributes.values()]
    styles += re.findall(r"<style.*?</style>", html, flags=re.DOTALL)
    for style in styles:
        found += re.findall(r"@import|url\(\s*[\"']?(?!#|data:)[^)]*", style, flags=re.IGNORECASE)
    return found


def foreign_scripts(html):
    """Return the scripts of a page that are neither data nor the one that its policy names by its checksum."""
    scripts = re.findall(r"<script([^>]*)>(.*?)</script", html, flags=re.DOTALL | re.IGNORECASE)
    found = [code for attributes, code in scripts if attributes != "" and 'type="application/json"' not in attributes]
    codes = [code for attributes, code in scripts if attributes == ""]
    digests = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in codes]
    policy = "".join(re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html))
    return found + [digest for digest in digests if f"script-src 'sha256-{digest}'" not in policy] + digests[1:]


def ids(html):
    """Return the ids of a page."""
    return [attributes["id"] for _, attributes in Page(html).tags if "id" in attributes]


def references(html):
    """Return the ids to which parts of a page refer."""
    values = [value or "" for _, attributes in Page(html).tags for value in attributes.values()]
    found = [value[1:] for value in values if value.startswith("#") and not re.fullmatch(r"#[0-9a-f]{3,8}", value)]
    return {*found, *(name for value in values for name in re.findall(r"url\(#([^)]*)\)", value))}


def fonts(html):
    """Return the characters each font of a page can draw, by its name."""
    faces = re.findall(r'@font-face\{font-family:"([^"]+)";src:url\(data:font/woff;base64,([^)]+)\)', html)
    return {name: set(map(chr, TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap())) for name, data in faces}


def characters(html):
    """Return every character that a page shows, with those its style sheet writes before captions."""
    [style] = re.findall(r"<head>.*?<style>(.*?)</style>", html, flags=re.DOTALL)
    written = "".join(re.findall(r'content: "([^"]*)"', style))
    return {*Page(re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)).text, *written} - {" ", "\\"}
