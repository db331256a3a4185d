"""A record read back says what its pages say, to the letter; what it does not hold is not made up."""

import json
import re
from dataclasses import replace

import pytest

from conftest import demo, survey_of
from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.change import judge_change
from csat_analysis.assembly.importance import importance_of
from csat_analysis.documents import recorded
from csat_analysis.ground.errors import ReportError
from csat_analysis.ground.words import speak
from csat_analysis.publishing import (
    briefs,
    change_figures,
    change_tables,
    change_ways,
    driver_figures,
    driver_tables,
    duties,
    exhibits,
    figures,
    groups,
    ledger,
    record_keys,
    records,
    verdicts,
    weights,
)
from reporting import demo_change, demo_result, demo_runs, demo_source, source_of
from test_change import RULES, counted
from test_change_parts import ACTIONS, LOCAL, by_site

LANGUAGES = ["zh", "en"]
OF_RESULT = [
    exhibits.headline, exhibits.summary, exhibits.rate_table, exhibits.index_table, exhibits.item_table, exhibits.answer_table, exhibits.limits,
    verdicts.gate_table, verdicts.grade_table, verdicts.target_table, verdicts.comparison_table, groups.part_table,
    groups.group_table, ledger.fieldwork_table, weights.respondent_table, weights.weighted_table, duties.clause_summary,
    briefs.satisfaction,
]  # fmt: skip
OF_IMPORTANCE = [
    driver_tables.importance_summary, driver_tables.importance_table, driver_tables.quadrant_table, briefs.drivers,
    driver_figures.importance_bars, driver_figures.driver_map,
]  # fmt: skip
OF_SURVEY = [ledger.account_table, ledger.input_table, ledger.findings]
OF_CHANGE = [change_tables.figure_table, change_tables.item_table, change_ways.plan_note]


def without_reasons(html):
    """Return a page without the notes that need the forms, or what somebody wrote by hand: a record has neither."""
    notes = {
        speak(each)(key, name="\0", reason="\0", n="\0")
        for each in LANGUAGES
        for key in ("note.reason_on_record", "note.reason_missing", "note.blank")
    }
    patterns = [re.escape(f'<p class="note">{note}</p>').replace("\0", ".*?") for note in notes]
    return re.sub(r"\n*", "", re.sub("|".join(patterns).replace("\\\0", ".*?"), "", html))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("run", demo_runs(), ids="/".join)
def test_a_record_read_back_says_what_the_pages_say(run, language):
    result, source = demo_result(*run), demo_source(*run)
    pairs = [(show(result, language), show(source.result, language)) for show in OF_RESULT]
    pairs += [(show(result.survey, language), show(source.result.survey, language)) for show in OF_SURVEY]
    pairs += [(show(demo_change(*run), language), show(source.change, language)) for show in OF_CHANGE]
    found = importance_of(result)
    pairs += [(show(found, language), show(source.importance, language)) for show in OF_IMPORTANCE]
    for page, document in pairs:
        assert without_reasons(document.html) == without_reasons(page.html)


@pytest.mark.parametrize(
    ("run", "language"),
    [(run, LANGUAGES[place % 2]) for place, run in enumerate(demo_runs())],  # all words stand in the tables, too
    ids=lambda value: value if isinstance(value, str) else "/".join(value),
)
def test_a_record_read_back_draws_what_the_pages_draw(run, language):
    result, source = demo_result(*run), demo_source(*run)
    for draw in (figures.items, figures.answers, figures.gate_ladder):
        assert draw(source.result, language).html == draw(result, language).html
    drawn = change_figures.change_intervals(source.change, language)
    assert drawn.html == change_figures.change_intervals(demo_change(*run), language).html


def test_rows_that_stand_for_many_forms_are_counted_as_on_the_page():
    result = assess(survey_of(counted(120, 40), demo(**RULES)))
    back = source_of(result).result
    for show in (ledger.account_table, ledger.input_table):
        assert show(back.survey, "en").html == show(result.survey, "en").html
    assert "2 rows make 160 forms" in ledger.account_table(back.survey, "en").html


# --- the change -------------------------------------------------------------------------------------------------------


def acted(before, after, actions, **run):
    """Return a survey's assessment with a baseline and actions in between."""
    programme = demo(**RULES)
    first = survey_of(before, programme, period="2023", plan={"as_of": "2024-01-10"}, **run)
    second = survey_of(after, programme, {"actions": actions}, plan={"baseline": "2023"}, **run)
    return assess(replace(second, baseline=first))


def action_lines(found, language="en"):
    """Return the columns of the table of actions that hold no text written by hand."""
    return [row[3:] for row in change_ways.action_table(found, language).content["rows"]]


@pytest.mark.parametrize("units", ["A", "all", "tower"])
def test_an_action_is_judged_as_on_the_page(units):
    result = acted(by_site(40, 40, 40), by_site(50, 50, 50), LOCAL.format(units=units), design={"stratum": "site"})
    back = source_of(result).change
    assert change_ways.action_table(judge_change(result), "en").content["rows"]
    for own, read in zip(action_lines(judge_change(result)), action_lines(back), strict=True):
        assert [*map(str, own)] == [*map(str, read)]
    assert change_tables.families(back) == change_tables.families(judge_change(result))


def test_what_people_wrote_of_an_action_is_not_read_back():
    back = source_of(acted(counted(120, 40), counted(150, 20), ACTIONS)).change
    shown = change_ways.action_table(back, "en").html
    assert "k1" in shown and "faster vans" not in shown


def test_without_a_baseline_there_is_no_change():
    assert source_of(assess(survey_of(counted(3, 1)))).change.reason == "no_baseline"


# --- the file ---------------------------------------------------------------------------------------------------------


def test_a_record_that_is_not_there_is_none(tmp_path):
    assert recorded.read(tmp_path / "record.json", "record.json") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("[1]", "another edition"),
        ('{"project": "demo"}', "another edition"),
        ("\udcff", "cannot be read"),
    ],
)
def test_a_record_that_cannot_be_used_is_told(tmp_path, text, said):
    (tmp_path / "record.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ReportError, match=f"^record.json: .*{said}.*csat run"):
        recorded.read(tmp_path / "record.json", "record.json")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"items": [{"id": "delivery"}]}, "items: service"),
        ({"gates": []}, "gates"),
        ({"index": None, "grades": []}, "index"),
    ],
)
def test_a_record_of_other_rules_is_told_by_what_is_gone(keys, said):
    result = assess(survey_of(counted(3, 1)))
    record = record_keys.Record.model_validate(json.loads(records.as_json(records.build(result))))
    with pytest.raises(ReportError, match=rf"^record.json: the procedure's file has changed since \({said}"):
        recorded.check_names(record, demo(**keys), "record.json")
