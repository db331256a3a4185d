"""Before and after: the analysis follows from how the surveys were made, and no verdict is fooled."""

import functools
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from conftest import demo, remembered, survey_of
from csat_analysis.assembly import change
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.change import judge_change
from csat_analysis.ground.errors import ParameterError
from csat_analysis.publishing import records

RULES = {
    "satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "delivery"},
    "satisfaction_rate": {"denominator": "answered"}, "gates": [],
}  # fmt: skip
GATE = [{"measure": "satisfaction_rate", "comparison": "at_least", "threshold": 0.85}]


def counted(satisfied, others, of="fair"):
    """Return so many forms satisfied with both items, and so many that are not."""
    return f"form_id | delivery | service | count\ns | satisfied | satisfied | {satisfied}\no | {of} | {of} | {others}"


@remembered
def changed(before, after, programme=None, tables=({}, {}), old=None, **run):
    """Return the change between two text tables."""
    programme = programme or demo(**RULES)
    first = survey_of(before, old or programme, tables[0], period="2023", plan={"as_of": "2024-01-10"}, **run)
    second = survey_of(after, programme, tables[1], **run)
    first = replace(first, programme_sha256="old" if old else "")
    return judge_change(assess(replace(second, baseline=first)))


# --- which analysis, and why ------------------------------------------------------------------------------------------


def test_forms_drawn_one_by_one_are_two_samples():
    found = changed(counted(120, 40), counted(150, 20))
    rate, mean = found.row("satisfaction_rate"), found.row("delivery.mean")
    assert (rate["method"], mean["method"]) == ("newcombe", "welch")
    assert (rate["before"], rate["after"]) == (0.75, pytest.approx(150 / 170))
    assert rate["estimate"] == pytest.approx(150 / 170 - 0.75)
    assert (rate["n_before"], rate["n_after"], rate["against"]) == (160, 170, "2023")
    scores = np.repeat([100.0, 60.0], [120, 40]), np.repeat([100.0, 60.0], [150, 20])
    assert mean["p_value"] == pytest.approx(stats.ttest_ind(*scores, equal_var=False).pvalue)
    assert rate["verdict"] == "improved"


def test_every_measure_has_a_row_and_every_item_two():
    found = changed(counted(120, 40), counted(150, 20))
    measures = found.result.measures["id"].tolist()
    assert found.table["id"].tolist() == [
        *measures, "index", "delivery.mean", "delivery.satisfied", "service.mean", "service.satisfied",
    ]  # fmt: skip
    assert list(found.table) == change.CHANGE
    assert set(found.table["verdict"]) <= {"improved", "unchanged", "worse", "insufficient", "not_comparable"}


PEOPLE = "form_id | customer_id | delivery | service\n"


def people(answers, first=0):
    return PEOPLE + "\n".join(f"f{n} | c{n + first} | {level} | fair" for n, level in enumerate(answers))


def test_the_same_people_are_pairs():
    # of 40, 12 gained and 2 lost
    first = ["satisfied"] * 20 + ["fair"] * 20
    second = ["satisfied"] * 18 + ["fair"] * 2 + ["satisfied"] * 12 + ["fair"] * 8
    found = changed(people(first), people(second))
    assert found.situation.people == "all"
    row = found.row("satisfaction_rate")
    assert (row["method"], row["estimate"], row["n_after"]) == ("tango", 0.25, 40)
    assert row["p_value"] == pytest.approx(stats.chi2.sf(100 / 14, 1))
    points = np.where(np.array(second) == "satisfied", 100, 60) - np.where(np.array(first) == "satisfied", 100, 60)
    mean = found.row("delivery.mean")
    assert (mean["method"], mean["p_value"]) == ("paired_t", pytest.approx(stats.ttest_1samp(points, 0).pvalue))
    assert mean["standardised"] == pytest.approx(points.mean() / points.std(ddof=1))


def test_some_of_the_same_people_are_one_unit_in_both_surveys():
    answers = ["satisfied", "fair"] * 20
    found = changed(people(answers), people(answers, first=20))
    assert (found.situation.people, found.row("satisfaction_rate")["method"]) == ("some", "linked")


