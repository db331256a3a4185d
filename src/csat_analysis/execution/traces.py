"""What did a chapter show before it ended, and what was it about? Kept in a file, which outlives its process."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

LONGEST_ERROR = 2_000  # characters of an error's own sentence


class Meter:
    """Counts what a chapter shows, and cuts what is too much.

    Parameters
    ----------
    text, shown
        How many characters may be printed, and how many shown otherwise.
    """

    def __init__(self, text: int, shown: int):
        self.text, self.shown = text, shown
        self.cut = 0

    def admits(self, content: Any) -> bool:
        """Return whether something of an output may be shown; what is too much is taken out of it.

        >>> meter, output = Meter(text=3, shown=9), {"name": "stdout", "text": "abcde"}
        >>> meter.admits(output), output["text"], meter.cut, meter.admits({"text": "f"}), meter.cut
        (True, 'abc', 2, False, 3)
        """
        if "text" in content:
            return self._admits_text(content)
        if "evalue" in content:
            _shorten(content)
            return True
        size = sum(len(each) if isinstance(each, str) else len(str(each)) for each in content["data"].values())
        fits = size <= self.shown
        self.shown -= size if fits else 0
        self.cut += 0 if fits else size
        return fits

    def _admits_text(self, content: Any) -> bool:
        size = len(content["text"])
        kept = min(size, self.text)
        content["text"] = content["text"][:kept]
        self.text -= kept
        self.cut += size - kept
        return kept > 0


def _shorten(error: Any) -> None:
    if len(error["evalue"]) > LONGEST_ERROR:
        error["evalue"] = error["evalue"][:LONGEST_ERROR] + "…"
        error["traceback"] = []


class Told(NamedTuple):
    """What a chapter has told of itself.

    Attributes
    ----------
    shown
        What each cell that was left shows, and its number, by its id.
    where
        The id of the last cell that was begun; nothing where none was.
    about
        What the chapter was about; None where it did not come to its end, or nobody asked it.
    cut, cut_in
        How many characters were cut, and the cell where that began.
    """

    shown: dict[str, dict[str, Any]]
    where: str
    about: dict[str, Any] | None
    cut: int
    cut_in: str


class Trace:
    """What a chapter has shown so far: written by the process that executes it, read by the one that waits for it."""

    def __init__(self, folder: Path, text: int, shown: int):
        self.notebook, self.file = folder / "begun.ipynb", folder / "trace.jsonl"
        self.meter = Meter(text, shown)
        self.cell: Any = None
        self.cut_in = ""  # the cell in which something was cut first
        self.kernel: Any = None  # the process that executes the cells, where that is another one
        self.own = os.getpid()

    def begin(self, notebook: nbformat.NotebookNode) -> None:
        """Write down what is to be executed, its parameters put in."""
        self.notebook.write_text(json.dumps(notebook), "utf-8")

    def begun(self) -> nbformat.NotebookNode | None:
        """Return what is to be executed; None where it was not even begun, or is gone."""
        try:
            return nbformat.from_dict(json.loads(self.notebook.read_text("utf-8")))
        except (OSError, ValueError):
            return None

    def enter(self, cell: nbformat.NotebookNode) -> None:
        """Write down which cell is being executed."""
        self.cell = cell
        self._add({"entered": cell.id})

    def leave(self) -> None:
        """Write down what the cell has shown."""
        if self.meter.cut and not self.cut_in:
            self.cut_in = self.cell.id
        self.show(self.cell)

    def show(self, cell: nbformat.NotebookNode) -> None:
        """Write down what a cell shows, which may be something else than when it was left."""
        shown = {"outputs": cell.outputs, "execution_count": cell.execution_count}
        self._add({"shown": {cell.id: shown}, "cut": self.meter.cut, "cut_in": self.cut_in})

    def end(self, about: Mapping[str, Any]) -> None:
        """Write down what the chapter was about in the end."""
        self._add({"about": about})

    def _add(self, line: Mapping[str, Any]) -> None:
        with self.file.open("a", encoding="utf-8", errors="replace") as file:  # half a character can be in no page
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    # --- read by the other process ---

    def told(self) -> Told:
        """Return what was written down, without a line that its writer could not finish."""
        told: dict[str, Any] = {"shown": {}, "entered": "", "about": None, "cut": 0, "cut_in": ""}
        for text in self.file.read_text("utf-8").split("\n") if self.file.exists() else ():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            told["shown"] |= line.pop("shown", {})
            told |= line
        return Told(told["shown"], told["entered"], told["about"], told["cut"], told["cut_in"])

    def so_far(self, told: Told) -> nbformat.NotebookNode | None:
        """Return the notebook as far as it was executed; None where it was not even begun, or is gone."""
        notebook = self.begun()
        for cell in notebook.cells if notebook else ():
            if (shown := told.shown.get(cell.id)) is not None:
                cell.update(nbformat.from_dict(shown))
        return notebook
