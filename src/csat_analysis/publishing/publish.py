"""How does a run become a folder of pages? Executes its chapters, renders them, writes its record; all or nothing."""

import contextlib
import csv
import datetime as dt
import functools
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import nbformat
import pandas as pd
import papermill

from csat_analysis.assembly import load, remedy, tables
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.assembly.change import Peers, judge_change
from csat_analysis.ground import lending, params
from csat_analysis.ground.errors import CsatError, DataError, ParameterError, ReportError
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.runs import TABLES, Run
from csat_analysis.ground.words import speak
from csat_analysis.publishing import certificate, chapters, pages, records
from csat_analysis.publishing.limits import Ending, Limits, share, worst

SCHEMA_VERSION = 1  # of the manifest
OF_CHANGE = "30_change"
PARAMETERS = ["language", "period", "project", "root"]


@dataclass(frozen=True)
class Task:
    """What is needed to publish a run; can be sent to another process."""

    root: Path
    run: Run
    document: params.Document[Programme]
    languages: tuple[str, ...]
    key: dict[str, str]
    earlier: params.Earlier = field(default_factory=dict)
    kernel: str = "plain"  # or fork: see forks
    limits: Limits = Limits()


@dataclass
class Outcome:
    """What became of a task: ``ok, failed, timed_out, killed, skipped`` or ``unusable``, and why; so of its pages."""

    state: str
    messages: list[str] = field(default_factory=list)
    seconds: float = 0.0
    chapters: dict[str, str] = field(default_factory=dict)


def reports_folder(root: Path, run: Run) -> Path:
    """Return where a run's pages stand."""
    return root / "reports" / run.project / run.period


def chapter_path(root: Path, document: params.Document[Programme], chapter: str) -> Path:
    """Return a chapter's notebook: the root's own, else the shipped one."""
    if not re.fullmatch(r"[\w-]+", chapter):
        raise ParameterError(
            f"{document.path.name}: chapters: {chapter!r} is not the name of a chapter; use letters, digits, - and _."
        )
    for path in (root / "notebooks" / f"{chapter}.ipynb", params.shipped("notebooks", f"{chapter}.ipynb")):
        if path.is_file():
            return path
    raise ParameterError(
        f"{document.path.name}: chapters: there is no notebooks/{chapter}.ipynb; mend the name, or add the notebook."
    )


def chapters_of(programme: Programme, run: Run) -> list[str]:
    """Return the chapters of a run: those of its programme, without the one on change where there is no baseline."""
    return [chapter for chapter in programme.chapters if chapter != OF_CHANGE or run.baseline]


def read_chapter(path: Path) -> nbformat.NotebookNode:
    """Return a chapter's notebook, of which papermill knows the kernel.

    Raises
    ------
    ReportError
        Where the file is no notebook, or its parameters are not those of every chapter.
    """
    return _read_chapter(path, file_digest(path))


@functools.lru_cache(maxsize=64)
def _read_chapter(path: Path, sha256: str) -> nbformat.NotebookNode:
    """Return a notebook as it is with this checksum: hundreds of runs share a few chapters."""
    place = f"notebooks/{path.name}"
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        known = sorted(papermill.inspect_notebook(chapters.literal(path)))
    except (OSError, ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError):
        raise ReportError(f"{place}: is not a notebook that can be run; save it anew from JupyterLab.") from None
    if known != PARAMETERS:
        raise ReportError(
            f"{place}: its parameters are {known}; the cell tagged parameters must give {PARAMETERS}, and no other."
        )
    return notebook


# --- what a run depends on --------------------------------------------------------------------------------------------


