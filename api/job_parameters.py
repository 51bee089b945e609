"""What each kind of job of the REST door may be asked for; anything else is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.proof_schemas import Model
from api.steps.train import ModelName
from kg.errors import InputError

__all__ = [
    "MENTION_PARTS",
    "SHAPES",
    "EvaluateParameters",
    "ImportParameters",
    "JobIn",
    "JobKindName",
    "ScenesParameters",
    "TrainParameters",
    "checked",
]

JobKindName = Literal["link", "import", "scenes", "train", "evaluate"]
P = TypeVar("P", bound=BaseModel)
Name = Annotated[str, Field(min_length=1, max_length=200)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: ClassVar[JobKindName]


class ImportParameters(_Parameters):
    """A graph in the request, in a format that is one text.

    Attributes:
        format: Its format.
        text: The graph itself.
        max_errors: End after so many rejected rows; None takes whatever is left.
    """

    kind: ClassVar[JobKindName] = "import"
    format: Literal[
        "jsonl", "wikidata", "graphml", "n-triples", "n-quads", "turtle", "trig", "json-ld",
        "rdf-xml",
    ]  # fmt: skip
    text: Annotated[str, Field(min_length=1)]
    max_errors: Annotated[int, Field(ge=0)] | None = None


class ScenesParameters(_Parameters):
    """Which images of the graph to take apart, by the model that was trained last.

    Attributes:
        label: Label of the entities whose images are taken.
    """

    kind: ClassVar[JobKindName] = "scenes"
    label: Name


class TrainParameters(_Parameters):
    """A model to train on the graph as it is.

    Attributes:
        model: Which.
        seed: Everything random follows from it.
    """

    kind: ClassVar[JobKindName] = "train"
    model: ModelName = "symbolic"
    seed: Seed = 0


class EvaluateParameters(_Parameters):
    """Edges to hold out, and the model that is trained without them and ranks them.

    Attributes:
        relations: Relations of which edges are held out.
        undirected: Those of them whose two directions are held out together.
        share: Share of their edges.
        model: Which model is trained on the rest.
        seed: Of the choice, the training and the random baseline.
    """

    kind: ClassVar[JobKindName] = "evaluate"
    relations: Annotated[list[Name], Field(min_length=1, max_length=1000)]
    undirected: Annotated[list[Name], Field(max_length=1000)] = []
    share: Annotated[float, Field(gt=0, le=0.5)] = 0.1
    model: ModelName = "symbolic"
    seed: Seed = 0


SHAPES = (ImportParameters, ScenesParameters, TrainParameters, EvaluateParameters)
"""What each kind takes that is a step of the engine; its kind is the class's own."""
MENTION_PARTS = ("id", "surface", "context", "start", "end", "document")
"""Parts of a mention that a request may hold; a picture would be a file of the server."""

_MENTIONS = {
    "type": "object",
    "properties": {
        "mentions": {"type": "array", "items": {"type": "object"}, "minItems": 1},
        "columns": {
            "type": "object",
            "description": "part of a mention to the name it has in `mentions`",
            "propertyNames": {"enum": list(MENTION_PARTS)},
            "additionalProperties": {"type": "string"},
        },
    },
    "required": ["mentions"],
    "additionalProperties": False,
}


def _by_kind(schema: dict[str, Any]) -> None:
    """Say of each kind what its parameters are; which kinds there are is the server's matter."""
    parameters: dict[str, Any] = {"link": _MENTIONS} | {
        shape.kind: shape.model_json_schema() for shape in SHAPES
    }
    about = {"title": schema["title"], "description": schema["description"]}
    schema.clear()
    schema.update(about)
    schema["oneOf"] = [
        {
            "type": "object",
            "title": f"{kind.capitalize()}Job",
            "properties": {"kind": {"const": kind}, "parameters": shape},
            "required": ["kind", "parameters"],
            "additionalProperties": False,
        }
        for kind, shape in parameters.items()
    ]


class JobIn(Model):
    """A job to start; its parameters depend on the kind."""

    model_config = ConfigDict(json_schema_extra=_by_kind)

    kind: JobKindName
    parameters: dict[str, Any] = Field(default_factory=dict)


def checked(shape: type[P]) -> Callable[[Mapping[str, Any]], P]:
    """Return what reads the parameters of a kind of job.

    The function raises an `InputError` that names the first parameter that does not fit.

    Example:
        >>> checked(TrainParameters)({"model": "cone"}).seed
        0
    """

    def read(parameters: Mapping[str, Any]) -> P:
        try:
            return shape.model_validate(dict(parameters))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(["parameters", *map(str, first["loc"])])
            raise InputError(first["msg"], where=place) from None

    return read
