"""The model of a graph folder on a graph that has grown: new entities answer, old ones stay."""

import numpy as np
import pytest

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.folder_model import train_folder_model
from reasoning.folder_model_config import FolderModelConfig
from reasoning.query import Anchor, Projection
from tests.reasoning.folder_world import SETTINGS, write_folder

SOURCE = (Provenance(kind="asserted", source="test"),)


def edge(head, relation, tail):
    return Edge(head=EntityKey(head), relation=relation, tail=EntityKey(tail), provenance=SOURCE)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A trained model, and the graph with a twin of one entity and a new relation."""
    graph = write_folder(tmp_path_factory.mktemp("graph"))
    config = FolderModelConfig.for_graph(60, 200).changed(SETTINGS)
    model = train_folder_model(graph, tmp_path_factory.mktemp("model"), config=config)
    before = graph.train
    name = before.entities.name
    rows = [
        (name(int(h)), before.relation_names.name(int(r)), name(int(t)))
        for h, r, t in zip(before.heads, before.relations, before.tails, strict=True)
    ]
    busiest = name(int(np.bincount(before.heads).argmax()))
    twin = [("a-new-twin", r, t) for h, r, t in rows if h == busiest][:-1]
    rows += [*twin, ("a-new-twin", "was_founded_with", busiest)]
    entities = [
        Entity(key=EntityKey(key), label="Entity", name=key)
        for key in (*before.entities, "a-new-twin")
    ]
    after = build_snapshot(entities, [edge(*row) for row in rows])
    return model, before, after, twin[0][1]


def test_a_new_entity_is_asked_about_without_training(grown):
    model, _, after, relation = grown
    answerer = model.on(after).answerer()
    query = Projection(relation, Anchor(EntityKey("a-new-twin")))
    found = answerer.answer([query], 10)[0]
    assert {answer.status for answer in found.answers} == {"known", "likely"}
    assert all(0.0 <= answer.probability <= 1.0 for answer in found.answers)


def test_old_entities_are_predicted_much_as_before(grown):
    model, before, after, relation = grown
    predictor = model.on(after).predictor
    old = np.arange(20, dtype=np.int32)
    moved = np.array([after.entity_id(key) for key in before.entities], dtype=np.int32)
    rows = model.predictor.rows(old, before.relation_id(relation))
    again = predictor.rows(moved[old], after.relation_id(relation))[:, moved]
    assert np.corrcoef(rows.ravel(), again.ravel())[0, 1] > 0.9


def test_a_new_relation_is_not_predicted_until_training(grown):
    model, _, after, _ = grown
    everyone = np.arange(after.num_entities, dtype=np.int32)
    rows = model.on(after).predictor.rows(everyone, after.relation_id("was_founded_with"))
    assert rows.max() < 1e-9
