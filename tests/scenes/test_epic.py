"""Open vocabulary: names are read, a predicate without a label is scored, prompts are entangled."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from encoders import TinyTextEncoder
from kg.errors import InputError, SettingError
from scenes.epic.config import EpicConfig
from scenes.epic.learner import OpenLearner
from scenes.epic.model import OpenModel
from scenes.epic.prompts import entangled_cosines
from scenes.epic.word_hints import HINTS, word_hints
from scenes.relations.annotations import Vocabulary
from scenes.relations.pairs import pair_table
from tests.scenes.relation_samples import LEFT, VOCABULARY, images

ENCODER = TinyTextEncoder()
QUICK = {"hidden": 32, "dimension": 16, "class_parts": 2, "members": 1, "batch": 32, "epochs": 8}


def hints_of(name: str) -> dict[str, float]:
    return {
        hint: value
        for hint, value in zip(HINTS, word_hints([name], ENCODER)[0].tolist(), strict=True)
        if value
    }


def test_hints_of_known_and_unknown_words() -> None:
    assert hints_of("above") == {"up": 1.0}
    assert hints_of("under") == {"up": -1.0}
    assert hints_of("on the left of") == {"right": -1.0}
    assert hints_of("in the front of") == {"front": 1.0}
    assert hints_of("sit on") == {"up": 1.0, "contact": 1.0, "posture": 1.0}
    assert hints_of("standing") == hints_of("stand")  # near in letters
    assert hints_of("xyzzy") == {}
    assert word_hints([], ENCODER).shape == (0, len(HINTS))


def test_entangled_cosines_are_those_of_each_pair_and_name() -> None:
    generator = torch.Generator().manual_seed(0)
    v, to_text = torch.randn(2, 5, 7, generator=generator, dtype=torch.float64)
    t, to_visual = torch.randn(2, 3, 7, generator=generator, dtype=torch.float64)
    found = entangled_cosines(v, t, to_text, to_visual)
    for i in range(5):
        for j in range(3):
            slow = torch.nn.functional.cosine_similarity(
                t[j] + to_text[i], v[i] + to_visual[j], dim=0
            )
            assert float(found[i, j]) == pytest.approx(float(slow), abs=1e-12)


@pytest.mark.parametrize(
    "config",
    [
        EpicConfig(learning_rate=1e-2, entangled=False, **QUICK),
        EpicConfig(learning_rate=1e-2, names="both", **QUICK),
    ],
    ids=["plain", "entangled"],
)
def test_a_predicate_that_was_never_a_label_is_found_by_its_name(config: EpicConfig) -> None:
    base = Vocabulary(VOCABULARY.objects, VOCABULARY.predicates)
    model = OpenLearner(ENCODER, config).fit(images(60), base, seed=0)
    held = images(10, seed=4)
    opened = model.with_predicates(["on the left of", "on the right of"], ENCODER)
    pairs = pair_table(held, predicates=4)
    horses = pairs.said[:, LEFT]
    chosen = opened.log_predicates(pairs)
    assert np.exp(chosen).sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (chosen[horses].argmax(axis=1) == 0).mean() > 0.9
    scores = opened.score(held)
    assert scores[0].shape == (12, 2)
    annotated = model.log_annotated(pairs)
    said = pairs.said.any(axis=1)
    assert annotated[said].mean() > annotated[~said].mean()


def test_predicates_without_a_triplet_do_not_change_the_training() -> None:
    more = Vocabulary(VOCABULARY.objects, (*VOCABULARY.predicates, "below"))
    config = EpicConfig(**QUICK | {"epochs": 1})
    held = images(3, seed=4)
    first, second = (
        OpenLearner(ENCODER, config)
        .fit(images(10), v, seed=0)
        .with_predicates(VOCABULARY.predicates, ENCODER)
        .score(held)
        for v in (VOCABULARY, more)
    )
    assert np.array_equal(first[0], second[0])


def test_a_model_is_its_settings_and_arrays() -> None:
    config = EpicConfig(**QUICK | {"epochs": 1, "members": 2})
    model = OpenLearner(ENCODER, config).fit(images(6), VOCABULARY, seed=0)
    again = OpenModel.restored(VOCABULARY, model.settings(), model.arrays())
    held = images(2, seed=3)
    assert np.array_equal(model.score(held)[0], again.score(held)[0])
    with pytest.raises(InputError, match="do not fit"):
        OpenModel.restored(VOCABULARY, model.settings(), {})
    with pytest.raises(InputError, match="4 names for 1"):
        OpenModel.restored(Vocabulary(("a",), ("b",)), model.settings(), model.arrays())


def test_what_is_refused() -> None:
    bare = [one.with_triplets(np.empty((0, 3))) for one in images(2)]
    with pytest.raises(InputError, match="no triplet"):
        OpenLearner(ENCODER).fit(bare, VOCABULARY, seed=0)
    model = OpenLearner(ENCODER, EpicConfig(**QUICK)).fit(images(2), VOCABULARY, seed=0)
    for wrong in ([], ["on", "on"]):
        with pytest.raises(InputError, match="each once"):
            model.with_predicates(wrong, ENCODER)
    for values in ({"temperature": 0.0}, {"members": 0}, {"dropout": 1.0}):
        with pytest.raises(SettingError):
            EpicConfig(**values)
