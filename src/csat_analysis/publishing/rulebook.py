"""What does the procedure say? Its values with their sources, its gaps, and its worked example, as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from csat_analysis.assembly.assessment import Assessment, assess, outcome
from csat_analysis.assembly.gates import unit_of
from csat_analysis.assembly.load import Survey, worked_example
from csat_analysis.ground import lending
from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.clauses import rules
from csat_analysis.ground.programmes import Latent, Programme, Step
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Cell, Column, Exhibit, pair, table
from csat_analysis.publishing.phrases import (
    base_title,
    formula,
    grade_title,
    item_title,
    level_title,
    measure_title,
    points_listing,
    rule_name,
    satisfied_reading,
)

# --- rules ------------------------------------------------------------------------------------------------------------


def rule_table(programme: Programme, language: str) -> Exhibit:
    """Return every value the programme sets, with its clause or as an assumption of the organisation."""
    words = speak(language)
    rows = [
        (_name(rule, programme, words), _rule_value(rule, programme, words), words.source(rule["clause"]),
         _reason(rule, words))
        for rule in rules(programme)
    ]  # fmt: skip
    heads = [Column(words(f"head.{name}")) for name in ("what", "setting", "source", "explanation")]
    return table(words("caption.rules"), heads, rows, kind="rules")


def _reason(rule: Mapping[str, Any], words: Words) -> str:
    return words("note.min_n") if rule["rule"] == "min_n" else words.title(rule["note"])


def _name(rule: Mapping[str, Any], programme: Programme, words: Words) -> str:
    if rule["rule"] == "interpretation":
        return words("rule.interpretation", clause=rule["id"])
    return rule_name(rule["rule"], rule["id"], programme, words)


def _rule_value(rule: Mapping[str, Any], programme: Programme, words: Words) -> str:
    """Return a rule's value as a reader would say it."""
    kind, value = rule["rule"], rule["value"]
    if kind in ("scale", "satisfied"):
        return words.listing(level_title(programme, level, words) for level in value)
    if kind == "points":
        return points_listing(value, programme, words)
    if kind == "item":
        return _item_value(value, programme, words)
    if kind == "validity":
        least = words("rule.validity_value", n=value.min_answered)
        if value.min_share is None:
            return least
        share = words("rule.validity_share", share=words.threshold(value.min_share, "share"))
        return words("semicolon").join([least, share])
    if kind == "satisfied_form":
        return satisfied_reading(programme, words)
    if kind == "satisfaction_rate":
        return base_title(programme, words)
    if kind == "gate":
        threshold = words.threshold(value.threshold, unit_of(value.measure, programme))
        wanted = words(f"comparison.{value.comparison}", threshold=threshold)
        return words("rule.target", rule=wanted) if value.severity == "target" else wanted
    if kind == "trigger":
        gates = [gate.measure for gate in programme.gates if gate.otherwise == rule["id"]]
        if not gates:
            return words("rule.trigger_unused")
        return words("rule.trigger_value", names=words.listing(measure_title(programme, name, words) for name in gates))
    if kind == "latent":
        return _latent_value(value, words)
    if kind in ("index", "measure"):
        return formula(programme, rule["id"] or "index", words)
    if kind == "step":
        return _step_value(value, programme, words)
    if kind == "register":
        return words("rule.register_value")
    if kind == "contradiction":
        return _contradiction_value(value, programme, words)
    if kind == "interpretation":
        return words.title(rule["title"])
    if kind == "full_points":
        return f"{value:g}"
    if kind == "grade":
        return words("comparison.at_least", threshold=words.threshold(value, unit_of("index", programme)))
    return str(value)


def _latent_value(model: Latent, words: Words) -> str:
    """Return the constructs of a path model with what leads to each, its target, and its frozen weights."""
    titles = {each.id: words.title(each.title, each.id) for each in model.constructs}
    said = [
        words(
            "rule.latent_follows",
            construct=titles[each.id],
            sources=words.listing(titles[source] for source in each.follows),
        )
        if each.follows
        else titles[each.id]
        for each in model.constructs
    ]
    parts = words("rule.latent_value", constructs=words.listing(said), target=titles[model.target], least=model.least)
    if model.frozen is None:
        return parts
    weights = words.listing(f"{item} {weight:g}" for item, weight in model.frozen.weights.items())
    return words("semicolon").join([parts, words("rule.latent_frozen", period=model.frozen.period, weights=weights)])


