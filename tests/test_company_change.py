"""Did the company improve? Parts of a change that add up to it, what action brought, no naive difference of the chosen."""

import copy
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from conftest import demo, survey_of
from csat_analysis.assembly.assessment import assess
from csat_analysis.estimation.mix import COMPONENTS
from csat_analysis.ground.words import speak
from csat_analysis.portal import company, company_change, company_mix, company_parts, pooling, readings
from csat_analysis.publishing import records
from publishing import HOSTILE, LANGUAGES, Page, characters, fonts, reaching_out
from test_change import GATE, RULES
from test_company import LANTING, YUANYA, entries, listed, notes, page, plain, published, ratio, record, tables
from test_modes import forms

pytestmark = pytest.mark.filterwarnings("error")

PARTS = "What changed the satisfaction rate (against 2023)"
VERDICTS = "Verdicts on each project: Satisfaction rate"
PROJECTS, CHANNELS = "What each project adds to the change of the whole", "Channels of the projects with answers in both periods"  # fmt: skip
ACTED = "All projects: what those acted on gained beyond the others (Satisfaction rate)"


def mode(channels, before, after, **keys):
    """Return a channel of a record: satisfied and answers before and after, as drawn one by one."""
    row = {"channels": channels}
    for side, (k, n) in (("before", before), ("after", after)):
        se = math.sqrt(k / n * (1 - k / n) / (n - 1)) if n > 1 else None
        row |= {f"numerator_{side}": k, f"denominator_{side}": n, f"se_{side}": se, f"df_{side}": max(n - 1, 1)}
    return row | keys


def moved(before, after, verdict="insufficient", **keys):
    """Return the row of a record on the change of its satisfaction rate."""
    rates = [k / n if n else None for k, n in (before, after)]
    estimate = None if None in rates else rates[1] - rates[0]
    return {"id": "satisfaction_rate", "family": "primary", "verdict": verdict, "reason": "", "method": "newcombe",
            "before": rates[0], "after": rates[1], "n_before": before[1], "n_after": after[1], "estimate": estimate,
            "conf_low": None if estimate is None else estimate - 0.1, "conf_high": None if estimate is None else estimate + 0.1,
            "p_value": 0.2, "margin": None, "not_worse": None, "expected": None, **keys}  # fmt: skip


def again(project, *modes, baseline="2023", row=None, **keys):
    """Return the record of a project that was surveyed before, too: it answers by channels."""
    sums = [tuple(sum(each[f"{part}_{side}"] for each in modes) for part in ("numerator", "denominator")) for side in ("before", "after")]  # fmt: skip
    change = [moved(*sums, **(row or {}))]
    return measured(project, *sums[1], **{"baseline": baseline, "change": change, "modes": list(modes), **keys})


def measured(project, k, n, **keys):
    """Return a record whose rate has the design effect of a plain sample."""
    rate = ratio("satisfaction_rate", k, n, method="wilson", design_effect=1.0)
    rate["se"] = math.sqrt(rate["value"] * (1 - rate["value"]) / (n - 1))
    return record(project, k, n, measures=[rate], **keys)


def once(project, k, n, period="2023", **keys):
    return measured(project, k, n, period=period, **keys)


def portfolio(estimate=0.04, p_value=0.01, projects=10, **keys):
    """Return what a record says that action brought."""
    way = {"estimate": estimate, "conf_low": estimate - 0.03, "conf_high": estimate + 0.03, "p_value": p_value,
           "acted": 3, "others": projects - 3, "naive": 0.09, "reason": ""}  # fmt: skip
    return {"figure": "satisfaction_rate", "threshold": 0.85, "projects": projects, "residual": way | keys,
            "discontinuity": way | {"estimate": 0.02, "p_value": 0.5} | keys}  # fmt: skip


# By hand: a stays at 90 and 70 % by channel and moves to the app; b gains ten points; c closes, d is new.
A = again("a", mode(["app"], (18, 20), (36, 40)), mode(["paper"], (42, 60), (28, 40)))
B = again("b", mode([], (80, 100), (90, 100)))
OLD = [once("a", 60, 80), once("b", 80, 100), once("c", 60, 100)]
D = measured("d", 95, 100)
COMPANY = [*OLD, A, B, D]


def compared(*found):
    """Return what changed the rate of the projects of 2024."""
    every = listed(*found)
    return company_mix.compare_company([each for each in every if each["period"] == "2024"], every)


