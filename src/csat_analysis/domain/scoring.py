"""How satisfied are they? Points of answers, of forms, of items, and the rates made from them."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from csat_analysis.domain.evidence import Evidence, Measure
from csat_analysis.ground.programmes import NOT_APPLICABLE, Programme, reach
from csat_analysis.statistics.inference import Estimate, estimate_mean, mean_interval, wilson_interval

FIGURES = ("n", "mean", "mean_se", "share_satisfied", "share_se", "conf_low", "conf_high")
CLUSTERED = "withheld: clusters"  # a standard error that ignores clusters would be too small
SAME = "withheld: no variation"  # from values that are all the same no error of their mean can be told
WILSON, CENSUS = "wilson", "census"
REJECTED = "rejected"
INVALID = "invalid"  # an answer of an invalid form


def usable(answers: pd.DataFrame, forms: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    """Return the answers with those of invalid forms marked as such, so that no figure of an item holds them."""
    given = answers.isin(programme.level_ids)
    return answers.mask(given.mul(~forms["valid"].reindex(answers.index), axis="index"), INVALID)


def item_points(answers: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    """Return the points of every answer; NaN where there is none or the item has no points."""
    tables = {item.id: programme.item_points(item) or {} for item in programme.items if item.id in answers}
    return pd.DataFrame({item: _numbers(answers[item], points) for item, points in tables.items()}, index=answers.index)


def item_satisfied(answers: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    """Return 1 where an answer counts as satisfied, 0 where another was given, NaN where none was."""
    satisfied = programme.satisfied.levels if programme.satisfied else ()
    marks = {level: float(level in satisfied) if satisfied else math.nan for level in programme.level_ids}
    return pd.DataFrame({item: _numbers(answers[item], marks) for item in answers}, index=answers.index)


def _numbers(answers: pd.Series, numbers: Mapping[str, float]) -> np.ndarray:
    """Return the number of each answer, NaN where it has none; each level is looked up once."""
    places, levels = pd.factorize(answers.to_numpy(dtype=object))
    return np.array([numbers.get(level, math.nan) for level in levels], dtype=float)[places]


def weights_of_items(programme: Programme) -> pd.Series:
    """Return the weight of each item; where the programme gives none, 1 for each that must be asked, else 0.

    An item without weight is shown and not scored, so that a form that leaves out an optional one loses nothing.
    """
    weights = pd.Series({item.id: item.weight for item in programme.items}, dtype=float)
    if weights.notna().any():
        return weights.fillna(0.0)
    return pd.Series({item.id: float(not item.optional) for item in programme.items})


def full_points(programme: Programme) -> float:
    """Return the points of a form that gives the best answer on every item with a weight."""
    weights = weights_of_items(programme)
    scored = [programme.item_points(item) for item in programme.items if weights[item.id] > 0]
    return sum(max(points.values()) for points in scored if points)


def score_forms(forms: pd.DataFrame, answers: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    """Return each form with what it says.

    Returns
    -------
    DataFrame
        The columns of ``forms`` and ``answered`` (number of items), ``valid``, ``invalid_reason`` (see ``invalidity``),
        ``decided`` (valid, and it answered what "a satisfied form" asks), ``satisfied``, ``points`` (their sum over the
        items with a weight; nothing answered: 0), ``score`` (weighted mean over the items it answered; NaN where it
        answered none). An invalid form stays, is never satisfied, and has neither points nor a score.
    """
    reason = invalidity(answers, programme)
    valid = reason == ""
    points, marks = item_points(answers, programme)[valid], item_satisfied(answers, programme)[valid]
    weights = points.notna() * weights_of_items(programme).reindex(points.columns)
    total = weights.sum(axis="columns")
    decided, satisfied = _satisfied_forms(marks, programme)
    return forms.assign(
        answered=answers.isin(programme.level_ids).sum(axis="columns"),
        valid=valid,
        invalid_reason=reason,
        decided=decided.reindex(forms.index, fill_value=False),
        satisfied=satisfied.reindex(forms.index, fill_value=False),
        points=points.where(weights > 0).sum(axis="columns").reindex(forms.index, fill_value=0.0),
        score=((points * weights).sum(axis="columns") / total.where(total > 0)).reindex(forms.index),
    )


def invalidity(answers: pd.DataFrame, programme: Programme) -> pd.Series:
    """Return why each form is invalid, empty for a valid one.

    Notes
    -----
    ``blank`` (no answer at all), ``too_few`` (fewer than ``min_answered``), ``too_small_share`` (answered and not
    applicable below ``min_share`` of the items asked), or the id of a contradiction; the first that holds. Giving the
    same answer everywhere is no reason: of honest forms with four questions half do so.
    """
    rule, given = programme.validity, answers.isin(programme.level_ids)
    answered, dealt_with = given.sum(axis="columns"), given | (answers == NOT_APPLICABLE)
    reasons = [("blank", answered == 0), ("too_few", answered < rule.min_answered)]
    if rule.min_share is not None:
        reasons.append(("too_small_share", dealt_with.mean(axis="columns") < rule.min_share - 1e-9))
    for each in rule.contradictions:
        parts = [answers[item].isin(levels) for item, levels in each.answers.items() if item in answers]
        together = np.logical_and.reduce(parts) if len(parts) == len(each.answers) else np.zeros(len(answers), bool)
        reasons.append((each.id, pd.Series(together, index=answers.index)))
    found = pd.Series("", index=answers.index, dtype=object)
    for name, holds in reversed(reasons):
        found[holds] = name
    return found


def _satisfied_forms(marks: pd.DataFrame, programme: Programme) -> tuple[pd.Series, pd.Series]:
    """Return which forms answered what decides their satisfaction, and which are satisfied."""
    form = programme.satisfied_form
    if form is None:
        return pd.Series(False, index=marks.index), pd.Series(False, index=marks.index)
    if form.reading == "item":
        mark = marks[form.item] if form.item in marks else pd.Series(math.nan, index=marks.index)
        return mark.notna(), mark == 1
    share = marks.mean(axis="columns")  # over the items it answered
    wanted = 1.0 if form.share is None else form.share
    return share.notna(), share >= wanted - 1e-9


def form_path(answers: pd.Series, programme: Programme) -> pd.DataFrame:
    """Return one form's way to its score.

    Parameters
    ----------
    answers
        One row of a survey's ``answers``.

    Returns
    -------
    DataFrame
        One row per item: ``item, answer, points, weight, contribution``; contributions add to the form's score.
    """
    points = item_points(answers.to_frame().T, programme).iloc[0]
    weights = weights_of_items(programme).reindex(points.index).where(points.notna(), 0.0)
    return pd.DataFrame(
        {
            "item": points.index,
            "answer": answers.reindex(points.index).to_numpy(),
            "points": points.to_numpy(),
            "weight": weights.to_numpy(),
            "contribution": (points.fillna(0.0) * weights / weights.sum()).to_numpy() if weights.sum() else np.nan,
        }
    )


# --- measures ---------------------------------------------------------------------------------------------------------


def satisfaction_rate(evidence: Evidence) -> Measure:
    """Return satisfied forms ÷ the programme's denominator."""
    return _satisfied_share(evidence, evidence.programme.satisfaction_rate.denominator)


