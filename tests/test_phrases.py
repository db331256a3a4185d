"""A result is said in the field's words, in both languages, from its own figures; titles pass through as they are."""

import functools
import math
import re

import pytest

from conftest import demo, remembered, run_of, survey_of
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.words import speak
from csat_analysis.publishing import phrases

LANGUAGES = ["zh", "en"]
ZH, EN = speak("zh"), speak("en")
FORMS = "form_id | delivery | service | count\n"
SATISFIED = {"satisfied": {"levels": ["satisfied"]}}
LEVELS = {
    "levels": [
        {"id": "satisfied", "title": {"zh": "满意", "en": "Satisfied"}},
        {"id": "fair", "title": {"zh": "一般", "en": "Fair"}},
        {"id": "dissatisfied"},
    ]
}
TITLED = {"scale": LEVELS, "points": {"values": {"satisfied": 100, "fair": 60, "dissatisfied": -25.5}}}
VOIDS = {
    "measure": "invalid_rate",
    "comparison": "at_most",
    "threshold": 0.3,
    "voids": "unless_remedied",
    "otherwise": "remedy",
    "clause": "6",
}
KNOWN = {"distributed": 10, "complaints": 0, "deliveries": 10}  # with them the index has a value
BLANK = "a | satisfied | fair | 6\nb | | | 4"  # 4 of 10 forms are invalid


@remembered
def result(rows="a | satisfied | fair | 7", counts=None, plan=None, run=None, **keys) -> Assessment:
    """Return what the demonstration says of a few forms of 10, with keys of the procedure replaced."""
    plan = {"counts": {"distributed": 10} if counts is None else counts, **(plan or {})}
    return assess(survey_of(FORMS + rows, demo(**keys), plan=plan, **(run or {})))


def spaced(text: str) -> str:
    """Return a text whose unbreakable spaces are plain ones."""
    return text.replace("\u00a0", " ")


# --- names --------------------------------------------------------------------------------------------


def test_a_thing_has_its_title_and_without_one_its_id():
    programme = demo(**TITLED, items=[{"id": "delivery", "title": {"zh": "交货", "en": "Delivery"}}, {"id": "service"}])
    assert [phrases.item_title(programme, item, ZH) for item in programme.item_ids] == ["交货", "service"]
    assert [phrases.level_title(programme, level, EN) for level in programme.level_ids] == [
        "Satisfied",
        "Fair",
        "dissatisfied",
    ]
    graded = demo(grades=[{"id": "good", "title": {"zh": "优", "en": "Good"}, "lower": 85}, {"id": "poor", "lower": 0}])
    assert [phrases.grade_title(graded, grade, ZH) for grade in ("good", "poor")] == ["优", "poor"]
    told = demo(triggers=[{"id": "flag", "title": {"zh": "催收", "en": "Remind"}}])
    assert [phrases.trigger_title(told, trigger, EN) for trigger in ("flag", "other")] == ["Remind", "other"]


@pytest.mark.parametrize(
    "level, zh, en",
    [
        ("not_applicable", "不适用", "Not applicable"),
        ("", "单项弃权", "Not answered"),
        ("empty", "单项弃权", "Not answered"),
        ("great", "great", "great"),
    ],
)
def test_what_is_no_level_of_the_scale_is_said_too(level, zh, en):
    assert (phrases.level_title(demo(), level, ZH), phrases.level_title(demo(), level, EN)) == (zh, en)


@pytest.mark.parametrize(
    "name, zh, en",
    [
        ("return_rate", "回收率", "Return rate"),
        ("index", "满意度指数", "Satisfaction index"),
        ("delivery.mean", "交货：平均分", "Delivery: mean points"),
        ("service.satisfied", "服务：分项满意率", "Service: item satisfaction rate"),
    ],
)
def test_whatever_a_gate_looks_at_has_a_title(name, zh, en):
    assert (phrases.measure_title(demo(), name, ZH), phrases.measure_title(demo(), name, EN)) == (zh, en)


def test_an_index_may_have_a_title_of_its_own():
    index = {"terms": {"survey_rate": 1}, "title": {"zh": "顾客满意率", "en": "Customer satisfaction"}, "unit": "share"}
    programme = demo(index=index, grades=None)
    assert phrases.measure_title(programme, "index", ZH) == "顾客满意率"