def parts(found):
    return found.mix.components.set_index("component")["estimate"].to_dict()


def lead(html):
    """Return the sentences that the section begins with."""
    _, _, rest = re.split(r"(<h2[^>]*>(?:Did it improve\?|改进了没有？))", html)
    return [plain(each) for each in re.findall(r'<p class="lead">(.*?)</p>', rest)]


# --- the parts --------------------------------------------------------------------------------------------------------


def test_what_came_by_other_channels_is_mode_mix_and_what_changed_is_within():
    found = parts(compared(OLD[0], OLD[1], A, B))
    # a: 80 answers both times, b: 100; within b +.1, a's app from a quarter to a half: +.25 × (.9 − .7)
    assert found["within"] == pytest.approx(100 / 180 * 0.1)
    assert found["mode_mix"] == pytest.approx(80 / 180 * 0.05)
    assert found["project_mix"] == pytest.approx(0)


def test_what_closed_and_what_is_new_is_project_mix():
    found = compared(*COMPANY)
    assert [each["project"] for each in company_mix.present(found, "before")] == ["c"]
    assert [each["project"] for each in company_mix.present(found, "after")] == ["d"]
    assert parts(found)["project_mix"] == pytest.approx(100 / 280 * (0.95 - 0.6))


SETS = {
    "the same projects": [OLD[0], OLD[1], A, B], "closed and new": COMPANY, "one new": [OLD[0], A, D],
    "weights": [once("a", 60.25, 80), once("b", 80, 100), again("a", mode(["app"], (18.5, 20.5), (36, 40)), mode(["paper"], (41.75, 59.5), (28.5, 40.25))), B],
    "everybody satisfied": [once("a", 20, 20), once("b", 30, 30), again("a", mode([], (20, 20), (25, 25))), again("b", mode([], (30, 30), (9, 9)))],
    "few answers": [OLD[0], A, measured("d", 5, 6)],
}  # fmt: skip


@pytest.mark.parametrize("found", SETS.values(), ids=SETS)
def test_the_parts_add_up_to_the_difference_of_the_page_s_own_pooled_rates(found):
    every = listed(*found)
    rates = [pooling.pooled_rate([each for each in every if each["period"] == period]) for period in ("2023", "2024")]
    estimates = parts(compared(*found))
    assert estimates["total"] == pytest.approx(rates[1] - rates[0], abs=1e-14)
    assert sum(estimates[name] for name in COMPONENTS[1:]) == pytest.approx(estimates["total"], abs=1e-14)
    assert not [note for note in notes(page(*found)) if "differs from this one" in note]


def test_weighted_surveys_of_records_add_up_too():
    def wave(project, period, base, *lines):
        survey = survey_of(forms(*lines, columns="channel | w"), demo(**RULES), period=period, project=project,
                           plan={"as_of": f"{int(period) + 1}-01-10"}, design={"weight": "w"})  # fmt: skip
        return replace(survey, baseline=base, run=survey.run.model_copy(update={"baseline": base and "2023"}))

    surveys = []
    for project, shift in (("a", 0), ("b", 7)):
        first = wave(project, "2023", None, "satisfied | app | 0.5 | 31", "fair | app | 0.7 | 9", f"satisfied | paper | 2.1 | {17 + shift}", "fair | paper | 1 | 8")  # fmt: skip
        surveys += [first, wave(project, "2024", first, "satisfied | app | 0.5 | 60", f"fair | app | 1.3 | {9 + shift}", "satisfied | paper | 2 | 12", "fair | paper | 1 | 6")]  # fmt: skip
    every = listed(*(json.loads(records.as_json(records.build(assess(each)))) for each in surveys))
    before, after = ([each for each in every if each["period"] == period] for period in ("2023", "2024"))
    found = company_mix.compare_company(after, every)
    assert not pooling.is_unweighted(after[0])
    assert parts(found)["total"] == pytest.approx(pooling.pooled_rate(after) - pooling.pooled_rate(before), abs=1e-12)
    assert sum(parts(found)[name] for name in COMPONENTS[1:]) == pytest.approx(parts(found)["total"], abs=1e-12)
    assert found.is_sure and len(found.mix.cells) == 4


