"""A procedure's rules are said with their sources, its gaps are listed, and its worked example shows both results."""

import functools
import re
from xml.etree import ElementTree

import pytest

from conftest import demo
from csat_analysis.assembly.assessment import ITEM_FIGURES
from csat_analysis.ground import params
from csat_analysis.ground.clauses import rules
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.words import speak
from csat_analysis.publishing import rulebook
from csat_analysis.publishing.markup import Exhibit
from publishing import Page

LANGUAGES = ["zh", "en"]
FOLDER = params.shipped("params", "programmes")
SHIPPED = {path.stem: params.read_programme(path).content for path in sorted(FOLDER.glob("*.yml"))}
ASSUMED = speak("zh")("source.assumption")
LEVELS = [
    {"id": "good", "title": {"zh": "好", "en": "Good"}},
    {"id": "poor", "title": {"zh": "差", "en": "Poor"}},
]
EVERYTHING = {
    "scale": {"levels": LEVELS, "clause": "1.1"},
    "points": {"values": {"good": 100, "poor": -50.5}},
    "satisfied": {"levels": ["good"], "clause": "1.2", "note": {"zh": "见附表。", "en": "See the annex."}},
    "items": [
        {"id": "delivery", "title": {"zh": "交货", "en": "Delivery"}, "weight": 0.6, "points": {"good": 1, "poor": 0}},
        {"id": "service", "title": {"zh": "服务", "en": "Service"}, "weight": 0.4, "clause": "1.3"},
        {"id": "packaging", "title": {"zh": "包装", "en": "Packaging"}, "optional": True},
    ],
    "full_points": {"value": 3.5, "clause": "1.4"},
    "validity": {
        "min_answered": 2,
        "min_share": 0.6,
        "clause": "2",
        "contradictions": [
            {
                "id": "clash",
                "title": {"zh": "前后矛盾", "en": "Clash"},
                "answers": {"delivery": ["good"], "service": ["good", "poor"]},
                "clause": "2.1",
            }
        ],
    },
    "satisfied_form": {"reading": "share_of_items", "share": 0.8},
    "satisfaction_rate": {"denominator": "returned", "clause": "3"},
    "measures": [{"id": "survey_rate", "clause": "4.1"}, "complaint_rate"],
    "gates": [
        {"measure": "return_rate", "comparison": "at_least", "threshold": 0.7, "clause": "5.2", "otherwise": "flag"},
        {"measure": "delivery.mean", "comparison": "more_than", "threshold": 3, "severity": "target"},
    ],
    "triggers": [{"id": "flag", "title": {"zh": "催收", "en": "Remind"}, "clause": "5.3"}],
    "index": {"terms": {"weighted_score": 1, "complaint_rate": -100}, "clause": "6"},
    "grades": [{"id": "fine", "title": {"zh": "优", "en": "Fine"}, "lower": 85}],
    "steps": [
        {"id": "survey", "title": {"zh": "调查", "en": "Survey"}, "every": "half_year", "clause": "7"},
        {
            "id": "plan",
            "title": {"zh": "计划", "en": "Plan"},
            "before": "fieldwork",
            "months": 1,
            "responsible": {"zh": "办公室", "en": "Office"},
            "record": "minutes",
        },
        {"id": "approval", "title": {"zh": "审批", "en": "Approval"}, "before": "survey", "when_needed": True},
        {"id": "report", "title": {"zh": "报告", "en": "Report"}},
    ],
    "registers": [{"id": "minutes", "title": {"zh": "会议记录", "en": "Minutes"}, "clause": "8"}],
    "interpretations": [
        {"of": "5.2", "text": {"zh": "回收率 = 回收 ÷ 实发。", "en": "The return rate is returned ÷ distributed."}},
        {
            "of": "7",
            "text": {"zh": "半年自 1 月起算。", "en": "The first half year begins in January."},
            "note": {"zh": "待确认。", "en": "To be confirmed."},
        },
    ],
    "worked_example": {"responses": "form_id | delivery | service\na | good | poor", "expect": {"returned": 1}},
}


def read(exhibit: Exhibit) -> ElementTree.Element:
    """Return the tree of an exhibit; every tag of it is closed."""
    return ElementTree.fromstring(f"<body>{exhibit.html}</body>")


