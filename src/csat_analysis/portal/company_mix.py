"""Of what is the change of the company's rate made, by its records alone? Who is compared, who is left out and why."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from csat_analysis.assembly.modes import error_of_process
from csat_analysis.estimation.mix import AFTER, BEFORE, Mix, decompose_change
from csat_analysis.portal.pooling import RATE, Record, measure_of, pooled_rate, usable_of

SIDES = (BEFORE, AFTER)
CELLS = ["project", "mode", "n", "total", "variance", "df"]
VOID, NO_RATE, NO_BASELINE, OTHER_BASELINE = "void", "no_rate", "no_baseline", "other_baseline"
OLD, UNREADABLE, OTHER_EDITION = "old_record", "unreadable", "other_edition"
NOT_ALIKE = ("wording", "scale", "rules", "population")  # reasons why two surveys of a project say nothing together
DEPENDENT = ("tango", "linked", "same_clusters")  # analyses of surveys that share people or clusters
GUARDED = ("predictive", "refused")  # analyses of figures by which a project was chosen
Cells = list[dict[str, Any]]


class Compared(NamedTuple):
    """What changed a company's rate since a baseline.

    Attributes
    ----------
    records
        Of each key of ``mix.projects`` the record that names the project.
    left_out
        Records with the reason why they are not in it.
    is_sure
        Whether the records say how sure every rate is, and nothing forbids to go by it.
    chosen
        Records of projects that were chosen for low figures, where a test would take their recovery for a change:
        of the others no more were asked again than were not.
    dependent
        The records of projects whose two surveys share people or clusters.
    pages
        The pooled rates that the page has of the baseline and the period; None where it has none.
    """

    against: str
    mix: Mix
    records: Mapping[int, Record]
    left_out: Sequence[tuple[Record, str]]
    is_sure: bool
    chosen: Sequence[Record]
    dependent: Sequence[Record]
    pages: tuple[float | None, float | None]


def baseline_of(records: Iterable[Record]) -> str | None:
    """Return the baseline that most projects are compared with, of several the latest; None where there is none."""
    named = Counter(record["baseline"] for record in records if record["baseline"])
    return max(named, key=lambda period: (named[period], period), default=None)


def compare_company(members: Sequence[Record], every: Sequence[Record]) -> Compared | None:
    """Return what changed the rate of the projects of an edition; None where fewer than two have anything to say.

    Parameters
    ----------
    members
        The records of an edition of a procedure in a period.
    every
        All records of the page, those of the baseline among them.
    """
    against = baseline_of(members)
    if against is None:
        return None
    earlier = _earlier(members[0], against, every)
    roles = [(record, *_role(record, against, earlier)) for record in members]
    roles += [(record, *_gone(record, members, every, earlier)) for record in earlier if _is_gone(record, members)]
    parts = [(record, cells) for record, cells, _ in roles if cells]
    both = [record for record, cells in parts if all(cells)]
    if not both or len(parts) < 2:
        return None
    tables = [_table(enumerate(cells[side] for _, cells in parts)) for side in (0, 1)]
    chosen = [record for record in both if _is_chosen(record)]
    if len(both) - len(chosen) > sum(not after for _, (_, after) in parts):
        chosen = []
    is_sure = not chosen and all(bool(table["variance"].notna().all()) for table in tables)
    mix = decompose_change(*(table.fillna({"variance": 0.0}) for table in tables))
    return Compared(
        against, mix, {key: record for key, (record, _) in enumerate(parts)},
        [(record, reason) for record, _, reason in roles if reason], is_sure, chosen,
        [record for record in both if (row := change_of(record, RATE)) and row["method"] in DEPENDENT],
        (pooled_rate(usable_of(earlier)), pooled_rate(usable_of(members))),
    )  # fmt: skip


def change_of(record: Record, figure: str) -> Mapping[str, Any] | None:
    """Return a record's row on the change of a figure."""
    return next((row for row in record["change"] or () if row["id"] == figure), None)


def _is_chosen(record: Record) -> bool:
    """Return whether a project was chosen by the figures that are compared."""
    row = change_of(record, RATE)
    return row is not None and (row["method"] in GUARDED or bool(record.get("undecided")))


def _earlier(member: Record, against: str, every: Iterable[Record]) -> list[Record]:
    """Return the records of a procedure in the baseline."""
    same = member["programme"]["id"]
    return [record for record in every if record["period"] == against and record["programme"]["id"] == same]


# --- who takes part ---------------------------------------------------------------------------------------------------


def _role(record: Record, against: str, earlier: Sequence[Record]) -> tuple[list[Cells], str]:
    """Return the cells of a project before and after, or why it is left out."""
    reason = _why_not(record, against, earlier)
    if reason:
        return [], reason
    if record["baseline"] is None:
        cells = [[], _of_record(record)]
    else:
        cells = [[_cell(n, row, side) for n, row in enumerate(record["modes"])] for side in SIDES]
    return (cells, "") if any(cells) else ([], NO_RATE)


