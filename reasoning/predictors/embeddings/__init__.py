"""Embeddings: raw scores of edges from vectors of entities and relations."""

from reasoning.predictors.embeddings.candidates import Candidates, typed_candidates
from reasoning.predictors.embeddings.config import ComplexConfig, EmbeddingConfig, TuckerConfig
from reasoning.predictors.embeddings.link_ranks import LinkRanks, link_ranks
from reasoning.predictors.embeddings.model import EmbeddingModel
from reasoning.predictors.embeddings.training import train_embedding

__all__ = [
    "Candidates",
    "ComplexConfig",
    "EmbeddingConfig",
    "EmbeddingModel",
    "LinkRanks",
    "TuckerConfig",
    "link_ranks",
    "train_embedding",
    "typed_candidates",
]