def satisfaction_rate_of_valid(evidence: Evidence) -> Measure:
    """Return satisfied forms ÷ valid forms."""
    return _satisfied_share(evidence, "valid")


def _satisfied_share(evidence: Evidence, denominator: str) -> Measure:
    forms = evidence.forms
    if evidence.programme.satisfied_form is None:
        return Measure(None, None, None)
    base = {"valid": forms["valid"], "answered": forms["decided"]}
    chosen = forms[base[denominator]] if denominator in base else forms
    if denominator == "distributed":
        return _share_of_distributed(evidence)
    return _mean_measure(evidence, chosen, chosen["satisfied"].astype(float), (0.0, 1.0), share=True)


def _share_of_distributed(evidence: Evidence) -> Measure:
    """Return satisfied forms ÷ forms sent; unweighted, as those that did not come back have no weight."""
    satisfied, sent = int(evidence.forms.loc[evidence.forms["satisfied"], "count"].sum()), evidence.distributed
    if not sent or satisfied > sent:
        return Measure(satisfied / sent if sent else None, satisfied, sent)
    counts = np.array([satisfied, sent - satisfied])
    estimate = estimate_mean(np.array([1.0, 0.0]), np.ones(2), counts, evidence.population)
    low, high, method = interval(estimate, (0.0, 1.0), True, "cluster" in evidence.forms)
    se = None if method == CLUSTERED else estimate.se
    return Measure(estimate.mean, satisfied, sent, low, high, method, se, estimate.n, estimate.n_effective)


