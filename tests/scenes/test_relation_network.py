from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from encoders import TinyTextEncoder
from kg.errors import EngineError, SettingError
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.checkpoint import load_relation_model, save_relation_model
from scenes.relations.context import ContextConfig, ContextLearner
from scenes.relations.counts import TripletCounts
from scenes.relations.likeness import like_shares
from scenes.relations.network import BASELINE, ENSEMBLE, LOGISTIC, NetworkConfig, NetworkLearner
from scenes.relations.pairs import ordered_pairs, pair_table
from scenes.relations.prior import PriorLearner
from scenes.relations.recall import figures_of, rank_relations
from scenes.relations.surroundings import SURROUNDINGS, surroundings
from scenes.relations.weighting import PLAIN, Weighting
from tests.scenes.relation_world import VOCABULARY, made_images

TRAIN, TEST = made_images(100), made_images(40, seed=1)
# the first objects of nothing, of one object, and of two boxes without an area
ODD = tuple(
    AnnotatedImage(
        name=f"odd{count}",
        boxes=np.zeros((count, 4)),
        labels=np.zeros(count, dtype=np.int64),
        triplets=np.empty((0, 3), dtype=np.int64),
    )
    for count in range(3)
)


def small(config: NetworkConfig) -> NetworkConfig:
    """The same of few units and steps."""
    few = {"hidden": 24, "batch": 64, "epochs": 5, "rate": 5e-3}
    return replace(
        config,
        pair=tuple(replace(one, **few) for one in config.pair),
        predicate=tuple(replace(one, **few) for one in config.predicate),
    )


OURS = replace(small(ENSEMBLE), likeness=0.3)


@pytest.fixture(scope="module")
def model():
    learner = NetworkLearner(encoder=TinyTextEncoder(), config=OURS)
    return learner.fit(TRAIN, VOCABULARY, seed=0)


def test_geometry_decides_what_counts_cannot(model):
    prior = PriorLearner().fit(TRAIN, VOCABULARY, seed=0)
    ours, counted = (figures_of(rank_relations(one, TEST)).metrics for one in (model, prior))
    assert ours["recall_at_20"] > counted["recall_at_20"] + 0.05
    assert ours["mean_recall_at_20"] > counted["mean_recall_at_20"]


def test_logistic_regression_beats_the_counts_alone():
    learner = NetworkLearner(encoder=TinyTextEncoder(), config=LOGISTIC)
    linear = learner.fit(TRAIN, VOCABULARY, seed=0)
    prior = PriorLearner().fit(TRAIN, VOCABULARY, seed=0)
    ours, counted = (figures_of(rank_relations(one, TEST)).metrics for one in (linear, prior))
    assert ours["recall_at_20"] > counted["recall_at_20"]


def test_the_same_seed_gives_the_same_model_and_leaves_the_global_one_alone(model):
    state = torch.random.get_rng_state()
    learner = NetworkLearner(encoder=TinyTextEncoder(), config=OURS)
    again = learner.fit(TRAIN, VOCABULARY, seed=0)
    assert torch.equal(torch.random.get_rng_state(), state)
    for one, other in zip(model.score(TEST), again.score(TEST), strict=True):
        assert np.array_equal(one, other)
    other = learner.fit(TRAIN, VOCABULARY, seed=1).score(TEST)
    assert not np.allclose(other[0], model.score(TEST)[0])


def test_a_batch_is_the_loop_over_its_images_and_odd_images_are_scored(model):
    images = (*ODD, *TEST[:5], *ODD)
    together = model.score(images)
    assert [len(one) for one in together[:3]] == [0, 0, 2]
    assert np.isfinite(together[2]).all()
    for image, scores in zip(images, together, strict=True):
        assert model.score([image])[0] == pytest.approx(scores, abs=1e-4)


def test_triplets_of_the_images_are_not_looked_at(model):
    bare = [image.with_triplets(np.empty((0, 3), dtype=np.int64)) for image in TEST]
    for one, other in zip(model.score(TEST), model.score(bare), strict=True):
        assert np.array_equal(one, other)


def test_a_kept_model_scores_the_same(model, tmp_path):
    save_relation_model(model, tmp_path)
    loaded = load_relation_model(tmp_path)
    assert loaded.vocabulary == VOCABULARY
    for one, other in zip(model.score(TEST), loaded.score(TEST), strict=True):
        assert np.array_equal(one, other)


def test_a_model_kept_before_likeness_scores_without_it(model):
    older = {key: value for key, value in model.settings().items() if key != "likeness"}
    plain = type(model).restored(VOCABULARY, older, model.arrays())
    assert plain.config.likeness == 0
    assert not np.allclose(plain.score(TEST)[0], model.score(TEST)[0])
    with pytest.raises(SettingError, match="likeness"):
        type(model).restored(VOCABULARY, {**older, "likeness": 2}, model.arrays())


