"""How large a bank of mentions has to be that takes hubs off, on drawings."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.drawings import ARTISTS
from bench.linking_methods_hubs import METHODS, Search
from bench.linking_methods_searches import Fold, drawn_folds, judged
from evaluation import paired_bootstrap

__all__ = ["BANKS_NOTE", "banks_table", "of_banks"]

_METHOD = "inverted softmax, b2 = 10"
_SIZES = (250, 500)
_WHOLE = "all of them"

BANKS_NOTE = """The inverted softmax (b2 = 10) of the searches above, its bank drawn by chance from
the mentions of the other folds. In brackets the gain over the whole bank with the 95 % interval of
a paired bootstrap over mentions. The smallest bank within 0.2 of the best is enough.
"""

Ranks = NDArray[np.float64]


def of_banks(given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Judge banks of several sizes on drawings of both artists."""
    found: dict[str, dict[str, list[Ranks]]] = {}
    for artist in ARTISTS:
        for fold in drawn_folds(given, artist):
            order = np.random.default_rng(0).permutation(len(fold.search.bank))
            for size in (*_SIZES, None):
                name = _WHOLE if size is None else f"{size} mentions"
                part = _with_bank(fold, order[:size])
                places = judged(METHODS[_METHOD], part)[0]
                found.setdefault(name, {}).setdefault(artist, []).append(places)
    joined = {
        name: {artist: np.concatenate(parts) for artist, parts in own.items()}
        for name, own in found.items()
    }
    return {name: _figures(own, joined[_WHOLE]) for name, own in joined.items()}


def _with_bank(fold: Fold, rows: NDArray[np.int64]) -> Fold:
    search = fold.search
    bank = Search(index=search.index, bank=search.bank[rows], meant=search.meant[rows])
    return Fold(search=bank, asked=fold.asked, gold=fold.gold)


def _figures(own: Mapping[str, Ranks], whole: Mapping[str, Ranks]) -> dict[str, Any]:
    figures: dict[str, Any] = {"mentions": len(own[ARTISTS[0]])}
    for artist, places in own.items():
        gain = paired_bootstrap(100.0 * (places <= 1), 100.0 * (whole[artist] <= 1))
        figures[artist] = {
            "hits_at_1": float(100 * (places <= 1).mean()),
            "recall_at_64": float(100 * (places <= 64).mean()),
            "gain": [gain.mean, gain.low, gain.high],
        }
    return figures


def banks_table(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of the table."""
    heads = [f"{artist.capitalize()}, {what}" for artist in ARTISTS for what in ("H@1", "R@64")]
    lines = [f"| bank | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for name in (*(f"{size} mentions" for size in _SIZES), _WHOLE):
        cells = []
        for artist in ARTISTS:
            own = rows[name][artist]
            gain = "" if name == _WHOLE else " ({:+.1f} [{:+.1f}, {:+.1f}])".format(*own["gain"])
            cells += [f"{own['hits_at_1']:.1f}{gain}", f"{own['recall_at_64']:.1f}"]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return lines
