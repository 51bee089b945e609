"""The step that trains a boosted linker on a table of mentions whose entities are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.side_by_side import Bars
from api.steps.open_linker import BOOSTED, LINKER, pooled_texts, trained_in
from kg.errors import InputError, SettingError
from kg.progress import silent

if TYPE_CHECKING:
    from api.engine import Engine
    from linkers.boosted import EntityTable
    from linkers.boosted.verdict import Verdict

__all__ = ["LinkerTraining", "train_linker"]


_ROUGH = (
    "probabilities are rough: fewer than 20 right or wrong links, or mentions of none, of those "
    "kept apart; look at some links before you trust them"
)
_FEWEST_ALONE = 20  # decisions from which on they take a linker's place without a table
_NO_NIL = "no mention means none of the entities, so none will ever be said"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkerTraining:
    """What a linker learns from.

    Attributes:
        mentions: A table of mentions (JSON Lines, CSV, TSV, Parquet), or a folder of tables; None
            to learn from people's decisions alone.
        columns: Which column holds which part of a mention (`linkers.records.MentionColumns`).
        gold: Column with the key of the entity, or a template of it such as ``country:{code}``; an
            empty value is NIL.
        valid: A table to calibrate by; the rows whose ``split`` is ``valid``, or a fifth of the
            documents, if not given.
        label: Class of the graph's entities that mentions may mean; all if not given.
        entities: A file of entities that takes the place of the graph's.
        save: Folder for the linker; the working folder's own linker if not given.
        decisions: Learn from what people decided (`umbra link review`) too.
        trees: Boosted trees of the ranker.
        seed: Of everything random.

    Raises:
        SettingError: A file of entities without a folder for the linker, or nothing to learn from.
    """

    mentions: Path | None
    columns: Mapping[str, str | None] = field(default_factory=dict)
    gold: str = "entity_id"
    valid: Path | None = None
    label: str | None = None
    entities: Path | None = None
    save: Path | None = None
    decisions: bool = True
    trees: int = 250
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no later run would find."""
        if self.entities is not None and self.save is None:
            raise SettingError(
                "a linker to a file of entities is no linker of the graph",
                where="--entities",
                hint="name a folder for it: --save FOLDER",
            )
        if self.mentions is None and not self.decisions:
            raise SettingError("nothing to learn from", where="MENTIONS", hint="name a table")


def train_linker(
    engine: Engine, task: LinkerTraining, *, bars: Bars = lambda _title, _unit: silent
) -> dict[str, Any]:
    """Train a boosted linker and save it.

    Args:
        engine: Whose entities the mentions mean, unless a file of entities is named.
        task: What to learn from.
        bars: Opens a progress bar for each part of the work.

    Returns:
        How many mentions were learnt from, how many of them people decided, how many mean an entity
        that is there, how many were kept to calibrate, rejects (and why the first is one), the
        folder, and a note where they were too few to say how sure links are.

    Raises:
        RecordError: A file is missing or is not of its format.
        MappingError: A table lacks a column.
        InputError: Nothing can be learnt, or a few decisions alone would take a linker's place.
    """
    from linkers.boosted import (
        BoostedLinker,
        RankerConfig,
        TreeConfig,
        gather,
        save_linker,
        train_ranker,
    )
    from linkers.boosted.name_index import NameIndex
    from linkers.labelled_tables import LabelledTable, read_labelled
    from linkers.mention_sets import MentionSet
    from linkers.records import MentionColumns
    from linkers.review import Review
    from linkers.review.learning import save_learnt, with_decisions

    columns = MentionColumns.of(task.columns)
    read = LabelledTable(mentions=MentionSet())
    if task.mentions is not None:
        read = read_labelled(task.mentions, columns, gold=task.gold)
    meanings = Review(None, engine.workspace.review).meanings() if task.decisions else []
    known = with_decisions(read.mentions, meanings)
    train, valid = known.part("train"), known.part("valid") if any(known.splits) else None
    if task.valid is not None:
        valid = read_labelled(task.valid, columns, gold=task.gold).mentions
    if not len(train):
        raise InputError(
            "no mention to learn from: "
            + ("the table has none" if task.mentions else "nobody has decided any"),
            hint="name a table with its entities, or decide some links: umbra link review",
        )
    _check_place(engine, task, len(train))
    table = _table(engine, task)
    texts = pooled_texts(engine)
    index = NameIndex(table, texts, progress=bars("encoding entities", "names"))
    checked = MentionSet() if valid is None else valid
    to_encode = bars("encoding mentions", "texts")
    index.prepare([*train.mentions, *checked.mentions], progress=to_encode)
    material = gather(
        table,
        texts,
        (train.mentions, train.gold),
        (checked.mentions, checked.gold),
        index=index,
        progress=bars("describing", "mentions"),
    )
    config = RankerConfig(trees=TreeConfig(trees=task.trees))
    ranker, verdict = train_ranker(
        material, config=config, seed=task.seed, progress=bars("training", "rankers")
    )
    linker = BoostedLinker(material.index, material.memory, ranker, verdict)
    workspace = engine.workspace
    folder = workspace.model("full", BOOSTED) if task.save is None else task.save
    save_linker(linker, folder)
    save_learnt(meanings, folder)
    outcome: dict[str, Any] = {
        "mentions": len(train),
        "decided_by_people": len(meanings),
        "in_the_base": sum(key in table.ids for key in train.gold if key is not None),
        "entities": len(table),
        "calibrated_on": 0 if material.valid is None else len(material.valid),
        "rejects": len(read.rejects),
        "linker": str(folder),
    }
    if notes := _notes(verdict):
        outcome["note"] = notes
    if read.rejects:
        first = read.rejects[0]
        outcome["first_reject"] = f"{first.file}, line {first.line}: {first.reason}"
    if task.save is None:
        with workspace.doing(LINKER, linker.fingerprint) as recorded:
            recorded.update(outcome, kind=BOOSTED, label=task.label)
    return outcome


def _check_place(engine: Engine, task: LinkerTraining, count: int) -> None:
    """Refuse to put what a handful of decisions teaches in the place of a trained linker."""
    alone = task.mentions is None and task.save is None
    if alone and count < _FEWEST_ALONE and trained_in(engine.workspace).is_dir():
        raise InputError(
            f"{count} decisions alone are too few to take the place of the linker that is there",
            where=str(trained_in(engine.workspace)),
            hint="train on a table with them (umbra link train MENTIONS), or name --save FOLDER",
        )


def _notes(verdict: Verdict | None) -> str:
    """Return what a user should know of the probabilities; empty where all is well."""
    if verdict is None:
        return "nothing could teach how sure links are: all go to review"
    told = ((_ROUGH, verdict.rough), (_NO_NIL, not verdict.knows_nil))
    return "; ".join(text for text, is_so in told if is_so)


def _table(engine: Engine, task: LinkerTraining) -> EntityTable:
    from api.steps.knowledge_base import knowledge_base
    from linkers.boosted import EntityTable
    from linkers.mention_sets import read_entity_table

    if task.entities is not None:
        return read_entity_table(task.entities)
    return EntityTable.of_base(knowledge_base(engine, task.label))
