"""By which analysis is a figure of two surveys compared? The situation decides; the numbers follow."""

import functools
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from csat_analysis.assembly.gates import figure_of
from csat_analysis.assembly.situation import FEW_CLUSTERS, Situation, Wave
from csat_analysis.domain import scoring
from csat_analysis.domain.evidence import Measure
from csat_analysis.estimation.overlap import overlap_bounds
from csat_analysis.estimation.randomization import compare_clusters
from csat_analysis.estimation.superiority import Superiority, superiority
from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.statistics import differences
from csat_analysis.statistics.design import Design, design_of, kept, linked, side_by_side, without_population
from csat_analysis.statistics.differences import Difference
from csat_analysis.statistics.estimates import Estimate, estimate_mean

NOT_ASKED, COUNT = "not_asked", "count"


# --- a figure of a survey ---------------------------------------------------------------------------------------------


T = TypeVar("T")


def once(wave: Wave, what: Hashable, compute: Callable[[], T]) -> T:
    """Return something of a survey, computed where it is asked for first; many tests ask for the same figures."""
    if what not in wave.known:
        wave.known[what] = compute()
    return wave.known[what]


def figure_value(figure: str, wave: Wave) -> float | None:
    """Return a figure of a survey; None where it has none."""
    item = figure.rpartition(".")[0]
    return None if item and item not in wave.answers else measure_of(figure, wave).value


def measure_of(figure: str, wave: Wave) -> Measure:
    """Return a figure of a survey with its company."""
    known = wave.judged
    given = (known.found, known.index, known.answers, known.evidence)
    return once(wave, ("measure", figure), lambda: figure_of(figure, *given))


def better(figure: str) -> int:
    """Return 1 where more of a figure is better, −1 where less is."""
    return -1 if figure in MEASURES and MEASURES[figure].less_is_better else 1


def is_share(figure: str) -> bool:
    """Return whether a figure is a share of forms or answers."""
    return figure.startswith("satisfaction_rate") or figure.endswith(".satisfied")


def values_of(figure: str, wave: Wave) -> pd.Series | None:
    """Return the value of each form whose mean a figure is; None where it is no mean of forms, or was not asked."""
    return once(wave, ("values", figure), lambda: _values_of(figure, wave))


def _values_of(figure: str, wave: Wave) -> pd.Series | None:
    item, _, kind = figure.rpartition(".")
    if not item:
        return scoring.form_values(figure, wave.evidence)
    if item not in wave.answers:
        return None
    points = scoring.item_satisfied if kind == "satisfied" else scoring.item_points
    return points(wave.answers[[item]], wave.survey.programme)[item].dropna()


# --- a figure of two surveys ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """The values of a figure in two surveys, one for each form that has one: see ``pair_of``."""

    figure: str
    waves: tuple[Wave, Wave]
    values: tuple[pd.Series, pd.Series]

    @functools.cached_property
    def sizes(self) -> tuple[int, int]:
        """Return how many forms of each survey have a value."""
        before, after = (int(part.sum()) for part in self.counts)
        return before, after

    @functools.cached_property
    def counts(self) -> list[np.ndarray]:
        """Return for how many forms each row stands."""
        sides = zip(self.waves, self.values, strict=True)
        return [wave.evidence.forms["count"].reindex(each.index).to_numpy() for wave, each in sides]

    @functools.cached_property
    def together(self) -> np.ndarray:
        """Return the values of both surveys, the earlier first."""
        return np.concatenate([each.to_numpy(dtype=float) for each in self.values])

    @functools.cached_property
    def is_after(self) -> np.ndarray:
        """Return whether a value of both belongs to the later survey."""
        return np.arange(len(self.together)) >= len(self.values[0])

    def designs(self, view: str) -> tuple[Design, Design]:
        """Return the design of the forms with a value, in the view of those asked or of the process behind them."""
        before, after = self._designs
        return (before, after) if view == "residents" else (without_population(before), without_population(after))

    @functools.cached_property
    def _designs(self) -> tuple[Design, Design]:
        before, after = (
            kept(wave.evidence.design, wave.evidence.rows_of(each))
            for wave, each in zip(self.waves, self.values, strict=True)
        )
        return before, after

    def estimates(self, view: str) -> tuple[Estimate, Estimate]:
        """Return the figure of each survey with its error."""
        if view not in self._estimates:
            before, after = (
                estimate_mean(design, each.to_numpy(), wave.evidence.effect)
                for design, each, wave in zip(self.designs(view), self.values, self.waves, strict=True)
            )
            self._estimates[view] = before, after
        return self._estimates[view]

    @functools.cached_property
    def _estimates(self) -> dict[str, tuple[Estimate, Estimate]]:
        return {}

    def names(self, column: str) -> tuple[list[str], list[str]]:
        """Return the customers, or the clusters, of the forms with a value."""
        before, after = (
            wave.evidence.forms[column].reindex(each.index).astype(str).str.strip().tolist()
            for wave, each in zip(self.waves, self.values, strict=True)
        )
        return before, after


