"""Which tails the rules of many rows predict, all rules at once.

A row is a head and a directed relation. The bodies of each relation's path rules stand in a trie,
so that common first steps are walked once, and the rows of a block walk together: one step of all
rows is a few array operations, whatever relations they ask for.

Entities on a path are distinct, as in `reasoning.predictors.rules.groundings`. The walk keeps of
all ways to a second entity only whether there are several, since a third step is forbidden to lead
back to the first entity just where there is one way alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.known_edges import consecutive
from reasoning.predictors.edge_groups import EdgeGroups
from reasoning.predictors.paths import Body
from reasoning.predictors.rules.rule import Rule

__all__ = ["Firing"]

_ROWS = 128
_MOST_PATHS = 1 << 21
"""Paths that are held at once."""
_SEVERAL = -1

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Walkers:
    """Ends of partial paths.

    Attributes:
        rows: ``(n,)`` ascending.
        nodes: ``(n,)`` of the trie.
        at: ``(n,)`` entities where they are.
        before: ``(n,)`` entities that the next step must not lead to, or `_SEVERAL`.
    """

    rows: Codes
    nodes: Codes
    at: Codes
    before: Codes

    def __getitem__(self, part: slice | NDArray[np.bool_]) -> _Walkers:
        return _Walkers(self.rows[part], self.nodes[part], self.at[part], self.before[part])


class Firing:
    """Rules of a graph, arranged for rows of any relations.

    Args:
        graph: Where rules are evaluated.
        rules: By directed relation, the surest first.
        combined: Most rules whose confidences are joined by noisy-or for one edge.
    """

    def __init__(
        self, graph: Snapshot, rules: Mapping[int, Sequence[Rule]], *, combined: int
    ) -> None:
        self._size = graph.num_entities
        self._steps = 2 * graph.num_relations
        self._combined = combined
        self._groups = EdgeGroups(graph, loops=False)
        ordered = [rules.get(step, ()) for step in range(self._steps)]
        self._first_rule = np.array([0, *accumulate(map(len, ordered))], dtype=np.int64)
        # a confidence below 1, so that others still count beside it
        sure = [min(rule.confidence, 1.0 - 1e-6) for each in ordered for rule in each]
        self._misses = np.log1p(-np.array(sure, dtype=np.float64))
        self._rank_bits = max(map(len, ordered), default=0).bit_length()
        self._entity_bits = self._size.bit_length()
        self._set_trie(ordered)
        self._set_constants(ordered)

    def _set_trie(self, ordered: Sequence[Sequence[Rule]]) -> None:
        """Number the bodies' beginnings; the trie of a relation begins at its root."""
        codes, children, owners, ranks, roots = [], [], [], [], []
        count = 0
        for rules in ordered:
            places: dict[Body, int] = {(): count}
            for rank, rule in enumerate(rules):
                if rule.end is not None:
                    continue
                for length in range(1, len(rule.body) + 1):
                    body = rule.body[:length]
                    if body not in places:
                        places[body] = count + len(places)
                        codes.append(places[body[:-1]] * self._steps + body[-1])
                        children.append(places[body])
                owners.append(places[rule.body])
                ranks.append(rank)
            roots.append(count)
            count += len(places)
        order = np.argsort(np.array(codes, dtype=np.int64))
        self._codes = np.array(codes, dtype=np.int64)[order]
        self._children = np.array(children, dtype=np.int64)[order]
        self._goes_on = np.zeros(count, dtype=np.bool_)
        self._goes_on[self._codes // max(1, self._steps)] = True
        self._roots = np.array([*roots, count], dtype=np.int64)
        self._node_bits = int(np.diff(self._roots).max(initial=1)).bit_length()
        by_node = np.argsort(np.array(owners, dtype=np.int64), kind="stable")
        self._ranks = np.array(ranks, dtype=np.int64)[by_node]
        counts = np.bincount(np.array(owners, dtype=np.int64), minlength=count)
        self._first_rank = np.concatenate([[0], np.cumsum(counts)])

    def _set_constants(self, ordered: Sequence[Sequence[Rule]]) -> None:
        """Sort the rules with constants by relation, step and end."""
        found = [
            ((relation * self._steps + rule.body[0]) * self._size + rule.end, rank, rule.tail)
            for relation, rules in enumerate(ordered)
            for rank, rule in enumerate(rules)
            if rule.end is not None and rule.tail is not None
        ]
        codes, ranks, tails = np.array(sorted(found), dtype=np.int64).reshape(-1, 3).T
        self._constants, self._constant_ranks, self._constant_tails = codes, ranks, tails

    def strengths(
        self, heads: NDArray[np.int32], relations: NDArray[np.int64]
    ) -> tuple[Codes, NDArray[np.float32]]:
        """Return what is predicted, and how strongly.

        Args:
            heads: ``(n,)`` entity of each row.
            relations: ``(n,)`` directed relation of each row.

        Returns:
            Ascending codes row · num_entities + tail, and the noisy-or of the surest rules that
            fire for each.
        """
        found = [
            self._block(heads[low : low + _ROWS], relations[low : low + _ROWS], low)
            for low in range(0, len(heads), _ROWS)
        ]
        codes = [np.empty(0, dtype=np.int64), *(codes for codes, _ in found)]
        values = [np.empty(0, dtype=np.float32), *(values for _, values in found)]
        return np.concatenate(codes), np.concatenate(values)

    def _block(
        self, heads: NDArray[np.int32], relations: Codes, first: int
    ) -> tuple[Codes, NDArray[np.float32]]:
        fired = list(self._fired(heads.astype(np.int64), relations))
        firings = _distinct(np.concatenate(fired))
        edges = firings >> self._rank_bits
        starts = np.flatnonzero(np.diff(edges, prepend=-1))
        if not len(starts):
            return edges, np.empty(0, dtype=np.float32)
        counts = np.diff(starts, append=len(edges))
        place = np.arange(len(edges)) - np.repeat(starts, counts)
        rows = edges >> self._entity_bits
        ranks = firings & ((1 << self._rank_bits) - 1)
        misses = self._misses[self._first_rule[relations[rows]] + ranks]
        misses[place >= self._combined] = 0.0
        strengths = -np.expm1(np.add.reduceat(misses, starts))
        edges = edges[starts]
        tails = edges & ((1 << self._entity_bits) - 1)
        codes = ((edges >> self._entity_bits) + first) * self._size + tails
        return codes, strengths.astype(np.float32)

    def _fired(self, heads: Codes, relations: Codes) -> Iterator[Codes]:
        """Yield (row, tail, rank of the rule) packed into one number; some more than once."""
        rows = np.arange(len(heads))
        yield self._by_constants(heads, relations)
        walkers = _Walkers(rows, self._roots[relations], heads, np.full(len(heads), _SEVERAL))
        while len(walkers.rows):
            packed = []
            for part in self._parts(walkers):
                onward = self._walked(walkers[part], heads)
                yield self._ended(onward)
                packed.append(self._packed(onward, relations))
            walkers = self._joined(packed, relations)

    def _by_constants(self, heads: Codes, relations: Codes) -> Codes:
        rows, steps, ends = self._groups.leaving(heads)
        codes = (relations[rows] * self._steps + steps) * self._size + ends
        low = np.searchsorted(self._constants, codes, side="left")
        counts = np.searchsorted(self._constants, codes, side="right") - low
        rows, places = np.repeat(rows, counts), consecutive(low, counts)
        tails = self._constant_tails[places]
        new = tails != heads[rows]
        return self._firing(rows[new], tails[new], self._constant_ranks[places[new]])

    def _parts(self, walkers: _Walkers) -> Iterator[slice]:
        """Yield slices of walkers whose next steps are not too many to be held at once."""
        total = np.cumsum(self._groups.degrees[walkers.at])
        low = 0
        while low < len(total):
            before = int(total[low - 1]) if low else 0
            high = int(np.searchsorted(total, before + _MOST_PATHS, side="right"))
            high = max(low + 1, high)
            yield slice(low, high)
            low = high

    def _walked(self, walkers: _Walkers, heads: Codes) -> _Walkers:
        """Return where one step further leads."""
        owner, groups = self._groups.of(walkers.at)
        codes = walkers.nodes[owner] * self._steps + self._groups.steps[groups]
        places = np.minimum(np.searchsorted(self._codes, codes), max(0, len(self._codes) - 1))
        hit = np.flatnonzero(self._codes[places] == codes) if len(self._codes) else places[:0]
        owner, groups, nodes = owner[hit], groups[hit], self._children[places[hit]]
        start, counts = self._groups.spans(groups)
        ends = self._groups.ends[consecutive(start, counts)]
        owner, nodes = np.repeat(owner, counts), np.repeat(nodes, counts)
        rows = walkers.rows[owner]
        distinct = (ends != heads[rows]) & (ends != walkers.before[owner])
        return _Walkers(rows, nodes, ends, walkers.at[owner])[distinct]

    def _ended(self, walkers: _Walkers) -> Codes:
        """Return the rules whose whole body was walked."""
        low = self._first_rank[walkers.nodes]
        counts = self._first_rank[walkers.nodes + 1] - low
        ranks = self._ranks[consecutive(low, counts)]
        rows, tails = np.repeat(walkers.rows, counts), np.repeat(walkers.at, counts)
        fired = self._firing(rows, tails, ranks)
        # a few are told apart with those of all other parts; many at once, to save memory
        return fired if len(fired) < _MOST_PATHS // 4 else _distinct(fired)

    def _firing(self, rows: Codes, tails: Codes, ranks: Codes) -> Codes:
        edges = (rows << self._entity_bits) | tails
        return np.asarray((edges << self._rank_bits) | ranks, dtype=np.int64)

    def _packed(self, walkers: _Walkers, relations: Codes) -> Codes:
        """Return walkers that may walk on as one number each, ascending."""
        left = walkers[self._goes_on[walkers.nodes]]
        nodes = left.nodes - self._roots[relations[left.rows]]
        bits = self._entity_bits
        packed = (((left.rows << self._node_bits | nodes) << bits | left.at) << bits) | left.before
        return _distinct(packed)

    def _joined(self, parts: Sequence[Codes], relations: Codes) -> _Walkers:
        """Return one walker for all that stand at one node and entity of a row."""
        packed = parts[0] if len(parts) == 1 else _distinct(np.concatenate(parts))
        bits = self._entity_bits
        places = packed >> bits
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        alone = np.diff(starts, append=len(packed)) == 1
        before = np.where(alone, packed[starts] & ((1 << bits) - 1), _SEVERAL)
        places = places[starts]
        rows = places >> (bits + self._node_bits)
        nodes = (places >> bits) & ((1 << self._node_bits) - 1)
        at = places & ((1 << bits) - 1)
        return _Walkers(rows, nodes + self._roots[relations[rows]], at, before)


def _distinct(codes: Codes) -> Codes:
    codes.sort()
    found: Codes = codes[np.diff(codes, prepend=-1) != 0]
    return found
