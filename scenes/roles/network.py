"""A network that scores who does what to whom, from the three parts of a triplet apart.

A sentence encoder's vector of "person ride horse" nearly ignores the order of its words, so no
sentence is encoded: subject and object have their own places in the input, beside the geometry of
the ordered pair. Its last class is "not annotated".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kg.errors import SettingError
from scenes.relations.pairs import GEOMETRY

__all__ = ["RoleConfig", "RoleNetwork"]

_CLIP = 4.0  # standard deviations beyond which a measure says nothing more


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleConfig:
    """Shape and schedule.

    Attributes:
        structure_weight: Of the hinge on swapped triplets; 0 trains without them.
        margin: By how much log-probability a triplet shall beat its swap.
        one_class: Factor of the hinge where both objects are of one class: few pairs, in which
            only the boxes tell the roles.
        embedding: Size of a class vector.
        hidden: Width of the two hidden layers.
        dropout: Share of hidden values left out in training, in [0, 1).
        members: Networks of other first weights, whose log-probabilities are averaged.
        epochs: Passes over the annotated triplets.
        batch: Triplets a step.
        negatives: Pairs without annotation beside each triplet.
        learning_rate: Highest, reached in a third of the steps and annealed to 0.
        weight_decay: Of AdamW.

    Raises:
        SettingError: A number is out of its range.
    """

    structure_weight: float = 0.0
    margin: float = 0.5
    one_class: float = 3.0
    embedding: int = 64
    hidden: int = 128
    dropout: float = 0.3
    members: int = 1
    epochs: int = 12
    batch: int = 256
    negatives: int = 2
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2

    def __post_init__(self) -> None:
        for name in ("embedding", "hidden", "members", "epochs", "batch", "negatives"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("structure_weight", "margin", "one_class"):
            if not getattr(self, name) >= 0:
                raise SettingError(f"{name} must not be negative, got {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise SettingError(f"dropout must lie in [0, 1), got {self.dropout}")


class RoleNetwork(nn.Module):
    """Scores predicates of ordered pairs.

    Args:
        objects: Classes of objects.
        predicates: Predicates; one more class stands for none.
        config: Shape.
    """

    scale: Tensor

    def __init__(self, objects: int, predicates: int, config: RoleConfig) -> None:
        super().__init__()
        width, hidden = len(GEOMETRY), config.hidden
        self.register_buffer("scale", torch.stack([torch.zeros(width), torch.ones(width)]))
        self.classes = nn.Embedding(objects, config.embedding)
        self.layers = nn.Sequential(
            nn.Linear(2 * config.embedding + width, hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, predicates + 1),
        )

    def forward(self, labels: Tensor, geometry: Tensor) -> Tensor:
        """Return log-probabilities ``(n, predicates + 1)``, the last of "not annotated".

        Args:
            labels: ``(n, 2)`` classes of subject and object.
            geometry: ``(n, len(GEOMETRY))``.
        """
        measures = ((geometry - self.scale[0]) / self.scale[1]).clamp(-_CLIP, _CLIP)
        inputs = torch.cat([self.classes(labels).flatten(1), measures], dim=1)
        scores: Tensor = self.layers(inputs).log_softmax(dim=1)
        return scores
