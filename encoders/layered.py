"""The packaged image encoder read at several depths: what a drawing shows, and how it is drawn.

The last layer of a network trained on photographs is not the best one for drawings. One run gives
the mean patch of the eighth block and the class vectors of the eleventh and of the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from encoders.cache import CachedImageEncoder
from encoders.image import DinoEncoder, check_pixels, model_input, packaged_file
from encoders.padding import padded
from encoders.protocols import ImageEncoder, Pixels, Vectors

__all__ = ["LayeredDinoEncoder", "packaged_layered_encoder"]

_ROWS = 257  # one class vector and 16 x 16 patches


class LayeredDinoEncoder(DinoEncoder):
    """Encodes pictures; "tokens" are three summaries of layers, not patches."""

    _outputs = (
        "/backbone/encoder/layer.7/Add_1_output_0",
        "/backbone/encoder/layer.10/Add_1_output_0",
        "/backbone/layernorm/Add_1_output_0",
    )
    _mark = "-layers"

    @property
    def grid(self) -> tuple[int, int]:
        """One column of summaries."""
        return (len(self._outputs), 1)

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
        return padded([rows[2] for rows in tokens], tokens, self.dimension)


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
