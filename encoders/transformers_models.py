"""Encoders from a `transformers` model: a local directory or a hub id (CLIP, SigLIP, BERT, ViT …).

Weights are read from safetensors only and no code of a model repository is run. Two-tower models
give the projected vectors of their towers, so texts and pictures share one space; their tokens go
through the same projection, so that pooled and token vectors have one dimension. One-tower models
give their mean (text) or first vector (pictures).
Vectors of one item may differ in the last bits with the batch it stands in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from PIL import Image

from encoders.image import check_pixels
from encoders.padding import padded
from encoders.protocols import ImageEncoder, Pixels, TextEncoder, Vectors
from encoders.transformers_loading import fingerprint_of, loaded, model_of
from kg.errors import InputError

__all__ = [
    "TransformersImageEncoder",
    "TransformersTextEncoder",
    "preprocessing_of",
    "transformers_image_encoder",
    "transformers_text_encoder",
]

_MAX_TOKENS = 64
_CHARS_PER_TOKEN = 24
_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


class TransformersTextEncoder:
    """Encodes texts by any `transformers` model with a text tower.

    Args:
        name: Local directory or hub id.
        max_tokens: Longer texts are cut here, and at the model's own limit.
        batch_size: Texts a run.
        device: Torch device.

    Raises:
        MissingPartError: The model cannot be loaded.
    """

    def __init__(
        self,
        name: str,
        *,
        max_tokens: int = _MAX_TOKENS,
        batch_size: int = 16,
        device: str = "cpu",
    ) -> None:
        self._tokenizer = loaded(transformers.AutoTokenizer, name)
        self._model = model_of(name)
        self._two_towers = hasattr(self._model, "text_model")
        config = self._model.config
        # SigLIP was trained on texts padded to its limit, unmasked, and pools the last position
        self._full_length = str(config.model_type).startswith("siglip")
        limit = getattr(config.get_text_config(), "max_position_embeddings", max_tokens)
        self._max_tokens = limit if self._full_length else min(max_tokens, limit)
        self._batch_size = batch_size
        self._fingerprint = fingerprint_of(name, self._model, f"text{self._max_tokens}")
        self._model.to(device)
        self._device = device
        self._dimension = int(self._encode_batch(["a"])[0][0].shape[0])

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """Names weights and settings."""
        return self._fingerprint

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; an empty text gives a zero vector and an all-false mask."""
        pooled = [np.zeros(self._dimension, np.float32)] * len(texts)
        tokens = [np.zeros((0, self._dimension), np.float32)] * len(texts)
        order = sorted(
            (index for index, text in enumerate(texts) if text.strip()),
            key=lambda index: len(texts[index]),
        )
        for start in range(0, len(order), self._batch_size):
            part = order[start : start + self._batch_size]
            batch_pooled, batch_tokens = self._encode_batch([texts[index] for index in part])
            for row, index in enumerate(part):
                pooled[index], tokens[index] = batch_pooled[row], batch_tokens[row]
        return padded(pooled, tokens, self._dimension)

    def _encode_batch(
        self, texts: list[str]
    ) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
        texts = [text[: self._max_tokens * _CHARS_PER_TOKEN] for text in texts]
        batch = self._tokenizer(
            texts,
            padding="max_length" if self._full_length else True,
            truncation=True,
            max_length=self._max_tokens,
            return_tensors="pt",
            return_attention_mask=True,
        ).to(self._device)
        with torch.inference_mode():
            if self._two_towers:
                attended = None if self._full_length else batch["attention_mask"]
                tower = self._model.text_model(
                    input_ids=batch["input_ids"], attention_mask=attended
                )
                project = getattr(self._model, "text_projection", torch.nn.Identity())
                hidden = project(tower.last_hidden_state)
                pooled = project(tower.pooler_output)
            else:
                hidden = self._model(**batch).last_hidden_state
                weights = batch["attention_mask"].unsqueeze(-1).float()
                pooled = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
        mask = batch["attention_mask"].bool().cpu().numpy()
        values = hidden.float().cpu().numpy()
        rows = [values[row][mask[row]] for row in range(len(texts))]
        return list(pooled.float().cpu().numpy()), rows


