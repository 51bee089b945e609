"""Pictures of the demo's mentions: bounded, repeatable, and telling nothing by being there."""

from __future__ import annotations

import numpy as np
import pytest

from api.demo.mention_pictures import VARIANTS, mention_pictures, split_of, variant

CODES = [f"{a}{b}" for a in "ABCDEFGH" for b in "ABCDEFGH"]
FLAGS = {
    code: np.random.default_rng(list(code.encode())).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    for code in CODES
}
WITHHELD = CODES[:6]
ALIKE = [["AG", "HH"]]


def records() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for number in range(400):
        group = ("names", "short", "nil", "lists")[number % 4]
        code = None if group == "nil" else CODES[6 + number % 50]
        rows.append({"id": f"m{number}", "group": group, "entity_id": code})
    return rows


def made(seed: int = 0):
    return mention_pictures(records(), FLAGS, drawn_alike=ALIKE, withheld=WITHHELD, seed=seed)


def test_who_gets_a_picture() -> None:
    found = made()
    by_id = {row["id"]: row for row in records()}
    shown = [by_id[i] for i in found.of_mention if i in by_id]
    assert {row["group"] for row in shown} == {"short", "nil"}
    assert sum(row["group"] == "short" for row in shown) == 100
    nil = [row for row in shown if row["group"] == "nil"]
    # of the linkable text mentions one half is shown: of NIL ones about as many
    assert 30 <= len(nil) <= 70
    assert {found.of_mention[row["id"]].split("/")[0] for row in nil} <= set(WITHHELD)


def test_each_flag_is_shown_once_without_words() -> None:
    found = made()
    kept = {code for code in CODES if split_of("AG" if code == "HH" else code) is not None}
    assert {row["id"] for row in found.records} == {f"pictures-{code}" for code in kept}
    for row in found.records:
        code = row["id"].removeprefix("pictures-")
        assert row["mention"] == row["context"] == ""
        assert row["entity_id"] == (None if code in WITHHELD else code)
    splits = {row["id"]: row["split"] for row in found.records}
    assert splits.get("pictures-AG") == splits.get("pictures-HH")
    assert set(found.of_mention.values()) == set(found.images)


def test_the_same_seed_gives_the_same_pictures() -> None:
    one, again, other = made(), made(), made(seed=1)
    assert one.of_mention == again.of_mention != other.of_mention
    for name, image in one.images.items():
        np.testing.assert_array_equal(image, again.images[name])


@pytest.mark.parametrize("kind", VARIANTS)
def test_variants(kind: str) -> None:
    image = FLAGS["CC"]
    changed = variant(image, kind, np.random.default_rng(0))
    assert changed.dtype == np.uint8
    assert changed.ndim == 3
    if kind == "crop":
        assert changed.shape == (21, 28, 3)
    elif kind == "turned":
        assert changed.shape[0] > image.shape[0]
        assert changed.mean() < image.mean() + 60
    else:
        assert (changed == changed[:, :, :1]).all()
