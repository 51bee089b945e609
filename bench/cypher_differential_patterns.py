"""Random graph patterns, and their three forms: Cypher, SPARQL, and a join over networkx."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import networkx as nx

__all__ = ["Hop", "Pattern", "joined", "random_pattern", "to_cypher", "to_sparql"]

Kind = Literal["rows", "distinct", "same edges apart", "count", "sum", "ordered", "union"]
Row = tuple[str | int | None, ...]
Binding = Mapping[str, str | None]


@dataclass(frozen=True)
class Hop:
    """An edge from a variable to another; `longest` above 1 is a path of up to so many edges."""

    head: str
    relations: tuple[str, ...]
    tail: str
    longest: int = 1


@dataclass(frozen=True)
class Pattern:
    """A query.

    Attributes:
        kind: What is done with the bindings.
        hops: Each must hold.
        returned: Variables whose keys are returned; the first is the group of counts and sums.
        anchors: Variables that are one entity.
        labels: Variables that have a label.
        least: Variables whose size is at least so much.
        without: Hops that must not hold; a variable that stands in no hop is any entity.
        optional: A hop to a new variable that may hold.
        other: The other half of a union.
        skip: Rows left out at the beginning of an ordered answer.
        limit: Rows kept of an ordered answer.
    """

    kind: Kind
    hops: tuple[Hop, ...]
    returned: tuple[str, ...]
    anchors: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    least: tuple[tuple[str, int], ...] = ()
    without: tuple[Hop, ...] = ()
    optional: Hop | None = None
    other: Pattern | None = None
    skip: int = 0
    limit: int | None = None


def random_pattern(
    draw: random.Random, nodes: Sequence[str], labels: Sequence[str], relations: Sequence[str]
) -> Pattern:
    """Draw a query over a graph's entities, labels and relations."""

    def hop(head: str, tail: str, longest: int = 1) -> Hop:
        some = tuple(sorted(draw.sample(relations, draw.choice((1, 1, 2)))))
        ends = (head, tail) if draw.random() < 0.6 else (tail, head)
        return Hop(ends[0], some, ends[1], longest)

    kind: Kind = draw.choice(
        ("rows", "rows", "distinct", "same edges apart", "count", "sum", "ordered", "union")
    )
    names = ["a", "b", "c", "d"][: draw.randint(2, 4)]
    hops = [hop(draw.choice(names[:n]), names[n]) for n in range(1, len(names))]
    if draw.random() < 0.3:
        hops.append(hop(draw.choice(names), draw.choice(names)))
    if kind == "distinct" and draw.random() < 0.7:
        place = draw.randrange(len(hops))
        hops[place] = replace(hops[place], longest=draw.randint(2, 3))
    chance = draw.random
    returned = tuple(draw.sample(names, draw.randint(1, 2)))
    pattern = Pattern(
        kind=kind,
        hops=tuple(hops),
        returned=returned if kind not in ("count", "sum") else (names[0], names[-1]),
        anchors=((draw.choice(names), draw.choice(nodes)),) if chance() < 0.3 else (),
        labels=((draw.choice(names), draw.choice(labels)),) if chance() < 0.4 else (),
        least=((draw.choice(names), draw.randint(1, 4)),) if chance() < 0.3 else (),
        without=(hop(draw.choice(names), draw.choice((*names, "z"))),) if chance() < 0.3 else (),
        optional=hop(draw.choice(names), "o") if kind == "rows" and chance() < 0.3 else None,
    )
    if pattern.optional is not None:
        return replace(pattern, returned=(*returned, "o"))
    if kind == "ordered":
        return replace(pattern, skip=draw.randint(0, 2), limit=draw.randint(0, 6))
    if kind == "union":
        half = random_pattern(draw, nodes, labels, relations)
        half = replace(half, kind="distinct", returned=returned, optional=None, limit=None, skip=0)
        known = {end for some in half.hops for end in (some.head, some.tail)}
        if known.issuperset(returned) and half.other is None:
            return replace(pattern, kind="union", other=half)
        return replace(pattern, kind="distinct")
    return pattern