def test_a_column_of_groups_is_called_what_the_run_file_calls_it():
    run = run_of(groups=["Q12", "floor"], design={"stratum": "STR"}, names={"Q12": {"zh": "楼栋", "en": "Building"}})
    assert [phrases.column_title(run, name, ZH) for name in ("Q12", "floor", "stratum")] == ["楼栋", "floor", "STR"]
    named = run_of(design={"stratum": "STR"}, names={"STR": {"zh": "区域", "en": "Area"}})
    assert phrases.column_title(named, "stratum", EN) == "Area"


def test_the_values_of_a_column_are_called_and_ordered_as_the_run_file_says():
    levels = {"floor": {"G": {"zh": "底层", "en": "Ground floor"}, "1": "1F"}}
    run = run_of(groups=["floor"], levels=levels)
    assert phrases.in_order(run, "floor", ["10", "2", "1", "G"]) == ["G", "1", "2", "10"]
    assert [phrases.group_title(run, "floor", level, ZH) for level in ("G", "1", "2")] == ["底层", "1F", "2"]
    stratified = run_of(design={"stratum": "floor"}, levels=levels)
    assert phrases.group_title(stratified, "stratum", "G", EN) == "Ground floor"
    assert phrases.in_order(stratified, "stratum", {"B12", "B2", "G", ""}) == ["G", "", "B2", "B12"]


@pytest.mark.parametrize(
    "rule, identifier, name",
    [
        ("item", "service", "题目“服务”"),
        ("step", "service", "步骤“上门服务”"),
        ("trigger", "flag", "未达标时应采取的措施“催收”"),
        ("register", "good", "记录“优良名册”"),
        ("grade", "good", "评价等级“good”"),
        ("contradiction", "clash", "自相矛盾的答案：前后矛盾"),
        ("gate", "return_rate", "回收率的规定"),
        ("gate", "delivery.mean", "交货：平均分的规定"),
        ("measure", "survey_rate", "指标“满意度调查率”"),
        ("scale", "", "答案选项"),
        ("min_n", "", "分组少于多少份时不予公布"),
    ],
)
def test_a_rule_is_called_by_its_kind_and_its_own_title(rule, identifier, name):
    answers = {"delivery": ["satisfied"], "service": ["dissatisfied"]}
    programme = demo(
        triggers=[{"id": "flag", "title": "催收"}], registers=[{"id": "good", "title": "优良名册"}],
        steps=[{"id": "service", "title": "上门服务"}],
        validity={"contradictions": [{"id": "clash", "title": "前后矛盾", "answers": answers}]},
    )  # fmt: skip
    assert phrases.rule_name(rule, identifier, programme, ZH) == name


@pytest.mark.parametrize(
    "reason, zh, en",
    [
        ("blank", "没有可用的回答", "no answer that can be used"),
        ("too_few", "作答不足 2 题", "fewer than 2 questions answered"),
        ("too_small_share", "作答不足所问题目的 66.667%", "fewer than 66.667 % of the questions answered"),
        ("clash", "前后矛盾", "Clash"),
    ],
)
def test_an_invalid_form_has_its_reason_in_words(reason, zh, en):
    answers = {"delivery": ["satisfied"], "service": ["dissatisfied"]}
    clash = {"id": "clash", "title": {"zh": "前后矛盾", "en": "Clash"}, "answers": answers}
    programme = demo(validity={"min_answered": 2, "min_share": 0.66667, "contradictions": [clash]})
    said = [phrases.invalid_title(reason, programme, words) for words in (ZH, EN)]
    assert [spaced(text) for text in said] == [zh, en]


# --- definitions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in MEASURES if name != "latent_index"])  # which is no ratio
def test_every_measure_says_what_is_divided_by_what(name):
    for words in (ZH, EN):
        assert re.fullmatch(r"[^÷{}]+ ÷ ?[^÷{}]+", phrases.formula(demo(), name, words))


