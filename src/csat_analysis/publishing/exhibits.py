"""How is it shown? Tables and sentences of a report, in the reader's language; digits and small cells decided here."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.assembly.gates import unit_of
from csat_analysis.assembly.load import Survey
from csat_analysis.domain import scoring
from csat_analysis.domain.items import INVALID
from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.clauses import rules
from csat_analysis.ground.programmes import NOT_APPLICABLE, Programme
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Cell, Column, Exhibit, listing, prose, render, table
from csat_analysis.publishing.phrases import (
    formula,
    gate_sentences,
    grade_title,
    index_sum,
    item_title,
    level_title,
    measure_title,
    points_listing,
    return_sentence,
    satisfied_reading,
    share_and_interval,
    status_sentences,
)

# --- headline and sentences -------------------------------------------------------------------------------------------


def headline(result: Assessment, language: str) -> Exhibit:
    """Return the status stamp and the headline figure with its interval and what it counts."""
    words, programme = speak(language), result.survey.programme
    name = programme.headline_measure
    measure, unit = result.measure(name), unit_of(name, programme)
    value = words.number(measure.get("value"), unit)
    explanation = [words.colon(words("head.formula"), formula(programme, name, words))] if "." not in name else []
    if name.startswith("satisfaction_rate"):
        explanation.append(words.colon(words("rule.satisfied_form"), satisfied_reading(programme, words)))
    if name == "index":
        explanation.append(index_sum(result, words))
    elif measure.get("denominator"):
        parts = (words.count(measure["numerator"]), words.count(measure["denominator"]))
        explanation.append(f"{parts[0]} ÷ {parts[1]} = {value}")
    if _is_weighted(result):
        explanation.append(words("note.weights"))
    if result.grade:
        explanation.append(words.colon(words("head.grade"), _grade_and_certainty(result, words)))
    return render(
        "headline", status=result.status, stamp=words(f"stamp.{result.status}"), value=value,
        title=measure_title(programme, name, words), interval=_headline_interval(result, measure, unit, words),
        explanation=[*filter(None, explanation), *status_sentences(result, words)],
    )  # fmt: skip


def _grade_and_certainty(result: Assessment, words: Words) -> str:
    grade = result.grade or {}
    title = grade_title(result.survey.programme, grade["id"], words)
    if grade["certainty"] is None:
        return title
    return words.aside(title, words("verdict_certainty", certainty=words.chance(grade["certainty"])))


def _headline_interval(result: Assessment, measure: Mapping[str, Any], unit: str, words: Words) -> str:
    """Return the interval with its method; where it is withheld, why; nothing for a full count."""
    bounds = words.interval(measure.get("conf_low"), measure.get("conf_high"), unit)
    if bounds != words("not_computed"):
        return words.aside(words.colon(words("head.interval"), bounds), words(f"method.{measure['method']}"))
    is_withheld = measure["method"].startswith("withheld")
    if measure["method"] == "count" or (measure.get("value") is None and not is_withheld):
        return ""
    index = result.survey.programme.index
    terms = index.terms if measure["id"] == "index" and index else [measure["id"]]
    methods = [result.measure(term)["method"] for term in terms]
    why = next((method for method in methods if method.startswith("withheld")), None)
    return words.colon(words("head.interval"), words(f"method.{why}")) if why else ""


def _is_weighted(result: Assessment) -> bool:
    return bool((result.evidence.forms["weight"] != 1).any())


def summary(result: Assessment, language: str) -> Exhibit:
    """Return the sentences below the headline: how many answered, which rules are not met, what that sets off."""
    words = speak(language)
    return prose(return_sentence(result, words), *gate_sentences(result, words), kind="summary")


# --- measures ---------------------------------------------------------------------------------------------------------


def rate_table(result: Assessment, language: str) -> Exhibit:
    """Return every measure with what it counts, numerator, denominator, value, interval and source."""
    words, programme = speak(language), result.survey.programme
    shown = [measure for measure in result.measures.to_dict("records") if not is_spare(measure["id"], programme)]
    rows = [
        (
            words(f"measure.{measure['id']}"), formula(programme, measure["id"], words),
            words.count(measure["numerator"]), words.count(measure["denominator"]),
            words.number(measure["value"], MEASURES[measure["id"]].unit),
            _interval_and_method(measure, words), measure_source(measure["id"], programme, words),
        )
        for measure in shown
    ]  # fmt: skip
    heads = [Column(words(f"head.{name}"), name in ("numerator", "denominator", "value")) for name in
             ("measure", "formula", "numerator", "denominator", "value", "interval", "source")]  # fmt: skip
    notes = [words("note.no_data")] if any(measure["value"] is None for measure in shown) else []
    if any(measure["id"] == "survey_rate" for measure in shown):
        points = words("note.points_of", full=f"{scoring.full_points(programme):g}")
        notes.append(words.colon(words("measure.survey_rate"), points))
    return table(words("caption.rates"), heads, rows, notes)


def is_spare(name: str, programme: Programme) -> bool:
    """Return whether a programme has no such rate, or has it twice."""
    if programme.satisfied_form is None:
        return name.startswith("satisfaction_rate")
    return name == "satisfaction_rate_of_valid" and programme.satisfaction_rate.denominator == "valid"


def _interval_and_method(measure: Mapping[str, Any], words: Words) -> Cell:
    """Return an interval with its method; where there is none, why."""
    unit = MEASURES[measure["id"]].unit
    bounds = words.interval(measure["conf_low"], measure["conf_high"], unit)
    if measure["value"] is None and not measure["method"].startswith("withheld"):
        return Cell(bounds)
    method = words(f"method.{measure['method']}")
    return Cell("" if bounds == words("not_computed") else bounds, "whole", (method,))


def measure_source(name: str, programme: Programme, words: Words) -> str:
    """Return where the definition of a measure comes from; a clause that sets a threshold on it defines nothing."""
    defined = {measure.id: measure.clause for measure in programme.measures}
    defined["satisfaction_rate"] = programme.satisfaction_rate.clause
    return words.source(defined[name]) if name in defined else words("source.common")


# --- index ------------------------------------------------------------------------------------------------------------


def index_table(result: Assessment, language: str) -> Exhibit:
    """Return the index term by term; nothing where the programme has none."""
    words, programme = speak(language), result.survey.programme
    if programme.index is None or result.index is None:
        return Exhibit("")
    rows = []
    for term, coefficient in programme.index.terms.items():
        value = result.measure(term)["value"]
        product = None if value is None else coefficient * value
        shown = words.number(product, programme.index.unit)
        name, factor = measure_title(programme, term, words), f"{coefficient:g}".replace("-", "−")
        rows.append((name, factor, words.number(value, MEASURES[term].unit), shown))
    total = words.number(result.index["value"], programme.index.unit)
    rows.append((measure_title(programme, "index", words), "", "", total))
    heads = [Column(words(f"head.{name}"), name != "term") for name in ("term", "coefficient", "value", "product")]
    notes = [words.colon(words("head.source"), words.source(programme.index.clause))]
    notes += [words(f"note.{key}") for key in _index_notes(result)]
    return table(words("caption.index", title=measure_title(programme, "index", words)), heads, rows, notes)


def _index_notes(result: Assessment) -> list[str]:
    """Return what has to be said of the index: how its error was found, that it is below zero."""
    index = result.index or {}
    found = [f"index_{index['method']}"] if index.get("method") in ("delta", "bound") else []
    return [*found, *(["index_negative"] if (index.get("value") or 0) < 0 else [])]


# --- items and groups -------------------------------------------------------------------------------------------------


def answer_table(result: Assessment, language: str) -> Exhibit:
    """Return how often each answer was given to each question, with its share; what is outside the shares apart."""
    words, programme = speak(language), result.survey.programme
    rows, outside = [], [NOT_APPLICABLE, "empty", "rejected"]
    if (result.distribution.loc[result.distribution["level"] == INVALID, "n"] > 0).any():
        outside.append(INVALID)
    for item, part in result.distribution.groupby("item", sort=False):
        number, share = part.set_index("level")["n"], part.set_index("level")["share"]
        given = [
            Cell(words.count(number[level]), below=(words.number(share[level], "share"),))
            for level in programme.level_ids
        ]
        base = words.count(number[programme.level_ids].sum())
        rows.append(
            (
                item_title(programme, item, words),
                *given,
                base,
                *(words.count(number[level]) for level in outside),
            )
        )
    titles = [level_title(programme, level, words) for level in programme.level_ids]
    heads = [Column(words("head.item")), *(Column(title, True) for title in titles)]
    names = {"rejected": "answers_rejected", INVALID: "answers_invalid"}
    heads += [Column(words(f"head.{names.get(name, name)}"), True) for name in ("n", *outside)]
    notes = [words("note.base_given")]
    blank = sum(result.evidence.forms.loc[_says_nothing(result.survey), "count"])
    if blank:
        notes.append(words("note.blank", n=words.count(blank)))
    if _is_weighted(result):
        notes.append(words("note.weights"))
    return table(words("caption.answers"), heads, rows, notes)


def _says_nothing(survey: Survey) -> pd.Series:
    """Return which forms hold no answer at all, not even one that was rejected; none where a record has no forms."""
    if survey.answers.empty:
        return pd.Series(False, index=survey.forms.index)
    fallen = survey.rejected[(survey.rejected["table"] == "responses") & survey.rejected["column"].isin(survey.answers)]
    return (survey.answers == "").all(axis="columns") & ~survey.forms["row"].isin(fallen["row"])


def item_table(result: Assessment, language: str) -> Exhibit:
    """Return every question with its answers, mean points with standard error, satisfied share and interval."""
    words, survey = speak(language), result.survey
    programme, asked = survey.programme, result.items[result.items["id"].isin(survey.answers.columns)]
    names = ["item", "n", "mean", *(("share_satisfied", "interval") if programme.satisfied else ())]
    rows = [
        (item_title(programme, item["id"], words), words.count(item["n"]), _mean_cell(item, programme, words),
         *(share_and_interval(item, words) if programme.satisfied else ()))
        for item in asked.to_dict("records")
    ]  # fmt: skip
    notes = []
    if programme.satisfied:
        levels = words.listing(level_title(programme, level, words) for level in programme.satisfied.levels)
        notes.append(words("note.satisfied_levels", levels=levels))
    if programme.points:
        notes.append(words("note.points", points=points_listing(programme.points.values, programme, words)))
    if asked["conf_low"].notna().any():
        notes.append(words("note.interval"))
    missing = [item_title(programme, item, words) for item in programme.item_ids if item not in survey.answers]
    if missing:
        notes.append(words("note.not_asked", names=words.listing(missing)))
    caption = words("caption.items" if programme.satisfied else "caption.items_mean")
    return table(caption, [Column(words(f"head.{name}"), name != "item") for name in names], rows, notes)


def _mean_cell(item: Mapping[str, Any], programme: Programme, words: Words) -> Cell:
    """Return mean points with their standard error, and the full points where items differ in them."""
    own = next(each.points for each in programme.items if each.id == item["id"])
    below = [words("note.full", full=f"{max(own.values()):g}")] if own else []
    if item["mean_se"] is not None:
        below.append(words("note.se", se=words.number(item["mean_se"])))
    return Cell(words.number(item["mean"]), below=tuple(below) if item["mean"] is not None else ())


# --- limits -----------------------------------------------------------------------------------------------------------


def limits(result: Assessment, language: str) -> Exhibit:
    """Return what the figures of this run do not say, as sentences built from the run."""
    words, evidence, programme = speak(language), result.evidence, result.survey.programme
    sentences = []
    if evidence.frame and evidence.distributed is not None and evidence.frame > evidence.distributed:
        unsent = words.count(evidence.frame - evidence.distributed)
        sentences.append(words("note.unsent", n=unsent, frame=words.count(evidence.frame)))
    if evidence.eligible is None:
        sentences.append(words("note.nonresponse_unknown"))
    elif evidence.valid < evidence.eligible:
        silent = words.count(evidence.eligible - evidence.valid)
        sentences.append(words("note.nonresponse", n=silent, eligible=words.count(evidence.eligible)))
    if "cluster" in evidence.forms:
        sentences.append(words("note.clusters_known" if evidence.units else "note.clusters_unknown"))
    elif evidence.frame is None:
        sentences.append(words("note.no_frame"))
    elif evidence.population:
        sentences.append(words("note.fpc", n=words.count(evidence.frame)))
    if (result.measures["method"] == "poisson").any():
        sentences.append(words("note.events"))
    if _is_weighted(result):
        sentences.append(words("note.weights"))
    assumed = sum(rule["source"] == "assumption" for rule in rules(programme))
    if assumed:
        sentences.append(words("note.assumptions", n=assumed))
    return listing(sentences)


# --- for the analyst --------------------------------------------------------------------------------------------------


def form_path_table(survey: Survey, form: str, language: str) -> Exhibit:
    """Return the way of one form to its score: the contributions of its answers, and their sum."""
    words, programme = speak(language), survey.programme
    path = scoring.form_path(survey.answers.loc[form], programme)
    rows = [
        (item_title(programme, step.item, words), level_title(programme, step.answer, words), words.number(step.points),
         f"{step.weight:g}", words.number(step.contribution))
        for step in path.itertuples()
    ]  # fmt: skip
    score = path["contribution"].sum(min_count=1)
    rows.append((words("head.score"), "", "", f"{path['weight'].sum():g}", words.number(score)))
    heads = [
        Column(words(f"head.{name}"), name not in ("item", "answer"))
        for name in ("item", "answer", "points", "weight", "contribution")
    ]
    return table(words("caption.form_path", form=form), heads, rows)
