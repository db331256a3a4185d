"""How far from the target, and from earlier periods? Differences with intervals, as a description."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from csat_analysis.domain.evidence import Measure

COLUMNS = [
    "id", "kind", "against", "before", "estimate", "conf_low", "conf_high", "process_low", "process_high", "status",
]  # fmt: skip
Interval = tuple[float, float | None, float | None]  # a value and its bounds


class Figure(NamedTuple):
    """A value with its bounds in two views: of those who are there, and of the process behind them."""

    value: float
    bounds: tuple[float | None, float | None]
    process: tuple[float | None, float | None]


def compare_targets(targets: Mapping[str, float], found: Mapping[str, Measure]) -> pd.DataFrame:
    """Return how far each measure is from its target of the year."""
    rows = []
    for name, target in targets.items():
        measure = found.get(name)
        if measure is not None and measure.value is not None:
            ends = measure.conf_low, measure.conf_high, measure.process_low, measure.process_high
            bounds = [None if bound is None else bound - target for bound in ends]
            rows.append((name, "target", target, target, measure.value - target, *bounds, None))
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)


def compare_periods(
    kind: str, against: str, status: str, now: Mapping[str, Figure], before: Mapping[str, Figure]
) -> pd.DataFrame:
    """Return how far each figure is from that of an earlier period, after minus before.

    Parameters
    ----------
    kind, against, status
        ``year_on_year`` or ``previous``, the earlier period, and what became of its survey.

    Notes
    -----
    The interval is made of those of the two figures: d − √((a − l)² + (u′ − b)²) and d + √((u − a)² + (b − l′)²). It
    describes; whether there is an improvement is judged with more care than this. Two views: ``conf_low, conf_high`` of
    those who were there both times (corrected for the finite population), ``process_low, process_high`` of the process
    behind them (not corrected).

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873, method 10. Zou, Donner (2008), ibid. 27, 1693.
    """
    rows = [
        (
            name,
            kind,
            against,
            before[name].value,
            now[name].value - before[name].value,
            *_bounds((now[name].value, *now[name].bounds), (before[name].value, *before[name].bounds)),
            *_bounds((now[name].value, *now[name].process), (before[name].value, *before[name].process)),
            status,
        )
        for name in now
        if name in before
    ]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)


def _bounds(now: Interval, before: Interval) -> tuple[float | None, float | None]:
    """Return the interval of a difference; none where neither figure has one, or one of them should and has not.

    Newcombe's first example, 56 of 70 against 48 of 80 with their Wilson intervals:

    >>> [round(bound, 4) for bound in _bounds((56 / 70, 0.69183, 0.87695), (48 / 80, 0.49045, 0.70038))]
    [0.0524, 0.3339]
    """
    (value, low, high), (other, other_low, other_high) = now, before
    if low is None or high is None or other_low is None or other_high is None:
        return None, None
    difference = value - other
    return (
        difference - math.hypot(value - low, other_high - other),
        difference + math.hypot(high - value, other - other_low),
    )


def figures(found: Mapping[str, Measure], index: Mapping[str, float | None] | None) -> dict[str, Figure]:
    """Return the measures, and the index, that have a value, with their bounds."""
    known = {
        name: Figure(m.value, (m.conf_low, m.conf_high), (m.process_low, m.process_high))
        for name, m in found.items()
        if m.value is not None
    }
    if index and index["value"] is not None:
        bounds = [(index[f"{view}_low"], index[f"{view}_high"]) for view in ("conf", "process")]
        known["index"] = Figure(index["value"], *bounds)
    return known


def together(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return several tables of comparisons as one."""
    kept = [table for table in tables if len(table)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=COLUMNS, dtype=object)
