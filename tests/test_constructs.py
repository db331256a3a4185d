"""The satisfaction index of a path model, from the programme file to the page: figures, refusals, frozen weights."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import publishing as door
from conftest import demo, run_of
from csat_analysis.assembly import assessment, load
from csat_analysis.assembly.tables import Sheet
from csat_analysis.demo import QINGYUN_2024
from csat_analysis.domain import constructs as domain
from csat_analysis.ground import faults as rooms
from csat_analysis.ground.lint import lint
from csat_analysis.ground.programmes import reach
from csat_analysis.publishing import construct_figures, construct_tables, exhibits, rulebook

pytestmark = pytest.mark.filterwarnings("error")

CHECKOUT = Path(__file__).parents[1]
ITEMS = ["i1", "i2", "q1", "q2", "q3", "s1", "s2"]
MODEL = {
    "source": "assumption",
    "target": "satisfaction",
    "constructs": [
        {"id": "image", "title": {"zh": "品牌形象", "en": "Image"}, "items": ["i1", "i2"]},
        {"id": "quality", "title": {"zh": "质量", "en": "Quality"}, "items": ["q1", "q2", "q3"], "follows": ["image"]},
        {
            "id": "satisfaction",
            "title": {"zh": "满意", "en": "Satisfaction"},
            "items": ["s1", "s2"],
            "follows": ["image", "quality"],
        },
    ],
}
FROZEN = {"period": "2023", "weights": {"s1": 3, "s2": 1}}
KEYS = {
    "scale": {"five": 5, "four": 4, "three": 3, "two": 2, "one": 1},
    "items": [{"id": item, "title": {"zh": f"题{n}", "en": f"Question {n}"}} for n, item in enumerate(ITEMS)],
    "gates": None,
    "index": None,
    "grades": None,
    "latent": MODEL,
    "headline": "latent_index",
}
LEVELS = np.array(["one", "two", "three", "four", "five"])
EXHIBITS = [
    construct_tables.summary, construct_figures.indices, construct_tables.index_table, construct_figures.paths, construct_tables.path_table,
    construct_tables.impact_table, construct_tables.reliability_table, construct_tables.distinct_table, construct_tables.weight_table,
    construct_tables.limits,
]  # fmt: skip
NOTHING = {"", "No path model was estimated and there is nothing to show here; the top of the page says why."}


def programme(**keys):
    """Return a procedure with a path model; keys of ``latent`` by their names, others as they are."""
    model = {key: keys.pop(key) for key in ("target", "least", "constructs", "frozen", "scheme") if key in keys}
    return demo(**{**KEYS, "latent": {**MODEL, **model}, **keys})


def answers(n: int = 300, seed: int = 1) -> pd.DataFrame:
    """Return the answers of some forms: quality follows image, satisfaction both; each item is its construct and noise."""
    random = np.random.default_rng(seed)
    image = random.normal(size=n)
    quality = 0.5 * image + random.normal(size=n)
    satisfaction = 0.2 * image + 0.6 * quality + random.normal(size=n)
    felt = {"i": image, "q": quality, "s": satisfaction}
    points = {item: np.clip(np.rint(3.4 + felt[item[0]] + 0.6 * random.normal(size=n)), 1, 5) for item in ITEMS}
    return pd.DataFrame(points)


def survey(points: pd.DataFrame, procedure=None, columns=None, **keys):
    """Return the assessment of forms given by their points; NaN: not answered."""
    texts = points.map(lambda value: "" if np.isnan(value) else LEVELS[int(value) - 1]).astype(str)
    texts.insert(0, "form_id", [f"f{n}" for n in points.index])
    texts = texts.assign(**(columns or {})).set_axis(range(2, len(points) + 2), axis="index")
    sheet = Sheet("responses.csv", "", texts.astype(str))
    return assessment.assess(load.assemble(procedure or programme(), run_of(**keys), {"responses": sheet}))


def numbers(html: str) -> list[str]:
    """Return the numbers of an exhibit's cells and sentences, without the marks of its drawing."""
    text = door.Page(re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)).texts
    return sorted(re.findall(r"[−-]?\d+\.\d+|\d{2,}", " ".join(text)))


