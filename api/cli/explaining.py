"""Proof trees of answers for the command line: as text, as JSON, or as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from api.cli.printing import change_lines
from api.proof_texts import notes
from api.schemas import AnswerOut, AnswersOut, ProofNodeOut, WhyNotOut
from kg.errors import InputError
from kg.files import atomic_write
from reasoning.explanations.svg import proof_svg
from reasoning.explanations.text import proof_text

__all__ = ["Form", "explained", "lacking", "write_explanation"]

Form = Literal["text", "json", "svg"]

FORMAT = 1
"""Of the JSON of proofs; fields may be added under the same number."""


def explained(answers: AnswersOut, form: Form, *, why: int) -> bytes:
    """Return the proofs of the first `why` known and likely answers; a picture shows the first.

    Raises:
        InputError: A picture is wanted, and there is no answer with a proof.
    """
    groups = [[a for a in answers.answers if a.status == status] for status in ("known", "likely")]
    shown = [answer for group in groups for answer in group[:why] if answer.proof is not None]
    if form == "json":
        changes = answers.changes and answers.changes.model_dump(mode="json")
        answers_shown = [answer.model_dump(mode="json") for answer in shown]
        found = {"answers": answers_shown, "changes": changes}
        return _json({"kind": "proofs", "format": FORMAT, **found})
    if form == "svg":
        if not shown:
            raise InputError("no answer has a proof to draw", hint="raise --k or --why")
        return proof_svg(_tree(shown[0]), notes)
    lines = [*map(_titled, shown)] or ["no answer has a proof"]
    lines += [] if answers.changes is None else change_lines(answers.changes)
    return ("\n".join(lines) + "\n").encode()


def lacking(found: WhyNotOut, form: Form) -> bytes:
    """Return why an entity is no better answer, or that it is one and lacks nothing."""
    if form == "json":
        return _json(found.model_dump(mode="json"))
    if form == "svg":
        return proof_svg(found.proof.tree, notes)
    if found.weakest is None:
        answer = f"{found.name} [{found.key}] is an answer and lacks nothing; its proof:"
        return f"{answer}\n{proof_text(found.proof.tree, notes)}\n".encode()
    standing = "is no answer" if found.truth == 0.0 else f"has the truth {found.truth:.3f}"
    lines = [f"{found.name} [{found.key}] {standing}; {found.better} entities have a higher one"]
    lines.append(f"weakest link: {found.weakest.text}  {found.weakest.truth:.3f}")
    lines.append("not certain:")
    lines += [f"  {link.text}  {link.truth:.3f}" for link in found.needed]
    lines += ["the best proof it could have:", proof_text(found.proof.tree, notes)]
    return ("\n".join(lines) + "\n").encode()


def write_explanation(content: bytes, out: Path | None) -> None:
    """Write to a file, or to stdout."""
    import sys

    if out is not None:
        with atomic_write(out) as file:
            file.write(content)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _titled(answer: AnswerOut) -> str:
    title = f"{answer.status} {answer.probability:.3f} [{answer.key}]"
    return f"{title}\n{proof_text(_tree(answer), notes)}"


def _tree(answer: AnswerOut) -> ProofNodeOut:
    if answer.proof is None:
        raise InputError(f"the answer {answer.key!r:.100} has no proof")
    return answer.proof.tree


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
