"""The step that writes the graph to a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = ["export_graph"]


def export_graph(
    engine: Engine, path: Path, format_name: str | None = None, *, progress: Progress = silent
) -> dict[str, Any]:
    """Write the engine's graph to a file, which appears only when it is whole.

    Args:
        engine: Whose graph.
        path: The file.
        format_name: Name of a format (`kg.graph_formats`); told by the file's name if not given.
        progress: Is told how many entities and edges are written.

    Returns:
        Counts of entities and edges, the format, what it loses, and the file.

    Raises:
        InputError: The name tells no format, or the format cannot hold a text of the graph.
        MissingPartError: There is no graph.
    """
    from kg.graph_formats import format_of, write_graph

    form = format_of(path, format_name, writing=True)
    written = write_graph(engine.store, path, form.name, progress=progress)
    return {**asdict(written), "format": form.name, "loses": form.loses, "file": str(path)}
