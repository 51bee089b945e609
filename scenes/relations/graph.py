"""Annotated images as a graph: images, their objects as parts, classes, predicates as edges.

What the annotation says is `asserted`, what a model finds likely is `generated` with its
probability and the model's version, and a newer model replaces older ones on the same images.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kg.errors import InputError
from kg.model import Edge, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance
from kg.store import Store
from kg.withdrawal import Withdrawal
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.likely import Guess

__all__ = ["MODEL_PREFIX", "Annotations", "class_key", "image_key", "part_key", "write_annotations"]

MODEL_PREFIX = "relations-"
"""How the name of every model of relations begins in provenance."""


def image_key(name: str) -> EntityKey:
    """Return the key of an image: ``image:street.jpg``."""
    return EntityKey(f"image:{name}")


def part_key(name: str, number: int) -> EntityKey:
    """Return the key of an object of an image: ``part:image:street.jpg/0``."""
    return EntityKey(f"part:{image_key(name)}/{number}")


def class_key(name: str) -> EntityKey:
    """Return the key of a class: ``class:person``."""
    return EntityKey(f"class:{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """Annotated images on their way into a graph.

    Attributes:
        images: With what is said of them.
        vocabulary: Names of classes and predicates.
        pictures: The picture of each image by its name; boxes are in its pixels.
        source: File of the annotations, for provenance.
    """

    images: Sequence[AnnotatedImage]
    vocabulary: Vocabulary
    pictures: Mapping[str, ImageRef]
    source: str

    def relations(self) -> list[str]:
        """Return the name of each predicate as a relation: ``sit on`` becomes ``sit_on``.

        Raises:
            InputError: Two predicates get one name, or one gets that of another relation.
        """
        names = [re.sub(r"\W+", "_", name).strip("_") for name in self.vocabulary.predicates]
        taken = [*names, "has_part", "has_label"]
        for name, predicate in zip(names, self.vocabulary.predicates, strict=True):
            if taken.count(name) > 1 or not name:
                raise InputError(
                    f"the predicate {predicate!r} would be the relation {name!r}, which is taken",
                    hint="rename it in the vocabulary",
                )
        return names

    def entities(self) -> Iterator[Entity]:
        """Iterate classes, images and parts."""
        used = sorted({int(label) for image in self.images for label in image.labels})
        for label in used:
            name = self.vocabulary.objects[label]
            yield Entity(
                key=class_key(name), label="Class", name=name, provenance=(self._said("class"),)
            )
        for image in self.images:
            picture = self.pictures[image.name]
            record = self._said(image.name)
            yield Entity(
                key=image_key(image.name), label="Image", name=image.name, images=(picture,),
                provenance=(record,),
            )  # fmt: skip
            for number, label in enumerate(image.labels.tolist()):
                yield self._part(image, number, self.vocabulary.objects[label], picture)

    def _part(self, image: AnnotatedImage, number: int, name: str, picture: ImageRef) -> Entity:
        left, top, right, bottom = image.boxes[number].tolist()
        # a box of no width is one pixel wide, inside the picture
        left, top = min(left, picture.width - 1), min(top, picture.height - 1)
        box = (left, top, max(right, left + 1), max(bottom, top + 1))
        share = (box[2] - box[0]) * (box[3] - box[1]) / (picture.width * picture.height)
        part = ImagePart(
            parent=image_key(image.name), image=picture.sha256, box_xyxy=box,
            area_share=min(share, 1.0), mask_rle=image.masks[number] if image.masks else None,
        )  # fmt: skip
        return Entity(
            key=part_key(image.name, number), label="Part", name=name, part=part,
            provenance=(self._said(image.name),),
        )  # fmt: skip

    def edges(self) -> Iterator[Edge]:
        """Iterate what the annotations say; an object's relation to itself is left out."""
        names = self.relations()
        for image in self.images:
            record = (self._said(image.name),)
            for number, label in enumerate(image.labels.tolist()):
                part = part_key(image.name, number)
                yield Edge(
                    head=image_key(image.name), relation="has_part", tail=part, provenance=record
                )
                yield Edge(
                    head=part, relation="has_label",
                    tail=class_key(self.vocabulary.objects[label]), provenance=record,
                )  # fmt: skip
            for subject, predicate, other in image.triplets.tolist():
                if subject != other:
                    yield Edge(
                        head=part_key(image.name, subject), relation=names[predicate],
                        tail=part_key(image.name, other), provenance=record,
                    )  # fmt: skip

    def likely(self, guesses: Sequence[Sequence[Guess]], model: str) -> Iterator[Edge]:
        """Iterate what a model finds likely.

        Args:
            guesses: Of each image.
            model: Its version.
        """
        names = self.relations()
        for image, found in zip(self.images, guesses, strict=True):
            for guess in found:
                record = Provenance(
                    kind="generated", source=self.source, locator=image.name, model=model,
                    probability=round(guess.probability, 6),
                )  # fmt: skip
                yield Edge(
                    head=part_key(image.name, guess.subject),
                    relation=names[guess.predicate],
                    tail=part_key(image.name, guess.object),
                    provenance=(record,),
                )

    def _said(self, locator: str) -> Provenance:
        return Provenance(kind="asserted", source=self.source, locator=locator)


def write_annotations(
    store: Store,
    annotations: Annotations,
    guesses: Sequence[Sequence[Guess]] = (),
    *,
    model: str | None = None,
) -> dict[str, int]:
    """Write annotated images into a store, in one transaction; again, it changes nothing.

    Args:
        store: The graph.
        annotations: The images.
        guesses: What a model finds likely in each; empty for none.
        model: Version of the model; what older ones found in this file goes.

    Returns:
        Counts of ``images``, ``parts``, ``said`` and ``likely`` edges, ``withdrawn`` records.
    """
    entities, said = list(annotations.entities()), list(annotations.edges())
    likely = [] if model is None else list(annotations.likely(guesses, model))
    older = set() if model is None else _older(store, annotations.source) - {model}
    with store.transaction() as writer:
        writer.upsert_entities(entities)
        writer.upsert_edges([*said, *likely])
        withdrawn = sum(  # last: what rests on the same found again stays
            writer.withdraw(Withdrawal(kind="generated", source=annotations.source, model=one))
            for one in sorted(older)
        )
    return {
        "images": len(annotations.images),
        "parts": sum(entity.part is not None for entity in entities),
        "said": len(said),
        "likely": len(likely),
        "withdrawn": withdrawn,
    }


def _older(store: Store, source: str) -> set[str]:
    """Return the models of relations that have written about this file."""
    return {
        record.model
        for edge in store.edges()
        for record in edge.provenance
        if record.source == source and (record.model or "").startswith(MODEL_PREFIX)
        if record.model is not None
    }
