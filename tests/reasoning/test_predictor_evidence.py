"""What a predictor goes by: possible edges, hidden edges, path rules, nearness, mixtures."""

from __future__ import annotations

import numpy as np
import pytest

from kg.model import Entity, EntityKey, ImagePart
from kg.snapshot import build_snapshot
from reasoning.predictors.embeddings import train_embedding
from reasoning.predictors.features import Features, pairs_of
from reasoning.predictors.folds import hidden_edges, is_symmetric
from reasoning.predictors.mixture import completeness_of, fit_mixture
from reasoning.predictors.paths import Walks, bodies, body_name, information_gain
from reasoning.predictors.positions import Positions
from reasoning.predictors.typing import RelationTypes
from tests.reasoning.predictor_world import SMALL, WORLD, edges_of


def test_edges_are_predicted_between_labels_that_the_relation_joins() -> None:
    types = RelationTypes(WORLD)
    speaks = WORLD.relation_id("speaks")
    labels = {WORLD.label_of(int(i)) for i in types.candidates(speaks)}
    assert labels == {"Language"}
    countries = WORLD.ids_with_label("Country")
    everything = np.arange(WORLD.num_entities, dtype=np.int32)
    allowed = types.allowed(speaks, countries, everything)
    assert (allowed == (WORLD.label_ids == WORLD.labels["Language"])).all()
    borders = WORLD.relation_id("borders")
    loops = types.allowed(borders, countries, countries)
    assert not loops.diagonal().any()
    assert loops.sum() == len(countries) * (len(countries) - 1)
    rows, tails = types.allowed_pairs(borders, countries)
    assert len(rows) == len(tails) == loops.sum()


def test_parts_keep_to_their_image_and_ownership_is_never_guessed() -> None:
    parts = [
        Entity(
            key=EntityKey(f"part:{owner}/{i}"),
            label="Part",
            name="p",
            part=ImagePart(parent=EntityKey(owner), image=owner, box_xyxy=(0, 0, 1, 1)),
        )
        for owner in ("a", "b")
        for i in range(2)
    ]
    owners = [Entity(key=EntityKey(k), label="Country", name=k) for k in ("a", "b")]
    rows = [(p.part.parent, "has_part", p.key) for p in parts if p.part is not None]
    rows += [(f"part:{k}/0", "above", f"part:{k}/1") for k in ("a", "b")]
    snapshot = build_snapshot(owners + parts, edges_of(rows))
    types = RelationTypes(snapshot)
    has_part, above = snapshot.relation_id("has_part"), snapshot.relation_id("above")
    assert types.is_closed(has_part)
    assert not types.is_closed(above)
    assert len(types.allowed_pairs(has_part, types.candidates(has_part, inverse=True))[0]) == 0
    heads = types.candidates(above, inverse=True)
    rows_, tails = types.allowed_pairs(above, heads)
    parents = snapshot.parents
    assert (parents[heads[rows_]] == parents[tails]).all()
    assert len(tails) == 4


def test_folds_hide_pairs_whole_and_leave_each_tail_an_edge() -> None:
    borders, speaks = WORLD.relation_id("borders"), WORLD.relation_id("speaks")
    assert is_symmetric(WORLD, borders)
    assert not is_symmetric(WORLD, speaks)
    for fold in range(4):
        hidden = hidden_edges(WORLD, fold=fold, share=0.3)
        pairs = {
            (int(WORLD.heads[i]), int(WORLD.tails[i]))
            for i in np.flatnonzero(hidden & (WORLD.relations == borders))
        }
        assert pairs == {(b, a) for a, b in pairs}
        kept = WORLD.keeping(~hidden)
        for relation in range(WORLD.num_relations):
            before = np.unique(WORLD.tails[WORLD.edges_of(relation)])
            np.testing.assert_array_equal(before, np.unique(kept.tails[kept.edges_of(relation)]))
        assert 0.05 < hidden.mean() < 0.4
    assert (hidden_edges(WORLD, fold=0, share=0.3) != hidden_edges(WORLD, fold=1, share=0.3)).any()
    only = hidden_edges(WORLD, fold=0, share=0.3, relation=speaks)
    assert (WORLD.relations[only] == speaks).all()


