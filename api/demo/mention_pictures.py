"""Pictures of the demo's mentions: flags by another artist, cropped, turned and shaded, or grey.

A pure function of arrays and records. Every `short` mention shows the flag of its gold country; a
group `pictures` shows each flag once without any words (withheld countries there are NIL); of the
`nil` mentions as large a share carries a picture as of the linkable ones in text groups, each the
flag of a withheld country, so that having a picture tells nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["VARIANTS", "MentionPictures", "mention_pictures", "split_of", "variant"]

Pixels = NDArray[np.uint8]

VARIANTS = ("crop", "turned", "grey")
"""How a picture is changed: cut to 70 % of each side, turned by 15 degrees and shaded, or grey."""

_CROP = 0.7
_TURN = 15.0
_DARKEST = 0.6
_SPLITS = ((0.60, "train"), (0.70, "valid"), (0.85, "test"))


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionPictures:
    """Pictures by name, and which mention shows which.

    Attributes:
        images: Pixels by name (code and variant); each distinct picture once.
        of_mention: Name of the picture by id of the mention.
        records: The group `pictures`: records like those of the mentions' file.
    """

    images: Mapping[str, Pixels]
    of_mention: Mapping[str, str]
    records: tuple[Mapping[str, Any], ...]


def mention_pictures(
    mentions: Sequence[Mapping[str, Any]],
    flags: Mapping[str, Pixels],
    *,
    drawn_alike: Sequence[Sequence[str]],
    withheld: Collection[str],
    seed: int = 0,
) -> MentionPictures:
    """Choose and make the pictures.

    Args:
        mentions: Records with `id`, `group`, `entity_id`.
        flags: Flag of each code, ``(height, width, 3)`` uint8.
        drawn_alike: Sets of codes whose flags look the same; a set has one split.
        withheld: Codes that are not in the knowledge base.
        seed: Of the choice and the changes.
    """
    first = {code: min(group) for group in drawn_alike for code in group}
    of_mention: dict[str, str] = {}
    linkable = [m for m in mentions if m["entity_id"] is not None and m["group"] != "lists"]
    shown = [m for m in linkable if m["group"] == "short" and m["entity_id"] in flags]
    for mention in shown:
        of_mention[mention["id"]] = _name(mention["entity_id"], mention["id"], seed)
    share = len(shown) / max(1, len(linkable))
    absent = sorted(code for code in withheld if code in flags)
    for mention in mentions:
        if mention["group"] == "nil" and absent and _fraction("nil", mention["id"], seed) < share:
            code = absent[int(_fraction("flag", mention["id"], seed) * len(absent))]
            of_mention[mention["id"]] = _name(code, mention["id"], seed)
    records = []
    for code in sorted(flags):
        split = split_of(first.get(code, code))
        if split is None:
            continue
        record = _record(code, split, nil=code in withheld)
        records.append(record)
        of_mention[record["id"]] = _name(code, record["id"], seed)
    images = {
        name: variant(flags[code], kind, np.random.default_rng([seed, _number(name)]))
        for name in sorted(set(of_mention.values()))
        for code, kind in [name.split("/")]
    }
    return MentionPictures(images=images, of_mention=of_mention, records=tuple(records))


def split_of(code: str) -> str | None:
    """Return the split of an entity by the data's own rule; None for the part that is kept back."""
    digest = hashlib.sha256(f"entity-186:{code}".encode()).hexdigest()
    share = int(digest[:16], 16) / 2**64
    return next((name for limit, name in _SPLITS if share < limit), None)


def variant(image: Pixels, kind: str, generator: np.random.Generator) -> Pixels:
    """Return a changed picture.

    Args:
        image: ``(height, width, 3)`` uint8.
        kind: One of `VARIANTS`.
        generator: Chooses the place of the crop, the side of the turn and of the shade.
    """
    makers: dict[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
        "crop": _crop,
        "turned": _turned,
        "grey": _grey,
    }
    return makers[kind](image, generator)


def _crop(image: Pixels, generator: np.random.Generator) -> Pixels:
    height, width = image.shape[:2]
    h, w = round(height * _CROP), round(width * _CROP)
    top, left = int(generator.integers(height - h + 1)), int(generator.integers(width - w + 1))
    return np.ascontiguousarray(image[top : top + h, left : left + w])


def _turned(image: Pixels, generator: np.random.Generator) -> Pixels:
    angle = _TURN if generator.random() < 0.5 else -_TURN
    picture = Image.fromarray(image)
    turned = picture.rotate(angle, Image.Resampling.BILINEAR, expand=True, fillcolor=(255,) * 3)
    values = np.asarray(turned, dtype=np.float32)
    ramp = np.linspace(_DARKEST, 1.0, values.shape[1], dtype=np.float32)
    if generator.random() < 0.5:
        ramp = ramp[::-1]
    return (values * ramp[None, :, None]).astype(np.uint8)


def _grey(image: Pixels, _generator: np.random.Generator) -> Pixels:
    grey = np.asarray(Image.fromarray(image).convert("L"))
    return np.repeat(grey[:, :, None], 3, axis=2)


def _record(code: str, split: str, *, nil: bool) -> dict[str, Any]:
    return {
        "id": f"pictures-{code}",
        "group": "pictures",
        "mention": "",
        "context": "",
        "start": None,
        "end": None,
        "entity_id": None if nil else code,
        "nil_reason": "withheld entity" if nil else None,
        "split": split,
    }


def _name(code: str, mention: str, seed: int) -> str:
    return f"{code}/{VARIANTS[int(_fraction('variant', mention, seed) * len(VARIANTS))]}"


def _fraction(what: str, mention: str, seed: int) -> float:
    return _number(f"{seed}:{what}:{mention}") / 2**32


def _number(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
