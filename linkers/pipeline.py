"""Linking tables of mentions as a job: resumable, bounded memory, the same bytes whatever happens.

A job is submitted once, worked on by one process or several (`work_on`), and its output is written
when no shard is left. What a shard is, and its pure function, stand in `linkers.shards`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kg.errors import JobError, MissingPartError, SettingError
from kg.files import sha256_of_file
from kg.formats.tables import TableFiles
from kg.image_fetching import AllowedHosts, ImageFetcher
from kg.image_sources import ImageSources
from kg.ledger import Job, JobProgress, Ledger, ShardResult, run_job
from kg.ledger_repair import mend
from kg.progress import Progress, silent
from kg.store import Store
from linkers.link_edges import EdgeWriter, LinkEdges
from linkers.link_output import LinkFormat, check_output, format_of, write_links
from linkers.model import LinkState
from linkers.pictures import MentionPictures
from linkers.protocols import MentionLinker
from linkers.records import MentionColumns
from linkers.shards import ShardLinker, plan_shards

__all__ = [
    "LinkReport",
    "LinkTask",
    "finish_link_job",
    "run_link_job",
    "submit_link_job",
    "work_on",
]

_STATES: tuple[LinkState, ...] = ("linked", "nil", "review", "failed", "pending")
_LEASE_S = 300.0
_FETCH_S = 3.0  # a picture that is waited for, eight at the same time
_ASK_EVERY_S = 2.0  # between two looks at what other processes have seen


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


def submit_link_job(ledger: Ledger, fingerprint: str, task: LinkTask) -> Job:
    """Plan a job and put it into the ledger, or find it there.

    Shards that failed are freed, and so are those whose output was damaged since.

    Args:
        ledger: Where to.
        fingerprint: Of the linker (`linkers.protocols.MentionLinker`).
        task: What is to be linked.

    Raises:
        RecordError: A file is missing, damaged, or not of its format at all.
        MappingError: A table lacks a column.
        ConflictError: The key was used for another job.
        SettingError: The output would replace what is read.
    """
    files = TableFiles.of(task.mentions)
    check_output(task.output, task.mentions, files)
    heads = () if task.edges is None else task.edges.template.paths
    shards = list(plan_shards(files, task.columns, also=heads, rows=task.shard_rows))
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
    if ledger.job(job).parameters["linker"] != linker.fingerprint:
        raise JobError(
            "the graph or its linker was changed since the job was submitted",
            where=job,
            hint="run the same command again: it is a new job",
        )
    if task.edges is not None and store is None:
        raise MissingPartError("no store to write edges into", where=job)
    function = ShardLinker(
        linker,
        TableFiles.of(task.mentions),
        task.columns,
        pictures=_pictures(linker, task),
        edges=EdgeWriter(store, task.edges) if store and task.edges else None,
    )
    limit = _RejectLimit(task.max_rejects, ledger, job)
    try:
        return run_job(
            ledger,
            job,
            lambda shard: limit.check(function(shard)),
            lease_s=_LEASE_S + (_FETCH_S * task.shard_rows if task.allow_hosts else 0),
            progress=progress,
        )
    except _TooManyRejects as ended:
        raise ended.error from None


def _pictures(linker: MentionLinker, task: LinkTask) -> MentionPictures | None:
    """Return what opens the pictures that rows name, unless the linker has a source of its own."""
    if task.columns.image is None or linker.pixels is not None or not linker.reads_pictures:
        return None
    root = task.mentions if task.mentions.is_dir() else task.mentions.parent
    hosts = AllowedHosts(task.allow_hosts)
    fetcher = ImageFetcher(hosts) if hosts.names else None
    return MentionPictures(ImageSources(root, fetcher=fetcher))


def finish_link_job(ledger: Ledger, job: str, task: LinkTask) -> LinkReport:
    """Write the output of a job that nobody works on any more, and tell what it did.

    Raises:
        MissingPartError: The output of a shard was deleted or changed meanwhile.
        OSError: The disk is full; the output of before stays.
    """
    now = ledger.progress(job)
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


class _RejectLimit:
    """Ends a job once too many rows could not be read, whoever read them."""

    def __init__(self, share: float, ledger: Ledger, job: str) -> None:
        self._ledger, self._job = ledger, job
        self._most = share * ledger.place(job)[2]
        self._ask()

    def _ask(self) -> None:
        self._seen = self._ledger.progress(self._job).counts.get("rejects", 0)
        self._asked = time.monotonic()

    def check(self, result: ShardResult) -> ShardResult:
        """Return the result, or raise if it holds one reject too many."""
        new = result.counts.get("rejects", 0)
        if new and time.monotonic() - self._asked > _ASK_EVERY_S:
            self._ask()
        self._seen += new
        if self._seen > self._most:
            raise _TooManyRejects(
                f"more than {self._most:.0f} rows could not be read",
                hint="look at the columns, or allow a larger share",
            )
        return result


class _TooManyRejects(Exception):  # noqa: N818 - carries a `JobError` out of the loop of the job
    def __init__(self, what: str, *, hint: str) -> None:
        self.error = JobError(what, hint=hint)
