"""An exhibit shows each figure with its company, hides small groups, and turns no text into a tag, whatever a survey holds."""

import dataclasses
import functools
import inspect
import re
from xml.etree import ElementTree

import pytest

from conftest import demo, remembered, run_of, sheet, survey_of
from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.ground.words import speak
from csat_analysis.publishing import duties, exhibits, groups, ledger, markup, verdicts
from csat_analysis.publishing.markup import Cell, Column, Exhibit
from publishing import Page

LANGUAGES = ["zh", "en"]
EXHIBITS = {
    name: function
    for room in (exhibits, groups, ledger, verdicts, duties)
    for name, function in inspect.getmembers(room, inspect.isfunction)
    if function.__module__ == room.__name__ and function.__annotations__.get("return") is Exhibit and name[0] != "_"
}
ASSUMED = speak("zh")("source.assumption")
HEAD = "form_id | delivery | service | region\n"
SATISFIED = {"satisfied": {"levels": ["satisfied"]}}
RULES = {
    "scale": {
        "levels": [
            {"id": "satisfied", "title": {"zh": "满意", "en": "Satisfied"}},
            {"id": "fair", "title": {"zh": "一般", "en": "Fair"}},
            {"id": "dissatisfied", "title": {"zh": "不满意", "en": "Dissatisfied"}},
        ]
    },
    "points": {"values": {"satisfied": 100, "fair": 60, "dissatisfied": 0}},
    "satisfied_form": {"reading": "item", "item": "delivery"},
    "triggers": [{"id": "flag", "title": {"zh": "催收", "en": "Remind"}, "clause": "5.3"}],
    "grades": [
        {"id": "good", "title": {"zh": "优", "en": "Good"}, "lower": 85},
        {"id": "poor", "title": {"zh": "差", "en": "Poor"}, "lower": 0},
    ],
    **SATISFIED,
}
RATE = {"index": None, "grades": None}  # the satisfaction rate is the headline


@remembered
def result(rows: str, counts=None, plan=None, tables=None, run=None, head=HEAD, **keys) -> Assessment:
    """Return what a procedure with all kinds of rules says of a few forms, with some of its keys replaced."""
    plan = {"counts": {"distributed": 10} if counts is None else counts, **(plan or {})}
    about = {"groups": ["region"], "names": {"region": {"zh": "片区", "en": "Area"}}, **(run or {})}
    return assess(survey_of(head + rows, demo(**{**RULES, **keys}), tables, plan=plan, **about))


def gate(measure="return_rate", comparison="at_least", threshold=0.7, **keys) -> dict:
    return {"measure": measure, "comparison": comparison, "threshold": threshold, **keys}


def forms(number: int, delivery="satisfied", service="fair", region="1", stem="f") -> str:
    """Return so many lines of forms that say the same."""
    return "".join(f"{stem}{i} | {delivery} | {service} | {region}\n" for i in range(number))


MIXED = """a | satisfied | fair | 1
b | fair | not_applicable | 1
c | dissatisfied | 7 | 2
d | satisfied | satisfied | 2
e | | | 1
"""
DISTRIBUTION = """form_id | disposition
a | returned
b | returned
c | refused
d |
d | returned
f | ineligible
g | lost
"""
VOIDS = gate("invalid_rate", "at_most", 0.3, voids="unless_remedied", clause="6", otherwise="flag")
CLASH = {
    "id": "clash", "title": {"zh": "前后矛盾", "en": "Clash"}, "clause": "5.1",
    "answers": {"delivery": ["satisfied"], "service": ["dissatisfied"]},
}  # fmt: skip
DOCUMENT = {
    "clauses": [
        {"id": "3.1", "title": {"zh": "计划", "en": "Planning"}},
        {"id": "5.2", "title": {"zh": "回收率", "en": "Return rate"}},
        {"id": "5.3", "title": {"zh": "催收", "en": "Reminders"}},
        {"id": "7", "title": {"zh": "记录", "en": "Records"}},
        {"id": "8", "title": {"zh": "附则", "en": "Other"}},
    ],
    "gates": [gate(threshold=0.95, clause="5.2", otherwise="flag"), gate("valid_rate", threshold=0.9, severity="target")],
    "steps": [
        {"id": "plan", "title": {"zh": "编制计划", "en": "Plan the survey"}, "before": "fieldwork", "months": 1,
         "responsible": {"zh": "办公室", "en": "Office"}, "record": "minutes", "clause": "3.1"},
        {"id": "meeting", "title": {"zh": "月度例会", "en": "Monthly meeting"}, "every": "month"},
        {"id": "visit", "title": {"zh": "回访", "en": "Return visit"}, "when_needed": True, "clause": "3.1"},
    ],
    "registers": [{"id": "minutes", "title": {"zh": "会议记录", "en": "Minutes"}, "clause": "7"}],
}  # fmt: skip
STEPS = """step | due_on | done_on | responsible | evidence | reason
plan | | 2024-05-20 | | 12 |
meeting | | 2024-02-05 | | 13 |
valid_rate | | | | | 14
"""
OPTIONAL = [
    {"id": "delivery", "title": {"zh": "交货", "en": "Delivery"}},
    {"id": "service", "title": {"zh": "服务", "en": "Service"}},
    {"id": "packaging", "title": {"zh": "包装", "en": "Packaging"}, "optional": True},
]
CASES = {
    "normal": {"rows": MIXED, "run": {"targets": {"return_rate": 0.9, "satisfaction_rate": 0.4}}},
    "every table": {
        "rows": MIXED,
        "counts": {},
        "tables": {
            "frame": "customer_id\n1\n2\n2\n3\n4\n5\n6\n7\n8",
            "distribution": DISTRIBUTION,
            "complaints": "complaint_id | received_on\nk | 2024-05-05\nl | 2023-05-05\nm | soon",
            "deliveries": "count\n40\n60",
        },
    },
    "one form": {"rows": "a | satisfied | fair | 1"},
    "nobody answered": {"rows": "a | | | 1\nb | | | 2"},
    "everything fell away": {
        "rows": "a | fair | fair | 1 | x\n | fair | fair | 1 | 1",
        "head": HEAD.replace("\n", " | count\n"),
    },
    "no gates": {"rows": MIXED, "gates": []},
    "no index": {"rows": MIXED, **RATE},
    "no satisfied levels": {"rows": MIXED, "satisfied": None, "satisfied_form": None},
    "no points": {"rows": MIXED, "points": None, **RATE},
    "an item that was not asked": {"rows": MIXED, "items": OPTIONAL},
    "a small group": {"rows": forms(6, "fair") + forms(3, region="2", stem="g")},
    "nothing to divide by": {"rows": MIXED, "counts": dict.fromkeys(["frame", "distributed", "deliveries", "complaints"], 0)},
    "nothing known": {"rows": MIXED, "counts": {}},
    "in progress": {"rows": MIXED, "plan": {"as_of": "2024-12-30"}, "gates": [gate(threshold=0.9, cumulated=True)]},
    "a condition that is met": {"rows": forms(6), "gates": [VOIDS], **RATE},
    "remedy due": {"rows": forms(6) + forms(4, "", "", stem="g"), "gates": [VOIDS]},
    "void": {
        "rows": forms(6) + forms(4, "", "", stem="g"), "gates": [VOIDS], "plan": {"remedy": {"due_on": "2024-12-31"}},
    },
    "clusters": {"rows": MIXED, "run": {"design": {"cluster": "region"}}},
    "strata of a finite population": {
        "rows": forms(6, "fair"), "counts": {"frame": 20, "distributed": 10}, "run": {"design": {"stratum": "region"}},
    },
    "weights and counts": {
        "rows": "a | satisfied | fair | 1 | 0.5 | 3\nb | fair | fair | 2 | 2 | 1000",
        "head": HEAD.replace("\n", " | weight | count\n"),
    },
    "weights in strata": {
        "rows": "a | satisfied | fair | 1 | 2\nb | fair | fair | 2 | 0.5", "head": HEAD.replace("\n", " | weight\n"),
        "run": {"design": {"stratum": "region"}},
    },
    "more forms than customers": {"rows": forms(6), "counts": {"frame": 5, "distributed": 6}},
    "answers that contradict each other": {
        "rows": forms(5) + forms(4, "satisfied", "dissatisfied", stem="g") + "h | | fair | 1", "gates": [VOIDS],
        "validity": {"contradictions": [CLASH]},
    },
    "clauses and steps": {
        "rows": MIXED, "plan": {"as_of": "2025-01-10"}, **DOCUMENT,
        "tables": {"steps": STEPS, "distribution": "form_id | sent_on\na | 2024-06-03\nb | 2024-06-04\nc |\nd |\ne |"},
        "counts": {},
    },
    "points below zero": {"rows": forms(2, "dissatisfied", "dissatisfied"), "index": {"survey_rate": 1}, "gates": [],
                          "points": {"values": {"satisfied": 1, "fair": 0, "dissatisfied": -1.5}}, "grades": None},
}  # fmt: skip


