"""Hyper-parameters of the default link predictor; saved with its checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from kg.config_fields import restored
from kg.errors import SettingError
from reasoning.predictors.embeddings.config import ComplexConfig

__all__ = ["LinkPredictorConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPredictorConfig:
    """How the default link predictor is trained.

    Attributes:
        complex: Of the embedding.
        folds: How many times a share of the edges is hidden to fit the mixture, at least 1.
        hidden_share: That share, in (0, 0.5]; also how incomplete probabilities take the graph
            to be.
        fewest_hidden: A relation with fewer hidden edges over all folds is never predicted.
        longest_body: Most steps of a path rule, 1 to 3.
        bodies: Most path rules a relation.
        tried_bodies: Most path rules that are tried for a relation.
        mined_heads: Most heads that rules are tried on.
        sampled_pairs: Most non-edges a fold that a mixture is fitted on.
        penalty: L2 penalty of the mixture, above 0.
        kept_tails: Most predicted edges that are kept for one head and relation.
        position_attributes: Latitude and longitude, in degrees.
        area_attribute: Area in square kilometres.
    """

    complex: ComplexConfig = field(default_factory=ComplexConfig)
    folds: int = 4
    hidden_share: float = 0.1
    fewest_hidden: int = 12
    longest_body: int = 3
    bodies: int = 30
    tried_bodies: int = 300
    mined_heads: int = 200
    sampled_pairs: int = 8000
    penalty: float = 40.0
    kept_tails: int = 2000
    position_attributes: tuple[str, str] = ("latitude", "longitude")
    area_attribute: str = "area_km2"

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if not 0.0 < self.hidden_share <= 0.5:
            raise SettingError(f"hidden_share is {self.hidden_share}, not in (0, 0.5]")
        if not 1 <= self.longest_body <= 3:
            raise SettingError(f"longest_body is {self.longest_body}, not 1, 2 or 3")
        counts = ("folds", "fewest_hidden", "bodies", "tried_bodies", "mined_heads", "kept_tails")
        for name in (*counts, "sampled_pairs"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is {getattr(self, name)}, not at least 1")
        if self.penalty <= 0:
            raise SettingError(f"penalty is {self.penalty}, not above 0")

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return {**asdict(self), "position_attributes": list(self.position_attributes)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> LinkPredictorConfig:
        """Read what `to_json` wrote; an unknown field is a `TypeError`."""
        fields = dict(value)
        latitude, longitude = fields.pop("position_attributes")
        inner = ComplexConfig(**restored(ComplexConfig, fields.pop("complex")))
        return cls(
            complex=inner,
            position_attributes=(latitude, longitude),
            **restored(cls, fields),
        )
