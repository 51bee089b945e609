"""Link prediction on large graphs: several models, mixed and calibrated a relation."""

from reasoning.predictors.ensemble.softmax import SoftmaxPredictor

__all__ = ["SoftmaxPredictor"]
