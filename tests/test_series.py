"""A segmented series: against statsmodels, worked counts, and autocorrelation as it is drawn; refusals have reasons."""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from csat_analysis.estimation.series import segmented_change, segmented_changes

pytestmark = pytest.mark.filterwarnings("error")  # no warning ever reaches a page

# complaints of 30 months, the event before the 13th of them; alternating, so that no correlation is positive
COUNTS = np.array([30, 41, 29, 39, 33, 40, 31, 42, 30, 40, 34, 38, 22, 31, 20, 30, 22, 27, 19, 26, 18, 27, 16, 24, 17, 22, 15, 23, 14, 20])  # fmt: skip
HOUSEHOLDS = np.linspace(900, 1300, 30).round()


def terms(n: int, event: int) -> np.ndarray:
    time = np.arange(n) - event
    return np.column_stack([np.ones(n), time, time >= 0, time * (time >= 0)]).astype(float)


@pytest.mark.parametrize("exposure", [None, HOUSEHOLDS])
def test_without_autocorrelation_it_is_statsmodels_quasi_poisson(exposure):
    found = segmented_change(COUNTS, 12, exposure)
    offset = np.zeros(30) if exposure is None else np.log(exposure)
    other = sm.GLM(COUNTS, terms(30, 12), sm.families.Poisson(), offset=offset).fit(scale="X2", use_t=True)
    for place, change in ((2, found.level), (3, found.slope)):
        assert (change.estimate, change.se) == pytest.approx((other.params[place], other.bse[place]), rel=1e-7)
        assert (change.statistic, change.p_value) == pytest.approx(
            (other.tvalues[place], other.pvalues[place]), rel=1e-6
        )
        assert (change.conf_low, change.conf_high) == pytest.approx(tuple(other.conf_int()[place]), rel=1e-6)
        assert change.df == pytest.approx(26)  # 30 - 4
    assert found.dispersion == pytest.approx(other.scale)
    assert found.autocorrelation < 0 and found.reason == ""


def test_a_ratio_can_be_checked_by_eye():
    found = segmented_change(np.tile([9, 11, 11, 9], 6) * np.repeat([4, 1], 12), 12)
    assert found.level.ratio[0] == pytest.approx(0.25, abs=0.01)
    assert found.slope.ratio[0] == pytest.approx(1.0, abs=0.01)


def test_growth_after_the_event_is_slope_and_no_level():
    time = np.arange(-12, 12)
    found = segmented_change(1000 * 1.05 ** np.maximum(time, 0) * np.tile([0.99, 1.01], 12), 12)
    assert found.slope.ratio[0] == pytest.approx(1.05, abs=0.003)
    assert found.level.ratio[0] == pytest.approx(1.0, abs=0.02)


def test_exposure_is_what_counts_are_of():
    one, other = segmented_change(COUNTS, 12), segmented_change(3 * COUNTS, 12, np.full(30, 3.0))
    assert (other.level.estimate, other.slope.estimate) == pytest.approx((one.level.estimate, one.slope.estimate))
    many = segmented_change(COUNTS, 12, np.full(30, 1000.0))
    assert many.level == pytest.approx(one.level)


def test_the_numbers_of_months_do_not_matter():
    assert segmented_change(COUNTS, 2012, months=np.arange(2000, 2030)).level == pytest.approx(
        segmented_change(COUNTS, 12).level
    )


def test_a_missing_month_is_left_out_and_its_neighbours_do_not_become_neighbours():
    gap = COUNTS.astype(float)
    gap[5] = np.nan
    left_out = np.delete(np.arange(30), 5)
    one = segmented_change(np.append(gap, [9.0, 10.0]), 15, months=np.append(np.arange(30), [30, 31]))
    assert (one.n_before, one.n_after) == (14, 17)
    found, other = segmented_change(gap, 13), segmented_change(COUNTS[left_out], 13, months=left_out)
    assert found == other
    assert found.autocorrelation != segmented_change(COUNTS[left_out], 12).autocorrelation


def test_autocorrelation_is_refused_and_shown():
    waves = 40 + 15 * np.sin(2 * np.pi * np.arange(36) / 12)
    found = segmented_change(waves.round(), 18)
    assert found.reason == "autocorrelation"
    assert found.autocorrelation > 0.5 and found.p_autocorrelation < 0.001
    assert math.isnan(found.level.p_value) and math.isnan(found.slope.estimate)


def drawn(seed: int, series: int, months: int, mean: float) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, (series, months)).astype(float)


def test_p_values_of_autocorrelation_are_even_where_there_is_none():
    found = segmented_changes(drawn(1, 4000, 24, 20.0), np.arange(24) - 12.0, np.ones(24))
    assert np.mean(found.p_autocorrelation < 0.05) == pytest.approx(0.05, abs=0.011)  # standard error .0034
    assert np.mean(found.p_autocorrelation < 0.20) == pytest.approx(0.20, abs=0.02)
    assert np.mean(found.p_autocorrelation < 0.80) == pytest.approx(0.80, abs=0.02)


def test_few_series_without_a_change_are_called_changed():
    found = segmented_changes(drawn(2, 4000, 24, 10.0), np.arange(24) - 12.0, np.ones(24))
    told = found.reason == ""
    assert 0.01 < np.mean(found.p_value[told, 0] < 0.05) < 0.05  # cautious: an autocorrelation may be there unseen
    assert 0.01 < np.mean(found.p_value[told, 1] < 0.05) < 0.05


def test_an_autocorrelation_that_passes_widens_the_error_and_lessens_the_df():
    found = segmented_changes(drawn(3, 400, 40, 30.0), np.arange(40) - 20.0, np.ones(40))
    told = found.reason == ""
    wide = told & (found.autocorrelation > found.autocorrelation[told].max() - 0.05)
    plain = told & (found.autocorrelation < -0.35)
    relative = found.se[:, 0] / np.sqrt(found.dispersion)
    assert relative[wide].mean() > 1.1 * relative[plain].mean()
    assert found.df[plain] == pytest.approx(36.0)
    assert (found.df[wide] < 36).all()


def test_one_series_is_the_same_among_many():
    found = segmented_changes(np.stack([COUNTS, COUNTS[::-1]]).astype(float), np.arange(30) - 12.0, np.ones(30))
    assert found.estimate[0, 0] == pytest.approx(segmented_change(COUNTS, 12).level.estimate)


@pytest.mark.parametrize(
    "counts, event, reason",
    [
        (COUNTS, 11, "too_few_points"),
        (COUNTS, 19, "too_few_points"),
        (np.where(np.arange(30) < 12, COUNTS, 0), 12, "no_events"),
        (np.where((np.arange(30) < 12) | (np.arange(30) == 29), COUNTS, 0), 12, "no_fit"),
        (np.full(30, 7), 12, "no_variation"),
    ],
)
def test_what_cannot_be_told_has_a_reason(counts, event, reason):
    found = segmented_change(counts, event)
    assert found.reason == reason
    assert math.isnan(found.level.p_value)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: segmented_change(COUNTS, 12, np.ones(3)), "not of one length"),
        (lambda: segmented_change(-COUNTS, 12), "counts are 0 or more"),
        (lambda: segmented_change(COUNTS, 12, np.zeros(30)), "exposure above 0"),
        (lambda: segmented_change(COUNTS, 12, months=np.arange(30) // 2), "stands there twice"),
    ],
)
def test_a_wrong_series_says_what_would_be_right(call, message):
    with pytest.raises(ValueError, match=message):
        call()