def test_what_the_run_file_says_of_people_holds():
    found = changed(people(["satisfied", "fair"] * 20), people(["satisfied", "fair"] * 20), change={"linked": False})
    assert (found.situation.people, found.row("satisfaction_rate")["method"]) == ("none", "newcombe")


def test_weights_and_strata_are_a_contrast_by_the_design():
    rows = "form_id | delivery | service | site | count\n" + "\n".join(
        f"{site}{n} | {level} | fair | {site} | 10"
        for n, (site, level) in enumerate([("a", "satisfied"), ("a", "fair"), ("b", "satisfied"), ("b", "fair")])
    )
    found = changed(rows, rows.replace("a | 10", "a | 11"), design={"stratum": "site"})
    row = found.row("satisfaction_rate")
    assert (found.situation.stratified, row["method"], row["df"]) == (True, "contrast", 82 - 4 - 1)


def clustered(rates, name="c", each=10):
    """Return so many clusters of ten forms, of each so many satisfied."""
    rows = [
        f"{name}{c}-{n} | {'satisfied' if n < satisfied else 'fair'} | fair | {name}{c}"
        for c, satisfied in enumerate(rates)
        for n in range(each)
    ]
    return "form_id | delivery | service | flight\n" + "\n".join(rows)


def test_few_clusters_are_permuted():
    low, high = [7, 7, 6, 8], [9, 10, 9, 8]
    found = changed(clustered(low), clustered(high, "d"), design={"cluster": "flight"})
    row = found.row("satisfaction_rate")
    assert (found.situation.clusters, row["method"]) == (4, "randomization")
    assert row["estimate"] == pytest.approx(0.2)
    assert row["p_value"] == pytest.approx(3 / 70, abs=0.03)  # of 70 ways to choose 4 of 8


def test_the_same_clusters_are_pairs():
    found = changed(
        clustered([7, 7, 6, 8, 7, 6]), clustered([9, 10, 9, 9, 8, 9]), design={"cluster": "flight"},
        change={"same_clusters": True},
    )  # fmt: skip
    assert found.row("satisfaction_rate")["p_value"] == pytest.approx(2 / 64)  # all six better, of 64 signs


def test_of_anonymous_forms_the_shown_p_value_is_the_largest():
    row = changed(counted(120, 40), counted(135, 35)).row("satisfaction_rate")
    assert 0 < row["p_least"] < row["p_value"]
    known = changed(people(["satisfied", "fair"] * 20), people(["satisfied", "fair"] * 20))
    assert known.row("satisfaction_rate")["p_least"] is None


# --- chosen by its own figures ----------------------------------------------------------------------------------------


def test_where_a_rule_was_missed_every_figure_of_the_answers_is_guarded():
    rules = {**RULES, "gates": GATE, "index": {"weighted_score": 1}}
    found = changed(counted(60, 40), counted(95, 5), demo(**rules))
    assert found.situation.fired == ("satisfaction_rate",) and found.situation.selected
    for name in ("satisfaction_rate", "delivery.mean", "service.satisfied", "index"):
        row = found.row(name)
        assert (row["method"], row["reason"], row["verdict"]) == ("refused", "selected", "insufficient")
        assert row["p_value"] is None and row["conf_low"] is None
    assert found.row("satisfaction_rate")["naive_verdict"] == "improved"


def test_a_rule_that_was_met_chooses_nobody():
    found = changed(counted(90, 10), counted(95, 5), demo(**{**RULES, "gates": GATE}))
    assert not found.situation.selected


@pytest.mark.parametrize("selected, method", [(False, "newcombe"), (True, "refused")])
def test_the_run_file_can_say_who_chose(selected, method):
    found = changed(counted(60, 40), counted(95, 5), demo(**{**RULES, "gates": GATE}), change={"selected": selected})
    assert (found.row("satisfaction_rate")["method"], found.situation.declared) == (method, True)


# --- the other projects -----------------------------------------------------------------------------------------------


@functools.cache
def peers(pairs):
    """Return the other projects' surveys under the rule, each pair made once: satisfied and others, before and after."""
    found, programme = [], demo(**{**RULES, "gates": GATE})
    for n, (before, after) in enumerate(pairs):
        first = survey_of(counted(*before), programme, period="2023", plan={"as_of": "2024-01-10"}, project=f"p{n}")
        found.append((first, survey_of(counted(*after), programme, project=f"p{n}") if after else None))
    return found


