"""Importance of items against naive computations, published figures, and truths known beforehand."""

import math
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from csat_analysis.estimation.drivers import rank_drivers
from csat_analysis.estimation.quadrants import QUADRANTS, ellipse_points, map_drivers
from csat_analysis.estimation.relative import johnson, lmg
from csat_analysis.statistics.design import design_of
from csat_analysis.statistics.estimates import estimate_means

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page
LIKE = [f"item{number}" for number in range(1, 5)]


def survey(n=120, drivers=4, seed=1):
    """Return answers from 0 to 100 that share a mood, the overall one led most by the last item."""
    rng = np.random.default_rng(seed)
    mood, each = rng.normal(size=(n, 1)), rng.normal(size=(n, drivers))
    items = np.clip(np.round(3.4 + 0.7 * mood + each), 1, 5)
    pull = np.arange(1, drivers + 1) / drivers
    overall = np.clip(np.round(items @ pull / pull.sum() + 0.6 * rng.normal(size=n)), 1, 5)
    table = pd.DataFrame(items, columns=[f"item{number}" for number in range(1, drivers + 1)])
    return (table.assign(overall=overall) - 1) * 25


def plain(n):
    return design_of(np.ones(n))


def explained(answers, weights, drivers):
    """Return R² of a weighted regression, the naive way."""
    if not drivers:
        return 0.0
    y, root = answers["overall"].to_numpy(), np.sqrt(weights)
    x = np.column_stack([np.ones(len(y)), answers[list(drivers)]])
    left = y - x @ np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]
    apart = y - np.average(y, weights=weights)
    return 1 - (weights @ left**2) / (weights @ apart**2)


# --- importance -------------------------------------------------------------------------------------------------------


def test_lmg_is_what_a_driver_adds_on_average_over_all_orders():
    answers, weights = survey(), np.random.default_rng(2).uniform(0.5, 2, 120)
    added = dict.fromkeys(LIKE, 0.0)
    for order in permutations(LIKE):  # 24 orders
        for place, item in enumerate(order):
            before, after = order[:place], order[: place + 1]
            added[item] += explained(answers, weights, after) - explained(answers, weights, before)
    found = rank_drivers(answers, "overall", design_of(weights), replications=0)
    for driver, importance in found.table.set_index("driver")["importance"].items():
        assert importance == pytest.approx(added[driver] / 24, abs=1e-12)
    assert found.r_squared == pytest.approx(explained(answers, weights, LIKE), abs=1e-12)


def test_johnsons_weights_are_those_of_the_nearest_uncorrelated_variables():
    # Johnson (2000): with X = P Δ Q' (standardised), Z = P Q' is nearest to X; regress y on Z, and X on Z.
    answers = survey()
    x, y = answers[LIKE].to_numpy(), answers["overall"].to_numpy()
    x, y = (x - x.mean(0)) / x.std(0) / np.sqrt(len(y)), (y - y.mean()) / y.std() / np.sqrt(len(y))
    p, _, q = np.linalg.svd(x, full_matrices=False)
    z = p @ q
    expected = (x.T @ z) ** 2 @ (z.T @ y) ** 2
    found = rank_drivers(answers, "overall", plain(120), method="johnson", replications=0)
    assert found.table.set_index("driver")["importance"][LIKE].tolist() == pytest.approx(expected, abs=1e-12)


def test_lmg_gives_the_published_figures():
    # relaimpo's calc.relimp(mpg ~ am + vs + cyl, mtcars, type = "lmg"), as printed in domir's documentation.
    am_vs_cyl_mpg = [
        [1, 0.1683451246, -0.5226070469, 0.5998324295],
        [0.1683451246, 1, -0.8108117961, 0.6640389191],
        [-0.5226070469, -0.8108117961, 1, -0.8521619594],
        [0.5998324295, 0.6640389191, -0.8521619594, 1],
    ]
    assert lmg(np.array(am_vs_cyl_mpg)).tolist() == pytest.approx([0.1774892, 0.2027032, 0.3817849], abs=5e-8)


