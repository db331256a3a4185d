"""How is it shown? Tables and sentences of a report, in the reader's language; rounding and small cells are decided here."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from csat_analysis import scoring
from csat_analysis.assessment import Assessment, assess, outcome, unit_of
from csat_analysis.catalogue import MEASURES
from csat_analysis.load import Survey, worked_example
from csat_analysis.markup import Cell, Column, Exhibit, listing, prose, render, table
from csat_analysis.phrases import (
    colon,
    formula,
    gate_sentences,
    grade_title,
    item_title,
    level_title,
    measure_title,
    return_sentence,
    satisfied_reading,
    status_sentences,
    trigger_title,
)
from csat_analysis.programmes import NOT_APPLICABLE, Programme, rules
from csat_analysis.words import Words, speak

SHOWN_REJECTIONS = 50


# --- headline and sentences -------------------------------------------------------------------------------------------


def headline(result: Assessment, language: str) -> Exhibit:
    """Return the status stamp and the headline figure with its interval and what it counts."""
    words, programme = speak(language), result.survey.programme
    name = programme.headline_measure
    measure, unit = result.measure(name), unit_of(name, programme)
    value = words.number(measure.get("value"), unit)
    bounds = words.interval(measure.get("conf_low"), measure.get("conf_high"), unit)
    explanation = [colon(words, words("head.formula"), formula(programme, name, words))]
    if name.startswith("satisfaction_rate"):
        explanation.append(colon(words, words("rule.satisfied_form"), satisfied_reading(programme, words)))
    if measure.get("denominator"):
        parts = (words.count(measure["numerator"]), words.count(measure["denominator"]))
        explanation.append(f"{parts[0]} ÷ {parts[1]} = {value}")
    if result.grade:
        explanation.append(colon(words, words("head.grade"), grade_title(programme, result.grade["id"], words)))
    explanation += status_sentences(result, words)
    return render(
        "headline", status=result.status, stamp=words(f"stamp.{result.status}"), title=measure_title(programme, name, words),
        value=value, interval="" if bounds == words("not_computed") else colon(words, words("head.interval"), bounds),
        explanation=explanation,
    )  # fmt: skip


def summary(result: Assessment, language: str) -> Exhibit:
    """Return the sentences below the headline: how many answered, which rules are not met, what that sets off."""
    words = speak(language)
    return prose(return_sentence(result, words), *gate_sentences(result, words), kind="summary")


# --- fieldwork ----------------------------------------------------------------------------------------------------------


def ledger_table(result: Assessment, language: str) -> Exhibit:
    """Return the way from the customer file to the valid forms; what is not known has a dash."""
    words, evidence = speak(language), result.evidence
    stages: list[tuple[str, int | None]] = [("frame", evidence.frame), ("distributed", evidence.distributed)]
    if evidence.eligible != evidence.distributed:
        stages.append(("eligible", evidence.eligible))
    stages += [("returned", evidence.returned), ("valid", evidence.valid), ("invalid", evidence.returned - evidence.valid)]
    if result.survey.programme.satisfied_form:
        stages.append(("satisfied", int(evidence.forms.loc[evidence.forms["satisfied"], "count"].sum())))
    rows = [(words(f"ledger.{stage}"), words.count(number)) for stage, number in stages]
    distribution = result.survey.tables.get("distribution")
    notes = []
    if distribution is not None and "disposition" in distribution:
        counts = distribution["disposition"].replace("", "unknown").value_counts()
        parts = [f"{words('disposition.' + name)} {words.count(n)}" for name, n in counts.items()]
        notes.append(colon(words, words("table.distribution"), words("semicolon").join(parts)))
    return table(words("caption.ledger"), [Column(words("head.stage")), Column(words("head.forms"), True)], rows, notes)


def rate_table(result: Assessment, language: str) -> Exhibit:
    """Return every measure with what it counts, numerator, denominator, value, interval and source."""
    words, programme = speak(language), result.survey.programme
    rows = []
    for measure in result.measures.to_dict("records"):
        unit = MEASURES[measure["id"]].unit
        bounds = words.interval(measure["conf_low"], measure["conf_high"], unit)
        rows.append(
            (
                words(f"measure.{measure['id']}"), formula(programme, measure["id"], words), words.count(measure["numerator"]),
                words.count(measure["denominator"]), words.number(measure["value"], unit),
                _interval_or_reason(measure, bounds, words),
            )  # fmt: skip
        )
    heads = [Column(words(f"head.{name}"), name in ("numerator", "denominator", "value")) for name in
             ("measure", "formula", "numerator", "denominator", "value", "interval")]  # fmt: skip
    notes = []
    if "survey_rate" in set(result.measures["id"]):
        notes.append(colon(words, words("measure.survey_rate"), words("note.points_of", full=f"{scoring.full_points(programme):g}")))
    return table(words("caption.rates"), heads, rows, notes)


def _interval_or_reason(measure: Mapping[str, Any], bounds: str, words: Words) -> str:
    """Return an interval; where there is none, why."""
    if measure["value"] is None or bounds != words("not_computed"):
        return bounds
    return words(f"method.{measure['method']}")


def account_table(survey: Survey, language: str) -> Exhibit:
    """Return where every row and every answer of every table went."""
    words = speak(language)
    names = ["rows_read", "rows_used", "rows_rejected", "answers_read", "answers_used", "answers_not_applicable",
             "answers_empty", "answers_rejected"]  # fmt: skip
    rows = [
        (words(f"table.{account['table']}"), *(words.count(account[name]) for name in names))
        for account in survey.accounts.to_dict("records")
    ]
    elsewhere = int(survey.accounts["rows_elsewhere"].sum())
    notes = [words("note.elsewhere", n=words.count(elsewhere))] if elsewhere else []
    if (survey.forms["count"] != 1).any():
        forms = words.count(int(survey.forms["count"].sum()))
        notes.append(words("note.standing_for", rows=words.count(len(survey.forms)), forms=forms))
    heads = [Column(words("head.table")), *(Column(words(f"head.{name}"), True) for name in names)]
    return table(words("caption.accounts"), heads, rows, notes)


def rejected_table(survey: Survey, language: str) -> Exhibit:
    """Return what could not be used, each with file, line, column, value and reason."""
    words, total = speak(language), len(survey.rejected)
    if not total:
        return prose(words("sentence.rejected_none"))
    rows = [
        (each["file"], str(each["row"]), each["column"], each["value"], words(f"reason.{each['reason']}"))
        for each in survey.rejected.head(SHOWN_REJECTIONS).to_dict("records")
    ]
    heads = [Column(words(f"head.{name}"), name == "row") for name in ("file", "row", "column", "cell", "reason")]
    notes = [words("note.more_rejected", shown=SHOWN_REJECTIONS, n=words.count(total))] if total > SHOWN_REJECTIONS else []
    return table(words("caption.rejected", n=words.count(total)), heads, rows, notes)


def findings(survey: Survey, language: str) -> Exhibit:
    """Return what a reader of the figures should know of the data."""
    words = speak(language)
    return listing([words(f"finding.{code}", **values) for code, values in survey.findings])


def input_table(survey: Survey, language: str) -> Exhibit:
    """Return the files the figures come from, with checksums."""
    words = speak(language)
    rows = [
        (words(f"table.{each['table']}"), each["file"], words.count(each["rows"]), each["sha256"][:16] + "…")
        for each in survey.inputs.to_dict("records")
    ]
    heads = [Column(words(f"head.{name}"), name == "rows") for name in ("table", "file", "rows", "sha256")]
    return table(words("caption.inputs"), heads, rows)


# --- rules and verdicts -------------------------------------------------------------------------------------------------


def gate_table(result: Assessment, language: str) -> Exhibit:
    """Return every rule with its figure, verdict, clause or assumption, and what failing sets off."""
    words, programme = speak(language), result.survey.programme
    rows, notes = [], []
    for gate in result.gates.itertuples():
        unit, name = unit_of(gate.measure, programme), measure_title(programme, gate.measure, words)
        rule = words(f"comparison.{gate.comparison}", threshold=words.number(gate.threshold, unit))
        verdict = gate.verdict or "missing"
        rows.append(
            (
                name, words("rule.target", rule=rule) if gate.severity == "target" else rule, words.number(gate.value, unit),
                Cell(words(f"verdict.{verdict}"), f"verdict {verdict}"), words.source(gate.clause),
                trigger_title(programme, gate.otherwise, words) if gate.otherwise else words("none"),
            )  # fmt: skip
        )
        if gate.rounding_flips:
            shown = words.number(gate.value, unit)
            notes.append(words("note.rounding", name=name, shown=shown, value=f"{gate.value:.8g}"))
    if programme.satisfied_form and programme.satisfaction_rate.denominator == "returned":
        of_valid = result.measure("satisfaction_rate_of_valid")["value"]
        notes.append(words("note.returned_base", rate=words.number(of_valid, "share")))
    heads = [Column(words(f"head.{name}"), name == "value") for name in ("measure", "rule", "value", "verdict", "source", "consequence")]
    return table(words("caption.gates"), heads, rows, notes) if rows else prose(words("sentence.gates_none"))


def target_table(result: Assessment, language: str) -> Exhibit:
    """Return how far the measures are from the targets of the year; nothing where there are none."""
    words = speak(language)
    rows = []
    for row in result.comparisons.to_dict("records"):
        unit = MEASURES[row["id"]].unit
        difference = words.number(row["estimate"], unit)
        bounds = words.interval(row["conf_low"], row["conf_high"], unit)
        rows.append((words(f"measure.{row['id']}"), words.number(row["against"], unit), difference, bounds))
    heads = [Column(words("head.measure")), Column(words("severity.target"), True), Column(words("caption.targets"), True),
             Column(words("head.interval"))]  # fmt: skip
    return table(words("caption.targets"), heads, rows)


def rule_table(programme: Programme, language: str) -> Exhibit:
    """Return every value the programme sets, with its clause or as an assumption of the organisation."""
    words = speak(language)
    rows = [
        (_rule_name(rule, programme, words), _rule_value(rule, programme, words), words.source(rule["clause"]), words.title(rule["note"]))
        for rule in rules(programme)
    ]
    heads = [Column(words("head.what")), Column(words("head.value")), Column(words("head.source")), Column(words("head.reason"))]
    return table(words("caption.rules"), heads, rows, kind="wide")


def _rule_name(rule: Mapping[str, Any], programme: Programme, words: Words) -> str:
    title = words.title(rule["title"], rule["id"])
    if rule["rule"] in ("gate", "measure"):
        title = measure_title(programme, rule["id"], words)
    return words(f"rule.{rule['rule']}", title=title)


def _rule_value(rule: Mapping[str, Any], programme: Programme, words: Words) -> str:
    """Return a rule's value as a reader would say it."""
    kind, value = rule["rule"], rule["value"]
    if kind in ("scale", "satisfied"):
        return words.listing(level_title(programme, level, words) for level in value)
    if kind == "points":
        return _points(value, programme, words)
    if kind == "item":
        weight = words("rule.weight", weight=f"{value['weight']:g}") if value["weight"] is not None else ""
        points = _points(value["points"], programme, words) if value["points"] else ""
        return words("semicolon").join(filter(None, (weight, points))) or words("rule.asked")
    if kind == "validity":
        return words("rule.validity_value", n=value)
    if kind == "satisfied_form":
        return satisfied_reading(programme, words)
    if kind == "satisfaction_rate":
        return words(f"base.{value}")
    if kind == "gate":
        unit = unit_of(value.measure, programme)
        wanted = words(f"comparison.{value.comparison}", threshold=words.number(value.threshold, unit))
        return words("rule.target", rule=wanted) if value.severity == "target" else wanted
    if kind in ("index", "measure"):
        return formula(programme, rule["id"] or "index", words)
    if kind == "duty":
        return words(f"every.{value['every']}") if value["every"] else words("months_before", n=value["months_before"])
    if kind == "grade":
        return words("comparison.at_least", threshold=words.number(value, unit_of("index", programme)))
    return "" if value is None else str(value)


