"""Jobs of the REST door that change or measure what the engine holds.

Each is a step of the engine that the command line runs too; here is only what a request may ask
of it, and how its outcome becomes the job's output: one line of JSON, or one a relation.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from api.engine import Engine
from api.job_parameters import (
    SHAPES,
    EvaluateParameters,
    ImportParameters,
    ScenesParameters,
    TrainParameters,
    checked,
)
from api.job_work import JobKind, JobRun
from api.workspace import Workspace
from kg.errors import InputError
from kg.files import atomic_write, write_json_lines
from kg.progress import Progress

if TYPE_CHECKING:
    from reasoning.protocols import ScoringAnswerer

__all__ = ["engine_kinds"]

REPORT = "report.jsonl"


def engine_kinds(engine: Engine) -> dict[str, JobKind]:
    """Return a kind of job on an engine for each of `api.job_parameters.SHAPES`."""
    return {
        shape.kind: JobKind(
            work=partial(_DOES[shape], engine), check=checked(shape), needs=("write",)
        )
        for shape in SHAPES
    }


def _beside(engine: Engine) -> Engine:
    """Return the same graph opened once more, with the store that is open.

    What requests are answered by stays as it is until the server loads what the job made.
    """
    return Engine(engine.workspace, settings=engine.settings, store=engine.store)


def _reported(run: JobRun, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write the rows of a job's report and return where they lie."""
    path = run.folder / REPORT
    write_json_lines(path, rows)
    return path


def _import(engine: Engine, run: JobRun, progress: Progress) -> dict[str, Any]:
    from api.steps.build import build_graph
    from kg.graph_formats import FORMATS

    asked = ImportParameters.model_validate(dict(run.parameters))
    ending = next(form.endings[0] for form in FORMATS if form.name == asked.format)
    path = run.folder / f"{run.id}{ending}"
    if not path.exists():
        with atomic_write(path) as file:
            file.write(asked.text.encode())
    with _beside(engine) as one:
        found = build_graph(
            one,
            path,
            format_name=asked.format,
            max_errors=asked.max_errors,
            progress=progress,
        )
    rejected = _rows(Path(found.pop("rejects_file")))
    return found | {"output": _reported(run, [found | {"rejected": rejected}])}


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _scenes(engine: Engine, run: JobRun, progress: Progress) -> dict[str, Any]:
    from api.steps.scenes import SceneJob, run_scenes

    with _beside(engine) as one:
        job = SceneJob(label=ScenesParameters.model_validate(dict(run.parameters)).label)
        found = run_scenes(one, job, progress=progress)
    return found | {"output": _reported(run, [found])}


def _train(engine: Engine, run: JobRun, progress: Progress) -> dict[str, Any]:
    from api.steps.snapshot import freeze
    from api.steps.train import train_model

    asked = TrainParameters.model_validate(dict(run.parameters))
    with _beside(engine) as one:
        frozen = freeze(one)
        found = train_model(one, asked.model, seed=asked.seed, progress=progress)
    counts = {name: frozen[name] for name in ("entities", "edges", "relations")}
    return counts | {"output": _reported(run, [counts | found])}


def _evaluate(engine: Engine, run: JobRun, progress: Progress) -> dict[str, Any]:
    asked = EvaluateParameters.model_validate(dict(run.parameters))
    own = Workspace(run.folder / "held-out")  # the working folder has one of the demo's
    rows = _held_out_figures(engine, asked, own, progress)
    if not rows:
        raise InputError(
            "no edge could be held out: each is the last that reaches its tail",
            where="parameters",
            hint="hold out a larger share, or relations whose tails have several edges",
        )
    shutil.rmtree(own.folder)
    counts = {"relations": len(rows), "edges": sum(row["n"] for row in rows)}
    return counts | {"output": _reported(run, rows)}


def _held_out_figures(
    engine: Engine, asked: EvaluateParameters, own: Workspace, progress: Progress
) -> list[dict[str, Any]]:
    """Train without the held-out edges and rank them, beside what any method has to beat."""
    from api.steps.edge_baselines import frequent_tail, random_scores
    from api.steps.held_out_edges import edge_figures, held_out_edges
    from api.steps.snapshot import HoldOut, freeze, freeze_for_evaluation
    from api.steps.train import train_model
    from kg.snapshot import load_snapshot

    with _beside(engine) as one:
        freeze(one)
        for relation in asked.relations:
            one.snapshot.relation_id(relation)  # an unknown one ends it before any training
        hold_out = HoldOut(
            relations=asked.relations,
            undirected=asked.undirected,
            share=asked.share,
            seed=asked.seed,
        )
        freeze_for_evaluation(one, hold_out, into=own)
    with Engine(own, settings=engine.settings, store=engine.store, snapshot="evaluation") as one:
        train_model(one, asked.model, seed=asked.seed, progress=progress)
        full = load_snapshot(engine.workspace.snapshot("full"))
        scorer = cast("ScoringAnswerer", one.answerer(asked.model)[0])
        return edge_figures(
            one.snapshot,
            held_out_edges(full, one.snapshot),
            {asked.model: scorer},
            {"random": random_scores, "frequent tail": frequent_tail},
            seed=asked.seed,
        )


_DOES: Mapping[type[BaseModel], Callable[[Engine, JobRun, Progress], dict[str, Any]]] = {
    ImportParameters: _import,
    ScenesParameters: _scenes,
    TrainParameters: _train,
    EvaluateParameters: _evaluate,
}
