"""A check of a graph: what lies in the store is read as it lies there, and every rule is tried.

The store's own API refuses or hides much of what is looked for here, so the check reads rows, not
entities. It changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kg.backends.merging import checked_edge, checked_entity
from kg.backends.names import BASE_LABEL
from kg.backends.rows import edge_from_row, entity_from_row
from kg.errors import EngineError, StoreError, StoreTransientError, StoreUnavailableError
from kg.images import ImageFolder
from kg.model import Entity, EntityKey, ImageRef
from kg.progress import Progress, silent
from kg.store import Store, Stored

__all__ = ["KINDS", "Fault", "check_graph"]

KINDS: Mapping[str, str] = {
    "engine": "the engine says that its own files are damaged",
    "no-key": "a node has no key, so nothing can name it",
    "no-label": "a node lacks the label Entity, so no query of Umbra finds it",
    "repeated-key": "several nodes have one key",
    "unreadable": "the fields of an entity or edge cannot be read",
    "dangling-edge": "an end of an edge has no key",
    "repeated-edge": "several edges have one head, relation and tail",
    "no-record": "an edge has no record of where it comes from",
    "part-without-parent": "a part's entity is not there",
    "part-of-no-image": "a part is of an image that its entity does not have",
    "box-outside": "a part's box is empty or lies outside its image",
    "image-missing": "the file of an image is not there",
    "image-changed": "the file of an image has another content than when it was added",
}
"""What each kind of fault means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is not as it should be.

    Attributes:
        kind: One of `KINDS`, or of `api.steps.check_graph` for what lies beside the graph.
        where: Key of the entity, the edge, the file.
        what: What was found.
    """

    kind: str
    where: str
    what: str


def check_graph(
    store: Store, images: ImageFolder | None = None, *, progress: Progress = silent
) -> list[Fault]:
    """Return every fault of a graph, in the order of `KINDS`.

    Args:
        store: The graph; writers wait while it is read.
        images: Where its images lie; None leaves them out.
        progress: Told image files read.

    Raises:
        StoreUnavailableError: The store cannot be reached.

    Example:
        >>> from kg.backends.memory import MemoryStore
        >>> check_graph(MemoryStore())
        []
    """
    entities: dict[EntityKey, Entity] = {}
    try:
        lies = store.stored()
    except (StoreUnavailableError, StoreTransientError):
        raise
    except StoreError as error:  # its pages are so damaged that it cannot even list its rows
        return [Fault(kind="engine", where="store", what=error.what)]
    found = [Fault(kind="engine", where="store", what=text) for text in lies.complaints]
    found += _nodes(lies, entities)
    found += _edges(lies)
    for entity in entities.values():
        found += _part(entity, entities)
    if images is not None:
        found += _images(entities.values(), images, progress)
    order = list(KINDS)
    return sorted(found, key=lambda fault: (order.index(fault.kind), fault.where))


def _nodes(lies: Stored, entities: dict[EntityKey, Entity]) -> Iterator[Fault]:
    """Look at every node; those that can be read go into `entities`."""
    keys: Counter[str] = Counter()
    for labels, properties in lies.nodes:
        key = properties.get("key")
        if not isinstance(key, str) or not key.strip():
            yield Fault(kind="no-key", where=f"a node of {', '.join(labels)}", what=_told(key))
            continue
        keys[key] += 1
        if BASE_LABEL not in labels:
            yield Fault(kind="no-label", where=key, what=f"labels {', '.join(labels) or 'none'}")
        try:
            entities[EntityKey(key)] = checked_entity(entity_from_row(labels, properties))
        except (EngineError, AttributeError, KeyError, TypeError, ValueError) as error:
            yield Fault(kind="unreadable", where=key, what=_told(error))
    for key, count in keys.items():
        if count > 1:
            yield Fault(kind="repeated-key", where=key, what=f"{count} nodes")


def _edges(lies: Stored) -> Iterator[Fault]:
    counts: Counter[str] = Counter()
    for head, relation, tail, properties in lies.edges:
        where = f"({head})-[{relation}]->({tail})"
        counts[where] += 1
        if not isinstance(head, str) or not isinstance(tail, str):
            yield Fault(kind="dangling-edge", where=where, what="an end without a key")
            continue
        try:
            edge = checked_edge(edge_from_row(head, relation, tail, properties))
        except (EngineError, AttributeError, KeyError, TypeError, ValueError) as error:
            yield Fault(kind="unreadable", where=where, what=_told(error))
            continue
        if not edge.provenance:
            yield Fault(kind="no-record", where=where, what="nothing says where it comes from")
    for where, count in counts.items():
        if count > 1:
            yield Fault(kind="repeated-edge", where=where, what=f"{count} edges")


def _part(entity: Entity, entities: Mapping[EntityKey, Entity]) -> Iterator[Fault]:
    part = entity.part
    if part is None:
        return
    parent = entities.get(part.parent)
    if parent is None:
        yield Fault(kind="part-without-parent", where=entity.key, what=f"no {part.parent}")
        return
    image = next((one for one in parent.images if one.sha256 == part.image), None)
    if image is None:
        what = f"{part.parent} has no image {part.image[:12]}"
        yield Fault(kind="part-of-no-image", where=entity.key, what=what)
        return
    left, top, right, bottom = part.box_xyxy
    if not (0 <= left < right <= image.width and 0 <= top < bottom <= image.height):
        what = f"{part.box_xyxy} in an image of {image.width} x {image.height}"
        yield Fault(kind="box-outside", where=entity.key, what=what)


def _images(entities: Iterable[Entity], images: ImageFolder, progress: Progress) -> Iterator[Fault]:
    named: dict[str, tuple[Entity, ImageRef]] = {}
    for entity in entities:
        named |= {image.sha256: (entity, image) for image in entity.images}
    for number, (digest, (entity, image)) in enumerate(named.items()):
        where = f"{digest[:12]} of {entity.key}"
        try:
            content = images.path(digest).read_bytes()
        except (EngineError, OSError):
            yield Fault(kind="image-missing", where=where, what=f"from {image.source}")
        else:
            if hashlib.sha256(content).hexdigest() != digest:
                yield Fault(kind="image-changed", where=where, what=f"{len(content):,} bytes")
        progress(number + 1, len(named))


def _told(value: Any) -> str:
    return f"{type(value).__name__}: {value}"[:200]
