"""A proof as indented text: ``=`` known, ``~`` predicted, ``!`` not there."""

from __future__ import annotations

from reasoning.explanations.outline import Line, Mark, Notes, no_notes, outline, readable
from reasoning.explanations.shown import NodeView

__all__ = ["proof_text"]

_MARKS: dict[Mark, str] = {
    "known": "=",
    "predicted": "~",
    "absent": "!",
    "fact": ".",
    "gap": "-",
    "all": "&",
    "any": "|",
    "not": "!",
}


def proof_text(node: NodeView, notes: Notes = no_notes) -> str:
    """Return a proof as text, a line each edge, indented by its place in the query.

    Args:
        node: The root of the tree (`reasoning.explanations.shown.show`).
        notes: What else to say of an edge: sources, reasons.

    Example:
        >>> from reasoning.explanations.shown import ShownEdge, ShownNode
        >>> edge = ShownEdge(head="a", head_name="Oslo", relation="in", tail="b",
        ...     tail_name="Norway", status="predicted", probability=0.5)
        >>> print(proof_text(ShownNode(kind="projection", variable=0, entity="a", name="Oslo",
        ...     truth=0.5, edge=edge)))
        Oslo  0.500
          ~ Oslo -[in]-> Norway  0.500
    """
    lines = [f"{readable(node.name)}  {node.truth:.3f}"]
    for line in outline(node, notes):
        lines += _printed(line)
    return "\n".join(lines)


def _printed(line: Line) -> list[str]:
    indent = "  " * (line.depth + 1)
    return [
        f"{indent}{_MARKS[line.mark]} {line.text}  {line.truth:.3f}",
        *(f"{indent}    {note}" for note in line.notes),
    ]
