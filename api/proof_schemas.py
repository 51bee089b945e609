"""What every door shows of answers: proofs, their records, and what edits or doubts say of them.

Part of `api.schemas`, which the doors import.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "AnswerOut",
    "ChangeOut",
    "ChangesOut",
    "ImageOut",
    "LinkOut",
    "Model",
    "PartOut",
    "ProofEdgeOut",
    "ProofNodeOut",
    "ProofOut",
    "RecordOut",
    "WhyNotOut",
]


class Model(BaseModel):
    """Base of all: frozen, and an unknown field of a request is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordOut(Model):
    """One provenance record: why a fact is believed."""

    kind: Literal["asserted", "linked", "generated", "accepted"]
    source: str
    locator: str | None = None
    text: str | None = None
    job: str | None = None
    model: str | None = None
    probability: float = 1.0


class PartOut(Model):
    """A part of an image, enough to outline it."""

    key: str
    name: str
    parent: str
    image: str = Field(description="sha256 of the image; GET /v1/images/{sha256}")
    width: int
    height: int
    box_xyxy: tuple[float, float, float, float]
    outline: str | None = Field(default=None, description="SVG path in pixels of the image")
    confidence: float


class ImageOut(Model):
    """An image of an entity."""

    sha256: str
    width: int
    height: int
    source: str


class ProofEdgeOut(Model):
    """One edge of a proof with the records behind it."""

    head: str
    head_name: str
    relation: str
    tail: str
    tail_name: str
    status: Literal["known", "predicted", "absent"]
    probability: float
    records: tuple[RecordOut, ...] = ()
    reasons: tuple[str, ...] = Field(default=(), description="for a predicted edge: path rules")


class ProofNodeOut(Model):
    """One node of a proof tree: the query's structure with every variable bound."""

    kind: Literal["anchor", "fact", "gap", "projection", "intersection", "union", "negation"]
    variable: int | None = Field(
        default=None, description="0 the answer, then the inner ones; null if given"
    )
    entity: str
    name: str
    truth: float = Field(description="from the branches: Πx, 1 − Π(1 − x), 1 − x")
    text: str | None = None
    edge: ProofEdgeOut | None = None
    branches: tuple[ProofNodeOut, ...] = ()


class ProofOut(Model):
    """Why an entity is an answer."""

    edges: tuple[ProofEdgeOut, ...] = Field(description="of the tree, root first")
    facts: tuple[str, ...]
    probability: float
    parts: tuple[PartOut, ...] = ()
    tree: ProofNodeOut


class CellOut(Model):
    """An entity in a row."""

    key: str
    name: str


class RowProofOut(Model):
    """Why a row of several variables is an answer."""

    bindings: dict[str, CellOut] = Field(description="every variable, inner ones too")
    edges: tuple[ProofEdgeOut, ...]
    facts: tuple[str, ...]


class AnswerOut(Model):
    """One answer."""

    key: str
    name: str
    label: str
    status: Literal["known", "likely"]
    probability: float
    score: float
    region: Literal["core", "rim"] | None = None
    lower: float
    upper: float
    weakest: RecordOut | None = Field(
        default=None, description="for a known answer: the weakest record of its best proof"
    )
    image: ImageOut | None = None
    proof: ProofOut | None = None

    def _repr_svg_(self) -> str | None:
        """Show the proof; a notebook shows plain values where there is none."""
        from api.proof_texts import notes
        from reasoning.explanations.svg import proof_svg

        return None if self.proof is None else proof_svg(self.proof.tree, notes).decode()


class LinkOut(Model):
    """Something that a proof rests on and that is not certain."""

    kind: Literal["edge", "fact", "negation"]
    text: str
    truth: float


class WhyNotOut(Model):
    """Why an entity is no better answer."""

    key: str
    name: str
    truth: float = Field(description="0 where it is no answer at all")
    better: int = Field(description="how many entities have a higher truth")
    weakest: LinkOut | None = None
    needed: tuple[LinkOut, ...] = Field(description="what is not certain, root first")
    proof: ProofOut = Field(description="the best that it could have")


class ChangeOut(Model):
    """An answer whose standing differs under edits."""

    key: str
    name: str
    before: float | None = Field(default=None, description="probability over the graph as it is")
    after: float | None = Field(default=None, description="probability under the edits")


class ChangesOut(Model):
    """What edits do to the answers of a question."""

    assumed: tuple[tuple[str, str, str], ...]
    without: tuple[tuple[str, str, str], ...]
    new: tuple[ChangeOut, ...]
    gone: tuple[ChangeOut, ...]
    moved: tuple[ChangeOut, ...]
