"""What of a path was held out, and how well each rival finds the answer then.

Reads the units that `python -m bench.parts` kept, on the same graph with the same options, and
splits those of questions about a relation, within the image, by the fact that is missing on the
path from the class to the answer: the edge between the two parts, the label of the part at its
other end, or both; `other` where this finds neither.
``python -m bench.parts.missing --umbra .umbra --steps 300 --questions 60``.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.parts.__main__ import LABELS, PREDICATES, read_units
from bench.parts.graph import HAS_LABEL, PartWorld, held_out, umbra_world, vrd_world
from bench.parts.questions import QuestionSet, question_sets
from kg.snapshot import Snapshot

__all__ = ["main", "missing_facts"]

_HOLDS = 0.5
_QUESTIONS = ("relation", "relation_not_label")
_KINDS = ("other", "edge", "label", "edge and label")
_ORDER = (*_KINDS[1:], "several", "other")


def missing_facts(questions: QuestionSet, full: Snapshot, known: Snapshot) -> Iterator[str]:
    """Yield what is missing for each unit, in the order of `ranked`.

    Args:
        questions: Whose first relation enters the answer and whose second ends at a class.
        full: With the edges to be found.
        known: Without them.
    """
    label = full.relation_id(HAS_LABEL)
    everything, remaining = _edges(full), _edges(known)
    parents = np.asarray(full.parents)
    queries = questions.queries
    for anchors, relations, hard in zip(
        queries.anchors, queries.relations, queries.hard, strict=True
    ):
        asked, inverse = divmod(int(relations[0]), 2)
        answers = hard[parents[hard] >= 0]
        for image in np.unique(parents[answers]):
            kinds = set()
            for answer in answers[parents[answers] == image]:
                ways = []
                for other in full.neighbours(asked, int(answer), inverse=not inverse):
                    ends = (int(answer), int(other)) if inverse else (int(other), int(answer))
                    edge, told = (ends[0], asked, ends[1]), (int(other), label, int(anchors[0]))
                    if edge in everything and told in everything:
                        ways.append((edge not in remaining) + 2 * (told not in remaining))
                kinds.add(_KINDS[min(ways)])
            yield kinds.pop() if len(kinds) == 1 else "several"


def _edges(snapshot: Snapshot) -> set[tuple[int, int, int]]:
    """Return the edges that questions are about, those that more likely hold than not."""
    keep = np.asarray(snapshot.probabilities) >= _HOLDS
    arrays = (snapshot.heads, snapshot.relations, snapshot.tails)
    return set(zip(*(np.asarray(array)[keep].tolist() for array in arrays), strict=True))


def table(world: PartWorld, folders: Sequence[Path], questions: int) -> str:
    """Return the page; `folders` are those of the seeds from 0 on."""
    found: dict[tuple[str, str], dict[str, list[NDArray[np.float64]]]] = {}
    for seed, folder in enumerate(folders):
        hidden = held_out(world, labels=LABELS, predicates=PREDICATES, seed=seed, role="test")
        known = world.full.keeping(~hidden)
        units = {path.stem: read_units(path) for path in sorted(folder.glob("*.npz"))}
        for asked in question_sets(world, world.full, known, count=questions, seed=seed):
            if asked.name in _QUESTIONS:
                kinds = np.array(list(missing_facts(asked, world.full, known)))
                for kind in np.unique(kinds):
                    cell = found.setdefault((asked.name, str(kind)), defaultdict(list))
                    for rival, values in units.items():
                        cell[rival].append(values[f"{rival}/{asked.name}/within"][kinds == kind])
    rivals = sorted({rival for cell in found.values() for rival in cell})
    lines = ["| question | missing | units | " + " | ".join(rivals) + " |"]
    lines.append("|---" * (3 + len(rivals)) + "|")
    for name, kind in sorted(found, key=lambda key: (key[0], _ORDER.index(key[1]))):
        values = [np.concatenate(found[name, kind][rival]) for rival in rivals]
        means = " | ".join(f"{100 * each.mean():.1f}" for each in values)
        lines.append(f"| {name} | {kind} | {len(values[0])} | {means} |")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    graph = parser.add_mutually_exclusive_group(required=True)
    graph.add_argument("--vrd", type=Path, help="folder of VRD's scenes")
    graph.add_argument("--umbra", type=Path, help="folder of a finished demo")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--work", type=Path, default=Path("build/parts"))
    given = parser.parse_args(argv)
    world = umbra_world(given.umbra) if given.vrd is None else vrd_world(given.vrd)
    name = f"{'umbra' if given.vrd is None else 'vrd'}-test-{given.steps}-{given.questions}"
    folders = [given.work / f"{name}-seed{seed}" for seed in range(given.seeds)]
    print(table(world, folders, given.questions))
    return 0


if __name__ == "__main__":
    sys.exit(main())
