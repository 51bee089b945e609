"""How new entities are folded in."""

from __future__ import annotations

from dataclasses import dataclass

from kg.errors import SettingError

__all__ = ["FoldInConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldInConfig:
    """How the vector of a new entity is found.

    Attributes:
        regulariser: Weight λ of the cubic regulariser; None for the model's own.
        candidates: Most tails of each softmax from the relation's range.
        sampled_rest: Other tails of each softmax, weighted by what they stand for.
        rows: Known (entity, relation) pairs of each relation that the new entity must not answer,
            weighted likewise.
        most_edges: Most edges that a vector is fitted to, drawn at random.
        steps: Most steps of the optimiser.
        tolerance: Relative gain of a step at which the optimiser stops.
        passes: How often entities that hang on other new ones are fitted, at least 1.
        refreshed_share: An old entity is fitted anew where at least this share of its edges is new.
    """

    regulariser: float | None = None
    candidates: int = 256
    sampled_rest: int = 128
    rows: int = 64
    most_edges: int = 256
    steps: int = 50
    tolerance: float = 1e-5
    passes: int = 2
    refreshed_share: float = 0.25

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name in ("candidates", "sampled_rest", "rows", "most_edges", "steps", "passes"):
            if getattr(self, name) < 1:
                raise SettingError(f"FoldInConfig.{name} is {getattr(self, name)}, not at least 1")
        if self.regulariser is not None and self.regulariser < 0:
            raise SettingError(f"FoldInConfig.regulariser is {self.regulariser}, below 0")
        if self.tolerance <= 0 or self.refreshed_share <= 0:
            raise SettingError("FoldInConfig needs tolerance and refreshed_share above 0")