def pair_of(figure: str, before: Wave, after: Wave) -> Pair | None:
    """Return the values of a figure in two surveys; None where it is no mean of forms in one of them."""
    first, second = values_of(figure, before), values_of(figure, after)
    if first is None or second is None:
        return None
    return once(after, ("pair", figure, id(before)), lambda: Pair(figure, (before, after), (first, second)))


def analysis_of(pair: Pair, situation: Situation, view: str) -> str:
    """Return the name of the analysis that a situation asks for.

    Returns
    -------
    str
        ``tango, paired_t`` (the same people, all of them), ``linked`` (some of them), ``randomization`` (few clusters),
        ``same_clusters``, ``newcombe, welch`` (forms drawn one by one), ``contrast`` (weights, strata or clusters).
    """
    if situation.clusters is None and situation.people != "none":
        before, after = pair.names("customer_id")
        paired = situation.is_plain and view == "process" and set(before) == set(after)
        return ("tango" if is_share(pair.figure) else "paired_t") if paired else "linked"
    if situation.clusters is not None and situation.clusters < FEW_CLUSTERS:
        return "randomization"
    if situation.clusters is not None and situation.same_clusters:
        return "same_clusters"
    if situation.is_plain:
        return "newcombe" if is_share(pair.figure) else "welch"
    return "contrast"


def compare(figure: str, before: Wave, after: Wave, situation: Situation, view: str) -> Difference:
    """Return the difference of a figure by the analysis that the situation asks for, in one of the two views."""
    pair = pair_of(figure, before, after)
    if pair is None:
        return compare_measures(figure, before, after)
    if not all(pair.sizes):
        return Difference(math.nan, *pair.sizes, "none", reason=differences.NO_ANSWERS)
    return compare_by(analysis_of(pair, situation, view), pair, view)


def compare_by(analysis: str, pair: Pair, view: str, there: np.ndarray | None = None) -> Difference:
    """Return the difference of a figure by a named analysis.

    Parameters
    ----------
    there
        Which of the values of both belong to a group (a domain of the design); only for analyses by the design.
    """
    values = pair.together if there is None else np.where(there, pair.together, math.nan)
    if analysis in ("tango", "paired_t"):
        return _of_pairs(pair)
    if analysis in ("newcombe", "welch"):
        return (differences.compare_shares if analysis == "newcombe" else differences.compare_estimates)(
            *pair.estimates(view)
        )
    if analysis == "randomization":
        return _of_few_clusters(pair, values)
    before, after = pair.designs(view)
    if analysis in ("linked", "same_clusters"):
        who = pair.names("customer_id" if analysis == "linked" else "cluster")
        return differences.compare_by_design(linked(before, after, *who), values, pair.is_after, analysis)
    found = differences.compare_by_design(side_by_side(before, after), values, pair.is_after)
    return found if there is not None else differences.kept_safe(found, *pair.estimates(view), is_share(pair.figure))


def _of_few_clusters(pair: Pair, values: np.ndarray) -> Difference:
    """Return the difference of means of few clusters; other clusters in each survey unless the run file says so."""
    names = pair.names("cluster") if all("cluster" in wave.evidence.forms for wave in pair.waves) else ([], [])
    same = pair.waves[1].survey.run.change.same_clusters
    labels = [
        (name if same else f"{side} {name}") if name else f"{side} alone {n}"
        for side, own in enumerate(names)
        for n, name in enumerate(own)
    ]
    if len(labels) != len(values):
        return Difference(math.nan, *pair.sizes, "randomization", reason=differences.FEW_UNITS)
    weights = np.concatenate([
        (wave.evidence.forms["weight"] * wave.evidence.forms["count"]).reindex(each.index).to_numpy(dtype=float)
        for wave, each in zip(pair.waves, pair.values, strict=True)
    ])  # fmt: skip
    found = compare_clusters(values, pair.is_after, labels, weights)
    return Difference(
        found.estimate, *pair.sizes, "randomization", found.conf_low, found.conf_high, found.statistic, found.df,
        found.p_value, found.se, reason=found.reason,
    )  # fmt: skip


def least_p_value(pair: Pair, found: Difference, view: str) -> float:
    """Return the smallest p-value that there could be, if as many people as possible answered both times, unknown.

    Notes
    -----
    The p-value that is shown holds whoever they are: it is the largest.
    """
    before, after = pair.estimates(view)
    population = pair.waves[1].evidence.population
    if math.isnan(found.p_value) or not (before.se > 0 or after.se > 0):
        return math.nan
    return overlap_bounds(found.estimate, before.se, after.se, *pair.sizes, population).p_value_least


