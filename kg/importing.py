"""Importing files into a store: bounded memory, resumable, nothing lost.

Files are rows of a declared mapping, or a whole graph in one of `kg.graph_formats`. An import is
two jobs of the ledger, entities before edges, whose shards are ranges of rows. A
shard is written to the store before it is marked, and writing it again changes nothing, so a kill
at any moment and a second run give the same graph. What cannot be taken is in the shards' outputs
and ends in one file of rejects.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kg.errors import EngineError, InputError, JobError
from kg.files import atomic_write
from kg.graph_formats import opened_graph
from kg.images import ImageFolder
from kg.import_estimate import ImportEstimate, estimate_mapping
from kg.import_shards import SHARD_LINES, EdgeWork, EntityWork, RowTable, plan
from kg.import_sources import ImportSource, mapping_source
from kg.import_target import target_of_import
from kg.ledger import Job, Ledger, Shard, ShardResult, run_job
from kg.mapping import GraphMapping, load_mapping
from kg.model import EntityKey
from kg.progress import Progress, silent
from kg.schema import GraphSchema
from kg.schema_check import check_import
from kg.store import Store

__all__ = [
    "ImportEstimate",
    "ImportReport",
    "estimate_mapping",
    "import_graph",
    "import_mapping",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did.

    Attributes:
        entities: Rows that became entities, over all shards.
        edges: Rows that became edges.
        images: Pictures kept.
        rejects: Rows, or parts of rows, that could not be taken.
        seconds: Time of this run.
        skipped: True if nothing was left to do.
        jobs: Ids of the two jobs in the ledger. The first of them stands in the records of all
            that was written, edges too: by it the import is taken back (`kg.upkeep.undo`).
    """

    entities: int
    edges: int
    images: int
    rejects: int
    seconds: float
    skipped: bool
    jobs: tuple[str, str]


