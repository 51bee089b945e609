"""The step that turns links into edges: the page a mention stands on is the head.

A linker never reads the columns used here (whose page, which relation); they only say what edge a
link makes. The sentence that was linked goes into the edge's record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import RecordError
from kg.files import sha256_of_file
from kg.formats.jsonl import read_jsonl
from kg.formats.records import Reject
from kg.model import Edge, EntityKey
from kg.provenance import Provenance
from kg.withdrawal import Withdrawal

if TYPE_CHECKING:
    from api.engine import Engine
    from api.workspace import Workspace
    from kg.store import Store

__all__ = ["EdgeColumns", "write_edges"]

STEP = "edges-from-links"


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeColumns:
    """How the mentions' own columns make edges.

    Attributes:
        mentions: The mention file (JSONL, plain or gzip).
        head_key: Template of the head's key, such as ``country:{source_entity}``.
        relation: Column that holds the relation.
        attributes: Columns that become attributes of the edge.
    """

    mentions: Path
    head_key: str
    relation: str
    attributes: tuple[str, ...] = ()


def write_edges(engine: Engine, links: Path, columns: EdgeColumns) -> dict[str, Any]:
    """Write an edge for each linked mention, all in one transaction.

    An earlier output of the same job is replaced; a link of an entity to itself makes no edge.

    Args:
        engine: Whose store to write to.
        links: Output of a linking job over the mentions.
        columns: How to make edges.

    Returns:
        How many edges were written by relation, how many links made none, and how the linked
        edges agree with those that were asserted before.

    Raises:
        RecordError: A link names a mention that the file does not hold.
    """
    workspace = engine.workspace
    files = (sha256_of_file(links), sha256_of_file(columns.mentions))
    inputs = repr((files, columns.head_key, columns.relation, columns.attributes))
    done = workspace.done(STEP, inputs)
    if done is not None:
        return done
    earlier = _earlier_job(workspace)
    job = f"edges-{sha256_of_file(links)[:12]}"
    with workspace.doing(STEP, inputs) as outcome:
        edges, without = _edges(links, columns, job)
        with engine.store.transaction() as writer:
            if earlier == job:  # the same links into other edges
                writer.withdraw(Withdrawal(job=earlier))
            writer.upsert_edges(edges)
            if earlier not in (None, job):
                writer.withdraw(Withdrawal(job=earlier))
        counts: dict[str, int] = {}
        for relation in sorted({edge.relation for edge in edges}):
            counts[relation] = len({edge.key for edge in edges if edge.relation == relation})
        outcome.update(edges=counts, links_without_edge=without, job=job)
        outcome["agreement"] = {name: _agreement(engine.store, name) for name in counts}
    return outcome


def _earlier_job(workspace: Workspace) -> str | None:
    if not workspace.step(STEP).exists():
        return None
    return str(workspace.recorded(STEP)["job"])


def _edges(links: Path, columns: EdgeColumns, job: str) -> tuple[list[Edge], int]:
    mentions = {row["id"]: row for row in _rows(columns.mentions)}
    edges, without = [], 0
    for line, link in enumerate(_rows(links), start=1):
        mention = mentions.get(link["mention"])
        if mention is None:
            raise RecordError(
                f"mention {link['mention']!r} is not in {columns.mentions.name}",
                path=str(links),
                line=line,
                hint="link that very file",
            )
        head = columns.head_key.format_map(mention)
        if link["state"] != "linked" or link["entity"] == head:
            without += 1
            continue
        edges.append(_edge(head, mention, link, columns, job))
    return edges, without


def _edge(
    head: str, mention: Mapping[str, Any], link: Mapping[str, Any], columns: EdgeColumns, job: str
) -> Edge:
    record = Provenance(
        kind="linked",
        source=columns.mentions.name,
        locator=f"mention {mention['id']}",
        text=mention["context"],
        job=job,
        probability=link["probability"],
    )
    values = {name: mention.get(name) for name in columns.attributes}
    return Edge(
        head=EntityKey(head),
        relation=mention[columns.relation],
        tail=EntityKey(link["entity"]),
        attributes={name: value for name, value in values.items() if value is not None},
        provenance=(record,),
    )


def _agreement(store: Store, relation: str) -> dict[str, Any]:
    """Compare the linked edges of a relation with those that a source asserts."""
    asserted, linked = set(), set()
    for edge in store.edges(relation=relation):
        kinds = {record.kind for record in edge.provenance}
        if "asserted" in kinds:
            asserted.add(edge.key)
        if "linked" in kinds:
            linked.add(edge.key)
    both = len(asserted & linked)
    return {
        "asserted": len(asserted),
        "linked": len(linked),
        "both": both,
        "precision": both / len(linked) if linked and asserted else None,
        "recall": both / len(asserted) if asserted else None,
    }


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    for row in read_jsonl(path):
        if isinstance(row, Reject):
            raise RecordError(row.reason, path=str(path), line=row.line)
        yield row.fields
