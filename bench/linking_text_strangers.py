"""CREST's evidence and NegLabel's foreign words on mentions whose entity has left the base."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.linking_methods_opinions import FIGURES, Told, compared
from bench.linking_text_decided import (
    Linker,
    by_decision,
    by_logistic,
    by_trees,
    fitted_decision,
    opinion_marks,
)
from bench.linking_text_foreign import foreign_marks, nil_scores_of_baselines
from bench.linking_text_withheld import Draw, strangers_kept
from kg.files import atomic_write
from linkers.decision import DecisionConfig
from linkers.opinion_cases import Opinions

__all__ = ["BASELINES", "DECISIONS", "of_strangers"]

DECISIONS: Mapping[str, str] = {
    "calibrated logistic": "calibrated logistic",
    "trees on the same": "calibrated logistic",
    "networks on the same": "calibrated logistic",
    "networks, ignorance and conflict as marks": "networks on the same",
    "opinions alone": "calibrated logistic",
    "the linker's decision": "the linker's decision",
    "the linker's, ignorance and conflict as marks": "the linker's decision",
    "the linker's, foreign words as a mark": "the linker's decision",
}
"""Whom each is compared with."""
BASELINES = ("top similarity", "margin", "MCM", "foreign words")
_TOLD = (*FIGURES, "kept")
_FIGURES: Mapping[str, Callable[[Told], float]] = {
    **FIGURES,
    "kept": lambda told: 100 * strangers_kept(told.nil, told.absent),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """What all decisions say of one draw, and what scores tell NIL alone."""

    told: Mapping[str, Told]
    alone: Mapping[str, NDArray[np.float64]]


def of_strangers(given: argparse.Namespace, name: str) -> dict[str, dict[str, Any]]:
    """Judge all on a set's valid mentions; draws that are kept in WORK count."""
    runs = []
    for number in given.seeds:
        kept = given.work / "text-strangers" / f"{name}-{number}-{given.mentions or 'all'}.npz"
        if not kept.exists():
            _keep(kept, _run(given, name, number))
        runs.append(_read(kept))
    rows = {}
    for decision, rival in DECISIONS.items():
        own = [run.told[decision] for run in runs]
        plain = own if rival == decision else [run.told[rival] for run in runs]
        rows[decision] = compared(own, plain, 1, _FIGURES)
    for baseline in BASELINES:
        found = np.mean([run.alone[baseline] for run in runs], axis=0)
        rows[baseline] = dict(zip(("auroc", "kept", "f1"), (100 * found).tolist(), strict=True))
    return rows


def _run(given: argparse.Namespace, name: str, number: int) -> _Run:
    draw = Draw.read(given, name, number)
    told = {
        "calibrated logistic": by_logistic(draw),
        "trees on the same": by_trees(draw, number),
    }
    fitted = {
        use: fitted_decision(draw, DecisionConfig(opinions=use), number)
        for use in ("alone", "none", "marks")
    }
    told["networks on the same"] = by_decision(draw, fitted["none"])
    told["networks, ignorance and conflict as marks"] = by_decision(draw, fitted["marks"])
    told["opinions alone"] = by_decision(draw, fitted["alone"])
    sys.stderr.write(f"{name}, draw {number}: small decisions\n")
    linker = Linker(draw, number, given.trees)
    told["the linker's decision"] = linker.told()
    opinions = Opinions.read(fitted["alone"].arrays)
    if opinions is not None:
        marks = opinion_marks(draw, opinions)
        told["the linker's, ignorance and conflict as marks"] = linker.told(marks)
    foreign, marks = foreign_marks(draw)
    told["the linker's, foreign words as a mark"] = linker.told(marks)
    alone = nil_scores_of_baselines(draw, marks)
    sys.stderr.write(f"{name}, draw {number}: temperature {foreign.temperature}\n")
    return _Run(told=told, alone=alone)


def _keep(path: Path, run: _Run) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"told/{name}/{field.name}": getattr(told, field.name)
        for name, told in run.told.items()
        for field in fields(Told)
    }
    arrays |= {f"alone/{name}": values for name, values in run.alone.items()}
    with atomic_write(path) as file:
        np.savez(file, **arrays)


def _read(path: Path) -> _Run:
    with np.load(path) as arrays:
        told = {
            name: Told(**{f.name: arrays[f"told/{name}/{f.name}"] for f in fields(Told)})
            for name in DECISIONS
        }
        return _Run(told=told, alone={name: arrays[f"alone/{name}"] for name in BASELINES})
