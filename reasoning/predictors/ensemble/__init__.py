"""Link prediction on large graphs: several models, mixed and calibrated a relation."""

from reasoning.predictors.ensemble.config import EnsembleConfig
from reasoning.predictors.ensemble.fit import fit_ensemble
from reasoning.predictors.ensemble.predictor import EnsemblePredictor
from reasoning.predictors.ensemble.softmax import SoftmaxPredictor

__all__ = ["EnsembleConfig", "EnsemblePredictor", "SoftmaxPredictor", "fit_ensemble"]
