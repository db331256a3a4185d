"""What goes with a better answer? Ordered answers without points: the proportional-odds model."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from csat_analysis.estimation.likelihood import Maximum, maximise
from csat_analysis.statistics.design import Design, without_population
from csat_analysis.statistics.estimates import estimate_totals

TAIL = 0.975
ONE_LEVEL, TOO_FEW, SEPARATED, NO_TERM, LOST = "one_level", "too_few_answers", "separation", "no_term", "not_converged"
SAME, COLLINEAR = "no_variation", "collinear"
FEW_UNITS, SPARSE = "too_few_units", "sparse"


@dataclass(frozen=True)
class OrdinalFit:
    """A proportional-odds model: logit P(answer ≤ level) = threshold − Σ coefficient × term.

    Attributes
    ----------
    table
        One row per term: ``variable, level, estimate`` (log odds) ``, se, conf_low, conf_high, odds_ratio, odds_low,
        odds_high, statistic, df, p_value, reason``. Above 1, an odds ratio speaks for better answers. A term that
        cannot be estimated has nothing (NaN) and its reason: ``no_variation, collinear, separation``.
    thresholds
        One row per pair of neighbouring levels: ``below, above, estimate, se``.
    covariance
        Of all coefficients, then all thresholds; 0 for those that cannot be estimated.
    deviance, null_deviance
        −2 log-likelihood, of this model and of one without terms; with unequal weights of a pseudo-likelihood.
    n, left_out
        Answers behind it, and those without a level or a term.
    unused
        Levels that nobody chose; they are left out.
    method
        ``likelihood``, or ``design`` where the variance is that of the design.
    reason
        Why there is no fit (``one_level, too_few_answers, no_term, not_converged``), or ``separation`` where some
        terms predict answers perfectly, or ``too_few_units`` where the design has too few for standard errors.
    """

    table: pd.DataFrame
    thresholds: pd.DataFrame
    covariance: np.ndarray
    deviance: float
    null_deviance: float
    n: int
    left_out: int
    df: float
    unused: tuple[str, ...]
    method: str
    reason: str


class Data(NamedTuple):
    """The complete rows: place of each answer's level, terms from 0 to 1, weight of a single answer."""

    levels: np.ndarray
    terms: np.ndarray  # (term − low) / range, so that no scale is too large or small to compute with
    low: np.ndarray
    range: np.ndarray
    weights: np.ndarray
    counts: np.ndarray
    rows: np.ndarray
    names: list[str]


# --- terms ------------------------------------------------------------------------------------------------------------


