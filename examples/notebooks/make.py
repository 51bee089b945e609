"""Write `first_graph.ipynb` from the cells of `first_graph.py`, with what running them shows.

Command: ``python -m examples.notebooks.make``. A test runs the notebook and compares the outputs.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

__all__ = ["NOTEBOOK", "executed", "main", "notebook"]

FOLDER = Path(__file__).parent
NOTEBOOK = FOLDER / "first_graph.ipynb"
MOST_S = 300
"""Seconds that a cell may take."""
_MARK = re.compile(r"^# %%( \[markdown\])?\n", re.MULTILINE)


def notebook() -> NotebookNode:
    """Return the notebook without outputs, its cells parted by the marks ``# %%``."""
    made = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    _, *parts = _MARK.split(NOTEBOOK.with_suffix(".py").read_text(encoding="utf-8"))
    for number, (prose, text) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        said = re.sub(r"^# ?", "", text, flags=re.MULTILINE) if prose else text
        cell = (new_markdown_cell if prose else new_code_cell)(said.strip())
        cell["id"] = f"cell-{number:02}"
        made.cells.append(cell)
    return made


def executed(made: NotebookNode) -> NotebookNode:
    """Run a notebook in its folder and return it with its outputs; an error in a cell is raised."""
    place = {"metadata": {"path": str(FOLDER)}}
    found: NotebookNode = NotebookClient(made, timeout=MOST_S, resources=place).execute()
    for cell in found.cells:
        cell.metadata.pop("execution", None)  # when each cell ran
    return found


def main() -> None:
    """Run and write the notebook."""
    nbformat.write(executed(notebook()), NOTEBOOK)


if __name__ == "__main__":
    main()
