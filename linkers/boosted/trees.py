"""Boosted trees as plain arrays: fitted by scikit-learn, kept and applied without it.

A fitted forest is five arrays over all nodes of all trees, so it is saved as safetensors and no
pickle is needed; masks of leaves apply it (`linkers.boosted.leaf_masks`). The tests hold its scores
against scikit-learn's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from kg.errors import InputError, SettingError
from linkers.boosted.bins import MOST_ROWS, Bins
from linkers.boosted.leaf_masks import LeafMasks

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

__all__ = ["Forest", "TreeConfig", "fit_forest"]

_SHARED = 20_000_000  # numbers from which on threads are worth their waiting for one another
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeConfig:
    """How a forest is grown; chosen on the valid mentions of both text sets.

    Attributes:
        trees: Number of trees, at least 1.
        learning_rate: Shrinkage of a tree's answer, (0, 1].
        leaves: Most leaves of a tree, at least 2.
        smallest_leaf: Fewest training pairs in a leaf.
        penalty: L2 penalty on answers.
        columns: Share of the columns tried at a split, (0, 1].

    Raises:
        SettingError: A number is out of range; it is named.
    """

    trees: int = 250
    learning_rate: float = 0.08
    leaves: int = 31
    smallest_leaf: int = 40
    penalty: float = 5.0
    columns: float = 0.5

    def __post_init__(self) -> None:
        """Check every number."""
        for name, low in (("trees", 1), ("leaves", 2), ("smallest_leaf", 1)):
            if getattr(self, name) < low:
                raise SettingError(f"must be at least {low}", where=name)
        for name in ("learning_rate", "columns"):
            if not 0 < getattr(self, name) <= 1:
                raise SettingError("must lie in (0, 1]", where=name)
        if self.penalty < 0:
            raise SettingError("must not be negative", where="penalty")


@dataclass(frozen=True, kw_only=True, eq=False)
class Forest:
    """Trees one after the other; a node's children stand in the same arrays.

    Attributes:
        column: ``(nodes,)`` int32, which feature is asked; -1 for a leaf.
        threshold: ``(nodes,)`` float64; a value at most so large goes left.
        absent_left: ``(nodes,)`` bool, whether NaN goes left.
        children: ``(nodes, 2)`` int32, left and right.
        answer: ``(nodes,)`` float64, of a leaf.
        roots: ``(trees,)`` int32.
        start: Score before the first tree.
        columns: How many features a row has.

    Raises:
        InputError: The arrays make no forest.
    """

    column: NDArray[np.int32]
    threshold: NDArray[np.float64]
    absent_left: NDArray[np.bool_]
    children: NDArray[np.int32]
    answer: NDArray[np.float64]
    roots: NDArray[np.int32]
    start: float
    columns: int

    def __post_init__(self) -> None:
        """Check that the nodes make trees."""
        count = len(self.column)
        inner = np.flatnonzero(self.column >= 0)
        shapes = (
            self.threshold.shape == self.absent_left.shape == self.answer.shape == (count,)
            and self.children.shape == (count, 2)
            and self.roots.ndim == 1
        )
        if not shapes or not len(self.roots):
            raise InputError("arrays of different lengths make no trees")
        steps = self.children[inner]
        tree = np.searchsorted(self.roots, np.arange(count), side="right")
        # every node but the roots is the child of one node of its tree, which stands before it,
        # hence every walk ends, and in its tree
        if (
            self.roots[0] != 0
            or (np.diff(self.roots) <= 0).any()
            or (self.roots >= count).any()
            or (self.column >= self.columns).any()
            or (steps <= inner[:, None]).any()
            or (steps >= count).any()
            or not np.array_equal(
                np.sort(steps, axis=None), np.setdiff1d(np.arange(count), self.roots)
            )
            or (tree[steps] != tree[inner][:, None]).any()
            or not np.isfinite(self.answer).all()
        ):
            raise InputError("a node points outside its tree")

    def scores(self, values: Floats) -> NDArray[np.float64]:
        """Return ``(n,)`` log-odds.

        Args:
            values: ``(n, columns)``; NaN is an absent value.

        Raises:
            InputError: Rows of another width.
        """
        if values.ndim != 2 or values.shape[1] != self.columns:
            raise InputError(f"rows of {self.columns} features are needed, not {values.shape}")
        return self._masks.scores(values)

    @cached_property
    def _masks(self) -> LeafMasks:
        return LeafMasks(self)

    def parted(self, first: int) -> tuple[Forest, Forest]:
        """Return the first trees, at least one, and the rest, whose scores add up to the whole."""
        cut = int(self.roots[first])
        return self._cut(0, first, cut, self.start), self._cut(first, None, cut, 0.0)

    def _cut(self, first: int, last: int | None, cut: int, start: float) -> Forest:
        nodes = slice(0, cut) if first == 0 else slice(cut, None)
        shift = 0 if first == 0 else cut
        inner = self.column[nodes, None] >= 0
        return Forest(
            column=self.column[nodes],
            threshold=self.threshold[nodes],
            absent_left=self.absent_left[nodes],
            children=np.where(inner, self.children[nodes] - shift, 0),
            answer=self.answer[nodes],
            roots=self.roots[first:last] - shift,
            start=start,
            columns=self.columns,
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return plain arrays, for safetensors."""
        return {
            "column": self.column,
            "threshold": self.threshold,
            "absent_left": self.absent_left,
            "children": self.children,
            "answer": self.answer,
            "roots": self.roots,
            "start": np.array([self.start, self.columns], dtype=np.float64),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Forest:
        """Read what `arrays` gave.

        Raises:
            InputError: They make no forest.
        """
        try:
            start, columns = arrays["start"].tolist()
            names = ("column", "threshold", "absent_left", "children", "answer", "roots")
            return cls(**{name: arrays[name] for name in names}, start=start, columns=int(columns))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"not the arrays of trees ({error})") from error


