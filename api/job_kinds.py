"""The kinds of jobs of the REST door: steps of the engine, inside the job's own folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from api.engine import Engine
from api.job_parameters import MENTION_PARTS
from api.runner import JobKind, JobRun
from kg.errors import InputError, JobError
from kg.files import write_json_lines
from kg.progress import Progress

__all__ = ["check_link", "link_kind", "mentions_of"]


def link_kind(engine: Engine) -> JobKind:
    """Return the kind ``link``: mentions in the request, links as JSON Lines.

    Its parameters hold ``mentions`` (objects with id, mention, context, start, end, document) and
    may hold ``columns`` (part of a mention → name in the objects, as ``umbra link run --map``).
    """

    def work(run: JobRun, progress: Progress) -> dict[str, Any]:
        from api.steps.link import LinkJob, link_file

        mentions = mentions_of(run.folder, run.id)
        if not mentions.exists():
            write_json_lines(mentions, run.parameters["mentions"])
        out = run.folder / "links.jsonl"
        job = LinkJob(mentions=mentions, out=out, columns=run.parameters.get("columns", {}))
        counts = link_file(engine, job, progress=progress)
        if counts["state"] != "done":
            raise JobError(
                counts.get("error") or f"its job in the ledger is {counts['state']}",
                where=counts["job"],
                hint="umbra jobs show",
            )
        return counts | {"output": out}

    def again(run: JobRun) -> None:
        from kg.ledger import Ledger
        from kg.ledger_repair import retry_failed

        with Ledger(engine.workspace.ledger) as ledger:
            for job in ledger.jobs("link"):
                if [file[0] for file in job.parameters.get("files", ())] == [f"{run.id}.jsonl"]:
                    retry_failed(ledger, job.id)

    return JobKind(work=work, check=check_link, again=again)


def mentions_of(folder: Path, job: str) -> Path:
    """Return where the mentions of a job ``link`` lie in its folder."""
    return folder / f"{job}.jsonl"


def check_link(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that are no list of mentions.

    Raises:
        InputError: They are not; the place is named.

    Example:
        >>> check_link({"mentions": [{"id": "m1", "mention": "Turkish"}]})
    """
    unknown = sorted(set(parameters) - {"mentions", "columns"})
    if unknown:
        raise InputError(f"a link job knows no parameter {unknown[0]!r}", where="parameters")
    mentions, columns = parameters.get("mentions"), parameters.get("columns", {})
    if not isinstance(mentions, list) or not mentions:
        raise InputError("a link job needs a list of mentions", where="parameters.mentions")
    for number, mention in enumerate(mentions):
        if not isinstance(mention, dict):
            raise InputError("a mention is no object", where=f"parameters.mentions[{number}]")
    if not isinstance(columns, dict):
        raise InputError("columns is no object", where="parameters.columns")
    for part, name in columns.items():
        if part not in MENTION_PARTS or not isinstance(name, str):
            raise InputError(
                f"columns cannot map {part!r}",
                where="parameters.columns",
                hint=f"map {', '.join(MENTION_PARTS)} to names",
            )
