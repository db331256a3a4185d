"""What did a run find? The assessment and the change behind a record, read back as far as the record holds them.

Exhibits that need no single form say of these what they said on the pages of the run.
"""

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ValidationError

from csat_analysis.assembly import plans
from csat_analysis.assembly.assessment import Assessment, Judged
from csat_analysis.assembly.change import CHANGE, Change
from csat_analysis.assembly.gates import unit_of
from csat_analysis.assembly.importance import Importance
from csat_analysis.assembly.load import Finding, Survey
from csat_analysis.assembly.situation import Wave
from csat_analysis.documents.packing import plain
from csat_analysis.domain.evidence import Evidence
from csat_analysis.domain.steps import COLUMNS as STEPS
from csat_analysis.estimation.drivers import Drivers
from csat_analysis.estimation.quadrants import DriverMap
from csat_analysis.ground.errors import ReportError
from csat_analysis.ground.params import Document
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.runs import Counts, Run
from csat_analysis.publishing.record_keys import (
    Account,
    AnswerRow,
    ChangeRow,
    Comparison,
    GateRow,
    GroupRow,
    ImportanceRow,
    Input,
    ItemRow,
    LeftOut,
    MeasureRow,
    PartRow,
    Record,
    Rejection,
    RespondentRow,
    WeightedRow,
)

DAYS = ("due_on", "completed_on", "verified_on")  # of an action
AGAIN = "bring the run up to date first (csat run, with --force where it is closed)"


# --- the file ---------------------------------------------------------------------------------------------------------


