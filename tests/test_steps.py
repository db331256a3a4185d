"""A step is met, late, missing or pending by the day; each time it is due is a row, and what cannot be seen is not assessed."""

import datetime as dt

import pandas as pd
import pytest

from conftest import demo, remembered, sheet, survey_of
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.domain import steps
from csat_analysis.ground import runs

FORMS = "form_id | delivery | service\na | satisfied | fair\nb | fair | fair"
HEAD = "step | due_on | done_on | responsible | evidence | reason\n"
SENT = "2024-11-01"


def duty(identifier: str, **keys) -> dict:
    return {"id": identifier, "title": identifier, **keys}


def judged(
    listed, entries: str | None = "", registers=(), as_of="2025-01-10", sent: str | None = None, period="2024"
) -> pd.DataFrame:
    """Return what comes of some steps and of what was entered by hand.

    ``sent`` is the day on which the first form went out. No entries, None: no steps table was delivered.
    """
    table = None if entries is None else sheet(HEAD + entries, "steps.csv").rows
    first, last = runs.period_bounds(period)
    out = dt.date.fromisoformat(sent) if sent else None
    ledger = steps.Ledger(table, first, last, dt.date.fromisoformat(as_of), out, frozenset({"fieldwork"}))
    return steps.judge_steps(demo(steps=listed, registers=list(registers)), ledger)


def found(*arguments, **keys) -> list[tuple[str, str]]:
    """Return the state of each row, and why."""
    return list(judged(*arguments, **keys)[["state", "why"]].itertuples(index=False, name=None))


def days(*arguments, **keys) -> list[tuple[str | None, ...]]:
    """Return of each row the window, when it was due and done, and its state."""
    rows = judged(*arguments, **keys)[["window", "due_on", "done_on", "state"]].to_dict("records")
    return [tuple(v.isoformat() if isinstance(v, dt.date) else v for v in row.values()) for row in rows]


@remembered
def surveyed(listed, steps: str | None = None, sent: str | None = None, **keys) -> Assessment:
    """Return the same by the whole way: from the tables of a survey."""
    tables = {name: text for name, text in {"steps": steps, "distribution": sent}.items() if text is not None}
    return assess(survey_of(FORMS, demo(steps=listed), tables, **keys))


# --- one step, on its day ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "done_on, state, why",
    [
        ("2024-06-29", "met", "done"),
        ("2024-06-30", "met", "done"),  # on the day
        ("2024-07-01", "late", "done_late"),
        ("2025-01-10", "late", "done_late"),  # on the day of the report
        ("2025-01-11", "missing", "not_done"),  # the report does not know that yet
    ],
)
def test_a_step_is_in_time_until_the_end_of_the_day_it_is_due(done_on, state, why):
    assert found([duty("audit")], f"audit | 2024-06-30 | {done_on} | | E-1 |") == [(state, why)]


@pytest.mark.parametrize(
    "as_of, state, why",
    [("2024-06-29", "pending", "not_due"), ("2024-06-30", "pending", "not_due"), ("2024-07-01", "missing", "not_done")],
)
def test_what_is_not_done_is_missing_from_the_day_after_it_was_due(as_of, state, why):
    assert found([duty("audit")], "audit | 2024-06-30 | | | |", as_of=as_of) == [(state, why)]


@pytest.mark.parametrize("entries", ["", "audit | | | | | nobody had time"])
@pytest.mark.parametrize(
    "as_of, state", [("2024-12-30", "pending"), ("2024-12-31", "pending"), ("2025-01-01", "missing")]
)
def test_without_a_date_a_step_is_missing_from_the_day_after_the_period(as_of, state, entries):
    assert [row[0] for row in found([duty("audit")], entries, as_of=as_of)] == [state]


def test_a_step_due_after_the_period_is_not_missing_when_the_period_is_over():
    assert found([duty("audit")], "audit | 2025-03-31 | | | |") == [("pending", "not_due")]


