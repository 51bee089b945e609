"""`umbra link run` on tables with several processes, and `umbra jobs`, as a user meets them."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pyarrow import parquet

from api.engine import Engine
from api.settings import load_settings
from api.steps.job_edges import EdgeJobs
from api.steps.link import LinkJob, link_file
from api.steps.open_linker import LinkerChoice
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.errors import MissingPartError
from kg.files import write_json
from kg.ledger import Ledger
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.withdrawal import Withdrawal
from tests.api.command_line import Shown, parsed, umbra
from tests.conformance.store_rules import content

pytestmark = pytest.mark.timeout(300)


def table(tiny_data: Path, path: Path, *, picture: str = "") -> Path:
    """Write the tiny demo's mentions as CSV, with columns of other names."""
    with gzip.open(tiny_data / "mentions.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "country", "sentence", "first", "last", "picture", "page"])
        for number, row in enumerate(rows):
            place = (row.get("start"), row.get("end"))
            shown = picture if number == 2 else ""
            writer.writerow([row["id"], row["mention"], row["context"], *place, shown, "KZ"])
    return path


def command(workspace: Workspace, mentions: Path, *more: object) -> tuple[object, ...]:
    columns = ("id=row", "surface=country", "context=sentence", "start=first", "end=last")
    pairs = [part for column in columns for part in ("--map", column)]
    return ("link", "run", mentions, *pairs, "--folder", workspace.folder, *more)


def test_several_processes_link_a_csv_into_parquet_as_one_does(
    tiny_demo: Workspace, tiny_data: Path, tmp_path: Path, capsys: Shown
) -> None:
    mentions = table(tiny_data, tmp_path / "table.csv")
    alone = parsed(capsys, *command(tiny_demo, mentions, "--out", tmp_path / "alone.parquet"))
    several = ("--out", tmp_path / "links", "--format", "parquet", "--shard-rows", 4)
    into = ("--write-graph", "--head", "country:{page}", "--relation", "mentions")
    with Engine(tiny_demo) as engine:
        before = content(engine.store)
    together = parsed(capsys, *command(tiny_demo, mentions, *several, *into, "--workers", 2))
    assert together["job"] != alone["job"]
    assert (alone["state"], together["state"]) == ("done", "done")
    assert together["linked"] == alone["linked"] > 0
    assert (tmp_path / "links").read_bytes() == (tmp_path / "alone.parquet").read_bytes()
    rows = parquet.read_table(tmp_path / "links").to_pylist()
    assert len(rows) > 30
    with Engine(tiny_demo) as engine:
        edges = list(engine.store.edges(relation="mentions"))
        records = engine.store.withdraw(Withdrawal(job=together["job"]))
        assert content(engine.store) == before  # the graph is shared with other tests
    linked = [row["entity"] for row in rows if row["state"] == "linked"]
    assert {edge.head for edge in edges} == {"country:KZ"}
    assert {edge.tail for edge in edges} == set(linked) - {"country:KZ"}
    assert records == together["edges"] == sum(entity != "country:KZ" for entity in linked)


def test_a_job_is_paused_resumed_cancelled_and_retried_by_name(
    tiny_demo: Workspace, tiny_data: Path, tmp_path: Path, capsys: Shown
) -> None:
    folder = ("--folder", tiny_demo.folder)
    mentions = table(tiny_data, tmp_path / "steered.csv", picture="none.png")
    with mentions.open("a") as file:
        file.write("only,two\n")
    run = command(tiny_demo, mentions, "--map", "image=picture", "--out", tmp_path / "links.jsonl")
    code, _, told = umbra(capsys, *run, "--max-rejects", 0)
    assert (code, "could not be read" in told) == (3, True)
    job = parsed(capsys, "jobs", "list", "--kind", "link", *folder)[0]["job"]
    assert parsed(capsys, "jobs", "pause", job, *folder)["state"] == "paused"
    code, out, told = umbra(capsys, *run, "--json")
    assert (code, json.loads(out)["state"]) == (1, "paused")
    assert "Next: umbra jobs" in told
    assert parsed(capsys, "jobs", "resume", job[:-3], *folder)["state"] == "running"
    assert parsed(capsys, *run)["state"] == "done"
    shown = parsed(capsys, "jobs", "show", job, *folder)
    assert shown["records_by_state"]["failed"] == shown["records_by_state"]["rejects"] == 1
    assert shown["parameters"]["files"][0][0] == "steered.csv"
    Image.new("RGB", (30, 20), "red").save(tmp_path / "none.png")
    assert parsed(capsys, "jobs", "retry", job, "--failed", *folder)["shards_freed"] == 1
    assert parsed(capsys, "jobs", "cancel", job, *folder)["state"] == "cancelled"
    assert parsed(capsys, *run, code=1)["state"] == "cancelled"
    assert parsed(capsys, "jobs", "resume", job, *folder)["state"] == "running"
    again = parsed(capsys, *run)
    assert (again["state"], again["failed"]) == ("done", 0)
    assert umbra(capsys, "jobs", "pause", job, *folder)[0] == 3
    assert umbra(capsys, "jobs", "show", "link-", *folder)[0] in (0, 2)
    assert umbra(capsys, "jobs", "show", "none", *folder)[0] == 3
    assert job in umbra(capsys, "jobs", "list", *folder)[1]


def test_pictures_that_are_broken_or_hostile_are_named(
    tiny_demo: Workspace, tmp_path: Path, capsys: Shown
) -> None:
    picture = tmp_path / "whole.png"
    Image.new("RGB", (30, 20), "red").save(picture)
    (tmp_path / "cut.png").write_bytes(picture.read_bytes()[:-30])
    (tmp_path / "text.png").write_text("no picture")
    reasons = {
        "whole.png": None,
        "cut.png": "broken",
        "text.png": "not an image",
        "../../etc/passwd": "outside the folder",
        "file:///etc/passwd": "not read by file:",
        "http://elsewhere.test/a.png": "elsewhere.test",
        "http://169.254.169.254/latest/meta-data": "no public address",
        "http://127.0.0.1:7687/": "port 7687, is not allowed",
    }
    mentions = tmp_path / "pictures.jsonl"
    rows = [{"id": str(n), "mention": "", "image": name} for n, name in enumerate(reasons)]
    mentions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out, hosts = tmp_path / "links.jsonl", ("169.254.169.254", "127.0.0.1")
    allowed = [part for host in hosts for part in ("--allow-host", host)]
    columns = ("--map", "surface=mention", "--map", "image=image")
    run = ("link", "run", mentions, *columns, "--out", out, *allowed)
    report = parsed(capsys, *run, "--folder", tiny_demo.folder)
    assert (report["state"], report["failed"]) == ("done", len(reasons) - 1)
    links = [json.loads(line) for line in out.read_text().splitlines()]
    for link, (name, reason) in zip(links, reasons.items(), strict=True):
        assert (link["state"] == "failed") == (reason is not None), name
        assert reason is None or reason in link["reason"], link["reason"]


def test_a_linker_trained_elsewhere_links_to_any_graph(
    tiny_demo: Workspace, tmp_path: Path
) -> None:
    mentions = tmp_path / "rivers.tsv"
    mentions.write_text("id\tmention\n1\tRhine\n2\tThe Danube\n3\tBasel\n")
    store = MemoryStore()
    store.upsert_entities(
        Entity(key=EntityKey(f"{label}:{name}"), label=label, name=name)
        for label, name in (("River", "Rhine"), ("River", "Danube"), ("City", "Basel"))
    )
    workspace, settings = Workspace(tmp_path / ".umbra"), load_settings(tiny_demo.settings)
    found = {}
    for label in (None, "River"):
        out = tmp_path / f"{label}.jsonl"
        choice = LinkerChoice(folder=tiny_demo.folder, label=label)
        with Engine(workspace, settings=settings, store=store) as engine:
            link_file(engine, LinkJob(mentions=mentions, out=out, linker=choice))
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        assert rows[0]["candidates"][0]["entity"] == "River:Rhine"
        found[label] = {one["entity"] for row in rows for one in row["candidates"]}
    assert found["River"] == {"River:Rhine", "River:Danube"}
    assert found[None] == found["River"] | {"City:Basel"}
    nothing = LinkJob(mentions=mentions, out=out, linker=LinkerChoice(folder=tmp_path / "none"))
    with (
        Engine(workspace, settings=settings, store=store) as engine,
        pytest.raises(MissingPartError, match="none"),
    ):
        link_file(engine, nothing)


def test_edges_of_a_job_on_the_graph_of_before_go(tiny_demo: Workspace, tmp_path: Path) -> None:
    """A changed graph is a new job; its links take the place of those of the job before it."""
    mentions = tmp_path / "ports.tsv"
    mentions.write_text("id\tmention\tport\n1\tRhine\tcity:B\n2\tDanube\tcity:V\n")
    store = MemoryStore()
    names = {"river:R": "Rhine", "river:D": "Danube", "city:B": "Basel", "city:V": "Vienna"}
    store.upsert_entities(
        Entity(key=EntityKey(key), label=key.split(":")[0].title(), name=name)
        for key, name in names.items()
    )
    workspace, settings = Workspace(tmp_path / ".umbra"), load_settings(tiny_demo.settings)
    job = LinkJob(
        mentions=mentions, out=tmp_path / "links.jsonl", edges=("port", "on"),
        linker=LinkerChoice(folder=tiny_demo.folder, label="River"),
    )  # fmt: skip

    def linked(task: LinkJob = job) -> tuple[dict[str, Any], set[tuple[str, str]], set[str | None]]:
        with Engine(workspace, settings=settings, store=store) as engine:
            outcome = link_file(engine, task)
        edges = list(store.edges(relation="on"))
        jobs = {record.job for edge in edges for record in edge.provenance}
        return outcome, {(edge.head, edge.tail) for edge in edges}, jobs

    first, edges, jobs = linked()
    assert (edges, jobs) == ({("city:B", "river:R"), ("city:V", "river:D")}, {first["job"]})
    before = content(store)
    (rhine,) = (row for row in store.entities("River") if row.name == "Rhine")
    store.delete_entities([rhine.key])
    moved = Entity(key=EntityKey("river:Rhine"), label="River", name="Rhine")
    store.upsert_entities([moved])
    second, edges, jobs = linked()
    assert second["job"] != first["job"]
    assert (edges, jobs) == ({("city:B", "river:Rhine"), ("city:V", "river:D")}, {second["job"]})
    assert second["records_of_earlier_jobs_taken_back"] == 1  # the other edge went with its end
    assert linked()[0] == second | {"records_of_earlier_jobs_taken_back": 0}
    other = replace(job, edges=("port", "near"))  # another relation is another command
    linked(other)
    assert linked()[2] == {second["job"]}
    # the graph of before is the first job again: done long ago, but its edges are gone
    store.delete_entities([moved.key])
    store.upsert_entities([rhine])
    again, edges, jobs = linked()
    assert again["job"] == first["job"]
    assert (edges, jobs) == ({("city:B", "river:R"), ("city:V", "river:D")}, {first["job"]})
    near = {edge.key for edge in store.edges(relation="near")}
    assert content(store)[0] == before[0]
    assert {edge.key for edge in content(store)[1]} - near == {edge.key for edge in before[1]}


def test_a_job_that_was_killed_halfway_is_taken_back_by_the_next(tmp_path: Path) -> None:
    store = MemoryStore()
    records = [Provenance(kind="linked", source="a.csv", job=f"link-{n}") for n in range(3)]
    ends = [EntityKey("a"), EntityKey("b"), EntityKey("c")]
    store.upsert_entities(Entity(key=key, label="X", name=key) for key in ends)
    store.upsert_edges(
        Edge(head=ends[0], relation="r", tail=tail, provenance=(record,))
        for tail, record in zip((ends[1], ends[2], ends[1]), records, strict=True)
    )
    jobs = EdgeJobs.of(tmp_path, tmp_path / "a.csv", {"surface": "x"}, ("id", "r"))
    others = (
        EdgeJobs.of(tmp_path, tmp_path / "b.csv", {"surface": "x"}, ("id", "r")),
        EdgeJobs.of(tmp_path, tmp_path / "a.csv", {"surface": "y"}, ("id", "r")),
    )
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        for number in range(3):  # the first two ended before they were done
            ledger.submit("link", {"n": number}, [{}])
            jobs.begin(ledger, ledger.submit("link", {"n": number}, [{}]).id)
    assert len(jobs.jobs) == 3
    assert all(other.path != jobs.path and other.jobs == () for other in others)
    write_json(jobs.path, {"format": 1, "jobs": ["link-0", "link-1", "link-2"]})
    assert jobs.end("link-2", store) == 2
    assert [(edge.tail, edge.provenance) for edge in store.edges()] == [("b", (records[2],))]
    assert jobs.jobs == ("link-2",)
    assert jobs.end("link-2", store) == 0


def test_jobs_of_an_empty_folder_are_told_and_nothing_is_made(
    tmp_path: Path, capsys: Shown
) -> None:
    code, out, told = umbra(capsys, "jobs", "list", "--folder", tmp_path / ".umbra")
    assert (code, out) == (3, "")
    assert "no jobs here" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--workers", 0), 2),
        (("--shard-rows", 0), 2),
        (("--map", "surfice=country"), 2),
        (("--map", "surface=contry"), 2),
        (("--out", "/dev/null"), 3),
        (("--write-graph", "--head", "page"), 2),
        (("--relation", "mentions"), 2),
        (("--write-graph", "--head", "none", "--relation", "mentions"), 2),
        (("--allow-host", "http://example.org/"), 2),
    ],
)
def test_wrong_settings_are_refused_in_one_line(
    tiny_demo: Workspace,
    tiny_data: Path,
    tmp_path: Path,
    capsys: Shown,
    arguments: tuple[object, ...],
    code: int,
) -> None:
    mentions = table(tiny_data, tmp_path / "table.csv")
    found, out, told = umbra(capsys, *command(tiny_demo, mentions, *arguments))
    assert (found, out) == (code, "")
    assert told.count("\n") == 1
