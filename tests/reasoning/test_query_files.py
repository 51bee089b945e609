"""Query files: what a line means, names or numbers, errors with their line, the published file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from kg.errors import InputError, UnsafeQueryError
from kg.graph_folder import GraphFolder, load_graph_folder
from reasoning.exact import evaluate
from reasoning.hardness import hardness_of, held_out_edges
from reasoning.id_sets import directed_edges
from reasoning.query_files import read_queries, read_query_file

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "kgqa" / "nell995-betae"

TRAIN = "0\t0\t1\n1\t2\t2\n0\t2\t2\n"


def folder(path: Path, train: str = TRAIN, **others: str) -> GraphFolder:
    (path / "train.tsv").write_text(train)
    for name, text in others.items():
        (path / (f"{name}.tsv" if name in ("valid", "test") else f"{name}.txt")).write_text(text)
    return load_graph_folder(path)


def lines(path: Path, *records: Any) -> Path:
    file = path / "queries.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def record(nested: Any, hard: Any = (), **more: Any) -> dict[str, Any]:
    return {"q": nested, "hard": list(hard), **more}


def test_a_number_without_edges_is_the_inverse_of_its_neighbour(tmp_path: Path) -> None:
    graph = folder(tmp_path)
    path = lines(tmp_path, record([2, [3, 1]], s="2p"), record([0, [0, 2]], s="2p"))
    (queries,) = read_query_file(path, graph)
    assert queries.relations.tolist() == [[1, 3], [2, 0]]
    assert [easy.tolist() for easy in queries.easy] == [[0], [2]]
    for row in range(2):
        assert list(evaluate(queries.tree(row, graph.full), graph.full)) == list(queries.easy[row])


def test_signs_of_numbered_names_tell_the_inverse(tmp_path: Path) -> None:
    orders = {"entities": "x\ny\nz\n", "relations": "+likes\n-likes\n"}
    for train in ("x\tlikes\ty\n", "x\t+likes\ty\n"):
        graph = folder(tmp_path, train, **orders)
        path = lines(
            tmp_path, record([0, [0]], [2]), record([1, [1]], [2]), record(["y", ["-likes"]])
        )
        (queries,) = read_query_file(path, graph)
        assert [easy.tolist() for easy in queries.easy] == [[1], [0], [0]]
        assert [hard.tolist() for hard in queries.hard] == [[2], [2], []]


def test_every_kind_of_node_is_read(tmp_path: Path) -> None:
    graph = folder(tmp_path, valid="3\t2\t2\n", test="3\t0\t1\n")
    nested = [
        ("2i", [[0, [2]], [1, [2]]]),
        ("2in", [[2, [3]], [1, [1, -2]]]),
        ("2u", [[0, [0]], [1, [2]], [-1]]),
        ("up", [[[0, [0]], [1, [2]], [-1]], [3]]),
        ("pin", [[0, [0, 2]], [0, [2, -2]]]),
    ]
    path = lines(tmp_path, *(record(q, s=s) for s, q in nested))
    sets = read_query_file(path, graph)
    assert [one.structure.name for one in sets] == [name for name, _ in nested]
    for one in sets:
        expected = evaluate(one.tree(0, graph.full), graph.train_valid)
        assert one.easy[0].tolist() == list(expected)


def test_easy_answers_follow_the_known_edges(tmp_path: Path) -> None:
    graph = folder(tmp_path, valid="0\t0\t2\n")
    path = lines(tmp_path, record([0, [0]], n_easy=2), record([1, [2]], n_easy=1))
    assert read_query_file(path, graph, known=graph.train)[0].easy[0].tolist() == [1]
    found = read_queries(path, graph)
    assert found.sets[0].easy[0].tolist() == [1, 2]
    assert found.other_counts == 0
    assert read_queries(path, graph, known=graph.train).other_counts == 1


def test_a_tree_without_a_name_is_read_under_any_name(tmp_path: Path) -> None:
    graph = folder(tmp_path)
    path = lines(tmp_path, record([0, [0, 1, 0, 2]], s="4p"), record([0, [0, 1, 0, 2]]))
    (queries,) = read_query_file(path, graph)
    assert queries.structure.name == "p(p(p(p(e))))"
    assert queries.easy[0].tolist() == [2]


def test_any_tree_is_read_however_its_negations_stand(tmp_path: Path) -> None:
    graph = folder(tmp_path)
    one, two = [0, [0]], [1, [2]]
    neither = [[0, [0, -2]], [1, [2, -2]]]  # BetaE's other way to write a union
    nested = [
        record([one, two, [-1]], s="2u-DNF"),
        record([neither, [-2]], s="2u-DM"),
        record([[one, [-2, -2]], two], s="2i"),
        record([[[neither, [-2]], [[one, [-2]], two, [-1]]], [3]]),
    ]
    sets = read_query_file(lines(tmp_path, *nested), graph)
    assert [(found.structure.name, len(found)) for found in sets[:2]] == [("2u", 2), ("2i", 1)]
    assert [easy.tolist() for easy in sets[0].easy] == [[1, 2], [1, 2]]
    full, known = directed_edges(graph.full), directed_edges(graph.train)
    for found in sets:
        assert found.easy[0].tolist() == list(evaluate(found.tree(0, graph.full), graph.full))
        assert len(hardness_of(found, full, held_out_edges(full, known))) == len(found)


def test_a_limit_takes_the_first_of_each_structure(tmp_path: Path) -> None:
    graph = folder(tmp_path)
    path = lines(tmp_path, *[record([0, [0]])] * 3, record([0, [0, 2]]), record([1, [2]]))
    assert [len(one) for one in read_query_file(path, graph, limit=2)] == [2, 1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("not json", "not JSON"),
        ("[1]", "not a JSON object"),
        ("{}", "no field 'q'"),
        ('{"q": [0, [0]]}', "no field 'hard'"),
        ('{"q": [0, [0]], "hard": 3}', "no list"),
        ('{"q": [0, [0]], "hard": [[1]]}', "no entity"),
        ('{"q": [0, [0]], "hard": [true]}', "no entity"),
        ('{"q": [0, [0]], "hard": [99]}', "99"),
        ('{"q": [99, [0]], "hard": []}', "99"),
        ('{"q": [0, [99]], "hard": []}', "99"),
        ('{"q": [0, [0.5]], "hard": []}', "no entity and no relation"),
        ('{"q": [0, [{}]], "hard": []}', "no entity and no relation"),
        ('{"q": 0, "hard": []}', "nested query"),
        ('{"q": [], "hard": []}', "nested query"),
        ('{"q": [[0, [0]], [-1]], "hard": []}', "at least two"),
        ('{"q": [0, [0, -2]], "hard": []}', "everything but"),
        ('{"s": "2p", "q": [0, [0]], "hard": []}', "'2p' is a 1p"),
        ('{"s": "2p", "q": [0, [0, 1, 0, 1]], "hard": []}', "'2p' is a p"),
        ('{"q": ' + "[" * 50 + "0" + "]" * 50 + ', "hard": []}', "nested"),
        ('{"q": ' + "[" * 100_000 + ', "hard": []}', "not JSON"),
    ],
    ids=range(20),
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, what: str) -> None:
    graph = folder(tmp_path)
    path = tmp_path / "queries.jsonl"
    path.write_text(json.dumps(record([0, [0]])) + "\n" + text + "\n")
    with pytest.raises(InputError, match=what) as caught:
        read_query_file(path, graph)
    assert caught.value.where == f"{path}:2"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    graph = folder(tmp_path)
    whole = gzip.compress(b'{"q": [0, [0]], "hard": []}\n' * 5000)
    for data in (b"no gzip", whole[:-30], gzip.compress(b"\xff\xfe\n")):
        path = tmp_path / "queries.jsonl.gz"
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"read|UTF-8"):
            read_query_file(path, graph)
    with pytest.raises(InputError, match="read"):
        read_query_file(tmp_path / "missing.jsonl", graph)
    assert issubclass(UnsafeQueryError, InputError)


def test_a_packed_file_needs_no_ending_and_a_wrong_one_is_explained(tmp_path: Path) -> None:
    graph = folder(tmp_path)
    text = json.dumps(record([0, [0]])).encode()
    (tmp_path / "queries").write_bytes(gzip.compress(text))
    assert len(read_query_file(tmp_path / "queries", graph)) == 1
    (tmp_path / "plain.gz").write_bytes(text)
    with pytest.raises(InputError, match=r"name it without \.gz"):
        read_query_file(tmp_path / "plain.gz", graph)
    (tmp_path / "other.jsonl").write_text('{"q": ["nobody", [0]], "hard": []}')
    with pytest.raises(InputError, match="is the file of this graph"):
        read_query_file(tmp_path / "other.jsonl", graph)


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.exists(), reason="shared data is absent")
def test_the_published_queries_have_the_number_of_easy_answers_that_their_file_says() -> None:
    graph = load_graph_folder(SHARED)
    found = read_queries(SHARED / "test-queries.jsonl.gz", graph, limit=100)
    assert found.other_counts == 0
    assert [len(one) for one in found.sets] == [100] * 14
