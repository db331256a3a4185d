"""What was asked and answered? Reads the tables of a run, screens them, and links them into one survey."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from csat_analysis.assembly import tables
from csat_analysis.assembly.tables import Sheet
from csat_analysis.domain import schemas
from csat_analysis.ground import lending, params, runs
from csat_analysis.ground.errors import CsatError, DataError, ParameterError
from csat_analysis.ground.inputs import find_inputs
from csat_analysis.ground.programmes import NOT_APPLICABLE, Programme
from csat_analysis.ground.runs import Counts, Read, Run

EXAMPLES = {"project": "yuanya", "period": "2024-05", "root": "."}  # of parameters
ROLES = ("stratum", "cluster", "weight")
OURS = ("form_id", "row", "count", "answered", "valid", "decided", "satisfied", "points", "score")  # columns of forms
ACCOUNT = [
    "table", "rows_read", "rows_used", "rows_rejected",
    "answers_read", "answers_used", "answers_not_applicable", "answers_empty", "answers_rejected",
]  # fmt: skip


class Finding(NamedTuple):
    """Something the reader of a survey should know, without words: a code and what goes into its sentence."""

    code: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Survey:
    """One run's tables, screened and linked.

    Attributes
    ----------
    forms
        One row per accepted row of ``responses``, indexed by form id: ``row, count, weight, stratum, cluster``, the
        declared groups, and whatever else the file holds.
    answers
        The same rows, one column per item that was asked: a level id, ``not_applicable``, or empty.
    tables
        The accepted rows of the other tables, by name.
    counts
        The totals of the run, from its tables and its run file together.
    rejected
        ``table, file, row, column, value, reason`` of everything that could not be used.
    accounts
        One row per table: where every row and every answer went.
    inputs
        ``table, file, sha256, rows`` of the files read.
    earlier
        The surveys to compare with, by kind: ``year_on_year`` (the same period a year before), ``previous``.
    baseline
        The survey of the baseline, judged by the edition of its own time; None where there is none.
    waves
        Earlier surveys with the same baseline.
    """

    programme: Programme
    programme_sha256: str
    run: Run
    forms: pd.DataFrame
    answers: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    counts: Counts
    rejected: pd.DataFrame
    accounts: pd.DataFrame
    inputs: pd.DataFrame
    findings: tuple[Finding, ...] = ()
    earlier: Mapping[str, "Survey"] = field(default_factory=dict)
    baseline: "Survey | None" = None
    waves: tuple["Survey", ...] = ()

    def __repr__(self) -> str:
        return f"<Survey {self.run.place}: {len(self.forms)} rows of answers to {len(self.answers.columns)} items>"

    def _repr_html_(self) -> str:
        return self.accounts.to_html(index=False, escape=True)


def survey(project: str, period: str | int, root: str | Path = "") -> Survey:
    """Return the survey of a project and period.

    Parameters
    ----------
    project, period
        As in the run file; an all-digit period may be a number.
    root
        The folder that holds ``params/`` and ``data/``; empty: the nearest one at or above the working folder.

    Raises
    ------
    ParameterError, DataError
        Where a file is missing, unreadable or wrong: a sentence with its place.
    """
    project, period = _run_of(project, period)
    base = params.find_root(_as_text("root", root))
    lending.note(project, period)
    if (known := lending.found("survey", project, period, base)) is not None:
        return known
    rules = params.read_rules(base, project)
    run = params.find_run(rules, project, period)
    return read_survey(run, params.choose_programme(rules, run), base, params.earlier_runs(rules, run))


def _run_of(project: Any, period: Any) -> tuple[str, str]:
    return _as_text("project", project), _as_text("period", period)


def _as_text(name: str, value: Any) -> str:
    """Return a parameter as text, where it can only mean one thing.

    >>> _as_text("period", 2024), _as_text("period", pd.Period("2024Q1")), _as_text("root", Path("demo"))
    ('2024', '2024Q1', 'demo')
    """
    if isinstance(value, str | Integral | PurePath | pd.Period) and not isinstance(value, bool):
        return str(value)
    raise ParameterError(f"{name}: {value!r} is {type(value).__name__}; give text, such as {EXAMPLES[name]!r}.")


def read_survey(
    run: Run, document: params.Document[Programme], root: Path, earlier: params.Earlier = MappingProxyType({})
) -> Survey:
    """Return the survey of a run, judged by a programme, with those of earlier periods where they can be compared."""
    survey = assemble(document.content, run, _read_sheets(run, root), document.sha256)
    surveys, findings = {}, []
    for kind, (before, edition) in earlier.items():
        if edition.sha256 != document.sha256 and kind != "baseline":
            findings.append(Finding("other_edition", {"period": before.period}))
            continue
        try:
            surveys[kind] = assemble(edition.content, before, _read_sheets(before, root), edition.sha256)
        except CsatError:
            unreadable = Finding("earlier_unreadable", {"period": before.period})
            findings += [] if unreadable in findings else [unreadable]  # a period can be compared with in two ways
    baseline = surveys.pop("baseline", None)
    if baseline is not None and run.decided_on:
        decided_forms(run, baseline)
    waves = tuple(surveys.pop(kind) for kind in list(surveys) if kind.startswith("wave "))
    return replace(survey, earlier=surveys, baseline=baseline, waves=waves, findings=(*survey.findings, *findings))


def decided_forms(run: Run, baseline: Survey) -> pd.Series:
    """Return which forms of the baseline the action was decided on, as the run file tells them apart.

    Raises
    ------
    ParameterError
        Where the responses lack a column that it names, or no form is marked, or all are.
    """
    place = f"params/runs/{run.project}.yml: periods.{run.period}.decided_on"
    marked = pd.Series(True, index=baseline.forms.index)
    for name, values in run.decided_on.items():
        if name not in baseline.forms:
            raise ParameterError(
                f"{place}: the responses of {baseline.run.period} have no column {name!r}; it is one of "
                f"{sorted(map(str, baseline.forms.columns.difference(OURS)))}."
            )
        marked &= baseline.forms[name].isin(values)
    if marked.all() or not marked.any():
        raise ParameterError(
            f"{place}: {run.decided_on} marks {'every' if marked.all() else 'no'} form of "
            f"{baseline.run.period}; name the value of those that were looked at when the action was decided, or take "
            f"the key away where all were."
        )
    return marked


@dataclass(frozen=True)
class Peers:
    """The other projects' surveys of the baseline and, where there is one, of the period; read when first asked for.

    A project whose tables cannot be used is left out.
    """

    run: Run
    root: Path

    def __iter__(self) -> Iterator[tuple[Survey, Survey | None]]:
        rules = params.read_rules(self.root)
        for before, after in params.peer_runs(rules, self.run):
            with contextlib.suppress(CsatError):
                yield _read_alone(rules, before), _read_alone(rules, after) if after else None


def _read_alone(rules: params.Rules, run: Run) -> Survey:
    """Return the survey of a run without those of earlier periods."""
    document = params.choose_programme(rules, run)
    return assemble(document.content, run, _read_sheets(run, rules.root), document.sha256)


def peers(project: str, period: str | int, root: str | Path = "") -> Peers:
    """Return the other projects with the same programme and baseline, for what a single one cannot tell."""
    project, period, base = *_run_of(project, period), params.find_root(_as_text("root", root))
    return Peers(params.find_run(params.read_rules(base, project), project, period), base)


def _read_sheets(run: Run, root: Path) -> dict[str, Sheet]:
    """Return the tables of a run as they stand in its files."""
    found = find_inputs(run, root)
    return {table: tables.read_sheet(path, run.read.get(table, Read()), root) for table, path in found.items()}


def worked_example(programme: Programme) -> Survey:
    """Return a programme's worked example as a survey, judged the day after its period."""
    example = programme.worked_example
    lines = [[cell.strip() for cell in line.split("|")] for line in example.responses.strip().splitlines()]
    if any(len(line) != len(lines[0]) for line in lines):
        raise ParameterError(
            f"{programme.id}: worked_example.responses: lines differ in their cells; separate them by |."
        )
    unknown = sorted(set(example.counts) - set(Counts.model_fields))
    if unknown:
        known = sorted(Counts.model_fields)
        raise ParameterError(
            f"{programme.id}: worked_example.counts: {unknown[0]!r} is not a count; use one of {known}."
        )
    rows = pd.DataFrame(lines[1:], columns=lines[0], index=range(2, len(lines) + 1), dtype=str)
    run = Run(
        project="worked_example", period="2024", title=programme.title, programme=programme.id, language="en",
        read={}, design=runs.Design(), groups=(), names={}, levels={}, targets={}, within=(), change=runs.Change(),
        as_of=dt.date(2025, 1, 1), baseline=None, counts=Counts(**example.counts), remedy=None, looks=None,
        decided_on={}, closed=False,
    )  # fmt: skip
    return assemble(programme, run, {"responses": Sheet("worked_example", "", rows)})