def test_johnson_gives_the_published_figures():
    # rwa_multiregress(mtcars, "mpg", c("cyl", "disp", "hp", "wt")), as printed in the documentation of rwa.
    cyl_disp_hp_wt_mpg = [
        [1, 0.9020328721, 0.8324474527, 0.7824957945, -0.8521619594],
        [0.9020328721, 1, 0.7909485864, 0.8879799221, -0.8475513793],
        [0.8324474527, 0.7909485864, 1, 0.6587478873, -0.7761683718],
        [0.7824957945, 0.8879799221, 0.6587478873, 1, -0.8676593765],
        [-0.8521619594, -0.8475513793, -0.7761683718, -0.8676593765, 1],
    ]
    published = [0.2096904, 0.1883043, 0.1799590, 0.2706812]
    assert johnson(np.array(cyl_disp_hp_wt_mpg)).tolist() == pytest.approx(published, abs=5e-8)


@pytest.mark.parametrize("method", [lmg, johnson])
def test_uncorrelated_drivers_have_their_squared_correlations(method):
    correlations = np.eye(4)
    correlations[3, :3] = correlations[:3, 3] = [0.6, -0.5, 0.1]
    assert method(correlations).tolist() == pytest.approx([0.36, 0.25, 0.01])


@pytest.mark.parametrize("method", [lmg, johnson])
@pytest.mark.parametrize("seed", range(5))
def test_importance_sums_to_r_squared_and_is_never_negative(method, seed):
    rng = np.random.default_rng(seed)
    correlations = np.corrcoef((rng.normal(size=(40, 7)) + rng.normal(size=(40, 1))).T)
    found, within, target = method(correlations), correlations[:-1, :-1], correlations[:-1, -1]
    assert found.sum() == pytest.approx(target @ np.linalg.solve(within, target), abs=1e-12)
    assert (found >= 0).all()


@pytest.mark.parametrize("method", [lmg, johnson])
def test_many_matrices_at_once_are_the_same_as_one_by_one(method):
    rng = np.random.default_rng(0)
    many = np.stack([np.corrcoef(rng.normal(size=(5, 20))) for _ in range(6)]).reshape(2, 3, 5, 5)
    assert method(many)[1, 2].tolist() == pytest.approx(method(many[1, 2]).tolist(), abs=1e-14)


def test_what_leads_more_is_more_important():
    found = rank_drivers(survey(2000, 4), "overall", plain(2000), replications=50)
    assert found.table["driver"].tolist() == ["item4", "item3", "item2", "item1"]
    assert found.table["rank"].tolist() == [1, 2, 3, 4]
    assert (found.table["correlation"] > 0).all()


def test_an_item_that_goes_the_other_way_shows_in_its_correlation():
    answers = survey().assign(item4=lambda table: 100 - table["item4"])
    found = rank_drivers(answers, "overall", plain(120), replications=0).table.set_index("driver")
    same = rank_drivers(survey(), "overall", plain(120), replications=0).table.set_index("driver")
    assert found.loc["item4", "importance"] == pytest.approx(same.loc["item4", "importance"])
    assert found.loc["item4", "correlation"] == pytest.approx(-same.loc["item4", "correlation"])


# --- bad data ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["lmg", "johnson"])
def test_equal_drivers_share_equally_and_say_why(method):
    answers = survey()
    answers["again"] = answers["item4"]
    once = rank_drivers(survey(), "overall", plain(120), method, replications=20).table.set_index("driver")
    found = rank_drivers(answers, "overall", plain(120), method, replications=20)
    table = found.table.set_index("driver")
    assert table.loc["again", "importance"] == pytest.approx(table.loc["item4", "importance"], abs=1e-12)
    assert table["reason"].to_dict() == {
        "item1": "",
        "item2": "",
        "item3": "",
        "item4": "collinear",
        "again": "collinear",
    }
    assert found.r_squared == pytest.approx(once["importance"].sum(), abs=1e-10)
    assert table.loc["again", "first"] == table.loc["item4", "first"]  # a shared first place is half one
    assert table["first"].sum() == pytest.approx(1)


