"""`umbra link train`: a linker from a table of mentions whose entities are known."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra link train known.csv --map id=row --map surface=company --gold key
  umbra link train mentions.jsonl.gz --gold 'country:{entity_id}' --label Country
  umbra link train known.jsonl --entities entities.jsonl.gz --save linker
  umbra link run new.csv --linker linker --entities entities.jsonl.gz --out links.jsonl

Without --save the linker takes the place of the working folder's: `umbra link run`, `umbra link
text` and the server use it. Boosted trees over at most 64 candidates a mention; pictures do not
count. Rows whose column split says test are left out, those of valid calibrate. What people decided
in `umbra link review` is learnt too, and holds against the table; without MENTIONS it is all.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = actions.add_parser(
        "train",
        parents=[common],
        help="train a linker on mentions whose entities are known",
        description="Train a linker on a table of mentions with the keys of their entities.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("mentions", type=Path, nargs="?", help="JSONL, CSV, TSV, Parquet, or a folder")
    add(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="which column holds id, surface, context, start, end, document",
    )
    add(
        "--gold",
        default="entity_id",
        metavar="COLUMN",
        help="key of the entity, or a template: country:{code}; empty: none (default entity_id)",
    )
    add(
        "--no-decisions",
        action="store_true",
        help="do not learn from what people decided in umbra link review",
    )
    add("--valid", type=Path, metavar="MENTIONS", help="a table to calibrate by")
    add("--label", help="class of entities that mentions may mean (default: all)")
    add("--entities", type=Path, metavar="FILE", help="link to these, not to the graph: JSONL")
    add("--save", type=Path, metavar="FOLDER", help="folder for the linker (default: this one's)")
    add("--trees", type=int, default=250, help="boosted trees of the ranker (default 250)")
    add("--seed", type=int, default=0, help="of the training (default 0)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train and say what was learnt from."""
    from api.cli.link import columns_of
    from api.cli.printing import print_outcome, progress_bars
    from api.engine import Engine
    from api.steps.train_linker import LinkerTraining, train_linker

    task = LinkerTraining(
        mentions=arguments.mentions,
        columns=columns_of(arguments.map),
        gold=arguments.gold,
        valid=arguments.valid,
        label=arguments.label,
        entities=arguments.entities,
        save=arguments.save,
        decisions=not arguments.no_decisions,
        trees=arguments.trees,
        seed=arguments.seed,
    )
    with Engine.open(arguments.folder) as engine, progress_bars() as bars:
        outcome = train_linker(engine, task, bars=bars)
    print_outcome("linker", outcome, as_json=arguments.json)
    return 0
