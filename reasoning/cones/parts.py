"""Parts of images as arrays: geometry, label, region vector, scene neighbours, owner.

Reasoning knows nothing of images: whoever has them gives boxes and vectors (`PartFeatures`); labels
and scene predicates come from the snapshot's edges. `PartTable` holds what the encoder of
`reasoning.cones.part_encoder` reads, for all parts of a snapshot or for those of one new image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.snapshot import Snapshot
from reasoning.cones.scene_neighbours import scene_neighbours
from reasoning.cones.surroundings import SURROUNDINGS, surroundings_of

__all__ = ["NUMBERS", "PartFeatures", "PartTable", "scene_table", "snapshot_table"]

NUMBERS = 8
"""Box numbers of a part: centre x and y, width, height, area, box area, aspect, 1."""

MAX_PARTS = 1_000_000
"""Most parts of a table."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PartFeatures:
    """What is known of parts beside the graph, one row a part.

    Attributes:
        ids: ``(n,)`` int32 entity ids in the snapshot, each once.
        boxes: ``(n, 4)`` float32, x0, y0, x1, y1 over the image's width and height, in [0, 1].
        area_shares: ``(n,)`` float32, pixels of the part over pixels of the image, in [0, 1].
        regions: ``(n, d)`` float32 vectors of the region's pixels, or None.

    Raises:
        InputError: Shapes disagree, or a number is not finite.
    """

    ids: NDArray[np.int32]
    boxes: NDArray[np.float32]
    area_shares: NDArray[np.float32]
    regions: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        count = len(self.ids)
        if count > MAX_PARTS:
            raise InputError(f"{count} parts, more than {MAX_PARTS}")
        if self.boxes.shape != (count, 4) or self.area_shares.shape != (count,):
            raise InputError(f"boxes and area_shares must have {count} rows, one a part")
        if self.regions is not None and (self.regions.ndim != 2 or len(self.regions) != count):
            raise InputError(f"regions must have {count} rows, one a part")
        if len(np.unique(self.ids)) != count:
            raise InputError("a part stands twice in the features")
        for name in ("boxes", "area_shares", "regions"):
            values = getattr(self, name)
            if values is not None and not np.isfinite(values).all():
                raise InputError(f"{name} of parts must be finite")


@dataclass(frozen=True, kw_only=True, eq=False)
class PartTable:
    """What the encoder reads, one row a part.

    Attributes:
        ids: ``(n,)`` int32 entity ids ascending; -1 for parts that are in no snapshot.
        numbers: ``(n, NUMBERS)`` float32.
        regions: ``(n, d)`` float32, d = 0 without pixels.
        labels: ``(n,)`` int64, 1 + index of the class, 0 where unknown.
        neighbours: ``(n, width)`` int64 rows of this table in the same image, -1 where there is
            none; see `reasoning.cones.scene_neighbours`.
        predicates: ``(n, width)`` int64 directed relations from the part to that neighbour, -1
            where none is known.
        parents: ``(n,)`` int64 entity id of the owner, -1 where it is unknown.
        images: ``(n,)`` int64, which image a part belongs to.
        by_image: ``(n,)`` int64 rows, one image after the other.
        image_bounds: ``(num_images + 1,)`` int64 where each image's rows stand in `by_image`.
        surroundings: ``(num_images, SURROUNDINGS)`` int64 entities beside the owner in the graph,
            -1 where there are fewer; no parts and no classes.
        classes: ``(num_classes,)`` int32 entity ids that label parts, ascending.
    """

    ids: NDArray[np.int32]
    numbers: NDArray[np.float32]
    regions: NDArray[np.float32]
    labels: NDArray[np.int64]
    neighbours: NDArray[np.int64]
    predicates: NDArray[np.int64]
    parents: NDArray[np.int64]
    images: NDArray[np.int64]
    by_image: NDArray[np.int64]
    image_bounds: NDArray[np.int64]
    surroundings: NDArray[np.int64]
    classes: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of parts."""
        return len(self.ids)

    def rows_of(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of some images, one image after the other."""
        low = self.image_bounds[images]
        counts = self.image_bounds[images + 1] - low
        first = np.repeat(low - (np.cumsum(counts) - counts), counts)
        rows: NDArray[np.int64] = self.by_image[first + np.arange(counts.sum())]
        return rows


def snapshot_table(
    snapshot: Snapshot,
    features: PartFeatures,
    *,
    label_relation: str,
    width: int,
    min_probability: float,
) -> PartTable:
    """Return the table of all parts of a snapshot.

    Args:
        snapshot: Where labels, predicates and owners come from; held-out edges are not in it.
        features: Numbers and vectors; a part without a row gets zeros.
        label_relation: The relation from a part to its class.
        width: Most scene neighbours of a part.
        min_probability: Edges below it are not read.
    """
    ids = np.flatnonzero(np.asarray(snapshot.parents) >= 0).astype(np.int32)
    classes = _classes(snapshot, label_relation)
    row_of = np.full(snapshot.num_entities, -1, dtype=np.int64)
    row_of[ids] = np.arange(len(ids))
    given = row_of[features.ids]
    if (given < 0).any():
        wrong = snapshot.entities.name(int(features.ids[int(np.argmin(given))]))
        raise InputError("features are given for an entity that is no part", where=wrong)
    numbers = np.zeros((len(ids), NUMBERS), dtype=np.float32)
    numbers[given] = _numbers(features.boxes, features.area_shares)
    regions = np.zeros((len(ids), _region_width(features)), dtype=np.float32)
    if features.regions is not None:
        regions[given] = features.regions
    parents = np.asarray(snapshot.parents)[ids].astype(np.int64)
    keep = np.asarray(snapshot.probabilities) >= min_probability
    heads, tails = row_of[snapshot.heads[keep]], row_of[snapshot.tails[keep]]
    relations = np.asarray(snapshot.relations)[keep].astype(np.int64)
    between = (heads >= 0) & (tails >= 0)
    edges = np.stack([heads[between], relations[between], tails[between]], axis=1)
    owners, images = np.unique(parents, return_inverse=True)
    return _table(
        ids=ids,
        numbers=numbers,
        regions=regions,
        labels=_labels(snapshot, row_of, classes, label_relation, keep),
        edges=edges,
        parents=parents,
        images=images.astype(np.int64),
        surroundings=surroundings_of(snapshot, owners, classes, keep),
        classes=classes,
        width=width,
    )


