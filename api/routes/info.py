"""`GET /v1/info`: what this server holds and allows."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, Request

from api.access.scopes import scoped
from api.dependencies import engine_of, work_of
from api.engine import Engine
from api.problems import problems
from api.schemas import InfoOut, LimitsOut
from api.serving.kept_answers import UNCHANGED
from api.settings import Settings
from kg.errors import MissingPartError

__all__ = ["info_of", "installed_version", "limits_of", "router"]

router = APIRouter(tags=["store"], route_class=scoped("read"))


@router.get("/v1/info", summary="What is here", responses=problems(MissingPartError) | UNCHANGED)
async def info(request: Request) -> InfoOut:
    """Count entities by label and edges by relation, and name the limits of one request."""
    return await work_of(request)(info_of, engine_of(request))


@cache
def installed_version() -> str:
    """Return Umbra's version, ``0`` where it runs without being installed."""
    try:
        return version("umbra-kg")
    except PackageNotFoundError:
        return "0"


def info_of(engine: Engine) -> InfoOut:
    """Count what a graph holds, and name the limits."""
    import numpy as np

    graph = engine.snapshot
    labels = np.bincount(graph.label_ids, minlength=len(graph.labels)).tolist()
    relations = np.bincount(graph.relations, minlength=graph.num_relations).tolist()
    trained = (
        name
        for name in ("symbolic", "rough", "cone")
        if engine.workspace.model(engine.snapshot_name, name).is_dir()
    )
    return InfoOut(
        version=installed_version(),
        snapshot=graph.hash,
        num_entities=graph.num_entities,
        num_edges=graph.num_edges,
        num_parts=int((graph.parents >= 0).sum()),
        labels=dict(zip(graph.labels, labels, strict=True)),
        relations=dict(zip(graph.relation_names, relations, strict=True)),
        answerers=("exact", *trained),
        limits=limits_of(engine.settings),
    )


def limits_of(settings: Settings) -> LimitsOut:
    """Return what one request may ask for; the tags of kept answers say it too."""
    return LimitsOut(
        timeout_s=settings.timeout_s,
        max_answers=settings.max_answers,
        max_rows=settings.max_rows,
        max_streamed_rows=settings.max_streamed_rows,
        max_body_bytes=settings.max_body_bytes,
    )
