"""How did all runs stand when last asked? Holds as long as no file has changed, which is seen without reading any."""

import contextlib
import glob
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from csat_analysis.execution import freshness
from csat_analysis.execution.digests import SETTLED
from csat_analysis.ground import params
from csat_analysis.ground.software import software

REMEMBERED, PORTAL = Path("reports", ".states.json"), Path("reports", ".portal.json")


class Standing(NamedTuple):
    """How a run stood: see ``freshness.State``."""

    project: str
    period: str
    state: str
    why: list[str]


def standing(state: freshness.State) -> Standing:
    """Return how a run stands, without what brings it up to date."""
    return Standing(state.run.project, state.run.period, state.state, list(state.why))


def recall(root: Path) -> list[Standing] | None:
    """Return how all runs of a root stand, by project and period; None where that has to be found out anew."""
    try:
        found = json.loads((root / REMEMBERED).read_bytes())
        is_known = found["key"] == _key(root, found["folders"], found["files"])[0]
        return [Standing(*each) for each in found["states"]] if is_known else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def remember(rules: params.Rules, states: Sequence[freshness.State], files: Iterable[Path] = ()) -> None:
    """Remember how runs stand, where these are all runs of a root, and every file can be used: a fault may pass.

    Parameters
    ----------
    files
        Tables that lie elsewhere than in the folders of their runs.
    """
    if rules.broken or len(states) != len(rules.runs) or any(each.state == "unusable" for each in states):
        return
    root, folders = rules.root, [str(folder) for folder in _folders(rules)]
    others = sorted({str(path) for path in files})
    key, latest = _key(root, folders, others)
    if time.time_ns() - latest < SETTLED:  # what has just changed may change again without a new time
        return
    content = {"key": key, "folders": folders, "files": others, "states": [standing(state) for state in states]}
    _write(root / REMEMBERED, content)


def _folders(rules: params.Rules) -> Iterable[Path]:
    """Yield every folder whose files decide how the runs of a root stand."""
    yield from (rules.root / "params" / "programmes", rules.root / "params" / "runs", rules.root / "notebooks")
    yield from (params.shipped("params", "programmes"), params.shipped("notebooks"))
    for run in rules.runs:
        pages = freshness.reports_folder(rules.root, run)
        yield from (rules.root / "data" / run.project / run.period, pages, pages / "failed")


def portal_is_fresh(root: Path, language: str, standings: Iterable[Standing]) -> bool:
    """Return whether the portal was made in a language from the records that there are, and says how runs stand."""
    try:
        return bool(json.loads((root / PORTAL).read_bytes()) == _portal_key(root, language, standings)[0])
    except (OSError, ValueError):
        return False


def portal_was_made(root: Path, language: str, standings: Iterable[Standing]) -> None:
    """Remember that the portal is made of the records that there are, and says how runs stand."""
    key, latest = _portal_key(root, language, standings)
    if time.time_ns() - latest >= SETTLED:
        _write(root / PORTAL, key)


def _portal_key(root: Path, language: str, standings: Iterable[Standing]) -> tuple[str, int]:
    """Return a checksum of the sizes and times of what the portal is made of, and of its pages; the latest time."""
    folders = sorted(glob.glob(f"{root}/reports/*/*/"))
    files = [
        f"{folder}{name}" for folder in folders for name in ("record.json", "manifest.json", "failed/manifest.json")
    ]
    noted = [list(each) for each in standings if each.state not in ("fresh", "closed")]
    documents = sorted(glob.glob(f"{root}/reports/*/documents/*"))
    seen, latest = _seen(root, f"{language} {folders} {documents} {json.dumps(noted)}")
    for file in files:
        with contextlib.suppress(OSError):
            latest = max(latest, _add(seen, file, os.stat(file)))
    for page in sorted(glob.glob(f"{root}/reports/*.html") + glob.glob(f"{root}/reports/*/index*.html")):
        _add(seen, page, os.stat(page))
    return seen.hexdigest(), latest


def _key(root: Path, folders: Sequence[str], files: Sequence[str]) -> tuple[str, int]:
    """Return a checksum of the names, sizes and times of the files in some folders and of others; the latest time."""
    seen, latest = _seen(root, "")
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                found = sorted((entry.name, _state_of(entry)) for entry in entries)
        except OSError:
            found = []
        seen.update(folder.encode())
        latest = max([latest, *(_add(seen, name, state) for name, state in found)])
    return seen.hexdigest(), max([latest, *(_add(seen, file, os.stat(file)) for file in files)])


def _state_of(entry: "os.DirEntry[str]") -> os.stat_result:
    """Return size and time of what is in a folder; of a link that leads nowhere, of the link."""
    try:
        return entry.stat()
    except OSError:
        return entry.stat(follow_symlinks=False)


def _seen(root: Path, more: str) -> tuple[Any, int]:
    """Return a checksum of the package and of where it is, to add to; and no time yet."""
    return hashlib.sha256(f"{root} {freshness.package_digest()} {json.dumps(software())} {more}".encode()), 0


def _add(seen: Any, name: str, state: os.stat_result) -> int:
    """Add a file to a checksum, and return its time."""
    seen.update(f"{name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return state.st_mtime_ns


def _write(path: Path, content: Any) -> None:
    """Write what is remembered; a folder that cannot be written is no fault."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with contextlib.suppress(OSError):
        beside.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), "utf-8")
        beside.replace(path)