def survey_rate(evidence: Evidence) -> Measure:
    """Return points of all returned forms ÷ (full points × returned forms); what was not answered counts 0."""
    full = full_points(evidence.programme)
    if not full:
        return Measure(None, None, None)
    values, bounds = evidence.forms["points"] / full, reach(evidence.programme, "survey_rate")
    return _mean_measure(evidence, evidence.forms, values, bounds, scale=full)


def weighted_score(evidence: Evidence) -> Measure:
    """Return the mean of the forms' scores, over the forms that answered an item with points."""
    scored = evidence.forms.dropna(subset="score")
    return _mean_measure(evidence, scored, scored["score"], reach(evidence.programme, "weighted_score"))


def item_measure(name: str, answers: pd.DataFrame, evidence: Evidence) -> Measure:
    """Return what ``<item>.mean`` or ``<item>.satisfied`` names as a measure over the answers given to the item."""
    item, figure = name.split(".")
    if item not in answers:
        return Measure(None, None, None)
    share = figure == "satisfied"
    values = (item_satisfied if share else item_points)(answers[[item]], evidence.programme)[item].dropna()
    forms = evidence.forms.loc[values.index]
    bounds = (0.0, 1.0) if share else reach(evidence.programme, name)
    return _mean_measure(evidence, forms, values, bounds, share)


def _mean_measure(
    evidence: Evidence,
    forms: pd.DataFrame,
    values: pd.Series,
    bounds: tuple[float, float],
    share: bool = False,
    scale: float = 1.0,
) -> Measure:
    """Return the mean of one value per form, with numerator, denominator (both times ``scale``) and interval.

    The denominator is the number of forms; with weights the numerator is what would give the weighted mean, so that
    parts of several surveys can be added whatever the size of their weights.
    """
    weights, counts = forms["weight"].to_numpy(), forms["count"].to_numpy()
    estimate = estimate_mean(values.to_numpy(), weights, counts, evidence.population)
    if math.isnan(estimate.mean):
        return Measure(None, 0.0, float(estimate.n * scale))
    low, high, method = interval(estimate, bounds, share, "cluster" in forms)
    numerator = _whole(estimate.mean * estimate.n * scale)
    influence = (weights * (values - estimate.mean) / (weights * counts).sum()).reindex(evidence.forms.index)
    return Measure(
        estimate.mean, numerator, float(estimate.n * scale), low, high, method,
        None if method == CLUSTERED or estimate.n < 2 else estimate.se, estimate.n, estimate.n_effective,
        influence.fillna(0.0),
    )  # fmt: skip


def _whole(number: float) -> float:
    """Return a number, one that is whole but for the noise of floating point as whole."""
    return float(round(number)) if math.isclose(number, round(number), rel_tol=1e-12, abs_tol=1e-9) else number


