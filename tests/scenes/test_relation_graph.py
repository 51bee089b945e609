"""Annotated images in a graph: what is said, what is likely, and what a newer model takes away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation import ece
from kg.backends.memory import MemoryStore
from kg.errors import InputError
from kg.images import ImageFolder
from kg.upkeep.check import check_graph
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.drawing import drawn_annotation
from scenes.relations.graph import Annotations, image_key, part_key, write_annotations
from scenes.relations.likely import LikelyRelations
from scenes.relations.pairs import ordered_pairs
from scenes.relations.prior import PriorLearner
from tests.scenes.relation_world import VOCABULARY, made_images

MODEL = "relations-1"


def told(folder: ImageFolder, images: tuple[AnnotatedImage, ...]) -> Annotations:
    pictures = {
        image.name: folder.add(drawn_annotation(image, VOCABULARY), source="drawn")
        for image in images
    }
    return Annotations(images=images, vocabulary=VOCABULARY, pictures=pictures, source="a.jsonl")


def likely(images: tuple[AnnotatedImage, ...]) -> LikelyRelations:
    model = PriorLearner().fit(made_images(200, seed=1), VOCABULARY, seed=0)
    return LikelyRelations.fit(model, images)


def test_every_object_and_triplet_is_an_edge_and_the_graph_is_sound(tmp_path: Path) -> None:
    images, folder = made_images(20), ImageFolder(tmp_path)
    with MemoryStore() as store:
        write_annotations(store, told(folder, images))
        said = {
            (part_key(i.name, s), VOCABULARY.predicates[p].replace(" ", "_"), part_key(i.name, o))
            for i in images
            for s, p, o in i.triplets.tolist()
            if s != o
        }
        rest = ("has_part", "has_label")
        assert {edge.key for edge in store.edges() if edge.relation not in rest} == said
        assert len(list(store.edges(relation="has_part"))) == sum(map(len, images))
        assert check_graph(store, folder) == []
        version = store.version
        write_annotations(store, told(folder, images))
        assert store.version == version


def test_likely_relations_are_new_calibrated_and_replaced_by_a_newer_model(tmp_path: Path) -> None:
    images, folder = made_images(200), ImageFolder(tmp_path)
    bare = tuple(image.with_triplets(np.empty((0, 3))) for image in images)
    opinion = likely(made_images(400, seed=2))
    guesses = opinion.guesses(bare, least=0.2)
    chances, right = [], []
    for image, found in zip(images, guesses, strict=True):
        known = {tuple(row) for row in image.triplets.tolist()}
        for guess in found:
            chances.append(guess.probability)
            right.append((guess.subject, guess.predicate, guess.object) in known)
    assert len(right) > 100
    assert ece(chances, right) < 0.1
    for image, found in zip(images, opinion.guesses(images), strict=True):
        triplets = {(g.subject, g.predicate, g.object) for g in found}
        assert triplets.isdisjoint(map(tuple, image.triplets.tolist()))
    with MemoryStore() as store:
        counts = write_annotations(store, told(folder, bare), guesses, model=MODEL)
        assert counts["likely"] == len(right)
        assert {r.model for e in store.edges() for r in e.provenance} == {None, MODEL}
        fewer = [guesses[0], *[()] * (len(bare) - 1)]
        again = write_annotations(store, told(folder, bare), fewer, model="relations-2")
        assert again["withdrawn"] == len(right)
        assert {r.model for e in store.edges() for r in e.provenance} <= {None, "relations-2"}


def test_scores_are_read_in_the_order_of_pairs() -> None:
    images = made_images(30, seed=3)
    opinion = likely(images)
    found = opinion.guesses(images, least=1e-9)
    scores = opinion.model.score(images)
    for image, some, matrix in zip(images, found, scores, strict=True):
        rows = {tuple(pair): n for n, pair in enumerate(ordered_pairs(len(image)).tolist())}
        for guess in some:
            score = matrix[rows[guess.subject, guess.object], guess.predicate]
            assert guess.probability == pytest.approx(float(opinion.calibration.apply([score])[0]))


def test_boxes_of_no_size_and_images_without_objects_have_pictures(tmp_path: Path) -> None:
    nothing = np.empty((0, 3), dtype=np.int64)
    flat = AnnotatedImage(
        name="flat", boxes=np.array([[9.0, 9, 9, 9], [0, 0, 0, 4]]), labels=np.array([0, 1]),
        triplets=nothing,
    )  # fmt: skip
    bare = AnnotatedImage(
        name="bare", boxes=np.empty((0, 4)), labels=np.empty(0, np.int64), triplets=nothing
    )
    folder = ImageFolder(tmp_path)
    with MemoryStore() as store:
        write_annotations(store, told(folder, (flat, bare)))
        assert check_graph(store, folder) == []
        assert store.entity(image_key("bare")) is not None


def test_what_cannot_be_drawn_or_named_is_refused() -> None:
    wide = AnnotatedImage(
        name="wide", boxes=np.array([[0.0, 0, 90_000, 5]]), labels=np.array([0]),
        triplets=np.empty((0, 3), dtype=np.int64),
    )  # fmt: skip
    with pytest.raises(InputError, match="a drawing has"):
        drawn_annotation(wide, VOCABULARY)
    twice = Vocabulary(("a",), ("next to", "next_to"))
    odd = Annotations(images=(), vocabulary=twice, pictures={}, source="x")
    with pytest.raises(InputError, match="which is taken"):
        odd.relations()