# true rates about 85 %, 100 forms each: three below, none of which gained anything but by chance
RATES = [(92, 90), (90, 91), (88, 86), (95, 93), (87, 89), (91, 88), (89, 90), (82, 86), (84, 88)]


@functools.cache
def chosen(before, after, pairs):
    """Return the change of a project that missed the rule, beside others."""
    programme = demo(**{**RULES, "gates": GATE})
    first = survey_of(counted(*before), programme, period="2023", plan={"as_of": "2024-01-10"})
    second = replace(survey_of(counted(*after), programme), baseline=first)
    return judge_change(assess(second), peers(pairs))


def of_100(pairs):
    return tuple(((k, 100 - k), m and (m, 100 - m)) for k, m in pairs)


def test_a_chosen_project_is_compared_with_what_its_recovery_would_be():
    found = chosen((78, 22), (86, 14), of_100(RATES))
    row = found.row("satisfaction_rate")
    assert (row["method"], found.projects) == ("predictive", 10)
    assert 0.78 < row["expected"] < 0.88
    assert row["estimate"] == pytest.approx(0.86 - row["expected"])
    assert row["naive_p"] > row["p_value"] or row["verdict"] == "insufficient"
    assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_the_record_holds_after_minus_before_and_the_gain_apart():
    programme = demo(**{**RULES, "gates": GATE})
    first = survey_of(counted(78, 22), programme, period="2023", plan={"as_of": "2024-01-10"})
    second = assess(replace(survey_of(counted(86, 14), programme), baseline=first))
    rows = {row.id: row for row in records.build(second, peers(of_100(RATES))).change}
    row = rows["satisfaction_rate"]
    assert (row.estimate, row.conf_low) == (pytest.approx(0.08), None)
    assert row.gain == pytest.approx(0.86 - row.expected) and row.gain_low < row.gain < row.gain_high


def test_a_gain_far_beyond_the_recovery_is_an_improvement():
    row = chosen((60, 40), (97, 3), of_100(RATES)).row("satisfaction_rate")
    assert (row["verdict"], row["method"]) == ("improved", "predictive")


def test_means_are_guarded_by_means():
    row = chosen((78, 22), (86, 14), of_100(RATES)).row("delivery.mean")
    assert row["method"] == "predictive" and 78 < row["before"] < row["expected"]


def test_seven_projects_are_too_few():
    row = chosen((78, 22), (86, 14), of_100(RATES[:6])).row("satisfaction_rate")
    assert (row["method"], row["reason"], row["verdict"]) == ("refused", "too_few_projects", "insufficient")


def test_what_action_brought_over_all_projects_has_its_own_contrast():
    found = chosen((78, 22), (86, 14), of_100(RATES)).portfolio
    assert (found.figure, found.threshold, found.projects) == ("satisfaction_rate", 0.85, 10)
    assert (found.contrast.acted, found.contrast.others, found.contrast.reason) == (3, 7, "")
    assert found.contrast.estimate < found.contrast.naive


def test_the_order_of_the_projects_does_not_matter():
    first, second = (chosen((78, 22), (86, 14), of_100(pairs)) for pairs in (RATES, RATES[::-1]))
    assert first.row("satisfaction_rate")["p_value"] == pytest.approx(second.row("satisfaction_rate")["p_value"])
    assert first.portfolio.contrast.p_value == second.portfolio.contrast.p_value


def test_the_other_projects_are_only_read_where_the_project_was_chosen():
    def unread():
        raise AssertionError("read for nothing")
        yield

    programme = demo(**{**RULES, "gates": GATE})
    first = survey_of(counted(95, 5), programme, period="2023", plan={"as_of": "2024-01-10"})
    found = judge_change(assess(replace(survey_of(counted(90, 10), programme), baseline=first)), unread())
    assert (found.projects, found.portfolio) == (0, None)


# --- not comparable ---------------------------------------------------------------------------------------------------


def items(title="Delivery"):
    return [{"id": "delivery", "title": title, "weight": 0.6}, {"id": "service", "title": "Service", "weight": 0.4}]


