"""Which provenance records a withdrawal takes away."""

from __future__ import annotations

from dataclasses import dataclass, fields

from kg.provenance import Provenance

__all__ = ["Withdrawal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Which provenance records to take away: those that match every field that is set.

    Attributes:
        source: Their source.
        job: Their job.
        kind: Their kind.
        model: Their model.
        derived_from: Names of which they were derived from one or more.

    Example:
        >>> Withdrawal(job="scenes-1f3a").matches(
        ...     Provenance(kind="generated", source="flag", job="scenes-1f3a"))
        True
    """

    source: str | None = None
    job: str | None = None
    kind: str | None = None
    model: str | None = None
    derived_from: frozenset[str] | None = None

    @property
    def names(self) -> frozenset[str]:
        """What records call it that rest on all of it: a source or a job that is named alone."""
        named = [getattr(self, field.name) for field in fields(self)]
        alone = sum(value is not None for value in named) == 1
        return frozenset(name for name in (self.source, self.job) if name and alone)

    def matches(self, record: Provenance) -> bool:
        """Tell whether a record is to be taken away; a withdrawal with no field matches none."""
        bases = self.derived_from
        if bases is not None and bases.isdisjoint(record.derived_from):
            return False
        wanted = {
            name: value
            for name in ("source", "job", "kind", "model")
            if (value := getattr(self, name)) is not None
        }
        some = bool(wanted or bases)
        return some and all(getattr(record, k) == v for k, v in wanted.items())
