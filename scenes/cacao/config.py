"""How the prompted language model of CaCao is shaped and trained."""

from __future__ import annotations

from dataclasses import dataclass

from kg.errors import SettingError
from scenes.cacao.cluster_loss import FrequencyRatio

__all__ = ["PromptConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptConfig:
    """Settings of `scenes.cacao.prompted_model`; the defaults are the paper's where it has one.

    Attributes:
        textual_prompts: Learned vectors that stand for a worded prompt.
        visual_prompts: Vectors into which a pair's geometry (and pixels) are projected.
        hidden: Width of the projection's hidden layer.
        cluster_cosine: Least cosine of predicates in one cluster.
        theta: Weight of the other predicates in the cluster loss.
        ratio: How frequencies enter the cluster loss, see `scenes.cacao.cluster_loss`.
        learning_rate: Of AdamW at the start of each step.
        weight_decay: Of AdamW.
        batch: Samples a step.
        classifier_epochs: Passes of the classifier before the first step, over states that are
            computed once for each pair of classes, at the mean of what is seen.
        epochs: Passes of the three training steps.
        patience: Epochs without a better score on held-out samples before the rate is halved.
        most: Samples of one predicate that are used, drawn anew for each epoch.

    Raises:
        SettingError: A number is out of its range.
    """

    textual_prompts: int = 10
    visual_prompts: int = 2
    hidden: int = 128
    cluster_cosine: float = 0.7
    theta: float = 9.0
    ratio: FrequencyRatio = "inverse"
    learning_rate: float = 3e-4
    weight_decay: float = 4e-4
    batch: int = 32
    classifier_epochs: int = 10
    epochs: tuple[int, int, int] = (2, 1, 2)
    patience: int = 1
    most: int = 300

    def __post_init__(self) -> None:
        for name in ("textual_prompts", "visual_prompts", "hidden", "batch", "most"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("patience", "classifier_epochs"):
            if getattr(self, name) < 0:
                raise SettingError(f"{name} must not be negative, got {getattr(self, name)}")
        for name in ("theta", "learning_rate"):
            if not getattr(self, name) > 0:
                raise SettingError(f"{name} must be above 0, got {getattr(self, name)}")
        if len(self.epochs) != 3 or min(self.epochs) < 0:
            raise SettingError(f"epochs must be three numbers of at least 0, got {self.epochs}")
