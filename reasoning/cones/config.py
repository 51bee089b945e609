"""How cones are trained: one frozen configuration, by default ours, on demand the papers'."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from kg.errors import SettingError
from reasoning.cones.batches import BatchSettings
from reasoning.cones.cone import GeometryConfig
from reasoning.cones.losses import LossName
from reasoning.cones.model import ConeModelConfig
from reasoning.structures import STRUCTURES, TRAINING_STRUCTURES

__all__ = ["ConeTrainingConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConeTrainingConfig:
    """How a cone model is trained. Defaults are for graphs of a few thousand entities.

    Attributes:
        model: What is trained; its `geometry` is set by `train_cones`.
        batches: How batches are drawn.
        structures: What to train on, 1p included.
        part_structures: Structures sampled once more with parts as answers, if there are any.
        queries: Most queries to sample of each structure but 1p, which is taken whole.
        epochs: Most epochs.
        steps: Batches an epoch.
        patience: Epochs without a gain on validation before training ends.
        learning_rate: Of Adam, reached after half an epoch, falling to a tenth at the end.
        loss: ``softmax`` or ``margin`` (as published).
        part_weight: Weight of the loss of queries whose answers are parts.
        label_weight: Weight of telling the labels that the encoder of parts does not see.
        owner_weight: Weight of the term of their owners, which belong into the rim; rough cones.
        valid_share: Share of edges kept out for validation, [0, 1).
        min_probability: Edges below it are not trained on.
        start_scale: Spread of the entities' raw axes over the coordinates they start from, see
            `reasoning.cones.start`; 0 starts them at random.

    Raises:
        SettingError: A field is out of its range.
    """

    model: ConeModelConfig = field(default_factory=ConeModelConfig)
    batches: BatchSettings = field(default_factory=BatchSettings)
    structures: tuple[str, ...] = TRAINING_STRUCTURES
    part_structures: tuple[str, ...] = ("2p", "2i", "3i", "2in")
    queries: int = 1500
    epochs: int = 8
    steps: int = 75
    patience: int = 4
    learning_rate: float = 5e-3
    loss: LossName = "softmax"
    part_weight: float = 1.0
    label_weight: float = 1.0
    owner_weight: float = 0.2
    valid_share: float = 0.05
    min_probability: float = 0.5
    start_scale: float = 0.07

    def __post_init__(self) -> None:
        """Check ranges."""
        for name in ("epochs", "steps", "patience"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        unknown = sorted({*self.structures, *self.part_structures} - set(STRUCTURES))
        if unknown or not self.structures:
            raise SettingError(f"no structures {unknown}", hint=f"choose from {list(STRUCTURES)}")
        if self.loss not in ("softmax", "margin"):
            raise SettingError(f"loss must be softmax or margin, got {self.loss!r}")
        if not 0.0 <= self.valid_share < 1.0:
            raise SettingError(f"valid_share must lie in [0, 1), got {self.valid_share}")
        if self.learning_rate <= 0:
            raise SettingError(f"learning_rate must be above 0, got {self.learning_rate}")
        for name in ("part_weight", "label_weight", "owner_weight", "start_scale"):
            if getattr(self, name) < 0:
                raise SettingError(f"{name} must not be below 0, got {getattr(self, name)}")

    @classmethod
    def published(cls, *, dim: int = 800, margin: float = 30.0, layers: int = 4) -> Self:
        """Return the papers' setting: formulas, losses, batches and learning rate.

        Apertures, cores and rims, the projection network over sums of angles, the range (γ + 2)/d
        that raw parameters are divided by, the modulus, 128 random negatives a query of its own,
        −log σ(γ − d⁺) − mean log σ(d⁻ − γ) by 1/√(answers), Adam at 5e-5. RConE's weights: owners
        of answers count as entities do, parts 0.005. Numbers are those for FB15k-237; what is a
        defect of the public code (`specs`: negative rims, gold answers that choose the distance)
        stays mended.

        Args:
            dim: d.
            margin: γ.
            layers: Hidden layers of the projection network (2 in ConE's public code).
        """
        shape = GeometryConfig(
            dim=dim,
            hidden=2 * dim,
            layers=layers,
            inside_weight=0.02,
            rim_weight=1.0,
            dropout=0.05,
            published=True,
            raw_range=(margin + 2.0) / dim,
        )
        return cls(
            model=ConeModelConfig(shape=shape, margin=margin, entity_bias=False),
            batches=BatchSettings(queries=512, own=128),
            learning_rate=5e-5,
            loss="margin",
            part_weight=0.005,
            label_weight=0.0,
            owner_weight=1.0,
            start_scale=0.0,
        )
