"""How often does a test of two surveys see a change where there is none? By counting all samples, else by chance.

``python notebooks/validation/changes.py`` writes ``changes.csv`` beside this file; ``changes.ipynb`` shows it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from csat_analysis.statistics import differences
from csat_analysis.statistics.design import Design, design_of, linked, side_by_side, without_population
from csat_analysis.statistics.estimates import Estimate, estimate_mean

ALPHA = 0.05
REPLICATIONS = 10_000
SIZES = ((20, 20), (30, 30), (60, 60), (30, 300), (200, 200), (500, 500))
RATES = (0.5, 0.7, 0.85, 0.95)
LEVELS = {  # points, and shares of the levels
    "five levels": ((100.0, 80, 60, 30, 0), (0.45, 0.35, 0.12, 0.05, 0.03)),
    "three levels": ((100.0, 60, 0), (0.75, 0.20, 0.05)),
}
CLUSTERS, EACH = (20, 30, 50), 10
ICCS = (0.01, 0.05, 0.10)
PERSISTENCE = (0.3, 0.6, 0.9)  # of answers of the same people
MARGIN = 0.05


class Situation(NamedTuple):
    """A kind of pair of surveys, whose test is repeated without any change."""

    name: str
    method: str
    detail: str
    n_before: int
    n_after: int
    run: Callable[[np.random.Generator], float]  # one p-value; NaN: no test


# --- samples that can be counted --------------------------------------------------------------------------------------


def counted() -> Iterator[dict[str, Any]]:
    """Yield the error rates of the test of two shares of plain samples, over all samples there can be."""
    for n, m in SIZES:
        rejects = _rejects(n, m)
        for rate in RATES:
            chance = stats.binom.pmf(np.arange(n + 1), n, rate)[:, None] * stats.binom.pmf(np.arange(m + 1), m, rate)
            yield _told("two shares", "newcombe", f"rate {rate:g}", n, m, float((chance * rejects).sum()), None)


def _rejects(n: int, m: int) -> np.ndarray:
    """Return whether the interval of the difference leaves out zero, for each pair of counts: (n + 1) × (m + 1)."""
    before, after = np.arange(n + 1) / n, np.arange(m + 1) / m
    (low, high), (later_low, later_high) = _wilson(before, n), _wilson(after, m)
    apart = after[None, :] - before[:, None]
    down = np.hypot((after - later_low)[None, :], (high - before)[:, None])
    up = np.hypot((later_high - after)[None, :], (before - low)[:, None])
    return (apart - down > 0) | (apart + up < 0)


def _wilson(shares: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    ends = np.array([differences._wilson(share, n, differences.quantile(1 - ALPHA)) for share in shares])  # noqa: SLF001
    return ends[:, 0], ends[:, 1]


# --- samples by chance ------------------------------------------------------------------------------------------------


def situations() -> Iterator[Situation]:
    """Yield every situation whose error rate is found by chance."""
    for name, (points, shares) in LEVELS.items():
        for n, m in SIZES:
            method = "welch" if n == m else "pooled"
            yield Situation("two means", method, name, n, m, _two_means(points, shares, n, m))
            if n == m:
                yield Situation(
                    "the same people, means",
                    "paired_t",
                    f"{name}, persistence .6",
                    n,
                    n,
                    _pairs(points, shares, n, 0.6),
                )
    for n, rate, kept in ((30, 0.85, 0.6), (60, 0.85, 0.6), (200, 0.85, 0.6), (200, 0.95, 0.9), (60, 0.7, 0.0)):
        yield Situation(
            "the same people, shares",
            "tango",
            f"rate {rate:g}, persistence {kept:g}",
            n,
            n,
            _paired_shares(rate, n, kept),
        )
    for n, shared in ((100, 30), (100, 70), (300, 150)):
        for kept in PERSISTENCE:
            yield Situation(
                "some of the same people",
                "linked",
                f"{shared} of {n} both times, persistence {kept:g}",
                n,
                n,
                _partly(n, shared, kept),
            )
    for clusters in CLUSTERS:
        for icc in ICCS:
            yield Situation(
                "clusters",
                "contrast",
                f"{clusters} clusters of {EACH}, ICC {icc:g}",
                clusters * EACH,
                clusters * EACH,
                _clustered(clusters, icc),
            )
    for n, m, rate in ((100, 100, 0.85), (60, 600, 0.85), (200, 200, 0.95)):
        yield Situation("weights", "contrast", f"cv .5, rate {rate:g}", n, m, _weighted(n, m, 1, rate))
    yield Situation("strata and weights", "contrast", "4 strata, cv .5, rate .85", 200, 200, _weighted(200, 200, 4))
    for kept in (0.0, 0.6, 1.0):
        yield Situation(
            "process view, 255 of 300 customers",
            "newcombe",
            f"persistence {kept:g}",
            255,
            255,
            _finite(kept, "process"),
        )
        yield Situation(
            "residents' view, 255 of 300 customers",
            "newcombe",
            f"persistence {kept:g}",
            255,
            255,
            _finite(kept, "residents"),
        )


def _drawn(rng: np.random.Generator, points: tuple[float, ...], shares: tuple[float, ...], n: int) -> np.ndarray:
    return np.asarray(points)[rng.choice(len(points), n, p=shares)]


def _mean(values: np.ndarray) -> Estimate:
    n = len(values)
    return Estimate(values.mean(), values.std(ddof=1) / np.sqrt(n), n, float(n), n - 1.0, 1.0, True)


def _two_means(
    points: tuple[float, ...], shares: tuple[float, ...], n: int, m: int
) -> Callable[[np.random.Generator], float]:
    def run(rng: np.random.Generator) -> float:
        before, after = _mean(_drawn(rng, points, shares, n)), _mean(_drawn(rng, points, shares, m))
        return differences.compare_estimates(before, after).p_value

    return run


def _again(rng: np.random.Generator, before: np.ndarray, anew: np.ndarray, kept: float) -> np.ndarray:
    """Return answers of the same people, of which a share stay and the others are drawn anew."""
    return np.where(rng.random(len(before)) < kept, before, anew)


def _pairs(
    points: tuple[float, ...], shares: tuple[float, ...], n: int, kept: float
) -> Callable[[np.random.Generator], float]:
    def run(rng: np.random.Generator) -> float:
        before = _drawn(rng, points, shares, n)
        after = _again(rng, before, _drawn(rng, points, shares, n), kept)
        return differences.compare_paired_means(before, after)[0].p_value

    return run


def _paired_shares(rate: float, n: int, kept: float) -> Callable[[np.random.Generator], float]:
    def run(rng: np.random.Generator) -> float:
        before = rng.random(n) < rate
        after = _again(rng, before, rng.random(n) < rate, kept)
        gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
        apart = gained - lost  # McNemar's, which the interval is the turning round of
        return 1.0 if not gained + lost else differences.p_of(apart / np.sqrt(gained + lost))

    return run


def _partly(n: int, shared: int, kept: float) -> Callable[[np.random.Generator], float]:
    who = [f"a{k}" for k in range(n)], [f"a{k}" if k < shared else f"b{k}" for k in range(n)]
    alone = design_of(np.ones(n))
    design, after = linked(alone, alone, *who), np.repeat([False, True], n)

    def run(rng: np.random.Generator) -> float:
        first = (rng.random(n) < 0.85) * 1.0
        second = (rng.random(n) < 0.85) * 1.0
        second[:shared] = _again(rng, first[:shared], second[:shared], kept)
        return differences.compare_by_design(design, np.concatenate([first, second]), after).p_value

    return run


def _clustered(clusters: int, icc: float) -> Callable[[np.random.Generator], float]:
    alone = design_of(np.ones(clusters * EACH), clusters=np.repeat(np.arange(clusters), EACH))
    design, waves = side_by_side(alone, alone), [alone, alone]
    after, rest = np.repeat([False, True], clusters * EACH), (1 - icc) / icc

    def run(rng: np.random.Generator) -> float:
        rates = rng.beta(rest * 0.85, rest * 0.15, 2 * clusters)
        values = (rng.random((2 * clusters, EACH)) < rates[:, None]) * 1.0
        return _contrast(design, values.ravel(), after, waves)

    return run


def _contrast(design: Design, values: np.ndarray, after: np.ndarray, waves: list[Design]) -> float:
    """Return the p-value of two shares by the design, as the reports have it."""
    estimates = [estimate_mean(wave, values[after == side], 1.0) for side, wave in enumerate(waves)]
    return differences.kept_safe(differences.compare_by_design(design, values, after), *estimates, True).p_value


def _weighted(n: int, m: int, strata: int = 1, rate: float = 0.85) -> Callable[[np.random.Generator], float]:
    after = np.repeat([False, True], (n, m))

    def run(rng: np.random.Generator) -> float:
        waves = [design_of(rng.gamma(4, 0.25, size), strata=np.arange(size) % strata) for size in (n, m)]
        values = (rng.random(n + m) < rate) * 1.0
        return _contrast(side_by_side(*waves), values, after, waves)

    return run


def _finite(kept: float, view: str) -> Callable[[np.random.Generator], float]:
    """Return a test of a town of 300 whose service did not change, and 255 answer each time.

    In the view of the process there is no change. In that of the residents their own rate did change, by chance: the
    test errs where its interval leaves that out.
    """

    def run(rng: np.random.Generator) -> float:
        before = (rng.random(300) < 0.85) * 1.0
        after = _again(rng, before, (rng.random(300) < 0.85) * 1.0, kept)
        estimates = []
        for answers in (before, after):
            asked = rng.permutation(300)[:255]
            design = design_of(np.ones(255), population=300)
            estimates.append(
                estimate_mean(design if view == "residents" else without_population(design), answers[asked])
            )
        found = differences.compare_shares(*estimates)
        truth = after.mean() - before.mean()
        return (
            found.p_value
            if view == "process"
            else float(found.conf_low <= truth + 1e-12 and truth - 1e-12 <= found.conf_high)
        )

    return run


def simulate(situation: Situation, seed: int, replications: int = REPLICATIONS) -> dict[str, Any]:
    """Return how often a situation's test sees a change; ``none``: the samples without a test, which count as none."""
    rng = np.random.default_rng(seed)
    p_values = np.array([situation.run(rng) for _ in range(replications)])
    rate = float((p_values < ALPHA).mean())
    row = _told(*situation[:5], rate, np.sqrt(rate * (1 - rate) / replications))
    return row | {"none": float(np.isnan(p_values).mean())}


