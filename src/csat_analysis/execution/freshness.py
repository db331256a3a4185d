"""Which runs are stale, and why? Compares what a run depends on with what its pages were made from; imports little."""

import contextlib
import functools
import hashlib
import json
import os
import re
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from csat_analysis.execution.digests import Digests, stamp_of
from csat_analysis.execution.limits import Limits
from csat_analysis.ground import params
from csat_analysis.ground.errors import CsatError, DataError, ParameterError
from csat_analysis.ground.inputs import find_inputs, show
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.runs import Read, Run, Table
from csat_analysis.ground.software import software

OF_CHANGE = "30_change"
PEERS = "other projects"  # of a key: only where the verdict on change rests on them


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
    pdf: bool = False  # whether pages are printed, too
    made: tuple[int, ...] = ()  # stamp of the manifest that was there when the run was found to be stale


@dataclass(frozen=True)
class State:
    """How a run stands: ``never run``, ``fresh``, ``stale``, ``failed``, ``closed`` or ``unusable``, and why."""

    run: Run
    state: str
    why: tuple[str, ...] = ()
    task: Task | None = None


# --- which runs -------------------------------------------------------------------------------------------------------


def select(rules: params.Rules, projects: Sequence[str] = (), periods: Sequence[str] = ()) -> list[Run]:
    """Return the runs of some projects and periods; all where none is named.

    Raises
    ------
    ParameterError
        Where a named project or period is none, or nothing is left.
    """
    broken = {path.stem: error for path, error in rules.broken.items() if path.parent.name == "runs"}
    for project in projects:
        if project not in rules.run_files and project not in broken:
            raise ParameterError(f"--project: {project!r} is not a project; use one of {sorted(rules.run_files)}.")
    if projects and not set(projects) & set(rules.run_files):
        raise broken[projects[0]]
    runs = [run for run in rules.runs if not projects or run.project in projects]
    for period in periods:
        if period not in {run.period for run in runs}:
            raise ParameterError(
                f"--period: {period!r} is not a period there; use one of {sorted({r.period for r in runs})}."
            )
    chosen = [run for run in runs if not periods or run.period in periods]
    if not chosen:
        raise ParameterError(
            f"{rules.root / 'params' / 'runs'}: no run file that can be used; mend or add params/runs/<project>.yml."
        )
    return chosen


def left_out(rules: params.Rules, projects: Sequence[str] = ()) -> bool:
    """Return whether a run file that cannot be used belongs to the selection: where no project is named, each does."""
    folder = rules.root / "params" / "runs"
    return any(path.parent == folder and (not projects or path.stem in projects) for path in rules.broken)


# --- how they stand ---------------------------------------------------------------------------------------------------


def states_of(
    sources: "Sources",
    chosen: Iterable[Run],
    languages: Sequence[str] = (),
    force: bool = False,
    kernel: str = "plain",
    pdf: bool = False,
) -> list[State]:
    """Return how runs stand, each with the task that brings it up to date where it is not fresh.

    What is found out of files is remembered for the next time.
    """
    found = [_state_of(sources, run, languages, force, kernel, pdf) for run in chosen]
    sources.digests.save()
    return found


def _state_of(sources: "Sources", run: Run, languages: Sequence[str], force: bool, kernel: str, pdf: bool) -> State:
    rules = sources.rules
    folder = reports_folder(rules.root, run)
    manifest, failed = read_manifest(folder), read_manifest(folder / "failed")
    published = tuple(manifest["languages"]) if manifest else ()
    if run.closed and manifest and not force:
        return State(run, "closed", ("the run file says closed: true",))
    try:
        document = params.choose_programme(rules, run)
        earlier = params.earlier_runs(rules, run)
        key = sources.key_of(run, document, earlier, [each["key"] for each in (manifest, failed) if each])
    except CsatError as error:
        return State(run, "unusable", error.messages)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other runs go on
        return State(run, "unusable", (fault(run, error),))
    wanted = tuple(dict.fromkeys([*(languages or [run.language]), *published]))
    seen = stamp_of(folder / "manifest.json") if manifest else ()
    printed = any(name.endswith(".pdf") for name in manifest["files"]) if manifest else False
    task = Task(rules.root, run, document, wanted, key, earlier, kernel, pdf=pdf or printed, made=seen)
    if failed and not changes(failed["key"], key):
        return State(run, "failed", tuple(failed["failures"].values()), task)
    if manifest is None:
        return State(run, "never run", (), task)
    why = changes(manifest["key"], key)
    if not why and not is_whole(folder, manifest, wanted):
        missing = [language for language in wanted if language not in published]
        why = [f"no pages in {language}" for language in missing] or ["a page is missing or was changed"]
    if not why and pdf and not printed:
        why = ["no PDF"]
    if not why and failed:
        why = ["the last run failed, on inputs that were changed back since"]
    if why or force:
        return State(run, "stale", tuple(why or ["--force"]), task)
    return State(run, "fresh")


