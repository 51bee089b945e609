"""Linking a file of mentions as a job: resumable, bounded memory, the same bytes whatever happens.

A shard is a range of lines and its function depends on the file, the linker and that range alone.
Mentions support one another within a run: up to 512 rows of one document that follow one another.
Runs are never cut, so the output does not depend on how many rows a shard has. A row that cannot be
read is a reject; one whose picture cannot be opened is `failed`, with the reason.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from kg.errors import EngineError, JobError, RecordError, SettingError
from kg.files import atomic_write, sha256_of_file
from kg.formats.jsonl import read_jsonl
from kg.formats.records import Record, Reject
from kg.ledger import JobProgress, Ledger, Shard, ShardResult, run_job
from kg.progress import Progress, silent
from linkers.linker import Linker
from linkers.model import Link, LinkState, Mention
from linkers.records import MentionColumns, link_line, mention_of

__all__ = ["LinkReport", "ShardLinker", "plan_shards", "run_link_job"]

_LONGEST_RUN = 512
_REJECT = b'{"reject": '
_STATES: tuple[LinkState, ...] = ("linked", "nil", "review", "failed", "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReport:
    """What a linking job did.

    Attributes:
        job: Its id in the ledger.
        state: `done`, `failed`, `paused` or `cancelled`.
        rows: Rows of the file by state; those of shards not done yet are `pending`.
        rejects: Rows that could not be read.
        output: The file with the links; whole only when the state is `done`.
    """

    job: str
    state: str
    rows: Mapping[str, int]
    rejects: int
    output: Path


def run_link_job(
    linker: Linker,
    mentions: Path,
    output: Path,
    *,
    ledger: Ledger,
    columns: MentionColumns | None = None,
    rejects: Path | None = None,
    shard_rows: int = 100,
    max_rejects: float = 1.0,
    key: str | None = None,
    progress: Progress = silent,
) -> LinkReport:
    """Link every row of a JSON Lines file; on the same file and linker again it only reads.

    Args:
        linker: Does the work.
        mentions: JSON Lines, plain or ``.gz``.
        output: Links as JSON Lines, one a row that could be read, in order; written atomically at
            the end (and on a pause or cancellation with what is done).
        ledger: Remembers what is done.
        columns: Which column holds what.
        rejects: File for rows that could not be read; removed if there is none.
        shard_rows: Rows after which a shard ends, at least 1; more make fewer, longer steps.
        max_rejects: Share of rejects above which the job ends, in [0, 1].
        key: Idempotency key; file, columns and linker if not given.
        progress: Told rows done of all rows.

    Raises:
        SettingError: A setting lies outside its range.
        RecordError: The file is missing, damaged, or no JSON Lines at all.
        ConflictError: The key was used for another job.
        JobError: There were too many rejects; what is done stays in the ledger.
    """
    if shard_rows < 1 or not 0 <= max_rejects <= 1:
        raise SettingError("shard_rows must be at least 1 and max_rejects lie in [0, 1]")
    chosen = columns or MentionColumns()
    shards = list(plan_shards(mentions, chosen, rows=shard_rows))
    parameters = {
        "mentions": sha256_of_file(mentions),
        "columns": asdict(chosen),
        "linker": linker.fingerprint,
        "shard_rows": shard_rows,
    }
    job = ledger.submit(
        "link", parameters, shards, key=key, sizes=[shard["rows"] for shard in shards]
    )
    function = ShardLinker(linker, mentions, chosen)
    limit = _RejectLimit(max_rejects * sum(shard["rows"] for shard in shards))
    try:
        now = run_job(ledger, job.id, lambda shard: limit.check(function(shard)), progress=progress)
    except _TooManyRejects as ended:
        raise ended.error from None
    _write(ledger, job.id, output, rejects)
    return _report(job.id, now, output)


def plan_shards(path: Path, columns: MentionColumns, *, rows: int) -> Iterator[dict[str, Any]]:
    """Yield shards as ranges of lines, both ends in it; no run of a document is cut.

    Raises:
        RecordError: The file is missing, damaged, or no JSON Lines at all.
    """
    first = last = count = 0
    for run in _runs(read_jsonl(path), columns):
        if count and count + len(run) > rows:
            yield {"first": first, "last": last, "rows": count}
            count = 0
        first = run[0].line if count == 0 else first
        last, count = run[-1].line, count + len(run)
    if count:
        yield {"first": first, "last": last, "rows": count}


def _runs(
    rows: Iterator[Record | Reject], columns: MentionColumns
) -> Iterator[list[Record | Reject]]:
    """Yield runs of rows of one document; a row without a document is a run of its own."""
    held: list[Record | Reject] = []
    held_document: str | None = None
    for row in rows:
        document = _document(row, columns)
        together = document is not None and document == held_document
        if held and not (together and len(held) < _LONGEST_RUN):
            yield held
            held = []
        held.append(row)
        held_document = document
    if held:
        yield held


def _document(row: Record | Reject, columns: MentionColumns) -> str | None:
    if isinstance(row, Reject) or columns.document is None:
        return None
    value = row.fields.get(columns.document)
    return None if value is None or value == "" else str(value)


class ShardLinker:
    """The pure function of a linking job.

    Args:
        linker: Does the work.
        path: The mention file.
        columns: Which column holds what.
    """

    def __init__(self, linker: Linker, path: Path, columns: MentionColumns) -> None:
        self._linker, self._path, self._columns = linker, path, columns
        self._rows = read_jsonl(path)
        self._place = 0

    def __call__(self, shard: Shard) -> ShardResult:
        """Link the rows of one shard."""
        lines: dict[int, bytes] = {}
        mentions: dict[int, Mention] = {}
        counts: Counter[str] = Counter()
        rows = self._between(int(shard.parameters["first"]), int(shard.parameters["last"]))
        for number, run in enumerate(_runs(iter(rows), self._columns)):
            for row in run:
                read = self._read(row)
                if isinstance(read, Reject):
                    lines[row.line] = _REJECT + read.to_json().encode() + b"}\n"
                    counts["rejects"] += 1
                else:
                    run_name = None if read.document is None else f"{number}"
                    mentions[row.line] = replace(read, document=run_name)
        links = self._links(mentions)
        self._linker.forget()
        for line, link in links.items():
            lines[line] = link_line(link)
            counts[link.state] += 1
        return ShardResult(output=b"".join(lines[line] for line in sorted(lines)), counts=counts)

    def _between(self, first: int, last: int) -> list[Record | Reject]:
        """Return the rows of some lines; shards in order read the file once."""
        if self._place >= first:
            self._rows, self._place = read_jsonl(self._path), 0
        found: list[Record | Reject] = []
        while self._place < last:
            row = next(self._rows, None)
            if row is None:
                break
            self._place = row.line
            if row.line >= first:
                found.append(row)
        return found

    def _read(self, row: Record | Reject) -> Mention | Reject:
        if isinstance(row, Reject):
            return row
        try:
            return mention_of(row.fields, self._columns, path=self._path.name, line=row.line)
        except RecordError as error:
            return Reject(
                file=self._path.name,
                line=row.line,
                column=error.column,
                reason=error.what,
                text=row.text,
            )

    def _links(self, mentions: Mapping[int, Mention]) -> dict[int, Link]:
        failed = {
            line: _failed(mention, "its picture cannot be opened")
            for line, mention in mentions.items()
            if not self._linker.can_open(mention)
        }
        rest = {line: mention for line, mention in mentions.items() if line not in failed}
        try:
            links = self._linker.link(list(rest.values()))
        except EngineError:
            # one bad mention must not take the others with it
            links = [self._alone(mention) for mention in rest.values()]
        return failed | dict(zip(rest, links, strict=True))

    def _alone(self, mention: Mention) -> Link:
        try:
            return self._linker.link([mention])[0]
        except EngineError as error:
            return _failed(mention, error.what)


def _failed(mention: Mention, reason: str) -> Link:
    return Link(
        mention=mention.id,
        state="failed",
        entity=None,
        probability=0.0,
        nil_probability=0.0,
        reason=reason,
    )


class _RejectLimit:
    """Ends a job once too many rows could not be read."""

    def __init__(self, most: float) -> None:
        self._most, self._seen = most, 0

    def check(self, result: ShardResult) -> ShardResult:
        self._seen += result.counts.get("rejects", 0)
        if self._seen > self._most:
            raise _TooManyRejects(
                f"more than {self._most:.0f} rows could not be read",
                hint="look at the columns, or allow a larger share",
            )
        return result


class _TooManyRejects(Exception):  # noqa: N818 - carries a `JobError` out of the loop of the job
    def __init__(self, what: str, *, hint: str) -> None:
        self.error = JobError(what, hint=hint)


def _write(ledger: Ledger, job: str, output: Path, rejects: Path | None) -> None:
    """Part the outputs of finished shards into links and rejects."""
    bad: list[bytes] = []
    with atomic_write(output) as file:
        for shard in ledger.shards(job):
            if shard.state == "done":
                for line in ledger.output(shard).splitlines(keepends=True):
                    if line.startswith(_REJECT):
                        bad.append(
                            json.dumps(json.loads(line)["reject"], ensure_ascii=False).encode()
                            + b"\n"
                        )
                    else:
                        file.write(line)
    if rejects is None:
        return
    if bad:
        with atomic_write(rejects) as file:
            file.writelines(bad)
    else:
        rejects.unlink(missing_ok=True)


def _report(job: str, now: JobProgress, output: Path) -> LinkReport:
    rejects = now.counts.get("rejects", 0)
    rows: dict[str, int] = {state: now.counts.get(state, 0) for state in _STATES}
    rows["pending"] = now.total - sum(rows.values()) - rejects
    return LinkReport(job=job, state=now.state, rows=rows, rejects=rejects, output=output)
