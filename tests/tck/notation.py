"""The kit's notation of values, and one form in which values of any origin can be compared."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from neo4j.graph import Node, Path, Relationship

from kg.backends.values import cypher_text
from kg.query_values import EdgeValue, NodeValue, PathValue

__all__ = ["comparable", "parsed"]

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"`([^`]*)`|([^\W\d]\w*)")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_WORDS: dict[str, Any] = {
    "null": None, "true": True, "false": False, "NaN": math.nan, "Inf": math.inf,
    "-Inf": -math.inf,
}  # fmt: skip
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class _Node:
    labels: frozenset[str]
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class _Edge:
    type: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class _Path:
    """Nodes and the edges between them, each edge with whether the path follows its direction."""

    nodes: tuple[_Node, ...]
    edges: tuple[tuple[_Edge, bool], ...]


def parsed(text: str) -> Any:
    """Return the value that a cell of the kit describes.

    Raises:
        ValueError: It is not in the kit's notation.
    """
    reader = _Reader(text)
    value = reader.value()
    reader.skip()
    if reader.at != len(text):
        raise ValueError(f"unread text after a value: {text[reader.at :]!r}")
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def sees(self, sign: str) -> bool:
        self.skip()
        return self.text.startswith(sign, self.at)

    def takes(self, sign: str) -> bool:
        seen = self.sees(sign)
        self.at += len(sign) if seen else 0
        return seen

    def need(self, sign: str) -> None:
        if not self.takes(sign):
            raise ValueError(f"expected {sign!r} at {self.at} of {self.text!r}")

    def matched(self, pattern: re.Pattern[str]) -> re.Match[str]:
        self.skip()
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"nothing known at {self.at} of {self.text!r}")
        self.at = found.end()
        return found

    def value(self) -> Any:
        for word, value in _WORDS.items():
            if self.takes(word):
                return value
        if self.sees("'"):
            return self.string()
        if self.sees("("):
            return self.node()
        if self.takes("<"):
            return self.path()
        if self.takes("["):
            return self.edge() if self.sees(":") else self.items("]", self.value)
        if self.sees("{"):
            return self.map()
        number = self.matched(_NUMBER).group()
        return int(number) if number.lstrip("+-").isdigit() else float(number)

    def items(self, closing: str, item: Callable[[], Any]) -> list[Any]:
        found: list[Any] = []
        while not self.takes(closing):
            found.append(item())
            if not self.sees(closing):
                self.need(",")
        return found

    def map(self) -> dict[str, Any]:
        self.need("{")
        return dict(self.items("}", self.entry))

    def entry(self) -> tuple[str, Any]:
        name = self.name()
        self.need(":")
        return name, self.value()

    def name(self) -> str:
        quoted, bare = self.matched(_NAME).groups()
        return str(bare if quoted is None else quoted)

    def string(self) -> str:
        self.need("'")
        letters: list[str] = []
        while (letter := self.text[self.at]) != "'":
            self.at += 1
            if letter == "\\":
                letter = self.text[self.at]
                letter = _ESCAPED.get(letter, letter)
                self.at += 1
            letters.append(letter)
        self.at += 1
        return "".join(letters)

    def node(self) -> _Node:
        self.need("(")
        labels = set()
        while self.takes(":"):
            labels.add(self.name())
        properties = self.map() if self.sees("{") else {}
        self.need(")")
        return _Node(frozenset(labels), properties)

    def edge(self) -> _Edge:
        self.need(":")
        kind = self.name()
        properties = self.map() if self.sees("{") else {}
        self.need("]")
        return _Edge(kind, properties)

    def path(self) -> _Path:
        nodes, edges = [self.node()], []
        while not self.takes(">"):
            back = self.takes("<-")
            if not back:
                self.need("-")
            self.need("[")
            edges.append((self.edge(), not back))
            self.need("-" if back else "->")
            nodes.append(self.node())
        return _Path(tuple(nodes), tuple(edges))


def comparable(value: Any, *, lists_in_order: bool = True) -> Hashable:
    """Return a form in which equal values of the kit, of Umbra and of the driver are equal.

    Whole numbers and floats differ, NaN equals NaN, times are their ISO 8601 texts.

    Args:
        value: What `parsed` returned, or a value of a result.
        lists_in_order: False if lists count as bags.
    """

    def form(item: Any) -> Hashable:
        return comparable(item, lists_in_order=lists_in_order)

    def mapped(items: Mapping[str, Any]) -> Hashable:
        return frozenset((name, form(item)) for name, item in items.items())

    match value:
        case None | bool() | int():
            return (type(value).__name__, value)
        case float():
            return ("float", "nan" if math.isnan(value) else value)
        case str():
            return ("text", str(value))
        case _Node(labels, properties) | NodeValue(labels=labels, properties=properties):
            return ("node", frozenset(labels), mapped(properties))
        case Node():
            return ("node", frozenset(value.labels), mapped(dict(value)))
        case _Edge(kind, properties) | EdgeValue(type=kind, properties=properties):
            return ("edge", kind, mapped(properties))
        case Relationship():
            return ("edge", value.type, mapped(dict(value)))
        case _Path():
            edges = tuple((form(edge), forward) for edge, forward in value.edges)
            return ("path", tuple(map(form, value.nodes)), edges)
        case PathValue() | Path():
            edges = tuple(
                (form(edge), _head(edge) == _id(node))
                for node, edge in zip(value.nodes, _edges(value), strict=False)
            )
            return ("path", tuple(map(form, value.nodes)), edges)
        case Mapping():
            return ("map", mapped(value))
        case list():
            forms = [form(item) for item in value]
            return ("list", tuple(forms if lists_in_order else sorted(forms, key=repr)))
        case _:
            return ("text", cypher_text(value))


def _edges(path: PathValue | Path) -> Any:
    return path.edges if isinstance(path, PathValue) else path.relationships


def _head(edge: EdgeValue | Relationship) -> str | None:
    if isinstance(edge, EdgeValue):
        return edge.head_id
    return None if edge.start_node is None else edge.start_node.element_id


def _id(node: NodeValue | Node) -> str:
    return node.id if isinstance(node, NodeValue) else str(node.element_id)
