from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import EngineError
from scenes.relations.annotations import (
    AnnotatedImage,
    Vocabulary,
    held_out_part,
    read_annotations,
    read_vocabulary,
)
from scenes.relations.pairs import GEOMETRY, box_geometry, ordered_pairs, pair_table

VOCABULARY = Vocabulary(("dog", "hat", "mat"), ("on", "wear"))
GOOD: dict[str, Any] = {
    "image": "a.jpg",
    "boxes_xyxy": [[0, 0, 9, 9.5], [2, 2, 2, 5]],
    "labels": [0, 1],
    "triplets": [[0, 1, 1], [0, 1, 1], [1, 0, 0], [1, 0, 1]],
}


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "a.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    return path


def test_images_are_read_and_a_repeated_triplet_counts_once(tmp_path):
    empty = {"image": "b.jpg", "boxes_xyxy": [], "labels": [], "triplets": []}
    first, second = read_annotations(written(tmp_path, GOOD, empty), VOCABULARY)
    assert first.triplets.tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 1]]
    assert first.boxes[0].tolist() == [0, 0, 9, 9.5]
    assert len(second) == 0
    assert second.triplets.shape == (0, 3)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("image", 7, "name"),
        ("image", "", "name"),
        ("labels", [0], "2 boxes for 1 labels"),
        ("labels", [0, 3], "3 is not a number from 0 to 2"),
        ("labels", [0, True], "true is not a whole number"),
        ("labels", None, "a list"),
        ("labels", [0, 10**30], "is not a number from 0 to 2"),
        ("boxes_xyxy", [[0, 0, 1], [0, 0, 1, 1]], "a list of 4 numbers"),
        ("boxes_xyxy", [[0, 0, "1", 1], [0, 0, 1, 1]], "a list of 4 numbers"),
        ("boxes_xyxy", [[5, 0, 1, 1], [0, 0, 1, 1]], "ends before it starts"),
        ("boxes_xyxy", [[0, 0, 1e300, 1e300], [0, 0, 1, 1]], "beyond 1,000,000"),
        ("boxes_xyxy", [[0, 0, 10**400, 1], [0, 0, 1, 1]], "beyond 1,000,000"),
        ("triplets", [[0, 2, 1]], "2 is not a number from 0 to 1"),
        ("triplets", [[0, 0, -1]], "-1 is not a number from 0 to 1"),
        ("triplets", [[0, 0.0, 1]], "a list of 3 numbers"),
        ("triplets", {}, "a list"),
    ],
)
def test_a_bad_line_is_refused_by_line_and_field(tmp_path, field, value, reason):
    path = written(tmp_path, GOOD, {**GOOD, "image": "b.jpg", field: value})
    with pytest.raises(EngineError) as caught:
        read_annotations(path, VOCABULARY)
    text = str(caught.value)
    assert reason in text
    assert "a.jsonl.gz" in text
    assert "2" in text
    assert field in text


def test_files_that_are_missing_empty_or_repeat_an_image_are_refused(tmp_path):
    with pytest.raises(EngineError, match="no such file"):
        read_annotations(tmp_path / "none.jsonl", VOCABULARY)
    with pytest.raises(EngineError, match="no image"):
        read_annotations(written(tmp_path), VOCABULARY)
    with pytest.raises(EngineError, match="line 1 already"):
        read_annotations(written(tmp_path, GOOD, GOOD), VOCABULARY)
    many = {**GOOD, "labels": [0] * 400, "boxes_xyxy": [[0, 0, 1, 1]] * 400}
    with pytest.raises(EngineError, match="too many"):
        read_annotations(written(tmp_path, many), VOCABULARY)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "vocabulary"),
        ("[]", "vocabulary"),
        ('{"objects": ["a"]}', "predicates"),
        ('{"objects": [], "predicates": ["on"]}', "objects"),
        ('{"objects": ["a", "a"], "predicates": ["on"]}', "twice"),
        ('{"objects": ["a", ""], "predicates": ["on"]}', "no name"),
        ('{"objects": ["a", 3], "predicates": ["on"]}', "no name"),
    ],
)
def test_a_bad_vocabulary_is_refused(tmp_path, text, reason):
    path = tmp_path / "v.json"
    path.write_text(text)
    with pytest.raises(EngineError, match=reason):
        read_vocabulary(path)
    with pytest.raises(EngineError, match="not readable"):
        read_vocabulary(tmp_path / "none.json")


