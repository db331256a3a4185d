"""How does a page become a PDF? A browser prints it: Chromium, where there is one."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from csat_analysis.ground.errors import ParameterError, ReportError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
QUIET = (
    "--headless", "--disable-gpu", "--disable-background-networking", "--disable-extensions", "--no-first-run",
    "--no-pdf-header-footer", "--hide-scrollbars",
)  # fmt: skip
LONGEST = 120  # seconds


def browser() -> str:
    """Return the command of a browser that prints.

    Raises
    ------
    ParameterError
        Where there is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise ParameterError("--pdf: there is no Chromium; install it (Debian: apt-get install chromium).")
    return found


def print_pages(folder: Path) -> list[Path]:
    """Print every page of a folder beside it, and return the new files.

    Raises
    ------
    ReportError
        Where the browser does not print one.
    """
    command = browser()
    return [_print(command, page) for page in sorted(folder.glob("*.html"))]


def _print(command: str, page: Path) -> Path:
    made = page.with_suffix(".pdf")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = [*QUIET, f"--user-data-dir={profile}", f"--print-to-pdf={made}", page.resolve().as_uri()]
        sandbox = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []  # root has none
        try:
            done = subprocess.run([command, *sandbox, *options], capture_output=True, timeout=LONGEST, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ReportError(
                f"{page.name}: could not be printed ({type(error).__name__}); try {command} by hand."
            ) from None
    if done.returncode or not made.is_file():
        raise ReportError(f"{page.name}: could not be printed ({command} ended with {done.returncode}).")
    return made