@functools.cache
def case(name: str) -> Assessment:
    """Return a survey of its kind, assessed once."""
    return result(**CASES[name])


def show(name: str, found: Assessment, language: str, by: str = "region") -> Exhibit:
    """Return an exhibit by its name, with whatever it asks for."""
    survey = found.survey
    given = {
        "result": found, "survey": survey, "language": language, "item": survey.answers.columns[0], "by": by,
        "form": survey.forms.index[0] if len(survey.forms) else None,
    }  # fmt: skip
    return EXHIBITS[name](**{key: given[key] for key in inspect.signature(EXHIBITS[name]).parameters})


def read(exhibit: Exhibit) -> ElementTree.Element:
    """Return the tree of an exhibit; every tag of it is closed."""
    return ElementTree.fromstring(f"<body>{exhibit.html}</body>")


def text(exhibit: Exhibit) -> str:
    """Return what a reader reads; unbreakable spaces are plain ones."""
    return " ".join(read(exhibit).itertext()).replace("\u00a0", " ")


def table(exhibit: Exhibit) -> dict[str, list[str]]:
    """Return the cells of each row by its first one; smaller lines of a cell are set off by /."""
    lines = [
        [" / ".join(cell.itertext()).replace("\u00a0", " ") for cell in row] for row in read(exhibit).findall(".//tbody/tr")
    ]  # fmt: skip
    found = {first: cells for first, *cells in lines}
    assert len(found) == len(lines)
    return found


def notes(exhibit: Exhibit) -> list[str]:
    return [note.text.replace("\u00a0", " ") for note in read(exhibit).findall(".//p[@class='note']")]


# --- whatever a survey holds --------------------------------------------------------------------------


TECHNICAL = re.compile(
    r"[a-m]\d?|n|t|x|RR[1-6]|AAPOR|Wilson|SHA-256|\w+\.csv|record\.json|delivery|service|count|disposition|received_on|\w+_id|soon|lost"
)


def faults_of_reading(found: str, language: str) -> list[str]:
    """Return what no reader should meet: code, half-translated words, minus signs that are hyphens."""
    faults = re.findall(r"nan|NaN|None|NaT|\binf\b|[{}<]|Undefined|(?<![\w.])-\d", found)
    if language == "en":
        return faults + re.findall(r"[\u3000-\uffef]+", found)
    return faults + [word for word in re.findall(r"[A-Za-z][\w./-]*", found) if not TECHNICAL.fullmatch(word)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CASES)
def test_every_exhibit_of_every_survey_can_be_read(kind, language):
    found = case(kind)
    names = [name for name in EXHIBITS if name != "form_path_table" or len(found.survey.forms)]
    faults = {name: faults_of_reading(text(show(name, found, language)), language) for name in names}
    assert {name: fault for name, fault in faults.items() if fault} == {}


