"""The prompted model learns, and boosting adds what it is confident of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from encoders import TinyTextEncoder
from kg.errors import ConflictError, ForeignFileError, InputError, SettingError
from scenes.cacao.boosting import BoostingConfig, boost, coarse_predicates
from scenes.cacao.checkpoint import load_prompts, save_prompts
from scenes.cacao.config import PromptConfig
from scenes.cacao.prompted_model import measures_of
from scenes.cacao.training import Samples, train_prompts
from scenes.relations.pairs import pair_table
from tests.scenes.relation_samples import LEFT, ON, RIDE, VOCABULARY, WEAR, images


class SmallLanguageModel:
    """Mixes hashed words and prompts by fixed random weights; gradients pass."""

    dimension = 16
    fingerprint = "small"
    mask_token = "[MASK]"  # noqa: S105 (no password)

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(5)
        self._words = torch.randn(64, 16, generator=generator)
        self._mix = torch.randn(16, 16, generator=generator) / 4

    def tokens(self, texts: Sequence[str]) -> Tensor:
        return torch.tensor([[sum(map(ord, word)) % 64 for word in t.split()] for t in texts])

    def state_at_mask(self, tokens: Tensor, prompts: Tensor) -> Tensor:
        words = self._words[tokens.clamp(min=0)]
        order = torch.tensor([[1.0], [0.0], [-0.5]])  # subject and object are told apart
        mixed = (words * order).sum(dim=1) + prompts.sum(dim=1)
        return torch.tanh(mixed @ self._mix)


QUICK = PromptConfig(
    textual_prompts=2, hidden=16, epochs=(8, 2, 6), batch=16, learning_rate=1e-2, most=60
)


def trained(seed: int = 0):
    pairs = pair_table(images(60, fine=1.0), predicates=4)
    samples = Samples.of(pairs.labels, measures_of(pairs), pairs.said)
    given = {"language": SmallLanguageModel(), "names": TinyTextEncoder()}
    none = Samples.of(pairs.labels[:0], measures_of(pairs)[:0], pairs.said[:0])
    return train_prompts(samples, none, vocabulary=VOCABULARY, config=QUICK, seed=seed, **given)


def test_the_prompted_model_learns_predicates_and_repeats_itself() -> None:
    pairs = pair_table(images(20, seed=1, fine=1.0), predicates=4)
    rows = np.flatnonzero(pairs.said.any(axis=1))
    first = trained().log_probabilities(pairs.labels[rows], measures_of(pairs)[rows])
    assert np.exp(first).sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    right = pairs.said[rows][np.arange(len(rows)), first.argmax(axis=1)]
    assert right.mean() > 0.7
    again = trained().log_probabilities(pairs.labels[rows], measures_of(pairs)[rows])
    assert np.array_equal(first, again)


def test_prompts_are_kept_without_the_language_model(tmp_path: Path) -> None:
    pairs, model = pair_table(images(2), predicates=4), trained()
    save_prompts(model, tmp_path)
    again = load_prompts(tmp_path, SmallLanguageModel())
    given = pairs.labels, measures_of(pairs)
    assert np.array_equal(model.log_probabilities(*given), again.log_probabilities(*given))
    assert again.config == model.config
    other = SmallLanguageModel()
    other.fingerprint = "another"
    with pytest.raises(ConflictError, match="trained for small"):
        load_prompts(tmp_path, other)
    (tmp_path / "prompts.safetensors").write_bytes(b"x")
    with pytest.raises(ForeignFileError):
        load_prompts(tmp_path, SmallLanguageModel())


def test_nothing_annotated_is_an_error() -> None:
    pairs = pair_table(images(2), predicates=4)
    empty = Samples.of(pairs.labels, measures_of(pairs), np.zeros_like(pairs.said))
    with pytest.raises(InputError, match="no pair is annotated"):
        train_prompts(
            empty,
            empty,
            language=SmallLanguageModel(),
            names=TinyTextEncoder(),
            vocabulary=VOCABULARY,
            config=QUICK,
            seed=0,
        )


def test_features_of_regions_join_the_geometry() -> None:
    pairs = pair_table(images(1), predicates=4)
    assert measures_of(pairs, np.ones((len(pairs), 3))).shape == (12, 29)
    with pytest.raises(InputError, match="features of 2 pairs for 12 pairs"):
        measures_of(pairs, np.ones((2, 3)))


class Rider:
    """Is sure that a person with a horse rides it, and has no opinion else."""

    def log_probabilities(self, labels: np.ndarray, measures: np.ndarray) -> np.ndarray:
        del measures
        values = np.full((len(labels), 4), np.log(0.25))
        rides = (labels == [0, 1]).all(axis=1)
        values[rides] = np.log([0.02, 0.02, 0.02, 0.94])
        return values


def boosted(config: BoostingConfig, *, mapping: np.ndarray | None = None, fine: float = 0.3):
    given = images(30, fine=fine)
    pairs = pair_table(given, predicates=4)
    return given, boost(given, pairs, pairs.geometry, Rider(), mapping=mapping, config=config)


EASY = BoostingConfig(coarse_share=0.6, bare_confidence=0.9, most=99.0)


def test_coarse_pairs_get_the_fine_predicate_and_keep_the_coarse_one() -> None:
    given, found = boosted(EASY)
    assert coarse_predicates(np.array([21, 30, 30, 9]), 0.6).tolist() == [False, True, True, False]
    # "wear" and "left of" are coarse here by number, "on" and "ride" are not
    assert found.images == given
    assert not len(found.rows)
    config = BoostingConfig(coarse_share=0.8, bare_confidence=2.0, most=99.0)
    given, found = boosted(config)
    on = [image for image in given if ON in image.triplets[:, 1]]
    assert len(found.rows) == len(on) > 10
    assert set(found.predicates.tolist()) == {RIDE}
    assert found.coarse.all()
    for before, after in zip(given, found.images, strict=True):
        added = {tuple(t) for t in after.triplets.tolist()} - {
            tuple(t) for t in before.triplets.tolist()
        }
        assert added == ({(0, RIDE, 1)} if ON in before.triplets[:, 1] else set())


def test_bare_pairs_get_it_only_where_boxes_touch_and_confidence_is_high() -> None:
    given = images(30, fine=0.3)
    bare = [image.with_triplets(image.triplets[image.triplets[:, 1] != ON]) for image in given]
    pairs = pair_table(bare, predicates=4)
    found = boost(bare, pairs, pairs.geometry, Rider(), config=EASY)
    assert len(found.rows) > 10
    assert not found.coarse.any()
    assert (pairs.objects[found.rows] == [0, 1]).all()  # never the far horse
    unsure = BoostingConfig(coarse_share=0.6, bare_confidence=0.995, most=99.0)
    assert not len(boost(bare, pairs, pairs.geometry, Rider(), config=unsure).rows)


def test_additions_of_a_predicate_are_limited_and_the_most_confident_stay() -> None:
    config = BoostingConfig(coarse_share=0.8, bare_confidence=2.0, most=0.5)
    given, found = boosted(config)
    riders = sum(RIDE in image.triplets[:, 1] for image in given)
    assert len(found.rows) == int(np.ceil(riders / 2))


def test_a_mapping_takes_open_predicates_to_targets() -> None:
    config = BoostingConfig(coarse_share=0.8, bare_confidence=2.0, most=99.0)
    _, dropped = boosted(config, mapping=np.array([ON, WEAR, LEFT, -1]))
    assert not len(dropped.rows)


def test_a_pair_of_classes_gets_only_what_it_has_somewhere() -> None:
    config = BoostingConfig(coarse_share=0.8, bare_confidence=2.0, most=99.0)
    _, strict = boosted(config, fine=0.0)
    assert not len(strict.rows)


@pytest.mark.parametrize(
    "values", [{"coarse_share": 1.0}, {"most": -1.0}, {"bare_confidence": float("nan")}]
)
def test_settings_out_of_range(values: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        BoostingConfig(**values)
    with pytest.raises(SettingError):
        PromptConfig(epochs=(1, 2))  # type: ignore[arg-type]