def _told(name: str, method: str, detail: str, n: int, m: int, rate: float, error: float | None) -> dict[str, Any]:
    return {
        "situation": name,
        "method": method,
        "detail": detail,
        "n_before": n,
        "n_after": m,
        "rejects": rate,
        "error": error,
    }


# --- power ------------------------------------------------------------------------------------------------------------

PLANNED = dict.fromkeys((0.8, 0.85), (60, 100, 200, 400, 1000))  # shares before, answers of each survey
STEPS = np.linspace(0.0, 1.0, 21)  # of the way to all satisfied, or to all giving the best points


def power_of_shares(share: float, n: int, gains: np.ndarray) -> np.ndarray:
    """Return how often a rise of a share is seen with so many answers each time, counted over all samples."""
    rejects, seen = _rejects(n, n) & np.tri(n + 1, dtype=bool).T, np.arange(n + 1)  # the upper triangle: a rise
    later = stats.binom.pmf(seen[:, None], n, share + gains)
    return stats.binom.pmf(seen, n, share) @ rejects @ later


def power_of_means(
    points: tuple[float, ...], shares: tuple[float, ...], n: int, way: float, replications: int, seed: int = 1
) -> tuple[float, float]:
    """Return by how much a mean rises where a share of the answers becomes the best, and how often that is seen."""
    rng, moved = np.random.default_rng(seed), np.array(shares) * (1 - way)
    moved[0] += way
    seen = 0
    for _ in range(replications):
        found = differences.compare_estimates(
            _mean(_drawn(rng, points, shares, n)), _mean(_drawn(rng, points, tuple(moved), n))
        )
        seen += found.estimate > 0 and found.p_value < ALPHA
    return float(np.dot(points, moved - np.array(shares))), seen / replications


