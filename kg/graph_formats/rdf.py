"""RDF as formats of whole graphs: N-Triples, N-Quads, Turtle, TriG, JSON-LD, RDF/XML.

`kg.rdf.quads` says what a graph is as RDF. Nothing is lost; other people's RDF is read too, as
`kg.rdf.descriptions` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, cast

from pyoxigraph import Literal, Quad, RdfFormat, serialize

from kg.backends.merging import checked_edge, checked_entity
from kg.errors import InputError
from kg.files import sha256_of_file
from kg.graph_formats.graphml import check_xml
from kg.graph_formats.protocol import Graph, GraphFormat, Tally, Written, packed
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.progress import Progress
from kg.rdf.descriptions import (
    asserted_in,
    edge_of,
    edge_of_triple,
    entity_of,
    is_about_facts,
    key_of,
)
from kg.rdf.names import NAMESPACES, RDF, SKOS, UMBRA, XSD
from kg.rdf.parsing import read_quads
from kg.rdf.quads import edge_quads, entity_quads, statement_iri
from kg.rdf.staging import Description, StagedQuads, is_relation, stage

__all__ = ["RDF_FORMATS", "opened_rdf"]

PREFIXES = {
    **NAMESPACES,
    "umbra": UMBRA,
    "record": "urn:umbra:record:",
    "statement": "urn:umbra:statement:",
    "rdf": RDF,
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": SKOS,
    "xsd": XSD,
}


@dataclass(frozen=True, slots=True)
class _Rejects:
    staged: StagedQuads

    @property
    def positions(self) -> int:
        return self.staged.rejects

    def rows(self, first: int) -> Iterator[MappedRow]:
        for number, reject in self.staged.rejected(first):
            row = MappedRow(file=reject.file, line=reject.line, text=reject.text, position=number)
            row.rejects.append(reject)
            yield row


@dataclass(frozen=True, slots=True)
class _Subjects:
    staged: StagedQuads
    file: str

    @property
    def positions(self) -> int:
        return self.staged.subjects

    def _row(self, described: Description, line: int, graph: str | None = None) -> MappedRow:
        return MappedRow(
            file=self.file,
            line=line,
            text=described.subject,
            position=described.number,
            asserted=asserted_in(line, graph, self.file),
        )


class _Entities(_Subjects):
    def rows(self, first: int) -> Iterator[MappedRow]:
        for described in self.staged.descriptions(first):
            if is_about_facts(described):
                continue
            row = self._row(described, described.line)
            try:
                row.entity = checked_entity(entity_of(described, self.file, self.staged.parts))
            except InputError as error:
                row.blame(error)
            yield row


class _Edges(_Subjects):
    def rows(self, first: int) -> Iterator[MappedRow]:
        for described in self.staged.descriptions(first):
            if is_about_facts(described):
                row = self._row(described, described.line)
                try:
                    row.edge = checked_edge(edge_of(described, self.file, self.staged.parts))
                except InputError as error:
                    row.blame(error)
                yield row
            else:
                yield from self._triples(described)

    def _triples(self, described: Description) -> Iterator[MappedRow]:
        for part in filter(is_relation, described.parts):
            row = self._row(described, part.line, part.graph)
            edge = edge_of_triple(described.subject, part, self.file)
            if self.staged.has(statement_iri(edge.key)):
                continue  # it comes with its statement, which says more
            try:
                row.edge = checked_edge(edge)
            except InputError as error:
                row.text = f"{described.subject} {part.predicate} {part.object}"
                row.blame(error)
            yield row


@contextmanager
def opened_rdf(form: RdfFormat, path: Path, work: Path) -> Iterator[ImportSource]:
    """Lay a file of RDF out by subject, and open it for an import."""
    content = sha256_of_file(path)
    staged_file = work / f"{content}.sqlite"
    if not staged_file.exists():  # else an import that was stopped left it, whole
        stage(read_quads(path, form), staged_file, file=path.name)
    with StagedQuads(staged_file) as staged:
        entities = _Entities(staged, path.name)
        yield ImportSource(
            name=path.name,
            content=content,
            entities=(_Rejects(staged), entities),
            edges=(_Edges(staged, path.name),),
            sample=(entities,),
        )
    staged_file.unlink(missing_ok=True)


def _write(form: RdfFormat, graph: Graph, path: Path, progress: Progress) -> Written:
    tally = Tally(graph, progress)
    quads = chain(
        chain.from_iterable(map(entity_quads, tally.entities())),
        chain.from_iterable(map(edge_quads, tally.edges())),
    )
    with packed(path) as file:
        if form == RdfFormat.JSON_LD:
            _write_nodes(tally, file)
        elif form.supports_datasets:
            serialize(quads, file, form, prefixes=PREFIXES)
        elif form == RdfFormat.RDF_XML:
            _XmlFile(file).take(quads)
        else:
            serialize((quad.triple for quad in quads), file, form, prefixes=PREFIXES)
    return tally.written


def _write_nodes(tally: Tally, file: IO[bytes]) -> None:
    """Write JSON-LD as an array with a line for each entity and each edge."""
    comma = b""
    file.write(b"[\n")
    described = chain(map(entity_quads, tally.entities()), map(edge_quads, tally.edges()))
    for quads in described:
        nodes = serialize(quads, format=RdfFormat.JSON_LD) or b""
        file.write(comma + nodes.strip()[1:-1])
        comma = b",\n"
    file.write(b"\n]\n")


class _XmlFile:
    """A file of RDF/XML: carriage returns, which XML would change, are written as references."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def take(self, quads: Iterator[Quad]) -> None:
        """Write quads as triples."""
        triples = (self._checked(quad).triple for quad in quads)
        serialize(triples, cast("IO[bytes]", self), RdfFormat.RDF_XML, prefixes={"umbra": UMBRA})

    def write(self, data: bytes) -> int:
        """Take what the serializer gives."""
        self._file.write(bytes(data).replace(b"\r", b"&#xD;"))
        return len(data)

    def flush(self) -> None:
        """Pass on."""
        self._file.flush()

    def _checked(self, quad: Quad) -> Quad:
        if isinstance(quad.object, Literal):
            check_xml(quad.object.value, key_of(str(getattr(quad.subject, "value", quad.subject))))
        return quad


def _format(name: str, form: RdfFormat, *endings: str, begins: bytes = b"") -> GraphFormat:
    return GraphFormat(
        name=name,
        endings=endings,
        fits=lambda _path, head: head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(begins),
        opened=partial(opened_rdf, form),
        write=partial(_write, form),
    )


RDF_FORMATS = (
    _format("n-triples", RdfFormat.N_TRIPLES, ".nt"),
    _format("n-quads", RdfFormat.N_QUADS, ".nq"),
    _format("turtle", RdfFormat.TURTLE, ".ttl"),
    _format("trig", RdfFormat.TRIG, ".trig"),
    _format("json-ld", RdfFormat.JSON_LD, ".jsonld"),
    _format("rdf-xml", RdfFormat.RDF_XML, ".rdf", ".owl", ".xml", begins=b"<"),
)
"""The formats of RDF."""
