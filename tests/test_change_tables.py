"""A verdict is said first and alike in both languages, never without its reason, and never as a cause."""

import functools
import re
import warnings
from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pytest

from conftest import demo, survey_of
from csat_analysis.assembly import change, load
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.change import judge_change
from csat_analysis.assembly.plans import ACTIONS
from csat_analysis.ground.words import speak
from csat_analysis.publishing import change_figures, change_tables, change_ways
from publishing import CHECKOUT
from test_change import GATE, RULES, changed, counted, halves, items, looked, people, split
from test_change_parts import local

LANGUAGES = ["zh", "en"]
EACH_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
SHOWN = [
    change_tables.verdict_sentence, change_figures.change_intervals, change_figures.distributions,
    change_tables.analysis_notes, change_tables.figure_table, change_tables.item_table, change_tables.group_table,
    change_ways.naive_table, change_ways.paths_table, change_ways.action_table, change_ways.plan_note,
    change_ways.change_limits, change_ways.portfolio_table,
]  # fmt: skip
TABLES = [show for show in SHOWN if show.__module__ != change_figures.__name__]
BEFORE, AFTER = counted(120, 40), counted(150, 20)  # 75 % and 88.24 % satisfied
REASONS = {
    "no_answers", "one_answer", "no_variation", "too_few_units", "census", "not_asked", "count", "void", "selected",
    "too_few_projects", "too_few_clusters", "unequal_waves", "mode", "population", "wording", "scale", "rules",
}  # fmt: skip
METHODS = {
    "newcombe", "welch", "tango", "paired_t", "linked", "same_clusters", "contrast", "randomization", "predictive", "pooled",
    "refused", "count", "none",
}  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"


@functools.cache
def run(project, period):
    """Return the change of a demo project."""
    return judge_change(assess(load.survey(project, period, CHECKOUT)))


def everything(found, language, shown=None):
    """Return all exhibits of the chapter; a warning of any kind is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [show(found, language) for show in shown or SHOWN]


def text(exhibit):
    """Return what an exhibit says, without its tags."""
    tree = ElementTree.fromstring(f"<div>{exhibit.html}</div>")
    for svg in tree.iter(f"{SVG}svg"):
        for part in [each for each in svg if each.tag in (f"{SVG}defs", f"{SVG}style")]:
            svg.remove(part)
    return " ".join(part.strip() for part in tree.itertext() if part.strip()).replace("\u00a0", " ")


def rows(exhibit):
    """Return the texts of a table's cells, line by line."""
    tree = ElementTree.fromstring(f"<div>{exhibit.html}</div>")
    return [[" ".join(cell.itertext()).replace("\u00a0", " ") for cell in row] for row in tree.iter("tr")]


def numbers(exhibit):
    return sorted(re.findall(r"\d[\d,]*\.\d+", text(exhibit)))


def with_row(found, figure, **cells):
    """Return a change in which a row says something else."""
    table = found.table.copy()
    for name, value in cells.items():
        table.loc[table["id"] == figure, name] = value
    return replace(found, table=table)


def strata(level="fair"):
    answers = [("a", "satisfied"), ("a", level), ("b", "satisfied"), ("b", "satisfied")]
    lines = [f"{site}{n} | {answer} | fair | {site} | 10" for n, (site, answer) in enumerate(answers)]
    return "form_id | delivery | service | site | count\n" + "\n".join(lines)


def by_channel(channel):
    return f"form_id | delivery | service | channel | count\na | satisfied | fair | {channel} | 60\nb | fair | fair | {channel} | 40"


