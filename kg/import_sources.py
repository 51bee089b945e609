"""What an import reads, whatever it comes from: tables of entities and of edges.

A mapping's tables are made here; those of a file that is a whole graph by its format
(`kg.graph_formats`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kg.errors import ImageError
from kg.formats.tables import table_positions
from kg.images import ImageFolder
from kg.import_shards import RowTable
from kg.mapped_rows import ImageReader, MappedRow, edge_rows, entity_rows
from kg.mapping import EdgeTable, EntityTable, GraphMapping
from kg.model import EntityKey, ImageRef

__all__ = ["ImportSource", "MappedEdges", "MappedEntities", "mapping_source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSource:
    """Tables to import, and by what their import is known again.

    Attributes:
        name: Name of the file.
        content: Hash of all that is read.
        entities: Tables of entities.
        edges: Tables of edges, all of them after all entities.
        sample: Tables of the same entities in which the first is found at little cost.
    """

    name: str
    content: str
    entities: tuple[RowTable, ...]
    edges: tuple[RowTable, ...]
    sample: tuple[RowTable, ...]

    def first_key(self) -> EntityKey | None:
        """Return the key of the first entity."""
        rows = (row for table in self.sample for row in table.rows(1))
        return next((row.entity.key for row in rows if row.entity is not None), None)


@dataclass(frozen=True, slots=True)
class MappedEntities:
    """A mapping's table of entities.

    Attributes:
        table: What the mapping says.
        add_image: Keeps a picture and returns what is known of it.
        positions: Lines of its file.
    """

    table: EntityTable
    add_image: ImageReader
    positions: int

    def rows(self, first: int) -> Iterator[MappedRow]:
        """Yield the rows from a line on."""
        return entity_rows(self.table, self.add_image, first_line=first)


@dataclass(frozen=True, slots=True)
class MappedEdges:
    """A mapping's table of edges.

    Attributes:
        table: What the mapping says.
        positions: Lines of its file.
    """

    table: EdgeTable
    positions: int

    def rows(self, first: int) -> Iterator[MappedRow]:
        """Yield the rows from a line on."""
        return edge_rows(self.table, first_line=first)


def mapping_source(
    mapping: GraphMapping, images: ImageFolder | None, *, keep: bool = True
) -> ImportSource:
    """Return the tables of a mapping.

    Args:
        mapping: The mapping.
        images: Where its pictures are kept; None to leave them out.
        keep: Keep the pictures; else they are only looked at.

    Raises:
        RecordError: A file is damaged.
    """
    files = {table.source.file for table in mapping.entities}
    files |= {table.source.file for table in mapping.edges}
    lines = {file: table_positions(file) for file in files}
    add_image: ImageReader = _no_image
    if images is not None:
        take = images.add if keep else images.check
        add_image = partial(_add_image, take, mapping.folder)
    plain = (replace(table, image=None, attributes={}, aliases=None) for table in mapping.entities)
    return ImportSource(
        name=mapping.path.name,
        content=mapping.content,
        entities=tuple(
            MappedEntities(table, add_image, lines[table.source.file]) for table in mapping.entities
        ),
        edges=tuple(MappedEdges(table, lines[table.source.file]) for table in mapping.edges),
        sample=tuple(MappedEntities(table, _no_image, 1) for table in plain),
    )


def _add_image(take: Callable[..., ImageRef], folder: Path, name: str) -> ImageRef:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ImageError("outside the folder of the mapping", where=name)
    return take(path, source=name)


def _no_image(name: str) -> ImageRef:
    raise ImageError("not read", where=name)
