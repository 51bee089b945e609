"""The scoring functions against the papers' formulas in numpy, and the loss against a naive one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reasoning.predictors.embeddings import (
    ComplexConfig,
    EmbeddingConfig,
    EmbeddingModel,
    TuckerConfig,
)
from reasoning.predictors.embeddings.architecture import architecture_of
from reasoning.predictors.embeddings.complex import Complex
from reasoning.predictors.embeddings.softmax import weighted_log_normaliser

ENTITIES, RELATIONS = 7, 2
ALL = np.arange(ENTITIES, dtype=np.int32)


def random_model(config: EmbeddingConfig) -> EmbeddingModel:
    random, architecture = np.random.default_rng(0), architecture_of(config)
    shapes = architecture.shapes(2 * RELATIONS)
    arrays = {name: random.normal(size=s).astype(np.float32) for name, s in shapes.items()}
    entity = random.normal(size=(ENTITIES, architecture.entity_width)).astype(np.float32)
    return EmbeddingModel(config=config, entity=entity, parameters=arrays)


def complex_numbers(vectors: np.ndarray) -> np.ndarray:
    real, imaginary = np.split(vectors.astype(np.float64), 2, axis=-1)
    return np.asarray(real + 1j * imaginary)


def naive_scores(model: EmbeddingModel, directed: int) -> np.ndarray:
    """Return ``(entities, entities)`` scores of all heads and tails, one formula a model."""
    relation = model.parameters["relation"][directed]
    if isinstance(model.config, ComplexConfig):
        e, r = complex_numbers(model.entity), complex_numbers(relation)
        return np.asarray(((e * r) @ e.conj().T).real)
    core = model.parameters["core"].astype(np.float64)
    e = model.entity.astype(np.float64)
    return np.einsum("ijk,i,hj,tk->ht", core, relation.astype(np.float64), e, e)


@pytest.mark.parametrize("kind", ["complex", "tucker"])
@pytest.mark.parametrize("both", [False, True])
def test_scores_are_the_papers_formula(kind: str, both: bool) -> None:
    config: EmbeddingConfig = ComplexConfig(rank=3, both_directions=both)
    if kind == "tucker":
        config = TuckerConfig(dimension=4, relation_dimension=3, both_directions=both)
    model = random_model(config)
    for relation in range(RELATIONS):
        forward, back = naive_scores(model, relation), naive_scores(model, relation + RELATIONS)
        tails = (forward + back.T) / 2 if both else forward
        heads = (back + forward.T) / 2 if both else back
        near = {"rtol": 1e-4, "atol": 1e-5}
        np.testing.assert_allclose(model.scores(ALL, relation), tails, **near)
        np.testing.assert_allclose(model.scores(ALL, relation, inverse=True), heads, **near)
        some = np.array([5, 1], dtype=np.int32)
        found = model.scores(some, relation, tails=ALL[2:4])
        np.testing.assert_allclose(found, tails[[5, 1], 2:4], **near)
        directed = np.array([relation, relation + RELATIONS])
        rows = model.row_scores(some, directed)
        np.testing.assert_allclose(rows, np.stack([tails[5], heads[1]]), **near)


@pytest.mark.parametrize("config", [ComplexConfig(rank=3), TuckerConfig(dimension=4)])
def test_scores_of_relations_are_the_same_scores(config: EmbeddingConfig) -> None:
    model, architecture = random_model(config), architecture_of(config)
    parameters = {name: torch.from_numpy(array) for name, array in model.parameters.items()}
    heads, tails = torch.from_numpy(model.entity[:3]), torch.from_numpy(model.entity[3:6])
    found = architecture.relation_scores(parameters, heads, tails).numpy()
    for directed in range(2 * RELATIONS):
        expected = naive_scores(model, directed)[[0, 1, 2], [3, 4, 5]]
        np.testing.assert_allclose(found[:, directed], expected, rtol=1e-4, atol=1e-5)


def test_the_regulariser_is_n3() -> None:
    vectors = np.random.default_rng(0).normal(size=(5, 6))
    found = Complex(3).cubic_norm(torch.from_numpy(vectors)).numpy()
    np.testing.assert_allclose(found, (np.abs(complex_numbers(vectors)) ** 3).sum(axis=1))


def _problem(kind: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    queries = torch.randn(3, 5, generator=generator, dtype=kind)
    pool = torch.randn(600, 5, generator=generator, dtype=kind)
    return queries.requires_grad_(), pool.requires_grad_(), torch.tensor([2, 1, 3]).to(kind)


def test_the_normaliser_is_that_of_a_softmax() -> None:
    queries, pool, counts = _problem()
    scores = queries @ pool.T
    found = weighted_log_normaliser(queries, pool, counts)
    torch.testing.assert_close(found, (counts * torch.logsumexp(scores, dim=1)).sum())
    weights = torch.zeros(600, dtype=torch.float64)
    weights[100:500] = 2.0
    found = weighted_log_normaliser(queries, pool, counts, log_weights=weights)
    torch.testing.assert_close(found, (counts * torch.logsumexp(scores + weights, dim=1)).sum())


def test_the_gradient_agrees_with_differences() -> None:
    queries, pool, counts = _problem()

    def loss(queries: torch.Tensor, pool: torch.Tensor) -> torch.Tensor:
        return weighted_log_normaliser(queries, pool, counts) * 2.0

    assert torch.autograd.gradcheck(loss, (queries, pool), fast_mode=True)


def test_sixteen_bit_products_are_close_to_those_of_32_bits() -> None:
    found = []
    for product_type in (None, torch.bfloat16):
        queries, pool, counts = _problem(torch.float32)
        loss = weighted_log_normaliser(queries, pool, counts, product_type=product_type)
        loss.backward()  # type: ignore[no-untyped-call]
        assert queries.grad is not None
        assert pool.grad is not None
        found.append((loss.detach(), queries.grad, pool.grad))
    for exact, rounded in zip(*found, strict=True):
        assert rounded.dtype == torch.float32
        error = (exact - rounded).norm() / exact.norm()
        assert 0 < error < 0.02  # eight bits of mantissa: 0.4 % a number