def test_a_survey_with_everything_leaves_no_exhibit_empty():
    shown_of = {  # what a survey without targets, clauses, steps and a remedy has none of
        "target_table": "normal", "remedy_table": "remedy due", "clause_table": "clauses and steps",
        "part_table": "strata of a finite population",
    }  # fmt: skip
    empty = {name for name in EXHIBITS if not text(show(name, case("every table"), "zh")).strip()}
    assert empty == set(shown_of)
    assert [name for name, kind in shown_of.items() if not text(show(name, case(kind), "zh")).strip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_exhibit_does_not_change_what_it_shows(language):
    found = case("every table")
    before = {name: getattr(found, name).copy() for name in ("measures", "gates", "items", "groups", "distribution")}
    shown = [show(name, found, language).html for name in EXHIBITS]
    assert [show(name, found, language).html for name in EXHIBITS] == shown
    assert all(getattr(found, name).equals(table) for name, table in before.items())


# --- headline -----------------------------------------------------------------------------------------


def test_a_headline_shows_value_interval_formula_and_the_parts_of_the_rate():
    # 3 of 4: Wilson's interval is 30.06 to 95.44
    found = result(forms(3) + forms(1, "fair", stem="g"), **RATE)
    shown = [paragraph.strip() for paragraph in read(exhibits.headline(found, "zh")).itertext() if paragraph.strip()]
    assert shown == [
        "结果有效", "满意率", "75.00%", "95% 置信区间：30.06%～95.44%（Wilson 法）",
        "口径：满意份数 ÷ 有效份数", "一份问卷计为满意的条件：“交货”一题答“满意”", "3 ÷ 4 = 75.00%",
        "规程未规定结果无效的条件，按有效列出。",
    ]  # fmt: skip
    english = text(exhibits.headline(found, "en"))
    for part in (
        "Satisfaction rate", "75.00 %", "95 % confidence interval: 30.06 % to 95.44 % (Wilson)",
        "Definition: satisfied forms ÷ valid forms", "A form is satisfied when: its answer to “Delivery” is “Satisfied”",
        "3 ÷ 4 = 75.00 %", "Reportable",
    ):  # fmt: skip
        assert part in english


def test_a_headline_index_is_shown_as_the_sum_it_is_with_its_grade():
    # two forms of 84 points, one of 60: 76; 2 complaints ÷ 100 deliveries: 2 points
    counts = {"distributed": 10, "complaints": 2, "deliveries": 100}
    found = text(exhibits.headline(result(forms(2) + "c | fair | | 1", counts), "zh"))
    for part in (
        "满意度指数",
        "74.00",
        "口径：满意度得分 − 100 × 投诉率",
        "76.00 − 100 × 2.00% = 74.00",
        "评价等级：差",
    ):
        assert part in found
    # the score has a standard error of 8, two complaints one of √2 points; t(0.975; 2 df) = 4.30265 times 9.41421 is
    # 40.51: from 33.49 on, and not above 100
    assert "95% 置信区间：33.49～100.00（投诉与问卷未按顾客关联，两项误差相加，偏宽）" in found


@pytest.mark.parametrize("headline, parts", [("return_rate", "7 ÷ 10 = 70.00%"), ("weighted_score", "588 ÷ 7 = 84.00")])
def test_any_measure_may_be_the_headline(headline, parts):
    assert parts in text(exhibits.headline(result(forms(7), headline=headline), "zh"))


@pytest.mark.parametrize("headline, value", [("delivery.mean", "100.00"), ("delivery.satisfied", "100.00%")])
def test_a_figure_of_an_item_may_be_the_headline_where_the_procedure_may_say_so(headline, value):
    assert value in text(exhibits.headline(result(forms(7), headline=headline), "zh"))


def test_a_headline_without_a_sampling_error_claims_no_interval():
    found = read(exhibits.headline(result(forms(7), headline="return_rate"), "en"))
    assert found.find(".//*[@class='interval']") is None
    clustered = result(forms(7), run={"design": {"cluster": "region"}}, headline="return_rate")
    assert read(exhibits.headline(clustered, "en")).find(".//*[@class='interval']") is None


@pytest.mark.parametrize("keys", [RATE, {"index": {"terms": {"weighted_score": 1}}}], ids=["rate", "index"])
def test_a_headline_whose_interval_is_withheld_says_why(keys):
    found = read(exhibits.headline(result(forms(7), run={"design": {"cluster": "region"}}, **keys), "en"))
    assert found.find(".//*[@class='interval']").text.endswith(": withheld, the forms come from a single cluster")


@pytest.mark.parametrize("keys", [{"headline": "weighted_score"}, {"headline": "survey_rate"}, {}])
def test_a_headline_of_forms_that_all_say_the_same_says_why_it_has_no_interval(keys):
    counts = {"distributed": 10, "complaints": 2, "deliveries": 100}
    found = read(exhibits.headline(result(forms(6), counts, **keys), "en"))
    assert found.find(".//*[@class='interval']").text.endswith(": withheld, all forms have the same points")


def test_a_weighted_headline_says_so():
    weighted = result(
        "a | satisfied | fair | 1 | 2.5\nb | fair | fair | 1 | 1", head=HEAD.rstrip() + " | weight\n", **RATE
    )
    # 2.5 ÷ 3.5 of two forms: 1.43
    assert "1.43 ÷ 2 = 71.43 %" in text(exhibits.headline(weighted, "en")).replace("\u00a0", " ")
    assert speak("en")("note.weights") in text(exhibits.headline(weighted, "en"))


def test_a_headline_that_cannot_be_computed_is_a_dash():
    found = read(exhibits.headline(case("nobody answered"), "zh"))
    assert found.find(".//strong").text == "–"
    assert "÷ 0" not in text(exhibits.headline(result("a | | | 1", **RATE), "zh"))


@pytest.mark.parametrize(
    "kind, stamp, sentence",
    [
        ("a condition that is met", "结果有效", "本次调查结果可以使用。"),
        ("no index", "结果有效", "规程未规定结果无效的条件，按有效列出。"),
        ("normal", "结果有效", "主要指标没有可用的数值。"),
        ("remedy due", "待补救", "未达到结果有效的条件：无效占比 40.00%（规定：≤ 30.00%）。须采取补救措施"),
        ("void", "调查无效", "未达到结果有效的条件：无效占比 40.00%（规定：≤ 30.00%）。本次调查无效"),
    ],
)
def test_the_stamp_stands_above_the_figure_and_says_why(kind, stamp, sentence):
    exhibit = exhibits.headline(case(kind), "zh")
    first = read(exhibit).find(".//p")
    assert (first.text, first.get("class")) == (stamp, f"stamp {case(kind).status}")
    assert sentence in text(exhibit)


def test_a_summary_tells_the_return_and_the_rules():
    found = text(exhibits.summary(result(forms(6)), "zh"))
    assert "实发 10 份，回收 6 份，回收率 60.00%，其中有效 6 份。" in found
    assert "规定与目标共 1 项，达标 0 项。" in found
    assert "未达标：回收率 60.00%（规定：≥ 70.00%）。" in found
    assert "据此应采取：催收。" in found


# --- fieldwork ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CASES)
def test_an_account_adds_up(kind, language):
    for cells in table(ledger.account_table(case(kind).survey, language)).values():
        read_rows, used, rejected, answers, *parts = (int(cell.replace(",", "").replace("–", "0")) for cell in cells)
        assert (read_rows, answers) == (used + rejected, sum(parts))


def test_an_account_has_a_row_for_each_table():
    assert table(ledger.account_table(case("every table").survey, "zh")) == {
        "顾客名册": ["9", "8", "1", "–", "–", "–", "–", "–"],
        "发放登记": ["7", "6", "1", "–", "–", "–", "–", "–"],
        "问卷": ["5", "5", "0", "10", "6", "1", "2", "1"],
        "投诉": ["3", "3", "0", "–", "–", "–", "–", "–"],
        "发货": ["2", "2", "0", "–", "–", "–", "–", "–"],
    }


def test_an_account_says_where_rows_are_more_or_fewer_than_forms():
    assert notes(ledger.account_table(case("weights and counts").survey, "zh")) == [
        "文件中每行代表回答相同的一组问卷，count 列为该组份数；共 2 行、1,003 份。"
    ]
    run = run_of(read={"responses": {"where": {"site": "A"}}})
    found = load.assemble(demo(**RULES), run, {"responses": sheet(HEAD + MIXED)})
    assert "Files shared with other projects or periods: Responses." in notes(ledger.account_table(found, "en"))[0]


def test_an_account_says_that_rejected_rows_take_their_answers_with_them():
    # the second "a" repeats an id: its two answers are rejected with it
    found = result("a | satisfied | fair | 1\na | fair | fair | 1").survey
    assert table(ledger.account_table(found, "zh")) == {"问卷": ["2", "1", "1", "4", "2", "0", "0", "2"]}
    assert notes(ledger.account_table(found, "zh")) == ["剔除行中的回答一并计入“剔除回答”。"]


def test_what_was_rejected_is_listed_with_file_line_column_value_and_reason():
    rejected = ledger.rejected_table(case("every table").survey, "zh")
    lines = [[cell.text or "" for cell in row] for row in read(rejected).findall(".//tbody/tr")]
    assert lines == [
        ["frame.csv", "4", "customer_id", "不列出", "编号与前面重复，以先出现者为准"],
        ["distribution.csv", "6", "form_id", "不列出", "编号与前面重复，以先出现者为准"],
        ["distribution.csv", "8", "disposition", "lost", "不在规定的发放结果之列，该问卷仍计入实发"],
        ["responses.csv", "4", "service", "7", "不在答案选项之列，该问卷其余回答照用"],
        ["complaints.csv", "4", "received_on", "soon", "不是日期，仅该格不用"],
    ]
    assert "未能采用的数据（5 行或格）" in text(rejected)


def test_the_id_of_a_person_is_not_repeated():
    rows = "13800138000 | fair | fair | 1\n13800138000 | fair | fair | 1\n | fair | fair | 1"
    rejected = ledger.rejected_table(result(rows).survey, "en")
    assert "13800138000" not in rejected.html
    assert [row[3].text for row in read(rejected).findall(".//tbody/tr")] == ["not shown", None]


@pytest.mark.parametrize(
    "value, language",
    [
        ("138 0013 8000", "zh"),
        ("li@example.org", "en"),
        ("服务员态度还可以，但是送货太慢，等了三个星期才到，打电话也没有人接，希望改进，谢谢你们", "zh"),
    ],
)
def test_a_value_that_is_kept_back_is_said_to_be_so(value, language):
    rejected = ledger.rejected_table(result(f"a | {value} | fair | 1").survey, language)
    assert value not in rejected.html
    assert read(rejected).findall(".//tbody/tr/td")[2].text == speak(language)("not_shown")


@pytest.mark.parametrize("number, listed, told", [(1, 1, False), (50, 50, False), (51, 50, True), (1234, 50, True)])
def test_the_list_of_what_was_rejected_is_cut_at_50_and_says_so(number, listed, told):
    rejected = ledger.rejected_table(result(forms(number, "great")).survey, "zh")
    assert len(read(rejected).findall(".//tbody/tr")) == listed
    assert notes(rejected) == ([f"仅列出前 50 项（共 {number:,} 项），全部见 rejected.csv。"] if told else [])
    assert f"{number:,} 行或格" in text(rejected)


def test_where_nothing_was_rejected_a_sentence_says_so():
    assert text(ledger.rejected_table(case("one form").survey, "zh")) == "全部数据均已采用。"


def test_findings_are_sentences():
    found = [entry.text for entry in read(ledger.findings(case("every table").survey, "zh")).findall(".//li")]
    assert found == [
        "发放登记列明已回收 2 份，实际收到 5 份；以实际收到的为准。",
        "有 1 份回收问卷不在发放登记之中，仍计入回收。",
        "有 1 件投诉不在本期之内或为重复录入，未计入。",
    ]


@pytest.mark.parametrize(
    "language, said",
    [
        ("zh", "回收 6 份，多于应发 5 份，请核对顾客名册；未作有限总体校正。"),
        (
            "en",
            "6 forms came back, more than the 5 that were due: check the customer file. "
            "There is no finite-population correction.",
        ),
    ],
)
def test_more_forms_than_customers_are_a_finding(language, said):
    found = read(ledger.findings(case("more forms than customers").survey, language)).findall(".//li")
    assert [entry.text for entry in found] == [said]
    assert "应发" not in text(ledger.findings(result(forms(6), {"frame": 6, "distributed": 6}).survey, "zh"))


def test_the_files_are_listed_with_the_start_of_their_checksums():
    checksum = "0123456789abcdef" + "e" * 48
    survey = load.assemble(demo(), run_of(), {"responses": sheet(HEAD + MIXED)._replace(sha256=checksum)})
    exhibit = ledger.input_table(survey, "zh")
    assert table(exhibit) == {"问卷": ["responses.csv", "5", "0123456789abcdef"]}
    assert notes(exhibit) == ["校验码列出前 16 位，完整的见 record.json。"]


def test_every_rate_has_its_definition_parts_interval_and_source():
    gates = [gate(clause="5.2"), gate("valid_rate", clause="5.3"), gate("satisfaction_rate", clause="5.4")]
    measures = [{"id": "valid_rate", "clause": "4.1"}, "weighted_score"]
    found = result(forms(3) + forms(1, "fair", stem="g"), gates=gates, measures=measures, **RATE)
    found = table(exhibits.rate_table(found, "zh"))
    assert found["回收率"] == [
        "回收 ÷ 实发",
        "4",
        "10",
        "40.00%",
        "全数统计，无抽样误差",
        "通用口径",  # clause 5.2 sets a threshold and defines nothing
    ]
    assert (found["有效率"][0], found["有效率"][-1]) == ("有效 ÷ 回收", "条款 4.1")
    assert (found["满意度得分"][0], found["满意度得分"][-1]) == ("各份得分之和 ÷ 有得分的份数", ASSUMED)
    assert found["应答率"][0] == "有效 ÷ 符合调查条件的实发份数"
    assert found["满意率"] == ["满意份数 ÷ 有效份数", "3", "4", "75.00%", "30.06%～95.44% / Wilson 法", ASSUMED]
    assert found["发放率"] == ["实发 ÷ 应发", "10", "–", "–", "–", "通用口径"]
    assert "有效问卷满意率" not in found  # it would stand there twice


def test_a_rate_by_returned_forms_stands_beside_the_one_of_valid_forms():
    keys = {"satisfaction_rate": {"denominator": "returned", "clause": "4.1"}, "gates": [gate("satisfaction_rate")]}
    found = result(forms(3) + forms(1, "", "", stem="g"), **keys)
    rates = table(exhibits.rate_table(found, "zh"))
    assert (rates["满意率"][1:4], rates["满意率"][5]) == (["3", "4", "75.00%"], "条款 4.1")
    assert rates["有效问卷满意率"][1:4] == ["3", "3", "100.00%"]
    said = "分母为全部回收问卷，含无效卷（包括空白卷）（条款 4.1）；按有效份数计算，满意率为 100.00%。"
    assert said in notes(verdicts.gate_table(found, "zh"))
    # where the procedure does not say so, nor does the page
    keys["satisfaction_rate"] = {"denominator": "returned"}
    assumed = notes(verdicts.gate_table(result(forms(3) + forms(1, "", "", stem="g"), **keys), "en"))
    assert assumed[-1] == (
        "The denominator is all returned forms, invalid and blank ones included "
        "(not in the procedure; set by this organisation). Of the valid forms, 100.00 % are satisfied."
    )


def test_an_interval_that_is_withheld_says_why():
    one = result(forms(3) + forms(3, "fair", stem="g"), run={"design": {"cluster": "region"}}, **RATE)
    found = table(exhibits.rate_table(one, "zh"))
    assert found["满意率"][4] == "不给出（问卷只来自一个群，无从估计误差）"
    assert found["满意率"][3] == "50.00%"


@pytest.mark.parametrize(
    "language, rate, score",
    [
        ("zh", "75.00%～75.00% / 全数作答，无抽样误差", "78.00～78.00 / 全数作答，无抽样误差"),
        (
            "en",
            "75.00 % to 75.00 % / everybody answered, no sampling error",
            "78.00 to 78.00 / everybody answered, no sampling error",
        ),
    ],
)
def test_where_everybody_answered_there_is_no_sampling_error(language, rate, score):
    # 3 of 4 satisfied; 84, 84, 84 and 60 points
    rows, words = forms(3) + forms(1, "fair", stem="g"), speak(language)
    found = table(exhibits.rate_table(result(rows, {"frame": 4, "distributed": 4}), language))
    assert found[words("measure.satisfaction_rate")][4] == rate
    assert found[words("measure.weighted_score")][4] == score
    of_five = table(exhibits.rate_table(result(rows, {"frame": 5, "distributed": 5}), language))
    methods = [of_five[words(f"measure.{name}")][4].split(" / ")[1] for name in ("satisfaction_rate", "weighted_score")]
    assert methods == [words("method.wilson"), words("method.wilson_mean")]


@pytest.mark.parametrize(
    "language, why",
    [("zh", "暂不给出（各份得分相同，无法估计误差）"), ("en", "withheld, all forms have the same points")],
)
def test_forms_that_all_say_the_same_have_a_mean_without_an_interval(language, why):
    words, found = speak(language), result(forms(6), measures=["survey_rate"])
    rates = table(exhibits.rate_table(found, language))
    assert [rates[words(f"measure.{name}")][4] for name in ("weighted_score", "survey_rate")] == [why, why]
    assert [cell.rstrip(" %") for cell in rates[words("measure.survey_rate")][1:4]] == ["960", "1,200", "80.00"]
    # a share is another matter: Wilson's interval of 6 of 6
    assert re.findall(r"\d+\.\d\d", rates[words("measure.satisfaction_rate")][4]) == ["60.97", "100.00"]


def test_an_interval_of_a_mean_ends_where_a_score_can_reach():
    # 84, 84, 60: mean 76, standard error 8: v = 3 · .08² ÷ (.76 · .24) = .105263, of d = 3 · .1824 ÷ v = 5.1984 answers,
    # v* = (d v + .75) ÷ (d + .75) = .218074, 13.7568 answers; Wilson's with 1.95996² ÷ 13.7568 = .279242:
    # (.76 + .139621) ÷ 1.279242 ± √(.1824 · .279242 + .139621²) ÷ 1.279242
    found = table(exhibits.rate_table(result(forms(2) + "c | fair | | 1"), "zh"))
    assert found["满意度得分"][3:5] == ["76.00", "49.58～91.07 / Wilson 法，用于均值"]


def test_a_procedure_without_satisfied_forms_has_no_satisfaction_rate():
    assert not [name for name in table(exhibits.rate_table(case("no satisfied levels"), "zh")) if "满意率" in name]


def test_points_are_divided_by_points_and_the_page_says_so():
    exhibit = exhibits.rate_table(case("points below zero"), "zh")
    assert table(exhibit)["满意度调查率"][1:4] == ["−6", "4", "−150.00%"]  # two forms of −1.5 twice, of 1 twice
    assert "满意度调查率：分子、分母以分计，每份满分 2 分。" in notes(exhibit)


# --- rules and verdicts -------------------------------------------------------------------------------


def test_a_gate_shows_rule_value_verdict_source_and_consequence():
    gates = [
        gate(clause="5.2", otherwise="flag"),
        gate("valid_rate", "more_than", 1),
        gate("distribution_rate", "at_least", 0.5, clause="5.1"),
        gate("invalid_rate", "less_than", 0.1, severity="target"),
        gate("delivery.mean", "at_most", 99),
        gate("service.satisfied", "at_least", 0.0),
        gate("index", "at_least", 80, otherwise="flag"),
    ]
    found = result(forms(6), {"distributed": 10, "deliveries": 10, "complaints": 0}, gates=gates)
    exhibit = verdicts.gate_table(found, "zh")
    assert table(exhibit) == {
        "回收率": ["≥ 70.00%", "60.00% / 6 ÷ 10", "未达标", "条款 5.2", "催收"],
        "有效率": ["> 100.00%", "100.00% / 6 ÷ 6", "未达标", ASSUMED, "–"],
        "发放率": ["≥ 50.00%", "–", "无数据", "条款 5.1", "–"],
        "无效占比": ["< 10.00%（目标）", "0.00% / 0 ÷ 10", "达标", ASSUMED, "–"],
        "交货：平均分": ["≤ 99.00", "100.00 / 60.97～100.00 / Wilson 法，用于均值", "未达标", ASSUMED, "–"],
        # 0 of 6, Clopper and Pearson: up to 1 - 0.025^(1/6); the 4 that are silent turn nothing below 0
        "服务：分项满意率": [
            "≥ 0.00%",
            "0.00% / 0.00%～45.93% / 精确区间，覆盖率不低于 95%",
            "临界 / 把握度 100.0% / 临界点 0.00%",
            ASSUMED,
            "–",
        ],
        "满意度指数": ["≥ 80.00", "84.00", "达标", ASSUMED, "催收"],
    }
    assert notes(exhibit) == ["“–”：规程未规定后果。", CERTAINTY["zh"]]
    marks = [cell.get("class") for cell in read(exhibit).findall(".//td") if "verdict" in (cell.get("class") or "")]
    verdicts_of = ("not_met", "not_met", "missing", "met", "not_met", "borderline", "met")
    assert marks == [f"verdict {mark}" for mark in verdicts_of]


def test_a_target_that_is_missed_is_called_so_with_the_reason_on_record():
    # 4 of 10 are back, 3 of the 4 are valid
    gates = [gate(threshold=0.5, severity="target"), gate("valid_rate", threshold=0.9, severity="target")]
    steps = "step | reason\nvalid_rate | 12\nvalid_rate | 13\nvalid_rate |"
    found = result(forms(3) + forms(1, "", "", stem="g"), tables={"steps": steps}, gates=gates)
    exhibit = verdicts.gate_table(found, "zh")
    assert table(exhibit) == {
        "回收率": ["≥ 50.00%（目标）", "40.00% / 4 ÷ 10", "未达目标", ASSUMED, "–"],
        "有效率": ["≥ 90.00%（目标）", "75.00% / 3 ÷ 4", "未达目标", ASSUMED, "–"],
    }
    assert notes(exhibit)[:2] == ["回收率未达目标，步骤表中没有记录原因。", "有效率未达到，记录在案的原因：13。"]


LITERAL = {
    "zh": "各项规定所依据的是份数、件数之比，没有抽样误差；误差无从得知的，也按字面判定。",
    "en": "These rules are on mere counts, which have no sampling error, or on figures whose error is not known: "
    "the verdicts are literal.",
}
CERTAINTY = {
    "zh": "把握度：以未回收者与回收者看法相同为前提，总体达到该项规定的概率。判为达标，须把握度不低于 95.0%；判为未达标，须不高于 5.0%；"
    "介于两者之间为临界。发放率、回收率等份数之比和投诉件数没有抽样误差，不计把握度。",
}


@pytest.mark.parametrize(
    "language, said",
    [
        ("zh", ["回收率：以实发份数为准。", "有效率：年末之前不作判定。", LITERAL["zh"]]),
        (
            "en",
            [
                "Return rate: Of the forms sent.", "Valid rate: Not judged before the year ends.", LITERAL["en"],
            ],
        ),
    ],
)  # fmt: skip
def test_what_the_procedure_s_file_says_of_a_rule_stands_below_the_table(language, said):
    noted = [
        gate(otherwise="flag", note={"zh": "以实发份数为准。", "en": "Of the forms sent."}),
        gate("invalid_rate", "at_most", 0.3, otherwise="flag"),
        gate(
            "valid_rate", otherwise="flag", note={"zh": "年末之前不作判定。", "en": "Not judged before the year ends."}
        ),
    ]
    assert notes(verdicts.gate_table(result(forms(6), gates=noted), language)) == said
    silent = [{**each, "note": None} for each in noted]
    assert notes(verdicts.gate_table(result(forms(6), gates=silent), language)) == said[-1:]
    assert notes(verdicts.gate_table(result(forms(6), gates=[]), language)) == []  # no verdicts, nothing said of them


def test_a_gate_that_voids_the_survey_has_a_consequence():
    exhibit = verdicts.gate_table(result(forms(6), gates=[{**VOIDS, "otherwise": None}]), "zh")
    assert table(exhibit)["无效占比"][-1] != "–"
    assert "“–”：规程未规定后果。" not in notes(exhibit)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "returned, distributed, shown, exact",
    [(174_999, 250_000, "70.00", "69.9996"), (175_000, 250_000, "70.00", None), (174_980, 250_000, "69.99", None)],
)
def test_a_verdict_that_rounding_would_turn_round_is_flagged(returned, distributed, shown, exact, language):
    rows, head = f"a | satisfied | fair | 1 | {returned}", HEAD.replace("\n", " | count\n")
    exhibit = verdicts.gate_table(
        result(rows, {"distributed": distributed}, head=head, gates=[gate(otherwise="flag")]), language
    )
    (cells,) = table(exhibit).values()
    assert (cells[1].split("%")[0].rstrip(), cells[2] in ("达标", "met")) == (shown, returned == 175_000)
    *flags, last = notes(exhibit)
    assert [shown in note and str(exact) in note for note in flags] == [True] * bool(exact)
    assert last == LITERAL[language]


