"""Blocks of a grid against the paper's formula, and words that are read back as they are meant."""

from __future__ import annotations

from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import InputError
from scenes.grounding.phrases import read_phrase
from scenes.model import Region
from scenes.position_prompts import block_of, cells_of, describe

SIDES = st.integers(1, 400)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
    """A box of whole pixels in a picture."""
    width, height = draw(SIDES), draw(SIDES)
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
    return (left, top, right, bottom), (width, height)


@given(boxes(), st.integers(1, 9))
def test_a_block_follows_the_formula_of_the_paper(
    drawn: tuple[tuple[int, int, int, int], tuple[int, int]], grid: int
) -> None:
    (x1, y1, x2, y2), (width, height) = drawn
    column = min(floor(grid * (x1 + x2) / (2 * width)), grid - 1)
    row = min(floor(grid * (y1 + y2) / (2 * height)), grid - 1)
    assert cells_of([drawn[0]], drawn[1], grid).tolist() == [[column, row]]
    assert block_of([drawn[0]], drawn[1], grid).tolist() == [grid * row + column]


@given(boxes())
def test_a_picture_seen_in_a_mirror_has_its_blocks_mirrored(
    drawn: tuple[tuple[int, int, int, int], tuple[int, int]],
) -> None:
    (x1, y1, x2, y2), (width, _) = drawn
    if 3 * (x1 + x2) % (2 * width) == 0:
        return  # on a border, which belongs to the block at its right
    column, row = cells_of([drawn[0]], drawn[1])[0]
    mirrored = cells_of([(width - x2, y1, width - x1, y2)], drawn[1])[0]
    assert mirrored.tolist() == [2 - column, row]


def region(column: int, row: int, *, label: str | None = "star", colour: str = "white") -> Region:
    """A region in the middle of a block of a picture of 90 x 60 pixels."""
    mask = np.zeros((60, 90), dtype=bool)
    left, top = 30 * column + 10, 20 * row + 5
    mask[top : top + 10, left : left + 10] = True
    box = (float(left), float(top), float(left + 10), float(top + 10))
    return Region(box_xyxy=box, mask=mask, colour=colour, rgb=(255, 255, 255), label=label)


@pytest.mark.parametrize("row", range(3))
@pytest.mark.parametrize("column", range(3))
def test_the_words_of_a_block_are_read_as_that_block(column: int, row: int) -> None:
    (sentence,) = describe([region(column, row)])
    place, _, thing = sentence.partition(" has ")
    read = read_phrase(f"{thing} in the {place}")
    assert (read.label, read.colours) == ("star", ("white",))
    assert dict(read.places) == {"x": column / 2, "y": row / 2}


def test_sentences_name_what_is_known() -> None:
    regions = [region(1, 1, label=None), region(2, 0, label="emblem", colour="orange")]
    assert describe(regions) == ["center has a white part", "upper right has an orange emblem"]
    numbered = describe(regions, grid=6, words=False)
    assert numbered == ["the block 21 has a white part", "the block 11 has an orange emblem"]
    assert describe(regions, blocks=False) == ["a white part", "an orange emblem"]
    assert describe([]) == []
    assert block_of([], (4, 4)).tolist() == []


def test_what_makes_no_grid_is_refused() -> None:
    with pytest.raises(InputError, match="grid of 3, not of 4"):
        describe([region(0, 0)], grid=4)
    with pytest.raises(InputError, match="not \\(boxes, 4\\)"):
        block_of([[1, 2, 3]], (4, 4))
    with pytest.raises(InputError, match="grid of 0"):
        block_of([[0, 0, 1, 1]], (4, 4), 0)
    with pytest.raises(InputError, match="0 x 4 pixels"):
        block_of([[0, 0, 1, 1]], (0, 4))
