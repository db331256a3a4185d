"""Where did every form, row and answer go? The tables of the fieldwork, from the customer file to what was rejected."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.assembly.load import Survey
from csat_analysis.domain import fieldwork, scoring
from csat_analysis.domain.evidence import Measure, ratio
from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.programmes import Programme, SatisfiedForm
from csat_analysis.ground.runs import Read
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Cell, Column, Exhibit, listing, prose, table
from csat_analysis.publishing.phrases import invalid_title, satisfied_reading

SHOWN_REJECTIONS = 50
SHOWN_DIGITS = 16  # of a checksum
INDENT = "\u2003"  # before what changed from one stage to the next


# --- forms ------------------------------------------------------------------------------------------------------------


def stage_table(result: Assessment, language: str) -> Exhibit:
    """Return the way from the customer file to the satisfied forms: each stage, what fell away before it, and why."""
    words, settled = speak(language), _settled(result)
    lines = fieldwork.reconcile(result.evidence, None if settled is None else fieldwork.tally(settled))
    rows = [_line(line, result.survey.programme, words) for line in lines]
    notes = [words("note.contacted_unknown" if settled is None else "note.contacted")]
    moved = 0 if settled is None else int((settled != _listed(result)).sum())
    if moved:
        notes.append(words("note.moved", n=words.count(moved)))
    heads = [Column(words(f"head.{name}"), name != "stage") for name in ("stage", "change", "forms")]
    return table(words("caption.ledger"), heads, rows, notes)


def _listed(result: Assessment) -> pd.Series:
    """Return the dispositions as the register has them, empty ones under their name."""
    return result.survey.tables["distribution"]["disposition"].replace("", fieldwork.UNKNOWN)


def _settled(result: Assessment) -> pd.Series | None:
    """Return what became of each form sent; None where nobody noted it."""
    distribution = result.survey.tables.get("distribution")
    if distribution is None or "disposition" not in distribution:
        return None
    return fieldwork.settle(distribution, result.survey.forms)


def _line(line: fieldwork.Line, programme: Programme, words: Words) -> tuple[str, str, str]:
    """Return a stage with its number, or a change, set in, with its own in another column."""
    if line.kind == "stage":
        return words(f"stage.{line.name}"), "", words.count(line.number)
    if line.kind == "invalid":
        name = words.colon(words("fallen.invalid"), invalid_title(line.name, programme, words))
    else:
        name = words(f"{line.kind}.{line.name}")
    return f"{INDENT}{name}", _change(line.number, words), ""


def _change(number: int | None, words: Words) -> str:
    return f"{'+' if number and number > 0 else ''}{words.count(number)}"


def invalid_table(result: Assessment, language: str) -> Exhibit:
    """Return why forms are invalid, and which share of the forms sent each reason takes."""
    words, evidence = speak(language), result.evidence
    reasons = fieldwork.invalid_forms(evidence)
    if not reasons:
        return prose(words("sentence.invalid_none"))
    counts = {invalid_title(reason, evidence.programme, words): number for reason, number in reasons.items()}
    total = {words("outcome.total"): sum(counts.values())} if len(counts) > 1 else {}
    rows = [
        (name, words.count(number), words.number(ratio(number, evidence.distributed).value, "share"))
        for name, number in {**counts, **total}.items()
    ]
    heads = [Column(words(f"head.{name}"), name != "reason") for name in ("reason", "forms", "share_distributed")]
    return table(words("caption.invalid"), heads, rows, [words("note.same_answers")])


def fieldwork_table(result: Assessment, language: str) -> Exhibit:
    """Return the rates of the fieldwork with their definitions, in the order in which forms fall away."""
    words = speak(language)
    found = {name: rate(result.evidence) for name, rate in fieldwork.RATES.items()}
    rows = [(*_rate_name(name, words), *_parts(rate, words)) for name, rate in found.items()]
    notes = [words("note.two_bases")]
    if any(rate.value is None for rate in found.values()):
        notes.append(words("note.no_data"))
    return table(words("caption.fieldwork_rates"), _rate_heads("measure", words), rows, notes)


def _rate_name(name: str, words: Words) -> tuple[str, str]:
    """Return what a rate is called and what it counts."""
    if name in MEASURES:
        return words(f"measure.{name}"), words(f"formula.{name}")
    return words(f"{name}.title"), words(f"{name}.formula")


def _parts(rate: Measure, words: Words) -> tuple[str, str, str]:
    return words.count(rate.numerator), words.count(rate.denominator), words.number(rate.value, "share")


def _rate_heads(name: str, words: Words) -> list[Column]:
    texts = [Column(words(f"head.{head}")) for head in (name, "formula")]
    return [*texts, *(Column(words(f"head.{head}"), True) for head in ("numerator", "denominator", "value"))]


def guarantee(result: Assessment, language: str) -> Exhibit:
    """Return the least share of the customers whose forms a survey that meets every rule holds, and this one's."""
    words, evidence = speak(language), result.evidence
    found = fieldwork.guaranteed_share(evidence.programme)
    if not found.parts:
        return prose(words("sentence.guarantee_no_return"))
    named = {"what": words(f"guarantee.{found.of}"), "base": words(f"guarantee.{found.base}")}
    own = ratio(getattr(evidence, found.of), getattr(evidence, found.base))
    share = words.number(found.share, "share")
    sentences = [words("sentence.guarantee", **named, share=share, formula=_product(found, words))]
    if own.value is None:
        sentences.append(words("sentence.guarantee_unknown", base=named["base"]))
    else:
        n, of, value = _parts(own, words)
        sentences.append(words("sentence.guarantee_own", **named, own=value, n=n, of=of))
    sentences.append(words("sentence.guarantee_rest", **named, rest=words.number(1 - found.share, "share")))
    sentences += [words("sentence.guarantee_no_valid")] if found.of == "returned" else []
    sentences += [words("sentence.guarantee_no_sent")] if found.base == "distributed" else []
    return prose(words("gap").join(sentences))


