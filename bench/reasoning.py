"""Logical answering on a published benchmark, beside the figures of the field.

Question: how good is the default answerer on NELL995's published BetaE test queries? Rivals: the
published rows (`reasoning.evaluating.published`). Command: ``python -m bench.reasoning`` (about 90
minutes on two cores with training; with ``--model DIR`` only the evaluation). NELL995's model is
trained with the settings of ``bench/reasoning.json``, that of another graph with its defaults.
Everything is trained on the training edges and tuned on the validation edges; test queries are
evaluated once for each of two sets of known edges: training edges as published, and training and
validation edges, which is how a user runs. Writes a result file for each and the page
``reasoning.md``; what was written there by hand, between two marks, stays.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from api.cli.printing import progress_bars
from api.steps.evaluate import Evaluation, KnownEdges, evaluate
from api.steps.train_folder import train_folder
from evaluation import RunResult
from kg.files import atomic_write, read_json
from kg.graph_folder import load_graph_folder
from reasoning.evaluating.published import published_figures
from reasoning.evaluating.report import field_table, markdown

ROOT = Path(__file__).resolve().parents[1]
NELL995 = ROOT.parent / "shared" / "data" / "kgqa" / "nell995-betae"
SETTINGS = Path(__file__).with_suffix(".json")
"""Of NELL995's model: wide vectors, as QTO's authors have them, beside those of `umbra train`."""

KNOWN: dict[str, KnownEdges] = {"train": "train", "train-valid": "train+valid"}
QUICK_QUERIES = 10
BY_HAND = ("<!-- by hand, kept when the figures are measured again -->", "<!-- by hand: end -->")
"""The marks around what no command writes: goals, reasons, what was tried."""


def results(arguments: argparse.Namespace) -> dict[str, RunResult]:
    """Train unless a model is given, and evaluate it with both sets of known edges."""
    model = arguments.model
    if model is None:
        is_nell995 = arguments.folder.resolve() == NELL995.resolve()
        settings = SETTINGS if is_nell995 else None
        model = arguments.work / f"model-{arguments.folder.name}-seed{arguments.seed}"
        with progress_bars() as bars:
            train_folder(
                arguments.folder,
                model,
                seed=arguments.seed,
                settings=arguments.settings or settings,
                bars=bars,
            )
    found = {}
    for name, known in KNOWN.items():
        out = arguments.out / f"reasoning-{arguments.folder.name}-{name}-seed{arguments.seed}.json"
        task = Evaluation(
            queries=arguments.queries or arguments.folder / "test-queries.jsonl.gz",
            graph=arguments.folder,
            model=model,
            out=out,
            known=known,
            limit=QUICK_QUERIES if arguments.quick else None,
            processes=arguments.processes,
            command="python -m bench.reasoning",
        )
        with progress_bars() as bars:
            found[known] = evaluate(task, progress=bars(f"evaluating, {known} known", "queries"))
    arguments.model = model
    return found


def by_hand(text: str) -> str:
    """Return what of an earlier page was written by hand, with its marks; nothing without them."""
    first, last = map(text.find, BY_HAND)
    return text[first : last + len(BY_HAND[1])] if 0 <= first < last else ""


def page(arguments: argparse.Namespace, found: dict[str, RunResult], *, kept: str = "") -> str:
    """Return the page; every figure comes from the results and the model's manifest.

    Args:
        arguments: Of the run.
        found: Result for each set of known edges.
        kept: Of `by_hand`; it stands before the first table.
    """
    graph = load_graph_folder(arguments.folder)
    name, published = published_figures(graph)
    stem = f"reasoning-{arguments.folder.name}"
    plots = [f"{stem}-train-seed{arguments.seed}-{kind}.svg" for kind in ("structure", "hardness")]
    first = markdown(
        found["train"],
        title=f"Logical queries on {name or arguments.folder.name}",
        published=published,
        plots=plots,
    )
    if kept:
        first = first.replace("\n## ", f"\n{kept}\n\n## ", 1)
    more = [
        "## With validation edges known\n",
        "How a user runs: not comparable with published figures.\n",
        field_table({"Umbra": found["train+valid"]}, {}),
        "## Training\n",
        _training(read_json(arguments.model / "model.json", kind="model of a graph folder")),
    ]
    return "\n".join([first, *more])


def _training(manifest: dict[str, Any]) -> str:
    seconds = ", ".join(f"{part} {value:,.0f} s" for part, value in manifest["seconds"].items())
    edges = manifest["edges"]
    return (
        f"{manifest['entities']:,} entities, {edges['train']:,} training edges, stopped and "
        f"calibrated by {edges['valid']:,} validation edges; {seconds}, "
        f"{sum(manifest['seconds'].values()) / 60:,.0f} minutes in all; "
        f"{manifest['rules']:,} rules; seed {manifest['plan']['seed']}.\n"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=NELL995, help="graph folder")
    parser.add_argument("--queries", type=Path, help="its test queries")
    parser.add_argument("--model", type=Path, help="a trained model instead of training")
    parser.add_argument("--settings", type=Path, help="JSON of settings, as for umbra train")
    parser.add_argument("--work", type=Path, default=Path("build") / "bench", help="for the model")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="ten queries of each structure")
    arguments = parser.parse_args(argv)
    found = results(arguments)
    place = arguments.out / "reasoning.md"
    kept = by_hand(place.read_text(encoding="utf-8")) if place.exists() else ""
    with atomic_write(place) as file:
        file.write(page(arguments, found, kept=kept).encode())
    if kept:
        print(f"what was written by hand in {place} was kept: see whether it still holds")
    for known, result in found.items():
        epfo, negation = (result.metrics.get(f"{kind}_mrr", 0.0) for kind in ("epfo", "negation"))
        print(f"{known} known: EPFO {100 * epfo:.1f}, negation {100 * negation:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
