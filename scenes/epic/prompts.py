"""Entangled cross-modal prompts: a pair and a predicate's name in one space (Epic, 2303.13233).

The text side's prompt carries what is seen of the pair, the visual side's prompt what the name
says, and both meet by their cosine::

    t_ij = t_j + A v_i        v_ij = v_i + B t_j        score_ij = cos(t_ij, v_ij) / temperature

with v the pair's vector and t the name's. A predicate that was never a label only needs its name.
Inner products are expanded, so that no ``(pairs, names, dimension)`` array is made.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scenes.epic.config import EpicConfig

__all__ = ["PromptNetwork", "entangled_cosines"]

_CLIP = 4.0  # standard deviations beyond which a measure says nothing more


def entangled_cosines(visual: Tensor, text: Tensor, to_text: Tensor, to_visual: Tensor) -> Tensor:
    """Return ``(pairs, names)`` cosines of ``text + to_text`` and ``visual + to_visual``.

    Args:
        visual: ``(pairs, dimension)`` v.
        text: ``(names, dimension)`` t.
        to_text: ``(pairs, dimension)`` A v, what the text side is told of each pair.
        to_visual: ``(names, dimension)`` B t, what the visual side is told of each name.
    """
    product = (
        visual @ text.T
        + visual.mul(to_text).sum(dim=1, keepdim=True)
        + text.mul(to_visual).sum(dim=1)
        + to_text @ to_visual.T
    )
    text_length = _squares(text, to_text).T
    visual_length = _squares(visual, to_visual)
    return product / (text_length * visual_length).clamp(min=1e-12).sqrt()


def _squares(own: Tensor, prompt: Tensor) -> Tensor:
    """``(own, prompts)`` squared lengths of each own vector plus each prompt."""
    return (
        own.square().sum(dim=1, keepdim=True) + 2 * own @ prompt.T + prompt.square().sum(dim=1)
    ).clamp(min=0)


class PromptNetwork(nn.Module):
    """Scores names for pairs, and pairs for being annotated at all.

    Args:
        classes: ``(objects, parts)`` description of each class.
        measures: ``(2, measures)`` mean and standard deviation of the pairs' geometry.
        features: Size of a name's description.
        config: Shape.
    """

    classes: Tensor
    scale: Tensor

    def __init__(
        self, classes: Tensor, measures: Tensor, features: int, config: EpicConfig
    ) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("classes", classes)
        self.register_buffer("scale", measures)
        width = 2 * classes.shape[1] + measures.shape[1]
        space = config.dimension
        self.pair = nn.Sequential(
            nn.Linear(width, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, space),
        )
        self.name = nn.Linear(features, space, bias=False)
        self.name_bias = nn.Linear(features, 1, bias=False)
        self.to_text = nn.Linear(space, space, bias=False)
        self.to_visual = nn.Linear(space, space, bias=False)
        self.annotated = nn.Sequential(
            nn.Linear(width, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, 1),
        )

    def inputs(self, labels: Tensor, geometry: Tensor) -> Tensor:
        """Return ``(n, width)`` of classes ``(n, 2)`` and geometry ``(n, measures)``."""
        measures = ((geometry - self.scale[0]) / self.scale[1]).clamp(-_CLIP, _CLIP)
        return torch.cat([self.classes[labels].flatten(1), measures], dim=1)

    def forward(self, inputs: Tensor, names: Tensor) -> Tensor:
        """Return ``(pairs, names)`` scores, to be compared among the names of a pair.

        Args:
            inputs: ``(pairs, width)`` from `inputs`.
            names: ``(names, features)`` descriptions.
        """
        visual, text = self.pair(inputs), self.name(names)
        if not self.config.entangled:
            scores: Tensor = visual @ text.T + self.name_bias(names)[:, 0]
            return scores
        cosines = entangled_cosines(visual, text, self.to_text(visual), self.to_visual(text))
        return cosines / self.config.temperature

    def log_annotated(self, inputs: Tensor) -> Tensor:
        """Return ``(pairs,)`` log-probability that a pair has any annotation."""
        scores: Tensor = nn.functional.logsigmoid(self.annotated(inputs)[:, 0])
        return scores
