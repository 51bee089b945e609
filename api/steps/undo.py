"""The step that takes back what came from a source, a job or an edge.

What goes is first written to a file that brings it back, and only then taken from the store, so a
kill between the two loses nothing. Jobs that wrote it are freed: the same import or linking, asked
for again, writes it again instead of taking it for done.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.steps.history import shown_value
from api.undo_schemas import UndoOut
from kg.model import Edge, Entity
from kg.upkeep.undo import Undo, UndoPlan, plan_undo, undo

if TYPE_CHECKING:
    from api.engine import Engine
    from api.workspace import Workspace

__all__ = ["undo_in_graph"]

SHOWN = 20
"""Names of what goes that are shown."""
_IMPORTS = ("import-entities", "import-edges")


def undo_in_graph(engine: Engine, what: Undo, *, confirm: bool = False) -> UndoOut:
    """Take back, or say what would go.

    Args:
        engine: Whose graph.
        what: What is taken back.
        confirm: Do it; without this nothing is changed.

    Returns:
        What goes, and the file that brings it back: `umbra build FILE`.

    Raises:
        MissingPartError: There is no graph yet.
        StoreError: The store failed; nothing is taken back.
        OSError: The file cannot be written; nothing is taken back.
    """
    engine.workspace.require()
    what = _whole(engine.workspace, what)
    if not confirm:
        return _told(plan_undo(engine.store, what), done=False)
    kept: list[Path] = []

    def keep(plan: UndoPlan) -> None:
        if not plan.is_empty:
            kept.append(_keep(plan, engine.workspace.undone))

    plan = undo(engine.store, what, before=keep)
    _free_jobs(engine.workspace, what)
    engine.forget()
    return _told(plan, done=True, kept=kept[0] if kept else None)


def _whole(workspace: Workspace, what: Undo) -> Undo:
    """Return the job that stands in the records of an import, where its other one is named."""
    from kg.ledger import Ledger

    if what.job is None or not workspace.ledger.exists():
        return what
    with Ledger(workspace.ledger) as ledger:
        told = {job.id: job for job in ledger.jobs()}
    named = told.get(what.job)
    if named is None or named.kind != "import-edges":
        return what
    same = (
        job.id
        for job in told.values()
        if job.kind == "import-entities" and job.parameters == named.parameters
    )
    return replace(what, job=next(same, what.job))


@dataclass(frozen=True, slots=True)
class _Taken:
    """What an undo takes, as a graph that can be written."""

    plan: UndoPlan

    def entities(self) -> Iterator[Entity]:
        return self.plan.taken_entities()

    def edges(self) -> Iterator[Edge]:
        return self.plan.taken_edges()


def _keep(plan: UndoPlan, folder: Path) -> Path:
    from kg.files import atomic_write, sha256_of_text
    from kg.graph_formats.lines import graph_lines

    moment = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
    path = folder / f"{moment}-{sha256_of_text(repr(plan.what))[:8]}.jsonl"
    with atomic_write(path) as file:
        file.writelines(graph_lines(_Taken(plan)))
    return path


def _free_jobs(workspace: Workspace, what: Undo) -> None:
    """Let the jobs that may have written it write again; doing so twice changes nothing."""
    from kg.ledger import Ledger

    if not workspace.ledger.exists():
        return
    with Ledger(workspace.ledger) as ledger:
        for job in list(ledger.jobs()):
            if job.kind in _IMPORTS or job.id == what.job:
                ledger.retry(job.id, everything=True)


def _change(of: str, name: str, then: Any, now: Any) -> str:
    none = "its key" if name == ".name" else "nothing"
    after = none if now is None else shown_value(now)
    return f"{of} {name}: {shown_value(then)!s:.80} -> {after!s:.80}"


def _told(plan: UndoPlan, *, done: bool, kept: Path | None = None) -> UndoOut:
    names = [" ".join(edge.key) for edge in plan.edges_gone[:SHOWN]]
    names += [row.key for row in plan.entities_gone[:SHOWN]]
    values = list(plan.values())
    gone = sum(now is None for *_, now in values)
    return UndoOut(
        done=done,
        records=plan.records,
        derived=plan.derived,
        edges_gone=len(plan.edges_gone),
        edges_kept=len(plan.edges_kept),
        entities_gone=len(plan.entities_gone),
        entities_kept=len(plan.entities_kept),
        values_back=len(values) - gone,
        values_gone=gone,
        examples=tuple(names),
        values=tuple(starmap(_change, values[:SHOWN])),
        brought_back_by=None if kept is None else str(kept),
    )
