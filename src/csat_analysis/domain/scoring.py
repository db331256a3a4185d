"""How satisfied are they? Points of answers, of forms, of items, and the rates made from them."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from csat_analysis.domain.evidence import Evidence, Measure
from csat_analysis.ground.programmes import NOT_APPLICABLE, Programme, reach
from csat_analysis.statistics.design import design_of, kept, without_population
from csat_analysis.statistics.estimates import Estimate, estimate_mean
from csat_analysis.statistics.inference import NOISE, scale_interval, wilson_interval

CLUSTERED = "withheld: one cluster"  # between one cluster and others nothing can be told
UNSENT = "withheld: clusters of forms not returned"
SAME = "withheld: no variation"  # from values that are all the same no error of their mean can be told
WILSON, OF_MEAN, CENSUS = "wilson", "wilson_mean", "census"


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
        answered none), and where the programme has a path model the points of its items (``points_column``). An invalid
        form stays, is never satisfied, and has neither points nor a score.
    """
    reason = invalidity(answers, programme)
    valid = reason == ""
    points, marks = item_points(answers, programme)[valid], item_satisfied(answers, programme)[valid]
    weights = points.notna() * weights_of_items(programme).reindex(points.columns)
    total = weights.sum(axis="columns")
    shown = [item for each in (programme.latent.constructs if programme.latent else ()) for item in each.items]
    return forms.assign(
        **{points_column(item): points[item].reindex(forms.index) for item in shown},
        answered=answers.isin(programme.level_ids).sum(axis="columns"),
        valid=valid,
        invalid_reason=reason,
        **_read(marks, forms.index, programme),
        points=points.where(weights > 0).sum(axis="columns").reindex(forms.index, fill_value=0.0),
        score=((points * weights).sum(axis="columns") / total.where(total > 0)).reindex(forms.index),
    )


