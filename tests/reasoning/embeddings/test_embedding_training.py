"""The objective of a step, Adagrad, early stopping, and runs that are interrupted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reasoning.predictors.embeddings import (
    Candidates,
    ComplexConfig,
    EmbeddingConfig,
    TuckerConfig,
    link_ranks,
    train_embedding,
    typed_candidates,
)
from reasoning.predictors.embeddings.candidates import all_candidates
from reasoning.predictors.embeddings.complex import Complex
from reasoning.predictors.embeddings.objective import RowVectors, edge_loss
from reasoning.predictors.embeddings.rows import grouped_rows
from reasoning.predictors.embeddings.state import TrainingState
from reasoning.predictors.folds import hidden_edges
from reasoning.predictors.typing import RelationTypes
from tests.reasoning.embeddings.test_architectures import complex_numbers
from tests.reasoning.predictor_world import WORLD

EVERY_EDGE = np.stack([WORLD.heads, WORLD.relations, WORLD.tails], axis=1)


def _naive_loss(
    entity: np.ndarray, relation: np.ndarray, config: ComplexConfig, candidates: Candidates
) -> float:
    """Return the papers' loss summed over all edges in both directions, edge by edge."""
    e, r = complex_numbers(entity), complex_numbers(relation)
    total, count = 0.0, WORLD.num_relations
    for h, forward, t in EVERY_EDGE.tolist():
        for head, directed, tail in ((h, forward, t), (t, forward + count, h)):
            pool = candidates.tails and candidates.tails[directed]
            pool = np.arange(len(e)) if pool is None else pool
            scores = (e[head] * r[directed] * e[pool].conj()).sum(axis=1).real
            true = (e[head] * r[directed] * e[tail].conj()).sum().real
            of_relations = (e[head] * r * e[tail].conj()).sum(axis=1).real
            total += np.log(np.exp(scores).sum()) - true
            of_edge = (e[head], r[directed], e[tail])
            total += config.regulariser * sum((np.abs(v) ** 3).sum() for v in of_edge)
            total += config.relation_weight * (
                np.log(np.exp(of_relations).sum()) - of_relations[directed]
            )
    return float(total)


@pytest.mark.parametrize("by_label", [False, True])
def test_the_loss_of_an_epoch_is_the_papers(by_label: bool) -> None:
    config = ComplexConfig(rank=3, candidates=None, relation_weight=0.5, regulariser=0.1)
    candidates = RelationTypes(WORLD).embedding_candidates() if by_label else all_candidates(WORLD)
    random = np.random.default_rng(1)
    entity = random.normal(size=(WORLD.num_entities, 6)).astype(np.float32)
    relation = random.normal(size=(2 * WORLD.num_relations, 6)).astype(np.float32)
    rows, total = grouped_rows(WORLD, candidates), 0.0
    vectors = torch.from_numpy(entity)
    for directed in range(2 * WORLD.num_relations):
        chosen = (rows.relations == directed).nonzero()[:, 0]
        pool = None if rows.pools is None else rows.pools[directed]
        owner, tails = rows.edges_of(chosen)
        looked_up = RowVectors(
            relations=rows.relations[chosen],
            heads=vectors[rows.heads[chosen]],
            owner=owner,
            tails=vectors[tails],
            pool=vectors if pool is None else vectors[pool],
        )
        parameters = {"relation": torch.from_numpy(relation)}
        total += edge_loss(looked_up, parameters, Complex(3), config).item()
    expected = _naive_loss(entity, relation, config, candidates)
    assert total == pytest.approx(expected, rel=1e-4)


def test_a_step_is_adagrads_wherever_the_gradient_is_not_zero() -> None:
    random = np.random.default_rng(0)
    state = TrainingState.fresh({"entity": (5, 3)}, 0.1, seed=1)
    expected = state.tensors["entity"].numpy().astype(np.float64)
    squares = np.zeros((5, 3))
    for rows in (None, [0, 3], [3, 4]):
        kept = range(5) if rows is None else rows
        gradient = np.zeros((5, 3))
        gradient[kept] = random.normal(size=(len(kept), 3))
        squares += gradient**2
        expected -= 0.1 * gradient / (np.sqrt(squares) + 1e-10)  # Duchi et al. 2011
        chosen = None if rows is None else torch.tensor(rows)
        state.step("entity", torch.from_numpy(gradient[kept]).float(), 0.1, chosen)
    np.testing.assert_allclose(state.tensors["entity"].numpy(), expected, rtol=1e-4, atol=1e-6)


