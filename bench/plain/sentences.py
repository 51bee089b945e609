"""Sentences written by a template from query trees that were drawn at random: a question a tree.

The wording is stiff, with the relations' own names as verbs ("countries that speaks Arabic"), so
that these sentences test how clauses combine and not which words people use.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from kg.snapshot import Snapshot
from reasoning.exact import evaluate
from reasoning.query import Anchor, Intersection, Labelled, Negation, Projection, Query, Union

__all__ = ["SHAPES", "sampled_questions"]

SHAPES = ("1p", "2p", "2i", "3i", "pi", "ip", "2u", "up", "2in", "3in", "inp", "pin")
_TRIES = 400
_MIXED = frozenset(("Part",))
"""Labels whose names are not unique: what they mean depends on more than the name."""


class _Drawer:
    """Draws trees whose answers have one label, and says them."""

    def __init__(self, graph: Snapshot, draw: random.Random) -> None:
        self.graph, self.draw = graph, draw
        self.names = [*graph.names]
        unique = {name for name in self.names if self.names.count(name) == 1}
        self.edges = [
            (int(h), graph.relation_names.name(int(r)), int(t))
            for h, r, t in zip(graph.heads, graph.relations, graph.tails, strict=True)
            if not _MIXED & {graph.label_of(int(h)), graph.label_of(int(t))}
            and {graph.names[int(h)], graph.names[int(t)]} <= unique
        ]

    def clause(self, label: str) -> tuple[Query, str]:
        """Draw a hop to entities of a label from one entity."""
        return self.draw.choice(self.hops(label))

    def hops(self, label: str) -> list[tuple[Query, str]]:
        """Return one hop an edge that ends in an entity of a label."""
        found: list[tuple[Query, str]] = []
        for head, relation, tail in self.draw.sample(self.edges, 60):
            verb = relation.replace("_", " ")
            if self.graph.label_of(head) == label:
                child = Anchor(self.graph.entities.name(tail))
                said = f"{verb} {self.names[tail]}"
                found.append((Projection(relation, child, inverse=True), said))
            elif self.graph.label_of(tail) == label:
                child = Anchor(self.graph.entities.name(head))
                found.append((Projection(relation, child), f"{self.names[head]} {verb}"))
        return found or self.hops(label)

    def over(self, tree: Query, said: str, inner: str, label: str) -> tuple[Query, str] | None:
        """Draw a hop from the entities of a tree to those of a label, and say it."""
        for head, relation, tail in self.draw.sample(self.edges, len(self.edges)):
            ends = (self.graph.label_of(head), self.graph.label_of(tail))
            if ends == (label, inner):
                whole = Intersection((Labelled(inner), tree))
                verb = relation.replace("_", " ")
                return Projection(relation, whole, inverse=True), f"{verb} {_many(inner)} {said}"
        return None

    def question(self, shape: str) -> tuple[Query, str] | None:
        """Draw a tree of a shape and say it; None where nothing was found."""
        label, inner = "Country", "Country"

        def that(tree: Query, said: str) -> tuple[Query, str]:
            return tree, f"that {said}"

        one, two, three = (self.clause(label) for _ in range(3))
        match shape:
            case "1p":
                tree, said = that(*one)
            case "2i" | "3i":
                parts = (one, two, three)[: int(shape[0])]
                tree = Intersection(tuple(part[0] for part in parts))
                said = " and ".join(f"that {part[1]}" for part in parts)
            case "2u":
                tree, said = Union((one[0], two[0])), f"that {one[1]} or that {two[1]}"
            case "2in":
                tree = Intersection((one[0], Negation(two[0])))
                said = f"that {one[1]} but not that {two[1]}"
            case "3in":
                tree = Intersection((one[0], two[0], Negation(three[0])))
                said = f"that {one[1]} and that {two[1]} but not that {three[1]}"
            case "2p" | "ip" | "up" | "inp":
                flat = {"2p": "1p", "ip": "2i", "up": "2u", "inp": "2in"}[shape]
                below = self.question(flat)
                label = self.draw.choice(("Country", "Language", "Currency"))
                reach = below and self._reach(below, label)
                if not reach:
                    return None
                tree, said = reach
                return Intersection((Labelled(label), tree)), f"{_many(label)} {said}"
            case "pi" | "pin":
                below = self.question("1p")
                path = below and self.over(below[0], below[1].partition(" ")[2], inner, label)
                if not path:
                    return None
                second = one[0] if shape == "pi" else Negation(one[0])
                tree = Intersection((path[0], second))
                joined = "and" if shape == "pi" else "but not"
                said = f"that {path[1]}, {joined} that {one[1]}"
            case _:
                return None
        return Intersection((Labelled(label), tree)), f"{_many(label)} {said}"

    def _reach(self, below: tuple[Query, str], label: str) -> tuple[Query, str] | None:
        """Draw a relation from countries to a label, walked either way, over a said tree."""
        tree, said = below
        for head, relation, tail in self.draw.sample(self.edges, len(self.edges)):
            ends = (self.graph.label_of(head), self.graph.label_of(tail))
            verb = relation.replace("_", " ")
            if ends == (label, "Country"):
                return Projection(relation, tree, inverse=True), f"that {verb} {said}"
            if ends == ("Country", label):
                return Projection(relation, tree), f"of {said}"
        return None


def _many(label: str) -> str:
    word = label.lower()
    return word[:-1] + "ies" if word.endswith("y") else word + "s"


def sampled_questions(graph: Snapshot, each: int, seed: int) -> Iterator[tuple[str, str, Query]]:
    """Yield shape, question and tree; so many of each shape, all with some but not all answers.

    Args:
        graph: The demo's graph.
        each: Questions of a shape.
        seed: Of the drawing.
    """
    drawer = _Drawer(graph, random.Random(seed))
    for shape in SHAPES:
        left = each
        for _ in range(_TRIES):
            found = drawer.question(shape) if left else None
            if found is None:
                continue
            tree, said = found
            if 0 < len(evaluate(tree, graph, 0.0)) < graph.num_entities // 4:
                left -= 1
                yield shape, f"Which {said}?", tree
