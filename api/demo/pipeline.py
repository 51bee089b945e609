"""The demo's steps in their order; each is done once for its inputs and remembers its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from api.demo.calibration import likely_calibration
from api.demo.linking import judged, train_demo_linker
from api.demo.questions import ask_questions
from api.demo.recipe import Recipe
from api.demo.sections import assemble
from api.engine import Engine
from api.settings import Settings
from api.side_by_side import Bars, Task, side_by_side
from api.steps.build import build_graph
from api.steps.edge_baselines import baselines
from api.steps.edges_from_links import EdgeColumns, write_edges
from api.steps.held_out_edges import edge_figures, held_out_edges
from api.steps.link import LinkJob, link_file
from api.steps.open_linker import LINKER
from api.steps.scenes import SceneJob, run_scenes, seen
from api.steps.snapshot import HoldOut, freeze, freeze_for_evaluation
from api.steps.train import ModelName, train_model, trained
from api.workspace import Workspace, inputs_hash
from kg.files import sha256_of_file
from kg.progress import Progress
from kg.snapshot import load_snapshot
from reasoning.protocols import ScoringAnswerer

__all__ = ["run_demo"]


def run_demo(engine: Engine, recipe: Recipe, bars: Bars, *, workers: int = 2) -> dict[str, Any]:
    """Run all steps of a recipe and return the report.

    Steps that were done for the same inputs are skipped, so a second run takes seconds and a
    killed one goes on where it was.

    Args:
        engine: Opened on the working folder.
        recipe: What to do.
        bars: Shows progress.
        workers: Processes for steps that do not depend on one another; 0 uses this one.

    Returns:
        The report: sections of tables and plots, questions, seconds by step.
    """
    found: dict[str, Any] = {}
    mapping = recipe.path(recipe.graph.mapping)
    found["build"] = build_graph(engine, mapping, progress=bars("building the graph", "rows"))
    found |= side_by_side(_perception(engine, recipe), bars, workers=workers)
    found["links"] = _links(engine, recipe, bars)
    found["written"] = write_edges(engine, Path(found["links"]["output"]), _columns(recipe))
    found["full"] = freeze(engine)
    found["evaluation"] = freeze_for_evaluation(engine, _hold_out(recipe))
    found |= side_by_side(_trainings(engine, recipe), bars, workers=workers)
    engine.forget()
    found["answers"] = _answers(engine, recipe)
    return assemble(engine, recipe, found)


def _perception(engine: Engine, recipe: Recipe) -> dict[str, Task]:
    """Scenes and the linker: neither knows of the other."""
    place = (engine.workspace, engine.settings, recipe)
    job = _scene_job(recipe)
    return {
        "linker": Task(
            title="training the linker",
            unit="%",
            done=lambda: judged(engine, recipe),
            function=_linker_task,
            arguments=place,
        ),
        "scenes": Task(
            title="taking images apart",
            unit="steps",
            done=lambda: seen(engine, job),
            function=_scene_task,
            arguments=place,
        ),
    }


def _linker_task(
    workspace: Workspace, settings: Settings, recipe: Recipe, *, progress: Progress
) -> dict[str, Any]:
    _use_one_thread()
    with Engine(workspace, settings=settings) as engine:
        return train_demo_linker(engine, recipe, progress=progress)


def _scene_task(
    workspace: Workspace, settings: Settings, recipe: Recipe, *, progress: Progress
) -> dict[str, Any]:
    _use_one_thread()
    with Engine(workspace, settings=settings) as engine:
        return run_scenes(engine, _scene_job(recipe), progress=progress)


def _trainings(engine: Engine, recipe: Recipe) -> dict[str, Task]:
    """Every model of every snapshot."""

    def task(snapshot: str, model: ModelName) -> Task:
        return Task(
            title=f"training {model} on {snapshot}",
            unit="steps",
            done=lambda: trained(_on(engine, snapshot), model, seed=recipe.seed),
            function=_training_task,
            arguments=(engine.workspace, engine.settings, snapshot, model, recipe.seed),
        )

    return {
        f"{model} on {snapshot}": task(snapshot, model)
        for snapshot, models in recipe.training
        for model in models
    }


def _training_task(
    workspace: Workspace,
    settings: Settings,
    snapshot: str,
    model: ModelName,
    seed: int,
    *,
    progress: Progress,
) -> dict[str, Any]:
    _use_one_thread()
    with Engine(workspace, settings=settings, snapshot=snapshot) as engine:
        return train_model(engine, model, seed=seed, progress=progress)


def _use_one_thread() -> None:
    """Keep torch to one thread: a process a core is faster, and gives the same bytes each time."""
    import torch

    torch.set_num_threads(1)


def _on(engine: Engine, snapshot: str) -> Engine:
    """Return the same graph opened on another snapshot; it shares the store and leaves it open."""
    return Engine(engine.workspace, settings=engine.settings, store=engine.store, snapshot=snapshot)


def _links(engine: Engine, recipe: Recipe, bars: Bars) -> dict[str, Any]:
    """Link the mentions that make edges, once for the same linker and file."""
    workspace, job = engine.workspace, _link_job(engine, recipe)
    inputs = inputs_hash(
        {"linker": workspace.recorded(LINKER), "mentions": sha256_of_file(job.mentions)}
    )
    done = workspace.done("links", inputs)
    if done is not None and job.out.exists():
        return done
    with workspace.doing("links", inputs) as outcome:
        outcome.update(link_file(engine, job, progress=bars("linking mentions", "mentions")))
    return outcome


def _answers(engine: Engine, recipe: Recipe) -> dict[str, Any]:
    """Rank the held-out edges and ask the questions, once for the same models and questions."""
    workspace, models = engine.workspace, recipe.training.evaluation
    inputs = inputs_hash(
        {
            "evaluation": workspace.recorded("snapshot-evaluation")["hash"],
            "models": [
                workspace.recorded(f"train-evaluation-{m}") for m in recipe.training.evaluation
            ],
            "questions": recipe.questions,
            "hold_out": recipe.hold_out,
        }
    )
    done = workspace.done("answers", inputs)
    if done is not None:
        return done
    full = load_snapshot(workspace.snapshot("full"))
    with workspace.doing("answers", inputs) as outcome, _on(engine, "evaluation") as one:
        # Every trained model scores all entities; only `exact` does not.
        scorers: dict[str, ScoringAnswerer] = {
            name: cast("ScoringAnswerer", one.answerer(name)[0]) for name in models
        }
        held = held_out_edges(full, one.snapshot)
        rivals = baselines(recipe.hold_out.group_relation)
        outcome["edges"] = edge_figures(one.snapshot, held, scorers, rivals, seed=recipe.seed)
        calibrations = {
            name: likely_calibration(full, one.snapshot, held, scorer)
            for name, scorer in scorers.items()
        }
        outcome["calibration"] = {name: c for name, c in calibrations.items() if c is not None}
        outcome["questions"] = ask_questions(one, recipe, full)
    return outcome


def _scene_job(recipe: Recipe) -> SceneJob:
    return SceneJob(
        label=recipe.scenes.label,
        descriptions=recipe.path(recipe.scenes.descriptions),
        drawn_alike=recipe.path(recipe.scenes.drawn_alike),
        key=recipe.linking.gold_key,
        seed=recipe.seed,
    )


def _link_job(engine: Engine, recipe: Recipe) -> LinkJob:
    return LinkJob(
        mentions=recipe.path(recipe.edges_from_links.mentions),
        out=engine.workspace.outputs / "links.jsonl",
        columns={"document": "context"},
    )


def _columns(recipe: Recipe) -> EdgeColumns:
    table = recipe.edges_from_links
    return EdgeColumns(
        mentions=recipe.path(table.mentions),
        head_key=table.head_key,
        relation=table.relation,
        attributes=table.attributes,
    )


def _hold_out(recipe: Recipe) -> HoldOut:
    table = recipe.hold_out
    return HoldOut(
        relations=table.relations,
        undirected=table.undirected,
        share=table.share,
        seed=recipe.seed,
    )
