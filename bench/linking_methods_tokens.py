"""FILIP's late interaction as a rerank of what a search by vectors found; nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from encoders.protocols import TextEncoder
from evaluation import paired_bootstrap
from linkers.late_interaction import late_interaction

__all__ = ["rerank_by_tokens", "tokens_table"]

_NEAR = 16  # entities that are reranked
_BATCH = 64

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


def rerank_by_tokens(
    encoder: TextEncoder, names: list[str], index: Floats, asked: list[str], gold: Ids
) -> dict[str, dict[str, Any]]:
    """Return figures of the pooled cosine, of late interaction, and of the mean of both.

    An entity that is not among the nearest 16 counts as not found, whatever the order.

    Args:
        encoder: Gives tokens.
        names: Of the entities.
        index: ``(N, dim)`` their pooled vectors.
        asked: Surfaces.
        gold: ``(n,)`` rows of their entities.
    """
    surfaces = _tokens(encoder, asked)
    pooled = np.stack([vector for vector, _ in surfaces.values()])
    order = {text: row for row, text in enumerate(surfaces)}
    cosines = pooled @ index.T
    near = np.sort(np.argpartition(-cosines, _NEAR, axis=1)[:, :_NEAR], axis=1)
    read = _tokens(encoder, [names[n] for n in np.unique(near).tolist()])
    found: dict[str, list[float]] = {"cosine": [], "late interaction": [], "mean of both": []}
    for text, right in zip(asked, gold.tolist(), strict=True):
        ids = near[order[text]]
        late = _late(surfaces[text][1], [read[names[n]][1] for n in ids.tolist()])
        cosine = cosines[order[text]][ids]
        for name, scores in zip(found, (cosine, late, (cosine + late) / 2), strict=True):
            own = scores[ids == right]
            found[name].append(
                (1 / ((scores > own).sum() + ((scores == own).sum() + 1) / 2)) if len(own) else 0.0
            )
    hits = {name: [100.0 * (value == 1) for value in values] for name, values in found.items()}
    gains = {name: paired_bootstrap(values, hits["cosine"]) for name, values in hits.items()}
    return {
        name: {
            "mentions": len(asked),
            "hits_at_1": float(np.mean(hits[name])),
            "mrr": float(100 * np.mean(values)),
            "gain": [gains[name].mean, gains[name].low, gains[name].high],
        }
        for name, values in found.items()
    }


def _tokens(encoder: TextEncoder, texts: list[str]) -> dict[str, tuple[Floats, Floats]]:
    """Return of each distinct text the pooled vector and its tokens."""
    distinct = sorted(dict.fromkeys(texts), key=len)
    found: dict[str, tuple[Floats, Floats]] = {}
    for start in range(0, len(distinct), _BATCH):
        part = distinct[start : start + _BATCH]
        vectors = encoder.encode(part)
        for row, text in enumerate(part):
            tokens = vectors.tokens[row][vectors.mask[row]].astype(np.float32)
            found[text] = (vectors.pooled[row], tokens)
    return found


def _late(surface: Floats, names: list[Floats]) -> Floats:
    longest = max(len(tokens) for tokens in names)
    padded = torch.zeros(len(names), longest, surface.shape[1])
    mask = torch.zeros(len(names), longest, dtype=torch.bool)
    for row, tokens in enumerate(names):
        padded[row, : len(tokens)] = torch.from_numpy(tokens)
        mask[row, : len(tokens)] = True
    own = torch.from_numpy(surface)[None]
    scores: Floats = late_interaction(
        own, torch.ones(own.shape[:2], dtype=torch.bool), padded, mask
    )[0].numpy()
    return scores


def tokens_table(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of the table."""
    lines = ["| | H@1 | MRR | gain over cosine |", "|---|---|---|---|"]
    for name, row in rows.items():
        gain = "" if name == "cosine" else "{:+.1f} [{:+.1f}, {:+.1f}]".format(*row["gain"])
        lines.append(f"| {name} | {row['hits_at_1']:.1f} | {row['mrr']:.1f} | {gain} |")
    return lines