@pytest.mark.parametrize(
    "old, reason",
    [
        ({"items": items("Speed of delivery")}, "wording"),
        ({"scale": {"satisfied": 100, "fair": 60, "poor": 20, "dissatisfied": 0}}, "scale"),
        ({"satisfied": {"levels": ["satisfied", "fair"]}}, "rules"),
    ],
)
def test_another_question_scale_or_rule_is_not_comparable(old, reason):
    now = demo(**{**RULES, "items": items()})
    found = changed(counted(60, 40), counted(95, 5), now, old=demo(**{**RULES, "items": items(), **old}))
    row = found.row("delivery.satisfied")
    assert (row["verdict"], row["reason"], row["p_value"]) == ("not_comparable", reason, None)


def test_what_an_edition_left_alone_stays_comparable():
    now = demo(**{**RULES, "items": items()})
    found = changed(counted(60, 40), counted(95, 5), now, old=demo(**{**RULES, "items": items("Speed")}))
    assert found.row("service.satisfied")["verdict"] == "improved"


@pytest.mark.parametrize("moved, verdict", [(15, "improved"), (40, "not_comparable")])
def test_another_channel_is_not_comparable(moved, verdict):
    before, after = (
        "form_id | delivery | service | channel | count\n",
        "form_id | delivery | service | channel | count\n",
    )
    before += "a | satisfied | fair | paper | 60\nb | fair | fair | paper | 40"
    after += f"a | satisfied | fair | paper | {100 - moved}\nb | satisfied | fair | app | {moved}"
    found = changed(before, after)
    assert found.situation.mode_shift == pytest.approx(moved / 100)
    assert found.row("satisfaction_rate")["verdict"] == verdict


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_unchanged_needs_a_margin_that_was_declared():
    margins = {"margins": {"satisfaction_rate": 0.05}}
    before, after = counted(1800, 200), counted(1805, 195)
    declared = changed(before, after, demo(**RULES, change=margins)).row("satisfaction_rate")
    assert (declared["verdict"], declared["not_worse"]) == ("unchanged", True)
    assert changed(before, after).row("satisfaction_rate")["verdict"] == "insufficient"


def test_primary_figures_are_adjusted_together_and_the_others_explore():
    rules = {"primary": ["satisfaction_rate", "service.mean"]}
    table = changed(counted(120, 40), counted(150, 20), demo(**RULES, change=rules)).table.set_index("id")
    assert table["family"].value_counts()["primary"] == 2
    primary = table.loc[rules["primary"]].sort_values("p_value")
    assert primary["p_adjusted"].iloc[0] == pytest.approx(2 * primary["p_value"].iloc[0])  # Holm
    assert (table["p_adjusted"].dropna() >= table["p_value"].dropna() - 1e-15).all()


@pytest.mark.parametrize(
    "before, after, reason",
    [
        (counted(1, 0), counted(30, 9), "one_answer"),
        ("form_id | delivery | service\na | | fair", counted(30, 9), "no_answers"),
        (counted(0, 0), counted(30, 9), "no_answers"),
    ],
)
def test_no_verdict_and_no_p_value_come_from_nothing(before, after, reason):
    row = changed(before, after).row("satisfaction_rate")
    assert (row["verdict"], row["reason"], row["p_value"]) == ("insufficient", reason, None)


def test_all_satisfied_both_times_is_no_evidence_of_a_change():
    row = changed(counted(50, 0), counted(60, 0)).row("satisfaction_rate")
    assert (row["estimate"], row["p_value"], row["verdict"]) == (0, 1, "insufficient")
    assert row["conf_low"] < 0 < row["conf_high"]
    assert changed(counted(50, 0), counted(60, 0)).row("delivery.mean")["reason"] == "no_variation"


def test_a_question_that_was_not_asked_before_has_nothing_to_compare_with():
    now = demo(**{**RULES, "items": [*items(), {"id": "price", "title": "Price", "weight": 0.0, "optional": True}]})
    found = changed(counted(60, 40), "form_id | delivery | service | price | count\na | fair | fair | fair | 30", now)
    assert (found.row("price.mean")["reason"], found.row("price.mean")["n_before"]) == ("not_asked", 0)


def test_without_a_baseline_nothing_is_compared():
    found = judge_change(assess(survey_of(counted(3, 1), demo(**RULES))))
    assert (found.reason, len(found.table)) == ("no_baseline", 0)
    with pytest.raises(ValueError, match="nothing is compared"):
        found.situation  # noqa: B018


