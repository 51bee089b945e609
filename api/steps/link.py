"""The step that links tables of mentions with the trained linker, as a resumable job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from api.steps.job_edges import EdgeJobs
from api.steps.open_linker import ChosenLinker, LinkerChoice, has_trees, open_linker
from api.workspace import Workspace
from kg.errors import SettingError
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine
    from api.settings import Settings
    from kg.ledger import Ledger
    from linkers.pipeline import LinkTask

__all__ = ["LinkJob", "estimate_link", "link_file"]

SECONDS_A_MENTION = {"network": 0.012, "trees": 1 / 316}
"""Of one process with the packaged encoders, by the kind of linker; only for `--estimate`.

That of trees is measured on 40,248 entities (docs/benchmarks/linking-speed.md); with a million of
them a mention takes ten times as long.
"""
MEMORY_MB = {"network": 900, "trees": 1064}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkJob:
    """Mentions to link.

    Attributes:
        mentions: A table (JSON Lines, CSV, TSV, Parquet), or a folder of tables.
        out: Where the links go.
        columns: Which column holds which part of a mention (`linkers.records.MentionColumns`).
        form: ``jsonl`` or ``parquet``; by the ending of `out` if not given.
        shard_rows: Rows a shard.
        max_rejects: Share of unreadable rows above which the job ends, in [0, 1].
        key: Idempotency key; what is read and linked if not given.
        workers: Processes that share the work; 1 uses this one.
        engine: What shares it out: ``processes`` of this machine, or ``ray`` (`api.ray_pool`).
        allow_hosts: Hosts that pictures may be fetched from.
        edges: Head (a column or a template) and relation of the edges that links make in the
            graph; None to write nothing into it.
        linker: Which linker.
    """

    mentions: Path
    out: Path
    columns: Mapping[str, str | None] = field(default_factory=dict)
    form: str | None = None
    shard_rows: int = 100
    max_rejects: float = 1.0
    key: str | None = None
    workers: int = 1
    engine: Literal["processes", "ray"] = "processes"
    allow_hosts: tuple[str, ...] = ()
    edges: tuple[str, str] | None = None
    linker: LinkerChoice = field(default_factory=LinkerChoice)

    def __post_init__(self) -> None:
        """Refuse a number of processes that is none, and edges to what is not in the graph."""
        if not 1 <= self.workers <= MAX_WORKERS:
            raise SettingError(f"workers must lie in 1-{MAX_WORKERS}", where="--workers")
        if self.edges is not None and self.linker.entities is not None:
            raise SettingError(
                "edges end at entities of the graph, not of a file",
                where="--entities",
                hint="leave --write-graph out, or build the file into the graph first",
            )

    def task(self, rejects: Path) -> LinkTask:
        """Return the job as `linkers.pipeline` takes it."""
        from linkers.link_edges import LinkEdges
        from linkers.pipeline import LinkTask
        from linkers.records import MentionColumns

        edges = self.edges
        return LinkTask(
            mentions=self.mentions,
            output=self.out,
            columns=MentionColumns.of(self.columns),
            rejects=rejects,
            form=self.form,
            shard_rows=self.shard_rows,
            max_rejects=self.max_rejects,
            key=self.key,
            allow_hosts=self.allow_hosts,
            edges=None if edges is None else LinkEdges(head=edges[0], relation=edges[1]),
        )


MAX_WORKERS = 64


def link_file(
    engine: Engine, job: LinkJob, *, progress: Progress = silent, opening: Progress = silent
) -> dict[str, Any]:
    """Link tables; a job that was stopped or killed goes on where it was.

    Args:
        engine: Whose entities the mentions may mean.
        job: What to link.
        progress: Is told mentions done of all mentions.
        opening: Is told how much of the entities is encoded, where this process does the work.

    Returns:
        The job's id and state, rows by state, rejects, the output and the file of rejects, a note
        where there is no row, ids are repeated, or pictures were named and not looked at, and why a
        shard failed if one did.

    Raises:
        MissingPartError: No linker was trained.
        RecordError: A file is missing or is not of its format.
        MappingError: A table lacks a column.
        ConflictError: The key was used for another job.
        JobError: There were too many rejects, or a process was killed.
        OSError: The disk is full; `filename` says where.
    """
    from kg.ledger import Ledger
    from linkers.pipeline import finish_link_job, submit_link_job
    from linkers.repeated_ids import RepeatedIds

    ids = RepeatedIds()
    workspace = engine.workspace
    task = job.task(workspace.rejects / f"{job.mentions.resolve().name}.rejects.jsonl")
    with Ledger(workspace.ledger) as ledger:
        chosen = ChosenLinker(engine, job.linker)
        fingerprint = chosen.fingerprint
        name = submit_link_job(ledger, fingerprint, task, ids=ids).id
        _begin_edges(workspace, ledger, job, name)
        if ledger.job(name).state in ("pending", "running"):
            given = _Submitted(engine, ledger, name, job, task, chosen, fingerprint, opening)
            _way(job)(given, progress)
        report = finish_link_job(ledger, name, task)
    outcome = {
        "job": report.job,
        "state": report.state,
        **report.rows,
        "rejects": report.rejects,
        "output": str(report.output),
        "rejects_file": str(task.rejects),
    }
    if task.edges is not None:
        outcome |= {"edges": report.edges, "without_edge": report.without_edge}
    edges = _edge_jobs(workspace, job)
    if edges is not None and report.state == "done":
        outcome["records_of_earlier_jobs_taken_back"] = edges.end(report.job, engine.store)
    notes = [_REPEATED.format(ids.count)] if ids.count else []
    if not report.rejects and not any(report.rows.values()):
        notes.append("there was no row to link")
    if task.columns.image and not chosen.reads_pictures:
        notes.append(_UNSEEN)
    if notes:
        outcome["note"] = "; ".join(notes)
    return outcome if report.error is None else outcome | {"error": report.error}


_REPEATED = "rows with the id of an earlier row: {:,}; links stand in the order of the rows"
_UNSEEN = (
    "no picture was looked at: this linker goes by names and texts, that of `umbra demo` by both"
)


@dataclass(frozen=True, slots=True)
class _Submitted:
    """A job that stands in the ledger, and what its work needs."""

    engine: Engine
    ledger: Ledger
    name: str
    job: LinkJob
    task: LinkTask
    chosen: ChosenLinker
    fingerprint: str
    opening: Progress


def _way(job: LinkJob) -> Callable[[_Submitted, Progress], None]:
    """Return who does a job."""
    if job.engine == "ray":
        return _link_by_ray
    return _link_alone if job.workers == 1 else _link_side_by_side


def _link_alone(given: _Submitted, progress: Progress) -> None:
    """Do a job in this process."""
    from linkers.pipeline import work_on

    store = given.engine.store if given.task.edges is not None else None
    linker = given.chosen.open(progress=given.opening)
    work_on(given.ledger, given.name, linker, given.task, store=store, progress=progress)


def _link_by_ray(given: _Submitted, progress: Progress) -> None:
    """Have Ray's actors do a job."""
    from api.ray_pool import LinkingActors, RayPool
    from linkers.pipeline import work_ahead

    actors = LinkingActors(
        workspace=given.engine.workspace,
        settings=given.engine.settings,
        choice=given.job.linker,
        task=given.task,
        fingerprint=given.fingerprint,
    )
    with RayPool(actors, workers=given.job.workers) as pool:
        work_ahead(given.ledger, given.name, pool, given.task, progress=progress)


