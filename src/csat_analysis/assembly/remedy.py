"""Which forms must be completed before the results can stand, and how many at least?"""

import pandas as pd

from csat_analysis.domain.evidence import Evidence
from csat_analysis.ground.programmes import Gate, meets

COLUMNS = ["form_id", "stratum", "row", "count", "reason"]


def forms_to_complete(evidence: Evidence) -> pd.DataFrame:
    """Return every invalid form with the reason, by stratum and line: whom to ask again.

    Returns
    -------
    DataFrame
        ``form_id, stratum, row`` (line of the responses)``, count`` (forms it stands for)``, reason``; customers are
        looked up by form, not listed.
    """
    invalid = evidence.forms[~evidence.forms["valid"]]
    listed = pd.DataFrame(
        {
            "form_id": invalid.index,
            "stratum": invalid["stratum"].to_numpy() if "stratum" in invalid else "",
            "row": invalid["row"].to_numpy(),
            "count": invalid["count"].to_numpy(),
            "reason": invalid["invalid_reason"].to_numpy(),
        },
        columns=COLUMNS,
    )
    return listed.sort_values(["stratum", "row"], kind="stable", ignore_index=True)


def least_to_complete(gate: Gate, evidence: Evidence) -> int | None:
    """Return how many invalid forms must become valid for a gate to be met; None where no number of them is enough.

    Notes
    -----
    Of gates on the shares that completed forms change: ``invalid_rate``, ``valid_rate``, ``response_rate``.
    """
    base = bases(evidence).get(gate.measure)
    invalid = evidence.returned - evidence.valid
    for completed in range(invalid + 1) if base else ():
        counted = invalid - completed if gate.measure == "invalid_rate" else evidence.valid + completed
        if meets(counted / base, gate.comparison, gate.threshold):  # type: ignore[operator]
            return completed
    return None


def bases(evidence: Evidence) -> dict[str, int | None]:
    """Return the bases of the shares that completed forms change."""
    eligible = evidence.distributed if evidence.eligible is None else evidence.eligible
    return {"invalid_rate": evidence.distributed, "valid_rate": evidence.returned, "response_rate": eligible}