def fault(run: Run, error: Exception) -> str:
    """Return a fault of ours as a sentence: where, what, and at which line of the package."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "csat_analysis" in f.filename]
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{run.place}: a fault of the package ({type(error).__name__}{place}); report it, with the data if you may."


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return what a run depends on that is new, gone or different.

    What other projects lend counts only where it was asked for: whether it is depends on the run's own inputs.

    >>> changes({"programme": "1", "data a": "2"}, {"programme": "3", "data b": "2"})
    ['programme changed', 'data b is new', 'data a is gone']
    """
    now = {name: digest for name, digest in now.items() if name != PEERS or PEERS in before}
    found = [f"{name} {'changed' if name in before else 'is new'}" for name in now if before.get(name) != now[name]]
    return found + [f"{name} is gone" for name in before if name not in now and name != PEERS]


# --- what a run depends on --------------------------------------------------------------------------------------------


class Sources:
    """What the pages of the runs of a root depend on; what several runs share is looked at once."""

    def __init__(self, rules: params.Rules):
        self.rules, self.digests = rules, Digests(rules.root)
        self.data_of = functools.cache(self._data_of)
        self.peers_of = functools.cache(self._peers_of)
        self.notebook_of = functools.cache(self._notebook_of)
        self.names = {(run.project, run.period): run for run in rules.runs}

    def key_of(
        self,
        run: Run,
        document: params.Document[Programme],
        earlier: params.Earlier,
        before: Sequence[Mapping[str, str]] = (),
    ) -> dict[str, str]:
        """Return a checksum of everything the pages of a run depend on, by name.

        Parameters
        ----------
        before
            Keys that the run's pages were made from. What other projects lend is not looked at where nothing else
            changed and it was not asked for then.
        """
        key = {
            "programme": document.sha256,
            "run file": self._of_file(run),
            "package": package_digest(),
            "software": _digest(json.dumps(software())),
        }
        for chapter in chapters_of(document.content, run):
            key[f"notebook {chapter}"] = self.notebook_of(document.path.name, chapter)
        for each, edition in earlier.values():
            key[f"period {each.period}"] = _digest(edition.sha256 + self._of_file(each))
        for each, _ in earlier.values():
            with contextlib.suppress(CsatError):  # a finding of the report, no reason not to make it
                key |= self.data_of(each.project, each.period)
        key |= self.data_of(run.project, run.period)
        asked = not before or any(PEERS in each or changes(each, key) for each in before)
        if asked and run.baseline is not None and run.change.selected is not False:
            key[PEERS] = self.peers_of(run.programme.partition("@")[0], run.baseline, run.period)
        return key

    def _of_file(self, run: Run) -> str:
        """Return the checksum of what the run file says of a run."""
        return _digest(run.model_dump_json(exclude={"closed", "language", "document"}))

    def _data_of(self, project: str, period: str) -> dict[str, str]:
        """Return the checksum of each table of a run; of a file that is shared, of the run's own rows."""
        run, root = self.names[project, period], self.rules.root
        found = {}
        for table, path in find_inputs(run, root).items():
            read = run.read.get(table, Read())
            shared = self._shared.get(str(path), []) if read.where else []
            digest = self.digests.of_rows(path, read, shared) if read.where else self.digests.of(path)
            found[f"data {show(path, root)}"] = digest
        return found

    @property
    def shared(self) -> list[Path]:
        """Return the tables that lie elsewhere than in the folders of their runs, as far as run files name them."""
        return [
            path
            for run in self.names.values()
            if any(read.file for read in run.read.values())
            for path in self._inputs(run).values()
            if path.parent != self.rules.root / "data" / run.project / run.period
        ]

    def _inputs(self, run: Run) -> dict[Table, Path]:
        with contextlib.suppress(CsatError):
            return find_inputs(run, self.rules.root)
        return {}

    @functools.cached_property
    def _shared(self) -> dict[str, list[Read]]:
        """Return how runs read each file that is named and of which they choose rows."""
        found: dict[str, list[Read]] = {}
        for run in self.names.values():
            folder = self.rules.root / "data" / run.project / run.period
            for read in run.read.values():
                if read.where and read.file:
                    found.setdefault(os.path.normpath(folder / read.file), []).append(read)
        return found

    def _peers_of(self, programme: str, baseline: str, period: str) -> str:
        """Return a checksum of the surveys of all projects that may lend to the prior of a change.

        They are those of one programme in a baseline and a period.
        """
        found = [
            self._lent(project, each)
            for project in sorted(self.rules.run_files)
            if (before := self.names.get((project, baseline))) and before.programme.partition("@")[0] == programme
            for each in (baseline, period)
            if (project, each) in self.names
        ]
        return _digest(json.dumps(found))

    def _lent(self, project: str, period: str) -> dict[str, str]:
        """Return the checksums of what a project's survey lends to another."""
        own = {"run file": self._of_file(self.names[project, period])}
        with contextlib.suppress(CsatError):  # a project whose tables cannot be used is left out
            return own | self.data_of(project, period)
        return own

    def _notebook_of(self, programme: str, chapter: str) -> str:
        """Return the checksum of the cells of a chapter, without what they showed.

        Raises
        ------
        ParameterError
            Where the file is no notebook.
        """
        path = chapter_path(self.rules.root, programme, chapter)
        try:
            cells = json.loads(path.read_bytes())["cells"]
            kept = [(cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            raise ParameterError(not_a_notebook(path)) from None
        return _digest(json.dumps(kept))


def not_a_notebook(path: Path) -> str:
    """Return that a file is no chapter."""
    return f"notebooks/{path.name}: is not a notebook that can be run; save it anew from JupyterLab."


def chapters_of(programme: Programme, run: Run) -> list[str]:
    """Return the chapters of a run: those of its programme, without the one on change where there is no baseline."""
    return [chapter for chapter in programme.chapters if chapter != OF_CHANGE or run.baseline]


def chapter_path(root: Path, programme: str, chapter: str) -> Path:
    """Return a chapter's notebook: the root's own, else the shipped one; ``programme``: the file that names it."""
    if not re.fullmatch(r"[\w-]+", chapter):
        raise ParameterError(
            f"{programme}: chapters: {chapter!r} is not the name of a chapter; use letters, digits, - and _."
        )
    for path in (root / "notebooks" / f"{chapter}.ipynb", params.shipped("notebooks", f"{chapter}.ipynb")):
        if path.is_file():
            return path
    raise ParameterError(
        f"{programme}: chapters: there is no notebooks/{chapter}.ipynb; mend the name, or add the notebook."
    )


@functools.cache
def package_digest() -> str:
    """Return a checksum of the package's own code, words, templates and reference figures."""
    kinds = {".py", ".yml", ".j2", ".css", ".js", ".csv", ".sha256"}
    parts = sorted(p for p in params.PACKAGE.rglob("*") if p.suffix in kinds and "_shipped" not in p.parts)
    return _digest("".join(f"{p.relative_to(params.PACKAGE).as_posix()} {file_digest(p)}\n" for p in parts))


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check that it may be read.") from None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- what was published -----------------------------------------------------------------------------------------------


def reports_folder(root: Path, run: Run) -> Path:
    """Return where a run's pages stand."""
    return root / "reports" / run.project / run.period


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return a folder's manifest, None where there is none that can be read."""
    try:
        with open(f"{folder}{os.sep}manifest.json", "rb") as file:  # noqa: PTH123 - thousands are read, and paths are slow
            manifest = json.loads(file.read())
    except (OSError, ValueError):
        return None
    is_sound = isinstance(manifest, dict) and manifest.keys() >= {"key", "files", "languages", "failures"}
    return manifest if is_sound else None


def is_whole(folder: Path, manifest: Mapping[str, Any], wanted: Sequence[str]) -> bool:
    """Return whether a folder holds what its manifest says, in the wanted languages.

    A file that has the size and the time it was written with is not read.
    """
    if not set(wanted) <= set(manifest["languages"]):
        return False
    stamps, beside = manifest.get("stamps", {}), f"{folder}{os.sep}"
    try:
        return all(
            stamp_of(beside + name) == tuple(stamps.get(name, ())) or file_digest(folder / name) == digest
            for name, digest in manifest["files"].items()
        )
    except (OSError, DataError):
        return False
