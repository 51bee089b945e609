"""A linker that learns from people's decisions: training pairs, and which of them it has learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kg.errors import ForeignFileError
from kg.files import read_json, write_json
from kg.model import EntityKey
from linkers.mention_sets import MentionSet
from linkers.model import Mention
from linkers.review.model import Decision, mention_hash
from linkers.review.training_pairs import provenance_of

__all__ = ["Meaning", "read_learnt", "save_learnt", "with_decisions"]

Meaning = tuple[Mention, EntityKey | None, Decision]
"""A mention, what it means, and the decision that says so (`DecisionLog.meanings`)."""

FORMAT = 1
_LEARNT = "decisions.json"
_SPLIT = "train"


def with_decisions(known: MentionSet, meanings: Sequence[Meaning]) -> MentionSet:
    """Return mentions to train on in which people have the last word.

    A mention that was decided means what was decided, whatever the table says of it; decided ones
    that the table lacks are added to it.

    Args:
        known: Mentions of a table.
        meanings: What people decided.
    """
    decided = {_same(mention): key for mention, key, _ in meanings}
    mark = _SPLIT if any(known.splits) else ""
    told = {_same(mention) for mention in known.mentions}
    added = [(mention, key) for mention, key, _ in meanings if _same(mention) not in told]
    return MentionSet(
        mentions=(*known.mentions, *(mention.placed() for mention, _ in added)),
        gold=(
            *(
                decided.get(_same(mention), key)
                for mention, key in zip(known.mentions, known.gold, strict=True)
            ),
            *(key for _, key in added),
        ),
        splits=(*known.splits, *(mark for _ in added)),
    )


def save_learnt(meanings: Sequence[Meaning], folder: Path) -> None:
    """Keep beside a linker which decisions it learnt from, and whose they are."""
    rows = [
        {"case": mention_hash(mention), "entity": key, **provenance_of(decision)}
        for mention, key, decision in meanings
    ]
    write_json(folder / _LEARNT, {"format": FORMAT, "decisions": rows})


def read_learnt(folder: Path) -> frozenset[tuple[str, EntityKey | None]]:
    """Return the cases that a linker learnt from, each with what it meant; none without a file.

    Raises:
        ForeignFileError: Something else lies there.
    """
    path = folder / _LEARNT
    if not path.exists():
        return frozenset()
    values = read_json(path, kind="list of decisions", formats=(FORMAT,))
    try:
        return frozenset((str(row["case"]), row["entity"]) for row in values["decisions"])
    except (KeyError, TypeError) as error:
        raise ForeignFileError("not a list of decisions", where=str(path)) from error


def _same(mention: Mention) -> str:
    """Return what a mention is called by; a table may or may not tell its place in the text."""
    return mention_hash(replace(mention, start=None, end=None))
