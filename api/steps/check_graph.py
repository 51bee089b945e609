"""The check of a working folder: its graph, and what was made from it and lies beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kg.errors import EngineError
from kg.progress import Progress, silent
from kg.upkeep.check import KINDS, Fault, check_graph

if TYPE_CHECKING:
    from api.engine import Engine
    from api.workspace import Workspace

__all__ = ["MEANINGS", "check_folder"]

_BESIDE = {
    "snapshot-broken": "a snapshot cannot be opened, or its arrays are not those of its hash",
    "snapshot-ahead": "a snapshot was made of a later state than the store has: writes were lost",
    "ledger-broken": "the file of the job ledger is damaged",
    "output-lost": "the output of a finished shard was deleted or changed",
}
MEANINGS = {**KINDS, **_BESIDE}
"""What each kind of fault means."""


def check_folder(engine: Engine, *, progress: Progress = silent) -> list[Fault]:
    """Return every fault of a working folder; nothing is changed.

    Args:
        engine: Opened on the folder.
        progress: Told image files read.

    Raises:
        MissingPartError: There is no graph yet.
    """
    engine.workspace.require()
    found = check_graph(engine.store, engine.images, progress=progress)
    return [*found, *_snapshots(engine), *_ledger(engine.workspace)]


def _snapshots(engine: Engine) -> Iterator[Fault]:
    from kg.snapshot import verify_snapshot

    workspace = engine.workspace
    for head in sorted(workspace.snapshot("full").parent.glob("*/snapshot.json")):
        name = head.parent.name
        try:
            verify_snapshot(head.parent)
            step = f"snapshot-{name}"
            stamp = workspace.recorded(step) if workspace.step(step).exists() else {}
        except EngineError as error:
            yield Fault(kind="snapshot-broken", where=name, what=error.what)
            continue
        made_of, now = stamp.get("store_version", 0), engine.store.version
        if made_of > now:
            what = f"of version {made_of}, the store has {now}"
            yield Fault(kind="snapshot-ahead", where=name, what=what)


def _ledger(workspace: Workspace) -> Iterator[Fault]:
    from kg.ledger import Ledger
    from kg.ledger_repair import lost_outputs

    if not workspace.ledger.exists():
        return
    try:
        with Ledger(workspace.ledger) as ledger:
            for complaint in ledger.complaints():
                yield Fault(kind="ledger-broken", where=workspace.ledger.name, what=complaint)
            for job in ledger.jobs():
                for shard in lost_outputs(ledger, job.id):
                    what = f"shard {shard.number}; `umbra jobs resume {job.id}` does it again"
                    yield Fault(kind="output-lost", where=job.id, what=what)
    except EngineError as error:
        yield Fault(kind="ledger-broken", where=workspace.ledger.name, what=error.what)
