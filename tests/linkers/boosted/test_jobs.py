"""The boosted linker where any linker is used: jobs, texts, decisions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from encoders import TinyTextEncoder
from kg.backends.memory import MemoryStore
from kg.ledger import Ledger
from kg.model import Entity, EntityKey
from linkers import KnowledgeBase, Mention
from linkers.boosted import (
    BoostedLinker,
    EntityTable,
    PooledTexts,
    RankerConfig,
    TreeConfig,
    load_linker,
    save_linker,
)
from linkers.documents import link_text
from linkers.mention_sets import MentionSet, read_entity_table, read_mention_set
from linkers.pipeline import LinkTask, run_link_job
from linkers.protocols import MentionLinker
from linkers.records import MentionColumns
from linkers.review import Request, Review, case_of
from linkers.review.memory import load_reviewed_boosted, reviewed_boosted_fingerprint
from tests.linkers.boosted.made_world import entities, mentions, write

TREES = RankerConfig(trees=TreeConfig(trees=20))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> EntityTable:
    folder = tmp_path_factory.mktemp("entities")
    return read_entity_table(write(folder / "entities.jsonl", entities()))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> MentionSet:
    folder = tmp_path_factory.mktemp("mentions")
    return read_mention_set(write(folder / "mentions.jsonl", mentions()))


@pytest.fixture(scope="module")
def saved(table: EntityTable, known: MentionSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    train, valid = known.part("train"), known.part("valid")
    linker = BoostedLinker.train(
        table,
        PooledTexts(TinyTextEncoder()),
        (train.mentions, train.gold),
        valid=(valid.mentions, valid.gold),
        config=TREES,
    )
    folder = tmp_path_factory.mktemp("linker")
    save_linker(linker, folder)
    return folder


def opened(saved: Path, table: EntityTable) -> BoostedLinker:
    return load_linker(saved, table, PooledTexts(TinyTextEncoder()))


def run(linker: MentionLinker, path: Path, folder: Path, *, rows: int) -> list[dict[str, object]]:
    columns = MentionColumns(document="caption_id", image="picture")
    task = LinkTask(mentions=path, output=folder / "links.jsonl", columns=columns, shard_rows=rows)
    with Ledger(folder / "ledger.sqlite") as ledger:
        assert run_link_job(linker, task, ledger=ledger).state == "done"
    return [json.loads(line) for line in (folder / "links.jsonl").read_text().splitlines()]


def test_a_job_links_by_it_whatever_the_shards(
    saved: Path, table: EntityTable, tmp_path: Path
) -> None:
    rows = [{**row, "picture": "none.png"} for row in mentions(90, seed=5)]
    rows.append({"id": "bare", "mention": "", "context": "", "picture": "none.png"})
    path = write(tmp_path / "m.jsonl", rows)
    linker = opened(saved, table)
    outputs = set()
    for size in (7, 1000):
        links = run(linker, path, tmp_path / str(size), rows=size)
        outputs.add((tmp_path / str(size) / "links.jsonl").read_bytes())
    assert len(outputs) == 1
    gold = {row["id"]: row.get("entity_id") for row in rows}
    right = sum(link["entity"] == gold[link["mention"]] for link in links[:-1])
    assert right > 60
    assert (links[-1]["state"], links[-1]["reason"]) == ("nil", "no candidate")


def test_the_fingerprint_is_known_before_it_is_opened(
    saved: Path, table: EntityTable, tmp_path: Path
) -> None:
    log, texts = tmp_path / "log.jsonl", PooledTexts(TinyTextEncoder())
    early = reviewed_boosted_fingerprint(saved, table, log, texts.encoder)
    assert early == load_reviewed_boosted(saved, table, log, texts).fingerprint
    assert early == opened(saved, table).fingerprint
    assert early != opened(saved, table.without(["Q10"])).fingerprint


def test_decisions_are_answers_and_teach(saved: Path, table: EntityTable, tmp_path: Path) -> None:
    log, texts = tmp_path / "log.jsonl", PooledTexts(TinyTextEncoder())
    asked = Mention(id="1", surface="Zyx", context="Zyx left the harbour of Arden.")
    before = load_reviewed_boosted(saved, table, log, texts)
    (link,) = before.link([asked])
    store = MemoryStore()
    store.upsert_entities(
        Entity(key=key, label="Thing", name=names[0])
        for key, names in zip(table.keys, table.names, strict=True)
    )
    review = Review(store, log)
    review.add([case_of(asked, link)])
    case = review.cases()[0].id
    review.decide(Request(kind="other", case=case, entity=EntityKey("Q901"), who="ada"))
    after = load_reviewed_boosted(saved, table, log, texts)
    (decided, alike) = after.link(
        [asked, Mention(id="2", surface="Zyx", context="Once more Zyx was seen.")]
    )
    assert (decided.state, decided.entity, decided.probability) == ("linked", "Q901", 1.0)
    assert "Q901" in {candidate.entity for candidate in alike.candidates}
    assert after.fingerprint != before.fingerprint
    assert after.fingerprint == reviewed_boosted_fingerprint(saved, table, log, texts.encoder)


def test_it_links_the_mentions_of_a_text(saved: Path, table: EntityTable) -> None:
    linker = opened(saved, table)
    found = link_text(linker, "The road to Arden was closed. BELMONT too.")
    assert [one.mention.surface for one in found] == ["Arden", "BELMONT"]
    (alone,) = link_text(linker, "The road to Arden was closed.")
    assert alone.link.candidates[0].entity == "Q10"


def test_a_graph_is_a_table_too(saved: Path) -> None:
    base = KnowledgeBase.build(
        [Entity(key=EntityKey("c:PE"), label="Country", name="Peru", aliases=("Perú",))]
    )
    table = EntityTable.of_base(base)
    assert (table.keys, table.notes) == (("c:PE",), ("Country.",))
    (link,) = opened(saved, table).link([Mention(id="1", surface="Peru", context="Off Peru.")])
    assert link.candidates[0].entity == "c:PE"
