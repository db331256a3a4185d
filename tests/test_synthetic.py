"""The demo surveys are what their declarations say, and the truth can be found again."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from csat_analysis import synthetic
from csat_analysis.synthetic import SURVEYS, Truth

ROOT = Path(__file__).parents[1]
every_survey = pytest.mark.parametrize("truth", SURVEYS, ids=lambda truth: f"{truth.project}-{truth.period}")


def committed(truth: Truth, table: str) -> pd.DataFrame:
    """Return a table as it stands in the repository, all cells as text."""
    path = ROOT / "data" / truth.project / truth.period / f"{table}.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding=truth.encoding)


def answered(truth: Truth) -> pd.DataFrame:
    """Return the forms with at least one answer, each of them once."""
    forms = committed(truth, "responses").drop_duplicates("form_id")
    return forms[(forms[list(truth.items)] != "").any(axis=1)].reset_index(drop=True)


def observed(truth: Truth, forms: pd.DataFrame) -> tuple[float, float]:
    """Return the share satisfied on the headline, and its distance from what was to be expected in standard errors."""
    share, n = synthetic.satisfied(forms[truth.headline], truth.levels).mean(), len(forms)
    expected = truth.expected_satisfaction
    error = (expected * (1 - expected) / n * (1 - n / truth.size)) ** 0.5
    return share, (share - expected) / error


def test_regenerating_gives_the_committed_bytes(tmp_path):
    for path in synthetic.write(tmp_path):
        assert path.read_bytes() == (ROOT / path.relative_to(tmp_path)).read_bytes(), path.name


def test_no_committed_file_of_a_synthetic_project_has_another_origin(tmp_path):
    written = {path.relative_to(tmp_path) for path in synthetic.write(tmp_path)}
    projects = {truth.project for truth in SURVEYS}
    present = {path.relative_to(ROOT) for project in projects for path in (ROOT / "data" / project).rglob("*.csv")}
    assert present == written


def test_another_seed_gives_other_answers():
    truth = SURVEYS[0]
    other = synthetic.survey(replace(truth, seed=truth.seed + 1))["responses"]
    assert not other.equals(synthetic.survey(truth)["responses"])


@every_survey
def test_the_frame_holds_exactly_the_declared_truth(truth):
    opinions = synthetic.opinions(truth)
    assert synthetic.satisfied(opinions[truth.headline], truth.levels).mean() == pytest.approx(truth.satisfaction)


@every_survey
def test_the_observed_rate_lies_near_the_truth(truth):
    # Four standard errors of a simple sample from the finite frame, around the truth moved by the declared
    # difference in returning: chance alone goes beyond them once in some 16,000 surveys. Over many seeds the
    # distance has a mean near 0 and a standard deviation near 1, so the yardstick fits.
    _, distance = observed(truth, answered(truth))
    assert abs(distance) < 4


def test_over_many_seeds_the_truth_is_found_without_bias():
    # The mean of 40 distances of standard deviation about 1 has a standard error of 0.16: four of them.
    distances = []
    for seed in range(40):
        truth = replace(SURVEYS[3], seed=seed, faults=(), repeated=())
        forms = synthetic.survey(truth)["responses"]
        distances.append(observed(truth, forms[forms[truth.headline] != ""])[1])
    assert abs(sum(distances) / len(distances)) < 0.64


@every_survey
def test_counts_follow_the_declared_rates(truth):
    sent, forms = committed(truth, "distribution"), committed(truth, "responses").drop_duplicates("form_id")
    blank = len(forms) - len(answered(truth))
    assert len(committed(truth, "frame")) == truth.size
    assert len(sent) == round(truth.size * truth.distribution_rate)
    assert len(forms) == round(len(sent) * truth.return_rate)
    assert blank == round(len(sent) * truth.blank_share)


@every_survey
def test_returned_forms_of_both_tables_are_the_same(truth):
    sent = committed(truth, "distribution")
    assert set(sent.loc[sent["disposition"] == "returned", "form_id"]) == set(committed(truth, "responses")["form_id"])


@every_survey
def test_faults_are_where_the_declaration_says(truth):
    forms = answered(truth)
    assert [forms.loc[fault.form, fault.column] for fault in truth.faults] == [fault.value for fault in truth.faults]


@every_survey
def test_there_are_no_faults_but_the_declared_ones(truth):
    rows, forms = committed(truth, "responses"), answered(truth)
    answers = pd.Series(forms[list(truth.items)].to_numpy().ravel())
    assert answers[~answers.isin(truth.levels)].value_counts().to_dict() == {
        "": 5,
        "非常好": 1,
        "not_applicable": 1,
    }
    assert pd.to_datetime(rows["received_on"], format="%Y-%m-%d", errors="coerce").isna().sum() == 1
    assert rows["comment"].str.contains("<").sum() == 2
    assert rows["form_id"].duplicated().sum() == len(truth.repeated) == 1
    assert rows["form_id"].iloc[-1] == forms.loc[truth.repeated[0], "form_id"]


@every_survey
def test_dates_lie_in_the_period(truth):
    period = pd.Period(truth.period)
    dates = committed(truth, "responses")["received_on"]
    dates = pd.to_datetime(dates[~dates.str.contains("-13-")])
    assert dates.between(period.start_time, period.end_time).all()


def test_who_likes_one_item_likes_the_others():
    answers = synthetic.opinions(SURVEYS[0])[list(SURVEYS[0].items)]
    liked = answers.apply(synthetic.satisfied, levels=SURVEYS[0].levels)
    assert liked.corr().min().min() > 0.2


@pytest.mark.parametrize(
    "project, columns",
    [("yuanya", ["customer_id", "building", "segment"]), ("hengxin", ["customer_id", "segment"])],
)
def test_customers_stay_the_same_from_period_to_period(project, columns):
    frames = [committed(truth, "frame") for truth in SURVEYS if truth.project == project]
    assert list(frames[0]) == columns
    assert all(frame.equals(frames[0]) for frame in frames)


def test_shipments_bring_deliveries_and_complaints_of_known_customers():
    for truth in (truth for truth in SURVEYS if truth.shipments):
        deliveries, complaints = committed(truth, "deliveries"), committed(truth, "complaints")
        customers = set(committed(truth, "frame")["customer_id"])
        assert (len(deliveries), len(complaints)) == (truth.shipments, len(truth.complaints))
        assert set(deliveries["customer_id"]) | set(complaints["customer_id"]) <= customers


@every_survey
def test_the_readme_states_the_truth(truth):
    row = [truth.project, truth.period, truth.size, f"{truth.satisfaction:.3f}", f"{truth.expected_satisfaction:.3f}",
           f"{truth.nonresponse:.2f}", f"{truth.distribution_rate:.3f}", f"{truth.return_rate:.3f}", f"{truth.blank_share:.3f}"]  # fmt: skip
    assert "| " + " | ".join(map(str, row)) + " |" in (ROOT / "data" / "README.md").read_text(encoding="utf-8")


def test_copenhagen_has_the_published_margins():
    cells = pd.read_csv(ROOT / "data" / "copenhagen" / "1976" / "responses.csv")
    assert list(cells) == ["satisfaction", "influence", "type", "contact", "count"]
    assert (len(cells), cells["count"].sum()) == (72, 1681)
    margins = {
        by: cells.groupby(by)["count"].sum().to_dict() for by in ["satisfaction", "influence", "type", "contact"]
    }
    assert margins == {
        "satisfaction": {"Low": 567, "Medium": 446, "High": 668},
        "influence": {"Low": 627, "Medium": 659, "High": 395},
        "type": {"Tower": 400, "Apartment": 765, "Atrium": 239, "Terrace": 277},
        "contact": {"Low": 713, "High": 968},
    }
    assert not cells.duplicated(["satisfaction", "influence", "type", "contact"]).any()
