"""`umbra link`: mentions to entities, as a resumable batch job."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra link run mentions.jsonl --out links.jsonl
  umbra link run mentions.jsonl.gz --map surface=mention --shard-rows 500 --estimate

Each row of the output is linked, nil, review or failed; bad rows land in rejects/. A job that was
stopped or killed goes on where it was when the same command runs again.
"""


EVALUATE_EXAMPLES = """examples:
  umbra link evaluate wikidiverse.jsonl.gz --entities entities.jsonl.gz --json run.json
  umbra link evaluate new.jsonl --entities entities.jsonl --train old.jsonl --json run.json

Figures are over the whole base, ties at their realistic rank. Beside OUT: the value of each mention
(.units.npz), by which `umbra compare` pairs runs. UMBRA_TEXT_ENCODER names the text encoder.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("link", help="link mentions to entities")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    job = actions.add_parser(
        "run",
        parents=[common],
        help="link the mentions of a JSONL file",
        description="Link the mentions of a JSONL file to entities of the graph.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    job.add_argument("mentions", type=Path, help="JSONL, plain or gzip")
    job.add_argument("--out", type=Path, help="where the links go (default: links.jsonl)")
    job.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="which column holds id, surface, context, start, end, document",
    )
    job.add_argument("--shard-rows", type=int, default=100, help="rows a shard (default 100)")
    job.add_argument(
        "--max-rejects", type=float, default=1.0, help="share of bad rows that ends it (default 1)"
    )
    job.add_argument("--estimate", action="store_true", help="say the cost, do nothing")
    job.set_defaults(run=run)
    _add_evaluate(actions)


def _add_evaluate(actions: Any) -> None:
    """Declare `evaluate`; `--json` names a file here, so the common options stay out."""
    parser = actions.add_parser(
        "evaluate",
        help="judge linking on a published set of mentions",
        description="Train a linker on mentions with known entities and judge it on others.",
        epilog=EVALUATE_EXAMPLES,
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
    add("--trees", type=int, default=400, help="boosted trees of the ranker (default 400)")
    add("--no-memory", action="store_true", help="rank without what training mentions tell")
    add("--seed", type=int, default=0, help="of the training (default 0)")
    add("--cache", type=Path, metavar="FOLDER", help="keeps the encoder's vectors between runs")
    parser.set_defaults(run=evaluate)


def run(arguments: argparse.Namespace) -> int:
    """Run the job, or say what it would cost."""
    from api.cli.printing import print_estimate, print_outcome, progress_bar
    from api.engine import Engine
    from api.steps.link import LinkJob, estimate_link, link_file

    job = LinkJob(
        mentions=arguments.mentions,
        out=arguments.out or Path("links.jsonl"),
        columns=_columns(arguments.map),
        shard_rows=arguments.shard_rows,
        max_rejects=arguments.max_rejects,
    )
    if arguments.estimate:
        print_estimate(estimate_link(job), as_json=arguments.json)
        return 0
    with (
        Engine.open(arguments.folder) as engine,
        progress_bar("linking", "mentions") as progress,
    ):
        outcome = link_file(engine, job, progress=progress)
    print_outcome("links", outcome, as_json=arguments.json)
    return 0


def evaluate(arguments: argparse.Namespace) -> int:
    """Evaluate and print the figures."""
    import shlex
    import sys

    from api.cli.printing import print_outcome, progress_bar
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
    print_outcome(
        "link evaluation",
        {name: round(value, 4) for name, value in result.metrics.items()}
        | {"result": str(arguments.json)},
        as_json=False,
    )
    return 0


def _columns(pairs: list[str]) -> dict[str, str]:
    from kg.errors import SettingError

    columns = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not column:
            raise SettingError(f"--map {pair!r} is not FIELD=COLUMN", where="--map")
        columns[field] = column
    return columns
