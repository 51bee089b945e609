"""COCO, Visual Genome and Label Studio: what is written comes back, what is bad is told."""

from __future__ import annotations

import contextlib
import gzip
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kg.errors import InputError, LimitError, RecordError
from scenes.exchange.formats import FORMATS, AnnotationFormat, read_exchanged, write_exchanged
from scenes.exchange.run_lengths import brush_decoded, brush_encoded, coco_decoded, coco_encoded
from scenes.masks import decode_rle, encode_rle
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from tests.scenes.relation_world import VOCABULARY, made_images

MASKS = arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@given(MASKS)
@settings(max_examples=50)
def test_masks_come_back_from_both_kinds_of_run_lengths(mask: np.ndarray) -> None:
    assert np.array_equal(coco_decoded(coco_encoded(mask)), mask)
    height, width = mask.shape
    assert np.array_equal(brush_decoded(brush_encoded(mask), height=height, width=width), mask)


@given(MASKS)
@settings(max_examples=30)
def test_packed_counts_are_those_of_coco(mask: np.ndarray) -> None:
    assert coco_encoded(mask) == {"size": list(mask.shape), "counts": packed(mask)}


def test_packed_counts_worked_out_by_hand() -> None:
    # 68 = 4 + 2 · 32: chr(48 + 4 + 32), chr(48 + 2); then 2: chr(48 + 2)
    found = coco_decoded({"size": [1, 70], "counts": "T22"})
    assert np.flatnonzero(found).tolist() == [68, 69]