def test_the_page_shows_the_rates_the_parts_and_who_was_there_once():
    html = page(*COMPANY)
    shown = tables(html)
    assert shown[PARTS]["The whole change"][0].startswith("+17.50 ")  # 249 ÷ 280 − 200 ÷ 280
    assert shown[PARTS]["Within projects"][0].startswith("+3.57 ")
    assert shown[PARTS]["Mix of projects"][0].startswith("+12.50 ")
    said = notes(html)
    assert "Pooled rates: baseline 71.43 % (200 ÷ 280), period 88.93 % (249 ÷ 280). Projects with answers in both: 2." in said  # fmt: skip
    assert any(note.startswith("With answers in the baseline only: c.") for note in said)
    assert any(note.startswith("With answers in the period only: d.") for note in said)
    assert shown[PROJECTS]["c baseline only"][:2] == ["60.00 % 35.71 % of answers (100)", "–"]


def test_the_columns_of_the_projects_add_up_to_the_whole():
    found = compared(*COMPANY)
    for name in COMPONENTS[1:]:
        assert found.mix.projects[name].sum() == pytest.approx(parts(found)[name])
    rows = tables(page(*COMPANY))[PROJECTS]
    assert list(rows)[1:] == ["a", "b", "d period only", "c baseline only", "All together"]


def test_the_channels_of_the_projects_that_stayed_stand_side_by_side():
    rows = tables(page(*COMPANY))[CHANNELS]
    assert list(rows)[1:] == ["app", "paper", "Not told apart"]
    assert rows["app"][:2] == ["90.00 % 11.11 % of answers (20)", "90.00 % 22.22 % of answers (40)"]
    alone = page(OLD[1], B, once("c", 60, 100), D)
    assert CHANNELS not in tables(alone) and PARTS in tables(alone)


def test_the_sentence_says_by_how_much_it_rose_or_fell_and_what_may_be_chance():
    def said(*found):
        return lead(page(*found))[-1]

    rose = said(*COMPANY)
    assert rose.startswith("The satisfaction rate of 4 projects together rose by 17.50 percentage points, from 71.43 % in 2023 to 88.93 %")  # fmt: skip
    assert "+1.43 percentage points because they came by other channels" in rose
    low = [once("a", 90, 100), once("b", 90, 100), again("a", mode([], (90, 100), (60, 100))), again("b", mode([], (90, 100), (60, 100)))]  # fmt: skip
    assert "fell by 30.00 percentage points, from 90.00 % in 2023 to 60.00 %" in said(*low)
    assert "other channels" not in said(*low)  # nothing of it is mix
    same = [OLD[0], OLD[1], again("a", mode([], (60, 80), (61, 80))), again("b", mode([], (80, 100), (80, 100)))]
    assert said(*same).startswith("Whether the satisfaction rate of 2 projects together changed cannot be told")
    assert said(*same).endswith("The mix of projects and of channels did not change, or is not told apart in the data.")
    assert "because the projects themselves changed (may be chance)" in said(*same, measured("d", 70, 100))


def test_a_rate_without_an_error_has_no_intervals_no_test_and_no_picture():
    unsure = again("a", mode(["app"], (18, 20), (36, 40), se_after=None), mode(["paper"], (42, 60), (28, 40)))
    html = page(OLD[0], OLD[1], unsure, B)
    assert tables(html)[PARTS]["The whole change"][:2] == ["+7.78", "–"]
    assert "<svg" not in html and any("no intervals and no tests" in note for note in notes(html))
    assert "there is no test" in lead(html)[-1]
    assert "<svg" in page(OLD[0], OLD[1], A, B)


CHOSEN = again("b", mode([], (80, 100), (90, 100)), row={"method": "refused", "reason": "selected"})


@pytest.mark.parametrize(
    "records, tested",
    [((OLD[1], CHOSEN, D), False), ((*OLD, A, CHOSEN), False), ((*OLD[:2], A, CHOSEN, D), True), (COMPANY, True)],
    ids=["chosen alone", "one not asked again", "all asked again", "nobody chosen"],
)
def test_the_recovery_of_the_chosen_is_no_change_that_is_tested(records, tested):
    found = compared(*records)
    assert (found.is_sure, bool(found.chosen)) == (tested, not tested)
    html = page(*records)
    assert ("regression to the mean; so there is no test" in plain(html)) is not tested
    assert ("Chosen for low figures: b." in plain(html)) is not tested


