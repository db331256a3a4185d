"""The data goes one way: a room imports only from floors below its own."""

import ast
from pathlib import Path

import pytest

import csat_analysis
from csat_analysis.catalogue import MEASURES

FLOORS = [  # the lowest first
    "errors catalogue",
    "programmes words",
    "runs",
    "params",
    "evidence inference schemas lint synthetic",
    "tables fieldwork complaints scoring",
    "load",
    "assessment",
    "markup phrases",
    "exhibits figures records pages rulebook",
    "publish portal checks",
    "runner",
    "cli",
    "__main__",
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms.split()}
PACKAGE = Path(csat_analysis.__file__).parent
ROOMS = sorted(path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Return the rooms of the package that a file imports, wherever in the file it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: name the package in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names]
    return {room for package, room, *_ in (part for part in parts if len(part) > 1) if package == "csat_analysis"} - {
        "__version__"
    }


def test_every_room_stands_on_one_floor():
    everywhere = [room for rooms in FLOORS for room in rooms.split()]
    assert sorted(everywhere) == sorted(set(everywhere))
    assert set(ROOMS) - {"__init__"} <= set(everywhere), "put the new room on its floor above"


@pytest.mark.parametrize("room", [room for room in ROOMS if room in FLOOR])
def test_imports_point_down(room):
    assert {below: FLOOR[below] for below in imported(PACKAGE / f"{room}.py") if FLOOR[below] >= FLOOR[room]} == {}


def test_the_front_door_of_the_package_imports_nothing():
    assert imported(PACKAGE / "__init__.py") == set()


def test_measures_are_computed_below_the_assessment_that_calls_them():
    rooms = {entry.function.split(".")[0] for entry in MEASURES.values()}
    assert {room for room in rooms if FLOOR[room] >= FLOOR["assessment"]} == set()
