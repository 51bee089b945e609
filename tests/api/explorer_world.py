"""What the explorer's tests look at: the small world, a hub, and a linker that waits to be told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.job_kinds import mentions_of
from api.runner import JobKind, JobRun
from kg.backends.memory import MemoryStore
from kg.model import Edge, Entity, EntityKey
from kg.progress import Progress
from kg.provenance import Provenance
from tests.api.pages import listening
from tests.api.world import WorldEngine, open_world

__all__ = ["HUB", "NEIGHBOURS", "Explorer", "exploring"]

HUB = "country:HUB"
NEIGHBOURS = 100_000


@dataclass
class Linker:
    """Stands in for the linker: everything may be Turkey or Greece, one mention at each step."""

    steps: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __call__(self, run: JobRun, progress: Progress) -> dict[str, Any]:
        """Link the mentions of a run."""
        rows = run.parameters["mentions"]
        mentions_of(run.folder, run.id).write_text("".join(json.dumps(row) + "\n" for row in rows))
        links = []
        for done, row in enumerate(rows):
            while not self.steps.acquire(timeout=0.12):
                progress(done, len(rows))
            candidates = [
                {"entity": key, "score": 0.0, "probability": p, "signals": {"name": p}}
                for key, p in (("country:TR", 0.5), ("country:GR", 0.3))
            ]
            links.append(
                {"mention": row["id"], "state": "review", "entity": "country:TR",
                 "probability": 0.5, "nil_probability": 0.2, "reason": None,
                 "candidates": candidates}
            )  # fmt: skip
        progress(len(rows), len(rows))
        output = run.folder / "links.jsonl"
        output.write_text("".join(json.dumps(link) + "\n" for link in links))
        return {"review": len(rows), "output": output}


@dataclass(frozen=True)
class Explorer:
    """A page that is served, and what stands behind it."""

    address: str
    engine: WorldEngine
    linker: Linker


class HubStore(MemoryStore):
    """The store with one more entity, whose neighbours are made when they are asked for."""

    def entity(self, key: EntityKey) -> Entity | None:
        """Return the hub, or what the store holds."""
        hub = Entity(key=EntityKey(HUB), label="Country", name="Hub")
        return hub if key == HUB else super().entity(key)

    def neighbours(self, key: EntityKey, **options: Any) -> list[Edge]:
        """Return as many of the hub's edges as may be, or what the store holds."""
        if key != HUB:
            return super().neighbours(key, **options)
        relation, direction = options.get("relation"), options.get("direction", "out")
        if relation not in (None, "exports_to") or direction == "in":
            return []
        after = options.get("after")
        begin = 0 if after is None else 1 + int(after[2].removeprefix("leaf:"))
        return [
            Edge(
                head=EntityKey(HUB), relation="exports_to", tail=EntityKey(f"leaf:{n:06}"),
                provenance=(Provenance(kind="asserted", source="hub.csv", locator=f"row {n}"),),
            )
            for n in range(begin, min(NEIGHBOURS, begin + options["limit"]))
        ]  # fmt: skip


@contextmanager
def exploring(folder: Path) -> Iterator[Explorer]:
    """Serve the small world."""
    linker = Linker()
    with (
        open_world(folder, store=HubStore()) as engine,
        listening(engine, job_kinds={"link": JobKind(work=linker)}) as address,
    ):
        yield Explorer(address, engine, linker)
