"""How does the whole company stand? The page of all projects of a procedure together, from their records alone."""

import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from csat_analysis import __version__
from csat_analysis.assembly.gates import ITEM_FIGURES, LITERAL, NEAR
from csat_analysis.ground.catalogue import MEASURES, SURE
from csat_analysis.ground.words import Words, speak
from csat_analysis.portal import company_change, pooling
from csat_analysis.portal.company_matrix import matrix
from csat_analysis.portal.pooling import RATE, SUMS, Entry, Pool, Record
from csat_analysis.publishing import pages
from csat_analysis.publishing.markup import Cell, Column, Exhibit, table
from csat_analysis.publishing.verdicts import tipping_cell, verdict_word

OF_UNITS = SUMS[1:5]  # those that the table of units shows too
PER = {"per_1000": 1000}  # what a ratio is multiplied by

# --- units ------------------------------------------------------------------------------------------------------------


def units(records: Sequence[Record], words: Words, path: tuple[str, ...] = ()) -> Iterator[tuple[str, list[Record]]]:
    """Yield each unit by its path of names, with the records in it, those below it after it; in order of appearance.

    What belongs to a unit and to none below it stands last among these, so that a level adds up to the one above.
    """
    below: dict[str, list[Record]] = {}
    rest: list[Record] = []
    for record in records:
        names = unit_names(record, words)
        (below.setdefault(names[len(path)], []) if len(names) > len(path) else rest).append(record)
    for name, members in below.items():
        yield path_text((*path, name), words), members
        yield from units(members, words, (*path, name))
    if rest and below:
        yield words("company.rest", unit=path_text(path, words)) if path else words("company.unlisted"), rest


def unit_names(record: Record, words: Words) -> tuple[str, ...]:
    """Return what a project belongs to, the largest first."""
    return tuple(filter(None, (words.title(title) for title in record["within"] or ())))


def path_text(path: Iterable[str], words: Words) -> str:
    """Return a unit with those it belongs to."""
    return functools.reduce(lambda left, right: words("company.path", unit=left, part=right), path)


# --- how it is said ---------------------------------------------------------------------------------------------------


def unit_of(row: Mapping[str, Any]) -> str:
    """Return the unit of a gate's or a headline's figure; an older record may not say it."""
    name = row["measure"]
    known = MEASURES[name].unit if name in MEASURES else "share" if name.endswith(".satisfied") else "points"
    return row["unit"] or known


def own_name(row: Mapping[str, Any], words: Words) -> str:
    """Return what a gate's or a headline's measure is called: by the procedure's title, else by ours."""
    item, _, figure = row["measure"].rpartition(".")
    if item and figure in ITEM_FIGURES:
        return words(f"expect.{figure}", title=words.title(row["title"], item))
    return words.title(row["title"], words.get(f"measure.{figure}", figure))


def title_of(record: Record, words: Words) -> str:
    """Return what a project is called."""
    return words.title(record["title"], record["project"])


def names_of(records: Iterable[Record], words: Words) -> str:
    """Return what some projects are called."""
    return words.listing(title_of(record, words) for record in records)


def rule_text(rule: Mapping[str, Any], words: Words) -> str:
    """Return what a rule on the satisfaction rate asks, marked where it is a target."""
    asked = words(f"comparison.{rule['comparison']}", threshold=words.threshold(rule["threshold"], "share"))
    return words("rule.target", rule=asked) if rule["severity"] == "target" else asked


def verdict_cell(gate: Mapping[str, Any] | None, words: Words) -> Cell:
    """Return a verdict with its certainty, and where it is borderline what it is by the letter."""
    if gate is None:
        return Cell(words("not_computed"))
    literal = LITERAL[gate["passed"]]
    verdict, below = verdict_word({**gate, "verdict": gate["verdict"] or literal}), []
    if verdict == "borderline" and literal:
        said = words(f"verdict.{verdict_word({**gate, 'verdict': literal})}")
        below.append(words("company.literal", verdict=said))
    if gate["certainty"] is not None:
        below.append(words("verdict_certainty", certainty=words.chance(gate["certainty"])))
    return Cell(words.get(f"verdict.{verdict}", verdict), f"verdict {verdict}", tuple(below))


def parts_text(numerator: float, denominator: float, words: Words) -> str:
    """Return the two parts of a rate."""
    return f"{words.count(numerator)} ÷ {words.count(denominator)}"


