"""How does a run become a folder of pages? Executes its chapters, renders them, writes its record; all or nothing."""

import contextlib
import csv
import datetime as dt
import functools
import io
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import papermill

from csat_analysis.assembly import load, remedy
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.assembly.change import Peers, judge_change
from csat_analysis.assembly.importance import importance_of
from csat_analysis.execution import chapters, locks, printing
from csat_analysis.execution.digests import stamp_of
from csat_analysis.execution.freshness import (
    PEERS,
    Task,
    changes,
    chapter_path,
    chapters_of,
    file_digest,
    is_whole,
    not_a_notebook,
    read_manifest,
    reports_folder,
)
from csat_analysis.execution.guards import Overdue, in_time
from csat_analysis.execution.limits import Ending, share, worst
from csat_analysis.ground import lending, params
from csat_analysis.ground.errors import ParameterError, ReportError
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.software import software
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing import cards, certificate, pages, records, workbook

SCHEMA_VERSION = 1  # of the manifest
BEGUN, ASIDE = ".work", ".old"  # how folders end that lie beside a run's pages while these are being made
LEAST = 60.0  # seconds for reading and writing, however short the limit of chapters is
PARAMETERS = ["language", "period", "project", "root"]


@dataclass
class Outcome:
    """What became of a task: ``ok, failed, timed_out, killed, skipped`` or ``unusable``, and why; so of its pages."""

    state: str
    messages: list[str] = field(default_factory=list)
    seconds: float = 0.0
    chapters: dict[str, str] = field(default_factory=dict)


def read_chapter(path: Path) -> nbformat.NotebookNode:
    """Return a chapter's notebook, of which papermill knows the kernel.

    Raises
    ------
    ParameterError
        Where the file is no notebook, or its parameters are not those of every chapter.
    """
    return _read_chapter(path, file_digest(path))


@functools.lru_cache(maxsize=64)
def _read_chapter(path: Path, sha256: str) -> nbformat.NotebookNode:
    """Return a notebook as it is with this checksum: hundreds of runs share a few chapters."""
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        known = sorted(papermill.inspect_notebook(chapters.literal(path)))
    except (OSError, ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError):
        raise ParameterError(not_a_notebook(path)) from None
    if known != PARAMETERS:
        raise ParameterError(
            f"notebooks/{path.name}: its parameters are {known}; the cell tagged parameters must give {PARAMETERS}, "
            f"and no other."
        )
    return notebook


# --- publishing -------------------------------------------------------------------------------------------------------


def publish(task: Task) -> Outcome:
    """Bring a run's folder up to date; what fails leaves the last good pages in place.

    Raises
    ------
    ParameterError, DataError
        Where the run's inputs cannot be used: nothing is written.
    """
    started = time.monotonic()
    for chapter in chapters_of(task.document.content, task.run):
        read_chapter(chapter_path(task.root, task.document.path.name, chapter))
    with _in_time(task, "to read and judge its tables"):
        result = assess(load.read_survey(task.run, task.document, task.root, task.earlier))
    target = reports_folder(task.root, task.run)
    peers = _Peers(load.Peers(task.run, task.root))
    with work_folder(target) as work, contextlib.ExitStack() as lent:
        if was_made_meanwhile(task):
            return Outcome("skipped", [f"{task.run.place}: another process has made its pages meanwhile."])
        with _in_time(task, "to judge its change"):
            lent.enter_context(lending.lend(_results(task, result, peers) if task.kernel == "fork" else {}))
        made = execute_chapters(task)
        with _in_time(task, "to write its pages and numbers"):
            endings = write_pages(task, result, made, work)
            if task.pdf and not _failures(endings):
                printing.print_pages(work)
            _write_numbers(result, work, peers, _failures(endings))
        seconds = time.monotonic() - started
        asked = {name: digest for name, digest in task.key.items() if name != PEERS or peers.were_asked}
        write_manifest(replace(task, key=asked), work, endings, seconds)
        states = {page: ending.state for page, ending in endings.items()}
        state, failures = worst(states.values()), _failures(endings)
        if failures:
            keep_failed(work, target)
        else:
            exchange(work, target)
    return Outcome(state, [f"{task.run.place}: {text}" for text in failures.values()], seconds, states)


def _write_numbers(result: Assessment, work: Path, peers: Peers, failures: Mapping[str, str]) -> None:
    """Write the numbers; the page of a failed chapter is kept even if the same fault keeps them from being written."""
    try:
        write_numbers(result, work, peers)
    except Overdue:
        raise
    except Exception:
        if not failures:
            raise


