"""Was each step done, in time and on record? The duties and registers of a procedure against the steps table."""

import calendar
import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from csat_analysis.domain.schemas import dates
from csat_analysis.ground.programmes import FIELDWORK, Programme, Register, Step

MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
COLUMNS = [
    "kind", "id", "window", "due_on", "done_on", "state", "why", "responsible", "evidence", "reason", "clause",
]  # fmt: skip
STATES = ("missing", "late", "not_assessed", "pending", "met")  # the worst first


@dataclass(frozen=True)
class Ledger:
    """What is known of a run's steps.

    Attributes
    ----------
    table
        ``step, due_on, done_on, responsible, evidence, reason``, screened; None where none was delivered.
    first, last, as_of
        The period, and the day of the report.
    fieldwork
        The day on which the first form went out; None where unknown.
    shown
        The parts of the survey that show a step by themselves and are there: ``fieldwork``, ``groups``.
    """

    table: pd.DataFrame | None
    first: dt.date
    last: dt.date
    as_of: dt.date
    fieldwork: dt.date | None
    shown: frozenset[str] = frozenset()

    def of(self, identifier: str) -> list[dict[str, Any]]:
        """Return the entries of a step or register; a day after that of the report is not there yet."""
        return self._entries.get(identifier, [])

    @functools.cached_property
    def _entries(self) -> dict[str, list[dict[str, Any]]]:
        if self.table is None:
            return {}
        blank = pd.Series("", index=self.table.index)
        texts = {name: self.table.get(name, blank) for name in ("step", "responsible", "evidence", "reason")}
        days = {name: dates(self.table.get(name, blank)).dt.date for name in ("due_on", "done_on")}
        found: dict[str, list[dict[str, Any]]] = {}
        for entry in pd.DataFrame({**texts, **days}).to_dict("records"):
            known = {"due_on": _day(entry["due_on"]), "done_on": self._done(entry["done_on"])}
            found.setdefault(entry.pop("step"), []).append({**entry, **known})
        return found

    def _done(self, day: Any) -> dt.date | None:
        known = _day(day)
        return known if known and known <= self.as_of else None


def _day(day: Any) -> dt.date | None:
    return day if isinstance(day, dt.date) and not pd.isna(day) else None


def judge_steps(programme: Programme, ledger: Ledger) -> pd.DataFrame:
    """Return one row per step and register, and one for each time a repeated step is due.

    Returns
    -------
    DataFrame
        ``kind`` (step or register)``, id, window`` (first day of the month, quarter … of a repeated step)``, due_on,
        done_on, state, why, responsible, evidence, reason, clause``.

    Notes
    -----
    ``met``: done in time, with evidence named. ``late``: done after it was due. ``missing``: not done when it was due,
    or when the period is over; or done without evidence. ``pending``: not due yet. ``not_assessed``: nobody delivered a
    steps table, it is done only when needed, or its evidence is in a part of the cycle that cannot be seen yet.
    """
    rows = [row for step in programme.steps for row in _of_step(step, ledger)]
    done = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
    rows += [row for register in programme.registers for row in _of_register(register, programme, done, ledger)]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)


def _of_step(step: Step, ledger: Ledger) -> Iterator[dict[str, Any]]:
    """Yield the row of each time a step is due, or of each time it was done where no time is set."""
    entries, followed = ledger.of(step.id), _followed(step, ledger)
    if step.every is None:
        for n, entry in enumerate(sorted(entries, key=_order) or [None]):  # type: ignore[list-item]
            place = n if step.before != FIELDWORK else 0  # there is one fieldwork, and a round for each of the others
            limit = months_before(followed[place], step.months) if place < len(followed) else None
            yield {**_row("step", step), **_judged(step, entry, limit, ledger)}
        return
    for first, last in windows(step.every, ledger.first, ledger.last):
        limits = [months_before(day, step.months) for day in followed if first <= day <= last]
        due = min([*limits, last])
        begin = first if first <= due else dt.date.min  # it had to be done before
        own = [entry for entry in entries if begin <= (_dated(entry) or dt.date.min) <= last and _dated(entry)]
        own = own or [entry for entry in entries if _dated(entry) is None]
        judged = [_judged(step, entry, due, ledger) for entry in own or [None]]  # type: ignore[list-item]
        yield {**_row("step", step), "window": first, **max(judged, key=lambda row: STATES.index(row["state"]))}


