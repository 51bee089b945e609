"""Scores of all entities, as evaluation ranks them.

Only their order counts, so that estimates are welcome (`SymbolicConfig.benefit_of_doubt` and
`noisy_or`), and predicted edges count by what the query asks. One that negates nothing compares
tails of rows that a walk meets, most of which miss no edge; one that negates is about rows that
miss one. `PredictsWalkedRows` tells the two apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reasoning.protocols import LinkPredictor, PredictsWalkedRows
from reasoning.query import Negation, Query, walk
from reasoning.symbolic.evaluation import Evaluation
from reasoning.symbolic.fuzzy import TRUTH
from reasoning.symbolic.likely_edges import LikelyEdges
from reasoning.symbolic.predicted_rows import PredictedRows
from reasoning.symbolic.prior import PRIOR_WEIGHT, Prior

__all__ = ["Ranking", "of_walks"]


def of_walks(predictor: LinkPredictor) -> LinkPredictor:
    """Return what predicts rows as walks meet them: the same where nothing tells them apart."""
    walked = predictor.walked if isinstance(predictor, PredictsWalkedRows) else None
    return predictor if walked is None else walked


class Ranking:
    """Scores all entities by queries.

    Args:
        likely: Edges for queries with a negation, and for all where the predictor has one kind.
        predictor: Of these edges.
        row_folder: Where rows as walks meet them are kept; in memory only if None.
    """

    def __init__(
        self, likely: LikelyEdges, predictor: LinkPredictor, row_folder: Path | None
    ) -> None:
        self._prior = Prior(likely.snapshot)
        self._likely = self._walked = likely
        walked = of_walks(predictor)
        if walked is not predictor:
            rows = PredictedRows(walked, likely.config, row_folder)
            self._walked = LikelyEdges(likely.snapshot, rows, likely.config)

    @property
    def rows(self) -> tuple[PredictedRows, ...]:
        """Predicted rows, of one kind or two."""
        both = (self._likely.predicted, self._walked.predicted)
        return both if both[0] is not both[1] else both[:1]

    def scores(self, queries: Sequence[Query]) -> NDArray[np.float32]:
        """Return ``(num_queries, num_entities)`` truths of safe queries in normal form."""
        found = np.empty((len(queries), self._likely.snapshot.num_entities), dtype=np.float32)
        negate = [any(isinstance(node, Negation) for node in walk(query)) for query in queries]
        for kind, edges in ((True, self._likely), (False, self._walked)):
            places = [place for place, one in enumerate(negate) if one is kind]
            together = Evaluation(edges, [queries[place] for place in places], ranking=True)
            for place in places:
                row, value = found[place], together.value(queries[place])
                np.multiply(self._prior.of(queries[place]), np.float32(PRIOR_WEIGHT), out=row)
                row[value.ids] += (1.0 - PRIOR_WEIGHT) * value.values[TRUTH]
        return found