def lines(exhibit: Exhibit, number: int = 0) -> list[list[str]]:
    """Return the cells of a table's rows; smaller lines of a cell are set off by /."""
    body = read(exhibit).findall(".//tbody")[number]
    return [[" / ".join(cell.itertext()).replace("\u00a0", " ") for cell in row] for row in body]


def example(responses: str, expect: dict, **keys) -> Programme:
    """Return a procedure with a worked example of its own."""
    about = {"responses": responses, "expect": expect, "counts": keys.pop("counts", {}), **keys.pop("about", {})}
    return demo(worked_example=about, **keys)


# --- the rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number, rule",
    list(
        enumerate(
            [
                ["答案选项", "好、差", "条款 1.1", ""],
                ["各选项分值", "好 = 100、差 = −50.5", ASSUMED, ""],
                ["计为满意的选项", "好", "条款 1.2", "见附表。"],
                ["题目“交货”", "权重 0.6；好 = 1、差 = 0", ASSUMED, ""],
                ["题目“服务”", "权重 0.4", "条款 1.3", ""],
                ["题目“包装”", "列入问卷，不计权重", ASSUMED, ""],
                ["有效问卷的条件", "至少回答 2 题；作答或选“不适用”的项不少于 60.00%", "条款 2", ""],
                ["自相矛盾的答案：前后矛盾", "交货：“好”；服务：“好”或“差”", "条款 2.1", ""],
                ["一份问卷的满分", "3.5", "条款 1.4", ""],
                ["一份问卷计为满意的条件", "所答各题中至少 80.00% 答“好”", ASSUMED, ""],
                ["满意率的分母", "回收份数", "条款 3", ""],
                ["回收率的规定", "≥ 70.00%", "条款 5.2", ""],
                ["交货：平均分的规定", "> 3.00（目标）", ASSUMED, ""],
                ["指标“满意度调查率”", "实得分 ÷（满分 × 回收份数）", "条款 4.1", ""],
                ["指标“投诉率”", "投诉次数 ÷ 发货次数", ASSUMED, ""],
                ["未达标时应采取的措施“催收”", "适用指标：回收率", "条款 5.3", ""],
                ["指数", "满意度得分 − 100 × 投诉率", "条款 6", ""],
                ["评价等级“优”", "≥ 85.00", ASSUMED, ""],
                ["步骤“调查”", "每半年一次", "条款 7", ""],
                ["步骤“计划”", "比“发放问卷”至少早 1 个月；办公室；会议记录", ASSUMED, ""],
                ["步骤“审批”", "在“调查”之前；必要时", ASSUMED, ""],
                ["步骤“报告”", "须完成", ASSUMED, ""],
                ["记录“会议记录”", "须保存", "条款 8", ""],
                ["对条款 5.2 的理解", "回收率 = 回收 ÷ 实发。", ASSUMED, ""],
                ["对条款 7 的理解", "半年自 1 月起算。", ASSUMED, "待确认。"],
                ["分组少于多少份时不予公布", "5", ASSUMED, "避免由小组数值认出个人。"],
            ]
        )
    ),
)
def test_every_rule_stands_with_its_value_its_source_and_its_reason(number, rule):
    found = lines(rulebook.rule_table(demo(**EVERYTHING), "zh"))
    assert found[number] == rule
    assert len(found) == 26


@pytest.mark.parametrize(
    "rule, value",
    [
        ("Answers of the scale", "Good, Poor"),
        ("A form is satisfied when", "at least 80.00 % of its answers are “Good”"),
        ("Denominator of the satisfaction rate", "returned forms"),
        ("Rule on “Delivery: mean points”", "> 3.00 (target)"),
        (
            "What makes a form valid",
            "answered questions: at least 2; answered or not applicable: at least 60.00 % of the questions",
        ),
        ("Contradictory answers: Clash", "Delivery: “Good”; Service: “Good” or “Poor”"),
        ("Full points of a form", "3.5"),
        ("Required where not met, “Remind”", "measure: Return rate"),
        ("Step “Survey”", "every half year"),
        ("Step “Plan”", "at least 1 month(s) before: the first form goes out; Office; Minutes"),
        ("Step “Approval”", "before: Survey; when needed"),
        ("Step “Report”", "to be done"),
        ("Record “Minutes”", "to be kept"),
        ("How clause 5.2 is read", "The return rate is returned ÷ distributed."),
        ("How clause 7 is read", "The first half year begins in January."),
        ("Question “Packaging”", "asked, without weight"),
    ],
)
def test_a_rule_is_said_in_english_too(rule, value):
    assert {name: said for name, said, *_ in lines(rulebook.rule_table(demo(**EVERYTHING), "en"))}[rule] == value


