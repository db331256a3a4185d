"""The demo surveys are what their declarations say, and the truth can be found again."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from csat_analysis import assessment, load, params, synthetic
from csat_analysis.demo import BEICHEN_2024, JINWEI_2024, LANTING_2024, MODELS, QINGYUN_2024, SURVEYS, Truth

ROOT = Path(__file__).parents[1]
SEVEN = {
    "developer", "electrical", "property", "quality_system", "satisfaction_index", "service_improvement", "survey_process",
}  # fmt: skip


def surveys(chosen=SURVEYS):
    """Return a test for each of some surveys."""
    return pytest.mark.parametrize("truth", chosen, ids=lambda truth: f"{truth.project}-{truth.period}")


every_survey = surveys()
anonymous = surveys([truth for truth in SURVEYS if truth.is_anonymous])
named = surveys([truth for truth in SURVEYS if not truth.is_anonymous])
with_steps = surveys([truth for truth in SURVEYS if truth.steps])


def committed(truth: Truth, table: str) -> pd.DataFrame:
    """Return a table as it stands in the repository, all cells as text."""
    path = ROOT / "data" / truth.project / truth.period / f"{table}.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding=truth.encoding)


def once(forms: pd.DataFrame) -> pd.DataFrame:
    """Return each form once; those that nobody can tell apart as they are."""
    return forms.drop_duplicates("form_id") if "form_id" in forms else forms


def answered(truth: Truth) -> pd.DataFrame:
    """Return the forms with at least one answer, each of them once."""
    forms = once(committed(truth, "responses"))
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
    projects = {truth.project for truth in (*SURVEYS, *MODELS)}
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


@surveys([LANTING_2024, BEICHEN_2024])
def test_over_many_seeds_the_truth_is_found_without_bias(truth):
    # The mean of 16 distances of standard deviation about 1 has a standard error of 0.25: four of them.
    distances = []
    for seed in range(16):
        other = replace(truth, seed=seed, faults=(), repeated=())
        forms = synthetic.survey(other)["responses"]
        distances.append(observed(other, forms[forms[other.headline] != ""])[1])
    assert abs(sum(distances) / len(distances)) < 1


@every_survey
def test_counts_follow_the_declared_rates(truth):
    sent, forms = committed(truth, "distribution"), once(committed(truth, "responses"))
    blank = len(forms) - len(answered(truth))
    assert len(committed(truth, "frame")) == truth.size
    assert len(sent) == round(truth.size * truth.distribution_rate)
    assert len(forms) == round(len(sent) * truth.return_rate)
    assert blank == round(len(sent) * truth.blank_share)


@named
def test_returned_forms_of_both_tables_are_the_same(truth):
    sent = committed(truth, "distribution")
    assert set(sent.loc[sent["disposition"] == "returned", "form_id"]) == set(committed(truth, "responses")["form_id"])


@anonymous
def test_nobody_can_tell_whose_form_came_out_of_a_box(truth):
    sent, forms = committed(truth, "distribution"), committed(truth, "responses")
    assert {"form_id", "customer_id"} & set(forms) == set()
    assert "disposition" not in sent
    assert set(forms["count"]) == {"1"}
    assert set(forms[truth.by]) == set(truth.strata)
    sites = committed(truth, "frame")[truth.by].unique().tolist()
    places = forms[truth.by].map(sites.index)
    assert abs(places.corr(pd.Series(range(len(forms))))) < 0.3  # nor by the order of the frame


def test_a_stratified_sample_takes_the_same_share_of_every_stratum():
    sent = committed(BEICHEN_2024, "distribution").groupby("industry").size().to_dict()
    assert sent == {"制造业": 72, "零售业": 63, "公共服务": 45}  # 45 % of 160, 140 and 100


@every_survey
def test_faults_are_where_the_declaration_says(truth):
    forms = answered(truth)
    assert [forms.loc[fault.form, fault.column] for fault in truth.faults] == [fault.value for fault in truth.faults]


@every_survey
def test_there_are_no_faults_but_the_declared_ones(truth):
    rows, forms = committed(truth, "responses"), answered(truth)
    answers = pd.Series(forms[list(truth.items)].to_numpy().ravel())
    assert answers[~answers.isin([*truth.levels, synthetic.INAPPLICABLE])].value_counts().to_dict() == {
        "": 5 if truth.project != "yunting" else 8,  # and a form with one answer of four
        "非常好": 1,
        "not_applicable": 1,
    }
    assert pd.to_datetime(rows["received_on"], format="%Y-%m-%d", errors="coerce").isna().sum() == 1
    assert rows["comment"].str.contains("<").sum() == 2


@named
def test_one_form_is_entered_twice(truth):
    rows, forms = committed(truth, "responses"), answered(truth)
    assert rows["form_id"].duplicated().sum() == len(truth.repeated) == 1
    assert rows["form_id"].iloc[-1] == forms.loc[truth.repeated[0], "form_id"]


@every_survey
def test_an_item_does_not_concern_the_declared_share_of_customers(truth):
    unconcerned = synthetic.opinions(truth)[list(truth.items)] == synthetic.INAPPLICABLE
    assert unconcerned.sum()[unconcerned.any()].to_dict() == {
        item: round(truth.size * share) for item, share in truth.inapplicable.items()
    }


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
    [
        ("yuanya", ["customer_id", "building", "segment"]),
        ("hengxin", ["customer_id", "segment"]),
        ("huitong", ["customer_id", "segment"]),
    ],
)
def test_customers_stay_the_same_from_period_to_period(project, columns):
    frames = [committed(truth, "frame") for truth in SURVEYS if truth.project == project]
    assert list(frames[0]) == columns
    assert all(frame.equals(frames[0]) for frame in frames)


def test_shipments_are_those_of_known_customers():
    for truth in (truth for truth in SURVEYS if truth.shipments):
        deliveries = committed(truth, "deliveries")
        assert len(deliveries) == truth.shipments
        assert set(deliveries["customer_id"]) <= set(committed(truth, "frame")["customer_id"])


@surveys([truth for truth in SURVEYS if truth.complaints])
def test_who_complains_is_not_satisfied(truth):
    complaints, opinions = committed(truth, "complaints"), synthetic.opinions(truth).set_index("customer_id")
    assert len(complaints) == len(truth.complaints)
    assert not synthetic.satisfied(opinions.loc[complaints["customer_id"], truth.headline], truth.levels).any()


def test_complaints_are_closed_after_the_declared_days_and_too_few_of_them():
    complaints = committed(JINWEI_2024, "complaints")
    closed = complaints[complaints["closed_on"] != ""]
    days = pd.to_datetime(closed["closed_on"]) - pd.to_datetime(closed["received_on"])
    assert days.dt.days.tolist() == [9, 4, 15, 3, 21, 6, 30, 12, 18, 5, 4]
    assert (len(closed), len(complaints)) == (11, 14)  # 78.6 %, and 80 % are asked
    assert closed["closed_on"].max() < "2025-01-10"


# --- under their procedures -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rules():
    """Return the programmes and run files of the repository."""
    return params.read_rules(ROOT)


@pytest.fixture(scope="module")
def results(rules):
    """Return what the programme of each synthetic survey says of it, by project and period."""
    found = {}
    for truth in SURVEYS:
        run = params.find_run(rules, truth.project, truth.period)
        survey = load.read_survey(run, params.choose_programme(rules, run), ROOT)
        found[truth.project, truth.period] = assessment.assess(survey)
    return found


def test_each_procedure_has_a_synthetic_project(rules):
    projects = {truth.project for truth in SURVEYS}
    assert {rules.run_files[project].content.programme for project in projects} == SEVEN


def test_every_synthetic_survey_is_reported_and_called_synthetic(rules):
    projects = {truth.project for truth in SURVEYS}
    planned = {(run.project, run.period) for run in rules.runs if run.project in projects}
    assert planned == {(truth.project, truth.period) for truth in SURVEYS}
    for project in projects:
        title = rules.run_files[project].content.title
        assert "（合成数据）" in title["zh"] and "(synthetic data)" in title["en"], project


@with_steps
def test_every_entry_is_about_a_step_a_register_or_a_gate(rules, truth):
    programme = params.choose_programme(rules, params.find_run(rules, truth.project, truth.period)).content
    known = {duty.id for duty in programme.duties} | {gate.measure for gate in programme.gates}
    assert set(committed(truth, "steps")["step"]) - known == set()


def test_every_procedure_has_entries_and_some_surveys_have_none(rules):
    entered = {rules.run_files[truth.project].content.programme for truth in SURVEYS if truth.steps}
    assert entered == SEVEN
    without = [f"{truth.project} {truth.period}" for truth in SURVEYS if not truth.steps]
    assert without == ["yuanya 2022", "yuanya 2023", "lanting 2024", "heyuan 2024", "hengxin 2024Q3"]


@every_survey
def test_what_can_be_judged_is_mostly_met_and_nothing_is_without_entries(results, truth):
    states = results[truth.project, truth.period].steps["state"]
    judged = states[states != "not_assessed"]
    assert (judged == "met").mean() > 0.5 if truth.steps else judged.empty


def test_each_procedure_shows_late_pending_and_missing_steps(rules, results):
    found = {}
    for truth in (truth for truth in SURVEYS if truth.steps):
        states = results[truth.project, truth.period].steps["state"]
        found.setdefault(rules.run_files[truth.project].content.programme, set()).update(states)
    shown = {programme: states & {"met", "late", "missing", "pending"} for programme, states in found.items()}
    assert shown == dict.fromkeys(SEVEN, {"met", "late", "missing", "pending"})


@with_steps
def test_what_was_late_has_a_reason_on_record(results, truth):
    steps = results[truth.project, truth.period].steps
    assert (steps.loc[steps["state"] == "late", "reason"] != "").all()


@with_steps
def test_a_gate_that_is_not_met_has_its_reason_on_record(results, truth):
    gates, entries = results[truth.project, truth.period].gates, committed(truth, "steps")
    missed = set(gates.loc[gates["passed"] == False, "measure"])  # noqa: E712 - None is no failure
    assert missed <= set(entries.loc[entries["reason"] != "", "step"])


def test_the_verdicts_on_the_satisfaction_rate_are_of_every_kind(results):
    gates = {
        project: results[project, "2024"].gates.set_index("measure") for project in ("yuanya", "lanting", "heyuan")
    }
    verdicts = {project: table.loc["satisfaction_rate", "verdict"] for project, table in gates.items()}
    assert verdicts == {"yuanya": "met", "lanting": "not_met", "heyuan": "borderline"}


def test_answers_that_follow_paths_are_spread_around_the_declared_means():
    # means of items: their standard errors are 1.8 / sqrt(426), .09; the lowest and the highest answer cut off some
    forms = synthetic.modelled(QINGYUN_2024).iloc[: -QINGYUN_2024.blank]
    for items in QINGYUN_2024.items.values():
        for item, mean in items.items():
            assert pd.to_numeric(forms[item], errors="coerce").mean() == pytest.approx(mean, abs=0.45), item


def test_answers_that_follow_paths_hold_no_faults_but_the_declared_ones():
    forms = synthetic.modelled(QINGYUN_2024)
    items = [item for names in QINGYUN_2024.items.values() for item in names]
    assert (forms[items] == "").all(axis="columns").sum() == QINGYUN_2024.blank
    odd = set(forms[items].to_numpy().ravel()) - {"", *map(str, range(1, 11))}
    assert odd == {"11", "很好"} and len(forms) == QINGYUN_2024.forms


def test_the_truth_behind_a_model_has_coefficients_and_means_for_every_construct():
    assert all(set(model.paths) == set(model.items) for model in MODELS)


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