@pytest.mark.parametrize(
    "denominator, form, zh, en",
    [
        ("valid", {"reading": "all_items"}, "有效份数", "valid forms"),
        ("returned", {"reading": "item", "item": "delivery"}, "回收份数", "returned forms"),
        ("distributed", None, "实发份数", "distributed forms"),
        (
            "answered",
            {"reading": "item", "item": "delivery"},
            "答了“交货”一题的份数",
            "forms with an answer to “Delivery”",
        ),
        ("answered", {"reading": "all_items"}, "至少答了一题的份数", "forms with at least one answer"),
        ("answered", None, "至少答了一题的份数", "forms with at least one answer"),
    ],
)
def test_a_satisfaction_rate_names_its_base(denominator, form, zh, en):
    programme = demo(satisfaction_rate={"denominator": denominator}, satisfied_form=form, **SATISFIED)
    assert phrases.formula(programme, "satisfaction_rate", ZH) == f"满意份数 ÷ {zh}"
    assert phrases.formula(programme, "satisfaction_rate", EN) == f"satisfied forms ÷ {en}"


@pytest.mark.parametrize(
    "terms, formula",
    [
        ({"weighted_score": 1, "complaint_rate": -100}, "满意度得分 − 100 × 投诉率"),
        ({"weighted_score": 0.5, "survey_rate": 50}, "0.5 × 满意度得分 + 50 × 满意度调查率"),
        ({"complaint_rate": -1, "survey_rate": 1}, "− 投诉率 + 满意度调查率"),
    ],
)
def test_an_index_is_said_term_by_term(terms, formula):
    assert phrases.formula(demo(index=terms), "index", ZH) == formula


@pytest.mark.parametrize(
    "rows, counts, terms, text",
    [
        # a form of 84 points, 1 complaint in 100 deliveries
        ("a | satisfied | fair | 1", (1, 100), {"weighted_score": 1, "complaint_rate": -100}, "84.00 − 100 × 1.00% = 83.00"),
        # 1 ÷ 300 is shown as 0.33%: 84 − 100 × 0.33% = 83.67 as well
        ("a | satisfied | fair | 1", (1, 300), {"weighted_score": 1, "complaint_rate": -100}, "84.00 − 100 × 0.33% = 83.67"),
        # two forms of 84 points and one of 60; 2 ÷ 3,000 is shown as 0.07%, and 76 − 0.7 is not 75.33
        ("a | satisfied | fair | 2\nb | fair | | 1", (2, 3000), {"weighted_score": 1, "complaint_rate": -1000},
         "76.00 − 1000 × 0.07% ≈ 75.33"),
        ("a | satisfied | fair | 1", (1, 100), {"complaint_rate": -1, "weighted_score": 0.5}, "− 1.00% + 0.5 × 84.00 = 41.99"),
    ],
)  # fmt: skip
def test_the_index_is_shown_as_a_sum_and_rounding_that_shows_is_marked(rows, counts, terms, text):
    complaints, deliveries = counts
    found = result(rows, {"complaints": complaints, "deliveries": deliveries}, index=terms)
    assert phrases.index_sum(found, ZH) == text
    assert spaced(phrases.index_sum(found, EN)) == text.replace("%", " %")


def test_an_index_that_cannot_be_computed_is_no_sum():
    assert phrases.index_sum(result(), ZH) == ""
    assert phrases.index_sum(result(index=None, grades=None), ZH) == ""


def test_points_are_listed_with_a_true_minus_sign():
    programme = demo(**TITLED)
    assert (
        phrases.points_listing(programme.points.values, programme, ZH)
        == "满意\u00a0=\u00a0100、一般\u00a0=\u00a060、dissatisfied\u00a0=\u00a0−25.5"
    )


@pytest.mark.parametrize(
    "form, zh, en",
    [
        ({"reading": "item", "item": "delivery"}, "“交货”一题答“满意”或“一般”", "its answer to “Delivery” is “Satisfied” or “Fair”"),
        ({"reading": "all_items"}, "所答各题均答“满意”或“一般”", "all its answers are “Satisfied” or “Fair”"),
        (
            {"reading": "share_of_items", "share": 0.8},
            "所答各题中至少 80.00% 答“满意”或“一般”",
            "at least 80.00 % of its answers are “Satisfied” or “Fair”",
        ),
    ],
)  # fmt: skip
def test_what_a_satisfied_form_is_can_be_read(form, zh, en):
    programme = demo(satisfied={"levels": ["satisfied", "fair"]}, satisfied_form=form, **TITLED)
    assert [spaced(phrases.satisfied_reading(programme, words)) for words in (ZH, EN)] == [zh, en]


