"""Sampled benchmarks: reproducible, written and read again, with a manifest of their graph."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kg.errors import InputError, SettingError
from kg.files import sha256_of_file
from kg.graph_folder import GraphFolder, load_graph_folder
from reasoning.benchmark_sampling import BenchmarkSample, sample_benchmark
from reasoning.exact import evaluate
from reasoning.query_files import read_queries
from reasoning.query_writing import manifest_path, write_query_file
from reasoning.sampling import QuerySet
from reasoning.structures import STRUCTURES
from tests.reasoning.folder_world import write_folder

COUNTS: dict[str, int | None] = dict.fromkeys(STRUCTURES, 8) | {"1p": None}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> GraphFolder:
    return write_folder(tmp_path_factory.mktemp("graph"))


def slots(sets: tuple[QuerySet, ...]) -> dict[str, list[list[int]]]:
    return {
        one.structure.name: np.concatenate([one.anchors, one.relations], axis=1).tolist()
        for one in sets
    }


def test_easy_and_hard_answers_are_those_of_the_splits(graph: GraphFolder) -> None:
    for split, known, full in (
        ("valid", graph.train, graph.train_valid),
        ("test", graph.train_valid, graph.full),
    ):
        sets = sample_benchmark(graph, BenchmarkSample(split=split, counts=COUNTS))  # type: ignore[arg-type]
        assert [one.structure.name for one in sets] == list(COUNTS)
        for one in sets:
            easy, everything = (set(evaluate(one.tree(0, full), g)) for g in (known, full))
            assert set(one.easy[0]) == easy
            assert set(one.hard[0]) == everything - easy


def test_all_one_hop_queries_cover_the_held_out_edges(graph: GraphFolder) -> None:
    (one,) = sample_benchmark(graph, BenchmarkSample(counts={"1p": None}))
    assert sum(map(len, one.hard)) == 2 * len(graph.edges("test"))
    (some,) = sample_benchmark(graph, BenchmarkSample(counts={"1p": 5}))
    assert len(some) == 5


def test_a_structure_draws_the_same_alone_and_in_other_processes(graph: GraphFolder) -> None:
    together = slots(sample_benchmark(graph, BenchmarkSample(counts=COUNTS, seed=3)))
    alone = slots(sample_benchmark(graph, BenchmarkSample(counts={"pi": 8}, seed=3)))
    assert alone["pi"] == together["pi"]
    two = BenchmarkSample(counts={"pi": 8, "2in": 8}, seed=3)
    apart = slots(sample_benchmark(graph, two, processes=2))
    assert apart == {name: together[name] for name in ("pi", "2in")}
    other = slots(sample_benchmark(graph, BenchmarkSample(counts={"pi": 8}, seed=4)))
    assert other["pi"] != together["pi"]


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".parquet"])
def test_a_file_is_read_back_and_its_bytes_repeat(
    graph: GraphFolder, tmp_path: Path, ending: str
) -> None:
    sets = sample_benchmark(graph, BenchmarkSample(counts=COUNTS))
    path = tmp_path / f"queries{ending}"
    write_query_file(path, sets, graph, {"seed": 0, "split": "test"})
    first = path.read_bytes()
    back = read_queries(path, graph)
    assert back.other_counts == 0
    assert slots(back.sets) == slots(sets)
    for one, other in zip(sets, back.sets, strict=True):
        assert [h.tolist() for h in one.hard] == [h.tolist() for h in other.hard]
        assert [e.tolist() for e in one.easy] == [e.tolist() for e in other.easy]
    manifest = json.loads(manifest_path(path).read_text())
    assert manifest["graph"] == graph.full.hash
    assert manifest["sha256"] == sha256_of_file(path)
    assert manifest["queries"]["pni"] == 8
    write_query_file(path, sets, graph, {"seed": 0, "split": "test"})
    assert path.read_bytes() == first


def test_numbered_names_are_written_as_texts(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text("5\t0\t7\n7\t0\t5\n")
    (tmp_path / "test.tsv").write_text("5\t0\t5\n")
    for order in ("", "7\n5\n"):
        if order:
            (tmp_path / "entities.txt").write_text(order)
        graph = load_graph_folder(tmp_path)
        sets = sample_benchmark(graph, BenchmarkSample(counts={"1p": None}))
        path = tmp_path / "queries.jsonl"
        write_query_file(path, sets, graph, {})
        assert slots(read_queries(path, graph).sets) == slots(sets)


def test_a_hostile_table_is_refused(graph: GraphFolder, tmp_path: Path) -> None:
    path = tmp_path / "queries.parquet"
    path.write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(InputError, match="cannot be read"):
        read_queries(path, graph)


def test_what_cannot_be_drawn_is_named(graph: GraphFolder, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no structure '4p'"):
        BenchmarkSample(counts={"4p": 1})
    with pytest.raises(SettingError, match="too many"):
        BenchmarkSample(counts={"2p": None})
    with pytest.raises(SettingError, match="at least 1"):
        BenchmarkSample(counts={"2p": 0})
    with pytest.raises(SettingError, match="processes"):
        sample_benchmark(graph, BenchmarkSample(counts={"2p": 1}), processes=0)
    with pytest.raises(SettingError, match="ends in none"):
        write_query_file(tmp_path / "queries.txt", (), graph, {})
