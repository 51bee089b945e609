"""Prefers what is annotated to what both boxes and counts refute (SENTINEL's C-DPO loss).

After SENTINEL (arXiv 2507.12455): a model in training is compared with itself before; of two
answers to one question it shall lift the one that is right over the one that was found to be made
up ::

    -log sigmoid(beta · ((log p(w) - log p₀(w)) - (log p(l) - log p₀(l))))

There the answers are sentences and two detectors vote; here they are predicates of a pair. The
right one is annotated. The made-up one stands high with the model, the boxes rule it out
(`scenes.rulings`), and the counts know the two classes and hardly ever saw it of them. What one of
the two refutes alone, or neither, is uncertain and never taken for wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from kg.errors import InputError
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.counts import TripletCounts
from scenes.relations.inputs import PairInputs
from scenes.relations.pairs import PairTable, longer_side
from scenes.relations.perceptron import Perceptron, input_tensors
from scenes.rulings import ruled_out

__all__ = ["Preferences", "prefer", "preference_loss", "refuted_guesses"]

Integers = NDArray[np.int64]

_KNOWN = 20  # triplets of two classes from which counts may refute
_HARDLY = 0.001  # share of them below which they do


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Preferences:
    """Pairs with an answer to prefer to another.

    Attributes:
        rows: ``(n,)`` row of each in the table of pairs.
        better: ``(n,)`` predicate that is annotated.
        worse: ``(n,)`` predicate that boxes and counts refute.
    """

    rows: Integers
    better: Integers
    worse: Integers

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.rows)


def preference_loss(
    lp_w: Tensor, lp_l: Tensor, ref_w: Tensor, ref_l: Tensor, *, beta: float = 0.1
) -> Tensor:
    """Return the mean loss of preferences.

    Args:
        lp_w: ``(n,)`` log-probability of the better answer.
        lp_l: The same of the worse.
        ref_w: That of the better by the model before.
        ref_l: That of the worse by the model before.
        beta: How much a change counts.

    Returns:
        A scalar, log 2 where nothing has changed; 0 for no preference.

    Example:
        >>> import torch
        >>> same = torch.tensor([-1.0])
        >>> round(float(preference_loss(same, same, same, same)), 4)
        0.6931
    """
    if not len(lp_w):
        return lp_w.sum()
    return -functional.logsigmoid(beta * ((lp_w - ref_w) - (lp_l - ref_l))).mean()


def refuted_guesses(
    images: Sequence[AnnotatedImage],
    table: PairTable,
    counts: TripletCounts,
    scores: NDArray[np.floating],
    vocabulary: Vocabulary,
    *,
    among: int = 10,
) -> Preferences:
    """Return the annotated pairs of which a model ranks high what boxes and counts refute.

    Args:
        images: Of the table.
        table: Their pairs.
        counts: Of the training images.
        scores: ``(rows, predicates)``, higher is likelier.
        vocabulary: Names of the predicates.
        among: Guesses of a pair that are looked at; of several refuted ones the highest is taken.

    Raises:
        InputError: The scores are of another number of pairs.
    """
    if len(scores) != len(table):
        raise InputError(f"{len(scores)} rows of scores for {len(table)} pairs")
    annotated = np.flatnonzero(table.annotated)
    _, said = counts.of_classes(table.labels[annotated])
    known = said.sum(axis=1, keepdims=True)
    refuted = (known >= _KNOWN) & (said < _HARDLY * known)
    order = np.argsort(-scores[annotated], axis=1, kind="stable")[:, :among]
    image_of, sides = table.image[annotated].tolist(), [longer_side(one) for one in images]
    found: list[tuple[int, int, int]] = []
    for place, (row, guesses) in enumerate(zip(annotated.tolist(), order, strict=True)):
        image = images[image_of[place]]
        subject, other = (tuple(image.boxes[one].tolist()) for one in table.objects[row])
        side = sides[image_of[place]]
        for guess in guesses[refuted[place, guesses]].tolist():
            name = vocabulary.predicates[guess]
            if not table.said[row, guess] and ruled_out(name, subject, other, side=side):
                said_of = table.said[row]
                found += [(row, better, guess) for better in np.flatnonzero(said_of).tolist()]
                break
    rows, better, worse = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return Preferences(rows=rows, better=better, worse=worse)


def prefer(
    network: Perceptron,
    inputs: PairInputs,
    preferences: Preferences,
    *,
    seed: int,
    beta: float = 0.1,
    epochs: int = 1,
    rate: float = 1e-3,
) -> None:
    """Train a network on preferences, in place.

    Args:
        network: Trained; of the predicates.
        inputs: One row a preference.
        preferences: Theirs.
        seed: Of their order and of what is left out.
        beta: See `preference_loss`.
        epochs: Passes over the preferences; one in the paper.
        rate: Of AdamW.

    Raises:
        InputError: The inputs are of another number.
    """
    if len(inputs) != len(preferences):
        raise InputError(f"{len(inputs)} inputs for {len(preferences)} preferences")
    before = copy.deepcopy(network).eval()
    better, worse = (torch.from_numpy(one) for one in (preferences.better, preferences.worse))
    tensors = input_tensors(inputs)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate)
    generator = torch.Generator().manual_seed(seed)
    network.train()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for _ in range(epochs):
            order = torch.randperm(len(inputs), generator=generator)
            for rows in torch.split(order, network.config.batch):
                seen = [part[rows] for part in tensors]
                with torch.no_grad():
                    reference = before(*seen).log_softmax(dim=1)
                told = network(*seen).log_softmax(dim=1)
                of = [answer[rows, None] for answer in (better, worse)]
                both = [one.gather(1, at)[:, 0] for one in (told, reference) for at in of]
                optimizer.zero_grad()
                preference_loss(*both, beta=beta).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    network.eval()
