"""Mentions that are broken: a reject each, and no output where there are too many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.engine import Engine
from api.steps.link import LinkJob, link_file
from api.workspace import Workspace
from kg.errors import ImageError, JobError


@pytest.mark.parametrize(
    "row",
    ["{}", '{"id": "2"}', '{"id": "2", "mention": ""}', "[1]", "{"],
)
def test_a_record_without_a_mention_is_a_reject(
    tiny_demo: Workspace, tmp_path: Path, row: str
) -> None:
    mentions = tmp_path / f"mentions-{abs(hash(row))}.jsonl"
    good = '{"id": "1", "mention": "Kazakhstan", "context": "Kazakhstan", "start": 0, "end": 10}'
    mentions.write_text(f"{good}\n{row}\n")
    with Engine(tiny_demo) as engine:
        outcome = link_file(engine, LinkJob(mentions=mentions, out=tmp_path / "links.jsonl"))
    assert outcome["rejects"] == 1
    (reject,) = map(json.loads, Path(outcome["rejects_file"]).read_text().splitlines())
    assert reject["line"] == 2
    assert reject["reason"]
    (link,) = (tmp_path / "links.jsonl").read_text().splitlines()
    assert json.loads(link)["mention"] == "1"


def test_too_many_rejects_end_a_link_job_and_leave_no_output(
    tiny_demo: Workspace, tmp_path: Path
) -> None:
    mentions = tmp_path / "empty-rows.jsonl"
    mentions.write_text("{}\n{}\n")
    job = LinkJob(mentions=mentions, out=tmp_path / "links.jsonl", max_rejects=0.0)
    with Engine(tiny_demo) as engine, pytest.raises(JobError, match="more than 0 rows"):
        link_file(engine, job)
    assert not job.out.exists()


def test_a_picture_in_a_link_job_that_cannot_be_read_is_told(
    tiny_demo: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    mentions = tmp_path / "pictured.jsonl"
    mentions.write_text('{"id": "1", "mention": "Kazakhstan", "image": "broken.png"}\n')
    job = LinkJob(mentions=mentions, out=tmp_path / "links.jsonl", columns={"image": "image"})
    with Engine(tiny_demo) as engine:
        link_file(engine, job)
        with pytest.raises(ImageError):
            engine.images.add(b"no picture", source="broken.png")
    (link,) = map(json.loads, (tmp_path / "links.jsonl").read_text().splitlines())
    assert link["state"] == "failed"
    assert "picture" in link["reason"]
