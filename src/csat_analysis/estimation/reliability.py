"""Do the items of a construct belong together, and are two constructs two? Alpha, rho_c, AVE, HTMT."""

import numpy as np
import pandas as pd

from csat_analysis.estimation.latent import Estimate
from csat_analysis.estimation.paths import SINGULAR, PathModel, own_places


def reliability(found: Estimate) -> pd.DataFrame:
    """Return, by construct, its number of items and how well they belong together: alpha, rho_c, ave.

    Notes
    -----
    Cronbach's alpha of the standardised items: k / (k - 1) (1 - k / Σ r). Composite reliability rho_c, Dillon and
    Goldstein's: (Σ λ)² / ((Σ λ)² + Σ (1 - λ²)), λ the loadings. Average variance extracted, ave: the mean of λ². A
    single item cannot show how reliable it is: nothing (NaN), where seminr and plspm print 1.

    References
    ----------
    Cronbach (1951), Psychometrika 16. Fornell, Larcker (1981), Journal of Marketing Research 18. Tenenhaus et al.
    (2005), Computational Statistics & Data Analysis 48.
    """
    correlations, rows = _correlations(found), []
    for items in _blocks(found.model):
        k, loadings = len(items), found.loadings.iloc[items]
        together, common = correlations[np.ix_(items, items)].sum(), loadings.sum() ** 2
        row = {
            "alpha": k / (k - 1) * (1 - k / together) if k > 1 else np.nan,
            "rho_c": common / (common + (1 - loadings**2).sum()) if k > 1 else np.nan,
            "ave": (loadings**2).mean() if k > 1 else np.nan,
        }
        rows.append({"items": k, **row})
    return pd.DataFrame(rows, pd.Index(found.model.constructs, name="construct"))


def item_total(found: Estimate) -> pd.Series:
    """Return, by item, its correlation with the sum of the other standardised items of its construct; single: NaN.

    References
    ----------
    Nunnally, Bernstein (1994), Psychometric Theory, 8 (corrected item-total correlation).
    """
    correlations, result = _correlations(found), np.full(len(found.model.items), np.nan)
    for item, construct in zip(*own_places(found.model), strict=True):
        others = np.setdiff1d(_blocks(found.model)[construct], item)
        variance = correlations[np.ix_(others, others)].sum()
        if variance > SINGULAR:
            result[item] = correlations[item, others].sum() / np.sqrt(variance)
    return pd.Series(result, pd.Index(found.model.items, name="item"))


def htmt(found: Estimate) -> pd.DataFrame:
    """Return the heterotrait-monotrait ratio of each pair of constructs: near 1 they are hardly two.

    Notes
    -----
    Mean absolute correlation between the items of two constructs, over the geometric mean of those within. A single
    item is taken as free of error (within: 1), as in seminr. The diagonal, and where nothing correlates within: NaN.

    References
    ----------
    Henseler, Ringle, Sarstedt (2015), Journal of the Academy of Marketing Science 43; Ringle et al. (2023), Data in
    Brief 48 (absolute correlations).
    """
    correlations, blocks = np.abs(_correlations(found)), _blocks(found.model)
    mean = np.array([[correlations[np.ix_(one, other)].mean() for other in blocks] for one in blocks])
    k = found.model.member.sum(axis=0)
    within = np.where(k > 1, (k * np.diag(mean) - 1) / np.maximum(k - 1, 1), 1.0)
    scale = np.sqrt(np.maximum(np.outer(within, within), 0.0))
    ratio = np.where(scale > SINGULAR, mean / np.where(scale > SINGULAR, scale, 1.0), np.nan)
    np.fill_diagonal(ratio, np.nan)
    return pd.DataFrame(ratio, found.index.index, found.index.index)


def _blocks(model: PathModel) -> list[np.ndarray]:
    """Return the places of each construct's items."""
    return [np.flatnonzero(member) for member in model.member.T]


def _correlations(found: Estimate) -> np.ndarray:
    """Return the correlations of the items; refuse where nothing was estimated."""
    if found.reason:
        raise ValueError(f"Nothing was estimated ({found.reason}); ask for the reason first.")
    sd = np.sqrt(np.diag(found.covariance))
    return found.covariance.to_numpy() / np.outer(sd, sd)
