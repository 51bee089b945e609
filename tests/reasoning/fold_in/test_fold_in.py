"""Folding in: a withheld entity is recovered, ids move by key, the objective is what it says."""

import numpy as np
import pytest
import torch

from kg.errors import InputError, SettingError
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.fold_in import FoldInConfig, fit_description_map, fold_in, growth_of
from reasoning.fold_in.objective import VectorObjective, minimum
from reasoning.predictors.embeddings import ComplexConfig, train_embedding
from reasoning.predictors.embeddings.complex import Complex

TOWNS, PEOPLE = 6, 10
SOURCE = (Provenance(kind="asserted", source="test"),)
NEWCOMERS = {f"person-{town}-0": town for town in range(TOWNS)}


def edge(head, relation, tail):
    return Edge(head=EntityKey(head), relation=relation, tail=EntityKey(tail), provenance=SOURCE)


def graph_of(edges, more=()):
    keys = sorted({key for one in edges for key in (one.head, one.tail)} | set(more))
    entities = [Entity(key=EntityKey(key), label=key.split("-")[0], name=key) for key in keys]
    return build_snapshot(entities, edges)


def town_edges():
    """Everybody lives in a town, speaks its language and votes for its party."""
    edges = []
    for town in range(TOWNS):
        for person in range(PEOPLE):
            who = f"person-{town}-{person}"
            edges += [
                edge(who, "lives_in", f"town-{town}"),
                edge(who, "speaks", f"language-{town}"),
                edge(who, "votes", f"party-{town}"),
            ]
    # one language is everywhere, so that frequency alone answers wrongly
    edges += [edge(f"town-{town}", "signs_in", "language-0") for town in range(TOWNS)]
    return edges


@pytest.fixture(scope="module")
def world():
    """The graph without newcomers, with them, the trained and the folded model."""
    edges = town_edges()
    before = graph_of([one for one in edges if one.head not in NEWCOMERS])
    hidden = {(one.head, "speaks") for one in edges if one.head in NEWCOMERS}
    after = graph_of([one for one in edges if (one.head, one.relation) not in hidden])
    config = ComplexConfig(rank=8, epochs=60, regulariser=0.01)
    model = train_embedding(before, config, seed=0)
    return before, after, model, fold_in(model, before, after)


def test_withheld_entities_are_recovered_from_their_other_edges(world):
    _, after, _, folded = world
    speaks = after.relation_id("speaks")
    languages = np.array([after.entity_id(f"language-{town}") for town in range(TOWNS)])
    for key, town in NEWCOMERS.items():
        person = np.array([after.entity_id(key)], dtype=np.int32)
        scores = folded.model.scores(person, speaks)[0]
        assert languages[scores[languages].argmax()] == after.entity_id(f"language-{town}")
    assert set(folded.from_edges) == {after.entity_id(key) for key in NEWCOMERS}


def test_old_vectors_are_carried_by_key_and_not_by_id(world):
    before, after, model, folded = world
    moved = 0
    for position, key in enumerate(before.entities):
        place = after.entity_id(key)
        moved += place != position
        if place not in folded.refreshed:
            assert np.array_equal(folded.model.entity[place], model.entity[position])
    assert moved > 0


def test_folding_in_nothing_changes_nothing(world):
    before, _, model, _ = world
    folded = fold_in(model, before, before)
    assert folded.model.fingerprint == model.fingerprint
    assert (folded.growth.entity >= 0).all()


def test_the_same_seed_gives_the_same_vectors(world):
    before, after, model, folded = world
    again = fold_in(model, before, after)
    assert again.model.fingerprint == folded.model.fingerprint


def test_a_new_relation_favours_no_tail_until_training(world):
    before, _, model, _ = world
    after = graph_of([*town_edges(), edge("person-1-0", "admires", "person-2-1")])
    folded = fold_in(model, before, after)
    row = folded.model.scores(np.array([0], dtype=np.int32), after.relation_id("admires"))
    assert np.ptp(row) == 0


def test_entities_that_hang_on_new_ones_are_reached_in_the_second_pass(world):
    before, _, model, _ = world
    kept = [one for one in town_edges() if one.head not in NEWCOMERS]
    added = [edge("person-new", "lives_in", "town-new"), edge("person-3-1", "lives_in", "town-new")]
    after = graph_of([*kept, *added])
    folded = fold_in(model, before, after, FoldInConfig(passes=2))
    assert after.entity_id("person-new") in folded.from_edges
    once = fold_in(model, before, after, FoldInConfig(passes=1))
    assert after.entity_id("person-new") in once.from_labels