@pytest.mark.parametrize("method", ["lmg", "johnson"])
def test_a_driver_that_is_the_sum_of_others_changes_nothing_of_r_squared(method):
    answers = survey()
    answers["sum"] = answers["item1"] + answers["item2"]
    found = rank_drivers(answers, "overall", plain(120), method, replications=0)
    reasons = found.table.set_index("driver")["reason"].to_dict()
    assert found.r_squared == pytest.approx(explained(survey(), np.ones(120), LIKE), abs=1e-9)
    assert {item for item, reason in reasons.items() if reason == "collinear"} == {"item1", "item2", "sum"}


@pytest.mark.parametrize("method", ["lmg", "johnson"])
def test_a_driver_without_variation_has_no_importance_and_says_why(method):
    answers = survey().assign(item2=75.0)
    found = rank_drivers(answers, "overall", plain(120), method, replications=20)
    last = found.table.iloc[-1]
    assert (last["driver"], last["importance"], last["share"], last["reason"]) == ("item2", 0, 0, "no_variation")
    assert math.isnan(last["correlation"])
    assert found.r_squared == pytest.approx(explained(survey(), np.ones(120), ["item1", "item3", "item4"]), abs=1e-12)


ONE = {"item": [0.0, 100], "overall": [0.0, 100]}


@pytest.mark.parametrize(
    "answers, reason",
    [
        ({"item": [np.nan, 100], "overall": [0.0, np.nan]}, "no_answers"),
        ({"item": [100.0], "overall": [100.0]}, "target_without_variation"),  # one respondent
        ({"item": [0.0, 50, 100, 50], "overall": [75.0] * 4}, "target_without_variation"),
        (ONE, "too_few_answers"),  # a line goes through any two points
        ({"item": [0.0, 0, 100, 100], "overall": [0.0, 100, 0, 100]}, "unexplained"),
        ({"item": [50.0] * 4, "overall": [0.0, 100, 0, 100]}, "unexplained"),
    ],
)
def test_what_cannot_be_told_has_a_reason(answers, reason):
    answers = pd.DataFrame(answers)
    found = map_drivers(answers, "overall", plain(len(answers)), replications=20)
    assert (found.drivers.reason, found.drivers.replications) == (reason, 0)
    assert found.drivers.table["share"].isna().all()
    assert found.table["quadrant"].tolist() == [""]


def test_one_primary_unit_gives_figures_without_intervals():
    answers = survey()
    design = design_of(np.ones(120), clusters=["block"] * 120)
    found = map_drivers(answers, "overall", design)
    assert (found.drivers.reason, found.drivers.units) == ("too_few_units", 1)
    assert found.drivers.table["share"].sum() == pytest.approx(1)
    assert found.drivers.table[["conf_low", "conf_high", "first"]].isna().all(axis=None)
    assert set(found.table["quadrant"]) <= set(QUADRANTS)
    assert found.table[["certainty", "half_major"]].isna().all(axis=None)


MESSAGES = [
    (lambda: rank_drivers(survey(), "price", plain(120)), "target: there is no item 'price'; use one of"),
    (lambda: rank_drivers(survey()[["overall"]], "overall", plain(120)), "no item besides the target; give one"),
    (lambda: rank_drivers(survey(), "overall", plain(120), method="beta"), "'beta' is no choice; use one of"),
    (lambda: rank_drivers(survey(), "overall", plain(119)), "120 rows, and 119 in the design; give the same rows"),
    (lambda: rank_drivers(survey(60, 16), "overall", plain(60)), "16 drivers are more than 15; take fewer, or method 'johnson'"),
    (lambda: lmg(np.eye(17)), "16 drivers are more than 15; take fewer, or method 'johnson'"),
    (lambda: rank_drivers(survey().replace(0, np.inf), "overall", plain(120)), "some are infinite; give the points"),
    (lambda: rank_drivers(survey(2), "overall", design_of(np.ones(2), [1.5, 2])), "not whole numbers; give the number of forms"),
    (lambda: map_drivers(survey(), "overall", plain(120), performance=survey()[["item1"]]), "give the same rows and the same drivers"),
]  # fmt: skip


