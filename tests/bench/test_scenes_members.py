"""`bench.scenes_members`: folds are disjoint, kept members are read again and averaged."""

from __future__ import annotations

import numpy as np
import pytest

from bench.scenes_data import Vrd
from bench.scenes_members import Held, Mix, figures, folds, mixed
from scenes.relations.counts import TripletCounts
from scenes.relations.pairs import pair_table
from scenes.relations.weighting import PLAIN, Weighting
from tests.scenes.relation_world import VOCABULARY, made_images


def test_folds_share_no_image_and_cover_train(tmp_path):
    images = made_images(60)
    data = Vrd(vocabulary=VOCABULARY, train=images, judged=(), inputs={})
    every = list(folds(data, None, tmp_path, 5))
    judged = [image.name for fold in every for image in fold.judged]
    assert sorted(judged) == sorted(image.name for image in images)
    for fold in every:
        learnt = {image.name for image in fold.learnt}
        assert len(learnt) + len(fold.judged) == len(images)
        assert learnt.isdisjoint(image.name for image in fold.judged)


def test_a_mix_is_the_mean_of_what_its_members_said(tmp_path):
    images = made_images(40)
    data = Vrd(vocabulary=VOCABULARY, train=images, judged=(), inputs={})
    fold = next(folds(data, None, tmp_path, 1))
    sizes = [len(image) * (len(image) - 1) for image in fold.judged]
    width = len(VOCABULARY.predicates)
    sure = np.zeros((sum(sizes), 1), dtype=np.float32)
    np.save(tmp_path / "member-0-pair.npy", sure)
    for name, probability in (("new", 0.8), ("seen", 0.2)):
        said = np.full((sum(sizes), width), (1 - probability) / (width - 1))
        said[:, 1] = probability
        np.save(tmp_path / f"member-0-{name}.npy", np.log(said).astype(np.float32))
    model = mixed(fold, Mix(pairs=("pair",), predicates=("new", "seen"), likeness=0.0))
    scores = model.score(fold.judged)
    assert [len(one) for one in scores] == sizes
    assert np.exp(np.concatenate(scores)[:, 1]) == pytest.approx(0.5)
    recall, mean_recall, _ = figures(fold, model, PLAIN)
    gold = np.concatenate([image.triplets[:, 1] for image in fold.judged])
    assert recall == pytest.approx((gold == 1).mean())  # the guess of every pair
    assert mean_recall == pytest.approx(1 / len(set(gold.tolist())))


def test_new_triplets_are_held_below_the_best_guess_of_their_pair():
    counts = TripletCounts.of(made_images(60), VOCABULARY)
    labels = pair_table(made_images(20, seed=1), predicates=5).labels
    scores = np.log(np.random.default_rng(0).dirichlet(np.ones(5) / 2, len(labels)))
    new = counts.of_classes(labels)[1] == 0
    plain = Weighting(mean_recall=1.0).weighted(scores, counts, labels)  # a pair adds up to 1
    held = Held(mean_recall=1.0, novelty=1.0).weighted(scores, counts, labels)
    best = plain.max(axis=1, keepdims=True)
    assert (held.argmax(axis=1) == plain.argmax(axis=1)).all()
    assert held[~new] == pytest.approx(plain[~new])
    free = new & (plain + 1.1 < best)
    assert free.any()
    assert held[free] == pytest.approx(plain[free] + 1)
    near = new & (plain < best) & (plain + 0.9 > best)
    assert near.any()
    assert held[near] == pytest.approx(np.broadcast_to(best, new.shape)[near], abs=1e-4)
    assert (held[near] > plain[near]).all()