def test_a_single_answer_has_the_error_of_the_pooled_rate():
    single = again("a", mode(["app"], (1, 1), (36, 40)), mode(["paper"], (59, 79), (28, 40)))
    found = compared(OLD[0], OLD[1], single, B)
    assert found.is_sure
    assert found.mix.components["se"].notna().all()


def test_surveys_that_share_people_are_named():
    linked = again("b", mode([], (80, 100), (90, 100)), row={"method": "tango"})
    assert any("share customers" in note and note.endswith(": b.") for note in notes(page(OLD[0], OLD[1], A, linked)))
    assert not any("share customers" in note for note in notes(page(*COMPANY)))


def test_errors_of_a_project_there_once_are_those_of_the_process():
    # all 100 customers of d answered: no sampling error, but the process has one
    census = measured("d", 95, 100)
    census["measures"][0] |= {"se": 0.0, "method": "census"}
    found = [compared(*OLD, A, B, each).mix.components["se"].tolist() for each in (D, census)]
    assert found[0] == pytest.approx(found[1])


# --- who is left out --------------------------------------------------------------------------------------------------

E = mode([], (50, 100), (70, 100))
LEFT = {
    "a survey is void": ([once("e", 50, 100)], again("e", E, status="void")),
    "a survey is void before": ([once("e", 50, 100, status="void")], again("e", E)),
    "a survey is void by its row": ([], again("e", E, row={"reason": "void"}, modes=[])),
    "no baseline is named": ([once("e", 50, 100)], measured("e", 70, 100)),
    "another baseline": ([once("e", 50, 100)], again("e", E, baseline="2022")),
    "record of an older edition; run it again": ([once("e", 50, 100)], again("e", E, modes=None)),
    "baseline cannot be read": ([], again("e", E, change=[], modes=[])),
    "other wording": ([once("e", 50, 100)], again("e", E, row={"reason": "wording", "verdict": "not_comparable"})),
    "other population": ([once("e", 50, 100)], again("e", E, row={"reason": "population", "verdict": "not_comparable"})),
    "no satisfaction rate": ([], record("e", None, 0)),
    "judged by another procedure or edition": ([once("e", 50, 100), measured("e", 70, 100, programme={"id": "other", "version": 1, "title": {"en": "O"}})], None),
}  # fmt: skip


@pytest.mark.parametrize("reason", LEFT)
def test_who_is_left_out_is_named_with_the_reason(reason):
    before, now = LEFT[reason]
    found = [OLD[0], OLD[1], A, B, *before, *([now] if now else [])]
    said = [note for note in notes(page(*found)) if note.startswith("Left out")]
    assert said == [f"Left out ({re.sub(' (before|by its row)$', '', reason)}): e."]
    assert parts(compared(*found)) == pytest.approx(parts(compared(OLD[0], OLD[1], A, B)))


def test_where_the_rates_are_not_those_of_the_page_it_says_why():
    said = notes(page(OLD[0], OLD[1], once("e", 50, 100), A, B, measured("e", 70, 100)))
    apart = [note for note in said if "differs from this one" in note]
    assert [re.search(r"rate of ([\d.]+ %)", note)[1] for note in apart] == ["67.86 %", "80.00 %"]


def test_a_project_whose_channels_moved_too_far_is_in_the_whole_and_named():
    far = again("a", mode(["app"], (18, 20), (54, 60)), mode(["paper"], (42, 60), (14, 20)), row={"reason": "mode", "verdict": "not_comparable", "p_value": None})  # fmt: skip
    html = page(OLD[0], OLD[1], far, B)
    assert any(note.startswith("Not judged by themselves") and note.endswith(": a.") for note in notes(html))
    assert tables(html)[VERDICTS]["a"][2:] == ["–", "Not comparable other channels"]


def test_with_nothing_to_compare_there_are_no_parts():
    assert compared(again("a", mode([], (50, 100), (60, 100)))) is None  # one project is no mix
    assert compared(OLD[0], measured("a", 5, 10), D) is None  # no project has both
    assert compared(again("a", E, modes=None), again("b", E, modes=None)) is None


def test_the_baseline_that_most_projects_name_is_the_one():
    known = listed(again("a", E), again("b", E), again("c", E, baseline="2022"), measured("d", 5, 10))
    assert company_mix.baseline_of(known) == "2023"
    assert company_mix.baseline_of(known[1:3]) == "2023"  # of two as often, the later


