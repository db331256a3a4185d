"""Those who answered beside the population, and shares with its mix: by hand, in two languages, with reasons where not."""

import re
from html import unescape

import pytest

from conftest import demo, remembered, survey_of
from csat_analysis.assembly.assessment import assess
from csat_analysis.ground import runs
from csat_analysis.ground.errors import ParameterError
from csat_analysis.publishing import precision, records, weights

RULES = {
    "satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "delivery"},
    "satisfaction_rate": {"denominator": "answered"}, "gates": [],
}  # fmt: skip
HEAD = "form_id | delivery | service | segment | count\n"
# owners: 18 of 20 satisfied; tenants: 5 of 10
ROWS = "a | satisfied | fair | owner | 18\nb | fair | fair | owner | 2\nc | satisfied | fair | tenant | 5\nd | fair | fair | tenant | 5"
FRAME = "customer_id | segment\n" + "\n".join(f"c{n} | {'owner' if n < 60 else 'tenant'}" for n in range(120))
BY_SEGMENT = {"weighting": {"by": ["segment"]}}


@remembered
def result(rows=ROWS, frame=FRAME, design=BY_SEGMENT, **run):
    tables = {"frame": frame} if frame else {}
    return assess(survey_of(HEAD + rows, demo(**RULES), tables, groups=["segment"], design=design, **run))


def rate(found):
    return found.weighted.set_index("id").loc["satisfaction_rate"]


def text(exhibit):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", exhibit.html)).split())


def test_a_share_weighted_to_the_population_is_the_mean_of_its_groups():
    # 23 of 30; half of the 120 are tenants: (0.9 + 0.5) / 2
    found = rate(result())
    assert (found["value"], found["weighted"]) == (pytest.approx(23 / 30), pytest.approx(0.7))


def test_its_error_is_that_of_the_groups():
    # post-stratified: squares 20 · .09 and 10 · .25, times the weights 60 ÷ 20 and 60 ÷ 10 squared, 30/29, over 120²
    squares = 20 * 0.09 * 3**2 + 10 * 0.25 * 6**2
    # of 120 customers 30, whose weights have Kish's effect 30 · (20 · 9 + 10 · 36) ÷ 120²
    left_out = 1 - 30 / 120 / (30 * (20 * 9 + 10 * 36) / 120**2)
    assert rate(result())["se"] == pytest.approx((30 / 29 * squares * left_out) ** 0.5 / 120)
    # group by group, with 60²(1 − n/60) for each: near it
    apart = (30 / 29 * 60**2 * (40 / 60 * 0.09 / 20 + 50 / 60 * 0.25 / 10)) ** 0.5 / 120
    assert rate(result())["se"] == pytest.approx(apart, rel=0.02)


def test_more_effective_answers_than_forms_are_explained():
    many = FRAME + "".join(f"\nd{n} | {'owner' if n % 2 else 'tenant'}" for n in range(5000))
    alike = ROWS.replace("tenant | 5", "tenant | 9", 1).replace("tenant | 5", "tenant | 1")
    for found, is_said in ((result(), True), (result(alike, many), False)):
        assert (rate(found)["n_effective"] > 30) is is_said
        assert ("can be larger than the number of forms" in text(weights.weighted_table(found, "en"))) is is_said


def test_those_who_answered_stand_beside_the_population():
    found = result().respondents.set_index("level")
    assert found.loc["owner", ["population", "answered"]].tolist() == [60, 20]
    assert found.loc["tenant", ["population_share", "answered_share", "answer_rate"]].tolist() == pytest.approx(
        [1 / 2, 1 / 3, 1 / 6]
    )


def test_few_who_answered_are_suppressed_and_do_not_follow_from_the_others():
    rows = "a | satisfied | fair | owner | 18\nb | fair | fair | tenant | 3"
    found = result(rows).respondents
    assert found["suppressed"].all() and found["answered"].isna().all()


