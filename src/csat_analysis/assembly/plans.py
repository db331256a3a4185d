"""What was done in between, and what was declared before? Actions, and the plan that the second survey was to judge."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from csat_analysis.assembly.load import Survey
from csat_analysis.domain import schemas
from csat_analysis.ground import runs
from csat_analysis.ground.programmes import Programme

ACTIONS = [
    "action_id", "description", "target_item", "figure", "department", "due_on", "approved_on", "completed_on",
    "verified_on", "minimal_change", "judged_by", "outcome", "planned", "effectiveness", "units", "by", "levels",
    "judged",
]  # fmt: skip
EVERYWHERE = ("", "all", "全部", "全体")  # units of an action for the whole project
OUTCOMES = {
    "effective": "effective", "有效": "effective", "partly": "partly", "部分有效": "partly", "not": "not",
    "无效": "not", "pending": "pending", "待验证": "pending",
}  # fmt: skip
PLANNED = ("action_id", "target_item", "figure", "units", "minimal_change", "judged_by", "approved_on")


def actions_between(before: Survey, after: Survey) -> pd.DataFrame:
    """Return the actions of both surveys' folders, each with what it was to change.

    Returns
    -------
    DataFrame
        The columns of ``ACTIONS``. ``figure``: what ``judged_by`` names, or the satisfied share of ``target_item``.
        ``planned``: approved before the first form of the second survey came in (before the period begins, where
        nobody knows), with a target and a smallest change that matters. ``effectiveness``: as somebody entered it under
        ``outcome``, else ``pending``; it is no verdict on a change. ``by, levels``: the groups or strata that ``units``
        names, see ``units_named``. ``judged``: the change there, which is ``change``'s to fill in.
    """
    tables = [each.tables["actions"] for each in (before, after) if "actions" in each.tables]
    if not tables:
        return pd.DataFrame(columns=ACTIONS, dtype=object)
    rows = pd.concat(tables, ignore_index=True).fillna("").drop_duplicates("action_id", keep="last")
    begun = first_form(after)
    found = [_action(row, after, begun) for row in rows.to_dict("records")]
    return pd.DataFrame(found, columns=ACTIONS, dtype=object)


def first_form(survey: Survey) -> pd.Timestamp:
    """Return the day on which the first form of a survey came in, or else on which its period begins."""
    days = (
        schemas.dates(survey.forms["received_on"]).dropna()
        if "received_on" in survey.forms
        else pd.Series(dtype=object)
    )
    return days.min() if len(days) else pd.Timestamp(runs.period_bounds(survey.run.period)[0])


def _action(row: dict[Any, Any], after: Survey, begun: pd.Timestamp) -> dict[str, Any]:
    """Return one action."""
    programme = after.programme
    days = {name: _day(str(row.get(name, ""))) for name in schemas.ACTION_DAYS}
    figure = figure_judged(str(row.get("judged_by", "")), str(row.get("target_item", "")), programme)
    least = pd.to_numeric(str(row.get("minimal_change", "")) or None, errors="coerce")
    approved = days["approved_on"]
    in_time = approved is not None and approved < begun
    by, levels = units_named(str(row.get("units", "")), after)
    return {
        **{name: str(row.get(name, "")) for name in ACTIONS}, **days, "figure": figure, "by": by, "levels": levels,
        "judged": None,
        "minimal_change": None if pd.isna(least) else float(least),
        "planned": bool(in_time and figure and pd.notna(least)),
        "effectiveness": OUTCOMES.get(str(row.get("outcome", "")).strip().lower(), "pending"),
    }  # fmt: skip


def units_named(units: str, survey: Survey) -> tuple[str, tuple[str, ...]]:
    """Return the column of groups or strata, and its values, that the units of an action are.

    Notes
    -----
    Values of one column, as the tables or the run file's titles have them, with commas or the like between; the column
    may stand before them (``building: A, B``). Nothing for the whole project, and where they are not all known.
    """
    run = survey.run
    wanted = [part.strip() for part in re.split(r"[;,，；、|]", units.rpartition(":")[2].rpartition("：")[2])]
    if not is_local({"units": units}):
        return "", ()
    for by in dict.fromkeys([*run.groups, *(["stratum"] if run.design.stratum else [])]):
        titles = run.levels.get(run.design.stratum or by if by == "stratum" else by, {})
        known = {title: level for level, names in titles.items() for title in names.values()}
        known |= {str(level): str(level) for level in survey.forms.get(by, pd.Series(dtype=object)).unique()}
        if all(name in known for name in wanted):
            return by, tuple(dict.fromkeys(known[name] for name in wanted))
    return "", ()


def is_local(action: Mapping[Any, Any]) -> bool:
    """Return whether an action is for a part of the project alone."""
    return str(action["units"]).strip().lower() not in EVERYWHERE


def _day(text: str) -> pd.Timestamp | None:
    day = schemas.dates(pd.Series([text])).iloc[0]
    return None if pd.isna(day) else day


def figure_judged(judged_by: str, target_item: str, programme: Programme) -> str:
    """Return the figure that an action is judged by; empty where it names none that there is."""
    item, _, kind = judged_by.strip().rpartition(".")
    if item in programme.item_ids and kind in ("mean", "satisfied"):
        return judged_by.strip()
    if judged_by.strip() in (programme.headline_measure, "satisfaction_rate", "index"):
        return judged_by.strip()
    return f"{target_item.strip()}.satisfied" if target_item.strip() in programme.item_ids else ""


def plan_digest(actions: pd.DataFrame) -> str:
    """Return a checksum of what was declared before the second survey; empty where nothing was.

    Notes
    -----
    SHA-256 of the planned actions, by their ids: target, figure, units, smallest change that matters, test and day of
    approval. Whoever wrote the checksum down before can see that nothing was changed since.
    """
    own = actions[actions["planned"].astype(bool)].sort_values("action_id")
    rows = [{name: str(row.get(name, "")) for name in PLANNED} for row in own.to_dict("records")]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()).hexdigest() if rows else ""
