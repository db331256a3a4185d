"""Did it improve since the baseline, in words and tables? Verdicts, how they came about, what was done in between."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from csat_analysis.assembly.change import Change
from csat_analysis.assembly.gates import unit_of
from csat_analysis.assembly.situation import POPULATION_SHIFT, USED
from csat_analysis.ground.mappings import rows_of
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.change_cells import (
    COUNT,
    Row,
    change_cell,
    lacks,
    size,
    verdict_cell,
    verdict_title,
)
from csat_analysis.publishing.markup import Cell, Column, Exhibit, listing, prose, table
from csat_analysis.publishing.phrases import column_title, group_title, in_order, item_title, measure_title
from csat_analysis.statistics.differences import CENSUS

SELECTED = "selected"  # reason of a group whose project was chosen by its figures


# --- the verdict ------------------------------------------------------------------------------------------------------


def verdict_sentence(found: Change, language: str) -> Exhibit:
    """Return the verdict on each primary figure or why there is none, and that none speaks of a cause."""
    words = speak(language)
    if found.reason:
        return prose(words(f"change_none.{found.reason}", against=found.result.survey.run.baseline), kind="summary")
    rows = primary_rows(found)
    if not rows:
        return prose(words("change.no_primary"), words("change.no_cause"), kind="summary")
    reasons = dict.fromkeys(row["reason"] for row in rows if row["reason"])
    why = [why_none(each, found, words) for each in reasons]
    return prose(*judged_sentences(found, words), *why, words("change.no_cause"), kind="summary")


def judged_sentences(found: Change, words: Words) -> list[str]:
    """Return the verdict on each figure that decides, with what it stands on."""
    return [words("gap").join(_judged(row, found, words)) for row in primary_rows(found)]


def primary_rows(found: Change) -> list[dict[str, Any]]:
    """Return the rows of the figures that decide."""
    return [
        {str(key): value for key, value in row.items()} for row in ordered_rows(found) if row["family"] == "primary"
    ]


def ordered_rows(found: Change) -> list[dict[Any, Any]]:
    """Return the rows with the primary figures first, and what is counted in full last."""
    rows = rows_of(found.table)
    return sorted(rows, key=lambda row: (row["family"] != "primary", row["reason"] == COUNT))


def _judged(row: Row, found: Change, words: Words) -> Iterator[str]:
    """Yield the verdict on a figure with its company, and what else can be said of it."""
    unit = row["unit"]
    yield words(
        f"change.{_kind_of(row)}", name=spoken(found, row["id"], words), verdict=verdict_title(row, words),
        against=row["against"], before=words.number(row["before"], unit), after=words.number(row["after"], unit),
        difference=_difference(row, words), interval=words.difference_interval(row["conf_low"], row["conf_high"], unit),
        expected=words.number(row["expected"], unit),
    )  # fmt: skip
    if row["verdict"] == "unchanged":
        yield words("change.within", margin=size(row["margin"], unit, words))
    if row["verdict"] == "insufficient" and row["p_value"] is not None:
        known = row["smallest"] is not None
        yield words(f"change.{'smallest' if known else 'smallest_none'}", size=size(row["smallest"], unit, words))
        if row["not_worse"]:
            yield words("change.not_worse", margin=size(row["margin"], unit, words))


def _kind_of(row: Row) -> str:
    """Return which sentence a verdict is said in."""
    if row["before"] is None or row["after"] is None:
        return "absent"
    if row["verdict"] == "not_comparable" or (row["reason"] and row["reason"] != CENSUS):
        return "untested"
    if row["reason"] == CENSUS or row["expected"] is not None:
        return "counted" if row["expected"] is None else "predicted"
    return "unsure" if row["verdict"] == "insufficient" else "tested"


def title_of(found: Change, figure: str, words: Words) -> str:
    """Return what a figure is called."""
    programme = found.result.survey.programme
    return (
        words("measure.index") if figure == "index" and not programme.index else measure_title(programme, figure, words)
    )


def spoken(found: Change, figure: str, words: Words) -> str:
    """Return what a figure is called in a sentence."""
    item, _, kind = figure.rpartition(".")
    if not item:
        return title_of(found, figure, words)
    return words(f"change.of_{kind}", item=item_title(found.result.survey.programme, item, words))


def _difference(row: Row, words: Words) -> str:
    known = row["estimate"] is not None
    return words.difference(row["estimate"], row["unit"]) if known else words("not_computed")


def why_none(reason: str, found: Change, words: Words) -> str:
    """Return why there is no verdict on a figure, in a sentence."""
    rules, situation = found.result.survey.programme.change_rules, found.situation
    shift, limit = situation.mode_shift, rules.mode_shift
    if reason == "population":
        shift, limit = situation.population_shift, POPULATION_SHIFT
    return words(
        f"change_none.{reason}", shift=words.number(shift, "share"),
        limit=words.threshold(limit, "share"), how=_chosen_how(found, words), n=words.count(found.projects),
    )  # fmt: skip


def _chosen_how(found: Change, words: Words) -> str:
    """Return by what the project is known to have been chosen."""
    is_said = found.situation.declared or not found.situation.fired
    return words("change.chosen_declared") if is_said else words("change.chosen_fired", names=_fired(found, words))


def _fired(found: Change, words: Words) -> str:
    return words.listing(spoken(found, name, words) for name in found.situation.fired)


# --- how it was compared ----------------------------------------------------------------------------------------------


def analysis_notes(found: Change, language: str) -> Exhibit:
    """Return how the two surveys were made, which analysis follows from that, and what else the verdicts rest on."""
    words = speak(language)
    if found.reason:
        return Exhibit("")
    parts = [_who(found, words), _drawn(found, words), _alike(found, words), [_chosen(found, words)]]
    parts += [[method] for method in _methods(found, words)]
    parts += [_family_notes(found, words), _view(found, words), [_margins(found, words)]]
    return listing([said for said in map(words("gap").join, parts) if said])


def _who(found: Change, words: Words) -> Iterator[str]:
    """Yield which surveys are compared, and whether the same people answered."""
    before, after = (words.count(wave.evidence.valid) for wave in (found.before, found.after) if wave)
    against, period = periods(found)
    yield words("change.waves", against=against, period=period, n_before=before, n_after=after)
    yield words(f"change.people_{found.situation.people}")


def _drawn(found: Change, words: Words) -> Iterator[str]:
    """Yield how forms were drawn: weights, strata, clusters."""
    situation = found.situation
    yield from (words(f"change.{part}") for part in ("weighted", "stratified") if getattr(situation, part))
    if situation.clusters is not None:
        yield words("change.clusters", n=words.count(situation.clusters))
        yield words(f"change.{'same' if situation.same_clusters else 'other'}_clusters")


def _alike(found: Change, words: Words) -> Iterator[str]:
    """Yield how much of the forms and of the customers moved from one survey to the other."""
    for part in ("mode", "population"):
        shift = getattr(found.situation, f"{part}_shift")
        ending = "_unknown" if math.isnan(shift) else ""
        yield words(f"change.{part}{ending}", shift=words.number(shift, "share"))


def _chosen(found: Change, words: Words) -> str:
    """Return whether the project was chosen by its own figures."""
    situation = found.situation
    if situation.split == USED and found.before and found.whole:
        sizes = (words.count(wave.evidence.valid) for wave in (found.before, found.whole))
        return words("change.split", **dict(zip(("n", "of"), sizes, strict=True)))
    if situation.selected:
        why = f"change.split_{situation.split}" if situation.split else ""
        return words("gap").join(words(key, how=_chosen_how(found, words)) for key in ("change.selected", why) if key)
    if situation.fired:
        return words("change.selected_denied", names=_fired(found, words))
    return words(f"change.selected_{'declared_not' if situation.declared else 'not'}")


def _methods(found: Change, words: Words) -> Iterator[str]:
    """Yield each analysis that was used, and why."""
    methods = pd.Series([row["method"] for row in ordered_rows(found) if row["estimate"] is not None], dtype=object)
    for method in methods.unique():
        name = words("change.method", name=words(f"change_method.{method}"), n=words.count((methods == method).sum()))
        yield words.colon(name, words(f"change_because.{method}"))


def _family_notes(found: Change, words: Words) -> Iterator[str]:
    """Yield the families of tests, and how each is adjusted."""
    tests = families(found)
    if surveys := found.result.survey.waves:
        earlier = words.listing(each.run.period for each in surveys)
        yield words("change.over_waves", n=words.count(len(surveys) + 1), periods=earlier)
    yield from _looks(found, words)
    names = words.listing(spoken(found, row["id"], words) for row in primary_rows(found))
    if names:
        tested = "" if tests["primary"] else "_untested"
        yield words(f"change.primary{tested}", names=names, n=words.count(tests["primary"]))
    if local := sum(row is not None and row["family"] == "primary" for row in found.actions["judged"]):
        yield words("change.primary_local", n=words.count(local))
    if tests["exploratory"]:
        yield words("change.exploratory", n=words.count(tests["exploratory"]))


def _looks(found: Change, words: Words) -> Iterator[str]:
    """Yield that the survey is looked at while it runs, and which looks cannot have been."""
    plan = found.result.survey.run.looks
    if not plan or not found.looks:
        return
    *earlier, now = found.looks
    if earlier:
        known = {"n": words.count(now), "planned": words.count(plan.planned), "look": words.count(len(found.looks))}
        last = "_last" if now >= plan.planned else ""
        yield words(f"change.over_looks{last}", earlier=words.listing(map(words.count, earlier)), **known)
    if beyond := [taken for taken in plan.taken if taken >= now]:
        yield words("change.looks_beyond", n=words.count(now), looks=words.listing(map(words.count, beyond)))


def _view(found: Change, words: Words) -> Iterator[str]:
    """Yield the view that judges, and what the interval would be by the other one."""
    view = found.situation.view
    yield words(f"change.view_{view}")
    row = next((row for row in primary_rows(found) if row["other_low"] is not None), None)
    if row:
        own, other = (
            words.difference_interval(row[f"{side}_low"], row[f"{side}_high"], row["unit"])
            for side in ("conf", "other")
        )
        key = "same" if own == other else "process" if view == "residents" else "residents"
        yield words(f"change.other_{key}", name=spoken(found, row["id"], words), interval=other)


def _margins(found: Change, words: Words) -> str:
    return words("change.margins" if found.table["margin"].notna().any() else "change.no_margin")


def families(found: Change) -> dict[str, int]:
    """Return how many tests each family has, those of actions in their units among them."""
    local = [row for row in found.actions["judged"] if row is not None]
    tested = [row["family"] for row in (*rows_of(found.table), *local) if not lacks(row.get("p_value"))]
    return {family: tested.count(family) for family in ("primary", "exploratory")}


# --- the figures ------------------------------------------------------------------------------------------------------


def figure_table(found: Change, language: str) -> Exhibit:
    """Return the change of every measure and of the index, the primary ones first."""
    return _change_table(found, [row for row in ordered_rows(found) if "." not in row["id"]], "measures", language)


def item_table(found: Change, language: str) -> Exhibit:
    """Return the change of every question's mean points and satisfied share."""
    return _change_table(found, [row for row in ordered_rows(found) if "." in row["id"]], "items", language)