@pytest.mark.parametrize("call, message", MESSAGES)
def test_a_wrong_call_says_what_would_be_right(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_many_drivers_go_by_johnson():
    found = rank_drivers(survey(400, 20), "overall", plain(400), method="johnson", replications=20)
    assert len(found.table) == 20
    assert found.table["share"].sum() == pytest.approx(1)


# --- what makes no difference -----------------------------------------------------------------------------------------


def test_a_count_stands_for_so_many_identical_rows():
    answers, counts = survey(30), np.tile([1, 2, 3], 10)
    repeated = answers.loc[answers.index.repeat(counts)].reset_index(drop=True)
    one = map_drivers(answers, "overall", design_of(np.ones(30), counts), seed=3)
    other = map_drivers(repeated, "overall", plain(60), seed=3)
    assert_frame_equal(one.table, other.table, rtol=1e-9)
    assert_frame_equal(one.drivers.table, other.drivers.table, rtol=1e-9)
    assert (one.drivers.n, one.drivers.units) == (other.drivers.n, other.drivers.units) == (60, 60)


def columns(n=120):
    """Return weights, strata and clusters of some rows."""
    rng = np.random.default_rng(5)
    return rng.integers(1, 4, n) / 2, rng.choice(["north", "south"], n), rng.integers(0, 12, n).astype(str)


def test_the_order_of_rows_and_the_names_of_clusters_make_no_difference():
    answers, (weights, strata, clusters) = survey(), columns()
    new = np.random.default_rng(9).permutation(120)
    named = np.array([f"block {11 - int(cluster):02d}" for cluster in clusters])
    one = map_drivers(answers, "overall", design_of(weights, None, strata, clusters))
    other = map_drivers(answers.iloc[new], "overall", design_of(weights[new], None, strata[new], named[new]))
    assert_frame_equal(one.table, other.table, rtol=1e-9)
    assert_frame_equal(one.drivers.table, other.drivers.table, rtol=1e-9)


def test_ten_times_the_weights_and_other_points_make_no_difference_to_importance():
    answers, (weights, strata, clusters) = survey(), columns()
    one = rank_drivers(answers, "overall", design_of(weights, None, strata, clusters))
    other = rank_drivers(answers / 25 + 1, "overall", design_of(10 * weights, None, strata, clusters))
    assert_frame_equal(one.table, other.table, rtol=1e-9)


def test_the_same_seed_gives_the_same_and_another_does_not():
    answers = survey()
    one, again, other = (rank_drivers(answers, "overall", plain(120), seed=seed).table for seed in (1, 1, 2))
    assert_frame_equal(one, again, check_exact=True)
    assert one["conf_low"].tolist() != other["conf_low"].tolist()
    assert one["importance"].tolist() == other["importance"].tolist()


def test_incomplete_answers_are_left_out_and_counted():
    answers = survey().astype(float)
    answers.loc[:9, "item1"] = answers.loc[5:14, "overall"] = np.nan
    found = rank_drivers(answers, "overall", plain(120), replications=0)
    whole = rank_drivers(answers.dropna(), "overall", plain(105), replications=0)
    assert (found.n, found.left_out, found.units) == (105, 15, 105)
    assert_frame_equal(found.table, whole.table, rtol=1e-12)


def test_performance_counts_everybody_who_answered_the_item():
    answers = pd.DataFrame({"food": [0.0, 100, 100, 100], "overall": [np.nan, 0, 100, 50]})
    found = map_drivers(answers, "overall", plain(4), replications=0)
    assert found.table[["n", "performance"]].values.tolist() == [[4, 75]]


# --- the samples drawn again ------------------------------------------------------------------------------------------


def test_copies_within_a_cluster_add_no_precision():
    answers = survey(50)
    copied = answers.loc[answers.index.repeat(8)].reset_index(drop=True)
    single = map_drivers(answers, "overall", plain(50))
    clustered = map_drivers(copied, "overall", design_of(np.ones(400), clusters=np.arange(50).repeat(8).astype(str)))
    assert_frame_equal(single.table.drop(columns="n"), clustered.table.drop(columns="n"), rtol=1e-9)
    apart = map_drivers(copied, "overall", plain(400)).drivers.table
    width = (single.drivers.table["conf_high"] - single.drivers.table["conf_low"]).sum()
    assert (apart["conf_high"] - apart["conf_low"]).sum() < 0.5 * width


def test_samples_drawn_again_vary_as_the_design_says():
    # The mean of an item has a variance in closed form: strata of 5 and 7 clusters, unequal weights.
    answers, (weights, strata, clusters) = survey(), columns()
    clusters = np.where(strata == "north", clusters.astype(int) % 5, clusters.astype(int) % 7).astype(str)
    design = design_of(weights, None, strata, clusters)
    found = map_drivers(answers, "overall", design, replications=8000).table.set_index("driver")
    expected = estimate_means(design, answers[LIKE].to_numpy()).se[0]
    width = (found["performance_high"] - found["performance_low"])[LIKE] / (2 * 1.96)
    assert width.tolist() == pytest.approx(expected.tolist(), rel=0.06)


@pytest.mark.parametrize("alone", [1, 2, 12])
def test_a_stratum_of_one_cluster_joins_another(alone):
    # 12 clusters of 10; the last few are a stratum each, all others one together.
    answers, clusters = survey(), np.arange(120) // 10
    strata = np.where(clusters >= 12 - alone, clusters, -1).astype(str)
    found = rank_drivers(answers, "overall", design_of(np.ones(120), None, strata, clusters.astype(str)))
    whole = rank_drivers(answers, "overall", design_of(np.ones(120), None, None, clusters.astype(str)))
    assert found.reason == ""
    assert found.table["conf_high"].tolist() == pytest.approx(whole.table["conf_high"].tolist(), rel=0.3)


def test_a_stratum_keeps_its_weight_in_every_sample():
    # 2 clusters in the north, all content; 10 in the south, none content: a sixth, whichever clusters are drawn.
    rng, clusters = np.random.default_rng(1), np.arange(120) // 10
    answers = pd.DataFrame({"item": np.where(clusters < 2, 100.0, 0.0), "overall": rng.integers(0, 5, 120) * 25.0})
    design = design_of(np.ones(120), None, np.where(clusters < 2, "north", "south"), clusters.astype(str))
    found = map_drivers(answers, "overall", design).table.iloc[0]
    assert found[["performance_low", "performance", "performance_high"]].tolist() == pytest.approx([100 / 6] * 3)


def test_a_cluster_alone_in_its_stratum_is_drawn_too():
    # The only cluster of the north is content, the 11 of the south are not: samples have it never, once or more often.
    rng, clusters = np.random.default_rng(1), np.arange(120) // 10
    answers = pd.DataFrame(rng.integers(0, 5, (120, 2)) * 25.0, columns=["other", "overall"])
    answers["item"] = np.where(clusters < 1, 100.0, 0.0)
    design = design_of(np.ones(120), None, np.where(clusters < 1, "north", "south"), clusters.astype(str))
    found = map_drivers(answers, "overall", design).table.set_index("driver").loc["item"]
    assert found["performance"] == pytest.approx(100 / 12)
    assert found["performance_low"] == 0 and found["performance_high"] > 100 / 6


def test_ranks_and_first_places_come_with_how_sure_they_are():
    found = rank_drivers(survey(2000), "overall", plain(2000)).table
    assert found["first"].sum() == pytest.approx(1)
    assert (found["rank_low"] <= found["rank"]).all() and (found["rank"] <= found["rank_high"]).all()
    assert found["first"].iloc[0] == pytest.approx(found["above_next"].iloc[0], abs=0.02)
    assert math.isnan(found["above_next"].iloc[-1])
    assert found["share_low"].le(found["share"]).all() and found["share_high"].ge(found["share"]).all()


def test_intervals_cover_the_truth():
    # Three normal drivers, correlations 0.5; y = 0.5 x1 + 0.3 x2 + e: the true importance is that of the correlations.
    root, pull = np.linalg.cholesky(np.full((3, 3), 0.5) + 0.5 * np.eye(3)), np.array([0.5, 0.3, 0.0])
    joint = np.vstack([np.hstack([root, np.zeros((3, 1))]), np.append(pull @ root, 0.7)])
    covariance = joint @ joint.T
    scale = np.sqrt(np.diag(covariance))
    truth = pd.Series(lmg(covariance / np.outer(scale, scale)), index=["x1", "x2", "x3"])
    rng, inside = np.random.default_rng(11), []
    for _ in range(60):
        table = pd.DataFrame(rng.normal(size=(200, 4)) @ joint.T, columns=["x1", "x2", "x3", "overall"])
        found = rank_drivers(table, "overall", plain(200), replications=200).table.set_index("driver").loc[truth.index]
        inside.append((found["conf_low"] <= truth) & (truth <= found["conf_high"]))
    assert 0.88 <= np.mean(inside) <= 0.99  # 180 intervals, standard error about 0.02


# --- the map ----------------------------------------------------------------------------------------------------------

# Four answers, 30 times each: food and service go with the overall answer, parking and music do not.
FOUR = pd.DataFrame(
    {
        "food": [1, 1, 0, 1],
        "service": [0, 1, 0, 0],
        "parking": [0, 1, 0, 0],
        "music": [1, 1, 1, 0],
        "overall": [1, 1, 0, 0],
    }
)  # fmt: skip


def four(**options):
    answers = FOUR.loc[FOUR.index.repeat(30)].reset_index(drop=True).astype(float)
    rng = np.random.default_rng(4)
    for item, share in {"parking": 0.5, "music": 0.5}.items():  # noise breaks their tie with the overall answer
        other = rng.random(120) < share
        answers.loc[other, item] = rng.permutation(answers.loc[other, item])
    answers["service"] = np.where(
        rng.random(120) < 0.3, answers["service"], answers["overall"] * (rng.random(120) < 0.6)
    )
    return map_drivers(answers, "overall", plain(120), **options)


def test_the_quadrants_are_those_of_martilla_and_james():
    table = four().table.set_index("driver")
    importance, performance = (
        table["importance"] >= table["importance"].mean(),
        table["performance"] >= table["performance"].mean(),
    )
    expected = {
        (True, False): "concentrate",
        (True, True): "keep_up",
        (False, False): "low_priority",
        (False, True): "overkill",
    }
    for driver, quadrant in table["quadrant"].items():
        assert quadrant == expected[bool(importance[driver]), bool(performance[driver])]
    assert table.loc["service", "quadrant"] == "concentrate"


def test_the_probabilities_of_the_quadrants_sum_to_one():
    found = four()
    assert found.table[list(QUADRANTS)].sum(axis=1).tolist() == pytest.approx([1] * 4)
    for _, row in found.table.iterrows():
        assert row["certainty"] == row[row["quadrant"]]
    assert found.importance_at == pytest.approx(0.25)
    assert found.performance_at == pytest.approx(found.table["performance"].mean())


def test_a_target_can_draw_the_line_of_performance():
    found = four(performance_at=0.99)
    assert found.performance_at == 0.99
    assert set(found.table["quadrant"]) <= {"concentrate", "low_priority"}


def test_performance_can_be_the_share_of_the_satisfied():
    answers = survey()
    found = map_drivers(answers, "overall", plain(120), performance=(answers >= 75).astype(float)).table
    points = map_drivers(answers, "overall", plain(120)).table
    assert found["performance"].between(0, 1).all()
    assert found["importance"].tolist() == points["importance"].tolist()


def test_an_ellipse_is_as_wide_as_its_figures_vary():
    found = map_drivers(survey(400), "overall", plain(400), replications=4000).table
    for _, row in found.iterrows():
        points = ellipse_points(*row[["performance", "importance", "half_major", "half_minor", "angle"]])
        reach = (points.max(axis=0) - points.min(axis=0)) / 2 / math.sqrt(-2 * math.log(0.05))  # standard errors
        assert reach[0] == pytest.approx((row["performance_high"] - row["performance_low"]) / 3.92, rel=0.05)
        assert reach[1] == pytest.approx((row["importance_high"] - row["importance_low"]) / 3.92, rel=0.05)
        assert points.mean(axis=0)[1] == pytest.approx(row["importance"], abs=0.01)
        assert -90 <= row["angle"] <= 90


def test_an_ellipse_leans_with_its_figures():
    turned = ellipse_points(0, 0, 5, 0, 45, points=5)
    assert turned[0].tolist() == pytest.approx([5 / math.sqrt(2)] * 2)
    assert np.cov(ellipse_points(0, 0, 5, 1, 30).T)[0, 1] > 0