HALF = ["satisfied", "fair"] * 20
SITUATIONS = {
    "plain": lambda: changed(BEFORE, AFTER),
    "worse": lambda: changed(AFTER, BEFORE),
    "tiny": lambda: changed(counted(1, 0), counted(2, 1)),
    "same": lambda: changed(counted(50, 0), counted(60, 0)),
    "nobody": lambda: changed(counted(0, 0), AFTER),
    "pairs": lambda: changed(people(["fair", *HALF]), people([*HALF, "satisfied"])),
    "some": lambda: changed(people(HALF), people(HALF, first=20)),
    "strata": lambda: changed(strata(), strata("satisfied"), design={"stratum": "site"}, groups=["site"]),
    "clusters": lambda: changed(strata(), strata("satisfied"), design={"cluster": "site"}),
    "margin": lambda: changed(counted(1800, 200), counted(1805, 195), margins(0.05)),
    "selected": lambda: changed(counted(60, 40), counted(95, 5), demo(**{**RULES, "gates": GATE})),
    "declared": lambda: changed(BEFORE, AFTER, change={"selected": True}),
    "wording": lambda: changed(BEFORE, AFTER, demo(**{**RULES, "items": items()}),
                               old=demo(**{**RULES, "items": items("Speed")})),
    "scale": lambda: changed(BEFORE, AFTER, demo(**RULES),
                             old=demo(**{**RULES, "scale": {"satisfied": 100, "fair": 60, "poor": 20, "dissatisfied": 0}})),
    "mode": lambda: changed(by_channel("paper"), by_channel("app")),
    "split": lambda: split(halves((30, 20), (45, 15))),
    "split in vain": lambda: split(halves((49, 1), (40, 20))),
}  # fmt: skip


def margins(margin):
    return demo(**RULES, change={"margins": {"satisfaction_rate": margin}})


@functools.cache
def situation(name):
    return SITUATIONS[name]()


EACH_SITUATION = pytest.mark.parametrize("name", SITUATIONS)


def test_looks_at_a_running_survey_are_named_and_those_that_cannot_have_been():
    said = text(change_tables.analysis_notes(looked([60, 999]), "en"))
    assert "170 of 400 planned valid forms are here. This is look 2, after looks at 60." in said
    assert "Looks at 999 forms are named, and there are 170 by now" in said
    assert "look 2, the last one" in text(change_tables.analysis_notes(looked([60], 170), "en"))
    assert "This is look" not in text(change_tables.analysis_notes(changed(BEFORE, AFTER), "en"))


def test_a_baseline_of_which_a_part_decided_is_told_with_its_numbers_or_why_it_cannot_be():
    said = text(change_tables.analysis_notes(situation("split"), "en"))
    assert "compared with its other valid forms, 60 of 110" in said and "refused" not in said
    said = text(change_tables.analysis_notes(situation("split in vain"), "en"))
    assert "These alone miss no rule or target" in said and "refused" in said


# --- both languages ---------------------------------------------------------------------------------------------------


@EACH_SITUATION
def test_both_languages_show_the_same_numbers(name):
    zh, en = (everything(situation(name), language, TABLES) for language in LANGUAGES)
    assert [numbers(exhibit) for exhibit in zh] == [numbers(exhibit) for exhibit in en]
    assert text(zh[0]) and text(en[0])


@pytest.mark.parametrize("project, period", [("yuanya", "2024"), ("hengxin", "2024Q4")])
def test_a_demo_page_says_the_same_in_both_languages(project, period):
    zh, en = (everything(run(project, period), language) for language in LANGUAGES)
    assert [numbers(exhibit) for exhibit in zh] == [numbers(exhibit) for exhibit in en]
    assert sum(len(numbers(exhibit)) for exhibit in zh) > 60


def test_every_reason_and_method_has_its_words_and_no_word_is_left_over():
    named = {
        "change_none": REASONS | {"no_baseline", "unreadable"}, "change_apart": REASONS,
        "change_method": METHODS | {"superiority"}, "change_because": METHODS,
        "change_verdict": {
            "improved", "unchanged", "worse", "insufficient", "not_comparable", "improved_less", "worse_less",
        },
        "change_family": {"primary", "exploratory"}, "effectiveness": {"effective", "partly", "not", "pending"},
        "change_limit": {
            "cause", "insufficient", "selected", "silent", "people_none", "people_some", "people_all", "unknown",
            "status", "exploratory",
        },
    }  # fmt: skip
    keys = speak("zh").texts
    for stem, names in named.items():
        assert {key for key in keys if key.startswith(f"{stem}.")} == {f"{stem}.{name}" for name in names}


