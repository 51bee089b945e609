"""A ledger with a clock of its own, and jobs whose output is easily told."""

from pathlib import Path

from kg.ledger import Ledger, Shard, ShardResult

ROOT = Path(__file__).parents[2]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def doubled(shard: Shard) -> ShardResult:
    number = shard.parameters["n"]
    return ShardResult(output=b"%d\n" % (2 * number), counts={"even": 1, "sum": number})


def submit(ledger: Ledger, count: int = 3, **options):
    return ledger.submit("double", {"why": "test"}, [{"n": n} for n in range(count)], **options)
