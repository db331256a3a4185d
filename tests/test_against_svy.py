"""Random designs give what svy gives for them: another program, written by other people, checked against R by them."""

from typing import NamedTuple

import numpy as np
import pytest

from csat_analysis.statistics.calibration import calibrate
from csat_analysis.statistics.design import LONELY, Design, calibrated, design_of
from csat_analysis.statistics.estimates import (
    Estimates,
    contrast_means,
    estimate_means,
    estimate_ratio,
    estimate_totals,
)
from csat_analysis.statistics.inference import korn_graubard_interval, mean_interval

svy = pytest.importorskip("svy", reason="svy is not here: make setup, or pip install 'svy==0.35.*'")
pl = pytest.importorskip("polars")  # comes with svy

CLOSE = {"rel": 1e-9, "abs": 1e-12}
GROUPS = 3
KINDS = ["plain", "weights", "strata", "clusters", "both", "population"]  # each has what stands before it


class Survey(NamedTuple):
    """A random survey; ``population`` of the stratum of each row, in clusters where there are any, else None."""

    strata: np.ndarray | None
    clusters: np.ndarray | None
    weights: np.ndarray
    population: np.ndarray | None
    group: np.ndarray
    age: np.ndarray
    satisfied: np.ndarray
    points: np.ndarray
    visits: np.ndarray


