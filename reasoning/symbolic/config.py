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

    Measured on NELL995 (63,361 entities, 60 sampled validation queries a structure, filtered
    MRR × 100 and milliseconds of processor time of a warm 2i query; the predictor is one embedding
    by QTO's formula, ε = floor = 1e-4):

    ==================================================  ====  ========  ====
    setting                                             EPFO  negation   2i
    ==================================================  ====  ========  ====
    row_entries 6000, max_support 100, no doubt         21.0      14.7   2.1
    row_entries 1000, no doubt                          20.6      14.7   0.9
    row_entries 1000, benefit_of_doubt 0.1              21.9      14.7   1.4
    row_entries 1000, benefit_of_doubt 0.3              21.9      14.4   1.5
    ==================================================  ====  ========  ====

    A floor of 1e-4 instead of 0 changed both by less than 0.02 and halved the time of paths;
    ε = 1e-3 cost 1.6 EPFO; max_support 300 instead of 100 changed nothing. negation_power 3 or 0.5
    cost 0.3 on negation. noisy_or cost 0.4 EPFO (3p −2.2) and gained 0.4 on negation (pin +1.5);
    over the calibrated ensemble of `reasoning.predictors.ensemble` (40 queries a structure) it
    gained where probabilities mean something: 2p +1.9, ip +2.0, pi +2.6, inp +1.3, pin +0.8,
    up and pni ±0.1, 3p −1.1. There, with κ = 1 (120 queries a structure), benefit_of_doubt 0 / 0.3
    / 1 gave 34.4 / 38.4 / 38.9 on 2i, 43.7 / 48.9 / 49.0 on 3i, 28.2 / 29.6 / 30.9 on pi;
    max_support 12 / 32 / 100 gave 29.5 / 29.6 / 29.7 EPFO.

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
    benefit_of_doubt: float = 0.3
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
