"""The desk at which people accept or reject single edges, such as those that a model predicts.

An accepted edge enters the graph with a record of who said so, under a job of its own, so that it
can be withdrawn again. A rejected one is kept as a verdict: a question leaves it out where it is
named in `without`, and the graph's own records stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from api.edge_texts import NamedEntities
from api.fact_base import base_of
from api.fact_schemas import FactIn, FactOut, FactsOut
from api.steps.undo import SHOWN, keep_taken
from kg.errors import ConflictError, InputError
from kg.model import Edge, EdgeKey
from kg.provenance import Provenance
from kg.withdrawal import Withdrawal

if TYPE_CHECKING:
    from api.engine import Engine
    from linkers.review.journal import Journal

__all__ = ["FactDesk"]


class FactDesk:
    """Verdicts on the edges of an engine's graph, kept in `Workspace.facts`.

    Args:
        engine: Whose graph.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from api.engine import Engine
        >>> from api.workspace import Workspace
        >>> FactDesk(Engine(Workspace(Path(tempfile.mkdtemp())))).facts()
        FactsOut(facts=(), next=None)
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.RLock()
        self._journal: Journal | None = None
        self._last: dict[EdgeKey, dict[str, Any]] = {}
        self._numbers: dict[EdgeKey, int] = {}  # of the last verdicts, from 1 in the file's order
        self._read = 0

    def facts(self, *, limit: int | None = None, after: int | None = None) -> FactsOut:
        """Return the verdicts that hold, the latest first, or a page of them.

        What is decided between two pages stands before the first of them and shifts none.

        Args:
            limit: Most verdicts; all if not given.
            after: The `next` of the page before.
        """
        with self._lock:
            self._catch_up()
            held = [
                (self._numbers[edge], row)
                for edge, row in reversed(self._last.items())
                if row["verdict"] != "undo" and (after is None or self._numbers[edge] < after)
            ]
            page = held if limit is None else held[:limit]
            return FactsOut(
                facts=tuple(FactOut.model_validate(row) for _, row in page),
                next=page[-1][0] if 0 < len(page) < len(held) else None,
            )

    def decide(self, asked: FactIn) -> FactOut:
        """Keep a verdict and do it to the graph; the same one again changes nothing.

        The graph comes first and the line second: a process killed between the two leaves a verdict
        that is simply given again.

        Raises:
            UnknownEntityError: No entity has such a key or name.
            UnknownRelationError: No edge of the graph has the relation.
            InputError: An edge that it rests on is not in the graph.
            ConflictError: There is no verdict to undo.
        """
        named = NamedEntities(self._engine.snapshot)
        edge = named.edge((asked.head, asked.relation, asked.tail))
        base = tuple(map(named.edge, asked.because or ()))
        self._require(base)
        with self._lock, self._opened().writing():
            self._catch_up()
            before = self._last.get(edge)
            if before is not None and before["verdict"] == asked.verdict and self._holds(before):
                return FactOut.model_validate(before)
            if before is None and asked.verdict == "undo":
                raise ConflictError("there is no verdict on this edge", where=" ".join(edge))
            names = tuple(" ".join(one) for one in base)
            if asked.verdict == "accept" and asked.because is None:
                names = base_of(self._engine, edge)
            at = datetime.now(UTC).isoformat(timespec="seconds")
            done = self._apply(edge, asked, names, at)
            row = self._row(edge, asked, base) | {"at": at, "rests_on": sorted(set(names)), **done}
            self._opened().append(row)
            self._catch_up()
            return FactOut.model_validate(row)

    def _require(self, edges: Sequence[EdgeKey]) -> None:
        store = self._engine.store
        for head, relation, tail in edges:
            if next(store.edges(head=head, relation=relation, tail=tail), None) is None:
                raise InputError(
                    "an edge that a fact rests on is not in the graph",
                    where=f"{head} {relation} {tail}",
                    hint="name known edges",
                )

    def _holds(self, row: dict[str, Any]) -> bool:
        """Tell whether a verdict is done to the graph: an undo may have taken its edge back."""
        if row["verdict"] != "accept":
            return True
        edge = (row["head"], row["relation"], row["tail"])
        found = self._engine.store.edges(head=edge[0], relation=edge[1], tail=edge[2])
        return any(one.job == _job_of(edge) for held in found for one in held.provenance)

    def _apply(
        self, edge: EdgeKey, asked: FactIn, names: tuple[str, ...], at: str
    ) -> dict[str, Any]:
        """Do a verdict to the graph; return what went with what it takes away."""
        store, job = self._engine.store, _job_of(edge)
        if asked.verdict != "accept":
            return self._withdraw(edge, Withdrawal(job=job))
        record = Provenance(
            kind="accepted",
            source=asked.who,
            text=asked.comment,
            job=job,
            at=at,
            derived_from=names,
        )
        head, relation, tail = edge
        store.upsert_edges([Edge(head=head, relation=relation, tail=tail, provenance=(record,))])
        return {}

    def _withdraw(self, edge: EdgeKey, what: Withdrawal) -> dict[str, Any]:
        undone, own = self._engine.workspace.undone, " ".join(edge)
        with self._engine.store.transaction() as writer:
            taken = writer.withdrawn(what)
            told = [line for line in taken.told() if line != own]
            file = keep_taken(taken, own, undone) if taken.derived else None
            taken.apply(writer)
        kept = None if file is None else f"{undone.name}/{file.name}"
        return {"gone": told[:SHOWN], "brought_back_by": kept}

    def _row(self, edge: EdgeKey, asked: FactIn, base: Sequence[EdgeKey]) -> dict[str, Any]:
        snapshot = self._engine.snapshot
        head, relation, tail = edge
        names = {
            f"{end}_name": snapshot.names[position]
            for end, key in (("head", head), ("tail", tail))
            if (position := snapshot.entities.get(key)) is not None
        }
        return {
            "head": head,
            "relation": relation,
            "tail": tail,
            **names,
            "verdict": asked.verdict,
            "who": asked.who,
            "comment": asked.comment,
            "because": base,
        }

    def _opened(self) -> Journal:
        if self._journal is None:
            from linkers.review.journal import Journal

            self._journal = Journal(self._engine.workspace.facts)
        return self._journal

    def _catch_up(self) -> None:
        """Take in what this process or another has written since."""
        for row in self._opened().news():
            edge = (row["head"], row["relation"], row["tail"])
            self._last.pop(edge, None)  # the latest stands last
            self._last[edge] = row
            self._read += 1
            self._numbers[edge] = self._read


def _job_of(edge: EdgeKey) -> str:
    """Return the job under which an accepted edge stands; it is the edge's alone."""
    return f"fact-{hashlib.sha256(json.dumps(edge).encode()).hexdigest()[:16]}"