@pytest.mark.parametrize(
    "rows, frame, design, reason",
    [
        ("a | satisfied | fair | owner | 18", FRAME, BY_SEGMENT, "empty:segment:tenant"),
        (ROWS + "\ne | fair | fair | guest | 5", FRAME, BY_SEGMENT, "unknown:segment:guest"),
        (ROWS, None, BY_SEGMENT, "totals"),
    ],
    ids=["nobody answered", "nobody there", "no population"],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_cannot_be_weighted_says_why(rows, frame, design, reason, language):
    found = result(rows, frame, design)
    assert rate(found)["reason"] == reason and rate(found)["weighted"] is None
    shown = text(weights.weighted_table(found, language))
    assert {
        "zh": "无法加权",
        "en": "population" if "unknown" in reason else "nobody" if "empty" in reason else "margins",
    }[language] in shown


def test_totals_of_the_run_file_do_where_there_is_no_frame():
    design = {"weighting": {"by": ["segment"], "totals": {"segment": {"owner": 60, "tenant": 60}}}}
    assert rate(result(frame=None, design=design))["weighted"] == pytest.approx(0.7)


def test_answers_without_a_group_are_left_out_and_counted():
    found = result(ROWS + "\ne | fair | fair | | 5")
    assert (rate(found)["weighted"], rate(found)["left_out"]) == (pytest.approx(0.7), 5)
    assert "5 answers at most name no group" in text(weights.weighted_table(found, "en"))


def test_the_verdict_stays_with_the_unweighted_rate():
    gate = {"measure": "satisfaction_rate", "comparison": "at_least", "threshold": 0.75, "clause": "1"}
    rules = demo(**{**RULES, "gates": [gate], "clauses": [{"id": "1", "title": "One"}]})
    found = assess(survey_of(HEAD + ROWS, rules, {"frame": FRAME}, groups=["segment"], design=BY_SEGMENT))
    assert found.gates.loc[0, ["value", "passed"]].tolist() == [pytest.approx(23 / 30), True]
    assert rate(found)["weighted"] < 0.75


def test_without_a_plan_nothing_is_weighted_and_without_a_frame_nothing_is_compared():
    assert weights.weighted_table(result(design={}), "en").html == ""
    assert weights.respondent_table(result(frame=None, design={}), "en").html == ""


@pytest.mark.parametrize("show", [weights.respondent_table, weights.weighted_table])
def test_both_languages_hold_the_same_numbers(show):
    numbers = [
        re.findall(r"\d+(?:\.\d+)?", text(show(result(), language)).replace("\u00a0", " ")) for language in ("zh", "en")
    ]
    assert numbers[0] == numbers[1]


def test_the_record_holds_both():
    found = records.build(result())
    assert [row.level for row in found.respondents] == ["owner", "tenant"]
    assert found.weighted[0].weighted == pytest.approx(0.7)
    assert (found.design.strata, found.design.clusters, found.design.weighted) == (1, 0, False)


def test_only_a_group_or_the_stratum_can_be_weighted_to():
    file = runs.RunFile.model_validate({
        "project": "demo", "title": "Demo", "programme": "demo", "groups": ["segment"],
        "design": {"weighting": {"by": ["age"]}}, "periods": {"2024": {"as_of": "2025-01-10"}},
    })  # fmt: skip
    assert [sentence for _, sentence in runs.faults(file)] == [
        "'age' is no group and no stratum here; use one of ['segment']."
    ]


# --- how it was drawn -------------------------------------------------------------------------------------------------

CLUSTERS = "form_id | delivery | service | block | area\n" + "\n".join(
    f"{block}{n} | {'satisfied' if n < good else 'fair'} | fair | {block} | {area}"
    for block, good, area in (("p", 4, "N"), ("q", 1, "N"), ("r", 4, "S"), ("s", 2, "S"), ("p", 0, "S"), ("", 3, "S"))
    for n in range(4)
).replace("\np0 | fair", "\nz0 | fair", 0)


def drawn(rows, design):
    forms = [f"f{n} |{row.partition('|')[2]}" for n, row in enumerate(rows.splitlines()[1:])]
    return assess(survey_of("\n".join([rows.splitlines()[0], *forms]), demo(**RULES), design=design))


def test_a_page_tells_how_the_survey_was_drawn():
    found = drawn(CLUSTERS, {"cluster": "block", "stratum": "area"})
    said = text(precision.design_notes(found, "en"))
    for part in ("strata of the sample (2)", "5 clusters", "no cluster: 4", "more than one stratum: 1"):
        assert part in said
    assert "too short" in text(precision.precision_sentence(found, "en"))
    assert "resemble each other" in text(precision.precision_sentence(found, "en"))


def test_a_stratum_with_one_cluster_is_named_with_the_choice():
    rows = CLUSTERS.replace("| q | N", "| p | N")
    for choice, said in (("certainty", "they add no error"), ("grand_mean", "distance from the mean")):
        found = drawn(rows, {"cluster": "block", "stratum": "area", "lonely": choice})
        assert "Strata with a single primary unit: 1" in text(precision.design_notes(found, "en"))
        assert said in text(precision.design_notes(found, "en"))
    errors = [
        drawn(rows, {"cluster": "block", "stratum": "area", "lonely": c}).measure("satisfaction_rate")["se"]
        for c in ("certainty", "grand_mean")
    ]
    assert errors[0] < errors[1]


def test_a_plain_survey_has_no_design_effect_to_show():
    found = result(design={})
    assert precision.precision_table(found, "zh").html == precision.precision_sentence(found, "zh").html == ""
    assert "逐份随机抽取" in text(precision.design_notes(found, "zh"))


def test_an_unknown_choice_is_refused():
    with pytest.raises((ParameterError, ValueError), match="lonely"):
        runs.Design.model_validate({"lonely": "ignore"})


@pytest.mark.parametrize(
    "trim, said", [(1.5, "stays up to 7.14 percentage points"), (3, "The mix is met all the same.")]
)
def test_the_page_says_how_far_cut_weights_stay_from_the_mix(trim, said):
    # 20 owners and 10 tenants for 60 of each: 3 and 6, cut to 1.5 times the median 3: 60 and 45, so .5714 are owners
    found = result(design={"weighting": {"by": ["segment"], "trim": trim}})
    assert said in text(weights.weighted_table(found, "en"))
