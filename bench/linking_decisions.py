"""Does the accurate linker still decide as it did, and what does a mention cost it now?

Question: after a change that should only make it faster, are candidates, their order, links and
probabilities the same, bit by bit or nearly? Rival: the linker of another checkout. Command:
``python -m bench.linking_decisions write NEW.npz`` in this one, the same with ``OLD.npz`` in the
other (copy this file and ``bench/linking_speed_work.py`` there if it lacks them), then ``python -m
bench.linking_decisions compare OLD.npz NEW.npz``, whose status is 1 where more than last digits
differ. WORK holds the trained linker of `bench.linking_speed`; the mentions are those of its
stream. Processor seconds are of what that bench counts: candidates and decision from pooled
vectors, one thread.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.linking_speed_work import BLOCK, Clock, Work, given_stream

__all__ = ["decisions", "differences", "main"]

CLOSE = 1e-5
"""What a score or a probability may differ by where nothing but a sum's order changed."""

Arrays = dict[str, NDArray[Any]]


def decisions(work: Work, count: int, *, seen: int, seed: int = 0) -> Arrays:
    """Return what is decided of the first mentions of a stream.

    Args:
        work: Where the linker lies.
        count: Mentions that are kept and compared.
        seen: Further mentions, linked after them, that are timed: most surfaces are known then.
        seed: Of the stream.

    Returns:
        ``ids`` of candidates, best first, mention after mention, and their ``scores``; ``sizes``
        of the lists; probabilities ``first`` and ``nil``; processor seconds ``new`` and ``seen``
        of a mention.
    """
    linker, _, blocks = given_stream(work, count + seen, seed=seed)
    found: dict[str, list[NDArray[Any]]] = {name: [] for name in ("ids", "scores", "sizes")}
    found |= {"first": [], "nil": []}
    clocks = (Clock(), Clock())
    done = 0
    for block in blocks:
        clock = clocks[done >= count]
        clock.go()
        ranked = list(linker.rank(block))
        linker.forget()
        clock.stop()
        if done < count:
            _keep(ranked, found)
        done += len(block)
    timed = {
        "new": clocks[0].cpu / max(1, min(done, -(-count // BLOCK) * BLOCK)),
        "seen": clocks[1].cpu / max(1, done - -(-count // BLOCK) * BLOCK),
    }
    arrays = {name: np.concatenate(parts) for name, parts in found.items()}
    return arrays | {name: np.array([value]) for name, value in timed.items()}


def _keep(ranked: Sequence[Any], found: dict[str, list[NDArray[Any]]]) -> None:
    for part in ranked:
        pairs = part.described.pairs
        order = np.lexsort((pairs.ids, -part.scores, pairs.rows))
        found["ids"].append(pairs.ids[order])
        found["scores"].append(part.scores[order])
        found["sizes"].append(np.diff(np.append(pairs.starts, len(pairs.ids))))
        found["first"].append(part.first)
        found["nil"].append(part.nil)


def differences(old: Arrays, new: Arrays) -> dict[str, float]:
    """Return how many mentions of both differ, and the largest difference of a number.

    Example:
        >>> one = {"sizes": np.array([2]), "ids": np.array([7, 5]), "scores": np.array([2.0, 1.0]),
        ...        "first": np.array([0.9]), "nil": np.array([0.0])}
        >>> found = differences(one, one | {"ids": np.array([5, 7])})
        >>> found["other best"], found["other candidates"], found["other order"]
        (1, 0, 1)
    """
    starts = [np.append(0, np.cumsum(side["sizes"])) for side in (old, new)]
    count = min(len(side["sizes"]) for side in (old, new))
    told = {"mentions": count, "other best": 0, "other candidates": 0, "other order": 0}
    told |= {"largest difference of a score": 0.0, "of a probability": 0.0, "other state": 0}
    for row in range(count):
        parts = [slice(*begin[row : row + 2].tolist()) for begin in starts]
        ids = [side["ids"][part] for side, part in zip((old, new), parts, strict=True)]
        scores = [side["scores"][part] for side, part in zip((old, new), parts, strict=True)]
        told["other best"] += int(ids[0][0] != ids[1][0])
        same = len(ids[0]) == len(ids[1]) and set(ids[0]) == set(ids[1])
        told["other candidates"] += int(not same)
        told["other order"] += int(not np.array_equal(*ids))
        if same:
            apart = [s[np.argsort(i)] for s, i in zip(scores, ids, strict=True)]
            apart_by = float(np.abs(apart[0] - apart[1]).max())
            told["largest difference of a score"] = max(
                told["largest difference of a score"], apart_by
            )
    for name in ("first", "nil"):
        apart_by = float(np.abs(old[name][:count] - new[name][:count]).max())
        told["of a probability"] = max(told["of a probability"], apart_by)
    states = [np.where(s["nil"] > s["first"], 2, s["first"] >= 0.5) for s in (old, new)]
    told["other state"] = int((states[0][:count] != states[1][:count]).sum())
    return told


def _compare(paths: Sequence[Path]) -> int:
    old, new = ({name: file[name] for name in file} for file in map(np.load, paths))
    told = differences(old, new)
    for name, value in told.items():
        print(f"{name}: {value:g}")
    for name in ("new", "seen"):
        before, after = float(old[name][0]), float(new[name][0])
        if not before or not after:
            continue
        print(
            f"{name} surfaces: {1e6 * before:.0f} µs of a processor a mention, now "
            f"{1e6 * after:.0f} µs, {before / after:.2f} times as fast"
        )
    counts = ("other best", "other candidates", "other order", "other state")
    numbers = ("largest difference of a score", "of a probability")
    return int(any(told[n] for n in counts) or any(told[n] > CLOSE for n in numbers))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.linking_decisions", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    write = actions.add_parser("write")
    add = write.add_argument
    add("out", type=Path)
    add("--data", type=Path, default=Path("../shared/data/linking"), help="folder of the sets")
    add("--work", type=Path, default=Path(".umbra/bench-linking"), help="holds linker and vectors")
    add("--sets", nargs="+", default=["wikidiverse"], help="whose mentions")
    add("--encoder", default="packaged")
    add("--mentions", type=int, default=20_000, help="mentions whose decisions are kept")
    add("--seen", type=int, default=10_000, help="further mentions that are timed")
    compare = actions.add_parser("compare")
    compare.add_argument("files", nargs=2, type=Path)
    given = parser.parse_args(arguments)
    if given.action == "compare":
        return _compare(given.files)
    work = Work(data=given.data, kept=given.work, encoder=given.encoder, sets=tuple(given.sets))
    found = decisions(work, given.mentions, seen=given.seen)
    np.savez(given.out, **found)
    sys.stderr.write(
        f"{len(found['sizes']):,} mentions; {1e6 * found['new'][0]:.0f} µs of a processor each, "
        f"later {1e6 * found['seen'][0]:.0f} µs\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