def test_a_gate_in_progress_is_neither_met_nor_not_met():
    (cells,) = table(verdicts.gate_table(case("in progress"), "zh")).values()
    assert cells == ["≥ 90.00%", "50.00% / 5 ÷ 10", "进行中", ASSUMED, "–"]
    assert "据此应采取" not in text(exhibits.summary(case("in progress"), "zh"))


def test_where_the_procedure_sets_no_rules_a_sentence_says_so():
    assert text(verdicts.gate_table(case("no gates"), "zh")) == "本规程未对任何指标规定限值。"


def test_a_threshold_is_shown_as_the_procedure_writes_it():
    gates = [gate(threshold=2 / 3), gate("delivery.mean", threshold=84.995)]
    found = table(verdicts.gate_table(result(forms(6), gates=gates), "zh"))
    assert found["交货：平均分"][0] == "≥ 84.995"  # 85.00 would be another rule, and 84.996 would not meet it
    assert found["回收率"][0].startswith("≥ 66.6666")


def test_the_distance_to_a_target_has_its_sign_and_its_interval():
    # 3 of 4 are 75 %; Wilson's interval 30.06 to 95.44
    found = result(
        forms(3) + forms(1, "fair", stem="g"), run={"targets": {"satisfaction_rate": 0.8, "return_rate": 0.3}}, **RATE
    )
    assert table(verdicts.target_table(found, "zh")) == {
        "满意率": ["80.00%", "75.00%", "−5.00 个百分点", "−49.94～+15.44 个百分点"],
        "回收率": ["30.00%", "40.00%", "+10.00 个百分点", "–"],
    }
    assert verdicts.target_table(case("one form"), "zh").html == ""


