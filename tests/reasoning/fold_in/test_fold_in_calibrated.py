"""The default predictor on a graph that has grown: a new country's language is predicted."""

import numpy as np
import pytest

from kg.model import Entity, EntityKey
from kg.snapshot import build_snapshot
from reasoning.fold_in import fold_in_calibrated
from reasoning.predictors.training import train_link_predictor
from tests.reasoning.predictor_world import SMALL, WORLD, edges_of

NEW = "country:00-new"
BLOCK = 2


def grown(relation="in_block", position=True):
    """Return the world with a new country in block 2, of which the language is not told."""
    name = WORLD.entities.name
    rows = [
        (name(int(h)), WORLD.relation_names.name(int(r)), name(int(t)))
        for h, r, t in zip(WORLD.heads, WORLD.relations, WORLD.tails, strict=True)
    ]
    entities = [
        Entity(
            key=key,
            label=WORLD.label_of(place),
            name=WORLD.names[place],
            attributes={
                attribute: column[place]
                for attribute, column in WORLD.attributes.items()
                if place in column
            },
        )
        for place, key in enumerate(WORLD.entities)
    ]
    where = {"latitude": 40.0, "longitude": 63.0} if position else {}
    entities.append(Entity(key=EntityKey(NEW), label="Country", name="New", attributes=where))
    rows += [(NEW, relation, f"block:{BLOCK}"), (NEW, "borders", "country:19")]
    return build_snapshot(entities, edges_of(rows))


@pytest.fixture(scope="module")
def predictor():
    return train_link_predictor(WORLD, SMALL)


def test_a_new_country_speaks_what_its_block_speaks(predictor):
    after = grown()
    folded = fold_in_calibrated(predictor, after)
    languages = np.array([after.entity_id(f"lang:{block}") for block in range(6)])
    row = folded.rows(
        np.array([after.entity_id(NEW)], dtype=np.int32), after.relation_id("speaks")
    )[0]
    assert int(row[languages].argmax()) == BLOCK
    assert folded.reasons(NEW, "speaks", f"lang:{BLOCK}")
    assert folded.predicted_relations == predictor.predicted_relations


def test_nothing_new_changes_nothing(predictor):
    assert fold_in_calibrated(predictor, WORLD).fingerprint == predictor.fingerprint


def test_a_new_relation_waits_for_training(predictor):
    after = grown(relation="a_new_relation")
    folded = fold_in_calibrated(predictor, after)
    everyone = np.arange(after.num_entities, dtype=np.int32)
    assert not folded.rows(everyone, after.relation_id("a_new_relation")).any()
    assert folded.predicted_relations == predictor.predicted_relations