def fingerprint(
    root: Path,
    run: Run,
    document: params.Document[Programme],
    earlier: params.Earlier = MappingProxyType({}),
    peers: Sequence[Run] = (),
) -> dict[str, str]:
    """Return a checksum of everything the pages of a run depend on, by name."""
    key = {
        "programme": document.sha256,
        "run file": _digest(run.model_dump_json(exclude={"closed", "language"})),
        "package": package_digest(),
        "software": _digest(records.as_json(records.software())),
    }
    for chapter in chapters_of(document.content, run):
        cells = read_chapter(chapter_path(root, document, chapter)).cells
        key[f"notebook {chapter}"] = _digest(
            records.as_json([(c.cell_type, c.source, c.metadata.get("tags", [])) for c in cells])
        )
    for before, edition in earlier.values():
        key[f"period {before.period}"] = _digest(
            edition.sha256 + before.model_dump_json(exclude={"closed", "language"})
        )
    for before, _ in earlier.values():
        with contextlib.suppress(CsatError):  # a finding of the report, no reason not to make it
            key |= _data_digests(root, before)
    if peers:
        key["other projects"] = _digest(records.as_json([_peer_digest(root, peer) for peer in peers]))
    return key | _data_digests(root, run)


def _peer_digest(root: Path, peer: Run) -> dict[str, str]:
    """Return the checksums of what another project's survey lends to the prior of a change."""
    own = {"run file": _digest(peer.model_dump_json(exclude={"closed", "language"}))}
    with contextlib.suppress(CsatError):  # a project whose tables cannot be used is left out
        return own | _data_digests(root, peer)
    return own


