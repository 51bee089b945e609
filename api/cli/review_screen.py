"""The review in a terminal: one case at a time, one key an answer."""

from __future__ import annotations

import os
import re
import secrets
import sys
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kg.errors import ConflictError, InputError

if TYPE_CHECKING:
    from api.review_desk import ReviewDesk
    from api.review_schemas import CaseCandidateOut, CaseOut

__all__ = ["ReviewScreen", "printable", "read_key", "read_line"]

KEYS = "a accept  1-8 choose  n none of the graph  o other  w new  s skip  u undo  q quit"
PAIR_KEYS = "a the same: merge the second into the first  n two things  s skip  u undo  q quit"
_AROUND = 160


def printable(text: str) -> str:
    r"""Return a text that cannot steer the terminal: control characters become spaces.

    Example:
        >>> printable("Peru\x1b[2J")
        'Peru [2J'
    """
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cf") else char for char in text)


def read_key(prompt: str) -> str:
    """Return one key of the terminal, or the first letter of a line where there is none.

    Raises:
        EOFError: There is no more input.
    """
    if not sys.stdin.isatty():
        line = read_line(prompt)
        return line.strip()[:1]
    import termios
    import tty

    print(prompt, end="", flush=True)
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        tty.setcbreak(handle, termios.TCSADRAIN)  # Ctrl+C still interrupts
        key = os.read(handle, 1).decode("ascii", "replace")
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
    print(printable(key))
    if key in ("", "\x00", "\x04"):  # Ctrl+D; NUL is one that was typed ahead
        raise EOFError
    return key


def read_line(prompt: str) -> str:
    """Return a line of input.

    Raises:
        EOFError: There is no more input.
    """
    print(prompt, end="", flush=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")


class ReviewScreen:
    """Asks for decisions until there is nothing left, or the user quits.

    Args:
        desk: Where decisions are made.
        who: Who decides.
        key: Reads one key after a prompt; raises EOFError at the end of input.
        line: Reads a line after a prompt.
    """

    def __init__(
        self,
        desk: ReviewDesk,
        who: str,
        *,
        key: Callable[[str], str] = read_key,
        line: Callable[[str], str] = read_line,
    ) -> None:
        self._desk, self._who = desk, who
        self._key, self._line = key, line
        self._aside: set[str] = set()
        self._made = 0

    def run(self) -> int:
        """Ask until the end; return how many decisions hold of those made here."""
        while (case := self._next()) is not None:
            self._show(case)
            try:
                if not self._answer(case):
                    break
            except EOFError:
                break
            except (InputError, ConflictError) as error:
                print(f"  {printable(str(error))}")
        return max(0, self._made)

    def _next(self) -> CaseOut | None:
        waiting = self._desk.review.cases()
        for case in waiting:
            if case.id not in self._aside:
                print(f"\n{len(waiting) - len(self._aside)} open")
                return self._desk.shown(case)
        return None

    def _show(self, case: CaseOut) -> None:
        if case.pair is not None:
            for candidate in case.pair:
                print(f"  {self._named(candidate)}")
            print(f"  the same?  {case.probability:.3f}  {printable(case.reason or '')}")
            return
        print(f"  {printable(_sentence(case))}")
        if case.image is not None:
            print(f"  picture: {printable(case.image)}")
        print(f"  none of the graph: {case.nil_probability:.3f}  {printable(case.reason or '')}")
        for number, candidate in enumerate(case.candidates, start=1):
            reasons = ", ".join(f"{name} {value:g}" for name, value in candidate.reasons.items())
            print(f"  {number}  {candidate.probability:.3f}  {self._named(candidate)}  {reasons}")

    def _named(self, candidate: CaseCandidateOut) -> str:
        return printable(f"{candidate.name or '(gone)'} [{candidate.entity}]")

    def _answer(self, case: CaseOut) -> bool:
        """Take one answer; False to quit."""
        key = self._key(f"{KEYS if case.pair is None else PAIR_KEYS}\n> ")
        match key:
            case "q":
                return False
            case "s":
                self._aside.add(case.id)
            case "u":
                self._decide(kind="undo")
                self._made -= 2
            case "a":
                self._decide(kind="accept", case=case.id)
            case "n":
                self._decide(kind="reject", case=case.id)
            case "o" if case.pair is None:
                entity = self._line("  key or name of the entity: ").strip()
                self._decide(kind="other", case=case.id, entity=entity)
            case "w" if case.pair is None:
                self._new(case)
            case _ if key.isdecimal() and 1 <= int(key) <= len(case.candidates):
                chosen = case.candidates[int(key) - 1].entity
                kind = "accept" if chosen == case.entity else "other"
                self._decide(kind=kind, case=case.id, entity=chosen)
            case _:
                print("  no answer has this key")
        return True

    def _new(self, case: CaseOut) -> None:
        name = self._line(f"  name [{printable(case.mention or '')}]: ").strip() or case.mention
        proposed = _key_like(case.candidates[0].entity if case.candidates else "", name or "")
        key = self._line(f"  key [{printable(proposed)}]: ").strip() or proposed
        label = self._line("  label [that of the candidates]: ").strip() or None
        self._decide(kind="new", case=case.id, name=name, key=key, label=label)

    def _decide(self, **values: Any) -> None:
        from api.review_schemas import DecisionIn

        body = DecisionIn(who=self._who, id=secrets.token_hex(8), **values)
        decision = self._desk.decide(body)
        self._made += 1
        meant = "" if decision.entity is None else f" {decision.entity}"
        print(printable(f"  {decision.number}: {decision.kind}{meant}"))


def _sentence(case: CaseOut) -> str:
    """Return the words within their text, marked."""
    words = case.mention or ""
    if case.context is None or case.start is None or case.end is None:
        return f"[{words}]  {(case.context or '')[: 2 * _AROUND]}".strip()
    before = case.context[max(0, case.start - _AROUND) : case.start]
    return f"{before}[{words}]{case.context[case.end : case.end + _AROUND]}"


def _key_like(example: str, name: str) -> str:
    """Return a key for a name, with the prefix of another key.

    Example:
        >>> _key_like("country:PE", "New Zembla")
        'country:new-zembla'
    """
    prefix = example[: example.rfind(":") + 1]
    return prefix + re.sub(r"\W+", "-", name.casefold()).strip("-")
