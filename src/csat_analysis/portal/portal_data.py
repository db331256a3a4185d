"""What do the portal's scripts work on? The runs as compact JSON, whose texts are said already."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from csat_analysis.execution.memory import Standing
from csat_analysis.ground.catalogue import DIGITS
from csat_analysis.ground.words import Words
from csat_analysis.portal import company
from csat_analysis.portal.portal_rows import CARRIED, VERDICTS, Row

STATUSES = ("reportable", "remedy_due", "void")
NOTED = ("stale", "failed", "unusable")  # states that a reader should know of
KINDS = "data|notebook|period|programme|run file|package|software|other projects"
WHAT = re.compile(rf"({KINDS})(?: (.+))? (changed|is new|is gone)")
WIDTH, HEIGHT, RIM = 96, 22, 3  # of a sparkline


def as_json(content: Any) -> str:
    """Return JSON that can stand in a page: nothing in it is a tag, a comment, or the end of a line of a script.

    >>> as_json(["</script><!--", "a&b"])
    '["\\\\u003c/script\\\\u003e\\\\u003c!--","a\\\\u0026b"]'
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


class Texts:
    """Texts by their place: each stands once."""

    def __init__(self) -> None:
        self.places: dict[Any, int] = {}

    def place(self, text: Any) -> int:
        """Return the place of a text."""
        return self.places.setdefault(text, len(self.places))

    def listed(self) -> list[Any]:
        """Return the texts in their order."""
        return list(self.places)


