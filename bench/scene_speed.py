"""Flat images a second from PNG bytes to edges in the graph, and the memory of ten thousand.

Question: does taking images apart keep up, and does its memory stay flat? Rival: the image encoder
alone, on the same images in the same process, in turn. Command: ``python -m bench.scene_speed
--out docs/benchmarks`` on a machine that does nothing else (about fifteen minutes on two cores;
``--quick`` takes few images). The flags of the demo stand for flat images; the store is the one in
memory, so that the engine's own speed is not measured. Writes ``scenes-speed.json`` and ``.md``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np

from bench.flags.pictures import small_model
from encoders.image import packaged_image_encoder
from evaluation import Measurement, RunResult
from kg.backends.memory import MemoryStore
from kg.files import atomic_write, sha256_of_text
from kg.images import decoded
from kg.model import Entity, EntityKey
from scenes.graph import write_scenes
from scenes.pipeline import SceneModel
from scenes.prepared import prepare_images
from scenes.records import SeenImage

__all__ = ["Clock", "bytes_to_edges", "main", "page"]

BATCH = 32
ROUNDS = 5
STEPS = ("decode, segment, describe, encode", "label, relate", "write")


class Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._last = time.perf_counter()

    def start(self) -> None:
        """Begin a step."""
        self._last = time.perf_counter()

    def end(self, step: str) -> None:
        """End a step and begin the next."""
        now = time.perf_counter()
        self.seconds[step] += now - self._last
        self._last = now


def bytes_to_edges(contents: Sequence[bytes], model: SceneModel, clock: Clock) -> int:
    """Take files the whole way and return how many edges were written.

    The encoder goes on while a batch before is labelled and written.
    """
    edges = 0
    pictures = (np.asarray(decoded(content, "bench")) for content in contents)
    prepared = prepare_images(pictures, model.config.segment, encoder=model.encoder)
    for start in range(0, len(contents), BATCH):
        store = MemoryStore()
        clock.start()
        batch = list(islice(prepared, BATCH))
        clock.end(STEPS[0])
        scenes = [model.read(one) for one in batch]
        clock.end(STEPS[1])
        parents = [EntityKey(f"image:{start + n}") for n in range(len(scenes))]
        with store.transaction() as writer:
            writer.upsert_entities([Entity(key=k, label="Image", name=k) for k in parents])
        seen = [
            SeenImage(parent=parent, image=sha256_of_text(parent), scene=scene)
            for parent, scene in zip(parents, scenes, strict=True)
        ]
        edges += write_scenes(store, seen, job=None, model=model.version).edges
        clock.end(STEPS[2])
    return edges


def _in_turn(
    works: Mapping[str, Callable[[], object]], count: int, *, rounds: int
) -> dict[str, float]:
    """Return images a second of each work: medians over rounds, in each of which all take a turn.

    The rate of a machine moves over minutes; what is compared has to be measured close together.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return {name: count / median(found) for name, found in seconds.items()}


def _held_mb() -> float:
    """Memory that the process holds now."""
    with Path("/proc/self/statm").open(encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


def memory_of(contents: Sequence[bytes], model: SceneModel, count: int) -> list[float]:
    """Return the memory held after each tenth of so many images, in MiB."""
    tenth = max(count // 10, 1)
    held = []
    for _ in range(10):
        files = [contents[n % len(contents)] for n in range(tenth)]
        bytes_to_edges(files, model, Clock())
        held.append(_held_mb())
        print(f"{len(held) * tenth:,} images, {held[-1]:.0f} MB", file=sys.stderr)
    return held


def result_of(
    rates: Mapping[str, float],
    shares: Mapping[str, Mapping[str, float]],
    held: Sequence[float],
    counts: Mapping[str, int],
    *,
    command: str,
    clock: Measurement,
) -> RunResult:
    """Return seconds an image, the growth of memory and the share of each step in the time.

    Args:
        rates: Images a second, without and with image vectors, and of the encoder alone.
        shares: Of the time, by way and step.
        held: MiB after each tenth of the long run.
        counts: Images by way.
        command: The command line.
        clock: Started at the beginning.
    """
    return RunResult.measured(
        clock,
        command=command,
        protocol="scene-speed",
        n=sum(counts.values()),
        metrics={
            **{f"seconds_an_image_{name}": min(1 / rate, 1.0) for name, rate in rates.items()},
            "share_of_encoder_rate": min(rates["with_vectors"] / rates["encoder"], 1.0),
            "memory_growth": min(max(held[-1] / held[1] - 1, 0.0), 1.0),
        },
        by={
            "step": {
                f"{way}: {step}": {"n": counts[way], "share": share}
                for way, steps in shares.items()
                for step, share in steps.items()
            },
            "memory": {
                f"{n + 1} tenths": {"n": round(megabytes)} for n, megabytes in enumerate(held)
            },
        },
    )


def page(result: RunResult) -> str:
    """Return the page of a result; every figure comes from it."""
    rate = {
        name: 1 / result.metrics[f"seconds_an_image_{name}"]
        for name in ("plain", "with_vectors", "encoder")
    }
    held = ", ".join(str(row["n"]) for row in result.by["memory"].values())
    lines = [
        "# Speed of taking images apart\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, no GPU.\n"
        ),
        (
            f"From PNG bytes to edges in the graph: **{rate['plain']:.1f} images/s** without image "
            f"vectors, **{rate['with_vectors']:.1f} images/s** with them, nothing cached; the "
            f"image encoder alone {rate['encoder']:.1f} images/s, so "
            f"{result.metrics['share_of_encoder_rate']:.2f} of its rate (medians of "
            "rounds in turn). Memory held after each "
            f"tenth of the long run: {held} MB, growth from the second tenth on "
            f"{result.metrics['memory_growth']:.1%}.\n"
        ),
        "| step | images | share of the time |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name} | {row['n']} | {row['share']:.2f} |" for name, row in result.by["step"].items()
    ]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("examples/countries"))
    parser.add_argument("--images", type=int, default=10_000, help="of the long run")
    parser.add_argument("--quick", action="store_true", help="few images, for a first look")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    given = parser.parse_args(argv)
    clock = Measurement.start()
    files = sorted((given.data / "flags").glob("*.png"))[:: 10 if given.quick else 1]
    contents = [path.read_bytes() for path in files]
    encoder = packaged_image_encoder()
    plain, full = small_model(given.data), small_model(given.data, encoder=encoder)
    clocks = {"plain": Clock(), "with_vectors": Clock()}
    images = [np.asarray(decoded(content, "bench")) for content in contents]
    bytes_to_edges(contents[:BATCH], full, Clock())  # warmed up
    rates = _in_turn(
        {
            "encoder": lambda: encoder.encode(images),
            "with_vectors": lambda: bytes_to_edges(contents, full, clocks["with_vectors"]),
            "plain": lambda: bytes_to_edges(contents, plain, clocks["plain"]),
        },
        len(contents),
        rounds=1 if given.quick else ROUNDS,
    )
    shares = {
        way: {step: seconds / sum(one.seconds.values()) for step, seconds in one.seconds.items()}
        for way, one in clocks.items()
    }
    held = memory_of(contents, plain, 200 if given.quick else given.images)
    result = result_of(
        rates,
        shares,
        held,
        dict.fromkeys(clocks, len(contents)),
        command="python -m bench.scene_speed" + (" --quick" if given.quick else ""),
        clock=clock,
    )
    result.save(given.out / "scenes-speed.json")
    with atomic_write(given.out / "scenes-speed.md") as file:
        file.write(page(result).encode())
    print(page(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
