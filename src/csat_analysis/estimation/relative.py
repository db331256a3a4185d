"""How is what correlated drivers explain together shared out among them?"""

import math
from collections.abc import Callable

import numpy as np

LARGEST = 15  # drivers by lmg: it looks at every subset of them
TINY = 1e-9  # of a variance of 1: noise of floating point
CELLS = 2_000_000  # numbers in memory at a time


def lmg(correlations: np.ndarray) -> np.ndarray:
    """Return the importance of each driver by Lindeman, Merenda and Gold; they sum to R².

    Parameters
    ----------
    correlations
        (…, p + 1, p + 1): of the drivers and, last, the target; a variable without variation has zeros, its own too.

    Returns
    -------
    np.ndarray
        (…, p), each 0 or more.

    Raises
    ------
    ValueError
        More than 15 drivers.

    Notes
    -----
    What a driver adds to R², averaged over all orders in which drivers can enter: its Shapley value. The variance left
    by each of the 2^p subsets comes from sweeping one driver after the other out of all subsets at once; what the
    drivers before explain completely adds nothing, so that equal drivers share equally.

    References
    ----------
    Lindeman, Merenda, Gold (1980), Introduction to Bivariate and Multivariate Analysis, 119. Grömping (2006), Journal
    of Statistical Software 17(1).

    Examples
    --------
    Two uncorrelated drivers have their squared correlations, two equal ones share theirs:

    >>> lmg(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]])).round(4).tolist()
    [0.36, 0.09]
    >>> lmg(np.array([[1, 1, 0.6], [1, 1, 0.6], [0.6, 0.6, 1]])).round(4).tolist()
    [0.18, 0.18]
    """
    correlations = np.asarray(correlations, dtype=float)
    drivers = correlations.shape[-1] - 1
    if drivers > LARGEST:
        raise ValueError(f"lmg: {drivers} drivers are more than {LARGEST}; take fewer, or method 'johnson'.")
    flat = correlations.reshape(-1, drivers + 1, drivers + 1)
    weights, size = _shapley(drivers).T, max(1, CELLS >> (drivers + 2))  # so many fit into the processor's memory
    parts = [(weights @ _explained(flat[at : at + size])).T for at in range(0, len(flat), size)]
    varies = np.diagonal(flat, axis1=-2, axis2=-1)[:, :-1] > 0
    return np.where(varies, np.maximum(np.concatenate(parts), 0.0), 0.0).reshape(*correlations.shape[:-2], drivers)


def _explained(correlations: np.ndarray) -> np.ndarray:
    """Return R² of each subset of the drivers (subsets × matrices); bit j of a subset's place says that j is in it.

    Half a matrix is kept, each of its cells a long array: of all matrices, without the drivers so far or with them.
    """
    width = correlations.shape[-1]
    left = [[correlations[:, row, column] for column in range(row, width)] for row in range(width)]
    while len(left) > 1:
        pivot, *row = left[0]
        inverse = np.divide(1.0, pivot, out=np.zeros_like(pivot), where=pivot > TINY)
        scaled = [cell * inverse for cell in row]
        left = [
            [np.concatenate([cell, cell - row[at] * scaled[at + to]]) for to, cell in enumerate(cells)]
            for at, cells in enumerate(left[1:])
        ]
    return correlations[:, -1, -1] - left[0][0].reshape(-1, len(correlations))


def _shapley(drivers: int) -> np.ndarray:
    """Return what R² of each subset adds to the Shapley value of each driver (subsets × drivers)."""
    inside = (np.arange(1 << drivers)[:, None] >> np.arange(drivers)) & 1 == 1
    others = inside.sum(axis=1, keepdims=True) - inside
    orders = [1 / (drivers * math.comb(drivers - 1, size)) for size in range(drivers)]
    return np.array(orders)[others] * np.where(inside, 1, -1)


def johnson(correlations: np.ndarray) -> np.ndarray:
    """Return the importance of each driver by Johnson's relative weights; they sum to R².

    Parameters
    ----------
    correlations
        As for ``lmg``; any number of drivers.

    Notes
    -----
    The drivers are replaced by the uncorrelated variables nearest to them; what each of these explains is shared out
    by its squared correlations with the drivers. With S the symmetric root of the drivers' correlations and r those
    with the target: S² (elementwise) times (S⁻¹ r)², a generalised inverse where drivers are collinear.

    References
    ----------
    Johnson (2000), Multivariate Behavioral Research 35, 1.

    Examples
    --------
    >>> johnson(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]])).round(4).tolist()
    [0.36, 0.09]
    """
    correlations = np.asarray(correlations, dtype=float)
    values, vectors = np.linalg.eigh(correlations[..., :-1, :-1])
    there = values > TINY
    roots = np.sqrt(np.where(there, values, 0.0))
    inverse = np.divide(1.0, roots, out=np.zeros_like(roots), where=there)
    back = np.swapaxes(vectors, -1, -2)
    root, inverted = (vectors * roots[..., None, :]) @ back, (vectors * inverse[..., None, :]) @ back
    explained = (inverted @ correlations[..., :-1, -1:]) ** 2
    varies = np.diagonal(correlations, axis1=-2, axis2=-1)[..., :-1] > 0
    return np.where(varies, (root**2 @ explained)[..., 0], 0.0)


METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"lmg": lmg, "johnson": johnson}
