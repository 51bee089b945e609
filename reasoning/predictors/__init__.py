"""Link predictors: how likely an edge is that the graph does not hold."""

from reasoning.predictors.calibrated import CalibratedPredictor
from reasoning.predictors.config import LinkPredictorConfig
from reasoning.predictors.constant import NoPredictor
from reasoning.predictors.embeddings.config import ComplexConfig
from reasoning.predictors.training import train_link_predictor

__all__ = [
    "CalibratedPredictor",
    "ComplexConfig",
    "LinkPredictorConfig",
    "NoPredictor",
    "train_link_predictor",
]