def people_of(pair: Pair) -> pd.DataFrame:
    """Return ``before, after``: the values of those who answered both times, one row a customer."""
    names = pair.names("customer_id")
    before, after = (pd.Series(each.to_numpy(), index=who) for each, who in zip(pair.values, names, strict=True))
    return pd.DataFrame({"before": before, "after": after}).dropna()


def _of_pairs(pair: Pair) -> Difference:
    """Return the difference of a figure of the same people."""
    people = people_of(pair)
    if not is_share(pair.figure):
        return differences.compare_paired_means(*people.to_numpy(dtype=float).T)[0]
    change = people["after"] - people["before"]
    return differences.compare_paired_shares(int((change > 0).sum()), int((change < 0).sum()), len(people))


def compare_measures(figure: str, before: Wave, after: Wave) -> Difference:
    """Return the difference of figures that are no means of forms: by their standard errors, where they have some."""
    if any(figure.rpartition(".")[0] not in ("", *wave.answers) for wave in (before, after)):
        return Difference(math.nan, 0, 0, "none", reason=NOT_ASKED)
    first, second = measure_of(figure, before), measure_of(figure, after)
    sizes = int(first.n or first.denominator or 0), int(second.n or second.denominator or 0)
    if first.value is None or second.value is None:
        return Difference(math.nan, *sizes, "none", reason=differences.NO_ANSWERS)
    known = [as_estimate(each) for each in (first, second)]
    if known[0] is None or known[1] is None:
        return Difference(second.value - first.value, *sizes, COUNT, reason=COUNT)
    return differences.compare_estimates(known[0], known[1])


def as_estimate(measure: Measure) -> Estimate | None:
    """Return a measure with a standard error as an estimate."""
    if measure.value is None or measure.se is None or measure.df is None or measure.n is None:
        return None
    n = int(measure.n)
    return Estimate(measure.value, measure.se, n, float(n), measure.df, math.nan, False)


# --- beside the test --------------------------------------------------------------------------------------------------


def effect_of(pair: Pair, view: str) -> Superiority:
    """Return who of two people answers better, one of each survey: a change that does not rest on the points."""
    return superiority(pair.together, pair.is_after, side_by_side(*pair.designs(view)))


def standardised(pair: Pair) -> float:
    """Return the mean change of the same people in standard deviations of their changes."""
    return differences.compare_paired_means(*people_of(pair).to_numpy(dtype=float).T)[1]


def smallest_seen(figure: str, found: Difference, before: Wave, after: Wave) -> float:
    """Return the smallest change that a comparison would have shown with 80 % power; NaN without a comparison."""
    if math.isnan(found.p_value):
        return math.nan
    first, second = measure_of(figure, before), measure_of(figure, after)
    if found.method == "newcombe" and first.value is not None:
        return differences.smallest_detectable_gain(first.value, _as_drawn(first), _as_drawn(second))
    return differences.smallest_detectable(found.se, found.df)


def _as_drawn(measure: Measure) -> float:
    """Return the number of answers of a share, less what the design costs, without finite population."""
    return float(measure.n or 0) / max(measure.design_effect or 1.0, 1.0)


def compare_naively(figure: str, before: Wave, after: Wave) -> Difference:
    """Return the difference by a test that takes every form as drawn alone, with one weight, and nobody as chosen.

    Notes
    -----
    Two proportions with a pooled variance, or Welch's t, of the forms as they are.
    """
    pair = pair_of(figure, before, after)
    if pair is None or not all(pair.sizes):
        return Difference(math.nan, 0, 0, "naive", reason=differences.NO_ANSWERS)
    sides = zip(pair.values, pair.counts, strict=True)
    first, second = (estimate_mean(design_of(np.ones(len(each)), counts), each.to_numpy()) for each, counts in sides)
    return _pooled_z(first, second) if is_share(figure) else differences.compare_estimates(first, second)


def _pooled_z(before: Estimate, after: Estimate) -> Difference:
    """Return the textbook's test of two proportions."""
    n, estimate = (before.n, after.n), after.mean - before.mean
    pooled = (before.mean * before.n + after.mean * after.n) / sum(n)
    se = math.sqrt(pooled * (1 - pooled) * (1 / n[0] + 1 / n[1]))
    if not se:
        return Difference(estimate, *n, "naive", reason=differences.SAME)
    return Difference(estimate, *n, "naive", statistic=estimate / se, p_value=differences.p_of(estimate / se))
