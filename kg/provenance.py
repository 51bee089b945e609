"""Where a fact comes from: one record a source, kept beside every edge and every entity.

Undoing a source or a job takes its records away; an edge without a record is gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from json.encoder import encode_basestring as quoted  # what an encoder itself writes texts by
from operator import attrgetter
from typing import Any, Literal, cast, get_args

from kg.errors import InputError

__all__ = ["KNOWN_PROBABILITY", "Provenance", "ProvenanceKind", "best_probability", "merged"]

ProvenanceKind = Literal["asserted", "linked", "generated", "accepted"]

KNOWN_PROBABILITY = 0.9
"""Default probability from which a linked or generated edge counts as known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """One reason to believe one fact.

    Attributes:
        kind: `asserted` (a source file says so), `linked` (a mention was linked), `generated`
            (a model saw it in an image), `accepted` (a person said so).
        source: The file, document, image hash or person.
        locator: Where inside the source: ``row 12``, ``chars 4-9``, ``box 0,0,10,20``.
        text: The words that carry the fact, if any.
        job: The job that wrote it, if any.
        model: Name and version of the model that wrote it, if any.
        probability: Calibrated probability in [0, 1]; 1 for asserted and accepted facts.
        at: ISO 8601 date or time, only where the source itself has one, or when a person said so.
        derived_from: What else it rests on: sources, jobs, keys of entities, or edges as
            ``head relation tail``, in order of text. Where one of them is taken back, so is this
            (`kg.upkeep.undo`).

    Raises:
        InputError: The probability lies outside [0, 1], the kind is unknown, or what it is derived
            from is no list of texts.

    Example:
        >>> Provenance(kind="asserted", source="countries.jsonl", locator="row 7").probability
        1.0
    """

    kind: ProvenanceKind
    source: str
    locator: str | None = None
    text: str | None = None
    job: str | None = None
    model: str | None = None
    probability: float = 1.0
    at: str | None = None
    derived_from: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check kind, probability and what it is derived from."""
        if self.kind not in get_args(ProvenanceKind):
            raise InputError(f"unknown kind of provenance {self.kind!r}")
        if not 0.0 <= self.probability <= 1.0:
            raise InputError(f"probability {self.probability!r} lies outside [0, 1]")
        names = self.derived_from
        if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
            raise InputError(f"{names!r:.80} is no list of what a record is derived from")
        object.__setattr__(self, "derived_from", tuple(sorted(set(names))))

    @property
    def identity(self) -> str:
        """Short hash of what makes two records the same reason (not its text or probability)."""
        parts = [self.kind, self.source, self.locator, self.job, self.model]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Return the record as one line of JSON without empty fields, keys sorted."""
        try:
            return self._text()
        except TypeError:  # a field is no text, whatever its type says
            values = zip(_SORTED, _values(self), strict=True)
            return _encode({name: v for name, v in values if v is not None and v != ()})

    def _text(self) -> str:
        # by hand, field by field in the order of their names: a load writes one for each edge
        at = "" if self.at is None else f'"at": {quoted(self.at)}, '
        bases = f'"derived_from": {_encode(self.derived_from)}, ' if self.derived_from else ""
        job = "" if self.job is None else f'"job": {quoted(self.job)}, '
        locator = "" if self.locator is None else f'"locator": {quoted(self.locator)}, '
        model = "" if self.model is None else f'"model": {quoted(self.model)}, '
        probability = _encoded(self.probability)
        text = "" if self.text is None else f', "text": {quoted(self.text)}'
        return (
            f'{{{at}{bases}{job}"kind": {quoted(self.kind)}, {locator}{model}'
            f'"probability": {probability}, "source": {quoted(self.source)}{text}}}'
        )

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """Read what `to_json` wrote.

        Raises:
            InputError: The text is not such a record.
        """
        try:
            return cls(**cast("Mapping[str, Any]", json.loads(text)))
        except (TypeError, ValueError) as error:
            raise InputError(f"not a provenance record: {text[:80]!r}") from error


_SORTED = tuple(sorted(field.name for field in fields(Provenance)))
_values = attrgetter(*_SORTED)
_encode = json.JSONEncoder(ensure_ascii=False).encode


def _encoded(value: object) -> str:
    return repr(value) if type(value) is float else _encode(value)  # what it writes of one, too


def merged(old: Iterable[Provenance], new: Iterable[Provenance]) -> tuple[Provenance, ...]:
    """Return both sets of records, a newer record replacing an older one of the same identity.

    The order is by identity, so that merging is commutative but for replaced records, and
    idempotent.
    """
    records = {record.identity: record for record in old}
    records.update((record.identity, record) for record in new)
    return tuple(records[identity] for identity in sorted(records))


def best_probability(records: Iterable[Provenance]) -> float:
    """Return the probability of the strongest record (0 if there is none)."""
    return max((record.probability for record in records), default=0.0)
