"""The data of GraphML's nodes and edges: keys as they are declared, and what stands under them.

Umbra's own keys are read as they were written. Of others a name that no store can hold gets the
nearest that one can; a value that is not of its type costs itself and not its node or edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from xml.etree.ElementTree import Element

from kg.backends.names import RESERVED_ATTRIBUTES, storable_names
from kg.errors import InputError, RecordError
from kg.graph_formats.plain import from_json
from kg.graph_formats.properties import LABEL
from kg.mapped_rows import MappedRow
from kg.value_types import convert

__all__ = ["OURS", "RELATION", "DeclaredKeys"]

OURS = "urn:umbra:graphml"
RELATION = "_relation"

_OWN_NAMES = frozenset({RELATION, LABEL, "_records", "_images", "_part", "_claims"})
_READ = {"boolean": "bool", "int": "int", "long": "int", "float": "float", "double": "float"}
_TEXTS_DRAWN = ("NodeLabel", "EdgeLabel")
"""Elements of yEd's drawings that hold what a node or an edge is called."""

Noun = Literal["node", "edge"]


@dataclass(frozen=True, slots=True)
class _Key:
    name: str
    kind: str
    domain: str
    default: str


@dataclass(slots=True)
class DeclaredKeys:
    """The keys of a file, declared before its first node."""

    _keys: dict[str, _Key] = field(default_factory=dict)
    _names: dict[Noun, Mapping[str, str]] = field(default_factory=dict)

    def declare(self, element: Element) -> None:
        """Take note of a ``key``."""
        kind = element.get("attr.type", "string")
        if element.get(f"{{{OURS}}}list") == "true" or element.get("attr.list"):
            kind = "list"
        if "attr.name" not in element.attrib and "attr.type" not in element.attrib:
            kind = "drawing"
        default = next((child.text or "" for child in element if _tag(child) == "default"), "")
        identity = element.get("id", "")
        self._keys[identity] = _Key(
            name=element.get("attr.name", identity),
            kind=kind,
            domain=element.get("for", "all"),
            default=default.strip(),
        )
        self._names.clear()

    def data(self, element: Element, noun: Noun, row: MappedRow) -> dict[str, Any]:
        """Return the data of a node or an edge; what is not of its type is a reject of the row.

        Raises:
            InputError: A key was not declared.
        """
        names = self._storable(noun)
        found: dict[str, Any] = {}
        texts = {child.get("key", ""): child for child in element if "key" in child.attrib}
        for identity, text in self._given(texts, noun):
            key = self._keys[identity]
            try:
                found[names[key.name]] = _value(text, key)
            except (InputError, RecordError) as error:
                row.blame(error, key.name)
        drawn = (_drawn(child) for i, child in texts.items() if self._keys[i].kind == "drawing")
        if (label := next(filter(None, drawn), None)) is not None:
            found.setdefault("label", label)
        return found

    def _given(self, texts: Mapping[str, Element], noun: Noun) -> Iterator[tuple[str, str]]:
        for identity, child in texts.items():
            if identity not in self._keys:
                raise InputError(f"no key {identity!r} is declared")
            if self._keys[identity].kind != "drawing":
                yield identity, child.text or ""
        for identity, key in self._keys.items():
            if key.default and identity not in texts and key.domain in (noun, "all"):
                yield identity, key.default

    def _storable(self, noun: Noun) -> Mapping[str, str]:
        if noun not in self._names:
            own = {key.name for key in self._keys.values() if _is_own(key, noun)}
            foreign = (key.name for key in self._keys.values() if not _is_own(key, noun))
            taken = own | (RESERVED_ATTRIBUTES if noun == "node" else frozenset())
            self._names[noun] = {
                **storable_names(foreign, taken=taken),
                **{name: name for name in own},
            }
        return self._names[noun]


def _is_own(key: _Key, noun: Noun) -> bool:
    """Tell whether a key is one of those that hold an entity's or an edge's own fields."""
    if key.name in _OWN_NAMES:
        return True
    return noun == "node" and (key.name == "name" or (key.name, key.kind) == ("aliases", "list"))


def _value(text: str, key: _Key) -> Any:
    if key.kind == "list":
        return from_json(text)
    return convert(text, _READ.get(key.kind, "str"), column=key.name)


def _drawn(element: Element) -> str:
    """Return the first text of a drawing of yEd; an empty one if it has none."""
    labels = (inner for inner in element.iter() if _tag(inner) in _TEXTS_DRAWN)
    return next(((inner.text or "").strip() for inner in labels), "")


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
