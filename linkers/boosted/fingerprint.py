"""One hash for all that a boosted linker's link depends on; no encoder has to run for it."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from kg.config_fields import identity
from linkers.boosted.entity_table import EntityTable
from linkers.boosted.features import FEATURES
from linkers.boosted.memory import Memory
from linkers.boosted.ranker import Ranker
from linkers.boosted.verdict import Verdict

__all__ = ["boosted_fingerprint"]


def boosted_fingerprint(
    table: EntityTable, memory: Memory, ranker: Ranker, verdict: Verdict | None, *, encoder: str
) -> str:
    """Return a hash of what was trained, of the entities, and of the encoder's name."""
    settings = {
        "config": identity(ranker.config),
        "features": FEATURES,
        "encoder": encoder,
        "verdict": None if verdict is None else verdict.to_json(),
        "hints": [hints.to_json() for hints in memory.hints],
        "links": [
            [surface, str(document), None if entity < 0 else table.keys[entity]]
            for surface, document, entity in zip(
                memory.surfaces, memory.documents, memory.gold, strict=True
            )
        ],
        "entities": [table.keys, table.names, table.notes],
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    arrays = {"contexts": memory.contexts}
    if ranker.forest is not None:
        arrays |= {f"ranker.{name}": value for name, value in ranker.forest.arrays().items()}
    if verdict is not None:
        arrays |= {f"verdict.{name}": value for name, value in verdict.arrays().items()}
    for hints in memory.hints:
        arrays |= {f"{hints.source} {name}": value for name, value in hints.arrays().items()}
    for name in sorted(arrays):
        digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()
