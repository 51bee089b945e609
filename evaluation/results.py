"""The one format in which every run of an `evaluate` command is kept, and its JSON Schema.

Fractions lie in [0, 1]; keys of metrics are snake case. `evaluation.machine` knows the machine, the
commit, the clock and the peak memory.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from evaluation.machine import (
    Machine,
    Measurement,
    current_commit,
    peak_memory_mb,
    this_machine,
)
from kg.errors import InputError
from kg.files import read_json, write_json

__all__ = ["SCHEMA", "RunResult", "check_destination", "read_result"]

Metrics = Mapping[str, float]
Groups = Mapping[str, Mapping[str, Mapping[str, float]]]

_KEY = re.compile(r"[a-z][a-z0-9_]*")
_HASH = re.compile(r"[0-9a-f]{64}")

_FRACTIONS = {
    "type": "object",
    "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
    "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
}

SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Result of one run of an evaluation",
    "type": "object",
    "additionalProperties": False,
    "required": [
        "command", "commit", "date", "machine", "seed", "protocol", "inputs", "n", "seconds",
        "peak_memory_mb", "metrics", "by",
    ],
    "properties": {
        "command": {"type": "string", "minLength": 1},
        "commit": {"type": ["string", "null"]},
        "date": {"type": "string", "minLength": 10},
        "machine": {
            "type": "object",
            "additionalProperties": False,
            "required": ["cores", "memory_gb", "gpu"],
            "properties": {
                "cores": {"type": "integer", "minimum": 1},
                "memory_gb": {"type": "number", "exclusiveMinimum": 0},
                "gpu": {"type": ["string", "null"]},
            },
        },
        "seed": {"type": "integer"},
        "protocol": {"type": "string", "minLength": 1},
        "inputs": {
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        },
        "n": {"type": "integer", "minimum": 0},
        "seconds": {"type": "number", "minimum": 0},
        "peak_memory_mb": {"type": "number", "minimum": 0},
        "metrics": _FRACTIONS,
        "by": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
            "additionalProperties": {
                "type": "object",
                "additionalProperties": {
                    **_FRACTIONS,
                    "required": ["n"],
                    "properties": {"n": {"type": "integer", "minimum": 0}},
                },
            },
        },
    },
}  # fmt: skip
"""JSON Schema of a result file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What one run measured.

    Attributes:
        command: The command line that makes it again.
        commit: Hash of the code, None outside a repository.
        date: ISO 8601.
        machine: Where it ran.
        seed: Of the run.
        protocol: Which protocol of the evaluation (`betae-test`, `link`, `predcls` …).
        inputs: Hex SHA-256 of each input by its role.
        n: How many units were evaluated.
        seconds: Wall time.
        peak_memory_mb: Most memory that the process held.
        metrics: Fractions by snake-case key (`mrr`, `hits_at_1` …).
        by: For each split of the units (`structure`, `group`), for each part of it, its `n` and
            metrics; `standard_error` belongs to the first of mrr, accuracy, hits_at_1 that is
            there.

    Raises:
        InputError: A field is not as the format says; it is named.
    """

    command: str
    date: str
    machine: Machine
    protocol: str
    n: int
    seconds: float
    peak_memory_mb: float
    metrics: Metrics
    seed: int = 0
    commit: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    by: Groups = field(default_factory=dict)

    @classmethod
    def measured(
        cls,
        clock: Measurement,
        *,
        command: str,
        protocol: str,
        n: int,
        metrics: Metrics,
        seed: int = 0,
        inputs: Mapping[str, str] | None = None,
        by: Groups | None = None,
    ) -> Self:
        """Return the result of a run that ends now, in this process and working tree.

        Args:
            clock: Was started when the run began.
            command: The command line that makes it again.
            protocol: Which protocol.
            n: How many units were evaluated.
            metrics: Fractions by key.
            seed: Of the run.
            inputs: Hex SHA-256 of each input by its role.
            by: Metrics for each part of each split of the units.

        Raises:
            InputError: A field is not as the format says; it is named.
        """
        return cls(
            command=command,
            commit=current_commit(),
            date=clock.date,
            machine=this_machine(),
            seed=seed,
            protocol=protocol,
            inputs=inputs or {},
            n=n,
            seconds=clock.seconds,
            peak_memory_mb=peak_memory_mb(),
            metrics=metrics,
            by=by or {},
        )

    def __post_init__(self) -> None:
        """Check every field."""
        for name in ("command", "date", "protocol"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise InputError(f"a text was expected, got {getattr(self, name)!r}", where=name)
        _check_number(self.n, "n", whole=True)
        _check_number(self.seconds, "seconds")
        _check_number(self.peak_memory_mb, "peak_memory_mb")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise InputError(f"a whole number was expected, got {self.seed!r}", where="seed")
        for name, value in self.inputs.items():
            if not isinstance(value, str) or not _HASH.fullmatch(value):
                raise InputError("a hex SHA-256 was expected", where=f"inputs.{name}")
        _check_metrics(self.metrics, "metrics")
        for split, parts in self.by.items():
            _check_key(split, f"by.{split}")
            for part, values in parts.items():
                where = f"by.{split}.{part}"
                if "n" not in values:
                    raise InputError("n is missing", where=where)
                _check_number(values["n"], f"{where}.n", whole=True)
                _check_metrics({k: v for k, v in values.items() if k != "n"}, where)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as `SCHEMA` says."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises:
            InputError: A field is missing, unknown or wrong.
        """
        unknown = sorted(set(value) - set(SCHEMA["properties"]))
        missing = sorted(set(SCHEMA["required"]) - set(value))
        if unknown or missing:
            what = f"unknown field {unknown[0]!r}" if unknown else f"no field {missing[0]!r}"
            raise InputError(f"not the result of a run: {what}")
        try:
            return cls(**{**value, "machine": Machine(**value["machine"])})
        except (TypeError, AttributeError) as error:
            raise InputError(f"not the result of a run: {error}") from error

    def save(self, path: Path) -> None:
        """Write the result, atomically."""
        write_json(path, self.to_json())


