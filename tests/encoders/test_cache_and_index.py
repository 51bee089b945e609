"""What is kept equals what was computed; the index equals brute force."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import (
    CachedImageEncoder,
    CachedTextEncoder,
    TinyImageEncoder,
    TinyTextEncoder,
    VectorIndex,
)
from kg.errors import ForeignFileError, FormatVersionError, InputError


class Counting:
    """Counts what reaches the real encoder, and can be interrupted."""

    def __init__(self, encoder, *, stop_after: int | None = None) -> None:
        self._encoder = encoder
        self.asked: list[object] = []
        self._stop_after = stop_after

    dimension = property(lambda self: self._encoder.dimension)
    fingerprint = property(lambda self: self._encoder.fingerprint)
    grid = property(lambda self: self._encoder.grid)

    def encode(self, items):
        self.asked.extend(items)
        if self._stop_after is not None and len(self.asked) > self._stop_after:
            raise KeyboardInterrupt
        return self._encoder.encode(items)


def test_cached_texts_equal_fresh_ones_and_are_encoded_once(tmp_path: Path) -> None:
    inner = Counting(TinyTextEncoder())
    texts = ["Peru", "", "Chile and Peru", "Peru", "Iran"]
    fresh = TinyTextEncoder().encode(texts)
    for _ in range(2):
        kept = CachedTextEncoder(inner, tmp_path).encode(texts)
        np.testing.assert_allclose(kept.pooled, fresh.pooled, atol=1e-6)
        np.testing.assert_array_equal(kept.tokens, fresh.tokens)
        np.testing.assert_array_equal(kept.mask, fresh.mask)
    assert inner.asked == ["Peru", "", "Chile and Peru", "Iran"]


def test_first_and_second_reading_are_bit_equal(tmp_path: Path) -> None:
    encoder = CachedTextEncoder(TinyTextEncoder(), tmp_path)
    first, second = encoder.encode(["a b", "c"]), encoder.encode(["a b", "c"])
    np.testing.assert_array_equal(first.pooled, second.pooled)


def test_cached_pictures_know_their_shape(tmp_path: Path) -> None:
    inner = Counting(TinyImageEncoder())
    wide, tall = np.zeros((2, 8, 3), np.uint8), np.zeros((8, 2, 3), np.uint8)
    encoder = CachedImageEncoder(inner, tmp_path)
    assert encoder.grid == (4, 4)
    encoder.encode([wide, tall])
    assert len(inner.asked) == 2


def test_interrupt_keeps_whole_batches(tmp_path: Path) -> None:
    texts = [f"word {number}" for number in range(100)]
    with pytest.raises(KeyboardInterrupt):
        CachedTextEncoder(Counting(TinyTextEncoder(), stop_after=70), tmp_path).encode(texts)
    again = Counting(TinyTextEncoder())
    CachedTextEncoder(again, tmp_path).encode(texts)
    assert again.asked == texts[64:]


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    CachedTextEncoder(TinyTextEncoder(), tmp_path).encode(["a"])
    (file,) = tmp_path.glob("*.sqlite")
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(FormatVersionError):
        CachedTextEncoder(TinyTextEncoder(), tmp_path)
    file.write_bytes(b"something else entirely, long enough to be read as a header" * 20)
    with pytest.raises(ForeignFileError):
        CachedTextEncoder(TinyTextEncoder(), tmp_path)


def test_a_truncated_vector_is_refused(tmp_path: Path) -> None:
    encoder = CachedTextEncoder(TinyTextEncoder(), tmp_path)
    encoder.encode(["a"])
    (file,) = tmp_path.glob("*.sqlite")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE vectors SET pooled = x'0000'")
    connection.close()
    with pytest.raises(ForeignFileError, match="wrong size"):
        encoder.encode(["a"])


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(0, 30),
    queries=st.integers(0, 5),
    k=st.integers(1, 8),
)
def test_index_equals_brute_force(seed: int, count: int, queries: int, k: int) -> None:
    generator = np.random.default_rng(seed)
    # few distinct values make ties; some rows are absent
    vectors = generator.integers(-1, 2, size=(count, 3)).astype(np.float32)
    wanted = generator.integers(-1, 2, size=(queries, 3)).astype(np.float32)
    positions, scores = VectorIndex(vectors).search(wanted, k=k)
    assert positions.shape == scores.shape == (queries, k)
    for row, query in enumerate(wanted):
        pairs = [(-float(query @ v), n) for n, v in enumerate(vectors) if v.any() and query.any()]
        best = sorted(pairs)[:k]
        assert positions[row].tolist() == [n for _, n in best] + [-1] * (k - len(best))
        assert scores[row][: len(best)].tolist() == [-s for s, _ in best]


def test_index_refuses_what_is_not_finite() -> None:
    with pytest.raises(InputError):
        VectorIndex(np.array([[np.nan]], dtype=np.float32))
    with pytest.raises(InputError):
        VectorIndex(np.eye(2, dtype=np.float32)).search(np.eye(2, dtype=np.float32), k=0)


def test_approximate_index_finds_near_neighbours() -> None:
    pytest.importorskip("faiss", exc_type=ImportError)
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(3000, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = VectorIndex(vectors, exact_up_to=1000)
    positions, _ = index.search(vectors[:200], k=1)
    assert (positions[:, 0] == np.arange(200)).mean() > 0.95
