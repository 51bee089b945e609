"""Hyper-parameters of embeddings; saved with their checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from kg.config_fields import added, identity, restored
from kg.errors import SettingError

__all__ = ["ComplexConfig", "EmbeddingConfig", "TuckerConfig", "config_from_json"]

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingConfig:
    """How an embedding is trained; the models add what is theirs.

    Attributes:
        epochs: Passes over the edges, at least 1; early stopping may take fewer.
        learning_rate: Of Adagrad, above 0.
        regulariser: Weight λ of the cubic regulariser, at least 0.
        relation_weight: Weight of predicting the relation of a pair (Chen et al., arXiv
            2110.02834), at least 0; helps where pairs have many relations (FB15k-237).
        batch: Most (head, relation) rows a step.
        parts: Relations a step, at least 1, where each relation has candidates of its own; each
            takes an equal share of the batch's rows.
        candidates: Most tails in one softmax besides the batch's own; None takes all.
        scale: Standard deviation of the initial values.
        keep_every: Epochs between two kept states, where a folder for them is given.
        precision: Of the products of scores, where the processor makes such products itself (it
            takes 32 bits otherwise, which are faster there); sums are always of 32 bits.
        both_directions: Score an edge by the mean of r and r⁻¹, not by r alone.
        patience: Epochs without a better valid MRR until training stops, at least 1; None trains
            all epochs and returns the last, however its valid MRR is.
        average_from: From this epoch on, the mean of the parameters at the ends of epochs is
            judged and returned (Polyak averaging: it takes out the noise of the last steps); None
            for never.
        valid_edges: Most valid edges that an epoch is judged by, drawn once.
    """

    model: ClassVar[str]

    epochs: int = 40
    learning_rate: float = 0.1
    regulariser: float = 0.02
    relation_weight: float = 0.0
    batch: int = 256
    parts: int = 1
    candidates: int | None = 1024
    scale: float = 0.1
    keep_every: int = 20
    precision: Precision = "float32"
    both_directions: bool = True
    patience: int | None = 3
    average_from: int | None = None
    valid_edges: int = 2000

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name in ("epochs", "batch", "parts", "keep_every", "valid_edges"):
            self._check_count(name)
        for name in ("candidates", "average_from", "patience"):
            if getattr(self, name) is not None:
                self._check_count(name)
        if self.learning_rate <= 0 or self.regulariser < 0 or self.scale <= 0:
            raise SettingError("learning_rate and scale lie above 0, regulariser at 0 or above")
        if self.relation_weight < 0:
            raise SettingError(f"relation_weight is {self.relation_weight}, below 0")
        if self.precision not in ("float32", "bfloat16"):
            raise SettingError(f"precision is {self.precision!r}, not 'float32' or 'bfloat16'")

    def _check_count(self, name: str) -> None:
        value = getattr(self, name)
        if value < 1:
            raise SettingError(f"{type(self).__name__}.{name} is {value}, not at least 1")

    def to_json(self) -> dict[str, Any]:
        """Return the configuration, and which model it is of, as plain JSON values."""
        return {"model": self.model, **identity(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexConfig(EmbeddingConfig):
    """How ComplEx is trained.

    Attributes:
        rank: Complex dimensions of each member, at least 1.
        members: Models that are trained one after another from seeds of their own, at least 1;
            a score is the mean of theirs.
        beside: Further members with settings of their own (wide vectors and narrow ones make
            different mistakes); a score is the mean of both means.
    """

    model: ClassVar[str] = "complex"

    rank: int = 48
    members: int = 1
    beside: ComplexConfig | None = added(None, before=None)

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        EmbeddingConfig.__post_init__(self)
        self._check_count("rank")
        self._check_count("members")
        if self.beside is not None:
            self._check_beside(self.beside)

    def _check_beside(self, beside: ComplexConfig) -> None:
        if beside.beside is not None:
            raise SettingError(
                "embedding.beside has a beside of its own",
                hint="members of two kinds can be trained: those of embedding and those of beside",
            )
        if beside.both_directions != self.both_directions:
            raise SettingError(
                f"embedding.both_directions is {self.both_directions}, that of beside is not",
                hint="give both the same value: their scores are added up",
            )

    @property
    def whole_rank(self) -> int:
        """Complex dimensions of all members together."""
        others = 0 if self.beside is None else self.beside.whole_rank
        return self.members * self.rank + others


@dataclass(frozen=True, slots=True, kw_only=True)
class TuckerConfig(EmbeddingConfig):
    """How TuckER is trained.

    Attributes:
        dimension: Of entities, at least 1.
        relation_dimension: Of relations, at least 1.
    """

    model: ClassVar[str] = "tucker"

    dimension: int = 64
    relation_dimension: int = 16

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        EmbeddingConfig.__post_init__(self)
        self._check_count("dimension")
        self._check_count("relation_dimension")


EMBEDDINGS: Mapping[str, type[EmbeddingConfig]] = {
    kind.model: kind for kind in (ComplexConfig, TuckerConfig)
}
"""Kinds of embeddings by the name of their model."""


def config_from_json(value: Mapping[str, Any]) -> EmbeddingConfig:
    """Read what `EmbeddingConfig.to_json` wrote.

    Raises:
        TypeError: A field is unknown.
        KeyError: The model is unknown.
    """
    fields = dict(value)
    kind = EMBEDDINGS[fields.pop("model")]
    if fields.get("beside") is not None:
        fields["beside"] = ComplexConfig(**restored(ComplexConfig, fields["beside"]))
    return kind(**restored(kind, fields))