def test_the_vocabulary_keeps_its_order(tmp_path):
    path = tmp_path / "v.json"
    path.write_text('{"objects": ["b", "a"], "predicates": ["on"]}')
    assert read_vocabulary(path) == Vocabulary(("b", "a"), ("on",))


def test_the_part_held_out_depends_on_the_name_alone():
    images = [
        AnnotatedImage(
            name=f"{n}.jpg",
            boxes=np.zeros((0, 4)),
            labels=np.zeros(0, np.int64),
            triplets=np.zeros((0, 3), np.int64),
        )
        for n in range(400)
    ]
    rest, held = held_out_part(images)
    assert 20 <= len(held) <= 60
    assert len(rest) + len(held) == 400
    assert {one.name for one in held_out_part(images[:50])[1]} <= {one.name for one in held}


def test_a_table_of_pairs_holds_what_is_said_of_each(tmp_path):
    empty = {"image": "b.jpg", "boxes_xyxy": [[0, 0, 0, 0]], "labels": [2], "triplets": [[0, 0, 0]]}
    three = {
        "image": "c.jpg",
        "boxes_xyxy": [[0, 0, 1, 1]] * 3,
        "labels": [2, 1, 0],
        "triplets": [[2, 0, 1], [0, 1, 2]],
    }
    table = pair_table(
        read_annotations(written(tmp_path, GOOD, empty, three), VOCABULARY), predicates=2
    )
    assert table.starts.tolist() == [0, 2, 2, 8]
    assert table.image.tolist() == [0, 0, *[2] * 6]
    assert table.objects[:2].tolist() == [[0, 1], [1, 0]]
    said = {(*table.objects[row], p) for row, p in zip(*np.nonzero(table.said), strict=True)}
    assert said == {(0, 1, 1), (1, 0, 0), (2, 1, 0), (0, 2, 1)}
    assert [len(one) for one in table.by_image(table.geometry)] == [2, 0, 6]
    for row, (subject, other) in enumerate(table.objects[2:], start=2):
        assert table.labels[row].tolist() == [2 - subject, 2 - other]


def test_a_table_that_memory_could_not_hold_is_refused():
    image = AnnotatedImage(
        name="a",
        boxes=np.zeros((300, 4)),
        labels=np.zeros(300, np.int64),
        triplets=np.zeros((0, 3), np.int64),
    )
    with pytest.raises(EngineError, match="too many for one table"):
        pair_table([image] * 500, predicates=70)


boxes = st.tuples(*[st.integers(0, 50)] * 4).map(
    lambda b: [min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])]
)


@given(boxes, boxes, st.integers(1, 40))
def test_geometry_is_finite_and_does_not_depend_on_the_scale(subject, other, scale):
    one, two = np.array([subject], float), np.array([other], float)
    plain = box_geometry(one, two, (0, 0, 50, 50))
    assert np.isfinite(plain).all()
    larger = box_geometry(one * scale, two * scale, (0, 0, 50 * scale, 50 * scale))
    assert larger == pytest.approx(plain, abs=1e-6)
    back = box_geometry(two, one, (0, 0, 50, 50))
    for name, sign in {"dx": -1, "dy": -1, "log_area_ratio": -1, "iou": 1, "gap_x": 1}.items():
        column = GEOMETRY.index(name)
        assert back[0, column] == pytest.approx(sign * plain[0, column])


def test_there_are_no_pairs_of_one_object():
    assert ordered_pairs(0).shape == (0, 2)
    assert ordered_pairs(1).shape == (0, 2)
    assert len(ordered_pairs(5)) == 20
