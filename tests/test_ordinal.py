"""Ordered answers against published figures, other packages, and naive computations; what cannot be told says why."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.special import expit, fdtrc
from statsmodels.discrete.discrete_model import Logit
from statsmodels.miscmodels.ordinal_model import OrderedModel

from csat_analysis.estimation.ordinal import fit_ordinal, indicator_columns, variable_tests
from csat_analysis.estimation.proportionality import proportional_odds
from csat_analysis.statistics.design import design_of

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page
LEVELS = ["Low", "Medium", "High"]
HOUSING = pd.read_csv(Path(__file__).parents[1] / "data" / "copenhagen" / "1976" / "responses.csv")
VARIABLES = {"influence": LEVELS, "type": ["Tower", "Apartment", "Atrium", "Terrace"], "contact": ["Low", "High"]}


def plain(counts, **columns):
    return design_of(np.ones(len(counts)), np.asarray(counts, dtype=float), **columns)


def housing(rows=HOUSING, **options):
    terms = indicator_columns(rows, VARIABLES)
    return rows["satisfaction"], LEVELS, terms, options.pop("design", plain(rows["count"])), *options.values()


def respondents():
    """Return Madsen's householders one by one."""
    return HOUSING.loc[HOUSING.index.repeat(HOUSING["count"])].reset_index(drop=True)


def survey(n=300, seed=3):
    """Return answers on three levels, two terms, and weights, strata and clusters that matter."""
    rng = np.random.default_rng(seed)
    clusters = rng.integers(0, 24, n)
    terms = pd.DataFrame({"owner": rng.integers(0, 2, n).astype(float), "age": rng.normal(size=n).round(1)})
    feeling = terms.to_numpy() @ [0.8, -0.4] + rng.normal(size=24)[clusters] + rng.logistic(size=n)
    answers = np.array(LEVELS)[np.digitize(feeling, [-0.5, 1.0])]
    strata = np.where(clusters < 10, "north", "south")
    return answers, terms, rng.integers(1, 5, n) / 2, strata, clusters.astype(str)


# --- proportional odds ------------------------------------------------------------------------------------------------


def test_the_housing_survey_gives_the_published_figures():
    # Venables, Ripley (2002), MASS, 7.3, polr(Sat ~ Infl + Type + Cont), with the digits that R prints.
    found = fit_ordinal(*housing())
    published = [0.5663937, 1.2888191, -0.5723501, -0.3661866, -1.0910149, 0.3602841]
    assert found.table["estimate"].tolist() == pytest.approx(published, abs=1e-6)
    assert found.thresholds["estimate"].tolist() == pytest.approx([-0.4961353, 0.6907083], abs=1e-6)
    assert found.deviance == pytest.approx(3479.149, abs=5e-4)
    assert (found.n, found.left_out, found.method, found.reason) == (1681, 0, "likelihood", "")


def test_the_housing_survey_gives_the_figures_of_another_package():
    # statsmodels ignores freq_weights without a word, so householders one by one; its second threshold is log-spaced.
    rows = respondents()
    codes = rows["satisfaction"].map(LEVELS.index).to_numpy()
    model = OrderedModel(codes, indicator_columns(rows, VARIABLES).to_numpy(), distr="logit")
    other = model.fit(method="lbfgs", disp=False, pgtol=1e-8, factr=10.0, maxiter=300)
    found = fit_ordinal(*housing())
    assert found.table["estimate"].tolist() == pytest.approx(other.params[:6].tolist(), abs=1e-6)
    assert found.table["se"].tolist() == pytest.approx(other.bse[:6].tolist(), abs=1e-6)
    assert found.table["p_value"].tolist() == pytest.approx(other.pvalues[:6].tolist(), rel=1e-3, abs=1e-12)
    assert found.deviance == pytest.approx(-2 * other.llf, abs=1e-8)
    thresholds = model.transform_threshold_params(other.params)[1:-1]
    assert found.thresholds["estimate"].tolist() == pytest.approx(thresholds.tolist(), abs=1e-6)