@pytest.mark.parametrize(
    "row", [{"denominator_before": -1}, {"denominator_before": 0}, {"numerator_after": math.inf}, {"se_before": -1.0}]
)
def test_a_record_that_was_changed_by_hand_is_left_out(row):
    found = compared(OLD[0], OLD[1], A, B, again("e", E) | {"modes": [E | row]})
    assert [reason for _, reason in found.left_out] == ["old_record"]


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_verdicts_are_counted_first_and_stand_by_project():
    better = again("b", mode([], (80, 100), (90, 100)), row={"verdict": "improved"})
    html = page(OLD[0], OLD[1], A, better, D)
    assert lead(html)[0] == "Satisfaction rate, each project against its baseline (2023): improved 1; worse 0; insufficient evidence 1; without comparison 1."  # fmt: skip
    rows = tables(html)[VERDICTS]
    assert rows["b"] == ["80.00 % n = 100", "90.00 % n = 100", "+10.00 0.00 to +20.00", "Improved"]
    assert rows["d"] == ["–", "–", "–", "no baseline is named"]
    assert any("up to 0.10 of these 2 tests" in note for note in notes(html))


def test_a_chosen_project_has_its_gain_beyond_what_was_expected_and_never_the_difference():
    keys = {"expected": 0.83, "gain": 0.07, "gain_low": 0.01, "gain_high": 0.12, "conf_low": None, "conf_high": None}
    html = page(OLD[0], OLD[1], A, again("b", mode([], (80, 100), (90, 100)), row=keys | {"method": "predictive"}))
    assert tables(html)[VERDICTS]["b"][2] == "+7.00 +1.00 to +12.00 beyond the 83.00 % expected"
    assert "1 were chosen for low figures" in lead(html)[0]
    refused = {"reason": "too_few_projects", "method": "refused", "p_value": None, "conf_low": None, "conf_high": None}
    html = page(OLD[0], OLD[1], A, again("b", mode([], (80, 100), (90, 100)), row=refused))
    assert tables(html)[VERDICTS]["b"][2:] == ["–", "Insufficient evidence too few projects"]
    assert "+10.00" not in html.partition("Verdicts on each project")[2].partition("</table>")[0]


def test_the_figure_is_the_satisfaction_rate_or_else_the_first_that_decides_everywhere():
    rows = [moved((8, 10), (9, 10)) | {"id": name} for name in ("index", "delivery.satisfied", "satisfaction_rate")]
    known = [again("a", E, change=rows), again("b", E, change=rows)]
    assert company_change.primary_of(listed(*known)) == "satisfaction_rate"
    assert company_change.primary_of(listed(*(each | {"change": rows[:2]} for each in known))) == "index"
    assert company_change.primary_of(listed(known[0] | {"change": rows[1:2]}, known[1])) == "delivery.satisfied"
    assert company_change.primary_of(listed(known[0] | {"change": rows[1:2]}, known[1] | {"change": rows[:1]})) is None


# --- what action brought ----------------------------------------------------------------------------------------------


def test_what_action_brought_is_said_once_from_the_record_with_the_most_projects():
    low = again("b", mode([], (80, 100), (90, 100)), portfolio=portfolio())
    few = again("a", mode([], (60, 80), (70, 80)), portfolio=portfolio(0.01, 0.8, projects=8))
    html = page(few, low)
    assert lead(html)[1].startswith("The projects acted on gained more than comes by itself: the 3 below 85.00 %")
    assert "rose by 4.00 percentage points more" in lead(html)[1]
    assert tables(html)[ACTED]["Empirical-Bayes residual contrast"][0].startswith("+4.00")
    assert [note for note in notes(html) if note.startswith("As of the record of b")][0].endswith(": a.")
    alike = page(low, again("a", mode([], (60, 80), (70, 80)), portfolio=portfolio(0.04 + 1e-12)))
    assert not [note for note in notes(alike) if note.startswith("As of the record")]


@pytest.mark.parametrize(
    ("estimate", "p", "said"),
    [(0.04, 0.05, "gained more"), (0.04, 0.06, "cannot be told"), (-0.04, 0.01, "did worse"), (0.04, None, "cannot be told")],
)  # fmt: skip
def test_the_sentence_on_action_follows_the_test(estimate, p, said):
    html = page(A, again("b", E, portfolio=portfolio(estimate, p)))
    assert said in lead(html)[1]


