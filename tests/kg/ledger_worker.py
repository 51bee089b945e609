"""A process that works on a job, started and killed by `test_ledger_workers.py`.

Usage: ``python ledger_worker.py LEDGER JOB NAP_S LOG``; a line of the log names a shard begun.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

from kg.ledger import Ledger, Shard, ShardResult, run_job


def shard_output(number: int) -> bytes:
    """Return some thousand bytes that depend on the number alone."""
    return b"".join(hashlib.sha256(b"%d %d" % (number, i)).digest() for i in range(64)) + b"\n"


def work(shard: Shard) -> ShardResult:
    """Do a shard."""
    return ShardResult(output=shard_output(shard.number), counts={"rows": 10})


def main() -> None:
    """Work on the job."""
    ledger_path, job, nap_s, log = sys.argv[1:]

    def slowly(shard: Shard) -> ShardResult:
        with Path(log).open("a") as file:
            file.write(f"{shard.number}\n")
        time.sleep(float(nap_s))
        return work(shard)

    with Ledger(Path(ledger_path)) as ledger:
        run_job(ledger, job, slowly)


if __name__ == "__main__":
    main()
