"""What people decided changes the next run; cases come from what a run wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from kg.backends.memory import MemoryStore
from kg.errors import RecordError
from kg.ledger import Ledger
from kg.model import Entity
from kg.store import Store
from linkers import Encoders, KnowledgeBase, Linker, Mention
from linkers.model import Link
from linkers.pipeline import LinkTask, run_link_job
from linkers.records import MentionColumns, link_line
from linkers.review import Request, Review, case_of
from linkers.review.memory import ReviewedLinker, load_reviewed, reviewed_fingerprint
from linkers.review.reading import read_cases
from tests.linkers.small_world import COUNTRIES, PICTURES, key, world

Opened = Callable[[], ReviewedLinker]


@pytest.fixture
def store() -> Store:
    base, found = world(), MemoryStore()
    found.upsert_entities([replace(e, images=()) for e in (*base.entities, *base.context)])
    found.upsert_edges(base.edges)
    return found


@pytest.fixture
def review(store: Store, tmp_path: Path) -> Review:
    return Review(store, tmp_path / "review.jsonl")


@pytest.fixture
def opened(tiny_linker: Linker, tiny_encoders: Encoders, store: Store, tmp_path: Path) -> Opened:
    """Open the linker as the next run does."""
    folder = tmp_path / "linker"
    tiny_linker.save(folder)

    def run() -> ReviewedLinker:
        base = KnowledgeBase.build(store.entities(), store.edges(), labels={"Country"})
        log = tmp_path / "review.jsonl"
        return load_reviewed(folder, base, log, encoders=tiny_encoders, pixels=PICTURES.get)

    return run


def mention(number: int, surface: str, text: str = "{} was named.") -> Mention:
    return Mention(id=f"m{number}", surface=surface, context=text.format(surface))


def test_without_decisions_it_is_the_trained_linker(opened: Opened, tiny_linker: Linker) -> None:
    linker = opened()
    mentions = [mention(1, "Peru"), mention(2, "Zzyzx")]
    assert linker.fingerprint == tiny_linker.on(linker.base).fingerprint
    assert linker.link(mentions) == tiny_linker.on(linker.base).link(mentions)


def test_a_decision_changes_the_next_run(review: Review, opened: Opened) -> None:
    first, later = mention(1, "Tawantinsuyu"), mention(2, "TAWANTINSUYU", "Gold from {} came.")
    linker = opened()
    before = linker.link([first, later])
    review.add([case_of(first, before[0])])
    (case,) = review.cases()
    review.decide(Request(kind="other", case=case.id, entity=key("PE"), who="ada"))
    again = opened()
    decided, learnt = again.link([first, later])
    assert (decided.state, decided.entity, decided.probability) == ("linked", key("PE"), 1.0)
    assert decided.reason == "decided by a person (decision 1)"
    chances = [
        {c.entity: c.probability for c in link.candidates}.get(key("PE"), 0.0)
        for link in (before[1], learnt)
    ]
    assert chances[1] > chances[0] + 0.2  # by the alias and by the prior
    assert learnt.entity == key("PE")
    assert learnt.reason is None
    signals = {c.entity: c.signals for c in learnt.candidates}[key("PE")]
    assert signals["normalised name"] == 1
    assert signals["prior"] == 0.25
    assert again.fingerprint != linker.fingerprint
    review.decide(Request(kind="undo", who="ada"))
    assert opened().link([first, later]) == before


def test_a_job_knows_the_linker_with_decisions_before_it_is_opened(
    review: Review, opened: Opened, tmp_path: Path
) -> None:
    asked = mention(1, "Peru")
    folder, log = tmp_path / "linker", tmp_path / "review.jsonl"
    linker = opened()
    assert reviewed_fingerprint(folder, linker.base, log) == linker.fingerprint
    review.add([case_of(asked, linker.link([asked])[0])])
    review.decide(Request(kind="reject", case=review.cases()[0].id, who="ada"))
    again = opened()
    assert reviewed_fingerprint(folder, again.base, log) == again.fingerprint != linker.fingerprint
    shown = again.showing(lambda _: None)
    assert shown.fingerprint == again.fingerprint
    assert shown.link([asked]) == again.link([asked])
    assert not shown.can_open(replace(asked, image="picture of PE"))
    assert again.can_open(replace(asked, image="picture of PE"))


def test_a_rejected_mention_is_nil_in_the_next_run(review: Review, opened: Opened) -> None:
    asked = mention(1, "Peru")
    (before,) = opened().link([asked])
    assert before.state == "linked"
    review.add([case_of(asked, before)])
    review.decide(Request(kind="reject", case=review.cases()[0].id, who="ada"))
    (after,) = opened().link([replace(asked, document="page 1")])
    assert (after.state, after.entity, after.nil_probability) == ("nil", None, 1.0)


def test_a_merged_entity_is_answered_by_the_one_that_stays(review: Review, opened: Opened) -> None:
    asked = mention(1, "Zzyzx")
    review.add([case_of(asked, opened().link([asked])[0])])
    case = review.cases()[0].id
    review.decide(Request(kind="other", case=case, entity=key("GW"), who="ada"))
    review.decide(Request(kind="merge", entity=key("GN"), keys=(key("GW"),), who="ada"))
    assert opened().link([asked])[0].entity == key("GN")


def test_a_new_entity_is_linked_to_at_once(review: Review, opened: Opened, store: Store) -> None:
    asked = mention(1, "Zembla")
    review.add([case_of(asked, opened().link([asked])[0])])
    made = Request(
        kind="new", case=review.cases()[0].id, key=key("ZE"), name="Zembla", label="Country",
        who="ada",
    )  # fmt: skip
    review.decide(made)
    assert isinstance(store.entity(key("ZE")), Entity)
    assert opened().link([mention(2, "Zembla", "The {} coast.")])[0].entity == key("ZE")


def test_cases_are_read_from_files(tiny_linker: Linker, tmp_path: Path) -> None:
    mentions = [mention(n, name) for n, (name, *_) in enumerate(COUNTRIES.values())]
    mentions += [mention(90, "Zzyzx"), mention(91, "the country")]
    links = tiny_linker.link(mentions)
    rows = tmp_path / "mentions.jsonl"
    names = {"id": "key", "surface": "words", "context": "text"}
    columns = MentionColumns(**names, start=None, end=None)
    rows.write_text(
        "not json\n"
        + "".join(
            json.dumps({names[k]: v for k, v in asdict(m).items() if k in names}) + "\n"
            for m in mentions
        )
    )
    out = tmp_path / "links.jsonl"
    out.write_bytes(b"".join(map(link_line, links)))
    everything = {"linked", "nil", "review"}
    found = list(read_cases(out, rows, columns=columns, states=everything))
    assert [case.mention for case in found] == mentions
    assert [case.entity for case in found] == [link.entity for link in links]
    some = list(read_cases(out, rows, columns=columns))
    assert {case.state for case in some} <= {"nil", "review"}
    assert some
    with pytest.raises(RecordError, match="no mention 'm0'"):
        list(read_cases(out, rows, states=everything))  # other columns: no mention is read
    with pytest.raises(RecordError, match="not a link"):
        list(read_cases(rows.with_name("other.jsonl"), None, states=everything))


def test_cases_are_read_from_tables_of_any_format(tiny_linker: Linker, tmp_path: Path) -> None:
    rows = tmp_path / "mentions.csv"
    rows.write_text("id,mention,context\n1,Zzyzx,\n2,Peru,Peru grew.\n3,the country,\n")
    task = LinkTask(mentions=rows, output=tmp_path / "links.parquet")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        run_link_job(tiny_linker, task, ledger=ledger)
        run_link_job(tiny_linker, replace(task, output=tmp_path / "links.jsonl"), ledger=ledger)
    everything = {"linked", "nil", "review"}
    found = list(read_cases(task.output, rows, states=everything))
    assert [case.mention.id for case in found] == ["1", "2", "3"]
    assert found == list(read_cases(tmp_path / "links.jsonl", rows, states=everything))


def test_tables_of_a_folder_may_each_count_from_one(tmp_path: Path) -> None:
    """A link belongs to the row of its own table, and its case names that table."""
    folder = tmp_path / "months"
    folder.mkdir()
    (folder / "a.csv").write_text("id,mention\n1,Peru\n2,Chile\n,no id\n")
    (folder / "b.csv").write_text("id,mention\n1,Zzyzx\n2,Quechua\n")
    out = tmp_path / "links.jsonl"
    states = ("linked", "review", "nil", "review")
    links = [
        Link(mention=name, state=state, entity=None, probability=0.5, nil_probability=0.5)  # type: ignore[arg-type]
        for name, state in zip("1212", states, strict=True)
    ]
    out.write_bytes(b"".join(map(link_line, links)))
    found = [(case.mention.surface, case.source) for case in read_cases(out, folder)]
    assert found == [("Chile", "a.csv"), ("Zzyzx", "b.csv"), ("Quechua", "b.csv")]


@pytest.fixture(autouse=True)
def _other(tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text('{"id": 1, "state": "linked"}\n')
