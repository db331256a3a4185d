"""The data goes one way: a room imports only from floors below its own, or from a landing below in its own floor."""

import ast
from pathlib import Path

import pytest

import csat_analysis
from csat_analysis.ground.catalogue import MEASURES

# The floors are folders, the lowest first; in a floor the rooms of a landing do not import each other.
FLOORS = {
    "ground": "errors catalogue lending mappings software | programmes words | runs clauses | lint faults inputs | params",
    "statistics": "certainty inference design | estimates calibration planning | differences",
    "estimation": "likelihood relative resampling paths priors repeated series mix overlap randomization | latent ordinal superiority drivers selection contrasts | proportionality quadrants reliability",
    "domain": "evidence schemas | fieldwork complaints scoring steps | items constructs | parts",
    "assembly": "tables | load | comparisons composite gates procedure remedy weighting | assessment | importance situation | analyses plans | multiverse subgroups portfolio modes | change",
    "execution": "limits threads traces | guards shells | kernels forks digests locks printing | freshness | memory chapters | engines",
    "publishing": "markup phrases record_keys references | canvas | exhibits | cards | pages certificate groups ledger precision records rulebook verdicts weights duties driver_tables construct_tables change_cells | change_tables figures | driver_figures construct_figures change_figures change_ways | workbook briefs | publish",
    "documents": "packing | recorded problems grids | paper | documents deck | word notice slides | dispatch",
    "portal": "pooling readings | company_mix company_figures company_matrix | company_parts | company_change | company | portal_rows | portal_data | project_pages | portal",
    "": "checks drafts | runner warm | cli demo | synthetic | __main__",  # the doors
}
LANDINGS = [(floor, landing.split()) for floor, landings in FLOORS.items() for landing in landings.split("|")]
HEIGHT = {f"{floor}.{room}".lstrip("."): n for n, (floor, rooms) in enumerate(LANDINGS) for room in rooms}
PACKAGE = Path(csat_analysis.__file__).parent
ROOMS = sorted(".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))
FACES = [room for room in ROOMS if room.endswith("__init__")]


def imported(room: str) -> set[str]:
    """Return the rooms of the package that a room imports, wherever in the file it does; what is none is named too."""
    path, names = PACKAGE / f"{room.replace('.', '/')}.py", set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: name the package in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {name.removeprefix("csat_analysis.") for name in names if name.startswith("csat_analysis.")}
    return {_room(name) for name in ours - {"__version__"}}


def _room(name: str) -> str:
    """Return the room that a name stands in, or the name where it stands in none."""
    parts = name.split(".")
    return next((room for n in (1, 2) if (room := ".".join(parts[:n])) in HEIGHT), name)


def test_every_room_stands_on_one_floor():
    everywhere = [f"{floor}.{room}".lstrip(".") for floor, rooms in LANDINGS for room in rooms]
    assert sorted(everywhere) == sorted(set(everywhere))
    assert set(ROOMS) - set(FACES) == set(everywhere), "put the new room on its floor above"


@pytest.mark.parametrize("room", HEIGHT)
def test_imports_point_down(room):
    assert {below: HEIGHT.get(below) for below in imported(room) if HEIGHT.get(below, 99) >= HEIGHT[room]} == {}


@pytest.mark.parametrize("face", FACES)
def test_the_face_of_a_floor_imports_nothing(face):
    assert imported(face) == set()


@pytest.mark.parametrize("stage", csat_analysis.STAGES)
def test_a_stage_can_be_named_without_its_floor(stage):
    assert getattr(csat_analysis, stage).__name__ == f"csat_analysis.{csat_analysis.STAGES[stage]}.{stage}"
    assert stage in dir(csat_analysis)


def test_what_is_no_stage_is_told():
    with pytest.raises(AttributeError, match="has no attribute 'portals'; the stages are \\['assessment', "):
        csat_analysis.portals  # noqa: B018


def test_measures_are_computed_in_the_domain():
    rooms = {entry.function.split(".")[0] for entry in MEASURES.values()}
    assert rooms <= set(FLOORS["domain"].split())