def _points(points: Mapping[str, float], programme: Programme, words: Words) -> str:
    parts = [f"{level_title(programme, level, words)} {number:g}".replace("-", "−") for level, number in points.items()]
    return words("comma").join(parts)


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
        rows.append((measure_title(programme, term, words), f"{coefficient:g}".replace("-", "−"), words.number(value, MEASURES[term].unit), shown))
    total = words.number(result.index["value"], programme.index.unit)
    rows.append((measure_title(programme, "index", words), "", "", total))
    heads = [Column(words(f"head.{name}"), name != "term") for name in ("term", "coefficient", "value", "product")]
    notes = [colon(words, words("head.source"), words.source(programme.index.clause))]
    return table(words("caption.index"), heads, rows, notes)


def worked_example_tables(programme: Programme, language: str) -> Exhibit:
    """Return the worked example: its forms, and its results by hand beside the computed ones."""
    words, survey = speak(language), worked_example(programme)
    result = assess(survey)
    lines = [[cell.strip() for cell in line.split("|")] for line in programme.worked_example.responses.strip().splitlines()]
    heads = [Column(item_title(programme, name, words) if name in programme.item_ids else words.get(f"head.{name}", name)) for name in lines[0]]
    heads = [head._replace(head=words("head.id")) if name == "form_id" else head for head, name in zip(heads, lines[0], strict=True)]
    forms = table(words("caption.example_forms"), heads, lines[1:], kind="compact")
    rows = []
    for name, expected in programme.worked_example.expect.items():
        title, unit = _expected_name(programme, name, words)
        shown = [_expected_value(programme, name, value, unit, words) for value in (expected, outcome(result, name))]
        rows.append((title, *shown))
    heads = [Column(words("head.measure")), Column(words("head.expected"), True), Column(words("head.computed"), True)]
    explanation = programme.worked_example.explanation
    results = table(words("caption.example_results"), heads, rows, [words.title(explanation)] if explanation else [], kind="compact")
    return Exhibit(forms.html + results.html)