def test_an_odds_ratio_comes_with_its_interval():
    row = fit_ordinal(*housing()).table.set_index(["variable", "level"]).loc[("influence", "High")]
    assert row["odds_ratio"] == pytest.approx(math.exp(1.2888191), rel=1e-6)
    assert row["odds_low"] == pytest.approx(math.exp(1.2888191 - 1.959964 * row["se"]), rel=1e-6)
    assert row["odds_high"] == pytest.approx(math.exp(1.2888191 + 1.959964 * row["se"]), rel=1e-6)


def test_two_levels_are_a_logistic_regression():
    answers, terms, *_ = survey()
    other = Logit((answers == "High").astype(float), np.column_stack([np.ones(300), terms])).fit(disp=False, tol=1e-12)
    merged = np.where(answers == "High", "yes", "no")
    found = fit_ordinal(merged, ["no", "yes"], terms, plain(np.ones(300)))
    assert found.table["estimate"].tolist() == pytest.approx(other.params[1:].tolist(), abs=1e-8)
    assert found.table["se"].tolist() == pytest.approx(other.bse[1:].tolist(), abs=1e-8)
    assert found.thresholds["estimate"].tolist() == pytest.approx([-other.params[0]], abs=1e-8)


def one_log_likelihood(place, level, terms):
    """Return the log-likelihood of one answer, the naive way."""
    ends = [-math.inf, *place[len(terms) :], math.inf]
    eta = float(terms @ place[: len(terms)])
    return math.log(expit(ends[level + 1] - eta) - expit(ends[level] - eta))


def slopes(function, place, step=1e-5, arguments=()):
    """Return numeric first derivatives."""
    ahead = np.eye(len(place)) * step
    return np.array(
        [(function(place + each, *arguments) - function(place - each, *arguments)) / (2 * step) for each in ahead]
    )


def test_the_variance_by_design_is_the_sandwich_of_cluster_sums_within_strata():
    answers, terms, weights, strata, clusters = survey(120)
    found = fit_ordinal(answers, LEVELS, terms, design_of(weights, None, strata, clusters))
    place = np.concatenate([found.table["estimate"], found.thresholds["estimate"]])
    rows = list(zip([LEVELS.index(answer) for answer in answers], terms.to_numpy(), strict=True))

    def scores(at):
        return weights[:, None] * [slopes(one_log_likelihood, at, arguments=row) for row in rows]

    each = scores(place)
    assert each.sum(axis=0) == pytest.approx([0] * 4, abs=1e-6)  # the maximum
    bread, meat = np.linalg.inv(-slopes(lambda at: scores(at).sum(axis=0), place, 1e-4)), np.zeros((4, 4))
    for stratum in np.unique(strata):
        inside = strata == stratum
        sums = np.array([each[inside & (clusters == name)].sum(axis=0) for name in np.unique(clusters[inside])])
        apart = sums - sums.mean(axis=0)
        meat += len(sums) / (len(sums) - 1) * apart.T @ apart
    assert found.covariance == pytest.approx(bread @ meat @ bread, rel=1e-4, abs=1e-7)
    assert found.df == len(np.unique(clusters)) - 2
    assert found.method == "design"


def test_clusters_that_feel_alike_widen_the_interval():
    answers, terms, weights, strata, clusters = survey()
    terms["block"] = (clusters.astype(int) % 2).astype(float)  # the same for all of a cluster
    by_design = fit_ordinal(answers, LEVELS, terms, design_of(np.ones(300), None, None, clusters)).table
    alone = fit_ordinal(answers, LEVELS, terms, plain(np.ones(300))).table
    assert by_design["estimate"].tolist() == pytest.approx(alone["estimate"].tolist())
    assert by_design["se"].iloc[2] > 1.3 * alone["se"].iloc[2]


def test_a_variable_is_tested_with_all_its_levels_together():
    found = fit_ordinal(*housing())
    tests = variable_tests(found).set_index("variable")
    assert tests["df"].to_dict() == {"influence": 2, "type": 3, "contact": 1}
    table = found.table.set_index("variable")
    assert tests.loc["contact", "statistic"] == pytest.approx(table.loc["contact", "statistic"] ** 2)
    assert tests.loc["contact", "p_value"] == pytest.approx(table.loc["contact", "p_value"])
    # Leaving contact out raises the deviance by 14.307 (OrdinalMultinomialModels.jl prints p = .0001554): much the same
    assert tests.loc["contact", "statistic"] == pytest.approx(14.3, abs=0.2)


