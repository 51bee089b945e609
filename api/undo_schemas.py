"""What the doors of Umbra speak about undo, history and differences."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool

from api.proof_schemas import Model
from kg.model import EntityKey
from kg.upkeep.undo import Undo

__all__ = [
    "ChangedOut",
    "DiffOut",
    "EventOut",
    "HistoryOut",
    "UndoIn",
    "UndoOut",
    "ValueChangeOut",
    "ValueOut",
]

Value = str | int | float | bool | tuple[str | int | float | bool, ...]
Name = Annotated[str, Field(min_length=1, max_length=2000)]


class UndoIn(Model):
    """What to take back: a source, a job, or an edge.

    Attributes:
        source: A file, document, image hash or person, as records name it.
        job: Id of a job.
        edge: Head, relation and tail.
        confirm: Do it; without this it is only said what would go.
    """

    source: Name | None = None
    job: Name | None = None
    edge: tuple[Name, Name, Name] | None = None
    confirm: StrictBool = False

    def what(self) -> Undo:
        """Return what is named.

        Raises:
            InputError: It is not exactly one thing.
        """
        edge = None
        if self.edge is not None:
            head, relation, tail = self.edge
            edge = (EntityKey(head), relation, EntityKey(tail))
        return Undo(source=self.source, job=self.job, edge=edge)


class UndoOut(Model):
    """What went, or would go.

    Attributes:
        done: Whether it was done.
        records: Records that go.
        derived: How many of them come from elsewhere and were only derived from what goes.
        edges_gone: Edges that go.
        edges_kept: Edges that lose records and stay.
        entities_gone: Entities and parts that go.
        entities_kept: Entities that lose records and stay.
        values_back: Values of what stays that are again what they were written over.
        values_gone: Values of what stays that only what goes has written.
        examples: Some of what goes: edges, then keys of entities.
        values: Some values that change: of what, which, then and now.
        brought_back_by: File that `umbra build` brings it back from; over REST as it is called
            below the server's working folder.
    """

    done: bool
    records: int
    derived: int
    edges_gone: int
    edges_kept: int
    entities_gone: int
    entities_kept: int
    values_back: int = 0
    values_gone: int = 0
    examples: tuple[str, ...]
    values: tuple[str, ...] = ()
    brought_back_by: str | None = None


class ValueOut(Model):
    """A value that a record wrote.

    Attributes:
        name: Of the attribute; an entity's own fields are ``.name``, ``.aliases``, ``.images`` (by
            their hashes) and ``.part`` (the entity it is a part of).
        value: The value.
        holds: Whether it is the value now; False if another was written over it.
    """

    name: str
    value: Value
    holds: bool = True


class EventOut(Model):
    """One reason to believe something of an entity, or the end of one.

    Attributes:
        at: When, in ISO 8601: as the record says it, or when its job was submitted.
        event: What became of it.
        about: The entity's key, or an edge as ``head relation tail``.
        kind: Kind of the record.
        source: Its source.
        locator: Where in the source.
        text: The words that carry it.
        job: Its job.
        model: Its model.
        probability: Its probability.
        derived_from: What it rests on.
        values: What it wrote; several records of an entity that an earlier version kept wrote each
            of its values, as far as is known.
    """

    at: str | None
    event: str
    about: str
    kind: str
    source: str
    locator: str | None = None
    text: str | None = None
    job: str | None = None
    model: str | None = None
    probability: float = 1.0
    derived_from: tuple[str, ...] = ()
    values: tuple[ValueOut, ...] = ()


class HistoryOut(Model):
    """All that is known of how an entity and its edges came to be, oldest first.

    Attributes:
        key: The entity.
        present: Whether it is in the graph now.
        events: What happened; those without a time come first.
        truncated: Whether there are more after these.
        next: Cursor: send it as `after` for them.
    """

    key: str
    present: bool
    events: tuple[EventOut, ...]
    truncated: bool
    next: str | None = None


class ValueChangeOut(Model):
    """A value of an entity that both graphs have, or the probability of such an edge.

    Attributes:
        of: The entity's key, or an edge as ``head relation tail``.
        name: Of the attribute; ``.label``, ``.name``, ``.parent`` (of a part) and ``.probability``
            (of an edge) are no attributes.
        then: In the older graph; null if it had none.
        now: In the newer one, likewise.
    """

    of: str
    name: str
    then: Value | None
    now: Value | None


class ChangedOut(Model):
    """How one kind of thing differs.

    Attributes:
        added: How many only the newer graph has.
        removed: How many only the older one has.
        changed: How many both have, with other values.
        examples: Some of each, with ``+``, ``-`` or ``~`` before them.
        values: What differs in those of them that were changed.
    """

    added: int
    removed: int
    changed: int
    examples: tuple[str, ...]
    values: tuple[ValueChangeOut, ...] = ()


class DiffOut(Model):
    """How two graphs differ.

    Attributes:
        old: The older one.
        new: The newer one.
        entities: By key: label, name, attributes and the entity of a part.
        edges: By head, relation and tail: their best probability. Snapshots hold no more of them.
        next: Cursor of more examples: send it as `after`.
    """

    old: str
    new: str
    entities: ChangedOut
    edges: ChangedOut
    next: str | None = None
