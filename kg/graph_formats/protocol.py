"""What a format of whole graphs is: its name, how its files are known, read and written."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

from kg.files import atomic_write
from kg.import_sources import ImportSource
from kg.model import Edge, Entity
from kg.progress import Progress

__all__ = ["Graph", "GraphFormat", "Tally", "Written", "packed"]

TELL_EVERY = 500


class Graph(Protocol):
    """What can be written: every `kg.store.Store`, and whatever else has entities and edges."""

    def entities(self) -> Iterator[Entity]:
        """Iterate entities."""
        ...

    def edges(self) -> Iterator[Edge]:
        """Iterate edges."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What an export wrote.

    Attributes:
        entities: Number of entities.
        edges: Number of edges.
    """

    entities: int
    edges: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFormat:
    """A format.

    Attributes:
        name: Name on the command line.
        endings: What names of its files end in, before ``.gz``; empty for a folder.
        fits: Tells by a file's first bytes, or by a folder, whether it is of this format.
        opened: Opens a file for an import; the second argument is a folder for what is laid out.
        write: Writes a graph; None if the format is only read.
        loses: What a graph loses on its way through a file; empty for nothing.
    """

    name: str
    endings: tuple[str, ...]
    fits: Callable[[Path, bytes], bool]
    opened: Callable[[Path, Path], AbstractContextManager[ImportSource]]
    write: Callable[[Graph, Path, Progress], Written] | None
    loses: str = ""


@contextmanager
def packed(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears only when it is whole, packed if its name ends in ``.gz``."""
    with atomic_write(path) as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as pack:
            yield cast("IO[bytes]", pack)


class Tally:
    """The entities, then the edges of a graph, counted on their way and told to a progress.

    Example:
        >>> from kg.backends.memory import MemoryStore
        >>> tally = Tally(MemoryStore(), lambda done, total: None)
        >>> list(tally.entities()), list(tally.edges()), tally.written
        ([], [], Written(entities=0, edges=0))
    """

    def __init__(self, graph: Graph, progress: Progress) -> None:
        self._graph = graph
        self._progress = progress
        self._entities = self._edges = 0

    @property
    def written(self) -> Written:
        """How many were taken."""
        return Written(entities=self._entities, edges=self._edges)

    def entities(self) -> Iterator[Entity]:
        """Iterate entities."""
        for entity in self._graph.entities():
            self._entities += 1
            self._tell()
            yield entity

    def edges(self) -> Iterator[Edge]:
        """Iterate edges."""
        for edge in self._graph.edges():
            self._edges += 1
            self._tell()
            yield edge

    def _tell(self) -> None:
        done = self._entities + self._edges
        if done % TELL_EVERY == 0:
            self._progress(done, 0)
