"""Which numbers leave the house? A run's record: language-free, without a clock, the same for the same inputs."""

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from csat_analysis.assembly import plans
from csat_analysis.assembly.assessment import Assessment
from csat_analysis.assembly.change import Change, Peers, is_void, judge_change
from csat_analysis.assembly.gates import unit_of
from csat_analysis.assembly.importance import Importance, importance_of
from csat_analysis.assembly.modes import rates_by_mode
from csat_analysis.assembly.procedure import standing
from csat_analysis.ground.mappings import rows_of
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.runs import Counts
from csat_analysis.ground.software import software
from csat_analysis.publishing.phrases import in_order
from csat_analysis.publishing.record_keys import ActionRow, Headline, ImportanceRow, ProgrammeKey, Record

LISTED_REJECTIONS = 1000


def build(result: Assessment, peers: Peers = ()) -> Record:
    """Return the record of an assessment; ``peers`` see ``change.judge_change``."""
    changed, important = judge_change(result, peers), importance_of(result)
    survey, programme = result.survey, result.survey.programme
    run = survey.run
    return Record(
        programme=ProgrammeKey(
            id=programme.id, version=programme.version, title=programme.title, sha256=survey.programme_sha256
        ),
        project=run.project, title=run.title, within=list(run.within), period=run.period, baseline=run.baseline,
        as_of=run.as_of.isoformat(), status=result.status, headline=_headline(result), counts=_counts(result),
        measures=rows(result.measures), gates=_gates(result),
        triggers=_triggers(result), index=result.index, grade=result.grade, design=_design(result),
        items=rows(result.items), item_titles={item.id: item.title or {} for item in programme.items},
        answers=rows(result.distribution), drivers=_drivers(important), importance=_importance(important),
        strata=rows(result.strata), groups=rows(result.groups), parts=_parts(result),
        respondents=rows(result.respondents), weighted=rows(result.weighted),
        comparisons=rows(result.comparisons), change=_change(changed), undecided=_undecided(changed),
        modes=_modes(changed), portfolio=_portfolio(changed), plan=changed.plan, actions=_actions(changed),
        steps=_steps(result), clauses=[{"clause": c, "state": s} for c, s in standing(result.clauses).items()],
        accounts=rows(survey.accounts), findings=[finding._asdict() for finding in survey.findings],
        rejected=[_blank_to_none(row) for row in rows(survey.rejected.head(LISTED_REJECTIONS))],
        rejected_count=len(survey.rejected), inputs=rows(survey.inputs), software=software(),
    )  # fmt: skip


def _headline(result: Assessment) -> Headline:
    """Return what the portal shows first."""
    programme = result.survey.programme
    name = programme.headline_measure
    numbers = {key: result.measure(name).get(key) for key in ("value", "conf_low", "conf_high")}
    return Headline(measure=name, unit=unit_of(name, programme), title=_own_title(name, programme), **numbers)


def _gates(result: Assessment) -> list[dict[str, Any]]:
    """Return the gates with the names of what they are on, so that a reader of the record needs no programme."""
    programme = result.survey.programme
    return [
        {**row, "title": _own_title(row["measure"], programme), "unit": unit_of(row["measure"], programme)}
        for row in rows(result.gates.drop(columns=["otherwise", "voids"]))
    ]


def _drivers(found: Importance) -> dict[str, Any]:
    """Return what the other questions explain together, and which are left out."""
    drivers = found.found.drivers if found.found else None
    known = {} if drivers is None else {key: plain(value) for key, value in drivers._asdict().items()}
    names = ("method", "r_squared", "conf_low", "conf_high")
    return {
        **{name: known.get(name) for name in names},
        "target": found.target or None, "reason": found.reason, "n": found.n, "items": found.drivers,
        "replications": known.get("replications", 0), "lacking": known.get("left_out", 0),
        "performance_at": found.found and plain(found.found.performance_at),
        "importance_at": found.found and plain(found.found.importance_at),
        "left_out": rows(found.left_out.drop(columns="level").rename(columns={"id": "item"})),
    }  # fmt: skip


def _importance(found: Importance) -> list[dict[str, Any]]:
    table = found.table.rename(columns={"driver": "item"})
    return rows(table[[*ImportanceRow.model_fields]]) if len(table) else []


def _design(result: Assessment) -> dict[str, Any]:
    """Return how the survey was drawn."""
    evidence, design = result.evidence, result.evidence.design
    return {
        "weighted": evidence.is_weighted, "strata": len(design.population),
        "clusters": len(design.strata) - int(design.alone.sum()), "lonely_strata": design.lonely_strata,
        "lonely": design.lonely, "design_effect": evidence.effect,
    }  # fmt: skip


