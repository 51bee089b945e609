"""`umbra link`: mentions to entities, as a resumable batch job."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from api.cli import (
    link_check,
    link_duplicates,
    link_evaluate,
    link_review,
    link_text,
    link_train,
)

__all__ = ["add_parser", "columns_of", "run"]

EXAMPLES = """examples:
  umbra link run mentions.jsonl --out links.jsonl
  umbra link run table.csv --map id=row --map surface=company --out links.parquet --workers 2
  umbra link run trade.csv --write-graph --head 'country:{code}' --relation exports_to
  umbra link run mentions.jsonl.gz --map surface=mention --shard-rows 500 --estimate
  umbra link run new.csv --linker linker --entities entities.jsonl.gz --workers 2

Read are JSON Lines, CSV and TSV (plain or .gz), Parquet, and folders of such files. Each row of the
output is linked, nil, review or failed; bad rows land in rejects/. A job that was stopped or killed
goes on where it was when the same command runs again. Exits 1 unless the job is done.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("link", help="link mentions to entities")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    job = actions.add_parser(
        "run",
        parents=[common],
        help="link the mentions of a table",
        description="Link the mentions of a table, or of a folder of tables, to entities of the "
        "graph.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    job.add_argument("mentions", type=Path, help="JSONL, CSV, TSV, Parquet, or a folder")
    job.add_argument(
        "--out", type=Path, help="where the links go (default: links.jsonl or .parquet)"
    )
    job.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="which column holds id, surface, context, start, end, image, document",
    )
    job.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="fetch pictures from this host (example.org, *.example.org); never a private one",
    )
    job.add_argument(
        "--linker",
        type=Path,
        metavar="FOLDER",
        help="a linker trained elsewhere: its folder, or a working folder (default: this one's)",
    )
    job.add_argument(
        "--label",
        help="class of entities that mentions may mean (default: that of training; with --linker "
        "all)",
    )
    job.add_argument(
        "--entities",
        type=Path,
        metavar="FILE",
        help="link to the entities of this file (entity_id, name, aliases), not to the graph's",
    )
    job.add_argument(
        "--write-graph", action="store_true", help="write links into the graph; needs the next two"
    )
    job.add_argument(
        "--head",
        metavar="COLUMN",
        help="column with the key of the entity that edges leave, or a template: country:{code}",
    )
    job.add_argument("--relation", metavar="NAME", help="relation of the edges")
    job.add_argument(
        "--format",
        choices=("jsonl", "parquet"),
        help="of the links (default: parquet if --out ends in .parquet, else jsonl)",
    )
    job.add_argument(
        "--key", help="idempotency key: one key is one job (default: a hash of what is linked)"
    )
    job.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    job.add_argument(
        "--engine",
        choices=("processes", "ray"),
        default="processes",
        help="what shares the work out (default processes; ray: the extra 'ray'; RAY_ADDRESS "
        "names a cluster)",
    )
    job.add_argument("--shard-rows", type=int, default=100, help="rows a shard (default 100)")
    job.add_argument(
        "--max-rejects",
        type=float,
        default=1.0,
        help="share of bad rows, 0 to 1, above which it ends (default 1: never)",
    )
    job.add_argument("--estimate", action="store_true", help="say the cost, do nothing")
    job.set_defaults(run=run)
    link_text.add_parser(actions, common)
    link_train.add_parser(actions, common)
    link_evaluate.add_parser(actions)
    link_check.add_parser(actions)
    link_review.add_parser(actions, common)
    link_duplicates.add_parser(actions, common)


def run(arguments: argparse.Namespace) -> int:
    """Run the job, or say what it would cost."""
    from api.cli.printing import print_estimate, print_outcome, progress_bars
    from api.engine import Engine
    from api.steps.link import LinkJob, estimate_link, link_file
    from api.steps.open_linker import LinkerChoice
    from kg.progress import silent

    job = LinkJob(
        mentions=arguments.mentions,
        out=arguments.out
        or Path("links.parquet" if arguments.format == "parquet" else "links.jsonl"),
        columns=columns_of(arguments.map),
        form=arguments.format,
        key=arguments.key,
        workers=arguments.workers,
        engine=arguments.engine,
        allow_hosts=tuple(arguments.allow_host),
        edges=_edges(arguments),
        linker=LinkerChoice(
            folder=arguments.linker, label=arguments.label, entities=arguments.entities
        ),
        shard_rows=arguments.shard_rows,
        max_rejects=arguments.max_rejects,
    )
    if arguments.estimate:
        with Engine.open(arguments.folder) as engine:
            print_estimate(estimate_link(engine, job), as_json=arguments.json)
        return 0
    here = job.engine != "ray" and job.workers == 1  # else the workers encode
    with Engine.open(arguments.folder) as engine, progress_bars() as bars:
        outcome = link_file(
            engine,
            job,
            opening=bars("encoding entities", "texts") if here else silent,
            progress=bars("linking", "mentions"),
        )
    print_outcome("links", outcome, as_json=arguments.json)
    if outcome["state"] == "done":
        return 0
    print(f"umbra: {_NOT_DONE.format(**outcome)}", file=sys.stderr)
    return 1


_NOT_DONE = (
    "job {job} is {state}; the output holds what is done."
    " Next: umbra jobs show, resume or retry, then the same command again"
)


def _edges(arguments: argparse.Namespace) -> tuple[str, str] | None:
    from kg.errors import SettingError

    named = (arguments.head, arguments.relation)
    if arguments.write_graph and all(named):
        return named
    if arguments.write_graph or any(named):
        raise SettingError(
            "--write-graph, --head and --relation go together",
            where="--write-graph",
            hint="--write-graph --head COLUMN --relation NAME",
        )
    return None


def columns_of(pairs: list[str]) -> dict[str, str]:
    """Return the mapping that options ``--map FIELD=COLUMN`` declare.

    Raises:
        SettingError: One is not of this form.
    """
    from kg.errors import SettingError

    columns = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not column:
            raise SettingError(f"--map {pair!r} is not FIELD=COLUMN", where="--map")
        columns[field] = column
    return columns