@pytest.mark.parametrize(
    "evidence, state, why", [("E-1", "met", "done"), ("", "missing", "no_evidence"), ("  ", "missing", "no_evidence")]
)
def test_what_is_done_without_evidence_named_is_missing(evidence, state, why):
    assert found([duty("audit")], f"audit | 2024-06-30 | 2024-06-01 | | {evidence} |") == [(state, why)]
    assert found([duty("audit")], f"audit | | 2024-06-01 | | {evidence} |") == [(state, why)]


def test_what_is_done_late_without_evidence_is_missing_too():
    assert found([duty("audit")], "audit | 2024-06-30 | 2024-07-01 | | |") == [("missing", "no_evidence")]


def test_a_day_that_cannot_be_read_is_none():
    entries = "audit | 2024-06-30 | 2024-06-31 | | E-1 |\ntraining | 2024-13-01 | 2024-06-01 | | E-2 |"
    rows = surveyed([duty("audit"), duty("training")], HEAD + entries).steps
    assert rows["why"].tolist() == ["not_done", "done"]
    assert rows["due_on"].tolist() == [dt.date(2024, 6, 30), None]
    assert rows["done_on"].tolist() == [None, dt.date(2024, 6, 1)]


def test_the_columns_that_are_not_delivered_are_empty():
    rows = surveyed([duty("audit"), duty("training")], "step | done_on\naudit | 2024-06-01").steps
    assert rows["state"].tolist() == ["missing", "missing"]
    assert rows["why"].tolist() == ["no_evidence", "not_done"]


def test_a_row_holds_what_was_entered():
    entry = "audit | 2024-06-30 | 2024-07-03 | Quality | E-1 | flood"
    (row,) = judged([duty("audit", clause="4.1")], entry).to_dict("records")
    assert row == {
        "kind": "step", "id": "audit", "window": None, "due_on": dt.date(2024, 6, 30), "done_on": dt.date(2024, 7, 3),
        "state": "late", "why": "done_late", "responsible": "Quality", "evidence": "E-1", "reason": "flood", "clause": "4.1",
    }  # fmt: skip


def test_a_step_that_was_done_several_times_has_a_row_for_each():
    entries = "audit | 2024-03-31 | 2024-03-30 | | E-1 |\naudit | 2024-06-30 | 2024-07-01 | | E-2 |\naudit | 2025-02-01 | | | |"
    assert found([duty("audit")], entries) == [("met", "done"), ("late", "done_late"), ("pending", "not_due")]


def test_an_unknown_step_is_rejected_with_its_row_and_the_others_count():
    entries = "audit | | 2024-06-01 | | E-1 |\naduit | | 2024-06-02 | | E-2 |\n | | 2024-06-03 | | |"
    found = surveyed([duty("audit")], HEAD + entries)
    rejected = found.survey.rejected[["table", "row", "column", "reason"]].values.tolist()
    assert rejected == [["steps", 3, "step", "unknown_step"], ["steps", 4, "step", "unknown_step"]]
    assert found.steps["state"].tolist() == ["met"]


def test_the_measure_of_a_gate_may_be_entered_and_is_no_step():
    found = surveyed([duty("audit")], HEAD + "return_rate | | | | | flood")
    assert (len(found.survey.rejected), found.steps["id"].tolist()) == (0, ["audit"])


# --- what cannot be seen ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_of", ["2024-06-01", "2025-01-10"])
def test_without_a_steps_table_nothing_is_assessed(as_of):
    registers = [duty("minutes")]
    assert (
        found([duty("audit"), duty("review", every="half_year")], None, registers, as_of)
        == [("not_assessed", "no_table")] * 4
    )


@pytest.mark.parametrize("table", [HEAD, HEAD + "aduit | | 2024-06-01 | | E-1 |"])
def test_a_steps_table_without_a_usable_row_is_one(table):
    assert surveyed([duty("audit")], table).steps["why"].tolist() == ["not_done"]


def test_what_is_done_when_needed_is_never_missing_for_want_of_an_entry():
    assert found([duty("audit", when_needed=True)], "") == [("not_assessed", "when_needed")]
    assert found([duty("audit", when_needed=True)], "audit | 2024-06-30 | 2024-06-30 | | E-1 |") == [("met", "done")]
    assert found([duty("audit", when_needed=True)], "audit | 2024-06-30 | | | |") == [("missing", "not_done")]