def test_without_a_satisfied_form_there_is_none():
    assert (phrases.satisfied_reading(demo(), ZH), phrases.satisfied_reading(demo(), EN)) == ("无", "none")


# --- sentences ----------------------------------------------------------------------------------------


def status(words, rows=BLANK, **remedy) -> tuple[str, list[str]]:
    """Return the status of a survey in which 40 % are invalid, and what is said of it after the first sentence."""
    found = result(rows, plan={"remedy": remedy} if remedy else None, gates=[VOIDS])
    first, *others = phrases.status_sentences(found, words)
    assert found.status == "reportable" or "40.00" in first
    return found.status, others


@pytest.mark.parametrize(
    "remedy, state, zh, en",
    [
        ({}, "remedy_due", "未定补救期限。", "No date is set for the remedy."),
        (
            {"due_on": "2025-01-10"}, "remedy_due",
            "补救期限为 2025 年 1 月 10 日（本单位设定）；逾期未补救的，该次结果视为无效。",
            "The remedy is due by 2025-01-10 (a date set by this organisation); past it without a remedy, the survey is void.",
        ),
        ({"closed_on": "2025-01-11"}, "remedy_due", "未定补救期限。", "No date is set for the remedy."),
        (
            {"due_on": "2025-01-09"}, "void", "补救期限（2025 年 1 月 9 日）已过，未见补救完成的登记。",
            "The remedy was due by 2025-01-09; none is on record.",
        ),
        (
            {"due_on": "2025-01-05", "closed_on": "2025-01-05"}, "void", "补救已于 2025 年 1 月 5 日完成。",
            "The remedy was closed on 2025-01-05.",
        ),
        ({"closed_on": "2025-01-10"}, "void", "补救已于 2025 年 1 月 10 日完成。", "The remedy was closed on 2025-01-10."),
        (
            {"due_on": "2025-01-04", "closed_on": "2025-01-05"}, "void",
            "补救于 2025 年 1 月 5 日完成，晚于期限（2025 年 1 月 4 日）。",
            "The remedy was closed on 2025-01-05, after it was due (2025-01-04).",
        ),
    ],
)  # fmt: skip
def test_the_status_says_what_became_of_the_remedy(remedy, state, zh, en):
    assert (status(ZH, **remedy), status(EN, **remedy)) == ((state, [zh]), (state, [en]))


def test_a_survey_that_was_mended_in_time_says_when():
    found = status(EN, "a | satisfied | fair | 7", due_on="2025-01-09", closed_on="2025-01-05")
    assert found == ("reportable", ["The remedy was closed on 2025-01-05."])


def test_a_status_names_the_condition_that_is_not_met():
    (first, _) = phrases.status_sentences(result(BLANK, gates=[VOIDS]), ZH)
    assert spaced(first).startswith("未达到结果有效的条件：无效占比 40.00%（规定：≤ 30.00%）。")
    (only,) = phrases.status_sentences(result(counts=KNOWN, gates=[VOIDS]), ZH)
    assert only == "本次调查结果可以使用。"


NO_VALUE = ("主要指标没有可用的数值。", "The headline figure has no value that can be used.")
UNJUDGED = (
    "规程未规定结果无效的条件，按有效列出。",
    "The procedure does not say when results are void; they are reported as they stand.",
)


@pytest.mark.parametrize(
    "keys, said",
    [
        ({"counts": KNOWN, "gates": [VOIDS]}, ("本次调查结果可以使用。", "The figures may be used.")),
        ({"counts": KNOWN}, UNJUDGED),  # its one rule voids nothing
        ({"counts": KNOWN, "gates": []}, UNJUDGED),
        ({"gates": [VOIDS]}, NO_VALUE),  # an index of complaints, and no deliveries
        ({"gates": []}, NO_VALUE),
        ({"headline": "weighted_score", "gates": [VOIDS]}, ("本次调查结果可以使用。", "The figures may be used.")),
        ({"headline": "distribution_rate", "gates": [VOIDS]}, NO_VALUE),
    ],
)
def test_a_reportable_status_says_on_what_it_stands(keys, said):
    found = result(**keys)
    assert found.status == "reportable"
    assert [phrases.status_sentences(found, words) for words in (ZH, EN)] == [[text] for text in said]


