"""The cache of predicted rows: what it returns, what it forgets, and what a crash leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kg.errors import ForeignFileError
from reasoning.protocols import RankedRows, SparseRows
from reasoning.symbolic.config import SymbolicConfig
from reasoning.symbolic.predicted_rows import PredictedEdges, PredictedRows
from reasoning.symbolic.row_block import RowBlock, block_of, load_block, merged, save_block
from tests.reasoning.dense_oracle import TablePredictor

COUNT = 12


def _table(seed: int) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    # a coarse grid makes equal probabilities frequent
    return (random.integers(0, 9, (2, COUNT, COUNT)) / 10).astype(np.float32)


class SparseTable(TablePredictor):
    """Implements `SparseLinkPredictor` by a table, without dense rows."""

    def sparse_rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool, floor: float
    ) -> SparseRows:
        from scipy.sparse import csr_matrix

        dense = super().rows(entities, relation, inverse=inverse)
        kept = np.where(dense > floor, dense, 0.0)
        return SparseRows(
            matrix=csr_matrix(kept), dropped=dense.max(axis=1, where=dense <= floor, initial=0.0)
        )

    def rows(self, *_: object, **__: object) -> NDArray[np.float32]:
        raise AssertionError("a predictor with sparse rows is not asked for dense ones")


class RankedTable(TablePredictor):
    """Implements `RankedLinkPredictor` by a table, without dense rows."""

    num_directed = 4

    def ranked_rows(
        self,
        entities: NDArray[np.int32],
        directed: NDArray[np.int64],
        *,
        floor: float,
        longest: int,
    ) -> RankedRows:
        counts, ends, values, dropped = [], [], [], []
        for entity, step in zip(entities.tolist(), directed.tolist(), strict=True):
            dense = super().rows(np.array([entity]), step % 2, inverse=step >= 2)[0]
            order = np.argsort(-dense, kind="stable")
            kept = order[dense[order] > floor][:longest]
            counts.append(len(kept))
            ends.append(kept.astype(np.int32))
            values.append(dense[kept])
            dropped.append(np.delete(dense, kept).max(initial=0.0))
        return RankedRows(
            counts=np.array(counts),
            ends=np.concatenate(ends),
            probabilities=np.concatenate(values),
            dropped=np.array(dropped, dtype=np.float32),
        )

    def rows(self, *_: object, **__: object) -> NDArray[np.float32]:
        raise AssertionError("a predictor with ranked rows is not asked for dense ones")


class Named(TablePredictor):
    """A predictor of another name."""

    @property
    def fingerprint(self) -> str:
        return "another"


def _pairs(found: PredictedEdges) -> set[tuple[int, int, float]]:
    return set(
        zip(found.sources.tolist(), found.ends.tolist(), found.probabilities.tolist(), strict=True)
    )


def _expected(
    dense: NDArray[np.float32], above: NDArray[np.float64], config: SymbolicConfig
) -> tuple[set[tuple[int, int, float]], NDArray[np.float32]]:
    """Return what a call must find where no two entries at the cut are equal, and what is left."""
    found, beyond = set(), []
    for place, row in enumerate(np.minimum(dense, np.float32(1 - config.delta))):
        kept = [int(end) for end in np.argsort(-row, kind="stable") if row[end] > config.epsilon]
        kept, cut = kept[: config.row_entries], kept[config.row_entries :]
        small = row[row <= config.epsilon].tolist()
        below = [row[end] for end in kept if row[end] <= above[place]]
        beyond.append(max([*(row[end] for end in cut), *small, *below], default=0.0))
        found |= {(place, end, float(row[end])) for end in kept if row[end] > above[place]}
    return found, np.array(beyond, dtype=np.float32)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 30),
    st.lists(st.sets(st.integers(0, COUNT - 1), min_size=1), min_size=1, max_size=5),
    st.sampled_from([0.0, 0.25]),
    st.sampled_from([3, COUNT]),
    st.sampled_from([1, 2_000, 10**9]),
    st.sampled_from([TablePredictor, SparseTable, RankedTable]),
)
def test_rows_are_what_the_predictor_says_whatever_was_kept(
    seed: int,
    asked: list[set[int]],
    epsilon: float,
    row_entries: int,
    memory_bytes: int,
    kind: type[TablePredictor],
) -> None:
    table = _table(seed)
    config = SymbolicConfig(
        epsilon=epsilon, row_entries=row_entries, memory_bytes=memory_bytes, block_cells=2 * COUNT
    )
    rows = PredictedRows(kind(table), config)
    random = np.random.default_rng(seed)
    for number, wanted in enumerate(asked):
        ids = np.array(sorted(wanted), dtype=np.int32)
        relation, inverse = number % 2, number % 3 == 0
        above = random.choice([0.0, 0.1, 0.55, 0.9], len(ids))
        if number % 2:
            rows.fetch(rows.keys(ids, relation, inverse=inverse))
        found = rows.edges(ids, relation, inverse=inverse, above=above)
        dense = (table[relation].T if inverse else table[relation])[ids]
        expected, beyond = _expected(dense, above, config)
        np.testing.assert_array_equal(found.beyond, beyond)
        if row_entries == COUNT:
            assert _pairs(found) == expected
        else:  # of equal probabilities at the cut either may stay
            assert sorted(p[::2] for p in _pairs(found)) == sorted(p[::2] for p in expected)
            assert all(dense[p[0], p[1]] == pytest.approx(p[2], abs=1e-3) for p in _pairs(found))


def _all(rows: PredictedRows, relation: int = 0) -> set[tuple[int, int, float]]:
    ids = np.arange(COUNT, dtype=np.int32)
    return _pairs(rows.edges(ids, relation, inverse=False, above=np.zeros(COUNT)))


def test_a_second_process_starts_warm_and_another_model_does_not(tmp_path: Path) -> None:
    table, config = _table(3), SymbolicConfig()
    first = PredictedRows(TablePredictor(table), config, tmp_path)
    expected = _all(first)
    first.flush()

    predictor = TablePredictor(table)
    second = PredictedRows(predictor, config, tmp_path)
    assert _all(second) == expected
    assert predictor.calls == 0

    other = Named(_table(4))
    assert _all(PredictedRows(other, config, tmp_path)) != expected
    assert other.calls > 0
    setting = TablePredictor(table)
    _all(PredictedRows(setting, SymbolicConfig(epsilon=0.3), tmp_path))
    assert setting.calls > 0


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign"])
def test_a_torn_file_is_told_and_its_rows_are_computed_again(tmp_path: Path, damage: str) -> None:
    table, config = _table(3), SymbolicConfig()
    first = PredictedRows(TablePredictor(table), config, tmp_path)
    expected = _all(first)
    first.flush()
    [path] = tmp_path.rglob("*.rows")
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    path.write_bytes(
        {
            "cut": bytes(content[:-5]),
            "flipped": bytes(content),
            "empty": b"",
            "foreign": b"x" * len(content),
        }[damage]
    )
    with pytest.raises(ForeignFileError):
        load_block(path)

    predictor = TablePredictor(table)
    second = PredictedRows(predictor, config, tmp_path)
    assert not path.exists()
    assert _all(second) == expected
    assert predictor.calls > 0
    second.flush()
    assert len(list(tmp_path.rglob("*.rows"))) == 1


def test_processes_that_write_the_same_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    table, config = _table(3), SymbolicConfig()
    many = [PredictedRows(TablePredictor(table), config, tmp_path) for _ in range(3)]
    truth = [_all(PredictedRows(TablePredictor(table), config), r) for r in (0, 1)]
    for turn in range(4):
        for place, rows in enumerate(many):
            ids = np.array([turn, turn + 4 + place], dtype=np.int32)
            rows.fetch(rows.keys(ids, (turn + place) % 2, inverse=False))
            rows.flush()
            # what one has merged away, another may still have mapped
            assert [_all(one, 0) for one in many] == [truth[0]] * 3
    late = PredictedRows(TablePredictor(table), config, tmp_path)
    assert [_all(late, r) for r in (0, 1)] == truth


def test_disk_stays_within_its_limit(tmp_path: Path) -> None:
    config = SymbolicConfig(disk_bytes=3_000)
    rows = PredictedRows(TablePredictor(_table(1)), config, tmp_path)
    for turn in range(COUNT):
        ids = np.array([turn], dtype=np.int32)
        rows.fetch(rows.keys(ids, turn % 2, inverse=turn % 3 == 0))
        rows.flush()
        sizes = [path.stat().st_size for path in tmp_path.rglob("*.rows")]
        assert sum(sizes) <= 4_000 or len(sizes) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.integers(1, 20))
def test_a_block_survives_its_file_and_a_merge_keeps_the_first(seed: int, longest: int) -> None:
    from tempfile import TemporaryDirectory

    table = _table(seed)
    predictor = SparseTable(table)

    def block(ids: list[int], relation: int) -> RowBlock:
        found = predictor.sparse_rows(
            np.array(ids, dtype=np.int32), relation, inverse=False, floor=0.05
        )
        return block_of(np.array(ids, dtype=np.int64), found, largest=0.75, longest=longest)

    one, other = block([1, 4, 7], 0), block([0, 4, 9], 1)
    both = merged(one, other)
    assert both.keys.tolist() == [0, 1, 4, 7, 9]
    place, start = 2, int(one.bounds[1])
    span = slice(int(both.bounds[place]), int(both.bounds[place + 1]))
    np.testing.assert_array_equal(
        both.probabilities[span], one.probabilities[start : int(one.bounds[2])]
    )
    for row in range(5):
        found = both.probabilities[int(both.bounds[row]) : int(both.bounds[row + 1])]
        assert (np.diff(found) <= 0).all()
        assert len(found) <= longest
        assert found.max(initial=0.0) <= np.float32(0.75)
    with TemporaryDirectory() as folder:
        save_block(both, Path(folder) / "x.rows")
        again = load_block(Path(folder) / "x.rows")
        for mine, theirs in zip(both.arrays(), again.arrays(), strict=True):
            np.testing.assert_array_equal(mine, theirs)