def _dated(entry: dict[str, Any]) -> dt.date | None:
    """Return the day by which an entry belongs to a window: that on which it was due, else done."""
    return entry["due_on"] or entry["done_on"]


def _order(entry: dict[str, Any]) -> dt.date:
    return _dated(entry) or dt.date.max


def _row(kind: str, duty: Step | Register) -> dict[str, Any]:
    return {**dict.fromkeys(COLUMNS), "kind": kind, "id": duty.id, "clause": duty.clause}


def windows(every: str, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Yield the first and last day of each month, quarter … that has a part in a period.

    >>> [day.isoformat() for day, _ in windows("quarter", dt.date(2024, 4, 1), dt.date(2024, 9, 30))]
    ['2024-04-01', '2024-07-01']
    """
    length = MONTHS[every]
    start = dt.date(first.year, first.month - (first.month - 1) % length, 1)
    while start <= last:
        following = (pd.Timestamp(start) + pd.DateOffset(months=length)).date()
        yield start, following - dt.timedelta(days=1)
        start = following


def _followed(step: Step, ledger: Ledger) -> list[dt.date]:
    """Return the days on which what a step has to precede was done, the first first; none where that is unknown."""
    days = [entry["done_on"] for entry in ledger.of(step.before or "") if entry["done_on"]]
    if step.before == FIELDWORK and ledger.fieldwork:
        days.append(ledger.fieldwork)
    return sorted(days)


def months_before(day: dt.date, months: int) -> dt.date:
    """Return the day so many months before, the last of its month where that is shorter.

    >>> months_before(dt.date(2024, 3, 31), 1).isoformat()
    '2024-02-29'
    """
    year, month = divmod(12 * day.year + day.month - 1 - months, 12)
    if year < dt.MINYEAR:
        return dt.date.min
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _judged(
    duty: Step | Register, entry: dict[str, Any] | None, limit: dt.date | None, ledger: Ledger
) -> dict[str, Any]:
    """Return the state of one time a step is due, and why."""
    if entry is None:
        state, why = _without_entry(duty, limit, ledger)
        return {"due_on": limit, "state": state, "why": why}
    due = min(filter(None, (entry["due_on"], limit)), default=None)
    if entry["done_on"] is None:
        only_why = entry["due_on"] is None and not entry["evidence"]
        state, why = _without_entry(duty, due, ledger) if only_why else _open(due, ledger)
    elif not entry["evidence"]:
        state, why = "missing", "no_evidence"
    else:
        state, why = ("late", "done_late") if due and entry["done_on"] > due else ("met", "done")
    return {**entry, "due_on": due, "state": state, "why": why}


def _without_entry(duty: Step | Register, limit: dt.date | None, ledger: Ledger) -> tuple[str, str]:
    """Return the state of what nobody has entered."""
    if duty.seen_in in ledger.shown:
        return "met", f"shown_{duty.seen_in}"
    if duty.seen_in == "groups":
        return "missing", "no_groups"
    if duty.seen_in != "steps":
        return "not_assessed", duty.seen_in
    if ledger.table is None:
        return "not_assessed", "no_table"
    if isinstance(duty, Step) and duty.when_needed:
        return "not_assessed", "when_needed"
    return _open(limit, ledger)


def _open(due: dt.date | None, ledger: Ledger) -> tuple[str, str]:
    """Return the state of what is not done: missing from the day after it was due, or after the period."""
    return ("missing", "not_done") if (due or ledger.last) < ledger.as_of else ("pending", "not_due")


def _of_register(
    register: Register, programme: Programme, steps: pd.DataFrame, ledger: Ledger
) -> Iterator[dict[str, Any]]:
    """Yield a register's rows: its own entries, else that of a step which leaves it behind."""
    row, entries = _row("register", register), ledger.of(register.id)
    for entry in entries:
        yield {**row, **_judged(register, entry, None, ledger)}
    if entries:
        return
    writers = [step.id for step in programme.steps if step.record == register.id]
    written = steps[steps["id"].isin(writers) & (steps["evidence"].fillna("") != "") & steps["done_on"].notna()]
    if len(written):
        of_step = written.iloc[-1][["evidence", "done_on", "responsible"]].to_dict()
        yield {**row, **of_step, "state": "met", "why": "written_by_step"}
    else:
        yield {**row, **_judged(register, None, None, ledger)}


def worst(states: Any) -> str | None:
    """Return the worst of some states; None of none.

    >>> worst(["met", "late"]), worst([])
    ('late', None)
    """
    return min(states, key=STATES.index, default=None)
