"""Proposed mappings: types are inferred, and what is proposed is a mapping that works."""

from __future__ import annotations

import gzip
import json
import tomllib
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.backends.memory import MemoryStore
from kg.errors import RecordError
from kg.images import ImageFolder
from kg.importing import ImportReport, import_mapping
from kg.ledger import Ledger
from kg.mapping_proposal import propose_mapping

PEOPLE = """id,name,born,height,alive,nicknames,name.last,city
1,Ada,1815,1.65,no,Countess;Lady,Byron,London
2,Bob,,1.8,yes,,Stone,London
3,Cid,1999,2,yes,C,Rock,
"""


def test_a_table_of_things_becomes_entities_that_are_imported_whole(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    text = propose_mapping(tmp_path / "people.csv")
    assert "# 2 of 3 rows, such as 1815" in text
    store, report = built(tmp_path, text)
    assert (report.entities, report.rejects) == (3, 0)
    ada = store.entity("people:1")
    assert (ada.label, ada.name) == ("People", "Ada")
    assert ada.attributes == {
        "born": 1815,
        "height": 1.65,
        "alive": False,
        "nicknames": ("Countess", "Lady"),
        "name_last": "Byron",
        "city": "London",
    }


def test_a_table_with_two_ends_becomes_edges(tmp_path: Path) -> None:
    rows = [{"from": "a", "to": "b", "type": "near", "km": 2}, {"from": "b", "to": "c", "km": 2.5}]
    path = tmp_path / "roads.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    edges = tomllib.loads(propose_mapping(path))["edges"][0]
    assert (edges["head"], edges["relation"], edges["tail"]) == ("{from}", "{type}", "{to}")
    assert edges["attributes"] == {"km": {"path": "km", "type": "float"}}
    (tmp_path / "knows.csv").write_text("who,whom\na,b\n")
    assert tomllib.loads(propose_mapping(tmp_path / "knows.csv"))["edges"][0]["relation"] == "knows"


def built(folder: Path, mapping: str) -> tuple[MemoryStore, ImportReport]:
    """Import what a mapping says."""
    (folder / "graph.toml").write_text(mapping)
    store = MemoryStore()
    with Ledger(folder / "ledger.sqlite") as ledger:
        report = import_mapping(
            store,
            folder / "graph.toml",
            ledger=ledger,
            images=ImageFolder(folder / "images"),
            rejects=folder / "rejects",
        )
    return store, report


def test_what_a_proposal_leaves_out_or_cannot_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "ships.csv").write_bytes(
        b"IMO No.,name,a{b\n1,Kraken,x\n2,\xff,y\n3,Star\n4,Sea,z\n"
    )
    text = propose_mapping(tmp_path / "ships.csv")
    assert "# left out: 'a{b', nested or with a name that no mapping can say" in text
    assert "# 2 of 4 rows cannot be read, the first in line 3: " in text
    store, report = built(tmp_path, text)
    assert report.rejects == 2
    assert [one.name for one in store.entities()] == ["Kraken", "Sea"]


def test_a_list_of_edges_is_a_whole_graph_by_what_is_proposed(tmp_path: Path) -> None:
    (tmp_path / "edges.csv").write_text("source;target;relation\na;b;part of\nb;c;is-a (kind)\n")
    mapping = propose_mapping(tmp_path / "edges.csv")
    assert 'delimiter = ";"' in mapping
    store, report = built(tmp_path, mapping)
    assert report.rejects == 0
    assert [one.key for one in store.entities()] == ["a", "b", "c"]
    assert [one.key for one in store.edges()] == [("a", "part_of", "b"), ("b", "is_a__kind_", "c")]


def test_parquet_of_pandas_is_a_table_like_any_other(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            "name": ["Ada", "Bob"],
            "born": pd.to_datetime(["1815-12-10", None]),
            "kids": pd.array([3, None], dtype="Int64"),
            "tags": [["a", "b"], None],
            "price": [Decimal("2.50"), Decimal("3.00")],
        }
    )
    frame.to_parquet(tmp_path / "people.parquet")
    store, report = built(tmp_path, propose_mapping(tmp_path / "people.parquet"))
    assert (report.entities, report.rejects) == (2, 0)
    ada, bob = store.entities()
    assert dict(ada.attributes) == {
        "born": "1815-12-10T00:00:00",
        "kids": 3,
        "tags": ("a", "b"),
        "price": 2.5,
    }
    assert dict(bob.attributes) == {"price": 3.0}


def test_what_is_no_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such file"):
        propose_mapping(tmp_path / "none.csv")
    (tmp_path / "text.txt").write_text("a")
    with pytest.raises(RecordError, match="tells no format"):
        propose_mapping(tmp_path / "text.txt")
    (tmp_path / "empty.csv").write_text("a,b\n")
    with pytest.raises(RecordError, match="no row that can be read"):
        propose_mapping(tmp_path / "empty.csv")
    (tmp_path / "same.csv").write_text("a,b\n1,1\n1,1\n")
    with pytest.raises(RecordError, match="no column whose values could be keys"):
        propose_mapping(tmp_path / "same.csv")


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=6),
        st.one_of(st.text(max_size=6), st.integers(), st.booleans(), st.none()),
        max_size=4,
    )
)
def test_whatever_columns_there_are_the_proposal_is_toml(
    tmp_path_factory: pytest.TempPathFactory, row: dict[str, object]
) -> None:
    path = tmp_path_factory.mktemp("table") / "table.jsonl"
    path.write_text(json.dumps({"id": "1", **row}) + "\n")
    tomllib.loads(propose_mapping(path))