def test_like_classes_lend_their_counts_as_a_plain_loop_says(model):
    counts, vectors = model.counts, model.ground.vectors.astype(np.float64)
    overall = (counts.by_predicate + 1) / (counts.by_predicate + 1).sum()
    count = len(VOCABULARY.objects)

    def use(side, one):
        said = counts.said[counts.classes[:, side] == one].sum(axis=0)
        return (said + 10 * overall) / (said.sum() + 10)

    def like(side, one, other):
        names = vectors[one] @ vectors[other]
        names /= np.linalg.norm(vectors[one]) * np.linalg.norm(vectors[other])
        shared = np.sqrt(use(side, one) * use(side, other)).sum()
        return np.exp((shared - 1) / 0.1 + (names - 1) / 0.4)

    labels = np.array([(s, o) for s in range(count) for o in range(count)])
    told = np.exp(like_shares(counts, vectors, labels))
    assert told.sum(axis=1) == pytest.approx(1)
    for row, (subject, other) in enumerate(labels.tolist()):
        lent = 3 * overall
        for (s, o), said in zip(counts.classes.tolist(), counts.said, strict=True):
            lent = lent + like(0, subject, s) * like(1, other, o) * said
        assert told[row] == pytest.approx(lent / lent.sum())


def test_context_is_learnt_kept_and_scored(tmp_path):
    config = ContextConfig(width=16, hidden=32, epochs=6, rate=8e-3)
    learner = ContextLearner(encoder=TinyTextEncoder(), config=config)
    model = learner.fit((*ODD, *TRAIN), VOCABULARY, seed=0)
    prior = PriorLearner().fit(TRAIN, VOCABULARY, seed=0)
    ours, counted = (figures_of(rank_relations(one, TEST)).metrics for one in (model, prior))
    assert ours["recall_at_20"] > counted["recall_at_20"]
    assert [len(one) for one in model.score(ODD)] == [0, 0, 2]
    save_relation_model(model, tmp_path)
    for one, other in zip(
        model.score(TEST), load_relation_model(tmp_path).score(TEST), strict=True
    ):
        assert np.array_equal(one, other)
    with pytest.raises(EngineError, match="no training image"):
        learner.fit(ODD, VOCABULARY, seed=0)


def test_other_classes_or_broken_arrays_are_refused(model):
    settings, arrays = model.settings(), dict(model.arrays())
    for broken in (
        {**arrays, "pair0.subject": np.zeros((2, 2), np.float32)},
        {**arrays, "vectors": np.zeros((1, 48), np.float32)},
        {name: one for name, one in arrays.items() if name != "counts.said"},
        {name: one for name, one in arrays.items() if name != "scale.mean"},
    ):
        with pytest.raises(EngineError):
            type(model).restored(VOCABULARY, settings, broken)
    with pytest.raises(EngineError):
        type(model).restored(Vocabulary(("a",), ("b",)), settings, arrays)


def test_nothing_annotated_cannot_be_learnt():
    learner = NetworkLearner(encoder=TinyTextEncoder(), config=small(BASELINE))
    with pytest.raises(EngineError, match="no training image has a triplet"):
        learner.fit(ODD, VOCABULARY, seed=0)


def test_one_class_and_one_predicate_are_enough():
    pair = np.array([[0.0, 0, 1, 1], [0, 0, 2, 2]])
    image = AnnotatedImage(
        name="a", boxes=pair, labels=np.zeros(2, np.int64), triplets=np.array([[0, 0, 1]])
    )
    few = small(ENSEMBLE)
    for epochs in (1, 10):  # one step each: as many steps
        members = tuple(replace(one, epochs=epochs) for one in few.predicate)
        config = replace(few, predicate=members)
        learner = NetworkLearner(encoder=TinyTextEncoder(), config=config)
        scores = learner.fit([image], Vocabulary(("dog",), ("near",)), seed=0).score([image])
        assert np.isfinite(scores[0]).all()


def test_worth_is_what_a_right_guess_adds_to_recall_and_mean_recall():
    counts = TripletCounts.of(TRAIN, VOCABULARY)
    table = pair_table(TEST[:3], predicates=5)
    scores = np.log(np.full((len(table), 5), 0.1))
    number = counts.by_predicate
    weighed = Weighting(mean_recall=2.0, pseudo_count=0.0).weighted(scores, counts, table.labels)
    gain = 0.1 / number.sum() + 2.0 * 0.1 / (5 * number)
    assert np.exp(weighed[0]) == pytest.approx(gain * number.sum())
    shifted = Weighting(shift=0.5).weighted(scores, counts, table.labels)
    assert np.exp(shifted[0]) == pytest.approx(0.1 / np.sqrt(number + 1))
    assert np.array_equal(PLAIN.weighted(scores, counts, table.labels), scores)
    _, said = counts.of_classes(table.labels)
    novel = Weighting(novelty=1.0).weighted(scores, counts, table.labels) - scores
    assert np.array_equal(novel > 0.5, said == 0)
    with pytest.raises(SettingError, match="novelty"):
        Weighting(novelty=-1.0)


def test_surroundings_are_those_of_a_loop():
    images = [image for image in TEST if len(image) > 2][:6]
    table = surroundings((*ODD[:2], *images))
    rows = iter(table)
    for image in images:
        centre = (image.boxes[:, :2] + image.boxes[:, 2:]) / 2
        away = np.linalg.norm(centre[:, None] - centre, axis=2)
        for s, o in ordered_pairs(len(image)):
            row = dict(zip(SURROUNDINGS, next(rows), strict=True))
            others = [x for x in range(len(image)) if x not in (s, o)]
            assert row["objects"] == len(image)
            assert row["like_object"] == (image.labels == image.labels[o]).sum()
            assert row["one_class"] == (image.labels[s] == image.labels[o])
            nearer = [x for x in others if away[s, x] < away[s, o]]
            assert len(nearer) <= row["rank_of_object"] <= len(image) - 2
            alike = [x for x in nearer if image.labels[x] == image.labels[o]]
            assert row["rank_among_like_objects"] == len(alike)
    assert next(rows, None) is None
