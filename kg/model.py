"""What a graph holds: entities, parts of their images, and edges; plain frozen values.

Stores persist them, snapshots freeze them into arrays, everything else passes them on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NewType

from kg.claims import Claims
from kg.errors import InputError
from kg.provenance import Provenance

__all__ = [
    "AttributeValue",
    "BoxXyxy",
    "Edge",
    "EdgeKey",
    "Entity",
    "EntityId",
    "EntityKey",
    "ImagePart",
    "ImageRef",
]

EntityKey = NewType("EntityKey", str)
"""Stable identity of an entity: an IRI, a QID, a user's key. Never its name."""

EntityId = NewType("EntityId", int)
"""Dense id of an entity; it means something only inside one snapshot."""

Scalar = str | int | float | bool
AttributeValue = Scalar | tuple[Scalar, ...]
BoxXyxy = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels; right and bottom lie outside the box."""

EdgeKey = tuple[EntityKey, str, EntityKey]
"""Head, relation, tail: what makes two edges the same edge."""

_EMPTY: Mapping[str, AttributeValue] = MappingProxyType({})
_NO_CLAIMS: Mapping[str, Claims] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """A picture of an entity, kept content-addressed under ``images/``.

    Attributes:
        sha256: Hex digest of the file's bytes; also its name in the image folder.
        width: Width in pixels.
        height: Height in pixels.
        source: Where the file came from.
    """

    sha256: str
    width: int
    height: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """What makes an entity a sub-entity: the part of an image that it is.

    Attributes:
        parent: Key of the entity whose image it is a part of.
        image: sha256 of that image.
        box_xyxy: Where the part lies, in pixels of that image.
        confidence: How sure the segmentation or detection is, in [0, 1].
        area_share: Pixels of the part over pixels of the image, in [0, 1].
        colour: Name of its main colour, if known.
        mask_rle: Row-wise run lengths of its mask (`scenes.regions`), if kept.
    """

    parent: EntityKey
    image: str
    box_xyxy: BoxXyxy
    confidence: float = 1.0
    area_share: float = 0.0
    colour: str | None = None
    mask_rle: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A thing with a key, a label, names, attributes and images.

    Attributes:
        key: Identity.
        label: Its class, as in Cypher's ``(n:Country)``.
        name: Name shown to people.
        aliases: Other names, in the order of the source.
        attributes: Typed values by name.
        images: Pictures of it.
        part: Set for a sub-entity only.
        provenance: Where it comes from.
        claims: Who wrote its values, where that is not all its records alike (`kg.claimed`); its
            own fields are ``.name``, ``.aliases``, ``.images`` and ``.part``.

    Raises:
        InputError: Key, label or name is empty.

    Example:
        >>> Entity(key=EntityKey("country:AL"), label="Country", name="Albania").aliases
        ()
    """

    key: EntityKey
    label: str
    name: str
    aliases: tuple[str, ...] = ()
    attributes: Mapping[str, AttributeValue] = field(default_factory=lambda: _EMPTY)
    images: tuple[ImageRef, ...] = ()
    part: ImagePart | None = None
    provenance: tuple[Provenance, ...] = ()
    claims: Mapping[str, Claims] = field(default_factory=lambda: _NO_CLAIMS)

    def __post_init__(self) -> None:
        """Refuse an entity without identity."""
        for name in ("key", "label", "name"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise InputError(f"an entity needs a {name}, got {value!r}", where=str(self.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A fact: head, relation, tail, with attributes and its records.

    Attributes:
        head: Key of the entity that the edge leaves.
        relation: Its type, as in Cypher's ``-[:borders]->``.
        tail: Key of the entity that it enters.
        attributes: Typed values by name (for instance ``percent``).
        provenance: One or more reasons; an edge that a store returns has at least one.
        claims: Who wrote its attributes, where that is not all its records alike.
    """

    head: EntityKey
    relation: str
    tail: EntityKey
    attributes: Mapping[str, AttributeValue] = field(default_factory=lambda: _EMPTY)
    provenance: tuple[Provenance, ...] = ()
    claims: Mapping[str, Claims] = field(default_factory=lambda: _NO_CLAIMS)

    @property
    def key(self) -> EdgeKey:
        """Identity of the edge."""
        return (self.head, self.relation, self.tail)
