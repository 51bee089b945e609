"""Graph folders: splits with shared ids, what counts as a repeat, hostile files with their line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import InputError, LimitError, MissingPartError
from kg.graph_folder import SPLITS, load_graph_folder
from kg.triple_files import read_triples

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "kgqa"

name = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\t\n\r\x00\ufeff"),
    min_size=1,
    max_size=6,
)
triple = st.tuples(name, name, name)


def written(folder: Path, **files: str) -> Path:
    for split, text in files.items():
        (folder / f"{split}.tsv").write_text(text, encoding="utf-8", newline="")
    return folder


@settings(max_examples=40)
@given(rows=st.lists(triple, min_size=1, max_size=12))
def test_lines_are_read_as_they_were_written(tmp_path_factory, rows) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("triples") / "a.tsv"
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8", newline="")
    found = read_triples(path)
    back = [tuple(found.names[c][row[c]] for c in range(3)) for row in found.numbers]
    assert back == rows


def test_splits_share_ids_and_an_edge_belongs_to_its_first_file(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        train="b\tr\ta\na\tq\tc\na\tq\tc\n",
        valid="b\tr\ta\nc\tr\ta\n",
        test="d\tr\ta\nc\tr\ta\n",
    )
    graph = load_graph_folder(folder)
    assert list(graph.full.entities) == ["a", "b", "c", "d"]
    assert list(graph.full.relation_names) == ["q", "r"]
    assert graph.edges("train").tolist() == [[0, 0, 2], [1, 1, 0]]
    assert graph.edges("valid").tolist() == [[2, 1, 0]]
    assert graph.edges("test").tolist() == [[3, 1, 0]]
    assert graph.repeated == {"train": 1, "valid": 1, "test": 1}
    assert graph.train.num_edges == 2
    assert graph.train_valid.num_edges == 3
    assert graph.train.entities is graph.full.entities
    with pytest.raises(InputError, match="no split"):
        graph.edges("dev")


@pytest.mark.parametrize("ending", [".tsv.gz", ".tsv", ".txt"])
def test_endings_line_ends_and_empty_lines_do_not_matter(tmp_path: Path, ending: str) -> None:
    text = '\ufeffa\tr\tb\r\n\nb\t"r\tc'.encode()
    path = tmp_path / f"train{ending}"
    path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    graph = load_graph_folder(tmp_path)
    assert list(graph.full.relation_names) == ['"r', "r"]
    assert list(graph.full.entities) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\tr\tb\nonly two\tparts\n", 2),
        ("a\tr\tb\n\na\t\tb\n", 3),
        ("a\tr\tb\tc\n", 1),
        ("a\tr\tb\n" * 500 + "a r b\n", 501),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(InputError, match="expected head, relation, tail") as caught:
        load_graph_folder(written(tmp_path, train=text))
    assert caught.value.where == f"{tmp_path / 'train.tsv'}:{line}"


@pytest.mark.parametrize(
    "data",
    [
        b"a\tr\tb\n\xff\xfe\tr\tb\n",
        b"\x1f\x8b broken gzip",
        gzip.compress(b"a\tr\tb\n" * 9000)[:-20],
        b"a\tr\t" + b"b" * 5_000_000 + b"\n",
        b"a\tr\t" + b"b" * 20_000 + b"\n",
    ],
    ids=["not UTF-8", "not gzip", "cut off", "a long line", "a long name"],
)
def test_hostile_files_are_refused_by_name(tmp_path: Path, data: bytes) -> None:
    packed = data[:2] == b"\x1f\x8b"
    path = tmp_path / ("train.tsv.gz" if packed else "train.tsv")
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        load_graph_folder(tmp_path)
    assert str(path) in str(caught.value)


def test_too_many_lines_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kg.triple_files.MAX_TRIPLES", 3)
    with pytest.raises(LimitError, match="more than 3 lines"):
        load_graph_folder(written(tmp_path, train="a\tr\tb\n" * 4))


def test_empty_files_hold_no_edges(tmp_path: Path) -> None:
    graph = load_graph_folder(written(tmp_path, train="", valid="\n"))
    assert (graph.full.num_entities, graph.full.num_edges) == (0, 0)
    assert all(graph.edges(split).shape == (0, 3) for split in SPLITS)


def test_without_training_edges_the_folder_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=r"train\.tsv\.gz"):
        load_graph_folder(written(tmp_path, valid="a\tr\tb\n"))


def test_names_numbers_and_orders_stand_beside(tmp_path: Path) -> None:
    written(tmp_path, train="a\tr\tb\n")
    (tmp_path / "entities.txt").write_text("b\na\nlonely\n\n")
    (tmp_path / "relations.txt").write_text("r\n")
    with gzip.open(tmp_path / "entities.jsonl.gz", "wt") as file:
        file.write('{"key": "a", "label": "Ada"}\n\n{"key": "b", "label": 3}\n')
        file.write('{"key": "nobody", "label": "x"}\n')
    with gzip.open(tmp_path / "numeric.tsv.gz", "wt") as file:
        file.write("a\theight\t1.5\na\theight\t9\nnobody\theight\t1\nb\theight\tnan\n")
    graph = load_graph_folder(tmp_path)
    assert graph.entity_order == ("b", "a", "lonely")
    assert graph.relation_order == ("r",)
    assert graph.full.names == ("Ada", "b", "lonely")
    assert graph.full.attributes == {"height": {0: 1.5}}


@pytest.mark.parametrize("line", ["[]", '{"key": [1], "label": "x"}', "not json", "{}"])
def test_a_line_that_names_no_entity_is_told(tmp_path: Path, line: str) -> None:
    written(tmp_path, train="a\tr\tb\n")
    with gzip.open(tmp_path / "entities.jsonl.gz", "wt") as file:
        file.write(f'{{"key": "a", "label": "Ada"}}\n{line}\n')
    with pytest.raises(InputError, match="object with a key") as caught:
        load_graph_folder(tmp_path)
    assert caught.value.where == f"{tmp_path / 'entities.jsonl.gz'}:2"


def test_wrong_numbers_and_gaps_in_an_order_are_named(tmp_path: Path) -> None:
    written(tmp_path, train="a\tr\tb\n")
    (tmp_path / "entities.txt").write_text("a\n\nb\n")
    with pytest.raises(InputError, match="empty line") as caught:
        load_graph_folder(tmp_path)
    assert caught.value.where == f"{tmp_path / 'entities.txt'}:2"
    (tmp_path / "entities.txt").unlink()
    with gzip.open(tmp_path / "numeric.tsv.gz", "wt") as file:
        file.write("a\theight\t1\na\theight\ttall\n")
    with pytest.raises(InputError, match="tall") as caught:
        load_graph_folder(tmp_path)
    assert caught.value.where == f"{tmp_path / 'numeric.tsv.gz'}:2"


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.exists(), reason="shared data is absent")
def test_the_shared_sets_have_the_counts_of_their_readme() -> None:
    counts = {
        "wn18rr": (40_943, 11, 86_835, 3_034, 3_134),
        "db15k": (12_842, 279, 79_222, 897, 9_078),
    }
    for folder, expected in counts.items():
        graph = load_graph_folder(SHARED / folder)
        sizes = tuple(len(graph.edges(split)) for split in SPLITS)
        assert (graph.full.num_entities, graph.full.num_relations, *sizes) == expected