def _product(found: fieldwork.Guarantee, words: Words) -> str:
    """Return how a guaranteed share comes from the thresholds."""
    named = {
        name: f"{words(f'measure.{name}')} {words.threshold(share, 'share')}" for name, share in found.parts.items()
    }
    sent = named.pop("distribution_rate", "")
    rest = (" − " if "invalid_rate" in named else " × ").join(named.values())
    if sent and "invalid_rate" in named:
        return words("guarantee.product", first=sent, rest=rest)
    return " × ".join(filter(None, (sent, rest)))


# --- outcomes ---------------------------------------------------------------------------------------------------------


def outcome_table(result: Assessment, language: str) -> Exhibit:
    """Return every form sent in its class of the outcome rates; they add up to the forms sent and what came besides."""
    words, classes = speak(language), _classes(result)
    if classes is None:
        return prose(words("sentence.outcomes_unknown"))
    counts = {name: sum(sources.values()) for name, sources in classes.items()}
    known = sum(counts.values()) - counts["unknown"] - counts["ineligible"]
    rows = [(words(f"outcome.{name}"), _sources(classes[name], words), words.count(counts[name])) for name in classes]
    rows.insert(list(classes).index("unknown"), (words("outcome.known"), "", words.count(known)))
    rows.append((words("outcome.total"), "", words.count(sum(counts.values()))))
    heads = [Column(words(f"head.{name}"), name == "forms") for name in ("outcome", "consists", "forms")]
    unsent = (result.evidence.frame or 0) - (result.evidence.distributed or 0)
    notes = [words("note.outcomes_unsent", n=words.count(unsent))] if unsent > 0 else []
    return table(words("caption.outcomes"), heads, rows, notes)


def _classes(result: Assessment) -> dict[str, dict[str, int]] | None:
    settled = _settled(result)
    if settled is None:
        return None
    return fieldwork.classify(result.evidence, result.survey.answers, fieldwork.tally(settled))


def _sources(sources: Mapping[str, int], words: Words) -> str:
    """Return what a class is made of, with the numbers where it is made of several things."""
    there = [name for name in sources if sources[name]] or list(sources)
    several = sum(map(bool, sources.values())) > 1
    named = [
        f"{words(f'consists.{name}')} {words.count(sources[name])}" if several else words(f"consists.{name}")
        for name in there
    ]
    return words("semicolon").join(named)