def _in_time(task: Task, what: str) -> contextlib.AbstractContextManager[None]:
    """Let something take as long as all chapters of a run may, and not less than a slow disk needs."""
    seconds = max(task.limits.seconds, LEAST)
    return in_time(seconds, f"{task.run.place}: {what} takes longer than {seconds:,.0f} s, see --timeout.")


def was_made_meanwhile(task: Task) -> bool:
    """Return whether the pages of a task are there since it was found to be stale: another process has made them."""
    target = reports_folder(task.root, task.run)
    manifest = read_manifest(target)
    if manifest is None or stamp_of(target / "manifest.json") == task.made or (target / "failed").exists():
        return False
    return not changes(manifest["key"], task.key) and is_whole(target, manifest, task.languages)


def _failures(endings: Mapping[str, Ending]) -> dict[str, str]:
    """Return the sentences of the pages that are not well.

    >>> _failures({"10_a.en.html": Ending(), "10_a.zh.html": Ending("failed", "KeyError: 1")})
    {'10_a.zh.html': '10_a (zh): KeyError: 1'}
    """
    wrong = {page: ending for page, ending in endings.items() if ending.state != "ok"}
    names = {page: page.removesuffix(".html").rpartition(".") for page in wrong}
    return {page: f"{names[page][0]} ({names[page][2]}): {ending.said()}" for page, ending in wrong.items()}


class _Peers:
    """The other projects' surveys, with whether anybody asked for them: only then do the pages depend on them."""

    def __init__(self, peers: load.Peers):
        self.peers, self.were_asked = peers, False

    def __iter__(self) -> Iterator[tuple[load.Survey, load.Survey | None]]:
        self.were_asked = True
        return iter(self.peers)


def _results(task: Task, result: Assessment, peers: Peers) -> dict[tuple[Any, ...], Any]:
    """Return what chapters and record would each work out again; a fault of one of them shows in its own chapter."""
    run = task.run
    known: dict[tuple[Any, ...], Any] = {("assessment", id(result.survey)): result}
    known["survey", run.project, run.period, params.find_root(task.root)] = result.survey
    known["worked example", id(result.survey.programme)] = _worked_example(task.document.sha256, task.document.content)
    works: dict[str, Callable[[], Any]] = {
        "change": functools.partial(judge_change, result, peers),
        "importance": functools.partial(importance_of, result),
    }
    for name, work in works.items():
        try:
            known[name, id(result)] = work()
        except Overdue:
            raise
        except Exception:  # noqa: BLE001, S110 - see above
            pass
    return known


_EXAMPLES: dict[str, Assessment] = {}


def _worked_example(sha256: str, programme: Programme) -> Assessment:
    """Return the assessment of a programme's worked example: hundreds of runs share a few programmes."""
    if sha256 not in _EXAMPLES:
        _EXAMPLES[sha256] = assess(load.worked_example(programme))
    return _EXAMPLES[sha256]


@contextlib.contextmanager
def work_folder(target: Path) -> Iterator[Path]:
    """Give a folder beside the target, gone afterwards; first clear what a killed process left.

    Raises
    ------
    Busy
        Where another process makes the pages of this run.
    """
    if target.exists() and not target.is_dir():
        raise ReportError(f"{target}: is a file where the pages of this run belong; move it away.")
    with locks.hold(target):
        yield from _work_folder(target)


def _work_folder(target: Path) -> Iterator[Path]:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _recover(target)
        work = Path(tempfile.mkdtemp(BEGUN, f".{target.name}.", target.parent))
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
    """Put back the pages that a process killed in mid-exchange had moved aside, and clear its other folders.

    Where another process makes the pages of the run, that is left to it.
    """
    if _left(target):
        with contextlib.suppress(locks.Busy), locks.hold(target):
            _recover(target)


def _recover(target: Path) -> None:
    """Put right what lies about of a run whose lock is held: its process has ended, on whichever machine it was."""
    for left in _left(target):
        if left.suffix == ASIDE and not target.exists():
            left.rename(target)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _left(target: Path) -> list[Path]:
    """Return what a process works on, or has moved aside, of a run."""
    return [path for path in sorted(target.parent.glob(f".{target.name}.*")) if path.suffix in (BEGUN, ASIDE)]


def exchange(work: Path, target: Path) -> None:
    """Put a finished folder in the target's place."""
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}{ASIDE}")
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