def _parts(result: Assessment) -> list[dict[str, Any]]:
    """Return the parts with their names, in the order of the run file."""
    run = result.survey.run
    titles = run.levels.get(run.design.stratum or "", {})
    found = {row["level"]: {**row, "title": titles.get(row["level"])} for row in rows(result.parts)}
    return [found[level] for level in in_order(run, "stratum", found)]


def _steps(result: Assessment) -> list[dict[str, Any]]:
    """Return the steps without what people wrote by hand."""
    kept = result.steps.drop(columns=["responsible", "evidence", "reason"])
    return [
        {key: value.isoformat() if isinstance(value, dt.date) else value for key, value in row.items()}
        for row in rows(kept)
    ]


def _change(changed: Change) -> list[dict[str, Any]]:
    """Return the changes, all as after minus before; beyond what was to be expected is a number of its own."""
    return [_beyond(row) for row in rows(changed.table.drop(columns="unit"))]


def _beyond(row: dict[str, Any]) -> dict[str, Any]:
    known = row["before"] is not None and row["after"] is not None
    plain = {**row, **dict.fromkeys(("gain", "gain_low", "gain_high"))}
    plain["estimate"] = row["after"] - row["before"] if known else None
    if row["expected"] is None:
        return plain
    gain = {"gain": row["estimate"], "gain_low": row["conf_low"], "gain_high": row["conf_high"]}
    return {**plain, **gain, "conf_low": None, "conf_high": None}


def _undecided(changed: Change) -> int | None:
    """Return the valid forms of the baseline that the action was not decided on, where these alone are compared."""
    is_part = changed.before is not None and changed.before is not changed.whole
    return changed.before.evidence.valid if changed.before and is_part else None


def _modes(changed: Change) -> list[dict[str, Any]]:
    """Return the rates of the channels before and after; nothing where a survey must not be used."""
    before, after = changed.whole, changed.after
    if before is None or after is None or is_void(before, after):
        return []
    return rows(rates_by_mode(before, after))


def _portfolio(changed: Change) -> dict[str, Any] | None:
    """Return what action brought over all projects; None where the project was not chosen."""
    found = changed.portfolio
    if found is None:
        return None
    ways = {"residual": found.contrast, "discontinuity": found.discontinuity}
    contrasts = {name: {key: plain(value) for key, value in way._asdict().items()} for name, way in ways.items()}
    return {"figure": found.figure, "threshold": found.threshold, "projects": found.projects, **contrasts}


def _actions(changed: Change) -> list[dict[str, Any]]:
    """Return the actions without what people wrote by hand."""
    found = rows_of(changed.actions)
    every = [{**(row["judged"] or {}), **row, "local": plans.is_local(row)} for row in found]
    kept = pd.DataFrame(every, columns=[*ActionRow.model_fields], dtype=object)
    return [
        {key: value.date().isoformat() if isinstance(value, pd.Timestamp) else value for key, value in row.items()}
        for row in rows(kept.assign(levels=kept["levels"].map(list)))
    ]


def _triggers(result: Assessment) -> list[dict[str, Any]]:
    """Return the triggers with their names."""
    titles = {trigger.id: trigger.title for trigger in result.survey.programme.triggers}
    return [{**row, "title": titles.get(row["id"])} for row in rows(result.triggers)]


def _own_title(name: str, programme: Programme) -> dict[str, str] | None:
    """Return the programme's own title of the index, or of the item of a figure; the catalogue's measures have none."""
    if name == "index":
        return programme.index.title if programme.index else None
    return next((item.title for item in programme.items if item.id == name.rpartition(".")[0]), None)


def _counts(result: Assessment) -> dict[str, int | None]:
    """Return the totals behind the rates."""
    evidence = result.evidence
    satisfied = int(evidence.forms.loc[evidence.forms["satisfied"], "count"].sum())
    declared = {name: getattr(result.survey.counts, name) for name in Counts.model_fields}
    return {**declared, "eligible": evidence.eligible, "returned": evidence.returned, "valid": evidence.valid,
            "satisfied": satisfied if evidence.programme.satisfied_form else None}  # fmt: skip


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows with plain Python values, None where there is no number."""
    return [{str(key): plain(value) for key, value in row.items()} for row in rows_of(table)]


def plain(value: Any) -> Any:
    """Return a value as JSON knows it.

    >>> plain(np.float64("nan")), plain(np.int64(3)), plain(2.0)
    (None, 3, 2.0)
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _blank_to_none(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if value == "" else value for key, value in row.items()}


def as_json(content: Any) -> str:
    """Return JSON text: readable, in a fixed order, without NaN."""
    data = content.model_dump(mode="json") if isinstance(content, BaseModel) else content
    return json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
