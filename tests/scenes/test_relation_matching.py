from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import InputError
from scenes.geometry import box_iou
from scenes.metrics import triplet_ranks
from scenes.relations.annotations import AnnotatedImage
from scenes.relations.matching import box_ious, scored_image

corner = st.integers(0, 6)
boxes = st.tuples(corner, corner, corner, corner).map(
    lambda b: [min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])]
)


@st.composite
def images(draw: st.DrawFn, least: int = 1) -> AnnotatedImage:
    count = draw(st.integers(least, 4))
    number = st.integers(0, count - 1)
    triplets = draw(st.lists(st.tuples(number, st.integers(0, 1), number), max_size=6))
    return AnnotatedImage(
        name="a",
        boxes=np.array(draw(st.lists(boxes, min_size=count, max_size=count)), float),
        labels=np.array(draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))),
        triplets=np.empty((0, 3), int),
    ).with_triplets(np.array(triplets, dtype=int))


def slow_ranks(gold: AnnotatedImage, found: AnnotatedImage, scores, protocol, constrained):
    """Walk down the guesses, best first, and note the first that is each triplet."""

    def same(region: int, thing: int) -> bool:
        if found.labels[region] != gold.labels[thing]:
            return False
        if protocol == "sgdet":
            one, other = found.boxes[region].tolist(), gold.boxes[thing].tolist()
            return one == other or box_iou(one, other) >= 0.5
        return region == thing

    guesses = []
    for row, (s, o) in enumerate(permutations(range(len(found)), 2)):
        of_pair = []
        for q in range(scores.shape[1]):
            right = {
                number
                for number, (subject, predicate, other) in enumerate(gold.triplets)
                if predicate == q and subject != other and same(s, subject) and same(o, other)
            }
            of_pair.append((-scores[row, q], bool(right), row, q, right))
        guesses += [min(of_pair)] if constrained else of_pair
    ranks = [np.inf] * len(gold.triplets)
    for place, guess in enumerate(sorted(guesses, key=lambda g: g[:4]), start=1):
        for number in guess[4]:
            ranks[number] = min(ranks[number], place)
    return ranks


@given(st.data(), st.sampled_from(["predcls", "sgcls", "sgdet"]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_ranks_equal_the_slow_reference(data, protocol, constrained):
    gold = data.draw(images())
    found = data.draw(images()) if protocol == "sgdet" else gold
    if protocol == "sgcls":
        guessed = data.draw(images(least=4)).labels[: len(gold)]
        found = AnnotatedImage(name="a", boxes=gold.boxes, labels=guessed, triplets=gold.triplets)
    rows = len(found) * (len(found) - 1)
    cells = data.draw(st.lists(st.integers(0, 3), min_size=2 * rows, max_size=2 * rows))
    scores = np.array(cells, float).reshape(rows, 2)
    image = scored_image(gold, scores, protocol=protocol, found=found)
    ranks = triplet_ranks([image], constrained=constrained).rank.tolist()
    assert ranks == slow_ranks(gold, found, scores, protocol, constrained)


@given(boxes, boxes)
def test_overlap_equals_that_of_single_boxes(one, other):
    table = box_ious(np.array([one], float), np.array([other], float))
    assert table[0, 0] == pytest.approx(1.0 if one == other else box_iou(one, other))


def test_what_a_protocol_gives_may_not_be_guessed():
    gold = AnnotatedImage(
        name="a.jpg",
        boxes=np.array([[0.0, 0, 2, 2], [1, 1, 3, 3]]),
        labels=np.array([0, 1]),
        triplets=np.array([[0, 0, 1]]),
    )
    moved = AnnotatedImage(
        name="a.jpg", boxes=gold.boxes + 1, labels=gold.labels, triplets=gold.triplets
    )
    named = AnnotatedImage(
        name="a.jpg", boxes=gold.boxes, labels=gold.labels[::-1], triplets=gold.triplets
    )
    scores = np.zeros((2, 1))
    for protocol in ("predcls", "sgcls"):
        with pytest.raises(InputError, match="boxes"):
            scored_image(gold, scores, protocol=protocol, found=moved)
    with pytest.raises(InputError, match="labels"):
        scored_image(gold, scores, protocol="predcls", found=named)
    with pytest.raises(InputError, match="3 rows"):
        scored_image(gold, np.zeros((3, 1)), protocol="predcls")
