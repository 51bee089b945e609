"""All formats of whole graphs, and which of them a file is in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kg.errors import InputError, RecordError
from kg.formats.records import readable
from kg.formats.tables import is_table
from kg.graph_formats.arrow import ARROW, PARQUET
from kg.graph_formats.benchmark_folder import BENCHMARK
from kg.graph_formats.graphml import GRAPHML
from kg.graph_formats.lines import LINES
from kg.graph_formats.neo4j_admin import NEO4J
from kg.graph_formats.protocol import Graph, GraphFormat, Written
from kg.graph_formats.rdf import RDF_FORMATS
from kg.graph_formats.wikidata import WIKIDATA
from kg.import_sources import ImportSource
from kg.progress import Progress, silent

__all__ = ["FORMATS", "format_of", "opened_graph", "write_graph"]

HEAD_BYTES = 4_096

FORMATS: tuple[GraphFormat, ...] = (
    *(LINES, WIKIDATA, GRAPHML, NEO4J, BENCHMARK, PARQUET, ARROW),
    *RDF_FORMATS,
)
"""In the order in which they are tried on a file."""


def format_of(path: Path, name: str | None = None, *, writing: bool = False) -> GraphFormat:
    """Return the format of a file: the one that is named, else by its name and content.

    Raises:
        InputError: There is no format of that name, it cannot be written, or none fits the file.
        RecordError: The file is missing or damaged.

    Example:
        >>> format_of(Path("world.ttl.gz"), writing=True).name
        'turtle'
    """
    known = [each for each in FORMATS if not writing or each.write is not None]
    names = ", ".join(each.name for each in known)
    if name is not None:
        found = next((each for each in known if each.name == name), None)
        if found is None:
            raise InputError(f"no format {name!r}", hint=f"take one of {names}")
        if not (writing or path.exists()):
            raise RecordError("no such file", path=str(path))
        return found
    ending = _ending(path)
    by_name = [each for each in known if ending in each.endings]
    if writing:
        if not by_name:
            raise InputError(
                "the name tells no format",
                where=str(path),
                hint=f"name it with --format: {names}",
            )
        return by_name[0]
    if path.is_dir():
        by_name, head = [each for each in known if not each.endings], b""
    else:
        with readable(path) as file:
            head = file.read(HEAD_BYTES)
    found = next((each for each in by_name if each.fits(path, head)), None)
    if found is None:
        table = is_table(path)
        propose = f"`umbra build {path.name} --propose` prints one to begin with"
        raise RecordError(
            "neither its name nor its content tells a format of graphs",
            path=str(path),
            hint=f"write a mapping (docs/mapping.md): {propose}"
            if table
            else f"name it with --format ({names}), or write a mapping (docs/mapping.md)",
        )
    return found


@contextmanager
def opened_graph(path: Path, work: Path, name: str | None = None) -> Iterator[ImportSource]:
    """Open a file for an import.

    Args:
        path: The file or folder.
        work: Folder for what is laid out on disk meanwhile.
        name: Name of its format; told by name and content if not given.

    Raises:
        InputError: There is no format of that name, or none fits the file.
        RecordError: The file is missing or damaged.
    """
    form = format_of(path, name)
    with form.opened(path, work) as source:
        yield source


def write_graph(
    graph: Graph, path: Path, name: str | None = None, *, progress: Progress = silent
) -> Written:
    """Write a graph to a file, which appears only when it is whole.

    Args:
        graph: A store, or whatever else has entities and edges.
        path: The file; packed if its name ends in ``.gz``. A folder for formats of several files.
        name: Name of the format; told by the file's name if not given.
        progress: Told how many entities and edges are written, of 0.

    Raises:
        InputError: The name tells no format, or the format cannot hold a text of the graph.

    Example:
        >>> import tempfile
        >>> from kg.backends.memory import MemoryStore
        >>> file = Path(tempfile.mkdtemp()) / "empty.nt"
        >>> write_graph(MemoryStore(), file)
        Written(entities=0, edges=0)
    """
    form = format_of(path, name, writing=True)
    assert form.write is not None  # noqa: S101 - `writing` asks for those that have it
    try:
        return form.write(graph, path, progress)
    except UnicodeEncodeError as error:
        raise InputError(
            "a text of the graph holds half a character",
            where=repr(error.object)[:80],
            hint="mend it in the graph; no file can hold it",
        ) from error


def _ending(path: Path) -> str:
    return (Path(path.stem).suffix if path.suffix == ".gz" else path.suffix).lower()
