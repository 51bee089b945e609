"""Parts of texts are found as rapidfuzz finds them, bit by bit."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from linkers.boosted.part_ratios import SpelledNames, part_ratios

FEW = st.text(alphabet="abc ", max_size=70)
MIXED = st.text(alphabet="ab é", max_size=40)


@settings(max_examples=60, deadline=None)
@given(names=st.lists(FEW | MIXED, min_size=1, max_size=6), texts=st.lists(FEW, min_size=1))
@example(names=["a" * 16, "ab" * 16, "a" * 17, "b" * 64, "c" * 65, ""], texts=["", "ab" * 40])
@example(names=["abc", "a"], texts=["xxab", "abc", "bc", "é" * 9 + "ab"])
def test_parts_are_those_of_rapidfuzz(names: list[str], texts: list[str]) -> None:
    which = np.repeat(np.arange(len(names)), len(texts))
    where = np.tile(np.arange(len(texts)), len(names))
    spelled = SpelledNames(names[:1])
    spelled.add(names[1:])
    found = part_ratios(spelled, which, texts, where)
    wanted = [fuzz.partial_ratio(name, text) for name in names for text in texts]
    np.testing.assert_array_equal(found, np.array(wanted, dtype=np.float32))


def test_no_pairs_have_no_ratios() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert part_ratios(SpelledNames([]), none, [], none).shape == (0,)
