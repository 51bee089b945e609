"""The forms in which public data sets are handed out: read alike, or refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.errors import InputError, MissingPartError
from kg.graph_folder import SPLITS, GraphFolder, load_graph_folder

NAMES = {
    "train": [("ann", "likes", "bob"), ("bob", "knows", "cy"), ("cy", "likes", "ann")],
    "valid": [("ann", "knows", "cy")],
    "test": [("bob", "likes", "cy")],
}
ENTITIES, RELATIONS = ("cy", "ann", "bob"), ("likes", "knows")


def edges_of(graph: GraphFolder) -> dict[str, list[tuple[str, str, str]]]:
    """Return the edges of each split in names."""
    entity, relation = graph.full.entities.name, graph.full.relation_names.name
    return {
        split: sorted(
            (entity(int(h)), relation(int(r)), entity(int(t))) for h, r, t in graph.edges(split)
        )
        for split in SPLITS
    }


def numbered(h: str, r: str, t: str) -> tuple[int, int, int]:
    return ENTITIES.index(h), RELATIONS.index(r), ENTITIES.index(t)


def lists(folder: Path, separator: str, *, counted: bool) -> None:
    for name, values in (("entity", ENTITIES), ("relation", RELATIONS)):
        lines = [f"{value}{separator}{place}" for place, value in enumerate(values)]
        head = [str(len(values))] if counted else []
        (folder / f"{name}2id.txt").write_text("\n".join([*head, *lines]) + "\n")


def tabs(folder: Path) -> None:
    for split, rows in NAMES.items():
        (folder / f"{split}.txt").write_text("".join("\t".join(row) + "\n" for row in rows))


def spaces(folder: Path) -> None:
    for split, rows in NAMES.items():
        (folder / f"{split}.txt").write_text("".join(" ".join(row) + " .\n" for row in rows))


def openke(folder: Path) -> None:
    lists(folder, "\t", counted=True)
    for split, rows in NAMES.items():
        ids = [numbered(*row) for row in rows]
        lines = [str(len(ids)), *(f"{h} {t} {r}" for h, r, t in ids)]
        (folder / f"{split}2id.txt").write_text("\n".join(lines) + "\n")


def integers_with_lists(folder: Path) -> None:
    lists(folder, " ", counted=False)
    (folder / "entities.txt").write_text("0\n1\n2\n")
    for split, rows in NAMES.items():
        lines = ("\t".join(map(str, numbered(*row))) for row in rows)
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")


FORMS = [tabs, spaces, openke, integers_with_lists]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_graph(form, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    form(tmp_path)
    graph = load_graph_folder(tmp_path)
    assert edges_of(graph) == {split: sorted(rows) for split, rows in NAMES.items()}
    assert list(graph.full.entities) == sorted(ENTITIES)
    if form in (openke, integers_with_lists):
        assert (graph.entity_order, graph.relation_order) == (ENTITIES, RELATIONS)


def test_names_with_their_lists_beside_stay_as_they_are(tmp_path: Path) -> None:
    tabs(tmp_path)
    lists(tmp_path, "\t", counted=True)
    graph = load_graph_folder(tmp_path)
    assert edges_of(graph)["train"] == sorted(NAMES["train"])
    assert graph.entity_order == ENTITIES
    (tmp_path / "entity2id.txt").write_text("somebody\t0\nelse\t1\n")  # a list of something else
    graph = load_graph_folder(tmp_path)
    assert (list(graph.full.entities), graph.entity_order) == (sorted(ENTITIES), None)


def both_ways(rows: list[tuple[int, int, int]]) -> str:
    lines = [line for h, r, t in rows for line in (f"{h}\t{2 * r}\t{t}", f"{t}\t{2 * r + 1}\t{h}")]
    return "\n".join(lines) + "\n"


def test_inverses_that_are_written_out_are_dropped(tmp_path: Path) -> None:
    for split, rows in NAMES.items():
        (tmp_path / f"{split}.txt").write_text(both_ways([numbered(*row) for row in rows]))
    (tmp_path / "id2ent.pkl").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")  # never opened
    graph = load_graph_folder(tmp_path)
    assert list(graph.full.relation_names) == ["0", "2"]
    assert {split: len(graph.edges(split)) for split in SPLITS} == {
        "train": 3,
        "valid": 1,
        "test": 1,
    }
    assert edges_of(graph)["valid"] == [("1", "2", "0")]


def test_relations_that_are_no_inverses_stay(tmp_path: Path) -> None:
    for split, rows in NAMES.items():
        (tmp_path / f"{split}.txt").write_text(both_ways([numbered(*row) for row in rows]))
    (tmp_path / "test.txt").write_text("0\t0\t1\n1\t1\t2\n")
    graph = load_graph_folder(tmp_path)
    assert len(graph.edges("train")) == 6
    assert list(graph.full.relation_names) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("train2id.txt", "2\n0 1 0\n0 9 0\n", 3),
        ("train2id.txt", "0 1 0\n0 1\n", 2),
        ("train2id.txt", "0 1 -1\n", 1),
        ("train2id.txt", "0 1 99999999999999999999\n", 1),
        ("entity2id.txt", "a\t0\nb\t0\n", 2),
        ("entity2id.txt", "a\t0\nb\tone\n", 2),
    ],
)
def test_a_wrong_number_is_named(tmp_path: Path, file: str, text: str, line: int) -> None:
    openke(tmp_path)
    (tmp_path / file).write_text(text)
    with pytest.raises(InputError) as caught:
        load_graph_folder(tmp_path)
    assert caught.value.where == f"{tmp_path / file}:{line}"


def test_a_broken_line_with_spaces_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("a r b .\n\na r\n")
    with pytest.raises(InputError, match="with spaces") as caught:
        load_graph_folder(tmp_path)
    assert caught.value.where == f"{tmp_path / 'train.txt'}:3"


def test_missing_numbers_and_lists_are_told(tmp_path: Path) -> None:
    openke(tmp_path)
    (tmp_path / "entity2id.txt").write_text("a\t0\nb\t2\n")
    with pytest.raises(InputError, match="numbers are missing"):
        load_graph_folder(tmp_path)
    (tmp_path / "entity2id.txt").unlink()
    with pytest.raises(MissingPartError, match="without entity2id"):
        load_graph_folder(tmp_path)
