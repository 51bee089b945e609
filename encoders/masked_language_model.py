"""A frozen masked language model that takes learned prompt vectors among its words.

Any `transformers` encoder with a [MASK] token: a BERT, a RoBERTa, or the packaged MiniLM. Weights
are read from safetensors only and never trained; gradients reach the prompts through them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from encoders.text import packaged_text_folder
from encoders.transformers_loading import fingerprint_of, loaded, model_of
from kg.errors import InputError

__all__ = ["MaskedLanguageModel"]

_MAX_TOKENS = 32


class MaskedLanguageModel:
    """Tells the hidden state at the [MASK] of a text with prompt vectors before its words.

    Args:
        name: Local directory or hub id; the packaged MiniLM if not given.
        layers: Only so many of the first layers are run; all if not given.
        max_tokens: Longer texts are cut here (special tokens included).

    Raises:
        MissingPartError: The model cannot be loaded.
        InputError: It has no [MASK] token, or fewer layers.
    """

    def __init__(
        self,
        name: str | Path | None = None,
        *,
        layers: int | None = None,
        max_tokens: int = _MAX_TOKENS,
    ) -> None:
        name = str(packaged_text_folder() if name is None else name)
        self._tokenizer = loaded(transformers.AutoTokenizer, name)
        if self._tokenizer.mask_token is None:
            raise InputError(f"the model {name!r} has no [MASK] token")
        self._model = model_of(name).requires_grad_(False)
        if hasattr(self._model, "pooler"):
            self._model.pooler = None  # not used, and of random weights in a masked model
        if layers is not None:
            _cut(self._model, name, layers)
        self._max_tokens = max_tokens
        self._model.config.name_or_path = ""  # the same model, wherever its folder lies
        self._fingerprint = fingerprint_of(name, self._model, f"mask{max_tokens}")

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        return int(self._model.config.hidden_size)

    @property
    def fingerprint(self) -> str:
        """Names weights and settings; two models of one fingerprint give equal states."""
        return self._fingerprint

    @property
    def mask_token(self) -> str:
        """How the blank is written in a text."""
        return str(self._tokenizer.mask_token)

    def tokens(self, texts: Sequence[str]) -> Tensor:
        """Return the tokens of texts.

        Args:
            texts: Each holds `mask_token` once.

        Returns:
            ``(n, length)`` int64, padded with −1.

        Raises:
            InputError: A text has no blank, or more than one, within the limit of tokens.
        """
        encoded = [
            self._tokenizer(text, truncation=True, max_length=self._max_tokens)["input_ids"]
            for text in texts
        ]
        ids = torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(one) for one in encoded], batch_first=True, padding_value=-1
        )
        blanks = (ids == self._tokenizer.mask_token_id).sum(dim=1)
        if bool((blanks != 1).any()):
            wrong = texts[int((blanks != 1).nonzero()[0, 0])]
            raise InputError(
                f"expected one {self.mask_token} among the first {self._max_tokens} tokens",
                where=repr(wrong[:80]),
            )
        return ids

    def state_at_mask(self, tokens: Tensor, prompts: Tensor) -> Tensor:
        """Return the last layer's state at the blank.

        Args:
            tokens: ``(n, length)`` from `tokens`.
            prompts: ``(n, count, dimension)``, put after the first special token.

        Returns:
            ``(n, dimension)``, differentiable by the prompts.
        """
        attended = tokens >= 0
        words = self._model.get_input_embeddings()(tokens.clamp(min=0))
        mixed = torch.cat([words[:, :1], prompts, words[:, 1:]], dim=1)
        prompted = torch.ones(prompts.shape[:2], dtype=torch.bool)
        mask = torch.cat([attended[:, :1], prompted, attended[:, 1:]], dim=1)
        hidden: Tensor = self._model(
            inputs_embeds=mixed, attention_mask=mask.long()
        ).last_hidden_state
        place = (tokens == self._tokenizer.mask_token_id).int().argmax(dim=1) + prompts.shape[1]
        return hidden[torch.arange(len(tokens)), place]


def _cut(model: Any, name: str, layers: int) -> None:
    found = getattr(getattr(model, "encoder", None), "layer", None)
    if found is None or not 1 <= layers <= len(found):
        held = "layers of another kind" if found is None else f"{len(found)} layers"
        raise InputError(f"cannot take {layers} layers of the model {name!r}: it has {held}")
    model.encoder.layer = found[:layers]