def sum_cell(records: Sequence[Record], name: str, words: Words) -> Cell:
    """Return a pooled measure with its parts."""
    rate, unit = pooling.pooled_rate(records, name), MEASURES[name].unit
    shown = words.number(None if rate is None else rate * PER.get(unit, 1), unit)
    return Cell(shown, below=(parts_text(*pooling.pooled_parts(records, name), words),))


def with_interval(value: float | None, low: float | None, high: float | None, unit: str, words: Words) -> Cell:
    """Return a figure with its interval below it, where it has one."""
    interval = words.interval(low, high, unit)
    return Cell(words.number(value, unit), below=() if interval == words("not_computed") else (interval,))


# --- all projects together --------------------------------------------------------------------------------------------


class Shown(NamedTuple):
    """What the tables of an edition have columns for: where no project has a figure, there is none."""

    rule: Mapping[str, Any] | None  # on the satisfaction rate
    sums: list[str]  # measures that are pooled
    rated: bool  # satisfaction rates
    void: bool  # void surveys
    placed: bool  # units
    beside: dict[str, Any] | None  # a figure that is not pooled


def shown_of(records: Sequence[Record]) -> Shown:
    """Return what the tables have columns for."""
    return Shown(
        pooling.rule_of(records), pooling.common_sums(records), bool(pooling.pool(records, None).rated),
        any(record["status"] == "void" for record in records), any(record["within"] for record in records),
        next(filter(None, map(pooling.beside, records)), None),
    )  # fmt: skip


def figures_table(every: Sequence[Record], shown: Shown, words: Words) -> Exhibit:
    """Return the figures of all projects together: without void surveys, and beside them with all."""
    pools = {"without_void": pooling.usable_of(every), "with_void": every} if shown.void else {"all": every}
    columns = [figures_of(records, shown, words) for records in pools.values()]
    heads = [Column(words("head.measure")), *(Column(words(f"company.{name}")) for name in pools)]
    rows = [(label, *(column[label] for column in columns)) for label in columns[0]]
    return table(words("company.figures"), heads, rows, figure_notes(every, shown, words))


def figures_of(records: Sequence[Record], shown: Shown, words: Words) -> dict[str, Cell]:
    """Return the figures of some projects together by what they are called."""
    pooled = pooling.pool(records, shown.rule)
    fewer = 0 < len(pooled.rated) < len(records)
    with_rate = (words("company.with_rate", n=words.count(len(pooled.rated))),) if fewer else ()
    found = {
        words("portal.projects"): Cell(words.count(len(records)), below=with_rate),
        words("stage.frame"): Cell(words.count(pooling.population_of(pooled.rated or records))),
    }
    found |= rate_cells(pooled, words) if shown.rated else {}
    found |= judged_cells(pooled, shown.rule, words) if shown.rule and shown.rated else {}
    return found | {words(f"measure.{name}"): sum_cell(records, name, words) for name in shown.sums}


def rate_cells(pooled: Pool, words: Words) -> dict[str, Cell]:
    """Return the pooled satisfaction rate with its parts, and its interval."""
    parts = (parts_text(pooled.satisfied, pooled.base, words),) if pooled.rated else ()
    return {
        words("measure.satisfaction_rate"): Cell(words.number(pooled.rate, "share"), below=parts),
        words("head.interval"): Cell(words.interval(*pooled.interval, "share")),
    }


def judged_cells(pooled: Pool, rule: Mapping[str, Any], words: Words) -> dict[str, Cell]:
    """Return what follows from the rule: verdict, what non-response could hide, and what has to be done."""
    return {
        words("head.rule"): Cell(rule_text(rule, words), below=(words.source(rule["clause"]),)),
        words("head.verdict"): verdict_cell(pooled.judged, words),
        words("head.bounds"): Cell(bounds_text(pooled.judged, words)),
        words("head.tipping_point"): tipping_cell(pooled.judged, words),
        words("company.due"): Cell(due_text(pooled, words)),
    }


def bounds_text(judged: Mapping[str, Any] | None, words: Words) -> str:
    """Return between what the rate of all lies, whatever those feel who did not answer."""
    if judged is None or judged["worst"] is None:
        return words("not_computed")
    return words.range_of(judged["worst"], judged["best"], "share")


