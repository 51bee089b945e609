"""One hash for all that a link depends on, so that a job on a changed graph is another job."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from kg.config_fields import identity
from linkers.knowledge_base import KnowledgeBase
from linkers.trained import Trained

__all__ = ["linker_fingerprint"]


def linker_fingerprint(trained: Trained, base: KnowledgeBase) -> str:
    """Return a hash of what was trained, and of the base; no encoder has to run for it."""
    settings = json.dumps(identity(trained.config), sort_keys=True)
    digest = hashlib.sha256(settings.encode())
    digest.update(json.dumps([trained.encoders, trained.priors.to_json()]).encode())
    arrays = dict(trained.decision.arrays)
    arrays |= {n: v.numpy() for n, v in trained.network.state_dict().items()}
    if trained.student is not None:
        arrays |= {f"student.{n}": v.numpy() for n, v in trained.student.state_dict().items()}
    if trained.foreign is not None:
        arrays |= {f"foreign.{n}": v for n, v in trained.foreign.arrays().items()}
    for name in sorted(arrays):
        digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    for entity in base.entities:
        images = [image.sha256 for image in entity.images]
        digest.update(json.dumps([entity.key, entity.name, entity.aliases, images]).encode())
    digest.update(json.dumps(base.descriptions).encode())
    return digest.hexdigest()
