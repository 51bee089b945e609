"""All that steers a linker, saved with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from kg.config_fields import added, restored
from kg.errors import SettingError
from linkers.decision import DecisionConfig
from linkers.matching import MatchingConfig

__all__ = ["LinkerConfig"]

_MATCHING: Mapping[str, Any] = {
    "parts": "global",
    "learning_rate": 2e-4,
    "batch": 128,
    "epochs": 12,
    "patience": 12,
    "start": "cosine",
    "image_learning_rate": 1e-3,
}
"""Of the network where mentions are words first: token attention (G2L) and large steps do not pay
on the valid mentions of the text sets and the demo, and few pictures teach a network that starts as
the cosine (docs/benchmarks/linking-demo-m3el.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkerConfig:
    """How mentions are linked and the linker is trained.

    Attributes:
        candidates: Most entities looked at closely, for each mention.
        kept: Candidates that a `Link` names.
        link_above: An entity with at least this probability is linked; a weaker one that is still
            likelier than NIL goes to review. In [0, 1].
        nil_above: NIL is decided from this probability on, if it is likelier than any entity.
        coherent_above: Links of at least this probability speak for the other mentions of their
            document.
        student: Whether a search that learns from the network (`linkers.distillation`) names
            candidates too.
        foreign_words: How many words that are foreign to the base each mention is weighed against
            (`linkers.foreign_words`): how much rather it is like its candidates is one more mark
            that the decision sees. They come from the texts of the mentions to learn from; 0 for
            none.
        folds: Networks trained apart to give the decision honest scores, at least 2.
        matching: The network's settings by name, whole: what is not named is as `MatchingConfig`
            has it. Dimensions come from the encoders.
        decision: The decision's settings.
    """

    candidates: int = 64
    kept: int = 10
    link_above: float = 0.5
    nil_above: float = 0.0
    coherent_above: float = 0.9
    student: bool = False
    foreign_words: int = added(0, before=0)
    folds: int = 2
    matching: Mapping[str, Any] = field(default_factory=lambda: dict(_MATCHING))
    decision: DecisionConfig = field(default_factory=DecisionConfig)

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name in ("link_above", "nil_above", "coherent_above"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if self.candidates < 1 or self.kept < 1 or self.folds < 2:
            raise SettingError("candidates and kept must be at least 1, folds at least 2")
        if self.foreign_words < 0:
            raise SettingError(f"foreign_words must be at least 0, got {self.foreign_words}")
        if self.foreign_words and self.decision.opinions == "alone":
            raise SettingError(
                "foreign_words is a mark for networks, and opinions 'alone' leaves them out",
                hint="choose opinions 'none' or 'marks', or leave foreign_words at 0",
            )
        self.network(text_dimension=1, image_dimension=1)

    def network(self, *, text_dimension: int, image_dimension: int) -> MatchingConfig:
        """Return the network's config for encoders of these sizes.

        Raises:
            SettingError: A setting is unknown or out of range.
        """
        known = {f.name for f in fields(MatchingConfig)} - {"text_dimension", "image_dimension"}
        unknown = sorted(set(self.matching) - known)
        if unknown:
            raise SettingError(f"the matching network knows no setting {unknown[0]!r}")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self.matching.items()
        }
        return MatchingConfig(
            text_dimension=text_dimension, image_dimension=image_dimension, **values
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            SettingError: A name is unknown or a value out of range.
        """
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise SettingError(f"a linker knows no setting {unknown[0]!r}")
        given = dict(values)
        try:
            given["decision"] = DecisionConfig(
                **restored(DecisionConfig, given.get("decision", {}))
            )
            return cls(**restored(cls, given))
        except TypeError as error:
            raise SettingError(f"not the settings of a linker: {error}") from error
