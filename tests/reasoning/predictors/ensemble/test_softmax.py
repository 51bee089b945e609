"""The plain QTO formula: against its definition, sparse against dense."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kg.errors import SettingError
from reasoning.predictors.ensemble import SoftmaxPredictor
from reasoning.protocols import LinkPredictor, SparseLinkPredictor
from tests.reasoning.predictor_world import WORLD


class Table:
    """A score model whose scores are drawn once."""

    def __init__(self, num_entities: int = WORLD.num_entities, seed: int = 0) -> None:
        self.num_entities = num_entities
        self.fingerprint = f"table-{seed}"
        shape = (WORLD.num_relations, 2, num_entities, num_entities)
        self._scores = np.random.default_rng(seed).normal(0.0, 2.0, shape).astype(np.float32)

    def scores(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self._scores[relation, int(inverse)][entities]
        return found


@pytest.mark.parametrize("inverse", [False, True])
def test_a_value_is_the_softmax_times_the_known_tails(inverse: bool) -> None:
    model = Table()
    predictor: LinkPredictor = SoftmaxPredictor(model, WORLD)
    relation = WORLD.relation_id("sells_to")
    entities = np.arange(WORLD.num_entities, dtype=np.int32)
    found = predictor.rows(entities, relation, inverse=inverse)
    for head in entities.tolist():
        scores = model.scores(entities[[head]], relation, inverse=inverse)[0].astype(np.float64)
        known = WORLD.neighbours(relation, head, inverse=inverse)
        expected = np.exp(scores) / np.exp(scores).sum() * max(1, len(known))
        expected[known] = 0.0
        np.testing.assert_allclose(found[head], np.minimum(expected, 1 - 1e-4), rtol=1e-4)


@pytest.mark.parametrize("floor", [0.0, 0.01, 0.9])
def test_sparse_rows_are_the_rows_above_the_floor(floor: float) -> None:
    predictor: SparseLinkPredictor = SoftmaxPredictor(Table(), WORLD)
    entities = np.array([5, 3, 20], dtype=np.int32)
    dense = predictor.rows(entities, 0, inverse=True)
    sparse = predictor.sparse_rows(entities, 0, inverse=True, floor=floor)
    np.testing.assert_array_equal(sparse.matrix.toarray(), np.where(dense > floor, dense, 0.0))
    np.testing.assert_array_equal(sparse.dropped, np.where(dense > floor, 0.0, dense).max(axis=1))


def test_a_model_of_another_size_is_refused() -> None:
    with pytest.raises(SettingError, match="the snapshot has"):
        SoftmaxPredictor(Table(3), WORLD)


def test_the_fingerprint_tells_models_apart() -> None:
    one, other = (SoftmaxPredictor(Table(seed=seed), WORLD) for seed in (0, 1))
    assert one.fingerprint != other.fingerprint
