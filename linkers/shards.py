"""Shards of a linking job: ranges of rows of its files, and the pure function that links one.

A shard's output depends on the files, the linker and its range alone. Mentions support one another
within a run: up to 512 rows of one document that follow one another in a file. Runs are never cut,
so the output does not depend on how many rows a shard has. A row that cannot be read is a reject;
one whose picture cannot be opened is `failed`, with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kg.errors import EngineError, JobError, RecordError
from kg.formats.records import Record, Reject
from kg.formats.tables import TableFiles, table_columns
from kg.jobs import Shard, ShardResult
from linkers.link_edges import EdgeWriter, LinkedRow
from linkers.model import Link, Mention
from linkers.pictures import MentionPictures
from linkers.protocols import MentionLinker
from linkers.records import MentionColumns, check_columns, link_line, mention_of, whole
from linkers.repeated_ids import RepeatedIds

__all__ = ["REJECT", "ShardLinker", "plan_shards"]

REJECT = b'{"reject": '
"""What a line of a shard's output begins with if it is no link."""

_LONGEST_RUN = 512


def plan_shards(
    files: TableFiles,
    columns: MentionColumns,
    *,
    rows: int,
    also: Collection[str] = (),
    ids: RepeatedIds | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield shards as ranges of lines of one file, both ends in it; no run of a document is cut.

    Args:
        files: The tables.
        columns: Which column holds what.
        rows: Rows after which a shard ends.
        also: Columns that are needed beside those of the mentions.
        ids: Told the id of every row.

    Raises:
        RecordError: A file is missing, damaged, or not of its format at all.
        MappingError: A table lacks a column.
    """
    for number, path in enumerate(files.paths):
        declared = table_columns(path)
        if declared is not None:
            check_columns(columns, declared, also=also, where=files.names[number])
        first = last = count = 0
        for run in _runs(_told(files.rows(number), columns, ids), columns):
            if count and count + len(run) > rows:
                yield {"file": number, "first": first, "last": last, "rows": count}
                count = 0
            first = run[0].line if count == 0 else first
            last, count = run[-1].line, count + len(run)
        if count:
            yield {"file": number, "first": first, "last": last, "rows": count}


def _told(
    rows: Iterator[Record | Reject], columns: MentionColumns, ids: RepeatedIds | None
) -> Iterator[Record | Reject]:
    for row in rows:
        if ids is not None and isinstance(row, Record):
            name = row.fields.get(columns.id)
            if name is not None and name != "":  # else it will be a reject
                ids.add(str(whole(name)))
        yield row


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
        files: The tables.
        columns: Which column holds what.
        pictures: Opens the pictures that rows name; the linker's own source if not given.
        edges: Writes what links say into the graph, if anything is to be written.
    """

    def __init__(
        self,
        linker: MentionLinker,
        files: TableFiles,
        columns: MentionColumns,
        *,
        pictures: MentionPictures | None = None,
        edges: EdgeWriter | None = None,
    ) -> None:
        self._linker = linker if pictures is None else linker.showing(pictures)
        self._files, self._columns = files, columns
        self._pictures, self._edges = pictures, edges
        self._rows: Iterator[Record | Reject] = iter(())
        self._place = (-1, 0)

    def __call__(self, shard: Shard) -> ShardResult:
        """Link the rows of one shard."""
        number = int(shard.parameters["file"])
        name = self._files.names[number]
        lines: dict[int, bytes] = {}
        mentions: dict[int, Mention] = {}
        records: dict[int, Record] = {}
        counts: Counter[str] = Counter()
        runs = _runs(iter(self._between(number, shard)), self._columns)
        for document, run in enumerate(runs):
            for row in run:
                read = self._read(row, name)
                if isinstance(read, Reject):
                    lines[row.line] = _reject_line(read)
                    counts["rejects"] += 1
                elif isinstance(row, Record):
                    together = None if read.document is None else f"{document}"
                    mentions[row.line] = replace(read, document=together)
                    records[row.line] = row
        links = self._links(mentions, self._files.paths[number].parent)
        self._linker.forget()
        for line, link in links.items():
            lines[line] = link_line(link)
            counts[link.state] += 1
        if self._edges is not None:
            rows = [
                LinkedRow(record=records[line], mention=mentions[line], link=link)
                for line, link in links.items()
            ]
            written, refused = self._edges.write(shard.job, name, rows)
            counts.update(edges=written, without_edge=len(refused))
            for reject in refused:  # beside its link, which stands
                lines[reject.line] += _reject_line(reject)
        return ShardResult(output=b"".join(lines[line] for line in sorted(lines)), counts=counts)

    def _between(self, number: int, shard: Shard) -> Sequence[Record | Reject]:
        """Return the rows of a shard; shards in order read a file once."""
        first, last = int(shard.parameters["first"]), int(shard.parameters["last"])
        if self._place[0] != number or self._place[1] >= first:
            self._rows = self._files.rows(number, first=first)
        self._place = (-1, 0)  # at no place until all rows were taken, whatever ends it
        found: list[Record | Reject] = []
        place = first - 1
        while place < last and (row := next(self._rows, None)) is not None:
            place = row.line
            if row.line >= first:
                found.append(row)
        if len(found) != int(shard.parameters["rows"]):
            raise JobError(
                "the file was changed while it was linked",
                where=self._files.names[number],
                hint="run the same command again: the changed file is a new job",
            )
        self._place = (number, place)
        return found

    def _read(self, row: Record | Reject, name: str) -> Mention | Reject:
        if isinstance(row, Reject):
            return row
        try:
            return mention_of(row.fields, self._columns, path=name, line=row.line)
        except RecordError as error:
            return Reject(
                file=name, line=row.line, column=error.column, reason=error.what, text=row.text
            )

    def _links(self, mentions: Mapping[int, Mention], folder: Path) -> dict[int, Link]:
        reasons: dict[str, str] = {}
        if self._pictures is not None:
            names = {mention.image for mention in mentions.values() if mention.image is not None}
            reasons = self._pictures.take(names, folder)
        failed = {
            line: _failed(mention, _without_picture(reasons.get(mention.image or "")))
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


def _reject_line(reject: Reject) -> bytes:
    return REJECT + reject.to_json().encode() + b"}\n"


def _without_picture(reason: str | None) -> str:
    return "its picture cannot be opened" + ("" if reason is None else f": {reason}")


def _failed(mention: Mention, reason: str) -> Link:
    return Link(
        mention=mention.id,
        state="failed",
        entity=None,
        probability=0.0,
        nil_probability=0.0,
        reason=reason,
    )
