"""How often do tests of changes in time call a change where there is none, and how often do they find one?

``python notebooks/validation/changes_in_time.py`` writes ``changes_in_time.csv`` beside this file;
``changes_in_time.ipynb`` shows it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from csat_analysis.estimation import randomization, repeated, series
from csat_analysis.estimation.mix import decompose_change
from csat_analysis.estimation.overlap import overlap_bounds

ALPHA, LEVEL = 0.05, 0.95
REPLICATIONS = 10_000
OF_MIX = 1_000  # of the decomposition, which is slow
AT_A_TIME = 1_000  # series
DRAWS = 999  # arrangements or surveys of one test, in this study
Z = float(special.ndtri(1 - ALPHA / 2))
Row = dict[str, Any]


def rows(room: str, method: str, group: str, situation: str, **found: np.ndarray) -> Iterator[Row]:
    """Yield a row for each share: what it is of, its value, and its standard error."""
    for measure, values in found.items():
        value, n = float(np.mean(values)) if len(values) else np.nan, len(values)
        error = float(np.sqrt(value * (1 - value) / max(n, 1)))
        row = {"room": room, "method": method, "group": group, "situation": situation, "measure": measure}
        yield row | {"value": value, "error": error, "replications": n}


def satisfied(rng: np.random.Generator, n: np.ndarray | int, rate: np.ndarray | float, shape: Any) -> np.ndarray:
    """Return how many of n are satisfied."""
    return rng.binomial(n, rate, shape).astype(float)


# --- several waves, one baseline --------------------------------------------------------------------------------------

FAMILIES = ((2, 100, 100), (4, 60, 60), (4, 200, 200), (4, 400, 100), (4, 100, 400), (8, 200, 200))  # waves, n, n
OURS = ("adjusted", "variances of their own", "not adjusted")
GAIN = 0.08  # of the last wave, for power


def families(replications: int = REPLICATIONS, seed: int = 1) -> Iterator[Row]:
    """Yield how often a family of waves without a change has one called changed, and how often a change is found.

    ``cover``: how often all intervals hold their truth where the last wave gained.
    """
    rng = np.random.default_rng(seed)
    for waves, n_before, n_after in FAMILIES:
        for rate in (0.80, 0.90):
            none, gain = (_family(rng, waves, n_before, n_after, rate, more, replications) for more in (0.0, GAIN))
            situation = f"{waves} waves, {n_before} and {n_after} answers, {rate:.2f}"
            for method in OURS:
                (called, _), (found, cover) = none[method], gain[method]
                group = "equal" if n_before == n_after else "unequal"
                yield from rows("repeated", method, group, situation, type_1=called, power=found, cover=cover)


def _family(
    rng: np.random.Generator, waves: int, n_before: int, n_after: int, rate: float, gain: float, replications: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return whether any wave is called changed, and whether all intervals hold the truth."""
    truth, n = np.append(np.zeros(waves - 1), gain), np.append(n_before, np.full(waves, n_after))
    counts = satisfied(rng, n, rate + np.append(0.0, truth), (replications, waves + 1))
    shares, pooled = counts / n, (counts[:, :1] + counts[:, 1:]) / (n_before + n_after)
    apart, own = shares[:, 1:] - shares[:, :1], np.maximum(shares * (1 - shares) / (n - 1), 1e-9)
    sizes = np.sqrt(np.maximum(pooled * (1 - pooled) * (1 / n_before + 1 / n_after), 1e-9))

    def null(place: int) -> np.ndarray:
        return repeated.null_covariance(counts[place], n)

    def owned(place: int) -> np.ndarray:
        return repeated.baseline_covariance(own[place, 0], own[place, 1:])

    most = {"adjusted": (sizes, null), "variances of their own": (np.sqrt(own[:, :1] + own[:, 1:]), owned)}
    found = {
        name: (_beyond(abs(apart) / each, covariance), ~_beyond(abs(apart - truth) / each, covariance))
        for name, (each, covariance) in most.items()
    }
    plain = (abs(apart) / sizes > Z).any(axis=1), (abs(apart - truth) / sizes <= Z).all(axis=1)
    return found | {"not adjusted": plain}


