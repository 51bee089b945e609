"""The step that takes back what came from a source, a job or an edge.

What goes is first written to a file that brings it back, and only then taken from the store, so a
kill between the two loses nothing. Jobs that wrote it are freed: the same import or linking, asked
for again, writes it again instead of taking it for done.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import islice, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.steps.history import shown_value
from api.undo_schemas import UndoOut
from kg.upkeep.undo import Undo, UndoPlan, plan_undo, undo

if TYPE_CHECKING:
    from api.engine import Engine
    from api.workspace import Workspace
    from kg.taken import Taken

__all__ = ["SHOWN", "keep_taken", "undo_in_graph"]

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
            kept.append(keep_taken(plan, repr(what), engine.workspace.undone))

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


def keep_taken(taken: Taken, about: str, folder: Path) -> Path:
    """Write what is taken to a file that brings it back: `umbra build FILE`.

    Args:
        taken: What is taken.
        about: For whose sake, for the name of the file.
        folder: Where such files lie.
    """
    from kg.files import atomic_write, sha256_of_text
    from kg.graph_formats.lines import graph_lines

    moment = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
    once = sha256_of_text(f"{about} {time.time_ns()}")  # two of one second stay two files
    path = folder / f"{moment}-{once[:8]}.jsonl"
    with atomic_write(path) as file:
        file.writelines(graph_lines(taken))
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
        examples=tuple(islice(plan.told(), SHOWN)),
        values=tuple(starmap(_change, values[:SHOWN])),
        brought_back_by=None if kept is None else str(kept),
    )
