"""What a step of training is asked: queries with their answers, among candidates."""

import numpy as np

from reasoning.cones.batches import BatchPlan, BatchSettings
from reasoning.cones.training_queries import training_queries
from reasoning.id_sets import directed_edges
from tests.reasoning.flag_world import flag_world

WORLD = flag_world()


def test_batches_hold_answers_and_nothing_else_as_positive():
    edges = directed_edges(WORLD.train)
    queries = training_queries(
        WORLD.train,
        edges,
        structures=("1p", "2i"),
        part_structures=("2i",),
        count=40,
        generator=np.random.default_rng(0),
    )
    plan = BatchPlan(WORLD.train, queries, BatchSettings(queries=16, pool=40))
    answers = {
        (q.structure, tuple(q.anchors[i]), tuple(q.relations[i])): set(q.easy[i].tolist())
        for q in queries
        for i in range(len(q))
    }
    draw = np.random.default_rng(0)
    kinds = set()
    for _ in range(40):
        batch = plan.draw(draw)
        kinds.add(batch.of_parts)
        assert len(np.unique(batch.candidates)) == len(batch.candidates)
        columns = batch.columns
        if columns is None:
            columns = np.repeat(np.arange(len(batch.candidates))[None], len(batch.anchors), axis=0)
        for row, (anchors, relations) in enumerate(
            zip(batch.anchors, batch.relations, strict=True)
        ):
            expected = answers[batch.structure, tuple(anchors), tuple(relations)]
            entities = batch.candidates[columns[row]]
            marked = batch.positive[row] | batch.ignored[row]
            assert (marked == np.isin(entities, list(expected))).all()
            assert batch.positive[row].any()
            assert not (batch.positive[row] & batch.ignored[row]).any()
    assert kinds == {True, False}


def test_many_queries_are_asked_about_the_parts_of_a_few_images():
    edges = directed_edges(WORLD.train)
    queries = training_queries(
        WORLD.train,
        edges,
        structures=("1p",),
        part_structures=(),
        count=0,
        generator=np.random.default_rng(0),
    )
    settings = BatchSettings(part_share=1.0, part_images=5, part_queries=30, strangers=4)
    plan = BatchPlan(WORLD.train, queries, settings)
    parents, draw = np.asarray(WORLD.train.parents), np.random.default_rng(0)
    for _ in range(10):
        batch = plan.draw(draw)
        assert batch.of_parts
        assert 5 < len(batch.anchors) <= 30
        assert len(np.unique(parents[batch.candidates])) <= 5
        entities = batch.candidates[batch.columns]
        assert (parents[entities[:, 1:9]] == parents[entities[:, :1]]).all()
