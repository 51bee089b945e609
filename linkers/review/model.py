"""What a review passes around: cases that a person may decide, and decisions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self, get_args

from kg.errors import InputError
from kg.model import EdgeKey, EntityKey
from linkers.model import Candidate, Link, LinkState, Mention
from linkers.review.change import Change

__all__ = [
    "Case",
    "Decision",
    "DecisionKind",
    "Request",
    "case_of",
    "mention_hash",
    "pair_hash",
    "read_mention",
]

DecisionKind = Literal["accept", "reject", "other", "new", "merge", "split", "undo"]
"""accept: the proposed entity; other: another one; reject: none of the graph (of a pair: two
things); new: an entity that is made; merge: several entities are one; split: one is two."""

_SHOWN = 8  # candidates kept of a link
_REASONS = 6  # signals kept of a candidate, the strongest


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something to decide: a mention with what the linker proposed, or a pair of entities.

    Attributes:
        id: Hash of what is to be decided.
        mention: The mention; None for a pair.
        source: File that the mention stands in, as edges made from its link name it.
        state: What the linker said.
        entity: What it proposed, if anything.
        probability: Of the linker's decision; of a pair, how alike the two are, in [0, 1].
        nil_probability: That no entity of the graph is meant.
        reason: Why NIL, or why the two may be one.
        candidates: Best first, at most 8, each with its strongest signals.
        pair: Keys of two entities that may be one.
    """

    id: str
    mention: Mention | None = None
    source: str = ""
    state: LinkState = "review"
    entity: EntityKey | None = None
    probability: float = 0.0
    nil_probability: float = 0.0
    reason: str | None = None
    candidates: tuple[Candidate, ...] = ()
    pair: tuple[EntityKey, EntityKey] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            InputError: It is no case, or its id is not that of its content.
        """
        try:
            pair, mention = values["pair"], values["mention"]
            found = cls(
                **{
                    **values,
                    "mention": None if mention is None else read_mention(mention),
                    "probability": float(values["probability"]),
                    "nil_probability": float(values["nil_probability"]),
                    "candidates": tuple(Candidate(**row) for row in values["candidates"]),
                    "pair": None if pair is None else (EntityKey(pair[0]), EntityKey(pair[1])),
                }
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"not a case: {error!r:.100}") from error
        wanted = "" if found.mention is None else mention_hash(found.mention)
        if found.mention is None and found.pair is not None:
            wanted = pair_hash(*found.pair)
        if found.id != wanted:
            raise InputError("a case whose id is not that of its content", where=str(found.id)[:80])
        return found


def read_mention(values: Mapping[str, Any]) -> Mention:
    """Read a mention from plain JSON.

    Raises:
        TypeError: A part is missing, unknown or of the wrong type.
    """
    mention = Mention(**values)
    for name in ("id", "surface", "context"):
        if not isinstance(getattr(mention, name), str):
            raise TypeError(f"{name} of a mention is a text")
    for name, kind in (("start", int), ("end", int), ("image", str)):
        if not isinstance(getattr(mention, name), kind | None):
            raise TypeError(f"{name} of a mention is wrong")
    return mention


def mention_hash(mention: Mention) -> str:
    """Return what makes a mention the same in two runs: all of it but its document.

    Example:
        >>> one = Mention(id="m1", surface="Chad")
        >>> mention_hash(one) == mention_hash(replace(one, document="page 3"))
        True
    """
    parts = [mention.id, mention.surface, mention.context, mention.start, mention.end]
    return hashlib.sha256(json.dumps([*parts, mention.image]).encode()).hexdigest()[:16]


def pair_hash(one: EntityKey, two: EntityKey) -> str:
    """Return what names a pair of entities, whichever comes first."""
    return hashlib.sha256(json.dumps(["pair", *sorted((one, two))]).encode()).hexdigest()[:16]


def case_of(mention: Mention, link: Link, *, source: str = "") -> Case:
    """Return the case of a linked mention."""
    candidates = tuple(
        replace(candidate, signals=_strongest(candidate.signals))
        for candidate in link.candidates[:_SHOWN]
    )
    return Case(
        id=mention_hash(mention),
        mention=replace(mention, document=None),
        source=source,
        state=link.state,
        entity=link.entity,
        probability=link.probability,
        nil_probability=link.nil_probability,
        reason=link.reason,
        candidates=candidates,
    )


def _strongest(signals: Mapping[str, float]) -> dict[str, float]:
    best = sorted(signals.items(), key=lambda item: (-item[1], item[0]))
    return dict(best[:_REASONS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asks for; `linkers.review.Review` makes a decision of it.

    Attributes:
        kind: What to do.
        who: Who says so.
        case: Id of the case, for accept, reject, other and new.
        entity: The entity: of other; the one that stays, of merge; the one to be split.
        keys: Entities that go into `entity`, of merge.
        key: Key of the entity that is made, of new and split.
        name: Its name.
        label: Its class; that of the case's candidates or of the split entity if not given.
        aliases: Names that go to the new entity, of split.
        edges: Edges that go to it, of split.
        undoes: Number of the decision, of undo; the last one if not given.
        comment: Anything.
        id: Makes a request the same when it is sent again; a hash of the rest if not given.

    Raises:
        InputError: A part is missing, or of the wrong type.
    """

    kind: DecisionKind
    who: str
    case: str | None = None
    entity: EntityKey | None = None
    keys: tuple[EntityKey, ...] = ()
    key: EntityKey | None = None
    name: str | None = None
    label: str | None = None
    aliases: tuple[str, ...] = ()
    edges: tuple[EdgeKey, ...] = ()
    undoes: int | None = None
    comment: str | None = None
    id: str = field(default="")

    def __post_init__(self) -> None:
        """Refuse a request that lacks what its kind needs."""
        if self.kind not in get_args(DecisionKind):
            kinds = ", ".join(get_args(DecisionKind))
            raise InputError(f"no decision is called {self.kind!r:.40}", hint=f"one of {kinds}")
        needed = {
            "accept": ("case",),
            "reject": ("case",),
            "other": ("case", "entity"),
            "new": ("case", "key", "name"),
            "merge": ("entity", "keys"),
            "split": ("entity", "key", "name"),
            "undo": (),
        }[self.kind]
        for name in ("who", *needed):
            if not getattr(self, name):
                raise InputError(f"a decision of kind {self.kind!r} needs {name!r}")
        for name in ("who", "case", "entity", "key", "name", "label", "comment", "id"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or len(value) > 2_000):
                raise InputError(f"{name!r} of a decision is a text of at most 2,000 characters")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read a request from plain JSON.

        Raises:
            InputError: It is none.

        Example:
            >>> Request.from_json({"kind": "accept", "case": "0a1b", "who": "ada"}).kind
            'accept'
        """
        unknown = sorted(set(values) - {part.name for part in fields(cls)})
        if unknown:
            raise InputError(f"a decision has no {unknown[0]!r}")
        given = dict(values)
        try:
            for name in ("keys", "aliases"):
                given[name] = _texts(given.get(name, ()))
            given["edges"] = tuple(_edge_key(edge) for edge in given.get("edges", ()))
            return cls(**given)
        except TypeError as error:
            raise InputError(f"not a decision: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON without empty fields, that `from_json` reads."""
        return {name: value for name, value in asdict(self).items() if value not in (None, (), "")}


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise TypeError("a list of texts is needed")
    return tuple(values)


def _edge_key(values: Any) -> EdgeKey:
    head, relation, tail = (*_texts(values), None, None, None)[:3]
    if head is None or relation is None or tail is None or len(values) != 3:
        raise TypeError("an edge is [head, relation, tail]")
    return (EntityKey(head), relation, EntityKey(tail))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A request that was taken, with what it does to the graph.

    Attributes:
        number: Place in the log, from 1.
        request: What was asked for, by whom.
        at: When, ISO 8601 in UTC.
        change: What it does to the graph.
        case: The mention or pair that it decides, if any.
        state: `done`; `pending` until the graph has it; `refused` if the graph has changed so that
            it cannot be done; `undone`.
        reason: Why it was refused.
    """

    number: int
    request: Request
    at: str
    change: Change
    case: str | None = None
    state: Literal["pending", "done", "refused", "undone"] = "pending"
    reason: str | None = None

    @property
    def meant(self) -> EntityKey | None:
        """The entity that the case's mention means, as it was decided; None for NIL."""
        request = self.request
        return {"other": request.entity, "new": request.key, "accept": request.entity}.get(
            request.kind
        )
