"""What the rows of a pattern rest on: the edges and facts that bind its variables.

A row says what the free variables are. The join is run once more with all variables free and the
free ones held to what the rows say; of the bindings that make a row the first is shown. All edges
are known: predicted ones do not join (`reasoning.joins`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.model import EntityKey
from reasoning.joins import MAX_ROWS, bindings
from reasoning.known_edges import KnownEdges
from reasoning.normal_form import normalise
from reasoning.patterns import Pattern, PatternEdge
from reasoning.proof_tree import ProofEdge
from reasoning.proofs import Prover
from reasoning.query import Anchor, Query, Union

__all__ = ["RowProof", "row_proofs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProof:
    """Why a row is an answer.

    Attributes:
        bindings: Every variable that the pattern constrains, and the entity that it is here.
        edges: The pattern's edges, in its order, then those of its conditions.
        facts: Plain sentences for labels, attributes and what must not hold.
    """

    bindings: tuple[tuple[str, EntityKey], ...]
    edges: tuple[ProofEdge, ...]
    facts: tuple[str, ...]


def row_proofs(
    pattern: Pattern, rows: NDArray[np.int32], edges: KnownEdges, *, max_rows: int = MAX_ROWS
) -> list[RowProof]:
    """Return a proof of each row.

    Args:
        pattern: What was asked.
        rows: ``(n, len(pattern.answer))`` ids, some of the rows of `reasoning.joins.bindings`.
        edges: The known edges that were joined.
        max_rows: Most rows of bindings at any point.

    Raises:
        LimitError: The rows have more bindings; fewer rows have fewer.
    """
    if not len(rows):
        return []
    used = {name for edge in pattern.edges for name in (edge.head, edge.tail)}
    used |= {name for name, _ in pattern.conditions} | {
        n for pair in pattern.different for n in pair
    }
    names = tuple(dict.fromkeys((*pattern.answer, *(n for n in pattern.variables if n in used))))
    whole = Pattern(
        answer=names,
        edges=pattern.edges,
        conditions=(*pattern.conditions, *_held(pattern, rows, edges)),
        different=pattern.different,
    )
    width = len(pattern.answer)
    first: dict[tuple[int, ...], NDArray[np.int32]] = {}
    for binding in bindings(whole, edges, max_rows=max_rows):
        first.setdefault(tuple(binding[:width].tolist()), binding)
    provers = [(name, Prover(normalise(query), edges)) for name, query in pattern.conditions]
    found = (dict(zip(names, first[tuple(row.tolist())].tolist(), strict=True)) for row in rows)
    return [_proof(pattern, binding, provers, edges) for binding in found]


def _held(
    pattern: Pattern, rows: NDArray[np.int32], edges: KnownEdges
) -> Iterator[tuple[str, Query]]:
    """Yield a condition for each free variable: it is one of the entities in its column."""
    name_of = edges.snapshot.entities.name
    for name, column in zip(pattern.answer, rows.T, strict=True):
        anchors = tuple(Anchor(name_of(int(entity))) for entity in np.unique(column))
        yield name, anchors[0] if len(anchors) == 1 else Union(anchors)


def _proof(
    pattern: Pattern,
    binding: dict[str, int],
    provers: list[tuple[str, Prover]],
    edges: KnownEdges,
) -> RowProof:
    proofs = [prover.proof(binding[name]) for name, prover in provers]
    shown = [_edge(edge, binding, edges) for edge in pattern.edges]
    shown += [edge for proof in proofs for edge in proof.edges]
    name_of = edges.snapshot.entities.name
    return RowProof(
        bindings=tuple((name, name_of(entity)) for name, entity in binding.items()),
        edges=tuple(dict.fromkeys(shown)),
        facts=tuple(dict.fromkeys(fact for proof in proofs for fact in proof.facts)),
    )


def _edge(edge: PatternEdge, binding: dict[str, int], edges: KnownEdges) -> ProofEdge:
    """Return the most probable known edge that an edge of the pattern stands for."""
    ways = [(binding[edge.head], binding[edge.tail])]
    if edge.either_way:
        ways.append((ways[0][1], ways[0][0]))
    found = (_known(edges, head, name, tail) for name in edge.relations for head, tail in ways)
    return max((one for one in found if one is not None), key=lambda one: one.probability)


def _known(edges: KnownEdges, head: int, relation: str, tail: int) -> ProofEdge | None:
    row = edges.row(edges.snapshot.relation_id(relation))
    places = row.positions(np.array([head], dtype=np.int32))
    places = places[row.ends[places] == tail]
    if not len(places):
        return None
    return ProofEdge(
        head=edges.snapshot.entities.name(head),
        relation=relation,
        tail=edges.snapshot.entities.name(tail),
        status="known",
        probability=float(row.probabilities[places[0]]),
    )