def test_a_void_survey_decides_nothing():
    gate = {"measure": "invalid_rate", "comparison": "at_most", "threshold": 0.3, "otherwise": "remedy"}
    programme = demo(**{**RULES, "gates": [gate | {"voids": "unless_remedied"}], "validity": {"min_answered": 2}})
    rows = counted(60, 40) + "\nx | satisfied | | 100"  # half of the forms answer one question only
    plan = {"as_of": "2024-01-10", "counts": {"distributed": 200}, "remedy": {"due_on": "2023-12-01"}}
    before = survey_of(rows, programme, period="2023", plan=plan)
    found = judge_change(assess(replace(survey_of(counted(95, 5), programme), baseline=before)))
    row = found.row("satisfaction_rate")
    assert found.before.status == "void"
    assert (row["verdict"], row["reason"], row["p_value"]) == ("insufficient", "void", None)
    assert len(found.paths) == len(found.groups) == 0


# --- several surveys against one baseline -----------------------------------------------------------------------------


def test_several_surveys_against_one_baseline_are_adjusted_together():
    programme, after = demo(**RULES), counted(140, 30)
    first = survey_of(counted(120, 40), programme, period="2023", plan={"as_of": "2024-01-10"})
    between = survey_of(counted(125, 35), programme, period="2024H1", plan={"as_of": "2024-07-10"})
    one, two = (
        judge_change(assess(replace(survey_of(after, programme), baseline=first, waves=waves))).row("satisfaction_rate")
        for waves in ((), (between,))
    )
    assert one["p_waves"] is None and two["p_value"] == one["p_value"]
    # two of equal correlation: between one test and two by Bonferroni
    assert two["p_value"] < two["p_waves"] < 2 * two["p_value"]
    assert two["p_adjusted"] >= two["p_waves"]


# --- several looks at one survey --------------------------------------------------------------------------------------


@remembered
def looked(taken, planned=400, after=(150, 20)):
    """Return the change of a survey of 170 forms that is still running."""
    programme = demo(**RULES)
    before = survey_of(counted(120, 40), programme, period="2023", plan={"as_of": "2024-01-10"})
    plan = {"as_of": "2025-01-10", "looks": {"planned": planned, "taken": taken}, "baseline": "2023"}
    return judge_change(assess(replace(survey_of(counted(*after), programme, plan=plan), baseline=before)))


def test_a_look_at_a_running_survey_asks_for_more():
    early, last, once = looked([60]), looked([60], 170), looked([999])
    rows = [found.row("satisfaction_rate") for found in (early, last, once)]
    assert [found.looks for found in (early, last, once)] == [(60, 170), (60, 170), (170,)]
    assert rows[0]["p_value"] == rows[1]["p_value"] < rows[1]["p_looks"] < rows[0]["p_looks"]
    # a later look has less information to come: 1/160 + 1/170 of 1/160 + 1/400 is .72 of it
    assert rows[0]["p_adjusted"] >= rows[0]["p_looks"]
    assert rows[0]["conf_low"] == rows[1]["conf_low"]


def test_a_survey_that_was_looked_at_once_is_not_adjusted():
    found = changed(counted(120, 40), counted(150, 20))
    assert found.looks == () and found.row("satisfaction_rate")["p_looks"] is None


def test_what_one_look_would_call_improved_can_be_insufficient_at_an_early_one():
    one, early = (
        found.row("satisfaction_rate") for found in (looked([999], 170, (144, 26)), looked([20], 4000, (144, 26)))
    )
    assert (one["verdict"], early["verdict"]) == ("improved", "insufficient")
    assert early["conf_low"] > 0


# --- a baseline of which only a part decided --------------------------------------------------------------------------

SPLIT = "form_id | delivery | service | half | site"
PLAN = {"as_of": "2025-01-10", "baseline": "2023", "decided_on": {"half": ["A"]}}


def halves(first, second, sites=("x", "y")):
    """Return forms of two halves, of each so many satisfied and so many that are not."""
    rows = [
        f"{half}{n} | {level} | {level} | {half} | {site}"
        for half, site, (satisfied, others) in zip("AB", sites, (first, second), strict=True)
        for n, level in enumerate(["satisfied"] * satisfied + ["fair"] * others)
    ]
    return "\n".join([SPLIT, *rows])


