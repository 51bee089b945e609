"""`umbra link check`: how a linker stands words that add nothing, and words against pictures."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.steps.check_links import CheckReport

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra link check mentions.jsonl
  umbra link check table.csv --map id=row --map surface=company --map image=logo --json check.json
  umbra link check mentions.jsonl --gold 'country:{entity_id}' --limit 1000 --json check.json
  umbra link check mentions.jsonl --entities entities.jsonl.gz --linker trained --gold entity_id

Words are put before each mention that should change nothing: colours of its picture, attributes
that the graph knows of its entity; as controls a colour that the picture has not, and a word of
size or number. Told is which decisions stay, and where words and picture mean two entities.
Beside OUT: each flip and conflict (OUT.cases.jsonl). Nothing in the graph is changed.
"""


def add_parser(actions: Any) -> None:
    """Declare the command; `--json` names a file here, so the common options stay out."""
    parser = actions.add_parser(
        "check",
        help="put the linker to the test on your own mentions",
        description="Put words that add nothing before mentions and see which links stay; find "
        "mentions whose words and picture disagree.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("mentions", type=Path, help="JSONL, CSV, TSV, Parquet, or a folder")
    add("--folder", type=Path, help="working folder (default: the nearest .umbra, else ./.umbra)")
    add("--json", type=Path, metavar="OUT", help="result file")
    add(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="which column holds id, surface, context, start, end, image, document",
    )
    add(
        "--gold",
        metavar="COLUMN",
        help="column with the key of the entity that is meant, or a template: country:{code}",
    )
    add("--linker", type=Path, metavar="FOLDER", help="a linker trained elsewhere")
    add("--label", help="class of entities that mentions may mean")
    add(
        "--entities",
        type=Path,
        metavar="FILE",
        help="link to the entities of this file (entity_id, name, aliases), not to the graph's",
    )
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="fetch pictures from this host; never a private one",
    )
    add("--limit", type=int, default=300, help="mentions to look at (default 300)")
    add("--budget", type=int, default=2, help="most words put before a mention (default 2)")
    add("--seed", type=int, default=0, help="of the sample and the controls (default 0)")
    add("--show", type=int, default=10, help="flips and conflicts to print (default 10)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check and print the report."""
    import shlex
    import sys

    from api.cli.link import columns_of
    from api.cli.printing import progress_bar
    from api.engine import Engine
    from api.steps.check_links import LinkCheck, check_links
    from api.steps.open_linker import LinkerChoice

    task = LinkCheck(
        mentions=arguments.mentions,
        columns=columns_of(arguments.map),
        gold=arguments.gold,
        linker=LinkerChoice(
            folder=arguments.linker, label=arguments.label, entities=arguments.entities
        ),
        allow_hosts=tuple(arguments.allow_host),
        most=arguments.limit,
        budget=arguments.budget,
        seed=arguments.seed,
    )
    command = shlex.join(["umbra", *sys.argv[1:]])
    with (
        Engine.open(arguments.folder) as engine,
        progress_bar("checking", "passes") as progress,
    ):
        report = check_links(engine, task, out=arguments.json, command=command, progress=progress)
    print_report(report, show=max(0, arguments.show))
    if arguments.json is not None:
        print(f"\nresult: {arguments.json}")
    return 0


def print_report(report: CheckReport, *, show: int) -> None:
    """Print what a check found, for people."""
    import sys

    from api.cli.printing import print_rows
    from api.cli.review_screen import printable

    result = report.result
    print(f"{result.n:,} of {report.total:,} mentions, {report.apart:,} with words and a picture")
    if report.rejects:
        print(f"{report.rejects:,} rows could not be read", file=sys.stderr)
    for name, reason in list(report.failed.items())[:show]:
        print(f"left out: {printable(name[:80])}: {printable(reason)}", file=sys.stderr)
    kinds: Mapping[str, Mapping[str, float]] = result.by.get("kind", {})
    labelled = "accuracy" in result.metrics
    print("\nWords put before mentions")
    columns = ["kind", "n", "unchanged", "other entity", "to nil", "from nil", "to review"]
    columns += ["probability", "with words"]
    columns += ["accuracy", "with words"] if labelled else []
    print_rows(columns, [_kind_row(n, v, labelled=labelled) for n, v in kinds.items()])
    if not kinds:
        print("no mention has a text into which a word could be put")
    flips = [case for case in report.cases if case["case"] == "flip"]
    conflicts = [case for case in report.cases if case["case"] == "conflict"]
    print(f"\nFlips ({len(flips)}, {min(show, len(flips))} shown)")
    for case in flips[:show]:
        words = ", ".join(case["words"])
        print(f"  {printable(case['mention'])}  {case['kind']}: {printable(words)}")
        print(f"      {_decision(case['before'])} -> {_decision(case['after'])}")
        print(f"      {printable(case['text'][:200])}")
    share = f" of {report.apart:,}" if report.apart else ""
    print(f"\nWords and picture in conflict ({len(conflicts)}{share})")
    for case in conflicts[:show]:
        print(f"  {printable(case['mention'])}  {printable(case['surface'])}: {_why(case)}")
        print(f"      together: {_decision(case['together'])}")


def _kind_row(name: str, values: Mapping[str, float], *, labelled: bool) -> Sequence[object]:
    shares: tuple[str, ...] = ("unchanged", "other_entity", "to_nil", "from_nil", "to_review")
    shares += ("probability_before", "probability_after")
    shares += ("accuracy_before", "accuracy_after") if labelled else ()
    return [name.replace("_", " "), int(values["n"]), *(f"{values[s]:.3f}" for s in shares)]


def _decision(told: Mapping[str, Any]) -> str:
    from api.cli.review_screen import printable

    reason = "" if told["reason"] is None else f" ({printable(told['reason'])})"
    name = "" if told["name"] is None else f" {printable(told['name'])}"
    return f"{told['state']}{name} {told['probability']:.3f}{reason}"


def _why(case: Mapping[str, Any]) -> str:
    from api.cli.review_screen import printable

    return printable(case["why"])