def test_the_index_is_the_sum_of_its_products():
    counts = {"distributed": 10, "complaints": 2, "deliveries": 100}
    exhibit = exhibits.index_table(result(forms(2) + "c | fair | | 1", counts), "zh")
    assert table(exhibit) == {
        "满意度得分": ["1", "76.00", "76.00"],
        "投诉率": ["−100", "2.00%", "−2.00"],
        "满意度指数": ["", "", "74.00"],
    }
    added = (
        "投诉与问卷不能按顾客关联，两者误差的相关未知，故将两项误差相加，为可能的最大值；含投诉率时不作有限总体校正。"
    )
    assert notes(exhibit) == [f"依据：{ASSUMED}", added]
    alone = exhibits.index_table(result(forms(2) + "c | fair | | 1", index={"weighted_score": 1}), "zh")
    assert notes(alone) == [f"依据：{ASSUMED}"]
    assert exhibits.index_table(case("no index"), "zh").html == ""


@pytest.mark.parametrize("language, said", [("zh", "指数为负"), ("en", "The index is below zero")])
def test_an_index_below_zero_is_called_grave(language, said):
    shown = {kind: notes(exhibits.index_table(case(kind), language)) for kind in ("points below zero", "normal")}
    assert [any(said in note for note in found) for found in shown.values()] == [True, False]


@pytest.mark.parametrize(
    "title, zh, en",
    [
        (None, "“满意度指数”的计算", "How “Satisfaction index” is computed"),
        (
            {"zh": "顾客满意率", "en": "Customer satisfaction"},
            "“顾客满意率”的计算",
            "How “Customer satisfaction” is computed",
        ),
    ],
)
def test_the_index_is_called_by_its_name(title, zh, en):
    found = result(forms(2), index={"terms": {"weighted_score": 1}, "title": title})
    captions = [read(exhibits.index_table(found, language)).find(".//caption").text for language in LANGUAGES]
    assert captions == [zh, en]