def due_text(pooled: Pool, words: Words) -> str:
    """Return what the literal verdict sets off; a record need not say what that is called."""
    if pooled.judged is None or pooled.judged["passed"] is None:
        return words("not_computed")
    if pooled.judged["passed"]:
        return words("none")
    due = (trigger for record in pooled.rated for trigger in record["triggers"] if trigger["because"] == RATE)
    trigger = next(due, None)
    if trigger is None:
        return words("company.no_consequence")
    return words.aside(words.title(trigger["title"], words("state.required")), words.source(trigger["clause"]))


# --- what has to be said of it ----------------------------------------------------------------------------------------


def figure_notes(every: Sequence[Record], shown: Shown, words: Words) -> list[str]:
    """Return who is in the pooled figures, how sure they are, and what is not pooled."""
    pooled = pooling.pool(pooling.usable_of(every), shown.rule)
    notes = membership_notes(every, shown, words)
    notes += certainty_notes(pooled, words) if pooled.rated else []
    if shown.rule is None and any(gate["measure"] == RATE for record in every for gate in record["gates"]):
        notes.append(words("company.note.different_rules"))
    some = [name for name in SUMS if any(pooling.measure_of(record, name) for record in every)]
    left = [words(f"measure.{name}") for name in some if name not in shown.sums]
    notes += [words("company.note.incomplete", names=words.listing(left))] if left else []
    return notes + ([words("company.note.beside", name=own_name(shown.beside, words))] if shown.beside else [])


def membership_notes(every: Sequence[Record], shown: Shown, words: Words) -> list[str]:
    """Return which projects are void, which have a remedy due, and which are without a rate where others have one."""
    groups = {status: [record for record in every if record["status"] == status] for status in ("void", "remedy_due")}
    groups["without_rate"] = [record for record in every if shown.rated and not pooling.pool([record], None).rated]
    notes = [] if shown.void else [words("company.note.no_void")]
    return notes + [words(f"company.note.{key}", names=names_of(some, words)) for key, some in groups.items() if some]


def certainty_notes(pooled: Pool, words: Words) -> list[str]:
    """Return what the interval, the certainty and the tipping point stand on."""
    notes = sample_notes(pooled, words)
    if pooled.judged and pooled.judged["certainty"] is not None:
        notes.append(words("note.certainty", sure=words.chance(SURE), unsure=words.chance(1 - SURE)))
    returned, sent = pooling.total(pooled.rated, "returned"), pooling.total(pooled.rated, "distributed")
    if pooled.judged and pooled.judged["worst"] is not None and sent and returned is not None:
        rate, near = words.number(returned / sent, "share"), words.points_of_percent(NEAR)
        notes.append(words("note.tipping", n=words.count(sent - returned), rate=rate, near=near))
    return notes


def sample_notes(pooled: Pool, words: Words) -> list[str]:
    """Return as what sample the projects are taken."""
    if pooled.answers is None:
        return [words("company.note.unknown")]
    population = pooling.population_of(pooled.rated)
    if not all(map(pooling.is_unweighted, pooled.rated)):
        return [words("note.interval"), words("company.note.weighted")]
    if population is None:
        return [words("note.interval"), words("company.note.no_population")]
    return [words("note.interval"), words("company.note.one_population", n=words.count(population))]


# --- units and projects -----------------------------------------------------------------------------------------------


def units_table(every: Sequence[Record], shown: Shown, words: Words) -> Exhibit:
    """Return the pooled figures of every unit on every level, and of the whole; nothing where there are no units."""
    if not shown.placed:
        return Exhibit("")
    rows = [(name, *unit_cells(records, shown, words)) for name, records in units(every, words)]
    heads = [Column(words("company.unit")), *unit_heads(shown, words)]
    notes = [words("company.note.units"), *extension_notes(shown, words)]
    total = (words("company.total"), *unit_cells(every, shown, words))
    return table(words("company.units"), heads, [*rows, total], notes)


def unit_heads(shown: Shown, words: Words) -> list[Column]:
    """Return the heads of a unit's figures."""
    return [
        Column(words("portal.projects"), True), Column(words("stage.frame"), True), *rate_heads(shown, words),
        *([Column(words("portal.pooled_all"), True)] if shown.rated and shown.void else []),
        *(Column(words(f"measure.{name}"), True) for name in shown.sums if name in OF_UNITS),
    ]  # fmt: skip


