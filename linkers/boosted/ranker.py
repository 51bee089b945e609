"""Ranks the candidates of mentions by boosted trees, and says how sure it is.

The trees see one pair at a time (margins tell them of the rest). A second, small pair of forests
sees the ranked list of a mention and says whether the first candidate is right, and whether the
entity is in the base at all; both are calibrated on mentions that no tree was grown on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, SettingError
from linkers.boosted.describing import Described
from linkers.boosted.features import FEATURES, is_memory
from linkers.boosted.pairs import Pairs
from linkers.boosted.trees import Forest, TreeConfig, fit_forest

__all__ = ["Ranker", "RankerConfig", "fit_ranker", "plain_scores"]

Floats = NDArray[np.float64]
_FEWEST_TREES = 30  # fewer all see all candidates
_SHORT_LIST = 12  # candidates that the later two thirds of the trees see
_PLAIN_WEIGHTS = {
    "letters": 2.0,
    "same whole name": 1.0,
    "same bare name": 1.0,
    "initials": 1.0,
    "adjective": 1.0,
    "mention's words held": 1.0,
    "words held by text": 1.0,
    "name vector": 1.0,
    "text vector": 1.0,
    "prior": 2.0,
}
"""Of a ranker without training, and of which wrong candidates a training looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankerConfig:
    """How a ranker is trained.

    Attributes:
        trees: Of the ranking.
        wrong: Wrong candidates of a mention that training looks at, the most alike; at least 1.
        memory: Whether it may see what training mentions tell of an entity.
        unseen_weight: Weight in training of a mention whose entity no other document names,
            above 0. Above 1 makes the ranker trust memory less; chosen on valid.

    Raises:
        SettingError: A number is out of range.
    """

    trees: TreeConfig = field(default_factory=TreeConfig)
    wrong: int = 24
    memory: bool = True
    unseen_weight: float = 3.0

    def __post_init__(self) -> None:
        """Check every number."""
        if self.wrong < 1:
            raise SettingError("must be at least 1", where="wrong")
        if not 0 < self.unseen_weight < float("inf"):
            raise SettingError("must be above 0", where="unseen_weight")

    @property
    def columns(self) -> list[int]:
        """Columns of `FEATURES` that the trees see."""
        return [n for n, name in enumerate(FEATURES) if self.memory or not is_memory(name)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranker:
    """A trained ranker; without trees it adds up a few likenesses.

    Attributes:
        config: Settings.
        forest: The trees; None for a ranker that saw no training mention.
    """

    config: RankerConfig = field(default_factory=RankerConfig)
    forest: Forest | None = None

    def scores(self, described: Described) -> Floats:
        """Return ``(P,)`` log-odds of each pair."""
        if self.forest is None:
            return plain_scores(described)
        columns = self.config.columns
        values = described.values
        if len(columns) < values.shape[1]:
            values = values[:, columns]
        if len(self.forest.roots) < _FEWEST_TREES:
            return self.forest.scores(values)
        return self._by_short_list(values, described.pairs)

    def _by_short_list(self, values: NDArray[np.float32], pairs: Pairs) -> Floats:
        """Return scores: the first trees see all candidates, the rest the best of them alone.

        What is not on the list is as far below its early score as the worst on the list.
        """
        early_trees, late_trees = self._halves
        early = early_trees.scores(values)
        order = np.lexsort((-early, pairs.rows))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order)) - pairs.starts[pairs.rows[order]]
        listed = np.flatnonzero(place < _SHORT_LIST)
        late = np.full(len(early), np.inf)
        late[listed] = late_trees.scores(values.T.take(listed, axis=1).T)  # columns stay together
        worst = np.minimum.reduceat(late, pairs.starts)[pairs.rows]
        found: Floats = early + np.where(np.isfinite(late), late, worst)
        return found

    @cached_property
    def _halves(self) -> tuple[Forest, Forest]:
        forest = self.forest
        if forest is None:
            raise InputError("there are no trees to part")
        return forest.parted(len(forest.roots) // 3)


def plain_scores(described: Described) -> Floats:
    """Return ``(P,)`` weighted sums of likenesses, for want of training."""
    columns = [FEATURES.index(name) for name in _PLAIN_WEIGHTS]
    values = np.nan_to_num(described.values[:, columns].astype(np.float64))
    result: Floats = values @ np.array(list(_PLAIN_WEIGHTS.values()))
    return result


def fit_ranker(
    described: Described, gold: NDArray[np.int64], *, config: RankerConfig, seed: int = 0
) -> Ranker:
    """Train a ranker.

    Args:
        described: Training mentions, described apart from their own links.
        gold: ``(n,)`` id of each one's entity, -1 for none.
        config: Settings.
        seed: Of the trees.

    Raises:
        InputError: No mention has its entity among its candidates.
    """
    pairs = described.pairs
    right = pairs.ids == gold[pairs.rows]
    order = np.lexsort((-plain_scores(described), pairs.rows))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - pairs.starts[pairs.rows[order]]
    kept = np.flatnonzero(right | (place < config.wrong))
    links = described.values[:, FEATURES.index("links of entity")]
    unseen = np.zeros(len(described), dtype=np.bool_)
    unseen[pairs.rows[right]] = links[right] == 0
    weights = np.where(unseen[pairs.rows[kept]], config.unseen_weight, 1.0)
    forest = fit_forest(
        described.values[kept][:, config.columns],
        right[kept],
        weights.astype(np.float32),
        config=config.trees,
        seed=seed,
    )
    return Ranker(config=config, forest=forest)
