"""Links as files: JSON Lines or Parquet, written atomically from the shards of a job, and rejects.

The same links give the same bytes in either format, however many shards they came in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, cast, get_args

from kg.errors import SettingError
from kg.files import atomic_write, refuse_special
from kg.formats.tables import TableFiles
from kg.ledger import Ledger, Shard
from linkers.shards import REJECT

__all__ = ["LinkFormat", "check_output", "format_of", "write_links"]

LinkFormat = Literal["jsonl", "parquet"]

_OF_OTHERS = frozenset((".csv", ".tsv", ".gz", ".xlsx", ".arrow"))
"""Endings that promise a form in which links are not written."""

_BATCH = 10_000  # rows of a row group in Parquet


def format_of(output: Path, name: str | None = None) -> LinkFormat:
    """Return the format to write: the one named, else by the ending of the file's name.

    Raises:
        SettingError: There is no such format, or the name promises another.

    Example:
        >>> format_of(Path("links.parquet")), format_of(Path("links.out"))
        ('parquet', 'jsonl')
    """
    if name is None:
        if output.suffix.lower() in _OF_OTHERS:
            raise SettingError(
                f"links are not written as {output.suffix}",
                where=str(output),
                hint="let the name end in .jsonl or .parquet",
            )
        return "parquet" if output.suffix.lower() == ".parquet" else "jsonl"
    if name not in get_args(LinkFormat):
        raise SettingError(
            f"no format {name!r}",
            where="--format",
            hint=f"one of {', '.join(get_args(LinkFormat))}",
        )
    return cast("LinkFormat", name)


def check_output(output: Path, mentions: Path, files: TableFiles) -> None:
    """Refuse, before hours of work, an output that could not or must not be written.

    Raises:
        ForeignFileError: A device or a pipe stands there.
        SettingError: It is a folder, one of the tables that are read, or would be read by the next
            run.
    """
    refuse_special(output)
    if output.is_dir():
        raise SettingError("the output is a folder", where=str(output), hint="name a file in it")
    place = output.resolve()
    if place in {path.resolve() for path in files.paths}:
        raise SettingError("the output is one of the files that are read", where=str(output))
    if mentions.is_dir() and place.is_relative_to(mentions.resolve()):
        raise SettingError(
            "the output lies in the folder that is read",
            where=str(output),
            hint="write it elsewhere: the next run would take it for mentions",
        )


def write_links(
    ledger: Ledger, job: str, output: Path, *, form: LinkFormat, rejects: Path | None
) -> None:
    """Part the outputs of finished shards into links and rejects.

    The links come last: where they are, all is written.

    Args:
        ledger: Where the job stands.
        job: Its id.
        output: The file of links.
        form: Its format.
        rejects: File for rows that could not be read; removed if there is none.

    Raises:
        MissingPartError: The output of a shard was deleted or changed meanwhile.
        OSError: The disk is full; `filename` says which file. Nothing was replaced.
    """
    if rejects is not None:
        _write_rejects(ledger, job, rejects)
    with atomic_write(output) as file:
        if form == "parquet":
            _write_parquet(file, _lines(ledger, job, rejects=False))
        else:
            file.writelines(line + b"\n" for line in _lines(ledger, job, rejects=False))


def _write_rejects(ledger: Ledger, job: str, path: Path) -> None:
    if not any(map(_has_rejects, ledger.shards(job))):
        path.unlink(missing_ok=True)
        return
    with atomic_write(path) as file:
        for line in _lines(ledger, job, rejects=True):
            reject = json.loads(line)["reject"]
            file.write(json.dumps(reject, ensure_ascii=False).encode() + b"\n")


def _lines(ledger: Ledger, job: str, *, rejects: bool) -> Iterator[bytes]:
    for shard in ledger.shards(job):
        if shard.state == "done" and (not rejects or _has_rejects(shard)):
            for line in ledger.output(shard).split(b"\n"):
                if line and line.startswith(REJECT) == rejects:
                    yield line


def _has_rejects(shard: Shard) -> bool:
    return bool(shard.counts.get("rejects") or shard.counts.get("without_edge"))


def _write_parquet(file: IO[bytes], lines: Iterator[bytes]) -> None:
    import pyarrow as pa  # type: ignore[import-untyped]  # slow to import
    from pyarrow import parquet

    candidate = pa.struct(
        {
            "entity": pa.string(),
            "score": pa.float64(),
            "probability": pa.float64(),
            "signals": pa.map_(pa.string(), pa.float64()),
        }
    )
    schema = pa.schema(
        {
            "mention": pa.string(),
            "state": pa.string(),
            "entity": pa.string(),
            "probability": pa.float64(),
            "nil_probability": pa.float64(),
            "reason": pa.string(),
            "candidates": pa.list_(candidate),
        }
    )
    with parquet.ParquetWriter(file, schema) as writer:
        while batch := list(islice(lines, _BATCH)):
            rows = [_row(line) for line in batch]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _row(line: bytes) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(line)
    for candidate in row["candidates"]:
        candidate["signals"] = sorted(candidate["signals"].items())
    return row
