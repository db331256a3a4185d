"""Every form is somewhere in the tables of the fieldwork, each rate says what it counts, and the lines add up."""

import re

import pytest

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.domain import fieldwork, schemas
from csat_analysis.ground.words import speak
from csat_analysis.publishing import ledger
from test_exhibits import CASES, LANGUAGES, MIXED, RATE, case, forms, gate, notes, result, table, text

HEAD = "form_id | delivery | service | region | count\n"
TORN = {"id": "torn", "title": {"zh": "前后矛盾", "en": "Torn"}, "answers": {"delivery": ["fair"], "service": ["fair"]}}
SENT = "form_id | disposition\n"
NOTED = SENT + "a | returned\nb | refused\nc | not_contacted\nd | ineligible\ne | outstanding\nf |\ng | returned"


def stages(found: Assessment, language: str) -> dict[str, list[str]]:
    """Return the lines of the ledger, a change without its indent."""
    return {name.lstrip(ledger.INDENT): cells for name, cells in table(ledger.stage_table(found, language)).items()}


def numbers(cells: list[str]) -> list[int]:
    return [int(cell.replace(",", "").replace("−", "-")) for cell in cells if re.search(r"\d", cell)]


# --- from the customer file to the satisfied forms --------------------------------------------------------------------


def test_the_ledger_goes_from_the_customer_file_to_the_satisfied_forms():
    # of 8 different customers, 6 forms went out (one line repeats an id); c (listed as refused) and d (nothing noted)
    # came in all the same, and e is not in the register
    assert stages(case("every table"), "zh") == {
        "应发（调查对象总体）": ["", "8"],
        "未发出": ["−2", ""],
        "实发": ["", "6"],
        "非调查对象": ["−1", ""],
        "未联系上": ["0", ""],
        "尚未交回": ["0", ""],
        "未注明": ["−1", ""],
        "收到而未登记为已回收": ["+1", ""],
        "已联系上": ["", "5"],
        "拒答": ["0", ""],
        "回收": ["", "5"],
        "无效：没有可用的回答": ["−1", ""],
        "有效": ["", "4"],
        "有效，但未达到满意": ["−2", ""],
        "满意": ["", "2"],
    }
    assert notes(ledger.stage_table(case("every table"), "zh")) == [
        "“已联系上”指交回问卷或明确拒答的；尚未交回和未注明结果的，没有迹象表明已联系上，不计在内。",
        "登记为其他结果而实际收到的有 2 份，计为回收。",
    ]


def test_what_is_not_known_has_a_dash():
    found = ledger.stage_table(case("nothing known"), "en")
    assert list(table(found).values()) == [
        ["", "–"], ["–", ""], ["", "–"], ["", "–"], ["–", ""], ["", "5"], ["−1", ""], ["", "4"], ["−2", ""], ["", "2"],
    ]  # fmt: skip
    assert notes(found) == ["What became of each form is not noted, so that the number contacted is not known."]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CASES)
def test_each_stage_is_the_one_before_and_the_changes_between(kind, language):
    stage, changed = None, 0
    for change, number in stages(case(kind), language).values():
        changed += sum(numbers([change]))
        if numbers([number]):
            assert stage is None or numbers([number]) == [stage + changed]
            stage, changed = numbers([number])[0], 0


def test_a_form_that_is_listed_as_returned_and_did_not_come_in_is_a_line():
    found = stages(result("a | satisfied | fair | 1", {}, tables={"distribution": NOTED}), "en")
    assert (found["Contacted"], found["listed as returned, did not come in"], found["Returned"]) == (
        ["", "3"], ["−1", ""], ["", "1"],
    )  # fmt: skip


def test_without_dispositions_what_did_not_come_back_is_one_line():
    found = stages(result(forms(6), {"frame": 12, "distributed": 10}), "zh")
    assert (found["已联系上"], found["未收回（原因未登记）"]) == (["", "–"], ["−4", ""])


def test_more_forms_than_were_sent_are_a_line_to_be_checked():
    found = stages(case("more forms than customers"), "en")
    assert found["more than were due (to be checked)"] == ["+1", ""]


