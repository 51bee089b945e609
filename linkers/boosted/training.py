"""Trains a boosted linker: describes its mentions once, so that several settings can be tried."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.model import EntityKey
from kg.progress import Progress, silent
from linkers.boosted.describing import Described, describe
from linkers.boosted.document import document_of
from linkers.boosted.entity_table import EntityTable
from linkers.boosted.hint_features import learn_hints
from linkers.boosted.memory import Memory
from linkers.boosted.name_index import NameIndex
from linkers.boosted.ranker import Ranker, RankerConfig, fit_ranker
from linkers.boosted.texts import PooledTexts
from linkers.boosted.verdict import Verdict, fit_verdict, taught_by, too_few
from linkers.model import Mention

__all__ = ["Labelled", "Material", "gather", "honest_scores", "train_ranker"]

_HELD_OUT = 0.2  # of the training documents, where no valid mentions are given
_ENOUGH = 2_000  # training mentions from which their lists teach how sure lists are

Labelled = tuple[Sequence[Mention], Sequence[EntityKey | None]]
"""Mentions and the key of each one's entity; None, or a key that is not in the base, is NIL."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """What rankers of one set are trained on.

    Attributes:
        index: Of the entities.
        memory: Of the training links.
        train: Training mentions; None where there is none.
        train_gold: ``(n,)`` ids, -1 for NIL.
        train_documents: Document of each.
        valid: Mentions that say how sure lists are; None where there is none.
        valid_gold: ``(m,)`` the same.
        valid_documents: Document of each.
    """

    index: NameIndex
    memory: Memory
    train: Described | None
    train_gold: NDArray[np.int64]
    train_documents: tuple[str, ...]
    valid: Described | None
    valid_gold: NDArray[np.int64]
    valid_documents: tuple[str, ...]


def gather(
    table: EntityTable,
    texts: PooledTexts,
    train: Labelled,
    valid: Labelled = ((), ()),
    *,
    index: NameIndex | None = None,
    progress: Progress = silent,
) -> Material:
    """Describe training and valid mentions.

    Where no valid mentions are given, a fifth of the training documents takes their place.

    Args:
        table: The entities.
        texts: Encodes.
        train: Mentions to learn from; may be empty.
        valid: Mentions to calibrate by; may be empty.
        index: Of the entities; made here if None.
        progress: Told mentions described; what is not encoded yet is encoded before.
    """
    index = index or NameIndex(table, texts)
    index.prepare(train[0])
    gold = _ids(table, train[1])
    hints = learn_hints(table, train[0], gold.tolist())
    memory = Memory(train[0], gold.tolist(), index.contexts(train[0]), hints)
    total = len(train[0]) + len(valid[0])
    learnt = _described(index, memory, train[0], training=True, progress=_of(progress, 0, total))
    checked = _described(
        index, memory, valid[0], training=False, progress=_of(progress, len(train[0]), total)
    )
    checked_gold = _ids(table, valid[1])
    own = tuple(document_of(mention) for mention in train[0])
    documents = tuple(document_of(mention) for mention in valid[0])
    if checked is None and learnt is not None:
        apart = np.array([_share(document) < _HELD_OUT for document in own])
        if apart.any() and not apart.all():
            checked, checked_gold = learnt.only(apart), gold[apart]
            documents, own = (
                tuple(d for d, out in zip(own, apart.tolist(), strict=True) if out == held)
                for held in (True, False)
            )
            learnt, gold = learnt.only(~apart), gold[~apart]
    return Material(
        index=index,
        memory=memory,
        train=learnt,
        train_gold=gold,
        train_documents=own,
        valid=checked,
        valid_gold=checked_gold,
        valid_documents=documents,
    )


def train_ranker(
    material: Material,
    *,
    config: RankerConfig | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[Ranker, Verdict | None]:
    """Train on described mentions.

    Args:
        material: The mentions.
        config: Settings.
        seed: Of everything random.
        progress: Told rankers trained, with those of halves that teach how sure one is.

    Returns:
        The ranker, and what says how sure it is; None where no mention could teach that.

    Raises:
        InputError: No training mention has its entity among its candidates.
    """
    settings = config or RankerConfig()
    ranker = Ranker(config=settings)
    many = material.train is not None and len(material.train) >= _ENOUGH
    total = 1 + 2 * (many and material.valid is not None)
    if material.train is not None:
        ranker = fit_ranker(material.train, material.train_gold, config=settings, seed=seed)
        progress(1, total)
    if material.valid is None:
        return ranker, None
    taught, scores = None, ranker.scores(material.valid)
    few = too_few(material.valid, scores, material.valid_gold)
    if material.train is not None and (many or few):
        told = _of(progress, 1, total) if many else silent
        honest = honest_scores(material, config=settings, seed=seed, progress=told)
        if honest is not None:
            taught = taught_by(material.train, honest, material.train_gold)
    verdict = fit_verdict(
        material.valid,
        scores,
        material.valid_gold,
        groups=material.valid_documents,
        taught=taught,
        many=many,
        seed=seed,
    )
    return ranker, verdict


def honest_scores(
    material: Material, *, config: RankerConfig, seed: int, progress: Progress = silent
) -> NDArray[np.float64] | None:
    """Return the score of each training pair by a ranker of other documents.

    Args:
        material: With training mentions.
        config: Settings of the rankers.
        seed: Of everything random.
        progress: Told rankers trained, after the first one.

    Returns:
        ``(P,)`` log-odds; None where the documents cannot be halved, or there is none.
    """
    train = material.train
    if train is None:
        return None
    half = np.array([_share(f"half of {document}") < 0.5 for document in material.train_documents])
    scores = np.zeros(len(train.pairs.ids))
    for done, mine in enumerate((half, ~half), start=1):
        gold = material.train_gold[~mine]
        try:
            other = fit_ranker(train.only(~mine), gold, config=config, seed=seed)
        except InputError:  # all documents in one half, or no right candidate in the other one
            return None
        scores[mine[train.pairs.rows]] = other.scores(train.only(mine))
        progress(done, 2)
    return scores


def _described(
    index: NameIndex,
    memory: Memory,
    mentions: Sequence[Mention],
    *,
    training: bool,
    progress: Progress,
) -> Described | None:
    if not mentions:
        return None
    parts = describe(index, memory, mentions, training=training, progress=progress)
    return Described.joined(list(parts))


def _ids(table: EntityTable, keys: Sequence[EntityKey | None]) -> NDArray[np.int64]:
    return np.array([-1 if key is None else table.ids.get(key, -1) for key in keys], dtype=np.int64)


def _share(document: str) -> float:
    """Return a document's place in [0, 1), by the split rule of the evaluation."""
    return int(hashlib.sha256(document.encode("utf-8", "replace")).hexdigest()[:8], 16) / 2**32


def _of(progress: Progress, before: int, total: int) -> Progress:
    return lambda done, _total: progress(before + done, total)
