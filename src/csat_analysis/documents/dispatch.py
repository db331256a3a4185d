"""Which documents are asked for, and where do they go? Writes them from the records of runs, over nobody's edits."""

import contextlib
import importlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from csat_analysis.documents import recorded
from csat_analysis.documents.problems import Source
from csat_analysis.execution import freshness
from csat_analysis.execution.freshness import State
from csat_analysis.ground import params
from csat_analysis.ground.errors import CsatError, ReportError
from csat_analysis.ground.params import Rules
from csat_analysis.ground.runs import Run

KINDS = {"report": ("word", "docx"), "slides": ("slides", "pptx"), "notice": ("notice", "docx")}
CURRENT = ("fresh", "closed")


class Wanted(NamedTuple):
    """What is asked for: kinds, languages (none: the run file's), another folder, and whether files are replaced."""

    kinds: Sequence[str] = tuple(KINDS)
    languages: Sequence[str] = ()
    folder: Path | None = None
    force: bool = False


class Sent(NamedTuple):
    """What became of a run: the files written, what is to be said, and whether there was a record to begin with."""

    files: list[Path]
    messages: list[str]
    began: bool
    failed: bool


def send(rules: Rules, state: State, wanted: Wanted) -> Sent:
    """Write the documents of a run that are asked for; one that cannot be made keeps no other from being made."""
    run, files, messages = state.run, list[Path](), list[str]()
    try:
        source = source_of(rules, state)
    except CsatError as error:
        return Sent([], list(error.messages), False, True)
    if source.stale:
        messages.append(f"{run.place}: has changed since its last run ({'; '.join(state.why) or state.state}); the "
                        "documents are made from the record as it was. csat run brings it up to date.")  # fmt: skip
    failed = False
    for path, kind, language in paths(rules.root, run, wanted):
        try:
            files.append(_write(path, kind, language, source, rules.root, wanted.force))
        except CsatError as error:
            messages, failed = [*messages, *error.messages], True
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            messages, failed = [*messages, freshness.fault(run, error)], True
    return Sent(files, messages, True, failed)


def source_of(rules: Rules, state: State) -> Source:
    """Return what the documents of a run are made from: its record, and names from its procedure and run file.

    Raises
    ------
    ReportError
        Where there is no record that can be used.
    """
    run, path = state.run, freshness.reports_folder(rules.root, state.run) / "record.json"
    shown = path.relative_to(rules.root).as_posix()
    record = recorded.read(path, shown)
    if record is None:
        again = f"csat run --project {run.project} --period {run.period}"
        raise ReportError(f"{run.place}: was never run, and there is no record to make documents from; {again} first.")
    document = params.choose_programme(rules, run)
    recorded.check_names(record, document.content, shown)
    result = recorded.assessment_of(record, document, run)
    stale = state.state not in CURRENT
    change, importance = recorded.change_of(record, result), recorded.importance_of(record, result)
    return Source(record, result, change, importance, stale, following(rules, run))


def following(rules: Rules, run: Run) -> str:
    """Return the next period of a project's run file; empty where there is none."""
    later = [each.period for each in rules.runs if each.project == run.project and each.as_of > run.as_of]
    return later[0] if later else ""


def paths(root: Path, run: Run, wanted: Wanted) -> Iterator[tuple[Path, str, str]]:
    """Yield each file that is asked for, with its kind and language."""
    folder = wanted.folder or root / "reports" / run.project / "documents"
    for language in dict.fromkeys(wanted.languages or [run.language]):
        for kind in dict.fromkeys(wanted.kinds):
            start = f"{run.project}." if wanted.folder else ""  # a folder of several projects
            yield folder / f"{start}{run.period}.{kind}.{language}.{KINDS[kind][1]}", kind, language


def _write(path: Path, kind: str, language: str, source: Source, root: Path, force: bool) -> Path:
    """Write a document whole, and return where; a file that is there stays, unless it is to be replaced."""
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    if path.exists() and not force:
        raise ReportError(
            f"{shown}: is there already, and may have been edited by hand; move it, name another folder (--to), "
            "or replace it (--force)."
        )
    content = importlib.import_module(f"{__package__}.{KINDS[kind][0]}").make(source, language)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise ReportError(f"{shown}: cannot be written ({error.strerror}); check space and permissions.") from None
    return path


def exit_status(sent: Sequence[Sent]) -> int:
    """Return 0 where everything was made, 2 where nothing could begin, else 1."""
    if not any(each.began for each in sent):
        return 2
    return int(any(each.failed for each in sent))
