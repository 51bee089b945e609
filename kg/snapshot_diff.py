"""How two snapshots differ: entities by key, edges by head, relation and tail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kg.model import AttributeValue, EdgeKey, EntityKey
from kg.snapshot import Snapshot

__all__ = ["SnapshotDiff", "ValueChange", "diff_snapshots"]

Value = AttributeValue | None


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value of an entity that both snapshots have.

    Attributes:
        name: Of the attribute; ``.label``, ``.name`` and ``.parent`` are the entity's own.
        then: In the older one; None if it had none.
        now: In the newer one, likewise.
    """

    name: str
    then: Value
    now: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotDiff:
    """What differs, in order of keys.

    Attributes:
        entities_added: Keys that only the newer one has.
        entities_removed: Keys that only the older one has.
        entities_changed: Keys of both whose label, name, attributes or parent differ, each with
            what differs, in the order of names.
        edges_added: Edges that only the newer one has.
        edges_removed: Edges that only the older one has.
        edges_changed: Edges of both with their probabilities then and now, which differ.
    """

    entities_added: tuple[EntityKey, ...]
    entities_removed: tuple[EntityKey, ...]
    entities_changed: tuple[tuple[EntityKey, tuple[ValueChange, ...]], ...]
    edges_added: tuple[EdgeKey, ...]
    edges_removed: tuple[EdgeKey, ...]
    edges_changed: tuple[tuple[EdgeKey, float, float], ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not any(getattr(self, name) for name in self.__slots__)


def diff_snapshots(old: Snapshot, new: Snapshot) -> SnapshotDiff:
    """Compare two snapshots; their dense ids need not agree.

    Args:
        old: The older one.
        new: The newer one.

    Example:
        >>> from kg.snapshot import build_snapshot
        >>> diff_snapshots(build_snapshot([], []), build_snapshot([], [])).is_empty
        True
    """
    before, after = dict(_entities(old)), dict(_entities(new))
    edges, later = dict(_edges(old)), dict(_edges(new))
    both = sorted(before.keys() & after.keys())
    changed = ((key, _differing(before[key], after[key])) for key in both)
    return SnapshotDiff(
        entities_added=tuple(sorted(after.keys() - before.keys())),
        entities_removed=tuple(sorted(before.keys() - after.keys())),
        entities_changed=tuple((key, values) for key, values in changed if values),
        edges_added=tuple(sorted(later.keys() - edges.keys())),
        edges_removed=tuple(sorted(edges.keys() - later.keys())),
        edges_changed=tuple(
            (key, edges[key], later[key])
            for key in sorted(edges.keys() & later.keys())
            if edges[key] != later[key]
        ),
    )


def _entities(snapshot: Snapshot) -> Iterator[tuple[EntityKey, dict[str, Value]]]:
    """Iterate keys with what is known of each; what belongs to the entity itself has a ``.``."""
    keys, labels = list(snapshot.entities), list(snapshot.labels)
    columns = snapshot.attributes.items()
    for position, key in enumerate(keys):
        parent = int(snapshot.parents[position])
        values: dict[str, Value] = {
            ".label": labels[snapshot.label_ids[position]],
            ".name": snapshot.names[position],
            ".parent": None if parent < 0 else keys[parent],
        }
        yield EntityKey(key), values | {n: c[position] for n, c in columns if position in c}


def _edges(snapshot: Snapshot) -> Iterator[tuple[EdgeKey, float]]:
    keys, names = list(snapshot.entities), list(snapshot.relation_names)
    rows = zip(
        snapshot.heads.tolist(),
        snapshot.relations.tolist(),
        snapshot.tails.tolist(),
        snapshot.probabilities.tolist(),
        strict=True,
    )
    for head, relation, tail, probability in rows:
        yield (EntityKey(keys[head]), names[relation], EntityKey(keys[tail])), probability


def _differing(old: dict[str, Value], new: dict[str, Value]) -> tuple[ValueChange, ...]:
    pairs = ((name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys()))
    return tuple(ValueChange(name, then, now) for name, then, now in pairs if then != now)