def assemble(programme: Programme, run: Run, sheets: Mapping[str, Sheet], programme_sha256: str = "") -> Survey:
    """Return the survey that tables make together: screened, counted and linked.

    Raises
    ------
    DataError
        Where responses are missing, a column is, or a table and the run file's counts disagree.
    """
    if "responses" not in sheets:
        folder = f"data/{run.project}/{run.period}"
        raise DataError(
            f"{folder}: no responses.csv, .parquet or .xlsx; put it there, or name it under read: responses: file."
        )
    valid: dict[str, pd.DataFrame] = {}
    rejected, accounts = [], []
    for table, sheet in ((table, sheets[table]) for table in runs.TABLES if table in sheets):
        if table not in ("complaints", "steps", "actions") and not (
            len(sheet.rows) or sheet.ragged or sheet.elsewhere
        ):  # no complaint is no fault
            raise DataError(f"{sheet.file}: has headers and no rows; a table needs at least one row.")
        if table == "responses" and sheet.elsewhere and not len(sheet.rows):
            raise DataError(
                f"{sheet.file}: no row is chosen by read: responses: where; see how the file writes the values."
            )
        rows = _answered(sheet, programme, run, valid) if table == "responses" else schemas.clean_table(sheet.rows)
        schema = schemas.table_schema(table, programme, with_ids="form_id" in sheet.rows or "count" not in sheet.rows)
        valid[table], found = schemas.screen(rows, schema, sheet.file)
        asked = [item for item in programme.item_ids if table == "responses" and item in rows]
        accounts.append(_account(table, sheet, rows[asked], valid[table], found))
        rejected.append(_rejections(table, sheet, found))
    counts = _reconcile(run, valid)
    forms = _forms(valid["responses"])
    answers = forms[[item for item in programme.item_ids if item in forms]]
    return Survey(
        programme=programme, programme_sha256=programme_sha256, run=run,
        forms=forms.drop(columns=[item for item in answers if item not in run.groups]), answers=answers,
        tables={table: rows for table, rows in valid.items() if table != "responses"}, counts=counts,
        rejected=pd.concat(rejected, ignore_index=True), accounts=pd.DataFrame(accounts, columns=ACCOUNT),
        inputs=pd.DataFrame(
            [(t, s.file, s.sha256, len(s.rows) + len(s.ragged)) for t, s in sheets.items()],
            columns=["table", "file", "sha256", "rows"],
        ),
        findings=tuple(_findings(run, valid, forms, counts)),
    )  # fmt: skip