def check_destination(path: Path) -> None:
    """Refuse a path where no result can be written, before hours of work go into one.

    Raises:
        InputError: A folder stands there, or its folder cannot be made or written to.
    """
    if path.is_dir():
        raise InputError(
            "a folder stands where the result should go", where=str(path), hint="name a file in it"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the result's folder cannot be made: {error.strerror}", where=str(path.parent)
        ) from error
    if not os.access(path.parent, os.W_OK):
        raise InputError("the result's folder is read-only", where=str(path.parent))


def read_result(path: Path) -> RunResult:
    """Read a result file.

    Raises:
        ForeignFileError: It is no JSON object.
        InputError: It is not the result of a run.
    """
    found = read_json(path, kind="result of a run")
    try:
        return RunResult.from_json(found)
    except InputError as error:
        where = str(path) if error.where is None else f"{error.where} of {path}"
        raise InputError(error.what, where=where, hint=error.hint) from error


def _check_metrics(metrics: Metrics, where: str) -> None:
    for name, value in metrics.items():
        _check_key(name, f"{where}.{name}")
        _check_number(value, f"{where}.{name}")
        if value > 1:
            raise InputError(f"{value} is no fraction in [0, 1]", where=f"{where}.{name}")


def _check_key(name: str, where: str) -> None:
    if not isinstance(name, str) or not _KEY.fullmatch(name):
        raise InputError("a key in snake case was expected", where=where)


def _check_number(value: object, where: str, *, whole: bool = False) -> None:
    kinds = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise InputError(f"a number was expected, got {value!r}", where=where)
    if not math.isfinite(value) or value < 0:
        raise InputError(f"{value} is not a finite number of at least 0", where=where)
