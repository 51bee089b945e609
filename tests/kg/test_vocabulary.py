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


@given(
    names, st.lists(st.text(max_size=5)), st.integers(0, 3), st.integers(0, 20), st.integers(1, 4)
)
def test_a_vocabulary_over_ascending_names_is_the_same(words, asked, few, many, stride):
    words.sort()
    table = TextTable.of(words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kg.vocabulary, "FEW", few)  # so that all ways of looking up are taken
        patch.setattr(kg.vocabulary, "MANY", many)
        patch.setattr(kg.vocabulary, "STRIDE", stride)
        lazy, eager = Vocabulary.ascending(table), Vocabulary(words)
        assert list(lazy) == words
        for word in [*words, *asked]:
            assert lazy.get(word) == eager.get(word)
            assert (word in lazy) == (word in eager)


def test_of_very_many_names_few_are_read(monkeypatch):
    class Counting(tuple):
        read = 0

        def __getitem__(self, which):
            Counting.read += (
                len(range(*which.indices(len(self)))) if isinstance(which, slice) else 1
            )
            return super().__getitem__(which)

        def __iter__(self):
            raise AssertionError("all names were read")

    monkeypatch.setattr(kg.vocabulary, "MANY", 10_000)
    names = Counting(f"e{number:06d}" for number in range(50_000))
    vocabulary = Vocabulary.ascending(names)
    assert [vocabulary[f"e{number:06d}"] for number in range(3_000)] == list(range(3_000))
    assert Counting.read < 3_000 * 17
    Counting.read = 0
    assert vocabulary.get("e049999") == 49_999
    assert vocabulary.get("f") is vocabulary.get("") is vocabulary.get("e00001x") is None
    assert vocabulary.nearest("e049999x")[0] == "e049999"
    assert Counting.read < 3_000
