"""The step that links tables of mentions with the trained linker, as a resumable job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.workspace import Workspace
from kg.errors import MissingPartError, SettingError
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine
    from api.settings import Settings
    from kg.ledger import Ledger
    from linkers import KnowledgeBase, Linker
    from linkers.pipeline import LinkTask

__all__ = ["LINKER", "LinkJob", "LinkerChoice", "estimate_link", "link_file", "open_linker"]

LINKER = "linker"
"""Name of the linker's step and of its model's folder."""

SECONDS_A_MENTION = 0.012
"""Measured on two shared cores with the packaged encoders; only for `--estimate`."""
MEMORY_MB = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkerChoice:
    """Which linker links, and to what.

    Attributes:
        folder: A trained linker's folder, or a working folder in which one was trained; the
            engine's own if not given.
        label: Class of the entities that mentions may mean; the one of training if not given, and
            every class where another folder's linker is used.
    """

    folder: Path | None = None
    label: str | None = None


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
    allow_hosts: tuple[str, ...] = ()
    edges: tuple[str, str] | None = None
    linker: LinkerChoice = field(default_factory=LinkerChoice)

    def __post_init__(self) -> None:
        """Refuse a number of processes that is none."""
        if not 1 <= self.workers <= MAX_WORKERS:
            raise SettingError(f"workers must lie in 1-{MAX_WORKERS}", where="--workers")

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


def open_linker(
    engine: Engine, choice: LinkerChoice | None = None, *, progress: Progress = silent
) -> Linker:
    """Open the trained linker on the store's entities as they are now.

    Entities that came after training can be linked to at once: the network knows no entity. What
    people decided (`umbra link review`) holds.

    Args:
        engine: Whose entities the mentions may mean.
        choice: Which linker; the one that was trained here if not given.
        progress: Told how much of the base is encoded.

    Raises:
        MissingPartError: No linker was trained.
    """
    from api.steps.knowledge_base import linking_encoders
    from linkers.review.memory import load_reviewed

    folder, base = _parts(engine, choice or LinkerChoice())
    encoders = linking_encoders(engine)
    log = engine.workspace.review
    return load_reviewed(folder, base, log, encoders=encoders, progress=progress)


def _parts(engine: Engine, choice: LinkerChoice) -> tuple[Path, KnowledgeBase]:
    """Return the folder of a trained linker, and the base that it links to."""
    from api.steps.knowledge_base import knowledge_base

    if choice.folder is None:
        folder = engine.workspace.model("full", LINKER)
        if not folder.is_dir():
            raise MissingPartError(
                "no linker is trained", where=str(folder), hint="umbra demo, or name one: --linker"
            )
        label = choice.label or engine.workspace.recorded(LINKER)["label"]
        return folder, knowledge_base(engine, label)
    inside = Workspace(choice.folder).model("full", LINKER)
    return inside if inside.is_dir() else choice.folder, knowledge_base(engine, choice.label)


def link_file(engine: Engine, job: LinkJob, *, progress: Progress = silent) -> dict[str, Any]:
    """Link tables; a job that was stopped or killed goes on where it was.

    Args:
        engine: Whose entities the mentions may mean.
        job: What to link.
        progress: Is told mentions done of all mentions.

    Returns:
        The job's id and state, rows by state, rejects, the output and the file of rejects, and why
        a shard failed if one did.

    Raises:
        MissingPartError: No linker was trained.
        RecordError: A file is missing or is not of its format.
        MappingError: A table lacks a column.
        ConflictError: The key was used for another job.
        JobError: There were too many rejects, or a process was killed.
        OSError: The disk is full; `filename` says where.
    """
    from kg.ledger import Ledger
    from linkers.pipeline import finish_link_job, run_link_job

    workspace = engine.workspace
    task = job.task(workspace.rejects / f"{job.mentions.resolve().name}.rejects.jsonl")
    with Ledger(workspace.ledger) as ledger:
        if job.workers == 1:
            linker = open_linker(engine, job.linker)
            report = run_link_job(
                linker, task, ledger=ledger, store=engine.store, progress=progress
            )
        else:
            name = _link_side_by_side(engine, ledger, job, task, progress)
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
    return outcome if report.error is None else outcome | {"error": report.error}


def _link_side_by_side(
    engine: Engine, ledger: Ledger, job: LinkJob, task: LinkTask, progress: Progress
) -> str:
    """Submit a job and let several processes do it; return its id."""
    from api.side_by_side import Task, side_by_side
    from linkers.pipeline import submit_link_job
    from linkers.review.memory import reviewed_fingerprint

    folder, base = _parts(engine, job.linker)
    fingerprint = reviewed_fingerprint(folder, base, engine.workspace.review)
    submitted = submit_link_job(ledger, fingerprint, task)
    if submitted.state not in ("pending", "running"):
        return submitted.id
    place = (engine.workspace, engine.settings, submitted.id, job.linker, task)
    tasks = {
        f"worker {number} of {submitted.id}": Task(
            title="linking",
            unit="mentions",
            done=lambda: None,
            function=_worker,
            arguments=place,
        )
        for number in range(1, job.workers + 1)
    }
    told = iter([progress])  # all tell the same figures, those of the job; one is enough
    side_by_side(tasks, lambda _title, _unit: next(told, silent), workers=job.workers)
    return submitted.id


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
        work_on(ledger, job, linker, task, store=engine.store, progress=progress)
    return {}


def estimate_link(job: LinkJob) -> dict[str, Any]:
    """Say how many mentions, seconds and megabytes a job would take; nothing is run."""
    from kg.formats.tables import TableFiles

    files = TableFiles.of(job.mentions)
    rows = sum(1 for number in range(len(files.paths)) for _ in files.rows(number))
    return {
        "rows": rows,
        "seconds": round(10 + rows * SECONDS_A_MENTION / job.workers),
        "peak_memory_mb": MEMORY_MB * job.workers,
    }