def by_project(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows of each project in the order of its periods."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.place, []).append(row)
    return {place: sorted(each, key=lambda row: row.order) for place, each in found.items()}


# --- all runs ---------------------------------------------------------------------------------------------------------


def index_of(projects: Mapping[str, Sequence[Row]], standings: Mapping[str, Standing], words: Words) -> dict[str, Any]:
    """Return what the portal's list works on, each project with its runs from the earliest to the newest."""
    procedures, named, sets = Texts(), Texts(), Texts()
    listed = []
    for place, rows in projects.items():
        newest = rows[-1].said[words.language]
        also = sorted({text for row in rows for each in row.said.values() for text in (each["title"], each["path"])})
        seek = [text for text in also if text not in (newest["title"], newest["path"])]
        runs = [_run(row, standings.get(row.folder), (procedures, named, sets), words) for row in rows]
        listed.append([place, rows[-1].project, newest["title"], newest["path"], " ".join(seek), spark(rows), runs])
    return {
        "language": words.language, "projects": listed, "procedures": procedures.listed(), "named": named.listed(),
        "sets": [_links(names, words) for names in sets.listed()], "statuses": STATUSES, "states": NOTED,
        "stamps": [words(f"stamp.{status}") for status in STATUSES],
        "standing": [words(f"standing.{state}") for state in NOTED],
    }  # fmt: skip


def _run(row: Row, standing: Standing | None, texts: tuple[Texts, Texts, Texts], words: Words) -> list[Any]:
    """Return a run in the order in which portal.js takes it apart."""
    told, (procedures, named, sets) = row.said[words.language], texts
    noted = noted_of(standing, words)
    return [
        row.period_folder, procedures.place(told["procedure"]), STATUSES.index(row.status), named.place(told["what"]),
        told["value"], told["interval"], row.headline[2], told["rules"],
        NOTED.index(noted["state"]) if noted["state"] else -1, noted["why"],
        row.failures[0] if row.failures else "", sets.place((*row.pages, row.is_tabled)),
    ]  # fmt: skip


def _links(names: Sequence[Any], words: Words) -> list[list[str]]:
    """Return the names of a run's files in the reader's language with what they are called."""
    *pages, is_tabled = names
    own = [name for name in pages if f".{words.language}." in name] or pages
    found = [[name, chapter_title(name, words)] for name in own]
    return [*found, ["tables.xlsx", words.aside(words("portal.record"), ".xlsx")]] if is_tabled else found


def chapter_title(name: str, words: Words) -> str:
    """Return what the chapter of a page is called."""
    chapter = name.split(".", 1)[0]
    return words.get(f"chapter.{chapter}", chapter)


def noted_of(standing: Standing | None, words: Words) -> dict[str, str]:
    """Return how a run stands and why, where a reader should know of it."""
    if standing is None or standing.state not in NOTED:
        return {"state": "", "why": ""}
    return {"state": standing.state, "why": why_text(standing.why, words)}


def why_text(why: Sequence[str], words: Words) -> str:
    """Return why a run is stale or failed, in the reader's language as far as it is one of our own reasons."""
    return words("semicolon").join(dict.fromkeys(_why(reason, words) for reason in why))


def _why(reason: str, words: Words) -> str:
    found = WHAT.fullmatch(reason)
    if found:
        kind, name, how = found.groups()
        what = words(f"outdated.{kind.replace(' ', '_')}", name=name or "")
        return words(f"outdated.{how.split()[-1]}", what=what)
    return words.get(f"outdated.{reason.replace(' ', '_').replace(',', '')}", reason)


def spark(rows: Sequence[Row]) -> str:
    """Return the points of a line through the headlines of a project, of those that are figures of one kind."""
    alike = [row for row in rows if row.headline[:2] == rows[-1].headline[:2] and row.edition[0] == rows[-1].edition[0]]
    values = [row.headline[2] for row in alike if row.headline[2] is not None]
    if len(values) < 2:
        return ""
    low, spread = min(values), max(values) - min(values)
    step, height = (WIDTH - 2 * RIM) / (len(values) - 1), HEIGHT - 2 * RIM
    shares = [(value - low) / spread if spread else 0.5 for value in values]
    return " ".join(f"{RIM + at * step:.0f},{HEIGHT - RIM - height * share:.0f}" for at, share in enumerate(shares))


# --- two runs ---------------------------------------------------------------------------------------------------------


def compared_of(projects: Mapping[str, Sequence[Row]], shapes: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """Return what two runs are laid side by side from: their figures with further decimals, by what these are."""
    used, procedures = Texts(), Texts()
    listed = []
    for place, rows in projects.items():
        runs = [_compared(row, procedures, used, words) for row in rows]
        told = rows[-1].said[words.language]
        listed.append([place, rows[-1].project, told["title"], told["path"], runs])
    return {
        "language": words.language, "projects": listed, "procedures": procedures.listed(),
        "shapes": [[_figure(each, words) for each in shapes[name]] for name in used.listed()],
        "stamps": [words(f"stamp.{status}") for status in STATUSES], "statuses": STATUSES,
        "verdicts": [[name, words(f"verdict.{name}")] for name in VERDICTS],
        "digits": DIGITS["share"], "carried": CARRIED,
    }  # fmt: skip


def _compared(row: Row, procedures: Texts, shapes: Texts, words: Words) -> list[Any]:
    """Return a run in the order in which compare.js takes it apart."""
    procedure = procedures.place((row.said[words.language]["procedure"], *row.edition))
    has_change = f"30_change.{words.language}.html" in row.pages
    return [
        row.period_folder, procedure, STATUSES.index(row.status), shapes.place(row.shape), has_change, row.figures,
    ]  # fmt: skip


def _figure(shape: Sequence[Any], words: Words) -> list[Any]:
    """Return what a figure is: group, id with what is asked, unit, name, own title in any language."""
    group, name, unit, title, asked = shape
    called = company.own_name({"measure": name, "title": title}, words)
    rule = words(f"comparison.{asked[0]}", threshold=words.threshold(asked[1], unit)) if asked else ""
    wording = as_json(title) if title else ""
    return [group, f"{name} {rule}", unit, words.aside(called, rule) if rule else called, wording]


def standings_of(standings: Iterable[Standing]) -> dict[str, Standing]:
    """Return how runs stand by their folders."""
    return {f"{each.project}/{each.period}": each for each in standings}