def _beyond(t: np.ndarray, covariance: Callable[[int], np.ndarray]) -> np.ndarray:
    """Return which largest |t| are beyond the quantile of the room: all beyond Bonferroni's are, none within 1.96."""
    most = t.max(axis=1)
    beyond = most > special.ndtri(1 - ALPHA / 2 / t.shape[1])
    for place in np.flatnonzero(~beyond & (most > Z)):
        beyond[place] = repeated._Largest(covariance(place), np.inf).below(float(most[place])) > LEVEL
    return beyond


def looks(replications: int = REPLICATIONS, seed: int = 2) -> Iterator[Row]:
    """Yield how often four looks at one fieldwork call a change, against a baseline that is complete."""
    rng, shares = np.random.default_rng(seed), np.array([0.25, 0.5, 0.75, 1.0])
    for n_before, n_after in ((100, 100), (400, 400), (1000, 400)):
        planned = repeated.information_fractions(1 / n_before + 1 / (shares * n_after))
        boundaries = {kind: repeated.alpha_spending(planned, kind).boundary for kind in repeated.KINDS}
        boundaries |= {"1.96 at each look": np.full(4, Z)}
        boundaries |= {"obrien_fleming, forms": repeated.alpha_spending(shares).boundary}
        for rate in (0.80, 0.90):
            t = {gain: _looks(rng, n_before, n_after, rate, gain, replications) for gain in (0.0, GAIN)}
            for method, boundary in boundaries.items():
                called = {gain: (found >= boundary).any(axis=1) for gain, found in t.items()}
                early = (t[GAIN] >= boundary)[:, :3].any(axis=1)
                found = {"type_1": called[0.0], "power": called[GAIN], "early": early}
                yield from rows("looks", method, "four looks", f"{n_before} and {n_after} answers, {rate:.2f}", **found)


def _looks(
    rng: np.random.Generator, n_before: int, n_after: int, rate: float, gain: float, replications: int
) -> np.ndarray:
    """Return |z| at each of four looks."""
    quarter, n = n_after // 4, n_after // 4 * np.arange(1, 5)
    before = satisfied(rng, n_before, rate, (replications, 1)) / n_before
    after = satisfied(rng, quarter, rate + gain, (replications, 4)).cumsum(axis=1) / n
    pooled = (before * n_before + after * n) / (n_before + n)  # the score test of two shares
    return abs(after - before) / np.sqrt(np.maximum(pooled * (1 - pooled) * (1 / n_before + 1 / n), 1e-12))


# --- monthly series ---------------------------------------------------------------------------------------------------

LENGTHS, MEANS = ((12, 12), (24, 24)), (2, 5, 20, 100)
NOISE = ((0.0, 0.0), (0.3, 0.0), (0.3, 0.3), (0.3, 0.6))  # sd of the log rate, and its autocorrelation
DROP = np.log(0.6)


def monthly(
    replications: int = REPLICATIONS, seed: int = 3, lengths: Any = LENGTHS, means: tuple[int, ...] = MEANS
) -> Iterator[Row]:
    """Yield how often series without a change are called changed, and how often a drop to .6 is found.

    ``type_1``: of the series with a verdict; ``type_1_slope``: the same of the slope; ``called``, ``called_slope``: of
    all series, those without a verdict not called changed; ``told``: those with a verdict.
    """
    rng = np.random.default_rng(seed)
    for before, after in lengths:
        for mean in means:
            for sd, rho in NOISE:
                group = f"autocorrelation {rho:.1f}"
                situation = f"{before} + {after} months, mean {mean}, sd {sd:.1f}"
                for method, found in _monthly(rng, before, after, mean, sd, rho, replications).items():
                    yield from rows("series", method, group, situation, **found)


