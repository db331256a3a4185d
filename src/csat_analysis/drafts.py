"""How does one begin? The start of a procedure, or of a project with its first period, as files to be filled in."""

import contextlib
import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import jinja2
import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from csat_analysis.domain.steps import windows
from csat_analysis.ground import params, runs
from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.errors import ParameterError
from csat_analysis.ground.params import Document, Rules
from csat_analysis.ground.programmes import Programme, Step
from csat_analysis.ground.runs import Run, RunFile
from csat_analysis.ground.words import speak

STEPS = ("step", "due_on", "done_on", "responsible", "evidence", "reason")
LANGUAGE = "zh"  # of the example answers and of the pages, until the run file says otherwise
WANTED = {
    "programme": "small letters, digits and _, a letter first, 64 at the most",
    "project": "letters of any script, digits, - and _, 64 at the most",
}


# --- a programme ------------------------------------------------------------------------------------------------------


def programme_files(rules: Rules, name: str) -> dict[str, str]:
    """Return the start of a programme as text, by its path in the root.

    Raises
    ------
    ParameterError
        Where the name is none for a programme, or is taken.
    """
    _check_name(name, "programme", Programme, "id")
    for path in params.programme_paths(rules.root):
        if path.stem.split("@")[0] == name:
            raise ParameterError(
                f"NAME: there is a programme {name!r} already ({path.name}); choose another name, or change that file."
            )
    return {f"params/programmes/{name}.yml": _render("programme.yml.j2", name=_quoted(name))}


# --- a project --------------------------------------------------------------------------------------------------------


def project_files(rules: Rules, name: str, programme: str, period: str) -> dict[str, str]:
    """Return the start of a project as texts, by their paths in the root: its run file, example answers, its steps.

    Raises
    ------
    ParameterError
        Where the name is none for a project or is taken, or there is no such programme or period.
    """
    _check_name(name, "project", RunFile, "project")
    run = _first_run(name, programme, period)
    judging = _judging(rules, run).content
    run_file, folder = f"params/runs/{name}.yml", f"data/{name}/{period}"
    for place in (run_file, folder):
        if (rules.root / place).exists():
            raise ParameterError(f"{place}: is there already; choose another name, or move it away.")
    counted = any(MEASURES[each].function.startswith("complaints.") for each in _measures(judging))
    keys = {"name": _quoted(name), "programme": _quoted(programme), "period": period, "counted": counted}
    return {
        run_file: _render("run.yml.j2", **keys, as_of=run.as_of, language=LANGUAGE),
        f"{folder}/responses.csv": _table(["form_id", *judging.item_ids], _example_forms(judging)),
        f"{folder}/steps.csv": _table(STEPS, _open_steps(judging, period)),
    }


def _first_run(name: str, programme: str, period: str) -> Run:
    """Return the run that is to be written, reported ten days after its period."""
    try:
        last = runs.period_bounds(period)[1]
    except ValueError as error:
        raise ParameterError(f"--period: {error}.") from None
    plan = {"as_of": last + dt.timedelta(days=10)}
    keys = {"project": name, "title": name, "programme": programme, "periods": {period: plan}}
    return runs.expand(RunFile.model_validate(keys))[0]


def _judging(rules: Rules, run: Run) -> Document[Programme]:
    """Return the edition that is to judge a project, or say which programmes there are."""
    for path, error in rules.broken.items():
        if path.parent.name == "programmes" and path.stem.split("@")[0] == run.programme.split("@")[0]:
            raise error
    editions = {f"{name}@{each.content.version}" for name, found in rules.editions.items() for each in found}
    if run.programme not in {*rules.editions, *editions}:
        known = sorted(rules.editions)
        raise ParameterError(f"--programme: {run.programme!r} is not a programme; use one of {known}.")
    return params.choose_programme(rules, run)


