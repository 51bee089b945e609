"""The check of a graph finds damage of each kind when it is planted, and none where none is."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kg.backends import open_store
from kg.backends.bolt import BoltStore
from kg.backends.memory import MemoryStore
from kg.images import ImageFolder
from kg.launcher import LauncherConfig, stop_store
from kg.model import Edge, Entity, EntityKey, ImagePart
from kg.provenance import Provenance
from kg.store import Store
from kg.upkeep.check import KINDS, check_graph

A, B, PART = EntityKey("a"), EntityKey("b"), EntityKey("a#1")
RECORD = (Provenance(kind="asserted", source="test"),)


def fill(store: Store, folder: Path) -> ImageFolder:
    """Two things that know each other, the picture of one, and a part of it."""
    images, picture = ImageFolder(folder), io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(picture, "PNG")
    image = images.add(picture.getvalue(), source="red.png")
    part = ImagePart(parent=A, image=image.sha256, box_xyxy=(0, 0, 4, 6))
    store.upsert_entities(
        [
            Entity(key=A, label="Thing", name="A", images=(image,), provenance=RECORD),
            Entity(key=B, label="Thing", name="B", provenance=RECORD),
            Entity(key=PART, label="Part", name="left half", part=part, provenance=RECORD),
        ]
    )
    store.upsert_edges([Edge(head=A, relation="knows", tail=B, provenance=RECORD)])
    return images


def sql(store: BoltStore, script: str) -> None:
    link: Any = store._connection.link
    link.http.sql(link.database, script)


def cypher(text: str) -> Callable[[BoltStore, ImageFolder], None]:
    return lambda store, _: store.execute(text) and None


def second_node(store: BoltStore, _: ImageFolder) -> None:
    sql(store, "DROP INDEX `Entity[key]`")
    store.execute("CREATE (:Thing {key: 'b', name: 'B again'})")


def second_edge(store: BoltStore, _: ImageFolder) -> None:
    store.execute(
        "MATCH (a:Entity {key: 'a'})-[r]->(b:Entity {key: 'b'}) "
        "CREATE (a)-[s:knows]->(b) SET s = properties(r)"
    )


def no_file(store: BoltStore, images: ImageFolder) -> None:
    images.path(hash_of(store)).unlink()


def other_file(store: BoltStore, images: ImageFolder) -> None:
    images.path(hash_of(store)).write_bytes(b"another picture")


def hash_of(store: BoltStore) -> str:
    found = store.entity(A)
    assert found is not None
    return found.images[0].sha256


PLANTS: dict[str, Callable[[BoltStore, ImageFolder], None]] = {
    "no-key": cypher("MATCH (n:Entity {key: 'b'}) DETACH DELETE n CREATE (:Thing {name: 'B'})"),
    "no-label": cypher("CREATE (:Stray {key: 'c', name: 'C'})"),
    "repeated-key": second_node,
    "unreadable": cypher("MATCH (n:Entity {key: 'a'}) SET n._records = ['not a record']"),
    "dangling-edge": cypher("MATCH (a:Entity {key: 'a'}) CREATE (a)-[:knows]->(:Stray)"),
    "repeated-edge": second_edge,
    "no-record": cypher("MATCH ()-[r:knows]->() REMOVE r._records"),
    "part-without-parent": cypher("MATCH (n:Entity {key: 'a'}) DETACH DELETE n"),
    "part-of-no-image": cypher("MATCH (n:Entity {key: 'a'}) REMOVE n._images"),
    "box-outside": cypher(
        "MATCH (n:Entity {key: 'a#1'}) SET n._part = replace(n._part, '4, 6]', '4, 600]')"
    ),
    "image-missing": no_file,
    "image-changed": other_file,
}


@pytest.mark.parametrize("kind", PLANTS)
def test_a_planted_fault_is_found_and_named(
    kind: str, bolt_store: BoltStore, tmp_path: Path
) -> None:
    images = fill(bolt_store, tmp_path)
    assert check_graph(bolt_store, images) == []
    before = bolt_store.version
    PLANTS[kind](bolt_store, images)
    found = check_graph(bolt_store, images)
    assert kind in {fault.kind for fault in found}
    assert all(fault.where and fault.what for fault in found)
    assert bolt_store.version in (before, before + 1)  # the plant's, not the check's


def test_every_kind_has_its_plant() -> None:
    assert {*PLANTS, "engine"} == set(KINDS)


def test_damaged_pages_are_found(tmp_path: Path) -> None:
    folder, config = tmp_path / "graph", LauncherConfig(idle_timeout_s=5, heap="256m")
    with open_store(folder, launcher=config) as store:
        fill(store, tmp_path / "images")
    stop_store(folder)
    for pages in (folder / "engine" / "databases").rglob("Thing_*.bucket"):
        content = bytearray(pages.read_bytes())
        content[100:20_000] = b"\xee" * len(content[100:20_000])
        pages.write_bytes(content)
    with open_store(folder, launcher=config) as store:
        assert "engine" in {fault.kind for fault in check_graph(store)}
    stop_store(folder)


def test_a_graph_in_memory_is_checked_too(tmp_path: Path) -> None:
    with MemoryStore() as store:
        images = fill(store, tmp_path)
        assert check_graph(store, images) == []
        store.delete_entities([A])
        assert [fault.kind for fault in check_graph(store, images)] == ["part-without-parent"]
