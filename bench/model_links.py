"""Link prediction by the default model of a graph folder: what rules and calibration add.

Question: how well do the embedding alone, the path rules alone and their calibrated mix rank the
held-out edges? The protocol is the field's: tails and heads of all edges of a split, filtered by
the edges of all splits, realistic ranks, mean over edges. Embedding and rules have seen the
training edges; the mix, some numbers a relation, was fitted on the validation edges.
Command: ``python -m bench.model_links FOLDER --model DIR --out JSON`` with what
``umbra train FOLDER`` made. About two minutes on one core for FB15k-237.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation import (
    Measurement,
    RunResult,
    paired_bootstrap,
    query_ranks,
    standard_error,
)
from kg.graph_folder import SPLITS, GraphFolder, load_graph_folder
from reasoning.folder_model import load_folder_model
from reasoning.predictors.ensemble import EnsemblePredictor
from reasoning.predictors.ensemble.examples import Missing, missing_tails

__all__ = ["MODELS", "main", "ranks_of_links"]

MODELS = ("embedding", "rules", "mix")
_BLOCK = 256


def ranks_of_links(
    predictor: EnsemblePredictor, graph: GraphFolder, edges: NDArray[np.int32]
) -> dict[str, NDArray[np.float64]]:
    """Return, by name of `MODELS`, filtered realistic ranks of both ends of all edges.

    Args:
        predictor: The mix of an embedding and rules.
        graph: Edges of all its splits are no rivals.
        edges: ``(n, 3)`` head, relation, tail.
    """
    count = graph.full.num_relations
    asked = missing_tails(edges, count)
    right = missing_tails(np.concatenate([graph.edges(split) for split in SPLITS]), count)
    codes = right.steps * graph.full.num_entities + right.heads
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in MODELS}
    for step in np.unique(asked.steps).tolist():
        low, high = np.searchsorted(asked.steps, [step, step + 1])
        for start in range(low, high, _BLOCK):
            rows = np.arange(start, min(high, start + _BLOCK))
            heads = asked.heads[rows]
            scores = predictor.evidence.scores(heads, step)
            mixed = predictor.rows(heads, step % count, inverse=step >= count)
            places = np.searchsorted(codes, step * graph.full.num_entities + heads)
            for name, values in zip(MODELS, [*scores, mixed], strict=True):
                found[name] += [
                    query_ranks(line, asked.of(row), _others(right, place, asked.of(row))).realistic
                    for row, place, line in zip(rows.tolist(), places.tolist(), values, strict=True)
                ]
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _others(right: Missing, place: int, asked: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.setdiff1d(right.of(place), asked)


def _figures(ranks: NDArray[np.float64]) -> dict[str, float]:
    spread = {"mrr": float((1 / ranks).mean()), "standard_error": standard_error(1 / ranks)}
    hits = {f"hits_at_{k}": float((ranks <= k).mean()) for k in (1, 3, 10)}
    return {"n": len(ranks), **spread, **hits}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    given = _parser().parse_args(arguments)
    words = sys.argv[1:] if arguments is None else arguments
    clock = Measurement.start()
    graph = load_graph_folder(given.folder)
    model = load_folder_model(given.model, graph.train)
    ranks = ranks_of_links(model.predictor, graph, graph.edges(given.split))
    by_model = {name: _figures(one) for name, one in ranks.items()}
    mix = by_model["mix"]
    result = RunResult.measured(
        clock,
        command=f"python -m bench.model_links {shlex.join(words)}",
        seed=int(model.manifest["plan"]["seed"]),
        protocol="link-prediction",
        inputs={"graph": graph.full.hash, "model": model.fingerprint},
        n=int(mix["n"]),
        metrics={name: value for name, value in mix.items() if name != "n"},
        by={"model": by_model},
    )
    result.save(given.out)
    for name, figures in by_model.items():
        sys.stdout.write(f"{name}: {figures}\n")
    gain = paired_bootstrap(1 / ranks["mix"], 1 / ranks["embedding"])
    sys.stdout.write(f"mix minus embedding: {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.model_links", description=__doc__)
    parser.add_argument("folder", type=Path, help="graph folder")
    parser.add_argument("--model", type=Path, required=True, help="what `umbra train` made of it")
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--out", type=Path, required=True, help="result as JSON")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