def _answered(sheet: Sheet, programme: Programme, run: Run, valid: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the texts of responses trimmed, answers as levels, the design and the groups under their names.

    What design and groups name and the file does not hold comes from the distribution or the frame, before screening:
    a weight from there is screened as well.
    """
    rows, missing = sheet.rows.copy(), run.read.get("responses", Read()).missing
    texts = rows.columns.difference(programme.item_ids)
    rows[texts] = rows[texts].apply(schemas.clean)
    for item in programme.items:
        if item.id in rows:
            rows[item.id] = schemas.recognise(rows[item.id], programme, missing)
        elif not item.optional:
            raise DataError(
                f"{sheet.file}: no column for the item {item.id!r}; it has {list(rows.columns)}. "
                f"Add it, or name the file's own under read: responses: columns."
            )
    roles = {role: getattr(run.design, role) for role in ROLES if getattr(run.design, role)}
    for name in [*roles.values(), *run.groups]:
        if name in OURS or (name in run.groups and name in ("weight", "count")):
            raise ParameterError(
                f"params/runs/{run.project}.yml: {name!r} is a name the package gives itself; call the column "
                f"something else under read: responses: columns."
            )
        if name not in rows:
            rows[name] = _from_elsewhere(name, rows, valid, sheet.file)
    return rows.assign(**{role: rows[name] for role, name in roles.items()})


def _account(
    table: str, sheet: Sheet, answers: pd.DataFrame, valid: pd.DataFrame, found: pd.DataFrame
) -> dict[str, Any]:
    """Return where every row and every answer of a table went."""
    kept = answers.loc[answers.index.isin(valid.index)]
    cells = int(found.loc[found["rejects"] == "cell", "column"].isin(answers.columns).sum())
    lost = (len(answers) - len(kept) + len(sheet.ragged)) * len(answers.columns) + cells
    not_applicable, read = int((kept == NOT_APPLICABLE).to_numpy().sum()), len(answers) + len(sheet.ragged)
    empty = int((kept == "").to_numpy().sum())
    total = read * len(answers.columns)
    return {
        "table": table, "rows_read": read, "rows_used": len(valid), "rows_rejected": read - len(valid),
        "answers_read": total,
        "answers_used": total - lost - not_applicable - empty, "answers_not_applicable": not_applicable,
        "answers_empty": empty, "answers_rejected": lost,
    }  # fmt: skip


def _rejections(table: str, sheet: Sheet, found: pd.DataFrame) -> pd.DataFrame:
    """Return the rejected rows and cells as the record lists them: ids and free texts are not repeated there."""
    if found.empty and not sheet.ragged:
        return pd.DataFrame(columns=schemas.REJECTED, dtype=object)
    ragged = pd.DataFrame({"row": sheet.ragged, "column": "", "value": "", "reason": "ragged"})
    rows = pd.concat([found.drop(columns="rejects"), ragged], ignore_index=True).sort_values("row", kind="stable")
    secret = rows["column"].astype(str).str.endswith("_id")
    values = schemas.shown(rows["value"]).mask(secret, "")
    return rows.assign(table=table, file=sheet.file, value=values, row=rows["row"].astype(int))[schemas.REJECTED]


def _reconcile(run: Run, valid: Mapping[str, pd.DataFrame]) -> Counts:
    """Return the totals of a run; a table and a count that disagree are an error."""
    found: dict[str, int] = {}
    if run.design.population:
        found["frame"] = sum(run.design.population.values())
    if "frame" in valid:
        found["frame"] = _agreed(run, found.get("frame"), len(valid["frame"]))
    if "distribution" in valid:
        found["distributed"] = len(valid["distribution"])
    if "deliveries" in valid:
        rows = valid["deliveries"]
        found["deliveries"] = int(schemas.numbers(rows["count"]).sum()) if "count" in rows else len(rows)
    if "complaints" in valid:
        found["complaints"] = len(own_complaints(run, valid["complaints"]))
    for key, number in found.items():
        declared = getattr(run.counts, key)
        if declared is not None and declared != number:
            raise DataError(
                f"params/runs/{run.project}.yml: periods.{run.period}.counts.{key}: says {declared}, and the table "
                f"holds {number}; mend the one that is wrong, or take the count away."
            )
    return run.counts.model_copy(update=found)


def _agreed(run: Run, population: int | None, listed: int) -> int:
    """Return the number of customers in scope; a frame and a population that disagree are an error."""
    if population is not None and population != listed:
        raise DataError(
            f"params/runs/{run.project}.yml: design.population: adds to {population}, and the frame of {run.period} "
            f"holds {listed}; mend the one that is wrong, or take the population away."
        )
    return listed


def own_complaints(run: Run, complaints: pd.DataFrame) -> pd.DataFrame:
    """Return the complaints received in the period, each counted once; one without a date counts."""
    first, last = (pd.Timestamp(day) for day in runs.period_bounds(run.period))
    own = pd.Series(True, index=complaints.index)
    if "received_on" in complaints:
        received = schemas.dates(complaints["received_on"])
        own &= received.isna() | received.between(first, last)
    if "duplicate_of" in complaints:
        own &= complaints["duplicate_of"] == ""
    return complaints[own]


def _forms(responses: pd.DataFrame) -> pd.DataFrame:
    """Return the forms by their ids, else by their lines; counts and weights as numbers, 1 where there are none."""
    forms = responses.assign(row=responses.index)
    if "form_id" not in forms:
        forms["form_id"] = forms["row"].astype(str)
    forms["count"] = schemas.numbers(forms["count"]).astype(int) if "count" in forms else 1
    forms["weight"] = schemas.numbers(forms["weight"]) if "weight" in forms else 1.0
    return forms.set_index("form_id")


def _from_elsewhere(name: str, rows: pd.DataFrame, valid: Mapping[str, pd.DataFrame], file: str) -> pd.Series:
    """Return a column of the distribution (by form) or of the frame (by customer) for each row; empty where unknown."""
    nothing = pd.DataFrame()
    distribution, frame = valid.get("distribution", nothing), valid.get("frame", nothing)
    forms, customers = rows.get("form_id"), rows.get("customer_id")
    if forms is not None and name in distribution:
        return _looked_up(forms, distribution, "form_id", name)
    if customers is None and forms is not None and "customer_id" in distribution:
        customers = _looked_up(forms, distribution, "form_id", "customer_id")
    if customers is not None and name in frame:
        return _looked_up(customers, frame, "customer_id", name)
    raise DataError(
        f"{file}: no column {name!r}, which the run file names under design or groups, nor can it be linked from "
        f"distribution (by form_id) or frame (by customer_id); it has {list(rows.columns)}."
    )


def _looked_up(ids: pd.Series, table: pd.DataFrame, key: str, name: str) -> pd.Series:
    """Return a table's column for each id; empty where the table does not hold it."""
    return table.set_index(key)[name].reindex(ids).fillna("").astype(str).set_axis(ids.index)


def _findings(run: Run, valid: Mapping[str, pd.DataFrame], forms: pd.DataFrame, counts: Counts) -> list[Finding]:
    """Return what does not stop a run and should be known."""
    found = []
    returned = int(forms["count"].sum())
    if counts.frame is not None and returned > counts.frame:
        found.append(Finding("more_than_frame", {"returned": returned, "frame": counts.frame}))
    if counts.distributed is not None and returned > counts.distributed:
        found.append(Finding("more_than_distributed", {"returned": returned, "distributed": counts.distributed}))
    if "distribution" in valid:
        sent = valid["distribution"]
        listed = int((sent.get("disposition", pd.Series(dtype=str)) == "returned").sum())
        if "disposition" in sent and listed != returned:
            found.append(Finding("returned_differs", {"listed": listed, "returned": returned}))
        strangers = len(set(forms.index) - set(sent["form_id"]))
        if strangers and "form_id" in valid["responses"]:
            found.append(Finding("not_distributed", {"n": strangers}))
    if counts.deliveries == 0:
        found.append(Finding("no_deliveries", {}))
    elif counts.deliveries and counts.complaints is not None and counts.complaints > counts.deliveries:
        found.append(Finding("more_complaints", {"complaints": counts.complaints, "deliveries": counts.deliveries}))
    if "complaints" in valid:
        others = len(valid["complaints"]) - len(own_complaints(run, valid["complaints"]))
        if others:
            found.append(Finding("complaints_not_counted", {"n": others}))
    return found
