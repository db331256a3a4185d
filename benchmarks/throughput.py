"""How many seconds does a run take, from data to pages, beside the ways people do it today? One sitting, one machine.

``python benchmarks/throughput.py [--ours 200] [--loop 10] [--pool 20]``: how many runs each way gets. All ways execute
the same notebooks of the same made-up projects: every chapter of a run, as pages. The commands of papermill and
nbconvert one after the other; papermill and nbconvert in a pool of two spawned processes; this package with one and
with two workers, and over a local Dask cluster where ``distributed`` is there. Beside them what the figures and
drawings of a run cost alone, in a process that has everything imported. Ends with the memory of two workers, and with
20,000 runs on 50 workers on paper.
"""

import argparse
import ast
import contextlib
import heapq
import importlib.util
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import yaml

from csat_analysis.execution import freshness
from csat_analysis.ground import params
from csat_analysis.ground.params import shipped
from csat_analysis.ground.runs import Run

PERIODS, FORMS = ("2023", "2024"), 240
LEVELS, SHARES = ("很满意", "满意", "一般", "不满意", "很不满意"), (0.45, 0.35, 0.12, 0.05, 0.03)
ITEMS = ("safety", "environment", "repairs", "other", "overall")
CSAT = (sys.executable, "-m", "csat_analysis")


# --- made-up projects -------------------------------------------------------------------------------------------------


def write(root: Path, projects: int) -> None:
    """Write projects of two periods, judged by the procedure of estates."""
    rng = np.random.default_rng(1)
    programme = root / "params" / "programmes" / "property.yml"
    programme.parent.mkdir(parents=True)
    programme.write_bytes(shipped("params", "programmes", "property.yml").read_bytes())
    (root / "params" / "runs").mkdir()
    for number in range(projects):
        name = f"p{number:04d}"
        periods = {
            each: {"as_of": f"{int(each) + 1}-01-10", "counts": {"frame": 400, "distributed": 300}} for each in PERIODS
        }
        content = {
            "project": name,
            "title": {"zh": f"项目{number}", "en": name},
            "programme": "property",
            "periods": periods,
        }
        (root / "params" / "runs" / f"{name}.yml").write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
        for period in PERIODS:
            path = root / "data" / name / period / "responses.csv"
            path.parent.mkdir(parents=True)
            rows = [",".join([str(n), *rng.choice(LEVELS, len(ITEMS), p=SHARES)]) for n in range(FORMS)]
            path.write_text("\n".join([",".join(["form_id", *ITEMS]), *rows, ""]), "utf-8")


def chapters(root: Path, run: Run) -> list[Path]:
    """Return the notebooks of a run."""
    document = params.choose_programme(params.read_rules(root, run.project), run)
    names = freshness.chapters_of(document.content, run)
    return [freshness.chapter_path(root, document.path.name, name) for name in names]


# --- the ways ---------------------------------------------------------------------------------------------------------


def commands(root: Path, runs: list[Run], out: Path) -> None:
    """Execute and convert every chapter by the commands of papermill and nbconvert, one after the other."""
    bin_ = Path(sys.executable).parent
    for run in runs:
        for path in chapters(root, run):
            made = out / f"{run.project}.{run.period}.{path.name}"
            given = [part for name, value in given_to(run).items() for part in ("-r", name, value)]
            subprocess.run(
                [bin_ / "papermill", path, made, *given, "--cwd", root, "--no-progress-bar"],
                check=True,
                capture_output=True,
            )
            subprocess.run(
                [bin_ / "jupyter", "nbconvert", "--to", "html", "--no-input", made], check=True, capture_output=True
            )


def given_to(run: Run) -> dict[str, str]:
    """Return the parameters of every chapter of a run."""
    return {"project": run.project, "period": run.period, "language": "zh", "root": ""}


def pool(root: Path, runs: list[Run], out: Path) -> None:
    """Execute and convert every chapter by papermill and nbconvert in a pool of two spawned processes."""
    tasks = [(str(path), given_to(run), str(root), str(out)) for run in runs for path in chapters(root, run)]
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as workers:
        list(workers.map(convert, tasks))


def convert(task: tuple[str, dict[str, str], str, str]) -> None:
    """Execute a chapter in a kernel and write its page, as a script of a few lines does."""
    import papermill
    from nbconvert import HTMLExporter

    path, given, root, out = task
    made = Path(out) / f"{given['project']}.{given['period']}.{Path(path).name}"
    papermill.execute_notebook(path, str(made), given, cwd=root, progress_bar=False)
    page, _ = HTMLExporter(exclude_input=True).from_filename(str(made))
    made.with_suffix(".html").write_text(page, "utf-8")


def ours(root: Path, runs: list[Run], *options: str) -> None:
    """Publish runs by this package's command."""
    command = [*CSAT, "run", "--root", root, "--force", *named(runs), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count(": ok in") == len(runs), done.stdout[-500:] + done.stderr[-500:]


def named(runs: list[Run]) -> list[str]:
    """Return the options that choose some runs."""
    return [part for name in sorted({run.project for run in runs}) for part in ("--project", name)]


def alone(root: Path, runs: list[Run]) -> None:
    """Work out and draw what the chapters of runs show, in this process: no notebook, no page, no record."""
    from csat_analysis.assembly.assessment import assess
    from csat_analysis.assembly.load import survey
    from csat_analysis.ground import lending

    for run in runs:
        result = assess(survey(run.project, run.period, root))
        known = {("assessment", id(result.survey)): result, ("survey", run.project, run.period, root): result.survey}
        with lending.lend(known):
            for path in chapters(root, run):
                space: dict[str, Any] = {**given_to(run), "root": str(root)}
                for source in cells(path):
                    show(source, space)


def cells(path: Path) -> Iterator[ast.Module]:
    """Yield the cells of a notebook, but for its parameters."""
    import nbformat

    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", ()):
            yield ast.parse(cell.source)


def show(cell: ast.Module, space: dict[str, Any]) -> None:
    """Execute a cell, and have its last value drawn."""
    last = cell.body.pop() if cell.body and isinstance(cell.body[-1], ast.Expr) else None
    exec(compile(cell, "cell", "exec"), space)  # noqa: S102 - our own chapters
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), space)  # noqa: S307
        if hasattr(value, "_repr_html_"):
            value._repr_html_()


