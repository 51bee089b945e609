"""Several ComplEx models as one: a mean of scores, trained and resumed member by member."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kg.errors import SettingError
from reasoning.predictors.embeddings import ComplexConfig, EmbeddingModel, train_embedding
from tests.reasoning.predictor_world import WORLD

CONFIG = ComplexConfig(rank=3, epochs=4, keep_every=1, members=3, candidates=20)
HEADS = np.arange(WORLD.num_entities, dtype=np.int32)


class _StoppedError(Exception):
    pass


@pytest.mark.parametrize("both_directions", [False, True])
@pytest.mark.parametrize("inverse", [False, True])
def test_a_score_is_the_mean_of_the_members(both_directions: bool, inverse: bool) -> None:
    config = replace(CONFIG, both_directions=both_directions)
    one = replace(config, members=1)
    whole = train_embedding(WORLD, config, seed=2)
    members = [train_embedding(WORLD, one, seed=6 + number) for number in range(3)]
    assert len({member.fingerprint for member in members}) == 3
    for relation in range(WORLD.num_relations):
        scores = [member.scores(HEADS, relation, inverse=inverse) for member in members]
        found = whole.scores(HEADS, relation, inverse=inverse)
        np.testing.assert_allclose(found, np.mean(scores, axis=0), rtol=1e-4, atol=1e-5)


def test_no_two_seeds_share_a_member() -> None:
    first, second = (train_embedding(WORLD, CONFIG, seed=seed).entity for seed in (0, 1))
    columns = {column.tobytes() for column in first.T}
    assert columns.isdisjoint({column.tobytes() for column in second.T})


@pytest.mark.parametrize("stop_at", [3, 4, 6, 11])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(stop_at: int, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        assert total == 12
        if done == stop_at:
            raise _StoppedError

    with pytest.raises(_StoppedError):
        train_embedding(WORLD, CONFIG, progress=stop, resume_folder=tmp_path)
    seen: list[int] = []
    resumed = train_embedding(
        WORLD, CONFIG, progress=lambda done, _: seen.append(done), resume_folder=tmp_path
    )
    assert seen == list(range(stop_at + 1, 13))
    assert resumed.fingerprint == train_embedding(WORLD, CONFIG).fingerprint


def test_wide_and_narrow_members_count_half_each(tmp_path: Path) -> None:
    wide = replace(CONFIG, rank=5, members=1, epochs=2)
    config = replace(wide, beside=replace(CONFIG, members=2))
    seen: list[tuple[int, int]] = []
    whole = train_embedding(
        WORLD, config, seed=1, progress=lambda *told: seen.append(told), resume_folder=tmp_path
    )
    assert seen == [(done, 10) for done in range(1, 11)]
    parts = [train_embedding(WORLD, wide, seed=1)]
    parts += [train_embedding(WORLD, replace(CONFIG, members=1), seed=seed) for seed in (2, 3)]
    for relation in range(WORLD.num_relations):
        scores = [part.scores(HEADS, relation) for part in parts]
        wanted = np.average(scores, axis=0, weights=[0.5, 0.25, 0.25])
        np.testing.assert_allclose(whole.scores(HEADS, relation), wanted, rtol=1e-4, atol=1e-5)
    whole.save(tmp_path / "kept", WORLD)
    again = EmbeddingModel.load(tmp_path / "kept", WORLD)
    assert (again.config, again.fingerprint) == (config, whole.fingerprint)
    resumed = train_embedding(WORLD, config, seed=1, resume_folder=tmp_path)
    assert resumed.fingerprint == whole.fingerprint


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"both_directions": not CONFIG.both_directions}, "both_directions"),
        ({"beside": CONFIG}, "beside of its own"),
    ],
)
def test_members_beside_whose_scores_do_not_add_up_are_refused(
    change: dict[str, Any], named: str
) -> None:
    with pytest.raises(SettingError, match=named):
        replace(CONFIG, beside=replace(CONFIG, **change))


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    whole = train_embedding(WORLD, CONFIG)
    whole.save(tmp_path, WORLD)
    assert EmbeddingModel.load(tmp_path, WORLD).fingerprint == whole.fingerprint


def test_at_least_one_member() -> None:
    with pytest.raises(SettingError, match=r"members is 0"):
        ComplexConfig(members=0)
