"""The step that evaluates a model on a file of queries: JSON, a page, plots, units."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from api.side_by_side import Task, side_by_side
from evaluation.machine import Measurement
from evaluation.results import RunResult, check_destination
from evaluation.units import units_path
from kg.errors import SettingError
from kg.files import atomic_write, sha256_of_file
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from kg.graph_folder import GraphFolder
    from kg.snapshot import Snapshot
    from reasoning.evaluating import RankedQueries
    from reasoning.folder_model import FolderModel
    from reasoning.sampling import QuerySet

__all__ = ["Evaluation", "KnownEdges", "evaluate", "help_evaluate"]

KnownEdges = Literal["train", "train+valid"]
PROTOCOLS: dict[KnownEdges, str] = {
    "train": "betae-test",
    "train+valid": "betae-test-valid-known",
}
"""Figures with validation edges known are not comparable with published ones: another protocol."""

_ROWS = "rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is evaluated, and where the result goes.

    Attributes:
        queries: Query file.
        graph: Graph folder.
        model: Folder of `umbra train FOLDER --out`.
        out: Result file; page, plots and units lie beside it.
        known: Edges that the answerer may use.
        limit: Most queries of each structure, the first of the file; all if None.
        processes: Processes that share the work, at least 1; each holds the model in memory.
        plots: Whether to draw.
        command: Command line that makes it again.

    Raises:
        SettingError: A number is out of range.
    """

    queries: Path
    graph: Path
    model: Path
    out: Path
    known: KnownEdges = "train"
    limit: int | None = None
    processes: int = 1
    plots: bool = True
    command: str = "umbra evaluate"

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if self.processes < 1 or (self.limit is not None and self.limit < 1):
            raise SettingError("processes and limit must be at least 1")

    @property
    def unfinished(self) -> Path:
        """Where finished batches are kept until the result is written."""
        return self.out.with_name(f"{self.out.name}.unfinished")


def evaluate(
    task: Evaluation,
    *,
    progress: Progress = silent,
    warn: Callable[[str], None] = lambda _text: None,
) -> RunResult:
    """Evaluate a model on a file of queries and write what was found.

    A run that was stopped goes on where it was when it is called with the same task again.

    Args:
        task: What to evaluate.
        progress: Is told queries done of all queries.
        warn: Is told what looks wrong with the inputs but is no error.

    Raises:
        InputError: The queries or the graph cannot be read; the line is named.
        CheckpointMismatchError: The model was trained on another graph.
        MissingPartError: There is no graph or no finished model.
        JobError: A batch failed.
    """
    from reasoning.evaluating import figures_of

    clock = Measurement.start()
    check_destination(task.out)
    if task.processes > 1:
        _side_by_side(task, progress)
    bench = _Bench(task)
    if bench.other_counts:
        have = "query has" if bench.other_counts == 1 else "queries have"
        warn(
            f"{bench.other_counts} {have} another number of easy answers on this graph than "
            "their file says"
        )
    ranked = bench.ranked(progress)
    figures = figures_of(ranked)
    result = RunResult.measured(
        clock,
        command=task.command,
        seed=bench.model.manifest["plan"]["seed"],
        protocol=PROTOCOLS[task.known],
        inputs=bench.inputs,
        n=figures.n,
        metrics=figures.metrics,
        by=figures.by,
    )
    figures.units.save(units_path(task.out), inputs=result.inputs)
    _write(task, bench.graph, result)
    shutil.rmtree(task.unfinished, ignore_errors=True)
    return result


class _Bench:
    """Everything that an evaluation needs, opened: also by each helping process."""

    def __init__(self, task: Evaluation) -> None:
        from kg.graph_folder import load_graph_folder
        from reasoning.folder_model import load_folder_model
        from reasoning.query_files import read_queries

        self.task = task
        self.graph: GraphFolder = load_graph_folder(task.graph)
        self.model: FolderModel = load_folder_model(task.model, self.graph.train)
        found = read_queries(task.queries, self.graph, limit=task.limit)
        self.sets: Sequence[QuerySet] = found.sets
        self.other_counts = found.other_counts
        self.inputs = {
            "queries": sha256_of_file(task.queries),
            "graph": self.graph.full.hash,
            "model": self.model.fingerprint,
        }

    @property
    def snapshot(self) -> Snapshot:
        """What the answerer knows."""
        return self.graph.train if self.task.known == "train" else self.graph.train_valid

    def ranked(self, progress: Progress) -> tuple[RankedQueries, ...]:
        """Rank all hard answers, with their hardness."""
        from kg.ledger import Ledger
        from reasoning.evaluating.job import evaluate_as_job
        from reasoning.hardness import hardness_of, held_out_edges
        from reasoning.id_sets import directed_edges

        full = directed_edges(self.graph.full)
        held_out = held_out_edges(full, directed_edges(self.snapshot))
        hardness = [hardness_of(queries, full, held_out) for queries in self.sets]
        answerer = self.model.answerer(self.snapshot, row_folder=self.task.model / _ROWS)
        with Ledger(self.task.unfinished / "ledger.sqlite") as ledger:
            return evaluate_as_job(
                answerer,
                self.sets,
                self.graph.full,
                ledger=ledger,
                inputs={**self.inputs, "known": self.task.known},
                hardness=hardness,
                progress=progress,
            )


def _side_by_side(task: Evaluation, progress: Progress) -> None:
    """Let several processes do the batches; what they kept is read when none is left.

    This process opens nothing meanwhile, so that not one model more is in memory.
    """
    tasks = {
        f"process {number} of the evaluation": Task(
            title="evaluating",
            unit="queries",
            done=lambda: None,
            function=help_evaluate,
            arguments=(task,),
        )
        for number in range(1, task.processes + 1)
    }
    told = iter([progress])  # all tell the same figures, those of the job; one is enough
    side_by_side(tasks, lambda _title, _unit: next(told, silent), workers=task.processes)


def help_evaluate(task: Evaluation, *, progress: Progress = silent) -> dict[str, Any]:
    """Do batches of an evaluation, as one of several processes, until none is left."""
    _Bench(task).ranked(progress)
    return {}


def _write(task: Evaluation, graph: GraphFolder, result: RunResult) -> None:
    from reasoning.evaluating.plots import draw_plots
    from reasoning.evaluating.published import published_figures
    from reasoning.evaluating.report import markdown

    name, published = published_figures(graph)
    stem = task.out.with_suffix("")
    plots = draw_plots(result, stem, published=published) if task.plots else []
    page = markdown(
        result,
        title=f"Logical queries on {name or graph.path.name}",
        published=published,
        plots=[plot.name for plot in plots],
    )
    with atomic_write(stem.with_suffix(".md")) as file:
        file.write(page.encode())
    result.save(task.out)
