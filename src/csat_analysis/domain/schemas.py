"""Which rows and cells can be used? Tables come in as text; what cannot be used comes back with its reason."""

import re
from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np
import pandas as pd
import pandera.pandas as pa

from csat_analysis.ground.errors import DataError
from csat_analysis.ground.programmes import NOT_APPLICABLE, NOT_APPLICABLE_WORDS, Programme, word

DISPOSITIONS = ("returned", "refused", "not_contacted", "ineligible", "outstanding")
REJECTED = ["table", "file", "row", "column", "value", "reason"]
DUPLICATE = "duplicate"
PROSE = ("responsible", "evidence", "reason", "description", "cause")  # columns that people write freely
ACTION_DAYS = ("due_on", "approved_on", "completed_on", "verified_on")
LARGEST = 1e9  # of a count or weight; beyond it sums are no longer exact
_DATE = re.compile(
    r"(?!0000)(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?([ T]\d{1,2}:\d{2}(:\d{2})?(\.\d+)?(Z|[+-]\d{2}:?\d{2})?)?"
)
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*%?")
_LEVEL = re.compile(r"[^\W\d][\w-]{0,19}")  # one word
_PERSONAL = re.compile(r"@|(?<![\d.])\d(?:[ -]?\d){8}")  # a mail address; nine digits: a telephone, an identity card


def clean(column: pd.Series) -> pd.Series:
    """Return the texts trimmed, NFKC-normalised, and whole numbers without their ``.0``.

    >>> clean(pd.Series([" 5.0", "很满意\u3000", "５"])).tolist()
    ['5', '很满意', '5']
    """
    return _changed(column, word)


def clean_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its texts cleaned; what people wrote as prose is only trimmed.

    >>> clean_table(pd.DataFrame({"step": ["５"], "reason": [" 年末盘点，未交回 "]})).to_dict("records")
    [{'step': '5', 'reason': '年末盘点，未交回'}]
    """
    return rows.apply(lambda column: column.str.strip() if column.name in PROSE else clean(column))


def _changed(column: pd.Series, change: Callable[[str], str]) -> pd.Series:
    """Return a column of texts with each changed; what stands in many rows is changed once."""
    places, texts = pd.factorize(column.to_numpy(dtype=object))
    return pd.Series(np.array([change(text) for text in texts], dtype=object)[places], index=column.index, dtype=str)


def dates(column: pd.Series) -> pd.Series:
    """Return the dates of a column, NaT where it holds none.

    >>> dates(pd.Series(["2024-01-31", "2024年2月1日", "2024-13-45", ""])).dt.day.tolist()
    [31.0, 1.0, nan, nan]
    """

    def iso(text: str) -> str:
        match = _DATE.fullmatch(text)
        return "{}-{:0>2}-{:0>2}".format(*match.groups()) if match else ""

    return pd.to_datetime(_changed(column, iso), format="%Y-%m-%d", errors="coerce")


def numbers(column: pd.Series) -> pd.Series:
    """Return the finite numbers of a column, NaN where it holds none."""
    return pd.to_numeric(column, errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)


def shown(values: pd.Series) -> pd.Series:
    """Return rejected texts as a record may show them: numbers, dates, and single words that could be levels.

    >>> shown(pd.Series(["great", "-5", "2024-13-45", "13800138000", "Li Wei, flat 502", "=1+1"])).tolist()
    ['great', '-5', '2024-13-45', '', '', '']
    """

    def if_shown(text: str) -> str:
        number = _NUMBER.fullmatch(text) and not _PERSONAL.search(text)
        return text if _DATE.fullmatch(text) or number or _LEVEL.fullmatch(text) else ""

    return _changed(values, if_shown)


# --- what a column may hold -------------------------------------------------------------------------------------------
# Whatever comes here was cleaned, and so is text: to look for that takes half of the time of a check.


def column(
    reason: str, usable: Callable[[pd.Series], pd.Series], rejects: Literal["row", "cell"], required: bool = False
) -> pa.Column:
    """Return a pandera column whose check is named by the reason, and which says what a failure takes away."""
    return pa.Column(None, pa.Check(usable, name=reason), metadata={"rejects": rejects}, required=required)


def key_column(required: bool = True) -> pa.Column:
    """Return a column of ids: none empty, the first of each stays."""
    return pa.Column(
        None,
        [
            pa.Check(lambda ids: ids != "", name="empty_id"),
            pa.Check(lambda ids: ~ids.duplicated() | (ids == ""), name=DUPLICATE),
        ],
        metadata={"rejects": "row"},
        required=required,
    )


def date_column() -> pa.Column:
    """Return a column of dates, empty allowed; a text that is none falls away alone."""
    return column("not_a_date", lambda text: (text == "") | dates(text).notna(), "cell")


def amount_column(reason: str, whole: bool) -> pa.Column:
    """Return a column of numbers from 0 on; a row without one falls away."""

    def usable(text: pd.Series) -> pd.Series:
        number = numbers(text)
        return number.between(0, LARGEST) & ((number % 1 == 0) if whole else True)

    return column(reason, usable, "row")


def choice_column(reason: str, choices: Iterable[str]) -> pa.Column:
    """Return a column that holds one of some words, empty allowed; another word falls away alone."""
    allowed = {"", *choices}
    return column(reason, lambda text: text.isin(allowed), "cell")


def _entered(programme: Programme) -> list[str]:
    """Return what an entry of the steps table can be about: a step, a register, or the measure of a gate."""
    return [*(duty.id for duty in programme.duties), *(gate.measure for gate in programme.gates)]


def table_schema(table: str, programme: Programme, with_ids: bool = True) -> pa.DataFrameSchema:
    """Return what a table of the contract may hold.

    Parameters
    ----------
    with_ids
        False for responses that only carry counts: their line numbers are their ids.
    """
    schemas = {
        "frame": {"customer_id": key_column()},
        "distribution": {
            "form_id": key_column(),
            "sent_on": date_column(),
            "disposition": choice_column("unknown_disposition", DISPOSITIONS),
        },
        "responses": {
            **({"form_id": key_column()} if with_ids else {}),
            "received_on": date_column(),
            "count": amount_column("not_a_count", whole=True),
            "weight": amount_column("not_a_weight", whole=False),
            **{
                item: choice_column("unknown_level", [*programme.level_ids, NOT_APPLICABLE])
                for item in programme.item_ids
            },
        },
        "steps": {
            "step": column("unknown_step", lambda ids: ids.isin(_entered(programme)), "row", required=True),
            "due_on": date_column(),
            "done_on": date_column(),
        },
        "complaints": {
            "complaint_id": key_column(),
            **{name: date_column() for name in ("received_on", "due_on", "responded_on", "closed_on")},
        },
        "actions": {"action_id": key_column(), **{name: date_column() for name in ACTION_DAYS}},
        "deliveries": {"delivery_id": key_column(required=False), "count": amount_column("not_a_count", whole=True)},
    }
    return pa.DataFrameSchema(schemas[table])


# --- screening --------------------------------------------------------------------------------------------------------


def recognise(answers: pd.Series, programme: Programme, missing: Iterable[str] = ()) -> pd.Series:
    """Return answers as level ids: found by id, label or code; declared missing codes become empty.

    A text that is no level is returned as it is, for screening to reject.
    """
    known = dict.fromkeys((*NOT_APPLICABLE_WORDS, *programme.not_applicable), NOT_APPLICABLE)
    for level in programme.scale.levels:
        known |= dict.fromkeys(filter(None, (level.id, level.code, *(level.title or {}).values())), level.id)
    known = {word: level for word, level in zip(clean(pd.Series(list(known))), known.values(), strict=True) if word}
    known |= dict.fromkeys(clean(pd.Series(list(missing), dtype=str)), "")
    return _changed(clean(answers), lambda word: known.get(word, word))


def screen(rows: pd.DataFrame, schema: pa.DataFrameSchema, place: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the usable rows, and what was rejected.

    Parameters
    ----------
    rows
        Texts, indexed by the line of the file.
    place
        The file, for the message where a column is missing.

    Returns
    -------
    valid : DataFrame
        The rows that stay; a rejected cell is empty.
    rejected : DataFrame
        ``row, column, value, reason, rejects`` (row or cell). A row's first reason stands for the row.
    """
    found = _failures(rows, schema, place)
    if found.empty:
        return rows.copy(), found
    fallen = found.loc[(found["rejects"] == "row") & (found["reason"] != DUPLICATE), "row"]
    if len(fallen) and (found["reason"] == DUPLICATE).any():  # of an id, the first row that stays is the first
        again = _failures(rows.drop(index=fallen.unique().tolist()), schema, place)
        found = pd.concat([found[found["reason"] != DUPLICATE], again[again["reason"] == DUPLICATE]])
    bad_rows = found[found["rejects"] == "row"].drop_duplicates("row")
    bad_cells = found[(found["rejects"] == "cell") & ~found["row"].isin(bad_rows["row"])]
    valid = rows.drop(index=bad_rows["row"].tolist())
    for name, cells in bad_cells.groupby("column"):
        valid.loc[cells["row"].tolist(), name] = ""
    return valid, pd.concat([bad_rows, bad_cells]).sort_values("row", kind="stable", ignore_index=True)


