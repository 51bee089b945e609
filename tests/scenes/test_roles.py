"""Swapped roles: which swaps are false, the hinge on them, and that it helps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kg.errors import InputError, SettingError
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.pairs import pair_table
from scenes.roles.learner import RoleLearner, RoleModel
from scenes.roles.loss import structure_loss
from scenes.roles.network import RoleConfig
from scenes.roles.swaps import reversed_rows, swap_negatives, symmetric_predicates
from tests.scenes.relation_samples import LEFT, VOCABULARY, WEAR, images

NAMES = ("above", "below", "next to", "ride")
ABOVE, BELOW, NEXT, RIDE = range(4)


def image(*triplets: tuple[int, int, int], name: str = "a") -> AnnotatedImage:
    """Three objects, one under the other."""
    boxes = np.array([[0.0, 0, 4, 4], [0, 10, 4, 14], [0, 20, 4, 24]])
    return AnnotatedImage(
        name=name, boxes=boxes, labels=np.array([0, 0, 1]), triplets=np.array(sorted(triplets))
    )


def test_reversed_rows_exchange_subject_and_object() -> None:
    pairs = pair_table([image((0, 0, 1)), image((0, 0, 2), name="b")], predicates=4)
    back = reversed_rows(pairs)
    assert np.array_equal(pairs.objects[back], pairs.objects[:, ::-1])
    assert np.array_equal(pairs.image[back], pairs.image)
    assert np.array_equal(back[back], np.arange(len(pairs)))


def test_symmetric_by_both_directions_or_by_name() -> None:
    both = [image((0, NEXT, 1), (1, NEXT, 0), (0, RIDE, 2), name=str(n)) for n in range(30)]
    pairs = pair_table(both, predicates=4)
    assert symmetric_predicates(pairs, NAMES).tolist() == [False, False, True, False]
    few = pair_table(both[:20], predicates=4)  # forty pairs are too few for the rule
    assert not symmetric_predicates(few, NAMES).any()
    kin = ("above", "below", "walk beside", "ride")
    assert symmetric_predicates(few, kin).tolist() == [False, False, True, False]


def test_swaps_that_are_true_again_are_left_out() -> None:
    none = np.zeros(4, dtype=bool)

    def kept(*triplets: tuple[int, int, int], by_geometry: bool = True) -> list[int]:
        pairs = pair_table([image(*triplets)], predicates=4)
        return swap_negatives(pairs, NAMES, none, by_geometry=by_geometry).predicates.tolist()

    assert kept((0, RIDE, 1)) == [RIDE]
    assert kept((0, RIDE, 1), (1, RIDE, 0)) == []
    assert kept((0, ABOVE, 1)) == [ABOVE]
    assert kept((0, ABOVE, 1), (0, BELOW, 1), by_geometry=False) == []
    assert kept((1, ABOVE, 0)) == []  # the boxes say that 0 is above 1
    assert kept((1, ABOVE, 0), by_geometry=False) == [ABOVE]
    symmetric = np.array([False, False, False, True])
    pairs = pair_table([image((0, RIDE, 1))], predicates=4)
    assert not len(swap_negatives(pairs, NAMES, symmetric).rows)


def test_the_hinge() -> None:
    own, other = torch.tensor([1.0, 0.0]), torch.tensor([[0.95, -9.0], [0.4, 0.0]])
    slow = 5.0 * (0.05 + 0.0 + 0.5 + 0.1) / 4
    assert float(structure_loss(own, other)) == pytest.approx(slow)
    assert float(structure_loss(own[:0], own[:0])) == 0.0
    emphasis = torch.tensor([0.0, 3.0])
    slow = 5.0 * 3.0 * (0.5 + 0.1) / 4
    assert float(structure_loss(own, other, emphasis=emphasis)) == pytest.approx(slow)


QUICK = {"embedding": 8, "hidden": 16, "members": 1, "epochs": 12, "batch": 32, "dropout": 0.0}


def test_hard_negatives_tell_the_two_directions_of_like_classes_apart() -> None:
    given, held = images(40), images(15, seed=9)
    pairs = pair_table(held, predicates=4)
    swaps = swap_negatives(pairs, VOCABULARY.predicates, np.zeros(4, dtype=bool))
    margins = {}
    for weight in (0.0, 2.0):
        config = RoleConfig(structure_weight=weight, margin=3.0, learning_rate=1e-2, **QUICK)
        model = RoleLearner(config).fit(given, VOCABULARY, seed=1)
        scores = np.concatenate(model.score(held))
        margins[weight] = (
            scores[swaps.rows, swaps.predicates] - scores[swaps.reversed, swaps.predicates]
        )
    assert (margins[2.0] > 0).mean() > 0.95
    assert margins[2.0].min() > margins[0.0].min()
    same = pairs.labels[swaps.rows, 0] == pairs.labels[swaps.rows, 1]
    assert set(swaps.predicates[same].tolist()) == {LEFT}
    assert (margins[2.0][same] > 0).all()


def test_a_model_is_its_settings_and_arrays() -> None:
    config = RoleConfig(structure_weight=1.0, **QUICK | {"epochs": 1})
    model = RoleLearner(config).fit(images(6), VOCABULARY, seed=0)
    again = RoleModel.restored(VOCABULARY, model.settings(), model.arrays())
    held = images(3, seed=2)
    for first, second in zip(model.score(held), again.score(held), strict=True):
        assert np.array_equal(first, second)
    repeated = RoleLearner(config).fit(images(6), VOCABULARY, seed=0)
    assert np.array_equal(model.score(held)[0], repeated.score(held)[0])
    with pytest.raises(InputError, match="do not fit"):
        RoleModel.restored(Vocabulary(("a",), ("b",)), model.settings(), model.arrays())
    with pytest.raises(InputError, match="do not fit"):
        RoleModel.restored(VOCABULARY, {"no": 1}, model.arrays())


def test_no_triplet_and_settings_out_of_range() -> None:
    bare = [one.with_triplets(np.empty((0, 3))) for one in images(2)]
    with pytest.raises(InputError, match="no triplet"):
        RoleLearner().fit(bare, VOCABULARY, seed=0)
    for wrong in ({"structure_weight": -1.0}, {"dropout": 1.0}, {"members": 0}):
        with pytest.raises(SettingError):
            RoleConfig(**wrong)
    assert WEAR in images(1)[0].triplets[:, 1]
