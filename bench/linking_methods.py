"""Methods of matching, side by side: of a search by vectors alone, and of training.

Question: which of DBNorm's corrections and of InvGC's moves finds more right entities than the
plain cosine, and than the single inverted softmax, and what does each method of training add to the
training without it? Rivals: those. Command: ``python -m
bench.linking_methods --data FOLDER --work WORK --out docs/benchmarks`` (ten minutes on two free
cores, most of it encoding names once; WORK keeps their vectors, the folder of `bench.linking` will
do). Drawings by directions of outlines and by colours, no network, in five folds over the train and
valid concepts: the banks and references are the mentions of the other folds. Texts by the packaged
MiniLM's vectors of surfaces, judged on the valid mentions of WikiDiverse and of Wikidata-MEL, the
banks drawn from their training mentions. The part ``insertions`` has DINOv2 look at 4,908 drawings
(five minutes more; not so with ``--image-encoder outlines``). Test is never read. Writes
``linking-methods.json`` and ``linking-methods.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

from bench.drawings import ARTISTS
from bench.linking_methods_banks import of_banks
from bench.linking_methods_distilled import of_distilled
from bench.linking_methods_foreign import of_foreign
from bench.linking_methods_hubs import METHODS, RIVALS
from bench.linking_methods_insertions import of_insertions
from bench.linking_methods_late import of_cosine, of_late, of_times
from bench.linking_methods_neighbours import of_neighbours
from bench.linking_methods_opinions import of_opinions
from bench.linking_methods_page import page
from bench.linking_methods_searches import drawn_folds, judged, known_of, text_search, texts_of
from bench.linking_methods_tokens import rerank_by_tokens
from bench.linking_methods_views import of_views
from evaluation import Measurement, current_commit, paired_bootstrap, this_machine
from kg.files import atomic_write, read_json, write_json

__all__ = ["kept_parts", "main"]

FORMAT = 1
_RERANKED = 400  # valid mentions whose tokens are compared
PARTS = (
    *ARTISTS,
    "texts",
    "texts-mel",
    "banks",
    "neighbours",
    "tokens",
    "views",
    "late",
    "late-cosine",
    "late-times",
    "insertions",
    "opinions",
    "foreign",
    "distilled",
)

Ids = NDArray[np.int64]


def of_drawings(given: argparse.Namespace, artist: str) -> dict[str, Any]:
    """Judge all methods on drawings of one artist, by folds over train and valid concepts."""
    found: dict[str, list[tuple[NDArray[np.float64], Ids]]] = {name: [] for name in METHODS}
    for fold in drawn_folds(given, artist):
        for name, prepare in METHODS.items():
            found[name].append(judged(prepare, fold))
    return _figures(
        {
            name: (
                np.concatenate([places for places, _ in parts]),
                np.sum([often for _, often in parts], axis=0),
            )
            for name, parts in found.items()
        }
    )


def of_tokens(given: argparse.Namespace) -> dict[str, Any]:
    """Judge late interaction on some of WikiDiverse's valid mentions."""
    texts, table, whole = texts_of(given)
    names = [group[0] for group in table.names]
    valid = whole.part("valid")
    drawn = np.random.default_rng(0).permutation(len(valid.mentions))[:_RERANKED]
    asked, gold = known_of(table.ids, valid, drawn)
    return rerank_by_tokens(texts.encoder, names, texts.matrix(names), asked, gold)


def of_texts(given: argparse.Namespace, name: str = "wikidiverse") -> dict[str, Any]:
    """Judge all methods on a set's valid mentions by the vectors of their surfaces."""
    fold = text_search(given, name)
    return _figures({name: judged(prepare, fold) for name, prepare in METHODS.items()})


def _figures(
    found: Mapping[str, tuple[NDArray[np.float64], NDArray[np.int64]]],
) -> dict[str, dict[str, Any]]:
    """Return figures of each method, and what it gains in H@1 over the rivals."""
    hits = {name: 100.0 * (places <= 1) for name, (places, _) in found.items()}
    figures: dict[str, dict[str, Any]] = {}
    for name, (places, often) in found.items():
        gains = {rival: paired_bootstrap(hits[name], hits[rival]) for rival in RIVALS}
        figures[name] = {
            "mentions": len(places),
            "hits_at_1": float(hits[name].mean()),
            "mrr": float((100 / places).mean()),
            "recall_at_64": float(100 * (places <= 64).mean()),
            "skewness": float(stats.skew(often)),
            "gains": {rival: [g.mean, g.low, g.high] for rival, g in gains.items()},
        }
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.linking_methods", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, default=Path("../shared/data/linking"), help="folder of the sets")
    add("--work", type=Path, default=Path(".umbra/bench-linking"), help="keeps vectors")
    add("--out", type=Path, default=Path("docs/benchmarks"), help="where results go")
    add(
        "--parts",
        nargs="*",
        choices=PARTS,
        default=list(PARTS),
        help="none: the page of what is kept",
    )
    add("--encoder", default="packaged")
    add("--image-encoder", default="packaged", help="of insertions: `outlines` is fast")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of what is trained")
    add("--epochs", type=int, default=12, help="of the matching networks")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)  # small products: more threads only wait for one another
    out = given.out / "linking-methods.json"
    for part in given.parts:
        found = _judge(given, part)
        kept = kept_parts(out)  # read late: another run may have written meanwhile
        kept[part] = {
            "methods": found,
            "epochs": given.epochs,
            "commit": current_commit(),
            "date": Measurement.start().date,
            "machine": asdict(this_machine()),
        }
        sys.stderr.write(f"{part}: {len(found)} methods\n")
        write_json(out, kept)
    with atomic_write(given.out / "linking-methods.md") as file:
        file.write(page(kept_parts(out)).encode())
    return 0


def _judge(given: argparse.Namespace, part: str) -> dict[str, dict[str, Any]]:
    judges = {
        "texts": of_texts,
        "texts-mel": partial(of_texts, name="wikidata-mel"),
        "banks": of_banks,
        "neighbours": of_neighbours,
        "tokens": of_tokens,
        "views": of_views,
        "late": of_late,
        "late-cosine": of_cosine,
        "late-times": of_times,
        "insertions": of_insertions,
        "opinions": of_opinions,
        "foreign": of_foreign,
        "distilled": of_distilled,
    }
    return judges[part](given) if part in judges else of_drawings(given, part)


def kept_parts(out: Path) -> dict[str, Any]:
    """Return the results of the parts that have run, by part and set, from the file of a bench."""
    if not out.exists():
        return {"format": FORMAT}
    found: dict[str, Any] = read_json(out, kind="bench", formats=(FORMAT,))
    return found


if __name__ == "__main__":
    raise SystemExit(main())
