"""A search that learns from a matcher, on mentions in texts: recall alone, in a union, matched."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from api.steps.encoders import text_encoder_named
from bench.drawn_networks import share_of
from bench.linking_m3el import TextSet
from bench.linking_text_training import text_network
from encoders.padding import unit
from evaluation import paired_bootstrap, ranks
from linkers.boosted import PooledTexts
from linkers.boosted.candidates import LIMIT, proposed
from linkers.boosted.document import document_of
from linkers.boosted.memory import Memory
from linkers.boosted.name_index import NameIndex
from linkers.distillation import DistillationConfig, Lists, Student, teacher_lists, train_student
from linkers.mention_sets import MentionSet, read_mention_set
from linkers.training import Pairs, scored

__all__ = ["CUTS", "MATCHED", "STUDENTS", "of_distilled"]

STUDENTS: Mapping[str, DistillationConfig | None] = {
    "cosine, nothing trained": None,
    "InfoNCE": DistillationConfig(weights="none"),
    "static distillation": DistillationConfig(weights="static"),
    "dynamic distillation": DistillationConfig(),
    "dynamic, no hard rivals": DistillationConfig(hard=0),
}
_PLAIN = "InfoNCE"
CUTS = (8, 16, 64)
MATCHED = (16, 64)
_BLOCK = 128

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Asked:
    """Valid mentions, and what others than the student say of them.

    Attributes:
        pairs: The mentions and their entities.
        taught: ``(n, N)`` logits of the teacher.
        others: Candidates of the linker's other sources, in their order.
    """

    pairs: Pairs
    taught: NDArray[np.float32]
    others: Sequence[Sequence[int]]


def of_distilled(given: argparse.Namespace, name: str) -> dict[str, dict[str, Any]]:
    """Judge students on a set's valid mentions."""
    data = TextSet(given, name)
    whole = read_mention_set(given.data / f"{name}.jsonl.gz")
    train, lists = data.pairs["train"], _lists(given, data, whole.part("train"))
    sys.stderr.write(f"{name}: the teacher has told of {len(lists.ids)} mentions\n")
    teacher = text_network(data, train, seed=0, setting={"epochs": given.epochs})
    pairs = data.pairs["valid"]
    parts = [part.numpy() for part in scored(teacher, data.entities, pairs.mentions)]
    taught = np.concatenate(parts)
    asked = _Asked(pairs=pairs, taught=taught, others=_others(given, data, whole))
    runs: dict[str, list[tuple[dict[str, Floats], float]]] = {}
    for student, config in STUDENTS.items():
        for seed in given.seeds if config else given.seeds[:1]:
            sides = _towers(data, asked.pairs, train, lists, config, seed)
            runs.setdefault(student, []).append(_judged(asked, *sides))
        sys.stderr.write(f"{name}: {student}\n")
    means = {
        student: {key: np.mean([kept[key] for kept, _ in found], axis=0) for key in found[0][0]}
        for student, found in runs.items()
    }
    first = float(100 * (_places(taught, pairs.gold) == 1).mean())
    rows = {student: _figures(kept, means[_PLAIN]) for student, kept in means.items()}
    for student, row in rows.items():
        seconds = float(np.mean([cost for _, cost in runs[student]]))
        row |= {"teacher": first, "a_second": 1 / seconds, "seeds": len(runs[student])}
    return rows


def _lists(given: argparse.Namespace, data: TextSet, train: MentionSet) -> Lists:
    """Return what networks of the other half of the documents say of the training mentions."""
    pairs = data.pairs["train"]
    apart = np.array([share_of(f"fold {document_of(m)}") < 0.5 for m in train.mentions])
    teachers = []
    for number, held in enumerate((apart, ~apart)):
        rows = np.flatnonzero(~held)
        others = Pairs(mentions=pairs.mentions.take(torch.from_numpy(rows)), gold=pairs.gold[rows])
        network = text_network(data, others, seed=1 + number, setting={"epochs": given.epochs})
        teachers.append((held, network))
    return teacher_lists(teachers, data.entities, pairs)


