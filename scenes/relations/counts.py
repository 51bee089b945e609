"""How often two classes stand in one image, and which predicates join them: what priors count.

The statistics of a pair are the shares of predicates between its classes, smoothed towards those of
either class alone, and these towards those of all. A training image may be left out of its own
statistics, or a model would learn to trust what it will not have later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.pairs import PairTable, pair_table

__all__ = ["TripletCounts", "log_rates", "log_shares"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Rows = slice | NDArray[np.bool_]

EVERY = slice(None)

# Weights of the smoothing, in pairs (of `_rate`) and triplets; chosen on the held-out tenth.
_SHARE_OF_ONE, _SHARE_OF_BOTH = 5.0, 3.0
_RATE_OF_ONE, _RATE_OF_BOTH = 10.0, 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TripletCounts:
    """Counts of the class pairs that occur in training images.

    Attributes:
        classes: ``(n, 2)`` class of subject and object, sorted, each once.
        said: ``(n, predicates)`` how many pairs of these classes have the predicate.
        pairs: ``(n,)`` how many ordered pairs of these classes there are.
        objects: Size of the vocabulary of classes.
    """

    classes: Integers
    said: Floats
    pairs: Floats
    objects: int

    @classmethod
    def of(cls, images: Sequence[AnnotatedImage], vocabulary: Vocabulary) -> Self:
        """Count images; an object that is related to itself counts as a pair of its class."""
        width = len(vocabulary.predicates)
        table = pair_table(images, predicates=width)
        own = [
            (image.labels[subject], image.labels[subject], predicate)
            for image in images
            for subject, predicate, other in image.triplets.tolist()
            if subject == other
        ]
        alone = np.array(own, dtype=np.int64).reshape(-1, 3)
        labels = np.concatenate([table.labels, alone[:, :2]])
        said = np.concatenate([table.said, np.eye(width, dtype=bool)[alone[:, 2]]])
        classes, inverse = np.unique(labels, axis=0, return_inverse=True)
        pairs, sums = _sums(inverse.reshape(-1), said, len(classes))
        return cls(classes=classes, said=sums, pairs=pairs, objects=len(vocabulary.objects))

    @property
    def by_predicate(self) -> Floats:
        """``(predicates,)`` triplets of each predicate."""
        total: Floats = self.said.sum(axis=0)
        return total

    def of_classes(self, labels: Integers) -> tuple[Floats, Floats]:
        """Return counts of pairs of classes: ``(rows,)`` pairs and ``(rows, predicates)`` said.

        Args:
            labels: ``(rows, 2)``.
        """
        codes = self.classes @ np.array([self.objects, 1])
        wanted = labels @ np.array([self.objects, 1])
        place = np.minimum(np.searchsorted(codes, wanted), max(len(codes) - 1, 0))
        known = codes[place] == wanted if len(codes) else np.zeros(len(wanted), dtype=bool)
        pairs, said = np.zeros(len(wanted)), np.zeros((len(wanted), self.said.shape[1]))
        pairs[known], said[known] = self.pairs[place[known]], self.said[place[known]]
        return pairs, said

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all numbers by name, for a file."""
        return {
            "counts.classes": self.classes,
            "counts.said": self.said,
            "counts.pairs": self.pairs,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], vocabulary: Vocabulary) -> Self:
        """Read what `arrays` gave.

        Raises:
            InputError: They are missing, or of another vocabulary.
        """
        try:
            classes, said, pairs = (arrays[f"counts.{n}"] for n in ("classes", "said", "pairs"))
        except KeyError as error:
            raise InputError(f"the model lacks the array {error.args[0]!r}") from error
        fits = said.shape == (len(classes), len(vocabulary.predicates))
        if (
            not fits
            or pairs.shape != (len(classes),)
            or classes.max(initial=0) >= len(vocabulary.objects)
        ):
            raise InputError("the model counts other classes or predicates")
        return cls(classes=classes, said=said, pairs=pairs, objects=len(vocabulary.objects))


