"""A verdict is literal and says how sure it is: against enumerated posteriors, at every boundary, for whoever was asked and did not answer."""

import json
import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from conftest import demo, remembered, survey_of
from csat_analysis.assembly import gates
from csat_analysis.assembly.assessment import Assessment, assess, compute
from csat_analysis.domain.evidence import Evidence
from csat_analysis.ground.programmes import Gate

COMPARISONS = ["at_least", "more_than", "at_most", "less_than"]
RULES = {"satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "delivery"}}
FORMS = "form_id | delivery | service | count | weight\n"


def evidence(
    satisfied, others=0, blank=0, frame=None, distributed=None, weights=(1, 1, 1), points=(100, 60), **keys
) -> Evidence:
    """Return what three rows of forms say: satisfied ones, others, and blank ones, each with its count and weight."""
    valid = [True, True, False]
    forms = pd.DataFrame({"count": [satisfied, others, blank], "weight": weights, "valid": valid, "decided": valid})
    forms = forms.assign(satisfied=[True, False, False], score=[*points, math.nan]).astype(
        {"weight": float, "score": float}
    )
    programme = demo(**{**RULES, **keys})
    return Evidence(programme, forms[forms["count"] > 0], frame, distributed, distributed, None, None, 12)


def judged(known: Evidence, comparison="at_least", threshold=0.85, measure="satisfaction_rate", **keys) -> dict:
    """Return the verdict of a rule on a measure."""
    rule = Gate.model_validate({"measure": measure, "comparison": comparison, "threshold": threshold, **keys})
    return gates.judge(rule, compute(measure, known), known, False, gates.unit_of(measure, known.programme))


def gate(measure="satisfaction_rate", comparison="at_least", threshold=0.85, **keys) -> dict:
    return {"measure": measure, "comparison": comparison, "threshold": threshold, **keys}


@remembered
def result(rows: str, counts=None, tables=None, plan=None, run=None, **keys) -> Assessment:
    """Return what the demonstration says of a few forms, by the whole way."""
    programme = demo(**{**RULES, **keys})
    return assess(
        survey_of(FORMS + rows, programme, tables, plan={"counts": counts or {}, **(plan or {})}, **(run or {}))
    )


def posterior(successes: int, n: int, population: int, comparison: str, threshold: float) -> float:
    """Return the probability that a rule is met, count by count: every number of satisfied people alike before."""
    weights = [math.comb(k, successes) * math.comb(population - k, n - successes) for k in range(population + 1)]
    bound = Fraction(str(threshold))
    holds = {
        "at_least": Fraction.__ge__,
        "more_than": Fraction.__gt__,
        "at_most": Fraction.__le__,
        "less_than": Fraction.__lt__,
    }
    met = sum(w for k, w in enumerate(weights) if holds[comparison](Fraction(k, population), bound))
    return float(Fraction(met, sum(weights)))


# --- the verdict ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "passed, certainty, verdict",
    [
        (True, 0.95, "met"), (True, 0.9499999, "borderline"), (True, 1.0, "met"), (True, 0.0, "borderline"),
        (False, 0.05, "not_met"), (False, 0.0500001, "borderline"), (False, 0.0, "not_met"), (False, 1.0, "borderline"),
        (True, None, "met"), (False, None, "not_met"), (None, None, None), (None, 0.99, None),
    ],
)  # fmt: skip
def test_a_verdict_stands_from_a_certainty_of_95_percent_on(passed, certainty, verdict):
    assert gates.verdict_of(passed, certainty, 0.9, None) == verdict


@pytest.mark.parametrize(
    "tipping, verdict",
    [
        (0.80, "borderline"), (0.7999999, "met"), (0.8000001, "borderline"), (0.90, "borderline"), (1.0, "borderline"),
        (1.0000001, "met"), (0.5, "met"), (-0.05, "met"), (None, "met"),
    ],
)  # fmt: skip
def test_a_tipping_point_that_close_makes_a_verdict_borderline(tipping, verdict):
    assert gates.verdict_of(True, 0.99, 0.90, tipping) == verdict
    assert gates.verdict_of(False, 0.01, 0.90, tipping) == verdict.replace("met", "not_met")