def test_a_condition_that_is_not_met_is_named_whether_or_not_there_is_a_headline():
    for counts in (KNOWN, {"distributed": 10}):
        first, *_ = phrases.status_sentences(result(BLANK, counts, gates=[VOIDS]), EN)
        assert spaced(first).startswith(
            "A condition for valid results is not met: Invalid rate 40.00 % (rule: ≤ 30.00 %)."
        )


def test_the_return_is_told_with_its_rate():
    found = result(BLANK + "\nc | great | | 1000", {"distributed": 2000})
    assert phrases.return_sentence(found, ZH) == "实发 2,000 份，回收 1,010 份，回收率 50.50%，其中有效 6 份。"
    assert spaced(phrases.return_sentence(found, EN)) == (
        "1,010 of 2,000 forms came back (return rate 50.50 %), 6 of them valid."
    )


def test_a_return_of_an_unknown_number_has_no_rate():
    assert phrases.return_sentence(result(counts={}), ZH) == (
        "回收 7 份，其中有效 7 份；实发份数未提供，无法计算回收率。"
    )


def test_a_number_that_was_given_as_zero_is_not_called_unknown():
    found = result(counts={"distributed": 0})
    assert "未提供" not in phrases.return_sentence(found, ZH)
    assert "not known" not in phrases.return_sentence(found, EN)


def test_the_rules_are_counted_and_those_that_are_not_met_are_named():
    gates = [
        {"measure": "return_rate", "comparison": "at_least", "threshold": 0.7, "otherwise": "flag"},
        {"measure": "valid_rate", "comparison": "more_than", "threshold": 1, "otherwise": "flag"},
        {"measure": "distribution_rate", "comparison": "at_least", "threshold": 0.9},
        {"measure": "invalid_rate", "comparison": "less_than", "threshold": 0.1, "severity": "target"},
    ]
    found = result(
        "a | satisfied | fair | 6", gates=gates, triggers=[{"id": "flag", "title": {"zh": "催收", "en": "Remind"}}]
    )
    assert [spaced(text) for text in phrases.gate_sentences(found, ZH)] == [
        "规程的规定与目标共 4 项，达标 1 项。",
        "未达标：回收率 60.00%（规定：≥ 70.00%）、有效率 100.00%（规定：> 100.00%）。",
        "无数据：发放率 –（规定：≥ 90.00%）。",
        "据此应采取：催收。",
    ]
    assert [spaced(text) for text in phrases.gate_sentences(found, EN)] == [
        "Met: 1 of 4 rules and targets of the procedure.",
        "Not met: Return rate 60.00 % (rule: ≥ 70.00 %), Valid rate 100.00 % (rule: > 100.00 %).",
        "Without data: Distribution rate – (rule: ≥ 90.00 %).",
        "Required: Remind.",
    ]


def test_a_target_that_is_missed_is_called_a_target_and_stands_apart_from_the_rules():
    target = {"measure": "return_rate", "comparison": "at_least", "threshold": 0.9, "severity": "target"}
    rule = {"measure": "valid_rate", "comparison": "more_than", "threshold": 1}
    found = result(gates=[target, rule])
    assert [spaced(text) for text in phrases.gate_sentences(found, ZH)] == [
        "规程的规定与目标共 2 项，达标 0 项。",
        "未达标：有效率 100.00%（规定：> 100.00%）。",
        "未达目标：回收率 70.00%（目标：≥ 90.00%）。",
    ]
    assert [spaced(text) for text in phrases.gate_sentences(found, EN)] == [
        "Met: 0 of 2 rules and targets of the procedure.",
        "Not met: Valid rate 100.00 % (rule: > 100.00 %).",
        "Targets missed: Return rate 70.00 % (target: ≥ 90.00 %).",
    ]


