"""The settings of symbolic answering."""

from __future__ import annotations

from dataclasses import dataclass

from kg.errors import SettingError
from kg.provenance import KNOWN_PROBABILITY

__all__ = ["SymbolicConfig"]

_COUNTS = ("row_entries", "max_support", "memory_bytes", "disk_bytes", "block_cells", "batch")


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolicConfig:
    """How symbolic answering treats edges.

    Attributes:
        known_probability: Edges of the graph from this probability on are known, in [0, 1].
        delta: A predicted edge is never surer than 1 − delta, in (0, 1).
        epsilon: Predicted edges below this probability are left out, in [0, 1).
        row_entries: Most predicted edges of one entity and directed relation, the likeliest ones.
        floor: A projection leaves out a predicted edge (u, v) where T(u) · M(u, v) does not exceed
            this, in [0, 1); what that hides is part of the stated bound.
        max_support: Most entities whose predicted edges one projection follows, the likeliest
            first; of the others only the graph's edges are followed.
        negation_power: "not x" is (1 − x) ** negation_power, above 0. At 1 it is the probability
            of the absence; more where the predictor's probabilities are too small. Both ends stay:
            what surely holds is never negated, what surely does not hold always is.
        benefit_of_doubt: Where all entities are ranked (`SymbolicAnswerer.scores`), one that a
            branch of an intersection lists and another does not counts there as this share of the
            most it could be, in [0, 1]. No answer is listed for it.
        noisy_or: Where all entities are ranked, several ways to reach an entity count as
            1 − Π(1 − x) and not by the best of them. Answers and their proofs go by the best.
        memory_bytes: Most memory for predicted rows.
        disk_bytes: Most disk for predicted rows, where a folder is given for them.
        block_cells: Most probabilities that one call of the predictor computes.
        batch: How many queries are worked on at once.
    """

    known_probability: float = KNOWN_PROBABILITY
    delta: float = 1e-4
    epsilon: float = 1e-4
    row_entries: int = 10_000
    floor: float = 0.0
    max_support: int = 2000
    negation_power: float = 1.0
    benefit_of_doubt: float = 0.1
    noisy_or: bool = False
    memory_bytes: int = 1_000_000_000
    disk_bytes: int = 8_000_000_000
    block_cells: int = 16_000_000
    batch: int = 32

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if not 0.0 <= self.known_probability <= 1.0:
            raise SettingError(f"known_probability {self.known_probability!r} is not in [0, 1]")
        if not 0.0 < self.delta < 1.0:
            raise SettingError(f"delta {self.delta!r} is not in (0, 1)")
        if not 0.0 <= self.benefit_of_doubt <= 1.0:
            raise SettingError(f"benefit_of_doubt {self.benefit_of_doubt!r} is not in [0, 1]")
        for name in ("epsilon", "floor"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise SettingError(f"{name} {getattr(self, name)!r} is not in [0, 1)")
        if not 0.0 < self.negation_power < float("inf"):
            raise SettingError(f"negation_power {self.negation_power!r} is not above 0")
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is {getattr(self, name)!r}, not at least 1")
