"""Settings of the default model of a graph folder, by the graph's size; saved with the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kg.config_fields import restored
from kg.errors import SettingError
from reasoning.folder_model_changes import changed_settings
from reasoning.predictors.embeddings.config import (
    ComplexConfig,
    EmbeddingConfig,
    config_from_json,
)
from reasoning.predictors.ensemble.config import EnsembleConfig
from reasoning.predictors.rules.config import RuleConfig
from reasoning.symbolic.config import SymbolicConfig

__all__ = ["FolderModelConfig"]

_SMALL, _LARGE = 5_000, 150_000
"""Numbers of entities below and above which an embedding is trained in another way."""

_DENSE = 10
"""Edges an entity above which predicting relations helps (FB15k-237 has 19, NELL995 2)."""


_MIDDLE = ComplexConfig(
    regulariser=0.05,
    batch=1000,
    candidates=None,
    scale=0.01,
    keep_every=1,
    precision="bfloat16",
    both_directions=False,
    patience=2,
    valid_edges=4000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderModelConfig:
    """How the model of a graph folder is trained and answers.

    Attributes:
        embedding: Of the embedding.
        rules: Of rule mining.
        ensemble: Of the mix and its calibration.
        answering: Of the symbolic answerer.
        answer_queries: Validation queries of each structure that the probabilities of answers are
            fitted on, at least 1; of one edge four times as many.
    """

    embedding: EmbeddingConfig = field(default_factory=ComplexConfig)
    rules: RuleConfig = field(default_factory=RuleConfig)
    ensemble: EnsembleConfig = field(default_factory=EnsembleConfig)
    answering: SymbolicConfig = field(default_factory=SymbolicConfig)
    answer_queries: int = 500

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if not isinstance(self.answer_queries, int) or self.answer_queries < 1:
            raise SettingError(f"answer_queries is {self.answer_queries!r}, not at least 1")

    @classmethod
    def for_graph(cls, num_entities: int, num_edges: int) -> FolderModelConfig:
        """Return the settings for a graph of some size."""
        return cls(
            embedding=_embedding_for(num_entities, num_edges),
            rules=_rules_for(num_entities, num_edges),
            ensemble=_ensemble_for(num_entities, num_edges),
            answering=_answering_for(num_entities, num_edges),
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "embedding": self.embedding.to_json(),
            "rules": self.rules.to_json(),
            "ensemble": self.ensemble.to_json(),
            "answering": asdict(self.answering),
            "answer_queries": self.answer_queries,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FolderModelConfig:
        """Read what `to_json` wrote; an unknown field is a `TypeError`."""
        return cls(
            embedding=config_from_json(value["embedding"]),
            rules=RuleConfig(**restored(RuleConfig, value["rules"])),
            ensemble=EnsembleConfig(**restored(EnsembleConfig, value["ensemble"])),
            answering=SymbolicConfig(**restored(SymbolicConfig, value["answering"])),
            answer_queries=value["answer_queries"],
        )

    def changed(self, changes: Mapping[str, Any], *, where: str | None = None) -> FolderModelConfig:
        """Return settings with some fields of some parts changed.

        Args:
            changes: For each part the new values of fields, as in `to_json`.
            where: What the changes come from, for errors.

        Raises:
            SettingError: A part or a field is unknown, or a value is of another type or outside
                its range; it is named.
        """
        return self.from_json(changed_settings(self.to_json(), changes, where=where))


def _embedding_for(num_entities: int, num_edges: int) -> ComplexConfig:
    if num_entities <= _SMALL:
        return ComplexConfig(rank=64, epochs=60, regulariser=0.05, patience=5)
    if _is_dense(num_entities, num_edges):
        return replace(
            _MIDDLE,
            rank=200,
            epochs=15,
            average_from=11,
            patience=6,
            relation_weight=1.0,
            batch=500,
        )
    if num_entities > _LARGE:
        return replace(_MIDDLE, rank=100, epochs=20, candidates=20_000)
    # NELL995, 400 sampled validation queries a structure: 1 / 3 / 4 members gave 28.7 / 29.1 / 29.2
    # EPFO and 15.2 / 15.5 / 15.5 negation; rank 500 alone was no better than rank 200. Valid MRR of
    # edges after six epochs: 250 rows a step against 4,000 / 6,000 / 12,000 sampled tails 40.2
    # (of 125 rows) / 40.6 / 41.1; regulariser 0.03 / 0.05 / 0.1 40.4 / 40.6 / 39.7
    return replace(
        _MIDDLE,
        rank=200,
        members=4,
        epochs=15,
        batch=250,
        candidates=12_000,
        relation_weight=0.1,
        average_from=6,
        patience=3,
        both_directions=True,
    )


def _is_dense(num_entities: int, num_edges: int) -> bool:
    return num_entities > _SMALL and num_edges > _DENSE * num_entities


def _rules_for(num_entities: int, num_edges: int) -> RuleConfig:
    if _is_dense(num_entities, num_edges):
        # three steps lead nearly everywhere; on FB15k-237 they take five times as long to mine
        return RuleConfig(longest_body=2)
    return RuleConfig()


def _ensemble_for(num_entities: int, num_edges: int) -> EnsembleConfig:
    if _is_dense(num_entities, num_edges):
        # FB15k-237, queries over valid edges that the mix was not fitted on, 150 a structure:
        # κ of 0 / 0.5 / 1 / 1.5 / 2 gave 17.8 / 18.5 / 18.9 / 19.1 / 19.0 EPFO, 6.9 to 7.7 negation
        return EnsembleConfig(completeness=1.5)
    return EnsembleConfig()


def _answering_for(num_entities: int, num_edges: int) -> SymbolicConfig:
    if num_entities <= _SMALL:
        return SymbolicConfig()
    # NELL995, 400 sampled validation queries a structure: support 32, 64 and 128 gave 28.7 EPFO.
    # negation_power was chosen on queries whose graph lacks further edges than those that hard
    # answers need (`bench.answering_settings`), as it does where a published query is answered and
    # where anybody asks: where nothing else is missing, a power of 0.35 looks better
    sparse = SymbolicConfig(
        epsilon=1e-5,
        row_entries=1000,
        floor=1e-5,
        max_support=32,
        noisy_or=True,
    )
    if _is_dense(num_entities, num_edges):
        # as above: what pruning left out of a path is much, and all of its doubt cost 2.4 on pi
        return replace(sparse, floor=1e-6, benefit_of_doubt=0.1)
    return sparse
