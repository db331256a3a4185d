"""Both languages say the same things; a number is rounded once, at the window; a Chinese page is written in Chinese."""

import ast
import datetime as dt
import inspect
import math
import re
from decimal import Decimal
from string import Formatter
from typing import get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conftest import demo, run_of, sheet
from csat_analysis.assembly import assessment, gates, load, procedure
from csat_analysis.domain import constructs, fieldwork, schemas, steps
from csat_analysis.ground import params, programmes, runs, words
from csat_analysis.ground.catalogue import DIGITS, MEASURES
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing import pages, record_keys
from publishing import CHECKOUT

LANGUAGES = ["zh", "en"]
ZH, EN = speak("zh"), speak("en")
HANZI = "\u4e00-\u9fff"
TECHNICAL = {
    "n", "t", "p", "AAPOR", "RR1", "RR2", "RR5", "RR6", "Delta", "Wilson", "Korn", "Graubard", "Lindeman", "Merenda", "Gold", "Shapley", "Johnson", "Holm", "Brant", "Benjamini", "Hochberg", "Cliff", "McNemar", "Newcombe", "Tango", "Welch", "SHA-256", "count", "csat_analysis", "rejected.csv",
    "remedy.csv", "record.json", "O", "Brien", "Fleming", "looks", "Cronbach", "AVE", "HTMT", "R²", "c", "latent.frozen.weights", "suppressed", "TRUE", "Manski", "Deville", "Särndal", "Taylor", "Wald", "McCullagh", "Wold", "Fornell", "Larcker", "Henseler", "α", "dictionary", "names",
    "GB", "T", "tables.xlsx",
}  # fmt: skip


def placeholders(text: str) -> list[tuple[str, str | None, str | None]]:
    """Return what goes into a text: names, with their formats and conversions."""
    return sorted((name, form, how) for _, name, form, how in Formatter().parse(text) if name is not None)


def with_hanzi(text: str) -> str:
    """Return a text with a Chinese name in every place where something goes."""
    return re.sub(r"\{\w+\}", "甲", text)


# --- the catalogues -----------------------------------------------------------------------------------


def test_there_are_words_in_chinese_and_english():
    assert words.languages() == ["en", "zh"]
    assert (ZH("language.html"), EN("language.html")) == ("zh-Hans", "en")


def test_both_catalogues_have_the_same_keys():
    assert set(ZH.texts) - set(EN.texts) == set() == set(EN.texts) - set(ZH.texts)