def _failures(rows: pd.DataFrame, schema: pa.DataFrameSchema, place: str) -> pd.DataFrame:
    """Return row, column, value, reason of everything that fails, and whether it takes the row or the cell away."""
    names = ["row", "column", "value", "reason", "rejects"]
    if _passes(rows, schema):
        return pd.DataFrame(columns=names)
    try:
        schema.validate(rows, lazy=True)
        return pd.DataFrame(columns=names)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    structural = cases[cases["index"].isna()]
    if len(structural):
        missing = structural.loc[structural["check"] == "column_in_dataframe", "failure_case"].tolist()
        needs = f"needs the column {missing[0]!r}" if missing else f"cannot be checked ({structural['check'].iloc[0]})"
        raise DataError(
            f"{place}: {needs}; it has {list(rows.columns)}. Add it, or name the file's own under read: columns."
        )
    rejects = {name: spec.metadata["rejects"] for name, spec in schema.columns.items()}
    found = cases.astype({"index": int})[["index", "column", "failure_case", "check"]].set_axis(
        names[:4], axis="columns"
    )
    return found.assign(rejects=found["column"].map(rejects))


def _passes(rows: pd.DataFrame, schema: pa.DataFrameSchema) -> bool:
    """Return whether nothing fails: of most tables so, and to let pandera say it takes many times as long."""
    columns = {name: spec for name, spec in schema.columns.items() if spec.required or name in rows}
    if not rows.columns.is_unique or not set(columns) <= set(rows):
        return False
    return all(
        rows[name].notna().all() and all(check(rows[name]).check_passed for check in spec.checks)
        for name, spec in columns.items()
    )