def test_without_a_contrast_the_reason_is_said():
    none = portfolio() | {"residual": portfolio(reason="too_few_projects")["residual"] | {"estimate": None}}
    html = page(A, again("b", E, portfolio=none))
    assert any("no contrast is made (fewer than eight)" in plain(text) for text in re.findall(r"<p>(.*?)</p>", html))
    assert ACTED not in tables(html)


# --- what it meets ----------------------------------------------------------------------------------------------------


def test_a_company_without_a_baseline_has_no_section():
    html = page(YUANYA, LANTING)
    assert "Did it improve" not in html and "<svg" not in html
    assert html.count("<h2") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_records_of_an_older_edition_are_read_and_the_page_goes_on(language):
    old = copy.deepcopy([YUANYA | {"baseline": "2023"}, LANTING | {"baseline": "2023"}])
    html = page(*old, language=language)
    assert "<svg" not in html and html.count("<h2") == 1
    rows = [again("a", E) | {"baseline": "2023"}, again("b", E)]
    for each in rows:
        del each["modes"]
    html = page(*rows, language=language)
    assert html.count("<h2") == 2 and speak(language)("company_change.table_verdicts", name=speak(language)("measure.satisfaction_rate")) in tables(html)  # fmt: skip


@pytest.mark.parametrize("key", ["change", "modes", "portfolio"])
@pytest.mark.parametrize("value", [3, "text", [1], {"a": 1}, [{"id": "satisfaction_rate", "verdict": "splendid"}]])
def test_a_key_in_a_form_of_another_edition_is_not_read_and_the_record_is(key, value):
    [found] = listed(again("a", E) | {key: value})
    assert found[key] is None and found["project"] == "a"
    assert page(OLD[0], A, again("b", E) | {key: value})


@pytest.mark.parametrize("title", HOSTILE)
def test_whatever_a_record_holds_appears_as_text(title):
    def named(name):
        keys = {
            "title": {"en": name},
            "programme": {"id": "property", "version": 1, "title": {"en": name}},
            "as_of": name,
        }
        rows = [
            once("c", 60, 100, **keys),
            again("a", mode([name], (18, 20), (36, 40)), mode(["x"], (9, 20), (36, 40)), portfolio=portfolio(), **keys),
        ]
        odd = {"reason": name, "p_value": None}
        rows.append(again("b", E, row=odd, portfolio=portfolio(0.01, 0.5, 8, reason=name), **keys))
        return [each | {"as_of": None} if each["project"] == "b" else each | {"as_of": "2025-01-10"} for each in rows]

    html = page(*named(title))
    assert title in tables(html)[CHANNELS]
    assert [tag for tag, _ in Page(html).tags] == [tag for tag, _ in Page(page(*named("Riverside"))).tags]
    assert reaching_out(html) == []


def test_both_languages_have_the_same_numbers():
    rows = [*OLD, A, again("b", mode([], (80, 100), (90, 100)), portfolio=portfolio(), row={"expected": 0.83, "gain": 0.07, "gain_low": 0.01, "gain_high": 0.12}), D]  # fmt: skip

    def numbers(language):
        return [
            re.findall(r"\d[\d,]*\.?\d*", " ".join(cells))
            for table in tables(page(*rows, language=language)).values()
            for cells in table.values()
        ]

    assert numbers("zh") == numbers("en")
    assert len(lead(page(*rows, language="zh"))) == len(lead(page(*rows))) == 3


def test_every_reason_has_its_words():
    for language in LANGUAGES:
        texts = speak(language).texts
        for reason in ("void", "no_rate", "no_baseline", "other_baseline", "old_record", "unreadable", "other_edition"):
            assert f"company_left.{reason}" in texts
        assert all(f"change_apart.{reason}" in texts for reason in company_mix.NOT_ALIKE)
        for part in COMPONENTS:
            assert {f"company_change.{part}", f"company_change.means_{part}"} <= texts.keys()
        for reason in ("no_variation", "nothing_in_common", "no_mix"):
            assert f"company_change.why_{reason}" in texts


def test_every_edition_has_a_picture_of_its_own():
    later = [copy.deepcopy(each) | {"period": "2025", "baseline": "2024"} for each in (A, B)]
    html = page(OLD[0], OLD[1], A, B, *later)
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids)) and html.count("<svg") == 2


