"""Is each clause of the procedure met, and how is that known? Steps, registers and clauses of one run."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from csat_analysis.assembly.load import Survey
from csat_analysis.domain import schemas, steps
from csat_analysis.domain.evidence import Measure
from csat_analysis.ground import runs
from csat_analysis.ground.clauses import matrix
from csat_analysis.ground.mappings import rows_of

COLUMNS = ["clause", "rule", "id", "state", "gate"]
# How a clause stands, the worst first: what one of its carriers is, the clause is not better.
ORDER = (
    "not_met", "missing", "late", "missed", "borderline", "required", "no_data", "in_progress", "not_assessed",
    "pending", "met", "not_required", "applied", "uncited",
)  # fmt: skip


def judge_steps(survey: Survey, has_groups: bool) -> pd.DataFrame:
    """Return how each step and register of the programme stands on the day of the report: see ``steps.judge_steps``."""
    sent = survey.tables.get("distribution", pd.DataFrame()).get("sent_on", pd.Series(dtype=str))
    out = schemas.dates(sent).min() if len(sent) else pd.NaT
    first, last = runs.period_bounds(survey.run.period)
    ledger = steps.Ledger(
        table=survey.tables.get("steps"), first=first, last=last, as_of=survey.run.as_of,
        fieldwork=None if pd.isna(out) else out.date(),
        shown=frozenset({"fieldwork", "groups"} if has_groups else {"fieldwork"}),
    )  # fmt: skip
    return steps.judge_steps(survey.programme, ledger)


def judge_clauses(
    survey: Survey,
    gates: pd.DataFrame,
    duties: pd.DataFrame,
    triggers: pd.DataFrame,
    items: pd.DataFrame,
    found: Mapping[str, Measure],
) -> pd.DataFrame:
    """Return what carries out each clause, and how it stands.

    Returns
    -------
    DataFrame
        One row per clause and carrier: ``clause, rule`` (the key in the programme)``, id, state, gate`` (its row
        among the gates); a clause that nothing carries has one row, ``uncited``.

    Notes
    -----
    A rule has its verdict (a target that is not met is ``missed``), a step or register its worst state, a trigger is
    ``required`` or ``not_required``; a definition is ``applied`` where it entered a figure, else ``no_data``.
    """
    verdicts = rows_of(gates)
    states = dict(list(duties.groupby("id")))
    rows, nothing = [], dict.fromkeys(COLUMNS)
    for clause, carriers in matrix(survey.programme):
        for rule in carriers:
            state: dict[str, Any] = {"state": _applied(rule, survey, items, found)}
            if rule["rule"] == "gate":
                place = survey.programme.gates.index(rule["value"])
                state = {"state": _of_gate(verdicts[place]), "gate": place}
            elif rule["rule"] in ("step", "register"):
                state = {"state": steps.worst(states[rule["id"]]["state"])}
            elif rule["rule"] == "trigger":
                state = {"state": _of_trigger(rule["id"], gates, triggers)}
            rows.append({**nothing, "clause": clause.id, "rule": rule["rule"], "id": rule["id"], **state})
        if not carriers:
            rows.append({**nothing, "clause": clause.id, "rule": "", "id": "", "state": "uncited"})
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)


def _of_gate(gate: Mapping[str, Any]) -> str:
    verdict = gate["verdict"] or "no_data"
    return "missed" if verdict == "not_met" and gate["severity"] == "target" else str(verdict)


def _of_trigger(trigger: str, gates: pd.DataFrame, triggers: pd.DataFrame) -> str:
    """Return whether a trigger was set off; unknown where one of its rules is in progress or could not be judged."""
    if trigger in set(triggers["id"]):
        return "required"
    its_own = gates[gates["otherwise"] == trigger]
    if its_own["verdict"].isna().any():
        return "no_data"
    return "in_progress" if (its_own["verdict"] == "in_progress").any() else "not_required"


def _applied(rule: Mapping[str, Any], survey: Survey, items: pd.DataFrame, found: Mapping[str, Measure]) -> str:
    """Return whether a definition entered a figure."""
    if rule["rule"] == "item":
        return "applied" if dict(zip(items["id"], items["n"], strict=True)).get(rule["id"]) else "no_data"
    terms = list(survey.programme.index.terms) if survey.programme.index else []
    needed = {
        "measure": [rule["id"]], "satisfaction_rate": ["satisfaction_rate"], "satisfied_form": ["satisfaction_rate"],
        "index": terms, "grade": terms,
    }.get(rule["rule"], [])  # fmt: skip
    return "applied" if all(found[name].value is not None for name in needed if name in found) else "no_data"


def standing(clauses: pd.DataFrame) -> dict[str, str]:
    """Return how each clause stands: as the worst of what carries it.

    >>> standing(pd.DataFrame({"clause": ["1", "1", "2"], "state": ["met", "late", "applied"]}))
    {'1': 'late', '2': 'applied'}
    """
    return {str(clause): min(part["state"], key=ORDER.index) for clause, part in clauses.groupby("clause", sort=False)}