def test_walk_probabilities_equal_a_walk_by_loops() -> None:
    walks, count = Walks(WORLD), WORLD.num_relations
    sells, block = WORLD.relation_id("sells_to"), WORLD.relation_id("in_block")
    body = (block, block + count, sells)
    heads = WORLD.ids_with_label("Country")[:5]
    found = walks.reach(heads, body, {}).toarray()
    for row, head in enumerate(heads.tolist()):
        chances = {head: 1.0}
        for step in body:
            spread: dict[int, float] = {}
            for entity, chance in chances.items():
                ends = WORLD.neighbours(step % count, entity, inverse=step >= count)
                for end in ends.tolist():
                    spread[end] = spread.get(end, 0.0) + chance / len(ends)
            chances = spread
        expected = np.zeros(WORLD.num_entities)
        expected[list(chances)] = list(chances.values())
        np.testing.assert_allclose(found[row], expected, atol=1e-6)


def test_bodies_fit_by_label_and_leave_out_the_rule_itself() -> None:
    types, speaks = RelationTypes(WORLD), WORLD.relation_id("speaks")
    counts = np.bincount(WORLD.relations, minlength=WORLD.num_relations)
    found = bodies(types, speaks, counts, longest=3, most=500)
    names = {body_name(body, WORLD) for body in found}
    assert "borders · speaks" in names
    assert "in_block · in_block⁻¹ · speaks" in names
    assert "speaks" not in names
    assert not any(name.endswith("in_block") for name in names)
    assert [len(body) for body in found] == sorted(len(body) for body in found)
    assert len(bodies(types, speaks, counts, longest=3, most=5)) == 5


def test_information_gain_is_zero_for_noise_and_high_for_truth() -> None:
    random = np.random.default_rng(0)
    hits = random.random(5000) < 0.05
    noise = random.random(5000).astype(np.float32)
    assert information_gain(hits.astype(np.float32), hits) > 2.0
    assert information_gain(noise, hits) < 0.2
    assert information_gain(np.zeros(5000, np.float32), hits) == 0.0


def test_evidence_for_a_hidden_edge_does_not_see_it() -> None:
    """The columns of a pair are the same whether or not it is an edge of the unmasked graph."""
    relation = WORLD.relation_id("sells_to")
    types, positions = RelationTypes(WORLD), Positions(WORLD, ("latitude", "longitude"), "area_km2")
    hidden = hidden_edges(WORLD, fold=0, share=0.3, relation=relation)
    graph = WORLD.keeping(~hidden)
    model = train_embedding(graph, SMALL.complex, candidates=types.embedding_candidates(), seed=0)
    heads = np.unique(WORLD.heads[hidden]).astype(np.int32)
    pairs = pairs_of(graph, types, relation, heads)
    edges = set(zip(WORLD.heads[hidden].tolist(), WORLD.tails[hidden].tolist(), strict=True))
    offered = set(zip(heads[pairs.rows].tolist(), pairs.tails.tolist(), strict=True))
    assert edges <= offered
    chosen = ((relation, relation + WORLD.num_relations, relation),)
    columns = Features(graph, types, model, positions).columns(relation, pairs, chosen)
    rebuilt = build_snapshot(
        [
            Entity(
                key=key,
                label=WORLD.label_of(i),
                name=WORLD.names[i],
                attributes={n: c[i] for n, c in WORLD.attributes.items() if i in c},
            )
            for i, key in enumerate(WORLD.entities)
        ],
        edges_of(
            [
                (WORLD.entities.name(h), WORLD.relation_names.name(r), WORLD.entities.name(t))
                for h, r, t in zip(graph.heads, graph.relations, graph.tails, strict=True)
            ]
        ),
    )
    again = Features(rebuilt, types, model, positions).columns(relation, pairs, chosen)
    np.testing.assert_array_equal(columns, again)
    assert columns.shape == (len(pairs), 1 + 1 + 8 + 5)


