"""What every door of Umbra speaks: the values that REST, `--json`, Python and the page share.

Frozen pydantic models; `Engine` returns them, so that no door can tell another story.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api.json_numbers import JSON_NUMBER
from api.proof_schemas import (
    AnswerOut,
    CellOut,
    ChangesOut,
    ImageOut,
    Model,
    PartOut,
    ProofEdgeOut,
    ProofNodeOut,
    ProofOut,
    RecordOut,
    RowProofOut,
    WhyNotOut,
)

__all__ = [
    "GRAPH",
    "AnswerOut",
    "AnswersOut",
    "CellOut",
    "ChangesOut",
    "CountOut",
    "CypherIn",
    "EdgeOut",
    "EdgesOut",
    "EntityOut",
    "HealthOut",
    "ImageOut",
    "InfoOut",
    "JobOut",
    "JobsOut",
    "LimitsOut",
    "Model",
    "NumberOut",
    "PartOut",
    "ProblemOut",
    "ProofEdgeOut",
    "ProofNodeOut",
    "ProofOut",
    "QueryIn",
    "QuestionIn",
    "RecordOut",
    "RowProofOut",
    "RowsOut",
    "TableOut",
    "WhyNotIn",
    "WhyNotOut",
]


EdgeIn = tuple[str, str, str]
"""Head, relation, tail; entities by key or by a name that only one has."""


class QuestionIn(Model):
    """What every question has: a text of Cypher, SPARQL or nested tuples, or a tree in JSON."""

    query: str | dict[str, Any] = Field(
        examples=["MATCH (c:Country)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c"]
    )
    parameters: dict[str, Any] = Field(default_factory=dict)
    assume: tuple[EdgeIn, ...] = Field(
        default=(), max_length=1000, description="edges added for this question alone"
    )
    without: tuple[EdgeIn, ...] = Field(
        default=(), max_length=1000, description="edges taken away for this question alone"
    )


class QueryIn(QuestionIn):
    """A question whose best answers are wanted."""

    k: Annotated[int, JSON_NUMBER] = Field(default=10, ge=1, le=1000)
    answerer: Literal["symbolic", "rough", "cone", "exact"] = "symbolic"
    proofs: StrictBool = True
    after: str | None = Field(
        default=None, max_length=20_000, description="the `next` of the page before"
    )


class WhyNotIn(QuestionIn):
    """A question, and an entity that was expected among its answers."""

    entity: str = Field(
        min_length=1, max_length=1000, description="key, or a name that only one entity has"
    )


class NumberOut(Model):
    """A number of an entity: as the graph holds it, or predicted."""

    key: str
    name: str
    attribute: str
    status: Literal["known", "predicted"]
    value: float
    low: float = Field(description="lower end of the interval; the value if known")
    high: float = Field(description="upper end")
    coverage: float = Field(description="how often such an interval holds the value; 1 if known")
    because: tuple[str, ...] = Field(description="values around it that told most")


class CountOut(Model):
    """How many answers a question has."""

    known: int
    expected_likely: float = Field(description="sum of the probabilities of likely answers")


class RowsOut(Model):
    """Rows of entities, for a question with several variables or a cycle; all are known."""

    columns: tuple[str, ...]
    rows: tuple[tuple[CellOut, ...], ...]
    total: int
    proofs: tuple[RowProofOut, ...] = Field(
        default=(), description="one a row, on known edges only: predicted ones do not join"
    )


class AnswersOut(Model):
    """The answers of one question, known ones first."""

    query: dict[str, Any] = Field(description="the tree or pattern that was answered, in JSON")
    text: str | None = Field(default=None, description="the text that it was read from")
    structure: str | None = Field(default=None, description="1p … pni, if it has such a name")
    answerer: str
    snapshot: str = Field(description="hash of the snapshot that it ran on")
    answers: tuple[AnswerOut, ...]
    total_known: int
    next: str | None = Field(
        default=None, description="sent as `after`, it asks for the page after this one"
    )
    bound: float | None = None
    changes: ChangesOut | None = Field(
        default=None,
        description="with assume or without: what differs from the graph as it is among the "
        "answers of this page, and of as long a page without the edits; each is told on one page",
    )
    count: CountOut | None = Field(default=None, description="where the text asks for a count")
    rows: RowsOut | None = Field(default=None, description="where the text asks for several things")
    warnings: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        from api.display import answers_html

        return answers_html(self)


class CypherIn(Model):
    """A read-only Cypher query with its parameters and limits."""

    query: str = Field(
        examples=["MATCH (a:Country)-[:borders]->(b) RETURN a.name AS name, count(b) AS n"]
    )
    parameters: dict[str, Any] = Field(default_factory=dict)
    timeout_s: Annotated[float | None, JSON_NUMBER] = Field(default=None, ge=0.1)
    max_rows: Annotated[int | None, JSON_NUMBER] = Field(default=None, ge=1)


GRAPH = "application/vnd.umbra.graph+json"
"""Media type of a Cypher result as the graph that stands in it."""

NDJSON = "application/x-ndjson"
"""Media type of rows as lines of JSON."""


class TableOut(Model):
    """Rows of a Cypher query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = False


