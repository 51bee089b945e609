"""`/v1/jobs`: start, list, watch, pause, resume, cancel and retry jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response
from fastapi.responses import FileResponse
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.access.scopes import also_needs, scoped
from api.dependencies import RunnerDep
from api.job_parameters import JobIn
from api.next_page import link_next
from api.problems import problems
from api.routes.examples import JOB, JOBS, shown
from api.rows import ARROW, NDJSON, file_response, rows_wanted
from api.runner import JobRunner
from api.schemas import JobOut, JobsOut
from kg.errors import InputError, JobError, LimitError

__all__ = ["router"]

router = APIRouter(tags=["jobs"], route_class=scoped("jobs", changes="jobs"))

LOOK_EVERY_S = 0.15
PING_EVERY_S = 15
GOODBYE_S = 0.8
"""How long a stream has to end by itself when the server ends."""

Id = Annotated[str, Path(max_length=64)]
Limit = Annotated[int, Query(ge=1, le=1000, description="jobs of one page")]
After = Annotated[
    str | None, Query(max_length=64, description="the `next` of the page before: go on after it")
]
IdempotencyKey = Annotated[
    str | None,
    Header(max_length=200, description="the same key gives the same job, sent once or twice"),
]
LastEventId = Annotated[
    str | None, Header(max_length=20, description="go on after this event of an earlier stream")
]


@router.post(
    "/v1/jobs",
    status_code=202,
    summary="Start a job",
    responses=problems("idempotency-key-reused", InputError, LimitError) | shown(JOB, 202),
)
def start(
    body: Annotated[JobIn, Body(openapi_examples=JOBS)],
    runner: RunnerDep,
    request: Request,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> JobOut:
    """Take a job in; it runs when those before it are done. `Location` is its address.

    `link` links mentions; `import` adds a graph in the request; `scenes` takes the images of a
    label apart; `train` trains a model on the graph as it is; `evaluate` holds edges out, trains
    without them and ranks them. All but `link` need the scope `write` too.
    """
    also_needs(request, *runner.needs(body.kind))
    job, _ = runner.start(body.kind, body.parameters, idempotency_key=idempotency_key)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.get("/v1/jobs", summary="List the jobs", responses=problems("unknown-job"))
def jobs(runner: RunnerDep, response: Response, limit: Limit = 100, after: After = None) -> JobsOut:
    """List a page of the jobs, newest first; `Link` names the next page."""
    found = runner.jobs()
    begin = 0
    if after is not None:
        runner.get(after)  # an unknown one is a problem, not an empty page
        begin = next((n + 1 for n, job in enumerate(found) if job.id == after), len(found))
    page = found[begin : begin + limit]
    following = page[-1].id if begin + limit < len(found) else None
    link_next(response, "/v1/jobs", after=following, limit=limit)
    return JobsOut(jobs=page, next=following)


@router.get("/v1/jobs/{id}", summary="Read a job", responses=problems("unknown-job") | shown(JOB))
def job(id: Id, runner: RunnerDep) -> JobOut:  # noqa: A002 - the name in the address
    """Read how far a job is."""
    return runner.get(id)


@router.delete("/v1/jobs/{id}", summary="Cancel a job", responses=problems("unknown-job"))
def cancel(id: Id, runner: RunnerDep) -> JobOut:  # noqa: A002
    """End a job; what it has written stays. One that has ended stays as it is."""
    return runner.cancel(id)


@router.post(
    "/v1/jobs/{id}/pause", summary="Pause a job", responses=problems("unknown-job", JobError)
)
def pause(id: Id, runner: RunnerDep) -> JobOut:  # noqa: A002
    """Stop a job until it is resumed, also over restarts; what it has written stays."""
    return runner.pause(id)


@router.post(
    "/v1/jobs/{id}/resume", summary="Resume a job", responses=problems("unknown-job", JobError)
)
def resume(id: Id, runner: RunnerDep) -> JobOut:  # noqa: A002
    """Go on with a paused job where it was."""
    return runner.resume(id)


@router.post(
    "/v1/jobs/{id}/retry", summary="Retry a job", responses=problems("unknown-job", JobError)
)
def retry(id: Id, runner: RunnerDep) -> JobOut:  # noqa: A002
    """Run a job that has ended again: the records that failed, or what was left undone."""
    return runner.retry(id)


@router.get(
    "/v1/jobs/{id}/output",
    summary="Read what a job wrote",
    response_class=FileResponse,
    responses=problems("unknown-job", "not-found")
    | {200: {"description": "Rows", "content": {NDJSON: {}, ARROW: {}}}},
)
def output(id: Id, request: Request, runner: RunnerDep) -> Response:  # noqa: A002
    """Read the output of a job that is done: lines of JSON, or Arrow for who accepts that."""
    path = runner.output(id)
    if rows_wanted(request) == "arrow":
        return file_response(path)
    return FileResponse(path, media_type=NDJSON)


@router.get(
    "/v1/jobs/{id}/events",
    summary="Watch a job",
    response_class=EventSourceResponse,
    responses=problems("unknown-job")
    | {200: {"description": "Server-sent events", "content": {"text/event-stream": {}}}},
)
async def events(
    id: Id,  # noqa: A002
    request: Request,
    runner: RunnerDep,
    last_event_id: LastEventId = None,
) -> EventSourceResponse:
    """Stream `progress` events and one `end`; the data of each is the job."""
    runner.get(id)
    seen = int(last_event_id) if last_event_id and last_event_id.isdecimal() else -1
    stream = _stream(runner, id, seen, request.app.state.closing)
    return EventSourceResponse(stream, ping=PING_EVERY_S, shutdown_grace_period=GOODBYE_S)


async def _stream(
    runner: JobRunner, job_id: str, seen: int, closing: asyncio.Event
) -> AsyncIterator[ServerSentEvent]:
    """Yield each revision after `seen`, and the last one in any case."""
    while not closing.is_set():
        job, revision, ended = runner.peek(job_id)
        if revision > seen or ended:
            seen = revision
            name = "end" if ended else "progress"
            yield ServerSentEvent(job.model_dump_json(), event=name, id=str(revision))
        if ended:
            return
        await asyncio.sleep(LOOK_EVERY_S)
