"""The satisfaction index by a path model: another algorithm, truths known by hand, and what must change nothing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csat_analysis.estimation import latent, paths, reliability
from csat_analysis.statistics.design import design_of

pytestmark = pytest.mark.filterwarnings("error")

BLOCKS = {
    "image": ["i1", "i2"],
    "expectations": ["e1"],
    "quality": ["q1", "q2", "q3"],
    "value": ["v1", "v2"],
    "satisfaction": ["s1", "s2", "s3"],
    "complaints": ["c1"],
    "loyalty": ["l1", "l2"],
}
PATHS = {
    "expectations": ["image"],
    "quality": ["expectations"],
    "value": ["expectations", "quality"],
    "satisfaction": ["image", "expectations", "quality", "value"],
    "complaints": ["satisfaction"],
    "loyalty": ["image", "satisfaction", "complaints"],
}
SCHEMES = ["path", "factorial", "centroid"]
MODEL = paths.path_model(BLOCKS, PATHS, (1, 10))
PAIR = paths.path_model(
    {"quality": ["q1", "q2", "q3"], "loyalty": ["l1", "l2", "l3"]}, {"loyalty": ["quality"]}, (1, 10)
)


def survey(n: int = 300, seed: int = 1) -> pd.DataFrame:
    """Return answers from 1 to 10 that follow the paths of the model: constructs, plus noise, rounded."""
    random = np.random.default_rng(seed)
    constructs: dict[str, np.ndarray] = {}
    for name in BLOCKS:
        drawn = sum((constructs[source] for source in PATHS.get(name, [])), np.zeros(n)) + random.normal(size=n)
        constructs[name] = (drawn - drawn.mean()) / drawn.std()
    noisy = {item: constructs[name] + random.normal(size=n) for name, items in BLOCKS.items() for item in items}
    return pd.DataFrame(noisy).mul(1.5).add(7).round().clip(1, 10)


def with_correlations(correlations: np.ndarray, items: list[str], n: int = 300) -> pd.DataFrame:
    """Return answers whose means are 7, whose deviations are 2 and whose correlations are exactly these."""
    drawn = np.random.default_rng(3).normal(size=(n, len(items)))
    drawn -= drawn.mean(axis=0)
    white = drawn @ np.linalg.inv(np.linalg.cholesky(drawn.T @ drawn / n)).T
    return pd.DataFrame(7 + 2 * white @ np.linalg.cholesky(correlations).T, columns=items)


ANSWERS = survey()


# --- another algorithm ------------------------------------------------------------------------------------------------


def by_turns(answers: pd.DataFrame, scheme: str) -> dict[str, np.ndarray]:
    """Return the scores of the constructs by Wold's procedure: on the data, one construct after another.

    The package works on correlations alone and changes all constructs at once, from weights of 1; this starts from the
    first item of each, regresses columns of data, and divides by n - 1.
    """
    z = (answers - answers.mean()) / answers.std(ddof=1)
    scores = {name: z[items[0]].to_numpy() for name, items in BLOCKS.items()}
    for _ in range(1000):
        before = {name: score.copy() for name, score in scores.items()}
        for name, items in BLOCKS.items():
            sources, followers = PATHS.get(name, []), [to for to, by in PATHS.items() if name in by]
            proxy = sum(inner(scheme, scores[name], scores[other]) * scores[other] for other in followers)
            if scheme == "path" and sources:
                proxy = proxy + regress([scores[source] for source in sources], scores[name])[1]
            elif sources:
                proxy = proxy + sum(inner(scheme, scores[name], scores[other]) * scores[other] for other in sources)
            score = sum(np.cov(z[item], proxy)[0, 1] * z[item].to_numpy() for item in items)
            scores[name] = score / score.std(ddof=1)
        if max(np.abs(scores[name] - before[name]).max() for name in BLOCKS) < 1e-13:
            break
    return scores


def inner(scheme: str, one: np.ndarray, other: np.ndarray) -> float:
    correlation = np.corrcoef(one, other)[0, 1]
    return float(np.sign(correlation)) if scheme == "centroid" else correlation


def regress(sources: list[np.ndarray], target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    columns = np.column_stack(sources)
    coefficients = np.linalg.lstsq(columns, target, rcond=None)[0]
    return coefficients, columns @ coefficients


@pytest.mark.parametrize("scheme", SCHEMES)
def test_wolds_procedure_on_the_data_finds_the_same(scheme):
    found, scores = latent.estimate(ANSWERS, MODEL, scheme=scheme), by_turns(ANSWERS, scheme)
    for name, items in BLOCKS.items():
        n = len(ANSWERS)
        np.testing.assert_allclose(found.scores[name], scores[name] * np.sqrt(n / (n - 1)), atol=1e-10)
        z = (ANSWERS[items] - ANSWERS[items].mean()) / ANSWERS[items].std(ddof=1)
        np.testing.assert_allclose(found.weights[items], regress([*z.to_numpy().T], scores[name])[0], atol=1e-10)
        np.testing.assert_allclose(found.loadings[items], [np.corrcoef(z[i], scores[name])[0, 1] for i in items])
    for target, sources in PATHS.items():
        coefficients, fitted = regress([scores[source] for source in sources], scores[target])
        np.testing.assert_allclose(found.paths[:, target][sources], coefficients, atol=1e-10)
        assert found.r2[target] == pytest.approx(fitted.var() / scores[target].var(), abs=1e-10)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_scores_have_mean_0_and_variance_1_and_the_weights_make_them(scheme):
    found = latent.estimate(ANSWERS, MODEL, scheme=scheme)
    np.testing.assert_allclose(found.scores.mean(), 0, atol=1e-12)
    np.testing.assert_allclose(found.scores.std(ddof=0), 1, atol=1e-12)
    deviations = ANSWERS[list(MODEL.items)] - ANSWERS[list(MODEL.items)].mean()
    made = (deviations * found.raw_weights)[BLOCKS["quality"]].sum(axis=1)
    np.testing.assert_allclose(found.scores["quality"], made, atol=1e-12)


# --- truths known by hand ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
def test_three_parallel_items_weigh_the_same_and_dilute_the_path_by_their_reliability(scheme):
    # Loadings .8 on constructs that correlate .6: items correlate .64 within and .384 between.
    correlations = np.kron([[0.64, 0.384], [0.384, 0.64]], np.ones((3, 3)))
    np.fill_diagonal(correlations, 1)
    found = latent.estimate(with_correlations(correlations, list(PAIR.items)), PAIR, scheme=scheme)
    variance = 3 + 6 * 0.64  # of the sum of three items
    np.testing.assert_allclose(found.weights, 1 / np.sqrt(variance))
    np.testing.assert_allclose(found.loadings, (1 + 2 * 0.64) / np.sqrt(variance))
    np.testing.assert_allclose(found.paths, 9 * 0.384 / variance)  # .6 times the reliability, .842
    np.testing.assert_allclose(found.r2, (9 * 0.384 / variance) ** 2)
    np.testing.assert_allclose(found.index, 100 * (7 - 1) / 9)


def test_single_items_are_a_path_analysis_with_its_total_effects():
    # b = .5 a, c = .3 a + .4 b: correlations .5, .3 + .4 x .5 = .5 and .4 + .3 x .5 = .55.
    correlations = np.array([[1, 0.5, 0.5], [0.5, 1, 0.55], [0.5, 0.55, 1]])
    model = paths.path_model({"a": ["x"], "b": ["y"], "c": ["z"]}, {"b": ["a"], "c": ["a", "b"]}, (1, 10))
    found = latent.estimate(with_correlations(correlations, ["x", "y", "z"]), model)
    assert found.paths.round(10).to_dict() == {("a", "b"): 0.5, ("a", "c"): 0.3, ("b", "c"): 0.4}
    assert found.effects.round(10).to_dict() == {("a", "b"): 0.5, ("a", "c"): 0.5, ("b", "c"): 0.4}
    assert found.r2.round(10).to_dict() == {"b": 0.25, "c": 0.37}


def test_the_index_leaves_out_the_ends_of_each_scale():
    answers = pd.DataFrame({"x": [1, 2, 3, 4], "y": [10, 40, 20, 50]})
    model = paths.path_model({"a": ["x"], "b": ["y"]}, {"b": ["a"]}, {"x": (1, 5), "y": (0, 100)})
    assert latent.estimate(answers, model, least=4).index.round(10).to_dict() == {"a": 37.5, "b": 30.0}


# --- what must change nothing -----------------------------------------------------------------------------------------


def same(one: latent.Estimate, other: latent.Estimate) -> None:
    for part in ("weights", "loadings", "paths", "effects", "r2", "index"):
        left, right = getattr(one, part), getattr(other, part)
        pd.testing.assert_series_equal(left.sort_index(), right.sort_index(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_units_of_the_items_change_nothing(scheme):
    factor = pd.Series(np.linspace(0.01, 50, len(MODEL.items)), list(MODEL.items))
    ends = {item: (3 + factor[item] * 1, 3 + factor[item] * 10) for item in MODEL.items}
    model = paths.path_model(BLOCKS, PATHS, ends)
    same(latent.estimate(ANSWERS, MODEL, scheme=scheme), latent.estimate(3 + ANSWERS * factor, model, scheme=scheme))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_order_of_rows_items_and_constructs_changes_nothing(scheme):
    blocks = {name: BLOCKS[name][::-1] for name in reversed(BLOCKS)}
    model = paths.path_model(blocks, {to: by[::-1] for to, by in reversed(PATHS.items())}, (1, 10))
    shuffled = ANSWERS.sample(frac=1, random_state=2)
    one, other = (latent.estimate(a, m, scheme=scheme) for a, m in ((ANSWERS, MODEL), (shuffled, model)))
    same(one, other)
    pd.testing.assert_frame_equal(one.scores, other.scores.loc[one.scores.index, one.scores.columns])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_count_is_so_many_rows(scheme):
    counts = np.arange(len(ANSWERS)) % 4 + 1
    repeated = ANSWERS.loc[ANSWERS.index.repeat(counts)]
    counted = latent.estimate(ANSWERS, MODEL, design_of(np.ones(300), counts=counts), scheme=scheme)
    found = latent.estimate(repeated, MODEL, scheme=scheme)
    same(counted, found)
    assert counted.n == found.n == counts.sum()


def test_a_weight_counts_like_rows_but_is_no_form():
    weights = np.arange(len(ANSWERS)) % 4 + 1.0
    weighted = latent.estimate(ANSWERS, MODEL, design_of(weights / 7))
    same(weighted, latent.estimate(ANSWERS, MODEL, design_of(np.ones(300), counts=weights)))
    assert weighted.n == 300


def test_a_row_without_weight_is_nobody():
    weights = np.where(np.arange(len(ANSWERS)) < 270, 1.0, 0.0)
    found = latent.estimate(ANSWERS, MODEL, design_of(weights))
    same(found, latent.estimate(ANSWERS.head(270), MODEL))
    assert (found.n, found.left_out, len(found.scores)) == (270, 0, 270)


def test_bootstrapped_counts_are_bootstrapped_rows():
    counts = np.arange(len(ANSWERS)) % 2 + 1
    repeated = ANSWERS.loc[ANSWERS.index.repeat(counts)]
    counted = latent.bootstrap(ANSWERS, MODEL, design_of(np.ones(300), counts=counts), seed=4, replications=20)
    found = latent.bootstrap(repeated, MODEL, seed=4, replications=20)
    pd.testing.assert_frame_equal(counted.paths, found.paths)


def test_samples_of_a_stack_do_not_touch_each_other():
    samples = [paths.moments(survey(n, n).to_numpy(), np.ones((1, n))) for n in (60, 100, 400)]
    together = paths.solve(*map(np.concatenate, zip(*samples, strict=True)), MODEL, "path")
    for place, sample in enumerate(samples):
        alone = paths.solve(*sample, MODEL, "path")
        np.testing.assert_allclose(together.weights[place], alone.weights[0], atol=1e-12)
        assert together.turns[place] == alone.turns[0]


# --- signs and negative weights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_item_asked_the_other_way_round_gets_a_negative_weight_and_is_named(scheme):
    turned = ANSWERS.assign(q2=11 - ANSWERS["q2"])
    found, plain = (latent.estimate(answers, MODEL, scheme=scheme) for answers in (turned, ANSWERS))
    assert found.findings == ("negative_weight:q2",) and plain.findings == ()
    np.testing.assert_allclose(found.paths, plain.paths, atol=1e-9)
    assert found.weights["q2"] == pytest.approx(-plain.weights["q2"])


def test_a_construct_goes_with_the_majority_of_its_items():
    turned = ANSWERS.assign(q1=11 - ANSWERS["q1"], q2=11 - ANSWERS["q2"])
    found = latent.estimate(turned, MODEL)
    assert (found.loadings[["q1", "q2"]] > 0).all() and found.loadings["q3"] < 0
    assert found.paths["expectations", "quality"] < 0


def test_the_majority_decides_even_where_the_minority_weighs_more():
    correlations = np.array([[1, 0.1, -0.2, 0.2], [0.1, 1, -0.2, 0.2], [-0.2, -0.2, 1, -0.8], [0.2, 0.2, -0.8, 1]])
    blocks = {"quality": ["q1", "q2", "q3"], "loyalty": ["l1"]}
    model = paths.path_model(
        blocks, {"loyalty": ["quality"]}, {"q3": (6, 10)} | dict.fromkeys(["q1", "q2", "l1"], (0, 90))
    )
    found = latent.estimate(with_correlations(correlations, ["q1", "q2", "q3", "l1"]), model)
    assert found.loadings[blocks["quality"]].sum() < 0 and (found.loadings[["q1", "q2"]] > 0).all()
    assert found.findings == ("negative_weight:q3",)


def test_replications_are_turned_the_way_of_the_original():
    # One item each way, almost alike: by the sum of the loadings, chance would turn every other replication round.
    correlations = np.array([[1, -0.6, 0.5], [-0.6, 1, -0.499], [0.5, -0.499, 1]])
    blocks, ends = {"quality": ["q1", "q2"], "loyalty": ["l1"]}, {"q1": (1, 10), "q2": (9, 10), "l1": (1, 10)}
    model = paths.path_model(blocks, {"loyalty": ["quality"]}, ends)
    found = latent.bootstrap(with_correlations(correlations, ["q1", "q2", "l1"]), model, seed=1, replications=200)
    assert found.replications == 200
    assert found.paths["conf_low"].iloc[0] > 0.4 and found.weights.loc["q2", "conf_high"] < -0.4


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n, reason", [(249, "too_few"), (250, "")])
def test_250_complete_forms_are_needed(n, reason):
    answers = ANSWERS.copy()
    answers.iloc[n:, 0] = np.nan
    found = latent.estimate(answers, MODEL)
    assert (found.n, found.left_out, found.reason) == (n, 300 - n, reason)
    assert found.index.empty == bool(reason)


def test_an_open_answer_leaves_out_the_form_and_nothing_is_filled_in():
    answers = ANSWERS.mask(np.random.default_rng(1).random(ANSWERS.shape) < 0.02)
    complete = answers.dropna()
    found = latent.estimate(answers, MODEL, least=100)
    same(found, latent.estimate(complete, MODEL, least=100))
    assert (found.n, found.left_out) == (len(complete), 300 - len(complete))
    assert found.scores.index.equals(complete.index)


def test_items_that_are_not_in_the_model_are_not_asked_for():
    answers = ANSWERS.assign(other=np.nan, text="good")
    assert latent.estimate(answers, MODEL).n == 300


DEGENERATE = {
    "no_variation:q2": {"q2": 7.3},
    "collinear:value": {"e1": ANSWERS["q1"], "q2": ANSWERS["q1"], "q3": ANSWERS["q1"]},
    "no_score:image": {"i2": 11 - ANSWERS["i1"]},
}


@pytest.mark.parametrize("reason", DEGENERATE)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_data_that_cannot_bear_the_model_give_a_reason(reason, scheme):
    found = latent.estimate(ANSWERS.assign(**DEGENERATE[reason]), MODEL, scheme=scheme)
    assert found.reason == reason and found.paths.empty
    assert latent.bootstrap(ANSWERS.assign(**DEGENERATE[reason]), MODEL, scheme=scheme, seed=1).reason == reason


def test_an_index_whose_negative_weights_prevail_is_refused():
    wide = {item: (1, 1000) if item == "q3" else (1, 10) for item in MODEL.items}
    turned = ANSWERS.assign(q3=11 - ANSWERS["q3"])
    assert latent.estimate(turned, paths.path_model(BLOCKS, PATHS, wide)).reason == "no_index:quality"


def test_an_iteration_that_does_not_settle_is_refused(monkeypatch):
    monkeypatch.setattr(paths, "TURNS", 2)
    assert latent.estimate(ANSWERS, MODEL).reason == "not_converged"


@pytest.mark.parametrize(
    "n, reason", [(0, "too_few"), (1, "no_variation:i1"), (2, "no_score:loyalty")]
)  # l1 rises, l2 falls
def test_hardly_any_forms_give_a_reason_too(n, reason):
    assert latent.estimate(ANSWERS.iloc[:n], MODEL, least=0).reason == reason


MODELS = {
    "Constructs without an item: ['b']; name the items that measure each.": ({"a": ["x"], "b": []}, {"b": ["a"]}),
    "Items in more than one place: ['x']; an item measures one construct, once.": (
        {"a": ["x"], "b": ["x"]},
        {"b": ["a"]},
    ),
    "The paths name ['c']; use the constructs ['a', 'b'].": ({"a": ["x"], "b": ["y"]}, {"b": ["a", "c"]}),
    "No path reaches ['c']; draw one from or to each, or leave the construct out.": (
        {"a": ["x"], "b": ["y"], "c": ["z"]},
        {"b": ["a"]},
    ),
    "The paths lead in a circle through ['b', 'c']; take out the one against the course of things.": (
        {"a": ["x"], "b": ["y"], "c": ["z"], "d": ["w"]},
        {"b": ["a", "c"], "c": ["b"], "d": ["c"]},
    ),
    "The paths lead in a circle through ['a']; take out the one against the course of things.": (
        {"a": ["x"], "b": ["y"]},
        {"a": ["a"], "b": ["a"]},
    ),
}


@pytest.mark.parametrize("message", MODELS)
def test_a_model_that_is_wrong_says_what_would_be_right(message):
    with pytest.raises(ValueError) as refused:
        paths.path_model(*MODELS[message], (1, 10))
    assert str(refused.value) == message


@pytest.mark.parametrize("ends", [(10, 1), (1, 1), {"x": (1, 10)}])
def test_a_scale_without_two_ends_is_refused(ends):
    with pytest.raises(ValueError, match=r"The scale of \[.*'y'\] has no two ends; give the lowest"):
        paths.path_model({"a": ["x"], "b": ["y"]}, {"b": ["a"]}, ends)


def test_what_does_not_fit_the_model_is_refused():
    with pytest.raises(ValueError, match="'wold' is no inner weighting scheme; use one of"):
        latent.estimate(ANSWERS, MODEL, scheme="wold")
    with pytest.raises(ValueError, match=r"The answers have no columns \['q1', 'l2'\]"):
        latent.estimate(ANSWERS.drop(columns=["q1", "l2"]), MODEL)
    with pytest.raises(ValueError, match="give it one row to a row, and whole counts"):
        latent.estimate(ANSWERS, MODEL, design_of(np.ones(7)))
    with pytest.raises(ValueError, match="give it one row to a row, and whole counts"):
        latent.estimate(ANSWERS, MODEL, design_of(np.ones(300), counts=np.full(300, 1.5)))


# --- the bootstrap ----------------------------------------------------------------------------------------------------

TWO = paths.path_model({"quality": ["q1"], "loyalty": ["l1"]}, {"loyalty": ["quality"]}, (1, 10))


def linear_se(values: np.ndarray, strata: np.ndarray, clusters: np.ndarray) -> float:
    """Return the standard error of a mean of equal weights by strata and clusters, the textbook's sum of squares."""
    totals = pd.DataFrame({"e": values - values.mean(), "s": strata, "c": clusters}).groupby(["s", "c"])["e"].sum()
    squares = totals.groupby("s").agg(lambda e: len(e) / (len(e) - 1) * ((e - e.mean()) ** 2).sum())
    return float(np.sqrt(squares.sum())) / len(values)


