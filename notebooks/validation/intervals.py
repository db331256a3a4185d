"""How often do the intervals of the reports cover the truth? By counting all samples where that can be, else by chance.

``python notebooks/validation/intervals.py`` writes ``intervals.csv`` beside this file; ``intervals.ipynb`` shows it.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from csat_analysis.statistics.certainty import exact_interval
from csat_analysis.statistics.design import Design, design_of
from csat_analysis.statistics.estimates import Estimates, estimate_mean, estimate_means
from csat_analysis.statistics.inference import (
    korn_graubard_interval,
    mean_interval,
    scale_interval,
    wilson_interval,
    wilson_intervals,
)

SIZES = (20, 30, 50, 100, 200, 500, 1000, 2000)
FINITE = ((300, 255), (1000, 500))  # customers, answers
CLUSTERED = ((20, 20), (50, 10))  # clusters, answers in each; finite populations have twice as many
DENSE = np.linspace(0.5, 0.99, 491)  # true rates where samples can be counted
EVEN = np.linspace(0.5, 0.99, 15)  # true rates of the others, whose average is told
RATES = np.append(EVEN, 0.989)  # those whose minimum is told
SELDOM = 1e-12  # samples that are seen less often are not counted
CV, ICC = 0.5, 0.05  # of weights; of answers in one cluster
REPLICATIONS = 4000  # half of them from 1,000 answers on
ROWS = 250_000  # at a time
HAPPY, OTHERS = (0.6, 0.4), (0.6, 0.3, 0.1)  # shares of the levels among the satisfied and among the others
FULL = 100.0
SHARE, FIVE, THREE = "", ", five levels", ", three levels"
MARKS = {SHARE: (1, 1, 0, 0, 0), FIVE: (FULL, 80, 60, 30, 0), THREE: (FULL, FULL, 60, 0, 0)}  # of the levels
AS_DRAWN = ", share drawn"  # the finite population taken off as if all answers weighed the same
Limits = tuple[np.ndarray, np.ndarray]


class Sample(NamedTuple):
    """How the answers of a simulated survey come in: so many clusters of so many answers each.

    ``of``: how many clusters (single answers where ``each`` is 1) there are to draw from; None: very many.
    """

    name: str
    clusters: int
    each: int = 1
    weighted: bool = False
    of: int | None = None

    @property
    def n(self) -> int:
        """Return the number of answers."""
        return self.clusters * self.each

    @property
    def is_plain(self) -> bool:
        """Return whether there are neither weights nor clusters."""
        return self.each == 1 and not self.weighted


SAMPLES = (
    *(Sample("plain", n) for n in SIZES),
    *(Sample("weights", n, weighted=True) for n in SIZES),
    *(Sample("plain, finite", n, of=of) for of, n in FINITE),
    *(Sample("weights, finite", n, weighted=True, of=of) for of, n in FINITE),
    *(Sample("clusters", *shape) for shape in CLUSTERED),
    *(Sample("clusters, finite", *shape, of=2 * shape[0]) for shape in CLUSTERED),
    *(Sample("clusters, weights", *shape, True) for shape in CLUSTERED),
    *(Sample("clusters, weights, finite", *shape, True, 2 * shape[0]) for shape in CLUSTERED),
)


# --- samples that can be counted --------------------------------------------------------------------------------------


def bounds(method: str, n: int, population: int | None = None) -> np.ndarray:
    """Return the interval for each number of satisfied among n, by the functions of the reports: (n + 1) × 2."""
    return np.array([_bounds(method, k, n, population) for k in range(n + 1)])


def _bounds(method: str, k: int, n: int, population: int | None) -> tuple[float, float]:
    if method == "exact":
        return exact_interval(k, n, population)
    design = design_of(np.ones(2), np.array([k, n - k]), population=population)
    found = estimate_mean(design, np.array([1.0, 0.0]))
    return wilson_interval(found.mean, found.n_effective, found.df if method == "wilson t" else None)


def coverage(limits: np.ndarray, rates: np.ndarray, population: int | None = None) -> np.ndarray:
    """Return the probability that the interval covers each true rate, over all samples there can be.

    Parameters
    ----------
    limits
        See ``bounds``.
    population
        How many customers there are; each rate is then so many of them, rounded.
    """
    n, seen, truth = len(limits) - 1, np.arange(len(limits)), np.asarray(rates)[:, None]
    chance = stats.binom.pmf(seen, n, truth)
    if population:
        chance = stats.hypergeom.pmf(seen, population, np.round(truth * population), n)
    return (chance * _inside((limits[:, 0], limits[:, 1]), truth)).sum(axis=1)


def rates_of(population: int | None) -> np.ndarray:
    """Return the true rates from 50 to 99 %: all that a finite population can have, else 491 in even steps."""
    return np.arange(population // 2, int(0.99 * population) + 1) / population if population else DENSE


def counted(sizes: tuple[int, ...] = SIZES, finite: tuple[tuple[int, int], ...] = FINITE) -> Iterator[dict[str, Any]]:
    """Yield the coverage of the intervals of shares of plain samples."""
    for n, of in (*((n, None) for n in sizes), *((n, of) for of, n in finite)):
        for method in ("wilson z", "wilson t", "exact"):
            found = coverage(bounds(method, n, of), rates_of(of), of)
            sample = {"sample": "plain, finite" if of else "plain", "n": n, "population": of}
            yield {"interval": method, **sample, **_summary(rates_of(of), found, found)}


def counted_means(sizes: tuple[int, ...] = SIZES) -> Iterator[dict[str, Any]]:
    """Yield the coverage of the intervals of means of three levels in plain samples.

    Notes
    -----
    A sample holds ``others`` dissatisfied answers, ``middle`` of them with some points; how many of the others these
    are does not depend on the true rate. Samples with answers in the middle alone have no interval.
    """
    points, truth = MARKS[THREE][2] / FULL, np.dot(MARKS[THREE], _shares(DENSE))
    for n in sizes:
        others, middle = _samples(n)
        mean = (n - others + points * middle) / n
        squares = (n - others) * (1 - mean) ** 2 + middle * (points - mean) ** 2 + (others - middle) * mean**2
        se = np.sqrt(squares / (n - 1) / n)
        for name, limits in _limits_of_means(mean * FULL, se * FULL, n - 1.0, float(n), True).items():
            chance = stats.binom.pmf(middle, others, OTHERS[0]) * ~np.isnan(limits[0])
            each = [stats.binom.pmf(np.arange(n + 1), n, 1 - rate)[others] * chance for rate in DENSE]
            found = np.array([np.nansum(p * _inside(limits, t)) / p.sum() for p, t in zip(each, truth, strict=True)])
            row = {"interval": name + THREE, "sample": "plain", "n": n, "population": None}
            yield row | _summary(DENSE, found, found) | {"none": 1 - np.mean([p.sum() for p in each])}


def _samples(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the dissatisfied answers, and those of them in the middle, of all samples that are not too seldom."""
    most = int(stats.binom.isf(SELDOM, n, 1 - DENSE[0]))
    low, high = (stats.binom.ppf(part, np.arange(most + 1), OTHERS[0]).astype(int) for part in (SELDOM, 1 - SELDOM))
    low = np.maximum(low, 0)
    others = np.repeat(np.arange(most + 1), high - low + 1)
    return others, np.concatenate([np.arange(first, last + 1) for first, last in zip(low, high, strict=True)])