# --- a company of twelve ----------------------------------------------------------------------------------------------

PLAIN = demo(**{**RULES, "gates": GATE, "change": {"primary": ["satisfaction_rate"]}})


def invented(k, n, app, seed):
    """Return a survey as a text table: so many satisfied, a share of all by the app."""
    by_app = np.random.default_rng(seed).random(n) < app
    lines = [f"{'satisfied' if place < k else 'fair'} | {'app' if is_app else 'paper'} | 1"
             for place, is_app in enumerate(by_app)]  # fmt: skip
    return forms(*lines)


@pytest.fixture(scope="module")
def twelve():
    """Return the records of twelve projects of both years: two below the rule, one that closes, one that is new."""
    rates = [(72, 88), (80, 83), (90, 91), (92, 93), (88, 87), (95, 94), (89, 90), (91, 91), (93, 95), (90, 88), (87, None), (None, 92)]  # fmt: skip
    waves = {}
    for place, pair in enumerate(rates):
        for side, (period, rate) in enumerate(zip(("2023", "2024"), pair, strict=True)):
            if rate is not None:
                n = 100 + 10 * place * side
                survey = survey_of(invented(round(rate * n / 100), n, 0.3 + 0.15 * side, place), PLAIN, period=period, project=f"p{place:02d}", plan={"as_of": f"{int(period) + 1}-01-10"})  # fmt: skip
                title = {"zh": f"项目{place}", "en": f"Project {place}"}
                waves[place, period] = replace(survey, run=survey.run.model_copy(update={"title": title}))
    found = []
    for (place, period), survey in waves.items():
        first = waves.get((place, "2023")) if period == "2024" else None
        own = replace(survey, baseline=first, run=survey.run.model_copy(update={"baseline": first and "2023"}))
        peers = [(waves[other, "2023"], waves.get((other, "2024"))) for other in range(11) if other != place]
        found.append(json.loads(records.as_json(records.build(assess(own), peers))))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_company_of_twelve_is_rendered_in_both_languages(twelve, language, tmp_path):
    words = speak(language)
    html = company.render(entries(*twelve), language)
    shown = tables(html)
    rows = shown[words("company_change.table_verdicts", name=words("measure.satisfaction_rate"))]
    assert len(rows) == 1 + 11
    assert len(lead(html)) == 3 and html.count("<svg") == 1
    assert shown[words("company_change.table_channels")].keys() >= {"app", "paper"}
    assert reaching_out(html) == []
    written = {letter for letter in characters(html) if "\u3400" <= letter <= "\u9fff"}
    assert written - set.union(*fonts(html).values()) == set()
    assert f"company.{language}.html" in published(tmp_path, *twelve)


def test_the_parts_of_twelve_add_up_to_the_difference_of_the_pooled_rates(twelve):
    every = listed(*twelve)
    before, after = ([each for each in every if each["period"] == period] for period in ("2023", "2024"))
    found = company_mix.compare_company(after, every)
    estimates = parts(found)
    assert estimates["total"] == pytest.approx(pooling.pooled_rate(after) - pooling.pooled_rate(before), abs=1e-14)
    assert sum(estimates[name] for name in COMPONENTS[1:]) == pytest.approx(estimates["total"], abs=1e-14)
    assert [each["project"] for each in company_mix.present(found, "before")] == ["p10"]
    assert [each["project"] for each in company_mix.present(found, "after")] == ["p11"]
    assert (found.left_out, found.is_sure, found.pages[1]) == ([], True, pooling.pooled_rate(after))
    assert [company_mix.pooled_of(found, side)[1] for side in ("before", "after")] == [1100, 1100 + 10 * 66 - 100]
    assert company_parts.SURE == 0.05


def test_the_chosen_of_twelve_are_judged_by_their_gain(twelve):
    [record] = [each for each in twelve if (each["project"], each["period"]) == ("p00", "2024")]
    assert record["portfolio"]["projects"] == 10
    assert readings.Listed.model_validate(record).portfolio.residual.acted == 2
    before, after, change, verdict = tables(page(*twelve))[VERDICTS]["Project 0"]
    assert (before, after, verdict) == ("72.00 % n = 100", "88.00 % n = 100", "Insufficient evidence")
    assert re.search(r"beyond the (7[2-9]|8[0-7])\.\d\d % expected$", change) and not change.startswith("+16.00")
