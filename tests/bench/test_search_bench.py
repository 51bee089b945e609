"""The bench of search runs on a handful of entities, and its gains are the formulas."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

from api.search.blending import Blend
from bench.search import gains, measured
from bench.search_demo import measured as measured_on_the_demo
from bench.search_demo import page as demo_page
from bench.search_demo_sets import demo_test, demo_valid
from bench.search_fitting import fitted_blend
from bench.search_fusion import C, fused
from bench.search_graphs import emoji_sets, named_sets, vrd_set
from bench.search_lists import lists_of
from bench.search_page import page
from bench.search_sets import fb15k_sets, masked
from encoders import TinyTextEncoder
from kg.backends.memory import MemoryStore
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance

NAMES = [
    "Peru",
    "Chile",
    "Bolivia",
    "France",
    "Spain",
    "Germany",
    "Turkey",
    "Iran",
    "India",
    "Guinea",
    "Kenya",
    "Uganda",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with gzip.open(tmp_path / "entities.jsonl.gz", "wt", encoding="utf-8") as file:
        for n, name in enumerate(NAMES):
            row = {"key": f"/m/{n}", "label": name, "aliases": [f"{name}land", f"Old {name}"],
                   "description": f"{name} is country number {n} of a short list"}  # fmt: skip
            file.write(json.dumps(row) + "\n")
    with gzip.open(tmp_path / "train.tsv.gz", "wt", encoding="utf-8") as file:
        for n in range(1, len(NAMES)):
            file.write(f"/m/{n - 1}\t/near/by\t/m/{n}\n")
    return tmp_path


def test_gains_of_one_relevant_entity() -> None:
    ranked = [EntityKey(str(n)) for n in range(20)]
    assert gains(ranked, EntityKey("0")) == (1.0, 1.0)
    assert gains(ranked, EntityKey("2")) == (pytest.approx(1 / math.log2(4)), pytest.approx(1 / 3))
    assert gains(ranked, EntityKey("10")) == (0.0, pytest.approx(1 / 11))
    assert gains(ranked, EntityKey("x")) == (0.0, 0.0)


def test_masking_leaves_no_name() -> None:
    assert masked("Peru, in the Andes: Péru!", ["Peru"]) == "in the Andes"


def test_the_whole_bench_on_a_few_entities(folder: Path) -> None:
    sets = list(fb15k_sets(folder, 0))
    assert [one.name for one in sets] == ["facts", "prose", "names"]
    for one in sets:
        golds = {split: {q.gold for q in asked} for split, asked in one.queries.items()}
        assert not golds["valid"] & golds["test"]
    for asked in sets[0].queries["test"]:
        name = NAMES[int(asked.gold.rpartition("/")[2])]
        assert name not in asked.text
    rows = json.loads(json.dumps([*lists_of(sets, TinyTextEncoder(), None)]))
    rows += [{**row, "graph": "another"} for row in rows]
    blend, found = measured(rows)
    assert Blend.of_json(found["blend"]) == blend
    assert found["strangers"].keys() == {"FB15k-237", "another"}
    result = {"commit": "c", "date": "d", "machine": {"cores": 1}, "seed": 0, "constant": 5,
              "command": "x", **found}  # fmt: skip
    written = page(result)
    assert [row["kind"] for row in found["test"]] == ["facts", "names", "prose"] * 2
    for row in found["test"]:
        assert 0 <= row["scores"]["blended"]["mrr"] <= 1
        assert f"| {row['graph']} | {row['kind']} | {row['n']} |" in written
    on_the_demo = measured_on_the_demo(rows, blend)  # by what is shipped: nothing is fitted
    assert [row["kind"] for row in on_the_demo] == ["facts", "names", "prose"]
    assert "| prose |" in demo_page({**result, "test": on_the_demo})


def test_what_tells_the_answer_is_learnt() -> None:
    """Three entities each: the answer is the one that prose says most of, and not the nearest."""
    rows = []
    for n in range(30):
        keys = [f"{n}-{spot}" for spot in range(3)]
        fields = {"prose": [(keys[2], 9.0), (keys[0], 2.0)], "names": [(keys[0], 9.0)]}
        lists = {name: [] for name in ("picture", "facts", "neighbours")} | fields
        lists |= {"words": [(keys[0], 10.0), (keys[2], 9.0)], "meaning": [(keys[1], 0.9),
                  (keys[0], 0.2), (keys[2], 0.1)]}  # fmt: skip
        rows.append({"graph": "g", "set": "prose", "text": "two words", "gold": keys[2],
                     "lists": lists})  # fmt: skip
    learnt = fitted_blend(rows)
    assert learnt.prose > 0
    assert learnt.picture == learnt.neighbours == 0
    assert learnt.ranked("two words", rows[0]["lists"])[0][0] == "0-2"


def test_fusion_is_the_sum_of_reciprocal_ranks() -> None:
    lists = {"words": ["a", "b"], "meaning": ["c", "a"]}
    keys = {name: [EntityKey(k) for k in ks] for name, ks in lists.items()}
    assert fused(keys, {"words": 1.0, "meaning": 1.0}) == [
        ("a", 1 / (C + 1) + 1 / (C + 2)), ("c", 1 / (C + 1)), ("b", 1 / (C + 2)),
    ]  # fmt: skip
    assert fused(keys, {"words": 0.0, "meaning": 1.0})[0][0] == "c"


def _keep(path: Path, rows: list[dict[str, Any]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def test_names_with_a_letter_wrong_and_facts_of_one_alone(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "train.tsv.gz", "wt", encoding="utf-8") as file:
        for n in range(8):
            file.write(f"dbr:Person_{n:06}\tdbo:birthPlace\tdbr:Town_{n % 3}\n")
            file.write(f"dbr:Person_{n:06}\tdbo:party\tdbr:Party_{n // 3}\n")
    names, facts = named_sets(tmp_path, 0)
    asked = [one for of in names.queries.values() for one in of]
    assert any(one.text != one.gold.partition(":")[2].replace("_", " ") for one in asked)
    told = {one.gold: one.text for of in facts.queries.values() for one in of}
    assert len(told) == 8
    assert set(told["dbr:Person_000004"].split(", ")) == {"birth place Town 1", "party Party 1"}


def test_emoji_are_asked_for_in_other_languages_and_by_what_people_type(tmp_path: Path) -> None:
    rows = [
        {"entity_id": str(n), "name": f"face {n}", "annotation": f"face {n}", "tags": ["grin"],
         "subcategory": "face-smiling", "keywords": ["happy", f"joy{n}"]}
        for n in range(20)
    ]  # fmt: skip
    _keep(tmp_path / "emoji.jsonl.gz", rows)
    spoken = dict.fromkeys(("es", "de", "fi", "ru", "ja", "fr"), "Gesicht")
    _keep(
        tmp_path / "emoji_multilingual.jsonl.gz",
        [{"entity_id": row["entity_id"], "labels": spoken} for row in rows],
    )
    names, prose = emoji_sets(tmp_path, 0)
    assert {one.text for of in names.queries.values() for one in of} == {"Gesicht"}
    typed = {one.gold: one.text for of in prose.queries.values() for one in of}
    assert typed == {str(n): f"happy joy{n}" for n in range(20)}
    assert {edge.tail for edge in names.store.edges()} == {"group:face-smiling"}


def test_pictures_are_asked_for_by_what_stands_on_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.search_graphs.PICTURES", 12)
    (tmp_path / "vocabulary.json").write_text(
        json.dumps({"objects": ["dog", "mat"], "predicates": ["on"]})
    )
    row = {"labels": [0, 1], "boxes_xyxy": [[0, 0, 9, 9]] * 2, "triplets": [[0, 0, 1]] * 3}
    _keep(tmp_path / "train.jsonl.gz", [row] * 12)
    found = vrd_set(tmp_path, 0)
    asked = [one for of in found.queries.values() for one in of]
    assert len(asked) == 12
    assert {one.text for one in asked} == {"dog on mat, dog on mat, dog on mat"}
    parts = [one for one in found.store.entities() if one.part is not None]
    assert sorted(part.name for part in parts) == ["dog"] * 12 + ["mat"] * 12


def test_facts_of_the_demo_hold_for_one_country_alone_and_no_query_is_in_both_halves(
    tmp_path: Path,
) -> None:
    store = MemoryStore()
    keys = [EntityKey(f"country:{n}") for n in range(6)]
    tails = [EntityKey(f"language:{n}") for n in range(3)]
    store.upsert_entities(Entity(key=key, label="X", name=key.upper()) for key in (*keys, *tails))
    said = (Provenance(kind="asserted", source="a map"),)
    spoken = {0: "01", 1: "12", 2: "02", 3: "01", 4: "012", 5: "0"}
    store.upsert_edges(
        Edge(head=keys[n], relation="speaks", tail=tails[int(one)], provenance=said)
        for n, of in spoken.items()
        for one in of
    )
    mentions = [
        {"split": split, "group": "foreign", "mention": f"{split} {n}", "entity_id": str(n)}
        for n, split in enumerate(("train", "valid", "test", "test"))
    ]
    _keep(tmp_path / "mentions.jsonl.gz", mentions)
    _keep(
        tmp_path / "flag_descriptions.jsonl.gz",
        [{"entity_id": str(n), "description": f"a star; COUNTRY:{n}"} for n in range(6)],
    )
    _keep(
        tmp_path / "factbook.jsonl.gz",
        [{"entity_id": str(n), "background": "An old country by the sea"} for n in range(6)],
    )
    valid = demo_valid(store, tmp_path, tmp_path / "factbook.jsonl.gz", 0)
    test = {one.name: one.queries["test"] for one in demo_test(store, tmp_path, 0)}
    fitted_on = {one.name: one.queries["valid"] for one in valid}
    assert {one.text for one in fitted_on["names"]} == {"train 0", "valid 1"}
    assert {one.text for one in test["names"]} == {"test 2", "test 3"}
    facts = [*fitted_on["facts"], *test["facts"]]
    assert {one.gold for one in facts} == {keys[4]}  # all others share their pairs
    assert sorted(facts[0].text.split(", ")) == [f"speaks LANGUAGE:{n}" for n in range(3)]
    for kind in ("facts", "picture"):
        assert not {one.gold for one in fitted_on[kind]} & {one.gold for one in test[kind]}
    assert all(len(one.text.split()) == 3 for one in fitted_on["prose"])