def rate_heads(shown: Shown, words: Words) -> list[Column]:
    """Return the heads of a satisfaction rate and its verdict, where there are rates and a rule."""
    heads = [Column(words("portal.parts"), True), Column(words("measure.satisfaction_rate"), True)]
    return [*heads, *([Column(words("head.verdict"))] if shown.rule else [])] if shown.rated else []


def unit_cells(every: Sequence[Record], shown: Shown, words: Words) -> list[Cell]:
    """Return a unit's figures: without void surveys but for the column that holds them."""
    usable = pooling.usable_of(every)
    pooled, with_void = pooling.pool(usable, shown.rule), pooling.pooled_rate(every)
    cells = [Cell(words.count(len(usable))), Cell(words.count(pooling.population_of(usable)))]
    if shown.rated:
        parts = parts_text(pooled.satisfied, pooled.base, words) if pooled.rated else words("not_computed")
        cells += [Cell(parts), with_interval(pooled.rate, *pooled.interval, "share", words)]
        cells += [verdict_cell(pooled.judged, words)] if shown.rule else []
        cells += [Cell(words.number(with_void, "share"))] if shown.void else []
    return [*cells, *(sum_cell(usable, name, words) for name in shown.sums if name in OF_UNITS)]


def extension_notes(shown: Shown, words: Words) -> list[str]:
    """Return that the rule may be about the company only, where it is applied to its parts."""
    return [words("company.note.extension")] if shown.rule and shown.rated else []


def projects_table(entries: Sequence[Entry], shown: Shown, words: Words) -> dict[str, Any]:
    """Return the projects side by side, in the order of the portal: heads, rows with status and link, notes."""
    heads = [
        Column(words("portal.project")), *([Column(words("company.unit"))] if shown.placed else []),
        Column(words("portal.status")), *rate_heads(shown, words),
        *([Column(own_name(shown.beside, words), True)] if shown.beside else []),
    ]  # fmt: skip
    rows = [project_row(entry, shown, words) for entry in entries]
    return {"heads": heads, "rows": rows, "notes": extension_notes(shown, words)}


def project_row(entry: Entry, shown: Shown, words: Words) -> dict[str, Any]:
    """Return a project with its own figures, as its record has them."""
    record = entry["record"]
    names, own = unit_names(record, words), pooling.beside(record)
    cells = project_cells(record, shown, words) if shown.rated else []
    if shown.beside:
        cells.append(own_cell(own, words))
    return {
        "title": title_of(record, words), "status": record["status"], "stamp": words(f"stamp.{record['status']}"),
        "href": next((f"{entry['folder']}/{name}" for name in entry["pages"] if f".{words.language}." in name), ""),
        "unit": [path_text(names, words) if names else words("not_computed")] if shown.placed else [], "cells": cells,
    }  # fmt: skip


def own_cell(row: Mapping[str, Any] | None, words: Words) -> Cell:
    """Return a figure that is not pooled."""
    if row is None:
        return Cell(words("not_computed"))
    return with_interval(row["value"], row["conf_low"], row["conf_high"], unit_of(row), words)


def project_cells(record: Record, shown: Shown, words: Words) -> list[Cell]:
    """Return a project's own satisfaction rate with its interval and verdict."""
    own = pooling.pool([record], None)
    parts = parts_text(own.satisfied, own.base, words) if own.rated else words("not_computed")
    measure = pooling.measure_of(record, RATE) or {"conf_low": None, "conf_high": None}
    cells = [Cell(parts), with_interval(own.rate, measure["conf_low"], measure["conf_high"], "share", words)]
    gate = next(pooling.same_rule(record, shown.rule), None) if shown.rule else None
    return [*cells, *([verdict_cell(gate, words)] if shown.rule else [])]


def parts_table(entries: Sequence[Entry], words: Words) -> Exhibit:
    """Return the satisfaction rate of each part of each project, with the project that they add up to."""
    rows = [row for entry in entries for row in part_rows(entry["record"], words)]
    heads = [Column(words("portal.project")), Column(words("company.part"))]
    heads += [Column(words("portal.parts"), True), Column(words("measure.satisfaction_rate"), True)]
    notes = [words("company.note.parts")]
    if any(words("suppressed") in row for row in rows):
        notes.append(words("company.note.suppressed"))
    return table(words("company.parts"), heads, rows, notes)