class EdgeOut(Model):
    """An edge with its records."""

    head: str
    head_name: str
    relation: str
    tail: str
    tail_name: str
    attributes: dict[str, Any] = Field(default_factory=dict)
    probability: float
    known: bool
    records: tuple[RecordOut, ...]


class EdgesOut(Model):
    """A page of an entity's edges."""

    edges: tuple[EdgeOut, ...]
    truncated: bool = Field(default=False, description="there are more edges than this page")
    next: str | None = Field(default=None, description="cursor: send it as `after` for more")


class EntityOut(Model):
    """An entity, its images and parts, and a page of its edges."""

    key: str
    label: str
    name: str
    aliases: tuple[str, ...] = ()
    attributes: dict[str, Any] = Field(default_factory=dict)
    images: tuple[ImageOut, ...] = ()
    parts: tuple[PartOut, ...] = ()
    part: PartOut | None = None
    edges: tuple[EdgeOut, ...] = ()
    truncated: bool = Field(default=False, description="there are more edges than this page")
    next: str | None = Field(default=None, description="cursor: send it as `after` for more")

    def _repr_html_(self) -> str:
        from api.display import entity_html

        return entity_html(self)


class JobOut(Model):
    """A job and how far it has come."""

    id: str
    kind: str
    state: Literal["pending", "running", "paused", "done", "failed", "cancelled"]
    done: int
    total: int
    unit: str = "records"
    counts: dict[str, int] = Field(default_factory=dict, description="rows by state")
    error: str | None = None
    output: str | None = None


class JobsOut(Model):
    """A page of the jobs that the server knows, newest first."""

    jobs: tuple[JobOut, ...]
    next: str | None = Field(default=None, description="the last job of the page: send as `after`")


class HealthOut(Model):
    """A sign of life."""

    status: Literal["ok"] = "ok"


class LimitsOut(Model):
    """What one request may ask for."""

    timeout_s: float
    max_answers: int
    max_rows: int
    max_streamed_rows: int
    max_body_bytes: int


class InfoOut(Model):
    """What this server holds and allows."""

    version: str
    snapshot: str = Field(description="hash of the snapshot that questions run on")
    num_entities: int
    num_edges: int
    num_parts: int
    labels: dict[str, int] = Field(description="entities by label")
    relations: dict[str, int] = Field(description="edges by relation")
    answerers: tuple[str, ...] = Field(description="interpreters that can answer now")
    limits: LimitsOut


class ProblemOut(BaseModel):
    """A problem as RFC 9457 says; further members depend on its type."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str = Field(description="urn:umbra:problem:SLUG; stable")
    title: str
    status: int
    detail: str | None = None
    hint: str | None = None
    instance: str | None = Field(default=None, description="path of the request")
    request_id: str | None = Field(default=None, description="as in the X-Request-Id header")
    position: int | None = Field(default=None, description="0-based offset into the query text")
    line: int | None = None
    column: int | None = None
    errors: tuple[dict[str, Any], ...] | None = Field(
        default=None, description="fields that do not fit the schema: pointer and detail"
    )
    retry_after_seconds: int | None = None
