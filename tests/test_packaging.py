"""Do the lock, the environments and the wheel hold what pyproject.toml promises?"""

import os
import re
import shutil
import site
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import publishing

CHECKOUT = Path(__file__).resolve().parent.parent
LOCK = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
RUN = "demo/2024Q1"
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)", re.MULTILINE)
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DECLARED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]


@pytest.mark.parametrize("declared", DECLARED)
def test_lock_satisfies_every_declared_bound(declared: str) -> None:
    requirement = Requirement(declared)
    name = canonicalize_name(requirement.name)
    versions = [pin["version"] for pin in PIN.finditer(LOCK) if canonicalize_name(pin["name"]) == name]
    assert versions, f"{name} is not in requirements.lock; run make lock."
    assert all(version in requirement.specifier for version in versions)
    assert requirement.specifier, f"{name} has no lower bound."


def test_every_pin_of_the_lock_has_a_hash() -> None:
    for entry in re.split(r"\n(?=\S)", LOCK):
        if not entry.startswith("#"):
            assert PIN.match(entry), entry
            assert "--hash=sha256:" in entry, entry


def test_lock_names_no_host_index_or_folder() -> None:
    found = re.findall(r".*(?:://|https?:|file:|pypi|pythonhosted|index-url|find-links| /\w).*", LOCK)
    assert found == []


def test_conda_users_get_the_same_lock() -> None:
    environment = yaml.safe_load((CHECKOUT / "environment.yml").read_text(encoding="utf-8"))
    assert "python=3.11" in environment["dependencies"]
    assert environment["dependencies"][-1] == {"pip": ["--requirement requirements.lock"]}
    assert PROJECT["requires-python"] == ">=3.11"


# --- The Makefile speaks in sentences ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("sys.modules['ensurepip'] = None", "apt-get install python3-venv"),
        ("sys.version_info = (3, 10)", "Python 3.11 or later is needed"),
    ],
)
def test_setup_says_what_is_missing(tmp_path: Path, missing: str, sentence: str) -> None:
    checkout = tmp_path / "a folder"
    checkout.mkdir()
    for name in ["Makefile", "pyproject.toml", "requirements.lock"]:
        shutil.copy(CHECKOUT / name, checkout)
    python = tmp_path / "python"
    pretend = f'exec "{sys.executable}" -c "import sys; {missing}; exec(sys.argv[2])" "$@"'
    python.write_text(f'#!/bin/sh\n[ "$1" = -V ] && exec "{sys.executable}" -V\n{pretend}\n')
    python.chmod(0o755)
    done = run(["make", "setup", f"PYTHON={python}"], checkout)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / ".venv").exists()


# --- The wheel works without the checkout -----------------------------------------------------------------------------
def run(command: list[str | Path], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Return the finished command, run outside the checkout's own surroundings."""
    inherited = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "MAKEFLAGS"}}
    return subprocess.run(command, cwd=cwd, env=inherited | environment, capture_output=True, text=True, check=False)


def succeed(command: list[str | Path], cwd: Path, **environment: str) -> str:
    """Return what the command printed; fail with its messages where it did not end well."""
    done = run(command, cwd, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bin folder of a new environment that holds the wheel, and lends the dependencies of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    succeed([*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", folder, CHECKOUT], folder)
    venv.create(folder / "env", system_site_packages=False, with_pip=False, symlinks=True)
    python = folder / "env" / "bin" / "python"
    [wheel] = folder.glob("*.whl")
    succeed([*pip, "--python", python, "install", "--no-deps", "--no-index", "--no-compile", wheel], folder)
    [library] = (folder / "env" / "lib").glob("python*/site-packages")
    (library / "borrowed.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    return python.parent


RUN_FILE = """\
project: demo
title: {zh: 示例, en: Demo}
programme: electrical
language: zh
periods:
  "2024Q1":
    as_of: 2024-04-10
    counts: {frame: 4, distributed: 4, deliveries: 80, complaints: 2}
"""
RESPONSES = """\
form_id,product,delivery,service,packaging
f1,very_satisfied,very_satisfied,fair,fair
f2,very_satisfied,fair,very_satisfied,very_satisfied
f3,fair,dissatisfied,fair,fair
f4,dissatisfied,fair,very_satisfied,dissatisfied
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root made from scratch: one project, one quarter, four forms."""
    files = {"params/runs/demo.yml": RUN_FILE, f"data/{RUN}/responses.csv": RESPONSES}
    return publishing.write(tmp_path / "一个 folder", files)


@pytest.mark.slow
def test_wheel_carries_its_notebooks_and_programmes(installed: Path, tmp_path: Path) -> None:
    show = "import csat_analysis, pathlib; print(pathlib.Path(csat_analysis.__file__).resolve().parent)"
    package = Path(succeed([installed / "python", "-c", show], tmp_path).strip())
    assert package.is_relative_to(installed.parent.resolve())
    shipped = package / "_shipped"
    for ours, theirs, pattern in [
        (CHECKOUT / "notebooks", shipped / "notebooks", "*.ipynb"),
        (CHECKOUT / "params" / "programmes", shipped / "params" / "programmes", "*.yml"),
        (CHECKOUT / "src" / "csat_analysis" / "words", package / "words", "*.yml"),
        (CHECKOUT / "src" / "csat_analysis" / "templates", package / "templates", "**/*"),
        (CHECKOUT / "src" / "csat_analysis" / "reference", package / "reference", "*"),
    ]:
        names = {path.relative_to(ours) for path in ours.glob(pattern)}
        assert names and names == {path.relative_to(theirs) for path in theirs.glob(pattern)}
    assert not (CHECKOUT / "src" / "csat_analysis" / "_shipped").exists()


@pytest.mark.slow
def test_wheel_makes_of_a_root_from_scratch_what_the_checkout_makes_to_the_byte(
    installed: Path, root: Path, tmp_path: Path
) -> None:
    # The wheel executes the chapters in kernels, and the checkout here: the other tests read pages that were made so.
    here = shutil.copytree(root, tmp_path / "here")
    # Templates and kernels are data of the lent packages, which a real installation has in its own environment.
    lent = {"JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter")}
    succeed([installed / "csat", "run", "--root", root], root, **lent)
    assert publishing.run(here).status == 0
    assert publishing.record(root, RUN)["programme"]["id"] == "electrical"
    ours, theirs = (publishing.snapshot(each / "reports" / RUN) for each in (here, root))
    assert {"record.json", "20_satisfaction.zh.html", "20_satisfaction.zh.ipynb"} < ours.keys() == theirs.keys()
    assert {name for name in ours if ours[name] != theirs[name]} == {"manifest.json"}
    assert "deviating: 0;" in succeed([installed / "csat", "certify"], root)
