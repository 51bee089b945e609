"""Candidates of a mention: the first distinct ones of what each source proposes, in its order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encoders import TinyTextEncoder
from kg.model import EntityKey
from linkers.boosted import EntityTable, PooledTexts
from linkers.boosted.candidates import LIMIT, propose
from linkers.boosted.name_index import NameIndex
from linkers.model import Mention

NAMES = [("Peru",), ("PERU (ship)",), ("Chile",)] + [(f"Place {number}",) for number in range(140)]
ids = st.lists(st.integers(0, len(NAMES) - 1), max_size=70, unique=True)
sources = st.tuples(ids, ids, ids, ids, ids)


@pytest.fixture(scope="module")
def index() -> NameIndex:
    keys = tuple(EntityKey(f"Q{number}") for number in range(len(NAMES)))
    table = EntityTable(keys=keys, names=tuple(NAMES))
    return NameIndex(table, PooledTexts(TinyTextEncoder(dimension=8)))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.tuples(st.sampled_from(["Chile", "Peru", "no name"]), sources), min_size=1))
def test_the_first_distinct_of_all_sources_are_candidates(
    index: NameIndex, told: list[tuple[str, tuple[list[int], ...]]]
) -> None:
    mentions = [Mention(id="", surface=surface, context="in Peru") for surface, _ in told]
    near, named, heard, worded, meant = (
        [np.array(groups[source], dtype=np.int64) for _, groups in told] for source in range(5)
    )
    looks = replace(index.look(mentions), near=near, named=named, told=heard, worded=worded)
    counts = [{int(id_): 200 - place for place, id_ in enumerate(found)} for found in meant]
    nearly = [[142, 141]] * len(told)
    namesakes = {"Chile": {2}, "Peru": {0, 1}, "no name": set()}
    for row, found in enumerate(propose(index, mentions, looks, counts, nearly)):
        surface = mentions[row].surface
        order = [
            *meant[row][:16].tolist(), *namesakes[surface], *nearly[row], *near[row][:20].tolist(),
            *worded[row].tolist(), *named[row].tolist(), *heard[row].tolist(), *near[row].tolist(),
        ]  # fmt: skip
        assert found.tolist() == sorted(list(dict.fromkeys(order))[:LIMIT])