def response_table(result: Assessment, language: str) -> Exhibit:
    """Return AAPOR's six response rates; nothing where nobody noted what became of the forms."""
    words, classes = speak(language), _classes(result)
    if classes is None:
        return Exhibit("")
    counts = {name: sum(sources.values()) for name, sources in classes.items()}
    ineligible = counts.pop("ineligible")
    known = sum(counts.values()) - counts["unknown"]
    eligibility = fieldwork.eligible_share(known, ineligible)
    rates = fieldwork.response_rates(**counts, eligibility=eligibility)
    rows = [(name, words(f"outcome_rate.{name}"), *_parts(rate, words)) for name, rate in rates.items()]
    estimated = words.number(eligibility, "share")
    share = {"share": estimated, "known": words.count(known), "all": words.count(known + ineligible)}
    notes = [words("note.outcome_rates"), words("note.eligible_share", **share)]
    own = fieldwork.response_rate(result.evidence).value
    if own is not None and rates["RR2"].value is not None and math.isclose(own, rates["RR2"].value):
        notes.append(words("note.response_is_rr2"))
    return table(words("caption.outcome_rates"), _rate_heads("outcome_rate", words), rows, notes)


# --- definitions of the satisfaction rate -----------------------------------------------------------------------------


def satisfaction_table(result: Assessment, language: str) -> Exhibit:
    """Return the satisfaction rate under every denominator and every reading of "a satisfied form"."""
    words, programme = speak(language), result.survey.programme
    readings = fieldwork.readings(programme, len(result.survey.answers.columns))
    if not readings:
        return prose(words("sentence.satisfied_form_none"))
    found = [(form, _under(result, form)) for form in readings]
    rows = [
        (
            _reading(programme, form, words),
            *(_definition(form, base, rate, programme, words) for base, rate in rates.items()),
        )
        for form, rates in found
    ]
    heads = [
        Column(words("rule.satisfied_form")),
        *(Column(_over(name, words), True) for name in fieldwork.DENOMINATORS),
    ]
    notes = [_spread([rate.value for _, rates in found for rate in rates.values()], words)]
    notes.append(words("note.answered_forms"))
    if any(form.share == fieldwork.USUAL_SHARE and form != programme.satisfied_form for form in readings):
        notes.append(words("note.usual_share", share=words.threshold(fieldwork.USUAL_SHARE, "share")))
    if result.evidence.is_weighted:
        notes.append(words("note.weights"))
    return table(words("caption.satisfaction"), heads, rows, list(filter(None, notes)))


def _under(result: Assessment, form: SatisfiedForm) -> dict[str, Measure]:
    """Return the satisfaction rate under one reading, by denominator."""
    read = result.survey.programme.model_copy(update={"satisfied_form": form})
    forms = scoring.read_again(result.evidence.forms, result.survey.answers, read)
    over = replace(result.evidence, forms=forms, programme=read)
    return {name: scoring.satisfied_share(over, name) for name in fieldwork.DENOMINATORS}


def _reading(programme: Programme, form: SatisfiedForm, words: Words) -> str:
    return satisfied_reading(programme.model_copy(update={"satisfied_form": form}), words)


def _over(name: str, words: Words) -> str:
    base = "head.answered_forms" if name == "answered" else f"base.{name}"
    return words("head.over", base=words(base))


def _definition(form: SatisfiedForm, name: str, rate: Measure, programme: Programme, words: Words) -> Cell:
    """Return a rate with its parts, marked where it is the one the programme uses."""
    own = form == programme.satisfied_form and name == programme.satisfaction_rate.denominator
    parts = (f"{words.count(rate.numerator)} ÷ {words.count(rate.denominator)}",) if rate.denominator else ()
    below = (*parts, words("head.used_here")) if own else parts
    return Cell(words.number(rate.value, "share"), "own" if own else "", below)