def _expected_name(programme: Programme, name: str, words: Words) -> tuple[str, str]:
    if name.startswith("gates."):
        gate = name.removeprefix("gates.")
        return words("expect.gates", title=measure_title(programme, gate, words)), "verdict"
    if name in MEASURES or name == "index" or "." in name:
        return measure_title(programme, name, words), unit_of(name, programme)
    return words(f"expect.{name}"), name


def _expected_value(programme: Programme, name: str, value: float | str | None, unit: str, words: Words) -> str:
    if unit == "verdict":
        return words(f"verdict.{value or 'missing'}")
    if unit == "status":
        return words(f"stamp.{value}")
    if unit == "grade":
        return grade_title(programme, str(value), words) if value else words("not_computed")
    number = None if value is None else float(value)
    return words.number(number, unit) if unit in ("share", "points", "per_1000") else words.count(number)


# --- items and groups -------------------------------------------------------------------------------------------------


def item_table(result: Assessment, language: str) -> Exhibit:
    """Return every question with its answers, mean points, satisfied share and interval."""
    words, survey = speak(language), result.survey
    apart = result.distribution.pivot(index="item", columns="level", values="n") if len(result.distribution) else pd.DataFrame()
    rows, missing = [], []
    for item in result.items.to_dict("records"):
        title = item_title(survey.programme, item["id"], words)
        if item["id"] not in survey.answers:
            missing.append(title)
            continue
        others = (words.count(apart.loc[item["id"], level]) for level in (NOT_APPLICABLE, "empty"))
        rows.append((title, words.count(item["n"]), *others, words.number(item["mean"]), *_share_and_interval(item, words)))
    names = ("item", "n", "not_applicable", "empty", "mean", "share_satisfied", "interval")
    notes = [words("note.base_given")]
    if result.items["conf_low"].notna().any():
        notes.append(words("note.interval"))
    if survey.programme.satisfied:
        levels = (level_title(survey.programme, level, words) for level in survey.programme.satisfied.levels)
        notes.append(words("note.satisfied_levels", levels=words.listing(levels)))
    if missing:
        notes.append(words("note.not_asked", names=words.listing(missing)))
    return table(words("caption.items"), [Column(words(f"head.{name}"), name != "item") for name in names], rows, notes)