@EACH_LANGUAGE
@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_is_said_in_a_sentence_and_in_the_table(reason, language):
    bare = dict.fromkeys(("conf_low", "conf_high", "statistic", "p_value", "p_adjusted", "smallest"))
    state = "not_comparable" if reason in ("mode", "population", "wording", "scale", "rules") else "insufficient"
    found = with_row(primary(situation("plain")), "satisfaction_rate", **bare, reason=reason, verdict=state)
    said, shown = verdict(found, language), change_tables.figure_table(found, language)
    assert "{" not in text(said)
    assert change_tables.why_none(reason, found, speak(language)).replace("\u00a0", " ") in text(said)
    first = rows(shown)[1]
    if reason != "count":  # what is counted in full is not judged, and stands last
        assert speak(language)(f"change_apart.{reason}") in first[-1]
        assert first[-2] == "–"
    assert "0.000" not in text(shown)


@EACH_LANGUAGE
@pytest.mark.parametrize("reason", ["no_baseline", "unreadable"])
def test_without_a_baseline_there_is_one_sentence_and_an_empty_page(reason, language):
    nothing = judge_change(assess(survey_of(counted(3, 1), demo(**RULES))))
    shown = everything(replace(nothing, reason=reason), language)
    assert text(shown[0])
    assert [each.html for each in shown[1:]] == [""] * (len(SHOWN) - 1)


# --- the verdict ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, zh, en",
    [
        ("plain", "满意率显著提升", "Satisfaction rate: Improved."),
        ("worse", "满意率显著下降", "Satisfaction rate: Worse."),
        ("margin", "满意率基本持平", "Satisfaction rate: Unchanged."),
        ("same", "满意率有无变化，证据不足，暂不能判定", "Satisfaction rate: Insufficient evidence."),
        ("selected", "满意率：证据不足，暂不能判定", "Satisfaction rate: Insufficient evidence."),
        ("mode", "满意率：口径不同，不可比", "Satisfaction rate: Not comparable."),
        ("nobody", "满意率：证据不足，暂不能判定", "Satisfaction rate: Insufficient evidence."),
    ],
)
def test_the_verdict_comes_first_in_the_words_of_the_glossary(name, zh, en):
    said = [text(change_tables.verdict_sentence(primary(situation(name)), language)) for language in LANGUAGES]
    assert zh in said[0][:40] and said[1].startswith(en)


def primary(found):
    """Return a change that the satisfaction rate decides."""
    table = found.table.assign(family="exploratory")
    return with_row(replace(found, table=table), "satisfaction_rate", family="primary")


def test_a_verdict_brings_values_difference_interval_and_period():
    row, said = situation("plain").row("satisfaction_rate"), text(verdict("plain", "zh"))
    low, high = (f"+{100 * row[end]:.2f}" for end in ("conf_low", "conf_high"))
    assert (
        f"与基期（2023）相比，满意率显著提升：由 75.00% 变为 88.24%，变化 +13.24 个百分点（95% 置信区间：{low}～{high} 个百分点）。"
        in said
    )


def verdict(found, language):
    return change_tables.verdict_sentence(
        found if isinstance(found, change.Change) else primary(situation(found)), language
    )


@EACH_SITUATION
@EACH_LANGUAGE
def test_no_verdict_speaks_of_a_cause_and_the_page_says_so_once(name, language):
    said = text(verdict(name, language))
    assert said.count(speak(language)("change.no_cause")) == 1


def test_insufficient_evidence_names_the_smallest_change_that_could_be_seen():
    found = primary(changed(counted(30, 10), counted(32, 9)))
    smallest = found.row("satisfaction_rate")["smallest"]
    assert f"真实变化达到 {100 * smallest:.2f} 个百分点，才有八成的机会被检验出来" in text(
        change_tables.verdict_sentence(found, "zh")
    )
    without = with_row(found, "satisfaction_rate", smallest=None)
    assert "多大的提升都没有八成的机会" in text(change_tables.verdict_sentence(without, "zh"))


def test_a_project_chosen_by_its_figures_is_told_of_regression_to_the_mean_and_of_the_way_out():
    said = text(verdict("selected", "zh"))
    assert "均值回归" in said and "再做一次基期调查" in said and "八个以上项目" in said
    assert "基期未达到规定或目标的有：满意率" in said
    assert "运行文件注明如此" in text(verdict("declared", "zh"))
    assert "p" not in re.sub(r"[^a-z]", "", said)


