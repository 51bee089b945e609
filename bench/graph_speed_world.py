"""The graphs that `bench.graph_speed` measures on, and the engine bare: no Umbra between."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kg.backends.loading import ENTITY_ROWS, ROWS
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance

if TYPE_CHECKING:
    from kg.backends.embedded import EmbeddedLink

__all__ = [
    "ATTACH",
    "HOPS",
    "RECORDS",
    "UPSERT",
    "World",
    "bare_load",
    "folder_bytes",
    "in_turn",
    "resident_mb",
    "timed",
]

RECORDS = (Provenance(kind="asserted", source="made", locator="row 1"),)
HOPS = {
    "point read in Cypher": "MATCH (n:Entity {key: $key}) RETURN n.name",
    "1 hop": "MATCH (:Entity {key: $key})-[r]->(t) RETURN type(r), t.key LIMIT 100",
    "2 hops": "MATCH (:Entity {key: $key})-->()-->(t) RETURN count(t)",
    "3 hops": "MATCH (:Entity {key: $key})-->()-->()-->(t) RETURN count(t)",
}
UPSERT = """
UNWIND $rows AS row MATCH (h:Entity {key: row.head}) MATCH (t:Entity {key: row.tail})
MERGE (h)-[r:relation_0]->(t) SET r._records = row.records
"""
ATTACH = """
import sys, time
from pathlib import Path
from kg.backends import open_store
import kg.backends.bolt, kg.backends.embedded, neo4j
started = time.perf_counter()
with open_store(Path(sys.argv[1])) as store:
    opened = time.perf_counter()
    store.version
    print(opened - started, time.perf_counter() - started)
"""


@dataclass(frozen=True, slots=True)
class World:
    """A graph with hubs: distinct edges whose ends and relations are drawn by a power law.

    Attributes:
        num_entities: How many.
        triples: ``(n, 3)`` int32, head, relation and tail, shuffled.
    """

    num_entities: int
    triples: NDArray[np.int32]

    @classmethod
    def made(cls, entities: int, edges: int, relations: int, *, seed: int) -> World:
        """Draw a graph; a graph with fewer possible edges than wanted gets fewer."""
        rng = np.random.default_rng(seed)
        sizes = np.array([entities, relations, entities])
        drawn = (rng.random((round(edges * 1.1) + 100, 3)) ** 2 * sizes).astype(np.int64)
        codes = np.unique((drawn[:, 0] * relations + drawn[:, 1]) * entities + drawn[:, 2])
        codes = rng.permutation(codes)[:edges]
        heads, rest = np.divmod(codes, relations * entities)
        return cls(entities, np.stack([heads, *np.divmod(rest, entities)], 1).astype(np.int32))

    @property
    def relations(self) -> set[str]:
        """Names of the relations."""
        return {f"relation_{n}" for n in np.unique(self.triples[:, 1]).tolist()}

    def entities(self) -> Iterator[Entity]:
        """Iterate the entities."""
        for n in range(self.num_entities):
            yield Entity(key=EntityKey(f"thing:{n}"), label="Thing", name=f"Thing {n}")

    def edges(self, part: slice = slice(None)) -> Iterator[Edge]:
        """Iterate edges, without holding them."""
        triples = self.triples[part]
        for start in range(0, len(triples), ROWS):
            for h, r, t in triples[start : start + ROWS].tolist():
                yield Edge(
                    head=EntityKey(f"thing:{h}"),
                    relation=f"relation_{r}",
                    tail=EntityKey(f"thing:{t}"),
                    provenance=RECORDS,
                )


def bare_load(link: EmbeddedLink, world: World) -> None:
    """Send a graph to the engine's batch endpoint as lines that are made from its numbers."""
    link.ensure({"Thing"}, world.relations)
    http, ids = link.export(), list[str]()
    for start in range(0, world.num_entities, ENTITY_ROWS):
        some = range(start, min(world.num_entities, start + ENTITY_ROWS))
        found = http.load(link.database, ["\n".join(map(_vertex, some)).encode()])
        ids += [found[str(n)] for n in some]
    records = json.dumps([record.to_json() for record in RECORDS])
    for start in range(0, len(world.triples), ROWS):
        part = world.triples[start : start + ROWS].tolist()
        lines = [
            f'{{"@type":"edge","@class":"relation_{r}","@from":"{ids[h]}","@to":"{ids[t]}",'
            f'"_records":{records}}}'
            for h, r, t in part
        ]
        http.load(link.database, ["\n".join(lines).encode()])


def _vertex(n: int) -> str:
    named = f'"@id":"{n}","key":"thing:{n}","name":"Thing {n}"'
    return f'{{"@type":"vertex","@class":"Thing",{named}}}'


def resident_mb(processes: Sequence[int | str]) -> list[float]:
    """Return the memory of processes (``self`` for this one), in MB."""
    found = []
    for process in processes:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        found.append(int(line.split()[1]) / 1024)
    return found


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def in_turn(ours: Callable[[int], object], bare: Callable[[int], object], times: int) -> Any:
    """Return medians in ms, and the median of the ratios of neighbours, after a warm-up."""
    warm = max(1, times // 5)
    pairs = []
    for n in range(warm + times):
        first, second = (ours, bare) if n % 2 else (bare, ours)
        one, other = timed(lambda f=first, n=n: f(n)), timed(lambda f=second, n=n: f(n))  # type: ignore[misc]
        if n >= warm:
            pairs.append((one, other) if n % 2 else (other, one))
    mine, theirs = zip(*pairs, strict=True)
    return {
        "ours_ms": statistics.median(mine) * 1e3,
        "bare_ms": statistics.median(theirs) * 1e3,
        "ratio": statistics.median(mine) / statistics.median(theirs),
        "times": times,
    }


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
