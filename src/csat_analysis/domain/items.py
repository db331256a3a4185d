"""What do the answers to each question say, of everybody and of each group?"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from csat_analysis.domain.evidence import Evidence
from csat_analysis.domain.scoring import interval, item_points, item_satisfied
from csat_analysis.ground.programmes import NOT_APPLICABLE, Programme
from csat_analysis.statistics.design import kept
from csat_analysis.statistics.estimates import Estimate, estimate_at, estimate_means, pooled_effect

FIGURES = (
    "n", "mean", "mean_se", "mean_effect", "share_satisfied", "share_se", "share_effect", "n_effective", "df",
    "conf_low", "conf_high",
)  # fmt: skip
OF_SHARE = FIGURES[4:]
NOT_SHOWN = dict.fromkeys(FIGURES)
REJECTED = "rejected"
INVALID = "invalid"  # an answer of an invalid form


def usable(answers: pd.DataFrame, forms: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    """Return the answers with those of invalid forms marked as such, so that no figure of an item holds them."""
    given = answers.isin(programme.level_ids)
    return answers.mask(given.mul(~forms["valid"].reindex(answers.index), axis="index"), INVALID)


def effect_of(evidence: Evidence, answers: pd.DataFrame) -> float | None:
    """Return the design effect of the items' satisfied shares together; None without weights and clusters."""
    design = evidence.design
    if design.is_plain or not len(answers.columns):
        return None
    marks = item_satisfied(usable(answers, evidence.forms, evidence.programme), evidence.programme)
    return pooled_effect(estimate_means(design, marks.to_numpy(dtype=float)))


