"""The step that holds the graph to a schema and to shapes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.engine import Engine
    from kg.schema_check import Finding

__all__ = ["check_stored"]


def check_stored(
    engine: Engine, *, schema: Path | None = None, shapes: Path | None = None
) -> list[Finding]:
    """Return what in the engine's graph breaks a schema or shapes.

    Args:
        engine: Whose graph.
        schema: TOML, see `kg.schema`.
        shapes: SHACL in Turtle.

    Raises:
        MappingError: The schema cannot be read.
        RecordError: The shapes cannot be read.
        MissingPartError: pyshacl is not installed, or there is no graph.
    """
    from kg.schema import load_schema
    from kg.schema_check import check_graph

    found: list[Finding] = []
    if schema is not None:
        found += check_graph(engine.store, load_schema(schema))
    if shapes is not None:
        from kg.rdf.shapes import check_shapes  # rdflib is slow to import

        found += check_shapes(engine.store, shapes)
    return found