def _data_digests(root: Path, run: Run) -> dict[str, str]:
    """Return the checksum of each table of a run."""
    paths = [path for table in TABLES if (path := tables.find_input(run, table, root)) is not None]
    return {f"data {tables.show(path, root)}": file_digest(path) for path in paths}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    try:
        state = path.stat()
        return _file_digest(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check that it may be read.") from None


@functools.lru_cache(maxsize=100_000)
def _file_digest(path: Path, changed: int, size: int) -> str:
    """Return the SHA-256 of a file as it is with this time and size: many runs depend on the same files."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@functools.cache
def package_digest() -> str:
    """Return a checksum of the package's own code, words, templates and reference figures."""
    kinds = {".py", ".yml", ".j2", ".css", ".csv"}
    parts = sorted(p for p in params.PACKAGE.rglob("*") if p.suffix in kinds and "_shipped" not in p.parts)
    return _digest("".join(f"{p.relative_to(params.PACKAGE).as_posix()} {file_digest(p)}\n" for p in parts))


# --- publishing -------------------------------------------------------------------------------------------------------


def publish(task: Task) -> Outcome:
    """Bring a run's folder up to date; what fails leaves the last good pages in place.

    Raises
    ------
    ParameterError, DataError
        Where the run's inputs cannot be used: nothing is written.
    """
    started = time.monotonic()
    result = assess(load.read_survey(task.run, task.document, task.root, task.earlier))
    target = reports_folder(task.root, task.run)
    with work_folder(target) as work, lending.lend(_results(task, result) if task.kernel == "fork" else {}):
        endings = write_chapters(task, result, work)
        write_numbers(result, work, load.Peers(task.run, task.root))
        seconds = time.monotonic() - started
        write_manifest(task, work, endings, seconds)
        states = {page: ending.state for page, ending in endings.items()}
        state, failures = worst(states.values()), _failures(endings)
        if failures:
            keep_failed(work, target)
        else:
            exchange(work, target)
    return Outcome(state, [f"{task.run.place}: {text}" for text in failures.values()], seconds, states)


def _failures(endings: Mapping[str, Ending]) -> dict[str, str]:
    """Return the sentences of the pages that are not well.

    >>> _failures({"10_a.en.html": Ending(), "10_a.zh.html": Ending("failed", "KeyError: 1")})
    {'10_a.zh.html': '10_a (zh): KeyError: 1'}
    """
    wrong = {page: ending for page, ending in endings.items() if ending.state != "ok"}
    names = {page: page.removesuffix(".html").rpartition(".") for page in wrong}
    return {page: f"{names[page][0]} ({names[page][2]}): {ending.said()}" for page, ending in wrong.items()}


def _results(task: Task, result: Assessment) -> dict[tuple[Any, ...], Any]:
    """Return what the chapters of a run would all work out again; a fault of the change shows in its own chapter."""
    run = task.run
    known: dict[tuple[Any, ...], Any] = {("assessment", id(result.survey)): result}
    known["survey", run.project, run.period, params.find_root(task.root)] = result.survey
    with contextlib.suppress(Exception):
        known["change", id(result)] = judge_change(result, load.Peers(run, task.root))
    return known


@contextlib.contextmanager
def work_folder(target: Path) -> Iterator[Path]:
    """Give a folder beside the target, gone afterwards; first clear what a killed process left."""
    if target.exists() and not target.is_dir():
        raise ReportError(f"{target}: is a file where the pages of this run belong; move it away.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        recover(target)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.{os.getpid()}.{_token()}.", dir=target.parent))
        work.chmod(0o755)
    except OSError as error:
        raise ReportError(
            f"{target.parent}: cannot be written ({error.strerror}); check space and permissions."
        ) from None
    try:
        yield work
    except OSError as error:
        raise ReportError(
            f"{error.filename or work}: cannot be written ({error.strerror}); check space and permissions."
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def recover(target: Path) -> None:
    """Put back the pages that a process killed in mid-exchange had moved aside, and clear its other folders."""
    for left in sorted(target.parent.glob(f".{target.name}.*")):
        owner, token, *_ = [*left.name.removeprefix(f".{target.name}.").split("."), ""]
        own = owner == str(os.getpid()) and token != _token()  # of a process before us that had our number
        if not owner.isdigit() or (_is_alive(int(owner)) and not own):
            continue
        if left.name.endswith(".old") and not target.exists():
            left.rename(target)
        else:
            shutil.rmtree(left, ignore_errors=True)


@functools.cache
def _token() -> str:
    """Return what tells this process from another one that had or will have its number."""
    return secrets.token_hex(4)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def exchange(work: Path, target: Path) -> None:
    """Put a finished folder in the target's place."""
    aside = target.with_name(f".{target.name}.{os.getpid()}.{_token()}.old")
    if target.exists():
        target.rename(aside)
    work.rename(target)
    shutil.rmtree(aside, ignore_errors=True)


def keep_failed(work: Path, target: Path) -> None:
    """Keep what a failed run made in ``failed/``, inside the last good pages."""
    target.mkdir(exist_ok=True)
    failed = target / "failed"
    shutil.rmtree(failed, ignore_errors=True)
    work.rename(failed)


# --- chapters ---------------------------------------------------------------------------------------------------------


def write_chapters(task: Task, result: Assessment, work: Path) -> dict[str, Ending]:
    """Execute and render every chapter in every language; return how each page ended."""
    end = time.monotonic() + task.limits.seconds
    names = chapters_of(task.document.content, task.run)
    orders = [(name, language) for name in names for language in task.languages]
    paths = {name: chapter_path(task.root, task.document, name) for name in names}  # of all, before any is executed
    made = {}
    for waiting, (name, language) in zip(range(len(orders) - 1, -1, -1), orders, strict=True):
        seconds = share(end - time.monotonic(), waiting)
        made[name, language] = execute(paths[name], task, language, seconds)
    endings = {pages.page_name(*order): chapter.ending for order, chapter in made.items()}
    for (name, language), (notebook, _) in made.items():
        around = page_around(task, result, name, language, depth=3 if _failures(endings) else 2)
        (work / pages.page_name(name, language)).write_text(pages.render(notebook, language, around), "utf-8")
        (work / f"{name}.{language}.ipynb").write_text(nbformat.writes(notebook) + "\n", "utf-8")
    return endings


def page_around(task: Task, result: Assessment, chapter: str, language: str, depth: int) -> dict[str, Any]:
    """Return what stands around a chapter: titles, procedure, date, links."""
    words, run, programme = speak(language), task.run, task.document.content
    return {
        "project": words.title(run.title, run.project), "period": run.period,
        "chapter": words.get(f"chapter.{chapter}", chapter),
        "about": [
            words("page.period", period=run.period), words("page.as_of", date=words.date(run.as_of)),
            words("page.programme", title=words.title(programme.title), version=programme.version),
        ],
        "links": pages.chapter_links(chapters_of(programme, task.run), chapter, language, task.languages, depth),
        "certificate": certificate.sentence(certificate.of_package(), words),
    }  # fmt: skip


def execute(path: Path, task: Task, language: str, seconds: float | None = None) -> chapters.Chapter:
    """Return a chapter of a run, executed in some seconds, and how it ended."""
    limit = task.limits.seconds if seconds is None else seconds
    parameters = {"project": task.run.project, "period": task.run.period, "language": language, "root": ""}
    order = chapters.Order(path, parameters, task.root, task.kernel, task.limits)
    return chapters.execute(order, limit) if limit else chapters.not_begun(order)


# --- numbers and manifest ---------------------------------------------------------------------------------------------


def write_numbers(result: Assessment, work: Path, peers: Peers = ()) -> None:
    """Write ``record.json``, ``rejected.csv`` and ``tables.xlsx``."""
    record = records.build(result, peers)
    (work / "record.json").write_text(records.as_json(record), "utf-8")
    _write_csv(result.survey.rejected, work / "rejected.csv")
    if result.status == "remedy_due":
        _write_csv(remedy.forms_to_complete(result.evidence), work / "remedy.csv")
    write_workbook(record, work / "tables.xlsx")


def _write_csv(rows: pd.DataFrame, path: Path) -> None:
    buffer = io.StringIO()
    rows.to_csv(buffer, index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    path.write_text(buffer.getvalue(), "utf-8")


def write_workbook(record: records.Record, path: Path) -> None:
    """Write the record's tables as sheets of a workbook; texts stay texts, whatever they begin with."""
    content = record.model_dump(mode="json")
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with pd.ExcelWriter(path, engine="xlsxwriter", engine_kwargs={"options": options}) as writer:
        writer.book.set_properties({"created": dt.datetime.fromisoformat(record.as_of)})
        for name in (
            "measures",
            "gates",
            "triggers",
            "items",
            "strata",
            "groups",
            "comparisons",
            "change",
            "steps",
            "clauses",
            "accounts",
            "rejected",
            "inputs",
        ):
            if content[name]:
                pd.DataFrame(content[name]).to_excel(writer, sheet_name=name, index=False)


def write_manifest(task: Task, work: Path, endings: Mapping[str, Ending], seconds: float) -> None:
    """Write what was made, from what, when and where; last of all."""
    failures = _failures(endings)
    files = {path.name: file_digest(path) for path in sorted(work.iterdir())}
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "project": task.run.project,
        "period": task.run.period,
        "state": worst(ending.state for ending in endings.values()),
        "failures": failures,
        "languages": list(task.languages),
        "chapters": {name: endings[name].state for name in files if name.endswith(".html")},
        "key": task.key,
        "files": files,
        "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "host": socket.gethostname(),
        "software": records.software(),
    }
    (work / "manifest.json").write_text(records.as_json(manifest), "utf-8")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return a folder's manifest, None where there is none that can be read."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return (
        manifest
        if isinstance(manifest, dict) and manifest.keys() >= {"key", "files", "languages", "failures"}
        else None
    )


def is_whole(folder: Path, manifest: dict[str, Any], wanted: Sequence[str]) -> bool:
    """Return whether a folder holds what its manifest says, in the wanted languages."""
    if not set(wanted) <= set(manifest["languages"]):
        return False
    try:
        return all(
            (folder / name).is_file() and file_digest(folder / name) == sha for name, sha in manifest["files"].items()
        )
    except DataError:
        return False
