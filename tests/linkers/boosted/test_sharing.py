"""Names that share most with a mention and its text: what loops find, a plain comparison says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkers.boosted.words import WordIndex, word_set

WORDS = ("the", "red", "river", "stone", "king", "of", "peru")
names = st.lists(st.sets(st.sampled_from(WORDS), min_size=1, max_size=4), min_size=1, max_size=12)
mentions = st.lists(
    st.tuples(
        st.sets(st.sampled_from((*WORDS, "unheard")), max_size=3), st.sets(st.sampled_from(WORDS))
    ),
    max_size=4,
)


@given(names, names, mentions, st.integers(1, 6))
def test_names_that_share_most_come_first(
    first: list[set[str]],
    added: list[set[str]],
    asked: list[tuple[set[str], set[str]]],
    count: int,
) -> None:
    index = WordIndex([" ".join(sorted(words)) for words in first])
    index.add([" ".join(sorted(words)) for words in added])
    held = [word_set(" ".join(words)) for words in (*first, *added)]
    own = [frozenset(mine) for mine, _ in asked]
    every = [frozenset(mine | around) for mine, around in asked]
    mass = np.array([index.mass_of(words) for words in own], dtype=np.float32)
    found = index.sharing(index.rows(own), index.rows(every), mass, count)
    assert len(found) == len(asked)
    for row, got in enumerate(found):
        scores = {
            name: sum(map(index.weight, words & every[row])) / sum(map(index.weight, words))
            + sum(map(index.weight, words & own[row])) / max(float(mass[row]), 1e-6)
            for name, words in enumerate(held)
            if words & every[row]
        }
        wanted = sorted(scores.values(), reverse=True)[:count]
        np.testing.assert_allclose([scores[name] for name in got.tolist()], wanted, rtol=1e-5)
        assert len(set(got.tolist())) == len(got)
