"""The packaged image encoder read at several depths: what a drawing shows, and how it is drawn.

The last layer of a network trained on photographs is not the best one for drawings. One run gives
the mean patch of the eighth block and the class vectors of the eleventh and of the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx

from encoders.cache import CachedImageEncoder
from encoders.graphs import cut_at, quantise_products
from encoders.image import check_pixels, model_input, packaged_file
from encoders.padding import padded
from encoders.protocols import ImageEncoder, Pixels, Vectors
from encoders.session import ItemSession, prepared_model
from kg.files import sha256_of_file

__all__ = ["LayeredDinoEncoder", "packaged_layered_encoder"]

_OUTPUTS = (
    "/backbone/encoder/layer.7/Add_1_output_0",
    "/backbone/encoder/layer.10/Add_1_output_0",
    "/backbone/layernorm/Add_1_output_0",
)
_ROWS = 257  # one class vector and 16 x 16 patches
_DIMENSION = 384
_FORMAT = 1


class LayeredDinoEncoder:
    """Encodes pictures; "tokens" are three summaries of layers, not patches.

    Args:
        model: The package's ONNX file.
        prepared: Folder that keeps the int8 graph between processes.
        workers: Threads; the machine's cores if not given.
    """

    def __init__(
        self, model: Path, *, prepared: Path | None = None, workers: int | None = None
    ) -> None:
        digest = sha256_of_file(model)[:12]
        file = None if prepared is None else prepared / f"dino-layers-{digest}-int8-{_FORMAT}.onnx"
        graph = prepared_model(
            lambda: quantise_products(cut_at(onnx.load(str(model)), *_OUTPUTS)), file
        )
        self._session = ItemSession(graph, workers=workers)
        self._fingerprint = f"dinov2-s14-layers-int8-{digest}-v{_FORMAT}"

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        return _DIMENSION

    @property
    def fingerprint(self) -> str:
        """Names weights and settings."""
        return self._fingerprint

    @property
    def grid(self) -> tuple[int, int]:
        """One column of summaries."""
        return (len(_OUTPUTS), 1)

    def encode(self, images: Sequence[Pixels]) -> Vectors:
        """Encode pictures of any size; `pooled` is the last class vector.

        Raises:
            ImageError: An array is not ``(height, width, 3)`` uint8.
        """
        for image in images:
            check_pixels(image)
        outputs = self._session.map(images, model_input)
        tokens = [
            np.stack([whole[1:_ROWS].mean(axis=0), whole[_ROWS], whole[2 * _ROWS]])
            for whole in (output[0] for output in outputs)
        ]
        return padded([rows[2] for rows in tokens], tokens, _DIMENSION)


def packaged_layered_encoder(
    cache: Path | None = None, *, workers: int | None = None
) -> ImageEncoder:
    """Return the packaged image encoder, read at several depths.

    Args:
        cache: Folder for its vectors and its int8 graph; None keeps nothing.
        workers: Threads; the machine's cores if not given.

    Raises:
        MissingPartError: The package is not installed.
    """
    encoder = LayeredDinoEncoder(packaged_file(), prepared=cache, workers=workers)
    return encoder if cache is None else CachedImageEncoder(encoder, cache)