@pytest.mark.parametrize(
    "tipping, verdict", [(0.0, "borderline"), (-1e-9, "not_met"), (0.1, "borderline"), (0.1000001, "not_met")]
)
def test_a_tipping_point_nobody_can_reach_is_none(tipping, verdict):
    assert gates.verdict_of(False, 0.0, 0.0, tipping) == verdict


def test_without_a_certainty_the_verdict_is_literal_however_close_the_tipping_point():
    assert gates.verdict_of(True, None, 0.9, 0.85) == "met"


# --- how sure: shares -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize(
    "satisfied, others, frame",
    [(34, 6, 48), (17, 3, 100), (0, 5, 9), (5, 0, 9), (1, 1, 4), (39, 0, 40), (12, 12, 25)],
)
@pytest.mark.parametrize("threshold", [0.85, 0.5, 0.849999, 0.0, 1.0])
def test_of_a_known_population_certainty_is_the_posterior_count_by_count(
    satisfied, others, frame, comparison, threshold
):
    found = judged(evidence(satisfied, others, frame=frame), comparison, threshold)
    assert found["certainty"] == pytest.approx(
        posterior(satisfied, satisfied + others, frame, comparison, threshold), abs=1e-12
    )


@pytest.mark.parametrize("satisfied, others", [(34, 6), (0, 3), (3, 0), (1, 0), (170, 30), (12, 12)])
@pytest.mark.parametrize("threshold", [0.85, 0.5, 0.1])
def test_of_an_unknown_population_it_is_the_area_of_the_posterior_density(satisfied, others, threshold):
    def density(share: float) -> float:
        return share**satisfied * (1 - share) ** others

    above, _ = integrate.quad(density, threshold, 1, points=[max(threshold, satisfied / (satisfied + others) - 1e-3)])
    below, _ = integrate.quad(density, 0, threshold)
    found = judged(evidence(satisfied, others), "at_least", threshold)
    assert found["certainty"] == pytest.approx(above / (above + below), abs=1e-8)
    assert judged(evidence(satisfied, others), "more_than", threshold)["certainty"] == found["certainty"]
    assert judged(evidence(satisfied, others), "less_than", threshold)["certainty"] == pytest.approx(
        1 - found["certainty"]
    )


@pytest.mark.parametrize("n, verdict", [(17, "borderline"), (18, "met")])
def test_where_all_are_satisfied_it_takes_18_of_them(n, verdict):
    found = judged(evidence(n))  # 1 - 0.85 ^ (n + 1): .946 and .954
    assert (found["certainty"], found["verdict"]) == (pytest.approx(1 - 0.85 ** (n + 1)), verdict)
    assert (found["tipping_point"], found["worst"], found["best"]) == (None, None, None)


def test_where_nobody_is_satisfied_one_form_is_enough():
    found = judged(evidence(0, 1))
    assert (found["certainty"], found["verdict"]) == (pytest.approx(0.15**2), "not_met")


@pytest.mark.parametrize("satisfied, certainty, verdict", [(16, 0.0, "not_met"), (17, 1.0, "met"), (18, 1.0, "met")])
@pytest.mark.parametrize("weights", [(1, 1, 1), (1.5, 1.5, 1.5)])
def test_where_everybody_answered_the_verdict_is_certain(satisfied, certainty, verdict, weights):
    found = judged(evidence(satisfied, 20 - satisfied, frame=20, distributed=20, weights=weights))
    assert (found["certainty"], found["verdict"], found["tipping_point"]) == (certainty, verdict, None)
    assert (found["conf_low"], found["conf_high"], found["interval"]) == (satisfied / 20, satisfied / 20, "census")


def test_where_more_came_back_than_there_are_the_population_is_taken_as_unknown():
    assert judged(evidence(34, 6, frame=39)) == judged(evidence(34, 6))
    assert judged(evidence(34, 6, frame=40))["certainty"] == 1


def test_blank_forms_are_among_those_who_did_not_say():
    # all 40 of the frame returned a form, 10 of them a blank one: 30 of 40 are known
    found = judged(evidence(27, 3, 10, frame=40, distributed=40))
    assert found["certainty"] == pytest.approx(posterior(27, 30, 40, "at_least", 0.85))
    assert found["tipping_point"] is None  # everybody returned something