Made = Mapping[tuple[str, str], chapters.Chapter]  # by name and language


def execute_chapters(task: Task) -> Made:
    """Return every chapter of a run in every language, executed."""
    end = time.monotonic() + task.limits.seconds
    names = chapters_of(task.document.content, task.run)
    orders = [(name, language) for name in names for language in task.languages]
    paths = {
        name: chapter_path(task.root, task.document.path.name, name) for name in names
    }  # of all, before any is executed
    made = {}
    with chapters.Place() as place:
        for waiting, (name, language) in zip(range(len(orders) - 1, -1, -1), orders, strict=True):
            order, seconds = order_of(paths[name], task, language), share(end - time.monotonic(), waiting)
            made[name, language] = place.execute(order, seconds) if seconds else chapters.not_begun(order)
    return made


def order_of(path: Path, task: Task, language: str) -> chapters.Order:
    """Return what is to be executed for the page of a run's chapter in a language."""
    parameters = {"project": task.run.project, "period": task.run.period, "language": language, "root": ""}
    return chapters.Order(path, parameters, task.root, task.kernel, task.limits)


def write_pages(task: Task, result: Assessment, made: Made, work: Path) -> dict[str, Ending]:
    """Write the page and the notebook of every chapter; return how each page ended."""
    endings = {pages.page_name(*order): chapter.ending for order, chapter in made.items()}
    depth, whence = 3 if _failures(endings) else 2, cards.origin(result)
    for (name, language), (notebook, _) in made.items():
        around = page_around(task, result.status, name, language, depth) | origin_of_page(whence, speak(language))
        (work / pages.page_name(name, language)).write_text(pages.render(notebook, language, around), "utf-8")
        (work / f"{name}.{language}.ipynb").write_text(nbformat.v4.writes(notebook) + "\n", "utf-8")
    return endings


def page_around(task: Task, status: str, chapter: str, language: str, depth: int) -> dict[str, Any]:
    """Return what stands around a chapter: titles, procedure, date, links."""
    words, run, programme = speak(language), task.run, task.document.content
    return {
        "project": words.title(run.title, run.project), "period": run.period,
        "history": f"../index.{language}.html" if depth == 2 else "",  # a run that failed may be its project's first
        "chapter": words.get(f"chapter.{chapter}", chapter),
        "about": [
            words("page.period", period=run.period), words("page.as_of", date=words.date(run.as_of)),
            words("page.programme", title=words.title(programme.title), version=programme.version),
        ],
        "links": pages.chapter_links(chapters_of(programme, task.run), chapter, language, task.languages, depth)
        + ([{"text": "PDF", "href": pages.page_name(chapter, language).replace(".html", ".pdf")}] if task.pdf else []),
        "status": status,
        "stamp": words(f"stamp.{status}"),
        "method": words("page.method"),
        "software": words("page.made_with", versions=words.listing(f"{k} {v}" for k, v in software().items())),
        "certificate": certificate.sentence(certificate.of_package(), words),
    }  # fmt: skip


def origin_of_page(whence: cards.Origin, words: Words) -> dict[str, Any]:
    """Return what a page says of the files that it rests on."""
    return {
        "origin": whence,
        "files_title": words("page.made_from"),
        "files": [
            (words("page.programme_file"), whence.sha256), *((each.file, each.sha256) for each in whence.sources)
        ],
    }  # fmt: skip


# --- numbers and manifest ---------------------------------------------------------------------------------------------


def write_numbers(result: Assessment, work: Path, peers: Peers = ()) -> None:
    """Write ``record.json``, ``rejected.csv`` and ``tables.xlsx``."""
    record = records.build(result, peers)
    (work / "record.json").write_text(records.as_json(record), "utf-8")
    _write_csv(result.survey.rejected, work / "rejected.csv")
    if result.status == "remedy_due":
        _write_csv(remedy.forms_to_complete(result.evidence), work / "remedy.csv")
    workbook.write(record, result.survey.programme, work / "tables.xlsx")


def _write_csv(rows: pd.DataFrame, path: Path) -> None:
    buffer = io.StringIO()
    rows.to_csv(buffer, index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    path.write_text(buffer.getvalue(), "utf-8")


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
        "stamps": {name: stamp_of(work / name) for name in files},
        "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "host": socket.gethostname(),
        "software": software(),
    }
    (work / "manifest.json").write_text(records.as_json(manifest), "utf-8")
