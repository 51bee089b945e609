"""What a query must be before it is answered: small enough, and safe.

A query is unsafe if its answers, or those of a step of it, would be "everything but …": a negation
without a positive branch beside it. A union with a negated branch is such a negation itself.
"""

from __future__ import annotations

from typing import assert_never

from kg.errors import LimitError, UnsafeQueryError
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
    children,
)

__all__ = ["MAX_DEPTH", "MAX_NODES", "check_safe", "check_size", "describe"]

MAX_DEPTH = 64
"""Most nodes from the root of a query to a leaf; recursion over a tree stays far below Python's."""

MAX_NODES = 2_000
"""Most nodes of a query; each candidate of a soft anchor counts as one."""

_DESCRIBED_CHARS = 200


def check_size(tree: Query) -> None:
    """Refuse a tree that is too deep or too large to fold over.

    Raises:
        LimitError: It has more than `MAX_DEPTH` levels or `MAX_NODES` nodes.
    """
    count, level = 0, [tree]
    for _ in range(MAX_DEPTH):
        count += sum(len(n.candidates) if isinstance(n, SoftAnchor) else 1 for n in level)
        level = [child for node in level for child in children(node)]
        if not level or count > MAX_NODES:
            break
    if count > MAX_NODES:
        raise LimitError(f"a query has more than {MAX_NODES} nodes", hint="ask it in parts")
    if level:
        raise LimitError(f"a query is nested deeper than {MAX_DEPTH}", hint="ask it in parts")


def check_safe(tree: Query) -> None:
    """Refuse a query whose answers, or those of a step of it, would be "everything but …".

    Raises:
        UnsafeQueryError: With the position of the negated branch, if the tree knows it, and its
            path from the root.
        LimitError: The tree is too deep or too large.
    """
    check_size(tree)
    if not _is_positive(tree, ""):
        raise _unsafe(tree, "")


def _is_positive(node: Query, path: str) -> bool:
    match node:
        case Anchor() | SoftAnchor() | Labelled() | Compare():
            return True
        case Projection(child=child):
            if not _is_positive(child, f"{path}/child"):
                raise _unsafe(child, f"{path}/child")
            return True
        case Negation(child=child):
            return not _is_positive(child, f"{path}/child")
        case Intersection(children=branches):
            return any(_signs(branches, path))
        case Union(children=branches):
            return all(_signs(branches, path))
        case _:
            assert_never(node)


def _signs(branches: tuple[Query, ...], path: str) -> list[bool]:
    # All of them, so that an unsafe step inside any branch is found.
    return [_is_positive(branch, f"{path}/{i}") for i, branch in enumerate(branches)]


def _unsafe(node: Query, path: str) -> UnsafeQueryError:
    """Return the error for a node that is not positive; the negated branch in it is to blame."""
    while isinstance(node, Intersection | Union):
        place, node = next((i, b) for i, b in enumerate(node.children) if not _is_positive(b, ""))
        path = f"{path}/{place}"
    span = node.span
    return UnsafeQueryError(
        f"the branch {path or '/'} ({describe(node)}) would be answered by everything but a few",
        position=None if span is None else span.start,
        line=None if span is None else span.line,
        column=None if span is None else span.column,
        hint="put it beside a branch that says what the answers are, such as a label or an edge",
    )


def describe(node: Query) -> str:
    """Return a node in short words for messages; cut to 200 characters.

    Example:
        >>> from kg.model import EntityKey
        >>> arabic = Anchor(EntityKey("language:ara"))
        >>> describe(Negation(Projection("speaks", arabic, inverse=True)))
        'not (speaks → language:ara)'
    """
    text = _words(node)
    return text if len(text) <= _DESCRIBED_CHARS else f"{text[: _DESCRIBED_CHARS - 1]}…"


def _words(node: Query) -> str:
    match node:
        case Anchor(entity=key):
            return key
        case SoftAnchor(candidates=candidates):
            return f"perhaps {' or '.join(key for key, _ in candidates[:_DESCRIBED_CHARS])}"
        case Labelled(label=label):
            return f"a {label}"
        case Compare(attribute=attribute, comparison=comparison, value=value):
            return f"{attribute} {comparison} {value!r}"
        case Projection(relation=relation, child=child, inverse=inverse):
            return f"{relation} {'→' if inverse else '←'} {_words(child)}"
        case Negation(child=child):
            return f"not ({_words(child)})"
        case Intersection(children=branches):
            return " and ".join(f"({_words(branch)})" for branch in branches)
        case Union(children=branches):
            return " or ".join(f"({_words(branch)})" for branch in branches)
        case _:
            assert_never(node)
