"""A linker put to the test on mentions at hand: words that add nothing, and modalities apart.

Nothing is trained and nothing is written. `check_linker` says for each kind of attribute which
decisions stay, and for each mention with words and a picture whether the two mean one entity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kg.errors import InputError
from kg.model import EntityKey
from kg.progress import Progress, silent
from linkers.attribute_words import AttributeSource
from linkers.conflict import IN_CONFLICT, apart, conflict
from linkers.model import Link, Mention
from linkers.robustness import AttributeInsertion, Insertion

__all__ = ["Check", "Disagreement", "Inserted", "Kind", "Links", "check_linker", "is_right"]


class Links(Protocol):
    """Anything that links mentions."""

    def link(self, mentions: Sequence[Mention], *, progress: Progress = ...) -> list[Link]:
        """Link mentions, in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of words to put in.

    Attributes:
        name: What it is called.
        source: Gives the words.
        adversarial: Take the word that harms the link most among the likely ones; else the
            source's first.
        budget: Most words put before a mention.
    """

    name: str
    source: AttributeSource
    adversarial: bool = True
    budget: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Inserted:
    """A mention into whose text words were put.

    Attributes:
        kind: Of the words.
        row: Which mention.
        insertion: The mention as it was changed.
        before: The link without the words.
        after: The link with them.
    """

    kind: str
    row: int
    insertion: Insertion
    before: Link
    after: Link

    @property
    def stays(self) -> bool:
        """Whether the decision is the same: its state and its entity."""
        return (self.before.state, self.before.entity) == (self.after.state, self.after.entity)

    @property
    def support(self) -> float:
        """The probability, with the words, of what was decided without them."""
        return supported(self.before, self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A mention whose words and picture were asked apart.

    Attributes:
        row: Which mention.
        together: Its link.
        text: The link of its words alone.
        picture: The link of its picture alone.
        conflict: Probability that the two mean different entities.
    """

    row: int
    together: Link
    text: Link
    picture: Link
    conflict: float

    @property
    def flagged(self) -> bool:
        """Whether they more likely mean two entities than not."""
        return self.conflict >= IN_CONFLICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a check found.

    Attributes:
        links: The links of the mentions as they are, in order.
        inserted: Mentions with words put in, by kind, in order.
        apart: Mentions with words and a picture, in order.
    """

    links: Sequence[Link]
    inserted: Mapping[str, Sequence[Inserted]]
    apart: Sequence[Disagreement]

    @property
    def flips(self) -> list[Inserted]:
        """Decisions that did not stay."""
        return [one for rows in self.inserted.values() for one in rows if not one.stays]

    @property
    def conflicts(self) -> list[Disagreement]:
        """Mentions whose words and picture disagree, the plainest first."""
        found = [one for one in self.apart if one.flagged]
        return sorted(found, key=lambda one: (-one.conflict, one.row))


def check_linker(
    linker: Links,
    mentions: Sequence[Mention],
    kinds: Sequence[Kind],
    *,
    links: Sequence[Link] | None = None,
    pictures: bool = True,
    progress: Progress = silent,
) -> Check:
    """Put a linker to the test.

    Args:
        linker: Any linker.
        mentions: What it links; mentions of one document are changed together.
        kinds: Which words are put in.
        links: The links of the mentions, if they are known already.
        pictures: Whether the linker looks at pictures; else they are in conflict with nothing.
        progress: Told passes over the mentions.

    Raises:
        InputError: Two kinds have one name.
    """
    if len({kind.name for kind in kinds}) != len(kinds):
        raise InputError("two kinds of attributes have one name")
    passes = len(kinds) + 2
    before = list(linker.link(mentions)) if links is None else list(links)
    progress(1, passes)
    corpus = [mention.context for mention in mentions]
    inserted: dict[str, list[Inserted]] = {}
    for number, kind in enumerate(kinds):
        inserted[kind.name] = _inserted(linker, mentions, before, kind, corpus)
        progress(2 + number, passes)
    found = _apart(linker, mentions, before) if pictures else []
    progress(passes, passes)
    return Check(links=before, inserted=inserted, apart=found)


def supported(before: Link, after: Link) -> float:
    """Return the probability that a link gives to what another one decided.

    Example:
        >>> nil = Link(mention="1", state="nil", entity=None, probability=0.9, nil_probability=0.9)
        >>> supported(nil, nil)
        0.9
    """
    if before.state == "nil" or before.entity is None:
        return after.nil_probability
    return chances(after).get(before.entity, 0.0)


def chances(link: Link) -> dict[EntityKey, float]:
    """Return the probability of each candidate that a link names."""
    return {candidate.entity: candidate.probability for candidate in link.candidates}


def is_right(link: Link, gold: EntityKey | None) -> bool:
    """Tell whether a link decides what is known: an entity of the base, or None for NIL."""
    return link.state == "nil" if gold is None else link.entity == gold


def _inserted(
    linker: Links,
    mentions: Sequence[Mention],
    before: Sequence[Link],
    kind: Kind,
    corpus: Sequence[str],
) -> list[Inserted]:
    def support(changed: Sequence[Mention]) -> list[float]:
        links = _linked(linker, mentions, before, changed)
        return [supported(b, a) for b, a in zip(before, links, strict=True)]

    insertion = AttributeInsertion(
        kind.source,
        support if kind.adversarial else None,
        budget=kind.budget,
        corpus=corpus if kind.adversarial else (),
    )
    found = insertion.perturb_all(mentions)
    after = _linked(linker, mentions, before, [one.mention for one in found])
    return [
        Inserted(kind=kind.name, row=row, insertion=one, before=before[row], after=after[row])
        for row, one in enumerate(found)
        if one.words
    ]


def _linked(
    linker: Links,
    mentions: Sequence[Mention],
    before: Sequence[Link],
    changed: Sequence[Mention],
) -> list[Link]:
    """Link changed mentions, with all of a document of which one was changed; keep the others."""
    pairs = list(zip(mentions, changed, strict=True))
    touched = {new.document for old, new in pairs if new != old and new.document is not None}
    rows = [n for n, (old, new) in enumerate(pairs) if new != old or new.document in touched]
    links = list(before)
    for row, link in zip(rows, linker.link([changed[row] for row in rows]), strict=True):
        links[row] = link
    return links


def _apart(
    linker: Links, mentions: Sequence[Mention], together: Sequence[Link]
) -> list[Disagreement]:
    parts = [(row, pair) for row, m in enumerate(mentions) if (pair := apart(m)) is not None]
    texts = linker.link([text for _, (text, _) in parts])
    pictures = linker.link([picture for _, (_, picture) in parts])
    return [
        Disagreement(
            row=row,
            together=together[row],
            text=text,
            picture=picture,
            conflict=conflict(chances(text), chances(picture)),
        )
        for (row, _), text, picture in zip(parts, texts, pictures, strict=True)
    ]
