"""The bridge between keys and dense ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kg.vocabulary
from kg.errors import InputError
from kg.text_table import TextTable
from kg.vocabulary import Vocabulary

names = st.lists(st.text(max_size=5), unique=True, max_size=20)


@given(names)
def test_positions_and_names_are_inverse(words):
    vocabulary = Vocabulary(words)
    assert len(vocabulary) == len(words)
    assert list(vocabulary) == words == list(vocabulary.names)
    for position, word in enumerate(words):
        assert vocabulary[word] == vocabulary.get(word) == position
        assert vocabulary.name(position) == word
        assert word in vocabulary


def test_a_name_that_is_not_there():
    vocabulary = Vocabulary(["borders"])
    assert vocabulary.get("speaks") is None
    assert "speaks" not in vocabulary
    with pytest.raises(KeyError):
        vocabulary["speaks"]


@pytest.mark.parametrize("words", [["a", "a"], ["a", "b", "a", "b"]])
def test_a_name_that_stands_twice_is_refused(words):
    with pytest.raises(InputError, match="'a' stands twice"):
        Vocabulary(words)


def test_near_names_are_found_whatever_their_case():
    vocabulary = Vocabulary(["country:FR", "country:DE", "has_capital", "Speaks"])
    assert vocabulary.nearest("speeks") == ("Speaks",)
    assert vocabulary.nearest("COUNTRY:FR")[0] == "country:FR"
    assert vocabulary.nearest("zzz") == ()
    assert len(vocabulary.nearest("country:", count=1)) == 1


@given(names, st.lists(st.text(max_size=5)), st.integers(0, 3))
def test_a_vocabulary_over_ascending_names_is_the_same(words, asked, few):
    words.sort()
    table = TextTable.of(words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kg.vocabulary, "FEW", few)  # so that both ways of looking up are taken
        lazy, eager = Vocabulary.ascending(table), Vocabulary(words)
        assert list(lazy) == words
        for word in [*words, *asked]:
            assert lazy.get(word) == eager.get(word)
            assert (word in lazy) == (word in eager)
