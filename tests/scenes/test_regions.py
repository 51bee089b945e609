from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from kg.errors import ImageError, InputError, LimitError, SettingError
from scenes.colours import COLOUR_NAMES, colour_name, lab_of
from scenes.components import connected_pieces
from scenes.masks import box_of, decode_rle, encode_rle, filled, outline_path
from scenes.regions import FlatDetector, SegmentConfig, segment
from tests.scenes.drawing import (
    BLACK,
    BLUE,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    Flag,
    bands,
    crescent_and_star,
)


def test_a_crescent_and_a_star_on_a_field_are_three_parts() -> None:
    regions = segment(crescent_and_star())
    assert [region.colour for region in regions] == ["red", "white", "white"]
    assert all(region.kind == "figure" for region in regions)
    star = regions[2]
    assert star.box_xyxy == pytest.approx((133, 62, 167, 95), abs=2)


@pytest.mark.parametrize("vertical", [False, True])
def test_bands_are_parts_with_exact_boxes_in_spite_of_blurred_edges(vertical: bool) -> None:
    regions = segment(bands(BLACK, RED, YELLOW, vertical=vertical).pixels())
    assert sorted(region.colour for region in regions) == ["black", "red", "yellow"]
    side = 0 if vertical else 1
    starts = sorted(region.box_xyxy[side] for region in regions)
    length = (240, 160)[side]
    assert starts == pytest.approx([0, length / 3, 2 * length / 3], abs=1)


def test_masks_are_disjoint_cover_the_image_and_come_largest_first() -> None:
    picture = bands(GREEN, WHITE, RED).star(120, 80, 20, BLUE).disc(40, 80, 15, YELLOW).pixels()
    regions = segment(picture)
    assert np.array_equal(sum(r.mask.astype(int) for r in regions), np.ones(picture.shape[:2]))
    areas = [region.area for region in regions]
    assert areas == sorted(areas, reverse=True)


