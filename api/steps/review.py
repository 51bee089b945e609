"""The steps that make cases of a job's links, and the decisions of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import ConflictError, InputError, LimitError
from kg.formats.jsonl import read_jsonl
from kg.formats.records import Reject

if TYPE_CHECKING:
    from api.review_desk import ReviewDesk
    from api.review_schemas import CasesFromJobIn, CasesLoadedOut
    from api.runner import JobRunner

__all__ = ["decide_file", "load_job"]


def decide_file(desk: ReviewDesk, path: Path, *, who: str) -> dict[str, Any]:
    """Make the decisions of a file, one after another; the same file again changes nothing.

    Args:
        desk: Where they are made.
        path: JSON Lines of `api.review_schemas.DecisionIn`.
        who: Who decides, where a row does not say.

    Returns:
        How many hold, by kind; how many were made before and undone since, which stay so; and the
        rows that were refused, with line and reason.

    Raises:
        RecordError: The file is missing or no JSON Lines.
        StoreError: The store failed.
    """
    from pydantic import ValidationError

    from api.review_schemas import DecisionIn

    counts: dict[str, int] = {}
    rejects: list[dict[str, Any]] = []
    for row in read_jsonl(path):
        if isinstance(row, Reject):
            rejects.append({"line": row.line, "reason": row.reason})
            continue
        try:
            decision = desk.decide(DecisionIn.model_validate({"who": who, **row.fields}))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            rejects.append({"line": row.line, "reason": f"{field}: {first['msg']}"})
        except (InputError, ConflictError, LimitError) as error:
            rejects.append({"line": row.line, "reason": str(error)})
        else:
            kind = "undone" if decision.state == "undone" else decision.kind
            counts[kind] = counts.get(kind, 0) + 1
    return {**counts, "rejects": rejects}


def load_job(desk: ReviewDesk, runner: JobRunner, body: CasesFromJobIn) -> CasesLoadedOut:
    """Make cases of the links of a server's job that is done.

    Raises:
        HttpProblem: There is no such job, or it has no output yet.
        LimitError: There are too many cases.
    """
    from api.job_kinds import mentions_of
    from api.review_schemas import CasesLoadedOut
    from linkers.records import MentionColumns

    links = runner.output(body.job)
    columns = MentionColumns.of(runner.parameters(body.job).get("columns", {}))
    mentions = mentions_of(links.parent, body.job)
    new = desk.load(links, mentions, columns=columns, states=body.states)
    return CasesLoadedOut(new_cases=new)
