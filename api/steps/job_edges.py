"""Which jobs have written edges from a table, so that a newer one takes the place of the others.

A changed graph or table makes the same command a new job. Its edges are what the table says now;
those of the jobs before it go once it is done. One small file a command keeps their ids: a job is
noted before it writes, so that one that was killed halfway is taken back too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kg.files import read_json, sha256_of_text, write_json
from kg.withdrawal import Withdrawal

if TYPE_CHECKING:
    from kg.ledger import Ledger
    from kg.store import Store

__all__ = ["EdgeJobs"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class EdgeJobs:
    """The jobs of one command that writes edges.

    Attributes:
        path: The file that keeps their ids.
    """

    path: Path

    @classmethod
    def of(
        cls,
        folder: Path,
        mentions: Path,
        columns: Mapping[str, str | None],
        edges: tuple[str, str],
    ) -> EdgeJobs:
        """Return the jobs that link the same columns of the same table into the same edges.

        Args:
            folder: Where such files lie.
            mentions: The table.
            columns: Its mapping.
            edges: Head and relation.
        """
        named = sorted((name, column or "") for name, column in columns.items())
        what = repr((str(mentions.resolve()), named, edges))
        return cls(folder / f"{sha256_of_text(what)[:16]}.json")

    @property
    def jobs(self) -> tuple[str, ...]:
        """Ids of jobs whose edges may be in the graph."""
        if not self.path.exists():
            return ()
        return tuple(read_json(self.path, kind="list of jobs", formats=(FORMAT,))["jobs"])

    def begin(self, ledger: Ledger, job: str) -> None:
        """Note a job before it writes.

        One that was done before another took its place (the graph is as it was then) writes anew.
        """
        known = self.jobs
        if job in known:
            return
        if known:
            ledger.retry(job, everything=True)
        write_json(self.path, {"format": FORMAT, "jobs": [*known, job]})

    def end(self, job: str, store: Store) -> int:
        """Take back what the other jobs wrote, now that a job is done.

        Killed in between, it does the rest when the command runs again.

        Returns:
            Records that were taken back; an edge without one is gone.
        """
        others = [other for other in self.jobs if other != job]
        taken = sum(store.withdraw(Withdrawal(job=other)) for other in others)
        if others:
            write_json(self.path, {"format": FORMAT, "jobs": [job]})
        return taken
