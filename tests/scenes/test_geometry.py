from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenes.geometry import PAIR_MEASURES, box_iou, contradicts, exact_relations, pair_measures
from scenes.model import Region
from scenes.regions import segment
from tests.scenes.drawing import BLUE, GREEN, RED, WHITE, YELLOW, Flag, bands, crescent_and_star


def facts(picture: np.ndarray) -> set[tuple[str, str, str]]:
    regions = segment(picture)
    return {
        (regions[r.subject].colour, r.predicate, regions[r.object].colour)
        for r in exact_relations(regions)
    }


def test_inside_names_the_smallest_part_around() -> None:
    flag = Flag(RED).disc(120, 80, 50, WHITE).star(120, 80, 25, BLUE)
    assert facts(flag.pixels()) == {
        ("white", "inside", "red"),
        ("red", "surrounds", "white"),
        ("blue", "inside", "white"),
        ("white", "surrounds", "blue"),
    }


def test_bands_are_neither_inside_one_another_nor_overlapping() -> None:
    assert facts(bands(GREEN, WHITE, RED).pixels()) == set()


def test_a_star_between_the_horns_of_a_crescent_is_not_inside_it() -> None:
    regions = segment(crescent_and_star())
    found = {(r.subject, r.predicate, r.object) for r in exact_relations(regions)}
    assert (2, "inside", 0) in found
    assert not any({r[0], r[2]} == {1, 2} and r[1] == "inside" for r in found)


def part(mask: np.ndarray) -> Region:
    rows, columns = np.nonzero(mask)
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    return Region(box_xyxy=tuple(map(float, box)), mask=mask, colour="red", rgb=(255, 0, 0))


spans = st.tuples(st.integers(0, 20), st.integers(1, 12))


@given(spans, spans, spans, spans)
def test_sides_are_told_of_one_order_alone_and_turn_with_the_picture(
    a: tuple[int, int], b: tuple[int, int], c: tuple[int, int], d: tuple[int, int]
) -> None:
    def sides(flat: bool, mirrored: bool) -> set[tuple[int, str, int]]:
        parts = []
        for (left, width), (top, height) in ((a, b), (c, d)):
            mask = np.zeros((40, 40), bool)
            mask[top : top + height, left : left + width] = True
            mask = mask[:, ::-1] if mirrored else mask
            parts.append(part(mask.T if flat else mask))
        found = exact_relations((parts[0], parts[1]), sides=True)
        return {(r.subject, r.predicate, r.object) for r in found if r.exact}

    told = {one for one in sides(False, False) if one[1] in ("left_of", "above")}
    assert len({name for _, name, _ in told}) == len(told)
    for name, inverse in (("left_of", "above"), ("above", "left_of")):
        assert {(s, inverse, o) for s, p, o in told if p == name} == {
            one for one in sides(True, False) if one[1] == inverse
        }
    turned = {one for one in sides(False, True) if one[1] == "left_of"}
    assert turned == {(o, p, s) for s, p, o in told if p == "left_of"}
    gap = c[0] - (a[0] + a[1])
    if gap >= 0 and b == d:
        assert (0, "left_of", 1) in told


def test_given_boxes_that_cross_overlap_both_ways() -> None:
    first, second = np.zeros((2, 30, 30), bool)
    first[5:20, 5:20] = True
    second[10:28, 12:28] = True
    found = exact_relations((part(first), part(second)))
    assert [(r.subject, r.predicate, r.object) for r in found] == [
        (0, "overlaps", 1),
        (1, "overlaps", 0),
    ]
    assert all(r.exact and r.probability == 1.0 for r in found)


def test_the_number_of_relations_and_the_parts_compared_are_bounded() -> None:
    flag = Flag(WHITE)
    for number in range(10):
        flag.disc(15 + 22 * number, 80, 6, YELLOW)
    regions = segment(flag.pixels())
    assert len(exact_relations(regions, most=7)) == 7
    assert len(exact_relations(regions, parts=(0, 3))) == 2


BOXES = st.tuples(*[st.integers(0, 20)] * 2, *[st.integers(1, 15)] * 2).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)


def painted(box: tuple[float, ...]) -> np.ndarray:
    mask = np.zeros((40, 40), bool)
    left, top, right, bottom = map(int, box)
    mask[top:bottom, left:right] = True
    return mask


@given(BOXES, BOXES)
def test_iou_equals_counting_pixels(first: tuple[float, ...], second: tuple[float, ...]) -> None:
    one, two = painted(first), painted(second)
    assert box_iou(first, second) == pytest.approx((one & two).sum() / (one | two).sum())


@given(BOXES, BOXES)
def test_measures_of_a_swapped_pair_mirror(
    first: tuple[float, ...], second: tuple[float, ...]
) -> None:
    boxes = np.array([first, second])
    rows = pair_measures(boxes, boxes[::-1], width=40, height=40)
    one, two = (dict(zip(PAIR_MEASURES, row.tolist(), strict=True)) for row in rows)
    assert one["dx"] == -two["dx"]
    assert one["above"] == two["below"]
    assert one["subject_in_object"] == pytest.approx(two["object_in_subject"])
    assert one["log_size_ratio"] == pytest.approx(-two["log_size_ratio"])
    assert all(np.isfinite(list(one.values())))


@given(BOXES, BOXES)
def test_what_geometry_contradicts_is_never_true_both_ways(
    first: tuple[float, ...], second: tuple[float, ...]
) -> None:
    for predicate in ("left_of", "above", "below"):
        assert contradicts(predicate, first, second) or contradicts(predicate, second, first)
    assert contradicts("above", first, second) or contradicts("below", first, second)
    assert contradicts("centred_on", first, second) == contradicts("charged_with", second, first)
    assert not contradicts("centred_on", first, first)
    assert not contradicts("edged_by", first, second)
