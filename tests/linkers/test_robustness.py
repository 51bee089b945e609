"""Words that add nothing, put before mentions: where they land, which are chosen, what they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import SettingError
from kg.model import Entity, EntityKey, ImagePart
from linkers import Mention
from linkers.attribute_words import (
    ADJECTIVES,
    Attribute,
    FalseColours,
    PictureColours,
    entity_attributes,
    of_entities,
    plain_adjectives,
)
from linkers.colours import BASIC_COLOURS, colour_shares
from linkers.robustness import AttributeInsertion, inserted

PERU = Mention(id="1", surface="Peru", context="Trade with Peru grew.", start=11, end=15)


def stripes(*colours: tuple[int, int, int]) -> np.ndarray:
    return np.repeat(np.array(colours, dtype=np.uint8)[:, None], 30, axis=0).repeat(90, axis=1)


@pytest.mark.parametrize(
    ("colours", "shares"),
    [
        (((0, 146, 70), (255, 255, 255), (206, 43, 55)), ("green", "white", "red")),
        (((0, 0, 0), (221, 0, 0), (255, 206, 0)), ("black", "red", "yellow")),
        (((0, 87, 183), (255, 215, 0)), ("blue", "yellow")),
        (((128, 128, 128),), ("grey",)),
    ],
)
def test_stripes_have_their_colours(
    colours: tuple[tuple[int, int, int], ...], shares: tuple[str, ...]
) -> None:
    found = colour_shares(stripes(*colours))
    assert set(found) == set(shares)
    assert found == pytest.approx({word: 1 / len(shares) for word in shares}, abs=0.03)
    assert sum(found.values()) == pytest.approx(1)


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_any_single_colour_has_one_word(red: int, green: int, blue: int) -> None:
    found = colour_shares(stripes((red, green, blue)))
    assert list(found.values()) == [1.0]
    assert set(found) < set(BASIC_COLOURS)


def test_true_and_false_colours_have_nothing_in_common() -> None:
    shown = {"peru": stripes((217, 16, 35), (255, 255, 255), (217, 16, 35))}
    mention = Mention(id="1", surface="Peru", image="peru")
    colours = PictureColours(shown.get)
    true = [attribute.word for attribute in colours(mention)]
    assert true == ["red", "white"]
    false = {attribute.word for attribute in FalseColours(colours)(mention)}
    assert false == set(BASIC_COLOURS) - set(true)
    for source in (colours, FalseColours(colours)):
        assert source(Mention(id="2", surface="Peru")) == []
        assert source(Mention(id="2", surface="Peru", image="not to be opened")) == []


def test_controls_depend_on_the_mention_and_the_seed_alone() -> None:
    one, other = ([a.word for a in plain_adjectives(seed)(PERU)] for seed in (0, 1))
    assert sorted(one) == sorted(other) == sorted(ADJECTIVES)
    assert one != other
    assert one == [a.word for a in plain_adjectives(0)(PERU)]


def test_the_graph_says_marks_words_and_colours_of_parts() -> None:
    key = EntityKey("country:TR")
    told = {"landlocked": False, "un_member": True, "climate": "dry", "code": "TR", "area": 5}
    part = {"image": "a", "box_xyxy": (0, 0, 1, 1)}
    rows = [
        Entity(key=key, label="Country", name="Turkey", attributes=told),
        Entity(key=EntityKey("p1"), label="Part", name="sun",
               part=ImagePart(parent=key, colour="white", area_share=0.2, **part)),
        Entity(key=EntityKey("p2"), label="Part", name="star",
               part=ImagePart(parent=key, colour="white", area_share=0.1, **part)),
        Entity(key=EntityKey("c:2"), label="Country", name="Chad"),
    ]  # fmt: skip
    known = entity_attributes(rows)
    assert set(known) == {key}
    shares = {attribute.word: attribute.share for attribute in known[key]}
    assert shares == pytest.approx({"dry": 1.0, "un member": 1.0, "white": 0.3})
    source = of_entities(known, {"1": key, "2": None})
    assert [a.word for a in source(PERU)] == ["dry", "un member", "white"]
    assert source(Mention(id="2", surface="Chad")) == ()


TEXTS = st.text("ab c,é", max_size=12)


@given(TEXTS, TEXTS, TEXTS, st.sampled_from(["red", "un member"]))
def test_the_words_of_a_mention_stay_where_the_text_moves(
    left: str, surface: str, right: str, word: str
) -> None:
    context = left + surface + right
    mention = Mention(
        id="1", surface=surface, context=context, start=len(left), end=len(left) + len(surface)
    )
    changed = inserted(mention, word)
    if not context.strip():
        assert changed is None or changed.surface == f"{word} {surface}"
        return
    assert changed is not None
    assert (changed.surface, changed.id) == (surface, "1")
    assert changed.context[changed.start : changed.end] == surface
    assert changed.context[: len(left)] == left
    assert changed.context == f"{left}{word} {surface}{right}"


def test_where_a_word_goes_without_a_place() -> None:
    bare = Mention(id="1", surface="Peru")
    assert inserted(bare, "red") == Mention(id="1", surface="red Peru")
    found = inserted(Mention(id="1", surface="Peru", context="In Peru."), "red")
    assert found is not None
    assert (found.context, found.start) == ("In red Peru.", None)
    phrase = inserted(Mention(id="1", surface="", context="a country"), "red")
    assert phrase is not None
    assert phrase.context == "red a country"
    assert inserted(Mention(id="1", surface="", image="a.png"), "red") is None


def test_the_word_is_chosen_by_fluency_share_and_harm() -> None:
    words = [
        Attribute(word="red", share=0.5),
        Attribute(word="white", share=0.3),
        Attribute(word="blue", share=0.1),
        Attribute(word="never tried", share=0.05),
    ]
    left = {"red": 0.9, "white": 0.2, "blue": 0.1}  # how sure the linker stays
    tried: list[str] = []

    def support(mentions: list[Mention]) -> list[float]:
        (mention,) = mentions
        tried.append(mention.context.split()[2])
        return [left[tried[-1]]]

    def chosen(*weights: float, corpus: tuple[str, ...] = ()) -> str:
        insertion = AttributeInsertion(
            lambda _: words, support, budget=1, weights=weights, corpus=corpus
        )
        return insertion.perturb_all([PERU])[0].words[0]

    assert chosen(0, 1, 0) == "red"
    assert chosen(0, 0, 1) == "blue"
    assert (
        chosen(1, 0, 0, corpus=("White Peru, the white Peru", "blue Peru", "Peru red")) == "white"
    )
    # red: 0 + 1 + 0; white: 1 + 0.5 + 0.875; blue: log 2 / log 3 + 0 + 1
    assert chosen(1, 1, 1, corpus=("white Peru, white Peru, blue Peru",)) == "white"
    assert set(tried) == {"red", "white", "blue"}


def test_a_budget_is_kept_and_no_word_comes_twice() -> None:
    source = lambda _: [Attribute(word=word) for word in ("red", "white", "Peru", "with")]  # noqa: E731
    for budget, text in (
        (1, "Trade with red Peru grew."),
        (2, "Trade with red white Peru grew."),
        (9, "Trade with red white Peru grew."),
    ):
        changed = AttributeInsertion(source, budget=budget).perturb(PERU)
        assert changed.context == text
        assert changed.context[changed.start : changed.end] == "Peru"
    nothing = AttributeInsertion(lambda _: [], budget=2)
    assert nothing.perturb_all([PERU])[0].mention is PERU


@pytest.mark.parametrize("wrong", [{"budget": 0}, {"weights": (0, 0, 0)}, {"weights": (-1, 1, 1)}])
def test_what_cannot_be_put_in_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        AttributeInsertion(lambda _: [], **wrong)  # type: ignore[arg-type]
