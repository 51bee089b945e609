"""Variants of the network's training on drawings by known and new artists; TCL's terms."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.drawings import ARTISTS, MODES
from bench.drawn_networks import DrawnNetworks
from evaluation import paired_bootstrap
from linkers.training import Pairs

__all__ = ["PLAIN", "VARIANTS", "VIEWS_NOTE", "of_views", "variants_table"]

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "matching and ICL alone": {},
    "with local terms": {"local": 0.2},
    "with views": {"view": 0.2},
    "with views and local terms": {"view": 0.2, "local": 0.2},
    "with local terms, weight 1": {"local": 1.0},
    "with views, weight 1": {"view": 1.0},
}
PLAIN = "matching and ICL alone"
_PLACES = tuple((train, judged, MODES[0]) for train in ARTISTS for judged in ARTISTS)

VIEWS_NOTE = """`linkers.triple_contrast`, settings `view` and `local` of the matching network.
Trained on the pictures alone of one artist's train concepts, by their outlines and colours (no
DINOv2, which takes fifty times as long); judged on the valid concepts of both, all candidates.
Weights 0.2 where none is told. Mean over seeds; in brackets the gain over training without, with
the 95 % interval of a paired bootstrap over concepts.
"""
Floats = NDArray[np.float64]


def of_views(
    given: argparse.Namespace, variants: Mapping[str, Mapping[str, Any]] = VARIANTS
) -> dict[str, dict[str, Any]]:
    """Judge variants of the training on valid concepts; trained on either artist.

    Args:
        given: The command line.
        variants: Settings by name; gains are over the first.
    """
    drawn = DrawnNetworks.read(given).of_pictures()
    found: dict[tuple[str, tuple[str, str, str]], list[Floats]] = {}
    for artist in ARTISTS:
        pairs = _training(drawn, artist, viewed=any(one.get("view") for one in variants.values()))
        for name, setting in variants.items():
            for seed in given.seeds:
                network = drawn.trained(pairs, artist, seed, setting)
                for place in _PLACES:
                    if place[0] == artist:
                        found.setdefault((name, place), []).append(drawn.found(network, place))
                sys.stderr.write(f"{artist}, {name}, seed {seed}\n")
    rival = next(iter(variants))
    return {name: _figures(found, name, rival) for name in variants}


def _training(drawn: DrawnNetworks, artist: str, *, viewed: bool) -> Callable[[], Pairs]:
    return cache(lambda: drawn.training(artist, drawn.views(artist) if viewed else ()))


def _figures(
    found: Mapping[tuple[str, tuple[str, str, str]], list[Floats]], name: str, rival: str
) -> dict[str, Any]:
    columns = []
    for known in (False, True):
        places = [place for place in _PLACES if (place[0] == place[1]) == known]
        hits = {
            kind: 100 * np.mean([np.mean(_hits(found[kind, p]), axis=0) for p in places], axis=0)
            for kind in (name, rival)
        }
        ranks = np.concatenate([np.mean(found[name, place], axis=0) for place in places])
        gain = paired_bootstrap(hits[name], hits[rival])  # over concepts
        columns.append(
            {
                "artist": "known" if known else "unseen",
                "mentions": len(ranks),
                "hits_at_1": float(hits[name].mean()),
                "mrr": float(100 * ranks.mean()),
                "gain": [gain.mean, gain.low, gain.high],
            }
        )
    seeds = len(next(iter(found.values())))
    return {"mentions": columns[0]["mentions"], "seeds": seeds, "columns": columns}


def _hits(runs: list[Floats]) -> list[NDArray[np.bool_]]:
    return [run == 1 for run in runs]


def variants_table(
    rows: Mapping[str, Mapping[str, Any]], variants: Iterable[str] = VARIANTS
) -> list[str]:
    """Return the lines of the table; the first of the variants is their rival."""
    columns = next(iter(rows.values()))["columns"]
    heads = [f"{column['artist']} artist" for column in columns]
    lines = [f"| H@1 | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for place, name in enumerate(variants):
        cells = []
        for column in rows[name]["columns"]:
            gain = " ({:+.1f} [{:+.1f}, {:+.1f}])".format(*column["gain"]) if place else ""
            cells.append(f"{column['hits_at_1']:.1f}{gain}")
        lines.append(f"| {' | '.join([name, *cells])} |")
    return lines
