"""GraphML: a line for each node and edge, typed data, no loss.

Data are the flat properties of `kg.graph_formats.properties`; a list is JSON, which its key says by
an attribute of our own. GraphML of others (networkx, Gephi, yEd, Neo4j) is read too, as a stream:
after an error reading goes on at the next line that begins a node or an edge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser
from xml.sax.saxutils import escape, quoteattr

from kg.backends.names import storable_name
from kg.errors import EngineError, InputError
from kg.formats.records import MAX_LINE_BYTES, Reject, count_lines, readable
from kg.graph_formats.graphml_data import OURS, RELATION, DeclaredKeys
from kg.graph_formats.properties import (
    LABEL,
    TYPES,
    edge_of_row,
    edge_row,
    entity_of_row,
    entity_row,
)
from kg.graph_formats.protocol import Graph, GraphFormat, Tally, Written, packed
from kg.graph_formats.rows import row_source
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.progress import Progress
from kg.provenance import Provenance

__all__ = ["GRAPHML", "check_xml"]

SPACE = "http://graphml.graphdrawing.org/xmlns"
RELATED = "related_to"
_HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="{SPACE}" xmlns:umbra="{OURS}">\n'
_AGAIN = f'<graphml xmlns="{SPACE}"><graph>\n'.encode()
_TYPES = {bool: "boolean", int: "long", float: "double", str: "string"}
_SAID = ("label", "Edge_Label")  # where others write what an edge is called
_PIECE_BYTES = 2**16
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_Key = tuple[str, str]


def check_xml(text: str, where: str) -> str:
    """Return a text that XML can hold.

    Raises:
        InputError: It has a control character.
        UnicodeEncodeError: It holds half a character.
    """
    if _NOT_XML.search(text):
        text.encode()
        raise InputError(
            "XML cannot hold a control character of this text",
            where=where,
            hint="take another format, Turtle for instance",
        )
    return text


def _write(graph: Graph, path: Path, progress: Progress) -> Written:
    keys = _keys(graph)
    tally = Tally(graph, progress)
    with packed(path) as file:
        file.write(_HEAD.encode())
        for (name, kind), number in keys.items():
            ours = ' umbra:list="true"' if kind == "list" else ""
            shown = "string" if kind == "list" else kind
            file.write(
                f'<key id="d{number}" for="all" attr.name={quoteattr(name)} '
                f'attr.type="{shown}"{ours}/>\n'.encode()
            )
        file.write(b'<graph edgedefault="directed">\n')
        for entity in tally.entities():
            row = entity_row(entity)
            key = _attribute(row.pop("key"), entity.key)
            file.write(f"<node id={key}>{_data(row, keys, entity.key)}</node>\n".encode())
        for edge in tally.edges():
            ends = [_attribute(key, " ".join(edge.key)) for key in (edge.head, edge.tail)]
            data = _data({RELATION: edge.relation, **edge_row(edge)}, keys, " ".join(edge.key))
            file.write(f"<edge source={ends[0]} target={ends[1]}>{data}</edge>\n".encode())
        file.write(b"</graph>\n</graphml>\n")
    return tally.written


def _keys(graph: Graph) -> dict[_Key, int]:
    """Return a number for each key of data; GraphML wants them all before the first node."""
    found: dict[_Key, int] = {(RELATION, "string"): 0}
    for row in chain(map(entity_row, graph.entities()), map(edge_row, graph.edges())):
        for name, value in row.items():
            found.setdefault((name, _kind(value)), len(found))
    return found


def _kind(value: object) -> str:
    return "list" if isinstance(value, list) else _TYPES[type(value)]


def _attribute(text: str, where: str) -> str:
    return quoteattr(check_xml(text, where))


def _data(row: Mapping[str, Any], keys: Mapping[_Key, int], where: str) -> str:
    parts = []
    for name, value in row.items():
        kind = _kind(value)
        if kind == "list":
            text = json.dumps(value, ensure_ascii=False)
        else:
            text = str(value).lower() if kind == "boolean" else str(value)
        shown = escape(check_xml(text, where), {"\n": "&#10;", "\r": "&#13;"})
        parts.append(f'<data key="d{keys[name, kind]}">{shown}</data>')
    return "".join(parts)


@contextmanager
def _opened(path: Path, _work: Path) -> Iterator[ImportSource]:
    yield row_source(path, count_lines(path), _rows)


def _rows(path: Path) -> Iterator[MappedRow]:
    keys = DeclaredKeys()
    with readable(path) as file:
        lost = False
        parser = _parser()
        reading = _Reading(path, keys)
        begins = True
        for number, piece in _pieces(file):
            if lost and not (begins and piece.lstrip().startswith((b"<node", b"<edge"))):
                begins = piece.endswith(b"\n")
                continue
            if lost:
                parser, lost = _parser(), False
                parser.feed(_AGAIN)
                reading.begin(parser)
            begins = piece.endswith(b"\n")
            try:
                parser.feed(piece)
                yield from reading.rows(parser, number)
                if reading.size(len(piece)) > MAX_LINE_BYTES:
                    raise ParseError(f"longer than {MAX_LINE_BYTES:,} bytes")
            except ParseError as error:
                text = piece.decode(errors="replace").rstrip("\r\n")
                row = MappedRow(file=path.name, line=number, text=text)
                row.rejects.append(
                    Reject(
                        file=row.file,
                        line=number,
                        column=None,
                        reason=f"not GraphML: {str(error).partition(':')[0]}",
                        text=row.text,
                    )
                )
                yield row
                lost = True


def _pieces(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield lines with their numbers, a long one in pieces: some programs write no line ends."""
    number, inside = 0, False
    while piece := file.readline(_PIECE_BYTES):
        number += not inside
        inside = not piece.endswith(b"\n")
        yield number, piece


