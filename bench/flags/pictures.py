"""The flags of two artists, encoded and taken apart once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.image import packaged_image_encoder
from encoders.protocols import ImageEncoder
from scenes.model import Pixels
from scenes.pipeline import SceneModel
from scenes.prepared import Prepared, prepare_images
from scenes.regions import SegmentConfig

__all__ = [
    "ARTISTS",
    "Artist",
    "descriptions",
    "pictures",
    "prepared_artist",
    "small_model",
    "tied",
]

ARTISTS = ("svg-country-flags", "flag-icons")
"""The artist of the demo's pictures, and that of the pictures of its mentions."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Artist:
    """The flags of one artist.

    Attributes:
        images: By code of the country.
        prepared: Taken apart.
        vectors: ``(dimension,)`` by code.
    """

    images: Mapping[str, Pixels]
    prepared: Mapping[str, Prepared]
    vectors: Mapping[str, Floats]


def pictures(data: Path, artist: str) -> dict[str, Pixels]:
    """Read the flags of an artist from the folder of the demo's data."""
    if artist == ARTISTS[0]:
        files = sorted((data / "flags").glob("*.png"))
        return {path.stem: np.asarray(Image.open(path).convert("RGB")) for path in files}
    with np.load(data / "mention_flags.npz") as file:
        return dict(zip(file["keys"].tolist(), file["images"], strict=True))


def prepared_artist(data: Path, artist: str, keys: Sequence[str], cache: Path | None) -> Artist:
    """Encode flags and take them apart.

    Args:
        data: Folder of the demo's data.
        artist: One of `ARTISTS`.
        keys: Countries.
        cache: Folder for encoded pictures.
    """
    every = pictures(data, artist)
    images = {key: every[key] for key in keys}
    encoder = packaged_image_encoder(cache)
    pooled = encoder.encode(list(images.values())).pooled.astype(np.float64)
    found = prepare_images(list(images.values()), SegmentConfig(), encoder=encoder)
    return Artist(
        images=images,
        prepared=dict(zip(keys, found, strict=True)),
        vectors=dict(zip(keys, pooled, strict=True)),
    )


def descriptions(data: Path) -> dict[str, str]:
    """Return the description of each flag by code."""
    with gzip.open(data / "flag_descriptions.jsonl.gz", "rt", encoding="utf-8") as file:
        return {row["entity_id"]: row["description"] for row in map(json.loads, file)}


def tied(data: Path) -> list[list[str]]:
    """Return the sets of flags that one of the artists draws alike."""
    found: list[list[str]] = json.loads((data / "drawn_alike.json").read_text())["union"]
    return found


def small_model(data: Path, *, encoder: ImageEncoder | None = None, most: int = 60) -> SceneModel:
    """Return a scene model trained on some flags, for benches that ask nothing of its labels."""
    images = pictures(data, ARTISTS[0])
    chosen = {key: images[key] for key in sorted(images)[:most]}
    return SceneModel.train(chosen, descriptions(data), encoder=encoder)