@pytest.mark.parametrize(
    "language, heads",
    [
        ("zh", ["规程事项", "取值", "依据", "说明"]),
        ("en", ["What is set", "Value", "Source", "Note"]),
    ],
)
def test_the_columns_of_the_rules_are_named(language, heads):
    exhibit = rulebook.rule_table(demo(**EVERYTHING), language)
    assert [head.text for head in read(exhibit).findall(".//thead/tr/th")] == heads


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_read_into_a_clause_is_an_assumption_of_this_organisation(language):
    """The clause that is read stands in the row's name; its source is not the clause."""
    noted = {"zh": "待确认。", "en": "To be confirmed."}[language]
    found = lines(rulebook.rule_table(demo(**EVERYTHING), language))[23:25]
    assert [row[2:] for row in found] == [
        [speak(language)("source.assumption"), ""],
        [speak(language)("source.assumption"), noted],
    ]
    without = lines(rulebook.rule_table(demo(**{**EVERYTHING, "interpretations": []}), language))
    assert [row for row in lines(rulebook.rule_table(demo(**EVERYTHING), language)) if row not in without] == found


@functools.cache
def shipped(table: str, name: str, language: str) -> Exhibit:
    """Return a table of a shipped procedure, made once."""
    return getattr(rulebook, table)(SHIPPED[name], language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SHIPPED)
def test_every_value_of_a_shipped_procedure_says_where_it_comes_from(name, language):
    words, found = speak(language), lines(shipped("rule_table", name, language))
    expected = [rule["clause"] for rule in rules(SHIPPED[name])]
    assert [row[2] for row in found] == [words.source(clause).replace("\u00a0", " ") for clause in expected]
    assert [row for row in found if not row[0] or not row[1]] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_said_of_a_shipped_procedure_is_said_in_the_readers_language(name, language):
    tables = ("rule_table", "remark_table", "worked_example_tables")
    text = " ".join(" ".join(read(shipped(table, name, language)).itertext()) for table in tables)
    assert re.findall(r"\bNone\b|\bnan\b|[{}]|(?<![\w.])-\d", text) == []
    quoted = r"《[^》]*》|还行"  # the titles of documents, and an answer of an example
    foreign = r"[\u3000-\uffef]+" if language == "en" else r"[a-z]+_[a-z_]+"
    assert re.findall(foreign, re.sub(quoted, "", text)) == []


def test_a_procedure_without_weights_asks_its_questions():
    plain = demo(**{**EVERYTHING, "items": [{"id": "delivery"}, {"id": "service"}], "gates": []})
    assert ["题目“delivery”", "列入问卷", ASSUMED, ""] in lines(rulebook.rule_table(plain, "zh"))


@pytest.mark.parametrize("threshold, shown", [(0.7, "≥ 70.00%"), (0.66667, "≥ 66.667%"), (0.99995, "≥ 99.995%")])
def test_a_threshold_is_said_as_the_procedure_writes_it(threshold, shown):
    gate = {"measure": "return_rate", "comparison": "at_least", "threshold": threshold}
    assert dict(row[:2] for row in lines(rulebook.rule_table(demo(gates=[gate]), "zh")))["回收率的规定"] == shown


@pytest.mark.parametrize("share, shown", [(0.6, "60.00%"), (0.66667, "66.667%"), (1, "100.00%")])
def test_the_share_of_a_valid_form_is_said_as_the_procedure_writes_it(share, shown):
    found = dict(row[:2] for row in lines(rulebook.rule_table(demo(validity={"min_share": share}), "zh")))
    assert found["有效问卷的条件"] == f"至少回答 1 题；作答或选“不适用”的项不少于 {shown}"


