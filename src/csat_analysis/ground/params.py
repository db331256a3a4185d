"""Where are the rules, and are they well written? Reads programmes and run files, and says where one is wrong."""

import contextlib
import difflib
import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from csat_analysis.ground import faults, runs
from csat_analysis.ground.errors import ParameterError
from csat_analysis.ground.programmes import Place, Programme
from csat_analysis.ground.runs import Run, RunFile

PACKAGE = Path(__file__).parents[1]
SHORT_FORMS: dict[Place, Place] = {
    ("points", "values"): ("scale",),
    ("scale", "levels"): ("scale",),
    ("index", "terms"): ("index",),
}
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Document(Generic[M]):
    """A YAML file that was read: its content, its place, its checksum, and the line of every key in it."""

    content: M
    path: Path
    sha256: str
    lines: dict[Place, int] = field(default_factory=dict, repr=False, compare=False)


def find_root(root: str | Path = "") -> Path:
    """Return the folder that holds ``params/``: the one given, else the nearest at or above the working one."""
    if str(root):
        chosen = Path(root)
        if not (chosen / "params").is_dir():
            raise ParameterError(
                f"{chosen}: holds no params/ folder; give --root the folder that holds params/ and data/."
            )
        return chosen
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "params").is_dir():
            return folder
    raise ParameterError(f"{here}: no params/ folder here or above; change to the project's folder, or give root.")


def shipped(*parts: str) -> Path:
    """Return where the package keeps what it ships: inside the wheel, or the checkout it is run from."""
    inside = PACKAGE / "_shipped"
    return (inside if inside.is_dir() else PACKAGE.parents[1]).joinpath(*parts)


# --- YAML with places -------------------------------------------------------------------------------------------------


class _Loader(yaml.CSafeLoader):
    """The C loader, to which only plain decimals are numbers: 010, 0x10, 1_000 and 12:30 stay the texts they are."""


NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in NUMBERS]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(NUMBERS[0], re.compile(r"[-+]?(0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    NUMBERS[1],
    re.compile(r"[-+]?((0|[1-9]\d*)?\.\d+(e[-+]?\d+)?|(0|[1-9]\d*)(\.|e[-+]?\d+)|\.(inf|nan))$", re.I | re.ASCII),
    list("-+.0123456789"),
)


def read_yaml(path: Path, shown: Path) -> tuple[Any, dict[Place, int]]:
    """Return the content of a YAML file and the line of every key and entry in it.

    Raises
    ------
    ParameterError
        Where the file (named as ``shown``) is no UTF-8 text or no YAML, is empty, or holds a key twice or a date that
        is none.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ParameterError(
            f"{shown}: cannot be read ({error.strerror}); check the name and the permissions."
        ) from None
    except UnicodeDecodeError:
        raise ParameterError(f"{shown}: is not UTF-8; save it as UTF-8.") from None
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise ParameterError(f"{shown}: is empty; see the other files of this folder for what it holds.")
        lines: dict[Place, int] = {}
        repeated = list(_walk(node, (), lines))
        if repeated:
            raise ParameterError(f"{shown}:{line}: the key {key!r} stands twice; keep one." for key, line in repeated)
        try:
            return loader.construct_document(node), lines
        except ValueError:
            raise ParameterError(_unreadable(node, (), shown, lines)) from None
    except yaml.YAMLError as error:
        raise ParameterError(_syntax_sentence(shown, text, error)) from None
    except RecursionError:
        raise ParameterError(
            f"{shown}: an entry holds itself, or is nested too deeply; write it out plainly."
        ) from None
    finally:
        loader.dispose()


def _shown(path: Path, root: Path | None) -> Path:
    """Return a path as messages name it: relative to the root where it lies in it."""
    try:
        return path.relative_to(root) if root else path
    except ValueError:
        return path


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int]) -> Iterator[tuple[str, int]]:
    """Fill in the line of every place below a node; yield each repeated key with its line."""
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else str(key)
            if name in seen:
                yield name, key.start_mark.line + 1
            seen.add(name)
            lines[(*place, name)] = key.start_mark.line + 1
            yield from _walk(value, (*place, name), lines)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield from _walk(value, (*place, position), lines)


def _unreadable(node: yaml.Node, place: Place, path: Path, lines: dict[Place, int]) -> Iterator[str]:
    """Yield a sentence for each value below a node that looks like a date or a number and is none."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _unreadable(key, (*place, str(key.value)), path, lines)
            yield from _unreadable(value, (*place, str(key.value)), path, lines)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield from _unreadable(value, (*place, position), path, lines)
    else:
        try:
            yaml.SafeLoader("").construct_object(node)
        except ValueError as error:
            kind = "date" if node.tag.endswith(":timestamp") else "number"
            hint = "write dates as 2024-01-31" if kind == "date" else "put it in quotes where it is text"
            yield f"{_where(path, lines, place)}: {node.value!r} is not a {kind} ({error}); {hint}."


def _syntax_sentence(path: Path, text: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    near = range(max(line - 1, 1), line + 2)
    tabs = [
        i for i, row in enumerate(text.splitlines(), 1) if i in near and "\t" in row[: len(row) - len(row.lstrip())]
    ]
    if tabs:
        return f"{path}:{tabs[0]}: a tab where YAML wants spaces; indent with spaces."
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    hint = "check indentation, quotes and brackets of this line and the one above"
    return f"{path}:{line}: is not YAML here ({problem}); {hint}."


# --- from YAML to models, faults with their places --------------------------------------------------------------------


def read_document(
    path: Path, model: type[M], faults: Callable[[M], Iterable[tuple[Place, str]]], root: Path | None = None
) -> Document[M]:
    """Return a YAML file as a model, or raise one ParameterError with a sentence for everything wrong in it."""
    shown = _shown(path, root)
    data, lines = read_yaml(path, shown)
    try:
        content = model.model_validate(data)
    except ValidationError as error:
        found = [_sentence(shown, lines, model, dict(each)) for each in error.errors()]
        raise ParameterError(dict.fromkeys(found)) from None
    found = [f"{_where(shown, lines, place)}: {sentence}" for place, sentence in faults(content)]
    if found:
        raise ParameterError(found)
    return Document(content, path, hashlib.sha256(path.read_bytes()).hexdigest(), lines)


def read_programme(path: Path, root: Path | None = None) -> Document[Programme]:
    """Return a programme file as a model."""
    return read_document(path, Programme, faults.faults, root)


def read_run_file(path: Path, root: Path | None = None) -> Document[RunFile]:
    """Return a run file as a model."""
    return read_document(path, RunFile, runs.faults, root)


def _where(path: Path, lines: dict[Place, int], place: Place) -> str:
    """Return file, line and key of a place; where the key is absent, the line of what should hold it."""
    place = _written(place, lines)
    known = place
    while known not in lines and known:
        known = known[:-1]
    keys = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    return f"{path}:{lines.get(known, 1)}" + (f": {keys}" if keys else "")


def _written(place: Place, lines: dict[Place, int]) -> Place:
    """Return a place as the file has it: keys as they are written, short forms of a scale or an index as they are."""
    short = SHORT_FORMS.get(place[:2], ()) if place[:2] not in lines else ()
    found: Place = ()
    for part in (*short, *place[2:]) if short else place:
        found = (*found, part if (*found, part) in lines else str(part) if (*found, str(part)) in lines else part)
    return found


def _sentence(path: Path, lines: dict[Place, int], model: type[BaseModel], error: dict[str, Any]) -> str:
    """Return what pydantic found as *place: what is wrong; what would be right.*"""
    place: Place = tuple(str(part) if not isinstance(part, int) else part for part in error["loc"])
    place = _written(tuple(part for part in place if part != "[key]"), lines)
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys(model, place[:-1])
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        hint = f"did you mean {near[0]!r}? Use one of {known}" if near else f"use one of {known}"
        where = _where(path, lines, place if place in lines else place[:-1])
        return f"{where}: {place[-1]!r} is not a key here; {hint}."
    if kind == "missing":
        return f"{_where(path, lines, place[:-1])}: the key {place[-1]!r} is missing; add it."
    wanted = {
        "literal_error": f"use one of {context.get('expected')}",
        "string_type": "give text, in quotes where YAML would read a number, a date or yes/no",
        "greater_than_equal": f"give {context.get('ge', 0):g} or more",
        "less_than_equal": f"give {context.get('le', 0):g} or less",
        "string_pattern_mismatch": "use letters, digits, _ (and - in a project), 64 at the most",
        "too_short": f"give {context.get('min_length')} or more",
        "model_type": "give keys and values, such as {key: value}",
        "dict_type": "give keys and values, such as {key: value}",
        "tuple_type": "give a list, such as [first, second]",
        "bool_type": "give true or false",
        "bool_parsing": "give true or false",
        "int_type": "give a whole number",
        "int_parsing": "give a whole number",
        "float_type": "give a number",
        "float_parsing": "give a number",
        "date_type": "give a date such as 2024-01-31",
        "date_from_datetime_parsing": "give a date such as 2024-01-31",
        "date_from_datetime_inexact": "give a date such as 2024-01-31",
        "invalid_key": "give text as a key, in quotes where YAML would read a number, a date or yes/no",
        "date_parsing": "give a date such as 2024-01-31",
    }.get(kind)
    while place and place not in lines:  # which of several readings of a value failed is no key
        place = place[:-1]
    if kind == "value_error":
        return f"{_where(path, lines, place)}: {context['error']}."
    shown = f"{given!r}" if isinstance(given, str | int | float | bool) else type(given).__name__
    return f"{_where(path, lines, place)}: {shown} does not fit here; {wanted or error['msg']}."


def _keys(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys a model knows at a place, by following its JSON Schema."""
    schema = model.model_json_schema()
    node: dict[str, Any] = schema
    for part in place:
        node = _resolve(node, schema)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
    return sorted(_resolve(node, schema).get("properties", {}))


def _resolve(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for option in node.get("anyOf", ()):
        if "$ref" in option:
            node = option
    return schema["$defs"][node["$ref"].rsplit("/", 1)[-1]] if "$ref" in node else node


# --- the files of a root ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    """All programmes and runs of a root, and the sentences of the files that could not be used."""

    root: Path
    editions: dict[str, list[Document[Programme]]]
    run_files: dict[str, Document[RunFile]]
    broken: dict[Path, ParameterError]

    @functools.cached_property
    def of_project(self) -> dict[str, dict[str, Run]]:
        """Return the runs of each project by period, in the order of their ends."""
        return {
            name: {run.period: run for run in runs.expand(self.run_files[name].content)}
            for name in sorted(self.run_files)
        }

    @property
    def runs(self) -> list[Run]:
        """Return every run, by project and then by period."""
        return [run for known in self.of_project.values() for run in known.values()]


Earlier = Mapping[str, tuple[Run, Document[Programme]]]


def read_rules(root: Path, project: str = "") -> Rules:
    """Return all programmes and run files of a root; what is broken is kept with its sentences.

    Parameters
    ----------
    project
        Only its run file, where there is one, and the programmes that names: a report needs no other.
    """
    broken: dict[Path, ParameterError] = {}
    editions: dict[str, list[Document[Programme]]] = {}
    run_files: dict[str, Document[RunFile]] = {}
    files = sorted((root / "params" / "runs").glob("*.yml"))
    files = [path for path in files if path.stem == project] or files
    for path in files:
        try:
            file = read_run_file(path, root)
            _check_name(file, root, path.stem, "project")
            run_files[file.content.project] = file
        except ParameterError as error:
            broken[path] = error
    named = {run.programme.partition("@")[0] for file in run_files.values() for run in runs.expand(file.content)}
    alone = len(files) == 1 and project and named <= {_programme_name(path) for path in programme_paths(root)}
    for path in programme_paths(root):
        if alone and _programme_name(path) not in named:
            continue
        try:
            document = read_programme(path, root)
            _check_name(document, root, _programme_name(path), "id")
            _check_edition(document, root, editions.get(document.content.id, []))
            editions.setdefault(document.content.id, []).append(document)
        except ParameterError as error:
            broken[path] = error
    for documents in editions.values():
        documents.sort(key=lambda document: document.content.version)
    return Rules(root, editions, run_files, broken)


def programme_paths(root: Path) -> list[Path]:
    """Return the programme files: those of the root, and the shipped ones of which the root holds no edition."""
    own = sorted((root / "params" / "programmes").glob("*.yml"))
    held = {_programme_name(path) for path in own}
    rest = [path for path in shipped("params", "programmes").glob("*.yml") if _programme_name(path) not in held]
    return sorted([*own, *rest], key=lambda path: path.name)


def _programme_name(path: Path) -> str:
    """Return the programme that a file holds an edition of: ``property@1.yml`` is one of ``property``."""
    return path.stem.split("@")[0]


def _check_name(document: Document, root: Path, name: str, key: str) -> None:
    identifier = getattr(document.content, key)
    if name != identifier:
        where = _where(_shown(document.path, root), document.lines, (key,))
        raise ParameterError(f"{where} is {identifier!r}; name the file {identifier}.yml, or mend the {key}.")


def _check_edition(document: Document[Programme], root: Path, others: list[Document[Programme]]) -> None:
    named = document.path.stem.partition("@")[2]
    if named and named != str(document.content.version):
        where = _where(_shown(document.path, root), document.lines, ("version",))
        version = document.content.version
        raise ParameterError(f"{where}: is {version}, and the file is named @{named}; mend one of them.")
    for other in others:
        if other.content.version == document.content.version:
            where = _where(_shown(document.path, root), document.lines, ("version",))
            raise ParameterError(f"{where}: {other.path.name} holds this version already; give each edition its own.")


def choose_programme(rules: Rules, run: Run) -> Document[Programme]:
    """Return the edition that judges a run: the one it names, else the newest in force when its period ends.

    A period before the first edition is judged by the first.
    """
    place = _programme_place(rules, run)
    name, _, version = run.programme.partition("@")
    editions = rules.editions.get(name, [])
    named = [document for document in editions if str(document.content.version) == version]
    unusable = [path.name for path in rules.broken if re.fullmatch(rf"{re.escape(name)}(@\d+)?\.yml", path.name)]
    if unusable and not named:  # it may be the one that judges
        wrong = f"{run.programme!r} cannot be used while {unusable[0]} is broken"
        raise ParameterError(f"{place}: {wrong}; mend that file.")
    if not editions:
        raise ParameterError(f"{place}: {name!r} is not a programme; use one of {sorted(rules.editions)}.")
    if named:
        return named[0]
    if version:
        known = [f"{name}@{document.content.version}" for document in editions]
        raise ParameterError(f"{place}: there is no {run.programme!r}; use one of {known}.")
    end = runs.period_bounds(run.period)[1]
    in_force = [document for document in editions if document.content.effective_from <= end]
    return in_force[-1] if in_force else editions[0]


def _programme_place(rules: Rules, run: Run) -> str:
    """Return where a run names its programme: with its period, or for all periods."""
    lines = rules.run_files[run.project].lines if run.project in rules.run_files else {}
    own: Place = ("periods", run.period, "programme")
    return _where(Path("params", "runs", f"{run.project}.yml"), lines, own if own in lines else ("programme",))


def find_run(rules: Rules, project: str, period: str) -> Run:
    """Return the run of a project and period, or say which there are."""
    path = rules.root / "params" / "runs" / f"{project}.yml"
    if path in rules.broken:
        raise rules.broken[path]
    if project not in rules.run_files:
        raise ParameterError(f"project: {project!r} is not a project; use one of {sorted(rules.run_files)}.")
    known = rules.of_project[project]
    if period not in known:
        raise ParameterError(f"period: {project} has no period {period!r}; use one of {sorted(known)}.")
    return known[period]


def earlier_runs(rules: Rules, run: Run) -> Earlier:
    """Return the runs of the same project to compare with, by kind, each with the edition that judges it.

    ``year_on_year`` is the same period a year before; ``previous`` the one just before, where that is another;
    ``baseline`` the one that the run file names; ``wave <period>`` one between them that has the same baseline.
    """
    known, found = rules.of_project[run.project], {}
    end = runs.period_bounds(run.period)[1]
    waves = {
        f"wave {name}": name
        for name, each in known.items()
        if run.baseline and each.baseline == run.baseline and runs.period_bounds(name)[1] < end
    }
    for kind, period in {**runs.earlier_periods(run.period), "baseline": run.baseline, **waves}.items():
        if period in known:
            with contextlib.suppress(ParameterError):
                found[kind] = (known[period], choose_programme(rules, known[period]))
    return found


def peer_runs(rules: Rules, run: Run) -> list[tuple[Run, Run | None]]:
    """Return other projects' runs of a run's baseline, of the same programme, each with its run of the period.

    Projects in the order of their names; None where one has no run of the period.
    """
    found, name = [], run.programme.partition("@")[0]
    for project in sorted(rules.run_files.keys() - {run.project}):
        known = rules.of_project[project]
        before = known.get(run.baseline or "")
        if before and before.programme.partition("@")[0] == name:
            found.append((before, known.get(run.period)))
    return found