@pytest.mark.parametrize("frame, verdict", [(None, "borderline"), (300, "met"), (200, "met")])
def test_the_same_share_is_surer_the_more_of_all_were_asked(frame, verdict):
    # 176 of 200: 88 %
    assert judged(evidence(176, 24, frame=frame))["verdict"] == verdict


def test_a_rate_by_returned_forms_stands_on_all_of_them():
    known = evidence(27, 3, 10, satisfaction_rate={"denominator": "returned"})
    assert judged(known, threshold=0.6)["certainty"] == pytest.approx(stats.beta.sf(0.6, 28, 14))
    assert judged(known, threshold=0.6, measure="satisfaction_rate_of_valid")["certainty"] == pytest.approx(
        stats.beta.sf(0.6, 28, 4)
    )


def test_a_rate_of_all_sent_has_its_non_response_inside():
    known = evidence(18, 1, distributed=20, satisfaction_rate={"denominator": "distributed"})
    found = judged(known)
    assert (found["value"], found["tipping_point"]) == (0.9, None)
    assert found["certainty"] == pytest.approx(stats.beta.sf(0.85, 19, 3))
    of_valid = judged(known, measure="satisfaction_rate_of_valid")
    assert of_valid["tipping_point"] == pytest.approx((0.85 - 0.95 * 18 / 19) / 0.05)


def test_more_satisfied_forms_than_were_sent_have_a_literal_verdict():
    found = judged(evidence(5, distributed=4, satisfaction_rate={"denominator": "distributed"}))
    assert (found["value"], found["passed"], found["certainty"], found["verdict"]) == (1.25, True, None, "met")


# --- weights and clusters ---------------------------------------------------------------------------------------------


# finite: 60 of 200, and by the weights (Kish: 60 · (48 + 12 · 9) ÷ 84²) that share of the variance is taken off
@pytest.mark.parametrize("frame, factor", [(None, 1.0), (200, 199 / 200 / (1 - 60 / 200 * 84**2 / (60 * 156)))])
def test_with_weights_the_effective_number_of_answers_counts(frame, factor):
    # 48 satisfied with weight 1, 12 others with weight 3: p = 48 / 84; deviations 36 / 84 and -48 / 84
    share, mean_square = 48 / 84, (48 * (36 / 84) ** 2 + 12 * 9 * (48 / 84) ** 2) / 60
    effect = 60 * 60 * mean_square / (84 * 84 * share * (1 - share))
    n = 60 / max(effect, 1) * factor
    found = judged(evidence(48, 12, frame=frame, weights=(1, 3, 1)), threshold=0.5)
    assert found["certainty"] == pytest.approx(stats.beta.sf(0.5, n * share + 1, n * (1 - share) + 1))
    assert found["interval"] == "korn_graubard"


def test_where_all_are_satisfied_weights_still_cost():
    # Kish: (10 + 30) ^ 2 / (10 + 90) = 16 of 20 answers
    known = evidence(10, 10, weights=(1, 3, 1))
    known.forms["satisfied"] = True
    assert judged(known)["certainty"] == pytest.approx(1 - 0.85**17)


@pytest.mark.parametrize("weight", [0.5, 2, 7])
def test_weights_that_are_all_the_same_change_nothing(weight):
    plain, weighted = judged(evidence(34, 6)), judged(evidence(34, 6, weights=(weight,) * 3))
    assert weighted["certainty"] == pytest.approx(plain["certainty"])
    assert (weighted["value"], weighted["verdict"]) == (pytest.approx(plain["value"]), plain["verdict"])


CLUSTERED = "a | satisfied | fair | 30 | 1\nb | satisfied | {0} | 2 | 1\nc | fair | {0} | 1 | 1"  # 32 of 33


def test_of_one_cluster_the_verdict_is_literal():
    shares = ["satisfaction_rate", "satisfaction_rate_of_valid", "delivery.satisfied"]
    rules = [gate(name, threshold=0.97) for name in shares]
    rules += [gate(name, threshold=80) for name in ("weighted_score", "delivery.mean", "index")]
    rows = CLUSTERED.format("fair")
    found = result(rows, run={"design": {"cluster": "service"}}, index={"weighted_score": 1}, gates=rules).gates
    assert found["certainty"].tolist() == [None] * 6
    assert found["verdict"].tolist() == ["not_met"] * 3 + ["met"] * 3
    assert found[["conf_low", "conf_high"]].values.tolist() == [[None, None]] * 6