def _share_and_interval(row: Mapping[str, Any], words: Words) -> tuple[str, str]:
    return words.number(row["share_satisfied"], "share"), words.interval(row["conf_low"], row["conf_high"], "share")


def group_table(result: Assessment, language: str) -> Exhibit:
    """Return the satisfied share of every question in every stratum and group; small ones suppressed."""
    words, survey = speak(language), result.survey
    figures = [*result.strata.to_dict("records"), *result.groups.to_dict("records")]
    if not figures:
        return Exhibit("")
    asked = [item for item in survey.programme.item_ids if item in survey.answers]
    cells = {(row["by"], row["level"], row["id"]): _group_cell(row, survey.programme, words) for row in figures}
    rows = [
        (f"{words.title(survey.run.names.get(by), by)}{words('colon')}{level}", *(cells[by, level, item] for item in asked))
        for by, level in dict.fromkeys((row["by"], row["level"]) for row in figures)
    ]
    heads = [Column(words("head.group")), *(Column(item_title(survey.programme, item, words), True) for item in asked)]
    notes = [words("note.groups_descriptive")]
    if any(row["suppressed"] for row in figures):
        notes.append(words("note.suppressed", min_n=survey.programme.min_n))
    return table(words("caption.groups"), heads, rows, notes)


def _group_cell(row: Mapping[str, Any], programme: Programme, words: Words) -> Cell:
    if row["suppressed"]:
        return Cell(words("not_computed"), below=words("suppressed", min_n=programme.min_n))
    share, bounds = _share_and_interval(row, words)
    answered = words("figure.answered", n=words.count(row["n"]))
    return Cell(share, below=answered if bounds == words("not_computed") else f"{bounds} · {answered}")


