"""Settings of the answerer, judged where further edges are missing than those that are asked about.

Question: which `negation_power` ranks answers best? A published test query needs a test edge, and
the answerer lacks the validation edges too. A validation query whose graph lacks only the
validation edges is the wrong mirror of it: there whatever is known to hold of a negated branch is
all that holds. So the validation edges are dealt into two halves, several times. The answerer knows
the training edges; easy answers follow from these and one half, and are filtered; hard ones need an
edge of the other half. Rival: the settings before. Command:
``python -m bench.answering_settings --model DIR`` on NELL995 (a model of `umbra train`; five
minutes on one core). Test edges and test queries are never read. The mix was fitted on the same
validation edges, which flatters all settings alike.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.run_record import keep, run_record
from kg.graph_folder import GraphFolder, load_graph_folder
from kg.snapshot import Snapshot
from reasoning.answer_calibration_fitting import half_of_validation
from reasoning.evaluating.ranking import evaluate_queries
from reasoning.folder_model import load_folder_model
from reasoning.judged_answers import validation_queries
from reasoning.protocols import LinkPredictor, ScoringAnswerer
from reasoning.query import Negation, walk
from reasoning.sampling import QuerySet
from reasoning.structures import STRUCTURES
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig

NELL995 = Path(__file__).resolve().parents[2] / "shared" / "data" / "kgqa" / "nell995-betae"
BEFORE: Mapping[str, Any] = {"negation_power": 0.35}
TRIED: Mapping[str, Mapping[str, Any]] = {
    f"negation_power {power}": {"negation_power": power} for power in (0.25, 0.7, 1.0, 1.5)
}
Found = dict[str, NDArray[np.float64]]
"""Of each structure, the mean reciprocal rank of the hard answers of each query."""


def dealt_queries(
    graph: GraphFolder, *, deals: int, count: int, seed: int
) -> Iterator[list[QuerySet]]:
    """Deal the validation edges into halves, several times, and draw queries of each deal.

    Args:
        graph: With validation edges.
        deals: How often.
        count: Queries of a structure in each, and of one edge four times as many.
        seed: Of deals and queries.
    """
    for deal in range(seed * deals, (seed + 1) * deals):
        half = half_of_validation(graph, seed=deal)
        yield validation_queries(half, graph.train_valid, count, seed=deal)


def reciprocal_ranks(
    answerer: ScoringAnswerer, asked: Sequence[Sequence[QuerySet]], snapshot: Snapshot
) -> Found:
    """Rank the hard answers of all queries, other answers filtered.

    Args:
        answerer: What is judged.
        asked: The queries of each deal.
        snapshot: The graph of the answerer.
    """
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in STRUCTURES}
    for ranked in evaluate_queries(answerer, [one for deal in asked for one in deal], snapshot):
        totals = np.bincount(ranked.queries, 1.0 / ranked.ranks, minlength=ranked.num_queries)
        answers = np.bincount(ranked.queries, minlength=ranked.num_queries)
        found[ranked.structure].append(totals / answers)
    return {name: np.concatenate(values) for name, values in found.items() if values}


def differences(before: Found, after: Found) -> dict[str, tuple[float, float]]:
    """Return mean and standard error of the paired difference, in MRR × 100.

    Returns:
        Of each structure with at least two queries, and of the means of both kinds, `EPFO` and
        `negation`, over those structures.
    """
    found = {}
    for name, values in after.items():
        if len(values) > 1:
            change = 100.0 * (values - before[name])
            error = float(change.std(ddof=1)) / float(np.sqrt(len(change)))
            found[name] = (float(change.mean()), error)
    for kind, negates in (("EPFO", False), ("negation", True)):
        members = [
            found[name] for name in STRUCTURES if name in found and _negates(name) is negates
        ]
        if members:
            means, errors = np.array(members).T
            found[kind] = (float(means.mean()), float(np.sqrt((errors**2).sum())) / len(members))
    return found


def _negates(name: str) -> bool:
    return any(isinstance(node, Negation) for node in walk(STRUCTURES[name].tree))


def measured(
    graph: GraphFolder,
    predictor: LinkPredictor,
    config: SymbolicConfig,
    asked: Sequence[Sequence[QuerySet]],
    tried: Mapping[str, Mapping[str, Any]] = TRIED,
) -> dict[str, Any]:
    """Return the figures before, and how far each of some settings changes them.

    Args:
        graph: Its training edges are known.
        predictor: Of its edges.
        config: Settings that stay.
        asked: Queries of `dealt_queries`.
        tried: Settings that change, by what they are called.
    """
    with tempfile.TemporaryDirectory() as rows:

        def ranked(settings: Mapping[str, Any]) -> Found:
            chosen = replace(config, **settings)
            answerer = SymbolicAnswerer(graph.train, predictor, chosen, row_folder=Path(rows))
            found = reciprocal_ranks(answerer, asked, graph.train)
            answerer.flush()
            return found

        before = ranked(BEFORE)
        changed = {name: differences(before, ranked({**BEFORE, **tried[name]})) for name in tried}
    return {
        "queries": {name: len(values) for name, values in before.items()},
        "before": {name: 100.0 * float(values.mean()) for name, values in before.items()},
        "changed": changed,
    }


def page(result: Mapping[str, Any]) -> str:
    """Return the page of a run."""
    columns = [*result["before"], "EPFO", "negation"]
    machine = result["machine"]
    head = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, {machine['cores']} "
        f"cores, {machine['memory_gb']} GiB, seed {result['seed']}. The validation edges of "
        f"{result['graph']}, dealt {result['deals']} times into edges that make answers easy and "
        "edges that make them hard; training edges are known. Filtered MRR × 100, and by how much "
        "it changes (± standard error over queries, paired).\n"
    )
    text = [
        "# Settings of answering, judged where further edges are missing\n",
        head,
        "| | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 1) + "|",
        "| queries | " + _cells(columns, {k: str(v) for k, v in result["queries"].items()}),
        "| before: negation_power 0.35 | "
        + _cells(columns, {k: f"{v:.1f}" for k, v in result["before"].items()}),
    ]
    for name, changed in result["changed"].items():
        shown = {k: f"{mean:+.2f} ± {error:.2f}" for k, (mean, error) in changed.items()}
        text.append(f"| {name} | " + _cells(columns, shown))
    return "\n".join(text) + "\n"


def _cells(columns: Sequence[str], values: Mapping[str, str]) -> str:
    return " | ".join(values.get(name, "") for name in columns) + " |"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=NELL995, help="graph folder")
    parser.add_argument("--model", type=Path, required=True, help="its trained model")
    parser.add_argument("--deals", type=int, default=8)
    parser.add_argument("--count", type=int, default=50, help="queries of a structure and deal")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder of the JSON and the page")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    graph = load_graph_folder(arguments.folder)
    model = load_folder_model(arguments.model, graph.train)
    asked = list(
        dealt_queries(graph, deals=arguments.deals, count=arguments.count, seed=arguments.seed)
    )
    result = {
        **run_record("bench.answering_settings", given),
        "seed": arguments.seed,
        "graph": arguments.folder.name,
        "deals": arguments.deals,
        **measured(graph, model.predictor, model.config.answering, asked),
    }
    keep(result, page, folder=arguments.out, name="answering-settings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
