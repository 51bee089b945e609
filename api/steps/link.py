"""The step that links a file of mentions with the trained linker, as a resumable job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import MissingPartError
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine
    from linkers import Linker

__all__ = ["LINKER", "LinkJob", "estimate_link", "link_file", "open_linker"]

LINKER = "linker"
"""Name of the linker's step and of its model's folder."""

SECONDS_A_MENTION = 0.012
"""Measured on two shared cores with the packaged encoders; only for `--estimate`."""
MEMORY_MB = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkJob:
    """A file of mentions to link.

    Attributes:
        mentions: JSON Lines, plain or gzip.
        out: Where the links go.
        columns: Which column holds which part of a mention (`linkers.records.MentionColumns`).
        shard_rows: Rows a shard.
        max_rejects: Share of unreadable rows above which the job ends, in [0, 1].
    """

    mentions: Path
    out: Path
    columns: Mapping[str, str | None] = field(default_factory=dict)
    shard_rows: int = 100
    max_rejects: float = 1.0


def open_linker(engine: Engine, *, progress: Progress = silent) -> Linker:
    """Open the trained linker on the store's entities as they are now.

    Entities that came after training can be linked to at once: the network knows no entity. What
    people decided (`umbra link review`) holds.

    Raises:
        MissingPartError: No linker was trained.
    """
    from api.steps.knowledge_base import knowledge_base, linking_encoders
    from linkers.review.memory import load_reviewed

    folder = engine.workspace.model("full", LINKER)
    if not folder.is_dir():
        raise MissingPartError("no linker is trained", where=str(folder), hint="umbra demo")
    label = engine.workspace.recorded(LINKER)["label"]
    base = knowledge_base(engine, label)
    encoders = linking_encoders(engine)
    log = engine.workspace.review
    return load_reviewed(folder, base, log, encoders=encoders, progress=progress)


def link_file(engine: Engine, job: LinkJob, *, progress: Progress = silent) -> dict[str, Any]:
    """Link a file; a job that was stopped or killed goes on where it was.

    Args:
        engine: Whose entities the mentions may mean.
        job: What to link.
        progress: Is told mentions done of all mentions.

    Returns:
        Rows by state, rejects, the job's id, the output and the file of rejects.

    Raises:
        MissingPartError: No linker was trained.
        RecordError: The file is missing or is no JSON Lines.
        JobError: There were too many rejects.
    """
    from kg.ledger import Ledger
    from linkers.pipeline import run_link_job
    from linkers.records import MentionColumns

    columns = MentionColumns.of(job.columns)
    linker = open_linker(engine)
    workspace = engine.workspace
    rejects = workspace.rejects / f"{job.mentions.name}.rejects.jsonl"
    with Ledger(workspace.ledger) as ledger:
        report = run_link_job(
            linker,
            job.mentions,
            job.out,
            ledger=ledger,
            columns=columns,
            rejects=rejects,
            shard_rows=job.shard_rows,
            max_rejects=job.max_rejects,
            progress=progress,
        )
    return {
        **report.rows,
        "rejects": report.rejects,
        "job": report.job,
        "output": str(report.output),
        "rejects_file": str(rejects),
    }


def estimate_link(job: LinkJob) -> dict[str, Any]:
    """Say how many mentions, seconds and megabytes a job would take; nothing is run."""
    from kg.formats.jsonl import read_jsonl

    rows = sum(1 for _ in read_jsonl(job.mentions))
    return {
        "rows": rows,
        "seconds": round(10 + rows * SECONDS_A_MENTION),
        "peak_memory_mb": MEMORY_MB,
    }
