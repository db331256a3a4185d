"""What changed the company score: its projects' own answers, which projects answered, or how the answers came in?"""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from csat_analysis.statistics.inference import t_quantile

COMPONENTS = ("total", "within", "project_mix", "mode_mix")
KEYS = ["project", "mode"]
BOTH, BEFORE, AFTER = "both", "before", "after"
NO_VARIATION, NOTHING_COMMON, NO_MIX, NO_COMMON_MODE = "no_variation", "nothing_in_common", "no_mix", "no_common_mode"
TINY = 1e-15


class Mix(NamedTuple):
    """The change of a pooled rate or mean in parts that add up to it.

    ``components``: one row each for ``total``, ``within`` (what changed among those who belong to the same project and
    answered in the same mode), ``project_mix`` and ``mode_mix``, with the columns of a comparison. ``projects`` and
    ``cells`` (a mode of a project): what each adds to the components, its share and rate in both periods, and
    ``present``: ``both``, or the only period it has answers in.

    Reasons: ``nothing_in_common`` (no mode of a project has answers in both periods), ``no_mix`` (the shares did not
    change, or there is one mode), ``no_variation`` (all answers are the same: no error can be told); of a project
    ``no_common_mode``: it changed its modes altogether, so that all its change is mode mix.
    """

    components: pd.DataFrame
    projects: pd.DataFrame
    cells: pd.DataFrame


class _Parts(NamedTuple):
    """Cells × periods (before, after): shares, rates and variances; presence of cells and of their projects."""

    n: np.ndarray
    of_project: np.ndarray  # share of the cell's project in the period
    of_cell: np.ndarray  # share of the cell in its project
    rate: np.ndarray  # of the cell; carried over from the other period where it has no answers
    project_rate: np.ndarray
    there: np.ndarray
    project_there: np.ndarray


def decompose_change(before: pd.DataFrame, after: pd.DataFrame) -> Mix:
    """Return what a change of the pooled rate (or mean) is made of: within projects and modes, project mix, mode mix.

    Parameters
    ----------
    before, after
        One row a mode of a project, with ``project``, ``n`` (answers, or their weights) and ``total`` (satisfied, or
        points); if known ``mode`` (without it there is one), ``variance`` of the cell's rate or mean and its ``df``.
        Without ``variance`` the totals are counts of satisfied; rows without answers (n = 0) are left out.

    Notes
    -----
    Kitagawa's decomposition twice, each with average weights, so that neither period is preferred and nothing is left
    over. R = Σ W r over projects; r = Σ S q over the modes of a project:

    within = Σ W̄ Σ S̄ Δq; mode_mix = Σ W̄ Σ ΔS q̄; project_mix = Σ ΔW r̄ (Δ: after minus before; bar: their mean).

    What has answers in one period only came or went: its rate of the other period is taken to be the same (Δq = 0,
    q̄ = q), so that all it adds is mix: project mix for a project, mode mix for a mode of a project that stayed. Tables
    of projects and cells count mix from the average of both periods (ΔW (r̄ − R̄), ΔS (q̄ − r̄)), as Σ ΔW = 0: what grew
    and is better than the average adds, what grew and is worse takes away.

    Errors: periods and cells are independent, and shares are taken as they were. Then every component is a weighted
    sum of rates, and its variance exact; without ``variance`` q (1 − q) ÷ (n − 1) of a cell, which is unbiased (a cell
    with one answer: that of the pooled rate). df: Satterthwaite's, with n − 1 of each cell where no ``df`` is given.

    References
    ----------
    Kitagawa (1955), JASA 50, 1168. Das Gupta (1993), Standardization and decomposition of rates, US Census Bureau
    P23-186 (average weights). Satterthwaite (1946), Biometrics Bulletin 2, 110.

    Examples
    --------
    Both estates stayed as they were; the better one now has half of the answers and not a quarter:

    >>> before = pd.DataFrame({"project": ["A", "B"], "n": [20, 60], "total": [18, 42]})
    >>> after = pd.DataFrame({"project": ["A", "B"], "n": [40, 40], "total": [36, 28]})
    >>> found = decompose_change(before, after).components.set_index("component")["estimate"]
    >>> found.round(6).to_dict()
    {'total': 0.05, 'within': 0.0, 'project_mix': 0.05, 'mode_mix': 0.0}
    """
    sides = [_cells(table, name) for table, name in ((before, "before"), (after, "after"))]
    index = sides[0].index.union(sides[1].index, sort=False)
    first, second = (side.reindex(index) for side in sides)
    column = {name: np.column_stack([first[name], second[name]]).astype(float) for name in first.columns}
    parts = _parts(index.get_level_values("project"), np.nan_to_num(column["n"]), column["total"])
    variance = np.where(parts.there, column["variance"], 0.0)
    components = _components(parts, np.nan_to_num(variance), np.where(parts.there, column["df"], 1.0))
    cells = _cell_table(index, parts)
    return Mix(components, _project_table(index, parts, cells), cells)