def test_one_coefficient_by_design_is_tested_by_students_t():
    answers, terms, weights, strata, clusters = survey()
    found = fit_ordinal(answers, LEVELS, terms, design_of(weights, None, strata, clusters))
    tests = variable_tests(found)
    assert tests["statistic"].tolist() == pytest.approx((found.table["statistic"] ** 2).tolist())
    assert tests["p_value"].tolist() == pytest.approx(found.table["p_value"].tolist())


def test_several_coefficients_by_design_are_tested_by_an_f():
    # Korn, Graubard (1990): F = W (d - k + 1) / (k d), with k and d - k + 1 degrees of freedom
    clusters = (np.arange(72) % 12).astype(str)
    found = fit_ordinal(*housing(design=plain(HOUSING["count"], clusters=clusters)))
    kind = slice(2, 5)  # three types of housing
    estimate = found.table["estimate"].to_numpy()[kind]
    wald = estimate @ np.linalg.solve(found.covariance[kind, kind], estimate)
    tested = variable_tests(found).set_index("variable").loc["type"]
    assert (tested["statistic"], tested["df"], tested["df_error"]) == pytest.approx((wald * 9 / 33, 3, 9))
    assert tested["p_value"] == pytest.approx(float(fdtrc(3, 9, wald * 9 / 33)))


# --- is one odds ratio enough? ----------------------------------------------------------------------------------------


def test_brants_test_gives_the_published_figures():
    # Lydersen et al. (2012), nausea after an operation, in Fagerland, Lydersen, Laake (2017), Statistical Analysis of
    # Contingency Tables, chapter 6: T = 1.668, df = 2, P = .43422; effect by Wald: Z = -1.472, P = .14097.
    counts = [14, 10, 3, 2, 11, 7, 8, 4]
    answers, terms = ["0", "1", "2", "3"] * 2, pd.DataFrame({"group": [0.0] * 4 + [1.0] * 4})
    found = proportional_odds(answers, ["0", "1", "2", "3"], terms, plain(counts))
    assert found["statistic"].tolist() == pytest.approx([1.668, 1.668], abs=5e-4)
    assert found["df"].tolist() == [2, 2]
    assert found["p_value"].tolist() == pytest.approx([0.43422] * 2, abs=5e-6)
    effect = fit_ordinal(answers, ["0", "1", "2", "3"], terms, plain(counts)).table
    assert effect["statistic"].tolist() == pytest.approx([1.472], abs=5e-4)
    assert effect["p_value"].tolist() == pytest.approx([0.14097], abs=5e-6)


def test_brants_test_is_that_of_separate_logistic_regressions():
    rows = respondents()
    x = np.column_stack([np.ones(1681), indicator_columns(rows, VARIABLES)])
    above = [rows["satisfaction"].ne("Low").to_numpy(float), rows["satisfaction"].eq("High").to_numpy(float)]
    one, other = (Logit(y, x).fit(disp=False, tol=1e-12) for y in above)
    p, q = one.predict(), other.predict()
    bread = [np.linalg.inv((x * (each * (1 - each))[:, None]).T @ x) for each in (p, q)]
    shared = bread[0] @ (x * (q - p * q)[:, None]).T @ x @ bread[1]  # P(above both) = P(above the higher)
    apart = one.params - other.params
    variance = bread[0] + bread[1] - shared - shared.T
    inside = slice(1, None)
    expected = apart[inside] @ np.linalg.solve(variance[inside, inside], apart[inside])
    found = proportional_odds(*housing()).set_index("variable")
    assert found.loc["", "statistic"] == pytest.approx(expected, abs=1e-7)
    assert found["df"].tolist() == [6, 2, 3, 1]
    assert found.loc["contact", "statistic"] == pytest.approx(apart[6] ** 2 / variance[6, 6], abs=1e-7)


