"""What boosting adds is heard by two witnesses and by the boxes before it is believed."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.cacao.boosting import Boosted, BoostingConfig, boost
from scenes.cacao.checking import BELIEVE, CheckedAddition, believed, check_additions
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.pairs import PairTable, pair_table

VOCABULARY = Vocabulary(("person", "horse", "hat"), ("on", "ride", "wear"))
ON, RIDE, WEAR = range(3)
EAGER = BoostingConfig(
    coarse_share=0.5, coarse_confidence=0.8, bare_confidence=2.0, seen_only=False, most=99.0
)


def riders(count: int) -> tuple[AnnotatedImage, ...]:
    """A person on a horse wears a hat; half is said in full, else both are only "on".

    In the last image, which says nothing in full, the horse stands far off.
    """
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        boxes = np.array([[20, 10, 30, 40], [10, 30, 50, 60], [22, 6, 28, 12]], dtype=float)
        boxes += rng.normal(0, 0.5, boxes.shape)
        if number == count - 1:
            boxes[1] += 400
        full = number % 2 == 0
        triplets = [[0, RIDE if full else ON, 1], [0, WEAR if full else ON, 2], [2, ON, 0]]
        made.append(
            AnnotatedImage(
                name=f"{number}.jpg",
                boxes=boxes,
                labels=np.array([0, 1, 2]),
                triplets=np.array(triplets),
            )
        )
    return tuple(made)


class Rider:
    """Is sure that all persons ride, horses and hats alike."""

    def log_probabilities(self, labels: np.ndarray, measures: np.ndarray) -> np.ndarray:
        del measures
        values = np.full((len(labels), 3), np.log(0.3))
        values[labels[:, 0] == 0] = np.log([0.05, 0.9, 0.05])
        return values


Case = tuple[tuple[AnnotatedImage, ...], PairTable, Boosted, tuple[CheckedAddition, ...]]


def checked(count: int) -> Case:
    images = riders(count)
    pairs = pair_table(images, predicates=3)
    found = boost(images, pairs, pairs.geometry, Rider(), config=EAGER)
    return images, pairs, found, check_additions(images, pairs, found, VOCABULARY, config=EAGER)


@pytest.fixture(scope="module")
def many() -> Case:
    return checked(60)


def test_what_classes_and_boxes_speak_for_is_supported_and_what_neither_does_is_refuted(
    many: Case,
) -> None:
    _, _, found, additions = many
    outcomes = {(one.image, one.object): one.outcome for one in additions}
    assert len(additions) == len(found.rows) == 60  # of 30 images, a horse and a hat each
    near = {outcomes[f"{number}.jpg", 1] for number in range(1, 59, 2)}
    hats = {outcomes[f"{number}.jpg", 2] for number in range(1, 59, 2)}
    assert (near, hats) == ({"supported"}, {"refuted"})
    names = {tuple(vote.witness for vote in one.verdict.votes) for one in additions}
    assert names == {("classes", "boxes")}


def test_what_boxes_rule_out_is_refuted_whatever_the_classes_say(many: Case) -> None:
    (far,) = [one for one in many[3] if one.ruled_out is not None]
    assert (far.image, far.object, far.outcome) == ("59.jpg", 1, "refuted")
    assert "pixels lies between the boxes" in str(far.ruled_out)


def test_only_what_is_believed_is_added(many: Case) -> None:
    images, pairs, found, additions = many
    added = {}
    for believe in BELIEVE:
        taken = found.only(believed(additions, believe), images, pairs)
        added[believe] = sum(map(len, (one.triplets for one in taken.images))) - 60 * 3
        assert added[believe] == len(taken.rows)
        for before, after in zip(images, taken.images, strict=True):
            assert {*map(tuple, before.triplets)} <= {*map(tuple, after.triplets)}
    assert added == {"all": 60, "unrefuted": 29, "supported": 29}


def test_a_predicate_too_rare_for_witnesses_stays_uncertain() -> None:
    *_, additions = checked(12)
    assert {one.outcome for one in additions if one.ruled_out is None} == {"uncertain"}
    assert {len(one.verdict.votes) for one in additions} == {0}
