"""A review: cases, the log of decisions, and the graph that they change.

A decision is written to the log, then done to the graph in one transaction, then marked as done.
Whoever opens the log next does what is not marked; doing it again changes nothing
(`linkers.review.change`), so a kill at any moment loses no decision and doubles none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kg.errors import ConflictError, ConstraintError, InputError, LimitError
from kg.model import EntityKey
from kg.store import Store
from linkers.model import Mention
from linkers.review.change import Change
from linkers.review.effects import mention_change
from linkers.review.journal import Journal
from linkers.review.model import Case, Decision, Request
from linkers.review.order import most_useful_first
from linkers.review.union import merge_change, split_change

__all__ = ["MAX_CASES", "Review"]

MAX_CASES = 200_000
"""Cases of one review; they are held in memory, about 2 kB each."""

_CHUNK = 1_000


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Review:
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
        self._store = store
        self._journal = Journal(path)
        self._now = now
        self._cases: dict[str, Case] = {}
        self._decisions: list[Decision] = []
        self._by_id: dict[str, int] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what other processes have written since."""
        for entry in self._journal.news():
            self._take(entry)

    def _take(self, entry: Mapping[str, Any]) -> None:
        if "case" in entry:
            case = Case.from_json(entry["case"])
            self._cases[case.id] = case
        elif "decision" in entry:
            read = entry["decision"]
            request = Request.from_json(read["request"])
            self._by_id[request.id] = len(self._decisions)
            self._decisions.append(
                Decision(
                    number=len(self._decisions) + 1,
                    request=request,
                    at=read["at"],
                    case=read.get("case"),
                    change=Change.from_json(read["change"]),
                )
            )
        else:
            self._mark(int(entry["number"]), entry["state"], entry.get("reason"))

    def _mark(self, number: int, state: Any, reason: str | None) -> None:
        decision = replace(self._decisions[number - 1], state=state, reason=reason)
        self._decisions[number - 1] = decision
        if state == "done" and decision.request.undoes is not None:
            undone = decision.request.undoes - 1
            self._decisions[undone] = replace(self._decisions[undone], state="undone")

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """All decisions, in the order in which they were made."""
        return tuple(self._decisions)

    @property
    def answers(self) -> dict[str, Decision]:
        """The decision that holds for each decided case."""
        return {d.case: d for d in self._decisions if d.case and d.state in ("pending", "done")}

    @property
    def known(self) -> tuple[Case, ...]:
        """All cases, open and decided, in the order in which they came."""
        return tuple(self._cases.values())

    @property
    def identity(self) -> str:
        """A hash of the decisions: two reviews of the same decisions are the same."""
        made = [[d.number, d.request.to_json(), d.at, d.state] for d in self._decisions]
        return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def has_pending(self) -> bool:
        """Whether a decision waits to be done to the graph, as the log has it now."""
        self.refresh()
        return any(decision.state == "pending" for decision in self._decisions)

    def found(self, case_id: str | None) -> Case | None:
        """Return a case, or None."""
        return None if case_id is None else self._cases.get(case_id)

    def case(self, case_id: str) -> Case:
        """Return a case.

        Raises:
            InputError: There is none of this id.
        """
        if case_id not in self._cases:
            raise InputError(f"no case {case_id!r:.80}", hint="`umbra link review --list`")
        return self._cases[case_id]

    def cases(self, *, limit: int | None = None) -> list[Case]:
        """Return the open cases, the most useful first."""
        answered = self.answers
        waiting = [case for key, case in self._cases.items() if key not in answered]
        done = [self._cases[key] for key in answered if key in self._cases]
        return most_useful_first(waiting, done)[:limit]

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
            asked, case_id, change = self._planned(replace(request, id=known_as), at)
            decision = {"request": asked.to_json(), "at": at, "case": case_id}
            self._journal.append({"decision": {**decision, "change": change.to_json()}})
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

    def _planned(self, request: Request, at: str) -> tuple[Request, str | None, Change]:
        """Return the request with all that it leaves open, the case it decides, and its change."""
        store = self._graph
        if request.kind == "undo":
            undone = self._to_undo(request.undoes)
            return replace(request, undoes=undone.number), None, undone.change.inverse
        case = None if request.case is None else self._open_case(request.case)
        if request.kind == "split":
            return request, None, split_change(store, request, at)
        if request.kind == "merge":
            return request, request.case, merge_change(store, request, at)
        if case is None:  # its kind needs one: `Request` has seen to it
            raise InputError("no case is named")
        if request.kind == "accept":
            if case.pair is not None:
                stays, goes = case.pair
                merge = replace(request, kind="merge", entity=stays, keys=(goes,))
                return merge, case.id, merge_change(store, merge, at)
            kind = request.kind if case.entity is not None else "reject"
            request = replace(request, kind=kind, entity=self.kept(case.entity))
        elif case.pair is not None and request.kind != "reject":
            raise InputError("a pair is accepted, rejected or merged", where=case.id)
        return request, case.id, mention_change(store, request, case, at)

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

    def kept(self, key: EntityKey | None) -> EntityKey | None:
        """Return the key under which an entity lives on after merges."""
        into = {
            gone: decision.request.entity
            for decision in self._decisions
            if decision.request.kind == "merge" and decision.state == "done"
            for gone in decision.request.keys
        }
        seen = set()
        while key is not None and key in into and key not in seen:
            seen.add(key)
            key = into[key]
        return key

    def meanings(self) -> list[tuple[Mention, EntityKey | None, Decision]]:
        """Return what mentions mean by decisions that hold: training pairs with their decision."""
        found = []
        for case_id, decision in self.answers.items():
            case = self._cases.get(case_id)
            if case is not None and case.mention is not None and decision.state == "done":
                found.append((case.mention, self.kept(decision.meant), decision))
        return found


def _request_hash(request: Request) -> str:
    text = json.dumps(request.to_json(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
