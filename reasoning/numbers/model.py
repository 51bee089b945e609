"""The model of one numeric property: gradient boosting over what surrounds an entity.

Trees correct the median, or the mean that the most telling route reaches, where folds of the
fitting part prefer that: it draws extremes in less.
Columns: the values that the best routes reach (`routes`), the entity's other numbers, how many
edges of each relation it has, and principal components of its vector where an embedding is given.
Trees take missing columns as they are. Columns are made from the values of the fitting part alone,
for every entity alike, so that the calibration part is exchangeable with what is asked later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.snapshot import Snapshot
from reasoning.numbers.config import NumberConfig
from reasoning.numbers.conformal import ConformalInterval, conformal_interval
from reasoning.numbers.routes import Floats, Route, Routes

__all__ = ["NumberModel", "fit_number_model", "known_numbers"]

Ids = NDArray[np.int64]

_OVERLAP = 0.1
_FOLDS = 3


def known_numbers(snapshot: Snapshot, name: str) -> Floats:
    """Return ``(num_entities,)`` values of a property, NaN where it is missing or no number.

    Raises:
        InputError: No entity has the property; close names are given.
    """
    column = snapshot.attributes.get(name)
    if column is None:
        from difflib import get_close_matches

        near = get_close_matches(name, list(snapshot.attributes), n=3)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else None
        raise InputError(f"no entity has the property {name!r}", hint=hint)
    numbers = np.full(snapshot.num_entities, np.nan)
    for entity, value in column.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
            numbers[entity] = float(value)
    return numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class NumberModel:
    """A fitted property; make it with `fit_number_model`.

    Attributes:
        property: Its name.
        base: ``(num_entities,)`` what the trees correct: the median, or the mean of the most
            telling route that reaches a value.
        columns: ``(num_entities, num_columns)``, NaN where missing.
        routes: Routes of the first columns, the most telling first.
        reached: ``(num_entities, num_routes)`` over how many values each route's mean is.
        intervals: From the calibration part, on the scale of the fit.
        is_logarithm: Whether logarithms are fitted.
        fitted: Ids of the entities whose values the columns are made from.
        calibrated: Ids of the entities whose values the intervals are made from.
    """

    property: str
    base: Floats = field(repr=False)
    columns: Floats = field(repr=False)
    routes: tuple[Route, ...]
    reached: Floats = field(repr=False)
    intervals: ConformalInterval
    is_logarithm: bool
    fitted: Ids = field(repr=False)
    calibrated: Ids = field(repr=False)
    regressor: Any = field(repr=False)

    def predict(self, entities: Ids, coverage: float = 0.9) -> tuple[Floats, Floats, Floats]:
        """Return values with lower and upper ends, each ``(n,)``.

        Args:
            entities: ``(n,)`` ids.
            coverage: Probability that an interval holds the value.

        Raises:
            SettingError: The coverage is outside (0, 1), or too high for the values at hand.
        """
        width = self.intervals.half_width(coverage)
        middle = self.base[entities] + self.regressor.predict(self.columns[entities])
        return self._back(middle), self._back(middle - width), self._back(middle + width)

    def route_value(self, number: int, entity: int) -> float:
        """Return the mean that a route reaches from an entity, NaN for none."""
        return float(self._back(self.columns[entity, number]))

    def _back(self, values: Any) -> Any:
        return np.exp(values) if self.is_logarithm else values


def fit_number_model(
    snapshot: Snapshot,
    name: str,
    config: NumberConfig | None = None,
    *,
    numbers: Floats | None = None,
    vectors: NDArray[np.float32] | None = None,
    seed: int = 0,
) -> NumberModel:
    """Fit the model of one property on its known values.

    Args:
        snapshot: The graph.
        name: The property.
        config: Hyper-parameters.
        numbers: Values to use in place of the graph's, NaN where missing (to hold some out).
        vectors: ``(num_entities, width)`` of an embedding.
        seed: Of the split into a fitting and a calibration part.

    Raises:
        InputError: No entity has the property, or too few have a number there.
    """
    config = config or NumberConfig()
    values = known_numbers(snapshot, name) if numbers is None else numbers
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < config.fewest_values:
        raise InputError(
            f"{len(known)} values of {name!r} are too few to predict others",
            hint=f"at least {config.fewest_values} are needed",
        )
    generator = np.random.default_rng(seed)
    order = generator.permutation(known)
    cut = max(10, round(config.calibration_share * len(known)))
    calibrated, fitted = np.sort(order[:cut]), np.sort(order[cut:])
    is_logarithm = _is_skewed(values[fitted], config.log_spread)
    # a calibration value at or below 0 among positive ones would have no logarithm
    scaled = np.log(np.maximum(values, values[fitted].min())) if is_logarithm else values
    shown = np.full(snapshot.num_entities, np.nan)
    shown[fitted] = scaled[fitted]
    chosen, columns, reached = _route_columns(Routes(snapshot), shown, fitted, config)
    everything = [
        columns,
        _other_numbers(snapshot, name, fitted),
        _degrees(Routes(snapshot), fitted, config, snapshot.num_entities),
        _components(vectors, fitted, config.components),
        np.zeros((snapshot.num_entities, 1)),  # a graph may give no column at all
    ]
    table = np.concatenate([part for part in everything if part is not None], axis=1)
    base = _base(columns, table, scaled, fitted, config, seed)
    regressor = _fit_trees(table[fitted], scaled[fitted] - base[fitted], config, seed)
    return NumberModel(
        property=name,
        base=base,
        columns=table,
        routes=chosen,
        reached=reached,
        intervals=conformal_interval(
            base[calibrated] + regressor.predict(table[calibrated]), scaled[calibrated]
        ),
        is_logarithm=is_logarithm,
        fitted=fitted,
        calibrated=calibrated,
        regressor=regressor,
    )


def _is_skewed(values: Floats, spread: float) -> bool:
    low, high = np.percentile(values, [1, 99])
    return bool(values.min() > 0 and high > spread * low)


def _fit_trees(columns: Floats, values: Floats, config: NumberConfig, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=config.trees,
        max_leaf_nodes=config.leaves,
        min_samples_leaf=max(2, min(20, len(values) // 20)),
        early_stopping=False,
        random_state=seed,
    )
    # a column that is missing throughout tells nothing, and scikit-learn cannot bin it
    return model.fit(np.where(np.isfinite(columns).any(axis=0), columns, 0.0), values)


def _route_columns(
    routes: Routes, shown: Floats, fitted: Ids, config: NumberConfig
) -> tuple[tuple[Route, ...], Floats, Floats]:
    """Return the routes that tell most, their means and over how many values each is."""
    doubt = np.abs(shown[fitted] - np.median(shown[fitted]))
    found = []
    for route in routes.candidates(fitted, config.route_share):
        means, reached = routes.values(route, shown)
        has_value = np.isfinite(means[fitted])
        if has_value.mean() < config.route_share:
            continue
        error = np.abs(shown[fitted] - means[fitted])[has_value]
        gain = float((doubt[has_value] - error).sum())
        if gain > 0:
            found.append((gain, route, means, reached))
    found.sort(key=lambda one: (-one[0], one[1].relation, one[1].back))
    kept = found[: config.routes]
    size = (len(shown), 0)
    columns = np.stack([one[2] for one in kept], axis=1) if kept else np.empty(size)
    counts = np.stack([one[3] for one in kept], axis=1) if kept else np.empty(size)
    return tuple(one[1] for one in kept), columns, counts


def _base(
    columns: Floats, table: Floats, scaled: Floats, fitted: Ids, config: NumberConfig, seed: int
) -> Floats:
    """Return the median or the values of routes, whichever trees correct to the smaller error."""
    median = float(np.median(scaled[fitted]))
    candidates = (np.full(len(columns), median), _first_values(columns, median))
    fold = np.random.default_rng(seed).permutation(len(fitted)) % _FOLDS
    errors = []
    for base in candidates:
        error = 0.0
        for number in range(_FOLDS):
            inside, rest = fitted[fold == number], fitted[fold != number]
            trees = _fit_trees(table[rest], scaled[rest] - base[rest], config, seed)
            left = scaled[inside] - base[inside] - trees.predict(table[inside])
            error += float(np.abs(left).sum())
        errors.append(error)
    return candidates[int(np.argmin(errors))]


def _first_values(columns: Floats, otherwise: float) -> Floats:
    """Return the first value of each row, `otherwise` where there is none."""
    found = np.full(len(columns), otherwise)
    for column in columns.T[::-1]:
        found = np.where(np.isfinite(column), column, found)
    return found


def _other_numbers(snapshot: Snapshot, name: str, fitted: Ids) -> Floats | None:
    """Return the other properties that enough of the entities have."""
    columns = []
    for other in sorted(snapshot.attributes):
        if other != name:
            numbers = known_numbers(snapshot, other)
            if np.isfinite(numbers[fitted]).mean() >= _OVERLAP:
                columns.append(numbers)
    return np.stack(columns, axis=1) if columns else None


def _degrees(routes: Routes, fitted: Ids, config: NumberConfig, num_entities: int) -> Floats:
    degrees = routes.degrees(np.arange(num_entities))
    frequent = np.argsort(-(degrees[fitted] > 0).sum(axis=0), kind="stable")[: config.relations]
    found: Floats = degrees[:, frequent].astype(np.float64)
    return found


def _components(vectors: NDArray[np.float32] | None, fitted: Ids, most: int) -> Floats | None:
    if vectors is None:
        return None
    centre = vectors[fitted].mean(axis=0)
    _, _, axes = np.linalg.svd(vectors[fitted] - centre, full_matrices=False)
    found: Floats = ((vectors - centre) @ axes[:most].T).astype(np.float64)
    return found
