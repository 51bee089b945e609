"""A search that learns from the matching network, on drawings: recall, and H@1 after matching."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.drawings import ARTISTS, MODES
from bench.drawn_networks import DrawnNetworks
from evaluation import paired_bootstrap, ranks
from linkers.distillation import DistillationConfig, Student, teacher_lists, train_student
from linkers.matching import MatchingNetwork
from linkers.training import Pairs, scored

__all__ = ["DISTILLED_NOTE", "VARIANTS", "distilled_table", "of_distilled"]

VARIANTS: Mapping[str, DistillationConfig] = {
    "InfoNCE": DistillationConfig(weights="none"),
    "static distillation": DistillationConfig(weights="static"),
    "dynamic distillation": DistillationConfig(),
    "dynamic, 4 hard rivals": DistillationConfig(hard=4),
    "dynamic, no hard rivals": DistillationConfig(hard=0),
}
_PLAIN = "InfoNCE"
_CUTS = (8, 16, 64)
_RERANKED = (16, 64)
DISTILLED_NOTE = """DCD: `linkers.distillation`, setting `student` of a linker. The teacher is the
matching network, trained on Noto's train concepts with keyword and without; what it says of these
is by networks of the other concepts. Students search by one vector of 96 numbers a side. Judged on
the valid concepts of both artists, with keyword and without, all candidates; the network then
reranks what the student found. Mean over seeds of students; in brackets the gain over plain InfoNCE
with the 95 % interval of a paired bootstrap over concepts.
"""

Floats = NDArray[np.float64]


def of_distilled(given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Judge students with and without their teacher."""
    drawn = DrawnNetworks.read(given)
    artist = ARTISTS[0]
    train, whole = drawn.training(artist), drawn.network(artist)
    lists = teacher_lists(drawn.halves(artist), drawn.data.base, train)
    valid = [drawn.data.part("valid", judged, (m,), artist) for judged in ARTISTS for m in MODES]
    gold = np.concatenate([pairs.gold for pairs in valid])
    taught = np.concatenate([_scores(drawn, whole, pairs) for pairs in valid])
    found: dict[str, list[dict[str, Floats]]] = {}
    for name, config in VARIANTS.items():
        for seed in given.seeds:
            student = train_student(drawn.data.base, train, lists, config=config, seed=seed)
            scores = np.concatenate([_searched(drawn, student, pairs) for pairs in valid])
            found.setdefault(name, []).append(_judged(scores, taught, gold))
        sys.stderr.write(f"{name}: {len(given.seeds)} students\n")
    means = {
        name: {key: np.mean([run[key] for run in runs], axis=0) for key in runs[0]}
        for name, runs in found.items()
    }
    teacher = float(100 * (ranks(taught, gold).realistic == 1).mean())
    return {
        name: _figures(kept, means[_PLAIN], teacher, len(valid)) for name, kept in means.items()
    }


def _scores(drawn: DrawnNetworks, network: MatchingNetwork, pairs: Pairs) -> Floats:
    """Return ``(n, N)`` logits of the network."""
    parts = list(scored(network, drawn.data.base, pairs.mentions, block=64))
    return torch.cat(parts).double().numpy()


def _searched(drawn: DrawnNetworks, student: Student, pairs: Pairs) -> Floats:
    with torch.inference_mode():
        entities = student(drawn.data.base, "entity")
        return (student(pairs.mentions, "mention") @ entities.T).double().numpy()


def _judged(scores: Floats, taught: Floats, gold: NDArray[np.int64]) -> dict[str, Floats]:
    """Return what counts of each mention: found among so many, first after matching."""
    places = ranks(scores, gold).realistic
    kept = {f"recall {cut}": (places <= cut).astype(np.float64) for cut in _CUTS}
    order = np.argsort(-scores, axis=1, kind="stable")
    for count in _RERANKED:
        near = order[:, :count]
        best = np.take_along_axis(taught, near, axis=1).argmax(axis=1)
        kept[f"matched {count}"] = (near[np.arange(len(near)), best] == gold).astype(np.float64)
    return kept


def _figures(
    kept: Mapping[str, Floats], plain: Mapping[str, Floats], teacher: float, places: int
) -> dict[str, Any]:
    figures: dict[str, Any] = {"mentions": len(kept["recall 16"]), "teacher": teacher}
    for key, values in kept.items():
        concepts, others = (
            100 * each.reshape(places, -1).mean(axis=0) for each in (values, plain[key])
        )
        gain = paired_bootstrap(concepts, others)
        figures[key] = [float(100 * values.mean()), gain.mean, gain.low, gain.high]
    return figures


def distilled_table(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of the table."""
    keys = [*(f"recall {cut}" for cut in _CUTS), *(f"matched {count}" for count in _RERANKED)]
    heads = [
        key.replace("recall ", "R@").replace("matched ", "H@1 after matching of ") for key in keys
    ]
    lines = [f"| student | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for name, row in ((name, rows[name]) for name in VARIANTS if name in rows):
        cells = []
        for value, *gain in (row[key] for key in keys):
            told = "" if name == _PLAIN else " ({:+.1f} [{:+.1f}, {:+.1f}])".format(*gain)
            cells.append(f"{value:.1f}{told}")
        lines.append(f"| {' | '.join([name, *cells])} |")
    teacher = rows[_PLAIN]["teacher"]
    return [*lines, "", f"The teacher alone, over all candidates: H@1 {teacher:.1f}."]