def log_shares(
    counts: TripletCounts, table: PairTable, *, rows: Rows = EVERY, leave_out: bool = False
) -> Floats:
    """Return the shares of the predicates among annotated triplets, as natural logarithms.

    Args:
        counts: Of the training images.
        table: Pairs.
        rows: Which of them.
        leave_out: Whether the table is of images that were counted: each is then taken out of the
            counts that its own pairs see.

    Returns:
        ``(rows, 3, predicates)``: by both classes, by the subject's and by the object's.
    """
    both, subject, other = (said for _, said in _counted(counts, table, rows, leave_out=leave_out))
    overall = counts.by_predicate + 1
    overall /= overall.sum()
    by_subject, by_object = (_share(one, overall, _SHARE_OF_ONE) for one in (subject, other))
    expected = by_subject * by_object / overall
    expected /= expected.sum(axis=1, keepdims=True)
    by_both = _share(both, expected, _SHARE_OF_BOTH)
    result: Floats = np.log(np.stack([by_both, by_subject, by_object], axis=1))
    return result


def log_rates(
    counts: TripletCounts, table: PairTable, *, leave_out: bool = False
) -> tuple[Floats, Floats]:
    """Return how many triplets a pair has, as natural logarithms.

    Args:
        counts: Of the training images.
        table: Pairs.
        leave_out: As in `log_shares`.

    Returns:
        ``(rows, 3)`` rates by both classes, by the subject's and by the object's; and ``(rows, 2)``
        how many pairs and triplets of both classes were counted, plus one.
    """
    totals = replace(counts, said=counts.said.sum(axis=1, keepdims=True))
    sums = replace(table, said=table.said.sum(axis=1, keepdims=True))
    both, subject, other = (
        (pairs, said[:, 0]) for pairs, said in _counted(totals, sums, EVERY, leave_out=leave_out)
    )
    overall = (totals.said.sum() + 1) / (counts.pairs.sum() + 1)
    by_subject, by_object = (_rate(one, overall, _RATE_OF_ONE) for one in (subject, other))
    by_both = _rate(both, np.sqrt(by_subject * by_object), _RATE_OF_BOTH)
    rates: Floats = np.log(np.stack([by_both, by_subject, by_object], axis=1))
    return rates, np.log1p(np.stack(both, axis=1))


_Counted = tuple[Floats, Floats]  # (rows,) pairs and (rows, predicates) said


def _counted(
    counts: TripletCounts, table: PairTable, rows: Rows, *, leave_out: bool
) -> Iterator[_Counted]:
    """Yield the counts of both classes of each row, of its subject's and of its object's."""
    first, second = table.labels.T
    for column in (None, 0, 1):
        if column is None:
            found = counts.of_classes(table.labels[rows])
            key = first * counts.objects + second
        else:
            key = table.labels[:, column]
            pairs, said = _sums(
                counts.classes[:, column], counts.said, counts.objects, counts.pairs
            )
            found = pairs[key[rows]], said[key[rows]]
        if leave_out:
            _, group = np.unique(table.image * counts.objects**2 + key, return_inverse=True)
            pairs, said = _sums(group, table.said, int(group.max(initial=-1)) + 1)
            found = found[0] - pairs[group[rows]], found[1] - said[group[rows]]
        yield found


def _sums(
    groups: Integers, said: NDArray[Any], count: int, pairs: Floats | None = None
) -> _Counted:
    """Add rows up by group; few of the cells are above 0."""
    total = np.zeros((count, said.shape[1]))
    row, predicate = np.nonzero(said)
    np.add.at(total, (groups[row], predicate), said[row, predicate])
    return np.bincount(groups, weights=pairs, minlength=count).astype(np.float64), total


def _share(said: Floats, expected: Floats, weight: float) -> Floats:
    shares: Floats = (said + weight * expected) / (said.sum(axis=1, keepdims=True) + weight)
    return shares


def _rate(counted: _Counted, expected: Floats | float, weight: float) -> Floats:
    pairs, triplets = counted
    rate: Floats = (triplets + weight * expected) / (pairs + weight)
    return rate
