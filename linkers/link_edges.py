"""Links as edges of the graph: from the entity that a row names to the one its mention means.

All edges of a shard are written in one transaction before the shard is marked. Writing them again
changes nothing, so a kill between the two and a second run give the same graph.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from kg.backends.names import check_relation
from kg.errors import RecordError, StoreTransientError
from kg.formats.records import Record, Reject
from kg.model import Edge, EntityKey
from kg.provenance import Provenance
from kg.store import Store
from kg.templates import Template, look_up
from linkers.model import Link, Mention

__all__ = ["EdgeWriter", "LinkEdges", "LinkedRow"]

_TRIES = 6  # several processes write at the same time, and a store may ask to try again
_NAP_S = 0.05
_KEPT_TEXT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEdges:
    """Which edge a link makes.

    Attributes:
        head: Column with the key of the entity that the edge leaves, or a template of it such as
            ``country:{code}``.
        relation: The edge's relation.

    Raises:
        InputError: The relation is no name, or the template is none.

    Example:
        >>> LinkEdges(head="country:{code}", relation="exports_to").template.fill({"code": "PE"})
        'country:PE'
    """

    head: str
    relation: str

    def __post_init__(self) -> None:
        """Refuse what could make no edge."""
        check_relation(self.relation, where="--relation")
        if not self.template.paths:
            raise RecordError("a head without a column", path="--head", hint="name a column")

    @property
    def template(self) -> Template:
        """How a row names the head."""
        if "{" in self.head:
            return Template.parse(self.head)
        return Template(self.head, ("", self.head, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedRow:
    """A row with what it was linked to.

    Attributes:
        record: The row itself.
        mention: What was linked.
        link: The link.
    """

    record: Record
    mention: Mention
    link: Link


class EdgeWriter:
    """Writes the edges of a job's shards.

    Args:
        store: Where to.
        edges: Which edge a link makes.
        document: Column that names a mention's document, if any: an edge is derived from it.
    """

    def __init__(self, store: Store, edges: LinkEdges, document: str | None = None) -> None:
        self._store, self._edges, self._document = store, edges, document
        self._template = edges.template
        self._known: dict[str, bool] = {}

    def write(self, job: str, file: str, rows: Sequence[LinkedRow]) -> tuple[int, list[Reject]]:
        """Write an edge for each row that is linked, but none from an entity to itself.

        Args:
            job: Id of the job, kept in the records of the edges.
            file: Name of the table.
            rows: Of one shard.

        Returns:
            How many edges were written, and a reject for each row whose head is no entity.

        Raises:
            StoreError: The store failed; nothing of the shard was written.
        """
        self._known.clear()
        edges, rejects = [], []
        for row in rows:
            if row.link.state != "linked":
                continue
            try:
                head = self._head(row)
            except RecordError as error:
                rejects.append(
                    Reject(
                        file=file,
                        line=row.record.line,
                        column=error.column,
                        reason=error.what,
                        text=row.record.text,
                    )
                )
            else:
                if head != row.link.entity:
                    edges.append(self._edge(head, row, job, file))
        self._commit(edges)
        return len(edges), rejects

    def _head(self, row: LinkedRow) -> str:
        head = self._template.fill(row.record.fields)
        if head not in self._known:
            self._known[head] = bool(head) and self._store.entity(EntityKey(head)) is not None
        if not self._known[head]:
            raise RecordError(
                f"no edge: there is no entity {head[:200]!r}",
                path="a record",
                column=self._template.paths[0],
            )
        return head

    def _edge(self, head: str, row: LinkedRow, job: str, file: str) -> Edge:
        record = Provenance(
            kind="linked",
            source=file,
            locator=f"mention {row.mention.id}",  # as decisions of people look for it
            text=row.mention.context[:_KEPT_TEXT] or None,
            job=job,
            probability=row.link.probability,
            derived_from=self._base(row),
        )
        return Edge(
            head=EntityKey(head),
            relation=self._edges.relation,
            tail=EntityKey(row.link.entity or ""),
            provenance=(record,),
        )

    def _base(self, row: LinkedRow) -> tuple[str, ...]:
        if self._document is None:
            return ()
        found = look_up(row.record.fields, self._document)
        return (str(found),) if isinstance(found, str | int) and found != "" else ()

    def _commit(self, edges: Sequence[Edge]) -> None:
        if not edges:
            return
        for attempt in range(_TRIES):
            try:
                with self._store.transaction() as writer:
                    writer.upsert_edges(edges)
            except StoreTransientError:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(_NAP_S * 2**attempt)
            else:
                return