@pytest.mark.parametrize("lower, shown", [(85, "≥ 85.00"), (84.995, "≥ 84.995"), (-0.5, "≥ −0.50")])
def test_a_grade_is_said_to_start_where_it_starts(lower, shown):
    programme = demo(grades=[{"id": "good", "lower": lower}])
    assert dict(row[:2] for row in lines(rulebook.rule_table(programme, "zh")))["评价等级“good”"] == shown


def test_a_trigger_that_nothing_sets_off_is_no_broken_sentence():
    programme = demo(gates=[], triggers=[{"id": "flag", "title": {"zh": "催收", "en": "Remind"}}])
    value = dict(row[:2] for row in lines(rulebook.rule_table(programme, "zh")))["未达标时应采取的措施“催收”"]
    assert value and value != "适用指标："


# --- the remarks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "language, kinds", [("zh", ["未规定", "前后不一", "仅提及名称", "取值失衡"]), ("en", ["left open", "contradiction", "only named", "unbalanced"])]
)  # fmt: skip
def test_what_the_document_leaves_to_be_settled_is_listed_by_clause(language, kinds):
    remarks = [
        {"clause": f"4.{number}", "kind": kind, "text": {"zh": f"第{number}条", "en": f"Remark {number}"}}
        for number, kind in enumerate(["open", "contradiction", "only_named", "unbalanced"])
    ]
    texts = [remark["text"][language] for remark in remarks]
    found = lines(rulebook.remark_table(demo(remarks=remarks), language))
    assert found == [[f"4.{n}", kind, text] for n, (kind, text) in enumerate(zip(kinds, texts, strict=True))]


def test_without_remarks_there_is_no_table():
    assert rulebook.remark_table(demo(), "zh").html == ""


# --- the worked example -------------------------------------------------------------------------------


def test_the_example_of_the_design_shows_its_forms_and_both_results():
    exhibit = rulebook.worked_example_tables(demo(), "zh")
    assert lines(exhibit) == [
        ["r1", "satisfied", "fair"],
        ["r2", "fair", ""],
        ["r3", "great / 剔除", "fair"],
    ]
    assert lines(exhibit, 1) == [
        ["回收率", "75.00%", "75.00%"],
        ["满意度得分", "68.00", "68.00"],
        ["满意度指数", "67.00", "67.00"],
        ["评价等级", "poor", "poor"],
        ["剔除的行或格", "1", "1"],
    ]
    heads = [head.text for head in read(exhibit).findall(".//thead/tr/th")]
    assert heads == ["问卷", "交货", "服务", "指标", "手工计算", "程序计算"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SHIPPED)
def test_by_hand_and_computed_are_the_same_in_every_shipped_example(name, language):
    found = lines(shipped("worked_example_tables", name, language), 1)
    assert [row for row in found if row[1] != row[2]] == []
    assert len(found) == len(SHIPPED[name].worked_example.expect)


def test_an_example_that_deviates_shows_both_values():
    expect = {"return_rate": 0.76, "grade": "good", "status": "void", "gates.return_rate": "not_met", "index": 1}
    responses = "form_id | delivery | service\nr1 | satisfied | fair"
    found = lines(rulebook.worked_example_tables(example(responses, expect, counts={"distributed": 1}), "zh"), 1)
    assert found == [
        ["回收率", "76.00%", "100.00%"],
        ["评价等级", "good", "–"],
        ["调查状态", "调查无效", "结果有效"],
        ["回收率的规定", "未达标", "达标"],
        ["满意度指数", "1.00", "–"],
    ]


def test_an_example_says_answers_in_words_and_what_was_rejected_as_it_was_written():
    responses = """form_id | delivery | service | count
                   a | good | poor | 2
                   a | poor | good | 1
                   b | | not_applicable | 1
                   c | 好 | 5 | 1
                   d | good | good | few"""
    expect = {"returned": 4, "rejected": 3, "delivery.mean": 1, "service.satisfied": 0}
    programme = demo(**{**EVERYTHING, "worked_example": {"responses": responses, "expect": expect}})
    exhibit = rulebook.worked_example_tables(programme, "zh")
    assert [row[1:] for row in lines(exhibit)] == [
        ["好", "差", "2"],
        ["poor / 剔除", "good / 剔除", "1 / 剔除"],
        ["", "不适用", "1"],
        ["好", "5 / 剔除", "1"],
        ["good / 剔除", "good / 剔除", "few / 剔除"],
    ]
    assert [head.text for head in read(exhibit).findall(".//thead/tr/th")][:4] == ["问卷", "交货", "服务", "份数"]
    assert lines(exhibit, 1)[:2] == [["回收份数", "4", "4"], ["剔除的行或格", "3", "3"]]