def _change_table(found: Change, rows: list[dict[Any, Any]], which: str, language: str) -> Exhibit:
    """Return some figures before and after, with difference, size, test and verdict."""
    words = speak(language)
    shown = [row for row in rows if row["estimate"] is not None]
    if not shown:
        return Exhibit("")
    heads = [Column(words("head.measure" if which == "measures" else "change.item")), *_period_heads(found, words)]
    heads += [Column(words(f"change.head_{name}"), True) for name in ("difference", "test", "p_value")]
    heads.append(Column(words("head.verdict")))
    silent = [spoken(found, row["id"], words) for row in rows if row["estimate"] is None]
    tests = families(found)
    caption = f"change.table_{which}" if any(tests.values()) else f"change.table_{which}_untested"
    cells, notes = [list(_cells(row, found, words)) for row in shown], list(_notes(shown, silent, words))
    counts = {name: words.count(number) for name, number in tests.items()}
    return table(words(caption, **counts), heads, cells, notes, kind="gates")


def _period_heads(found: Change, words: Words) -> list[Column]:
    """Return the heads of the two columns of figures."""
    sides = zip(("before", "after"), periods(found), strict=True)
    return [Column(words(f"change.{side}", period=period), True) for side, period in sides]


def periods(found: Change) -> list[str]:
    """Return the periods of the two surveys, that of the baseline first."""
    return [wave.survey.run.period for wave in (found.before, found.after) if wave]


