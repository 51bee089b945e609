"""A linker judged by groups of mentions, beside its baselines, in one run.

H@1 is over the full base and asks for the entity only (a NIL decision does not save a wrong first
candidate); `linked` is the share of mentions that were in fact linked, and rightly. Ties count
their expected value. Every figure is a fraction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation import auroc, ece, nil_scores, paired_bootstrap, standard_error
from kg.errors import InputError
from kg.model import EntityKey
from kg.progress import Progress, silent
from linkers.baselines import Baseline, baselines, expected_hit
from linkers.linker import Linker
from linkers.model import Link, Mention

__all__ = ["Judged", "NilLine", "evaluate_linker"]

_NIL_RIVALS = ("character TF-IDF", "transliterated TF-IDF")


@dataclass(frozen=True, slots=True, kw_only=True)
class NilLine:
    """Groups whose mentions are put beside those without an entity, to see whether NIL is told.

    Attributes:
        name: What the line is called.
        groups: Linkable groups; mentions whose gold is NIL count in `nil_groups` only.
        nil_groups: Groups of NIL mentions.
    """

    name: str
    groups: tuple[str, ...]
    nil_groups: tuple[str, ...] = ("nil",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Mentions to judge a linker by.

    Attributes:
        mentions: The mentions.
        gold: Key of each one's entity; None, or a key that the base lacks, means NIL.
        groups: Group of each.
        alike: Sets of entities that count as one where a group shows pictures only.
        alike_groups: Groups in which they do.
    """

    mentions: Sequence[Mention]
    gold: Sequence[EntityKey | None]
    groups: Sequence[str]
    alike: Sequence[Collection[EntityKey]] = ()
    alike_groups: Collection[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        """Refuse lists of different lengths."""
        if not len(self.mentions) == len(self.gold) == len(self.groups):
            raise InputError("mentions, gold and groups have different lengths")


def evaluate_linker(
    linker: Linker,
    test: Judged,
    *,
    valid: Judged,
    training: tuple[Sequence[Mention], Sequence[EntityKey | None]],
    nil_lines: Sequence[NilLine] = (),
    uncalibrated_groups: Collection[str] = (),
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Judge a linker.

    Args:
        linker: On the base of the evaluation.
        test: What is judged.
        valid: What the NIL thresholds of the baselines are chosen on.
        training: Mentions and gold that the memory remembers.
        nil_lines: Figures of NIL to give.
        uncalibrated_groups: Groups left out of accuracy and ECE.
        seed: Of the bootstrap.
        progress: Told mentions linked.

    Returns:
        ``groups``: by group ``n``, ``entities``, ``linker`` and every baseline (``h1``,
        ``h1_entities``), for the linker also ``h5``, ``linked``, ``recall_at_64``,
        ``standard_error``; ``best_baseline`` and the paired difference to it with its 95 %
        interval. ``nil``: by line ``n``, ``nil``, ``linker`` and the baselines (``f1``, ``auroc``).
        ``accuracy``, ``ece``, ``by_modality``.
    """
    base = linker.base
    rivals = baselines(base, training=training, pixels=linker.pixels)
    links = linker.link(test.mentions, progress=progress)
    keys = linker.candidate_keys(test.mentions)
    rows = defaultdict(list)
    for number, (key, group) in enumerate(zip(test.gold, test.groups, strict=True)):
        if key is not None and key in base.ids:
            rows[group].append(number)
    result: dict[str, Any] = {"groups": {}, "nil": {}}
    for group, numbers in rows.items():
        result["groups"][group] = _group(linker, test, numbers, links, keys, rivals, seed)
    for line in nil_lines:
        result["nil"][line.name] = _nil(linker, line, test, links, valid, rivals)
    counted = [n for n, g in enumerate(test.groups) if g not in uncalibrated_groups]
    right = np.array([_is_right(linker, test, links[n], n) for n in counted])
    sure = np.array([links[n].probability for n in counted])
    result["n"] = len(counted)
    result["accuracy"] = float(right.mean()) if counted else None
    result["ece"] = ece(sure, right) if counted else None
    result["by_modality"] = _by_modality(test, counted, right)
    return result


def _group(
    linker: Linker,
    test: Judged,
    numbers: list[int],
    links: list[Link],
    keys: list[list[EntityKey]],
    rivals: Mapping[str, Baseline],
    seed: int,
) -> dict[str, Any]:
    base, gold = linker.base, [test.gold[n] for n in numbers]
    right = [_right(test, n) for n in numbers]
    first = np.array([_hit(links[n], r, 1) for n, r in zip(numbers, right, strict=True)], float)
    fifth = np.array([_hit(links[n], r, 5) for n, r in zip(numbers, right, strict=True)], float)
    linked = [
        links[n].state in ("linked", "review") and links[n].entity in r
        for n, r in zip(numbers, right, strict=True)
    ]
    recall = [any(k in r for k in keys[n]) for n, r in zip(numbers, right, strict=True)]
    by_rival = {}
    for name, rival in rivals.items():
        by_rival[name] = np.array(
            [
                expected_hit(rival(test.mentions[n]), [base.ids[k] for k in r if k in base.ids])
                for n, r in zip(numbers, right, strict=True)
            ]
        )
    best = max(by_rival, key=lambda name: float(by_rival[name].mean()))
    gap = paired_bootstrap(first, by_rival[best], seed=seed)
    return {
        "n": len(numbers),
        "entities": len(set(gold)),
        "linker": {
            "h1": float(first.mean()),
            "h1_entities": _over_entities(first, gold),
            "h5": float(fifth.mean()),
            "linked": float(np.mean(linked)),
            "recall_at_64": float(np.mean(recall)),
            "standard_error": standard_error(first),
        },
        "baselines": {
            name: {"h1": float(hits.mean()), "h1_entities": _over_entities(hits, gold)}
            for name, hits in by_rival.items()
        },
        "best_baseline": best,
        "difference": {"mean": gap.mean, "low": gap.low, "high": gap.high},
        "is_better": gap.is_better,
    }


def _right(test: Judged, number: int) -> set[EntityKey]:
    """Return the keys that count as right for a mention."""
    key = test.gold[number]
    if key is None:
        return set()
    if test.groups[number] in test.alike_groups:
        for group in test.alike:
            if key in group:
                return set(group)
    return {key}


def _hit(link: Link, right: set[EntityKey], k: int) -> float:
    """Return the expected share of orders of tied candidates in which one of the first k is right.

    Equal probabilities are a tie; only for k = 1 are they shared out.
    """
    found = link.candidates
    if not found:
        return 0.0
    if k == 1:
        top = [c for c in found if c.probability == found[0].probability]
        return sum(c.entity in right for c in top) / len(top)
    return float(any(c.entity in right for c in found[:k]))


def _over_entities(hits: NDArray[np.float64], gold: Sequence[EntityKey | None]) -> float:
    by_entity: dict[EntityKey | None, list[float]] = defaultdict(list)
    for hit, key in zip(hits, gold, strict=True):
        by_entity[key].append(float(hit))
    return float(np.mean([np.mean(values) for values in by_entity.values()]))


def _is_nil(linker: Linker, test: Judged, number: int) -> bool:
    key = test.gold[number]
    return key is None or key not in linker.base.ids


def _is_right(linker: Linker, test: Judged, link: Link, number: int) -> bool:
    if _is_nil(linker, test, number):
        return link.state == "nil"
    return link.entity in _right(test, number)


def _nil(
    linker: Linker,
    line: NilLine,
    test: Judged,
    links: list[Link],
    valid: Judged,
    rivals: Mapping[str, Baseline],
) -> dict[str, Any]:
    numbers = _of_line(linker, line, test)
    truth = np.array([_is_nil(linker, test, n) for n in numbers])
    said = np.array([links[n].state == "nil" for n in numbers])
    scores = nil_scores(said, truth)
    ours = {
        "f1": scores.f1,
        "precision": scores.precision,
        "recall": scores.recall,
        "auroc": auroc([links[n].nil_probability for n in numbers], truth),
    }
    theirs: dict[str, dict[str, float]] = {}
    checked = _of_line(linker, line, valid)
    valid_truth = np.array([_is_nil(linker, valid, n) for n in checked])
    for name in _NIL_RIVALS:
        on_valid = np.array([-float(rivals[name](valid.mentions[n]).max()) for n in checked])
        on_test = np.array([-float(rivals[name](test.mentions[n]).max()) for n in numbers])
        limit = max(
            (float(value) for value in np.unique(on_valid)),
            key=lambda value: nil_scores(on_valid >= value, valid_truth).f1,
            default=0.0,
        )
        theirs[name] = {
            "f1": nil_scores(on_test >= limit, truth).f1,
            "auroc": auroc(on_test, truth),
        }
    nothing = np.array([not rivals["normalised alias"](test.mentions[n]).any() for n in numbers])
    theirs["no normalised alias"] = {"f1": nil_scores(nothing, truth).f1}
    theirs["all NIL"] = {"f1": nil_scores(np.ones_like(truth), truth).f1}
    return {"n": len(numbers), "nil": int(truth.sum()), "linker": ours, "baselines": theirs}


def _of_line(linker: Linker, line: NilLine, judged: Judged) -> list[int]:
    return [
        n
        for n, group in enumerate(judged.groups)
        if (group in line.nil_groups and _is_nil(linker, judged, n))
        or (group in line.groups and not _is_nil(linker, judged, n))
    ]


def _by_modality(
    test: Judged, counted: list[int], right: NDArray[np.bool_]
) -> dict[str, dict[str, float]]:
    kinds: dict[str, list[bool]] = defaultdict(list)
    for number, hit in zip(counted, right.tolist(), strict=True):
        mention = test.mentions[number]
        words = bool(mention.surface.strip() or mention.context.strip())
        kind = "text only" if mention.image is None else "both" if words else "picture only"
        kinds[kind].append(hit)
    return {
        kind: {"n": len(hits), "accuracy": float(np.mean(hits))} for kind, hits in kinds.items()
    }