def test_brants_test_is_near_the_likelihood_ratio():
    # STAT 504 (Penn State), 8.5: deviance 39.1570 of the model with unequal slopes against the saturated one, whose
    # log-likelihood is -1715.7108 (Rodríguez, housing conditions in Copenhagen): 3479.149 - 3470.579 = 8.571 with 6 df.
    ratio = 3479.1493 - (2 * 1715.7108 + 39.1570)
    found = proportional_odds(*housing()).iloc[0]
    assert found["statistic"] == pytest.approx(ratio, abs=0.1)
    assert found["p_value"] == pytest.approx(0.2, abs=0.01)


def test_brants_test_by_design_is_much_the_same_where_answers_are_drawn_one_by_one():
    by_design, plain_test = (proportional_odds(*housing(), by_design) for by_design in (True, False))
    assert by_design["p_value"].tolist() == pytest.approx(plain_test["p_value"].tolist(), abs=0.01)
    assert by_design["df_error"].tolist() == [1675, 1679, 1678, 1680]  # 1681 answers - 1 stratum - k + 1


def test_a_term_that_moves_one_threshold_alone_is_found():
    # Of 100 each: 20, 30, 50 against 20, 60, 20: the same below the first threshold, far apart at the second.
    answers, terms = LEVELS * 2, pd.DataFrame({"new": [0.0] * 3 + [1.0] * 3})
    found = proportional_odds(answers, LEVELS, terms, plain([20, 30, 50, 20, 60, 20]))
    assert found["p_value"].iloc[0] < 0.001


def test_a_covariance_that_is_none_is_said_to_come_from_sparse_answers():
    # 13 answers on four levels: the shares above neighbouring thresholds, fitted one by one, cross each other.
    terms = pd.DataFrame(
        {"a": [2.0, 3, 0, 2, 1, 3, 0, 3, 2, 3, 1, 1, 3], "b": [3.0, 3, 1, 1, 2, 2, 2, 0, 1, 0, 3, 0, 3]}
    )
    found = proportional_odds(list("3312323201212"), list("0123"), terms, plain(np.ones(13)))
    assert found["reason"].tolist() == ["sparse", "", "sparse"]
    assert found["p_value"].isna().tolist() == [True, False, True]


# --- what makes no difference -----------------------------------------------------------------------------------------


def test_a_count_stands_for_so_many_identical_rows():
    rows = respondents()
    for by_design in (False, True):
        one, other = fit_ordinal(*housing(), by_design), fit_ordinal(*housing(rows.assign(count=1)), by_design)
        assert_frame_equal(one.table, other.table, rtol=1e-8)
        assert one.deviance == pytest.approx(other.deviance)
        assert_frame_equal(
            proportional_odds(*housing(), by_design),
            proportional_odds(*housing(rows.assign(count=1)), by_design),
            rtol=1e-7,
        )


def test_ten_times_the_weights_and_another_order_of_rows_make_no_difference():
    answers, terms, weights, strata, clusters = survey()
    new = np.random.default_rng(0).permutation(300)
    one = fit_ordinal(answers, LEVELS, terms, design_of(weights, None, strata, clusters))
    moved = design_of(10 * weights[new], None, strata[new], clusters[new])
    other = fit_ordinal(answers[new], LEVELS, terms.iloc[new], moved)
    assert_frame_equal(one.table, other.table, rtol=1e-8)
    assert one.deviance == pytest.approx(other.deviance)


def test_turning_the_scale_round_turns_the_signs():
    answers, terms, weights, strata, clusters = survey()
    one, other = (
        fit_ordinal(answers, order, terms, design_of(weights, None, strata, clusters))
        for order in (LEVELS, LEVELS[::-1])
    )
    assert other.table["estimate"].tolist() == pytest.approx((-one.table["estimate"]).tolist())
    assert other.table["se"].tolist() == pytest.approx(one.table["se"].tolist())
    assert other.thresholds["estimate"].tolist() == pytest.approx((-one.thresholds["estimate"]).tolist()[::-1])


