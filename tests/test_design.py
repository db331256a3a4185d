"""How an answer came into the survey: which rows are one primary unit, of how many, and what a row stands for."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csat_analysis.statistics.design import LONELY, calibrated, design_of, kept, without_population
from csat_analysis.statistics.estimates import estimate_mean

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page


def ones(rows):
    return np.ones(len(rows))


# --- primary units ----------------------------------------------------------------------------------------------------


def test_the_same_cluster_id_in_two_strata_is_two_clusters():
    design = design_of(np.ones(4), strata=["A", "A", "B", "B"], clusters=["1", "2", "1", "1"])
    assert design.sampled.tolist() == [2, 1]
    assert len(set(design.units.tolist())) == len(design.strata) == 3
    assert design.units[2] == design.units[3] != design.units[0]


def test_without_strata_an_id_is_one_cluster():
    assert design_of(np.ones(4), clusters=["1", "2", "1", "1"]).sampled.tolist() == [2]


@pytest.mark.parametrize("blank", ["", None, math.nan])
def test_a_blank_cluster_makes_each_answer_its_own(blank):
    # Two named clusters; two rows without one, the second of which stands for three answers.
    design = design_of(np.ones(5), np.array([1, 2, 1, 1, 3]), clusters=["x", "x", "y", blank, blank])
    assert design.alone.tolist() == [False, False, False, True, True]
    assert design.sampled.tolist() == [2 + 1 + 3]


def test_without_clusters_each_answer_is_its_own():
    design = design_of(np.ones(3), np.array([2, 1, 4]), strata=["A", "A", "B"])
    assert design.alone.all()
    assert design.sampled.tolist() == [3, 4]


def test_answers_of_a_row_in_a_cluster_stay_together():
    assert design_of(np.ones(2), np.array([5, 7]), clusters=["x", "y"]).sampled.tolist() == [2]


@pytest.mark.parametrize("labels", [[1, 1, 2], [1.0, 1.0, 2.5], [True, True, False], ["一", "一", "二"]])
def test_labels_may_be_of_any_kind(labels):
    assert design_of(np.ones(3), strata=labels, clusters=labels).sampled.tolist() == [1, 1]


def test_a_row_of_weight_nought_stands_for_nobody():
    design = design_of(np.array([1.0, 0.0, 2.0]), np.array([1, 5, 2]), strata=["A", "A", "B"])
    assert design.counts.tolist() == [1, 0, 2]
    assert design.sampled.tolist() == [1, 2]


@pytest.mark.parametrize(
    "weights, counts, clusters, plain",
    [
        ([1, 1, 1], [1, 2, 3], None, True),  # so many answers, each alike
        ([7, 7, 7], None, None, True),
        ([1, 2, 1], None, None, False),
        ([1, 2, 1], [1, 0, 1], None, True),  # the row that weighs more stands for nobody
        ([1, 1, 1], None, ["a", "a", "b"], False),
        ([1, 1, 1], None, ["", "", ""], True),
        ([1, 1, 1], None, ["", "", "b"], False),
    ],
)  # fmt: skip
def test_a_share_is_a_count_out_of_n_where_all_weigh_alike_and_were_drawn_alone(weights, counts, clusters, plain):
    assert design_of(np.array(weights, float), counts, clusters=clusters).is_plain is plain


def test_no_answers_are_a_design_too():
    design = design_of(np.ones(0), strata=[], clusters=[])
    assert (len(design.strata), design.sampled.tolist(), design.lonely_strata, design.is_plain) == (0, [], 0, True)


# --- finite populations -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "population, left_out",
    [
        (None, [1, 1]),
        ({"A": 4, "B": 10}, [0.5, 0.7]),
        ({"A": 4}, [0.5, 1]),  # nobody knows how many there are in B
        ({"A": 2, "B": 3}, [0, 0]),  # all there is
        ({"A": 1, "B": 3}, [1, 0]),  # fewer than were drawn: no correction
        ({"A": 0, "B": 3}, [1, 0]),
        ({"A": 4, "B": 10, "C": 5}, [0.5, 0.7]),  # nobody answered in C
        ({"A": math.nan, "B": 10}, [1, 0.7]),
    ],
)
def test_what_was_not_drawn_is_left_out(population, left_out):
    design = design_of(np.ones(5), strata=["A", "A", "B", "B", "B"], population=population)
    assert design.left_out.tolist() == pytest.approx(left_out)


def test_one_number_is_the_population_of_everybody():
    assert design_of(np.ones(5), population=20).left_out.tolist() == [0.75]


def test_where_clusters_were_drawn_the_population_counts_clusters():
    design = design_of(np.ones(5), clusters=["a", "a", "a", "a", "b"], population=4)
    assert design.left_out.tolist() == [0.5]


def test_the_process_behind_those_asked_has_no_population():
    design = design_of(np.ones(5), population=5)
    assert without_population(design).left_out.tolist() == [1]
    assert design.left_out.tolist() == [0]


@pytest.mark.parametrize("population", [0, 5, None])
def test_where_nobody_is_left_all_were_left_out(population):
    design = kept(design_of(np.ones(2), strata=["A", "B"], population={"B": population}), np.array([True, False]))
    assert design.left_out.tolist() == [1, 1]


def test_a_cluster_of_which_nobody_is_there_was_not_drawn():
    assert design_of(np.ones(3), np.array([1, 1, 0]), clusters=["a", "b", "c"]).sampled.tolist() == [2]
    assert design_of(np.array([1.0, 1.0, 0.0]), clusters=["a", "b", "c"]).sampled.tolist() == [2]


def test_a_lonely_stratum_has_one_unit_that_is_not_all_there_is():
    strata, clusters = ["A", "A", "B", "B", "C"], ["1", "2", "3", "3", "4"]
    assert design_of(np.ones(5), strata=strata, clusters=clusters).lonely_strata == 2
    assert design_of(np.ones(5), strata=strata, clusters=clusters, population={"B": 1, "C": 6}).lonely_strata == 1


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [-1.0, -1e-9, math.nan, math.inf])
@pytest.mark.parametrize("column", ["weights", "counts"])
def test_a_weight_or_count_that_is_none_is_refused_by_name(column, bad):
    columns = {"weights": np.ones(3), "counts": np.ones(3)}
    columns[column] = np.array([1.0, bad, 1.0])
    with pytest.raises(ValueError, match=rf"^{column}: some are below 0 or no numbers; leave such rows out"):
        design_of(**columns)


@pytest.mark.parametrize("choice", ["adjust", "", "fail"])
def test_an_unknown_way_to_count_a_lonely_stratum_is_refused(choice):
    with pytest.raises(ValueError, match=rf"^lonely: '{choice}' is no choice; use one of \['grand_mean', "):
        design_of(np.ones(2), lonely=choice)


@pytest.mark.parametrize(
    "columns",
    [{"counts": np.ones(2)}, {"strata": ["a", "b"]}, {"strata": ["a"] * 4}],
)
def test_columns_of_different_lengths_are_refused(columns):
    with pytest.raises(ValueError, match="not of one length; give one of each for every row"):
        design_of(np.ones(3), **columns)


def test_the_columns_stay_as_they_were():
    weights, counts = np.array([1.0, 0.0, 2.0]), np.array([1.0, 5.0, 2.0])
    strata, clusters = ["A", "B", "B"], ["1", None, "2"]
    design_of(weights, counts, strata, clusters, {"A": 3})
    assert (weights.tolist(), counts.tolist()) == ([1, 0, 2], [1, 5, 2])
    assert (strata, clusters) == (["A", "B", "B"], ["1", None, "2"])


# --- parts of a design ------------------------------------------------------------------------------------------------


def test_those_who_did_not_answer_are_no_part_of_the_sample():
    # cluster 2 has no answer at all, cluster 1 has one; stratum B has none
    design = design_of(np.arange(1.0, 7.0), strata=list("AAAABB"), clusters=list("112234"), population={"A": 9, "B": 9})
    answered = np.array([True, False, False, False, False, False])
    found = kept(design, answered)
    assert found.weights.tolist() == [1]
    assert found.sampled.tolist() == [1, 0]
    assert found.left_out.tolist() == pytest.approx([8 / 9, 1])
    assert design.sampled.tolist() == [2, 2]


def test_keeping_everybody_changes_nothing():
    design = design_of(np.ones(3))
    assert kept(design, np.ones(3, dtype=bool)) is design


def test_keeping_nobody_leaves_nobody():
    found = kept(design_of(np.ones(3), clusters=["a", "b", ""]), np.zeros(3, dtype=bool))
    assert (len(found.weights), found.sampled.tolist()) == (0, [0])
    assert math.isnan(estimate_mean(found, np.ones(0)).mean)


def test_the_weights_before_stay_those_of_the_survey():
    design = design_of(np.array([1.0, 2.0]))
    once = calibrated(design, np.array([3.0, 4.0]), np.ones((2, 1)))
    twice = calibrated(once, np.array([5.0, 6.0]), np.ones((2, 1)))
    assert (twice.weights.tolist(), twice.base.tolist()) == ([5, 6], [1, 2])
    assert design.margins is None
    assert kept(twice, np.array([False, True])).base.tolist() == [2]


# --- laws -------------------------------------------------------------------------------------------------------------


@st.composite
def surveys(draw):
    """Return weights, counts, strata, clusters, population and answers of a small survey."""
    rows = draw(st.integers(1, 14))
    column = lambda values: draw(st.lists(values, min_size=rows, max_size=rows))  # noqa: E731
    population = draw(st.none() | st.dictionaries(st.sampled_from("ABC"), st.integers(0, 20)))
    return (
        np.array(column(st.integers(0, 4)), dtype=float), np.array(column(st.integers(0, 3)), dtype=float),
        column(st.sampled_from("ABC")), column(st.sampled_from(["1", "2", "3", ""])), population,
        np.array(column(st.sampled_from([0.0, 1.0, 3.0, math.nan]))),
    )  # fmt: skip


def estimated(weights, counts, strata, clusters, population, values, lonely="grand_mean"):
    """Return the estimate of a mean, NaN as a word so that it equals itself."""
    design = design_of(weights, counts, strata, clusters, population, lonely)
    found = estimate_mean(design, values)
    return [-99.0 if math.isnan(part) else -9e9 if math.isinf(part) else part for part in found[:6]]


def close(expected):
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(surveys(), st.sampled_from(LONELY), st.sampled_from([0.001, 7.0, 1e6]))
@settings(max_examples=80, deadline=None)
def test_the_scale_of_the_weights_does_not_matter(survey, lonely, scale):
    weights, *others = survey
    assert estimated(weights * scale, *others, lonely) == close(estimated(*survey, lonely))


@given(surveys(), st.sampled_from(LONELY), st.randoms())
@settings(max_examples=80, deadline=None)
def test_the_order_of_the_rows_does_not_matter(survey, lonely, random):
    weights, counts, strata, clusters, population, values = survey
    order = list(range(len(weights)))
    random.shuffle(order)
    turned = [weights[order], counts[order], [strata[n] for n in order], [clusters[n] for n in order], population]
    assert estimated(*turned, values[order], lonely) == close(estimated(*survey, lonely))


@given(surveys(), st.sampled_from(LONELY))
@settings(max_examples=80, deadline=None)
def test_a_count_is_so_many_rows(survey, lonely):
    weights, counts, strata, clusters, population, values = survey
    counts = counts + 1
    each = np.repeat(np.arange(len(weights)), counts.astype(int))
    rows = weights[each], np.ones(len(each)), [strata[n] for n in each], [clusters[n] for n in each], population
    merged = estimated(weights, counts, strata, clusters, population, values, lonely)
    assert estimated(*rows, values[each], lonely) == close(merged)


@given(surveys(), st.sampled_from(LONELY), st.permutations("ABC"))
@settings(max_examples=80, deadline=None)
def test_what_strata_and_clusters_are_called_does_not_matter(survey, lonely, names):
    weights, counts, strata, clusters, population, values = survey
    name = dict(zip("ABC", names, strict=True))
    renamed = None if population is None else {name[stratum]: n for stratum, n in population.items()}
    called = [name[stratum] for stratum in strata], [cluster and f"run {9 - int(cluster)}" for cluster in clusters]
    assert estimated(weights, counts, *called, renamed, values, lonely) == close(estimated(*survey, lonely))


@given(surveys(), st.sampled_from(LONELY))
@settings(max_examples=80, deadline=None)
def test_rows_that_stand_for_nobody_change_nothing(survey, lonely):
    weights, counts, strata, clusters, population, values = survey
    more = [*strata, strata[0], strata[0]], [*clusters, "9", ""], population, np.append(values, [1.0, 0.0])
    for weight, count in (([0.0, 0.0], [1.0, 1.0]), ([1.0, 1.0], [0.0, 0.0])):
        longer = np.append(weights, weight), np.append(counts, count), *more
        assert estimated(*longer, lonely) == close(estimated(*survey, lonely))


@given(surveys(), st.sampled_from(LONELY))
@settings(max_examples=100, deadline=None)
def test_no_survey_makes_a_warning_and_no_error_is_negative(survey, lonely):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean, se, n, n_effective, df, _ = estimated(*survey, lonely)
    assert n == (survey[1] * (survey[0] > 0) * ~np.isnan(survey[5])).sum()
    assert (mean == -99) == (n == 0)
    assert se >= 0 or se == -99
    assert df >= 0
    assert n_effective == -9e9 or n_effective >= 0
