"""Finds mentions by any `transformers` token classifier (named entities, in BIO labels or plain).

It finds names that no entity of the graph has, so that NIL can be said of them. Weights are read
from safetensors only and no code of a model's folder is run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from kg.errors import InputError, MissingPartError
from linkers.gazetteer import Spot

__all__ = ["TokenClassifier"]

_MAX_TOKENS = 512
_OVERLAP = 4  # a window shares a quarter of its tokens with the next
_OUTSIDE = {"O", "LABEL_0"}
_BATCH = 8


class TokenClassifier:
    """A token classifier of a local folder.

    Args:
        folder: Holds config.json, model.safetensors and a fast tokenizer.
        least: A span whose mean probability is lower is no mention, in [0, 1].

    Raises:
        MissingPartError: The folder or a part of it is missing.
        InputError: Its tokenizer cannot say where a token stands in the text.
    """

    def __init__(self, folder: Path, *, least: float = 0.5) -> None:
        if not folder.is_dir():
            raise MissingPartError(
                "no such folder of a token classifier",
                where=str(folder),
                hint="give a folder with config.json, model.safetensors and tokenizer.json",
            )
        transformers.utils.logging.disable_progress_bar()
        options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), **options)
            self._model = transformers.AutoModelForTokenClassification.from_pretrained(
                str(folder), use_safetensors=True, dtype=torch.float32, **options
            ).eval()
        except (OSError, ValueError, KeyError) as error:
            raise MissingPartError(
                f"cannot load the token classifier: {str(error).splitlines()[0][:200]}",
                where=str(folder),
                hint="give a folder with config.json, model.safetensors and tokenizer.json",
            ) from error
        if not self._tokenizer.is_fast:
            raise InputError(
                "this tokenizer cannot say where a token stands in the text",
                where=str(folder),
                hint="save it with a fast tokenizer (tokenizer.json)",
            )
        config = self._model.config
        self._labels = {int(number): str(label) for number, label in config.id2label.items()}
        self._least = least
        self._most = min(
            _MAX_TOKENS,
            int(self._tokenizer.model_max_length),
            int(getattr(config, "max_position_embeddings", _MAX_TOKENS)),
        )

    def find(self, text: str) -> list[Spot]:
        """Return the spans that the classifier takes for names; spans of two windows may overlap.

        Tokens of one name are joined by their labels: ``B-X`` begins a name, ``I-X`` (or a plain
        ``X``) goes on with one of the same X.
        """
        if not text.strip():
            return []
        windows = self._tokenizer(
            text,
            truncation=True,
            max_length=self._most,
            stride=max(0, (self._most - 2) // _OVERLAP),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            padding=True,
            return_tensors="pt",
        )
        found: list[Spot] = []
        names = [n for n in self._tokenizer.model_input_names if n in windows]
        for first in range(0, len(windows["input_ids"]), _BATCH):
            rows = slice(first, first + _BATCH)
            with torch.inference_mode():
                logits = self._model(**{name: windows[name][rows] for name in names}).logits
            best = logits.softmax(dim=-1).max(dim=-1)  # (windows, tokens)
            for row in range(len(logits)):
                tokens = zip(
                    windows["offset_mapping"][first + row].tolist(),
                    windows["special_tokens_mask"][first + row].tolist(),
                    best.indices[row].tolist(),
                    best.values[row].tolist(),
                    strict=True,
                )
                found += self._spans(text, [token for token in tokens if not token[1]])
        return found

    def _spans(self, text: str, tokens: list[tuple[list[int], int, int, float]]) -> list[Spot]:
        """Join the tokens of each name of one window."""
        found: list[Spot] = []
        open_kind: str | None = None
        start = end = 0
        scores: list[float] = []

        def close() -> None:
            if open_kind is not None and sum(scores) / len(scores) >= self._least:
                score = round(sum(scores) / len(scores), 6)
                found.append(Spot(start=start, end=end, finder="classifier", score=score))

        for (first, last), _, label_id, score in tokens:
            label = self._labels[label_id]
            begins, kind = label.startswith("B-"), label[2:] if label[1:2] == "-" else label
            inner = 0 < first == end and text[first - 1 : first + 1].isalnum()
            outside = label in _OUTSIDE
            # a piece within a word belongs to its first piece, whatever the model says of it
            if open_kind is not None and inner and last > first:
                end = last
                continue
            if open_kind is not None and (outside or begins or kind != open_kind):
                close()
                open_kind = None
            if outside or last == first:
                continue
            if open_kind is None:
                open_kind, start, scores = kind, first, []
            end = last
            scores.append(score)
        close()
        return found
