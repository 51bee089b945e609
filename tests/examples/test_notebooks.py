"""The notebook is what its script says, and shows what it shows."""

from __future__ import annotations

from typing import Any

import nbformat

from examples.notebooks.make import NOTEBOOK, executed, notebook


def shown(cells: list[Any]) -> list[Any]:
    """What each cell shows; plain texts are left out where there is something richer."""
    found = []
    for cell in cells:
        for output in cell.get("outputs", ()):
            data = {kind: "".join(text) for kind, text in output["data"].items()}
            rich = {kind: text for kind, text in data.items() if kind != "text/plain"}
            found.append((cell["id"], rich or data))
    return found


def test_the_notebook_runs_and_shows_what_is_kept() -> None:
    kept = nbformat.read(NOTEBOOK, as_version=4)
    assert [(c["id"], c["source"]) for c in kept.cells] == [
        (c["id"], c["source"]) for c in notebook().cells
    ]
    ran = shown(executed(notebook()).cells)
    assert ran == shown(kept.cells)
    kinds = {kind for _, data in ran for kind in data}
    assert kinds == {"text/html", "image/svg+xml", "text/plain"}
    assert any("<svg" in data.get("text/html", "") for _, data in ran)
