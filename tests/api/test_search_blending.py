"""How the lists of a search are made one order: the formula, and what is left out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.search.blending import BEHIND, LISTS, Blend, terms
from kg.model import EntityKey

NO_LISTS: dict[str, list[tuple[EntityKey, float]]] = {name: [] for name in LISTS}


def test_the_score_is_the_sum_that_its_docstring_gives() -> None:
    a, b, c = (EntityKey(key) for key in "abc")
    lists = {**NO_LISTS, "words": [(a, 8.0), (b, 4.0)], "names": [(a, 2.0)], "prose": [(b, 6.0)],
             "facts": [(a, 4.0), (b, 1.0)], "neighbours": [(b, 0.5), (a, 0.25)],
             "meaning": [(c, 0.9), (a, 0.5)]}  # fmt: skip
    learnt = Blend(prose=2.0, picture=5.0, neighbours=3.0, meaning=4.0, by_length=-1.0)
    cosine = 4 - math.log(3 / 5)
    assert dict(learnt.ranked("two words", lists)) == {
        a: pytest.approx(4 / 8 + 3 * (1 - 1 / 2) * (1 / 2) * (4 / 8) + cosine * 0.5),
        b: pytest.approx(6 / 8 + 2 * (6 / 8) * (6 / 8) + 3 * (1 / 2) * (1 / 8) + cosine * 0.5),
        c: pytest.approx(cosine * 0.9),
    }
    alone = dict(learnt.ranked("one", {**lists, "meaning": []}))
    assert alone == {
        a: pytest.approx(4 / 8),  # one word names nobody's neighbour
        b: pytest.approx(6 / 8 + 2 * (6 / 8) * (6 / 8)),
    }
    assert learnt.ranked("x", NO_LISTS) == []


@given(
    lists=st.fixed_dictionaries(
        {
            name: st.dictionaries(st.sampled_from("abcdef"), st.floats(0.01, 1), max_size=6)
            for name in LISTS
        }
    ),
    text=st.sampled_from(("one", "two words", "x " * 500)),
)
def test_only_what_meaning_alone_finds_far_behind_is_left_out_and_the_order_is_that_of_the_scores(
    lists: dict[str, dict[str, float]], text: str
) -> None:
    ranked = {
        name: [(EntityKey(key), score) for key, score in sorted(of.items(), key=lambda r: -r[1])]
        for name, of in lists.items()
    }
    found = Blend.packaged().ranked(text, ranked)
    meaning = lists["meaning"]
    far = {key for key, cosine in meaning.items() if cosine < max(meaning.values()) - BEHIND}
    by_words = {key for name, of in lists.items() if name != "meaning" for key in of}
    assert {key for key, _ in found} == by_words | (set(meaning) - far)
    assert len(found) == len({key for key, _ in found})
    assert found == sorted(found, key=lambda row: (-row[1], row[0]))
    keys, rows = terms(text, ranked)
    assert rows.shape[0] == len(keys) == len(by_words | set(meaning))
    weights = Blend.packaged().weights(text, ranked)
    assert set(weights) == set(LISTS)
    assert all(0 <= weight <= 1 for weight in weights.values())
    assert max(weights.values()) == 1
    again = Blend.of_json(json.loads(json.dumps(Blend.packaged().as_json())))
    assert again == Blend.packaged()


def test_a_field_that_holds_the_query_counts_more_than_one_that_holds_a_word_of_it() -> None:
    key = EntityKey("a")

    def weights(strong: str) -> Mapping[str, float]:
        scores = {"prose": 1.0, "picture": 1.0, strong: 9.0}
        lists = {name: [(key, score)] for name, score in scores.items()}
        return Blend.packaged().weights("a b c", {**NO_LISTS, **lists, "words": [(key, 10.0)]})

    assert weights("prose")["prose"] > weights("picture")["prose"]
    assert weights("picture")["picture"] > weights("prose")["picture"]
