"""Settings of the calibrated ensemble; saved with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kg.errors import SettingError

__all__ = ["EnsembleConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleConfig:
    """How several models are mixed and calibrated.

    Attributes:
        rows: Most (head, relation) pairs with a validation edge that weights are fitted on, and
            how many edges are drawn whose rows probabilities are fitted on.
        candidates: Best new tails of each row, by the plain sum of all models, that are told apart.
        sampled: Further tails of each row, drawn uniformly; they stand for all the others.
        shrinkage: Pull of a relation's weights towards those of all relations, above 0; a relation
            of as many rows has about half its own way.
        delta: No edge is surer than 1 − delta, in (0, 1).
        block_cells: Most probabilities that are worked on at once.
    """

    rows: int = 30_000
    candidates: int = 96
    sampled: int = 64
    shrinkage: float = 20.0
    delta: float = 1e-4
    block_cells: int = 8_000_000

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name in ("rows", "candidates", "sampled", "block_cells"):
            if getattr(self, name) < 1:
                raise SettingError(f"EnsembleConfig.{name} is {getattr(self, name)}, not positive")
        if self.shrinkage <= 0:
            raise SettingError(f"shrinkage is {self.shrinkage!r}, not above 0")
        if not 0.0 < self.delta < 1.0:
            raise SettingError(f"delta is {self.delta!r}, not in (0, 1)")

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return asdict(self)