def test_of_clusters_the_verdict_is_as_certain_as_the_effective_answers_make_it():
    found = result(CLUSTERED.format("satisfied"), run={"design": {"cluster": "service"}}, gates=[gate(threshold=0.85)])
    measure, rule = found.measure("satisfaction_rate"), found.gates.iloc[0]
    n, share = measure["n_effective"], 32 / 33
    assert rule["certainty"] == pytest.approx(stats.beta.sf(0.85, n * share + 1, n * (1 - share) + 1))
    assert (measure["df"], rule["interval"]) == (1, "korn_graubard")


# --- means, scores and the index --------------------------------------------------------------------------------------


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("threshold", [80, 84, 88])
@pytest.mark.parametrize("frame", [None, 50])
def test_of_a_score_certainty_is_that_of_student_s_t_around_it(comparison, threshold, frame):
    scores = np.repeat([100.0, 60.0], [12, 8])  # mean 84
    error = scores.std(ddof=1) / math.sqrt(20) * math.sqrt(1 - 20 / frame if frame else 1)
    chance = stats.t.sf(threshold, 19, scores.mean(), error)
    found = judged(evidence(12, 8, frame=frame), comparison, threshold, "weighted_score")
    assert found["certainty"] == pytest.approx(chance if comparison in ("at_least", "more_than") else 1 - chance)


def test_a_rule_on_an_item_and_one_on_the_index_are_judged_like_that_on_the_measure():
    # delivery alone decides the score, so that all of them are one figure
    items = [{"id": "delivery", "weight": 1}, {"id": "service", "weight": 0}]
    names = ["weighted_score", "delivery.mean", "index"]
    found = result(
        "a | satisfied | fair | 12 | 1\nb | fair | fair | 8 | 1\nc | | | 3 | 1", {"frame": 50, "distributed": 40},
        items=items, index={"weighted_score": 1}, gates=[gate(name, threshold=80) for name in names],
        validity={"min_answered": 1},
    ).gates  # fmt: skip
    scores = np.repeat([100.0, 60.0], [12, 8])
    chance = stats.t.sf(80, 19, 84, scores.std(ddof=1) / math.sqrt(20) * math.sqrt(1 - 20 / 50))
    assert found["certainty"].tolist()[:2] == pytest.approx([chance] * 2)
    assert found["tipping_point"].tolist() == [None] * 3  # none of them is a share of forms


def test_a_rule_on_an_item_s_share_is_judged_like_one_on_the_rate_it_decides():
    names = ["satisfaction_rate", "delivery.satisfied"]
    for frame in (None, 60):
        found = result(
            "a | satisfied | fair | 34 | 1\nb | fair | fair | 6 | 1", {"frame": frame, "distributed": 50},
            gates=[gate(name) for name in names],
        ).gates  # fmt: skip
        one, other = found.drop(columns="measure").to_dict("records")
        assert one == pytest.approx(other)


def test_with_weights_a_rule_on_an_item_s_share_is_as_sure_as_one_on_the_rate():
    found = result(
        "a | satisfied | fair | 48 | 1\nb | fair | fair | 12 | 3", gates=[gate(), gate("delivery.satisfied")]
    ).gates  # fmt: skip
    one, other = found["certainty"]
    assert one == pytest.approx(other)


def test_where_all_are_satisfied_an_item_s_weights_cost_too():
    found = result(
        "a | satisfied | fair | 10 | 1\nb | satisfied | fair | 10 | 3", gates=[gate(), gate("delivery.satisfied")]
    ).gates  # fmt: skip
    assert found["certainty"].tolist() == pytest.approx([1 - 0.85**17] * 2)


def test_everybody_s_score_is_certain():
    assert judged(evidence(12, 8, frame=20), "at_least", 84, "weighted_score")["certainty"] == 1
    assert judged(evidence(12, 8, frame=20), "more_than", 84, "weighted_score")["certainty"] == 0


