"""`umbra link evaluate`: how good linking is on published mentions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra link evaluate wikidiverse.jsonl.gz --entities entities.jsonl.gz --json run.json
  umbra link evaluate new.jsonl --entities entities.jsonl --train old.jsonl --json run.json

Figures are over the whole base, ties at their realistic rank. Beside OUT: the value of each mention
(.units.npz), by which `umbra compare` pairs runs. UMBRA_TEXT_ENCODER names the text encoder.
"""


def add_parser(actions: Any) -> None:
    """Declare the command; `--json` names a file here, so the common options stay out."""
    parser = actions.add_parser(
        "evaluate",
        help="judge linking on a published set of mentions",
        description="Train a linker on mentions with known entities and judge it on others.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("mentions", type=Path, help="mentions with entity_id: JSONL, plain or gzip")
    add("--entities", type=Path, required=True, help="the base: entity_id and name, JSONL")
    add("--json", type=Path, required=True, metavar="OUT", help="result file")
    add("--train", type=Path, help="mentions to learn from (default: MENTIONS' own train split)")
    add("--valid", type=Path, help="mentions to calibrate by (default: MENTIONS' own valid split)")
    add("--split", default="test", help="which split is judged (default test)")
    add(
        "--withhold",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="take this share of the entities out of the base: their mentions are NIL",
    )
    add("--withhold-seed", type=int, default=0, help="which entities these are (default 0)")
    add("--trees", type=int, default=250, help="boosted trees of the ranker (default 250)")
    add("--no-memory", action="store_true", help="rank without what training mentions tell")
    add("--seed", type=int, default=0, help="of the training (default 0)")
    add("--cache", type=Path, metavar="FOLDER", help="keeps the encoder's vectors between runs")
    add("--save", type=Path, metavar="FOLDER", help="keeps the trained linker")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print the figures."""
    import shlex
    import sys

    from api.cli.printing import print_result, progress_bar
    from api.settings import load_settings
    from api.steps.encoders import text_encoder_named
    from api.steps.evaluate_linking import LinkEvaluation, evaluate_linking
    from linkers.boosted import RankerConfig, TreeConfig

    task = LinkEvaluation(
        mentions=arguments.mentions,
        entities=arguments.entities,
        train=arguments.train,
        valid=arguments.valid,
        split=arguments.split,
        withhold=arguments.withhold,
        withhold_seed=arguments.withhold_seed,
        cache=arguments.cache,
        save=arguments.save,
    )
    with progress_bar("describing", "mentions") as progress:
        result = evaluate_linking(
            task,
            encoder=text_encoder_named(load_settings().text_encoder, None),
            out=arguments.json,
            config=RankerConfig(
                memory=not arguments.no_memory, trees=TreeConfig(trees=arguments.trees)
            ),
            seed=arguments.seed,
            command=shlex.join(["umbra", *sys.argv[1:]]),
            progress=progress,
        )
    print_result("link evaluation", result, arguments.json)
    return 0
