"""One missing number of one entity, with its interval and why; never written into the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.model import EntityKey
from kg.snapshot import Snapshot
from reasoning.numbers.config import NumberConfig
from reasoning.numbers.conformal import check_coverage
from reasoning.numbers.model import NumberModel, fit_number_model, known_numbers

__all__ = ["NumberPrediction", "NumberPredictor", "predict_number"]

_REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPrediction:
    """A number of an entity.

    Attributes:
        entity: Its key.
        property: Name of the attribute.
        status: `known` if the graph holds it; else `predicted`.
        value: The number; the best guess if predicted.
        low: Lower end of the interval, `value` if known.
        high: Upper end of the interval, `value` if known.
        coverage: How often such an interval holds the true value, 1 if known.
        because: The values around it that told most; none if known.
    """

    entity: EntityKey
    property: str
    status: Literal["known", "predicted"]
    value: float
    low: float
    high: float
    coverage: float
    because: tuple[str, ...] = ()


class NumberPredictor:
    """Predicts missing numbers of one graph; the model of a property is fitted when first asked.

    Args:
        snapshot: The graph.
        config: Hyper-parameters.
        vectors: ``(num_entities, width)`` of an embedding.
        seed: Of the splits.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        config: NumberConfig | None = None,
        *,
        vectors: NDArray[np.float32] | None = None,
        seed: int = 0,
    ) -> None:
        self.snapshot = snapshot
        self._config = config or NumberConfig()
        self._vectors = vectors
        self._seed = seed
        self._models: dict[str, NumberModel] = {}

    def model(self, name: str) -> NumberModel:
        """Return the model of a property.

        Raises:
            InputError: No entity has the property, or too few have a number there.
        """
        if name not in self._models:
            self._models[name] = fit_number_model(
                self.snapshot, name, self._config, vectors=self._vectors, seed=self._seed
            )
        return self._models[name]

    def predict(self, entity: str, name: str, *, coverage: float = 0.9) -> NumberPrediction:
        """Return a number of an entity, as the graph holds it or predicted.

        Args:
            entity: Key.
            name: Property.
            coverage: How often the interval shall hold the true value.

        Raises:
            UnknownEntityError: No entity has this key.
            InputError: No entity has the property, too few have a number there, or none with the
                entity's label: then nothing says that it has such a number at all.
            SettingError: The coverage is outside (0, 1), or too high for the values at hand.
        """
        check_coverage(coverage)
        place = self.snapshot.entity_id(entity)
        stored = float(known_numbers(self.snapshot, name)[place])
        if np.isfinite(stored):
            return NumberPrediction(
                entity=EntityKey(entity),
                property=name,
                status="known",
                value=stored,
                low=stored,
                high=stored,
                coverage=1.0,
            )
        model = self.model(name)
        self._check_label(model, place)
        value, low, high = (float(part[0]) for part in model.predict(np.array([place]), coverage))
        return NumberPrediction(
            entity=EntityKey(entity),
            property=name,
            status="predicted",
            value=value,
            low=low,
            high=high,
            coverage=coverage,
            because=self._because(model, place),
        )

    def _check_label(self, model: NumberModel, entity: int) -> None:
        labels = self.snapshot.label_ids
        with_number = np.concatenate([model.fitted, model.calibrated])
        if not (labels[with_number] == labels[entity]).any():
            label = self.snapshot.label_of(entity)
            raise InputError(
                f"no {label} has a number {model.property!r}",
                where=str(self.snapshot.entities.name(entity)),
                hint="ask for a property that entities with this label have",
            )

    def _because(self, model: NumberModel, entity: int) -> tuple[str, ...]:
        reasons: list[str] = []
        for number, route in enumerate(model.routes):
            reached = int(model.reached[entity, number])
            if reached and len(reasons) < _REASONS:
                mean, name = model.route_value(number, entity), route.name(self.snapshot)
                noun = "entity" if reached == 1 else "entities"
                reasons.append(f"{mean:.6g} over {reached} {noun} {name}")
        return tuple(reasons)


def predict_number(
    snapshot: Snapshot,
    entity: str,
    name: str,
    *,
    coverage: float = 0.9,
    config: NumberConfig | None = None,
    vectors: NDArray[np.float32] | None = None,
    seed: int = 0,
) -> NumberPrediction:
    """Return one number of one entity; see `NumberPredictor.predict`, which keeps its models.

    Example:
        >>> from kg.model import Entity
        >>> from kg.snapshot import build_snapshot
        >>> made = Entity(key=EntityKey("a"), label="City", name="A", attributes={"area": 3.0})
        >>> predict_number(build_snapshot([made], []), "a", "area").status
        'known'
    """
    predictor = NumberPredictor(snapshot, config, vectors=vectors, seed=seed)
    return predictor.predict(entity, name, coverage=coverage)
