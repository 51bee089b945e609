"""The bench of folding in runs on a small graph folder, and its halves do not leak."""

import numpy as np
import pytest

from bench.fold_in import main
from bench.withheld_entities import withheld
from evaluation import read_result
from kg.graph_folder import load_graph_folder

TOWNS, PEOPLE = 6, 12


@pytest.fixture
def folder(tmp_path):
    draw = np.random.default_rng(0)
    rows = []
    for town in range(TOWNS):
        for person in range(PEOPLE):
            rows.append(f"person-{town}-{person}\tlives_in\ttown-{town}")
            rows.append(f"person-{town}-{person}\tspeaks\tlanguage-{town % 3}")
    draw.shuffle(rows)
    place = tmp_path / "graph"
    place.mkdir()
    (place / "train.tsv").write_text("\n".join(rows[:-20]) + "\n")
    (place / "valid.tsv").write_text("\n".join(rows[-20:]) + "\n")
    return place


def test_withheld_entities_lose_all_edges_before_and_half_of_them_after(folder):
    graph = load_graph_folder(folder)
    task = withheld(graph, 3, seed=0)
    names = {graph.full.entities.name(int(entity)) for entity in task.entities}
    assert not names & set(task.before.entities)
    asked = {tuple(row) for row in task.asked.tolist()}
    after = set(
        zip(
            task.after.heads.tolist(),
            task.after.relations.tolist(),
            task.after.tails.tolist(),
            strict=True,
        )
    )
    assert not asked & after
    for entity in task.entities:
        left = np.sum((task.after.heads == entity) | (task.after.tails == entity))
        gone = np.sum((task.asked[:, 0] == entity) | (task.asked[:, 2] == entity))
        assert left - 1 <= gone <= left


def test_the_bench_writes_its_result_and_page(folder, tmp_path, capsys):
    options = ["--count", "3", "--rank", "4", "--epochs", "2", "--seed", "0"]
    work, out = tmp_path / "work", tmp_path / "out"
    assert main([str(folder), "--work", str(work), "--out", str(out), *options]) == 0
    result = read_result(out / "fold-in.json")
    assert set(result.by["method"]) == {"fold_in", "retrained", "rules", "frequency"}
    assert str(tmp_path) not in (out / "fold-in.json").read_text()
    assert "trained again" in capsys.readouterr().out
