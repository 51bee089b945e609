"""Methods of matching, side by side: of a search by vectors alone, and of training.

Question: which of DBNorm's corrections and of InvGC's moves finds more right entities than the
plain cosine, and than the single inverted softmax, and what does each method of training add to the
training without it? Rivals: those. Command: ``python -m
bench.linking_methods --data FOLDER --work WORK --out docs/benchmarks`` (ten minutes on two free
cores, most of it encoding names once; WORK keeps their vectors, the folder of `bench.linking` will
do). Drawings by directions of outlines and by colours, no network, in five folds over the train and
valid concepts: the banks and references are the mentions of the other folds. Texts by the packaged
MiniLM's vectors of surfaces, judged on the valid mentions of WikiDiverse and of Wikidata-MEL, the
banks drawn from their training mentions. Test is never read. Writes ``linking-methods.json`` and
``linking-methods.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

from api.steps.encoders import text_encoder_named
from bench.drawings import ARTISTS, BASE
from bench.linking_methods_distilled import of_distilled
from bench.linking_methods_foreign import of_foreign
from bench.linking_methods_hubs import METHODS, RIVALS, Scorer, Search
from bench.linking_methods_opinions import of_opinions
from bench.linking_methods_page import page
from bench.linking_methods_tokens import rerank_by_tokens
from bench.linking_methods_views import LATE, of_views
from encoders import packaged_text_encoder
from encoders.padding import unit
from evaluation import Measurement, current_commit, paired_bootstrap, ranks, this_machine
from kg.files import atomic_write, read_json, write_json
from linkers.boosted import EntityTable, PooledTexts
from linkers.mention_sets import MentionSet, read_entity_table, read_mention_set
from linkers.visual.descriptors import describe

__all__ = ["kept_parts", "main"]

FORMAT = 1
_FOLDS = 5
_BANK = 2_000  # mentions at most
_BLOCK = 128  # mentions whose scores of all entities are held
_RERANKED = 400  # valid mentions whose tokens are compared
PARTS = (
    *ARTISTS,
    "texts",
    "texts-mel",
    "tokens",
    "views",
    "late",
    "opinions",
    "foreign",
    "distilled",
)
_TOP = 10  # places that are counted: how often an entity stands there

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


def judged(
    prepare: Callable[[Search], Scorer], search: Search, asked: Floats, gold: Ids
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return ``(n,)`` realistic ranks, and ``(N,)`` how often each is among the first ten."""
    score = prepare(search)
    places, often = [], np.zeros(len(search.index), dtype=np.int64)
    for start in range(0, len(asked), _BLOCK):
        found = score(asked[start : start + _BLOCK])
        places.append(ranks(found, gold[start : start + _BLOCK]).realistic)
        first = np.argpartition(-found, _TOP, axis=1)[:, :_TOP]
        often += np.bincount(first.ravel(), minlength=len(often))
    return np.concatenate(places), often


def of_drawings(given: argparse.Namespace, artist: str) -> dict[str, Any]:
    """Judge all methods on drawings of one artist, by folds over train and valid concepts."""
    rows = given.data / "emoji.jsonl.gz"
    table, whole = read_entity_table(rows), read_mention_set(rows)
    with np.load(given.data / "emoji_64.npz") as pictures:
        sides = [_drawn(pictures[name]) for name in (artist, BASE)]
    gold = np.array([table.ids[key] for key in whole.gold if key is not None])
    kept = np.flatnonzero([split != "test" for split in whole.splits])
    index = unit(sides[1] - sides[1].mean(axis=0))[np.argsort(gold)]  # file rows to table ids
    fold = np.random.default_rng(0).permutation(len(kept)) % _FOLDS
    places = {name: np.zeros(len(kept)) for name in METHODS}
    often = {name: np.zeros(len(index), dtype=np.int64) for name in METHODS}
    for number in range(_FOLDS):
        held = fold == number
        bank, asked = kept[~held], kept[held]
        mentions = unit(sides[0] - sides[0][bank].mean(axis=0))
        search = Search(index=index, bank=mentions[bank], meant=gold[bank])
        for name, prepare in METHODS.items():
            places[name][held], counts = judged(prepare, search, mentions[asked], gold[asked])
            often[name] += counts
    return _figures({name: (places[name], often[name]) for name in METHODS})


def _drawn(pictures: NDArray[np.uint8]) -> Floats:
    looks = describe(list(pictures))
    return np.concatenate([unit(looks["outlines"]), unit(looks["colours"])], axis=1)


def _texts(
    given: argparse.Namespace, name: str = "wikidiverse"
) -> tuple[PooledTexts, EntityTable, MentionSet]:
    encoder = (
        packaged_text_encoder(given.work, remembers=False)
        if given.encoder == "packaged"
        else text_encoder_named(given.encoder, None)
    )
    table = read_entity_table(given.data / "entities.jsonl.gz")
    whole = read_mention_set(given.data / f"{name}.jsonl.gz")
    return PooledTexts(encoder, given.work), table, whole


def of_tokens(given: argparse.Namespace) -> dict[str, Any]:
    """Judge late interaction on some of WikiDiverse's valid mentions."""
    texts, table, whole = _texts(given)
    names = [group[0] for group in table.names]
    valid = whole.part("valid")
    drawn = np.random.default_rng(0).permutation(len(valid.mentions))[:_RERANKED]
    asked, gold = _known(table.ids, valid, drawn)
    return rerank_by_tokens(texts.encoder, names, texts.matrix(names), asked, gold)


def of_texts(given: argparse.Namespace, name: str = "wikidiverse") -> dict[str, Any]:
    """Judge all methods on a set's valid mentions by the vectors of their surfaces."""
    texts, table, whole = _texts(given, name)
    index = texts.matrix([names[0] for names in table.names])
    train, valid = whole.part("train"), whole.part("valid")
    drawn = np.random.default_rng(0).permutation(len(train.mentions))[:_BANK]
    asked, gold = _known(table.ids, valid)
    bank, meant = _known(table.ids, train, drawn)
    search = Search(index=index, bank=texts.matrix(bank), meant=meant)
    vectors = texts.matrix(asked)
    return _figures(
        {name: judged(prepare, search, vectors, gold) for name, prepare in METHODS.items()}
    )


def _known(ids: Mapping[Any, int], part: Any, rows: Ids | None = None) -> tuple[list[str], Ids]:
    chosen = range(len(part.mentions)) if rows is None else rows.tolist()
    pairs = [(part.mentions[n].surface, ids[part.gold[n]]) for n in chosen if part.gold[n] in ids]
    return [surface for surface, _ in pairs], np.array([id_ for _, id_ in pairs], dtype=np.int64)


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
        "tokens": of_tokens,
        "views": of_views,
        "late": partial(of_views, variants=LATE),
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