def _monthly(
    rng: np.random.Generator, before: int, after: int, mean: float, sd: float, rho: float, replications: int
) -> dict[str, dict[str, np.ndarray]]:
    """Return whether series are called changed: by the room, and by quasi-Poisson alone."""
    none, drop = (
        [
            _called(_counts(rng, before, after, mean, sd, rho, shift, min(AT_A_TIME, replications)), before)
            for _ in range(max(1, replications // AT_A_TIME))
        ]
        for shift in (0.0, DROP)
    )
    (p, plain, told), (p_drop, plain_drop, told_drop) = (
        map(np.concatenate, zip(*each, strict=True)) for each in (none, drop)
    )
    ours = {"type_1": p[told, 0] < ALPHA, "type_1_slope": p[told, 1] < ALPHA, "told": told}
    ours |= {"called": told & (p[:, 0] < ALPHA), "called_slope": told & (p[:, 1] < ALPHA)}
    ours |= {"power": told_drop & (p_drop[:, 0] < ALPHA)}
    alone = {"type_1": plain[:, 0] < ALPHA, "type_1_slope": plain[:, 1] < ALPHA, "power": plain_drop[:, 0] < ALPHA}
    return {"segmented": ours, "quasi-Poisson alone": alone}


def _counts(
    rng: np.random.Generator, before: int, after: int, mean: float, sd: float, rho: float, shift: float, n: int
) -> np.ndarray:
    """Return monthly counts with a log rate that wanders and goes back to its mean."""
    wander = np.zeros((n, before + after))
    wander[:, 0] = rng.normal(size=n)
    for month in range(1, before + after):
        wander[:, month] = rho * wander[:, month - 1] + np.sqrt(1 - rho**2) * rng.normal(size=n)
    return rng.poisson(mean * np.exp(sd * wander + shift * (np.arange(before + after) >= before))).astype(float)


def _called(counts: np.ndarray, before: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return p-values of level and slope, the same by quasi-Poisson alone, and which series have a verdict."""
    time = np.arange(counts.shape[1]) - float(before)
    found = series.segmented_changes(counts, time, np.ones(len(time)))
    return np.nan_to_num(found.p_value, nan=1.0), quasi_poisson(counts, time), found.reason == ""


def quasi_poisson(counts: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Return p-values of level and slope by plain quasi-Poisson; 1 where a side has no events."""
    told, rest = (
        (counts[:, time < 0].sum(axis=1) > 0) & (counts[:, time >= 0].sum(axis=1) > 0),
        len(time) - series.TERMS,
    )
    terms = np.column_stack([np.ones(len(time)), time, time >= 0, time * (time >= 0)])
    beta, expected, _ = series._fit(counts[told], terms, np.zeros(len(time)))
    dispersion = ((counts[told] - expected) ** 2 / expected).sum(axis=1) / rest
    inverse = np.linalg.inv(series._crossed(terms, expected))
    se = np.sqrt(np.maximum(dispersion[:, None] * inverse[:, [2, 3], [2, 3]], 1e-12))
    p_value = np.ones((len(counts), 2))
    p_value[told] = 2 * special.stdtr(rest, -abs(beta[:, 2:]) / se)
    return p_value


# --- few clusters -----------------------------------------------------------------------------------------------------


def spread(clusters: int) -> np.ndarray:
    """Return sizes of clusters from 5 to 60 answers."""
    return np.round(np.geomspace(5, 60, clusters)).astype(int)


class Waves(NamedTuple):
    """The sizes of the clusters of two waves."""

    name: str
    group: str
    before: np.ndarray
    after: np.ndarray


FEW = (
    *(Waves(f"{n} of 20", "equal sizes", np.full(n, 20), np.full(n, 20)) for n in (5, 8, 10, 20)),
    *(Waves(f"{n} of 5 to 60", "unequal sizes", spread(n), spread(n)) for n in (5, 8, 10, 20)),
    Waves("5 and 20 of 20", "unequal numbers", np.full(5, 20), np.full(20, 20)),
    Waves("5 of 60, 20 of 20", "unequal numbers", np.full(5, 60), np.full(20, 20)),
    Waves("5 of 15, 15 of 30", "refused", np.full(5, 15), np.full(15, 30)),
    Waves("10 of 60, 10 of 30", "unequal numbers", np.full(10, 60), np.full(10, 30)),
    Waves("5 of 8, 20 of 60", "refused", np.full(5, 8), np.full(20, 60)),
    Waves("8 of 8, 20 of 60", "refused", np.full(8, 8), np.full(20, 60)),
    Waves("5 of 8, 5 of 60", "refused", np.full(5, 8), np.full(5, 60)),
)
ICCS, RATES, CLUSTER_GAIN = (0.01, 0.05, 0.10), (0.80, 0.90), 0.07


def few_clusters(
    replications: int = REPLICATIONS, seed: int = 4, waves: tuple[Waves, ...] = FEW, rates: tuple[float, ...] = RATES
) -> Iterator[Row]:
    """Yield how often waves of few clusters without a change are called changed, and how often a gain is found."""
    rng = np.random.default_rng(seed)
    for each in waves:
        for icc in ICCS:
            for rate in rates:
                situation = f"{each.name}, ICC {icc:.2f}, {rate:.2f}"
                none, gain = (_clustered(rng, each, icc, rate, shift, replications) for shift in (0.0, CLUSTER_GAIN))
                for method, p_value in none.items():
                    found = {"type_1": p_value < ALPHA}
                    found |= {"power": gain[method] < ALPHA} if method in gain else {}
                    yield from rows("clusters", method, each.group, situation, **found)


def drawn(rng: np.random.Generator, sizes: np.ndarray, icc: float, rate: float, replications: int) -> np.ndarray:
    """Return how many are satisfied in each cluster, whose rates differ: replications × clusters."""
    apart = (1 - icc) / icc
    rates = rng.beta(apart * rate, apart * (1 - rate), (replications, len(sizes)))
    return satisfied(rng, sizes, rates, rates.shape)


def _clustered(
    rng: np.random.Generator, waves: Waves, icc: float, rate: float, shift: float, replications: int
) -> dict[str, np.ndarray]:
    """Return the p-values of each test; of the bootstrap, which takes long, where nothing changed only."""
    before = drawn(rng, waves.before, icc, rate, replications)
    after = drawn(rng, waves.after, icc, rate + shift, replications)
    means = before / waves.before, after / waves.after
    found = {"permutation": permuted(*means), "cluster t": welch_t(*means), "answers": as_answers(before, after, waves)}
    wild = not shift and waves.group != "refused"
    return found | ({"wild bootstrap": wild_p_values(before, after, waves)} if wild else {})


def permuted(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return p-values by permutation of many pairs of waves: the statistic of the room, with fewer arrangements."""
    counts = before.shape[1], after.shape[1]
    chosen = arrangements(*counts).T
    values = np.concatenate([before, after], axis=1)
    values = values - values.mean(axis=1, keepdims=True)
    parts = np.array_split(values, max(1, values.shape[0] * chosen.shape[1] // 4_000_000))
    return np.concatenate([_permuted(part, chosen, counts) for part in parts])


def arrangements(before: int, after: int) -> np.ndarray:
    """Return the arrangements of the room; where there are more than 2,000, this one and 999 of them by chance."""
    found = randomization._arrangements(before, after, 0)
    if len(found) <= 2 * (DRAWS + 1):
        return found
    return found[np.append(0, np.random.default_rng(0).integers(0, len(found), DRAWS))]


def _permuted(values: np.ndarray, chosen: np.ndarray, counts: tuple[int, int]) -> np.ndarray:
    squares = values**2
    totals = values.sum(axis=1, keepdims=True), squares.sum(axis=1, keepdims=True)
    t = abs(randomization.welch(values @ chosen, squares @ chosen, *totals, counts))
    return (t >= t[:, :1] * (1 - randomization.SAME)).mean(axis=1)


def welch_t(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return p-values of Welch's t test of cluster means."""
    rest = np.array([[before.shape[1]], [after.shape[1]]]) - 1
    parts = np.array([each.var(axis=1, ddof=1) for each in (before, after)]) / (rest + 1)
    se = np.sqrt(np.maximum(parts.sum(axis=0), 1e-12))
    df = np.maximum(se**4 / np.maximum((parts**2 / rest).sum(axis=0), 1e-30), 1.0)
    return 2 * special.stdtr(df, -abs(after.mean(axis=1) - before.mean(axis=1)) / se)


def as_answers(before: np.ndarray, after: np.ndarray, waves: Waves) -> np.ndarray:
    """Return p-values of the score test of two shares, as if there were no clusters."""
    n = waves.before.sum(), waves.after.sum()
    pooled = (before.sum(axis=1) + after.sum(axis=1)) / sum(n)
    apart = after.sum(axis=1) / n[1] - before.sum(axis=1) / n[0]
    return 2 * special.ndtr(-abs(apart) / np.sqrt(np.maximum(pooled * (1 - pooled) * (1 / n[0] + 1 / n[1]), 1e-12)))


def wild_p_values(before: np.ndarray, after: np.ndarray, waves: Waves) -> np.ndarray:
    """Return p-values of the wild cluster bootstrap of the room, with fewer surveys."""
    first, clusters = len(waves.before), len(waves.before) + len(waves.after)
    sizes, sums = np.zeros((clusters, 2)), np.zeros((len(before), clusters, 2))
    sizes[:first, 0], sizes[first:, 1] = waves.before, waves.after
    sums[:, :first, 0], sums[:, first:, 1] = before, after
    factors = randomization._webb(clusters, 0)[: DRAWS + 1]
    return np.array([randomization.wild_p_value(each, sizes, factors) for each in sums])


def same_clusters(replications: int = REPLICATIONS, seed: int = 5) -> Iterator[Row]:
    """Yield how often waves with the same clusters, or some of them, are called changed."""
    rng = np.random.default_rng(seed)
    for clusters in (6, 8, 10, 20):
        for name, first, second in (("of 20", 20, 20), ("of 8 and 60", 8, 60)):
            for icc in ICCS:
                none, gain = (
                    _same(rng, clusters, (first, second), icc, shift, replications) for shift in (0.0, CLUSTER_GAIN)
                )
                found = {"type_1": none < ALPHA, "power": gain < ALPHA}
                situation = f"{clusters} {name}, ICC {icc:.2f}, 0.85"
                yield from rows("clusters", "sign flip", "the same clusters", situation, **found)


def _same(
    rng: np.random.Generator, clusters: int, each: tuple[int, int], icc: float, shift: float, replications: int
) -> np.ndarray:
    """Return p-values by flipping signs where each cluster keeps its rate."""
    apart, rate = (1 - icc) / icc, 0.85
    rates = rng.beta(apart * rate, apart * (1 - rate), (replications, clusters))
    before, after = (
        satisfied(rng, n, np.minimum(rates + gain, 1.0), rates.shape) / n
        for n, gain in zip(each, (0, shift), strict=True)
    )
    signs = randomization._signs(clusters, 0)[: DRAWS + 1] if clusters > 14 else randomization._signs(clusters, 0)
    means = abs((after - before) @ signs.T)
    return (means >= means[:, :1] - 1e-9).mean(axis=1)


def some_clusters(replications: int = REPLICATIONS, seed: int = 6) -> Iterator[Row]:
    """Yield how often waves that have half of their clusters in common are called changed by the bootstrap."""
    rng = np.random.default_rng(seed)
    for clusters in (10, 20):
        for name, sizes in (("of 20", np.full(clusters * 3 // 2, 20)), ("of 5 to 60", spread(clusters * 3 // 2))):
            for icc in ICCS:
                there = np.column_stack(
                    [np.arange(len(sizes)) < clusters, np.arange(len(sizes)) >= len(sizes) - clusters]
                )
                sizes_of = (rng.permutation(sizes)[:, None] * there).astype(float)
                apart, rate = (1 - icc) / icc, 0.85
                rates = rng.beta(apart * rate, apart * (1 - rate), (replications, len(sizes), 1))
                sums = satisfied(rng, sizes_of.astype(int), np.repeat(rates, 2, axis=2), None)
                factors = randomization._webb(len(sizes), 0)[: DRAWS + 1]
                p_value = np.array([randomization.wild_p_value(each, sizes_of, factors) for each in sums])
                situation = f"{clusters} {name}, half of them in both, ICC {icc:.2f}, 0.85"
                yield from rows(
                    "clusters", "wild bootstrap", "some clusters the same", situation, type_1=p_value < ALPHA
                )


# --- unknown overlap --------------------------------------------------------------------------------------------------


def overlaps(replications: int = REPLICATIONS, seed: int = 7) -> Iterator[Row]:
    """Yield how often the bounds of an unknown overlap hold the test of linked forms, and what verdicts are worth.

    Each of those who answered twice keeps the answer with probability r, or else answers anew: correlation r.
    ``holds``: the bounds hold the p-value with this r; ``holds_sample``: with the r of the sample. ``cautious`` and
    ``least``: coverage of the intervals. ``type_1`` and ``power``: of the verdict "changed" (all readings agree);
    ``linked``: power of the test of linked forms.
    """
    rng = np.random.default_rng(seed)
    for n, share in ((60, 1.0), (100, 0.3), (100, 0.85), (300, 0.3), (300, 0.85), (300, 1.0)):
        for r in (0.0, 0.3, 0.6, 0.9):
            none, gain = (_overlap(rng, n, round(share * n), r, shift, replications) for shift in (0.0, GAIN))
            found = {name: none[name] for name in ("holds", "holds_sample", "cautious", "least")}
            found |= {"type_1": none["changed"], "power": gain["changed"], "linked": gain["linked"]}
            found |= {"type_1_least": none["least_changed"]}
            yield from rows(
                "overlap", "bounds", f"correlation {r:.1f}", f"{n} answers, {share:.0%} of them twice", **found
            )


def _overlap(
    rng: np.random.Generator, n: int, twice: int, r: float, shift: float, replications: int
) -> dict[str, np.ndarray]:
    """Return whether bounds hold, and their verdicts, in simulated surveys with a true rate of .85."""
    rate = 0.85
    first, second = rng.random((2, replications, n)) < np.array([rate, rate + shift])[:, None, None]
    kept = rng.random((replications, twice)) < r
    carried = first[:, :twice] | (rng.random((replications, twice)) < shift / (1 - rate))
    second[:, :twice] = np.where(kept, carried, second[:, :twice])
    found = [_bounded(before, after, twice, r, shift) for before, after in zip(first * 1.0, second * 1.0, strict=True)]
    return {name: np.array([each[name] for each in found]) for name in found[0]}


def _bounded(before: np.ndarray, after: np.ndarray, twice: int, r: float, shift: float) -> dict[str, bool]:
    """Return whether the bounds of one survey hold, and what they say."""
    n = len(before)
    errors = [float(np.sqrt(max(wave.mean() * (1 - wave.mean()), 1e-9) / (n - 1))) for wave in (before, after)]
    found = overlap_bounds(float(after.mean() - before.mean()), *errors, n, n)
    pair = before[:twice] - before.mean(), after[:twice] - after.mean()
    sample = float(pair[0] @ pair[1]) / n / (n - 1)
    p_true, p_sample = (
        _linked(found.estimate, errors, shared) for shared in (r * twice / n * errors[0] * errors[1], sample)
    )
    return {
        "holds": found.p_value_least * (1 - 1e-9) <= p_true <= found.p_value,
        "holds_sample": found.p_value_least <= p_sample <= found.p_value,
        "cautious": found.conf_low <= shift <= found.conf_high,
        "least": found.conf_low_least <= shift <= found.conf_high_least,
        "changed": found.verdict == "changed",
        "least_changed": found.p_value_least < ALPHA,
        "linked": p_sample < ALPHA,
    }


def _linked(estimate: float, errors: list[float], shared: float) -> float:
    """Return the p-value of a change where the covariance of the waves is known."""
    variance = max(errors[0] ** 2 + errors[1] ** 2 - 2 * shared, 1e-12)
    return 2 * float(special.ndtr(-abs(estimate) / np.sqrt(variance)))


# --- what changed the company score -----------------------------------------------------------------------------------


def mixes(replications: int = OF_MIX, seed: int = 8) -> Iterator[Row]:
    """Yield how often the interval of each component covers it, where projects and modes come, go and shift."""
    rng = np.random.default_rng(seed)
    for projects, answers in ((4, 40), (12, 30), (40, 12)):
        before, after = (_portfolio(rng, projects, answers, period) for period in range(2))
        truth = _components(
            before.assign(total=before["n"] * before["rate"], variance=0.0),
            after.assign(total=after["n"] * after["rate"], variance=0.0),
        )
        drawn_ = [
            _components(
                *(
                    side.assign(total=satisfied(rng, side["n"].astype(int), side["rate"], None))
                    for side in (before, after)
                )
            )
            for _ in range(replications)
        ]
        for component in truth.index:
            part = pd.DataFrame([each.loc[component] for each in drawn_])
            covers = (part["conf_low"] <= truth.loc[component, "estimate"]) & (
                truth.loc[component, "estimate"] <= part["conf_high"]
            )
            yield from rows(
                "mix",
                str(component),
                "coverage",
                f"{projects} projects, about {answers} answers a mode",
                cover=covers.to_numpy(),
            )


def _portfolio(rng: np.random.Generator, projects: int, answers: int, period: int) -> pd.DataFrame:
    """Return the true rates and the numbers of answers of a period: a project leaves, one comes, online forms grow."""
    cells = pd.MultiIndex.from_product(
        [range(period, projects + period), ["paper", "online"]], names=["project", "mode"]
    )
    table = cells.to_frame(index=False)
    online = table["mode"] == "online"
    table["n"] = rng.integers(answers // 2, answers * 3 // 2 + 1, len(table)) * np.where(
        online, 0.6 + 0.8 * period, 1.0
    )
    table["n"] = table["n"].round().clip(lower=3)
    table["rate"] = 0.80 + 0.12 * ((table["project"] * 7 % 10) / 10) - 0.05 * online + 0.02 * period
    return table


def _components(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    return decompose_change(before, after).components.set_index("component")


def study(replications: int = REPLICATIONS) -> pd.DataFrame:
    """Return the shares of every study."""
    parts = (families, looks, monthly, few_clusters, same_clusters, some_clusters, overlaps)
    found = [row for part in parts for row in part(replications)]
    return pd.DataFrame([*found, *mixes(min(replications, OF_MIX))])


# --- what must hold ---------------------------------------------------------------------------------------------------


class Claim(NamedTuple):
    """What must hold of a measure of some methods in some groups of situations; no groups: all."""

    says: str
    room: str
    methods: tuple[str, ...]
    groups: tuple[str, ...]
    measure: str
    low: float
    high: float


TESTED = ("equal sizes", "unequal sizes", "unequal numbers")
SOME = ("autocorrelation 0.3", "autocorrelation 0.6")
CLAIMS = (
    Claim("several waves: at most 6 % of families", "repeated", ("adjusted",), (), "type_1", 0.0, 0.06),
    Claim("several waves, intervals: 92 % or more", "repeated", (OURS[1],), (), "cover", 0.92, 1.0),
    Claim("four looks: at most 6 %", "looks", repeated.KINDS, (), "type_1", 0.0, 0.06),
    Claim(
        "series, no autocorrelation: at most 6 %", "series", ("segmented",), ("autocorrelation 0.0",), "type_1", 0, 0.06
    ),
    Claim("the same, of the slope", "series", ("segmented",), ("autocorrelation 0.0",), "type_1_slope", 0.0, 0.06),
    Claim("series, autocorrelation .3 or .6: at most 6 % of all", "series", ("segmented",), SOME, "called", 0, 0.06),
    Claim("series, the same, of the slope", "series", ("segmented",), SOME, "called_slope", 0, 0.06),
    Claim("few clusters: at most 6 %", "clusters", ("permutation",), TESTED, "type_1", 0.0, 0.06),
    Claim("the same clusters: at most 6 %", "clusters", ("sign flip",), (), "type_1", 0.0, 0.06),
    Claim(
        "some clusters the same: at most 6 %",
        "clusters",
        ("wild bootstrap",),
        ("some clusters the same",),
        "type_1",
        0,
        0.06,
    ),
    Claim(
        "unknown overlap: the bounds hold the test with the true correlation",
        "overlap",
        ("bounds",),
        (),
        "holds",
        1.0,
        1.0,
    ),
    Claim("unknown overlap: at most 6 % called changed", "overlap", ("bounds",), (), "type_1", 0.0, 0.06),
    Claim(
        "unknown overlap: the cautious interval covers 94 % or more", "overlap", ("bounds",), (), "cautious", 0.94, 1.0
    ),
    Claim("components of a change: 93 to 97 %", "mix", (), (), "cover", 0.93, 0.97),
)


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return which claims hold: with the least and the greatest figure that each is about."""
    return pd.DataFrame([_judged(claim, table) for claim in CLAIMS])


def _judged(claim: Claim, table: pd.DataFrame) -> Row:
    """Return whether a claim holds."""
    found = chosen(table, claim.room, claim.methods, claim.groups, claim.measure)["value"]
    holds = bool(found.between(claim.low, claim.high).all()) and len(found) > 0
    return {
        "claim": claim.says,
        "situations": len(found),
        "least": found.min(),
        "greatest": found.max(),
        "holds": holds,
    }


def chosen(
    table: pd.DataFrame, room: str, methods: tuple[str, ...] = (), groups: tuple[str, ...] = (), measure: str = ""
) -> pd.DataFrame:
    """Return the rows about a room, some methods, groups and a measure; nothing given: all."""
    about = table["room"] == room
    for column, values in (("method", methods), ("group", groups), ("measure", (measure,) if measure else ())):
        about &= table[column].isin(values) | (len(values) == 0)
    return table[about]


def beside(table: pd.DataFrame, room: str, column: str = "method", **of: Any) -> pd.DataFrame:
    """Return the shares of a room side by side, one row a situation."""
    found = chosen(table, room, **of)
    return found.pivot(index=["group", "situation"], columns=column, values="value").round(3)


if __name__ == "__main__":
    study().to_csv(Path(__file__).with_suffix(".csv"), index=False, float_format="%.5f")