def test_an_entity_without_edges_takes_the_place_of_its_description(world):
    before, _, model, _ = world
    kept = [one for one in town_edges() if one.head not in NEWCOMERS]
    after = graph_of(kept, more=["person-4-9-twin", "person-silent"])
    described = np.zeros((after.num_entities, TOWNS + 1), dtype=np.float32)
    for key in after.entities:
        if key != "person-silent":
            part = key.split("-")[1]
            described[after.entity_id(key), int(part)] = 1.0
            described[after.entity_id(key), TOWNS] = key.startswith("person")
    folded = fold_in(model, before, after, described=described)
    twin, silent = after.entity_id("person-4-9-twin"), after.entity_id("person-silent")
    assert folded.from_descriptions.tolist() == [twin]
    assert folded.from_labels.tolist() == [silent]
    row = folded.model.scores(np.array([twin], dtype=np.int32), after.relation_id("lives_in"))[0]
    towns = [after.entity_id(f"town-{town}") for town in range(TOWNS)]
    assert int(np.argmax(row[towns])) == 4


def test_an_old_entity_with_many_new_edges_is_fitted_anew(world):
    before, _, model, _ = world
    kept = [one for one in town_edges() if one.head not in NEWCOMERS]
    moves = [edge("person-2-3", "speaks", "language-5"), edge("person-2-3", "votes", "party-5")]
    after = graph_of([*kept, *moves])
    folded = fold_in(model, before, after)
    assert folded.refreshed.tolist() == [after.entity_id("person-2-3")]
    assert growth_of(before, after).new_edges.sum() == 2


def test_a_model_of_another_graph_is_refused(world):
    before, after, model, _ = world
    with pytest.raises(SettingError, match="earlier graph"):
        fold_in(model, after, after)
    with pytest.raises(SettingError, match="descriptions"):
        fold_in(model, before, after, described=np.zeros((3, 2), dtype=np.float32))


def objective(draw, width=6):
    def array(*shape):
        return draw.normal(size=shape).astype(np.float32)

    return VectorObjective(
        tails=array(11, width),
        log_weights=np.abs(array(11)),
        starts=np.array([0, 4, 9]),
        counts=np.array([1, 2, 1], dtype=np.float32),
        true_tails=array(width),
        queries=array(5, width),
        log_sums=array(5),
        weights=np.abs(array(5)),
        true_queries=array(width),
        penalty=0.3,
        cubic_norm=Complex(width // 2).cubic_norm,
    )


def test_the_objective_is_the_loss_of_its_formula_with_its_gradient():
    draw = np.random.default_rng(0)
    one = objective(draw)
    vector = draw.normal(size=6).astype(np.float32)
    point = torch.from_numpy(vector).double().requires_grad_()

    def tensor(array):
        return torch.from_numpy(np.asarray(array)).double()

    scores = torch.split(tensor(one.tails) @ point + tensor(one.log_weights), [4, 5, 2])
    softmaxes = sum(n * torch.logsumexp(s, 0) for n, s in zip(one.counts, scores, strict=True))
    margins = tensor(one.queries) @ point - tensor(one.log_sums)
    joined = (tensor(one.weights) * torch.nn.functional.softplus(margins)).sum()
    true = (tensor(one.true_tails) + tensor(one.true_queries)) @ point
    loss = softmaxes + joined - true + one.penalty * one.cubic_norm(point[None])[0]
    loss.backward()
    value, gradient = one.value_and_gradient(vector)
    assert value == pytest.approx(loss.item(), rel=1e-5)
    assert np.allclose(gradient, point.grad.numpy(), rtol=1e-4, atol=1e-5)


def test_the_minimum_does_not_depend_on_the_start():
    draw = np.random.default_rng(1)
    one = objective(draw)
    found = [
        minimum(one, start.astype(np.float32), steps=200, tolerance=1e-9)
        for start in (np.zeros(6), 3 * draw.normal(size=6))
    ]
    assert np.allclose(*found, atol=0.05)
    assert np.abs(one.value_and_gradient(found[0])[1]).max() < 0.02


def test_a_description_map_needs_enough_of_both():
    with pytest.raises(InputError, match="do not fit a map"):
        fit_description_map(
            np.ones((5, 2), np.float32),
            np.ones((5, 2), np.float32),
            generator=np.random.default_rng(0),
        )
