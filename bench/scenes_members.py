"""Which perceptrons together, and which weighting, do best on train? Test is never read.

Question: before `bench.scenes_predcls` reads test once, which members and which setting give the
most mean recall at the recall that is asked, and what does the strong baseline owe to its training?
Each member is trained on four fifths of train and says what it thinks of the fifth (by the hash of
the image's name); mixes of members are then judged without training anything. Command: ``python -m
bench.scenes_members VRD --work WORK --folds 2`` (some ten seconds of a free core a member and
fold). WORK keeps what each member said: a run that was stopped goes on. Prints a table.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp
from torch.nn import functional

from bench.scenes_data import Told, Vrd, parser_of
from encoders import TextEncoder, packaged_text_encoder
from kg.files import atomic_write, write_json
from scenes.relations.annotations import AnnotatedImage, Vocabulary, held_out_part
from scenes.relations.counts import TripletCounts
from scenes.relations.groundwork import Groundwork
from scenes.relations.inputs import COLUMNS, PairInputs, class_vectors
from scenes.relations.likeness import like_shares
from scenes.relations.network import BASELINE, ENSEMBLE
from scenes.relations.pairs import PairTable, ordered_pairs
from scenes.relations.perceptron import (
    Perceptron,
    PerceptronConfig,
    outputs,
    shared_entropy,
    train,
)
from scenes.relations.recall import rank_relations
from scenes.relations.weighting import BALANCED, Weighting

__all__ = ["MEMBERS", "MIXES", "Held", "main"]

Floats = NDArray[np.float64]

_PLAIN, (_NEW, _SEEN) = BASELINE.predicate[0], ENSEMBLE.predicate
PAIRS: Mapping[str, PerceptronConfig] = {"pair": ENSEMBLE.pair[0], "plain pair": BASELINE.pair[0]}
MEMBERS: Mapping[str, PerceptronConfig] = {
    "plain": _PLAIN,
    "plain, 30 epochs": replace(_PLAIN, epochs=30),
    "plain, 30 epochs, no dropout": replace(_PLAIN, epochs=30, dropout=0.0),
    "plain, one layer, no dropout": replace(_PLAIN, depth=1, epochs=30, dropout=0.0),
    "new": _NEW,
    "new, shift 0.8": replace(_NEW, shift=0.8),
    "new, wide": replace(_NEW, hidden=512, dropout=0.5),
    "seen": _SEEN,
    "seen, shift 0.8": replace(_SEEN, shift=0.8),
    "seen, wide": replace(_SEEN, hidden=512, dropout=0.5),
}
"""Perceptrons that tell the predicate, by their names."""


@dataclass(frozen=True)
class Mix:
    """What is judged.

    Attributes:
        pairs: Members that tell pairs; their mean.
        predicates: Members that tell predicates; their mean.
        likeness: Share of what like classes say.
    """

    pairs: tuple[str, ...]
    predicates: tuple[str, ...]
    likeness: float = ENSEMBLE.likeness


_BOTH = ("new", "seen")
MIXES: Mapping[str, Mix] = {
    **{
        f"baseline: {name}": Mix(("plain pair",), (name,), 0) for name in MEMBERS if "plain" in name
    },
    **{f"likeness {share}": Mix(("pair",), _BOTH, share) for share in (0.15, 0.3, 0.45)},
    "default": Mix(("pair",), _BOTH),
    "three": Mix(("pair",), (*_BOTH, "seen, shift 0.8")),
    "both pairs": Mix(("pair", "plain pair"), _BOTH),
    "with plain": Mix(("pair", "plain pair"), (*_BOTH, "plain")),
    "strong shift": Mix(("pair",), ("new, shift 0.8", "seen, shift 0.8")),
    "both shifts": Mix(("pair",), (*_BOTH, "new, shift 0.8", "seen, shift 0.8")),
    "wide": Mix(("pair",), ("new, wide", "seen, wide")),
    "all": Mix(("pair", "plain pair"), tuple(name for name in MEMBERS if "plain" not in name)),
}
"""By name."""


class Held(Weighting):
    """Lifts triplets of new classes by `novelty`, but never above the best guess of their pair.

    Besides, the probability that a pair is annotated counts by its square root alone. Neither
    changes which predicate a pair gives.
    """

    def weighted(self, scores: Floats, counts: TripletCounts, labels: NDArray[np.int64]) -> Floats:
        """Return scores that rank by worth; see `Weighting.weighted`."""
        worth = Weighting(mean_recall=self.mean_recall).weighted(scores, counts, labels)
        worth -= logsumexp(scores, axis=1, keepdims=True) / 2
        best = worth.max(axis=1, keepdims=True)
        lifted: Floats = np.minimum(worth + self.novelty, best - 1e-6 * (best - worth))
        _, said = counts.of_classes(labels)
        return np.where(said == 0, lifted, worth)


WEIGHTINGS: Mapping[str, Weighting] = {
    "shift 0.2": Weighting(shift=0.2),
    "shift 0.4": Weighting(shift=0.4),
    "balanced": BALANCED,
    "worth 1.2, new ones held": Held(mean_recall=1.2, novelty=1.0),
    **{
        f"worth {worth}, count {count}": replace(BALANCED, mean_recall=worth, pseudo_count=count)
        for worth in (1.0, 1.5)
        for count in (0.5, 5.0)
    },
}


@dataclass(frozen=True)
class Fold:
    """A fifth of train, and all else to learn from.

    Attributes:
        number: From 0.
        learnt: Images to learn from.
        judged: The fifth.
        vocabulary: Of both.
        encoder: Of the names of classes.
        work: Keeps what members said.
    """

    number: int
    learnt: tuple[AnnotatedImage, ...]
    judged: tuple[AnnotatedImage, ...]
    vocabulary: Vocabulary
    encoder: TextEncoder
    work: Path

    @cached_property
    def ground(self) -> tuple[Groundwork, PairTable, PairInputs]:
        """What members stand on; made where one must be trained."""
        return Groundwork.laid(self.learnt, self.vocabulary, self.encoder)

    @cached_property
    def counts(self) -> TripletCounts:
        """Of the images to learn from."""
        return TripletCounts.of(self.learnt, self.vocabulary)

    @cached_property
    def like(self) -> Floats:
        """What like classes say of the pairs of the fifth."""
        vectors = class_vectors(self.encoder, self.vocabulary.objects)
        labels = [image.labels[ordered_pairs(len(image))] for image in self.judged]
        return like_shares(self.counts, vectors, np.concatenate(labels))

    @cached_property
    def seen(self) -> tuple[PairTable, PairInputs]:
        """Pairs of the fifth."""
        return self.ground[0].seen(self.judged)

    def said(self, name: str) -> Floats:
        """Return log-probabilities ``(pairs, 1 or predicates)`` of a member."""
        kept = self.work / f"member-{self.number}-{name.replace(' ', '-').replace(',', '')}.npy"
        if not kept.exists():
            found = self._trained(name)
            with atomic_write(kept) as file:
                np.save(file, found)
            print(f"fold {self.number}: {name}", file=sys.stderr, flush=True)
        told: Floats = np.load(kept, allow_pickle=False).astype(np.float64)
        return told

    def _trained(self, name: str) -> NDArray[np.float32]:
        ground, table, inputs = self.ground
        tells_pairs, named = name in PAIRS, table.annotated
        frequency = np.zeros(1) if tells_pairs else ground.counts.by_predicate
        seed = zlib.crc32(name.encode())
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = Perceptron(
                (PAIRS if tells_pairs else MEMBERS)[name],
                ground.vectors,
                columns=COLUMNS,
                frequency=frequency,
            )
        if tells_pairs:
            target = torch.from_numpy(named[:, None].astype(np.float32))
            loss = functional.binary_cross_entropy_with_logits
            train(network, inputs, target, loss, seed=seed)
            return functional.logsigmoid(outputs(network, self.seen[1])).numpy()
        some = ground.annotated(table, inputs)
        target = torch.from_numpy(table.said[named].astype(np.float32))
        train(network, some, target, shared_entropy, seed=seed)
        return outputs(network, self.seen[1]).log_softmax(dim=1).numpy()


def mixed(fold: Fold, mix: Mix) -> Told:
    """Return the mean of members: of the pairs', times that of the predicates'."""
    parts = [
        logsumexp([fold.said(name) for name in names], axis=0) - np.log(len(names))
        for names in (mix.pairs, mix.predicates)
    ]
    if mix.likeness:
        parts[1] = log_softmax(parts[1] + mix.likeness * (fold.like - parts[1]), axis=1)
    ends = np.cumsum([0, *(len(image) * (len(image) - 1) for image in fold.judged)])
    rows = [slice(start, end) for start, end in pairwise(ends.tolist())]
    joint = parts[0] + parts[1]
    names = [image.name for image in fold.judged]
    scores = dict(zip(names, (joint[one] for one in rows), strict=True))
    return Told(fold.vocabulary, fold.counts, scores)


def figures(fold: Fold, model: Told, weighting: Weighting) -> tuple[float, float, float]:
    """Return R@50, mR@50, and zR@50 unconstrained (0 where no triplet of the fifth is new)."""
    ranked = rank_relations(model, fold.judged, weighting=weighting)
    report = dict(ranked.reports())["_at_50"]
    new = 0.0
    if ranked.new.any():
        new = dict(ranked.only(ranked.new).reports())["_at_50_unconstrained"].recall
    return report.recall, report.mean_recall, new


def folds(data: Vrd, encoder: TextEncoder, work: Path, count: int) -> Iterator[Fold]:
    """Iterate folds, from the last fifth backwards; the last is what defaults were chosen on."""
    inner = [held_out_part(data.train, number / 5)[0] for number in range(count + 1)]
    for number, (before, after) in enumerate(pairwise(inner)):
        kept = {image.name for image in after}
        judged = tuple(image for image in before if image.name not in kept)
        names = {image.name for image in judged}
        learnt = tuple(image for image in data.train if image.name not in names)
        yield Fold(number, learnt, judged, data.vocabulary, encoder, work)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = parser_of(__doc__, seeds=1)
    parser.add_argument("--work", type=Path, required=True, help="keeps what members said")
    parser.add_argument("--folds", type=int, default=2, choices=range(1, 6))
    parser.add_argument("--mixes", nargs="+", choices=MIXES, default=list(MIXES))
    given = parser.parse_args(argv)
    data, encoder = Vrd.read(given.vrd), packaged_text_encoder(given.work)
    every = list(folds(data, encoder, given.work, given.folds))
    table = {}
    print("| mix | weighting | R@50 | mR@50 | zR@50 unconstrained |\n|---|---|---|---|---|")
    for mix in given.mixes:
        models = [mixed(fold, MIXES[mix]) for fold in every]
        for name, weighting in WEIGHTINGS.items():
            values = [
                figures(fold, model, weighting) for fold, model in zip(every, models, strict=True)
            ]
            mean = (100 * np.mean(values, axis=0)).round(1).tolist()
            table[f"{mix}; {name}"] = mean
            print(f"| {mix} | {name} | " + " | ".join(map(str, mean)) + " |", flush=True)
    write_json(given.work / "members.json", table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