class TransformersImageEncoder:
    """Encodes pictures by any `transformers` model with a vision tower.

    Pictures are squeezed to the model's square (aspect lost) and normalised by the figures of its
    ``preprocessor_config.json``, else by CLIP's, or by 0.5 for other models.

    Args:
        name: Local directory or hub id.
        batch_size: Pictures a run.
        device: Torch device.

    Raises:
        MissingPartError: The model cannot be loaded.
        InputError: It has no vision tower.
    """

    def __init__(self, name: str, *, batch_size: int = 8, device: str = "cpu") -> None:
        self._model = model_of(name)
        config = getattr(self._model.config, "vision_config", self._model.config)
        if not hasattr(config, "image_size") or not hasattr(config, "patch_size"):
            raise InputError(f"the model {name!r} has no vision tower")
        self._side = int(config.image_size)
        cells = self._side // int(config.patch_size)
        self._grid = (cells, cells)
        self._mean, self._deviation = _normalisation(name, str(config.model_type))
        self._batch_size = batch_size
        self._fingerprint = fingerprint_of(name, self._model, f"image{self._side}")
        self._model.to(device)
        self._device = device
        blank = np.zeros((1, 3, self._side, self._side), dtype=np.float32)
        self._dimension = int(self._encode_batch(blank)[0].shape[1])

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """Names weights and settings."""
        return self._fingerprint

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the patch grid."""
        return self._grid

    def encode(self, images: Sequence[Pixels]) -> Vectors:
        """Encode pictures of any size.

        Raises:
            ImageError: An array is not ``(height, width, 3)`` uint8.
        """
        pooled: list[NDArray[np.float32]] = []
        tokens: list[NDArray[np.float32]] = []
        for start in range(0, len(images), self._batch_size):
            part = images[start : start + self._batch_size]
            batch_pooled, batch_tokens = self._encode_batch(np.stack([*map(self._prepare, part)]))
            pooled.extend(batch_pooled)
            tokens.extend(batch_tokens)
        return padded(pooled, tokens, self._dimension)

    def _prepare(self, image: Pixels) -> NDArray[np.float32]:
        check_pixels(image)
        size = (self._side, self._side)
        resized = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
        values = np.asarray(resized, dtype=np.float32) / 255.0
        result: NDArray[np.float32] = ((values - self._mean) / self._deviation).transpose(2, 0, 1)
        return result.astype(np.float32)

    def _encode_batch(
        self, pixels: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        inputs = torch.from_numpy(pixels).to(self._device)
        with torch.inference_mode():
            if hasattr(self._model, "vision_model"):
                tower = self._model.vision_model(pixel_values=inputs)
                project = getattr(self._model, "visual_projection", torch.nn.Identity())
                hidden, pooled = tower.last_hidden_state, project(tower.pooler_output)
                if not isinstance(project, torch.nn.Identity):
                    # CLIP norms only the class vector before it projects it
                    hidden = project(self._model.vision_model.post_layernorm(hidden))
            else:
                hidden = self._model(pixel_values=inputs).last_hidden_state
                pooled = hidden[:, 0]
        patches = hidden[:, hidden.shape[1] - self._grid[0] * self._grid[1] :]
        return pooled.float().cpu().numpy(), patches.float().cpu().numpy()


def preprocessing_of(name: str) -> dict[str, Any]:
    """Return what ``preprocessor_config.json`` of a model says; nothing if it has none.

    Args:
        name: Local directory or hub id.
    """
    file = Path(name) / "preprocessor_config.json"
    if not file.is_file():
        try:
            found = transformers.utils.cached_file(name, file.name)
        except OSError:
            found = None
        file = Path(found) if found else file
    values: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return values


def _normalisation(name: str, kind: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    values = preprocessing_of(name)
    clip = kind.startswith("clip")
    mean = values.get("image_mean", _CLIP_MEAN if clip else (0.5, 0.5, 0.5))
    deviation = values.get("image_std", _CLIP_DEVIATION if clip else (0.5, 0.5, 0.5))
    return np.asarray(mean, dtype=np.float32), np.asarray(deviation, dtype=np.float32)


def transformers_text_encoder(directory_or_id: str | Path) -> TextEncoder:
    """Return a text encoder from a local directory or a hub id.

    Raises:
        MissingPartError: The model cannot be loaded.
    """
    return TransformersTextEncoder(str(directory_or_id))


def transformers_image_encoder(directory_or_id: str | Path) -> ImageEncoder:
    """Return an image encoder from a local directory or a hub id.

    Raises:
        MissingPartError: The model cannot be loaded.
        InputError: It has no vision tower.
    """
    return TransformersImageEncoder(str(directory_or_id))