# --- limits -------------------------------------------------------------------------------------------------------------


def limits(result: Assessment, language: str) -> Exhibit:
    """Return what the figures of this run do not say, as sentences built from the run."""
    words, evidence, programme = speak(language), result.evidence, result.survey.programme
    sentences = []
    if evidence.distributed and evidence.valid < evidence.distributed:
        silent = words.count(evidence.distributed - evidence.valid)
        sentences.append(words("note.nonresponse", n=silent, distributed=words.count(evidence.distributed)))
    if "cluster" in evidence.forms:
        sentences.append(words("note.clusters"))
    elif evidence.frame:
        sentences.append(words("note.fpc", n=words.count(evidence.frame)))
    else:
        sentences.append(words("note.no_frame"))
    if "stratum" in evidence.forms and "cluster" not in evidence.forms:
        sentences.append(words("note.strata"))
    if (evidence.forms["weight"] != 1).any():
        sentences.append(words("note.weights"))
    assumed = sum(rule["source"] == "assumption" for rule in rules(programme))
    if assumed:
        sentences.append(words("note.assumptions", n=assumed))
    return listing(sentences)


# --- for the analyst ----------------------------------------------------------------------------------------------------


def crosstab(result: Assessment, item: str, by: str, language: str) -> Exhibit:
    """Return how often each answer was given in each group, groups smaller than ``min_n`` suppressed."""
    words, survey = speak(language), result.survey
    forms, programme = result.evidence.forms, survey.programme
    counts = pd.crosstab(forms[by], survey.answers[item], values=forms["count"], aggfunc="sum").fillna(0)
    counts = counts.reindex(columns=programme.level_ids, fill_value=0)
    rows = []
    for level, row in counts.iterrows():
        n = int(row.sum())
        shares = [words.number(value / n if n >= programme.min_n else None, "share") for value in row]
        rows.append((str(level), words.count(n) if n >= programme.min_n else words("suppressed", min_n=programme.min_n), *shares))
    heads = [Column(words("head.group")), Column(words("head.n"), True)]
    heads += [Column(level_title(programme, level, words), True) for level in programme.level_ids]
    return table(words("caption.crosstab", item=item_title(programme, item, words), group=words.title(survey.run.names.get(by), by)), heads, rows)


def form_path_table(survey: Survey, form: str, language: str) -> Exhibit:
    """Return the way of one form to its score."""
    words, programme = speak(language), survey.programme
    rows = [
        (item_title(programme, step.item, words), level_title(programme, step.answer, words), words.number(step.points),
         f"{step.weight:g}", words.number(step.contribution))
        for step in scoring.form_path(survey.answers.loc[form], programme).itertuples()
    ]  # fmt: skip
    heads = [Column(words(f"head.{name}"), name not in ("item", "answer")) for name in ("item", "answer", "points", "weight", "contribution")]
    return table(words("caption.form_path"), heads, rows)
