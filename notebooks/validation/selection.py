"""How often is a project wrongly told to have improved, where projects were chosen because they scored low?

``python notebooks/validation/selection.py`` writes ``selection.csv`` beside this file; ``selection.ipynb`` shows it.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special, stats

from csat_analysis.estimation import contrasts, priors, selection
from csat_analysis.statistics import differences
from csat_analysis.statistics.estimates import Estimate

THRESHOLD = 0.85  # action below it
MEAN = 0.87  # true rate of all projects on average
SPREADS = {"alike": 0.02, "usual": 0.04, "wide": 0.06}  # standard deviations of beta distributed true rates
OURS, NAIVE = "residual contrast", "naive difference in differences"
FIFTH = "bad fifth"  # four fifths about 90 %, one fifth about 75 %
GOOD, BAD = (0.90, 0.02), (0.75, 0.04)  # their means and standard deviations
EQUAL, UNEQUAL = "60", "20-600"  # answers of a project and wave; from 20 to 600, even on the logarithm
ERROR = 4.0  # standard error of a project's mean of points; from 2 to 8 where they are unequal
POINTS = 100.0  # of a rate of 1, where means are studied
REPLICATIONS, PORTFOLIOS, POWER_PORTFOLIOS = 10_000, 2_000, 200
DRAWS = 125  # simulated portfolios in each residual contrast
ALL_DRAWS = 1000  # as many as reports draw, where the errors are closest to the limit
TOGETHER = 100  # portfolios that share the sizes of their projects
LEVEL, Z = 0.05, float(special.ndtri(0.975))
EFFECTS = (0.0, 0.05, 0.08)
SEED = 2026  # and on; what was tried on the way to these tests had other ones


class Situation(NamedTuple):
    """A portfolio: the shape of its true rates, the answers of a project, how many projects, and what action brings."""

    shape: str
    sizes: str
    projects: int
    effect: float = 0.0


SINGLE = tuple(
    Situation(shape, sizes, projects, effect)
    for effect in EFFECTS
    for shape in (*SPREADS, FIFTH)
    for sizes in (EQUAL, UNEQUAL)
    for projects in (8, 12, 40)
    if effect == 0 or (shape in ("usual", FIFTH) and projects > 8)
)
MANY = tuple(
    Situation(shape, sizes, projects, effect)
    for effect in EFFECTS
    for shape, sizes in (("usual", EQUAL), ("usual", UNEQUAL), (FIFTH, EQUAL), (FIFTH, UNEQUAL), ("alike", EQUAL))
    for projects in (12, 40)
    if effect == 0 or shape != "alike"
)


# --- portfolios -------------------------------------------------------------------------------------------------------


def true_rates(shape: str, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return the true rates of portfolios × projects."""
    if shape != FIFTH:
        return _beta(MEAN, SPREADS[shape], size, rng)
    return np.where(rng.random(size) < 0.2, _beta(*BAD, size, rng), _beta(*GOOD, size, rng))


