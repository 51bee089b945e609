"""Hostile files through the whole way from bytes to edges: no crash, no hang, each a named reject.

Question: what do 20,000 spoilt, lying and oversized files (`bench.hostile_pictures`) do to us?
Command: ``python -m bench.hostile_images --out docs/benchmarks`` (about ten minutes on one core).
Each file is checked and kept (`kg.images`), taken apart (`scenes`) and turned into graph records in
a worker process with limits on memory and on time; a worker that dies counts as a crash, one that
does not answer in time as a hang, and any error but `ImageError` as a crash. Writes
``hostile-images.json`` and ``hostile-images.md``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from bench.hostile_pictures import KINDS, hostile_picture, kind_of
from evaluation import Measurement, RunResult, current_commit, peak_memory_mb, this_machine
from kg.errors import ImageError
from kg.files import atomic_write
from kg.images import ImageFolder
from kg.model import EntityKey

if TYPE_CHECKING:
    from scenes.pipeline import SceneModel

__all__ = ["Outcome", "main", "outcome_of", "page"]

SECONDS = 20.0
"""After so long without an answer a worker hangs; the machine may be busy with other things."""
MEMORY_MB = 3_072
"""Address space of a worker."""

_REJECTS = {
    "not an image": r"not an image of",
    "broken": r"broken: ",
    "too many pixels": r"pixels, more than|more than [\d,]+ pixels|pixels, at most",
    "too many bytes": r"larger than [\d,]+ bytes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file.

    Attributes:
        name: ``read``, a reject (``not an image``, ``broken``, ``too many pixels``,
            ``too many bytes``), or what must not be: ``crash: …``, ``hang``, ``unnamed: …``.
        edges: Edges that it gave.
        seconds: How long it took.
        peak_memory_mb: Most memory that the worker has held.
    """

    name: str
    edges: int = 0
    seconds: float = 0.0
    peak_memory_mb: float = 0.0

    @property
    def fair(self) -> bool:
        """Whether the file was read, or refused by a name."""
        return self.name == "read" or self.name in _REJECTS


def outcome_of(content: bytes, model: SceneModel, images: ImageFolder) -> Outcome:
    """Take a file the whole way from bytes to graph records.

    Args:
        content: The file.
        model: Takes pictures apart.
        images: Where pictures are kept.
    """
    import numpy as np

    from scenes.graph import scene_to_graph

    start = time.monotonic()
    edges = 0
    try:
        image = images.add(content)
        scene = model.parse(np.asarray(images.open(image.sha256)))
        _, found = scene_to_graph(
            scene, parent=EntityKey("file:0"), image_sha=image.sha256, job=None, model="bench"
        )
        edges = len(found)
        name = "read"
    except ImageError as error:
        names = [name for name, pattern in _REJECTS.items() if re.search(pattern, str(error))]
        name = names[0] if names else f"unnamed: {error}"
    except Exception as error:  # noqa: BLE001 - any other kind is what the bench looks for
        name = f"crash: {type(error).__name__}: {error}"[:200]
    return Outcome(
        name=name,
        edges=edges,
        seconds=time.monotonic() - start,
        peak_memory_mb=peak_memory_mb(),
    )


def _work(pipe: Connection, folder: Path, seed: int) -> None:
    """Answer numbers with outcomes until the pipe closes."""
    from scenes.pipeline import SceneModel

    model = SceneModel.load(folder)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB * 2**20, MEMORY_MB * 2**20))
    pipe.send(None)
    with tempfile.TemporaryDirectory() as name:
        images = ImageFolder(Path(name))
        while True:
            try:
                number = pipe.recv()
            except EOFError:
                return
            pipe.send(outcome_of(hostile_picture(number, seed=seed), model, images))


