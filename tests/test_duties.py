"""A page says of every clause how it stands and how that is known, of every step when and with what evidence, and whom to ask again."""

import datetime as dt
import functools
import re
from xml.etree import ElementTree

import pandas as pd
import pytest

from conftest import demo, remembered, survey_of
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.assembly.procedure import ORDER
from csat_analysis.ground.words import speak
from csat_analysis.publishing import duties
from csat_analysis.publishing.markup import Exhibit
from publishing import HOSTILE, reaching_out

LANGUAGES = ["zh", "en"]
EACH_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
EXHIBITS = ("clause_summary", "clause_table", "step_table", "register_table", "remedy_table")
HEAD = "form_id | delivery | service | site | count\n"
ENTERED = "step | due_on | done_on | responsible | evidence | reason\n"
SATISFIED = {"satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "delivery"}}
VOIDS = {
    "measure": "invalid_rate",
    "comparison": "at_most",
    "threshold": 0.3,
    "voids": "unless_remedied",
    "clause": "4",
}
DASH = "–"


def both(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def gate(measure="satisfaction_rate", comparison="at_least", threshold=0.85, clause="1", **keys) -> dict:
    return {"measure": measure, "comparison": comparison, "threshold": threshold, "clause": clause, **keys}


def duty(identifier: str, clause: str | None = "1", title: str | None = None, **keys) -> dict:
    return {"id": identifier, "title": both(title or identifier.upper()), "clause": clause, **keys}


def clauses(*identifiers: str) -> list[dict]:
    return [{"id": identifier, "title": both(f"T{identifier}")} for identifier in identifiers]


@remembered
def result(
    rows="a | satisfied | fair | | 34\nb | fair | fair | | 6", entries=None, counts=None, plan=None, run=None, **keys
) -> Assessment:
    programme = demo(**{"clauses": clauses("1", "2"), "gates": [], **SATISFIED, **keys})
    tables = {"steps": ENTERED + entries} if entries is not None else {}
    return assess(
        survey_of(HEAD + rows, programme, tables, plan={"counts": counts or {}, **(plan or {})}, **(run or {}))
    )


def read(exhibit: Exhibit) -> ElementTree.Element:
    """Return the tree of an exhibit; every tag of it is closed."""
    return ElementTree.fromstring(f"<body>{exhibit.html}</body>")


def text(exhibit: Exhibit) -> str:
    """Return what a reader reads; unbreakable spaces are plain ones."""
    return " ".join(" ".join(read(exhibit).itertext()).replace("\u00a0", " ").split())


def rows(exhibit: Exhibit) -> list[list[str]]:
    """Return the cells of each row; smaller lines of a cell are set off by /."""
    return [
        [" / ".join(cell.itertext()).replace("\u00a0", " ") for cell in row]
        for row in read(exhibit).findall(".//tbody/tr")
    ]


def cells(exhibit: Exhibit, language: str, name: str) -> list[str]:
    """Return the column of a table that is headed by a word."""
    heads = [head.text for head in read(exhibit).findall(".//thead/tr/th")]
    return [row[heads.index(speak(language)(f"head.{name}"))] for row in rows(exhibit)]


STEPS = [
    duty("plan", before="fieldwork", months=1, responsible=both("OFFICE")), duty("survey", "2", seen_in="fieldwork"),
    duty("review", "3", every="half_year", record="records"), duty("visits", "3", seen_in="comments"),
    duty("repair", "3", when_needed=True), duty("audit", None),
]  # fmt: skip
REGISTERS = [duty("records", "3"), duty("minutes", "4"), duty("plans", "4", seen_in="actions")]
ENTRIES = """plan | 2024-09-30 | 2024-10-08 | DESK | E-1 | flood
             review | 2024-06-30 | 2024-06-12 | | E-2 |
             audit | | 2024-05-01 | | |"""
EVERYTHING = {
    "clauses": clauses("1", "2", "3", "4", "5"), "steps": STEPS, "registers": REGISTERS, "gates": [gate(), VOIDS],
    "counts": {"distributed": 50},
}  # fmt: skip
CASES = {
    "everything": {"entries": ENTRIES, **EVERYTHING},
    "no steps table": EVERYTHING,
    "too early": {"entries": ENTRIES, **EVERYTHING, "plan": {"as_of": "2024-02-01"}},
    "nobody answered": {"rows": "a | | | | 3", "entries": "", **EVERYTHING},
    "remedy due": {"rows": "a | fair | fair | | 6\nb | | | | 1\nc | | | | 1\nd | | | | 1\ne | | | | 1", **EVERYTHING, "counts": {"distributed": 10}},
    "nothing": {"clauses": ()},
}  # fmt: skip


@functools.cache
def case(name: str) -> Assessment:
    return result(**CASES[name])


# --- whatever a survey holds ------------------------------------------------------------------------------------------


@EACH_LANGUAGE
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("each", EXHIBITS)
def test_every_exhibit_can_be_read(each, name, language):
    found = text(getattr(duties, each)(case(name), language))
    assert re.findall(r"nan|NaN|None|NaT|\binf\b|[{}]|<(?! ?\d)", found) == []
    assert language == "zh" or re.findall(r"[\u3000-\uffef]+", found) == []


@EACH_LANGUAGE
@pytest.mark.parametrize("hostile", HOSTILE)
def test_titles_and_what_was_entered_appear_as_text_and_never_as_tags(hostile, language):
    entered = hostile.replace("|", "/")
    titled = [{**step, "title": both(hostile), "responsible": both(hostile)} for step in STEPS]
    found = result(
        "a | satisfied | fair | 1 | 5\nb | | | 1 | 5",
        entries=f"plan | 2024-09-30 | 2024-10-08 | {entered} | {entered} | {entered}\nsatisfaction_rate | | | | | {entered}",
        clauses=[{"id": "1", "title": both(hostile)}, {"id": hostile, "title": both(hostile)}], steps=titled,
        registers=[{**register, "title": both(hostile)} for register in REGISTERS], counts={"distributed": 10},
        gates=[gate(threshold=0.99), {**VOIDS, "clause": hostile}], run={"design": {"stratum": "site"}, "names": {"site": both(hostile)},
        "levels": {"site": {"1": both(hostile)}}},
        validity={"min_answered": 2, "contradictions": [{"id": "clash", "title": both(hostile), "answers": {"delivery": ["fair"], "service": ["fair"]}}]},
    )  # fmt: skip
    for each in EXHIBITS:
        exhibit = getattr(duties, each)(found, language)
        assert reaching_out(exhibit.html) == []
        assert hostile in "".join(read(exhibit).itertext())


@EACH_LANGUAGE
@pytest.mark.parametrize("name", CASES)
def test_there_is_a_dash_only_where_there_is_no_value(name, language):
    found = case(name)
    for kind, shown in (
        ("step", duties.step_table(found, language)),
        ("register", duties.register_table(found, language)),
    ):
        listed = found.steps[found.steps["kind"] == kind].to_dict("records")
        if len(listed) != len(rows(shown)):
            continue  # times of one step that stand alike are told together
        for row, due, done, evidence in zip(
            listed, *(cells(shown, language, each) for each in ("due_on", "done_on", "evidence")), strict=True
        ):
            assert (due == DASH) is (row["due_on"] is None)
            assert (done == DASH) is (row["done_on"] is None)
            is_silent = not (row["evidence"] or row["reason"]) and row["why"] in ("done", "not_due")
            assert (evidence == DASH) is is_silent
    assert not any(cell == DASH for row in rows(duties.clause_table(found, language)) for cell in row[:3])


# --- clauses ----------------------------------------------------------------------------------------------------------


def test_a_clause_is_shown_with_its_title_how_it_stands_and_each_carrier():
    shown = {row[0]: row[1:] for row in rows(duties.clause_table(case("everything"), "en"))}
    assert list(shown) == ["1", "2", "3", "4", "5"]
    assert shown["1"][:2] == ["T1", "late"]  # the rule is borderline, the plan late
    assert "85.00 %" in shown["1"][2] and "certainty" in shown["1"][2] and "PLAN" in shown["1"][2]
    assert shown["2"][:2] == ["T2", "met"]
    assert shown["3"][1] == "missing" and "2 times, 1 of them met" in shown["3"][2]
    assert shown["5"][1:] == ["carried by nothing", DASH]


@EACH_LANGUAGE
def test_a_summary_counts_the_clauses_and_names_those_that_want_attention(language):
    words, shown = speak(language), text(duties.clause_summary(case("everything"), language))
    for state, names in (("missing", ["3", "4"]), ("late", ["1"]), ("uncited", ["5"])):
        counted = words("state_count", state=words(f"state.{state}"), n=len(names))
        assert words.aside(counted, words.listing(names)).replace("\u00a0", " ") in shown
    assert words.aside(words("state_count", state=words("state.met"), n=1), "2") not in shown
    assert text(duties.clause_summary(case("nothing"), language)) == words("sentence.no_clauses")


def test_the_worst_comes_first_in_a_summary():
    shown = text(duties.clause_summary(case("everything"), "en"))
    found = [state for state in ORDER if f"{speak('en')(f'state.{state}')} 1" in shown]
    places = [shown.index(f"{speak('en')(f'state.{state}')} 1") for state in found]
    assert len(found) > 2 and places == sorted(places)


def test_two_rules_on_one_measure_are_shown_each_with_its_verdict():
    shown = rows(
        duties.clause_table(
            result(gates=[gate(threshold=0.5), gate(threshold=0.99, severity="target", clause="2")]), "en"
        )
    )
    assert [row[2] for row in shown] == ["met", "target missed"]


@pytest.mark.parametrize("entries, told", [(None, False), ("", False), ("satisfaction_rate | | | | | flood", True)])
def test_the_reason_on_record_stands_beside_a_target_that_is_missed(entries, told):
    found = result(entries=entries, gates=[gate(threshold=0.99, severity="target")])
    assert ("flood" in text(duties.clause_table(found, "en"))) is told


def test_a_reason_beside_a_rule_that_is_met_is_not_told():
    found = result(entries="satisfaction_rate | | | | | flood", gates=[gate(threshold=0.5)])
    assert "flood" not in text(duties.clause_table(found, "en"))


def test_a_step_that_is_called_like_a_question_keeps_its_own_title():
    items = [{"id": "delivery", "title": both("QUESTION")}, {"id": "service"}]
    found = result(entries="", items=items, steps=[duty("delivery", title="STEP")])
    shown = text(duties.clause_table(found, "en"))
    assert "STEP" in shown and "QUESTION" not in shown


def told(found: Assessment, language: str) -> str:
    """Return by what the first clause is carried out, and how that is known."""
    return rows(duties.clause_table(found, language))[0][3]


@pytest.mark.parametrize(
    "entry, english, chinese",
    [
        ("2024-05-01 | 2024-04-01 | | E-1 |", "met (done 2024-04-01; evidence: E-1)", "达标（2024 年 4 月 1 日完成；凭证：E-1）"),
        ("2024-05-01 | 2024-05-02 | | E-1 | flood", "late (done 2024-05-02; due 2024-05-01; evidence: E-1; reason: flood)", "延迟（2024 年 5 月 2 日完成；期限为 2024 年 5 月 1 日；凭证：E-1；原因：flood）"),
        ("| 2024-05-02 | | |", "missing (done 2024-05-02; no evidence is named)", "缺失（2024 年 5 月 2 日完成；未注明凭证）"),
        ("2024-05-01 | | | |", "missing (due 2024-05-01; nothing on record)", "缺失（期限为 2024 年 5 月 1 日；到期而无完成记录）"),
        ("2025-06-01 | | | |", "not due yet (due 2025-06-01)", "未到期（期限为 2025 年 6 月 1 日）"),
    ],
)  # fmt: skip
def test_a_clause_says_when_a_step_was_done_when_it_was_due_and_by_what_that_is_known(entry, english, chinese):
    found = result(entries=f"visit | {entry}", clauses=clauses("1"), steps=[duty("visit")])
    assert told(found, "en") == f"Step “VISIT”: {english}"
    assert told(found, "zh") == f"步骤“VISIT”：{chinese}"


def test_of_a_repeated_step_a_clause_tells_the_time_that_stands_worst():
    entries = "visit | 2024-06-30 | 2024-07-12 | | E-1 | flood\nvisit | 2024-12-31 | 2024-12-01 | | E-2 |"
    found = result(entries=entries, clauses=clauses("1"), steps=[duty("visit", every="half_year")])
    late = "done 2024-07-12; due 2024-06-30; evidence: E-1; reason: flood"
    assert told(found, "en") == f"Step “VISIT”: late (2 times, 1 of them met; that of 2024 H1: {late})"


def test_where_no_steps_table_was_delivered_no_number_of_times_is_told():
    found = result(clauses=clauses("1"), steps=[duty("visit", every="half_year")])
    assert told(found, "en") == "Step “VISIT”: not assessed yet (no steps table was delivered)"


def test_a_clause_shows_a_rule_with_the_two_numbers_of_its_figure():
    found = result(clauses=clauses("1"), gates=[gate("return_rate")], counts={"distributed": 50})
    assert told(found, "zh") == "回收率的规定：未达标（≥ 85.00%；40 ÷ 50 = 80.00%）"


def test_a_note_explains_only_the_standings_that_are_there():
    shown = text(duties.clause_table(result(entries="visit | | 2024-05-01 | | E-1 |", steps=[duty("visit")]), "en"))
    assert "by hand" in shown and "“Applied”" not in shown and "“Not assessed yet”" not in shown


# --- steps and registers ----------------------------------------------------------------------------------------------


def test_a_step_is_shown_with_who_when_and_what():
    shown = duties.step_table(case("everything"), "en")
    first = rows(shown)[0]
    assert first[0].startswith("PLAN") and first[1:5] == ["1", "DESK", "2024-09-30", "2024-10-08"]
    assert first[5] == "late" and first[6].split(" / ") == ["E-1", "done after it was due", "reason: flood"]


def test_who_is_responsible_comes_from_the_entry_then_from_the_procedure():
    steps = [duty("one", responsible=both("OFFICE")), duty("two", responsible=both("OFFICE")), duty("three")]
    shown = duties.step_table(result(entries="one | | 2024-05-01 | DESK | E-1 |", steps=steps), "en")
    assert cells(shown, "en", "responsible") == ["DESK", "OFFICE", DASH]


@EACH_LANGUAGE
@pytest.mark.parametrize(
    "every, first, second",
    [("half_year", (2024, 1), (2024, 2)), ("quarter", (2024, 1), (2024, 2)), ("month", (2024, 1), (2024, 2))],
)
def test_each_time_of_a_repeated_step_is_named(every, first, second, language):
    day = {"half_year": "2024-07-01", "quarter": "2024-04-01", "month": "2024-02-01"}[every]
    entries = f"review | | 2024-01-05 | | E-1 |\nreview | | {day} | | E-2 |"
    shown, words = (
        duties.step_table(result(entries=entries, steps=[duty("review", every=every)]), language),
        speak(language),
    )
    for row, (year, part) in zip(rows(shown), (first, second), strict=False):
        name = f"half_year_{part}" if every == "half_year" else every
        named = (
            words.month(dt.date(year, part, 1)) if every == "month" else words(f"window.{name}", year=year, part=part)
        )
        assert named.replace("\u00a0", " ") in row[0]


def test_times_that_stand_alike_and_have_nothing_on_record_are_told_together():
    shown = rows(duties.step_table(result(entries="", steps=[duty("report", every="month")]), "en"))
    assert len(shown) == 1
    assert "2024-01" in shown[0][0] and "2024-12" in shown[0][0]


def test_times_with_evidence_of_their_own_are_told_one_by_one():
    entries = "report | | 2024-01-05 | | E-1 |\nreport | | 2024-02-05 | | E-2 |"
    shown = text(duties.step_table(result(entries=entries, steps=[duty("report", every="month")]), "en"))
    assert "E-1" in shown and "E-2" in shown


def test_a_step_without_an_interval_that_was_done_twice_is_told_twice():
    entries = "audit | | 2024-03-05 | | E-1 |\naudit | | 2024-09-05 | | E-2 |"
    shown = duties.step_table(result(entries=entries, steps=[duty("audit")]), "en")
    assert cells(shown, "en", "done_on") == ["2024-03-05", "2024-09-05"]
    assert cells(shown, "en", "evidence") == ["E-1", "E-2"]


def test_of_a_step_on_record_very_often_the_worst_are_listed_and_the_others_counted():
    # 60 times in time, then 3 of which no evidence is named
    good = [f"audit | | {day:%Y-%m-%d} | | E-{n} |" for n, day in enumerate(pd.date_range("2024-01-01", periods=60))]
    entries = "\n".join([*good, *["audit | | 2024-11-05 | | |"] * 3])
    shown = duties.step_table(result(entries=entries, steps=[duty("audit"), duty("meeting")]), "en")
    told = [row[5] for row in rows(shown)]
    assert told == ["met"] * 21 + ["missing"] * 3 + ["missing"]
    assert "the 24 that stand worst are listed; the other 39 are in the table of steps" in text(shown)


def test_a_table_of_steps_may_hold_anything():
    days = ["2024-01-31", "2024-13-45", "9999-12-31", "0001-01-01", "", "44927"]
    what = ["audit", "<script>alert(1)</script>", "=cmd", "", "\u202emoc"]
    rows = [(step, due, done, "<b>DESK</b>", "E-1", "") for step in what for due in days for done in days]
    table = pd.DataFrame(rows, columns=["step", "due_on", "done_on", "responsible", "evidence", "reason"])
    entered = table.to_csv(index=False, sep="|").partition("\n")[2].strip()
    found = result(entries=entered, steps=[duty("audit", every="month")])
    kept = found.survey.tables["steps"]
    gone = found.survey.rejected.loc[found.survey.rejected["table"] == "steps", "row"]
    assert len(kept) + gone.nunique() >= len(rows) and set(kept["step"]) <= {"audit"}
    assert len(found.steps) >= 12 and "<b>" not in duties.step_table(found, "zh").html


def test_a_register_says_by_what_it_is_there():
    shown = duties.register_table(case("everything"), "en")
    assert cells(shown, "en", "standing") == ["met", "missing", "not assessed yet"]
    assert cells(shown, "en", "evidence")[0].split(" / ") == ["E-2", "made by its step"]


@EACH_LANGUAGE
def test_a_procedure_without_steps_or_records_says_so_and_has_no_table(language):
    for each, kind in ((duties.step_table, "steps"), (duties.register_table, "registers")):
        shown = each(case("nothing"), language)
        assert rows(shown) == [] and text(shown) == speak(language)(f"sentence.no_{kind}")


@EACH_LANGUAGE
def test_a_day_is_the_day_that_was_entered(language):
    found = case("everything")
    shown = text(duties.step_table(found, language))
    for day in found.steps["done_on"].dropna():
        assert isinstance(day, dt.date)
        assert day.isoformat() in shown or speak(language).date(day) in shown


# --- the remedy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "language, least", [("zh", "至少补全其中 1 份"), ("en", "At least 1 of them must be completed")]
)
def test_a_remedy_lists_the_forms_and_how_many_at_least(language, least):
    found = case("remedy due")
    shown = duties.remedy_table(found, language)
    assert found.status == "remedy_due"
    assert [row[0] for row in rows(shown)] == ["b", "c", "d", "e"]
    assert least in text(shown)


@pytest.mark.parametrize("name", ["everything", "nothing", "nobody answered"])
def test_without_a_remedy_due_nothing_is_listed(name):
    found = case(name)
    assert (found.status == "remedy_due") is bool(rows(duties.remedy_table(found, "en")))


@pytest.mark.parametrize("remedy", [{"due_on": "2025-01-09"}, {"closed_on": "2025-01-09"}])
def test_of_a_void_survey_nothing_is_listed(remedy):
    found = result(**{**CASES["remedy due"], "plan": {"remedy": remedy}})
    assert found.status == "void" and duties.remedy_table(found, "en").html == ""


def test_a_form_s_group_is_named_where_there_are_strata():
    run = {"design": {"stratum": "site"}, "names": {"site": both("SITE")}, "levels": {"site": {"1": both("NORTH")}}}
    rows_ = "a | fair | fair | 1 | 6\n" + "\n".join(
        f"{name} | | | {site} | 1" for name, site in zip("bcde", "1122", strict=True)
    )
    shown = duties.remedy_table(result(**{**CASES["remedy due"], "rows": rows_}, run=run), "en")
    assert [row[1] for row in rows(shown)] == ["NORTH", "NORTH", "2", "2"]
    assert "SITE" in text(shown) and DASH not in text(shown)


def test_of_very_many_forms_the_first_are_listed_and_the_others_counted():
    blank = "\n".join(f"x{i:02} | | | | 1" for i in range(60))
    shown = duties.remedy_table(result(**{**CASES["remedy due"], "rows": blank, "counts": {"distributed": 100}}), "en")
    assert len(rows(shown)) == duties.LISTED < 60
    assert f"{duties.LISTED} of 60 are listed here" in text(shown)


def test_only_of_a_condition_that_is_not_met_and_forms_can_meet_a_number_is_told():
    rules = [
        VOIDS,
        gate("valid_rate", threshold=0.5, voids="unless_remedied"),
        gate("return_rate", threshold=0.7, voids="unless_remedied"),
    ]
    shown = text(duties.remedy_table(result(**{**CASES["remedy due"], "gates": rules}), "en"))
    assert "At least 1 of them" in shown
    assert "At least 0 of them" not in shown and "Even if all of them" not in shown


def test_rows_that_stand_for_several_forms_are_counted_as_forms():
    shown = text(
        duties.remedy_table(result(**{**CASES["remedy due"], "rows": "a | fair | fair | | 6\nb | | | | 4"}), "en")
    )
    assert "Forms to be completed (4)" in shown