def to_cypher(pattern: Pattern) -> str:
    """Return the query in Cypher; a MATCH a hop, since within one no edge is used twice."""
    hops = [_cypher_hop(hop) for hop in pattern.hops]
    joint = ", " if pattern.kind == "same edges apart" else " MATCH "
    conditions = [f"{name}.key = '{key}'" for name, key in pattern.anchors]
    conditions += [f"{name}:{label}" for name, label in pattern.labels]
    conditions += [f"{name}.size >= {least}" for name, least in pattern.least]
    conditions += [f"NOT EXISTS {{ {_cypher_hop(hop, free='z')} }}" for hop in pattern.without]
    text = f"MATCH {joint.join(hops)}"
    if conditions:  # of a MATCH of all variables, wherever they were bound
        names = ", ".join(_variables(pattern))
        text += f" WITH {names} WHERE {' AND '.join(conditions)}"
    if pattern.optional is not None:
        text += f" OPTIONAL MATCH {_cypher_hop(pattern.optional)}"
    keys = [f"{name}.key AS {name}" for name in pattern.returned]
    match pattern.kind:
        case "count":
            return f"{text} RETURN {keys[0]}, count(*) AS n"
        case "sum":
            return f"{text} RETURN {keys[0]}, sum({pattern.returned[1]}.size) AS n"
        case "ordered":
            order = ", ".join(pattern.returned)
            return (
                f"{text} RETURN {', '.join(keys)} ORDER BY {order} "
                f"SKIP {pattern.skip} LIMIT {pattern.limit}"
            )
        case "union" if pattern.other is not None:
            return f"{text} RETURN {', '.join(keys)} UNION {to_cypher(pattern.other)}"
    distinct = "DISTINCT " if pattern.kind in ("distinct", "union") else ""
    return f"{text} RETURN {distinct}{', '.join(keys)}"


def _cypher_hop(hop: Hop, *, free: str = "") -> str:
    stars = f"*1..{hop.longest}" if hop.longest > 1 else ""
    head, tail = ("" if end == free else end for end in (hop.head, hop.tail))
    return f"({head})-[:{'|'.join(hop.relations)}{stars}]->({tail})"


def _variables(pattern: Pattern) -> list[str]:
    return list(dict.fromkeys(end for hop in pattern.hops for end in (hop.head, hop.tail)))


def to_sparql(pattern: Pattern, names: str) -> str:
    """Return the query in SPARQL over a name space."""
    parts = [_sparql_hop(hop, number, pattern) for number, hop in enumerate(pattern.hops)]
    parts += [f"FILTER(?{name} = x:{key})" for name, key in pattern.anchors]
    parts += [f"?{name} a x:{label} ." for name, label in pattern.labels]
    parts += [
        f"?{name} x:size ?least_{name} . FILTER(?least_{name} >= {least})"
        for name, least in pattern.least
    ]
    parts += [f"FILTER NOT EXISTS {{ {_sparql_hop(hop, 0, None)} }}" for hop in pattern.without]
    if pattern.kind == "same edges apart":
        parts += [
            f"FILTER(?p{one} != ?p{two} || ?{a.head} != ?{b.head} || ?{a.tail} != ?{b.tail})"
            for (one, a), (two, b) in combinations(enumerate(pattern.hops), 2)
        ]
    if pattern.optional is not None:
        parts.append(f"OPTIONAL {{ {_sparql_hop(pattern.optional, 9, pattern)} }}")
    body = f"{{ {' '.join(parts)} }}"
    prefix = f"PREFIX x: <{names}> "
    keys = " ".join(f"?{name}" for name in pattern.returned)
    first = pattern.returned[0]
    match pattern.kind:
        case "count":
            return f"{prefix}SELECT ?{first} (COUNT(*) AS ?n) WHERE {body} GROUP BY ?{first}"
        case "sum":
            size = f"{{ {body} ?{pattern.returned[1]} x:size ?s }}"
            return f"{prefix}SELECT ?{first} (SUM(?s) AS ?n) WHERE {size} GROUP BY ?{first}"
        case "ordered":
            return (
                f"{prefix}SELECT {keys} WHERE {body} ORDER BY {keys} "
                f"OFFSET {pattern.skip} LIMIT {pattern.limit}"
            )
        case "union" if pattern.other is not None:
            other = to_sparql(pattern.other, names).removeprefix(prefix)
            return f"{prefix}SELECT DISTINCT {keys} WHERE {{ {body} UNION {{ {other} }} }}"
    distinct = "DISTINCT " if pattern.kind in ("distinct", "union") else ""
    return f"{prefix}SELECT {distinct}{keys} WHERE {body}"


