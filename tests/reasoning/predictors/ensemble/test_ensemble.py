"""The ensemble on a world with two planted kinds of evidence: ranks, calibration, rows, files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation import ece, mrr, ranks
from kg.errors import CheckpointMismatchError, ForeignFileError, InputError, SettingError
from kg.model import Entity, EntityKey
from kg.snapshot import Snapshot, build_snapshot
from reasoning.predictors.adjacency import directed
from reasoning.predictors.ensemble import EnsembleConfig, EnsemblePredictor, fit_ensemble
from reasoning.predictors.rules import mine_rules
from reasoning.protocols import LinkPredictor, RankedLinkPredictor, ScoreModel
from tests.reasoning.predictor_world import WORLD, edges_of

SMALL = EnsembleConfig(candidates=24, sampled=16, shrinkage=5.0)
CONDITIONAL = EnsembleConfig(candidates=24, sampled=16, shrinkage=5.0, completeness=0.0)


class Noisy:
    """Scores of a truth with noise, good at one relation and poor at the other."""

    def __init__(self, truth: NDArray[np.bool_], strength: tuple[float, float], seed: int) -> None:
        self.num_entities = truth.shape[-1]
        self.fingerprint = f"noisy-{strength}-{seed}"
        noise = np.random.default_rng(seed).normal(size=truth.shape)
        self._scores = np.asarray(
            truth * np.array(strength)[:, None, None] + noise, dtype=np.float32
        )

    def scores(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        matrix = self._scores[relation]
        found: NDArray[np.float32] = (matrix.T if inverse else matrix)[entities]
        return found


class Planted:
    """A graph of two relations, its held-out edges in two halves, and two noisy models."""

    def __init__(self) -> None:
        random = np.random.default_rng(7)
        size = 60
        truth = random.random((2, size, size)) < 0.08
        draw = random.random(truth.shape)
        keys = [f"e{i:02}" for i in range(size)]
        entities = [Entity(key=EntityKey(key), label="Thing", name=key) for key in keys]
        train = np.argwhere(truth & (draw < 0.6))
        self.graph: Snapshot = build_snapshot(
            entities, edges_of([(keys[h], f"r{r}", keys[t]) for r, h, t in train.tolist()])
        )
        self.valid = _triples(truth & (draw >= 0.6) & (draw < 0.8))
        self.test = _triples(truth & (draw >= 0.8))
        hidden = truth & (draw >= 0.6)
        self.models: tuple[ScoreModel, ...] = (
            Noisy(hidden, (4.0, 1.0), 0),
            Noisy(hidden, (1.0, 4.0), 1),
        )


def _triples(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    return np.argwhere(mask)[:, [1, 0, 2]].astype(np.int32)


@cache
def planted() -> Planted:
    return Planted()


@cache
def fitted(config: EnsembleConfig = SMALL) -> EnsemblePredictor:
    world = planted()
    return fit_ensemble(world.graph, world.valid, world.models, config)


def mean_reciprocal_rank(rows: list[NDArray[np.float32]]) -> float:
    """Return the MRR of the test edges among all tails that are no other edge."""
    world = planted()
    heads, relations, tails = world.test.T
    scores = np.stack(rows).astype(np.float64)
    others = [
        np.concatenate(
            [
                world.graph.neighbours(relation, head),
                tails[(heads == head) & (relations == relation)],
                world.valid[(world.valid[:, 0] == head) & (world.valid[:, 1] == relation), 2],
            ]
        )
        for head, relation in zip(heads.tolist(), relations.tolist(), strict=True)
    ]
    return mrr(ranks(scores, tails, others))


def test_the_mix_ranks_better_than_its_best_member() -> None:
    world, predictor = planted(), fitted()
    pairs = [(np.array([h], dtype=np.int32), int(r)) for h, r, _ in world.test]
    alone = [
        mean_reciprocal_rank([model.scores(h, r)[0] for h, r in pairs]) for model in world.models
    ]
    assert mean_reciprocal_rank([predictor.rows(h, r)[0] for h, r in pairs]) > max(alone) + 0.02


def test_each_relation_trusts_the_model_that_knows_it() -> None:
    weights = fitted().weights
    for inverse in (False, True):
        first, second = (weights[directed(r, 2, inverse=inverse)] for r in (0, 1))
        assert first[0] > first[1]
        assert second[1] > second[0]


@pytest.mark.parametrize("config", [SMALL, CONDITIONAL])
def test_probabilities_of_the_best_new_tails_come_true(config: EnsembleConfig) -> None:
    # fitted on one half of the held-out edges, judged on rows that miss one of the other half
    world, predictor = planted(), fitted(config)
    said, true = [], []
    for relation in (0, 1):
        of_relation = world.test[world.test[:, 1] == relation]
        for head in np.unique(of_relation[:, 0]).tolist():
            row = predictor.rows(np.array([head], dtype=np.int32), relation)[0]
            valid = world.valid[(world.valid[:, 0] == head) & (world.valid[:, 1] == relation), 2]
            row[valid] = 0.0
            best = np.argsort(-row)[:10]
            said.append(row[best])
            true.append(np.isin(best, of_relation[of_relation[:, 0] == head, 2]))
    assert ece(np.concatenate(said), np.concatenate(true)) < 0.06


def test_probabilities_are_probabilities_and_known_edges_are_left_out() -> None:
    world, predictor = planted(), fitted()
    linked: LinkPredictor = predictor
    every = np.arange(60, dtype=np.int32)
    found = linked.rows(every, 1, inverse=True)
    assert ((found >= 0) & (found < 1)).all()
    for tail in every.tolist():
        known = world.graph.neighbours(1, tail, inverse=True)
        assert (found[tail, known] == 0).all()
        others = np.setdiff1d(every, known)
        assert (found[tail, others] > 0).all()


@pytest.mark.parametrize("floor", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("longest", [3, 60])
def test_ranked_rows_of_many_relations_are_the_best_of_their_rows(
    floor: float, longest: int
) -> None:
    predictor: RankedLinkPredictor = fitted()
    count = predictor.num_directed // 2
    entities = np.array([30, 2, 2, 59, 14], dtype=np.int32)
    directed = np.array([0, 1, count, 1 + count, 0])
    found = predictor.ranked_rows(entities, directed, floor=floor, longest=longest)
    bounds = np.cumsum([0, *found.counts])
    for place, (entity, step) in enumerate(zip(entities, directed.tolist(), strict=True)):
        dense = predictor.rows(np.array([entity]), step % count, inverse=step >= count)[0]
        span = slice(bounds[place], bounds[place + 1])
        best = np.sort(dense[dense > floor])[::-1][:longest]
        np.testing.assert_allclose(found.probabilities[span], best, rtol=1e-5)
        np.testing.assert_allclose(dense[found.ends[span]], best, rtol=1e-5)
        left_out = np.delete(dense, found.ends[span]).max(initial=0.0)
        if len(best):
            np.testing.assert_allclose(found.dropped[place], left_out, rtol=1e-5, atol=1e-9)
        assert found.dropped[place] >= left_out - 1e-6


def test_a_batch_equals_the_loop_over_its_members() -> None:
    predictor = fitted()
    entities = np.array([5, 3, 9], dtype=np.int32)
    together = predictor.rows(entities, 1)
    alone = [predictor.rows(entities[[place]], 1)[0] for place in range(3)]
    np.testing.assert_allclose(together, np.stack(alone), rtol=1e-5)


def test_heads_that_hardly_miss_an_edge_ask_no_model() -> None:
    world = planted()

    class Unasked:
        num_entities, fingerprint = 60, world.models[0].fingerprint

        def scores(
            self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
        ) -> NDArray[np.float32]:
            pytest.fail(f"asked for {entities} of {relation}, {inverse}")

    predictor = fitted()
    silent = EnsemblePredictor(
        evidence=type(predictor.evidence)(world.graph, [Unasked(), Unasked()]),
        weights=predictor.weights,
        calibration=predictor.calibration,
        completeness=predictor.completeness,
        config=predictor.config,
    )
    found = silent.ranked_rows(
        np.arange(60, dtype=np.int32), np.zeros(60, dtype=np.int64), floor=0.999, longest=60
    )
    assert len(found.ends) == 0
    assert ((found.dropped > 0) & (found.dropped <= 0.999)).all()


def test_reasons_are_those_of_the_rules_in_the_mix() -> None:
    rules = mine_rules(WORLD)
    edges = np.stack([WORLD.heads, WORLD.relations, WORLD.tails], axis=1)
    hidden = np.arange(len(edges)) % 5 == 0
    predictor = fit_ensemble(WORLD.keeping(~hidden), edges[hidden], [rules], SMALL)
    asked = ("country:07", "speaks", "lang:0")
    assert predictor.reasons(*asked) == rules.reasons(*asked)
    assert fitted().reasons("e00", "r0", "e01") == ()


def test_an_ensemble_comes_back_from_its_files(tmp_path: Path) -> None:
    world, predictor = planted(), fitted()
    predictor.save(tmp_path)
    loaded = EnsemblePredictor.load(tmp_path, world.graph, world.models)
    assert loaded.fingerprint == predictor.fingerprint
    entities = np.array([1, 50], dtype=np.int32)
    np.testing.assert_array_equal(loaded.rows(entities, 0), predictor.rows(entities, 0))


def test_another_graph_and_other_models_are_refused(tmp_path: Path) -> None:
    world = planted()
    fitted().save(tmp_path)
    with pytest.raises(CheckpointMismatchError):
        EnsemblePredictor.load(tmp_path, WORLD, world.models)
    with pytest.raises(CheckpointMismatchError):
        EnsemblePredictor.load(tmp_path, world.graph, world.models[::-1])


def test_a_damaged_ensemble_is_refused(tmp_path: Path) -> None:
    world = planted()
    fitted().save(tmp_path)
    head = tmp_path / "checkpoint.json"
    head.write_text(head.read_text().replace('"shrinkage"', '"pull"'))
    with pytest.raises(ForeignFileError, match="ensemble"):
        EnsemblePredictor.load(tmp_path, world.graph, world.models)


def test_there_must_be_models_of_that_size_and_new_edges() -> None:
    world = planted()
    with pytest.raises(SettingError, match="at least one model"):
        fit_ensemble(world.graph, world.valid, [])
    with pytest.raises(SettingError, match="the snapshot has"):
        fit_ensemble(build_snapshot([], []), world.valid, world.models)
    graph = world.graph
    old = np.stack([graph.heads, graph.relations, graph.tails], axis=1)
    with pytest.raises(InputError, match="no validation edges"):
        fit_ensemble(graph, old, world.models)


@pytest.mark.parametrize("wrong", [{"shrinkage": 0.0}, {"completeness": 2.5}, {"delta": 1.0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        EnsembleConfig(**wrong)  # type: ignore[arg-type]
