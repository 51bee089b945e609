"""Drawing the queries of a benchmark: all structures of a graph folder by BetaE's protocol.

Each structure draws from a generator of its own, so that the queries depend on the seed alone and
not on which others are drawn, in which order, or in how many processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Literal

import numpy as np

from kg.errors import SettingError
from kg.graph_folder import GraphFolder
from kg.progress import Progress, silent
from reasoning.id_sets import DirectedEdges, directed_edges
from reasoning.sampling import MAX_ANSWERS, QuerySet, one_hop_queries, sample_queries, taken
from reasoning.structures import STRUCTURES

__all__ = ["DEFAULT_COUNT", "BenchmarkSample", "sample_benchmark", "sample_one_hop_queries"]

DEFAULT_COUNT = 2_000
"""Queries of each structure."""

_NUMBERS = {name: number for number, name in enumerate(sorted(STRUCTURES))}


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkSample:
    """What is drawn.

    Attributes:
        split: Where hard answers come from: `valid` (easy ones follow from train) or `test` (from
            train and valid).
        counts: Most queries of each structure; None takes all, which 1p alone allows: every
            (entity, directed relation) with a missing tail.
        seed: Everything random follows from it.

    Raises:
        SettingError: A structure is unknown, or a count is not at least 1.
    """

    split: Literal["valid", "test"] = "test"
    counts: Mapping[str, int | None]
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        for name, count in self.counts.items():
            if name not in STRUCTURES:
                known = ", ".join(STRUCTURES)
                raise SettingError(f"no structure {name!r}", hint=f"one of {known}")
            if count is None and name != "1p":
                raise SettingError(f"{name} has too many queries to take all: name a count")
            if count is not None and count < 1:
                raise SettingError(f"{name}: at least 1 query must be asked for, got {count}")
        if self.seed < 0 or self.split not in ("valid", "test"):
            raise SettingError("a seed is at least 0, a split `valid` or `test`")


def sample_benchmark(
    graph: GraphFolder,
    sample: BenchmarkSample,
    *,
    processes: int = 1,
    progress: Progress = silent,
) -> tuple[QuerySet, ...]:
    """Draw queries with hard answers of a split.

    Args:
        graph: With that split.
        sample: What to draw.
        processes: Processes that share the structures; the result does not depend on it.
        progress: Is told structures done of all.

    Returns:
        One set a structure, in the order of `sample.counts`; fewer queries where the graph has too
        few, and no set where it has none.
    """
    if processes < 1:
        raise SettingError(f"processes must be at least 1, got {processes}")
    full, known = _edges(graph, sample)
    tasks = [(name, count, sample.seed) for name, count in sample.counts.items()]
    found: dict[str, QuerySet] = {}
    progress(0, len(tasks))
    if processes == 1 or len(tasks) < 2:
        for name, count, seed in tasks:
            found[name] = _drawn(name, count, seed, full, known)
            progress(len(found), len(tasks))
    else:
        with ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=_hold, initargs=(full, known)
        ) as pool:
            waiting: dict[Future[QuerySet], str] = {}
            for task in tasks:
                waiting[pool.submit(_in_process, *task)] = task[0]
            for done in as_completed(waiting):
                found[waiting[done]] = done.result()
                progress(len(found), len(tasks))
    return tuple(found[name] for name, _, _ in tasks if len(found[name]))


def sample_one_hop_queries(
    count: int | None,
    full: DirectedEdges,
    *,
    generator: np.random.Generator,
    known: DirectedEdges,
) -> QuerySet:
    """Draw 1p queries uniformly from all with a hard answer and at most `MAX_ANSWERS` of them.

    Walks, as for the other structures, would meet a row as often as it has tails.

    Args:
        count: How many to draw; None for all.
        full: All edges.
        generator: Source of randomness.
        known: Edges that easy answers follow from.
    """
    every = one_hop_queries(full, known)
    few_enough = np.flatnonzero([len(hard) <= MAX_ANSWERS for hard in every.hard])
    if count is not None and count < len(few_enough):
        few_enough = np.sort(generator.choice(few_enough, count, replace=False))
    return taken(every, few_enough)


def _edges(graph: GraphFolder, sample: BenchmarkSample) -> tuple[DirectedEdges, DirectedEdges]:
    if sample.split == "valid":
        return directed_edges(graph.train_valid), directed_edges(graph.train)
    return directed_edges(graph.full), directed_edges(graph.train_valid)


def _drawn(
    name: str, count: int | None, seed: int, full: DirectedEdges, known: DirectedEdges
) -> QuerySet:
    generator = np.random.default_rng((seed, _NUMBERS[name]))
    if name == "1p":
        return sample_one_hop_queries(count, full, generator=generator, known=known)
    return sample_queries(STRUCTURES[name], count or 0, full, generator=generator, known=known)


_held: list[DirectedEdges] = []
"""The graph of a worker process; sent once and not with each structure."""


def _hold(*edges: DirectedEdges) -> None:
    _held[:] = edges


def _in_process(name: str, count: int | None, seed: int) -> QuerySet:
    return _drawn(name, count, seed, *_held)
