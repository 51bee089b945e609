"""What a log of decisions holds: cases, decisions, and what mentions mean by them; reading only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kg.errors import InputError
from kg.model import EntityKey
from linkers.model import Mention
from linkers.review.change import Change
from linkers.review.journal import Journal
from linkers.review.model import Case, Decision, Request
from linkers.review.order import worths

__all__ = ["DecisionLog"]


class DecisionLog:
    """Cases and decisions, read from the log's file; `linkers.review.Review` writes it.

    Args:
        path: The file; there need be none.

    Raises:
        ForeignFileError: Something else lies there.
        FormatVersionError: It has another format number.
    """

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._cases: dict[str, Case] = {}
        self._decisions: list[Decision] = []
        self._by_id: dict[str, int] = {}
        self._into: dict[EntityKey, EntityKey | None] | None = None
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
        elif "again" in entry:
            place, change = entry["again"]["number"] - 1, Change.from_json(entry["again"]["change"])
            self._decisions[place] = replace(self._decisions[place], change=change, state="pending")
        else:
            self._mark(int(entry["number"]), entry["state"], entry.get("reason"))
        self._into = None

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
        """Return the open cases, the most useful first; a pair that merges made one is none."""
        return [case for _, case in self.worths()[:limit]]

    def worths(self) -> list[tuple[float, Case]]:
        """Return the open cases with what each is worth (`linkers.review.order`), best first."""
        answered = self.answers
        waiting = [
            case
            for key, case in self._cases.items()
            if key not in answered and not self._merged(case)
        ]
        done = [self._cases[key] for key in answered if key in self._cases]
        return sorted(worths(waiting, done), key=lambda row: (-row[0], row[1].id))

    def _merged(self, case: Case) -> bool:
        """Tell whether decisions about other cases, or about none, have made a pair one entity."""
        if case.pair is None:
            return False
        first, second = map(self.kept, case.pair)
        return first == second

    def kept(self, key: EntityKey | None) -> EntityKey | None:
        """Return the key under which an entity lives on after merges."""
        if self._into is None:
            self._into = {
                gone: decision.request.entity
                for decision in self._decisions
                if decision.request.kind == "merge" and decision.state == "done"
                for gone in decision.request.keys
            }
        into = self._into
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