# --- items and groups ---------------------------------------------------------------------------------


def test_answers_are_counted_with_shares_of_those_who_answered():
    assert table(exhibits.answer_table(case("normal"), "zh")) == {
        "交货": ["2 / 50.00%", "1 / 25.00%", "1 / 25.00%", "4", "0", "1", "0"],
        "服务": ["1 / 50.00%", "1 / 50.00%", "0 / 0.00%", "2", "1", "1", "1"],  # c's answer was rejected, e gave none
    }
    heads = [head.text for head in read(exhibits.answer_table(case("normal"), "zh")).findall(".//th[@scope='col']")]
    assert heads == ["题目", "满意", "一般", "不满意", "回答数", "不适用", "单项弃权", "剔除回答"]


def test_a_rejected_answer_is_not_called_not_answered():
    rows, head = "a | great | fair | 1 | 3\nb | fair | | 1 | 2\nc | | x | 1 | 1", HEAD.replace("\n", " | count\n")
    exhibit = exhibits.answer_table(result(rows, head=head), "en")
    heads = [head.text for head in read(exhibit).findall(".//th[@scope='col']")]
    assert heads[-4:] == ["Answers", "Not applicable", "Not answered", "Answers rejected"]
    found = {name: cells[-4:] for name, cells in table(exhibit).items()}
    assert found == {"Delivery": ["2", "0", "1", "3"], "Service": ["3", "0", "2", "1"]}
    # what was rejected of other tables, in lines of the same numbers, is nothing of the answers
    assert table(exhibits.answer_table(case("every table"), "en")) == table(exhibits.answer_table(case("normal"), "en"))


@pytest.mark.parametrize("kind", CASES)
def test_the_answers_to_a_question_add_up_to_the_forms(kind):
    levels = len(case(kind).survey.programme.level_ids)
    for cells in table(exhibits.answer_table(case(kind), "en")).values():
        numbers = [int(cell.split(" / ")[0].replace(",", "")) for cell in cells]
        assert numbers[levels] == sum(numbers[:levels])
        assert sum(numbers[levels:]) == case(kind).evidence.returned


@pytest.mark.parametrize(
    "rows, blank",
    [
        ("a | fair | fair | 1 | 5", None),
        ("a | fair | | 1 | 5\nb | | not_applicable | 1 | 1", None),  # each says something
        ("a | fair | fair | 1 | 5\nb | great | | 1 | 1", None),  # its answer was rejected
        ("a | fair | fair | 1 | 5\nb | | | 1 | 1\nc | | | 2 | 1200", "1,201"),
    ],
)
def test_forms_without_any_answer_are_counted_below_the_table(rows, blank):
    found = result(rows, head=HEAD.replace("\n", " | count\n"))
    said = {
        "zh": "单项弃权含未作任何回答的问卷 {} 份。",
        "en": "Forms without any answer, counted here as not answered: {}.",
    }
    for language in LANGUAGES:
        below = notes(exhibits.answer_table(found, language))[1:]
        assert below == ([said[language].format(blank)] if blank else [])


def test_an_item_shows_mean_standard_error_share_and_interval():
    # 100, 100, 100, 60: mean 90, standard error 10
    exhibit = exhibits.item_table(result(forms(3) + forms(1, "fair", stem="g")), "zh")
    assert table(exhibit)["交货"] == ["4", "90.00 / 标准误 10.00", "75.00%", "30.06%～95.44%"]
    assert notes(exhibit) == [
        "计为满意的选项：满意。",
        "分值：满意 = 100、一般 = 60、不满意 = 0。",
        "置信区间用 Wilson 法计算，置信水平 95%。",
    ]


def test_an_item_that_was_not_asked_is_named_and_has_no_row():
    exhibit = exhibits.item_table(case("an item that was not asked"), "zh")
    assert list(table(exhibit)) == ["交货", "服务"]
    assert "未询问：包装。" in notes(exhibit)
    assert "包装" not in text(exhibits.answer_table(case("an item that was not asked"), "zh"))


def test_an_item_with_points_of_its_own_shows_its_full_points():
    items = [{"id": "delivery", "points": {"satisfied": 1.2, "fair": 0.75, "dissatisfied": -1.2}}, {"id": "service"}]
    found = table(exhibits.item_table(result(forms(2), items=items), "zh"))
    assert found["delivery"][1].startswith("1.20 / 满分 1.2") and "满分" not in found["service"][1]


def test_without_satisfied_levels_an_item_has_its_mean_alone():
    exhibit = exhibits.item_table(case("no satisfied levels"), "zh")
    assert all(len(cells) == 2 for cells in table(exhibit).values())
    assert "各题平均分" in text(exhibit) and "满意率" not in text(exhibit)


def test_weighted_shares_say_that_they_are():
    said = "满意率、得分和平均分经过加权；份数、回答数和回收率等比率未加权。"
    assert said in notes(exhibits.answer_table(case("weights and counts"), "zh"))
    assert notes(exhibits.answer_table(case("normal"), "zh")) == [
        "比例以已作答者为基数；单项弃权和不适用不计入基数。",
        "单项弃权含未作任何回答的问卷 1 份。",
    ]


def test_a_group_shows_share_interval_and_number_of_answers():
    found = groups.group_table(result(forms(5) + forms(5, "fair", region="2", stem="g")), "zh")
    assert table(found) == {
        "片区：1": ["100.00% / 56.55%～100.00%（n = 5）", "0.00% / 0.00%～43.45%（n = 5）"],
        "片区：2": ["0.00% / 0.00%～43.45%（n = 5）", "0.00% / 0.00%～43.45%（n = 5）"],
    }
    assert notes(found) == ["各组之间的差别仅作描述，未经检验。", speak("zh")("note.weak")]


def test_strata_stand_above_groups_under_their_own_names():
    found = groups.group_table(result(forms(5), run={"design": {"stratum": "region"}, "groups": ["service"]}), "en")
    assert list(table(found)) == ["Area: 1", "service: fair"]


@pytest.mark.parametrize("number, suppressed", [(4, True), (5, False)])
def test_a_group_is_shown_from_min_n_on(number, suppressed):
    exhibit = groups.group_table(result(forms(number)), "zh")
    (cells,) = table(exhibit).values()
    assert [cell == "不公布" for cell in cells] == [suppressed, suppressed]
    assert (
        "回答数少于 5 的分组不公布数值；若仍可由合计推出，则其余中最小的分组也不公布。" in notes(exhibit)
    ) == suppressed
    (crossed,) = table(groups.crosstab(result(forms(number)), "delivery", "region", "zh")).values()
    assert crossed == (["不公布", "–", "–", "–"] if suppressed else ["5", "100.00%", "0.00%", "0.00%"])


SMALL = forms(2) + forms(5, "fair", "dissatisfied", stem="g") + forms(2, region="2", stem="h") + "i | fair | | 2\n"
# of group 2: 2 of 3 (66.67 %, Wilson 20.77 to 93.85, exact 9.43 to 99.16, mean 86.67); of all: 4 of 10


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "keys, design", [({}, {}), ({}, {"stratum": "region"}), ({"satisfied": None, "satisfied_form": None}, {})]
)
def test_no_figure_of_a_small_group_stands_anywhere(keys, design, language):
    found = result(SMALL, run={"design": design, "groups": [] if design else ["region"]}, **keys)
    everything = " ".join(text(show(name, found, language)) for name in EXHIBITS)
    assert "40.00" in everything or keys
    of_group = ("66.67", "33.33", "20.77", "93.85", "9.43", "99.16", "86.67")
    assert [figure for figure in of_group if figure in everything] == []
    shown = table(groups.group_table(found, language)).items()
    (small,) = {tuple(cells) for name, cells in shown if name.endswith("2")}
    crossed = table(groups.crosstab(found, "delivery", "region", language))["2"]
    assert re.findall(r"\d+", " ".join([*small, *crossed])) == []


def test_an_answer_few_gave_in_a_large_group_is_suppressed_for_its_item_alone():
    rows = forms(4) + forms(2, service="", stem="g")
    assert table(groups.group_table(result(rows), "zh"))["片区：1"] == [
        "100.00% / 60.97%～100.00%（n = 6）",
        "不公布",
    ]


