"""`/v1/suggestions`: what to ask next, and how many results each of it leads to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query

from api.access.scopes import scoped
from api.dependencies import EngineDep, SteadyEngineDep, WorkDep
from api.problems import problems
from api.routes.examples import QUESTIONS
from api.routes.query import QUESTION_ERRORS
from api.routes.search import Labels, Text, Within
from api.schemas import QuestionIn
from api.suggestion_schemas import QuerySuggestionsOut
from api.suggestions import MAX_SUGGESTIONS, suggest_for_question, suggest_for_search
from kg.errors import ConstraintError, StoreError, StoreUnavailableError

__all__ = ["router"]

router = APIRouter(tags=["search"], route_class=scoped("read"))

Limit = Annotated[int, Query(ge=1, le=MAX_SUGGESTIONS, description="most suggestions")]
EXAMPLES = {
    name: {**one, "value": {key: one["value"][key] for key in one["value"] if key in FIELDS}}
    for FIELDS in [set(QuestionIn.model_fields)]
    for name, one in QUESTIONS.items()
}


@router.get(
    "/v1/suggestions",
    summary="Suggest how to narrow a search",
    responses=problems(*QUESTION_ERRORS, ConstraintError, StoreError, StoreUnavailableError),
)
async def of_search(
    q: Text,
    engine: EngineDep,
    work: WorkDep,
    limit: Limit = 5,
    label: Labels = [],  # noqa: B006
    within: Within = None,
) -> QuerySuggestionsOut:
    """Find facts that part the first 100 hits of a search, with the number of hits of each.

    Send a suggestion's `query` as `within` of the same search: it then has as many hits as told.
    """
    return await work(
        suggest_for_search, engine, q, labels=label, within=within, limit=limit, patient=False
    )


@router.post(
    "/v1/suggestions",
    summary="Suggest what to ask next",
    responses=problems(*QUESTION_ERRORS),
)
async def of_question(
    body: Annotated[QuestionIn, Body(openapi_examples=EXAMPLES)],
    engine: SteadyEngineDep,
    work: WorkDep,
    limit: Limit = 5,
) -> QuerySuggestionsOut:
    """Find facts that part the known answers of a question, with the number of answers of each.

    A question without known answers gets the smallest changes that have some instead.
    """
    return await work(
        suggest_for_question,
        engine,
        body.query,
        parameters=body.parameters,
        assume=body.assume,
        without=body.without,
        limit=limit,
    )