def _summary(rates: np.ndarray, even: np.ndarray, found: np.ndarray) -> dict[str, Any]:
    """Return the average and the least coverage, and the true rate of the least."""
    return {"average": even.mean(), "minimum": found.min(), "at": rates[found.argmin()]}


# --- samples by chance ------------------------------------------------------------------------------------------------


def simulate(sample: Sample, seed: int, replications: int = REPLICATIONS) -> list[dict[str, Any]]:
    """Return the coverage of the intervals of shares and means in a kind of sample.

    Notes
    -----
    All samples are one table, each with a stratum of its own that is a domain too, and each true rate is an item, so
    that one call estimates them all. Where the population is finite, it is drawn anew for every sample, and the truth
    is its rate or mean. The weights say nothing of the answers.
    """
    rng, at_a_time = np.random.default_rng(seed), max(1, ROWS // sample.n)
    replications = replications if sample.n < 1000 else replications // 2
    parts = [_covers(sample, min(at_a_time, replications - begun), rng) for begun in range(0, replications, at_a_time)]
    return [_told(sample, name, np.concatenate([part[name] for part in parts])) for name in parts[0]]


def _told(sample: Sample, name: str, covers: np.ndarray) -> dict[str, Any]:
    """Return the row of one interval; ``none``: the samples that have none (NaN), which the coverage leaves out."""
    found = np.nanmean(covers, axis=0)
    row = {"interval": name, "sample": sample.name, "n": sample.n, "population": sample.of and sample.of * sample.each}
    row |= _summary(RATES, found[: len(EVEN)], found)
    row["error"] = np.sqrt(row["minimum"] * (1 - row["minimum"]) / len(covers))
    return row | {"none": np.isnan(covers[:, : len(EVEN)]).mean()}


def _covers(sample: Sample, replications: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return whether each interval covers the truth, replications × rates."""
    answers = _answers(sample, replications, rng)
    design = _design(sample, replications, rng)
    drawn = answers[:, : sample.clusters].reshape(-1, len(RATES))
    found = {}
    for mark, points in MARKS.items():
        if sample.is_plain and not sample.of and mark != FIVE:  # counted
            continue
        truth = np.take(points, answers).mean(axis=(1, 2)) if sample.of else np.dot(points, _shares(RATES))
        for kind, estimates in _estimates(sample, design, np.take(points, drawn), replications).items():
            limits = _of_shares(sample, estimates) if mark == SHARE else _of_means(sample, estimates)
            found |= {f"{name}{mark}{kind}": _inside(pair, truth) for name, pair in limits.items()}
    return found


def _shares(rates: np.ndarray) -> np.ndarray:
    """Return the shares of the five levels at each true rate of satisfied."""
    return np.array([*(rates * part for part in HAPPY), *((1 - rates) * part for part in OTHERS)])


def _answers(sample: Sample, replications: int, rng: np.random.Generator) -> np.ndarray:
    """Return the level of each answer, 0 (the best) … 4: replications × clusters there are × answers × rates."""
    shape, rest = (replications, sample.of or sample.clusters, sample.each, len(RATES)), (1 - ICC) / ICC
    clusters = (*shape[:2], 1, len(RATES))
    rates = rng.beta(rest * RATES, rest * (1 - RATES), clusters) if sample.each > 1 else RATES
    chance, levels = rng.random(shape), np.zeros(shape, dtype=np.int8)
    for step in np.cumsum(_shares(rates), axis=0)[:-1]:
        levels += chance >= step
    return levels


def _design(sample: Sample, replications: int, rng: np.random.Generator) -> Design:
    """Return the design of all samples together."""
    rows = replications * sample.n
    weights = rng.gamma(1 / CV**2, CV**2, rows) if sample.weighted else np.ones(rows)
    clusters = np.tile(np.repeat(np.arange(sample.clusters), sample.each), replications) if sample.each > 1 else None
    return design_of(weights, None, np.repeat(np.arange(replications), sample.n), clusters, sample.of)


def _estimates(sample: Sample, design: Design, values: np.ndarray, replications: int) -> dict[str, Estimates]:
    """Return the estimates of all samples as the reports have them; beside them what was not chosen.

    Notes
    -----
    A share f of the population takes the share f off the variance. This is right where the answers of a stratum weigh
    the same. Where they do not, weights widen the variance of the sample and not that of the population: the reports
    take off f ÷ Kish's design effect of the weights in the stratum (``Design.left_out``).
    """
    domain = np.repeat(np.arange(replications), sample.n)
    effect = (1 + CV**2 * sample.weighted) * (1 + (sample.each - 1) * ICC)  # that the items of a survey show together
    designs = {"": replace(design, by_weights=True)}
    if sample.weighted and sample.of:
        designs[AS_DRAWN] = design
    return {kind: estimate_means(each, values, domain, replications, effect) for kind, each in designs.items()}


def _of_shares(sample: Sample, share: Estimates) -> dict[str, Limits]:
    """Return the intervals of shares; of plain samples none, as those are counted."""
    if sample.is_plain:
        return {}
    people = (sample.of - 1) / sample.of if sample.of and sample.each == 1 else 1.0  # each sample is a survey by itself
    n_effective = share.n_effective * people
    return {
        "wilson z": wilson_intervals(share.value, n_effective),
        "wilson t": wilson_intervals(share.value, n_effective, share.df),
        "korn_graubard": np.vectorize(korn_graubard_interval)(share.value, share.n, n_effective, share.df),
    }


def _limits_of_means(mean: Any, se: Any, df: Any, n_effective: Any, is_plain: bool) -> dict[str, Limits]:
    """Return the intervals of means: that of the reports, which knows the ends of the scale, and Student's."""

    def within(value: float, se: float, df: float, n_effective: float) -> tuple[float, float]:
        return scale_interval(value, se, df, n_effective, (0.0, FULL), is_plain)

    return {
        "mean": np.vectorize(within)(mean, se, df, n_effective),
        "mean t": np.vectorize(mean_interval)(mean, se, df),
    }


def _of_means(sample: Sample, mean: Estimates) -> dict[str, Limits]:
    """Return the intervals of means."""
    return _limits_of_means(mean.value, mean.se, mean.df, mean.n_effective, sample.is_plain)


def _inside(limits: Limits, truth: np.ndarray) -> np.ndarray:
    """Return 1 where the truth is within the bounds, 0 where it is not, NaN where there are none."""
    low, high = limits
    return np.where(np.isnan(low), np.nan, (low <= truth + 1e-12) & (truth - 1e-12 <= high))


def study(replications: int = REPLICATIONS) -> pd.DataFrame:
    """Return the coverage of every interval in every kind of sample."""
    simulated = [row for seed, sample in enumerate(SAMPLES) for row in simulate(sample, seed, replications)]
    return pd.DataFrame([*counted(), *counted_means(), *simulated])


# --- what must hold ---------------------------------------------------------------------------------------------------


class Claim(NamedTuple):
    """What must hold of a column of some intervals in some kinds of samples, from so many answers on."""

    says: str
    intervals: tuple[str, ...]
    samples: tuple[str, ...]
    column: str
    low: float
    high: float = 1.0
    n: int = 0


PLAIN, CLUSTERS = ("plain", "plain, finite"), ("clusters", "clusters, weights", "clusters, finite")
BOTH = ("weights, finite", "clusters, weights, finite")  # weights and a finite population
EVERY = (*PLAIN, "weights", *CLUSTERS, *BOTH)
CLAIMS = (
    Claim("shown, plain: 94 to 96 % on average", ("wilson z",), PLAIN, "average", 0.94, 0.96, 30),
    Claim("shown, plain: 93 % or more everywhere", ("wilson z",), ("plain",), "minimum", 0.93, n=200),
    Claim("shown, weights: 94 to 96 % on average", ("wilson t",), ("weights",), "average", 0.94, 0.96, 30),
    Claim("shown, clusters: 94 to 96 % on average", ("wilson t",), CLUSTERS, "average", 0.94, 0.96, 30),
    Claim("shown, weights and finite: 94 to 96 % on average", ("wilson t",), BOTH, "average", 0.94, 0.96, 30),
    Claim("rules, plain: 95 % or more everywhere", ("exact",), PLAIN, "minimum", 0.95),
    Claim("rules, weights or clusters: 95 % or more on average", ("korn_graubard",), EVERY, "average", 0.95),
    Claim("means, plain: 93 % or more everywhere", ("mean" + FIVE, "mean" + THREE), ("plain",), "minimum", 0.93, n=200),
    Claim("means of five levels: 94 to 96 % on average", ("mean" + FIVE,), EVERY, "average", 0.94, 0.96, 30),
    Claim("means of three levels: 94 to 96 % on average", ("mean" + THREE,), EVERY, "average", 0.94, 0.96, 30),
)


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return which claims hold: with the least and the greatest figure that each is about."""
    return pd.DataFrame([_judged(claim, table) for claim in CLAIMS])


def _judged(claim: Claim, table: pd.DataFrame) -> dict[str, Any]:
    """Return whether a claim holds."""
    about = table["interval"].isin(claim.intervals) & table["sample"].isin(claim.samples) & (table["n"] >= claim.n)
    found = table.loc[about, claim.column]
    holds = bool(found.between(claim.low, claim.high).all()) and len(found) > 0
    return {"claim": claim.says, "from": claim.n, "least": found.min(), "greatest": found.max(), "holds": holds}


def beside(table: pd.DataFrame, samples: tuple[str, ...], intervals: tuple[str, ...]) -> pd.DataFrame:
    """Return the average and the least coverage of some intervals side by side, one row a kind of sample."""
    about = table[table["sample"].isin(samples) & table["interval"].isin(intervals)]
    about = about.assign(population=about["population"].map("{:.0f}".format).replace("nan", "very large"))
    found = about.pivot(index=["sample", "n", "population"], columns="interval", values=["average", "minimum"])
    return found.swaplevel(axis=1).reindex(index=samples, level=0).reindex(columns=intervals, level=0).round(3)


if __name__ == "__main__":
    study().to_csv(Path(__file__).with_suffix(".csv"), index=False, float_format="%.5f")