def test_a_programme_without_satisfied_forms_ends_with_the_valid_ones():
    assert list(stages(case("no satisfied levels"), "zh"))[-1] == "有效"


# --- invalid forms ----------------------------------------------------------------------------------------------------


def test_invalid_forms_have_their_reasons_and_shares_of_the_forms_sent():
    rules = {"min_answered": 2, "min_share": 1, "contradictions": [TORN]}
    rows = "a | satisfied | satisfied | 1 | 5\nb | | | 1 | 3\nc | fair | | 1 | 2\nd | fair | fair | 1 | 1"
    found = ledger.invalid_table(result(rows, {"distributed": 20}, head=HEAD, validity=rules), "zh")
    assert table(found) == {
        "没有可用的回答": ["3", "15.00%"],
        "作答不足 2 题": ["2", "10.00%"],
        "前后矛盾": ["1", "5.00%"],
        "合计": ["6", "30.00%"],
    }
    assert notes(found) == ["各题答案相同，不作为无效的理由。"]
    share = result("a | satisfied | | 1 | 5", {}, head=HEAD, validity={"min_share": 0.75})
    assert table(ledger.invalid_table(share, "en"))["fewer than 75.00 % of the questions answered"] == ["5", "–"]


def test_where_every_form_is_valid_a_sentence_says_so():
    assert text(ledger.invalid_table(result(forms(6)), "zh")).strip() == "没有无效问卷。"


# --- rates ------------------------------------------------------------------------------------------------------------


def test_the_rates_stand_side_by_side_with_what_they_count():
    found = ledger.fieldwork_table(case("every table"), "zh")
    assert table(found) == {
        "发放率": ["实发 ÷ 应发", "6", "8", "75.00%"],
        "回收率": ["回收 ÷ 实发", "5", "6", "83.33%"],
        "有效率": ["有效 ÷ 回收", "4", "5", "80.00%"],
        "无效占比": ["无效 ÷ 实发", "1", "6", "16.67%"],
        "有效回收率": ["有效 ÷ 实发", "4", "6", "66.67%"],
        "应答率": ["有效 ÷ 符合调查条件的实发份数", "4", "5", "80.00%"],
    }
    assert notes(found) == ["有效率以回收份数为分母，无效占比以实发份数为分母，二者之和一般不是 100%。"]


def test_a_rate_without_its_data_is_a_dash_that_is_explained():
    found = ledger.fieldwork_table(case("nothing known"), "en")
    assert table(found)["Valid return rate"] == ["valid ÷ distributed", "4", "–", "–"]
    assert notes(found)[-1] == speak("en")("note.no_data").replace("\u00a0", " ")


GATES = {
    "developer": [gate(threshold=0.7), gate("invalid_rate", "at_most", 0.3)],
    "property": [gate("distribution_rate", threshold=0.9), gate(threshold=0.85)],
    "all three": [gate("distribution_rate", threshold=0.9), gate(threshold=0.7), gate("invalid_rate", "at_most", 0.3)],
    "no return rate": [gate("invalid_rate", "at_most", 0.3)],
}


@pytest.mark.parametrize(
    "rules, counts, parts",
    [
        ("developer", {"distributed": 10}, [
            "有效问卷不少于实发的 40.00%（回收率 70.00% − 无效占比 30.00%）。", "本次有效问卷占实发的 60.00%（6 ÷ 10）。",
            "即使全部达标，实发中仍可有多至 60.00% 不在有效问卷之内。", "规程对发放率没有规定",
        ]),
        ("property", {"frame": 12, "distributed": 10}, [
            "回收问卷不少于应发的 76.50%（发放率 90.00% × 回收率 85.00%）。", "本次回收问卷占应发的 50.00%（6 ÷ 12）。",
            "规程对有效问卷的多少没有规定",
        ]),
        ("property", {}, ["76.50%", "应发份数未提供，本次的比例无法计算。"]),
        ("all three", {"frame": 12, "distributed": 10}, ["有效问卷不少于应发的 36.00%（发放率 90.00% ×（回收率 70.00% − 无效占比 30.00%））。"]),
        ("no return rate", {"distributed": 10}, ["规程对回收率没有规定，即使全部达标，也不保证收回多少问卷。"]),
    ],
)  # fmt: skip
def test_the_share_that_the_rules_guarantee_stands_beside_that_of_the_survey(rules, counts, parts):
    said = text(ledger.guarantee(result(forms(6), counts, gates=GATES[rules]), "zh"))
    assert [part for part in parts if part not in said] == []


