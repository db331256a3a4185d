"""Are pages old or new and never a mixture, whatever is killed, whenever? Kills at random moments, and looks.

``python benchmarks/kills.py [--rounds 60] [--seed 1]``: each round changes the data of some made-up projects, starts
``csat run`` with two workers, and at a random moment kills (SIGKILL) the command, its server, one of its workers, one
chapter, or all of them at once; in every third round a second command works beside it. After that, pages must be whole
(each file with the checksum of its manifest) and of one making, no process may be left, and the next command must
bring every run up to date and leave nothing lying about. Prints one line a round, and ends with 1 where one was bad.
"""

import argparse
import collections
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import throughput

from csat_analysis.execution.digests import stamp_of
from csat_analysis.execution.freshness import file_digest, read_manifest

PROJECTS = 4
COMMAND = (sys.executable, "-m", "csat_analysis", "run", "--root")
TARGETS = ("command", "server", "worker", "chapter", "all")


def start(root: Path) -> psutil.Popen:
    """Start a command that brings a root up to date."""
    options = ["--jobs", "2", "--retries", "0", "-q"]
    return psutil.Popen([*COMMAND, root, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def victims(command: psutil.Process, target: str) -> list[psutil.Process]:
    """Return what is to be killed; what is not there yet is the command."""
    below = [each for each in command.children(recursive=True) if each.is_running()]
    depth = {each: depth_of(each, command) for each in below}
    wanted = {"server": 1, "worker": 2, "chapter": 3}
    found = [each for each in below if depth[each] == wanted.get(target) and is_python(each)]
    return [command, *below] if target == "all" else [random.choice(found)] if found else [command]


def depth_of(process: psutil.Process, above: psutil.Process) -> int:
    """Return how many generations a process is below another one."""
    try:
        return next((n for n, each in enumerate(process.parents(), start=1) if each == above), 0)
    except psutil.Error:
        return 0


def is_python(process: psutil.Process) -> bool:
    """Return whether a process is one of Python that does more than count what others leave."""
    try:
        return "resource_tracker" not in " ".join(process.cmdline())
    except psutil.Error:
        return False


def kill(processes: list[psutil.Process]) -> None:
    """Kill processes at once."""
    for each in processes:
        try:
            each.kill()
        except psutil.Error:
            continue


def faults(root: Path, started: dict[Path, float]) -> list[str]:
    """Return what is wrong with the pages of a root: files of two makings, files that are not whole."""
    found = []
    for folder in started:
        manifest = read_manifest(folder)
        if manifest is None:
            found.append(f"{folder.name}: no manifest")
            continue
        for name, digest in manifest["files"].items():
            if not (folder / name).is_file() or file_digest(folder / name) != digest:
                found.append(f"{folder.parent.name}: {name} is not the file of its manifest")
        extra = {path.name for path in folder.iterdir()} - {*manifest["files"], "manifest.json", "failed"}
        found += [f"{folder.parent.name}: {name} belongs to nothing" for name in extra]
    return found


def left(root: Path) -> list[str]:
    """Return the commands of processes that still work for a root, some seconds after what they worked for ended."""
    for _ in range(50):
        names = [each.info["cmdline"] for each in psutil.process_iter(["cmdline", "cwd"]) if works_for(each, root)]
        if not names:
            return []
        time.sleep(0.1)
    return [" ".join(name)[:100] for name in names]


def works_for(process: psutil.Process, root: Path) -> bool:
    """Return whether a process names a root or works in it."""
    cwd, arguments = process.info["cwd"] or "", process.info["cmdline"] or []
    return process.status() != psutil.STATUS_ZOMBIE and (cwd == str(root) or str(root) in arguments)


def change(root: Path, round_: int) -> None:
    """Change the newest data of every project, by one form that is said again in other words."""
    for path in root.glob("data/*/2024/responses.csv"):
        with path.open("a", encoding="utf-8") as file:
            file.write(f"extra{round_},满意,满意,满意,满意,满意\n")


def main() -> int:
    """Kill, look, and print."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--rounds", type=int, default=60)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    random.seed(given.seed)
    bad, counted = 0, collections.Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "root"
        throughput.write(root, PROJECTS)
        before = time.perf_counter()
        start(root).wait()
        whole = time.perf_counter() - before
        for number in range(given.rounds):
            pages = {path.parent: stamp_of(path)[1] for path in root.glob("reports/*/*/manifest.json")}
            change(root, number)
            target, moment = TARGETS[number % len(TARGETS)], random.uniform(0.2, whole)
            commands = [start(root) for _ in range(1 + (number % 3 == 2))]
            time.sleep(moment)
            kill(victims(commands[0], target))
            for each in commands:
                each.wait(300)
            wrong = [*faults(root, pages), *(f"left: {name}" for name in left(root))]
            made = sum(stamp_of(path / "manifest.json")[1] != stamp for path, stamp in pages.items())
            again = start(root).wait(300)
            wrong += [f"the next command ended with {again}"] if again else []
            states = subprocess.run(
                [*COMMAND[:3], "list", "--root", root], capture_output=True, text=True, check=False
            ).stdout
            wrong += [f"not fresh: {line}" for line in states.splitlines() if not line.endswith("fresh")]
            wrong += [f"lies about: {path.name}" for path in root.glob("reports/*/.2*")]
            counted[target] += 1
            bad += bool(wrong)
            print(f"{number + 1:>3} {target:<8} killed after {moment:5.1f} s, {made} of {len(pages)} made; ", end="")
            print("; ".join(wrong) or "well", flush=True)
    print(f"{given.rounds} rounds, {bad} bad; killed: {json.dumps(counted)}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
