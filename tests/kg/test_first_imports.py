"""Imports into an empty store: loaded beside it, and the same graph, rejects and resume."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

import kg.import_target
from kg.backends.bolt import BoltStore
from kg.backends.engine_http import EngineHttp
from kg.errors import JobError, StoreError, StoreTransientError
from kg.importing import ImportReport
from tests.kg.import_world import World


@pytest.fixture
def towns(world: World, bolt_store: BoltStore, monkeypatch: pytest.MonkeyPatch) -> World:
    """Towns of which some are wrong, on an empty engine; ten rows are enough for a first load."""
    monkeypatch.setattr(kg.import_target, "FIRST_LOAD_ROWS", 10)
    world.store = bolt_store
    with (world.folder / "towns.csv").open("a") as file:
        file.write("1,Town again,7,S\n,nameless,1,S\n")
    with (world.folder / "roads.jsonl").open("a") as file:
        for road in ({"from": 1, "to": 99}, {"from": 0, "to": 1, "km": 2.5}, {"from": 3}):
            file.write(json.dumps(road) + "\n")
    return world


def by_upserts(world: World, folder: Path) -> tuple[tuple[list, list], ImportReport, list]:
    """What the store in memory is left with, which has no first loads."""
    folder.mkdir()
    other = World(folder)
    for name in ("towns.csv", "roads.jsonl"):
        (folder / name).write_bytes((world.folder / name).read_bytes())
    for seal in (folder / "seals").iterdir():  # an import's job is named by their times, too
        times = (world.folder / "seals" / seal.name).stat()
        os.utime(seal, ns=(times.st_atime_ns, times.st_mtime_ns))
    report = other.run()
    other.ledger.close()
    return other.content(), report, other.rejected()


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return (report.entities, report.edges, report.images, report.rejects)


def loads_by(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the requests to the engine's batch endpoint."""
    sent: list[int] = []
    load = EngineHttp.load

    def noted(
        self: EngineHttp, database: str, lines: Sequence[bytes], **options: int
    ) -> dict[str, str]:
        sent.append(b"".join(lines).count(b"\n"))
        return load(self, database, lines, **options)

    monkeypatch.setattr(EngineHttp, "load", noted)
    return sent


def test_a_first_import_is_a_first_load_and_leaves_what_upserts_leave(
    towns: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, report, rejected = by_upserts(towns, towns.folder / "upserts")
    sent, told = loads_by(monkeypatch), list[tuple[int, int]]()
    assert counts(towns.run(progress=lambda *step: told.append(step))) == counts(report)
    assert sent
    assert (towns.content(), towns.rejected()) == (content, rejected)
    assert told[-1][0] == told[-1][1] > 0
    version, requests = towns.store.version, len(sent)
    assert towns.run().skipped
    assert (towns.store.version, len(sent)) == (version, requests)


@pytest.mark.parametrize("error", [KeyboardInterrupt, JobError])
def test_what_was_loaded_before_an_end_stays_and_the_next_run_goes_on(
    towns: World, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    content, report, rejected = by_upserts(towns, towns.folder / "upserts")
    left = [6]

    def end(_done: int, _total: int) -> None:
        left[0] -= 1
        if not left[0]:
            raise error("planted")

    with pytest.raises(error, match="planted"):
        towns.run(progress=end)
    before = len(towns.content()[0])
    assert before > 0
    sent = loads_by(monkeypatch)
    assert counts(towns.run()) == counts(report)
    assert (towns.content(), towns.rejected(), sent) == (content, rejected, [])


def test_a_first_load_that_failed_or_was_killed_is_done_anew(
    towns: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, report, rejected = by_upserts(towns, towns.folder / "upserts")
    load = EngineHttp.load

    def full(
        self: EngineHttp, database: str, lines: Sequence[bytes], **options: int
    ) -> dict[str, str]:
        if b'"edge"' in b"".join(lines):
            raise StoreError("planted")
        return load(self, database, lines, **options)

    with monkeypatch.context() as patch:
        patch.setattr(EngineHttp, "load", full)
        with pytest.raises(StoreError, match="planted"):
            towns.run()
    assert (towns.content(), towns.store.version) == (([], []), 0)
    # somebody else writes the entity by which a filled store is known
    towns.store.upsert_entities([next(iter(content[0]))])
    assert counts(towns.run()) == counts(report)
    assert (towns.content(), towns.rejected()) == (content, rejected)


def test_a_second_import_waits_for_no_first_load(
    towns: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.backends.embedded.LOAD_WAIT_S", 0.1)
    first = towns.store.first_load()
    assert first is not None
    with first, pytest.raises(StoreTransientError):
        towns.run()
