"""FILIP's late interaction in the network's training on drawings: what it gains, what it costs."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from bench.drawings import ARTISTS, MODES
from bench.drawn_networks import DrawnNetworks, pictures_of
from bench.linking_methods_views import PLAIN, of_views, variants_table
from linkers.config import LinkerConfig
from linkers.items import Items
from linkers.losses import fused
from linkers.matching import MatchingNetwork
from linkers.networks import matching_network
from linkers.packed_entities import PackedEntities

__all__ = [
    "COSINE",
    "COSINE_NOTE",
    "LATE",
    "LATE_NOTE",
    "TIMES_NOTE",
    "cosine_table",
    "late_table",
    "of_cosine",
    "of_late",
    "of_times",
    "times_table",
]

_COSINE, _LATE = "from the cosine", "global and late"
LATE: Mapping[str, Mapping[str, Any]] = {
    PLAIN: {},
    _LATE: {"parts": "global and late"},
    "late alone": {"parts": "late"},
    "global and global to local": {"parts": "both"},
}
COSINE: Mapping[str, Mapping[str, Any]] = {
    _COSINE: {"start": "cosine"},
    f"{_COSINE}, {_LATE}": {"start": "cosine", "parts": "global and late"},
}
_ROUNDS = 7
_TIMED = 64  # mentions a round

LATE_NOTE = """`linkers.late_interaction`, setting `parts` of the matching network: sixteen parts of
a picture are compared with those of another. Everything else is as in the table above; the first
row compares pictures as wholes.
"""
COSINE_NOTE = """As the table above, but that both networks begin as the cosine of the encoder
(setting `start`), which is what a linker's own network does.
"""
TIMES_NOTE = """What a linker does with its network: the wholes of all entities are searched, and
the network is asked about the best 64; one mention after the other, its picture encoded before.
Networks are as drawn at random, which takes the same time as trained ones. *Times as long*: the
median over seven rounds of the ratio to the first row, which takes its turn in every round; *with
its picture*: the same, the encoding of one picture by outlines and colours on both sides. *ms*:
processor milliseconds. *Bytes*: what a linker keeps of one entity, parts in one byte a number.
Late interaction stays off unless it gains 0.5 and a mention takes less than 1.2 times as long.
"""

of_late = partial(of_views, variants=LATE)
of_cosine = partial(of_views, variants=COSINE)
late_table = partial(variants_table, variants=LATE)
cosine_table = partial(variants_table, variants=COSINE)


def of_times(given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Time the search of a linker with each network, in turn."""
    drawn = DrawnNetworks.read(given).of_pictures()
    part = drawn.data.part("valid", ARTISTS[0], MODES[:1], ARTISTS[0]).mentions
    asked = [part.take(row[None]) for row in torch.arange(min(_TIMED, len(part.text)))]
    pictures = pictures_of(given, ARTISTS[0])
    shown = [pictures[row] for row in drawn.data.rows("valid")[: len(asked)].tolist()]
    image = drawn.encoders.image
    assert image is not None
    searches, held = {}, {}
    for name, setting in LATE.items():
        generator = torch.Generator().manual_seed(given.seeds[0])
        network = matching_network(drawn.config(setting), generator=generator).eval()
        with torch.inference_mode():
            packed = PackedEntities.of(network.encode(drawn.data.base, "entity"))
        searches[name], held[name] = _search(network, packed), packed.bytes_each
    times: dict[str, list[float]] = {name: [] for name in LATE}
    encoding = []
    for number in range(_ROUNDS):
        encoding.append(_milliseconds(lambda one: image.encode([one]), shown))
        for name, search in searches.items():
            times[name].append(_milliseconds(search, asked))
        sys.stderr.write(f"round {number + 1} of {_ROUNDS}\n")
    return {
        name: {
            "mentions": len(asked),
            "milliseconds": statistics.median(own),
            "times": _ratio(own, times[PLAIN], [0.0] * _ROUNDS),
            "times_with_picture": _ratio(own, times[PLAIN], encoding),
            "bytes": held[name],
        }
        for name, own in times.items()
    }


def _search(network: MatchingNetwork, packed: PackedEntities) -> Callable[[Items], Tensor]:
    most = min(LinkerConfig().candidates, len(packed))
    wholes = normalize(packed.whole.globals_[1], dim=-1)

    def search(mention: Items) -> Tensor:
        with torch.inference_mode():
            own = network.encode(mention, "mention")
            best = (wholes @ normalize(own.globals_[1], dim=-1)[0]).topk(most).indices
            return fused(*network(own, packed.take(best)))

    return search


def _milliseconds(ask: Callable[[Any], object], of: list[Any]) -> float:
    """Return processor milliseconds of one call."""
    started = time.process_time()
    for one in of:
        ask(one)
    return 1e3 * (time.process_time() - started) / len(of)


def _ratio(own: list[float], rival: list[float], both: list[float]) -> float:
    rounds = zip(own, rival, both, strict=True)
    return statistics.median((mine + more) / (theirs + more) for mine, theirs, more in rounds)


def times_table(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of the table."""
    lines = ["| | ms | times as long | with its picture | bytes |", "|---|---|---|---|---|"]
    for name in LATE:
        row = rows[name]
        ratios = "" if name == PLAIN else f"{row['times']:.2f} | {row['times_with_picture']:.2f}"
        ratios = ratios or " | "
        lines.append(f"| {name} | {row['milliseconds']:.2f} | {ratios} | {row['bytes']:,.0f} |")
    return lines
