"""How are kernels started and talked to? The engine and the settings with which papermill runs them."""

import ast
import os
import subprocess
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client import AsyncKernelManager
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from traitlets import Unicode
from traitlets.config import Config

from csat_analysis.execution.threads import one_thread
from csat_analysis.execution.traces import Trace

ENGINE = "csat_kernel"
ASKED = "__import__('csat_analysis.ground.lending', fromlist=['about']).about(globals())"  # in the end, of each chapter
LONGEST_SOCKET = 90  # systems allow 104 to 108 bytes, and a number follows


class Manager(AsyncKernelManager):
    """Starts a kernel whose complaints go to a file: one that is stopped while it starts says nothing on a terminal."""

    errors = Unicode(os.devnull).tag(config=True)

    async def start_kernel(self, **options: Any) -> Any:  # type: ignore[override]
        """Start the kernel with its standard error in the file, and nothing on standard output."""
        with Path(self.errors).open("ab") as errors, one_thread():
            return await super().start_kernel(**options, stdout=subprocess.DEVNULL, stderr=errors)


class Client(PapermillNotebookClient):
    """Executes cells in a kernel, keeps a trace of what they show, and cuts what is too much."""

    trace: Trace

    def start_new_kernel(self, **options: Any) -> None:
        """Start the kernel and take note of its process."""
        super().start_new_kernel(**options)
        self.trace.kernel = self.km.provisioner.process

    def papermill_execute_cells(self) -> None:
        """Execute the cells, then ask the kernel what they were about."""
        super().papermill_execute_cells()
        reply = self.wait_for_reply(self.kc.execute("", silent=True, user_expressions={"about": ASKED}))
        answer = reply["content"].get("user_expressions", {}).get("about", {}) if reply else {}
        if answer.get("status") == "ok":
            self.trace.end(ast.literal_eval(answer["data"]["text/plain"]))

    def execute_cell(self, cell: nbformat.NotebookNode, cell_index: int, **options: Any) -> nbformat.NotebookNode:
        """Execute a cell; its trace is kept however it ends."""
        if cell.cell_type != "code":
            return cell
        self.trace.enter(cell)
        try:
            return super().execute_cell(cell, cell_index, **options)
        finally:
            self.trace.leave()

    def process_message(self, msg: dict[str, Any], cell: nbformat.NotebookNode, cell_index: int) -> Any:
        """Take what a cell shows, as far as there is room for it."""
        content = msg["content"]
        if content.keys() & {"text", "data", "evalue"} and "status" not in content:
            return super().process_message(msg, cell, cell_index) if self.trace.meter.admits(content) else None
        return super().process_message(msg, cell, cell_index)


class KernelEngine(Engine):
    """Executes a chapter in a kernel of its own."""

    @classmethod
    def execute_managed_notebook(
        cls, manager: NotebookExecutionManager, kernel_name: str, trace: Trace, config: Config, **options: Any
    ) -> None:
        """Execute the cells in their order, up to the first that fails."""
        trace.begin(manager.nb)
        client = Client(manager, kernel_name=kernel_name, config=config, shutdown_kernel="immediate")
        client.trace = trace
        client.execute()


papermill_engines.register(ENGINE, KernelEngine)


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
