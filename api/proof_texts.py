"""What an edge of a proof rests on, in short lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from api.proof_schemas import ProofEdgeOut, RecordOut
from reasoning.explanations.shown import EdgeView

__all__ = ["notes", "source_line"]

_SOURCES, _REASONS = 2, 3


def source_line(record: RecordOut) -> str:
    """Return what a fact rests on, in a line."""
    place = record.source if record.locator is None else f"{record.source}, {record.locator}"
    return f"{record.kind}: {place}"


def notes(edge: EdgeView) -> Sequence[str]:
    """Return what an edge rests on: its strongest records, or why it is predicted."""
    shown = cast(ProofEdgeOut, edge)
    sources = [source_line(record) for record in shown.records[:_SOURCES]]
    return [*sources, *(f"because {reason}" for reason in shown.reasons[:_REASONS])]
