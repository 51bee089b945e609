"""A small world with flags: countries in regions, trade by region, parts whose label follows from
their box, and scene predicates. What is held out can be learnt from what is left.
"""

from dataclasses import dataclass

import numpy as np

from kg.model import Edge, Entity, EntityKey, ImagePart
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.cones.parts import PartFeatures

SOURCE = (Provenance(kind="asserted", source="test"),)
SHAPES = ("band", "cross", "disc", "star")


@dataclass(frozen=True)
class FlagWorld:
    full: Snapshot
    train: Snapshot  # without the held-out edges
    features: PartFeatures


def flag_world(countries: int = 30, seed: int = 0) -> FlagWorld:
    draw = np.random.default_rng(seed)
    entities = [Entity(key=EntityKey(f"shape:{s}"), label="Shape", name=s) for s in SHAPES]
    entities += [
        Entity(key=EntityKey(f"region:{r}"), label="Region", name=str(r)) for r in range(3)
    ]
    edges: list[tuple[str, str, str]] = []
    boxes: dict[str, tuple[float, ...]] = {}
    for number in range(countries):
        country = f"country:{number:02}"
        entities.append(Entity(key=EntityKey(country), label="Country", name=country))
        edges.append((country, "in_region", f"region:{number % 3}"))
        same = [n for n in range(countries) if n % 3 == number % 3 and n != number]
        # the first few of a region are its large markets
        edges += [(country, "exports_to", f"country:{n:02}") for n in same[:3]]
        edges += [(country, "exports_to", f"country:{n:02}") for n in draw.choice(same[3:], 2)]
        shapes = draw.permutation(4)[: 2 + number % 3]
        for place, shape in enumerate(shapes):
            part = f"part:{country}/{place}"
            entities.append(_part(part, country))
            boxes[part] = _box(int(shape), draw)
            edges.append((country, "has_part", part))
            edges.append((part, "has_label", f"shape:{SHAPES[shape]}"))
            if place:
                edges.append((part, "beside", f"part:{country}/{place - 1}"))
    full = build_snapshot(
        entities,
        [
            Edge(head=EntityKey(h), relation=r, tail=EntityKey(t), provenance=SOURCE)
            for h, r, t in sorted(set(edges))
        ],
    )
    return FlagWorld(full=full, train=_without(full, draw), features=_features(full, boxes))


def _part(key: str, country: str) -> Entity:
    part = ImagePart(parent=EntityKey(country), image="0" * 64, box_xyxy=(0.0, 0.0, 1.0, 1.0))
    return Entity(key=EntityKey(key), label="Part", name=key, part=part)


def _box(shape: int, draw: np.random.Generator) -> tuple[float, ...]:
    size = ((1.0, 0.3), (0.8, 0.9), (0.4, 0.4), (0.1, 0.1))[shape]
    width, height = (side * draw.uniform(0.85, 1.0) for side in size)
    x, y = draw.uniform(0, 1 - width), draw.uniform(0, 1 - height)
    return (x, y, x + width, y + height)


def _without(full: Snapshot, draw: np.random.Generator) -> Snapshot:
    keep = np.ones(full.num_edges, dtype=bool)
    for name, share in (("exports_to", 0.1), ("has_label", 0.25)):
        span = full.edges_of(full.relation_id(name))
        keep[span] = draw.random(span.stop - span.start) >= share
    return full.keeping(keep)


def _features(full: Snapshot, boxes: dict[str, tuple[float, ...]]) -> PartFeatures:
    array = np.array(list(boxes.values()), dtype=np.float32)
    return PartFeatures(
        ids=np.array([full.entity_id(key) for key in boxes], dtype=np.int32),
        boxes=array,
        area_shares=((array[:, 2] - array[:, 0]) * (array[:, 3] - array[:, 1])).astype(np.float32),
    )
