"""The kit's named graphs: read from the kit where it has them, else those that are known here."""

from __future__ import annotations

from pathlib import Path

__all__ = ["named_graph"]


def named_graph(name: str, folder: Path) -> str:
    """Return the statement that makes a named graph.

    Args:
        name: Its name in the kit.
        folder: The features' folder; ``graphs/NAME/NAME.cypher`` is looked for in it and in the
            folders that it lies in.

    Raises:
        LookupError: It is neither there nor known.
    """
    for place in (folder, *folder.absolute().parents[:3]):
        path = place / "graphs" / name / f"{name}.cypher"
        if path.is_file():
            return path.read_text(encoding="utf-8").strip().rstrip(";")
    return {"binary-tree-1": _binary_tree("X"), "binary-tree-2": _binary_tree("Y")}[name]


def _binary_tree(second: str) -> str:
    """A root over four friends in a ring, each with two friends below, the second with a label."""
    parts = ["(a:A {name: 'a'})"]
    for n in range(1, 5):
        parts.append(f"(b{n}:X {{name: 'b{n}'}})")
        parts.append(f"(a)-[:{'KNOWS' if n < 3 else 'FOLLOWS'}]->(b{n})")
        for m, label in ((1, "X"), (2, second)):
            parts.append(f"(b{n})-[:FRIEND]->(:{label} {{name: 'c{n}{m}'}})")
    parts.extend(f"(b{n})-[:FRIEND]->(b{n % 4 + 1})" for n in range(1, 5))
    return f"CREATE {', '.join(parts)}"
