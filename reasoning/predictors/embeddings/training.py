"""Trains embeddings by softmax over grouped rows, with Adagrad; can be interrupted and resumed.

Loss of an edge: −log softmax_t(score(h, r, ·)) + λ (‖h‖₃³ + ‖r‖₃³ + ‖t‖₃³), and where asked
−w log softmax_r(score(h, ·, t)); the mean over the edges of a batch, both directions being edges.

Several processes train one model when `torch.distributed` is initialised: each takes a share of
the rows of every batch, gradients are summed, and all take the same step. Their result differs from
one process's only by the order of floating-point sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.predictors.embeddings.architecture import architecture_of
from reasoning.predictors.embeddings.candidates import Candidates, all_candidates
from reasoning.predictors.embeddings.config import ComplexConfig, EmbeddingConfig
from reasoning.predictors.embeddings.link_ranks import sampled_mrr
from reasoning.predictors.embeddings.members import mean_of_members, members_of
from reasoning.predictors.embeddings.model import EmbeddingModel
from reasoning.predictors.embeddings.objective import RowVectors, edge_loss
from reasoning.predictors.embeddings.processes import Processes
from reasoning.predictors.embeddings.rows import Part, Rows, epoch_steps, grouped_rows
from reasoning.predictors.embeddings.state import TrainingState

__all__ = ["train_embedding"]


def train_embedding(
    snapshot: Snapshot,
    config: EmbeddingConfig,
    *,
    valid: NDArray[np.int32] | None = None,
    candidates: Candidates | None = None,
    seed: int = 0,
    progress: Progress = silent,
    resume_folder: Path | None = None,
) -> EmbeddingModel:
    """Train on all edges of a snapshot; on one thread the same seed gives the same bytes.

    Args:
        snapshot: The graph.
        config: Which model, and its hyper-parameters.
        valid: ``(n, 3)`` held-out edges: training stops when their filtered MRR no longer rises,
            and the best state is returned. Without them, or without
            `EmbeddingConfig.patience`, all epochs are trained.
        candidates: Entities to embed and tails of each relation; by default all.
        seed: Of initial values and of the order of batches.
        progress: Told the epochs done.
        resume_folder: Where the state is kept every `EmbeddingConfig.keep_every` epochs; a run that
            finds a state of the same graph, configuration and seed, and of no more epochs, goes on
            from there, with the same result as one that was never interrupted.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> from reasoning.predictors.embeddings import ComplexConfig
        >>> graph = build_snapshot([Entity(key=EntityKey("a"), label="City", name="A")], [])
        >>> train_embedding(graph, ComplexConfig(rank=2, epochs=1)).entity.shape
        (1, 4)
    """
    if isinstance(config, ComplexConfig) and (config.members > 1 or config.beside is not None):
        members = list(members_of(config, seed=seed, state=resume_folder))
        reach = [0, *accumulate(member.config.epochs for member in members)]
        trained = [
            train_embedding(
                snapshot,
                member.config,
                valid=valid,
                candidates=candidates,
                seed=member.seed,
                progress=_of_member(progress, reach[number], reach[-1]),
                resume_folder=member.state,
            )
            for number, member in enumerate(members)
        ]
        return mean_of_members(config, trained)
    chosen = all_candidates(snapshot) if candidates is None else candidates
    training = _Training(snapshot, config, chosen, valid)
    architecture = training.architecture
    shapes = {
        "entity": (len(chosen.entities), architecture.entity_width),
        **architecture.shapes(2 * snapshot.num_relations),
    }
    state = TrainingState.fresh(shapes, config.scale, seed)
    # without the epochs: a longer run goes on from a shorter one
    fields = {key: value for key, value in config.to_json().items() if key != "epochs"}
    name = {"config": fields, "seed": seed}
    if resume_folder is not None:
        state.take_up(resume_folder, snapshot.hash, name, most_epochs=config.epochs)
    while state.epoch < config.epochs and not training.is_over(state):
        training.epoch(state)
        last = state.epoch == config.epochs or training.is_over(state)
        due = last or state.epoch % config.keep_every == 0
        if resume_folder is not None and due and training.processes.is_first:
            state.keep(resume_folder, snapshot.hash, name)
        progress(state.epoch, config.epochs)
    return training.model(state.best or state.result)


def _of_member(progress: Progress, before: int, total: int) -> Progress:
    def report(done: int, _epochs: int) -> None:
        progress(before + done, total)

    return report


class _Training:
    def __init__(
        self,
        snapshot: Snapshot,
        config: EmbeddingConfig,
        candidates: Candidates,
        valid: NDArray[np.int32] | None,
    ) -> None:
        self.snapshot = snapshot
        self.config = config
        self.candidates = candidates
        self.valid = None if config.patience is None else valid
        self.architecture = architecture_of(config)
        self.rows: Rows = grouped_rows(snapshot, candidates)
        self.processes = Processes.current()
        known = [snapshot.heads, snapshot.relations, snapshot.tails]
        self._known = np.stack(known, axis=1).astype(np.int32)

    def is_over(self, state: TrainingState) -> bool:
        """Tell whether the valid figure has not risen for long enough."""
        patience = self.config.patience
        if self.valid is None or patience is None:
            return False
        return state.epoch - state.best_epoch >= patience

    def epoch(self, state: TrainingState) -> None:
        """Visit each row once, then judge the state by the valid edges."""
        config = self.config
        for parts in epoch_steps(self.rows, config, state.generator):
            self.step(state, parts)
        state.epoch += 1
        if config.average_from is not None and state.epoch >= config.average_from:
            state.average(state.epoch - config.average_from + 1)
        if self.valid is not None:
            known = (self._known, self.valid)
            model = self.model(state.result)
            state.judge(sampled_mrr(model, self.valid, known, config.valid_edges))

    def step(self, state: TrainingState, parts: Sequence[Part]) -> None:
        """Take one step of Adagrad on the mean loss an edge of all parts."""
        entity = state.tensors["entity"]
        others = {name: t.requires_grad_() for name, t in state.tensors.items() if name != "entity"}
        edges = sum(self.rows.count(part.rows) for part in parts)
        touched = self._touched(parts)
        total = None if touched is None else torch.zeros(len(touched), entity.shape[1])
        for part in parts:
            for ids, gradient in self._gradients(part, entity, others, max(1, edges)):
                if ids is None or total is None:  # of all entities, which comes first
                    total = gradient
                else:
                    slots = ids if touched is None else torch.searchsorted(touched, ids)
                    total.index_add_(0, slots, gradient)
        gradients = {"entity": total}
        for name, tensor in others.items():
            gradients[name], tensor.grad = tensor.grad, None
            state.tensors[name] = tensor.detach()
        for name, of_parameter in gradients.items():
            if of_parameter is not None:
                self.processes.add_up(of_parameter)
                rows = touched if name == "entity" else None
                state.step(name, of_parameter, self.config.learning_rate, rows)

    def _touched(self, parts: Sequence[Part]) -> torch.Tensor | None:
        """Return the ascending ids of all entities that a step moves, None for all."""
        pools = [part.pool for part in parts if part.pool is not None]
        if len(pools) < len(parts):
            return None
        is_touched = torch.zeros(self.rows.num_entities, dtype=torch.bool)
        for part, pool in zip(parts, pools, strict=True):
            is_touched[pool] = True
            is_touched[self.rows.heads[part.rows]] = True
        return is_touched.nonzero()[:, 0]

    def _gradients(
        self, part: Part, entity: torch.Tensor, others: dict[str, torch.Tensor], edges: int
    ) -> Iterator[tuple[torch.Tensor | None, torch.Tensor]]:
        """Yield ids (None for all) and gradients of candidates, heads and tails of a part.

        Only this process's rows count. Gradients of `others` are added to theirs.
        """
        rows = self.processes.share_of(part.rows)
        owner, tails = self.rows.edges_of(rows)
        pool = entity.detach() if part.pool is None else entity[part.pool]
        vectors = RowVectors(
            relations=self.rows.relations[rows],
            heads=entity[self.rows.heads[rows]].requires_grad_(),
            owner=owner,
            tails=entity[tails].requires_grad_(),
            pool=pool.requires_grad_(),
            log_weights=part.log_weights,
        )
        loss = edge_loss(vectors, others, self.architecture, self.config) / edges
        loss.backward()  # type: ignore[no-untyped-call]
        ends = (
            (part.pool, vectors.pool),
            (self.rows.heads[rows], vectors.heads),
            (tails, vectors.tails),
        )
        for ids, looked_up in ends:
            if looked_up.grad is not None:
                yield ids, looked_up.grad

    def model(self, tensors: dict[str, torch.Tensor]) -> EmbeddingModel:
        """Return a model; entities that are not embedded get zeros."""
        arrays = {name: tensor.numpy().copy() for name, tensor in tensors.items()}
        embedded = arrays.pop("entity")
        entity = embedded
        if len(embedded) != self.snapshot.num_entities:
            size = (self.snapshot.num_entities, embedded.shape[1])
            entity = np.zeros(size, dtype=np.float32)
            entity[self.candidates.entities] = embedded
        return EmbeddingModel(config=self.config, entity=entity, parameters=arrays)
