"""The visually prompted language model of CaCao (arXiv 2303.13233), section 3.1.

A frozen masked language model reads ``[CLS] textual prompts, visual prompts, subject [MASK]
object``. Textual prompts are learned vectors; visual prompts are projected from the geometry of
the pair's boxes and, where there are pixels, from the features of its regions. A linear classifier
over the predicates sits on the hidden state at [MASK] itself, not on the scores of the model's
vocabulary behind a leaky ReLU as in the public code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kg.errors import InputError
from scenes.cacao.config import PromptConfig
from scenes.relations.annotations import Vocabulary
from scenes.relations.pairs import PairTable

__all__ = ["LanguageModel", "PromptedModel", "measures_of"]

Floats = NDArray[np.float64]

_CLIP = 4.0  # standard deviations beyond which a measure says nothing more
_ROWS = 256  # scored at once


class LanguageModel(Protocol):
    """A frozen masked language model (`encoders.masked_language_model`)."""

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """Names weights and settings."""
        ...

    @property
    def mask_token(self) -> str:
        """How the blank is written in a text."""
        ...

    def tokens(self, texts: Sequence[str]) -> Tensor:
        """Return ``(n, length)`` tokens of texts with one blank each."""
        ...

    def state_at_mask(self, tokens: Tensor, prompts: Tensor) -> Tensor:
        """Return ``(n, dimension)``, the state at the blank after prompts ``(n, count, dim)``."""
        ...


class PromptedModel(nn.Module):
    """Prompts and classifier around a language model that is not part of the parameters.

    Args:
        language: The frozen model.
        vocabulary: Names of object classes and predicates.
        scale: ``(2, measures)`` mean and standard deviation of the visual measures.
        config: Shape.
        generator: Of the first weights.
    """

    scale: Tensor

    def __init__(
        self,
        language: LanguageModel,
        vocabulary: Vocabulary,
        scale: Floats,
        config: PromptConfig,
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.language = language
        self.vocabulary = vocabulary
        self.config = config
        width = language.dimension
        self.register_buffer("scale", torch.from_numpy(scale).float())
        self.textual = nn.Parameter(torch.empty(config.textual_prompts, width))
        projection = nn.Linear(config.hidden, config.visual_prompts * width)
        self.visual = nn.Sequential(nn.Linear(scale.shape[1], config.hidden), nn.GELU(), projection)
        self.classifier = nn.Linear(width, len(vocabulary.predicates))
        for parameter in self.parameters():
            if parameter.ndim == 1:
                nn.init.zeros_(parameter)
            else:
                nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5, generator=generator)
        for prompts in (self.textual, projection.weight):  # as large as BERT's own words
            nn.init.normal_(prompts, std=0.02, generator=generator)
        self._tokens: dict[tuple[int, int], Tensor] = {}

    def forward(self, labels: Tensor, measures: Tensor) -> Tensor:
        """Return logits ``(n, predicates)``.

        Args:
            labels: ``(n, 2)`` classes of subject and object.
            measures: ``(n, measures)`` as `measures_of` gives them.
        """
        logits: Tensor = self.classifier(self.states(labels, measures))
        return logits

    def states(self, labels: Tensor, measures: Tensor) -> Tensor:
        """Return ``(n, dimension)``, what the classifier reads; arguments as of `forward`."""
        seen = ((measures - self.scale[0]) / self.scale[1]).clamp(-_CLIP, _CLIP)
        visual = self.visual(seen).unflatten(1, (-1, self.textual.shape[1]))
        textual = self.textual.expand(len(labels), -1, -1)
        return self.language.state_at_mask(
            self._worded(labels), torch.cat([textual, visual], dim=1)
        )

    def log_probabilities(self, labels: NDArray[np.int64], measures: Floats) -> Floats:
        """Return ``(n, predicates)``: each predicate, given that the pair has one."""
        parts = [np.empty((0, len(self.vocabulary.predicates)))]
        with torch.inference_mode():
            for start in range(0, len(labels), _ROWS):
                rows = slice(start, start + _ROWS)
                logits = self(
                    torch.from_numpy(labels[rows]), torch.from_numpy(measures[rows]).float()
                )
                parts.append(logits.log_softmax(dim=1).double().numpy())
        return np.concatenate(parts)

    def _worded(self, labels: Tensor) -> Tensor:
        """Tokens of ``subject [MASK] object``; each pair of classes is worded once."""
        pairs = [(int(s), int(o)) for s, o in labels.tolist()]
        new = sorted(set(pairs) - self._tokens.keys())
        names, blank = self.vocabulary.objects, self.language.mask_token
        if new:
            worded = self.language.tokens([f"{names[s]} {blank} {names[o]}" for s, o in new])
            self._tokens.update(
                (pair, row[row >= 0]) for pair, row in zip(new, worded, strict=True)
            )
        return nn.utils.rnn.pad_sequence(
            [self._tokens[pair] for pair in pairs], batch_first=True, padding_value=-1
        )


def measures_of(pairs: PairTable, regions: Floats | None = None) -> Floats:
    """Return what is seen of pairs: geometry, and the features of both regions if there are any.

    Args:
        pairs: The pairs.
        regions: ``(rows, features)`` of subject, object or their union, from any image encoder.

    Raises:
        InputError: Features of another number of pairs.
    """
    if regions is None:
        return pairs.geometry
    if len(regions) != len(pairs):
        raise InputError(f"features of {len(regions)} pairs for {len(pairs)} pairs")
    return np.concatenate([pairs.geometry, regions], axis=1)
