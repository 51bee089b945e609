"""Names of a graph as IRIs: what stands in SPARQL for a key, a relation, a label, an attribute.

A name that is a web address is its own IRI (keys of imported RDF). Any other stands percent-encoded
after one of four prefixes: ``entity:country:AL``, ``relation:borders``, ``label:Country``,
``attribute:area_km2``. As RDF a graph has, for each entity, ``?x a label:Country``, ``?x a
label:Entity``, a literal of each attribute, of ``attribute:name`` and of ``attribute:key``, and a
triple of each known edge. Attributes that are lists have no literal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote, unquote

from kg.errors import UnsupportedQueryError

__all__ = ["NAMESPACES", "RDF_TYPE", "XSD", "Kind", "iri_of", "iri_text", "name_of"]

Kind = Literal["entity", "relation", "label", "attribute"]

RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
XSD = "http://www.w3.org/2001/XMLSchema#"

NAMESPACES: Mapping[str, str] = MappingProxyType(
    {kind: f"urn:umbra:{kind}:" for kind in ("entity", "relation", "label", "attribute")}
)
"""What the four prefixes stand for."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^<>\"{}|^`\\\x00-\x20]+")
_LOCAL = re.compile(r"(?:[A-Za-z0-9_:]|%[0-9A-F]{2})(?:[A-Za-z0-9_:-]|%[0-9A-F]{2})*")


def iri_of(kind: Kind, name: str) -> str:
    """Return the IRI of a name.

    Raises:
        UnsupportedQueryError: The name is empty or holds half a character (a lone surrogate).

    Example:
        >>> iri_of("entity", "country:AL"), iri_of("relation", "is near")
        ('urn:umbra:entity:country:AL', 'urn:umbra:relation:is%20near')
    """
    if kind != "attribute" and _ADDRESS.fullmatch(name):
        return name
    try:
        local = quote(name, safe=":")
    except UnicodeEncodeError as error:
        raise UnsupportedQueryError(f"{name!r:.60} cannot be written as an IRI") from error
    if not local:
        raise UnsupportedQueryError("an empty name cannot be written as an IRI")
    return NAMESPACES[kind] + local


def iri_text(kind: Kind, name: str) -> str:
    """Return the IRI of a name as SPARQL writes it: with its prefix where that is possible."""
    iri = iri_of(kind, name)
    local = iri.removeprefix(NAMESPACES[kind])
    return f"{kind}:{local}" if local != iri and _LOCAL.fullmatch(local) else f"<{iri}>"


def name_of(iri: str) -> tuple[Kind | None, str] | None:
    """Return the kind and name that an IRI stands for; kind None for a web address of any kind.

    Returns:
        None where the IRI stands for nothing here.
    """
    for kind, namespace in NAMESPACES.items():
        if iri.startswith(namespace) and len(iri) > len(namespace):
            try:
                return _KINDS[kind], unquote(iri.removeprefix(namespace), errors="strict")
            except UnicodeDecodeError:
                return None
    return (None, iri) if _ADDRESS.fullmatch(iri) else None


_KINDS: dict[str, Kind] = {
    "entity": "entity",
    "relation": "relation",
    "label": "label",
    "attribute": "attribute",
}
