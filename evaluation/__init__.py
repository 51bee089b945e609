"""One protocol for every figure: ranks, calibration, significance, linking, run results.

numpy and scikit-learn only; it knows nothing of graphs or torch.
"""

from evaluation.calibration import (
    Calibration,
    Isotonic,
    Platt,
    ReliabilityBin,
    calibration_from_json,
    ece,
    fit_isotonic,
    fit_platt,
    reliability,
)
from evaluation.linking import (
    NilScores,
    RiskCoverage,
    auroc,
    hits_in_lists,
    nil_scores,
    risk_coverage,
)
from evaluation.ranks import Ranks, hits_at, mean_by_group, mrr, query_ranks, ranks
from evaluation.significance import Difference, paired_bootstrap, standard_error

__all__ = [
    "Calibration",
    "Difference",
    "Isotonic",
    "NilScores",
    "Platt",
    "Ranks",
    "ReliabilityBin",
    "RiskCoverage",
    "auroc",
    "calibration_from_json",
    "ece",
    "fit_isotonic",
    "fit_platt",
    "hits_at",
    "hits_in_lists",
    "mean_by_group",
    "mrr",
    "nil_scores",
    "paired_bootstrap",
    "query_ranks",
    "ranks",
    "reliability",
    "risk_coverage",
    "standard_error",
]
