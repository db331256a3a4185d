"""Samples drawn again keep what the design fixes, and vary as the design says."""

import numpy as np
import pytest

from csat_analysis.estimation.resampling import resampled
from csat_analysis.statistics.design import design_of, without_population
from csat_analysis.statistics.estimates import estimate_totals

pytestmark = pytest.mark.filterwarnings("error")


def drawn(design, replications=4000, seed=1, **options):
    """Return the factors of all samples (samples × primary units)."""
    return np.vstack([np.empty((0, len(design.strata))), *resampled(design, replications, seed, **options)])


def total(design, factors, values):
    """Return the total of values in each sample."""
    return factors[:, design.units] @ (design.weights * design.counts * values)


def test_each_stratum_keeps_its_number_of_units():
    design = design_of(np.ones(7), strata=list("aaabbbb"))
    factors = drawn(design, 50)
    assert factors[:, :3].sum(axis=1).tolist() == pytest.approx([3] * 50)
    assert factors[:, 3:].sum(axis=1).tolist() == pytest.approx([4] * 50)


@pytest.mark.parametrize("population", [None, 60])
def test_a_total_varies_by_the_formula_with_and_without_a_population(population):
    rng = np.random.default_rng(0)
    strata, clusters = np.repeat(["a", "b"], 60), np.arange(120) // 4
    values = rng.normal(50, 10, 120) + 8 * rng.normal(size=30)[clusters]
    design = design_of(rng.uniform(1, 2, 120), None, strata, clusters.astype(str), population)
    assert total(design, drawn(design), values).std() == pytest.approx(estimate_totals(design, values)[1][0], rel=0.04)


def test_a_count_is_as_many_units():
    values = np.array([10.0, 20.0, 50.0])
    design = design_of(np.ones(3), np.array([5, 8, 7]))
    assert total(design, drawn(design), values).std() == pytest.approx(estimate_totals(design, values)[1][0], rel=0.04)


def test_where_everybody_was_asked_nothing_varies():
    assert (drawn(design_of(np.ones(4), population=4), 5) == 1).all()
    assert drawn(without_population(design_of(np.ones(4), population=4)), 5).std() > 0


def test_a_unit_alone_in_its_stratum_joins_another_or_is_certain():
    strata = ["alone", "a", "a", "b", "b", "b"]
    joined = drawn(design_of(np.ones(6), strata=strata), 200)
    assert joined[:, 0].std() > 0
    assert joined[:, :3].sum(axis=1).tolist() == pytest.approx([3] * 200)  # the smallest other stratum
    assert (drawn(design_of(np.ones(6), strata=strata, lonely="certainty"), 50)[:, 0] == 1).all()


@pytest.mark.parametrize("rows", [0, 1])
def test_from_fewer_than_two_units_nothing_is_drawn(rows):
    assert len(drawn(design_of(np.ones(rows)), 5)) == 0


def test_a_seed_gives_the_same_samples_whatever_the_order_of_rows():
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    one = drawn(design_of(weights), 20)
    moved = drawn(design_of(weights[::-1]), 20, order=np.array([3, 2, 1, 0]))
    assert moved[:, ::-1].tolist() == one.tolist() != drawn(design_of(weights), 20, seed=2).tolist()
