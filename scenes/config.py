"""All settings of a scene model, as they are saved with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from kg.errors import SettingError
from scenes.label_training import LabelConfig
from scenes.network import NetworkConfig
from scenes.regions import SegmentConfig

__all__ = ["SceneConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneConfig:
    """How a scene model is trained and what it tells.

    Attributes:
        segment: The segmentation.
        labels: The label model.
        predicates: The predicate model's network; its penalty was chosen on valid.
        shares: Train, valid, test.
        least_label: Calibrated probability under which a part stays without a label.
        least_opinion: Share of the label model's opinion under which a part stays without a label,
            even where it is the best that the image has.
        related_parts: Parts of an image, largest first, between which relations are told.
        related_share: Smallest share of the image of such a part.
        least_named: Least probability that a description would name the pair.
        least_predicate: Least probability of the predicate, given that the pair is named.
        most_relations: Predicted relations of an image, likeliest first.
    """

    segment: SegmentConfig = field(default_factory=SegmentConfig)
    labels: LabelConfig = field(default_factory=LabelConfig)
    predicates: NetworkConfig = field(
        default_factory=lambda: NetworkConfig(hidden=24, penalty=0.3, members=3)
    )
    shares: tuple[float, float, float] = (0.6, 0.15, 0.25)
    least_label: float = 0.2
    least_opinion: float = 0.25
    related_parts: int = 12
    related_share: float = 0.0005
    least_named: float = 0.1
    least_predicate: float = 0.5
    most_relations: int = 24

    def __post_init__(self) -> None:
        """Check the ranges."""
        shares = ("least_label", "least_opinion", "related_share", "least_named")
        for name in (*shares, "least_predicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if not (0 <= self.related_parts <= 64 and 0 <= self.most_relations <= 1000):
            raise SettingError("related_parts must lie in 0-64 and most_relations in 0-1000")

    def to_json(self) -> dict[str, Any]:
        """Return all fields as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SceneConfig:
        """Read what `to_json` gave.

        Raises:
            SettingError: A field is unknown, missing or out of its range.
        """
        try:
            fields = dict(value)
            labels = dict(fields["labels"])
            labels["network"] = NetworkConfig(**labels["network"])
            fields["labels"] = LabelConfig(**labels)
            fields["segment"] = SegmentConfig(**fields["segment"])
            fields["predicates"] = NetworkConfig(**fields["predicates"])
            train, valid, test = fields["shares"]
            fields["shares"] = (train, valid, test)
            return cls(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise SettingError(f"not the settings of a scene model: {error}") from error
