"""Linking jobs on tables of every format: the same links; what is hostile is named or stops it."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from kg.errors import (
    EngineError,
    ForeignFileError,
    JobError,
    MappingError,
    RecordError,
    SettingError,
)
from kg.ledger import Ledger
from linkers import Encoders, KnowledgeBase, Linker, Mention, link_output
from linkers.pipeline import LinkReport, LinkTask, run_link_job, submit_link_job, work_on
from linkers.records import MentionColumns
from tests.linkers.small_world import COUNTRIES, flag, world

COLUMNS = MentionColumns(id="row", surface="words", context="text", document="page")
NAMES = [name for name, *_ in COUNTRIES.values()]


def rows_of_mentions(count: int = 30) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number in range(count):
        name = NAMES[number % len(NAMES)]
        text = f'They say, "{name}" grew.'
        start = text.index(name) if number % 3 else None
        end = None if start is None else start + len(name)
        page = f"p{number // 4}" if number % 5 else None
        row = {"row": number, "words": name, "text": text, "start": start, "end": end}
        rows.append(row | {"page": page, "more": "x"})
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=8)
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], dialect="excel")
            writer.writeheader()
            writer.writerows(rows)
    return path


def run(linker: Linker, mentions: Path, output: Path, **options: Any) -> LinkReport:
    settings = {"columns": COLUMNS, "rejects": output.with_suffix(".rejects"), "shard_rows": 7}
    task = LinkTask(mentions=mentions, output=output, **settings | options)
    with Ledger(output.parent / "jobs" / "ledger.sqlite") as ledger:
        return run_link_job(linker, task, ledger=ledger)


def test_every_format_gives_the_same_links(tiny_linker: Linker, tmp_path: Path) -> None:
    rows = rows_of_mentions()
    found = {}
    for name in ("a.jsonl", "a.csv", "a.parquet"):
        out = tmp_path / name / "links.jsonl"
        report = run(tiny_linker, write(tmp_path / name / "in" / name, rows), out)
        assert (report.state, report.rejects, sum(report.rows.values())) == ("done", 0, 30)
        found[name] = out.read_bytes()
    assert len(set(found.values())) == 1
    folder = tmp_path / "folder"
    write(folder / "1.csv", rows[:12])
    write(folder / "2" / "a.parquet", rows[12:20])
    write(folder / "3.jsonl", rows[20:])
    report = run(tiny_linker, folder, tmp_path / "links.jsonl")
    assert (tmp_path / "links.jsonl").read_bytes() == found["a.csv"]
    assert report.state == "done"


def test_parquet_holds_what_json_lines_hold(tiny_linker: Linker, tmp_path: Path) -> None:
    mentions = write(tmp_path / "a.jsonl", rows_of_mentions())
    lines, table = tmp_path / "links.jsonl", tmp_path / "links.parquet"
    run(tiny_linker, mentions, lines)
    run(tiny_linker, mentions, table)
    expected = [json.loads(line) for line in lines.read_text().splitlines()]
    found = parquet.read_table(table).to_pylist()
    for row in found:
        for candidate in row["candidates"]:
            candidate["signals"] = dict(candidate["signals"])
    assert found == expected
    run(tiny_linker, mentions, tmp_path / "again", form="parquet", shard_rows=3)
    assert (tmp_path / "again").read_bytes() == table.read_bytes()


def test_a_huge_line_and_a_broken_row_are_rejects_with_file_and_line(
    tiny_linker: Linker, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    first, second, *_ = (json.dumps(row) for row in rows_of_mentions(2))
    write(folder / "b.csv", rows_of_mentions(3))
    with (folder / "b.csv").open("a") as file:
        file.write("only,two\n")
    with (folder / "a.jsonl").open("wb") as binary:
        binary.write(first.encode() + b"\n")
        binary.seek(100 * 2**20)  # a hole: no disk is needed for it
        binary.write(b"\n" + second.encode() + b"\n")
    report = run(tiny_linker, folder, tmp_path / "links.jsonl")
    assert (report.state, report.rejects, report.rows["linked"]) == ("done", 2, 5)
    rejects = [json.loads(line) for line in (tmp_path / "links.rejects").read_text().splitlines()]
    assert [(r["file"], r["line"], r["reason"]) for r in rejects] == [
        ("a.jsonl", 2, "longer than 4,194,304 bytes"),
        ("b.csv", 5, "2 fields, the header has 7"),
    ]


def test_the_links_are_written_last(
    tiny_linker: Linker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mentions, out = tmp_path / "a.jsonl", tmp_path / "links.jsonl"
    mentions.write_text(json.dumps(rows_of_mentions(1)[0]) + "\nno row\n")
    lines = link_output._lines

    def ends(ledger: Ledger, job: str, *, rejects: bool) -> Iterator[bytes]:
        if not rejects:
            raise KeyboardInterrupt
        yield from lines(ledger, job, rejects=rejects)

    monkeypatch.setattr(link_output, "_lines", ends)
    with pytest.raises(KeyboardInterrupt):
        run(tiny_linker, mentions, out)
    assert not out.exists()
    assert json.loads(out.with_suffix(".rejects").read_text())["line"] == 2


def test_a_table_without_a_column_is_refused_before_anything_is_linked(
    tiny_linker: Linker, tmp_path: Path
) -> None:
    for name in ("a.csv", "a.parquet"):
        mentions = write(tmp_path / name, rows_of_mentions(3))
        for columns in (
            MentionColumns(),
            MentionColumns(id="row", surface="wrods"),
            MentionColumns(id="row", surface="words", document="side"),
            MentionColumns(id="row", surface=None, context="none", image="words2"),
        ):
            with pytest.raises(MappingError, match="no column '"):
                run(tiny_linker, mentions, tmp_path / "links.jsonl", columns=columns)
    assert not (tmp_path / "links.jsonl").exists()


def test_the_output_replaces_no_input_and_nothing_but_a_file(
    tiny_linker: Linker, tmp_path: Path
) -> None:
    mentions = write(tmp_path / "in" / "a.jsonl", rows_of_mentions(3))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(mentions)
    for source, output, error in (
        (mentions, tmp_path / "pipe", ForeignFileError),
        (mentions, Path("/dev/null"), ForeignFileError),  # refused by looking at it
        (mentions, tmp_path, SettingError),
        (mentions, mentions, SettingError),
        (mentions, tmp_path / "link", SettingError),
        (mentions.parent, mentions.parent / "links.jsonl", SettingError),
    ):
        task = LinkTask(mentions=source, output=output, columns=COLUMNS)
        with Ledger(tmp_path / "jobs" / "ledger.sqlite") as ledger:
            with pytest.raises(error):
                run_link_job(tiny_linker, task, ledger=ledger)
            assert list(ledger.jobs()) == []
    for name in ("links.csv", "links.jsonl.gz"):
        with pytest.raises(SettingError, match=r"end in \.jsonl or \.parquet"):
            LinkTask(mentions=mentions, output=tmp_path / name, columns=COLUMNS)
        named = LinkTask(mentions=mentions, output=tmp_path / name, columns=COLUMNS, form="jsonl")
        assert named.output.name == name


def test_a_full_disk_is_a_clean_stop_that_goes_on(tiny_linker: Linker, tmp_path: Path) -> None:
    mentions = write(tmp_path / "in" / "a.jsonl", rows_of_mentions(60))
    run(tiny_linker, mentions, tmp_path / "whole" / "links.jsonl")
    out = tmp_path / "full" / "links.jsonl"
    size = (tmp_path / "whole" / "links.jsonl").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    stops = []
    for limit in (2_000, 20_000, 50_000, 80_000, size - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            with pytest.raises((JobError, OSError)) as stop:
                run(tiny_linker, mentions, out)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        where = stop.value.where if isinstance(stop.value, EngineError) else stop.value.filename
        stops.append(Path(str(where)).relative_to(out.parent).parts[0])
        assert not out.exists()
    assert stops[0] == "jobs"
    assert stops[-1] == "links.jsonl"
    assert run(tiny_linker, mentions, out).state == "done"
    assert out.read_bytes() == (tmp_path / "whole" / "links.jsonl").read_bytes()


def test_a_damaged_output_of_a_shard_is_made_again(tiny_linker: Linker, tmp_path: Path) -> None:
    mentions, out = write(tmp_path / "a.jsonl", rows_of_mentions()), tmp_path / "links.jsonl"
    run(tiny_linker, mentions, out)
    before = out.read_bytes()
    kept = sorted(path for path in (tmp_path / "jobs" / "outputs").rglob("*") if path.is_file())
    kept[0].write_bytes(kept[0].read_bytes()[:-9])
    kept[1].unlink()
    out.unlink()
    assert run(tiny_linker, mentions, out).state == "done"
    assert out.read_bytes() == before


def test_a_file_that_changes_while_it_is_linked_stops_it(
    tiny_linker: Linker, tmp_path: Path
) -> None:
    mentions = write(tmp_path / "a.jsonl", rows_of_mentions())
    task = LinkTask(mentions=mentions, output=tmp_path / "links.jsonl", columns=COLUMNS)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        job = submit_link_job(ledger, tiny_linker.fingerprint, task)
        write(mentions, rows_of_mentions(20))
        ended = work_on(ledger, job.id, tiny_linker, task)
        assert ended.state == "failed"
        assert "the file was changed" in (ended.error or "")
        smaller = tiny_linker.on(world())
        with pytest.raises(JobError, match="graph or its linker was changed"):
            work_on(ledger, job.id, smaller, task)


def test_a_base_without_pictures_is_linked_to(tiny_linker: Linker, tmp_path: Path) -> None:
    whole = world()
    plain = KnowledgeBase(entities=whole.entities, context=whole.context, edges=whole.edges)
    mentions = write(tmp_path / "a.jsonl", rows_of_mentions())
    report = run(tiny_linker.on(plain), mentions, tmp_path / "links.jsonl")
    assert report.state == "done"
    assert report.rows["linked"] > 20


def test_pictures_come_from_the_folder_or_the_row_and_from_nowhere_else(
    tiny_linker: Linker, tiny_encoders: Encoders, tmp_path: Path
) -> None:
    file = io.BytesIO()
    Image.fromarray(flag("PE")).resize((900, 600)).save(file, "PNG")
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "peru.png").write_bytes(file.getvalue())
    (tmp_path / "outside.png").write_bytes(file.getvalue())
    inline = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    named = {
        "peru.png": None,
        inline: None,
        "chile.png": "no such file",
        "../../outside.png": "outside the folder of the table",
        "http://169.254.169.254/latest/meta-data": "no host is allowed",
        "data:image/png;base64,AAAA": "not an image of PNG, JPEG, WEBP, GIF",
    }
    rows = [{"row": n, "words": "", "picture": name} for n, name in enumerate(named)]
    columns = MentionColumns(id="row", surface="words", image="picture")
    write(tmp_path / "in" / "deep" / "a.csv", rows)
    blind = Linker(tiny_linker.base, tiny_encoders, tiny_linker.trained)
    options = {"columns": columns, "shard_rows": 1}
    report = run(blind, tmp_path / "in", tmp_path / "links.jsonl", **options)
    assert (report.state, report.rows["failed"]) == ("done", 4)
    links = [json.loads(line) for line in (tmp_path / "links.jsonl").read_text().splitlines()]
    assert [link["reason"] for link in links[2:]] == [
        f"its picture cannot be opened: {reason}" for reason in list(named.values())[2:]
    ]
    (expected,) = tiny_linker.link([Mention(id="0", surface="", image="picture of PE")])
    for link in links[:2]:
        assert (link["state"], link["entity"]) == (expected.state, expected.entity)
    allowed = {**options, "allow_hosts": ("169.254.169.254",)}
    run(blind, tmp_path / "in", tmp_path / "links.jsonl", **allowed)
    links = [json.loads(line) for line in (tmp_path / "links.jsonl").read_text().splitlines()]
    assert links[4]["reason"].endswith("169.254.169.254 is no public address")


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08broken", b"PAR1 broken PAR1"])
def test_a_damaged_table_is_named(tiny_linker: Linker, tmp_path: Path, content: bytes) -> None:
    name = "a.jsonl.gz" if content.startswith(b"\x1f") else "a.parquet"
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordError, match=name):
        run(tiny_linker, tmp_path / name, tmp_path / "links.jsonl")
