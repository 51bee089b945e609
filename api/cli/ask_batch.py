"""`umbra ask --batch`: a file of questions as a resumable job."""

from __future__ import annotations

import argparse

from api.cli.asked_graph import open_asked
from kg.errors import InputError

__all__ = ["run_batch"]


def run_batch(arguments: argparse.Namespace) -> int:
    """Answer the questions of a file and say how many there were."""
    from api.cli.printing import print_outcome, progress_bar
    from api.steps.ask_batch import QuestionFile, ask_file

    if arguments.out is None:
        raise InputError("--batch needs --out FILE", hint="answers.jsonl, .csv or .parquet")
    if arguments.explain or arguments.why_not or arguments.assume or arguments.without:
        raise InputError("--batch takes no --explain, --why-not, --assume or --without")
    task = QuestionFile(
        questions=arguments.batch,
        out=arguments.out,
        k=arguments.k,
        answerer=arguments.answerer,
    )
    with (
        open_asked(arguments) as engine,
        progress_bar("answering", "lines") as progress,
    ):
        outcome = ask_file(engine, task, progress=progress)
    print_outcome("answers", outcome, as_json=arguments.json)
    return 0
