"""What `bench.linking_speed` measures, each part in processes of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.steps.encoders import text_encoder_named
from encoders import MiniLmEncoder, packaged_text_encoder
from encoders.padding import unit
from encoders.protocols import TextEncoder
from linkers.boosted import BoostedLinker, EntityTable, PooledTexts, load_linker
from linkers.evidence import window
from linkers.mention_sets import read_entity_table, read_mention_set
from linkers.model import Mention
from linkers.records import link_line

__all__ = [
    "Clock",
    "Work",
    "encode_texts",
    "forget_peak",
    "given_stream",
    "in_processes",
    "link_texts",
    "link_vectors",
    "peak_mb",
]

BLOCK = 256
_NOISE = 0.2
"""Length of what is added to a vector of length 1: a cosine of 0.98 with the real one."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a process needs.

    Attributes:
        data: Folder of the sets.
        kept: Folder with the trained linker and vectors.
        encoder: Text encoder.
        sets: Names of mention files.
    """

    data: Path
    kept: Path
    encoder: str
    sets: tuple[str, ...]

    def texts(self) -> PooledTexts:
        """Return the encoder with kept vectors, on one thread."""
        return PooledTexts(self.fresh_encoder(), self.kept)

    def fresh_encoder(self) -> TextEncoder:
        """Return the encoder, on one thread, without kept vectors."""
        if self.encoder == "packaged":
            return packaged_text_encoder(self.kept, workers=1, remembers=False)
        return text_encoder_named(self.encoder, None)

    def table(self) -> EntityTable:
        """Return the base."""
        return read_entity_table(self.data / "entities.jsonl.gz")

    def linker(self) -> BoostedLinker:
        """Return the trained linker; mentions are encoded anew."""
        linker = load_linker(self.kept / "linker", self.table(), self.texts())
        linker.index.texts = PooledTexts(linker.index.texts.encoder)
        return linker

    def mentions(self) -> list[Mention]:
        """Return all mentions of the sets, each a document of its own unless it has one."""
        found: list[Mention] = []
        for name in self.sets:
            known = read_mention_set(self.data / f"{name}.jsonl.gz").mentions
            found += [
                replace(m, document=f"{name} {m.document or number}")
                for number, m in enumerate(known)
            ]
        return found


def in_processes(
    function: Any, arguments: Sequence[tuple[Any, ...]], *, here: bool
) -> list[dict[str, Any]]:
    """Run a function in processes that begin their measured work together, or here in turn."""
    if here:
        return [function(*one, lambda: None) for one in arguments]
    context = get_context("spawn")
    barrier, results = context.Barrier(len(arguments)), context.SimpleQueue()
    processes = [
        context.Process(target=_run, args=(function, one, barrier, results)) for one in arguments
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    for one in found:
        if "error" in one:
            raise RuntimeError(one["error"])
    return found


def _run(function: Any, arguments: tuple[Any, ...], barrier: Any, results: Any) -> None:
    import torch

    torch.set_num_threads(1)
    try:
        results.put(function(*arguments, barrier.wait))
    except BaseException as error:  # noqa: BLE001 - told to the parent, which raises it
        barrier.abort()
        results.put({"error": f"{type(error).__name__}: {error}"})


class Clock:
    """Wall and processor seconds of what is done between `go` and `stop`."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self._start = (0.0, 0.0)

    def go(self) -> None:
        """Begin."""
        self._start = (time.perf_counter(), time.process_time())

    def stop(self) -> None:
        """End."""
        self.wall += time.perf_counter() - self._start[0]
        self.cpu += time.process_time() - self._start[1]


