from __future__ import annotations

import numpy as np
import pytest

from kg.errors import InputError
from scenes.metrics import recall_at
from scenes.relations import recall as module
from scenes.relations.annotations import AnnotatedImage
from scenes.relations.matching import scored_image
from scenes.relations.prior import PriorLearner
from scenes.relations.recall import figures_of, rank_relations
from tests.scenes.relation_world import VOCABULARY, made_images

TRAIN, TEST = made_images(20), made_images(40, seed=1)


@pytest.fixture(scope="module")
def model():
    return PriorLearner().fit(TRAIN, VOCABULARY, seed=0)


def test_figures_are_those_of_all_images_at_once(model, monkeypatch):
    whole = figures_of(rank_relations(model, TEST))
    scored = [
        scored_image(image, scores, protocol="predcls")
        for image, scores in zip(TEST, model.score(TEST), strict=True)
    ]
    report = recall_at(scored, 20, constrained=True)
    assert whole.n == sum(len(image.triplets) for image in TEST)
    assert whole.metrics["recall_at_20"] == report.recall
    assert whole.metrics["mean_recall_at_20"] == report.mean_recall
    assert whole.units["all recall_at_20"].mean() == pytest.approx(report.recall)
    monkeypatch.setattr(module, "_BLOCK_CELLS", 10)
    assert figures_of(rank_relations(model, TEST)).metrics == whole.metrics


def test_parts_add_up_to_the_whole(model):
    figures = figures_of(rank_relations(model, TEST))
    key = "recall_at_20_unconstrained"
    for split in ("predicate", "frequency"):
        parts = figures.by[split].values()
        assert sum(part["n"] for part in parts) == figures.n
        pooled = sum(part["n"] * part[key] for part in parts) / figures.n
        assert pooled == pytest.approx(figures.metrics[key])
    mean = np.mean([part[key] for part in figures.by["predicate"].values()])
    assert mean == pytest.approx(figures.metrics[f"mean_{key}"])


def test_zero_shot_recall_is_that_of_triplets_of_new_classes(model):
    bare = PriorLearner().fit(TRAIN[:2], VOCABULARY, seed=0)
    known = {
        (image.labels[s], p, image.labels[o]) for image in TRAIN[:2] for s, p, o in image.triplets
    }
    new = [
        (image.labels[s], p, image.labels[o]) not in known
        for image in TEST
        for s, p, o in image.triplets
    ]
    ranked = rank_relations(bare, TEST)
    assert ranked.new.tolist() == new
    other = rank_relations(bare, TEST, counts=model.counts)
    assert other.new.sum() < ranked.new.sum()
    assert "zero_shot_recall_at_50_unconstrained" in figures_of(ranked).metrics


def test_nothing_to_find_is_refused(model):
    bare = [image.with_triplets(np.empty((0, 3), dtype=np.int64)) for image in TEST]
    with pytest.raises(InputError, match="nothing to find"):
        rank_relations(model, bare)


def test_one_image_has_figures_without_errors(model):
    image = AnnotatedImage(
        name="a",
        boxes=np.array([[0.0, 0, 1, 1], [0, 0, 2, 2]]),
        labels=np.array([0, 1]),
        triplets=np.array([[0, 0, 1], [1, 3, 1]]),
    )
    metrics = figures_of(rank_relations(model, [image])).metrics
    assert metrics["recall_at_20"] == 0.5
    assert "recall_at_20_standard_error" not in metrics