def test_a_reason_why_nothing_was_needed_is_no_missing_step():
    assert found([duty("audit", when_needed=True)], "audit | | | | | no complaint this year") == [
        ("not_assessed", "when_needed")
    ]


@pytest.mark.parametrize("part", ["complaints", "planning", "comments", "actions", "change", "archive"])
def test_a_part_of_the_cycle_that_is_still_to_come_is_not_assessed_unless_somebody_entered_it(part):
    listed = [duty("audit", seen_in=part)]
    assert found(listed, "") == found(listed, None) == [("not_assessed", part)]
    assert found(listed, "audit | 2024-06-30 | 2024-06-30 | | E-1 |") == [("met", "done")]
    assert found(listed, "audit | 2024-06-30 | | | |") == [("missing", "not_done")]


def test_what_the_survey_itself_shows_is_met_without_an_entry():
    assert found([duty("survey", seen_in="fieldwork")], None) == [("met", "shown_fieldwork")]
    segments = [duty("segments", seen_in="groups")]
    assert surveyed(segments, groups=["service"]).steps["why"].tolist() == ["shown_groups"]
    assert surveyed(segments).steps[["state", "why"]].values.tolist() == [["missing", "no_groups"]]


def test_what_was_entered_goes_before_what_the_survey_shows():
    assert found([duty("survey", seen_in="fieldwork")], "survey | 2024-06-30 | 2024-07-01 | | E-1 |") == [
        ("late", "done_late")
    ]


# --- windows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "every, period, starts, ends",
    [
        ("month", "2024Q1", ["2024-01-01", "2024-02-01", "2024-03-01"], ["2024-01-31", "2024-02-29", "2024-03-31"]),
        ("month", "2023-02", ["2023-02-01"], ["2023-02-28"]),
        ("quarter", "2024H2", ["2024-07-01", "2024-10-01"], ["2024-09-30", "2024-12-31"]),
        ("quarter", "2024-05", ["2024-04-01"], ["2024-06-30"]),
        ("half_year", "2024", ["2024-01-01", "2024-07-01"], ["2024-06-30", "2024-12-31"]),
        ("half_year", "2024Q3", ["2024-07-01"], ["2024-12-31"]),
        ("half_year", "2024-06", ["2024-01-01"], ["2024-06-30"]),
        ("half_year", "2024-07", ["2024-07-01"], ["2024-12-31"]),
        ("year", "2024", ["2024-01-01"], ["2024-12-31"]),
        ("year", "2024Q4", ["2024-01-01"], ["2024-12-31"]),
        ("year", "2024-12", ["2024-01-01"], ["2024-12-31"]),
    ],
)
def test_a_repeated_step_is_due_once_in_every_part_of_the_calendar_that_the_period_touches(every, period, starts, ends):
    spans = list(steps.windows(every, *runs.period_bounds(period)))
    assert [[day.isoformat() for day in side] for side in zip(*spans, strict=True)] == [starts, ends]
    rows = days([duty("review", every=every)], "", period=period)
    assert rows == [
        (start, end, None, "missing" if end < "2025-01-10" else "pending")
        for start, end in zip(starts, ends, strict=True)
    ]


@pytest.mark.parametrize("every, number", [("month", 12), ("quarter", 4), ("half_year", 2), ("year", 1)])
@pytest.mark.parametrize("year", [2023, 2024, 2100])
def test_the_windows_of_a_year_follow_each_other_without_a_gap(every, number, year):
    spans = list(steps.windows(every, dt.date(year, 1, 1), dt.date(year, 12, 31)))
    assert (len(spans), spans[0][0], spans[-1][1]) == (number, dt.date(year, 1, 1), dt.date(year, 12, 31))
    assert all(one[1] + dt.timedelta(days=1) == other[0] for one, other in zip(spans, spans[1:], strict=False))


