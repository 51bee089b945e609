"""Where Cypher's rule that one MATCH uses no edge twice would change the answers of a tree.

Two hops of one clause can be the same edge only if they share a relation and both their starts and
both their ends can be the same entity. Labels, keys and names that differ rule it out. If it would
also make a start and an end the same entity, only a loop can do it, and most graphs have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, product

from reasoning.notations.hops import Hop
from reasoning.notations.values import unsupported
from reasoning.query import Anchor, Compare, Labelled, Query

__all__ = ["check_overlaps"]


def check_overlaps(
    hops: Sequence[Hop],
    constraints: Mapping[str, Iterable[Query]],
    has_loops: Callable[[str], bool],
) -> None:
    """Refuse a clause of which two hops may be one edge.

    Args:
        hops: Of all clauses.
        constraints: What is said of each variable.
        has_loops: Whether the graph has an edge of a relation from an entity to itself.

    Raises:
        UnsupportedQueryError: Cypher would answer differently from the tree.
    """
    for one, other in combinations(hops, 2):
        if one.clause != other.clause:
            continue
        for relation in set(one.relations) & set(other.relations):
            for first, second in product(one.ways(), other.ways()):
                if _may_be_one_edge(first, second, constraints) and (
                    not _needs_loop(first, second) or has_loops(relation)
                ):
                    raise unsupported(
                        f"two {relation} relationships of one MATCH must be different edges, "
                        "which a tree does not say",
                        other.span,
                        "put this relationship into a MATCH clause of its own",
                    )


def _may_be_one_edge(
    first: tuple[str, str], second: tuple[str, str], constraints: Mapping[str, Iterable[Query]]
) -> bool:
    same = [{first[0], second[0]}, {first[1], second[1]}]
    groups = [same[0] | same[1]] if same[0] & same[1] else same
    return not any(
        _differ(one, other)
        for group in groups
        for a, b in combinations(sorted(group), 2)
        for one, other in product(constraints[a], constraints[b])
    )


def _needs_loop(first: tuple[str, str], second: tuple[str, str]) -> bool:
    return bool({first[0], second[0]} & {first[1], second[1]})


def _differ(one: Query, other: Query) -> bool:
    """Tell whether no entity can fulfil both; an entity has one label, one key and one name."""
    match one, other:
        case (Labelled(label=a), Labelled(label=b)):
            return a != b
        case (Anchor(entity=a), Anchor(entity=b)):
            return a != b
        case (
            Compare(attribute=attribute, comparison="=", value=a),
            Compare(attribute=same, comparison="=", value=b),
        ):
            return attribute == same and a != b
        case _:
            return False