def test_pairs_leave_out_the_edges_of_the_graph() -> None:
    relation = WORLD.relation_id("speaks")
    heads = WORLD.ids_with_label("Country")
    pairs = pairs_of(WORLD, RelationTypes(WORLD), relation, heads)
    assert len(pairs) == 48 * 6 - len(WORLD.heads[WORLD.edges_of(relation)])
    assert not any(
        WORLD.has_edge(int(heads[row]), relation, int(tail))
        for row, tail in zip(pairs.rows, pairs.tails, strict=True)
    )


def test_nearness_is_a_great_circle_and_its_ranks_count_from_both_ends() -> None:
    places = {"x": (0.0, 0.0), "y": (0.0, 1.0), "z": (0.0, 90.0), "w": None}
    snapshot = build_snapshot(
        [
            Entity(
                key=EntityKey(key),
                label="Place",
                name=key,
                attributes={} if place is None else {"lat": place[0], "lon": place[1]},
            )
            for key, place in places.items()
        ],
        [],
    )
    positions = Positions(snapshot, ("lat", "lon"), "size")
    ids = {key: snapshot.entity_id(key) for key in places}
    everyone = np.arange(4, dtype=np.int32)
    assert positions.placed(everyone) == 0.75
    near = positions.closeness(everyone, everyone, everyone)
    quarter = np.pi / 2 * 6371.0
    assert near[ids["x"], ids["z"], 0] == pytest.approx(-np.log(quarter + 10.0), rel=1e-5)
    assert near[ids["x"], ids["y"], 2] == pytest.approx(-np.log(2))  # second after itself
    assert near[ids["x"], ids["z"], 4] == pytest.approx(-np.log(3))  # z sees y, then x
    assert (near[ids["w"]] == 0.0).all()
    assert (near[:, ids["w"]] == 0.0).all()


def test_a_large_thing_is_near_from_further_away() -> None:
    places = {"x": (0.0, 0.0, 100.0), "small": (0.0, 5.0, 100.0), "large": (0.0, -9.0, 3e6)}
    snapshot = build_snapshot(
        [
            Entity(
                key=EntityKey(key),
                label="Place",
                name=key,
                attributes=dict(zip(("lat", "lon", "size"), place, strict=True)),
            )
            for key, place in places.items()
        ],
        [],
    )
    ids = {key: snapshot.entity_id(key) for key in places}
    everyone = np.arange(3, dtype=np.int32)
    near = Positions(snapshot, ("lat", "lon"), "size").closeness(everyone, everyone, everyone)
    row = near[ids["x"]]
    assert row[ids["small"], 0] > row[ids["large"], 0]
    assert row[ids["large"], 1] > row[ids["small"], 1]


def test_a_mixture_recovers_probabilities_from_a_weighted_sample() -> None:
    random = np.random.default_rng(0)
    column = random.normal(size=40_000).astype(np.float32)
    true = 1 / (1 + np.exp(-(1.5 * column - 3.0)))
    hits = random.random(40_000) < true
    rest = np.flatnonzero(~hits)
    kept = np.concatenate([np.flatnonzero(hits), rest[: len(rest) // 4]])
    weights = np.where(hits[kept], 1.0, 4.0)
    mixture = fit_mixture(
        column[kept, None], hits[kept], weights, completeness=np.ones(9), penalty=1.0
    )
    found = mixture.probabilities(column[:, None], np.zeros(40_000, dtype=np.int64))
    assert np.abs(found - true).mean() < 0.01


def test_rows_that_hardly_ever_miss_an_edge_are_complete() -> None:
    known = np.array([0] * 50 + [1] * 950)
    missing = np.array([True] * 50 + [False] * 950)
    factors = completeness_of(known, missing)
    assert factors[0] == 1.0
    assert factors[1] < 0.01
    assert factors[7] == 1.0  # never seen: nothing speaks against it