@pytest.mark.parametrize(
    "as_of, states",
    [
        ("2024-06-29", ["pending", "pending"]),
        ("2024-06-30", ["pending", "pending"]),
        ("2024-07-01", ["missing", "pending"]),
        ("2024-12-31", ["missing", "pending"]),
        ("2025-01-01", ["missing", "missing"]),
    ],
)
def test_each_window_is_missing_from_the_day_after_its_end(as_of, states):
    assert [row[0] for row in found([duty("review", every="half_year")], "", as_of=as_of)] == states


@pytest.mark.parametrize("as_of, state", [("2024-12-30", "pending"), ("2025-01-01", "missing")])
def test_a_yearly_step_is_not_missing_in_a_quarter_before_the_year_is_over(as_of, state):
    assert found([duty("review", every="year")], "", as_of=as_of, period="2024Q3")[0][0] == state


def test_an_entry_belongs_to_the_window_in_which_it_was_due():
    # due in June and done in July: late in the first half, and the second is still to be done
    entries = "review | 2024-06-30 | 2024-07-12 | | E-1 |"
    assert days([duty("review", every="half_year")], entries, as_of="2024-12-31") == [
        ("2024-01-01", "2024-06-30", "2024-07-12", "late"), ("2024-07-01", "2024-12-31", None, "pending"),
    ]  # fmt: skip


def test_an_entry_without_a_due_date_belongs_to_the_window_in_which_it_was_done():
    entries = "report | | 2024-01-31 | | E-1 |\nreport | | 2024-03-01 | | E-3 |"
    assert days([duty("report", every="month")], entries, period="2024Q1") == [
        ("2024-01-01", "2024-01-31", "2024-01-31", "met"),
        ("2024-02-01", "2024-02-29", None, "missing"),
        ("2024-03-01", "2024-03-31", "2024-03-01", "met"),
    ]


def test_an_entry_outside_the_period_is_no_ones():
    assert found([duty("report", every="month")], "report | | 2024-04-01 | | E-1 |", period="2024-03") == [
        ("missing", "not_done")
    ]


@pytest.mark.parametrize("entry", ["report | | 2024-02-28 | | E-1 |", "report | 2024-02-29 | 2024-02-28 | | E-1 |"])
def test_what_was_done_the_month_before_is_not_this_month_s(entry):
    assert found([duty("report", every="month")], entry, period="2024-03") == [("missing", "not_done")]


def test_a_due_date_of_ones_own_goes_before_the_end_of_the_window_and_not_after_it():
    entries = "report | 2024-01-10 | 2024-01-15 | | E-1 |\nreport | 2024-02-29 | 2024-03-01 | | E-2 |"
    assert days([duty("report", every="month")], entries, period="2024Q1")[:2] == [
        ("2024-01-01", "2024-01-10", "2024-01-15", "late"), ("2024-02-01", "2024-02-29", "2024-03-01", "late"),
    ]  # fmt: skip


def test_the_order_of_the_entries_changes_nothing():
    lines = ["report | | 2024-01-31 | | E-1 |", "report | | 2024-03-01 | | |", "report | 2024-02-20 | | | |"]
    one, other = (
        days([duty("report", every="month")], "\n".join(each), period="2024Q1") for each in (lines, lines[::-1])
    )
    assert one == other


def test_of_two_entries_in_a_window_the_one_with_evidence_is_enough():
    entries = "report | | 2024-03-05 | | |\nreport | | 2024-03-20 | | E-1 |"
    assert found([duty("report", every="month")], entries, period="2024-03") == [("met", "done")]


def test_why_a_repeated_step_was_not_done_is_kept():
    (row,) = judged([duty("review", every="year")], "review | | | | | nobody had time").to_dict("records")
    assert (row["state"], row["reason"]) == ("missing", "nobody had time")


# --- before something else --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "months, done_on, state",
    [
        (0, "2024-10-31", "met"),
        (0, "2024-11-01", "met"),  # on the day of the first form
        (0, "2024-11-02", "late"),
        (1, "2024-10-01", "met"),
        (1, "2024-10-02", "late"),
        (3, "2024-08-01", "met"),
        (3, "2024-08-02", "late"),
    ],
)
def test_a_step_must_come_so_many_months_before_the_first_form_goes_out(months, done_on, state):
    listed = [duty("plan", before="fieldwork", months=months)]
    assert [row[0] for row in found(listed, f"plan | | {done_on} | | E-1 |", sent=SENT)] == [state]


