"""A review: cases, the log of decisions, and the graph that they change.

A decision is written to the log, then done to the graph in one transaction, then marked as done.
Whoever opens the log next does what is not marked; doing it again changes nothing
(`linkers.review.change`), so a kill at any moment loses no decision and doubles none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kg.errors import ConflictError, ConstraintError, InputError, LimitError
from kg.store import Store
from linkers.review.change import Change
from linkers.review.log import DecisionLog
from linkers.review.model import Case, Decision, Request
from linkers.review.planning import Plan, planned

__all__ = ["MAX_CASES", "Review"]

MAX_CASES = 200_000
"""Cases of one review; they are held in memory, about 2 kB each."""

_CHUNK = 1_000


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Review(DecisionLog):
    """The decisions of people on one graph.

    Args:
        store: The graph; None to read the log only.
        path: The log's file.
        now: Says what time it is, ISO 8601 in UTC.

    Raises:
        ForeignFileError: Something else lies there.
        FormatVersionError: It has another format number.
    """

    def __init__(self, store: Store | None, path: Path, *, now: Callable[[], str] = _now) -> None:
        super().__init__(path)
        self._store = store
        self._now = now

    def add(self, cases: Iterable[Case]) -> int:
        """Take cases in; one that is there already is kept as the newer run sees it.

        Returns:
            How many were not there before.

        Raises:
            LimitError: There would be too many.
        """
        with self._journal.writing():
            self.refresh()
            before = len(self._cases)
            news = {c.id: c for c in cases if self._cases.get(c.id) != c}
            if len(self._cases.keys() | news.keys()) > MAX_CASES:
                raise LimitError(f"more than {MAX_CASES:,} cases", hint="review fewer at a time")
            rows = [{"case": case.to_json()} for case in news.values()]
            for first in range(0, len(rows), _CHUNK):
                self._journal.append(*rows[first : first + _CHUNK])
            self.refresh()
            return len(self._cases) - before

    def decide(self, request: Request, *, at: str | None = None) -> Decision:
        """Make a decision and do it to the graph.

        The same request again (the same `id`) is the same decision and changes nothing.

        Args:
            request: What is asked for.
            at: When it was made, if it was made elsewhere; else now.

        Raises:
            InputError: The request does not fit the case, or there is no such case.
            UnknownEntityError: An entity that it names is not there.
            ConflictError: The case is decided already, or the graph does not allow it.
            StoreError: The store failed; what was written to the log is done at the next opening.
        """
        known_as = request.id or _request_hash(request)
        with self._journal.writing():
            self.catch_up()
            if known_as in self._by_id:
                return self._decisions[self._by_id[known_as]]
            at = at or self._now()
            plan = self._planned(replace(request, id=known_as), at)
            decision = {"request": plan.request.to_json(), "at": at, "case": plan.case}
            self._journal.append({"decision": {**decision, "change": plan.change.to_json()}})
            self.refresh()
            return self._do(self._decisions[-1], raises=True)

    def catch_up(self) -> int:
        """Do the decisions that a killed process left undone; return how many there were."""
        with self._journal.writing():
            self.refresh()
            left = [decision for decision in self._decisions if decision.state == "pending"]
            for decision in left:
                self._do(decision, raises=False)
            return len(left)

    def _do(self, decision: Decision, *, raises: bool) -> Decision:
        mark: dict[str, Any] = {"number": decision.number, "state": "done"}
        refused: ConflictError | ConstraintError | None = None
        try:
            decision.change.apply(self._graph)
        except (ConflictError, ConstraintError) as error:
            refused = error
            mark |= {"state": "refused", "reason": str(error)}
        self._journal.append(mark)
        self.refresh()
        if refused is not None and raises:
            raise refused
        return self._decisions[decision.number - 1]

    @property
    def _graph(self) -> Store:
        if self._store is None:
            raise InputError("this review was opened for reading only")
        return self._store

    def _planned(self, request: Request, at: str) -> Plan:
        if request.kind == "undo":
            undone = self._to_undo(request.undoes)
            asked = replace(request, undoes=undone.number)
            return Plan(request=asked, change=undone.change.inverse)
        case = None if request.case is None else self._open_case(request.case)
        proposed = None if case is None else self.kept(case.entity)
        return planned(self._graph, request, case, at, proposed=proposed)

    def replay(self) -> dict[str, int]:
        """Do the decisions that hold to the graph again, after it was built anew.

        Returns:
            How many changed it (`done`), how many it knew already (`known`), and how many it
            does not allow (`skipped`): an entity that is not there, or is there already.
        """
        counts = {"done": 0, "known": 0, "skipped": 0}
        with self._journal.writing():
            self.catch_up()
            for decision in [d for d in self._decisions if d.state == "done"]:
                if decision.request.kind == "undo":
                    continue
                case = self.found(decision.case)
                proposed = decision.request.entity
                try:
                    plan = planned(
                        self._graph, decision.request, case, decision.at, proposed=proposed
                    )
                except (InputError, ConflictError, LimitError):
                    counts["skipped"] += 1
                    continue
                if plan.change == Change():
                    counts["known"] += 1
                    continue
                again = {"number": decision.number, "change": plan.change.to_json()}
                self._journal.append({"again": again})
                self.refresh()
                state = self._do(self._decisions[decision.number - 1], raises=False).state
                counts["done" if state == "done" else "skipped"] += 1
        return counts

    def _open_case(self, case_id: str) -> Case:
        case = self.case(case_id)
        if case_id in self.answers:
            number = self.answers[case_id].number
            raise ConflictError(
                f"decision {number} has decided this case", where=case_id, hint="undo it first"
            )
        return case

    def _to_undo(self, number: int | None) -> Decision:
        undoable = [d for d in self._decisions if d.state == "done" and d.request.kind != "undo"]
        found = [d for d in undoable if number is None or d.number == number]
        if not found:
            what = "there is nothing to undo" if number is None else f"no decision {number}"
            raise InputError(what, hint="only a decision that holds can be undone")
        return found[-1]


def _request_hash(request: Request) -> str:
    text = json.dumps(request.to_json(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
