"""NegLabel's foreign words in the decision, on drawings of which a fifth has left the base."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.drawings import ARTISTS, MODES
from bench.drawn_networks import DrawnNetworks
from bench.linking_methods_opinions import LOST, Told, cases_of, compared, judged, kept_entities
from encoders.padding import unit
from evaluation import auroc
from linkers.cases import Case
from linkers.decision import DecisionConfig
from linkers.decision_fitting import fit_decision
from linkers.foreign_words import ForeignWords
from linkers.matching import MatchingNetwork
from linkers.mention_sets import read_entity_table
from linkers.training import Pairs

__all__ = ["FOREIGN_NOTE", "foreign_table", "of_foreign"]

_PLAIN, _MARKED = "networks alone", "foreign words as marks"
_WORDS = 6_000  # names of the other base that are tried as foreign words
_KEPT = 0.15  # of them
FOREIGN_NOTE = """NegLabel: `linkers.foreign_words`, setting `foreign_words` of a linker. As the
table above; the marks are how much rather a keyword is like its candidates than like words that are
foreign to the base (the 15 % least like it of 6,000 names of WikiDiverse's base), and whether there
is a keyword.
"""

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


def of_foreign(given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Judge decisions with and without foreign words, and what these alone tell of NIL."""
    drawn = DrawnNetworks.read(given)
    artist = ARTISTS[0]
    train, whole = drawn.training(artist), drawn.network(artist)
    halves = [(drawn.rows(train, part), network) for part, network in drawn.halves(artist)]
    valid = [drawn.data.part("valid", judge, (m,), artist) for judge in ARTISTS for m in MODES]
    keys = read_entity_table(given.data / "emoji.jsonl.gz").keys
    entities, words = unit(drawn.data.base.text.numpy()), _words(drawn, given)
    told: dict[str, list[Told]] = {_PLAIN: [], _MARKED: []}
    alone: list[tuple[float, float]] = []
    for draw in given.seeds:
        there = kept_entities(keys, draw)
        foreign = ForeignWords.fit(entities[there], words, keep=max(1, round(_KEPT * len(words))))
        asked = (halves, [(pairs, whole) for pairs in valid])
        sides = [_side([(drawn, net, pairs, there) for pairs, net in part]) for part in asked]
        foreign = foreign.tuned(*_told_by_words(*sides[0], entities))
        marked = [_marked(foreign, *side, entities) for side in sides]
        gold = np.concatenate([pairs.gold for pairs in valid])
        plain = [side[0] for side in sides]
        for name, (seen, judged_cases) in ((_PLAIN, plain), (_MARKED, marked)):
            decision = fit_decision(
                [case for case in seen if case.gold != LOST],
                config=DecisionConfig(),
                picture_signals=(1, 2, 3),
                seed=draw,
            )
            told[name].append(judged(decision, judged_cases, gold))
        *shown, absent = _told_by_words(*sides[1], entities)
        best = np.einsum("bd,bkd->bk", *shown[:2]).max(axis=1)
        alone.append((auroc(-foreign.scores(*shown), absent), auroc(-best, absent)))
        sys.stderr.write(f"draw {draw}: temperature {foreign.temperature}\n")
    rows = {name: compared(runs, told[_PLAIN], len(valid)) for name, runs in told.items()}
    rows[_MARKED]["alone"] = (100 * np.mean(alone, axis=0)).tolist()
    return rows


def _side(
    parts: Sequence[tuple[DrawnNetworks, MatchingNetwork, Pairs, NDArray[np.bool_]]],
) -> tuple[list[Case], Ids, Floats]:
    """Return cases, their candidates ``(n, K)`` and the vectors of their texts ``(n, d)``."""
    found = [cases_of(*part) for part in parts]
    cases = [case for own, _ in found for case in own]
    ids = np.stack([row for _, own in found for row in own])
    return cases, ids, unit(torch.cat([pairs.mentions.text for _, _, pairs, _ in parts]).numpy())


def _words(drawn: DrawnNetworks, given: argparse.Namespace) -> Floats:
    names = [group[0] for group in read_entity_table(given.data / "entities.jsonl.gz").names]
    drawn_names = np.random.default_rng(0).permutation(len(names))[:_WORDS]
    return unit(drawn.encoders.text.encode([names[n] for n in drawn_names]).pooled)


def _told_by_words(
    cases: Sequence[Case], ids: Ids, texts: Floats, entities: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what `ForeignWords.tuned` takes, of the mentions with words."""
    rows = np.flatnonzero([case.marks[0] > 0 for case in cases])
    absent = np.array([cases[row].gold == -1 for row in rows])
    return texts[rows], entities[ids[rows]], np.ones(ids[rows].shape, dtype=np.bool_), absent


def _marked(
    foreign: ForeignWords, cases: Sequence[Case], ids: Ids, texts: Floats, entities: Floats
) -> list[Case]:
    scores = foreign.scores(texts, entities[ids], np.ones(ids.shape, dtype=np.bool_))
    return [
        replace(case, marks=np.array([case.marks[0], score * case.marks[0]], dtype=np.float32))
        for case, score in zip(cases, scores.tolist(), strict=True)
    ]


def foreign_table(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of the table."""
    lines = ["| % | H@1 | NIL's AUROC | risk |", "|---|---|---|---|"]
    for name, row in ((name, rows[name]) for name in (_PLAIN, _MARKED)):
        cells = []
        for key in ("hits_at_1", "auroc", "risk"):
            gain = row.get(f"{key}_gain")
            told = "" if gain is None else " ({:+.1f} [{:+.1f}, {:+.1f}])".format(*gain)
            cells.append(f"{row[key]:.1f}{told}")
        lines.append(f"| {' | '.join([name, *cells])} |")
    score, best = rows[_MARKED]["alone"]
    told = (
        f"foreign words tell NIL by an AUROC of {score:.1f}, the nearest candidate by {best:.1f}."
    )
    return [*lines, "", f"Of mentions with a keyword, by the text alone, {told}"]