def _sparql_hop(hop: Hop, number: int, pattern: Pattern | None) -> str:
    step = "|".join(f"x:{name}" for name in hop.relations)
    if hop.longest > 1:
        steps = ("/".join([f"({step})"] * length) for length in range(1, hop.longest + 1))
        return f"?{hop.head} ({'|'.join(steps)}) ?{hop.tail} ."
    if pattern is None:
        return f"?{hop.head} ({step}) ?{hop.tail} ."
    listed = ", ".join(f"x:{name}" for name in hop.relations)
    return f"?{hop.head} ?p{number} ?{hop.tail} . FILTER(?p{number} IN ({listed}))"


def joined(pattern: Pattern, graph: nx.MultiDiGraph) -> list[Row]:
    """Return the answer by going through the edges, hop by hop."""
    found = [binding for binding in _bindings(pattern, graph) if _holds(pattern, binding, graph)]
    if pattern.optional is not None:
        found = [full for binding in found for full in _optional(pattern.optional, binding, graph)]
    rows: list[Row] = [tuple(binding[name] for name in pattern.returned) for binding in found]
    match pattern.kind:
        case "count" | "sum":
            groups: dict[str | int | None, int] = {}
            for first, second in rows:
                worth = 1 if pattern.kind == "count" else graph.nodes[second]["size"]
                groups[first] = groups.get(first, 0) + worth
            return list(groups.items())
        case "ordered":
            return sorted(rows)[pattern.skip :][: pattern.limit]
        case "union" if pattern.other is not None:
            rows += joined(pattern.other, graph)
    return list(dict.fromkeys(rows)) if pattern.kind in ("distinct", "union") else rows


def _bindings(pattern: Pattern, graph: nx.MultiDiGraph) -> list[dict[str, str]]:
    found: list[tuple[dict[str, str], tuple[tuple[str, str, str], ...]]] = [({}, ())]
    for hop in pattern.hops:
        found = [
            ({**binding, hop.head: head, hop.tail: tail}, (*used, edge))
            for binding, used in found
            for head, tail, edge in _ends(hop, graph)
            if binding.get(hop.head, head) == head and binding.get(hop.tail, tail) == tail
            if hop.head != hop.tail or head == tail
            if pattern.kind != "same edges apart" or edge not in used
        ]
    return [binding for binding, _ in found]


def _ends(hop: Hop, graph: nx.MultiDiGraph) -> Iterator[tuple[str, str, tuple[str, str, str]]]:
    """Yield head and tail of each way that a hop can be, with its edge."""
    edges = [(h, t, r) for h, t, r in graph.edges(keys=True) if r in hop.relations]
    if hop.longest == 1:
        yield from ((head, tail, (head, tail, name)) for head, tail, name in edges)
        return
    some = nx.DiGraph([(head, tail) for head, tail, _ in edges])
    reached = {(head, tail) for head, tail in some.edges}
    for _ in range(hop.longest - 1):
        reached |= {(head, tail) for head, middle in reached for tail in some.successors(middle)}
    yield from ((head, tail, (head, tail, "")) for head, tail in sorted(reached))


def _holds(pattern: Pattern, binding: Binding, graph: nx.MultiDiGraph) -> bool:
    return (
        all(binding[name] == key for name, key in pattern.anchors)
        and all(graph.nodes[binding[name]]["label"] == label for name, label in pattern.labels)
        and all(graph.nodes[binding[name]]["size"] >= least for name, least in pattern.least)
        and not any(
            binding.get(hop.head, head) == head and binding.get(hop.tail, tail) == tail
            for hop in pattern.without
            for head, tail, _ in _ends(hop, graph)
        )
    )


def _optional(hop: Hop, binding: Binding, graph: nx.MultiDiGraph) -> list[dict[str, str | None]]:
    found: list[dict[str, str | None]] = [
        {**binding, hop.head: head, hop.tail: tail}
        for head, tail, _ in _ends(hop, graph)
        if binding.get(hop.head, head) == head and binding.get(hop.tail, tail) == tail
    ]
    return found or [{**binding, "o": None}]