def test_a_reason_that_several_figures_share_is_given_once():
    rules = {"primary": ["satisfaction_rate", "delivery.mean"]}
    found = changed(counted(60, 40), counted(95, 5), demo(**{**RULES, "gates": GATE}, change=rules))
    assert text(change_tables.verdict_sentence(found, "zh")).count("均值回归") == 1


@pytest.mark.parametrize("verdict, zh", [("improved", "显著改善"), ("worse", "显著恶化")])
def test_a_figure_of_which_less_is_better_is_not_said_to_rise_or_fall(verdict, zh):
    row = {"id": "complaint_rate", "verdict": verdict}
    assert change_tables.verdict_title(row, speak("zh")) == zh
    assert change_tables.verdict_title(row | {"id": "return_rate"}, speak("zh")) != zh


def test_beyond_what_comes_by_itself_the_expected_value_is_told():
    assert {"expected", "margin", "other_low", "naive_verdict", "delta", "standardised"} <= set(change.CHANGE)
    found = with_row(
        primary(situation("plain")), "satisfaction_rate", expected=0.8, estimate=0.0824, method="predictive"
    )
    assert "本期预计也会是 80.00%。超出预计的部分为 +8.24 个百分点" in text(change_tables.verdict_sentence(found, "zh"))
    assert "从预计值 80.00% 算起" in rows(change_tables.figure_table(found, "zh"))[1][3]


# --- how it was compared ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, methods",
    [
        ("plain", ("Newcombe 法（", "Welch t 检验（")), ("pairs", ("Tango 法（", "配对 t 检验（")),
        ("some", ("部分关联样本对比（",)), ("strata", ("按抽样设计对比（",)), ("selected", ("不采用普通检验（",)),
    ],
)  # fmt: skip
def test_each_analysis_that_was_used_is_named_with_why(name, methods):
    said = text(change_tables.analysis_notes(situation(name), "zh"))
    assert [method for method in methods if method not in said] == []


def test_how_the_surveys_were_made_is_told():
    assert "同一批顾客" in text(change_tables.analysis_notes(situation("pairs"), "zh"))
    assert "样本分层" in text(change_tables.analysis_notes(situation("strata"), "zh"))
    assert "2 个群" in text(change_tables.analysis_notes(situation("clusters"), "zh"))
    assert "回收渠道没有登记" in text(change_tables.analysis_notes(situation("plain"), "zh"))
    assert "构成相差 100.00%" in text(change_tables.analysis_notes(situation("mode"), "zh"))
    assert "运行文件注明，本项目并非因此" in text(
        change_tables.analysis_notes(changed(counted(60, 40), AFTER, demo(**{**RULES, "gates": GATE}),
                                             change={"selected": False}), "zh")
    )  # fmt: skip


def test_the_view_that_does_not_judge_gives_its_interval():
    found = run("hengxin", "2024Q4")
    row = found.row("index")
    shown = speak("zh").difference_interval(row["other_low"], row["other_high"], "share")
    assert shown in text(change_tables.analysis_notes(found, "zh"))


def test_without_a_margin_nothing_can_be_unchanged_and_the_page_says_so():
    assert "不会判为“基本持平”" in text(change_tables.analysis_notes(situation("plain"), "zh"))
    assert "两个单侧检验" in text(change_tables.analysis_notes(situation("margin"), "zh"))


# --- the tables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "p, shown",
    [(0.0, "< 0.001"), (0.00099, "< 0.001"), (0.001, "0.001"), (0.0499, "0.050"), (0.05, "0.050"), (0.0502, "0.051"),
     (0.25, "0.250"), (1.0, "1.000"), (None, "–"), (float("nan"), "–")],
)  # fmt: skip
def test_a_p_value_is_never_nought_and_stays_on_its_side_of_five_per_cent(p, shown):
    assert speak("en").p_value(p) == shown


def test_a_row_brings_everything_a_reviewer_asks_for():
    found = situation("pairs")
    row, shown = found.row("delivery.mean"), rows(change_tables.item_table(found, "en"))
    cells = " | ".join(next(each for each in shown if each[0].startswith("Delivery: mean")))
    for value in (row["before"], row["after"], row["statistic"], row["delta"], row["standardised"]):
        assert speak("en").number(abs(value)) in cells
    for p in (row["p_value"], row["p_adjusted"]):
        assert speak("en").p_value(p) in cells
    assert "df 40" in cells and "n = 41" in cells and "Paired t" in cells


