"""A proof as the lines of an outline: what text and pictures have in common.

A line is one edge, one sentence, or the head of several branches. Names and sentences come from
the graph, which anybody may have written: what could break a terminal or a picture is replaced.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from reasoning.explanations.shown import EdgeView, NodeView

__all__ = ["Line", "Mark", "Notes", "no_notes", "outline", "readable"]

Mark = Literal["known", "predicted", "absent", "fact", "gap", "all", "any", "not"]

Notes = Callable[[EdgeView], Sequence[str]]
"""What else there is to say of an edge: its sources, or why it is believed."""

MAX_NAME, MAX_NOTE = 200, 600
"""Most characters of a name or sentence, and of a note, that are shown."""

_TURNS_TEXT = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an outline.

    Attributes:
        depth: How far it is indented; 0 for the answer's own lines.
        mark: What kind of statement it is.
        text: The statement.
        truth: How true it is; for an edge its probability.
        notes: Sources and reasons.
    """

    depth: int
    mark: Mark
    text: str
    truth: float
    notes: tuple[str, ...] = ()


def no_notes(_edge: EdgeView) -> Sequence[str]:
    """Return nothing to say of an edge."""
    return ()


def outline(node: NodeView, notes: Notes = no_notes) -> list[Line]:
    """Return a proof as lines, root first.

    Args:
        node: The root.
        notes: What else to say of an edge.
    """
    return list(_lines(node, 0, notes))


def _lines(node: NodeView, depth: int, notes: Notes) -> Iterator[Line]:
    below = depth + 1
    match node.kind:
        case "anchor":
            if node.text is not None:
                yield _line(node, depth, "fact", node.text)
            return
        case "fact":
            yield _line(node, depth, "fact", node.text or "")
            return
        case "gap":
            yield _line(node, depth, "gap", f"nothing found for {node.name}: {node.text}")
            return
        case "projection":
            if node.edge is not None:
                yield _edge_line(node.edge, depth, notes)
        case "intersection":
            yield _line(node, depth, "all", f"{node.name}: all of")
        case "union":
            yield _line(node, depth, "any", f"{node.name}: any of")
        case "negation":
            yield _line(node, depth, "not", node.text or "")
            if node.branches[0].kind == "gap":
                return  # nothing speaks against it, which the line has said
    for branch in node.branches:
        yield from _lines(branch, below, notes)


def _line(node: NodeView, depth: int, mark: Mark, text: str) -> Line:
    return Line(depth=depth, mark=mark, text=readable(text), truth=node.truth)


def _edge_line(edge: EdgeView, depth: int, notes: Notes) -> Line:
    head, relation, tail = map(readable, (edge.head_name, edge.relation, edge.tail_name))
    return Line(
        depth=depth,
        mark=edge.status,
        text=f"{head} -[{relation}]-> {tail}",
        truth=edge.probability,
        notes=tuple(readable(note, most=MAX_NOTE) for note in notes(edge)),
    )


def readable(text: str, *, most: int = MAX_NAME) -> str:
    """Return a text on one line without control characters, cut to some characters.

    Example:
        >>> readable("a" + chr(27) + "[31m" + chr(10) + "b")
        'a\ufffd[31m b'
    """
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(map(_shown, cut))


def _shown(character: str) -> str:
    if character in "\n\r\t\u2028\u2029":
        return " "
    # control characters, halves of surrogate pairs, and marks that turn the direction of text
    hostile = unicodedata.category(character) in ("Cc", "Cs") or character in _TURNS_TEXT
    no_character = ord(character) & 0xFFFE == 0xFFFE  # XML has no place for these
    return "\ufffd" if hostile or no_character else character
