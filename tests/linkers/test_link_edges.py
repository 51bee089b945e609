"""Links written into the graph: one transaction a shard, the same graph however often it is run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kg.backends.memory import MemoryStore
from kg.errors import InputError, MappingError, MissingPartError, StoreTransientError
from kg.ledger import Ledger
from kg.model import EntityKey
from kg.store import Writer
from kg.upkeep.undo import Undo, undo
from linkers import Linker
from linkers.link_edges import LinkEdges
from linkers.pipeline import LinkReport, LinkTask, run_link_job
from linkers.records import MentionColumns
from linkers.review import Request, Review
from linkers.review.reading import read_cases
from tests.conformance.store_rules import content
from tests.linkers.small_world import world

EDGES = LinkEdges(head="country:{code}", relation="mentions")
ROWS = [
    ("PE", "Chile", "Chile grew."),
    ("CL", "Peru", "Peru grew."),
    ("CL", "Peru", "Peru again."),
    ("PE", "Peru", "Peru itself."),
    ("XX", "Bolivia", "nobody's page"),
    ("", "Bolivia", "no page"),
    ("FR", "Germany", ""),
    ("FR", "Zembla", "Zembla is a distant northern land."),
]


def filled() -> MemoryStore:
    store, base = MemoryStore(), world()
    store.upsert_entities([*base.entities, *base.context])
    store.upsert_edges(base.edges)
    return store


def task_in(folder: Path, **options: Any) -> LinkTask:
    folder.mkdir(parents=True, exist_ok=True)
    mentions = folder / "pages.csv"
    lines = [f'{n},{code},{words},"{text}"' for n, (code, words, text) in enumerate(ROWS)]
    mentions.write_text("\n".join(["id,code,mention,context", *lines]) + "\n")
    settings = {"edges": EDGES, "shard_rows": 3, "rejects": folder / "rejects.jsonl"} | options
    return LinkTask(mentions=mentions, output=folder / "links.jsonl", **settings)


def run(linker: Linker, store: MemoryStore | None, task: LinkTask) -> LinkReport:
    with Ledger(task.output.parent / "ledger.sqlite") as ledger:
        return run_link_job(linker, task, ledger=ledger, store=store)


def test_each_linked_row_makes_an_edge_that_says_where_it_stands(
    tiny_linker: Linker, tmp_path: Path
) -> None:
    store, task = filled(), task_in(tmp_path)
    report = run(tiny_linker, store, task)
    links = [json.loads(line) for line in task.output.read_text().splitlines()]
    assert [link["state"] for link in links[:7]] == ["linked"] * 7
    found = {(e.head, e.tail): e.provenance for e in store.edges(relation="mentions")}
    assert set(found) == {
        ("country:PE", "country:CL"),
        ("country:CL", "country:PE"),
        ("country:FR", "country:DE"),
    }
    twice = found["country:CL", "country:PE"]
    assert {(r.kind, r.source, r.locator, r.text, r.job) for r in twice} == {
        ("linked", "pages.csv", "mention 1", "Peru grew.", report.job),
        ("linked", "pages.csv", "mention 2", "Peru again.", report.job),
    }
    assert {record.probability for record in twice} == {link["probability"] for link in links[1:3]}
    assert (report.state, report.edges, report.without_edge, report.rejects) == ("done", 4, 2, 0)
    assert report.rows["pending"] == 0
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert [(r["line"], r["column"], r["reason"]) for r in rejects] == [
        (6, "code", "no edge: there is no entity 'country:XX'"),
        (7, "code", "missing"),
    ]


def test_an_edge_goes_with_the_document_of_its_mention(tiny_linker: Linker, tmp_path: Path) -> None:
    store, before = filled(), content(filled())
    columns = MentionColumns(document="code")
    run(tiny_linker, store, task_in(tmp_path, columns=columns))
    found = {r.derived_from for e in store.edges(relation="mentions") for r in e.provenance}
    assert found == {("PE",), ("CL",), ("FR",)}
    for document in ("PE", "CL", "FR"):
        undo(store, Undo(source=document))
    assert content(store) == before


def test_a_shard_that_was_written_but_not_marked_changes_nothing_when_done_again(
    tiny_linker: Linker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = filled()
    run(tiny_linker, whole, task_in(tmp_path))
    version = whole.version
    (tmp_path / "ledger.sqlite").unlink()
    run(tiny_linker, whole, task_in(tmp_path))
    assert whole.version == version
    (tmp_path / "ledger.sqlite").unlink()
    store = filled()
    complete = Ledger.complete
    for number in range(3):  # ended after the store's commit and before the ledger's

        def ends(ledger: Ledger, shard: Any, result: Any, number: int = number) -> None:
            if shard.number == number:
                raise KeyboardInterrupt
            complete(ledger, shard, result)

        monkeypatch.setattr(Ledger, "complete", ends)
        with pytest.raises(KeyboardInterrupt):
            run(tiny_linker, store, task_in(tmp_path))
    monkeypatch.undo()
    assert run(tiny_linker, store, task_in(tmp_path)).edges == 4
    assert content(store) == content(whole)


def test_a_shard_is_one_transaction_that_is_tried_again(
    tiny_linker: Linker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, begun = filled(), []
    transaction = store.transaction

    @contextmanager
    def busy() -> Iterator[Writer]:
        begun.append(1)
        with transaction() as writer:
            yield writer
            if len(begun) % 2:
                raise StoreTransientError("others write too")

    monkeypatch.setattr(store, "transaction", busy)
    assert run(tiny_linker, store, task_in(tmp_path)).state == "done"
    assert len(begun) == 2 * 2  # of the three shards one makes no edge
    monkeypatch.setattr("linkers.link_edges._NAP_S", 0.0)
    monkeypatch.setattr(store, "transaction", lambda: _always_busy())
    report = run(tiny_linker, store, task_in(tmp_path / "busy"))
    assert report.state == "failed"
    assert "others write too" in (report.error or "")


@contextmanager
def _always_busy() -> Iterator[Writer]:
    raise StoreTransientError("others write too")
    yield


def test_what_makes_no_edge_is_refused_before_anything_is_linked(
    tiny_linker: Linker, tmp_path: Path
) -> None:
    for head, relation in (("code", "no name"), ("code", ""), ("{", "r"), ("a{}", "r")):
        with pytest.raises(InputError):
            LinkEdges(head=head, relation=relation)
    missing = LinkEdges(head="page", relation="mentions")
    with pytest.raises(MappingError, match="no column 'page'"):
        run(tiny_linker, filled(), task_in(tmp_path, edges=missing))
    with pytest.raises(MissingPartError, match="no store"):
        run(tiny_linker, None, task_in(tmp_path))
    plain = LinkEdges(head="code", relation="mentions")
    report = run(tiny_linker, filled(), task_in(tmp_path, edges=plain, columns=MentionColumns()))
    assert (report.edges, report.without_edge) == (0, 7)


def test_a_decision_on_a_link_moves_the_edge_that_the_job_made(
    tiny_linker: Linker, tmp_path: Path
) -> None:
    store, task = filled(), task_in(tmp_path)
    run(tiny_linker, store, task)
    kept = list(store.edges(head=EntityKey("country:PE"), relation="mentions"))
    assert [edge.tail for edge in kept] == ["country:CL"]
    read = read_cases(task.output, mentions=task.mentions, columns=task.columns, states=("linked",))
    cases = {case.mention.id: case for case in read if case.mention is not None}
    review = Review(store, tmp_path / "decisions.jsonl")
    review.add([cases["0"]])
    meant = EntityKey("country:BO")
    review.decide(Request(kind="other", case=cases["0"].id, entity=meant, who="ada"))
    moved = list(store.edges(head=EntityKey("country:PE"), relation="mentions"))
    assert [edge.tail for edge in moved] == ["country:BO"]
    assert "linked" not in {record.kind for record in moved[0].provenance}
