"""Requests and answers of the reconciliation protocol 0.2; names are the protocol's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from api.proof_schemas import Model
from kg.errors import InputError

__all__ = [
    "BATCH",
    "CandidateOut",
    "ExtendIn",
    "ExtendOut",
    "ManifestOut",
    "MetaOut",
    "NamedOut",
    "PropertiesOut",
    "QueryIn",
    "ResultOut",
    "SuggestionOut",
    "SuggestionsOut",
    "read_extension",
    "read_queries",
]

BATCH = 50
"""Queries of one request."""
MAX_ROWS = 1_000
"""Entities and properties of one extension, together as rows times columns."""


class _Given(BaseModel):
    """What a client sends; fields that the protocol leaves open are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Reference(_Given):
    id: str
    name: str | None = None


Value = str | int | float | bool | _Reference


class PropertyIn(_Given):
    """A column of the row that is to be matched."""

    pid: str = Field(max_length=500)
    v: Value | list[Value]

    def texts(self) -> list[str]:
        """Return the values, each as text; an entity by its name, or else its key."""
        values = self.v if isinstance(self.v, list) else [self.v]
        return [v.name or v.id if isinstance(v, _Reference) else str(v) for v in values]


class QueryIn(_Given):
    """A row to be matched: by a name, by values of properties, or by both."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(default="", max_length=1_000)
    type: str | list[str] | None = None
    limit: float = Field(default=5, ge=1, le=100)
    properties: list[PropertyIn] = Field(default=[], max_length=50)
    type_strict: Literal["any", "should", "all"] = "any"

    @model_validator(mode="after")
    def _says_something(self) -> QueryIn:
        if "query" not in self.model_fields_set and not self.properties:
            raise ValueError("neither a query nor a property")
        return self

    @property
    def types(self) -> frozenset[str]:
        """The types asked for."""
        given = self.type or []
        return frozenset([given] if isinstance(given, str) else given)


class PropertyAskedIn(_Given):
    """A property whose values are wanted."""

    id: str = Field(max_length=500)
    settings: dict[str, Any] = Field(default_factory=dict)


class ExtendIn(_Given):
    """Entities and the properties to fetch of them."""

    ids: list[str] = Field(max_length=MAX_ROWS)
    properties: list[PropertyAskedIn] = Field(max_length=50)


_QUERIES = TypeAdapter(Annotated[dict[str, QueryIn], Field(max_length=BATCH)])


def read_queries(text: str) -> dict[str, QueryIn]:
    """Read a batch of queries.

    Raises:
        InputError: It is no such batch; the first field that is wrong is named.
    """
    try:
        return _QUERIES.validate_json(text)
    except ValidationError as error:
        raise _refused(error, "queries") from error


def read_extension(text: str) -> ExtendIn:
    """Read a data extension query.

    Raises:
        InputError: It is none, or asks for too much.
    """
    try:
        asked = ExtendIn.model_validate_json(text)
    except ValidationError as error:
        raise _refused(error, "extend") from error
    if len(asked.ids) * max(1, len(asked.properties)) > MAX_ROWS:
        raise InputError(
            f"more than {MAX_ROWS} values at once", where="extend", hint="ask for less"
        )
    return asked


def _refused(error: ValidationError, where: str) -> InputError:
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(map(str, first["loc"]))[:200]
    return InputError(f"{place or 'it'}: {first['msg'][:200]}", where=where)


class NamedOut(Model):
    """A type or property."""

    id: str
    name: str


class FeatureOut(Model):
    """A number that the match rests on."""

    id: str
    value: float | bool


class CandidateOut(Model):
    """An entity that a row may mean."""

    id: str
    name: str
    description: str | None = None
    score: float = Field(description="0 to 100; of a linker: its probability in per cent")
    match: bool = Field(description="sure enough to be taken without a look")
    type: tuple[NamedOut, ...]
    features: tuple[FeatureOut, ...] = ()


class ResultOut(Model):
    """The candidates of one query, best first."""

    result: tuple[CandidateOut, ...]


class SuggestionOut(NamedOut):
    """What a beginning may become."""

    description: str | None = None
    notable: tuple[NamedOut, ...] | None = None


class SuggestionsOut(Model):
    """Completions of a beginning."""

    result: tuple[SuggestionOut, ...]


class MetaOut(NamedOut):
    """A property that was fetched, and of which type the entities are that it leads to."""

    type: NamedOut | None = None


class PropertiesOut(Model):
    """Properties that may be fetched."""

    type: str | None = None
    limit: int | None = None
    properties: tuple[NamedOut, ...]


class ExtendOut(Model):
    """Values of properties, by entity and property."""

    meta: tuple[MetaOut, ...]
    rows: dict[str, dict[str, tuple[dict[str, str | int | float], ...]]]


class ManifestOut(Model):
    """What the service offers."""

    versions: tuple[str, ...] = ("0.2",)
    name: str
    serviceVersion: str  # noqa: N815 - the protocol's name
    identifierSpace: str  # noqa: N815
    schemaSpace: str  # noqa: N815
    defaultTypes: tuple[NamedOut, ...]  # noqa: N815
    batchSize: int = BATCH  # noqa: N815
    view: dict[str, str]
    preview: dict[str, str | int]
    suggest: dict[str, dict[str, str]]
    extend: dict[str, Any]
