"""Objects in photographs, found by an object detector of `transformers`.

No detector's weights come with Umbra: give a directory or a hub id (DETR, YOLOS, RT-DETR …). What
it finds is a box, a label and a score; the mask of a part is its box.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from PIL import Image

from encoders.image import check_pixels
from encoders.transformers_loading import fingerprint_of, loaded
from encoders.transformers_models import preprocessing_of
from kg.errors import ForeignFileError, ImageError, SettingError
from kg.files import sha256_of_text
from scenes.colours import colour_name
from scenes.geometry import exact_relations
from scenes.model import Detector, Pixels, Region, Scene

__all__ = ["DetectedScenes", "TransformersDetector"]

_SIDES = (800, 1333)  # shorter and longest, of models whose files say nothing (DETR's own)
_MOST_PIXELS = 16_000_000  # each part has a mask of the image's size
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class TransformersDetector:
    """Any object detector of `transformers` with closed labels.

    Pictures are resized and normalised as the model's ``preprocessor_config.json`` says, one at a
    time, so that what is found in one does not depend on others.

    Args:
        name: Local directory or hub id; weights are read from safetensors only.
        least: Score from which a box is kept.
        most_parts: Boxes kept of an image, surest first.
        device: Torch device.

    Raises:
        MissingPartError: The model cannot be loaded.
        SettingError: `least` lies outside [0, 1] or `most_parts` below 1.
    """

    def __init__(
        self, name: str, *, least: float = 0.5, most_parts: int = 64, device: str = "cpu"
    ) -> None:
        if not 0 <= least <= 1 or most_parts < 1:
            raise SettingError(
                f"a detector keeps at least 1 part of a score in [0, 1], "
                f"not {most_parts} of {least}"
            )
        kind = transformers.AutoModelForObjectDetection
        model = loaded(kind, name, use_safetensors=True, dtype=torch.float32).eval()
        self._labels = [str(label) for _, label in sorted(model.config.id2label.items())]
        self._preprocessing = preprocessing_of(name)
        self._fingerprint = fingerprint_of(name, model, f"least{least}-most{most_parts}")
        self._model, self._device = model.to(device), device
        self._least, self._most_parts = least, most_parts

    @property
    def fingerprint(self) -> str:
        """Names weights and settings."""
        return self._fingerprint

    def detect(self, image: Pixels) -> tuple[Region, ...]:
        """Return what is found, largest first; boxes may overlap and need not cover the image.

        Raises:
            ImageError: The array is no picture, or too large.
            ForeignFileError: The model gives no boxes and scores as detectors do.
        """
        check_pixels(image)
        height, width = image.shape[:2]
        if height * width > _MOST_PIXELS:
            raise ImageError(
                f"{width} x {height} pixels, at most {_MOST_PIXELS} in all",
                hint="shrink the picture",
            )
        inputs = torch.from_numpy(_input(image, self._preprocessing)).to(self._device)
        with torch.inference_mode():
            found = self._model(pixel_values=inputs)
        logits, boxes = found.logits[0].float().cpu(), found.pred_boxes[0].float().cpu()
        scores, labels = self._chances(logits).max(dim=-1)
        order = scores.argsort(descending=True, stable=True)[: self._most_parts]
        regions = [
            _region(image, boxes[row].tolist(), self._labels[labels[row]], float(scores[row]))
            for row in order.tolist()
            if float(scores[row]) >= self._least
        ]
        return tuple(sorted(regions, key=lambda region: -region.area))

    def _chances(self, logits: torch.Tensor) -> torch.Tensor:
        """Return ``(queries, labels)``: softmax beside "nothing", or each label by itself."""
        labels = len(self._labels)
        if logits.shape[-1] == labels + 1:  # DETR, YOLOS: the last one is "nothing"
            return logits.softmax(dim=-1)[:, :-1]
        if logits.shape[-1] == labels:  # Conditional DETR, Deformable DETR, RT-DETR
            return logits.sigmoid()
        raise ForeignFileError(
            f"the detector scores {logits.shape[-1]} labels and names {labels}",
            hint="give a model for object detection",
        )


def _input(image: Pixels, preprocessing: dict[str, Any]) -> NDArray[np.float32]:
    """Return ``(1, 3, height, width)`` resized and normalised as the model's files say."""
    size = _resized(image.shape[1], image.shape[0], preprocessing)
    resized = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
    values = np.asarray(resized, dtype=np.float32) / 255.0
    if preprocessing.get("do_normalize", True):
        mean = np.asarray(preprocessing.get("image_mean") or _MEAN, dtype=np.float32)
        deviation = np.asarray(preprocessing.get("image_std") or _DEVIATION, dtype=np.float32)
        values = (values - mean) / deviation
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def _resized(width: int, height: int, preprocessing: dict[str, Any]) -> tuple[int, int]:
    """Return the width and height in which a detector reads a picture."""
    size = preprocessing.get("size") or {}
    if isinstance(size, int):  # as older files say it
        size = {"shortest_edge": size, "longest_edge": preprocessing.get("max_size", _SIDES[1])}
    if {"height", "width"} <= size.keys():
        return int(size["width"]), int(size["height"])
    shortest = size.get("shortest_edge", _SIDES[0])
    longest = size.get("longest_edge", _SIDES[1])
    scale = min(shortest / min(width, height), longest / max(width, height))
    return max(round(width * scale), 1), max(round(height * scale), 1)


def _region(image: Pixels, box: list[float], label: str, score: float) -> Region:
    """Return a box (centre and size as shares of the image) as a region of whole pixels."""
    height, width = image.shape[:2]
    x, y, wide, high = box
    left, top = math.floor((x - wide / 2) * width), math.floor((y - high / 2) * height)
    right, bottom = math.ceil((x + wide / 2) * width), math.ceil((y + high / 2) * height)
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    right, bottom = max(min(right, width), left + 1), max(min(bottom, height), top + 1)
    mask = np.zeros((height, width), dtype=bool)
    mask[top:bottom, left:right] = True
    red, green, blue = np.median(image[top:bottom, left:right], axis=(0, 1)).astype(int).tolist()
    return Region(
        box_xyxy=(float(left), float(top), float(right), float(bottom)),
        mask=mask,
        colour=colour_name((red, green, blue)),
        rgb=(red, green, blue),
        label=label,
        label_probability=score,
    )


@dataclass(frozen=True, slots=True)
class DetectedScenes:
    """A detector in the place of a scene model: its labels, and what exact geometry says of them.

    Since no model guesses ``left_of`` and ``above`` here, geometry tells them.

    Attributes:
        detector: Finds the parts.
    """

    detector: Detector

    @property
    def version(self) -> str:
        """Name for provenance: that of a scene model, so that one replaces the other's parts."""
        return f"scenes-{sha256_of_text(f'{self.detector.fingerprint} sides')[:12]}"

    def parse_all(self, images: Iterable[Pixels]) -> Iterator[Scene]:
        """Take images apart, one after the other.

        Args:
            images: Each ``(height, width, 3)`` uint8.

        Raises:
            ImageError: One of them cannot be read.
        """
        for image in images:
            regions = self.detector.detect(image)
            yield Scene(
                width=image.shape[1],
                height=image.shape[0],
                regions=regions,
                relations=exact_relations(regions, sides=True),
            )
