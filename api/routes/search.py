"""`GET /v1/search`: entities by words and by meaning."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.access.scopes import scoped
from api.dependencies import EngineDep, WorkDep
from api.next_page import link_next
from api.problems import problems
from api.routes.examples import SEARCHES, WITHIN
from api.routes.query import QUESTION_ERRORS
from api.search.granularity import GLANCE, Chosen
from api.search.hybrid import MAX_HITS, MAX_QUERY
from api.search.schemas import SearchOut
from kg.errors import ConstraintError, StoreError, StoreUnavailableError

__all__ = ["router"]

router = APIRouter(tags=["search"], route_class=scoped("read"))

# JSON Schema's \s lacks U+0085 and pydantic's lacks U+FEFF: both are named, so that both agree
_NOT_BLANK = r"[^\s\x85\uFEFF]"
Text = Annotated[
    str,
    Query(min_length=1, max_length=MAX_QUERY, pattern=_NOT_BLANK, openapi_examples=SEARCHES),
]
Limit = Annotated[int, Query(ge=1, le=MAX_HITS, description="most hits of a page")]
Labels = Annotated[
    list[str], Query(alias="label", max_length=20, description="only of these; may be repeated")
]
Fine = Annotated[
    Chosen,
    Query(description="how fine prose is cut: a sentence, a passage, a whole text; or by the text"),
]
After = Annotated[str | None, Query(max_length=20_000, description="the `next` of the page before")]
Within = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=10_000,
        description="a question in any notation, such as the `query` of a suggestion in JSON",
        openapi_examples=WITHIN,
    ),
]


@router.get(
    "/v1/search",
    summary="Search everything",
    responses=problems(
        *QUESTION_ERRORS,
        ConstraintError,
        StoreError,
        StoreUnavailableError,
    ),
)
async def search(
    q: Text,
    engine: EngineDep,
    work: WorkDep,
    response: Response,
    k: Limit = 10,
    label: Labels = [],  # noqa: B006
    within: Within = None,
    granularity: Fine = GLANCE,
    after: After = None,
) -> SearchOut:
    """Find entities by their names, prose, pictures' parts and neighbours, and by meaning.

    Each hit says where it stood in each list, and which of its texts hold words of the query. A
    server that has no vectors of meaning yet answers by words, says so, and makes them meanwhile.
    With `within`, the first 100 hits are cut to those that are known answers of that question.
    `Link` names the next page; each of the lists that are fused gives its best 100.
    """
    found = await work(
        engine.search,
        q,
        k=k,
        labels=label,
        within=within,
        granularity=granularity,
        after=after,
        patient=False,
    )
    link_next(
        response,
        "/v1/search",
        after=found.next,
        q=q,
        k=k,
        label=label,
        within=within,
        granularity=granularity,
    )
    return found
