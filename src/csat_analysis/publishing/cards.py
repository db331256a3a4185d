"""Where does a table or figure come from? A card below each: method, rules, data with checksums, function."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.assembly.load import Survey
from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.exhibits import is_spare, measure_source
from csat_analysis.publishing.markup import Exhibit, render
from csat_analysis.publishing.phrases import formula

PACKAGE = "csat_analysis.publishing"
CALL = re.compile(r"^(\w+)\.(\w+)\(")  # what a cell of a chapter shows
SHORT = 12  # digits of a checksum on a card; all of them are in the record
ALL = ("frame", "distribution", "responses", "complaints", "deliveries", "actions", "steps", "contacts", "tallies")
MEASURED = "exhibits_rate_table"
READ: Mapping[str, Sequence[str]] = {  # which tables an exhibit is made of, where not of the responses alone
    "ledger_stage_table": ("frame", "distribution", "responses"),
    "ledger_fieldwork_table": ("frame", "distribution", "responses"),
    "ledger_outcome_table": ("distribution", "responses"),
    "ledger_response_table": ("distribution", "responses"),
    "ledger_account_table": ALL,
    "ledger_rejected_table": ALL,
    "ledger_input_table": ALL,
    "weights_respondent_table": ("frame", "responses"),
    "weights_weighted_table": ("frame", "responses"),
    "verdicts_gate_table": ALL,
    "verdicts_comparison_table": ALL,
    "verdicts_target_table": ALL,
    "verdicts_nonresponse_table": ("distribution", "responses"),
    "figures_gate_ladder": ALL,
    MEASURED: ("frame", "distribution", "responses", "complaints", "deliveries", "tallies"),
    "exhibits_index_table": ("responses", "complaints", "deliveries"),
    "rulebook_worked_example_tables": (),
    "rulebook_rule_table": (),
    "rulebook_remark_table": (),
    "change_ways_action_table": ("actions", "responses"),
    "duties_clause_table": ALL,
    "duties_step_table": ("steps",),
    "duties_register_table": ("steps",),
}


class Source(NamedTuple):
    """A file that was read: how many rows were used and rejected, and its checksum."""

    table: str
    file: str
    sha256: str
    rows: int
    used: int | None
    rejected: int | None


class Origin(NamedTuple):
    """What the exhibits of a run rest on: files, and the procedure."""

    sources: tuple[Source, ...]
    title: Mapping[str, str]
    version: int
    sha256: str


def origin(result: Assessment) -> Origin:
    """Return what the exhibits of a run rest on."""
    survey, programme = result.survey, result.survey.programme
    return Origin(tuple(_sources(survey)), programme.title, programme.version, survey.programme_sha256)


def _sources(survey: Survey) -> list[Source]:
    """Return the files of a survey in the order in which they were read."""
    accounts = survey.accounts.set_index("table")
    return [
        Source(
            row.table, row.file, row.sha256, int(row.rows),
            *(int(accounts.at[row.table, name]) if row.table in accounts.index else None
              for name in ("rows_used", "rows_rejected")),
        )
        for row in survey.inputs.itertuples()
    ]  # fmt: skip


def card_of(call: str, origin: Origin, language: str) -> str:
    """Return the card of what a cell shows, as HTML; nothing where the catalogue of words has none of it.

    Parameters
    ----------
    call
        The cell's source, such as ``exhibits.item_table(result, language)``.
    """
    words, found = speak(language), CALL.match(call)
    name = "_".join(found.groups()) if found else ""
    how = words.get(f"card.{name}", "")
    if not found or not how:
        return ""
    room, function = found.groups()
    lines = {
        "how": [how],
        "data": _data(name, origin, words),
        "rules": [_rules(origin, words)],
        "function": [f"{PACKAGE}.{room}.{function}"],
    }
    title = words(f"card.title{'_figure' if room.endswith('figures') else ''}")
    return render("card", title=title, lines=[(words(f"card.{key}"), texts) for key, texts in lines.items()]).html


def measure_cards(result: Assessment, language: str) -> Exhibit:
    """Return a card for each measure: definition, computation in numbers, interval in symbols, data, rule, function."""
    words, programme, whence = speak(language), result.survey.programme, origin(result)
    made = [
        render("card", title=_measure_title(measure, words), lines=_measure_lines(measure, programme, whence, words))
        for measure in result.measures.to_dict("records")
        if not is_spare(measure["id"], programme) and measure["value"] is not None
    ]
    return render("cards", title=words("card.measures"), cards=[Markup(each.html) for each in made])  # noqa: S704


def _measure_title(measure: Mapping[str, Any], words: Words) -> str:
    value = words.number(measure["value"], MEASURES[measure["id"]].unit)
    return words("card.measure_of", title=words(f"measure.{measure['id']}"), value=value)


def _measure_lines(
    measure: Mapping[str, Any], programme: Programme, whence: Origin, words: Words
) -> list[tuple[str, list[str]]]:
    """Return what is on the card of a measure, line by line."""
    name, entry = measure["id"], MEASURES[measure["id"]]
    lines = {
        "definition": [formula(programme, name, words)],
        "computed": _computed(measure, entry.unit, words),
        "interval": _interval(measure, entry.unit, words),
        "data": _data(MEASURED, whence, words),
        "rules": [measure_source(name, programme, words), _rules(whence, words)],
        "function": [f"csat_analysis.domain.{entry.function}"],
    }
    return [(words(f"card.{key}"), texts) for key, texts in lines.items() if texts]


def _computed(measure: Mapping[str, Any], unit: str, words: Words) -> list[str]:
    """Return numerator, denominator and value; nothing where a measure is no quotient."""
    if not measure["denominator"]:
        return []
    parts = {name: words.count(measure[name]) for name in ("numerator", "denominator")}
    return [words("card.sum", **parts, value=words.exact(measure["value"], unit))]


def _interval(measure: Mapping[str, Any], unit: str, words: Words) -> list[str]:
    """Return the interval and how it is computed in symbols; of what has none, why."""
    bounds = words.interval(measure["conf_low"], measure["conf_high"], unit)
    if bounds == words("not_computed"):
        return [words(f"method.{measure['method']}")]
    return [bounds, words.get(f"symbols.{measure['method']}", words(f"method.{measure['method']}"))]


def _data(name: str, origin: Origin, words: Words) -> list[str]:
    """Return each file that an exhibit is made of, with its rows and checksum."""
    wanted = READ.get(name, ("responses",))
    if not wanted:
        return [words("card.no_table")]
    told = [_file(source, words) for source in origin.sources if source.table in wanted]
    return told or [words("card.no_data")]


def _file(source: Source, words: Words) -> str:
    values: dict[str, Any] = {"file": source.file, "sha": source.sha256[:SHORT]}
    if source.used is None or source.rejected is None:
        return words("card.read", rows=words.count(source.rows), **values)
    return words("card.used", used=words.count(source.used), rejected=words.count(source.rejected), **values)


def _rules(origin: Origin, words: Words) -> str:
    return words("card.procedure", title=words.title(origin.title), version=origin.version, sha=origin.sha256[:SHORT])
