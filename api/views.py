"""From the graph's values to what every door shows: records, edges, parts, proofs, answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from api.records import Reads
from api.schemas import (
    AnswerOut,
    CellOut,
    EdgeOut,
    ImageOut,
    PartOut,
    ProofEdgeOut,
    ProofNodeOut,
    ProofOut,
    RecordOut,
    RowProofOut,
)
from kg.model import Edge, EdgeKey, Entity, EntityKey, ImageRef
from kg.provenance import Provenance, best_probability
from kg.snapshot import Snapshot
from reasoning.answers import Answer, Proof, ProofEdge
from reasoning.explanations.edges import edges_in
from reasoning.explanations.reasons import reason_text
from reasoning.explanations.shown import ShownEdge, ShownNode, show
from reasoning.pattern_proofs import RowProof
from reasoning.protocols import EdgeReason

__all__ = ["AnswerViews", "edge_out", "image_out", "part_out", "record_out"]

Reasons = Callable[[str, str, str], Iterable[str | EdgeReason]]

_OF_RECORD = tuple(RecordOut.model_fields)
_OUTLINES = 256
"""Outlines that are held: to draw one takes as long as the rest of an entity."""


def record_out(record: Provenance) -> RecordOut:
    """Show a provenance record; its time and what it rests on are the history's to tell."""
    return RecordOut(**{name: getattr(record, name) for name in _OF_RECORD})


def image_out(image: ImageRef) -> ImageOut:
    """Show an image."""
    return ImageOut(
        sha256=image.sha256, width=image.width, height=image.height, source=image.source
    )


def part_out(part: Entity, parent: Entity | None) -> PartOut | None:
    """Show a sub-entity; None if the entity is not one."""
    if part.part is None:
        return None
    images = () if parent is None else parent.images
    size = next((i for i in images if i.sha256 == part.part.image), None)
    box = part.part.box_xyxy
    return PartOut(
        key=part.key,
        name=part.name,
        parent=part.part.parent,
        image=part.part.image,
        width=size.width if size else round(box[2]),
        height=size.height if size else round(box[3]),
        box_xyxy=box,
        outline=_outline(part.part.mask_rle),
        confidence=part.part.confidence,
    )


@lru_cache(_OUTLINES)
def _outline(mask_rle: str | None) -> str | None:
    if mask_rle is None:
        return None
    from scenes.masks import decode_rle, outline_path  # without the compiled loops of detectors

    return outline_path(decode_rle(mask_rle))


def edge_out(edge: Edge, name: Callable[[str], str], known_probability: float) -> EdgeOut:
    """Show an edge with its records, strongest first."""
    probability = best_probability(edge.provenance)
    records = sorted(edge.provenance, key=lambda record: (-record.probability, record.source))
    return EdgeOut(
        head=edge.head,
        head_name=name(edge.head),
        relation=edge.relation,
        tail=edge.tail,
        tail_name=name(edge.tail),
        attributes=dict(edge.attributes),
        probability=probability,
        known=probability >= known_probability,
        records=tuple(map(record_out, records)),
    )