def read_again(forms: pd.DataFrame, answers: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    """Return scored forms as a programme reads "a satisfied form" that differs in this alone."""
    return forms.assign(**_read(item_satisfied(answers, programme)[forms["valid"]], forms.index, programme))


def _read(marks: pd.DataFrame, forms: pd.Index, programme: Programme) -> dict[str, pd.Series]:
    """Return of each form whether it was decided and satisfied, by the marks of the valid ones."""
    decided, satisfied = _satisfied_forms(marks, programme)
    return {
        "decided": decided.reindex(forms, fill_value=False),
        "satisfied": satisfied.reindex(forms, fill_value=False),
    }


def points_column(item: str) -> str:
    """Return the column of the forms that holds the points of an item."""
    return f"{item}.points"


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


def form_values(name: str, evidence: Evidence) -> pd.Series | None:
    """Return the value of each form whose mean a measure is, over its base; None where it is no such mean."""
    if name in ("satisfaction_rate", "satisfaction_rate_of_valid"):
        base = "valid" if name == "satisfaction_rate_of_valid" else evidence.programme.satisfaction_rate.denominator
        if evidence.programme.satisfied_form is None or base == "distributed":
            return None
        return base_of(evidence, base)["satisfied"].astype(float)
    if name == "survey_rate" and (full := full_points(evidence.programme)):
        return evidence.forms["points"] / full
    return evidence.forms["score"].dropna() if name == "weighted_score" else None


def satisfaction_rate(evidence: Evidence) -> Measure:
    """Return satisfied forms ÷ the programme's denominator."""
    return satisfied_share(evidence, evidence.programme.satisfaction_rate.denominator)


def satisfaction_rate_of_valid(evidence: Evidence) -> Measure:
    """Return satisfied forms ÷ valid forms."""
    return satisfied_share(evidence, "valid")


def satisfied_share(evidence: Evidence, denominator: str) -> Measure:
    """Return satisfied forms ÷ a denominator: ``distributed``, or a base of ``base_of``."""
    if evidence.programme.satisfied_form is None:
        return Measure(None, None, None)
    if denominator == "distributed":
        return _share_of_distributed(evidence)
    return mean_measure(evidence, base_of(evidence, denominator)["satisfied"].astype(float), (0.0, 1.0), share=True)


def base_of(evidence: Evidence, denominator: str) -> pd.DataFrame:
    """Return the forms that are the base of a satisfaction rate: ``returned``, ``valid`` or ``answered``."""
    forms = evidence.forms
    return {"valid": forms[forms["valid"]], "answered": forms[forms["decided"]]}.get(denominator, forms)


def _share_of_distributed(evidence: Evidence) -> Measure:
    """Return satisfied forms ÷ forms sent; unweighted, as those that did not come back have no weight."""
    satisfied, sent = int(evidence.forms.loc[evidence.forms["satisfied"], "count"].sum()), evidence.distributed
    if not sent or satisfied > sent:
        return Measure(satisfied / sent if sent else None, satisfied, sent)
    if "cluster" in evidence.forms:  # those of the forms that did not come back are not known
        return Measure(satisfied / sent, satisfied, sent, method=UNSENT)
    kinds = np.array([[1.0, satisfied], [0.0, sent - satisfied]])
    values, counts = kinds[kinds[:, 1] > 0].T
    estimate = estimate_mean(design_of(np.ones(len(values)), counts, population=evidence.population), values)
    return _measure(estimate, satisfied, sent, (0.0, 1.0), share=True)


def survey_rate(evidence: Evidence) -> Measure:
    """Return points of all returned forms ÷ (full points × returned forms); what was not answered counts 0."""
    full = full_points(evidence.programme)
    if not full:
        return Measure(None, None, None)
    values, bounds = evidence.forms["points"] / full, reach(evidence.programme, "survey_rate")
    return mean_measure(evidence, values, bounds, scale=full)


def weighted_score(evidence: Evidence) -> Measure:
    """Return the mean of the forms' scores, over the forms that answered an item with points."""
    return mean_measure(evidence, evidence.forms["score"].dropna(), reach(evidence.programme, "weighted_score"))


def item_measure(name: str, answers: pd.DataFrame, evidence: Evidence) -> Measure:
    """Return what ``<item>.mean`` or ``<item>.satisfied`` names as a measure over the answers given to the item."""
    item, figure = name.split(".")
    if item not in answers:
        return Measure(None, None, None)
    share = figure == "satisfied"
    values = (item_satisfied if share else item_points)(answers[[item]], evidence.programme)[item].dropna()
    bounds = (0.0, 1.0) if share else reach(evidence.programme, name)
    return mean_measure(evidence, values, bounds, share)


def mean_measure(
    evidence: Evidence, values: pd.Series, bounds: tuple[float, float], share: bool = False, scale: float = 1.0
) -> Measure:
    """Return the mean of one value for each form that has one, with numerator, denominator (times ``scale``), interval.

    The denominator is the number of forms; with weights the numerator is what would give the weighted mean, so that
    parts of several surveys can be added whatever the size of their weights.
    """
    design = kept(evidence.design, evidence.rows_of(values))
    estimate = estimate_mean(design, values.to_numpy(), evidence.effect)
    if math.isnan(estimate.mean):
        return Measure(None, 0.0, float(estimate.n * scale))
    numerator = whole(estimate.mean * estimate.n * scale)
    share_of_answer = design.weights / (design.weights * design.counts).sum()
    influence = (share_of_answer * (values - estimate.mean)).reindex(evidence.forms.index)
    measure = _measure(estimate, numerator, float(estimate.n * scale), bounds, share)
    if not np.isnan(design.population).all():  # else both views are one
        estimate = estimate_mean(without_population(design), values.to_numpy(), evidence.effect)
    low, high, _ = interval(estimate, bounds, share)
    return measure._replace(influence=influence, process_low=low, process_high=high)


def _measure(
    estimate: Estimate, numerator: float, denominator: float, bounds: tuple[float, float], share: bool
) -> Measure:
    """Return an estimate as a measure; a mean of values that are all the same has no standard error to go by."""
    low, high, method = interval(estimate, bounds, share)
    silent = method == OF_MEAN and estimate.se <= NOISE * max(1.0, abs(estimate.mean))
    known = method != CLUSTERED and estimate.n > 1 and not silent
    effect = None if math.isnan(estimate.effect) else estimate.effect
    return Measure(
        estimate.mean, numerator, denominator, low, high, method, estimate.se if known else None, estimate.n,
        estimate.n_effective, estimate.df, effect,
    )  # fmt: skip


def whole(number: float) -> float:
    """Return a number, one that is whole but for the noise of floating point as whole."""
    return float(round(number)) if math.isclose(number, round(number), rel_tol=1e-12, abs_tol=1e-9) else number


def interval(estimate: Estimate, bounds: tuple[float, float], share: bool) -> tuple[float | None, float | None, str]:
    """Return the interval of a share or a mean within what it can reach, and its method.

    None for forms of a single cluster, and of a mean where all values are the same and not at an end of the scale.
    """
    if estimate.is_census:
        return estimate.mean, estimate.mean, CENSUS
    if not estimate.is_plain and estimate.df < 1:
        return None, None, CLUSTERED
    if share:
        df = None if estimate.is_plain else estimate.df
        low, high = wilson_interval(estimate.mean, estimate.n_effective, df)
    else:
        found = (estimate.mean, estimate.se, estimate.df, estimate.n_effective)
        low, high = scale_interval(*found, bounds, estimate.is_plain)
    if math.isnan(low):
        return None, None, SAME if estimate.n > 1 else OF_MEAN
    return max(low, bounds[0]), min(high, bounds[1]), WILSON if share else OF_MEAN
