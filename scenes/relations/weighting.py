"""From the probability of a guess to its worth: which one predicate should a pair give?

Recall counts every triplet alike; mean recall counts every predicate alike, so that one triplet of
a rare predicate is worth as much as hundreds of a common one. A guess that is right with
probability P adds, in expectation, P / N to the recall of N triplets, and P / (C n) to the mean
recall over C predicates, n the triplets of its own. So the guesses that do most for
recall + `mean_recall` · mean recall are those of highest ::

    P · (1 + mean_recall · N / (C (n + pseudo_count)))

and every point of the trade-off between the two is one value of `mean_recall`. The usual shift of
the logits by tau · log frequency is `shift`, kept to compare with.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from scenes.relations.counts import TripletCounts

__all__ = ["BALANCED", "PLAIN", "Weighting"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighting:
    """How much a right guess is worth.

    Attributes:
        mean_recall: Weight of the mean recall against the recall, at least 0.
        pseudo_count: Added to the triplets of a predicate, in triplets: a predicate that was seen
            twice is not worth half a thousand common ones.
        novelty: Added to the log-probability of a triplet of classes that training never saw:
            models give less to these than they turn out to have.
        shift: tau of the shift by log frequency, at least 0.

    Raises:
        SettingError: A value is out of range.
    """

    mean_recall: float = 0.0
    pseudo_count: float = 2.0
    novelty: float = 0.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        """Check the values."""
        for name, value in asdict(self).items():
            if not isinstance(value, int | float) or not 0 <= value <= 100:
                raise SettingError(f"must lie in [0, 100], got {value!r}", where=name)

    def weighted(self, scores: Floats, counts: TripletCounts, labels: NDArray[np.int64]) -> Floats:
        """Return scores that rank by worth.

        Args:
            scores: ``(rows, predicates)`` log-probabilities.
            counts: Of the training images.
            labels: ``(rows, 2)`` classes of subject and object.
        """
        number = counts.by_predicate
        total, width = max(number.sum(), 1.0), len(number)
        worth = np.log1p(self.mean_recall * total / (width * (number + self.pseudo_count)))
        weighted: Floats = scores + worth - self.shift * np.log(number + 1)
        if self.novelty:
            _, said = counts.of_classes(labels)
            weighted += self.novelty * (said == 0)
        return weighted


PLAIN = Weighting()
"""Probabilities as they are."""

BALANCED = Weighting(mean_recall=1.0, novelty=0.6)
"""Recall and mean recall count alike; chosen on the held-out fifth of VRD's train."""