@pytest.mark.parametrize(
    "first_form, months, limit",
    [
        ("2024-03-31", 1, "2024-02-29"),  # the last day of a leap February
        ("2023-03-31", 1, "2023-02-28"),
        ("2024-03-30", 1, "2024-02-29"),
        ("2024-03-01", 1, "2024-02-01"),
        ("2024-10-31", 1, "2024-09-30"),
        ("2024-05-31", 3, "2024-02-29"),
        ("2024-01-15", 1, "2023-12-15"),
        ("2024-12-31", 12, "2023-12-31"),
        ("2024-02-29", 12, "2023-02-28"),
    ],
)
def test_a_month_before_the_end_of_a_month_is_the_last_day_of_the_shorter_one(first_form, months, limit):
    listed = [duty("plan", before="fieldwork", months=months)]
    last = dt.date.fromisoformat(limit)
    for done, state in ((last, "met"), (last + dt.timedelta(days=1), "late")):
        (row,) = days(listed, f"plan | | {done} | | E-1 |", sent=first_form)
        assert row[1:] == (limit, done.isoformat(), state)


def test_the_earlier_of_two_limits_holds():
    listed = [duty("plan", before="fieldwork", months=1)]  # 1 October
    for due_on, limit in (("2024-09-15", "2024-09-15"), ("2024-10-20", "2024-10-01")):
        (row,) = days(listed, f"plan | {due_on} | 2024-09-30 | | E-1 |", sent=SENT)
        assert row[1] == limit


@pytest.mark.parametrize("as_of, state", [("2024-10-01", "pending"), ("2024-10-02", "missing")])
def test_what_should_have_come_before_is_missing_when_it_is_too_late(as_of, state):
    listed = [duty("plan", before="fieldwork", months=1)]
    assert days(listed, "", sent=SENT, as_of=as_of) == [(None, "2024-10-01", None, state)]


@pytest.mark.parametrize(
    "sent, state",
    [
        (None, "met"),  # where nobody says when the first form went out nothing is late
        ("form_id\na\nb", "met"),
        ("form_id | sent_on\na |\nb | soon", "met"),
        ("form_id | sent_on\na | 2024-12-30\nb |", "met"),
        ("form_id | sent_on\na | 2024-12-30\nb | 2024-12-29", "late"),
    ],
)
def test_the_first_form_went_out_on_the_earliest_day_of_the_distribution(sent, state):
    found = surveyed([duty("plan", before="fieldwork")], HEAD + "plan | | 2024-12-30 | | E-1 |", sent)
    assert found.steps["state"].tolist() == [state]


@pytest.mark.parametrize(
    "done_on, months, state",
    [
        ("2024-05-19", 0, "met"),
        ("2024-05-20", 0, "met"),
        ("2024-05-21", 0, "late"),
        ("2024-04-20", 1, "met"),
        ("2024-04-21", 1, "late"),
    ],
)
def test_a_step_before_another_has_to_be_done_when_that_one_is(done_on, months, state):
    listed = [duty("analysis", before="measures", months=months), duty("measures")]
    rows = found(listed, f"measures | | 2024-05-20 | | E-2 |\nanalysis | | {done_on} | | E-1 |")
    assert [row[0] for row in rows] == [state, "met"]


def test_a_step_before_one_that_is_not_done_yet_is_not_late():
    listed = [duty("analysis", before="measures"), duty("measures")]
    for measures in ("measures | 2024-05-20 | | | |", "measures | | 2025-01-11 | | E-2 |"):
        assert found(listed, f"analysis | | 2024-12-30 | | E-1 |\n{measures}")[0] == ("met", "done")


def test_a_step_before_one_that_was_done_without_it_is_missing():
    listed = [duty("analysis", before="measures"), duty("measures")]
    assert days(listed, "measures | | 2024-05-20 | | E-2 |")[0] == (None, "2024-05-20", None, "missing")


