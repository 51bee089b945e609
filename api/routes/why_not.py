"""`POST /v1/why-not`: what an entity lacks to be an answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from api.access.scopes import scoped
from api.dependencies import SteadyEngineDep, WorkDep
from api.problems import problems
from api.routes.answer_examples import WHY_NOT
from api.routes.examples import ABSENCES, shown
from api.routes.query import QUESTION_ERRORS
from api.schemas import WhyNotIn, WhyNotOut

__all__ = ["router"]

router = APIRouter(tags=["questions"], route_class=scoped("read"))


@router.post(
    "/v1/why-not",
    summary="Ask why an entity is no better answer",
    responses=problems(*QUESTION_ERRORS) | shown(WHY_NOT),
)
async def why_not(
    body: Annotated[WhyNotIn, Body(openapi_examples=ABSENCES)],
    engine: SteadyEngineDep,
    work: WorkDep,
) -> WhyNotOut:
    """Name the weakest link of the best proof that an expected answer could have."""
    return await work(
        engine.why_not,
        body.query,
        body.entity,
        parameters=body.parameters,
        assume=body.assume,
        without=body.without,
    )