def planned_for_means(points: tuple[float, ...], shares: tuple[float, ...], n: int) -> float:
    """Return the smallest rise of a mean that a plan promises to show in 80 of 100 pairs of surveys."""
    mean = np.dot(points, shares)
    se = float(np.sqrt(2 * np.dot((np.array(points) - mean) ** 2, shares) / n))
    return differences.smallest_detectable(se, 2 * n - 2)


def power_table() -> pd.DataFrame:
    """Return for each share and number of answers the smallest rise that is planned for, and the power it then has."""
    rows = [
        (share, n, gain, float(power_of_shares(share, n, np.array([gain]))[0]))
        for share, sizes in PLANNED.items()
        for n in sizes
        if np.isfinite(gain := differences.smallest_detectable_gain(share, n, n))
    ]
    return pd.DataFrame(rows, columns=["share before", "answers each time", "planned rise", "power there"])


def study(replications: int = REPLICATIONS) -> pd.DataFrame:
    """Return the error rate of the test of every situation."""
    rows = [simulate(situation, seed, replications) for seed, situation in enumerate(situations())]
    return pd.DataFrame([*counted(), *rows])


# --- what must hold ---------------------------------------------------------------------------------------------------


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return the greatest error rate of each situation, and whether it is at most 6 %."""
    grouped = table.groupby(["situation", "method"], sort=False)["rejects"]
    found = grouped.agg(least="min", greatest="max").reset_index()
    return found.assign(holds=found["greatest"] <= 0.06)


if __name__ == "__main__":
    study().to_csv(Path(__file__).with_suffix(".csv"), index=False, float_format="%.5f")
