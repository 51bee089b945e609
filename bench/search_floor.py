"""How near a hit by meaning must be to be fused: `api.search.meaning.BEHIND`, tried on valid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from api.search.reranking import Reranker
from api.search.routing import Router
from bench.search_reranking import routed_scores
from evaluation import paired_bootstrap

__all__ = ["TRIED", "floors"]

TRIED = (0.5, 0.45, 0.4, 0.35, 0.3)
"""Distances behind the best cosine that are tried."""
WHOLE = 2.0
"""A distance that leaves nobody out."""
Query = dict[str, Any]


def floors(
    valid: Mapping[str, Sequence[Query]], router: Router, reranker: Reranker
) -> dict[str, dict[str, list[float]]]:
    """Return what each distance adds to nDCG@10 of the whole list, by kind: low, mean and high.

    Args:
        valid: Queries by kind.
        router: Weighs the lists.
        reranker: Orders the best.
    """

    def gain(query: Query, behind: float) -> float:
        lists = query["lists"]
        before = routed_scores(router, query, behind=behind)
        ranked = [key for key, _ in reranker.rerank(query["text"], lists, before)][:10]
        gold = query["gold"]
        return float(1 / np.log2(ranked.index(gold) + 2)) if gold in ranked else 0.0

    found: dict[str, dict[str, list[float]]] = {}
    for kind, asked in valid.items():
        before = np.array([gain(query, WHOLE) for query in asked])
        found[kind] = {}
        for behind in TRIED:
            gap = paired_bootstrap(np.array([gain(query, behind) for query in asked]), before)
            found[kind][f"{behind:g}"] = [gap.low, gap.mean, gap.high]
    return found