def test_a_repeated_step_before_another_is_due_when_that_one_is_done():
    listed = [duty("evaluation", every="year", before="review"), duty("review")]
    for done, state in (("2024-09-30", "met"), ("2024-10-01", "late")):
        assert days(listed, f"evaluation | | {done} | | E-1 |\nreview | | 2024-09-30 | | E-2 |")[0] == (
            "2024-01-01", "2024-09-30", done, state,
        )  # fmt: skip
    # the other one after the window: the end of the window is the limit
    assert days(listed, "review | | 2025-01-05 | | E-2 |")[0][:2] == ("2024-01-01", "2024-12-31")


def test_a_second_round_is_measured_against_its_own():
    listed = [duty("assessed", before="decided", when_needed=True), duty("decided", when_needed=True)]
    entries = "assessed | | 2024-06-05 | | E-1 |\ndecided | | 2024-06-10 | | E-2 |\nassessed | | 2024-12-05 | | E-3 |\ndecided | | 2024-12-10 | | E-4 |"
    assert [row[0] for row in found(listed, entries)] == ["met"] * 4


def test_rounds_may_be_entered_in_any_order():
    listed = [duty("assessed", before="decided", when_needed=True), duty("decided", when_needed=True)]
    entries = "assessed | | 2024-12-05 | | E-3 |\nassessed | | 2024-06-05 | | E-1 |\ndecided | | 2024-12-10 | | E-4 |\ndecided | | 2024-06-10 | | E-2 |"
    assert [row[0] for row in found(listed, entries)] == ["met"] * 4


def test_a_second_round_whose_next_step_is_still_to_come_is_not_late():
    listed = [duty("assessed", before="decided", when_needed=True), duty("decided", when_needed=True)]
    entries = "assessed | | 2024-06-05 | | E-1 |\nassessed | | 2024-12-20 | | E-3 |\ndecided | | 2024-06-10 | | E-2 |"
    assert [row[0] for row in found(listed, entries)] == ["met"] * 3


def test_every_round_has_to_come_before_the_one_fieldwork():
    entries = "plan | | 2024-10-01 | | E-1 |\nplan | | 2024-11-02 | | E-2 |"
    assert [row[0] for row in found([duty("plan", before="fieldwork")], entries, sent=SENT)] == ["met", "late"]


def test_what_had_to_be_done_before_the_period_began_may_have_been_done_then():
    listed = [duty("plan", every="year", before="fieldwork", months=1)]
    assert days(listed, "plan | | 2023-12-10 | | E-1 |", sent="2024-01-15") == [
        ("2024-01-01", "2023-12-15", "2023-12-10", "met")
    ]


def test_the_fieldwork_of_a_year_does_not_make_later_months_late():
    listed = [duty("report", every="month", before="fieldwork")]
    (row,) = days(listed, "report | | 2024-12-20 | | E-1 |", sent=SENT, period="2024-12")
    assert row[3] == "met"


def test_a_slip_in_a_year_does_not_stop_a_run():
    listed = [duty("analysis", before="measures", months=1), duty("measures")]
    assert len(found(listed, "measures | | 0001-01-20 | | E-2 |\nanalysis | | 2024-01-20 | | E-1 |")) == 2


# --- registers --------------------------------------------------------------------------------------------------------


def test_a_register_is_written_by_the_step_that_leaves_it_behind():
    listed, registers = [duty("meeting", record="minutes")], [duty("minutes", clause="5")]
    row = judged(listed, "meeting | | 2024-10-17 | Desk | E-1 |", registers).to_dict("records")[1]
    assert (row["kind"], row["state"], row["why"]) == ("register", "met", "written_by_step")
    assert (row["done_on"], row["evidence"], row["responsible"], row["clause"]) == (
        dt.date(2024, 10, 17),
        "E-1",
        "Desk",
        "5",
    )


@pytest.mark.parametrize(
    "entry, state, why",
    [
        ("meeting | 2024-10-01 | 2024-10-17 | | E-1 |", "met", "written_by_step"),  # late, and yet on record
        ("meeting | | 2024-10-17 | | |", "missing", "not_done"),  # done, and nothing left behind
        ("meeting | 2024-10-01 | | | E-1 |", "missing", "not_done"),  # not done
        ("meeting | | 2025-01-11 | | E-1 |", "missing", "not_done"),  # not done yet
        ("", "missing", "not_done"),
    ],
)
def test_a_register_is_there_where_its_step_was_done_and_names_evidence(entry, state, why):
    assert found([duty("meeting", record="minutes")], entry, [duty("minutes")])[1] == (state, why)


