"""Figures of ranked lists over the whole base, with realistic ties, split by what was known.

An entity that is no candidate shares the places behind all candidates with the rest of the base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation import auroc, ece, nil_scores, ranks, standard_error
from kg.errors import InputError
from kg.model import EntityKey
from linkers.boosted.entity_table import EntityTable
from linkers.boosted.linker import Ranked
from linkers.model import Mention

__all__ = ["LinkFigures", "figures_of", "groups_of", "link_ranks"]

_BLOCK = 64  # mentions whose scores over the whole base are one array
_CUTS = (1, 3, 5, 10)
_PRECISION = 0.98

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinkFigures:
    """Figures of one set.

    Attributes:
        n: Mentions.
        metrics: By name, in [0, 1].
        by: By split and part, the same with `n`, over mentions whose entity is in the base.
        ranks: ``(n,)`` realistic rank of each one's entity; NaN for NIL.
    """

    n: int
    metrics: Mapping[str, float]
    by: Mapping[str, Mapping[str, Mapping[str, float]]]
    ranks: Floats


def link_ranks(ranked: Ranked, gold: NDArray[np.int64], size: int) -> Floats:
    """Return ``(n,)`` the realistic rank of each mention's entity among all; NaN for NIL.

    Args:
        ranked: Ranked candidates.
        gold: ``(n,)`` ids, -1 for NIL.
        size: Entities of the base.

    Raises:
        InputError: A score is not finite.
    """
    found = np.full(len(gold), np.nan)
    pairs, scores = ranked.described.pairs, ranked.scores
    if not np.isfinite(scores).all():
        raise InputError("a score is not finite")
    behind = float(scores.min()) - 1.0
    for start in range(0, len(gold), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(gold)))
        inside = rows[gold[rows] >= 0]
        if not len(inside):
            continue
        dense = np.full((len(rows), size), behind)
        own = (pairs.rows >= start) & (pairs.rows < start + _BLOCK)
        dense[pairs.rows[own] - start, pairs.ids[own]] = scores[own]
        found[inside] = ranks(dense[inside - start], gold[inside]).realistic
    return found


def groups_of(
    table: EntityTable,
    mentions: Sequence[Mention],
    gold: NDArray[np.int64],
    trained: Sequence[EntityKey | None],
) -> dict[str, NDArray[np.bool_]]:
    """Return which mentions belong to which group.

    `name_equal`: the words are the entity's name but for case. `seen`: a training mention names
    the entity; `unseen`: none does. `…_other`: of these, without the name-equal ones.
    """
    known = {key for key in trained if key is not None}
    inside = gold >= 0
    same = np.array(
        [
            entity >= 0 and m.surface.strip().casefold() == table.names[entity][0].casefold()
            for m, entity in zip(mentions, gold.tolist(), strict=True)
        ],
        dtype=np.bool_,
    )
    seen = np.array([e >= 0 and table.keys[e] in known for e in gold.tolist()], dtype=np.bool_)
    return {
        "name_equal": same,
        "seen": seen,
        "unseen": inside & ~seen,
        "seen_other": seen & ~same,
        "unseen_other": inside & ~seen & ~same,
    }


def figures_of(
    ranked: Ranked,
    gold: NDArray[np.int64],
    *,
    size: int,
    groups: Mapping[str, NDArray[np.bool_]],
) -> LinkFigures:
    """Return all figures of a set.

    Args:
        ranked: Its mentions, ranked.
        gold: ``(n,)`` ids, -1 for NIL.
        size: Entities of the base.
        groups: Masks ``(n,)`` by name.

    Raises:
        InputError: No mention has its entity in the base, and nobody learnt to say NIL.
    """
    found = link_ranks(ranked, gold, size)
    inside = np.flatnonzero(gold >= 0)
    if not len(inside) and ranked.nil is None:
        raise InputError(
            "every mention is NIL, and nothing was learnt that could say so", hint="--train FILE"
        )
    candidate = ranked.described.places(gold.tolist()) >= 0
    metrics = _ranking(found[inside], candidate[inside]) if len(inside) else {}
    linkable = {name: mask & (gold >= 0) for name, mask in groups.items()}
    by = {
        name: {"n": int(mask.sum()), **_ranking(found[mask], candidate[mask], error=True)}
        for name, mask in linkable.items()
        if mask.any()
    }
    return LinkFigures(
        n=len(gold),
        metrics={**metrics, **_decided(ranked, gold)},
        by={"group": by},
        ranks=found,
    )


def _ranking(
    found: Floats, candidate: NDArray[np.bool_], *, error: bool = False
) -> dict[str, float]:
    values = {f"hits_at_{k}": float((found <= k).mean()) for k in _CUTS}
    values["mrr"] = float((1.0 / found).mean())
    values["recall_at_64"] = float(candidate.mean())
    if error:
        values["standard_error"] = standard_error(1.0 / found)
        values["hits_at_1_standard_error"] = standard_error((found <= 1).astype(np.float64))
    return values


def _decided(ranked: Ranked, gold: NDArray[np.int64]) -> dict[str, float]:
    """Return figures of the decisions and their probabilities."""
    if ranked.first is None or ranked.nil is None:
        return {}
    order = np.lexsort((-ranked.scores, ranked.described.pairs.rows))
    first = ranked.described.pairs.ids[order[ranked.described.pairs.starts]]
    said = ranked.nil > ranked.first
    right = np.where(said, gold < 0, first == gold)
    sure = np.where(said, ranked.nil, ranked.first)
    values = {
        "accuracy": float(right.mean()),
        "ece": ece(np.clip(sure, 0.0, 1.0), right),
        "ece_links": ece(np.clip(ranked.first, 0.0, 1.0), first == gold),
    }
    absent = gold < 0
    if absent.any():
        scores = nil_scores(said, absent)
        values |= {
            "nil_precision": scores.precision,
            "nil_recall": scores.recall,
            "nil_f1": scores.f1,
        }
        if not absent.all():
            values["auroc"] = auroc(ranked.nil, absent)
    return values | _at_precision(ranked.first, first == gold)


def _at_precision(sure: Floats, right: NDArray[np.bool_]) -> dict[str, float]:
    """Return coverage and precision where links are kept that promise 98 % together.

    The threshold needs no gold: of the surest links as many are kept as have a mean probability
    of at least 0.98. The precision that they turn out to have is stated beside it.
    """
    order = np.argsort(-sure, kind="stable")
    promised = np.cumsum(sure[order]) / np.arange(1, len(order) + 1)
    kept = int((promised >= _PRECISION).sum())
    if kept == 0:
        return {"coverage_at_98": 0.0}
    return {
        "coverage_at_98": kept / len(order),
        "precision_at_98": float(right[order[:kept]].mean()),
    }
