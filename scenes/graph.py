"""Scenes into a graph: parts as sub-entities, labels and predicates as edges, all `generated`.

A newer model replaces what older scene models wrote on the same images, in one transaction, and
touches nobody else's records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kg.errors import ConflictError
from kg.model import Edge, Entity, EntityKey, ImagePart
from kg.provenance import Provenance
from kg.store import Store
from kg.withdrawal import Withdrawal
from scenes.lexicon import LABELS
from scenes.masks import encode_rle
from scenes.model import Region, Scene
from scenes.records import SeenImage
from scenes.relations.graph import class_key

__all__ = ["MODEL_PREFIX", "WriteReport", "scene_to_graph", "shape_key", "write_scenes"]

MODEL_PREFIX = "scenes-"
"""How the name of every scene model begins."""

_WITNESSES = 3
"""Parts that speak for ``depicts``; a flag may have fifty stars."""
_LEAST_UNLABELLED = 0.002  # share of the image under which a part without a label is not written


def shape_key(label: str) -> EntityKey:
    """Return the key of a label: ``shape:crescent``, but ``class:horse`` of what is no shape."""
    return EntityKey(f"shape:{label}") if label in LABELS else class_key(label)


def scene_to_graph(
    scene: Scene, *, parent: EntityKey, image_sha: str, job: str | None, model: str
) -> tuple[list[Entity], list[Edge]]:
    """Turn a scene into entities and edges.

    Args:
        scene: What was seen.
        parent: Whose image it is.
        image_sha: sha256 of the image; the source of every record.
        job: The job that saw it.
        model: Version of the model.

    Returns:
        Shapes (label ``Shape``), classes of other labels (``Class``) and parts (label ``Part``, key
        ``part:<parent>/<n>``), and the edges has_part, has_label, depicts and the predicates.
        ``depicts`` joins the parent and a label with a record for each of the three likeliest
        parts, derived from its has_label.

    Example:
        >>> import numpy as np
        >>> disc = Region(box_xyxy=(0, 0, 2, 2), mask=np.ones((2, 2), bool), colour="red",
        ...               rgb=(255, 0, 0), label="disc", label_probability=0.8)
        >>> scene = Scene(width=2, height=2, regions=(disc,))
        >>> entities, edges = scene_to_graph(
        ...     scene, parent=EntityKey("country:JP"), image_sha="ab", job=None, model="scenes-1")
        >>> [edge.key for edge in edges][2]
        ('country:JP', 'depicts', 'shape:disc')
    """
    writer = _Translator(scene, parent, image_sha, job, model)
    kept = [n for n, region in enumerate(scene.regions) if _worth_writing(region)]
    labels = sorted({r.label for n in kept if (r := scene.regions[n]).label is not None})
    entities = [writer.shape(label) for label in labels] + [writer.part(n) for n in kept]
    return entities, [
        *(edge for n in kept for edge in writer.part_edges(n)),
        *writer.depicts(kept),
        *writer.relations(set(kept)),
    ]


def _worth_writing(region: Region) -> bool:
    return region.label is not None or region.area >= _LEAST_UNLABELLED * region.mask.size


@dataclass(frozen=True, slots=True)
class _Translator:
    scene: Scene
    parent: EntityKey
    image: str
    job: str | None
    model: str

    def key(self, number: int) -> EntityKey:
        return EntityKey(f"part:{self.parent}/{number}")

    def record(self, number: int, probability: float = 1.0) -> Provenance:
        box = ",".join(f"{value:g}" for value in self.scene.regions[number].box_xyxy)
        return Provenance(
            kind="generated",
            source=self.image,
            locator=f"box {box}",
            job=self.job,
            model=self.model,
            probability=round(probability, 6),
        )

    def shape(self, label: str) -> Entity:
        """What a label stands for: a shape of the lexicon, or a class of the detector's."""
        if label in LABELS:
            record = Provenance(kind="asserted", source="scenes.lexicon", text=label)
        else:
            record = Provenance(
                kind="generated", source=self.image, job=self.job, model=self.model, probability=1.0
            )
        kind = "Shape" if label in LABELS else "Class"
        return Entity(key=shape_key(label), label=kind, name=label, provenance=(record,))

    def part(self, number: int) -> Entity:
        region = self.scene.regions[number]
        share = region.area / (self.scene.width * self.scene.height)
        name = f"{region.colour} {region.label or 'part'}"
        return Entity(
            key=self.key(number),
            label="Part",
            name=name,
            attributes={
                "colour": region.colour,
                "area_share": round(share, 6),
                "kind": region.kind,
                "pieces": region.pieces,
            },
            part=ImagePart(
                parent=self.parent,
                image=self.image,
                box_xyxy=region.box_xyxy,
                confidence=region.label_probability,
                area_share=share,
                colour=region.colour,
                mask_rle=encode_rle(region.mask),
            ),
            provenance=(self.record(number),),
        )

    def part_edges(self, number: int) -> Iterator[Edge]:
        """has_part (segmentation finds it for certain) and has_label."""
        region, key = self.scene.regions[number], self.key(number)
        yield Edge(
            head=self.parent, relation="has_part", tail=key, provenance=(self.record(number),)
        )
        if region.label is not None:
            yield Edge(
                head=key,
                relation="has_label",
                tail=shape_key(region.label),
                provenance=(self.record(number, region.label_probability),),
            )

    def depicts(self, kept: Sequence[int]) -> Iterator[Edge]:
        """A record for each of the likeliest parts; it goes with what that part was taken for."""
        parts: dict[str, list[int]] = {}
        for number in kept:
            label = self.scene.regions[number].label
            if label is not None:
                parts.setdefault(label, []).append(number)
        for label, numbers in sorted(parts.items()):
            shape = shape_key(label)
            numbers.sort(key=lambda n: -self.scene.regions[n].label_probability)
            records = [
                replace(
                    self.record(number, self.scene.regions[number].label_probability),
                    derived_from=(f"{self.key(number)} has_label {shape}",),
                )
                for number in numbers[:_WITNESSES]
            ]
            yield Edge(head=self.parent, relation="depicts", tail=shape, provenance=tuple(records))

    def relations(self, kept: set[int]) -> Iterator[Edge]:
        for relation in self.scene.relations:
            if {relation.subject, relation.object} <= kept:
                yield Edge(
                    head=self.key(relation.subject),
                    relation=relation.predicate,
                    tail=self.key(relation.object),
                    attributes={"exact": relation.exact},
                    provenance=(self.record(relation.subject, relation.probability),),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReport:
    """What was written.

    Attributes:
        images: Images with a scene.
        failed: Images that could not be read.
        parts: Sub-entities.
        edges: Edges.
        withdrawn: Records of older models that were taken away.
    """

    images: int
    failed: int
    parts: int
    edges: int
    withdrawn: int


def write_scenes(
    store: Store, seen: Iterable[SeenImage], *, job: str | None, model: str
) -> WriteReport:
    """Write scenes into a store and take away what scene models wrote on these images before.

    All of it happens in one transaction, or nothing. Writing the same scenes again changes
    nothing.

    Args:
        store: The graph; the parents are in it.
        seen: Images with their scenes.
        job: Id of the job.
        model: Version of the model.

    Raises:
        ConstraintError: A parent is not in the graph.
        ConflictError: An image has parts that no scene model wrote, such as annotated objects.
    """
    entities: dict[EntityKey, Entity] = {}
    edges: list[Edge] = []
    images = failed = 0
    sources: set[str] = set()
    for one in seen:
        if one.scene is None:
            failed += 1
            continue
        images += 1
        sources.add(one.image)
        more, joined = scene_to_graph(
            one.scene, parent=one.parent, image_sha=one.image, job=job, model=model
        )
        entities.update((entity.key, entity) for entity in more)
        edges += joined
    _refuse_foreign(store, {entity.key for entity in entities.values() if entity.part is not None})
    old = _older(store, sources, job=job, model=model)
    with store.transaction() as writer:
        writer.upsert_entities(entities.values())
        writer.upsert_edges(edges)
        withdrawn = sum(map(writer.withdraw, old))  # last: what rests on the same seen again stays
    return WriteReport(
        images=images,
        failed=failed,
        parts=sum(entity.part is not None for entity in entities.values()),
        edges=len(edges),
        withdrawn=withdrawn,
    )


def _refuse_foreign(store: Store, parts: set[EntityKey]) -> None:
    """Refuse to write over what people annotated: imported objects have keys of the same form."""
    for edge in store.edges(relation="has_part"):
        if edge.tail in parts and not all(map(_of_scenes, edge.provenance)):
            raise ConflictError(
                f"{edge.head} has parts that no scene model wrote: {edge.tail}",
                hint="take its image apart in another working folder, or undo that import first",
            )


def _of_scenes(record: Provenance) -> bool:
    return record.kind == "generated" and (record.model or "").startswith(MODEL_PREFIX)


def _older(store: Store, images: set[str], *, job: str | None, model: str) -> list[Withdrawal]:
    """What scene models wrote on these images in other jobs.

    Where all images of a job are written again, one withdrawal by its name does; else one an
    image, which then holds for every entity that has this very image.
    """
    found: dict[tuple[str, str | None], set[str]] = {}
    for edge in store.edges(relation="has_part"):
        for record in edge.provenance:
            if not _of_scenes(record):
                continue
            name = record.model or ""
            if (name, record.job) != (model, job):
                found.setdefault((name, record.job), set()).add(record.source)
    result = []
    for (name, earlier), sources in sorted(found.items(), key=str):
        if sources <= images:
            result.append(Withdrawal(kind="generated", model=name, job=earlier))
        else:
            result += [
                Withdrawal(kind="generated", model=name, job=earlier, source=source)
                for source in sorted(sources & images)
            ]
    return result