def _link_side_by_side(given: _Submitted, progress: Progress) -> None:
    """Let several processes do a job."""
    from api.side_by_side import Task, side_by_side

    engine, workers = given.engine, given.job.workers
    place = (engine.workspace, engine.settings, given.name, given.job.linker, given.task)
    tasks = {
        f"worker {number} of {given.name}": Task(
            title="linking",
            unit="mentions",
            done=lambda: None,
            function=_worker,
            arguments=place,
        )
        for number in range(1, workers + 1)
    }
    told = iter([progress])  # all tell the same figures, those of the job; one is enough
    side_by_side(tasks, lambda _title, _unit: next(told, silent), workers=workers)


def _edge_jobs(workspace: Workspace, job: LinkJob) -> EdgeJobs | None:
    """Return which jobs wrote the edges of this command, if it writes any."""
    if job.edges is None:
        return None
    return EdgeJobs.of(workspace.edge_jobs, job.mentions, job.columns, job.edges)


def _begin_edges(workspace: Workspace, ledger: Ledger, job: LinkJob, name: str) -> None:
    edges = _edge_jobs(workspace, job)
    if edges is not None:
        edges.begin(ledger, name)


def _worker(
    workspace: Workspace,
    settings: Settings,
    job: str,
    choice: LinkerChoice,
    task: LinkTask,
    *,
    progress: Progress,
) -> dict[str, Any]:
    """Do shards of a job, as one of several processes."""
    import torch

    from api.engine import Engine
    from kg.ledger import Ledger
    from linkers.pipeline import work_on

    torch.set_num_threads(1)
    with Engine(workspace, settings=settings) as engine, Ledger(workspace.ledger) as ledger:
        linker = open_linker(engine, choice)
        store = engine.store if task.edges is not None else None
        work_on(ledger, job, linker, task, store=store, progress=progress)
    return {}


def estimate_link(engine: Engine, job: LinkJob) -> dict[str, Any]:
    """Say how many mentions, seconds and megabytes a job would take; nothing is run.

    Where no linker is trained, the slower kind is taken. To encode names that were never linked to
    comes on top.
    """
    from kg.formats.tables import TableFiles

    files = TableFiles.of(job.mentions)
    rows = sum(1 for number in range(len(files.paths)) for _ in files.rows(number))
    kind = "trees" if has_trees(engine.workspace, job.linker) else "network"
    return {
        "rows": rows,
        "linker": kind,
        "seconds": round(10 + rows * SECONDS_A_MENTION[kind] / job.workers),
        "peak_memory_mb": MEMORY_MB[kind] * job.workers,
    }
