"""Compiled loops give what scipy and plain words give, on random maps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from scenes import outline_loops, piece_loops
from scenes.components import connected_pieces, touching_pairs
from scenes.masks import filled
from scenes.model import Region
from scenes.outlines import COUNTS, SHAPE_DESCRIPTORS, shape_numbers
from scenes.palette import colour_layers
from scenes.patches import pool_patches

SEEDS = pytest.mark.parametrize("seed", range(6))


def random_map(seed: int, most: int = 4) -> np.ndarray:
    """Blots of a few numbers, and some pixels that stand alone."""
    random = np.random.default_rng(seed)
    height, width = (int(side) for side in random.integers(1, 30, 2))
    coarse = random.integers(0, most, (height // 4 + 1, width // 4 + 1))
    numbers = np.kron(coarse, np.ones((4, 4), dtype=int))[:height, :width]
    alone = random.random((height, width)) < 0.1
    numbers[alone] = random.integers(0, most, int(alone.sum()))
    return numbers


def in_first_order(numbers: np.ndarray) -> np.ndarray:
    """Number anew by first pixels, so that two numberings can be compared."""
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].reshape(numbers.shape)


@SEEDS
def test_pieces_are_what_scipy_labels_colour_by_colour(seed: int) -> None:
    layers = random_map(seed).astype(np.int16)
    wanted = np.zeros(layers.shape, dtype=int)
    for value in np.unique(layers):
        found, _ = ndimage.label(layers == value)
        wanted[found > 0] = found[found > 0] + wanted.max()
    numbers, count = connected_pieces(layers)
    assert count == len(np.unique(wanted))
    assert (in_first_order(numbers) == in_first_order(wanted)).all()
    corners = np.zeros(layers.shape, dtype=int)
    for value in np.unique(layers):
        found, _ = ndimage.label(layers == value, np.ones((3, 3)))
        corners[found > 0] = found[found > 0] + corners.max()
    numbers, count = connected_pieces(layers, small=1.0)
    assert (in_first_order(numbers) == in_first_order(corners)).all()
    first = [layers[numbers == piece][0] for piece in range(count)]
    assert first == sorted(first)


@SEEDS
def test_pairs_that_touch_and_boxes_are_those_of_the_pixels(seed: int) -> None:
    numbers = in_first_order(random_map(seed)).astype(np.int32)
    count = int(numbers.max()) + 1
    wanted = np.zeros((count, count))
    height, width = numbers.shape
    for y in range(height):
        for x in range(width):
            for down, across in ((y + 1, x), (y, x + 1)):
                if down < height and across < width and numbers[y, x] != numbers[down, across]:
                    wanted[numbers[y, x], numbers[down, across]] += 1
                    wanted[numbers[down, across], numbers[y, x]] += 1
    assert touching_pairs(numbers).tolist() == np.argwhere(np.triu(wanted)).tolist()
    assert (piece_loops.shared_edges(numbers, count) == wanted).all()
    boxes = piece_loops.boxes(numbers, count)
    for piece, box in zip(ndimage.find_objects(numbers + 1), boxes, strict=True):
        assert box.tolist() == [piece[1].start, piece[0].start, piece[1].stop, piece[0].stop]


@SEEDS
def test_counts_of_a_figure_are_those_of_its_masks(seed: int) -> None:
    mask = random_map(seed) > 0
    if not mask.any():
        mask[0, 0] = True
    assert (filled(mask) == ndimage.binary_fill_holes(mask)).all()
    padded, whole = np.pad(mask, 1), outline_loops.filled(mask)
    assert (whole == ndimage.binary_fill_holes(padded)).all()
    everywhere = np.ones(whole.shape, dtype=np.uint8)
    everywhere[[0, -1]] = everywhere[:, [0, -1]] = 0
    counts, bays, edge, _, _ = outline_loops.measured(mask, whole, everywhere)
    count = dict(zip(COUNTS, counts.tolist(), strict=True))
    holes, number = ndimage.label(whole & ~padded)
    free, _ = ndimage.label((everywhere > 0) & ~whole)
    assert (count["area"], count["whole"]) == (mask.sum(), whole.sum())
    assert (count["holes"], count["hole_pixels"]) == (number, (holes > 0).sum())
    assert math.sqrt(count["depth"]) == ndimage.distance_transform_edt(padded).max()
    assert count["flip_x"] == (padded & padded[:, ::-1]).sum()
    assert count["turn_half"] == (padded & padded[::-1, ::-1]).sum()
    assert sorted(bays.tolist()) == sorted(np.bincount(free.ravel())[1:].tolist())
    inner = ndimage.binary_erosion(whole)
    assert (np.argwhere(whole & ~inner) == edge.T).all()


def test_the_hull_of_a_bent_figure_leaves_one_bay() -> None:
    mask = np.ones((20, 20), dtype=bool)
    mask[:12, 8:] = False
    numbers = dict(zip(SHAPE_DESCRIPTORS, shape_numbers([mask])[0].tolist(), strict=True))
    assert numbers["bays"] == 0.25
    assert numbers["solidity"] == pytest.approx(256 / (256 + 66), abs=0.03)  # a triangle of 12 x 12


def test_a_blurred_edge_goes_to_the_two_colours_that_it_mixes() -> None:
    picture = np.zeros((20, 30, 3), dtype=np.uint8)
    picture[:, 15:] = (255, 0, 0)
    picture[:, 14] = (100, 0, 0)
    layers, colours = colour_layers(picture)
    assert colours.tolist() == [[255, 0, 0], [0, 0, 0]]
    assert (layers[:, :15] == 1).all()
    assert (layers[:, 15:] == 0).all()


@pytest.mark.parametrize("width", [3, 400])
def test_patches_are_weighed_by_the_pixels_under_a_mask(width: int) -> None:
    random = np.random.default_rng(0)
    tokens = random.normal(size=(4, width)).astype(np.float16)
    masks = random.random((3, 5, 7)) < 0.5
    regions = [
        Region(box_xyxy=(0, 0, 7, 5), mask=mask, colour="red", rgb=(255, 0, 0)) for mask in masks
    ]
    plain = tokens.astype(np.float64) - tokens.astype(np.float64).mean(axis=0)
    wanted = [
        np.mean([plain[y * 2 // 5 * 2 + x * 2 // 7] for y, x in np.argwhere(mask)], axis=0)
        for mask in masks
    ]
    assert pool_patches(tokens, (2, 2), regions) == pytest.approx(np.array(wanted))
