"""GraphML: a line for each node and edge, typed data, no loss.

Data are the flat properties of `kg.graph_formats.properties`; a list is JSON, which its key says by
an attribute of our own. GraphML of others is read too, as a stream: after an error reading goes on
at the next line that begins a node or an edge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser
from xml.sax.saxutils import escape, quoteattr

from kg.errors import EngineError, InputError
from kg.formats.records import MAX_LINE_BYTES, Reject, count_lines, lines, readable
from kg.graph_formats.plain import from_json
from kg.graph_formats.properties import edge_of_row, edge_row, entity_of_row, entity_row
from kg.graph_formats.protocol import Graph, GraphFormat, Tally, Written, packed
from kg.graph_formats.rows import row_source
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.progress import Progress
from kg.provenance import Provenance
from kg.value_types import convert

__all__ = ["GRAPHML", "check_xml"]

SPACE, OURS = "http://graphml.graphdrawing.org/xmlns", "urn:umbra:graphml"
RELATION = "_relation"
RELATED = "related_to"
_HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="{SPACE}" xmlns:umbra="{OURS}">\n'
_AGAIN = f'<graphml xmlns="{SPACE}"><graph>\n'.encode()
_TYPES = {bool: "boolean", int: "long", float: "double", str: "string"}
_READ = {"boolean": "bool", "int": "int", "long": "int", "float": "float", "double": "float"}
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
    keys: dict[str, tuple[str, str]] = {}
    with readable(path) as file:
        numbered = lines(file, MAX_LINE_BYTES)
        lost = False
        parser = _parser()
        reading = _Reading(path, keys)
        for number, line in numbered:
            text = line or b""
            if lost and not text.lstrip().startswith((b"<node", b"<edge")):
                continue
            if lost:
                parser, lost = _parser(), False
                parser.feed(_AGAIN)
                reading.begin(parser)
            try:
                if line is None:
                    raise ParseError(f"longer than {MAX_LINE_BYTES:,} bytes")
                parser.feed(line)
                yield from reading.rows(parser, number)
            except ParseError as error:
                row = MappedRow(file=path.name, line=number, text=text.decode(errors="replace"))
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


def _parser() -> XMLPullParser[Element]:
    return XMLPullParser(("start", "end"))


class _Reading:
    """Turns the events of a parser into rows, and keeps no element longer than it needs."""

    def __init__(self, path: Path, keys: dict[str, tuple[str, str]]) -> None:
        self._file = path.name
        self._keys = keys
        self._graph: Element | None = None
        self._line = 0

    def begin(self, parser: XMLPullParser[Element]) -> None:
        """Take note of the graph that a new parser is in."""
        for _ in self.rows(parser, 0):
            pass

    def rows(self, parser: XMLPullParser[Element], line: int) -> Iterator[MappedRow]:
        """Yield the rows that are complete."""
        for event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
            name = str(element.tag).rpartition("}")[2]
            if event == "start":
                if name == "graph" and self._graph is None:
                    self._graph = element
                elif name in ("node", "edge"):
                    self._line = line
            elif name == "key":
                self._declare(element)
            elif name in ("node", "edge"):
                yield self._row(element, name)
                if self._graph is not None:
                    self._graph.clear()
            elif name == "graph":
                self._graph = None

    def _declare(self, element: Element) -> None:
        kind = element.get("attr.type", "string")
        if element.get(f"{{{OURS}}}list") == "true":
            kind = "list"
        self._keys[element.get("id", "")] = (element.get("attr.name", ""), kind)

    def _row(self, element: Element, name: str) -> MappedRow:
        row = MappedRow(file=self._file, line=self._line, text=f"{name} {dict(element.attrib)}")
        asserted = Provenance(kind="asserted", source=self._file, locator=f"line {row.line}")
        try:
            data = self._data(element)
            if name == "node":
                key = element.get("id", "")
                shown = {} if data.get("name") else {"name": data.get("label") or key}
                row.entity = entity_of_row({**data, **shown, "key": key}, asserted)
            else:
                relation = data.pop(RELATION, None) or data.pop("label", None) or RELATED
                ends = (element.get("source", ""), str(relation), element.get("target", ""))
                row.edge = edge_of_row(*ends, data, asserted)
        except EngineError as error:
            row.blame(error)
        return row

    def _data(self, element: Element) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for child in element:
            key = child.get("key")
            if key is None:
                continue
            if key not in self._keys:
                raise InputError(f"no key {key!r} is declared")
            name, kind = self._keys[key]
            text = child.text or ""
            if kind == "list":
                found[name] = from_json(text)
            else:
                found[name] = convert(text, _READ.get(kind, "str"), column=name)
        return found


GRAPHML = GraphFormat(
    name="graphml",
    endings=(".graphml", ".xml"),
    fits=lambda _path, head: b"<graphml" in head,
    opened=_opened,
    write=_write,
)
