"""Evaluation of queries: scorers whose figures are known, batches, hardness, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation import RunResult, compare, query_ranks
from evaluation.machine import Machine
from evaluation.units import read_units, units_path
from kg.errors import ForeignFileError, InputError, SettingError
from reasoning.evaluating import RankedQueries, evaluate_queries, figures_of
from reasoning.evaluating.ranking import BatchConfig
from reasoning.hardness import hardness_of, held_out_edges
from reasoning.id_sets import directed_edges
from tests.reasoning.evaluating.scorers import (
    ConstantScorer,
    OracleScorer,
    RandomScorer,
    halves,
    sampled,
)

FULL, KNOWN = halves()
SETS = sampled()
NUM = FULL.num_entities


def candidates(row: int, number: int) -> int:
    """How many entities a hard answer of a query is ranked among, itself included."""
    queries = SETS[number]
    return NUM - len(np.union1d(queries.easy[row], queries.hard[row])) + 1


def test_there_are_queries_of_every_kind() -> None:
    assert len(SETS) == 14


def test_a_constant_scorer_stands_in_the_middle_of_each_query() -> None:
    figures = figures_of(evaluate_queries(ConstantScorer(NUM), SETS, FULL))
    for number, queries in enumerate(SETS):
        expected = np.mean([2 / (candidates(row, number) + 1) for row in range(len(queries))])
        part = figures.by["structure"][queries.structure.name]
        assert part["mrr"] == pytest.approx(expected)
        assert part["n"] == len(queries)
        assert part["hits_at_1"] == 0.0


def test_a_random_scorer_averages_the_harmonic_number() -> None:
    figures = figures_of(evaluate_queries(RandomScorer(NUM), SETS, FULL))
    means = []
    for number, queries in enumerate(SETS):
        counts = [candidates(row, number) for row in range(len(queries))]
        means.append(np.mean([np.sum(1 / np.arange(1, n + 1)) / n for n in counts]))
    error = figures.metrics["mrr_standard_error"]
    assert abs(figures.metrics["mrr"] - np.mean(means)) < 4 * error


def test_an_oracle_ranks_every_answer_first() -> None:
    figures = figures_of(evaluate_queries(OracleScorer(FULL), SETS, FULL))
    for name in ("mrr", "epfo_mrr", "negation_mrr", "hits_at_1", "hits_at_10"):
        assert figures.metrics[name] == 1.0
    assert figures.metrics["mrr_standard_error"] == 0.0


def test_batches_change_no_rank_and_hold_their_limit() -> None:
    scorer = RandomScorer(NUM)
    together = evaluate_queries(scorer, SETS, FULL)
    one_by_one = evaluate_queries(scorer, SETS, FULL, config=BatchConfig(queries=1))
    for one, other in zip(together, one_by_one, strict=True):
        np.testing.assert_array_equal(one.ranks, other.ranks)
    assert BatchConfig(queries=256, score_mb=1).rows(2**18) == 1
    assert BatchConfig(queries=256, score_mb=64).rows(2**18) == 64
    assert BatchConfig(queries=7).rows(10) == 7
    with pytest.raises(SettingError, match="batch"):
        BatchConfig(queries=0)


def test_progress_counts_queries() -> None:
    seen: list[tuple[int, int]] = []
    evaluate_queries(
        ConstantScorer(NUM),
        SETS,
        FULL,
        config=BatchConfig(queries=8),
        progress=lambda done, total: seen.append((done, total)),
    )
    total = sum(map(len, SETS))
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_figures_are_means_of_queries_then_of_structures() -> None:
    two = RankedQueries(
        structure="2p",
        negation=False,
        num_queries=2,
        queries=np.array([0, 0, 1]),
        ranks=np.array([1.0, 2.0, 4.0]),
        hardness=np.array([1, 2, 1], dtype=np.int16),
    )
    negated = RankedQueries(
        structure="2in",
        negation=True,
        num_queries=1,
        queries=np.array([0]),
        ranks=np.array([5.0]),
        hardness=np.array([1], dtype=np.int16),
    )
    figures = figures_of([two, negated])
    assert figures.n == 3
    assert figures.metrics["epfo_mrr"] == pytest.approx((0.75 + 0.25) / 2)
    assert figures.metrics["negation_mrr"] == pytest.approx(0.2)
    assert figures.metrics["mrr"] == pytest.approx((0.5 + 0.2) / 2)
    assert figures.metrics["hits_at_1"] == pytest.approx((0.25 + 0) / 2)
    assert figures.by["structure"]["2p"]["standard_error"] == pytest.approx(0.25)
    assert figures.by["hardness"]["1"] == pytest.approx(
        {
            "n": 3,
            "mrr": (1 + 0.25 + 0.2) / 3,
            "hits_at_1": 1 / 3,
            "hits_at_3": 1 / 3,
            "hits_at_10": 1.0,
            "standard_error": np.std([1, 0.25, 0.2], ddof=1) / 3**0.5,
        }
    )
    assert figures.by["structure_hardness"]["2p 2"]["mrr"] == 0.5
    assert set(figures.by["structure_hardness"]) == {"2p 1", "2p 2", "2in 1"}


def test_two_sets_of_one_structure_are_taken_together() -> None:
    scorer = RandomScorer(NUM)
    (queries,) = sampled(names=("2p",))
    found = evaluate_queries(scorer, [queries, queries], FULL)
    twice = figures_of(found)
    once = figures_of(found[:1])
    assert twice.n == 2 * once.n
    assert twice.metrics["mrr"] == pytest.approx(once.metrics["mrr"])


def test_hardness_parts_hold_all_answers() -> None:
    edges = directed_edges(FULL)
    held_out = held_out_edges(edges, directed_edges(KNOWN))
    hardness = [hardness_of(queries, edges, held_out) for queries in SETS]
    figures = figures_of(evaluate_queries(RandomScorer(NUM), SETS, FULL, hardness=hardness))
    assert {"1", "2"} <= set(figures.by["hardness"]) <= {"1", "2", "3"}
    assert figures.by["structure_hardness"]["1p 1"] == figures.by["structure"]["1p"]


def test_scores_that_are_none_are_refused() -> None:
    class Broken(ConstantScorer):
        def _scores(self, trees):  # type: ignore[no-untyped-def]
            return np.full((len(trees), self.num_entities), np.nan, dtype=np.float32)

    with pytest.raises(InputError, match="not finite"):
        evaluate_queries(Broken(NUM), SETS[:1], FULL)
    with pytest.raises(InputError, match="shape"):
        evaluate_queries(ConstantScorer(NUM - 1), SETS[:1], FULL)
    with pytest.raises(InputError, match="no queries"):
        figures_of([])


def result(figures, **changes):  # type: ignore[no-untyped-def]
    return RunResult(
        command="umbra evaluate",
        date="2026-01-02T03:04:05+00:00",
        machine=Machine(cores=1, memory_gb=1.0),
        protocol="betae-test",
        n=figures.n,
        seconds=1.0,
        peak_memory_mb=1.0,
        metrics=figures.metrics,
        by=figures.by,
        inputs={"queries": "ab" * 32, **changes},
    )


def test_figures_fit_the_format_of_results_and_units_pair_them(tmp_path: Path) -> None:
    figures = [
        figures_of(evaluate_queries(scorer, SETS, FULL))
        for scorer in (RandomScorer(NUM), ConstantScorer(NUM))
    ]
    runs = [result(one) for one in figures]
    units = []
    for number, (one, run) in enumerate(zip(figures, runs, strict=True)):
        path = units_path(tmp_path / f"{number}.json")
        one.units.save(path, inputs=run.inputs)
        units.append(read_units(path, inputs=run.inputs))
    rows = {(r.split, r.metric): r.cells[1] for r in compare(*runs, units=units)}
    unpaired = {(r.split, r.metric): r.cells[1] for r in compare(*runs)}
    assert set(rows) == set(unpaired)
    for key in (("all", "mrr"), ("all", "negation_mrr"), ("structure=2p", "mrr")):
        cell = rows[key]
        assert cell.paired
        assert not unpaired[key].paired
        assert cell.low is not None
        assert cell.high is not None
        assert cell.low <= cell.difference <= cell.high
        assert cell.difference == unpaired[key].difference


def test_units_of_another_run_are_refused(tmp_path: Path) -> None:
    figures = figures_of(evaluate_queries(ConstantScorer(NUM), SETS[:1], FULL))
    path = tmp_path / "run.units.npz"
    figures.units.save(path, inputs={"queries": "ab" * 32})
    assert read_units(tmp_path / "other.units.npz", inputs={}) is None
    with pytest.raises(ForeignFileError, match="another run"):
        read_units(path, inputs={"queries": "cd" * 32})
    path.write_bytes(b"PK no archive")
    with pytest.raises(ForeignFileError, match="not the units"):
        read_units(path, inputs={})


def test_a_query_is_ranked_as_evaluation_says() -> None:
    scorer = RandomScorer(NUM)
    (found,) = evaluate_queries(scorer, SETS[:1], FULL)
    tree = SETS[0].tree(0, FULL)
    alone = query_ranks(scorer.scores([tree])[0], SETS[0].hard[0], SETS[0].easy[0]).realistic
    np.testing.assert_array_equal(found.ranks[found.queries == 0], alone)
