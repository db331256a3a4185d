"""The parts of a project add up to the whole, and no small one is the difference to the total."""

from xml.etree import ElementTree

import pytest

from conftest import demo, remembered, survey_of
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.publishing import groups, records
from publishing import HOSTILE

READING = {"satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "delivery"}}
HEAD = "form_id | block | delivery | service | count\n"
ROWS = "a | A | satisfied | fair | 8\nb | A | fair | fair | 2\nc | B | satisfied | fair | 3\nd | B | fair | fair | 2\ne | B | | | 1"


@remembered
def result(rows: str = ROWS, run: dict | None = None, **keys) -> Assessment:
    programme = demo(**{**READING, "index": None, "grades": None, **keys})
    return assess(survey_of(HEAD + rows, programme, design={"stratum": "block"}, **(run or {})))


def parts(found: Assessment) -> dict[str, tuple]:
    return {row.level: (row.numerator, row.denominator, row.value) for row in found.parts.itertuples()}


def test_each_part_has_the_programme_s_own_rate():
    assert parts(result()) == {"A": (8, 10, 0.8), "B": (3, 5, 0.6)}  # of the valid forms: e is blank
    returned = result(satisfaction_rate={"denominator": "returned"})
    assert parts(returned) == {"A": (8, 10, 0.8), "B": (3, 6, 0.5)}


@pytest.mark.parametrize("denominator", ["returned", "valid", "answered"])
def test_the_parts_add_up_to_the_whole(denominator):
    found = result(ROWS + "\nf | | satisfied | fair | 6", satisfaction_rate={"denominator": denominator})
    whole = found.measure("satisfaction_rate")
    assert found.parts[["numerator", "denominator"]].sum().tolist() == [whole["numerator"], whole["denominator"]]
    assert "" in parts(found)


def test_of_a_single_small_part_the_next_is_hidden_too():
    rows = "a | A | satisfied | fair | 4\nb | B | fair | fair | 6\nc | C | satisfied | fair | 9"
    found = parts(result(rows))
    assert (found["A"], found["B"], found["C"]) == ((None,) * 3, (None,) * 3, (9, 9, 1))
    two = "a | A | satisfied | fair | 4\nb | B | fair | fair | 4\nc | C | satisfied | fair | 9"
    assert parts(result(two))["C"] == (9, 9, 1)


def test_of_one_part_alone_nothing_is_left_to_hide_behind():
    assert result("a | A | satisfied | fair | 4").parts["suppressed"].tolist() == [True]


@pytest.mark.parametrize(
    "keys",
    [{"satisfied_form": None}, {"satisfaction_rate": {"denominator": "distributed"}}],
    ids=["no rate", "of sent"],
)
def test_where_the_parts_do_not_add_up_there_are_none(keys):
    assert result(**keys).parts.empty and groups.part_table(result(**keys), "zh").html == ""
    weighted = assess(
        survey_of("form_id | block | delivery | service | weight\na | A | satisfied | fair | 2", demo(**READING),
                  design={"stratum": "block"})
    )  # fmt: skip
    assert weighted.parts.empty


def test_without_strata_there_are_no_parts():
    assert assess(survey_of(HEAD + ROWS, demo(**READING))).parts.empty


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_table_ends_with_the_whole_and_shows_no_figure_of_a_small_part(language):
    rows = "a | A | satisfied | fair | 4\nb | B | fair | fair | 7\nc | C | satisfied | fair | 19"
    found = result(rows)
    root = ElementTree.fromstring(groups.part_table(found, language).html)
    shown = [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")][1:]
    assert [row[1] for row in shown][-2:] == ["19", "23"]
    assert shown[-1][2] == "30" and all("7" not in "".join(row[1:]) for row in shown[:2])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_name_of_a_part_is_text(language):
    html = groups.part_table(result(f"a | {HOSTILE[0]} | satisfied | fair | 9"), language).html
    assert "<script" not in html and "<img" not in html


def test_the_record_has_the_parts_without_small_ones():
    record = records.build(
        result("a | A | satisfied | fair | 4\nb | B | fair | fair | 7\nc | C | satisfied | fair | 19")
    )
    assert [(part.level, part.value, part.suppressed) for part in record.parts] == [
        ("A", None, True), ("B", None, True), ("C", 1, False),
    ]  # fmt: skip
