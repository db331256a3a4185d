"""Run an organisation's customer-satisfaction cycle, reproducibly.

A procedure is a YAML file, a survey is a folder of tables, a report is a notebook. The code stands in floors, each a
folder, and its modules are named after the stage of the path they stand for. A notebook names the stage alone:
``from csat_analysis import assessment, exhibits, load``.
"""

import importlib
from types import ModuleType

__version__ = "0.1.0"

STAGES = {
    "params": "ground",
    "inference": "statistics",
    "design": "statistics",
    "estimates": "statistics",
    "scoring": "domain",
    "load": "assembly",
    "assessment": "assembly",
    "importance": "assembly",
    "change": "assembly",
    "briefs": "publishing",
    "cards": "publishing",
    "change_figures": "publishing",
    "change_tables": "publishing",
    "change_ways": "publishing",
    "construct_tables": "publishing",
    "construct_figures": "publishing",
    "exhibits": "publishing",
    "figures": "publishing",
    "groups": "publishing",
    "driver_tables": "publishing",
    "ledger": "publishing",
    "driver_figures": "publishing",
    "precision": "publishing",
    "duties": "publishing",
    "rulebook": "publishing",
    "verdicts": "publishing",
    "weights": "publishing",
}  # what an analyst calls, and the floor where it stands


def __getattr__(name: str) -> ModuleType:
    """Return a stage of the path, imported when it is first named."""
    if name in STAGES:
        return importlib.import_module(f"{__name__}.{STAGES[name]}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; the stages are {sorted(STAGES)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *STAGES})