def packed(mask: np.ndarray) -> str:
    """Write `rleToString` out plainly, as a second opinion."""
    flat, runs, value = mask.T.ravel().tolist(), [0], False
    for pixel in flat:
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    text = ""
    for place, run in enumerate(runs):
        rest, more = run - (runs[place - 2] if place > 2 else 0), True
        while more:
            bits = rest & 0x1F
            rest >>= 5
            more = rest != -1 if bits & 0x10 else rest != 0
            text += chr((bits | 0x20 if more else bits) + 48)
    return text


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"size": [2, 2], "counts": [1, 2]}, InputError),
        ({"size": [2, 2], "counts": [-1, 5]}, InputError),
        ({"size": [2, True], "counts": [4]}, InputError),
        ({"size": [2, 2], "counts": "~"}, InputError),
        ({"size": [2, 2], "counts": "P" * 90}, InputError),
        ({"size": [2, 2], "counts": None}, InputError),
        ({"size": [60_000, 60_000], "counts": [1]}, LimitError),
    ],
)
def test_run_lengths_that_are_none_are_refused(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        coco_decoded(value)


@given(st.lists(st.integers(0, 255), max_size=60))
@settings(max_examples=60)
def test_any_bytes_are_a_brush_or_are_refused(values: list[int]) -> None:
    with contextlib.suppress(InputError):
        assert brush_decoded(values, height=3, width=2).shape == (3, 2)


def masked(images: tuple[AnnotatedImage, ...]) -> list[AnnotatedImage]:
    """Give the first object of the first image the mask of its whole box."""
    first = images[0]
    left, top, right, bottom = first.boxes[0].astype(int)
    mask = np.zeros((130, 140), dtype=bool)
    mask[top:bottom, left:right] = True
    masks = (encode_rle(mask), *[None] * (len(first) - 1))
    return [replace(first, masks=masks), *images[1:]]


def as_said(images: Any, vocabulary: Vocabulary, *, masks: bool) -> list[Any]:
    """Return images as plain values with names in place of numbers."""
    return [
        (
            image.name,
            np.round(image.boxes, 6).tolist(),
            [vocabulary.objects[n] for n in image.labels],
            sorted((s, vocabulary.predicates[p], o) for s, p, o in image.triplets.tolist()),
            image.masks if masks else None,
        )
        for image in images
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_comes_back(tmp_path: Path, form: AnnotationFormat) -> None:
    images = masked(made_images(12, seed=4))
    path = tmp_path / ("a.jsonl" if form == "vrd" else "a.json")
    write_exchanged(images, VOCABULARY, path, form=form)
    found = read_exchanged(path, VOCABULARY if form == "vrd" else None)
    masks = form in ("coco", "label-studio")
    assert found.rejects == ()
    assert as_said(found.images, found.vocabulary, masks=masks) == as_said(
        images, VOCABULARY, masks=masks
    )


COCO: dict[str, Any] = {
    "images": [{"id": 7, "file_name": "a.jpg", "height": 20, "width": 30}, {"id": 8}],
    "categories": [{"id": 3, "name": "dog"}, {"id": 4, "name": "hat"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 3, "bbox": [0, 0, 9, 9],
         "segmentation": [[2, 2, 8, 2, 8, 5, 2, 5]]},
        {"id": 2, "image_id": 7, "category_id": 4, "bbox": [1, 1, -3, 2]},
        {"id": 3, "image_id": 7, "category_id": 9, "bbox": [1, 1, 3, 2]},
        {"id": 4, "image_id": 99, "category_id": 3, "bbox": [1, 1, 3, 2]},
        {"id": 5, "image_id": 7, "category_id": 4, "bbox": [1, 1, 3, 2],
         "segmentation": {"size": [2, 2], "counts": [4]}},
        {"id": 6, "image_id": 7, "category_id": 4, "bbox": [1, 1, 3, 2], "segmentation": []},
        "no annotation",
    ],
    "predicates": [{"id": 1, "name": "wear"}],
    "relations": [
        {"image_id": 7, "subject_id": 1, "predicate_id": 1, "object_id": 6},
        {"image_id": 7, "subject_id": 1, "predicate_id": 1, "object_id": 2},
    ],
}  # fmt: skip


def test_bad_records_of_coco_are_told_by_number_and_the_others_land(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(json.dumps(COCO).encode()))
    found = read_exchanged(path)
    assert [(one.line, one.column) for one in found.rejects] == [
        (2, "images.file_name"),
        (2, "annotations.box"),
        (3, "annotations.category_id"),
        (4, "annotations.image"),
        (5, "annotations.segmentation"),
        (7, "annotations.image_id"),
        (2, "relations.object"),
    ]
    (image,) = found.images
    assert image.boxes.tolist() == [[0, 0, 9, 9], [1, 1, 4, 3]]
    assert image.triplets.tolist() == [[0, 0, 1]]
    assert image.masks[0] is not None
    assert image.masks[1] is None
    mask = decode_rle(image.masks[0])
    assert mask.shape == (20, 30)
    assert mask[2:6, 2:9].all()
    assert mask.sum() == 4 * 7


GENOME: list[Any] = [
    {
        "image_id": 5,
        "relationships": [
            {"predicate": "ON",
             "subject": {"object_id": 1, "name": "Dog", "x": 0, "y": 0, "w": 4, "h": 4},
             "object": {"object_id": 2, "names": ["mat"], "x": 0, "y": 2, "w": 9, "h": 3}},
            {"predicate": "", "subject_id": 1, "object_id": 2},
            {"predicate": "near", "subject_id": 1, "object_id": 77},
        ],
        "objects": [{"object_id": 3, "names": [], "x": 0, "y": 0, "w": 1, "h": 1}],
    },
    {"image_id": "six"},
    {"image_id": 5},
    {"image_id": 6, "objects": "none"},
]  # fmt: skip


def test_bad_records_of_visual_genome_are_told_and_the_others_land(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(GENOME))
    found = read_exchanged(path)
    assert [(one.line, one.column) for one in found.rejects] == [
        (1, "objects[1].name"),
        (1, "relationships[2].predicate"),
        (1, "relationships[3].object"),
        (2, "images.image_id"),
        (3, "images.image"),
        (4, "images.objects"),
    ]
    assert found.vocabulary == Vocabulary(("dog", "mat"), ("on",))
    assert [(image.name, len(image)) for image in found.images] == [("5.jpg", 2), ("6.jpg", 0)]


def region(key: str, label: str, **more: Any) -> dict[str, Any]:
    box = {"x": 10, "y": 50, "width": 20, "height": 25, "rotation": 0, "rectanglelabels": [label]}
    sides = {"original_width": 200, "original_height": 100}
    return {"id": key, "type": "rectanglelabels", **sides, "value": box | more}


def test_label_studio_gives_pixels_and_directed_relations(tmp_path: Path) -> None:
    tasks = [
        {
            "data": {"image": "/data/local-files/?d=pictures/my%20dog.jpg"},
            "annotations": [
                {"was_cancelled": True, "result": [region("x", "cat")]},
                {"result": [
                    region("a", "dog"),
                    region("b", "hat", rotation=30),
                    {**region("c", "hat"), "type": "polygonlabels",
                     "value": {"points": [[0, 0], [50, 0], [50, 50]], "polygonlabels": ["hat"]}},
                    {"type": "relation", "from_id": "a", "to_id": "c", "direction": "left",
                     "labels": ["on"]},
                    {"type": "relation", "from_id": "a", "to_id": "b", "labels": ["on"]},
                    {"type": "choices"},
                ]},
            ],
        },
        {"data": {"text": ""}, "predictions": []},
    ]  # fmt: skip
    path = tmp_path / "a.json"
    path.write_text(json.dumps(tasks))
    found = read_exchanged(path)
    assert [(one.line, one.column) for one in found.rejects] == [
        (1, "result[2].rotation"),
        (1, "result[5].object"),
        (1, "result[6].type"),
        (2, "tasks.data"),
    ]
    (image,) = found.images
    assert image.name == "my dog.jpg"
    assert image.boxes.tolist() == [[20, 50, 60, 75], [0, 0, 101, 51]]
    assert image.triplets.tolist() == [[1, 0, 0]]


def test_names_outside_a_given_vocabulary_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(GENOME[:1]))
    found = read_exchanged(path, Vocabulary(("dog",), ("on",)))
    assert "'mat' is not in the vocabulary" in found.rejects[1].reason
    assert len(found.images[0]) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "[1]", '[{"image_id": true}]', "[" * 5000])
def test_files_that_hold_nothing_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises((InputError, RecordError)):
        read_exchanged(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_whatever_stands_in_a_record_the_others_land(data: st.DataObject) -> None:
    value = json.loads(json.dumps(COCO))
    record = dict(value["annotations"][0]) | {"id": 50}
    record[data.draw(st.sampled_from(sorted(record)))] = data.draw(JSON)
    value["annotations"].insert(0, record)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_text(json.dumps(value))
        found = read_exchanged(path)
    assert [0, 0, 9, 9] in found.images[0].boxes.tolist()
