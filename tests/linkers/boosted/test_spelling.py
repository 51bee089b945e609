"""What is kept of comparisons of letters says what a fresh comparison says."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import TinyTextEncoder
from kg.model import EntityKey
from linkers.boosted import EntityTable, PooledTexts
from linkers.boosted.name_index import NameIndex
from linkers.boosted.spelling import SpellingLikeness
from linkers.model import Mention

NAMES = ("Peru", "Chile", "Chile (river)", "River Peru", "New Peru", "Stone of Chile", "Perú Norte")
INDEX = NameIndex(
    EntityTable(
        keys=tuple(EntityKey(f"Q{number}") for number in range(len(NAMES))),
        names=tuple((name,) for name in NAMES),
    ),
    PooledTexts(TinyTextEncoder(dimension=8)),
)
pairs = st.lists(
    st.tuples(
        st.sampled_from(("Peru", "chile", "Stone", "river")),
        st.sets(st.integers(0, len(INDEX.spelled.flat) - 1), min_size=1, max_size=4),
    ),
    max_size=4,
)


@settings(max_examples=25)
@given(st.lists(pairs, max_size=4), st.integers(1, 4))
def test_what_is_kept_is_what_a_fresh_comparison_says(
    blocks: list[list[tuple[str, set[int]]]], most: int
) -> None:
    kept = SpellingLikeness(INDEX.compared.names, INDEX.letters, most=most)
    for block in filter(None, blocks):
        surfaces = [surface for surface, _ in block]
        looks = INDEX.look([Mention(id="", surface=surface) for surface in surfaces])
        names = np.array([name for _, some in block for name in some], dtype=np.int64)
        where = np.repeat(np.arange(len(block)), [len(some) for _, some in block])
        fresh = SpellingLikeness(INDEX.compared.names, INDEX.letters, most=most)
        expected = fresh.of(surfaces, looks, names, where)
        np.testing.assert_array_equal(kept.of(surfaces, looks, names, where), expected)