def test_a_register_of_its_own_entry_goes_before_that_of_its_step():
    entries = "meeting | | 2024-10-17 | | E-1 |\nminutes | 2024-06-30 | 2024-07-01 | | E-2 |"
    assert found([duty("meeting", record="minutes")], entries, [duty("minutes")])[1] == ("late", "done_late")


def test_a_register_that_two_steps_write_is_there_when_one_of_them_did():
    listed = [duty("review", every="half_year", record="records"), duty("changes", when_needed=True, record="records")]
    rows = judged(listed, "changes | | 2024-12-05 | | E-9 |", [duty("records")]).to_dict("records")
    assert (rows[-1]["state"], rows[-1]["evidence"]) == ("met", "E-9")


@pytest.mark.parametrize("as_of, state", [("2024-12-31", "pending"), ("2025-01-01", "missing")])
def test_a_register_nobody_wrote_is_missing_when_the_period_is_over(as_of, state):
    assert found([], "", [duty("minutes")], as_of)[0][0] == state


def test_a_register_in_a_part_that_is_still_to_come_is_not_assessed_unless_its_step_wrote_it():
    registers = [duty("plans", seen_in="actions")]
    listed = [duty("planning", seen_in="actions", record="plans")]
    assert found(listed, "", registers)[1] == ("not_assessed", "actions")
    assert found(listed, "planning | | 2024-05-01 | | E-1 |", registers)[1] == ("met", "written_by_step")


def test_a_register_with_several_entries_has_a_row_for_each():
    entries = "summaries | 2024-01-31 | 2024-01-30 | | E-1 |\nsummaries | 2024-02-29 | | | |"
    assert found([], entries, [duty("summaries")]) == [("met", "done"), ("missing", "not_done")]


# --- laws -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "states, worst",
    [
        (["met", "not_assessed", "pending", "late", "missing"], "missing"),
        (["met", "not_assessed", "pending", "late"], "late"),
        (["met", "pending", "not_assessed"], "not_assessed"),
        (["met", "not_assessed"], "not_assessed"),
        (["met", "met"], "met"),
        ([], None),
    ],
)
def test_the_worst_of_some_states_is_what_asks_for_most(states, worst):
    assert steps.worst(states) == steps.worst(pd.Series(states, dtype=object)) == worst


def test_time_alone_never_betters_a_step():
    # what is pending becomes missing, and what is done stays as it is
    listed, entries = [duty("audit"), duty("review", every="half_year")], "audit | 2024-06-30 | 2024-05-01 | | E-1 |"
    before = None
    for as_of in ("2024-05-01", "2024-06-30", "2024-07-01", "2024-12-31", "2025-01-01", "2026-01-01"):
        states = [row[0] for row in found(listed, entries, as_of=as_of)]
        assert states[0] == "met"
        ranks = [("pending", "missing").index(state) for state in states[1:]]
        assert before is None or all(now >= then for now, then in zip(ranks, before, strict=True))
        before = ranks


def test_a_ledger_is_left_as_it_was():
    table = sheet(HEAD + "audit | 2024-06-30 | 2024-07-01 | | E-1 |").rows
    before, (first, last) = table.copy(), runs.period_bounds("2024")
    ledger = steps.Ledger(table, first, last, dt.date(2025, 1, 10), None)
    programme = demo(steps=[duty("audit"), duty("review", every="month", before="audit")])
    one, other = (steps.judge_steps(programme, ledger) for _ in range(2))
    assert one.equals(other) and table.equals(before)
    assert one.columns.tolist() == steps.COLUMNS


def test_a_procedure_without_steps_has_none():
    assert steps.judge_steps(demo(), steps.Ledger(None, *runs.period_bounds("2024"), dt.date(2025, 1, 10), None)).empty
