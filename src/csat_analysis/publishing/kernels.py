"""How are kernels started and talked to? The settings with which papermill runs them."""

import os
from pathlib import Path
from typing import Any

from jupyter_client import AsyncKernelManager
from traitlets import Unicode
from traitlets.config import Config

LONGEST_SOCKET = 90  # systems allow 104 to 108 bytes, and a number follows


class Manager(AsyncKernelManager):
    """Starts a kernel whose complaints go to a file: one that is stopped while it starts says nothing on a terminal."""

    errors = Unicode(os.devnull).tag(config=True)

    async def start_kernel(self, **options: Any) -> Any:  # type: ignore[override]
        """Start the kernel with its standard error in the file."""
        with Path(self.errors).open("ab") as errors:
            return await super().start_kernel(**options, stderr=errors)


def config(folder: str) -> Config:
    """Return how to talk to a kernel: through sockets in a folder where the system has them, not over the network."""
    sockets = f"{folder}/kernel"
    by_file = os.name == "posix" and len(sockets.encode()) < LONGEST_SOCKET
    return Config(
        {
            "KernelManager": {"transport": "ipc", "ip": sockets} if by_file else {},
            "Manager": {"errors": str(errors_file(folder))},
            "NotebookClient": {"kernel_manager_class": Manager},
        }
    )


def errors_file(folder: str) -> Path:
    """Return where a kernel's complaints go."""
    return Path(folder, "errors.txt")


def last_words(folder: str) -> str:
    """Return the last line that a kernel wrote to its standard error; nothing where it wrote none."""
    try:
        lines = errors_file(folder).read_text("utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