def _cells(row: Row, found: Change, words: Words) -> Iterator[str]:
    """Yield the cells of a figure."""
    family = () if row["reason"] == COUNT else (words(f"change_family.{row['family']}"),)
    yield Cell(title_of(found, row["id"], words), below=family)
    yield from _sides(row, row["unit"], words)
    yield change_cell(row, row["unit"], words, *_sizes(row, words))
    yield _test_cell(row, words)
    yield _p_cell(row, words)
    yield verdict_cell(row, words)


def _sizes(row: Row, words: Words) -> Iterator[str]:
    """Yield what a change is counted from, Cliff's delta with its interval, and the standardised change."""
    if row["expected"] is not None:
        yield words("change.beyond", expected=words.number(row["expected"], row["unit"]))
    if row["delta"] is not None:
        said = words("change.delta", delta=words.difference(row["delta"], "points"))
        bounds = words.difference_interval(row["delta_low"], row["delta_high"], "points")
        yield said if bounds == words("not_computed") else words.aside(said, bounds)
    if row["standardised"] is not None:
        yield words("change.standardised", size=words.difference(row["standardised"], "points"))


def _sides(row: Row, unit: str, words: Words) -> list[Cell]:
    """Return a figure before and after, each with what it stands on."""
    return [Cell(words.number(row[side], unit), below=(words("figure.answered", n=words.count(row[f"n_{side}"])),))
            for side in ("before", "after")]  # fmt: skip


