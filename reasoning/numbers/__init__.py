"""Missing numbers: attribute values that the graph lacks, predicted with an interval."""

from reasoning.numbers.config import NumberConfig
from reasoning.numbers.conformal import ConformalInterval, conformal_interval
from reasoning.numbers.model import NumberModel, fit_number_model, known_numbers
from reasoning.numbers.prediction import NumberPrediction, NumberPredictor, predict_number

__all__ = [
    "ConformalInterval",
    "NumberConfig",
    "NumberModel",
    "NumberPrediction",
    "NumberPredictor",
    "conformal_interval",
    "fit_number_model",
    "known_numbers",
    "predict_number",
]
