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
from evaluation.comparison import compare
from evaluation.coverage_band import RiskBand, Sample, risk_band
from evaluation.linking import (
    NilScores,
    RiskCoverage,
    auroc,
    hits_in_lists,
    nil_scores,
    risk_coverage,
)
from evaluation.machine import Machine, Measurement, current_commit, peak_memory_mb, this_machine
from evaluation.ranks import Ranks, hits_at, mean_by_group, mrr, query_ranks, ranks
from evaluation.results import RunResult, read_result
from evaluation.significance import Difference, paired_bootstrap, standard_error

__all__ = [
    "Calibration",
    "Difference",
    "Isotonic",
    "Machine",
    "Measurement",
    "NilScores",
    "Platt",
    "Ranks",
    "ReliabilityBin",
    "RiskBand",
    "RiskCoverage",
    "RunResult",
    "Sample",
    "auroc",
    "calibration_from_json",
    "compare",
    "current_commit",
    "ece",
    "fit_isotonic",
    "fit_platt",
    "hits_at",
    "hits_in_lists",
    "mean_by_group",
    "mrr",
    "nil_scores",
    "paired_bootstrap",
    "peak_memory_mb",
    "query_ranks",
    "ranks",
    "read_result",
    "reliability",
    "risk_band",
    "risk_coverage",
    "standard_error",
    "this_machine",
]