def read(path: Path, shown: str) -> Record | None:
    """Return the record in a file; None where there is none.

    Raises
    ------
    ReportError
        Where it cannot be read, or another edition of the package wrote it.
    """
    try:
        return Record.model_validate(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except ValidationError:
        raise ReportError(f"{shown}: was written by another edition of the package; {AGAIN}.") from None
    except (OSError, ValueError):
        raise ReportError(f"{shown}: cannot be read; {AGAIN}.") from None


def check_names(record: Record, programme: Programme, shown: str) -> None:
    """Raise where a record speaks of what the file of its procedure does not have any more.

    Raises
    ------
    ReportError
        The names are those of the procedure's file: without them nothing can be called by its name.
    """
    own = {
        "items": ({row.id for row in record.items}, set(programme.item_ids)),
        "scale": ({row.level for row in record.answers if row.share is not None}, set(programme.level_ids)),
        "triggers": ({row.id for row in record.triggers}, {each.id for each in programme.triggers}),
        "steps": ({row.id for row in record.steps}, {each.id for each in programme.duties}),
        "clauses": ({row.clause for row in record.clauses}, {each.id for each in programme.clauses}),
        "grades": ({record.grade.id} if record.grade else set(), {each.id for each in programme.grades}),
    }
    gone = sorted(f"{key}: {name}" for key, (there, known) in own.items() for name in there - known)
    if [gate.measure for gate in record.gates] != [gate.measure for gate in programme.gates]:
        gone.append("gates")
    if (record.index is None) != (programme.index is None):
        gone.append("index")
    if gone:
        raise ReportError(f"{shown}: the procedure's file has changed since ({gone[0]}); {AGAIN}.")


# --- the assessment ---------------------------------------------------------------------------------------------------


def assessment_of(record: Record, programme: Document[Programme], run: Run) -> Assessment:
    """Return the assessment that a record was made from, without its forms: of these there are only the numbers."""
    rules = with_plain_titles(programme.content)
    survey, evidence, gates = _survey(record, rules, run), _evidence(record, rules), _gates(record, rules)
    index = _plain(record.index)
    return Assessment(
        survey=survey, evidence=evidence, status=record.status, measures=_table(record.measures, MeasureRow),
        gates=gates, triggers=_triggers(record), index=index, grade=_plain(record.grade),
        judged=Judged(evidence, {}, index, survey.answers, gates), items=_table(record.items, ItemRow),
        strata=_table(record.strata, GroupRow), groups=_table(record.groups, GroupRow),
        distribution=_table(record.answers, AnswerRow),
        parts=_table(record.parts, PartRow), comparisons=_table(record.comparisons, Comparison),
        steps=_steps(record), clauses=pd.DataFrame([dict(row) for row in record.clauses], columns=["clause", "state"]),
        respondents=_table(record.respondents, RespondentRow), weighted=_weighted(record),
    )  # fmt: skip


def with_plain_titles(programme: Programme) -> Programme:
    """Return a programme whose questions and index are called by what a picture can show."""
    items = tuple(item.model_copy(update={"title": _plain_title(item.title)}) for item in programme.items)
    index = programme.index and programme.index.model_copy(update={"title": _plain_title(programme.index.title)})
    return programme.model_copy(update={"items": items, "index": index})


def _plain_title(title: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if title is None else {language: plain(text) for language, text in title.items()}


def importance_of(record: Record, result: Assessment) -> Importance:
    """Return the importance of the questions as a record tells of it."""
    told = record.drivers
    table = _table(record.importance, ImportanceRow).rename(columns={"item": "driver"})
    numbers = {name: float for name in table if name not in ("driver", "quadrant", "reason")}
    table = table.astype(numbers) if len(table) else pd.DataFrame()
    left_out = _table(told.left_out, LeftOut).rename(columns={"item": "id"}).assign(level="")
    drivers = Drivers(
        table, _number(told.r_squared), _number(told.conf_low), _number(told.conf_high), told.n, told.lacking,
        units=0, replications=told.replications, method=told.method or "", reason=told.reason,
    )  # fmt: skip
    found = DriverMap(table, _number(told.performance_at), _number(told.importance_at), drivers)
    known = None if told.method is None else found
    return Importance(result, told.target or "", told.reason, table, left_out, told.n, told.items, known)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _table(rows: Iterable[BaseModel], model: type[BaseModel]) -> pd.DataFrame:
    """Return rows of a record as a table, which has its columns without rows, too."""
    return pd.DataFrame([dict(row) for row in rows], columns=list(model.model_fields), dtype=object)


def _plain(part: BaseModel | None) -> dict[str, Any] | None:
    return None if part is None else part.model_dump()


def _survey(record: Record, programme: Programme, run: Run) -> Survey:
    """Return the survey without what was answered: the questions asked, and the accounts of its tables."""
    optional = {item.id for item in programme.items if item.optional}
    asked = [row.id for row in record.items if row.n or row.id not in optional]
    accounts = _table(record.accounts, Account)
    return Survey(
        programme=programme, programme_sha256=record.programme.sha256, run=run, forms=_rows(record),
        answers=pd.DataFrame(columns=asked, dtype=object), tables={},
        counts=Counts(**{name: record.counts.get(name) for name in Counts.model_fields}),
        rejected=_table(record.rejected, Rejection).fillna(""), accounts=accounts, inputs=_table(record.inputs, Input),
        findings=tuple(Finding(each.code, each.values) for each in record.findings),
    )  # fmt: skip


def _rows(record: Record) -> pd.DataFrame:
    """Return as many rows as the table of answers had, which stand for as many forms as came back."""
    read = next((account.rows_used for account in record.accounts if account.table == "responses"), 0)
    rest = (record.counts["returned"] or 0) - read
    return pd.DataFrame({"count": [1 + rest, *[1] * (read - 1)] if read else []}, dtype=int)


def _evidence(record: Record, programme: Programme) -> Evidence:
    """Return the numbers of forms: the valid ones as one row, the others as another."""
    counts, design = record.counts, record.design
    valid, returned = counts["valid"] or 0, counts["returned"] or 0
    forms = pd.DataFrame({"count": [valid, returned - valid], "weight": 1.0, "valid": [True, False]})
    if design.weighted:
        forms.loc[0, "weight"] = 2.0  # any that is not 1: how much it is, is in the figures
    if design.clusters:
        forms["cluster"] = ""
    groups = {row.by for row in record.groups}
    return Evidence(
        programme, forms.assign(**dict.fromkeys(groups, "-")), counts.get("frame"), counts.get("distributed"),
        counts.get("eligible"), counts.get("deliveries"), counts.get("complaints"), months=1,
        effect=design.design_effect,
    )  # fmt: skip


def _gates(record: Record, programme: Programme) -> pd.DataFrame:
    """Return the gates with what follows from them, which the record leaves to the procedure."""
    rules = zip(_table(record.gates, GateRow).to_dict("records"), programme.gates, strict=True)
    rows = [{**row, "otherwise": gate.otherwise, "voids": gate.voids} for row, gate in rules]
    return pd.DataFrame(rows, columns=[*GateRow.model_fields, "otherwise", "voids"], dtype=object)


def _triggers(record: Record) -> pd.DataFrame:
    rows = [(row.id, row.because, row.clause) for row in record.triggers]
    return pd.DataFrame(rows, columns=["id", "because", "clause"], dtype=object)


def _steps(record: Record) -> pd.DataFrame:
    """Return the steps with their days; who did them and what shows it stands on the pages alone."""
    empty = {"responsible": "", "evidence": "", "reason": ""}
    days = ("window", "due_on", "done_on")
    rows = [{**row, **empty, **{name: _day(row[name]) for name in days}} for row in map(dict, record.steps)]
    return pd.DataFrame(rows, columns=STEPS, dtype=object)


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


def _weighted(record: Record) -> pd.DataFrame:
    """Return the weighted shares; an effective number that is no number is without end, and JSON knows none."""
    table = _table(record.weighted, WeightedRow)
    return table.assign(n_effective=[math.inf if n is None else n for n in table["n_effective"]])


# --- the change -------------------------------------------------------------------------------------------------------


def change_of(record: Record, result: Assessment) -> Change:
    """Return the change that a record tells of, without the surveys and how they were made."""
    reason = "" if record.change else "unreadable" if record.baseline else "no_baseline"
    programme = result.survey.programme
    rows = [_change(row, programme) for row in record.change]
    before, after = _waves(record.baseline, result) if record.change and record.baseline else (None, None)
    table = pd.DataFrame(rows, columns=CHANGE, dtype=object)
    return Change(result, reason, table, before, after, actions=_actions(record), plan=record.plan)


def _change(row: ChangeRow, programme: Programme) -> dict[str, Any]:
    """Return a change as it was judged: beyond what was to be expected, where something was."""
    found = {**dict(row), "unit": unit_of(row.id, programme)}
    if row.expected is None:
        return found
    return {**found, "estimate": row.gain, "conf_low": row.gain_low, "conf_high": row.gain_high}


def _waves(baseline: str, result: Assessment) -> tuple[Wave, Wave]:
    """Return the two surveys, of which only the periods are known."""
    survey, judged = result.survey, result.judged
    first = Survey(**{**vars(survey), "run": survey.run.model_copy(update={"period": baseline})})
    return Wave(first, judged, result.status), Wave(survey, judged, result.status)


def _actions(record: Record) -> pd.DataFrame:
    """Return the actions without what people wrote by hand."""
    texts = dict.fromkeys(
        ("description", "target_item", "department", "judged_by", "outcome", "units", "approved_on"), ""
    )
    rows = [
        {**texts, **row, **{name: _day(row[name]) for name in DAYS}, "judged": _judged(row), "units": _units(row)}
        for row in map(dict, record.actions)
    ]
    return pd.DataFrame(rows, columns=plans.ACTIONS, dtype=object)


def _units(action: Mapping[str, Any]) -> str:
    """Return the units of an action, of which a record knows no more than whether they are a part of the project."""
    return "…" if action["local"] else ""


def _judged(action: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what became of an action's figure in its units; None where it was judged in the whole project."""
    if not action["by"] or action["verdict"] is None:
        return None
    names = ("estimate", "conf_low", "conf_high", "p_adjusted", "verdict")
    known = {name: action[name] for name in names} | {"id": action["figure"], "reason": ""}
    return {**known, "p_value": action["p_adjusted"], "family": "primary" if action["planned"] else "exploratory"}
