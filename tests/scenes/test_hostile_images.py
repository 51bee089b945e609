"""Hostile files, a few of each kind: read, or refused by a name, and never anything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.hostile_images import Outcome, outcome_of
from bench.hostile_pictures import KINDS, hostile_picture
from kg.images import ImageFolder
from scenes.pipeline import SceneModel
from scenes.regions import segment

_EACH = 12
_OF_COSTLY = 3
_COSTLY = frozenset({"bomb of text", "chequered", "rough", "too many bytes"})


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_is_read_or_refused_by_a_name(
    kind: str, model: SceneModel, tmp_path: Path
) -> None:
    images = ImageFolder(tmp_path)
    make = KINDS[kind][1]
    count = _OF_COSTLY if kind in _COSTLY else _EACH
    found = [outcome_of(make(np.random.default_rng([1, n])), model, images) for n in range(count)]
    assert [outcome for outcome in found if not outcome.fair] == []


def test_kinds_that_must_not_be_read_are_not(model: SceneModel, tmp_path: Path) -> None:
    images = ImageFolder(tmp_path)
    for kind in (
        "SVG",
        "wrong type",
        "no picture",
        "too many bytes",
        "bomb of pixels",
        "bomb of text",
    ):
        found = outcome_of(KINDS[kind][1](np.random.default_rng(5)), model, images)
        assert found.fair, kind
        assert found.name != "read", kind


def test_a_number_names_one_file_for_ever() -> None:
    assert hostile_picture(17, seed=3) == hostile_picture(17, seed=3)
    assert hostile_picture(17, seed=3) != hostile_picture(17, seed=4)


def test_an_error_of_another_kind_is_not_fair() -> None:
    assert not Outcome(name="crash: ValueError: x").fair
    assert not Outcome(name="hang").fair


def test_a_ribbon_keeps_its_bands() -> None:
    """Thinned out by 40, two rows were none, and the whole became one region."""
    ribbon = np.zeros((2, 20_000, 3), dtype=np.uint8)
    ribbon[:, 10_000:] = (206, 17, 38)
    assert {region.colour for region in segment(ribbon)} == {"black", "red"}
    assert {region.colour for region in segment(ribbon.transpose(1, 0, 2))} == {"black", "red"}