def test_a_rejected_form_without_answers_can_be_seen_to_be_rejected():
    responses = "form_id | delivery | service\nr1 | satisfied | fair\nr1 | |"
    found = lines(rulebook.worked_example_tables(example(responses, {"returned": 1}), "zh"))
    assert "剔除" in " ".join(found[1]) and "剔除" not in " ".join(found[0])


def test_an_explanation_stands_below_the_results():
    about = {"explanation": {"zh": "75 = 3 ÷ 4", "en": "three of four"}}
    responses = "form_id | delivery | service\nr1 | satisfied | fair"
    for language, said in {"zh": "75 = 3 ÷ 4", "en": "three of four"}.items():
        exhibit = rulebook.worked_example_tables(example(responses, {"returned": 1}, about=about), language)
        assert [note.text for note in read(exhibit).findall(".//p[@class='note']")] == [said]


@pytest.mark.parametrize("figure", ITEM_FIGURES)
def test_a_figure_of_an_item_has_its_unit(figure):
    shown = {"mean": "90.00", "satisfied": "75.00%"}[figure]
    responses = "form_id | delivery | service | count\nr1 | satisfied | | 3\nr2 | fair | | 1\nr3 | | | 1"
    programme = example(responses, {f"delivery.{figure}": {"mean": 90, "satisfied": 0.75}[figure]},
                        satisfied={"levels": ["satisfied"]})  # fmt: skip
    assert lines(rulebook.worked_example_tables(programme, "zh"), 1)[0][1:] == [shown, shown]


# --- whatever a text holds ----------------------------------------------------------------------------

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=1>', "{{7*7}}", "{0}", "%s", "&lt;"]


def named(name: str) -> Programme:
    """Return a procedure in which everything that has a name has this one."""
    title = {"zh": name, "en": name}
    keys = {
        **EVERYTHING,
        "title": title,
        "scale": {"levels": [{"id": "good", "title": title}, {"id": "poor"}], "clause": name, "note": title},
        "items": [{"id": "delivery", "title": title, "note": title, "clause": name}, {"id": "service", "weight": 1}],
        "triggers": [{"id": "flag", "title": title, "clause": name, "note": title}],
        "index": {"terms": {"weighted_score": 1}, "title": title, "note": title},
        "grades": [{"id": "fine", "title": title, "lower": 0}],
        "validity": {
            "contradictions": [
                {"id": "clash", "title": title, "answers": {"delivery": ["good"], "service": ["poor"]}, "note": title}
            ]
        },
        "steps": [
            {"id": "survey", "title": title, "every": "year", "note": title, "responsible": title, "record": "minutes"},
            {"id": "plan", "title": title, "before": "survey", "clause": name},
        ],
        "registers": [{"id": "minutes", "title": title, "note": title}],
        "interpretations": [{"of": name, "text": title, "note": title}],
        "remarks": [{"clause": name, "kind": "open", "text": title}],
        "worked_example": {
            "responses": f"form_id | delivery | service | {name}\n{name} | good | poor | {name}\nb | {name}! | |",
            "expect": {"index": 0, "grade": "fine", "rejected": 1, "delivery.mean": 100, "gates.delivery.mean": "met"},
            "explanation": title,
        },
    }
    return demo(**keys)


@functools.cache
def pages(name: str, language: str) -> list[Page]:
    """Return all tables of such a procedure as a browser takes them apart."""
    shows = (rulebook.rule_table, rulebook.remark_table, rulebook.worked_example_tables)
    return [Page(show(named(name), language).html) for show in shows]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_appears_as_text_and_changes_no_tag(hostile, language):
    for page, usual in zip(pages(hostile, language), pages("harmless", language), strict=True):
        without = [(tag, {**attributes, "aria-label": None}) for tag, attributes in page.tags]
        assert without == [(tag, {**attributes, "aria-label": None}) for tag, attributes in usual.tags]
        assert "".join(page.texts).count(hostile) >= "".join(usual.texts).count("harmless") > 1
