"""Rules as a checkpoint: one array a field, bound to the snapshot that they were mined from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.config_fields import restored
from kg.errors import ForeignFileError, SettingError
from kg.snapshot import Snapshot
from reasoning.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from reasoning.predictors.rules.config import RuleConfig
from reasoning.predictors.rules.rule import Rule

__all__ = ["KIND", "read_rules", "write_rules"]

KIND = "rules"
_NONE = -1


def write_rules(
    folder: Path, rules: Sequence[Rule], config: RuleConfig, seed: int, graph: Snapshot
) -> str:
    """Write rules; returns the fingerprint."""
    bodies = np.full((len(rules), 3), _NONE, dtype=np.int32)
    for place, rule in enumerate(rules):
        bodies[place, : len(rule.body)] = rule.body
    tensors: dict[str, NDArray[Any]] = {"body": bodies}
    for name in ("relation", "end", "tail", "support", "predictions"):
        values = [getattr(rule, name) for rule in rules]
        tensors[name] = np.array([_NONE if v is None else v for v in values], dtype=np.int64)
    tensors["confidence"] = np.array([rule.confidence for rule in rules], dtype=np.float64)
    metadata = {"config": config.to_json(), "seed": seed}
    return save_checkpoint(folder, tensors, metadata, graph.hash, kind=KIND)


def read_rules(folder: Path, graph: Snapshot) -> tuple[list[Rule], RuleConfig, int]:
    """Read what `write_rules` wrote, and check that all ids are those of the graph.

    Raises:
        MissingPartError: The folder holds no rules.
        CheckpointMismatchError: They were mined from another graph.
        ForeignFileError: A file is not ours or damaged.
        FormatVersionError: It has another format number.
    """
    checkpoint = load_checkpoint(folder, graph.hash, kind=KIND)
    try:
        rules = _restored(checkpoint, graph)
        config = RuleConfig(**restored(RuleConfig, checkpoint.metadata["config"]))
        return rules, config, int(checkpoint.metadata["seed"])
    except (KeyError, TypeError, ValueError, IndexError, SettingError) as error:
        raise ForeignFileError(
            "a rule set without all its parts",
            where=str(folder),
            hint="move it away and mine the rules again",
        ) from error


def _restored(checkpoint: Checkpoint, graph: Snapshot) -> list[Rule]:
    tensors = checkpoint.tensors
    limits = {"relation": 2 * graph.num_relations, "body": 2 * graph.num_relations}
    limits |= {"end": graph.num_entities, "tail": graph.num_entities}
    for name, limit in limits.items():
        values = tensors[name]
        if len(values) and (values.max() >= limit or values.min() < _NONE):
            raise ValueError(f"{name} holds an id that the graph has not")
    columns = [tensors[n].tolist() for n in ("relation", "body", "end", "tail", "support")]
    columns += [tensors[n].tolist() for n in ("predictions", "confidence")]
    return [
        Rule(
            relation=relation,
            body=tuple(step for step in body if step != _NONE),
            end=None if end == _NONE else end,
            tail=None if tail == _NONE else tail,
            support=support,
            predictions=predictions,
            confidence=confidence,
        )
        for relation, body, end, tail, support, predictions, confidence in zip(
            *columns, strict=True
        )
    ]