def _split(seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    relation = WORLD.relation_id("speaks")
    hidden = hidden_edges(WORLD, fold=seed, share=0.3, relation=relation)
    return ~hidden, EVERY_EDGE[hidden]


@pytest.mark.parametrize(
    "config",
    [
        ComplexConfig(rank=8, epochs=25, candidates=None),
        ComplexConfig(rank=8, epochs=25, candidates=None, relation_weight=1.0),
        ComplexConfig(rank=8, epochs=25, candidates=30, precision="bfloat16"),
        TuckerConfig(dimension=12, relation_dimension=8, epochs=40, candidates=None, scale=0.3),
        TuckerConfig(dimension=12, relation_dimension=8, epochs=40, scale=0.3, relation_weight=0.5),
    ],
    ids=["complex", "relations", "sampled", "tucker", "tucker-relations"],
)
def test_it_learns_what_chance_does_not_know(config: EmbeddingConfig) -> None:
    kept, held = _split()
    model = train_embedding(WORLD.keeping(kept), config, seed=0)
    found = link_ranks(model, held, [EVERY_EDGE]).reciprocal
    assert found[: len(held)].mean() > 0.25  # a random order of 60 entities gives 0.08


def test_typed_candidates_learn_too_and_hold_every_range() -> None:
    kept, held = _split()
    graph = WORLD.keeping(kept)
    candidates = typed_candidates(graph, 8, sampled_rest=10)
    assert candidates.tails is not None
    for relation in range(WORLD.num_relations):
        span, tails = graph.edges_of(relation), candidates.tails[relation]
        assert tails is not None
        assert np.isin(graph.tails[span], tails).all()
    config = ComplexConfig(rank=8, epochs=25, parts=3, batch=90)
    model = train_embedding(graph, config, candidates=candidates, seed=0)
    assert link_ranks(model, held, [EVERY_EDGE]).reciprocal[: len(held)].mean() > 0.25


def test_training_stops_when_the_valid_figure_falls_and_returns_its_best() -> None:
    kept, held = _split()
    graph, seen = WORLD.keeping(kept), []
    config = ComplexConfig(rank=4, epochs=40, patience=2, candidates=None, learning_rate=0.5)
    model = train_embedding(
        graph, config, valid=held, progress=lambda done, _total: seen.append(done)
    )
    assert 2 < len(seen) < 20
    figures = []
    for epochs in range(1, len(seen) + 1):
        config = replace(config, epochs=epochs, patience=99)
        figures.append(link_ranks(train_embedding(graph, config), held, [EVERY_EDGE]))
    means = [found.reciprocal.mean() for found in figures]
    best = int(np.argmax(means))
    assert len(seen) == best + 1 + 2
    ours = link_ranks(model, held, [EVERY_EDGE]).realistic
    np.testing.assert_array_equal(ours, figures[best].realistic)


def test_without_patience_all_epochs_are_trained_whatever_the_valid_figure_is() -> None:
    kept, held = _split()
    graph, seen = WORLD.keeping(kept), []
    config = ComplexConfig(rank=4, epochs=12, patience=None, candidates=None, learning_rate=0.5)
    model = train_embedding(
        graph, config, valid=held, progress=lambda done, _total: seen.append(done)
    )
    assert seen == list(range(1, 13))
    np.testing.assert_array_equal(model.entity, train_embedding(graph, config).entity)


class _StoppedError(Exception):
    pass


@pytest.mark.parametrize("with_valid", [False, True])
def test_an_interrupted_run_ends_as_an_uninterrupted_one(tmp_path: Path, with_valid: bool) -> None:
    kept, held = _split()
    graph, valid = WORLD.keeping(kept), held if with_valid else None
    config = ComplexConfig(rank=4, epochs=6, keep_every=2, patience=6, candidates=20)

    def stop(done: int, _total: int) -> None:
        if done == 5:
            raise _StoppedError

    whole = train_embedding(graph, config, valid=valid, seed=3)
    with pytest.raises(_StoppedError):
        train_embedding(graph, config, valid=valid, seed=3, progress=stop, resume_folder=tmp_path)
    seen: list[int] = []
    resumed = train_embedding(
        graph,
        config,
        valid=valid,
        seed=3,
        progress=lambda done, _total: seen.append(done),
        resume_folder=tmp_path,
    )
    assert seen[0] == 5  # four epochs were kept
    assert whole.fingerprint == resumed.fingerprint
    other = train_embedding(graph, config, valid=valid, seed=4, resume_folder=tmp_path)
    assert other.fingerprint != whole.fingerprint  # another seed's state is not taken up


def test_a_longer_run_goes_on_from_a_shorter_one_but_not_the_other_way(tmp_path: Path) -> None:
    short = ComplexConfig(rank=4, epochs=2, keep_every=1)
    long = replace(short, epochs=4)
    first = train_embedding(WORLD, short, resume_folder=tmp_path)
    seen: list[int] = []
    on = train_embedding(
        WORLD, long, resume_folder=tmp_path, progress=lambda done, _total: seen.append(done)
    )
    assert seen == [3, 4]
    assert on.entity.tobytes() == train_embedding(WORLD, long).entity.tobytes()
    again = train_embedding(WORLD, short, resume_folder=tmp_path)
    assert again.fingerprint == first.fingerprint


def test_the_parameters_of_the_last_epochs_are_averaged(tmp_path: Path) -> None:
    plain = ComplexConfig(rank=4, epochs=2, keep_every=1)
    ends = [train_embedding(WORLD, replace(plain, epochs=n)).entity for n in (2, 3, 4)]
    averaging = replace(plain, average_from=2)
    for epochs in (3, 4):  # the second goes on from the first
        config = replace(averaging, epochs=epochs)
        found = train_embedding(WORLD, config, resume_folder=tmp_path).entity
        expected = np.mean(ends[: epochs - 1], axis=0)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
