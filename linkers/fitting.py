"""Trains the parts of a linker so that each sees honest scores of the one before.

The decision must not learn from scores of a network on the network's own training mentions: these
are scored by networks of other folds. Folds are by entity, as tests are.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from kg.errors import InputError
from kg.model import EntityKey
from kg.progress import Progress, silent
from linkers.cases import Case
from linkers.config import LinkerConfig
from linkers.decision_fitting import fit_decision
from linkers.distillation import (
    DistillationConfig,
    Student,
    teacher_lists,
    train_student,
)
from linkers.evidence import Evidence, MentionImages, window
from linkers.foreign_mining import mined_words
from linkers.foreign_words import ForeignWords
from linkers.items import Items
from linkers.knowledge_base import KnowledgeBase
from linkers.matching import MatchingNetwork
from linkers.model import Mention
from linkers.names import normalised
from linkers.priors import Priors
from linkers.scoring import OPINION_COLUMNS, PICTURE_SIGNALS, Scorer
from linkers.trained import Trained
from linkers.training import Pairs, fit_matching
from linkers.vectors import items_of
from linkers.views import Record, views_of

__all__ = ["labelled_pairs", "train_parts"]

_REPEATS = 4

Labelled = tuple[Sequence[Mention], Sequence[EntityKey | None]]


def train_parts(
    evidence: Evidence,
    train: Labelled,
    valid: Labelled,
    *,
    config: LinkerConfig,
    pixels: MentionImages | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Trained:
    """Return the trained parts of a linker.

    Args:
        evidence: Signals of the base.
        train: Mentions and gold to learn from; a key that the base lacks is NIL.
        valid: Mentions and gold to stop and calibrate by.
        config: Settings.
        pixels: Opens pictures of mentions.
        seed: Of everything random.
        progress: Told percent done.

    Raises:
        InputError: Lengths differ, or no mention has an entity of the base.
    """
    for mentions, gold in (train, valid):
        if len(mentions) != len(gold):
            raise InputError(f"{len(mentions)} mentions do not fit {len(gold)} gold entities")
    everything = [*train[0], *valid[0]]
    evidence.prepare(everything, pixels, progress=_part(progress, 0, 50))
    foreign = _foreign(evidence, train, config, seed)  # refuses before the long work
    priors = Priors.learn(*train)
    folds = np.array([_fold(m, k, config.folds) for m, k in zip(*train, strict=True)], np.int64)
    parts = [
        _network(evidence, train, ((), ()), folds != fold, config, seed + 1 + fold, pixels)
        for fold in range(config.folds)
    ]
    progress(65, 100)
    network = _network(evidence, train, valid, folds >= 0, config, seed, pixels)
    progress(75, 100)
    student = _student(evidence, train, parts, config, seed) if config.student else None
    cases: list[Case] = []
    for fold, part in enumerate(parts):
        scorer = Scorer(evidence, part, limit=config.candidates, student=student, foreign=foreign)
        rows = np.flatnonzero(folds == fold)
        chosen = ([train[0][i] for i in rows.tolist()], [train[1][i] for i in rows.tolist()])
        cases += _cases(scorer, chosen, priors, seen=True)
    progress(85, 100)
    decision = fit_decision(
        cases,
        config=config.decision,
        picture_signals=PICTURE_SIGNALS,
        opinion_columns=OPINION_COLUMNS,
        seed=seed,
        progress=_part(progress, 85, 98),
    )
    scorer = Scorer(evidence, network, limit=config.candidates, student=student, foreign=foreign)
    decision = decision.calibrated(_cases(scorer, valid, priors, seen=False))
    progress(100, 100)
    return Trained(
        config=config,
        network=network,
        decision=decision,
        priors=priors,
        encoders=evidence.encoders.fingerprint,
        student=student,
        foreign=foreign,
    )


def _foreign(
    evidence: Evidence, train: Labelled, config: LinkerConfig, seed: int
) -> ForeignWords | None:
    if not config.foreign_words:
        return None
    keep, most = config.foreign_words, config.candidates
    return mined_words(evidence, *train, keep=keep, candidates=most, seed=seed)


def _student(
    evidence: Evidence,
    train: Labelled,
    parts: Sequence[MatchingNetwork],
    config: LinkerConfig,
    seed: int,
) -> Student:
    """Return a search that learns from the networks, each judging what it did not learn from."""
    pairs, keys = labelled_pairs(evidence, train), evidence.base.keys
    folds = np.array([_digest(keys[row]) % config.folds for row in pairs.gold.tolist()], np.int64)
    entities = items_of(evidence.entity_vectors(), evidence.encoders)
    teachers = [(folds == fold, part) for fold, part in enumerate(parts)]
    lists = teacher_lists(teachers, entities, pairs)
    # hard rivals cost recall: docs/benchmarks/linking-methods.md
    config_of_student = DistillationConfig(hard=0)
    return train_student(entities, pairs, lists, config=config_of_student, seed=seed)


def _network(
    evidence: Evidence,
    train: Labelled,
    valid: Labelled,
    chosen: NDArray[np.bool_],
    config: LinkerConfig,
    seed: int,
    pixels: MentionImages | None,
) -> MatchingNetwork:
    encoders = evidence.encoders
    rows = np.flatnonzero(chosen)
    own = ([train[0][i] for i in rows.tolist()], [train[1][i] for i in rows.tolist()])
    pairs = labelled_pairs(evidence, own)
    if not len(pairs.gold):
        raise InputError(
            "no mention to learn from has an entity of the base",
            hint="check that gold keys are keys of the base",
        )
    shape = config.network(
        text_dimension=encoders.text.dimension, image_dimension=encoders.image_dimension
    )
    if shape.view:
        pairs = replace(pairs, views=_views(evidence, own, pixels))
    entities = items_of(evidence.entity_vectors(), encoders)
    return fit_matching(entities, pairs, labelled_pairs(evidence, valid), config=shape, seed=seed)


def labelled_pairs(evidence: Evidence, labelled: Labelled) -> Pairs:
    """Return the mentions whose entity is in the base; of one surface not more than a few."""
    kept = _kept(evidence.base, labelled)
    vectors = [evidence.mention_vectors(mention) for mention, _ in kept]
    gold = np.array([row for _, row in kept], dtype=np.int64)
    return Pairs(mentions=items_of(vectors, evidence.encoders), gold=gold)


def _kept(base: KnowledgeBase, labelled: Labelled) -> list[tuple[Mention, int]]:
    kept: list[tuple[Mention, int]] = []
    counts: Counter[tuple[str, str]] = Counter()
    for mention, key in zip(*labelled, strict=True):
        if key is not None and key in base.ids:
            counts[mention.surface, key] += 1
            if counts[mention.surface, key] <= _REPEATS:
                kept.append((mention, base.ids[key]))
    return kept


def _views(
    evidence: Evidence, labelled: Labelled, pixels: MentionImages | None
) -> list[tuple[Items, Items]]:
    """Return other views of the mentions that `labelled_pairs` keeps, and of their entities."""
    base, kept = evidence.base, _kept(evidence.base, labelled)
    mentions = [
        Record(
            name=mention.surface,
            text=window(mention),
            picture=pixels(mention.image) if pixels and mention.image is not None else None,
        )
        for mention, _ in kept
    ]
    meant = sorted({row for _, row in kept})
    entities = [
        Record(name=base.names[row][0], text=base.descriptions[row], picture=base.picture(row))
        for row in meant
    ]
    places = torch.as_tensor(np.searchsorted(meant, [row for _, row in kept]))
    sides = (views_of(mentions, evidence.encoders), views_of(entities, evidence.encoders))
    return [(own, theirs.take(places)) for own, theirs in zip(*sides, strict=True)]


def _cases(scorer: Scorer, labelled: Labelled, priors: Priors, *, seen: bool) -> list[Case]:
    """Return cases for the decision; a mention whose entity is no candidate is left out.

    Args:
        scorer: Computes signals.
        labelled: Mentions and gold.
        priors: Links of the training mentions.
        seen: The mentions are among them: their own link is taken away, and for every other one
            all links of its entity, since most surfaces to come mean entities never linked before.
    """
    ids = scorer.evidence.base.ids
    counts = Counter((normalised(m.surface), k) for m, k in zip(*labelled, strict=True))
    cases = []
    for mention, key in zip(*labelled, strict=True):
        known = priors
        if seen:
            known = priors.apart_from(mention.surface, key, wholly=_digest(mention.id) % 2 == 0)
        sighting = scorer.see(mention, known)
        wanted = None if key is None else ids.get(key)
        if wanted is not None and wanted not in sighting.ids:
            continue
        gold = -1 if wanted is None else sighting.ids.index(wanted)
        # a frequent surface ("French") must not decide for all
        weight = 1.0 / np.sqrt(counts[normalised(mention.surface), key])
        cases.append(replace(sighting.case, gold=gold, weight=float(weight)))
    return cases


def _fold(mention: Mention, key: EntityKey | None, folds: int) -> int:
    return _digest(key if key is not None else normalised(mention.surface)) % folds


def _digest(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def _part(progress: Progress, low: int, high: int) -> Progress:
    return lambda done, total: progress(low + (high - low) * done // max(total, 1), 100)
