"""The security page names the limits that the code keeps."""

from __future__ import annotations

import importlib
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
ROW = re.compile(r"^\| (.+?) \| `([\w.]+)` \| ([0-9.]+) \|$", re.MULTILINE)
LIMITS = ROW.findall(PAGE.read_text(encoding="utf-8"))


def value_of(place: str) -> Any:
    """Return a module's constant, or the default of a field of one of its classes."""
    owner, _, name = place.rpartition(".")
    try:
        return getattr(importlib.import_module(owner), name)
    except ModuleNotFoundError:
        module, _, kind = owner.rpartition(".")
        found = getattr(importlib.import_module(module), kind)
    if is_dataclass(found):
        return next(field.default for field in fields(found) if field.name == name)
    assert issubclass(found, BaseModel)
    return found.model_fields[name].default


@pytest.mark.parametrize(("what", "place", "value"), LIMITS, ids=[row[1] for row in LIMITS])
def test_a_limit_is_what_the_page_says(what: str, place: str, value: str) -> None:
    assert value_of(place) == float(value), what


def test_every_limit_of_the_settings_is_named() -> None:
    named = {place.rpartition(".")[2] for _, place, _ in LIMITS}
    assert {"timeout_s", "max_rows", "max_answers", "max_body_bytes", "key_rate"} <= named
    assert len(LIMITS) > 20