def _beta(mean: float, spread: float, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    worth = mean * (1 - mean) / spread**2 - 1
    return rng.beta(mean * worth, (1 - mean) * worth, size)


def answers(sizes: str, projects: int, rng: np.random.Generator) -> np.ndarray:
    """Return the answers of each project in a wave."""
    if sizes == EQUAL:
        return np.full(projects, 60)
    return np.rint(np.exp(rng.uniform(np.log(20), np.log(600), projects))).astype(int)


def portfolios(situation: Situation, number: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return portfolios: answers, satisfied before, acted on, satisfied after, true rates, true gains."""
    n = answers(situation.sizes, situation.projects, rng)
    rates = true_rates(situation.shape, (number, situation.projects), rng)
    before = rng.binomial(n, rates)
    acted = contrasts.below(before, n, THRESHOLD)
    later = np.minimum(rates + situation.effect * acted, 1.0)
    return n, before, acted, rng.binomial(n, later), rates, later - rates


# --- one project ------------------------------------------------------------------------------------------------------


def single(situation: Situation, seed: int, replications: int = REPLICATIONS) -> Iterator[dict[str, Any]]:
    """Yield the error or power of the tests of one project, taken by chance among those chosen for their low score.

    One portfolio gives one project, so that its cases do not depend on each other. ``lucky``: only projects that are
    truly at or above the mean of all, chosen by bad luck.
    """
    rng = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    while sum(part.shape[1] for part in parts) < replications:
        parts.append(_single(situation, rng))
    p, gain, naive_p, naive, truth, rate = np.concatenate(parts, axis=1)[:, :replications]
    about = {**situation._asdict(), "replications": replications}
    yield {"test": "predictive", **about, **_rates(p, gain, truth)}
    yield {"test": "naive z", **about, **_rates(naive_p, naive, truth)}
    lucky = rate >= MEAN
    yield {
        "test": "predictive, lucky", **about, **_rates(p[lucky], gain[lucky], truth[lucky]),
        "replications": int(lucky.sum()),
    }  # fmt: skip


def _single(situation: Situation, rng: np.random.Generator) -> np.ndarray:
    """Return p and gain of the predictive and of the plain test, true gain and true rate: 6 × portfolios."""
    n, before, acted, after, rates, gains = portfolios(situation, TOGETHER, rng)
    mean, size = priors.fit_priors(before.astype(float), n.astype(float))
    rows = np.flatnonzero(acted.any(axis=1))
    columns = np.argmax(np.where(acted, rng.random(acted.shape), -1.0), axis=1)[rows]
    k1, k2, answers_, a, b = before[rows, columns], after[rows, columns], n[columns], mean * size, (1 - mean) * size
    p = selection.p_values(a[rows], b[rows], k1, answers_, k2, answers_)
    expected = (a[rows] + k1) / (size[rows] + answers_)
    first, second = k1 / answers_, k2 / answers_
    se = np.sqrt((first * (1 - first) + second * (1 - second)) / answers_)
    naive_p = 2 * special.ndtr(-np.abs(second - first) / np.maximum(se, 1e-9))
    return np.array([p, second - expected, naive_p, second - first, gains[rows, columns], rates[rows, columns]])


def _rates(p: np.ndarray, gain: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return how often a test rejects, how often upwards, and the bias and spread of its estimate."""
    rejects = p < LEVEL
    return {
        "rejected": rejects.mean(), "improved": (rejects & (gain > 0)).mean(), "bias": (gain - truth).mean(),
        "spread": gain.std(), "error": float(np.sqrt(rejects.mean() * (1 - rejects.mean()) / max(len(p), 1))),
    }  # fmt: skip


def single_means(situation: Situation, seed: int, replications: int = REPLICATIONS) -> Iterator[dict[str, Any]]:
    """Yield the error or power of the predictive test of a mean of points; 100 points are a rate of 1."""
    rng, found = np.random.default_rng(seed), []
    while sum(part.shape[1] for part in found) < replications:
        found.append(_single_mean(situation, rng))
    p, gain, truth = np.concatenate(found, axis=1)[:, :replications]
    about = {**situation._asdict(), "replications": replications}
    yield {"test": "predictive, means", **about, **_rates(p, gain / POINTS, truth / POINTS)}


def _single_mean(situation: Situation, rng: np.random.Generator) -> np.ndarray:
    """Return p, gain and true gain of one project of each portfolio: 3 × portfolios."""
    size = (TOGETHER, situation.projects)
    low, high = (ERROR, ERROR) if situation.sizes == EQUAL else (ERROR / 2, 2 * ERROR)
    errors = np.exp(rng.uniform(np.log(low), np.log(high), size))
    truth = POINTS * _symmetric(situation.shape, size, rng)
    before = rng.normal(truth, errors)
    acted = before < POINTS * THRESHOLD
    after = rng.normal(truth + POINTS * situation.effect * acted, errors)
    mean, spread, mean_se = priors.fit_normal_priors(before, errors)
    rows = np.flatnonzero(acted.any(axis=1))
    columns = np.argmax(np.where(acted, rng.random(size), -1.0), axis=1)[rows]
    first, second, error = (part[rows, columns] for part in (before, after, errors))
    p, gaps = selection.mean_p_values(
        first, error, second, error, mean[rows], spread[rows], mean_se[rows], situation.projects
    )
    return np.array([p, gaps, np.full(len(rows), POINTS * situation.effect)])


def _symmetric(shape: str, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return normally distributed true means, or those with a bad fifth, as rates."""
    if shape != FIFTH:
        return rng.normal(MEAN, SPREADS[shape], size)
    return np.where(rng.random(size) < 0.2, rng.normal(*BAD, size), rng.normal(*GOOD, size))


def luck(rates: tuple[float, ...] = (0.80, 0.85, 0.87, 0.90, 0.92, 0.95), n: int = 60) -> pd.DataFrame:
    """Return how often projects of each true rate are chosen, and of these wrongly told to have improved: counted.

    Of ``n`` answers in each wave fewer than 85 % were satisfied before; the prior is the true one (``usual``).
    """
    worth = MEAN * (1 - MEAN) / SPREADS["usual"] ** 2 - 1
    seen = np.arange(n + 1)
    low = seen[contrasts.below(seen, n, THRESHOLD)]
    k1, k2 = (part.ravel() for part in np.meshgrid(low, seen, indexing="ij"))
    a, b, sizes = (np.full(len(k1), part) for part in (MEAN * worth, (1 - MEAN) * worth, n))
    told = (selection.p_values(a, b, k1, sizes, k2, sizes) < LEVEL) & (k2 / n > (a + k1) / (worth + n))
    truth = np.array(rates)[:, None]
    both = (stats.binom.pmf(k1, n, truth) * stats.binom.pmf(k2, n, truth) * told).sum(axis=1)
    chosen = stats.binom.pmf(low, n, truth).sum(axis=1)
    return pd.DataFrame({"true rate": rates, "chosen": chosen, "told improved": both / chosen}).round(3)


# --- half of the baseline ---------------------------------------------------------------------------------------------


def halves(seed: int, replications: int = REPLICATIONS) -> Iterator[dict[str, Any]]:
    """Yield the error of the split baseline: 30 of 60 forms against the after wave, decided on the others or on all."""
    rng, n = np.random.default_rng(seed), 60
    rates = true_rates("usual", (replications, 40), rng)
    first, second = rng.binomial(n // 2, rates), rng.binomial(n // 2, rates)
    after = rng.binomial(n, rates)
    for test, chosen in (
        ("split, half decided", contrasts.below(first, n / 2, THRESHOLD)),
        ("split, all decided", contrasts.below(first + second, n, THRESHOLD)),
    ):
        rows = np.flatnonzero(chosen.any(axis=1))
        columns = np.argmax(np.where(chosen, rng.random(chosen.shape), -1.0), axis=1)[rows]
        pairs = [(_share(k, n / 2), _share(m, n)) for k, m in zip(second[rows, columns], after[rows, columns])]  # noqa: B905
        found = [differences.compare_shares(*pair) for pair in pairs]
        p, gain = np.array([each.p_value for each in found]), np.array([each.estimate for each in found])
        about = {**Situation("usual", EQUAL, 40)._asdict(), "replications": len(rows)}
        yield {"test": test, **about, **_rates(p, gain, np.zeros(len(rows)))}


def _share(k: float, n: float) -> Estimate:
    share = float(k / n)
    return Estimate(share, float(np.sqrt(share * (1 - share) / n)), int(n), float(n), n - 1, 1.0, True)


# --- portfolios -------------------------------------------------------------------------------------------------------


def many(situation: Situation, seed: int, replications: int) -> Iterator[dict[str, Any]]:
    """Yield the error or power of the residual contrast, of naive difference in differences and of discontinuity.

    ``at_most``: the least of the rates at which its three priors reject one by one, which is never less than the rate
    at which all three do.
    """
    rng, found = np.random.default_rng(seed), []
    for place in range(replications):
        n, before, acted, after, _, gains = portfolios(situation, 1, rng)
        truth = gains[acted].mean() if acted.any() else 0.0
        call = (before[0], n, after[0], n, acted[0], THRESHOLD)
        found.append(_three(call, truth, place, _draws(situation), rng.random()))
    table = pd.DataFrame([row for rows in found for row in rows])
    for test, part in table.groupby("test", sort=False):
        done = part[part["reason"] == ""]
        p, gain, truth = (done[name].to_numpy() for name in ("p_value", "estimate", "truth"))
        covers = float(((done["conf_low"] <= truth) & (truth <= done["conf_high"])).mean())
        about = {**situation._asdict(), "replications": len(done)}
        row = {"test": test, **about, **_rates(p, gain, truth), "covers": covers, "none": 1 - len(done) / len(part)}
        yield row | ({"at_most": (np.stack(done["singly"]) < LEVEL).mean(axis=0).min()} if test == OURS else {})


def _draws(situation: Situation) -> int:
    """Return how many portfolios are simulated for a contrast."""
    return ALL_DRAWS if situation[:2] == ("usual", EQUAL) and not situation.effect else DRAWS


def _three(call: tuple[Any, ...], truth: float, seed: int, draws: int, part: float) -> list[dict[str, Any]]:
    """Return the three results of one portfolio; ``part``: see ``_ours``."""
    before, n, after, _, acted, _ = call
    rows = [
        (OURS, _ours(call, seed, draws, part)),
        ("discontinuity", contrasts.regression_discontinuity(*call)._asdict()),
        (NAIVE, _naive(after / n - before / n, acted)),
    ]
    return [{"test": test, **each, "truth": truth} for test, each in rows]


def _ours(call: tuple[Any, ...], seed: int, draws: int, part: float) -> dict[str, Any]:
    """Return the residual contrast with its three priors one by one, and together as the library takes them.

    A p-value from few draws is one of few steps; a part of its step, by chance, is taken off, so that few draws reject
    as often as many would.
    """
    each = [contrasts.residual_contrast(*call, seed, draws, (worth,)) for worth in priors.WORTH]
    middle = each[len(each) // 2]
    if any(one.reason for one in each):
        return {**middle._asdict(), "reason": next(one.reason for one in each if one.reason)}
    singly = np.array([one.p_value - 2 * part / (one.draws + 1) for one in each])
    low, high = min(one.conf_low for one in each), max(one.conf_high for one in each)
    return {**middle._asdict(), "p_value": singly.max(), "conf_low": low, "conf_high": high, "singly": singly}


def _naive(change: np.ndarray, acted: np.ndarray) -> dict[str, Any]:
    """Return Welch's t test of the changes of two groups of projects."""
    groups = change[acted], change[~acted]
    if min(len(group) for group in groups) < 2:
        return {"reason": "too_few_in_a_group"}
    squares = np.array([group.var(ddof=1) / len(group) for group in groups])
    sizes = np.array([len(group) for group in groups])
    estimate, se = float(groups[0].mean() - groups[1].mean()), float(np.sqrt(squares.sum()))
    df = squares.sum() ** 2 / (squares**2 / (sizes - 1)).sum()
    half = special.stdtrit(df, 0.975) * se
    p = 2 * float(special.stdtr(df, -abs(estimate / se)))
    return {"estimate": estimate, "conf_low": estimate - half, "conf_high": estimate + half, "p_value": p, "reason": ""}


# --- the study --------------------------------------------------------------------------------------------------------


def _rows(task: tuple[str, int]) -> list[dict[str, Any]]:
    """Return the rows of one part of the study."""
    kind, place = task
    if kind == "single":
        return list(single(SINGLE[place], SEED + place))
    if kind == "means":
        return list(single_means(SINGLE[place], SEED + place))
    if kind == "halves":
        return list(halves(SEED))
    return list(many(MANY[place], SEED + place, POWER_PORTFOLIOS if MANY[place].effect else PORTFOLIOS))


def study() -> pd.DataFrame:
    """Return the error and power of every test in every situation, with as many processes as there are processors."""
    tasks = [("halves", 0)] + [("many", place) for place in range(len(MANY))]
    tasks += [(kind, place) for kind in ("single", "means") for place in range(len(SINGLE))]
    with ProcessPoolExecutor() as pool:
        return pd.DataFrame([row for rows in pool.map(_rows, tasks) for row in rows])


# --- what must hold ---------------------------------------------------------------------------------------------------


class Claim(NamedTuple):
    """What must hold of a column of a test, for some effects and shapes."""

    says: str
    test: str
    column: str
    low: float
    high: float
    effects: tuple[float, ...] = (0.0,)
    shapes: tuple[str, ...] = (*SPREADS, FIFTH)
    projects: tuple[int, ...] = (8, 12, 40)


BETA = tuple(SPREADS)
CLAIMS = (
    Claim("one project: at most 6 % err", "predictive", "rejected", 0, 0.06),
    Claim("one project: at most 2.5 % are wrongly told to have improved", "predictive", "improved", 0, 0.025),
    Claim("one project, means: at most 6 % err", "predictive, means", "rejected", 0, 0.06),
    Claim("one of 40 projects: bias of at most half a point", "predictive", "bias", -0.005, 0.005, (0.0,), BETA, (40,)),
    Claim("portfolio: at most 6 % err", OURS, "rejected", 0, 0.06),
    Claim("portfolio: bias of at most half a point", OURS, "bias", -0.005, 0.005),
    Claim("portfolio: intervals cover 94 % or more", OURS, "covers", 0.94, 1),
    Claim("half of the baseline that did not decide: at most 6 % err", "split, half decided", "rejected", 0, 0.06),
    Claim("naive z: more than 4.5 % are wrongly told to have improved", "naive z", "improved", 0.045, 1),
    Claim("naive difference in differences: 8 % or more err", NAIVE, "rejected", 0.08, 1),
)  # fmt: skip


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return which claims hold: with the least and the greatest figure that each is about."""
    return pd.DataFrame([_judged(claim, table) for claim in CLAIMS])


def _judged(claim: Claim, table: pd.DataFrame) -> dict[str, Any]:
    """Return whether a claim holds."""
    about = (table["test"] == claim.test) & table["effect"].isin(claim.effects) & table["shape"].isin(claim.shapes)
    found = table.loc[about & table["projects"].isin(claim.projects), claim.column]
    holds = bool(found.between(claim.low, claim.high).all()) and len(found) > 0
    return {"claim": claim.says, "least": found.min(), "greatest": found.max(), "holds": holds}


def beside(table: pd.DataFrame, tests: tuple[str, ...], column: str = "rejected") -> pd.DataFrame:
    """Return a column of some tests side by side, one row a situation."""
    about = table[table["test"].isin(tests)]
    found = about.pivot(index=["effect", "shape", "sizes", "projects"], columns="test", values=column)
    return found.reindex(columns=list(tests)).round(3)


if __name__ == "__main__":
    study().to_csv(Path(__file__).with_suffix(".csv"), index=False, float_format="%.5f")
