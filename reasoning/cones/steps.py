"""One step of cone training: embed the queries of a batch, encode its parts once, add the losses.

What a query asks for is hidden from the encoder of the parts that answer it: their label where it
asks for a label, their predicates of the asked kind where it asks for what stands in a relation.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from kg.snapshot import Snapshot
from reasoning.cones.batches import Batch
from reasoning.cones.config import ConeTrainingConfig
from reasoning.cones.losses import query_loss
from reasoning.cones.model import AnyCone, ConeModel
from reasoning.cones.part_encoder import HiddenFacts
from reasoning.query import Intersection, Negation, Projection, Query
from reasoning.structures import Structure, directed

__all__ = ["TrainingStep", "last_hops"]

Ids = NDArray[np.int64]


class TrainingStep:
    """The loss of a batch.

    Args:
        model: What is trained.
        training: The training graph.
        settings: Hyper-parameters.
    """

    def __init__(self, model: ConeModel, training: Snapshot, settings: ConeTrainingConfig) -> None:
        self._model = model
        self._settings = settings
        self._parents = torch.from_numpy(np.asarray(training.parents).astype(np.int64))
        label = training.relation_names.get(settings.model.label_relation)
        self._asks_label = -1 if label is None else directed(label, inverse=True)
        told = np.empty(0, np.int64) if model.table is None else np.unique(model.table.predicates)
        self._read = np.append(told[told >= 0], self._asks_label ^ 1)

    def loss(self, batch: Batch, hiding: torch.Generator) -> Tensor:
        """Return the loss of a batch; `hiding` draws what the encoder must not read besides."""
        model, settings = self._model, self._settings
        relations = torch.from_numpy(batch.relations)
        anchors, candidates = torch.from_numpy(batch.anchors), torch.from_numpy(batch.candidates)
        hidden = self._hidden(batch, hiding) if model.table is not None else None
        # each entity once, so that a part is encoded once however often it stands in the batch
        entities, place = torch.unique(
            torch.cat([anchors.reshape(-1), candidates]), return_inverse=True
        )
        axes, told = self._axes(entities, hidden)
        given = axes[place[: anchors.numel()]].view(*anchors.shape, -1)
        cone = model.embed(batch.structure, given, relations)
        columns = None if batch.columns is None else torch.from_numpy(batch.columns)
        scores = model.scores(cone, axes[place[anchors.numel() :]], candidates, columns=columns)
        sizes = np.bincount(batch.answers[0], minlength=len(batch.anchors))
        loss = query_loss(
            scores,
            torch.from_numpy(batch.positive),
            torch.from_numpy(batch.ignored),
            settings.loss,
            answers=torch.from_numpy(sizes) if settings.batches.own else None,
        )
        if not batch.of_parts:
            return loss + settings.label_weight * told
        loss = settings.part_weight * loss + settings.label_weight * told
        if settings.model.geometry == "rough" and settings.owner_weight:
            loss = loss + settings.owner_weight * self._owner_loss(batch, cone)
        return loss

    def _axes(self, entities: Tensor, hidden: HiddenFacts | None) -> tuple[Tensor, Tensor]:
        """Return axes, and the loss of telling the hidden labels of the parts among them."""
        model, nothing = self._model, torch.zeros(())
        rows = model.part_rows(entities)
        rows = rows[rows >= 0]
        if model.table is None or hidden is None or len(rows) == 0:
            return model.axes(entities), nothing
        encoded = model.encode(model.table, rows.numpy(), hidden=hidden)
        labels = torch.from_numpy(model.table.labels)[rows]
        asked = torch.from_numpy(np.isin(rows.numpy(), hidden.labels)) & (labels > 0)
        if asked.any():
            nothing = cross_entropy(encoded.label_logits[asked], labels[asked])
        return model.with_parts(entities, encoded), nothing

    def _hidden(self, batch: Batch, hiding: torch.Generator) -> HiddenFacts:
        """Return what the encoder must not read for a batch."""
        model = self._model
        anchor_rows = model.part_rows(torch.from_numpy(batch.anchors)).numpy()
        candidate_rows = model.part_rows(torch.from_numpy(batch.candidates)).numpy()
        queries, places = np.nonzero(batch.positive)
        parts = self._settings.model.parts
        if parts.asked_share < 1.0:
            asked = (torch.rand(len(queries), generator=hiding) < parts.asked_share).numpy()
            queries, places = queries[asked], places[asked]
        columns = places if batch.columns is None else batch.columns[queries, places]
        hops = list(last_hops(batch.structure))
        # seen from the answer, the hop that enters it runs the other way
        codes = batch.relations[queries][:, hops] ^ 1
        rows = np.broadcast_to(candidate_rows[columns][:, None], codes.shape)
        neighbours = np.empty(0, dtype=np.int64)
        if parts.hide_asked == "one":
            kept = self._one_each(codes, hiding)
            rows, codes = rows[kept], codes[kept]
            if batch.structure.num_relations > 1:
                rows, codes, neighbours = self._told_by_labels(rows, codes, hiding)
        rows, codes = rows.reshape(-1), codes.reshape(-1)
        if batch.structure.num_relations == 1:  # anchors that are parts tell their answers too
            rows = np.concatenate([rows, anchor_rows[queries, 0]])
            codes = np.concatenate([codes, batch.relations[queries, 0]])
        rows, codes = rows[rows >= 0], codes[rows >= 0]
        seen = np.unique(np.concatenate([anchor_rows.reshape(-1), candidate_rows]))
        some = seen[(torch.rand(len(seen), generator=hiding) < parts.hide_label).numpy()]
        return HiddenFacts(
            labels=np.union1d(some, rows[codes == self._asks_label ^ 1]),
            predicates=np.unique(np.stack([rows, codes], axis=1), axis=0),
            neighbours=neighbours,
            generator=hiding,
        )

    def _one_each(self, codes: Ids, hiding: torch.Generator) -> NDArray[np.bool_]:
        """Choose one hop of each row of hops among those that the encoder reads."""
        drawn = torch.rand(codes.shape, generator=hiding).numpy()
        drawn[~np.isin(codes, self._read)] = -1.0
        best: NDArray[np.bool_] = (drawn == drawn.max(1, keepdims=True)) & (drawn >= 0)
        return best

    def _told_by_labels(
        self, rows: Ids, codes: Ids, hiding: torch.Generator
    ) -> tuple[Ids, Ids, Ids]:
        """Take half of the predicates out; what hides these is the label of the other part."""
        table = self._model.table
        half = (torch.rand(len(rows), generator=hiding) < 0.5).numpy()
        half &= (codes != self._asks_label ^ 1) & (rows >= 0)
        if table is None or not half.any():
            return rows, codes, np.empty(0, dtype=np.int64)
        told = table.predicates[rows[half]] == codes[half][:, None]
        return rows[~half], codes[~half], np.unique(table.neighbours[rows[half]][told])

    def _owner_loss(self, batch: Batch, cone: AnyCone) -> Tensor:
        """Tell the owners of parts that answer from other owners, by the rim."""
        owners = torch.unique(self._parents[torch.from_numpy(batch.candidates)])
        owners = owners[owners >= 0]
        rows, answers = (torch.from_numpy(array) for array in batch.answers)
        holds = torch.zeros(len(batch.anchors), len(owners), dtype=torch.bool)
        place = torch.searchsorted(owners, self._parents[answers]).clamp(max=len(owners) - 1)
        hit = owners[place] == self._parents[answers]
        holds[rows[hit], place[hit]] = True
        scores = self._model.owner_scores(cone, self._model.axes(owners), owners)
        return query_loss(scores, holds, torch.zeros_like(holds), self._settings.loss)


def last_hops(structure: Structure) -> tuple[int, ...]:
    """Return the slots of the relations that enter the answer of a structure, negated ones too.

    Example:
        >>> from reasoning.structures import STRUCTURES
        >>> [last_hops(STRUCTURES[name]) for name in ("1p", "2p", "2in", "pi")]
        [(0,), (0,), (0, 1), (0, 2)]
    """
    return tuple(_last_hops(structure.tree))


def _last_hops(node: Query) -> list[int]:
    match node:
        case Projection(relation=slot):
            return [int(slot)]
        case Intersection(children=branches):
            return [slot for branch in branches for slot in _last_hops(branch)]
        case Negation(child=child):
            return _last_hops(child)
        case _:
            return []
