"""Can every file be used? Reads all programmes, runs and data of a root without publishing anything."""

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from rich.cells import cell_len

from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess, outcome
from csat_analysis.ground import lint, params
from csat_analysis.ground.clauses import matrix
from csat_analysis.ground.errors import CsatError, ParameterError
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.runs import RunFile
from csat_analysis.ground.words import Words, explained_by, explanations, speak
from csat_analysis.publishing.phrases import rule_name
from csat_analysis.publishing.publish import chapter_path, read_chapter
from csat_analysis.publishing.record_keys import Record

SCHEMAS: dict[str, type[BaseModel]] = {"programme": Programme, "run": RunFile, "record": Record}


def check(root: Path) -> tuple[list[str], list[str]]:
    """Return the findings a user should know, and the sentences of what cannot be used."""
    rules = params.read_rules(root)
    findings, errors = [], [message for error in rules.broken.values() for message in error.messages]
    for documents in rules.editions.values():
        for document in documents:
            place = document.path.name
            findings += [f"{place}: {finding}" for finding in lint.lint(document.content)]
            errors += [f"{place}: {sentence}" for sentence in deviations(document.content)]
    for run in rules.runs:
        try:
            document = params.choose_programme(rules, run)
            for chapter in document.content.chapters:
                read_chapter(chapter_path(root, document.path.name, chapter))
            findings += [f"{run.place}: {found}" for found in lint.lint_targets(document.content, run.targets)]
            survey = load.read_survey(run, document, root)
        except CsatError as error:
            errors += list(error.messages)
            continue
        words = speak("en")
        findings += [f"{run.place}: {words(f'finding.{code}', **values)}" for code, values in survey.findings]
        for row in survey.rejected.itertuples():
            place = ": ".join(filter(None, [f"{row.file}:{row.row}", row.column]))
            value = f"{row.value!r} " if row.value else ""  # an id is not repeated
            findings.append(f"{place}: {value}{words(f'reason.{row.reason}')}.")
    return findings, errors


def deviations(programme: Programme, tolerance: float = 1e-9) -> list[str]:
    """Return where a programme's worked example does not come out as it says."""
    try:
        result = assess(load.worked_example(programme))
        outcomes = {name: outcome(result, name) for name in programme.worked_example.expect}
    except CsatError as error:
        return list(error.messages)
    return [
        f"worked_example.expect.{name}: says {expected!r}, and the survey gives {outcomes[name]!r}; "
        f"mend the one that is wrong."
        for name, expected in programme.worked_example.expect.items()
        if not _same(outcomes[name], expected, tolerance)
    ]


def _same(value: float | str | None, expected: float | str | None, tolerance: float) -> bool:
    if isinstance(value, int | float) and isinstance(expected, int | float):
        return abs(value - expected) <= tolerance
    return value == expected


# --- which clause is carried by what ----------------------------------------------------------------------------------


def clause_lines(rules: params.Rules, language: str) -> list[str]:
    """Return the clauses of every programme, and what carries each of them, as lines of a text in columns."""
    words = speak(language)
    texts = [_clauses_of(each.content, words) for editions in rules.editions.values() for each in editions]
    return [line for number, lines in enumerate(texts) for line in ([""] if number else []) + lines]


def _clauses_of(programme: Programme, words: Words) -> list[str]:
    heading = words.colon(f"{programme.id}@{programme.version}", words.title(programme.title))
    carried = matrix(programme)
    if not carried:
        return [heading, words("sentence.no_clauses")]
    rows = [tuple(words(name) for name in ("head.clause", "head.asks", "matrix.carried"))]
    for clause, carriers in carried:
        names = [_carrier(rule, programme, words) for rule in carriers] or [words("matrix.nothing")]
        rows += [(clause.id, words.title(clause.title), names[0]), *(("", "", name) for name in names[1:])]
    idle = sum(not carriers for _, carriers in carried)
    return [heading, *_in_columns(rows), words("matrix.count", n=len(carried), idle=idle)]


def _carrier(rule: Mapping[str, Any], programme: Programme, words: Words) -> str:
    """Return the kind and the title of a rule, a step or a register, with its id in the file."""
    name = rule_name(rule["rule"], rule["id"], programme, words)
    return words.aside(name, rule["id"]) if rule["id"] else name


def _in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines whose cells stand below each other; a Chinese character is two wide.

    >>> _in_columns([("4.1", "范围", "a"), ("10", "of", "b")])
    ['4.1  范围  a', '10   of    b']
    """
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    padded = ([cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return ["  ".join(cells).rstrip() for cells in padded]


# --- what each key means ----------------------------------------------------------------------------------------------


def schema(kind: str, language: str = "en") -> str:
    """Return the JSON Schema of a programme, a run file or a record, every key explained in a language."""
    if kind not in SCHEMAS:
        raise ParameterError(f"schema: {kind!r} has none; use one of {sorted(SCHEMAS)}.")
    # a record is written by us, and all its keys are there; the others are written by people, who may leave keys out
    mode: Literal["serialization", "validation"] = "serialization" if kind == "record" else "validation"
    explained = SCHEMAS[kind].model_json_schema(mode=mode, schema_generator=_explaining(language))
    return json.dumps(explained, ensure_ascii=False, indent=1) + "\n"


@functools.cache
def _explaining(language: str) -> type[GenerateJsonSchema]:
    """Return what makes the schemas of a language; a key without an explanation keeps what pydantic says of it."""
    told = explanations(language)

    class Explaining(GenerateJsonSchema):
        def model_schema(self, schema: Any) -> dict[str, Any]:
            found, model = super().model_schema(schema), schema["cls"]
            for key, part in [("_", found), *found["properties"].items()]:
                part |= told.get(explained_by(model, key, told) or "", {})
            return found

    return Explaining
