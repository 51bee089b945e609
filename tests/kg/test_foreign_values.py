"""Values that no attribute can be and another program wrote: read, kept, taken out, checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kg.graph_formats import FORMATS, GraphFormat
from kg.images import ImageFolder
from kg.interchange import to_networkx
from kg.model import EntityKey
from kg.snapshot import Snapshot
from kg.upkeep.backup import unpack_backup, write_backup
from kg.upkeep.check import check_graph
from tests.conformance.store_rules import content, fact, thing
from tests.kg.rich_graphs import filled, read_back, through
from tests.kg.test_graph_formats import ending

if TYPE_CHECKING:
    from kg.backends.bolt import BoltStore

KEY = EntityKey("a")
WRITTEN = [form for form in FORMATS if form.write is not None]
WRITE = """
MATCH (n:Entity {key: 'a'})-[r]->() SET n.born = date('1815-12-10'),
  n.seen = datetime('2020-01-02T03:04:05.000000006[Europe/Berlin]'), n.age = duration('P1Y2M'),
  n.place = point({latitude: 1.5, longitude: 2}), n.days = [date('2020-01-01'), date('2020-01-02')],
  r.since = time('10:00+01:00')
"""
READ = {
    "born": "1815-12-10",
    "seen": "2020-01-02T03:04:05.000000006+01:00[Europe/Berlin]",
    "age": "P1Y2M",
    "place": (2.0, 1.5),
    "days": ("2020-01-01", "2020-01-02"),
    "own": 1,
}
KINDS = (
    "MATCH (n:Entity {key: 'a'})-[r]->() RETURN n.born = date('1815-12-10') AS born, "
    "n.age = duration('P1Y2M') AS age, n.place.latitude AS place, "
    "r.since = time('10:00+01:00') AS since, n.own AS own"
)


@pytest.fixture
def store(bolt_store: BoltStore) -> BoltStore:
    bolt_store.upsert_entities([thing("a", attributes={"own": 1}), thing("b")])
    bolt_store.upsert_edges([fact("a", "knows", "b")])
    bolt_store.execute(WRITE)
    return bolt_store


def test_they_read_as_values_that_every_store_can_hold(store: BoltStore) -> None:
    found = store.entity(KEY)
    assert found is not None
    assert dict(found.attributes) == READ
    assert {type(value) for value in found.attributes.values()} == {str, tuple, int}
    assert [dict(edge.attributes) for edge in store.edges()] == [{"since": "10:00+01:00"}]
    assert check_graph(store) == []


def test_they_stay_what_they_are_when_the_entity_is_written(store: BoltStore) -> None:
    store.upsert_entities([thing("a", name="Ada", attributes={"own": 2})])
    (edge,), found = store.edges(), store.entity(KEY)
    assert found is not None
    store.replace_entities([found])
    store.replace_edges([edge])
    assert store.query(KINDS).rows == ((True, True, 1.5, True, 2),)
    store.upsert_entities([thing("a", name="Ada", attributes={"born": "1816"})])
    assert store.query(KINDS).rows == ((False, True, 1.5, True, 2),)


@pytest.mark.parametrize("form", WRITTEN, ids=lambda form: form.name)
def test_they_go_out_in_every_format_and_come_back_as_read(
    store: BoltStore, form: GraphFormat
) -> None:
    copy, rejects = through(filled(*content(store)), form.name, ending(form))
    assert rejects == []
    assert content(copy) == content(store)


def test_they_reach_networks_backups_and_snapshots(store: BoltStore, tmp_path: Path) -> None:
    assert to_networkx(store).nodes["a"]["born"] == READ["born"]
    images = ImageFolder(tmp_path / "images")
    write_backup(store, images, tmp_path / "backup.zip")
    _, lines = unpack_backup(tmp_path / "backup.zip", images, tmp_path / "out")
    copy, rejects = read_back(lines, "jsonl")
    assert (rejects, content(copy)) == ([], content(store))
    assert isinstance(store.freeze(), Snapshot)


@pytest.mark.parametrize("written", ["odd = 0.0 / 0.0", "`odd one` = 1"])
def test_a_check_names_what_cannot_even_be_read_so(store: BoltStore, written: str) -> None:
    store.execute(f"MATCH (n:Entity {{key: 'b'}}) SET n.{written}")  # type: ignore[arg-type]
    (fault,) = check_graph(store)
    assert (fault.kind, fault.where) == ("unreadable", "b")
    assert "odd" in fault.what