def _spread(values: list[float | None], words: Words) -> str:
    """Return how far the definitions lie apart; nothing where they agree."""
    there = [value for value in values if value is not None]
    low, high = (words.number(bound(there, default=None), "share") for bound in (min, max))
    return words("note.spread", low=low, high=high) if low != high else ""


# --- rows and answers -------------------------------------------------------------------------------------------------


def account_table(survey: Survey, language: str) -> Exhibit:
    """Return where every row and every answer of every table went."""
    words = speak(language)
    names = ["rows_read", "rows_used", "rows_rejected", "answers_read", "answers_used", "answers_not_applicable",
             "answers_empty", "answers_rejected"]  # fmt: skip
    rows = [
        (words(f"table.{account['table']}"), *(_accounted(account, name, words) for name in names))
        for account in survey.accounts.to_dict("records")
    ]
    shared = [words(f"table.{name}") for name in survey.accounts["table"] if survey.run.read.get(name, Read()).where]
    notes = [words("note.shared", tables=words.listing(shared))] if shared else []
    if (survey.accounts["rows_rejected"].gt(0) & survey.accounts["answers_rejected"].gt(0)).any():
        notes.append(words("note.answers_of_rows"))
    if (survey.forms["count"] != 1).any():
        forms = words.count(int(survey.forms["count"].sum()))
        notes.append(words("note.standing_for", rows=words.count(len(survey.forms)), forms=forms))
    heads = [Column(words("head.table")), *(Column(words(f"head.{name}"), True) for name in names)]
    return table(words("caption.accounts"), heads, rows, notes)


def _accounted(account: Mapping[str, Any], name: str, words: Words) -> str:
    """Return a number of an account; a table that holds no answers has none to count."""
    is_silent = name.startswith("answers_") and not account["answers_read"]
    return words("not_computed") if is_silent else words.count(account[name])


def rejected_table(survey: Survey, language: str) -> Exhibit:
    """Return what could not be used, each with file, line, column, value and reason."""
    words, total = speak(language), len(survey.rejected)
    if not total:
        return prose(words("sentence.rejected_none"))
    rows = [
        (
            each["file"],
            str(each["row"]),
            each["column"],
            _rejected_value(each, words),
            words(f"reason.{each['reason']}"),
        )
        for each in survey.rejected.head(SHOWN_REJECTIONS).to_dict("records")
    ]
    heads = [Column(words(f"head.{name}"), name == "row") for name in ("file", "row", "column", "cell", "reason")]
    notes = (
        [words("note.more_rejected", shown=SHOWN_REJECTIONS, n=words.count(total))] if total > SHOWN_REJECTIONS else []
    )
    return table(words("caption.rejected", n=words.count(total)), heads, rows, notes)


def _rejected_value(rejection: Mapping[str, Any], words: Words) -> str:
    """Return the value; ids of people are not repeated."""
    kept_back = not rejection["value"] and rejection["reason"] in ("unknown_level", "unknown_disposition", "not_a_date")
    hidden = kept_back or (rejection["column"].endswith("_id") and rejection["reason"] != "empty_id")
    return words("not_shown") if hidden else rejection["value"]


def findings(survey: Survey, language: str) -> Exhibit:
    """Return what a reader of the figures should know of the data."""
    words = speak(language)
    said = ((code, {name: _said(value, words) for name, value in values.items()}) for code, values in survey.findings)
    return listing([words(f"finding.{code}", **values) for code, values in said])


def _said(value: int | str, words: Words) -> str:
    """Return what goes into a finding: a number as a count, a name as it is."""
    return value if isinstance(value, str) else words.count(value)


def input_table(survey: Survey, language: str) -> Exhibit:
    """Return the files the figures come from, with checksums."""
    words = speak(language)
    rows = [
        (words(f"table.{each['table']}"), each["file"], words.count(each["rows"]), each["sha256"][:SHOWN_DIGITS])
        for each in survey.inputs.to_dict("records")
    ]
    heads = [Column(words(f"head.{name}"), name == "rows") for name in ("table", "file", "rows", "sha256")]
    return table(words("caption.inputs"), heads, rows, [words("note.sha256", n=SHOWN_DIGITS)])
