"""How an entity and its edges came to be: each record, its job's time, its values, what went."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from api.cursors import cursor_of, texts_of
from api.undo_schemas import EventOut, HistoryOut, ValueOut
from kg.claimed import spoken_by
from kg.errors import UnknownEntityError
from kg.model import Edge, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance

if TYPE_CHECKING:
    from pathlib import Path

    from api.engine import Engine
    from api.workspace import Workspace

__all__ = ["history_of", "shown_value"]

SAID: dict[str, str] = {
    "asserted": "a source said so",
    "linked": "a mention was linked",
    "generated": "a model saw it",
    "accepted": "a person accepted it",
}
TAKEN_BACK = "it was taken back"
PLACE = 6
"""Texts that an event is sorted by."""
LONG = 300
"""Characters of one of them, so that no cursor is too long for an address."""


def history_of(
    engine: Engine, key: str, *, limit: int = 200, after: str | None = None
) -> HistoryOut:
    """Return a page of what is known of how an entity and its edges came to be, oldest first.

    The time is that of the record, else when its job was submitted. What was taken back
    (`api.steps.undo`) is told with the time at which it was.

    Args:
        engine: Whose graph.
        key: The entity.
        limit: Most events.
        after: The `next` of the page before.

    Raises:
        UnknownEntityError: Nothing is known of such a key.
        InputError: `after` is no cursor.
    """
    past = None if after is None else texts_of(after, PLACE)
    name = EntityKey(key)
    entity = engine.store.entity(name)
    times = _job_times(engine.workspace)
    events = [*_events_of([] if entity is None else [entity], times)]
    edges = {edge.key: edge for edge in engine.store.edges(head=name)}
    edges |= {edge.key: edge for edge in engine.store.edges(tail=name)}
    events += _events_of([edges[one] for one in sorted(edges)], times)
    for path in sorted(engine.workspace.undone.glob("*.jsonl")):
        events += _taken_back(path, name)
    if entity is None and not events:
        raise UnknownEntityError(key)
    placed = sorted({_place(event, key): event for event in events}.items(), key=itemgetter(0))
    later = [row for row in placed if past is None or row[0] > past]
    more = len(later) > limit
    return HistoryOut(
        key=key,
        present=entity is not None,
        events=tuple(event for _, event in later[:limit]),
        truncated=more,
        next=cursor_of(later[limit - 1][0]) if more else None,
    )


def _place(event: EventOut, key: str) -> tuple[str, ...]:
    """Return what an event is sorted by: its time, the entity before its edges, and its own text.

    Times are whole seconds: what was said and taken back within one was said first. The last part
    tells any two events apart that differ, so that a page goes on where one ended.
    """
    whole = hashlib.sha256(event.model_dump_json().encode()).hexdigest()
    own = "" if event.about == key else event.about
    taken_back = "1" if event.event == TAKEN_BACK else "0"
    texts = (event.at or "", taken_back, own, event.source, event.locator or "")
    return *(text[:LONG] for text in texts), whole


def _events_of(facts: Iterable[Entity | Edge], times: dict[str, str]) -> Iterator[EventOut]:
    for fact in facts:
        for record in fact.provenance:
            at = record.at or times.get(record.job or "")
            yield _event(fact, record, at, SAID[record.kind])


def _event(fact: Entity | Edge, record: Provenance, at: str | None, event: str) -> EventOut:
    return EventOut(
        at=at,
        event=event,
        about=" ".join(fact.key) if isinstance(fact, Edge) else fact.key,
        kind=record.kind,
        source=record.source,
        locator=record.locator,
        text=record.text,
        job=record.job,
        model=record.model,
        probability=record.probability,
        derived_from=record.derived_from,
        values=tuple(
            ValueOut(name=name, value=shown_value(value), holds=holds)
            for name, value, holds in spoken_by(fact, record)
        ),
    )


def shown_value(value: Any) -> Any:
    """Return a value as people read it: pictures by their hashes, a part by its entity."""
    if isinstance(value, ImagePart):
        return value.parent
    if isinstance(value, tuple | list):
        return tuple(item.sha256 if isinstance(item, ImageRef) else item for item in value)
    return value


def _job_times(workspace: Workspace) -> dict[str, str]:
    """Return when each job of the ledger was submitted."""
    from kg.ledger import Ledger

    if not workspace.ledger.exists():
        return {}
    with Ledger(workspace.ledger) as ledger:
        return {
            job.id: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(job.created))
            for job in ledger.jobs()
        }


def _taken_back(path: Path, key: EntityKey) -> Iterator[EventOut]:
    """Iterate what an undo took of an entity and its edges, by the file that brings it back."""
    from kg.graph_formats.lines import facts_in

    day, _, clock = path.stem[:19].partition("T")
    at = f"{day}T{clock.replace('-', ':')}Z"
    for fact in facts_in(path):
        ends = (fact.head, fact.tail) if isinstance(fact, Edge) else (fact.key,)
        if key in ends:
            for record in fact.provenance:
                yield _event(fact, record, at, TAKEN_BACK)