def test_moving_and_stretching_a_term_moves_thresholds_alone():
    answers, terms, *_ = survey()
    one = fit_ordinal(answers, LEVELS, terms, plain(np.ones(300)))
    other = fit_ordinal(answers, LEVELS, terms * [1, 100] + [0, 5000], plain(np.ones(300)))
    assert other.table["statistic"].tolist() == pytest.approx(one.table["statistic"].tolist())
    assert other.deviance == pytest.approx(one.deviance)


def test_copies_within_a_cluster_add_no_precision():
    answers, terms, *_ = survey(100)
    single = fit_ordinal(answers, LEVELS, terms, plain(np.ones(100)), True)
    copies = np.arange(100).repeat(5)
    design = design_of(np.ones(500), clusters=copies.astype(str))
    many = fit_ordinal(answers[copies], LEVELS, terms.iloc[copies], design)
    assert_frame_equal(many.table, single.table, rtol=1e-8)


def test_incomplete_rows_are_left_out_and_stay_in_the_design():
    answers, terms, weights, strata, clusters = survey()
    answers, terms = answers.astype(object), terms.copy()
    answers[:10], terms.loc[5:19, "age"] = "no answer", np.nan
    found = fit_ordinal(answers, LEVELS, terms, design_of(weights, None, strata, clusters))
    there = slice(20, None)
    whole = fit_ordinal(
        answers[there], LEVELS, terms.iloc[there], design_of(weights[there], None, strata[there], clusters[there])
    )
    assert (found.n, found.left_out) == (280, 20)
    assert found.table["estimate"].tolist() == pytest.approx(whole.table["estimate"].tolist())
    assert found.table["se"].tolist() == pytest.approx(whole.table["se"].tolist())  # every cluster has answers left


# --- bad data ---------------------------------------------------------------------------------------------------------


def test_a_level_that_nobody_chose_is_left_out_and_named():
    found = fit_ordinal(HOUSING["satisfaction"], ["None", *LEVELS, "Highest"], *housing()[2:])
    assert found.unused == ("None", "Highest")
    assert found.thresholds[["below", "above"]].values.tolist() == [["Low", "Medium"], ["Medium", "High"]]
    assert found.deviance == pytest.approx(3479.149, abs=5e-4)


def test_terms_that_do_not_vary_or_repeat_others_are_left_out_with_their_reason():
    answers, terms, *_ = survey()
    more = terms.assign(same=1.0, tenant=1 - terms["owner"], sum=terms["owner"] + 2 * terms["age"])
    found, alone = (fit_ordinal(answers, LEVELS, each, plain(np.ones(300))) for each in (more, terms))
    assert found.table["reason"].tolist() == ["", "", "no_variation", "collinear", "collinear"]
    assert found.table["estimate"].iloc[:2].tolist() == pytest.approx(alone.table["estimate"].tolist())
    assert found.table["estimate"].iloc[2:].isna().all()
    assert found.covariance.shape == (7, 7)
    assert proportional_odds(answers, LEVELS, more, plain(np.ones(300)))["df"].tolist() == [2, 1, 1]
    assert variable_tests(found)["reason"].tolist() == ["", "", "no_variation", "collinear", "collinear"]


@pytest.mark.parametrize("by_design", [False, True])
def test_a_group_that_all_gives_the_best_answer_is_said_to_be_perfectly_predicted(by_design):
    answers, terms, *_ = survey()
    more = terms.assign(vip=0.0)
    more = pd.concat([more, pd.DataFrame({"owner": [0.0, 1] * 5, "age": 0.0, "vip": 1.0})], ignore_index=True)
    found = fit_ordinal([*answers, *["High"] * 10], LEVELS, more, plain(np.ones(310)), by_design)
    alone = fit_ordinal(answers, LEVELS, terms, plain(np.ones(300)), by_design)
    assert (found.reason, found.table["reason"].tolist()) == ("separation", ["", "", "separation"])
    assert math.isnan(found.table["estimate"].iloc[2])
    assert found.table["estimate"].iloc[:2].tolist() == pytest.approx(alone.table["estimate"].tolist(), abs=1e-5)
    assert found.table["se"].iloc[:2].tolist() == pytest.approx(alone.table["se"].tolist(), rel=0.02)
    assert found.deviance == pytest.approx(alone.deviance, abs=1e-5)
    assert (
        proportional_odds([*answers, *["High"] * 10], LEVELS, more, plain(np.ones(310)))["reason"]
        .eq("separation")
        .all()
    )


