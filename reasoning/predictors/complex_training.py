"""Trains ComplEx by full softmax over grouped rows, with Adagrad; can be interrupted and resumed.

Two differences from the papers. Triples are grouped: one row of scores serves all tails of a
(head, relation) pair, the same objective for fewer products. The softmax runs over the tails that
the relation's labels allow (`reasoning.predictors.typing`), since no other tail is ever predicted;
where these are more than `ComplexConfig.candidates`, over a shared sample of them and the batch's
own tails. Relations of image parts are left out: a part has too few edges for a vector of its own
(below chance in the trial of the specification), and there are many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kg.errors import CheckpointMismatchError, MissingPartError
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.checkpoint import load_checkpoint, save_checkpoint
from reasoning.predictors.complex import ComplexConfig, ComplexModel, complex_scores, n3
from reasoning.predictors.typing import RelationTypes

__all__ = ["train_complex"]

_STATE_KIND = "complex-state"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """All (head, tails) rows of one directed relation."""

    relation: int
    heads: torch.Tensor
    tails: torch.Tensor
    row_of_tail: torch.Tensor
    starts: NDArray[np.int64]
    candidates: torch.Tensor


def _grouped(snapshot: Snapshot, types: RelationTypes, wholes: NDArray[np.int64]) -> list[_Rows]:
    """Group the edges; entities are numbered by their place among `wholes`."""
    place = np.full(snapshot.num_entities, -1, dtype=np.int64)
    place[wholes] = np.arange(len(wholes))
    groups = []
    for relation in range(snapshot.num_relations):
        if types.of_parts[relation]:
            continue
        span = snapshot.edges_of(relation)
        for inverse in (False, True):
            ends = (snapshot.heads[span], snapshot.tails[span])
            heads, tails = (place[end] for end in (ends[::-1] if inverse else ends))
            order = np.lexsort((tails, heads))
            heads, tails = heads[order], tails[order]
            distinct, starts = np.unique(heads, return_index=True)
            rows = np.searchsorted(distinct, heads)
            candidates = place[types.candidates(relation, inverse=inverse)]
            groups.append(
                _Rows(
                    relation=relation + inverse * snapshot.num_relations,
                    heads=torch.from_numpy(distinct),
                    tails=torch.from_numpy(tails),
                    row_of_tail=torch.from_numpy(rows),
                    starts=np.append(starts, len(tails)),
                    candidates=torch.from_numpy(candidates[candidates >= 0]),
                )
            )
    return groups


def _steps(
    groups: list[_Rows], config: ComplexConfig, generator: torch.Generator
) -> Iterator[tuple[_Rows, torch.Tensor, torch.Tensor]]:
    """Yield (group, rows, candidates) in a random order that visits each row once."""
    steps = []
    for group in groups:
        order = torch.randperm(len(group.heads), generator=generator)
        steps += [(group, rows) for rows in torch.split(order, config.batch)]
    for place in torch.randperm(len(steps), generator=generator).tolist():
        group, rows = steps[place]
        candidates = group.candidates
        if len(candidates) > config.candidates:
            sample = torch.randperm(len(candidates), generator=generator)[: config.candidates]
            candidates = candidates[sample]
        yield group, rows, candidates


def _loss(
    entity: torch.Tensor,
    relation: torch.Tensor,
    group: _Rows,
    rows: torch.Tensor,
    candidates: torch.Tensor,
    weight: float,
) -> torch.Tensor:
    """Return the mean loss a triple of the edges of some rows."""
    # edges of the chosen rows: their slots in the sorted edge list, and which row each is of
    low = torch.from_numpy(group.starts[rows.numpy()])
    count = torch.from_numpy(group.starts[rows.numpy() + 1]) - low
    owner = torch.repeat_interleave(torch.arange(len(rows)), count)
    offset = torch.arange(len(owner)) - torch.repeat_interleave(count.cumsum(0) - count, count)
    tails = group.tails[low[owner] + offset]
    pool = torch.unique(torch.cat([candidates, tails]))
    heads = entity[group.heads[rows]]
    chosen = relation[group.relation]
    pooled = entity[pool]
    scores = complex_scores(heads, chosen, pooled)
    column = torch.searchsorted(pool, tails)
    log_likelihood = scores[owner, column] - torch.logsumexp(scores, dim=1)[owner]
    penalty = n3(heads)[owner] + n3(pooled)[column] + n3(chosen[None])
    return (weight * penalty - log_likelihood).mean()


def train_complex(
    snapshot: Snapshot,
    types: RelationTypes,
    config: ComplexConfig,
    *,
    seed: int,
    progress: Progress = silent,
    resume_folder: Path | None = None,
) -> ComplexModel:
    """Train on all edges of a snapshot; on one thread the same seed gives the same bytes.

    Args:
        snapshot: The graph.
        types: Which tails each relation allows.
        config: Hyper-parameters.
        seed: Of initial values and of the order of batches.
        progress: Told the epochs done.
        resume_folder: Where the state is kept every `ComplexConfig.keep_every` epochs; a run that
            finds a state of the same graph, configuration and seed goes on from there, with the
            same result as one that was never interrupted.
    """
    wholes = np.flatnonzero(np.asarray(snapshot.parents) < 0)
    state = _State.fresh((len(wholes), 2 * snapshot.num_relations), config, seed)
    name = {"config": asdict(config), "seed": seed}
    if resume_folder is not None:
        state.take_up(resume_folder, snapshot.hash, name)
    groups = _grouped(snapshot, types, wholes)
    while state.epoch < config.epochs:
        for group, rows, candidates in _steps(groups, config, state.generator):
            loss = _loss(state.entity, state.relation, group, rows, candidates, config.n3)
            loss.backward()  # type: ignore[no-untyped-call]
            state.step(config.learning_rate)
        state.epoch += 1
        due = state.epoch % config.keep_every == 0 or state.epoch == config.epochs
        if resume_folder is not None and due:
            state.keep(resume_folder, snapshot.hash, name)
        progress(state.epoch, config.epochs)
    entity = np.zeros((snapshot.num_entities, 2 * config.rank), dtype=np.float32)
    entity[wholes] = state.entity.detach().numpy()
    return ComplexModel(entity=entity, relation=state.relation.detach().numpy())


class _State:
    """Everything that the next epoch depends on."""

    def __init__(
        self, entity: torch.Tensor, relation: torch.Tensor, generator: torch.Generator
    ) -> None:
        self.entity = entity.requires_grad_()
        self.relation = relation.requires_grad_()
        self.entity_sum = torch.zeros_like(entity, requires_grad=False)
        self.relation_sum = torch.zeros_like(relation, requires_grad=False)
        self.generator = generator
        self.epoch = 0

    def step(self, rate: float) -> None:
        """Take a step of Adagrad; three lines, where `torch.optim` costs 2 s to import."""
        with torch.no_grad():
            for vectors, total in (
                (self.entity, self.entity_sum),
                (self.relation, self.relation_sum),
            ):
                gradient = vectors.grad
                if gradient is not None:
                    total.addcmul_(gradient, gradient)
                    vectors.addcdiv_(gradient, total.sqrt().add_(1e-10), value=-rate)
                    vectors.grad = None

    @classmethod
    def fresh(cls, sizes: tuple[int, int], config: ComplexConfig, seed: int) -> _State:
        generator = torch.Generator().manual_seed(seed)
        entity, relation = (
            torch.randn((size, 2 * config.rank), generator=generator).mul_(config.scale)
            for size in sizes
        )
        return cls(entity, relation, generator)

    def _tensors(self) -> dict[str, torch.Tensor]:
        return {
            "entity": self.entity.detach(),
            "relation": self.relation.detach(),
            "entity_sum": self.entity_sum,
            "relation_sum": self.relation_sum,
        }

    def keep(self, folder: Path, snapshot_hash: str, name: dict[str, Any]) -> None:
        arrays = {key: tensor.numpy() for key, tensor in self._tensors().items()}
        arrays["generator"] = self.generator.get_state().numpy()
        metadata = {**name, "epoch": self.epoch}
        save_checkpoint(folder, arrays, metadata, snapshot_hash, kind=_STATE_KIND)

    def take_up(self, folder: Path, snapshot_hash: str, name: dict[str, Any]) -> None:
        """Go on from a kept state, if there is one that fits."""
        try:
            kept = load_checkpoint(folder, snapshot_hash, kind=_STATE_KIND)
        except (MissingPartError, CheckpointMismatchError):
            return
        if any(kept.metadata.get(key) != value for key, value in name.items()):
            return
        with torch.no_grad():
            for key, tensor in self._tensors().items():
                tensor.copy_(torch.from_numpy(kept.tensors[key].copy()))
        self.generator.set_state(torch.from_numpy(kept.tensors["generator"].copy()))
        self.epoch = int(kept.metadata["epoch"])