def survey_of(kind: str, seed: int, missing: bool = True) -> Survey:
    """Return a random survey: 2 to 5 strata with 3 to 9 clusters each, 60 to 260 answers, one in ten missing."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    n, many = int(rng.integers(60, 260)), int(rng.integers(2, 6))
    clusters_of = rng.integers(3, 10, size=many)
    strata = np.concatenate([np.repeat(np.arange(many), 3), rng.integers(0, many, n)])
    clusters = np.concatenate([np.tile(np.arange(3), many), rng.integers(0, clusters_of[strata[3 * many :]])])
    rows = len(strata)
    feeling = rng.normal(size=(many, 10))[strata, clusters] + rng.normal(size=rows)
    answers = [(feeling > -1) * 1.0, np.round(feeling * 20 + 80, 1), rng.poisson(4, rows) + 1.0]
    if missing:
        answers = [np.where(rng.random(rows) < 0.1, np.nan, answer) for answer in answers]
    drawn = np.bincount(strata, minlength=many) if kind == "population" and seed % 2 else clusters_of
    population = (drawn + rng.integers(0, 2 * drawn + 1))[strata]  # some strata are drawn whole
    return Survey(
        strata=strata if kind in ("strata", "both", "population") else None,
        clusters=clusters if kind in ("clusters", "both") or (kind == "population" and not seed % 2) else None,
        weights=np.ones(rows) if kind == "plain" else rng.uniform(0.5, 4, rows),
        population=population if kind == "population" else None,
        group=rng.integers(0, GROUPS, rows),
        age=rng.integers(0, 4, rows),
        satisfied=answers[0],
        points=answers[1],
        visits=answers[2],
    )


def ours(survey: Survey, lonely: str = "grand_mean") -> Design:
    """Return the design of a survey as we hold it."""
    known = survey.population is not None
    population = dict(zip(survey.strata, survey.population, strict=True)) if known else None
    return design_of(survey.weights, None, survey.strata, survey.clusters, population, lonely)


def theirs(survey: Survey, singleton: str | None = None):
    """Return the survey as svy holds it."""
    columns = {
        name: pl.Series(name, values, nan_to_null=values.dtype.kind == "f")
        for name, values in survey._asdict().items()
        if values is not None
    }
    named = {"stratum": "strata", "psu": "clusters", "pop_size": "population"}
    there = {role: name for role, name in named.items() if name in columns}
    return svy.Sample(pl.DataFrame(columns), svy.Design(wgt="weights", singleton=singleton, **there))


def told(found, *names: str) -> list[list[float]]:
    """Return some columns of a table of svy."""
    table = found.to_polars()
    return [table[name].to_list() for name in names]


def column(found: Estimates, name: str) -> list[float]:
    """Return one figure of each domain of an only item."""
    return getattr(found, name)[:, 0].tolist()


@pytest.fixture(params=[(kind, seed) for kind in KINDS for seed in range(6)], ids=lambda p: f"{p[0]}{p[1]}")
def survey(request) -> Survey:
    """Return one random survey after the other."""
    return survey_of(*request.param)


# --- estimates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", ["satisfied", "points"])
def test_means_of_everybody_agree(survey, item):
    found = estimate_means(ours(survey), getattr(survey, item))
    est, se, n, df, low, high = told(
        theirs(survey).estimation.mean(item, drop_nulls=True), "est", "se", "n", "df", "lci", "uci"
    )
    assert column(found, "value") == pytest.approx(est, **CLOSE)
    assert column(found, "se") == pytest.approx(se, **CLOSE)
    assert (column(found, "n"), column(found, "df")) == (n, df)
    assert mean_interval(est[0], se[0], df[0]) == pytest.approx((low[0], high[0]), **CLOSE)


@pytest.mark.parametrize("item", ["satisfied", "points"])
def test_means_of_groups_agree(survey, item):
    found = estimate_means(ours(survey), getattr(survey, item), survey.group, GROUPS)
    est, se, n, df = told(theirs(survey).estimation.mean(item, by="group", drop_nulls=True), "est", "se", "n", "df")
    assert column(found, "value") == pytest.approx(est, **CLOSE)
    assert column(found, "se") == pytest.approx(se, **CLOSE)
    assert (column(found, "n"), column(found, "df")) == (n, df)


def test_totals_agree(survey):
    [value], [se], [df] = estimate_totals(ours(survey), survey.visits)
    found = told(theirs(survey).estimation.total("visits", drop_nulls=True), "est", "se", "df")
    assert [[value], [se], [df]] == [pytest.approx(part, **CLOSE) for part in found]


def test_ratios_agree(survey):
    value, se, df = estimate_ratio(ours(survey), survey.points, survey.visits)
    found = told(theirs(survey).estimation.ratio("points", "visits", drop_nulls=True), "est", "se", "df")
    assert [[value], [se], [df]] == [pytest.approx(part, **CLOSE) for part in found]


def test_contrasts_of_two_groups_agree(survey):
    found = contrast_means(ours(survey), survey.points, np.where(survey.group == 2, -1, survey.group))
    groups = theirs(survey).estimation.mean("points", by="group", drop_nulls=True)
    est, se = told(groups.contrast(svy.estd(1) - svy.estd(0)), "est", "se")
    assert found.estimate.tolist() == pytest.approx(est, **CLOSE)
    assert found.se.tolist() == pytest.approx(se, **CLOSE)


def test_design_effects_agree(survey):
    endless = survey._replace(population=None)  # ours is without finite-population correction
    found = estimate_means(ours(survey), survey.points)
    [effect] = told(theirs(endless).estimation.mean("points", drop_nulls=True, deff="wr"), "deff")
    assert column(found, "effect") == pytest.approx(effect, **CLOSE)


def test_korn_graubard_intervals_agree(survey):
    endless = survey._replace(population=None)
    found = estimate_means(ours(endless), survey.satisfied)
    [share], [effect], [n], [df] = (column(found, name) for name in ("value", "effect", "n", "df"))
    bounds = theirs(endless).estimation.prop("satisfied", drop_nulls=True, ci_method="beta").to_polars()
    satisfied = bounds.filter(pl.col("satisfied") == 1)
    # theirs counts p(1-p)/v answers, n - 1 in a plain sample; ours n there, and never more than n
    interval = korn_graubard_interval(share, n, (n - 1) / effect, df)
    assert interval == pytest.approx((satisfied["lci"][0], satisfied["uci"][0]), **CLOSE)


# --- what a design can hold besides -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("lonely", "singleton"), [*zip(LONELY, ["center", "skip", "scale"], strict=True)])
@pytest.mark.parametrize("seed", range(3))
def test_strata_of_one_cluster_agree(lonely, singleton, seed):
    survey = survey_of("both", seed)
    survey = survey._replace(clusters=np.where(survey.strata == 0, 0, survey.clusters))
    design, sample = ours(survey, lonely), theirs(survey, singleton)
    assert design.lonely_strata == 1
    groups = estimate_means(design, survey.points, survey.group, GROUPS)
    se, df = told(sample.estimation.mean("points", by="group", drop_nulls=True), "se", "df")
    assert (column(groups, "se"), column(groups, "df")) == (pytest.approx(se, **CLOSE), df)
    se, df = told(sample.estimation.total("visits", drop_nulls=True), "se", "df")
    assert [part.tolist() for part in estimate_totals(design, survey.visits)[1:]] == [pytest.approx(se, **CLOSE), df]


@pytest.mark.parametrize("seed", range(3))
def test_answers_that_weigh_nothing_are_in_the_design_and_not_in_the_figures(seed):
    survey = survey_of("both", seed)
    survey = survey._replace(weights=np.where(survey.visits == 3, 0, survey.weights))
    found = estimate_means(ours(survey), survey.points)
    est, se, n, df = told(theirs(survey).estimation.mean("points", drop_nulls=True), "est", "se", "n", "df")
    assert column(found, "value") + column(found, "se") == pytest.approx(est + se, **CLOSE)
    assert (column(found, "n"), column(found, "df")) == (n, df)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["strata", "both"])
def test_a_count_stands_for_so_many_rows(kind, seed):
    survey = survey_of(kind, seed)
    counts = np.random.default_rng(seed).integers(0, 4, len(survey.weights))
    design = design_of(survey.weights, counts, survey.strata, survey.clusters)
    rows = Survey(*(None if part is None else np.repeat(part, counts) for part in survey))
    found = estimate_means(design, survey.points, survey.group, GROUPS)
    est, se, n, df = told(theirs(rows).estimation.mean("points", by="group", drop_nulls=True), "est", "se", "n", "df")
    assert column(found, "value") + column(found, "se") == pytest.approx(est + se, **CLOSE)
    assert (column(found, "n"), column(found, "df")) == (n, df)


@pytest.mark.parametrize("seed", range(3))
def test_an_answer_without_a_cluster_is_one_by_itself(seed):
    survey = survey_of("both", seed)
    blank = survey.clusters == 1
    labels = np.where(blank, "", survey.clusters.astype(str))
    filled = survey._replace(clusters=np.where(blank, 100 + np.arange(len(blank)), survey.clusters))
    found = estimate_means(design_of(survey.weights, None, survey.strata, labels), survey.points)
    est, se, df = told(theirs(filled).estimation.mean("points", drop_nulls=True), "est", "se", "df")
    assert column(found, "value") + column(found, "se") == pytest.approx(est + se, **CLOSE)
    assert column(found, "df") == df


# --- calibration ------------------------------------------------------------------------------------------------------

AGES = {0: 200.0, 1: 300.0, 2: 400.0, 3: 500.0}
SHARES = {0: 300.0, 1: 500.0, 2: 600.0}  # of the groups


def agree(design: Design, sample, survey: Survey) -> None:
    """Check the means of groups, a total and a ratio of a calibrated survey."""
    found = estimate_means(design, survey.points, survey.group, GROUPS)
    est, se, df = told(sample.estimation.mean("points", by="group", drop_nulls=True), "est", "se", "df")
    assert column(found, "value") + column(found, "se") == pytest.approx(est + se, **CLOSE)
    assert column(found, "df") == df
    [value], [se], _ = estimate_totals(design, survey.visits)
    assert [[value], [se]] == [
        pytest.approx(part, **CLOSE) for part in told(sample.estimation.total("visits", drop_nulls=True), "est", "se")
    ]
    found = estimate_ratio(design, survey.points, survey.visits)
    theirs_too = sample.estimation.ratio("points", "visits", drop_nulls=True)
    assert [[part] for part in found[:2]] == [pytest.approx(part, **CLOSE) for part in told(theirs_too, "est", "se")]


def test_a_post_stratified_survey_agrees(survey):
    design = calibrate(ours(survey), {"age": survey.age.tolist()}, {"age": AGES}).design
    agree(design, theirs(survey).weighting.poststratify(AGES, cells="age"), survey)


def test_a_raked_survey_agrees(survey):
    # They take the residuals without the weights before, as R's rake() does; we with them, as in R's calibrate(). Weights
    # that are alike leave no difference: measured, standard errors differ by up to 5 % where weights are 0.5 to 4.
    alike = survey._replace(weights=np.full(len(survey.weights), 2.0))
    margins = {"age": survey.age.tolist(), "group": survey.group.tolist()}
    totals = {"age": AGES, "group": SHARES}
    found = calibrate(ours(alike), margins, totals)
    sample = theirs(alike).weighting.rake(controls=totals, tol=1e-13, max_iter=1000)
    agree(found.design, sample, alike)


def test_a_survey_with_the_weights_of_a_linear_calibration_agrees(survey):
    # The last group is left out for svy: where columns add to others, its errors depend on their order (0.35.0).
    levels = np.column_stack([survey.age[:, None] == np.arange(4), survey.group[:, None] == np.arange(GROUPS)]) * 1.0
    goals = (survey.weights @ levels) * [1.2, 0.9, 1.1, 1.0, 1.1, 1.0, 1.0]  # near what they are: no weight below 0
    matrix = {"aux_vars": levels[:, :-1], "controls": goals[:-1].tolist()}
    sample = theirs(survey).weighting.calibrate_matrix(**matrix, wgt_name="adjusted")
    agree(calibrated(ours(survey), sample.data["adjusted"].to_numpy(), levels), sample, survey)
