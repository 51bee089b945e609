"""Settings of rule mining; saved with the rules."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kg.errors import SettingError

__all__ = ["RuleConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleConfig:
    """How rules are mined and used.

    Attributes:
        longest_body: Most steps of a path rule, 1 to 3.
        sampled_edges: Edges of each relation that bodies are looked for around.
        walks: Random walks from either end of a sampled edge.
        tried_bodies: Most bodies of a relation whose confidence is measured, those found most.
        sampled_heads: Most heads of a relation that confidence is measured on.
        path_rules: Most path rules of a directed relation that are kept.
        constant_rules: Most rules with constants of a directed relation that are kept; 0 for none.
        fewest_hits: Least support on the sampled heads, at least 1.
        least_confidence: Rules below it are dropped, in [0, 1].
        pseudo_count: Added to the number of predictions, at least 0; it draws the confidence of
            rare rules down (AnyBURL's p_c).
        most_paths: A body that sampled heads have more paths along is dropped: it leads to nearly
            everything.
        combined: Most rules whose confidences are joined by noisy-or for one edge.
    """

    longest_body: int = 3
    sampled_edges: int = 300
    walks: int = 48
    tried_bodies: int = 200
    sampled_heads: int = 100
    path_rules: int = 60
    constant_rules: int = 300
    fewest_hits: int = 2
    least_confidence: float = 0.01
    pseudo_count: float = 5.0
    most_paths: int = 400_000
    combined: int = 5

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if not 1 <= self.longest_body <= 3:
            raise SettingError(f"longest_body is {self.longest_body}, not 1, 2 or 3")
        for name in ("sampled_edges", "walks", "tried_bodies", "sampled_heads", "path_rules"):
            if getattr(self, name) < 1:
                raise SettingError(f"RuleConfig.{name} is {getattr(self, name)}, not at least 1")
        if min(self.fewest_hits, self.most_paths, self.combined) < 1 or self.constant_rules < 0:
            raise SettingError("RuleConfig's counts must be at least 1, constant_rules at least 0")
        if not 0.0 <= self.least_confidence <= 1.0 or self.pseudo_count < 0.0:
            raise SettingError("RuleConfig needs least_confidence in [0, 1], pseudo_count >= 0")

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return asdict(self)
