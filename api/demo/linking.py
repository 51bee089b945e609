"""The demo's linker: trained on the train split, judged by group on a base that lacks some."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from api.demo.mention_pictures import MentionPictures, mention_pictures
from api.demo.recipe import Recipe
from api.engine import Engine
from api.steps.knowledge_base import base_fingerprint, knowledge_base, linking_encoders
from api.steps.open_linker import LINKER
from api.workspace import inputs_hash
from kg.files import sha256_of_file
from kg.model import EntityKey
from kg.progress import Progress, silent
from linkers import KnowledgeBase, Linker, Mention
from linkers.evaluating import Judged, NilLine, evaluate_linker

__all__ = ["DemoMentions", "as_mention", "demo_mentions", "judged", "train_demo_linker"]

Record = Mapping[str, Any]

NAMED = ("names", "adjectives", "capitals", "short")
NIL_LINES = (
    NilLine(name="names", groups=("names",)),
    NilLine(name="names, adjectives, capitals, short", groups=NAMED),
    NilLine(name="the same and foreign", groups=(*NAMED, "foreign")),
)
"""Beside which linkable mentions NIL is to be told; the lines of the data's own baselines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMentions:
    """The demo's mentions by split, and what the base of their evaluation lacks.

    Attributes:
        train: What a linker learns from.
        valid: What it stops and calibrates by.
        test: What it is judged by.
        withheld: Keys of entities that the base lacks.
        pictures: Of the mentions.
    """

    train: Judged
    valid: Judged
    test: Judged
    withheld: frozenset[EntityKey]
    pictures: MentionPictures


def demo_mentions(recipe: Recipe) -> DemoMentions:
    """Read the demo's mentions and make those that are pictures only."""
    withheld = recipe.path(recipe.linking.withheld).read_text(encoding="utf-8").split()
    records, pictures = _records(recipe, withheld)
    train, valid, test = (
        _chosen(recipe, records, pictures, split) for split in ("train", "valid", "test")
    )
    return DemoMentions(
        train=train,
        valid=valid,
        test=test,
        withheld=frozenset(_key(recipe, code) for code in withheld),
        pictures=pictures,
    )


def train_demo_linker(
    engine: Engine, recipe: Recipe, *, progress: Progress = silent
) -> dict[str, Any]:
    """Train and judge the linker, once for the same base, mentions and pictures.

    The group `lists` is judged but not learnt from: its train split names test entities.

    Returns:
        Figures by group beside their baselines (`linkers.evaluating`).
    """
    done = judged(engine, recipe)
    if done is not None:
        return done
    table, workspace = recipe.linking, engine.workspace
    whole = knowledge_base(engine, table.label)
    folder = workspace.model("full", LINKER)
    with workspace.doing(LINKER, _inputs(whole, recipe)) as outcome:
        told = demo_mentions(recipe)
        linker = Linker.train(
            whole.without(told.withheld),
            told.train.mentions,
            told.train.gold,
            encoders=linking_encoders(engine),
            valid=(told.valid.mentions, told.valid.gold),
            pixels=told.pictures.images.get,
            seed=recipe.seed,
            progress=progress,
        )
        linker.save(folder)
        outcome["label"] = table.label
        outcome["figures"] = evaluate_linker(
            linker,
            told.test,
            valid=told.valid,
            training=(told.train.mentions, told.train.gold),
            nil_lines=NIL_LINES,
            seed=recipe.seed,
        )
    return outcome


def judged(engine: Engine, recipe: Recipe) -> dict[str, Any] | None:
    """Return what training found, if the linker is there for this very base and these files."""
    workspace = engine.workspace
    if not workspace.step(LINKER).exists() or not workspace.model("full", LINKER).is_dir():
        return None
    return workspace.done(LINKER, _inputs(knowledge_base(engine, recipe.linking.label), recipe))


def _inputs(base: KnowledgeBase, recipe: Recipe) -> str:
    table = recipe.linking
    files = (table.mentions, table.withheld, table.pictures, table.drawn_alike)
    return inputs_hash(
        {"base": base_fingerprint(base), "seed": recipe.seed}
        | {name: sha256_of_file(recipe.path(name)) for name in files}
    )


def _key(recipe: Recipe, code: str) -> EntityKey:
    return EntityKey(recipe.linking.gold_key.format(entity_id=code))


def _alike(recipe: Recipe) -> list[list[str]]:
    text = recipe.path(recipe.linking.drawn_alike).read_text(encoding="utf-8")
    groups: list[list[str]] = json.loads(text)["union"]
    return groups


def _records(recipe: Recipe, withheld: Sequence[str]) -> tuple[list[Record], MentionPictures]:
    with gzip.open(recipe.path(recipe.linking.mentions), "rt", encoding="utf-8") as file:
        records: list[Record] = [json.loads(line) for line in file]
    with np.load(recipe.path(recipe.linking.pictures), allow_pickle=False) as arrays:
        flags = dict(zip(arrays["keys"].tolist(), arrays["images"], strict=True))
    pictures = mention_pictures(
        records, flags, drawn_alike=_alike(recipe), withheld=withheld, seed=recipe.seed
    )
    return [*records, *pictures.records], pictures


def as_mention(record: Record, pictures: MentionPictures) -> Mention:
    """Return what a linker may see of a record: words, text around, place, picture."""
    return Mention(
        id=record["id"],
        surface=record["mention"],
        context=record["context"],
        start=record["start"],
        end=record["end"],
        image=pictures.of_mention.get(record["id"]),
    )


def _chosen(
    recipe: Recipe, records: Sequence[Record], pictures: MentionPictures, split: str
) -> Judged:
    """Return the mentions of a split; `lists` for test only, since its train names test ones."""
    rows = [
        r for r in records if r["split"] == split and (r["group"] != "lists" or split == "test")
    ]
    return Judged(
        mentions=[as_mention(row, pictures) for row in rows],
        gold=[None if r["entity_id"] is None else _key(recipe, r["entity_id"]) for r in rows],
        groups=[row["group"] for row in rows],
        alike=[[_key(recipe, code) for code in group] for group in _alike(recipe)],
        alike_groups=frozenset({"pictures"}),
    )