# --- outcomes ---------------------------------------------------------------------------------------------------------


def test_every_form_sent_is_in_one_class_and_the_six_rates_follow():
    # a is complete, g partial; b refused; c not contacted; e and f unknown; d not eligible
    found = result("a | satisfied | fair | 1\ng | fair | | 1", {}, tables={"distribution": NOTED})
    assert {name: cells[-1] for name, cells in table(ledger.outcome_table(found, "en")).items()} == {
        "Complete": "1", "Partial": "1", "Refused or broken off": "1", "Not contacted": "1", "Other": "0",
        "Known to be eligible": "4", "Unknown eligibility": "2", "Not eligible": "1", "All": "7",
    }  # fmt: skip
    rates = ledger.response_table(found, "en")
    assert {name: cells[1:] for name, cells in table(rates).items()} == {
        "RR1": ["1", "6", "16.67 %"], "RR2": ["2", "6", "33.33 %"],
        "RR3": ["1", "5.60", "17.86 %"], "RR4": ["2", "5.60", "35.71 %"],  # e = 4 ÷ 5
        "RR5": ["1", "4", "25.00 %"], "RR6": ["2", "4", "50.00 %"],
    }  # fmt: skip
    assert "The estimated share e is 80.00 %" in notes(rates)[1] and notes(rates)[2].endswith("is RR2.")


def test_a_class_names_what_it_is_made_of_with_numbers_where_that_is_several_things():
    rows = "a | satisfied | fair | 1\ng | | | 1"
    found = table(ledger.outcome_table(result(rows, {}, tables={"distribution": NOTED}), "zh"))
    assert found["拒答（含中途放弃）"] == ["登记为拒答 1；交回而空白或作答不足 1", "2"]
    assert found["是否符合不明"] == ["登记为尚未交回 1；登记未注明结果 1", "2"]
    assert found["完整作答"] == ["有效问卷，所问各题都已作答", "1"]


def test_where_register_and_forms_differ_the_response_rate_is_not_called_rr2():
    # d is listed as not eligible and answered: it was eligible; of x, y and z, who are not listed, one is too many
    for ids, said in (("d", 3), ("xyz", 2)):
        rows = "\n".join(f"{form} | satisfied | fair | 1" for form in ids)
        found = result(rows, {}, tables={"distribution": NOTED})
        assert len(notes(ledger.response_table(found, "zh"))) == said


def test_where_nothing_was_noted_a_sentence_says_so():
    assert "不能归类" in text(ledger.outcome_table(case("normal"), "zh"))
    assert text(ledger.response_table(case("normal"), "zh")).strip() == ""


# --- definitions of the satisfaction rate -----------------------------------------------------------------------------


def test_a_satisfaction_rate_of_92_per_cent_of_the_valid_forms_is_one_of_64_per_cent_of_the_returned():
    # 1,000 returned, 30 % of them invalid; 644 of the 700 valid ones are satisfied
    rows = "a | satisfied | satisfied | 1 | 644\nb | fair | satisfied | 1 | 56\nc | | | 1 | 300"
    found = ledger.satisfaction_table(result(rows, {"distributed": 1400}, head=HEAD, **RATE), "en")
    cells = table(found)["its answer to “Delivery” is “Satisfied”"]
    assert cells == [
        "64.40 % / 644 ÷ 1,000", "92.00 % / 644 ÷ 700 / used in this report", "92.00 % / 644 ÷ 700", "46.00 % / 644 ÷ 1,400",
    ]  # fmt: skip
    assert notes(found)[0] == "The same forms give between 46.00 % and 92.00 %, depending on the definition."


