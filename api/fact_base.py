"""What an accepted edge rests on, where whoever accepts it does not say."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kg.errors import EngineError
from kg.model import Edge, EdgeKey

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = ["base_of"]

_GUESSED = ("linked", "generated")


def base_of(engine: Engine, edge: EdgeKey) -> tuple[str, ...]:
    """Return the names that a record of somebody who accepts an edge is derived from.

    Of an edge that was linked or seen: the sources of those records, and what they rest on. Of one
    that the model predicts: the edges by which its strongest rule fires, as the proof shows it.
    An edge that a source asserts, or that nothing speaks for, rests on the person alone.

    Args:
        engine: Whose graph and model.
        edge: Head, relation, tail.
    """
    head, relation, tail = edge
    found = next(engine.store.edges(head=head, relation=relation, tail=tail), None)
    if found is not None:
        return _of_records(found)
    with suppress(EngineError):  # without a model that fits, a person can accept all the same
        chosen, _ = engine.answerer("symbolic")
        reasons = getattr(chosen, "reasons", None)
        for reason in () if reasons is None else reasons(head, relation, tail):
            if facts := getattr(reason, "facts", ()):
                return tuple(" ".join(fact) for fact in facts)
    return ()


def _of_records(edge: Edge) -> tuple[str, ...]:
    guessed = [record for record in edge.provenance if record.kind in _GUESSED]
    if any(record.kind == "asserted" for record in edge.provenance):
        return ()
    return tuple({name for one in guessed for name in (one.source, *one.derived_from)})
