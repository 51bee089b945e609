"""What is said of a subject as an entity, or as an edge.

Of Umbra's own RDF nothing is lost. Of other RDF: a class or predicate becomes the last part of its
IRI, further classes the attribute ``types``, a language the end of an attribute's name.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import unquote

from kg.backends.names import BASE_LABEL, RESERVED_ATTRIBUTES
from kg.claimed import claims_from
from kg.errors import InputError
from kg.model import AttributeValue, Edge, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance
from kg.rdf.literals import value_of
from kg.rdf.names import RDF, RDF_TYPE, RDFS_LABEL, SKOS, SKOS_ALIAS, UMBRA, local_name, name_of
from kg.rdf.quads import RECORD_FIELDS
from kg.rdf.staging import Description, Part

__all__ = [
    "Records",
    "asserted_in",
    "edge_of",
    "edge_of_triple",
    "entity_of",
    "is_about_facts",
    "key_of",
]

Records = Callable[[str], Sequence[Part]]
"""Returns what is said of a record."""

T = TypeVar("T")
Row = TypeVar("Row", Entity, Edge)
_NAMES = frozenset(
    (
        RDFS_LABEL,
        SKOS + "prefLabel",
        "http://xmlns.com/foaf/0.1/name",
        "http://schema.org/name",
        "https://schema.org/name",
    )
)
_PLACES = tuple(RDF + name for name in ("subject", "predicate", "object"))


def key_of(term: str) -> EntityKey:
    """Return the key of the entity that an IRI or a blank node stands for."""
    found = name_of(term)
    return EntityKey(found[1] if found is not None and found[0] == "entity" else term)


def is_about_facts(description: Description) -> bool:
    """Tell whether a subject is no thing of the graph, but an edge or a record."""
    return any(part.predicate in (_PLACES[0], UMBRA + "kind") for part in description.parts)


def entity_of(description: Description, file: str, records: Records) -> Entity:
    """Return the entity that a description is of.

    Args:
        description: What is said of it.
        file: Name of the file, the source of what carries no record of its own.
        records: Finds what is said of a record.

    Raises:
        InputError: Something that Umbra's vocabulary says has another form.
    """
    labels: list[str] = []
    names: list[tuple[str, str | None]] = []
    aliases: list[str] = []
    values: dict[str, list[AttributeValue]] = defaultdict(list)
    own_name: str | None = None
    is_own = False
    for part in description.parts:
        kind, name = name_of(part.predicate) or (None, part.predicate)
        if part.predicate == RDF_TYPE:
            labels.append(_short(part.object))
        elif part.datatype is None or part.predicate.startswith(UMBRA):
            continue
        elif part.predicate in _NAMES or (kind is None and local_name(name) == "name"):
            names.append((part.object, part.language))
        elif part.predicate == SKOS_ALIAS:
            aliases.append(part.object)
        elif kind == "attribute" and name in ("key", "name"):
            is_own = True
            own_name = part.object if name == "name" else own_name
        else:
            values[_attribute(part)].append(value_of(part.object, part.datatype))
    labels = [label for label in dict.fromkeys(labels) if label != BASE_LABEL]
    if len(labels) > 1:
        values["types"].append(tuple(labels[1:]))
    name = own_name or _chosen(names) or _shown(description.subject)
    if own_name is None:
        aliases = [text for text, _ in names] + aliases
    row = Entity(
        key=key_of(description.subject),
        label=labels[0] if labels else BASE_LABEL,
        name=name,
        aliases=tuple(alias for alias in dict.fromkeys(aliases) if is_own or alias != name),
        attributes=_attributes(values),
        images=tuple(_built(ImageRef, fields) for fields in _objects(description, "image")),
        part=next((_built(_part, fields) for fields in _objects(description, "part")), None),
        provenance=_provenance(
            description.parts, asserted_in(description.line, None, file), records, own=is_own
        ),
    )
    return _claimed(row, description)


def edge_of(description: Description, file: str, records: Records) -> Edge:
    """Return the edge that a statement node is of.

    Raises:
        InputError: It lacks its head, relation or tail.
    """
    places = {part.predicate: part for part in description.parts if part.predicate in _PLACES}
    if len(places) < len(_PLACES) or any(part.datatype for part in places.values()):
        raise InputError("a statement without a thing as subject, predicate or object")
    head, relation, tail = (places[place].object for place in _PLACES)
    values: dict[str, list[AttributeValue]] = defaultdict(list)
    for part in description.parts:
        if part.datatype is not None and not part.predicate.startswith((UMBRA, RDF)):
            values[_attribute(part)].append(value_of(part.object, part.datatype))
    row = Edge(
        head=key_of(head),
        relation=_short(relation),
        tail=key_of(tail),
        attributes=_attributes(values),
        provenance=_provenance(
            description.parts, asserted_in(description.line, None, file), records, own=False
        ),
    )
    return _claimed(row, description)


def edge_of_triple(subject: str, part: Part, file: str) -> Edge:
    """Return the edge of a plain triple; its source is the named graph, or the file."""
    return Edge(
        head=key_of(subject),
        relation=_short(part.predicate),
        tail=key_of(part.object),
        provenance=(asserted_in(part.line, part.graph, file),),
    )


def _short(iri: str) -> str:
    """Return the name of a class or relation."""
    kind, name = name_of(iri) or (None, iri)
    return local_name(iri) if kind is None else name


def _attribute(part: Part) -> str:
    name = _short(part.predicate)
    if name in RESERVED_ATTRIBUTES and name_of(part.predicate) != ("attribute", name):
        name += "_"
    return name if part.language is None else f"{name}_{part.language.replace('-', '_')}"


def _attributes(values: Mapping[str, list[AttributeValue]]) -> dict[str, AttributeValue]:
    """Return one value a name; several values of one are a list."""
    found: dict[str, AttributeValue] = {}
    for name, several in values.items():
        if len(several) == 1:
            found[name] = several[0]
        else:
            items = (value if isinstance(value, tuple) else (value,) for value in several)
            found[name] = tuple(item for each in items for item in each)
    return found


def _chosen(names: list[tuple[str, str | None]]) -> str | None:
    """Return the name to show: without a language, else in English, else the first."""
    for wanted in (None, "en"):
        for text, language in names:
            if text.strip() and (language and language.partition("-")[0]) == wanted:
                return text
    return next((text for text, _ in names if text.strip()), None)


def _shown(term: str) -> str:
    key = key_of(term)
    if key != term:
        return key
    last = unquote(term).rstrip("#/").replace("#", "/").rpartition("/")[2]
    return last.strip() or term


def _claimed(row: Row, description: Description) -> Row:
    found = _objects(description, "claims")
    return replace(row, claims=claims_from(found[0], row)) if found else row


def _objects(description: Description, name: str) -> list[dict[str, Any]]:
    found = []
    for part in description.parts:
        if part.predicate == UMBRA + name:
            try:
                value = json.loads(part.object)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{name} is not JSON") from error
            if not isinstance(value, dict):
                raise InputError(f"{name} is not an object of JSON")
            found.append(value)
    return found


def _built(build: Callable[..., T], fields: dict[str, Any]) -> T:
    try:
        return build(**fields)
    except (TypeError, ValueError) as error:
        raise InputError(f"an image or a part of one with other fields: {error}") from error


def _part(*, box_xyxy: list[float], **fields: Any) -> ImagePart:
    left, top, right, bottom = box_xyxy
    return ImagePart(box_xyxy=(left, top, right, bottom), **fields)


def asserted_in(line: int, graph: str | None, file: str) -> Provenance:
    """Return the record of what a line says: its source is the named graph, or the file."""
    locator = f"line {line}"
    return Provenance(
        kind="asserted",
        source=graph or file,
        locator=locator if graph is None else f"{file} {locator}",
    )


def _provenance(
    parts: Sequence[Part], default: Provenance, records: Records, *, own: bool
) -> tuple[Provenance, ...]:
    found = tuple(
        _record(records(part.object)) for part in parts if part.predicate == UMBRA + "record"
    )
    return found if found or own else (default,)


def _record(parts: Sequence[Part]) -> Provenance:
    fields = {
        part.predicate.removeprefix(UMBRA): value_of(part.object, part.datatype or "")
        for part in parts
        if part.predicate.removeprefix(UMBRA) in RECORD_FIELDS
    }
    return Provenance.from_json(json.dumps(fields))