@pytest.mark.parametrize("satisfied", [1, 2, 3, 20])
def test_forms_that_all_say_the_same_do_not_make_a_score_certain(satisfied):
    found = judged(evidence(satisfied), "at_least", 85, "weighted_score")
    assert (found["certainty"], found["verdict"]) == (None, "met")


def test_answers_that_are_all_the_same_do_not_make_an_item_s_mean_certain():
    found = result("a | satisfied | fair | 3 | 1", gates=[gate("delivery.mean", threshold=85)]).gates
    assert (found["certainty"][0], found["verdict"][0]) == (None, "met")


def test_one_form_has_a_literal_verdict_and_no_certainty():
    found = result(
        "a | satisfied | fair | 1 | 1", index={"weighted_score": 1}, gates=[gate("weighted_score", threshold=80)]
    )
    assert (found.gates["certainty"][0], found.gates["verdict"][0]) == (None, "met")
    json.dumps(found.gates.to_dict("records"), allow_nan=False)


def test_the_measures_of_one_form_are_plain_values():
    found = result("a | satisfied | fair | 1 | 1", gates=[])
    json.dumps(found.measures.to_dict("records"), allow_nan=False)


# --- counts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("returned, verdict", [(6, "not_met"), (7, "met"), (8, "met")])
def test_a_rule_on_a_mere_count_has_no_certainty(returned, verdict):
    known = evidence(returned - 2, 2, frame=20, distributed=10)
    for measure in ("return_rate", "response_rate"):
        found = judged(known, threshold=0.7, measure=measure)
        assert (found["certainty"], found["verdict"], found["tipping_point"]) == (None, verdict, None)


def closed(*days: str, as_of="2025-01-10", counts=None) -> dict:
    """Return the rule on the closure rate: complaints of 2024 by the day on which each was closed."""
    lines = [f"k{i} | 2024-05-0{i + 1} | {day} |" for i, day in enumerate(days)]
    lines += ["d | 2024-06-01 | 2024-06-02 | k0", "x | 2023-12-31 | 2024-01-05 |"]  # counted already; another period's
    table = "\n".join(["complaint_id | received_on | closed_on | duplicate_of", *lines])
    found = result(
        "a | fair | fair | 1 | 1", counts, {"complaints": table}, {"as_of": as_of},
        gates=[gate("closure_rate", threshold=0.8, severity="target")],
    )  # fmt: skip
    return {**found.gates.to_dict("records")[0], **found.measure("closure_rate")}


@pytest.mark.parametrize(
    "days, value, verdict",
    [
        (["2024-06-01"] * 4 + [""], 0.8, "met"),
        (["2024-06-01"] * 3 + ["", ""], 0.6, "not_met"),
        (["2024-06-01"] * 3 + ["2025-01-10", ""], 0.8, "met"),  # closed on the day of the report
        (["2024-06-01"] * 3 + ["2025-01-11", ""], 0.6, "not_met"),  # closed after it
        (["2024-06-01"] * 3 + ["soon", ""], 0.6, "not_met"),
        (["2024-06-01"] * 5, 1.0, "met"),
        (["", ""], 0.0, "not_met"),
    ],
)
def test_the_closure_rate_is_of_the_complaints_received_and_by_the_day_of_the_report(days, value, verdict):
    found = closed(*days)
    assert (found["value"], found["verdict"], found["certainty"]) == (value, verdict, None)
    assert (found["numerator"], found["denominator"]) == (round(value * len(days)), len(days))


def test_without_complaints_or_without_their_closing_there_is_no_closure_rate():
    assert (closed()["value"], closed()["verdict"]) == (None, None)
    rule = [gate("closure_rate", threshold=0.8)]
    for counts, tables in (({"complaints": 5}, {}), ({}, {"complaints": "complaint_id | received_on\nk | 2024-05-05"})):
        assert result("a | fair | fair | 1 | 1", counts, tables, gates=rule).gates["value"].tolist() == [None]