def told(exhibit) -> str:
    return "".join(door.Page(exhibit.html).texts)


@pytest.fixture(scope="module")
def result():
    """Return the assessment of 300 forms, of which 20 leave an item open."""
    points = answers()
    points.iloc[:20, 3] = np.nan
    return survey(points)


@pytest.fixture(scope="module")
def reading(result):
    return construct_tables.estimated(result)


# --- the measure ------------------------------------------------------------------------------------------------------


def test_the_index_is_that_of_the_target_over_the_complete_forms(result, reading):
    measure, found = result.measure("latent_index"), reading.constructs.found
    assert (found.n, found.left_out) == (280, 20)
    assert measure["value"] == pytest.approx(found.index["satisfaction"])
    assert measure["numerator"] / measure["denominator"] == pytest.approx(measure["value"])
    assert (measure["denominator"], measure["df"], measure["method"]) == (280, 279, "bootstrap")
    assert measure["conf_low"] < measure["value"] < measure["conf_high"]


def test_the_index_of_equal_items_is_their_mean_on_their_scale():
    points = answers()
    points["s2"] = points["s1"]
    expected = 100 * (points["s1"].mean() - 1) / 4
    assert survey(points).measure("latent_index")["value"] == pytest.approx(expected)


def test_the_order_of_the_forms_moves_neither_the_index_nor_its_interval():
    points = answers()
    one, other = (survey(each).measure("latent_index") for each in (points, points.sample(frac=1, random_state=3)))
    assert {key: one[key] for key in ("value", "conf_low", "conf_high")} == pytest.approx(
        {key: other[key] for key in ("value", "conf_low", "conf_high")}
    )


