"""Names of a graph as IRIs, and the few terms of Umbra's own vocabulary.

A name that is a web address or a ``urn:`` is its own IRI (keys of imported RDF). Any other stands
percent-encoded after one of four prefixes: ``entity:country:AL``, ``relation:borders``,
``label:Country``, ``attribute:area_km2``. `docs/formats.md` says what a graph is as RDF.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote, unquote

from kg.backends.names import storable_name
from kg.errors import UnsupportedQueryError

__all__ = [
    "NAMESPACES",
    "PROVENANCE_GRAPH",
    "RDF",
    "RDFS_LABEL",
    "RDF_JSON",
    "RDF_TYPE",
    "SKOS",
    "SKOS_ALIAS",
    "UMBRA",
    "XSD",
    "Kind",
    "iri_of",
    "iri_text",
    "local_name",
    "name_of",
]

Kind = Literal["entity", "relation", "label", "attribute"]

RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
XSD = "http://www.w3.org/2001/XMLSchema#"

NAMESPACES: Mapping[str, str] = MappingProxyType(
    {kind: f"urn:umbra:{kind}:" for kind in ("entity", "relation", "label", "attribute")}
)
"""What the four prefixes stand for."""

UMBRA = "urn:umbra:term:"
"""Namespace of what a graph says about its facts: records, images, parts."""

PROVENANCE_GRAPH = "urn:umbra:graph:provenance"
"""Named graph of the records, where a format has named graphs."""

RDF = RDF_TYPE.removesuffix("type")
RDF_JSON = RDF + "JSON"
RDFS_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
SKOS = "http://www.w3.org/2004/02/skos/core#"
SKOS_ALIAS = SKOS + "altLabel"

# Stricter than RFC 3987, so that every RDF tool takes it: no address literals, no private letters.
_LETTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}|[\u00a0-\ud7ff])"
_PATH_LETTER = rf"(?:{_LETTER}|[:@/?])"
_ADDRESS = re.compile(
    rf"(?!urn:umbra:)(?:[A-Za-z][A-Za-z0-9+.-]*://{_LETTER}*(?::[0-9]*)?(?=[/?#]|\Z)"
    rf"|urn:[A-Za-z0-9][A-Za-z0-9-]{{1,31}}:){_PATH_LETTER}*(?:\#{_PATH_LETTER}*)?"
)
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

    Example:
        >>> name_of("urn:umbra:relation:borders"), name_of("http://schema.org/knows")
        (('relation', 'borders'), (None, 'http://schema.org/knows'))
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


def local_name(iri: str) -> str:
    """Return a name that a store can hold for a predicate or class of somebody else's RDF.

    What stands after the last ``#``, ``/`` or ``:``, other signs as ``_``.

    Example:
        >>> local_name("http://schema.org/birth-date"), local_name("http://x/42")
        ('birth_date', 'x42')
    """
    return storable_name(re.split(r"[#/:]", unquote(iri).rstrip("#/:"))[-1])