@pytest.mark.parametrize("severity, zh, en", [("rule", "规定", "rule"), ("target", "目标", "target")])
def test_what_is_too_close_to_tell_is_borderline_with_its_certainty_and_not_called_met_or_missed(severity, zh, en):
    # 9 of 10 satisfied of an unknown population: with Beta(10, 2) the certainty of 70 % or more is 88.7 %
    gate = {"measure": "satisfaction_rate", "comparison": "at_least", "threshold": 0.7, "severity": severity}
    found = result(
        "a | satisfied | fair | 9\nb | fair | fair | 1", gates=[gate],
        satisfied_form={"reading": "item", "item": "delivery"}, **SATISFIED,
    )  # fmt: skip
    certainty = sum(math.comb(11, k) * 0.7**k * 0.3 ** (11 - k) for k in range(10))
    assert round(100 * certainty, 1) == 88.7
    assert [spaced(text) for text in phrases.gate_sentences(found, ZH)] == [
        "规程的规定与目标共 1 项，达标 0 项。",
        f"临界，证据不足以判定：满意率 90.00%（{zh}：≥ 70.00%），达标的把握度 88.7%。",
    ]
    assert [spaced(text) for text in phrases.gate_sentences(found, EN)] == [
        "Met: 0 of 1 rules and targets of the procedure.",
        f"Borderline, too close to tell: Satisfaction rate 90.00 % ({en}: ≥ 70.00 %), certainty that it is met 88.7 %.",
    ]


def test_what_still_grows_is_in_progress_and_sets_nothing_off():
    gate = {
        "measure": "return_rate", "comparison": "at_least", "threshold": 0.9, "cumulated": True, "otherwise": "flag",
    }  # fmt: skip
    found = result(plan={"as_of": "2024-12-30"}, gates=[gate])
    assert [spaced(text) for text in phrases.gate_sentences(found, ZH)] == [
        "规程的规定与目标共 1 项，达标 0 项。",
        "尚在进行中：回收率 70.00%（规定：≥ 90.00%）。",
    ]


def test_without_rules_there_is_nothing_to_say_of_them():
    assert phrases.gate_sentences(result(gates=[]), ZH) == []


# --- titles are only text -----------------------------------------------------------------------------

HOSTILE = ["<script>alert(1)</script>", "{{7*7}}", "{0}", "{name}", "%s", "&lt;", "\\", "$x$"]


@functools.cache
def named(title: str) -> Assessment:
    """Return a survey in which everything that has a name has this one."""
    scale = {"levels": [{"id": level, "title": title} for level in ("satisfied", "fair", "dissatisfied")]}
    gates = [
        {
            "measure": "index",
            "comparison": "at_least",
            "threshold": 90,
            "otherwise": "flag",
            "voids": "unless_remedied",
        },
        {"measure": "delivery.mean", "comparison": "at_least", "threshold": 101},
    ]
    return result(
        "a | satisfied | fair | 1", scale=scale, points={"values": {"satisfied": 1, "fair": 0, "dissatisfied": 0}},
        items=[{"id": "delivery", "title": title}, {"id": "service"}], index={"terms": {"weighted_score": 1}, "title": title},
        gates=gates, triggers=[{"id": "flag", "title": title}], grades=[{"id": "good", "title": title, "lower": 0}],
        satisfied_form={"reading": "item", "item": "delivery"}, satisfaction_rate={"denominator": "answered"}, **SATISFIED,
    )  # fmt: skip


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_title_passes_through_a_sentence_as_it_is(title, language):
    words, found = speak(language), named(title)
    programme = found.survey.programme
    said = [
        phrases.measure_title(programme, "index", words), phrases.measure_title(programme, "delivery.mean", words),
        phrases.satisfied_reading(programme, words), phrases.points_listing(programme.points.values, programme, words),
        phrases.status_sentences(found, words)[0], *phrases.gate_sentences(found, words)[1:],
        phrases.grade_title(programme, "good", words), phrases.base_title(programme, words),
    ]  # fmt: skip
    assert [text for text in said if title not in text] == []
    assert phrases.column_title(run_of(names={"Q1": title}, groups=["Q1"]), "Q1", words) == title


def test_a_condition_without_data_is_not_called_met():
    found = result(
        BLANK, counts={}, headline="weighted_score", gates=[VOIDS], triggers=[{"id": "remedy", "title": "R"}]
    )
    assert found.status == "reportable"
    assert phrases.status_sentences(found, EN)[0].startswith("The data to judge whether the results are valid were not")
