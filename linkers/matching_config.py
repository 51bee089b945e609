"""Settings of the matching network: its shape, what it is judged by, how it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kg.errors import SettingError

__all__ = ["MatchingConfig"]

_SHARES = (
    "initial_temperature",
    "contrastive_temperature",
    "learning_rate",
    "sdm_temperature",
    "view_temperature",
)
_KINDS = {
    "formulas": ("mended", "paper", "paper, one direction"),
    "parts": ("both", "global", "local", "late", "global and late"),
    "objective": ("cross-entropy", "sdm", "both"),
    "start": ("random", "cosine"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingConfig:
    """Shape and training of the network.

    Attributes:
        text_dimension: Of the text encoder.
        image_dimension: Of the image encoder; 1 where there is none.
        dimension: d, size of the vectors in which sides are compared.
        temperatures: T of the class-specific attention heads; 99 and above takes the maximum.
        residual: λ, weight of the attention beside the mean.
        initial_temperature: Of every unit's cosine, in (0, 1].
        contrastive_temperature: τ of the contrastive loss.
        inter: a, weight of the other side's items in it.
        intra: b, weight of the own side's items in it.
        batch: Mentions in a step; the other ones' entities are the negatives.
        epochs: Most passes over the mentions.
        patience: Passes without a better MRR on valid mentions before training ends.
        learning_rate: Of AdamW. The paper's 1e-5 is for fine-tuning CLIP; from scratch it is slow.
        weight_decay: Of AdamW, on matrices only.
        formulas: `mended` (see above), or the published ones, defects included: `paper` as for
            WikiDiverse, `paper, one direction` as for WikiMEL and RichpediaMEL.
        parts: What an intra-modal unit is the mean of: `both`, or one of `global` and `local`; or
            FILIP's `late` interaction of the projected tokens (`linkers.late_interaction`), alone
            or as `global and late`.
        contrastive: Weight of the contrastive loss; 0 leaves it out.
        objective: Of the scores: `cross-entropy`, `sdm` (similarity distribution matching: every
            mention's row of similarities is drawn to the row of labels), or `both`.
        sdm_temperature: Of `sdm`, in (0, 1]; its paper's 0.02.
        view: Weight of TCL's agreement of an item with other views of itself
            (`linkers.triple_contrast`), which are encoded before training; 0 leaves it out.
        local: Weight of TCL's agreement of an item with its own parts; 0 leaves it out.
        view_temperature: τ of both, in (0, 1]; the paper starts at 0.07.
        start: What the network is before it is trained: `random`, or the `cosine` of its encoders
            (`linkers.cosine_start`), which few pictures are enough for.
        image_learning_rate: Of what only pictures teach, as they are fewer than words; None for
            `learning_rate`.
        pull: Decay of AdamW towards the cosine, of what training adds to it.
    """

    text_dimension: int
    image_dimension: int
    dimension: int = 96
    temperatures: tuple[float, ...] = (2.0, 2.5, 3.5, 4.5, 99.0)
    residual: float = 1.0
    initial_temperature: float = 0.1
    contrastive_temperature: float = 0.03
    inter: float = 1.0
    intra: float = 0.8
    batch: int = 32
    epochs: int = 3
    patience: int = 2
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    formulas: Literal["mended", "paper", "paper, one direction"] = "mended"
    parts: Literal["both", "global", "local", "late", "global and late"] = "both"
    contrastive: float = 1.0
    objective: Literal["cross-entropy", "sdm", "both"] = "cross-entropy"
    sdm_temperature: float = 0.02
    view: float = 0.0
    local: float = 0.0
    view_temperature: float = 0.07
    start: Literal["random", "cosine"] = "random"
    image_learning_rate: float | None = None
    pull: float = 10.0

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name in ("text_dimension", "image_dimension", "dimension", "batch", "epochs"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in _SHARES:
            if not 0 < getattr(self, name) <= 1:
                raise SettingError(f"{name} must lie in (0, 1], got {getattr(self, name)}")
        for name in ("contrastive", "view", "local", "pull"):
            if not getattr(self, name) >= 0:
                raise SettingError(f"{name} must not be negative, got {getattr(self, name)}")
        rate = self.image_learning_rate
        if rate is not None and not 0 < rate <= 1:
            raise SettingError(f"image_learning_rate must lie in (0, 1], got {rate}")
        for name, kinds in _KINDS.items():
            if getattr(self, name) not in kinds:
                raise SettingError(
                    f"{name} must be one of {', '.join(kinds)}, not {getattr(self, name)!r}"
                )
        own = (self.parts, self.objective, self.start)
        if self.formulas != "mended" and own != ("both", "cross-entropy", "random"):
            raise SettingError("the paper's formulas know no other parts, objective or start")
        if self.formulas != "mended" and (self.view or self.local):
            raise SettingError("the paper's formulas know no agreement of views or of parts")
        if not self.temperatures:
            raise SettingError("temperatures must name at least one head")