def fit_forest(
    values: Floats,
    targets: NDArray[np.bool_],
    weights: Floats,
    *,
    config: TreeConfig,
    seed: int = 0,
) -> Forest:
    """Grow trees that tell true pairs from others.

    Args:
        values: ``(n, columns)``; NaN is an absent value.
        targets: ``(n,)`` whether a pair is true.
        weights: ``(n,)``, above 0.
        config: Settings.
        seed: Of the columns tried.

    Raises:
        InputError: All pairs are true, or none is.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # only training waits for it

    if targets.all() or not targets.any():
        raise InputError(
            "a ranker learns from right and wrong candidates, and one kind is missing",
            hint="give training mentions whose entities are in the file of entities",
        )
    absent = np.asarray(np.isnan(values).all(axis=0))
    if absent.any():  # scikit-learn cannot bin them; as constants no tree asks for them
        values = np.where(absent[None], np.float32(0), values)
    model = HistGradientBoostingClassifier(
        max_iter=config.trees,
        learning_rate=config.learning_rate,
        max_leaf_nodes=config.leaves,
        min_samples_leaf=config.smallest_leaf,
        l2_regularization=config.penalty,
        max_features=config.columns,
        early_stopping=False,
        random_state=seed,
    )
    bins = Bins.of(values, weights) if len(values) <= MOST_ROWS else None
    # Threads wait for one another, spinning, at every split. Where other work has the cores that
    # is nearly all of the time: two took thirty times as long as one on ten thousand pairs.
    with threadpool_limits(None if values.size >= _SHARED else 1, user_api="openmp"):
        model.fit(values if bins is None else bins.codes, targets, sample_weight=weights)
    return _forest_of(model, values.shape[1], bins)


def _forest_of(model: HistGradientBoostingClassifier, columns: int, bins: Bins | None) -> Forest:
    # scikit-learn has no public way to its histogram trees; a test compares the scores.
    trees = [tree.nodes for (tree,) in model._predictors]  # noqa: SLF001
    sizes = np.array([len(nodes) for nodes in trees])
    roots = np.cumsum(sizes) - sizes
    nodes = np.concatenate(trees)
    shift = np.repeat(roots, sizes)
    leaf = nodes["is_leaf"].astype(np.bool_)
    threshold = nodes["num_threshold"].astype(np.float64)
    if bins is not None:
        asked = np.flatnonzero(~leaf & np.isfinite(threshold))  # infinity asks what is absent
        lengths = np.array([len(column) for column in bins.thresholds])
        first = np.cumsum(lengths) - lengths
        place = first[nodes["feature_idx"][asked]] + nodes["bin_threshold"][asked]
        threshold[asked] = np.concatenate(bins.thresholds)[place]
    children = np.stack([nodes["left"] + shift, nodes["right"] + shift], axis=1)
    return Forest(
        column=np.where(leaf, -1, nodes["feature_idx"]).astype(np.int32),
        threshold=threshold,
        absent_left=nodes["missing_go_to_left"].astype(np.bool_),
        children=np.where(leaf[:, None], 0, children).astype(np.int32),
        answer=np.where(leaf, nodes["value"], 0.0).astype(np.float64),
        roots=roots.astype(np.int32),
        start=float(np.ravel(model._baseline_prediction)[0]),  # noqa: SLF001
        columns=columns,
    )