def test_many_small_touching_pieces_are_one_emblem_and_apart_ones_are_not() -> None:
    flag = Flag(WHITE)
    for number in range(16):
        x, y = 20 + 9 * (number % 4), 20 + 9 * (number // 4)
        flag.rectangle((x, y, x + 9, y + 9), (RED, BLUE, GREEN, BLACK)[(number + number // 4) % 4])
    for number in range(6):
        flag.star(120 + 18 * number, 120, 7, BLUE)
    regions = segment(flag.pixels())
    emblems = [region for region in regions if region.kind == "emblem"]
    assert len(emblems) == 1
    assert emblems[0].box_xyxy == (20, 20, 56, 56)
    assert emblems[0].pieces >= 5
    assert sum(region.kind == "figure" and region.colour == "blue" for region in regions) == 6


def test_what_exceeds_the_limit_is_one_part_and_nothing_is_lost() -> None:
    flag = Flag(WHITE)
    for number in range(40):
        flag.disc(15 + 22 * (number % 10), 20 + 30 * (number // 10), 5, RED)
    regions = segment(flag.pixels(), SegmentConfig(most_parts=12))
    assert len(regions) == 12
    others = [region for region in regions if region.kind == "other"]
    assert [other.pieces for other in others] == [30]
    assert sum(region.area for region in regions) == 240 * 160


def test_a_large_picture_is_thinned_and_its_boxes_are_in_its_own_pixels() -> None:
    picture = np.full((1280, 1920, 3), BLUE, np.uint8)
    picture[640:] = YELLOW
    regions = segment(picture)
    assert [r.mask.shape for r in regions] == [picture.shape[:2]] * 2
    assert sorted(r.box_xyxy for r in regions) == [
        pytest.approx((0, 0, 1920, 640), abs=8),
        pytest.approx((0, 640, 1920, 1280), abs=8),
    ]


@given(arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24), st.just(3))))
@settings(max_examples=40, deadline=None)
def test_any_picture_is_taken_apart_within_the_limits_and_always_in_the_same_way(
    picture: np.ndarray,
) -> None:
    regions = segment(picture, SegmentConfig(most_parts=5))
    assert 1 <= len(regions) <= 5
    assert np.array_equal(sum(r.mask.astype(int) for r in regions), np.ones(picture.shape[:2]))
    again = FlatDetector(SegmentConfig(most_parts=5)).detect(picture)
    assert [encode_rle(r.mask) for r in again] == [encode_rle(r.mask) for r in regions]


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(ImageError):
        segment(picture)


def test_too_many_pixels_and_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ImageError, match="at most 10"):
        segment(np.zeros((4, 4, 3), np.uint8), SegmentConfig(most_pixels=10))
    with pytest.raises(SettingError, match="most_parts"):
        SegmentConfig(most_parts=0)
    with pytest.raises(SettingError, match="small_share"):
        SegmentConfig(small_share=0.5, absorbed_share=0.1)


LAYERS = arrays(
    np.int16, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2)
)


@given(LAYERS, st.sampled_from([0.0, 0.1, 1.0]))
def test_pieces_are_those_that_a_flood_of_each_colour_finds(
    layers: np.ndarray, small: float
) -> None:
    found, count = connected_pieces(layers, small=small)
    expected, start = np.zeros_like(found), 0
    for colour in np.unique(layers):
        pieces, number = ndimage.label(layers == colour)
        large = np.bincount(pieces.ravel(), minlength=number + 1) > small * layers.size
        large[0] = False
        joined, few = ndimage.label((pieces > 0) & ~large[pieces], np.ones((3, 3)))
        expected[joined > 0] = joined[joined > 0] + start - 1
        expected[large[pieces]] = (np.cumsum(large) + start + few - 1)[pieces[large[pieces]]]
        start += few + int(large.sum())
    assert count == start
    assert np.array_equal(found, expected)


MASKS = arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@given(MASKS)
def test_masks_survive_run_lengths(mask: np.ndarray) -> None:
    assert np.array_equal(decode_rle(encode_rle(mask)), mask)


@given(MASKS)
def test_holes_are_filled_as_a_flood_from_outside_leaves_them(mask: np.ndarray) -> None:
    assert np.array_equal(filled(mask), ndimage.binary_fill_holes(mask))


@given(MASKS)
def test_the_outline_encloses_exactly_the_mask(mask: np.ndarray) -> None:
    assert np.array_equal(even_odd(outline_path(mask), mask.shape), mask)


def even_odd(path: str, shape: tuple[int, int]) -> np.ndarray:
    """Fill an SVG path of horizontal and vertical lines: cross a vertical line, change side."""
    crossings = np.zeros((shape[0], shape[1] + 1), dtype=int)
    for ring in path.split("Z")[:-1]:
        words = ring[1:].replace("H", " H").replace("V", " V").split()
        x, y = start_x, start_y = int(words[0]), int(words[1])
        for word in [*words[2:], f"V{start_y}" if words[-1][0] == "H" else f"H{start_x}"]:
            if word[0] == "V":
                low, high = sorted((y, int(word[1:])))
                crossings[low:high, x] += 1
                y = int(word[1:])
            else:
                x = int(word[1:])
    return (np.cumsum(crossings, axis=1)[:, :-1] % 2).astype(bool)


@pytest.mark.parametrize("text", ["", "3", "2 2 3", "2 2 -4", "a b", "2 2 1.5 2.5"])
def test_broken_run_lengths_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        decode_rle(text)


@pytest.mark.parametrize("text", ["99999 99999 1", "1 1 99999999999999"])
def test_huge_run_lengths_are_refused_before_memory_is_taken(text: str) -> None:
    with pytest.raises(LimitError):
        decode_rle(text)


def test_an_empty_mask_has_no_box() -> None:
    with pytest.raises(InputError):
        box_of(np.zeros((2, 2), bool))


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 255, 255), "white"),
        ((0, 0, 0), "black"),
        ((128, 128, 128), "grey"),
        ((206, 17, 38), "red"),
        ((128, 0, 32), "red"),
        ((255, 153, 51), "orange"),
        ((252, 209, 22), "yellow"),
        ((0, 122, 61), "green"),
        ((0, 56, 168), "blue"),
        ((0, 0, 128), "blue"),
        ((117, 178, 221), "light blue"),
        ((92, 64, 40), "brown"),
        ((128, 0, 128), "purple"),
    ],
)
def test_painters_colours_have_plain_names(rgb: tuple[int, int, int], name: str) -> None:
    assert colour_name(rgb) == name


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_every_colour_has_a_known_name(rgb: tuple[int, int, int]) -> None:
    assert colour_name(rgb) in COLOUR_NAMES


def test_lab_agrees_with_published_values() -> None:
    rgb = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128]], dtype=np.uint8)
    wanted = [[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86], [53.59, 0, 0]]
    assert lab_of(rgb) == pytest.approx(np.array(wanted), abs=0.05)
