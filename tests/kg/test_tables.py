"""Tables: every format gives the same rows, in bounded pieces; what is no table is named."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from kg.errors import RecordError
from kg.formats.parquet import read_parquet
from kg.formats.records import Record, Reject
from kg.formats.tables import TableFiles, read_table, table_columns, table_files

ROWS = [{"id": str(n), "name": f"näme {n}", "text": "a, b\tc" if n % 3 else ""} for n in range(40)]


def write(path: Path, rows: list[dict[str, str]] = ROWS) -> Path:
    """Write a table in the format of its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=7)
        return path
    plain = Path(path.stem) if path.suffix == ".gz" else path
    if plain.suffix in (".jsonl", ".ndjson"):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        comma = "," if plain.suffix == ".csv" else "\t"
        quoted = [[f'"{value}"' for value in row.values()] for row in rows]
        text = "".join(comma.join(row) + "\n" for row in [list(rows[0]), *quoted])
    content = text.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("semicolons.csv", b'\xef\xbb\xbf"id, a";b\r\n1;"2,5\r\n"\r\n', ("id, a", "b")),
        ("bars.csv", b"id|area\n1|2,5\n", ("id", "area")),
        ("commas.tsv", b"id,area\n1,2\n", ("id", "area")),
        ("one.csv", b"id\n1;2\n", ("id",)),
        ("usual.csv", b"id,a;b\n1,2\n", ("id", "a;b")),
        ("FROM DOS.TSV", b"id\ta,b\r\n1\t2\r\n", ("id", "a,b")),
        ("FROM DOS.CSV.GZ", gzip.compress(b"id,a\r\n1,2\r\n", mtime=0), ("id", "a")),
    ],
)
def test_a_header_shows_what_stands_between_fields(
    tmp_path: Path, name: str, content: bytes, wanted: tuple[str, ...]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert table_columns(tmp_path / name) == wanted
    (row,) = read_table(tmp_path / name)
    assert isinstance(row, Record)
    assert tuple(row.fields) == wanted


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.ndjson.gz", "a.csv", "a.csv.gz", "a.tsv", "a.tsv.gz", "a.parquet"]
)
def test_every_format_gives_the_same_rows_from_any_line_on(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name)
    rows = list(read_table(path))
    assert [dict(row.fields) for row in rows if isinstance(row, Record)] == ROWS
    for skipped in (0, 6, 7, 20, 39, 40):
        first = rows[skipped].line if skipped < 40 else rows[-1].line + 1
        assert list(read_table(path, first=first)) == rows[skipped:]
    columns = table_columns(path)
    assert columns is None if "json" in name else columns == ("id", "name", "text")


def test_parquet_keeps_types_and_rejects_what_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = [{"n": 1, "s": "x", "l": [1]}, {"n": None, "s": "y" * 5_000, "l": None}]
    parquet.write_table(pa.Table.from_pylist(rows), path)
    good, bad = read_parquet(path, max_row_bytes=4_000)
    assert isinstance(good, Record)
    assert good.fields == rows[0]
    assert json.loads(good.text) == rows[0]
    assert isinstance(bad, Reject)
    assert (bad.line, bad.column, bad.reason) == (2, "s", "longer than 4,000 bytes")
    assert bad.text == "y" * 2_000


@pytest.mark.parametrize("damage", ["cut", "text", "middle", "twice", "missing"])
def test_a_damaged_parquet_file_is_named(tmp_path: Path, damage: str) -> None:
    path = write(tmp_path / "a.parquet")
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[:-40])
    elif damage == "text":
        path.write_text("id,name\n1,2\n")
    elif damage == "middle":
        path.write_bytes(content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :])
    elif damage == "twice":
        twice = pa.table([pa.array([1]), pa.array([2])], names=["id", "id"])
        parquet.write_table(twice, path)
    else:
        path.unlink()
    with pytest.raises(RecordError) as refusal:
        list(read_parquet(path))
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_folder_is_its_tables_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for name in ("b.csv", "a/z.jsonl.gz", "a/b.parquet", ".hidden/c.csv", ".d.csv", "picture.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name) if "picture" not in name else (folder / name).write_bytes(b"")
    write(tmp_path / "outside.csv")
    (folder / "leads-out.csv").symlink_to(tmp_path / "outside.csv")
    (folder / "c.csv").symlink_to("b.csv")
    os.mkfifo(folder / "pipe.csv")
    files = TableFiles.of(folder)
    assert files.names == ("a/b.parquet", "a/z.jsonl.gz", "b.csv", "c.csv")
    (folder / "b.csv").write_text("id,name\n1\n")
    (reject,) = files.rows(2)
    assert isinstance(reject, Reject)
    assert (reject.file, reject.line) == ("b.csv", 2)
    assert TableFiles.of(folder / "b.csv").names == ("b.csv",)


@pytest.mark.parametrize("name", ["a.txt", "a.parquet.gz", "a", "pipe.csv", "missing.csv", "empty"])
def test_what_is_no_table_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "pipe.csv":
        os.mkfifo(path)
    elif name == "empty":
        path.mkdir()
    elif name != "missing.csv":
        path.write_text("x")
    with pytest.raises(RecordError, match=name):
        table_files(path)