# --- what is given ----------------------------------------------------------------------------------------------------


def _cells(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the cells of a period with answers, by project and mode: n, total, variance and df of the rate."""
    missing = [column for column in ("project", "n", "total") if column not in table]
    if missing:
        raise ValueError(f"{name}: columns {missing} are missing; give project, n and total, one row a mode.")
    n, total = (table[column].to_numpy(dtype=float) for column in ("n", "total"))
    if not (np.isfinite(n) & (n >= 0)).all():
        raise ValueError(f"{name}: some n are below 0 or no numbers; leave such rows out, or give their answers.")
    modes = table["mode"].array if "mode" in table else [""] * len(table)
    kept, index = n > 0, pd.MultiIndex.from_arrays([table["project"].array, modes], names=KEYS)
    index = index[kept]
    if not len(index) or not np.isfinite(total[kept]).all() or any((codes < 0).any() for codes in index.codes):
        raise ValueError(f"{name}: answers without project, mode or total, or none at all; give all three for each n.")
    if index.has_duplicates:
        raise ValueError(f"{name}: a mode of a project stands in two rows; add them up first.")
    df = table["df"].to_numpy(dtype=float) if "df" in table else np.maximum(n - 1, 1.0)
    given = table["variance"].to_numpy(dtype=float)[kept] if "variance" in table else None
    variance = _variance(n[kept], total[kept], given, name)
    return pd.DataFrame({"n": n[kept], "total": total[kept], "variance": variance, "df": df[kept]}, index=index)


def _variance(n: np.ndarray, total: np.ndarray, given: np.ndarray | None, name: str) -> np.ndarray:
    """Return the variance of the rate of each cell, as given or of a count of satisfied."""
    if given is not None:
        if not (given >= 0).all():
            raise ValueError(f"{name}: some variances are below 0 or missing; give one of each mode, or no column.")
        return given
    if not ((total >= 0) & (total <= n * (1 + 1e-12))).all():
        raise ValueError(f"{name}: some totals are no counts of satisfied among n; give the variance of each mean.")
    rate, pooled = np.minimum(total / n, 1.0), min(float(total.sum() / n.sum()), 1.0)
    return np.where(n >= 2, rate * (1 - rate) / np.maximum(n - 1, 1.0), pooled * (1 - pooled) / n)


def _parts(projects: pd.Index, n: np.ndarray, total: np.ndarray) -> _Parts:
    """Return shares and rates of cells and of their projects, cells × periods."""
    codes = pd.factorize(projects)[0]
    of_projects = np.array([np.bincount(codes, column) for column in n.T]).T[codes]
    totals = np.array([np.bincount(codes, column) for column in np.nan_to_num(total).T]).T[codes]
    return _Parts(
        n,
        of_projects / n.sum(axis=0),
        np.divide(n, of_projects, out=np.zeros_like(n), where=of_projects > 0),
        _carried(np.nan_to_num(total), n),
        _carried(totals, of_projects),
        n > 0,
        of_projects > 0,
    )


def _carried(total: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return rates of two periods; where one has no answers, that of the other."""
    rate = np.divide(total, n, out=np.zeros_like(n), where=n > 0)
    return np.where(n > 0, rate, rate[:, ::-1])


# --- components -------------------------------------------------------------------------------------------------------


def _both(there: np.ndarray) -> np.ndarray:
    return there[:, 0] & there[:, 1]


def _change(pair: np.ndarray) -> np.ndarray:
    return pair[:, 1] - pair[:, 0]


def _weights(parts: _Parts) -> dict[str, np.ndarray]:
    """Return for each component what each rate counts in it, cells × periods."""
    sign, stayed = np.array([-1.0, 1.0]), _both(parts.project_there)
    common = (_both(parts.there) & stayed)[:, None]
    weight, share = parts.of_project.mean(axis=1)[:, None], parts.of_cell.mean(axis=1)[:, None]
    half = np.where(_both(parts.there), 0.5, 1.0)[:, None] * parts.there  # of what has one period, that one
    mode = weight * stayed[:, None] * _change(parts.of_cell)[:, None] * half
    of_project = np.where(stayed, 0.5, 1.0)[:, None] * parts.project_there
    project = _change(parts.of_project)[:, None] * of_project * parts.of_cell
    total = sign * parts.of_project * parts.of_cell
    return {"total": total, "within": common * weight * share * sign, "project_mix": project, "mode_mix": mode}


def _components(parts: _Parts, variance: np.ndarray, df: np.ndarray) -> pd.DataFrame:
    """Return the components with errors, intervals and tests."""
    rows = [_component(name, weights, parts, variance, df) for name, weights in _weights(parts).items()]
    n = parts.n.sum(axis=0)
    return pd.DataFrame(rows).assign(n_before=n[0], n_after=n[1])


def _component(name: str, weights: np.ndarray, parts: _Parts, variance: np.ndarray, df: np.ndarray) -> dict[str, Any]:
    """Return the row of one component."""
    estimate, shares = float((weights * parts.rate).sum()), weights**2 * variance
    se = math.sqrt(shares.sum())
    row: dict[str, Any] = {"component": name, "estimate": estimate, "se": se}
    if se <= TINY * max(1.0, abs(parts.rate).max()):
        nothing = not (np.abs(weights) > TINY).any()
        reason = NO_VARIATION if not nothing else NOTHING_COMMON if name == "within" else NO_MIX
        return (
            row | dict.fromkeys(("conf_low", "conf_high", "statistic", "df", "p_value"), math.nan) | {"reason": reason}
        )
    freedom = float(shares.sum() ** 2 / (shares**2 / df).sum())
    half, statistic = t_quantile(freedom) * se, estimate / se
    p_value = 2 * float(special.stdtr(freedom, -abs(statistic)))
    tested = {"statistic": statistic, "df": freedom, "p_value": p_value, "reason": ""}
    return row | {"conf_low": estimate - half, "conf_high": estimate + half} | tested


# --- tables -----------------------------------------------------------------------------------------------------------


def _present(there: np.ndarray) -> np.ndarray:
    return np.where(_both(there), BOTH, np.where(there[:, 0], BEFORE, AFTER))


def _known(values: np.ndarray, there: np.ndarray, name: str) -> dict[str, np.ndarray]:
    """Return a pair of columns, NaN where there are no answers."""
    return {f"{name}_{side}": np.where(there[:, k], values[:, k], np.nan) for k, side in enumerate((BEFORE, AFTER))}


def _cell_table(index: pd.MultiIndex, parts: _Parts) -> pd.DataFrame:
    """Return what each mode of each project adds; ``share``: of the answers of its project."""
    weight, stayed = parts.of_project.mean(axis=1), _both(parts.project_there)
    from_average = parts.rate.mean(axis=1) - parts.project_rate.mean(axis=1)
    columns = {"present": _present(parts.there), "n_before": parts.n[:, 0], "n_after": parts.n[:, 1]}
    columns |= _known(parts.of_cell, parts.project_there, "share") | _known(parts.rate, parts.there, "rate")
    columns["within"] = stayed * weight * parts.of_cell.mean(axis=1) * _change(parts.rate)
    columns["mode_mix"] = stayed * weight * _change(parts.of_cell) * from_average
    return pd.DataFrame(columns, index=index).reset_index()


def _project_table(index: pd.MultiIndex, parts: _Parts, cells: pd.DataFrame) -> pd.DataFrame:
    """Return what each project adds; ``share``: of all answers of the period."""
    pooled = float((parts.of_project * parts.of_cell * parts.rate).sum() / 2)
    columns = {"project": index.get_level_values("project"), "present": _present(parts.project_there)}
    columns |= _known(parts.of_project, np.ones_like(parts.there), "share")
    columns |= _known(parts.project_rate, parts.project_there, "rate")
    columns["project_mix"] = _change(parts.of_project) * (parts.project_rate.mean(axis=1) - pooled)
    found = pd.DataFrame(columns).drop_duplicates("project").set_index("project")
    sums = cells.groupby("project", sort=False)[["n_before", "n_after", "within", "mode_mix"]].sum()
    common = (cells["present"] == BOTH).groupby(cells["project"], sort=False).any()
    found = found.join(sums)
    found["total"] = found[["within", "project_mix", "mode_mix"]].sum(axis=1)
    found["reason"] = np.where((found["present"] == BOTH) & ~common.reindex(found.index), NO_COMMON_MODE, "")
    return found.reset_index()
