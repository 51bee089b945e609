"""Boosted annotations checked before anything is learnt from them.

After SENTINEL (arXiv 2507.12455): what a model made up early breeds more, so each addition is put
to two witnesses that see different things, as the claims of texts are (`scenes.verification`). One
sees the classes (how often annotated pairs of them bear the predicate), the other how the boxes
lie. Both learn from the pairs that bear a fine predicate; a pair with a coarse one alone may
deserve the fine one too, so it is no counter-example. What boxes rule out (`scenes.rulings`, as in
``umbra scenes check``) is refuted, whatever the witnesses say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from scenes.cacao.boosting import Boosted, BoostingConfig, coarse_predicates
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.counts import TripletCounts, log_shares
from scenes.relations.pairs import PairTable, longer_side
from scenes.rulings import ruled_out
from scenes.verification import Outcome, Verdict, Witness, fit_witness, verdict

__all__ = ["BELIEVE", "Believe", "CheckedAddition", "believed", "check_additions"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

Believe = Literal["all", "unrefuted", "supported"]
"""Which additions are taken: all, those that are not refuted, or only those supported."""
BELIEVE: tuple[Believe, ...] = get_args(Believe)

_FEWEST = 10
"""Pairs with a predicate, and fine ones without, below which no witness of it is fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAddition:
    """An addition with what was found of it.

    Attributes:
        image: Name of the image.
        subject: Position among the image's objects.
        predicate: Name of the predicate.
        object: Position among the image's objects.
        confidence: Of the prompted model.
        verdict: Of both witnesses; without votes where the predicate is too rare for any.
        ruled_out: Why the boxes rule it out; None where they allow it.
    """

    image: str
    subject: int
    predicate: str
    object: int
    confidence: float
    verdict: Verdict
    ruled_out: str | None

    @property
    def outcome(self) -> Outcome:
        """What becomes of it."""
        return self.verdict.outcome if self.ruled_out is None else "refuted"


def check_additions(
    images: Sequence[AnnotatedImage],
    pairs: PairTable,
    boosted: Boosted,
    vocabulary: Vocabulary,
    *,
    config: BoostingConfig | None = None,
    seed: int = 0,
) -> tuple[CheckedAddition, ...]:
    """Check additions, in their order.

    Args:
        images: The images before the boosting.
        pairs: Their pairs.
        boosted: What was added.
        vocabulary: Names of classes and predicates.
        config: Of the boosting.
        seed: Of the folds by which thresholds are set.
    """
    share = (config or BoostingConfig()).coarse_share
    coarse = coarse_predicates(pairs.said.sum(axis=0), share)
    fine = np.asarray(pairs.said[:, ~coarse].any(axis=1))
    used = fine.copy()
    used[boosted.rows] = True
    place = np.cumsum(used) - 1
    shares = log_shares(TripletCounts.of(images, vocabulary), pairs, rows=used, leave_out=True)
    taught, asked = np.flatnonzero(fine), boosted.rows
    verdicts: list[Verdict | None] = [None] * len(asked)
    for predicate in np.unique(boosted.predicates).tolist():
        seen = {"classes": shares[:, :, predicate][place], "boxes": pairs.geometry}
        truth = pairs.said[taught, predicate]
        witnesses = _witnesses({n: one[taught] for n, one in seen.items()}, truth, seed)
        mine = np.flatnonzero(boosted.predicates == predicate)
        heard = [one.votes(seen[one.name][asked[mine]]) for one in witnesses]
        name = vocabulary.predicates[predicate]
        for number, position in enumerate(mine.tolist()):
            verdicts[position] = verdict(name, [votes[number] for votes in heard])
    return tuple(
        _checked(images[image], pairs.objects[row], found, confidence)
        for image, row, found, confidence in zip(
            pairs.image[asked].tolist(), asked, verdicts, boosted.confidence.tolist(), strict=True
        )
        if found is not None
    )


def _witnesses(
    features: Mapping[str, Floats], truth: NDArray[np.bool_], seed: int
) -> list[Witness]:
    """Fit both witnesses of a predicate; none where it is too rare."""
    if min(truth.sum(), (~truth).sum()) < _FEWEST:
        return []
    return [fit_witness(name, one, truth, seed=seed) for name, one in features.items()]


def _checked(
    image: AnnotatedImage, objects: Integers, found: Verdict, confidence: float
) -> CheckedAddition:
    subject, other = objects.tolist()
    first, second = (tuple(image.boxes[number].tolist()) for number in (subject, other))
    return CheckedAddition(
        image=image.name,
        subject=subject,
        predicate=found.claim,
        object=other,
        confidence=confidence,
        verdict=found,
        ruled_out=ruled_out(found.claim, first, second, side=longer_side(image)),
    )


def believed(checked: Sequence[CheckedAddition], believe: Believe) -> NDArray[np.bool_]:
    """Return ``(added,)``, which additions are believed; `Boosted.only` takes them.

    Args:
        checked: From `check_additions`.
        believe: Which are to be.

    Example:
        >>> unsure = CheckedAddition(image="a.jpg", subject=0, predicate="ride", object=1,
        ...                          confidence=0.9, verdict=verdict("ride", []), ruled_out=None)
        >>> [believed([unsure], one).tolist() for one in BELIEVE]
        [[True], [True], [False]]
    """
    taken: Mapping[Believe, frozenset[Outcome]] = {
        "all": frozenset({"supported", "uncertain", "refuted"}),
        "unrefuted": frozenset({"supported", "uncertain"}),
        "supported": frozenset({"supported"}),
    }
    return np.array([one.outcome in taken[believe] for one in checked], dtype=bool)