def _step_value(step: Step, programme: Programme, words: Words) -> str:
    """Return when a step is due, by whom it is done, and what it leaves behind."""
    titles: dict[str, Mapping[str, str]] = {each.id: each.title for each in programme.duties}
    before = words.title(titles.get(step.before or ""), words("fieldwork"))
    parts = [
        words(f"every.{step.every}") if step.every else "",
        words("months_before" if step.months else "before", n=step.months, name=before) if step.before else "",
        words("when_needed") if step.when_needed else "",
        words.title(step.responsible),
        words.title(titles.get(step.record or "")),
    ]
    return words("semicolon").join(filter(None, parts)) or words("rule.step_value")


def _contradiction_value(answers: Mapping[str, Sequence[str]], programme: Programme, words: Words) -> str:
    """Return the answers that no form can hold together."""
    parts = [
        words.colon(
            item_title(programme, item, words), words.either(level_title(programme, each, words) for each in levels)
        )
        for item, levels in answers.items()
    ]
    return words("semicolon").join(parts)


def _item_value(value: Mapping[str, Any], programme: Programme, words: Words) -> str:
    parts = [words("rule.weight", weight=f"{value['weight']:g}")] if value["weight"] else []
    parts += [points_listing(value["points"], programme, words)] if value["points"] else []
    if parts:
        return words("semicolon").join(parts)
    return words("rule.unweighted" if any(item.weight for item in programme.items) else "rule.asked")


def remark_table(programme: Programme, language: str) -> Exhibit:
    """Return what the document leaves open, contradicts or only names; nothing where there is no remark."""
    words = speak(language)
    rows = [(each.clause, words(f"remark.{each.kind}"), words.title(each.text)) for each in programme.remarks]
    heads = [Column(words(f"head.{name}")) for name in ("clause", "kind", "remark")]
    return table(words("caption.remarks"), heads, rows, kind="remarks")


# --- the worked example -----------------------------------------------------------------------------------------------


def worked_example_tables(programme: Programme, language: str) -> Exhibit:
    """Return the worked example: its forms, and its results by hand beside the computed ones."""
    words = speak(language)
    result = lending.found("worked example", id(programme)) or assess(worked_example(programme))
    return pair(_example_forms(result.survey, words), _example_results(result, words))


def _example_forms(survey: Survey, words: Words) -> Exhibit:
    """Return the forms with their answers in words; what was rejected as it was written."""
    programme = survey.programme
    names, *lines = [
        [cell.strip() for cell in line.split("|")] for line in programme.worked_example.responses.strip().splitlines()
    ]
    accepted = dict(zip(survey.forms["row"], survey.answers.to_dict("records"), strict=True))
    rows = [
        [_example_cell(name, raw, accepted.get(row), programme, words) for name, raw in zip(names, line, strict=True)]
        for row, line in enumerate(lines, start=2)
    ]
    heads = [Column(_example_head(name, programme, words)) for name in names]
    return table(words("caption.example_forms"), heads, rows, kind="compact")


def _example_head(name: str, programme: Programme, words: Words) -> str:
    if name in programme.item_ids:
        return item_title(programme, name, words)
    return words("head.id") if name == "form_id" else words.get(f"head.{name}", name)


def _example_cell(name: str, raw: str, answers: Mapping[str, str] | None, programme: Programme, words: Words) -> str:
    rejected = answers is None or (name in answers and not answers[name])
    if raw and rejected:
        return Cell(raw, below=(words("rejected"),))
    return level_title(programme, answers[name], words) if raw and answers and name in answers else raw


def _example_results(result: Assessment, words: Words) -> Exhibit:
    programme, rows = result.survey.programme, []
    for name, expected in programme.worked_example.expect.items():
        title, unit = _expected_name(programme, name, words)
        shown = [_expected_value(programme, value, unit, words) for value in (expected, outcome(result, name))]
        rows.append((title, *shown))
    heads = [Column(words("head.measure")), Column(words("head.expected"), True), Column(words("head.computed"), True)]
    notes = filter(None, [words.title(programme.worked_example.explanation)])
    return table(words("caption.example_results"), heads, rows, list(notes), kind="compact")


def _expected_name(programme: Programme, name: str, words: Words) -> tuple[str, str]:
    if name.startswith("gates."):
        return words("expect.gates", title=measure_title(programme, name.removeprefix("gates."), words)), "verdict"
    if name in MEASURES or name == "index" or "." in name:
        return measure_title(programme, name, words), unit_of(name, programme)
    return words(f"expect.{name}"), name


def _expected_value(programme: Programme, value: float | str | None, unit: str, words: Words) -> str:
    if unit == "verdict":
        return words(f"verdict.{value or 'missing'}")
    if unit == "status":
        return words(f"stamp.{value}")
    if unit == "grade":
        return grade_title(programme, str(value), words) if value else words("not_computed")
    number = None if value is None else float(value)
    return words.number(number, unit) if unit in ("share", "points", "per_1000") else words.count(number)
