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
        rows: Most (head, relation) pairs with a validation edge that weights are fitted on.
        candidates: Best new tails of each row, by the plain sum of all models, that are told apart.
        sampled: Further tails of each row, drawn uniformly; they stand for all the others.
        shrinkage: Pull of a relation's weights towards those of all relations, above 0; a relation
            of as many rows has about half its own way.
        completeness: κ in [0, 2]: how much the probability that a head misses an edge of the
            relation at all counts; 0 reads every row as if it missed one. On NELL995's sampled
            validation queries 0 / 0.25 / 0.5 / 1 gave 33.6 / 34.8 / 36.0 / 38.1 on 2i, 45.1 / 46.2
            / 47.5 / 48.7 on 3i, and within 0.7 of one another elsewhere.
        delta: No edge is surer than 1 − delta, in (0, 1).
        block_cells: Most probabilities that are worked on at once.
    """

    rows: int = 30_000
    candidates: int = 96
    sampled: int = 64
    shrinkage: float = 20.0
    completeness: float = 1.0
    delta: float = 1e-4
    block_cells: int = 8_000_000

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name in ("rows", "candidates", "sampled", "block_cells"):
            if getattr(self, name) < 1:
                raise SettingError(f"EnsembleConfig.{name} is {getattr(self, name)}, not positive")
        if self.shrinkage <= 0 or not 0.0 <= self.completeness <= 2.0:
            raise SettingError("EnsembleConfig needs shrinkage > 0 and completeness in [0, 2]")
        if not 0.0 < self.delta < 1.0:
            raise SettingError(f"delta is {self.delta!r}, not in (0, 1)")

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return asdict(self)
