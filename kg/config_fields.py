"""Fields of a configuration that came later: no saved model changes its hash or sense by them.

A model's fingerprint holds all settings, so a plain new field would give every saved model another
fingerprint, and what is bound to it (calibrations, cached rows, jobs) would be refused. A field
declared by `added` is left out of the identity where it has the value that stands for how things
were before it, and files that lack it are read with that value, whatever its default is now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass
from typing import Any

__all__ = ["added", "identity", "identity_text", "restored"]

_BEFORE = "before"


def added(default: Any, *, before: Any) -> Any:
    """Declare a field that saved models may lack.

    Args:
        default: Of new configurations.
        before: The value that does what was done before there was such a field.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Config:
        ...     rank: int = 8
        ...     bias: bool = added(True, before=False)
        >>> identity(Config(bias=False)), identity(Config())
        ({'rank': 8}, {'rank': 8, 'bias': True})
        >>> Config(**restored(Config, {"rank": 4}))
        Config(rank=4, bias=False)
    """
    return field(default=default, metadata={_BEFORE: before})


def identity(config: Any) -> dict[str, Any]:
    """Return the fields of a configuration that make it what it is, those of its parts too."""
    return {name: _plain(getattr(config, name)) for name in _counted(config)}


def identity_text(config: Any) -> str:
    """Return the `repr` of a configuration, without fields that stand as before."""
    parts = (f"{name}={getattr(config, name)!r}" for name in _counted(config))
    return f"{type(config).__qualname__}({', '.join(parts)})"


def restored(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return saved values with the fields that came since, each as it was before.

    Args:
        kind: The configuration's class.
        values: What was saved; nothing is checked.
    """
    since = {f.name: f.metadata[_BEFORE] for f in fields(kind) if _BEFORE in f.metadata}
    return {**since, **values}


def _counted(config: Any) -> list[str]:
    return [
        f.name
        for f in fields(config)
        if _BEFORE not in f.metadata or getattr(config, f.name) != f.metadata[_BEFORE]
    ]


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return identity(value)
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(part) for part in value)
    return value
