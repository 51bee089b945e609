"""Logical questions over a graph: query trees and their notations, and who answers them.

The public names of the package, each loaded from its module when it is first used, so that reading
a query does not load torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reasoning.answers import Answer as Answer
    from reasoning.answers import Answers as Answers
    from reasoning.answers import Proof as Proof
    from reasoning.answers import ProofEdge as ProofEdge
    from reasoning.checkpoint import Checkpoint as Checkpoint
    from reasoning.checkpoint import load_checkpoint as load_checkpoint
    from reasoning.checkpoint import save_checkpoint as save_checkpoint
    from reasoning.cones.answerer import ConeAnswerer as ConeAnswerer
    from reasoning.cones.config import ConeTrainingConfig as ConeTrainingConfig
    from reasoning.cones.rough_answerer import RoughConeAnswerer as RoughConeAnswerer
    from reasoning.cones.training import train_cones as train_cones
    from reasoning.counting import Count as Count
    from reasoning.counting import count_answers as count_answers
    from reasoning.exact import ExactAnswerer as ExactAnswerer
    from reasoning.exact import answer_set as answer_set
    from reasoning.exact import evaluate as evaluate
    from reasoning.folder_model import FolderModel as FolderModel
    from reasoning.folder_model import load_folder_model as load_folder_model
    from reasoning.folder_model import train_folder_model as train_folder_model
    from reasoning.folder_model_config import FolderModelConfig as FolderModelConfig
    from reasoning.joins import binding_keys as binding_keys
    from reasoning.joins import bindings as bindings
    from reasoning.normal_form import normalise as normalise
    from reasoning.normal_form import to_disjunctive as to_disjunctive
    from reasoning.notations import Reading as Reading
    from reasoning.notations import read as read
    from reasoning.notations import read_query as read_query
    from reasoning.notations import write_pattern as write_pattern
    from reasoning.notations import write_query as write_query
    from reasoning.patterns import Pattern as Pattern
    from reasoning.patterns import PatternEdge as PatternEdge
    from reasoning.predictors import LinkPredictorConfig as LinkPredictorConfig
    from reasoning.predictors import train_link_predictor as train_link_predictor
    from reasoning.predictors.embeddings import EmbeddingModel as EmbeddingModel
    from reasoning.predictors.ensemble import EnsemblePredictor as EnsemblePredictor
    from reasoning.predictors.ensemble import SoftmaxPredictor as SoftmaxPredictor
    from reasoning.predictors.rules import RuleSet as RuleSet
    from reasoning.protocols import Answerer as Answerer
    from reasoning.protocols import Edits as Edits
    from reasoning.protocols import LinkPredictor as LinkPredictor
    from reasoning.protocols import ScoreModel as ScoreModel
    from reasoning.protocols import ScoringAnswerer as ScoringAnswerer
    from reasoning.query import Anchor as Anchor
    from reasoning.query import Compare as Compare
    from reasoning.query import Date as Date
    from reasoning.query import Intersection as Intersection
    from reasoning.query import Labelled as Labelled
    from reasoning.query import Negation as Negation
    from reasoning.query import Projection as Projection
    from reasoning.query import Query as Query
    from reasoning.query import SoftAnchor as SoftAnchor
    from reasoning.query import Union as Union
    from reasoning.query import structure_name as structure_name
    from reasoning.query_files import read_query_file as read_query_file
    from reasoning.safety import check_safe as check_safe
    from reasoning.safety import describe as describe
    from reasoning.sampling import one_hop_queries as one_hop_queries
    from reasoning.sampling import sample_queries as sample_queries
    from reasoning.symbolic.answerer import SymbolicAnswerer as SymbolicAnswerer
    from reasoning.symbolic.config import SymbolicConfig as SymbolicConfig
    from reasoning.what_if import Changes as Changes
    from reasoning.why_not import WhyNot as WhyNot

_HOMES = {
    "Anchor": "reasoning.query",
    "Answer": "reasoning.answers",
    "Answerer": "reasoning.protocols",
    "Answers": "reasoning.answers",
    "Changes": "reasoning.what_if",
    "Checkpoint": "reasoning.checkpoint",
    "Compare": "reasoning.query",
    "ConeAnswerer": "reasoning.cones.answerer",
    "ConeTrainingConfig": "reasoning.cones.config",
    "Count": "reasoning.counting",
    "Date": "reasoning.query",
    "Edits": "reasoning.protocols",
    "EmbeddingModel": "reasoning.predictors.embeddings",
    "EnsemblePredictor": "reasoning.predictors.ensemble",
    "ExactAnswerer": "reasoning.exact",
    "FolderModel": "reasoning.folder_model",
    "FolderModelConfig": "reasoning.folder_model_config",
    "Intersection": "reasoning.query",
    "Labelled": "reasoning.query",
    "LinkPredictor": "reasoning.protocols",
    "LinkPredictorConfig": "reasoning.predictors",
    "Negation": "reasoning.query",
    "Pattern": "reasoning.patterns",
    "PatternEdge": "reasoning.patterns",
    "Projection": "reasoning.query",
    "Proof": "reasoning.answers",
    "ProofEdge": "reasoning.answers",
    "Query": "reasoning.query",
    "Reading": "reasoning.notations",
    "RoughConeAnswerer": "reasoning.cones.rough_answerer",
    "RuleSet": "reasoning.predictors.rules",
    "ScoreModel": "reasoning.protocols",
    "ScoringAnswerer": "reasoning.protocols",
    "SoftAnchor": "reasoning.query",
    "SoftmaxPredictor": "reasoning.predictors.ensemble",
    "SymbolicAnswerer": "reasoning.symbolic.answerer",
    "SymbolicConfig": "reasoning.symbolic.config",
    "Union": "reasoning.query",
    "WhyNot": "reasoning.why_not",
    "answer_set": "reasoning.exact",
    "binding_keys": "reasoning.joins",
    "bindings": "reasoning.joins",
    "check_safe": "reasoning.safety",
    "count_answers": "reasoning.counting",
    "describe": "reasoning.safety",
    "evaluate": "reasoning.exact",
    "load_checkpoint": "reasoning.checkpoint",
    "load_folder_model": "reasoning.folder_model",
    "normalise": "reasoning.normal_form",
    "one_hop_queries": "reasoning.sampling",
    "read": "reasoning.notations",
    "read_query": "reasoning.notations",
    "read_query_file": "reasoning.query_files",
    "sample_queries": "reasoning.sampling",
    "save_checkpoint": "reasoning.checkpoint",
    "structure_name": "reasoning.query",
    "to_disjunctive": "reasoning.normal_form",
    "train_cones": "reasoning.cones.training",
    "train_folder_model": "reasoning.folder_model",
    "train_link_predictor": "reasoning.predictors",
    "write_pattern": "reasoning.notations",
    "write_query": "reasoning.notations",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