def test_primary_figures_come_first_and_counts_last_without_a_verdict():
    shown = rows(change_tables.figure_table(primary(situation("plain")), "zh"))[1:]
    assert shown[0][0] == "满意率 主要指标"
    assert "不作判定" in shown[-1][-1] and "–" in shown[-1][-2]
    assert all("探索性" in row[0] for row in shown[1:] if "不作判定" not in row[-1])


@EACH_LANGUAGE
def test_the_caption_names_the_families_of_tests(language):
    found = primary(situation("plain"))
    tests = change_tables.families(found)
    caption = ElementTree.fromstring(change_tables.item_table(found, language).html).find(".//caption").text
    assert re.findall(r"\d+", caption) == ["1", str(tests["exploratory"])]


def test_a_question_without_a_value_is_named_and_not_listed():
    now = demo(**{**RULES, "items": [*items(), {"id": "price", "title": "Price", "weight": 0.0, "optional": True}]})
    asked = "form_id | delivery | service | price | count\na | fair | fair | fair | 30"
    said = text(change_tables.item_table(changed(counted(60, 40), asked, now), "zh"))
    assert "未列入：“Price”平均分、“Price”分项满意率。" in said


def test_the_margin_stands_beside_the_verdict():
    shown = rows(change_tables.figure_table(primary(situation("margin")), "zh"))[1]
    assert "基本持平" in shown[-1] and "界限 ±5.00" in shown[-1]


# --- groups -----------------------------------------------------------------------------------------------------------


def test_groups_are_exploration_and_small_ones_are_suppressed():
    rules = {**RULES, "change": {"primary": ["satisfaction_rate"]}, "min_n": 15}
    lines = strata() + "\nx | fair | fair | small | 3\ny | fair | fair | little | 14"
    found = changed(lines, lines, demo(**rules), groups=["site"])
    said, shown = text(change_tables.group_table(found, "zh")), rows(change_tables.group_table(found, "zh"))
    assert "探索性" in said and "少于 15 的分组不公布" in said
    hidden = [row for row in shown if "不公布" in row[1]]
    assert [row[0] for row in hidden] == ["site：little", "site：small"]
    assert all(row[2:] == ["–", "–", "–"] for row in hidden)


def test_groups_of_a_chosen_project_are_shown_without_a_test():
    rules = {**RULES, "gates": [GATE[0] | {"threshold": 0.99}], "change": {"primary": ["satisfaction_rate"]}}
    found = changed(strata(), strata("satisfied"), demo(**rules), groups=["site"])
    shown = rows(change_tables.group_table(found, "zh"))[1:]
    assert [row[-1] for row in shown] == ["–", "–"]
    assert "各组也随之入选" in text(change_tables.group_table(found, "zh"))


def test_without_groups_a_sentence_says_so():
    assert text(change_tables.group_table(situation("plain"), "zh")) == "没有可以分组比较的主要指标。"


# --- other ways -------------------------------------------------------------------------------------------------------


def test_the_naive_test_stands_beside_the_verdict_and_differences_are_named():
    said = text(change_ways.naive_table(situation("selected"), "zh"))
    assert "与本报告不同" in said and "结论全部不同" in said
    assert "结论都相同" in text(change_ways.naive_table(situation("worse"), "zh"))
    one = with_row(situation("worse"), "delivery.mean", verdict="insufficient")
    assert "有 1 项结论不同：“交货”平均分。" in text(change_ways.naive_table(one, "zh"))


def test_the_ways_say_how_many_agree_and_that_this_is_no_evidence():
    found = changed(BEFORE, AFTER, demo(**RULES, change={"primary": ["satisfaction_rate"]}))
    said, shown = text(change_ways.paths_table(found, "zh")), rows(change_ways.paths_table(found, "zh"))
    assert len(shown) == 1 + len(found.paths) > 2
    assert f"有效的做法共 {len(found.paths)} 种，其中 {len(found.paths)} 种（100%）" in said
    assert "不能算作证据" in said and said.count("本报告采用") == 1 + 1  # one row, one note


