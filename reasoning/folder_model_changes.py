"""Changes to the settings of a graph folder's model, checked key by key before they are applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from kg.errors import SettingError
from reasoning.predictors.embeddings.config import EMBEDDINGS
from reasoning.predictors.ensemble.config import EnsembleConfig
from reasoning.predictors.rules.config import RuleConfig
from reasoning.symbolic.config import SymbolicConfig

__all__ = ["changed_settings"]

PARTS: Mapping[str, type[Any]] = {
    "rules": RuleConfig,
    "ensemble": EnsembleConfig,
    "answering": SymbolicConfig,
}
"""Parts of one kind only; an embedding is of the kind that its `model` names."""

_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"),
    "int | None": ((int, type(None)), "a whole number or null"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "Precision": ((str,), "a text"),
    "ComplexConfig | None": ((Mapping, type(None)), "an object or null"),
}
"""By a field's type: what its value may be, and how that is called."""


def changed_settings(
    value: Mapping[str, Any], changes: Mapping[str, Any], *, where: str | None
) -> dict[str, Any]:
    """Return settings with some fields of some parts changed, all as plain values.

    Args:
        value: The settings as `FolderModelConfig.to_json` gives them.
        changes: For each part the new values of fields.
        where: What the changes come from, for errors.

    Raises:
        SettingError: A part, a field or a model is unknown, or a value is of another type; it is
            named, with those spelt like it.
    """
    found = dict(value)
    for part, given in changes.items():
        if part not in value:
            raise _unknown(f"no part {part!r} of the settings", part, value, where)
        if not isinstance(value[part], Mapping):
            _check_type(part, given, "int", where)
            found[part] = given
        elif not isinstance(given, Mapping):
            example = next(name for name in value[part] if name != "model")
            hint = f'write {{"{part}": {{"{example}": {value[part][example]}}}}}'
            raise SettingError(f"{part} is {given!r:.60}, no object", where=where, hint=hint)
        else:
            found[part] = _changed_part(part, value[part], given, where)
    return found


def _changed_part(
    part: str, value: Mapping[str, Any], given: Mapping[str, Any], where: str | None
) -> dict[str, Any]:
    """Return one part with its changes; another kind of embedding begins from its own defaults."""
    if part != "embedding":
        return _changed_fields(part, _types(PARTS[part]), value, given, where)
    model = given.get("model", value["model"])
    if model not in EMBEDDINGS:
        raise _unknown(f"embedding.model: there is no {model!r:.60}", str(model), EMBEDDINGS, where)
    own = dict(value) if model == value["model"] else {}
    changes = {name: new for name, new in given.items() if name != "model"}
    types = _types(EMBEDDINGS[model])
    found = _changed_fields(part, types, own, changes, where)
    if changes.get("beside") is not None:
        # members beside others begin from what the graph's own would have been
        plain = {name: kind for name, kind in types.items() if name != "beside"}
        usual = {name: old for name, old in own.items() if name in plain}
        found["beside"] = _changed_fields(f"{part}.beside", plain, usual, changes["beside"], where)
    return {**found, "model": model}


def _changed_fields(
    part: str,
    types: Mapping[str, str],
    value: Mapping[str, Any],
    given: Mapping[str, Any],
    where: str | None,
) -> dict[str, Any]:
    for name, new in given.items():
        if name not in types:
            known = [*types, "model"] if part == "embedding" else types
            raise _unknown(f"{part} has no setting {name!r}", name, known, where)
        _check_type(f"{part}.{name}", new, types[name], where)
    return {**value, **given}


def _types(kind: type[Any]) -> dict[str, str]:
    return {field.name: str(field.type) for field in fields(kind)}


def _check_type(name: str, value: object, kind: str, where: str | None) -> None:
    types, called = _KINDS[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise SettingError(f"{name} is {value!r:.60}, not {called}", where=where)


def _unknown(what: str, name: str, known: Iterable[str], where: str | None) -> SettingError:
    names = list(known)
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"take one of {', '.join(names)}"
    return SettingError(what, where=where, hint=hint)