def part_rows(record: Record, words: Words) -> list[tuple[str, ...]]:
    """Return a project's parts and their sum; nothing of a project without parts."""
    name = title_of(record, words)
    own = [(name, words.title(part["title"], part["level"] or words("part.unnamed")), *part_cells(part, words))
           for part in record["parts"]]  # fmt: skip
    whole = pooling.measure_of(record, RATE)
    return [*own, (name, words("part.all"), *part_cells(whole, words))] if own and whole else []


def part_cells(part: Mapping[str, Any], words: Words) -> list[str]:
    """Return the satisfaction rate of a part or a whole with what it is made of."""
    if part["denominator"] is None:
        return [words("suppressed"), words("not_computed")]
    rate = part["numerator"] / part["denominator"] if part["denominator"] else None
    bounds = with_interval(rate, part["conf_low"], part["conf_high"], "share", words)
    return [parts_text(part["numerator"], part["denominator"], words), bounds]


# --- the page ---------------------------------------------------------------------------------------------------------


def render(entries: Iterable[Entry], language: str) -> str:
    """Return the company's page as HTML; empty where no procedure has two projects in a period."""
    html = unfonted(entries, language)
    return pages.with_font(html) if html else ""


def unfonted(entries: Iterable[Entry], language: str) -> str:
    """Return the page with the place of its font."""
    words, listed = speak(language), list(entries)
    groups, every = pooling.editions(listed), [entry["record"] for entry in listed]
    if not groups:
        return ""
    portal = {"text": words("page.portal"), "href": f"index.{language}.html"}
    html = template("company.html.j2").render(
        words=words, style=Markup(pages.style(language)), version=__version__,  # noqa: S704 - our own style sheet
        links=[portal, *pages.language_links("company", language)],
        sections=[section(members, every, number, words) for number, members in enumerate(groups)],
    )  # fmt: skip
    return pages.with_contents(html, words("page.contents"))


@functools.cache
def template(name: str) -> jinja2.Template:
    """Return a template of a page that is made from records."""
    loader = jinja2.PackageLoader("csat_analysis")
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True).get_template(name)


def lead(every: Sequence[Record], shown: Shown, words: Words) -> str:
    """Return what all projects together say, in a sentence; nothing without a rate."""
    pooled = pooling.pool(pooling.usable_of(every), shown.rule)
    if pooled.rate is None:
        return ""
    rate, bounds = words.number(pooled.rate, "share"), words.interval(*pooled.interval, "share")
    said = rate if bounds == words("not_computed") else words.aside(rate, words.colon(words("head.interval"), bounds))
    days = sorted({record["as_of"] for record in every if record["as_of"]})
    told = [words("company.lead", rate=said, n=words.count(len(pooled.rated)))]
    if pooled.judged and shown.rule:
        cell = verdict_cell(pooled.judged, words)
        verdict = words.aside(cell, words("comma").join(cell.below)) if cell.below else str(cell)
        told.append(words("company.lead_rule", rule=rule_text(shown.rule, words), verdict=verdict))
    told += (
        [words("company.as_of", days=words.listing(map(words.date, map(dt.date.fromisoformat, days))))] if days else []
    )
    return words("gap").join(told)


def section(entries: Sequence[Entry], listed: Sequence[Record], number: int, words: Words) -> dict[str, Any]:
    """Return what the page shows of an edition of a procedure in a period; ``listed`` are all records of the page."""
    every = [entry["record"] for entry in entries]
    shown, programme = shown_of(every), every[0]["programme"]
    title = words.title(programme["title"], programme["id"])
    return {
        "heading": words("company.heading", title=title, period=every[0]["period"]),
        "edition": words("company.edition", version=programme["version"]),
        "lead": lead(every, shown, words),
        "figures": Markup(figures_table(every, shown, words).html),  # noqa: S704 - exhibits are escaped
        "units": Markup(units_table(every, shown, words).html),  # noqa: S704 - exhibits are escaped
        "projects": projects_table(entries, shown, words),
        "matrix": Markup(matrix(every, words).html),  # noqa: S704 - exhibits are escaped
        "parts": Markup(parts_table(entries, words).html),  # noqa: S704 - exhibits are escaped
        "change": company_change.section(every, listed, number, words),
    }