@pytest.mark.parametrize("min_n", [1, 10])
def test_the_procedure_says_how_small_is_small(min_n):
    exhibit = groups.group_table(result(forms(6), min_n=min_n), "zh")
    assert ("少于 10 的分组不公布" in text(exhibit)) == (min_n == 10)


# --- for the analyst ----------------------------------------------------------------------------------


def test_a_crosstab_has_no_row_for_forms_of_no_group():
    rows = forms(6) + forms(7, region="", stem="g")
    assert list(table(groups.crosstab(result(rows), "delivery", "region", "zh"))) == ["1"]


def test_a_crosstab_adds_up_to_the_whole_group():
    rows = forms(3) + forms(3, "fair", stem="g") + forms(6, "dissatisfied", region="2", stem="h")
    exhibit = groups.crosstab(result(rows), "delivery", "region", "zh")
    assert table(exhibit) == {"1": ["6", "50.00%", "50.00%", "0.00%"], "2": ["6", "0.00%", "0.00%", "100.00%"]}
    assert read(exhibit).find(".//caption").text == "交货（按片区）"


def test_a_form_is_followed_to_its_score():
    exhibit = exhibits.form_path_table(case("normal").survey, "a", "zh")
    assert table(exhibit) == {
        "交货": ["满意", "100.00", "0.6", "60.00"], "服务": ["一般", "60.00", "0.4", "24.00"], "得分": ["", "", "1", "84.00"],
    }  # fmt: skip
    partial = table(exhibits.form_path_table(case("normal").survey, "b", "zh"))
    assert (partial["服务"], partial["得分"][-1]) == (["不适用", "–", "0", "0.00"], "60.00")
    assert table(exhibits.form_path_table(case("normal").survey, "e", "zh"))["得分"][-1] == "–"


# --- limits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, said",
    [
        ("nothing known", ["how many people did not answer", "size of the population is not known", "values used are not"]),
        ("normal", ["6 of the 10 forms sent to eligible", "size of the population is not known", "values used are not"]),
        ("clusters", ["6 of the 10 forms sent to eligible", "how many there are in all is not known", "values used are not"]),
        (
            "strata of a finite population",
            [
                "10 of the 20 due were never sent", "4 of the 10 forms sent to eligible", "The population is 20;",
                "values used are not",
            ],
        ),
        (
            "weights and counts",
            ["size of the population is not known", "rates, scores and means are weighted", "values used are not"],
        ),
        (
            "weights in strata",
            [
                "8 of the 10 forms sent to eligible", "size of the population is not known",
                "rates, scores and means are weighted",
                "values used are not",
            ],
        ),
        (
            "every table",  # 8 customers, 6 forms sent, 5 to somebody eligible, 4 valid; 2 complaints
            [
                "2 of the 8 due were never sent", "1 of the 5 forms sent to eligible", "The population is 8;",
                "takes complaints as independent", "values used are not",
            ],
        ),
    ],
)  # fmt: skip
def test_the_limits_are_those_of_this_survey(kind, said):
    assert recognised(case(kind), "en", said) == said


def recognised(found: Assessment, language: str, said: list[str]) -> list[str]:
    """Return each limit by the words it is known by, and whole where it has none of them."""
    sentences = [entry.text for entry in read(exhibits.limits(found, language)).findall(".//li")]
    return [next((part for part in said if part in sentence), sentence) for sentence in sentences]


@pytest.mark.parametrize(
    "kind, said",
    [
        (
            "every table",
            [
                "应发 8 份中有 2 份未发出，这些人的感受不得而知。",
                "发给符合条件者的 5 份中有 1 份没有有效回答；这些人的感受可能不同，置信区间不反映这一点。",
                "调查对象总体为 8；满意率、得分和各题的置信区间已按作答份数占总体的比例作有限总体校正（投诉率除外）。",
                "投诉率的置信区间假定各次投诉互不相关；遇有群诉，区间偏窄。",
                "所依据的取值中有 12 项规程未作规定，由本单位设定（见“满意度”页末的一览表）。",
            ],
        ),
        (
            "weights in strata",
            [
                "发给符合条件者的 10 份中有 8 份没有有效回答；这些人的感受可能不同，置信区间不反映这一点。",
                "调查对象总体的数量未提供；置信区间按从很大的总体中随机抽样计算。",
                "满意率、得分和平均分经过加权；份数、回答数和回收率等比率未加权。",
                "所依据的取值中有 12 项规程未作规定，由本单位设定（见“满意度”页末的一览表）。",
            ],
        ),
    ],
)
def test_the_limits_are_said_in_chinese_too(kind, said):
    assert [entry.text for entry in read(exhibits.limits(case(kind), "zh")).findall(".//li")] == said


@pytest.mark.parametrize("last, missed", [("ineligible", False), ("refused", True)])
def test_who_was_not_to_be_asked_is_not_missed(last, missed):
    sent = "form_id | disposition\n" + "".join(f"f{number} | returned\n" for number in range(4)) + f"f4 | {last}"
    found = result(forms(4), {}, tables={"distribution": sent})
    assert ("没有有效回答" in text(exhibits.limits(found, "zh"))) == missed
    assert ("1 of the 5 forms sent to eligible" in text(exhibits.limits(found, "en"))) == missed


@pytest.mark.parametrize(
    "language, corrected",
    [
        ("zh", ["有限总体校正", "调查对象总体"]),
        ("en", ["are corrected", "The population is", "size of the population"]),
    ],
)
def test_where_more_came_back_than_there_are_no_correction_is_claimed(language, corrected):
    """Nor is the population called unknown: the finding says what is wrong with it."""
    found = text(exhibits.limits(case("more forms than customers"), language))
    assert [claim for claim in corrected if claim in found] == []
    just_all = text(exhibits.limits(result(forms(6), {"frame": 6, "distributed": 6}), language))
    assert corrected[0] in just_all
    # and none is made: 6 of 6, and 5 of 5 where one of the six is blank; Wilson
    blank = result(forms(5) + forms(1, "", "", stem="g"), {"frame": 5, "distributed": 6})
    for found, low in ((case("more forms than customers"), "60.97"), (blank, "56.55")):
        rate = table(exhibits.rate_table(found, language))[speak(language)("measure.satisfaction_rate")]
        assert re.findall(r"\d+\.\d\d", rate[4]) == [low, "100.00"]


EVENTS = {"zh": "假定各次投诉互不相关", "en": "takes complaints as independent"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "counts, keys, told",
    [
        ({"complaints": 2, "deliveries": 100}, {}, True),
        ({"complaints": 0, "deliveries": 100}, {}, True),
        ({"complaints": 2, "deliveries": 0}, {}, False),
        ({"complaints": 2, "deliveries": 100}, RATE, False),  # a complaint rate is not asked for
        ({"complaints": 2, "frame": 50}, {"measures": ["complaints_per_1000"], **RATE}, True),
        ({"complaints": 2}, {"measures": ["complaints_per_1000"], **RATE}, False),
    ],
)
def test_where_complaints_have_an_interval_its_premise_is_said(counts, keys, told, language):
    assert (EVENTS[language] in text(exhibits.limits(result(forms(6), counts, **keys), language))) == told


def test_forms_that_were_not_sent_are_not_called_unknown():
    assert "实发份数未提供" not in text(exhibits.limits(case("nothing to divide by"), "zh"))


def test_a_population_of_nobody_is_not_called_unknown():
    assert "未提供" not in text(exhibits.limits(case("nothing to divide by"), "zh"))
    assert "not known" not in text(exhibits.limits(case("nothing to divide by"), "en"))


def test_the_number_of_assumptions_is_that_of_the_procedure():
    # the scale, its points, the satisfied level, two items, validity, the form, its rate, index, two grades, min_n
    assert "所依据的取值中有 12 项规程未作规定" in text(exhibits.limits(case("normal"), "zh"))


@pytest.mark.parametrize(
    "language, said", [("zh", "取值中有 {} 项规程未作规定"), ("en", "{} of the values used are not in")]
)
def test_what_is_read_into_a_clause_counts_as_an_assumption(language, said):
    readings = [
        {"of": "5.2", "text": "returned ÷ distributed"},
        {"of": "5.2", "text": "of all forms", "note": "unclear"},
    ]
    for number, interpretations in ((12, []), (13, readings[:1]), (14, readings)):
        found = result(forms(6), interpretations=interpretations)
        assert said.format(number) in text(exhibits.limits(found, language))


