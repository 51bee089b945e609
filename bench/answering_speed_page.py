"""The page of `bench.answering_speed`, and how far two methods differ query by query."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

from reasoning.structures import STRUCTURES

__all__ = ["ORDER", "page", "paired_difference"]

ORDER = ("sparse", "dense", "dense, helped", "sparse, QTO", "dense, QTO")
"""Methods; QTO: by the published formulas and threshold."""
PAIRS = (("sparse", "dense"), ("sparse", "dense, helped"), ("sparse, QTO", "dense, QTO"))
"""Methods that rank by the same formulas, ours first."""


def page(result: dict[str, Any]) -> str:
    """Return the tables of a result in Markdown."""
    machine = result["machine"]
    methods = {name: result["methods"][name] for name in ORDER}  # JSON keeps no order
    about = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"{machine['cores']} cores, {machine['memory_gb']:.0f} GB, seed {result['seed']}. "
        f"MRR × 100 on sampled validation queries; {result['answers']} answers a query where "
        "it is warm."
    )
    heads = ["method", "queries", "cold q/s", "of processor time", "warm q/s"]
    heads += ["of processor time", "MRR", "peak memory, MB"]
    lines = ["# Speed of answering", "", about, "", _row(heads), _row(["---"] * len(heads))]
    kinds = ("cold", "cold_cpu", "warm", "warm_cpu")
    for name, one in methods.items():
        rates = [f"{one[f'{kind}_queries_per_second']:.1f}" for kind in kinds]
        mrr, memory = f"{100 * one['mrr']:.2f}", f"{one['peak_memory_mb']:.0f}"
        lines.append(_row([name, f"{one['queries']}", *rates, mrr, memory]))
    lines += ["", *(_against(methods, ours, other) for ours, other in PAIRS)]
    lines += ["", "Milliseconds of a warm query that comes alone:", ""]
    heads = ["structure", "n"]
    heads += [f"{name}: {key}" for name in methods for key in ("p50", "p99", "MRR")]
    lines += [_row(heads), _row(["---"] * len(heads))]
    keys = ("warm_p50_ms", "warm_p99_ms", "mrr")
    for name in STRUCTURES:
        every = [each["structures"][name] for each in methods.values()]
        cells = (_cell(one, key) for one in every for key in keys)
        lines.append(_row([name, f"{every[0]['n']}", *cells]))
    lines += ["", "MRR of the first less that of the second, query by query:", "", *_gaps(methods)]
    return "\n".join(lines) + "\n"


def _gaps(methods: dict[str, Any]) -> list[str]:
    """Return the table of paired differences by structure."""
    lines = [_row(["structure", *(f"{ours} − {other}" for ours, other in PAIRS)])]
    lines.append(_row(["---"] * (1 + len(PAIRS))))
    for name in STRUCTURES:
        cells = []
        for ours, other in PAIRS:
            parts = (
                {"structures": {name: methods[one]["structures"][name]}} for one in (ours, other)
            )
            mean, error, _ = paired_difference(*parts)
            cells.append(f"{100 * mean:+.2f} ± {100 * error:.2f}")
        lines.append(_row([name, *cells]))
    return lines


def _against(methods: dict[str, Any], ours: str, other: str) -> str:
    """Return in words how much faster sparse sets are than their rival, and how far MRR differs."""
    rates = [
        f"{methods[ours][key] / methods[other][key]:,.1f} times as many a second {when}"
        for when, key in (("cold", "cold_queries_per_second"), ("warm", "warm_queries_per_second"))
    ]
    mean, error, alike = paired_difference(methods[ours], methods[other])
    return (
        f"- {ours.capitalize()} against {other}: {' and '.join(rates)}; MRR {100 * mean:+.2f} ± "
        f"{100 * error:.2f}, query by query; within 0.1 for {alike:.0%} of the queries."
    )


def paired_difference(ours: dict[str, Any], other: dict[str, Any]) -> tuple[float, float, float]:
    """Compare two methods on the same queries.

    Returns:
        How much larger the first one's mean over structures of MRR is, the standard error of that,
        and the share of queries whose reciprocal ranks agree to 0.001.
    """
    gaps = [
        np.subtract(ours["structures"][name]["reciprocal"], one["reciprocal"])
        for name, one in other["structures"].items()
    ]
    variance = sum(float(np.var(gap, ddof=1)) / len(gap) if len(gap) > 1 else 0.0 for gap in gaps)
    mean = float(np.mean([gap.mean() for gap in gaps]))
    alike = float(np.mean(np.abs(np.concatenate(gaps)) < 1e-3))
    return mean, sqrt(variance) / len(gaps), alike


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(one: dict[str, float], key: str) -> str:
    return f"{100 * one[key]:.1f}" if key == "mrr" else f"{one[key]:.2f}"
