"""A new field of a configuration changes no saved model: neither its hash nor what it does."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import pytest

from kg.config_fields import added, identity, identity_text, restored
from linkers import DecisionConfig, LinkerConfig
from linkers.boosted import RankerConfig, TreeConfig
from reasoning.folder_model_config import FolderModelConfig
from reasoning.predictors.config import LinkPredictorConfig
from reasoning.predictors.embeddings.config import ComplexConfig, TuckerConfig
from reasoning.predictors.ensemble.config import EnsembleConfig
from reasoning.predictors.rules.config import RuleConfig
from reasoning.symbolic.config import SymbolicConfig

KINDS = (
    *(ComplexConfig, TuckerConfig, RuleConfig, EnsembleConfig, SymbolicConfig),
    *(DecisionConfig, TreeConfig, RankerConfig, LinkerConfig, LinkPredictorConfig),
)
"""Configurations whose hash is in a fingerprint, or that stand in a saved model."""


@dataclass(frozen=True, kw_only=True)
class Old:
    rank: int = 8
    name: str = "é"


@dataclass(frozen=True, kw_only=True)
class Inner:
    depth: int = 2
    leaky: bool = added(False, before=False)


@dataclass(frozen=True, kw_only=True)
class New:
    rank: int = 8
    name: str = "é"
    bias: float = added(0.5, before=0.0)
    inner: Inner = added(Inner(), before=None)


def test_fields_as_before_leave_no_trace() -> None:
    assert identity(New(bias=0.0, inner=None)) == asdict(Old()) == identity(Old())  # type: ignore[arg-type]
    assert identity_text(New(bias=0.0, inner=None)).replace("New", "Old") == repr(Old())  # type: ignore[arg-type]
    assert identity(New()) == {"rank": 8, "name": "é", "bias": 0.5, "inner": {"depth": 2}}
    assert "bias=0.5" in identity_text(New())
    assert identity(New(bias=0.0)) != identity(New())


def test_a_file_without_the_field_is_read_as_it_was() -> None:
    saved = json.loads(json.dumps(asdict(Old(rank=3))))
    read = New(**restored(New, saved))
    assert (read.rank, read.bias, read.inner) == (3, 0.0, None)
    assert restored(New, {"bias": 2.0})["bias"] == 2.0
    with pytest.raises(TypeError, match="colour"):
        New(**restored(New, {"colour": 1}))  # an unknown field stays an error


@pytest.mark.parametrize("kind", KINDS)
def test_a_later_field_keeps_the_identity_of_every_configuration(kind: type[Any]) -> None:
    config = kind()
    bases: Any = (kind,)
    later = dataclass(frozen=True, kw_only=True, slots=True)(
        type(kind.__name__, bases, {"__annotations__": {"later": int},
                                    "__qualname__": kind.__qualname__,
                                    "later": added(1, before=0)})
    )  # fmt: skip
    assert identity(later(later=0)) == identity(config)
    assert identity_text(later(later=0)) == identity_text(config)
    assert identity(later()) != identity(config)
    assert later(**restored(later, {f.name: getattr(config, f.name) for f in fields(kind)})) == (
        later(later=0)
    )


@pytest.mark.parametrize("kind", [ComplexConfig, RuleConfig, EnsembleConfig, SymbolicConfig])
def test_models_saved_so_far_keep_their_fingerprints(kind: type[Any]) -> None:
    """No field of these was declared by `added` when they were saved: all of them count."""
    config = kind()
    if not any(f.metadata for f in fields(kind)):
        assert identity(config) == asdict(config)
        assert identity_text(config) == repr(config)


def test_a_model_of_a_folder_is_read_without_later_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = FolderModelConfig().to_json()

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Later(RuleConfig):
        longer: int = added(5, before=0)

    monkeypatch.setattr("reasoning.folder_model_config.RuleConfig", Later)
    assert FolderModelConfig.from_json(saved).rules == Later(longer=0)