def test_each_reading_has_its_row_and_the_answered_forms_are_those_it_asks_for():
    # of the 4 valid forms, d answers service alone and b delivery alone
    rows = "a | satisfied | satisfied | 1\nb | satisfied | | 1\nc | satisfied | fair | 1\nd | | fair | 1\ne | | | 1"
    found = ledger.satisfaction_table(result(rows), "zh")
    assert table(found) == {
        "“交货”一题答“满意”": ["60.00% / 3 ÷ 5", "75.00% / 3 ÷ 4 / 本报告采用", "100.00% / 3 ÷ 3", "30.00% / 3 ÷ 10"],
        "所答各题中至少 75.00% 答“满意”": ["40.00% / 2 ÷ 5", "50.00% / 2 ÷ 4", "50.00% / 2 ÷ 4", "20.00% / 2 ÷ 10"],
        "所答各题均答“满意”": ["40.00% / 2 ÷ 5", "50.00% / 2 ÷ 4", "50.00% / 2 ÷ 4", "20.00% / 2 ÷ 10"],
    }
    assert "75.00% 为常见取法，规程未作规定，仅供对照，不用于任何判定。" in notes(found)


@pytest.mark.parametrize("denominator", fieldwork.DENOMINATORS)
@pytest.mark.parametrize(
    "form",
    [{"reading": "item", "item": "service"}, {"reading": "all_items"}, {"reading": "share_of_items", "share": 0.5}],
    ids=lambda form: form["reading"],
)
def test_the_cell_of_the_programme_is_its_satisfaction_rate(form, denominator):
    rows = MIXED.replace("\n", " | 2\n") + "f | fair | satisfied | 1 | 0.5"
    head = HEAD.replace("count", "weight")
    found = result(rows, head=head, satisfied_form=form, satisfaction_rate={"denominator": denominator}, **RATE)
    own = [cell for cells in table(ledger.satisfaction_table(found, "zh")).values() for cell in cells if "采用" in cell]
    assert [cell.split(" / ")[0] for cell in own] == [
        speak("zh").number(found.measure("satisfaction_rate")["value"], "share")
    ]
    assert speak("zh")("note.weights") in notes(ledger.satisfaction_table(found, "zh"))


def test_where_all_definitions_agree_or_none_is_there_nothing_is_said_of_a_spread():
    assert len(notes(ledger.satisfaction_table(result(forms(6, service="satisfied"), {}), "en"))) == 2
    assert "when a form is satisfied" in text(ledger.satisfaction_table(case("no satisfied levels"), "en"))


def test_with_one_question_all_readings_are_the_same():
    items = [{"id": "delivery", "title": {"zh": "交货", "en": "Delivery"}}]
    found = result("a | satisfied | 1", head="form_id | delivery | region\n", items=items, **RATE)
    assert list(table(ledger.satisfaction_table(found, "zh"))) == ["“交货”一题答“满意”"]


# --- words ------------------------------------------------------------------------------------------------------------

EMPTY = {**dict.fromkeys(schemas.DISPOSITIONS, 0), fieldwork.UNKNOWN: 0}
CLASSES = fieldwork.classify(case("normal").evidence, case("normal").survey.answers, EMPTY)
SPOKEN = {
    "stage": ["frame", "distributed", "contacted", "returned", "valid", "satisfied"],
    "fallen": [
        "not_sent", "beyond_frame", "not_returned", "beyond_distributed", "unlisted", "missing", "invalid", "undecided",
        "not_satisfied",
    ],
    "invalid": fieldwork.BROKEN_OFF,
    "outcome": [*CLASSES, "known", "total"],
    "consists": [source for sources in CLASSES.values() for source in sources],
    "outcome_rate": fieldwork.response_rates(1, 0, 0, 0, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("stem", SPOKEN)
def test_every_line_class_and_rate_has_a_word_and_no_word_is_left_over(stem):
    there = {key for key in speak("zh").texts if key.startswith(f"{stem}.")}
    assert {f"{stem}.{name}" for name in SPOKEN[stem]} == there


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_of_the_ledger_is_called_like_another(language):
    words = speak(language)
    names = [
        words(f"{stem}.{name}") for stem in ("stage", "fallen", "invalid") for name in SPOKEN[stem] if stem != "invalid"
    ]
    names += [words(f"disposition.{name}") for name in (*schemas.DISPOSITIONS, fieldwork.UNKNOWN) if name != "returned"]
    assert len(set(names)) == len(names)
