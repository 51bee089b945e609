"""Evaluation of many queries as a job: a batch is a shard, so that a killed run goes on.

Several processes may work on one job at once: each takes batches that no other has in hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kg.errors import JobError
from kg.jobs import Shard, ShardResult
from kg.ledger import Ledger, run_job
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.evaluating.ranking import BatchConfig, RankedQueries, batches, rank_queries
from reasoning.protocols import ScoringAnswerer
from reasoning.sampling import QuerySet

__all__ = ["evaluate_as_job"]

_LEASE_S = 1_800.0
"""A batch of hard queries on a large graph may take minutes."""


def evaluate_as_job(
    answerer: ScoringAnswerer,
    sets: Sequence[QuerySet],
    snapshot: Snapshot,
    *,
    ledger: Ledger,
    inputs: Mapping[str, str],
    hardness: Sequence[Sequence[NDArray[np.int16]]] | None = None,
    config: BatchConfig | None = None,
    progress: Progress = silent,
) -> tuple[RankedQueries, ...]:
    """Do what `evaluate_queries` does, but keep the ranks of each batch in a ledger.

    Args:
        answerer: Scores all entities.
        sets: Queries with their answers.
        snapshot: Any with the ids that the queries are written in.
        ledger: Where finished batches are kept.
        inputs: Hashes of what the ranks depend on; a job of other inputs is another job.
        hardness: Of each set.
        config: Size of a batch.
        progress: Is told queries done of all queries.

    Raises:
        JobError: A batch failed; its reason is told. The next call tries it again.
    """
    size = (config or BatchConfig()).rows(snapshot.num_entities)
    shards = [
        {"set": number, "first": rows.start, "last": rows.stop}
        for number, queries in enumerate(sets)
        for rows in batches(queries, size)
    ]
    sizes = [shard["last"] - shard["first"] for shard in shards]
    job = ledger.submit("evaluate", dict(inputs), shards, sizes=sizes)
    if job.state == "failed":
        ledger.retry(job.id)

    def work(shard: Shard) -> ShardResult:
        number, first, last = (int(shard.parameters[name]) for name in ("set", "first", "last"))
        found = rank_queries(answerer, sets[number], slice(first, last), snapshot)
        return ShardResult(output=found.astype("<f8").tobytes())

    ended = run_job(ledger, job.id, work, lease_s=_LEASE_S, progress=progress)
    if ended.state != "done":
        raise JobError(ended.error or f"the evaluation is {ended.state}", where=job.id)
    parts: list[list[bytes]] = [[] for _ in sets]
    for shard in ledger.shards(job.id):
        parts[int(shard.parameters["set"])].append(ledger.output(shard))
    return tuple(
        RankedQueries.of(
            queries,
            np.frombuffer(b"".join(parts[number]), dtype="<f8"),
            None if hardness is None else hardness[number],
        )
        for number, queries in enumerate(sets)
    )
