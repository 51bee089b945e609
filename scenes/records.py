"""Scenes as JSON: what a shard of a scene job puts out, one line an image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kg.errors import InputError
from kg.model import EntityKey
from scenes.masks import decode_rle, encode_rle
from scenes.model import Region, Relation, Scene

__all__ = ["SeenImage", "scene_from_json", "scene_to_json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenImage:
    """An image of an entity, and what was seen in it.

    Attributes:
        parent: Whose image it is.
        image: sha256 of the image.
        scene: What was seen; None where the image could not be read.
        error: Why not.
    """

    parent: EntityKey
    image: str
    scene: Scene | None = None
    error: str | None = None

    def to_line(self) -> str:
        """Return the record as one line of JSON, keys sorted."""
        value = {
            "parent": self.parent,
            "image": self.image,
            "scene": None if self.scene is None else scene_to_json(self.scene),
            "error": self.error,
        }
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_line(cls, line: str) -> SeenImage:
        """Read what `to_line` wrote.

        Raises:
            InputError: The line is not such a record.
        """
        try:
            value = json.loads(line)
            scene = value["scene"]
            return cls(
                parent=EntityKey(value["parent"]),
                image=value["image"],
                scene=None if scene is None else scene_from_json(scene),
                error=value["error"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"not the record of a seen image: {line[:60]!r}") from error


def scene_to_json(scene: Scene) -> dict[str, Any]:
    """Return a scene as plain values; masks as run lengths."""
    return {
        "width": scene.width,
        "height": scene.height,
        "regions": [
            {
                "box": region.box_xyxy,
                "mask": encode_rle(region.mask),
                "colour": region.colour,
                "rgb": region.rgb,
                "label": region.label,
                "probability": region.label_probability,
                "kind": region.kind,
                "pieces": region.pieces,
            }
            for region in scene.regions
        ],
        "relations": [
            [r.subject, r.predicate, r.object, r.probability, r.exact] for r in scene.relations
        ],
    }


def scene_from_json(value: Mapping[str, Any]) -> Scene:
    """Read what `scene_to_json` gave.

    Raises:
        InputError: A part of it is missing or wrong.
    """
    try:
        regions = tuple(map(_region, value["regions"]))
        relations = tuple(
            Relation(subject=s, predicate=p, object=o, probability=q, exact=e)
            for s, p, o, q, e in value["relations"]
        )
        scene = Scene(
            width=value["width"], height=value["height"], regions=regions, relations=relations
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"not a scene: {error}") from error
    places = range(len(regions))
    if any(r.subject not in places or r.object not in places for r in relations):
        raise InputError("a relation of the scene names a part that is not there")
    return scene


def _region(value: Mapping[str, Any]) -> Region:
    left, top, right, bottom = value["box"]
    red, green, blue = value["rgb"]
    return Region(
        box_xyxy=(left, top, right, bottom),
        mask=decode_rle(value["mask"]),
        colour=value["colour"],
        rgb=(red, green, blue),
        label=value["label"],
        label_probability=value["probability"],
        kind=value["kind"],
        pieces=value["pieces"],
    )
