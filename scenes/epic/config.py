"""How an open-vocabulary model of relations is shaped and trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kg.errors import SettingError

__all__ = ["EpicConfig", "NameFeatures"]

NameFeatures = Literal["vectors", "hints", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpicConfig:
    """Settings of `scenes.epic`.

    Attributes:
        names: What a predicate's name is read by: the text encoder's vector (as in the paper),
            the hints of its words, or both.
        entangled: Whether each side's prompt carries the other side, as in the paper; without,
            the score is the plain product of both vectors.
        temperature: Of the entangled cosines, above 0.
        dimension: Of the shared space.
        hidden: Width of the pair's hidden layer.
        class_parts: Principal parts of the class names' vectors that describe a class.
        vector_scale: Length of a name's vector, where it is read.
        evenness: How evenly predicates are drawn in training: 0 as often as they are annotated, 1
            all equally often; between, by the power 1 − evenness of their number.
        affinity: Weight of the cosine of a name with the names of both classes, in standard
            deviations over classes; added when names are scored, not learnt.
        dropout: Share of hidden values left out in training, in [0, 1).
        members: Networks of other first weights, whose log-probabilities are averaged.
        epochs: Passes over the triplets; few, since the names to learn from are few.
        batch: Triplets a step.
        learning_rate: Highest, reached in a third of the steps and annealed to 0.
        weight_decay: Of AdamW.
        pair_epochs: Passes over all pairs of the network that tells which are annotated; 0 where
            nobody asks for it.

    Raises:
        SettingError: A number is out of its range.
    """

    names: NameFeatures = "hints"
    entangled: bool = True
    temperature: float = 0.1
    dimension: int = 64
    hidden: int = 128
    class_parts: int = 32
    vector_scale: float = 1.0
    evenness: float = 0.5
    affinity: float = 0.5
    dropout: float = 0.3
    members: int = 2
    epochs: int = 4
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    pair_epochs: int = 4

    def __post_init__(self) -> None:
        for name in ("dimension", "hidden", "class_parts", "members", "epochs", "batch"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.evenness <= 1 or not self.affinity >= 0:
            raise SettingError(
                f"evenness {self.evenness} is not in [0, 1], or affinity {self.affinity} negative"
            )
        if not self.temperature > 0 or not 0 <= self.dropout < 1 or self.pair_epochs < 0:
            raise SettingError(
                f"temperature {self.temperature} is not above 0, dropout {self.dropout} not in "
                f"[0, 1), or pair_epochs {self.pair_epochs} negative"
            )
