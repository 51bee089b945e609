"""Rules against brute force over all paths; reasons, other graphs, files."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from kg.errors import CheckpointMismatchError, ForeignFileError, SettingError
from kg.model import Entity, EntityKey
from kg.snapshot import Snapshot, build_snapshot
from reasoning.predictors.paths import Body
from reasoning.predictors.rules import Rule, RuleConfig, RuleSet, firing, mine_rules, rule_text
from reasoning.protocols import ScoreModel, SparseScoreModel
from tests.reasoning.predictor_world import WORLD, edges_of

# every head and every edge is sampled, and nothing is dropped
EVERYTHING = RuleConfig(
    sampled_edges=10_000,
    walks=40,
    sampled_heads=10_000,
    tried_bodies=10_000,
    path_rules=10_000,
    constant_rules=10_000,
    fewest_hits=1,
    least_confidence=0.0,
)


def graph_of(rows: list[tuple[str, str, str]]) -> Snapshot:
    keys = sorted({end for head, _, tail in rows for end in (head, tail)})
    entities = [Entity(key=EntityKey(key), label="Thing", name=key) for key in keys]
    return build_snapshot(entities, edges_of(sorted(set(rows))))


def random_rows(seed: int, entities: int = 9, edges: int = 40) -> list[tuple[str, str, str]]:
    random = np.random.default_rng(seed)
    ends = random.integers(entities, size=(edges, 2)).tolist()
    names = random.choice(["p", "q", "r"], edges).tolist()
    return [(f"e{a}", name, f"e{b}") for (a, b), name in zip(ends, names, strict=True)]


def stepped(graph: Snapshot, entity: int, step: int) -> list[int]:
    count = graph.num_relations
    ends = graph.neighbours(step % count, entity, inverse=step >= count)
    return [int(end) for end in ends]


def ends_of(graph: Snapshot, head: int, body: Body) -> set[int]:
    """Where paths of distinct entities lead, tried one by one."""
    paths: list[tuple[int, ...]] = [(head,)]
    for step in body:
        paths = [
            (*path, entity)
            for path in paths
            for entity in stepped(graph, path[-1], step)
            if entity not in path
        ]
    return {path[-1] for path in paths}


def predicted(graph: Snapshot, rule: Rule, head: int) -> set[int]:
    ends = ends_of(graph, head, rule.body)
    if rule.end is None or rule.tail is None:
        return ends
    return {rule.tail} if rule.end in ends else set()


@pytest.mark.parametrize("seed", [0, 1])
def test_support_and_confidence_are_those_of_brute_force(seed: int) -> None:
    graph = graph_of(random_rows(seed))
    found = mine_rules(graph, EVERYTHING)
    assert {len(rule.body) for rule in found if rule.end is None} == {1, 2, 3}
    assert any(rule.end is not None for rule in found)
    for rule in found:
        predictions = support = 0
        for head in range(graph.num_entities):
            tails = set(stepped(graph, head, rule.relation)) - {head}
            if tails:
                guessed = predicted(graph, rule, head)
                predictions += len(guessed)
                support += len(guessed & tails)
        assert (rule.support, rule.predictions) == (support, predictions), rule
        assert rule.confidence == support / (predictions + EVERYTHING.pseudo_count)


def test_a_planted_rule_is_found_with_its_confidence() -> None:
    rows = [(f"p{i}", "born_in", f"c{i % 5}") for i in range(30)]
    rows += [(f"c{i}", "in_country", f"n{i % 3}") for i in range(5)]
    rows += [(f"p{i}", "citizen_of", f"n{i % 5 % 3}") for i in range(24)]
    rows += [(f"p{i}", "citizen_of", "n9") for i in range(24, 30)]
    graph = graph_of(rows)
    found = mine_rules(graph, RuleConfig(pseudo_count=0.0, least_confidence=0.0))
    best = found.of(graph.relation_id("citizen_of"))
    texts = {rule_text(rule, graph): rule for rule in best}
    rule = texts["citizen_of(X, Y) <- born_in(X, A), in_country(A, Y)"]
    assert (rule.support, rule.predictions, rule.confidence) == (24, 30, 0.8)


def test_an_edge_does_not_prove_itself() -> None:
    # friends of friends' friends: each path back runs over the edge itself
    graph = graph_of([(f"a{i}", "likes", f"b{i}") for i in range(8)])
    assert len(mine_rules(graph, EVERYTHING)) == 0


def test_a_score_is_the_noisy_or_of_the_best_rules() -> None:
    graph = graph_of(random_rows(3))
    config = RuleConfig(fewest_hits=1, least_confidence=0.0, combined=3, sampled_edges=10_000)
    rules = mine_rules(graph, config)
    model: ScoreModel = rules
    heads = np.array([4, 0, 7], dtype=np.int32)
    for relation, inverse in product(range(graph.num_relations), (False, True)):
        strength = rules.evidence(heads, relation, inverse=inverse).toarray()
        for row, head in enumerate(heads.tolist()):
            sure: dict[int, list[float]] = {}
            for rule in rules.of(relation, inverse=inverse):
                for tail in predicted(graph, rule, head) - {head}:
                    sure.setdefault(tail, []).append(rule.confidence)
            expected = np.zeros(graph.num_entities)
            for tail, values in sure.items():
                expected[tail] = 1 - np.prod([1 - v for v in sorted(values)[-3:]])
            np.testing.assert_allclose(strength[row], expected, rtol=1e-5)
        scores = model.scores(heads, relation, inverse=inverse)
        expected_scores = np.log(np.maximum(strength, 1e-3))
        np.testing.assert_allclose(scores, expected_scores, rtol=1e-5)


def test_rows_of_many_relations_fire_together_in_parts_of_any_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = graph_of(random_rows(3))
    config = RuleConfig(fewest_hits=1, least_confidence=0.0, sampled_edges=10_000)
    rules: SparseScoreModel = mine_rules(graph, config)
    steps = np.arange(2 * graph.num_relations, dtype=np.int64).repeat(3)
    heads = (np.arange(len(steps)) * 5 % graph.num_entities).astype(np.int32)
    codes, scores = rules.sparse_scores(heads, steps)
    expected = np.full((len(steps), graph.num_entities), rules.common_score, dtype=np.float32)
    expected.ravel()[codes] = scores
    for row, (head, step) in enumerate(zip(heads, steps.tolist(), strict=True)):
        relation, inverse = step % graph.num_relations, step >= graph.num_relations
        [alone] = rules.scores(np.array([head]), relation, inverse=inverse)
        np.testing.assert_array_equal(alone, expected[row])
    monkeypatch.setattr(firing, "_ROWS", 2)
    monkeypatch.setattr(firing, "_MOST_PATHS", 3)
    again = rules.sparse_scores(heads, steps)
    np.testing.assert_array_equal(again[0], codes)
    np.testing.assert_array_equal(again[1], scores)


def test_reasons_show_facts_that_make_the_rule_fire() -> None:
    rules = mine_rules(WORLD)
    reasons = rules.reasons("country:07", "speaks", "lang:0", count=4)
    assert 1 <= len(reasons) <= 4
    confidences = [reason.confidence for reason in reasons]
    assert confidences == sorted(confidences, reverse=True)
    for reason in reasons:
        for head, relation, tail in reason.facts:
            ends = (WORLD.entity_id(head), WORLD.entity_id(tail))
            assert WORLD.has_edge(ends[0], WORLD.relation_id(relation), ends[1])
        assert ("country:07", "speaks", "lang:0") not in reason.facts
        assert reason.rule.startswith("speaks(")
    named = {end for reason in reasons for fact in reason.facts for end in (fact[0], fact[2])}
    assert "country:07" in named
    assert rules.reasons("lang:1", "speaks", "lang:0") == ()


def test_rules_work_for_an_entity_that_was_added_a_minute_ago() -> None:
    rows = [(f"p{i}", "born_in", f"c{i % 4}") for i in range(20)]
    rows += [(f"p{i}", "lives_in", f"c{i % 4}") for i in range(20)]
    rules = mine_rules(graph_of(rows))
    # the new key comes first, so that every id changes
    grown = graph_of([*rows, ("another", "born_in", "c2")])
    reasons = rules.on(grown).reasons("another", "lives_in", "c2")
    assert reasons[0].facts == (("another", "born_in", "c2"),)
    head = np.array([grown.entity_id("another")], dtype=np.int32)
    row = rules.on(grown).scores(head, grown.relation_id("lives_in"))[0]
    assert int(row.argmax()) == grown.entity_id("c2")


def test_rules_without_their_relation_or_constant_are_left_out() -> None:
    rules = mine_rules(WORLD)
    smaller = graph_of([("country:00", "speaks", "lang:0"), ("country:01", "speaks", "lang:0")])
    left = rules.on(smaller)
    assert len(left) < len(rules)
    assert all(step % smaller.num_relations == 0 for rule in left for step in rule.body)


def test_the_same_seed_gives_the_same_rules() -> None:
    small = RuleConfig(sampled_edges=8, walks=4, sampled_heads=8)
    one, again, other = (mine_rules(WORLD, small, seed=seed) for seed in (1, 1, 2))
    assert list(one) == list(again)
    assert one.fingerprint == again.fingerprint
    assert one.fingerprint != other.fingerprint


def test_rules_come_back_from_their_files(tmp_path: Path) -> None:
    rules = mine_rules(WORLD, RuleConfig(combined=2), seed=3)
    rules.save(tmp_path)
    loaded = RuleSet.load(tmp_path, WORLD)
    assert list(loaded) == list(rules)
    assert (loaded.config, loaded.seed) == (rules.config, 3)
    assert loaded.fingerprint == rules.fingerprint


def test_rules_of_another_graph_are_refused(tmp_path: Path) -> None:
    mine_rules(WORLD).save(tmp_path)
    with pytest.raises(CheckpointMismatchError):
        RuleSet.load(tmp_path, graph_of(random_rows(0)))


def test_damaged_rules_are_refused(tmp_path: Path) -> None:
    mine_rules(WORLD).save(tmp_path)
    head = tmp_path / "checkpoint.json"
    head.write_text(head.read_text().replace('"combined"', '"joined"'))
    with pytest.raises(ForeignFileError, match="rule set"):
        RuleSet.load(tmp_path, WORLD)


@pytest.mark.parametrize(
    "wrong", [{"longest_body": 4}, {"walks": 0}, {"least_confidence": 1.5}, {"constant_rules": -1}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingError):
        RuleConfig(**wrong)


def test_progress_counts_relations() -> None:
    told: list[tuple[int, int]] = []
    mine_rules(WORLD, RuleConfig(walks=2), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (WORLD.num_relations, WORLD.num_relations)
