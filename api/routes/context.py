"""`GET /v1/context`: evidence for a language model, within a budget of tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.access.scopes import scoped
from api.dependencies import EngineDep, WorkDep
from api.problems import problems
from api.retrieval.context import MAX_BUDGET, context_for
from api.retrieval.schemas import ContextOut, EvidenceKind
from api.routes.search import Fine, Labels, Text
from api.search.granularity import DEFAULT
from kg.errors import (
    ConstraintError,
    InputError,
    MissingPartError,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
)

__all__ = ["router"]

Kinds = Annotated[
    list[EvidenceKind],
    Query(alias="kind", max_length=10, description="only evidence of these; may be repeated"),
]

router = APIRouter(tags=["search"], route_class=scoped("read"))


@router.get(
    "/v1/context",
    summary="Assemble a context for a language model",
    responses=problems(
        InputError,
        MissingPartError,
        QueryTimeoutError,
        ConstraintError,
        StoreError,
        StoreUnavailableError,
    ),
)
async def context(
    q: Text,
    engine: EngineDep,
    work: WorkDep,
    budget: Annotated[int, Query(ge=1, le=MAX_BUDGET, description="most tokens")] = 2_000,
    k: Annotated[int, Query(ge=1, le=50, description="entities looked at")] = 10,
    label: Labels = [],  # noqa: B006
    kind: Kinds = [],  # noqa: B006
    granularity: Fine = DEFAULT,
) -> ContextOut:
    """Return evidence for a text, best first: answers, prose, facts, pictures and their parts.

    Each line has its status (known, or likely with its probability), its source and a key to cite.
    """
    return await work(
        context_for,
        engine,
        q,
        budget=budget,
        k=k,
        labels=label,
        kinds=kind,
        granularity=granularity,
    )
