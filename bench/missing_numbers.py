"""Missing numbers on FB15k-237: error and coverage on values that were held out.

Question: how near do predicted attribute values come, and do intervals hold as often as they say?
Rivals: the property's median, and the median of the ten nearest entities (cosine of their edges,
weighted by rarity). A fifth of the values of every property with enough of them is held out, over
three seeds. Command: ``python -m bench.missing_numbers FOLDER --out docs/benchmarks`` (a folder
with ``numeric.tsv.gz``; about five minutes on one core). Writes ``missing-numbers.json`` and
``missing-numbers.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evaluation import (
    Measurement,
    RunResult,
    standard_error,
)
from kg.graph_folder import load_graph_folder
from kg.snapshot import Snapshot
from reasoning.numbers import NumberConfig, fit_number_model, known_numbers

__all__ = ["HeldOut", "main", "measure", "page", "result_of"]

COVERAGE = 0.9
NEAREST = 10
_HELD_OUT = 0.2


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """One property and seed.

    Attributes:
        name: The property.
        n: Values held out.
        inside: Share of them within the interval.
        error: Mean absolute error.
        median_error: Of the property's median.
        nearest_error: Of the nearest entities.
    """

    name: str
    n: int
    inside: float
    error: float
    median_error: float
    nearest_error: float


class NearestEntities:
    """Entities with the most similar edges.

    Args:
        snapshot: The graph.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        heads, relations, tails = (
            np.asarray(a).astype(np.int64)
            for a in (snapshot.heads, snapshot.relations, snapshot.tails)
        )
        count, size = snapshot.num_relations, snapshot.num_entities
        rows = np.concatenate([heads, tails])
        items = np.concatenate([relations * size + tails, (relations + count) * size + heads])
        _, columns = np.unique(items, return_inverse=True)
        matrix = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)))
        rarity = np.log(size / np.maximum(1, matrix.getnnz(axis=0)))
        weighted = matrix @ sparse.diags(rarity)
        norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        scaled = sparse.diags(1.0 / np.maximum(norms, 1e-9)) @ weighted
        scaled.resize((size, scaled.shape[1]))
        self._items = scaled.tocsr()

    def predict(
        self, numbers: NDArray[np.float64], asked: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the median over the nearest entities that have a number.

        Args:
            numbers: ``(num_entities,)``, NaN where missing.
            asked: ``(n,)`` ids.
        """
        known = np.flatnonzero(np.isfinite(numbers))
        likeness = (self._items[asked] @ self._items[known].T).toarray()
        nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :NEAREST]
        found: NDArray[np.float64] = np.median(numbers[known][nearest], axis=1)
        return found


def measure(snapshot: Snapshot, name: str, nearest: NearestEntities, seed: int) -> HeldOut:
    """Hold out a fifth of the values of a property and predict them."""
    numbers = known_numbers(snapshot, name)
    known = np.flatnonzero(np.isfinite(numbers))
    generator = np.random.default_rng(seed)
    held = np.sort(generator.choice(known, round(_HELD_OUT * len(known)), replace=False))
    shown = numbers.copy()
    shown[held] = np.nan
    model = fit_number_model(snapshot, name, numbers=shown, seed=seed)
    value, low, high = model.predict(held, COVERAGE)
    true = numbers[held]

    def error(guess: NDArray[np.float64] | float) -> float:
        return float(np.abs(true - guess).mean())

    return HeldOut(
        name=name,
        n=len(held),
        inside=float(((low <= true) & (true <= high)).mean()),
        error=error(value),
        median_error=error(float(np.nanmedian(shown))),
        nearest_error=error(nearest.predict(shown, held)),
    )


def result_of(
    found: Sequence[HeldOut], *, command: str, clock: Measurement, seed: int, inputs: dict[str, str]
) -> RunResult:
    """Return the figures; errors are shares of the median's, cut at 1 where they are larger."""
    by_property = {}
    for name in sorted({one.name for one in found}):
        runs = [one for one in found if one.name == name]
        base = np.array([one.median_error for one in runs]) + 1e-12
        ratio = np.array([one.error for one in runs]) / base
        rival = np.array([one.nearest_error for one in runs]) / base
        by_property[name] = {
            "n": sum(one.n for one in runs),
            "coverage": float(np.average([o.inside for o in runs], weights=[o.n for o in runs])),
            "error_share_of_median": min(1.0, float(ratio.mean())),
            "nearest_share_of_median": min(1.0, float(rival.mean())),
            "standard_error": min(1.0, standard_error(ratio)) if len(runs) > 1 else 0.0,
        }
    rows = list(by_property.values())
    weights = [int(row["n"]) for row in rows]
    ours = np.array([row["error_share_of_median"] for row in rows])
    rival = np.array([row["nearest_share_of_median"] for row in rows])
    return RunResult.measured(
        clock,
        command=command,
        seed=seed,
        protocol="missing-numbers",
        inputs=inputs,
        n=sum(weights),
        metrics={
            "coverage": float(np.average([row["coverage"] for row in rows], weights=weights)),
            "coverage_wanted": COVERAGE,
            "error_share_of_median": float(np.median(ours)),
            "nearest_share_of_median": float(np.median(rival)),
            "properties_ahead_of_nearest": float((ours < rival).mean()),
        },
        by={"property": by_property},
    )


def page(result: RunResult) -> str:
    """Return the page of a result; every figure comes from it."""
    metrics = result.metrics
    lines = [
        "# Missing numbers\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, {result.machine.memory_gb:.0f} GB, no GPU.\n"
        ),
        (
            f"A fifth of the values of each property of FB15k-237 is held out. Intervals of "
            f"{metrics['coverage_wanted']:.0%} hold **{metrics['coverage']:.1%}** of "
            f"{result.n:,} held-out values. Mean absolute error as a share of the median's "
            f"(1.000 stands for no gain): "
            f"**{metrics['error_share_of_median']:.2f}** in the median property, "
            f"{metrics['nearest_share_of_median']:.2f} for the {NEAREST} nearest entities; ahead "
            f"of those in {metrics['properties_ahead_of_nearest']:.0%} of the properties.\n"
        ),
        "| property | held out | coverage | error | ± | nearest |",
        "|---|---|---|---|---|---|",
    ]
    rows = result.by["property"]
    for name in sorted(rows, key=lambda one: -rows[one]["n"]):
        row = rows[name]
        cells = ("coverage", "error_share_of_median", "standard_error", "nearest_share_of_median")
        numbers = " | ".join(f"{row[cell]:.3f}" for cell in cells)
        lines.append(f"| {name} | {row['n']:,} | {numbers} |")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="FB15k-237 with numeric.tsv.gz")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args(argv)
    clock = Measurement.start()
    graph = load_graph_folder(given.folder).train
    nearest = NearestEntities(graph)
    fewest = round(NumberConfig().fewest_values / (1.0 - _HELD_OUT)) + 1
    names = [
        name
        for name in sorted(graph.attributes)
        if np.isfinite(known_numbers(graph, name)).sum() >= fewest
    ]
    found = []
    for seed in range(given.seeds):
        for number, name in enumerate(names, start=1):
            found.append(measure(graph, name, nearest, seed))
            print(f"seed {seed}: {number} of {len(names)} properties", file=sys.stderr)
    result = result_of(
        found,
        command=f"python -m bench.missing_numbers FOLDER --seeds {given.seeds}",
        clock=clock,
        seed=0,
        inputs={"graph": graph.hash},
    )
    result.save(given.out / "missing-numbers.json")
    (given.out / "missing-numbers.md").write_text(page(result), encoding="utf-8")
    print(page(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