def import_mapping(
    store: Store,
    mapping: Path | GraphMapping,
    *,
    ledger: Ledger,
    images: ImageFolder,
    rejects: Path,
    schema: GraphSchema | None = None,
    max_errors: int | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """Write what a mapping declares into a store; on the same files again it does nothing.

    A store without the first entity, or without its image, is filled again, whatever the ledger
    says.

    Args:
        store: Where to.
        mapping: The mapping or its file.
        ledger: Remembers what is done.
        images: Where pictures are kept.
        rejects: File for what could not be taken, JSON Lines; removed if there is nothing.
        schema: What all rows must fit before any is written.
        max_errors: End the import at the first shard after which there are more rejects.
        progress: Told lines done of lines in all.

    Raises:
        MappingError: The mapping cannot be applied; nothing was written.
        RecordError: A file is damaged, or not of its format at all.
        InputError: Rows do not fit the schema; nothing was written but the rejects.
        JobError: There were more than `max_errors` rejects; what was written stays, and the same
            call with a higher limit goes on.
    """
    declared = mapping if isinstance(mapping, GraphMapping) else load_mapping(mapping)
    if schema is not None:
        _require_fit(mapping_source(declared, None), schema, store, rejects)
    source = mapping_source(declared, images)
    return _import(store, source, images, ledger, rejects, max_errors, progress)


def import_graph(
    store: Store,
    path: Path,
    *,
    ledger: Ledger,
    rejects: Path,
    format_name: str | None = None,
    schema: GraphSchema | None = None,
    max_errors: int | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """Write a file that holds a whole graph into a store; on the same file again it does nothing.

    Of pictures the file holds only what is known of them, not the pictures themselves.

    Args:
        store: Where to.
        path: The file, or the folder of formats that have several files.
        ledger: Remembers what is done; what is laid out on disk lies beside it meanwhile.
        rejects: File for what could not be taken, JSON Lines; removed if there is nothing.
        format_name: Name of the format (`kg.graph_formats`); told by name and content if not given.
        schema: What all rows must fit before any is written.
        max_errors: End the import at the first shard after which there are more rejects.
        progress: Told rows done of rows in all.

    Raises:
        InputError: No format is known by that name, or none fits the file.
        RecordError: The file is damaged, or not of its format at all.
        InputError: Rows do not fit the schema; nothing was written but the rejects.
        JobError: There were more than `max_errors` rejects.
    """
    with opened_graph(path, ledger.path.parent / "staged", format_name) as source:
        if schema is not None:
            _require_fit(source, schema, store, rejects)
        return _import(store, source, None, ledger, rejects, max_errors, progress)


def _import(
    store: Store,
    source: ImportSource,
    images: ImageFolder | None,
    ledger: Ledger,
    rejects: Path,
    max_errors: int | None,
    progress: Progress,
) -> ImportReport:
    started = time.perf_counter()
    known: set[EntityKey] = set()
    jobs = (
        _submit(ledger, EntityWork.kind, source.entities, source),
        _submit(ledger, EdgeWork.kind, source.edges, source),
    )
    mark = ledger.path.parent / f"{jobs[0].id}.loading"
    rows = sum(ledger.progress(job.id).total for job in jobs)

    def anew() -> None:
        for job in jobs:
            ledger.retry(job.id, everything=True)

    if not _holds_first_entity(store, images, source):
        anew()
    with target_of_import(store, mark, rows=rows, anew=anew) as target:
        skipped = all(ledger.job(job.id).state == "done" for job in jobs)
        limit = _Limit(max_errors)
        stages = (
            EntityWork(source.entities, target, known, jobs[0].id),
            EdgeWork(source.edges, target, known, jobs[0].id),
        )
        try:
            _run(ledger, jobs[0].id, stages[0], limit, _over_all(ledger, jobs, 0, progress))
            _run(ledger, jobs[1].id, stages[1], limit, _over_all(ledger, jobs, 1, progress))
        finally:
            _write_rejects(ledger, jobs, rejects)
    counts = Counter(ledger.progress(jobs[0].id).counts)
    counts.update(ledger.progress(jobs[1].id).counts)
    return ImportReport(
        entities=counts["entities"],
        edges=counts["edges"],
        images=counts["images"],
        rejects=counts["rejects"],
        seconds=time.perf_counter() - started,
        skipped=skipped,
        jobs=(jobs[0].id, jobs[1].id),
    )


def _require_fit(source: ImportSource, schema: GraphSchema, store: Store, rejects: Path) -> None:
    """Write what breaks the schema to the rejects, and raise `InputError` if anything does."""
    count = 0
    with atomic_write(rejects) as file:
        for reject in check_import(source, schema, store):
            file.write(reject.to_json().encode() + b"\n")
            count += 1
    if count:
        raise InputError(
            f"{count} times a row does not fit the schema; nothing was written",
            where=source.name,
            hint=f"see {rejects}",
        )


class _Ended(Exception):  # noqa: N818 - not an error of its own: it carries one out of the loop
    """Ends the loop of a job without marking the shard in hand as failed."""

    def __init__(self, error: EngineError) -> None:
        super().__init__(str(error))
        self.error = error


class _Limit:
    """Counts rejects over both jobs."""

    def __init__(self, max_errors: int | None) -> None:
        self.max_errors = max_errors
        self.count = 0

    def check(self) -> None:
        """Raise `JobError` if there were too many."""
        if self.max_errors is not None and self.count > self.max_errors:
            raise JobError(
                f"{self.count} rejects, more than the {self.max_errors} allowed",
                hint="look at the rejects, mend the files, or allow more",
            )


def _submit(ledger: Ledger, kind: str, tables: Sequence[RowTable], source: ImportSource) -> Job:
    shards, sizes = plan(tables, SHARD_LINES)
    parameters = {"mapping": source.name, "content": source.content}
    return ledger.submit(kind, parameters, shards, sizes=sizes)


def _holds_first_entity(store: Store, images: ImageFolder | None, source: ImportSource) -> bool:
    """Tell whether store, and images if it has any, were filled from a source: by one entity."""
    key = source.first_key()
    if key is None:
        return True
    found = store.entity(key)
    if found is None or images is None:
        return found is not None
    return all(images.path(image.sha256).exists() for image in found.images)


def _run(
    ledger: Ledger,
    job: str,
    work: EntityWork | EdgeWork,
    limit: _Limit,
    progress: Progress,
) -> None:
    limit.count += ledger.progress(job).counts.get("rejects", 0)

    def one(shard: Shard) -> ShardResult:
        try:
            limit.check()
            result = work(shard)
        except EngineError as error:
            raise _Ended(error) from error
        limit.count += result.counts["rejects"]
        return result

    if ledger.job(job).state in ("paused", "cancelled"):
        ledger.resume(job)
    try:
        after = run_job(ledger, job, one, progress=progress)
    except _Ended as ended:
        raise ended.error from ended.error.__cause__
    limit.check()
    if after.state != "done":
        raise JobError(f"the import is {after.state}", where=job, hint="run it again to go on")


def _over_all(ledger: Ledger, jobs: tuple[Job, Job], which: int, progress: Progress) -> Progress:
    """Return a progress of one job that reports over both."""
    first, second = (ledger.progress(each.id).total for each in jobs)
    before = first if which else 0
    return lambda done, _total: progress(before + done, first + second)


def _write_rejects(ledger: Ledger, jobs: tuple[Job, Job], path: Path) -> None:
    shards = [shard for job in jobs for shard in ledger.shards(job.id) if shard.state == "done"]
    if not any(shard.counts.get("rejects") for shard in shards):
        path.unlink(missing_ok=True)
        return
    with atomic_write(path) as file:
        for shard in shards:
            file.write(ledger.output(shard))