class _Worker:
    """A process with limits that takes one file after another."""

    def __init__(self, folder: Path, seed: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, end = context.Pipe()
        self._process = context.Process(target=_work, args=(end, folder, seed), daemon=True)
        self._process.start()
        end.close()
        self._pipe.recv()  # ready

    def outcome(self, number: int) -> Outcome:
        """Return what became of a file; a worker that dies or hangs is at its end."""
        self._pipe.send(number)
        if not self._pipe.poll(SECONDS):
            self.end()
            return Outcome(name="hang", seconds=SECONDS)
        try:
            found: Outcome = self._pipe.recv()
        except EOFError:
            self.end()
            return Outcome(name="crash: the process died")
        return found

    def end(self) -> None:
        self._process.kill()
        self._process.join()


def outcomes(folder: Path, count: int, *, seed: int) -> Iterator[tuple[str, Outcome]]:
    """Yield kind and outcome of each file, with a fresh worker after a crash or a hang."""
    worker = _Worker(folder, seed)
    try:
        for number in range(count):
            kind = kind_of(number, seed=seed)
            found = worker.outcome(number)
            if found.name == "hang" or found.name.startswith("crash"):
                print(f"file {number} ({kind}): {found.name}", file=sys.stderr)
                worker.end()
                worker = _Worker(folder, seed)
            yield kind, found
            if number % 1000 == 999:
                print(f"{number + 1:,} of {count:,} files", file=sys.stderr)
    finally:
        worker.end()


def result_of(
    found: Sequence[tuple[str, Outcome]], *, command: str, clock: Measurement, seed: int
) -> RunResult:
    """Return the shares by outcome and by kind."""
    names = Counter(outcome.name.split(":")[0] for _, outcome in found)
    kinds: dict[str, Mapping[str, float]] = {}
    for kind in KINDS:
        mine = [outcome for of, outcome in found if of == kind]
        if mine:
            counts = Counter(_key(outcome.name) for outcome in mine)
            kinds[kind] = {"n": len(mine)} | {k: c / len(mine) for k, c in sorted(counts.items())}
    return RunResult(
        command=command,
        commit=current_commit(),
        date=clock.date,
        machine=this_machine(),
        seed=seed,
        protocol="hostile-images",
        n=len(found),
        seconds=clock.seconds,
        peak_memory_mb=max(outcome.peak_memory_mb for _, outcome in found),
        metrics={"fair": sum(outcome.fair for _, outcome in found) / len(found)},
        by={
            "outcome": {name: {"n": count} for name, count in sorted(names.items())},
            "kind": kinds,
        },
    )


def _key(name: str) -> str:
    return re.sub(r"[^a-z]+", "_", name.split(":")[0])


def page(result: RunResult, slowest: float) -> str:
    """Return the page of a result; every figure comes from it."""
    bad = result.n - round(result.metrics["fair"] * result.n)
    counts = ", ".join(f"{v['n']:,} {name}" for name, v in result.by["outcome"].items())
    columns = ["read", *map(_key, _REJECTS)]
    lines = [
        "# Hostile images\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, no GPU.\n"
        ),
        (
            f"{result.n:,} files, each from its bytes to graph records in a process of at most "
            f"{MEMORY_MB:,} MB of address space and {SECONDS:g} s: **{bad} crashes, hangs or "
            f"rejects without a name**. {counts}. Slowest file {slowest:.1f} s (on a machine "
            f"that did other work too); most memory held {result.peak_memory_mb:,.0f} MB.\n"
        ),
        "Per cent of each kind by outcome; `bench/hostile_pictures.py` makes the files.\n",
        "| kind | files | " + " | ".join(["read", *_REJECTS]) + " |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for kind, row in result.by["kind"].items():
        cells = " | ".join(f"{100 * row.get(column, 0.0):.1f}" for column in columns)
        lines.append(f"| {kind} | {row['n']:,} | {cells} |")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; 1 if a file crashed, hung or was refused without a name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flags", type=Path, default=Path("examples/countries"))
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    given = parser.parse_args(argv)
    from bench.flags.pictures import small_model  # workers need none of it

    clock = Measurement.start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        small_model(given.flags).save(folder)
        found = list(outcomes(folder, given.count, seed=given.seed))
    result = result_of(
        found,
        command=f"python -m bench.hostile_images --count {given.count} --seed {given.seed}",
        clock=clock,
        seed=given.seed,
    )
    result.save(given.out / "hostile-images.json")
    with atomic_write(given.out / "hostile-images.md") as file:
        file.write(page(result, max(outcome.seconds for _, outcome in found)).encode())
    print(page(result, max(outcome.seconds for _, outcome in found)))
    return 0 if result.metrics["fair"] == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