def test_where_figures_are_refused_there_is_no_other_way():
    assert text(change_ways.paths_table(situation("selected"), "zh")) == speak("zh")("change.no_paths")


# --- what was done ----------------------------------------------------------------------------------------------------

ACTION = dict.fromkeys(ACTIONS, "") | {
    "action_id": "A1", "description": "两小时内上门", "target_item": "delivery", "figure": "delivery.satisfied",
    "department": "工程部", "due_on": pd.Timestamp("2024-03-31"), "completed_on": None, "verified_on": None,
    "minimal_change": 0.05, "planned": True, "effectiveness": "effective", "judged": None,
}  # fmt: skip


def acted(*actions, plan=""):
    return replace(situation("plain"), actions=pd.DataFrame(actions, columns=ACTIONS, dtype=object), plan=plan)


def test_an_action_is_shown_with_what_it_is_judged_by_and_its_effectiveness_apart():
    unplanned = ACTION | {"planned": False, "effectiveness": "pending", "figure": "", "minimal_change": None}
    found = acted(ACTION, unplanned | {"due_on": None, "judged_by": "问卷之外"})
    first, second = rows(change_ways.action_table(found, "zh"))[1:]
    assert first[0].endswith("工程部")
    assert first[1:] == [
        "期限 2024 年 3 月 31 日",
        "交货：分项满意率 最小有意义变化 5.00 个百分点",
        "是",
        "显著提升 +13.24 个百分点",
        "有效",
    ]
    assert second[1:] == ["–", "问卷之外", "否（探索性）", "–", "待验证"]
    assert "各自独立" in text(change_ways.action_table(found, "zh"))


def test_an_action_for_some_units_is_shown_with_what_became_of_them():
    *_, change, _ = rows(change_ways.action_table(local("A, B"), "en"))[1]
    assert change == "Improved site: A, B +25.00 percentage points"
    *_, change, _ = rows(change_ways.action_table(local("tower"), "en"))[1]
    assert change == "Not judged its units, tower, are no declared groups"


def test_the_test_of_an_action_in_its_units_is_counted_with_the_primary_ones():
    said = text(change_tables.analysis_notes(local("A"), "en"))
    assert "Their tests (2) are one family" in said
    assert "each judged in its own units (1; see the table of actions)" in said
    assert "in its own units" not in text(change_tables.analysis_notes(local("all"), "en"))


def test_the_plan_shows_its_checksum_and_what_it_covers():
    said = text(change_ways.plan_note(acted(ACTION, plan="ab12" * 16), "zh"))
    assert "ab12" * 16 in said and "共 1 项" in said and "计划之外的发现均为探索性" in said
    assert "均为探索性" in text(change_ways.plan_note(acted(ACTION), "zh"))


def test_without_actions_a_sentence_says_so():
    assert text(change_ways.action_table(situation("plain"), "en")) == "No action between the two surveys is on record."


# --- what a stranger may have written ---------------------------------------------------------------------------------


@EACH_LANGUAGE
def test_hostile_texts_are_texts(language):
    hostile = "<script>alert('x')</script> & {name}"
    titled = [{"id": "delivery", "title": hostile, "weight": 0.6}, {"id": "service", "title": "S", "weight": 0.4}]
    rules = {**RULES, "items": titled, "change": {"primary": ["delivery.mean", "delivery.satisfied"]}}
    lines = strata().replace("| a |", f"| {hostile} |")
    found = changed(lines, lines, demo(**rules), groups=["site"])
    action = ACTION | {"description": hostile, "department": hostile, "action_id": hostile, "judged_by": hostile}
    found = replace(found, actions=pd.DataFrame([action], columns=ACTIONS, dtype=object))
    html = "".join(each.html for each in everything(found, language))
    assert "<script" not in html and "&lt;script" in html
    assert "{name}" in html


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, said, unsaid",
    [
        ("plain", "不涉及原因", "均值回归"),
        ("selected", "均值回归", "两期都作答的人"),
        ("pairs", "两期都作答的人", "均值回归"),
    ],
)
def test_the_limits_are_those_of_the_situation(name, said, unsaid):
    limits = text(change_ways.change_limits(situation(name), "zh"))
    assert said in limits and unsaid not in limits
