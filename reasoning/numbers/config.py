"""How missing numbers are predicted."""

from __future__ import annotations

from dataclasses import dataclass

from kg.errors import SettingError

__all__ = ["NumberConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberConfig:
    """How the model of one property is fitted.

    Attributes:
        fewest_values: A property with fewer known values is not predicted, at least 20.
        calibration_share: Share of the known values that the intervals are made from, in (0, 0.5].
        route_share: A route must give a value for at least this share of the entities.
        routes: Most routes that are used.
        relations: Most relations of which an entity's number of edges is used.
        components: Most principal components of the entity vectors that are used.
        trees: Trees of gradient boosting.
        leaves: Leaves of a tree.
        log_spread: Positive values are fitted as logarithms where the 99th percentile is more than
            this many times the 1st.
    """

    fewest_values: int = 40
    calibration_share: float = 0.25
    route_share: float = 0.05
    routes: int = 12
    relations: int = 32
    components: int = 16
    trees: int = 80
    leaves: int = 15
    log_spread: float = 20.0

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if self.fewest_values < 20:
            raise SettingError(f"fewest_values is {self.fewest_values}, not at least 20")
        if not 0 < self.calibration_share <= 0.5:
            raise SettingError(f"calibration_share is {self.calibration_share}, not in (0, 0.5]")
        for name in ("routes", "relations", "components", "trees"):
            if getattr(self, name) < 1:
                raise SettingError(f"NumberConfig.{name} is {getattr(self, name)}, not at least 1")
        if self.leaves < 2 or self.route_share <= 0 or self.log_spread <= 1:
            raise SettingError("NumberConfig needs leaves >= 2, route_share > 0, log_spread > 1")