def interval(
    estimate: Estimate, bounds: tuple[float, float], share: bool, clustered: bool
) -> tuple[float | None, float | None, str]:
    """Return the interval of a share (Wilson) or a mean (t) within what it can reach, and its method.

    None while clusters are not in it, and of a mean where all values are the same.
    """
    if clustered:
        return None, None, CLUSTERED
    low, high = wilson_interval(estimate.mean, estimate.n_effective) if share else mean_interval(estimate)
    if math.isnan(low):
        return None, None, SAME if estimate.n > 1 else "t"
    return max(low, bounds[0]), min(high, bounds[1]), CENSUS if estimate.is_census else WILSON if share else "t"


# --- items ------------------------------------------------------------------------------------------------------------


def item_figures(
    answers: pd.DataFrame, forms: pd.DataFrame, programme: Programme, population: int | None
) -> pd.DataFrame:
    """Return the figures of every item.

    Returns
    -------
    DataFrame
        ``id, n, mean, mean_se, share_satisfied, share_se, conf_low, conf_high``; an item that was not asked has n = 0.
    """
    worth = _worth(answers, programme)
    rows = [{"id": item, **_figures(item, worth, forms, population)} for item in programme.item_ids]
    return pd.DataFrame(rows, dtype=object)


def _worth(answers: pd.DataFrame, programme: Programme) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return of every answer whether there is one, its points, and whether it counts as satisfied."""
    return answers.isin(programme.level_ids), item_points(answers, programme), item_satisfied(answers, programme)


def _figures(item: str, worth: tuple[pd.DataFrame, ...], forms: pd.DataFrame, population: int | None) -> dict[str, Any]:
    """Return the figures of one item; None for those that cannot be told."""
    given, points, marks = worth
    empty = dict.fromkeys(FIGURES)
    if item not in given:
        return {**empty, "n": 0}
    clustered, weights, counts = "cluster" in forms, forms["weight"].to_numpy(), forms["count"].to_numpy()

    def estimated(values: np.ndarray) -> Estimate:
        there = ~np.isnan(values)
        return estimate_mean(values[there], weights[there], counts[there], population)

    mean, share = estimated(points[item].to_numpy()), estimated(marks[item].to_numpy())
    found: dict[str, Any] = {**empty, "n": int(counts[given[item].to_numpy()].sum())}
    if mean.n:
        found |= {"mean": mean.mean, "mean_se": None if clustered else mean.se}
    if share.n:
        low, high, _ = interval(share, (0.0, 1.0), True, clustered)
        found |= {
            "share_satisfied": share.mean,
            "share_se": None if clustered else share.se,
            "conf_low": low,
            "conf_high": high,
        }
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in found.items()}


def by_group(answers: pd.DataFrame, forms: pd.DataFrame, programme: Programme, columns: Iterable[str]) -> pd.DataFrame:
    """Return the items' figures for each group of forms, those ``suppressed`` that rest on too few answers.

    Parameters
    ----------
    columns
        Columns of ``forms``; forms without a value there belong to no group.

    Returns
    -------
    DataFrame
        ``by, level``, the columns of ``item_figures``, ``suppressed``: the figures, n among them, are None.
    """
    worth, rows = _worth(answers, programme), []
    for by in columns:
        for level, places in forms.groupby(by, sort=True).indices.items():
            group, part = forms.iloc[places], tuple(table.iloc[places] for table in worth)
            for item in programme.item_ids if level != "" else ():
                size = int(group["count"].sum())
                rows.append({"by": by, "level": level, "id": item, **_figures(item, part, group, None), "size": size})
    found = pd.DataFrame(rows, columns=["by", "level", "id", *FIGURES, "size"], dtype=object).assign(suppressed=False)
    for _, table in found.groupby(["by", "id"], sort=False):
        found.loc[table.index, "suppressed"] = suppressed(table["n"], programme.min_n, table["size"])
    found.loc[found["suppressed"], list(FIGURES)] = None
    return found[["by", "level", "id", *FIGURES, "suppressed"]]


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
