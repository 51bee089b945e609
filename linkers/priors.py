"""What a surface form meant in accepted links: p(entity | surface), smoothed.

A count of n for an entity among N links of the surface gives n / (N + k): few links give little
weight, and the rest stays for entities that were never seen, so a prior is one signal and no rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from kg.model import EntityKey
from linkers.model import Mention
from linkers.names import normalised

__all__ = ["Priors"]

_SMOOTHING = 3.0


class Priors:
    """Counts of links by normalised surface.

    Args:
        counts: Links by surface, then by key.

    Example:
        >>> priors = Priors({"burma": {EntityKey("country:MM"): 3}})
        >>> priors.of("Burma")
        {'country:MM': 0.5}
    """

    def __init__(self, counts: Mapping[str, Mapping[EntityKey, int]] | None = None) -> None:
        self._counts = {surface: dict(keys) for surface, keys in (counts or {}).items()}

    @classmethod
    def learn(cls, mentions: Sequence[Mention], gold: Sequence[EntityKey | None]) -> Priors:
        """Count links; NIL mentions and empty surfaces do not count."""
        counts: dict[str, Counter[EntityKey]] = {}
        for mention, key in zip(mentions, gold, strict=True):
            if key is not None and mention.surface.strip():
                counts.setdefault(normalised(mention.surface), Counter())[key] += 1
        return cls(counts)

    def of(self, surface: str) -> dict[EntityKey, float]:
        """Return the prior of each entity that the surface has meant, each below 1."""
        counts = self._counts.get(normalised(surface), {})
        total = sum(counts.values()) + _SMOOTHING
        return {key: count / total for key, count in counts.items()}

    def apart_from(self, surface: str, key: EntityKey | None, *, wholly: bool) -> Priors:
        """Return the priors of one surface as they were without one of its links.

        Args:
            surface: The surface.
            key: Entity of the link.
            wholly: Take all links of the surface to this entity away, as if it had never been seen.
        """
        counts = dict(self._counts.get(normalised(surface), {}))
        if key in counts:
            counts[key] = 0 if wholly else counts[key] - 1
        return Priors({normalised(surface): {k: n for k, n in counts.items() if n > 0}})

    def to_json(self) -> dict[str, dict[str, int]]:
        """Return the counts, sorted, as plain JSON."""
        return {
            surface: dict(sorted(keys.items())) for surface, keys in sorted(self._counts.items())
        }
