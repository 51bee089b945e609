"""`umbra jobs`: the jobs of the ledger: list, show, pause, resume, cancel, retry."""

from __future__ import annotations

import argparse
from typing import Any

from api.cli.actions import add_actions

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra jobs list
  umbra jobs show link-1f3a
  umbra jobs pause link-1f3a
  umbra jobs retry link-1f3a --failed

ID is a job's id or the beginning of it. Whoever works on a job that is paused or cancelled ends
within the shard in hand. A job that was resumed or retried goes on when the command that began it
runs again.
"""

ACTIONS = {
    "show": "show what is known of a job",
    "pause": "let nobody begin another shard of a job",
    "resume": "let a paused or cancelled job go on",
    "cancel": "give a job up; what is done stays",
    "retry": "do again what failed in a job",
}


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("jobs", help="list, pause, resume, cancel and retry jobs")
    action = add_actions(parser, common, examples=EXAMPLES, run=run)
    action("list", "list the jobs, newest first").add_argument(
        "--kind", help="only jobs of this kind, such as link"
    )
    for name, told in ACTIONS.items():
        one = action(name, told)
        one.add_argument("id", metavar="ID", help="the job's id, or the beginning of it")
        if name == "retry":
            which = one.add_mutually_exclusive_group(required=True)
            which.add_argument(
                "--failed", action="store_true", help="shards that failed or hold failed records"
            )
            which.add_argument("--all", action="store_true", help="every shard")


def run(arguments: argparse.Namespace) -> int:
    """Show or change jobs."""
    from api.cli.printing import print_json, print_outcome, print_rows
    from api.ledger_jobs import change_job, list_jobs, retry_job, show_job
    from api.workspace import find_workspace

    workspace, action = find_workspace(arguments.folder), arguments.action
    if action == "list":
        rows = list_jobs(workspace, arguments.kind)
        if arguments.json:
            print_json(rows)
        else:
            columns = ("job", "kind", "state", "done", "total", "created")
            print_rows(columns, [[row[name] for name in columns] for row in rows])
        return 0
    if action == "show":
        shown = show_job(workspace, arguments.id)
    elif action == "retry":
        shown = retry_job(workspace, arguments.id, everything=arguments.all)
    else:
        shown = change_job(workspace, arguments.id, action)
    print_outcome("job", shown, as_json=arguments.json)
    return 0
