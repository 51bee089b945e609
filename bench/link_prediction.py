"""Link prediction on a graph folder: filtered MRR of held-out edges, tails and heads.

Question: how well does an embedding rank the edges that were held out?
Command: ``python -m bench.link_prediction FOLDER --model complex --rank 200 --out JSON``. Valid
edges choose among several regularisers, and whether r alone scores or the mean of r and r⁻¹; the
test edges are ranked once. Progress is shown; an interrupted run goes on with ``--state FOLDER``.
Several processes train together under ``torchrun --nproc-per-node N -m bench.link_prediction``.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation import (
    Measurement,
    RunResult,
    standard_error,
)
from kg.graph_folder import GraphFolder, load_graph_folder
from kg.progress import Progress
from reasoning.predictors.embeddings import (
    ComplexConfig,
    EmbeddingConfig,
    EmbeddingModel,
    LinkRanks,
    TuckerConfig,
    link_ranks,
    train_embedding,
    typed_candidates,
)
from reasoning.predictors.embeddings.processes import process_group

__all__ = ["chosen_model", "main", "result_of"]


def chosen_model(
    graph: GraphFolder,
    configs: Sequence[EmbeddingConfig],
    *,
    typed: int | None = None,
    seed: int = 0,
    state: Path | None = None,
) -> tuple[EmbeddingModel, LinkRanks]:
    """Train each configuration and return the best on valid, with its ranks there.

    Args:
        graph: The graph; only its train and valid edges are used.
        configs: What to try; each is scored by r alone and by both directions.
        typed: Train against this many typed candidates a relation instead of all entities.
        seed: Of the training.
        state: Folder for interrupted trainings.
    """
    train, valid = graph.train, graph.edges("valid")
    candidates = None if typed is None else typed_candidates(train, typed)
    found: list[tuple[EmbeddingModel, LinkRanks]] = []
    for number, config in enumerate(configs):
        model = train_embedding(
            train,
            config,
            valid=valid,
            candidates=candidates,
            seed=seed,
            progress=_printed(f"{config.model} {number + 1} of {len(configs)}"),
            resume_folder=None if state is None else state / str(number),
        )
        for both in (False, True):
            scored = replace(model, config=replace(config, both_directions=both))
            known = [graph.edges("train"), valid]
            found.append((scored, link_ranks(scored, valid, known)))
    return max(found, key=lambda one: float(one[1].reciprocal.mean()))


def result_of(
    graph: GraphFolder,
    model: EmbeddingModel,
    valid: LinkRanks,
    *,
    command: str,
    clock: Measurement,
    seed: int,
) -> RunResult:
    """Rank the test edges once and return all figures.

    The field filters valid ranks by the test edges too. `valid` is without them, since it decided;
    the figure beside it is for comparison and decides nothing.
    """
    known = [graph.edges(name) for name in ("train", "valid", "test")]
    test = link_ranks(model, graph.edges("test"), known)
    valid_as_published = link_ranks(model, graph.edges("valid"), known)
    count = graph.full.num_relations
    names = graph.full.relation_names
    by_relation = {}
    for directed in np.unique(test.edges[:, 1]).tolist():
        name = names.name(directed % count) + (" head" if directed >= count else " tail")
        by_relation[name] = _figures(test.realistic[test.edges[:, 1] == directed])
    of_heads = test.edges[:, 1] >= count
    everything = _figures(test.realistic)
    return RunResult.measured(
        clock,
        command=command,
        seed=seed,
        protocol="link-prediction",
        inputs={"graph": graph.full.hash, "model": model.fingerprint},
        n=len(test.realistic),
        metrics={name: value for name, value in everything.items() if name != "n"},
        by={
            "split": {
                "valid": _figures(valid_as_published.realistic),
                "valid_without_test": _figures(valid.realistic),
                "test": everything,
            },
            "direction": {
                "tail": _figures(test.realistic[~of_heads]),
                "head": _figures(test.realistic[of_heads]),
            },
            "relation": by_relation,
        },
    )


def _figures(realistic: NDArray[np.float64]) -> dict[str, float]:
    hits = {f"hits_at_{k}": float((realistic <= k).mean()) for k in (1, 3, 10)}
    reciprocal = 1.0 / realistic
    spread = {"mrr": float(reciprocal.mean()), "standard_error": standard_error(reciprocal)}
    return {"n": len(realistic), **spread, **hits}


def _printed(name: str) -> Progress:
    started = time.monotonic()

    def show(done: int, total: int) -> None:
        seconds = time.monotonic() - started
        sys.stderr.write(f"{name}: epoch {done} of at most {total}, {seconds:.0f} s\n")

    return show


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    clock = Measurement.start()
    torch.set_num_threads(given.threads)
    graph = load_graph_folder(given.folder)
    with process_group() as processes:
        model, valid = chosen_model(
            graph, _configs(given), typed=given.typed, seed=given.seed, state=given.state
        )
    if not processes.is_first:
        return 0
    if given.checkpoint is not None:
        model.save(given.checkpoint, graph.train)
    result = result_of(graph, model, valid, command=_command(given), clock=clock, seed=given.seed)
    result.save(given.out)
    of_valid = float(valid.reciprocal.mean())
    sys.stdout.write(f"{model.config}\nvalid {of_valid:.4f}, test {dict(result.metrics)}\n")
    return 0


def _command(given: argparse.Namespace) -> str:
    """Return the command with every setting that the figures depend on, without places."""
    words = [given.folder.name]
    for name, value in vars(given).items():
        option = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            words.append(option if value else option.replace("--", "--no-", 1))
        elif value is not None and not isinstance(value, Path):
            values = value if isinstance(value, list) else [value]
            words += [option, *map(str, values)]
    return "python -m bench.link_prediction " + shlex.join(words)


def _configs(given: argparse.Namespace) -> list[EmbeddingConfig]:
    shared: dict[str, Any] = {
        "relation_weight": given.relation_weight,
        "epochs": given.epochs,
        "average_from": given.average_from,
        "patience": given.patience,
        "batch": given.batch,
        "parts": 1 if given.typed is None else given.parts,
        "candidates": given.candidates,
        "precision": given.precision,
        "scale": given.scale,
        "keep_every": 1,
        "valid_edges": given.valid_edges,
        "both_directions": given.both_directions,
    }
    if given.model == "tucker":
        sizes = {"dimension": given.rank, "relation_dimension": given.relation_rank}
        return [TuckerConfig(regulariser=r, **sizes, **shared) for r in given.regulariser]
    return [ComplexConfig(regulariser=r, rank=given.rank, **shared) for r in given.regulariser]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.link_prediction", description=__doc__)
    add = parser.add_argument
    add("folder", type=Path, help="graph folder with train, valid and test edges")
    add("--out", type=Path, required=True, help="result file (JSON)")
    add("--model", choices=("complex", "tucker"), default="complex")
    add("--rank", type=int, default=200, help="complex dimensions, or TuckER's entity dimensions")
    add("--relation-rank", type=int, default=32, help="TuckER's relation dimensions")
    add("--regulariser", type=float, nargs="+", default=[0.05], help="one or more, valid chooses")
    add("--relation-weight", type=float, default=0.0, help="of predicting the relation of a pair")
    add("--epochs", type=int, default=12)
    add("--patience", type=int, default=2)
    add("--average-from", type=int, help="epoch from which parameters are averaged")
    add("--batch", type=int, default=1000, help="(head, relation) rows a step")
    add("--candidates", type=int, help="sampled tails a step; all by default")
    add("--typed", type=int, help="typed candidates a relation instead of all entities")
    add("--parts", type=int, default=12, help="relations a step with typed candidates")
    add("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    add("--scale", type=float, default=0.01, help="standard deviation of initial values")
    add("--valid-edges", type=int, default=4000, help="valid edges an epoch is judged by")
    add(
        "--both-directions",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="judge an epoch by the mean of r and r⁻¹; at the end valid chooses",
    )
    add("--seed", type=int, default=0)
    add("--threads", type=int, default=2)
    add("--checkpoint", type=Path, help="where the model is saved")
    add("--state", type=Path, help="where an interrupted training is kept")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
