"""`/healthz` and `/readyz`: is the process alive, and can it answer."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import EngineDep, WorkDep
from api.engine import Engine
from api.problems import problems
from api.schemas import HealthOut
from kg.errors import MissingPartError, StoreUnavailableError

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Alive?")
async def healthz() -> HealthOut:
    """Answer as long as the process lives."""
    return HealthOut()


@router.get(
    "/readyz", summary="Ready?", responses=problems(MissingPartError, StoreUnavailableError)
)
async def readyz(engine: EngineDep, work: WorkDep) -> HealthOut:
    """Answer once store, snapshot and models are open; until then say what lacks."""
    await work(_touch, engine)
    return HealthOut()


def _touch(engine: Engine) -> None:
    _ = engine.snapshot.num_entities, engine.store.version, engine.answerer("symbolic")