def indicator_columns(answers: pd.DataFrame, levels: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return a column of 0 and 1 for each level of each variable but its first, which the others are compared with.

    Parameters
    ----------
    levels
        Levels of each variable, in order; what is none of them is no answer (NaN).

    Examples
    --------
    >>> indicator_columns(pd.DataFrame({"type": ["Tower", "Atrium", ""]}), {"type": ["Tower", "Atrium"]})
        type
      Atrium
    0    0.0
    1    1.0
    2    NaN
    """
    parts = {
        (variable, level): (answers[variable] == level).astype(float).where(answers[variable].isin(known))
        for variable, known in levels.items()
        for level in known[1:]
    }
    return pd.DataFrame(parts, index=answers.index)


def term_names(terms: pd.DataFrame) -> list[tuple[str, str]]:
    """Return variable and level of each term; a plain column is a variable of its own."""
    return [(name[0], name[1]) if isinstance(name, tuple) else (name, "") for name in terms.columns]


def complete_rows(answers: Sequence[Hashable], order: Sequence[str], terms: pd.DataFrame, design: Design) -> Data:
    """Return the complete rows in numbers, with the levels that occur."""
    if not len(answers) == len(terms) == len(design.weights):
        raise ValueError("answers, terms and design: not of one length; give one of each for every row.")
    place: dict[Hashable, int] = {level: number for number, level in enumerate(order)}
    codes = np.array([place.get(answer, -1) for answer in answers])
    values = terms.to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(values).any():
        raise ValueError("terms: some are infinite; give a number, or NaN where there is none.")
    rows = np.flatnonzero((codes >= 0) & ~np.isnan(values).any(axis=1))
    used, levels = np.unique(codes[rows], return_inverse=True)
    counts = design.counts[rows]
    mean = (design.weights[rows] * counts).sum() / counts.sum() if len(rows) else 1.0
    values = values[rows]
    low, high = (values.min(axis=0), values.max(axis=0)) if len(rows) else (np.zeros(values.shape[1]),) * 2
    varies = high - low > 1e-12 * np.maximum(np.abs(low), np.abs(high))
    span = np.where(varies, high - low, 1.0)
    scaled = np.where(varies, values - low, 0.0) / span
    names = [order[each] for each in used]
    return Data(levels.reshape(-1), scaled, low, span, design.weights[rows] / mean, counts, rows, names)


def unusable(data: Data) -> np.ndarray:
    """Return for each term why it cannot be estimated: it does not vary, or is made of those before it; or nothing."""
    root = np.sqrt(data.weights * data.counts)
    reasons, basis = [], [root / (np.linalg.norm(root) or 1.0)]
    for column in data.terms.T * root:
        left = apart = column - basis[0] * (basis[0] @ column)
        for each in basis[1:]:
            left = left - each * (each @ left)
        size = np.linalg.norm(left)
        known = size <= 1e-7 * np.linalg.norm(apart)
        reasons.append(SAME if not column.any() else COLLINEAR if known else "")
        if not known:
            basis.append(left / size)
    return np.array(reasons, dtype=object)


# --- variance ---------------------------------------------------------------------------------------------------------


def covariance_of_totals(design: Design, rows: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the covariances, by the design, of the totals of scores over some of its rows, and degrees of freedom.

    Notes
    -----
    From the variances of the totals and of the sums of any two, each scaled to 1: so weights, strata, clusters, lonely
    strata and calibration are dealt with where they are for every other estimate.
    """
    design, width = without_population(design), scores.shape[1]
    values = np.full((len(design.weights), width), np.nan)
    values[rows] = scores
    _, se, df = estimate_totals(design, values)
    scale = np.where(se > 0, se, 1.0)
    first, second = np.triu_indices(width, 1)
    both = np.zeros((width, width))
    step = max(1, 4_000_000 // max(len(values), 1))
    for at in range(0, len(first), step):
        one, other = first[at : at + step], second[at : at + step]
        sums = values[:, one] / scale[one] + values[:, other] / scale[other]
        both[one, other] = (estimate_totals(design, sums)[1] ** 2 - (se[one] > 0) - (se[other] > 0)) / 2
    return (both + both.T + np.diag((se > 0) * 1.0)) * scale[:, None] * scale, float(df[0]) if width else 0.0


def _tail(statistic: np.ndarray, df: float) -> np.ndarray:
    """Return the two-sided p-value of Student's t; of the normal distribution where df is infinite."""
    size = -np.abs(statistic)
    return 2 * (special.ndtr(size) if math.isinf(df) else special.stdtr(df, size))


def _quantile(df: float) -> float:
    """Return how many standard errors to each side make a 95 % interval."""
    return float(special.stdtrit(df, TAIL)) if df > 0 else math.nan


# --- proportional odds ------------------------------------------------------------------------------------------------


def fit_ordinal(
    answers: Sequence[Hashable],
    order: Sequence[str],
    terms: pd.DataFrame,
    design: Design,
    by_design: bool | None = None,
) -> OrdinalFit:
    """Return the proportional-odds model of ordered answers.

    Parameters
    ----------
    answers
        Level of each row; what is not in ``order`` is no answer.
    order
        The levels, the least satisfied first.
    terms
        One row per row of answers, one column per term: numbers, or from ``indicator_columns``. NaN: not answered.
    by_design
        Whether the variance is that of the design (sandwich: scores summed by primary unit, within strata); None: where
        weights differ or answers come in clusters.

    Raises
    ------
    ValueError
        Columns of different lengths, infinite terms.

    Notes
    -----
    logit P(Y ≤ k) = θ_k − Σ β x, by maximum likelihood, an answer counting with weight × count (weights scaled to a
    mean of 1: a pseudo-likelihood where they differ). Variance: inverse observed information; by design, that on both
    sides of the variance of the total score. Intervals and tests: normal; by design Student's t with primary units −
    strata; without finite population, as what goes with what is asked of the process behind the answers. Rows without
    an answer stay in the design as rows of another domain.

    References
    ----------
    McCullagh (1980), JRSS B 42, 109. Burridge (1981), JRSS B 43, 41. Binder (1983), International Statistical Review
    51, 279 (variance by design).

    Examples
    --------
    Two levels: the log odds ratio of 30 · 30 / (10 · 10) is 2.1972, its standard error √(1/10 + 1/30 + 1/30 + 1/10).

    >>> from csat_analysis.statistics.design import design_of
    >>> terms = pd.DataFrame({"owner": [0, 0, 1, 1]})
    >>> design = design_of(np.ones(4), np.array([30, 10, 10, 30]))
    >>> found = fit_ordinal(["low", "high", "low", "high"], ["low", "high"], terms, design)
    >>> found.table[["variable", "estimate", "se", "odds_ratio"]].round(4).values.tolist()
    [['owner', 2.1972, 0.5164, 9.0]]
    """
    data = complete_rows(answers, order, terms, design)
    reasons = unusable(data)
    kept, n = reasons == "", int(round(data.counts.sum()))
    nowhere = why_none(data, kept, n)
    robust = not design.is_plain if by_design is None else by_design
    empty = _empty(terms, reasons, data, design, n, order, robust, nowhere)
    if nowhere:
        return empty
    found = maximise(data.levels, data.terms[:, kept], data.weights * data.counts)
    covariance, df = found.inverse, math.inf
    if robust:
        scale = data.weights / design.weights[data.rows]
        middle, df = covariance_of_totals(design, data.rows, found.scores * scale[:, None])
        covariance = found.inverse @ middle @ found.inverse
    return _fit(empty, kept, found, covariance, df, data)


def why_none(data: Data, kept: np.ndarray, n: int) -> str:
    """Return why there is no fit, or nothing."""
    if len(data.names) < 2:
        return ONE_LEVEL
    if not kept.any():
        return NO_TERM
    return TOO_FEW if n <= kept.sum() + len(data.names) - 1 else ""


def _empty(
    terms: pd.DataFrame, reasons: np.ndarray, data: Data, design: Design, n: int, order: Sequence[str],
    robust: bool, reason: str,
) -> OrdinalFit:  # fmt: skip
    """Return a fit without figures."""
    table = pd.DataFrame(term_names(terms), columns=["variable", "level"])
    table[["estimate", "se", "conf_low", "conf_high", "odds_ratio", "odds_low", "odds_high"]] = np.nan
    table[["statistic", "df", "p_value"]] = np.nan
    table["reason"] = reasons
    thresholds = pd.DataFrame({"below": data.names[:-1], "above": data.names[1:]})
    thresholds[["estimate", "se"]] = np.nan
    size = len(table) + len(thresholds)
    weights = data.weights * data.counts
    shares = np.bincount(data.levels, weights) if len(weights) else np.ones(1)
    null = -2 * float(special.xlogy(shares, shares / shares.sum()).sum()) if len(weights) else math.nan
    unused = tuple(level for level in order if level not in data.names)
    return OrdinalFit(
        table, thresholds, np.zeros((size, size)), math.nan, null, n, int(round(design.counts.sum())) - n, math.nan,
        unused, "design" if robust else "likelihood", reason,
    )  # fmt: skip


def _fit(
    empty: OrdinalFit, kept: np.ndarray, found: Maximum, covariance: np.ndarray, df: float, data: Data
) -> OrdinalFit:
    """Return the fit from where the log-likelihood is highest."""
    table, thresholds = empty.table.copy(), empty.thresholds.copy()
    back = _back(data.low[kept], data.range[kept], len(thresholds))
    lost = np.abs(back) @ found.lost > 0
    place = np.where(lost, np.nan, back @ np.where(found.lost, 0.0, found.place))
    covariance = back @ covariance @ back.T
    se = np.where(lost | (df <= 0), np.nan, np.sqrt(np.maximum(np.diag(covariance), 0.0)))
    width, rows = int(kept.sum()), np.flatnonzero(kept)
    estimate, error = place[:width], np.where(se[:width] > 0, se[:width], np.nan)
    half = _quantile(df) * error
    columns = {
        "estimate": estimate, "se": error, "conf_low": estimate - half, "conf_high": estimate + half,
        "odds_ratio": _exp(estimate), "odds_low": _exp(estimate - half), "odds_high": _exp(estimate + half),
        "statistic": estimate / error, "df": np.full(width, df), "p_value": _tail(estimate / error, df),
    }  # fmt: skip
    for name, values in columns.items():
        table.loc[rows, name] = values
    table.loc[rows[lost[:width]], "reason"] = SEPARATED
    thresholds["estimate"], thresholds["se"] = place[width:], se[width:]
    where = np.concatenate([rows, len(table) + np.arange(len(thresholds))])
    whole = np.zeros_like(empty.covariance)
    whole[np.ix_(where, where)] = covariance
    reason = SEPARATED if found.lost.any() else LOST if not found.converged else "" if df > 0 else FEW_UNITS
    return OrdinalFit(
        table, thresholds, whole, -2 * found.log_likelihood, empty.null_deviance, empty.n, empty.left_out, df,
        empty.unused, empty.method, reason,
    )  # fmt: skip


def _back(low: np.ndarray, span: np.ndarray, cuts: int) -> np.ndarray:
    """Return the matrix that turns coefficients and thresholds of terms from 0 to 1 into those of the terms given."""
    back = np.diag(np.concatenate([1 / span, np.ones(cuts)]))
    back[len(span) :, : len(span)] = low / span
    return back


def _exp(values: np.ndarray) -> np.ndarray:
    """Return odds from log odds, without overflow."""
    return np.exp(np.clip(values, -700, 700))


def variable_tests(fit: OrdinalFit) -> pd.DataFrame:
    """Return a test of each variable with all its levels together: Wald's, by design as an F.

    Returns
    -------
    pd.DataFrame
        ``variable, statistic, df, df_error, p_value, reason``. ``df_error`` infinite: chi-square; otherwise
        the statistic is F = W (d − k + 1) ÷ (k d), d the design's degrees of freedom, with k and d − k + 1 of its own.

    References
    ----------
    Korn, Graubard (1990), American Statistician 44, 270.

    Examples
    --------
    One term: the square of its statistic.

    >>> from csat_analysis.statistics.design import design_of
    >>> terms, design = pd.DataFrame({"owner": [0, 0, 1, 1]}), design_of(np.ones(4), np.array([30, 10, 10, 30]))
    >>> found = fit_ordinal(["low", "high", "low", "high"], ["low", "high"], terms, design)
    >>> variable_tests(found)[["variable", "statistic", "df"]].round(4).values.tolist()  # (2.1972 / 0.5164)²
    [['owner', 18.1042, 1]]
    """
    table, rows = fit.table, []
    for variable in table["variable"].unique():
        inside = np.flatnonzero((table["variable"] == variable) & (table["reason"] == "") & table["estimate"].notna())
        reason = next(iter(table.loc[(table["variable"] == variable) & (table["reason"] != ""), "reason"]), fit.reason)
        tested = wald(table["estimate"].to_numpy()[inside], fit.covariance[np.ix_(inside, inside)], fit.df)
        rows.append((variable, *tested[:4], tested[4] or ("" if len(inside) else reason)))
    return pd.DataFrame(rows, columns=["variable", "statistic", "df", "df_error", "p_value", "reason"])


def wald(estimate: np.ndarray, covariance: np.ndarray, df: float) -> tuple[float, int, float, float, str]:
    """Return statistic, its degrees of freedom, those of the error, p-value and a reason where there is none."""
    k = len(estimate)
    if not k:
        return math.nan, 0, math.nan, math.nan, ""
    if not math.isinf(df) and df - k + 1 <= 0:
        return math.nan, k, math.nan, math.nan, FEW_UNITS
    scale = 1 / np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    values, vectors = np.linalg.eigh(covariance * scale[:, None] * scale)
    if values[0] < -1e-8 * values[-1]:
        return math.nan, k, math.nan, math.nan, SPARSE
    there = values > 1e-10 * values[-1]
    wald = float((((estimate * scale) @ vectors[:, there]) ** 2 / values[there]).sum())
    if math.isinf(df):
        return wald, k, df, float(special.chdtrc(k, wald)), ""
    statistic = wald * (df - k + 1) / (k * df)
    return statistic, k, df - k + 1, float(special.fdtrc(k, df - k + 1, statistic)), ""