def item_figures(evidence: Evidence, answers: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of every item.

    Parameters
    ----------
    answers
        Those that enter figures: see ``usable``.

    Returns
    -------
    DataFrame
        ``id, n, mean, mean_se, mean_effect, share_satisfied, share_se, share_effect, n_effective, df, conf_low,
        conf_high``: standard errors and design effects, and effective number of answers, degrees of freedom and
        interval of the share. An item that was not asked has n = 0.
    """
    nobody = pd.Series("", index=answers.index)
    rows = [
        {"id": item, **figures}
        for item in evidence.programme.item_ids
        for _, figures in _figures(item, evidence, answers, nobody)
    ]
    return pd.DataFrame(rows, dtype=object)


def _figures(
    item: str, evidence: Evidence, answers: pd.DataFrame, domain: pd.Series
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the figures of one item in each domain of the forms; None for those that cannot be told."""
    levels = sorted(domain.unique()) or [""]
    if item not in answers:
        yield from ((level, {**dict.fromkeys(FIGURES), "n": 0}) for level in levels)
        return
    programme, given = evidence.programme, answers[item].isin(evidence.programme.level_ids).to_numpy()
    points = item_points(answers[[item]], programme).get(item, pd.Series(math.nan, index=answers.index))
    marks = item_satisfied(answers[[item]], programme)[item]
    design = kept(evidence.design, given)
    places = np.searchsorted(levels, domain[given].to_numpy(dtype=str))
    values = np.column_stack([points[given], marks[given]])
    found = estimate_means(design, values, places, len(levels), evidence.effect)
    counts = np.bincount(places, design.counts, minlength=len(levels))
    for place, level in enumerate(levels):
        mean, share = (estimate_at(found, place, figure, design.is_plain) for figure in (0, 1))
        yield level, {"n": int(counts[place]), **_of_mean(mean), **_of_share(share)}


def _of_mean(estimate: Estimate) -> dict[str, Any]:
    """Return an item's mean with its standard error."""
    if not estimate.n:
        return dict.fromkeys(FIGURES[1:4])
    return {"mean": estimate.mean, "mean_se": _error(estimate), "mean_effect": _known(estimate.effect)}


def _of_share(estimate: Estimate) -> dict[str, Any]:
    """Return an item's satisfied share with its standard error and interval."""
    if not estimate.n:
        return dict.fromkeys(OF_SHARE)
    low, high, _ = interval(estimate, (0.0, 1.0), True)
    effect, effective = _known(estimate.effect), _known(estimate.n_effective)
    return dict(
        zip(OF_SHARE, (estimate.mean, _error(estimate), effect, effective, estimate.df, low, high), strict=True)
    )


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _error(estimate: Estimate) -> float | None:
    """Return a standard error, None where it cannot be told."""
    return None if math.isnan(estimate.se) or (not estimate.is_plain and estimate.df < 1) else estimate.se


def by_group(evidence: Evidence, answers: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return the items' figures for each group of forms, those ``suppressed`` that rest on too few answers.

    Parameters
    ----------
    answers
        Those that enter figures: see ``usable``.
    columns
        Columns of the forms; forms without a value there belong to no group.

    Returns
    -------
    DataFrame
        ``by, level``, the columns of ``item_figures``, ``suppressed``: the figures, n among them, are None.
    """
    forms, rows = evidence.forms, []
    for by in columns:
        sizes = forms.groupby(by, sort=True)["count"].sum()
        sizes = sizes[sizes.index != ""]
        found = {item: dict(_figures(item, evidence, answers, forms[by])) for item in evidence.programme.item_ids}
        hidden = {item: _hidden(figures, sizes, evidence.programme.min_n) for item, figures in found.items()}
        rows += [
            {"by": by, "level": level, "id": item, **(NOT_SHOWN if hide else found[item][level]), "suppressed": hide}
            for place, level in enumerate(sizes.index)
            for item, hide in ((item, each[place]) for item, each in hidden.items())
        ]
    table = pd.DataFrame(rows, columns=["by", "level", "id", *FIGURES, "suppressed"], dtype=object)
    return table.astype({"suppressed": bool}) if rows else table


def _hidden(figures: dict[str, dict[str, Any]], sizes: pd.Series, min_n: int) -> list[bool]:
    """Return which of the groups of some sizes are not shown, by the figures of one item."""
    answers = pd.Series([figures[level]["n"] for level in sizes.index], index=sizes.index)
    return suppressed(answers, min_n, sizes).tolist()


def suppressed(answers: pd.Series, min_n: int, forms: pd.Series | None = None) -> pd.Series:
    """Return which groups of a table are not shown: small ones, and more so that no total gives them away.

    Parameters
    ----------
    answers
        How many answers each group has.
    forms
        How many forms each has: one of which nobody answered is small where it has few forms.

    Notes
    -----
    What is left out must be two groups at least and ``min_n`` answers together, else it is the difference between the
    total and the groups shown. The smallest of the others join them until it is not.

    >>> suppressed(pd.Series([3, 9, 7, 40]), 5).tolist()
    [True, False, True, False]
    """
    size = answers.astype(float)
    small = (size if forms is None else size.mask(size == 0, forms.astype(float))) < min_n
    for smallest in size[~small & (size > 0)].sort_values(kind="stable").index:
        left_out = size[small & (size > 0)]
        if left_out.empty or (len(left_out) > 1 and left_out.sum() >= min_n):
            break
        small[smallest] = True
    return small


def distribution(
    answers: pd.DataFrame, forms: pd.DataFrame, programme: Programme, rejected: pd.DataFrame
) -> pd.DataFrame:
    """Return how often each answer was given on each item.

    Parameters
    ----------
    rejected
        ``row, column``: the answers that were rejected; they are empty in ``answers``.

    Returns
    -------
    DataFrame
        ``item, level, n, share``: the levels in their order with their (weighted) shares of the answers, then
        ``not_applicable``, ``empty`` (not answered), ``rejected`` and ``invalid`` (answers of invalid forms), which are
        outside that base and have no share.
    """
    rows = []
    counts = forms["count"].to_numpy()
    weights = forms["weight"].to_numpy() * counts
    for item in answers.columns:
        fallen = forms["row"].isin(rejected.loc[rejected["column"] == item, "row"]).to_numpy()
        given = answers[item].to_numpy(dtype=object, copy=True)
        given[fallen] = REJECTED
        base = float(weights[np.isin(given, programme.level_ids)].sum())
        for level in [*programme.level_ids, NOT_APPLICABLE, "", REJECTED, INVALID]:
            chosen = given == level
            share = float(weights[chosen].sum()) / base if base and level in programme.level_ids else None
            rows.append({"item": item, "level": level or "empty", "n": int(counts[chosen].sum()), "share": share})
    return pd.DataFrame(rows, columns=["item", "level", "n", "share"], dtype=object)
