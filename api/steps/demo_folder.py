"""The demo's graph as a graph folder, so that it is trained and measured like any public data set.

Test edges are those that the evaluation snapshot lacks. Validation edges are held out from the rest
by the same rule with the next seed, so the folder is the same for the same snapshots.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import MissingPartError
from kg.files import atomic_write

if TYPE_CHECKING:
    from api.workspace import Workspace
    from kg.snapshot import Snapshot

__all__ = ["demo_folder"]

STEP = "graph-folder"


def demo_folder(workspace: Workspace) -> Path:
    """Write the graph folder of a working folder's evaluation; nothing to do if it is there.

    Raises:
        MissingPartError: No evaluation snapshot was made, or its rule was not kept.
    """
    evaluation = workspace.recorded("snapshot-evaluation")
    if "rule" not in evaluation:
        raise MissingPartError(
            "how the demo's edges were held out was not kept",
            where=str(workspace.folder),
            hint="run `umbra demo` in a new folder",
        )
    folder = workspace.folder / "graph-folder"
    inputs = f"{workspace.recorded('snapshot-full')['hash']} {evaluation['hash']}"
    if workspace.done(STEP, inputs) is None or not (folder / "train.tsv.gz").exists():
        with workspace.doing(STEP, inputs) as outcome:
            outcome.update(_write(workspace, folder, evaluation["rule"]))
    return folder


def _write(workspace: Workspace, folder: Path, rule: dict[str, Any]) -> dict[str, int]:
    from kg.snapshot import load_snapshot
    from kg.splits import hold_out

    full = load_snapshot(workspace.snapshot("full"))
    known = load_snapshot(workspace.snapshot("evaluation"))
    relations = [name for name in rule["relations"] if name in known.relation_names]
    undirected = [name for name in rule["undirected"] if name in relations]
    held = hold_out(
        known,
        relations=relations,
        share=rule["share"],
        seed=rule["seed"] + 1,
        undirected=undirected,
    )
    everywhere = set(_edges(known))
    splits = {
        "valid": list(_edges(known.keeping(held))),
        "test": [edge for edge in _edges(full) if edge not in everywhere],
        "train": list(_edges(known.keeping(~held))),  # last: with it the folder is whole
    }
    _lines(folder / "entities.jsonl.gz", map(_labelled, full.entities, full.names))
    _lines(folder / "numeric.tsv.gz", _numbers(full))
    for name, edges in splits.items():
        _lines(folder / f"{name}.tsv.gz", map("\t".join, edges))
    return {name: len(edges) for name, edges in splits.items()}


def _edges(graph: Snapshot) -> Iterator[tuple[str, str, str]]:
    entity, relation = graph.entities.name, graph.relation_names.name
    for h, r, t in zip(graph.heads, graph.relations, graph.tails, strict=True):
        yield entity(int(h)), relation(int(r)), entity(int(t))


def _labelled(key: str, name: str) -> str:
    return json.dumps({"key": key, "label": name}, ensure_ascii=False)


def _numbers(graph: Snapshot) -> Iterator[str]:
    for attribute, column in sorted(graph.attributes.items()):
        for place, value in sorted(column.items()):
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield f"{graph.entities.name(place)}\t{attribute}\t{value}"


def _lines(path: Path, lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in lines).encode()
    with atomic_write(path) as file:
        file.write(gzip.compress(text, mtime=0))  # the same bytes each time
