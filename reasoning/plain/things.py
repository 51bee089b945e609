"""Things in a question: an entity, a label with adjectives, "the … of" a thing, "France's …"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kg.errors import QuerySyntaxError
from reasoning.plain.comparisons import is_flag
from reasoning.plain.function_words import DETERMINERS, JOINS, PRONOUNS
from reasoning.plain.lexicon import Lexicon, Meant
from reasoning.plain.spots import Spot
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Projection,
    Query,
    Union,
)

__all__ = ["Heard", "Thing", "ThingReader", "all_of", "any_of", "hop"]

MAX_NESTING = 8


@dataclass(frozen=True, slots=True)
class Heard:
    """Words of a question and the relation that they were taken for.

    Attributes:
        words: As heard.
        relation: What they mean.
        how: ``name``, ``likeness`` or ``labels``.
        score: Of the choice; a low one is a guess.
        start: First character in the question, from 0.
        end: One past the last.
    """

    words: str
    relation: str
    how: str
    score: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Thing:
    """A part of a question that stands for entities.

    Attributes:
        tree: What it stands for.
        label: Theirs, if it is one and known.
        open: Clauses may follow.
    """

    tree: Query
    label: str | None
    open: bool


@dataclass
class ThingReader:
    """Reads things from a place in a question on, and moves that place.

    Attributes:
        text: The question.
        lexicon: What words mean.
        spots: Its words.
        at: The place.
        outer: Labels of the things that the present one is nested in.
        heard: Relations chosen so far.
    """

    text: str
    lexicon: Lexicon
    spots: Sequence[Spot]
    at: int = 0
    outer: list[str | None] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    def word(self, ahead: int = 0) -> str:
        """The word at a place ahead, empty where none is or where it names something."""
        place = self.at + ahead
        here = self.spots[place] if place < len(self.spots) else None
        return here.text if here is not None and here.kind == "word" else ""

    def spot(self, ahead: int = 0) -> Spot | None:
        """Return the spot at a place ahead, if there is one."""
        place = self.at + ahead
        return self.spots[place] if place < len(self.spots) else None

    def wrong(self, what: str, here: Spot | None = None) -> QuerySyntaxError:
        """Return an error that names a place, the present one if none is given."""
        if here is None:
            here = self.spot()
        place = len(self.text) if here is None else here.start
        return QuerySyntaxError(
            what, position=place, line=1, column=place + 1,
            hint="say it with the graph's own names of labels and relations, or write Cypher",
        )  # fmt: skip

    def thing_here(self) -> bool:
        """Tell whether a thing begins here."""
        ahead = 0
        while self.word(ahead) in DETERMINERS | {"not"}:
            ahead += 1
        here = self.spot(ahead)
        if here is None:
            return False
        if here.kind in ("entity", "label"):
            return True
        if here.kind == "attribute" and is_flag(self.lexicon, here.name):
            return self.thing_after(ahead + 1)
        if self.thing_after(ahead + 1) and self.lexicon.adjective(self.word(ahead)):
            return True
        return self.noun(ahead) > 0

    def thing_after(self, ahead: int) -> bool:
        """Tell whether a label stands at a place ahead."""
        here = self.spot(ahead)
        return here is not None and here.kind == "label"

    def noun(self, ahead: int) -> int:
        """Return how many words stand before an "of" that a thing follows; 0 if none does."""
        count = 0
        while count < 4 and self.word(ahead + count) not in {"", "of", *JOINS, *PRONOUNS}:
            count += 1
        return count if count and self.word(ahead + count) == "of" else 0

    def thing(self) -> Thing:
        """Read a thing.

        Raises:
            QuerySyntaxError: None begins here, or it is nested too deeply.
        """
        if len(self.outer) > MAX_NESTING:
            raise self.wrong("a question is nested too deeply")
        while self.word() in DETERMINERS:
            self.at += 1
        adjective = self.adjective()
        flags = self.flags()
        here = self.spot()
        if here is not None and here.kind == "entity" and not flags and adjective is None:
            self.at += 1
            return self._possessed(self.entity(here))
        if here is not None and here.kind == "label":
            self.at += 1
            named = self._named_so(here.name)
            if named is not None and not flags and adjective is None:
                return named
            if adjective is not None:
                flags.append(hop(self.meant((), here.name, adjective), adjective.tree))
            return Thing(all_of([Labelled(here.name), *flags]), here.name, open=True)
        count = self.noun(0)
        if not count or flags:
            raise self.wrong("a thing is missing")
        said = self.spots[self.at : self.at + count]
        self.at += count + 1
        other = self.thing()
        return self._reached(said, other, None)

    def _named_so(self, label: str) -> Thing | None:
        """Read the name behind its label: "the region Europe", "the city of Lima"."""
        ahead = int(self.word() == "of")
        here = self.spot(ahead)
        if here is None or here.kind != "entity" or here.comma:
            return None
        fitting = tuple(key for key in here.keys if self.lexicon.label_of(key) == label)
        joined = any((label, label) in pairs for pairs in self.lexicon.signatures.values())
        if not fitting or (ahead and joined):
            return None
        self.at += ahead + 1
        return self.entity(replace(here, keys=fitting))

    def adjective(self) -> Thing | None:
        """Read an adjective made from a name, where a label follows: "African countries"."""
        keys = self.lexicon.adjective(self.word())
        if not keys or not self.thing_after(1):
            return None
        here = self.spots[self.at]
        self.at += 1
        return self.entity(replace(here, keys=keys))

    def flags(self) -> list[Query]:
        """Read attributes that say yes or no, before a label or behind it."""
        found: list[Query] = []
        while True:
            skip = int(self.word() == "not" or (self.word() in JOINS and bool(found)))
            here = self.spot(skip)
            flag = here is not None and here.kind == "attribute"
            if here is None or not flag or not is_flag(self.lexicon, here.name):
                return found
            found.append(Compare(here.name, "=", value=self.word() != "not"))
            self.at += skip + 1

    def entity(self, here: Spot) -> Thing:
        """Return the thing that a name means: one entity, all of a label with it, or any."""
        labels = {self.lexicon.label_of(key): key for key in reversed(here.keys)}
        label = next(iter(labels)) if len(labels) == 1 else None
        if len(here.keys) == 1:
            return Thing(Anchor(here.keys[0]), label, open=False)
        if label is not None:
            name = self.lexicon.snapshot.names[self.lexicon.snapshot.entities[here.keys[0]]]
            tree = Intersection((Labelled(label), Compare("name", "=", name)))
            return Thing(tree, label, open=False)
        return Thing(Union(tuple(Anchor(key) for key in labels.values())), None, open=False)

    def _possessed(self, owner: Thing) -> Thing:
        if self.word() != "s":
            return owner
        self.at += 1
        said = []
        while self.word() and self.word() not in JOINS | PRONOUNS:
            said.append(self.spots[self.at])
            self.at += 1
        here = self.spot()
        if not said and here is not None and here.kind == "label":
            self.at += 1
            reached = self._reached([here], owner, here.name)
            return Thing(all_of([Labelled(here.name), reached.tree]), here.name, open=True)
        return self._reached(said, owner, None)

    def _reached(self, said: Sequence[Spot], other: Thing, subject: str | None) -> Thing:
        meant = self.meant(said, subject, other)
        label = self._label_across(meant, other.label)
        return Thing(hop(meant, other.tree), label, open=True)

    def _label_across(self, meant: Meant, other: str | None) -> str | None:
        pairs = self.lexicon.signatures[meant.relation]
        ends = {
            (tail if meant.inverse else head)
            for head, tail in pairs
            if other in (None, head if meant.inverse else tail)
        }
        return ends.pop() if len(ends) == 1 else None

    def meant(
        self, said: Sequence[Spot], subject: str | None, other: Thing, *, acts: bool = False
    ) -> Meant:
        """Choose the relation for words, and note it.

        Raises:
            QuerySyntaxError: None fits.
        """
        words = [word for spot in said for word in spot.text.split()]
        passive = acts or (bool(words) and words[-1] == "by")
        meant = self.lexicon.relation(words, subject, other.label, passive=passive)
        if meant is None:
            what = f"{' '.join(words)!r:.80} is no relation" if said else "no relation stands"
            ends = f"between {subject or 'anything'} and {other.label or 'anything'}"
            raise self.wrong(f"{what} {ends}", said[0] if said else None)
        if said:
            start, end = said[0].start, said[-1].end
            note = Heard(
                self.text[start:end], meant.relation, meant.how, round(meant.score, 3), start, end
            )
            self.heard.append(note)
        return meant


def hop(meant: Meant, child: Query) -> Projection:
    """Return what a relation leads to, from the child to what is asked for."""
    return Projection(meant.relation, child, inverse=not meant.inverse)


def all_of(trees: Sequence[Query]) -> Query:
    """Return what fulfils all trees."""
    return trees[0] if len(trees) == 1 else Intersection(tuple(trees))


def any_of(trees: Sequence[Query]) -> Query:
    """Return what fulfils any tree."""
    return trees[0] if len(trees) == 1 else Union(tuple(trees))
