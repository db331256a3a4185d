"""Can every file be used? Reads all programmes, runs and data of a root without publishing anything."""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import assess, outcome
from csat_analysis.ground import lint, params
from csat_analysis.ground.errors import CsatError, ParameterError
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.runs import RunFile
from csat_analysis.ground.words import speak
from csat_analysis.publishing import records
from csat_analysis.publishing.publish import chapter_path, read_chapter

SCHEMAS: dict[str, type[BaseModel]] = {"programme": Programme, "run": RunFile, "record": records.Record}


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
                read_chapter(chapter_path(root, document, chapter))
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


def schema(kind: str) -> str:
    """Return the JSON Schema of a programme, a run file or a record."""
    if kind not in SCHEMAS:
        raise ParameterError(f"schema: {kind!r} has none; use one of {sorted(SCHEMAS)}.")
    # a record is written by us, and all its keys are there; the others are written by people, who may leave keys out
    mode: Literal["serialization", "validation"] = "serialization" if kind == "record" else "validation"
    return json.dumps(SCHEMAS[kind].model_json_schema(mode=mode), ensure_ascii=False, indent=1) + "\n"