def _parser() -> XMLPullParser[Element]:
    return XMLPullParser(("start", "end"))


class _Reading:
    """Turns the events of a parser into rows, and keeps no element longer than it needs."""

    def __init__(self, path: Path, keys: DeclaredKeys) -> None:
        self._file = path.name
        self._keys = keys
        self._graphs: list[Element] = []
        self._line = 0
        self._size = 0

    def begin(self, parser: XMLPullParser[Element]) -> None:
        """Take note of the graph that a new parser is in."""
        self._graphs.clear()
        for _ in self.rows(parser, 0):
            pass

    def size(self, more: int) -> int:
        """Return how many bytes were read since the last row, with those of a piece."""
        self._size += more
        return self._size

    def rows(self, parser: XMLPullParser[Element], line: int) -> Iterator[MappedRow]:
        """Yield the rows that are complete."""
        for event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
            name = str(element.tag).rpartition("}")[2]
            if event == "start":
                if name == "graph":
                    self._graphs.append(element)
                elif name in ("node", "edge"):
                    self._line = line
            elif name == "key":
                self._keys.declare(element)
                self._size = 0
            elif name in ("node", "edge"):
                self._size = 0
                yield self._row(element, name)
                if self._graphs:
                    self._graphs[-1].clear()
            elif name == "graph" and self._graphs:
                self._graphs.pop()

    def _row(self, element: Element, name: str) -> MappedRow:
        row = MappedRow(file=self._file, line=self._line, text=f"{name} {dict(element.attrib)}")
        asserted = Provenance(kind="asserted", source=self._file, locator=f"line {row.line}")
        row.asserted = asserted
        try:
            if name == "node":
                data = _node(element, self._keys.data(element, "node", row))
                row.entity = entity_of_row(data, asserted)
            else:
                data = self._keys.data(element, "edge", row)
                ends = (
                    element.get("source", ""),
                    _relation(element, data),
                    element.get("target", ""),
                )
                row.edge = edge_of_row(*ends, data, asserted)
        except EngineError as error:
            row.blame(error)
        return row


def _node(element: Element, data: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of a node: with its key, a name, and the labels that Neo4j writes."""
    key = element.get("id", "")
    shown = data.get("name") or data.get("label") or key
    found = {**data, "key": key, "name": str(shown)}
    labels = [storable_name(label) for label in element.get("labels", "").split(":") if label]
    if labels:
        found.pop("labels", None)  # the same again, as a text
        found[LABEL] = labels[0]
        found |= {TYPES: labels[1:]} if labels[1:] else {}
    return found


def _relation(element: Element, data: dict[str, Any]) -> str:
    """Take the relation of an edge out of its data; a name that must change stays there, too."""
    if own := data.pop(RELATION, None):
        return str(own)
    said = next((name for name in _SAID if data.get(name)), None)
    label = element.get("label") or (None if said is None else str(data[said]))
    relation = RELATED if label is None else storable_name(label)
    if said is not None and relation == data[said]:
        del data[said]
    return relation


GRAPHML = GraphFormat(
    name="graphml",
    endings=(".graphml", ".xml"),
    fits=lambda _path, head: b"<graphml" in head,
    opened=_opened,
    write=_write,
)