def _test_cell(row: Row, words: Words) -> Cell:
    """Return a test's statistic with its degrees of freedom, and the analysis."""
    method = words(f"change_method.{row['method']}")
    if row["p_value"] is None or row["statistic"] is None:
        return Cell(words("not_computed"), below=(method,))
    df = f"{row['df']:,.1f}".removesuffix(".0") if row["df"] is not None and math.isfinite(row["df"]) else ""
    return Cell(words.number(row["statistic"]), below=(*([words("change.df", df=df)] if df else []), method))


def _p_cell(row: Row, words: Words) -> Cell:
    """Return a p-value, that of its family, and how small it can be where nobody knows who answered twice."""
    if lacks(row["p_value"]):
        return Cell(words("not_computed"))
    below = [words("change.p_adjusted", p=words.p_value(row["p_adjusted"]))]
    least = row.get("p_least")
    below += [] if lacks(least) else [words("change.p_least", p=words.p_value(least))]
    return Cell(words.p_value(row["p_value"]), below=tuple(below))


def _notes(rows: list[dict[Any, Any]], silent: list[str], words: Words) -> Iterator[str]:
    """Yield how the columns of a table of changes are read."""
    yield words(f"change.note_difference{'' if _has_interval(rows) else '_alone'}")
    if any(row["p_value"] is not None for row in rows):
        yield words("change.note_unadjusted")
    if any(row["p_least"] is not None for row in rows):
        yield words("change.note_p_least")
    if any(row["delta"] is not None for row in rows):
        yield words("change.note_delta")
    if any(row["margin"] is not None for row in rows):
        yield words("change.note_margin")
    if silent:
        yield words("change.note_silent", names=words.listing(silent))


def _has_interval(rows: Sequence[Row]) -> bool:
    """Return whether an interval stands below any change."""
    return any(not lacks(row["conf_low"]) for row in rows)


# --- groups -----------------------------------------------------------------------------------------------------------


def group_table(found: Change, language: str) -> Exhibit:
    """Return the change of the primary figures in each group, as exploration; small groups suppressed."""
    words, groups = speak(language), found.groups
    if groups.empty:
        return Exhibit("") if found.reason else prose(words("change.no_groups"))
    several = groups["id"].nunique() > 1
    rows = [
        (_group_name(row, found, words), *([title_of(found, row["id"], words)] if several else []),
         *_group_cells(row, found.result.survey.programme, words))
        for row in _in_order(groups, found)
    ]  # fmt: skip
    heads = [Column(words("head.group")), *([Column(words("head.measure"))] if several else [])]
    heads += [
        *_period_heads(found, words),
        *(Column(words(f"change.head_{name}"), True) for name in ("difference", "p_value")),
    ]
    names = words.listing(spoken(found, name, words) for name in groups["id"].unique())
    notes = list(_group_notes(groups, found.result.survey.programme.min_n, words))
    return table(words("change.table_groups", names=names), heads, rows, notes, kind="gates")


def _group_name(row: Row, found: Change, words: Words) -> str:
    run = found.result.survey.run
    return words.colon(column_title(run, row["by"], words), group_title(run, row["by"], row["level"], words))


def _in_order(groups: pd.DataFrame, found: Change) -> Iterator[dict[Any, Any]]:
    """Yield the rows of groups, levels in the order of the run file."""
    for (_, by), part in groups.groupby(["id", "by"], sort=False):
        levels = in_order(found.result.survey.run, by, part["level"])
        yield from part.assign(place=part["level"].map(levels.index)).sort_values("place").to_dict("records")


def _group_cells(row: Row, programme: Programme, words: Words) -> tuple[str, ...]:
    """Return the figures of a group."""
    if row["suppressed"]:
        return (words("suppressed"), *[words("not_computed")] * 3)
    unit = unit_of(row["id"], programme)
    why = [words(f"change_apart.{row['reason']}")] if row["reason"] and row["reason"] != SELECTED else []
    return (*_sides(row, unit, words), change_cell(row, unit, words, *why), _p_cell(row, words))


def _group_notes(groups: pd.DataFrame, min_n: int, words: Words) -> Iterator[str]:
    """Yield how a table of groups is read."""
    yield words("change.note_groups")
    if _has_interval(groups.to_dict("records")):
        yield words("change.note_group_intervals")
    if tests := int(groups["p_adjusted"].notna().sum()):
        yield words("change.note_group_tests", n=words.count(tests))
    if (groups["reason"] == SELECTED).any():
        yield words("change.note_group_selected")
    if groups["suppressed"].astype(bool).any():
        yield words("change.note_suppressed", min_n=min_n)