# --- those who did not answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "satisfied, others, distributed, tipping, verdict",
    [
        (930, 70, 5000, 0.83, "borderline"),  # 10 points below the observed rate
        (931, 69, 5000, 0.82975, "met"),  # a little more
        (800, 200, 5000, 0.8625, "borderline"),  # surely not met, and yet close
        (770, 230, 5000, 0.87, "borderline"),  # 10 points above
        (769, 231, 5000, 0.87025, "not_met"),
        (990, 10, 1100, -0.55, "met"),  # out of reach
        (500, 500, 1100, 4.35, "not_met"),
    ],
)
def test_the_tipping_point_is_where_the_verdict_on_all_turns(satisfied, others, distributed, tipping, verdict):
    found = judged(evidence(satisfied, others, distributed=distributed))
    assert (found["tipping_point"], found["verdict"]) == (pytest.approx(tipping), verdict)
    silent = distributed - satisfied - others
    assert (satisfied + found["tipping_point"] * silent) / distributed == pytest.approx(0.85)


def test_the_worst_and_the_best_are_what_the_silent_could_make_of_it():
    found = judged(evidence(36, 4, distributed=100))
    assert (found["worst"], found["best"]) == (pytest.approx(36 / 100), pytest.approx(96 / 100))
    assert found["worst"] <= found["value"] <= found["best"]


@pytest.mark.parametrize("distributed", [None, 0, 39, 40])
def test_where_nobody_is_silent_or_nobody_knows_nothing_is_hidden(distributed):
    found = judged(evidence(36, 4, distributed=distributed))
    assert [found[key] for key in ("tipping_point", "worst", "best")] == [None] * 3


def test_a_score_has_no_tipping_point_though_everybody_answered():
    # 20 in the frame, 22 forms sent by mistake
    found = judged(evidence(12, 8, frame=20, distributed=22), "at_least", 80, "weighted_score")
    assert [found[key] for key in ("tipping_point", "worst", "best")] == [None] * 3


# --- the interval a rule is read with ---------------------------------------------------------------------------------


@pytest.mark.parametrize("satisfied, others", [(34, 6), (0, 5), (5, 0), (1, 0), (250, 50)])
def test_without_a_population_the_interval_is_clopper_and_pearson_s(satisfied, others):
    found = judged(evidence(satisfied, others))
    exact = stats.binomtest(satisfied, satisfied + others).proportion_ci(0.95, "exact")
    assert (found["conf_low"], found["conf_high"], found["interval"]) == (
        pytest.approx(exact.low),
        pytest.approx(exact.high),
        "exact",
    )


@pytest.mark.parametrize("satisfied, others, frame", [(34, 6, 48), (3, 0, 4), (12, 12, 30), (0, 9, 12)])
def test_of_a_known_population_the_interval_holds_every_count_that_is_not_rejected(satisfied, others, frame):
    n = satisfied + others
    kept = [
        count for count in range(satisfied, frame - others + 1)
        if stats.hypergeom.sf(satisfied - 1, frame, count, n) > 0.025 and stats.hypergeom.cdf(satisfied, frame, count, n) > 0.025
    ]  # fmt: skip
    found = judged(evidence(satisfied, others, frame=frame))
    assert (found["conf_low"], found["conf_high"]) == (pytest.approx(kept[0] / frame), pytest.approx(kept[-1] / frame))


@pytest.mark.parametrize("measure", ["return_rate", "invalid_rate"])
def test_a_mere_count_has_no_interval(measure):
    found = judged(evidence(34, 6, distributed=50), measure=measure)
    assert (found["conf_low"], found["conf_high"], found["interval"]) == (None, None, "count")


# --- in progress ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "as_of, satisfied, passed, verdict, triggers",
    [
        ("2024-12-30", 16, None, "in_progress", 0),
        ("2024-12-31", 16, False, "borderline", 1),
        ("2024-12-30", 18, True, "borderline", 0),
        ("2024-12-30", 200, True, "met", 0),
        ("2025-01-01", 2, False, "not_met", 1),
    ],
)
def test_a_cumulated_rate_that_fails_is_in_progress_until_the_last_day(as_of, satisfied, passed, verdict, triggers):
    rule = gate(cumulated=True, otherwise="flag")
    rows = f"a | satisfied | fair | {satisfied} | 1" + (
        "" if satisfied == 200 else f"\nb | fair | fair | {20 - satisfied} | 1"
    )
    found = result(rows, plan={"as_of": as_of}, gates=[rule])
    assert (found.gates["passed"][0], found.gates["verdict"][0], len(found.triggers)) == (passed, verdict, triggers)


