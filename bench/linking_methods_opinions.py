"""Evidence and ignorance in the decision, on drawings of which a fifth has left the base."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.drawings import ARTISTS, MODES
from bench.drawn_networks import DrawnNetworks, share_of
from evaluation import auroc, ece, nil_scores, risk_coverage
from linkers.cases import Case
from linkers.decision import Decision, DecisionConfig
from linkers.decision_fitting import fit_decision
from linkers.losses import fused
from linkers.matching import UNITS, MatchingNetwork
from linkers.mention_sets import read_entity_table
from linkers.opinion_cases import OpinionColumns, Opinions
from linkers.training import Pairs

__all__ = [
    "COLUMNS",
    "FIGURES",
    "LOST",
    "OPINIONS_NOTE",
    "USES",
    "Told",
    "cases_of",
    "compared",
    "judged",
    "kept_entities",
    "of_opinions",
    "opinions_table",
]

USES: Mapping[str, DecisionConfig] = {
    "networks alone": DecisionConfig(),
    "ignorance and conflict as marks": DecisionConfig(opinions="marks"),
    "opinions alone": DecisionConfig(opinions="alone"),
}
_PLAIN = "networks alone"
COLUMNS = OpinionColumns(units=tuple(range(len(UNITS))))
_WITHHELD = 0.2
_SWAPPED = 0.2
_LIMIT = 64
_BLOCK = 64
_DRAWS = 500
_GAINS = ("hits_at_1", "auroc", "risk")
LOST = -2  # the entity is in the base, but no candidate
OPINIONS_NOTE = """CREST's evidential core: `linkers.opinions`, setting `opinions` of the decision.
A fifth of the entities has left the base; the decision learns on Noto's train concepts, scored by
networks of other concepts, and is judged on the valid concepts of both artists, with keyword and
without; it is calibrated on the other half of them. Candidates: the network's best 64. H@1 of those
whose entity is there; *risk*: area under the risk-coverage curve, lower is better. Means over draws
of what has left; in brackets the gain over the networks alone with the 95 % interval of a bootstrap
over concepts.
"""

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a decision says of mentions: probabilities, and what is right."""

    best: Floats
    nil: Floats
    hit: NDArray[np.bool_]
    absent: NDArray[np.bool_]

    def take(self, rows: Ids) -> Told:
        """Return what is said of some of them."""
        return Told(**{name: getattr(self, name)[rows] for name in self.__slots__})

    @property
    def said(self) -> NDArray[np.bool_]:
        """Whether NIL is said."""
        return self.nil >= self.best

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether what is said is right."""
        return np.where(self.said, self.absent, self.hit)


FIGURES: Mapping[str, Callable[[Told], float]] = {
    "hits_at_1": lambda told: 100 * float(told.hit[~told.absent].mean()),
    "auroc": lambda told: 100 * auroc(told.nil, told.absent),
    "f1": lambda told: 100 * nil_scores(told.said, told.absent).f1,
    "ece_nil": lambda told: 100 * ece(told.nil, told.absent),
    "ece_links": lambda told: 100 * ece(told.best, told.hit),
    "risk": lambda told: 100 * risk_coverage(np.maximum(told.best, told.nil), told.right).area,
}


def of_opinions(given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Judge decisions with and without opinions; every seed draws what leaves the base."""
    drawn = DrawnNetworks.read(given)
    artist = ARTISTS[0]
    train, whole = drawn.training(artist), drawn.network(artist)
    halves = drawn.halves(artist)
    valid = [drawn.data.part("valid", judged, (m,), artist) for judged in ARTISTS for m in MODES]
    keys = read_entity_table(given.data / "emoji.jsonl.gz").keys
    told: dict[str, list[Told]] = {name: [] for name in USES}
    swaps: list[tuple[float, float]] = []
    for draw in given.seeds:
        there = kept_entities(keys, draw)
        seen = [
            case
            for part, network in halves
            for case in cases_of(drawn, network, drawn.rows(train, part), there)[0]
        ]
        usable = [case for case in seen if case.gold != LOST]
        asked = [case for pairs in valid for case in cases_of(drawn, whole, pairs, there)[0]]
        gold = np.concatenate([pairs.gold for pairs in valid])
        for name, config in USES.items():
            decision = fit_decision(
                usable,
                config=config,
                picture_signals=(1, 2, 3),
                opinion_columns=COLUMNS,
                seed=draw,
            )
            told[name].append(judged(decision, asked, gold))
            opinions = Opinions.read(decision.arrays)
            if config.opinions == "alone" and opinions is not None:
                swaps.append(_swapped(drawn, whole, valid[1], opinions, draw))
        sys.stderr.write(f"draw {draw}: {len(usable)} cases to learn from, {len(asked)} judged\n")
    rows = {name: compared(runs, told[_PLAIN], len(valid)) for name, runs in told.items()}
    rows["opinions alone"]["swapped"] = np.mean(swaps, axis=0).tolist()
    return rows


