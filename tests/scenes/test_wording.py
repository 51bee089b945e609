from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenes.lexicon import COLOURS, LABELS, NOUNS, tokens
from scenes.phrasing import DESCRIBED_PREDICATES
from scenes.wording import read_description


def said(text: str) -> list[tuple[str, tuple[str, ...], int]]:
    return [(m.label, m.colours, m.count) for m in read_description(text).mentions]


def relations(text: str) -> set[tuple[str, str, str]]:
    read = read_description(text)

    def name(number: int) -> str:
        mention = read.mentions[number]
        return " ".join([*mention.colours, mention.label])

    return {(name(s), predicate, name(o)) for s, predicate, o in read.relations}


def test_a_list_of_bands_is_one_shape_a_colour_in_order() -> None:
    text = "three equal vertical bands of black (left side), yellow, and red"
    assert said(text) == [
        ("band", ("black",), 1),
        ("band", ("yellow",), 1),
        ("band", ("red",), 1),
    ]
    assert relations(text) == {
        ("black band", "left_of", "yellow band"),
        ("yellow band", "left_of", "red band"),
    }


def test_horizontal_bands_lie_above_each_other_and_modifiers_do_not_break_the_list() -> None:
    text = "three horizontal bands of light blue (top), white (double-width), and sky blue"
    assert [colours for _, colours, _ in said(text)] == [
        ("light blue",),
        ("white",),
        ("light blue",),
    ]
    assert ("white band", "above", "light blue band") in relations(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("red field with a five-pointed yellow star", ("star", ("yellow",), 1)),
        ("blue with 27 five-pointed white stars", ("star", ("white",), 27)),
        ("light blue with four white five-pointed stars", ("star", ("white",), 4)),
        ("green with a red disk set to the left", ("disc", ("red",), 1)),
        ("white with a large national emblem in red", ("emblem", ("red",), 1)),
        (
            "divided diagonally; the upper triangle (left side) is green",
            ("triangle", ("green",), 1),
        ),
    ],
)
def test_numbers_and_colours_stand_before_or_after_the_noun(
    text: str, wanted: tuple[str, tuple[str, ...], int]
) -> None:
    assert wanted in said(text)


def test_a_second_noun_shares_the_colour_before_and() -> None:
    assert ("star", ("white",), 1) in said("green with a large white crescent and star")


def test_the_same_band_named_again_is_no_second_one() -> None:
    text = "two equal horizontal bands of red (top) and white; a black star sits on the white band"
    assert [label for label, _, _ in said(text)].count("band") == 2


def test_relations_between_shapes_are_read() -> None:
    text = "red with a white disk in the center that has a green star"
    assert relations(text) == {
        ("white disc", "centred_on", "red field"),
        ("white disc", "charged_with", "green star"),
    }
    text = "blue with a red cross outlined in white; a yellow star is in the upper-left corner"
    assert relations(text) == {
        ("red cross", "edged_by", "white edge"),
        ("yellow star", "in_corner_of", "blue field"),
    }
    text = "two bands of red and white; a white crescent, with a circle of stars to the right of it"
    assert "left_of" not in {p for _, p, _ in relations(text)}  # "of it" names nothing


def test_what_is_inside_a_coat_of_arms_is_left_open() -> None:
    read = read_description(
        "two equal bands of red and blue, with the national coat of arms in the center; "
        "the coat of arms shows a golden lion under a white star"
    )
    assert read.labels == {"band", "emblem"}
    assert {"lion", "star"} <= read.unclear


def test_another_flag_on_the_flag_leaves_its_figures_open() -> None:
    read = read_description("blue, with the UK flag in the upper-left quadrant and a white star")
    assert "cross" in read.unclear
    assert "star" in read.labels


@pytest.mark.parametrize("text", ["the flag of France is used", "", "nothing that has a word"])
def test_a_description_without_shapes_is_not_usable(text: str) -> None:
    assert not read_description(text).usable


def test_what_only_sounds_like_a_shape_is_none() -> None:
    assert said("blue with the Southern Cross constellation in white") == [("field", ("blue",), 60)]
    assert "sun" not in read_description("white with a red disk that symbolizes the sun").labels


WORDS = st.sampled_from(
    [
        *NOUNS,
        *COLOURS,
        "of",
        "with",
        "and",
        ",",
        ";",
        "(",
        ")",
        "the",
        "a",
        "five",
        "centered",
        "on",
        "in",
        "left",
        "corner",
        "edged",
        "12",
    ]
)


@given(st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=200))
def test_any_text_is_read_and_relations_name_mentions(text: str) -> None:
    read = read_description(text)
    assert all(mention.label in LABELS and mention.count >= 1 for mention in read.mentions)
    places = range(len(read.mentions))
    assert all(
        s in places and o in places and s != o and p in DESCRIBED_PREDICATES
        for s, p, o in read.relations
    )
    assert not read.labels & read.unclear
    assert read == read_description(text)


def test_tokens_join_compound_names() -> None:
    assert tokens("the Coat of arms on light blue") == ["the", "arms", "on", "light-blue"]


def test_the_number_of_shapes_read_from_a_text_is_bounded() -> None:
    read = read_description("a red star, " * 5000)
    assert 64 <= len(read.mentions) <= 70