ROWS = np.arange(400)
LAYOUTS = {  # strata, clusters
    "plain": (ROWS * 0, ROWS),
    "clusters": (ROWS * 0, ROWS % 25),
    "pairs": (ROWS % 20, ROWS % 40),  # 20 strata of two clusters each
    "uneven": (np.where(ROWS < 200, 0, 1 + ROWS % 10), np.where(ROWS < 200, ROWS, 200 + ROWS % 20)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_spread_of_a_mean_is_the_textbooks(layout):
    random, (strata, clusters) = np.random.default_rng(8), LAYOUTS[layout]
    answers = pd.DataFrame({"q1": random.normal(5.5, 1, 400) + random.normal(0, 0.7, 400)[clusters]})
    answers["l1"] = answers["q1"] + random.normal(size=400)
    design = design_of(np.ones(400), strata=strata.tolist(), clusters=clusters.tolist())
    found = latent.bootstrap(answers, TWO, design, seed=1, replications=2000)
    index, expected = found.index.loc["quality"], linear_se(answers["q1"].to_numpy(), strata, clusters) * 100 / 9
    assert index["se"] == pytest.approx(expected, rel=0.06)
    assert index["estimate"] == pytest.approx((answers["q1"].mean() - 1) / 9 * 100)
    assert index["conf_high"] - index["conf_low"] == pytest.approx(2 * 1.96 * index["se"], rel=0.06)
    assert found.clusters == len({*zip(strata, clusters, strict=True)})


def test_a_known_population_narrows_the_intervals_and_a_census_closes_them():
    plain, half, all_of_them = (
        latent.bootstrap(ANSWERS, TWO, design_of(np.ones(300), population=population), seed=1, replications=400).paths
        for population in (None, 600, 300)
    )
    assert half["se"].iloc[0] == pytest.approx(plain["se"].iloc[0] * np.sqrt(0.5), rel=0.03)
    np.testing.assert_allclose(all_of_them[["conf_low", "conf_high"]], all_of_them[["estimate"] * 2].to_numpy())


def test_the_seed_decides():
    one, again, other = (latent.bootstrap(ANSWERS, MODEL, seed=seed, replications=50).paths for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)


def test_intervals_hold_what_they_are_of():
    found, spread = latent.estimate(ANSWERS, MODEL), latent.bootstrap(ANSWERS, MODEL, seed=1, replications=300)
    for part in ("paths", "effects", "impacts", "weights", "index"):
        table = getattr(spread, part)
        pd.testing.assert_series_equal(table["estimate"], getattr(found, part), check_names=False)
        assert ((table["conf_low"] <= table["estimate"]) & (table["estimate"] <= table["conf_high"])).all()
        assert (table["se"].drop(["e1", "c1"], errors="ignore") > 0).all()  # the weight of a single item is 1
    assert (spread.reason, spread.replications) == ("", 300)


def test_95_percent_intervals_cover_the_true_path_in_about_95_percent():
    random, hits = np.random.default_rng(5), 0
    for survey_number in range(100):
        quality = random.normal(size=120)
        answers = pd.DataFrame({"q1": quality, "l1": 0.6 * quality + 0.8 * random.normal(size=120)})
        path = latent.bootstrap(answers, TWO, seed=survey_number, replications=200, least=100).paths.iloc[0]
        hits += path["conf_low"] <= 0.6 <= path["conf_high"]
    assert 88 <= hits <= 99  # 95 expected, sd 2.2


def test_one_cluster_shows_no_error():
    design = design_of(np.ones(300), clusters=["a"] * 300)
    found = latent.bootstrap(ANSWERS, MODEL, design, seed=1, replications=20)
    assert (found.reason, found.paths.empty) == ("one_cluster", True)


@pytest.mark.parametrize("clusters", [None, [f"c{n % 30}" for n in range(300)]])
def test_the_order_of_the_forms_does_not_move_an_interval(clusters):
    shuffled = ANSWERS.sample(frac=1, random_state=2)
    labels = pd.Series(range(300) if clusters is None else clusters)
    designs = [design_of(np.ones(300), clusters=labels[answers.index].tolist()) for answers in (ANSWERS, shuffled)]
    one, other = (
        latent.bootstrap(answers, MODEL, design, seed=1, replications=50)
        for answers, design in zip((ANSWERS, shuffled), designs, strict=True)
    )
    pd.testing.assert_frame_equal(one.index, other.index)


def test_replications_that_often_come_to_nothing_are_refused():
    answers = ANSWERS.assign(c1=[2.0, *[1.0] * 299])  # missed by more than a third of the replications
    found = latent.bootstrap(answers, MODEL, seed=1, replications=100)
    assert found.reason == "unstable" and 50 < found.replications < 75 and found.paths.empty


# --- weights from a baseline ------------------------------------------------------------------------------------------


def test_the_mean_of_the_forms_by_a_surveys_own_weights_is_its_index():
    found = latent.estimate(ANSWERS, MODEL)
    for name, items in BLOCKS.items():
        forms = latent.form_index(ANSWERS, found.raw_weights[items], (1, 10))
        assert forms.mean() == pytest.approx(found.index[name])
        assert np.corrcoef(forms, found.scores[name])[0, 1] == pytest.approx(1)


def test_a_negative_frozen_weight_is_allowed_and_an_open_answer_leaves_the_form_out():
    # 100 (3 (4 - 1) - 1 (2 - 1)) / (3 x 4 - 1 x 4) = 100
    answers = pd.DataFrame({"x": [4.0, 4.0], "y": [2.0, np.nan]})
    found = latent.form_index(answers, {"x": 3, "y": -1}, (1, 5))
    assert found[0] == 100 and np.isnan(found[1])


def test_weights_that_prefer_low_answers_are_refused():
    with pytest.raises(ValueError, match="prefer low answers to high ones"):
        latent.form_index(pd.DataFrame({"x": [4.0], "y": [2.0]}), {"x": 1, "y": -1}, (1, 5))


def test_an_impact_is_the_slope_of_one_index_on_the_other():
    model = paths.path_model(
        {"quality": ["q1", "q2", "q3"], "loyalty": ["l1"]},
        {"loyalty": ["quality"]},
        {"l1": (0, 20)} | dict.fromkeys(["q1", "q2", "q3"], (1, 10)),
    )
    found = latent.estimate(ANSWERS, model)
    quality = latent.form_index(ANSWERS, found.raw_weights[["q1", "q2", "q3"]], (1, 10))
    slope = np.polyfit(quality, 100 * ANSWERS["l1"] / 20, 1)[0]
    assert found.impacts["quality", "loyalty"] == pytest.approx(slope)


# --- reliability ------------------------------------------------------------------------------------------------------


def test_reliability_by_hand():
    correlations = np.kron([[0.5, 0.2], [0.2, 0.5]], np.ones((3, 3)))
    np.fill_diagonal(correlations, 1)
    found = latent.estimate(with_correlations(correlations, list(PAIR.items)), PAIR)
    loading = 2 / np.sqrt(6)  # (1 + 2 x .5) / sqrt(3 + 6 x .5)
    expected = {
        "items": 3,
        "alpha": 1.5 / 2,  # 3 x .5 / (1 + 2 x .5)
        "rho_c": 9 * loading**2 / (9 * loading**2 + 3 * (1 - loading**2)),
        "ave": loading**2,
    }
    assert reliability.reliability(found).loc["quality"].to_dict() == pytest.approx(expected)
    np.testing.assert_allclose(reliability.item_total(found), (0.5 + 0.5) / np.sqrt(1 + 1 + 2 * 0.5))
    np.testing.assert_allclose(reliability.htmt(found), [[np.nan, 0.4], [0.4, np.nan]])  # .2 / .5


def test_a_single_item_shows_nothing_of_its_reliability():
    found = latent.estimate(ANSWERS, MODEL)
    assert reliability.reliability(found).loc["complaints", ["alpha", "rho_c", "ave"]].isna().all()
    assert reliability.reliability(found).drop(["complaints", "expectations"]).notna().all(axis=None)
    assert np.isnan(reliability.item_total(found)["c1"])
    within = ANSWERS[["i1", "i2"]].corr().iloc[0, 1]
    between = ANSWERS[["i1", "i2"]].corrwith(ANSWERS["c1"]).abs().mean()
    assert reliability.htmt(found).loc["image", "complaints"] == pytest.approx(between / np.sqrt(within))


def test_an_item_whose_companions_cancel_out_has_no_total_to_go_with():
    found = latent.estimate(ANSWERS.assign(q2=11 - ANSWERS["q1"]), MODEL)
    assert np.isnan(reliability.item_total(found)["q3"]) and reliability.item_total(found)[["q1", "q2"]].notna().all()


def test_reliability_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"Nothing was estimated \(too_few\)"):
        reliability.reliability(latent.estimate(ANSWERS.head(9), MODEL))


# --- the mobile-phone survey of Tenenhaus et al. (2005), which the repository does not hold ---------------------------

ECSI = Path(__file__).parents[2] / "shared" / "data" / "ecsi" / "mobi.csv"
NAMES = {"image": "IMAG", "expectations": "CUEX", "quality": "PERQ", "value": "PERV", "satisfaction": "CUSA"}
NAMES |= {"complaints": "CUSCO", "loyalty": "CUSL"}
# Paths that seminr (R) gives with path weighting, tolerance 1e-7.
SEMINR = {
    ("image", "expectations"): 0.50491393362921,
    ("image", "satisfaction"): 0.178739500119218,
    ("image", "loyalty"): 0.195755333112827,
    ("expectations", "quality"): 0.556748962354268,
    ("expectations", "value"): 0.0499883925356608,
    ("expectations", "satisfaction"): 0.0625228695392276,
    ("quality", "value"): 0.558304379470818,
    ("quality", "satisfaction"): 0.512023940041866,
    ("value", "satisfaction"): 0.194765104190193,
    ("satisfaction", "complaints"): 0.528066246257102,
    ("satisfaction", "loyalty"): 0.485477623599999,
    ("complaints", "loyalty"): 0.0669260690288726,
}
SEMINR_WEIGHTS = {"CUSA1": 0.364864858320206, "CUSA2": 0.383156041120828, "CUSA3": 0.450961200721565}


@pytest.mark.skipif(not ECSI.exists(), reason="the mobile-phone data (mobi.csv of seminr) is not there")
def test_the_mobile_phone_survey_gives_the_published_figures():
    answers = pd.read_csv(ECSI)
    blocks = {name: [item for item in answers if item.startswith(stem)] for name, stem in NAMES.items()}
    found = latent.estimate(answers, paths.path_model(blocks, PATHS, (1, 10)))
    assert found.n == 250
    np.testing.assert_allclose(found.paths[list(SEMINR)], list(SEMINR.values()), atol=1e-6)
    np.testing.assert_allclose(found.weights[list(SEMINR_WEIGHTS)], list(SEMINR_WEIGHTS.values()), atol=1e-6)
    equal = latent.form_index(answers, dict.fromkeys(blocks["satisfaction"], 1), (1, 10))
    assert (round(found.index["satisfaction"], 2), round(equal.mean(), 2)) == (72.45, 71.97)
    assert reliability.reliability(found).loc["satisfaction", "alpha"] == pytest.approx(0.779195021918597)
    assert reliability.htmt(found).loc["image", "satisfaction"] == pytest.approx(0.910100923782741)
