"""Imports that are interrupted, killed, or share their work lose and double nothing."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace

import pytest

from kg.backends.memory import MemoryStore
from kg.errors import StoreUnavailableError
from kg.import_shards import EntityWork
from kg.import_sources import MappedEntities
from kg.importing import import_mapping
from kg.ledger import Ledger, Shard
from kg.mapping import load_mapping
from tests.kg.import_worker import JournalStore, run
from tests.kg.import_world import ROOT, World

MANY = pytest.mark.slow, pytest.mark.timeout(1200)


def test_a_store_that_fails_passes_its_error_on_and_the_import_can_go_on(world):
    class Flaky(MemoryStore):
        broken = True

        def upsert_edges(self, rows):
            if self.broken:
                raise StoreUnavailableError("gone")
            return super().upsert_edges(rows)

    world.store = Flaky()
    with pytest.raises(StoreUnavailableError, match="gone"):
        world.run()
    world.store.broken = False
    assert world.run().edges == 24


@pytest.mark.parametrize("calls", range(1, 12))
def test_an_interrupt_at_any_shard_and_a_second_run_give_the_same_graph(world, calls):
    whole = MemoryStore()
    with Ledger(world.folder / "other" / "ledger.sqlite") as ledger:
        import_mapping(
            whole,
            world.mapping,
            ledger=ledger,
            images=world.images,
            rejects=world.folder / "other" / "rejects",
        )
    left = [calls]

    def interrupt(_done: int, _total: int) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.run(progress=interrupt)
    report = world.run()
    assert (report.entities, report.edges, report.images) == (14, 24, 12)
    assert world.content() == world.content(whole)


@pytest.mark.parametrize("most", [6, pytest.param(60, marks=MANY)])
def test_kills_at_random_moments_lose_and_double_nothing(tmp_path, most):
    folders = [tmp_path / name for name in ("killed", "whole")]
    for folder in folders:
        folder.mkdir()
        made = World(folder, towns=60)
        (folder / "seals" / "7.png").write_bytes(b"no picture")
        with (folder / "roads.jsonl").open("a") as file:
            file.write('{"from": 1, "to": 99}\n')
        made.ledger.close()
    killed = folders[0]
    command = [sys.executable, str(ROOT / "tests" / "kg" / "import_worker.py"), str(killed)]
    generator, kills, journal = random.Random(1), 0, killed / "journal"
    while kills < most:
        size = journal.stat().st_size if journal.exists() else 0
        child = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
        deadline = time.monotonic() + 30
        while child.poll() is None and time.monotonic() < deadline:
            if journal.exists() and journal.stat().st_size > size:
                break
            time.sleep(0.002)
        time.sleep(generator.uniform(0, 0.08))
        if child.poll() is not None:
            break
        child.send_signal(signal.SIGKILL)
        child.wait()
        kills += 1
    assert kills >= 4, "it was killed at work"
    reports = [run(folder) for folder in folders]
    counts = [(r.entities, r.edges, r.images, r.rejects) for r in reports]
    assert counts == [(62, 120, 59, 2)] * 2
    stores = [JournalStore(folder / "journal") for folder in folders]
    keys = [[entity.key for entity in store.entities()] for store in stores]
    edges = [[edge.key for edge in store.edges()] for store in stores]
    assert keys[0] == keys[1]
    assert edges[0] == edges[1]
    rejects = [(folder / "rejects.jsonl").read_bytes() for folder in folders]
    assert rejects[0] == rejects[1]
    images = [sorted(p.name for p in (folder / "images").rglob("[!.]*")) for folder in folders]
    assert images[0] == images[1]


def test_shards_taken_in_order_read_a_file_once_even_where_another_process_takes_some(tmp_path):
    world = World(tmp_path, towns=300)
    world.ledger.close()
    mapping = load_mapping(world.mapping)
    opened: list[str] = []
    source = mapping.entities[0].source

    class Counted(type(source)):
        def records(self):
            opened.append(self.file.name)
            return super().records()

    counted = Counted(**{field.name: getattr(source, field.name) for field in fields(source)})
    tables = [replace(mapping.entities[0], source=counted, image=None)]
    rows = [MappedEntities(table, world.images.add, 301) for table in tables]
    work = EntityWork(rows, world.store, set(), "j")
    shards = [
        Shard(job="j", number=n, parameters={"table": 0, "first": n + 1, "last": n + 1})
        for n in range(301)
    ]
    odd = [work(shard).counts["entities"] for shard in shards[1::2]]
    assert odd == [1] * 150
    assert opened == ["towns.csv"]
    even = [work(shard).counts["entities"] for shard in shards[::2]]
    assert even == [0, *[1] * 150], "the first line is the header"
    assert opened == ["towns.csv"] * 2
    assert sum(1 for _ in world.store.entities()) == 300
