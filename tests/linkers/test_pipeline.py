"""Linking jobs: rejects, failures, shards, kills and resumes; always the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from kg.errors import ConflictError, JobError, MappingError, RecordError, SettingError
from kg.formats.tables import TableFiles
from kg.ledger import Ledger
from kg.progress import silent
from linkers import Linker
from linkers.pipeline import LinkTask, run_link_job
from linkers.records import MentionColumns, mention_of
from linkers.shards import plan_shards
from tests.linkers.small_world import COUNTRIES, PICTURES

COLUMNS = MentionColumns(surface="words", context="text", image="picture", document="page")


def write_mentions(path: Path, count: int = 60) -> None:
    """Rows of pages of 1 to 5 rows, some broken, some with pictures."""
    names = [name for name, *_ in COUNTRIES.values()]
    page, left = 0, 0
    with path.open("w") as file:
        for number in range(count):
            if left == 0:
                page, left = page + 1, 1 + page % 5
            left -= 1
            name = names[number % len(names)]
            row: dict[str, object] = {
                "id": f"r{number}",
                "words": name,
                "page": f"p{page}",
                "text": f"Trade with {name} grew.",
                "start": 11,
                "end": 11 + len(name),
            }
            if number % 17 == 3:
                row |= {"words": "the country", "start": None, "end": None}
            if number % 13 == 5:
                row["picture"] = "picture of PE" if number % 2 else "no such picture"
            if number % 19 == 7:
                row["start"] = "eleven"
            file.write("not json\n" if number % 23 == 11 else json.dumps(row) + "\n")


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.fixture
def mentions(tmp_path: Path) -> Path:
    path = tmp_path / "mentions.jsonl"
    write_mentions(path)
    return path


def run(linker: Linker, mentions: Path, folder: Path, **options):
    progress = options.pop("progress", silent)
    settings = {"columns": COLUMNS, "output": folder / "links.jsonl"} | options
    task = LinkTask(mentions=mentions, rejects=folder / "rejects.jsonl", **settings)
    with Ledger(folder / "ledger.sqlite") as ledger:
        return run_link_job(linker, task, ledger=ledger, progress=progress)


def test_every_row_has_one_state_and_rejects_have_reasons(
    tiny_linker: Linker, mentions: Path, tmp_path: Path
) -> None:
    report = run(tiny_linker, mentions, tmp_path / "a", shard_rows=7)
    links = [json.loads(line) for line in lines_of(tmp_path / "a" / "links.jsonl")]
    rejects = [json.loads(line) for line in lines_of(tmp_path / "a" / "rejects.jsonl")]
    assert report.state == "done"
    assert report.rows["pending"] == 0
    assert sum(report.rows.values()) == len(links)
    assert report.rejects == len(rejects)
    assert len(links) + len(rejects) == 60
    for state in ("linked", "failed"):
        assert report.rows[state] == sum(link["state"] == state for link in links) > 0
    failed = next(link for link in links if link["state"] == "failed")
    assert failed["reason"] == "its picture cannot be opened"
    assert {(r["line"], r["column"]) for r in rejects} >= {(8, "start"), (12, None)}
    order = [int(link["mention"][1:]) for link in links]
    assert order == sorted(order)


def test_output_does_not_depend_on_the_size_of_shards(
    tiny_linker: Linker, mentions: Path, tmp_path: Path
) -> None:
    outputs = set()
    for rows in (1, 4, 1000):
        run(tiny_linker, mentions, tmp_path / str(rows), shard_rows=rows)
        folder = tmp_path / str(rows)
        outputs.add((folder / "links.jsonl").read_bytes() + (folder / "rejects.jsonl").read_bytes())
    assert len(outputs) == 1


def test_shards_never_cut_a_document(mentions: Path) -> None:
    shards = list(plan_shards(TableFiles.of(mentions), COLUMNS, rows=4))
    assert sum(shard["rows"] for shard in shards) == 60
    rows = [json.loads(line) if line.startswith("{") else {} for line in lines_of(mentions)]
    for one, other in pairwise(shards):
        assert one["last"] < other["first"]
        last, first = rows[one["last"] - 1].get("page"), rows[other["first"] - 1].get("page")
        assert last is None or last != first


def test_the_same_job_again_only_reads(
    tiny_linker: Linker, mentions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(tiny_linker, mentions, tmp_path, shard_rows=9)
    before = (tmp_path / "links.jsonl").read_bytes()
    monkeypatch.setattr(Linker, "link", None)
    assert run(tiny_linker, mentions, tmp_path, shard_rows=9) == first
    assert (tmp_path / "links.jsonl").read_bytes() == before


def test_a_key_belongs_to_one_submission(
    tiny_linker: Linker, mentions: Path, tmp_path: Path
) -> None:
    run(tiny_linker, mentions, tmp_path, key="k")
    run(tiny_linker, mentions, tmp_path, key="k")
    mentions.write_text(mentions.read_text() + '{"id": "new", "words": "Peru"}\n')
    with pytest.raises(ConflictError):
        run(tiny_linker, mentions, tmp_path, key="k")


def test_too_many_rejects_end_the_job(tiny_linker: Linker, mentions: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="could not be read"):
        run(tiny_linker, mentions, tmp_path, shard_rows=5, max_rejects=0.01)
    assert run(tiny_linker, mentions, tmp_path, shard_rows=5).state == "done"
    with pytest.raises(JobError, match="could not be read"):  # all was read by an earlier run
        run(tiny_linker, mentions, tmp_path, shard_rows=5, max_rejects=0.01)


def test_cancel_leaves_what_is_done_and_resume_finishes(
    tiny_linker: Linker, mentions: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    run(tiny_linker, mentions, whole, shard_rows=6)

    def cancel(done: int, total: int) -> None:
        if done > total // 2:
            with Ledger(tmp_path / "ledger.sqlite") as other:
                (job,) = other.jobs()
                if job.state == "running":
                    other.cancel(job.id)

    report = run(tiny_linker, mentions, tmp_path, shard_rows=6, progress=cancel)
    assert report.state == "cancelled"
    assert report.rows["pending"] > 0
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.resume(report.job)
    assert run(tiny_linker, mentions, tmp_path, shard_rows=6).state == "done"
    assert (tmp_path / "links.jsonl").read_bytes() == (whole / "links.jsonl").read_bytes()


KILLER = """
import json, sys
from dataclasses import asdict
from pathlib import Path
import torch
torch.set_num_threads(1)
from bench.link_kills import kill_at_random
from encoders import TinyImageEncoder, TinyTextEncoder
from linkers import Encoders, Linker
from linkers.pipeline import LinkTask
from tests.linkers.small_world import PICTURES, key, world
from tests.linkers.test_pipeline import COLUMNS
folder = Path(sys.argv[1])
base = world().without([key("IN"), key("IR")])
encoders = Encoders(text=TinyTextEncoder(dimension=32), image=TinyImageEncoder(side=4))
linker = Linker.load(folder / "model", base, encoders=encoders, pixels=PICTURES.get)
task = LinkTask(mentions=folder / "mentions.jsonl", output=folder / "links", columns=COLUMNS,
    shard_rows=2)
