"""What the jobs of the REST door do: steps of the engine, inside the job's own folder."""

from __future__ import annotations

import json
from typing import Any

from api.engine import Engine
from api.runner import JobRun, JobWork
from kg.errors import InputError
from kg.files import atomic_write
from kg.progress import Progress

__all__ = ["link_work"]


def link_work(engine: Engine) -> JobWork:
    """Return the work of a ``link`` job: mentions in the request, links as JSONL.

    Its parameters hold ``mentions`` (objects with id, surface, context, start, end, document) and
    may hold ``columns`` (which name in the objects holds which of these).
    """

    def work(run: JobRun, progress: Progress) -> dict[str, Any]:
        from api.steps.link import LinkJob, link_file

        mentions, columns = _checked(run.parameters)
        given = run.folder / "mentions.jsonl"
        if not given.exists():
            with atomic_write(given) as file:
                for mention in mentions:
                    file.write(json.dumps(mention, ensure_ascii=False).encode() + b"\n")
        out = run.folder / "links.jsonl"
        job = LinkJob(mentions=given, out=out, columns=columns)
        counts: dict[str, Any] = link_file(engine, job, progress=progress)
        return counts | {"output": out}

    return work


def _checked(parameters: Any) -> tuple[list[dict[str, Any]], dict[str, str]]:
    unknown = sorted(set(parameters) - {"mentions", "columns"})
    mentions = parameters.get("mentions")
    columns = parameters.get("columns", {})
    if unknown:
        raise InputError(f"a link job knows no parameter {unknown[0]!r}", where="parameters")
    if not isinstance(mentions, list) or not mentions:
        raise InputError("a link job needs a list of mentions", where="parameters.mentions")
    for number, mention in enumerate(mentions):
        if not isinstance(mention, dict):
            raise InputError("a mention is no object", where=f"parameters.mentions[{number}]")
    if not isinstance(columns, dict) or not all(isinstance(c, str) for c in columns.values()):
        raise InputError("columns map names to names", where="parameters.columns")
    return mentions, columns
