"""Graphs whose images have parts: VRD as a graph, and edges held out by the hash of their keys."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import MissingPartError
from kg.model import Edge, Entity, EntityKey, ImagePart
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.cones.parts import PartFeatures

__all__ = ["HAS_LABEL", "HAS_PART", "PartWorld", "held_out", "umbra_world", "vrd_world"]

HAS_PART = "has_part"
HAS_LABEL = "has_label"

_SIDE = 1024
"""Longest side of VRD's pictures, whose sizes the annotations do not hold."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PartWorld:
    """A graph whose images have parts.

    Attributes:
        full: All edges.
        features: Boxes of all parts.
        predicates: Names of the relations between parts.
        inputs: Hex SHA-256 of each input file by its role.
    """

    full: Snapshot
    features: PartFeatures
    predicates: tuple[str, ...]
    inputs: dict[str, str]


def held_out(
    world: PartWorld, *, labels: float, predicates: float, seed: int, role: str
) -> NDArray[np.bool_]:
    """Return ``(num_edges,)``: which labels and predicates a role (``test``, ``valid``) keeps out.

    Args:
        world: The graph.
        labels: Share of the edges from parts to their class.
        predicates: Share of the edges between parts.
        seed: Part of the hash.
        role: Part of the hash.
    """
    full = world.full
    shares = np.zeros(full.num_relations)
    shares[full.relation_id(HAS_LABEL)] = labels
    for name in world.predicates:
        shares[full.relation_id(name)] = predicates
    out = np.zeros(full.num_edges, dtype=np.bool_)
    for place in np.flatnonzero(shares[full.relations] > 0):
        keys = (
            full.entities.name(int(full.heads[place])),
            full.relation_names.name(int(full.relations[place])),
            full.entities.name(int(full.tails[place])),
        )
        digest = hashlib.sha256("\x00".join((role, str(seed), *keys)).encode()).digest()
        drawn = int.from_bytes(digest[:8], "big") / 2**64
        out[place] = drawn < shares[full.relations[place]]
    return out


def vrd_world(folder: Path, *, images: int | None = None) -> PartWorld:
    """Build VRD (Lu et al., ECCV 2016) as a graph: images, their objects as parts, classes.

    Args:
        folder: Holds `train.jsonl.gz`, `test.jsonl.gz` and `vocabulary.json`.
        images: Take only so many, the first ones; all if None.
    """
    words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    classes = [EntityKey(f"class:{name}") for name in words["objects"]]
    entities = [
        Entity(key=key, label="Class", name=name)
        for key, name in zip(classes, words["objects"], strict=True)
    ]
    edges: set[tuple[EntityKey, str, EntityKey]] = set()
    boxes: dict[EntityKey, Sequence[float]] = {}
    for number, scene in enumerate(_scenes(folder)):
        if images is not None and number >= images:
            break
        image = EntityKey(f"image:{number:05}")
        entities.append(Entity(key=image, label="Image", name=scene["image"]))
        parts = [EntityKey(f"part:{number:05}/{place:02}") for place in range(len(scene["labels"]))]
        for part, label, box in zip(parts, scene["labels"], scene["boxes_xyxy"], strict=True):
            shown = ImagePart(parent=image, image="0" * 64, box_xyxy=tuple(map(float, box)))
            entities.append(Entity(key=part, label="Part", name=part, part=shown))
            boxes[part] = box
            edges |= {(image, HAS_PART, part), (part, HAS_LABEL, classes[label])}
        edges |= {
            (parts[subject], words["predicates"][predicate], parts[other])
            for subject, predicate, other in scene["triplets"]
            if subject != other
        }
    seen = (Provenance(kind="asserted", source="VRD"),)
    made = [Edge(head=h, relation=r, tail=t, provenance=seen) for h, r, t in sorted(edges)]
    full = build_snapshot(entities, made)
    used = {name for name in words["predicates"] if full.relation_names.get(name) is not None}
    return PartWorld(
        full=full,
        features=_features(full, boxes),
        predicates=tuple(sorted(used)),
        inputs={"scenes": _digest(sorted(folder.glob("*.jsonl.gz")))},
    )


def _scenes(folder: Path) -> Iterator[dict[str, Any]]:
    for name in ("train", "test"):
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                scene = json.loads(line)
                if scene["labels"]:
                    yield scene


def _features(full: Snapshot, boxes: dict[EntityKey, Sequence[float]]) -> PartFeatures:
    array = np.clip(np.array(list(boxes.values()), dtype=np.float32) / _SIDE, 0.0, 1.0)
    sides = array[:, 2:] - array[:, :2]
    return PartFeatures(
        ids=np.array([full.entity_id(key) for key in boxes], dtype=np.int32),
        boxes=array,
        area_shares=np.maximum(sides, 0.0).prod(1).astype(np.float32),
    )


def _digest(paths: Sequence[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()


def umbra_world(folder: Path) -> PartWorld:
    """Read the graph of a workspace, as `make demo` leaves it."""
    from api.engine import Engine
    from api.steps.train import part_features

    with Engine.open(folder) as engine:
        full, features = engine.snapshot, part_features(engine)
    if features is None:
        raise MissingPartError("no image in the graph has parts", where=str(folder))
    is_part = np.asarray(full.parents) >= 0
    between = is_part[full.heads] & is_part[full.tails]
    used = np.unique(np.asarray(full.relations)[between])
    return PartWorld(
        full=full,
        features=features,
        predicates=tuple(full.relation_names.name(int(relation)) for relation in used),
        inputs={"graph": full.hash},
    )
