"""Descriptors against a plain loop, alignments, bridges and fusions against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from encoders import TinyImageEncoder
from kg.errors import ImageError, InputError, SettingError
from linkers.visual import Alignment, AlignmentConfig, Bridge, Fusion, VisualConfig, look_at
from linkers.visual.descriptors import describe
from tests.linkers.visual.drawn_world import drawn


def naive_outlines(image: np.ndarray, cell: int) -> np.ndarray:
    """Dalal and Triggs by loops over pixels."""
    x = np.pad(image.astype(float) / 255, ((1, 1), (1, 1), (0, 0)), mode="edge")
    side = 64 // cell
    cells = np.zeros((side, side, 9))
    for i in range(64):
        for j in range(64):
            dy, dx = x[i + 2, j + 1] - x[i, j + 1], x[i + 1, j + 2] - x[i + 1, j]
            size = np.sqrt(dx**2 + dy**2)
            c = int(size.argmax())
            place = (np.arctan2(dy[c], dx[c]) % np.pi) / np.pi * 9
            low = int(np.floor(place))
            cells[i // cell, j // cell, low % 9] += size[c] * (1 - place + low)
            cells[i // cell, j // cell, (low + 1) % 9] += size[c] * (place - low)
    blocks = []
    for i in range(side - 1):
        for j in range(side - 1):
            corners = (cells[i, j], cells[i + 1, j], cells[i, j + 1], cells[i + 1, j + 1])
            block = np.concatenate(corners)
            block = np.minimum(block / np.sqrt((block**2).sum() + 1e-2), 0.2)
            blocks.append(block / np.sqrt((block**2).sum() + 1e-2))
    return np.concatenate(blocks)


def test_outlines_equal_a_loop_over_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    found = describe([image])
    assert found["outlines"][0] == pytest.approx(naive_outlines(image, 8), abs=1e-4)
    assert found["coarse outlines"][0] == pytest.approx(naive_outlines(image, 16), abs=1e-4)


def test_colours_are_shares_of_what_is_inked() -> None:
    page = np.full((64, 64, 3), 255, dtype=np.uint8)
    red, half = page.copy(), page.copy()
    red[:20, :20] = (220, 30, 30)
    half[40:, 40:] = (220, 30, 30)
    colours = describe([page, red, half])["colours"]
    assert colours[0].max() < 1e-3
    assert colours[1] == pytest.approx(colours[2], abs=1e-3)
    assert (colours[1] ** 2).sum() == pytest.approx(1, abs=1e-3)


def test_rows_without_a_picture_are_zero_and_sizes_do_not_matter() -> None:
    image = drawn("first")[0]
    large = np.kron(image, np.ones((4, 4, 1), dtype=np.uint8))
    looks = look_at([large, None, image], TinyImageEncoder(), count=3)
    assert looks.present.tolist() == [True, False, True]
    assert set(looks.kinds) == {"whole", "patches", "outlines", "coarse outlines", "colours"}
    for vectors in looks.kinds.values():
        assert not vectors[1].any()
        assert vectors[0].any()
    assert looks.kinds["colours"][0] == pytest.approx(looks.kinds["colours"][2], abs=0.05)
    assert len(look_at([], TinyImageEncoder(), count=0)) == 0
    with pytest.raises(ImageError):
        look_at([np.zeros((3, 3), np.uint8)], TinyImageEncoder(), count=1)
    with pytest.raises(InputError, match="announced"):
        look_at([image], TinyImageEncoder(), count=2)


def test_an_alignment_solves_its_eigenproblem() -> None:
    generator = np.random.default_rng(1)
    m, e, base = (generator.normal(size=(n, 5)).astype(np.float32) for n in (20, 20, 30))
    learnt = Alignment.fit(m, e, base, AlignmentConfig(shrinkage=0.4, directions=3))
    a, b = (m - m.mean(0)).astype(float), (e - base.mean(0)).astype(float)
    within = np.zeros((5, 5))
    between = np.zeros((5, 5))
    for x, y in zip(a, b, strict=True):
        within += np.outer(x - y, x - y) / 2 / 20
        between += np.outer(x + y, x + y) / 4 / 20
    within = 0.6 * within + 0.4 * np.trace(within) / 5 * np.eye(5)
    values, vectors = linalg.eigh(between, within)
    for place in range(3):
        value, vector = values[-1 - place], vectors[:, -1 - place]
        ours = learnt.directions[:, place]
        wanted = vector * value / (1 + value)
        assert min(np.abs(ours - wanted).max(), np.abs(ours + wanted).max()) < 1e-4


def test_long_vectors_go_through_components_of_the_base() -> None:
    generator = np.random.default_rng(2)
    base = generator.normal(size=(40, 30)).astype(np.float32)
    config = AlignmentConfig(components=6, directions=10)
    learnt = Alignment.fit(base[:20] + 1, base[:20], base, config)
    assert learnt.directions.shape == (30, 6)
    assert np.linalg.matrix_rank(learnt.directions) == 6


def test_weights_minimise_the_cross_entropy() -> None:
    generator = np.random.default_rng(3)
    gold = generator.integers(0, 9, size=40)
    scores = generator.normal(size=(3, 40, 9)).astype(np.float32)
    scores[0, np.arange(40), gold] += 1.5
    fusion = Fusion.fit(scores, gold)

    def loss(weights: np.ndarray) -> float:
        total = 0.0
        for n in range(40):
            logits = np.zeros(9)
            for unit in range(3):
                level = scores[unit, n] - scores[unit, n].mean()
                logits += weights[unit] * level / fusion.scales[unit]
            total -= logits[gold[n]] - np.log(np.exp(logits).sum())
        return total / 40 + 1e-3 * float(weights @ weights)

    best = loss(fusion.weights)
    for step in np.concatenate([np.eye(3), -np.eye(3)]) * 0.05:
        assert loss(fusion.weights + step) > best
    assert fusion.weights[0] > 3 * abs(fusion.weights[1])


def test_a_large_base_is_sampled_and_keeps_the_right_ones() -> None:
    generator = np.random.default_rng(4)
    gold = generator.integers(0, 6000, size=12)
    scores = generator.normal(size=(1, 12, 6000)).astype(np.float32)
    scores[0, np.arange(12), gold] += 9
    assert Fusion.fit(scores, gold).weights[0] > 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: AlignmentConfig(shrinkage=0),
        lambda: AlignmentConfig(directions=0),
        lambda: VisualConfig(folds=1),
        lambda: VisualConfig(bridge_penalty=-1.0),
    ],
)
def test_settings_out_of_range_are_refused(wrong) -> None:
    with pytest.raises(SettingError):
        wrong()


def test_what_cannot_be_learnt_is_refused() -> None:
    one = np.ones((1, 3), dtype=np.float32)
    with pytest.raises(InputError, match="two pairs"):
        Alignment.fit(one, one, one, AlignmentConfig())
    with pytest.raises(InputError):
        Bridge.fit(one, np.ones((2, 3), dtype=np.float32))
    with pytest.raises(SettingError):
        Bridge.fit(one, one, penalty=0)
    with pytest.raises(InputError):
        Fusion.fit(np.ones((1, 2, 3), dtype=np.float32), np.array([0]))