# --- how long, how much memory ----------------------------------------------------------------------------------------


def timed(name: str, runs: int, work: Callable[[], None]) -> float:
    """Return the seconds that a run takes in one of the ways, and print them."""
    started = time.perf_counter()
    work()
    seconds = (time.perf_counter() - started) / runs
    tell(name, runs, seconds)
    return seconds


def tell(name: str, runs: int, seconds: float) -> None:
    """Print the seconds that a run takes in one of the ways."""
    print(f"{name:<58}{runs:>5} runs {seconds:>7.2f} s a run", flush=True)


def in_turn(root: Path, runs: list[Run], few: list[Run], often: int = 5) -> tuple[float, float]:
    """Return the seconds of a run by one worker, and those of its figures and drawings alone.

    The worker is paused while those are made: a machine is not as fast at one time as at another.
    """
    command = [*CSAT, "run", "--root", root, "--force", *named(runs), "--jobs", "1"]
    started, alone_seconds = time.perf_counter(), [0.0]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for number, line in enumerate(process.stdout or (), start=1):
            assert ": ok in" in line, line
            if number % max(len(runs) // often, 1) == len(runs) // often // 2:
                with paused(process.pid):
                    begun = time.perf_counter()
                    alone(root, few)
                    alone_seconds.append(time.perf_counter() - begun)
    assert process.returncode == 0
    seconds = (time.perf_counter() - started - sum(alone_seconds)) / len(runs)
    return seconds, sum(alone_seconds) / (len(alone_seconds) - 1) / len(few)


@contextlib.contextmanager
def paused(pid: int) -> Iterator[None]:
    """Let a process and all that it started stand still."""
    process = psutil.Process(pid)
    still = [process]
    try:
        process.suspend()
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.suspend()
                still.append(child)
        yield
    finally:
        for each in still:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.resume()


class Memory:
    """The most memory that the processes started here held at a time, shared pages counted once, in MB."""

    def __enter__(self) -> "Memory":
        self.most, self.over = 0.0, threading.Event()
        self.watch = threading.Thread(target=self._watch)
        self.watch.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.watch.join()

    def _watch(self) -> None:
        while not self.over.wait(0.5):
            held = 0.0
            for each in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    held += each.memory_full_info().pss / 1_000_000
            self.most = max(self.most, held)


def on_paper(seconds: float, runs: int = 20_000, workers: int = 50) -> float:
    """Return the hours that runs take on workers, each the next run as soon as it is free.

    Runs vary by 40 % (log-normal), 1 in 100 is tried twice, handing out takes 5 ms a run, one after the other.
    """
    rng = np.random.default_rng(1)
    each = seconds * rng.lognormal(-0.08, 0.4, runs) * np.where(rng.random(runs) < 0.01, 2, 1)
    free = [0.0] * workers
    for number, length in enumerate(each):
        start = max(heapq.heappop(free), 0.005 * number)
        heapq.heappush(free, start + length)
    return max(free) / 3600


def main() -> None:
    """Print the seconds of a run in each way, and the ratios."""
    asked = argparse.ArgumentParser()
    for name, count in (("ours", 200), ("loop", 10), ("pool", 20)):
        asked.add_argument(f"--{name}", type=int, default=count)
    counts = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder).resolve() / "root", Path(folder).resolve() / "out"
        out.mkdir()
        write(root, (max(counts.ours, counts.loop, counts.pool) + 1) // 2)
        runs = params.read_rules(root).runs
        print(f"{len(chapters(root, runs[0]))} chapters a run, {FORMS} forms; {os.cpu_count()} processors", flush=True)
        loop = timed("papermill and nbconvert commands", counts.loop, lambda: commands(root, runs[: counts.loop], out))
        pooled = timed(
            "papermill and nbconvert in a pool of 2", counts.pool, lambda: pool(root, runs[: counts.pool], out)
        )
        mine = runs[: counts.ours]
        alone(root, runs[:1])  # everything imported, every cache filled
        one, pure = in_turn(root, mine, runs[:10])
        tell("csat run, 1 worker", len(mine), one)
        tell("figures and drawings alone, in turn with it", 10, pure)
        with Memory() as memory:
            two = timed("csat run, 2 workers", len(mine), lambda: ours(root, mine, "--jobs", "2"))
        if importlib.util.find_spec("distributed"):
            timed("csat run, 2 workers of Dask", len(mine), lambda: ours(root, mine, "--engine", "dask", "--jobs", "2"))
    print(f"2 workers: {loop / two:.1f} times as fast as the commands, {pooled / two:.1f} times as the pool; ", end="")
    print(f"1 worker takes {one / pure:.2f} times what the figures and drawings take alone")
    print(f"memory of 2 workers and their server, shared pages once: {memory.most:,.0f} MB at the most")
    print(f"on paper: 20,000 runs on 50 workers of this speed in {on_paper(one):.2f} hours")


if __name__ == "__main__":
    main()
