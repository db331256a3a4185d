"""What can be asked for? ``csat check | certify | list | run | report | schema | new``."""

import contextlib
import datetime as dt
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from csat_analysis import __version__
from csat_analysis.execution import threads
from csat_analysis.ground.errors import CsatError, ReportError

INTERRUPTED = 130  # as shells say it
KERNELS = ("fork", "plain")
DEFAULT = "zh"  # of the portal
CAN_FORK = sys.platform == "linux"  # on macOS the system's own libraries do not survive it

app = typer.Typer(
    name="csat", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Run an organisation's customer-satisfaction cycle: procedures and surveys in, pages and numbers out.",
)  # fmt: skip

new = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Write the start of a procedure or of a project.")
app.add_typer(new, name="new")

Root = Annotated[Path, typer.Option(help="The folder that holds params/, data/, notebooks/ and reports/.")]
Projects = Annotated[list[str], typer.Option("--project", help="Only this project; may be repeated.")]
Periods = Annotated[list[str], typer.Option("--period", help="Only this period; may be repeated.")]
Languages = Annotated[list[str], typer.Option("--language", help="zh or en; may be repeated. Else the run file's.")]
Spoken = Annotated[str, typer.Option("--language", help="zh or en: of the explanations.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say only what went wrong.")]


def _show_version(asked: bool) -> None:
    if asked:
        print(f"csat_analysis {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options stand after the command."""


@app.command()
def check(
    root: Root = Path("."),
    clauses: Annotated[bool, typer.Option("--clauses", help="Print what carries each clause instead.")] = False,
    language: Spoken = "en", verbose: Verbose = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Validate programmes, run files and data; print every finding with its place."""
    from csat_analysis import checks
    from csat_analysis.ground import params

    _check_languages([language])
    if clauses:  # what the files of procedures say needs no data
        rules = params.read_rules(_root(root))
        lines, errors = checks.clause_lines(rules, language), [str(error) for error in rules.broken.values()]
    else:
        lines, errors = checks.check(_root(root))
    for line in errors:
        print(line, file=sys.stderr)
    for line in lines if not quiet else ():
        print(line)
    if verbose:
        read = params.read_rules(_root(root))
        print(f"Read: {', '.join([*sorted(read.editions), *(run.place for run in read.runs)])}.")
    if not errors and not quiet and not clauses:
        print("Every file can be used.")
    raise typer.Exit(int(bool(errors)))


@app.command()
def certify(verbose: Verbose = False, quiet: Quiet = False) -> None:
    """Recompute figures of other software and of books; print how far the package's own are from them."""
    from csat_analysis.publishing import certificate

    found = certificate.certify(certificate.FOLDER)
    for line in certificate.deviations(found):
        print(line, file=sys.stderr)
    for line in () if quiet else certificate.lines(found) + (certificate.details(found) if verbose else []):
        print(line)
    raise typer.Exit(int(len(found.deviating) > 0))


@app.command("list")
def list_runs(
    root: Root = Path("."), project: Projects = [], period: Periods = [], language: Languages = [],  # noqa: B006 - typer copies it
    why: Annotated[bool, typer.Option("--why", help="Say why a run is stale.")] = False,
    verbose: Verbose = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Print every run and how it stands: never run, fresh, stale, failed, closed."""
    from csat_analysis.execution import freshness, memory
    from csat_analysis.ground import params

    _check_languages(language)
    found = memory.recall(_root(root)) if not (project or period or language) else None
    if found is None:
        rules = params.read_rules(_root(root))
        _print_broken(rules)
        sources = freshness.Sources(rules)
        states = freshness.states_of(sources, freshness.select(rules, project, period), language)
        if not language:
            memory.remember(rules, states, sources.shared)
        found = [memory.standing(state) for state in states]
    for each in found:
        wrong = each.state in ("failed", "unusable")
        shown = why or verbose or each.state == "unusable"
        if wrong or not quiet:
            print("\t".join([*each[:3], *(["; ".join(each.why)] if shown and each.why else [])]))


@app.command()
def run(
    root: Root = Path("."), project: Projects = [], period: Periods = [], language: Languages = [],  # noqa: B006
    jobs: Annotated[int, typer.Option(min=1, help="How many runs at a time.")] = os.cpu_count() or 1,
    force: Annotated[bool, typer.Option("--force", help="Redo what is fresh or closed, too.")] = False,
    kernel: Annotated[
        str, typer.Option(help="fork: chapters in forks of a warm process (Linux, the default there). plain: kernels.")
    ] = KERNELS[not CAN_FORK],
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that all chapters of a run may take together.")] = 1800,
    held: Annotated[
        float, typer.Option("--memory", min=0, help="MB that a chapter may hold, with whatever it starts; 0: no limit.")
    ] = 0,
    retries: Annotated[int, typer.Option(min=0, help="How often to try again what can heal.")] = 1,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print each page to a PDF as well, by Chromium.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each run, nothing else.")] = False,
    engine: Annotated[str, typer.Option(help="local: this machine. dask: a cluster (docs/clusters.md).")] = "local",
    scheduler: Annotated[str, typer.Option(help="Address of a running Dask scheduler; else one is started here.")] = "",
    verbose: Verbose = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Bring stale runs up to date: execute chapters, render pages, write records, then the portal."""
    _check_languages(language)
    _check_kernel(kernel)
    if not (force or language or verbose or as_json or pdf) and _nothing_to_do(_root(root), project, period, quiet):
        return
    local = engine == "local" and not scheduler
    if kernel == "fork" and local:  # it imports for seconds what forks have, and this process something else meanwhile
        from csat_analysis.execution import forks

        forks.server()
    from csat_analysis import runner
    from csat_analysis.execution import engines, freshness, memory, printing
    from csat_analysis.execution.limits import Limits
    from csat_analysis.ground import params
    from csat_analysis.publishing import publish

    where = engines.Engine("dask" if scheduler else engine, scheduler)
    if pdf:
        printing.browser()
    rules = params.read_rules(_root(root))
    _print_broken(rules)
    chosen = freshness.select(rules, project, period)
    runner.recover(rules, chosen)
    sources = freshness.Sources(rules)
    states = freshness.states_of(sources, chosen, language, force, kernel, pdf)
    if not (force or language) and all(state.task is None for state in states):
        memory.remember(rules, states, sources.shared)
    with _progress(sum(each.task is not None for each in states), quiet) as advance:

        def tell(state: freshness.State, outcome: publish.Outcome) -> None:
            advance(int(state.task is not None))
            for message in outcome.messages:
                print(message, file=sys.stderr)
            for line in [_as_json(state, outcome)] if as_json else [] if quiet else _as_text(state, outcome, verbose):
                print(line, flush=True)

        limited = Limits(timeout, held or None, retries=retries)
        outcomes = runner.bring_up_to_date(states, jobs, tell, prepare, limited, where)
    runner.recover(rules, chosen)
    status = runner.exit_status(outcomes, freshness.left_out(rules, project))
    shown = language[0] if language else DEFAULT
    stands = runner.standings(sources, states, outcomes) if status != 2 else []
    if status != 2 and not memory.portal_is_fresh(rules.root, shown, stands):
        runner.write_portal(rules, shown, stands)
        memory.portal_was_made(rules.root, shown, stands)
    raise typer.Exit(status)


def _nothing_to_do(root: Path, projects: list[str], periods: list[str], quiet: bool) -> bool:
    """Return whether no chosen run, nor the portal, has to be made anew, as far as is remembered; and say so."""
    from csat_analysis.execution import memory

    known = memory.recall(root) or []
    chosen = [
        each for each in known
        if (not projects or each.project in projects) and (not periods or each.period in periods)
    ]  # fmt: skip
    named = {each.project for each in chosen} >= set(projects) and {each.period for each in chosen} >= set(periods)
    skipped = all(each.state in ("fresh", "closed") for each in chosen)
    if not (chosen and named and skipped and memory.portal_is_fresh(root, DEFAULT, known)):
        return False
    for each in () if quiet else chosen:
        print(f"{each.project} {each.period}: skipped ({each.state})")
    return True


@app.command()
def report(
    root: Root = Path("."), project: Projects = [], period: Periods = [], language: Languages = [],  # noqa: B006
    kind: Annotated[
        list[str], typer.Option("--kind", help="report (Word), slides (PowerPoint), notice; may be repeated. Else all.")
    ] = [],  # noqa: B006
    to: Annotated[
        Path | None, typer.Option(help="Instead of reports/<project>/documents; names then begin with the project.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there, edited or not.")] = False,
    verbose: Verbose = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Write the documents that people send, from the records of runs: a report, slides, a notice."""
    from csat_analysis.documents import dispatch
    from csat_analysis.execution import freshness
    from csat_analysis.ground import params

    _check_languages(language)
    for each in kind:
        if each not in dispatch.KINDS:
            raise typer.BadParameter(
                f"{each!r} is no document; use one of {list(dispatch.KINDS)}.", param_hint="--kind"
            )
    rules = params.read_rules(_root(root))
    _print_broken(rules)
    states = freshness.states_of(freshness.Sources(rules), freshness.select(rules, project, period))
    wanted = dispatch.Wanted(kind or tuple(dispatch.KINDS), language, to.absolute() if to else None, force)
    sent = []
    for state in states:
        sent.append(dispatch.send(rules, state, wanted))
        for message in sent[-1].messages:
            print(message, file=sys.stderr)
        for path in () if quiet else sent[-1].files:
            print(f"{path}: written")
    raise typer.Exit(dispatch.exit_status(sent))


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(help="programme, run or record")],
    root: Root = Path("."),
    language: Spoken = "en",
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Print the JSON Schema of a programme, a run file or a record, every key explained."""
    from csat_analysis import checks

    _check_languages([language])
    print(checks.schema(kind, language), end="")


@new.command("programme")
def new_programme(
    name: Annotated[str, typer.Argument(help="Its id, such as estates: small letters, digits and _.")],
    root: Root = Path("."), verbose: Verbose = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Write the start of a procedure, every key explained: params/programmes/NAME.yml."""
    from csat_analysis import drafts

    rules = _rules_to_come(root)
    _write_new(rules, drafts.programme_files(rules, name), quiet)
    if not quiet:
        print("Change it to your procedure; csat check says what does not fit.")
        print(f"Then: csat new project NAME --programme {name}")


@new.command("project")
def new_project(
    name: Annotated[str, typer.Argument(help="Its folder under data/ and reports/.")],
    programme: Annotated[str, typer.Option(help="The procedure that judges it, such as property or property@1.")],
    root: Root = Path("."),
    period: Annotated[str, typer.Option(help="Its first period: 2024, 2024H1, 2024Q1, 2024-05; else this year.")] = "",
    verbose: Verbose = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Write the start of a project: params/runs/NAME.yml, and tables with examples under data/NAME/."""
    from csat_analysis import drafts

    rules = _rules_to_come(root)
    files = drafts.project_files(rules, name, programme, period or str(dt.date.today().year))
    _write_new(rules, files, quiet)
    if not quiet:
        print("Put your own answers and numbers in place of the examples.")
        print(f"Then: csat run --project {name}")


def _rules_to_come(root: Path) -> Any:
    """Return the rules of a root, or of an empty folder outside any that is to become one."""
    from csat_analysis.ground import params

    begun = (root / "params").exists() or any((above / "params").is_dir() for above in root.absolute().parents)
    return params.read_rules(_root(root) if begun or not root.is_dir() else root.absolute())


def _write_new(rules: Any, files: dict[str, str], quiet: bool) -> None:
    from csat_analysis import drafts

    drafts.write(rules.root, files)
    for name in () if quiet else files:
        print(f"{name}: written")


def _root(root: Path) -> Path:
    from csat_analysis.ground import params

    return params.find_root(root).absolute()


def _check_languages(chosen: list[str]) -> None:
    from csat_analysis.ground.words import languages

    for each in chosen:
        if each not in languages():
            raise typer.BadParameter(
                f"{each!r} is not a language here; use one of {languages()}.", param_hint="--language"
            )


def _check_kernel(kernel: str) -> None:
    if kernel not in KERNELS:
        raise typer.BadParameter(f"{kernel!r} is no kernel; use one of {list(KERNELS)}.", param_hint="--kernel")
    if kernel == "fork" and not CAN_FORK:
        raise typer.BadParameter("fork is safe on Linux only; use plain here.", param_hint="--kernel")


def _print_broken(rules: Any) -> None:
    for error in rules.broken.values():
        print(error, file=sys.stderr)


def _as_json(state: Any, outcome: Any) -> str:
    """Return what became of a run as one line for another program."""
    told = {"project": state.run.project, "period": state.run.period, "state": outcome.state}
    told |= {"seconds": round(outcome.seconds, 2), "messages": outcome.messages, "why": list(state.why)}
    return json.dumps({**told, "chapters": outcome.chapters}, ensure_ascii=False)


def _as_text(state: Any, outcome: Any, verbose: bool) -> list[str]:
    """Return what became of a run as lines for a reader."""
    detail = {"skipped": f" ({state.state})", "unusable": ""}.get(outcome.state, f" in {outcome.seconds:.1f} s")
    line = f"{state.run.place}: {outcome.state.replace('_', ' ')}{detail}"
    return [line, *(f"  {reason}" for reason in state.why if verbose)]


@contextlib.contextmanager
def _progress(total: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Give a function that advances a bar by some runs; there is one, with the time left, where somebody watches."""
    if quiet or not total or not sys.stderr.isatty():
        yield lambda runs: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("Runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(elapsed_when_finished=True)
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as progress:
        task = progress.add_task("", total=total)
        yield lambda runs: progress.advance(task, runs)


def prepare() -> None:
    """Set up a process of the command: what it imports, and where its kernels come from."""
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    threads.ask_for_one()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows no Chinese is no reason to stop


def main() -> None:
    """Run the command; a fault of a file or of the call is a sentence and a status, never a traceback."""
    prepare()
    try:
        app()
    except CsatError as error:
        print(error, file=sys.stderr)
        sys.exit(1 if isinstance(error, ReportError) else 2)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            print("Interrupted; what was finished is kept, the rest is as it was.", file=sys.stderr)
        raise
