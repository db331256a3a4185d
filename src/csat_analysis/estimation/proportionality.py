"""Does one odds ratio do for all levels of an answer? Brant's test of proportional odds."""

import math
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from scipy import special

from csat_analysis.estimation.likelihood import Maximum, maximise
from csat_analysis.estimation.ordinal import (
    SEPARATED,
    Data,
    complete_rows,
    covariance_of_totals,
    term_names,
    unusable,
    wald,
    why_none,
)
from csat_analysis.statistics.design import Design

TWO_LEVELS = "two_levels"
COLUMNS = ["variable", "statistic", "df", "df_error", "p_value", "reason"]


def proportional_odds(
    answers: Sequence[Hashable],
    order: Sequence[str],
    terms: pd.DataFrame,
    design: Design,
    by_design: bool | None = None,
) -> pd.DataFrame:
    """Return Brant's test that each term shifts all levels alike: overall (``variable`` is empty) and by variable.

    Parameters
    ----------
    answers, order, terms, design, by_design
        As for ``fit_ordinal``.

    Returns
    -------
    pd.DataFrame
        ``variable, statistic, df, df_error, p_value, reason``, as of ``variable_tests``. A small p-value: one odds
        ratio does not do for all levels. Reasons: ``two_levels`` (nothing to test), ``separation`` (at some threshold
        a term predicts perfectly), ``sparse`` (so few answers on some levels that the covariance is none),
        ``too_few_units``, and those of a fit.

    Notes
    -----
    At each threshold the answers above it against the others, by a logistic regression of its own; are its coefficients
    the same at every threshold? Their joint covariance: that of the likelihoods (Brant), or by design that of all
    scores together. A Wald test is used because it takes a design's variance; a likelihood ratio would not, and the
    model it compares with may give negative shares.

    References
    ----------
    Brant (1990), Biometrics 46, 1171.

    Examples
    --------
    Nausea after two kinds of treatment (Lydersen et al. 2012): one odds ratio does.

    >>> from csat_analysis.statistics.design import design_of
    >>> terms, design = pd.DataFrame({"group": [0, 0, 0, 0, 1, 1, 1, 1]}), [14, 10, 3, 2, 11, 7, 8, 4]
    >>> found = proportional_odds("01230123", "0123", terms, design_of(np.ones(8), np.array(design)))
    >>> found[["statistic", "df", "p_value"]].iloc[0].round(4).tolist()
    [1.6684, 2.0, 0.4342]
    """
    data = complete_rows(answers, order, terms, design)
    kept = unusable(data) == ""
    robust = not design.is_plain if by_design is None else by_design
    reason = why_none(data, kept, int(round(data.counts.sum())))
    names = np.array([name for name, _ in term_names(terms)], dtype=object)[kept]
    cuts = len(data.names) - 1
    reason = reason or (TWO_LEVELS if cuts == 1 else "")
    fits = [] if reason else [_binary(data, kept, cut) for cut in range(cuts)]
    if any(fit.lost.any() for fit in fits):
        reason = SEPARATED
    if reason:
        return _rows_without(list(dict.fromkeys(name for name, _ in term_names(terms))), reason)
    coefficients = np.concatenate([fit.place[:-1] for fit in fits])
    covariance, df = _joint(data, kept, fits, design) if robust else (_brant(data, kept, fits), math.inf)
    width = int(kept.sum())
    rows = [("", *_contrast(coefficients, covariance, cuts, np.arange(width), df))]
    for variable in dict.fromkeys(names):
        rows.append((variable, *_contrast(coefficients, covariance, cuts, np.flatnonzero(names == variable), df)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows_without(variables: list[str], reason: str) -> pd.DataFrame:
    """Return the table of a test that cannot be made."""
    rows = [(variable, math.nan, 0, math.nan, math.nan, reason) for variable in ["", *variables]]
    return pd.DataFrame(rows, columns=COLUMNS)


def _binary(data: Data, kept: np.ndarray, cut: int) -> Maximum:
    """Return the logistic regression of being above a threshold."""
    return maximise((data.levels > cut).astype(np.intp), data.terms[:, kept], data.weights * data.counts)


def _brant(data: Data, kept: np.ndarray, fits: list[Maximum]) -> np.ndarray:
    """Return Brant's joint covariance of the coefficients at all thresholds, threshold by threshold."""
    terms = np.column_stack([data.terms[:, kept], -np.ones(len(data.levels))])
    above = [special.expit(terms @ fit.place) for fit in fits]
    weights, width = data.weights * data.counts, terms.shape[1] - 1
    blocks = [[np.empty(0)] * len(fits) for _ in fits]
    for low, one in enumerate(fits):
        for high in range(low, len(fits)):
            spread = weights * above[high] * (1 - above[low])
            block = (one.inverse @ (terms * spread[:, None]).T @ terms @ fits[high].inverse)[:width, :width]
            blocks[low][high], blocks[high][low] = block, block.T
    return np.block(blocks)


def _joint(data: Data, kept: np.ndarray, fits: list[Maximum], design: Design) -> tuple[np.ndarray, float]:
    """Return the joint covariance, by the design, of the coefficients at all thresholds, and degrees of freedom."""
    width = int(kept.sum())
    added = np.hstack([(fit.scores @ fit.inverse)[:, :width] for fit in fits])
    return covariance_of_totals(design, data.rows, added * (data.weights / design.weights[data.rows])[:, None])


def _contrast(
    coefficients: np.ndarray, covariance: np.ndarray, cuts: int, inside: np.ndarray, df: float
) -> tuple[float, int, float, float, str]:
    """Return the test that some coefficients are the same at every threshold as at the first."""
    width = len(coefficients) // cuts
    differences = np.hstack([np.ones((cuts - 1, 1)), -np.eye(cuts - 1)])
    matrix = np.kron(differences, np.eye(width)[inside])
    return wald(matrix @ coefficients, matrix @ covariance @ matrix.T, df)