def test_forms_that_come_in_clusters_of_like_minds_are_less_sure():
    points = answers()
    alike = points.loc[points.index.repeat(2)].reset_index(drop=True)  # each form and its double, in a cluster of two
    plain = survey(points).measure("latent_index")
    paired = survey(alike, columns={"block": np.arange(600) // 2}, design={"cluster": "block"}).measure("latent_index")
    assert paired["value"] == pytest.approx(plain["value"])
    assert paired["se"] == pytest.approx(plain["se"], rel=0.1)


def test_everybody_has_no_sampling_error():
    measure = survey(answers(), plan={"counts": {"frame": 300}}).measure("latent_index")
    assert (measure["conf_low"], measure["conf_high"], measure["method"]) == (*[measure["value"]] * 2, "census")


def test_an_invalid_form_is_in_no_model():
    points = answers()
    points.iloc[0, 1:] = np.nan
    found = construct_tables.estimated(survey(points, programme(validity={"min_answered": 2}))).constructs.found
    assert (found.n, found.left_out) == (299, 0)


def test_a_gate_an_index_and_its_grades_stand_on_it():
    gate = {"measure": "latent_index", "comparison": "at_least", "threshold": 40}
    grades = [{"id": "good", "lower": 55}, {"id": "poor", "lower": 0}]
    found = survey(answers(), programme(gates=[gate], index={"latent_index": 1}, grades=grades))
    measure = found.measure("latent_index")
    assert found.gates.iloc[0]["verdict"] == "met" and found.gates.iloc[0]["certainty"] > 0.999
    assert found.index["value"] == measure["value"] and found.index["se"] == measure["se"]
    assert found.grade["id"] == "good" and sum(found.grade["probabilities"].values()) == pytest.approx(1)
    assert reach(found.survey.programme, "index") == (0, 100)


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n, method", [(249, domain.TOO_FEW), (250, "bootstrap")])
def test_250_complete_forms_are_needed(n, method):
    points = answers(300)
    points.iloc[n:, 0] = np.nan
    measure = survey(points).measure("latent_index")
    assert (measure["method"], measure["value"] is None) == (method, n == 249)


def test_a_procedure_may_ask_for_another_number():
    assert survey(answers(60), programme(least=50)).measure("latent_index")["method"] == "bootstrap"


def test_too_few_forms_are_told_with_their_number_and_nothing_else_is_shown():
    found = survey(answers(80))
    reading = construct_tables.estimated(found)
    assert "Only 80 valid forms answer every question, fewer than the 250" in told(
        construct_tables.summary(reading, "en")
    )
    assert "只有 80 份，少于规定的 250 份" in told(construct_tables.summary(reading, "zh"))
    assert {told(each(reading, "en")).strip() for each in EXHIBITS[1:]} == NOTHING
    assert "withheld, too few complete forms" in told(exhibits.rate_table(found, "en"))
    assert "withheld, too few complete forms" in told(exhibits.headline(found, "en"))


@pytest.mark.parametrize(
    "columns, sentence",
    [
        ({"q2": 3.0}, "Everybody gives the same answer to “Question 3”"),
        (
            {"q1": "i1", "q2": "i1", "q3": "i1", "i2": "i1"},
            "The constructs that lead to “Satisfaction” are nearly the same",
        ),
        ({"i2": "-i1"}, "The questions of “Image” cancel each other out"),
    ],
)
def test_answers_that_do_not_bear_the_model_are_told_why(columns, sentence):
    points = answers()
    new = {
        name: 6 - points["i1"] if c == "-i1" else points[c] if isinstance(c, str) else c for name, c in columns.items()
    }
    found = survey(points.assign(**new))
    measure = found.measure("latent_index")
    assert (measure["value"], measure["method"]) == (None, domain.NO_MODEL)
    assert sentence in told(construct_tables.summary(construct_tables.estimated(found), "en"))


def test_one_cluster_has_an_index_and_no_interval():
    found = survey(answers(), columns={"block": ["x"] * 300}, design={"cluster": "block"})
    measure = found.measure("latent_index")
    assert measure["value"] > 0 and measure["conf_low"] is None and measure["method"] == "withheld: one cluster"
    reading = construct_tables.estimated(found)
    assert "no confidence intervals" in told(construct_tables.summary(reading, "en"))
    assert all(each(reading, language).html for each in EXHIBITS for language in ("zh", "en"))


def test_a_question_that_counts_the_other_way_is_named():
    points = answers().assign(q3=lambda table: 6 - table["q3"])
    reading = construct_tables.estimated(survey(points))
    assert "Negative weights: “Question 4”" in told(construct_tables.summary(reading, "en"))
    assert "权重为负：“题4”" in told(construct_tables.summary(reading, "zh"))


def test_a_procedure_without_a_model_says_so_and_has_no_such_measure():
    found = survey(answers(5), demo(**{**KEYS, "latent": None, "headline": None}))
    reading = construct_tables.estimated(found)
    assert "has no path model" in told(construct_tables.summary(reading, "en"))
    assert {told(each(reading, "en")).strip() for each in EXHIBITS[1:]} == NOTHING
    assert domain.latent_index(found.evidence).value is None
    assert [column for column in found.evidence.forms if column.endswith(".points")] == []


# --- frozen weights ---------------------------------------------------------------------------------------------------

# 100 (3 (s1 - 1) + (s2 - 1)) / 16: 62.5, 100 and 25; the last form leaves s2 open.
FEW = pd.DataFrame({item: [3.0, 4.0, 5.0, 3.0] for item in ITEMS[:5]}).assign(
    s1=[4.0, 5.0, 2.0, 5.0], s2=[2.0, 5.0, 2.0, np.nan]
)


def test_frozen_weights_serve_few_forms_too():
    found = survey(FEW, programme(frozen=FROZEN))
    measure = found.measure("latent_index")
    assert measure["value"] == pytest.approx((62.5 + 100 + 25) / 3)
    assert measure["se"] == pytest.approx(np.std([62.5, 100, 25], ddof=1) / np.sqrt(3))
    assert (measure["denominator"], measure["df"], measure["method"]) == (3, 2, "wilson_mean")


def test_frozen_weights_are_those_of_every_site_and_wave():
    points = answers()
    measure = survey(points, programme(frozen=FROZEN)).measure("latent_index")
    assert measure["value"] == pytest.approx((100 * (3 * (points["s1"] - 1) + points["s2"] - 1) / 16).mean())


def test_whose_weights_they_are_is_told():
    summary = told(construct_tables.summary(construct_tables.estimated(survey(FEW, programme(frozen=FROZEN))), "en"))
    assert "is 62.50" in summary and "by the weights frozen in 2023 (from 3 forms" in summary
    assert "Only 3 valid forms answer every question" in summary


def test_the_weights_on_the_page_freeze_the_index_as_it_is(result, reading):
    page = told(construct_tables.weight_table(reading, "en"))
    weights = {name: float(value) for name, value in re.findall(r"(s\d): ([\d.]+)", page)}
    frozen = programme(frozen={"period": "2024", "weights": weights})
    points = answers()
    points.iloc[:20, 3] = np.nan
    complete = survey(points.iloc[20:], frozen).measure("latent_index")
    assert complete["value"] == pytest.approx(result.measure("latent_index")["value"], abs=1e-3)


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda each: f"{each.__module__.rsplit('.')[-1]}.{each.__name__}")
def test_both_languages_show_the_same_numbers(exhibit, reading):
    one, other = (numbers(exhibit(reading, language).html) for language in ("zh", "en"))
    assert one == other
    assert one or exhibit is construct_tables.limits


def test_the_page_shows_what_was_estimated(reading):
    found = reading.constructs.found
    assert f"{found.paths['quality', 'satisfaction']:.2f}" in told(construct_tables.path_table(reading, "en"))
    assert f"{5 * found.impacts['quality', 'satisfaction']:.2f}" in told(construct_tables.impact_table(reading, "en"))
    for value in found.index:
        assert f"{value:.2f}" in told(construct_tables.index_table(reading, "zh"))
    assert "“Quality” goes with “Satisfaction” most" in told(construct_tables.summary(reading, "en"))


def test_what_is_below_the_usual_is_marked():
    noise = np.random.default_rng(2)
    points = answers().assign(q3=noise.integers(1, 6, 300).astype(float), q2=noise.integers(1, 6, 300).astype(float))
    table = told(construct_tables.reliability_table(construct_tables.estimated(survey(points)), "en"))
    assert "below 0.70" in table and "below 0.50" in table


def test_constructs_that_are_hardly_two_are_marked():
    points = answers().assign(s1=lambda table: table["q1"], s2=lambda table: table["q2"])
    assert "reaches 0.85" in told(construct_tables.distinct_table(construct_tables.estimated(survey(points)), "en"))


def test_an_arc_leads_down_for_every_path(reading):
    drawn = construct_figures.paths(reading, "en").html
    sizes = [f"{size:.2f}" for size in reading.constructs.found.paths]
    assert all(drawn.count(f">{size}<") >= 1 for size in sizes)
    assert all(title in drawn for title in ("Image", "Quality", "Satisfaction"))


def test_the_rules_of_a_page_say_what_the_model_is():
    rules = told(rulebook.rule_table(programme(frozen=FROZEN), "en"))
    assert "Quality (from Image)" in rules and "weights frozen in 2023: s1 3, s2 1" in rules
    assert "below 250 complete forms" in rules


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a root in which the demo survey of the European index was run, in both languages."""
    root = tmp_path_factory.mktemp("qingyun")
    for name in ("params/programmes/ecsi.yml", "params/runs/qingyun.yml", "data/qingyun/2024/responses.csv"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, root / name)
    file = root / "params/programmes/ecsi.yml"
    file.write_text(re.sub("chapters: .*", "chapters: [26_constructs]", file.read_text("utf-8")), "utf-8")
    answer = door.run(root, "--language", "zh", "--language", "en")
    assert (answer.status, answer.err) == (0, answer.err)
    return root


def test_the_demo_survey_is_published_with_its_index(published):
    record = door.record(published, "qingyun/2024")
    measure = next(each for each in record["measures"] if each["id"] == "latent_index")
    pages = {
        language: door.pages(published)[f"qingyun/2024/26_constructs.{language}.html"].text for language in ("zh", "en")
    }
    assert all(f"{measure['value']:.2f}" in page for page in pages.values())
    assert "395" in pages["en"] and "31leaveoneormoreopen" in pages["en"]


def test_the_demo_survey_finds_its_truth():
    found = construct_tables.estimated(
        assessment.assess(load.survey("qingyun", "2024", str(CHECKOUT)))
    ).constructs.found
    truth = {(source, target): b for target, row in QINGYUN_2024.paths.items() for source, b in row.items()}
    # scores of several questions hold some noise, so that paths come out a little too small: by .1 at most, and
    # their standard errors are about .05
    assert {path: found.paths[path] for path in truth} == pytest.approx(truth, abs=0.2)
    assert found.paths["satisfaction", "loyalty"] > 0.4 > 0.2 > abs(found.paths["complaints", "loyalty"])
    means = {name: np.mean(list(items.values())) for name, items in QINGYUN_2024.items.items()}
    assert found.index.to_dict() == pytest.approx({name: 100 * (mean - 1) / 9 for name, mean in means.items()}, abs=3)


# --- the file ---------------------------------------------------------------------------------------------------------


def changed(place: int, **keys) -> list[dict]:
    """Return the constructs with some keys of one of them replaced."""
    return [{**each, **(keys if n == place else {})} for n, each in enumerate(MODEL["constructs"])]


FAULTS = {
    "latent.target: 'joy' is not a construct here": {"target": "joy"},
    "latent.constructs.1.id: 'image' stands twice": {"constructs": changed(1, id="image", follows=[])},
    "latent.constructs.1.items: 'q9' is not an item here": {"constructs": changed(1, items=["q1", "q9"])},
    "latent.constructs.1.items: 'i1' stands in a construct already": {"constructs": changed(1, items=["q1", "i1"])},
    "latent.constructs.2.follows: 'price' is no other construct here": {"constructs": changed(2, follows=["price"])},
    "latent.constructs.1.follows: 'quality' is no other construct here": {
        "constructs": changed(1, follows=["quality"])
    },
    "latent.constructs.0.follows: 'image' leads back to itself": {"constructs": changed(0, follows=["satisfaction"])},
    "latent.constructs.3: nothing follows 'price' and it follows nothing": {
        "constructs": [*changed(1, items=["q1", "q2"]), {"id": "price", "items": ["q3"]}]
    },
    "latent.frozen.weights: weights of ['s1']; give one to each of ['s1', 's2']": {
        "frozen": {"period": "2023", "weights": {"s1": 1}}
    },
    "latent.frozen.weights: the weights prefer low answers": {
        "frozen": {"period": "2023", "weights": {"s1": 1, "s2": -2}}
    },
    "latent.constructs.0.items: 'i1' may be absent": {
        "items": [{**item, "optional": item["id"] == "i1"} for item in KEYS["items"]]
    },
    "latent.constructs.0.items: 'i1' has no two different points": {
        "items": [{**KEYS["items"][0], "points": dict.fromkeys(KEYS["scale"], 1)}, *KEYS["items"][1:]]
    },
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_what_a_model_cannot_be_estimated_with_is_a_fault(sentence):
    found = [f"{'.'.join(map(str, place))}: {text}" for place, text in rooms.faults(programme(**FAULTS[sentence]))]
    assert any(each.startswith(sentence) for each in found), found


def test_a_sound_model_has_no_faults_and_no_findings():
    assert list(rooms.faults(programme(frozen=FROZEN))) == []
    assert [each for each in lint(programme()) if "points" in each.kind or "index" in each.kind] == []


def test_the_measure_needs_a_model():
    found = list(rooms.faults(demo(**{**KEYS, "latent": None})))
    assert found == [
        (("headline",), "there is no path model here; add latent: with its constructs, or name another measure.")
    ]


def test_points_that_do_not_follow_the_scale_are_a_finding():
    flat = {"five": 5, "four": 4, "three": 4, "two": 2, "one": 1}
    found = lint(programme(items=[KEYS["items"][0], {**KEYS["items"][1], "points": flat}, *KEYS["items"][2:]]))
    assert "items[1].points: the points of 'i2' do not fall at every step of the scale" in [
        str(each).split(";")[0] for each in found
    ]


def test_a_model_whose_index_stands_nowhere_is_a_finding():
    assert "unpublished_index" in [each.kind for each in lint(programme(headline=None))]