def _others(given: argparse.Namespace, data: TextSet, whole: MentionSet) -> list[list[int]]:
    """Return candidates of the linker of texts by all but vectors, best first."""
    train, valid = whole.part("train"), whole.part("valid").mentions
    texts = PooledTexts(text_encoder_named(given.encoder, None), given.pooled)
    index = NameIndex(data.table, texts)
    gold = [data.table.ids[str(key)] for key in train.gold]
    memory = Memory(train.mentions, gold, index.contexts(train.mentions))
    found: list[list[int]] = []
    for start in range(0, len(valid), _BLOCK):
        block = valid[start : start + _BLOCK]
        looks = replace(index.look(block), named=[_NONE] * len(block), told=[_NONE] * len(block))
        meant = [memory.meant(mention, apart=False) for mention in block]
        nearly = memory.nearly_meant(block, apart=False)
        ids, starts = proposed(index, block, looks, meant, nearly)
        groups = np.split(ids, starts[1:-1])
        found += [list(dict.fromkeys(group.tolist()))[:LIMIT] for group in groups]
    return found


_NONE = np.zeros(0, dtype=np.int64)


def _towers(
    data: TextSet,
    asked: Pairs,
    train: Pairs,
    lists: Lists,
    config: DistillationConfig | None,
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return vectors of the valid mentions and of the entities."""
    if config is None:
        return unit(asked.mentions.text.numpy()), unit(data.entities.text.numpy())
    student: Student = train_student(data.entities, train, lists, config=config, seed=seed)
    with torch.inference_mode():
        return (
            student(asked.mentions, "mention").numpy(),
            student(data.entities, "entity").numpy(),
        )


def _judged(
    asked: _Asked, mentions: NDArray[np.float32], entities: NDArray[np.float32]
) -> tuple[dict[str, Floats], float]:
    """Return what counts of each mention, and processor seconds that the search of one takes."""
    gold, kept = asked.pairs.gold, []
    width = min(max(CUTS), len(entities))
    seconds = 0.0
    for start in range(0, len(gold), _BLOCK):
        rows = slice(start, start + _BLOCK)
        started = time.process_time()
        scores = mentions[rows] @ entities.T
        best = np.argpartition(-scores, width - 1, axis=1)[:, :width]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        near = np.take_along_axis(best, order, axis=1)
        seconds += time.process_time() - started
        kept.append(_of_block(asked, rows, _places(scores, gold[rows]), near))
    whole = {key: np.concatenate([part[key] for part in kept]) for key in kept[0]}
    return whole, seconds / len(gold)


def _places(scores: NDArray[Any], gold: Ids) -> Floats:
    """Return ``(n,)`` realistic ranks, a block at a time."""
    found = [
        ranks(scores[start : start + _BLOCK].astype(np.float32), gold[start : start + _BLOCK])
        for start in range(0, len(gold), _BLOCK)
    ]
    return np.concatenate([part.realistic for part in found])


def _of_block(asked: _Asked, rows: slice, places: Floats, near: Ids) -> dict[str, Floats]:
    gold = asked.pairs.gold[rows]
    kept = {f"recall {cut}": (places <= cut).astype(np.float64) for cut in CUTS}
    others = asked.others[rows]
    for cut in CUTS:
        union = [
            set(itertools.islice(_in_turn(own.tolist(), other), cut))
            for own, other in zip(near, others, strict=True)
        ]
        kept[f"union {cut}"] = np.array(
            [float(g in ids) for g, ids in zip(gold.tolist(), union, strict=True)]
        )
    for count in MATCHED:
        first = near[:, :count]
        said = np.take_along_axis(asked.taught[rows], first, axis=1).argmax(axis=1)
        kept[f"matched {count}"] = (first[np.arange(len(first)), said] == gold).astype(np.float64)
    return kept


def _in_turn(first: Sequence[int], second: Sequence[int]) -> Iterator[int]:
    """Yield what two lists name in turn, each once; what the longer has left comes last."""
    pairs = itertools.zip_longest(second, first)
    yield from dict.fromkeys(one for pair in pairs for one in pair if one is not None)


def _figures(kept: Mapping[str, Floats], plain: Mapping[str, Floats]) -> dict[str, Any]:
    figures: dict[str, Any] = {"mentions": len(kept["recall 16"])}
    for key, values in kept.items():
        gain = paired_bootstrap(100 * values, 100 * plain[key])
        figures[key] = [float(100 * values.mean()), gain.mean, gain.low, gain.high]
    return figures
