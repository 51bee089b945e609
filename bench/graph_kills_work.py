"""What is killed: one run of each operation, as `umbra` does it, with its acknowledgements.

A line is logged after the store's answer, so what the log holds was acknowledged. Before a write
that may not be done twice a line says that it is asked for.
"""

from __future__ import annotations

import json
import os
import signal
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.engine import Engine
from api.settings import Settings
from api.steps.build import build_graph
from api.workspace import Workspace
from bench.graph_kills_facts import COUNTER, Acks, edges_of, entities_of, setup
from kg.backends import open_store
from kg.backends.bolt import BoltStore
from kg.engine_command import LauncherConfig
from kg.full_text import FullTextIndex
from kg.graph_formats.plain import edge_fields, entity_fields
from kg.ledger import Ledger
from kg.store_folder import store_identity
from kg.upkeep.backup import write_backup
from linkers.link_edges import LinkEdges
from linkers.pipeline import LinkTask, run_link_job
from linkers.protocols import MentionLinker

__all__ = ["LAUNCHER", "OPERATIONS", "World", "begin", "folder_of", "opened", "unpacked_store"]

LAUNCHER = LauncherConfig(idle_timeout_s=120, heap="256m", start_timeout_s=180)
GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "formats"
CHUNK = 6
SHARD_ROWS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What all runs share.

    Attributes:
        folder: The working folder that they write to.
        linker: Links mentions.
        rows: A table of mentions, the same for every linking job.
        names: Names of the entities that mentions may mean.
    """

    folder: Path
    linker: MentionLinker
    rows: list[dict[str, Any]]
    names: list[str]

    @property
    def log(self) -> Path:
        """The acknowledgements since the folder was begun."""
        return self.folder / "acknowledged.log"


Begun = Callable[[], None]


def folder_of(world: World, run: str) -> Path:
    """Return the working folder of a run: migrations have one each."""
    return world.folder / run if run.startswith("migration") else world.folder


@contextmanager
def opened(world: World, run: str) -> Iterator[Engine]:
    """Open the store of a run, starting its engine if it does not run."""
    workspace = Workspace(folder_of(world, run))
    with open_store(workspace.graph, launcher=LAUNCHER) as store:
        yield Engine(workspace, settings=Settings(), store=store)


def begin(world: World) -> None:
    """Fill a new folder with what lies there before the first run."""
    Workspace(world.folder).create()
    with opened(world, "setup") as engine:
        engine.store.upsert_entities(setup(world.names))


def unpacked_store(world: World, run: str) -> None:
    """Lay out a store of the first format where a migration will find it."""
    place = Workspace(folder_of(world, run))
    place.create()
    if not place.graph.exists():
        with tarfile.open(GOLDEN / "store-1.tar.gz") as archive:
            archive.extractall(place.graph, filter="data")


def _load(world: World, run: str, ack: Acks, begun: Begun) -> None:
    """Load rows: odd runs by `umbra build` of a file, even ones by the store's own bulk load."""
    entities, edges = entities_of(run), edges_of(run)
    lines = [f"entity {row.key}" for row in entities]
    lines += [f"edge {' '.join(edge.key)}" for edge in edges]
    told = 0

    def progress(done: int, _total: int) -> None:
        nonlocal told
        ack(*lines[told:done])
        told = max(told, done)

    with opened(world, run) as engine:
        begun()
        if int(run.partition("-")[2]) % 2 == 0 and isinstance(engine.store, BoltStore):
            engine.store.bulk_load(entities, edges, chunk=CHUNK, progress=progress)
            return
        path = world.folder / f"{run}.jsonl"
        rows = [{"entity": entity_fields(row)} for row in entities]
        rows += [{"edge": edge_fields(edge)} for edge in edges]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        build_graph(engine, path, format_name="jsonl")
        progress(len(lines), len(lines))


def _upsert(world: World, run: str, ack: Acks, begun: Begun) -> None:
    """Write as a busy client does: a transaction, an upsert, a write that counts."""
    entities, edges = entities_of(run), edges_of(run)
    with opened(world, run) as engine:
        store = engine.store
        begun()
        for number in range(0, len(entities), 2):
            pair, edge = entities[number : number + 2], edges[number]
            with store.transaction() as writer:
                writer.upsert_entities(pair)
                writer.upsert_edges([edge])
            ack(*(f"entity {row.key}" for row in pair), f"edge {' '.join(edge.key)}")
            if number:
                store.upsert_edges([edges[number - 1]])
                ack(f"edge {' '.join(edges[number - 1].key)}")
            ack("asked")
            store.execute("MATCH (c:Counter {key: $key}) SET c.n = c.n + 1", {"key": COUNTER})
            ack("counted")


def _link(world: World, run: str, ack: Acks, begun: Begun) -> None:
    """Link a table of mentions and write the edges, as `umbra link run --write-graph` does."""
    mentions = world.folder / f"{run}.mentions.jsonl"
    mentions.write_text("".join(json.dumps(row) + "\n" for row in world.rows))
    task = LinkTask(
        mentions=mentions,
        output=world.folder / f"{run}.links.jsonl",
        rejects=world.folder / f"{run}.rejects.jsonl",
        shard_rows=SHARD_ROWS,
        edges=LinkEdges(head="page:{page}", relation="mentions"),
    )
    told = 0

    def progress(done: int, _total: int) -> None:
        nonlocal told
        ack(*(f"linked {run} {row['id']}" for row in world.rows[told:done]))
        told = max(told, done)

    with opened(world, run) as engine, Ledger(engine.workspace.ledger) as ledger:
        begun()
        run_link_job(world.linker, task, ledger=ledger, store=engine.store, progress=progress)
        ack(f"output {run}")


def _index(world: World, run: str, ack: Acks, begun: Begun) -> None:
    """Write and search in turns: each search finds the index behind and makes it anew."""
    with opened(world, run) as engine:
        folder = engine.workspace.indexes / "full-text"
        identity = store_identity(engine.workspace.graph) or ""
        index = FullTextIndex(engine.store, folder, identity=identity)
        begun()
        for row in entities_of(run):
            engine.store.upsert_entities([row])
            ack(f"entity {row.key}")
            found = index.search(row.aliases[0])
            if not found or found[0].key != row.key:
                raise RuntimeError(f"the index does not find {row.key}")
            ack(f"indexed {row.key}")


def _backup(world: World, run: str, ack: Acks, begun: Begun) -> None:
    """Back the graph up again and again, while another process writes."""
    with opened(world, run) as engine:
        begun()
        writer = os.fork()
        if writer == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            try:
                with opened(world, run) as own:
                    for row in entities_of(run):
                        own.store.upsert_entities([row])
                        ack(f"entity {row.key}")
            finally:
                os._exit(0)
        try:
            for _ in range(3):
                manifest = write_backup(engine.store, engine.images, world.folder / f"{run}.zip")
                ack(f"kept {run} {manifest.entities} {manifest.edges}")
            os.waitpid(writer, 0)
        except BaseException:
            with suppress(ProcessLookupError):
                os.kill(writer, signal.SIGKILL)
            os.waitpid(writer, 0)
            raise


def _migration(world: World, run: str, ack: Acks, begun: Begun) -> None:
    """Open a store of the first format, which raises it, and write to it."""
    begun()
    with opened(world, run) as engine:
        for row in entities_of(run):
            engine.store.upsert_entities([row])
            ack(f"entity {row.key}")


OPERATIONS: dict[str, Callable[[World, str, Acks, Begun], None]] = {
    "load": _load,
    "upsert": _upsert,
    "link": _link,
    "index": _index,
    "backup": _backup,
    "migration": _migration,
}