def test_answers_that_follow_a_term_exactly_are_said_to_be_perfectly_predicted():
    age = np.arange(30.0)
    answers = np.array(LEVELS)[(age // 10).astype(int)]
    found = fit_ordinal(answers, LEVELS, pd.DataFrame({"age": age}), plain(np.ones(30)))
    assert (found.reason, found.table["reason"].tolist()) == ("separation", ["separation"])
    assert found.table["estimate"].isna().all() and found.thresholds["estimate"].isna().all()


def test_a_strong_effect_is_no_separation():
    # 999 to 1 either way: an odds ratio of about a million, and a finite one.
    terms = pd.DataFrame({"owner": [0.0, 0, 1, 1]})
    found = fit_ordinal(["no", "yes"] * 2, ["no", "yes"], terms, plain([999, 1, 1, 999]))
    assert found.reason == ""
    assert found.table["estimate"].tolist() == pytest.approx([2 * math.log(999)])


@pytest.mark.parametrize(
    "answers, owner, reason",
    [
        (["Low", "Low", "Low", "Low"], [0.0, 1, 0, 1], "one_level"),
        (["", "", "", ""], [0.0, 1, 0, 1], "one_level"),
        (["Low", "High", "Low", "High"], [1.0, 1, 1, 1], "no_term"),
        (["Low", "High"], [0.0, 1], "too_few_answers"),
        (["Low"], [0.0], "one_level"),
    ],
)
def test_what_cannot_be_fitted_has_a_reason(answers, owner, reason):
    terms, design = pd.DataFrame({"owner": owner}), plain(np.ones(len(owner)))
    found = fit_ordinal(answers, LEVELS, terms, design)
    assert found.reason == reason
    assert found.table["estimate"].isna().all()
    assert proportional_odds(answers, LEVELS, terms, design)["reason"].tolist() == [reason] * 2
    assert variable_tests(found)["reason"].tolist()[0] != ""


def test_two_levels_leave_nothing_to_test():
    terms = pd.DataFrame({"owner": [0.0, 0, 1, 1]})
    found = proportional_odds(["no", "yes"] * 2, ["no", "yes"], terms, plain([30, 10, 10, 30]))
    assert found["reason"].tolist() == ["two_levels", "two_levels"]


def test_too_few_clusters_for_a_test_are_said():
    answers, terms, weights, *_ = survey(100)
    design = design_of(np.ones(100), clusters=(np.arange(100) % 3).astype(str))
    tests = variable_tests(fit_ordinal(answers, LEVELS, terms, design))
    assert tests["df_error"].tolist() == [2, 2]
    found = proportional_odds(answers, LEVELS, terms.assign(a=np.arange(100) % 7), design)
    assert found["reason"].tolist() == ["too_few_units", "", "", ""]
    alone = fit_ordinal(answers, LEVELS, terms, design_of(np.ones(100), clusters=["1"] * 100))
    assert alone.table["estimate"].notna().all() and alone.table["se"].isna().all()
    assert alone.reason == "too_few_units"


MESSAGES = [
    (lambda: fit_ordinal(["Low"], LEVELS, pd.DataFrame({"a": [1.0, 2]}), plain([1, 1])), "not of one length"),
    (lambda: fit_ordinal(["Low"], LEVELS, pd.DataFrame({"a": [np.inf]}), plain([1])), "terms: some are infinite"),
]


@pytest.mark.parametrize("call, message", MESSAGES)
def test_a_wrong_call_says_what_would_be_right(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_goes_with_what_is_asked_of_the_process_whatever_the_population():
    answers, terms, weights, strata, _ = survey()
    known, unknown = (design_of(weights, None, strata, population=size) for size in (300, None))
    one, other = (fit_ordinal(answers, LEVELS, terms, design) for design in (known, unknown))
    assert_frame_equal(one.table, other.table)
