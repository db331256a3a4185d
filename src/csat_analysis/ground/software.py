"""Which versions do the figures depend on?"""

import functools
import importlib.metadata
import platform

from csat_analysis import __version__

LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib", "pandera", "papermill", "nbconvert")


def software() -> dict[str, str]:
    """Return the versions that the figures depend on."""
    return {"csat_analysis": __version__, "python": platform.python_version(), **_libraries()}


@functools.cache
def _libraries() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in LIBRARIES}