@remembered
def split(baseline, programme=None, plan=PLAN, counts=None, **run):
    """Return the change since a baseline of which the action was decided on half A."""
    programme = programme or demo(**{**RULES, "gates": GATE})
    earlier = {"as_of": "2024-01-10", "counts": counts or {}}
    before = survey_of(baseline, programme, period="2023", plan=earlier, **run)
    after = survey_of(halves((75, 5), (75, 5), "xy"), programme, plan=plan, **run)
    return judge_change(assess(replace(after, baseline=before)))


def test_forms_that_the_action_was_not_decided_on_are_compared():
    found = split(halves((30, 20), (45, 15)))
    row = found.row("satisfaction_rate")
    assert (found.situation.split, found.situation.selected, found.situation.fired) == (
        "used", False, ("satisfaction_rate",),
    )  # fmt: skip
    assert (row["before"], row["n_before"], row["method"]) == (0.75, 60, "newcombe")
    alone = changed(counted(45, 15), counted(150, 10)).row("satisfaction_rate")
    assert (row["p_value"], row["conf_low"]) == (alone["p_value"], alone["conf_low"])
    assert found.row("delivery.mean")["n_before"] == 60
    assert found.projects == 0


def test_what_is_no_figure_of_the_answers_is_compared_with_the_whole_baseline():
    found = split(halves((30, 20), (45, 15)), counts={"frame": 200, "distributed": 160})
    assert found.row("response_rate")["before"] == 110 / 160
    assert found.whole.evidence.returned == 110 and found.before.evidence.returned == 60
    assert found.before.status == found.whole.status


def test_the_record_says_how_many_forms_had_no_part_in_the_decision():
    found = split(halves((30, 20), (45, 15)))
    assert records.build(found.result).undecided == 60
    assert records.build(changed(counted(120, 40), counted(150, 20)).result).undecided is None


def test_where_the_forms_that_decided_are_well_by_themselves_the_choice_was_not_theirs():
    found = split(halves((49, 1), (40, 20)))
    assert (found.situation.split, found.situation.selected) == ("not_fired", True)
    assert found.row("satisfaction_rate")["method"] == "refused"


@pytest.mark.parametrize("sites, said", [(("x", "x"), "clusters"), (("x", "y"), "used")])
def test_forms_of_both_kinds_in_one_cluster_share_its_error(sites, said):
    found = split(halves((30, 20), (45, 15), sites), design={"cluster": "site"})
    assert found.situation.split == said


def test_a_cluster_of_another_stratum_is_another_cluster():
    found = split(halves((30, 20), (45, 15), ("x", "x")), design={"cluster": "site", "stratum": "half"})
    assert found.situation.split == "used"


def test_where_forms_sent_are_the_base_nobody_knows_how_many_were_of_the_others():
    rules = demo(**{**RULES, "gates": GATE, "satisfaction_rate": {"denominator": "distributed"}})
    found = split(halves((30, 20), (45, 15)), rules, counts={"distributed": 170, "frame": 200})
    assert (found.situation.split, found.row("delivery.mean")["method"]) == ("distributed", "refused")


@pytest.mark.parametrize(
    "decided_on, said",
    [
        ({"part": ["A"]}, "the responses of 2023 have no column 'part'; it is one of ['half', 'site'"),
        ({"half": ["C"]}, "{'half': ('C',)} marks no form of 2023"),
        ({"half": ["A", "B"]}, "marks every form of 2023"),
    ],
)
def test_a_mark_that_tells_no_forms_apart_is_told(decided_on, said):
    with pytest.raises(ParameterError, match=re.escape(said)):
        split(halves((30, 20), (45, 15)), plan={**PLAN, "decided_on": decided_on})


def test_other_ways_of_analysis_take_the_same_forms():
    rules = demo(**{**RULES, "gates": GATE, "change": {"primary": ["satisfaction_rate"]}})
    paths = split(halves((30, 20), (45, 15)), rules).paths
    chosen = paths[paths["chosen"]].iloc[0]
    assert chosen["estimate"] == pytest.approx(150 / 160 - 0.75) and len(paths) > 1
