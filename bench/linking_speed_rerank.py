"""How fast the matching network compares a mention with 64 candidates token by token."""

from __future__ import annotations

import time
from typing import Any

import torch

from linkers.items import Items
from linkers.matching import MatchingConfig, MatchingNetwork
from linkers.vectors import TEXT_TOKENS

__all__ = ["rerank_rate"]

_CANDIDATES = 64
_SIZE = 384  # of the packaged MiniLM


def rerank_rate(count: int, *, entities: int = 4_096, seed: int = 0) -> dict[str, Any]:
    """Return mentions and pairs a second of the text units; entities are encoded before.

    Args:
        count: Mentions.
        entities: How many are kept; candidates are drawn from them.
        seed: Of vectors, weights and candidates: speed does not depend on what they say.
    """
    generator = torch.Generator().manual_seed(seed)
    config = MatchingConfig(text_dimension=_SIZE, image_dimension=1)
    network = MatchingNetwork(config, generator=generator).eval()
    with torch.inference_mode():
        kept = network.encode(_items(network, entities, generator), "entity")
        mentions = _items(network, count, generator)
        chosen = torch.randint(entities, (count, _CANDIDATES), generator=generator)
        wall, cpu = time.perf_counter(), time.process_time()
        for row in range(count):
            mention = network.encode(mentions.take(torch.tensor([row])), "mention")
            network(mention, kept.take(chosen[row]))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "n": count,
        "candidates": _CANDIDATES,
        "tokens": TEXT_TOKENS,
        "threads": torch.get_num_threads(),
        "per_second": round(count / wall, 1),
        "per_processor_second": round(count / cpu, 1),
        "pairs_per_second": round(count * _CANDIDATES / wall),
    }


def _items(network: MatchingNetwork, count: int, generator: torch.Generator) -> Items:
    size, image = network.config.text_dimension, network.config.image_dimension
    mask = torch.ones(count, TEXT_TOKENS, dtype=torch.bool)
    return Items(
        text=torch.randn(count, size, generator=generator),
        text_tokens=torch.randn(count, TEXT_TOKENS, size, generator=generator),
        text_mask=mask,
        image=torch.zeros(count, image),
        image_tokens=torch.zeros(count, 1, image),
        image_mask=torch.zeros(count, 1, dtype=torch.bool),
    )