def test_each_text_has_the_same_places_in_both_languages():
    here = {key: placeholders(text) for key, text in ZH.texts.items()}
    assert here == {key: placeholders(text) for key, text in EN.texts.items()}
    assert any(here.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_goes_into_a_text_goes_by_its_name(language):
    found = {place for text in speak(language).texts.values() for place in placeholders(text)}
    assert {place for place in found if place != (place[0], "", None) or not place[0].isidentifier()} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_holds_each_key_once_and_texts_only(language):
    path = words.FOLDER / f"{language}.yml"
    tree, _ = params.read_yaml(path, path)  # a key that stands twice is an error

    def leaves(branch: dict) -> list:
        return [leaf for each in branch.values() for leaf in (leaves(each) if isinstance(each, dict) else [each])]

    assert [leaf for leaf in leaves(tree) if not isinstance(leaf, str)] == []
    joints = {"gap", "comma", "semicolon", "colon", "or"}
    found = {key for key, text in words.flatten(tree).items() if text != text.strip() or not text}
    assert found <= joints


def first_arguments(module, name: str) -> set[str]:
    """Return the constants with which a module calls something."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    return {call.args[0].value for call in calls if isinstance(call.func, ast.Name) and call.func.id == name}


def choices(model, field: str) -> set[str]:
    """Return the words a key of a model may hold."""
    found = [model.model_fields[field].annotation]
    for each in found:
        found += get_args(each)
    return {each for each in found if isinstance(each, str)}


def reasons() -> set[str]:
    """Return every reason for which a row or a cell falls away."""
    found = {
        check.name
        for table in runs.TABLES
        for with_ids in (True, False)
        for column in schemas.table_schema(table, demo(), with_ids).columns.values()
        for check in column.checks
    }
    ragged = sheet("form_id | delivery | service\na | fair | fair")._replace(ragged=(3,))
    return found | set(load.assemble(demo(), run_of(), {"responses": ragged}).rejected["reason"])


def methods() -> set[str]:
    """Return how figures come to their intervals: in a survey, with clusters, in a census, and where all say the same.

    Complaints are linked to the forms by customer, or not.
    """
    found, counts = {"sum"}, {"distributed": 4, "deliveries": 9}
    gates = [{"measure": "satisfaction_rate", "comparison": "at_least", "threshold": 0.5}]
    for design, frame, first, second, customer in (
        ({}, 9, "satisfied", "fair", "1"),
        ({}, 9, "satisfied", "fair", ""),
        ({"cluster": "block"}, 9, "satisfied", "fair", ""),
        ({"cluster": "delivery"}, 9, "satisfied", "satisfied", ""),
        ({}, 2, "satisfied", "fair", ""),
        ({}, 9, "fair", "fair", ""),
    ):
        rows = "form_id | customer_id | delivery | service | block\n"
        rows += f"a | {customer} | {first} | {first} | x\nb | {customer and 2} | {second} | {second} | y"
        sheets = {"responses": sheet(rows), "complaints": sheet(f"complaint_id | customer_id\nk | {customer}")}
        run = run_of({"counts": {**counts, "frame": frame}}, design=design)
        form = {"satisfied": {"levels": ["satisfied"]}, "satisfied_form": {"reading": "all_items"}, "gates": gates}
        result = assessment.assess(load.assemble(demo(**form), run, sheets))
        found |= {*result.measures["method"], *result.gates["interval"], result.measure("index")["method"]}
        sent = {**form, "satisfaction_rate": {"denominator": "distributed"}}
        found |= set(assessment.assess(load.assemble(demo(**sent), run, sheets)).measures["method"])
    return found | {constructs.BOOTSTRAP, constructs.TOO_FEW, constructs.NO_MODEL}


def whys() -> set[str]:
    """Return why a step stands as it does: what the code sets beside a state, and the parts that cannot be seen yet."""
    tree = list(ast.walk(ast.parse(inspect.getsource(steps))))
    pairs = [tuple(getattr(part, "value", None) for part in node.elts) for node in tree if isinstance(node, ast.Tuple)]
    said = {pair[1] for pair in pairs if len(pair) == 2 and pair[0] in steps.STATES}
    said |= {
        value.value
        for node in tree
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(value, ast.Constant) and getattr(key, "value", None) == "why"
    }
    shown, by_hand = {"fieldwork", "groups"}, {"steps"}
    parts = set(get_args(programmes.SeenIn)) - shown - by_hand
    return {why for why in said if isinstance(why, str)} | {f"shown_{part}" for part in shown} | parts


SPOKEN = {
    "reason": reasons,
    "finding": first_arguments(load, "Finding"),
    "measure": {*MEASURES, "index"},
    "formula": set(MEASURES),
    "verdict": {*choices(record_keys.GateRow, "verdict"), "missing", "missed"},
    "state": {*procedure.ORDER, *steps.STATES},
    "why": whys,
    "window": {*steps.MONTHS, "half_year_1", "half_year_2", "several", "until"} - {"month", "half_year"},
    "comparison_kind": set(runs.earlier_periods("2024Q2")),
    "invalid": set(fieldwork.BROKEN_OFF),
    "tipping": {"never", "below", "above", "near"},
    "status": {
        *choices(record_keys.Record, "status"),
        "reportable_unjudged",
        "reportable_without_data",
        "reportable_without_value",
    },
    "stamp": choices(record_keys.Record, "status"),
    "comparison": choices(programmes.Gate, "comparison"),
    "severity": choices(programmes.Gate, "severity"),
    "source": {*choices(programmes.Gate, "source"), "common", "own"},
    "method": methods,
    "table": set(runs.TABLES),
    "disposition": {*schemas.DISPOSITIONS, "unknown"},
    "base": {*choices(programmes.SatisfactionRate, "denominator"), "answered_any"},
    "reading": choices(programmes.SatisfiedForm, "reading"),
    "remark": choices(programmes.Remark, "kind"),
    "every": choices(programmes.Step, "every"),
    "chapter": {path.stem for path in (CHECKOUT / "notebooks").glob("[0-9]*.ipynb")},
}


@pytest.mark.parametrize("stem", SPOKEN)
def test_every_name_the_code_gives_has_a_word_and_no_word_is_left_over(stem):
    names = SPOKEN[stem]() if callable(SPOKEN[stem]) else SPOKEN[stem]
    assert {f"{stem}.{name}" for name in names} == {key for key in ZH.texts if key.startswith(f"{stem}.")}
    assert names


def test_what_an_example_may_expect_has_a_word():
    plain = {"returned", "valid", "rejected", "status", "grade", "index", "gates", *gates.ITEM_FIGURES}
    assert {key for key in ZH.texts if key.startswith("expect.")} == {f"expect.{name}" for name in plain}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_without_a_word_is_an_error_and_not_an_empty_place(language):
    with pytest.raises(KeyError):
        speak(language)("measure.retrun_rate")
    assert speak(language).get("measure.retrun_rate", "retrun_rate") == "retrun_rate"


# --- the field's words --------------------------------------------------------------------------------

GLOSSARY = {
    "measure.satisfaction_rate": ("满意率", "satisfaction rate"),
    "measure.weighted_score": ("满意度得分", "satisfaction score"),
    "measure.index": ("满意度指数", "satisfaction index"),
    "measure.survey_rate": ("满意度调查率", "survey rate"),
    "head.share_satisfied": ("分项满意率", "item satisfaction rate"),
    "measure.distribution_rate": ("发放率", "distribution rate"),
    "measure.return_rate": ("回收率", "return rate"),
    "measure.valid_rate": ("有效率", "valid rate"),
    "measure.invalid_rate": ("无效占比", "invalid rate"),
    "measure.response_rate": ("应答率", "response rate"),
    "measure.complaint_rate": ("投诉率", "complaint rate"),
    "measure.complaints_per_1000": ("千户·月投诉数", "complaints per 1,000 households and month"),
    "formula.distribution_rate": ("实发 ÷ 应发", "distributed ÷ due"),
    "head.answers_empty": ("单项弃权", "not answered"),
    "head.empty": ("单项弃权", "not answered"),
    "head.not_applicable": ("不适用", "not applicable"),
    "head.interval": ("95% 置信区间", "95\u00a0% confidence interval"),
    "verdict.met": ("达标", "met"),
    "verdict.not_met": ("未达标", "not met"),
    "verdict.borderline": ("临界", "borderline"),
    "verdict.in_progress": ("进行中", "in progress"),
    "head.certainty": ("把握度", "certainty"),
    "head.register": ("记录", "record"),
    "head.tipping_point": ("未回收者临界点", "tipping point"),
    "comparison_kind.year_on_year": ("同比（{period}）", "year on year ({period})"),
    "comparison_kind.previous": ("环比（{period}）", "on the previous period ({period})"),
    "measure.closure_rate": ("办结率", "closure rate"),
    "valid_return_rate.title": ("有效回收率", "valid return rate"),
    "stamp.reportable": ("结果有效", "reportable"),
    "stamp.remedy_due": ("待补救", "remedy due"),
    "stamp.void": ("调查无效", "void"),
    "head.formula": ("口径", "definition"),
    "head.target": ("目标值", "target"),
    "head.grade": ("评价等级", "grade"),
    "percentage_points": ("{number} 个百分点", "{number} percentage points"),
    "portal.period": ("报告期", "period"),
}


@pytest.mark.parametrize("key", GLOSSARY)
def test_a_thing_is_called_what_the_glossary_calls_it(key):
    zh, en = GLOSSARY[key]
    assert (ZH(key), EN(key).lower()) == (zh, en)


@pytest.mark.parametrize(
    "other", ["收回率", "返回率", "满意比例", "不合格", "未通过", "跳过", "受访者", "阈值", "门限"]
)
def test_the_chinese_texts_use_no_second_word_for_the_same_thing(other):
    assert [key for key, text in ZH.texts.items() if other in text] == []


def test_no_english_word_stands_in_a_chinese_text():
    texts = {key: re.sub(r"\{\w+\}", "", text) for key, text in ZH.texts.items() if not key.startswith("language.")}
    texts = {key: text for key, text in texts.items() if not key.startswith("symbols.")}  # formulas, and whose they are
    found = {(key, word) for key, text in texts.items() for word in re.findall(r"[A-Za-z][\w.-]*", text)}
    assert {(key, word) for key, word in found if word not in TECHNICAL} == set()


def test_no_half_width_punctuation_stands_beside_a_chinese_character():
    beside = re.compile(rf"[{HANZI}]\s*[,.;:!?()'\"~-]|[,.;:!?()'\"~-]\s*[{HANZI}]")
    assert beside.search("分值: 5") and beside.search("（甲)乙") and not beside.search("分值：5，另见 rejected.csv。")
    assert [key for key, text in ZH.texts.items() if beside.search(with_hanzi(text))] == []


def test_a_chinese_sentence_ends_with_a_full_stop_of_its_own():
    stems = ("status.", "sentence.", "note.", "finding.")
    phrases = {
        "sentence.gate",
        "sentence.gate_certainty",
        "note.se",
        "note.full",
        "note.min_n",
        "note.reason",
        "note.reason_on_record",
    }
    texts = {key: text for key, text in ZH.texts.items() if key.startswith(stems) and key not in phrases}
    assert [key for key, text in texts.items() if not text.endswith("。")] == []
    assert [key for key in texts if not EN(key).endswith(".") and not key.startswith("sentence.gates_")] == []


def test_no_chinese_character_stands_in_an_english_text():
    assert [key for key, text in EN.texts.items() if re.search(r"[\u2e80-\uffef]", text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_quotation_marks_are_curly(language):
    assert [key for key, text in speak(language).texts.items() if "'" in text or '"' in text] == []


# --- numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, unit, shown",
    [
        (0.92345, "share", "92.34%"), (0.92355, "share", "92.36%"), (0.923451, "share", "92.35%"),  # a half to the even digit
        (0.125, "points", "0.12"), (0.135, "points", "0.14"), (2.675, "points", "2.68"), (2.665, "points", "2.66"),
        (1.005, "points", "1.00"), (1.015, "points", "1.02"), (0.1 + 0.2, "points", "0.30"),
        (0, "share", "0.00%"), (1, "share", "100.00%"), (1 / 3, "share", "33.33%"), (2 / 3, "share", "66.67%"),
        (0.99995, "share", "100.00%"), (0.000049, "share", "0.00%"), (12.5, "share", "1,250.00%"),
        (1234567.891, "points", "1,234,567.89"), (-1234.5, "points", "−1,234.50"), (1e9, "per_1000", "1,000,000,000.00"),
        (-0.4, "share", "−40.00%"), (-1e-9, "share", "0.00%"), (-0.0, "points", "0.00"), (-0.00005, "share", "0.00%"),
        (3.5, "per_1000", "3.50"), (None, "share", "–"), (math.nan, "points", "–"),
    ],
)  # fmt: skip
def test_a_number_is_rounded_as_gb_t_8170_asks_and_shown_in_its_unit(value, unit, shown):
    assert ZH.number(value, unit) == shown
    assert EN.number(value, unit) == shown.replace("%", "\u00a0%")


@given(st.floats(-1e6, 1e6), st.sampled_from(sorted(DIGITS)))
def test_what_is_shown_is_the_nearest_number_of_so_many_digits(value, unit):
    shown = Decimal(ZH.number(value, unit).rstrip("%").replace(",", "").replace("−", "-"))
    distance = abs(shown - Decimal(repr(value)) * (100 if unit == "share" else 1))
    assert shown.as_tuple().exponent == -DIGITS[unit] and distance <= Decimal("0.005")
    assert distance < Decimal("0.005") or int(shown.scaleb(2)) % 2 == 0


@pytest.mark.parametrize(
    "share, shown", [(0.5, "50%"), (0.125, "12%"), (0.135, "14%"), (0.005, "0%"), (0.015, "2%"), (1, "100%"), (0, "0%")]
)
def test_a_figure_shows_whole_per_cents_halves_to_even(share, shown):
    assert ZH.whole_percent(share) == shown


@pytest.mark.parametrize(
    "probability, shown",
    [
        (0.4003, "40.0%"), (0.8839, "88.4%"), (0.95, "95.0%"), (0.94999, "94.9%"), (0.05, "5.0%"), (0.05001, "5.1%"),
        (0.0005, "< 0.1%"), (0.00051, "0.1%"), (0.0015, "0.2%"), (0.9994, "99.9%"), (0.9995, "> 99.9%"),
        (1 - 1e-12, "> 99.9%"), (1e-12, "< 0.1%"), (0, "0.0%"), (1, "100.0%"),
    ],
)  # fmt: skip
def test_a_probability_is_shown_on_its_own_side_of_certainty(probability, shown):
    assert ZH.chance(probability) == shown
    assert EN.chance(probability) == shown.replace("%", "\u00a0%")


@pytest.mark.parametrize(
    "share, zh", [(0.1, "10 个百分点"), (0.07, "7 个百分点"), (0.025, "2.5 个百分点"), (1, "100 个百分点")]
)
def test_a_difference_without_a_sign_is_in_percentage_points_as_it_is_written(share, zh):
    assert ZH.points_of_percent(share) == zh
    assert EN.points_of_percent(share) == zh.replace("个百分点", "percentage points")


def test_bounds_that_are_no_interval_are_shown_as_one():
    assert (ZH.range_of(0.644, 0.944, "share"), EN.range_of(-1, 2, "points")) == ("64.40%～94.40%", "−1.00 to 2.00")


@pytest.mark.parametrize(
    "value, unit, shown",
    [(0.84996, "share", "84.996%"), (0.85, "share", "85%"), (69.99999, "points", "69.99999"), (-0.4, "points", "−0.4"),
     (1 / 3, "share", "33.33333333%")],
)  # fmt: skip
def test_a_value_before_rounding_is_shown_as_it_was(value, unit, shown):
    assert ZH.exact(value, unit) == shown


@pytest.mark.parametrize(
    "value, unit, zh, en",
    [
        (0.03, "share", "+3.00 个百分点", "+3.00 percentage points"),
        (-0.03, "share", "−3.00 个百分点", "−3.00 percentage points"),
        (0.0, "share", "0.00 个百分点", "0.00 percentage points"),
        (-1e-9, "share", "0.00 个百分点", "0.00 percentage points"),
        (1e-9, "points", "0.00", "0.00"),
        (2.5, "points", "+2.50", "+2.50"),
        (-1234.5, "points", "−1,234.50", "−1,234.50"),
    ],
)
def test_a_difference_has_its_sign_and_that_of_shares_is_in_percentage_points(value, unit, zh, en):
    assert (ZH.difference(value, unit), EN.difference(value, unit)) == (zh, en)


def test_an_interval_has_both_bounds_in_their_unit():
    assert (ZH.interval(0.5, 0.75, "share"), EN.interval(-1.5, 2, "points")) == ("50.00%～75.00%", "−1.50 to 2.00")
    assert ZH.difference_interval(-0.02, 0.01, "share") == "−2.00～+1.00 个百分点"
    assert EN.difference_interval(-2, 1, "points") == "−2.00 to +1.00"


@pytest.mark.parametrize("low, high", [(None, None), (None, 1.0), (0.0, None), (math.nan, 1.0), (0.0, math.nan)])
def test_an_interval_without_a_bound_is_a_dash(low, high):
    assert ZH.interval(low, high, "share") == EN.difference_interval(low, high, "share") == "–"


@pytest.mark.parametrize(
    "number, shown",
    [
        (0, "0"),
        (7, "7"),
        (1234567, "1,234,567"),
        (3.0, "3"),
        (2.5, "2.50"),
        (0.125, "0.12"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_a_count_is_whole_where_it_can_be(number, shown):
    assert ZH.count(number) == EN.count(number) == shown


@pytest.mark.parametrize("number, shown", [(-12.0, "−12"), (-12.5, "−12.50"), (-1234, "−1,234"), (-0.0, "0")])
def test_points_below_zero_have_a_true_minus_sign_where_they_are_counted(number, shown):
    assert ZH.count(number) == EN.count(number) == shown  # the numerator of a survey rate may be negative


# --- dates, names, phrases ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "day, zh, en",
    [
        (dt.date(2025, 1, 9), "2025 年 1 月 9 日", "2025-01-09"),
        (dt.date(2024, 12, 31), "2024 年 12 月 31 日", "2024-12-31"),
    ],
)
def test_a_date_is_written_as_the_reader_writes_it(day, zh, en):
    assert (ZH.date(day), EN.date(day)) == (zh, en)


@pytest.mark.parametrize(
    "title, zh, en",
    [
        ({"zh": "交货", "en": "Delivery"}, "交货", "Delivery"),
        ({"zh": "交货"}, "交货", "交货"),
        ({"de": "Lieferung"}, "Lieferung", "Lieferung"),
        ({"zh": "", "en": "Delivery"}, "Delivery", "Delivery"),
        (None, "delivery", "delivery"),
        ({}, "delivery", "delivery"),
    ],
)
def test_a_title_comes_in_this_language_or_else_in_any(title, zh, en):
    assert (ZH.title(title, "delivery"), EN.title(title, "delivery")) == (zh, en)


def test_phrases_are_joined_as_the_language_joins_them():
    assert (ZH.listing("甲乙丙"), EN.listing("abc")) == ("甲、乙、丙", "a, b, c")
    assert (ZH.colon("甲", "乙"), EN.colon("a", "b")) == ("甲：乙", "a: b")
    assert (ZH.aside("甲", "乙"), EN.aside("a", "b")) == ("甲（乙）", "a (b)")
    assert (ZH.either(["甲", "乙"]), EN.either(["a", "b"])) == ("“甲”或“乙”", "“a” or “b”")
    assert (ZH.listing([]), EN.listing(["a"])) == ("", "a")


def test_a_source_is_a_clause_or_else_an_assumption_of_the_organisation():
    assert (ZH.source("5.2"), EN.source("5.2")) == ("条款 5.2", "clause 5.2")
    assert ZH.source(None) == ZH.source("") == ZH("source.assumption") and "本单位设定" in ZH.source(None)
    assert "set by this organisation" in EN.source(None) and "clause" not in EN.source(None)


@pytest.mark.parametrize(
    "hostile", ["{0}", "{}", "{text}", "{{7*7}}", "%s", "%(text)s", "{0.__class__}", "<b>", "&lt;"]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_goes_into_a_text_is_never_read_as_a_pattern(hostile, language):
    spoken = speak(language)
    assert spoken("quoted", text=hostile) == f"“{hostile}”"
    assert hostile in spoken.aside(hostile, hostile) and hostile in spoken.colon(hostile, "")
    assert hostile in spoken.source(hostile) and spoken.listing([hostile]) == hostile


def test_a_language_is_one_file_of_words():
    assert words.flatten(yaml.safe_load("a: {b: {c: 1}, d: x}\ne: y")) == {"a.b.c": "1", "a.d": "x", "e": "y"}
    assert Words("en", {"a.b": "one {n}"})("a.b", n=2) == "one 2"


def test_a_third_language_is_a_file_of_words(tmp_path, monkeypatch):
    for path in words.FOLDER.glob("*.yml"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    text = (tmp_path / "en.yml").read_text("utf-8").replace("name: English", "name: Français")
    text = (
        text.replace("date: y-MM-dd", "date: dd/MM/y")
        .replace("void: Void", "void: Nulle")
        .replace("Table {n}.", "Tableau {n} :")
    )
    (tmp_path / "fr.yml").write_text(text, "utf-8")
    monkeypatch.setattr(words, "FOLDER", tmp_path)
    assert words.languages() == ["en", "fr", "zh"]
    said, style = words.speak("fr"), pages.style("fr")
    words.speak.cache_clear()
    assert 'caption::before { content: "Tableau " counter(table) " :"' in style
    assert (said("language.name"), said("stamp.void"), said.date(dt.date(2024, 5, 9))) == (
        "Français",
        "Nulle",
        "09/05/2024",
    )
