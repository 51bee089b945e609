"""Methods of matching on mentions in texts: what do they add, on WikiDiverse and Wikidata-MEL?

Question: what does LocalAdj add to the linker of texts; what do TCL's terms and FILIP's units add
to the training of the matching network, CREST's evidence and NegLabel's foreign words to telling
which entities are not in the base, and DCD's distillation to a search by vectors? Rivals: the same
without, and the baselines that each method's table names. Command: ``python -m
bench.linking_text_methods --data FOLDER --work WORK --out docs/benchmarks`` (two hours on two free
cores; with ``--parts`` and ``--sets`` some of it). Base: 40,248 names; encoder: the packaged
MiniLM. Judged on valid; test is never read. What is done is kept, in WORK and in
``linking-text-methods.json``; writes ``linking-text-methods.md`` too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from bench.linking_methods import kept_parts
from bench.linking_text_distilled import of_distilled
from bench.linking_text_methods_page import page
from bench.linking_text_moved import of_moved
from bench.linking_text_strangers import of_strangers
from bench.linking_text_training import VARIANTS, of_training
from evaluation import Measurement, current_commit, this_machine
from kg.files import atomic_write, write_json
from linkers.boosted import TreeConfig
from linkers.config import LinkerConfig

__all__ = ["main"]

SETS = ("wikidiverse", "wikidata-mel")
PARTS: Mapping[str, Callable[[argparse.Namespace, str], dict[str, Any]]] = {
    "moved": of_moved,
    "training": of_training,
    "strangers": of_strangers,
    "distilled": of_distilled,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.linking_text_methods")
    add = parser.add_argument
    add("--data", type=Path, default=Path("../shared/data/linking"), help="folder of the sets")
    add("--work", type=Path, default=Path(".umbra/bench-linking-m3el"), help="keeps token vectors")
    add("--pooled", type=Path, default=Path(".umbra/bench-linking"), help="keeps pooled vectors")
    add("--out", type=Path, default=Path("docs/benchmarks"), help="where results go")
    add("--sets", nargs="*", choices=SETS, default=list(SETS))
    add("--parts", nargs="*", choices=PARTS, default=list(PARTS), help="none: the page alone")
    add("--encoder", default="packaged")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of what is trained or drawn")
    add("--epochs", type=int, default=LinkerConfig().matching["epochs"], help="of the networks")
    add("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), help="of training")
    add("--trees", type=int, default=TreeConfig().trees, help="of the linker's ranker")
    add("--mentions", type=int, help="training mentions at most, drawn by chance: of strangers")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)  # small products: more threads only wait for one another
    out = given.out / "linking-text-methods.json"
    for part, name in ((part, name) for part in given.parts for name in given.sets):
        found = PARTS[part](given, name)
        kept = kept_parts(out)  # read late: another run may have written meanwhile
        kept.setdefault(part, {})[name] = {
            "rows": found,
            "mentions": given.mentions if part == "strangers" else None,
            "epochs": None if part == "strangers" else given.epochs,
            "seeds": given.seeds,
            "commit": current_commit(),
            "date": Measurement.start().date,
            "machine": asdict(this_machine()),
        }
        write_json(out, kept)
        _write(given)
        sys.stderr.write(f"{part} of {name}: {len(found)} rows\n")
    _write(given)
    return 0


def _write(given: argparse.Namespace) -> None:
    with atomic_write(given.out / "linking-text-methods.md") as file:
        file.write(page(kept_parts(given.out / "linking-text-methods.json")).encode())


if __name__ == "__main__":
    raise SystemExit(main())
