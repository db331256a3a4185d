"""A page says of every rule its figure, verdict, certainty and what the silent could change; the curve of a rule has the right numbers."""

import functools
import re
from xml.etree import ElementTree

import pytest
from scipy import stats

from conftest import demo, remembered, survey_of
from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.ground.words import speak
from csat_analysis.publishing import exhibits, figures, verdicts
from csat_analysis.publishing.markup import Exhibit
from publishing import HOSTILE, reaching_out

LANGUAGES = ["zh", "en"]
EACH_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
TABLES = ("gate_table", "nonresponse_table", "grade_table", "target_table", "comparison_table")
HEAD = "form_id | delivery | service | count | weight\n"
SATISFIED = {"satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "item", "item": "delivery"}}
ENTERED = "step | due_on | done_on | evidence | reason\n"
DASH = "–"


def gate(measure="satisfaction_rate", comparison="at_least", threshold=0.85, **keys) -> dict:
    return {"measure": measure, "comparison": comparison, "threshold": threshold, **keys}


def forms(satisfied: int, others: int = 0, blank: int = 0, weight: float = 1) -> str:
    """Return rows of so many forms that are satisfied, that are not, and that are blank."""
    rows = [("a", "satisfied | fair", satisfied, weight), ("b", "fair | fair", others, 1), ("c", " | ", blank, 1)]
    return "\n".join(f"{name} | {answers} | {count} | {each}" for name, answers, count, each in rows if count)


def surveyed(rows: str, counts=None, entries=None, plan=None, run=None, tables=None, **keys) -> load.Survey:
    programme = demo(**{**SATISFIED, "gates": [gate()], "index": {"weighted_score": 1}, **keys})
    tables = {**(tables or {}), **({"steps": ENTERED + entries} if entries is not None else {})}
    return survey_of(HEAD + rows, programme, tables, plan={"counts": counts or {}, **(plan or {})}, **(run or {}))


@remembered
def result(*arguments, **keys) -> Assessment:
    return assess(surveyed(*arguments, **keys))


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


CASES = {
    "borderline": {"rows": forms(34, 6), "counts": {"frame": 100, "distributed": 60}},
    "met": {"rows": forms(60), "counts": {"frame": 100, "distributed": 90}},
    "not met": {"rows": forms(5, 40), "counts": {"distributed": 50}},
    "a census": {"rows": forms(34, 6), "counts": {"frame": 40, "distributed": 40}},
    "weights": {"rows": forms(34, 6, weight=2.5), "counts": {"frame": 100, "distributed": 60}},
    "clusters": {"rows": forms(34, 6), "counts": {"distributed": 60}, "run": {"design": {"cluster": "service"}}},
    "nobody answered": {"rows": forms(0, 0, 5), "counts": {"distributed": 60}},
    "one form": {"rows": forms(0, 1), "counts": {"distributed": 60}, "index": None, "grades": None},
    "more than were sent": {"rows": forms(34, 6), "counts": {"frame": 30, "distributed": 30}},
    "nothing known": {"rows": forms(34, 6)},
    "no rules": {"rows": forms(34, 6), "counts": {"distributed": 60}, "gates": []},
    "in progress": {"rows": forms(24, 16), "plan": {"as_of": "2024-12-30"}, "gates": [gate(cumulated=True)]},
    "every kind of rule": {
        "rows": forms(34, 6), "counts": {"frame": 100, "distributed": 90, "complaints": 3, "deliveries": 90},
        "entries": "return_rate | | | E-1 | flood", "index": {"weighted_score": 1, "complaint_rate": -100},
        "triggers": [{"id": "act", "title": {"zh": "整改", "en": "Act"}, "clause": "6"}], "run": {"targets": {"return_rate": 0.9}},
        "gates": [
            gate(clause="4.1", otherwise="act"), gate("return_rate", severity="target", clause="4.2", otherwise="act"),
            gate("complaint_rate", "at_most", 0.02, otherwise="act"), gate("index", "more_than", 70, otherwise="act"),
            gate("delivery.mean", "less_than", 80, otherwise="act"), gate("delivery.satisfied", "at_least", 0.97, otherwise="act"),
            gate("closure_rate", "at_least", 0.8, otherwise="act"),
        ],
    },
}  # fmt: skip


@functools.cache
def case(name: str) -> Assessment:
    found = surveyed(**CASES[name])
    if name != "every kind of rule":
        return assess(found)
    before = surveyed(**{**CASES[name], "run": {"period": "2023"}, "plan": {"as_of": "2024-01-10"}})
    return assess(load.replace(found, earlier={"year_on_year": before}))


# --- whatever a survey holds ------------------------------------------------------------------------------------------


@EACH_LANGUAGE
@pytest.mark.parametrize("name", CASES)
def test_every_table_of_every_survey_can_be_read(name, language):
    for each in TABLES:
        found = text(getattr(verdicts, each)(case(name), language))
        assert re.findall(r"nan|NaN|None|NaT|\binf\b|[{}]|<(?! ?\d)|(?<![\w.])-\d", found) == []
        assert language == "zh" or re.findall(r"[\u3000-\uffef]+", found.replace("交货", "")) == []


@EACH_LANGUAGE
@pytest.mark.parametrize("name", CASES)
def test_there_is_a_dash_only_where_there_is_no_value(name, language):
    found = case(name)
    shown = rows(verdicts.gate_table(found, language))
    for gates, row in zip(found.gates.to_dict("records"), shown, strict=True):
        assert [cell for cell in (*row[:2], *row[3:5]) if DASH in cell] == []
        assert (row[2] == DASH) is (gates["value"] is None)
        assert (row[5] == DASH) is (gates["otherwise"] is None)
    for each in ("grade_table", "nonresponse_table"):
        if found.gates["worst"].notna().any() or each == "grade_table":
            assert not any(DASH in cell for row in rows(getattr(verdicts, each)(found, language)) for cell in row)


@EACH_LANGUAGE
def test_titles_and_reasons_appear_as_text_and_never_as_tags(language):
    for hostile in HOSTILE:
        titles = {"zh": hostile, "en": hostile}
        found = result(
            forms(24, 16), {"distributed": 60}, f"satisfaction_rate | | | E-1 | {hostile.replace('|', '')}",
            items=[{"id": "delivery", "title": titles, "weight": 1}, {"id": "service", "title": titles}],
            gates=[gate(otherwise="act", clause=hostile, note=titles), gate("index", threshold=99), gate("delivery.satisfied")],
            triggers=[{"id": "act", "title": titles}], index={"terms": {"weighted_score": 1}, "title": titles},
            grades=[{"id": "good", "title": titles, "lower": 0, "clause": hostile}], run={"targets": {"satisfaction_rate": 0.9}},
        )  # fmt: skip
        for each in TABLES:
            exhibit = getattr(verdicts, each)(found, language)
            assert reaching_out(exhibit.html) == []
            read(exhibit)
        seen = "".join(read(verdicts.gate_table(found, language)).itertext())
        assert seen.count(hostile) >= 4  # the trigger, the clause, the note and the reason
        assert hostile in "".join(read(verdicts.grade_table(found, language)).itertext())


# --- rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language, low", [("zh", "把握度 >99.9%"), ("en", "certainty > 99.9 %")])
def test_a_certainty_is_never_shown_as_100_percent_unless_it_is(language, low):
    found = cells(verdicts.gate_table(result(forms(100)), language), language, "verdict")[0]
    assert low.replace(" ", "") in found.replace(" ", "")
    census = cells(verdicts.gate_table(case("a census"), language), language, "verdict")[0]
    assert "100.0" in census


@pytest.mark.parametrize("name, words", [("borderline", "borderline"), ("met", "met"), ("not met", "not met"), ("in progress", "in progress"),
                                         ("nobody answered", "no data")])  # fmt: skip
def test_a_verdict_is_said_in_its_word(name, words):
    assert cells(verdicts.gate_table(case(name), "en"), "en", "verdict")[0].split(" / ")[0] == words


def test_the_certainty_shown_is_that_of_the_verdict():
    found = cells(verdicts.gate_table(case("nothing known"), "en"), "en", "verdict")
    assert f"certainty {100 * stats.beta.sf(0.85, 35, 7):.1f} %" in found[0]


def test_of_clusters_and_counts_no_certainty_is_shown():
    for name, rules in (("clusters", [gate()]), ("met", [gate("return_rate")])):
        found = result(**{**CASES[name], "gates": rules})
        exhibit = verdicts.gate_table(found, "en")
        assert "certainty" not in cells(exhibit, "en", "verdict")[0]
        assert "the verdicts are literal" in text(exhibit)


TARGET = [gate("return_rate", threshold=0.9, severity="target")]


@pytest.mark.parametrize("entries", [None, "", "return_rate | | | E-1 |", "return_rate | | | E-1 | flood"])
@pytest.mark.parametrize(
    "language, told, silent", [("zh", "flood", "步骤表未注明原因"), ("en", "flood", "gives no reason")]
)
def test_a_missed_target_says_its_reason_or_that_there_is_none(entries, language, told, silent):
    found = result(forms(34, 6), {"distributed": 60}, entries, gates=TARGET)
    exhibit = verdicts.gate_table(found, language)
    assert cells(exhibit, language, "verdict")[0].startswith(speak(language)("verdict.missed"))
    assert (told in text(exhibit)) is ("flood" in (entries or ""))
    words = speak(language)
    name = words("measure.return_rate")
    assert (words("note.reason_missing", name=name) in "".join(read(exhibit).itertext())) is (
        "flood" not in (entries or "")
    )


def test_a_target_that_is_met_needs_no_reason():
    found = result(forms(34, 6), {"distributed": 44}, "return_rate | | | E-1 | flood", gates=TARGET)
    assert "flood" not in text(verdicts.gate_table(found, "en"))
    assert "gives no reason" not in text(verdicts.gate_table(found, "en"))


def test_of_several_reasons_the_last_is_told():
    entries = "return_rate | | | | first\nreturn_rate | | | |\nreturn_rate | | | | second"
    found = text(verdicts.gate_table(result(forms(34, 6), {"distributed": 60}, entries, gates=TARGET), "en"))
    assert "second" in found and "first" not in found


def test_a_figure_that_rounding_would_turn_is_named():
    found = result(forms(16999, 3001))
    assert "rounded to 85.00 %" in text(verdicts.gate_table(found, "en"))
    assert "84.995 %" in text(verdicts.gate_table(found, "en"))


# --- those who did not answer -----------------------------------------------------------------------------------------


def test_without_a_rule_on_the_rate_there_are_bounds_and_no_columns_of_a_verdict():
    shown = verdicts.nonresponse_table(result(forms(36, 4), {"distributed": 100}, gates=[]), "en")
    assert rows(shown) == [["Satisfaction rate", "90.00 %", "36.00 % to 96.00 %"]]
    assert "no tipping point" in text(shown)


def test_worst_best_and_tipping_point_are_those_of_the_silent():
    # 40 of 100 came back, 36 satisfied: at worst 36 %, at best 96 %; 85 % of all needs 49 of the 60
    shown = rows(verdicts.nonresponse_table(result(forms(36, 4), {"distributed": 100}), "en"))
    assert len(shown) == 1
    said = " / ".join(shown[0])
    for part in (
        "90.00 %",
        "36.00 % to 96.00 %",
        "turns if fewer than 81.67 % of the silent are satisfied",
        "close to the observed rate",
    ):
        assert part in said


@pytest.mark.parametrize(
    "comparison, satisfied, told",
    [
        ("at_least", 36, "fewer than"), ("more_than", 36, "fewer than"), ("at_most", 36, "fewer than"), ("less_than", 36, "fewer than"),
        ("at_least", 30, "more than"), ("more_than", 30, "more than"), ("at_most", 30, "more than"), ("less_than", 30, "more than"),
    ],
)  # fmt: skip
def test_a_tipping_point_says_on_which_side_the_verdict_turns(comparison, satisfied, told):
    # above the threshold only fewer satisfied people turn it, whichever way the rule is; below it only more
    found = result(forms(satisfied, 40 - satisfied), {"distributed": 100}, gates=[gate(comparison=comparison)])
    assert f"turns if {told}" in text(verdicts.nonresponse_table(found, "en"))


def test_a_tipping_point_out_of_reach_is_said_to_be_none():
    assert "the verdict stays" in text(verdicts.nonresponse_table(result(forms(39, 1), {"distributed": 42}), "en"))


@EACH_LANGUAGE
@pytest.mark.parametrize("name", ["a census", "nothing known", "nobody answered", "more than were sent"])
def test_where_nothing_is_hidden_no_row_is_shown(name, language):
    assert rows(verdicts.nonresponse_table(case(name), language)) == []


# --- targets, grades, earlier periods ---------------------------------------------------------------------------------


def test_a_grade_table_has_every_band_and_its_probability():
    found = case("borderline")
    exhibit = verdicts.grade_table(found, "en")
    chances = found.grade["probabilities"]
    assert cells(exhibit, "en", "certainty") == [
        speak("en").chance(chances[name]).replace("\u00a0", " ") for name in chances
    ]
    reached = [cell for cell in cells(exhibit, "en", "grade") if "by the index as it is" in cell]
    assert len(reached) == 1 and reached[0].startswith(found.grade["id"])


@pytest.mark.parametrize("name", ["a census", "clusters", "nobody answered"])
def test_without_an_error_of_the_index_no_probabilities_are_shown(name):
    assert rows(verdicts.grade_table(case(name), "en")) == []


def test_a_target_is_shown_with_the_figure_the_distance_and_its_interval():
    found = result(forms(3, 1), run={"targets": {"satisfaction_rate": 0.8}})
    (row,) = rows(verdicts.target_table(found, "en"))
    # Wilson's interval of 3 of 4 is 30.06 to 95.44
    assert row == [
        "Satisfaction rate",
        "80.00 %",
        "75.00 %",
        "−5.00 percentage points",
        "−49.94 to +15.44 percentage points",
    ]


def test_a_value_beside_its_target_is_shown_as_everywhere_else():
    # 9 of 160 are 5.625 %, shown as 5.62
    found = result(forms(3, 1), {"complaints": 9, "deliveries": 160}, run={"targets": {"complaint_rate": 0.02}})
    assert found.measure("complaint_rate")["value"] == 0.05625
    assert rows(verdicts.target_table(found, "en"))[0][2] == "5.62 %"


def test_earlier_periods_are_shown_with_both_figures():
    now = surveyed(forms(3, 1))
    found = assess(load.replace(now, earlier={"year_on_year": surveyed(forms(2, 2), run={"period": "2023"})}))
    shown = rows(verdicts.comparison_table(found, "en"))
    assert sorted([*row[:3], row[3].split(" / ")[0]] for row in shown) == [
        ["Satisfaction index / year on year (2023)", "72.00", "78.00", "+6.00"],
        ["Satisfaction rate / year on year (2023)", "50.00 %", "75.00 %", "+25.00 percentage points"],
        ["Satisfaction score / year on year (2023)", "72.00", "78.00", "+6.00"],
    ]  # fmt: skip
    assert all(" to +" in row[3] for row in shown)  # the interval below


@pytest.mark.parametrize("language, said", [("zh", "调查无效"), ("en", "Void")])
def test_an_earlier_survey_that_is_void_is_named(language, said):
    voids = gate("invalid_rate", "at_most", 0.3, voids="unless_remedied")
    keys = {"gates": [voids]}
    before = surveyed(
        forms(3, 1, 6), {"distributed": 10}, plan={"remedy": {"due_on": "2024-12-01"}}, run={"period": "2023"}, **keys
    )  # fmt: skip
    found = assess(load.replace(surveyed(forms(3, 1), {"distributed": 10}, **keys), earlier={"year_on_year": before}))
    assert found.status == "reportable"
    shown = text(verdicts.comparison_table(found, language))
    assert said in shown and "2023" in shown


def test_without_targets_or_earlier_periods_no_row_is_shown():
    assert rows(verdicts.target_table(case("met"), "en")) == rows(verdicts.comparison_table(case("met"), "en")) == []


# --- the curve of a rule ----------------------------------------------------------------------------------------------


def curve(found: Assessment) -> tuple[str, list[tuple[float, float]]]:
    """Return what the curve says below it, and its points in words: true rate and probability of acting."""
    said = text(figures.operating_characteristic(found, "en"))
    points = re.findall(r"true rate of ([\d.]+) % it is ([<>]?) ?([\d.]+) %", said)
    assert points
    return said, [(float(rate) / 100, float(chance) / 100) for rate, _, chance in points]


def fails(n: int, comparison: str, threshold: float) -> list[int]:
    """Return the numbers of satisfied among n that miss a rule, in whole numbers of 10,000."""
    bound, keep = (
        round(threshold * 10_000),
        {"at_least": int.__ge__, "more_than": int.__gt__, "at_most": int.__le__, "less_than": int.__lt__},
    )
    return [k for k in range(n + 1) if not keep[comparison](k * 10_000, bound * n)]


@pytest.mark.parametrize("comparison", ["at_least", "more_than", "at_most", "less_than"])
@pytest.mark.parametrize("satisfied, others, frame", [(34, 6, 120), (180, 30, 300), (17, 3, 24), (340, 60, 20000)])
def test_the_curve_of_a_known_population_has_the_hypergeometric_probabilities(satisfied, others, frame, comparison):
    n = satisfied + others
    said, points = curve(result(forms(satisfied, others), {"frame": frame}, gates=[gate(comparison=comparison)]))
    assert f"For n = {n} " in said and f"a population of {frame:,}" in said
    for rate, chance in points:
        count = round(rate * frame)
        assert rate == pytest.approx(count / frame, abs=5.1e-5)  # a rate that this population can have
        expected = stats.hypergeom.pmf(fails(n, comparison, 0.85), frame, count, n).sum()
        assert chance == pytest.approx(expected, abs=0.00051 if frame < 10_000 else 0.002)


@pytest.mark.parametrize("comparison", ["at_least", "less_than"])
@pytest.mark.parametrize("threshold", [0.85, 0.98, 0.05])
def test_the_curve_of_an_unknown_population_has_the_binomial_probabilities(comparison, threshold):
    said, points = curve(result(forms(34, 6), gates=[gate(comparison=comparison, threshold=threshold)]))
    assert "For n = 40," in said and "not known" in said
    for rate, chance in points:
        expected = stats.binom.pmf(fails(40, comparison, threshold), 40, rate).sum()
        assert chance == pytest.approx(expected, abs=0.002)  # the rate is shown with two decimals


def test_the_measured_curve_of_a_small_project_comes_out():
    # 120 households of which 40 answer: at a true rate of 88 % it acts in 13.5 of 100 surveys
    found = result(forms(34, 6), {"frame": 120})
    rates = {round(rate * 120): chance for rate, chance in curve(found)[1]}
    for count, chance in rates.items():
        assert chance == pytest.approx(stats.hypergeom.cdf(33, 120, count, 40), abs=0.00051)
    assert stats.hypergeom.cdf(33, 120, 106, 40) == pytest.approx(0.135, abs=5e-4)


def test_where_everybody_answered_the_rule_never_errs():
    for rate, chance in curve(case("a census"))[1]:
        assert chance == (0 if round(rate * 40) >= 34 else 1)


def test_a_rate_by_returned_forms_has_a_curve_of_all_of_them():
    found = result(forms(34, 6, 10), {"frame": 120}, satisfaction_rate={"denominator": "returned"})
    assert "For n = 50 " in curve(found)[0]


@EACH_LANGUAGE
@pytest.mark.parametrize(
    "keys",
    [
        {"gates": []},
        {"gates": [gate("return_rate")]},
        {"gates": [gate("index", threshold=80)]},
        {"rows": forms(0, 0, 5)},
    ],
)
def test_without_a_rule_on_the_rate_or_without_answers_there_is_no_curve(keys, language):
    exhibit = figures.operating_characteristic(
        result(**{"rows": forms(34, 6), "counts": {"distributed": 60}, **keys}), language
    )
    assert "<svg" not in exhibit.html


@EACH_LANGUAGE
def test_a_curve_can_be_read_and_reaches_out_to_nothing(language):
    exhibit = figures.operating_characteristic(case("every kind of rule"), language)
    assert reaching_out(exhibit.html) == []
    told = " ".join(read(exhibit).find(".//figcaption").itertext())
    assert re.findall(r"nan|None|NaT|\binf\b|[{}]|–", told) == []
    assert told.strip()


def test_more_satisfied_forms_than_were_sent_stop_no_page():
    found = result(forms(5), {"distributed": 4}, satisfaction_rate={"denominator": "distributed"})
    assert "<svg" not in figures.operating_characteristic(found, "en").html


def test_of_clusters_no_curve_is_drawn():
    assert "<svg" not in figures.operating_characteristic(case("clusters"), "en").html


@pytest.mark.parametrize(
    "found, why",
    [
        (lambda: case("clusters"), "the forms come from a single cluster"),
        (lambda: result(forms(34, 6), gates=[]), "no rule of this procedure"),
        (lambda: result(forms(0, 0, 5)), "there are no forms"),
    ],
)
def test_where_no_curve_is_drawn_the_one_reason_is_told(found, why):
    assert why in text(figures.operating_characteristic(found(), "en"))


# --- what a single form does ------------------------------------------------------------------------------------------


def test_one_form_shows_no_certainty_that_is_no_number():
    found = result(forms(0, 1), gates=[gate("weighted_score", threshold=50)])
    assert "NaN" not in text(verdicts.gate_table(found, "en"))


def test_the_headline_of_one_form_claims_no_interval():
    shown = text(exhibits.headline(result(forms(0, 1), gates=[]), "en"))
    assert "60.00 to 60.00" not in shown
