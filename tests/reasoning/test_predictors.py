"""The default link predictor: its pieces against plain code, its training, its checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluation import mrr, ranks
from kg.errors import CheckpointMismatchError, ForeignFileError, SettingError
from kg.model import Edge, Entity, EntityKey, ImagePart
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.predictors import (
    CalibratedPredictor,
    ComplexConfig,
    LinkPredictorConfig,
    train_link_predictor,
)
from reasoning.predictors.complex import ComplexModel, complex_scores, n3
from reasoning.predictors.complex_training import train_complex
from reasoning.predictors.features import Features, pairs_of
from reasoning.predictors.folds import hidden_edges, is_symmetric
from reasoning.predictors.mixture import completeness_of, fit_mixture
from reasoning.predictors.paths import Walks, bodies, body_name, information_gain
from reasoning.predictors.positions import Positions
from reasoning.predictors.typing import RelationTypes

SMALL = LinkPredictorConfig(
    complex=ComplexConfig(rank=4, epochs=3, keep_every=1),
    folds=2,
    hidden_share=0.2,
    fewest_hidden=4,
    bodies=8,
)


def _edges(rows: list[tuple[str, str, str]]) -> list[Edge]:
    source = (Provenance(kind="asserted", source="s"),)
    return [
        Edge(head=EntityKey(h), relation=r, tail=EntityKey(t), provenance=source)
        for h, r, t in rows
    ]


def _world(seed: int = 0) -> Snapshot:
    """Make 48 countries in six blocks; a block shares a language and trades with one hub."""
    random = np.random.default_rng(seed)
    entities = [
        Entity(key=EntityKey(f"block:{b}"), label="Block", name=f"Block {b}") for b in range(6)
    ]
    entities += [
        Entity(key=EntityKey(f"lang:{b}"), label="Language", name=f"L{b}") for b in range(6)
    ]
    rows = []
    for number in range(48):
        block = number // 8
        position = {"latitude": 20.0 * (block % 3), "longitude": 30.0 * block + number % 8}
        key = f"country:{number:02}"
        entities.append(
            Entity(key=EntityKey(key), label="Country", name=f"C{number}", attributes=position)
        )
        rows.append((key, "in_block", f"block:{block}"))
        rows.append((key, "speaks", f"lang:{block}"))
        if random.random() < 0.4:
            rows.append((key, "speaks", f"lang:{random.integers(6)}"))
        partners = {8 * block, 8 * int(random.integers(6)), int(random.integers(48))} - {number}
        rows += [(key, "sells_to", f"country:{partner:02}") for partner in partners]
        if number % 8 != 7:
            rows.append((key, "borders", f"country:{number + 1:02}"))
            rows.append((f"country:{number + 1:02}", "borders", key))
    return build_snapshot(entities, _edges(sorted(set(rows))))


WORLD = _world()


@pytest.fixture(scope="module")
def trained() -> CalibratedPredictor:
    torch.set_num_threads(1)
    return train_link_predictor(WORLD, SMALL, seed=1)


# --- which edges are possible ----------------------------------------------------------------


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
    snapshot = build_snapshot(owners + parts, _edges(rows))
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


# --- what is hidden --------------------------------------------------------------------------


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


# --- ComplEx ---------------------------------------------------------------------------------


def _complex_numpy(vectors: np.ndarray) -> np.ndarray:
    real, imaginary = np.split(vectors.astype(np.float64), 2, axis=-1)
    return real + 1j * imaginary


def test_scores_are_the_papers_formula() -> None:
    random = np.random.default_rng(0)
    heads, relations, tails = (random.normal(size=(n, 6)).astype(np.float32) for n in (3, 3, 4))
    found = complex_scores(*map(torch.from_numpy, (heads, relations, tails))).numpy()
    h, r, t = map(_complex_numpy, (heads, relations, tails))
    np.testing.assert_allclose(found, ((h * r) @ t.conj().T).real, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        n3(torch.from_numpy(heads)).numpy(), (np.abs(h) ** 3).sum(axis=1), rtol=1e-4
    )
    model = ComplexModel(entity=np.concatenate([heads, tails]), relation=relations[:2])
    ids = np.arange(7, dtype=np.int32)
    e = _complex_numpy(model.entity)
    forward = ((e * r[0]) @ e.conj().T).real
    backward = ((e * r[1]) @ e.conj().T).real.T
    np.testing.assert_allclose(
        model.scores(ids, 0, ids), (forward + backward) / 2, rtol=1e-4, atol=1e-5
    )


def test_loss_is_the_naive_softmax_over_allowed_tails() -> None:
    from reasoning.predictors.complex_training import _grouped, _loss

    types = RelationTypes(WORLD)
    random = np.random.default_rng(1)
    entity = random.normal(size=(WORLD.num_entities, 6)).astype(np.float32)
    relation = random.normal(size=(2 * WORLD.num_relations, 6)).astype(np.float32)
    for group in _grouped(WORLD, types, np.arange(WORLD.num_entities)):
        base, inverse = group.relation % WORLD.num_relations, group.relation >= WORLD.num_relations
        rows = torch.arange(len(group.heads))
        found = _loss(
            torch.from_numpy(entity),
            torch.from_numpy(relation),
            group,
            rows,
            group.candidates,
            0.05,
        ).item()
        span = WORLD.edges_of(base)
        ends = (WORLD.heads[span], WORLD.tails[span])
        heads, tails = ends[::-1] if inverse else ends
        e, r = _complex_numpy(entity), _complex_numpy(relation[group.relation])
        pool = types.candidates(base, inverse=inverse)
        total = []
        for head, tail in zip(heads.tolist(), tails.tolist(), strict=True):
            scores = (e[head] * r * e[pool].conj()).sum(axis=1).real
            target = (e[head] * r * e[tail].conj()).sum().real
            penalty = sum((np.abs(v) ** 3).sum() for v in (e[head], r, e[tail]))
            total.append(np.log(np.exp(scores).sum()) - target + 0.05 * penalty)
        assert found == pytest.approx(np.mean(total), rel=1e-4)


def test_gradient_agrees_with_differences() -> None:
    from reasoning.predictors.complex_training import _grouped, _loss

    types = RelationTypes(WORLD)
    group = _grouped(WORLD, types, np.arange(WORLD.num_entities))[0]
    generator = torch.Generator().manual_seed(0)
    entity = torch.randn(WORLD.num_entities, 4, generator=generator, dtype=torch.float64)
    relation = torch.randn(2 * WORLD.num_relations, 4, generator=generator, dtype=torch.float64)
    rows = torch.arange(5)

    def loss(entity: torch.Tensor) -> torch.Tensor:
        return _loss(entity, relation, group, rows, group.candidates[:6], 0.1)

    assert torch.autograd.gradcheck(loss, entity.requires_grad_(), fast_mode=True)


def test_a_sample_of_candidates_still_holds_every_tail() -> None:
    config = ComplexConfig(rank=4, epochs=2, candidates=3, batch=7)
    model = train_complex(WORLD, RelationTypes(WORLD), config, seed=0)
    assert np.isfinite(model.entity).all()


class _StoppedError(Exception):
    pass


def test_an_interrupted_run_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    types, config = RelationTypes(WORLD), ComplexConfig(rank=4, epochs=6, keep_every=2)

    def stop(done: int, _total: int) -> None:
        if done == 5:
            raise _StoppedError

    whole = train_complex(WORLD, types, config, seed=3)
    with pytest.raises(_StoppedError):
        train_complex(WORLD, types, config, seed=3, progress=stop, resume_folder=tmp_path)
    seen: list[int] = []
    resumed = train_complex(
        WORLD,
        types,
        config,
        seed=3,
        progress=lambda done, _total: seen.append(done),
        resume_folder=tmp_path,
    )
    assert seen == [5, 6]  # four epochs were kept
    assert whole.entity.tobytes() == resumed.entity.tobytes()
    other = train_complex(WORLD, types, config, seed=4, resume_folder=tmp_path)
    assert other.entity.tobytes() != whole.entity.tobytes()  # another seed's state is not taken up


# --- rules -----------------------------------------------------------------------------------


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


# --- evidence --------------------------------------------------------------------------------


def test_evidence_for_a_hidden_edge_does_not_see_it() -> None:
    """The columns of a pair are the same whether or not it is an edge of the unmasked graph."""
    relation = WORLD.relation_id("sells_to")
    types, positions = RelationTypes(WORLD), Positions(WORLD, ("latitude", "longitude"))
    hidden = hidden_edges(WORLD, fold=0, share=0.3, relation=relation)
    graph = WORLD.keeping(~hidden)
    model = train_complex(graph, types, SMALL.complex, seed=0)
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
        _edges(
            [
                (WORLD.entities.name(h), WORLD.relation_names.name(r), WORLD.entities.name(t))
                for h, r, t in zip(graph.heads, graph.relations, graph.tails, strict=True)
            ]
        ),
    )
    again = Features(rebuilt, types, model, positions).columns(relation, pairs, chosen)
    np.testing.assert_array_equal(columns, again)
    assert columns.shape == (len(pairs), 1 + 1 + 8 + 3)


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
    positions = Positions(snapshot, ("lat", "lon"))
    ids = {key: snapshot.entity_id(key) for key in places}
    everyone = np.arange(4, dtype=np.int32)
    assert positions.placed(everyone) == 0.75
    near = positions.closeness(everyone, everyone, everyone)
    quarter = np.pi / 2 * 6371.0
    assert near[ids["x"], ids["z"], 0] == pytest.approx(-np.log(quarter + 10.0), rel=1e-5)
    assert near[ids["x"], ids["y"], 1] == pytest.approx(-np.log(2))  # second after itself
    assert near[ids["x"], ids["z"], 2] == pytest.approx(-np.log(3))  # z sees y, then x
    assert (near[ids["w"]] == 0.0).all()
    assert (near[:, ids["w"]] == 0.0).all()


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


# --- the whole -------------------------------------------------------------------------------


def test_probabilities_are_probabilities_and_directions_agree(trained: CalibratedPredictor) -> None:
    everyone = np.arange(WORLD.num_entities, dtype=np.int32)
    for relation in range(WORLD.num_relations):
        forward = trained.rows(everyone, relation)
        assert forward.shape == (WORLD.num_entities, WORLD.num_entities)
        assert ((forward >= 0.0) & (forward <= 1.0)).all()
        np.testing.assert_array_equal(forward.T, trained.rows(everyone, relation, inverse=True))
        some = everyone[[5, 2, 5]]
        np.testing.assert_array_equal(forward[some], trained.rows(some, relation))
        allowed = RelationTypes(WORLD).allowed(relation, everyone, everyone)
        assert (forward[~allowed] == 0.0).all()
    assert {"speaks", "sells_to", "borders"} <= set(trained.predicted_relations)


def test_the_same_seed_gives_the_same_bytes(trained: CalibratedPredictor, tmp_path: Path) -> None:
    again = train_link_predictor(WORLD, SMALL, seed=1, resume_folder=tmp_path / "resume")
    assert again.fingerprint == trained.fingerprint
    trained.save(tmp_path / "one")
    again.save(tmp_path / "two")
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    third = train_link_predictor(WORLD, SMALL, seed=1, resume_folder=tmp_path / "resume")
    assert third.fingerprint == trained.fingerprint


def test_checkpoint_round_trip(trained: CalibratedPredictor, tmp_path: Path) -> None:
    trained.save(tmp_path)
    loaded = CalibratedPredictor.load(tmp_path, WORLD)
    assert loaded.fingerprint == trained.fingerprint
    assert loaded.config == SMALL
    assert loaded.rules("speaks") == trained.rules("speaks")
    edge = ("country:09", "speaks", "lang:2")
    assert loaded.reasons(*edge) == trained.reasons(*edge)
    other = _world(seed=9)
    with pytest.raises(CheckpointMismatchError) as caught:
        CalibratedPredictor.load(tmp_path, other)
    assert caught.value.asked_for == other.hash


def test_a_checkpoint_without_a_tensor_is_refused(
    trained: CalibratedPredictor, tmp_path: Path
) -> None:
    from reasoning.checkpoint import load_checkpoint, save_checkpoint

    trained.save(tmp_path)
    kept = load_checkpoint(tmp_path, WORLD.hash, kind="link-predictor")
    fewer = {name: value for name, value in kept.tensors.items() if "indptr" not in name}
    save_checkpoint(tmp_path, fewer, kept.metadata, WORLD.hash, kind="link-predictor")
    with pytest.raises(ForeignFileError):
        CalibratedPredictor.load(tmp_path, WORLD)


def test_reasons_are_paths_of_the_graph(trained: CalibratedPredictor) -> None:
    names = {name: i for i, name in enumerate(WORLD.names)}
    found = trained.reasons("country:09", "speaks", "lang:2")
    assert found
    for sentence in found:
        for step in sentence.split(" (")[0].split(", and "):
            relation = next(
                name for name in WORLD.relation_names if f" {name.replace('_', ' ')} " in step
            )
            head, tail = step.split(f" {relation.replace('_', ' ')} ")
            assert WORLD.has_edge(names[head], WORLD.relation_id(relation), names[tail])
    assert trained.reasons("country:09", "in_block", "block:2") is not None


def test_it_ranks_held_out_edges_better_than_frequency() -> None:
    relation = WORLD.relation_id("sells_to")
    held = hidden_edges(WORLD, fold=77, share=0.2, relation=relation)
    graph = WORLD.keeping(~held)
    config = replace(SMALL, complex=ComplexConfig(rank=8, epochs=10), folds=3)
    predictor = train_link_predictor(graph, config, seed=0)
    heads, tails = WORLD.heads[held].astype(np.int32), WORLD.tails[held]
    possible = RelationTypes(graph).candidates(relation)
    filtered = np.ones((len(heads), WORLD.num_entities), dtype=np.bool_)
    filtered[:, possible] = False
    for row, head in enumerate(heads.tolist()):
        filtered[row, [head, *WORLD.neighbours(relation, head)]] = True
    filtered[np.arange(len(tails)), tails] = False
    ours = predictor.rows(heads, relation)
    counts = np.bincount(graph.tails[graph.edges_of(relation)], minlength=WORLD.num_entities)
    frequent = np.broadcast_to(counts.astype(np.float32), ours.shape)
    found = [mrr(ranks(scores, tails, filtered)) for scores in (ours, frequent)]
    assert found[0] > found[1]


def test_a_graph_without_enough_edges_predicts_nothing() -> None:
    snapshot = build_snapshot(
        [Entity(key=EntityKey(k), label="X", name=k) for k in "ab"], _edges([("a", "r", "b")])
    )
    predictor = train_link_predictor(snapshot, SMALL)
    assert predictor.predicted_relations == ()
    assert predictor.reasons("a", "r", "b") == []
    assert predictor.rules("r") == []
    assert not predictor.rows(np.array([0], dtype=np.int32), 0).any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden_share": 0.0},
        {"hidden_share": 0.6},
        {"longest_body": 4},
        {"folds": 0},
        {"penalty": 0.0},
    ],
)
def test_settings_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        LinkPredictorConfig(**wrong)
    with pytest.raises(SettingError):
        ComplexConfig(rank=0)
    with pytest.raises(SettingError):
        ComplexConfig(n3=-1.0)


def test_configuration_round_trips_through_json() -> None:
    assert LinkPredictorConfig.from_json(SMALL.to_json()) == SMALL
    with pytest.raises(TypeError):
        LinkPredictorConfig.from_json({**SMALL.to_json(), "unknown": 1})
