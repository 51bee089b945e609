"""A question in plain English read as a query tree by rules, without any model of language.

A thing is an entity, a label, or "the … of" a thing; a label is followed by clauses, each of some
words and a thing ("that border France"), a comparison, or an attribute that says yes or no. Clauses
join by and, or, but, and not; a clause belongs to the nearest thing that it fits by its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reasoning.plain.comparisons import compared
from reasoning.plain.function_words import (
    AUXILIARIES,
    DETERMINERS,
    JOINS,
    LEADS,
    NOT,
    PRONOUNS,
)
from reasoning.plain.lexicon import Lexicon, content
from reasoning.plain.spots import Spot, spots_of
from reasoning.plain.things import Heard, Thing, ThingReader, all_of, any_of, hop
from reasoning.query import Anchor, Compare, Labelled, Negation, Query

__all__ = ["Heard", "Plain", "read_plain"]


@dataclass(frozen=True, slots=True)
class Plain:
    """A question as it was understood.

    Attributes:
        tree: The query.
        heard: The relations that were chosen, in the order of the question.
        unread: Words at its end that changed nothing.
    """

    tree: Query
    heard: tuple[Heard, ...] = ()
    unread: str = ""


class _Sentence(ThingReader):
    def question(self) -> Query:
        while self.word() in LEADS and not self._fronted(None):
            self.at += 1
        start = self.at
        fronted = self._fronted(None)
        if fronted is None and self.thing_here():
            thing = self.thing()
        else:
            thing = Thing(Compare("key", "starts with", ""), None, open=True)
        if fronted is not None:
            thing = Thing(fronted, None, open=True)
        tree = self._behind_entity(thing) or self.clauses(thing)
        left = self.spots[self.at :]
        if any(spot.kind != "word" or spot.text in NOT for spot in left):
            raise self.wrong(f"not understood from {self.text[self.spots[self.at].start :]!r:.80}")
        if self.at == start or isinstance(tree, Compare | Labelled | Anchor):
            raise self.wrong("nothing is asked that the graph could answer")
        return tree

    def _behind_entity(self, thing: Thing) -> Query | None:
        """Read what stands behind an entity that acts: "Chad borders which countries"."""
        mark, said = self.at, []
        while self.word() and self.word() not in ("which", "what"):
            said.append(self.spots[self.at])
            self.at += 1
        if thing.open or not said or self.word() not in ("which", "what"):
            self.at = mark
            return None
        wanted = self.thing()
        hop_to = hop(self.meant(said, wanted.label, thing, acts=True), thing.tree)
        return self.clauses(replace(wanted, tree=all_of([wanted.tree, hop_to])))

    def clauses(self, thing: Thing) -> Query:
        """Read the clauses that follow a thing, and return the thing as they narrow it."""
        if not thing.open:
            return thing.tree
        groups: list[list[Query]] = [[]]
        last: Sequence[Spot] = ()
        while self.at < len(self.spots):
            mark, heard = self.at, len(self.heard)
            join = self._join()
            if join is None or (groups[-1] and self._is_outer(thing.label)):
                self.at = mark
                break
            found = self.clause(thing.label, last)
            if found is None:
                self.at, self.heard[heard:] = mark, []
                break
            tree, last = found
            if join == "or" and groups[-1]:
                groups.append([])
            groups[-1].append(tree)
        return _narrowed(thing.tree, [group for group in groups if group])

    def _join(self) -> str | None:
        """Pass over a joining word; return it, or "and" where none stands."""
        found = "and"
        while self.word() in JOINS:
            found = "or" if self.word() == "or" else "and"
            self.at += 1
        return found

    def _is_outer(self, subject: str | None) -> bool:
        """Tell whether the next clause fits a thing further out better than this one."""
        if not self.outer:
            return False
        ahead, said = 0, list[str]()
        here = self.spot()
        comma = here is not None and (here.comma or self.spots[self.at - 1].comma)
        while self.word(ahead):
            said.append(self.word(ahead))
            ahead += 1
        other = self.spot(ahead)
        if other is None or other.kind != "entity" or not said:
            return comma
        label = self.entity(other).label
        ours, theirs = (
            0.0 if meant is None else meant.score
            for meant in (
                self.lexicon.relation(said, subject, label),
                self.lexicon.relation(said, self.outer[-1], label),
            )
        )
        return theirs >= ours if comma else theirs > ours + 0.1

    def clause(
        self, subject: str | None, last: Sequence[Spot]
    ) -> tuple[Query, Sequence[Spot]] | None:
        """Read a clause about a subject; also return the words that said its relation."""
        if (fronted := self._fronted(subject)) is not None:
            return fronted, ()
        negative = False
        while self.word() in PRONOUNS | NOT or (self.word() == "t" and negative):
            negative ^= self.word() in NOT
            self.at += 1
        mark = self.at
        measured = compared(self.lexicon, self.spots, self.at, subject)
        if measured is not None:
            self.at = measured[1]
            return (Negation(measured[0]) if negative else measured[0]), ()
        said: list[Spot] = []
        while self.word() and self.word() not in DETERMINERS - {"their", "its"}:
            if self.thing_after(1) and self.lexicon.adjective(self.word()):
                break
            if self.word() in JOINS or (self.noun(0) and said and self.noun(0) < 3):
                break
            if self.word() in NOT or (self.word() == "t" and negative):
                negative ^= self.word() in NOT
            elif self.word() in PRONOUNS:
                said.clear()
            else:
                said.append(self.spots[self.at])
            self.at += 1
        flags = self.flags()
        if flags and not content(spot.text for spot in said) and not self.thing_after(0):
            tree = all_of(flags)
            return (Negation(tree) if negative else tree), ()
        if flags or not self.thing_here():
            self.at = mark
            return None
        if not content(s.text for s in said) and content(s.text for s in last) and len(said) < 1:
            said = list(last)
        tree = self._objects(subject, said)
        return (Negation(tree) if negative else tree), said

    def _objects(self, subject: str | None, said: list[Spot]) -> Query:
        """Read one thing or several, and reach from each to the subject."""
        things, join = [self._object(subject)], "and"
        while (ahead := self._another()) is not None:
            join = "or" if self.word() in ("or", "nor") else join
            self.at += ahead
            things.append(self._object(subject))
        acts, negative = False, False
        if not said and self.word() and self.word() not in JOINS | PRONOUNS:
            acts = True
            said, negative = self._behind()
        trees = [hop(self.meant(said, subject, one, acts=acts), one.tree) for one in things]
        tree = all_of(trees) if join == "and" else any_of(trees)
        return Negation(tree) if negative else tree

    def _object(self, subject: str | None) -> Thing:
        thing = self.thing()
        self.outer.append(subject)
        tree = self.clauses(thing)
        self.outer.pop()
        return Thing(tree, thing.label, open=False)

    def _another(self) -> int | None:
        """Return how many words to skip to a further object of the same clause, if one follows."""
        ahead = 0
        while self.word(ahead) in ("and", "or", "nor"):
            ahead += 1
        here = self.spot(ahead)
        joined = here is not None and (ahead or here.comma)
        while self.word(ahead) in DETERMINERS - PRONOUNS:
            ahead += 1
            here = self.spot(ahead)
        return ahead if joined and here is not None and here.kind == "entity" else None

    def _behind(self) -> tuple[list[Spot], bool]:
        """Take the words behind things that act, and whether they deny: "Arabic is not spoken"."""
        said, negative = [], False
        while self.word() and self.word() not in JOINS | PRONOUNS:
            if self.word() in NOT:
                negative = True
            elif not (negative and self.word() == "t"):
                said.append(self.spots[self.at])
            self.at += 1
        return said, negative

    def _fronted(self, subject: str | None) -> Query | None:
        """Read "does Germany border": things that act, then what they do."""
        if self.word() not in AUXILIARIES:
            return None
        mark = self.at
        self.at += 1
        if not self.thing_here():
            self.at = mark
            return None
        things = [self._object(subject)]
        join = "and"
        while (skip := self._another()) is not None:
            join = "or" if self.word() == "or" else join
            self.at += skip
            things.append(self._object(subject))
        said, negative = self._behind()
        if not said:
            self.at = mark
            return None
        trees = [hop(self.meant(said, subject, one, acts=True), one.tree) for one in things]
        tree = all_of(trees) if join == "and" else any_of(trees)
        return Negation(tree) if negative else tree


def read_plain(text: str, lexicon: Lexicon) -> Plain:
    """Read a question.

    Args:
        text: English, at most `reasoning.plain.spots.MAX_QUESTION` characters.
        lexicon: What words mean in the graph.

    Raises:
        QuerySyntaxError: It is not understood; the position says from where.

    Example:
        >>> from kg.model import Edge, Entity, EntityKey
        >>> from kg.provenance import Provenance
        >>> from kg.snapshot import build_snapshot
        >>> chad, niger = EntityKey("c:TD"), EntityKey("c:NE")
        >>> told = (Provenance(kind="asserted", source="atlas"),)
        >>> graph = build_snapshot(
        ...     [Entity(key=chad, label="Country", name="Chad"),
        ...      Entity(key=niger, label="Country", name="Niger")],
        ...     [Edge(head=niger, relation="borders", tail=chad, provenance=told)])
        >>> found = read_plain("Which countries border Chad?", Lexicon(graph))
        >>> found.heard[0].relation
        'borders'
    """
    reader = _Sentence(text, lexicon, spots_of(text, lexicon))
    tree = reader.question()
    left = reader.spots[reader.at :]
    unread = text[left[0].start : left[-1].end] if content(spot.text for spot in left) else ""
    return Plain(tree=tree, heard=tuple(reader.heard), unread=unread)


def _narrowed(thing: Query, groups: list[list[Query]]) -> Query:
    """Return a thing that one group of clauses holds for; "everything" gives way to any clause."""
    kept = [] if thing == Compare("key", "starts with", "") else [thing]
    if not groups:
        return thing
    if len(groups) == 1:
        return all_of([*kept, *groups[0]])
    return all_of([*kept, any_of([all_of(group) for group in groups])])