def cases_of(
    drawn: DrawnNetworks, network: MatchingNetwork, pairs: Pairs, there: NDArray[np.bool_]
) -> tuple[list[Case], list[Ids]]:
    """Return mentions with their best candidates among the entities that are there, and these."""
    found, chosen = [], []
    rows = np.flatnonzero(there)
    with torch.inference_mode():
        entities = network.encode(drawn.data.base.take(torch.from_numpy(rows)), "entity")
        for start in range(0, len(pairs.gold), _BLOCK):
            part = torch.arange(start, min(start + _BLOCK, len(pairs.gold)))
            items = pairs.mentions.take(part)
            scores, present = network(network.encode(items, "mention"), entities)
            mean = fused(scores, present)
            best = mean.topk(min(_LIMIT, len(rows)), dim=1).indices
            for row, ids in enumerate(best):
                signals = torch.cat([scores[:, row, ids], mean[None, row, ids]]).T.numpy()
                own = int(pairs.gold[start + row])
                chosen.append(rows[ids.numpy()])
                places = np.flatnonzero(chosen[-1] == own)
                lost = LOST if there[own] else -1
                words = float(items.text_mask[row].any())
                found.append(
                    Case(
                        signals=np.ascontiguousarray(signals, dtype=np.float32),
                        marks=np.array([words], dtype=np.float32),
                        gold=int(places[0]) if len(places) else lost,
                    )
                )
    return found, chosen


def kept_entities(keys: Sequence[str], draw: int) -> NDArray[np.bool_]:
    """Return which entities stay in the base in one draw."""
    return np.array([share_of(f"{draw}:{key}") >= _WITHHELD for key in keys])


def judged(decision: Decision, cases: Sequence[Case], gold: Ids) -> Told:
    """Return what is said of each mention, calibrated on the other half of the concepts."""
    half = np.array([share_of(f"half {entity}") < 0.5 for entity in gold.tolist()])
    best, nil = np.zeros((2, len(cases)))
    hit = np.zeros(len(cases), dtype=np.bool_)
    for part in (half, ~half):
        others = [cases[row] for row in np.flatnonzero(~part) if cases[row].gold != LOST]
        calibrated = decision.calibrated(others)
        for row in np.flatnonzero(part).tolist():
            own, none = calibrated.probabilities(cases[row])
            best[row], nil[row] = min(1.0, own.max()), min(1.0, none)
            hit[row] = int(own.argmax()) == cases[row].gold
    absent = np.array([case.gold == -1 for case in cases])
    return Told(best=best, nil=nil, hit=hit, absent=absent)


def compared(
    runs: Sequence[Told],
    plain: Sequence[Told],
    places: int,
    figures: Mapping[str, Callable[[Told], float]] = FIGURES,
) -> dict[str, Any]:
    """Return figures, and gains with intervals over concepts, all draws together.

    Args:
        runs: One a draw, of the valid concepts in each place, one place after the other.
        plain: The same of the rival.
        places: How many these are.
        figures: By name, what is told of a run.
    """
    row: dict[str, Any] = {"mentions": len(runs[0].best), "draws": len(runs)}
    for key, figure in figures.items():
        row[key] = float(np.mean([figure(run) for run in runs]))
    if runs is not plain:
        samples = _samples(runs, places)
        for key in _GAINS:
            figure = figures[key]
            pairs = list(zip(runs, plain, strict=True))
            gaps = [
                np.mean([figure(run.take(rows)) - figure(other.take(rows)) for run, other in pairs])
                for rows in samples
            ]
            whole = row[key] - float(np.mean([figure(other) for other in plain]))
            row[f"{key}_gain"] = [whole, *np.quantile(gaps, (0.025, 0.975)).tolist()]
    return row


def _samples(runs: Sequence[Told], places: int) -> list[Ids]:
    """Return rows of concepts drawn with replacement; some absent and some present in each draw."""
    generator, found = np.random.default_rng(0), []
    concepts = len(runs[0].best) // places
    while len(found) < _DRAWS:
        drawn = generator.integers(concepts, size=concepts)
        rows = (drawn + concepts * np.arange(places)[:, None]).ravel()
        absent = [run.absent[rows] for run in runs]
        if all(values.any() and not values.all() for values in absent):
            found.append(rows)
    return found


def _swapped(
    drawn: DrawnNetworks, network: MatchingNetwork, pairs: Pairs, opinions: Opinions, seed: int
) -> tuple[float, float]:
    """Return the AUROC by which ignorance and conflict tell mentions whose picture is another's."""
    generator = np.random.default_rng(seed)
    rows = generator.permutation(len(pairs.gold))[: max(2, round(_SWAPPED * len(pairs.gold)))]
    order = np.arange(len(pairs.gold))
    order[rows] = np.roll(rows, 1)
    shown = pairs.mentions.take(torch.from_numpy(order))
    own = pairs.mentions
    mixed = replace(
        own, image=shown.image, image_tokens=shown.image_tokens, image_mask=shown.image_mask
    )
    everybody = np.ones(len(drawn.data.base.text), dtype=np.bool_)
    cases = cases_of(drawn, network, Pairs(mentions=mixed, gold=pairs.gold), everybody)[0]
    with torch.inference_mode():
        found = opinions.of(cases)
    changed = np.isin(np.arange(len(cases)), rows)
    return auroc(found.ignorance.numpy(), changed), auroc(found.conflict.numpy(), changed)


def opinions_table(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of the table."""
    heads = ("H@1", "NIL's AUROC", "NIL's F1", "ECE of NIL", "ECE of links", "risk")
    lines = [f"| % | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for name, row in ((name, rows[name]) for name in USES if name in rows):
        cells = []
        for key in FIGURES:
            gain = row.get(f"{key}_gain")
            told = "" if gain is None else " ({:+.1f} [{:+.1f}, {:+.1f}])".format(*gain)
            cells.append(f"{row[key]:.1f}{told}")
        lines.append(f"| {' | '.join([name, *cells])} |")
    ignorance, conflict = rows["opinions alone"]["swapped"]
    told = f"ignorance tells these by an AUROC of {ignorance:.2f}, conflict by {conflict:.2f}."
    return [*lines, "", f"With the pictures of a fifth of the mentions swapped, {told}"]
