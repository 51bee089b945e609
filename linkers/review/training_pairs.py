"""Decisions as mentions with their entity: what a linker is trained on, with who said so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kg.files import atomic_write
from linkers.review.exchange import Names
from linkers.review.model import Decision
from linkers.review.review import Review

__all__ = ["provenance_of", "write_pairs"]


def write_pairs(review: Review, path: Path, *, names: Names) -> int:
    """Write the mentions that people decided, atomically, one a line; return how many.

    A mention that means no entity has ``"entity_id": null``. The decision, who made it and when
    stand beside it.
    """
    count = 0
    with atomic_write(path) as file:
        for mention, meant, decision in review.meanings():
            row = {
                "id": mention.id,
                "split": "train",
                "mention": mention.surface,
                "context": mention.context,
                "start": mention.start,
                "end": mention.end,
                "image": mention.image,
                "entity_id": meant,
                "entity_name": None if meant is None else names(meant),
                **provenance_of(decision),
            }
            file.write(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
            count += 1
    return count


def provenance_of(decision: Decision) -> dict[str, Any]:
    """Return which decision it was, whose, and when."""
    return {"decision": decision.number, "who": decision.request.who, "at": decision.at}