# --- what it is made of -------------------------------------------------------------------------------


def test_a_table_without_rows_is_nothing_and_so_is_prose_without_words():
    assert markup.table("Empty", [Column("a")], iter([])).html == ""
    assert markup.prose().html == markup.listing([]).html == ""


def test_a_table_has_a_caption_headers_and_marks():
    exhibit = markup.table(
        'Caption "&"', [Column("name"), Column("n", True), Column("verdict")],
        [("a", "1", Cell("met", "verdict met", ("line 1", "line 2"))), ("b", "2", "plain")], ["A note."], kind="compact",
    )  # fmt: skip
    found = read(exhibit)
    assert found.find(".//caption").text == found.find(".//*[@role='group']").get("aria-label") == 'Caption "&"'
    assert [(head.get("scope"), head.get("class")) for head in found.findall(".//th")] == [
        ("col", None), ("col", "num"), ("col", None), ("row", None), ("row", None),
    ]  # fmt: skip
    assert table(exhibit) == {"a": ["1", "met / line 1 / line 2"], "b": ["2", "plain"]}
    assert found.find(".//td[@class='verdict met']").text == "met"
    assert "compact" in found[0].get("class") and notes(exhibit) == ["A note."]


def test_a_cell_in_the_first_column_keeps_its_smaller_lines():
    exhibit = markup.table("Caption", [Column("form")], [(Cell("r1", below=("rejected",)),)])
    assert list(table(exhibit)) == ["r1 / rejected"]


def test_a_notebook_shows_an_exhibit_by_itself():
    exhibit = markup.prose("One.", "Two & three.", kind="summary")
    assert exhibit._repr_html_() == exhibit.html
    assert [part.text for part in read(exhibit).findall(".//p")] == ["One.", "Two & three."]
    assert repr(exhibit) == f"<Exhibit of {len(exhibit.html)} characters>"
    both = markup.pair(exhibit, markup.listing(["<b>"]))
    assert exhibit.html in both.html and read(both).find(".//li").text == "<b>"


# --- whatever a text holds ----------------------------------------------------------------------------

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=1>', "{{7*7}}", "{0}", "%s", "&lt;"]
SHOWING = {  # the exhibits in which a text of the procedure, of the run file or of the data stands
    "headline", "summary", "rate_table", "rejected_table", "input_table", "gate_table", "index_table", "answer_table",
    "item_table", "group_table", "part_table", "crosstab", "form_path_table", "satisfaction_table", "grade_table", "comparison_table",
    "clause_summary", "clause_table", "step_table", "register_table", "remedy_table", "invalid_table",
    "stage_table",
}  # fmt: skip


@functools.cache
def named(name: str) -> Assessment:
    """Return a survey in which everything that has a name has this one."""
    column = f"{name} column"
    programme = demo(
        title=name,
        scale={"levels": [{"id": "satisfied", "title": name}, {"id": "fair"}, {"id": "dissatisfied"}], "clause": name},
        points={"values": {"satisfied": 1, "fair": 0, "dissatisfied": 0}, "note": name},
        satisfied={"levels": ["satisfied"], "note": name},
        satisfied_form={"reading": "item", "item": "delivery", "note": name},
        items=[{"id": "delivery", "title": name, "clause": name}, {"id": "service", "title": f"{name} 2"}],
        gates=[
            gate("return_rate", threshold=0.95, clause=name, otherwise="flag", note=name),
            gate("index", threshold=2, voids="unless_remedied", otherwise="flag"),
            gate("delivery.mean", "at_most", 0, clause=name),
        ],
        triggers=[{"id": "flag", "title": name}],
        index={"terms": {"weighted_score": 1}, "title": name, "clause": name},
        grades=[{"id": "good", "title": name, "lower": 0}],
        measures=[{"id": "survey_rate", "clause": name}],
        validity={
            "contradictions": [
                {"id": "clash", "title": name, "answers": {"delivery": ["satisfied"], "service": ["dissatisfied"]}}
            ]
        },
        clauses=[{"id": name, "title": name}, {"id": "9", "title": name}],
        steps=[
            {"id": "plan", "title": name, "responsible": name, "record": "minutes", "clause": name},
            {"id": "visit", "title": name, "before": "plan", "clause": name},
        ],
        registers=[{"id": "minutes", "title": name, "clause": name}],
        min_n=1,
    )
    rows = f"form_id | delivery | service | {name} | {column}\n{name} | satisfied | fair | {name} | {name}\n"
    rows += f"b | {name}! | satisfied | {name} | {name}\n{name} c | satisfied | dissatisfied | {name} | {name}"
    about = {"title": name, "groups": [name], "names": {column: name}, "design": {"stratum": column}}
    counts = {"counts": {"distributed": 4}}
    answers = sheet(rows, f"{name}.csv")
    steps = f"step | done_on | responsible | evidence | reason\nplan | 2024-05-05 | {name} | {name} | {name}\n"
    steps += f"return_rate | | | | {name}"
    found = load.assemble(programme, run_of(counts, **about), {"responses": answers, "steps": sheet(steps)})
    before = load.assemble(
        programme, run_of({**counts, "as_of": "2024-01-10"}, "2023", **about), {"responses": answers}
    )
    return assess(dataclasses.replace(found, earlier={"year_on_year": before}))


def structure(exhibit: Exhibit) -> list[tuple[str, dict[str, str | None]]]:
    """Return the tags of an exhibit and their attributes, without what is read out."""
    return [(tag, {**attributes, "aria-label": None}) for tag, attributes in Page(exhibit.html).tags]


@functools.cache
def usual(language: str) -> dict[str, list[tuple[str, dict[str, str | None]]]]:
    """Return the tags of each exhibit of a survey with a harmless name, found once."""
    return {name: structure(show(name, named("harmless"), language, by="harmless")) for name in EXHIBITS}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_appears_as_text_and_changes_no_tag(hostile, language):
    shown = {name: show(name, named(hostile), language, by=hostile) for name in EXHIBITS}
    assert [name for name in EXHIBITS if structure(shown[name]) != usual(language)[name]] == []
    assert {name for name in EXHIBITS if hostile in "".join(Page(shown[name].html).texts)} == SHOWING


def test_every_place_of_a_name_shows_it():
    """The title of the run is the page's, not an exhibit's."""
    found, where = named("{0}"), {}
    for name, parts in {
        "rejected_table": {"file": "{0}.csv", "value": "不列出"},  # {0}! is more than a word
        "group_table": {"group": "{0}：{0}", "item": "{0} 2"},
        "form_path_table": {"form": "问卷 {0} 的得分过程", "level": "{0}"},
        "crosstab": {"caption": "{0}（按{0}）"},
        "gate_table": {"clause": "条款 {0}", "measure": "{0}：平均分", "note": "回收率：{0}"},
        "headline": {"grade": "评价等级：{0}"},
        "summary": {"trigger": "据此应采取：{0}。"},
        "index_table": {"source": "依据：条款 {0}", "caption": "“{0}”的计算"},
        "clause_table": {"step": "步骤“{0}”：", "register": "记录“{0}”：", "item": "题目“{0}”："},
        "step_table": {"evidence": "{0}", "reason": "原因：{0}"},
    }.items():
        shown = "".join(Page(show(name, found, "zh", by="{0}").html).texts)
        where |= {(name, what): part in shown for what, part in parts.items()}
    assert [place for place, there in where.items() if not there] == []


@pytest.mark.parametrize(
    ("group", "mark"), [(forms(60, "dissatisfied", stem="a"), "weak"), (forms(60, stem="a"), "strong"), (MIXED, "")]
)
def test_a_group_is_marked_where_its_interval_lies_beside_the_rate_of_the_whole(group, mark):
    others = forms(60, "satisfied" if mark == "weak" else "dissatisfied", region="2", stem="b") if mark else ""
    html = EXHIBITS["group_table"](result(group + others), "en").html
    assert (f'class="num {mark}"' in html) == bool(mark)
    assert ("Shaded:" in html) == bool(mark)