class AnswerViews:
    """Shows the answers of one question; reads each entity and edge from the store once.

    Args:
        snapshot: The snapshot that was asked.
        store: Where records, images and parts are.
        reasons: Readable reasons for a predicted edge, if the predictor has any.
    """

    def __init__(self, snapshot: Snapshot, store: Reads, reasons: Reasons | None = None) -> None:
        self._snapshot = snapshot
        self._store = store
        self._reasons = reasons
        self._entities: dict[str, Entity | None] = {}
        self._edges: dict[tuple[str, str, str, str, float], ProofEdgeOut] = {}

    def name(self, key: str) -> str:
        """Return the name of an entity, or its key where the snapshot has none."""
        position = self._snapshot.entities.get(key)
        return key if position is None else self._snapshot.names[position]

    def read(self, answers: Sequence[Answer]) -> None:
        """Read together what answers show: entities, whose parts they are, and edges of proofs."""
        proofs = [answer.proof for answer in answers if answer.proof is not None]
        ends = [EntityKey(end) for proof in proofs for e in proof.edges for end in (e.head, e.tail)]
        shown = [*(answer.entity for answer in answers), *ends]
        self._store.read(shown)
        found = [entity for entity in map(self._entity, shown) if entity is not None]
        self._store.read(one.part.parent for one in found if one.part is not None)
        self.read_edges(edge for proof in proofs for edge in edges_in(proof.tree))

    def read_edges(self, edges: Iterable[ProofEdge]) -> None:
        """Read edges that will be shown, together."""
        self._store.read_edges(_key(edge) for edge in edges if self._is_kept(edge))

    def answer(self, answer: Answer) -> AnswerOut:
        """Show an answer with its proof."""
        entity = self._entity(answer.entity)
        proof = None if answer.proof is None else self.proof(answer.proof)
        images = () if entity is None else entity.images
        return AnswerOut(
            key=answer.entity,
            name=self.name(answer.entity),
            label=self._snapshot.label_of(self._snapshot.entity_id(answer.entity)),
            status=answer.status,
            probability=round(answer.probability, 6),
            score=round(answer.score, 6),
            region=answer.region,
            lower=round(answer.lower, 6),
            upper=round(answer.upper, 6),
            weakest=_weakest(proof) if answer.status == "known" else None,
            image=image_out(images[0]) if images else None,
            proof=proof,
        )

    def _entity(self, key: str) -> Entity | None:
        if key not in self._entities:
            self._entities[key] = self._store.entity(EntityKey(key))
        return self._entities[key]

    def proof(self, proof: Proof) -> ProofOut:
        """Show a proof: its tree with the records of every edge, and the flat view of it."""
        return ProofOut(
            edges=tuple(map(self._edge, proof.edges)),
            facts=proof.facts,
            probability=round(proof.probability, 6),
            parts=tuple(self._parts(proof)),
            tree=self._node(show(proof, self.name)),
        )

    def row(self, proof: RowProof) -> RowProofOut:
        """Show what a row of a pattern rests on."""
        cells = {name: CellOut(key=key, name=self.name(key)) for name, key in proof.bindings}
        return RowProofOut(
            bindings=cells, edges=tuple(map(self._edge, proof.edges)), facts=proof.facts
        )

    def _node(self, node: ShownNode) -> ProofNodeOut:
        return ProofNodeOut(
            kind=node.kind,
            variable=node.variable,
            entity=node.entity,
            name=node.name,
            truth=round(node.truth, 6),
            text=node.text,
            edge=None if node.edge is None else self._edge(node.edge),
            branches=tuple(map(self._node, node.branches)),
        )

    def _edge(self, edge: ProofEdge | ShownEdge) -> ProofEdgeOut:
        place = (edge.head, edge.relation, edge.tail, edge.status, edge.probability)
        if place not in self._edges:  # most stand in the tree and in the flat view
            self._edges[place] = self._edge_out(edge)
        return self._edges[place]

    def _edge_out(self, edge: ProofEdge | ShownEdge) -> ProofEdgeOut:
        records: tuple[RecordOut, ...] = ()
        if self._is_kept(edge):
            head, relation, tail = _key(edge)
            stored = self._store.edges(head=head, relation=relation, tail=tail)
            found = next(iter(stored), None)
            records = () if found is None else tuple(map(record_out, _strongest(found)))
        reasons: tuple[str, ...] = ()
        if edge.status == "predicted" and self._reasons is not None:
            given = self._reasons(edge.head, edge.relation, edge.tail)
            reasons = tuple(reason_text(reason, self.name) for reason in given)
        return ProofEdgeOut(
            head=edge.head,
            head_name=self.name(edge.head),
            relation=edge.relation,
            tail=edge.tail,
            tail_name=self.name(edge.tail),
            status=edge.status,
            probability=round(edge.probability, 6),
            records=records,
            reasons=reasons,
        )

    def _is_kept(self, edge: ProofEdge | ShownEdge) -> bool:
        """Tell whether records of the store say why an edge holds.

        A predicted edge may stand in the store, but not in this snapshot: that is no reason here.
        """
        if edge.status == "absent":
            return False
        ids = (self._snapshot.entities.get(edge.head), self._snapshot.entities.get(edge.tail))
        relation = self._snapshot.relation_names.get(edge.relation)
        if relation is None or None in ids:
            return False
        head, tail = ids
        return self._snapshot.has_edge(int(head or 0), relation, int(tail or 0))

    def _parts(self, proof: Proof) -> Iterable[PartOut]:
        seen: set[str] = set()
        for key in (key for edge in proof.edges for key in (edge.head, edge.tail)):
            entity = None if key in seen else self._entity(key)
            seen.add(key)
            if entity is not None and entity.part is not None:
                shown = part_out(entity, self._entity(entity.part.parent))
                if shown is not None:
                    yield shown


def _key(edge: ProofEdge | ShownEdge) -> EdgeKey:
    return EntityKey(edge.head), edge.relation, EntityKey(edge.tail)


def _strongest(edge: Edge) -> list[Provenance]:
    return sorted(edge.provenance, key=lambda record: (-record.probability, record.source))


def _weakest(proof: ProofOut | None) -> RecordOut | None:
    """Return the least probable of the records that the proof's known edges rest on."""
    edges: list[Any] = [] if proof is None else [e for e in proof.edges if e.records]
    best = [edge.records[0] for edge in edges if edge.status == "known"]
    return min(best, key=lambda record: record.probability) if best else None
