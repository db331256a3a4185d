"""Three waves of a published airport survey run from their raw files, unedited, and give the published figures."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.change import judge_change
from csat_analysis.ground import params
from csat_analysis.publishing import precision

REPOSITORY = Path(__file__).parents[1]
WAVES = REPOSITORY.parent / "shared" / "data" / "sfo"
PUBLISHED = {  # rows with an answer on the airport as a whole: n, weighted mean, weighted share of 4 and 5
    "2014": (2677, 4.006966, 0.792667),
    "2015": (2810, 4.044173, 0.804575),
    "2016": (2919, 4.053325, 0.813997),
}
ERRORS = {"2014": (0.017734, 0.010086), "2015": (0.017888, 0.009158), "2016": (0.016375, 0.008342)}  # by the design
ROWS = {"2014": 2818, "2015": 2958, "2016": 3087}

RUN = """\
project: sfo
title: San Francisco International Airport, customer survey
programme: airport
language: en
read:
  responses:
    missing: ["0", "6", Blank]
    columns: &columns
      form_id: RESPNUM
      overall: Q7ALL
      food: Q7FOOD
      signs: Q7SIGN
      wifi: Q7WIFI
      restrooms: Q9RESTROOM
      cleanliness: Q9ALL
      safety: Q10SAFE
design: {weight: WEIGHT, stratum: BAREA, cluster: RUNID}
periods:
  2014:
    as_of: 2015-01-31
    read: {responses: {file: FILE}}
    design: {stratum: AREA, cluster: RUN}
  2015:
    as_of: 2016-01-31
    read: {responses: {file: FILE}}
  2016:
    as_of: 2017-01-31
    read: {responses: {file: FILE, columns: {<<: *columns, form_id: "*RESPNUM"}}}
"""

pytestmark = pytest.mark.skipif(
    not WAVES.is_dir(), reason="the raw files are not part of the repository and not in ../shared/data/sfo"
)


def make_root(root: Path, how: str) -> Path:
    """Return a root with the run file and the raw files: as responses.csv of each period, or named where they lie."""
    files = dict.fromkeys(PUBLISHED, "../../waves/{}.csv" if how == "named" else "responses.csv")
    text = RUN
    for period, file in files.items():
        text = text.replace("FILE", file.format(period), 1)
        target = root / "data" / "sfo" / period / file.format(period)
        target.parent.mkdir(parents=True, exist_ok=True)
        (root / "data" / "sfo" / period).mkdir(parents=True, exist_ok=True)
        target = Path(os.path.normpath(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copy if how == "copied" else os.symlink)(WAVES / f"{period}.csv", target)
    (root / "params" / "runs").mkdir(parents=True)
    (root / "params" / "runs" / "sfo.yml").write_text(text)
    return root


def surveys(root: Path) -> dict[str, load.Survey]:
    """Return the three waves of a root."""
    assert params.read_rules(root).broken == {}
    return {period: load.survey("sfo", period, root) for period in PUBLISHED}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return the three waves, assessed."""
    waves = surveys(make_root(tmp_path_factory.mktemp("sfo"), "copied"))
    return {period: assess(survey) for period, survey in waves.items()}


@pytest.mark.parametrize("how", ["linked", "named"])
def test_wherever_the_raw_files_lie_the_surveys_are_the_same(results, how, tmp_path):
    for period, survey in surveys(make_root(tmp_path, how)).items():
        copied = results[period].survey
        pd.testing.assert_frame_equal(survey.forms, copied.forms)
        pd.testing.assert_frame_equal(survey.answers, copied.answers)
        for table in ("accounts", "rejected"):  # they name the file
            found, expected = (getattr(each, table).drop(columns="file", errors="ignore") for each in (survey, copied))
            pd.testing.assert_frame_equal(found, expected)
        assert (survey.programme, survey.counts) == (copied.programme, copied.counts)
        if how == "linked":
            assert survey.run == copied.run


@pytest.mark.parametrize("period", PUBLISHED)
def test_the_raw_files_give_the_published_figures(results, period):
    overall = results[period].items.set_index("id").loc["overall"]
    n, mean, share = PUBLISHED[period]
    assert overall["n"] == n
    assert overall["mean"] == pytest.approx(mean, abs=1e-6)
    assert overall["share_satisfied"] == pytest.approx(share, abs=1e-6)
    assert results[period].measure("satisfaction_rate")["value"] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("period", PUBLISHED)
def test_no_row_and_no_answer_of_the_raw_files_goes_missing(results, period):
    survey = results[period].survey
    (found,) = survey.accounts.to_dict("records")
    assert found["rows_read"] == ROWS[period] == found["rows_used"] + found["rows_rejected"]
    assert found["answers_read"] == 7 * ROWS[period]
    assert found["answers_read"] == sum(
        found[f"answers_{kind}"] for kind in ("used", "not_applicable", "empty", "rejected")
    )
    assert len(survey.rejected) >= found["rows_rejected"]


@pytest.mark.parametrize("period", PUBLISHED)
def test_standard_errors_are_those_of_the_flights(results, period):
    overall = results[period].items.set_index("id").loc["overall"]
    of_mean, of_share = ERRORS[period]
    assert overall["mean_se"] == pytest.approx(of_mean, abs=5e-7)
    assert overall["share_se"] == pytest.approx(of_share, abs=5e-7)
    assert 1.3 < overall["share_effect"] < overall["mean_effect"] < 1.8
    rate = results[period].measure("satisfaction_rate")
    assert (rate["se"], rate["method"]) == (pytest.approx(of_share, abs=5e-7), "wilson")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_says_why_an_interval_that_ignores_the_flights_is_too_short(results, language):
    said = precision.precision_sentence(results["2014"], language).html
    for figure in ("1.01", "0.78", "1.66", "1,616"):  # by the design, one by one, design effect, effective answers
        assert figure in said
    assert {"zh": "区间会偏窄", "en": "the interval too short"}[language] in said
    drawn = precision.design_notes(results["2014"], language).html
    assert "153" in drawn and "24" in drawn  # flights, and forms without one
    shared = precision.design_notes(results["2016"], language).html
    assert {"zh": "有 5 个群号", "en": "more than one stratum: 5"}[language] in shared


@pytest.mark.parametrize(
    "period, before, estimate, t, df, p",
    [("2015", "2014", 0.037207, 1.47716, 380, 0.140461), ("2016", "2015", 0.009152, 0.37737, 433, 0.706081)],
)
def test_it_did_not_get_better_though_a_naive_test_says_so(results, period, before, estimate, t, df, p):
    survey = replace(results[period].survey, baseline=results[before].survey)
    row = judge_change(replace(results[period], survey=survey)).row("overall.mean")
    assert (row["estimate"], row["statistic"], row["p_value"]) == pytest.approx((estimate, t, p), abs=1e-5)
    assert (row["df"], row["method"], row["verdict"]) == (df, "contrast", "insufficient")
    assert row["naive_verdict"] == ("improved" if period == "2015" else "insufficient")
    if period == "2015":
        assert row["naive_p"] == pytest.approx(0.0066, abs=5e-5)


@pytest.mark.parametrize("period", PUBLISHED)
def test_boarding_areas_are_the_strata(results, period):
    strata = results[period].strata
    assert set(strata["level"]) >= {"A", "B", "C", "E", "F", "G"}
    json.dumps(strata.to_dict("records"), allow_nan=False)
