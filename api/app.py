"""The REST application: routes, guard, problems, and what lives as long as the server does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from hashlib import blake2b
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from api.access.audit import AuditLog
from api.access.graph_keys import HOME, GraphKeys
from api.access.keys import KeyRing
from api.access.limits import KeyLimits, Limit
from api.access.once import Once
from api.access.scopes import admin_by_default
from api.engine import Engine
from api.engine_jobs import engine_kinds
from api.fact_desk import FactDesk
from api.guard import Guard, GuardConfig
from api.held_linker import HeldLinker
from api.held_sparql import HeldSparql
from api.job_kinds import link_kind
from api.problems import add_handlers
from api.review_desk import ReviewDesk
from api.routes import (
    checks,
    context,
    cypher,
    entities,
    facts,
    health,
    images,
    info,
    jobs,
    metrics,
    page,
    past,
    picture_sheets,
    plain,
    queries,
    query,
    reconcile,
    search,
    sparql,
    suggestions,
    why_not,
)
from api.routes.info import installed_version, limits_of
from api.routes.link_text import router as link_text_router
from api.routes.review import router as review_router
from api.routes.review_files import router as review_files_router
from api.runner import JobKind, JobRunner
from api.schemas import ProblemOut
from api.serving.forwarding import Forwarding
from api.serving.heads import Heads
from api.serving.hosts import LOOPBACK
from api.serving.kept_answers import KeptAnswers, Token
from api.serving.measures import Measures
from api.serving.reloading import Reloading
from api.serving.role import WHOLE, Role
from api.serving.tracing import Traced
from api.workers import Workers
from kg.errors import EngineError

__all__ = ["LOOPBACK", "create_app"]

THREADS = 8
WAITING = 64

DESCRIPTION = (
    "A knowledge graph of text and images that answers what nobody wrote down: known answers, "
    "likely answers with calibrated probabilities, and why. Every error is a problem (RFC 9457) "
    "whose `type` is stable."
)


def create_app(
    engine: Engine,
    *,
    job_kinds: Mapping[str, JobKind] | None = None,
    hosts: frozenset[str] = LOOPBACK,
    resume_jobs: bool = True,
    warm_up: bool = False,
    role: Role = WHOLE,
) -> FastAPI:
    """Return the application over one engine; the caller closes the engine.

    Args:
        engine: What is asked.
        job_kinds: What a job of each kind does; the engine's own if not given.
        hosts: Host names that it answers to; empty for any.
        resume_jobs: Go on with jobs that an earlier server left unfinished.
        warm_up: Load the models at the start, so that the first question need not wait for them.
        role: What this process is there for, where several serve.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from api.workspace import Workspace
        >>> app = create_app(Engine(Workspace(Path(tempfile.mkdtemp()))))
        >>> sorted(app.openapi()["paths"])[:2]
        ['/healthz', '/metrics']
    """
    app = FastAPI(
        title="Umbra",
        version=installed_version(),
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # the usual pages load scripts from the network
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(admin_by_default)],
    )
    app.state.engine = engine
    app.state.job_kinds = default_job_kinds(engine) if job_kinds is None else job_kinds
    app.state.resume_jobs = resume_jobs
    app.state.linker = HeldLinker(engine)
    app.state.sparql = HeldSparql(engine)
    app.state.desk = ReviewDesk(engine)
    app.state.fact_desk = FactDesk(engine)
    app.state.once = Once(engine.workspace.replies)
    app.state.warm_up = warm_up
    app.state.leaving = False
    app.state.when_reloaded = lambda: None
    app.state.measures = Measures(role.graph)
    app.state.role = role
    guard = _guard_config(app, hosts)
    app.state.keys_needed = guard.keys_needed
    if role.jobs_at is not None:
        app.add_middleware(Forwarding, socket=role.jobs_at)
    fresh_s = engine.settings.fresh_s
    app.add_middleware(
        KeptAnswers,
        token=Token(partial(_token, app, lambda: app.state.engine.state), fresh_s),
        of_snapshot=Token(
            partial(_token, app, lambda: app.state.engine.state_of_snapshot), fresh_s
        ),
        open_store=partial(_open_store, app),
        measures=app.state.measures,
    )
    app.add_middleware(Heads)
    app.add_middleware(Guard, config=guard)
    if engine.settings.traces:
        app.add_middleware(Traced)
    add_handlers(app)
    for module in (  # an address is tried on one after the other: what is read most comes first
        query,
        entities,
        info,
        why_not,
        plain,
        search,
        suggestions,
        context,
        reconcile,
        cypher,
        queries,
        sparql,
        picture_sheets,  # before `images`, whose address takes any word there
        images,
        checks,
        jobs,
    ):
        app.include_router(module.router)
    for module in (facts, past, health, metrics):
        app.include_router(module.router)
    if role.graph == HOME:  # the page speaks to the root
        app.include_router(page.router)
    app.include_router(link_text_router)
    app.include_router(review_router)
    app.include_router(review_files_router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _guard_config(app: FastAPI, hosts: frozenset[str]) -> GuardConfig:
    engine: Engine = app.state.engine
    settings, role = engine.settings, app.state.role
    limit = Limit(settings.key_rate, settings.key_parallel)
    home = None if role.home_keys is None else KeyRing(role.home_keys)
    keys = GraphKeys(KeyRing(engine.workspace.keys), name=role.graph, home=home)
    operators = settings.api_key.get_secret_value()
    return GuardConfig(
        max_body_bytes=settings.max_body_bytes,
        api_key=operators,
        keys=keys,
        keys_needed=bool(role.keyed or operators or keys.any),
        audit=AuditLog(engine.workspace.audit),
        origins=settings.reconcile_origins,
        hosts=hosts,
        limits=None if role.internal else KeyLimits(limit, share=role.share),
        measures=None if role.internal else app.state.measures,
        internal=role.internal,
        leaving=lambda: bool(app.state.leaving),
    )


async def _token(app: FastAPI, state_of: Callable[[], str | None]) -> bytes | None:
    """Return a short name of all that answers follow from now."""
    state = await asyncio.wrap_future(app.state.workers.submit(state_of))
    if state is None:
        return None
    limits = limits_of(app.state.engine.settings).model_dump_json()
    return blake2b(f"{installed_version()} {limits} {state}".encode(), digest_size=16).digest()


async def _open_store(app: FastAPI) -> None:
    """Open the store for a request that reads it, if no other has yet; not without a snapshot."""
    engine: Engine = app.state.engine
    if not engine.has_open_store:
        opening = app.state.workers.submit(lambda: (engine.snapshot, engine.store))
        await asyncio.wait_for(asyncio.wrap_future(opening), engine.settings.timeout_s)


def default_job_kinds(engine: Engine) -> dict[str, JobKind]:
    """Return what jobs do on this engine."""
    return {"link": link_kind(engine), **engine_kinds(engine)}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start threads and the job runner; at the end pause jobs and leave idle threads."""
    state = app.state
    state.closing = asyncio.Event()
    state.workers = Workers(threads=THREADS, waiting=WAITING)
    folder = state.engine.workspace.ledger.parent / "runs"
    if state.role.jobs_at is None:
        state.runner = JobRunner(folder, state.job_kinds, resume=state.resume_jobs)
    state.reloading = Reloading(state.engine, state.measures, when_done=state.when_reloaded)
    if state.warm_up:
        state.warm = state.workers.submit(partial(_warm_up, state.engine))
    try:
        yield
    finally:
        state.closing.set()
        await asyncio.to_thread(_stop, state)


def _warm_up(engine: Engine) -> None:
    """Load what questions need; what is missing is told to the one who asks.

    No store is started where there is no snapshot to ask.
    """
    with suppress(EngineError):
        engine.answerer("symbolic")
        _ = engine.store.version


def _stop(state: Any) -> None:
    state.reloading.close()
    if state.role.jobs_at is None:
        state.runner.close(timeout_s=0.5)
    state.sparql.close()
    state.workers.close(timeout_s=0.2)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return OpenAPI 3.1 with the schema that all problems share."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        components["ProblemOut"] = TypeAdapter(ProblemOut).json_schema()
        schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        if not app.state.keys_needed:
            _make_keys_optional(schema)
        app.openapi_schema = schema
    return app.openapi_schema


def _make_keys_optional(schema: dict[str, Any]) -> None:
    for operations in schema["paths"].values():
        for operation in operations.values():
            if "security" in operation:
                operation["security"].insert(0, {})
