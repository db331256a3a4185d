"""What does a measure see, and what does it give back?"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from csat_analysis.ground.programmes import Programme
from csat_analysis.statistics.design import Design, design_of


class Measure(NamedTuple):
    """A number with its company.

    ``conf_low`` and ``conf_high`` are None where there is no sampling error (``method`` is ``count``) and where it
    cannot be told yet (``method`` begins with ``withheld``). ``n`` is the number of answers behind an estimate,
    ``n_effective`` the same by the design of the survey, ``df`` and ``design_effect`` belong to it;
    ``influence`` what one answer of each form adds to the value, NaN where the form has no part in it.
    ``process_low`` and ``process_high`` bound the same without finite population: the view on the process behind it.
    """

    value: float | None
    numerator: float | None
    denominator: float | None
    conf_low: float | None = None
    conf_high: float | None = None
    method: str = "count"
    se: float | None = None
    n: int | None = None
    n_effective: float | None = None
    df: float | None = None
    design_effect: float | None = None
    influence: pd.Series | None = None
    process_low: float | None = None
    process_high: float | None = None


@dataclass(frozen=True)
class Evidence:
    """All that the measures of a run are computed from.

    Attributes
    ----------
    forms
        One row per row of responses: ``count, weight, answered, valid, decided, satisfied, points, score`` (see
        ``scoring.score_forms``), and ``stratum`` and ``cluster`` where the design has them.
    frame, distributed, eligible
        Numbers of customers in scope, of forms sent, and of those sent to somebody eligible; None where unknown.
    closed
        Number of the complaints received in the period that were closed by the day of the report.
    complainers
        Number of complaints of each customer, by customer id; None where not every complaint names one.
    months
        Length of the period.
    units
        Number of primary units there are in each stratum: customers, or clusters where the design has these.
    lonely
        How a stratum with one primary unit counts: see ``design.design_of``.
    effect
        The design effect of the items' shares together, for shares that show none; None where no answers differ.
    """

    programme: Programme
    forms: pd.DataFrame
    frame: int | None
    distributed: int | None
    eligible: int | None
    deliveries: int | None
    complaints: int | None
    months: int
    closed: int | None = None
    complainers: pd.Series | None = None
    units: Mapping[Any, float] | None = None
    lonely: str = "grand_mean"
    effect: float | None = None

    @functools.cached_property
    def design(self) -> Design:
        """Return how each row of ``forms`` came into the survey."""
        columns = {
            name: self.forms.get(name, pd.Series(dtype=object)).tolist() or None for name in ("stratum", "cluster")
        }
        design = design_of(
            self.forms["weight"].to_numpy(), self.forms["count"].to_numpy(), columns["stratum"], columns["cluster"],
            self._units_there_are(), self.lonely,
        )  # fmt: skip
        return replace(design, by_weights=True)

    def rows_of(self, values: pd.Series | pd.DataFrame) -> np.ndarray:
        """Return which forms some values are of; ``Index.isin`` takes 15 times as long on texts."""
        return values.index.get_indexer(self.forms.index) >= 0

    def _units_there_are(self) -> Mapping[Any, float] | int | None:
        """Return the primary units in the population; of strata of unknown size each its share of the whole."""
        if self.units is not None:
            return self.units
        if "cluster" in self.forms or "stratum" not in self.forms or self.population is None:
            return None if "cluster" in self.forms else self.population
        returned = self.forms.groupby("stratum")["count"].sum()
        return (returned * self.population / self.returned).to_dict()

    @functools.cached_property
    def returned(self) -> int:
        """Return the number of forms that came back, blank ones included."""
        return int(self.forms["count"].sum())

    @functools.cached_property
    def population(self) -> int | None:
        """Return how many there are to ask; None where that is unknown, or where more came back than there are."""
        return self.frame if self.frame is not None and self.returned <= self.frame else None

    @functools.cached_property
    def is_weighted(self) -> bool:
        """Return whether forms count differently in shares and means."""
        return bool((self.forms["weight"] != 1).any())

    @functools.cached_property
    def valid(self) -> int:
        """Return the number of valid forms."""
        return int(self.forms.loc[self.forms["valid"], "count"].sum())


def ratio(numerator: float | None, denominator: float | None, method: str = "count") -> Measure:
    """Return a measure without sampling error; no value where a part is unknown or the denominator is 0.

    >>> ratio(3, 4)[:3]
    (0.75, 3, 4)
    """
    known = numerator is not None and denominator
    return Measure(numerator / denominator if known else None, numerator, denominator, method=method)  # type: ignore[operator]
