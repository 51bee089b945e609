"""The calibrated ensemble against each of its models, on validation edges, by folds.

Question: does the mix rank better than its best member, and are its probabilities right? Rows (a
head, a relation, and the tails that valid holds) are dealt into folds; a fold's rows are judged by
a mix that was fitted on the others. MRR is filtered, the mean over rows (1p queries) and over
edges, both directions. ECE is over the ten best new tails of each row. The test edges are not read.
Command: ``python -m bench.ensemble FOLDER --embedding DIR --out JSON``; rules are mined unless
``--rules DIR`` has them. About 15 minutes on one core for NELL995 with 4,000 rows.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation import (
    Measurement,
    RunResult,
    ece,
    query_ranks,
    reliability,
    standard_error,
)
from kg.graph_folder import load_graph_folder
from reasoning.predictors.embeddings import EmbeddingModel
from reasoning.predictors.ensemble import EnsembleConfig, EnsemblePredictor
from reasoning.predictors.ensemble.evidence import Evidence
from reasoning.predictors.ensemble.examples import Missing, missing_tails
from reasoning.predictors.ensemble.fit import fit_on_rows
from reasoning.predictors.rules import RuleSet, mine_rules
from reasoning.protocols import ScoreModel

__all__ = ["Judged", "judged_rows", "main"]

_BLOCK = 64
_BEST = 10
MIX = "ensemble"


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What was found on some rows.

    Attributes:
        reciprocal: By model, the reciprocal ranks of each row's held-out tails.
        said: ``(n,)`` probabilities of the ten best new tails of each row by the mix.
        true: ``(n,)`` which of them are held out.
    """

    reciprocal: Mapping[str, list[NDArray[np.float64]]]
    said: NDArray[np.float32]
    true: NDArray[np.bool_]


def judged_rows(predictor: EnsemblePredictor, names: Sequence[str], missing: Missing) -> Judged:
    """Judge a mix and its members on rows that it was not fitted on.

    Args:
        predictor: The mix.
        names: Of its models.
        missing: The rows.
    """
    evidence = predictor.evidence
    count = evidence.snapshot.num_relations
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in (*names, MIX)}
    said, true = [], []
    for step in np.unique(missing.steps).tolist():
        low, high = np.searchsorted(missing.steps, [step, step + 1])
        for start in range(low, high, _BLOCK):
            rows = np.arange(start, min(high, start + _BLOCK))
            heads = missing.heads[rows]
            mixed = predictor.rows(heads, step % count, inverse=step >= count)
            scores = dict(zip(names, evidence.scores(heads, step), strict=True)) | {MIX: mixed}
            known = evidence.edges.of(step)[heads]
            for place, row in enumerate(rows.tolist()):
                held_out, easy = missing.of(row), known[place].indices
                for name, values in scores.items():
                    rank = query_ranks(values[place], held_out, easy)
                    found[name].append(1.0 / rank.realistic)
                best = np.argsort(-mixed[place], kind="stable")[:_BEST]
                said.append(mixed[place][best])
                true.append(np.isin(best, held_out))
    return Judged(reciprocal=found, said=np.concatenate(said), true=np.concatenate(true))


def _figures(reciprocal: Sequence[NDArray[np.float64]]) -> dict[str, float]:
    by_row = np.array([values.mean() for values in reciprocal])
    return {
        "n": len(by_row),
        "mrr": float(by_row.mean()),
        "standard_error": standard_error(by_row),
        "mrr_over_edges": float(np.concatenate(reciprocal).mean()),
    }


def _result(judged: Sequence[Judged]) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    said = np.concatenate([part.said for part in judged])
    true = np.concatenate([part.true for part in judged])
    for part in reliability(said, true):
        line = f"{part.mean_probability:.3f} said, {part.share_true:.3f} true, n {part.count}"
        sys.stdout.write(line + "\n")
    models = {
        name: _figures([values for part in judged for values in part.reciprocal[name]])
        for name in judged[0].reciprocal
    }
    mix = models[MIX]
    return {"mrr": mix["mrr"], "ece": ece(said, true)}, models


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    given = _parser().parse_args(arguments)
    clock = Measurement.start()
    torch.set_num_threads(given.threads)
    graph = load_graph_folder(given.folder)
    train = graph.train
    models: list[ScoreModel] = [EmbeddingModel.load(path, train) for path in given.embedding]
    names = [path.name.replace("-", "_") for path in given.embedding]
    rules = (
        mine_rules(train, seed=given.seed)
        if given.rules is None
        else RuleSet.load(given.rules, train)
    )
    models, names = [*models, rules], [*names, "rules"]
    evidence = Evidence(train, models)
    missing = missing_tails(graph.edges("valid"), train.num_relations)
    generator = np.random.default_rng(given.seed)
    fold = generator.integers(given.folds, size=len(missing.steps))
    judged = []
    for number in range(given.folds):
        fitted_on, rest = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        count = min(len(rest), given.rows // given.folds)
        chosen = np.sort(generator.choice(rest, count, replace=False))
        config = EnsembleConfig(shrinkage=given.shrinkage, rows=given.fit_rows)
        predictor = fit_on_rows(evidence, missing.taking(fitted_on), config, seed=given.seed)
        judged.append(judged_rows(predictor, names, missing.taking(chosen)))
        sys.stderr.write(f"fold {number + 1} of {given.folds}: {count} rows\n")
    metrics, by_model = _result(judged)
    result = RunResult.measured(
        clock,
        command="python -m bench.ensemble "
        + shlex.join(sys.argv[1:] if arguments is None else arguments),
        seed=given.seed,
        protocol="link-valid-folds",
        inputs={"graph": train.hash, "rules": rules.fingerprint},
        n=int(by_model[MIX]["n"]),
        metrics=metrics,
        by={"model": by_model},
    )
    result.save(given.out)
    for name, figures in by_model.items():
        sys.stdout.write(f"{name}: {figures}\n")
    sys.stdout.write(f"{metrics}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.ensemble", description=__doc__)
    parser.add_argument("folder", type=Path, help="graph folder")
    parser.add_argument("--embedding", type=Path, action="append", default=[], help="checkpoint")
    parser.add_argument("--rules", type=Path, help="checkpoint; mined by default")
    parser.add_argument("--rows", type=int, default=4000, help="rows judged, over all folds")
    parser.add_argument("--fit-rows", type=int, default=EnsembleConfig().rows, help="a fold")
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--shrinkage", type=float, default=EnsembleConfig().shrinkage)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="result as JSON")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
