import numpy as np
import pytest
import torch

from reasoning.cones.batches import BatchSettings
from reasoning.cones.cone import GeometryConfig
from reasoning.cones.config import ConeTrainingConfig
from reasoning.cones.model import ConeModel, ConeModelConfig
from reasoning.cones.part_encoder import PartEncoderConfig
from reasoning.cones.parts import snapshot_table
from reasoning.cones.scene_batches import ScenePlan
from reasoning.cones.steps import TrainingStep, last_hops
from reasoning.cones.training_queries import training_queries
from reasoning.id_sets import directed_edges
from tests.reasoning.flag_world import flag_world

WORLD = flag_world()
SETTINGS = BatchSettings(scenes=True, part_share=1.0, part_images=6, queries=8, pool=20)


def drawn_batches(structures: tuple[str, ...], count: int):
    queries = training_queries(
        WORLD.train,
        directed_edges(WORLD.train),
        structures=("1p",),
        part_structures=structures,
        count=30,
        generator=np.random.default_rng(0),
    )
    plan, draw = ScenePlan(WORLD.train, queries, SETTINGS), np.random.default_rng(0)
    batches = [plan.draw(draw) for _ in range(count)]
    assert {batch.structure.name for batch in batches} >= {"1p"}
    return batches


def test_all_parts_of_the_images_are_candidates_of_every_query():
    parents = np.asarray(WORLD.train.parents)
    for batch in drawn_batches(("2p",), 30):
        assert batch.columns is None
        assert batch.of_parts
        assert batch.positive.shape == (len(batch.anchors), len(batch.candidates))
        assert len(batch.anchors) <= SETTINGS.queries
        assert batch.positive.any(1).all()
        images = np.unique(parents[batch.candidates])
        assert len(images) <= SETTINGS.part_images
        whole = np.flatnonzero(np.isin(parents, images))
        if len(whole) <= SETTINGS.pool:
            assert (batch.candidates == whole).all()


def test_all_answers_in_the_images_are_positive():
    for batch in drawn_batches(("2p", "2i"), 30):
        owner, answers = batch.answers
        for row in range(len(batch.anchors)):
            is_answer = np.isin(batch.candidates, answers[owner == row])
            assert (batch.positive[row] == is_answer).all()
        assert not batch.ignored.any()


@pytest.mark.parametrize("asked", ["all", "one"])
def test_some_fact_that_makes_an_answer_is_hidden_from_the_encoder(asked, monkeypatch):
    """All of them, or of several hops into the answer one, by the part or by the one beside it."""
    train = WORLD.train
    parts = PartEncoderConfig(
        width=8, heads=2, layers=1, neighbours=12, hide_asked=asked, hide_label=0.0
    )
    config = ConeModelConfig(shape=GeometryConfig(dim=4, hidden=8), parts=parts)
    table = snapshot_table(
        train, WORLD.features, label_relation="has_label", width=12, min_probability=0.5
    )
    model = ConeModel(train.num_entities, 2 * train.num_relations, config, table=table)
    step = TrainingStep(model, train, ConeTrainingConfig(model=config, batches=SETTINGS))
    told = []
    encode = model.encode

    def spy(parts, rows, *, hidden=None):
        told.append(hidden)
        return encode(parts, rows, hidden=hidden)

    monkeypatch.setattr(model, "encode", spy)
    label = 2 * train.relation_id("has_label")
    shown = 0
    for batch in drawn_batches(("2p", "pi", "3i"), 60):
        step.loss(batch, torch.Generator().manual_seed(0))
        hidden = told[-1]
        facts = {tuple(fact) for fact in hidden.predicates.tolist()}
        for query, place in zip(*np.nonzero(batch.positive), strict=True):
            row = int(model.part_rows(torch.tensor(batch.candidates[place])))
            codes = batch.relations[query, list(last_hops(batch.structure))] ^ 1
            read = [c for c in codes.tolist() if c == label or (table.predicates[row] == c).any()]
            lost = [c for c in read if _is_lost(table, hidden, facts, row, c, label)]
            assert len(lost) == len(read) if asked == "all" else bool(lost) == bool(read)
            shown += len(read) - len(lost)
    assert (shown > 0) == (asked == "one")


def _is_lost(table, hidden, facts, row: int, code: int, label: int) -> bool:
    if code == label:
        return row in hidden.labels
    beside = table.neighbours[row][table.predicates[row] == code]
    return (row, code) in facts or bool(np.isin(beside, hidden.neighbours).all())
