"""Trains the default link predictor: ComplEx and path rules, mixed and calibrated a relation.

1. Fold by fold, hide a share of the edges, train ComplEx on the rest.
2. For each relation, mine path rules and fit a mixture of all evidence on the hidden edges.
3. Train ComplEx on all edges and predict every possible edge with the mixtures.

The same seed gives the same bytes on one thread. With a resume folder, what an interrupted run
has trained is taken up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.predictors.calibrated import CalibratedPredictor, RelationModel
from reasoning.predictors.config import LinkPredictorConfig
from reasoning.predictors.embeddings.model import EmbeddingModel
from reasoning.predictors.embeddings.training import train_embedding
from reasoning.predictors.features import Features, Pairs, looked_up, pairs_of
from reasoning.predictors.folds import hidden_edges
from reasoning.predictors.mixture import completeness_of, fit_mixture
from reasoning.predictors.paths import Body, Walks, bodies, information_gain
from reasoning.predictors.positions import Positions
from reasoning.predictors.predicted_edges import predicted_edges
from reasoning.predictors.typing import RelationTypes

__all__ = ["train_link_predictor"]

_MINING_FOLD = -1
_MINING_SHARE = 0.3


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fold:
    """A hidden share of the edges and the embedding that has not seen it."""

    hidden: NDArray[np.bool_]
    number: int
    model: EmbeddingModel


def train_link_predictor(
    snapshot: Snapshot,
    config: LinkPredictorConfig | None = None,
    *,
    seed: int = 0,
    progress: Progress = silent,
    resume_folder: Path | None = None,
) -> CalibratedPredictor:
    """Train the default link predictor on a snapshot.

    Args:
        snapshot: The graph.
        config: Hyper-parameters.
        seed: Of initial values, batches and samples.
        progress: Told the steps done.
        resume_folder: Where finished embeddings are kept until the caller deletes them.

    Raises:
        KeyboardInterrupt: Passed on; what was finished is in `resume_folder`.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> graph = build_snapshot([Entity(key=EntityKey("a"), label="City", name="A")], [])
        >>> train_link_predictor(graph).num_entities
        1
    """
    return _Training(snapshot, config or LinkPredictorConfig(), seed, progress, resume_folder).run()


class _Training:
    def __init__(
        self,
        snapshot: Snapshot,
        config: LinkPredictorConfig,
        seed: int,
        progress: Progress,
        resume_folder: Path | None,
    ) -> None:
        self.snapshot = snapshot
        self.config = config
        self.seed = seed
        self.types = RelationTypes(snapshot)
        self.positions = Positions(snapshot, config.position_attributes, config.area_attribute)
        self.resume_folder = resume_folder
        self._progress = progress
        self._total = (config.folds + 1) * config.complex.epochs + 2 * snapshot.num_relations
        self._done = 0

    def run(self) -> CalibratedPredictor:
        folds = [self._fold(number) for number in range(self.config.folds)]
        models = {}
        for relation in range(self.snapshot.num_relations):
            found = self._relation(relation, folds)
            if found is not None:
                models[relation] = found
            self._step()
        final = self._embedding(self.snapshot, "all", self.seed + self.config.folds)
        features = Features(self.snapshot, self.types, final, self.positions)
        matrices = []
        for relation in range(self.snapshot.num_relations):
            matrices.append(
                predicted_edges(
                    self.snapshot,
                    self.types,
                    features,
                    relation,
                    models.get(relation),
                    kept_tails=self.config.kept_tails,
                )
            )
            self._step()
        return CalibratedPredictor(
            snapshot=self.snapshot,
            matrices=matrices,
            models=models,
            embedding=final,
            config=self.config,
            seed=self.seed,
        )

    def _step(self, count: int = 1) -> None:
        self._done += count
        self._progress(self._done, self._total)

    def _fold(self, number: int) -> _Fold:
        share = self.config.hidden_share
        hidden = hidden_edges(self.snapshot, fold=number, share=share)
        graph = self.snapshot.keeping(~hidden)
        model = self._embedding(graph, f"fold-{number}", self.seed + number)
        return _Fold(hidden=hidden, number=number, model=model)

    def _embedding(self, graph: Snapshot, name: str, seed: int) -> EmbeddingModel:
        before = self._done
        folder = None if self.resume_folder is None else self.resume_folder / name

        def report(done: int, _total: int) -> None:
            self._done = before + done
            self._progress(self._done, self._total)

        model = train_embedding(
            graph,
            self.config.complex,
            candidates=self.types.embedding_candidates(),
            seed=seed,
            progress=report,
            resume_folder=folder,
        )
        self._done = before + self.config.complex.epochs
        return model

    def _relation(self, relation: int, folds: list[_Fold]) -> RelationModel | None:
        """Return the rules and the mixture of a relation, None if it is never predicted."""
        of_relation = self.snapshot.relations == relation
        hidden = [int((fold.hidden & of_relation).sum()) for fold in folds]
        if self.types.is_closed(relation) or sum(hidden) < self.config.fewest_hidden:
            return None
        chosen, gains = self._mined(relation)
        parts = [  # a fold that hides none of a rare relation has no example
            self._examples(relation, fold, chosen)
            for fold, count in zip(folds, hidden, strict=True)
            if count
        ]
        columns, hits, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        mixture = fit_mixture(
            columns,
            hits,
            weights,
            completeness=self._completeness(relation, folds),
            penalty=self.config.penalty,
        )
        return RelationModel(bodies=chosen, gains=gains, mixture=mixture)

    def _examples(
        self, relation: int, fold: _Fold, chosen: tuple[Body, ...]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float64]]:
        """Return evidence, outcome and weight of all hidden edges and a sample of non-edges."""
        # only this relation's edges are hidden here: other relations are as complete as they are
        hidden = fold.hidden & (self.snapshot.relations == relation)
        graph = self.snapshot.keeping(~hidden)
        heads = np.unique(self.snapshot.heads[hidden]).astype(np.int32)
        pairs = pairs_of(graph, self.types, relation, heads)
        hits = self._hits(pairs, hidden)
        kept, weights = self._sampled(hits, (relation, fold.number))
        features = Features(graph, self.types, fold.model, self.positions)
        chosen_pairs = Pairs(heads=heads, rows=pairs.rows[kept], tails=pairs.tails[kept])
        return features.columns(relation, chosen_pairs, chosen), hits[kept], weights

    def _completeness(self, relation: int, folds: list[_Fold]) -> NDArray[np.float64]:
        heads = self.types.candidates(relation, inverse=True)
        known, missing = [], []
        for fold in folds:
            of_relation = self.snapshot.relations == relation
            hidden = np.bincount(
                self.snapshot.heads[fold.hidden & of_relation], minlength=self.snapshot.num_entities
            )
            all_tails = np.bincount(
                self.snapshot.heads[of_relation], minlength=self.snapshot.num_entities
            )
            known.append((all_tails - hidden)[heads])
            missing.append(hidden[heads] > 0)
        return completeness_of(np.concatenate(known), np.concatenate(missing))

    def _hits(self, pairs: Pairs, hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
        size = self.snapshot.num_entities
        edges = self.snapshot.heads[hidden].astype(np.int64) * size + self.snapshot.tails[hidden]
        return np.isin(pairs.heads[pairs.rows].astype(np.int64) * size + pairs.tails, edges)

    def _sampled(
        self, hits: NDArray[np.bool_], salt: tuple[int, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return positions of all hits and of a sample of the rest, and what each stands for."""
        rest = np.flatnonzero(~hits)
        random = np.random.default_rng((self.seed, *salt))
        count = min(len(rest), self.config.sampled_pairs)
        sample = rest if count == len(rest) else random.choice(rest, count, replace=False)
        kept = np.sort(np.concatenate([np.flatnonzero(hits), sample]))
        return kept, np.where(hits[kept], 1.0, len(rest) / max(1, count))

    def _mined(self, relation: int) -> tuple[tuple[Body, ...], tuple[float, ...]]:
        """Return the bodies that tell most about hidden edges, and how much each tells alone."""
        hidden = hidden_edges(
            self.snapshot, fold=_MINING_FOLD, share=_MINING_SHARE, relation=relation
        )
        graph = self.snapshot.keeping(~hidden)
        heads = np.unique(self.snapshot.heads[hidden]).astype(np.int32)
        if len(heads) > self.config.mined_heads:
            random = np.random.default_rng((self.seed, relation))
            heads = np.sort(random.choice(heads, self.config.mined_heads, replace=False))
        pairs = pairs_of(graph, self.types, relation, heads)
        hits = self._hits(pairs, hidden)
        walks, counts = Walks(graph), np.bincount(graph.relations, minlength=graph.num_relations)
        longest = 2 if self.types.same_image[relation] else self.config.longest_body
        tried = bodies(self.types, relation, counts, longest=longest, most=self.config.tried_bodies)
        kept: dict[Body, sparse.csr_matrix] = {}
        gains = {}
        for body in tried:
            values = looked_up(walks.reach(heads, body, kept), pairs.rows, pairs.tails)
            gains[body] = information_gain(values, hits)
        best = sorted((body for body in tried if gains[body] > 0), key=lambda b: (-gains[b], b))
        best = best[: self.config.bodies]
        return tuple(best), tuple(gains[body] for body in best)