def _measures(programme: Programme) -> set[str]:
    """Return the measures of the catalogue that a programme names."""
    named = {gate.measure for gate in programme.gates} | {each.id for each in programme.measures}
    return (named | set(programme.index.terms if programme.index else ())) & set(MEASURES)


def _example_forms(programme: Programme) -> Iterator[list[str]]:
    """Yield three forms in the words of the scale: the best answers, the second best, and mixed ones with a gap."""
    words, levels, items = speak(LANGUAGE), programme.scale.levels, programme.items
    said = [words.title(level.title, level.id) for level in levels]
    yield ["example-1", *(said[0] for _ in items)]
    yield ["example-2", *(said[1] for _ in items)]
    mixed = [said[position % len(said)] for position, _ in enumerate(items)]
    yield ["example-3", *(mixed[:-1] + [""] if len(mixed) > 1 else mixed)]


def _open_steps(programme: Programme, period: str) -> Iterator[tuple[str, ...]]:
    """Yield a row for each time a step is due, and for each record that no step leaves: all still to be done."""
    words, written = speak(LANGUAGE), {step.record for step in programme.steps}
    steps = [step for step in programme.steps if step.seen_in == "steps" and not step.when_needed]
    for step in steps:
        for due in _due_days(step, period):
            yield step.id, due, "", words.title(step.responsible), "", ""
    for register in programme.registers:
        if register.seen_in == "steps" and register.id not in written:
            yield register.id, "", "", "", "", ""


def _due_days(step: Step, period: str) -> list[str]:
    """Return the last day of each month, quarter … of a period; one empty day for a step without a rhythm."""
    if step.every is None:
        return [""]
    first, last = runs.period_bounds(period)
    return [min(end, last).isoformat() for _, end in windows(step.every, first, last)]


# --- texts and files --------------------------------------------------------------------------------------------------


def _check_name(name: str, what: str, model: type[BaseModel], key: str) -> None:
    """Refuse a name that a model would refuse under a key."""
    try:
        TypeAdapter(get_type_hints(model, include_extras=True)[key]).validate_python(name)
    except ValidationError:
        raise ParameterError(f"NAME: {name!r} cannot name a {what}; use {WANTED[what]}.") from None


def _quoted(name: str) -> str:
    """Return a name as YAML reads it as text.

    >>> _quoted("estate"), _quoted("2024"), _quoted("no"), _quoted("-")
    ('estate', '"2024"', '"no"', '"-"')
    """
    plain = name[0].isalpha() and yaml.safe_load(name) == name
    return name if plain else f'"{name}"'


def _render(template: str, **keys: Any) -> str:
    """Return a YAML text from its template; what goes in are names and dates that were checked."""
    loader = jinja2.PackageLoader("csat_analysis")
    options: dict[str, Any] = {"trim_blocks": True, "keep_trailing_newline": True, "undefined": jinja2.StrictUndefined}
    return jinja2.Environment(loader=loader, autoescape=False, **options).get_template(template).render(keys)  # noqa: S701 - no HTML


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table as CSV, with the mark by which spreadsheets know UTF-8."""
    text = io.StringIO("\ufeff", newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write new files below a folder: all of them, or none.

    Raises
    ------
    ParameterError
        Where one of them is there already, or cannot be written.
    """
    try:
        with contextlib.ExitStack() as undo:
            for name, text in files.items():
                _write_new(root / name, text, undo)
            undo.pop_all()
    except OSError as error:
        place = error.filename or root
        raise ParameterError(f"{place}: cannot be written ({error.strerror}); check space and permissions.") from None


def _write_new(path: Path, text: str, undo: contextlib.ExitStack) -> None:
    """Write a new file and the folders above it, and note how they are taken away again."""
    for folder in reversed([above for above in path.parents if not above.exists()]):
        folder.mkdir()
        undo.callback(folder.rmdir)
    with path.open("x", encoding="utf-8", newline="") as file:
        undo.callback(path.unlink)
        file.write(text)
