"""Public benchmark folders become a graph: every triple once, bad lines told, one split undone."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from kg.model import EntityKey
from kg.upkeep.undo import Undo, undo
from tests.kg.rich_graphs import read_back


def test_a_benchmark_folder_becomes_a_graph(tmp_path: Path) -> None:
    folder = tmp_path / "fb"
    folder.mkdir()
    train = "/m/1\t/film/star\t/m/2\nno triple\n\n/m/2\tfilm.star\t/m/1\n/m/2\t\t/m/1\n"
    (folder / "train.tsv.gz").write_bytes(gzip.compress(train.encode()))
    (folder / "valid.tsv").write_text("/m/1\t/film/star\t/m/3\r\n", newline="")
    rows: list[object] = [
        {"key": "/m/1", "label": "Ada", "aliases": ["A"], "description": "a star"},
        {"key": "/m/9", "label": "in no triple"},
        ["no object"],
    ]
    told = "\n".join(map(json.dumps, rows))
    (folder / "entities.jsonl.gz").write_bytes(gzip.compress(told.encode()))
    numbers = "/m/1\t/film.born\t1815\n/m/1\t/film.born\t1816\n/m/2\tname\t7\n/m/2\twide\n"
    (folder / "numeric.tsv.gz").write_bytes(gzip.compress(numbers.encode()))

    store, rejects = read_back(folder)

    ada, second = store.entity(EntityKey("/m/1")), store.entity(EntityKey("/m/2"))
    assert ada is not None
    assert second is not None
    assert (ada.label, ada.name, ada.aliases) == ("Entity", "Ada", ("A",))
    assert dict(ada.attributes) == {"film_born": 1815.0, "description": "a star"}
    assert dict(second.attributes) == {"name_": 7.0}
    assert {edge.key: edge.provenance[0].source for edge in store.edges()} == {
        ("/m/1", "film_star", "/m/2"): "train.tsv.gz",
        ("/m/2", "film_star_2", "/m/1"): "train.tsv.gz",
        ("/m/1", "film_star", "/m/3"): "valid.tsv",
    }
    assert sorted((reject.file, reject.line) for reject in rejects) == [
        ("entities.jsonl.gz", 3),
        ("numeric.tsv.gz", 4),
        ("train.tsv.gz", 2),
        ("train.tsv.gz", 5),
    ]
    undo(store, Undo(source="valid.tsv"))
    assert len(list(store.edges())) == 2


def test_a_folder_of_openke_becomes_a_graph_by_its_names(tmp_path: Path) -> None:
    folder = tmp_path / "openke"
    folder.mkdir()
    (folder / "entity2id.txt").write_text("2\nada\t0\nbob\t1\n")
    (folder / "relation2id.txt").write_text("1\nlikes\t0\n")
    (folder / "train2id.txt").write_text("2\n0 1 0\n5 5 5\n")
    store, rejects = read_back(folder)
    assert [edge.key for edge in store.edges()] == [("ada", "likes", "bob")]
    assert [reject.line for reject in rejects] == [3]
