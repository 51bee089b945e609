"""Texts cut into units: nothing lost, nothing twice, coarse ones made of fine ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.text_units import GRANULARITIES, PASSAGE, SENTENCE, THIRD, Granularity, units

TEXTS = st.lists(
    st.sampled_from(
        ("Dr. ", "U.S. ", "went. ", "ü! ", "東京。", "\n", "\r\n\r\n", "\n \n", "\f", "a", " ",
         "😀? ", "1.5 ", '"', "(", "B.C., ", "word " * 60, "x" * 400)
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(TEXTS, st.sampled_from(GRANULARITIES), st.none() | st.integers(1, 1200))
def test_units_hold_all_that_is_said_once_and_in_order(
    text: str, granularity: Granularity, room: int | None
) -> None:
    spans = units(text, granularity, room=room)
    assert all(0 <= a < b <= len(text) and text[a:b].strip() == text[a:b] for a, b in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())


@given(TEXTS, st.none() | st.integers(1, 1200))
def test_a_coarse_unit_is_made_of_whole_fine_ones(text: str, room: int | None) -> None:
    sentences = units(text, "sentence")
    assert all(b - a <= SENTENCE for a, b in sentences)
    begins, ends = {a for a, _ in sentences}, {b for _, b in sentences}
    limit = PASSAGE if room is None else min(PASSAGE, room // THIRD)
    for start, end in units(text, "passage", room=room):
        assert start in begins
        assert end in ends
        assert end - start <= limit or (start, end) in sentences
    pages = units(text, "page", room=room)
    whole = text.strip()
    if room is None or len(whole) <= room:
        assert [text[a:b] for a, b in pages] == ([whole] if whole else [])
    else:
        assert pages == units(text, "passage", room=room)


@pytest.mark.parametrize(
    ("text", "language", "sentences"),
    [
        ("Dr. Ito left the U.S. in 1960. She came back.", "en", 2),
        ("Er kam z. B. am 3. Mai. Sie ging.", "de", 2),
        ("Она ушла. Он остался!", "ru", 2),
        ("雨です。雪です。", "ja", 2),
        ("| Izmir | 12 |\n| Adana | 14 |", "en", 2),
    ],
)
def test_sentences_are_those_that_people_see(text: str, language: str, sentences: int) -> None:
    assert len(units(text, "sentence", language=language)) == sentences


def test_no_passage_goes_on_behind_a_blank_line() -> None:
    text = "One. Two.\n\nThree."
    assert [text[a:b] for a, b in units(text, "passage")] == ["One. Two.", "Three."]