def scene_table(
    features: PartFeatures,
    *,
    labels: Sequence[int],
    edges: Sequence[tuple[int, int, int]],
    parent: int,
    width: int,
    classes: NDArray[np.int32],
) -> PartTable:
    """Return the table of one image that is in no snapshot.

    Args:
        features: Its parts; `ids` are not read.
        labels: 1 + index of the class of each part, 0 where unknown.
        edges: Scene predicates: row, relation id, row.
        parent: Entity id of the owner, -1 where it is not in the graph.
        width: Most scene neighbours of a part, as in training.
        classes: As in training, `PartTable.classes` of the model's table.

    Raises:
        InputError: A label or an edge names what is not there.
    """
    count = len(features.ids)
    pairs = np.array(edges, dtype=np.int64).reshape(-1, 3)
    given = np.array(labels, dtype=np.int64)
    if given.shape != (count,) or (given < 0).any() or (given > len(classes)).any():
        raise InputError(f"labels must be {count} numbers from 0 to {len(classes)}")
    if len(pairs) and (pairs[:, [0, 2]].min() < 0 or pairs[:, [0, 2]].max() >= count):
        raise InputError(f"an edge names a row that is not among the {count} parts")
    return _table(
        ids=np.full(count, -1, dtype=np.int32),
        numbers=_numbers(features.boxes, features.area_shares),
        regions=np.zeros((count, 0), np.float32) if features.regions is None else features.regions,
        labels=given,
        edges=pairs,
        parents=np.full(count, parent, dtype=np.int64),
        images=np.zeros(count, dtype=np.int64),
        surroundings=np.full((min(count, 1), SURROUNDINGS), -1, dtype=np.int64),
        classes=classes,
        width=width,
    )


def _classes(snapshot: Snapshot, label_relation: str) -> NDArray[np.int32]:
    relation = snapshot.relation_names.get(label_relation)
    if relation is None:
        return np.empty(0, dtype=np.int32)
    return np.unique(snapshot.tails[snapshot.edges_of(relation)])


def _region_width(features: PartFeatures) -> int:
    return 0 if features.regions is None else features.regions.shape[1]


def _numbers(boxes: NDArray[np.float32], areas: NDArray[np.float32]) -> NDArray[np.float32]:
    x0, y0, x1, y1 = boxes.T
    width, height = x1 - x0, y1 - y0
    aspect = np.log((width + 0.01) / (height + 0.01))
    columns = (
        (x0 + x1) - 1,
        (y0 + y1) - 1,
        width,
        height,
        np.sqrt(np.maximum(areas, 0)),
        np.sqrt(np.maximum(width * height, 0)),
        aspect / 2,
        np.ones_like(width),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _labels(
    snapshot: Snapshot,
    row_of: NDArray[np.int64],
    classes: NDArray[np.int32],
    label_relation: str,
    keep: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return the class of each part, the first by id where it has several."""
    labels = np.zeros(int(row_of.max(initial=-1)) + 1, dtype=np.int64)
    relation = snapshot.relation_names.get(label_relation)
    if relation is None or len(classes) == 0:
        return labels
    span = snapshot.edges_of(relation)
    heads, tails = snapshot.heads[span][keep[span]], snapshot.tails[span][keep[span]]
    rows = row_of[heads][::-1]
    found = np.searchsorted(classes, tails)[::-1] + 1
    labels[rows[rows >= 0]] = found[rows >= 0]
    return labels


def _table(
    *,
    ids: NDArray[np.int32],
    numbers: NDArray[np.float32],
    regions: NDArray[np.float32],
    labels: NDArray[np.int64],
    edges: NDArray[np.int64],
    parents: NDArray[np.int64],
    images: NDArray[np.int64],
    surroundings: NDArray[np.int64],
    classes: NDArray[np.int32],
    width: int,
) -> PartTable:
    neighbours, predicates = scene_neighbours(edges, images, numbers[:, :2], width)
    return PartTable(
        ids=ids,
        numbers=numbers,
        regions=regions,
        labels=labels,
        neighbours=neighbours,
        predicates=predicates,
        parents=parents,
        images=images,
        by_image=np.argsort(images, kind="stable"),
        image_bounds=np.searchsorted(np.sort(images), np.arange(len(surroundings) + 1)),
        surroundings=surroundings,
        classes=classes,
    )
