"""ComplEx against the papers' formulas in numpy, its gradients, and runs that are interrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reasoning.predictors import (
    ComplexConfig,
)
from reasoning.predictors.complex import ComplexModel, complex_scores, n3
from reasoning.predictors.complex_training import train_complex
from reasoning.predictors.typing import RelationTypes
from tests.reasoning.predictor_world import WORLD


def _complex_numpy(vectors: np.ndarray) -> np.ndarray:
    real, imaginary = np.split(vectors.astype(np.float64), 2, axis=-1)
    return real + 1j * imaginary


def test_scores_are_the_papers_formula() -> None:
    random = np.random.default_rng(0)
    heads, relations, tails = (random.normal(size=(n, 6)).astype(np.float32) for n in (3, 3, 4))
    found = complex_scores(*map(torch.from_numpy, (heads, relations, tails))).numpy()
    h, r, t = map(_complex_numpy, (heads, relations, tails))
    np.testing.assert_allclose(found, ((h * r) @ t.conj().T).real, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        n3(torch.from_numpy(heads)).numpy(), (np.abs(h) ** 3).sum(axis=1), rtol=1e-4
    )
    model = ComplexModel(entity=np.concatenate([heads, tails]), relation=relations[:2])
    ids = np.arange(7, dtype=np.int32)
    e = _complex_numpy(model.entity)
    forward = ((e * r[0]) @ e.conj().T).real
    backward = ((e * r[1]) @ e.conj().T).real.T
    np.testing.assert_allclose(
        model.scores(ids, 0, ids), (forward + backward) / 2, rtol=1e-4, atol=1e-5
    )


def test_loss_is_the_naive_softmax_over_allowed_tails() -> None:
    from reasoning.predictors.complex_training import _grouped, _loss

    types = RelationTypes(WORLD)
    random = np.random.default_rng(1)
    entity = random.normal(size=(WORLD.num_entities, 6)).astype(np.float32)
    relation = random.normal(size=(2 * WORLD.num_relations, 6)).astype(np.float32)
    for group in _grouped(WORLD, types, np.arange(WORLD.num_entities)):
        base, inverse = group.relation % WORLD.num_relations, group.relation >= WORLD.num_relations
        rows = torch.arange(len(group.heads))
        found = _loss(
            torch.from_numpy(entity),
            torch.from_numpy(relation),
            group,
            rows,
            group.candidates,
            0.05,
        ).item()
        span = WORLD.edges_of(base)
        ends = (WORLD.heads[span], WORLD.tails[span])
        heads, tails = ends[::-1] if inverse else ends
        e, r = _complex_numpy(entity), _complex_numpy(relation[group.relation])
        pool = types.candidates(base, inverse=inverse)
        total = []
        for head, tail in zip(heads.tolist(), tails.tolist(), strict=True):
            scores = (e[head] * r * e[pool].conj()).sum(axis=1).real
            target = (e[head] * r * e[tail].conj()).sum().real
            penalty = sum((np.abs(v) ** 3).sum() for v in (e[head], r, e[tail]))
            total.append(np.log(np.exp(scores).sum()) - target + 0.05 * penalty)
        assert found == pytest.approx(np.mean(total), rel=1e-4)


def test_gradient_agrees_with_differences() -> None:
    from reasoning.predictors.complex_training import _grouped, _loss

    types = RelationTypes(WORLD)
    group = _grouped(WORLD, types, np.arange(WORLD.num_entities))[0]
    generator = torch.Generator().manual_seed(0)
    entity = torch.randn(WORLD.num_entities, 4, generator=generator, dtype=torch.float64)
    relation = torch.randn(2 * WORLD.num_relations, 4, generator=generator, dtype=torch.float64)
    rows = torch.arange(5)

    def loss(entity: torch.Tensor) -> torch.Tensor:
        return _loss(entity, relation, group, rows, group.candidates[:6], 0.1)

    assert torch.autograd.gradcheck(loss, entity.requires_grad_(), fast_mode=True)


def test_a_sample_of_candidates_still_holds_every_tail() -> None:
    config = ComplexConfig(rank=4, epochs=2, candidates=3, batch=7)
    model = train_complex(WORLD, RelationTypes(WORLD), config, seed=0)
    assert np.isfinite(model.entity).all()


class _StoppedError(Exception):
    pass


def test_an_interrupted_run_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    types, config = RelationTypes(WORLD), ComplexConfig(rank=4, epochs=6, keep_every=2)

    def stop(done: int, _total: int) -> None:
        if done == 5:
            raise _StoppedError

    whole = train_complex(WORLD, types, config, seed=3)
    with pytest.raises(_StoppedError):
        train_complex(WORLD, types, config, seed=3, progress=stop, resume_folder=tmp_path)
    seen: list[int] = []
    resumed = train_complex(
        WORLD,
        types,
        config,
        seed=3,
        progress=lambda done, _total: seen.append(done),
        resume_folder=tmp_path,
    )
    assert seen == [5, 6]  # four epochs were kept
    assert whole.entity.tobytes() == resumed.entity.tobytes()
    other = train_complex(WORLD, types, config, seed=4, resume_folder=tmp_path)
    assert other.entity.tobytes() != whole.entity.tobytes()  # another seed's state is not taken up


def test_a_step_is_adagrads() -> None:
    from reasoning.predictors.complex_training import _State

    generator = torch.Generator().manual_seed(0)
    ours = _State.fresh((5, 2), ComplexConfig(rank=3), seed=1)
    theirs = [ours.entity.detach().clone(), ours.relation.detach().clone()]
    theirs = [tensor.requires_grad_() for tensor in theirs]
    optimiser = torch.optim.Adagrad(theirs, lr=0.1)
    for _ in range(3):
        for mine, other in zip((ours.entity, ours.relation), theirs, strict=True):
            gradient = torch.randn(mine.shape, generator=generator)
            mine.grad, other.grad = gradient.clone(), gradient.clone()
        ours.step(0.1)
        optimiser.step()
    torch.testing.assert_close(ours.entity, theirs[0])
    torch.testing.assert_close(ours.relation, theirs[1])
