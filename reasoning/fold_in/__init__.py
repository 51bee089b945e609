"""New facts without retraining: vectors for entities that were added after training."""

from reasoning.fold_in.calibrated import fold_in_calibrated
from reasoning.fold_in.config import FoldInConfig
from reasoning.fold_in.descriptions import DescriptionMap, description, fit_description_map
from reasoning.fold_in.ensemble import fold_in_ensemble
from reasoning.fold_in.folding import FoldedIn, fold_in
from reasoning.fold_in.growth import Growth, growth_of

__all__ = [
    "DescriptionMap",
    "FoldInConfig",
    "FoldedIn",
    "Growth",
    "description",
    "fit_description_map",
    "fold_in",
    "fold_in_calibrated",
    "fold_in_ensemble",
    "growth_of",
]