def peak_mb() -> float:
    """Return the most memory that this process held since `forget_peak`, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def forget_peak() -> None:
    """Have `peak_mb` begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def _share(mentions: list[Mention], number: int, of: int) -> list[Mention]:
    size = -(-len(mentions) // of)
    return mentions[number * size : (number + 1) * size]


def link_texts(work: Work, number: int, of: int, count: int, start: Any) -> dict[str, Any]:
    """Link mentions from raw text, as a job does, to lines of JSON; names are known already."""
    linker = work.linker()
    mine = _share(work.mentions()[:count], number, of)
    linker.index.surface_vectors([mention.surface for mention in mine])
    linker.link(mine[:8])
    linker.index.forget_surfaces()
    linker.forget()
    clock = Clock()
    start()
    clock.go()
    size = 0
    for first in range(0, len(mine), BLOCK):
        links = linker.link(mine[first : first + BLOCK])
        size += sum(len(link_line(link)) for link in links)
        linker.forget()
    clock.stop()
    return {"n": len(mine), "wall": clock.wall, "cpu": clock.cpu, "bytes": size}


def encode_texts(work: Work, number: int, of: int, count: int, start: Any) -> dict[str, Any]:
    """Encode the texts around mentions alone."""
    encoder = work.fresh_encoder()
    texts = [window(mention) for mention in _share(work.mentions()[:count], number, of)]
    encoder.encode(texts[:8])
    clock = Clock()
    start()
    clock.go()
    for first in range(0, len(texts), BLOCK):
        encoder.encode(texts[first : first + BLOCK])
    clock.stop()
    tokens = 0
    if isinstance(encoder, MiniLmEncoder):
        tokens = int(sum(encoder.encode([text]).mask.sum() for text in texts[:200]))
    return {
        "n": len(texts),
        "wall": clock.wall,
        "cpu": clock.cpu,
        "tokens": tokens / max(1, len(texts[:200])),
    }


def stream(
    mentions: Sequence[Mention], contexts: Floats, count: int, seed: int
) -> Iterator[tuple[list[Mention], Floats]]:
    """Yield blocks of real mentions, each with a number before its text and noise on its vector.

    Surfaces stay as they are, so that they come again and again, as in real tables.
    """
    generator = np.random.default_rng(seed)
    dimension = contexts.shape[1]
    for first in range(0, count, BLOCK):
        rows = generator.integers(len(mentions), size=min(BLOCK, count - first))
        noise = generator.standard_normal((len(rows), dimension), dtype=np.float32)
        block = [
            replace(
                mentions[row],
                id=str(first + n),
                context=f"{first + n} {mentions[row].context}",
                start=None,
                end=None,
                document=f"{seed} {first + n}",
            ).placed()
            for n, row in enumerate(rows.tolist())
        ]
        yield block, unit(contexts[rows] + noise * np.float32(_NOISE / dimension**0.5))


def given_stream(
    work: Work, count: int, seed: int
) -> tuple[BoostedLinker, int, Iterator[list[Mention]]]:
    """Return a linker, how many surfaces a stream draws from, and its blocks of mentions.

    The vectors of a block's words and texts are given to the linker before the block comes.
    """
    # of one set: its surfaces are fewer than those that are remembered
    linker, mentions = work.linker(), replace(work, sets=work.sets[:1]).mentions()
    texts = work.texts()
    contexts = texts.matrix([window(mention) for mention in mentions])
    surfaces = list(dict.fromkeys(mention.surface for mention in mentions))
    linker.index.texts.give(surfaces, texts.matrix(surfaces))
    linker.index.surface_vectors(surfaces)
    linker.index.texts.give([window(mentions[0])], contexts[:1])
    for _ in linker.rank(mentions[:1]):  # what is compiled is loaded before the clock runs
        linker.index.forget_surfaces()
    texts.forget()
    linker.forget()

    def blocks() -> Iterator[list[Mention]]:
        for block, vectors in stream(mentions, contexts, count, seed):
            linker.index.texts.give([window(mention) for mention in block], vectors)
            yield block

    return linker, len(surfaces), blocks()


def link_vectors(
    work: Work, number: int, count: int, marks: Sequence[int], start: Any
) -> dict[str, Any]:
    """Find candidates and decide, given the vectors of words and texts; the memory is watched."""
    linker, surfaces, blocks = given_stream(work, count, seed=number)
    forget_peak()
    clock, done = Clock(), 0
    found: dict[str, Any] = {"marks": [], "linked": 0}
    start()
    for block in blocks:
        clock.go()
        for ranked in linker.rank(block):
            best, first, nil = ranked.best(), ranked.first, ranked.nil
            if first is not None and nil is not None:
                found["linked"] += int(((first >= nil) & (best >= 0)).sum())
        linker.forget()
        clock.stop()
        done += len(block)
        if (marks and done >= marks[len(found["marks"])]) or done == count:
            mark = {"n": done, "wall": clock.wall, "cpu": clock.cpu, "peak_mb": peak_mb()}
            found["marks"].append(mark)
            if len(found["marks"]) == len(marks):
                break
    return found | {"surfaces": surfaces}
