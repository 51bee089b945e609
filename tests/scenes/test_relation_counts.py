from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from kg.errors import EngineError
from scenes.relations.annotations import AnnotatedImage
from scenes.relations.checkpoint import load_relation_model, save_relation_model
from scenes.relations.counts import TripletCounts, log_rates, log_shares
from scenes.relations.pairs import ordered_pairs, pair_table
from scenes.relations.prior import PriorLearner
from tests.scenes.relation_world import VOCABULARY, made_images

IMAGES = made_images(30)
COUNTS = TripletCounts.of(IMAGES, VOCABULARY)


def test_counts_are_those_of_a_loop():
    pairs: Counter[tuple[int, int]] = Counter()
    triplets: Counter[tuple[int, int, int]] = Counter()
    for image in IMAGES:
        for s, o in ordered_pairs(len(image)):
            pairs[image.labels[s], image.labels[o]] += 1
        for s, p, o in image.triplets:
            triplets[image.labels[s], p, image.labels[o]] += 1
    every = np.argwhere(np.ones((5, 5)))
    seen, said = COUNTS.of_classes(every)
    for (first, second), count, row in zip(every.tolist(), seen, said, strict=True):
        assert count == pairs[first, second]
        assert row.tolist() == [triplets[first, p, second] for p in range(5)]
    assert COUNTS.by_predicate.sum() == sum(triplets.values())


def test_an_object_related_to_itself_is_a_pair_of_its_class():
    image = AnnotatedImage(
        name="a",
        boxes=np.zeros((1, 4)),
        labels=np.array([4]),
        triplets=np.array([[0, 3, 0]]),
    )
    seen, said = TripletCounts.of([image], VOCABULARY).of_classes(np.array([[4, 4], [0, 4]]))
    assert seen.tolist() == [1, 0]
    assert said[0].tolist() == [0, 0, 0, 1, 0]


def test_leaving_an_image_out_is_counting_the_others():
    table = pair_table(IMAGES, predicates=5)
    shares = table.by_image(log_shares(COUNTS, table, leave_out=True))
    rates = table.by_image(log_rates(COUNTS, table, leave_out=True)[0])
    for number in (0, 7, 29):
        others = TripletCounts.of(IMAGES[:number] + IMAGES[number + 1 :], VOCABULARY)
        own = pair_table([IMAGES[number]], predicates=5)
        # the shares of all predicates are those of all images: they tell nothing of a pair
        assert shares[number] == pytest.approx(log_shares(others, own), abs=0.2)
        assert rates[number] == pytest.approx(log_rates(others, own)[0], abs=0.2)
    plain = table.by_image(log_shares(COUNTS, table))
    assert np.abs(plain[0] - shares[0]).max() > 0


def test_shares_are_probabilities_and_rows_can_be_chosen():
    table = pair_table(IMAGES, predicates=5)
    shares = log_shares(COUNTS, table)
    assert np.exp(shares).sum(axis=2) == pytest.approx(1)
    some = table.labels[:, 0] == 0
    assert np.array_equal(log_shares(COUNTS, table, rows=some), shares[some])


def test_nothing_counted_gives_equal_shares():
    nothing = TripletCounts.of([], VOCABULARY)
    table = pair_table(IMAGES[:3], predicates=5)
    assert np.exp(log_shares(nothing, table)) == pytest.approx(0.2)
    assert np.isfinite(log_rates(nothing, table)[0]).all()


def test_the_prior_prefers_what_was_counted_and_can_be_kept(tmp_path):
    model = PriorLearner().fit(IMAGES, VOCABULARY, seed=0)
    image = AnnotatedImage(
        name="new",
        boxes=np.array([[0.0, 0, 5, 5], [1, 1, 2, 2]]),
        labels=np.array([0, 1]),
        triplets=np.empty((0, 3), dtype=np.int64),
    )
    scores = model.score([image])[0]
    assert scores.shape == (2, 5)
    assert scores[0].argmax() == 0  # a person wears a hat
    assert scores[0, 0] > scores[1].max()
    save_relation_model(model, tmp_path)
    assert np.array_equal(load_relation_model(tmp_path).score([image])[0], scores)


def test_a_model_of_other_files_is_refused(tmp_path):
    with pytest.raises(EngineError, match="no model of relations"):
        load_relation_model(tmp_path)
    save_relation_model(PriorLearner().fit(IMAGES, VOCABULARY, seed=0), tmp_path)
    (tmp_path / "relations.safetensors").write_bytes(b"no")
    with pytest.raises(EngineError, match="another training"):
        load_relation_model(tmp_path)
