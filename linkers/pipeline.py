"""Linking tables of mentions as a job: resumable, bounded memory, the same bytes whatever happens.

A job is submitted once, worked on by one process or several (`work_on`), and its output is written
when no shard is left. What a shard is, and its pure function, stand in `linkers.shards`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kg.errors import SettingError
from kg.files import sha256_of_file
from kg.formats.tables import TableFiles
from kg.image_fetching import AllowedHosts
from kg.job_runner import ShardPool, run_job, run_job_ahead
from kg.ledger import Job, JobProgress, Ledger
from kg.ledger_repair import mend
from kg.progress import Progress, silent
from kg.store import Store
from linkers.link_edges import LinkEdges
from linkers.link_output import LinkFormat, check_output, format_of, write_links
from linkers.model import LinkState
from linkers.protocols import MentionLinker
from linkers.records import MentionColumns
from linkers.reject_limit import RejectLimit, TooManyRejects
from linkers.repeated_ids import RepeatedIds
from linkers.shard_work import lease_seconds, shard_function
from linkers.shards import plan_shards

__all__ = [
    "LinkReport",
    "LinkTask",
    "finish_link_job",
    "run_link_job",
    "submit_link_job",
    "submitted_for",
    "work_ahead",
    "work_on",
]

_STATES: tuple[LinkState, ...] = ("linked", "nil", "review", "failed", "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTask:
    """What is to be linked, and where the links go.

    Attributes:
        mentions: A table (`kg.formats.tables`), or a folder of tables.
        output: Links, one for each row that could be read, in order; written atomically at the end
            (and on a pause or cancellation with what is done).
        columns: Which column holds what.
        rejects: File for rows that could not be read; removed if there is none.
        form: ``jsonl`` or ``parquet``; by the ending of `output` if not given.
        shard_rows: Rows after which a shard ends, at least 1; more make fewer, longer steps.
        max_rejects: Share of rejects above which the job ends, in [0, 1].
        key: Idempotency key; files, columns and linker if not given.
        allow_hosts: Hosts that pictures may be fetched from (`kg.image_fetching.AllowedHosts`).
        edges: Which edges links make in the graph; None to write nothing into it.

    Raises:
        SettingError: A setting lies outside its range.
    """

    mentions: Path
    output: Path
    columns: MentionColumns = field(default_factory=MentionColumns)
    rejects: Path | None = None
    form: str | None = None
    shard_rows: int = 100
    max_rejects: float = 1.0
    key: str | None = None
    allow_hosts: tuple[str, ...] = ()
    edges: LinkEdges | None = None

    def __post_init__(self) -> None:
        """Refuse values outside their range before anything is read."""
        if self.shard_rows < 1 or not 0 <= self.max_rejects <= 1:
            raise SettingError("shard_rows must be at least 1 and max_rejects lie in [0, 1]")
        format_of(self.output, self.form)
        AllowedHosts(self.allow_hosts)

    @property
    def writes(self) -> LinkFormat:
        """The format of the output."""
        return format_of(self.output, self.form)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReport:
    """What a linking job did.

    Attributes:
        job: Its id in the ledger.
        state: `done`, `failed`, `paused` or `cancelled`.
        rows: Rows of the tables by state; those of shards not done yet are `pending`.
        rejects: Rows that could not be read.
        edges: Edges written into the graph.
        without_edge: Linked rows whose head is no entity; they stand among the rejects too.
        output: The file with the links; whole only when the state is `done`.
        error: Why a shard failed, if one did.
    """

    job: str
    state: str
    rows: Mapping[str, int]
    rejects: int
    edges: int
    without_edge: int
    output: Path
    error: str | None = None


def run_link_job(
    linker: MentionLinker,
    task: LinkTask,
    *,
    ledger: Ledger,
    store: Store | None = None,
    progress: Progress = silent,
) -> LinkReport:
    """Link every row of a table in this process; on the same table and linker again it only reads.

    Args:
        linker: Does the work.
        task: What is to be linked.
        ledger: Remembers what is done.
        store: Where edges go, if the task makes any.
        progress: Told rows done of all rows.

    Raises:
        RecordError: A file is missing, damaged, or not of its format at all.
        MappingError: A table lacks a column.
        ConflictError: The key was used for another job.
        JobError: There were too many rejects; what is done stays in the ledger.
        OSError: The disk is full; the same call goes on when there is room.
    """
    job = submit_link_job(ledger, linker.fingerprint, task)
    work_on(ledger, job.id, linker, task, store=store, progress=progress)
    return finish_link_job(ledger, job.id, task)


def submit_link_job(
    ledger: Ledger, fingerprint: str, task: LinkTask, *, ids: RepeatedIds | None = None
) -> Job:
    """Plan a job and put it into the ledger, or find it there.

    Shards that failed are freed, and so are those whose output was damaged since.

    Args:
        ledger: Where to.
        fingerprint: Of the linker (`linkers.protocols.MentionLinker`).
        task: What is to be linked.
        ids: Told the id of every row.

    Raises:
        RecordError: A file is missing, damaged, or not of its format at all.
        MappingError: A table lacks a column.
        ConflictError: The key was used for another job.
        SettingError: The output would replace what is read.
    """
    files = TableFiles.of(task.mentions)
    check_output(task.output, task.mentions, files)
    heads = () if task.edges is None else task.edges.template.paths
    shards = list(plan_shards(files, task.columns, also=heads, rows=task.shard_rows, ids=ids))
    hashes = map(sha256_of_file, files.paths)
    parameters = {
        "files": [list(pair) for pair in zip(files.names, hashes, strict=True)],
        "columns": asdict(task.columns),
        "linker": fingerprint,
        "edges": None if task.edges is None else asdict(task.edges),
        "allow_hosts": AllowedHosts(task.allow_hosts).names,
        "shard_rows": task.shard_rows,
    }
    sizes = [shard["rows"] for shard in shards]
    job = ledger.submit("link", parameters, shards, key=task.key, sizes=sizes)
    if job.state == "failed":
        ledger.retry(job.id)
    mend(ledger, job.id)
    return ledger.job(job.id)


def work_on(
    ledger: Ledger,
    job: str,
    linker: MentionLinker,
    task: LinkTask,
    *,
    store: Store | None = None,
    progress: Progress = silent,
) -> JobProgress:
    """Do shards of a submitted job until none is left; several processes may.

    Args:
        ledger: Where the job stands.
        job: Its id.
        linker: Does the work.
        task: What was submitted.
        store: Where edges go, if the task makes any.
        progress: Told rows done of all rows.

    Raises:
        JobError: There were too many rejects, or the linker is not the one of the job.
    """
    function = shard_function(linker, task, fingerprint=submitted_for(ledger, job), store=store)
    limit = RejectLimit(task.max_rejects, ledger, job)
    try:
        return run_job(
            ledger,
            job,
            lambda shard: limit.check(function(shard)),
            lease_s=lease_seconds(task),
            progress=progress,
        )
    except TooManyRejects as ended:
        raise ended.error from None


def work_ahead(
    ledger: Ledger, job: str, pool: ShardPool, task: LinkTask, *, progress: Progress = silent
) -> JobProgress:
    """Have a pool do the shards of a submitted job; it calls `shard_function` elsewhere.

    Args:
        ledger: Where the job stands.
        job: Its id.
        pool: Does shards.
        task: What was submitted.
        progress: Told rows done of all rows.

    Raises:
        JobError: There were too many rejects, or the linker is not the one of the job.
    """
    limit = RejectLimit(task.max_rejects, ledger, job)
    try:
        return run_job_ahead(
            ledger, job, pool, check=limit.check, lease_s=lease_seconds(task), progress=progress
        )
    except TooManyRejects as ended:
        raise ended.error from None


def submitted_for(ledger: Ledger, job: str) -> str:
    """Return the fingerprint of the linker that a job was submitted for."""
    return str(ledger.job(job).parameters["linker"])


def finish_link_job(ledger: Ledger, job: str, task: LinkTask) -> LinkReport:
    """Write the output of a job that nobody works on any more, and tell what it did.

    Raises:
        JobError: There were too many rejects.
        MissingPartError: The output of a shard was deleted or changed meanwhile.
        OSError: The disk is full; the output of before stays.
    """
    now = ledger.progress(job)
    if now.state == "done":
        RejectLimit(task.max_rejects, ledger, job).check_whole()
    write_links(ledger, job, task.output, form=task.writes, rejects=task.rejects)
    rejects = now.counts.get("rejects", 0)
    rows: dict[str, int] = {state: now.counts.get(state, 0) for state in _STATES}
    rows["pending"] = now.total - sum(rows.values()) - rejects
    return LinkReport(
        job=job,
        state=now.state,
        rows=rows,
        rejects=rejects,
        edges=now.counts.get("edges", 0),
        without_edge=now.counts.get("without_edge", 0),
        output=task.output,
        error=now.error,
    )