def _why_not(record: Record, against: str, earlier: Sequence[Record]) -> str:
    """Return why a project of the period is not compared; nothing where it is, or has answers in the period only."""
    before = [each for each in earlier if each["project"] == record["project"]]
    if record["status"] == VOID or (record["baseline"] and not usable_of(before) and before):
        return VOID
    if record["baseline"] is None:
        return NO_BASELINE if before else ""
    if record["baseline"] != against:
        return OTHER_BASELINE
    row = change_of(record, RATE)
    if row is None or record["modes"] is None:
        return OLD if record["change"] is None or record["modes"] is None else UNREADABLE
    if row["reason"] in NOT_ALIKE:
        return str(row["reason"])
    if not record["modes"]:
        return NO_RATE if row["before"] is None or row["after"] is None else VOID
    return "" if _are_sound(record["modes"]) else OLD


def _are_sound(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the channels of a record can be added up: somebody may have changed it by hand."""
    if not all(sum(row[f"denominator_{side}"] for row in rows) > 0 for side in SIDES):
        return False
    return all(
        math.isfinite(row[f"numerator_{side}"]) and math.isfinite(row[f"denominator_{side}"])
        and row[f"denominator_{side}"] >= 0 and (row[f"se_{side}"] is None or row[f"se_{side}"] >= 0)
        for row in rows
        for side in SIDES
    )  # fmt: skip


def _is_gone(record: Record, members: Sequence[Record]) -> bool:
    """Return whether a project of the baseline is not among those of the period."""
    return record["project"] not in {each["project"] for each in members}


def _gone(
    record: Record, members: Sequence[Record], every: Sequence[Record], earlier: Sequence[Record]
) -> tuple[list[Cells], str]:
    """Return the cells of a project that has answers in the baseline only, or why it is left out."""
    known = {each["project"] for each in members}
    editions = {each["programme"]["version"] for each in earlier if each["project"] in known}
    editions |= {members[0]["programme"]["version"]}
    now = record["project"], members[0]["period"]
    elsewhere = [each for each in every if (each["project"], each["period"]) == now]
    if record["status"] == VOID:
        return [], VOID
    if elsewhere or record["programme"]["version"] not in editions:
        return [], OTHER_EDITION
    cells = _of_record(record)
    return ([cells, []], "") if cells else ([], NO_RATE)


# --- cells ------------------------------------------------------------------------------------------------------------


def _cell(mode: int, row: Mapping[str, Any], side: str) -> dict[str, Any]:
    """Return a channel of a project in one period."""
    n, total, se, df = (row[f"{name}_{side}"] for name in ("denominator", "numerator", "se", "df"))
    return {"mode": mode, "n": n, "total": total, "se": se, "df": df}


def _of_record(record: Record) -> Cells:
    """Return the rate of a record as the only cell of its project; none where it has no rate."""
    rate = measure_of(record, RATE)
    if rate is None or not rate["denominator"] > 0:
        return []
    parts = rate["numerator"], rate["denominator"]
    known = rate["se"] is not None and 0 <= parts[0] <= parts[1]
    se = error_of_process(*parts, rate["design_effect"]) if known else None
    return [{"mode": 0, "n": parts[1], "total": parts[0], "se": se, "df": rate["df"]}]


def _table(parts: Iterable[tuple[int, Cells]]) -> pd.DataFrame:
    """Return the cells of all projects as ``mix.decompose_change`` takes them; NaN: a variance that is not known."""
    rows = [{"project": key, **cell} for key, cells in parts for cell in cells if cell["n"] > 0]
    pooled = sum(row["total"] for row in rows) / max(sum(row["n"] for row in rows), 1.0)
    return pd.DataFrame([dict(zip(CELLS, _filled(row, pooled), strict=True)) for row in rows], columns=CELLS)


def _filled(row: Mapping[str, Any], pooled: float) -> Iterator[Any]:
    """Yield the columns of a cell; one with a single answer errs as the pooled rate would."""
    yield from (row[name] for name in CELLS[:4])
    alone = pooled * (1 - pooled) / row["n"] if row["n"] < 2 else math.nan
    yield max(alone, 0.0) if row["se"] is None else row["se"] ** 2
    yield max(row["df"] or row["n"] - 1, 1.0)


def present(compared: Compared, when: str) -> list[Record]:
    """Return the records of the projects with answers in ``before`` or ``after`` only, or in ``both``."""
    rows = compared.mix.projects
    return [compared.records[int(key)] for key in rows.loc[rows["present"] == when, "project"]]


def rate_apart(compared: Compared, side: str) -> float | None:
    """Return the pooled rate that the page has of a period, where it is not the one compared; else None."""
    shown = compared.pages[SIDES.index(side)]
    sums = pooled_of(compared, side)
    return None if shown is None or math.isclose(shown, sums[0] / sums[1], abs_tol=1e-9) else shown


def pooled_of(compared: Compared, side: str) -> tuple[float, float]:
    """Return satisfied and answers of all that is compared in a period."""
    cells = compared.mix.cells
    rates, answers = cells[f"rate_{side}"].fillna(0.0), cells[f"n_{side}"]
    return float((rates * answers).sum()), float(answers.sum())
