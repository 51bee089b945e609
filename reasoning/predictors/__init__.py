"""Link predictors: how likely an edge is that the graph does not hold."""

from reasoning.predictors.constant import NoPredictor

__all__ = ["NoPredictor"]