def test_a_borderline_rule_that_fails_sets_off_its_trigger_all_the_same():
    found = result("a | satisfied | fair | 16 | 1\nb | fair | fair | 4 | 1", gates=[gate(otherwise="flag")])
    assert (found.gates["verdict"][0], found.triggers["id"].tolist()) == ("borderline", ["flag"])


# --- laws -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [None, 60])
@pytest.mark.parametrize("threshold", [0.5, 0.85, 0.9])
def test_a_rule_and_its_opposite_are_certain_together(frame, threshold):
    known = evidence(34, 6, frame=frame)
    for one, other in (("at_least", "less_than"), ("more_than", "at_most")):
        found = [judged(known, comparison, threshold) for comparison in (one, other)]
        assert sum(each["certainty"] for each in found) == pytest.approx(1)
        assert [each["passed"] for each in found] in ([True, False], [False, True])
        assert found[0]["tipping_point"] == found[1]["tipping_point"]


def test_a_higher_threshold_is_never_surer():
    chances = [judged(evidence(34, 6, frame=60), threshold=step / 60)["certainty"] for step in range(61)]
    assert all(higher <= lower + 1e-12 for lower, higher in zip(chances, chances[1:], strict=False))
    assert (chances[0], chances[-1]) == (1, 0)


def test_neither_the_order_of_the_rows_nor_how_they_are_counted_matters():
    rules = [
        gate(),
        gate("delivery.mean", threshold=80),
        gate("weighted_score", threshold=80),
        gate("index", threshold=80),
    ]
    keys = {"counts": {"frame": 60, "distributed": 50}, "gates": rules, "index": {"weighted_score": 1}}
    lines = [
        f"{name}{i} | {answer} | fair | 1 | 1"
        for name, answer, n in (("a", "satisfied", 5), ("b", "fair", 3))
        for i in range(n)
    ]
    counted = result("a | satisfied | fair | 5 | 1\nb | fair | fair | 3 | 1", **keys).gates
    for rows in (lines, lines[::-1]):
        listed = result("\n".join(rows), **keys).gates
        assert listed.drop(columns="certainty").equals(counted.drop(columns="certainty"))
        assert listed["certainty"].tolist() == pytest.approx(counted["certainty"].tolist())


def test_the_verdict_is_that_of_the_unrounded_value():
    # 84.995 % is shown as 85.00 %
    found = judged(evidence(16999, 3001))
    assert (found["passed"], found["rounding_flips"]) == (False, True)
    assert found["certainty"] == pytest.approx(stats.beta.sf(0.85, 17000, 3002))


def test_where_nobody_answered_no_rule_has_a_verdict_and_all_values_are_plain():
    names = [
        "satisfaction_rate",
        "satisfaction_rate_of_valid",
        "weighted_score",
        "delivery.mean",
        "delivery.satisfied",
        "index",
    ]
    found = result(
        "a | | | 4 | 1",
        {"frame": 9, "distributed": 5},
        index={"weighted_score": 1},
        gates=[gate(name) for name in names],
    )
    for column in ("value", "passed", "verdict", "certainty", "tipping_point", "worst", "best"):
        assert found.gates[column].tolist() == [None] * 6
    json.dumps(found.gates.to_dict("records"), allow_nan=False)


def test_a_procedure_without_rules_has_no_gates_and_the_columns_all_the_same():
    found = result("a | fair | fair | 1 | 1", gates=[]).gates
    assert (len(found), found.columns.tolist()) == (0, gates.COLUMNS)


@pytest.mark.parametrize(
    "name, unit", [("return_rate", "share"), ("weighted_score", "points"), ("complaints_per_1000", "per_1000"), ("index", "points"),
                   ("delivery.mean", "points"), ("delivery.satisfied", "share")],
)  # fmt: skip
def test_a_rule_s_figure_has_its_unit(name, unit):
    assert gates.unit_of(name, demo()) == unit
    assert gates.unit_of("index", demo(index={"terms": {"survey_rate": 1}, "unit": "share"}, grades=None)) == "share"
