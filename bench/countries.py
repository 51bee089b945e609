"""The demo's figures as result files: linking, labels, predicates, held-out edges.

Question: how good is each trained part of the demo on what it never saw, beside its baselines?
Rivals: those of the report (alias table, TF-IDF, pixels, rules, frequency prior, frequent tail …).
Command: ``python -m bench.countries --folder .umbra --out docs/benchmarks`` after ``make demo``
(or ``--seed N`` with a fresh folder for another seed: then it runs the demo first, 5 minutes on two
cores). Writes one JSON a protocol in the format of `evaluation.results`, and the page from them.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from api.cli.printing import progress_bars
from api.demo.pipeline import run_demo
from api.demo.recipe import load_recipe
from api.engine import Engine
from evaluation import Measurement, RunResult, current_commit, peak_memory_mb, this_machine

DATA = Path(__file__).resolve().parents[1] / "examples" / "countries"


def results(engine: Engine, seed: int, data: Path = DATA) -> list[RunResult]:
    """Run the demo (or read what it left) and return its figures as results."""
    clock = Measurement.start()
    recipe = load_recipe(data).model_copy(update={"seed": seed})
    with progress_bars() as bars:
        run_demo(engine, recipe, bars)
    workspace = engine.workspace
    linking = workspace.recorded("linker")["figures"]
    scenes = workspace.recorded("scenes")["figures"]
    edges = workspace.recorded("answers")
    shared = {
        "command": "python -m bench.countries",
        "date": clock.date,
        "machine": this_machine(),
        "commit": current_commit(),
        "seed": seed,
        "seconds": clock.seconds,
        "peak_memory_mb": peak_memory_mb(),
    }
    return [
        _linking(linking, shared),
        _labels(scenes["labels"], shared),
        _edges(edges["edges"], edges["calibration"], shared),
    ]


def _linking(figures: Mapping[str, Any], shared: Mapping[str, Any]) -> RunResult:
    groups = figures["groups"]
    line = figures["nil"]["the same and foreign"]
    by = {"group": {_key(g): _group(one) for g, one in groups.items()}}
    return RunResult(
        protocol="link",
        n=sum(one["n"] for one in groups.values()),
        metrics={
            "accuracy": figures["accuracy"],
            "ece": figures["ece"],
            "nil_f1": line["linker"]["f1"],
            "auroc": line["linker"]["auroc"],
        },
        by=by,
        **shared,
    )


def _group(one: Mapping[str, Any]) -> dict[str, float]:
    ours, best = one["linker"], one["baselines"][one["best_baseline"]]
    return {
        "n": one["n"],
        "hits_at_1": ours["h1"],
        "hits_at_5": ours["h5"],
        "recall_at_64": ours["recall_at_64"],
        "standard_error": ours["standard_error"],
        "strongest_baseline_hits_at_1": best["h1"],
    }


def _labels(labels: Mapping[str, Any], shared: Mapping[str, Any]) -> RunResult:
    by = {
        name: {
            "n": one["n"],
            "f1": one["f1_model"],
            "f1_of_rules": one["f1_rules"],
        }
        for name, one in labels["by_label"].items()
        if one["positives"]
    }
    return RunResult(
        protocol="region-labels",
        n=labels["n"],
        metrics={
            "accuracy": labels["accuracy"]["model"],
            "accuracy_of_rules": labels["accuracy"]["rules"],
            "accuracy_of_majority": labels["accuracy"]["majority"],
            "ece": labels["ece"],
        },
        by={"label": by},
        **shared,
    )


def _edges(
    figures: Sequence[Mapping[str, Any]],
    calibration: Mapping[str, Mapping[str, Any]],
    shared: Mapping[str, Any],
) -> RunResult:
    total = sum(one["n"] for one in figures)
    methods = list(figures[0]["mrr"])
    means = {
        f"mrr_{_key(m)}": sum(one["n"] * one["mrr"][m] for one in figures) / total for m in methods
    }
    by = {
        one["relation"]: {"n": one["n"]} | {f"mrr_{_key(m)}": one["mrr"][m] for m in methods}
        for one in figures
    }
    errors = {f"ece_{name}": one["ece"] for name, one in calibration.items()}
    return RunResult(
        protocol="held-out-edges", n=total, metrics=means | errors, by={"relation": by}, **shared
    )


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def page(found: Sequence[RunResult]) -> str:
    """Return the page of several results; every figure comes from their files."""
    lines = [
        "# The demo's figures\n",
        (
            "Written by `python -m bench.countries`; see docs/tutorial.md for the demo and "
            "`report.html` for intervals and calibration plots. Fractions of 1.\n"
        ),
    ]
    for result in found:
        value = result.to_json()
        lines.append(
            f"## {result.protocol}, seed {result.seed}\n\n"
            f"Commit {result.commit}, {result.date}, {result.machine.cores} cores, "
            f"{result.machine.memory_gb:.0f} GB, no GPU, n = {result.n:,}.\n"
        )
        lines += [f"- {name}: {number:.3f}" for name, number in value["metrics"].items()]
        for kind, groups in value["by"].items():
            columns = list(dict.fromkeys(name for one in groups.values() for name in one))
            lines.append(f"\n| {kind} | " + " | ".join(columns) + " |")
            lines.append("|---" * (len(columns) + 1) + "|")
            for name, one in groups.items():
                cells = [_cell(one.get(column)) for column in columns]
                lines.append(f"| {name} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines) + "\n"


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:d}" if isinstance(value, int) else f"{value:.3f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path(".umbra"))
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    with Engine.open(arguments.folder) as engine:
        found = results(engine, arguments.seed)
    for result in found:
        result.save(arguments.out / f"countries-{result.protocol}-seed{result.seed}.json")
    (arguments.out / "countries.md").write_text(page(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