print(json.dumps(asdict(kill_at_random(linker, task, folder / "jobs", kills=5, seed=3))))
"""


def test_kills_of_four_workers_at_random_moments_lose_double_and_change_nothing(
    tiny_linker: Linker, mentions: Path, tmp_path: Path
) -> None:
    tiny_linker.save(tmp_path / "model")
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"},
    )
    report = json.loads(done.stdout)
    assert report["kills"] == 5
    assert report["jobs"] >= 1
    assert (report["differing"], report["lost"], report["doubled"]) == (0, 0, 0)
    run(tiny_linker, mentions, tmp_path / "here", shard_rows=50)
    for name in ("links", "rejects"):
        here = (tmp_path / "here" / f"{name}.jsonl").read_bytes()
        assert here == (tmp_path / "jobs" / "job-1" / name).read_bytes()


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"id": "a", "words": 1.5}, "words"),
        ({"id": "a", "words": "Peru", "start": 3}, "start"),
        ({"id": "a", "words": "Peru", "text": "Peru", "start": 0, "end": 9}, "start"),
        ({"id": "a", "words": "Peru", "text": "Peru", "start": True, "end": 1}, "start"),
        ({"words": "Peru"}, "id"),
        ({"id": "a"}, "words"),
        ({"id": "a", "words": "x" * 600}, "words"),
        ({"id": ["a"], "words": "Peru"}, "id"),
    ],
)
def test_a_bad_row_names_its_column(row: dict[str, object], column: str) -> None:
    with pytest.raises(RecordError) as caught:
        mention_of(row, COLUMNS, path="f", line=3)
    assert (caught.value.line, caught.value.column) == (3, column)


def test_whole_numbers_are_read_as_pandas_writes_them_where_a_column_has_gaps() -> None:
    row = {"id": 7.0, "words": "Peru", "text": "in Peru", "start": 3.0, "end": 7.0, "page": 2.0}
    found = mention_of(row, COLUMNS, path="f", line=1)
    assert (found.id, found.document, found.start, found.end) == ("7", "2", 3, 7)
    with pytest.raises(RecordError, match="not float"):
        mention_of({**row, "id": float("inf")}, COLUMNS, path="f", line=1)


def test_a_good_row() -> None:
    found = mention_of({"id": 7, "words": "Peru\ud800", "page": 3}, COLUMNS, path="f", line=1)
    assert (found.id, found.surface, found.document) == ("7", "Peru?", "3")


def test_columns_are_checked() -> None:
    with pytest.raises(MappingError):
        MentionColumns.of({"surfice": "x"})
    with pytest.raises(MappingError):
        MentionColumns(surface=None)
    assert MentionColumns.of({"surface": "name"}).surface == "name"


def test_settings_are_checked(tiny_linker: Linker, mentions: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError):
        run(tiny_linker, mentions, tmp_path, shard_rows=0)
    assert PICTURES
